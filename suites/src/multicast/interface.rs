//! `IP_MULTICAST_IF` and `IPV6_MULTICAST_IF`: by which link a datagram to a group leaves.

use harness::case::addr::{Addr, Range, Role, Scope};
use harness::case::op::Value;

use super::axes::{Family, LINK, OTHER, PORT, State, absent_mreqn, ip};
use crate::steps::{
    bind, bind_to, case, connect, covering, getsockname, getsockopt, send, sendto, so_error, socket,
};
use crate::table::{Row, Table};

pub(super) fn tables() -> Vec<Table> {
    vec![interface(Family::V4), interface(Family::V6), held()]
}

fn link(name: &str) -> Value {
    Value::Link(name.to_owned())
}

fn values(family: Family) -> Vec<(&'static str, Option<Value>)> {
    let host = |link, role| Some(Value::Host(Addr::on(link, role, Range::V4, 0).host));
    let literal = |text| Some(Value::Host(Addr::ip(ip(text), 0).host));
    let mut values = vec![
        ("unset", None),
        ("link", Some(link(LINK))),
        ("other", Some(link(OTHER))),
        ("lo", Some(link("lo"))),
    ];
    values.extend(family.pick(
        vec![
            ("absent", Some(absent_mreqn())),
            ("address", host(LINK, Role::Own)),
            ("other-address", host(OTHER, Role::Own)),
            ("foreign-address", host(LINK, Role::Silent)),
            ("127.0.0.1", literal("127.0.0.1")),
            ("0.0.0.0", literal("0.0.0.0")),
            ("group", literal("224.0.0.251")),
        ],
        vec![
            ("absent", Some(Value::Int(9999))),
            ("0", Some(Value::Int(0))),
            ("-1", Some(Value::Int(-1))),
        ],
    ));
    values
}

fn groups(family: Family) -> Vec<(&'static str, Addr)> {
    let to = |text| Addr::ip(ip(text), PORT);
    let zone = |name: &str| Scope::Link(name.to_owned());
    family.pick(
        vec![("224.0.0.251", to("224.0.0.251")), ("239.1.2.3", to("239.1.2.3"))],
        vec![
            ("ff02::99", to("ff02::99")),
            ("ff02::99%other", to("ff02::99").scoped(zone(OTHER))),
            ("ff05::99", to("ff05::99")),
        ],
    )
}

fn interface(family: Family) -> Table {
    let (name, question) = family.pick(
        ("multicast/ip-multicast-if", "By which link does IP_MULTICAST_IF make a multicast leave?"),
        (
            "multicast/ipv6-multicast-if",
            "By which link does IPV6_MULTICAST_IF make a multicast leave?",
        ),
    );
    let mut table = Table::new(name, question);
    for state in State::ALL {
        if family == Family::V6 && state == State::Routed {
            continue;
        }
        for (by, value) in values(family) {
            for (group, to) in groups(family) {
                for how in ["sendto", "connect"] {
                    // Down or deleted, the option itself is what differs.
                    if how == "connect" && matches!(state, State::Down | State::Deleted) {
                        continue;
                    }
                    let mut ops = vec![socket("s", family.domain(), "SOCK_DGRAM")];
                    ops.extend(value.clone().map(|value| family.send_by("s", value)));
                    let option = family.pick("IP_MULTICAST_IF", "IPV6_MULTICAST_IF");
                    ops.push(getsockopt("s", family.level(), option));
                    if how == "sendto" {
                        ops.push(sendto("s", to.clone()));
                    } else {
                        ops.extend([connect("s", to.clone()), getsockname("s"), send("s")]);
                    }
                    ops.push(so_error("s"));
                    let title = format!("{how} to {group} by {by}, link0 {}", state.id());
                    let rows = ["MCAST-03", "MCAST-09"];
                    let case = covering(case(title, state.lab(), ops), &rows);
                    table.push(&[state.id(), by, group, how], Row::Case(case));
                }
            }
        }
    }
    table
}

/// The option on a socket that another call has put on a link already.
fn held() -> Table {
    let question =
        "Which wins: IP_MULTICAST_IF, or the link or address that the socket is bound to?";
    let mut table = Table::new("multicast/bound-if", question);
    for family in Family::ALL {
        for held in ["interface", "address", "connected"] {
            for order in ["before", "after"] {
                for (by, value) in values(family) {
                    let Some(value) = value else { continue };
                    let set = family.send_by("s", value);
                    let to = Addr::ip(family.group(), PORT);
                    let hold = match held {
                        "interface" => bind_to("s", LINK),
                        "address" => bind("s", Addr::on(LINK, Role::Own, family.range(), 0)),
                        _ => connect("s", Addr::on(LINK, Role::Neighbour, family.range(), PORT)),
                    };
                    let mut ops = vec![socket("s", family.domain(), "SOCK_DGRAM")];
                    ops.extend(if order == "before" { [set, hold] } else { [hold, set] });
                    ops.extend([sendto("s", to), so_error("s"), getsockname("s")]);
                    let title = format!("multicast by {by}, set {order} {held}");
                    let case = covering(case(title, State::Up.lab(), ops), &["MCAST-03"]);
                    table.push(&[family.id(), held, order, by], Row::Case(case));
                }
            }
        }
    }
    table
}
