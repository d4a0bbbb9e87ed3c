//! A forged ICMP error changes nothing.

use harness::case::Payload;
use harness::case::op::Op;
use harness::case::{Flags, LinkKind};
use harness::trace::Out;
use harness::verdict::Rank;
use rstest::rstest;

use super::super::forged::RULE;
use super::super::story::*;

const L0: &str = "[fe80::2]:12345";
const AFTER: &str = "after an ICMP error about a packet that was never sent, ";

fn mtu() -> Op {
    getsockopt("IPPROTO_IPV6", "IPV6_MTU")
}

fn fits() -> Op {
    let (fd, flags) = ("s".into(), Flags::NONE);
    Op::Sendto { fd, data: Payload::Pattern(1400), flags, addr: to("fe80::2", "l0") }
}

fn forged() -> Story {
    Story::udp6().too_big_comes(L0)
}

/// The host had sent what the error quotes.
fn genuine() -> Story {
    Story::udp6()
        .ok(sendto(HELLO, to("fe80::2", "l0")), 6)
        .udp("l0", L0, b"hello\0")
        .too_big_comes(L0)
}

fn error() -> Op {
    getsockopt("SOL_SOCKET", "SO_ERROR")
}

#[rstest]
#[case::mtu_stays(forged().gives(mtu(), Out::Int(1500)))]
#[case::no_error(forged().gives(error(), Out::Int(0)).err(recv("s"), "EAGAIN"))]
#[case::another_error(forged().gives(error(), Out::Errno("ECONNREFUSED".into())))]
#[case::genuine(genuine().gives(mtu(), Out::Int(1280)).err(fits(), "EMSGSIZE"))]
#[case::before(Story::on(LinkKind::Tap)
    .ok(socket("s", "AF_INET6", "SOCK_DGRAM", &[]), 0)
    .gives(mtu(), Out::Int(1280))
    .too_big_comes(L0))]
fn holds(#[case] story: Story) {
    assert_eq!(story.told(&RULE), [""; 0]);
}

#[rstest]
#[case::mtu(forged().gives(mtu(), Out::Int(1280)), "1: ", "IPV6_MTU is 1280 over a link of 1500.")]
#[case::error(
    forged().gives(error(), Out::Errno("EMSGSIZE".into())), "1: ", "SO_ERROR is EMSGSIZE.")]
#[case::receive(forged().err(recv("s"), "EMSGSIZE"), "1: ", "recv returned EMSGSIZE.")]
#[case::send(
    forged().err(fits(), "EMSGSIZE"), "1: ", "sendto returned EMSGSIZE for 1400 bytes.")]
#[case::fragments(
    forged()
        .ok(fits(), 1400)
        .piece("l0", L0, &Payload::Pattern(1400).bytes(), 0, 1232)
        .piece("l0", L0, &Payload::Pattern(1400).bytes(), 1232, 1408),
    "1: ",
    "1400 bytes left in 2 fragments."
)]
fn fires(#[case] story: Story, #[case] op: &str, #[case] told: &str) {
    assert_eq!(story.told(&RULE), [format!("{op}{AFTER}{told}")]);
}

/// RFC 8085 is about UDP, RFC 8201 about IPv6; RFC 1191 has a host believe the rest.
#[rstest]
#[case::udp_over_ipv6("[fe80::2]:12345", 17, Rank::Surprises)]
#[case::udp_over_ipv4("192.0.2.2:12345", 17, Rank::Surprises)]
#[case::icmp_over_ipv6("[fe80::2]:12345", 58, Rank::Surprises)]
#[case::icmp_over_ipv4("192.0.2.2:12345", 1, Rank::Undocumented)]
fn it_weighs_what_the_text_says(#[case] dst: &str, #[case] protocol: u8, #[case] rank: Rank) {
    let (story, level, name) = if dst.starts_with('[') {
        (Story::udp6(), "IPPROTO_IPV6", "IPV6_MTU")
    } else {
        (Story::udp4(), "IPPROTO_IP", "IP_MTU")
    };
    let story = story.too_big_comes_of(dst, protocol);
    let found = story.gives(getsockopt(level, name), Out::Int(1280)).found(&RULE);
    assert_eq!(found.iter().map(|f| f.rank).collect::<Vec<_>>(), [rank], "{found:?}");
}
