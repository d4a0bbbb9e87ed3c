//! What a receiver reads first: one paragraph, the contrast, and what speaks for the report.

use std::collections::{BTreeMap, BTreeSet};

use harness::case::{LabOp, Op};
use harness::trace::Fingerprint;
use harness::verdict::{Unexpected, Verdict};

use super::controls::{self, Difference};
use super::readme::{sentence, this};
use super::since::{Elsewhere, Since};
use super::{Bundle, Part, pivot, shown_like, since, step, subsystem, title};
use crate::runs::{Cite, Line, Rule};
use crate::text::one_line;

/// How many quotes a report has: who reads on wants the frames.
const QUOTES: usize = 2;

/// How many kernels are named one by one.
const NAMED: usize = 6;

/// What breaking a rule leaves to be wished, where the rule says more than a reader needs.
const WISHED: &[(&str, &str)] = &[
    ("no-silent-loss", "a frame, or an error from the call or a later one on the socket"),
    ("failed-call-no-effect", "a call that fails leaves the socket as it was"),
    ("errno-documented", "an errno that the manual lists for the call"),
    ("scope-id-names-the-link", "the link that the socket or the scope id names, or an error"),
    ("names-carry-the-scope", "the scope id of the link in a link-local address"),
    ("do-not-fragment", "one datagram that is not fragmented, or EMSGSIZE"),
    ("fragments-reassemble", "fragments that make the datagram"),
    ("too-big-says-emsgsize", "EMSGSIZE"),
    ("forged-icmp-changes-nothing", "the ICMP error is ignored, as no such packet was sent"),
    ("numeric-asks-nobody", "no query for what is a number"),
    ("localhost-is-not-asked-for", "no query leaves for localhost"),
    ("service-is-the-port", "the port of that number, or an error"),
    ("no-zone-without-a-scope", "no scope id on an address that has no zone"),
    ("answers-are-responses", "answers from responses to the queries alone"),
    ("bytes-as-written", "the bytes as they were written"),
    ("cut-message-is-flagged", "the message whole, or MSG_TRUNC"),
    ("option-reads-as-set", "what was set, or what a manual page says that it is kept as"),
    ("so-error-is-cleared", "no error, as the one before it was told"),
    ("shutdown-forbids", "EPIPE for a send, the end for a receive, and the signal as it was asked"),
    ("accepted-inherits", "what an accepted socket is documented to have of its listener"),
    ("asked-control-comes", "the control message that was asked for, or MSG_CTRUNC"),
    ("ready-does-not-wait", "no EAGAIN, as the socket was said to be ready"),
    ("end-of-stream-is-told", "0 at the end of a stream, and ECONNRESET once after a reset"),
];

/// What is wished where `rule` is broken, as the end of *Expected:*.
pub fn wished(rule: &str) -> Option<&'static str> {
    WISHED.iter().find(|(name, _)| *name == rule).map(|(_, text)| *text)
}

/// What came, in one line.
pub(super) fn actual(part: &Part<'_>) -> String {
    let found = part.line.findings.first();
    let text = found.map_or_else(|| title::behaviour(part), |finding| finding.text.clone());
    one_line(text.trim_end_matches('.'), MOST_OF_LINE)
}

/// What was expected, in one line; none where no fault is claimed.
pub(super) fn expected(bundle: &Bundle<'_>, part: &Part<'_>) -> Option<String> {
    let line = part.line;
    if let Some(finding) = line.findings.first() {
        let rule = bundle.rules.iter().find(|rule| rule.name == finding.rule);
        let says = || rule.map(|rule| uncapital(rule.says.trim_end_matches('.')));
        let wished = wished(&finding.rule).map(str::to_owned).or_else(says);
        return wished.map(|text| one_line(&text, MOST_OF_LINE));
    }
    if let Some(asked) = line.unexpected.first() {
        let text = format!("`{}`, as {} asks", asked.wanted, asked.place());
        return Some(one_line(&text, MOST_OF_LINE));
    }
    let was = line.expected.as_ref().filter(|_| line.verdict == Verdict::Changed)?;
    let mut now = line.outcome.lines();
    let first = was.lines().find(|was| now.next() != Some(was)).unwrap_or("less than that");
    Some(format!("as it was before, {}", one_line(first, MOST_OF_LINE)))
}

/// As much of one thing as a line of a form has.
const MOST_OF_LINE: usize = 300;

/// Who did it, where, what was done, what came, what was expected, since when and where not, as plain
/// text.
pub(super) fn lead(bundle: &Bundle<'_>, part: &Part<'_>) -> String {
    let title = part.line.case.title.trim_end_matches(['.', '?']);
    let mut said =
        vec![format!("On {}, {} of {} times: {title}.", bundle.who(), part.same, part.times)];
    if !part.line.findings.is_empty() {
        said.push(format!("{}.", sentence(&actual(part))));
    }
    said.extend(expected(bundle, part).map(|text| format!("Expected: {text}.")));
    if part.is_control() {
        said.push("No rule is broken and nothing has changed: this is a control record, no fault is claimed.".to_owned());
    }
    if part.is_asked_alone() {
        said.push("No rule is broken: that is what the author of the case expects.".to_owned());
    }
    let here = this(bundle, part);
    said.extend(since(bundle, part, &here).map(since::sentence));
    let Tested { same, good, .. } = tested(bundle, part);
    if !good.is_empty() {
        said.push(format!("Not on {}.", names(&good)));
    } else if let [_, rest @ ..] = &same[..]
        && !rest.is_empty()
    {
        // No version is known that does better, which is said of those that were tried.
        said.push(format!("The same on {}.", names(rest)));
    } else if part.elsewhere.is_empty() {
        said.push("No other version was tried.".to_owned());
    }
    said.join(" ")
}

/// Since which kernel, where the kernel does it: which library is old and which is new is not known.
pub(super) fn since<'a>(
    bundle: &Bundle<'_>,
    part: &'a Part<'_>,
    here: &'a Elsewhere,
) -> Option<Since<'a>> {
    since::since(here, &part.elsewhere).filter(|_| !bundle.is_of_libc())
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
    let mut kinds: BTreeMap<String, BTreeSet<u8>> = BTreeMap::new();
    for e in &part.elsewhere {
        let kind = match e.verdict {
            _ if e.outcome.trim_end() == here => 0,
            Verdict::Ok => 1,
            _ => 2,
        };
        kinds.entry(bundle.name_of(e)).or_default().insert(kind);
    }
    let of = |wanted: &[u8]| -> Vec<String> {
        let is = |kinds: &BTreeSet<u8>| kinds.iter().copied().eq(wanted.iter().copied());
        kinds.iter().filter(|(_, kinds)| is(kinds)).map(|(name, _)| name.clone()).collect()
    };
    let same = [vec![format!("{} (this)", bundle.who())], of(&[0])].concat();
    let good = of(&[1]);
    let told = |name: &&String| same.iter().chain(&good).any(|one| one == *name);
    let other = kinds.keys().filter(|name| !told(name)).cloned().collect();
    Tested { same, good, other }
}

/// Names with commas, no more than one can take in.
pub(super) fn names(all: &[String]) -> String {
    let (named, rest) = all.split_at(all.len().min(NAMED));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    format!("{}{more}", named.join(", "))
}

/// The same but for one thing, which does behave.
pub(super) struct Contrast {
    /// What is otherwise.
    pub(super) what: String,
    /// The case, which has run on the same kernel.
    pub(super) id: String,
    /// What it did: where that is not in the call itself, what is otherwise stands first.
    pub(super) lines: Vec<String>,
}

/// The nearest of the controls, which have all run; none if none of them is the same but for one thing,
/// or none of these is as it should be.
pub(super) fn contrast(part: &Part<'_>) -> Option<Contrast> {
    // What is as it should be is contrasted with nothing.
    if part.is_control() {
        return None;
    }
    part.controls.iter().find_map(|line| contrast_by(part, line))
}

fn contrast_by(part: &Part<'_>, line: &Line) -> Option<Contrast> {
    let (case, op) = (&part.line.case, pivot(part)?);
    if line.verdict != Verdict::Ok || !line.findings.is_empty() {
        return None;
    }
    let did = shown_like(part, line);
    // What did the same tells nothing.
    if did.is_empty() || did == step(part.line, op, part.os) {
        return None;
    }
    let there = controls::counterpart(case, op, &line.case)?;
    let mut lines = Vec::new();
    let what = match controls::difference(case, op, &line.case)? {
        Difference::LeftOut(at) => {
            let ours = step(part.line, u32::try_from(at).ok()?, part.os);
            let call = ours.first().map_or("a call", |line| line.trim());
            let call = call.rsplit_once(" = ").map_or(call, |(call, _)| call);
            format!("the same without {}", one_line(call, 100))
        }
        Difference::Value(at) => {
            let number = u32::try_from(at).ok()?;
            if number != there {
                lines = step(line, number, part.os);
            }
            match line.case.ops.get(at)? {
                Op::Lab { step: LabOp::Inject { .. } } => "the same with another frame".to_owned(),
                Op::Lab { .. } => "the same with one step of the network changed".to_owned(),
                call if number != there => {
                    format!("the same with one value of {} changed", call.call())
                }
                _ => "the same with one value changed".to_owned(),
            }
        }
        Difference::LabLeftOut(at) => {
            format!("the same without \"{}\"", one_line(&case.lab.setup.get(at)?.to_string(), 100))
        }
        Difference::LabValue => {
            format!("the same in another network ({})", one_line(&line.case.title, 100))
        }
    };
    lines.extend(did);
    Some(Contrast { what, id: line.id.clone(), lines })
}

/// What speaks for the report. That delivery is not promised speaks against it, and is what a
/// receiver would say at once; the README of the bundle has every clause.
pub(super) fn quotes<'b>(rules: &'b [Rule], part: &'b Part<'_>) -> Vec<&'b Cite> {
    let cites = broken(rules, part.line).flat_map(|rule| &rule.cites);
    let cites = cites.filter(|cite| speaks(part, cite));
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

/// The rules that a line's findings name.
pub(super) fn broken<'b>(rules: &'b [Rule], line: &'b Line) -> impl Iterator<Item = &'b Rule> {
    rules.iter().filter(|rule| line.findings.iter().any(|finding| finding.rule == rule.name))
}

/// What a program says was expected: what the rules say that are broken, the clauses that speak for that, and
/// what the text of a user's own case asks.
pub fn expectations(rules: &[Rule], part: &Part<'_>) -> Vec<String> {
    let says = broken(rules, part.line).map(|rule| rule.says.clone());
    let cites = quotes(rules, part);
    let quotes = cites.iter().map(|cite| format!("{}: \"{}\"", cite.source, cite.quote));
    let asked = part.line.unexpected.iter().map(Unexpected::to_string);
    says.chain(quotes).chain(asked).collect()
}

/// Whether a clause speaks for the report: none that promises nothing, none of another protocol.
pub(super) fn speaks(part: &Part<'_>, cite: &Cite) -> bool {
    const AGAINST: [&str; 4] = [
        "not guarantee",
        "No indication of failure",
        "additional errors",
        "MUST reduce its estimate",
    ];
    let v6 = subsystem::is_ipv6(part);
    let of_ipv4 = ["RFC 791 ", "RFC 1191 "].iter().any(|rfc| cite.source.starts_with(rfc));
    let of_another = cite.source.contains("(over IPv6)") && v6 == Some(false)
        || (of_ipv4 || cite.source.contains("(over IPv4;")) && v6 == Some(true)
        || cite.source.contains("(where UDP is quoted") && !part.line.outcome.contains(" for UDP ");
    !of_another && !AGAINST.iter().any(|words| cite.quote.contains(words))
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
    let said = contrast(part).is_some_and(|found| found.lines.iter().any(|l| l.contains(errno)));
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
    let kind = match (rest, parts) {
        ("", 0) => "a kernel without a number".to_owned(),
        // Mainline 7.3 calls itself 7.3.0.
        ("", _) if parts == 2 || number.ends_with(".0") => format!("mainline {number}"),
        ("", _) => format!("stable {number}"),
        (rc, _) if rc.starts_with("-rc") => format!("mainline {release}"),
        (_, _) => format!(
            "{release}, a distribution's or private build of {}",
            title::upstream(kernel).as_deref().unwrap_or(number.trim_end_matches('.'))
        ),
    };
    // The same stack as a process of another kernel's.
    if platform.starts_with("uml") { format!("{kind}, as User-Mode Linux") } else { kind }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("6.18.4", "stable 6.18.4")]
    #[case("7.3.0", "mainline 7.3.0")]
    #[case("7.3.0-rc2", "mainline 7.3.0-rc2")]
    #[case(
        "6.1.0-56-cloud-amd64",
        "6.1.0-56-cloud-amd64, a distribution's or private build of 6.1.0"
    )]
    #[case(
        "5.10.0-46-cloud-amd64 #1 SMP Debian 5.10.262-1 (2026-07-31)",
        "5.10.0-46-cloud-amd64, a distribution's or private build of 5.10.262"
    )]
    #[case("", "a kernel without a number")]
    fn a_release_says_what_kind_it_is(#[case] release: &str, #[case] says: &str) {
        let (release, version) = release.split_once(' ').unwrap_or((release, ""));
        let [system, release, version] = ["Linux", release, version].map(str::to_owned);
        let kernel = Fingerprint { system, release, version, ..Fingerprint::default() };
        assert_eq!(kind(&kernel, "linux"), says);
        assert_eq!(kind(&kernel, "uml-5.10"), format!("{says}, as User-Mode Linux"));
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
