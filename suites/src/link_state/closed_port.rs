//! A datagram that the far end sends: its bytes, with their checksums, are computed.

use std::net::SocketAddr;

use harness::case::addr::{Range, Role, address};
use harness::case::lab::{Lab, LabOp};
use harness::case::{Hex, LinkKind};
use harness::wire::{Mac, build};

use crate::steps::{case, covering, lab as step, so_error, socket};
use crate::table::{Row, Table};

const LINK: &str = "link0";

/// The far end sends a datagram to a port where nobody listens.
pub(super) fn table() -> Table {
    let question = "Is a datagram to a closed port answered by a port unreachable?";
    let mut table = Table::new("link-state/closed-port", question);
    for kind in [LinkKind::Tap, LinkKind::Tun] {
        for (id, range) in [("v4", Range::V4), ("v6", Range::V6), ("ll", Range::Ll)] {
            let frame = build::udp(
                link(kind),
                SocketAddr::new(address(0, Role::Neighbour, range), 9_000),
                SocketAddr::new(address(0, Role::Own, range), 12_345),
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
