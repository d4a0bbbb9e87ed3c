//! The names of the options, by level: what Linux's UAPI headers and Apple's public ones have.
//!
//! Left out are the commands that go by the number of an option: firewalls (`IP_FW_ADD`,
//! `IPT_SO_GET_INFO`), dummynet, RSVP, multicast routing (`MRT_INIT`), and Apple's private ones,
//! which a program that is built with the SDK does not know.

/// `SOL_SOCKET`: socket(7), unix(7), macOS's getsockopt(2).
#[rustfmt::skip]
pub(super) const SOCKET: [&[&str]; 4] = [
    // macOS's that nobody else's suite of tests asks for.
    &[
        "SO_USELOOPBACK", "SO_WANTMORE", "SO_WANTOOBFLAG", "SO_TIMESTAMP_MONOTONIC", "SO_SNDLOWAT",
        "SO_LABEL", "SO_PEERLABEL", "SO_NKE", "SO_NOADDRERR", "SO_NWRITE", "SO_REUSESHAREUID",
        "SO_NOTIFYCONFLICT", "SO_UPCALLCLOSEWAIT", "SO_RANDOMPORT", "SO_NP_EXTENSIONS",
        "SO_NET_SERVICE_TYPE", "SO_NETSVC_MARKING_LEVEL", "SO_RESOLVER_SIGNATURE",
    ],
    // macOS's; Linux has most of them too.
    &[
        "SO_ACCEPTCONN", "SO_BINDTODEVICE", "SO_BROADCAST", "SO_DEBUG", "SO_DONTROUTE",
        "SO_DONTTRUNC", "SO_ERROR", "SO_KEEPALIVE", "SO_LINGER", "SO_LINGER_SEC", "SO_NOSIGPIPE",
        "SO_NREAD", "SO_NUMRCVPKT", "SO_OOBINLINE", "SO_RCVBUF", "SO_RCVLOWAT", "SO_RCVTIMEO",
        "SO_REUSEADDR", "SO_REUSEPORT", "SO_SNDBUF", "SO_SNDTIMEO", "SO_TIMESTAMP", "SO_TYPE",
    ],
    // Linux's alone.
    &[
        "SO_ATTACH_BPF", "SO_ATTACH_FILTER", "SO_ATTACH_REUSEPORT_CBPF", "SO_ATTACH_REUSEPORT_EBPF",
        "SO_BINDTOIFINDEX", "SO_BPF_EXTENSIONS", "SO_BSDCOMPAT", "SO_BUSY_POLL", "SO_CNX_ADVICE",
        "SO_COOKIE", "SO_DETACH_FILTER", "SO_DETACH_REUSEPORT_BPF", "SO_DOMAIN", "SO_INCOMING_CPU",
        "SO_INCOMING_NAPI_ID", "SO_LOCK_FILTER", "SO_MARK", "SO_MAX_PACING_RATE", "SO_MEMINFO",
        "SO_NOFCS", "SO_NO_CHECK", "SO_PASSCRED", "SO_PASSSEC", "SO_PEEK_OFF", "SO_PEERCRED",
        "SO_PEERGROUPS", "SO_PEERNAME", "SO_PEERSEC", "SO_PRIORITY", "SO_PROTOCOL",
        "SO_RCVBUFFORCE", "SO_RCVTIMEO_NEW", "SO_RXQ_OVFL", "SO_SELECT_ERR_QUEUE", "SO_SNDBUFFORCE",
        "SO_SNDTIMEO_NEW", "SO_TIMESTAMPING", "SO_TIMESTAMPING_NEW", "SO_TIMESTAMPNS",
        "SO_TIMESTAMPNS_NEW", "SO_TIMESTAMP_NEW", "SO_TXTIME", "SO_WIFI_STATUS", "SO_ZEROCOPY",
    ],
    // Linux has them since:
    &[
        // 5.11
        "SO_PREFER_BUSY_POLL", "SO_BUSY_POLL_BUDGET",
        // 5.14
        "SO_NETNS_COOKIE",
        // 5.15
        "SO_BUF_LOCK",
        // 5.16
        "SO_RESERVE_MEM",
        // 5.18
        "SO_TXREHASH",
        // 5.19
        "SO_RCVMARK",
        // 6.5
        "SO_PASSPIDFD", "SO_PEERPIDFD",
        // 6.12
        "SO_DEVMEM_LINEAR", "SO_DEVMEM_DMABUF", "SO_DEVMEM_DONTNEED",
        // 6.14
        "SO_RCVPRIORITY",
        // 6.16
        "SO_PASSRIGHTS",
        // 6.17
        "SO_INQ",
    ],
];

/// `IPPROTO_IP`: ip(7), macOS's ip(4).
#[rustfmt::skip]
pub(super) const IP: [&[&str]; 4] = [
    // macOS's that nobody else's suite of tests asks for.
    &[
        "IP_RECVOPTS", "IP_RECVRETOPTS", "IP_RETOPTS", "IP_MULTICAST_VIF", "IP_PORTRANGE",
        "IP_IPSEC_POLICY", "IP_FAITH", "IP_STRIPHDR", "IP_DONTFRAG", "IP_TRAFFIC_MGT_BACKGROUND",
        "IP_MULTICAST_IFINDEX", "IP_BLOCK_SOURCE", "IP_DROP_SOURCE_MEMBERSHIP", "IP_MSFILTER",
        "IP_UNBLOCK_SOURCE",
    ],
    // macOS's; Linux has most of them too.
    &[
        "IP_ADD_MEMBERSHIP", "IP_ADD_SOURCE_MEMBERSHIP", "IP_BOUND_IF", "IP_DROP_MEMBERSHIP",
        "IP_HDRINCL", "IP_MULTICAST_IF", "IP_MULTICAST_LOOP", "IP_MULTICAST_TTL", "IP_OPTIONS",
        "IP_PKTINFO", "IP_RECVDSTADDR", "IP_RECVIF", "IP_RECVPKTINFO", "IP_RECVTOS", "IP_RECVTTL",
        "IP_TOS", "IP_TTL", "MCAST_BLOCK_SOURCE", "MCAST_JOIN_GROUP", "MCAST_JOIN_SOURCE_GROUP",
        "MCAST_LEAVE_GROUP", "MCAST_LEAVE_SOURCE_GROUP", "MCAST_UNBLOCK_SOURCE",
    ],
    // Linux's alone.
    &[
        "IP_BIND_ADDRESS_NO_PORT", "IP_CHECKSUM", "IP_FREEBIND", "IP_MINTTL", "IP_MTU",
        "IP_MTU_DISCOVER", "IP_MULTICAST_ALL", "IP_NODEFRAG", "IP_ORIGDSTADDR", "IP_PASSSEC",
        "IP_PKTOPTIONS", "IP_RECVERR", "IP_RECVERR_RFC4884", "IP_RECVFRAGSIZE",
        "IP_RECVORIGDSTADDR", "IP_ROUTER_ALERT", "IP_TRANSPARENT", "IP_UNICAST_IF",
        "IP_XFRM_POLICY", "MCAST_MSFILTER",
    ],
    // Linux has them since:
    &[
        // 6.3, and 6.1 by a stable update
        "IP_LOCAL_PORT_RANGE",
        // 6.4, and 5.10 by a stable update
        "IP_PROTOCOL",
    ],
];

/// `IPPROTO_IPV6`: ipv6(7), macOS's ip6(4).
#[rustfmt::skip]
pub(super) const IPV6: [&[&str]; 3] = [
    // macOS's that nobody else's suite of tests asks for.
    &[
        "IPV6_PORTRANGE", "IPV6_2292NEXTHOP", "IPV6_3542DSTOPTS", "IPV6_3542HOPLIMIT",
        "IPV6_3542HOPOPTS", "IPV6_3542NEXTHOP", "IPV6_3542PKTINFO", "IPV6_3542RTHDR",
        "IPV6_AUTOFLOWLABEL", "IPV6_BINDV6ONLY", "IPV6_FAITH", "IPV6_IPSEC_POLICY", "IPV6_MSFILTER",
        "IPV6_NEXTHOP", "IPV6_PATHMTU", "IPV6_PREFER_TEMPADDR", "IPV6_RECVPATHMTU",
    ],
    // macOS's; Linux has most of them too.
    &[
        "IPV6_2292DSTOPTS", "IPV6_2292HOPLIMIT", "IPV6_2292HOPOPTS", "IPV6_2292PKTINFO",
        "IPV6_2292PKTOPTIONS", "IPV6_2292RTHDR", "IPV6_ADD_MEMBERSHIP", "IPV6_BOUND_IF",
        "IPV6_CHECKSUM", "IPV6_DONTFRAG", "IPV6_DROP_MEMBERSHIP", "IPV6_DSTOPTS", "IPV6_HOPLIMIT",
        "IPV6_HOPOPTS", "IPV6_MULTICAST_HOPS", "IPV6_MULTICAST_IF", "IPV6_MULTICAST_LOOP",
        "IPV6_PKTINFO", "IPV6_RECVDSTOPTS", "IPV6_RECVHOPLIMIT", "IPV6_RECVHOPOPTS",
        "IPV6_RECVPKTINFO", "IPV6_RECVRTHDR", "IPV6_RECVTCLASS", "IPV6_RTHDR", "IPV6_RTHDRDSTOPTS",
        "IPV6_TCLASS", "IPV6_UNICAST_HOPS", "IPV6_USE_MIN_MTU", "IPV6_V6ONLY",
    ],
    // Linux's alone.
    &[
        "IPV6_ADDRFORM", "IPV6_ADDR_PREFERENCES", "IPV6_AUTHHDR", "IPV6_FLOWINFO",
        "IPV6_FLOWINFO_SEND", "IPV6_FLOWLABEL_MGR", "IPV6_FREEBIND", "IPV6_HDRINCL",
        "IPV6_JOIN_ANYCAST", "IPV6_LEAVE_ANYCAST", "IPV6_MINHOPCOUNT", "IPV6_MTU",
        "IPV6_MTU_DISCOVER", "IPV6_MULTICAST_ALL", "IPV6_ORIGDSTADDR", "IPV6_RECVERR",
        "IPV6_RECVERR_RFC4884", "IPV6_RECVFRAGSIZE", "IPV6_RECVORIGDSTADDR", "IPV6_ROUTER_ALERT",
        "IPV6_ROUTER_ALERT_ISOLATE", "IPV6_TRANSPARENT", "IPV6_UNICAST_IF", "IPV6_XFRM_POLICY",
        "MCAST_MSFILTER",
    ],
];

/// `IPPROTO_TCP`: tcp(7), macOS's tcp(4).
#[rustfmt::skip]
pub(super) const TCP: [&[&str]; 4] = [
    // macOS's that nobody else's suite of tests asks for.
    &[
        "TCP_NOPUSH", "TCP_NOOPT", "TCP_KEEPALIVE", "PERSIST_TIMEOUT", "TCP_RXT_CONNDROPTIME",
        "TCP_RXT_FINDROP", "TCP_SENDMOREACKS", "TCP_ENABLE_ECN", "TCP_CONNECTION_INFO",
    ],
    // macOS's; Linux has most of them too.
    &[
        "TCP_CONNECTIONTIMEOUT", "TCP_FASTOPEN", "TCP_KEEPCNT", "TCP_KEEPINTVL", "TCP_MAXSEG",
        "TCP_NODELAY", "TCP_NOTSENT_LOWAT",
    ],
    // Linux's alone.
    &[
        "TCP_CC_INFO", "TCP_CONGESTION", "TCP_CORK", "TCP_DEFER_ACCEPT", "TCP_FASTOPEN_CONNECT",
        "TCP_FASTOPEN_KEY", "TCP_FASTOPEN_NO_COOKIE", "TCP_INFO", "TCP_INQ", "TCP_KEEPIDLE",
        "TCP_LINGER2", "TCP_MD5SIG", "TCP_MD5SIG_EXT", "TCP_QUEUE_SEQ", "TCP_QUICKACK",
        "TCP_REPAIR", "TCP_REPAIR_OPTIONS", "TCP_REPAIR_QUEUE", "TCP_REPAIR_WINDOW",
        "TCP_SAVED_SYN", "TCP_SAVE_SYN", "TCP_SYNCNT", "TCP_THIN_DUPACK",
        "TCP_THIN_LINEAR_TIMEOUTS", "TCP_TIMESTAMP", "TCP_TX_DELAY", "TCP_ULP", "TCP_USER_TIMEOUT",
        "TCP_WINDOW_CLAMP", "TCP_ZEROCOPY_RECEIVE",
    ],
    // Linux has them since:
    &[
        // 6.7
        "TCP_AO_ADD_KEY", "TCP_AO_DEL_KEY", "TCP_AO_INFO", "TCP_AO_GET_KEYS", "TCP_AO_REPAIR",
        // 6.10
        "TCP_IS_MPTCP",
        // 6.15
        "TCP_RTO_MAX_MS", "TCP_RTO_MIN_US", "TCP_DELACK_MAX_US",
    ],
];

/// `IPPROTO_UDP`: udp(7), macOS's udp(4).
#[rustfmt::skip]
pub(super) const UDP: [&[&str]; 2] = [
    // macOS's that nobody else's suite of tests asks for.
    &["UDP_NOCKSUM"],
    // Linux's alone.
    &[
        "UDP_CORK", "UDP_ENCAP", "UDP_GRO", "UDP_NO_CHECK6_RX", "UDP_NO_CHECK6_TX", "UDP_SEGMENT",
    ],
];
