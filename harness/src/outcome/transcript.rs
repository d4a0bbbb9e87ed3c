//! A trace as a person reads it: with times and real ports, in the manner of packetdrill.

use std::fmt::Write as _;

use super::names::Names;
use super::numbers::told;
use super::{by_step, end_text, event_text, frames, marks, one_line, unfinished};
use crate::case::{Case, Os};
use crate::trace::{End, Event, Trace};
use crate::wire::Numbers;

/// Everything that happened, with real ports and hardware addresses, kernel chatter and repeated
/// requests too. What TCP sent before, and what it probes with, is marked: `[retransmission]`,
/// `[keep-alive]`, `[zero-window probe]`.
///
/// `+0.000123` is how many seconds after the line above, the first after the case began;
/// `<0.000011>` how long a call took.
///
/// ```text
/// +0.000004 socket(AF_INET6, SOCK_DGRAM, 0) = s <0.000009>
/// +0.000012 sendto(s, "hello\0", 6, 0, {AF_INET6 [fe80::2%tap0]:12345}) = 6 <0.000031>
/// +0.000022     > tap0 to 02:00:00:00:00:02: IPv6 fe80::1 > fe80::2 hlim 64 UDP 51234 > 12345 len 6 "hello\0"
/// ```
pub fn transcript(case: &Case, trace: &Trace, os: Os) -> String {
    let names = Names::real(case, trace, os);
    let marks = marks::marks(&names, trace);
    let told = told(&names, trace);
    let mut out = String::new();
    let mut clock = 0;
    let mut step = None;
    // Elsewhere the host has its own timers.
    let unlike = if os == Os::Linux { case.unlike_defaults() } else { Vec::new() };
    for line in unlike {
        say(&mut out, None, &format!("-- {line}"));
    }
    for (beneath, at) in by_step(trace) {
        let event = &trace.events[at];
        if step != Some(beneath) {
            step = Some(beneath);
            if let Some(line) = unfinished(&names, event) {
                say(&mut out, None, &line.text);
            }
        }
        let (at_ns, mut text) = timed(&names, event, told.get(at).copied().flatten());
        if let Some(mark) = marks[at] {
            let _ = write!(text, " [{mark}]");
        }
        say(&mut out, Some(at_ns.saturating_sub(clock)), &text);
        clock = clock.max(at_ns);
    }
    for line in &trace.served {
        say(&mut out, None, &format!("-- {line}"));
    }
    if let Some(text) = end_text(&trace.end) {
        say(&mut out, None, &text);
    }
    if let End::Died { how } = &trace.end {
        how.lines().skip(1).for_each(|line| say(&mut out, None, line));
    }
    out
}

fn timed(names: &Names<'_>, event: &Event, numbers: Option<Numbers>) -> (u64, String) {
    match event {
        Event::Frame { at_ns, link, dir, bytes, .. } => {
            let frame = frames::frame(names, link, *dir, &bytes.0, numbers);
            let chatter = frame.chatter.map_or_else(String::new, |what| format!(" ({what})"));
            (*at_ns, format!("    {}{chatter}", frame.text))
        }
        Event::Call { op, at_ns, took_ns, .. } if names.has_waited(*op) => {
            (at_ns + took_ns, format!("{} <{}>", event_text(names, event), seconds(*took_ns)))
        }
        Event::Call { at_ns, took_ns, .. } | Event::Lab { at_ns, took_ns, .. } => {
            (*at_ns, format!("{} <{}>", event_text(names, event), seconds(*took_ns)))
        }
        Event::Began { at_ns, .. } | Event::Signal { at_ns, .. } => {
            (*at_ns, event_text(names, event))
        }
    }
}

fn say(out: &mut String, after_ns: Option<u64>, text: &str) {
    let after = after_ns.map_or_else(|| " ".repeat(9), |ns| format!("+{}", seconds(ns)));
    let written = writeln!(out, "{after} {}", one_line(text));
    debug_assert!(written.is_ok(), "a string takes all that is written to it");
}

/// Nanoseconds as seconds to the microsecond.
fn seconds(ns: u64) -> String {
    format!("{}.{:06}", ns / 1_000_000_000, ns % 1_000_000_000 / 1000)
}
