//! Who the executor is, where a case may be told so by its kernel.

use libc::gid_t;
use nix::unistd::{getegid, geteuid};

use crate::case::op::{Given, Who};
use crate::case::{Case, Op};
use crate::trace::Credentials;

/// Of the executor, if `case` has a local socket, or one of netlink, whose port is a process, or one that has an owner: no
/// other tells of one.
pub(super) fn of(case: &Case) -> Option<Credentials> {
    let is_local = |op: &Op| match op {
        Op::Socket { domain, .. } | Op::Socketpair { domain, .. } => {
            ["AF_NETLINK", "AF_UNIX"].contains(&domain.plain())
        }
        Op::Fcntl { pid, .. } => pid.is_some(),
        Op::Ioctl { given, .. } => matches!(given, Some(Given::Pid(_))),
        _ => false,
    };
    case.ops.iter().any(is_local).then(own)
}

/// Of the executor.
pub(super) fn own() -> Credentials {
    Credentials {
        pid: std::process::id().cast_signed(),
        uid: geteuid().as_raw(),
        gid: getegid().as_raw(),
        groups: groups(),
    }
}

/// The number of a process.
pub(super) fn pid(who: Who) -> i32 {
    match who {
        Who::Own => std::process::id().cast_signed(),
        Who::Is(number) => number.cast_signed(),
    }
}

/// nix has no getgroups on macOS.
fn groups() -> Vec<u32> {
    // SAFETY: with no room it only says how many there are.
    let count = unsafe { libc::getgroups(0, std::ptr::null_mut()) };
    let mut groups: Vec<gid_t> = vec![0; usize::try_from(count).unwrap_or(0)];
    let room = i32::try_from(groups.len()).unwrap_or(0);
    // SAFETY: there is room for `room` of them.
    let got = unsafe { libc::getgroups(room, groups.as_mut_ptr()) };
    groups.truncate(usize::try_from(got).unwrap_or(0));
    groups
}
