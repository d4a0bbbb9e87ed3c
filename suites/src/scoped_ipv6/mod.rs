//! `scoped-ipv6`: which link does a link-local address mean, and who says so?
//!
//! Every lab has two or three links with the same prefix `fe80::/64`, so an address alone names no
//! link: its scope id does (RFC 4007 §6, RFC 3493 §3.3), and what a call does without one is the
//! system's own choice.

mod axes;
mod bound;
mod calls;
mod families;
mod groups;
mod names;
mod packet_info;
mod received;
mod to;

use crate::table::Table;

/// The suite's tables, in the order in which they are shown.
pub(crate) fn tables() -> Vec<Table> {
    let mut tables = calls::tables();
    tables.extend(bound::tables());
    tables.push(packet_info::table());
    tables.push(groups::table());
    tables.extend(received::tables());
    tables.extend(names::tables());
    tables.extend(families::tables());
    tables
}
