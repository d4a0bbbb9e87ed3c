//! A failed call has no effect: nothing left because of it, and the socket keeps its names.
//!
//! # What counts as an effect
//!
//! A packet that left during the step of the failed call, unless something else explains it:
//!
//! - what a host sends for reasons of its own: what `wire::chatter` names, ARP and neighbour
//!   discovery, group membership, ICMP errors, answers to echo requests;
//! - a datagram of an earlier send that had succeeded, and that waited for its neighbour;
//! - TCP segments other than the SYN of a failed `connect`: timers and answers send them;
//! - the SYN of a `connect` that failed because of what came back for it.
//!
//! A name that differs between two `getsockname` (or `getpeername`) of one socket that had only
//! failures in between. That is [`Rank::Undocumented`]: POSIX itself admits it, no byte is lost by it
//! and none is sent twice. A packet that left is [`Rank::Surprises`]: a program that tries again sends
//! it twice.
//!
//! # What is exempt
//!
//! `EINPROGRESS`, `EALREADY` and `EINTR` announce an effect, and `EAGAIN` on a stream says that no
//! more fits. `getaddrinfo` and
//! `getnameinfo` ask the network by their nature. The names after a failed `connect`:
//! POSIX leaves them open. The peer's name of a stream: the peer itself can end it.

use std::collections::BTreeMap;

use harness::case::addr::SockAddr;
use harness::case::op::Op;
use harness::case::{Case, Os};
use harness::trace::{Out, Trace};
use harness::verdict::Rank;
use harness::wire::{Body, Icmp4, Icmp6, TcpFlags};

use super::acts::{Act, Acts, Kind, acts};
use super::datagrams::{claims, datagrams};
use super::view::{Call, Seen, View, kind_of};
use super::{Cite, Finding, Needs, Rule};

/// The rule *a failed call has no effect*.
pub(super) const RULE: Rule = Rule {
    name: "failed-call-no-effect",
    rank: Rank::Surprises,
    needs: Needs::Frames,
    says: "A call that fails puts nothing on a wire and leaves the socket's names as they were; \
           no standard requires this, it is what this project expects (POSIX lets a failed action \
           be partially performed), and the names after a failed connect are exempt.",
    cites: &[
        Cite {
            source: "POSIX.1-2017 XSH 2.3 Error Numbers (what the rule is stricter than)",
            quote: "If an error condition is detected, the action requested may have been \
                    partially performed, unless otherwise stated.",
        },
        Cite {
            source: "POSIX.1-2017 send, sendto, sendmsg, DESCRIPTION",
            quote: "A return value of -1 indicates only locally-detected errors.",
        },
        Cite {
            source: "POSIX.1-2017 connect, APPLICATION USAGE (informative; why connect is exempt)",
            quote: "If connect() fails, the state of the socket is unspecified.",
        },
    ],
    check,
};

fn check(case: &Case, trace: &Trace, os: Os) -> Vec<Finding> {
    let view = View::new(case, trace);
    let acts = acts(&view);
    let mut findings = on_wires(&view, &acts, os);
    findings.extend(on_names(&view));
    findings.sort_by_key(|finding| finding.op);
    findings
}

/// Whether the call failed in a way that shall have no effect.
fn failed(call: &Call<'_>) -> bool {
    !matches!(call.what, Op::Getaddrinfo { .. } | Op::Getnameinfo { .. })
        && call.errno.is_some_and(|e| !["EINPROGRESS", "EALREADY", "EINTR"].contains(&e))
}

fn on_wires(view: &View<'_>, acts: &Acts<'_>, os: Os) -> Vec<Finding> {
    let datagrams = datagrams(view, os);
    let claims = claims(&acts.list, &datagrams);
    let mut findings = Vec::new();
    for call in view.calls.iter().filter(|call| failed(call)) {
        let act = acts.list.iter().find(|act| act.op == call.op);
        if act.is_some_and(|act| act.kind == Kind::Tcp) && call.errno == Some("EAGAIN") {
            continue;
        }
        let leaked = datagrams.iter().zip(&claims).find(|(datagram, claim)| {
            let seen = &view.frames[datagram.frame];
            datagram.op == call.op
                && claim.is_none()
                && !datagram.copy
                && datagram.protocol != 6
                && !seen.is_upkeep()
        });
        let leaked =
            leaked.map(|(datagram, _)| (kind_of(datagram.protocol), datagram.dst, datagram.link));
        let leaked = leaked.or_else(|| {
            let seen = syn(view, act?)?;
            Some(("a SYN", seen.dst()?, seen.link))
        });
        if let Some((what, dst, link)) = leaked {
            let text = format!("{}, yet {what} for {dst} left on {link}.", call.said());
            findings.push(RULE.finds(call.op, text));
        }
    }
    findings
}

/// The SYN of a failed `connect` that nothing came back for.
fn syn<'v, 'a>(view: &'v View<'a>, act: &Act<'_>) -> Option<&'v Seen<'a>> {
    let errno = view.calls[act.call].errno?;
    if !act.connects || ["ECONNREFUSED", "ECONNRESET", "ETIMEDOUT"].contains(&errno) {
        return None;
    }
    let is_first = |seen: &&Seen<'a>| {
        seen.op == act.op
            && seen.tcp().is_some_and(|tcp| {
                let again = |earlier: &Seen<'_>| {
                    earlier.op < act.op
                        && earlier.dst() == seen.dst()
                        && earlier
                            .tcp()
                            .is_some_and(|e| (e.sport, e.dport) == (tcp.sport, tcp.dport))
                };
                tcp.flags.has(TcpFlags::SYN)
                    && !tcp.flags.has(TcpFlags::ACK)
                    && !view.sent().any(again)
            })
            && act.dest.is_none_or(|dest| seen.dst().is_some_and(|dst| dest.is(dst)))
    };
    let syn = view.sent().find(is_first)?;
    let answered = view
        .frames
        .iter()
        .any(|seen| seen.op == act.op && seen.place > syn.place && is_refusal(seen));
    (!answered).then_some(syn)
}

fn is_refusal(seen: &Seen<'_>) -> bool {
    match seen.packet.body() {
        Some(Body::Tcp(tcp)) => tcp.flags.has(TcpFlags::RST),
        Some(Body::Icmp4 { message, .. }) => {
            !matches!(message, Icmp4::EchoRequest(_) | Icmp4::EchoReply(_) | Icmp4::Other { .. })
        }
        Some(Body::Icmp6 { message, .. }) => matches!(
            message,
            Icmp6::Unreachable { .. }
                | Icmp6::PacketTooBig { .. }
                | Icmp6::TimeExceeded { .. }
                | Icmp6::ParameterProblem { .. }
        ),
        _ => false,
    }
}

/// A name of a socket as it was asked for, and what has been tried since.
struct Known<'v, 'a> {
    name: &'v Call<'a>,
    tried: Vec<&'v Call<'a>>,
}

fn on_names(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut known: BTreeMap<(&str, &str), Known<'_, '_>> = BTreeMap::new();
    let mut streams: Vec<&str> = Vec::new();
    for call in &view.calls {
        if let Op::Socket { fd, r#type, .. } = call.what {
            known.retain(|(of, _), _| of != fd);
            streams.retain(|of| of != fd);
            if r#type.has("SOCK_STREAM") {
                streams.push(fd);
            }
        }
        let Some(fd) = call.what.sends_by().or(call.what.fd()) else { continue };
        if let Op::Getsockname { .. } | Op::Getpeername { .. } = call.what {
            let which = call.what.call();
            let before = known.insert((fd, which), Known { name: call, tried: Vec::new() });
            let is_judged = which == "getsockname" || !streams.contains(&fd);
            if let Some(before) = before.filter(|_| is_judged) {
                findings.extend(renamed(fd, &before, call));
            }
        } else if let [new] = call.what.makes()[..] {
            known.retain(|(of, _), _| *of != new);
        } else if forgets(call) {
            known.retain(|(of, _), _| *of != fd);
        } else if failed(call) {
            let of_fd = known.iter_mut().filter(|((of, _), _)| *of == fd);
            of_fd.for_each(|(_, known)| known.tried.push(call));
        }
    }
    findings
}

/// Whether a socket may have other names after the call.
fn forgets(call: &Call<'_>) -> bool {
    match call.what {
        Op::Connect { .. } | Op::Connectx { .. } | Op::Disconnectx { .. } | Op::Close { .. } => {
            true
        }
        Op::Bind { .. }
        | Op::Listen { .. }
        | Op::Send { .. }
        | Op::Sendto { .. }
        | Op::Sendmsg { .. }
        | Op::SendmsgX { .. }
        | Op::Sendmmsg { .. }
        | Op::Writev { .. }
        | Op::Sendfile { .. }
        | Op::Splice { .. }
        | Op::Write { .. }
        | Op::Shutdown { .. } => !failed(call),
        Op::Raw { call: name, .. } => {
            name == "connect" || !failed(call) && (name == "bind" || call.what.sends())
        }
        _ => false,
    }
}

fn renamed(fd: &str, before: &Known<'_, '_>, after: &Call<'_>) -> Option<Finding> {
    // The call that can have done it: one that is about names or sends, else whichever failed.
    let names = |call: &&&Call<'_>| call.what.addr().is_some() || call.what.sends();
    let cause = before.tried.iter().find(names).or(before.tried.first())?;
    let change = difference(before.name, after)?;
    let which = after.what.call();
    let text = format!("{}, yet {which} of {fd} then differs: {change}.", cause.said());
    // Nothing was lost and nothing left, and POSIX says that it may be so (XSH 2.3).
    Some(RULE.weighs(Rank::Undocumented, cause.op, text))
}

/// How two names differ, in words that are the same in every run.
fn difference(before: &Call<'_>, after: &Call<'_>) -> Option<String> {
    if (before.errno, before.out) == (after.errno, after.out) {
        return None;
    }
    let (Out::Addr(was), Out::Addr(is)) = (before.out, after.out) else {
        return Some(format!("{}, and {} afterwards", before.said(), after.said()));
    };
    let scope = |addr: &SockAddr| match addr {
        SockAddr::V6 { scope, .. } => *scope,
        _ => 0,
    };
    if was.ip() != is.ip() {
        Some(format!("the address {} became {}", host(was), host(is)))
    } else if was.port() != is.port() {
        Some(match (was.port(), is.port()) {
            (Some(0), _) => "port 0 became a port of the host's choice".to_owned(),
            (_, Some(0)) => "its port became 0".to_owned(),
            _ => "its port became another".to_owned(),
        })
    } else if scope(was) != scope(is) {
        Some("its scope id became another".to_owned())
    } else {
        Some(format!("{was} became {is}"))
    }
}

fn host(addr: &SockAddr) -> String {
    addr.ip().map_or_else(|| addr.to_string(), |ip| ip.to_string())
}
