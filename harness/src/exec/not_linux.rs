//! What an executor does on Linux alone, as every other system does it.

use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// None that is known.
pub(super) fn limits() -> Vec<crate::trace::HostLimit> {
    Vec::new()
}

/// All networks are the host's.
pub(super) fn leave_lab() {}

/// The thread runs wherever the system likes.
pub(super) fn stay(_: bool) {}

/// With which rights root runs a program, the least first: there are no namespaces.
pub(super) const ROOTS_RIGHTS: &[super::confine::Rights] =
    &[super::confine::Rights::Nobody, super::confine::Rights::Same];

/// Who could see another program's calls is Linux's alone.
pub(super) fn record(_: &[String], _: &mut dyn std::io::Write) -> std::io::Result<i32> {
    Err(std::io::Error::other("the calls of programs are recorded on Linux only"))
}

/// Nothing more can be taken away.
#[allow(clippy::unnecessary_wraps, reason = "it may fail on Linux")]
pub(super) fn lessen(_: super::confine::Rights, _: Pid) -> std::io::Result<()> {
    Ok(())
}

/// A program of the user's, and what of it stays in its process group.
pub(super) struct Processes {
    child: Child,
    ended: Option<ExitStatus>,
}

impl Processes {
    /// Starts the program, which sees the host's files.
    pub(super) fn start(command: &mut Command, _: Option<Arc<OwnedFd>>) -> Result<Self, String> {
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command.process_group(0).spawn().map_err(|e| format!("{program}: {e}"))?;
        Ok(Self { child, ended: None })
    }

    /// How the program ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.ended = self.ended.or_else(|| self.child.try_wait().ok().flatten());
        self.ended
    }

    fn group(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(i32::MAX))
    }

    /// Whether it and all of its group have ended.
    pub(super) fn are_over(&mut self) -> bool {
        self.ended().is_some() && killpg(self.group(), None).is_err()
    }

    /// Ends whatever is left of them.
    pub(super) fn end(&mut self) {
        let _ = killpg(self.group(), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// This is never the first process of a machine that was made for it.
pub(super) mod init {
    pub(in crate::exec) fn is_first() -> bool {
        false
    }

    pub(in crate::exec) fn live() {}
}

pub(super) mod plant {
    use std::io;

    pub(in crate::exec) fn sendto_lies() -> io::Result<()> {
        Err(io::Error::other("faults can be planted on Linux only"))
    }

    pub(in crate::exec) fn refuse(_: &str) -> io::Result<()> {
        sendto_lies()
    }

    pub(in crate::exec) fn happen(_: crate::exec::Mishap) -> io::Result<()> {
        sendto_lies()
    }
}
