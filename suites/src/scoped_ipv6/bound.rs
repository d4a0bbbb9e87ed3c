//! Binding: to a scoped address, and what a socket that is bound to a link makes of scope ids.

use harness::case::Op;
use harness::case::addr::{Addr, Range, Role};

use super::axes::{Net, PORT, Zone, left_out};
use super::to::{To, mapped};
use crate::steps::{
    bind, bind_to, case, connect, covering, getpeername, getsockname, ip, send, sendto, so_error,
    socket,
};
use crate::table::{Row, Table};

pub(super) fn tables() -> Vec<Table> {
    vec![
        bind_table(),
        bound_table(
            "scoped-ipv6/bound-interface",
            "Which scope ids does a socket that is bound to a link take?",
            |net| bind_to("s", net.meant()),
            &["SCOPE-05"],
        ),
        bound_table(
            "scoped-ipv6/bound-address",
            "Which scope ids does a socket that is bound to a link-local address take?",
            |net| bind("s", Addr { port: harness::case::addr::Port::Is(0), ..own(net) }),
            &["SCOPE-01"],
        ),
        conflicts(),
    ]
}

fn own(net: Net) -> Addr {
    Addr::on(net.meant(), Role::Own, Range::Ll, PORT)
}

fn bind_table() -> Table {
    let question = "Which addresses and scope ids does bind take, and which name has the socket?";
    let mut table = Table::new("scoped-ipv6/bind", question);
    for net in [Net::Second, Net::Tun] {
        for (id, addr, zones) in [
            ("own", net.on(Role::Own, Range::Ll), &Zone::ALL[..]),
            ("neighbour", net.on(Role::Neighbour, Range::Ll), &Zone::UP[..]),
            ("ff02::1234", ip("ff02::1234", PORT), &Zone::ALL[..]),
            ("ff05::1234", ip("ff05::1234", PORT), &Zone::UP[..]),
            ("own6", net.on(Role::Own, Range::V6), &Zone::ALL[..]),
            ("::1", ip("::1", PORT), &Zone::UP[..]),
            ("any", ip("::", PORT), &Zone::UP[..]),
            ("mapped", mapped(&net.lab(), &net.on(Role::Own, Range::V4)), &Zone::UP[..]),
        ] {
            for zone in zones {
                for (how, kind) in [("udp", "SOCK_DGRAM"), ("tcp", "SOCK_STREAM")] {
                    let addr = addr.clone().scoped(zone.scope(net));
                    let ops =
                        vec![socket("s", "AF_INET6", kind), bind("s", addr), getsockname("s")];
                    let title = format!("{how} bind to {id}, {}", zone.words());
                    let rows = ["SCOPE-01", "SCOPE-03", "SCOPE-04"];
                    let case = covering(case(title, zone.lab(net), ops), &rows);
                    table.push(&[net.id(), zone.id(), id, how], Row::Case(case));
                }
            }
        }
    }
    table
}

/// A socket that holds on to a link, and calls to addresses in that zone and in others.
fn bound_table(
    name: &'static str,
    question: &'static str,
    hold: fn(Net) -> Op,
    catalogue: &[&str],
) -> Table {
    let mut table = Table::new(name, question);
    let to = [To::Own, To::Neighbour, To::Unresolved, To::AllNodes, To::SiteGroup, To::Neighbour6];
    for net in [Net::Second, Net::Tun] {
        for zone in [Zone::Right, Zone::Zero, Zone::Other, Zone::Loopback, Zone::Absent] {
            for to in to {
                for how in ["sendto", "connect"] {
                    let parameters = [net.id(), zone.id(), to.id(), how];
                    if let Some(why) = left_out(net, to) {
                        table.push(&parameters, Row::LeftOut(why));
                        continue;
                    }
                    let addr = to.addr(net, zone);
                    let mut ops = vec![socket("s", "AF_INET6", "SOCK_DGRAM"), hold(net)];
                    ops.extend(if how == "sendto" {
                        vec![sendto("s", addr)]
                    } else {
                        vec![connect("s", addr), getpeername("s"), send("s")]
                    });
                    ops.extend([so_error("s"), getsockname("s")]);
                    let title = format!("{how} of a held socket to {}, {}", to.id(), zone.words());
                    let case = covering(case(title, zone.lab(net), ops), catalogue);
                    table.push(&parameters, Row::Case(case));
                }
            }
        }
    }
    table
}

/// Two sockets, one port: does the zone keep them apart?
fn conflicts() -> Table {
    let question = "Can two sockets have one port, when the zones of their addresses differ?";
    let mut table = Table::new("scoped-ipv6/bind-conflict", question);
    let net = Net::Second;
    let at = |link, range| Addr::on(link, Role::Own, range, PORT);
    let addresses = || {
        [
            ("own", at(net.meant(), Range::Ll)),
            ("own-other", at(net.other(), Range::Ll)),
            ("group", ip("ff02::1234", PORT).scoped(Zone::Right.scope(net))),
            ("group-other", ip("ff02::1234", PORT).scoped(Zone::Other.scope(net))),
            ("own6", at(net.meant(), Range::V6)),
            ("any", ip("::", PORT)),
            ("mapped", mapped(&net.lab(), &at(net.meant(), Range::V4))),
        ]
    };
    for (first, a) in addresses() {
        for (second, b) in addresses() {
            for (how, kind) in [("udp", "SOCK_DGRAM"), ("tcp", "SOCK_STREAM")] {
                let ops = vec![
                    socket("a", "AF_INET6", kind),
                    bind("a", a.clone()),
                    socket("b", "AF_INET6", kind),
                    bind("b", b.clone()),
                ];
                let title = format!("{how} sockets bound to {first} and {second}");
                let case = covering(case(title, net.lab(), ops), &["SCOPE-01"]);
                table.push(&[first, second, how], Row::Case(case));
            }
        }
    }
    table
}
