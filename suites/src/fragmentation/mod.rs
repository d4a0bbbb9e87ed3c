//! `fragmentation`: is a datagram that shall not be fragmented sent whole or refused?
//!
//! It began with a report that fragments were seen with DF clear although `disableFragmentation`
//! had been set: what do the sockets beneath do with the same datagram?

mod axes;
mod corked;
mod groups;
mod loopback;
mod options;
mod path_mtu;
mod payload;
mod ptb;
mod raw;
mod segment;

use harness::case::LinkKind;

use crate::steps::{case, close, covering, sendto_of};
use crate::table::{Row, Table};
use axes::{Asked, PORT, Path, bytes, lab};

/// The suite's tables, in the order in which they are shown.
pub(crate) fn tables() -> Vec<Table> {
    let mut tables = vec![
        report(
            "fragmentation/disable-fragmentation",
            "Does a datagram of 10,000 bytes leave in fragments though that was forbidden?",
            Asked::Intent(true),
        ),
        report(
            "fragmentation/disable-fragmentation-control",
            "Does a datagram of 10,000 bytes leave in fragments when nothing was asked?",
            Asked::Unset,
        ),
    ];
    tables.extend(payload::tables());
    tables.extend(options::tables());
    tables.extend(raw::tables());
    tables.extend(corked::tables());
    tables.extend(groups::tables());
    tables.extend(loopback::tables());
    tables.extend(segment::tables());
    tables.extend(path_mtu::tables());
    tables.extend(ptb::tables());
    tables
}

/// The digest's program: 10,000 bytes of UDP to port 25000.
fn report(name: &'static str, question: &'static str, asked: Asked) -> Table {
    let mut table = Table::new(name, question);
    let path = Path::V4;
    let mut ops = vec![path.udp()];
    ops.extend(asked.ops("s"));
    ops.extend([sendto_of("s", bytes(10_000), path.neighbour(PORT)), close("s")]);
    let case = case(question.to_owned(), lab(LinkKind::Tap, 1500), ops);
    table.push(&[], Row::Case(covering(case, &asked.catalogue(path))));
    table
}
