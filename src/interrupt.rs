//! Ctrl-C while machines run: they end, nothing of theirs stays, and so does this program.

use std::process::Command;

use anyhow::{Context as _, Result};
use harness::subject;
use nix::sys::signal::{SigSet, Signal};

/// What a shell says of a program that a signal ended is 128 and the signal's number.
const BASE: i32 = 128;

/// Has the program end in order when it is interrupted, from now on.
///
/// Call this before there is any other thread: each takes over that the signals are blocked.
pub(crate) fn tidy_up() -> Result<()> {
    tidy_up_with(|| None)
}

/// The same, where it ends with this status if there is one.
pub(crate) fn tidy_up_with(status: impl Fn() -> Option<u8> + Send + 'static) -> Result<()> {
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        signals.add(signal);
    }
    // A guard that took over that they are blocked would outlive a SIGTERM of its own.
    guard()?;
    signals.thread_block()?;
    std::thread::Builder::new().spawn(move || {
        if let Ok(signal) = signals.wait() {
            subject::abandon();
            std::process::exit(status().map_or(BASE + signal as i32, i32::from));
        }
    })?;
    Ok(())
}

/// Has all that the program starts end with it even when it is killed, from now on.
pub(crate) fn guard() -> Result<()> {
    let program = std::env::current_exe().context("this program cannot find itself")?;
    let command = |mark: &str| {
        let mut command = Command::new(program);
        command.args(["exec", "--guard", mark]);
        command
    };
    subject::guard(command).context("the guard cannot be started")
}
