//! Darwin's own calls: their arguments, and what they wrote.

use rstest::rstest;

use super::super::{Names, call_text, render};
use super::{case, did, neighbour, opt, s, text, trace, udp6};
use crate::case::addr::{Addr, Range, Role};
use crate::case::op::Change;
use crate::case::{Flags, Hex, Op, Os, Payload};
use crate::trace::{ControlOut, Did, Kevent, Out, Received};

fn change(fd: &str, filter: &'static str, fflags: &[&'static str], data: i32) -> Change {
    let (flags, fflags) = (Flags::of(&["EV_ADD"]), Flags::of(fflags));
    Change { fd: fd.into(), filter: filter.into(), flags, fflags, data }
}

fn kevent() -> Op {
    let changes =
        vec![change("s", "EVFILT_READ", &[], 0), change("r", "EVFILT_WRITE", &["NOTE_LOWAT"], 10)];
    Op::Kevent { changes, timeout_ms: 20 }
}

fn connectx(link: Option<&str>, source: Option<Addr>, data: Option<Payload>) -> Op {
    let (link, addr) = (link.map(str::to_owned), neighbour(Range::V4));
    let flags = Flags::of(&["CONNECT_DATA_IDEMPOTENT"]);
    Op::Connectx { fd: s(), link, source, addr, flags, data }
}

fn sendmsg_x(addr: Option<Addr>) -> Op {
    let data = vec![text("one"), Payload::Pattern(9)];
    Op::SendmsgX { fd: s(), data, flags: Flags::NONE, addr }
}

fn recvmsg_x() -> Op {
    let flags = Flags::of(&["MSG_DONTWAIT"]);
    Op::RecvmsgX { fd: s(), count: 4, len: 64, control_len: 0, flags }
}

#[rstest]
#[case(
    connectx(None, None, None),
    "connectx(s, {sae_dstaddr={AF_INET 192.0.2.2:12345}}, SAE_ASSOCID_ANY, CONNECT_DATA_IDEMPOTENT, NULL)"
)]
#[case(
    connectx(Some("tap0"), Some(Addr::on("tap0", Role::Own, Range::V4, 7)), Some(text("a\0"))),
    r#"connectx(s, {sae_srcif=tap0, sae_srcaddr={AF_INET 192.0.2.1:7}, sae_dstaddr={AF_INET 192.0.2.2:12345}}, SAE_ASSOCID_ANY, CONNECT_DATA_IDEMPOTENT, ["a\0", 2])"#
)]
#[case(Op::Disconnectx { fd: s() }, "disconnectx(s, SAE_ASSOCID_ANY, SAE_CONNID_ANY)")]
#[case(
    sendmsg_x(None),
    r#"sendmsg_x(s, [{msg_iov=["one", 3]}, {msg_iov=[pattern[0..9], 9]}], 2, 0)"#
)]
#[case(
    sendmsg_x(Some(neighbour(Range::V4))),
    r#"sendmsg_x(s, [{msg_name={AF_INET 192.0.2.2:12345}, msg_iov=["one", 3]}, {msg_name={AF_INET 192.0.2.2:12345}, msg_iov=[pattern[0..9], 9]}], 2, 0)"#
)]
#[case(recvmsg_x(), "recvmsg_x(s, {msg_iov=[64]}, 4, MSG_DONTWAIT)")]
#[case(
    Op::RecvmsgX { fd: s(), count: 1, len: 8, control_len: 12, flags: Flags::NONE },
    "recvmsg_x(s, {msg_iov=[8], msg_controllen=12}, 1, 0)"
)]
#[case(
    kevent(),
    "kevent([{s, EVFILT_READ, EV_ADD, 0, 0}, {r, EVFILT_WRITE, EV_ADD, NOTE_LOWAT, 10}], 20)"
)]
fn a_call_shows_its_arguments(#[case] op: Op, #[case] expected: &str) {
    let case = case([op]);
    assert_eq!(call_text(&Names::planned(&case, Os::Macos), 0, None), expected);
}

fn event(filter: &'static str, flags: &[&'static str], fflags: &[&'static str]) -> Kevent {
    let (flags, fflags) = (Flags::of(flags).0, Flags::of(fflags).0);
    Kevent { fd: s(), filter: filter.into(), flags, fflags, data: 11, error: None }
}

fn received(bytes: &[u8]) -> Received {
    let from = "{AF_INET 192.0.2.2:9}".parse().ok();
    let (len, bytes) = (i64::try_from(bytes.len()).unwrap(), Hex(bytes.to_vec()));
    Received { len, bytes, from, flags: vec![], control: vec![] }
}

/// `struct tcp_connection_info` of an established connection that has sent 7 bytes, got 9 and asked
/// for a cookie.
fn info() -> Vec<u8> {
    let mut bytes = vec![0; 112];
    bytes[0] = 4;
    bytes[4] = 7;
    bytes[16..18].copy_from_slice(&1440u16.to_le_bytes());
    // Round trips and windows, which are not shown.
    bytes[24..52].fill(0xaa);
    bytes[52] = 0b1001;
    bytes[64] = 7;
    bytes[88] = 9;
    bytes
}

fn get_info(len: u32) -> Op {
    Op::Getsockopt { fd: s(), option: opt("IPPROTO_TCP", "TCP_CONNECTION_INFO"), len }
}

#[rstest]
#[case(connectx(None, None, Some(text("abc"))), 0, None, Out::Int(3), "0, 3")]
#[case(connectx(None, None, Some(text("abc"))), -1, Some("EINPROGRESS"), Out::Int(3), "-1 EINPROGRESS, 3")]
#[case(kevent(), 0, None, Out::Events(vec![]), "0")]
#[case(
    kevent(),
    2,
    None,
    Out::Events(vec![event("EVFILT_READ", &[], &[]), event("EVFILT_WRITE", &["EV_EOF"], &["ECONNRESET"])]),
    "2, [{s, EVFILT_READ, 0, 0, 11}, {s, EVFILT_WRITE, EV_EOF, ECONNRESET, 11}]"
)]
#[case(
    kevent(),
    1,
    None,
    Out::Events(vec![Kevent { error: Some("EBADF".into()), data: 0, ..event("EVFILT_READ", &["EV_ERROR"], &[]) }]),
    "1, [{s, EVFILT_READ, EV_ERROR, 0, EBADF}]"
)]
#[case(recvmsg_x(), -1, Some("EAGAIN"), Out::Messages(vec![]), "-1 EAGAIN")]
#[case(
    recvmsg_x(),
    2,
    None,
    Out::Messages(vec![received(b"one"), Received {
        len: 9,
        flags: vec!["MSG_TRUNC".into()],
        control: vec![ControlOut { level: "0".into(), name: "0".into(), bytes: Hex(vec![]) }],
        from: None,
        ..received(b"ne")
    }]),
    r#"2, [{3, "one", {AF_INET 192.0.2.2:eph1}}, {9, "ne", msg_flags=MSG_TRUNC, msg_control=[{0, 0, 0 bytes}]}]"#
)]
#[case(recvmsg_x(), 1, None, Out::Messages(vec![received(b"two")]), r#"1, [{3, DIFFERENT data "two", {AF_INET 192.0.2.2:eph1}}]"#)]
#[case(
    get_info(112),
    0,
    None,
    Out::Bytes(Hex(info())),
    "0, {tcpi_state=ESTABLISHED, tcpi_options=0x7, tcpi_maxseg=1440, tcpi_tfo=cookie_req|syn_data_sent, tcpi_txbytes=7, tcpi_rxbytes=9}"
)]
#[case(get_info(4), 0, None, Out::Bytes(Hex(vec![4, 0])), "0, 0x0400")]
fn what_it_wrote_is_shown(
    #[case] op: Op,
    #[case] ret: i64,
    #[case] errno: Option<&'static str>,
    #[case] out: Out,
    #[case] expected: &str,
) {
    let sends =
        Op::SendmsgX { fd: "r".into(), data: vec![text("one")], flags: Flags::NONE, addr: None };
    let case = case([udp6("s"), sends, op]);
    let did = did(2, Did::Returned { ret, errno: errno.map(Into::into), out });
    let text = render(&case, &trace([did]), Os::Macos);
    assert_eq!(text.trim_end().split_once(") = ").unwrap().1, expected);
}

/// Two runs differ in windows and times, and not in the outcome; in what was sent they do.
#[test]
fn times_are_no_part_of_it() {
    let said = |bytes: Vec<u8>| {
        let case = case([get_info(112)]);
        let out = Out::Bytes(Hex(bytes));
        let event = did(0, Did::Returned { ret: 0, errno: None, out });
        render(&case, &trace([event]), Os::Macos)
    };
    let with = |at: usize| {
        let mut bytes = info();
        bytes[at] ^= 1;
        bytes
    };
    for clocked in [12, 24, 40, 48, 56, 80] {
        assert_eq!(said(with(clocked)), said(info()), "{clocked}");
    }
    for told in [0, 4, 16, 53, 64, 88] {
        assert_ne!(said(with(told)), said(info()), "{told}");
    }
}
