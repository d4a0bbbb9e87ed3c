//! Which lines there are, and how frames stand in them.

use rstest::rstest;

use super::super::{Line, What, lines, render, transcript};
use super::{
    LL, case, data, frame, hello, neighbour, recvfrom, returned, s, socket, to, trace, udp6,
};
use crate::case::addr::Range;
use crate::case::{Flags, LabOp, Op, Os};
use crate::trace::{Direction, End, Event, Out};
use crate::wire::{Mac, TcpFlags, build};

fn ethernet(src: [u8; 6], dst: [u8; 6]) -> build::Link {
    build::Link::Ethernet { src: Mac(src), dst: Mac(dst) }
}

fn out(src: &str, dst: &str, payload: &[u8]) -> Vec<u8> {
    let link = ethernet([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    build::udp(link, src.parse().unwrap(), dst.parse().unwrap(), 64, payload).unwrap()
}

#[test]
fn frames_stand_beneath_the_call_that_caused_them() {
    let case = case([udp6("s"), hello("s", neighbour(Range::Ll)), Op::Getsockname { fd: s() }]);
    let sent = out("[fe80::1]:50123", "[fe80::2]:12345", b"hello\0");
    let events = [
        returned(0, 0, None, Out::Nothing),
        // The far end has the frame before the call has returned.
        frame(1, "tap0", Direction::Out, sent),
        to(returned(1, 6, None, Out::Nothing), LL),
        Event::Signal { op: 1, at_ns: 9, name: "SIGPIPE".into() },
        returned(2, 0, None, Out::Addr("{AF_INET6 [::]:50123}".parse().unwrap())),
    ];
    let trace = trace(events);
    let expected = r#"socket(AF_INET6, SOCK_DGRAM, 0) = s
sendto(s, "hello\0", 6, 0, {AF_INET6 [fe80::2%tap0]:12345}) = 6
    > tap0 to neighbour: IPv6 fe80::1 > fe80::2 hlim 64 UDP eph1 > 12345 len 6 "hello\0"
+++ SIGPIPE +++
getsockname(s) = 0, {AF_INET6 [::]:eph1}
"#;
    assert_eq!(render(&case, &trace, Os::Linux), expected);
    let shown: Vec<_> = lines(&case, &trace, Os::Linux).iter().map(|l| (l.what, l.event)).collect();
    assert_eq!(
        shown,
        [
            (What::Call { op: 0 }, Some(0)),
            (What::Call { op: 1 }, Some(2)),
            (What::Frame { op: 1 }, Some(1)),
            (What::Signal { op: 1 }, Some(3)),
            (What::Call { op: 2 }, Some(4)),
        ]
    );
}

#[test]
fn a_transcript_has_times_real_ports_and_everything() {
    let case = case([udp6("s"), hello("s", neighbour(Range::Ll))]);
    let sent = out("[fe80::1]:50123", "[fe80::2]:12345", b"hello\0");
    let report = build::ip(
        build::Link::Ip,
        "fe80::1".parse().unwrap(),
        "ff02::16".parse().unwrap(),
        1,
        58,
        &[131; 24],
    );
    let mut trace = trace([
        returned(0, 0, None, Out::Nothing),
        frame(1, "tap0", Direction::Out, sent),
        to(returned(1, 6, None, Out::Nothing), LL),
        frame(1, "tun0", Direction::Out, report.unwrap()),
    ]);
    trace.end = End::Died { how: "killed by SIGKILL".into() };
    let expected = r#"+0.000123 socket(AF_INET6, SOCK_DGRAM, 0) = s <0.000011>
+0.000000 sendto(s, "hello\0", 6, 0, {AF_INET6 [fe80::2%tap0]:12345}) = 6 <0.000011>
+0.000001     > tap0 to 02:00:00:00:00:02: IPv6 fe80::1 > fe80::2 hlim 64 UDP 50123 > 12345 len 6 "hello\0"
"#;
    let said = transcript(&case, &trace, Os::Linux);
    let rest = said.strip_prefix(expected).unwrap_or_else(|| panic!("{said}"));
    assert!(rest.starts_with("+0.000000     > tun0 IPv6 fe80::1 > ff02::16 hlim 1 "), "{rest}");
    assert!(
        rest.ends_with(" (MLD report)\n          +++ executor killed by SIGKILL +++\n"),
        "{rest}"
    );
}

#[test]
fn what_a_timer_repeats_is_shown_once_beneath_one_step() {
    let wait = || Op::Lab { step: LabOp::Wait { ms: 1, until: None, why: "it".into() } };
    let ask = || {
        frame(
            0,
            "tap0",
            Direction::Out,
            build::arp_request(
                Mac([2, 0, 0, 0, 0, 1]),
                [192, 0, 2, 1].into(),
                [192, 0, 2, 4].into(),
            ),
        )
    };
    let later = |event: Event| match event {
        Event::Frame { at_ns, link, dir, bytes, .. } => {
            Event::Frame { op: 1, at_ns, link, dir, bytes }
        }
        event => event,
    };
    let syn = |seq| {
        let segment =
            build::Segment { flags: TcpFlags::SYN, seq, window: 64240, ..Default::default() };
        let (src, dst) = ("192.0.2.1:50000".parse().unwrap(), "192.0.2.2:80".parse().unwrap());
        frame(
            1,
            "tun0",
            Direction::Out,
            build::tcp_segment(build::Link::Ip, src, dst, 64, &segment).unwrap(),
        )
    };
    let data = || {
        frame(
            1,
            "tun0",
            Direction::Out,
            build::udp(
                build::Link::Ip,
                "192.0.2.1:1".parse().unwrap(),
                "192.0.2.2:2".parse().unwrap(),
                64,
                b"",
            )
            .unwrap(),
        )
    };
    let lab = |op| Event::Lab { op, at_ns: 0, took_ns: 0 };
    let events =
        [lab(0), ask(), ask(), lab(1), later(ask()), syn(1), data(), later(ask()), syn(1), data()];
    let expected = "\
-- wait 1 ms: it
    > tap0 to broadcast: ARP who-has 192.0.2.4 tell 192.0.2.1
-- wait 1 ms: it
    > tap0 to broadcast: ARP who-has 192.0.2.4 tell 192.0.2.1
    > tun0 IPv4 192.0.2.1 > 192.0.2.2 ttl 64 DF TCP eph1 > eph2 [S] win 64240
    > tun0 IPv4 192.0.2.1 > 192.0.2.2 ttl 64 DF UDP eph3 > eph4 len 0
    > tun0 IPv4 192.0.2.1 > 192.0.2.2 ttl 64 DF UDP eph3 > eph4 len 0
";
    assert_eq!(render(&case([wait(), wait()]), &trace(events), Os::Linux), expected);
}

#[rstest]
#[case::own([2, 0, 0, 0, 0, 9], [2, 0, 0, 0, 0, 1], "to own: X from other")]
#[case::neighbour([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2], "to neighbour: X")]
#[case::unresolved([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 3], "to unresolved: X")]
#[case::silent([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 4], "to silent: X")]
#[case::another_link([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 1, 2], "to other: X")]
#[case::broadcast([2, 0, 0, 0, 0, 1], [255; 6], "to broadcast: X")]
#[case::group([2, 0, 0, 0, 0, 1], [0x33, 0x33, 0, 0, 0, 1], "to 33:33:00:00:00:01: X")]
#[case::forged([2, 0, 0, 0, 0, 2], [255; 6], "to broadcast: X from neighbour")]
fn hardware_addresses_by_role(#[case] src: [u8; 6], #[case] dst: [u8; 6], #[case] expected: &str) {
    let bytes =
        build::ip(ethernet(src, dst), [10, 0, 0, 1].into(), [10, 0, 0, 2].into(), 64, 253, &[]);
    let trace = trace([frame(0, "tap0", Direction::Out, bytes.unwrap())]);
    let said = render(&case([]), &trace, Os::Linux);
    let expected = expected.replace('X', "IPv4 10.0.0.1 > 10.0.0.2 ttl 64 DF protocol 253 len 0");
    assert_eq!(said, format!("-- after the last step\n    > tap0 {expected}\n"));
}

#[test]
fn loopback_has_no_hardware_addresses_and_unfinished_checksums() {
    let mut bytes = out("[::1]:50123", "[::1]:12345", b"hello\0");
    bytes[..12].fill(0);
    bytes[14 + 40 + 6] ^= 0x55;
    let case = case([hello("s", neighbour(Range::Ll))]);
    let there =
        |link| render(&case, &trace([frame(0, link, Direction::Out, bytes.clone())]), Os::Linux);
    let expected = r#"sendto(s, "hello\0", 6, 0, {AF_INET6 [fe80::2%tap0]:12345}) <unfinished ...>
    > lo IPv6 ::1 > ::1 hlim 64 UDP eph1 > 12345 len 6 "hello\0"
"#;
    assert_eq!(there("lo"), expected);
    assert!(there("tap0").contains("bad checksum"));
}

#[test]
fn raw_sockets_receive_headers() {
    let echo = [0, 0, 0, 0, 0, 7, 0, 1, b'h', b'i'];
    let v4 = build::ip(build::Link::Ip, [192, 0, 2, 2].into(), [192, 0, 2, 1].into(), 64, 1, &echo);
    let mut v6 = echo;
    v6[0] = 129;
    let ops = [
        socket("s", "AF_INET", "SOCK_RAW", "IPPROTO_ICMP"),
        recvfrom(),
        socket("r", "AF_INET6", "SOCK_RAW", "IPPROTO_ICMPV6"),
        Op::Recv { fd: "r".into(), len: 64, flags: Flags::NONE },
    ];
    let events =
        [returned(1, 30, None, data(&v4.unwrap(), None)), returned(3, 10, None, data(&v6, None))];
    let said: Vec<Line> = lines(&case(ops), &trace(events), Os::Linux);
    assert!(
        said[0].text.starts_with(
            "recvfrom(s, 64, 0) = 30, {IPv4 192.0.2.2 > 192.0.2.1 ttl 64 DF ICMP echo reply"
        ),
        "{}",
        said[0].text
    );
    assert!(
        said[1].text.starts_with("recv(r, 64, 0) = 10, {ICMPv6 echo reply"),
        "{}",
        said[1].text
    );
    assert!(said[1].text.ends_with("\"hi\"}"), "{}", said[1].text);
}
