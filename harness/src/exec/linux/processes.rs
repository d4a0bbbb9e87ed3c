//! A program and all that it starts: in a PID namespace of their own, so that none outlives it.

use std::ffi::CString;
use std::io::{self, PipeReader, Read as _};
use std::os::fd::{AsFd as _, AsRawFd as _, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use nix::mount::{MsFlags, mount};
use nix::poll::{PollFd, PollFlags, poll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid, getppid};

use super::files::{Files, see};

/// They go when it is dropped: the kernel ends all of a PID namespace with its first process.
///
/// Three processes of the executor's own making: one in the executor's namespace, since only who goes
/// into a new one to stay may do so without the host's root (`pid_namespaces(7)`); the first one in
/// the new namespace; and the one that becomes the program.
pub(in crate::exec) struct Processes {
    /// The one in the executor's namespace, which waits for the namespace's first, and ends it when it is
    /// asked to: it alone knows that the number is not another's yet, since it is the parent.
    outer: Child,
    /// On which it is told how the program ended.
    told: PipeReader,
    ended: Option<ExitStatus>,
}

impl Processes {
    /// Starts the program, which sees `files`.
    ///
    /// # Errors
    /// One sentence.
    pub(in crate::exec) fn start(
        command: &mut Command,
        files: Option<Arc<Files>>,
    ) -> Result<Self, String> {
        let (told, tell) = io::pipe().map_err(|e| format!("no pipe: {e}"))?;
        let here = std::env::current_dir().unwrap_or_default();
        let here = CString::new(here.as_os_str().as_bytes()).unwrap_or_default();
        let (to, executor) = (tell.as_raw_fd(), getpid());
        let begin = move || begin(files.as_deref(), &here, to, executor);
        // SAFETY: between fork and exec it makes system calls and allocates nothing, unless one fails.
        unsafe { command.pre_exec(begin) };
        let program = command.get_program().to_string_lossy().into_owned();
        let outer = command.spawn().map_err(|e| format!("{program}: {e}"))?;
        Ok(Self { outer, told, ended: None })
    }

    /// How the program ended, if it has.
    pub(in crate::exec) fn ended(&mut self) -> Option<ExitStatus> {
        let mut status = [0; 4];
        let mut fds = [PollFd::new(self.told.as_fd(), PollFlags::POLLIN)];
        // It is written at once. At the end there is nothing to read.
        let ready = poll(&mut fds, 0u8).is_ok_and(|ready| ready > 0);
        if ready && self.told.read_exact(&mut status).is_ok() {
            self.ended = Some(ExitStatus::from_raw(i32::from_ne_bytes(status)));
        }
        self.ended
    }

    /// Whether it and all that it started have ended.
    pub(in crate::exec) fn are_over(&mut self) -> bool {
        self.outer.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Ends whatever is left, and waits until it has gone.
    pub(in crate::exec) fn end(&mut self) {
        if self.are_over() {
            return;
        }
        // Nobody else has its number before it was waited for.
        if let Ok(outer) = i32::try_from(self.outer.id()) {
            let _ = kill(Pid::from_raw(outer), Signal::SIGTERM);
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
fn begin(files: Option<&Files>, here: &CString, tell: RawFd, executor: Pid) -> io::Result<()> {
    go_with_parent();
    // It may have gone before that was said.
    if getppid() != executor {
        return Err(io::Error::other("the executor has gone"));
    }
    unshare(CloneFlags::CLONE_NEWPID)?;
    let (outers_end, outer_is_there) = pipe()?;
    if let Some(first) = fork()? {
        wait_for_first(first, outer_is_there);
    }
    close(outer_is_there);
    go_with_parent();
    // Of another PID namespace: no number tells whether it has gone before that was said.
    if has_ended(outers_end) {
        return Err(io::Error::other("the process before this one has gone"));
    }
    close(outers_end);
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
        Some(program) => wait_for_all(tell, program),
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

/// What is read from, and what is written to.
fn pipe() -> io::Result<(RawFd, RawFd)> {
    let mut ends = [-1; 2];
    // SAFETY: there is room for two descriptors.
    match unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } {
        0 => Ok((ends[0], ends[1])),
        _ => Err(io::Error::last_os_error()),
    }
}

fn close(fd: RawFd) {
    // SAFETY: nothing is done with it any more.
    unsafe { libc::close(fd) };
}

/// Whether nobody holds the other end of a pipe any more.
fn has_ended(read: RawFd) -> bool {
    let mut fd = libc::pollfd { fd: read, events: 0, revents: 0 };
    // SAFETY: one entry, which lives through the call.
    unsafe { libc::poll(&raw mut fd, 1, 0) };
    fd.revents & libc::POLLHUP != 0
}

/// Closes all but one descriptor. What others hold the other end of must not stay open: the program's
/// output, the pipe on which it is told that exec has been reached, links.
fn let_go(but: RawFd) {
    (0..MOST_FDS).filter(|fd| *fd != but).for_each(close);
}

/// More than an executor ever has open.
const MOST_FDS: RawFd = 4096;

/// Whom [`end_first`] ends.
static FIRST: AtomicI32 = AtomicI32::new(0);

extern "C" fn end_first(_: libc::c_int) {
    // SAFETY: takes its arguments by value, and may be called in a handler (signal-safety(7)).
    unsafe { libc::kill(FIRST.load(Ordering::Relaxed), libc::SIGKILL) };
}

/// Has SIGTERM do that.
fn on_sigterm(handler: libc::sighandler_t) {
    // SAFETY: the handler is one, or `SIG_IGN`.
    unsafe { libc::signal(libc::SIGTERM, handler) };
}

/// Waits for the namespace's first process, ends it when it is told to, and ends.
fn wait_for_first(first: libc::pid_t, here_i_am: RawFd) -> ! {
    FIRST.store(first, Ordering::Relaxed);
    on_sigterm(end_first as extern "C" fn(libc::c_int) as libc::sighandler_t);
    let_go(here_i_am);
    // Its number is its own until it is taken away below, and then nobody is told to end it any more.
    let how = libc::WEXITED | libc::WNOWAIT;
    // SAFETY: all zeros is a valid `siginfo_t`.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let number = first.cast_unsigned();
    // SAFETY: `info` lives through the call.
    while unsafe { libc::waitid(libc::P_PID, number, &raw mut info, how) } != 0 && interrupted() {}
    on_sigterm(libc::SIG_IGN);
    // SAFETY: takes its arguments by value but for the status, which is not asked for.
    while unsafe { libc::waitpid(first, std::ptr::null_mut(), 0) } < 0 && interrupted() {}
    end()
}

/// Waits for all that there is to wait for, tells how the program ended, and ends.
fn wait_for_all(tell: RawFd, program: libc::pid_t) -> ! {
    let_go(tell);
    loop {
        let mut status = 0;
        // SAFETY: the status lives through the call.
        let ended = unsafe { libc::waitpid(-1, &raw mut status, 0) };
        if ended == program {
            let said = i32::to_ne_bytes(status);
            // SAFETY: the bytes live through the call.
            unsafe { libc::write(tell, said.as_ptr().cast(), said.len()) };
        }
        if ended < 0 && !interrupted() {
            end()
        }
    }
}

fn interrupted() -> bool {
    io::Error::last_os_error().raw_os_error() == Some(libc::EINTR)
}

fn end() -> ! {
    // SAFETY: ends this process without running anything of the executor's.
    unsafe { libc::_exit(0) }
}
