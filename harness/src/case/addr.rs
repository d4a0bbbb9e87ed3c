//! Addresses: symbolic in a case (`own(down0)`), resolved in a trace (`fe80::1%down0`).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::netlink::Netlink;
pub use super::packet::{Packet, PacketSeen};
pub use super::unix::{Unix, UnixName};
pub use super::vsock::Vsock;
use super::{netlink, packet, unix, vsock};

/// Which of a link's addresses is meant.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Range {
    /// IPv6 link-local, in `fe80::/64` on every link (RFC 4291 §2.5.6).
    Ll,
    /// IPv6 global, in `2001:db8:N::/64` (RFC 3849).
    V6,
    /// IPv4, in one of the three documentation networks (RFC 5737).
    V4,
}

impl Range {
    /// The word for it in ids and transcripts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ll => "ll",
            Self::V6 => "v6",
            Self::V4 => "v4",
        }
    }
}

/// Who on a link is meant.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The host under test.
    Own = 1,
    /// A neighbour whose link-layer address the host knows already: the lab put it there.
    Neighbour = 2,
    /// A neighbour that answers address resolution, but that nobody has asked yet.
    Unresolved = 3,
    /// An on-link address where nobody answers.
    Silent = 4,
}

/// A host by its part in the lab, or an address as written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Host {
    /// Somebody on a link of the lab.
    On {
        /// The link's name in the case.
        link: String,
        /// Who on it.
        role: Role,
        /// By which of its addresses.
        range: Range,
    },
    /// This very address.
    Ip(IpAddr),
    /// A socket of `AF_UNIX`: of an address alone, which has neither a port nor a scope then.
    Unix(Unix),
    /// What an address of `AF_PACKET` says beside its link, which is its scope: of an address alone.
    Packet(Packet),
    /// A machine and a port of `AF_VSOCK`: of an address alone, whose port is a socket's where it has none itself.
    Vsock(Vsock),
    /// A process and groups of `AF_NETLINK`, likewise.
    Netlink(Netlink),
}

impl Host {
    /// The own IPv4 address of a link.
    pub fn own4(link: &str) -> Self {
        Self::On { link: link.to_owned(), role: Role::Own, range: Range::V4 }
    }

    /// The address that the plan of [`address`] or the case itself gives; a Unix socket has none, nor has a link.
    pub fn ip(&self, link_number: impl Fn(&str) -> Option<u8>) -> Option<IpAddr> {
        match self {
            Self::Unix(_) | Self::Packet(_) | Self::Vsock(_) | Self::Netlink(_) => None,
            Self::Ip(ip) => Some(*ip),
            Self::On { link, role, range } => Some(address(link_number(link)?, *role, *range)),
        }
    }
}

/// The address plan: who has which address on the lab's link number `link` (from 0).
pub fn address(link: u8, role: Role, range: Range) -> IpAddr {
    let host = role as u8;
    match range {
        Range::Ll => Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, link.into(), host.into()).into(),
        Range::V6 => Ipv6Addr::new(0x2001, 0xdb8, link.into(), 0, 0, 0, 0, host.into()).into(),
        Range::V4 => {
            let [a, b, c] = [[192, 0, 2], [198, 51, 100], [203, 0, 113]][link as usize % 3];
            Ipv4Addr::new(a, b, c, host).into()
        }
    }
}

/// The prefix length of every address of a range.
pub fn prefix_len(range: Range) -> u8 {
    match range {
        Range::Ll | Range::V6 => 64,
        Range::V4 => 24,
    }
}

/// `sin6_scope_id`, the zone of RFC 4007 §6.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Zero: no zone is named.
    #[default]
    Zero,
    /// The index of this link of the lab.
    Link(String),
    /// This very number.
    Id(u32),
}

/// The port of an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Port {
    /// This number.
    Is(u16),
    /// Whatever port this socket of the case has by then (`getsockname`).
    Of(String),
}

/// A socket address as a case names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Addr {
    /// Where.
    pub host: Host,
    /// Which port.
    pub port: Port,
    /// `sin6_scope_id`; of no meaning for IPv4.
    #[serde(default)]
    pub scope: Scope,
    /// `sa_family` when it shall not be that of `host`, for instance `AF_UNSPEC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<super::Sym>,
}

impl Addr {
    /// Somebody on a link, with the scope id that RFC 4007 §6 asks for: the link for a link-local
    /// address, zero for any other.
    pub fn on(link: &str, role: Role, range: Range, port: u16) -> Self {
        let scope = if range == Range::Ll { Scope::Link(link.to_owned()) } else { Scope::Zero };
        let host = Host::On { link: link.to_owned(), role, range };
        Self { host, port: Port::Is(port), scope, family: None }
    }

    /// This address, scope zero.
    pub fn ip(ip: impl Into<IpAddr>, port: u16) -> Self {
        Self { host: Host::Ip(ip.into()), port: Port::Is(port), scope: Scope::Zero, family: None }
    }

    /// A Unix socket's.
    pub fn unix(unix: Unix) -> Self {
        Self { host: Host::Unix(unix), port: Port::Is(0), scope: Scope::Zero, family: None }
    }

    /// Its name, if it is a Unix socket's.
    pub fn as_unix(&self) -> Option<&Unix> {
        if let Host::Unix(unix) = &self.host { Some(unix) } else { None }
    }

    /// Its protocol and hardware address, if it is one of `AF_PACKET`.
    pub fn as_packet(&self) -> Option<&Packet> {
        if let Host::Packet(packet) = &self.host { Some(packet) } else { None }
    }

    /// Its machine and port, if it is one of `AF_VSOCK`.
    pub fn as_vsock(&self) -> Option<&Vsock> {
        if let Host::Vsock(vsock) = &self.host { Some(vsock) } else { None }
    }

    /// Its process and groups, if it is one of `AF_NETLINK`.
    pub fn as_netlink(&self) -> Option<&Netlink> {
        if let Host::Netlink(netlink) = &self.host { Some(netlink) } else { None }
    }

    /// The same with another scope id.
    #[must_use]
    pub fn scoped(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }
}

/// A socket address as the kernel saw or gave it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SockAddr {
    /// `struct sockaddr_in`.
    V4 {
        /// `sin_addr`.
        ip: Ipv4Addr,
        /// `sin_port`, in host order.
        port: u16,
    },
    /// `struct sockaddr_in6`.
    V6 {
        /// `sin6_addr`.
        ip: Ipv6Addr,
        /// `sin6_port`, in host order.
        port: u16,
        /// `sin6_scope_id`.
        scope: u32,
    },
    /// `struct sockaddr_un` with a name, or of a length that no name has.
    Unix(Unix),
    /// `struct sockaddr_ll`.
    Packet(PacketSeen),
    /// `struct sockaddr_vm`.
    Vsock {
        /// `svm_cid`.
        cid: u32,
        /// `svm_port`.
        port: u32,
    },
    /// `struct sockaddr_nl`.
    Netlink {
        /// `nl_pid`.
        pid: u32,
        /// `nl_groups`.
        groups: u32,
    },
    /// An address of a length or family that says nothing more: `getpeername` of an unnamed peer.
    Bare {
        /// `sa_family` by name, or its number.
        family: String,
    },
}

impl SockAddr {
    /// A Unix socket's: without a name and of no length of its own it is its family alone.
    pub fn unix(unix: Unix) -> Self {
        match unix {
            Unix { name: UnixName::Unnamed, len: None } => {
                Self::Bare { family: "AF_UNIX".to_owned() }
            }
            unix => Self::Unix(unix),
        }
    }

    /// The port in host order, if this kind of address has one.
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::V4 { port, .. } | Self::V6 { port, .. } => Some(*port),
            _ => None,
        }
    }

    /// The IP address, if this kind of address has one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::V4 { ip, .. } => Some((*ip).into()),
            Self::V6 { ip, .. } => Some((*ip).into()),
            _ => None,
        }
    }
}

impl fmt::Display for SockAddr {
    /// `{AF_INET6 [fe80::1%2]:12345}`, `{AF_INET 192.0.2.1:12345}`, `{AF_UNIX "s"}`, `{AF_UNSPEC}`; a
    /// scope of zero is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4 { ip, port } => write!(f, "{{AF_INET {ip}:{port}}}"),
            Self::V6 { ip, port, scope: 0 } => write!(f, "{{AF_INET6 [{ip}]:{port}}}"),
            Self::V6 { ip, port, scope } => write!(f, "{{AF_INET6 [{ip}%{scope}]:{port}}}"),
            Self::Unix(unix) => unix.fmt(f),
            Self::Packet(seen) => seen.fmt(f),
            Self::Vsock { cid, port } => f.write_str(&vsock::text(*cid, &vsock::port_text(*port))),
            Self::Netlink { pid, groups } => f.write_str(&netlink::text(&pid.to_string(), *groups)),
            Self::Bare { family } => write!(f, "{{{family}}}"),
        }
    }
}

/// Text that is not what [`SockAddr`]'s `Display` writes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a socket address: {0:?}")]
pub struct ParseSockAddrError(String);

impl FromStr for SockAddr {
    type Err = ParseSockAddrError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let err = || ParseSockAddrError(text.to_owned());
        let inner = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).ok_or_else(err)?;
        let Some((family, rest)) = inner.split_once(' ') else {
            return Ok(Self::Bare { family: inner.to_owned() });
        };
        if family == "AF_UNIX" {
            return unix::parse(rest).map(Self::Unix).ok_or_else(err);
        }
        if family == "AF_PACKET" {
            return packet::parse(rest).map(Self::Packet).ok_or_else(err);
        }
        if family == "AF_VSOCK" {
            let read = vsock::parse(rest).map(|(cid, port)| Self::Vsock { cid, port });
            return read.ok_or_else(err);
        }
        if family == "AF_NETLINK" {
            let read = netlink::parse(rest).map(|(pid, groups)| Self::Netlink { pid, groups });
            return read.ok_or_else(err);
        }
        let (host, port) = rest.rsplit_once(':').ok_or_else(err)?;
        let port = port.parse().map_err(|_| err())?;
        match family {
            "AF_INET" => Ok(Self::V4 { ip: host.parse().map_err(|_| err())?, port }),
            "AF_INET6" => {
                let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
                let host = host.ok_or_else(err)?;
                let (ip, scope) = host.split_once('%').unwrap_or((host, "0"));
                let ip = ip.parse().map_err(|_| err())?;
                Ok(Self::V6 { ip, port, scope: scope.parse().map_err(|_| err())? })
            }
            _ => Err(err()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    fn any_name() -> impl Strategy<Value = UnixName> {
        prop_oneof![
            "[a-z_][a-z0-9_.-]{0,9}".prop_map(UnixName::Path),
            "([a-z_][a-z0-9_.-]{0,9})?".prop_map(UnixName::Abstract),
            Just(UnixName::Unnamed),
        ]
    }

    fn any_sockaddr() -> impl Strategy<Value = SockAddr> {
        prop_oneof![
            (any::<[u8; 4]>(), any::<u16>())
                .prop_map(|(ip, port)| SockAddr::V4 { ip: ip.into(), port }),
            (any::<[u8; 16]>(), any::<u16>(), any::<u32>())
                .prop_map(|(ip, port, scope)| SockAddr::V6 { ip: ip.into(), port, scope }),
            (any_name(), option::of(0u32..128))
                .prop_map(|(name, len)| SockAddr::unix(Unix { name, len })),
            (any::<[u16; 2]>(), any::<u32>(), any::<u8>(), vec(any::<u8>(), 0..9)).prop_map(
                |([proto, hatype], index, kind, addr)| {
                    let addr = crate::case::Hex(addr);
                    SockAddr::Packet(PacketSeen { proto, index, hatype, kind, addr })
                }
            ),
            (prop_oneof![0u32..4, Just(u32::MAX)], any::<u32>())
                .prop_map(|(cid, port)| SockAddr::Vsock { cid, port }),
            any::<[u32; 2]>().prop_map(|[pid, groups]| SockAddr::Netlink { pid, groups }),
            "AF_[A-Z]{1,9}".prop_map(|family| SockAddr::Bare { family }),
        ]
    }

    proptest! {
        #[test]
        fn a_rendered_sockaddr_parses_back(addr in any_sockaddr()) {
            prop_assert_eq!(addr.to_string().parse(), Ok(addr));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<SockAddr>();
        }
    }

    #[test]
    fn the_plan_is_the_documentation_prefixes() {
        assert_eq!(address(0, Role::Own, Range::Ll).to_string(), "fe80::1");
        assert_eq!(address(1, Role::Neighbour, Range::Ll).to_string(), "fe80::1:2");
        assert_eq!(address(2, Role::Own, Range::V4).to_string(), "203.0.113.1");
        assert_eq!(address(1, Role::Silent, Range::V6).to_string(), "2001:db8:1::4");
    }
}
