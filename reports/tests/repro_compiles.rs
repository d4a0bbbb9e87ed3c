//! Reproducers compile without a warning and do what they say.

use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use harness::case::addr::{Addr, Range, SockAddr};
use harness::case::{Case, Flags, Hex, Lab, Op, Os, Payload, Sym};
use harness::trace::{Did, Direction, End, Event, LinkFact, Out, Trace};
use harness::wire::{Mac, build};
use reports::repro::{FLAGS, Line, Observed, Options, agrees, parse_output, reproducer, verdict};

use crate::repro_cases::names::named;
use crate::repro_cases::{
    case, cases, datagrams, netdown, options, poll, quoting, sendto, socket, steps, streams,
    unresolved,
};

/// Whether a reproducer builds its own lab here.
fn builds_labs() -> bool {
    let able = Os::host() == Some(Os::Linux);
    if !able {
        eprintln!("skipped: a reproducer builds its own lab on Linux only");
    }
    able
}

/// The trace of a run that printed `lines`.
fn trace_of(case: &Case, lines: &[Line]) -> Trace {
    let call = |line: &Line| {
        let step = &case.ops[line.op as usize];
        let ret = if step.gives_a_descriptor() && line.ret >= 0 { 0 } else { line.ret };
        let errno = line.errno.clone().map(|e| Sym(e.into()));
        let did = if line.hung {
            Did::Hung { after_ms: 2000 }
        } else if line.unsupported {
            Did::Unsupported { name: "X".into() }
        } else {
            Did::Returned { ret, errno, out: Out::Nothing }
        };
        let (op, at_ns, took_ns) = (line.op, 0, 0);
        Event::Call { op, at_ns, took_ns, addr: None, did }
    };
    let mut events = Vec::new();
    for line in lines {
        events.push(call(line));
        if line.sigpipe {
            events.push(Event::Signal { op: line.op, at_ns: 0, name: "SIGPIPE".into() });
        }
    }
    // Of calls alone: nobody looked at the wire.
    let (name, kind, mac) = ("lo".to_owned(), None, Hex(Vec::new()));
    let link = LinkFact { name, index: 1, kind, mac, unseen: true };
    Trace::new(&case.id, vec![link], events, End::Done)
}

/// Writes a source file that no other test writes.
fn write(name: &str, text: &str) -> PathBuf {
    static WRITTEN: AtomicU32 = AtomicU32::new(0);
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let name = format!("{}-{number}.c", name.replace('/', "-"));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// The compilers that this host has.
fn compilers() -> Vec<&'static str> {
    let has =
        |cc: &&str| Command::new(cc).arg("--version").output().is_ok_and(|o| o.status.success());
    ["cc", "clang"].into_iter().filter(has).collect()
}

fn compile(cc: &str, source: &Path, level: &str) -> PathBuf {
    let program = source.with_extension(cc);
    let strict = ["-std=c11", "-Wall", "-Wextra", "-Werror"];
    let out = Command::new(cc).args(strict).arg(level).arg("-o").arg(&program).arg(source).output();
    let out = out.unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    program
}

/// Compiles and runs the reproducer; none where this host cannot make the lab.
fn run(case: &Case, options: &Options<'_>) -> Option<(String, Output)> {
    let source = write(&case.id, &reproducer(case, options));
    if !compilers().contains(&"cc") {
        eprintln!("skipped: there is no C compiler");
        return None;
    }
    let out = Command::new(compile("cc", &source, "-O1")).output().unwrap();
    let stdout = String::from_utf8_lossy(&out.stdout);
    // Else the lab could not be made.
    if out.status.code() == Some(2) && !stdout.contains(" = unsupported ") {
        eprintln!("skipped: {}", String::from_utf8_lossy(&out.stderr));
        return None;
    }
    Some((String::from_utf8(out.stdout.clone()).unwrap(), out))
}

fn plain() -> Options<'static> {
    Options { os: Os::Linux, observed: None, expected: &[] }
}

#[test]
fn every_step_compiles_and_runs() {
    if !builds_labs() {
        return;
    }
    for case in cases() {
        let source = write(&case.id, &reproducer(&case, &plain()));
        for cc in compilers() {
            for level in ["-O0", "-O1", "-O2"] {
                compile(cc, &source, level);
            }
        }
        let Some((stdout, out)) = run(&case, &plain()) else { continue };
        let lacks = stdout.contains(" = unsupported ");
        let status = if lacks { 2 } else { 0 };
        let errors = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(status), "{stdout}{errors}");
        assert_eq!(errors.starts_with("not tried: this system has no "), lacks, "{errors}");
        // Without an outcome there is no verdict, and it says so.
        assert_eq!(verdict(&stdout), None);
        assert_ne!(stdout.lines().any(|line| line.starts_with("no verdict: ")), lacks, "{stdout}");
        let calls = case.ops.iter().filter(|op| !matches!(op, Op::Lab { .. })).count();
        let lines = parse_output(&stdout);
        let ends = lines.iter().any(|line| line.hung || line.unsupported);
        assert!(ends || lines.len() == calls, "{stdout}");
        assert_eq!(agrees(&trace_of(&case, &lines), &case, &stdout), Ok(()));
    }
}

/// The far end acts while a call blocks: `connect` was "hung".
#[test]
fn a_call_that_blocks_is_answered() {
    if !builds_labs() {
        return;
    }
    for (text, wanted) in [
        (include_str!("../../tests/cases/blocking-connect.json"), ["1 0", "2 1"]),
        (include_str!("../../tests/cases/blocking-recv.json"), ["5 1", "6 2 \"ok\""]),
        (include_str!("../../tests/cases/blocking-rcvtimeo.json"), ["5 0", "6 EAGAIN"]),
    ] {
        let case: Case = serde_json::from_str(text).unwrap();
        let Some((stdout, _)) = run(&case, &plain()) else { continue };
        let lines = shown(&stdout);
        assert_eq!(lines[lines.len() - 2..], wanted, "{stdout}");
    }
}

/// A server acts while time passes, too, and the host's own timers find out that one has vanished.
#[test]
fn a_server_is_there_while_time_passes() {
    if !builds_labs() {
        return;
    }
    let text = include_str!("../../tests/cases/user-timeout-unacked.json").replace("9000", "4000");
    let case: Case = serde_json::from_str(&text).unwrap();
    let Some((stdout, _)) = run(&case, &plain()) else { return };
    assert!(shown(&stdout).contains(&"8 ETIMEDOUT".to_owned()), "{stdout}");
}

/// poll(2): POLLNVAL of a closed socket, though its number may be another's by then.
#[test]
fn poll_of_a_closed_socket_is_no_number_of_anothers() {
    let ops = vec![
        socket("s", "AF_INET", "SOCK_DGRAM"),
        Op::Close { fd: "s".into() },
        socket("t", "AF_INET", "SOCK_DGRAM"),
        poll("s", &["POLLIN"], 0),
        poll("t", &["POLLIN"], 0),
    ];
    let case = case("closed", Lab::loopback(), ops);
    let Some((stdout, _)) = run(&case, &plain()) else { return };
    assert_eq!(shown(&stdout)[3..], ["3 1 POLLNVAL", "4 0 0"], "{stdout}");
}

/// The return value or errno, and what was written, of each call.
fn shown(stdout: &str) -> Vec<String> {
    let line = |line: &Line| {
        let did = match line {
            Line { hung: true, .. } => "hung".to_owned(),
            Line { unsupported: true, .. } => "unsupported".to_owned(),
            Line { errno: Some(errno), .. } => errno.clone(),
            Line { ret, .. } => ret.to_string(),
        };
        let signal = if line.sigpipe { " SIGPIPE" } else { "" };
        format!("{} {did}{signal} {}", line.op, line.values.join(" ")).trim_end().to_owned()
    };
    parse_output(stdout).iter().map(line).collect()
}

#[test]
fn datagrams_are_shown_as_they_came() {
    if !builds_labs() {
        return;
    }
    let Some((stdout, _)) = run(&datagrams(), &plain()) else { return };
    let shown = shown(&stdout);
    let pattern =
        (0..32).map(|i| if i % 4 == 3 { format!("\\{:03o}", i / 4) } else { "\\000".into() });
    let pattern = format!("\"{}\"...", pattern.collect::<String>());
    assert_eq!(shown[6], "6 12");
    assert_eq!(shown[9], "9 1 POLLIN|POLLOUT");
    assert_eq!(shown[10], r#"10 12 "one""#);
    assert!(shown[11].starts_with(r#"11 12 "one \042\134\377??/1\000" {AF_INET 127.0.0.1:"#));
    assert_eq!(shown[12], format!("12 64 {pattern}"));
    assert!(shown[13].starts_with(r#"13 0 "" {AF_INET 127.0.0.1:"#), "{}", shown[13]);
    assert_eq!(shown[14], "14 EAGAIN");
    assert_eq!(shown[17], "17 0 70");
    assert!(shown[18].contains("flags MSG_TRUNC control 0 8 "), "{}", shown[18]);
    assert_eq!(shown[20], "20 EBADF");
    assert_eq!(shown[23..], ["23 0"]);
}

#[test]
fn streams_break_with_a_signal() {
    if !builds_labs() {
        return;
    }
    let Some((stdout, _)) = run(&streams(), &plain()) else { return };
    let shown = shown(&stdout);
    assert!(shown[5].contains("{AF_INET6 [::1]:"), "{}", shown[5]);
    assert_eq!(shown[7], r#"7 5 "hello""#);
    assert_eq!(shown[9..12], [r#"9 0 """#, "10 EPIPE SIGPIPE", "11 1 POLLIN|POLLRDHUP"]);
    assert_eq!(shown[14], "14 0 ECONNRESET");
    assert_eq!(shown[16], "16 0 {AF_UNIX}");
    assert_eq!(shown[18..21], ["18 2050", "19 EAGAIN", "20 hung"]);
    assert_eq!(shown.len(), 21);
}

#[test]
fn an_unsupported_name_ends_the_case() {
    if !builds_labs() {
        return;
    }
    let Some((stdout, _)) = run(&options(), &plain()) else { return };
    let shown = shown(&stdout);
    assert_eq!(shown[4], "4 0 1");
    assert_eq!(shown[13], "13 0 010000000000000020a1070000000000");
    assert_eq!(shown[30], "30 0 {AF_INET6 [::1]:80} SOCK_STREAM IPPROTO_TCP");
    assert_eq!(shown[31], "31 EAI_NONAME");
    assert_eq!(shown[32..], ["32 0", "33 0", "34 0", "35 0", "36 0", "37 unsupported"]);
}

#[test]
fn the_lab_takes_every_step() {
    if !builds_labs() {
        return;
    }
    let Some((stdout, _)) = run(&steps(), &plain()) else { return };
    let shown = shown(&stdout);
    assert_eq!(shown[3], "3 18");
    assert_eq!(shown[4..9], ["4 EHOSTUNREACH", "5 EACCES", "6 EINVAL", "7 ENETUNREACH", "8 1"]);
    assert!(shown[9].starts_with(r#"10 28 "E"#), "the echo request arrived: {}", shown[9]);
    assert!(stdout.contains("#20 ip link delete down0\n"));
}

#[test]
fn the_far_end_answers_for_whom_it_shall() {
    if !builds_labs() {
        return;
    }
    let Some((stdout, _)) = run(&unresolved(), &plain()) else { return };
    let shown = shown(&stdout);
    assert_eq!(shown[4..9], ["4 2", "5 2", "6 0 0", "8 0 0", "9 0 0"]);
    assert_eq!(shown[9..], ["10 2", "12 0 EHOSTUNREACH"]);
}

fn netdown_trace() -> Trace {
    let call = |op, ret, errno: Option<&'static str>, out| {
        let did = Did::Returned { ret, errno: errno.map(Sym::from), out };
        Event::Call { op, at_ns: 0, took_ns: 0, addr: None, did }
    };
    let events = vec![
        call(0, 0, None, Out::Nothing),
        call(1, -1, Some("ENETUNREACH"), Out::Nothing),
        call(2, 0, None, Out::Int(0)),
    ];
    Trace { events, links: Vec::new(), ..trace_of(&netdown(), &[]) }
}

fn observed(trace: &Trace) -> Options<'_> {
    let outcome = "s = socket(AF_INET6, SOCK_DGRAM, 0)\nsendto(s, …) = -1 ENETUNREACH";
    let observed = Observed { trace, platform: "linux-6.18", kernel: "6.18.0 #1 SMP", outcome };
    Options { observed: Some(observed), ..plain() }
}

#[test]
fn the_program_compares_itself_with_what_was_observed() {
    if !builds_labs() {
        return;
    }
    let case = netdown();
    let trace = netdown_trace();
    let Some((stdout, out)) = run(&case, &observed(&trace)) else { return };
    assert_eq!(agrees(&trace, &case, &stdout), Ok(()));
    assert_eq!(out.status.code(), Some(0), "{stdout}");
    assert!(stdout.ends_with("\nREPRODUCED\n") && !stdout.contains("not looked at"), "{stdout}");

    let mut lie = trace.clone();
    let Event::Call { did, .. } = &mut lie.events[1] else { unreachable!() };
    *did = Did::Returned { ret: 6, errno: None, out: Out::Nothing };
    let (stdout, out) = run(&case, &observed(&lie)).unwrap();
    assert_eq!(
        agrees(&lie, &case, &stdout).unwrap_err(),
        "#1 sendto(s): 6 in the trace, -1 ENETUNREACH here"
    );
    assert_eq!(out.status.code(), Some(1), "{stdout}");
    assert_eq!(String::from_utf8_lossy(&out.stderr), "#1 differs: observed was 6 \n");
    assert!(stdout.ends_with("\nnot reproduced\n"), "{stdout}");

    // A call that was not observed, one too many of them, and one that wrote nothing.
    for plant in [
        |lie: &mut Trace| drop(lie.events.pop()),
        |lie: &mut Trace| {
            let Event::Call { op, .. } = &mut lie.events[2] else { unreachable!() };
            *op = 7;
        },
        |lie: &mut Trace| {
            let Event::Call { did, .. } = &mut lie.events[1] else { unreachable!() };
            let (errno, out) = (Some("ENETUNREACH".into()), Out::Int(1));
            *did = Did::Returned { ret: -1, errno, out };
        },
    ] {
        let mut lie = trace.clone();
        plant(&mut lie);
        let (stdout, out) = run(&case, &observed(&lie)).unwrap();
        assert_eq!((verdict(&stdout), out.status.code()), (Some(false), Some(1)), "{stdout}");
    }

    let mut lie = trace;
    let Event::Call { did, .. } = &mut lie.events[2] else { unreachable!() };
    *did = Did::Returned { ret: 0, errno: None, out: Out::Errno("ENETDOWN".into()) };
    let (stdout, out) = run(&case, &observed(&lie)).unwrap();
    assert!(agrees(&lie, &case, &stdout).unwrap_err().starts_with("#2 getsockopt(s, "));
    assert_eq!(out.status.code(), Some(1), "{stdout}");
}

#[test]
fn agreement_is_about_each_call_and_all_of_them() {
    let (trace, case) = (netdown_trace(), netdown());
    let good = "#0 socket(AF_INET6, SOCK_DGRAM, 0) = 5\n\
                #1 sendto(s) = -1 ENETUNREACH (Network is unreachable)\n\
                #2 getsockopt(s, SOL_SOCKET, SO_ERROR) = 0\n    -> 0\n";
    assert_eq!(agrees(&trace, &case, good), Ok(()));
    let planted = [
        (" = 5", " = -1 EMFILE (Too many open files)"),
        ("-1 ENETUNREACH (Network is unreachable)", "6"),
        ("ENETUNREACH", "ENETDOWN"),
        ("-> 0", "-> ENETDOWN"),
        ("#2", "#1"),
        ("#1 sendto(s) = -1 ENETUNREACH (Network is unreachable)", "#1 sendto(s) = hung"),
        ("    -> 0", "    -> SIGPIPE\n    -> 0"),
        ("    -> 0\n", "    -> 0\n#3 close(s) = 0\n"),
    ];
    for (from, to) in planted {
        assert!(agrees(&trace, &case, &good.replacen(from, to, 1)).is_err(), "{from} -> {to}");
    }
}

#[test]
fn received_data_and_addresses_count() {
    let case = case(
        "recvfrom",
        Lab::loopback(),
        vec![
            socket("s", "AF_INET6", "SOCK_DGRAM"),
            Op::Recvfrom { fd: "s".into(), len: 9, flags: Flags::NONE },
        ],
    );
    let from = SockAddr::V6 { ip: "fe80::1".parse().unwrap(), port: 40000, scope: 2 };
    let (flags, control) = (Vec::new(), Vec::new());
    let out = Out::Data { bytes: Hex(b"a\"\0".to_vec()), from: Some(from), flags, control };
    let did = Did::Returned { ret: 3, errno: None, out };
    let call = Event::Call { op: 1, at_ns: 0, took_ns: 0, addr: None, did };
    let trace = Trace { events: vec![call], ..trace_of(&case, &[]) };
    let good = "#1 recvfrom(s) = 3\n    -> \"a\\042\\000\"\n    -> {AF_INET6 [fe80::1%7]:50000}\n";
    assert_eq!(agrees(&trace, &case, good), Ok(()));
    for (from, to) in [("\\000", "\\001"), ("::1", "::2"), ("%7", ""), ("50000", "12345")] {
        assert!(agrees(&trace, &case, &good.replacen(from, to, 1)).is_err(), "{from} -> {to}");
    }
}

#[test]
fn a_reproducer_for_macos_says_what_it_needs() {
    let expected = ["sendto() reports locally detected errors (POSIX.1-2024, sendto).".to_owned()];
    let options = Options { os: Os::Macos, observed: None, expected: &expected };
    let text = reproducer(&netdown(), &options);
    for part in [
        "#define __APPLE_USE_RFC_3542\n",
        " *   - sendto() reports locally detected errors",
        " *     sudo ifconfig feth21000 create\n",
        " *     sudo ifconfig feth21000 inet6 fe80::1 prefixlen 64 alias\n",
        " *     sudo ifconfig feth21000 down\n",
        "    lab(\"ifconfig %s down\", links[0].name);\n",
        "if_nametoindex(links[0].name)",
    ] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
    assert!(!text.contains("unshare"), "{text}");
}

/// What no case can know of a program that nobody saw run: which headers frames would have needed.
fn unseen(case: &Case, os: Os) -> String {
    let trace = trace_of(case, &[]);
    let observed = Observed { trace: &trace, platform: "this", kernel: "this", outcome: "" };
    reproducer(case, &Options { os, observed: Some(observed), expected: &[] })
}

/// Names that need a header of their own (`TCP_INFO` at `SOL_SOCKET`, `AI_ALL` as a value) were not
/// declared, some that are deprecated were errors, and others did not fit (`poll` for `MSG_CMSG_CLOEXEC`).
#[test]
fn every_name_compiles_wherever_a_case_may_put_it() {
    if !builds_labs() || !compilers().contains(&"cc") {
        return eprintln!("skipped: there is no C compiler for Linux");
    }
    let mut wrong = Vec::new();
    for case in named(Os::Linux) {
        let source = write(&case.id, &unseen(&case, Os::Linux));
        let cc = Command::new("cc").args(FLAGS).arg("-fsyntax-only").arg(&source).output().unwrap();
        if !cc.status.success() {
            wrong.push(format!("{}: {}", case.id, String::from_utf8_lossy(&cc.stderr)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

/// The same for macOS, where there are its headers: in `zig`, the program that `ZIG` names.
#[test]
fn every_name_compiles_for_macos_wherever_a_case_may_put_it() {
    let Some(zig) = std::env::var_os("ZIG") else {
        return eprintln!("skipped: ZIG names no zig, which has Apple's headers");
    };
    let mut wrong = Vec::new();
    for case in named(Os::Macos) {
        let source = write(&case.id, &unseen(&case, Os::Macos));
        let mut cc = Command::new(&zig);
        cc.args(["cc", "-target", "aarch64-macos"]).args(FLAGS).arg("-c").arg(&source);
        cc.arg("-o").arg(source.with_extension("o"));
        let cc = cc.output().unwrap();
        if !cc.status.success() {
            wrong.push(format!("{}: {}", case.id, String::from_utf8_lossy(&cc.stderr)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

/// An error about a packet of 65,535 bytes, as many as one has: the last seven of them were written and read
/// beyond the room for what a far end sends.
#[test]
fn the_longest_packet_has_room_where_it_is_quoted() {
    let flags = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let empty = write("sanitized", "int main(void)\n{\n    return 0;\n}\n");
    let sanitized = |source: &Path| {
        let program = source.with_extension("sanitized");
        let mut cc = Command::new("cc");
        cc.args(FLAGS).args(flags).arg("-o").arg(&program).arg(source);
        let compiled = cc.output().is_ok_and(|out| out.status.success());
        compiled.then(|| Command::new(program).output().unwrap())
    };
    if !builds_labs() || !sanitized(&empty).is_some_and(|out| out.status.success()) {
        return eprintln!("skipped: there is no compiler with sanitizers");
    }
    for (range, most) in [(Range::V4, 65_535 - 28), (Range::V6, 65_535 - 48)] {
        let case = quoting(range, most);
        let out = sanitized(&write(&case.id, &reproducer(&case, &plain()))).expect("it compiles");
        let (stdout, stderr) =
            (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        if stderr.starts_with("not tried: ") {
            return eprintln!("skipped: {stderr}");
        }
        assert_eq!((out.status.code(), &*stderr), (Some(0), ""), "{stdout}");
        assert_eq!(shown(&stdout).last().unwrap(), "5 0 ECONNREFUSED", "{stdout}");
    }
}

/// A packet socket without room loses frames: nothing can be said then. With the first of a call's frames
/// alone in the trace it was REPRODUCED, and with both not.
#[test]
fn a_program_that_lost_frames_has_no_verdict() {
    if !builds_labs() {
        return;
    }
    let case = case("lost", Lab::loopback(), refused());
    for (frames, without_loss) in [(1, "not reproduced"), (2, "REPRODUCED")] {
        let trace = sent_to_nobody(&case, frames);
        let options = observed(&trace);
        let Some((stdout, out)) = run(&case, &options) else { return };
        let errors = String::from_utf8_lossy(&out.stderr);
        assert_eq!(stdout.lines().next_back(), Some(without_loss), "{stdout}{errors}");

        let text = reproducer(&case, &options).replace("int room = 4 << 20;", "int room = 1;");
        let source = write(&case.id, &text);
        let out = Command::new(compile("cc", &source, "-O1")).output().unwrap();
        let (stdout, errors) =
            (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        assert_eq!((verdict(&stdout), out.status.code()), (None, Some(2)), "{stdout}{errors}");
        let said = "not tried: the wire could not be followed: its packet socket had no room for ";
        assert!(errors.starts_with(said), "{errors}");
    }
    // One that compares nothing says so as well.
    let text = reproducer(&case, &plain()).replace("int room = 4 << 20;", "int room = 1;");
    let out = Command::new(compile("cc", &write(&case.id, &text), "-O1")).output().unwrap();
    assert_eq!(out.status.code(), Some(2), "{}", String::from_utf8_lossy(&out.stdout));
}

/// A datagram to a port that nobody has: two frames.
fn refused() -> Vec<Op> {
    let at = |port| Addr::ip(Ipv6Addr::LOCALHOST, port);
    vec![
        socket("s", "AF_INET6", "SOCK_DGRAM"),
        Op::Bind { fd: "s".into(), addr: at(9000) },
        sendto("s", Payload::Pattern(2000), at(9)),
    ]
}

/// The trace of [`refused`] with so many of its frames.
fn sent_to_nobody(case: &Case, frames: usize) -> Trace {
    let call = |op, ret| {
        let did = Did::Returned { ret, errno: None, out: Out::Nothing };
        Event::Call { op, at_ns: 0, took_ns: 0, addr: None, did }
    };
    let (host, nobody) = (Ipv6Addr::LOCALHOST, Mac([0; 6]));
    let eth = build::Link::Ethernet { src: nobody, dst: nobody };
    let sent =
        build::udp(eth, (host, 9000).into(), (host, 9).into(), 64, &Payload::Pattern(2000).bytes())
            .unwrap();
    let error = build::icmp_error(eth, host.into(), host.into(), 1, 4, 0, &sent[14..]).unwrap();
    let frame = |bytes| {
        let (link, dir) = ("lo".to_owned(), Direction::Out);
        Event::Frame { op: 2, at_ns: 0, link, dir, bytes: Hex(bytes) }
    };
    let mut trace = trace_of(case, &[]);
    trace.links[0].unseen = false;
    trace.events = vec![call(0, 0), call(1, 0), call(2, 2000)];
    trace.events.extend([sent, error].map(frame).into_iter().take(frames));
    trace
}
