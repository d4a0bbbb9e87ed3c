//! `multicast`: who joins, who hears, and by which link does a datagram to a group leave?
//!
//! What a kernel tells routers when a group is joined or left (IGMP, MLD) is not shown: it does so
//! after random delays (RFC 3376 §5.1, RFC 3810 §6.1).
//!
//! In Rust is what the far end sends, whose bytes are computed (`delivery`, `sources`, a part of `membership`), and
//! what stands beside it and is said by the same words.

mod axes;
mod delivery;
mod membership;
mod sources;

use crate::table::Table;
use crate::text::{self, file};

/// The suite's tables, in the order in which they are shown.
pub(crate) fn tables() -> Vec<Table> {
    let files = [
        file!("multicast", "membership.case"),
        file!("multicast", "sockets.case"),
        file!("multicast", "interface.case"),
        file!("multicast", "send-options.case"),
    ];
    let mut tables = text::among(&files, [("multicast/ip-multicast-if", membership::tables())]);
    tables.extend(delivery::tables());
    tables.extend(sources::tables());
    tables
}
