//! Time in a lab: far ends act while a call blocks, the host keeps its own timers where a case waits for
//! one, and a case does not depend on those before it.

use std::net::Ipv4Addr;
use std::num::NonZero;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use harness::case::addr::Addr;
use harness::case::{Case, Flags, Hex, LabOp, Op, Os};
use harness::outcome;
use harness::trace::{Did, Event, Trace};
use harness::wire::build;
use reports::repro::{FLAGS, Observed, Options, reproducer};
use rstest::rstest;

use crate::common::{case, traces};

/// Cases, one after the other in one executor; nothing where it has no labs.
fn run(cases: &[Case]) -> Vec<Trace> {
    if Os::host() != Some(Os::Linux) {
        return Vec::new();
    }
    let traces = traces(&[], cases);
    if traces.iter().any(|trace| format!("{:?}", trace.end).starts_with("Skipped")) {
        eprintln!("skipped: this host has no labs, see `sockeye doctor`");
        return Vec::new();
    }
    traces
}

/// The outcome of a case; none where this host has no labs.
fn outcome_of(text: &str) -> Option<String> {
    let case = case(text);
    let traces = run(std::slice::from_ref(&case));
    Some(outcome::render(&case, traces.first()?, Os::Linux))
}

/// A served port and the calls `ops` on a connection to it that blocks.
fn connected(script: &str, ops: &str) -> String {
    format!(
        r#"{{"id":"t/t","title":"","lab":{{"links":[{{"name":"net0","kind":"tun","mtu":1500,"ranges":["v4"]}}],
        "setup":[{{"serve":{{"link":"net0","service":{{"port":80,"script":[{script}]}}}}}}]}},"ops":[
        {{"socket":{{"fd":"s","domain":"AF_INET","type":["SOCK_STREAM"],"protocol":[]}}}},
        {{"connect":{{"fd":"s","addr":{{"host":{{"on":{{"link":"net0","role":"neighbour","range":"v4"}}}},"port":{{"is":80}}}}}}}},
        {ops}]}}"#
    )
}

/// `connect` was "still waiting", and the SYN-ACK came behind it.
#[rstest]
#[case(include_str!("cases/blocking-connect.json"), "send(s, \"x\", 1, 0) = 1")]
#[case(include_str!("cases/blocking-recv.json"), "recv(s, 10, 0) = 2")]
#[case(include_str!("cases/blocking-rcvtimeo.json"), "recv(s, 10, 0) = -1 EAGAIN")]
#[case(include_str!("cases/blocking-written-out.json"), "connect(s, {AF_INET 192.0.2.2:80}, 16) = 0")]
#[case(include_str!("cases/blocking-splice.json"), "splice(s, NULL, w, NULL, 10, 0) = 2")]
fn far_ends_act_while_a_call_blocks(#[case] text: &str, #[case] says: &str) {
    let Some(outcome) = outcome_of(text) else { return };
    assert!(!outcome.contains("still waiting"), "{outcome}");
    assert!(outcome.contains(says), "{outcome}");
}

#[test]
fn a_connection_that_blocks_is_used_from_end_to_end() {
    let ops = r#"{"send":{"fd":"s","data":{"text":"ask"},"flags":[]}},
        {"recv":{"fd":"s","len":10,"flags":["MSG_WAITALL"]}},{"close":{"fd":"s"}}"#;
    let script = r#"{"expect":{"until":{"text":"ask"}}},{"send":{"data":{"text":"0123456789"}}}"#;
    let Some(outcome) = outcome_of(&connected(script, ops)) else { return };
    assert!(outcome.contains("recv(s, 10, MSG_WAITALL) = 10"), "{outcome}");
}

/// The planted negative: a far end that has nothing to say lets the call wait, and it is ended.
#[test]
fn a_call_that_nobody_ends_is_still_waiting() {
    let ops = r#"{"recv":{"fd":"s","len":10,"flags":[]}},{"close":{"fd":"s"}}"#;
    let Some(outcome) = outcome_of(&connected("", ops)) else { return };
    assert!(outcome.contains("recv(s, 10, 0) = ? still waiting"), "{outcome}");
    assert!(!outcome.contains("close("), "the case ends there: {outcome}");
}

/// The signal is the thread's that made the call, and is the step's all the same.
#[test]
fn a_signal_of_a_call_that_may_block_is_the_steps() {
    let send = r#"{"send":{"fd":"s","data":{"text":"x"},"flags":[]}}"#;
    let Some(outcome) = outcome_of(&connected(r#""reset""#, &format!("{send},{send}"))) else {
        return;
    };
    assert!(outcome.contains("EPIPE") && outcome.contains("+++ SIGPIPE +++"), "{outcome}");
}

#[test]
fn frames_that_come_while_a_call_blocks_stand_beneath_it() {
    let case = case(include_str!("cases/blocking-connect.json"));
    let traces = run(std::slice::from_ref(&case));
    let Some(trace) = traces.first() else { return };
    let at = |is: &dyn Fn(&Event) -> bool| trace.events.iter().position(is).expect("it is there");
    let call = at(&|event| matches!(event, Event::Call { op: 1, .. }));
    let frame = at(&|event| matches!(event, Event::Frame { op: 1, .. }));
    let next = at(&|event| matches!(event, Event::Call { op: 2, .. }));
    assert!(call < frame && frame < next, "{:?}", trace.events);
}

/// poll(2): -1 is passed over, a number that is not open is POLLNVAL.
#[test]
fn poll_of_a_closed_socket_says_so_and_of_none_does_not() {
    let socket = r#"{"socket":{"fd":"s","domain":"AF_INET","type":["SOCK_DGRAM"],"protocol":[]}}"#;
    let none = socket.replace("SOCK_DGRAM", "SOCK_SEQPACKET").replace("\"s\"", "\"n\"");
    let other = socket.replace("\"s\"", "\"t\"");
    let poll = |fd: &str| {
        format!(r#"{{"poll":{{"fds":[{{"fd":"{fd}","events":["POLLIN"]}}],"timeout_ms":0}}}}"#)
    };
    let (ps, pn) = (poll("s"), poll("n"));
    // The number of `s` is given to `t`.
    let ops = format!(
        r#"{{"id":"t/t","title":"","ops":[{socket},{{"close":{{"fd":"s"}}}},{other},{ps},{none},{pn},{{"close":{{"fd":"s"}}}}]}}"#
    );
    let Some(outcome) = outcome_of(&ops) else { return };
    assert!(outcome.contains("poll([{s, POLLIN}], 0) = 1, [{s, POLLNVAL}]"), "{outcome}");
    assert!(outcome.contains("poll([{n, POLLIN}], 0) = 0"), "{outcome}");
    assert!(outcome.contains("close(s) = -1 EBADF"), "{outcome}");
    // To close one of two again is no news of the other.
    let close = |fd: &str| format!(r#"{{"close":{{"fd":"{fd}"}}}}"#);
    let (s, t, pt) = (close("s"), close("t"), poll("t"));
    let ops = format!(r#"{{"id":"t/t","title":"","ops":[{socket},{other},{s},{t},{s},{pt}]}}"#);
    let Some(outcome) = outcome_of(&ops) else { return };
    assert!(outcome.contains("poll([{t, POLLIN}], 0) = 1, [{t, POLLNVAL}]"), "{outcome}");
}

/// The second one had its port in TIME-WAIT from the first.
#[test]
fn a_port_in_time_wait_is_not_handed_on() {
    let first = case(include_str!("cases/time-wait.json"));
    let cases: Vec<Case> =
        (0..3).map(|n| Case { id: format!("t/time-wait{n}"), ..first.clone() }).collect();
    let traces = run(&cases);
    let outcomes: Vec<String> = cases
        .iter()
        .zip(&traces)
        .map(|(case, trace)| outcome::render(case, trace, Os::Linux))
        .collect();
    for outcome in &outcomes {
        assert_eq!(outcome, &outcomes[0]);
        assert!(outcome.contains("bind(c, {AF_INET 127.0.0.1:12346}) = 0"), "{outcome}");
    }
}

/// An IPv4 packet of UDP to port 9 in two fragments (RFC 791 §3.2): the first 16 bytes, and the rest.
fn fragments() -> [Vec<u8>; 2] {
    let (src, dst) = ([192, 0, 2, 2], [192, 0, 2, 1]);
    let datagram =
        build::udp_datagram((src, 9).into(), (dst, 9).into(), b"0123456789abcdef").expect("UDP");
    let packet = |payload: &[u8], word: u16| {
        let ip = |ip: [u8; 4]| ip.into();
        let packet = build::ip(build::Link::Ip, ip(src), ip(dst), 64, 17, payload);
        let mut packet = packet.expect("IPv4");
        packet[4..6].copy_from_slice(&[7, 7]);
        packet[6..8].copy_from_slice(&word.to_be_bytes());
        packet[10..12].copy_from_slice(&[0, 0]);
        let words = packet[..20].chunks(2).map(|w| u32::from(u16::from_be_bytes([w[0], w[1]])));
        let sum = words.sum::<u32>();
        let sum = !u16::try_from((sum & 0xffff) + (sum >> 16)).expect("it is folded");
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
        packet
    };
    [packet(&datagram[..16], 0x2000), packet(&datagram[16..], 2)]
}

/// A piece of a datagram waits in the host for half a minute (`net.ipv4.ipfrag_time`).
#[test]
fn fragments_of_one_case_do_not_become_anothers_datagram() {
    let with = |id: &str, frames: &[&[u8]]| {
        let mut case = case(&connected("", r#"{"close":{"fd":"s"}}"#));
        case.id = format!("t/{id}");
        let (fd, link) = (|| "u".to_owned(), || "net0".to_owned());
        let flags = Flags::of(&["MSG_DONTWAIT"]);
        let inject = |frame: &&[u8]| Op::Lab {
            step: LabOp::Inject { link: link(), frame: Hex(frame.to_vec()) },
        };
        case.ops = vec![
            Op::Socket {
                fd: fd(),
                domain: "AF_INET".into(),
                r#type: Flags::of(&["SOCK_DGRAM"]),
                protocol: Flags::NONE,
            },
            Op::Bind { fd: fd(), addr: Addr::ip(Ipv4Addr::UNSPECIFIED, 9) },
        ];
        case.ops.extend(frames.iter().map(inject));
        case.ops.push(Op::Recv { fd: fd(), len: 64, flags });
        case
    };
    let [first, rest] = &fragments();
    let cases = [with("first", &[first]), with("rest", &[rest]), with("both", &[first, rest])];
    let traces = run(&cases);
    let said: Vec<String> = cases
        .iter()
        .zip(&traces)
        .map(|(case, trace)| outcome::render(case, trace, Os::Linux))
        .collect();
    let [first, rest, both] = &said[..] else { return };
    assert!(first.contains("recv(u, 64, MSG_DONTWAIT) = -1 EAGAIN"), "{first}");
    assert!(rest.contains("recv(u, 64, MSG_DONTWAIT) = -1 EAGAIN"), "{rest}");
    assert!(both.contains("recv(u, 64, MSG_DONTWAIT) = 16"), "{both}");
}

/// tcp(7), `TCP_USER_TIMEOUT`: nothing came of it in nine seconds.
#[test]
fn the_hosts_timers_are_its_own_where_a_case_waits_for_one() {
    let mut case = case(include_str!("cases/user-timeout-unacked.json"));
    case.id = "t/timers".to_owned();
    let traces = run(std::slice::from_ref(&case));
    let Some(trace) = traces.first() else { return };
    let outcome = outcome::render(&case, trace, Os::Linux);
    assert!(outcome.contains("ETIMEDOUT"), "{outcome}");
    let sent = |event: &&Event| matches!(event, Event::Frame { op: 6, .. });
    assert!(trace.events.iter().filter(sent).count() > 1, "it is sent again: {outcome}");
    let errors = |event: &Event| matches!(event, Event::Call { did: Did::Hung { .. }, .. });
    assert!(!trace.events.iter().any(errors));
    let said = outcome::transcript(&case, trace, Os::Linux);
    assert!(said.contains("-- net0: ") && !said.contains("a minute"), "{said}");
}

/// A case over a socket pair `p` and `s` in which these steps are those of threads.
fn threaded(ops: &str, threads: &str) -> String {
    format!(
        r#"{{"id":"t/t","title":"","ops":[{{"socketpair":{{"a":"p","b":"s","domain":"AF_UNIX",
        "type":["SOCK_STREAM"],"protocol":[]}}}},{ops}],"threads":{threads}}}"#
    )
}

const RECV: &str = r#"{"recv":{"fd":"s","len":8,"flags":[]}}"#;

fn says(fd: &str, text: &str) -> String {
    format!(r#"{{"send":{{"fd":"{fd}","data":{{"text":"{text}"}},"flags":[]}}}}"#)
}

#[test]
fn a_thread_waits_until_another_ends_its_call() {
    let shutdown = r#"{"shutdown":{"fd":"s","how":"SHUT_RD"}}"#;
    let close = r#"{"close":{"fd":"p"}}"#;
    let Some(outcome) = outcome_of(&threaded(&[RECV, shutdown, close].join(","), r#"{"t":[1]}"#))
    else {
        return;
    };
    let lines: Vec<&str> = outcome.lines().skip(1).collect();
    let expected = [
        "t: recv(s, 8, 0) <unfinished ...>",
        "shutdown(s, SHUT_RD) = 0",
        "t: <... recv resumed> = 0, \"\"",
        "close(p) = 0",
    ];
    assert_eq!(lines, expected, "{outcome}");
}

/// The planted negative: what nobody ends is told as such, and the case ends there.
#[test]
fn a_thread_that_nobody_wakes_is_still_waiting() {
    let Some(outcome) = outcome_of(&threaded(RECV, r#"{"t":[1]}"#)) else { return };
    assert!(outcome.ends_with("t: <... recv resumed> = ? still waiting\n"), "{outcome}");
}

/// A thread makes one call at a time, and what does not wait is not told as if it did.
#[test]
fn the_calls_of_a_thread_follow_each_other() {
    let ops = [RECV.to_owned(), says("p", "one"), says("p", "two"), RECV.to_owned()].join(",");
    let Some(outcome) = outcome_of(&threaded(&ops, r#"{"t":[1,4]}"#)) else { return };
    let at = |text: &str| outcome.find(text).unwrap_or_else(|| panic!("no {text} in {outcome}"));
    assert!(at("send(p, \"one\"") < at("t: <... recv resumed> = 3, \"one\""), "{outcome}");
    assert!(at("resumed>") < at("send(p, \"two\""), "{outcome}");
    assert!(at("t: recv(s, 8, 0) = 3, \"two\"") > at("send(p, \"two\""), "{outcome}");
}

#[test]
fn a_signal_of_a_thread_is_that_of_its_step() {
    let close = r#"{"close":{"fd":"p"}}"#;
    let ops = [close.to_owned(), says("s", "x"), says("s", "y")].join(",");
    let case = case(&threaded(&ops, r#"{"t":[2]}"#));
    let traces = run(std::slice::from_ref(&case));
    let Some(trace) = traces.first() else { return };
    let signals = trace.events.iter().filter(|event| matches!(event, Event::Signal { .. }));
    assert_eq!(signals.map(Event::op).collect::<Vec<_>>(), [2, 3], "{:?}", trace.events);
}

/// The outcomes of one case fifty times over, while every processor spins: they are one.
fn alike_under_load(text: &str) -> Option<String> {
    let first = case(text);
    let cases: Vec<Case> =
        (0..50).map(|n| Case { id: format!("t/t{n}"), ..first.clone() }).collect();
    let busy = AtomicBool::new(true);
    let spinners = std::thread::available_parallelism().map_or(4, NonZero::get).max(2);
    let traces = std::thread::scope(|scope| {
        for _ in 0..spinners {
            scope.spawn(|| {
                while busy.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        // They end however this ends.
        let ran = std::panic::catch_unwind(|| run(&cases));
        busy.store(false, Ordering::Relaxed);
        ran.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    let mut outcomes = cases.iter().zip(&traces).map(|(case, trace)| {
        assert_eq!(trace.check(case), Ok(()));
        outcome::render(case, trace, Os::Linux)
    });
    let one = outcomes.next()?;
    for other in outcomes {
        assert_eq!(other, one);
    }
    Some(one)
}

/// However busy the machine is, the same step ends the same call.
#[test]
fn threads_interleave_in_one_way() {
    let ops = [RECV.to_owned(), says("p", "one"), says("p", "two")].join(",");
    let Some(outcome) = alike_under_load(&threaded(&ops, r#"{"t":[1]}"#)) else { return };
    assert!(outcome.contains("t: <... recv resumed> = 3, \"one\"\nsend(p, \"two\""), "{outcome}");
}

/// The first of two was looked at asleep, and the second woke it and fell asleep: over a local socket no
/// frame told of that, and a later step was said to have ended the call.
#[test]
fn a_thread_that_another_wakes_before_it_waits_itself_returns_beneath_that_step() {
    let send = r#"{"send":{"fd":"p","data":{"pattern":1000000},"flags":[]}}"#;
    let name = r#"{"getsockname":{"fd":"p"}}"#;
    let rest = r#"{"recv":{"fd":"s","len":999992,"flags":["MSG_WAITALL"]}}"#;
    let ops = [RECV, send, name, rest].join(",");
    let Some(outcome) = alike_under_load(&threaded(&ops, r#"{"t":[1],"u":[2]}"#)) else { return };
    let at = |text: &str| outcome.find(text).unwrap_or_else(|| panic!("no {text} in {outcome}"));
    assert!(at("u: send(p, ") < at("t: <... recv resumed> = 8"), "{outcome}");
    assert!(at("t: <... recv resumed> = 8") < at("getsockname("), "{outcome}");
    assert!(at("u: <... send resumed> = 1000000") > at("recv(s, 999992"), "{outcome}");
}

/// Linux returns the part that it has when a signal comes (signal(7)): the signal was ours, and the call hangs.
/// A blocking send of which nobody reads the rest is no other.
#[rstest]
#[case(&says("p", "abc"), r#"{"recv":{"fd":"s","len":8,"flags":["MSG_WAITALL"]}}"#, "recv(s, 8, MSG_WAITALL)")]
#[case(
    &says("p", "abc"),
    r#"{"recvmsg":{"fd":"s","len":8,"control_len":0,"flags":["MSG_WAITALL"]}}"#,
    "recvmsg(s, {msg_iov=[8]}, MSG_WAITALL)"
)]
#[case(
    r#"{"setsockopt":{"fd":"p","option":{"raw":{"level":"SOL_SOCKET","name":"SO_SNDBUF"}},"value":{"int":16384}}}"#,
    r#"{"send":{"fd":"p","data":{"pattern":1000000},"flags":[]}}"#,
    "send(p, pattern[0..1000000], 1000000, 0)"
)]
#[case(
    r#"{"pipe":{"read":"r","write":"w"}}"#,
    r#"{"write":{"fd":"w","data":{"pattern":1000000}}}"#,
    "write(w, pattern[0..1000000], 1000000)"
)]
#[case(
    r#"{"setsockopt":{"fd":"p","option":{"raw":{"level":"SOL_SOCKET","name":"SO_SNDBUF"}},"value":{"int":16384}}}"#,
    r#"{"sendmmsg":{"fd":"p","data":[{"text":"a"},{"pattern":1000000},{"text":"c"}],"flags":[],"addr":null}}"#,
    "sendmmsg(p, [{msg_iov=[\"a\", 1]}, {msg_iov=[pattern[0..1000000], 1000000]}, {msg_iov=[\"c\", 1]}], 3, 0)"
)]
#[case(
    r#"{"setsockopt":{"fd":"p","option":{"raw":{"level":"SOL_SOCKET","name":"SO_SNDBUF"}},"value":{"int":16384}}}"#,
    r#"{"sendmmsg":{"fd":"p","data":[{"pattern":1000000}],"flags":[],"addr":null}}"#,
    "sendmmsg(p, [{msg_iov=[pattern[0..1000000], 1000000]}], 1, 0)"
)]
#[case(
    r#"{"setsockopt":{"fd":"p","option":{"raw":{"level":"SOL_SOCKET","name":"SO_SNDBUF"}},"value":{"int":2048}}}"#,
    r#"{"raw":{"call":"write","args":[{"fd":"p"},"room",{"number":65536}]}}"#,
    "write(p, ROOM, 65536)"
)]
fn what_we_interrupt_is_hung_and_no_part(
    #[case] before: &str,
    #[case] call: &str,
    #[case] shown: &str,
) {
    let case = case(&threaded(&[before, call].join(","), "{}"));
    let traces = run(std::slice::from_ref(&case));
    let Some(trace) = traces.first() else { return };
    let outcome = outcome::render(&case, trace, Os::Linux);
    assert!(outcome.contains(&format!("\n{shown} = ? still waiting\n")), "{outcome}");
    // Nor does a C program take the part for the call's end.
    let (platform, kernel, outcome) = ("linux", "this one", &*outcome);
    let observed = Some(Observed { trace, platform, kernel, outcome });
    let program = reproducer(&case, &Options { os: Os::Linux, observed, expected: &[] });
    let folder = tempfile::tempdir().expect("a folder");
    let (source, built) = (folder.path().join("repro.c"), folder.path().join("repro"));
    std::fs::write(&source, &program).expect("it is written");
    let cc = Command::new("cc").args(FLAGS).arg("-o").args([&built, &source]).output();
    let cc = cc.expect("cc starts");
    assert!(cc.status.success(), "{}", String::from_utf8_lossy(&cc.stderr));
    let ran = Command::new(&built).output().expect("it starts");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("= hung\n"), "{said}");
    assert!(said.ends_with("REPRODUCED\n"), "{said}");
}
