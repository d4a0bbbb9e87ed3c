//! The bytes that leave, told by hand.

use harness::case::{Flags, LinkKind, Op};
use harness::wire::TcpFlags;
use rstest::rstest;

use super::super::bytes_as_written::RULE;
use super::super::story::{Story, connect, send, socket, text, to};

const PEER: &str = "[fe80::2]:12345";
const ACK: TcpFlags = TcpFlags::ACK;
const FIN: TcpFlags = TcpFlags::FIN;

/// Connected, with `sent` reported as sent.
fn story(sent: &[&str]) -> Story {
    let story = Story::on(LinkKind::Tun)
        .ok(socket("s", "AF_INET6", "SOCK_STREAM", &[]), 0)
        .ok(connect(to("fe80::2", "l0")), 0)
        .tcp("l0", PEER, TcpFlags::SYN, b"");
    sent.iter().fold(story, |story, data| story.ok(send(data), i64::try_from(data.len()).unwrap()))
}

fn leaves(story: Story, flags: TcpFlags, place: u32, bytes: &[u8]) -> Story {
    story.tcp_at("l0", PEER, flags, 2 + place, bytes)
}

#[rstest]
#[case::in_one_piece(&[(ACK, 0, "onetwo")])]
#[case::in_two(&[(ACK, 0, "one"), (ACK, 3, "two")])]
#[case::the_second_first(&[(ACK, 3, "two"), (ACK, 0, "one")])]
#[case::one_twice(&[(ACK, 0, "one"), (ACK, 0, "one"), (ACK, 3, "two")])]
#[case::with_an_end(&[(ACK, 0, "one"), (FIN | ACK, 3, "two"), (ACK, 7, "")])]
#[case::some_held_back(&[(ACK, 0, "on")])]
#[case::all_held_back(&[])]
#[case::then_reset(&[(ACK, 0, "one"), (TcpFlags::RST, 3, "")])]
fn as_written(#[case] segments: &[(TcpFlags, u32, &str)]) {
    let story = segments.iter().fold(story(&["one", "two"]), |story, (flags, place, bytes)| {
        leaves(story, *flags, *place, bytes.as_bytes())
    });
    assert_eq!(story.told(&RULE), [""; 0]);
}

#[rstest]
#[case::a_header_more(&[(ACK, 0, "oneCookie: a=1two")], "byte 3 of the stream left as 0x43, not 0x74")]
#[case::a_header_behind(&[(ACK, 0, "onetwo!")], "7 left")]
#[case::a_byte_missing(&[(ACK, 0, "onewo")], "byte 3 of the stream left as 0x77, not 0x74")]
#[case::a_gap(&[(ACK, 0, "one"), (ACK, 4, "wo")], "byte 3 of the stream did not leave, and later ones did")]
#[case::the_wrong_order(&[(ACK, 0, "two"), (ACK, 3, "one")], "byte 0 of the stream left as 0x74, not 0x6f")]
#[case::another_the_second_time(
    &[(ACK, 0, "onetwo"), (ACK, 0, "oNe")],
    "byte 1 of the stream left twice, and not the same"
)]
#[case::ended_early(&[(FIN | ACK, 0, "one")], "the stream ended with 3 of them on the wire")]
fn not_as_written(#[case] segments: &[(TcpFlags, u32, &str)], #[case] what: &str) {
    let story = segments.iter().fold(story(&["one", "two"]), |story, (flags, place, bytes)| {
        leaves(story, *flags, *place, bytes.as_bytes())
    });
    let told = format!("3: the sends on s reported 6 bytes as sent, but {what}.");
    assert_eq!(story.told(&RULE), [told]);
}

#[test]
fn what_failed_was_not_written() {
    let told = leaves(story(&["one"]).err(send("two"), "EAGAIN"), ACK, 0, b"onetwo").told(&RULE);
    assert_eq!(told, ["2: the sends on s reported 3 bytes as sent, but 6 left."]);
}

#[test]
fn what_waits_for_more_was_written() {
    let data = text("two");
    let more = Op::Send { fd: "s".into(), data, flags: Flags::of(&["MSG_MORE"]) };
    let told = leaves(story(&["one"]).ok(more, 3), ACK, 0, b"onetwo").told(&RULE);
    assert_eq!(told, [""; 0]);
}

/// RFC 7413 §2: the SYN takes one number, and its data follows.
#[rstest]
#[case::as_written("one", None)]
#[case::with_a_header("One", Some("byte 0 of the stream left as 0x4f, not 0x6f"))]
fn data_in_a_syn_is_the_first(#[case] data: &str, #[case] what: Option<&str>) {
    let story = story(&["one", "two"]).tcp_at("l0", PEER, TcpFlags::SYN, 1, data.as_bytes());
    let told = leaves(story, ACK, 3, b"two").told(&RULE);
    let said = |what| format!("3: the sends on s reported 6 bytes as sent, but {what}.");
    assert_eq!(told, what.map(said).into_iter().collect::<Vec<_>>());
}
