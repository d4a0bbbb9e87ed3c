//! A link-local address that is reported has the scope id of its link.

use harness::case::addr::SockAddr;
use harness::case::op::Op;
use harness::case::{Flags, Hex};
use harness::trace::{ControlOut, Direction, Out};
use harness::wire::build;
use rstest::rstest;

use super::super::story::*;
use super::super::zone_names::RULE;

/// The index of `l0` and of `l1` in a story.
const L0: u32 = 2;
const L1: u32 = 3;

fn at(ip: &str, scope: u32) -> SockAddr {
    SockAddr::V6 { ip: ip.parse().unwrap(), port: 12345, scope }
}

fn named(ip: &str, scope: u32) -> Story {
    Story::udp6().gives(getsockname(), Out::Addr(at(ip, scope)))
}

fn peer(connected: &str, ip: &str, scope: u32) -> Story {
    let asked = Op::Getpeername { fd: "s".into() };
    Story::udp6().ok(connect(to("fe80::77", connected)), 0).gives(asked, Out::Addr(at(ip, scope)))
}

/// A datagram comes from `fe80::77` to `fe80::1` over `l1`, and this is told of it.
fn received(from: SockAddr, index: u32) -> Story {
    let ends = ["[fe80::77]:9", "[fe80::1]:9"].map(|end| end.parse().unwrap());
    let story = Story::udp6();
    let frame = build::udp(story.header("l1"), ends[0], ends[1], 64, b"data").unwrap();
    let destination: std::net::Ipv6Addr = "fe80::1".parse().unwrap();
    let bytes = Hex([&destination.octets()[..], &index.to_ne_bytes()].concat());
    let control =
        vec![ControlOut { level: "IPPROTO_IPV6".into(), name: "IPV6_PKTINFO".into(), bytes }];
    let bytes = Hex(b"data".to_vec());
    let data = Out::Data { bytes, from: Some(from), flags: Vec::new(), control };
    let op = Op::Recvmsg {
        fd: "s".into(),
        len: 64,
        lens: Vec::new(),
        control_len: 64,
        flags: Flags::NONE,
    };
    story.frame("l1", Direction::In, frame).gives(op, data)
}

#[rstest]
#[case::own(named("fe80::1", L0))]
#[case::own_of_the_other_link(named("fe80::1:1", L1))]
#[case::group(named("ff02::1234", L1))]
#[case::somebody(named("fe80::99", L1))]
#[case::global(named("2001:db8::1", 0))]
#[case::interface_local(named("ff01::1", 0))]
#[case::peer(peer("l1", "fe80::77", L1))]
#[case::peer_by_default(peer("", "fe80::77", L1))]
#[case::received(received(at("fe80::77", L1), L1))]
#[case::received_global(received(at("2001:db8::2", 0), L1))]
#[case::failed(Story::udp6().err(getsockname(), "EBADF"))]
fn holds(#[case] story: Story) {
    assert_eq!(story.told(&RULE), [""; 0]);
}

#[rstest]
#[case::no_scope(
    named("fe80::1", 0),
    "1: getsockname reports the name fe80::1 without a scope id, but the address is used on l0."
)]
#[case::no_scope_of_nobody(
    named("fe80::99", 0),
    "1: getsockname reports the name fe80::99 without a scope id, which is the index of no link."
)]
#[case::another_link(
    named("fe80::1", L1),
    "1: getsockname reports the name fe80::1 with the scope id of l1, but the address is used on \
     l0."
)]
#[case::no_link(
    named("fe80::1", 99),
    "1: getsockname reports the name fe80::1 with the scope id 99, but the address is used on l0."
)]
#[case::group(
    named("ff02::1234", 0),
    "1: getsockname reports the name ff02::1234 without a scope id, which is the index of no link."
)]
#[case::peer(
    peer("l1", "fe80::77", L0),
    "2: getpeername reports the peer fe80::77 with the scope id of l0, but the address is used on \
     l1."
)]
#[case::accepted(
    Story::tcp6().gives(Op::Accept { fd: "s".into(), new: "a".into() }, Out::Addr(at("fe80::1", 0))),
    "1: accept reports the peer fe80::1 without a scope id, but the address is used on l0."
)]
#[case::sender(
    received(at("fe80::77", L0), L1),
    "1: recvmsg reports the sender fe80::77 with the scope id of l0, but the address is used on l1."
)]
#[case::destination(
    received(at("fe80::77", L1), L0),
    "1: recvmsg reports the destination fe80::1 with the scope id of l0, but the address is used \
     on l1."
)]
fn fires(#[case] story: Story, #[case] expected: &str) {
    assert_eq!(story.told(&RULE), [expected]);
}
