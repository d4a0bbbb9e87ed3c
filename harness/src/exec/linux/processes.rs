//! A program and all that it starts: in a PID namespace of their own, so that none outlives it.

use std::ffi::CString;
use std::io::{self, PipeReader, Read as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;

use nix::mount::{MsFlags, mount};
use nix::poll::{PollFd, PollFlags, poll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::files::see;

/// They go when it is dropped: the kernel ends all of a PID namespace with its first process.
///
/// Three processes of the executor's own making: one in the executor's namespace, since only who goes
/// into a new one to stay may do so without the host's root (`pid_namespaces(7)`); the first one in
/// the new namespace; and the one that becomes the program.
pub(in crate::exec) struct Processes {
    /// The one in the executor's namespace, which waits for the namespace's first.
    outer: Child,
    /// Who that is, as it says.
    first: Option<Pid>,
    /// On which they say that, and how the program ended.
    told: PipeReader,
    ended: Option<ExitStatus>,
}

/// What stands before a number on the pipe.
const FIRST: u8 = b'f';
const ENDED: u8 = b'e';

impl Processes {
    /// Starts the program, which sees `files`.
    ///
    /// # Errors
    /// One sentence.
    pub(in crate::exec) fn start(
        command: &mut Command,
        files: Option<Arc<OwnedFd>>,
    ) -> Result<Self, String> {
        let (told, tell) = io::pipe().map_err(|e| format!("no pipe: {e}"))?;
        let here = std::env::current_dir().unwrap_or_default();
        let here = CString::new(here.as_os_str().as_bytes()).unwrap_or_default();
        let to = tell.as_raw_fd();
        let begin = move || begin(files.as_deref(), &here, to);
        // SAFETY: between fork and exec it makes system calls and allocates nothing, unless one fails.
        unsafe { command.pre_exec(begin) };
        let program = command.get_program().to_string_lossy().into_owned();
        let outer = command.spawn().map_err(|e| format!("{program}: {e}"))?;
        Ok(Self { outer, first: None, told, ended: None })
    }

    /// Reads what has been told.
    fn listen(&mut self) {
        let mut word = [0; 5];
        loop {
            let mut fds = [PollFd::new(self.told.as_fd(), PollFlags::POLLIN)];
            let ready = poll(&mut fds, 0u8).is_ok_and(|ready| ready > 0);
            // Whole words are written at once. At the end there is nothing to read.
            if !ready || self.told.read_exact(&mut word).is_err() {
                return;
            }
            let [what, number @ ..] = word;
            let number = i32::from_ne_bytes(number);
            match what {
                FIRST => self.first = Some(Pid::from_raw(number)),
                _ => self.ended = Some(ExitStatus::from_raw(number)),
            }
        }
    }

    /// How the program ended, if it has.
    pub(in crate::exec) fn ended(&mut self) -> Option<ExitStatus> {
        self.listen();
        self.ended
    }

    /// Whether it and all that it started have ended.
    pub(in crate::exec) fn are_over(&mut self) -> bool {
        self.outer.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Ends whatever is left, and waits until it has gone.
    pub(in crate::exec) fn end(&mut self) {
        self.listen();
        if self.are_over() {
            return;
        }
        match self.first {
            Some(first) => drop(kill(first, Signal::SIGKILL)),
            // Which ends the other.
            None => drop(self.outer.kill()),
        }
        let _ = self.outer.wait();
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.end();
    }
}

/// From the process that was forked on to the one that becomes the program; the others wait.
fn begin(files: Option<&OwnedFd>, here: &CString, tell: RawFd) -> io::Result<()> {
    go_with_parent();
    unshare(CloneFlags::CLONE_NEWPID)?;
    if let Some(first) = fork()? {
        say(tell, FIRST, first);
        wait(tell, None);
    }
    go_with_parent();
    if let Some(files) = files {
        see(files).map_err(io::Error::other)?;
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        // Where the host does not let it, `/proc` has the host's numbers.
        let _ = mount(Some("proc"), "/proc", Some("proc"), flags, None::<&str>);
        // Entering them led to their root (setns(2)).
        let _ = nix::unistd::chdir(here.as_c_str());
    }
    match fork()? {
        None => Ok(()),
        program => wait(tell, program),
    }
}

/// When who forked this process goes, so does it.
fn go_with_parent() {
    // SAFETY: takes its arguments by value.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// The other process, in the one that goes on to wait for it.
fn fork() -> io::Result<Option<libc::pid_t>> {
    // SAFETY: this process has one thread, a copy of the one that forked it.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(None),
        other => Ok(Some(other)),
    }
}

fn say(tell: RawFd, what: u8, number: i32) {
    let [a, b, c, d] = number.to_ne_bytes();
    let word = [what, a, b, c, d];
    // SAFETY: the bytes live through the call.
    unsafe { libc::write(tell, word.as_ptr().cast(), word.len()) };
}

/// Waits for all that there is to wait for, tells how the program ended, and ends.
fn wait(tell: RawFd, program: Option<libc::pid_t>) -> ! {
    // What others hold the other end of must not stay open: the program's output, the pipe on which
    // it is told that exec has been reached, links.
    for fd in (0..MOST_FDS).filter(|fd| *fd != tell) {
        // SAFETY: nothing is done with any of them any more.
        unsafe { libc::close(fd) };
    }
    loop {
        let mut status = 0;
        // SAFETY: the status lives through the call.
        let ended = unsafe { libc::waitpid(-1, &raw mut status, 0) };
        if Some(ended) == program {
            say(tell, ENDED, status);
        }
        let interrupted = || io::Error::last_os_error().raw_os_error() == Some(libc::EINTR);
        if ended < 0 && !interrupted() {
            // SAFETY: ends this process without running anything of the executor's.
            unsafe { libc::_exit(0) };
        }
    }
}

/// More than an executor ever has open.
const MOST_FDS: RawFd = 4096;
