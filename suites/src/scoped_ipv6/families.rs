//! IPv4 by way of IPv6: mapped addresses, `IPV6_V6ONLY`, and addresses of the other family.

use harness::case::addr::{Addr, Range, Role};
use harness::case::op::Value;
use harness::case::{LinkKind, Op};

use super::axes::{Net, PORT};
use super::to::mapped;
use crate::steps::{
    bind, case, connect, covering, getpeername, getsockname, ip, nonblocking, receiver, recvfrom,
    send, sendto, setsockopt, so_error, socket,
};
use crate::table::{Row, Table};

const NET: Net = Net::Second;

pub(super) fn tables() -> Vec<Table> {
    debug_assert_eq!(NET.kind(), LinkKind::Tap);
    vec![v6only(), both_ends(), other_family()]
}

fn on(role: Role, range: Range) -> Addr {
    NET.on(role, range)
}

/// What is done with an address.
fn call(how: &str, addr: Addr) -> Vec<Op> {
    match how {
        "bind" => vec![bind("s", addr), getsockname("s")],
        "connect" => vec![connect("s", addr), getsockname("s"), getpeername("s"), send("s")],
        "tcp-connect" => vec![nonblocking("s"), connect("s", addr), getpeername("s")],
        _ => vec![sendto("s", addr), getsockname("s")],
    }
}

fn type_of(how: &str) -> &'static str {
    if how.starts_with("tcp") { "SOCK_STREAM" } else { "SOCK_DGRAM" }
}

fn v6only() -> Table {
    let question = "What does IPV6_V6ONLY leave of IPv4-mapped addresses?";
    let mut table = Table::new("scoped-ipv6/v6only", question);
    for (id, value) in [("unset", None), ("0", Some(0)), ("1", Some(1)), ("late", Some(1))] {
        for (to, addr) in [
            ("mapped-own", mapped(&NET.lab(), &on(Role::Own, Range::V4))),
            ("mapped-neighbour", mapped(&NET.lab(), &on(Role::Neighbour, Range::V4))),
            ("mapped-loopback", ip("::ffff:127.0.0.1", PORT)),
            ("mapped-any", ip("::ffff:0.0.0.0", PORT)),
            ("mapped-multicast", ip("::ffff:224.0.0.251", PORT)),
            ("mapped-broadcast", ip("::ffff:255.255.255.255", PORT)),
            ("sockaddr_in", on(Role::Neighbour, Range::V4)),
            ("own6", on(Role::Own, Range::V6)),
        ] {
            for how in ["sendto", "connect", "bind", "tcp-connect"] {
                let set = value
                    .map(|value| setsockopt("s", "IPPROTO_IPV6", "IPV6_V6ONLY", Value::Int(value)));
                let mut ops = vec![socket("s", "AF_INET6", type_of(how))];
                if id == "late" {
                    // A socket that has a port, and an address of either family, already.
                    ops.push(bind("s", ip("::", 0)));
                }
                ops.extend(set);
                ops.extend(call(how, addr.clone()));
                ops.push(so_error("s"));
                let title = format!("{how} to {to} with IPV6_V6ONLY {id}");
                let case = covering(case(title, NET.lab(), ops), &["SCOPE-02"]);
                table.push(&[id, to, how], Row::Case(case));
            }
        }
    }
    table
}

fn ends() -> Vec<(&'static str, Addr)> {
    let right = |addr: Addr| addr.scoped(super::axes::Zone::Right.scope(NET));
    vec![
        ("any", ip("::", PORT)),
        ("::1", ip("::1", PORT)),
        ("own", right(on(Role::Own, Range::Ll))),
        ("own6", on(Role::Own, Range::V6)),
        ("mapped-any", ip("::ffff:0.0.0.0", PORT)),
        ("mapped-loopback", ip("::ffff:127.0.0.1", PORT)),
        ("mapped-own", mapped(&NET.lab(), &on(Role::Own, Range::V4))),
    ]
}

fn both_ends() -> Table {
    let question = "Can a socket with an address of one family talk to one of the other?";
    let mut table = Table::new("scoped-ipv6/both-ends", question);
    let mut peers = ends();
    peers.extend([
        ("mapped", mapped(&NET.lab(), &on(Role::Neighbour, Range::V4))),
        ("compatible", ip("::198.51.100.2", PORT)),
        ("compatible-multicast", ip("::224.0.0.1", PORT)),
        ("compatible-broadcast", ip("::255.255.255.255", PORT)),
    ]);
    for (from, source) in ends() {
        for (to, peer) in &peers {
            for how in ["sendto", "connect", "tcp-connect"] {
                let port = harness::case::addr::Port::Is(0);
                let source = Addr { port, ..source.clone() };
                let mut ops = Vec::new();
                if how == "sendto" {
                    ops.extend(receiver(PORT));
                }
                ops.extend([socket("s", "AF_INET6", type_of(how)), bind("s", source)]);
                ops.extend(call(how, peer.clone()));
                ops.push(so_error("s"));
                if how == "sendto" {
                    ops.push(recvfrom("r"));
                }
                let title = format!("{how} from {from} to {to}");
                let rows = ["SCOPE-08", "SCOPE-09", "SCOPE-13"];
                let case = covering(case(title, NET.lab(), ops), &rows);
                table.push(&[from, to, how], Row::Case(case));
            }
        }
    }
    table
}

fn other_family() -> Table {
    let question = "What does a call say to an address of another family than the socket's?";
    let mut table = Table::new("scoped-ipv6/other-family", question);
    for domain in ["AF_INET6", "AF_INET"] {
        for (to, addr) in [
            ("sockaddr_in", on(Role::Neighbour, Range::V4)),
            ("own4", on(Role::Own, Range::V4)),
            ("any4", ip("0.0.0.0", PORT)),
            ("mapped", mapped(&NET.lab(), &on(Role::Neighbour, Range::V4))),
            ("own6", on(Role::Own, Range::V6)),
            ("any6", ip("::", PORT)),
        ] {
            for (family, named) in [
                ("its-own", None),
                ("AF_UNSPEC", Some("AF_UNSPEC")),
                ("AF_INET", Some("AF_INET")),
                ("AF_INET6", Some("AF_INET6")),
            ] {
                // That is the address's own family.
                if named
                    == Some(if to.ends_with('6') || to == "mapped" {
                        "AF_INET6"
                    } else {
                        "AF_INET"
                    })
                {
                    continue;
                }
                for how in ["sendto", "connect", "bind", "tcp-connect"] {
                    let addr = Addr { family: named.map(Into::into), ..addr.clone() };
                    let steps = call(how, addr);
                    let mut ops = vec![socket("s", domain, type_of(how))];
                    ops.extend(steps);
                    ops.push(so_error("s"));
                    let title = format!("{how} of {domain} to {to} as {family}");
                    let case = covering(case(title, NET.lab(), ops), &["SCOPE-12"]);
                    table.push(&[domain, to, family, how], Row::Case(case));
                }
            }
        }
    }
    table
}
