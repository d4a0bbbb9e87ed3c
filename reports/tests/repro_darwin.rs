//! Reproducers of Darwin's own calls: what they are on macOS, and that Linux has none of them.

use harness::case::addr::{Addr, Range, Role};
use harness::case::op::{Change, Opt};
use harness::case::{Case, Flags, Hex, Lab, LinkKind, Op, Os, Payload};
use harness::trace::{ControlOut, Did, End, Event, Kevent, Out, Received, Trace};
use reports::repro::{Options, agrees, reproducer};
use rstest::rstest;

fn socket(r#type: &'static str) -> Op {
    let (fd, r#type) = ("s".to_owned(), Flags::of(&[r#type]));
    Op::Socket { fd, domain: "AF_INET".into(), r#type, protocol: Flags::NONE }
}

fn change(filter: &'static str, fflags: &[&'static str], data: i32) -> Change {
    let (flags, fflags) = (Flags::of(&["EV_ADD"]), Flags::of(fflags));
    Change { fd: "s".to_owned(), filter: filter.into(), flags, fflags, data }
}

fn connectx() -> Op {
    let own = Addr::on("net0", Role::Own, Range::V4, 0);
    Op::Connectx {
        fd: "s".to_owned(),
        link: Some("net0".to_owned()),
        source: Some(own),
        addr: Addr::on("net0", Role::Neighbour, Range::V4, 80),
        flags: Flags::of(&["CONNECT_DATA_IDEMPOTENT"]),
        data: Some(Payload::Text("abc".to_owned())),
    }
}

fn recvmsg_x() -> Op {
    let (fd, flags) = ("s".to_owned(), Flags::of(&["MSG_DONTWAIT"]));
    Op::RecvmsgX { fd, count: 4, len: 64, control_len: 32, flags }
}

fn kevent() -> Op {
    let changes = vec![change("EVFILT_READ", &["NOTE_LOWAT"], 10), change("EVFILT_WRITE", &[], 0)];
    Op::Kevent { changes, timeout_ms: 1020 }
}

fn info() -> Op {
    let option = Opt::Raw { level: "IPPROTO_TCP".into(), name: "TCP_CONNECTION_INFO".into() };
    Op::Getsockopt { fd: "s".to_owned(), option, len: 112 }
}

fn case(r#type: &'static str, op: Op) -> Case {
    let (title, id) = ("Darwin's own call".to_owned(), "reports/darwin".to_owned());
    let lab = Lab::one(LinkKind::Tun, "net0");
    let ops = vec![socket(r#type), op];
    let case = Case { id, title, catalogue: Vec::new(), lab, ops, window_ms: 0 };
    case.check().unwrap();
    case
}

fn program(case: &Case, os: Os) -> String {
    reproducer(case, &Options { os, observed: None, expected: &[] })
}

#[rstest]
#[case(
    connectx(),
    "connectx(s, &ends1, SAE_ASSOCID_ANY, CONNECT_DATA_IDEMPOTENT, &iov1, 1, &sent1, NULL)"
)]
#[case(connectx(), ".sae_srcif = net0_index,")]
#[case(connectx(), ".sae_srcaddr = (struct sockaddr *)&source1,")]
#[case(Op::Disconnectx { fd: "s".into() }, "disconnectx(s, SAE_ASSOCID_ANY, SAE_CONNID_ANY)")]
#[case(
    Op::SendmsgX { fd: "s".into(), data: vec![Payload::Pattern(9); 2], flags: Flags::NONE, addr: None },
    "sendmsg_x(s, msg1, 2, 0)"
)]
#[case(recvmsg_x(), "recvmsg_x(s, msg1, 4, MSG_DONTWAIT)")]
#[case(kevent(), "EV_SET(&changes1[0], s, EVFILT_READ, EV_ADD, NOTE_LOWAT, 10, (void *)0);")]
#[case(kevent(), "timeout1 = {.tv_sec = 1, .tv_nsec = 20000000};")]
#[case(kevent(), "kevent(queue1, changes1, 2, events1, 2, &timeout1)")]
fn darwin_has_it_and_linux_says_that_it_has_not(#[case] op: Op, #[case] line: &str) {
    let name = op.call();
    let case = case("SOCK_DGRAM", op);
    let darwins = program(&case, Os::Macos);
    assert!(darwins.contains(line), "{darwins}");
    let linuxs = program(&case, Os::Linux);
    assert!(linuxs.contains(&format!("Linux has no {name}: the program says so and ends there.")));
    assert!(linuxs.contains(&format!(" = unsupported {name}\");")), "{linuxs}");
    assert!(!linuxs.contains(line), "{linuxs}");
}

/// An option that is only read ends a program no more than its case.
#[test]
fn a_program_goes_on_behind_a_name_that_it_only_reads() {
    let get = |name: &'static str| {
        let option = Opt::Raw { level: "IPPROTO_IP".into(), name: name.into() };
        Op::Getsockopt { fd: "s".into(), option, len: 4 }
    };
    let mut case = case("SOCK_DGRAM", get("IP_MTU"));
    case.ops.push(get("IP_TTL"));
    let text = program(&case, Os::Macos);
    let (_, behind) = text.split_once(" = unsupported IP_MTU\");").expect("it says so");
    assert!(behind.contains("getsockopt(s, IPPROTO_IP, IP_TTL, &value2, &len2)"), "{text}");
    let between = behind.split("IP_TTL").next().unwrap();
    assert!(!between.contains("return"), "{between}");
}

fn trace(ret: i64, errno: Option<&'static str>, out: Out) -> Trace {
    let call = |op, did| Event::Call { op, at_ns: 0, took_ns: 0, addr: None, did };
    let made = Did::Returned { ret: 0, errno: None, out: Out::Nothing };
    let did = Did::Returned { ret, errno: errno.map(Into::into), out };
    let (case, links) = ("reports/darwin".to_owned(), Vec::new());
    let events = vec![call(0, made), call(1, did)];
    Trace::new(&case, links, events, End::Done)
}

fn events() -> Out {
    let event = |filter: &'static str, flags: &[&'static str], fflags: &[&'static str], data| {
        let (flags, fflags) = (Flags::of(flags).0, Flags::of(fflags).0);
        Kevent { fd: "s".to_owned(), filter: filter.into(), flags, fflags, data, error: None }
    };
    let bad =
        Kevent { error: Some("EBADF".into()), ..event("EVFILT_WRITE", &["EV_ERROR"], &[], 0) };
    Out::Events(vec![event("EVFILT_READ", &["EV_EOF", "EV_ADD"], &["ECONNRESET"], 7), bad])
}

fn messages() -> Out {
    let one = |bytes: &[u8], control: usize| {
        let message = ControlOut { level: "0".into(), name: "0".into(), bytes: Hex(Vec::new()) };
        Received {
            len: i64::try_from(bytes.len()).unwrap(),
            bytes: Hex(bytes.to_vec()),
            from: "{AF_INET 192.0.2.2:9}".parse().ok(),
            flags: Vec::new(),
            control: vec![message; control],
        }
    };
    Out::Messages(vec![one(b"one", 0), one(b"", 1)])
}

/// `struct tcp_connection_info` with this state, and a round trip.
fn told(state: u8, rtt: u8) -> Hex {
    let mut bytes = vec![0; 112];
    (bytes[0], bytes[40]) = (state, rtt);
    Hex(bytes)
}

const EVENTS: &str =
    "    -> EVFILT_READ EV_EOF|EV_ADD ECONNRESET 7\n    -> EVFILT_WRITE EV_ERROR 0 EBADF\n";
const MESSAGES: &str = "    -> \"one\"\n    -> {AF_INET 192.0.2.2:9}\n    -> \"\"\n    -> {AF_INET 192.0.2.2:9}\n    -> control 0 0 \n";

#[rstest]
#[case(kevent(), trace(2, None, events()), format!("2\n{EVENTS}"), true)]
#[case(kevent(), trace(2, None, events()), "2\n".to_owned(), false)]
#[case(kevent(), trace(2, None, events()), format!("1\n{EVENTS}"), false)]
#[case(kevent(), trace(2, None, events()), format!("2\n{}", EVENTS.replace("RESET", "REFUSED")), false)]
#[case(kevent(), trace(2, None, events()), format!("2\n{}", EVENTS.replace("|EV_ADD", "")), false)]
#[case(recvmsg_x(), trace(2, None, messages()), format!("2\n{MESSAGES}"), true)]
#[case(recvmsg_x(), trace(2, None, messages()), format!("2\n{}", MESSAGES.replace("one", "two")), false)]
#[case(recvmsg_x(), trace(2, None, messages()), format!("2\n{}", MESSAGES.replace("    -> control 0 0 \n", "")), false)]
#[case(recvmsg_x(), trace(2, None, messages()), format!("2\n{MESSAGES}    -> \"more\"\n"), false)]
#[case(recvmsg_x(), trace(-1, Some("EAGAIN"), Out::Messages(vec![])), "-1 EAGAIN (wait)\n".to_owned(), true)]
#[case(connectx(), trace(-1, Some("EINPROGRESS"), Out::Int(3)), "-1 EINPROGRESS (on)\n    -> 3\n".to_owned(), true)]
#[case(connectx(), trace(-1, Some("EINPROGRESS"), Out::Int(3)), "-1 EINPROGRESS (on)\n    -> 0\n".to_owned(), false)]
#[case(info(), trace(0, None, Out::Bytes(told(4, 1))), format!("0\n    -> {}\n", told(4, 1)), true)]
#[case::another_round_trip(info(), trace(0, None, Out::Bytes(told(4, 1))), format!("0\n    -> {}\n", told(4, 2)), true)]
#[case::another_state(info(), trace(0, None, Out::Bytes(told(4, 1))), format!("0\n    -> {}\n", told(5, 1)), false)]
#[case::no_structure(info(), trace(0, None, Out::Bytes(told(4, 1))), "0\n    -> 02\n".to_owned(), false)]
fn what_it_printed_is_compared(
    #[case] op: Op,
    #[case] trace: Trace,
    #[case] printed: String,
    #[case] same: bool,
) {
    let shown = match &op {
        Op::Kevent { .. } => "kevent(s, s)".to_owned(),
        op => format!("{}(s)", op.call()),
    };
    let case = case("SOCK_STREAM", op);
    let stdout = format!("#0 socket(AF_INET, SOCK_STREAM, 0) = 3\n#1 {shown} = {printed}");
    assert_eq!(agrees(&trace, &case, &stdout).is_ok(), same, "{stdout}");
}
