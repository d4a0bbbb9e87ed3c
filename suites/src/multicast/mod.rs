//! `multicast`: who joins, who hears, and by which link does a datagram to a group leave?
//!
//! What a kernel tells routers when a group is joined or left (IGMP, MLD) is not shown: it does so
//! after random delays (RFC 3376 §5.1, RFC 3810 §6.1).

mod axes;
mod delivery;
mod interface;
mod membership;
mod options;
mod sources;

use crate::table::Table;

/// The suite's tables, in the order in which they are shown.
pub(crate) fn tables() -> Vec<Table> {
    let mut tables = membership::tables();
    tables.extend(interface::tables());
    tables.extend(options::tables());
    tables.extend(delivery::tables());
    tables.extend(sources::tables());
    tables
}
