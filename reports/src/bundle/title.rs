//! The title of a bug as an engineer would file it: what happens, when, on which build.

use harness::case::Op;
use harness::outcome::{self, What};
use harness::trace::{Did, Event};

use super::Part;
use crate::text::one_line;

/// What a broken rule adds to *`sendto` returns 6*.
const BROKEN: &[(&str, &str)] = &[
    ("no-silent-loss", ", but nothing is sent and no error follows"),
    ("failed-call-no-effect", ", yet the socket is not as it was before"),
    ("errno-documented", ", which no manual lists for it"),
    ("scope-id-names-the-link", ", and another link is used than the socket or the scope id names"),
    ("names-carry-the-scope", ", and a link-local address lacks the scope id of its link"),
    ("do-not-fragment", ", though the datagram does not leave in one piece with DF set"),
    ("fragments-reassemble", ", and its fragments do not make the datagram"),
    ("too-big-says-emsgsize", ", though the datagram is too big"),
    ("forged-icmp-changes-nothing", ", after a forged ICMP error"),
    ("numeric-asks-nobody", ", though a query leaves for what is a number"),
    ("localhost-is-not-asked-for", ", and a query for localhost leaves"),
    ("service-is-the-port", ", and the port is not the service's number"),
    ("no-zone-without-a-scope", ", and an address has a scope id that it cannot have"),
    ("answers-are-responses", ", by an answer that is no response to a query"),
    ("bytes-as-written", ", and the stream is not what was written"),
];

/// What breaking `rule` is called in a title.
pub fn broken(rule: &str) -> Option<&'static str> {
    BROKEN.iter().find(|(name, _)| *name == rule).map(|(_, text)| *text)
}

/// The call that it is about: the one that breaks a rule, else the one that fails, else the last
/// that asks the network for something.
pub(super) fn pivot(part: &Part<'_>) -> Option<u32> {
    let line = part.line;
    if let Some(finding) = line.findings.first() {
        return Some(finding.op);
    }
    if let Some(op) = first_difference(part) {
        return Some(op);
    }
    let returned = |event: &Event| match event {
        Event::Call { op, did, .. } => Some((*op, did.clone())),
        _ => None,
    };
    let calls: Vec<(u32, Did)> = line.trace.events.iter().filter_map(returned).collect();
    let waits = ["EAGAIN", "EINPROGRESS", "EALREADY"];
    let fails = |did: &Did| match did {
        Did::Returned { errno: Some(errno), .. } => !waits.contains(&errno.as_str()),
        Did::Returned { .. } => false,
        Did::Hung { .. } | Did::Unsupported { .. } => true,
    };
    let step = |op: u32| line.case.ops.get(op as usize);
    let asks = |op: u32| {
        !matches!(
            step(op),
            None | Some(
                Op::Socket { .. }
                    | Op::Close { .. }
                    | Op::Bind { .. }
                    | Op::Getsockopt { .. }
                    | Op::Poll { .. }
            )
        )
    };
    let failing = calls.iter().find(|(_, did)| fails(did));
    let asking = calls.iter().rev().find(|(op, _)| asks(*op));
    failing.or(asking).or(calls.last()).map(|(op, _)| *op)
}

/// The first step whose line the baseline has not.
fn first_difference(part: &Part<'_>) -> Option<u32> {
    let expected = part.line.expected.as_ref()?;
    let lines = outcome::lines(&part.line.case, &part.line.trace, part.os);
    let mut was = expected.lines();
    let op = |what: What| match what {
        What::Call { op } | What::Lab { op } | What::Frame { op } | What::Signal { op } => {
            u32::try_from(op).ok()
        }
        What::End => None,
    };
    lines.iter().find(|line| was.next() != Some(line.text.as_str())).and_then(|line| op(line.what))
}

/// `sendto returns ENETUNREACH`.
pub(super) fn behaviour(part: &Part<'_>) -> String {
    let Some(op) = pivot(part) else { return "nothing is called".to_owned() };
    let line = part.line;
    let call = line.case.ops.get(op as usize).map_or("a step", Op::call);
    let did = line.trace.events.iter().find_map(|event| match event {
        Event::Call { op: o, did, .. } if *o == op => Some(did),
        _ => None,
    });
    let text = match did {
        Some(Did::Returned { errno: Some(errno), .. }) => format!("{call} returns {errno}"),
        Some(Did::Returned { ret, .. }) => format!("{call} returns {ret}"),
        Some(Did::Hung { .. }) => format!("{call} does not return"),
        Some(Did::Unsupported { name }) => format!("{call} has no {name}"),
        None => format!("{call} is not made"),
    };
    let suffix = line.findings.first().and_then(|finding| broken(&finding.rule));
    format!("{text}{}", suffix.unwrap_or_default())
}

/// As long as a title gets, which is what a list of mails shows of it.
pub(super) const MOST_OF_TITLE: usize = 70;

/// What breaking a rule is called where there is no room; `{}` is the call.
const SHORT: &[(&str, &str)] = &[
    ("no-silent-loss", "{} lost in silence"),
    ("failed-call-no-effect", "{} fails and has an effect"),
    ("errno-documented", "{} with an undocumented errno"),
    ("scope-id-names-the-link", "{} by another link than named"),
    ("names-carry-the-scope", "{} without a scope id"),
    ("do-not-fragment", "{} fragments in spite of DF"),
    ("fragments-reassemble", "{} sends broken fragments"),
    ("too-big-says-emsgsize", "{} takes what is too big"),
    ("forged-icmp-changes-nothing", "forged ICMP is believed"),
    ("numeric-asks-nobody", "{} asks DNS for a number"),
    ("localhost-is-not-asked-for", "{} asks DNS for localhost"),
    ("service-is-the-port", "{} gives another port"),
    ("no-zone-without-a-scope", "{} gives a scope id that cannot be"),
    ("answers-are-responses", "{} takes a datagram that is no response"),
    ("bytes-as-written", "{}: the stream is not what was written"),
];

/// Rules that have a short form.
#[cfg(test)]
pub(super) fn short_of(rule: &str) -> Option<&'static str> {
    SHORT.iter().find(|(name, _)| *name == rule).map(|(_, text)| *text)
}

/// The whole title: behaviour, trigger and version. `build` is how people call the build.
pub(super) fn title(part: &Part<'_>, build: &str) -> String {
    let version = version(build);
    let op = pivot(part).and_then(|op| part.line.case.ops.get(op as usize));
    let rule = part.line.findings.first().map(|finding| finding.rule.as_str());
    let short = rule.and_then(|rule| SHORT.iter().find(|(name, _)| *name == rule));
    let what = match short {
        Some((_, text)) => text.replace("{}", op.map_or("a step", Op::call)),
        None => behaviour(part),
    };
    let when =
        part.line.case.title.trim_end_matches(['?', '.']).replace(", the link being ", ", link ");
    let room = MOST_OF_TITLE.saturating_sub(version.chars().count() + 3);
    format!("{} ({version})", cut(&one_line(&format!("{what}: {when}"), 4 * MOST_OF_TITLE), room))
}

/// Of *Linux 6.18.44-1-amd64* its number, of *macOS 15.3 (24D70)* both.
fn version(build: &str) -> String {
    let number = build.strip_prefix("Linux ").map(|release| {
        let end = release.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-');
        release[..end.unwrap_or(release.len())].trim_end_matches(['.', '-'])
    });
    let number = number.filter(|number| !number.is_empty()).unwrap_or(build);
    cut(&one_line(number, 2 * MOST_OF_TITLE), 24)
}

/// No longer than that, and never in a word.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let head: String = text.chars().take(most.saturating_sub(1)).collect();
    let whole = head.rfind(' ').filter(|at| *at > most / 2).map_or(head.as_str(), |at| &head[..at]);
    format!("{}\u{2026}", whole.trim_end_matches([' ', ',', ':', ';']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_that_has_a_long_form_has_a_short_one() {
        for (rule, _) in BROKEN {
            assert!(short_of(rule).is_some_and(|text| text.len() < 44), "{rule}");
        }
    }

    #[test]
    fn a_title_is_cut_between_words() {
        assert_eq!(cut("one two three", 13), "one two three");
        assert_eq!(cut("one two three", 11), "one two\u{2026}");
        assert_eq!(cut(&"x".repeat(30), 10).chars().count(), 10);
        assert_eq!(version("Linux 6.1.0-56-cloud-amd64"), "6.1.0-56");
        assert_eq!(version("macOS 15.3 (24D70)"), "macOS 15.3 (24D70)");
    }
}
