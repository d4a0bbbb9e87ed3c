//! kqueue's events for sockets, as they come.

use harness::case::op::Value;
use harness::case::{Case, Lab, Op};

use super::{
    PORT, add, all_filters, connection, kevent, pair, port_of, settle, shutdown, text, write,
};
use crate::steps::{
    bind, case, close, connect, covering, ip, listen, nonblocking, recv, recvfrom, send_of,
    sendto_of, setsockopt, so_error, socket,
};
use crate::table::{Row, Table};

pub(super) fn tables() -> Vec<Table> {
    vec![streams(), unix(), datagrams(), low_water()]
}

/// What has become of a connection, and what each filter says of the end `s`.
fn streams() -> Table {
    let question = "What do kqueue's filters say of a TCP socket?";
    let mut table = Table::new("darwin/kqueue-tcp", question);
    for (family, domain) in [("inet", "AF_INET"), ("inet6", "AF_INET6")] {
        for (id, words, ops) in states(domain) {
            let title = format!("kqueue's filters for a TCP socket that {words}");
            table.push(&[family, id], Row::Case(asked(title, ops, true)));
        }
    }
    table
}

fn states(domain: &'static str) -> Vec<(&'static str, &'static str, Vec<Op>)> {
    let closed = if domain == "AF_INET" { "127.0.0.1" } else { "::1" };
    let linger = setsockopt("c", "SOL_SOCKET", "SO_LINGER", Value::Linger { on: 1, seconds: 0 });
    // Asked before too: where there is no kqueue, the case ends before FINs are acknowledged when it
    // suits a timer.
    let made = |more: Vec<Op>| [connection(domain), vec![all_filters("s")], more].concat();
    let fresh = || socket("s", domain, "SOCK_STREAM");
    let refused = vec![fresh(), nonblocking("s"), connect("s", ip(closed, 9))];
    let listener = vec![fresh(), bind("s", ip(closed, 0)), listen("s")];
    let waits = [socket("c", domain, "SOCK_STREAM"), connect("c", port_of("s", closed))];
    vec![
        ("fresh", "was made", vec![fresh()]),
        ("refused", "was refused", refused),
        ("listens", "listens", listener.clone()),
        ("awaited", "listens and has a connection", [listener, waits.to_vec()].concat()),
        ("connected", "is connected", made(vec![])),
        ("data", "has data", made(vec![write("c", "hello")])),
        ("shut-wr", "was shut for writing", made(vec![shutdown("s", "SHUT_WR")])),
        ("shut-rd", "was shut for reading", made(vec![shutdown("s", "SHUT_RD")])),
        ("shut-rdwr", "was shut", made(vec![shutdown("s", "SHUT_RDWR")])),
        ("peer-shut-wr", "has a peer that sends no more", made(vec![shutdown("c", "SHUT_WR")])),
        ("peer-shut-rd", "has a peer that reads no more", made(vec![shutdown("c", "SHUT_RD")])),
        ("closed", "the peer has closed", made(vec![close("c")])),
        (
            "closed-data",
            "the peer has closed behind data",
            made(vec![write("c", "hello"), close("c")]),
        ),
        ("reset", "the peer has reset", made(vec![linger.clone(), close("c")])),
        (
            "reset-data",
            "the peer has reset behind data",
            made(vec![write("c", "hello"), linger, close("c")]),
        ),
        (
            "both-shut",
            "both ends have shut for writing",
            made(vec![shutdown("s", "SHUT_WR"), shutdown("c", "SHUT_WR")]),
        ),
    ]
}

fn asked(title: String, mut ops: Vec<Op>, settles: bool) -> Case {
    ops.extend(settles.then(settle));
    ops.extend([all_filters("s"), so_error("s"), recv("s"), all_filters("s")]);
    covering(case(title, Lab::loopback(), ops), &["POLL-02", "POLL-03"])
}

fn unix() -> Table {
    let question = "What do kqueue's filters say of one of a pair of sockets?";
    let mut table = Table::new("darwin/kqueue-unix", question);
    for (kind, r#type) in [("stream", "SOCK_STREAM"), ("dgram", "SOCK_DGRAM")] {
        for (id, words, more) in [
            ("connected", "is connected", None),
            ("data", "has data", Some(write("c", "hello"))),
            ("empty", "was written nothing to", Some(send_of("c", text(""), &[]))),
            ("shut-wr", "was shut for writing", Some(shutdown("s", "SHUT_WR"))),
            ("shut-rd", "was shut for reading", Some(shutdown("s", "SHUT_RD"))),
            ("peer-shut-wr", "has a peer that sends no more", Some(shutdown("c", "SHUT_WR"))),
            ("peer-shut-rd", "has a peer that reads no more", Some(shutdown("c", "SHUT_RD"))),
            ("closed", "the peer has closed", Some(close("c"))),
        ] {
            let title = format!("kqueue's filters for a socket of a pair ({kind}) that {words}");
            let ops = [pair(r#type), all_filters("s")].into_iter().chain(more).collect();
            table.push(&[kind, id], Row::Case(asked(title, ops, false)));
        }
    }
    table
}

/// XNU's own test of the first, after radar 58140856: `tests/socket_0byte_udp_poll_58140856.c`.
fn datagrams() -> Table {
    let question = "Does a datagram wake whoever waits at a kqueue, an empty one too?";
    let mut table = Table::new("darwin/kqueue-udp", question);
    for (family, domain, own) in [("inet", "AF_INET", "127.0.0.1"), ("inet6", "AF_INET6", "::1")] {
        for (id, sent) in [
            ("none", &[][..]),
            ("empty", &[""]),
            ("one", &["a"]),
            ("empty-one", &["", "a"]),
            ("one-empty", &["a", ""]),
            ("three", &["a", "bc", "def"]),
        ] {
            let mut ops = vec![socket("s", domain, "SOCK_DGRAM"), bind("s", ip(own, PORT))];
            ops.push(socket("c", domain, "SOCK_DGRAM"));
            ops.extend(sent.iter().map(|data| sendto_of("c", text(data), ip(own, PORT))));
            ops.push(settle());
            ops.push(kevent(vec![add("s", "EVFILT_READ", &[], 0)], 20));
            ops.extend([recvfrom("s"), all_filters("s")]);
            let title = format!("kqueue's filters for a UDP socket, datagrams: {id}");
            let case = case(title, Lab::loopback(), ops);
            let case = covering(case, &["DGRAM-02", "POLL-02", "POLL-07"]);
            table.push(&[family, id], Row::Case(case));
        }
        let refused = vec![
            socket("s", domain, "SOCK_DGRAM"),
            connect("s", ip(own, 9)),
            send_of("s", text("a"), &[]),
        ];
        let title = "kqueue's filters for a UDP socket whose datagram was refused".to_owned();
        table.push(&[family, "refused"], Row::Case(asked(title, refused, true)));
    }
    table
}

/// The low-water mark is bounded by the socket's own and by the size of its buffer (`filt_soread_common`
/// and `filt_sowrite_common` of xnu-11417.101.15 `bsd/kern/uipc_socket.c`).
fn low_water() -> Table {
    let question = "What does NOTE_LOWAT wait for?";
    let mut table = Table::new("darwin/kqueue-lowat", question);
    let marks = [("-1", -1), ("0", 0), ("1", 1), ("10", 10), ("11", 11), ("most", i32::MAX)];
    for (kind, begin) in [
        ("tcp", connection("AF_INET")),
        ("unix", vec![pair("SOCK_STREAM")]),
        ("unix-dgram", vec![pair("SOCK_DGRAM")]),
    ] {
        for filter in ["EVFILT_READ", "EVFILT_WRITE"] {
            for (name, mark) in marks {
                let mut ops = begin.clone();
                ops.extend([write("c", "0123456789"), settle()]);
                ops.push(kevent(vec![add("s", filter, &["NOTE_LOWAT"], mark)], 20));
                let word = if filter == "EVFILT_READ" { "read" } else { "write" };
                let title = format!("NOTE_LOWAT {name}, {filter}, ten bytes waiting, {kind}");
                let case = covering(case(title, Lab::loopback(), ops), &["POLL-07"]);
                table.push(&[kind, word, name], Row::Case(case));
            }
        }
    }
    table
}
