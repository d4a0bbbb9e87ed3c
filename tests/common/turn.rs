//! Tests that need a lab take turns where labs share the host's network.

use std::fs::{File, OpenOptions};
use std::path::Path;

/// Waits until no other test has a lab, however long that takes, where there is one network for all.
/// Whoever holds what is returned has the only one: each thread of a test program and each program
/// opens the file anew, so that both wait for each other.
pub(crate) fn turn() -> Option<File> {
    harness::exec::shares_the_network()
        .then(|| of(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("lab.lock")))
}

/// The turn that a file stands for. To lock it one need not be able to write it: it may be root's.
pub(crate) fn of(file: &Path) -> File {
    let make = || OpenOptions::new().create(true).append(true).open(file);
    let opened = File::open(file).or_else(|_| make()).expect("the lock of the lab can be opened");
    opened.lock().expect("the lab has a turn");
    opened
}
