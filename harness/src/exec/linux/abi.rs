//! Where Linux's structures are laid out as on no other system.

use libc::{c_int, sockaddr_storage, socklen_t};

/// Sets `sa_family`. There is no `sa_len` on Linux.
pub(in crate::exec) fn set_family(storage: &mut sockaddr_storage, family: c_int, _: socklen_t) {
    storage.ss_family = family as libc::sa_family_t;
}

/// The bytes of a `struct timeval`: the kernel's, two `long`, whatever the C library makes of it.
pub(in crate::exec) fn timeval(seconds: u32, microseconds: u32) -> Vec<u8> {
    [seconds, microseconds].map(|n| (n as libc::c_long).to_ne_bytes()).concat()
}

/// `struct ip_mreq_source`: ip(7).
pub(in crate::exec) fn mreq_source(group: [u8; 4], interface: [u8; 4], source: [u8; 4]) -> Vec<u8> {
    [group, interface, source].concat()
}

/// The bytes between an interface index and the `sockaddr_storage` behind it.
pub(in crate::exec) const BEFORE_STORAGE: usize = align_of::<sockaddr_storage>() - 4;

/// The type of `ioctl`'s second argument.
pub(in crate::exec) type Request = libc::Ioctl;
