//! The bytes that leave are those that were written.
//!
//! Each stream that a `connect` of the case opened is put together from its segments by their
//! sequence numbers, and laid beside what the sends on the socket reported as sent, in their order.
//!
//! # Where the line runs
//!
//! - No byte that left differs from the one that was written there, none is beyond the last, and
//!   a byte that leaves twice is the same both times.
//! - When the end of the stream has left (FIN), all that was written has.
//! - No byte is left out: one that follows has left, and it has not.
//!
//! # What is not judged
//!
//! - Bytes at the end of a stream that goes on: TCP may hold them back for Nagle's algorithm,
//!   congestion or a closed window, and what a network does to a case is no promise broken. That
//!   the first of them leave at all is *no silent loss*.
//! - Streams whose SYN was not seen, accepted ones, and those that Darwin's `connectx` opened: which of
//!   its data leave with the SYN its flags decide.
//! - When, in how many segments and with which flags they leave.
//!
//! # Where it fires
//!
//! On nothing that was run: a kernel that changes bytes of a stream has a bug that everybody sees. It is kept for what
//! stands between, a content filter of macOS or a library, and a fault plants it (`tests/plants.rs`).

use std::collections::BTreeMap;
use std::net::IpAddr;

use harness::case::op::Op;
use harness::case::{Case, Os};
use harness::trace::Trace;
use harness::verdict::Rank;
use harness::wire::TcpFlags;

use super::acts::{Act, Acts, Kind, acts};
use super::view::{Call, Seen, View};
use super::{Cite, Finding, Needs, Rule};

/// The rule *the bytes that leave are those that were written*.
pub(super) const RULE: Rule = Rule {
    name: "bytes-as-written",
    rank: Rank::Violates,
    needs: Needs::Frames,
    says: "The TCP stream that leaves on the wire is exactly the bytes that the sends on its socket \
           reported as sent, in their order: nobody beneath the socket adds a header, leaves a byte \
           out or changes one.",
    cites: &[
        Cite {
            source: "RFC 9293 §2.2",
            quote: "TCP provides a reliable, in-order, byte-stream service to applications.",
        },
        Cite {
            source: "RFC 6265 §5.4 (a cookie is the user agent's, which a raw socket has not got)",
            quote: "The user agent includes stored cookies in the Cookie HTTP request header.",
        },
    ],
    check,
};

fn check(case: &Case, trace: &Trace, _: Os) -> Vec<Finding> {
    let view = View::new(case, trace);
    let Acts { list, .. } = acts(&view);
    let mut taken = Vec::new();
    let mut findings = Vec::new();
    for (index, act) in list.iter().enumerate() {
        if !(act.connects && act.ok && act.kind == Kind::Tcp) || sends_otherwise(&view, act.fd) {
            continue;
        }
        let Some(syn) = syn(&view, act, &taken) else { continue };
        let Some(stream) = Stream::of(&view, syn) else { continue };
        taken.push((stream.key, stream.first));
        let written = written(&view, &list[index + 1..], act);
        if let Some(what) = stream.differs(&written) {
            let sends = written.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
            let text =
                format!("the sends on {} reported {sends} bytes as sent, but {what}.", act.fd);
            let op = written.last().map_or(act.op, |(op, _)| *op);
            findings.push(RULE.finds(op, text));
        }
    }
    findings
}

/// Whether bytes go out by the socket that no call of its own writes: by another name of it, or from a file
/// or a pipe.
fn sends_otherwise(view: &View<'_>, socket: &str) -> bool {
    view.calls.iter().any(|call| match call.what {
        // How much of its last message `sendmmsg` sent, it does not say.
        Op::Dup { fd, .. }
        | Op::Sendmmsg { fd, .. }
        | Op::Sendfile { fd, .. }
        | Op::Splice { to: fd, .. } => fd == socket,
        // Where its pointer leads, or another connection, no case says.
        Op::Raw { call: name, .. } => {
            let unknown = name == "connect" || call.what.sends() && call.what.written().is_none();
            unknown && call.ok() && call.what.fd() == Some(socket)
        }
        _ => false,
    })
}

/// A stream's ports and its peer.
type Key = (u16, u16, IpAddr);

fn key(seen: &Seen<'_>) -> Option<Key> {
    let tcp = seen.tcp()?;
    Some((tcp.sport, tcp.dport, seen.dst()?))
}

/// Which stream a SYN begins: the same ports may have another one later.
fn first(syn: &Seen<'_>) -> Option<(Key, u32)> {
    Some((key(syn)?, syn.tcp()?.seq.wrapping_add(1)))
}

/// The first SYN to the destination of `act` that no earlier `connect` took.
fn syn<'v, 'a>(view: &'v View<'a>, act: &Act<'_>, taken: &[(Key, u32)]) -> Option<&'v Seen<'a>> {
    view.sent().find(|seen| {
        let opens = |flags: TcpFlags| flags.has(TcpFlags::SYN) && !flags.has(TcpFlags::ACK);
        let port = act.dest.and_then(|dest| dest.addr.port());
        seen.op >= act.op
            && seen.tcp().is_some_and(|tcp| opens(tcp.flags) && port.is_none_or(|p| p == tcp.dport))
            && act.dest.is_none_or(|dest| seen.dst().is_some_and(|dst| dest.is(dst)))
            && first(seen).is_some_and(|it| !taken.contains(&it))
    })
}

/// What the sends on the socket of the `connect` reported as sent: each with its step.
fn written(view: &View<'_>, later: &[Act<'_>], connect: &Act<'_>) -> Vec<(u32, Vec<u8>)> {
    // By AF_UNSPEC the connection is over (connect, DESCRIPTION), and another may begin.
    let parts = |call: &Call<'_>| call.ok() && call.addr.is_none_or(|addr| addr.ip().is_none());
    let ends = |call: &Call<'_>| match call.what {
        Op::Close { fd } | Op::Socket { fd, .. } => fd == connect.fd,
        Op::Connect { fd, .. } => fd == connect.fd && parts(call),
        _ => false,
    };
    let end = view.calls[connect.call + 1..].iter().find(|call| ends(call));
    let end = end.map_or(u32::MAX, |call| call.op);
    // With MSG_MORE a send on a stream is no act of its own, and yet it was written.
    let mut sends: Vec<(u32, Vec<u8>)> = later
        .iter()
        .filter(|act| act.fd == connect.fd && !act.connects && act.ok && act.op < end)
        .map(|act| (act.op, act.bytes.clone()))
        .collect();
    for call in &view.calls[connect.call + 1..] {
        let known = sends.iter().any(|(op, _)| *op == call.op);
        if let Some(mut bytes) = call.what.written()
            && call.what.fd() == Some(connect.fd)
            && call.ok()
            && call.op < end
            && !known
        {
            bytes.truncate(usize::try_from(call.ret).unwrap_or(0));
            sends.push((call.op, bytes));
        }
    }
    sends.sort_by_key(|(op, _)| *op);
    sends
}

/// The bytes that left on one connection.
struct Stream {
    key: Key,
    /// The number of its first byte.
    first: u32,
    /// By their place in the stream.
    bytes: BTreeMap<usize, u8>,
    /// Where one left that was another before.
    changed: Option<usize>,
    /// How long the stream is, if its end has left.
    end: Option<usize>,
}

impl Stream {
    fn of(view: &View<'_>, syn: &Seen<'_>) -> Option<Self> {
        let (key, first) = first(syn)?;
        let mut stream = Self { key, first, bytes: BTreeMap::new(), changed: None, end: None };
        let mut begun = false;
        for seen in view.sent().filter(|seen| self::key(seen) == Some(key)) {
            let Some(tcp) = seen.tcp() else { continue };
            let opens = tcp.flags.has(TcpFlags::SYN) && !tcp.flags.has(TcpFlags::ACK);
            let is_its_own = tcp.seq.wrapping_add(1) == first;
            if opens && begun && !is_its_own {
                break;
            }
            begun |= opens && is_its_own;
            if !begun {
                continue;
            }
            if tcp.flags.has(TcpFlags::RST) {
                continue;
            }
            let syn = u32::from(tcp.flags.has(TcpFlags::SYN));
            // A probe of a closed window has the number before the first unsent byte, and no data.
            let place = tcp.seq.wrapping_add(syn).wrapping_sub(first) as usize;
            for (at, byte) in (place..).zip(tcp.payload) {
                if stream.bytes.insert(at, *byte).is_some_and(|before| before != *byte) {
                    stream.changed = stream.changed.or(Some(at));
                }
            }
            if tcp.flags.has(TcpFlags::FIN) {
                stream.end = Some(place + tcp.payload.len());
            }
        }
        Some(stream)
    }

    /// In which way it is not what was written, in words.
    fn differs(&self, written: &[(u32, Vec<u8>)]) -> Option<String> {
        let written: Vec<u8> = written.iter().flat_map(|(_, bytes)| bytes).copied().collect();
        if let Some(at) = self.changed {
            return Some(format!("byte {at} of the stream left twice, and not the same"));
        }
        for (expected, (at, byte)) in self.bytes.iter().enumerate() {
            if expected != *at {
                return Some(format!(
                    "byte {expected} of the stream did not leave, and later ones did"
                ));
            }
            match written.get(*at) {
                None => return Some(format!("{} left", self.bytes.len())),
                Some(right) if right != byte => {
                    return Some(format!(
                        "byte {at} of the stream left as {byte:#04x}, not {right:#04x}"
                    ));
                }
                Some(_) => {}
            }
        }
        let all = self.end.filter(|end| *end != written.len() || self.bytes.len() < *end);
        all.map(|_| format!("the stream ended with {} of them on the wire", self.bytes.len()))
    }
}
