//! Bytes behind a response that nobody asked for, on a connection that is to be used again.
//! In Rust, since the scripts are put together of parts.

use harness::case::addr::Range;
use harness::case::{Case, Flags, Op, ServerStep};

use super::steps::{
    EMPTY_LINE, OK, PORT, RANGES, answer, expect, get, http, id, open, poll, readable, recv,
    resume, words,
};
use crate::steps::{case, covering};
use crate::table::{Row, Table};

/// What comes behind the two bytes that the response announced.
const SURPLUS: [(&str, &str); 4] = [
    ("nothing", ""),
    ("line-end", "\r\n"),
    ("bytes", "stray"),
    ("response", "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"),
];

pub(super) fn table() -> Table {
    let question = "Do a kept connection's stray bytes show before it is used again, and whose \
                    response is read then?";
    let mut table = Table::new("http/trailing", question);
    for range in RANGES {
        for (what, surplus) in SURPLUS {
            for when in ["at-once", "while-idle"] {
                for ends in [false, true] {
                    for reads in [false, true] {
                        let row = if what == "nothing" && !ends && when == "while-idle" {
                            Row::LeftOut("nothing happens while idle")
                        } else {
                            Row::Case(row(range, surplus, when, ends, reads))
                        };
                        let end = if ends { "closes" } else { "stays" };
                        let how = if reads { "drained" } else { "unread" };
                        table.push(&[id(range), what, when, end, how], row);
                    }
                }
            }
        }
    }
    table
}

fn row(range: Range, surplus: &str, when: &str, ends: bool, reads: bool) -> Case {
    let mut script = vec![expect(EMPTY_LINE), answer(OK)];
    if when == "while-idle" {
        script.push(ServerStep::Pause);
    }
    if !surplus.is_empty() {
        script.push(answer(surplus));
    }
    script.push(if ends { ServerStep::Close } else { expect(EMPTY_LINE) });
    if !ends {
        script.push(answer(OK));
    }
    let mut ops = open("s", range, PORT);
    // A client that reads as much as the response says, and no more.
    ops.extend([get("s"), readable("s"), some(OK.len(), &[])]);
    if when == "while-idle" {
        ops.push(resume(PORT));
    }
    ops.extend([
        poll("s", &["POLLIN", "POLLOUT", "POLLRDHUP"], 0),
        Op::Ioctl { fd: "s".into(), request: "FIONREAD".into(), link: None },
        some(1, &["MSG_PEEK", "MSG_DONTWAIT"]),
    ]);
    if reads {
        ops.extend([recv("s"), recv("s")]);
    }
    ops.extend([get("s"), readable("s"), some(OK.len(), &[]), recv("s")]);
    let title = format!("{:?} behind a response over {}, {when}", surplus, words(range));
    covering(case(title, http(script), ops), &["HTTP-09"])
}

fn some(len: usize, flags: &[&'static str]) -> Op {
    let len = u32::try_from(len).unwrap_or(u32::MAX);
    Op::Recv { fd: "s".to_owned(), len, flags: Flags::of(flags) }
}
