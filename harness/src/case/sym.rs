//! Names of the sockets API: constants travel by name, since their values differ between systems.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A constant of the C headers by its name, such as `AF_INET6` or `IP_MTU_DISCOVER`.
///
/// A name that no system has is a mistake in the case; a name that this system lacks is the
/// outcome `unsupported here`.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Sym(#[schemars(with = "String")] pub Cow<'static, str>);

impl Sym {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for Sym {
    fn from(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }
}

impl fmt::Display for Sym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Constants or-ed together, such as `MSG_DONTWAIT|MSG_NOSIGNAL`; none is `0`.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Flags(pub Vec<Sym>);

impl Flags {
    /// No flag at all.
    pub const NONE: Self = Self(Vec::new());

    /// The flags of these names.
    pub fn of(names: &[&'static str]) -> Self {
        Self(names.iter().map(|n| Sym::from(*n)).collect())
    }

    /// Whether `name` is among them.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|s| s.as_str() == name)
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("0");
        }
        for (i, name) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("|")?;
            }
            f.write_str(name.as_str())?;
        }
        Ok(())
    }
}

/// The operating systems that sockeye knows by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Os {
    /// Linux, and what answers its system calls (gVisor).
    Linux,
    /// macOS.
    Macos,
}

impl Os {
    /// The system that this program was built for; none where sockeye has no executor for it.
    pub fn host() -> Option<Self> {
        match std::env::consts::OS {
            "linux" => Some(Self::Linux),
            "macos" => Some(Self::Macos),
            _ => None,
        }
    }
}

/// Every name that a case may use, on whatever system it exists, in ASCII order.
#[rustfmt::skip]
pub const KNOWN: &[&str] = &[
    "AF_INET", "AF_INET6", "AF_UNIX", "AF_UNSPEC",
    "AI_ADDRCONFIG", "AI_ALL", "AI_CANONNAME", "AI_NUMERICHOST", "AI_NUMERICSERV", "AI_PASSIVE",
    "AI_V4MAPPED",
    "CONNECT_DATA_AUTHENTICATED", "CONNECT_DATA_IDEMPOTENT", "CONNECT_RESUME_ON_READ_WRITE",
    "EVFILT_EXCEPT", "EVFILT_READ", "EVFILT_WRITE",
    "EV_ADD", "EV_CLEAR", "EV_DISPATCH", "EV_ONESHOT", "EV_OOBAND",
    "FIONBIO", "FIONREAD", "F_GETFL", "F_SETFL",
    "IPPROTO_ICMP", "IPPROTO_ICMPV6", "IPPROTO_IP", "IPPROTO_IPV6", "IPPROTO_RAW", "IPPROTO_TCP",
    "IPPROTO_UDP",
    "IPV6_2292DSTOPTS", "IPV6_2292HOPLIMIT", "IPV6_2292HOPOPTS", "IPV6_2292NEXTHOP",
    "IPV6_2292PKTINFO", "IPV6_2292PKTOPTIONS", "IPV6_2292RTHDR", "IPV6_3542DSTOPTS",
    "IPV6_3542HOPLIMIT", "IPV6_3542HOPOPTS", "IPV6_3542NEXTHOP", "IPV6_3542PKTINFO",
    "IPV6_3542RTHDR", "IPV6_ADDRFORM", "IPV6_ADDR_PREFERENCES", "IPV6_ADD_MEMBERSHIP",
    "IPV6_AUTHHDR", "IPV6_AUTOFLOWLABEL", "IPV6_BINDV6ONLY", "IPV6_BOUND_IF", "IPV6_CHECKSUM",
    "IPV6_DONTFRAG", "IPV6_DROP_MEMBERSHIP", "IPV6_DSTOPTS", "IPV6_FAITH", "IPV6_FLOWINFO",
    "IPV6_FLOWINFO_SEND", "IPV6_FLOWLABEL_MGR", "IPV6_FREEBIND", "IPV6_HDRINCL", "IPV6_HOPLIMIT",
    "IPV6_HOPOPTS", "IPV6_IPSEC_POLICY", "IPV6_JOIN_ANYCAST", "IPV6_LEAVE_ANYCAST",
    "IPV6_MINHOPCOUNT", "IPV6_MSFILTER", "IPV6_MTU", "IPV6_MTU_DISCOVER", "IPV6_MULTICAST_ALL",
    "IPV6_MULTICAST_HOPS", "IPV6_MULTICAST_IF", "IPV6_MULTICAST_LOOP", "IPV6_NEXTHOP",
    "IPV6_ORIGDSTADDR", "IPV6_PATHMTU", "IPV6_PKTINFO", "IPV6_PMTUDISC_DO", "IPV6_PMTUDISC_DONT",
    "IPV6_PMTUDISC_INTERFACE", "IPV6_PMTUDISC_OMIT", "IPV6_PMTUDISC_PROBE", "IPV6_PMTUDISC_WANT",
    "IPV6_PORTRANGE", "IPV6_PREFER_TEMPADDR", "IPV6_RECVDSTOPTS", "IPV6_RECVERR",
    "IPV6_RECVERR_RFC4884", "IPV6_RECVFRAGSIZE", "IPV6_RECVHOPLIMIT", "IPV6_RECVHOPOPTS",
    "IPV6_RECVORIGDSTADDR", "IPV6_RECVPATHMTU", "IPV6_RECVPKTINFO", "IPV6_RECVRTHDR",
    "IPV6_RECVTCLASS", "IPV6_ROUTER_ALERT", "IPV6_ROUTER_ALERT_ISOLATE", "IPV6_RTHDR",
    "IPV6_RTHDRDSTOPTS", "IPV6_TCLASS", "IPV6_TRANSPARENT", "IPV6_UNICAST_HOPS", "IPV6_UNICAST_IF",
    "IPV6_USE_MIN_MTU", "IPV6_V6ONLY", "IPV6_XFRM_POLICY",
    "IP_ADD_MEMBERSHIP", "IP_ADD_SOURCE_MEMBERSHIP", "IP_BIND_ADDRESS_NO_PORT", "IP_BLOCK_SOURCE",
    "IP_BOUND_IF", "IP_CHECKSUM", "IP_DONTFRAG", "IP_DROP_MEMBERSHIP", "IP_DROP_SOURCE_MEMBERSHIP",
    "IP_FAITH", "IP_FREEBIND", "IP_HDRINCL", "IP_IPSEC_POLICY", "IP_LOCAL_PORT_RANGE", "IP_MINTTL",
    "IP_MSFILTER", "IP_MTU", "IP_MTU_DISCOVER", "IP_MULTICAST_ALL", "IP_MULTICAST_IF",
    "IP_MULTICAST_IFINDEX", "IP_MULTICAST_LOOP", "IP_MULTICAST_TTL", "IP_MULTICAST_VIF",
    "IP_NODEFRAG", "IP_OPTIONS", "IP_ORIGDSTADDR", "IP_PASSSEC", "IP_PKTINFO", "IP_PKTOPTIONS",
    "IP_PMTUDISC_DO", "IP_PMTUDISC_DONT", "IP_PMTUDISC_INTERFACE", "IP_PMTUDISC_OMIT",
    "IP_PMTUDISC_PROBE", "IP_PMTUDISC_WANT", "IP_PORTRANGE", "IP_PROTOCOL", "IP_RECVDSTADDR",
    "IP_RECVERR", "IP_RECVERR_RFC4884", "IP_RECVFRAGSIZE", "IP_RECVIF", "IP_RECVOPTS",
    "IP_RECVORIGDSTADDR", "IP_RECVPKTINFO", "IP_RECVRETOPTS", "IP_RECVTOS", "IP_RECVTTL",
    "IP_RETOPTS", "IP_ROUTER_ALERT", "IP_STRIPHDR", "IP_TOS", "IP_TRAFFIC_MGT_BACKGROUND",
    "IP_TRANSPARENT", "IP_TTL", "IP_UNBLOCK_SOURCE", "IP_UNICAST_IF", "IP_XFRM_POLICY",
    "LOCAL_PEERCRED", "LOCAL_PEEREPID", "LOCAL_PEERPID", "LOCAL_PEERTOKEN", "LOCAL_PEERUUID",
    "MCAST_BLOCK_SOURCE", "MCAST_EXCLUDE", "MCAST_INCLUDE", "MCAST_JOIN_GROUP",
    "MCAST_JOIN_SOURCE_GROUP", "MCAST_LEAVE_GROUP", "MCAST_LEAVE_SOURCE_GROUP", "MCAST_MSFILTER",
    "MCAST_UNBLOCK_SOURCE",
    "MSG_CTRUNC", "MSG_DONTROUTE", "MSG_DONTWAIT", "MSG_ERRQUEUE", "MSG_FASTOPEN", "MSG_MORE",
    "MSG_NOSIGNAL", "MSG_OOB", "MSG_PEEK", "MSG_TRUNC", "MSG_WAITALL",
    "NI_DGRAM", "NI_NAMEREQD", "NI_NOFQDN", "NI_NUMERICHOST", "NI_NUMERICSCOPE", "NI_NUMERICSERV",
    "NOTE_LOWAT", "NOTE_OOB",
    "O_NONBLOCK",
    "PERSIST_TIMEOUT",
    "POLLERR", "POLLHUP", "POLLIN", "POLLNVAL", "POLLOUT", "POLLPRI", "POLLRDHUP",
    "SHUT_RD", "SHUT_RDWR", "SHUT_WR",
    "SIOCATMARK", "SIOCGIFFLAGS", "SIOCGIFMTU",
    "SOCK_CLOEXEC", "SOCK_DGRAM", "SOCK_NONBLOCK", "SOCK_RAW", "SOCK_SEQPACKET", "SOCK_STREAM",
    "SOL_LOCAL", "SOL_SOCKET",
    "SO_ACCEPTCONN", "SO_ATTACH_BPF", "SO_ATTACH_FILTER", "SO_ATTACH_REUSEPORT_CBPF",
    "SO_ATTACH_REUSEPORT_EBPF", "SO_BINDTODEVICE", "SO_BINDTOIFINDEX", "SO_BPF_EXTENSIONS",
    "SO_BROADCAST", "SO_BSDCOMPAT", "SO_BUF_LOCK", "SO_BUSY_POLL", "SO_BUSY_POLL_BUDGET",
    "SO_CNX_ADVICE", "SO_COOKIE", "SO_DEBUG", "SO_DETACH_FILTER", "SO_DETACH_REUSEPORT_BPF",
    "SO_DEVMEM_DMABUF", "SO_DEVMEM_DONTNEED", "SO_DEVMEM_LINEAR", "SO_DOMAIN", "SO_DONTROUTE",
    "SO_DONTTRUNC", "SO_ERROR", "SO_INCOMING_CPU", "SO_INCOMING_NAPI_ID", "SO_INQ", "SO_KEEPALIVE",
    "SO_LABEL", "SO_LINGER", "SO_LINGER_SEC", "SO_LOCK_FILTER", "SO_MARK", "SO_MAX_PACING_RATE",
    "SO_MEMINFO", "SO_NETNS_COOKIE", "SO_NETSVC_MARKING_LEVEL", "SO_NET_SERVICE_TYPE", "SO_NKE",
    "SO_NOADDRERR", "SO_NOFCS", "SO_NOSIGPIPE", "SO_NOTIFYCONFLICT", "SO_NO_CHECK",
    "SO_NP_EXTENSIONS", "SO_NREAD", "SO_NUMRCVPKT", "SO_NWRITE", "SO_OOBINLINE", "SO_PASSCRED",
    "SO_PASSPIDFD", "SO_PASSRIGHTS", "SO_PASSSEC", "SO_PEEK_OFF", "SO_PEERCRED", "SO_PEERGROUPS",
    "SO_PEERLABEL", "SO_PEERNAME", "SO_PEERPIDFD", "SO_PEERSEC", "SO_PREFER_BUSY_POLL",
    "SO_PRIORITY", "SO_PROTOCOL", "SO_RANDOMPORT", "SO_RCVBUF", "SO_RCVBUFFORCE", "SO_RCVLOWAT",
    "SO_RCVMARK", "SO_RCVPRIORITY", "SO_RCVTIMEO", "SO_RCVTIMEO_NEW", "SO_RESERVE_MEM",
    "SO_RESOLVER_SIGNATURE", "SO_REUSEADDR", "SO_REUSEPORT", "SO_REUSESHAREUID", "SO_RXQ_OVFL",
    "SO_SELECT_ERR_QUEUE", "SO_SNDBUF", "SO_SNDBUFFORCE", "SO_SNDLOWAT", "SO_SNDTIMEO",
    "SO_SNDTIMEO_NEW", "SO_TIMESTAMP", "SO_TIMESTAMPING", "SO_TIMESTAMPING_NEW", "SO_TIMESTAMPNS",
    "SO_TIMESTAMPNS_NEW", "SO_TIMESTAMP_MONOTONIC", "SO_TIMESTAMP_NEW", "SO_TXREHASH", "SO_TXTIME",
    "SO_TYPE", "SO_UPCALLCLOSEWAIT", "SO_USELOOPBACK", "SO_WANTMORE", "SO_WANTOOBFLAG",
    "SO_WIFI_STATUS", "SO_ZEROCOPY",
    "TCP_AO_ADD_KEY", "TCP_AO_DEL_KEY", "TCP_AO_GET_KEYS", "TCP_AO_INFO", "TCP_AO_REPAIR",
    "TCP_CC_INFO", "TCP_CONGESTION", "TCP_CONNECTIONTIMEOUT", "TCP_CONNECTION_INFO", "TCP_CORK",
    "TCP_DEFER_ACCEPT", "TCP_DELACK_MAX_US", "TCP_ENABLE_ECN", "TCP_FASTOPEN",
    "TCP_FASTOPEN_CONNECT", "TCP_FASTOPEN_KEY", "TCP_FASTOPEN_NO_COOKIE", "TCP_INFO", "TCP_INQ",
    "TCP_IS_MPTCP", "TCP_KEEPALIVE", "TCP_KEEPCNT", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_LINGER2",
    "TCP_MAXSEG", "TCP_MD5SIG", "TCP_MD5SIG_EXT", "TCP_NODELAY", "TCP_NOOPT", "TCP_NOPUSH",
    "TCP_NOTSENT_LOWAT", "TCP_QUEUE_SEQ", "TCP_QUICKACK", "TCP_REPAIR", "TCP_REPAIR_OPTIONS",
    "TCP_REPAIR_QUEUE", "TCP_REPAIR_WINDOW", "TCP_RTO_MAX_MS", "TCP_RTO_MIN_US",
    "TCP_RXT_CONNDROPTIME", "TCP_RXT_FINDROP", "TCP_SAVED_SYN", "TCP_SAVE_SYN", "TCP_SENDMOREACKS",
    "TCP_SYNCNT", "TCP_THIN_DUPACK", "TCP_THIN_LINEAR_TIMEOUTS", "TCP_TIMESTAMP", "TCP_TX_DELAY",
    "TCP_ULP", "TCP_USER_TIMEOUT", "TCP_WINDOW_CLAMP", "TCP_ZEROCOPY_RECEIVE",
    "UDP_CORK", "UDP_ENCAP", "UDP_GRO", "UDP_NOCKSUM", "UDP_NO_CHECK6_RX", "UDP_NO_CHECK6_TX",
    "UDP_SEGMENT",
];

/// Whether `name` is one that a case may use.
pub fn is_known(name: &str) -> bool {
    KNOWN.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_sorted_and_unique() {
        assert!(
            KNOWN.windows(2).all(|w| w[0] < w[1]),
            "{:?}",
            KNOWN.windows(2).find(|w| w[0] >= w[1])
        );
    }

    #[test]
    fn flags_read_like_c() {
        assert_eq!(Flags::NONE.to_string(), "0");
        assert_eq!(Flags::of(&["MSG_PEEK", "MSG_TRUNC"]).to_string(), "MSG_PEEK|MSG_TRUNC");
    }
}
