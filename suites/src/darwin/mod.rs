//! `darwin`: what do the calls do that Darwin has and Linux has not?
//!
//! Elsewhere a case ends where it makes one of them, and its outcome is that it is unsupported. What a
//! case can ask by calls that everybody has stands in the other suites.

mod batches;

use crate::table::Table;
use crate::text::{self, file};

/// The suite's tables, in the order in which they are shown.
pub(crate) fn tables() -> Vec<Table> {
    let files = [
        file!("darwin", "kqueue.case"),
        file!("darwin", "kqueue-flags.case"),
        file!("darwin", "connectx.case"),
        file!("darwin", "connectx-data.case"),
        file!("darwin", "connectx-nobody.case"),
        file!("darwin", "connectx-down.case"),
        file!("darwin", "disconnectx.case"),
        file!("darwin", "recvmsg-x.case"),
    ];
    text::among(&files, [("darwin/recvmsg-x", vec![batches::sends()])])
}
