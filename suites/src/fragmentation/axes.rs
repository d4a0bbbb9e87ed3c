//! The parameters of the suite: to whom, over what, how large, and what was asked of the socket.

use harness::case::addr::{Addr, Host, Port, Range, Role, Scope, address};
use harness::case::op::Value;
use harness::case::{Lab, Link, LinkKind, Op, Payload, Sym};

use crate::steps::{intent, setsockopt, socket};

/// The link of every lab here that has one.
pub(super) const LINK: &str = "link0";

/// The port of the digest's report.
pub(super) const PORT: u16 = 25000;

/// Below the ephemeral ports, so that an ICMP error can quote it beforehand.
pub(super) const OWN_PORT: u16 = 20000;

/// A link to neighbours in the ranges that its MTU leaves room for (RFC 8200 §5).
pub(super) fn lab(kind: LinkKind, mtu: u32) -> Lab {
    let mut link = Link { mtu, ..Link::new(kind, LINK) };
    if mtu < 1280 {
        link.ranges = vec![Range::V4];
    }
    Lab { links: vec![link], setup: Vec::new() }
}

/// By which protocol, and from which kind of socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Path {
    V4,
    V6,
    /// IPv4 from an `AF_INET6` socket (RFC 3493 §3.7).
    Mapped,
}

impl Path {
    pub(super) const ALL: [Self; 3] = [Self::V4, Self::V6, Self::Mapped];
    /// The two that have raw sockets and ping sockets of their own.
    pub(super) const PURE: [Self; 2] = [Self::V4, Self::V6];

    pub(super) fn id(self) -> &'static str {
        match self {
            Self::V4 => "v4",
            Self::V6 => "v6",
            Self::Mapped => "mapped",
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
            Self::Mapped => "IPv4 from an IPv6 socket",
        }
    }

    pub(super) fn domain(self) -> &'static str {
        if self == Self::V4 { "AF_INET" } else { "AF_INET6" }
    }

    /// The protocol whose packets are on the wire.
    pub(super) fn range(self) -> Range {
        if self == Self::V6 { Range::V6 } else { Range::V4 }
    }

    /// An address as the socket has to name it.
    pub(super) fn addr(self, ip: std::net::IpAddr, port: u16) -> Addr {
        match (self, ip) {
            (Self::Mapped, std::net::IpAddr::V4(ip)) => Addr::ip(ip.to_ipv6_mapped(), port),
            _ => Addr::ip(ip, port),
        }
    }

    pub(super) fn neighbour(self, port: u16) -> Addr {
        if self == Self::Mapped {
            return self.addr(address(0, Role::Neighbour, Range::V4), port);
        }
        let host = Host::On { link: LINK.to_owned(), role: Role::Neighbour, range: self.range() };
        Addr { host, port: Port::Is(port), scope: Scope::Zero, family: None }
    }

    pub(super) fn own(self, port: u16) -> Addr {
        self.addr(address(0, Role::Own, self.range()), port)
    }

    /// The IP header, and that of UDP or of an ICMP echo.
    pub(super) fn headers(self) -> u32 {
        if self == Self::V6 { 48 } else { 28 }
    }

    /// The largest payload that one packet of `mtu` bytes has room for.
    pub(super) fn fit(self, mtu: u32) -> u32 {
        mtu - self.headers()
    }

    /// The level and name of the option that reads the path MTU.
    pub(super) fn mtu_option(self) -> (&'static str, &'static str) {
        if self == Self::V6 { ("IPPROTO_IPV6", "IPV6_MTU") } else { ("IPPROTO_IP", "IP_MTU") }
    }

    pub(super) fn udp(self) -> Op {
        socket("s", self.domain(), "SOCK_DGRAM")
    }
}

/// What the socket was told about fragmentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Unset,
    /// The intent, on or off.
    Intent(bool),
    /// `IP_MTU_DISCOVER`.
    Mode4(&'static str),
    /// `IPV6_MTU_DISCOVER`.
    Mode6(&'static str),
    /// `IPV6_DONTFRAG`.
    Dontfrag6(i32),
    /// `IP_DONTFRAG`.
    Dontfrag4(i32),
}

const MODES4: [&str; 6] = [
    "IP_PMTUDISC_DONT",
    "IP_PMTUDISC_WANT",
    "IP_PMTUDISC_DO",
    "IP_PMTUDISC_PROBE",
    "IP_PMTUDISC_INTERFACE",
    "IP_PMTUDISC_OMIT",
];

const MODES6: [&str; 6] = [
    "IPV6_PMTUDISC_DONT",
    "IPV6_PMTUDISC_WANT",
    "IPV6_PMTUDISC_DO",
    "IPV6_PMTUDISC_PROBE",
    "IPV6_PMTUDISC_INTERFACE",
    "IPV6_PMTUDISC_OMIT",
];

impl Asked {
    pub(super) const INTENTS: [Self; 3] = [Self::Unset, Self::Intent(true), Self::Intent(false)];

    /// Each mode of path MTU discovery of the protocol on the wire.
    pub(super) fn modes(path: Path) -> Vec<Self> {
        match path {
            Path::V6 => MODES6.map(Self::Mode6).to_vec(),
            Path::V4 | Path::Mapped => MODES4.map(Self::Mode4).to_vec(),
        }
    }

    /// Each raw option that a socket for the path may be told, of either protocol for a mapped one.
    pub(super) fn options(path: Path) -> Vec<Self> {
        let mut all = Self::modes(path);
        if path != Path::V6 {
            all.push(Self::Dontfrag4(1));
        }
        if path == Path::Mapped {
            all.extend(MODES6.map(Self::Mode6));
        }
        if path != Path::V4 {
            all.extend([Self::Dontfrag6(0), Self::Dontfrag6(1)]);
        }
        all
    }

    pub(super) fn id(self) -> String {
        match self {
            Self::Unset => "unset".to_owned(),
            Self::Intent(true) => "on".to_owned(),
            Self::Intent(false) => "off".to_owned(),
            Self::Mode4(name) | Self::Mode6(name) => {
                let (family, mode) = name.split_once("_PMTUDISC_").unwrap_or(("", name));
                format!("{}-{}", family.to_lowercase(), mode.to_lowercase())
            }
            Self::Dontfrag6(value) => format!("ipv6-dontfrag-{value}"),
            Self::Dontfrag4(value) => format!("ip-dontfrag-{value}"),
        }
    }

    pub(super) fn words(self) -> String {
        match self {
            Self::Unset => "nothing asked".to_owned(),
            Self::Intent(true) => "do-not-fragment asked for".to_owned(),
            Self::Intent(false) => "fragmentation allowed".to_owned(),
            Self::Mode4(name) | Self::Mode6(name) => name.to_owned(),
            Self::Dontfrag6(value) => format!("IPV6_DONTFRAG {value}"),
            Self::Dontfrag4(value) => format!("IP_DONTFRAG {value}"),
        }
    }

    pub(super) fn ops(self, fd: &str) -> Vec<Op> {
        let named = |name: &'static str| Value::Named(Sym::from(name));
        match self {
            Self::Unset => vec![],
            Self::Intent(on) => vec![intent(fd, on)],
            Self::Mode4(m) => vec![setsockopt(fd, "IPPROTO_IP", "IP_MTU_DISCOVER", named(m))],
            Self::Mode6(m) => vec![setsockopt(fd, "IPPROTO_IPV6", "IPV6_MTU_DISCOVER", named(m))],
            Self::Dontfrag6(v) => {
                vec![setsockopt(fd, "IPPROTO_IPV6", "IPV6_DONTFRAG", Value::Int(v))]
            }
            Self::Dontfrag4(v) => vec![setsockopt(fd, "IPPROTO_IP", "IP_DONTFRAG", Value::Int(v))],
        }
    }

    /// The rows of the catalogue of behaviours that it belongs to.
    pub(super) fn catalogue(self, path: Path) -> Vec<&'static str> {
        let mut rows = match self {
            Self::Unset => vec!["FRAG-01"],
            Self::Intent(_) | Self::Dontfrag4(_) => vec!["FRAG-02"],
            Self::Mode4(_) | Self::Mode6(_) => vec!["FRAG-08"],
            Self::Dontfrag6(_) => vec![],
        };
        rows.extend((path == Path::Mapped).then_some("FRAG-03"));
        rows.extend((path == Path::Mapped && matches!(self, Self::Mode4(_))).then_some("FRAG-07"));
        rows
    }
}

pub(super) fn bytes(len: u32) -> Payload {
    Payload::Pattern(len)
}
