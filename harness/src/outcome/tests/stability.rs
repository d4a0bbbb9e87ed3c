//! Properties: what two runs may differ in does not show, everything else does, and nothing panics.

use std::net::SocketAddr;

use proptest::collection::vec;
use proptest::prelude::*;
use rstest::rstest;

use super::super::{lines, normalise, render, transcript};
use super::{case, did, frame, hello, returned, send, socket, to, trace, udp6};
use crate::case::addr::{Addr, Range, Role, SockAddr};
use crate::case::op::{Control, Intent, Opt, PollFd, Value};
use crate::case::payload::pattern;
use crate::case::{Case, Flags, Hex, LabOp, Op, Os, Payload, Sym};
use crate::trace::{
    AddrInfo, ControlOut, Did, Direction, End, Event, Kevent, Out, Received, Trace,
};
use crate::wire::{Fragment, Mac, TcpFlags, build};

/// What two runs on one kernel differ in.
#[derive(Clone, Copy, Debug)]
struct Run {
    began_ns: u64,
    step_ns: u64,
    udp: u16,
    tcp: u16,
    id: u16,
    isn: u32,
    clock: u32,
    own: [u8; 6],
    index: u32,
    again: bool,
}

const FIRST: Run = Run {
    began_ns: 1,
    step_ns: 1000,
    udp: 40000,
    tcp: 40001,
    id: 1,
    isn: 1,
    clock: 1,
    own: [2, 0, 0, 0, 0, 1],
    index: 2,
    again: false,
};

fn any_run() -> impl Strategy<Value = Run> {
    let ports = (32768..60000u16, 32768..60000u16);
    let wire = (any::<u16>(), any::<u32>(), any::<u32>(), any::<[u8; 5]>());
    (any::<u32>(), 1..1_000_000u64, ports, wire, 10..1000u32, any::<bool>()).prop_map(
        |(began_ns, step_ns, (udp, tcp), (id, isn, clock, [a, b, c, d, e]), index, again)| Run {
            began_ns: began_ns.into(),
            step_ns,
            udp,
            tcp,
            id,
            isn,
            clock,
            own: [0x0a, a, b, c, d, e],
            index,
            again,
        },
    )
}

/// What an outcome is about.
#[derive(Clone, Debug)]
struct Content {
    ttl: u8,
    tos: u8,
    dont_fragment: bool,
    more: bool,
    offset: u32,
    payload: Vec<u8>,
    flags: TcpFlags,
    mss: u8,
    errno: Option<&'static str>,
    ret: i64,
    frames: bool,
    link: &'static str,
    dir: Direction,
    destination: &'static str,
    far: u8,
}

fn usual() -> Content {
    Content {
        ttl: 64,
        tos: 0,
        dont_fragment: true,
        more: true,
        offset: 0,
        payload: b"hello\0".to_vec(),
        flags: TcpFlags::SYN,
        mss: 4,
        errno: None,
        ret: 6,
        frames: true,
        link: "tap0",
        dir: Direction::Out,
        destination: "192.0.2.2:12345",
        far: 2,
    }
}

fn the_case() -> Case {
    let addr = Addr::on("tap0", Role::Neighbour, Range::V4, 12345);
    case([
        socket("s", "AF_INET", "SOCK_DGRAM", ""),
        hello("s", addr.clone()),
        Op::Getsockname { fd: "s".into() },
        send("s", Payload::Pattern(3000)),
        socket("t", "AF_INET", "SOCK_STREAM", ""),
        Op::Connect { fd: "t".into(), addr },
    ])
}

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// The datagram of `hello`, and the error about it.
fn datagram(run: &Run, content: &Content) -> [Vec<u8>; 2] {
    let link = build::Link::Ethernet { src: Mac(run.own), dst: Mac([2, 0, 0, 0, 0, content.far]) };
    let (src, dst) = (SocketAddr::from(([192, 0, 2, 1], run.udp)), addr(content.destination));
    let hop = build::Hop { ttl: content.ttl, tos: content.tos };
    let datagram = build::udp_datagram(src, dst, &content.payload).unwrap();
    let sent = if content.dont_fragment {
        build::ip(link, src.ip(), dst.ip(), hop, 17, &datagram)
    } else {
        let whole = Fragment { id: run.id.into(), ..Default::default() };
        build::fragment(link, src.ip(), dst.ip(), hop, 17, whole, &datagram)
    };
    let sent = sent.unwrap();
    let back = build::Link::Ethernet { src: Mac([2, 0, 0, 0, 0, 2]), dst: Mac(run.own) };
    let error = build::icmp_error(back, dst.ip(), src.ip(), 3, 3, 0, &sent[14..]).unwrap();
    [sent, error]
}

/// The first fragment of the pattern.
fn fragment(run: &Run, content: &Content) -> Vec<u8> {
    let (src, dst) = (SocketAddr::from(([198, 51, 100, 1], run.udp)), addr("198.51.100.2:12345"));
    let whole = build::udp_datagram(src, dst, &pattern(3000)).unwrap();
    let start = content.offset as usize;
    let piece = Fragment { offset: content.offset, more: content.more, id: run.id.into() };
    let bytes = &whole[start..start + 1480];
    build::fragment(build::Link::Ip, src.ip(), dst.ip(), 64, 17, piece, bytes).unwrap()
}

fn syn(run: &Run, content: &Content) -> Vec<u8> {
    let [a, b, c, d] = run.clock.to_be_bytes();
    let options = [2, 4, 5, content.mss, 8, 10, a, b, c, d, 0, 0, 0, 0, 1, 1];
    let segment = build::Segment {
        flags: content.flags,
        seq: run.isn,
        window: 64240,
        options: &options,
        ..Default::default()
    };
    let src = SocketAddr::from(([192, 0, 2, 1], run.tcp));
    build::tcp_segment(build::Link::Ip, src, addr("192.0.2.2:80"), 64, &segment).unwrap()
}

fn ran(run: &Run, content: &Content) -> Trace {
    use Direction::{In, Out as Away};
    let [sent, error] = datagram(run, content);
    let ask = build::arp_request(Mac(run.own), [192, 0, 2, 1].into(), [192, 0, 2, 3].into());
    let local = SockAddr::V4 { ip: [0, 0, 0, 0].into(), port: run.udp };
    let zone =
        SockAddr::V6 { ip: [0xfe80, 0, 0, 0, 0, 0, 0, 2].into(), port: 80, scope: run.index };
    let mut events = vec![
        returned(0, 0, None, Out::Nothing),
        to(returned(1, content.ret, content.errno, Out::Nothing), content_addr()),
        frame(1, "tap0", Away, ask.clone()),
        frame(1, content.link, content.dir, sent),
        frame(1, "tap0", In, error),
        returned(2, 0, None, Out::Addr(local)),
        returned(3, 3000, None, Out::Nothing),
        frame(3, "tun0", Away, fragment(run, content)),
        returned(4, 0, None, Out::Nothing),
        returned(5, -1, Some("EINPROGRESS"), Out::Addr(zone)),
        frame(5, "tun0", Away, syn(run, content)),
    ];
    if run.again {
        events.insert(4, frame(1, "tap0", Away, ask));
        events.push(frame(5, "tun0", Away, syn(run, content)));
    }
    if !content.frames {
        events.retain(|event| !matches!(event, Event::Frame { op: 1, .. }));
    }
    for (event, n) in events.iter_mut().zip(1u64..) {
        match event {
            Event::Call { at_ns, took_ns, .. } | Event::Lab { at_ns, took_ns, .. } => {
                (*at_ns, *took_ns) = (n * run.step_ns, run.step_ns / 2);
            }
            Event::Began { at_ns, .. }
            | Event::Frame { at_ns, .. }
            | Event::Signal { at_ns, .. } => *at_ns = n * run.step_ns,
        }
    }
    let mut trace = trace(events);
    trace.began_ns = run.began_ns;
    trace.links[1].mac = Hex(run.own.to_vec());
    trace.links[1].index = run.index;
    trace
}

fn content_addr() -> &'static str {
    "{AF_INET 192.0.2.2:12345}"
}

#[test]
fn an_outcome_is_like_this() {
    let expected = r#"socket(AF_INET, SOCK_DGRAM, 0) = s
sendto(s, "hello\0", 6, 0, {AF_INET 192.0.2.2:12345}) = 6
    > tap0 to broadcast: ARP who-has 192.0.2.3 tell 192.0.2.1
    > tap0 to neighbour: IPv4 192.0.2.1 > 192.0.2.2 ttl 64 DF UDP eph1 > 12345 len 6 "hello\0"
    < tap0 to own: IPv4 192.0.2.2 > 192.0.2.1 ttl 64 DF ICMP port unreachable (3/3) for UDP 192.0.2.1:eph1 > 192.0.2.2:12345 quote 34
getsockname(s) = 0, {AF_INET 0.0.0.0:eph1}
send(s, pattern[0..3000], 3000, 0) = 3000
    > tun0 IPv4 198.51.100.1 > 198.51.100.2 ttl 64 MF frag 0+1480 UDP eph1 > 12345 len 3000 pattern[0..1472]
socket(AF_INET, SOCK_STREAM, 0) = t
connect(t, {AF_INET 192.0.2.2:12345}) = -1 EINPROGRESS, {AF_INET6 [fe80::2%tap0]:eph2}
    > tun0 IPv4 192.0.2.1 > 192.0.2.2 ttl 64 DF TCP eph3 > eph2 [S] win 64240 mss 1284 ts
"#;
    assert_eq!(render(&the_case(), &ran(&FIRST, &usual()), Os::Linux), expected);
}

proptest! {
    #[test]
    fn two_runs_on_one_kernel_give_the_same_bytes(run in any_run()) {
        let case = the_case();
        let (one, other) = (ran(&FIRST, &usual()), ran(&run, &usual()));
        prop_assert_eq!(render(&case, &one, Os::Linux), render(&case, &other, Os::Linux));
    }
}

#[rstest]
#[case::ttl(Content { ttl: 63, ..usual() })]
#[case::tos(Content { tos: 4, ..usual() })]
#[case::dont_fragment(Content { dont_fragment: false, ..usual() })]
#[case::more_fragments(Content { more: false, ..usual() })]
#[case::offset(Content { offset: 8, ..usual() })]
#[case::payload_byte(Content { payload: b"hellO\0".to_vec(), ..usual() })]
#[case::payload_length(Content { payload: b"hello".to_vec(), ..usual() })]
#[case::tcp_flags(Content { flags: TcpFlags::SYN | TcpFlags::ECE, ..usual() })]
#[case::tcp_option(Content { mss: 5, ..usual() })]
#[case::errno(Content { errno: Some("ENETDOWN"), ..usual() })]
#[case::return_value(Content { ret: 5, ..usual() })]
#[case::missing_frame(Content { frames: false, ..usual() })]
#[case::another_link(Content { link: "lo", ..usual() })]
#[case::the_other_way(Content { dir: Direction::In, ..usual() })]
#[case::destination(Content { destination: "192.0.2.3:12345", ..usual() })]
#[case::port(Content { destination: "192.0.2.2:12346", ..usual() })]
#[case::another_neighbour(Content { far: 3, ..usual() })]
fn a_planted_difference_shows(#[case] planted: Content) {
    let case = the_case();
    let said = |content: &Content| render(&case, &ran(&FIRST, content), Os::Linux);
    let said = (said(&usual()), said(&planted));
    assert_ne!(said.0, said.1);
    assert!(!said.1.contains("bad "), "it shows as what it is: {}", said.1);
}

#[test]
fn a_payload_that_nobody_sent_is_loud() {
    let content = Content { payload: b"hellO\0".to_vec(), ..usual() };
    let said = render(&the_case(), &ran(&FIRST, &content), Os::Linux);
    assert!(said.contains(r#"len 6 DIFFERENT data "hellO\0""#), "{said}");
}

/// One step of every kind that its result is read by.
fn every_kind() -> Vec<Op> {
    let fd = || "s".to_owned();
    let addr = Addr::on("tap0", Role::Silent, Range::Ll, 9);
    let control = vec![Control::int("L", "N", 1)];
    let option = Opt::Raw { level: "SOL_SOCKET".into(), name: "SO_LINGER".into() };
    let intent = Opt::Intent(Intent::DontFragment);
    let data = Payload::Text("x".repeat(70));
    let flags = Flags::NONE;
    vec![
        udp6("s"),
        hello("s", addr.clone()),
        send("s", Payload::Pattern(100)),
        Op::Sendmsg { fd: fd(), data, flags, addr: Some(addr), control },
        Op::Recvmsg { fd: fd(), len: 1, lens: Vec::new(), control_len: 1, flags: Flags::NONE },
        Op::Recv { fd: "raw".into(), len: 1, flags: Flags::NONE },
        Op::Accept { fd: fd(), new: fd() },
        Op::Setsockopt { fd: "none".into(), option: intent.clone(), value: Value::Int(1) },
        Op::Getsockopt { fd: fd(), option, len: 8 },
        Op::Getsockopt { fd: fd(), option: intent, len: 4 },
        Op::Poll { fds: vec![PollFd { fd: fd(), events: Flags::NONE }], timeout_ms: 0 },
        Op::Fcntl { fd: fd(), cmd: "F_GETFL".into(), arg: Flags::NONE, pid: None },
        Op::RecvmsgX { fd: fd(), count: 2, len: 1, control_len: 1, flags: Flags::NONE },
        Op::Lab { step: LabOp::Wait { ms: 1, until: None, why: "two\nlines".into() } },
        Op::Lab { step: LabOp::Inject { link: "tun0".into(), frame: Hex(vec![0x45; 30]) } },
        socket("raw", "AF_INET", "SOCK_RAW", "IPPROTO_ICMP"),
        socket("ping", "AF_INET", "SOCK_DGRAM", "IPPROTO_ICMP"),
    ]
}

fn any_sym() -> impl Strategy<Value = Sym> {
    ".{0,9}".prop_map(|name| Sym(name.into()))
}

fn any_hex(longest: usize) -> impl Strategy<Value = Hex> {
    vec(any::<u8>(), 0..longest).prop_map(Hex)
}

fn any_addr() -> impl Strategy<Value = SockAddr> {
    prop_oneof![
        (any::<[u8; 4]>(), any::<u16>())
            .prop_map(|(ip, port)| SockAddr::V4 { ip: ip.into(), port }),
        (any::<[u8; 16]>(), any::<u16>(), 0..5u32).prop_map(|(ip, port, scope)| SockAddr::V6 {
            ip: ip.into(),
            port,
            scope
        }),
        ".{0,5}".prop_map(|family| SockAddr::Bare { family }),
    ]
}

fn any_info() -> impl Strategy<Value = AddrInfo> {
    (any_addr(), prop::option::of("[a-z.]{0,4}")).prop_map(|(addr, canonname)| AddrInfo {
        addr,
        r#type: "SOCK_STREAM".into(),
        protocol: "IPPROTO_TCP".into(),
        canonname,
    })
}

fn any_out() -> impl Strategy<Value = Out> {
    let name =
        prop::sample::select(vec!["IP_PKTINFO", "IPV6_PKTINFO", "IP_TTL", "IPV6_RECVERR", "x"]);
    let control = (".{0,3}", name, any_hex(50)).prop_map(|(level, name, bytes)| ControlOut {
        level,
        name: name.into(),
        bytes,
    });
    let data =
        (any_hex(80), prop::option::of(any_addr()), vec(any_sym(), 0..3), vec(control, 0..3));
    prop_oneof![
        Just(Out::Nothing),
        any_addr().prop_map(Out::Addr),
        data.prop_map(|(bytes, from, flags, control)| Out::Data { bytes, from, flags, control }),
        any::<i32>().prop_map(Out::Int),
        any_sym().prop_map(Out::Errno),
        any_hex(20).prop_map(Out::Bytes),
        vec(vec(any_sym(), 0..3), 0..3).prop_map(Out::Poll),
        vec((any_hex(9), prop::option::of(any_addr()), vec(any_sym(), 0..3)), 0..3).prop_map(
            |all| {
                let one = |(bytes, from, flags)| Received {
                    len: 3,
                    bytes,
                    from,
                    flags,
                    control: Vec::new(),
                };
                Out::Messages(all.into_iter().map(one).collect())
            }
        ),
        vec((any_sym(), vec(any_sym(), 0..3), prop::option::of(any_sym())), 0..3).prop_map(|all| {
            let one = |(filter, flags, error)| {
                let (fd, fflags) = ("s".to_owned(), Vec::new());
                Kevent { fd, filter, flags, fflags, data: 1, error }
            };
            Out::Events(all.into_iter().map(one).collect())
        }),
        vec(any_info(), 0..3).prop_map(Out::Addrs),
    ]
}

fn any_did() -> impl Strategy<Value = Did> {
    prop_oneof![
        6 => (any::<i64>(), prop::option::of(any_sym()), any_out())
            .prop_map(|(ret, errno, out)| Did::Returned { ret, errno, out }),
        1 => ".{0,9}".prop_map(|name| Did::Unsupported { name }),
        1 => any::<u32>().prop_map(|after_ms| Did::Hung { after_ms }),
    ]
}

/// Random bytes, or a real frame cut short with some bytes wrong.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let [sent, error] = datagram(&FIRST, &usual());
    let ask = build::arp_request(Mac(FIRST.own), [192, 0, 2, 1].into(), [192, 0, 2, 3].into());
    let real = vec![sent, error, fragment(&FIRST, &usual()), syn(&FIRST, &usual()), ask];
    let wrong = vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    let broken =
        (prop::sample::select(real), wrong, 0..100usize).prop_map(|(mut bytes, wrong, cut)| {
            for (at, byte) in wrong {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if cut > 50 {
                bytes.truncate(cut);
            }
            bytes
        });
    prop_oneof![vec(any::<u8>(), 0..120), broken]
}

fn any_event() -> impl Strategy<Value = Event> {
    let op = 0..19u32;
    let link = prop::sample::select(vec!["lo", "tap0", "tun0", "none"]);
    let dir = prop::sample::select(vec![Direction::In, Direction::Out]);
    prop_oneof![
        4 => (op.clone(), any_did()).prop_map(|(op, result)| did(op, result)),
        1 => (op.clone(), any::<u64>()).prop_map(|(op, at_ns)| Event::Lab { op, at_ns, took_ns: 1 }),
        4 => (op.clone(), link, dir, any_frame())
            .prop_map(|(op, link, dir, bytes)| frame(op, link, dir, bytes)),
        1 => (op, any::<u64>(), ".{0,9}")
            .prop_map(|(op, at_ns, name)| Event::Signal { op, at_ns, name }),
    ]
}

fn any_trace() -> impl Strategy<Value = Trace> {
    let end = prop_oneof![
        Just(End::Done),
        ".{0,9}".prop_map(|how| End::Died { how }),
        ".{0,9}".prop_map(|reason| End::Broken { reason }),
    ];
    (vec(any_event(), 0..30), end).prop_map(|(events, end)| Trace { end, ..trace(events) })
}

proptest! {
    #[test]
    fn any_trace_has_an_outcome_of_single_lines(trace in any_trace()) {
        let case = case(every_kind());
        for os in [Os::Linux, Os::Macos] {
            let lines = lines(&case, &trace, os);
            prop_assert!(lines.iter().all(|line| !line.text.contains(['\n', '\r'])));
            prop_assert_eq!(render(&case, &trace, os).lines().count(), lines.len());
            let _ = transcript(&case, &trace, os);
        }
    }

    #[test]
    fn normalising_is_idempotent_and_changes_no_outcome(trace in any_trace()) {
        let case = case(every_kind());
        let once = normalise(&case, &trace);
        prop_assert_eq!(&normalise(&case, &once), &once);
        prop_assert_eq!(render(&case, &once, Os::Linux), render(&case, &trace, Os::Linux));
    }

    #[test]
    fn an_outcome_is_in_the_order_of_the_steps(trace in any_trace()) {
        let case = case(every_kind());
        let events = lines(&case, &trace, Os::Linux).into_iter().filter_map(|line| line.event);
        let ops: Vec<u32> = events.map(|at| trace.events[at].op()).collect();
        prop_assert!(ops.is_sorted());
    }
}
