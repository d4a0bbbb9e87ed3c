//! A system that sockeye has no lab and no names for: every case is skipped, and says so.

use std::os::fd::RawFd;

use libc::{c_int, sockaddr_storage, socklen_t};

use super::gave::{Fault, Gave};
use super::runner::Runner;
use crate::case::addr::SockAddr;
use crate::case::{Op, Sym};

pub use super::commands::KernelLog;
pub(super) use super::commands::environment;
pub(super) use super::no_lab::{IS_SHARED, Labs, clean, isolate, left, product, refused, see};
pub(super) use super::not_linux::{
    Files, Processes, ROOTS_RIGHTS, Rights, User, accept4, acting, enter_network_with_files,
    epoll_create1, family, files_of_its_own, init, leave_lab, lessen, lessened, limits,
    may_exceed_limits, plant, ppoll, prepared, raw_call, record, stay,
};
pub(super) use super::not_macos::{disturbed, filtered_sockets};

/// The calls that are one system's own: there are none.
pub(super) fn own_call(
    _: &mut Runner<'_>,
    _: u32,
    op: &Op,
    _: &mut Option<SockAddr>,
) -> Result<Gave, Fault> {
    Err(Fault::Unsupported(op.call().to_owned()))
}

impl Runner<'_> {
    /// No request has a number here.
    #[allow(clippy::unused_self, reason = "the shape is that of a system which has some")]
    pub(super) fn ioctl(&mut self, _: RawFd, op: &Op) -> Result<Gave, Fault> {
        Err(Fault::Unsupported(op.call().to_owned()))
    }
}

/// Nothing tells whether another thread sleeps.
pub(super) struct ThreadState;

impl ThreadState {
    pub(super) fn own() -> Self {
        Self
    }

    #[allow(clippy::unused_self, reason = "the shape is that of a system which tells")]
    pub(super) fn is_asleep(&self) -> Option<bool> {
        None
    }
}

pub(super) type Request = libc::c_ulong;

pub(super) fn value(_: &str) -> Option<c_int> {
    None
}

pub(super) fn errno(value: c_int) -> Sym {
    Sym(format!("errno {value}").into())
}

pub(super) fn eai(value: c_int) -> Sym {
    Sym(format!("EAI {value}").into())
}

pub(super) fn eai_value(_: &str) -> Option<c_int> {
    None
}

pub(super) fn libc_name() -> String {
    String::new()
}

pub(super) fn control_name(level: c_int, kind: c_int) -> (String, String) {
    (level.to_string(), kind.to_string())
}

pub(super) fn set_family(storage: &mut sockaddr_storage, family: c_int, len: socklen_t) {
    storage.ss_family = family as libc::sa_family_t;
    storage.ss_len = len as u8;
}

pub(super) fn set_index(_: &mut libc::ifreq, _: c_int) {}

pub(super) fn len_of_entry(_: &libc::ifreq) -> usize {
    size_of::<libc::ifreq>()
}

pub(super) fn timeval(_: u32, _: u32) -> Vec<u8> {
    Vec::new()
}

/// `struct ip_mreq_source`: the source before the interface on the BSDs (xnu bsd/netinet/in.h).
pub(super) fn mreq_source(group: [u8; 4], interface: [u8; 4], source: [u8; 4]) -> Vec<u8> {
    [group, source, interface].concat()
}

/// The bytes between an interface index and the `sockaddr_storage` behind it: its alignment's.
pub(super) const BEFORE_STORAGE: usize = align_of::<sockaddr_storage>() - 4;

/// No option is known.
pub(super) const WITH_A_POINTER: &[(c_int, c_int, c_int)] = &[];
pub(super) const GIVES_A_DESCRIPTOR: &[(c_int, c_int)] = &[];
pub(super) const OF_MEMORY: &[c_int] = &[];

/// Nor a flag.
pub(super) fn reads_later(_: c_int) -> bool {
    false
}
