//! Fragments: none where they were forbidden, and of those that leave the whole datagram.

use harness::case::addr::Addr;
use harness::case::op::{Control, Intent, Op, Opt, Value};
use harness::case::payload::pattern;
use harness::case::{Flags, Payload};
use harness::trace::Direction;
use harness::verdict::Rank;
use harness::wire::build;
use rstest::rstest;

use super::super::fragments::{FORBIDDEN, WHOLE};
use super::super::story::*;

const L0: &str = "[fe80::2]:12345";
const L0_V4: &str = "192.0.2.2:12345";

pub(super) fn big(addr: Addr) -> Op {
    let (fd, flags) = ("s".into(), Flags::NONE);
    Op::Sendto { fd, data: Payload::Pattern(2000), flags, addr }
}

fn over6() -> Op {
    big(to("fe80::2", "l0"))
}

fn told6(value: i32) -> Op {
    setsockopt(option("IPPROTO_IPV6", "IPV6_DONTFRAG"), Value::Int(value))
}

fn mode4(mode: &'static str) -> Op {
    setsockopt(option("IPPROTO_IP", "IP_MTU_DISCOVER"), Value::Named(mode.into()))
}

fn mode6(mode: &'static str) -> Op {
    setsockopt(option("IPPROTO_IPV6", "IPV6_MTU_DISCOVER"), Value::Named(mode.into()))
}

fn dontfrag4() -> Op {
    setsockopt(option("IPPROTO_IP", "IP_DONTFRAG"), Value::Int(1))
}

fn intent() -> Op {
    setsockopt(Opt::Intent(Intent::DontFragment), Value::Int(1))
}

/// Two pieces, with these bytes of each.
fn pieces(story: Story, dst: &str, [(a, b), (c, d)]: [(u32, u32); 2]) -> Story {
    let data = pattern(2000);
    story.piece("l0", dst, &data, a, b).piece("l0", dst, &data, c, d)
}

const GOOD: [(u32, u32); 2] = [(0, 1448), (1448, 2008)];

fn message(value: i32) -> Op {
    let control = vec![Control::int("IPPROTO_IPV6", "IPV6_DONTFRAG", value)];
    let (data, flags) = (Payload::Pattern(2000), Flags::NONE);
    Op::Sendmsg { fd: "s".into(), data, flags, addr: Some(to("fe80::2", "l0")), control }
}

/// `hello` leaves with DF set.
fn with_df(story: Story) -> Story {
    let (own, dst) = ("192.0.2.1:50000".parse().unwrap(), L0_V4.parse().unwrap());
    let header = story.header("l0");
    let mut frame = build::udp(header, own, dst, 64, b"hello\0").unwrap();
    let before = u16::from_be_bytes([frame[20], frame[21]]);
    let after = before | 0x4000;
    frame[20..22].copy_from_slice(&after.to_be_bytes());
    if after != before {
        // The checksum is that of the header with the bit (RFC 1624).
        let sum = u32::from(!u16::from_be_bytes([frame[24], frame[25]])) + 0x4000;
        let sum = u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap();
        frame[24..26].copy_from_slice(&(!sum).to_be_bytes());
    }
    story.frame("l0", Direction::Out, frame)
}

fn hello4() -> Op {
    sendto(HELLO, to("192.0.2.2", ""))
}

/// `hello` leaves with DF clear.
fn without_df(story: Story) -> Story {
    let (own, dst): (std::net::SocketAddr, std::net::SocketAddr) =
        ("192.0.2.1:50000".parse().unwrap(), L0_V4.parse().unwrap());
    let data = build::udp_datagram(own, dst, b"hello\0").unwrap();
    let piece = harness::wire::Fragment { offset: 0, more: false, id: 7 };
    let header = story.header("l0");
    let frame = build::fragment(header, own.ip(), dst.ip(), 64, 17, piece, &data).unwrap();
    story.frame("l0", Direction::Out, frame)
}

#[rstest]
#[case::nothing_asked(pieces(Story::udp6().ok(over6(), 2000), L0, GOOD))]
#[case::taken_back(pieces(
    Story::udp6().ok(told6(1), 0).ok(told6(0), 0).ok(over6(), 2000), L0, GOOD))]
#[case::refused(Story::udp6().ok(told6(1), 0).err(over6(), "EMSGSIZE"))]
#[case::option_refused(pieces(
    Story::udp6().err(told6(1), "EINVAL").ok(over6(), 2000), L0, GOOD))]
#[case::by_the_message(pieces(Story::udp6().ok(told6(1), 0).ok(message(0), 2000), L0, GOOD))]
#[case::whole(Story::udp6()
    .ok(told6(1), 0)
    .ok(sendto(HELLO, to("fe80::2", "l0")), 6)
    .udp("l0", L0, b"hello\0"))]
#[case::with_df(with_df(Story::udp4().ok(mode4("IP_PMTUDISC_DO"), 0).ok(hello4(), 6)))]
#[case::may_be_clear(without_df(Story::udp4().ok(mode4("IP_PMTUDISC_WANT"), 0).ok(hello4(), 6)))]
fn nothing_forbidden(#[case] story: Story) {
    assert_eq!(story.told(&FORBIDDEN), [""; 0]);
    assert_eq!(story.told(&WHOLE), [""; 0]);
}

#[rstest]
#[case::option(pieces(Story::udp6().ok(told6(1), 0).ok(over6(), 2000), L0, GOOD),
    "2: sendto of 2000 bytes to fe80::2%l0 port 12345 on a socket that forbids fragments: it left \
     on l0 in 2 fragments.")]
#[case::intent(pieces(Story::udp6().ok(intent(), 0).ok(over6(), 2000), L0, GOOD),
    "2: sendto of 2000 bytes to fe80::2%l0 port 12345 on a socket that forbids fragments: it left \
     on l0 in 2 fragments.")]
#[case::message(pieces(Story::udp6().ok(message(1), 2000), L0, GOOD),
    "1: sendmsg of 2000 bytes to fe80::2%l0 port 12345 on a socket that forbids fragments: it \
     left on l0 in 2 fragments.")]
#[case::mapped(
    pieces(
        Story::udp6().ok(intent(), 0).ok(big(to("::ffff:192.0.2.2", "")), 2000),
        L0_V4,
        [(0, 1480), (1480, 2008)]
    ),
    "2: sendto of 2000 bytes to ::ffff:192.0.2.2 port 12345 on a socket that forbids fragments: \
     it left on l0 in 2 fragments.")]
#[case::df_clear(
    without_df(Story::udp4().ok(mode4("IP_PMTUDISC_PROBE"), 0).ok(hello4(), 6)),
    "2: sendto of 6 bytes to 192.0.2.2 port 12345 on a socket that forbids fragments: it left on \
     l0 with DF clear.")]
fn forbidden(#[case] story: Story, #[case] expected: &str) {
    assert_eq!(story.told(&FORBIDDEN), [expected]);
}

fn mapped() -> Op {
    big(to("::ffff:192.0.2.2", ""))
}

const GOOD4: [(u32, u32); 2] = [(0, 1480), (1480, 2008)];

fn ping6() -> Story {
    let icmp = socket("s", "AF_INET6", "SOCK_DGRAM", &["IPPROTO_ICMPV6"]);
    Story::on(harness::case::LinkKind::Tap).ok(icmp, 0)
}

/// An echo request of a ping socket in two fragments.
fn pinged(told: impl IntoIterator<Item = Op>) -> Story {
    let data = Payload::Text(format!("\u{80}\0\0\0\0\u{7}\0\u{1}{}", "x".repeat(1992)));
    let (bytes, to_it) = (data.bytes(), ("fe80::2".parse().unwrap(), 58));
    let (fd, flags) = ("s".into(), Flags::NONE);
    let op = Op::Sendto { fd, data, flags, addr: to("fe80::2", "l0") };
    told.into_iter()
        .fold(ping6(), |story, told| story.ok(told, 0))
        .ok(op, 2000)
        .piece_of("l0", to_it, &bytes, 0, 1448)
        .piece_of("l0", to_it, &bytes, 1448, 2000)
}

/// One rule, two ranks: RFC 3542 §11.2 is about packets of IPv6, of UDP and raw sockets.
#[rstest]
#[case::of_ipv6(pieces(Story::udp6().ok(intent(), 0).ok(over6(), 2000), L0, GOOD), Rank::Violates)]
#[case::mapped(pieces(Story::udp6().ok(intent(), 0).ok(mapped(), 2000), L0_V4, GOOD4), Rank::Surprises)]
#[case::mapped_by_its_own_option(
    pieces(Story::udp6().ok(mode4("IP_PMTUDISC_DO"), 0).ok(mapped(), 2000), L0_V4, GOOD4),
    Rank::Violates)]
#[case::of_ipv4(
    without_df(Story::udp4().ok(intent(), 0).ok(hello4(), 6)), Rank::Violates)]
#[case::a_ping_socket(pinged([told6(1)]), Rank::Surprises)]
#[case::a_ping_socket_by_another_mode(pinged([mode6("IPV6_PMTUDISC_WANT"), told6(1)]), Rank::Surprises)]
#[case::a_ping_socket_by_its_mode(pinged([mode6("IPV6_PMTUDISC_DO")]), Rank::Violates)]
#[case::mapped_by_an_option_of_ipv4(
    pieces(Story::udp6().ok(dontfrag4(), 0).ok(mapped(), 2000), L0_V4, GOOD4), Rank::Violates)]
fn what_no_clause_reaches_surprises(#[case] story: Story, #[case] rank: Rank) {
    let found = story.found(&FORBIDDEN);
    assert_eq!(found.iter().map(|f| f.rank).collect::<Vec<_>>(), [rank], "{found:?}");
}

#[rstest]
#[case::hole(pieces(Story::udp6().ok(over6(), 2000), L0, [(0, 1440), (1448, 2008)]),
    "1: the fragments of a UDP datagram for fe80::2 on l0 have a hole or no end.")]
#[case::no_end(pieces(Story::udp6().ok(over6(), 2000), L0, [(0, 1440), (1440, 1448)]),
    "1: the fragments of a UDP datagram for fe80::2 on l0 have a hole or no end.")]
#[case::overlap(pieces(Story::udp6().ok(over6(), 2000), L0, [(0, 1448), (1440, 2008)]),
    "1: the fragments of a UDP datagram for fe80::2 on l0 overlap.")]
#[case::other_bytes(
    Story::udp6()
        .ok(over6(), 2000)
        .piece("l0", L0, &[7; 2000], 0, 1448)
        .piece("l0", L0, &[7; 2000], 1448, 2008),
    "1: the fragments of a UDP datagram for fe80::2 on l0 make a datagram that no send was given.")]
fn not_whole(#[case] story: Story, #[case] expected: &str) {
    assert_eq!(story.told(&WHOLE), [expected]);
}
