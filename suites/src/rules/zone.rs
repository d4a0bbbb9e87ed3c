//! The scope id names the link: what is sent to a link-local destination leaves by the interface
//! whose index is its `sin6_scope_id`, and by no other.
//!
//! Judged are all packets of the send or `connect`: its payload, whenever it left, and during its
//! step every packet to the destination and every request for its link-layer address. On loopback
//! they may be seen when the destination is that very link's own address: then they stay within the
//! host and enter no other zone. Destinations without a scope id, and those of wider scope, say
//! nothing about the link and are not judged.
//!
//! A socket that was bound to an interface (`SO_BINDTODEVICE`, `IP_BOUND_IF`, `IPV6_BOUND_IF`) is
//! held to that interface in the same way, for every destination; on loopback its packets may be
//! seen when they go to an address of the host itself.
//!
//! On Darwin loopback may show the copy of a multicast or a broadcast for the host's own sockets as
//! well: see [`super::loopback`]. The packet itself is held to its link all the same.

use std::net::IpAddr;

use harness::case::addr::{Role, SockAddr};
use harness::case::{Case, Os};
use harness::trace::Trace;
use harness::verdict::Rank;

use super::acts::{Act, Kind, acts};
use super::datagrams::{Datagram, claims, datagrams};
use super::loopback::is_for_many;
use super::view::{Seen, View, kind_of};
use super::{Cite, Finding, Needs, Rule};

/// The rule *no frame leaves by another interface than the scope id says*.
pub(super) const RULE: Rule = Rule {
    name: "scope-id-names-the-link",
    rank: Rank::Violates,
    needs: Needs::Frames,
    says: "No frame for a link-local or link-scope multicast destination leaves by another \
           interface than its scope id names, and none of a socket that is bound to an interface \
           by another than that; loopback may show what goes to the link's own address.",
    cites: &[
        Cite {
            source: "RFC 4007 §7",
            quote: "When an upper-layer protocol sends a packet to a non-global destination \
                    address, it must have a means of identifying the intended zone to the IPv6 \
                    layer",
        },
        Cite {
            source: "RFC 4007 §5",
            quote: "packets sent from one interface to any other in the same zone are never routed \
                    outside the zone.",
        },
        Cite {
            source: "POSIX.1-2017 <netinet/in.h>, after RFC 3493 §3.3",
            quote: "For a link scope sin6_addr, the application shall ensure that sin6_scope_id is \
                    a link index.",
        },
        Cite {
            source: "Linux socket(7) SO_BINDTODEVICE",
            quote: "Bind this socket to a particular device like \"eth0\", as specified in the \
                    passed interface name.",
        },
    ],
    check,
};

fn check(case: &Case, trace: &Trace, os: Os) -> Vec<Finding> {
    let view = View::new(case, trace);
    let acts = acts(&view).list;
    let datagrams = datagrams(&view, os);
    let claims = claims(&acts, &datagrams);
    let mut findings = Vec::new();
    for (index, act) in acts.iter().enumerate() {
        let limits = limits(&view, act);
        if limits.is_empty() {
            continue;
        }
        let mut left: Vec<(&str, &str)> = datagrams
            .iter()
            .zip(&claims)
            .filter(|(datagram, claim)| belongs(&view, datagram, **claim, act, index))
            .filter(|(datagram, _)| !stays_within(&view, datagram, act, os))
            .map(|(datagram, _)| (datagram.link, kind_of(datagram.protocol)))
            .collect();
        left.extend(others(&view, act));
        for limit in &limits {
            let mut wrong: Vec<_> =
                left.iter().filter(|(link, _)| !limit.allows.contains(link)).collect();
            wrong.sort_by_key(|(link, _)| *link);
            wrong.dedup_by_key(|(link, _)| *link);
            for (link, what) in wrong {
                let call = &view.calls[act.call];
                let to = act.dest.map_or_else(String::new, |d| format!(" to {}", d.say(&view)));
                let (name, must) = (call.what.call(), &limit.must);
                let text = format!("{name}{to} put {what} on {link}, but {must}.");
                findings.push(RULE.finds(act.op, text));
            }
        }
    }
    findings
}

/// By which links the packets of a send may leave, and why.
struct Limit<'a> {
    allows: Vec<&'a str>,
    must: String,
}

fn limits<'a>(view: &View<'a>, act: &Act<'a>) -> Vec<Limit<'a>> {
    let mut limits = Vec::new();
    let own = act.dest.and_then(|dest| own(view, dest.addr.ip()?));
    if let Some(SockAddr::V6 { ip, scope: scope @ 1.., .. }) = act.dest.map(|dest| dest.addr)
        && (ip.is_unicast_link_local() || (ip.is_multicast() && ip.segments()[0] & 0xf <= 2))
    {
        let link = view.link_of(*scope);
        let mut allows: Vec<&str> = link.into_iter().collect();
        if own.is_some() && own == link {
            allows.push("lo");
        }
        let must = link.map_or_else(
            || format!("its scope id {scope} names no link"),
            |link| format!("its scope id names {link}"),
        );
        limits.push(Limit { allows, must });
    }
    if let Some(link) = act.bound {
        let mut allows = vec![link];
        if own.is_some() {
            allows.push("lo");
        }
        let must = format!("{} is bound to {link}", act.fd);
        limits.push(Limit { allows, must });
    }
    limits
}

/// The link on which the host itself has `ip`.
fn own<'a>(view: &View<'a>, ip: IpAddr) -> Option<&'a str> {
    let ip = ip.to_canonical();
    // To the wildcard means to oneself, on the systems that take it.
    if ip.is_loopback() || ip.is_unspecified() {
        return Some("lo");
    }
    let (link, role, _) = view.case.lab.who(ip)?;
    (role == Role::Own).then_some(link.name.as_str())
}

/// Whether it is what Darwin gives to members on this host: the copy of what left by a link, or of what
/// must not leave, or of what then failed (which is the business of *failed call, no effect*). Without
/// any of these it went by loopback instead of its link.
fn stays_within(view: &View<'_>, datagram: &Datagram<'_>, act: &Act<'_>, os: Os) -> bool {
    let is_alone_rightly = act.stays || !act.ok;
    os == Os::Macos
        && datagram.link == "lo"
        && (datagram.copy || (is_alone_rightly && is_for_many(view, datagram.dst)))
}

/// Whether the datagram is the payload of `act`, or left for its destination during its step.
fn belongs(
    view: &View<'_>,
    datagram: &Datagram<'_>,
    claim: Option<usize>,
    act: &Act<'_>,
    index: usize,
) -> bool {
    let upkeep = || view.frames[datagram.frame].is_upkeep();
    match claim {
        Some(claim) => claim == index,
        None => datagram.op == act.op && act.dest.is_some() && datagram.is_for(act) && !upkeep(),
    }
}

/// The segments of a stream and the requests for a link-layer address during the step of `act`.
fn others<'v>(
    view: &'v View<'_>,
    act: &'v Act<'_>,
) -> impl Iterator<Item = (&'v str, &'static str)> {
    let dest = act.dest;
    view.sent().filter(move |seen| seen.op == act.op).filter_map(move |seen: &Seen<'_>| {
        let dest = dest?;
        let asks = seen.asks_for().is_some_and(|ip| dest.ip() == Some(ip));
        let segment = seen.tcp().is_some_and(|tcp| {
            act.kind == Kind::Tcp
                && seen.dst().is_some_and(|dst| dest.is(dst))
                && dest.addr.port().is_none_or(|port| port == tcp.dport)
        });
        if asks {
            Some((seen.link, "a request for its link-layer address"))
        } else {
            segment.then_some((seen.link, "a TCP segment"))
        }
    })
}
