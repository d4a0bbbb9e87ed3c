//! Reproducers of the calls that are about several descriptors, several pieces of data, or interfaces: on Linux
//! all of them compile, on macOS those that it has, and the others end the program.

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::case::addr::SockAddr;
use harness::case::op::{Opt, Value};
use harness::case::{Case, Flags, Hex, Lab, LinkKind, Op, Os};
use harness::trace::{Did, End, Event, Interface, LinkFact, Out, Ready, Received, Trace};
use reports::repro::{FLAGS, Observed, Options, agrees, reproducer};
use rstest::rstest;

use crate::repro_cases::more::{everybodys, linuxs, process, with};

/// A trace in which a call returned this, and nobody saw the wire.
fn trace(case: &Case, op: u32, ret: i64, out: Out) -> Trace {
    let did = Did::Returned { ret, errno: None, out };
    let link = |name: &str, index, kind| {
        let (name, mac) = (name.to_owned(), Hex(Vec::new()));
        LinkFact { name, index, kind, mac, unseen: true }
    };
    let links = vec![link("lo", 1, None), link("net0", 7, Some(LinkKind::Tun))];
    let call = Event::Call { op, at_ns: 0, took_ns: 0, addr: None, did };
    Trace::new(&case.id, links, vec![call], End::Done)
}

/// The program of a case of which something was observed.
fn program(case: &Case, os: Os) -> String {
    let trace = trace(case, 0, 0, Out::Nothing);
    let observed = Observed { trace: &trace, platform: "this", kernel: "this", outcome: "" };
    reproducer(case, &Options { os, observed: Some(observed), expected: &[] })
}

fn source(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("more-{name}.c"));
    std::fs::write(&path, text).unwrap();
    path
}

/// Warnings are of what the optimiser finds out, too: a closed descriptor is a number that it knows.
#[test]
fn all_compile_on_linux() {
    if Os::host() != Some(Os::Linux) || Command::new("cc").arg("--version").output().is_err() {
        return eprintln!("skipped: there is no C compiler for Linux");
    }
    for (name, case) in
        [("everybodys", everybodys()), ("linuxs", with(linuxs())), ("process", process(true))]
    {
        let source = source(name, &program(&case, Os::Linux));
        for level in ["-O0", "-O1", "-O2", "-O3"] {
            let object = source.with_extension("o");
            let mut cc = Command::new("cc");
            cc.args(FLAGS).args([level, "-c", "-o"]).arg(object).arg(&source);
            let out = cc.output().unwrap();
            assert!(out.status.success(), "{level}: {}", String::from_utf8_lossy(&out.stderr));
        }
    }
}

/// What of the SDK's headers `zig` has not got: `bsd/net/if_utun.h`, `bsd/sys/sys_domain.h` and
/// `bsd/netinet6/in6_var.h` of xnu-11417.101.15, as much as a link of a program names.
const SDK: [(&str, &str); 3] = [
    (
        "net/if_utun.h",
        "#define UTUN_CONTROL_NAME \"com.apple.net.utun_control\"\n#define UTUN_OPT_IFNAME 2\n#define UTUN_OPT_MAX_PENDING_PACKETS 16\n",
    ),
    ("sys/sys_domain.h", "#define SYSPROTO_CONTROL 2\n#define AF_SYS_CONTROL 2\n"),
    (
        "netinet6/in6_var.h",
        "struct in6_aliasreq { char ifra_name[16]; struct sockaddr_in6 ifra_addr, ifra_dstaddr, \
         ifra_prefixmask; int ifra_flags; struct { long expire, preferred; unsigned v, p; } \
         ifra_lifetime; };\n",
    ),
];

/// In `zig`, the program that `ZIG` names.
#[test]
fn what_everybody_has_compiles_for_macos() {
    let Some(zig) = std::env::var_os("ZIG") else {
        return eprintln!("skipped: ZIG names no zig, which has Apple's headers");
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("more-sdk");
    for (header, text) in SDK {
        let file = folder.join(header);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let source = source("macos", &program(&everybodys(), Os::Macos));
    let mut cc = Command::new(&zig);
    cc.args(["cc", "-target", "aarch64-macos"]).args(FLAGS).arg("-I").arg(&folder);
    cc.arg("-c").arg(&source).arg("-o").arg(source.with_extension("macos.o"));
    let out = cc.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// Each ends the program on macOS, as a name does that it has not got, and the comment says so.
#[test]
fn what_macos_has_not_got_ends_the_program() {
    for mut op in linuxs() {
        assert!(op.is_not_darwins(), "{op:?}");
        // On a socket, since what makes a descriptor for them ends the program before.
        if let Op::EpollCtl { fd, .. } | Op::EpollWait { fd, .. } | Op::EpollPwait { fd, .. } =
            &mut op
        {
            *fd = "s".to_owned();
        }
        let call = op.call();
        let text = program(&with(vec![op]), Os::Macos);
        let said = format!("macOS has no such {call}: the program says so and ends there.");
        assert!(text.contains(&said), "{text}");
        let (before, behind) = text.split_once(&format!(" = unsupported {call}\");")).unwrap();
        let ends =
            format!("not tried: this system has no {call}\\n\", stderr);\n    return 2;\n}}\n");
        assert!(behind.ends_with(&ends), "{text}");
        let (_, main) = before.split_once("int main(void)").unwrap();
        assert!(!main.contains(&format!(" = {call}(")), "{text}");
    }
}

/// And of what it has got no program ends: each call is made.
#[test]
fn what_macos_has_got_is_made() {
    let case = everybodys();
    let text = program(&case, Os::Macos);
    assert!(!text.contains("has no such") && !text.contains("this system has no"), "{text}");
    let (_, main) = text.split_once("int main(void)").unwrap();
    for op in &case.ops {
        let call = if let Op::File { .. } = op { "file_of" } else { op.call() };
        // Of some another function makes it, in slices.
        let made = [format!(" = {call}("), format!(" = {call}_answering(")];
        assert!(
            made.iter().any(|made| main.contains(made)) || call == "getifaddrs",
            "{call}: {main}"
        );
        assert!(!text.contains(&format!("unsupported {call}")), "{call}");
    }
    // As on Linux is each of Linux's.
    let text = program(&with(linuxs()), Os::Linux);
    for op in linuxs() {
        let call = op.call();
        let made = [format!(" = {call}("), format!(" = {}_answering(", call.replace("_wait", ""))];
        assert!(made.iter().any(|made| text.contains(made)), "{op:?}");
    }
}

/// The ends of a pair that nothing reads, since the program ends before: a warning of each was an error.
#[test]
fn ends_that_nothing_reads_have_no_variable() {
    let pair = || Op::Socketpair {
        a: "a".to_owned(),
        b: "b".to_owned(),
        domain: "AF_UNIX".into(),
        r#type: Flags::of(&["SOCK_STREAM"]),
        protocol: Flags::NONE,
    };
    let name = |name: &'static str| Op::Getsockopt {
        fd: "a".to_owned(),
        option: Opt::Raw { level: "SOL_SOCKET".into(), name: name.into() },
        len: 4,
    };
    let close = |fd: &str| Op::Close { fd: fd.to_owned() };
    // It has no `SO_PASSCRED`: the call is everybody's, and the program ends at its name.
    let set = |name: &'static str| Op::Setsockopt {
        fd: "a".to_owned(),
        option: Opt::Raw { level: "SOL_SOCKET".into(), name: name.into() },
        value: Value::Int(1),
    };
    let lines = |ops: Vec<Op>| {
        let text = program(&case_of(ops), Os::Macos);
        ["int a = pair0[0];", "int b = pair0[1];"].map(|line| text.contains(line))
    };
    assert_eq!(lines(vec![pair(), set("SO_PASSCRED"), close("b")]), [false, false]);
    assert_eq!(lines(vec![pair(), name("SO_TYPE")]), [true, false]);
    assert_eq!(lines(vec![pair(), close("b"), set("SO_PASSCRED")]), [false, true]);
    assert_eq!(lines(vec![pair(), close("a"), close("b")]), [true, true]);
    assert_eq!(lines(vec![pair()]), [false, false]);
}

fn case_of(ops: Vec<Op>) -> Case {
    Case::new("more/pair", "", Lab::loopback(), ops)
}

fn sets() -> Out {
    Out::Sets([vec!["s".to_owned()], Vec::new(), vec!["s".to_owned(), "d".to_owned()]])
}

fn ready() -> Out {
    let one = |fd: &str, events: &[&'static str]| {
        let events = events.iter().map(|name| (*name).into()).collect();
        Ready { fd: fd.to_owned(), events }
    };
    Out::Ready(vec![one("s", &["EPOLLIN", "EPOLLOUT"]), one("f", &[])])
}

fn interfaces() -> Out {
    let one = |link: &str, addr: Option<SockAddr>, prefix_len| {
        let flags = vec!["IFF_UP".into(), "IFF_RUNNING".into()];
        Interface { link: link.to_owned(), flags, addr, prefix_len }
    };
    let scoped = SockAddr::V6 { ip: "fe80::1".parse().unwrap(), port: 0, scope: 7 };
    Out::Interfaces(vec![
        one("net0", Some(scoped), Some(64)),
        one("lo", "{AF_INET 127.0.0.1:0}".parse().ok(), Some(8)),
        one("lo", None, None),
    ])
}

fn messages() -> Out {
    let one = |len, bytes: &[u8], flags: &[&'static str]| Received {
        len,
        bytes: Hex(bytes.to_vec()),
        from: None,
        flags: flags.iter().map(|name| (*name).into()).collect(),
        control: Vec::new(),
    };
    Out::Messages(vec![one(9, b"nine", &["MSG_TRUNC"]), one(2, b"ok", &[])])
}

const SETS: &str = "3\n    -> in s\n    -> except s\n    -> except d\n";
const READY: &str = "2\n    -> s EPOLLIN|EPOLLOUT\n    -> f 0\n";
const INTERFACES: &str = "0\n    -> net0 IFF_UP|IFF_RUNNING fe80::1%net0/64\n    -> lo IFF_UP|IFF_RUNNING 127.0.0.1/8\n    -> lo IFF_UP|IFF_RUNNING\n";
const MESSAGES: &str =
    "2\n    -> \"nine\"\n    -> length 9\n    -> flags MSG_TRUNC\n    -> \"ok\"\n    -> length 2\n";

/// What was printed agrees, and with `from` replaced by `to` it does not.
#[rstest]
#[case("select", sets(), SETS, "in s", "in d")]
#[case("select", sets(), SETS, "in s", "out s")]
#[case("select", sets(), SETS, "    -> except d\n", "")]
#[case("select", sets(), SETS, "except d\n", "except d\n    -> except f\n")]
#[case("epoll_wait", ready(), READY, "|EPOLLOUT", "")]
#[case("epoll_wait", ready(), READY, "f 0", "r 0")]
#[case("epoll_wait", ready(), READY, "    -> f 0\n", "")]
#[case("getifaddrs", interfaces(), INTERFACES, "%net0", "%7")]
#[case("getifaddrs", interfaces(), INTERFACES, "%net0", "")]
#[case("getifaddrs", interfaces(), INTERFACES, "/64", "/63")]
#[case("getifaddrs", interfaces(), INTERFACES, "127.0.0.1", "127.0.0.2")]
#[case("getifaddrs", interfaces(), INTERFACES, "lo IFF_UP|", "lo ")]
#[case("getifaddrs", interfaces(), INTERFACES, "    -> lo IFF_UP|IFF_RUNNING\n", "")]
#[case("recvmmsg", messages(), MESSAGES, "length 9", "length 4")]
#[case("recvmmsg", messages(), MESSAGES, "\"ok\"", "\"no\"")]
#[case("if_indextoname", Out::Text("net0".to_owned()), "1\n    -> net0\n", "net0", "net1")]
fn what_was_written_is_compared(
    #[case] call: &str,
    #[case] out: Out,
    #[case] printed: &str,
    #[case] from: &str,
    #[case] to: &str,
) {
    let ret = printed.lines().next().unwrap().parse().unwrap();
    let own = with(linuxs());
    let case = [everybodys(), own].into_iter().find(|case| at(case, call).is_some()).unwrap();
    let number = at(&case, call).unwrap();
    let trace = trace(&case, number, ret, out);
    let stdout = format!("#{number} {call}(s) = {printed}");
    assert_eq!(agrees(&trace, &case, &stdout), Ok(()));
    assert!(stdout.contains(from), "{from}");
    assert!(agrees(&trace, &case, &stdout.replacen(from, to, 1)).is_err(), "{from} -> {to}");
}

/// The number of the first step that makes a call.
fn at(case: &Case, call: &str) -> Option<u32> {
    case.ops.iter().position(|op| op.call() == call).and_then(|at| u32::try_from(at).ok())
}

/// Any index is as good as that of a link, and none is as good as no index.
#[test]
fn an_index_is_any_links() {
    let case = everybodys();
    let number = at(&case, "if_nametoindex").unwrap();
    let printed = |index: &str| format!("#{number} if_nametoindex(\"net0\") = {index}\n");
    let of_a_link = trace(&case, number, 7, Out::Nothing);
    assert_eq!(agrees(&of_a_link, &case, &printed("3")), Ok(()));
    assert!(agrees(&of_a_link, &case, &printed("0 ENODEV (No such device)")).is_err());
    let of_none = trace(&case, number, 9, Out::Nothing);
    assert!(agrees(&of_none, &case, &printed("3")).is_err());
}
