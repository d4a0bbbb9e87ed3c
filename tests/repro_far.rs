//! Reproducers of cases in which a far end sends by words: what the program makes of them must do to the
//! host what the executor's frames do, and with one lie more, or the frame taken out, it must say
//! `not reproduced`.

use harness::case::{Case, Os};
use harness::outcome;
use harness::trace::End;
use harness::wire::{Body, Field, Framing, Net, TcpOption, build, decode, forge, quoted, spoil};
use reports::repro::{Options, agrees, reproducer, saw_the_wire, verdict};
use rstest::rstest;

use crate::common::repro::{able, case, ran, written};
use crate::common::{documented, traces};

const UDP4: &str = "tun link0 mtu 1400
    socket(AF_INET, SOCK_DGRAM, 0) = s
    connect(s, {AF_INET neighbour(link0):9})
    send(s, \"x\", 0) = 1
        < link0 ICMP port unreachable, quoting it
    send(s, \"y\", 0)
    send(s, \"z\", 0)";

const UDP6_BY_TAP: &str = "tap link0
    socket(AF_INET6, SOCK_DGRAM, 0) = s
    connect(s, {AF_INET6 [neighbour(link0,v6)]:9})
    send(s, pattern[0..1340], 0)
        < link0 ICMPv6 packet too big mtu 1300, quoting it
    getsockopt(s, IPPROTO_IPV6, IPV6_MTU)
    send(s, pattern[0..1340], 0)";

/// Each error, and what takes the place of a part of it so that the host does something else.
#[rstest]
#[case::port(UDP4, "quoting it", "quoting it, source port wrong")]
#[case::other_port(UDP4, "quoting it", "quoting it, destination port wrong")]
#[case::source(UDP4, "quoting it", "quoting it, source wrong")]
#[case::destination(UDP4, "quoting it", "quoting it, destination wrong")]
#[case::checksum(UDP4, "quoting it", "quoting it, checksum wrong")]
#[case::cut(UDP4, "quoting it", "quoting it, cut to 20 bytes")]
#[case::kind(UDP4, "port unreachable", "protocol unreachable")]
#[case::too_big(UDP6_BY_TAP, "quoting it", "quoting it, source port wrong")]
#[case::another_mtu(UDP6_BY_TAP, "mtu 1300", "mtu 1310")]
#[case::checksum_of_v6(UDP6_BY_TAP, "quoting it", "quoting it, checksum wrong")]
fn an_error_is_the_labs(#[case] text: &str, #[case] part: &str, #[case] other: &str) {
    let (one, other) = (case(text), case(&text.replace(part, other)));
    // Each of the two is what happens with itself alone.
    tells_apart(&one, &other);
    tells_apart(&other, &one);
}

const DATAGRAM4: &str = "tun link0
    socket(AF_INET, SOCK_DGRAM, 0) = s
    bind(s, {AF_INET own(link0):0})
    < link0 UDP neighbour(link0,v4):9 > own(link0,v4):port(s) \"hello\" ttl 7 tos 0x02 df
    recvfrom(s, 16, MSG_DONTWAIT)";

const DATAGRAM6: &str = "tap link0
    socket(AF_INET6, SOCK_DGRAM, 0) = s
    bind(s, {AF_INET6 [own(link0,v6)]:0})
    < link0 UDP neighbour(link0,v6):9 > own(link0,v6):port(s) pattern[0..600]
    recvfrom(s, 1000, MSG_DONTWAIT)";

#[rstest]
#[case::checksum(DATAGRAM4, " df", " df, checksum wrong")]
#[case::port(DATAGRAM4, ":port(s)", ":9")]
#[case::to(DATAGRAM4, "own(link0,v4):port", "silent(link0,v4):port")]
#[case::checksum_of_v6(DATAGRAM6, "[0..600]", "[0..600], checksum wrong")]
#[case::data(DATAGRAM6, "[0..600]", "[0..601]")]
fn a_datagram_is_the_labs(#[case] text: &str, #[case] part: &str, #[case] other: &str) {
    let (one, other) = (case(text), case(&text.replace(part, other)));
    tells_apart(&one, &other);
    tells_apart(&other, &one);
}

/// What another descriptor of the socket still has, and nobody by the closed one can tell.
const CLOSED: &str = "socket(AF_INET, SOCK_STREAM, 0) = l
    bind(l, {AF_INET 127.0.0.1:0})
    dup(l) = k
    close(l)
    socket(AF_INET, SOCK_STREAM, 0) = m
    bind(m, {AF_INET 127.0.0.1:port(l)})";

const CLOSED_TWICE: &str = "socket(AF_INET, SOCK_STREAM, 0) = l
    bind(l, {AF_INET 127.0.0.1:0})
    dup(l) = k
    close(l)
    close(l)
    socket(AF_INET, SOCK_STREAM, 0) = m
    bind(m, {AF_INET 127.0.0.1:port(l)})";

const CLOSED_BEFORE_A_FRAME: &str = "tun link0
    socket(AF_INET, SOCK_DGRAM, 0) = s
    bind(s, {AF_INET own(link0):0})
    dup(s) = d
    close(s)
    < link0 UDP neighbour(link0,v4):9 > own(link0,v4):port(s) \"x\"
    recvfrom(d, 16, MSG_DONTWAIT)";

const CLOSED_BY_A_THREAD: &str = "socket(AF_INET, SOCK_STREAM, 0) = l
    bind(l, {AF_INET 127.0.0.1:0})
    dup(l) = k
    socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])
    t: recv(a, 1, 0) <unfinished ...>
    close(l)
    send(b, \"x\", 0)
    t: <... recv resumed>
    socket(AF_INET, SOCK_STREAM, 0) = m
    bind(m, {AF_INET 127.0.0.1:port(l)})";

/// It was 0, whatever the socket had been bound to, and nobody said so.
#[rstest]
#[case::call(CLOSED, ":port(l)", ":0")]
#[case::made_anew(CLOSED, "close(l)", "close(l)\nsocket(AF_INET, SOCK_STREAM, 0) = l")]
#[case::twice(CLOSED_TWICE, ":port(l)", ":0")]
#[case::frame(CLOSED_BEFORE_A_FRAME, ":port(s)", ":9")]
#[case::threads(CLOSED_BY_A_THREAD, ":port(l)", ":0")]
fn a_port_outlives_its_socket(#[case] text: &str, #[case] part: &str, #[case] other: &str) {
    let (one, other) = (case(text), case(&text.replace(part, other)));
    tells_apart(&one, &other);
    tells_apart(&other, &one);
}

const HANDSHAKE: &str = "tun link0
    socket(AF_INET, SOCK_STREAM, 0) = s
    fcntl(s, F_SETFL, O_NONBLOCK)
    connect(s, {AF_INET neighbour(link0):80})
        < link0 TCP [S.] mss 1000
    poll([{s, POLLOUT}], 1000)
    getsockopt(s, IPPROTO_TCP, TCP_MAXSEG)
    send(s, \"GET\", 0)
        < link0 TCP [P.] seq +2 \"ay\"
        < link0 TCP [P.] \"ok\"
    recv(s, 10, 0)
        < link0 TCP [F.]
    recv(s, 10, 0)
        < link0 TCP [R]
    send(s, \"x\", MSG_NOSIGNAL)";

const LISTENER6: &str = "tap link0
    socket(AF_INET6, SOCK_STREAM|SOCK_NONBLOCK, 0) = l
    bind(l, {AF_INET6 [own(link0,v6)]:80})
    listen(l, 1)
    < link0 TCP neighbour(link0,v6):5000 > own(link0,v6):80 [S] mss 1000
    < link0 TCP [.]
    accept(l) = s
    < link0 TCP [P.] \"x\"
    recv(s, 16, MSG_DONTWAIT)";

#[rstest]
#[case::mss(HANDSHAKE, "mss 1000", "mss 1001")]
#[case::reset(HANDSHAKE, "[R]", "[R] seq -5")]
#[case::checksum(HANDSHAKE, "\"ok\"", "\"ok\", checksum wrong")]
#[case::acknowledgment(HANDSHAKE, "[S.]", "[S.] ack -1")]
#[case::data(HANDSHAKE, "\"ay\"", "\"no\"")]
#[case::by_tap(LISTENER6, "\"x\"", "\"x\", checksum wrong")]
#[case::from_elsewhere(LISTENER6, "5000", "5001")]
fn a_segment_is_the_labs(#[case] text: &str, #[case] part: &str, #[case] other: &str) {
    let (one, other) = (case(text), case(&text.replace(part, other)));
    tells_apart(&one, &other);
    tells_apart(&other, &one);
}

const OPTIONS: &str = "tun link0
    sysctl net.ipv4.tcp_early_retrans=0
    socket(AF_INET, SOCK_STREAM, 0) = s
    fcntl(s, F_SETFL, O_NONBLOCK)
    connect(s, {AF_INET neighbour(link0):80})
        < link0 TCP [S.] [mss 1000,sackOK,TS val 100,nop,wscale 1]
    poll([{s, POLLOUT}], 0)
    getsockopt(s, IPPROTO_TCP, TCP_MAXSEG)
        < link0 TCP [P.] [nop,nop,TS val 101] \"data\"
    recv(s, 16, 0)";

/// A gap, of which the host tells in each segment; and a window of three segments, or of six.
const BLOCKS: &str = "tun link0
    sysctl net.ipv4.tcp_early_retrans=0
    socket(AF_INET, SOCK_STREAM, 0) = s
    fcntl(s, F_SETFL, O_NONBLOCK)
    connect(s, {AF_INET neighbour(link0):80})
        < link0 TCP [S.] [mss 100,sackOK,nop,wscale 1]
        < link0 TCP [P.] seq +5 win 264 [] \"later\"
    send(s, pattern[0..1056], 0)";

/// Of what comes behind a gap, and when, segments tell that have nothing but an acknowledgement and options.
const TOLD: &str = "tun link0
    socket(AF_INET, SOCK_STREAM, 0) = s
    fcntl(s, F_SETFL, O_NONBLOCK)
    connect(s, {AF_INET neighbour(link0):80})
        < link0 TCP [S.] [mss 1000,sackOK,TS val 100]
        < link0 TCP [P.] seq +10 [nop,nop,TS val 101] \"2222\"
        < link0 TCP [P.] [nop,nop,TS val 102] \"1111\"
        < link0 TCP [R] seq +1";

/// How far its window is scaled, and by what it controls congestion: the program had the host's.
const SETTINGS: &str = "tun link0
    socket(AF_INET, SOCK_STREAM, 0) = s
    fcntl(s, F_SETFL, O_NONBLOCK)
    connect(s, {AF_INET neighbour(link0):80})
        < link0 TCP [S.] [mss 1000,nop,wscale 7]
    getsockopt(s, IPPROTO_TCP, TCP_INFO, 8)
    getsockopt(s, IPPROTO_TCP, TCP_CONGESTION, 16)";

/// Each option, and what takes its place so that the host does something else.
#[rstest]
#[case::mss(OPTIONS, "mss 1000", "mss 1001")]
#[case::echo(OPTIONS, "val 100,", "val 100 ecr -60000,")]
#[case::old(OPTIONS, "val 101", "val 90")]
#[case::length(OPTIONS, "mss 1000", "kind 2 len 0 \"xx\"")]
#[case::scale(BLOCKS, "wscale 1", "wscale 0")]
#[case::sack(BLOCKS, "sackOK", "nop,nop")]
#[case::told(TOLD, "sackOK", "nop,nop")]
#[case::edges(TOLD, "seq +10", "seq +20")]
#[case::time(TOLD, "val 102", "val 103")]
#[case::challenged(TOLD, "[R] seq +1", "[R] seq +1000000")]
#[case::memory(
    SETTINGS,
    "tun link0",
    "tun link0\n    sysctl net.ipv4.tcp_rmem=4096 131072 33554432"
)]
fn an_option_is_the_labs(#[case] text: &str, #[case] part: &str, #[case] other: &str) {
    let (one, other) = (case(text), case(&text.replace(part, other)));
    tells_apart(&one, &other);
}

/// Byte for byte what a lab's far end sends: relative to what the host has sent.
#[test]
fn a_segment_has_the_labs_options() {
    if !able() {
        return;
    }
    let one = case(
        "tun link0
        socket(AF_INET, SOCK_STREAM, 0) = s
        fcntl(s, F_SETFL, O_NONBLOCK)
        connect(s, {AF_INET neighbour(link0):80})
            < link0 TCP [S.E] [mss 1000,sackOK]
        send(s, \"1234\", 0)
            < link0 TCP [.EW] tos 0x03 [nop,nop,sack 1:3 4:5,TS val 9 ecr 7,kind 253 \"a\\0\"]",
    );
    let program = reproducer(&one, &Options { os: Os::Linux, observed: None, expected: &[] });
    let sends = "    inject(far_end[way->link], first";
    assert!(program.contains(sends), "{program}");
    let prints = &PRINTS[PRINTS.find("    for (unsigned").expect("it prints what it sends")..];
    let folder = tempfile::tempdir().expect("a folder");
    let (stdout, stderr, _) =
        ran(&program.replace(sends, &format!("{prints}{sends}")), folder.path());
    let lines = stdout.lines().filter_map(|line| line.strip_prefix(' '));
    let frames: Vec<_> = lines.filter(|line| line.bytes().all(|b| b.is_ascii_hexdigit())).collect();
    assert_eq!(frames.len(), 2, "{stdout}{stderr}");
    let sent = unhex(frames[1]);
    let Net::V4(ip, Body::Tcp(tcp)) = decode(Framing::Ip, &sent).net else { panic!("{stdout}") };
    assert_eq!((ip.tos, tcp.flags.to_string(), tcp.checksum_ok), (3, ".EW".into(), Some(true)));
    let edge = |at: u32| tcp.ack.wrapping_sub(5).wrapping_add(at);
    assert_eq!(
        tcp.options,
        [
            TcpOption::Nop,
            TcpOption::Nop,
            TcpOption::Sack(vec![(edge(1), edge(3)), (edge(4), edge(5))]),
            TcpOption::Timestamps { value: 9, echo: 7 },
            TcpOption::Other { kind: 253, data: b"a\0".to_vec() },
            TcpOption::End,
        ]
    );
}

/// With its frame taken out of a case the program says that it is not reproduced.
#[rstest]
#[case(UDP4)]
#[case(UDP6_BY_TAP)]
#[case(DATAGRAM6)]
#[case(LISTENER6)]
fn without_its_frame_nothing_is_reproduced(#[case] text: &str) {
    let last = text.lines().rfind(|line| line.trim().starts_with('<')).expect("a frame");
    tells_apart(&case(text), &case(&text.replace(last, "-- wait 1 ms: left out")));
}

/// Has a program print what it quotes and what it sends, as hexadecimal digits.
const PRINTS: &str = "    for (size_t i = 0; i < last[0].len; i++)
        printf(i == 0 ? \"sends %02x\" : \"%02x\", last[0].bytes[i]);
    for (unsigned char *p = first; p < made + BODY + len; p++)
        printf(p == first ? \" %02x\" : \"%02x\", *p);
    puts(\"\");
";

fn unhex(digits: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("digits");
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// Byte for byte what `harness::wire` makes, with every lie, over each link, of each protocol.
#[rstest]
fn an_error_has_the_labs_bytes(
    #[values("tun", "tap")] kind: &str,
    #[values("v4", "v6")] range: &str,
    #[values("DGRAM", "STREAM")] socket: &str,
) {
    if !able() {
        return;
    }
    let (family, host) = match range {
        "v4" => ("AF_INET", "neighbour(link0)"),
        _ => ("AF_INET6", "[neighbour(link0,v6)]"),
    };
    let lies = [
        ("source port wrong", Some(Field::SourcePort)),
        ("destination port wrong", Some(Field::DestinationPort)),
        ("source wrong", Some(Field::Source)),
        ("destination wrong", Some(Field::Destination)),
        ("checksum wrong", None),
        ("cut to 44 bytes", None),
        ("sequence number wrong", Some(Field::Sequence)),
    ];
    let lies = if socket == "DGRAM" { &lies[..5] } else { &lies[..] };
    let told = |(lie, _): &(&str, _)| format!("    < link0 ICMP time exceeded, quoting it, {lie}");
    let told: Vec<String> = lies.iter().map(told).collect();
    let one = case(&format!(
        "{kind} link0\nsocket({family}, SOCK_{socket}|SOCK_NONBLOCK, 0) = s\n\
         connect(s, {{{family} {host}:9}})\n{}{}",
        if socket == "DGRAM" { "send(s, pattern[0..900], 0)\n" } else { "" },
        told.join("\n")
    ));
    let program = reproducer(&one, &Options { os: Os::Linux, observed: None, expected: &[] });
    let sends = "    inject(far_end[way->link], first";
    assert!(program.contains(sends), "{program}");
    let folder = tempfile::tempdir().expect("a folder");
    let (stdout, stderr, _) =
        ran(&program.replace(sends, &format!("{PRINTS}{sends}")), folder.path());
    let frames: Vec<_> = stdout.lines().filter_map(|line| line.strip_prefix("sends ")).collect();
    assert_eq!(frames.len(), lies.len(), "{stdout}{stderr}");
    for ((lie, field), line) in lies.iter().zip(frames) {
        let (last, sent) = line.split_once(' ').expect("two frames");
        let (last, sent) = (unhex(last), unhex(sent));
        let framing = if kind == "tap" { Framing::Ethernet } else { Framing::Ip };
        let eth = decode(framing, &last).eth;
        let mut quote = last[if eth.is_some() { 14 } else { 0 }..].to_vec();
        let ends = quoted(&quote).expect("it can be quoted");
        assert!(field.is_none_or(|field| forge(&mut quote, field)), "{lie}");
        if lie.starts_with("cut") {
            quote.truncate(44);
        }
        let number = if range == "v4" { 11 } else { 3 };
        let made =
            build::icmp_error(build::Link::back(eth), ends.dst, ends.src, number, 0, 0, &quote);
        let mut made = made.expect("it is made");
        if lie.starts_with("checksum") {
            spoil(framing, &mut made);
        }
        assert_eq!(sent, made, "{lie}");
    }
}

/// The examples of the documentation.
#[test]
fn what_the_documentation_has_is_reproduced() {
    let texts = documented();
    assert_eq!(texts.len(), 2);
    if !able() {
        return;
    }
    for text in texts {
        let one = case(text);
        let traces = traces(&[], std::slice::from_ref(&one));
        let folder = tempfile::tempdir().expect("a folder");
        let (stdout, stderr, status) = ran(&written(&one, &traces[0]), folder.path());
        assert_eq!((verdict(&stdout), status), (Some(true), Some(0)), "{stdout}{stderr}");
    }
}

/// Where it makes no such frame the program ends with 2 and says why.
#[test]
fn beside_a_server_it_says_that_it_cannot() {
    let one = case(
        "tun link0
        serve link0 80: close
        socket(AF_INET, SOCK_DGRAM, 0) = s
        sendto(s, \"x\", 0, {AF_INET neighbour(link0):9})
            < link0 ICMP port unreachable, quoting it",
    );
    let program = reproducer(&one, &Options { os: Os::Linux, observed: None, expected: &[] });
    assert!(program.contains("beside the server on link0"), "{program}");
    assert!(program.contains("return 2;"), "{program}");
}

/// The program of each says so of itself, and the other one's, with this one's observation, that it is
/// not reproduced.
fn tells_apart(one: &Case, other: &Case) {
    if !able() {
        return;
    }
    let traces = traces(&[], std::slice::from_ref(one));
    let trace = &traces[0];
    let shown = outcome::render(one, trace, Os::Linux);
    assert_eq!(trace.end, End::Done, "{shown}");
    let folder = tempfile::tempdir().expect("a folder");
    let (stdout, stderr, status) = ran(&written(one, trace), folder.path());
    assert_eq!(agrees(trace, one, &stdout), Ok(()), "{shown}\n{stdout}{stderr}");
    assert_eq!((verdict(&stdout), status), (Some(true), Some(0)), "{shown}\n{stdout}{stderr}");
    assert!(saw_the_wire(&stdout), "{stdout}");
    let (stdout, stderr, status) = ran(&written(other, trace), folder.path());
    assert_eq!((verdict(&stdout), status), (Some(false), Some(1)), "{shown}\n{stdout}{stderr}");
    assert!(stderr.contains("differs: "), "{stderr}");
}

/// A `poll` that tells nothing, then as often as this the socket's error alone, then all.
const HALF: &str = "static int half(struct pollfd *fds, nfds_t n, int ms)
{
    static int asked;
    int ret = poll(fds, n, ms);

    if (++asked == 1)
        return 0;
    if (asked <= 1 + TIMES && ret > 0)
        fds->revents = POLLERR;
    return ret;
}
#define poll half
";

/// The kernel sets a socket's error before its state: who sleeps in `poll` is told both, who asks in
/// between is not.
#[rstest]
#[case::between(1, true)]
#[case::always(9, false)]
fn what_comes_after_a_while_is_asked_for_again(#[case] times: u32, #[case] reproduced: bool) {
    if !able() {
        return;
    }
    let one = case(
        "tun link0
        socket(AF_INET, SOCK_STREAM, 0) = s
        fcntl(s, F_SETFL, O_NONBLOCK)
        connect(s, {AF_INET neighbour(link0):80})
            < link0 TCP [R.]
        poll([{s, POLLOUT}], 1000)",
    );
    let traces = traces(&[], std::slice::from_ref(&one));
    let program = written(&one, &traces[0]);
    let at = program.find("/* poll in slices").expect("it answers while it polls");
    let half = HALF.replace("TIMES", &times.to_string());
    let program = format!("{}{half}{}", &program[..at], &program[at..]);
    let folder = tempfile::tempdir().expect("a folder");
    let (stdout, stderr, _) = ran(&program, folder.path());
    assert_eq!(verdict(&stdout), Some(reproduced), "{stdout}{stderr}");
}

/// Bytes that the far end puts on a link on which a server answers, too: they went to the program's standard input.
#[test]
fn beside_a_server_bytes_are_sent() {
    if !able() {
        return;
    }
    let frame = "45000023000040004011b6c6c0000202c000020123283039000fa027616e796f6e653f";
    let text = format!(
        "tun link0\nserve link0 80: expect \"x\", close\nsocket(AF_INET, SOCK_DGRAM, 0) = s\n\
         bind(s, {{AF_INET own(link0):12345}})\n-- inject link0 0x{frame}\n\
         recvfrom(s, 16, MSG_DONTWAIT)"
    );
    let (one, other) = (case(&text), case(&text.replace("6e653f", "6e6540")));
    tells_apart(&one, &other);
}

/// The far end of a program that serves is Linux's own TCP: it acknowledges what it reads before it resets, so that
/// nothing is unsent. The program says that it is no reproduction.
#[test]
fn a_far_end_that_acknowledges_otherwise_is_no_reproduction() {
    if !able() {
        return;
    }
    let tables = suites::tables();
    let all = || tables.iter().flat_map(|table| &table.cases);
    let case = |id: &str| all().find(|case| case.id == id).expect(id).clone();
    let folder = tempfile::tempdir().expect("a folder");
    for (id, same) in [("errors/state[reset,unsent]", false), ("errors/state[reset,unread]", true)]
    {
        let case = case(id);
        let trace = traces(&[], std::slice::from_ref(&case)).remove(0);
        let (stdout, stderr, _) = ran(&written(&case, &trace), folder.path());
        assert_eq!(verdict(&stdout), Some(same), "{id}: {stdout}{stderr}");
    }
}
