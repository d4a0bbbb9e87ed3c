//! Names carry the scope: a link-local address that a call reports has the scope id of its link.
//!
//! Judged is what `getsockname`, `getpeername`, `accept`, `recvfrom` and `recvmsg` report, the
//! latter's `IPV6_PKTINFO` included, when it is a link-local address or a link-local multicast
//! group. Its scope id shall not be zero, and where the trace tells which link it is, it shall be
//! that link's:
//!
//! - an own address is on one link of the lab, and on Darwin `fe80::1` on loopback as well, which has it
//!   itself (xnu-11417.121.6 `bsd/netinet6/in6_ifattach.c:891`);
//! - the peer of a socket is on the link that the last `connect` or `connectx` to this address named;
//! - what was received is on a link on which a frame with that address came in.
//!
//! What no link of the lab is known to have may on Darwin be of another interface of the host's: only
//! that its scope id is not zero is judged then.
//!
//! Addresses of other scope are not judged: RFC 4007 §6 gives global addresses one zone, whose index
//! nothing needs.
//!
//! # Where it fires
//!
//! On no Linux and not on gVisor, as far as they were run. XNU's `getpeername` with `IPV6_BOUND_IF` is said to
//! tell a peer without a scope id (claim `xnu-bound-if-peer-without-scope`), which would. The fault
//! `forgets-scope` plants it.

use std::net::Ipv6Addr;

use harness::case::addr::{Role, SockAddr};
use harness::case::op::Op;
use harness::case::{Case, Os};
use harness::trace::{ControlOut, Direction, Out, Trace};
use harness::verdict::Rank;

use super::view::{Call, View};
use super::{Cite, Finding, Needs, Rule};

/// The rule *names carry the scope*.
pub(super) const RULE: Rule = Rule {
    name: "names-carry-the-scope",
    rank: Rank::Violates,
    needs: Needs::OneCall,
    says: "A link-local address that getsockname, getpeername, accept or a receive reports has \
           the scope id of the link on which it is used, and never zero.",
    cites: &[
        Cite {
            source: "RFC 4007 §6",
            quote: "a node requires an internal means to identify to which zone a non-global \
                    address belongs.",
        },
        Cite {
            source: "POSIX.1-2017 <netinet/in.h>, after RFC 3493 §3.3",
            quote: "For a link scope sin6_addr, the application shall ensure that sin6_scope_id is \
                    a link index.",
        },
    ],
    check,
};

/// An address that a call reported, and which one it is.
struct Told {
    what: &'static str,
    ip: Ipv6Addr,
    scope: u32,
    /// On which links it is used; none where the trace does not tell.
    links: Vec<String>,
}

fn check(case: &Case, trace: &Trace, os: Os) -> Vec<Finding> {
    let view = View::new(case, trace);
    let mut findings = Vec::new();
    for call in view.calls.iter().filter(|call| call.ok()) {
        for told in told(&view, call, os) {
            let (name, ip) = (call.what.call(), told.ip);
            let is_link = view.link_of(told.scope);
            let right = is_link.is_some_and(|link| {
                told.links.is_empty() || told.links.iter().any(|known| known == link)
            });
            if right || may_be_the_hosts(&told, is_link, os) {
                continue;
            }
            let must = match told.links.as_slice() {
                [] => "which is the index of no link".to_owned(),
                links => format!("but the address is used on {}", links.join(" and ")),
            };
            let scope = match (told.scope, is_link) {
                (0, _) => "without a scope id".to_owned(),
                (_, Some(link)) => format!("with the scope id of {link}"),
                (other, None) => format!("with the scope id {other}"),
            };
            let text = format!("{name} reports {} {ip} {scope}, {must}.", told.what);
            findings.push(RULE.finds(call.op, text));
        }
    }
    findings
}

/// Whether it may be of an interface that is none of the lab's: on Darwin the lab is in the host's own
/// network, whose other interfaces no trace knows.
fn may_be_the_hosts(told: &Told, is_link: Option<&str>, os: Os) -> bool {
    os == Os::Macos && told.links.is_empty() && told.scope != 0 && is_link.is_none()
}

fn told(view: &View<'_>, call: &Call<'_>, os: Os) -> Vec<Told> {
    let mut list = Vec::new();
    match (call.what, call.out) {
        (Op::Getsockname { .. }, Out::Addr(addr)) => {
            list.extend(zoned(addr).map(|(ip, scope)| Told {
                what: "the name",
                ip,
                scope,
                links: own(view, ip, os),
            }));
        }
        (Op::Getpeername { fd }, Out::Addr(addr)) => {
            list.extend(zoned(addr).map(|(ip, scope)| Told {
                what: "the peer",
                ip,
                scope,
                links: named(view, call, fd, ip),
            }));
        }
        (Op::Accept { .. } | Op::Accept4 { .. }, Out::Addr(addr)) => {
            list.extend(zoned(addr).map(|(ip, scope)| Told {
                what: "the peer",
                ip,
                scope,
                links: came((view, os), call, ip, true),
            }));
        }
        (_, Out::Data { from, control, .. }) => {
            list.extend(received((view, os), call, from.as_ref(), control));
        }
        (_, Out::Messages(messages)) => {
            let each = messages
                .iter()
                .flat_map(|got| received((view, os), call, got.from.as_ref(), &got.control));
            list.extend(each);
        }
        _ => {}
    }
    list
}

/// What a receive tells of one datagram.
fn received(
    on: (&View<'_>, Os),
    call: &Call<'_>,
    from: Option<&SockAddr>,
    control: &[ControlOut],
) -> Vec<Told> {
    let told = |what, as_source| {
        move |(ip, scope)| Told { what, ip, scope, links: came(on, call, ip, as_source) }
    };
    let sender = from.and_then(zoned).map(told("the sender", true));
    let destinations = control.iter().filter_map(packet_info).map(told("the destination", false));
    sender.into_iter().chain(destinations).collect()
}

/// The address and its scope id, if it needs one.
fn zoned(addr: &SockAddr) -> Option<(Ipv6Addr, u32)> {
    match addr {
        SockAddr::V6 { ip, scope, .. } if is_zoned(*ip) => Some((*ip, *scope)),
        _ => None,
    }
}

fn is_zoned(ip: Ipv6Addr) -> bool {
    ip.is_unicast_link_local() || (ip.is_multicast() && ip.segments()[0] & 0xf == 2)
}

/// `struct in6_pktinfo`: the address, then the index.
fn packet_info(message: &ControlOut) -> Option<(Ipv6Addr, u32)> {
    if message.name != "IPV6_PKTINFO" {
        return None;
    }
    let (ip, index) = message.bytes.0.split_first_chunk::<16>()?;
    let index = u32::from_ne_bytes(index.try_into().ok()?);
    Some(((*ip).into(), index)).filter(|(ip, _)| is_zoned(*ip))
}

/// The links on which the host itself has the address.
fn own(view: &View<'_>, ip: Ipv6Addr, os: Os) -> Vec<String> {
    let who = view.case.lab.who(ip.into());
    let link = who.filter(|(_, role, _)| *role == Role::Own).map(|(l, ..)| l.name.clone());
    let is_loopbacks = os == Os::Macos && ip == DARWINS;
    link.into_iter().chain(is_loopbacks.then(|| "lo".to_owned())).collect()
}

/// The link-local address of Darwin's loopback.
const DARWINS: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);

/// The link that the last `connect` or `connectx` of the socket to the address named.
fn named(view: &View<'_>, until: &Call<'_>, fd: &str, ip: Ipv6Addr) -> Vec<String> {
    let before = view.calls.iter().rev().filter(|call| call.place < until.place);
    let mut connects = before.filter(|call| {
        let is_one = match call.what {
            Op::Connect { fd: of, .. }
            | Op::Connectx { fd: of, .. }
            | Op::Disconnectx { fd: of } => of == fd,
            _ => false,
        };
        is_one && (call.ok() || call.errno == Some("EINPROGRESS"))
    });
    let link = connects.next().and_then(|call| match call.addr {
        Some(SockAddr::V6 { ip: to, scope, .. }) if *to == ip => view.link_of(*scope),
        _ => None,
    });
    link.map(str::to_owned).into_iter().collect()
}

/// The links on which a frame came in that has the address as its source, or as its destination;
/// what the host sent to itself came by the link that has the address.
fn came(
    (view, os): (&View<'_>, Os),
    until: &Call<'_>,
    ip: Ipv6Addr,
    as_source: bool,
) -> Vec<String> {
    let has = |(src, dst)| if as_source { src } else { dst } == std::net::IpAddr::V6(ip);
    let frames = view.frames.iter().filter(|seen| {
        seen.dir == Direction::In
            && seen.place < until.place
            && seen.packet.addresses().is_some_and(has)
    });
    let mut links: Vec<String> = frames.map(|seen| seen.link.to_owned()).collect();
    if as_source {
        links.extend(own(view, ip, os));
    }
    links.sort();
    links.dedup();
    links
}
