//! Frames with a fault: everything else of them is right.

use super::bytes::{be16, be32};
use super::quote::{behind_extensions, quoted};
use super::{Framing, mend};

/// A field of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The port of the sender.
    SourcePort,
    /// The port of the receiver.
    DestinationPort,
    /// The address of the sender.
    Source,
    /// The address of the receiver.
    Destination,
    /// The sequence number of a TCP segment.
    Sequence,
}

/// Where what an IP packet carries begins, and its protocol; none of a later fragment.
fn carried(packet: &[u8]) -> Option<(usize, u8)> {
    let protocol = quoted(packet)?.protocol;
    match packet.first()? >> 4 {
        4 if be16(packet, 6)? << 3 == 0 => Some((usize::from(packet[0] & 15) * 4, protocol)),
        6 => {
            let (_, rest) = behind_extensions(*packet.get(6)?, packet.get(40..)?);
            (!rest.is_empty()).then_some((packet.len() - rest.len(), protocol))
        }
        _ => None,
    }
}

/// Gives one field of an IP packet another value, far from the right one and always the same, and makes the
/// checksums right. False if the packet has no such field: then it is as it was.
pub fn forge(packet: &mut [u8], field: Field) -> bool {
    let forged = forged(packet, field).is_some();
    if forged {
        mend(Framing::Ip, packet);
    }
    forged
}

fn forged(packet: &mut [u8], field: Field) -> Option<()> {
    let is_v4 = packet.first()? >> 4 == 4;
    let ports = || {
        let (at, protocol) = carried(packet)?;
        // TCP and UDP, SCTP, UDP-Lite, DCCP.
        matches!(protocol, 6 | 17 | 33 | 132 | 136).then_some(at)
    };
    let (at, bit) = match field {
        // Another host of the same network.
        Field::Source => (if is_v4 { 15 } else { 23 }, 0x80),
        Field::Destination => (if is_v4 { 19 } else { 39 }, 0x80),
        // An ephemeral port stays one.
        Field::SourcePort => (ports()?, 0x40),
        Field::DestinationPort => (ports()? + 2, 0x40),
        Field::Sequence => {
            let (at, protocol) = carried(packet)?;
            be32(packet, at + 4).filter(|_| protocol == 6)?;
            (at + 4, 0x80)
        }
    };
    *packet.get_mut(at)? ^= bit;
    Some(())
}

/// Makes the checksum of what a frame carries wrong: of UDP, TCP, ICMP. False if it has none.
pub fn spoil(framing: Framing, frame: &mut [u8]) -> bool {
    let before = if framing == Framing::Ip { 0 } else { 14 };
    let Some(packet) = frame.get_mut(before..) else { return false };
    let at = carried(packet).and_then(|(at, protocol)| match protocol {
        1 | 58 => Some(at + 2),
        6 => Some(at + 16),
        17 => Some(at + 6),
        _ => None,
    });
    let Some(field) = at.and_then(|at| packet.get_mut(at..at + 2)) else { return false };
    let right = u16::from_be_bytes([field[0], field[1]]);
    // Not zero, which says of a UDP datagram that it has none (RFC 768), nor the other zero.
    let wrong = if matches!(right ^ 0x5555, 0 | 0xffff) { 0x1111 } else { right ^ 0x5555 };
    field.copy_from_slice(&wrong.to_be_bytes());
    true
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::frames::{self, hex};
    use super::super::{Body, Net, decode};
    use super::*;

    /// Everything of the frame is as it was but for the one field, and its checksums are right.
    #[rstest]
    #[case(frames::UDP4, Field::SourcePort, Some("sport"))]
    #[case(frames::UDP4, Field::DestinationPort, Some("dport"))]
    #[case(frames::UDP4, Field::Source, Some("src"))]
    #[case(frames::UDP4, Field::Destination, Some("dst"))]
    #[case(frames::UDP4, Field::Sequence, None)]
    #[case(frames::UDP6, Field::SourcePort, Some("sport"))]
    #[case(frames::UDP6, Field::DestinationPort, Some("dport"))]
    #[case(frames::UDP6, Field::Source, Some("src"))]
    #[case(frames::UDP6, Field::Destination, Some("dst"))]
    #[case(frames::SYN, Field::SourcePort, Some("sport"))]
    #[case(frames::SYN, Field::Sequence, Some("seq"))]
    #[case(frames::FRAG4_LAST, Field::SourcePort, None)]
    #[case(frames::SOLICITATION, Field::SourcePort, None)]
    fn one_field_is_another(
        #[case] frame: &str,
        #[case] field: Field,
        #[case] other: Option<&str>,
    ) {
        let frame = hex(frame);
        let mut forged = frame[14..].to_vec();
        assert_eq!(forge(&mut forged, field), other.is_some());
        let fields = |packet: &[u8]| {
            let packet = decode(Framing::Ip, packet);
            let (src, dst) = packet.addresses().expect("IP");
            if let Net::V4(ip, _) = &packet.net {
                assert!(ip.checksum_ok);
            }
            let (sport, dport, seq) = match packet.body() {
                Some(Body::Udp(udp)) => {
                    assert_eq!(udp.checksum_ok, Some(true));
                    (udp.sport, udp.dport, 0)
                }
                Some(Body::Tcp(tcp)) => {
                    assert_eq!(tcp.checksum_ok, Some(true));
                    (tcp.sport, tcp.dport, tcp.seq)
                }
                _ => (0, 0, 0),
            };
            [
                ("src", src.to_string()),
                ("dst", dst.to_string()),
                ("sport", sport.to_string()),
                ("dport", dport.to_string()),
                ("seq", seq.to_string()),
            ]
        };
        let (before, after) = (fields(&frame[14..]), fields(&forged));
        let differ = before.iter().zip(&after).filter(|(a, b)| a != b).map(|(a, _)| a.0);
        assert_eq!(differ.collect::<Vec<_>>(), other.into_iter().collect::<Vec<_>>());
    }

    #[rstest]
    #[case(frames::UDP4)]
    #[case(frames::UDP6)]
    #[case(frames::SYN)]
    #[case(frames::UNREACHABLE4)]
    #[case(frames::UNREACHABLE6)]
    fn a_spoilt_checksum_is_not_right(#[case] frame: &str) {
        let mut frame = hex(frame);
        let right = frame.clone();
        assert!(spoil(Framing::Ethernet, &mut frame));
        let sum = match decode(Framing::Ethernet, &frame).body() {
            Some(Body::Udp(udp)) => udp.checksum_ok,
            Some(Body::Tcp(tcp)) => tcp.checksum_ok,
            Some(Body::Icmp4 { checksum_ok, .. } | Body::Icmp6 { checksum_ok, .. }) => *checksum_ok,
            other => panic!("{other:?}"),
        };
        assert_eq!(sum, Some(false));
        mend(Framing::Ethernet, &mut frame);
        assert_eq!(frame, right);
    }

    #[test]
    fn cut_bytes_do_no_harm() {
        for frame in frames::ALL {
            let frame = hex(frame);
            for len in 0..frame.len() {
                let _ = spoil(Framing::Ethernet, &mut frame[..len].to_vec());
                for field in [Field::SourcePort, Field::Destination, Field::Sequence] {
                    let _ = forge(&mut frame[14.min(len)..len].to_vec(), field);
                }
            }
        }
    }
}
