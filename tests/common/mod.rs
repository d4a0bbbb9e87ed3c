//! What the tests of the program share.

#![allow(dead_code, reason = "each test file is a crate of its own, and none needs all of this")]

use std::process::{Command, Output};

/// Runs the program.
pub(crate) fn sockeye(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sockeye")).args(args).output().expect("sockeye starts")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Whether this host can make labs; where it cannot, the tests that need one say so.
pub(crate) fn has_labs() -> bool {
    let able = sockeye(&["doctor"]).status.success();
    if !able {
        eprintln!("skipped: this host has no labs, see `sockeye doctor`");
    }
    able
}
