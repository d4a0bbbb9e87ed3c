//! The end of a stream is told when all before it was read, and a reset is told as one.
//!
//! # Where the line runs
//!
//! - **Both ends are the case's**, a pair or the one connection that it makes to itself: when the far end
//!   was shut for sending or closed, and the socket has received as much as that reported as sent, a receive is
//!   0. It does not wait, and there is no 0 while bytes are missing.
//! - **The far end is the lab's**: the same by the frames of the one connection that the case makes, from the FIN on that
//!   the host acknowledged. After an RST with the number that the host expected, the next receive behind what was
//!   queued is `ECONNRESET`, unless another call told an error since; the one behind it does not wait.
//!
//! # How much it weighs
//!
//! POSIX says "shall" of both. That a reset is told once, and 0 behind it, is written nowhere: told twice it
//! [`Rank::Surprises`].
//!
//! # What is not judged
//!
//! - An end that is sent to another socket, which is open for as long as it is on its way. On Darwin a receive of IP's that
//!   is not to wait, since what the host sends to itself comes later there.
//! - A case with several connections, urgent data, data from files and pipes, `SO_LINGER`, or a receive with room
//!   for nothing. After its own `SHUT_RD`, or when it was connected again.
//! - What a receive says after a close of the other end of TCP that had something unread: that is a reset
//!   (RFC 9293 §3.6.1, RFC 2525 §2.17). An RST after a FIN.
//! - Traces in which calls overlap.
//!
//! # Where it fires
//!
//! On nothing that was run; a fault plants it (`tests/plants.rs`).

use std::collections::BTreeMap;

use harness::case::addr::Port;
use harness::case::op::{Control, Op};
use harness::case::{Case, Os};
use harness::trace::{Direction, Out, Trace};
use harness::verdict::Rank;
use harness::wire::TcpFlags;

use super::sockets::{Id, Sockets, Type, hung, is_beside, sets_any, takes};
use super::view::{Call, Seen, View};
use super::{Cite, Finding, Needs, Rule};

/// The rule *the end of a stream is told*.
pub(super) const RULE: Rule = Rule {
    name: "end-of-stream-is-told",
    rank: Rank::Violates,
    needs: Needs::Order,
    says: "When the peer has ended a stream and all before it was read, a receive is 0; when the peer has \
           reset it, a receive is ECONNRESET, once.",
    cites: &[
        Cite {
            source: "POSIX.1-2017 recv, RETURN VALUE",
            quote: "If no messages are available to be received and the peer has performed an orderly \
                    shutdown, recv() shall return 0.",
        },
        Cite {
            source: "POSIX.1-2017 recv, ERRORS [ECONNRESET]",
            quote: "A connection was forcibly closed by a peer.",
        },
        Cite {
            source: "RFC 9293 §3.10.7.4 (the number that a reset has)",
            quote: "If the RST bit is set and the sequence number exactly matches the next expected \
                    sequence number (RCV.NXT), then TCP endpoints MUST reset the connection",
        },
    ],
    check,
};

/// What is known of a socket while the case goes on.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one socket")]
#[derive(Clone, Copy, Default)]
struct Flow {
    sent: i64,
    got: i64,
    /// It was shut for sending, or closed.
    ended: bool,
    /// It is not followed any more.
    lost: bool,
    /// An error of the connection was told.
    told: bool,
    /// That was that it was reset.
    reset: bool,
}

fn check(case: &Case, trace: &Trace, os: Os) -> Vec<Finding> {
    let view = View::new(case, trace);
    let (sockets, urgent) = (Sockets::of(&view), |seen: &Seen<'_>| {
        seen.tcp().is_some_and(|tcp| tcp.flags.has(TcpFlags::URG))
    });
    let aside = |op: &Op| match op {
        // Of messages the call returns how many there are, not of how many bytes.
        Op::Sendmmsg { .. }
        | Op::Recvmmsg { .. }
        | Op::SendmsgX { .. }
        | Op::RecvmsgX { .. }
        | Op::Splice { .. }
        | Op::Sendfile { .. }
        | Op::Raw { .. }
        | Op::Connectx { .. } => true,
        // An end that is on its way is open yet, closed though it is here.
        Op::Sendmsg { control, .. } => control.iter().any(is_of_descriptors),
        op => takes(op, "MSG_OOB") || op.send_flags().is_some_and(|flags| flags.has("MSG_OOB")),
    };
    if case.ops.iter().any(aside)
        || view.frames.iter().any(urgent)
        || sets_any(&view, |name| ["SO_LINGER", "TCP_REPAIR"].contains(&name))
    {
        return Vec::new();
    }
    let far = Far::of(&view, &sockets);
    let mut walk = Walk { os, sockets: &sockets, far, flows: BTreeMap::new() };
    let peers = peers(&view, &sockets);
    let mut findings = Vec::new();
    for (index, call) in view.calls.iter().enumerate() {
        findings.extend(walk.step(index, call, &peers));
    }
    if let Some((number, op)) = hung(&view)
        && let Some(id) = op.fd().and_then(|name| sockets.named(view.calls.len(), name))
        && op.receives()
        && let Some(why) = walk.why_not_wait(id, number, &peers)
    {
        findings.push(RULE.finds(number, format!("{} did not return after {why}.", op.call())));
    }
    findings
}

fn is_of_descriptors(control: &Control) -> bool {
    matches!(control, Control::Rights { .. } | Control::Bytes { .. })
}

/// The other end of each stream that has both in the case.
fn peers(view: &View<'_>, sockets: &Sockets<'_>) -> BTreeMap<Id, Id> {
    let mut peers = BTreeMap::new();
    for (id, socket) in sockets.made.iter().enumerate() {
        if let Some(twin) = socket.twin.filter(|_| socket.r#type == Type::Stream) {
            peers.insert(id, twin);
        }
    }
    let accepted: Vec<Id> = (0..sockets.made.len())
        .filter(|id| sockets.get(*id).listener.is_some() && sockets.get(*id).r#type == Type::Stream)
        .collect();
    if let ([accepted], [(index, connected)]) = (&accepted[..], &connects(view, sockets)[..])
        && sockets.get(*accepted).listener.is_some_and(|to| is_to(view, sockets, *index, to))
    {
        peers.insert(*accepted, *connected);
        peers.insert(*connected, *accepted);
    }
    peers
}

/// Whether the call connects to that listener: to what it was bound to.
fn is_to(view: &View<'_>, sockets: &Sockets<'_>, index: usize, listener: Id) -> bool {
    let Op::Connect { addr: to, .. } = view.calls[index].what else { return false };
    let bound = view.calls.iter().enumerate().find_map(|(at, call)| match call.what {
        Op::Bind { addr, .. } if sockets.on(at, call) == Some(listener) => Some(addr),
        _ => None,
    });
    bound.is_some_and(|bound| {
        let of_it = |name: &str| sockets.named(index, name) == Some(listener);
        to.host == bound.host
            && (to.port == bound.port || matches!(&to.port, Port::Of(name) if of_it(name)))
    })
}

/// The calls that connect a stream, or may have.
fn connects(view: &View<'_>, sockets: &Sockets<'_>) -> Vec<(usize, Id)> {
    let all = view.calls.iter().enumerate().filter_map(|(index, call)| {
        let id = sockets.on(index, call).filter(|_| matches!(call.what, Op::Connect { .. }))?;
        (sockets.get(id).r#type == Type::Stream).then_some((index, id))
    });
    all.collect()
}

/// What the lab's far end of the one connection did.
struct Far {
    id: Id,
    /// Behind which step it has ended the stream, and how long that is.
    fin: Option<(u32, i64)>,
    /// Behind which step it has reset it.
    rst: Option<u32>,
}

impl Far {
    fn of(view: &View<'_>, sockets: &Sockets<'_>) -> Option<Self> {
        let [(index, id)] = connects(view, sockets)[..] else { return None };
        let port = view.calls[index].addr?.port()?;
        let listens = sockets.made.iter().any(|socket| socket.listener.is_some());
        if !sockets.get(id).is_tcp() || listens {
            return None;
        }
        let tcp = |dir| {
            let one = move |seen: &&Seen<'_>| {
                let own = |tcp: &harness::wire::Tcp<'_>| match dir {
                    Direction::In => tcp.sport == port,
                    Direction::Out => tcp.dport == port,
                };
                seen.dir == dir && seen.tcp().is_some_and(own)
            };
            view.frames
                .iter()
                .filter(one)
                .filter_map(|seen| Some((seen.op, seen.place, seen.tcp()?)))
        };
        let first = tcp(Direction::In)
            .find(|(.., tcp)| tcp.flags.has(TcpFlags::SYN))?
            .2
            .seq
            .wrapping_add(1);
        // One connection alone: every other SYN is the first once more.
        if tcp(Direction::In)
            .any(|(.., t)| t.flags.has(TcpFlags::SYN) && t.seq.wrapping_add(1) != first)
        {
            return None;
        }
        let fin = tcp(Direction::In).find_map(|(_, place, tcp)| {
            let end = tcp.seq.wrapping_add(u32::try_from(tcp.payload.len()).ok()?);
            let acked = acked(view, port, place, end.wrapping_add(1))?;
            let len = i64::from(end.wrapping_sub(first));
            (tcp.flags.has(TcpFlags::FIN) && !tcp.flags.has(TcpFlags::RST)).then_some((acked, len))
        });
        let rst = tcp(Direction::In).find_map(|(op, place, tcp)| {
            let before = last_ack(view, port, place)?;
            (tcp.flags.has(TcpFlags::RST) && tcp.seq == before).then_some(op)
        });
        Some(Self { id, fin, rst: rst.filter(|_| fin.is_none()) })
    }
}

/// In which step the host acknowledged that number, behind that place.
fn acked(view: &View<'_>, port: u16, place: usize, number: u32) -> Option<u32> {
    let mut acks = view.sent().filter(|seen| seen.place > place);
    let is = |tcp: &harness::wire::Tcp<'_>| tcp.dport == port && tcp.ack == number;
    acks.find(|seen| seen.tcp().is_some_and(is)).map(|seen| seen.op)
}

/// Which number the host expected at that place.
fn last_ack(view: &View<'_>, port: u16, place: usize) -> Option<u32> {
    let acks = view.sent().filter(|seen| seen.place < place).filter_map(Seen::tcp);
    acks.filter(|tcp| tcp.dport == port && tcp.flags.has(TcpFlags::ACK)).last().map(|tcp| tcp.ack)
}

/// What may be told in the place of a reset.
const OF_THE_CONNECTION: &[&str] = &["ECONNABORTED", "ECONNRESET", "EPIPE", "ETIMEDOUT"];

struct Walk<'v, 'a> {
    os: Os,
    sockets: &'v Sockets<'a>,
    far: Option<Far>,
    flows: BTreeMap<Id, Flow>,
}

impl Walk<'_, '_> {
    fn step(&mut self, index: usize, call: &Call<'_>, peers: &BTreeMap<Id, Id>) -> Option<Finding> {
        let id = self.sockets.on(index, call)?;
        let finding = self.received(id, call, peers);
        let closed = matches!(call.what, Op::Close { .. }) && self.sockets.is_closed(id, index);
        let unread = |walk: &Self| {
            let sent = peers.get(&id).and_then(|peer| walk.flows.get(peer)).map_or(0, |f| f.sent);
            sent != walk.flows.get(&id).map_or(0, |flow| flow.got)
        };
        let resets = closed && self.sockets.get(id).is_tcp() && unread(self);
        let flow = self.flows.entry(id).or_default();
        match call.what {
            Op::Shutdown { how, .. } if call.ok() => {
                flow.ended |= how.plain() != "SHUT_RD";
                flow.lost |= how.plain() != "SHUT_WR";
            }
            Op::Close { .. } if closed => (flow.ended, flow.lost) = (true, flow.lost || resets),
            Op::Connect { .. } if flow.sent > 0 || flow.got > 0 => flow.lost = true,
            op if op.sends() && call.ok() => {
                flow.sent = flow.sent.saturating_add(call.ret);
            }
            op if op.receives() && call.ok() && !takes(op, "MSG_PEEK") => {
                flow.got = flow.got.saturating_add(call.ret);
            }
            _ => {}
        }
        let error = match call.out {
            Out::Errno(errno) => Some(errno.as_str()),
            _ => call.errno,
        };
        flow.told |= error.is_some_and(|errno| OF_THE_CONNECTION.contains(&errno));
        flow.reset |= error == Some("ECONNRESET");
        finding
    }

    /// What is wrong with what a receive got.
    fn received(&self, id: Id, call: &Call<'_>, peers: &BTreeMap<Id, Id>) -> Option<Finding> {
        if !call.what.receives() || is_beside(call.what) || room(call.what) == 0 {
            return None;
        }
        let name = call.what.call();
        let flow = self.flow(id);
        // On Darwin what the host sends to itself comes a while later.
        let comes_later = self.os != Os::Linux && self.sockets.get(id).is_inet();
        if call.errno == Some("EAGAIN") && comes_later {
            return None;
        }
        if call.errno == Some("EAGAIN") {
            let why = self.why_not_wait(id, call.op, peers)?;
            return Some(RULE.finds(call.op, format!("{} after {why}.", call.said())));
        }
        let reset = self.is_reset(id, call.op);
        if call.ok() && call.ret == 0 {
            if reset && !flow.told && !flow.lost {
                let text = format!("{name} returned 0 after a reset that no call has told.");
                return Some(RULE.finds(call.op, text));
            }
            let missing = self.all(id, call.op, peers).filter(|all| flow.got < *all)?;
            let got = flow.got;
            let text = format!("{name} returned 0 with {got} bytes read of a stream of {missing}.");
            return (!flow.lost && !self.ends_by_itself(id, peers))
                .then(|| RULE.finds(call.op, text));
        }
        let again = reset && flow.reset && call.errno == Some("ECONNRESET") && !flow.lost;
        let text = format!("{name} told a reset that had been told before.");
        again.then(|| RULE.weighs(Rank::Surprises, call.op, text))
    }

    fn flow(&self, id: Id) -> Flow {
        self.flows.get(&id).copied().unwrap_or_default()
    }

    /// Whether the other end did not end it in order.
    fn ends_by_itself(&self, id: Id, peers: &BTreeMap<Id, Id>) -> bool {
        peers.get(&id).is_some_and(|peer| self.flow(*peer).lost)
    }

    fn is_reset(&self, id: Id, op: u32) -> bool {
        self.far.as_ref().is_some_and(|far| far.id == id && far.rst.is_some_and(|rst| rst < op))
    }

    /// How long the stream to that socket is, if its end had come before that step.
    fn all(&self, id: Id, op: u32, peers: &BTreeMap<Id, Id>) -> Option<i64> {
        if let Some(far) = self.far.as_ref().filter(|far| far.id == id) {
            return far.fin.filter(|(acked, _)| *acked < op).map(|(_, len)| len);
        }
        let peer = self.flow(*peers.get(&id)?);
        peer.ended.then_some(peer.sent)
    }

    /// Why a receive does not have to wait, if that is so.
    fn why_not_wait(&self, id: Id, op: u32, peers: &BTreeMap<Id, Id>) -> Option<&'static str> {
        let flow = self.flow(id);
        if flow.lost || self.ends_by_itself(id, peers) {
            return None;
        }
        if self.is_reset(id, op) {
            return Some("a reset");
        }
        self.all(id, op, peers).filter(|all| flow.got >= *all).map(|_| "the end of the stream")
    }
}

fn room(op: &Op) -> u32 {
    match op {
        Op::Recv { len, .. }
        | Op::Recvfrom { len, .. }
        | Op::Recvmsg { len, .. }
        | Op::Read { len, .. } => *len,
        Op::Readv { lens, .. } => lens.iter().sum(),
        _ => 0,
    }
}
