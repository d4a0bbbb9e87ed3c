//! From bytes to a [`Packet`]: Ethernet, ARP, IPv4, IPv6 and its extension headers.

use etherparse::{
    ArpPacketSlice, Ethernet2HeaderSlice, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice,
    Ipv6HeaderSlice, Ipv6RawExtHeaderSlice,
};

use super::bytes::{len32, rest};
use super::checksum::{self, Ends};
use super::transport::{Whole, body};
use super::{Arp, Body, Eth, Fragment, Framing, Mac, Net, Packet, V4, V6};

pub(super) const ETHERTYPE_V4: u16 = 0x0800;
pub(super) const ETHERTYPE_ARP: u16 = 0x0806;
pub(super) const ETHERTYPE_V6: u16 = 0x86dd;

pub(super) const HOP_BY_HOP: u8 = 0;
pub(super) const ROUTING: u8 = 43;
pub(super) const FRAGMENT: u8 = 44;
pub(super) const DESTINATION_OPTIONS: u8 = 60;

/// Decodes a frame. Every slice of bytes is some packet: what makes no sense is [`Net::Malformed`], or
/// [`Body::Malformed`] behind an IP header that does.
///
/// Bytes behind the IP packet (Ethernet pads short frames) are ignored.
pub fn decode(framing: Framing, bytes: &[u8]) -> Packet<'_> {
    match framing {
        Framing::Ethernet => ethernet(bytes),
        Framing::Ip => Packet { eth: None, net: ip(bytes) },
    }
}

fn ethernet(bytes: &[u8]) -> Packet<'_> {
    let Ok(header) = Ethernet2HeaderSlice::from_slice(bytes) else {
        let why = format!("an Ethernet header in {} bytes", bytes.len());
        return Packet { eth: None, net: Net::Malformed { why, bytes } };
    };
    let eth = Eth {
        dst: Mac(header.destination()),
        src: Mac(header.source()),
        ethertype: header.ether_type().0,
    };
    let bytes = rest(bytes, header.slice().len());
    let net = match eth.ethertype {
        ETHERTYPE_V4 => orelse(bytes, v4(bytes)),
        ETHERTYPE_V6 => orelse(bytes, v6(bytes)),
        ETHERTYPE_ARP => arp(bytes),
        ethertype => Net::Other { ethertype, bytes },
    };
    Packet { eth: Some(eth), net }
}

pub(super) fn ip(bytes: &[u8]) -> Net<'_> {
    let net = match bytes.first().map(|first| first >> 4) {
        Some(4) => v4(bytes),
        Some(6) => v6(bytes),
        Some(version) => Err(format!("IP version {version}")),
        None => Err("no bytes".to_owned()),
    };
    orelse(bytes, net)
}

fn orelse<'a>(bytes: &'a [u8], net: Result<Net<'a>, String>) -> Net<'a> {
    net.unwrap_or_else(|why| Net::Malformed { why, bytes })
}

pub(super) fn arp(bytes: &[u8]) -> Net<'_> {
    let ethertype = ETHERTYPE_ARP;
    let Ok(slice) = ArpPacketSlice::from_slice(bytes) else {
        return Net::Malformed { why: format!("ARP in {} bytes", bytes.len()), bytes };
    };
    let Ok(arp) = slice.to_packet().try_eth_ipv4() else {
        return Net::Other { ethertype, bytes };
    };
    Net::Arp(Arp {
        operation: arp.operation.0,
        sender_mac: Mac(arp.sender_mac),
        sender_ip: arp.sender_ipv4_addr(),
        target_mac: Mac(arp.target_mac),
        target_ip: arp.target_ipv4_addr(),
    })
}

fn v4(bytes: &[u8]) -> Result<Net<'_>, String> {
    let header = Ipv4HeaderSlice::from_slice(bytes)
        .map_err(|_| format!("an IPv4 header in {} bytes", bytes.len()))?;
    let (total_len, header_len) = (header.total_len(), header.slice().len());
    // Zero is what a kernel leaves there when a packet is too long for the field.
    let end = if total_len == 0 { bytes.len() } else { usize::from(total_len) };
    let payload = bytes.get(header_len..end).ok_or_else(|| {
        format!("IPv4 length {total_len}, header {header_len}, {} bytes here", bytes.len())
    })?;
    let ip = V4 {
        src: header.source_addr(),
        dst: header.destination_addr(),
        ttl: header.ttl(),
        dont_fragment: header.dont_fragment(),
        more_fragments: header.more_fragments(),
        reserved: header.slice()[6] & 0x80 != 0,
        fragment_offset: u32::from(header.fragments_offset().value()) * 8,
        id: header.identification(),
        tos: header.slice()[1],
        total_len,
        body_len: len32(payload),
        protocol: header.protocol().0,
        checksum_ok: checksum::sum(header.slice()) == 0,
        options: header.options().to_vec(),
    };
    let fragment =
        Fragment { offset: ip.fragment_offset, more: ip.more_fragments, id: ip.id.into() };
    let whole = Whole {
        ends: Ends::V4(ip.src, ip.dst),
        all_here: !ip.more_fragments,
        final_destination: !source_routed(&ip.options),
    };
    let body = piece(ip.protocol, payload, Some(fragment), whole);
    Ok(Net::V4(ip, body))
}

/// Whether a source route still has hops to go (RFC 791 p. 18: the pointer is not past its end): then the pseudo header has
/// another destination than this header.
fn source_routed(options: &[u8]) -> bool {
    ipv4_options(options).any(|(kind, data)| {
        let pointer = data.first().copied().map_or(0, usize::from);
        matches!(kind, 131 | 137) && pointer <= data.len() + 2
    })
}

/// The options one by one, as kind and data. A malformed one ends the list and has kind 255 and all that is left as data.
pub(super) fn ipv4_options(mut options: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (&kind, after) = options.split_first()?;
        if kind == 0 {
            options = &[];
            return Some((kind, &[][..]));
        }
        if kind == 1 {
            options = after;
            return Some((kind, &[][..]));
        }
        let len = after.first().copied().map(usize::from);
        let data = len.and_then(|len| options.get(2..len));
        let (kind, data) = data.map_or((255, options), |data| (kind, data));
        options = if kind == 255 { &[] } else { rest(options, data.len() + 2) };
        Some((kind, data))
    })
}

fn v6(bytes: &[u8]) -> Result<Net<'_>, String> {
    let header = Ipv6HeaderSlice::from_slice(bytes)
        .map_err(|_| format!("an IPv6 header in {} bytes", bytes.len()))?;
    let payload_len = header.payload_length();
    let first = header.next_header().0;
    // A jumbo payload says zero here and its length in a hop-by-hop option (RFC 2675 §2).
    let jumbo = payload_len == 0 && first == HOP_BY_HOP;
    let end = if jumbo { bytes.len() } else { 40 + usize::from(payload_len) };
    let payload = bytes
        .get(40..end)
        .ok_or_else(|| format!("IPv6 payload length {payload_len}, {} here", bytes.len() - 40))?;
    let chain = extensions(first, payload);
    let ip = V6 {
        src: header.source_addr(),
        dst: header.destination_addr(),
        hop_limit: header.hop_limit(),
        traffic_class: header.traffic_class(),
        flow_label: header.flow_label().value(),
        payload_len,
        body_len: len32(chain.rest),
        next_header: chain.next,
        fragment: chain.fragment,
        extensions: chain.seen,
    };
    if let Some(why) = chain.why {
        let body = Body::Malformed { protocol: ip.next_header, why, bytes: chain.rest };
        return Ok(Net::V6(ip, body));
    }
    let whole = Whole {
        ends: Ends::V6(ip.src, ip.dst),
        all_here: !ip.fragment.is_some_and(|fragment| fragment.more),
        final_destination: !chain.source_routed,
    };
    let body = piece(ip.next_header, chain.rest, ip.fragment, whole);
    Ok(Net::V6(ip, body))
}

fn piece(protocol: u8, bytes: &[u8], fragment: Option<Fragment>, whole: Whole) -> Body<'_> {
    if fragment.is_some_and(|fragment| fragment.offset != 0) {
        return Body::Fragment(bytes);
    }
    body(protocol, bytes, whole)
}

/// The extension headers of an IPv6 packet, walked.
struct Chain<'a> {
    next: u8,
    rest: &'a [u8],
    seen: Vec<u8>,
    fragment: Option<Fragment>,
    source_routed: bool,
    why: Option<String>,
}

fn extensions(first: u8, payload: &[u8]) -> Chain<'_> {
    let mut chain = Chain {
        next: first,
        rest: payload,
        seen: Vec::new(),
        fragment: None,
        source_routed: false,
        why: None,
    };
    loop {
        // Behind a fragment header that is not the first there are bytes from the middle, no headers.
        let inside = chain.fragment.is_none_or(|fragment| fragment.offset == 0);
        let known = matches!(chain.next, HOP_BY_HOP | ROUTING | FRAGMENT | DESTINATION_OPTIONS);
        if !inside || !known {
            return chain;
        }
        if extension(&mut chain).is_none() {
            chain.why =
                Some(format!("extension header {} in {} bytes", chain.next, chain.rest.len()));
            return chain;
        }
    }
}

/// One step along the chain; `None` when the header ends too soon.
fn extension(chain: &mut Chain<'_>) -> Option<()> {
    let kind = chain.next;
    let (next, len) = if kind == FRAGMENT {
        let header = Ipv6FragmentHeaderSlice::from_slice(chain.rest).ok()?;
        chain.fragment = Some(Fragment {
            offset: u32::from(header.fragment_offset().value()) * 8,
            more: header.more_fragments(),
            id: header.identification(),
        });
        (header.next_header(), header.slice().len())
    } else {
        let header = Ipv6RawExtHeaderSlice::from_slice(chain.rest).ok()?;
        // Segments left (RFC 8200 §4.4): the pseudo header has the last of them as destination (§8.1).
        chain.source_routed |= kind == ROUTING && header.slice()[3] != 0;
        (header.next_header(), header.slice().len())
    };
    chain.seen.push(kind);
    chain.next = next.0;
    chain.rest = rest(chain.rest, len);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::frames::{self, hex};
    use super::super::{Icmp6, Plain, TcpFlags, TcpOption, Udp, line};
    use super::*;
    use rstest::rstest;

    fn v4_of(frame: &[u8]) -> (V4, Body<'_>) {
        match decode(Framing::Ethernet, frame).net {
            Net::V4(ip, body) => (ip, body),
            net => panic!("{net:?}"),
        }
    }

    fn v6_of(frame: &[u8]) -> (V6, Body<'_>) {
        match decode(Framing::Ethernet, frame).net {
            Net::V6(ip, body) => (ip, body),
            net => panic!("{net:?}"),
        }
    }

    fn checksum_ok(body: &Body<'_>) -> Option<bool> {
        match body {
            Body::Udp(udp) => udp.checksum_ok,
            Body::Tcp(tcp) => tcp.checksum_ok,
            Body::Icmp4 { checksum_ok, .. }
            | Body::Icmp6 { checksum_ok, .. }
            | Body::Igmp { checksum_ok, .. } => *checksum_ok,
            _ => None,
        }
    }

    #[test]
    fn udp_over_ipv4() {
        let frame = hex(frames::UDP4);
        let (ip, body) = v4_of(&frame);
        let expected = V4 {
            src: [192, 0, 2, 1].into(),
            dst: [192, 0, 2, 2].into(),
            ttl: 64,
            dont_fragment: true,
            more_fragments: false,
            reserved: false,
            fragment_offset: 0,
            id: 0x5fd0,
            tos: 0,
            total_len: 34,
            body_len: 14,
            protocol: 17,
            checksum_ok: true,
            options: vec![],
        };
        assert_eq!(ip, expected);
        let expected = Udp {
            sport: 53094,
            dport: 12345,
            len: 14,
            checksum: 0x385c,
            checksum_ok: Some(true),
            payload: b"hello\0",
            surplus: 0,
        };
        assert_eq!(body, Body::Udp(expected));
    }

    #[test]
    fn the_ethernet_header() {
        let eth = decode(Framing::Ethernet, &hex(frames::UDP6)).eth.unwrap();
        assert_eq!(eth.dst.to_string(), "02:00:00:00:00:02");
        assert_eq!(eth.src.to_string(), "02:00:00:00:00:01");
        assert_eq!(eth.ethertype, ETHERTYPE_V6);
    }

    #[test]
    fn both_framings_hold_the_same_packet() {
        let frame = hex(frames::SYN);
        let bare = decode(Framing::Ip, &frame[14..]);
        assert_eq!(bare.eth, None);
        assert_eq!(bare.net, decode(Framing::Ethernet, &frame).net);
    }

    #[test]
    fn a_connection_request() {
        let frame = hex(frames::SYN);
        let (_, Body::Tcp(tcp)) = v4_of(&frame) else { panic!("no TCP") };
        assert_eq!((tcp.sport, tcp.dport), (57174, 80));
        assert_eq!((tcp.seq, tcp.ack, tcp.window, tcp.urgent), (0xa8fc_4e17, 0, 64240, 0));
        assert_eq!(tcp.flags, TcpFlags::SYN);
        let expected = [
            TcpOption::Mss(1460),
            TcpOption::SackPermitted,
            TcpOption::Timestamps { value: 0x3ef8_85ec, echo: 0 },
            TcpOption::Nop,
            TcpOption::WindowScale(10),
        ];
        assert_eq!(tcp.options, expected);
        assert!(tcp.payload.is_empty());
        assert_eq!(tcp.checksum_ok, Some(true));
    }

    #[test]
    fn fragments_of_ipv6() {
        let (first, last) = (hex(frames::FRAG6_FIRST), hex(frames::FRAG6_LAST));
        let (ip, body) = v6_of(&first);
        let id = 0x12b6_28ef;
        assert_eq!(ip.fragment, Some(Fragment { offset: 0, more: true, id }));
        assert_eq!((ip.next_header, ip.body_len, &ip.extensions[..]), (17, 1448, &[44][..]));
        let Body::Udp(udp) = body else { panic!("{body:?}") };
        assert_eq!((udp.len, udp.payload.len(), udp.checksum_ok), (2008, 1440, None));

        let (ip, body) = v6_of(&last);
        assert_eq!(ip.fragment, Some(Fragment { offset: 1448, more: false, id }));
        assert_eq!(body, Body::Fragment(&[0; 560]));
    }

    #[test]
    fn extension_headers_are_walked() {
        let frame = hex(frames::MLD2_REPORT);
        let (ip, body) = v6_of(&frame);
        assert_eq!((&ip.extensions[..], ip.next_header), (&[HOP_BY_HOP][..], 58));
        assert!(matches!(body, Body::Icmp6 { message: Icmp6::Mld2Report { .. }, .. }));
    }

    /// Whatever bit of a body flips, the checksum notices: in every byte of it, for every protocol.
    #[rstest]
    #[case(frames::UDP4, 34)]
    #[case(frames::UDP6, 54)]
    #[case(frames::SYN, 34)]
    #[case(frames::UNREACHABLE4, 34)]
    #[case(frames::UNREACHABLE6, 54)]
    #[case(frames::IGMP3_REPORT, 38)]
    #[case(frames::SOLICITATION, 54)]
    fn a_flipped_bit_is_seen(#[case] frame: &str, #[case] start: usize) {
        let packet = hex(frame);
        let sum = |frame: &[u8]| match decode(Framing::Ethernet, frame).body() {
            Some(Body::Malformed { .. }) => Some(false),
            Some(body) => checksum_ok(body),
            None => panic!("no body"),
        };
        assert_eq!(sum(&packet), Some(true));
        for at in start..packet.len() {
            let mut bad = packet.clone();
            bad[at] ^= 0x04;
            assert_eq!(sum(&bad), Some(false), "byte {at}");
            assert!(
                line(&decode(Framing::Ethernet, &bad), &Plain).contains("bad checksum")
                    || matches!(
                        decode(Framing::Ethernet, &bad).body(),
                        Some(Body::Malformed { .. })
                    )
            );
        }
    }

    #[test]
    fn a_flipped_bit_in_the_header_is_seen() {
        let mut frame = hex(frames::UDP4);
        assert!(v4_of(&frame).0.checksum_ok);
        frame[22] ^= 1;
        assert!(!v4_of(&frame).0.checksum_ok);
    }

    #[rstest]
    #[case::route_with_hops_to_go("8307 04 c6336401 00", None)]
    #[case::route_that_ended("8307 08 c6336401 00", Some(true))]
    #[case::other_option("94040000 00000000", Some(true))]
    fn source_routes(#[case] options: &str, #[case] expected: Option<bool>) {
        let mut frame = hex(frames::UDP4);
        frame.splice(34..34, hex(options));
        frame[14] = 0x47;
        frame[17] += 8;
        assert_eq!(checksum_ok(&v4_of(&frame).1), expected);
    }

    #[rstest]
    #[case("", &[])]
    #[case("94040000 01 00 ff", &[(148, &[0, 0][..]), (1, &[]), (0, &[])])]
    #[case("0703", &[(255, &[7, 3][..])])]
    #[case("44", &[(255, &[0x44][..])])]
    #[case("4400", &[(255, &[0x44, 0][..])])]
    fn options_of_every_shape(#[case] options: &str, #[case] expected: &[(u8, &[u8])]) {
        assert_eq!(ipv4_options(&hex(options)).collect::<Vec<_>>(), expected);
    }
}
