//! The addresses that the suite's calls are given.

use std::net::IpAddr;

use harness::case::Lab;
use harness::case::addr::{Addr, Host, Range, Role};

use super::axes::{Net, PORT, Zone};
use crate::steps::ip;

/// To whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    Own,
    Neighbour,
    Unresolved,
    AllNodes,
    InterfaceLocal,
    SiteGroup,
    Own6,
    Neighbour6,
    SiteLocal,
    Loopback,
    Any,
    Mapped,
    MappedLoopback,
    MappedAny,
    Compatible,
    CompatibleGroup,
    /// A `sockaddr_in`.
    V4,
}

impl To {
    /// Addresses whose scope is less than global.
    pub(super) const ZONED: [Self; 6] = [
        Self::Own,
        Self::Neighbour,
        Self::Unresolved,
        Self::AllNodes,
        Self::InterfaceLocal,
        Self::SiteGroup,
    ];

    /// Addresses that have no zone to speak of.
    pub(super) const WIDE: [Self; 11] = [
        Self::Own6,
        Self::Neighbour6,
        Self::SiteLocal,
        Self::Loopback,
        Self::Any,
        Self::Mapped,
        Self::MappedLoopback,
        Self::MappedAny,
        Self::Compatible,
        Self::CompatibleGroup,
        Self::V4,
    ];

    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Neighbour => "neighbour",
            Self::Unresolved => "unresolved",
            Self::AllNodes => "ff02::1",
            Self::InterfaceLocal => "ff01::1",
            Self::SiteGroup => "ff05::1:3",
            Self::Own6 => "own6",
            Self::Neighbour6 => "neighbour6",
            Self::SiteLocal => "fec0::1",
            Self::Loopback => "::1",
            Self::Any => "any",
            Self::Mapped => "mapped",
            Self::MappedLoopback => "mapped-loopback",
            Self::MappedAny => "mapped-any",
            Self::Compatible => "compatible",
            Self::CompatibleGroup => "compatible-group",
            Self::V4 => "sockaddr_in",
        }
    }

    pub(super) fn addr(self, net: Net, zone: Zone) -> Addr {
        let bare = match self {
            Self::Own => net.on(Role::Own, Range::Ll),
            Self::Neighbour => net.on(Role::Neighbour, Range::Ll),
            Self::Unresolved => net.on(Role::Unresolved, Range::Ll),
            Self::Own6 => net.on(Role::Own, Range::V6),
            Self::Neighbour6 => net.on(Role::Neighbour, Range::V6),
            Self::V4 => net.on(Role::Neighbour, Range::V4),
            Self::Any => ip("::", PORT),
            Self::Mapped => mapped(&net.lab(), &net.on(Role::Neighbour, Range::V4)),
            Self::MappedLoopback => ip("::ffff:127.0.0.1", PORT),
            Self::MappedAny => ip("::ffff:0.0.0.0", PORT),
            Self::Compatible => ip("::198.51.100.2", PORT),
            Self::CompatibleGroup => ip("::224.0.0.1", PORT),
            Self::AllNodes
            | Self::InterfaceLocal
            | Self::SiteGroup
            | Self::SiteLocal
            | Self::Loopback => ip(self.id(), PORT),
        };
        bare.scoped(zone.scope(net))
    }

    /// Whether a receiver on this very host can hear it.
    pub(super) fn is_local(self) -> bool {
        matches!(
            self,
            Self::Own
                | Self::AllNodes
                | Self::InterfaceLocal
                | Self::Own6
                | Self::Loopback
                | Self::Any
                | Self::MappedLoopback
                | Self::MappedAny
        )
    }

    /// The rows of the catalogue that a call to it is one of.
    pub(super) fn catalogue(self, zone: Zone) -> Vec<&'static str> {
        let mut rows = match self {
            Self::Own | Self::Neighbour | Self::Unresolved => vec!["SCOPE-01"],
            Self::AllNodes | Self::InterfaceLocal | Self::SiteGroup => vec!["SCOPE-10"],
            Self::Own6 | Self::Neighbour6 | Self::SiteLocal | Self::Loopback => vec!["SCOPE-04"],
            Self::Any | Self::MappedAny => vec!["SCOPE-08"],
            Self::Mapped | Self::MappedLoopback => vec!["SCOPE-06"],
            Self::Compatible | Self::CompatibleGroup => vec!["SCOPE-13"],
            Self::V4 => vec!["SCOPE-12"],
        };
        rows.extend((zone == Zone::Absent).then_some("SCOPE-03"));
        rows
    }
}

/// The IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) of somebody on a lab's link.
pub(super) fn mapped(lab: &Lab, v4: &Addr) -> Addr {
    match lab.ip(&v4.host) {
        Some(IpAddr::V4(ip)) => Addr { host: Host::Ip(ip.to_ipv6_mapped().into()), ..v4.clone() },
        _ => v4.clone(),
    }
}
