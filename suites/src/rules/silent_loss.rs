//! No silent loss: a success is a promise that somebody can check.
//!
//! A send that reported success must have left one of these behind:
//!
//! 1. **a frame**: all of the payload, to its destination, on some link or on loopback, whole or in
//!    all its fragments, during the call or later (a datagram may have waited for its neighbour);
//! 2. **a receipt**: a later receive of the case got those bytes;
//! 3. **an error**: a later call on the socket returned an error that a network raises, `SO_ERROR`
//!    held one, `poll` said `POLLERR`, or the error queue had something, before the socket was
//!    closed and before the case's window ended. A later send that fails after the lab has changed
//!    the network is no such report for a datagram: it tells what became of itself.
//!
//! The same holds for a `connect` on a stream socket that reported success or `EINPROGRESS`: a SYN
//! left, or an error followed.
//!
//! # Where the line runs
//!
//! What the network loses is not the host's fault. For a neighbour that never answers, the host
//! cannot send the packet, but it can ask: **a request for the next hop's link-layer address counts
//! as long as nobody answered it** (ARP, or a neighbour solicitation that is not duplicate address
//! detection). RFC 1122 §2.3.2.2 and RFC 4861 §7.2.2 then let the packet wait in a queue; that the
//! host must also tell the sender when the wait is over (RFC 4861 §7.2.2) is another question than
//! whether it tried. Once the request is answered the excuse is gone: the packet must follow,
//! unless a later one to the same destination took its place in the queue. What a kernel says
//! unasked (router solicitations, group reports, duplicate address detection) is evidence of
//! nothing.
//!
//! # How much it weighs
//!
//! No clause says that a send shall fail: POSIX lists ENETDOWN and its like under "may fail", and a
//! success guarantees no delivery. So none is violated, and yet every finding [`Rank::Surprises`]: that a
//! datagram is reported sent and lost is what this project looks for, whatever a clause says.
//!
//! # What is not judged
//!
//! - Multicast that shall not leave: hop limit zero, or interface-local scope.
//! - Datagrams that still wait for a send without `MSG_MORE`, or waited for `UDP_CORK` to be taken off.
//! - Data on a stream other than the first after the connection was made: TCP may hold it back for
//!   Nagle's algorithm, congestion or a closed window. The first too, when the network was changed
//!   since: TCP then goes on trying for 100 seconds at least (RFC 9293 §3.8.3), longer than a case.
//! - Sockets of other families and protocols.
//! - On Darwin what is dropped as it is meant to be: see [`super::loopback`]. The copy of a multicast
//!   or a broadcast that Darwin gives to `lo0` is no frame of the packet's, unless it was to go there.

use harness::case::op::Op;
use harness::case::{Case, Os, Sym};
use harness::trace::{Direction, Event, Out, Ready, Trace};
use harness::verdict::Rank;
use harness::wire::TcpFlags;

use super::acts::{Act, Acts, Kind, Receipt, acts, is_same_network};
use super::datagrams::{Datagram, claims, datagrams};
use super::loopback::{is_by_loopback, is_dropped, is_for_many};
use super::resolution::{Asked, asked};
use super::view::{Call, Seen, View};
use super::{Cite, Finding, Needs, Rule};

/// The rule *no silent loss*.
pub(super) const RULE: Rule = Rule {
    name: "no-silent-loss",
    rank: Rank::Surprises,
    needs: Needs::Frames,
    says: "A send that reports success leaves its payload on a wire, reaches a receiver or is \
           followed by an error on its socket; a connect that reports progress leaves a SYN on a \
           wire or is followed by an error; an unanswered request for the next hop's link-layer \
           address counts as a try.",
    cites: &[
        Cite {
            source: "POSIX.1-2017 send, sendto, sendmsg, DESCRIPTION",
            quote: "Successful completion of a call to sendto() does not guarantee delivery of the \
                    message. A return value of -1 indicates only locally-detected errors.",
        },
        Cite {
            source: "Linux send(2) and Darwin send(2)",
            quote: "No indication of failure to deliver is implicit in a send(). Locally detected \
                    errors are indicated by a return value of -1.",
        },
        Cite {
            source: "POSIX.1-2017 sendto, ERRORS [ENETDOWN] (what it \"may fail\" with, no more)",
            quote: "The local network interface used to reach the destination is down.",
        },
        Cite {
            source: "POSIX.1-2017 sendto, ERRORS [ENETUNREACH] (\"may fail\")",
            quote: "No route to the network is present.",
        },
        Cite {
            source: "POSIX.1-2017 sendto, ERRORS [EHOSTUNREACH] (\"may fail\")",
            quote: "The destination host cannot be reached (probably because the host is down or a \
                    remote router cannot reach it).",
        },
        Cite {
            source: "RFC 1122 §2.3.2.2",
            quote: "The link layer SHOULD save (rather than discard) at least one (the latest) \
                    packet of each set of packets destined to the same unresolved IP address, and \
                    transmit the saved packet when the address has been resolved.",
        },
        Cite {
            source: "RFC 4861 §7.2.2",
            quote: "The sender MUST return ICMP destination unreachable indications with code 3 \
                    (Address Unreachable) for each packet queued awaiting address resolution.",
        },
    ],
    check,
};

fn check(case: &Case, trace: &Trace, os: Os) -> Vec<Finding> {
    let view = View::new(case, trace);
    let Acts { list, receipts } = acts(&view);
    let datagrams = datagrams(&view, os);
    let claims = claims(&list, &datagrams);
    let mut got = vec![false; list.len()];
    take_receipts(&view, &list, &receipts, &mut got);
    let (mut findings, mut unread) = (Vec::new(), Vec::new());
    for (index, act) in list.iter().enumerate().filter(|(_, act)| act.ok && !act.stays) {
        if got[index]
            || reported(&view, act)
            || is_dropped(&view, act, os)
            || left_unread(&view, act, &mut unread)
        {
            continue;
        }
        let asked = asked(&view, &list, index);
        let lost = match (asked, act.connects, act.kind) {
            (Asked::Waits, ..) => false,
            (_, true, _) => !has_syn(&view, act),
            (_, false, Kind::Tcp) => act.opens && !act.bytes.is_empty() && !has_data(&view, act),
            (..) => !datagrams
                .iter()
                .zip(&claims)
                .any(|(datagram, of)| *of == Some(index) && !is_own_copy(&view, act, datagram, os)),
        };
        if lost {
            let what = lack((index, act), asked, &datagrams, &claims);
            findings.push(RULE.finds(act.op, sentence(&view, act, &what)));
        }
    }
    findings
}

/// Whether it left in a frame that nobody can read, since its header, which is the program's (`IP_HDRINCL`), is
/// none of IPv4's: behind what the kernel writes of it (raw(7)) it is there byte for byte. A frame is one packet's.
fn left_unread(view: &View<'_>, act: &Act<'_>, taken: &mut Vec<usize>) -> bool {
    let (Some(first), Some((_, behind))) =
        (act.bytes.first(), act.bytes.split_at_checked(KERNELS_OF_HEADER))
    else {
        return false;
    };
    let is_read = first >> 4 == 4 && first & 0xf >= 5;
    if act.kind != (Kind::Raw { v6: false }) || is_read || act.bytes.len() < HEADER {
        return false;
    }
    let sent = view.calls[act.call].place;
    let left = view.trace.events.iter().enumerate().skip(sent).find(|(place, event)| match event {
        Event::Frame { dir: Direction::Out, bytes, .. } => {
            !taken.contains(place) && has(&bytes.0, behind)
        }
        _ => false,
    });
    taken.extend(left.map(|(place, _)| place));
    left.is_some()
}

/// The least that a header of IPv4 has.
const HEADER: usize = 20;

/// How many bytes of a header have what the kernel writes into it, but for an address that is zero.
const KERNELS_OF_HEADER: usize = 12;

/// Whether it is what Darwin gives to its own members, and nothing left by a link.
fn is_own_copy(view: &View<'_>, act: &Act<'_>, datagram: &Datagram<'_>, os: Os) -> bool {
    os == Os::Macos
        && datagram.link == "lo"
        && is_for_many(view, datagram.dst)
        && !is_by_loopback(view, act)
}

/// What is missing, in words.
fn lack(
    (index, act): (usize, &Act<'_>),
    asked: Asked,
    datagrams: &[Datagram<'_>],
    claims: &[Option<usize>],
) -> String {
    let what = match (act.connects, act.kind) {
        (true, _) => "no SYN left",
        (_, Kind::Tcp) => "no segment carried any of them",
        _ => "no frame carried them",
    };
    let own = datagrams.iter().zip(claims).any(|(_, claim)| *claim == Some(index));
    if own {
        return "only the host's own copy of the packet is there, on lo".to_owned();
    }
    let near = datagrams
        .iter()
        .zip(claims)
        .find(|(datagram, claim)| claim.is_none() && datagram.op == act.op && datagram.is_for(act));
    match (asked, near) {
        (Asked::Answered, _) => {
            format!("{what} although the host's address resolution was answered")
        }
        (_, Some((near, _))) if !near.whole => {
            format!("only {} bytes of the packet left on {}", near.bytes.len(), near.link)
        }
        (_, Some((near, _))) => {
            format!("the packet that left on {} for that destination carried others", near.link)
        }
        _ => format!("{what} and nobody was asked for a link-layer address"),
    }
}

fn sentence(view: &View<'_>, act: &Act<'_>, lack: &str) -> String {
    let call = &view.calls[act.call];
    let name = call.what.call();
    let bytes = match (call.what.written().map(|bytes| bytes.len()), act.bytes.len()) {
        (None, _) if act.connects => String::new(),
        (None, all) => format!(" with one of {all} bytes"),
        (Some(given), all) if given < all => {
            format!(" of {given} bytes, {all} with those that waited,")
        }
        (Some(_), all) => format!(" of {all} bytes"),
    };
    let to = act.dest.map_or_else(String::new, |dest| format!(" to {}", dest.say(view)));
    let got = call.errno.map_or_else(|| call.ret.to_string(), str::to_owned);
    let received = if act.connects { "" } else { " no later receive of the case got them and" };
    let fd = act.fd;
    format!(
        "{name}{bytes}{to} returned {got}, but {lack};{received} no later call on {fd} reported an \
         error."
    )
}

/// Marks the sends whose bytes a later receive of the case got, the last send first: see
/// [`claims`].
fn take_receipts(view: &View<'_>, acts: &[Act<'_>], receipts: &[Receipt<'_>], got: &mut [bool]) {
    let mut taken = vec![false; receipts.len()];
    for (index, act) in acts.iter().enumerate().rev().filter(|(_, act)| act.ok && !act.connects) {
        let sent = view.calls[act.call].place;
        let found = receipts.iter().enumerate().position(|(number, receipt)| {
            !taken[number] && receipt.place > sent && is_receipt(act, receipt)
        });
        if let Some(number) = found {
            taken[number] = true;
            got[index] = true;
        }
    }
}

fn is_receipt(act: &Act<'_>, receipt: &Receipt<'_>) -> bool {
    let (given, taken) = (&act.bytes[..], receipt.bytes);
    match (act.kind, receipt.kind) {
        // Zero bytes from a stream are its end.
        (Kind::Tcp, Some(Kind::Tcp)) => {
            receipt.fd != act.fd && !taken.is_empty() && (has(taken, given) || has(given, taken))
        }
        (Kind::Tcp, _) | (_, Some(Kind::Tcp)) => false,
        // With its header in front, for IPv4 (raw(7)).
        (_, Some(Kind::Raw { .. })) => !given.is_empty() && taken.ends_with(given),
        _ => {
            let cut = receipt.room as usize <= given.len();
            taken == given || (cut && !taken.is_empty() && given.starts_with(taken))
        }
    }
}

fn has(all: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && all.windows(part.len()).any(|piece| piece == part)
}

/// Errors that are about what became of an earlier send, not about the call that returns them.
const RAISED_BY_A_NETWORK: &[&str] = &[
    "EACCES",
    "ECONNABORTED",
    "ECONNREFUSED",
    "ECONNRESET",
    "EHOSTDOWN",
    "EHOSTUNREACH",
    "EMSGSIZE",
    "ENETDOWN",
    "ENETRESET",
    "ENETUNREACH",
    "ENOBUFS",
    "ENONET",
    "ENOPROTOOPT",
    "EOPNOTSUPP",
    "EPIPE",
    "EPROTO",
    "ETIMEDOUT",
];

/// Whether a later call told the program that something went wrong on the socket.
fn reported(view: &View<'_>, act: &Act<'_>) -> bool {
    for call in &view.calls[act.call + 1..] {
        let is_its_own = act.kind != Kind::Tcp
            && (call.what.sends() || call.what.addr().is_some())
            && !is_same_network(view, act.op, call);
        if !is_its_own && tells(call, act.fd) {
            return true;
        }
        if matches!(call.what, Op::Close { fd } | Op::Socket { fd, .. } if fd == act.fd) {
            return false;
        }
    }
    false
}

fn tells(call: &Call<'_>, fd: &str) -> bool {
    if let Out::Ready(ready) = call.out {
        let bad = |one: &Ready| one.events.iter().any(|name| name.as_str() == "EPOLLERR");
        return ready.iter().any(|one| one.fd == fd && bad(one));
    }
    if let (Some(fds), Out::Poll(revents)) = (call.what.polled(), call.out) {
        let bad = |names: &[Sym]| names.iter().any(|name| name.as_str() == "POLLERR");
        return fds.iter().zip(revents).any(|(entry, names)| entry.fd == fd && bad(names));
    }
    if let Out::Events(events) = call.out {
        let an_errno = |name: &Sym| RAISED_BY_A_NETWORK.contains(&name.as_str());
        return events.iter().any(|event| event.fd == fd && event.fflags.iter().any(an_errno));
    }
    if call.what.sends_by().or(call.what.fd()) != Some(fd) {
        return false;
    }
    match call.what {
        Op::Getsockopt { .. } => matches!(call.out, Out::Errno(_)),
        Op::Recvmsg { flags, .. } if call.ok() => flags.has("MSG_ERRQUEUE"),
        Op::Connect { .. }
        | Op::Accept { .. }
        | Op::Send { .. }
        | Op::Sendto { .. }
        | Op::Sendmsg { .. }
        | Op::Connectx { .. }
        | Op::Disconnectx { .. }
        | Op::Accept4 { .. }
        | Op::SendmsgX { .. }
        | Op::RecvmsgX { .. }
        | Op::Sendmmsg { .. }
        | Op::Recvmmsg { .. }
        | Op::Writev { .. }
        | Op::Readv { .. }
        | Op::Sendfile { .. }
        | Op::Splice { .. }
        | Op::Raw { .. }
        | Op::Write { .. }
        | Op::Recv { .. }
        | Op::Recvfrom { .. }
        | Op::Recvmsg { .. }
        | Op::Read { .. }
        | Op::Shutdown { .. }
        | Op::Close { .. } => call.errno.is_some_and(|errno| RAISED_BY_A_NETWORK.contains(&errno)),
        _ => false,
    }
}

/// The segments to the destination of `act` that left during its call or later.
fn segments<'v, 'a>(
    view: &'v View<'a>,
    act: &'v Act<'a>,
) -> impl Iterator<Item = &'v harness::wire::Tcp<'a>> {
    let port = act.dest.and_then(|dest| dest.addr.port());
    let to = move |seen: &&Seen<'_>| {
        seen.op >= act.op && act.dest.is_none_or(|dest| seen.dst().is_some_and(|dst| dest.is(dst)))
    };
    view.sent()
        .filter(to)
        .filter_map(Seen::tcp)
        .filter(move |tcp| port.is_none_or(|port| port == tcp.dport))
}

fn has_syn(view: &View<'_>, act: &Act<'_>) -> bool {
    segments(view, act).any(|tcp| tcp.flags.has(TcpFlags::SYN) && !tcp.flags.has(TcpFlags::ACK))
}

/// Whether a segment carried some of the data, or none may because the peer's window is closed.
fn has_data(view: &View<'_>, act: &Act<'_>) -> bool {
    let before = view.calls[act.call].place;
    let peer = act.dest.map(|dest| (dest.ip(), dest.addr.port()));
    let earlier = view.frames.iter().rev().filter(|seen| seen.place < before);
    let mut windows = earlier.filter_map(|seen| {
        let (src, _) = seen.packet.addresses()?;
        let tcp = seen.tcp()?;
        (Some((Some(src), Some(tcp.sport))) == peer).then_some(tcp.window)
    });
    windows.next() == Some(0)
        || segments(view, act)
            .any(|tcp| has(tcp.payload, &act.bytes) || has(&act.bytes, tcp.payload))
}
