//! What a far end makes of what it has seen, without a kernel.

use std::net::SocketAddr;

use rstest::rstest;

use super::*;
use crate::case::far::{Block, Echo, Kind, SegmentOption};
use crate::case::{Case, Lab, LabOp, LinkKind, Op, Payload};
use crate::wire::{Icmp4, Net};

const HOST: &str = "192.0.2.1:40000";
const FAR: &str = "192.0.2.2:80";
const LINK: Link<'static> = Link { name: "l", framing: Framing::Ip, own: [0; 6] };

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// A far end of a tun that sends something in its case.
fn far() -> FarEnds {
    let frame = Frame::Segment(Segment::new("."));
    let ops = vec![Op::Lab { step: LabOp::Say { link: "l".to_owned(), frame } }];
    FarEnds::of(&Case::new("s/t", "", Lab::one(LinkKind::Tun, "l"), ops))
}

/// The host sends a segment.
fn host_sends(far: &mut FarEnds, flags: &str, seq: u32, ack: u32, payload: &[u8]) {
    let flags = flags.parse().expect("flags");
    let segment = build::Segment { flags, seq, ack, payload, ..build::Segment::default() };
    let frame = build::tcp_segment(build::Link::Ip, at(HOST), at(FAR), 64, &segment).expect("TCP");
    far.saw("l", Direction::Out, &frame);
}

fn text(data: &str) -> Payload {
    Payload::Text(data.to_owned())
}

/// Sequence and acknowledgement number of a segment, which is from the far end to the host.
fn says(far: &mut FarEnds, segment: Segment) -> (u32, u32) {
    let frame = far.make(&LINK, &Frame::Segment(segment), None, None).expect("a segment");
    let packet = decode(Framing::Ip, &frame);
    let Some(Body::Tcp(tcp)) = packet.body() else { panic!("{packet:?}") };
    assert_eq!(packet.addresses(), Some((at(FAR).ip(), at(HOST).ip())));
    assert_eq!((tcp.sport, tcp.dport, tcp.checksum_ok), (80, 40000, Some(true)));
    (tcp.seq, tcp.ack)
}

#[test]
fn a_far_end_counts_what_was_sent_and_what_came() {
    let mut far = far();
    host_sends(&mut far, "S", 5000, 0, b"");
    assert_eq!(says(&mut far, Segment::new("S.")), (FIRST, 5001));
    host_sends(&mut far, ".", 5001, FIRST + 1, b"");
    host_sends(&mut far, "P.", 5001, FIRST + 1, b"abc");
    assert_eq!(says(&mut far, Segment::new(".")), (FIRST + 1, 5004));
    let data = Segment { data: text("hello"), ..Segment::new("P.") };
    assert_eq!(says(&mut far, data), (FIRST + 1, 5004));
    assert_eq!(says(&mut far, Segment::new("F.")), (FIRST + 6, 5004));
    // Not right, and so much; what is right stays.
    let off = |seq, ack| Segment { seq, ack, ..Segment::new(".") };
    assert_eq!(says(&mut far, off(-1, 2)), (FIRST + 6, 5006));
    assert_eq!(says(&mut far, off(0, -1)), (FIRST + 7, 5003));
    // Without ACK nothing is acknowledged.
    assert_eq!(says(&mut far, Segment::new("R")), (FIRST + 7, 0));
    // What the host repeats is no news, and a FIN is one.
    host_sends(&mut far, "P.", 5001, FIRST + 7, b"abc");
    host_sends(&mut far, "F.", 5004, FIRST + 7, b"");
    assert_eq!(says(&mut far, Segment::new(".")), (FIRST + 7, 5005));
}

/// The second half goes first: the right next byte is the first half's until the host has both.
#[test]
fn what_goes_out_of_order_is_counted_when_it_has_arrived() {
    let mut far = far();
    host_sends(&mut far, "S", 0, 0, b"");
    assert_eq!(says(&mut far, Segment::new("S.")), (FIRST, 1));
    let half = |seq, data| Segment { seq, data: text(data), ..Segment::new("P.") };
    assert_eq!(says(&mut far, half(5, "world")), (FIRST + 6, 1));
    assert_eq!(says(&mut far, half(0, "hello")), (FIRST + 1, 1));
    assert_eq!(says(&mut far, Segment::new(".")), (FIRST + 6, 1));
    host_sends(&mut far, ".", 1, FIRST + 11, b"");
    assert_eq!(says(&mut far, Segment::new(".")), (FIRST + 11, 1));
    // Of bytes that nobody sent no acknowledgement tells.
    host_sends(&mut far, ".", 1, FIRST + 99, b"");
    assert_eq!(says(&mut far, Segment::new(".")), (FIRST + 11, 1));
}

/// Ports may be used again: then it is another connection, and begins anew.
#[test]
fn a_new_syn_is_a_new_connection_and_the_same_one_is_not() {
    let mut far = far();
    host_sends(&mut far, "S", u32::MAX, 0, b"");
    assert_eq!(says(&mut far, Segment::new("S.")), (FIRST, 0), "it wraps");
    host_sends(&mut far, "S", u32::MAX, 0, b"");
    assert_eq!(says(&mut far, Segment::new("S.")), (FIRST + 1, 0));
    host_sends(&mut far, "S", 77, 0, b"");
    assert_eq!(says(&mut far, Segment::new("S.")), (FIRST, 78));
}

#[test]
fn nothing_is_quoted_or_answered_before_the_host_has_sent() {
    let error = Frame::Error(Error {
        kind: Kind::PortUnreachable,
        value: None,
        from: None,
        v6: false,
        lies: Vec::new(),
    });
    let segment = Frame::Segment(Segment::new("R"));
    let mut far = far();
    // What comes in is not the host's, and what is on another link is not of this one.
    let (from, to) = (at("192.0.2.2:9"), at("192.0.2.1:9"));
    let datagram = build::udp(build::Link::Ip, from, to, 64, b"x").expect("UDP");
    far.saw("l", Direction::In, &datagram);
    far.saw("m", Direction::Out, &datagram);
    let says = far.make(&LINK, &error, None, None).expect_err("nothing to quote");
    assert!(says.contains("no packet there that it could quote"), "{says}");
    let says = far.make(&LINK, &segment, None, None).expect_err("nothing to answer");
    assert!(says.contains("no TCP segment there that it could answer"), "{says}");
    far.saw("l", Direction::Out, &datagram);
    assert!(far.make(&LINK, &error, None, None).is_ok());
    // No error is about an error, or about a fragment that has no header.
    let quoted = far.make(&LINK, &error, None, None).expect("an error");
    far.saw("l", Direction::Out, &quoted);
    let piece = Fragment { offset: 8, more: false, id: 1 };
    let (src, dst) = (to.ip(), from.ip());
    let piece = build::fragment(build::Link::Ip, src, dst, 64, UDP, piece, &[0; 8]).expect("IP");
    far.saw("l", Direction::Out, &piece);
    assert_eq!(far.make(&LINK, &error, None, None), Ok(quoted));
}

fn about(v6: bool, kind: Kind, value: Option<u32>, lies: &[Lie]) -> Result<Vec<u8>, String> {
    let (host, to) =
        if v6 { ("[2001:db8::1]:40000", "[2001:db8::2]:9") } else { (HOST, "192.0.2.2:9") };
    let sent = build::udp(build::Link::Ip, at(host), at(to), 64, b"x").expect("UDP");
    let mut far = far();
    far.saw("l", Direction::Out, &sent);
    let error = Error { kind, value, from: None, v6: false, lies: lies.to_vec() };
    far.make(&LINK, &Frame::Error(error), None, None)
}

/// Type, code and the second word, and that it is from whom the packet was for.
#[rstest]
#[case(false, Kind::PortUnreachable, None, (3, 3, 0))]
#[case(true, Kind::PortUnreachable, None, (1, 4, 0))]
#[case(false, Kind::FragmentationNeeded, Some(1300), (3, 4, 1300))]
#[case(true, Kind::FragmentationNeeded, Some(1300), (2, 0, 1300))]
#[case(false, Kind::PacketTooBig, Some(1300), (3, 4, 1300))]
#[case(true, Kind::PacketTooBig, Some(70_000), (2, 0, 70_000))]
#[case(false, Kind::ParameterProblem, Some(20), (12, 0, 20 << 24))]
#[case(true, Kind::ParameterProblem, Some(40), (4, 0, 40))]
#[case(true, Kind::ProtocolUnreachable, None, (4, 1, 6))]
#[case(false, Kind::ProtocolUnreachable, None, (3, 2, 0))]
#[case(true, Kind::HostUnreachable, None, (1, 3, 0))]
#[case(false, Kind::AdministrativelyProhibited, None, (3, 13, 0))]
#[case(true, Kind::AdministrativelyProhibited, None, (1, 1, 0))]
#[case(false, Kind::ReassemblyTimeExceeded, None, (11, 1, 0))]
fn an_error_has_its_numbers(
    #[case] v6: bool,
    #[case] kind: Kind,
    #[case] value: Option<u32>,
    #[case] (kind_number, code, rest): (u8, u8, u32),
) {
    let frame = about(v6, kind, value, &[]).expect("an error");
    let header = if v6 { 40 } else { 20 };
    assert_eq!(frame[header..header + 2], [kind_number, code]);
    assert_eq!(frame[header + 4..header + 8], rest.to_be_bytes());
    let packet = decode(Framing::Ip, &frame);
    let (from, to) = packet.addresses().expect("IP");
    let quote = quoted(packet.body().and_then(Body::quote).expect("a quote")).expect("a packet");
    assert_eq!((from, to), (quote.dst, quote.src));
    assert_eq!((quote.sport, quote.dport), (Some(40000), Some(9)));
    let Some(Body::Icmp4 { checksum_ok, .. } | Body::Icmp6 { checksum_ok, .. }) = packet.body()
    else {
        panic!("{packet:?}")
    };
    assert_eq!(*checksum_ok, Some(true));
}

#[test]
fn a_family_that_has_no_such_error_is_told() {
    let says = |v6, kind, value| about(v6, kind, value, &[]).expect_err("no such error");
    assert_eq!(says(true, Kind::SourceQuench, None), "ICMPv6 has no source quench");
    assert_eq!(says(false, Kind::RejectRoute, None), "ICMP has no reject route");
    assert!(says(false, Kind::PacketTooBig, Some(70_000)).contains("no room for 70000"));
    assert!(says(false, Kind::ParameterProblem, Some(256)).contains("no room for 256"));
}

/// About a packet to a group nobody sends an error, whoever it would be from, but for the two of IPv6 that
/// RFC 4443 excepts; and no error is from a group or from nobody.
#[rstest]
#[case("224.0.0.77:9", Kind::PortUnreachable, Some("192.0.2.2"), Some("RFC 1122 §3.2.2"))]
#[case("192.0.2.255:9", Kind::PortUnreachable, Some("192.0.2.2"), Some("RFC 1122 §3.2.2"))]
#[case("255.255.255.255:9", Kind::TimeExceeded, None, Some("RFC 1122 §3.2.2"))]
#[case("[ff02::77]:9", Kind::PortUnreachable, Some("2001:db8::2"), Some("RFC 4443 §2.4 (e.3)"))]
#[case("[ff02::77]:9", Kind::PacketTooBig, Some("2001:db8::2"), None)]
#[case("[ff02::77]:9", Kind::UnrecognizedOption, Some("2001:db8::2"), None)]
#[case("[ff02::77]:9", Kind::PacketTooBig, None, Some("say from whom"))]
#[case("[ff02::77]:9", Kind::PacketTooBig, Some("ff02::77"), Some("nobody sends from ff02::77"))]
#[case(
    "192.0.2.2:9",
    Kind::PortUnreachable,
    Some("224.0.0.1"),
    Some("nobody sends from 224.0.0.1")
)]
#[case("192.0.2.2:9", Kind::PortUnreachable, Some("0.0.0.0"), Some("nobody sends from 0.0.0.0"))]
#[case("192.0.2.2:9", Kind::PortUnreachable, Some("198.51.100.9"), None)]
fn an_error_is_about_and_from_one_host(
    #[case] to: &str,
    #[case] kind: Kind,
    #[case] from: Option<&str>,
    #[case] refused: Option<&str>,
) {
    let host = if to.starts_with('[') { "[2001:db8::1]:40000" } else { HOST };
    let sent = build::udp(build::Link::Ip, at(host), at(to), 64, b"x").expect("UDP");
    let mut far = far();
    far.saw("l", Direction::Out, &sent);
    let error = Error { kind, value: None, from: None, v6: false, lies: Vec::new() };
    let from = from.map(|ip| ip.parse().expect("an address"));
    let made = far.make(&LINK, &Frame::Error(error), from, None);
    assert_eq!(made.is_ok(), refused.is_none(), "{made:?}");
    if let (Some(says), Err(said)) = (refused, &made) {
        assert!(said.contains(says), "{said}");
    }
}

/// Each lie changes what it names and nothing else.
#[test]
fn an_error_lies_as_it_is_told_to() {
    let made = |lies: &[Lie]| about(false, Kind::PortUnreachable, None, lies).expect("an error");
    let honest = made(&[]);
    let quote_of = |frame: &[u8]| quoted(&frame[28..]).expect("a packet");
    let right = quote_of(&honest);
    let wrong = |lie: Lie| {
        let frame = made(&[lie]);
        let packet = decode(Framing::Ip, &frame);
        let Some(Body::Icmp4 { checksum_ok, message }) = packet.body() else { panic!("ICMP") };
        assert!(matches!(message, Icmp4::Unreachable { code: 3, .. }));
        // It goes to the host all the same.
        assert_eq!(packet.addresses(), decode(Framing::Ip, &honest).addresses());
        assert_eq!(*checksum_ok, Some(lie != Lie::Checksum));
        quote_of(&frame)
    };
    let is = |lie: Lie| {
        let quote = wrong(lie);
        [
            quote.sport == right.sport,
            quote.dport == right.dport,
            quote.src == right.src,
            quote.dst == right.dst,
        ]
    };
    assert_eq!(is(Lie::SourcePort), [false, true, true, true]);
    assert_eq!(is(Lie::DestinationPort), [true, false, true, true]);
    assert_eq!(is(Lie::Source), [true, true, false, true]);
    assert_eq!(is(Lie::Destination), [true, true, true, false]);
    assert_eq!(is(Lie::Checksum), [true; 4]);
    assert_eq!(made(&[Lie::Cut(20)]).len(), 48);
    assert_eq!(quote_of(&made(&[Lie::Cut(20), Lie::SourcePort])).sport, None);
    let says = about(false, Kind::PortUnreachable, None, &[Lie::SequenceNumber]);
    let says = says.expect_err("it is UDP");
    assert!(says.contains("sequence number wrong"), "{says}");
}

#[test]
fn a_datagram_is_as_it_is_described() {
    let end = |host: &str| crate::case::far::End {
        host: crate::case::addr::Host::Ip(host.parse().expect("an address")),
        port: crate::case::addr::Port::Is(9),
    };
    let ends = crate::case::far::Ends { from: end("192.0.2.2"), to: end("192.0.2.1") };
    let plain = Datagram {
        ends,
        data: text("x"),
        ttl: None,
        tos: None,
        dont_fragment: false,
        checksum_wrong: false,
    };
    let own = [2, 0, 0, 0, 0, 1];
    let tap = Link { name: "l", framing: Framing::Ethernet, own };
    let made = |link: &Link<'_>, what: Datagram| {
        let ends = Some((at("192.0.2.2:9"), at("192.0.2.1:9")));
        far().make(link, &Frame::Datagram(what), None, ends).expect("a datagram")
    };
    let frame = made(&tap, plain.clone());
    let packet = decode(Framing::Ethernet, &frame);
    let eth = packet.eth.expect("Ethernet");
    assert_eq!((eth.src.0, eth.dst.0), ([2, 0, 0, 0, 0, 2], own));
    let Net::V4(ip, Body::Udp(udp)) = &packet.net else { panic!("{packet:?}") };
    assert_eq!((ip.ttl, ip.tos, ip.dont_fragment, ip.more_fragments), (64, 0, false, false));
    assert_eq!((udp.payload, udp.checksum_ok), (&b"x"[..], Some(true)));
    let (ttl, tos) = (Some(1), Some(2));
    let other = Datagram { ttl, tos, dont_fragment: true, checksum_wrong: true, ..plain };
    let frame = made(&LINK, other);
    let Net::V4(ip, Body::Udp(udp)) = decode(Framing::Ip, &frame).net else { panic!("no UDP") };
    assert_eq!((ip.ttl, ip.tos, ip.dont_fragment, ip.checksum_ok), (1, 2, true, true));
    assert_eq!(udp.checksum_ok, Some(false));
}

/// The host sends a segment with these options.
fn host_sends_options(far: &mut FarEnds, flags: &str, seq: u32, options: &[u8]) {
    let flags = flags.parse().expect("flags");
    let segment = build::Segment { flags, seq, options, ..build::Segment::default() };
    let frame = build::tcp_segment(build::Link::Ip, at(HOST), at(FAR), 64, &segment).expect("TCP");
    far.saw("l", Direction::Out, &frame);
}

/// The options that a segment of the far end's has on the wire.
fn options_of(far: &mut FarEnds, options: Vec<SegmentOption>) -> Vec<TcpOption> {
    let segment = Segment { options: Some(options), ..Segment::new(".") };
    let frame = far.make(&LINK, &Frame::Segment(segment), None, None).expect("a segment");
    let packet = decode(Framing::Ip, &frame);
    let Some(Body::Tcp(tcp)) = packet.body() else { panic!("{packet:?}") };
    assert_eq!(tcp.checksum_ok, Some(true));
    tcp.options.clone()
}

/// What is relative is relative to what the host has sent, and to nothing before.
#[test]
fn options_are_relative_to_what_the_host_has_sent() {
    let mut far = far();
    let time = |echo| vec![SegmentOption::Timestamps { value: 9, echo }];
    let is = |echo| vec![TcpOption::Timestamps { value: 9, echo }, TcpOption::End];
    host_sends_options(&mut far, "S", 5000, &[]);
    assert_eq!(options_of(&mut far, time(Echo::default())), is(0), "its SYN has no time");
    host_sends_options(&mut far, "S", 7000, &[1, 1, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0]);
    assert_eq!(options_of(&mut far, time(Echo::default())), is(0x100));
    assert_eq!(options_of(&mut far, time(Echo::Beyond(-1))), is(0xff));
    assert_eq!(options_of(&mut far, time(Echo::Is(7))), is(7));
    let blocks = vec![SegmentOption::Nop, SegmentOption::Sack(vec![Block { from: 1, to: 11 }])];
    let there = TcpOption::Sack(vec![(7001, 7011)]);
    assert_eq!(options_of(&mut far, blocks), [TcpOption::Nop, there, TcpOption::End]);
    // A reset has none, and the last time is still the last.
    host_sends_options(&mut far, "R", 7001, &[]);
    assert_eq!(options_of(&mut far, time(Echo::default())), is(0x100));
}

/// The planted negative: what has no room is not sent.
#[test]
fn a_segment_has_the_byte_of_ecn_that_it_is_told() {
    let mut far = far();
    host_sends(&mut far, "S", 5000, 0, b"");
    for (tos, is) in [(None, 0), (Some(3), 3)] {
        let segment = Frame::Segment(Segment { tos, ..Segment::new("S.E") });
        let frame = far.make(&LINK, &segment, None, None).expect("a segment");
        let Net::V4(ip, Body::Tcp(tcp)) = decode(Framing::Ip, &frame).net else { panic!("no TCP") };
        assert_eq!((ip.tos, tcp.flags.to_string()), (is, "S.E".to_owned()));
    }
    let full = vec![SegmentOption::Nop; 41];
    let segment = Frame::Segment(Segment { options: Some(full), ..Segment::new("S") });
    assert!(far.make(&LINK, &segment, None, None).is_err());
}
