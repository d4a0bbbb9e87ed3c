//! `link-state`: does a call tell the truth when a link is not up?
//!
//! It began with `netdown`, a program that a forum post showed: `sendto` to the link-local address
//! of an interface that was down reported success on macOS 15.3.1, and nothing was sent.

mod addresses;
mod axes;
mod icmp;
mod neighbours;
mod routes;
mod tcp;
mod udp;

use harness::case::addr::{Addr, Range, Role};
use harness::case::{Lab, LabOp, LinkKind};

use crate::steps::{case, close, covering, sendto, so_error, socket};
use crate::table::{Row, Table};
use axes::{KINDS, PORT, State, To, lab};

/// The suite's tables, in the order in which they are shown.
pub(crate) fn tables() -> Vec<Table> {
    let mut tables = vec![netdown()];
    tables.extend(udp::tables());
    tables.extend([tcp::table(), icmp::table(), again()]);
    tables.extend(addresses::tables());
    tables.extend(routes::tables());
    tables.push(neighbours::table());
    tables
}

/// The forum's program, call for call.
fn netdown() -> Table {
    let question = "Does sendto to the link-local address of an interface that is down fail?";
    let mut table = Table::new("link-state/netdown", question);
    let down = LabOp::LinkDown { link: "down0".to_owned() };
    let lab = Lab::one(LinkKind::Tap, "down0").with([down]);
    let own = Addr::on("down0", Role::Own, Range::Ll, PORT);
    let ops = vec![socket("s", "AF_INET6", "SOCK_DGRAM"), sendto("s", own), close("s")];
    let case = case(question.to_owned(), lab, ops);
    table.push(&[], Row::Case(covering(case, &["LINK-01"])));
    table
}

/// The same send three times: where a filter delays the datagram, only the second send may tell.
fn again() -> Table {
    let question = "Does a later send on the same socket say what the first one did not?";
    let mut table = Table::new("link-state/udp-sendto-again", question);
    let to = [To::Own, To::Neighbour, To::AllNodes, To::Own4, To::Neighbour4, To::OffLink];
    for kind in KINDS {
        for state in [State::Up, State::Down] {
            for to in to {
                let title =
                    format!("UDP three times to {}, the link being {}", to.words(), state.words());
                let send = || [sendto("s", to.addr(PORT)), so_error("s")];
                let mut ops = vec![socket("s", to.domain(), "SOCK_DGRAM")];
                ops.extend([send(), send(), send()].into_iter().flatten());
                let case = covering(case(title, lab(kind, state), ops), &["LINK-01", "LINK-02"]);
                table.push(&[&kind.to_string(), state.id(), to.id()], Row::Case(case));
            }
        }
    }
    table
}

#[cfg(test)]
mod tests;
