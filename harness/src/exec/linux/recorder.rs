//! What a program asks the kernel about sockets, written down as strace would, by ptrace(2).
//!
//! A user notification of seccomp (seccomp(2)) tells that a call begins and not what it returned, and asks that
//! the program can gain no rights; a tracer sees both, and takes nothing from the program but the right to
//! trace itself. Each call is two lines, where it begins and where it ends, so that those of several threads
//! are told in their order.

mod args;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, LineWriter, PipeReader, PipeWriter, Read as _, Write};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, getpid, setsid};

/// `PTRACE_GET_SYSCALL_INFO` (`include/uapi/linux/ptrace.h`), since Linux 5.3.
const GET_SYSCALL_INFO: libc::c_long = 0x420e;

/// The word by which the kernel tells whose numbers a call's are (`include/uapi/linux/audit.h`), where [`args`]
/// has those of this system's programs.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: Option<u32> = Some(0xc000_003e);
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: Option<u32> = Some(0xc000_00b7);
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const ARCHITECTURE: Option<u32> = None;

/// A stop at a call: its number and arguments where it begins, what it returned where it ends.
#[derive(Debug, PartialEq, Eq)]
enum Stop {
    Entry(i64, [u64; 6]),
    Exit(i64),
    /// A call of another architecture's table (`int 0x80` of a program of 64 bits).
    Foreign,
    Other,
}

/// Becomes a program, whose calls, and those of all that it starts, are written by a process beside it. The
/// program is who it would be without: its end is told to whoever waits for it, though what it started runs on.
/// Returns only if nothing is run.
pub(in crate::exec) fn record(argv: &[String], output: &File) -> io::Error {
    match argv.split_first() {
        Some((program, arguments)) => {
            become_program(program, arguments, output).unwrap_or_else(|e| e)
        }
        None => io::Error::other("no program is named"),
    }
}

fn become_program(program: &str, arguments: &[String], output: &File) -> io::Result<io::Error> {
    let (is_seized, seized) = io::pipe()?;
    let main = getpid();
    // SAFETY: takes its arguments by value. Where it is not known it is not needed (Yama).
    unsafe { libc::prctl(libc::PR_SET_PTRACER, libc::PR_SET_PTRACER_ANY) };
    // SAFETY: this process has one thread.
    if let ForkResult::Child = unsafe { fork() }? {
        // A child would be one that the program has not made: its parent is gone at once.
        // SAFETY: this process has one thread.
        if let Ok(ForkResult::Child) = unsafe { fork() } {
            drop(is_seized);
            // A line at once: this process may be ended as all others are.
            let mut output = LineWriter::new(output);
            let _ = begin(main, seized).and_then(|()| follow(main, &mut output));
        }
        // SAFETY: takes its arguments by value; nothing of this process is left to be done.
        unsafe { libc::_exit(0) };
    }
    drop(seized);
    waitpid(None::<Pid>, None)?;
    followed(is_seized)?;
    // SAFETY: takes its arguments by value.
    unsafe { libc::prctl(libc::PR_SET_PTRACER, 0) };
    Ok(Command::new(program).args(arguments).exec())
}

/// Waits until the process is followed.
fn followed(mut is_seized: PipeReader) -> io::Result<()> {
    let mut errno = [0; 4];
    is_seized.read_exact(&mut errno).map_err(|_| io::Error::other("who follows it has ended"))?;
    match i32::from_ne_bytes(errno) {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// Has a process followed, and tells it so. It is seized, not attached to: so a signal that stops all of it does
/// (ptrace(2), "Group-stop").
fn begin(main: Pid, mut seized: PipeWriter) -> io::Result<()> {
    // A signal to the program's group is not for this process.
    let _ = setsid();
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    let came = ptrace::seize(main, options).and_then(|()| ptrace::interrupt(main));
    let errno = came.err().map_or(0, |errno| errno as i32);
    seized.write_all(&errno.to_ne_bytes())?;
    came.map_err(io::Error::from)
}

/// Calls that have begun.
#[derive(Default)]
struct Calls {
    open: HashMap<Pid, (&'static str, [u64; 6])>,
    /// What `clone` is to make.
    flags: HashMap<Pid, u64>,
    /// Whether the program runs: what comes before is how it is begun.
    is_begun: bool,
    /// Whether calls have been passed over.
    is_foreign: bool,
}

/// Writes the calls of a process and of all that it starts until they have ended.
fn follow(main: Pid, output: &mut dyn Write) -> io::Result<()> {
    let mut calls = Calls::default();
    loop {
        let stopped = match waitpid(None::<Pid>, Some(WaitPidFlag::__WALL)) {
            Ok(stopped) => stopped,
            Err(Errno::EINTR) => continue,
            Err(Errno::ECHILD) => return Ok(()),
            Err(e) => return Err(e.into()),
        };
        let (pid, signal) = match stopped {
            WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..) => {
                calls.open.remove(&pid);
                calls.flags.remove(&pid);
                continue;
            }
            WaitStatus::PtraceSyscall(pid) => {
                if calls.is_begun {
                    calls.at(pid, output)?;
                }
                (pid, None)
            }
            WaitStatus::PtraceEvent(pid, signal, libc::PTRACE_EVENT_STOP) => {
                if stops(signal) {
                    listen(pid);
                    continue;
                }
                (pid, None)
            }
            WaitStatus::PtraceEvent(pid, _, event) => {
                calls.is_begun |= event == libc::PTRACE_EVENT_EXEC && pid == main;
                calls.event(pid, event, output)?;
                (pid, None)
            }
            WaitStatus::Stopped(pid, signal) => (pid, Some(signal)),
            _ => continue,
        };
        // It may have been killed meanwhile.
        let _ = ptrace::syscall(pid, signal);
    }
}

/// Whether a process is stopped by this signal until it is told to go on (signal(7)).
fn stops(signal: Signal) -> bool {
    matches!(signal, Signal::SIGSTOP | Signal::SIGTSTP | Signal::SIGTTIN | Signal::SIGTTOU)
}

/// Leaves a thread stopped, as all of its process are.
fn listen(pid: Pid) {
    let nothing = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: takes its arguments by value. It may have been killed meanwhile.
    unsafe { libc::ptrace(libc::PTRACE_LISTEN, pid.as_raw(), nothing, nothing) };
}

impl Calls {
    fn at(&mut self, pid: Pid, output: &mut dyn Write) -> io::Result<()> {
        match stop(pid) {
            Stop::Entry(number, given) => {
                if let Some(flags) = args::flags_of_clone(pid, number, given) {
                    self.flags.insert(pid, flags);
                }
                if let Some(name) = args::name(number) {
                    self.open.insert(pid, (name, given));
                    writeln!(output, "{pid} {name}(<unfinished ...>")?;
                }
            }
            Stop::Exit(ret) => {
                self.flags.remove(&pid);
                if let Some((name, given)) = self.open.remove(&pid) {
                    let (said, beside) = args::said(pid, name, given, ret);
                    let came = args::returned(ret);
                    writeln!(output, "{pid} <... {name} resumed>{said}) = {came}{beside}")?;
                }
            }
            Stop::Foreign if !self.is_foreign => {
                self.is_foreign = true;
                writeln!(output, "{pid} foreign() = 0")?;
            }
            Stop::Foreign | Stop::Other => {}
        }
        Ok(())
    }

    /// A thread or a process is made, or a process has become another program.
    fn event(&mut self, pid: Pid, event: i32, output: &mut dyn Write) -> io::Result<()> {
        if event == libc::PTRACE_EVENT_EXEC {
            self.open.remove(&pid);
            return Ok(());
        }
        let Ok(child) = ptrace::getevent(pid) else { return Ok(()) };
        let is_thread = event == libc::PTRACE_EVENT_CLONE
            && self.flags.get(&pid).is_none_or(|flags| flags & libc::CLONE_THREAD as u64 != 0);
        let made = if is_thread { "clone(flags=CLONE_THREAD)" } else { "fork()" };
        if self.is_begun { writeln!(output, "{pid} {made} = {child}") } else { Ok(()) }
    }
}

/// What the kernel says of the stop that a thread is in.
fn stop(pid: Pid) -> Stop {
    // `struct ptrace_syscall_info`: a byte that says which, two words, and then what the stop is about.
    let mut info = [0u64; 11];
    let size = size_of_val(&info);
    // SAFETY: the kernel writes as many bytes as there are at the most.
    let wrote =
        unsafe { libc::ptrace(GET_SYSCALL_INFO as _, pid.as_raw(), size, info.as_mut_ptr()) };
    if wrote <= 0 {
        return Stop::Other;
    }
    read_stop(&info)
}

fn read_stop(info: &[u64; 11]) -> Stop {
    let [which, _, _, _, architecture @ ..] = info[0].to_ne_bytes();
    if which == 1 && ARCHITECTURE.is_some_and(|own| own != u32::from_ne_bytes(architecture)) {
        return Stop::Foreign;
    }
    match which {
        1 => {
            let mut given = [0; 6];
            given.copy_from_slice(&info[4..10]);
            Stop::Entry(info[3].cast_signed(), given)
        }
        2 => Stop::Exit(info[3].cast_signed()),
        _ => Stop::Other,
    }
}
