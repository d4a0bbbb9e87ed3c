//! What Darwin gives to its loopback, and what it drops there.
//!
//! Where a member of the group is on the interface that a multicast leaves by, XNU gives a copy to
//! `lo0` and sends the packet itself by the interface (xnu-11417.121.6 `bsd/netinet6/ip6_output.c:1407`,
//! `bsd/netinet/ip_output.c:1052`); so it does with a broadcast (`bsd/net/ether_if_module.c:646`). The
//! copy is for the host's own sockets and enters no other link. Linux does the same within the link,
//! where nobody sees it.

use std::net::{IpAddr, Ipv4Addr};

use harness::case::addr::{Range, Role, SockAddr, address, prefix_len};
use harness::case::lab::RouteKind;
use harness::case::op::{Op, Opt, Value};
use harness::case::{LabOp, Os};

use super::acts::Act;
use super::resolution::covers;
use super::view::View;

/// Whether packets to `ip` are for more than one host: a group, or everybody on a link.
pub(super) fn is_for_many(view: &View<'_>, ip: IpAddr) -> bool {
    let IpAddr::V4(v4) = ip.to_canonical() else { return ip.is_multicast() };
    let is_of_a_link = || {
        (0..).zip(&view.case.lab.links).any(|(number, _)| {
            let IpAddr::V4(own) = address(number, Role::Own, Range::V4) else { return false };
            let host = u32::MAX.checked_shr(prefix_len(Range::V4).into()).unwrap_or(0);
            v4 == Ipv4Addr::from(u32::from(own) | host)
        })
    };
    v4.is_multicast() || v4.is_broadcast() || is_of_a_link()
}

/// Whether the program had a multicast leave by loopback. A control message and `IPV6_MULTICAST_IF` come
/// first (RFC 3542 §6.7, in this order), and so does `IP_MULTICAST_IF` on Darwin; without them it is
/// loopback if nothing else names a link. That another link was named as well is the business of *the
/// scope id names the link*.
pub(super) fn is_by_loopback(view: &View<'_>, act: &Act<'_>) -> bool {
    if let Some(link) = act.by {
        return link == "lo";
    }
    let scope = match act.dest.map(|dest| dest.addr) {
        Some(SockAddr::V6 { scope: scope @ 1.., .. }) => Some(view.link_of(*scope).unwrap_or("")),
        _ => None,
    };
    let from_loopback = act.from_loopback.then_some("lo");
    let mut said = [scope, act.bound, from_loopback].into_iter().flatten().peekable();
    said.peek().is_some() && said.all(|link| link == "lo")
}

/// Whether Darwin drops what was sent as it is meant to:
///
/// - a multicast by loopback is given to members there, and to nobody where there is none
///   (`ip6_output.c:1424`: "multicasts addressed to the loopback interface are not sent");
/// - a route may be made to drop in silence: `RTF_BLACKHOLE`, "just discard pkts"
///   (`bsd/net/route.h:106`, `bsd/net/if_loop.c:447`). Linux tells the sender EINVAL.
pub(super) fn is_dropped(view: &View<'_>, act: &Act<'_>, os: Os) -> bool {
    let Some(ip) = act.dest.and_then(|dest| dest.ip()).filter(|_| os == Os::Macos) else {
        return false;
    };
    if ip.is_multicast() {
        return is_by_loopback(view, act) && !(act.loops && has_member(view, act, ip));
    }
    has_black_hole(view, act, ip)
}

/// Loopback itself is in these: all nodes, and the solicited-node group of `::1` and `fe80::1`.
const LOOPBACKS: [&str; 3] = ["224.0.0.1", "ff02::1", "ff02::1:ff00:1"];

/// Whether somebody is a member of the group on loopback.
fn has_member(view: &View<'_>, act: &Act<'_>, group: IpAddr) -> bool {
    if LOOPBACKS.contains(&group.to_string().as_str()) {
        return true;
    }
    let mut members: Vec<&str> = Vec::new();
    for call in view.calls[..act.call].iter().filter(|call| call.ok()) {
        match call.what {
            Op::Setsockopt { fd, option: Opt::Raw { name, .. }, value }
                if is_of(view, value, group) =>
            {
                let leaves = ["DROP", "LEAVE"].iter().any(|word| name.as_str().contains(word));
                members.retain(|member| member != fd);
                if !leaves {
                    members.push(fd);
                }
            }
            Op::Close { fd } | Op::Socket { fd, .. } => members.retain(|member| member != fd),
            _ => {}
        }
    }
    !members.is_empty()
}

/// Whether a membership is of the group on loopback.
fn is_of(view: &View<'_>, value: &Value, group: IpAddr) -> bool {
    match value {
        Value::Membership { group: of, link }
        | Value::Source { group: of, link, .. }
        | Value::Filter { group: of, link, .. } => *of == group && link.as_deref() == Some("lo"),
        // `struct ip_mreq`, `struct ip_mreqn`, `struct ipv6_mreq`.
        Value::Bytes(bytes) => match (group, &bytes.0[..]) {
            (IpAddr::V4(ip), [of @ .., 127, _, _, _]) => of == ip.octets(),
            (IpAddr::V4(ip), [a, b, c, d, _, _, _, _, index @ ..])
                if [*a, *b, *c, *d] == ip.octets() =>
            {
                is_loopbacks(view, index)
            }
            (IpAddr::V6(ip), bytes) => {
                bytes.strip_prefix(&ip.octets()).is_some_and(|index| is_loopbacks(view, index))
            }
            _ => false,
        },
        _ => false,
    }
}

fn is_loopbacks(view: &View<'_>, index: &[u8]) -> bool {
    let index = index.try_into().map(u32::from_ne_bytes);
    index.is_ok_and(|index| view.link_of(index) == Some("lo"))
}

/// Whether the route that leads to `ip` drops it: the one with the longest prefix.
fn has_black_hole(view: &View<'_>, act: &Act<'_>, ip: IpAddr) -> bool {
    if view.case.lab.who(ip).is_some() {
        return false;
    }
    let routes = view.lab_steps().filter(|(op, _)| op.is_none_or(|op| op < act.op));
    let kinds = routes.filter_map(|(_, step)| match step {
        LabOp::RouteAdd { prefix, prefix_len, kind, .. } => {
            covers(*prefix, *prefix_len, ip).then_some((*prefix_len, *kind))
        }
        _ => None,
    });
    let longest = kinds.max_by_key(|(len, _)| *len);
    longest.is_some_and(|(_, kind)| kind == RouteKind::Blackhole)
}
