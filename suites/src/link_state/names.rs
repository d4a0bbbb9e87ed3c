//! What a failed send does to a socket's name: pairs of a state and a destination with which a send fails, so
//! that it is no product of two lists.

use harness::case::addr::{Addr, Range, Role};
use harness::case::{Lab, LabOp, LinkKind};

use crate::steps::{case, connect, getsockname, ip, scoped, sendto, socket};
use crate::table::{Row, Table};

const LINK: &str = "link0";

/// Any port that nobody else uses: the forum program's.
const PORT: u16 = 12345;

/// A destination with which a send fails on a link that is down, or on one that is up.
struct To {
    is_down: bool,
    id: &'static str,
    words: &'static str,
    domain: &'static str,
    addr: Addr,
}

fn destinations() -> [To; 6] {
    let on = |role, range| Addr::on(LINK, role, range, PORT);
    let to = |is_down, id, words, domain, addr| To { is_down, id, words, domain, addr };
    let neighbour4 = "the IPv4 address of a resolved neighbour";
    [
        to(true, "own", "the link's own link-local address", "AF_INET6", on(Role::Own, Range::Ll)),
        to(
            true,
            "neighbour",
            "the link-local address of a resolved neighbour",
            "AF_INET6",
            on(Role::Neighbour, Range::Ll),
        ),
        to(true, "all-nodes", "ff02::1 on the link", "AF_INET6", scoped("ff02::1", PORT, LINK)),
        to(true, "neighbour4", neighbour4, "AF_INET", on(Role::Neighbour, Range::V4)),
        to(
            false,
            "off-link",
            "a global IPv6 address that no route leads to",
            "AF_INET6",
            ip("2001:db8:ffff::1", PORT),
        ),
        to(false, "multicast4", "224.0.0.251", "AF_INET", ip("224.0.0.251", PORT)),
    ]
}

pub(super) fn table() -> Table {
    let question = "Does a send that fails leave the socket's name as it was?";
    let mut table = Table::new("link-state/name-after-failure", question);
    for to in destinations() {
        for kind in [LinkKind::Tap, LinkKind::Tun] {
            for how in ["sendto", "connect"] {
                let title = format!("name after a failed {how} to {}", to.words);
                let addr = to.addr.clone();
                let call = if how == "connect" { connect("s", addr) } else { sendto("s", addr) };
                let ops = vec![
                    socket("s", to.domain, "SOCK_DGRAM"),
                    getsockname("s"),
                    call,
                    getsockname("s"),
                ];
                let down = to.is_down.then(|| LabOp::LinkDown { link: LINK.to_owned() });
                let case = case(title, Lab::one(kind, LINK).with(down), ops);
                let state = if to.is_down { "down" } else { "up" };
                table.push(&[&kind.to_string(), state, to.id, how], Row::Case(case));
            }
        }
    }
    table
}
