//! No silent loss: frames, receipts, errors.

use harness::case::LinkKind::{Tap, Tun};
use harness::case::addr::{Addr, Scope};
use harness::case::op::{Op, PollFd, Value};
use harness::case::{Flags, LabOp, Payload};
use harness::trace::{ControlOut, Did, Event, Kevent, Out};
use harness::verdict::Rank;
use harness::wire::build;
use rstest::rstest;

use super::super::silent_loss::RULE;
use super::super::story::*;

const L0: &str = "[fe80::2]:12345";
const L0_V4: &str = "192.0.2.2:12345";

fn neighbour() -> Addr {
    to("fe80::2", "l0")
}

/// A send of `hello` to the resolved neighbour that reports success.
fn sent() -> Story {
    Story::udp6().ok(sendto(HELLO, neighbour()), 6)
}

fn sent_v4() -> Story {
    Story::udp4().ok(sendto(HELLO, to("192.0.2.2", "")), 6)
}

fn big(domain: &'static str, addr: Addr) -> Story {
    let data = Payload::Pattern(2000);
    let op = Op::Sendto { fd: "s".into(), data, flags: Flags::NONE, addr };
    Story::on(Tap).ok(socket("s", domain, "SOCK_DGRAM", &[]), 0).ok(op, 2000)
}

fn down() -> LabOp {
    LabOp::LinkDown { link: "l0".into() }
}

fn pattern() -> Vec<u8> {
    Payload::Pattern(2000).bytes()
}

fn raw(domain: &'static str, protocol: &'static str, data: &str, ip: &str) -> Story {
    Story::on(Tap)
        .ok(socket("s", domain, "SOCK_RAW", &[protocol]), 0)
        .ok(sendto(data, to(ip, "")), 8)
}

fn ping(domain: &'static str, protocol: &'static str, ip: &str) -> Story {
    Story::on(Tun)
        .ok(socket("s", domain, "SOCK_DGRAM", &[protocol]), 0)
        .ok(sendto("\u{80}\0\0\0\0\0\0\u{1}data", to(ip, "")), 12)
}

fn kevent() -> Op {
    Op::Kevent { changes: Vec::new(), timeout_ms: 0 }
}

fn events(fd: &str, fflags: &[&'static str]) -> Out {
    let (fd, filter, flags) = (fd.to_owned(), "EVFILT_WRITE".into(), vec!["EV_EOF".into()]);
    let fflags = Flags::of(fflags).0;
    Out::Events(vec![Kevent { fd, filter, flags, fflags, data: 0, error: None }])
}

fn segmented() -> Story {
    Story::udp6()
        .ok(setsockopt(option("IPPROTO_UDP", "UDP_SEGMENT"), Value::Int(4)), 0)
        .ok(sendto(HELLO, neighbour()), 6)
}

fn hops(name: &'static str, hops: i32, ip: &str) -> Story {
    Story::udp6()
        .ok(setsockopt(option("IPPROTO_IPV6", name), Value::Int(hops)), 0)
        .ok(sendto(HELLO, to(ip, "l0")), 6)
}

/// A packet with its IP header, as a program writes it: the kernel fills in what it left zero.
fn own_header() -> Vec<u8> {
    let (src, dst) = ("0.0.0.0".parse().unwrap(), "192.0.2.2".parse().unwrap());
    build::ip(build::Link::Ip, src, dst, 64, 253, b"payload").unwrap()
}

fn with_own_header() -> Story {
    let data = own_header().iter().map(|b| char::from(*b)).collect::<String>();
    Story::on(Tap)
        .ok(socket("s", "AF_INET", "SOCK_RAW", &["IPPROTO_RAW"]), 0)
        .ok(sendto(&data, to("192.0.2.2", "")), 27)
}

#[rstest]
#[case::tap(sent().udp("l0", L0, b"hello\0"))]
#[case::tun(Story::on(Tun)
    .ok(socket("s", "AF_INET6", "SOCK_DGRAM", &[]), 0)
    .ok(sendto(HELLO, neighbour()), 6)
    .udp("l0", L0, b"hello\0"))]
#[case::loopback(Story::udp6()
    .ok(sendto(HELLO, to("fe80::1", "l0")), 6)
    .udp("lo", "[fe80::1]:12345", b"hello\0"))]
#[case::v4(sent_v4().udp("l0", L0_V4, b"hello\0"))]
#[case::v4_mapped(Story::udp6()
    .ok(sendto(HELLO, to("::ffff:192.0.2.2", "")), 6)
    .udp("l0", L0_V4, b"hello\0"))]
#[case::wildcard_is_the_host_itself(Story::udp6()
    .ok(sendto(HELLO, to("::", "")), 6)
    .udp("lo", "[::1]:12345", b"hello\0"))]
#[case::multicast(Story::udp6()
    .ok(sendto(HELLO, to("ff02::1", "l0")), 6)
    .udp("l0", "[ff02::1]:12345", b"hello\0"))]
#[case::broadcast(Story::udp4()
    .ok(sendto(HELLO, to("255.255.255.255", "")), 6)
    .udp("l0", "255.255.255.255:12345", b"hello\0"))]
#[case::no_payload(Story::udp6().ok(sendto("", neighbour()), 0).udp("l0", L0, b""))]
#[case::no_protocol_is_udp(Story::on(Tap)
    .ok(socket("s", "AF_INET6", "SOCK_DGRAM", &["IPPROTO_UDP"]), 0)
    .ok(sendto(HELLO, neighbour()), 6)
    .udp("l0", L0, b"hello\0"))]
#[case::connected(Story::udp6()
    .ok(connect(neighbour()), 0)
    .ok(send(HELLO), 6)
    .udp("l0", L0, b"hello\0"))]
#[case::written(Story::udp6()
    .ok(connect(neighbour()), 0)
    .ok(Op::Write { fd: "s".into(), data: text(HELLO) }, 6)
    .udp("l0", L0, b"hello\0"))]
#[case::twice(sent()
    .udp("l0", L0, b"hello\0")
    .ok(sendto(HELLO, neighbour()), 6)
    .udp("l0", L0, b"hello\0"))]
#[case::queued_then_both(sent()
    .ok(sendto(HELLO, neighbour()), 6)
    .udp("l0", L0, b"hello\0")
    .udp("l0", L0, b"hello\0"))]
#[case::fragments_v4(big("AF_INET", to("192.0.2.2", ""))
    .piece("l0", L0_V4, &pattern(), 0, 1480)
    .piece("l0", L0_V4, &pattern(), 1480, 2008))]
#[case::fragments_out_of_order(big("AF_INET6", neighbour())
    .piece("l0", L0, &pattern(), 1448, 2008)
    .piece("l0", L0, &pattern(), 0, 1448))]
#[case::segments(segmented().udp("l0", L0, b"hell").udp("l0", L0, b"o\0"))]
#[case::segments_in_one_on_loopback(segmented().udp("lo", L0, b"hello\0"))]
#[case::raw_v4(raw("AF_INET", "IPPROTO_ICMP", "\u{8}\0\u{f7}\u{fe}\0\0\0\u{1}", "192.0.2.2")
    .ip("l0", "192.0.2.2", 1, b"\x08\x00\xf7\xfe\0\0\0\x01"))]
#[case::raw_v6_checksum(raw("AF_INET6", "IPPROTO_ICMPV6", "\u{80}\0\0\0\0\0\0\u{1}", "fe80::2")
    .ip("l0", "fe80::2", 58, b"\x80\x00\x12\x34\0\0\0\x01"))]
#[case::own_header(with_own_header().ip("l0", "192.0.2.2", 253, b"payload"))]
#[case::ping_v4(ping("AF_INET", "IPPROTO_ICMP", "192.0.2.2")
    .ip("l0", "192.0.2.2", 1, b"\x80\x00\x12\x34\x00\x07\0\x01data"))]
#[case::ping_v6(ping("AF_INET6", "IPPROTO_ICMPV6", "fe80::2")
    .ip("l0", "fe80::2", 58, b"\x80\x00\x12\x34\x00\x07\0\x01data"))]
#[case::received(sent().receives("r", 100, b"hello\0"))]
#[case::received_with_header(raw("AF_INET", "IPPROTO_RAW", "12345678", "127.0.0.1")
    .ok(socket("r", "AF_INET", "SOCK_RAW", &["IPPROTO_RAW"]), 0)
    .receives("r", 100, b"the twenty byte head12345678"))]
#[case::received_cut(sent().receives("r", 3, b"hel"))]
#[case::pending_error(sent().err(recv("s"), "ECONNREFUSED"))]
#[case::next_send_fails(sent().err(sendto(HELLO, neighbour()), "EHOSTUNREACH"))]
#[case::next_send_fails_after_a_wait(sent()
    .lab(LabOp::Wait { ms: 1, until: None, why: "the answer".into() })
    .err(sendto(HELLO, neighbour()), "EHOSTUNREACH"))]
#[case::pending_error_after_a_change(sent().lab(down()).err(recv("s"), "ENETDOWN"))]
#[case::so_error(sent()
    .gives(getsockopt("SOL_SOCKET", "SO_ERROR"), Out::Errno("EHOSTUNREACH".into())))]
#[case::poll_error(sent().gives(
    Op::Poll {
        fds: vec![PollFd { fd: "s".into(), events: Flags::of(&["POLLIN"]) }],
        timeout_ms: 0,
    },
    Out::Poll(vec![vec!["POLLERR".into()]])))]
#[case::an_errno_of_an_event(sent().gives(kevent(), events("s", &["ECONNREFUSED"])))]
#[case::error_queue(sent().gives(
    Op::Recvmsg {
        fd: "s".into(),
        len: 100,
        lens: Vec::new(), control_len: 100,
        flags: Flags::of(&["MSG_ERRQUEUE"]),
    },
    Out::Data {
        bytes: harness::case::Hex(b"other".to_vec()),
        from: None,
        flags: vec!["MSG_ERRQUEUE".into()],
        control: Vec::<ControlOut>::new(),
    }))]
#[case::no_hops(hops("IPV6_MULTICAST_HOPS", 0, "ff02::1"))]
#[case::interface_local(Story::udp6().ok(sendto(HELLO, to("ff01::1", "l0")), 6))]
#[case::failure(Story::udp6().err(sendto(HELLO, neighbour()), "ENETUNREACH"))]
#[case::local_sockets_have_no_wire(Story::on(Tap)
    .ok(socket("s", "AF_UNIX", "SOCK_DGRAM", &[]), 0)
    .ok(send(HELLO), 6))]
fn holds(#[case] story: Story) {
    assert_eq!(story.told(&RULE), [""; 0]);
}

const TOLD: &str = "sendto of 6 bytes to fe80::2%l0 port 12345 returned 6, but";
const NOTHING: &str = "no frame carried them and nobody was asked for a link-layer address";
const OTHERS: &str = "the packet that left on l0 for that destination carried others";

#[rstest]
#[case::nothing_at_all(sent(), NOTHING)]
#[case::another_payload(sent().udp("l0", L0, b"jello\0"), OTHERS)]
#[case::less(sent().udp("l0", L0, b"hell"), OTHERS)]
#[case::more(sent().udp("l0", L0, b"hello\0\0"), OTHERS)]
#[case::segments_with_a_hole(sent().udp("l0", L0, b"hell").udp("l0", L0, b"\0"), OTHERS)]
#[case::another_host(sent().udp("l0", "[fe80::3]:12345", b"hello\0"), NOTHING)]
#[case::another_port(sent().udp("l0", "[fe80::2]:12346", b"hello\0"), NOTHING)]
#[case::came_in(sent().frame("l0", harness::trace::Direction::In,
    build::udp(Story::udp6().header("l0"), "[fe80::1]:50000".parse().unwrap(),
        L0.parse().unwrap(), 64, b"hello\0").unwrap()), NOTHING)]
#[case::duplicate_address_detection(sent().asks_from("l0", "::", "fe80::2"), NOTHING)]
#[case::group_report(sent().ip("l0", "ff02::16", 58, &[143, 0, 0, 0, 0, 0, 0, 0]), NOTHING)]
#[case::router_solicitation(sent().ip("l0", "ff02::2", 58, &[133, 0, 0, 0, 0, 0, 0, 0]), NOTHING)]
#[case::nothing_to_receive(sent().err(recv("s"), "EAGAIN"), NOTHING)]
#[case::another_received(sent().receives("r", 100, b"jello\0"), NOTHING)]
#[case::no_so_error(sent().gives(getsockopt("SOL_SOCKET", "SO_ERROR"), Out::Int(0)), NOTHING)]
#[case::next_send_fails_in_another_network(
    sent().lab(down()).err(sendto(HELLO, neighbour()), "ENETUNREACH"), NOTHING)]
#[case::an_option_fails(sent().err(getsockopt("SOL_SOCKET", "SO_TYPE"), "ENOPROTOOPT"), NOTHING)]
#[case::another_socket_fails(sent().err(recv("r"), "ECONNREFUSED"), NOTHING)]
#[case::fails_once_closed(sent().ok(close(), 0).err(recv("s"), "ECONNREFUSED"), NOTHING)]
#[case::no_poll_error(sent().gives(
    Op::Poll {
        fds: vec![PollFd { fd: "s".into(), events: Flags::of(&["POLLOUT"]) }],
        timeout_ms: 0,
    },
    Out::Poll(vec![vec!["POLLOUT".into()]])), NOTHING)]
#[case::an_event_without_errno(sent().gives(kevent(), events("s", &["NOTE_LOWAT"])), NOTHING)]
#[case::another_sockets_event(sent().gives(kevent(), events("r", &["ECONNREFUSED"])), NOTHING)]
#[case::with_hops(hops("IPV6_MULTICAST_HOPS", 1, "fe80::2"), NOTHING)]
fn fires(#[case] story: Story, #[case] why: &str) {
    // No clause says so of UDP, yet it is why there is a suite at all: it fails a run.
    assert!(story.found(&RULE).iter().all(|f| f.rank < Rank::Undocumented));
    let told = story.told(&RULE);
    let [told] = &told[..] else { panic!("{told:?}") };
    let (_, told) = told.split_once(": ").unwrap();
    let rest = "; no later receive of the case got them and no later call on s reported an error.";
    assert_eq!(told, format!("{TOLD} {why}{rest}"));
}

#[rstest]
#[case::v4(sent_v4(), "1: sendto of 6 bytes to 192.0.2.2 port 12345 returned 6, but no frame")]
#[case::no_payload(
    Story::udp6().ok(sendto("", neighbour()), 0).udp("l0", L0, b"x"),
    "1: sendto of 0 bytes to fe80::2%l0 port 12345 returned 0, but the packet that left on l0"
)]
#[case::nothing_received_is_no_end_of_a_stream(
    Story::udp6().ok(sendto("", neighbour()), 0)
        .ok(socket("r", "AF_INET6", "SOCK_STREAM", &[]), 0)
        .receives("r", 100, b""),
    "1: sendto of 0 bytes to fe80::2%l0 port 12345 returned 0, but no frame"
)]
#[case::unknown_scope(
    Story::udp6().ok(sendto(HELLO, to("fe80::2", "").scoped(Scope::Id(99))), 6),
    "1: sendto of 6 bytes to fe80::2%99 port 12345 returned 6, but no frame"
)]
#[case::the_first_fragment_alone(
    big("AF_INET", to("192.0.2.2", "")).piece("l0", L0_V4, &pattern(), 0, 1480),
    "1: sendto of 2000 bytes to 192.0.2.2 port 12345 returned 2000, but only 1480 bytes of the \
     packet left on l0"
)]
#[case::a_hole(
    big("AF_INET", to("192.0.2.2", ""))
        .piece("l0", L0_V4, &pattern(), 0, 800)
        .piece("l0", L0_V4, &pattern(), 1480, 2008),
    "1: sendto of 2000 bytes to 192.0.2.2 port 12345 returned 2000, but only 800 bytes"
)]
#[case::raw(
    raw("AF_INET", "IPPROTO_ICMP", "\u{8}\0\u{f7}\u{fe}\0\0\0\u{1}", "192.0.2.2")
        .ip("l0", "192.0.2.2", 1, b"\x08\x00\xf7\xfe\0\0\0\x02"),
    "1: sendto of 8 bytes to 192.0.2.2 port 12345 returned 8, but the packet"
)]
#[case::ping(
    ping("AF_INET", "IPPROTO_ICMP", "192.0.2.2")
        .ip("l0", "192.0.2.2", 1, b"\x80\x00\x12\x34\x00\x07\0\x01date"),
    "1: sendto of 12 bytes to 192.0.2.2 port 12345 returned 12, but the packet"
)]
#[case::own_header(
    with_own_header().ip("l0", "192.0.2.2", 253, b"other"),
    "1: sendto of 27 bytes to 192.0.2.2 port 12345 returned 27, but the packet"
)]
#[case::second_of_two(
    sent().udp("l0", L0, b"hello\0").ok(sendto(HELLO, neighbour()), 6),
    "2: sendto of 6 bytes"
)]
#[case::first_of_two(
    sent().ok(sendto(HELLO, neighbour()), 6).udp("l0", L0, b"hello\0"),
    "1: sendto of 6 bytes"
)]
#[case::second_receipt_of_two(
    sent().receives("r", 100, b"hello\0").ok(sendto(HELLO, neighbour()), 6),
    "3: sendto of 6 bytes"
)]
#[case::connected(
    Story::udp6().ok(connect(neighbour()), 0).ok(send(HELLO), 6),
    "2: send of 6 bytes to fe80::2%l0 port 12345 returned 6, but no frame"
)]
#[case::a_descriptor_used_again(
    Story::tcp6().ok(close(), 0)
        .ok(socket("s", "AF_INET6", "SOCK_DGRAM", &[]), 0)
        .ok(sendto(HELLO, neighbour()), 6),
    "3: sendto of 6 bytes"
)]
fn says_what_is_lost(#[case] story: Story, #[case] beginning: &str) {
    let told = story.told(&RULE);
    assert!(matches!(&told[..], [one] if one.starts_with(beginning)), "{told:?}");
}

/// A port that the kernel chose is another in each run.
#[test]
fn ephemeral_ports_are_not_told() {
    let mut story = sent();
    let Some(Op::Sendto { addr, .. }) = story.case.ops.last_mut() else { panic!() };
    addr.port = harness::case::addr::Port::Of("r".into());
    let told = story.told(&RULE);
    assert!(told[0].starts_with("1: sendto of 6 bytes to fe80::2%l0 returned 6"), "{told:?}");
}

/// A call that did not return promised nothing.
#[test]
fn a_call_that_hangs_is_no_success() {
    let mut story = sent();
    let Some(Event::Call { did, .. }) = story.trace.events.last_mut() else { panic!() };
    *did = Did::Hung { after_ms: 2000 };
    assert_eq!(story.told(&RULE), [""; 0]);
}

/// A packet of the program's own header, `ip_off` by its bytes, and the fragment that left.
fn own_fragment(off: [char; 2], offset: u32, more: bool, body: &[u8]) -> Story {
    let [high, low] = off;
    let packet =
        format!("\u{45}\0\0\u{1c}\0\0{high}{low}@\u{11}\0\0\0\0\0\0\u{c0}\0\u{2}\u{2}payload!");
    let story = Story::on(Tap)
        .ok(socket("s", "AF_INET", "SOCK_RAW", &["IPPROTO_UDP"]), 0)
        .ok(sendto(&packet, to("192.0.2.2", "")), 28);
    let (src, dst) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
    let (header, piece) = (story.header("l0"), harness::wire::Fragment { offset, more, id: 7 });
    let frame = build::fragment(header, src, dst, 64, 17, piece, body).unwrap();
    story.frame("l0", harness::trace::Direction::Out, frame)
}

#[rstest]
#[case::network_order(['\u{20}', '\u{2}'], 16, true, b"payload!", true)]
#[case::host_order(['\u{2}', '\u{20}'], 16, true, b"payload!", true)]
#[case::df_in_host_order(['\0', '\u{40}'], 512, false, b"payload!", true)]
#[case::another_offset(['\u{20}', '\u{2}'], 24, true, b"payload!", false)]
#[case::no_more(['\u{20}', '\u{2}'], 16, false, b"payload!", false)]
#[case::another_payload(['\u{20}', '\u{2}'], 16, true, b"payloads", false)]
#[case::no_fragment_was_written(['\0', '\0'], 16, true, b"payload!", false)]
fn a_fragment_of_the_programs_own_is_all_there_is(
    #[case] off: [char; 2],
    #[case] offset: u32,
    #[case] more: bool,
    #[case] body: &[u8],
    #[case] holds: bool,
) {
    let story = own_fragment(off, offset, more, body);
    assert_eq!(story.told(&RULE).is_empty(), holds);
    let whole = own_fragment(off, offset, more, body).told(&super::super::fragments::WHOLE);
    assert_eq!(whole.is_empty(), holds || !more, "{whole:?}");
}
