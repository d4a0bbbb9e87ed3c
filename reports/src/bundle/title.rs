//! The title of a bug as an engineer would file it: what happens, when, on which build.

use harness::case::Op;
use harness::outcome::{self, What};
use harness::trace::{Did, Event, Fingerprint};

use super::Part;
use crate::text::one_line;

/// The call that it is about: the one that breaks a rule, else the one that fails, else the last
/// that asks the network for something.
pub(super) fn pivot(part: &Part<'_>) -> Option<u32> {
    let line = part.line;
    if let Some(finding) = line.findings.first() {
        return Some(finding.op);
    }
    if let Some(unexpected) = line.unexpected.first() {
        return Some(unexpected.op);
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
    match did {
        Some(Did::Returned { errno: Some(errno), .. }) => format!("{call} returns {errno}"),
        Some(Did::Returned { ret, .. }) => format!("{call} returns {ret}"),
        Some(Did::Hung { .. }) => format!("{call} does not return"),
        Some(Did::Unsupported { name }) => format!("{call} has no {name}"),
        None => format!("{call} is not made"),
    }
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
    ("cut-message-is-flagged", "{} cuts a message in silence"),
    ("option-reads-as-set", "{} reads other than was set"),
    ("so-error-is-cleared", "{} tells an error twice"),
    ("shutdown-forbids", "{} is not as after a shutdown"),
    ("accepted-inherits", "an accepted socket inherits otherwise"),
    ("asked-control-comes", "{} lacks a control message"),
    ("ready-does-not-wait", "{} waits on what is ready"),
    ("end-of-stream-is-told", "{} does not tell the stream's end"),
];

/// What breaking `rule` is called in a title; `{}` is the call.
pub fn broken(rule: &str) -> Option<&'static str> {
    SHORT.iter().find(|(name, _)| *name == rule).map(|(_, text)| *text)
}

/// What titles of cases say at length.
const SHORTER: &[(&str, &str)] = &[
    ("UDP from a bound socket to ", "bind, to "),
    ("UDP from a socket bound to the link to ", "bound to the link, to "),
    ("UDP by connect and send to ", "connected, to "),
    ("UDP connected before to ", "connected before, to "),
    ("UDP with PKTINFO to ", "PKTINFO, to "),
    (
        "UDP to the link-local address of a neighbour nobody has asked for yet",
        "unresolved neighbour",
    ),
    ("the link-local address of a neighbour nobody has asked for yet", "an unresolved neighbour"),
    (", the link being ", ", link "),
    (", loopback being down", ", lo down"),
    ("do-not-fragment asked for", "DF"),
    ("by IPv4 from an IPv6 socket", "to a mapped address"),
    ("IPv4 from an IPv6 socket", "mapped"),
    (" and has its IPv6 addresses back", ""),
    ("scope id", "scope"),
    ("A forged MTU", "MTU"),
    (", nothing asked", ""),
    ("link-local address", "link-local"),
];

/// Words that wait for another one.
const WAITING: &[&str] = &["of", "a", "an", "the", "to", "by", "and", "in", "on", "with", "is"];

/// The trigger in so many characters at the most: clauses go from the end, then words.
fn trigger(title: &str, most: usize) -> String {
    let long = one_line(title.trim_end_matches(['.', '?']), 4 * MOST_OF_TITLE);
    let text = SHORTER.iter().fold(long, |text, (from, to)| text.replace(from, to));
    let mut text = text.trim_end_matches([',', ' ']).to_owned();
    let whole = text.chars().count() <= most;
    for separator in [", ", " "] {
        while text.chars().count() > most {
            let Some((before, _)) = text.rsplit_once(separator) else { break };
            text = before.trim_end_matches([',', ':']).to_owned();
        }
    }
    while let Some((before, last)) = text.rsplit_once(' ').filter(|_| !whole) {
        if !WAITING.contains(&last) {
            break;
        }
        text = before.to_owned();
    }
    text.chars().take(most).collect()
}

/// The whole title: behaviour, trigger and version.
pub(super) fn title(part: &Part<'_>, version: &str) -> String {
    let version = cut(&one_line(version, 2 * MOST_OF_TITLE), 24);
    let op = pivot(part).and_then(|op| part.line.case.ops.get(op as usize));
    let rule = part.line.findings.first().map(|finding| finding.rule.as_str());
    let what = match rule.and_then(broken) {
        Some(text) => text.replace("{}", op.map_or("a step", Op::call)),
        None => behaviour(part),
    };
    let room = MOST_OF_TITLE.saturating_sub(version.chars().count() + 3);
    let what = cut(&one_line(&what, 2 * MOST_OF_TITLE), room);
    let when = trigger(&part.line.case.title, room.saturating_sub(what.chars().count() + 2));
    let when = if when.is_empty() { when } else { format!(": {when}") };
    format!("{what}{when} ({version})")
}

/// The number of a Linux whose release does not say it: Debian's 5.10.0-46 is 5.10.262.
pub(super) fn upstream(kernel: &Fingerprint) -> Option<String> {
    let of = kernel.source_version();
    let number = of.numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
    let says = kernel.release.starts_with(&number);
    (kernel.system == "Linux" && of.exact && !says).then_some(number)
}

/// What a title calls a kernel: of Linux its number, `6.18.44` or `7.3.0-rc2`, of what stands in for it its
/// platform, of others their build.
pub(super) fn version(kernel: &Fingerprint, platform: &str, build: &str) -> String {
    if kernel.system != "Linux" {
        return build.replace(['(', ')'], "");
    }
    if !platform.starts_with("linux") && !platform.starts_with("uml") && !platform.is_empty() {
        return platform.to_owned();
    }
    if let Some(number) = upstream(kernel) {
        return number;
    }
    let release = kernel.release.as_str();
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let end = release.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(release.len());
    let (number, rest) = release.split_at(end);
    let candidate = rest.strip_prefix("-rc").map(|rest| &rest[..digits(rest)]);
    match candidate.filter(|n| !n.is_empty()) {
        Some(n) => format!("{number}-rc{n}"),
        None => number.trim_end_matches('.').to_owned(),
    }
}

/// No longer than that, and never in a word.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let head: String = text.chars().take(most).collect();
    let whole = head.rfind(' ').filter(|at| *at > most / 2).map_or(head.as_str(), |at| &head[..at]);
    whole.trim_end_matches([' ', ',', ':', ';']).to_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn what_breaks_a_rule_leaves_room_for_the_rest() {
        assert!(SHORT.iter().all(|(_, text)| text.len() < 44));
    }

    #[rstest]
    #[case("Linux", "6.1.0-56-cloud-amd64", "linux-6.1", "6.1.0")]
    #[case(
        "Linux",
        "5.10.0-46-cloud-amd64 #1 SMP Debian 5.10.262-1 (2026-07-31)",
        "linux-5.10",
        "5.10.262"
    )]
    #[case("Linux", "6.12.118+deb13-amd64 #1 SMP Debian 6.12.118-1", "linux-6.12", "6.12.118")]
    #[case("Linux", "7.3.0-rc2", "linux-7.3", "7.3.0-rc2")]
    #[case("Linux", "7.3.0-rc2-gabc", "linux-7.3", "7.3.0-rc2")]
    #[case("Linux", "6.12.113", "uml-6.12", "6.12.113")]
    #[case("Linux", "4.4.0", "gvisor-20240729", "gvisor-20240729")]
    #[case("Darwin", "24.3.0", "macos-15", "macOS 15.3 24D70")]
    fn a_version_is_what_its_people_call_it(
        #[case] system: &str,
        #[case] release: &str,
        #[case] platform: &str,
        #[case] says: &str,
    ) {
        let (release, build) = release.split_once(' ').unwrap_or((release, ""));
        let [system, release, build] = [system, release, build].map(str::to_owned);
        let kernel = Fingerprint { system, release, version: build, ..Fingerprint::default() };
        assert_eq!(version(&kernel, platform, "macOS 15.3 (24D70)"), says);
    }

    #[test]
    fn a_title_is_cut_between_words() {
        assert_eq!(cut("one two three", 13), "one two three");
        assert_eq!(cut("one two three", 11), "one two");
        assert_eq!(cut(&"x".repeat(30), 10).chars().count(), 10);
        for (text, most, is) in [
            (
                "UDP to 255.255.255.255, the link being down",
                33,
                "UDP to 255.255.255.255, link down",
            ),
            ("UDP to 255.255.255.255, the link being down", 32, "UDP to 255.255.255.255"),
            // What is left with a version of eight characters.
            (
                "UDP from a bound socket to 255.255.255.255, the link being down",
                35,
                "bind, to 255.255.255.255, link down",
            ),
            (
                "A forged MTU of 800 by IPv4, never-sent, nothing asked",
                40,
                "MTU of 800 by IPv4, never-sent",
            ),
            ("a very long thing of the kind", 20, "a very long thing"),
            ("xxxxxxxxxxxx", 9, "xxxxxxxxx"),
            ("", 9, ""),
        ] {
            assert_eq!(trigger(text, most), is);
        }
    }
}
