//! Reproducers of calls that are written out: whatever a case may write compiles in silence, at every level of the
//! optimiser, and what may block is ended.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use harness::case::addr::Addr;
use harness::case::op::Control;
use harness::case::raw::{Arg, CALLS, Message, Part, Place};
use harness::case::{Case, Flags, Hex, Lab, Op, Os};
use harness::trace::{Did, End, Event, Out, Trace};
use reports::repro::{FLAGS, Observed, Options, reproducer};
use rstest::rstest;

fn parts() -> Vec<Part> {
    let base = [Arg::Null, Arg::Bad, Arg::Room, Arg::Bytes(Hex(vec![1])), Arg::Edge(Hex(vec![2]))];
    let part = |base| Part { base, len: 16 };
    base.into_iter().map(part).chain([Part { base: Arg::Bad, len: -1 }]).collect()
}

/// Messages with pointers and lengths of each sort in each place.
fn messages() -> [Message; 4] {
    let rights = || Control::Rights { fds: vec!["s".to_owned()] };
    let all = [
        (Arg::Bad, Some(-1), Arg::Parts(parts()), None, Arg::Null, None),
        (Arg::Addr(Addr::ip([127, 0, 0, 1], 9)), None, Arg::Bad, Some(1), Arg::Bad, Some(-1)),
        (Arg::Null, None, Arg::Null, Some(1025), Arg::Null, Some(3)),
        (Arg::Room, Some(16), Arg::Room, Some(2), Arg::Room, Some(64)),
    ];
    all.map(|(name, namelen, iov, iovlen, control, controllen)| Message {
        name,
        namelen,
        iov,
        iovlen,
        controls: if controllen == Some(3) { vec![rights()] } else { Vec::new() },
        control,
        controllen,
    })
}

/// What may stand in a place.
fn all(place: Place) -> Vec<Arg> {
    let numbers = || [-1, 0, 1, 16, 1000, 65_536].map(Arg::Number).to_vec();
    match place {
        Place::Fd => vec![Arg::Fd("s".to_owned())],
        // The requests that a case may make, and flags of others.
        Place::Names => vec![Arg::Names(Flags::of(&["FIONREAD"])), Arg::Names(Flags::NONE)],
        Place::Pointer => {
            let addr = Addr::ip([127, 0, 0, 1], 9);
            let mut all =
                vec![Arg::Null, Arg::Bad, Arg::Room, Arg::Bytes(Hex(vec![1, 2])), Arg::Addr(addr)];
            all.extend([Arg::Edge(Hex(vec![1, 2])), Arg::Parts(parts())]);
            all.extend(messages().map(|message| Arg::Message(Box::new(message))));
            all
        }
        Place::LenAt => vec![Arg::Null, Arg::Bad, Arg::At(-1), Arg::At(0), Arg::At(65_536)],
        Place::Len | Place::Size => numbers(),
        Place::Number => [-1, 0, 70_000].map(Arg::Number).to_vec(),
    }
}

fn case(ops: Vec<Op>) -> Case {
    let (domain, r#type) = ("AF_INET".into(), Flags::of(&["SOCK_DGRAM"]));
    let socket = Op::Socket { fd: "s".to_owned(), domain, r#type, protocol: Flags::NONE };
    let ops = std::iter::once(socket).chain(ops).collect();
    Case::new("raw/all", "", Lab::loopback(), ops)
}

/// Every call with all that a case may give it: in each place everything, and in two places that differ.
fn every() -> Case {
    // What of their pointers a case may write differs from one to the next.
    let raw = |call: &str, args: Vec<Arg>| Op::Raw { call: call.to_owned(), args };
    let (null, number) = (|| Arg::Null, Arg::Number);
    let mut ops = vec![
        raw("ppoll", vec![Arg::Bad, number(1), Arg::Room, null()]),
        raw("ppoll", vec![null(), number(0), null(), Arg::Bad]),
        raw("ppoll", vec![Arg::Bad, number(-1), Arg::Room, Arg::Bad]),
        raw("select", vec![number(1), Arg::Bad, Arg::Room, null(), Arg::Room]),
        raw("select", vec![number(-1), null(), null(), Arg::Bad, null()]),
        raw("select", vec![number(0), Arg::Room, null(), null(), null()]),
    ];
    assert!(ops.iter().all(|op| case(vec![op.clone()]).check().is_ok()));
    for (call, places) in CALLS {
        let choices: Vec<Vec<Arg>> = places.iter().map(|place| all(*place)).collect();
        let most = choices.iter().map(Vec::len).max().unwrap_or(1);
        for first in 0..most {
            for step in 0..most {
                let args = choices.iter().enumerate();
                let args =
                    args.map(|(at, choice)| choice[(first + at * step) % choice.len()].clone());
                let op = Op::Raw { call: (*call).to_owned(), args: args.collect() };
                if !ops.contains(&op) && case(vec![op.clone()]).check().is_ok() {
                    ops.push(op);
                }
            }
        }
    }
    case(ops)
}

fn program(case: &Case, os: Os) -> String {
    let did = Did::Returned { ret: 0, errno: None, out: Out::Nothing };
    let call = Event::Call { op: 0, at_ns: 0, took_ns: 0, addr: None, did };
    let trace = Trace::new(&case.id, Vec::new(), vec![call], End::Done);
    let observed = Observed { trace: &trace, platform: "this", kernel: "this", outcome: "" };
    reproducer(case, &Options { os, observed: Some(observed), expected: &[] })
}

fn source(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("raw-{name}.c"));
    std::fs::write(&path, text).unwrap();
    path
}

fn compiled(cc: &mut Command, level: &str, source: &Path) -> Output {
    let object = source.with_extension("o");
    cc.args(FLAGS).args([level, "-c", "-o"]).arg(object).arg(source).output().unwrap()
}

/// A null pointer and a length below nothing are what some calls are about, and a compiler warns of those that it
/// sees.
#[test]
fn all_compile_on_linux() {
    if Os::host() != Some(Os::Linux) || Command::new("cc").arg("--version").output().is_err() {
        return eprintln!("skipped: there is no C compiler for Linux");
    }
    let case = every();
    for (call, _) in CALLS {
        assert!(case.ops.iter().filter(|op| op.call() == *call).count() > 2, "{call}");
    }
    let text = program(&case, Os::Linux);
    let path = source("linux", &text);
    for level in ["-O0", "-O2"] {
        let out = compiled(&mut Command::new("cc"), level, &path);
        assert!(out.status.success(), "{level}: {}", String::from_utf8_lossy(&out.stderr));
        if let Some(zig) = std::env::var_os("ZIG") {
            let out = compiled(Command::new(zig).arg("cc"), level, &path);
            assert!(
                out.status.success(),
                "clang {level}: {}",
                String::from_utf8_lossy(&out.stderr)
            );
        }
    }
    // And of one that it sees it would: gcc's -Wnonnull.
    let seen = text.replace("void *const volatile ", "void *const ");
    let gcc = Command::new("cc").arg("--version").output().unwrap();
    if String::from_utf8_lossy(&gcc.stdout).contains("Free Software Foundation") {
        assert!(!compiled(&mut Command::new("cc"), "-O2", &source("seen", &seen)).status.success());
    }
}

fn raw(call: &str, args: Vec<Arg>) -> Op {
    let args = std::iter::once(Arg::Fd("s".to_owned())).chain(args).collect();
    Op::Raw { call: call.to_owned(), args }
}

/// Whether an alarm ends what waits.
#[rstest]
#[case::recv(raw("recv", vec![Arg::Room, Arg::Number(4), Arg::Names(Flags::NONE)]), true)]
#[case::read(raw("read", vec![Arg::Bad, Arg::Number(4)]), true)]
#[case::readv(raw("readv", vec![Arg::Bad, Arg::Number(4)]), true)]
#[case::recvmsg(raw("recvmsg", vec![Arg::Bad, Arg::Names(Flags::NONE)]), true)]
#[case::accept(raw("accept", vec![Arg::Bad, Arg::Null]), true)]
#[case::poll(Op::Raw { call: "poll".to_owned(), args: vec![Arg::Null, Arg::Number(0), Arg::Number(7)] }, true)]
#[case::poll_at_once(Op::Raw { call: "poll".to_owned(), args: vec![Arg::Null, Arg::Number(0), Arg::Number(0)] }, false)]
#[case::a_datagram(raw("write", vec![Arg::Room, Arg::Number(4)]), false)]
#[case::bind(raw("bind", vec![Arg::Bad, Arg::Number(16)]), false)]
fn what_may_block_is_ended(#[case] op: Op, #[case] is: bool) {
    assert_eq!(program(&case(vec![op]), Os::Linux).contains("    set_deadline("), is);
}

/// On a stream what sends may wait, and what connects.
#[rstest]
#[case(raw("write", vec![Arg::Room, Arg::Number(4)]))]
#[case(raw("connect", vec![Arg::Bad, Arg::Number(16)]))]
#[case(Op::Sendmmsg { fd: "s".to_owned(), data: Vec::new(), flags: Flags::NONE, addr: None, control: Vec::new() })]
fn what_may_block_on_a_stream_is_ended(#[case] op: Op) {
    let mut case = case(vec![op]);
    if let Op::Socket { r#type, .. } = &mut case.ops[0] {
        *r#type = Flags::of(&["SOCK_STREAM"]);
    }
    assert!(program(&case, Os::Linux).contains("    set_deadline("));
}

/// `poll`'s own time is beyond the patience that everything has.
#[test]
fn the_time_of_a_poll_is_its_own() {
    let poll = Op::Raw {
        call: "poll".to_owned(),
        args: vec![Arg::Null, Arg::Number(0), Arg::Number(5000)],
    };
    assert!(program(&case(vec![poll]), Os::Linux).contains("    set_deadline(7000);"));
}
