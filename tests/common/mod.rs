//! What the tests of the program share.

#![allow(dead_code, reason = "each test file is a crate of its own, and none needs all of this")]

pub(crate) mod turn;

use std::process::{Command, Output};
use std::sync::OnceLock;

use harness::case::Os;

pub(crate) use turn::turn;

/// Runs the program, in its turn.
pub(crate) fn sockeye(args: &[&str]) -> Output {
    let _turn = turn();
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
    static ABLE: OnceLock<bool> = OnceLock::new();
    let able = *ABLE.get_or_init(|| sockeye(&["doctor"]).status.success());
    if !able {
        eprintln!("skipped: this host has no labs, see `sockeye doctor`");
    }
    able
}

/// Whether this is Linux; elsewhere the tests of what only Linux does or has say that they are none.
pub(crate) fn is_linux() -> bool {
    let linux = Os::host() == Some(Os::Linux);
    if !linux {
        eprintln!("skipped: this is about Linux");
    }
    linux
}

/// Whether a run has worked. On Linux it finds nothing that has to be looked at; elsewhere nobody has
/// looked yet at where the system deviates.
pub(crate) fn has_run(output: &Output) -> bool {
    let expected = if Os::host() == Some(Os::Linux) { 0..=0 } else { 0..=1 };
    output.status.code().is_some_and(|code| expected.contains(&code))
}
