//! What a receiver reads first: one paragraph, the contrast, and what speaks for the report.

use std::collections::{BTreeMap, BTreeSet};

use harness::case::{LabOp, Op};
use harness::trace::Fingerprint;
use harness::verdict::Verdict;

use super::readme::this;
use super::since;
use super::{Bundle, Part, shown_like};
use crate::runs::Cite;

/// How many quotes a report has: who reads on wants the frames.
const QUOTES: usize = 2;

/// How many kernels are named one by one.
const NAMED: usize = 6;

/// What is done, what comes, what was expected, how often, since when and where not, as plain text.
pub(super) fn lead(bundle: &Bundle<'_>, part: &Part<'_>) -> String {
    let line = part.line;
    let mut said = vec![format!("{}.", line.case.title.trim_end_matches(['.', '?']))];
    for finding in line.findings.iter().take(1) {
        said.push(format!("{}.", finding.text.trim_end_matches('.')));
        let rule = bundle.rules.iter().find(|rule| rule.name == finding.rule);
        said.extend(
            rule.map(|rule| format!("Expected: {}.", uncapital(rule.says.trim_end_matches('.')))),
        );
    }
    if part.is_control() {
        said.push("No rule is broken and nothing has changed: this is a control record, no fault is claimed.".to_owned());
    }
    said.push(format!("{} of {} times on {}.", part.same, part.times, bundle.build()));
    let here = this(bundle, part);
    said.extend(since::since(&here, &part.elsewhere).map(since::sentence));
    let good = tested(bundle, part).good;
    if !good.is_empty() {
        said.push(format!("Not on {}.", names(&good)));
    }
    said.join(" ")
}

/// A sentence within another one; but for a name or a symbol.
fn uncapital(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if first.is_uppercase() && !second.is_uppercase() => {
            format!("{}{}", first.to_lowercase(), letters.as_str())
        }
        _ => text.to_owned(),
    }
}

/// Which kernels did what, by name, as far as there are runs of them.
pub(super) struct Tested {
    /// Those that did the same.
    pub(super) same: Vec<String>,
    /// Those that did otherwise, as they were observed before and without breaking a rule.
    pub(super) good: Vec<String>,
    /// Those that did something else again, or not the same each time.
    pub(super) other: Vec<String>,
}

/// By the runs at hand. What is kept of platforms may be a deviation that is known: the README has it.
pub(super) fn tested(bundle: &Bundle<'_>, part: &Part<'_>) -> Tested {
    let here = part.line.outcome.trim_end();
    let mut kinds: BTreeMap<&str, BTreeSet<u8>> = BTreeMap::new();
    for e in &part.elsewhere {
        let kind = match e.verdict {
            _ if e.outcome.trim_end() == here => 0,
            Verdict::Ok => 1,
            _ => 2,
        };
        kinds.entry(&e.name).or_default().insert(kind);
    }
    let of = |wanted: &[u8]| -> Vec<String> {
        let is = |kinds: &BTreeSet<u8>| kinds.iter().copied().eq(wanted.iter().copied());
        kinds.iter().filter(|(_, kinds)| is(kinds)).map(|(name, _)| (*name).to_owned()).collect()
    };
    let same = [vec![format!("{} (this)", this(bundle, part).name)], of(&[0])].concat();
    let good = of(&[1]);
    let told = |name: &&str| same.iter().chain(&good).any(|one| one == name);
    let other = kinds.keys().filter(|name| !told(name)).map(|name| (*name).to_owned()).collect();
    Tested { same, good, other }
}

/// Names with commas, no more than one can take in.
pub(super) fn names(all: &[String]) -> String {
    let (named, rest) = all.split_at(all.len().min(NAMED));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    format!("{}{more}", named.join(", "))
}

/// The case nearest to it that does behave: its title, its id, and what it did.
pub(super) fn contrast(part: &Part<'_>) -> Option<(String, String, Vec<String>)> {
    let line = part.controls.first()?;
    let title = line.case.title.trim_end_matches('.').to_owned();
    Some((title, line.id.clone(), shown_like(part, line)))
}

/// What speaks for the report. That delivery is not promised speaks against it, and is what a
/// receiver would say at once; the README of the bundle has every clause.
pub(super) fn quotes<'b>(bundle: &'b Bundle<'_>, part: &'b Part<'_>) -> Vec<&'b Cite> {
    let against = ["not guarantee", "No indication of failure", "additional errors"];
    let speaks = |cite: &&Cite| !against.iter().any(|words| cite.quote.contains(words));
    let cites = bundle.broken(part.line).flat_map(|rule| &rule.cites).filter(speaks);
    let (of_errnos, clauses): (Vec<_>, Vec<_>) =
        cites.partition(|cite| cite.source.contains("ERRORS"));
    // An errno says more than a clause about another layer, where it is the one that is missing.
    let mut all: Vec<&Cite> =
        of_errnos.into_iter().filter(|cite| is_wanted(part, &cite.source)).collect();
    if all.is_empty() {
        all = clauses;
        all.sort_by_key(|cite| match &cite.quote {
            quote if ["MUST", "shall", "SHALL"].iter().any(|word| quote.contains(word)) => 0,
            quote if quote.contains("SHOULD") => 1,
            _ => 2,
        });
    }
    all.truncate(QUOTES);
    all
}

/// Whether the errno between a source's brackets is what the case could have said: the finding or the
/// nearest case that behaves has it, or it names the state that the case makes.
fn is_wanted(part: &Part<'_>, source: &str) -> bool {
    let errno = source.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    let Some((errno, _)) = errno else { return false };
    let line = part.line;
    let among = line.case.ops.iter().filter_map(|op| match op {
        Op::Lab { step } => Some(step),
        _ => None,
    });
    let mut steps = line.case.lab.setup.iter().chain(among);
    let down = errno == "ENETDOWN" && steps.any(|step| matches!(step, LabOp::LinkDown { .. }));
    let said = contrast(part).is_some_and(|(_, _, lines)| lines.iter().any(|l| l.contains(errno)));
    down || said || line.findings.iter().any(|finding| finding.text.contains(errno))
}

/// What kind of kernel a release is of, as far as its name says so; what is no Linux is called as it is.
pub(super) fn kind(kernel: &Fingerprint, platform: &str) -> String {
    let release = kernel.release.as_str();
    if kernel.system != "Linux" || platform.starts_with("gvisor") {
        return format!("{} {release} ({platform})", kernel.system);
    }
    let end = release.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(release.len());
    let (number, rest) = release.split_at(end);
    let parts = number.split('.').filter(|part| !part.is_empty()).count();
    match (rest, parts) {
        ("", 0) => "a kernel without a number".to_owned(),
        // Mainline 7.3 calls itself 7.3.0.
        ("", _) if parts == 2 || number.ends_with(".0") => format!("mainline {number}"),
        ("", _) => format!("stable {number}"),
        (rc, _) if rc.starts_with("-rc") => format!("mainline {release}"),
        (_, _) => format!("{release}, somebody's build of {}", number.trim_end_matches('.')),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("6.18.4", "stable 6.18.4")]
    #[case("7.3.0", "mainline 7.3.0")]
    #[case("7.3.0-rc2", "mainline 7.3.0-rc2")]
    #[case("6.1.0-56-cloud-amd64", "6.1.0-56-cloud-amd64, somebody's build of 6.1.0")]
    #[case("", "a kernel without a number")]
    fn a_release_says_what_kind_it_is(#[case] release: &str, #[case] says: &str) {
        let (system, release) = ("Linux".to_owned(), release.to_owned());
        let kernel = Fingerprint { system, release, ..Fingerprint::default() };
        assert_eq!(kind(&kernel, "linux"), says);
        assert_eq!(kind(&kernel, "gvisor-1"), format!("Linux {} (gvisor-1)", kernel.release));
    }

    #[test]
    fn a_sentence_goes_on_with_a_small_letter_but_for_names() {
        assert_eq!(uncapital("A send leaves"), "a send leaves".to_owned());
        assert_eq!(uncapital("POSIX says"), "POSIX says");
        assert_eq!(names(&["a".into(), "b".into()]), "a, b");
        let many: Vec<String> = (0..9).map(|n| n.to_string()).collect();
        assert_eq!(names(&many), "0, 1, 2, 3, 4, 5 and 3 more");
    }
}
