//! A connection whose peer has vanished, and the timers of TCP that find out.

use harness::case::op::{Intent, Value};
use harness::case::{LabOp, Op, ServerStep};

use super::steps::{PORT, RANGES, http, id, open, poll, recv, send, text, words};
use crate::steps::{case, covering, lab, setsockopt, so_error, timer};
use crate::table::{Row, Table};

/// An option of TCP that is a number of seconds, milliseconds or probes.
fn tcp(name: &'static str, value: i32) -> Op {
    setsockopt("s", "IPPROTO_TCP", name, Value::Int(value))
}

/// Probes after a second, each second, two of them (tcp(7)).
fn keepalive() -> Vec<Op> {
    vec![
        setsockopt("s", "SOL_SOCKET", "SO_KEEPALIVE", Value::Int(1)),
        timer("s", Intent::KeepIdle, 1),
        tcp("TCP_KEEPINTVL", 1),
        tcp("TCP_KEEPCNT", 2),
    ]
}

pub(super) fn table() -> Table {
    let question = "How does a client learn that its server has vanished, and when?";
    let mut table = Table::new("http/timers", question);
    for range in RANGES {
        let unacknowledged = vec![timer("s", Intent::UserTimeout, 1_000), send("s", text("x"))];
        for (name, what, before, wait_ms) in [
            (
                "user-timeout",
                "data is not acknowledged within TCP_USER_TIMEOUT",
                unacknowledged,
                3_000,
            ),
            ("keepalive", "probes are not answered", keepalive(), 4_500),
        ] {
            let mut ops = open("s", range, PORT);
            ops.extend(before);
            let why = "the timers of TCP".to_owned();
            ops.push(lab(LabOp::Wait { ms: wait_ms, until: None, why }));
            ops.extend([poll("s", &["POLLIN"], 0), recv("s"), so_error("s")]);
            let title = format!("Over {}, a server vanishes and {what}", words(range));
            let case = covering(case(title, http([ServerStep::Vanish]), ops), &["HTTP-02"]);
            table.push(&[id(range), name], Row::Case(case));
        }
    }
    table
}
