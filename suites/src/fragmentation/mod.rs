//! `fragmentation`: is a datagram that shall not be fragmented sent whole or refused?
//!
//! It began with a report that fragments were seen with DF clear although `disableFragmentation`
//! had been set: what do the sockets beneath do with the same datagram?

mod axes;
mod corked;
mod options;
mod ptb;
mod raw;

use crate::table::Table;
use crate::text::{self, file};

/// The suite's tables, in the order in which they are shown.
pub(crate) fn tables() -> Vec<Table> {
    let files = [
        file!("fragmentation", "report.case"),
        file!("fragmentation", "payload.case"),
        file!("fragmentation", "option.case"),
        file!("fragmentation", "option-value.case"),
        file!("fragmentation", "raw-sockets.case"),
        file!("fragmentation", "group.case"),
        file!("fragmentation", "loopback.case"),
        file!("fragmentation", "segment.case"),
        file!("fragmentation", "mtu.case"),
    ];
    let headers = vec![raw::protocol(), raw::ping(), raw::own_header(), raw::byte_order()];
    text::among(
        &files,
        [
            ("fragmentation/control-message", vec![options::pairs(), options::between_sends()]),
            ("fragmentation/group", [headers, vec![corked::table()]].concat()),
            ("", vec![ptb::genuine(), ptb::forged()]),
        ],
    )
}
