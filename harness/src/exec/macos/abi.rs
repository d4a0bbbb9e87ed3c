//! Where Darwin's structures are laid out other than Linux's.

use libc::{c_int, sockaddr_storage, socklen_t};

/// Sets `sa_family` and `sa_len`.
pub(in crate::exec) fn set_family(storage: &mut sockaddr_storage, family: c_int, len: socklen_t) {
    storage.ss_family = family as libc::sa_family_t;
    storage.ss_len = len as u8;
}

/// The bytes of a `struct timeval`: `tv_usec` is an `int`, and four bytes of padding follow.
pub(in crate::exec) fn timeval(seconds: u32, microseconds: u32) -> Vec<u8> {
    let mut bytes =
        [&libc::time_t::from(seconds).to_ne_bytes()[..], &microseconds.to_ne_bytes()].concat();
    bytes.resize(size_of::<libc::timeval>(), 0);
    bytes
}

/// `SIOCGIFNAME` is Linux's, and so is `ifr_ifindex`.
pub(in crate::exec) fn set_index(_: &mut libc::ifreq, _: c_int) {}

/// How long an entry of `SIOCGIFCONF` is: its address may be longer than there is room for (bsd/net/if.c `ifconf`).
pub(in crate::exec) fn len_of_entry(entry: &libc::ifreq) -> usize {
    // SAFETY: an entry has an address, whose first byte is its length.
    let len = unsafe { entry.ifr_ifru.ifru_addr.sa_len };
    let room = size_of::<libc::sockaddr>();
    size_of::<libc::ifreq>() + usize::from(len).saturating_sub(room)
}

/// The type of `ioctl`'s second argument.
pub(in crate::exec) type Request = libc::c_ulong;

/// `struct ip_mreq_source`: the source before the interface (bsd/netinet/in.h).
pub(in crate::exec) fn mreq_source(group: [u8; 4], interface: [u8; 4], source: [u8; 4]) -> Vec<u8> {
    [group, source, interface].concat()
}

/// The bytes between an interface index and the `sockaddr_storage` behind it: none under
/// `#pragma pack(4)` (bsd/netinet/in.h).
pub(in crate::exec) const BEFORE_STORAGE: usize = 0;

/// Options whose value is a list of rules as long as it says: level, the first and the last of them
/// (bsd/netinet/in.h `IP_FW_ADD` to `IP_DUMMYNET_GET`, bsd/netinet6/in6.h `IPV6_FW_ADD` to `IPV6_FW_GET`).
pub(in crate::exec) const WITH_A_POINTER: &[(c_int, c_int, c_int)] =
    &[(libc::IPPROTO_IP, 40, 64), (libc::IPPROTO_IPV6, 30, 34)];

/// Options that give a new descriptor: none is known.
pub(in crate::exec) const GIVES_A_DESCRIPTOR: &[(c_int, c_int)] = &[];

/// Levels whose options are rings and memory: none.
pub(in crate::exec) const OF_MEMORY: &[c_int] = &[];

/// The kernel copies what it sends.
pub(in crate::exec) fn reads_later(_: c_int) -> bool {
    false
}
