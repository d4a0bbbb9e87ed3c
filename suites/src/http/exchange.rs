//! Requests and responses that nothing disturbs: what leaves is what was written.

use harness::case::addr::Range;
use harness::case::op::Value;
use harness::case::{Case, Op, Payload, ServerStep, Service};

use super::steps::{
    EMPTY_LINE, GET, LINK, OK, PORT, RANGES, answer, expect, get, http, id, open, readable, recv,
    resume, send, send_with, serving, shutdown, text, words,
};
use crate::steps::{case, close, covering, setsockopt};
use crate::table::{Row, Table};

pub(super) fn tables() -> Vec<Table> {
    vec![control(), pieces(), half_close(), slow_reader()]
}

const SET_COOKIE: &str = "HTTP/1.1 200 OK\r\nSet-Cookie: s=1\r\nContent-Length: 0\r\n\r\n";
const DELETE_COOKIE: &str =
    "HTTP/1.1 200 OK\r\nSet-Cookie: s=; Max-Age=0\r\nContent-Length: 0\r\n\r\n";

/// The cookie-less control experiment.
fn control() -> Table {
    let question =
        "After a response with Set-Cookie, is the second request exactly what was written?";
    let mut table = Table::new("http/control", question);
    let responses = [("plain", OK), ("set-cookie", SET_COOKIE), ("delete-cookie", DELETE_COOKIE)];
    let second = [
        ("same", "on the same connection"),
        ("new", "on a second connection"),
        ("after-close", "on a new connection after the first was closed"),
    ];
    for range in RANGES {
        for (name, response) in responses {
            for (which, where_to) in second {
                let script = [expect(EMPTY_LINE), answer(response), expect(EMPTY_LINE), answer(OK)];
                let mut ops = open("s", range, PORT);
                ops.extend([get("s"), readable("s"), recv("s")]);
                let fd = if which == "same" { "s" } else { "t" };
                if which == "after-close" {
                    ops.push(close("s"));
                }
                if which != "same" {
                    ops.extend(open("t", range, PORT));
                }
                ops.extend([get(fd), readable(fd), recv(fd)]);
                let title =
                    format!("Over {}, a response ({name}) and a request {where_to}", words(range));
                let case = covering(case(title, http(script), ops), &["HTTP-01"]);
                table.push(&[id(range), name, which], Row::Case(case));
            }
        }
    }
    table
}

/// How a request is cut into sends.
const CUTS: [(&str, &[&str]); 4] = [
    ("whole", &[GET]),
    ("lines", &["GET / HTTP/1.1\r\n", "Host: test\r\n", "\r\n"]),
    ("within-a-line-end", &["GET / HTTP/1.1\r\nHost: test\r\n\r", "\n"]),
    ("a-byte-first", &["G", "ET / HTTP/1.1\r\nHost: test\r\n\r\n"]),
];

fn pieces() -> Table {
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
        "sendmsg" => Op::Sendmsg {
            fd,
            data,
            flags: harness::case::Flags::NONE,
            addr: None,
            control: Vec::new(),
        },
        "more" if !last => send_with("s", data, &["MSG_MORE"]),
        _ => send("s", data),
    }
}

fn half_close() -> Table {
    let question = "After its request a client shuts a direction: does it still get the response?";
    let mut table = Table::new("http/half-close", question);
    for range in RANGES {
        for how in ["SHUT_WR", "SHUT_RD", "SHUT_RDWR"] {
            for (when, early) in [("response-after", false), ("response-before", true)] {
                for (then, again) in [("recv", false), ("send-recv", true)] {
                    let case = half_closed(range, how, early, again);
                    table.push(&[id(range), how, when, then], Row::Case(case));
                }
            }
        }
    }
    table
}

fn half_closed(range: Range, how: &'static str, early: bool, again: bool) -> Case {
    let pause = if early { vec![] } else { vec![ServerStep::Pause] };
    let mut script = vec![expect(EMPTY_LINE)];
    script.extend(pause);
    script.extend([answer(OK), ServerStep::Close]);
    let mut ops = open("s", range, PORT);
    ops.extend([get("s"), shutdown("s", how)]);
    if again {
        ops.push(get("s"));
    }
    if !early {
        ops.push(resume(PORT));
    }
    ops.extend([readable("s"), recv("s"), recv("s"), shutdown("s", how)]);
    let title = format!(
        "{how} {} over {}{}",
        if early { "when the response is there" } else { "before the response comes" },
        words(range),
        if again { ", and another request" } else { "" }
    );
    covering(case(title, http(script), ops), &["HTTP-05", "STRM-02", "STRM-08"])
}

/// The server does not read for a while.
fn slow_reader() -> Table {
    let question = "How much of an upload leaves while the server reads nothing, and then?";
    let mut table = Table::new("http/slow-reader", question);
    for range in RANGES {
        for window in [1460u16, 4096] {
            for size in [window.into(), u32::from(window) + 1, 10_000] {
                let head = format!("PUT / HTTP/1.1\r\nContent-Length: {size}\r\n\r\n");
                let script = [
                    expect(EMPTY_LINE),
                    ServerStep::Pause,
                    ServerStep::Take { bytes: size },
                    answer(OK),
                ];
                let service = Service { window, ..Service::new(PORT, script) };
                let mut ops = open("s", range, PORT);
                ops.extend([send("s", text(&head)), send("s", Payload::Pattern(size))]);
                ops.extend([super::steps::poll("s", &["POLLOUT"], 0), resume(PORT)]);
                ops.extend([readable("s"), recv("s")]);
                let title = format!(
                    "{size} bytes over {} to a server on {LINK} with a window of {window}",
                    words(range)
                );
                let case = covering(case(title, serving([service]), ops), &["HTTP-04"]);
                table.push(&[id(range), &window.to_string(), &size.to_string()], Row::Case(case));
            }
        }
    }
    table
}
