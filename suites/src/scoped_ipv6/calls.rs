//! A call to each address with each scope id.

use harness::case::addr::{Addr, Port};
use harness::case::{Case, Op, Payload};

use super::axes::{Net, PORT, Zone, left_out, rows};
use super::to::To;
use crate::steps::{
    case, connect, covering, getpeername, getsockname, ip, listen, nonblocking, poll_out, receiver,
    recvfrom, send, sendto, sendto_of, so_error, socket, socket_of,
};
use crate::table::{Row, Table};

/// A way to call.
struct Way {
    table: &'static str,
    question: &'static str,
    /// The local end, if somebody is to listen.
    receiver: fn() -> Vec<Op>,
    /// What is done with a socket of its own.
    steps: fn(Addr) -> Vec<Op>,
    /// What came to the local end.
    received: fn() -> Vec<Op>,
}

const WAYS: [Way; 4] = [
    Way {
        table: "scoped-ipv6/udp-sendto",
        question: "By which link does sendto send, or what does it say?",
        receiver: || receiver(PORT).to_vec(),
        steps: |to| vec![socket("s", "AF_INET6", "SOCK_DGRAM"), sendto("s", to), so_error("s")],
        received: || vec![recvfrom("r")],
    },
    Way {
        table: "scoped-ipv6/udp-connect",
        question: "Which names has a socket after connect, and by which link does send send?",
        receiver: || receiver(PORT).to_vec(),
        steps: |to| {
            vec![
                socket("s", "AF_INET6", "SOCK_DGRAM"),
                connect("s", to),
                getsockname("s"),
                getpeername("s"),
                send("s"),
                so_error("s"),
            ]
        },
        received: || vec![recvfrom("r")],
    },
    Way {
        table: "scoped-ipv6/tcp-connect",
        question: "By which link does a SYN leave, or what does connect say?",
        receiver: || {
            let l = socket("l", "AF_INET6", "SOCK_STREAM");
            vec![l, crate::steps::bind("l", ip("::", PORT)), listen("l")]
        },
        steps: |to| {
            vec![
                socket("s", "AF_INET6", "SOCK_STREAM"),
                nonblocking("s"),
                connect("s", to),
                poll_out("s"),
                getpeername("s"),
                so_error("s"),
            ]
        },
        received: Vec::new,
    },
    Way {
        table: "scoped-ipv6/icmp-raw",
        question: "By which link does a raw ICMPv6 socket send, or what does it say?",
        receiver: Vec::new,
        steps: |to| {
            let echo = Payload::Text("\u{80}\0\0\0\0\u{1}\0\u{1}".to_owned());
            let to = Addr { port: Port::Is(0), ..to };
            let s = socket_of("s", "AF_INET6", &["SOCK_RAW"], &["IPPROTO_ICMPV6"]);
            vec![s, sendto_of("s", echo, to), so_error("s")]
        },
        received: Vec::new,
    },
];

pub(super) fn tables() -> Vec<Table> {
    WAYS.iter().map(table).collect()
}

fn table(way: &Way) -> Table {
    let mut table = Table::new(way.table, way.question);
    for (net, zone, to) in rows() {
        let row = match left_out(net, to) {
            Some(why) => Row::LeftOut(why),
            None => Row::Case(row(way, net, zone, to)),
        };
        table.push(&[net.id(), zone.id(), to.id()], row);
    }
    table
}

fn row(way: &Way, net: Net, zone: Zone, to: To) -> Case {
    let title = format!("a call to {}, {}", to.id(), zone.words());
    let (mut ops, mut after) = (Vec::new(), Vec::new());
    if to.is_local() {
        ops.extend((way.receiver)());
        after.extend((way.received)());
    }
    ops.extend((way.steps)(to.addr(net, zone)));
    ops.extend(after);
    covering(case(title, zone.lab(net), ops), &to.catalogue(zone))
}
