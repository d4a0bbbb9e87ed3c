//! `names`: what a name, a number or a service means to the C library, and what it asks the network.
//!
//! The library reads the lab's files and no others, and its queries go to a name server at the far
//! end of a tun, or to nobody. What comes of that is as much the library's as the kernel's, so that
//! the suite's baselines are kept by C library.

mod axes;
mod dns;
mod zones;

use crate::table::Table;
use crate::text::{self, file};

/// The name of the suite, by which its platforms are told: see [`crate::platforms`].
pub(crate) const SUITE: &str = "names";

/// The suite's tables, in the order in which they are shown.
pub(crate) fn tables() -> Vec<Table> {
    let files = [
        file!("names", "numeric.case"),
        file!("names", "service.case"),
        file!("names", "getnameinfo.case"),
        file!("names", "hosts.case"),
        file!("names", "server.case"),
        file!("names", "order.case"),
    ];
    text::among(
        &files,
        [
            ("names/numeric-forms", vec![zones::zones()]),
            ("names/service", vec![zones::scope_lost()]),
            ("names/getnameinfo-room", vec![zones::scopes()]),
            ("names/dns-truncated", vec![dns::answers()]),
            ("names/no-dns", vec![dns::flawed(), dns::search()]),
        ],
    )
}
