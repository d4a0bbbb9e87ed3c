//! A connection that was kept for the next request, and what has become of it meanwhile: three steps in
//! every order. In Rust, since the orders are not all that there are.

use harness::case::addr::Range;
use harness::case::{Case, Op, ServerStep};

use super::steps::{
    EMPTY_LINE, OK, PORT, RANGES, answer, expect, get, http, id, open, poll, readable, recv,
    resume, words,
};
use crate::steps::{case, covering, so_error};
use crate::table::{Row, Table};

/// What the server does while nobody asks it anything.
const ENDS: [(&str, ServerStep, &str); 4] = [
    ("closed", ServerStep::Close, "closes"),
    ("half-closed", ServerStep::Shutdown, "shuts its direction"),
    ("reset", ServerStep::Reset, "resets"),
    ("vanished", ServerStep::Vanish, "vanishes"),
];

/// What a client may do next. Nobody is waited for: what can be known is known by then.
const ACTS: [&str; 4] = ["poll", "send", "recv", "error"];

fn act(name: &str) -> Op {
    match name {
        "poll" => poll("s", &["POLLIN", "POLLOUT"], 0),
        "send" => get("s"),
        "recv" => recv("s"),
        _ => so_error("s"),
    }
}

/// An exchange, and then the idle connection ends; three steps follow.
pub(super) fn table() -> Table {
    let question =
        "On a kept connection that has ended meanwhile, what tells the client, and when?";
    let mut table = Table::new("http/stale-keep-alive", question);
    for range in RANGES {
        for (name, end, does) in &ENDS {
            for order in orders(range) {
                let steps = order.map(act);
                let title = format!(
                    "Over {} the server {does} while idle; then {}",
                    words(range),
                    order.join(", ")
                );
                let case = kept(title, range, end, steps.into());
                table.push(&[id(range), name, &order.join("-")], Row::Case(case));
            }
        }
    }
    table
}

/// All orders of three for IPv4, but for a step that only says again what it has just said; of
/// IPv6 one for each first step, since TCP does not know which it is over.
fn orders(range: Range) -> Vec<[&'static str; 3]> {
    let mut all = Vec::new();
    for a in ACTS {
        for b in ACTS {
            for c in ACTS {
                let again = |x: &str, y: &str| x == y && ["poll", "error"].contains(&x);
                let few = range == Range::V4 || (b, c) == ("send", "recv");
                if !again(a, b) && !again(b, c) && few {
                    all.push([a, b, c]);
                }
            }
        }
    }
    all
}

fn kept(title: String, range: Range, end: &ServerStep, then: Vec<Op>) -> Case {
    let script = [expect(EMPTY_LINE), answer(OK), ServerStep::Pause, end.clone()];
    let mut ops = open("s", range, PORT);
    ops.extend([get("s"), readable("s"), recv("s"), resume(PORT)]);
    ops.extend(then);
    covering(case(title, http(script), ops), &["HTTP-02", "STRM-07"])
}
