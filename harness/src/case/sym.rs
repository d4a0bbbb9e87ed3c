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
    "FIONBIO", "FIONREAD", "F_GETFL", "F_SETFL",
    "IPPROTO_ICMP", "IPPROTO_ICMPV6", "IPPROTO_IP", "IPPROTO_IPV6", "IPPROTO_RAW", "IPPROTO_TCP",
    "IPPROTO_UDP",
    "IPV6_ADD_MEMBERSHIP", "IPV6_BOUND_IF", "IPV6_DONTFRAG", "IPV6_DROP_MEMBERSHIP", "IPV6_MTU",
    "IPV6_MTU_DISCOVER", "IPV6_MULTICAST_HOPS", "IPV6_MULTICAST_IF", "IPV6_MULTICAST_LOOP",
    "IPV6_PKTINFO", "IPV6_PMTUDISC_DO", "IPV6_PMTUDISC_DONT", "IPV6_PMTUDISC_INTERFACE",
    "IPV6_PMTUDISC_OMIT", "IPV6_PMTUDISC_PROBE", "IPV6_PMTUDISC_WANT", "IPV6_RECVERR",
    "IPV6_RECVHOPLIMIT", "IPV6_RECVPKTINFO", "IPV6_RECVTCLASS", "IPV6_TCLASS", "IPV6_UNICAST_HOPS",
    "IPV6_V6ONLY",
    "IP_ADD_MEMBERSHIP", "IP_ADD_SOURCE_MEMBERSHIP", "IP_BLOCK_SOURCE", "IP_BOUND_IF",
    "IP_DONTFRAG", "IP_DROP_MEMBERSHIP", "IP_DROP_SOURCE_MEMBERSHIP", "IP_HDRINCL", "IP_MSFILTER",
    "IP_MTU", "IP_MTU_DISCOVER", "IP_MULTICAST_IF", "IP_MULTICAST_LOOP", "IP_MULTICAST_TTL",
    "IP_PKTINFO", "IP_PMTUDISC_DO", "IP_PMTUDISC_DONT", "IP_PMTUDISC_INTERFACE", "IP_PMTUDISC_OMIT",
    "IP_PMTUDISC_PROBE", "IP_PMTUDISC_WANT", "IP_RECVDSTADDR", "IP_RECVERR", "IP_RECVIF",
    "IP_RECVTOS", "IP_RECVTTL", "IP_TOS", "IP_TTL", "IP_UNBLOCK_SOURCE",
    "MCAST_BLOCK_SOURCE", "MCAST_EXCLUDE", "MCAST_INCLUDE", "MCAST_JOIN_SOURCE_GROUP",
    "MCAST_LEAVE_SOURCE_GROUP", "MCAST_MSFILTER", "MCAST_UNBLOCK_SOURCE",
    "MSG_CTRUNC", "MSG_DONTROUTE", "MSG_DONTWAIT", "MSG_ERRQUEUE", "MSG_FASTOPEN", "MSG_MORE",
    "MSG_NOSIGNAL", "MSG_OOB", "MSG_PEEK", "MSG_TRUNC", "MSG_WAITALL",
    "NI_DGRAM", "NI_NAMEREQD", "NI_NOFQDN", "NI_NUMERICHOST", "NI_NUMERICSCOPE",
    "NI_NUMERICSERV",
    "O_NONBLOCK",
    "POLLERR", "POLLHUP", "POLLIN", "POLLNVAL", "POLLOUT", "POLLPRI", "POLLRDHUP",
    "SHUT_RD", "SHUT_RDWR", "SHUT_WR",
    "SIOCATMARK", "SIOCGIFFLAGS", "SIOCGIFMTU",
    "SOCK_CLOEXEC", "SOCK_DGRAM", "SOCK_NONBLOCK", "SOCK_RAW", "SOCK_SEQPACKET", "SOCK_STREAM",
    "SOL_SOCKET",
    "SO_ACCEPTCONN", "SO_BINDTODEVICE", "SO_BROADCAST", "SO_DOMAIN", "SO_DONTROUTE", "SO_ERROR",
    "SO_KEEPALIVE", "SO_LINGER", "SO_NOSIGPIPE", "SO_OOBINLINE", "SO_PROTOCOL", "SO_RCVBUF",
    "SO_RCVTIMEO", "SO_REUSEADDR", "SO_REUSEPORT", "SO_SNDBUF", "SO_SNDTIMEO", "SO_TYPE",
    "TCP_FASTOPEN", "TCP_FASTOPEN_CONNECT", "TCP_FASTOPEN_NO_COOKIE", "TCP_MAXSEG", "TCP_NODELAY",
    "TCP_USER_TIMEOUT",
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
