//! Where no link is the answer: loopback down, no route, routes that refuse, forged sources.

use std::net::{IpAddr, SocketAddr};

use harness::case::addr::{Addr, Host, Range, Role, address};
use harness::case::lab::{Lab, LabOp, RouteKind};
use harness::case::op::Intent;
use harness::case::{Hex, LinkKind, Op};
use harness::wire::{Mac, build};

use super::axes::{KINDS, LINK, PORT};
use crate::steps::{
    bind, case, connect, covering, getsockname, ip, lab as step, nonblocking, poll_out, receiver,
    recvfrom, sendto, so_error, socket, timer,
};
use crate::table::{Row, Table};

pub(super) fn tables() -> Vec<Table> {
    vec![loopback_down(), no_route(), typed_route(), loopback_source(), closed_port()]
}

fn domain(addr: &Addr) -> &'static str {
    match &addr.host {
        Host::Ip(IpAddr::V4(_)) | Host::On { range: Range::V4, .. } => "AF_INET",
        _ => "AF_INET6",
    }
}

fn udp(addr: &Addr) -> Vec<Op> {
    vec![socket("s", domain(addr), "SOCK_DGRAM"), sendto("s", addr.clone()), so_error("s")]
}

fn tcp(addr: &Addr) -> Vec<Op> {
    vec![
        socket("s", domain(addr), "SOCK_STREAM"),
        nonblocking("s"),
        connect("s", addr.clone()),
        poll_out("s"),
        so_error("s"),
    ]
}

/// The same, looked at when TCP has given up: a SYN that is lost on its way out is sent again, and the
/// error is the last retry's. One retry, so that this is after two or three seconds (tcp(7), `TCP_SYNCNT`;
/// the second timeout is as long as the first since Linux 6.5, `tcp_syn_linear_timeouts`).
fn tcp_late(addr: &Addr) -> Vec<Op> {
    let why = "the SYN is sent again, and given up".to_owned();
    vec![
        socket("s", domain(addr), "SOCK_STREAM"),
        nonblocking("s"),
        timer("s", Intent::ConnectTimeout, 3),
        connect("s", addr.clone()),
        step(LabOp::Wait { ms: 4_000, until: None, why }),
        poll_out("s"),
        so_error("s"),
    ]
}

/// A row of calls on one address.
type Calls = fn(&Addr) -> Vec<Op>;

const UDP_AND_TCP: [(&str, Calls); 2] = [("udp", udp), ("tcp", tcp)];

fn loopback_down() -> Table {
    let question = "What do calls to this very host say while loopback is down?";
    let mut table = Table::new("link-state/loopback-down", question);
    let udp_heard: Calls = |addr| {
        let mut ops = receiver(PORT).to_vec();
        ops.extend(udp(addr));
        ops.push(recvfrom("r"));
        ops
    };
    let bound: Calls = |addr| {
        vec![socket("s", domain(addr), "SOCK_DGRAM"), bind("s", addr.clone()), getsockname("s")]
    };
    let on = |range| Addr::on(LINK, Role::Own, range, PORT);
    for (id, addr) in [
        ("127.0.0.1", ip("127.0.0.1", PORT)),
        ("::1", ip("::1", PORT)),
        ("own4", on(Range::V4)),
        ("own6", on(Range::V6)),
        ("own", on(Range::Ll)),
    ] {
        for (how, calls) in [("udp", udp_heard), ("tcp", tcp_late), ("bind", bound)] {
            let lab =
                Lab::one(LinkKind::Tap, LINK).with([LabOp::LinkDown { link: "lo".to_owned() }]);
            let case = case(format!("{how} to {id}, loopback being down"), lab, calls(&addr));
            table.push(&[id, how], Row::Case(covering(case, &["LINK-04"])));
        }
    }
    table
}

fn no_route() -> Table {
    let question = "What do calls to where no route leads say?";
    let mut table = Table::new("link-state/no-route", question);
    for to in ["192.0.2.1", "255.255.255.255", "224.0.0.251", "2001:db8::1", "fe80::1", "ff02::1"] {
        for (how, calls) in UDP_AND_TCP {
            let case = case(
                format!("{how} to {to} without a route"),
                Lab::loopback(),
                calls(&ip(to, PORT)),
            );
            table.push(&[to, how], Row::Case(covering(case, &["LINK-11"])));
        }
    }
    table
}

fn typed_route() -> Table {
    let question = "What do calls say to where a route refuses?";
    let mut table = Table::new("link-state/typed-route", question);
    for (id, kind) in [
        ("unreachable", RouteKind::Unreachable),
        ("prohibit", RouteKind::Prohibit),
        ("blackhole", RouteKind::Blackhole),
        ("throw", RouteKind::Throw),
    ] {
        for (family, prefix, len, to) in [
            ("v4", "198.51.100.0", 24, "198.51.100.9"),
            ("v6", "2001:db8:ffff::", 48, "2001:db8:ffff::9"),
        ] {
            for (how, calls) in UDP_AND_TCP {
                let prefix = ip(prefix, 0).host;
                let Host::Ip(prefix) = prefix else { continue };
                let route =
                    LabOp::RouteAdd { prefix, prefix_len: len, kind, link: None, via: None };
                let lab = Lab::one(LinkKind::Tap, LINK).with([route]);
                let title = format!("{how} to a route of the type {id}, {family}");
                let case = case(title, lab, calls(&ip(to, PORT)));
                table.push(&[id, family, how], Row::Case(covering(case, &["LINK-07"])));
            }
        }
    }
    table
}

fn loopback_source() -> Table {
    let question = "Can a packet with a loopback source leave by another link?";
    let mut table = Table::new("link-state/loopback-source", question);
    let neighbour = |range| Addr::on(LINK, Role::Neighbour, range, PORT);
    for kind in KINDS {
        for (id, source, to) in [
            ("neighbour4", "127.0.0.1", neighbour(Range::V4)),
            ("neighbour6", "::1", neighbour(Range::V6)),
            ("neighbour", "::1", neighbour(Range::Ll)),
        ] {
            for how in ["sendto", "connect"] {
                let call = if how == "sendto" {
                    sendto("s", to.clone())
                } else {
                    connect("s", to.clone())
                };
                let ops = vec![
                    socket("s", domain(&to), "SOCK_DGRAM"),
                    bind("s", ip(source, 0)),
                    call,
                    so_error("s"),
                ];
                let title = format!("{how} from {source} to a neighbour");
                let case = covering(case(title, Lab::one(kind, LINK), ops), &["LINK-14"]);
                table.push(&[&kind.to_string(), id, how], Row::Case(case));
            }
        }
    }
    table
}

/// The far end sends a datagram to a port where nobody listens.
fn closed_port() -> Table {
    let question = "Is a datagram to a closed port answered by a port unreachable?";
    let mut table = Table::new("link-state/closed-port", question);
    for kind in KINDS {
        for (id, range) in [("v4", Range::V4), ("v6", Range::V6), ("ll", Range::Ll)] {
            let frame = build::udp(
                link(kind),
                SocketAddr::new(address(0, Role::Neighbour, range), 9_000),
                SocketAddr::new(address(0, Role::Own, range), PORT),
                64,
                b"anyone?",
            );
            // The addresses are of one family: the frame can be built.
            let Ok(frame) = frame else { continue };
            let inject = LabOp::Inject { link: LINK.to_owned(), frame: Hex(frame) };
            // A socket elsewhere, so that the case has a call to show beside the frames.
            let ops = vec![socket("s", "AF_INET6", "SOCK_DGRAM"), step(inject), so_error("s")];
            let title = format!("a datagram from a neighbour to a closed port, {id}");
            let case = covering(case(title, Lab::one(kind, LINK), ops), &["LINK-15"]);
            table.push(&[&kind.to_string(), id], Row::Case(case));
        }
    }
    table
}

/// From the resolved neighbour to the host.
fn link(kind: LinkKind) -> build::Link {
    let mac = |role: Role| Mac([2, 0, 0, 0, 0, role as u8]);
    match kind {
        LinkKind::Tap => build::Link::Ethernet { src: mac(Role::Neighbour), dst: mac(Role::Own) },
        LinkKind::Tun => build::Link::Ip,
    }
}
