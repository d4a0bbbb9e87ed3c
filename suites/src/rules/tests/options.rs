//! Options that read as they were set, that are inherited, and the one that is cleared.

use harness::case::op::{Op, Value};
use harness::case::{Flags, Os};
use harness::trace::Out;
use harness::verdict::Rank;
use rstest::rstest;

use super::super::story::{Story, ask_of, getsockname, name, send, set_of, socket};
use super::super::{inherited, option_as_set, so_error};

/// A TCP socket whose option was set to `set` and reads `got`.
fn kept(name: &'static str, set: i32, got: i32) -> Story {
    Story::tcp6().ok(set_of("s", name, Value::Int(set)), 0).gives(ask_of("s", name), Out::Int(got))
}

#[rstest]
#[case::equal("TCP_KEEPIDLE", 77, 77)]
#[case::a_boolean("SO_KEEPALIVE", 256, 1)]
#[case::off("SO_KEEPALIVE", 0, 0)]
#[case::doubled("SO_SNDBUF", 20_000, 40_000)]
#[case::the_least("SO_RCVBUF", 1, 2_304)]
#[case::the_most("SO_RCVBUF", 1_000_000, 425_984)]
#[case::forced("SO_RCVBUFFORCE", 20_000, 20_000)]
#[case::the_routes("IPV6_UNICAST_HOPS", -1, 64)]
#[case::without_ecn("IP_TOS", 0x23, 0x20)]
#[case::a_byte("IP_TOS", 256, 0)]
#[case::bounded("TCP_MAXSEG", 9_000, 1_440)]
#[case::capped("TCP_FASTOPEN", 65_535, 4_096)]
#[case::not_permanent("TCP_QUICKACK", 0, 1)]
fn an_option_reads_as_documented(#[case] name: &'static str, #[case] set: i32, #[case] got: i32) {
    assert_eq!(kept(name, set, got).told(&option_as_set::RULE), [""; 0]);
}

#[rstest]
#[case::another_number("TCP_KEEPIDLE", 77, 7, "and no page says that it is kept as another number")]
#[case::on_is_off("SO_KEEPALIVE", 1, 0, "though it is a boolean: on is on, off is off")]
#[case::off_is_on("SO_OOBINLINE", 0, 1, "though it is a boolean: on is on, off is off")]
#[case::not_doubled("SO_SNDBUF", 20_000, 20_000, "neither doubled nor within the host's bounds")]
#[case::another_byte("IP_TOS", 0x20, 0x40, "and no page says that it is kept as another number")]
fn an_option_reads_otherwise(
    #[case] name: &'static str,
    #[case] set: i32,
    #[case] got: i32,
    #[case] why: &str,
) {
    let story = kept(name, set, got);
    let expected = format!("2: {name} was set to {set} and reads {got}, {why}.");
    assert_eq!(story.told(&option_as_set::RULE), [expected]);
    assert_eq!(story.found(&option_as_set::RULE)[0].rank, Rank::Surprises);
    let judged_there = ["SO_KEEPALIVE", "SO_OOBINLINE"].contains(&name);
    assert_eq!(story.told_of_darwin(&option_as_set::RULE).len(), usize::from(judged_there));
}

/// The mark of `SO_RCVLOWAT`: the least is one, the most half of a buffer.
#[rstest]
#[case::kept(8, 8, 0)]
#[case::half_of_the_buffer(1_000_000, 65_536, 1)]
#[case::more_than_was_set(8, 16, 1)]
fn a_low_water_mark_is_bounded(#[case] set: i32, #[case] got: i32, #[case] findings: usize) {
    let found = kept("SO_RCVLOWAT", set, got).found(&option_as_set::RULE);
    assert_eq!(found.len(), findings);
    let bounded = got < set;
    assert!(found.iter().all(|one| (one.rank == Rank::Undocumented) == bounded), "{found:?}");
}

/// What the system rounds on purpose, and nobody has written down.
#[rstest]
#[case("IP_TTL", -1, 64)]
#[case("SO_RCVLOWAT", 0, 1)]
#[case("TCP_LINGER2", 0, 60)]
#[case("UDP_GRO", 2, 1)]
fn a_rounding_without_a_page_is_a_gap(
    #[case] name: &'static str,
    #[case] set: i32,
    #[case] got: i32,
) {
    let found = kept(name, set, got).found(&option_as_set::RULE);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].rank, Rank::Undocumented);
    assert!(found[0].text.ends_with("a gap in the manual."), "{}", found[0].text);
    assert_eq!(kept(name, 1, 1).told(&option_as_set::RULE), [""; 0]);
}

#[rstest]
#[case::refused(
    Story::tcp6()
        .err(set_of("s", "TCP_KEEPIDLE", Value::Int(0)), "EINVAL")
        .gives(ask_of("s", "TCP_KEEPIDLE"), Out::Int(7_200))
)]
#[case::another_socket(
    Story::tcp6()
        .ok(set_of("s", "TCP_KEEPIDLE", Value::Int(7)), 0)
        .ok(socket("s", "AF_INET6", "SOCK_STREAM", &[]), 0)
        .gives(ask_of("s", "TCP_KEEPIDLE"), Out::Int(7_200))
)]
#[case::set_anew(
    Story::tcp6()
        .ok(set_of("s", "TCP_KEEPIDLE", Value::Int(7)), 0)
        .ok(set_of("s", "TCP_KEEPIDLE", Value::Int(8)), 0)
        .gives(ask_of("s", "TCP_KEEPIDLE"), Out::Int(8))
)]
#[case::changed_by_another(
    Story::udp4()
        .ok(set_of("s", "SO_PRIORITY", Value::Int(3)), 0)
        .ok(set_of("s", "IP_TOS", Value::Int(16)), 0)
        .gives(ask_of("s", "SO_PRIORITY"), Out::Int(6))
)]
#[case::bound_by_the_other_option(
    Story::udp4()
        .ok(set_of("s", "SO_BINDTOIFINDEX", Value::Int(2)), 0)
        .ok(set_of("s", "SO_BINDTODEVICE", Value::Int(0)), 0)
        .gives(ask_of("s", "SO_BINDTOIFINDEX"), Out::Int(0))
)]
fn what_changed_an_option_is_no_fault(#[case] story: Story) {
    assert_eq!(story.told(&option_as_set::RULE), [""; 0]);
}

fn bytes(all: &[&[u8]]) -> Out {
    Out::Bytes(harness::case::Hex(all.concat()))
}

#[rstest]
#[case::the_same(1, 5, 1, 5, 0)]
#[case::off(0, 5, 0, 0, 0)]
#[case::other_seconds(1, 5, 1, 4, 1)]
#[case::off_is_on(0, 5, 1, 5, 1)]
fn lingering_reads_as_it_was_set(
    #[case] on: i32,
    #[case] seconds: i32,
    #[case] got: i32,
    #[case] lasts: i32,
    #[case] findings: usize,
) {
    let out = bytes(&[&got.to_le_bytes(), &lasts.to_le_bytes()]);
    let set = set_of("s", "SO_LINGER", Value::Linger { on, seconds });
    let story = Story::tcp6().ok(set, 0).gives(ask_of("s", "SO_LINGER"), out);
    assert_eq!(story.told(&option_as_set::RULE).len(), findings);
}

#[rstest]
#[case::the_same(20_000, 0)]
#[case::a_tick_more(24_000, 0)]
#[case::less(16_000, 1)]
#[case::more(40_000, 1)]
fn a_time_is_rounded_up_to_a_tick(#[case] micros: i64, #[case] findings: usize) {
    let out = bytes(&[&0i64.to_le_bytes(), &micros.to_le_bytes()]);
    let set = set_of("s", "SO_RCVTIMEO", Value::Timeval { ms: 20 });
    let story = Story::tcp6().ok(set, 0).gives(ask_of("s", "SO_RCVTIMEO"), out);
    assert_eq!(story.told(&option_as_set::RULE).len(), findings);
}

/// A listener whose option is set before it listens or behind that, and what `p` reads.
fn accepted(name: &'static str, set: i32, before: bool, got: i32) -> Story {
    let set = || set_of("s", name, Value::Int(set));
    let story = Story::tcp6();
    let story = if before { story.ok(set(), 0) } else { story };
    let story = story.ok(Op::Listen { fd: "s".into(), backlog: 1 }, 0);
    let story = if before { story } else { story.ok(set(), 0) };
    story
        .ok(Op::Accept { fd: "s".into(), new: "p".into() }, 0)
        .gives(ask_of("p", name), Out::Int(got))
}

#[rstest]
#[case::inherited(accepted("SO_KEEPALIVE", 1, true, 1))]
#[case::doubled(accepted("SO_RCVBUF", 20_000, true, 40_000))]
#[case::set_later(accepted("SO_KEEPALIVE", 1, false, 0))]
#[case::not_of_the_list(accepted("TCP_QUICKACK", 0, true, 1))]
fn an_option_is_inherited(#[case] story: Story) {
    assert_eq!(story.told(&inherited::RULE), [""; 0]);
}

#[rstest]
#[case::nodelay("TCP_NODELAY", 1, 0)]
#[case::timeout("TCP_USER_TIMEOUT", 5_000, 0)]
#[case::buffer("SO_SNDBUF", 20_000, 87_040)]
fn an_option_is_not_inherited(#[case] name: &'static str, #[case] set: i32, #[case] got: i32) {
    let story = accepted(name, set, true, got);
    let expected = format!(
        "4: {name} of the listener was set before listen, and the accepted socket reads {got}."
    );
    assert_eq!(story.told(&inherited::RULE), [expected]);
    assert_eq!(story.found(&inherited::RULE)[0].rank, Rank::Surprises);
}

/// `F_GETFL` of the socket that this call accepted.
fn flags(made: Op, before: Option<Op>, got: i64) -> Story {
    let story = Story::tcp6().ok(Op::Listen { fd: "s".into(), backlog: 1 }, 0).ok(made, 0);
    let story = before.into_iter().fold(story, |story, op| story.ok(op, 0));
    story.ok(Op::Fcntl { fd: "p".into(), cmd: "F_GETFL".into(), arg: Flags::NONE, pid: None }, got)
}

fn accept() -> Op {
    Op::Accept { fd: "s".into(), new: "p".into() }
}

fn accept4(names: &[&'static str]) -> Op {
    Op::Accept4 { fd: "s".into(), new: "p".into(), flags: Flags::of(names) }
}

const NONBLOCK: i64 = 0o4002;

#[rstest]
#[case::accept(flags(accept(), None, 2), None)]
#[case::accept_inherits(flags(accept(), None, NONBLOCK), Some(Rank::Surprises))]
#[case::accept4(flags(accept4(&[]), None, 2), None)]
#[case::accept4_inherits(flags(accept4(&[]), None, NONBLOCK), Some(Rank::Violates))]
#[case::accept4_asks(flags(accept4(&["SOCK_NONBLOCK"]), None, NONBLOCK), None)]
#[case::accept4_asks_in_vain(flags(accept4(&["SOCK_NONBLOCK"]), None, 2), Some(Rank::Violates))]
#[case::set_by_itself(
    flags(
        accept(),
        Some(Op::Fcntl {
            fd: "p".into(),
            cmd: "F_SETFL".into(),
            arg: Flags::of(&["O_NONBLOCK"]), pid: None }),
        NONBLOCK,
    ),
    None
)]
fn whether_it_blocks_is_said(#[case] story: Story, #[case] rank: Option<Rank>) {
    let found: Vec<Rank> = story.found(&inherited::RULE).iter().map(|one| one.rank).collect();
    assert_eq!(found, rank.into_iter().collect::<Vec<_>>());
}

fn tells(story: Story) -> Story {
    story.gives(ask_of("s", "SO_ERROR"), Out::Errno("ECONNREFUSED".into()))
}

#[test]
fn an_error_is_told_twice() {
    let expected = "2: SO_ERROR told ECONNREFUSED, and the one before it had told ECONNREFUSED \
                    already: nothing happened in between.";
    let story = tells(tells(Story::udp4()));
    assert_eq!(story.told(&so_error::RULE), [expected]);
    assert_eq!(story.found(&so_error::RULE)[0].rank, Rank::Violates);
    // On any system, and a name in between is nothing.
    assert_eq!(story.told_of_darwin(&so_error::RULE).len(), 1);
    let named = tells(tells(Story::udp4()).gives(getsockname(), name("::", 1)));
    assert_eq!(named.told(&so_error::RULE).len(), 1);
}

#[rstest]
#[case::cleared(tells(Story::udp4()).gives(ask_of("s", "SO_ERROR"), Out::Int(0)))]
#[case::cleared_between(tells(tells(Story::udp4()).gives(ask_of("s", "SO_ERROR"), Out::Int(0))))]
#[case::a_send_between(tells(tells(Story::udp4()).ok(send("x"), 1)))]
#[case::a_frame_between(tells(tells(Story::udp4()).too_big_comes("192.0.2.2:9")))]
#[case::another_socket(tells(
    tells(Story::udp4()).ok(socket("s", "AF_INET", "SOCK_DGRAM", &[]), 0)
))]
fn an_error_is_told_once(#[case] story: Story) {
    assert_eq!(story.told(&so_error::RULE), [""; 0]);
}

/// The tables have each option once, on every system.
#[test]
fn options_are_in_the_table_once() {
    for os in [Os::Linux, Os::Macos] {
        super::super::kept::assert_sound(os);
    }
}
