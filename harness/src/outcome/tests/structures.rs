//! Structures that options and control messages carry, and what is not one of them.

use rstest::rstest;

use super::super::{is_of_the_run, render, stable_option, transcript};
use super::{case, data, frame, opt, returned, s, socket, trace, udp6};
use crate::case::op::{Control, Value};
use crate::case::{Case, Flags, Hex, LabOp, Op, Os, Service};
use crate::trace::{ControlOut, Credentials, Direction, Event, Out, Trace};
use crate::wire::{TcpFlags, build};

fn hex(text: &str) -> Hex {
    text.replace(' ', "").parse().unwrap()
}

/// What the executor was when `0x48d8` was its process: root, and a user that is root in its namespace.
fn own(trace: Trace) -> Trace {
    let own = Credentials { pid: 0x48d8, uid: 0, gid: 0, groups: vec![0, 27] };
    Trace { own: Some(own), ..trace }
}

fn received(level: &str, name: &str, bytes: &str) -> (Case, Trace) {
    let control = vec![ControlOut { level: level.into(), name: name.into(), bytes: hex(bytes) }];
    let out = Out::Data { bytes: Hex(vec![]), from: None, flags: vec![], control };
    let op = Op::Recvmsg { fd: s(), len: 1, lens: Vec::new(), control_len: 64, flags: Flags::NONE };
    (case([op]), own(trace([returned(0, 0, None, out)])))
}

fn value_in(text: &str, before: &str) -> String {
    let (_, said) = text.split_once(before).unwrap_or_else(|| panic!("{text}"));
    said.trim_end().trim_end_matches("}]").to_owned()
}

const STAMP: &str = "fe520b6b00000000 cb7d7b2600000000";
const NONE: &str = "0000000000000000 0000000000000000";

#[rstest]
#[case("IPPROTO_UDP", "UDP_GRO", "e8030000", "1000")]
#[case("IPPROTO_UDP", "UDP_GRO", "e803", "(uint16_t)1000")]
#[case("IPPROTO_UDP", "UDP_GRO", "e80300", "0xe80300")]
#[case("IPPROTO_UDP", "UDP_SEGMENT", "e803", "1000")]
#[case("IPPROTO_IP", "IP_TOS", "02000000", "(int)2")]
#[case("IPPROTO_TCP", "TCP_CM_INQ", "05000000", "5")]
#[case("SOL_SOCKET", "SO_RXQ_OVFL", "ffffffff", "4294967295")]
#[case("SOL_SOCKET", "SCM_TXTIME", "0100000000000000", "1")]
#[case("SOL_SOCKET", "SCM_TIMESTAMP", STAMP, "present")]
#[case("SOL_SOCKET", "SCM_TIMESTAMPNS", STAMP, "present")]
#[case("SOL_SOCKET", "SCM_TIMESTAMPNS_NEW", NONE, "zero")]
#[case("SOL_SOCKET", "SCM_TIMESTAMPNS", "fe520b6b", "0xfe520b6b")]
#[case("SOL_SOCKET", "SCM_TIMESTAMP_MONOTONIC", "cb7d7b2600000000", "present")]
#[case(
    "SOL_SOCKET",
    "SCM_TIMESTAMPING_PKTINFO",
    "02000000 2a000000 00000000 00000000",
    "{if_index=tap0, pkt_length=42}"
)]
#[case(
    "SOL_SOCKET",
    "SCM_CREDENTIALS",
    "d8480000 00000000 00000000",
    "{pid=own, uid=own, gid=own}"
)]
#[case(
    "SOL_SOCKET",
    "SCM_CREDENTIALS",
    "d9480000 feff0000 feff0000",
    "{pid=other, uid=overflow, gid=overflow}"
)]
#[case("SOL_SOCKET", "SCM_CREDENTIALS", "d8480000 00000000", "0xd848000000000000")]
#[case("SOL_SOCKET", "SCM_RIGHTS", "05000000 06000000", "2 descriptors")]
#[case("SOL_SOCKET", "SCM_RIGHTS", "0500", "0x0500")]
#[case("SOL_SOCKET", "SCM_PIDFD", "05000000", "a descriptor")]
#[case(
    "IPPROTO_IP",
    "IP_ORIGDSTADDR",
    "0200 0009 c0000202 0000000000000000",
    "{AF_INET 192.0.2.2:9}"
)]
#[case("IPPROTO_IP", "IP_ORIGDSTADDR", "0200 0009 c0000202", "0x02000009c0000202")]
#[case(
    "IPPROTO_IPV6",
    "IPV6_PATHMTU",
    "0a00 0000 00000000 20010db8000000000000000000000002 00000000 14050000",
    "{ip6m_addr={AF_INET6 [2001:db8::2]:0}, ip6m_mtu=1300}"
)]
#[case("SOL_SOCKET", "77", "02", "0x02")]
fn every_message(
    #[case] level: &str,
    #[case] name: &str,
    #[case] bytes: &str,
    #[case] expected: &str,
) {
    let (case, trace) = received(level, name, bytes);
    let said = render(&case, &trace, Os::Linux);
    let begins = format!("msg_control=[{{{level}, {name}, ");
    assert!(said.ends_with(&format!("{begins}{expected}}}]\n")), "{said}");
}

/// Present, zero, and not even there.
#[rstest]
#[case(&[STAMP, NONE, NONE], "{software=present, deprecated=zero, hardware=zero}")]
#[case(&[NONE, NONE, STAMP], "{software=zero, deprecated=zero, hardware=present}")]
#[case(&[STAMP], "{software=present, deprecated=absent, hardware=absent}")]
#[case(&[STAMP, "00"], "0xfe520b6b00000000cb7d7b260000000000")]
fn the_slots_of_timestamping(#[case] slots: &[&str], #[case] expected: &str) {
    for name in ["SCM_TIMESTAMPING", "SCM_TIMESTAMPING_NEW"] {
        let (case, trace) = received("SOL_SOCKET", name, &slots.concat());
        let said = render(&case, &trace, Os::Linux);
        assert!(said.ends_with(&format!("{name}, {expected}}}]\n")), "{said}");
    }
}

/// Another clock is no other outcome, and the transcript has it.
#[test]
fn a_clock_is_in_the_transcript_alone() {
    let other = "ffffff6b00000000 0100000000000000";
    for name in ["SCM_TIMESTAMP", "SCM_TIMESTAMPNS", "SCM_TIMESTAMPING"] {
        let (case, one) = received("SOL_SOCKET", name, STAMP);
        let (_, two) = received("SOL_SOCKET", name, other);
        assert_eq!(render(&case, &one, Os::Linux), render(&case, &two, Os::Linux));
        let said = transcript(&case, &one, Os::Linux);
        assert!(said.contains("tv_sec=1795904254, tv_"), "{said}");
    }
}

#[rstest]
#[case::timestamp(
    "2a000000 04000000 00000000 00000000 0000 0000 00000000 0000000000000000",
    "{ee_errno=ENOMSG, ee_origin=SO_EE_ORIGIN_TIMESTAMPING, ee_type=0, ee_code=0, \
     ee_info=SCM_TSTAMP_SND, ee_data=0, offender={AF_UNSPEC}}"
)]
#[case::zerocopy(
    "00000000 05000100 01000000 03000000",
    "{ee_errno=0, ee_origin=SO_EE_ORIGIN_ZEROCOPY, ee_type=0, ee_code=SO_EE_CODE_ZEROCOPY_COPIED, \
     ee_info=1, ee_data=3, offender={AF_UNSPEC}}"
)]
#[case::txtime(
    "7d000000 06000200 01000000 03000000",
    "{ee_errno=ECANCELED, ee_origin=SO_EE_ORIGIN_TXTIME, ee_type=0, \
     ee_code=SO_EE_CODE_TXTIME_MISSED, ee_info=1, ee_data=3, offender={AF_UNSPEC}}"
)]
#[case::extension(
    "71000000 02030100 00000000 64000000",
    "{ee_errno=EHOSTUNREACH, ee_origin=SO_EE_ORIGIN_ICMP, ee_type=ICMP_DEST_UNREACH, \
     ee_code=ICMP_HOST_UNREACH, ee_info=0, ee_rfc4884={len=100, flags=0}, offender={AF_UNSPEC}}"
)]
#[case::wrong_extension(
    "71000000 03090100 00000000 64000102",
    "{ee_errno=EHOSTUNREACH, ee_origin=SO_EE_ORIGIN_ICMP6, ee_type=9, ee_code=1, ee_info=0, \
     ee_rfc4884={len=100, flags=SO_EE_RFC4884_FLAG_INVALID, reserved=2}, offender={AF_UNSPEC}}"
)]
#[case::unknown_code(
    "71000000 02031000 00000000 00000000",
    "{ee_errno=EHOSTUNREACH, ee_origin=SO_EE_ORIGIN_ICMP, ee_type=ICMP_DEST_UNREACH, \
     ee_code=16, ee_info=0, offender={AF_UNSPEC}}"
)]
#[case::unknown_kind(
    "71000000 03090100 00000000 00000000",
    "{ee_errno=EHOSTUNREACH, ee_origin=SO_EE_ORIGIN_ICMP6, ee_type=9, ee_code=1, ee_info=0, \
     offender={AF_UNSPEC}}"
)]
#[case::too_short("71000000 03090100 00000000", "0x710000000309010000000000")]
fn extended_errors(#[case] bytes: &str, #[case] expected: &str) {
    let (case, trace) = received("IPPROTO_IP", "IP_RECVERR", bytes);
    let said = render(&case, &trace, Os::Linux);
    assert!(said.ends_with(&format!("IP_RECVERR, {expected}}}]\n")), "{said}");
}

fn read(level: &'static str, name: &'static str, out: Out) -> (Case, Trace) {
    let op = Op::Getsockopt { fd: s(), option: opt(level, name), len: 104 };
    (case([udp6("s"), op]), own(trace([returned(1, 0, None, out)])))
}

/// Of a connection over loopback, Linux 6.18.
const TCP_INFO: &str = "0100000000077701e01c030000000000e57f00001802000000000000000000000000000000\
    0000000000000000000000000000000000000000000000ffff0000d7ff00001c0000000e000000ffffff7f0a000000\
    cbff00000300000000000000d7ff000000000000";
const STABLE: &str = "{tcpi_state=TCP_ESTABLISHED, \
    tcpi_options=TCPI_OPT_TIMESTAMPS|TCPI_OPT_SACK|TCPI_OPT_WSCALE, tcpi_snd_wscale=7, \
    tcpi_rcv_wscale=7, tcpi_snd_mss=32741, tcpi_pmtu=65535, tcpi_advmss=65483}";

#[rstest]
#[case("IPPROTO_TCP", "TCP_INFO", TCP_INFO, STABLE)]
#[case(
    "IPPROTO_TCP",
    "TCP_INFO",
    "0a00000000000000 e01c0300 0000",
    "{tcpi_state=TCP_LISTEN, tcpi_options=0, tcpi_snd_wscale=0, tcpi_rcv_wscale=0}"
)]
#[case(
    "IPPROTO_TCP",
    "TCP_INFO",
    "0d000000002 00004",
    "{tcpi_state=13, tcpi_options=TCPI_OPT_SYN_DATA, tcpi_snd_wscale=0, tcpi_rcv_wscale=0, \
     tcpi_fastopen_client_fail=TFO_DATA_NOT_ACKED}"
)]
#[case("IPPROTO_TCP", "TCP_INFO", "01000000000777", "0x01000000000777")]
#[case("IPPROTO_TCP", "TCP_CC_INFO", "01000200 04000000 00000000 00000000", "16 bytes")]
#[case("IPPROTO_TCP", "TCP_CC_INFO", "0100", "0x0100")]
#[case("IPPROTO_TCP", "TCP_CONGESTION", "637562696300", "\"cubic\\0\"")]
#[case("IPPROTO_TCP", "TCP_CONGESTION", "", "0 bytes")]
#[case("SOL_SOCKET", "SO_PEERCRED", "d8480000 00000000 00000000", "{pid=own, uid=own, gid=own}")]
#[case("SOL_SOCKET", "SO_PEERCRED", "00000000 ffffffff ffffffff", "{pid=0, uid=-1, gid=-1}")]
#[case("SOL_SOCKET", "SO_PEERCRED", "d8480000 00000000", "0xd848000000000000")]
#[case("SOL_SOCKET", "SO_PEERGROUPS", "1b000000 00000000", "own")]
#[case("SOL_SOCKET", "SO_PEERGROUPS", "1b000000 1c000000", "[27, 28]")]
#[case("SOL_SOCKET", "SO_PEERGROUPS", "1b000000 1c", "0x1b0000001c")]
#[case("SOL_SOCKET", "SO_COOKIE", "0100000000000000", "present")]
#[case(
    "SOL_SOCKET",
    "SO_MEMINFO",
    "00010000 00400300 00020000 00400300 00100000 00020000 00000000 00000000 03000000",
    "{rcvbuf=212992, sndbuf=212992, optmem=0, drops=3}"
)]
#[case("SOL_SOCKET", "SO_MEMINFO", "00010000 00400300 00", "0x000100000040030000")]
#[case("SOL_SOCKET", "SO_LINGER", "01000000 05000000", "{l_onoff=1, l_linger=5}")]
#[case("SOL_SOCKET", "SO_RCVTIMEO_NEW", STAMP, "{tv_sec=1795904254, tv_usec=645627339}")]
#[case(
    "SOL_SOCKET",
    "SO_PEERNAME",
    "0200 0009 c0000202 0000000000000000",
    "{AF_INET 192.0.2.2:eph1}"
)]
#[case(
    "SOL_LOCAL",
    "LOCAL_PEERCRED",
    "00000000 00000000 0200 0000 00000000 1b000000",
    "{cr_version=0, cr_uid=own, cr_gid=own}"
)]
#[case("SOL_LOCAL", "LOCAL_PEERCRED", "00000000 00000000 0200", "0x00000000000000000200")]
#[case("SOL_LOCAL", "LOCAL_PEERUUID", "01000000000000000000000000000000", "present")]
fn every_structure(
    #[case] level: &'static str,
    #[case] name: &'static str,
    #[case] bytes: &str,
    #[case] expected: &str,
) {
    let (case, trace) = read(level, name, Out::Bytes(hex(bytes)));
    let said = render(&case, &trace, Os::Linux);
    let said = value_in(&said, " = 0, ");
    // `value_in` takes an end off that belongs to a control message.
    assert!(expected.trim_end_matches("}]") == said, "{said}");
}

#[rstest]
#[case("SO_PEERCRED", 0x48d8, "own")]
#[case("SO_PEERCRED", 0, "0")]
#[case("LOCAL_PEERPID", 7, "other")]
#[case("SO_PEERPIDFD", 9, "a descriptor")]
#[case("TCP_TIMESTAMP", 1_234_567, "present")]
#[case("TCP_QUEUE_SEQ", -77, "present")]
#[case("SO_INCOMING_CPU", 3, "present")]
#[case("SO_RCVBUF", 9, "9")]
#[case("SO_INCOMING_CPU", -1, "-1")]
#[case("SO_INCOMING_NAPI_ID", 0, "0")]
fn every_number_of_a_run(#[case] name: &'static str, #[case] value: i32, #[case] expected: &str) {
    let (case, trace) = read("SOL_SOCKET", name, Out::Int(value));
    let said = render(&case, &trace, Os::Linux);
    assert!(said.ends_with(&format!(" = 0, {expected}\n")), "{said}");
    assert_eq!(is_of_the_run(name, value), value.to_string() != expected || name == "SO_PEERCRED");
}

/// Two runs have other clocks, counters and processes; what a call decides is told apart.
#[test]
fn what_two_runs_share_of_an_option() {
    let same = |name: &str, one: &str, two: &str| {
        let (one, two) = (stable_option(name, &hex(one).0), stable_option(name, &hex(two).0));
        one.is_some() && one == two
    };
    let later = TCP_INFO.replace("e01c0300", "ffffff00");
    assert!(same("TCP_INFO", TCP_INFO, &later));
    assert!(!same("TCP_INFO", TCP_INFO, &TCP_INFO.replacen("01", "08", 1)));
    let none = "00000000 ffffffff ffffffff";
    assert!(same("SO_PEERCRED", "d8480000 00000000 00000000", "01000000 e8030000 e8030000"));
    assert!(!same("SO_PEERCRED", "d8480000 00000000 00000000", none));
    assert_eq!(stable_option("SO_LINGER", &[0; 8]), None);
}

#[test]
fn a_transcript_has_the_counters() {
    let (case, trace) = read("IPPROTO_TCP", "TCP_INFO", Out::Bytes(hex(TCP_INFO)));
    let said = transcript(&case, &trace, Os::Linux);
    for field in ["tcpi_ca_state=TCP_CA_Open", "tcpi_rto=204000", "tcpi_snd_cwnd=10", "tcpi_rtt=28"]
    {
        assert!(said.contains(field), "{field}: {said}");
    }
    let (case, trace) =
        read("SOL_SOCKET", "SO_PEERCRED", Out::Bytes(hex("d84800000000000000000000")));
    assert!(transcript(&case, &trace, Os::Linux).contains("{pid=18648, uid=0, gid=0}"));
}

#[test]
fn congestion_control_is_as_the_case_asked() {
    let name = || Value::Bytes(Hex(b"dctcp".to_vec()));
    let option = || opt("IPPROTO_TCP", "TCP_CONGESTION");
    let set = Op::Setsockopt { fd: s(), option: option(), value: name() };
    let get = Op::Getsockopt { fd: s(), option: opt("IPPROTO_TCP", "TCP_CC_INFO"), len: 20 };
    let bytes = hex("01000000 04000000 05000000 06000000");
    let case = case([set, get]);
    let trace = trace([returned(1, 0, None, Out::Bytes(bytes))]);
    let said = render(&case, &trace, Os::Linux);
    assert!(said.ends_with(", {dctcp_enabled=1, dctcp_ce_state=0}\n"), "{said}");
    let said = transcript(&case, &trace, Os::Linux);
    assert!(said.contains("dctcp_alpha=4, dctcp_ab_ecn=5, dctcp_ab_tot=6"), "{said}");
}

/// A width that the manual does not have is said.
#[rstest]
#[case("UDP_SEGMENT", 2, "1000")]
#[case("UDP_SEGMENT", 4, "(int)1000")]
#[case("IP_TOS", 4, "1000")]
#[case("IP_TOS", 1, "(uint8_t)1000")]
#[case("SO_TXTIME", 8, "(uint64_t)1000")]
fn a_sent_number_has_its_width(#[case] name: &'static str, #[case] width: u8, #[case] said: &str) {
    let control = vec![Control::Int { level: "L".into(), name: name.into(), value: 1000, width }];
    let (fd, data, flags) = (s(), super::text("x"), Flags::NONE);
    let case = case([Op::Sendmsg { fd, data, flags, addr: None, control }]);
    let text = render(&case, &trace([returned(0, 1, None, Out::Nothing)]), Os::Linux);
    assert!(text.contains(&format!("msg_control=[{{L, {name}, {said}}}]}}")), "{text}");
}

fn segment(op: u32, back: bool, seq: u32, window: u16, flags: TcpFlags, payload: &[u8]) -> Event {
    let (host, far) = ("192.0.2.1:40000".parse().unwrap(), "192.0.2.2:80".parse().unwrap());
    let (src, dst, dir) =
        if back { (far, host, Direction::In) } else { (host, far, Direction::Out) };
    let segment = build::Segment { seq, ack: 1, flags, window, payload, ..Default::default() };
    let bytes = build::tcp_segment(build::Link::Ip, src, dst, 64, &segment).unwrap();
    frame(op, "tun0", dir, bytes)
}

/// The marks of these frames, in their order.
fn marks(events: impl IntoIterator<Item = Event>) -> Vec<String> {
    let connect = socket("s", "AF_INET", "SOCK_STREAM", "");
    let case = case([connect]);
    let events = std::iter::once(returned(0, 0, None, Out::Nothing)).chain(events);
    let trace = trace(events);
    let outcome = render(&case, &trace, Os::Linux);
    assert!(!["[re", "[keep", "[zero"].iter().any(|mark| outcome.contains(mark)), "{outcome}");
    let said = transcript(&case, &trace, Os::Linux);
    let frames = said.lines().filter(|line| line.contains(" TCP "));
    let mark = |line: &str| match line.rsplit_once(" [") {
        Some((_, mark))
            if mark.contains("tran") || mark.contains("alive") || mark.contains("probe") =>
        {
            mark.trim_end_matches(']').to_owned()
        }
        _ => String::new(),
    };
    frames.map(mark).collect()
}

const SYN: TcpFlags = TcpFlags::SYN;
const ACK: TcpFlags = TcpFlags::ACK;

#[test]
fn repeated_segments_are_marked() {
    let push = ACK | TcpFlags::PSH;
    let all = [
        segment(0, false, 100, 1000, SYN, b""),
        segment(0, false, 100, 1000, SYN, b""),
        segment(0, true, 500, 1000, SYN | ACK, b""),
        segment(0, false, 101, 1000, ACK, b""),
        segment(0, false, 101, 1000, push, b"abc"),
        segment(0, false, 101, 1000, push, b"abc"),
        segment(0, false, 104, 1000, push, b"d"),
        segment(0, false, 104, 1000, push, b"d"),
        segment(0, false, 105, 1000, ACK | TcpFlags::FIN, b""),
        segment(0, false, 105, 1000, ACK | TcpFlags::FIN, b""),
        // Another connection between the same ports, whose server has the same numbers.
        segment(0, false, 9000, 1000, SYN, b""),
        segment(0, true, 500, 1000, SYN | ACK, b""),
    ];
    let again = "retransmission";
    assert_eq!(marks(all), ["", again, "", "", "", again, "", again, "", again, "", ""]);
}

/// How often that is follows the round trip; where nobody waits for a timer it is a finding.
#[test]
fn who_waits_for_timers_hears_once_of_what_is_sent_again() {
    let times = |count: usize, waits: bool| {
        let wait = LabOp::Wait { ms: 3_000, until: None, why: "timers".into() };
        let set = Op::Lab {
            step: if waits { wait } else { LabOp::Resume { link: "tun0".into(), port: 80 } },
        };
        let mut case = case([socket("s", "AF_INET", "SOCK_STREAM", ""), set]);
        let (link, service) = ("tun0".to_owned(), Service::new(80, []));
        case.lab.setup.push(LabOp::Serve { link, service });
        let push = ACK | TcpFlags::PSH;
        let sent = segment(0, false, 101, 1000, push, b"abc");
        let again = (0..count).map(|_| segment(1, false, 101, 1000, push, b"abc"));
        let events = [returned(0, 0, None, Out::Nothing), sent].into_iter().chain(again);
        render(&case, &trace(events), Os::Linux)
    };
    assert_eq!(times(3, true), times(1, true));
    assert_ne!(times(1, true), times(0, true));
    assert_ne!(times(3, false), times(1, false));
}

#[test]
fn probes_are_marked() {
    let all = [
        segment(0, false, 100, 1000, SYN, b""),
        segment(0, true, 500, 1000, SYN | ACK, b""),
        segment(0, false, 101, 1000, ACK, b""),
        segment(0, false, 100, 1000, ACK, b""),
        // As BSD has them, with a byte of garbage.
        segment(0, false, 100, 1000, ACK, b"\0"),
        segment(0, true, 501, 0, ACK, b""),
        segment(0, false, 100, 1000, ACK, b""),
        segment(0, false, 101, 1000, ACK, b"x"),
        segment(0, true, 501, 1000, ACK, b""),
        segment(0, false, 101, 1000, ACK, b"xyz"),
        // Neither is one: acknowledgements in their place.
        segment(0, false, 104, 1000, ACK, b""),
        segment(0, true, 501, 1000, ACK, b""),
    ];
    let (alive, probe) = ("keep-alive", "zero-window probe");
    assert_eq!(marks(all), ["", "", "", alive, alive, "", probe, probe, "", "", "", ""]);
}

/// What is no segment has no mark, whatever is in it.
#[test]
fn other_frames_have_no_mark() {
    let udp = build::udp(
        build::Link::Ip,
        "192.0.2.1:1".parse().unwrap(),
        "192.0.2.2:2".parse().unwrap(),
        64,
        b"x",
    );
    let udp = udp.unwrap();
    let events = [
        returned(0, 0, None, data(b"", None)),
        frame(0, "tun0", Direction::Out, udp.clone()),
        frame(0, "tun0", Direction::Out, udp),
        frame(0, "tun0", Direction::Out, vec![0x45; 3]),
    ];
    let said = transcript(&case([udp6("s")]), &trace(events), Os::Linux);
    assert!(!said.contains("retransmission"), "{said}");
}
