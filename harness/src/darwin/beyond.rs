//! What of a case might leave by an interface that its lab did not make.
//!
//! A lab shares the host's table of routes, so that a destination which the lab cannot reach is one
//! that a default route does: what the case sends would go to the user's own network. So before each
//! call that may send, the table is asked ([`super::route::question`]), and the case is given up if
//! the answer is an interface of somebody else's.

use std::net::{IpAddr, Ipv6Addr};

use crate::case::op::Value;
use crate::case::{Case, LabOp, Op};

/// How the kernel chooses the interface for a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Nothing of it leaves the host, or nothing at all: loopback, and a link-local destination without
    /// a scope (xnu-11417 `bsd/netinet6/in6_src.c:1471`).
    Stays,
    /// The scope id names it.
    Scope(u32),
    /// The table of routes says it, unless the socket does.
    Table(IpAddr),
}

/// How the interface for a destination is chosen.
pub fn choice(ip: IpAddr, scope: u32) -> Choice {
    let ip = ip.to_canonical();
    match ip {
        // What is sent to no address goes to an address of the host's own (xnu-11417
        // `bsd/netinet/in_pcb.c` `in_pcbladdr`).
        _ if ip.is_loopback() || ip.is_unspecified() => Choice::Stays,
        IpAddr::V6(ip) if is_link_local(ip) && scope == 0 => Choice::Stays,
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
/// neighbours there.
pub fn joins_anywhere(op: &Op) -> Option<IpAddr> {
    membership(op).filter(|(_, link)| link.is_none()).map(|(group, _)| group)
}

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
            r#type.has("SOCK_STREAM") && domain.as_str() != "AF_UNIX"
        }
        _ => false,
    };
    let far = || {
        let addrs = case.ops.iter().flat_map(Op::addrs);
        addrs.filter_map(|addr| case.lab.ip(&addr.host)).any(|ip| {
            // Whether a scope is there or not, it is no destination of a default route's.
            matches!(choice(ip, 1), Choice::Table(_))
        })
    };
    case.ops.iter().any(goes) && case.ops.iter().any(is_stream) && far()
}

#[cfg(test)]
mod tests;
