//! What each call of the sockets API says: suites that are text, a folder each, in the order in which they are
//! shown. Their questions stand in the files; one table has a structure that is too long for a line.

mod digest;

use crate::table::Table;
use crate::text::{self, file};

/// The suites' tables.
pub(crate) fn tables() -> Vec<Table> {
    let files = [
        file!("errors", "making.case"),
        file!("errors", "descriptor.case"),
        file!("errors", "pointer.case"),
        file!("errors", "within.case"),
        file!("errors", "state.case"),
        file!("errors", "interfaces.case"),
        file!("errors", "icmp.case"),
        file!("errors", "extended.case"),
        file!("errors", "transfer.case"),
        file!("errors", "longer.case"),
        file!("errors", "vsock.case"),
        file!("errors", "netlink.case"),
        file!("errors", "numbers.case"),
        file!("errors", "requests.case"),
        file!("ports", "conflict.case"),
        file!("ports", "port.case"),
        file!("ports", "several.case"),
        file!("ports", "sides.case"),
        file!("ports", "left.case"),
        file!("connecting", "state.case"),
        file!("connecting", "addresses.case"),
        file!("connecting", "inherit.case"),
        file!("datagram", "receive.case"),
        file!("datagram", "queue.case"),
        file!("stream", "close.case"),
        file!("stream", "flow.case"),
        file!("stream", "after.case"),
        file!("readiness", "transition.case"),
        file!("readiness", "epoll.case"),
        file!("ancillary", "sent.case"),
        file!("ancillary", "received.case"),
        file!("ancillary", "parts.case"),
        file!("ancillary", "several.case"),
        file!("raw", "sent.case"),
        file!("raw", "received.case"),
        file!("raw", "ping.case"),
        file!("raw", "packet.case"),
        file!("raw", "fanout.case"),
        file!("sysctl", "ip.case"),
        file!("sysctl", "tcp.case"),
        file!("effects", "wire4.case"),
        file!("effects", "wire6.case"),
        file!("effects", "beside.case"),
        file!("effects", "connection.case"),
        file!("effects", "tcp.case"),
        file!("signals", "taking.case"),
        file!("signals", "giving.case"),
        file!("signals", "masks.case"),
        file!("limits", "descriptors.case"),
        file!("rights", "without.case"),
        file!("rights", "users.case"),
        file!("segments", "offers.case"),
        file!("segments", "malformed.case"),
        file!("segments", "windows.case"),
        file!("segments", "blocks.case"),
        file!("segments", "times.case"),
        file!("segments", "congestion.case"),
        file!("segments", "unacceptable.case"),
    ];
    text::among(&files, [("", vec![digest::table()])])
}
