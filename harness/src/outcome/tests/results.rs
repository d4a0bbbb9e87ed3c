//! Every result and every end.

use rstest::rstest;

use super::super::render;
use super::{LL, case, data, did, lookup, opt, recvfrom, returned, s, send, text, trace, udp6};
use crate::case::addr::Addr;
use crate::case::op::{Opt, PollFd};
use crate::case::payload::pattern;
use crate::case::{Flags, Hex, Op, Os, Payload, Sym};
use crate::trace::{AddrInfo, ControlOut, Did, End, Out};

fn get(option: Opt, len: u32) -> Op {
    Op::Getsockopt { fd: s(), option, len }
}

fn info(
    addr: &str,
    kind: &'static str,
    protocol: &'static str,
    canonname: Option<&str>,
) -> AddrInfo {
    let canonname = canonname.map(str::to_owned);
    let addr = addr.parse().unwrap();
    AddrInfo { addr, r#type: kind.into(), protocol: protocol.into(), canonname }
}

fn named() -> Op {
    let addr = Addr::ip([192, 0, 2, 2], 80);
    Op::Getnameinfo { addr, host_len: 64, service_len: 8, flags: Flags::NONE }
}

fn names(host: &str, service: Option<&str>) -> Out {
    Out::Names { host: Some(host.to_owned()), service: service.map(str::to_owned) }
}

fn syms(names: &[&'static str]) -> Vec<Sym> {
    Flags::of(names).0
}

fn poll() -> Op {
    let one = |fd: &str| PollFd { fd: fd.into(), events: Flags::of(&["POLLIN"]) };
    Op::Poll { fds: vec![one("s"), one("r")], timeout_ms: 0 }
}

fn sendfile(at: i64) -> Op {
    Op::Sendfile { fd: s(), file: "f".into(), offset: Some(at), count: 24 }
}

/// Who asks for it is told the offset that is right, too, as a transcript does.
#[test]
fn a_right_offset_is_told_who_asks() {
    let case = case(vec![sendfile(2)]);
    let trace = trace(vec![returned(0, 24, None, Out::Offset(26))]);
    let told = |lines: Vec<super::super::Line>| lines.last().map(|line| line.text.clone());
    let call = "sendfile(s, f, [2], 24) = 24";
    assert_eq!(told(super::super::lines(&case, &trace, Os::Linux)).as_deref(), Some(call));
    let whole = format!("{call}, [26]");
    assert_eq!(told(super::super::told(&case, &trace, Os::Linux)).as_ref(), Some(&whole));
    assert!(super::super::transcript(&case, &trace, Os::Linux).contains(&whole));
}

#[rstest]
#[case(udp6("s"), 0, None, Out::Nothing, "s")]
#[case(sendfile(2), 24, None, Out::Offset(26), "24")]
#[case(sendfile(2), 24, None, Out::Offset(2), "24, [2]")]
#[case(sendfile(i64::MAX), 24, None, Out::Offset(i64::MIN + 23), "24, [-9223372036854775785]")]
#[case(udp6("s"), -1, Some("EAFNOSUPPORT"), Out::Nothing, "-1 EAFNOSUPPORT")]
#[case(
    Op::Accept { fd: s(), new: "c".into() },
    0,
    None,
    Out::Addr("{AF_INET6 [fe80::2%2]:40000}".parse().unwrap()),
    "c, {AF_INET6 [fe80::2%tap0]:eph1}"
)]
#[case(
    Op::Getsockname { fd: s() },
    0,
    None,
    Out::Addr("{AF_INET6 [::]:0}".parse().unwrap()),
    "0, {AF_INET6 [::]:0}"
)]
#[case(
    recvfrom(),
    6,
    None,
    data(b"hello\0", Some("{AF_INET6 [fe80::1%2]:40000}")),
    r#"6, "hello\0", {AF_INET6 [fe80::1%tap0]:eph1}"#
)]
#[case(recvfrom(), 3, None, data(b"jam", None), r#"3, DIFFERENT data "jam""#)]
#[case(recvfrom(), 0, None, data(b"", None), r#"0, """#)]
#[case(recvfrom(), -1, Some("EAGAIN"), data(b"", None), "-1 EAGAIN")]
#[case(
    recvfrom(),
    2000,
    None,
    Out::Data { bytes: Hex(pattern(8)), from: None, flags: syms(&["MSG_TRUNC", "MSG_CTRUNC"]), control: vec![] },
    "2000, pattern[0..8], msg_flags=MSG_TRUNC|MSG_CTRUNC"
)]
#[case(get(opt("SOL_SOCKET", "SO_ERROR"), 4), 0, None, Out::Int(0), "0, 0")]
#[case(
    get(opt("SOL_SOCKET", "SO_ERROR"), 4),
    0,
    None,
    Out::Errno("ECONNREFUSED".into()),
    "0, ECONNREFUSED"
)]
#[case(get(opt("IPPROTO_IPV6", "IPV6_MULTICAST_IF"), 4), 0, None, Out::Int(2), "0, tap0")]
#[case(
    get(opt("IPPROTO_IP", "IP_MULTICAST_IF"), 4),
    0,
    None,
    Out::Int(i32::from_le_bytes([192, 0, 2, 1])),
    "0, 192.0.2.1"
)]
#[case(
    get(opt("SOL_SOCKET", "SO_BINDTODEVICE"), 4),
    0,
    None,
    Out::Bytes(Hex(b"tap0\0".to_vec())),
    r#"0, "tap0\0""#
)]
#[case(
    get(opt("SOL_SOCKET", "SO_LINGER"), 4),
    0,
    None,
    Out::Bytes(Hex(vec![1, 0, 0, 0, 5, 0, 0, 0])),
    "0, {l_onoff=1, l_linger=5}"
)]
#[case(
    get(opt("SOL_SOCKET", "SO_SNDTIMEO"), 4),
    0,
    None,
    Out::Bytes(Hex([[2, 0, 0, 0, 0, 0, 0, 0], [7, 0, 0, 0, 0, 0, 0, 0]].concat())),
    "0, {tv_sec=2, tv_usec=7}"
)]
#[case(get(opt("SOL_SOCKET", "SO_RCVBUF"), 4), 0, None, Out::Bytes(Hex(vec![1, 2])), "0, 0x0102")]
#[case(
    Op::Ioctl { fd: s(), request: "SIOCGIFFLAGS".into(), link: None, given: None },
    0,
    None,
    Out::Int(0x1043),
    "0, 0x1043"
)]
#[case(
    Op::Fcntl { fd: s(), cmd: "F_GETFL".into(), arg: Flags::NONE, pid: None },
    0x802,
    None,
    Out::Nothing,
    "0x802"
)]
#[case(
    poll(),
    1,
    None,
    Out::Poll(vec![vec![], syms(&["POLLIN", "POLLHUP"])]),
    "1, [{r, POLLIN|POLLHUP}]"
)]
#[case(poll(), 0, None, Out::Poll(vec![vec![], vec![]]), "0")]
#[case(lookup(None, Some("80")), -2, Some("EAI_NONAME"), Out::Nothing, "-2 EAI_NONAME")]
#[case(
    lookup(None, Some("80")),
    0,
    None,
    Out::Addrs(vec![
        info(LL, "SOCK_DGRAM", "IPPROTO_UDP", Some("a.example")),
        info("{AF_INET 127.0.0.1:80}", "SOCK_RAW", "7", None),
    ]),
    "0, [{AF_INET6 [fe80::2%tap0]:12345} SOCK_DGRAM IPPROTO_UDP \"a.example\", {AF_INET 127.0.0.1:80} SOCK_RAW 7]"
)]
#[case(
    named(),
    0,
    None,
    names("fe80::2%2", Some("80")),
    "0, \"fe80::2%if_nametoindex(tap0)\", \"80\""
)]
#[case(named(), 0, None, names("fe80::2%9", None), "0, \"fe80::2%9\", NULL")]
#[case(named(), -12, Some("EAI_OVERFLOW"), Out::Nothing, "-12 EAI_OVERFLOW")]
#[case(
    Op::InetAton { text: "127.1".into() },
    1,
    None,
    Out::Ip([127, 0, 0, 1].into()),
    "1, 127.0.0.1"
)]
fn every_result(
    #[case] op: Op,
    #[case] ret: i64,
    #[case] errno: Option<&'static str>,
    #[case] out: Out,
    #[case] expected: &str,
) {
    let ops = [udp6("s"), send("s", text("hello\0")), send("s", Payload::Pattern(8)), op];
    let (case, trace) = (case(ops), trace([returned(3, ret, errno, out)]));
    let said = render(&case, &trace, Os::Linux);
    assert_eq!(said.split_once(" = ").unwrap().1, format!("{expected}\n"));
}

const V6_INFO: &[u8] = &[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0];
const REFUSED: &[u8] = &[
    111, 0, 0, 0, 3, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0x80, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 0, 0, 0,
];
const TOO_BIG: &[u8] = &[
    90, 0, 0, 0, 2, 3, 4, 0, 0x78, 5, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 192, 0, 2, 2, 0, 0, 0, 0, 0, 0,
    0, 0,
];

#[rstest]
#[case("IPV6_PKTINFO", V6_INFO, "{tap0, fe80::1}")]
#[case("IP_PKTINFO", &[3, 0, 0, 0, 10, 0, 0, 1, 10, 0, 0, 1], "{tun0, 10.0.0.1}")]
#[case(
    "IP_PKTINFO",
    &[9, 0, 0, 0, 10, 0, 0, 1, 10, 0, 0, 255],
    "{9, 10.0.0.1, sent to 10.0.0.255}"
)]
#[case("IP_TTL", &[64, 0, 0, 0], "64")]
#[case("IP_TOS", &[16], "16")]
#[case("IP_RECVDSTADDR", &[192, 0, 2, 1], "192.0.2.1")]
#[case("IP_RECVIF", &[20, 18, 3, 0, 6, 4, 6, 0, b'f'], "tun0")]
#[case("IPV6_HOPLIMIT", &[255, 0, 0, 0], "255")]
#[case("IPV6_TCLASS", &[8, 0, 0, 0], "8")]
#[case(
    "IPV6_RECVERR",
    REFUSED,
    "{ee_errno=ECONNREFUSED, ee_origin=SO_EE_ORIGIN_ICMP6, ee_type=ICMPV6_DEST_UNREACH, ee_code=ICMPV6_PORT_UNREACH, ee_info=0, offender={AF_INET6 [fe80::2%tap0]:0}}"
)]
#[case(
    "IP_RECVERR",
    TOO_BIG,
    "{ee_errno=EMSGSIZE, ee_origin=SO_EE_ORIGIN_ICMP, ee_type=ICMP_DEST_UNREACH, ee_code=ICMP_FRAG_NEEDED, ee_info=1400, offender={AF_INET 192.0.2.2:0}}"
)]
#[case(
    "IP_RECVERR",
    &[13; 16],
    "{ee_errno=218959117, ee_origin=13, ee_type=13, ee_code=13, ee_info=218959117, offender={AF_UNSPEC}}"
)]
#[case("99", &[1, 2], "0x0102")]
#[case("IP_TTL", &[], "0 bytes")]
fn every_control_message(#[case] name: &str, #[case] bytes: &[u8], #[case] expected: &str) {
    let control =
        vec![ControlOut { level: "L".into(), name: name.into(), bytes: Hex(bytes.to_vec()) }];
    let out = Out::Data { bytes: Hex(vec![]), from: None, flags: vec![], control };
    let op = Op::Recvmsg { fd: s(), len: 1, lens: Vec::new(), control_len: 64, flags: Flags::NONE };
    let said = render(&case([op]), &trace([returned(0, 0, None, out)]), Os::Linux);
    assert!(said.ends_with(&format!("msg_control=[{{L, {name}, {expected}}}]\n")), "{said}");
}

#[rstest]
#[case(
    Did::Unsupported { name: "IP_DONTFRAG".into() },
    End::Unsupported,
    "close(s) = ? unsupported here: IP_DONTFRAG\n"
)]
// The same whatever the clock said: in two runs of gVisor it was 2015 ms and 2025.
#[case(Did::Hung { after_ms: 2025 }, End::Hung, "close(s) = ? still waiting\n")]
#[case(
    Did::Returned { ret: 0, errno: None, out: Out::Nothing },
    End::Died { how: "killed by SIGKILL".into() },
    "close(s) = 0\n+++ executor killed by SIGKILL +++\n"
)]
fn every_end_after_a_call(#[case] result: Did, #[case] end: End, #[case] expected: &str) {
    let mut trace = trace([did(0, result)]);
    trace.end = end;
    assert_eq!(render(&case([Op::Close { fd: s() }]), &trace, Os::Linux), expected);
}

#[rstest]
#[case(End::Skipped { reason: "no /dev/net/tun".into() }, "+++ skipped: no /dev/net/tun +++\n")]
#[case(End::Broken { reason: "a\nb".into() }, "+++ lab broken: a\\nb +++\n")]
#[case(End::Done, "")]
fn every_end_of_nothing(#[case] end: End, #[case] expected: &str) {
    let mut trace = trace([]);
    trace.end = end;
    assert_eq!(render(&case([]), &trace, Os::Linux), expected);
}
