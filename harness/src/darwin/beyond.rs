//! What of a case might leave by an interface that its lab did not make.
//!
//! A lab shares the host's table of routes, so that a destination which the lab cannot reach is one
//! that a default route does: what the case sends would go to the user's own network. So before each
//! call that may send, the table is asked ([`super::route::question`]), and the case is given up if
//! the answer is an interface of somebody else's.

use std::net::{IpAddr, Ipv6Addr};

use crate::case::addr::Role;
use crate::case::op::{Opt, Value};
use crate::case::{Case, LabOp, Op};
use crate::darwin::route::Interface;

/// How the kernel chooses the interface for a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Nothing of it leaves the host.
    Stays,
    /// A link-local destination of IPv6 without a scope: none (xnu-11417 `bsd/netinet6/in6_src.c:1471`),
    /// or that of the default route, whose address `connect` then takes for the source.
    Default,
    /// The scope id names it.
    Scope(u32),
    /// The table of routes says it, unless the socket does.
    Table(IpAddr),
}

/// How the interface for a destination is chosen, by a socket that may be for IPv6 alone: to that a mapped
/// address is one of IPv6.
pub fn choice(ip: IpAddr, scope: u32, v6only: bool) -> Choice {
    let ip = if v6only { ip } else { ip.to_canonical() };
    match ip {
        // What is sent to no address goes to an address of the host's own (xnu-11417
        // `bsd/netinet/in_pcb.c` `in_pcbladdr`).
        _ if ip.is_loopback() || ip.is_unspecified() => Choice::Stays,
        IpAddr::V6(ip) if is_link_local(ip) && scope == 0 => Choice::Default,
        IpAddr::V6(ip) if is_link_local(ip) || (ip.is_multicast() && scope != 0) => {
            Choice::Scope(scope)
        }
        _ => Choice::Table(ip),
    }
}

fn is_link_local(ip: Ipv6Addr) -> bool {
    ip.is_unicast_link_local() || matches!(ip.segments()[0] & 0xff0f, 0xff01 | 0xff02)
}

/// The group that a step joins or leaves, and the link that it names for it.
fn membership(op: &Op) -> Option<(IpAddr, Option<&str>)> {
    let Op::Setsockopt { value, .. } = op else { return None };
    match value {
        Value::Membership { group, link }
        | Value::Source { group, link, .. }
        | Value::Filter { group, link, .. } => Some((*group, link.as_deref())),
        _ => None,
    }
}

/// The group that a step joins or leaves on whatever interface the kernel chooses: it tells the
/// neighbours there. Of a `struct ip_mreqn` Darwin reads the first eight bytes and so not the index
/// (xnu-11417 `bsd/netinet/in_mcast.c:2132`).
pub fn joins_anywhere(op: &Op) -> Option<IpAddr> {
    let is_mreqn = match op {
        Op::Setsockopt {
            option: Opt::Raw { name, .. }, value: Value::Membership { .. }, ..
        } => {
            matches!(name.as_str(), "IP_ADD_MEMBERSHIP" | "IP_DROP_MEMBERSHIP")
        }
        _ => false,
    };
    membership(op).filter(|(_, link)| link.is_none() || is_mreqn).map(|(group, _)| group)
}

/// Whether a group may be joined on an interface where no route leads to it: with none XNU takes the
/// first that knows groups and has an IPv4 address (xnu-11417 `bsd/netinet/in_mcast.c`
/// `inp_lookup_mcast_ifp`).
pub fn is_joined_anyway(interface: &Interface) -> bool {
    let wanted = UP | MULTICAST;
    let has_v4 = interface.addresses.iter().any(|(ip, _)| ip.is_ipv4());
    interface.flags & (wanted | LOOPBACK) == wanted && has_v4
}

/// `IFF_UP`, `IFF_LOOPBACK` and `IFF_MULTICAST` of `bsd/net/if.h`.
const UP: u32 = 0x1;
const LOOPBACK: u32 = 0x8;
const MULTICAST: u32 = 0x8000;

/// The groups that a case names.
pub fn groups(case: &Case) -> Vec<IpAddr> {
    let named = case.ops.iter().flat_map(|op| {
        let sent = op.addrs().filter_map(|addr| case.lab.ip(&addr.host));
        sent.filter(IpAddr::is_multicast).chain(membership(op).map(|(group, _)| group))
    });
    let mut groups: Vec<IpAddr> = named.collect();
    groups.sort();
    groups.dedup();
    groups
}

/// The addresses of others that a case names: each has a route of its own from then on, made of the one
/// that led there, with what the host learns of its path (xnu-11417 `bsd/net/route.c`
/// `rtrequest_common_locked`, `RTM_RESOLVE`).
pub fn spoken_to(case: &Case) -> Vec<IpAddr> {
    let is_own = |ip| case.lab.who(ip).is_some_and(|(_, role, _)| role == Role::Own);
    let named = case.ops.iter().flat_map(Op::addrs).filter_map(|addr| case.lab.ip(&addr.host));
    let named = named.map(|ip| ip.to_canonical());
    let mut all: Vec<IpAddr> =
        named.filter(|ip| !ip.is_loopback() && !ip.is_unspecified() && !is_own(*ip)).collect();
    all.sort();
    all.dedup();
    all
}

/// Whether a case joins or leaves groups: what an interface remembers of that outlives the sockets
/// (xnu-11417 `bsd/netinet/igmp.c` `igmp_handle_state_change`, whose result depends on it).
pub fn joins(case: &Case) -> bool {
    case.ops.iter().any(|op| membership(op).is_some())
}

/// Whether a connection of the case's may outlive the way to its peer: what TCP then repeats goes by
/// whatever way is left, at a time that no call decides.
pub fn strands(case: &Case) -> bool {
    let goes = |op: &Op| {
        matches!(
            op,
            Op::Lab {
                step: LabOp::LinkDown { .. }
                    | LabOp::LinkDelete { .. }
                    | LabOp::AddressDelete { .. }
            }
        )
    };
    let is_stream = |op: &Op| match op {
        Op::Socket { domain, r#type, .. } => {
            r#type.has("SOCK_STREAM") && domain.plain() != "AF_UNIX"
        }
        _ => false,
    };
    let far = || {
        let addrs = case.ops.iter().flat_map(Op::addrs);
        addrs.filter_map(|addr| case.lab.ip(&addr.host)).any(|ip| {
            // Whether a scope is there or not, it is no destination of a default route's.
            matches!(choice(ip, 1, false), Choice::Table(_))
        })
    };
    case.ops.iter().any(goes) && case.ops.iter().any(is_stream) && far()
}

#[cfg(test)]
mod tests;
