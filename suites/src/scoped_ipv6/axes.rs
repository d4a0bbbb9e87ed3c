//! The parameters of the suite: over which links, with which scope id, to whom.

use harness::case::addr::{Addr, Range, Role, Scope};
use harness::case::lab::LabOp;
use harness::case::{Lab, Link, LinkKind};

use super::to::To;

pub(super) const PORT: u16 = 12345;

const NAMES: [&str; 3] = ["link0", "link1", "link2"];

/// Links that carry the same `fe80::/64`, one of which is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Net {
    /// Two taps, the first one meant.
    First,
    /// Two taps, the second one meant.
    Second,
    /// Three taps, the last one meant.
    Third,
    /// Two tuns, the second one meant.
    Tun,
}

impl Net {
    pub(super) const ALL: [Self; 4] = [Self::First, Self::Second, Self::Third, Self::Tun];

    pub(super) fn id(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Third => "third",
            Self::Tun => "tun",
        }
    }

    pub(super) fn kind(self) -> LinkKind {
        if self == Self::Tun { LinkKind::Tun } else { LinkKind::Tap }
    }

    /// The link that is meant.
    pub(super) fn meant(self) -> &'static str {
        match self {
            Self::First => NAMES[0],
            Self::Second | Self::Tun => NAMES[1],
            Self::Third => NAMES[2],
        }
    }

    /// One that is not.
    pub(super) fn other(self) -> &'static str {
        if self == Self::First { NAMES[1] } else { NAMES[0] }
    }

    pub(super) fn lab(self) -> Lab {
        let count = if self == Self::Third { 3 } else { 2 };
        let links = NAMES[..count].iter().map(|name| Link::new(self.kind(), name)).collect();
        Lab { links, setup: Vec::new() }
    }

    /// Somebody's address on the link that is meant, scope zero.
    pub(super) fn on(self, role: Role, range: Range) -> Addr {
        Addr::on(self.meant(), role, range, PORT).scoped(Scope::Zero)
    }
}

/// Which scope id an address has, and in which state the link is that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    Right,
    Zero,
    Other,
    Loopback,
    /// No link has this index.
    Absent,
    Down,
    /// The link is down and has its addresses, which some systems take away, again.
    Readdressed,
    Deleted,
    /// Scope zero, the link being down: the other one is still up.
    ZeroDown,
}

impl Zone {
    pub(super) const ALL: [Self; 9] = [
        Self::Right,
        Self::Zero,
        Self::Other,
        Self::Loopback,
        Self::Absent,
        Self::Down,
        Self::Readdressed,
        Self::Deleted,
        Self::ZeroDown,
    ];

    /// Those that leave the links alone.
    pub(super) const UP: [Self; 5] =
        [Self::Right, Self::Zero, Self::Other, Self::Loopback, Self::Absent];

    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Zero => "zero",
            Self::Other => "other",
            Self::Loopback => "loopback",
            Self::Absent => "absent",
            Self::Down => "down",
            Self::Readdressed => "readdressed",
            Self::Deleted => "deleted",
            Self::ZeroDown => "zero-down",
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Right => "scope id of its link",
            Self::Zero => "scope id zero",
            Self::Other => "scope id of another link",
            Self::Loopback => "scope id of loopback",
            Self::Absent => "scope id of no link",
            Self::Down => "scope id of its link, which is down",
            Self::Readdressed => "scope id of its link, which is down and has its addresses",
            Self::Deleted => "scope id of its link, which was deleted",
            Self::ZeroDown => "scope id zero, its link being down",
        }
    }

    pub(super) fn scope(self, net: Net) -> Scope {
        match self {
            Self::Right | Self::Down | Self::Readdressed | Self::Deleted => {
                Scope::Link(net.meant().to_owned())
            }
            Self::Zero | Self::ZeroDown => Scope::Zero,
            Self::Other => Scope::Link(net.other().to_owned()),
            Self::Loopback => Scope::Link("lo".to_owned()),
            Self::Absent => Scope::Id(9999),
        }
    }

    pub(super) fn lab(self, net: Net) -> Lab {
        let link = || net.meant().to_owned();
        let down = LabOp::LinkDown { link: link() };
        let back = |range| LabOp::AddressAdd { link: link(), range };
        net.lab().with(match self {
            Self::Down | Self::ZeroDown => vec![down],
            Self::Readdressed => vec![down, back(Range::Ll), back(Range::V6)],
            Self::Deleted => vec![LabOp::LinkDelete { link: link() }],
            _ => vec![],
        })
    }
}

/// Every combination that a table of calls to an address asks for. Which link of several is meant
/// matters where the address alone does not say; what has no zone is asked for on one set of links,
/// with the scope ids that leave them alone.
pub(super) fn rows() -> Vec<(Net, Zone, To)> {
    let mut rows = Vec::new();
    for net in Net::ALL {
        let zones = match net {
            Net::Second | Net::Tun => &Zone::ALL[..],
            Net::First | Net::Third => &[Zone::Right, Zone::Zero, Zone::Other, Zone::ZeroDown],
        };
        for zone in zones {
            rows.extend(To::ZONED.map(|to| (net, *zone, to)));
        }
    }
    for to in To::WIDE {
        let zones = if to == To::V4 { &Zone::UP[1..2] } else { &Zone::UP };
        rows.extend(zones.iter().map(|zone| (Net::Second, *zone, to)));
    }
    rows
}

/// Why there is no such row.
pub(super) fn left_out(net: Net, to: To) -> Option<&'static str> {
    (net.kind() == LinkKind::Tun && to == To::Unresolved).then_some(
        "a tun has no address resolution: the row would repeat the one to a resolved neighbour",
    )
}
