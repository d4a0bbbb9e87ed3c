//! No silent loss: raw sockets whose bytes are not all the program's, writes of nothing, and repairs.

use harness::case::LinkKind::Tun;
use harness::case::Payload;
use harness::case::op::{Op, Value};
use harness::trace::Direction;
use rstest::rstest;

use super::super::silent_loss::RULE;
use super::super::story::*;

const WITHOUT: &str = "\u{80}\0\0\0\0\0\0\u{1}";
const SUM_AT_0: &[u8] = b"\x12\x34\0\0\0\0\0\x01";

/// Eight bytes by a raw socket of IPv6 whose checksum is at an offset.
fn summed(at: Option<i32>) -> Story {
    let story = Story::on(Tun).ok(socket("s", "AF_INET6", "SOCK_RAW", &["IPPROTO_EGP"]), 0);
    let story = match at {
        Some(at) => {
            let option = option("IPPROTO_IPV6", "IPV6_CHECKSUM");
            story.ok(setsockopt(option, Value::Int(at)), 0)
        }
        None => story,
    };
    story.ok(sendto(WITHOUT, to("2001:db8::2", "")), 8)
}

/// A packet that says of itself that it is of IPv6, by a raw socket of IPv4, and what left.
fn unread(left: &[u8]) -> Story {
    Story::on(Tun)
        .ok(socket("s", "AF_INET", "SOCK_RAW", &["IPPROTO_RAW"]), 0)
        .ok(again(), 28)
        .frame("l0", Direction::Out, left.to_vec())
}

const AS_WRITTEN: &[u8] =
    b"\x65\0\0\x1c\x12\x34\0\0\x40\x08\xc4\xa2\xc0\0\x02\x01\xc0\0\x02\x02datadata";
const OTHERWISE: &[u8] =
    b"\x65\0\0\x1c\x12\x34\0\0\x40\x08\xc4\xa2\xc0\0\x02\x01\xc0\0\x02\x02datadate";

/// The same once more.
fn again() -> Op {
    let header = b"\x65\0\0\x1c\x12\x34\0\0\x40\x08\0\0\xc0\0\x02\x01\xc0\0\x02\x02datadata";
    sendto(&header.iter().map(|b| char::from(*b)).collect::<String>(), to("192.0.2.2", ""))
}

/// What left before anything was sent.
fn unread_before() -> Story {
    Story::on(Tun)
        .ok(socket("s", "AF_INET", "SOCK_RAW", &["IPPROTO_RAW"]), 0)
        .frame("l0", Direction::Out, AS_WRITTEN.to_vec())
        .ok(again(), 28)
}

fn wrote(op: Op) -> Story {
    Story::udp6().ok(connect(to("fe80::2", "l0")), 0).ok(op, 0)
}

fn write(data: &str) -> Op {
    Op::Write { fd: "s".into(), data: text(data) }
}

fn writev(data: &[&str]) -> Op {
    Op::Writev { fd: "s".into(), data: data.iter().map(|d| text(d)).collect::<Vec<Payload>>() }
}

fn repaired(value: i32) -> Story {
    Story::tcp6()
        .ok(setsockopt(option("IPPROTO_TCP", "TCP_REPAIR"), Value::Int(value)), 0)
        .ok(connect(to("fe80::2", "l0")), 0)
}

#[rstest]
#[case::checksum(summed(Some(0)).ip("l0", "2001:db8::2", 8, SUM_AT_0))]
#[case::unread(unread(AS_WRITTEN))]
#[case::nothing_is_written(wrote(write("")))]
#[case::nothing_is_written_in_pieces(wrote(writev(&["", ""])))]
#[case::repaired(repaired(1))]
fn holds(#[case] story: Story) {
    assert_eq!(story.told(&RULE), [""; 0]);
}

#[rstest]
#[case::no_checksum_was_asked_for(summed(None).ip("l0", "2001:db8::2", 8, SUM_AT_0), "others")]
#[case::it_is_elsewhere(summed(Some(6)).ip("l0", "2001:db8::2", 8, SUM_AT_0), "others")]
#[case::no_more(summed(Some(-1)).ip("l0", "2001:db8::2", 8, SUM_AT_0), "others")]
#[case::unread_and_another(unread(OTHERWISE), "no frame carried them")]
#[case::unread_and_before(unread_before(), "no frame carried them")]
#[case::unread_and_once_of_two(unread(AS_WRITTEN).ok(again(), 28), "no frame carried them")]
#[case::read_and_elsewhere(
    Story::on(Tun)
        .ok(socket("s", "AF_INET", "SOCK_RAW", &["IPPROTO_EGP"]), 0)
        .ok(sendto("Eight bytes and twelve mo", to("192.0.2.2", "")), 25)
        .frame("l0", Direction::Out, b"E......................re and twelve mo".to_vec()),
    "no frame carried them"
)]
#[case::nothing_is_sent(wrote(send("")), "no frame carried them")]
#[case::something_is_written(
    Story::udp6().ok(connect(to("fe80::2", "l0")), 0).ok(write("x"), 1),
    "no frame carried them"
)]
#[case::repaired_no_more(repaired(0), "no SYN left")]
fn finds(#[case] story: Story, #[case] what: &str) {
    let told = story.told(&RULE);
    assert!(told.len() == 1 && told[0].contains(what), "{told:?}");
}
