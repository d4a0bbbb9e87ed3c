//! What a receiver reads first: one paragraph, the contrast, and what speaks for the report.

use harness::trace::Fingerprint;

use super::readme::this;
use super::since::{self, Elsewhere};
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
    let others = tested(bundle, part).other;
    if !others.is_empty() {
        said.push(format!("Not on {}.", names(&others)));
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

/// Which kernels did the same, and which something else, by name.
pub(super) struct Tested {
    pub(super) same: Vec<String>,
    pub(super) other: Vec<String>,
}

/// By the runs at hand and by what is kept of other platforms, in their order.
pub(super) fn tested(bundle: &Bundle<'_>, part: &Part<'_>) -> Tested {
    let here = part.line.outcome.trim_end();
    let own = this(bundle, part).name;
    let runs = part.elsewhere.iter().map(|e: &Elsewhere| (e.name.clone(), e.outcome.trim_end()));
    let kept =
        part.baselines.iter().map(|(name, text)| (format!("{name} (baseline)"), text.trim_end()));
    let (mut same, mut other) = (vec![format!("{own} (this)")], Vec::new());
    for (name, outcome) in runs.chain(kept) {
        if outcome == here { same.push(name) } else { other.push(name) }
    }
    Tested { same, other }
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
    let against = ["not guarantee", "No indication of failure"];
    let speaks = |cite: &&Cite| !against.iter().any(|words| cite.quote.contains(words));
    let cites = bundle.broken(part.line).flat_map(|rule| &rule.cites);
    let mut all: Vec<&Cite> = cites.filter(speaks).collect();
    let weight = |cite: &&Cite| match &cite.quote {
        quote if ["MUST", "shall", "SHALL"].iter().any(|word| quote.contains(word)) => 0,
        quote if quote.contains("SHOULD") => 1,
        _ => 2,
    };
    // An errno that names the state says more than a clause about another layer.
    let of_errno = |cite: &&Cite| !cite.source.contains("ERRORS");
    all.sort_by_key(|cite| (of_errno(cite), weight(cite)));
    all.truncate(QUOTES);
    all
}

/// What kind of kernel a release is of, as far as its name says so.
pub(super) fn kind(kernel: &Fingerprint) -> String {
    let release = kernel.release.as_str();
    let end = release.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(release.len());
    let (number, rest) = release.split_at(end);
    let parts = number.split('.').filter(|part| !part.is_empty()).count();
    match (rest, parts) {
        ("", 0) => "a kernel without a number".to_owned(),
        ("", 2) => format!("mainline {number}"),
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
    #[case("7.3", "mainline 7.3")]
    #[case("7.3.0-rc2", "mainline 7.3.0-rc2")]
    #[case("6.1.0-56-cloud-amd64", "6.1.0-56-cloud-amd64, somebody's build of 6.1.0")]
    #[case("", "a kernel without a number")]
    fn a_release_says_what_kind_it_is(#[case] release: &str, #[case] says: &str) {
        let kernel = Fingerprint { release: release.into(), ..Fingerprint::default() };
        assert_eq!(kind(&kernel), says);
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
