//! Too big says EMSGSIZE.

use harness::case::addr::Addr;
use harness::case::op::{Op, Value};
use harness::case::{Flags, Payload};
use rstest::rstest;

use super::super::story::*;
use super::super::too_big::RULE;

pub(super) fn too_big(addr: Addr, len: u32) -> Op {
    let (fd, flags) = ("s".into(), Flags::NONE);
    Op::Sendto { fd, data: Payload::Pattern(len), flags, addr }
}

fn over4(len: u32) -> Op {
    too_big(to("192.0.2.2", ""), len)
}

fn over6(len: u32) -> Op {
    too_big(to("fe80::2", "l0"), len)
}

/// On a socket of IPv6 that was told so, to an IPv4-mapped address.
fn mapped(told: Op) -> Story {
    Story::udp6().ok(told, 0).err(too_big(to("::ffff:192.0.2.2", ""), 1473), "ENOBUFS")
}

fn dontfrag6() -> Op {
    setsockopt(option("IPPROTO_IPV6", "IPV6_DONTFRAG"), Value::Int(1))
}

fn mode4() -> Op {
    let mode = Value::Named("IP_PMTUDISC_DO".into());
    setsockopt(option("IPPROTO_IP", "IP_MTU_DISCOVER"), mode)
}

fn forbidding() -> Story {
    let mode = Value::Named("IP_PMTUDISC_DO".into());
    Story::udp4().ok(setsockopt(option("IPPROTO_IP", "IP_MTU_DISCOVER"), mode), 0)
}

#[rstest]
#[case::beyond_udp(Story::udp4().err(over4(65_508), "EMSGSIZE"))]
#[case::most_of_udp(Story::udp4().err(over4(65_507), "EINVAL"))]
#[case::most_of_udp_over_ipv6(Story::udp6().err(over6(65_527), "EINVAL"))]
#[case::no_route(Story::udp4().err(over4(65_508), "ENETUNREACH"))]
#[case::beyond_the_link(forbidding().err(over4(1473), "EMSGSIZE"))]
#[case::fits_the_link(forbidding().err(over4(1472), "EINVAL"))]
#[case::fragments_allowed(Story::udp4().err(over4(1473), "EINVAL"))]
#[case::mapped_which_that_option_does_not_reach(mapped(dontfrag6()))]
#[case::raw_over_ipv6(Story::on(harness::case::LinkKind::Tap)
    .ok(socket("s", "AF_INET6", "SOCK_RAW", &["IPPROTO_ICMPV6"]), 0)
    .err(over6(65_536), "EINVAL"))]
fn holds(#[case] story: Story) {
    assert_eq!(story.told(&RULE), [""; 0]);
}

#[rstest]
#[case::another_errno(
    Story::udp4().err(over4(65_508), "EINVAL"),
    "1: sendto returned EINVAL for 65508 bytes, and its protocol has room for 65507."
)]
#[case::success(
    Story::udp6().ok(over6(65_528), 65_528),
    "1: sendto returned 65528 for 65528 bytes, and its protocol has room for 65527."
)]
#[case::the_link(
    forbidding().err(over4(1473), "ENOBUFS"),
    "2: sendto returned ENOBUFS for 1473 bytes, which fragments were forbidden for, and the \
     link's MTU is 1500."
)]
#[case::mapped(
    mapped(mode4()),
    "2: sendto returned ENOBUFS for 1473 bytes, which fragments were forbidden for, and the \
     link's MTU is 1500."
)]
fn fires(#[case] story: Story, #[case] expected: &str) {
    assert_eq!(story.told(&RULE), [expected]);
}
