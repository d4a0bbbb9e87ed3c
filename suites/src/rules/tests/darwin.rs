//! Darwin's ways: the copy through `lo0`, what is dropped as it is meant to be, the address that
//! loopback has itself. Each beside a fault that the rule still finds there.

use std::net::IpAddr;

use harness::case::addr::{Addr, SockAddr};
use harness::case::lab::{LabOp, RouteKind};
use harness::case::op::{Control, Intent, Op, Opt, Value};
use harness::case::{Flags, Hex, LinkKind};
use harness::trace::Out;
use rstest::rstest;

use super::super::story::*;
use super::super::{no_effect, silent_loss, zone, zone_names};

const GROUP: &str = "[ff02::99]:12345";
const EVERYBODY: &str = "255.255.255.255:12345";

/// `hello` to a group on `l0` is reported as sent.
fn to_group() -> Story {
    Story::udp6().ok(sendto(HELLO, to("ff02::99", "l0")), 6)
}

/// A socket of IPv4 that is bound to `l0`.
fn bound() -> Story {
    let option = Opt::Intent(Intent::BindToInterface);
    Story::udp4().ok(setsockopt(option, Value::Link("l0".into())), 0)
}

fn with(name: &'static str, value: Value) -> Story {
    Story::udp6().ok(setsockopt(option("IPPROTO_IPV6", name), value), 0)
}

fn with4(name: &'static str, value: Value) -> Story {
    Story::udp4().ok(setsockopt(option("IPPROTO_IP", name), value), 0)
}

fn lo() -> Value {
    Value::Link("lo".into())
}

fn hello(ip: &str) -> Op {
    sendto(HELLO, to(ip, ""))
}

/// What Darwin alone does is found of Linux, and of Darwin it is not.
#[rstest]
#[case::copy_first(to_group().udp("lo", GROUP, b"hello\0").udp("l0", GROUP, b"hello\0"))]
#[case::copy_last(to_group().udp("l0", GROUP, b"hello\0").udp("lo", GROUP, b"hello\0"))]
#[case::bound(bound().ok(hello("224.0.0.251"), 6)
    .udp("lo", "224.0.0.251:12345", b"hello\0")
    .udp("l0", "224.0.0.251:12345", b"hello\0"))]
#[case::broadcast(bound().ok(hello("255.255.255.255"), 6)
    .udp("lo", EVERYBODY, b"hello\0")
    .udp("l0", EVERYBODY, b"hello\0"))]
#[case::directed_broadcast(bound().ok(hello("192.0.2.255"), 6)
    .udp("lo", "192.0.2.255:12345", b"hello\0")
    .udp("l0", "192.0.2.255:12345", b"hello\0"))]
#[case::copy_of_fragments(Story::udp6().ok(super::super::fragments::big(to("ff02::99", "l0")), 2000)
    .udp("lo", GROUP, &harness::case::payload::pattern(2000))
    .piece("l0", GROUP, &harness::case::payload::pattern(2000), 0, 1448)
    .piece("l0", GROUP, &harness::case::payload::pattern(2000), 1448, 2008))]
#[case::no_hops(with("IPV6_MULTICAST_HOPS", Value::Int(0))
    .ok(sendto(HELLO, to("ff02::99", "l0")), 6)
    .udp("lo", GROUP, b"hello\0"))]
#[case::failed(Story::udp6().err(sendto(HELLO, to("ff02::1", "l0")), "ENETDOWN")
    .udp("lo", "[ff02::1]:12345", b"hello\0"))]
fn a_copy_through_loopback_enters_no_other_zone(#[case] story: Story) {
    assert_eq!(story.told(&zone::RULE).len(), 1, "a packet on lo");
    assert_eq!(story.told_of_darwin(&zone::RULE), [""; 0]);
    assert_eq!(story.told_of_darwin(&silent_loss::RULE), [""; 0]);
}

#[rstest]
#[case::another_link(to_group().udp("lo", GROUP, b"hello\0").udp("l1", GROUP, b"hello\0"), "l1")]
#[case::another_link_besides(to_group()
    .udp("l0", GROUP, b"hello\0")
    .udp("lo", GROUP, b"hello\0")
    .udp("l1", GROUP, b"hello\0"), "l1")]
#[case::no_original(to_group().udp("lo", GROUP, b"hello\0"), "lo")]
#[case::copy_of_another(to_group()
    .udp("lo", GROUP, b"hello\0")
    .udp("l0", GROUP, b"jello\0"), "lo")]
#[case::more_copies_than_originals(to_group()
    .udp("l0", GROUP, b"hello\0")
    .udp("lo", GROUP, b"hello\0")
    .udp("lo", GROUP, b"hello\0"), "lo")]
#[case::bound_broadcast(bound().ok(hello("255.255.255.255"), 6)
    .udp("lo", EVERYBODY, b"hello\0")
    .udp("l1", EVERYBODY, b"hello\0"), "l1")]
#[case::unicast(Story::udp6().ok(sendto(HELLO, to("fe80::2", "l0")), 6)
    .udp("l0", "[fe80::2]:12345", b"hello\0")
    .udp("lo", "[fe80::2]:12345", b"hello\0"), "lo")]
#[case::broadcast_of_no_link(bound().ok(hello("10.0.0.255"), 6)
    .udp("l0", "10.0.0.255:12345", b"hello\0")
    .udp("lo", "10.0.0.255:12345", b"hello\0"), "lo")]
fn another_zone_is_found_on_darwin(#[case] story: Story, #[case] link: &str) {
    let told = story.told_of_darwin(&zone::RULE);
    let wrong = format!(" put a UDP datagram on {link}, but ");
    assert!(told.iter().any(|told| told.contains(&wrong)), "{told:?}");
}

/// What the group was given although the call failed is told once, and by the rule that it breaks.
#[test]
fn a_copy_of_what_failed_is_an_effect() {
    let story = Story::udp6().err(sendto(HELLO, to("ff02::1", "l0")), "ENETDOWN").udp(
        "lo",
        "[ff02::1]:12345",
        b"hello\0",
    );
    let told = "1: sendto returned ENETDOWN, yet a UDP datagram for ff02::1 left on lo.";
    assert_eq!(story.told_of_darwin(&no_effect::RULE), [told]);
    // The copy of an earlier send that is seen late is no effect of this one.
    let late = to_group()
        .udp("l0", GROUP, b"hello\0")
        .err(sendto(HELLO, to("ff02::99", "l0")), "ENETDOWN")
        .udp("lo", GROUP, b"hello\0");
    assert_eq!(late.told_of_darwin(&no_effect::RULE), [""; 0]);
}

fn route(kind: RouteKind, prefix: &str, prefix_len: u8) -> LabOp {
    let prefix = prefix.parse().unwrap();
    LabOp::RouteAdd { prefix, prefix_len, kind, link: None, via: None }
}

const HOLE: RouteKind = RouteKind::Blackhole;

fn behind(route: LabOp) -> Story {
    Story::udp4().lab(route).ok(hello("10.0.0.9"), 6)
}

#[rstest]
#[case::by_loopback(with("IPV6_MULTICAST_IF", lo()).ok(hello("ff02::99"), 6))]
#[case::by_loopbacks_scope(Story::udp6().ok(sendto(HELLO, to("ff02::99", "").on_lo()), 6))]
#[case::by_loopback_and_another_scope(
    with("IPV6_MULTICAST_IF", lo()).ok(sendto(HELLO, to("ff02::99", "l0")), 6))]
#[case::by_a_message(with("IPV6_MULTICAST_IF", Value::Link("l0".into())).ok(by_message("lo"), 6))]
#[case::bound_to_another_link(bound()
    .ok(setsockopt(option("IPPROTO_IP", "IP_MULTICAST_IF"), lo()), 0)
    .ok(hello("239.1.2.3"), 6))]
#[case::from_loopback(Story::udp4()
    .ok(Op::Bind { fd: "s".into(), addr: to("127.0.0.1", "") }, 0)
    .ok(hello("239.1.2.3"), 6))]
#[case::by_loopbacks_address(with4(
    "IP_MULTICAST_IF", Value::Host(to("127.0.0.1", "").host)).ok(hello("239.1.2.3"), 6))]
#[case::member_elsewhere(with4("IP_ADD_MEMBERSHIP", joined("239.1.2.3", Some("l0")))
    .ok(setsockopt(option("IPPROTO_IP", "IP_MULTICAST_IF"), lo()), 0)
    .ok(hello("239.1.2.3"), 6))]
#[case::of_another_group(with4("IP_ADD_MEMBERSHIP", joined("239.1.2.4", Some("lo")))
    .ok(setsockopt(option("IPPROTO_IP", "IP_MULTICAST_IF"), lo()), 0)
    .ok(hello("239.1.2.3"), 6))]
#[case::member_no_more(with4("IP_ADD_MEMBERSHIP", joined("239.1.2.3", Some("lo")))
    .ok(setsockopt(option("IPPROTO_IP", "IP_DROP_MEMBERSHIP"), joined("239.1.2.3", Some("lo"))), 0)
    .ok(setsockopt(option("IPPROTO_IP", "IP_MULTICAST_IF"), lo()), 0)
    .ok(hello("239.1.2.3"), 6))]
#[case::nobody_shall_hear(with4("IP_ADD_MEMBERSHIP", joined("239.1.2.3", Some("lo")))
    .ok(setsockopt(option("IPPROTO_IP", "IP_MULTICAST_IF"), lo()), 0)
    .ok(setsockopt(option("IPPROTO_IP", "IP_MULTICAST_LOOP"), Value::Bytes(Hex(vec![0]))), 0)
    .ok(hello("239.1.2.3"), 6))]
#[case::black_hole(behind(route(HOLE, "10.0.0.0", 8)))]
#[case::black_hole_for_streams(Story::on(LinkKind::Tap)
    .ok(socket("s", "AF_INET", "SOCK_STREAM", &[]), 0)
    .lab(route(HOLE, "10.0.0.0", 8))
    .err(connect(to("10.0.0.9", "")), "EINPROGRESS"))]
#[case::longest_prefix(Story::udp4()
    .lab(route(HOLE, "10.0.0.0", 16))
    .lab(route(RouteKind::Unreachable, "10.0.0.0", 8))
    .ok(hello("10.0.0.9"), 6))]
fn what_is_dropped_as_it_is_meant_to_be_is_no_loss(#[case] story: Story) {
    assert_eq!(story.told(&silent_loss::RULE).len(), 1, "Linux shows it on lo, or says EINVAL");
    assert_eq!(story.told_of_darwin(&silent_loss::RULE), [""; 0]);
}

/// One byte is what Darwin's own headers have, and every system takes it.
#[test]
fn a_hop_limit_of_one_byte_is_one() {
    let hops =
        |byte| with4("IP_MULTICAST_TTL", Value::Bytes(Hex(vec![byte]))).ok(hello("224.0.0.251"), 6);
    assert_eq!(hops(0).told_of_darwin(&silent_loss::RULE), [""; 0]);
    assert_eq!(hops(1).told_of_darwin(&silent_loss::RULE).len(), 1);
}

const NOTHING: &str = "no frame carried them and nobody was asked";
const COPY: &str = "only the host's own copy of the packet is there, on lo";

#[rstest]
#[case::a_link_with_a_member(with("IPV6_JOIN_GROUP", joined("ff02::99", Some("l0")))
    .ok(sendto(HELLO, to("ff02::99", "l0")), 6), NOTHING)]
#[case::the_copy_alone(with("IPV6_JOIN_GROUP", joined("ff02::99", Some("l0")))
    .ok(sendto(HELLO, to("ff02::99", "l0")), 6).udp("lo", GROUP, b"hello\0"), COPY)]
#[case::the_copy_of_a_broadcast_alone(
    bound().ok(hello("255.255.255.255"), 6).udp("lo", EVERYBODY, b"hello\0"), COPY)]
#[case::two_copies_of_one(to_group().udp("l0", GROUP, b"hello\0").udp("lo", GROUP, b"hello\0")
    .ok(sendto(HELLO, to("ff02::99", "l0")), 6).udp("lo", GROUP, b"hello\0"), COPY)]
#[case::member_on_loopback(with4("IP_ADD_MEMBERSHIP", joined("239.1.2.3", Some("lo")))
    .ok(setsockopt(option("IPPROTO_IP", "IP_MULTICAST_IF"), lo()), 0)
    .ok(hello("239.1.2.3"), 6), NOTHING)]
#[case::member_by_address(with4(
    "IP_ADD_MEMBERSHIP", Value::Bytes(Hex(vec![239, 1, 2, 3, 127, 0, 0, 1])))
    .ok(setsockopt(option("IPPROTO_IP", "IP_MULTICAST_IF"), lo()), 0)
    .ok(hello("239.1.2.3"), 6), NOTHING)]
#[case::member_by_index(with(
    "IPV6_JOIN_GROUP",
    Value::Bytes(Hex([&"ff02::99".parse::<std::net::Ipv6Addr>().unwrap().octets()[..],
        &1_u32.to_ne_bytes()].concat())))
    .ok(setsockopt(option("IPPROTO_IPV6", "IPV6_MULTICAST_IF"), lo()), 0)
    .ok(hello("ff02::99"), 6), NOTHING)]
#[case::its_solicited_node_group(
    with("IPV6_MULTICAST_IF", lo()).ok(hello("ff02::1:ff00:1"), 6), NOTHING)]
#[case::all_nodes(with("IPV6_MULTICAST_IF", lo()).ok(hello("ff02::1"), 6), NOTHING)]
#[case::scope_of_loopback_and_another_link(with("IPV6_MULTICAST_IF", Value::Link("l0".into()))
    .ok(sendto(HELLO, to("ff02::99", "").on_lo()), 6), NOTHING)]
#[case::bound_to_a_link_and_from_loopback(bound()
    .ok(Op::Bind { fd: "s".into(), addr: to("127.0.0.1", "") }, 0)
    .ok(hello("239.1.2.3"), 6), NOTHING)]
#[case::a_message_that_names_a_link(with("IPV6_MULTICAST_IF", lo()).ok(by_message("l0"), 6), NOTHING)]
#[case::by_a_link(with("IPV6_MULTICAST_IF", Value::Link("l0".into()))
    .ok(hello("ff02::99"), 6), NOTHING)]
#[case::nobody_said_by_what(Story::udp6().ok(hello("ff02::99"), 6), NOTHING)]
#[case::a_route_that_refuses(behind(route(RouteKind::Unreachable, "10.0.0.0", 8)), NOTHING)]
#[case::a_hole_for_others(behind(route(HOLE, "10.1.0.0", 16)), NOTHING)]
#[case::a_way_past_the_hole(Story::udp4()
    .lab(route(HOLE, "10.0.0.0", 8))
    .lab(route(RouteKind::Unicast, "10.0.0.0", 24))
    .ok(hello("10.0.0.9"), 6), NOTHING)]
#[case::dug_later(Story::udp4()
    .ok(hello("10.0.0.9"), 6)
    .lab(route(HOLE, "10.0.0.0", 8)), NOTHING)]
#[case::a_neighbour(Story::udp4()
    .lab(route(HOLE, "0.0.0.0", 0))
    .ok(hello("192.0.2.2"), 6), NOTHING)]
fn a_loss_is_found_on_darwin(#[case] story: Story, #[case] why: &str) {
    let told = story.told_of_darwin(&silent_loss::RULE);
    assert!(matches!(&told[..], [one] if one.contains(why)), "{told:?}");
}

/// `IPV6_PKTINFO` names the link.
fn by_message(link: &str) -> Op {
    let (level, link, source) = ("IPPROTO_IPV6".into(), Some(link.to_owned()), None);
    let (data, flags, addr) = (text(HELLO), Flags::NONE, Some(to("ff02::99", "")));
    let control = vec![Control::PktInfo { level, link, source }];
    Op::Sendmsg { fd: "s".into(), data, flags, addr, control }
}

fn joined(group: &str, link: Option<&str>) -> Value {
    let group: IpAddr = group.parse().unwrap();
    Value::Membership { group, link: link.map(str::to_owned) }
}

/// The scope of loopback, which is no link of the lab's.
trait OnLoopback {
    fn on_lo(self) -> Addr;
}

impl OnLoopback for Addr {
    fn on_lo(self) -> Addr {
        self.scoped(harness::case::addr::Scope::Id(1))
    }
}

fn named(ip: &str, scope: u32) -> Story {
    let name = SockAddr::V6 { ip: ip.parse().unwrap(), port: 12345, scope };
    Story::on(LinkKind::Tap)
        .ok(socket("s", "AF_INET6", "SOCK_DGRAM", &[]), 0)
        .gives(getsockname(), Out::Addr(name))
}

#[test]
fn loopback_has_a_link_local_address_on_darwin() {
    let own = named("fe80::1", 1);
    let told = "1: getsockname reports the name fe80::1 with the scope id of lo, but the address \
                is used on l0.";
    assert_eq!(own.told(&zone_names::RULE), [told]);
    assert_eq!(own.told_of_darwin(&zone_names::RULE), [""; 0]);
}

/// `en0` has it, which no trace knows.
#[test]
fn an_address_of_the_host_may_be_on_another_interface() {
    let told = "1: getsockname reports the name fe80::5 with the scope id 14, which is the index of no \
                link.";
    assert_eq!(named("fe80::5", 14).told(&zone_names::RULE), [told]);
    assert_eq!(named("fe80::5", 14).told_of_darwin(&zone_names::RULE), [""; 0]);
}

#[rstest]
#[case::no_scope_of_the_hosts("fe80::5", 0, "without a scope id, which is the index of no link")]
#[case::an_interface_of_the_hosts(
    "fe80::1:1",
    14,
    "with the scope id 14, but the address is used on l1"
)]
#[case::no_scope("fe80::1", 0, "without a scope id, but the address is used on l0 and lo")]
#[case::another_link("fe80::1", 3, "with the scope id of l1, but the address is used on l0 and lo")]
#[case::another_address("fe80::1:1", 1, "with the scope id of lo, but the address is used on l1")]
fn a_wrong_scope_is_found_on_darwin(#[case] ip: &str, #[case] scope: u32, #[case] why: &str) {
    let told = named(ip, scope).told_of_darwin(&zone_names::RULE);
    assert_eq!(told, [format!("1: getsockname reports the name {ip} {why}.")]);
}
