//! The outcome: a trace made stable, as text in the manner of strace.
//!
//! Two runs of one case on one kernel give the same bytes. Out go what no call decides: times,
//! ephemeral ports (`eph1`, `eph2` in the order of the text), interface indexes (links go by name),
//! hardware addresses (by role), and what [`wire::line`](crate::wire::line) leaves out of a frame.
//! In stay return values, errnos, addresses, TTL, DF, MF, offsets, lengths, flags, and which
//! payload it is.
//!
//! ```text
//! socket(AF_INET6, SOCK_DGRAM, 0) = s
//! sendto(s, "hello\0", 6, 0, {AF_INET6 [fe80::2%tap0]:12345}) = 6
//!     > tap0 to neighbour: IPv6 fe80::1 > fe80::2 hlim 64 UDP eph1 > 12345 len 6 "hello\0"
//! getsockname(s) = 0, {AF_INET6 [::]:eph1}
//! -- link set tap0 down
//! recv(s, 64, MSG_DONTWAIT) = -1 EAGAIN
//! ```
//!
//! A call of another thread has the thread's name before it. If it waits, other lines come between:
//!
//! ```text
//! t: recv(s, 64, 0) <unfinished ...>
//! shutdown(s, SHUT_RD) = 0
//! t: <... recv resumed> = 0, ""
//! ```
//!
//! Beneath a step stand the frames that it caused, `>` from the host under test, `<` to it. Of
//! these an outcome leaves out what a kernel says unasked ([`wire::chatter`](crate::wire::chatter))
//! and, under one step, the second and later of identical address resolution requests, identical
//! TCP SYNs and, where a case waits for TCP's timers, identical retransmissions, since a timer repeats
//! them. [`transcript`] leaves out nothing.

mod args;
mod bytes;
mod control;
mod credentials;
mod data;
pub(crate) mod errnos;
mod frames;
mod marks;
mod names;
mod netlink;
mod numbers;
mod options;
mod packets;
mod parts;
mod results;
mod socks;
mod tcp_info;
#[cfg(test)]
mod tests;
mod transcript;

pub use args::{Words, call, file_call};
pub use errnos::errnos;
pub use names::Names;
pub use netlink::route_messages;
pub use options::{fields, is_of_the_run, stable_option};
pub use socks::is_ping;
pub use transcript::transcript;

use crate::case::{Case, Op, Os};
use crate::trace::{Did, End, Event, Trace};

/// The line of an outcome which says that nobody saw what was sent.
pub const UNSEEN: &str = "+++ wire not captured +++";

/// Behind a call that has not returned.
const UNFINISHED: &str = "<unfinished ...>";

/// One line of an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it stands for.
    pub what: What,
    /// Which of the trace's events it shows, by its place there; none for a line that shows no
    /// event.
    pub event: Option<usize>,
    /// The text, indented, without a line break.
    pub text: String,
}

/// What a line stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A call and its result.
    Call {
        /// The number of the case's step, from 0.
        op: usize,
    },
    /// A step of the lab.
    Lab {
        /// The number of the case's step.
        op: usize,
    },
    /// A frame.
    Frame {
        /// The step beneath which it stands.
        op: usize,
    },
    /// A signal.
    Signal {
        /// The step beneath which it stands.
        op: usize,
    },
    /// An end other than [`End::Done`] that no event shows, or that no frame could be seen.
    End,
}

/// The first lines that differ; none where the shorter text has ended.
pub fn first_difference<'a>(was: &'a str, is: &'a str) -> Option<[Option<&'a str>; 2]> {
    let (mut was, mut is) = (was.lines(), is.lines());
    loop {
        match [was.next(), is.next()] {
            [None, None] => return None,
            [a, b] if a != b => return Some([a, b]),
            _ => {}
        }
    }
}

/// The outcome of a trace of `case` as text, a line break behind each line.
pub fn render(case: &Case, trace: &Trace, os: Os) -> String {
    let mut text = String::new();
    for line in lines(case, trace, os) {
        text.push_str(&line.text);
        text.push('\n');
    }
    text
}

/// The outcome line by line; see [`render`].
pub fn lines(case: &Case, trace: &Trace, os: Os) -> Vec<Line> {
    lines_by(&Names::stable(case, trace, os), trace)
}

/// The same, with what an outcome leaves out where it is as documented, which a case may ask for all the same: the
/// offset behind `sendfile`.
pub fn told(case: &Case, trace: &Trace, os: Os) -> Vec<Line> {
    lines_by(&Names::whole(case, trace, os), trace)
}

/// The same as a transcript shows it, with real ports, clocks and counters, but without times.
pub fn shown(case: &Case, trace: &Trace, os: Os) -> Vec<Line> {
    lines_by(&Names::real(case, trace, os), trace)
}

fn lines_by(names: &Names<'_>, trace: &Trace) -> Vec<Line> {
    let case = names.case();
    let mut lines = Vec::with_capacity(trace.events.len() + 1);
    let mut requests: Vec<String> = Vec::new();
    let mut step = None;
    // How often data is sent again follows the round trip that was measured.
    let marks = if case.waits_for_timers() { marks::marks(names, trace) } else { Vec::new() };
    let told = numbers::told(names, trace);
    for (beneath, at) in by_step(trace) {
        let event = &trace.events[at];
        if step != Some(beneath) {
            step = Some(beneath);
            requests.clear();
            lines.extend(unfinished(names, event));
        }
        let text = if let Event::Frame { link, dir, bytes, .. } = event {
            let frame = frames::frame(names, link, *dir, &bytes.0, told.get(at).copied().flatten());
            let repeats = frame.repeats || marks.get(at) == Some(&Some(marks::AGAIN));
            if frame.chatter.is_some() || repeats && requests.contains(&frame.text) {
                continue;
            }
            if repeats {
                requests.push(frame.text.clone());
            }
            format!("    {}", frame.text)
        } else {
            event_text(names, event)
        };
        lines.push(line(what(case, event), Some(at), &text));
    }
    if trace.is_unseen() {
        lines.push(line(What::End, None, UNSEEN));
    }
    lines.extend(end_text(&trace.end).map(|text| line(What::End, None, &text)));
    lines
}

/// The trace without what an outcome leaves out: times are zero and pauses forgotten, events stand beneath their step,
/// kernel chatter and repeated requests are gone. Doing it twice is doing it once, and the outcome
/// of the result is the outcome of `trace`.
#[must_use]
pub fn normalise(case: &Case, trace: &Trace) -> Trace {
    // The choice of events is the same for every system.
    let kept = lines(case, trace, Os::Linux);
    let events = kept.iter().filter_map(|line| trace.events.get(line.event?).cloned());
    let events = events.map(|mut event| {
        match &mut event {
            Event::Call { at_ns, took_ns, .. } | Event::Lab { at_ns, took_ns, .. } => {
                (*at_ns, *took_ns) = (0, 0);
            }
            Event::Began { at_ns, .. }
            | Event::Frame { at_ns, .. }
            | Event::Signal { at_ns, .. } => *at_ns = 0,
        }
        event
    });
    let pauses_ms = Vec::new();
    let events = events.collect();
    let disturbed = Vec::new();
    let (beyond, program) = (None, None);
    let served = Vec::new();
    Trace { began_ns: 0, events, pauses_ms, disturbed, beyond, program, served, ..trace.clone() }
}

/// The text of step `op` of the names' case: a call with its arguments as written in the case, and
/// with the resolved address and the result when `event` is the one of its call. Before a call of
/// another thread stands its name, and one that waited is told when it begins and when it returns.
pub fn call_text(names: &Names<'_>, op: usize, event: Option<&Event>) -> String {
    let (addr, did) = match event {
        Some(Event::Call { addr, did, .. }) => (addr.as_ref(), Some(did)),
        Some(Event::Began { addr, .. }) => (addr.as_ref(), None),
        _ => (None, None),
    };
    let number = u32::try_from(op).unwrap_or(u32::MAX);
    let thread = names.case().thread_of(number).map_or_else(String::new, |t| format!("{t}: "));
    let made = |op: &Op| call(&args::Resolved { names, addr }, op);
    let text = match (names.case().ops.get(op), did) {
        (Some(Op::Lab { step }), _) => format!("-- {step}"),
        (Some(op), Some(did)) if names.has_waited(number) => {
            let resumed = format!("<... {} resumed>", op.call());
            format!("{thread}{resumed} = {}", result_text(names, op, did))
        }
        (Some(op), None) if matches!(event, Some(Event::Began { .. })) => {
            format!("{thread}{} {UNFINISHED}", made(op))
        }
        (Some(op), None) => format!("{thread}{}", made(op)),
        (Some(op), Some(did)) => {
            format!("{thread}{} = {}", made(op), result_text(names, op, did))
        }
        (None, _) => format!("-- step {op}, which the case has not"),
    };
    one_line(&text)
}

fn result_text(names: &Names<'_>, op: &Op, did: &Did) -> String {
    match did {
        Did::Returned { ret, errno, out } => {
            results::returned(names, op, *ret, errno.as_ref(), out)
        }
        Did::Unsupported { name } => format!("? unsupported here: {name}"),
        // For how long it was waited is the clock's doing, and that of other threads.
        Did::Hung { .. } if names.is_stable() => "? still waiting".to_owned(),
        Did::Hung { after_ms } => format!("? still waiting after {after_ms} ms"),
    }
}

/// Any event's text but a frame's, not indented.
fn event_text(names: &Names<'_>, event: &Event) -> String {
    match event {
        Event::Signal { name, .. } => format!("+++ {name} +++"),
        event => call_text(names, index(event), Some(event)),
    }
}

fn end_text(end: &End) -> Option<String> {
    match end {
        // The last event says so.
        End::Done | End::Unsupported | End::Hung => None,
        // Behind the first line is what the console said, which is another one each time.
        End::Died { how } => {
            Some(format!("+++ executor {} +++", how.lines().next().unwrap_or_default()))
        }
        End::Skipped { reason } => Some(format!("+++ skipped: {reason} +++")),
        End::Broken { reason } => Some(format!("+++ lab broken: {reason} +++")),
    }
}

/// The line of a step that caused something but has no event of its own: the executor did not live
/// to write it.
fn unfinished(names: &Names<'_>, first: &Event) -> Option<Line> {
    if matches!(first, Event::Began { .. } | Event::Call { .. } | Event::Lab { .. }) {
        return None;
    }
    let op = index(first);
    let text = if names.case().ops.get(op).is_some() {
        format!("{} {UNFINISHED}", call_text(names, op, None))
    } else {
        "-- after the last step".to_owned()
    };
    Some(line(step_kind(names.case(), op), None, &text))
}

/// The places of the events with the step beneath which each stands: the step's own event first and
/// then what it caused, in the order of the trace.
fn by_step(trace: &Trace) -> Vec<(u32, usize)> {
    let mut order: Vec<_> = trace.beneath().into_iter().zip(0..).collect();
    order.sort_by_key(|&((beneath, is_step), _)| (beneath, !is_step));
    order.into_iter().map(|((beneath, _), at)| (beneath, at)).collect()
}

fn what(case: &Case, event: &Event) -> What {
    let op = index(event);
    match event {
        Event::Frame { .. } => What::Frame { op },
        Event::Signal { .. } => What::Signal { op },
        Event::Began { .. } | Event::Call { .. } | Event::Lab { .. } => step_kind(case, op),
    }
}

fn step_kind(case: &Case, op: usize) -> What {
    match case.ops.get(op) {
        Some(Op::Lab { .. }) | None => What::Lab { op },
        Some(_) => What::Call { op },
    }
}

fn index(event: &Event) -> usize {
    usize::try_from(event.op()).unwrap_or(usize::MAX)
}

fn line(what: What, event: Option<usize>, text: &str) -> Line {
    Line { what, event, text: one_line(text) }
}

/// Names come from the case and from the executor: a line break in one shall not make two lines.
fn one_line(text: &str) -> String {
    if text.contains(['\n', '\r']) {
        text.replace('\n', "\\n").replace('\r', "\\r")
    } else {
        text.to_owned()
    }
}
