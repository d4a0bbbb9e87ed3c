//! The capabilities of the calling thread (capabilities(7)), by the system calls themselves.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::sync::OnceLock;

use libc::c_int;

use crate::case::process::Capability;

/// `_LINUX_CAPABILITY_VERSION_3`, of two words of each set.
const VERSION: u32 = 0x2008_0522;

/// `struct __user_cap_header_struct`.
#[repr(C)]
struct Header {
    version: u32,
    pid: c_int,
}

/// `struct __user_cap_data_struct`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(super) struct Sets {
    pub(super) effective: u32,
    pub(super) permitted: u32,
    inheritable: u32,
}

/// Those of the calling thread, in two words.
pub(super) fn get() -> io::Result<[Sets; 2]> {
    let mut header = Header { version: VERSION, pid: 0 };
    let mut sets = [Sets::default(); 2];
    // SAFETY: both outlive the call, which writes two words of each set.
    let got = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, sets.as_mut_ptr()) };
    if got == -1 { Err(io::Error::last_os_error()) } else { Ok(sets) }
}

/// Sets those of the calling thread.
pub(super) fn set(sets: &[Sets; 2]) -> io::Result<()> {
    let header = Header { version: VERSION, pid: 0 };
    // SAFETY: both outlive the call, which reads them.
    let set = unsafe { libc::syscall(libc::SYS_capset, &raw const header, sets.as_ptr()) };
    if set == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// What the calling thread may have again when this goes.
pub(in crate::exec) struct Rights([Sets; 2]);

impl Drop for Rights {
    fn drop(&mut self) {
        // They are permitted all the while.
        let _ = set(&self.0);
    }
}

/// The bit of a capability (include/uapi/linux/capability.h), all of which are in the first word.
fn bit(capability: Capability) -> u32 {
    1 << match capability {
        Capability::DacOverride => 1,
        Capability::Setgid => 6,
        Capability::Setuid => 7,
        Capability::NetBindService => 10,
        Capability::NetBroadcast => 11,
        Capability::NetAdmin => 12,
        Capability::NetRaw => 13,
        Capability::SysAdmin => 21,
        Capability::SysResource => 24,
    }
}

/// Has the calling thread act without these, until what is returned goes.
pub(in crate::exec) fn lessened(without: &[Capability]) -> Result<Rights, c_int> {
    let errno = |e: io::Error| e.raw_os_error().unwrap_or(0);
    let before = get().map_err(errno)?;
    let mut less = before;
    less[0].effective = without.iter().fold(before[0].effective, |all, one| all & !bit(*one));
    set(&less).map_err(errno)?;
    Ok(Rights(before))
}

/// Whether a limit of the user's does not hold for the executor: in a user namespace of its own its rights are none
/// that `capable` (kernel/capability.c) asks for, whatever they are called.
pub(in crate::exec) fn may_exceed_limits() -> bool {
    static MAY: OnceLock<bool> = OnceLock::new();
    *MAY.get_or_init(|| {
        let permitted = get().map_or(0, |sets| sets[0].permitted);
        let is_first = std::fs::metadata("/proc/self/ns/user").is_ok_and(|of| of.ino() == FIRST);
        is_first && permitted & (bit(Capability::SysResource) | bit(Capability::SysAdmin)) != 0
    })
}

/// The number of the first user namespace, `PROC_USER_INIT_INO` (`include/linux/proc_ns.h`).
const FIRST: u64 = 0xefff_fffd;

/// Whom the calling thread acts for again when this goes, with which rights, and whether others may look at it.
pub(in crate::exec) struct User {
    uid: libc::uid_t,
    sets: [Sets; 2],
    dumpable: c_int,
}

impl Drop for User {
    fn drop(&mut self) {
        // What would go on for somebody else would do so in all cases that come.
        if act_for(self.uid).is_err() || set(&self.sets).is_err() {
            std::process::abort();
        }
        // SAFETY: takes its arguments by value.
        unsafe { libc::prctl(libc::PR_SET_DUMPABLE, self.dumpable, 0, 0, 0) };
    }
}

/// Sets the effective user of the calling thread; the C library's function sets those of all.
fn act_for(uid: libc::uid_t) -> io::Result<()> {
    let same = libc::uid_t::MAX;
    // SAFETY: takes its arguments by value.
    let set = unsafe { libc::syscall(libc::SYS_setresuid, same, uid, same) };
    if set == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Has the calling thread act for this user, without root's rights (capabilities(7)), until what is returned goes.
pub(in crate::exec) fn acting(uid: libc::uid_t) -> Result<User, c_int> {
    let errno = |e: io::Error| e.raw_os_error().unwrap_or(0);
    let sets = get().map_err(errno)?;
    let before = nix::unistd::geteuid().as_raw();
    // SAFETY: takes its arguments by value.
    let dumpable = unsafe { libc::prctl(libc::PR_GET_DUMPABLE, 0, 0, 0, 0) };
    act_for(uid).map_err(errno)?;
    Ok(User { uid: before, sets, dumpable })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a thread of its own, whose user it is.
    #[test]
    fn who_acts_for_another_is_root_again_and_has_its_rights() {
        std::thread::spawn(|| {
            let euid = || nix::unistd::geteuid().as_raw();
            let (before, sets) = (euid(), get().expect("sets")[0].effective);
            let Ok(user) = acting(65_534) else {
                return eprintln!("skipped: there is nobody else");
            };
            assert_eq!(euid(), 65_534);
            assert_eq!(get().expect("sets")[0].effective, 0, "nobody has no rights");
            drop(user);
            assert_eq!((euid(), get().expect("sets")[0].effective), (before, sets));
        })
        .join()
        .expect("a thread");
    }

    /// In a thread of its own, whose rights they are.
    #[test]
    fn what_is_taken_away_comes_back() {
        std::thread::spawn(|| {
            let before = get().expect("sets")[0].effective;
            let less = lessened(&[Capability::NetRaw, Capability::NetAdmin]).expect("less");
            assert_eq!(get().expect("sets")[0].effective, before & !0x3000);
            assert_eq!(get().expect("sets")[0].permitted & before, before, "it may come back");
            drop(less);
            assert_eq!(get().expect("sets")[0].effective, before);
        })
        .join()
        .expect("a thread");
    }
}
