//! `names`: what a name, a number or a service means to the C library, and what it asks the network.
//!
//! The library reads the lab's files and no others, and its queries go to a name server at the far
//! end of a tun, or to nobody. What comes of that is as much the library's as the kernel's, so that
//! the suite's baselines are kept by C library.

mod addrconfig;
mod axes;
mod dns;
mod flags;
mod info;
mod localhost;
mod numeric;
mod order;
mod services;

use crate::table::Table;

/// The name of the suite, by which its platforms are told: see [`crate::platforms`].
pub(crate) const SUITE: &str = "names";

/// The suite's tables, in the order in which they are shown.
pub(crate) fn tables() -> Vec<Table> {
    let mut tables = numeric::tables();
    tables.push(services::table());
    tables.extend(info::tables());
    tables.push(localhost::table());
    tables.push(addrconfig::table());
    tables.extend(dns::tables());
    tables.extend(flags::tables());
    tables.push(order::table());
    tables
}
