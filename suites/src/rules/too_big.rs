//! A datagram that is too large to be sent says EMSGSIZE.
//!
//! # What is too large
//!
//! - more than the length fields of UDP and IPv4 can say: 65,507 bytes of UDP over IPv4, 65,527
//!   over IPv6; 65,515 of any other protocol over IPv4;
//! - what does not fit the link to a neighbour in one packet, on a socket that forbids fragments.
//!
//! # What is left unjudged
//!
//! Errors that have another reason: no route, no permission, no peer. Raw sockets over IPv6, since
//! jumbograms (RFC 2675) have no limit that a send could pass. Packets with a header of the
//! program's own. Segments that do not fit: the size of the whole send says nothing.
//!
//! # Where it fires
//!
//! On no Linux and not on gVisor, as far as they were run: all say EMSGSIZE. A fault plants it (`tests/plants.rs`).

use std::net::IpAddr;

use harness::case::{Case, LabOp, Os};
use harness::trace::Trace;
use harness::verdict::Rank;

use super::acts::{Act, Kind, acts};
use super::asked::{forbidden, wire};
use super::view::View;
use super::{Cite, Finding, Needs, Rule};

/// The rule *too big says EMSGSIZE*.
pub(super) const RULE: Rule = Rule {
    name: "too-big-says-emsgsize",
    rank: Rank::Violates,
    needs: Needs::Frames,
    says: "A send of a datagram that is too large for its protocol, or for the link when fragments \
           are forbidden, fails with EMSGSIZE unless it fails for another reason.",
    cites: &[Cite {
        source: "POSIX.1-2017 send, sendto, sendmsg, ERRORS [EMSGSIZE]",
        quote: "The message is too large to be sent all at once, as the socket requires.",
    }],
    check,
};

/// Errors that a send may return whatever its size.
const OTHER_REASONS: &[&str] = &[
    "EACCES",
    "EADDRNOTAVAIL",
    "EAFNOSUPPORT",
    "EAGAIN",
    "EBADF",
    "ECONNREFUSED",
    "EDESTADDRREQ",
    "EHOSTUNREACH",
    "EINTR",
    "EISCONN",
    "ENETDOWN",
    "ENETUNREACH",
    "ENOTCONN",
    "ENOTSOCK",
    "EPERM",
    "EPIPE",
];

fn check(case: &Case, trace: &Trace, _: Os) -> Vec<Finding> {
    let view = View::new(case, trace);
    let acts = acts(&view).list;
    let found = acts.iter().filter(|act| !act.connects).filter_map(|act| {
        let call = &view.calls[act.call];
        let errno = call.errno;
        if errno.is_some_and(|e| e == "EMSGSIZE" || OTHER_REASONS.contains(&e)) {
            return None;
        }
        let why = too_big(&view, act, errno.is_none())?;
        let text = format!("{} for {} bytes, {why}.", call.said(), act.bytes.len());
        Some(RULE.finds(act.op, text))
    });
    found.collect()
}

/// Why the datagram is too large, if it is.
fn too_big(view: &View<'_>, act: &Act<'_>, sent: bool) -> Option<String> {
    let asked = forbidden(view, act)?;
    let forbids = asked.forbids && asked.reaches;
    let (ip, len) = (wire(act)?, act.bytes.len());
    let udp = usize::from(act.kind == Kind::Udp) * 8;
    let limit = match (ip, act.kind) {
        (IpAddr::V4(_), _) => 65_515 - udp,
        (IpAddr::V6(_), Kind::Raw { .. }) => usize::MAX,
        (IpAddr::V6(_), _) => 65_535 - udp,
    };
    if len > limit {
        return Some(format!("and its protocol has room for {limit}"));
    }
    // Whether what was sent kept to the link's MTU is told by its frames.
    let mtu = link_mtu(view, ip)?;
    let header = if ip.is_ipv4() { 20 } else { 40 };
    let does_not_fit = forbids && !sent && !act.segments && len + udp + header > mtu;
    does_not_fit.then(|| format!("which fragments were forbidden for, and the link's MTU is {mtu}"))
}

/// The MTU of the link to a neighbour, where it stays the same.
fn link_mtu(view: &View<'_>, ip: IpAddr) -> Option<usize> {
    let (link, ..) = view.case.lab.who(ip)?;
    let changed = view.lab_steps().any(|(_, step)| matches!(step, LabOp::Mtu { .. }));
    (!changed).then_some(link.mtu as usize)
}
