//! No silent loss: where the line runs for address resolution, `MSG_MORE` and streams.

use harness::case::addr::{Addr, Host, Range, Role, SockAddr};
use harness::case::lab::{LabOp, RouteKind};
use harness::case::op::{Op, Value};
use harness::case::{Flags, Sym};
use harness::trace::{Direction, Out};
use harness::wire::{TcpFlags, build};
use rstest::rstest;

use super::super::silent_loss::RULE;
use super::super::story::*;

const THIRD: &str = "[fe80::3]:12345";
const SYN: TcpFlags = TcpFlags::SYN;
const ACK: TcpFlags = TcpFlags::ACK;

fn sent() -> Story {
    Story::udp6().ok(sendto(HELLO, to("fe80::3", "l0")), 6)
}

fn sent_v4(ip: &str) -> Story {
    Story::udp4().ok(sendto(HELLO, to(ip, "")), 6)
}

fn retrans(ms: u32) -> LabOp {
    LabOp::RetransTime { link: "l0".into(), ms }
}

fn route() -> LabOp {
    let role = Role::Silent;
    let via = Some(Host::On { link: "l0".into(), role, range: Range::V4 });
    let link = Some("l0".to_owned());
    let prefix = "10.0.0.0".parse().unwrap();
    LabOp::RouteAdd { prefix, prefix_len: 8, kind: RouteKind::Unicast, link, via }
}

fn redirected(about: &str) -> Story {
    let (from, own) = ("192.0.2.4".parse().unwrap(), "192.0.2.1".parse().unwrap());
    let story = sent_v4("10.1.1.1");
    let quote = build::ip(build::Link::Ip, own, about.parse().unwrap(), 64, 17, &[0; 8]).unwrap();
    let redirect = build::icmp_error(story.header("l0"), from, own, 5, 1, 0xc000_0203, &quote);
    story.frame("l0", Direction::In, redirect.unwrap())
}

#[rstest]
#[case::solicitation(sent().asks("l0", "fe80::3"))]
#[case::arp(sent_v4("192.0.2.3").asks("l0", "192.0.2.3"))]
#[case::the_router(sent_v4("10.1.1.1").lab(route()).asks("l0", "192.0.2.4"))]
#[case::redirected(redirected("10.1.1.1").asks("l0", "192.0.2.3"))]
#[case::still_asking(sent().asks("l0", "fe80::3")
    .later(900)
    .ok(sendto(HELLO, to("fe80::3", "l0")), 6))]
#[case::answered_and_sent(sent()
    .asks("l0", "fe80::3")
    .answers("l0", "fe80::3")
    .udp("l0", THIRD, b"hello\0"))]
#[case::arp_answered_and_sent(sent_v4("192.0.2.3")
    .asks("l0", "192.0.2.3")
    .answers("l0", "192.0.2.3")
    .udp("l0", "192.0.2.3:12345", b"hello\0"))]
#[case::replaced_by_a_later_packet(sent()
    .asks("l0", "fe80::3")
    .ok(sendto("later", to("fe80::3", "l0")), 5)
    .answers("l0", "fe80::3")
    .udp("l0", THIRD, b"later"))]
fn a_question_counts_until_it_is_answered(#[case] story: Story) {
    assert_eq!(story.told(&RULE), [""; 0]);
}

const UNASKED: &str = "no frame carried them and nobody was asked for a link-layer address";
const ANSWERED: &str = "no frame carried them although the host's address resolution was answered";

#[rstest]
#[case::for_another(sent().asks("l0", "fe80::4"), 1, UNASKED)]
#[case::not_the_router(sent_v4("11.1.1.1").lab(route()).asks("l0", "192.0.2.4"), 1, UNASKED)]
#[case::redirected_for_another(redirected("10.1.1.2").asks("l0", "192.0.2.3"), 1, UNASKED)]
#[case::announcement(sent_v4("192.0.2.1").asks("l0", "192.0.2.1"), 1, UNASKED)]
#[case::given_up(sent().asks("l0", "fe80::3")
    .later(1600)
    .ok(sendto(HELLO, to("fe80::3", "l0")), 6), 2, UNASKED)]
#[case::given_up_soon(Story::udp6()
    .lab(retrans(20))
    .ok(sendto(HELLO, to("fe80::3", "l0")), 6)
    .asks("l0", "fe80::3")
    .later(100)
    .ok(sendto(HELLO, to("fe80::3", "l0")), 6), 3, UNASKED)]
#[case::answered(sent().asks("l0", "fe80::3").answers("l0", "fe80::3"), 1, ANSWERED)]
#[case::arp_answered(sent_v4("192.0.2.3")
    .asks("l0", "192.0.2.3")
    .answers("l0", "192.0.2.3"), 1, ANSWERED)]
#[case::answered_before(sent()
    .asks("l0", "fe80::3")
    .answers("l0", "fe80::3")
    .udp("l0", THIRD, b"hello\0")
    .ok(sendto(HELLO, to("fe80::3", "l0")), 6), 2, UNASKED)]
fn a_question_is_no_excuse(#[case] story: Story, #[case] op: u32, #[case] why: &str) {
    let found = story.found(&RULE);
    assert!(
        matches!(&found[..], [one] if one.op == op && one.text.contains(&format!("but {why};"))),
        "{found:?}"
    );
}

fn more(data: &str, addr: Addr) -> Op {
    let flags = Flags::of(&["MSG_MORE"]);
    Op::Sendto { fd: "s".into(), data: text(data), flags, addr }
}

fn cork(on: i32) -> Op {
    setsockopt(option("IPPROTO_UDP", "UDP_CORK"), Value::Int(on))
}

fn second() -> Addr {
    to("fe80::2", "l0")
}

const TWO_OF_FIVE: &str =
    "2: sendto of 2 bytes, 5 with those that waited, to fe80::2%l0 port 12345 returned 2, but";

#[rstest]
#[case::waits(Story::udp6().ok(more("hel", second()), 3), None)]
#[case::corked(Story::udp6().ok(cork(1), 0).ok(sendto("hel", second()), 3).ok(cork(0), 0), None)]
#[case::corked_no_more(Story::udp6()
    .ok(cork(1), 0)
    .ok(cork(0), 0)
    .ok(sendto("hel", second()), 3), Some("3: sendto of 3 bytes to fe80::2%l0 port 12345 returned 3, but"))]
#[case::in_one(Story::udp6()
    .ok(more("he", second()), 2)
    .ok(more("l", second()), 1)
    .ok(sendto("lo", second()), 2)
    .udp("l0", "[fe80::2]:12345", b"hello"), None)]
#[case::to_the_first_destination(Story::udp6()
    .ok(more("hel", second()), 3)
    .ok(sendto("lo", to("fe80::3", "l0")), 2)
    .udp("l0", "[fe80::2]:12345", b"hello"), None)]
#[case::a_failure_between(Story::udp6()
    .ok(more("hel", second()), 3)
    .err(sendto("too long", second()), "EFAULT")
    .ok(sendto("lo", second()), 2)
    .udp("l0", "[fe80::2]:12345", b"hello"), None)]
#[case::only_the_last(Story::udp6()
    .ok(more("hel", second()), 3)
    .ok(sendto("lo", second()), 2)
    .udp("l0", "[fe80::2]:12345", b"lo"), Some(TWO_OF_FIVE))]
#[case::nothing(Story::udp6()
    .ok(more("hel", second()), 3)
    .ok(sendto("lo", second()), 2), Some(TWO_OF_FIVE))]
fn more_waits_for_the_rest(#[case] story: Story, #[case] expected: Option<&str>) {
    let told = story.told(&RULE);
    match (&told[..], expected) {
        ([], None) => {}
        ([one], Some(beginning)) => assert!(one.starts_with(beginning), "{one}"),
        _ => panic!("{told:?}"),
    }
}

const PEER: &str = "[fe80::2]:12345";

/// A `connect` that has begun.
fn begun() -> Story {
    Story::tcp6().err(connect(second()), "EINPROGRESS")
}

/// A connection that has been made.
fn connected() -> Story {
    begun().tcp("l0", PEER, SYN, b"").tcp_from("l0", PEER, SYN | ACK).tcp("l0", PEER, ACK, b"")
}

fn without_peer() -> Op {
    let family = Some(Sym::from("AF_UNSPEC"));
    connect(Addr { family, ..to("::", "") })
}

/// A stream that was accepted from `fe80::2` port 40000.
fn accepted() -> Story {
    let from = SockAddr::V6 { ip: "fe80::2".parse().unwrap(), port: 40000, scope: 2 };
    Story::on(harness::case::LinkKind::Tap)
        .ok(socket("l", "AF_INET6", "SOCK_STREAM", &[]), 0)
        .gives(Op::Accept { fd: "l".into(), new: "s".into() }, Out::Addr(from))
}

fn down() -> LabOp {
    LabOp::LinkDown { link: "l0".into() }
}

#[rstest]
#[case::syn(begun().tcp("l0", PEER, SYN, b""))]
#[case::at_once(Story::tcp6()
    .ok(connect(to("fe80::1", "l0")), 0)
    .tcp("lo", "[fe80::1]:12345", SYN, b""))]
#[case::asked(begun().asks("l0", "fe80::2"))]
#[case::refused(begun()
    .gives(getsockopt("SOL_SOCKET", "SO_ERROR"), Out::Errno("EHOSTUNREACH".into())))]
#[case::asked_how_it_goes(begun().tcp("l0", PEER, SYN, b"").ok(connect(second()), 0))]
#[case::failed(Story::tcp6().err(connect(second()), "ENETUNREACH"))]
#[case::taken_back(Story::tcp6().ok(without_peer(), 0))]
#[case::udp_says_nothing(Story::udp6().ok(connect(second()), 0))]
#[case::data(connected().ok(send(HELLO), 6).tcp("l0", PEER, ACK, b"hello\0"))]
#[case::some_data(connected().ok(send(HELLO), 6).tcp("l0", PEER, ACK, b"hel"))]
#[case::accepted(accepted().ok(send(HELLO), 6).tcp("l0", "[fe80::2]:40000", ACK, b"hello\0"))]
#[case::received(connected()
    .ok(send(HELLO), 6)
    .ok(socket("r", "AF_INET6", "SOCK_STREAM", &[]), 0)
    .receives("r", 3, b"hel"))]
#[case::reset(connected().ok(send(HELLO), 6).err(recv("s"), "ECONNRESET"))]
#[case::second_data_may_wait(connected()
    .ok(send(HELLO), 6)
    .tcp("l0", PEER, ACK, b"hello\0")
    .ok(send(HELLO), 6))]
#[case::closed_window(connected().tcp_from("l0", PEER, ACK).ok(send(HELLO), 6))]
#[case::network_changed(connected().lab(down()).ok(send(HELLO), 6))]
#[case::nothing_to_send(connected().ok(send(""), 0))]
fn streams_hold(#[case] story: Story) {
    assert_eq!(story.told(&RULE), [""; 0]);
}

#[rstest]
#[case::no_syn(
    begun(),
    "1: connect to fe80::2%l0 port 12345 returned EINPROGRESS, but no SYN left and nobody was \
     asked for a link-layer address; no later call on s reported an error."
)]
#[case::at_once(
    Story::tcp6().ok(connect(second()), 0),
    "1: connect to fe80::2%l0 port 12345 returned 0, but no SYN left and nobody was asked for a \
     link-layer address; no later call on s reported an error."
)]
#[case::syn_for_another(
    begun().tcp("l0", "[fe80::3]:12345", SYN, b"").tcp("l0", "[fe80::2]:80", SYN, b""),
    "1: connect to fe80::2%l0 port 12345 returned EINPROGRESS, but no SYN left and nobody was \
     asked for a link-layer address; no later call on s reported an error."
)]
#[case::asked_and_answered(
    begun().asks("l0", "fe80::2").answers("l0", "fe80::2"),
    "1: connect to fe80::2%l0 port 12345 returned EINPROGRESS, but no SYN left although the \
     host's address resolution was answered; no later call on s reported an error."
)]
#[case::no_data(
    connected().ok(send(HELLO), 6),
    "2: send of 6 bytes to fe80::2%l0 port 12345 returned 6, but no segment carried any of them \
     and nobody was asked for a link-layer address; no later receive of the case got them and no \
     later call on s reported an error."
)]
#[case::other_data(
    accepted().ok(send(HELLO), 6).tcp("l0", "[fe80::2]:40000", ACK, b"jell"),
    "2: send of 6 bytes to fe80::2%l0 returned 6, but no segment carried any of them and nobody \
     was asked for a link-layer address; no later receive of the case got them and no later call \
     on s reported an error."
)]
fn streams_fire(#[case] story: Story, #[case] expected: &str) {
    assert_eq!(story.told(&RULE), [expected]);
}
