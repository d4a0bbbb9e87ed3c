//! What shall not wait: after a shutdown, when it is ready, at the end of a stream.

use harness::case::addr::{Addr, Port};
use harness::case::op::{Control, Op, PollFd, Value};
use harness::case::{Flags, LabOp, LinkKind};
use harness::trace::{Direction, Out};
use harness::verdict::Rank;
use harness::wire::TcpFlags;
use harness::wire::build::{self, Segment};
use rstest::rstest;

use super::super::story::{
    Story, ask_of, connect, data, recv, recv_into, send_by, set_of, shutdown, socket, text, to,
};
use super::super::{ends, ready, shut};

/// A pair whose end `a` was shut.
fn ended(how: &'static str) -> Story {
    Story::on(LinkKind::Tap).pair("a", "b", "SOCK_STREAM").ok(shutdown("a", how), 0)
}

fn no_signal(data: &str) -> Op {
    let data = text(data);
    Op::Send { fd: "a".into(), data, flags: Flags::of(&["MSG_NOSIGNAL"]) }
}

fn nothing() -> Out {
    data("", &[], &[])
}

#[rstest]
#[case::with_a_signal(ended("SHUT_WR").err(send_by("a", "x"), "EPIPE").signal("SIGPIPE"))]
#[case::without_one(ended("SHUT_RDWR").err(no_signal("x"), "EPIPE"))]
#[case::datagrams(
    Story::on(LinkKind::Tap)
        .pair("a", "b", "SOCK_DGRAM")
        .ok(shutdown("a", "SHUT_WR"), 0)
        .err(send_by("a", "x"), "EPIPE")
)]
#[case::by_the_other_end(ended("SHUT_WR").ok(send_by("b", "x"), 1))]
#[case::shut_for_receiving(ended("SHUT_RD").ok(send_by("a", "x"), 1))]
#[case::refused(
    Story::on(LinkKind::Tap)
        .pair("a", "b", "SOCK_STREAM")
        .err(shutdown("a", "SHUT_WR"), "EINVAL")
        .ok(send_by("a", "x"), 1)
)]
#[case::of_the_network(ended("SHUT_WR").err(no_signal("x"), "ECONNRESET"))]
#[case::the_end(ended("SHUT_RD").call(recv("a"), 0, None, nothing()))]
#[case::data_all_the_same(ended("SHUT_RD").call(recv("a"), 1, None, data("x", &[], &[])))]
#[case::no_data_on_datagrams(
    Story::on(LinkKind::Tap)
        .pair("a", "b", "SOCK_DGRAM")
        .ok(shutdown("a", "SHUT_RD"), 0)
        .err(recv("a"), "EAGAIN")
)]
fn a_shutdown_forbids(#[case] story: Story) {
    assert_eq!(story.told(&shut::RULE), [""; 0]);
}

#[rstest]
#[case::it_sends(
    ended("SHUT_WR").ok(send_by("a", "x"), 1),
    Rank::Violates,
    "2: send returned 1 after SHUT_WR, not EPIPE."
)]
#[case::another_errno(
    ended("SHUT_RDWR").err(send_by("a", "x"), "EAGAIN"),
    Rank::Violates,
    "2: send returned EAGAIN after SHUT_WR, not EPIPE."
)]
#[case::it_waits(
    ended("SHUT_WR").hangs(send_by("a", "x")),
    Rank::Violates,
    "2: send after SHUT_WR did not return."
)]
#[case::no_signal(
    ended("SHUT_WR").err(send_by("a", "x"), "EPIPE"),
    Rank::Surprises,
    "2: send returned EPIPE without MSG_NOSIGNAL, and no SIGPIPE came."
)]
#[case::a_signal_all_the_same(
    ended("SHUT_WR").err(no_signal("x"), "EPIPE").signal("SIGPIPE"),
    Rank::Violates,
    "2: send returned EPIPE with MSG_NOSIGNAL, and SIGPIPE came."
)]
#[case::a_receive_would_wait(
    ended("SHUT_RD").err(recv("a"), "EAGAIN"),
    Rank::Surprises,
    "2: recv returned EAGAIN after SHUT_RD: it would wait for data."
)]
#[case::a_receive_waits(
    ended("SHUT_RD").hangs(recv("a")),
    Rank::Surprises,
    "2: recv after SHUT_RD did not return."
)]
fn a_shutdown_does_not_forbid(#[case] story: Story, #[case] rank: Rank, #[case] expected: &str) {
    assert_eq!(story.told(&shut::RULE), [expected]);
    assert_eq!(story.found(&shut::RULE)[0].rank, rank);
}

/// `poll` says this of `s`.
fn polled(names: &[&'static str]) -> Story {
    let fds = vec![PollFd { fd: "s".into(), events: Flags::of(&["POLLIN", "POLLOUT"]) }];
    let said = names.iter().map(|name| (*name).into()).collect();
    Story::udp4().call(Op::Poll { fds, timeout_ms: 0 }, 1, None, Out::Poll(vec![said]))
}

/// `select` says this.
fn selected(read: &[&str], write: &[&str]) -> Story {
    selected_in(Story::udp4(), read, write)
}

fn selected_in(story: Story, read: &[&str], write: &[&str]) -> Story {
    let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let op = Op::Select {
        read: names(&["s"]),
        write: names(&["s"]),
        except: Vec::new(),
        timeout_ms: Some(0),
    };
    story.call(op, 1, None, Out::Sets([names(read), names(write), Vec::new()]))
}

fn a_send() -> Op {
    send_by("s", "x")
}

#[rstest]
#[case::it_was(polled(&["POLLIN"]).call(recv("s"), 1, None, data("x", &[], &[])))]
#[case::not_said(polled(&["POLLOUT"]).err(recv("s"), "EAGAIN"))]
#[case::of_the_error_alone(polled(&["POLLERR"]).err(recv("s"), "EAGAIN"))]
#[case::an_error(polled(&["POLLIN"]).err(recv("s"), "ECONNREFUSED"))]
#[case::read_before(
    polled(&["POLLIN"]).call(recv("s"), 1, None, data("x", &[], &[])).err(recv("s"), "EAGAIN")
)]
#[case::the_error_was_read(
    polled(&["POLLIN"])
        .gives(ask_of("s", "SO_ERROR"), Out::Errno("ECONNREFUSED".into()))
        .err(recv("s"), "EAGAIN")
)]
#[case::the_lab_did_something(
    polled(&["POLLIN"])
        .lab(LabOp::Wait { ms: 1, until: None, why: "a timer".to_owned() })
        .err(recv("s"), "EAGAIN")
)]
#[case::a_frame_came(polled(&["POLLIN"]).too_big_comes("192.0.2.2:9").err(recv("s"), "EAGAIN"))]
#[case::of_the_error_queue(polled(&["POLLIN"]).err(recv_into("s", 9, &["MSG_ERRQUEUE"]), "EAGAIN"))]
#[case::too_much(polled(&["POLLOUT"]).err(send_by("s", &"x".repeat(5_000)), "EAGAIN"))]
#[case::selected_for_an_error_that_waits(
    selected_in(Story::udp4().ok(set_of("s", "IP_RECVERR", Value::Int(1)), 0), &["s"], &[])
        .err(recv("s"), "EAGAIN")
)]
#[case::selected_for_the_other(selected(&[], &["s"]).err(recv("s"), "EAGAIN"))]
fn what_is_ready_may_be_other(#[case] story: Story) {
    assert_eq!(story.told(&ready::RULE), [""; 0]);
}

#[rstest]
#[case::to_read(
    polled(&["POLLIN"]).err(recv("s"), "EAGAIN"),
    Rank::Surprises,
    "2: poll said that it would not wait, but recv returned EAGAIN."
)]
#[case::to_write(
    polled(&["POLLOUT"]).err(a_send(), "EAGAIN"),
    Rank::Surprises,
    "2: poll said that it would not wait, but send returned EAGAIN."
)]
#[case::it_waits(
    polled(&["POLLIN"]).hangs(recv("s")),
    Rank::Violates,
    "2: poll said that it would not wait, but recv did not return."
)]
#[case::selected(
    selected(&["s"], &[]).err(recv("s"), "EAGAIN"),
    Rank::Surprises,
    "2: select said that it would not wait, but recv returned EAGAIN."
)]
#[case::polled_though_errors_wait(
    Story::udp4()
        .ok(set_of("s", "IP_RECVERR", Value::Int(1)), 0)
        .call(
            Op::Poll { fds: vec![PollFd { fd: "s".into(), events: Flags::of(&["POLLIN"]) }], timeout_ms: 0 },
            1,
            None,
            Out::Poll(vec![vec!["POLLIN".into()]]),
        )
        .err(recv("s"), "EAGAIN"),
    Rank::Surprises,
    "3: poll said that it would not wait, but recv returned EAGAIN."
)]
#[case::an_option_between(
    polled(&["POLLIN"]).gives(ask_of("s", "SO_RCVBUF"), Out::Int(1)).err(recv("s"), "EAGAIN"),
    Rank::Surprises,
    "3: poll said that it would not wait, but recv returned EAGAIN."
)]
fn what_is_ready_waits(#[case] story: Story, #[case] rank: Rank, #[case] expected: &str) {
    assert_eq!(story.told(&ready::RULE), [expected]);
    assert_eq!(story.found(&ready::RULE)[0].rank, rank);
}

/// select(2) says so itself.
#[test]
fn a_wrong_checksum_is_admitted() {
    let story = Story::udp4();
    let (from, own) = ("192.0.2.2:9".parse().unwrap(), "192.0.2.1:9".parse().unwrap());
    let mut frame = build::udp(story.header("l0"), from, own, 64, b"hello").unwrap();
    *frame.last_mut().unwrap() ^= 1;
    let fds = vec![PollFd { fd: "s".into(), events: Flags::of(&["POLLIN"]) }];
    let story = story
        .frame("l0", Direction::In, frame)
        .call(Op::Poll { fds, timeout_ms: 0 }, 1, None, Out::Poll(vec![vec!["POLLIN".into()]]))
        .err(recv("s"), "EAGAIN");
    let found = story.found(&ready::RULE);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].rank, Rank::Undocumented);
}

/// Two bytes went from `a` to `b`, and `a` is closed or shut.
fn told(close: bool) -> Story {
    let story = Story::on(LinkKind::Tap).pair("a", "b", "SOCK_STREAM").ok(send_by("a", "xy"), 2);
    let end = if close { Op::Close { fd: "a".into() } } else { shutdown("a", "SHUT_WR") };
    story.ok(end, 0)
}

/// A message with a descriptor.
fn passes(fd: &str, passed: &str) -> Op {
    let control = vec![Control::Rights { fds: vec![passed.into()] }];
    Op::Sendmsg { fd: fd.into(), data: text("x"), flags: Flags::NONE, control, addr: None }
}

/// `l` is bound to that port and accepts `p`, and a socket that connected to port 12345 is closed.
fn accepts(port: u16) -> Story {
    let listens = Addr { port: Port::Is(port), ..to("192.0.2.1", "") };
    Story::on(LinkKind::Tap)
        .ok(socket("l", "AF_INET", "SOCK_STREAM", &[]), 0)
        .ok(Op::Bind { fd: "l".into(), addr: listens }, 0)
        .ok(socket("s", "AF_INET", "SOCK_STREAM", &[]), 0)
        .ok(connect(to("192.0.2.1", "")), 0)
        .ok(Op::Accept { fd: "l".into(), new: "p".into() }, 0)
        .ok(Op::Close { fd: "s".into() }, 0)
}

fn both(story: Story) -> Story {
    story.call(recv("b"), 2, None, data("xy", &[], &[]))
}

#[rstest]
#[case::closed(both(told(true)).call(recv("b"), 0, None, nothing()))]
#[case::shut(both(told(false)).call(recv("b"), 0, None, nothing()))]
#[case::peeked(told(false).call(recv_into("b", 9, &["MSG_PEEK"]), 2, None, data("xy", &[], &[])))]
#[case::not_ended(
    both(Story::on(LinkKind::Tap).pair("a", "b", "SOCK_STREAM").ok(send_by("a", "xy"), 2))
        .err(recv("b"), "EAGAIN")
)]
#[case::shut_itself(
    told(false).ok(shutdown("b", "SHUT_RD"), 0).call(recv("b"), 0, None, nothing())
)]
#[case::messages_are_not_bytes(
    Story::on(LinkKind::Tap)
        .pair("a", "b", "SOCK_STREAM")
        .ok(
            Op::Sendmmsg {
                fd: "a".into(),
                data: vec![text("xy"), text("z")],
                flags: Flags::NONE,
                addr: None,
                control: Vec::new(),
            },
            2,
        )
        .ok(shutdown("a", "SHUT_WR"), 0)
        .call(recv("b"), 2, None, data("xy", &[], &[]))
        .call(recv("b"), 1, None, data("z", &[], &[]))
        .call(recv("b"), 0, None, nothing())
)]
#[case::room_for_nothing(told(false).call(recv_into("b", 0, &[]), 0, None, nothing()))]
#[case::of_the_error_queue(both(told(false)).err(recv_into("b", 9, &["MSG_ERRQUEUE"]), "EAGAIN"))]
#[case::by_another_name(
    Story::on(LinkKind::Tap)
        .pair("a", "b", "SOCK_STREAM")
        .ok(Op::Dup { fd: "a".into(), new: "c".into() }, 0)
        .ok(Op::Close { fd: "a".into() }, 0)
        .err(recv("b"), "EAGAIN")
)]
#[case::an_end_that_is_on_its_way(
    Story::on(LinkKind::Tap)
        .pair("a", "b", "SOCK_STREAM")
        .pair("c", "d", "SOCK_STREAM")
        .ok(passes("c", "a"), 1)
        .ok(Op::Close { fd: "a".into() }, 0)
        .err(recv("b"), "EAGAIN")
)]
#[case::of_another_connection(accepts(9).err(recv("p"), "EAGAIN"))]
fn the_end_is_told(#[case] story: Story) {
    assert_eq!(story.told(&ends::RULE), [""; 0]);
}

#[rstest]
#[case::it_would_wait(
    both(told(true)).err(recv("b"), "EAGAIN"),
    "4: recv returned EAGAIN after the end of the stream."
)]
#[case::it_waits(
    both(told(false)).hangs(recv("b")),
    "4: recv did not return after the end of the stream."
)]
#[case::of_what_was_accepted(
    accepts(12345).err(recv("p"), "EAGAIN"),
    "6: recv returned EAGAIN after the end of the stream."
)]
#[case::too_early(
    told(false).call(recv("b"), 0, None, nothing()),
    "3: recv returned 0 with 0 bytes read of a stream of 2."
)]
fn the_end_is_not_told(#[case] story: Story, #[case] expected: &str) {
    assert_eq!(story.told(&ends::RULE), [expected]);
    assert_eq!(story.found(&ends::RULE)[0].rank, Rank::Violates);
}

const PEER: &str = "[fe80::2]:12345";

/// A segment of the far end's.
fn comes(story: Story, flags: TcpFlags, seq: u32, payload: &[u8]) -> Story {
    let (peer, own) = (PEER.parse().unwrap(), "[fe80::1]:50000".parse().unwrap());
    let segment = Segment { flags, seq, ack: 2, window: 9, urgent: 0, options: &[], payload };
    let frame = build::tcp_segment(story.header("l0"), peer, own, 64, &segment).unwrap();
    story.frame("l0", Direction::In, frame)
}

/// The host's, which acknowledges up to there.
fn acks(story: Story, ack: u32) -> Story {
    let (peer, own) = (PEER.parse().unwrap(), "[fe80::1]:50000".parse().unwrap());
    let (flags, payload) = (TcpFlags::ACK, &[][..]);
    let segment = Segment { flags, seq: 2, ack, window: 9, urgent: 0, options: &[], payload };
    let frame = build::tcp_segment(story.header("l0"), own, peer, 64, &segment).unwrap();
    story.frame("l0", Direction::Out, frame)
}

/// A connection by a link, whose far end has sent nothing yet.
fn connected() -> Story {
    let story =
        Story::tcp6().ok(connect(to("fe80::2", "l0")), 0).tcp("l0", PEER, TcpFlags::SYN, b"");
    acks(comes(story, TcpFlags::SYN | TcpFlags::ACK, 100, b""), 101)
}

fn finished() -> Story {
    acks(comes(connected(), TcpFlags::FIN | TcpFlags::ACK, 101, b"xy"), 104)
}

fn reset(seq: u32) -> Story {
    comes(connected(), TcpFlags::RST, seq, b"")
}

#[rstest]
#[case::all(
    finished().call(recv("s"), 2, None, data("xy", &[], &[])).call(recv("s"), 0, None, nothing())
)]
#[case::not_acknowledged(
    comes(connected(), TcpFlags::FIN | TcpFlags::ACK, 999, b"").err(recv("s"), "EAGAIN")
)]
#[case::once(reset(101).err(recv("s"), "ECONNRESET").call(recv("s"), 0, None, nothing()))]
#[case::by_another_call(
    reset(101)
        .gives(ask_of("s", "SO_ERROR"), Out::Errno("ECONNRESET".into()))
        .call(recv("s"), 0, None, nothing())
)]
#[case::with_another_number(reset(555).err(recv("s"), "EAGAIN"))]
fn what_frames_say_is_told(#[case] story: Story) {
    assert_eq!(story.told(&ends::RULE), [""; 0]);
}

#[rstest]
#[case::no_end(
    finished().call(recv("s"), 2, None, data("xy", &[], &[])).err(recv("s"), "EAGAIN"),
    Rank::Violates,
    "3: recv returned EAGAIN after the end of the stream."
)]
#[case::an_end_before_it(
    finished().call(recv("s"), 0, None, nothing()),
    Rank::Violates,
    "2: recv returned 0 with 0 bytes read of a stream of 2."
)]
#[case::no_reset(
    reset(101).call(recv("s"), 0, None, nothing()),
    Rank::Violates,
    "2: recv returned 0 after a reset that no call has told."
)]
#[case::it_would_wait(
    reset(101).err(recv("s"), "EAGAIN"),
    Rank::Violates,
    "2: recv returned EAGAIN after a reset."
)]
#[case::twice(
    reset(101).err(recv("s"), "ECONNRESET").err(recv("s"), "ECONNRESET"),
    Rank::Surprises,
    "3: recv told a reset that had been told before."
)]
fn what_frames_say_is_not_told(#[case] story: Story, #[case] rank: Rank, #[case] expected: &str) {
    assert_eq!(story.told(&ends::RULE), [expected]);
    assert_eq!(story.found(&ends::RULE)[0].rank, rank);
}
