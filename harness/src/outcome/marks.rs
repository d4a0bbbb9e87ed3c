//! What a TCP segment is besides what it says: one that was sent before, or one that asks whether the
//! other end is there. As Wireshark marks them, from the frames before.

use std::net::IpAddr;

use super::frames::kind;
use super::names::Names;
use super::packets::framing;
use crate::trace::{Direction, Event, Trace};
use crate::wire::{self, Body, Tcp, TcpFlags};

/// The mark of what was sent before.
pub(super) const AGAIN: &str = "retransmission";

/// One direction of a connection on one link.
struct Flow<'a> {
    link: &'a str,
    dir: Direction,
    from: (IpAddr, u16),
    to: (IpAddr, u16),
    /// What comes next: behind the highest byte that was seen.
    next: u32,
    /// The sequence number of its SYN.
    syn: Option<u32>,
    /// The window that it last advertised is closed.
    closed: bool,
}

/// A mark for each event, most of which have none. Whatever a frame says, it is only read.
pub(super) fn marks(names: &Names<'_>, trace: &Trace) -> Vec<Option<&'static str>> {
    let mut flows: Vec<Flow<'_>> = Vec::new();
    let mut all = Vec::with_capacity(trace.events.len());
    for event in &trace.events {
        let Event::Frame { link, dir, bytes, .. } = event else {
            all.push(None);
            continue;
        };
        let packet = wire::decode(framing(kind(names, link)), &bytes.0);
        all.push(match (packet.addresses(), packet.body()) {
            (Some((src, dst)), Some(Body::Tcp(tcp))) => {
                let (from, to) = ((src, tcp.sport), (dst, tcp.dport));
                segment(&mut flows, (link, *dir, from, to), tcp)
            }
            _ => None,
        });
    }
    all
}

type Ends<'a> = (&'a str, Direction, (IpAddr, u16), (IpAddr, u16));

fn segment<'a>(flows: &mut Vec<Flow<'a>>, ends: Ends<'a>, tcp: &Tcp<'_>) -> Option<&'static str> {
    if tcp.flags.has(TcpFlags::RST) {
        return None;
    }
    let (link, dir, from, to) = ends;
    let back = flows.iter().find(|flow| flow.link == link && (flow.from, flow.to) == (to, from));
    let closed = back.is_some_and(|flow| flow.closed);
    let syn = tcp.flags.has(TcpFlags::SYN);
    let data = u32::try_from(tcp.payload.len()).unwrap_or(u32::MAX);
    let len = data + u32::from(syn) + u32::from(tcp.flags.has(TcpFlags::FIN));
    let end = tcp.seq.wrapping_add(len);
    let is_own = |flow: &Flow<'_>| {
        flow.link == link && flow.dir == dir && (flow.from, flow.to) == (from, to)
    };
    let first = syn.then_some(tcp.seq);
    // Another connection between the same ports.
    let anew = syn && flows.iter().any(|flow| is_own(flow) && flow.syn != first);
    if anew && !tcp.flags.has(TcpFlags::ACK) {
        flows.retain(|flow| flow.link != link || (flow.from, flow.to) != (to, from));
    }
    if anew {
        flows.retain(|flow| !is_own(flow));
    }
    let Some(flow) = flows.iter_mut().find(|flow| is_own(flow)) else {
        let closed = tcp.window == 0;
        flows.push(Flow { link, dir, from, to, next: end, syn: first, closed });
        return None;
    };
    flow.closed = tcp.window == 0;
    let next = flow.next;
    // A byte beyond a closed window is not sent yet.
    let probes = closed && data == 1 && tcp.seq == next && !syn;
    if !probes && is_before(next, end) {
        flow.next = end;
    }
    let behind = next.wrapping_sub(tcp.seq);
    let again = len > 0 && is_before(tcp.seq, next);
    match (behind, data) {
        // Linux's probes of a closed window have no data either (`net/ipv4/tcp_output.c`
        // tcp_xmit_probe_skb).
        (1, 0) if len == 0 && closed => Some("zero-window probe"),
        (1, 1) if closed && !syn => Some("zero-window probe"),
        _ if probes => Some("zero-window probe"),
        (1, 0) if len == 0 => Some("keep-alive"),
        // One byte that was sent before: of a probe it is garbage (RFC 9293 §3.8.4), and that which
        // was sent is not known here.
        (1, 1) if !tcp.flags.has(TcpFlags::PSH) && !syn && len == 1 => Some("keep-alive"),
        _ if again => Some(AGAIN),
        _ => None,
    }
}

/// Whether `a` lies before `b` in the space of sequence numbers (RFC 9293 §3.4).
fn is_before(a: u32, b: u32) -> bool {
    b.wrapping_sub(a).cast_signed() > 0
}
