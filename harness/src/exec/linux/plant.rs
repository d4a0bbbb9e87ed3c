//! Faults: a call that lies, by seccomp(2), since a supervisor answers it in the kernel's stead; and
//! what can happen to a machine.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};

use nix::sys::ptrace;
use nix::sys::reboot::{RebootMode, reboot};
use nix::unistd::Pid;

use crate::exec::Mishap;

const fn statement(code: u32, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

const fn jump_if_equal(k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    let code = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    libc::sock_filter { code, jt, jf, k }
}

const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const RETURN: u32 = libc::BPF_RET | libc::BPF_K;

/// Offsets in `struct seccomp_data`: the call's number, the lower half of its first argument, and both
/// halves of its argument 4.
const NUMBER: u32 = 0;
const DOMAIN: u32 = 16;
const ADDRESS: u32 = 16 + 4 * 8;

/// `_IOWR('!', 0, struct seccomp_notif)` and `_IOWR('!', 1, struct seccomp_notif_resp)`.
const NOTIF_RECV: libc::Ioctl = 0xc050_2100_u32 as libc::Ioctl;
const NOTIF_SEND: libc::Ioctl = 0xc018_2101_u32 as libc::Ioctl;

/// Lets something happen to the machine that this is.
///
/// # Errors
/// This is no machine that was made to have it happen: nobody else's kernel is harmed.
pub(in crate::exec) fn happen(mishap: Mishap) -> io::Result<()> {
    let told = std::fs::read_to_string("/proc/cmdline")?;
    if !told.contains("sockeye.plant=") {
        return Err(io::Error::other("this kernel was not started to have a fault planted"));
    }
    match mishap {
        Mishap::Panic => std::fs::write("/proc/sysrq-trigger", "c"),
        Mishap::Hang => hang(),
        Mishap::Off => {
            let how = if told.contains("sockeye.end=off") {
                RebootMode::RB_POWER_OFF
            } else {
                RebootMode::RB_AUTOBOOT
            };
            reboot(how).map(|never| match never {}).map_err(io::Error::from)
        }
        Mishap::Garbage => Ok(()),
        Mishap::Memory => starve(),
    }
}

/// Takes memory until the kernel has none left, and kills whoever has most.
fn starve() -> io::Result<()> {
    let mut taken: Vec<Vec<u8>> = Vec::new();
    loop {
        taken.push(vec![1; 1 << 20]);
    }
}

/// Stops the first process, thread by thread, as a debugger would: nobody speaks to the host any
/// more. (To take the processor is not enough: Linux leaves some of it to everybody.)
fn hang() -> io::Result<()> {
    for thread in std::fs::read_dir("/proc/1/task")? {
        if let Some(number) = thread?.file_name().to_str().and_then(|name| name.parse().ok()) {
            ptrace::attach(Pid::from_raw(number))?;
        }
    }
    loop {
        std::thread::park();
    }
}

/// `sendto` with an address returns its length and nothing is sent. A `send`, which is the same
/// system call without an address, works: the lab's own netlink needs it. So it is in the calling
/// process for as long as it lives.
pub(in crate::exec) fn sendto_lies() -> io::Result<()> {
    let filter = [
        statement(LOAD, NUMBER),
        jump_if_equal(libc::SYS_sendto as u32, 0, 5),
        statement(LOAD, ADDRESS),
        jump_if_equal(0, 0, 2),
        statement(LOAD, ADDRESS + 4),
        jump_if_equal(0, 1, 0),
        statement(RETURN, libc::SECCOMP_RET_USER_NOTIF),
        statement(RETURN, libc::SECCOMP_RET_ALLOW),
    ];
    supervise(&filter, |request| {
        // The third argument is the length.
        request.data.args[2].cast_signed()
    })
}

/// With what a filter refuses.
const REFUSALS: [(&str, libc::c_int); 3] =
    [("EPERM", libc::EPERM), ("EACCES", libc::EACCES), ("EAFNOSUPPORT", libc::EAFNOSUPPORT)];

/// Sockets of this family, or this system call, are refused as a container's filter refuses them, a family by the
/// errno behind a colon (`AF_VSOCK:EPERM`), for as long
/// as the process lives.
pub(in crate::exec) fn refuse(what: &str) -> io::Result<()> {
    let (what, by) = what.split_once(':').map_or((what, None), |(what, by)| (what, Some(by)));
    let errno_of = |by: &str| {
        let found = REFUSALS.iter().find(|(name, _)| *name == by).map(|(_, errno)| *errno);
        let all = REFUSALS.map(|(name, _)| name).join(", ");
        found.ok_or_else(|| io::Error::other(format!("{by:?} is none of {all}")))
    };
    let by = by.map(errno_of).transpose()?;
    let call = match what {
        "setrlimit" => libc::SYS_prlimit64,
        "setns" => libc::SYS_setns,
        "sethostname" => libc::SYS_sethostname,
        "mount" => libc::SYS_mount,
        _ => libc::SYS_socket,
    };
    let family = match what {
        "AF_PACKET" => Some(libc::AF_PACKET),
        "AF_NETLINK" => Some(libc::AF_NETLINK),
        what => super::value(what).filter(|_| what.starts_with("AF_")),
    };
    if call == libc::SYS_socket && family.is_none() {
        return Err(io::Error::other(format!("{what:?} is neither a family nor one of the calls")));
    }
    let errno = if family.is_some() { libc::EAFNOSUPPORT } else { libc::EPERM };
    let errno = by.unwrap_or(errno);
    let refusal = statement(RETURN, libc::SECCOMP_RET_ERRNO | errno as u32);
    let allowed = statement(RETURN, libc::SECCOMP_RET_ALLOW);
    let number = statement(LOAD, NUMBER);
    let filter = match family {
        None => vec![number, jump_if_equal(call as u32, 0, 1), refusal, allowed],
        Some(family) => {
            let domain = [statement(LOAD, DOMAIN), jump_if_equal(family as u32, 0, 1)];
            let socket = jump_if_equal(call as u32, 0, 3);
            vec![number, socket, domain[0], domain[1], refusal, allowed]
        }
    };
    install(&filter, 0).map(drop)
}

/// Installs `filter`, and lets a child process say what the calls that it catches return.
fn supervise(
    filter: &[libc::sock_filter],
    returns: fn(&libc::seccomp_notif) -> i64,
) -> io::Result<()> {
    let executor = std::process::id();
    let mut pipe = [-1; 2];
    // SAFETY: `pipe` has room for two descriptors.
    check(unsafe { libc::pipe2(pipe.as_mut_ptr(), libc::O_CLOEXEC) }.into())?;
    // SAFETY: the descriptor is new and owned by nobody else.
    let from = unsafe { OwnedFd::from_raw_fd(pipe[0]) };
    // SAFETY: as above.
    let to = unsafe { OwnedFd::from_raw_fd(pipe[1]) };
    // SAFETY: the process has one thread, so the child may do anything that it may.
    let child = unsafe { libc::fork() };
    check(child.into())?;
    if child == 0 {
        drop(to);
        // SAFETY: takes its arguments by value.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        answer(&from, executor, returns);
        // SAFETY: ends the child without running what the executor registered to run at exit.
        unsafe { libc::_exit(0) };
    }
    drop(from);
    let listener = install(filter, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER)?;
    let number = i32::try_from(listener).unwrap_or(-1).to_ne_bytes();
    nix::unistd::write(&to, &number)?;
    Ok(())
}

/// Gives this process a filter; what comes of it depends on the flags.
fn install(filter: &[libc::sock_filter], flags: libc::c_ulong) -> io::Result<libc::c_long> {
    // SAFETY: takes its arguments by value.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }.into())?;
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_ptr().cast_mut() };
    // SAFETY: the program outlives the call, which copies it.
    let made = unsafe {
        let set = libc::SECCOMP_SET_MODE_FILTER;
        libc::syscall(libc::SYS_seccomp, set, flags, &raw const program)
    };
    check(made)?;
    Ok(made)
}

fn check(ret: libc::c_long) -> io::Result<()> {
    if ret < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Takes the listener over from the executor and answers until the executor is gone.
fn answer(from: &OwnedFd, executor: u32, returns: fn(&libc::seccomp_notif) -> i64) {
    let mut number = [0; 4];
    if nix::unistd::read(from, &mut number) != Ok(4) {
        return;
    }
    // SAFETY: takes its arguments by value.
    let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, executor, 0) };
    // SAFETY: takes its arguments by value.
    let fd =
        unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd, RawFd::from_ne_bytes(number), 0) };
    let Ok(fd) = RawFd::try_from(fd) else { return };
    if fd < 0 {
        return;
    }
    // SAFETY: the descriptor is new and owned by nobody else.
    let listener = unsafe { OwnedFd::from_raw_fd(fd) };
    loop {
        // SAFETY: all zeros is what the kernel wants to be given.
        let mut request: libc::seccomp_notif = unsafe { MaybeUninit::zeroed().assume_init() };
        // SAFETY: the kernel writes one `struct seccomp_notif`.
        let got = unsafe { libc::ioctl(listener.as_raw_fd(), NOTIF_RECV, &raw mut request) };
        if got < 0 {
            return;
        }
        let response =
            libc::seccomp_notif_resp { id: request.id, val: returns(&request), error: 0, flags: 0 };
        // SAFETY: the kernel reads one `struct seccomp_notif_resp`.
        unsafe { libc::ioctl(listener.as_raw_fd(), NOTIF_SEND, &raw const response) };
    }
}
