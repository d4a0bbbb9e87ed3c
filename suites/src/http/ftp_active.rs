//! FTP's active mode (RFC 959 §4.1.2 PORT, RFC 2428 §2 EPRT): the client listens, the server comes.

use harness::case::addr::{Addr, Range, Role};
use harness::case::op::Value;
use harness::case::{Case, Op, ServerStep, Service};

use super::steps::{
    LINK, RANGES, answer, expect, id, open, readable, recv, send, serving, text, words,
};
use crate::steps::{
    bind, case, close, covering, getsockname, ip, listen, nonblocking, setsockopt, so_error, socket,
};
use crate::table::{Row, Table};

const CONTROL: u16 = 21;
/// From where an active server's data comes (RFC 959 §3.2).
const THEIRS: u16 = 20;
/// Where the client says that it listens: 7 times 256 and 229.
const OURS: u16 = 2021;
const FILE: &str = "the contents of the file";

/// On what the client listens when the server comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listener {
    Any,
    Own,
    /// An `AF_INET6` socket on `::`, for a server of IPv4.
    Dual,
    /// The same with `IPV6_V6ONLY`.
    V6Only,
    Loopback,
    /// Closed before the server is told to come.
    Closed,
    /// Closed when the server has come, and its data is there.
    ClosedLate,
    Nobody,
}

const LISTENERS: [(&str, Listener); 8] = [
    ("any", Listener::Any),
    ("own", Listener::Own),
    ("dual", Listener::Dual),
    ("v6only", Listener::V6Only),
    ("loopback", Listener::Loopback),
    ("closed", Listener::Closed),
    ("closed-late", Listener::ClosedLate),
    ("nobody", Listener::Nobody),
];

impl Listener {
    fn hears(self) -> bool {
        matches!(self, Self::Any | Self::Own | Self::Dual)
    }

    fn made(self, range: Range) -> Vec<Op> {
        let v6 = range == Range::V6 || matches!(self, Self::Dual | Self::V6Only);
        let at = match self {
            Self::Own => Addr::on(LINK, Role::Own, range, OURS),
            Self::Loopback => ip(if v6 { "::1" } else { "127.0.0.1" }, OURS),
            _ => ip(if v6 { "::" } else { "0.0.0.0" }, OURS),
        };
        let mut ops = vec![socket("l", if v6 { "AF_INET6" } else { "AF_INET" }, "SOCK_STREAM")];
        if self == Self::V6Only {
            ops.push(setsockopt("l", "IPPROTO_IPV6", "IPV6_V6ONLY", Value::Int(1)));
        }
        ops.extend([nonblocking("l"), bind("l", at), listen("l")]);
        ops
    }
}

pub(super) fn table() -> Table {
    let question = "Does the data connection that an FTP server opens reach the client?";
    let mut table = Table::new("http/ftp-active", question);
    for range in RANGES {
        for command in ["PORT", "EPRT"] {
            for (name, listener) in LISTENERS {
                for what in ["download", "upload", "reset"] {
                    let row = if range == Range::V6 && command == "PORT" {
                        Row::LeftOut("PORT has room for an IPv4 address only (RFC 959 §4.1.2)")
                    } else if range == Range::V6
                        && matches!(listener, Listener::Dual | Listener::V6Only)
                    {
                        Row::LeftOut("a server of IPv6 needs no socket for both families")
                    } else if !listener.hears() && what != "download" {
                        Row::LeftOut("no data is sent where nobody listens")
                    } else {
                        Row::Case(transfer(range, command, listener, what))
                    };
                    table.push(&[id(range), command, name, what], row);
                }
            }
        }
    }
    table
}

fn said(range: Range, command: &str) -> &'static str {
    match (range, command) {
        (_, "PORT") => "PORT 192,0,2,1,7,229\r\n",
        (Range::V4, _) => "EPRT |1|192.0.2.1|2021|\r\n",
        _ => "EPRT |2|2001:db8::1|2021|\r\n",
    }
}

fn transfer(range: Range, command: &str, listener: Listener, what: &str) -> Case {
    let there = match what {
        "upload" => vec![expect(FILE), ServerStep::End, ServerStep::Close],
        "reset" => vec![answer(FILE), ServerStep::Reset],
        _ => vec![answer(FILE), ServerStep::Close],
    };
    let script = [
        answer("220 ready\r\n"),
        expect("\r\n"),
        answer("200 it will\r\n"),
        expect("\r\n"),
        answer("150 coming\r\n"),
        ServerStep::Dial { from: THEIRS, to: OURS, script: there },
    ];
    let mut ops = open("c", range, CONTROL);
    ops.extend([readable("c"), recv("c")]);
    if listener != Listener::Nobody {
        ops.extend(listener.made(range));
    }
    ops.extend([send("c", text(said(range, command))), readable("c"), recv("c")]);
    if listener == Listener::Closed {
        ops.push(close("l"));
    }
    let request = if what == "upload" { "STOR file\r\n" } else { "RETR file\r\n" };
    ops.extend([send("c", text(request)), readable("c"), recv("c")]);
    if listener == Listener::ClosedLate {
        ops.extend([readable("l"), close("l")]);
    } else if listener.hears() {
        ops.extend([
            readable("l"),
            Op::Accept { fd: "l".to_owned(), new: "d".to_owned() },
            nonblocking("d"),
            getsockname("d"),
        ]);
        if what == "upload" {
            ops.extend([send("d", text(FILE)), close("d")]);
        } else {
            ops.extend([readable("d"), recv("d"), recv("d"), so_error("d"), close("d")]);
        }
    }
    let title = format!("{command} over {}: {what}, {listener:?} listening", words(range));
    covering(case(title, serving([Service::new(CONTROL, script)]), ops), &["HTTP-11"])
}
