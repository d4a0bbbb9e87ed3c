//! What takes rights away from this process.

use std::io;

use nix::unistd::{Pid, getppid};

use super::capabilities;
use crate::exec::confine::Rights;

/// With which rights root runs a program, the least first: as nobody `/dev/net/tun` may be closed.
pub(in crate::exec) const ROOTS_RIGHTS: &[Rights] =
    &[Rights::Nobody, Rights::Namespace, Rights::Same];

fn check(ret: libc::c_int) -> io::Result<()> {
    if ret == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn write(path: &std::ffi::CStr, text: &[u8]) -> io::Result<()> {
    // SAFETY: `path` ends with a NUL.
    let fd = unsafe { libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC) };
    check(fd)?;
    // SAFETY: `text` has that many bytes.
    let written = unsafe { libc::write(fd, text.as_ptr().cast(), text.len()) };
    let done = check(if written == -1 { -1 } else { 0 });
    // SAFETY: the descriptor is this function's own.
    unsafe { libc::close(fd) };
    done
}

/// Ends with its parent, gets no more rights than it has, and enters its user namespace. Between fork
/// and exec: system calls alone.
pub(in crate::exec) fn lessen(rights: Rights, parent: Pid) -> io::Result<()> {
    // SAFETY: takes its arguments by value.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) })?;
    // It may have gone before that was said.
    if getppid() != parent {
        return Err(io::Error::from_raw_os_error(libc::ESRCH));
    }
    // SAFETY: as above.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })?;
    if rights == Rights::Namespace {
        // SAFETY: as above.
        check(unsafe { libc::unshare(libc::CLONE_NEWUSER) })?;
        // It is root there, and this host's root to files alone; user_namespaces(7).
        write(c"/proc/self/uid_map", b"0 0 1")?;
        write(c"/proc/self/setgroups", b"deny")?;
        write(c"/proc/self/gid_map", b"0 0 1")?;
    }
    Ok(())
}

/// `CAP_SYS_MODULE` (include/uapi/linux/capability.h).
const SYS_MODULE: u32 = 1 << 16;
/// Has the calling thread, and those that it starts from here on, load no module of the kernel's: a link that is not
/// there is looked for among them, by whatever name a case has for it (`net/core/dev_ioctl.c` `dev_load`). Programs
/// that root starts have the right again.
pub(super) fn load_no_modules() -> io::Result<()> {
    // Who cannot tell has a system without such rights.
    let Ok(mut sets) = capabilities::get() else { return Ok(()) };
    if sets[0].effective & SYS_MODULE == 0 {
        return Ok(());
    }
    sets[0].effective &= !SYS_MODULE;
    sets[0].permitted &= !SYS_MODULE;
    capabilities::set(&sets)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `if_nametoindex("any_module")` of a case loaded it, where root ran the case.
    #[test]
    fn no_module_is_loaded_by_a_links_name() {
        let effective = || {
            let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("CapEff:")).map(str::trim);
            line.and_then(|bits| u64::from_str_radix(bits, 16).ok()).unwrap_or(0)
        };
        // The right is a thread's.
        let (before, after, of_its_own) = std::thread::spawn(move || {
            let before = effective();
            load_no_modules().expect("a right less");
            (before, effective(), std::thread::spawn(effective).join().expect("a thread"))
        })
        .join()
        .expect("a thread");
        assert_eq!(after, before & !u64::from(SYS_MODULE), "no other right");
        assert_eq!(of_its_own, after);
    }
}
