//! What arrives: from which zone does a socket say that it came, and from which does it hear? The frames that the
//! far end sends are computed, with their checksums.

use std::net::{IpAddr, SocketAddr};

use harness::case::addr::{Addr, Range, Role, Scope, address};
use harness::case::op::Value;
use harness::case::{Case, Lab, Link, LinkKind, Op};

use crate::steps::{
    arrives, bind, bind_to, case, connect, covering, getpeername, getsockname, ip, recvfrom,
    recvmsg, setsockopt, socket,
};
use crate::table::{Row, Table};

const PORT: u16 = 12345;

/// Two links that carry the same `fe80::/64`: the one that is not meant, and the one that is.
const OTHER: &str = "link0";
const MEANT: &str = "link1";

/// Somebody who has the same link-local address on each link: RFC 4007 §4 allows it.
const SAME: &str = "fe80::77";

const RECEIVERS: [&str; 6] =
    ["any", "own", "own-other", "interface", "connected", "connected-other"];

pub(super) fn tables() -> Vec<Table> {
    let recvfrom = table(
        ("scoped-ipv6/recvfrom", &[("second", LinkKind::Tap), ("tun", LinkKind::Tun)]),
        "Who hears a datagram that came over one of several links, and which source is told?",
        |_| recvfrom("r"),
    );
    let recvmsg = table(
        ("scoped-ipv6/recvmsg", &[("second", LinkKind::Tap)]),
        "Which source, link and destination does recvmsg tell?",
        |ops| {
            ops.push(setsockopt("r", "IPPROTO_IPV6", "IPV6_RECVPKTINFO", Value::Int(1)));
            recvmsg("r")
        },
    );
    vec![recvfrom, recvmsg]
}

fn table(
    (name, nets): (&'static str, &[(&str, LinkKind)]),
    question: &'static str,
    receive: fn(&mut Vec<Op>) -> Op,
) -> Table {
    let mut table = Table::new(name, question);
    for (net, kind) in nets {
        for receiver in RECEIVERS {
            for (came, link) in [("its-link", MEANT), ("other-link", OTHER)] {
                for (from, source) in [("ll", SAME), ("global", "2001:db8:77::77")] {
                    for to in ["own", "own-other", "own6", "ff02::1"] {
                        let case = row(*kind, receiver, link, source, to, receive);
                        let parameters = [net, receiver, came, from, to];
                        table.push(&parameters, Row::Case(case));
                    }
                }
            }
        }
    }
    table
}

fn row(
    kind: LinkKind,
    receiver: &str,
    link: &str,
    source: &str,
    to: &str,
    receive: fn(&mut Vec<Op>) -> Op,
) -> Case {
    let links = [OTHER, MEANT].map(|name| Link::new(kind, name)).to_vec();
    let lab = Lab { links, setup: Vec::new() };
    let own = |link: &str, range| address(lab.number(link).unwrap_or(0), Role::Own, range);
    let dst: IpAddr = match to {
        "own" => own(MEANT, Range::Ll),
        "own-other" => own(OTHER, Range::Ll),
        "own6" => own(MEANT, Range::V6),
        group => ip_of(group),
    };
    let mut ops = vec![socket("r", "AF_INET6", "SOCK_DGRAM")];
    let on = |link: &str, range| Addr::on(link, Role::Own, range, PORT);
    let peer = |link: &str| ip(SAME, 9_000).scoped(Scope::Link(link.to_owned()));
    let any = || bind("r", ip("::", PORT));
    match receiver {
        "own" => ops.push(bind("r", on(MEANT, Range::Ll))),
        "own-other" => ops.push(bind("r", on(OTHER, Range::Ll))),
        "interface" => ops.extend([bind_to("r", MEANT), any()]),
        "connected" => ops.extend([any(), connect("r", peer(MEANT))]),
        "connected-other" => ops.extend([any(), connect("r", peer(OTHER))]),
        _ => ops.push(any()),
    }
    let got = receive(&mut ops);
    ops.push(arrives(&lab, link, source, SocketAddr::new(dst, PORT), "from afar"));
    ops.extend([got, getsockname("r"), getpeername("r")]);
    let title = format!("a datagram to {to} came over {link}, the receiver being {receiver}");
    covering(case(title, lab, ops), &["SCOPE-06"])
}

fn ip_of(text: &str) -> IpAddr {
    text.parse().expect("an address of a table")
}
