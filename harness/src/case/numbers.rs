//! The numbers of Linux's constants that a C library of today may not know by name: those of its
//! headers that are younger than Linux 5.10, those that glibc, musl or the crate `libc` leave to the
//! kernel's, and those of headers that a program does not include for them (`linux/netlink.h`). Once
//! here, for the executor that needs a number and for the C that needs a `#define`. And the two of Apple's that its
//! SDKs have not had for long, which C alone needs.
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
        Os::Macos => MACOS,
    }
}

/// What Apple's SDKs have not had for long; all else of Apple's is in them.
const MACOS: &[(&str, i32)] = &[
    // xnu-11417 bsd/sys/fcntl.h:354, 361.
    ("F_DUPFD_CLOFORK", 0x73),
    ("FD_CLOFORK", 2),
];

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
    // include/linux/socket.h.
    ("AF_KCM", 41),
    ("AF_MCTP", 45),
    ("AF_QIPCRTR", 42),
    ("AF_SMC", 43),
    ("SOL_CAIF", 278),
    ("SOL_IUCV", 277),
    ("SOL_KCM", 281),
    ("SOL_MCTP", 285),
    ("SOL_MPTCP", 284),
    ("SOL_NFC", 280),
    ("SOL_PNPIPE", 275),
    ("SOL_PPPOL2TP", 273),
    ("SOL_RDS", 276),
    ("SOL_RXRPC", 272),
    ("SOL_SMC", 286),
    ("SOL_VSOCK", 287),
    // include/uapi/asm-generic/sockios.h.
    ("FIOGETOWN", 0x8903),
    ("FIOSETOWN", 0x8901),
    // include/uapi/asm-generic/fcntl.h.
    ("F_GETOWN_EX", 16),
    ("F_GETSIG", 11),
    ("F_SETOWN_EX", 15),
    ("F_SETSIG", 10),
    // include/uapi/linux/icmp.h, icmpv6.h.
    ("ICMP6_FILTER", 1),
    ("ICMP_FILTER", 1),
    // include/uapi/linux/in.h, l2tp.h.
    ("IPPROTO_L2TP", 115),
    ("IPPROTO_SMC", 256),
    // include/uapi/linux/ip.h, RFC 791, RFC 2474 and 3168 of <netinet/ip.h>.
    ("IPTOS_ECN_CE", 0x3),
    ("IPTOS_ECN_ECT0", 0x2),
    ("IPTOS_ECN_ECT1", 0x1),
    ("IPTOS_ECN_MASK", 0x3),
    ("IPTOS_LOWDELAY", 0x10),
    ("IPTOS_MINCOST", 0x2),
    ("IPTOS_PREC_CRITIC_ECP", 0xa0),
    ("IPTOS_PREC_FLASH", 0x60),
    ("IPTOS_PREC_FLASHOVERRIDE", 0x80),
    ("IPTOS_PREC_IMMEDIATE", 0x40),
    ("IPTOS_PREC_INTERNETCONTROL", 0xc0),
    ("IPTOS_PREC_NETCONTROL", 0xe0),
    ("IPTOS_PREC_PRIORITY", 0x20),
    ("IPTOS_PREC_ROUTINE", 0x0),
    ("IPTOS_RELIABILITY", 0x4),
    ("IPTOS_THROUGHPUT", 0x8),
    // include/uapi/linux/in6.h, RFC 5014.
    ("IPV6_PREFER_SRC_CGA", 0x8),
    ("IPV6_PREFER_SRC_COA", 0x4),
    ("IPV6_PREFER_SRC_HOME", 0x400),
    ("IPV6_PREFER_SRC_NONCGA", 0x800),
    ("IPV6_PREFER_SRC_PUBLIC", 0x2),
    ("IPV6_PREFER_SRC_PUBTMP_DEFAULT", 0x100),
    ("IPV6_PREFER_SRC_TMP", 0x1),
    // <netinet/in.h>, RFC 3542.
    ("IPV6_RTHDR_TYPE_0", 0),
    // include/linux/socket.h, <bits/socket.h>.
    ("MSG_BATCH", 0x4_0000),
    ("MSG_PROXY", 0x10),
    ("MSG_SOCK_DEVMEM", 0x200_0000),
    ("MSG_TRYHARD", 0x4),
    // include/uapi/linux/netlink.h.
    ("NETLINK_ADD_MEMBERSHIP", 1),
    ("NETLINK_AUDIT", 9),
    ("NETLINK_BROADCAST_ERROR", 4),
    ("NETLINK_CAP_ACK", 10),
    ("NETLINK_CONNECTOR", 11),
    ("NETLINK_CRYPTO", 21),
    ("NETLINK_DNRTMSG", 14),
    ("NETLINK_DROP_MEMBERSHIP", 2),
    ("NETLINK_ECRYPTFS", 19),
    ("NETLINK_EXT_ACK", 11),
    ("NETLINK_FIB_LOOKUP", 10),
    ("NETLINK_FIREWALL", 3),
    ("NETLINK_GENERIC", 16),
    ("NETLINK_GET_STRICT_CHK", 12),
    ("NETLINK_INET_DIAG", 4),
    ("NETLINK_IP6_FW", 13),
    ("NETLINK_ISCSI", 8),
    ("NETLINK_KOBJECT_UEVENT", 15),
    ("NETLINK_LISTEN_ALL_NSID", 8),
    ("NETLINK_LIST_MEMBERSHIPS", 9),
    ("NETLINK_NETFILTER", 12),
    ("NETLINK_NFLOG", 5),
    ("NETLINK_NO_ENOBUFS", 5),
    ("NETLINK_PKTINFO", 3),
    ("NETLINK_RDMA", 20),
    ("NETLINK_ROUTE", 0),
    ("NETLINK_SCSITRANSPORT", 18),
    ("NETLINK_SELINUX", 7),
    ("NETLINK_SMC", 22),
    ("NETLINK_SOCK_DIAG", 4),
    ("NETLINK_USERSOCK", 2),
    ("NETLINK_XFRM", 6),
    // include/uapi/linux/if_packet.h.
    ("PACKET_ADD_MEMBERSHIP", 1),
    ("PACKET_AUXDATA", 8),
    ("PACKET_COPY_THRESH", 7),
    ("PACKET_DROP_MEMBERSHIP", 2),
    ("PACKET_FANOUT", 18),
    ("PACKET_FANOUT_CBPF", 6),
    ("PACKET_FANOUT_CPU", 2),
    ("PACKET_FANOUT_DATA", 22),
    ("PACKET_FANOUT_EBPF", 7),
    ("PACKET_FANOUT_FLAG_DEFRAG", 0x8000),
    ("PACKET_FANOUT_FLAG_ROLLOVER", 0x1000),
    ("PACKET_FANOUT_FLAG_UNIQUEID", 0x2000),
    ("PACKET_FANOUT_HASH", 0),
    ("PACKET_FANOUT_LB", 1),
    ("PACKET_FANOUT_QM", 5),
    ("PACKET_FANOUT_RND", 4),
    ("PACKET_FANOUT_ROLLOVER", 3),
    ("PACKET_HDRLEN", 11),
    ("PACKET_IGNORE_OUTGOING", 23),
    ("PACKET_LOSS", 14),
    ("PACKET_MR_ALLMULTI", 2),
    ("PACKET_MR_MULTICAST", 0),
    ("PACKET_MR_PROMISC", 1),
    ("PACKET_MR_UNICAST", 3),
    ("PACKET_ORIGDEV", 9),
    ("PACKET_QDISC_BYPASS", 20),
    ("PACKET_RECV_OUTPUT", 3),
    ("PACKET_RESERVE", 12),
    ("PACKET_ROLLOVER_STATS", 21),
    ("PACKET_RX_RING", 5),
    ("PACKET_STATISTICS", 6),
    ("PACKET_TIMESTAMP", 17),
    ("PACKET_TX_HAS_OFF", 19),
    ("PACKET_TX_RING", 13),
    ("PACKET_TX_TIMESTAMP", 16),
    ("PACKET_VERSION", 10),
    ("PACKET_VNET_HDR", 15),
    // include/uapi/asm-generic/poll.h.
    ("POLLMSG", 0x400),
    // include/linux/socket.h, asm-generic/socket.h.
    ("SCM_DEVMEM_DMABUF", 79),
    ("SCM_DEVMEM_LINEAR", 78),
    ("SCM_INQ", 84),
    ("SCM_PIDFD", 4),
    ("SCM_SECURITY", 3),
    ("SCM_TS_OPT_ID", 81),
    // include/uapi/asm-generic/sockios.h, linux/sockios.h, asm-generic/ioctls.h.
    ("SIOCETHTOOL", 0x8946),
    ("SIOCGIFADDR", 0x8915),
    ("SIOCGIFCONF", 0x8912),
    ("SIOCGIFNAME", 0x8910),
    ("SIOCGPGRP", 0x8904),
    ("SIOCGSTAMP", 0x8906),
    ("SIOCGSTAMPNS", 0x8907),
    ("SIOCINQ", 0x541b),
    ("SIOCOUTQ", 0x5411),
    ("SIOCOUTQNSD", 0x894b),
    ("SIOCSHWTSTAMP", 0x89b0),
    ("SIOCSIFMTU", 0x8922),
    ("SIOCSPGRP", 0x8902),
    // include/linux/net.h.
    ("SOCK_DCCP", 6),
    ("SOCK_PACKET", 10),
    ("SOCK_RDM", 4),
    // include/uapi/linux/vm_sockets.h.
    ("SO_VM_SOCKETS_BUFFER_MAX_SIZE", 2),
    ("SO_VM_SOCKETS_BUFFER_MIN_SIZE", 1),
    ("SO_VM_SOCKETS_BUFFER_SIZE", 0),
    ("SO_VM_SOCKETS_CONNECT_TIMEOUT", 6),
    ("SO_VM_SOCKETS_NONBLOCK_TXRX", 7),
    ("SO_VM_SOCKETS_PEER_HOST_VM_ID", 3),
    ("SO_VM_SOCKETS_TRUSTED", 5),
    // include/uapi/linux/tcp.h.
    ("TCP_REPAIR_OFF", 0),
    ("TCP_REPAIR_OFF_NO_WP", -1),
    ("TCP_REPAIR_ON", 1),
    // include/uapi/linux/if_packet.h, `enum tpacket_versions`.
    ("TPACKET_V1", 0),
    ("TPACKET_V3", 2),
    // include/net/udplite.h, udplite(7).
    ("UDPLITE_RECV_CSCOV", 11),
    ("UDPLITE_SEND_CSCOV", 10),
    // include/uapi/linux/udp.h.
    ("UDP_ENCAP_ESPINUDP", 2),
    ("UDP_ENCAP_ESPINUDP_NON_IKE", 1),
    ("UDP_ENCAP_GTP0", 4),
    ("UDP_ENCAP_GTP1U", 5),
    ("UDP_ENCAP_L2TPINUDP", 3),
    ("UDP_ENCAP_RXRPC", 6),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_of_a_name_that_a_case_may_use_and_there_once() {
        for all in [LINUX, MACOS] {
            let names: std::collections::BTreeSet<&str> =
                all.iter().map(|(name, _)| *name).collect();
            assert_eq!(names.len(), all.len());
            for name in names {
                assert!(super::super::is_known(name), "{name}");
            }
        }
    }
}
