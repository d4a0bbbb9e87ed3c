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

/// Sets `ifr_ifindex`.
pub(in crate::exec) fn set_index(ifreq: &mut libc::ifreq, index: c_int) {
    ifreq.ifr_ifru.ifru_ifindex = index;
}

/// How long an entry of `SIOCGIFCONF` is: all are alike.
pub(in crate::exec) fn len_of_entry(_: &libc::ifreq) -> usize {
    size_of::<libc::ifreq>()
}

/// The type of `ioctl`'s second argument.
pub(in crate::exec) type Request = libc::Ioctl;

/// Options whose value is or holds a pointer that the kernel follows, or that is a list of rules as long as the
/// value says: level, the first and the last of them. `include/uapi/asm-generic/socket.h` (`SO_ATTACH_FILTER`,
/// `SO_ATTACH_REUSEPORT_CBPF`), `linux/netfilter_ipv4/ip_tables.h` and `netfilter_arp/arp_tables.h`,
/// `netfilter_bridge/ebtables.h` (from 64, 96 and 128), `netfilter_ipv6/ip6_tables.h`. What getsockopt reads pointers of
/// (`TCP_ZEROCOPY_RECEIVE`) is given zeros alone.
pub(in crate::exec) const WITH_A_POINTER: &[(c_int, c_int, c_int)] = &[
    (libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, libc::SO_ATTACH_FILTER),
    (libc::SOL_SOCKET, libc::SO_ATTACH_REUSEPORT_CBPF, libc::SO_ATTACH_REUSEPORT_CBPF),
    (libc::IPPROTO_IP, 64, 191),
    (libc::IPPROTO_IPV6, 64, 65),
];

/// Options that give a new descriptor when they are asked for: `SO_PEERPIDFD`, and `SCTP_SOCKOPT_PEELOFF` with
/// its `SCTP_SOCKOPT_PEELOFF_FLAGS` (`linux/sctp.h`).
pub(in crate::exec) const GIVES_A_DESCRIPTOR: &[(c_int, c_int)] =
    &[(libc::SOL_SOCKET, 77), (132, 102), (132, 122)];

/// Levels whose options are rings and memory of gigabytes, or pointers to it: `SOL_PACKET`, `SOL_RDS`, `SOL_XDP`.
pub(in crate::exec) const OF_MEMORY: &[c_int] = &[263, 276, 283];

/// Whether with these flags the kernel sends what stands in memory when it sends, which may be long after the call.
pub(in crate::exec) fn reads_later(flags: c_int) -> bool {
    flags & libc::MSG_ZEROCOPY != 0
}
