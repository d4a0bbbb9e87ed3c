//! A connection that was kept for the next request, and what has become of it meanwhile.

use harness::case::addr::Range;
use harness::case::op::Value;
use harness::case::{Case, Flags, Op, ServerStep};

use super::steps::{
    EMPTY_LINE, OK, PORT, RANGES, answer, expect, get, http, id, open, poll, readable, recv,
    resume, shutdown, words,
};
use crate::steps::{case, close, covering, setsockopt, so_error};
use crate::table::{Row, Table};

pub(super) fn tables() -> Vec<Table> {
    vec![stale(), in_other_ways(), reset_behind_response()]
}

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
fn stale() -> Table {
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

/// What else a client may try on a connection that has ended.
fn in_other_ways() -> Table {
    let question = "On a kept connection that has ended, what do the other calls say?";
    let mut table = Table::new("http/stale-calls", question);
    let peek =
        Op::Recv { fd: "s".to_owned(), len: 1, flags: Flags::of(&["MSG_PEEK", "MSG_DONTWAIT"]) };
    let name = |op: &Op| vec![op.clone(), get("s"), recv("s")];
    let tries: [(&str, Vec<Op>); 8] = [
        ("peek", name(&peek)),
        ("getpeername", name(&Op::Getpeername { fd: "s".to_owned() })),
        ("nodelay", name(&setsockopt("s", "IPPROTO_TCP", "TCP_NODELAY", Value::Int(1)))),
        ("rdhup", name(&poll("s", &["POLLIN", "POLLRDHUP"], 0))),
        ("fionread", name(&Op::Ioctl { fd: "s".into(), request: "FIONREAD".into(), link: None })),
        ("shut-wr", name(&shutdown("s", "SHUT_WR"))),
        ("shut-rdwr", name(&shutdown("s", "SHUT_RDWR"))),
        ("close", vec![close("s")]),
    ];
    for range in RANGES {
        for (end_name, end, does) in &ENDS {
            for (what, ops) in &tries {
                let title =
                    format!("Over {} the server {does} while idle; then {what}", words(range));
                let case = kept(title, range, end, ops.clone());
                let case = covering(case, &["STRM-01", "STRM-02"]);
                table.push(&[id(range), end_name, what], Row::Case(case));
            }
        }
    }
    table
}

/// The response is there, and behind it the connection has ended already.
fn reset_behind_response() -> Table {
    let question = "Is a response read whole when the connection's end came right behind it?";
    let mut table = Table::new("http/response-then-end", question);
    let orders: [(&str, &[&str]); 6] = [
        ("recv-recv", &["recv", "recv"]),
        ("poll-recv-recv", &["poll", "recv", "recv"]),
        ("error-recv-recv", &["error", "recv", "recv"]),
        ("send-recv-recv", &["send", "recv", "recv"]),
        ("send-send-recv-recv", &["send", "send", "recv", "recv"]),
        ("recv-send-recv-error", &["recv", "send", "recv", "error"]),
    ];
    for range in RANGES {
        for (name, end, does) in &ENDS {
            for (order, acts) in orders {
                let script = [expect(EMPTY_LINE), answer(OK), end.clone()];
                let mut ops = open("s", range, PORT);
                ops.push(get("s"));
                ops.extend(acts.iter().map(|name| act(name)));
                let title =
                    format!("Over {} the server answers and {does}; then {order}", words(range));
                let case = case(title, http(script), ops);
                let case = covering(case, &["HTTP-06", "HTTP-02", "STRM-06"]);
                table.push(&[id(range), name, order], Row::Case(case));
            }
        }
    }
    table
}
