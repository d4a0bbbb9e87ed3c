//! Far ends that send by words: what a frame quotes and answers is what the host has sent.
//!
//! No kernel is asked here: what the host sends is shown to it, and what it makes is injected.

use std::net::{IpAddr, SocketAddr};

use crate::case::Case;
use crate::case::far::{Base, Datagram, Error, FIRST, Frame, Lie, Segment};
use crate::trace::Direction;
use crate::wire::build::{self, DEFAULT_TTL, Hop};
use crate::wire::{
    Body, Eth, Field, Fragment, Framing, Icmp6, Mac, Packet, Tcp, TcpFlags, TcpOption, chatter,
    decode, forge, quoted, spoil,
};

/// UDP's protocol number.
const UDP: u8 = 17;

/// A link as a far end knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link<'l> {
    /// The case's name for it.
    pub name: &'l str,
    /// How its frames are laid out.
    pub framing: Framing,
    /// The host's hardware address there, where there are any.
    pub own: [u8; 6],
}

/// What far ends have seen.
#[derive(Default)]
pub(super) struct FarEnds {
    links: Vec<Heard>,
    connections: Vec<Connection>,
}

/// What the host has sent on a link.
struct Heard {
    link: String,
    framing: Framing,
    /// The last frame of which an error can tell.
    last: Option<Vec<u8>>,
    /// The last TCP segment's connection, and the Ethernet header that it had.
    segment: Option<(Ends, Option<Eth>)>,
}

/// The two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ends {
    far: SocketAddr,
    host: SocketAddr,
}

/// A connection as its far end knows it.
struct Connection {
    link: String,
    ends: Ends,
    /// The sequence number of our next byte.
    next: u32,
    /// Behind the last byte that was ever sent.
    most: u32,
    /// The host's first sequence number, and that of the byte behind its last one.
    host: Option<(u32, u32)>,
    /// The last time that the host's clock told (RFC 7323 §3); zero before.
    time: u32,
}

fn is_behind(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() > 0
}

/// How much of the sequence a segment takes (RFC 9293 §3.4).
fn taken(flags: TcpFlags, data: usize) -> u32 {
    let flag = |flag| u32::from(flags.has(flag));
    let data = u32::try_from(data).unwrap_or(u32::MAX);
    flag(TcpFlags::SYN) + flag(TcpFlags::FIN) + data
}

impl Connection {
    fn new(link: &str, ends: Ends) -> Self {
        Self { link: link.to_owned(), ends, next: FIRST, most: FIRST, host: None, time: 0 }
    }

    fn heard(&mut self, tcp: &Tcp<'_>) {
        let is_other = |(first, _)| tcp.flags.has(TcpFlags::SYN) && first != tcp.seq;
        if self.host.is_some_and(is_other) {
            // A SYN that answers ours is of the connection that we have begun: only the host's numbers are new.
            if !tcp.flags.has(TcpFlags::ACK) {
                *self = Self::new(&self.link, self.ends);
            }
            self.host = None;
        }
        let time = tcp.options.iter().find_map(|option| match option {
            TcpOption::Timestamps { value, .. } => Some(*value),
            _ => None,
        });
        let before = if tcp.flags.has(TcpFlags::SYN) { 0 } else { self.time };
        self.time = time.unwrap_or(before);
        // RFC 9293 §3.10.7.1: a reset of nothing says no number of the host's.
        if self.host.is_none() && tcp.flags.has(TcpFlags::RST) {
            return;
        }
        let end = tcp.seq.wrapping_add(taken(tcp.flags, tcp.payload.len()));
        let (first, last) = self.host.unwrap_or((tcp.seq, end));
        self.host = Some((first, if is_behind(end, last) { end } else { last }));
        // What was sent out of order has arrived, too.
        let has = tcp.flags.has(TcpFlags::ACK) && is_behind(tcp.ack, self.next);
        if has && !is_behind(tcp.ack, self.most) {
            self.next = tcp.ack;
        }
    }
}

impl FarEnds {
    /// Before the first step.
    pub(super) fn of(case: &Case) -> Self {
        let mut links: Vec<Heard> = Vec::new();
        for (link, _) in case.said() {
            if links.iter().all(|heard| heard.link != link) {
                let (framing, link) = (super::framing(case, link), link.to_owned());
                links.push(Heard { link, framing, last: None, segment: None });
            }
        }
        Self { links, connections: Vec::new() }
    }

    /// A frame has passed on a link.
    pub(super) fn saw(&mut self, link: &str, dir: Direction, frame: &[u8]) {
        let heard = self.links.iter_mut().find(|heard| heard.link == link);
        let Some(heard) = heard.filter(|_| dir == Direction::Out) else { return };
        let packet = decode(heard.framing, frame);
        if can_be_quoted(&packet) {
            heard.last = Some(frame.to_vec());
        }
        if let (Some((src, dst)), Some(Body::Tcp(tcp))) = (packet.addresses(), packet.body()) {
            let (host, far) = (SocketAddr::new(src, tcp.sport), SocketAddr::new(dst, tcp.dport));
            let ends = Ends { far, host };
            heard.segment = Some((ends, packet.eth));
            self.connection(link, ends).heard(tcp);
        }
    }

    fn connection(&mut self, link: &str, ends: Ends) -> &mut Connection {
        let known = self.connections.iter().position(|one| one.link == link && one.ends == ends);
        let at = known.unwrap_or_else(|| {
            self.connections.push(Connection::new(link, ends));
            self.connections.len() - 1
        });
        &mut self.connections[at]
    }

    /// The bytes of a frame. `from` and `ends` are the addresses that the case names for it.
    ///
    /// # Errors
    /// One sentence: there is nothing that it could quote or answer, or no such frame.
    pub(super) fn make(
        &mut self,
        link: &Link<'_>,
        frame: &Frame,
        from: Option<IpAddr>,
        ends: Option<(SocketAddr, SocketAddr)>,
    ) -> Result<Vec<u8>, String> {
        match (frame, ends) {
            (Frame::Error(error), _) => {
                let heard = self.links.iter().find(|heard| heard.link == link.name);
                let last = heard.and_then(|heard| heard.last.as_ref());
                let last = last.ok_or("the host has sent no packet there that it could quote")?;
                error_about(last, link.framing, error, from)
            }
            (Frame::Datagram(datagram), Some((from, to))) => sent(link, datagram, from, to),
            (Frame::Datagram(_), None) => Err("from where to where is not said".to_owned()),
            (Frame::Segment(segment), ends) => self.segment(link, segment, ends),
        }
    }

    fn segment(
        &mut self,
        link: &Link<'_>,
        what: &Segment,
        ends: Option<(SocketAddr, SocketAddr)>,
    ) -> Result<Vec<u8>, String> {
        let heard = self.links.iter().find(|heard| heard.link == link.name);
        let (ends, back) = if let Some((far, host)) = ends {
            (Ends { far, host }, link.to(far.ip(), host.ip()))
        } else {
            let segment = heard.and_then(|heard| heard.segment);
            let (ends, eth) =
                segment.ok_or("the host has sent no TCP segment there that it could answer")?;
            (ends, build::Link::back(eth))
        };
        let flags: TcpFlags =
            what.flags.parse().map_err(|()| format!("{:?} are no control bits", what.flags))?;
        let connection = self.connection(link.name, ends);
        let seq = connection.next.wrapping_add_signed(what.seq);
        let right = connection.host.map_or(0, |(_, last)| last);
        let acknowledges = flags.has(TcpFlags::ACK) || what.ack != 0;
        let ack = if acknowledges { right.wrapping_add_signed(what.ack) } else { 0 };
        let (first, time) = (connection.host.map_or(0, |(first, _)| first), connection.time);
        let options = what.laid().with(|base| if base == Base::Echo { time } else { first });
        let data = what.data.bytes();
        let segment = build::Segment {
            flags,
            seq,
            ack,
            window: what.window,
            urgent: 0,
            options: &options,
            payload: &data,
        };
        let hop = Hop { ttl: DEFAULT_TTL, tos: what.tos.unwrap_or(0) };
        let frame = build::tcp_segment(back, ends.far, ends.host, hop, &segment);
        let mut frame = frame.map_err(|e| e.to_string())?;
        if what.checksum_wrong {
            spoil(link.framing, &mut frame);
        }
        let end = seq.wrapping_add(taken(flags, data.len()));
        if what.seq == 0 {
            connection.next = end;
        }
        if is_behind(end, connection.most) {
            connection.most = end;
        }
        Ok(frame)
    }
}

impl Link<'_> {
    /// The header of a frame to the host, or to a group that it may be in. Who sends has the hardware
    /// address of the neighbour.
    fn to(&self, from: IpAddr, to: IpAddr) -> build::Link {
        if self.framing == Framing::Ip {
            return build::Link::Ip;
        }
        debug_assert_eq!(from.is_ipv4(), to.is_ipv4());
        let mut src = self.own;
        src[5] = crate::case::addr::Role::Neighbour as u8;
        let dst = match to {
            // RFC 894: all bits are ones. The directed one is that of the address plan's networks.
            IpAddr::V4(ip) if ip.octets()[3] == 255 => Mac([0xff; 6]),
            to => Mac::of_group(to).unwrap_or(Mac(self.own)),
        };
        build::Link::Ethernet { src: Mac(src), dst }
    }
}

/// Whether an error may be sent about a packet: no error, nothing that the kernel says of its own accord or
/// to find a neighbour, no fragment but the first (RFC 1122 §3.2.2, RFC 4443 §2.4 (e)).
fn can_be_quoted(packet: &Packet<'_>) -> bool {
    let neighbours = |message: &Icmp6<'_>| {
        matches!(
            message,
            Icmp6::NeighbourSolicitation { .. }
                | Icmp6::NeighbourAdvertisement { .. }
                | Icmp6::RouterSolicitation { .. }
        )
    };
    packet.addresses().is_some()
        && chatter(packet).is_none()
        && match packet.body() {
            None | Some(Body::Fragment(_)) => false,
            Some(Body::Icmp6 { message, .. }) if neighbours(message) => false,
            Some(body) => body.quote().is_none(),
        }
}

/// A group or a broadcast address, from which no host sends (RFC 1122 §3.2.1.3).
fn is_of_many(ip: IpAddr) -> bool {
    ip.is_multicast() || matches!(ip, IpAddr::V4(ip) if ip.octets()[3] == 255)
}

/// An ICMP error about a frame that the host has sent.
fn error_about(
    frame: &[u8],
    framing: Framing,
    error: &Error,
    from: Option<IpAddr>,
) -> Result<Vec<u8>, String> {
    let eth = decode(framing, frame).eth;
    let mut quote = frame[if eth.is_some() { 14 } else { 0 }..].to_vec();
    let packet = quoted(&quote).ok_or("the host's last packet cannot be quoted")?;
    let v6 = packet.src.is_ipv6();
    let what = error.kind.name();
    if error.v6 && !v6 {
        return Err("the host's last packet is one of IPv4, about which ICMPv6 says nothing".into());
    }
    let of = if v6 { "ICMPv6" } else { "ICMP" };
    let (kind, code) = error.kind.number(v6).ok_or_else(|| format!("{of} has no {what}"))?;
    let rest = error.second_word(v6)?;
    let mut checksum_wrong = false;
    for lie in &error.lies {
        let field = match lie {
            Lie::SourcePort => Field::SourcePort,
            Lie::DestinationPort => Field::DestinationPort,
            Lie::Source => Field::Source,
            Lie::Destination => Field::Destination,
            Lie::SequenceNumber => Field::Sequence,
            Lie::Checksum => {
                checksum_wrong = true;
                continue;
            }
            Lie::Cut(_) => continue,
        };
        if !forge(&mut quote, field) {
            return Err(format!("the packet that it quotes has nothing of which is said: {lie}"));
        }
    }
    // Last: what is cut off is not there to be changed.
    for lie in &error.lies {
        if let Lie::Cut(bytes) = lie {
            if usize::from(*bytes) >= quote.len() {
                return Err(format!(
                    "the packet has {} bytes: nothing of it is {lie}",
                    quote.len()
                ));
            }
            quote.truncate((*bytes).into());
        }
    }
    let to = packet.dst;
    // RFC 1122 §3.2.2; RFC 4443 §2.4 (e.3), with what it excepts: the MTU and an option.
    let excepted = [(2, 0), (4, 2)];
    if is_of_many(to) && !(v6 && excepted.contains(&(kind, code))) {
        let clause = if v6 { "RFC 4443 §2.4 (e.3)" } else { "RFC 1122 §3.2.2" };
        return Err(format!(
            "the host's last packet was for {to}, about which nobody sends {what} ({clause})"
        ));
    }
    if from.is_none() && is_of_many(to) {
        return Err(format!(
            "the host's last packet was for {to}, which nobody sends from: say from whom"
        ));
    }
    let from = from.unwrap_or(to);
    if is_of_many(from) || from.is_unspecified() {
        return Err(format!("nobody sends from {from}: it is no host's address"));
    }
    let back = build::Link::back(eth);
    let mut made = build::icmp_error(back, from, packet.src, kind, code, rest, &quote)
        .map_err(|e| e.to_string())?;
    if checksum_wrong {
        spoil(framing, &mut made);
    }
    Ok(made)
}

/// A datagram.
fn sent(
    link: &Link<'_>,
    what: &Datagram,
    from: SocketAddr,
    to: SocketAddr,
) -> Result<Vec<u8>, String> {
    let datagram = build::udp_datagram(from, to, &what.data.bytes());
    let datagram = datagram.map_err(|e| e.to_string())?;
    let hop = Hop { ttl: what.ttl.unwrap_or(DEFAULT_TTL), tos: what.tos.unwrap_or(0) };
    let (header, from, to) = (link.to(from.ip(), to.ip()), from.ip(), to.ip());
    let frame = if from.is_ipv4() && !what.dont_fragment {
        // All of it is one fragment: DF is clear.
        build::fragment(header, from, to, hop, UDP, Fragment::default(), &datagram)
    } else {
        build::ip(header, from, to, hop, UDP, &datagram)
    };
    let mut frame = frame.map_err(|e| e.to_string())?;
    if what.checksum_wrong {
        spoil(link.framing, &mut frame);
    }
    Ok(frame)
}

#[cfg(test)]
mod tests;
