//! The packet that an ICMP error quotes.

use std::net::IpAddr;

use super::bytes::{be16, rest, v4, v6};
use super::decode::{DESTINATION_OPTIONS, FRAGMENT, HOP_BY_HOP, ROUTING};

/// What the start of a packet tells, however short it was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Source.
    pub src: IpAddr,
    /// Destination.
    pub dst: IpAddr,
    /// Protocol number, behind IPv6's extension headers as far as they are quoted.
    pub protocol: u8,
    /// Source port; `None` when not quoted, in a later fragment, and in a protocol that has none.
    pub sport: Option<u16>,
    /// Destination port; `None` as above.
    pub dport: Option<u16>,
}

/// Reads the packet that an ICMP error quotes. Neither lengths nor checksums count: routers cut the packet (RFC 792 asks for
/// its header and 8 bytes) and some change its fields. `None` without a whole IP header.
pub fn quoted(bytes: &[u8]) -> Option<Quote> {
    let (src, dst, protocol, body) = match bytes.first()? >> 4 {
        4 => {
            let header_len = usize::from(bytes[0] & 0x0f).max(5) * 4;
            let first = be16(bytes, 6)? << 3 == 0;
            let body = if first { rest(bytes, header_len) } else { &[] };
            (v4(bytes, 12)?.into(), v4(bytes, 16)?.into(), bytes[9], body)
        }
        6 => {
            let (protocol, body) = behind_extensions(*bytes.get(6)?, rest(bytes, 40));
            (v6(bytes, 8)?.into(), v6(bytes, 24)?.into(), protocol, body)
        }
        _ => return None,
    };
    // TCP, UDP, DCCP, SCTP and UDP-Lite start with two ports.
    let has_ports = matches!(protocol, 6 | 17 | 33 | 132 | 136);
    let port = |at| be16(body, at).filter(|_| has_ports);
    Some(Quote { src, dst, protocol, sport: port(0), dport: port(2) })
}

pub(super) fn behind_extensions(mut next: u8, mut bytes: &[u8]) -> (u8, &[u8]) {
    while let HOP_BY_HOP | ROUTING | FRAGMENT | DESTINATION_OPTIONS = next {
        let &[after, units, offset_high, offset_low, ..] = bytes else { break };
        let is_fragment = next == FRAGMENT;
        next = after;
        if is_fragment && u16::from_be_bytes([offset_high, offset_low]) >> 3 != 0 {
            return (next, &[]);
        }
        bytes = rest(bytes, if is_fragment { 8 } else { (usize::from(units) + 1) * 8 });
    }
    (next, bytes)
}

#[cfg(test)]
mod tests {
    use super::super::frames::{self, hex};
    use super::*;
    use rstest::rstest;

    fn quote(src: &str, dst: &str, ports: Option<(u16, u16)>) -> Quote {
        let (sport, dport) = ports.unzip();
        Quote { src: src.parse().unwrap(), dst: dst.parse().unwrap(), protocol: 17, sport, dport }
    }

    const V4: (&str, &str) = ("192.0.2.1", "192.0.2.2");
    const V6: (&str, &str) = ("2001:db8::1", "2001:db8::2");

    #[rstest]
    #[case::whole(frames::UDP4, 34, Some(quote(V4.0, V4.1, Some((53094, 12345)))))]
    #[case::eight_bytes(frames::UDP4, 28, Some(quote(V4.0, V4.1, Some((53094, 12345)))))]
    #[case::header_only(frames::UDP4, 20, Some(quote(V4.0, V4.1, None)))]
    #[case::less(frames::UDP4, 19, None)]
    #[case::first_fragment(frames::FRAG4_FIRST, 28, Some(quote(V4.0, V4.1, Some((53094, 12345)))))]
    #[case::later_fragment(frames::FRAG4_LAST, 60, Some(quote(V4.0, V4.1, None)))]
    #[case::v6(frames::UDP6, 48, Some(quote(V6.0, V6.1, Some((33032, 12345)))))]
    #[case::v6_less(frames::UDP6, 39, None)]
    #[case::v6_first_fragment(frames::FRAG6_FIRST, 56, Some(quote(V6.0, V6.1, Some((33032, 12345)))))]
    #[case::v6_later_fragment(frames::FRAG6_LAST, 56, Some(quote(V6.0, V6.1, None)))]
    fn as_much_as_is_quoted(
        #[case] frame: &str,
        #[case] len: usize,
        #[case] expected: Option<Quote>,
    ) {
        let frame = hex(frame);
        let packet = &frame[14..];
        assert_eq!(quoted(&packet[..len.min(packet.len())]), expected);
    }

    #[test]
    fn no_bytes_quote_nothing() {
        assert_eq!(quoted(&[]), None);
    }
}
