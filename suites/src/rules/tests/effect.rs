//! A failed call has no effect.

use harness::case::Flags;
use harness::case::addr::Addr;
use harness::case::op::{Op, Value};
use harness::trace::{Direction, Out};
use harness::verdict::Rank;
use harness::wire::{TcpFlags, build};
use rstest::rstest;

use super::super::no_effect::RULE;
use super::super::story::*;

const L0: &str = "[fe80::2]:12345";
const ACK: TcpFlags = TcpFlags::ACK;
const RST: TcpFlags = TcpFlags::RST;
const SYN: TcpFlags = TcpFlags::SYN;

fn neighbour() -> Addr {
    to("fe80::2", "l0")
}

/// A send that fails.
fn failed() -> Story {
    Story::udp6().err(sendto(HELLO, neighbour()), "ENETUNREACH")
}

fn refused(errno: &'static str) -> Story {
    Story::tcp6().err(connect(neighbour()), errno)
}

/// A host's `ICMPv6` error about what was sent.
fn unreachable(story: Story, dir: Direction) -> Story {
    let (from, own) = ("fe80::2".parse().unwrap(), "fe80::1".parse().unwrap());
    let frame = build::icmp_error(story.header("l0"), from, own, 1, 3, 0, &[]).unwrap();
    story.frame("l0", dir, frame)
}

#[rstest]
#[case::silence(failed())]
#[case::success(Story::udp6().ok(sendto(HELLO, neighbour()), 6).udp("l0", L0, b"hello\0"))]
#[case::solicitation(failed().asks("l0", "fe80::2"))]
#[case::arp(failed().asks("l0", "192.0.2.2"))]
#[case::duplicate_address_detection(failed().asks_from("l0", "::", "fe80::2"))]
#[case::group_report(failed().ip("l0", "ff02::16", 58, &[143, 0, 0, 0, 0, 0, 0, 0]))]
#[case::icmp_error(unreachable(failed(), Direction::Out))]
#[case::echo_reply(failed().ip("l0", "fe80::2", 58, &[129, 0, 0, 0, 0, 0, 0, 1]))]
#[case::an_earlier_datagram(Story::udp6()
    .ok(sendto(HELLO, to("fe80::3", "l0")), 6)
    .asks("l0", "fe80::3")
    .err(recv("s"), "EAGAIN")
    .answers("l0", "fe80::3")
    .udp("l0", "[fe80::3]:12345", b"hello\0"))]
#[case::retransmission(Story::tcp6()
    .err(connect(neighbour()), "EINPROGRESS")
    .tcp("l0", L0, SYN, b"")
    .err(connect(neighbour()), "EALREADY")
    .tcp("l0", L0, SYN, b""))]
#[case::in_progress(refused("EINPROGRESS").tcp("l0", L0, SYN, b""))]
#[case::refused(refused("ECONNREFUSED").tcp("l0", L0, SYN, b"").tcp_from("l0", L0, RST | ACK))]
#[case::unreachable(
    unreachable(refused("EHOSTUNREACH").tcp("l0", L0, SYN, b""), Direction::In))]
#[case::no_syn(refused("ENETUNREACH"))]
#[case::a_resolver_asks(Story::udp6()
    .err(
        Op::Getaddrinfo {
            node: Some("example.org".into()),
            service: None,
            family: "AF_UNSPEC".into(),
            r#type: Flags::NONE,
            flags: Flags::NONE,
        },
        "EAI_AGAIN",
    )
    .udp("lo", "127.0.0.1:53", b"question"))]
fn nothing_leaves(#[case] story: Story) {
    assert_eq!(story.told(&RULE), [""; 0]);
}

#[rstest]
#[case::the_payload(
    failed().udp("l0", L0, b"hello\0"),
    "1: sendto returned ENETUNREACH, yet a UDP datagram for fe80::2 left on l0."
)]
#[case::another_payload(
    failed().udp("l1", L0, b"x"),
    "1: sendto returned ENETUNREACH, yet a UDP datagram for fe80::2 left on l1."
)]
#[case::a_fragment(
    Story::udp6().err(sendto(HELLO, neighbour()), "EMSGSIZE")
        .piece("l0", L0, b"hello hello hello\0", 0, 16),
    "1: sendto returned EMSGSIZE, yet a UDP datagram for fe80::2 left on l0."
)]
#[case::again_after_a_success(
    Story::udp6()
        .ok(sendto(HELLO, neighbour()), 6)
        .udp("l0", L0, b"hello\0")
        .err(sendto(HELLO, neighbour()), "ENETDOWN")
        .udp("l0", L0, b"hello\0"),
    "2: sendto returned ENETDOWN, yet a UDP datagram for fe80::2 left on l0."
)]
#[case::an_option(
    Story::udp6().err(setsockopt(option("SOL_SOCKET", "SO_BROADCAST"), Value::Int(1)), "EINVAL")
        .udp("lo", "127.0.0.1:9", b""),
    "1: setsockopt returned EINVAL, yet a UDP datagram for 127.0.0.1 left on lo."
)]
#[case::an_echo_request(
    failed().ip("l0", "fe80::2", 58, &[128, 0, 0, 0, 0, 0, 0, 1]),
    "1: sendto returned ENETUNREACH, yet an ICMP message for fe80::2 left on l0."
)]
#[case::another_protocol(
    failed().ip("l0", "fe80::2", 253, b"x"),
    "1: sendto returned ENETUNREACH, yet an IP packet for fe80::2 left on l0."
)]
#[case::syn(
    refused("ENETUNREACH").tcp("l0", L0, SYN, b""),
    "1: connect returned ENETUNREACH, yet a SYN for fe80::2 left on l0."
)]
fn something_leaves(#[case] story: Story, #[case] expected: &str) {
    assert_eq!(story.told(&RULE), [expected]);
    assert_eq!(story.found(&RULE)[0].rank, Rank::Surprises);
}

fn bind(port: u16) -> Op {
    let mut addr = to("::", "");
    addr.port = harness::case::addr::Port::Is(port);
    Op::Bind { fd: "s".into(), addr }
}

fn peer() -> Op {
    Op::Getpeername { fd: "s".into() }
}

/// An unbound socket.
fn unbound() -> Story {
    Story::udp6().gives(getsockname(), name("::", 0))
}

#[rstest]
#[case::the_same(unbound()
    .err(sendto(HELLO, neighbour()), "ENETUNREACH")
    .gives(getsockname(), name("::", 0)))]
#[case::no_name_before(Story::udp6()
    .err(sendto(HELLO, neighbour()), "ENETUNREACH")
    .gives(getsockname(), name("::", 50000)))]
#[case::a_success_between(unbound()
    .err(bind(1), "EACCES")
    .ok(bind(0), 0)
    .gives(getsockname(), name("::", 50000)))]
#[case::a_send_between(unbound()
    .err(sendto(HELLO, neighbour()), "ENETUNREACH")
    .ok(sendto(HELLO, neighbour()), 6)
    .udp("l0", L0, b"hello\0")
    .gives(getsockname(), name("::", 50000)))]
#[case::a_failed_connect(unbound()
    .err(connect(neighbour()), "ENETUNREACH")
    .gives(getsockname(), name("::", 50000)))]
#[case::another_socket(unbound()
    .ok(close(), 0)
    .ok(socket("s", "AF_INET6", "SOCK_DGRAM", &[]), 0)
    .err(sendto(HELLO, neighbour()), "ENETUNREACH")
    .gives(getsockname(), name("::", 50000)))]
#[case::no_peer_before_and_after(Story::udp6()
    .err(peer(), "ENOTCONN")
    .err(sendto(HELLO, neighbour()), "ENETUNREACH")
    .err(peer(), "ENOTCONN"))]
#[case::the_peer_of_a_stream(Story::tcp6()
    .ok(connect(neighbour()), 0)
    .tcp("l0", L0, SYN, b"")
    .gives(peer(), name("fe80::2", 12345))
    .err(recv("s"), "ECONNRESET")
    .err(peer(), "ENOTCONN"))]
#[case::nothing_failed(unbound().gives(getsockname(), name("::", 50000)))]
fn names_stay(#[case] story: Story) {
    assert_eq!(story.told(&RULE), [""; 0]);
}

#[rstest]
#[case::a_port(
    unbound()
        .err(sendto(HELLO, neighbour()), "ENETUNREACH")
        .gives(getsockname(), name("::", 50000)),
    "2: sendto returned ENETUNREACH, yet getsockname of s then differs: port 0 became a port of \
     the host's choice."
)]
#[case::an_address(
    unbound().err(bind(1), "EACCES").gives(getsockname(), name("::1", 0)),
    "2: bind returned EACCES, yet getsockname of s then differs: the address :: became ::1."
)]
#[case::the_port_is_lost(
    Story::udp6()
        .ok(bind(5), 0)
        .gives(getsockname(), name("::", 5))
        .err(bind(6), "EINVAL")
        .gives(getsockname(), name("::", 0)),
    "3: bind returned EINVAL, yet getsockname of s then differs: its port became 0."
)]
#[case::a_send_rather_than_a_receive(
    unbound()
        .err(recv("s"), "EAGAIN")
        .err(sendto(HELLO, neighbour()), "ENETUNREACH")
        .gives(getsockname(), name("::", 50000)),
    "3: sendto returned ENETUNREACH, yet getsockname of s then differs: port 0 became a port of \
     the host's choice."
)]
#[case::a_peer(
    Story::udp6()
        .err(peer(), "ENOTCONN")
        .err(sendto(HELLO, neighbour()), "ENETUNREACH")
        .gives(peer(), name("fe80::2", 12345)),
    "2: sendto returned ENETUNREACH, yet getpeername of s then differs: getpeername returned \
     ENOTCONN, and getpeername returned 0 afterwards."
)]
#[case::a_scope(
    Story::udp6()
        .gives(getsockname(), name("fe80::1", 5))
        .err(bind(5), "EINVAL")
        .gives(getsockname(), Out::Addr(harness::case::addr::SockAddr::V6 {
            ip: "fe80::1".parse().unwrap(),
            port: 5,
            scope: 2,
        })),
    "2: bind returned EINVAL, yet getsockname of s then differs: its scope id became another."
)]
fn names_change(#[case] story: Story, #[case] expected: &str) {
    assert_eq!(story.told(&RULE), [expected]);
    // POSIX admits it.
    assert_eq!(story.found(&RULE)[0].rank, Rank::Undocumented);
}
