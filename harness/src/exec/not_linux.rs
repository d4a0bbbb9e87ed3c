//! What an executor does on Linux alone, as every other system does it.

use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;

use libc::c_int;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::gave::Returned;
use super::sockaddr::RawAddr;

/// None that is known.
pub(super) fn limits() -> Vec<crate::trace::HostLimit> {
    Vec::new()
}

/// No program can be given files and a network of its own.
pub(super) fn enter_network_with_files(_: &[(&str, String)]) -> Result<(), String> {
    Err("only Linux gives a program files and a network of its own".to_owned())
}

/// It has no `accept4`; what a case asks for by one is not here.
pub(super) fn accept4(_: RawFd, _: &mut RawAddr, _: c_int) -> Returned {
    Err(libc::ENOSYS)
}

/// The family of a socket, by its own address; none of what is no socket, or of one that has no address left.
pub(super) fn family(fd: RawFd) -> Option<c_int> {
    let mut name = RawAddr::room();
    super::calls::getsockname(fd, &mut name).ok()?;
    (name.len > 0).then(|| name.family())
}

/// Nor `ppoll`.
pub(super) fn ppoll(
    _: &mut [libc::pollfd],
    _: c_int,
    _: Option<&nix::sys::signal::SigSet>,
) -> Returned {
    Err(libc::ENOSYS)
}

/// Nor epoll.
pub(super) fn epoll_create1(_: c_int) -> Returned {
    Err(libc::ENOSYS)
}

/// Nor any other whose arguments are written out.
pub(super) fn raw_call(_: &str, _: &[super::raw::Given]) -> Option<Returned> {
    None
}

/// Nor another call of Linux's that waits.
pub(super) fn prepared(
    _: &super::runner::Runner<'_>,
    op: &crate::case::Op,
) -> Result<super::waiting::Call, super::gave::Fault> {
    Err(super::gave::Fault::Unsupported(op.call().to_owned()))
}

/// Nor capabilities.
pub(super) enum Rights {}

pub(super) fn lessened(_: &[crate::case::process::Capability]) -> Result<Rights, c_int> {
    Err(libc::ENOSYS)
}

/// Nor limits of a user's that they lift.
pub(super) fn may_exceed_limits() -> bool {
    true
}

/// Whom the process acts for again when this goes.
pub(super) struct User(libc::uid_t);

impl Drop for User {
    fn drop(&mut self) {
        // SAFETY: takes its argument by value.
        if unsafe { libc::seteuid(self.0) } == -1 {
            std::process::abort();
        }
    }
}

/// Has the process act for this user, until what is returned goes.
pub(super) fn acting(uid: libc::uid_t) -> Result<User, c_int> {
    let before = nix::unistd::geteuid().as_raw();
    // SAFETY: takes its argument by value.
    match unsafe { libc::seteuid(uid) } {
        -1 => Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(0)),
        _ => Ok(User(before)),
    }
}

/// Files that a thread may see in place of the host's: there are none.
#[derive(Debug)]
pub(super) enum Files {}

/// Files are the host's, wherever they lie.
pub(super) fn files_of_its_own() -> Result<[OwnedFd; 2], String> {
    Err("there is one tree of files".to_owned())
}

/// All networks are the host's.
pub(super) fn leave_lab() {}

/// The thread runs wherever the system likes.
pub(super) fn stay(_: bool) {}

/// With which rights root runs a program, the least first: there are no namespaces.
pub(super) const ROOTS_RIGHTS: &[super::confine::Rights] =
    &[super::confine::Rights::Nobody, super::confine::Rights::Same];

/// Who could see another program's calls is Linux's alone.
pub(super) fn record(_: &[String], _: &std::fs::File) -> std::io::Error {
    std::io::Error::other("the calls of programs are recorded on Linux only")
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
    pub(super) fn start(command: &mut Command, _: Option<Arc<Files>>) -> Result<Self, String> {
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
