//! Messages that are cut, and what comes beside them.

use harness::case::op::{Op, Value};
use harness::case::{Flags, LinkKind};
use harness::trace::{Direction, Out};
use harness::verdict::Rank;
use harness::wire::build;
use rstest::rstest;

use super::super::story::{
    Story, data, recv_into, recvmsg, send_by, set_of, shutdown, socket, text,
};
use super::super::{control, whole};

/// `hello world` is on its way from `a` to `b`.
fn sent() -> Story {
    Story::udp4().pair("a", "b", "SOCK_DGRAM").ok(send_by("a", "hello world"), 11)
}

fn gives(story: Story, op: Op, ret: i64, out: Out) -> Story {
    story.call(op, ret, None, out)
}

#[rstest]
#[case::whole(gives(sent(), recvmsg("b", 20, &[]), 11, data("hello world", &[], &[])))]
#[case::cut_and_said(gives(sent(), recvmsg("b", 5, &[]), 5, data("hello", &["MSG_TRUNC"], &[])))]
#[case::only_peeked(gives(sent(), recvmsg("b", 5, &["MSG_PEEK"]), 5, data("hello", &[], &[])))]
#[case::recv_has_no_flags(gives(sent(), recv_into("b", 5, &[]), 5, data("hello", &[], &[])))]
#[case::its_length(
    gives(sent(), recv_into("b", 5, &["MSG_TRUNC"]), 11, data("hello", &[], &[]))
)]
#[case::may_be_another(
    gives(sent().ok(send_by("a", "hello"), 5), recvmsg("b", 5, &[]), 5, data("hello", &[], &[]))
)]
#[case::nobody_saw_it_sent(gives(sent(), recvmsg("b", 5, &[]), 5, data("other", &[], &[])))]
#[case::a_stream(gives(
    Story::udp4().pair("a", "b", "SOCK_STREAM").ok(send_by("a", "hello world"), 11),
    recvmsg("b", 5, &[]),
    5,
    data("hello", &[], &[]),
))]
#[case::the_end(gives(
    sent().ok(shutdown("a", "SHUT_WR"), 0),
    recvmsg("b", 5, &[]),
    0,
    data("", &[], &[]),
))]
#[case::in_pieces(gives(
    Story::udp4().pair("a", "b", "SOCK_DGRAM").ok(
        Op::Send {
            fd: "a".into(),
            data: text("hello world"),
            flags: Flags::of(&["MSG_MORE"]),
        },
        11,
    ),
    recvmsg("b", 5, &[]),
    5,
    data("hello", &[], &[]),
))]
#[case::the_next_begins_as_the_rest(gives(
    gives(
        sent().ok(send_by("a", " wor"), 4),
        recvmsg("b", 5, &[]),
        5,
        data("hello", &["MSG_TRUNC"], &[]),
    ),
    recvmsg("b", 9, &[]),
    4,
    data(" wor", &[], &[]),
))]
fn a_message_is_whole_or_flagged(#[case] story: Story) {
    assert_eq!(story.told(&whole::RULE), [""; 0]);
}

#[rstest]
#[case::in_silence(
    gives(sent(), recvmsg("b", 5, &[]), 5, data("hello", &[], &[])),
    Rank::Violates,
    "3: recvmsg gave 5 of 11 bytes of a message, and no MSG_TRUNC."
)]
#[case::with_room_left(
    gives(sent(), recv_into("b", 20, &[]), 5, data("hello", &[], &[])),
    Rank::Violates,
    "3: recv gave 5 of 11 bytes of a message into room for 20."
)]
#[case::another_length(
    gives(sent(), recv_into("b", 5, &["MSG_TRUNC"]), 5, data("hello", &[], &[])),
    Rank::Surprises,
    "3: recv with MSG_TRUNC gave 5 of 11 bytes of a message, and returned 5."
)]
#[case::said_of_what_is_whole(
    gives(sent(), recvmsg("b", 20, &[]), 11, data("hello world", &["MSG_TRUNC"], &[])),
    Rank::Surprises,
    "3: recvmsg gave all 11 bytes of a message, and MSG_TRUNC with them."
)]
#[case::the_rest_comes(
    gives(
        gives(sent(), recv_into("b", 5, &[]), 5, data("hello", &[], &[])),
        recv_into("b", 20, &[]),
        6,
        data(" world", &[], &[]),
    ),
    Rank::Violates,
    "4: recv gave 6 bytes that are the rest of a message that was cut before."
)]
fn a_message_is_cut(#[case] story: Story, #[case] rank: Rank, #[case] expected: &str) {
    assert_eq!(story.told(&whole::RULE), [expected]);
    assert_eq!(story.found(&whole::RULE)[0].rank, rank);
}

/// What came by a link is known by its frame.
#[test]
fn a_datagram_of_a_frame_is_cut() {
    let story = Story::udp4();
    let (from, to) = ("192.0.2.2:9".parse().unwrap(), "192.0.2.1:9".parse().unwrap());
    let frame = build::udp(story.header("l0"), from, to, 64, b"hello world").unwrap();
    let story = story.frame("l0", Direction::In, frame);
    let got = gives(story, recvmsg("s", 5, &[]), 5, data("hello", &[], &[]));
    assert_eq!(
        got.told(&whole::RULE),
        ["1: recvmsg gave 5 of 11 bytes of a message, and no MSG_TRUNC."]
    );
}

/// A socket of IPv4 that asked for this before `hello` was sent to it.
fn asked(name: &'static str) -> Story {
    Story::udp4().ok(set_of("s", name, Value::Int(1)), 0).ok(send_by("s", "hello"), 5)
}

fn credentials() -> Story {
    let asks = set_of("b", "SO_PASSCRED", Value::Int(1));
    Story::udp4().pair("a", "b", "SOCK_STREAM").ok(asks, 0).ok(send_by("a", "hello"), 5)
}

#[rstest]
#[case::it_comes(gives(asked("IP_RECVTTL"), recvmsg("s", 9, &[]), 5, data("hello", &[], &["IP_TTL"])))]
#[case::no_room(
    gives(asked("IP_RECVTTL"), recvmsg("s", 9, &[]), 5, data("hello", &["MSG_CTRUNC"], &[]))
)]
#[case::by_recv(gives(asked("IP_RECVTTL"), recv_into("s", 9, &[]), 5, data("hello", &[], &[])))]
#[case::not_with_each(gives(asked("IP_RECVOPTS"), recvmsg("s", 9, &[]), 5, data("hello", &[], &[])))]
#[case::of_the_other_family(
    gives(asked("IPV6_RECVHOPLIMIT"), recvmsg("s", 9, &[]), 5, data("hello", &[], &[]))
)]
#[case::of_the_error_queue(
    gives(asked("IP_RECVTTL"), recvmsg("s", 9, &["MSG_ERRQUEUE"]), 5, data("hello", &[], &[]))
)]
#[case::too_late(gives(
    Story::udp4().ok(send_by("s", "hello"), 5).ok(set_of("s", "IP_RECVTTL", Value::Int(1)), 0),
    recvmsg("s", 9, &[]),
    5,
    data("hello", &[], &[]),
))]
#[case::taken_back(gives(
    asked("IP_RECVTTL").ok(set_of("s", "IP_RECVTTL", Value::Int(0)), 0),
    recvmsg("s", 9, &[]),
    5,
    data("hello", &[], &[]),
))]
#[case::refused(gives(
    Story::udp4()
        .err(set_of("s", "IP_RECVTTL", Value::Int(1)), "EINVAL")
        .ok(send_by("s", "hello"), 5),
    recvmsg("s", 9, &[]),
    5,
    data("hello", &[], &[]),
))]
#[case::a_stream(gives(
    Story::tcp6().ok(set_of("s", "IPV6_RECVHOPLIMIT", Value::Int(1)), 0).ok(send_by("s", "h"), 1),
    recvmsg("s", 9, &[]),
    1,
    data("h", &[], &[]),
))]
#[case::another_socket(gives(
    asked("IP_RECVTTL").ok(socket("s", "AF_INET", "SOCK_DGRAM", &[]), 0),
    recvmsg("s", 9, &[]),
    5,
    data("hello", &[], &[]),
))]
#[case::of_the_ports_of_a_raw_packet(gives(
    Story::on(LinkKind::Tap)
        .ok(socket("s", "AF_INET", "SOCK_RAW", &["IPPROTO_ICMP"]), 0)
        .ok(set_of("s", "IP_RECVORIGDSTADDR", Value::Int(1)), 0)
        .ok(send_by("s", "hello"), 5),
    recvmsg("s", 9, &[]),
    5,
    data("hello", &[], &[]),
))]
#[case::the_end(gives(credentials(), recvmsg("b", 9, &[]), 0, data("", &[], &[])))]
fn a_control_message_comes(#[case] story: Story) {
    assert_eq!(story.told(&control::RULE), [""; 0]);
}

#[rstest]
#[case::ttl("IP_RECVTTL", "IP_TTL")]
#[case::tos("IP_RECVTOS", "IP_TOS")]
#[case::packet_info("IP_PKTINFO", "IP_PKTINFO")]
#[case::stamp("SO_TIMESTAMP", "SO_TIMESTAMP")]
#[case::original_destination("IP_RECVORIGDSTADDR", "IP_ORIGDSTADDR")]
fn a_control_message_is_missing(#[case] option: &'static str, #[case] comes: &str) {
    let story = gives(asked(option), recvmsg("s", 9, &[]), 5, data("hello", &[], &["IP_OTHER"]));
    let expected = format!(
        "3: recvmsg gave a message without {comes}, which {option} asked for, and no MSG_CTRUNC."
    );
    assert_eq!(story.told(&control::RULE), [expected]);
    assert_eq!(story.found(&control::RULE)[0].rank, Rank::Surprises);
}

#[test]
fn credentials_are_missing() {
    let story = gives(credentials(), recvmsg("b", 9, &[]), 5, data("hello", &[], &[]));
    assert_eq!(story.told(&control::RULE).len(), 1);
}

/// RFC 3542 has it, where the sender's address is one of IPv6.
#[rstest]
#[case("fe80::2", 1)]
#[case("::ffff:192.0.2.2", 0)]
fn what_ipv6_owes_is_missed(#[case] from: &str, #[case] findings: usize) {
    let story = Story::udp6()
        .ok(set_of("s", "IPV6_RECVHOPLIMIT", Value::Int(1)), 0)
        .ok(send_by("s", "hello"), 5);
    let Out::Data { bytes, flags, control, .. } = data("hello", &[], &[]) else { panic!("data") };
    let Out::Addr(from) = super::super::story::name(from, 9) else { panic!("an address") };
    let out = Out::Data { bytes, from: Some(from), flags, control };
    let found = gives(story, recvmsg("s", 9, &[]), 5, out).found(&control::RULE);
    assert_eq!(found.len(), findings);
    assert!(found.iter().all(|one| one.rank == Rank::Surprises));
}
