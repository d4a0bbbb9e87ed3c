//! The parameters of what is computed: two links, and the options of either family.

use std::net::{IpAddr, SocketAddr};

use harness::case::addr::{Addr, Range, Role, address};
use harness::case::op::Value;
use harness::case::{Hex, Lab, Link, LinkKind, Op};

use crate::steps::{arrives, setsockopt};

pub(super) const PORT: u16 = 12345;
pub(super) const LINK: &str = "link0";
pub(super) const OTHER: &str = "link1";

/// Two links of that kind.
pub(super) fn lab(kind: LinkKind) -> Lab {
    Lab { links: vec![Link::new(kind, LINK), Link::new(kind, OTHER)], setup: Vec::new() }
}

/// IPv4 or IPv6: which socket, and what its options are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    pub(super) const ALL: [Self; 2] = [Self::V4, Self::V6];

    pub(super) fn pick<T>(self, v4: T, v6: T) -> T {
        if self == Self::V4 { v4 } else { v6 }
    }

    pub(super) fn id(self) -> &'static str {
        self.pick("v4", "v6")
    }

    pub(super) fn domain(self) -> &'static str {
        self.pick("AF_INET", "AF_INET6")
    }

    pub(super) fn level(self) -> &'static str {
        self.pick("IPPROTO_IP", "IPPROTO_IPV6")
    }

    /// A group that no host joins by itself.
    pub(super) fn group(self) -> IpAddr {
        ip(self.pick("239.1.2.3", "ff05::99"))
    }

    /// Another one.
    pub(super) fn other_group(self) -> IpAddr {
        ip(self.pick("239.1.2.4", "ff05::9a"))
    }

    pub(super) fn any(self, port: u16) -> Addr {
        Addr::ip(ip(self.pick("0.0.0.0", "::")), port)
    }

    /// The range of the links' addresses that are not link-local.
    pub(super) fn range(self) -> Range {
        self.pick(Range::V4, Range::V6)
    }

    pub(super) fn set(self, fd: &str, names: [&'static str; 2], value: Value) -> Op {
        setsockopt(fd, self.level(), self.pick(names[0], names[1]), value)
    }

    pub(super) fn join(self, fd: &str, group: IpAddr, by: By) -> Op {
        self.set(fd, ["IP_ADD_MEMBERSHIP", "IPV6_ADD_MEMBERSHIP"], by.membership(group))
    }

    pub(super) fn leave(self, fd: &str, group: IpAddr, by: By) -> Op {
        self.set(fd, ["IP_DROP_MEMBERSHIP", "IPV6_DROP_MEMBERSHIP"], by.membership(group))
    }

    /// `IP_MULTICAST_IF` or its twin.
    pub(super) fn send_by(self, fd: &str, value: Value) -> Op {
        self.set(fd, ["IP_MULTICAST_IF", "IPV6_MULTICAST_IF"], value)
    }

    /// A datagram to the group comes in over the link, from afar.
    pub(super) fn arrives(self, on: &Lab, link: &str, group: IpAddr) -> Op {
        let from = self.pick("203.0.113.77", "2001:db8:77::77");
        arrives(on, link, from, SocketAddr::new(group, PORT), "from afar")
    }
}

/// How a membership names its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Link,
    Other,
    Zero,
    Loopback,
    /// The link's own address: `struct ip_mreq`, IPv4 only.
    Address,
}

impl By {
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Other => "other",
            Self::Zero => "zero",
            Self::Loopback => "lo",
            Self::Address => "address",
        }
    }

    pub(super) fn membership(self, group: IpAddr) -> Value {
        let by = |link: Option<&str>| Value::Membership { group, link: link.map(str::to_owned) };
        match self {
            Self::Link => by(Some(LINK)),
            Self::Other => by(Some(OTHER)),
            Self::Zero => by(None),
            Self::Loopback => by(Some("lo")),
            Self::Address => match (group, address(0, Role::Own, Range::V4)) {
                (IpAddr::V4(group), IpAddr::V4(own)) => {
                    Value::Bytes(Hex([group.octets(), own.octets()].concat()))
                }
                _ => by(None),
            },
        }
    }
}

pub(super) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address of a table")
}
