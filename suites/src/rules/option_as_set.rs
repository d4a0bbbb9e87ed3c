//! An option reads as it was set, or as it is documented to be kept.
//!
//! # Where the line runs
//!
//! What `getsockopt` reads after a `setsockopt` of the same option on the same socket succeeded is equal,
//! or what a manual page or an RFC says that it becomes (`kept`). A rounding that none of them has, though
//! the system does it on purpose, is a gap in the manual: [`Rank::Undocumented`]. What reads as anything else
//! [`Rank::Surprises`]: POSIX says that `getsockopt` retrieves the value of the option, and no more.
//!
//! `SO_LINGER` is on or off, with the seconds that were set if it is on. A time (`SO_RCVTIMEO`) is rounded up
//! to the resolution of the software clock (time(7)): to ten milliseconds at the most.
//!
//! # What is not judged
//!
//! - Values that are no `int`, `struct linger` or `struct timeval`, and those that have a name.
//! - After an option that changes another one (`IP_TOS` and `SO_PRIORITY`), or one that is set by what it is for.
//! - On Darwin all but booleans, of which another number than was set is another flag: none of the rest was
//!   run there.
//!
//! # Where it fires
//!
//! On Linux of `TCP_THIN_DUPACK`, on Linux 5.10 of `SO_LINGER`, on gVisor of three options that it does not keep, and of
//! roundings that no page has: see `known-deviations.toml`.

use std::collections::BTreeMap;

use harness::case::op::{Op, Opt, Value};
use harness::case::{Case, Os, written};
use harness::trace::{Out, Trace};
use harness::verdict::Rank;

use super::kept::{self, Kept};
use super::sockets::{Id, Sockets, as_read, asked, is_stamp, set};
use super::view::View;
use super::{Cite, Finding, Needs, Rule};

/// The rule *an option reads as it was set*.
pub(super) const RULE: Rule = Rule {
    name: "option-reads-as-set",
    rank: Rank::Surprises,
    needs: Needs::Order,
    says: "getsockopt reads what setsockopt has set, or what a manual page or an RFC says that it is \
           kept as; a rounding that is written nowhere is a gap in the manual.",
    cites: &[
        Cite {
            source: "POSIX.1-2017 getsockopt, DESCRIPTION",
            quote: "The getsockopt() function shall retrieve the value for the option specified by \
                    the option_name argument for the socket specified by the socket argument.",
        },
        Cite {
            source: "Linux socket(7), SO_RCVBUF",
            quote: "The kernel doubles this value (to allow space for bookkeeping overhead) when it \
                    is set using setsockopt(2), and this doubled value is returned by \
                    getsockopt(2).",
        },
        Cite {
            source: "Linux ip(7)",
            quote: "A boolean integer flag is zero when it is false, otherwise true.",
        },
        Cite {
            source: "Linux ip(7), IP_TOS",
            quote: "Other bits are invalid and shall be cleared.",
        },
        Cite {
            source: "Linux tcp(7), TCP_MAXSEG",
            quote: "TCP will also impose its minimum and maximum bounds over the value provided.",
        },
    ],
    check,
};

fn check(case: &Case, trace: &Trace, os: Os) -> Vec<Finding> {
    let view = View::new(case, trace);
    let sockets = Sockets::of(&view);
    let mut known: BTreeMap<(Id, &str, &str), &Value> = BTreeMap::new();
    let mut findings = Vec::new();
    for (index, call) in view.calls.iter().enumerate() {
        let Some(id) = sockets.on(index, call) else { continue };
        match call.what {
            Op::Setsockopt { option: Opt::Intent(_), .. } => known.retain(|(of, ..), _| *of != id),
            Op::Raw { .. } => known.retain(|(of, ..), _| *of != id),
            _ => {}
        }
        if let Some((level, name, value)) = set(call.what).filter(|_| call.ok()) {
            let name = as_read(name);
            known.retain(|(of, _, other), _| *of != id || !is_changed_by(other, name));
            known.insert((id, level, name), value);
        }
        // Of what has no name here nothing is known.
        if let Some((level, name)) = asked(call.what).filter(|_| call.ok())
            && written(name).is_none()
            && let Some(value) = known.get(&(id, level, name))
            && let Some((rank, text)) = differs(os, name, value, call.out)
        {
            findings.push(RULE.weighs(rank, call.op, text));
        }
    }
    findings
}

/// Whether setting `name` changes that other option.
fn is_changed_by(other: &str, name: &str) -> bool {
    match (other, name) {
        ("SO_PRIORITY", "IP_TOS")
        | ("SO_RCVBUF", "SO_RCVLOWAT")
        | ("SO_BINDTOIFINDEX", "SO_BINDTODEVICE")
        | ("SO_BINDTODEVICE", "SO_BINDTOIFINDEX") => true,
        _ => other != name && is_stamp(other) && is_stamp(name),
    }
}

/// In which way the option reads other than it was set.
fn differs(os: Os, name: &str, set: &Value, out: &Out) -> Option<(Rank, String)> {
    match (set, out) {
        (Value::Int(set), Out::Int(got)) => {
            let (kept, source) = kept::of(os, name);
            let said = format!("{name} was set to {set} and reads {got}");
            if !kept.agrees(*set, *got) {
                let text = format!("{said}, {}.", as_documented(kept));
                return Some((Rank::Surprises, text));
            }
            let is_gap = source.is_none() && set != got && os == Os::Linux;
            let text = format!("{said}, which no manual page has: a gap in the manual.");
            is_gap.then_some((Rank::Undocumented, text))
        }
        (Value::Linger { on, seconds }, Out::Bytes(bytes)) if os == Os::Linux => {
            let [got, lasts] = ints(&bytes.0)?;
            let same = (*on == 0) == (got == 0) && (*on == 0 || *seconds == lasts);
            // What came instead depends on the kernel's HZ.
            let what = if *seconds == lasts { "otherwise" } else { "with other seconds" };
            let text = format!("{name} was set to {on} with {seconds} s and reads {what}.");
            (!same).then_some((Rank::Surprises, text))
        }
        (Value::Timeval { ms }, Out::Bytes(bytes)) if os == Os::Linux => {
            let [seconds, micros] = longs(&bytes.0)?;
            let got = seconds.checked_mul(1_000_000)?.checked_add(micros)?;
            let late = got.checked_sub(i64::from(*ms) * 1_000)?;
            let said = format!("{name} was set to {ms} ms and reads {got} µs");
            let same = (0..=SOFTWARE_CLOCK_US).contains(&late);
            (!same).then(|| (Rank::Surprises, format!("{said}, not what was set.")))
        }
        _ => None,
    }
}

/// A tick of the slowest kernel that there is: a HZ of 100 (time(7)).
const SOFTWARE_CLOCK_US: i64 = 10_000;

fn ints(bytes: &[u8]) -> Option<[i32; 2]> {
    let (a, b) = bytes.split_at_checked(4)?;
    Some([i32::from_le_bytes(a.try_into().ok()?), i32::from_le_bytes(b.try_into().ok()?)])
}

fn longs(bytes: &[u8]) -> Option<[i64; 2]> {
    let (a, b) = bytes.split_at_checked(8)?;
    Some([i64::from_le_bytes(a.try_into().ok()?), i64::from_le_bytes(b.try_into().ok()?)])
}

fn as_documented(kept: Kept) -> &'static str {
    match kept {
        Kept::Boolean => "though it is a boolean: on is on, off is off",
        Kept::Doubled => "neither doubled nor within the host's bounds",
        _ => "and no page says that it is kept as another number",
    }
}
