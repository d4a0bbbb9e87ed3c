//! Connections that a case leaves behind.
//!
//! The kernel goes on with a connection that its socket has closed until the peer has agreed, and sends
//! its FIN again and again: into later cases, and by other interfaces when the link has gone. On a
//! host that labs share nothing takes such a connection along. So the far end resets each when its case
//! has ended (RFC 9293 §3.10.7.4), and asks for it anew behind the window, which ends what is in TIME-WAIT
//! (RFC 9293 §3.6.1; xnu-7195 `bsd/netinet/tcp_input.c:3961`): no RST does (`3723`).

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::trace::Direction;
use crate::wire::build::{self, Link, Segment};
use crate::wire::{Body, Framing, Tcp, TcpFlags, decode};

/// What was seen of one connection, from the number of its link and its ends, the host's first.
type Ends = (usize, SocketAddr, SocketAddr);

/// Who is next on it, by sequence number.
#[derive(Clone, Copy, Debug)]
struct Next {
    of_host: u32,
    of_far_end: Option<u32>,
}

/// The connections that have been seen and not been reset.
#[derive(Clone, Debug, Default)]
pub struct Orphans(BTreeMap<Ends, Next>);

impl Orphans {
    /// Takes down a frame on the link of that number.
    pub fn saw(&mut self, link: usize, framing: Framing, dir: Direction, frame: &[u8]) {
        let packet = decode(framing, frame);
        let (Some(Body::Tcp(tcp)), Some((src, dst))) = (packet.body(), packet.addresses()) else {
            return;
        };
        let (src, dst) = (SocketAddr::new(src, tcp.sport), SocketAddr::new(dst, tcp.dport));
        let ends = if dir == Direction::Out { (link, src, dst) } else { (link, dst, src) };
        if tcp.flags.has(TcpFlags::RST) {
            self.0.remove(&ends);
            return;
        }
        match dir {
            Direction::Out => self.host_said(ends, tcp),
            Direction::In => {
                if let Some(next) = self.0.get_mut(&ends) {
                    next.of_far_end = Some(later(next.of_far_end, behind(tcp)));
                }
            }
        }
    }

    fn host_said(&mut self, ends: Ends, tcp: &Tcp<'_>) {
        let new = Next { of_host: behind(tcp), of_far_end: None };
        let next = self.0.entry(ends).or_insert(new);
        next.of_host = later(Some(next.of_host), behind(tcp));
        if tcp.flags.has(TcpFlags::ACK) {
            next.of_far_end = Some(later(next.of_far_end, tcp.ack));
        }
    }

    /// The frames that reset those over `links`, from their far ends to the host, each with its link's
    /// number. Those of other links stay.
    pub fn resets(&mut self, links: &[Link]) -> Vec<(usize, Vec<u8>)> {
        let over = |(ends, next): (&Ends, &Next)| {
            let link = *links.get(ends.0)?;
            let (number, frames) = (ends.0, [reset(link, *ends, *next), again(link, *ends, *next)]);
            Some(frames.into_iter().flatten().map(move |frame| (number, frame)))
        };
        let resets = self.0.iter().filter_map(over).flatten().collect();
        self.0.retain(|ends, _| ends.0 >= links.len());
        resets
    }

    /// What another has seen, too.
    pub fn inherit(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

fn reset(link: Link, (_, host, far): Ends, next: Next) -> Option<Vec<u8>> {
    let (flags, seq) = (TcpFlags::RST | TcpFlags::ACK, next.of_far_end.unwrap_or(0));
    let segment = Segment { flags, seq, ack: next.of_host, ..Segment::default() };
    build::tcp_segment(link, far, host, 64, &segment).ok()
}

/// Behind every window: the longest is 2^30 bytes (RFC 7323 §2.3).
const BEHIND: u32 = 1 << 30;

/// A new connection between the same ends. Nobody listens any more, so that the host refuses it.
fn again(link: Link, (_, host, far): Ends, next: Next) -> Option<Vec<u8>> {
    let seq = next.of_far_end?.wrapping_add(BEHIND);
    let segment = Segment { flags: TcpFlags::SYN, seq, ..Segment::default() };
    build::tcp_segment(link, far, host, 64, &segment).ok()
}

/// The number behind a segment (RFC 9293 §3.4: SYN and FIN have one each).
fn behind(tcp: &Tcp<'_>) -> u32 {
    let flags = [TcpFlags::SYN, TcpFlags::FIN].iter().filter(|flag| tcp.flags.has(**flag)).count();
    let len = u32::try_from(tcp.payload.len() + flags).unwrap_or(u32::MAX);
    tcp.seq.wrapping_add(len)
}

/// The later of two sequence numbers.
fn later(known: Option<u32>, seen: u32) -> u32 {
    match known {
        Some(known) if seen.wrapping_sub(known) > u32::MAX / 2 => known,
        _ => seen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Mac;

    const HOST: Mac = Mac([2, 0, 0, 0, 0, 1]);
    const FAR: Mac = Mac([2, 0, 0, 0, 0, 2]);

    fn frame(out: bool, flags: TcpFlags, seq: u32, ack: u32, payload: &[u8]) -> Vec<u8> {
        let (host, far) = ("192.0.2.1:50000".parse().unwrap(), "192.0.2.2:80".parse().unwrap());
        let (src, dst, link) = if out {
            (host, far, Link::Ethernet { src: HOST, dst: FAR })
        } else {
            (far, host, Link::Ethernet { src: FAR, dst: HOST })
        };
        let segment = Segment { flags, seq, ack, window: 9, urgent: 0, options: &[], payload };
        build::tcp_segment(link, src, dst, 64, &segment).unwrap()
    }

    fn seen(frames: &[(bool, TcpFlags, u32, u32, &[u8])]) -> Orphans {
        let mut orphans = Orphans::default();
        for (out, flags, seq, ack, payload) in frames {
            let dir = if *out { Direction::Out } else { Direction::In };
            let bytes = frame(*out, *flags, *seq, *ack, payload);
            orphans.saw(1, Framing::Ethernet, dir, &bytes);
        }
        orphans
    }

    const SYN: TcpFlags = TcpFlags::SYN;
    const ACK: TcpFlags = TcpFlags::ACK;

    #[test]
    fn a_connection_is_reset_by_the_number_that_the_host_waits_for() {
        let fin = TcpFlags::FIN | ACK;
        let mut orphans = seen(&[
            (true, SYN, u32::MAX, 0, b""),
            (false, SYN | ACK, 700, 0, b""),
            (true, ACK, 0, 701, b""),
            (false, ACK, 701, 0, b"hello"),
            // The host has not acknowledged it yet, and repeats itself.
            (true, fin, 0, 701, b"x"),
            (true, fin, 0, 701, b"x"),
        ]);
        let back = Link::Ethernet { src: FAR, dst: HOST };
        // Its link is the second.
        assert!(orphans.resets(&[back]).is_empty());
        let resets = orphans.resets(&[Link::Ip, back]);
        let [(1, bytes), (1, again)] = &resets[..] else { panic!("{resets:?}") };
        let packet = decode(Framing::Ethernet, bytes);
        let Some(Body::Tcp(tcp)) = packet.body() else { panic!("{packet:?}") };
        assert_eq!((tcp.seq, tcp.ack, tcp.flags), (706, 2, TcpFlags::RST | ACK));
        let eth = packet.eth.unwrap();
        assert_eq!((eth.src, eth.dst, tcp.sport, tcp.dport), (FAR, HOST, 80, 50000));
        let packet = decode(Framing::Ethernet, again);
        let Some(Body::Tcp(tcp)) = packet.body() else { panic!("{packet:?}") };
        assert_eq!((tcp.seq, tcp.flags), (706 + (1 << 30), SYN));
        // Once is enough.
        assert!(orphans.resets(&[Link::Ip, back]).is_empty());
    }

    #[test]
    fn one_that_has_been_reset_is_none() {
        let ended = [(true, SYN, 1, 0, &b""[..]), (false, TcpFlags::RST | ACK, 0, 2, b"")];
        assert!(seen(&ended).resets(&[Link::Ip; 2]).is_empty());
        assert_eq!(seen(&ended[..1]).resets(&[Link::Ip; 2]).len(), 1);
    }
}
