//! What Darwin's own calls send and receive: `connectx`, `sendmsg_x`, `recvmsg_x`.

use harness::case::addr::{Addr, SockAddr};
use harness::case::op::{Op, Value};
use harness::case::payload::pattern;
use harness::case::{Flags, Hex, Payload};
use harness::trace::{Direction, Out, Received};
use harness::wire::build;
use rstest::rstest;

use super::super::fragments::{FORBIDDEN, WHOLE};
use super::super::story::*;
use super::super::{forged, no_effect, silent_loss, too_big, zone, zone_names};

const L0: &str = "[fe80::2]:12345";
const BIG: i32 = 2000;

fn neighbour() -> Addr {
    to("fe80::2", "l0")
}

fn connectx(data: Payload, link: Option<&str>, addr: Addr) -> Op {
    let (link, data) = (link.map(str::to_owned), Some(data));
    Op::Connectx { fd: "s".into(), link, source: None, addr, flags: Flags::NONE, data }
}

fn batch(sizes: &[u32], addr: Option<Addr>) -> Op {
    let data = sizes.iter().map(|len| Payload::Pattern(*len)).collect();
    Op::SendmsgX { fd: "s".into(), data, flags: Flags::NONE, addr }
}

/// `connectx` with 2,000 bytes, or as many as it says that it has sent.
fn connected(sent: i32) -> Story {
    Story::udp6().gives(connectx(Payload::Pattern(2000), None, neighbour()), Out::Int(sent))
}

fn sent(sizes: &[u32], ret: i64) -> Story {
    Story::udp6().ok(batch(sizes, Some(neighbour())), ret)
}

fn pieces(story: Story, data: &[u8]) -> Story {
    story.piece("l0", L0, data, 0, 1448).piece("l0", L0, data, 1448, 2008)
}

#[rstest]
#[case::connectx(pieces(connected(BIG), &pattern(2000)))]
#[case::sendmsg_x(pieces(sent(&[2000], 1), &pattern(2000)))]
#[case::sendmsg_x_the_second(pieces(
    sent(&[6, 2000], 2).udp("l0", L0, &pattern(6)), &pattern(2000)))]
#[case::sendmsg_x_connected(pieces(
    Story::udp6().ok(connect(neighbour()), 0).ok(batch(&[2000], None), 1), &pattern(2000)))]
#[case::sent_though_it_failed(pieces(
    Story::udp6().err(batch(&[2000, 70_000], Some(neighbour())), "EMSGSIZE"), &pattern(2000)))]
fn their_data_are_given_to_a_send(#[case] story: Story) {
    assert_eq!(story.told_of_darwin(&WHOLE), [""; 0]);
    assert_eq!(story.told_of_darwin(&silent_loss::RULE), [""; 0]);
}

const NOBODYS: &str = "1: the fragments of a UDP datagram for fe80::2 on l0 make a datagram that no \
                       send was given.";

#[rstest]
#[case::connectx(pieces(connected(BIG), &[7; 2000]))]
#[case::sendmsg_x(pieces(sent(&[2000], 1), &[7; 2000]))]
#[case::sendmsg_x_beyond_those_sent(pieces(
    sent(&[6, 2000], 1).udp("l0", L0, &pattern(6)), &pattern(2000)))]
#[case::failed(pieces(
    Story::udp6().err(batch(&[2000], Some(neighbour())), "EMSGSIZE"), &[7; 2000]))]
fn other_data_are_nobodys(#[case] story: Story) {
    assert_eq!(story.told_of_darwin(&WHOLE), [NOBODYS]);
}

#[rstest]
#[case::connectx(connected(BIG), "connectx of 2000 bytes to fe80::2%l0 port 12345 returned 0, but")]
#[case::one_of_two(sent(&[6, 7], 2).udp("l0", L0, &pattern(6)),
    "sendmsg_x with one of 7 bytes to fe80::2%l0 port 12345 returned 2, but no frame")]
#[case::one_of_two_equals(sent(&[6, 6], 2).udp("l0", L0, &pattern(6)),
    "sendmsg_x with one of 6 bytes to fe80::2%l0 port 12345 returned 2, but no frame")]
fn what_they_lose_is_found(#[case] story: Story, #[case] beginning: &str) {
    let told = story.told_of_darwin(&silent_loss::RULE);
    assert!(matches!(&told[..], [one] if one.starts_with(&format!("1: {beginning}"))), "{told:?}");
}

/// What a call says that it has not sent is not lost.
#[rstest]
#[case::connectx(connected(0))]
#[case::sendmsg_x(sent(&[6, 7], 1).udp("l0", L0, &pattern(6)))]
#[case::sendmsg_x_failed(Story::udp6().err(batch(&[6, 7], None), "EDESTADDRREQ"))]
fn what_they_did_not_send_is_no_loss(#[case] story: Story) {
    assert_eq!(story.told_of_darwin(&silent_loss::RULE), [""; 0]);
    assert_eq!(story.told_of_darwin(&too_big::RULE), [""; 0]);
}

fn got(bytes: &[u8], from: Option<SockAddr>) -> Out {
    let (len, bytes) = (i64::try_from(bytes.len()).unwrap(), Hex(bytes.to_vec()));
    Out::Messages(vec![Received { len, bytes, from, flags: Vec::new(), control: Vec::new() }])
}

fn receive() -> Op {
    let (count, len, control_len) = (1, 64, 0);
    Op::RecvmsgX { fd: "r".into(), count, len, control_len, flags: Flags::NONE }
}

#[test]
fn what_recvmsg_x_got_is_a_receipt() {
    let lost = |bytes: &[u8]| sent(&[6], 1).gives(receive(), got(bytes, None));
    assert_eq!(lost(&pattern(6)).told_of_darwin(&silent_loss::RULE), [""; 0]);
    assert_eq!(lost(b"others").told_of_darwin(&silent_loss::RULE).len(), 1);
}

#[test]
fn what_recvmsg_x_tells_carries_the_scope() {
    let story = |scope| {
        let ends = ["[fe80::77]:9", "[fe80::1]:9"].map(|end| end.parse().unwrap());
        let frame = build::udp(Story::udp6().header("l1"), ends[0], ends[1], 64, b"data").unwrap();
        let from = SockAddr::V6 { ip: "fe80::77".parse().unwrap(), port: 9, scope };
        Story::udp6().frame("l1", Direction::In, frame).gives(receive(), got(b"data", Some(from)))
    };
    assert_eq!(story(3).told_of_darwin(&zone_names::RULE), [""; 0]);
    let told = "1: recvmsg_x reports the sender fe80::77 with the scope id of l0, but the address is \
                used on l1.";
    assert_eq!(story(2).told_of_darwin(&zone_names::RULE), [told]);
}

#[test]
fn connectx_names_the_peers_link() {
    let peer = |scope| {
        let at = SockAddr::V6 { ip: "fe80::2".parse().unwrap(), port: 12345, scope };
        Story::udp6()
            .ok(connect(to("fe80::2", "l1")), 0)
            .ok(Op::Disconnectx { fd: "s".into() }, 0)
            .gives(connectx(text(HELLO), None, neighbour()), Out::Int(6))
            .gives(Op::Getpeername { fd: "s".into() }, Out::Addr(at))
    };
    assert_eq!(peer(2).told_of_darwin(&zone_names::RULE), [""; 0]);
    assert_eq!(peer(3).told_of_darwin(&zone_names::RULE).len(), 1);
}

/// `sae_srcif` binds the socket.
#[test]
fn connectx_keeps_to_the_link_that_it_was_given() {
    let by = |link| {
        let call = connectx(text(HELLO), Some("l0"), to("2001:db8::2", ""));
        Story::udp6().gives(call, Out::Int(6)).udp(link, "[2001:db8::2]:12345", b"hello\0")
    };
    assert_eq!(by("l0").told_of_darwin(&zone::RULE), [""; 0]);
    let told =
        "1: connectx to 2001:db8::2 port 12345 put a UDP datagram on l1, but s is bound to l0.";
    assert_eq!(by("l1").told_of_darwin(&zone::RULE), [told]);
}

#[test]
fn fragments_are_forbidden_to_them_too() {
    let option = || setsockopt(option("IPPROTO_IPV6", "IPV6_DONTFRAG"), Value::Int(1));
    let story = Story::udp6().ok(option(), 0).ok(batch(&[6, 2000], Some(neighbour())), 2);
    let story = pieces(story.udp("l0", L0, &pattern(6)), &pattern(2000));
    let told = "2: sendmsg_x of 2000 bytes to fe80::2%l0 port 12345 on a socket that forbids \
                fragments: it left on l0 in 2 fragments.";
    assert_eq!(story.told_of_darwin(&FORBIDDEN), [told]);
}

/// Some left before one was refused: the call failed, and they are its effect.
#[test]
fn what_left_of_a_batch_that_failed_is_an_effect() {
    let story = Story::udp6().err(batch(&[6, 70_000], Some(neighbour())), "EMSGSIZE").udp(
        "l0",
        L0,
        &pattern(6),
    );
    let told = "1: sendmsg_x returned EMSGSIZE, yet a UDP datagram for fe80::2 left on l0.";
    assert_eq!(story.told_of_darwin(&no_effect::RULE), [told]);
}

/// Which of several did not fit is not said: it was the largest.
#[test]
fn a_forged_error_is_not_blamed_for_what_does_not_fit() {
    let story = |sizes: &[u32]| {
        let batch = batch(sizes, Some(neighbour()));
        Story::udp6().too_big_comes("[fe80::7]:9").err(batch, "EMSGSIZE")
    };
    assert_eq!(story(&[6, 3000]).told_of_darwin(&forged::RULE), [""; 0]);
    assert_eq!(story(&[6, 1400]).told_of_darwin(&forged::RULE).len(), 1);
}
