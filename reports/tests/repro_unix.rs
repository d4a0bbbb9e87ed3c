//! A reproducer tells names of Unix sockets apart, and leaves none of their files behind.

use std::path::Path;
use std::process::{Command, Output};

use harness::case::addr::SockAddr;
use harness::case::op::{Control, Who};
use harness::case::{Case, Hex, Op, Os, Sym};
use harness::trace::{ControlOut, Did, End, Event, Out, Trace};
use reports::repro::{FLAGS, Observed, Options, agrees, reproducer};

use crate::repro_cases::unix::unix;

/// The case, in which nobody pretends to be of another group: who may depends on the host.
fn sent_by_oneself() -> Case {
    let mut case = unix();
    for op in &mut case.ops {
        let Op::Sendmsg { control, .. } = op else { continue };
        for one in control {
            if let Control::Credentials { gid, .. } = one {
                *gid = Who::Own;
            }
        }
    }
    case
}

/// A control message, of which a program tells that it is there.
fn rights() -> ControlOut {
    let (level, name) = ("SOL_SOCKET".to_owned(), "SCM_RIGHTS".to_owned());
    ControlOut { level, name, bytes: Hex(vec![0; 8]) }
}

/// A datagram.
fn data(from: &str, bytes: &[u8], control: Vec<ControlOut>) -> Out {
    let from = Some(from.parse().expect("a name"));
    Out::Data { bytes: Hex(bytes.to_vec()), from, flags: Vec::new(), control }
}

/// What Linux says of the case.
fn observed() -> Trace {
    let name = |text: &str| Out::Addr(text.parse::<SockAddr>().expect("a name"));
    let call = |op: u32, errno: Option<&'static str>, ret: i64, out: Out| {
        let did = Did::Returned { ret, errno: errno.map(Sym::from), out };
        Event::Call { op, at_ns: 0, took_ns: 0, addr: None, did }
    };
    let none = || Out::Nothing;
    let from = r#"{AF_UNIX @"b" length 9}"#;
    let events = vec![
        call(0, None, 0, none()),
        call(1, None, 0, none()),
        call(2, None, 0, name(r#"{AF_UNIX "a.sock"}"#)),
        call(3, None, 0, none()),
        call(4, None, 0, none()),
        call(5, None, 0, name(r#"{AF_UNIX @"b" length 9}"#)),
        call(6, None, 0, none()),
        call(7, None, 0, none()),
        call(8, None, 0, name(r#"{AF_UNIX @"0a1b2"}"#)),
        call(9, Some("EINVAL"), -1, none()),
        call(10, Some("EINVAL"), -1, none()),
        call(11, None, 0, none()),
        call(12, None, 1, none()),
        call(13, None, 1, data(from, b"x", vec![rights(), rights()])),
        call(14, None, 1, none()),
        call(15, None, 1, data(from, b"x", vec![rights()])),
    ];
    Trace::new("unix", Vec::new(), events, End::Done)
}

/// Compiles and runs what is made of a trace; none where there is no lab or no compiler.
fn run(case: &Case, trace: &Trace, name: &str) -> Option<Output> {
    let (platform, kernel, outcome) = ("linux-6.18", "6.18.0 #1 SMP", "");
    let observed = Some(Observed { trace, platform, kernel, outcome });
    let text = reproducer(case, &Options { os: Os::Linux, observed, expected: &[] });
    let cc = Command::new("cc").arg("--version").output().is_ok_and(|out| out.status.success());
    if Os::host() != Some(Os::Linux) || !cc {
        eprintln!("skipped: a reproducer needs Linux and a C compiler");
        return None;
    }
    let source = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("unix-{name}.c"));
    std::fs::write(&source, text).unwrap();
    let program = source.with_extension("out");
    let out = Command::new("cc").args(FLAGS).arg("-o").arg(&program).arg(&source).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let out = Command::new(&program).output().unwrap();
    if out.status.code() == Some(2) {
        eprintln!("skipped: {}", String::from_utf8_lossy(&out.stderr));
        return None;
    }
    Some(out)
}

#[test]
fn a_name_that_differs_is_told() {
    let (case, trace) = (sent_by_oneself(), observed());
    let Some(out) = run(&case, &trace, "same") else { return };
    let said = String::from_utf8(out.stdout).unwrap();
    assert!(said.ends_with("\nREPRODUCED\n"), "{said}");
    assert_eq!(agrees(&trace, &case, &said), Ok(()));
    for (nth, other) in
        [(2, r#"{AF_UNIX "b.sock"}"#), (5, r#"{AF_UNIX @"b"}"#), (5, r#"{AF_UNIX "b"}"#)]
    {
        let mut lie = trace.clone();
        let Event::Call { did: Did::Returned { out, .. }, .. } = &mut lie.events[nth] else {
            unreachable!()
        };
        *out = Out::Addr(other.parse().unwrap());
        let out = run(&case, &lie, "other").unwrap();
        let said = String::from_utf8(out.stdout).unwrap();
        assert!(said.ends_with("\nnot reproduced\n"), "{other}: {said}");
        assert_eq!(out.status.code(), Some(1));
        let why = agrees(&lie, &case, &said).unwrap_err();
        assert!(why.contains("getsockname") && why.contains(other), "{why}");
    }
    // One that is drawn is whatever it is, and is one that is drawn.
    for (other, is_drawn) in [
        (r#"{AF_UNIX @"ffff0"}"#, true),
        (r#"{AF_UNIX @"ffff0" length 9}"#, false),
        (r#"{AF_UNIX @"name0"}"#, false),
        (r#"{AF_UNIX "ffff0"}"#, false),
        ("{AF_UNIX}", false),
    ] {
        let mut lie = trace.clone();
        let Event::Call { did: Did::Returned { out, .. }, .. } = &mut lie.events[8] else {
            unreachable!()
        };
        *out = Out::Addr(other.parse().unwrap());
        assert_eq!(agrees(&lie, &case, &said).is_ok(), is_drawn, "{other}");
        let out = run(&case, &lie, "drawn").unwrap();
        let ends = if is_drawn { "\nREPRODUCED\n" } else { "\nnot reproduced\n" };
        let said = String::from_utf8(out.stdout).unwrap();
        assert!(said.ends_with(ends), "{other}: {said}");
    }
}

/// Descriptors and credentials beside data, and the credentials that are there unasked.
#[test]
fn what_comes_beside_data_is_told() {
    let (case, trace) = (sent_by_oneself(), observed());
    let Some(out) = run(&case, &trace, "beside") else { return };
    let said = String::from_utf8(out.stdout).unwrap();
    assert!(said.ends_with("\nREPRODUCED\n"), "{said}");
    assert_eq!(agrees(&trace, &case, &said), Ok(()));
    let data = |control: usize, bytes: &[u8]| {
        data(
            r#"{AF_UNIX @"b" length 9}"#,
            bytes,
            vec![rights(), rights(), rights()][..control].to_vec(),
        )
    };
    for (nth, other, by_itself) in [
        (13, data(2, b"y"), true),
        (13, data(1, b"x"), false),
        (15, data(0, b"x"), false),
        (15, data(2, b"x"), false),
    ] {
        let mut lie = trace.clone();
        let Event::Call { did: Did::Returned { out, .. }, .. } = &mut lie.events[nth] else {
            unreachable!()
        };
        *out = other;
        let why = agrees(&lie, &case, &said).unwrap_err();
        assert!(why.contains("recvmsg"), "{why}");
        // Its own verdict is about the first thing that a call has written.
        let out = run(&case, &lie, "beside-other").unwrap();
        assert_eq!(out.status.code(), Some(i32::from(by_itself)));
    }
}

#[test]
fn no_file_is_left_behind() {
    let folders = || {
        let all = std::fs::read_dir("/tmp").into_iter().flatten().flatten();
        let ours = all.map(|file| file.file_name().to_string_lossy().into_owned());
        ours.filter(|name| name.starts_with("sockeye-uxtest-")).count()
    };
    let (case, trace) = (sent_by_oneself(), observed());
    let text = {
        let (platform, kernel, outcome) = ("linux-6.18", "6.18.0 #1 SMP", "");
        let observed = Some(Observed { trace: &trace, platform, kernel, outcome });
        reproducer(&case, &Options { os: Os::Linux, observed, expected: &[] })
    };
    if run(&case, &trace, "first").is_none() {
        return;
    }
    // By a name that no other program takes meanwhile.
    let text = text.replace("/tmp/sockeye-", "/tmp/sockeye-uxtest-");
    let source = Path::new(env!("CARGO_TARGET_TMPDIR")).join("unix-left.c");
    std::fs::write(&source, &text).unwrap();
    let program = source.with_extension("out");
    let compile = |source: &Path| {
        Command::new("cc").args(FLAGS).arg("-o").arg(&program).arg(source).status().unwrap()
    };
    assert!(compile(&source).success());
    assert!(Command::new(&program).output().unwrap().status.success());
    assert_eq!(folders(), 0);
    // And it would be seen.
    let text = text.replace("    atexit(leave_folder);\n", "    (void)leave_folder;\n");
    std::fs::write(&source, &text).unwrap();
    assert!(compile(&source).success());
    assert!(Command::new(&program).output().unwrap().status.success());
    assert_eq!(folders(), 1);
    for folder in std::fs::read_dir("/tmp").unwrap().flatten() {
        if folder.file_name().to_string_lossy().starts_with("sockeye-uxtest-") {
            let _ = std::fs::remove_dir_all(folder.path());
        }
    }
}
