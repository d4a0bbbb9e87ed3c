//! `scoped-ipv6`: which link does a link-local address mean, and who says so?
//!
//! Every lab has two or three links with the same prefix `fe80::/64`, so an address alone names no
//! link: its scope id does (RFC 4007 §6, RFC 3493 §3.3), and what a call does without one is the
//! system's own choice.

mod received;

use crate::table::Table;
use crate::text::{self, file};

/// The suite's tables, in the order in which they are shown.
pub(crate) fn tables() -> Vec<Table> {
    let files = [
        file!("scoped-ipv6", "zoned.case"),
        file!("scoped-ipv6", "unzoned.case"),
        file!("scoped-ipv6", "bind.case"),
        file!("scoped-ipv6", "bound.case"),
        file!("scoped-ipv6", "bind-conflict.case"),
        file!("scoped-ipv6", "pktinfo.case"),
        file!("scoped-ipv6", "groups.case"),
        file!("scoped-ipv6", "names-of-connections.case"),
        file!("scoped-ipv6", "families.case"),
    ];
    text::among(&files, [("scoped-ipv6/accept", received::tables())])
}
