//! Calls that send though no payload is written in them, or more than one: of vectors, of files, written out.

use harness::case::addr::Addr;
use harness::case::raw::Arg;
use harness::case::{Flags, Hex, LabOp, LinkKind, Op};
use harness::wire::TcpFlags;
use rstest::rstest;

use super::super::story::*;
use super::super::{Rule, bytes_as_written, no_effect, silent_loss};

const L0: &str = "[fe80::2]:12345";

fn s() -> String {
    "s".to_owned()
}

fn neighbour() -> Addr {
    to("fe80::2", "l0")
}

fn raw(call: &str, args: Vec<Arg>) -> Op {
    let args = std::iter::once(Arg::Fd(s())).chain(args).collect();
    Op::Raw { call: call.to_owned(), args }
}

/// `hello`, with zeros behind it.
fn raw_sendto(len: i64, flags: &[&'static str]) -> Op {
    let bytes = Arg::Bytes(Hex(b"hello".to_vec()));
    let (addr, size) = (Arg::Addr(neighbour()), Arg::Number(28));
    raw("sendto", vec![bytes, Arg::Number(len), Arg::Names(Flags::of(flags)), addr, size])
}

fn raw_write(bytes: &[u8]) -> Op {
    let len = Arg::Number(i64::try_from(bytes.len()).unwrap());
    raw("write", vec![Arg::Bytes(Hex(bytes.to_vec())), len])
}

/// An array of zeros, of which nobody knows what it sends.
fn raw_writev() -> Op {
    raw("writev", vec![Arg::Room, Arg::Number(1)])
}

fn writev(data: &str) -> Op {
    Op::Writev { fd: s(), data: vec![text(data)] }
}

fn sendmmsg(data: &str) -> Op {
    Op::Sendmmsg {
        fd: s(),
        data: vec![text(data)],
        flags: Flags::NONE,
        addr: None,
        control: Vec::new(),
    }
}

fn sendfile() -> Op {
    Op::Sendfile { fd: s(), file: "f".into(), offset: None, count: 6 }
}

fn splice() -> Op {
    Op::Splice { from: "f".into(), to: s(), count: 6, flags: Flags::NONE }
}

fn down() -> LabOp {
    LabOp::LinkDown { link: "l0".into() }
}

fn sent() -> Story {
    Story::udp6().ok(sendto(HELLO, neighbour()), 6)
}

fn lost(story: &Story) -> usize {
    story.told(&silent_loss::RULE).len()
}

/// What a datagram's own send says in another network is about itself, whichever call it is: `writev` and the
/// others were taken for a report of the one before.
#[rstest]
#[case(writev(HELLO))]
#[case(sendmmsg(HELLO))]
#[case(sendfile())]
#[case(splice())]
#[case(raw_write(b"hello\0"))]
fn what_a_later_send_says_is_about_itself(#[case] op: Op) {
    assert_eq!(lost(&sent().lab(down()).err(op.clone(), "ENETDOWN")), 1);
    // In the same one it is a report.
    assert_eq!(lost(&sent().err(op, "EHOSTUNREACH")), 0);
}

#[rstest]
#[case::lost(Story::udp6().ok(raw_sendto(6, &[]), 6), 1)]
#[case::left(Story::udp6().ok(raw_sendto(6, &[]), 6).udp("l0", L0, b"hello\0"), 0)]
#[case::left_otherwise(Story::udp6().ok(raw_sendto(6, &[]), 6).udp("l0", L0, b"hello!"), 1)]
#[case::failed(Story::udp6().err(raw_sendto(6, &[]), "EFAULT"), 0)]
#[case::a_part_that_waits(Story::udp6().ok(raw_sendto(6, &["MSG_MORE"]), 6), 0)]
#[case::with_the_part_that_waited(Story::udp6().ok(raw_sendto(6, &["MSG_MORE"]), 6)
    .ok(sendto("x", neighbour()), 1).udp("l0", L0, b"hello\0x"), 0)]
#[case::without_it(Story::udp6().ok(raw_sendto(6, &["MSG_MORE"]), 6)
    .ok(sendto("x", neighbour()), 1).udp("l0", L0, b"x"), 1)]
#[case::behind_what_nobody_knows(Story::udp6().ok(raw_writev(), 0).ok(sendto("x", neighbour()), 1), 0)]
#[case::behind_what_failed(Story::udp6().err(raw_writev(), "EFAULT").ok(sendto("x", neighbour()), 1), 1)]
fn what_is_written_out_is_sent(#[case] story: Story, #[case] is: usize) {
    assert_eq!(lost(&story), is, "{:?}", story.told(&silent_loss::RULE));
}

/// The call that is blamed is one that sends.
#[rstest]
#[case(writev(HELLO), "writev")]
#[case(sendmmsg(HELLO), "sendmmsg")]
#[case(sendfile(), "sendfile")]
#[case(splice(), "splice")]
#[case(raw_write(b"x"), "write")]
fn a_name_that_changed_is_a_sends_doing(#[case] op: Op, #[case] call: &str) {
    let unbound = || Story::udp6().gives(getsockname(), name("::", 0));
    let named = |story: Story| story.gives(getsockname(), name("::", 50000));
    let told = named(unbound().err(recv("s"), "EAGAIN").err(op.clone(), "ENETUNREACH"));
    let told = told.told(&no_effect::RULE);
    assert!(told.len() == 1 && told[0].starts_with(&format!("3: {call} returned")), "{told:?}");
    // One that succeeded may have bound it.
    let bound = named(unbound().err(recv("s"), "EAGAIN").ok(op, 1));
    assert_eq!(bound.told(&no_effect::RULE), [""; 0]);
}

#[test]
fn what_is_written_out_has_its_place_in_a_stream() {
    let story = |op: Op, ret: i64, bytes: &[u8]| {
        let story = Story::on(LinkKind::Tun)
            .ok(socket("s", "AF_INET6", "SOCK_STREAM", &[]), 0)
            .ok(connect(neighbour()), 0)
            .tcp("l0", L0, TcpFlags::SYN, b"")
            .ok(send("one"), 3);
        let story = if ret < 0 { story.err(op, "EFAULT") } else { story.ok(op, ret) };
        let rule: &Rule = &bytes_as_written::RULE;
        story.tcp_at("l0", L0, TcpFlags::ACK, 2, bytes).told(rule).len()
    };
    assert_eq!(story(raw_write(b"two"), 3, b"onetwo"), 0);
    assert_eq!(story(raw_write(b"two"), 2, b"onetw"), 0);
    assert_eq!(story(raw_write(b"two"), 3, b"oneTwo"), 1);
    assert_eq!(story(raw_write(b"two"), -1, b"onetwo"), 1);
    // Of what nobody knows nothing is said, unless it failed.
    assert_eq!(story(raw_writev(), 0, b"onetwo"), 0);
    assert_eq!(story(raw_writev(), -1, b"onetwo"), 1);
    let unspec = Addr { family: Some("AF_UNSPEC".into()), ..Addr::ip([0, 0, 0, 0], 0) };
    let again = raw("connect", vec![Arg::Addr(unspec), Arg::Number(16)]);
    assert_eq!(story(again, 0, b"onetwo"), 0);
}
