//! The numbers of Linux's options that a C library of today may not know by name: those of its
//! headers that are younger than Linux 5.10, and those that glibc, musl or the crate `libc` leave
//! to the kernel's. Once here, for the executor that needs a number and for the C that needs a
//! `#define`.
//!
//! They are those of every processor but Alpha, MIPS, PA-RISC and SPARC, where `SOL_SOCKET` and its
//! options have others.

use super::Os;

/// The number of `name` on `os`, if it is here.
pub fn number(os: Os, name: &str) -> Option<i32> {
    numbers(os).iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

/// All that are here of `os`.
pub fn numbers(os: Os) -> &'static [(&'static str, i32)] {
    match os {
        Os::Linux => LINUX,
        // Apple's SDK has all of Apple's.
        Os::Macos => &[],
    }
}

#[rustfmt::skip]
const LINUX: &[(&str, i32)] = &[
    // include/uapi/asm-generic/socket.h; its line, as of Linux 6.1 or the release that is named.
    ("SO_TIMESTAMP_NEW", 63), // 113
    ("SO_TIMESTAMPNS_NEW", 64), // 114
    ("SO_TIMESTAMPING_NEW", 65), // 115
    ("SO_RCVTIMEO_NEW", 66), // 117
    ("SO_SNDTIMEO_NEW", 67), // 118
    ("SO_PREFER_BUSY_POLL", 69), // 122
    ("SO_BUSY_POLL_BUDGET", 70), // 123
    ("SO_NETNS_COOKIE", 71), // 125
    ("SO_BUF_LOCK", 72), // 127
    ("SO_RESERVE_MEM", 73), // 129
    ("SO_TXREHASH", 74), // 131
    ("SO_RCVMARK", 75), // 133
    ("SO_PASSPIDFD", 76), // Linux 6.5
    ("SO_PEERPIDFD", 77), // Linux 6.5
    ("SO_DEVMEM_LINEAR", 78), // Linux 6.12
    ("SO_DEVMEM_DMABUF", 79), // Linux 6.12
    ("SO_DEVMEM_DONTNEED", 80), // Linux 6.12
    ("SO_RCVPRIORITY", 82), // Linux 6.14
    ("SO_PASSRIGHTS", 83), // Linux 6.16
    ("SO_INQ", 84), // Linux 6.17
    // include/uapi/linux/in.h, as of Linux 6.1.
    ("IP_RECVRETOPTS", 7), // 118
    ("IP_RECVERR_RFC4884", 26), // 129
    ("IP_LOCAL_PORT_RANGE", 51), // 165
    ("IP_PROTOCOL", 52), // 166
    // include/uapi/linux/in6.h, as of Linux 6.1.
    ("IPV6_FLOWINFO", 11), // 165
    ("IPV6_MULTICAST_ALL", 29), // 182
    ("IPV6_ROUTER_ALERT_ISOLATE", 30), // 183
    ("IPV6_RECVERR_RFC4884", 31), // 184
    ("IPV6_FLOWLABEL_MGR", 32), // 201
    ("IPV6_FLOWINFO_SEND", 33), // 202
    // include/uapi/linux/tcp.h; its line, as of Linux 6.1 or the release that is named.
    ("TCP_TX_DELAY", 37), // 130
    ("TCP_AO_ADD_KEY", 38), // Linux 6.7
    ("TCP_AO_DEL_KEY", 39), // Linux 6.7
    ("TCP_AO_INFO", 40), // Linux 6.7
    ("TCP_AO_GET_KEYS", 41), // Linux 6.7
    ("TCP_AO_REPAIR", 42), // Linux 6.7
    ("TCP_IS_MPTCP", 43), // Linux 6.10
    ("TCP_RTO_MAX_MS", 44), // Linux 6.15
    ("TCP_RTO_MIN_US", 45), // Linux 6.15
    ("TCP_DELACK_MAX_US", 46), // Linux 6.15
    // include/uapi/linux/udp.h, as of Linux 6.1.
    ("UDP_CORK", 1), // 31
    ("UDP_ENCAP", 100), // 32
    ("UDP_NO_CHECK6_TX", 101), // 33
    ("UDP_NO_CHECK6_RX", 102), // 34
    ("UDP_GRO", 104), // 36
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_of_a_name_that_a_case_may_use_and_there_once() {
        let names: std::collections::BTreeSet<&str> = LINUX.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), LINUX.len());
        for name in names {
            assert!(super::super::is_known(name), "{name}");
        }
    }
}
