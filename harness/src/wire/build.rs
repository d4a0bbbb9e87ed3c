//! The frames of the far end of a link: answers to what a kernel asks, and what a case injects.
//!
//! All of them have right lengths and checksums. A frame with a fault is one of these with bytes changed.

use std::net::{IpAddr, SocketAddr};

use etherparse::{TcpHeader, UdpHeader};

use super::TcpFlags;
pub use super::answer::{
    arp, arp_reply, arp_request, echo_reply, neighbour_advertisement, neighbour_answer,
};
use super::checksum::Ends;
pub use super::envelope::{BuildError, DEFAULT_TTL, Hop, Link, fragment, ip};
use super::envelope::{length, seal};
use super::transport::{ICMP, ICMPV6, TCP, UDP};

/// The longest ICMP error in IPv4, IP header included, in bytes (RFC 1812 §4.3.2.3).
const LONGEST_ERROR4: usize = 576;
/// The longest `ICMPv6` error, IP header included: the least MTU of IPv6, in bytes (RFC 4443 §2.4 (c)).
const LONGEST_ERROR6: usize = 1280;

/// A UDP datagram in one packet (RFC 768).
pub fn udp(
    link: Link,
    src: SocketAddr,
    dst: SocketAddr,
    hop: impl Into<Hop>,
    payload: &[u8],
) -> Result<Vec<u8>, BuildError> {
    ip(link, src.ip(), dst.ip(), hop, UDP, &udp_datagram(src, dst, payload)?)
}

/// The UDP header and payload alone, to be cut and sent with [`fragment`].
pub fn udp_datagram(
    src: SocketAddr,
    dst: SocketAddr,
    payload: &[u8],
) -> Result<Vec<u8>, BuildError> {
    let ends = Ends::new(src.ip(), dst.ip()).ok_or(BuildError::Families)?;
    let header = UdpHeader {
        source_port: src.port(),
        destination_port: dst.port(),
        length: length(payload.len() + UdpHeader::LEN)?,
        checksum: 0,
    };
    let mut datagram = [&header.to_bytes()[..], payload].concat();
    seal(ends, UDP, &mut datagram, 6);
    Ok(datagram)
}

/// The parts of a TCP segment that a case may choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segment<'a> {
    /// The control bits.
    pub flags: TcpFlags,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Window, not scaled.
    pub window: u16,
    /// Urgent pointer.
    pub urgent: u16,
    /// The options as they go on the wire: a multiple of four bytes, 40 at most.
    pub options: &'a [u8],
    /// The data.
    pub payload: &'a [u8],
}

/// A TCP segment (RFC 9293 §3.1).
pub fn tcp_segment(
    link: Link,
    src: SocketAddr,
    dst: SocketAddr,
    hop: impl Into<Hop>,
    segment: &Segment<'_>,
) -> Result<Vec<u8>, BuildError> {
    let ends = Ends::new(src.ip(), dst.ip()).ok_or(BuildError::Families)?;
    let mut header = TcpHeader::new(src.port(), dst.port(), segment.seq, segment.window);
    header.acknowledgment_number = segment.ack;
    header.urgent_pointer = segment.urgent;
    let too_odd = BuildError::Options(segment.options.len());
    if !segment.options.len().is_multiple_of(4) {
        return Err(too_odd);
    }
    header.set_options_raw(segment.options).map_err(|_| too_odd)?;
    let mut bytes = [&header.to_bytes()[..], segment.payload].concat();
    bytes[13] = segment.flags.0;
    seal(ends, TCP, &mut bytes, 16);
    ip(link, src.ip(), dst.ip(), hop, TCP, &bytes)
}

/// An ICMP or `ICMPv6` error, by the family of the addresses (RFC 792, RFC 4443 §3). `rest` is the second word of the message:
/// the MTU, a pointer, a gateway, or zero. As much of `quote` is quoted as fits in 576 bytes (RFC 1812 §4.3.2.3) or 1280
/// (RFC 4443 §2.4). The TTL is 64; a redirect's hop limit is 255 (RFC 4861 §8.1).
pub fn icmp_error(
    link: Link,
    from: IpAddr,
    to: IpAddr,
    kind: u8,
    code: u8,
    rest: u32,
    quote: &[u8],
) -> Result<Vec<u8>, BuildError> {
    let v6 = to.is_ipv6();
    let room = if v6 { LONGEST_ERROR6 - 48 } else { LONGEST_ERROR4 - 28 };
    let mut message = vec![kind, code, 0, 0];
    message.extend(rest.to_be_bytes());
    message.extend(&quote[..quote.len().min(room)]);
    let ttl = if v6 && kind == 137 { 255 } else { DEFAULT_TTL };
    icmp(link, from, to, ttl, message)
}

/// An ICMP or `ICMPv6` message whose checksum field is zero yet.
pub(super) fn icmp(
    link: Link,
    from: IpAddr,
    to: IpAddr,
    ttl: u8,
    mut message: Vec<u8>,
) -> Result<Vec<u8>, BuildError> {
    let ends = Ends::new(from, to).ok_or(BuildError::Families)?;
    let protocol = match ends {
        Ends::V4(..) => ICMP,
        Ends::V6(..) => ICMPV6,
    };
    seal(ends, protocol, &mut message, 2);
    ip(link, from, to, ttl, protocol, &message)
}

#[cfg(test)]
mod tests {
    use super::super::frames::{self, hex};
    use super::super::{Body, Framing, Icmp4, Icmp6, Mac, Net, Packet, decode, quoted};
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const ETHERNET: Link =
        Link::Ethernet { src: Mac([2, 0, 0, 0, 0, 1]), dst: Mac([2, 0, 0, 0, 0, 2]) };
    const V4: (&str, &str) = ("192.0.2.1:1000", "192.0.2.2:2000");
    const V6: (&str, &str) = ("[fe80::1]:1000", "[fe80::2]:2000");

    fn ends(v6: bool) -> (SocketAddr, SocketAddr) {
        let (src, dst) = if v6 { V6 } else { V4 };
        (src.parse().unwrap(), dst.parse().unwrap())
    }

    fn link(ethernet: bool) -> Link {
        if ethernet { ETHERNET } else { Link::Ip }
    }

    /// TTL and type of service, once all that must be right is.
    fn hop(packet: &Packet<'_>) -> Hop {
        match &packet.net {
            Net::V4(ip, _) => {
                assert!(ip.checksum_ok);
                Hop { ttl: ip.ttl, tos: ip.tos }
            }
            Net::V6(ip, _) => Hop { ttl: ip.hop_limit, tos: ip.traffic_class },
            net => panic!("{net:?}"),
        }
    }

    proptest! {
        #[test]
        fn udp_comes_back(
            (v6, ethernet, ttl, tos) in any::<(bool, bool, u8, u8)>(),
            payload in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            let (src, dst) = ends(v6);
            let frame = udp(link(ethernet), src, dst, Hop { ttl, tos }, &payload).unwrap();
            let packet = decode(link(ethernet).framing(), &frame);
            prop_assert_eq!(hop(&packet), Hop { ttl, tos });
            prop_assert_eq!(packet.addresses(), Some((src.ip(), dst.ip())));
            let Some(Body::Udp(udp)) = packet.body() else { panic!("{packet:?}") };
            prop_assert_eq!((udp.sport, udp.dport), (1000, 2000));
            prop_assert_eq!(udp.checksum_ok, Some(true));
            prop_assert_eq!((udp.payload, udp.surplus), (&payload[..], 0));
        }

        #[test]
        fn tcp_comes_back(
            (v6, ethernet, flags, seq, ack) in any::<(bool, bool, u8, u32, u32)>(),
            (window, urgent) in any::<(u16, u16)>(),
            words in 0usize..=10,
            payload in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            let (src, dst) = ends(v6);
            let flags = TcpFlags(flags);
            let options = vec![1; words * 4];
            let segment =
                Segment { flags, seq, ack, window, urgent, options: &options, payload: &payload };
            let frame = tcp_segment(link(ethernet), src, dst, 64, &segment).unwrap();
            let packet = decode(link(ethernet).framing(), &frame);
            prop_assert_eq!(hop(&packet), Hop::default());
            let Some(Body::Tcp(tcp)) = packet.body() else { panic!("{packet:?}") };
            prop_assert_eq!((tcp.sport, tcp.dport, tcp.flags), (1000, 2000, flags));
            prop_assert_eq!((tcp.seq, tcp.ack), (seq, ack));
            prop_assert_eq!((tcp.window, tcp.urgent), (window, urgent));
            prop_assert_eq!((tcp.options.len(), tcp.payload), (options.len(), &payload[..]));
            prop_assert_eq!(tcp.checksum_ok, Some(true));
        }

    }

    /// Byte for byte what the kernel sent, but for the identification.
    #[test]
    fn a_datagram_is_the_kernels() {
        let mut frame = hex(frames::UDP4);
        frame[18..20].fill(0);
        frame[24..26].fill(0);
        let (src, dst) = ("192.0.2.1:53094".parse().unwrap(), "192.0.2.2:12345".parse().unwrap());
        let mut built = udp(ETHERNET, src, dst, 64, b"hello\0").unwrap();
        built[24..26].fill(0);
        assert_eq!(built, frame);
    }

    #[test]
    fn errors_in_ipv4() {
        let quote = &hex(frames::UDP4)[14..];
        let (from, to) = ("192.0.2.9".parse().unwrap(), "192.0.2.1".parse().unwrap());
        let frame = icmp_error(ETHERNET, from, to, 3, 4, 1280, quote).unwrap();
        let packet = decode(Framing::Ethernet, &frame);
        assert_eq!(hop(&packet), Hop::default());
        let message = Icmp4::Unreachable { code: 4, mtu: Some(1280), quote };
        assert_eq!(packet.body(), Some(&Body::Icmp4 { checksum_ok: Some(true), message }));
        assert_eq!(quoted(quote).unwrap().dport, Some(12345));
    }

    #[test]
    fn errors_in_ipv6() {
        let quote = &hex(frames::UDP6)[14..];
        let (from, to) = ("fe80::9".parse().unwrap(), "fe80::1".parse().unwrap());
        let frame = icmp_error(Link::Ip, from, to, 2, 0, 1280, quote).unwrap();
        let packet = decode(Framing::Ip, &frame);
        let message = Icmp6::PacketTooBig { mtu: 1280, quote };
        assert_eq!(packet.body(), Some(&Body::Icmp6 { checksum_ok: Some(true), message }));
    }

    #[rstest]
    #[case("192.0.2.9", "192.0.2.1", 576)]
    #[case("fe80::9", "fe80::1", 1280)]
    fn errors_quote_what_fits(#[case] from: IpAddr, #[case] to: IpAddr, #[case] len: usize) {
        let frame = icmp_error(Link::Ip, from, to, 3, 1, 0, &[0x45; 2000]).unwrap();
        assert_eq!(frame.len(), len);
    }

    /// The one datagram in 65536 whose checksum comes out as zero, which would say that it has none.
    #[test]
    fn a_checksum_of_zero_is_sent_as_ones() {
        let (src, dst) = ends(false);
        let sealed = udp_datagram(src, dst, &[0, 0]).unwrap();
        let sum = [sealed[6], sealed[7]];
        assert_eq!(udp_datagram(src, dst, &sum).unwrap()[6..8], [0xff, 0xff]);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let ((four, _), (_, six)) = (ends(false), ends(true));
        assert_eq!(udp(Link::Ip, four, six, 64, &[]), Err(BuildError::Families));
        let long = vec![0; 65536];
        assert!(matches!(udp(Link::Ip, six, six, 64, &long), Err(BuildError::TooLong(_))));
        let segment = Segment { options: &[1, 1, 1], ..Segment::default() };
        let refused = tcp_segment(Link::Ip, four, four, 64, &segment);
        assert_eq!(refused, Err(BuildError::Options(3)));
        let segment = Segment { options: &[1; 44], ..Segment::default() };
        let refused = tcp_segment(Link::Ip, four, four, 64, &segment);
        assert_eq!(refused, Err(BuildError::Options(44)));
    }
}
