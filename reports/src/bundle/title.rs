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

/// A title is the line of a mail's head that says what it is about: one line, of at most 998 bytes
/// (RFC 5322 §2.1.1) of at most four a character.
const MOST_OF_TITLE: usize = 240;

/// The whole title.
pub(super) fn title(part: &Part<'_>, build: &str) -> String {
    let (behaviour, when) = (behaviour(part), part.line.case.title.as_str());
    // A few cases are a question, to which what happens is the answer.
    let title = match when.strip_suffix('?') {
        Some(question) => format!("{question}? {behaviour} ({build})"),
        None => format!("{behaviour}: {when} ({build})"),
    };
    one_line(&title, MOST_OF_TITLE)
}
