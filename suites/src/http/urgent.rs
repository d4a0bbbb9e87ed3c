//! Urgent data as a server of FTP gets it, on loopback: both ends are sockets of the case.

use harness::case::op::Value;
use harness::case::{Case, Flags, Lab, Op};

use super::steps::{poll, readable, send_with, text};
use crate::steps::{bind, case, connect, covering, ip, listen, setsockopt, socket};
use crate::table::{Row, Table};

const PORT: u16 = 21;

pub(super) fn tables() -> Vec<Table> {
    let question =
        "Where is the mark in a stream with urgent data, and what do reads around it get?";
    let mut table = Table::new("http/urgent-mark", question);
    let sends: [(&str, &[(&str, bool)]); 4] = [
        ("urgent-first", &[("!", true), ("after", false)]),
        ("between", &[("before", false), ("!", true), ("after", false)]),
        ("last", &[("before", false), ("!", true)]),
        ("twice", &[("one", false), ("!", true), ("two", false), ("?", true), ("three", false)]),
    ];
    let reads: [(&str, &[&str]); 6] = [
        ("mark-recv-mark-recv", &["mark", "recv", "mark", "recv"]),
        ("urgent-recv-recv", &["urgent", "recv", "recv"]),
        ("recv-urgent-recv", &["recv", "urgent", "recv"]),
        ("urgent-urgent", &["urgent", "urgent"]),
        ("recv-recv-urgent", &["recv", "recv", "urgent"]),
        ("urgent-mark-recv-mark", &["urgent", "mark", "recv", "mark"]),
    ];
    for domain in ["AF_INET", "AF_INET6"] {
        for (what, parts) in sends {
            for inline in [false, true] {
                for (order, acts) in reads {
                    let case = row(domain, parts, inline, acts, what, order);
                    let inline = if inline { "inline" } else { "apart" };
                    let family = if domain == "AF_INET" { "inet" } else { "inet6" };
                    table.push(&[family, what, inline, order], Row::Case(case));
                }
            }
        }
    }
    vec![table]
}

fn row(
    domain: &'static str,
    parts: &[(&str, bool)],
    inline: bool,
    acts: &[&str],
    what: &str,
    order: &str,
) -> Case {
    let (any, to) = if domain == "AF_INET" { ("0.0.0.0", "127.0.0.1") } else { ("::", "::1") };
    let mut ops = vec![
        socket("l", domain, "SOCK_STREAM"),
        bind("l", ip(any, PORT)),
        listen("l"),
        socket("c", domain, "SOCK_STREAM"),
        connect("c", ip(to, PORT)),
        Op::Accept { fd: "l".to_owned(), new: "s".to_owned() },
    ];
    if inline {
        ops.push(setsockopt("s", "SOL_SOCKET", "SO_OOBINLINE", Value::Int(1)));
    }
    ops.extend(parts.iter().map(|(part, urgent)| {
        send_with("c", text(part), if *urgent { &["MSG_OOB"] } else { &[] })
    }));
    ops.extend([readable("s"), poll("s", &["POLLPRI", "POLLIN"], 0)]);
    ops.extend(acts.iter().map(|act| match *act {
        "mark" => Op::Ioctl { fd: "s".into(), request: "SIOCATMARK".into(), link: None },
        "urgent" => received(&["MSG_OOB", "MSG_DONTWAIT"]),
        _ => received(&["MSG_DONTWAIT"]),
    }));
    let title = format!(
        "Urgent data ({what}), {}, read by {order}",
        if inline { "inline" } else { "apart" }
    );
    covering(case(title, Lab::loopback(), ops), &["STRM-12"])
}

fn received(flags: &[&'static str]) -> Op {
    Op::Recv { fd: "s".to_owned(), len: 64, flags: Flags::of(flags) }
}
