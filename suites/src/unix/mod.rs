//! Unix sockets (unix(7)): by which names they go, who is there, how data and connections end, and what is sent
//! beside data. POSIX has the calls and leaves the names to systems; abstract names, records and credentials in
//! messages are Linux's.

mod long;

use crate::table::Table;
use crate::text::{self, file};

/// The suite's tables, in the order in which they are shown.
pub(crate) fn tables() -> Vec<Table> {
    let files = [
        file!("unix", "addresses.case"),
        file!("unix", "connect.case"),
        file!("unix", "data.case"),
        file!("unix", "paths.case"),
        file!("unix", "beside.case"),
        file!("unix", "urgent.case"),
    ];
    text::among(&files, [("unix/lookup", vec![long::table()])])
}
