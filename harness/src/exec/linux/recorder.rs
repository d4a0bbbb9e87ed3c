//! What a program asks the kernel about sockets, written down as strace would, by ptrace(2).
//!
//! A user notification of seccomp (seccomp(2)) tells that a call begins and not what it returned, and asks that
//! the program can gain no rights; a tracer sees both, and takes nothing from the program but the right to
//! trace itself. Each call is two lines, where it begins and where it ends, so that those of several threads
//! are told in their order.

mod args;

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// `PTRACE_GET_SYSCALL_INFO` (`include/uapi/linux/ptrace.h`), since Linux 5.3.
const GET_SYSCALL_INFO: libc::c_long = 0x420e;

/// A stop at a call: its number and arguments where it begins, what it returned where it ends.
enum Stop {
    Entry(i64, [u64; 6]),
    Exit(i64),
    Other,
}

/// Runs a program and writes its calls, and those of all that it starts; its exit status when all have ended,
/// 128 and the number of a signal that ended it.
pub(in crate::exec) fn record(argv: &[String], output: &mut dyn Write) -> io::Result<i32> {
    let (program, arguments) =
        argv.split_first().ok_or_else(|| io::Error::other("no program is named"))?;
    let mut command = Command::new(program);
    command.args(arguments);
    // SAFETY: between fork and exec it makes one system call.
    unsafe { command.pre_exec(|| ptrace::traceme().map_err(io::Error::from)) };
    let child = command.spawn()?;
    let main = Pid::from_raw(i32::try_from(child.id()).unwrap_or(0));
    // It stops where exec has ended.
    waitpid(main, None)?;
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    ptrace::setoptions(main, options)?;
    ptrace::syscall(main, None)?;
    let mut known = HashSet::from([main]);
    let mut open: HashMap<Pid, (&'static str, [u64; 6])> = HashMap::new();
    let mut status = 0;
    loop {
        let stopped = match waitpid(None::<Pid>, Some(WaitPidFlag::__WALL)) {
            Ok(stopped) => stopped,
            Err(Errno::EINTR) => continue,
            Err(Errno::ECHILD) => return Ok(status),
            Err(e) => return Err(e.into()),
        };
        let (pid, signal) = match stopped {
            WaitStatus::Exited(pid, code) => {
                if pid == main {
                    status = code;
                }
                continue;
            }
            WaitStatus::Signaled(pid, signal, _) => {
                if pid == main {
                    status = 128 + signal as i32;
                }
                continue;
            }
            WaitStatus::PtraceSyscall(pid) => {
                known.insert(pid);
                at_call(pid, &mut open, output)?;
                (pid, None)
            }
            WaitStatus::Stopped(pid, signal) => (pid, delivered(pid, signal, &mut known)),
            WaitStatus::PtraceEvent(pid, ..) => {
                known.insert(pid);
                (pid, None)
            }
            _ => continue,
        };
        // It may have been killed meanwhile.
        let _ = ptrace::syscall(pid, signal);
    }
}

/// The signal that a stop is for; none for the first stop of a new thread, and for one in which all of a
/// process stop, of which the kernel tells no origin.
fn delivered(pid: Pid, signal: Signal, known: &mut HashSet<Pid>) -> Option<Signal> {
    let is_first = known.insert(pid) && signal == Signal::SIGSTOP;
    let stops = ptrace::getsiginfo(pid).is_err();
    (!is_first && !stops).then_some(signal)
}

fn at_call(
    pid: Pid,
    open: &mut HashMap<Pid, (&'static str, [u64; 6])>,
    output: &mut dyn Write,
) -> io::Result<()> {
    match stop(pid) {
        Stop::Entry(number, given) => {
            if let Some(name) = args::name(number) {
                open.insert(pid, (name, given));
                writeln!(output, "{pid} {name}(<unfinished ...>")?;
            }
        }
        Stop::Exit(ret) => {
            if let Some((name, given)) = open.remove(&pid) {
                let (said, beside) = args::said(pid, name, given, ret);
                let came = args::returned(ret);
                writeln!(output, "{pid} <... {name} resumed>{said}) = {came}{beside}")?;
            }
        }
        Stop::Other => {}
    }
    Ok(())
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
    match info[0].to_ne_bytes()[0] {
        1 => {
            let mut given = [0; 6];
            given.copy_from_slice(&info[4..10]);
            Stop::Entry(info[3].cast_signed(), given)
        }
        2 => Stop::Exit(info[3].cast_signed()),
        _ => Stop::Other,
    }
}
