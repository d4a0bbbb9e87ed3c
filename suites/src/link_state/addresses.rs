//! Own addresses: bound, lost, and what a failed send does to a socket's name.

use harness::case::addr::{Addr, Range, Role};
use harness::case::lab::name;
use harness::case::op::Value;
use harness::case::{Lab, LabOp, Op};

use super::axes::{KINDS, LINK, PORT, State, To, lab};
use crate::steps::{
    bind, case, connect, covering, getsockname, ip, lab as step, scoped, send, sendto, setsockopt,
    so_error, socket,
};
use crate::table::{Row, Table};

const RANGES: [Range; 3] = [Range::Ll, Range::V6, Range::V4];

pub(super) fn tables() -> Vec<Table> {
    vec![bind_own(), removed(), names_after_failure(), multicast_interface()]
}

fn own(range: Range, port: u16) -> Addr {
    Addr::on(LINK, Role::Own, range, port)
}

fn neighbour(range: Range) -> Addr {
    Addr::on(LINK, Role::Neighbour, range, PORT)
}

fn domain(range: Range) -> &'static str {
    if range == Range::V4 { "AF_INET" } else { "AF_INET6" }
}

fn bind_own() -> Table {
    let question = "Can a socket be bound to the own address of a link in that state?";
    let mut table = Table::new("link-state/bind", question);
    for kind in KINDS {
        for state in State::ALL {
            for range in RANGES {
                for (how, socket_type) in [("udp", "SOCK_DGRAM"), ("tcp", "SOCK_STREAM")] {
                    let title = format!(
                        "{how} bind to the own {} address, link {}",
                        name(range),
                        state.words()
                    );
                    let ops = vec![
                        socket("s", domain(range), socket_type),
                        bind("s", own(range, PORT)),
                        getsockname("s"),
                    ];
                    let case = case(title, lab(kind, state), ops);
                    let row = Row::Case(covering(case, &["LINK-10", "LINK-12"]));
                    table.push(&[&kind.to_string(), state.id(), name(range), how], row);
                }
            }
        }
    }
    table
}

/// How the socket holds on to the address that goes away.
#[derive(Clone, Copy)]
enum Held {
    Bound,
    Connected,
    Fresh,
}

fn removed() -> Table {
    let question = "What does a send say once the address that it would leave from is gone?";
    let mut table = Table::new("link-state/address-removed", question);
    for kind in KINDS {
        for range in RANGES {
            for (id, held) in
                [("bound", Held::Bound), ("connected", Held::Connected), ("fresh", Held::Fresh)]
            {
                let title = format!("UDP send after the own {} address went, {id}", name(range));
                let case = case(title, Lab::one(kind, LINK), removed_row(range, held));
                let row = Row::Case(covering(case, &["LINK-09"]));
                table.push(&[&kind.to_string(), name(range), id], row);
            }
        }
    }
    table
}

fn removed_row(range: Range, held: Held) -> Vec<Op> {
    let mut ops = vec![socket("s", domain(range), "SOCK_DGRAM")];
    match held {
        Held::Bound => ops.push(bind("s", own(range, 0))),
        Held::Connected => ops.push(connect("s", neighbour(range))),
        Held::Fresh => {}
    }
    ops.push(step(LabOp::AddressDelete { link: LINK.to_owned(), range }));
    ops.push(match held {
        Held::Connected => send("s"),
        Held::Bound | Held::Fresh => sendto("s", neighbour(range)),
    });
    ops.extend([so_error("s"), getsockname("s")]);
    ops
}

fn names_after_failure() -> Table {
    let question = "Does a send that fails leave the socket's name as it was?";
    let mut table = Table::new("link-state/name-after-failure", question);
    for (state, to) in [
        (State::Down, To::Own),
        (State::Down, To::Neighbour),
        (State::Down, To::AllNodes),
        (State::Down, To::Neighbour4),
        (State::Up, To::OffLink),
        (State::Up, To::Multicast4),
    ] {
        for kind in KINDS {
            for (how, connects) in [("sendto", false), ("connect", true)] {
                let title = format!("name after a failed {how} to {}", to.words());
                let call =
                    if connects { connect("s", to.addr(PORT)) } else { sendto("s", to.addr(PORT)) };
                let ops = vec![
                    socket("s", to.domain(), "SOCK_DGRAM"),
                    getsockname("s"),
                    call,
                    getsockname("s"),
                ];
                let case = case(title, lab(kind, state), ops);
                table.push(&[&kind.to_string(), state.id(), to.id(), how], Row::Case(case));
            }
        }
    }
    table
}

fn multicast_interface() -> Table {
    let question = "What does a multicast send say when its interface was chosen by option?";
    let mut table = Table::new("link-state/multicast-if", question);
    for kind in KINDS {
        for state in State::ALL {
            for v6 in [false, true] {
                let family = if v6 { "v6" } else { "v4" };
                let title = format!("{family} multicast by option, link {}", state.words());
                let case = covering(case(title, lab(kind, state), multicast_row(v6)), &["LINK-06"]);
                table.push(&[&kind.to_string(), state.id(), family], Row::Case(case));
            }
        }
    }
    table
}

fn multicast_row(v6: bool) -> Vec<Op> {
    let link = Value::Link(LINK.to_owned());
    if v6 {
        vec![
            socket("s", "AF_INET6", "SOCK_DGRAM"),
            setsockopt("s", "IPPROTO_IPV6", "IPV6_MULTICAST_IF", link),
            sendto("s", ip("ff02::fb", 5353)),
            sendto("s", scoped("ff02::fb", 5353, LINK)),
            so_error("s"),
        ]
    } else {
        vec![
            socket("s", "AF_INET", "SOCK_DGRAM"),
            setsockopt("s", "IPPROTO_IP", "IP_MULTICAST_IF", link),
            sendto("s", ip("224.0.0.251", 5353)),
            so_error("s"),
        ]
    }
}
