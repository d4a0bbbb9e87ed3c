//! No frame leaves by another interface than the scope id says.

use harness::case::addr::Scope;
use harness::case::lab::LabOp;
use harness::case::op::{Intent, Op, Opt, Value};
use harness::wire::TcpFlags;
use rstest::rstest;

use super::super::story::*;
use super::super::zone::RULE;

const L0: &str = "[fe80::2]:12345";
const SYN: TcpFlags = TcpFlags::SYN;

fn sent() -> Story {
    Story::udp6().ok(sendto(HELLO, to("fe80::2", "l0")), 6)
}

fn bound(option: Opt, value: Value) -> Op {
    setsockopt(option, value)
}

fn to_link(link: &str) -> Value {
    Value::Link(link.into())
}

/// A socket of IPv4 that is bound to `l0`.
fn device() -> Story {
    Story::udp4().ok(bound(Opt::Intent(Intent::BindToInterface), to_link("l0")), 0)
}

fn send_v4(ip: &str) -> Op {
    sendto(HELLO, to(ip, ""))
}

#[rstest]
#[case::its_link(sent().udp("l0", L0, b"hello\0"))]
#[case::multicast(Story::udp6()
    .ok(sendto(HELLO, to("ff02::1", "l1")), 6)
    .udp("l1", "[ff02::1]:12345", b"hello\0"))]
#[case::own_address(Story::udp6()
    .ok(sendto(HELLO, to("fe80::1", "l0")), 6)
    .udp("lo", "[fe80::1]:12345", b"hello\0"))]
#[case::solicitation(sent().asks("l0", "fe80::2"))]
#[case::chatter_elsewhere(sent()
    .udp("l0", L0, b"hello\0")
    .asks_from("l1", "::", "fe80::2")
    .ip("l1", "ff02::16", 58, &[143, 0, 0, 0, 0, 0, 0, 0]))]
#[case::something_else_elsewhere(sent()
    .udp("l0", L0, b"hello\0")
    .udp("l1", "[fe80::1:2]:12345", b"hello\0"))]
#[case::no_scope(Story::udp6()
    .ok(sendto(HELLO, to("fe80::2", "")), 6)
    .udp("l1", L0, b"hello\0"))]
#[case::wider_scope(Story::udp6()
    .ok(sendto(HELLO, to("2001:db8::2", "l1")), 6)
    .udp("l0", "[2001:db8::2]:12345", b"hello\0"))]
#[case::syn(Story::tcp6()
    .err(connect(to("fe80::2", "l0")), "EINPROGRESS")
    .tcp("l0", L0, SYN, b""))]
#[case::device(device().ok(send_v4("192.0.2.2"), 6).udp("l0", "192.0.2.2:12345", b"hello\0"))]
#[case::device_and_own(device()
    .ok(send_v4("192.0.2.1"), 6)
    .udp("lo", "192.0.2.1:12345", b"hello\0"))]
#[case::device_and_wildcard(device()
    .ok(send_v4("0.0.0.0"), 6)
    .udp("lo", "127.0.0.1:12345", b"hello\0"))]
#[case::device_not_taken(Story::udp4()
    .err(bound(option("SOL_SOCKET", "SO_BINDTODEVICE"), to_link("l0")), "EPERM")
    .ok(send_v4("198.51.100.2"), 6)
    .udp("l1", "198.51.100.2:12345", b"hello\0"))]
#[case::device_given_back(device()
    .ok(bound(option("SOL_SOCKET", "SO_BINDTODEVICE"), Value::Bytes(harness::case::Hex(vec![]))), 0)
    .ok(send_v4("198.51.100.2"), 6)
    .udp("l1", "198.51.100.2:12345", b"hello\0"))]
fn holds(#[case] story: Story) {
    assert_eq!(story.told(&RULE), [""; 0]);
}

#[rstest]
#[case::another_link(
    sent().udp("l1", L0, b"hello\0"),
    "1: sendto to fe80::2%l0 port 12345 put a UDP datagram on l1, but its scope id names l0."
)]
#[case::both_links(
    sent().udp("l0", L0, b"hello\0").udp("l1", L0, b"hello\0"),
    "1: sendto to fe80::2%l0 port 12345 put a UDP datagram on l1, but its scope id names l0."
)]
#[case::later(
    sent().lab(LabOp::Wait { ms: 1, until: None, why: "the queue".into() }).udp("l1", L0, b"hello\0"),
    "1: sendto to fe80::2%l0 port 12345 put a UDP datagram on l1, but its scope id names l0."
)]
#[case::multicast(
    Story::udp6().ok(sendto(HELLO, to("ff02::1", "l0")), 6)
        .udp("l1", "[ff02::1]:12345", b"hello\0"),
    "1: sendto to ff02::1%l0 port 12345 put a UDP datagram on l1, but its scope id names l0."
)]
#[case::multicast_on_loopback(
    Story::udp6().ok(sendto(HELLO, to("ff02::1", "l0")), 6)
        .udp("lo", "[ff02::1]:12345", b"hello\0"),
    "1: sendto to ff02::1%l0 port 12345 put a UDP datagram on lo, but its scope id names l0."
)]
#[case::own_address_of_another_link(
    Story::udp6().ok(sendto(HELLO, to("fe80::1", "l1")), 6)
        .udp("lo", "[fe80::1]:12345", b"hello\0"),
    "1: sendto to fe80::1%l1 port 12345 put a UDP datagram on lo, but its scope id names l1."
)]
#[case::no_link(
    Story::udp6().ok(sendto(HELLO, to("fe80::2", "").scoped(Scope::Id(99))), 6)
        .udp("l0", L0, b"hello\0"),
    "1: sendto to fe80::2%99 port 12345 put a UDP datagram on l0, but its scope id 99 names no \
     link."
)]
#[case::solicitation(
    sent().asks("l1", "fe80::2"),
    "1: sendto to fe80::2%l0 port 12345 put a request for its link-layer address on l1, but its \
     scope id names l0."
)]
#[case::syn(
    Story::tcp6().err(connect(to("fe80::2", "l0")), "EINPROGRESS").tcp("l1", L0, SYN, b""),
    "1: connect to fe80::2%l0 port 12345 put a TCP segment on l1, but its scope id names l0."
)]
#[case::connected(
    Story::udp6().ok(connect(to("fe80::2", "l0")), 0).ok(send(HELLO), 6)
        .udp("l1", L0, b"hello\0"),
    "2: send to fe80::2%l0 port 12345 put a UDP datagram on l1, but its scope id names l0."
)]
#[case::device(
    device().ok(send_v4("198.51.100.2"), 6).udp("l1", "198.51.100.2:12345", b"hello\0"),
    "2: sendto to 198.51.100.2 port 12345 put a UDP datagram on l1, but s is bound to l0."
)]
#[case::raw_option(
    Story::udp4()
        .ok(bound(option("IPPROTO_IP", "IP_BOUND_IF"), to_link("l0")), 0)
        .ok(send_v4("198.51.100.2"), 6)
        .asks("l1", "198.51.100.2"),
    "2: sendto to 198.51.100.2 port 12345 put a request for its link-layer address on l1, but s is \
     bound to l0."
)]
fn fires(#[case] story: Story, #[case] expected: &str) {
    assert_eq!(story.told(&RULE), [expected]);
}
