//! Another program, run with less than this process may do.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// With how much of what this process may do another program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// As `nobody`: no file is its own, no capability.
    Nobody,
    /// As this user, in a user namespace: capabilities there alone, so that the host's network, its
    /// mounts and its other processes are out of reach.
    Namespace,
    /// As this process.
    Same,
}

/// The user and the group `nobody` (systemd's `UIDS-GIDS.md`, Debian's base-passwd; a Mac's are -2).
pub const NOBODY: u32 = 65_534;

/// What a program may be run with here, the least first. One who is not root has little to lose.
pub fn rights() -> &'static [Rights] {
    if nix::unistd::geteuid().is_root() { super::os::ROOTS_RIGHTS } else { &[Rights::Same] }
}

/// Seconds of the processor, bytes of memory and of a file that a program gets.
const LIMITS: [(Limit, libc::rlim_t); 4] = [
    (libc::RLIMIT_CPU as Limit, 120),
    (libc::RLIMIT_AS as Limit, 4 << 30),
    (libc::RLIMIT_FSIZE as Limit, 64 << 20),
    (libc::RLIMIT_CORE as Limit, 0),
];

/// How many processes and threads nobody gets, those that are nobody's already among them: the kernel
/// counts all of a user. Far more than a compiler starts and than daemons have that run as nobody; less
/// than would stop this host. Of a user's own there may be any number by now, and root's are not counted
/// (getrlimit(2), `RLIMIT_NPROC`), so that no number would be right for the others.
const MOST_OF_NOBODYS: libc::rlim_t = 1024;

/// What `setrlimit` takes, of which glibc makes an enumeration.
type Limit = libc::c_int;

/// Has `command` run with these rights, without ways to more of them (`no_new_privs`), in a session and
/// a process group of its own, and with bounded memory, time and files.
pub fn confine(command: &mut Command, rights: Rights) {
    if rights == Rights::Nobody {
        // The supplementary groups of root go with it.
        command.uid(NOBODY).gid(NOBODY);
    }
    let parent = nix::unistd::getpid();
    let before = move || {
        // SAFETY: takes nothing.
        if unsafe { libc::setsid() } == -1 {
            return Err(io::Error::last_os_error());
        }
        let processes = (libc::RLIMIT_NPROC as Limit, MOST_OF_NOBODYS);
        let of_nobody = (rights == Rights::Nobody).then_some(processes);
        for (what, most) in LIMITS.into_iter().chain(of_nobody) {
            let mut limit = libc::rlimit { rlim_cur: most, rlim_max: most };
            // A limit that is lower already stays, whoever might raise it.
            // SAFETY: `limit` outlives the call, which writes it.
            if unsafe { libc::getrlimit(what as _, &raw mut limit) } == 0 {
                limit.rlim_cur = limit.rlim_cur.min(most);
                limit.rlim_max = limit.rlim_max.min(most);
            }
            // SAFETY: `limit` outlives the call, which copies it.
            unsafe { libc::setrlimit(what as _, &raw const limit) };
        }
        super::os::lessen(rights, parent)
    };
    // SAFETY: between fork and exec it makes system calls alone: nothing is allocated, no lock is taken.
    unsafe { command.pre_exec(before) };
}
