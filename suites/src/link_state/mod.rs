//! `link-state`: does a call tell the truth when a link is not up?
//!
//! It began with `netdown`, a program that a forum post showed: `sendto` to the link-local address
//! of an interface that was down reported success on macOS 15.3.1, and nothing was sent.

mod closed_port;
mod names;

use crate::table::Table;
use crate::text::{self, file};

/// The suite's tables, in the order in which they are shown.
pub(crate) fn tables() -> Vec<Table> {
    let files = [
        file!("link-state", "netdown.case"),
        file!("link-state", "udp.case"),
        file!("link-state", "udp-connected.case"),
        file!("link-state", "tcp.case"),
        file!("link-state", "icmp.case"),
        file!("link-state", "again.case"),
        file!("link-state", "own-addresses.case"),
        file!("link-state", "multicast-if.case"),
        file!("link-state", "routes.case"),
        file!("link-state", "neighbours.case"),
    ];
    text::among(
        &files,
        [
            ("link-state/multicast-if", vec![names::table()]),
            ("link-state/silent-neighbour", vec![closed_port::table()]),
        ],
    )
}

#[cfg(test)]
mod tests;
