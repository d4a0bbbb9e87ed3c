//! What goes around a payload: the link's header and IP's, whole or in fragments.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::{
    EtherType, Ethernet2Header, IpDscp, IpEcn, IpFragOffset, IpNumber, Ipv4Header, Ipv6FlowLabel,
    Ipv6FragmentHeader, Ipv6Header,
};
use thiserror::Error;

use super::checksum::{self, Ends};
use super::decode::{ETHERTYPE_V4, ETHERTYPE_V6, FRAGMENT};
use super::transport::{ICMP, UDP};
use super::{Eth, Fragment, Framing, Mac};

/// The TTL or hop limit of what this module sends when nobody says another.
pub const DEFAULT_TTL: u8 = 64;

/// Why a frame cannot be.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum BuildError {
    /// Source and destination are of different families.
    #[error("source and destination are of different address families")]
    Families,
    /// More bytes than the length field of a header can say.
    #[error("{0} bytes are too many for the length field")]
    TooLong(usize),
    /// A fragment offset that is no multiple of eight or too far for its field.
    #[error("no fragment can start at byte {0}")]
    Offset(u32),
    /// TCP options of more than 40 bytes, or of a length that is no multiple of four.
    #[error("TCP options of {0} bytes")]
    Options(usize),
}

/// What goes before the IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// An Ethernet header.
    Ethernet {
        /// Who sends.
        src: Mac,
        /// Who shall receive.
        dst: Mac,
    },
    /// Nothing.
    Ip,
}

impl Link {
    /// How to decode what is built with this.
    pub fn framing(self) -> Framing {
        match self {
            Self::Ethernet { .. } => Framing::Ethernet,
            Self::Ip => Framing::Ip,
        }
    }

    /// The way back to the sender of a frame that had this header, or none.
    pub fn back(eth: Option<Eth>) -> Self {
        eth.map_or(Self::Ip, |eth| Self::Ethernet { src: eth.dst, dst: eth.src })
    }

    pub(super) fn header(self, ethertype: u16) -> Vec<u8> {
        match self {
            Self::Ethernet { src, dst } => Ethernet2Header {
                source: src.0,
                destination: dst.0,
                ether_type: EtherType(ethertype),
            }
            .to_bytes()
            .to_vec(),
            Self::Ip => Vec::new(),
        }
    }
}

/// The fields of an IP header that a case may choose. A TTL alone is one too: `64.into()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// TTL or hop limit.
    pub ttl: u8,
    /// Type of service or traffic class, the whole byte.
    pub tos: u8,
}

impl From<u8> for Hop {
    fn from(ttl: u8) -> Self {
        Self { ttl, tos: 0 }
    }
}

impl Default for Hop {
    fn default() -> Self {
        DEFAULT_TTL.into()
    }
}

/// Any protocol in one IP packet. The payload is sent as it is: its checksum is the caller's.
pub fn ip(
    link: Link,
    from: IpAddr,
    to: IpAddr,
    hop: impl Into<Hop>,
    protocol: u8,
    payload: &[u8],
) -> Result<Vec<u8>, BuildError> {
    packet(link, (from, to), hop.into(), (protocol, None), payload)
}

/// One fragment of a datagram: the bytes of its payload from `piece.offset` on (RFC 791 §3.2, RFC 8200 §4.5). What the
/// offsets and the bytes of several such say together is the caller's: they may overlap, or leave a hole.
pub fn fragment(
    link: Link,
    from: IpAddr,
    to: IpAddr,
    hop: impl Into<Hop>,
    protocol: u8,
    piece: Fragment,
    bytes: &[u8],
) -> Result<Vec<u8>, BuildError> {
    if !piece.offset.is_multiple_of(8) || piece.offset > 0xfff8 {
        return Err(BuildError::Offset(piece.offset));
    }
    packet(link, (from, to), hop.into(), (protocol, Some(piece)), bytes)
}

pub(super) type Carried = (u8, Option<Fragment>);

fn packet(
    link: Link,
    (from, to): (IpAddr, IpAddr),
    hop: Hop,
    carried: Carried,
    payload: &[u8],
) -> Result<Vec<u8>, BuildError> {
    // The longest header that shares the field with the payload: 20 bytes of IPv4, or 8 of IPv6's fragment header.
    length(payload.len() + Ipv4Header::MIN_LEN)?;
    match Ends::new(from, to).ok_or(BuildError::Families)? {
        Ends::V4(from, to) => Ok(v4(link, (from, to), hop, carried, payload)),
        Ends::V6(from, to) => Ok(v6(link, (from, to), hop, carried, payload)),
    }
}

fn v4(
    link: Link,
    (from, to): (Ipv4Addr, Ipv4Addr),
    hop: Hop,
    (protocol, piece): Carried,
    payload: &[u8],
) -> Vec<u8> {
    let Fragment { offset, more, id } = piece.unwrap_or_default();
    let mut header = Ipv4Header {
        dscp: IpDscp::try_new(hop.tos >> 2).unwrap_or_default(),
        ecn: IpEcn::try_new(hop.tos & 3).unwrap_or_default(),
        total_len: field(payload.len() + Ipv4Header::MIN_LEN),
        identification: u16::try_from(id & 0xffff).unwrap_or_default(),
        dont_fragment: piece.is_none(),
        more_fragments: more,
        fragment_offset: units(offset),
        time_to_live: hop.ttl,
        protocol: IpNumber(protocol),
        source: from.octets(),
        destination: to.octets(),
        ..Default::default()
    };
    header.header_checksum = header.calc_header_checksum();
    let mut frame = link.header(ETHERTYPE_V4);
    frame.extend(header.to_bytes());
    frame.extend(payload);
    frame
}

pub(super) fn v6(
    link: Link,
    (from, to): (Ipv6Addr, Ipv6Addr),
    hop: Hop,
    (protocol, piece): Carried,
    payload: &[u8],
) -> Vec<u8> {
    let next_header = IpNumber(protocol);
    let fragment = piece.map_or_else(Vec::new, |Fragment { offset, more, id }| {
        Ipv6FragmentHeader::new(next_header, units(offset), more, id).to_bytes().to_vec()
    });
    let header = Ipv6Header {
        traffic_class: hop.tos,
        flow_label: Ipv6FlowLabel::default(),
        payload_length: field(fragment.len() + payload.len()),
        next_header: if piece.is_some() { IpNumber(FRAGMENT) } else { next_header },
        hop_limit: hop.ttl,
        source: from.octets(),
        destination: to.octets(),
    };
    let mut frame = link.header(ETHERTYPE_V6);
    frame.extend(header.to_bytes());
    frame.extend(fragment);
    frame.extend(payload);
    frame
}

/// A fragment offset in the header's unit of eight bytes; `offset` has been checked.
fn units(offset: u32) -> IpFragOffset {
    u16::try_from(offset / 8).ok().and_then(|units| units.try_into().ok()).unwrap_or_default()
}

/// A length as its field has it; it has been checked.
fn field(len: usize) -> u16 {
    u16::try_from(len).unwrap_or(u16::MAX)
}

pub(super) fn length(len: usize) -> Result<u16, BuildError> {
    u16::try_from(len).map_err(|_| BuildError::TooLong(len))
}

/// Writes the checksum, two bytes at `at` that are zero yet.
pub(super) fn seal(ends: Ends, protocol: u8, bytes: &mut [u8], at: usize) {
    let sum = match protocol {
        ICMP => checksum::sum(bytes),
        _ => ends.sum(protocol, bytes),
    };
    // Zero says that a UDP datagram has none (RFC 768).
    let sum = if sum == 0 && protocol == UDP { u16::MAX } else { sum };
    bytes[at..at + 2].copy_from_slice(&sum.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::super::{Body, Net, decode};
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn ends(v6: bool) -> (IpAddr, IpAddr) {
        let (src, dst) = if v6 { ("fe80::1", "fe80::2") } else { ("192.0.2.1", "192.0.2.2") };
        (src.parse().unwrap(), dst.parse().unwrap())
    }

    proptest! {
        #[test]
        fn fragments_come_back(
            (v6, more, id) in any::<(bool, bool, u16)>(),
            units in 0u32..8192,
            bytes in prop::collection::vec(any::<u8>(), 8..50),
        ) {
            let (src, dst) = ends(v6);
            let piece = Fragment { offset: units * 8, more, id: id.into() };
            let frame = fragment(Link::Ip, src, dst, 64, 200, piece, &bytes).unwrap();
            let packet = decode(Framing::Ip, &frame);
            let (offset, is_more, found) = match &packet.net {
                Net::V4(ip, _) => (ip.fragment_offset, ip.more_fragments, u32::from(ip.id)),
                Net::V6(ip, _) => ip.fragment.map(|f| (f.offset, f.more, f.id)).unwrap(),
                net => panic!("{net:?}"),
            };
            prop_assert_eq!(Fragment { offset, more: is_more, id: found }, piece);
            let expected = match offset {
                0 => Body::Other { protocol: 200, bytes: &bytes },
                _ => Body::Fragment(&bytes),
            };
            prop_assert_eq!(packet.body(), Some(&expected));
        }
    }

    #[rstest]
    #[case(false, 4)]
    #[case(true, 65536)]
    fn a_fragment_starts_at_a_multiple_of_eight(#[case] v6: bool, #[case] offset: u32) {
        let (src, dst) = ends(v6);
        let piece = Fragment { offset, ..Fragment::default() };
        let refused = fragment(Link::Ip, src, dst, 64, 17, piece, &[]);
        assert_eq!(refused, Err(BuildError::Offset(offset)));
    }

    #[test]
    fn families_do_not_mix() {
        let ((four, _), (six, _)) = (ends(false), ends(true));
        assert_eq!(ip(Link::Ip, four, six, 64, 17, &[]), Err(BuildError::Families));
    }

    #[rstest]
    #[case(false)]
    #[case(true)]
    fn the_longest_packet(#[case] v6: bool) {
        let (src, dst) = ends(v6);
        let packet = |len| ip(Link::Ip, src, dst, 64, 200, &vec![0; len]);
        let whole = packet(65515).unwrap();
        let found = decode(Framing::Ip, &whole);
        assert_eq!(found.body(), Some(&Body::Other { protocol: 200, bytes: &vec![0; 65515] }));
        assert_eq!(packet(65516), Err(BuildError::TooLong(65536)));
    }
}
