//! The names of a connection, and what is left of them when the network changes.

use harness::case::addr::{Addr, Range, Role};
use harness::case::{Case, LabOp, Op};

use super::axes::{Net, PORT, Zone, left_out};
use super::to::To;
use crate::steps::{
    bind, case, connect, covering, getpeername, getsockname, ip, lab, listen, nonblocking, send,
    so_error, socket,
};
use crate::table::{Row, Table};

pub(super) fn tables() -> Vec<Table> {
    vec![accepted(), changed()]
}

/// A connection to oneself: four names, each of which may have a zone.
fn accepted() -> Table {
    let question = "Which scope ids have the names of both ends of a connection to oneself?";
    let mut table = Table::new("scoped-ipv6/accept", question);
    for net in Net::ALL {
        for listener in ["any", "own"] {
            for from in ["unbound", "own", "own-other"] {
                for zone in Zone::UP {
                    let case = accepted_row(net, listener, from, zone);
                    let case = covering(case, &["SCOPE-06"]);
                    table.push(&[net.id(), zone.id(), listener, from], Row::Case(case));
                }
            }
        }
    }
    table
}

fn accepted_row(net: Net, listener: &str, from: &str, zone: Zone) -> Case {
    let own = |link, port| Addr::on(link, Role::Own, Range::Ll, port);
    let at = if listener == "own" { own(net.meant(), PORT) } else { ip("::", PORT) };
    let mut ops = vec![
        socket("l", "AF_INET6", "SOCK_STREAM"),
        nonblocking("l"),
        bind("l", at),
        listen("l"),
        socket("s", "AF_INET6", "SOCK_STREAM"),
        nonblocking("s"),
    ];
    match from {
        "own" => ops.push(bind("s", own(net.meant(), 0))),
        "own-other" => ops.push(bind("s", own(net.other(), 0))),
        _ => {}
    }
    ops.extend([
        connect("s", own(net.meant(), PORT).scoped(zone.scope(net))),
        Op::Accept { fd: "l".to_owned(), new: "a".to_owned() },
        getsockname("s"),
        getpeername("s"),
        getsockname("a"),
        getpeername("a"),
    ]);
    let title = format!("a connection to the own address, {}, from {from}", zone.words());
    case(title, net.lab(), ops)
}

fn changed() -> Table {
    let question = "What do names and sends of a connected socket say once its zone has changed?";
    let mut table = Table::new("scoped-ipv6/changed", question);
    for net in Net::ALL {
        for (change, steps) in changes(net) {
            for to in [To::Own, To::Neighbour, To::Unresolved, To::AllNodes, To::Neighbour6] {
                let parameters = [net.id(), change, to.id()];
                if let Some(why) = left_out(net, to) {
                    table.push(&parameters, Row::LeftOut(why));
                    continue;
                }
                let zone = if to == To::Neighbour6 { Zone::Zero } else { Zone::Right };
                let mut ops =
                    vec![socket("s", "AF_INET6", "SOCK_DGRAM"), connect("s", to.addr(net, zone))];
                ops.extend(steps.iter().cloned().map(lab));
                ops.extend([getsockname("s"), getpeername("s"), send("s"), so_error("s")]);
                let title = format!("connected to {}, then: {change}", to.id());
                let case = covering(case(title, net.lab(), ops), &["SCOPE-03", "SCOPE-06"]);
                table.push(&parameters, Row::Case(case));
            }
        }
    }
    table
}

/// What becomes of the link that the address means.
fn changes(net: Net) -> Vec<(&'static str, Vec<LabOp>)> {
    let link = || net.meant().to_owned();
    let other = || net.other().to_owned();
    let down = || LabOp::LinkDown { link: link() };
    let mut changes = vec![
        ("down", vec![down()]),
        ("down-up", vec![down(), LabOp::LinkUp { link: link() }]),
        ("other-down", vec![LabOp::LinkDown { link: other() }]),
        ("address-gone", vec![LabOp::AddressDelete { link: link(), range: Range::Ll }]),
    ];
    if net == Net::Second || net == Net::Tun {
        changes.push(("deleted", vec![LabOp::LinkDelete { link: link() }]));
    }
    changes
}
