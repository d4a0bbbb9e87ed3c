//! The parameters of the suite: which link, in which state, to whom.

use harness::case::addr::{Addr, Range, Role};
use harness::case::lab::LabOp;
use harness::case::{Lab, LinkKind};

use crate::steps::{ip, scoped};

/// The link of every lab here.
pub(super) const LINK: &str = "link0";

/// Any port that nobody else uses: the forum program's.
pub(super) const PORT: u16 = 12345;

pub(super) const KINDS: [LinkKind; 2] = [LinkKind::Tap, LinkKind::Tun];

/// In which state the link is when the datagram is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Up,
    Down,
    /// Down, which takes the IPv6 addresses away on some systems, and put back since.
    Readdressed,
    DownUp,
    /// RFC 8200 §5 forbids IPv6 on such a link.
    SmallMtu,
    Deleted,
}

impl State {
    pub(super) const ALL: [Self; 6] =
        [Self::Up, Self::Down, Self::Readdressed, Self::DownUp, Self::SmallMtu, Self::Deleted];

    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Readdressed => "readdressed",
            Self::DownUp => "down-up",
            Self::SmallMtu => "mtu-1000",
            Self::Deleted => "deleted",
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Readdressed => "down and has its IPv6 addresses back",
            Self::DownUp => "up again after it was down",
            Self::SmallMtu => "up with an MTU below IPv6's 1280",
            Self::Deleted => "deleted",
        }
    }

    /// What brings a link that is up into this state.
    pub(super) fn steps(self) -> Vec<LabOp> {
        let link = || LINK.to_owned();
        let down = LabOp::LinkDown { link: link() };
        match self {
            Self::Up => vec![],
            Self::Down => vec![down],
            Self::Readdressed => vec![
                down,
                LabOp::AddressAdd { link: link(), range: Range::Ll },
                LabOp::AddressAdd { link: link(), range: Range::V6 },
            ],
            Self::DownUp => vec![down, LabOp::LinkUp { link: link() }],
            Self::SmallMtu => vec![LabOp::Mtu { link: link(), mtu: 1000 }],
            Self::Deleted => vec![LabOp::LinkDelete { link: link() }],
        }
    }
}

/// A lab whose link is in that state.
pub(super) fn lab(kind: LinkKind, state: State) -> Lab {
    Lab::one(kind, LINK).with(state.steps())
}

/// To whom the datagram goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    Own,
    Neighbour,
    Unresolved,
    AllNodes,
    SolicitedNode,
    Global,
    OffLink,
    Own4,
    Neighbour4,
    Limited4,
    Directed4,
    Multicast4,
}

impl To {
    pub(super) const ALL: [Self; 12] = [
        Self::Own,
        Self::Neighbour,
        Self::Unresolved,
        Self::AllNodes,
        Self::SolicitedNode,
        Self::Global,
        Self::OffLink,
        Self::Own4,
        Self::Neighbour4,
        Self::Limited4,
        Self::Directed4,
        Self::Multicast4,
    ];

    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Neighbour => "neighbour",
            Self::Unresolved => "unresolved",
            Self::AllNodes => "all-nodes",
            Self::SolicitedNode => "solicited-node",
            Self::Global => "global",
            Self::OffLink => "off-link",
            Self::Own4 => "own4",
            Self::Neighbour4 => "neighbour4",
            Self::Limited4 => "limited4",
            Self::Directed4 => "directed4",
            Self::Multicast4 => "multicast4",
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Own => "the link's own link-local address",
            Self::Neighbour => "the link-local address of a resolved neighbour",
            Self::Unresolved => "the link-local address of a neighbour nobody has asked for yet",
            Self::AllNodes => "ff02::1 on the link",
            Self::SolicitedNode => "the link's own solicited-node group",
            Self::Global => "a neighbour's global IPv6 address",
            Self::OffLink => "a global IPv6 address that no route leads to",
            Self::Own4 => "the link's own IPv4 address",
            Self::Neighbour4 => "the IPv4 address of a resolved neighbour",
            Self::Limited4 => "255.255.255.255",
            Self::Directed4 => "the link's directed broadcast address",
            Self::Multicast4 => "224.0.0.251",
        }
    }

    pub(super) fn addr(self, port: u16) -> Addr {
        let on = |role, range| Addr::on(LINK, role, range, port);
        match self {
            Self::Own => on(Role::Own, Range::Ll),
            Self::Neighbour => on(Role::Neighbour, Range::Ll),
            Self::Unresolved => on(Role::Unresolved, Range::Ll),
            Self::AllNodes => scoped("ff02::1", port, LINK),
            Self::SolicitedNode => scoped("ff02::1:ff00:1", port, LINK),
            Self::Global => on(Role::Neighbour, Range::V6),
            Self::OffLink => ip("2001:db8:ffff::1", port),
            Self::Own4 => on(Role::Own, Range::V4),
            Self::Neighbour4 => on(Role::Neighbour, Range::V4),
            Self::Limited4 => ip("255.255.255.255", port),
            Self::Directed4 => ip("192.0.2.255", port),
            Self::Multicast4 => ip("224.0.0.251", port),
        }
    }

    pub(super) fn is_v4(self) -> bool {
        matches!(
            self,
            Self::Own4 | Self::Neighbour4 | Self::Limited4 | Self::Directed4 | Self::Multicast4
        )
    }

    pub(super) fn is_broadcast(self) -> bool {
        matches!(self, Self::Limited4 | Self::Directed4)
    }

    /// Whether a receiver on this very host can hear it.
    pub(super) fn is_local(self) -> bool {
        matches!(self, Self::Own | Self::AllNodes | Self::SolicitedNode | Self::Own4)
            || self.is_broadcast()
    }

    pub(super) fn domain(self) -> &'static str {
        if self.is_v4() { "AF_INET" } else { "AF_INET6" }
    }

    /// The link's own address that a socket for this destination would be bound to.
    pub(super) fn source(self) -> Addr {
        let range = match self {
            _ if self.is_v4() => Range::V4,
            Self::Global | Self::OffLink => Range::V6,
            _ => Range::Ll,
        };
        Addr::on(LINK, Role::Own, range, 0)
    }

    /// Why there is no row to this destination on a link of that kind.
    pub(super) fn left_out(self, kind: LinkKind) -> Option<&'static str> {
        (self == Self::Unresolved && kind == LinkKind::Tun).then_some(
            "a tun has no address resolution: the row would repeat the one to a resolved neighbour",
        )
    }
}
