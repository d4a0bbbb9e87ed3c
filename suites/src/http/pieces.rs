//! A request in several sends. In Rust, since each of its pieces is sent by each call.

use harness::case::op::Value;
use harness::case::{Flags, Op};

use super::steps::{
    EMPTY_LINE, GET, OK, PORT, RANGES, answer, expect, http, id, open, readable, recv, send,
    send_with, text, words,
};
use crate::steps::{case, covering, setsockopt};
use crate::table::{Row, Table};

/// How a request is cut into sends.
const CUTS: [(&str, &[&str]); 4] = [
    ("whole", &[GET]),
    ("lines", &["GET / HTTP/1.1\r\n", "Host: test\r\n", "\r\n"]),
    ("within-a-line-end", &["GET / HTTP/1.1\r\nHost: test\r\n\r", "\n"]),
    ("a-byte-first", &["G", "ET / HTTP/1.1\r\nHost: test\r\n\r\n"]),
];

pub(super) fn table() -> Table {
    let question = "Is a request in several sends the same stream, and in which segments?";
    let mut table = Table::new("http/pieces", question);
    for range in RANGES {
        for (cut, parts) in CUTS {
            for call in ["send", "write", "sendmsg", "more"] {
                for nodelay in [false, true] {
                    let title = format!(
                        "A request in {} by {call}, over {}{}",
                        if parts.len() == 1 {
                            "one piece".into()
                        } else {
                            format!("{} pieces", parts.len())
                        },
                        words(range),
                        if nodelay { ", with TCP_NODELAY" } else { "" },
                    );
                    let mut ops = open("s", range, PORT);
                    if nodelay {
                        ops.push(setsockopt("s", "IPPROTO_TCP", "TCP_NODELAY", Value::Int(1)));
                    }
                    let last = parts.len() - 1;
                    ops.extend(
                        parts.iter().enumerate().map(|(n, part)| written(call, part, n == last)),
                    );
                    ops.extend([readable("s"), recv("s")]);
                    let lab = http([expect(EMPTY_LINE), answer(OK)]);
                    let case = covering(case(title, lab, ops), &["HTTP-01", "HTTP-07"]);
                    let delay = if nodelay { "nodelay" } else { "delay" };
                    table.push(&[id(range), cut, call, delay], Row::Case(case));
                }
            }
        }
    }
    table
}

fn written(call: &str, part: &str, last: bool) -> Op {
    let (fd, data) = ("s".to_owned(), text(part));
    match call {
        "write" => Op::Write { fd, data },
        "sendmsg" => Op::Sendmsg { fd, data, flags: Flags::NONE, addr: None, control: Vec::new() },
        "more" if !last => send_with("s", data, &["MSG_MORE"]),
        _ => send("s", data),
    }
}
