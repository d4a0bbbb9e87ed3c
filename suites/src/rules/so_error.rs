//! An error is told once: what `SO_ERROR` tells it also clears.
//!
//! # Where the line runs
//!
//! A `getsockopt` of `SO_ERROR` that tells an error, and the next one on the same socket that tells one
//! again, with nothing in between that could have made another.
//!
//! # What is not judged
//!
//! Two reads between which a frame was seen, the lab took a step, or any call was made but those that ask for
//! a name or an option: each of them may have brought the second error. Nor traces in which calls
//! overlap.
//!
//! # Where it fires
//!
//! On nothing that was run; a fault plants it (`tests/plants.rs`).

use harness::case::op::Op;
use harness::case::{Case, Os};
use harness::trace::{Event, Out, Trace};
use harness::verdict::Rank;

use super::sockets::{Id, Sockets, asked};
use super::view::{Call, View};
use super::{Cite, Finding, Needs, Rule};

/// The rule *an error is told once*.
pub(super) const RULE: Rule = Rule {
    name: "so-error-is-cleared",
    rank: Rank::Violates,
    needs: Needs::Order,
    says: "getsockopt of SO_ERROR clears the error that it tells: a second one with nothing between \
           tells none.",
    cites: &[
        Cite {
            source: "POSIX.1-2004 getsockopt, DESCRIPTION, SO_ERROR",
            quote: "Reports information about error status and clears it. This option shall store an \
                    int value.",
        },
        Cite {
            source: "Linux socket(7), SO_ERROR",
            quote: "Get and clear the pending socket error.",
        },
    ],
    check,
};

fn check(case: &Case, trace: &Trace, _: Os) -> Vec<Finding> {
    let view = View::new(case, trace);
    let sockets = Sockets::of(&view);
    let mut findings = Vec::new();
    let mut last: Option<(Id, &Call<'_>)> = None;
    for (index, call) in view.calls.iter().enumerate() {
        let told = told(call).and_then(|errno| Some((sockets.on(index, call)?, errno)));
        match told {
            Some((id, errno)) => {
                if let Some((before, first)) = last
                    && before == id
                    && is_quiet(&view, first, call)
                {
                    let text = format!(
                        "SO_ERROR told {errno}, and the one before it had told {} already: nothing \
                         happened in between.",
                        self::told(first).unwrap_or_default()
                    );
                    findings.push(RULE.finds(call.op, text));
                }
                last = Some((id, call));
            }
            None if asked(call.what).is_some() || is_name(call.what) => {
                let clears = asked(call.what).is_some_and(|(_, name)| name == "SO_ERROR");
                if clears {
                    last = None;
                }
            }
            None => last = None,
        }
    }
    findings
}

/// The error that the call told by `SO_ERROR`.
fn told<'a>(call: &Call<'a>) -> Option<&'a str> {
    match call.out {
        Out::Errno(errno) if call.ok() && asked(call.what)?.1 == "SO_ERROR" => Some(errno.as_str()),
        _ => None,
    }
}

fn is_name(op: &Op) -> bool {
    matches!(op, Op::Getsockname { .. } | Op::Getpeername { .. })
}

/// Whether calls alone stand between the two.
fn is_quiet(view: &View<'_>, first: &Call<'_>, second: &Call<'_>) -> bool {
    let between = &view.trace.events[first.place + 1..second.place];
    between.iter().all(|event| matches!(event, Event::Call { .. }))
}
