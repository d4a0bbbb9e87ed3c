//! Calls of two threads against each other: one waits in a call, and another one does something to the
//! socket. POSIX says what a call does, and little of what becomes of one that is under way; close(2) says
//! that it is unspecified, "Multithreaded processes and `close()`".

use crate::table::Table;
use crate::text::{self, file};

/// The suite's tables, in the order in which they are shown.
pub(crate) fn tables() -> Vec<Table> {
    let files = [
        file!("threads", "streams.case"),
        file!("threads", "full.case"),
        file!("threads", "connections.case"),
        file!("threads", "datagrams.case"),
    ];
    text::among(&files, [])
}
