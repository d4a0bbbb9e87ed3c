//! The packets that left, put together again from their fragments, and which send each belongs to.

use std::net::IpAddr;
use std::ops::Range;

use harness::case::Os;

use super::acts::{Act, Kind};
use super::loopback::is_for_many;
use super::view::View;

const UDP: u8 = 17;
const ICMPV6: u8 = 58;

/// An IP packet that the host sent.
pub(super) struct Datagram<'a> {
    /// The step during which it left: its first piece.
    pub(super) op: u32,
    pub(super) link: &'a str,
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    pub(super) protocol: u8,
    /// What follows the IP header, up to the first hole.
    pub(super) bytes: Vec<u8>,
    /// Whether all of it left.
    pub(super) whole: bool,
    /// Its first piece, by its place among the view's frames.
    pub(super) frame: usize,
    /// Whether it is the host's own copy of one that left by a link: see [`super::loopback`].
    pub(super) copy: bool,
    id: u32,
    pieces: Vec<(u32, bool, &'a [u8])>,
}

impl<'a> Datagram<'a> {
    fn add(&mut self, offset: u32, more: bool, bytes: &'a [u8]) {
        self.pieces.push((offset, more, bytes));
        self.pieces.sort_by_key(|(offset, ..)| *offset);
        self.bytes.clear();
        self.whole = false;
        for (offset, more, piece) in &self.pieces {
            let overlap = self.bytes.len().checked_sub(*offset as usize);
            let Some(overlap) = overlap else { return };
            self.bytes.extend(piece.get(overlap..).unwrap_or_default());
            self.whole |= !more;
        }
    }

    /// How many pieces of it left.
    pub(super) fn pieces(&self) -> usize {
        self.pieces.len()
    }

    /// Whether two of its pieces have a byte in common.
    pub(super) fn overlaps(&self) -> bool {
        self.pieces.windows(2).any(|two| two[0].0 as usize + two[0].2.len() > two[1].0 as usize)
    }

    /// Source port, destination port and payload of UDP.
    fn udp(&self) -> Option<(u16, &[u8])> {
        match &self.bytes[..] {
            [_, _, high, low, _, _, _, _, payload @ ..] if self.protocol == UDP => {
                Some((u16::from_be_bytes([*high, *low]), payload))
            }
            _ => None,
        }
    }

    /// Whether it carries the same as `other`: their checksums may be another, since who computes
    /// that last is an interface's own affair.
    fn is_like(&self, other: &Self) -> bool {
        let checksum = match self.protocol {
            UDP => 6..8,
            ICMPV6 => 2..4,
            _ => 0..0,
        };
        let mut pairs = self.bytes.iter().zip(&other.bytes).enumerate();
        (self.dst, self.protocol, self.whole) == (other.dst, other.protocol, other.whole)
            && self.bytes.len() == other.bytes.len()
            && pairs.all(|(i, (a, b))| a == b || checksum.contains(&i))
    }

    /// Whether it goes where `act` sends, over the protocol of its socket.
    pub(super) fn is_for(&self, act: &Act<'_>) -> bool {
        let protocol = match act.kind {
            Kind::Udp => self.udp().is_some_and(|(dport, _)| {
                act.dest.and_then(|d| d.addr.port()).is_none_or(|port| port == dport)
            }),
            Kind::Ping => matches!(self.protocol, 1 | 58),
            Kind::Raw { .. } => true,
            Kind::Tcp => false,
        };
        protocol && act.dest.is_none_or(|dest| dest.is(self.dst))
    }

    /// Whether it is what `act` sends: all of the payload, where it is to go.
    pub(super) fn carries(&self, act: &Act<'_>) -> bool {
        if self.is_as_written(act) {
            return true;
        }
        if !self.whole {
            return false;
        }
        match act.kind {
            Kind::Udp => {
                self.is_for(act) && self.udp().is_some_and(|(_, sent)| same(act, sent, 0..0))
            }
            // The identifier and the checksum are the kernel's.
            Kind::Ping => self.is_for(act) && same(act, &self.bytes, 2..6),
            // The checksum of ICMPv6 is the kernel's, and where `IPV6_CHECKSUM` says that it is one.
            Kind::Raw { v6 } => {
                let unknown = match act.checksum {
                    Some(at) => at..at + 2,
                    None if v6 => 2..4,
                    None => 0..0,
                };
                let own_header = || behind_header(&act.bytes).is_some_and(|b| self.bytes == b);
                (self.is_for(act) && same(act, &self.bytes, unknown)) || own_header()
            }
            Kind::Tcp => false,
        }
    }
}

impl Datagram<'_> {
    /// Whether it is one fragment that the program wrote itself as one (`IP_HDRINCL`): the rest of the
    /// packet is nobody's to send. Which byte order the system reads `ip_off` in is its own affair.
    fn is_as_written(&self, act: &Act<'_>) -> bool {
        let ([(offset, more, piece)], Kind::Raw { v6: false }) = (&self.pieces[..], act.kind)
        else {
            return false;
        };
        let (Some(&[high, low]), Some(behind)) = (act.bytes.get(6..8), behind_header(&act.bytes))
        else {
            return false;
        };
        let says = |off: u16| {
            let (at, goes_on) = (u32::from(off & 0x1fff) * 8, off & 0x2000 != 0);
            (at > 0 || goes_on) && (at, goes_on) == (*offset, *more)
        };
        let orders = [[high, low], [low, high]].map(u16::from_be_bytes);
        orders.into_iter().any(says) && *piece == behind
    }
}

/// Whether `sent` is what `act` was given, but for the bytes that the kernel writes.
fn same(act: &Act<'_>, sent: &[u8], kernels: Range<usize>) -> bool {
    let before = if act.doubtful { sent.len().saturating_sub(act.bytes.len()) } else { 0 };
    let sent = &sent[before..];
    let mut pairs = sent.iter().zip(&act.bytes).enumerate();
    sent.len() == act.bytes.len() && pairs.all(|(i, (a, b))| a == b || kernels.contains(&i))
}

/// What follows the IP header of a packet that the program wrote itself (`IP_HDRINCL`).
fn behind_header(bytes: &[u8]) -> Option<&[u8]> {
    let first = *bytes.first()?;
    match first >> 4 {
        4 => bytes.get(usize::from(first & 0xf) * 4..),
        6 => bytes.get(40..),
        _ => None,
    }
}

/// The IP packets that the host sent, in order.
pub(super) fn datagrams<'a>(view: &View<'a>, os: Os) -> Vec<Datagram<'a>> {
    let mut list = sent(view);
    if os == Os::Macos {
        mark_copies(view, &mut list);
    }
    list
}

/// Marks what Darwin gave to `lo0` besides: each copy has an original of its own.
fn mark_copies(view: &View<'_>, list: &mut [Datagram<'_>]) {
    let mut originals = Vec::new();
    for at in 0..list.len() {
        if list[at].link != "lo" || !is_for_many(view, list[at].dst) {
            continue;
        }
        let original = (0..list.len()).find(|other| {
            list[*other].link != "lo"
                && !originals.contains(other)
                && list[*other].is_like(&list[at])
        });
        if let Some(original) = original {
            originals.push(original);
            list[at].copy = true;
        }
    }
}

fn sent<'a>(view: &View<'a>) -> Vec<Datagram<'a>> {
    let mut list: Vec<Datagram<'a>> = Vec::new();
    for (frame, seen) in view.frames.iter().enumerate() {
        let (Some((src, dst)), Some(protocol)) = (seen.packet.addresses(), seen.protocol()) else {
            continue;
        };
        if seen.dir != harness::trace::Direction::Out {
            continue;
        }
        let part = seen.fragment();
        let begun = list.iter_mut().rev().find(|d| {
            !d.whole
                && (d.link, d.src, d.dst, d.id) == (seen.link, src, dst, part.id)
                && d.protocol == protocol
        });
        if let Some(begun) = begun.filter(|_| part.more || part.offset > 0) {
            begun.add(part.offset, part.more, seen.body);
            continue;
        }
        let (op, link, id) = (seen.op, seen.link, part.id);
        let (bytes, whole, pieces, copy) = (Vec::new(), false, Vec::new(), false);
        let mut datagram =
            Datagram { op, link, src, dst, protocol, bytes, whole, frame, copy, id, pieces };
        datagram.add(part.offset, part.more, seen.body);
        list.push(datagram);
    }
    list
}

/// Which act each datagram belongs to, by its place in the list of acts.
///
/// A copy is nobody's: what was sent is its original. A datagram belongs to one send at most, so two equal sends need two of them. The last send
/// takes first, since the fewest are left for it: then if one of two equal sends was lost, the one
/// without a datagram of its own step is the one that goes empty-handed.
pub(super) fn claims(acts: &[Act<'_>], datagrams: &[Datagram<'_>]) -> Vec<Option<usize>> {
    let mut of = vec![None; datagrams.len()];
    for (index, act) in acts.iter().enumerate().rev().filter(|(_, act)| act.ok && !act.connects) {
        let mut free = (0..datagrams.len())
            .filter(|d| of[*d].is_none() && !datagrams[*d].copy && datagrams[*d].op >= act.op)
            .collect::<Vec<_>>();
        if let Some(found) = free.iter().find(|d| datagrams[**d].carries(act)) {
            of[*found] = Some(index);
        } else if act.segments {
            free.retain(|d| datagrams[*d].is_for(act) && datagrams[*d].whole);
            for taken in in_segments(&act.bytes, &free, datagrams) {
                of[taken] = Some(index);
            }
        }
    }
    of
}

/// Those datagrams whose payloads make `bytes`, one after the other; none if they do not.
fn in_segments(bytes: &[u8], free: &[usize], datagrams: &[Datagram<'_>]) -> Vec<usize> {
    let (mut rest, mut taken) = (bytes, Vec::new());
    for index in free {
        let Some((_, payload)) = datagrams[*index].udp() else { continue };
        if let Some(after) = rest.strip_prefix(payload).filter(|_| !payload.is_empty()) {
            rest = after;
            taken.push(*index);
        }
    }
    if rest.is_empty() { taken } else { Vec::new() }
}
