//! Which names a case may use: those that standards, manual pages and headers have, whether this system
//! has them or not. Where they are from stands in `inputs/names.txt`.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use harness::case::{Case, KNOWN, Lab, Op};
use rstest::rstest;

use crate::common::{SOCKEYE, has_cc, has_labs, is_linux, sockeye, stderr, stdout, text};

const SOURCES: &str = include_str!("inputs/names.txt");

/// Each name, with where it is from.
fn sources() -> Vec<(&'static str, &'static str)> {
    let mut from = None;
    let mut all = Vec::new();
    for line in SOURCES.lines() {
        if let Some(title) = line.strip_prefix("# ") {
            from = Some(title);
        }
        if !line.starts_with('#') {
            let from = from.expect("a title");
            all.extend(line.split_whitespace().map(|name| (name, from)));
        }
    }
    all
}

/// A case that names something wherever a name may stand alone.
fn text_with(name: &str) -> String {
    format!(
        "socket(AF_INET, {name}, {name}) = s\nsetsockopt(s, {name}, {name}, {name})\n\
         recv(s, 1, {name}|MSG_PEEK)\npoll([{{s, {name}}}], 0)\nshutdown(s, {name})\n"
    )
}

#[test]
fn what_a_source_has_is_a_name_of_the_sockets_api_on_every_system() {
    let sources = sources();
    assert!(sources.len() > 1_500, "{} names", sources.len());
    let titles: BTreeSet<&str> = sources.iter().map(|(_, from)| *from).collect();
    for wanted in ["POSIX.1-2024 <sys/socket.h>", "RFC 3542", "Linux tcp(7)", "Darwin <sys/un.h>"] {
        assert!(titles.contains(wanted), "{titles:?}");
    }
    let mut names: BTreeSet<&str> = sources.iter().map(|(name, _)| *name).collect();
    for (name, from) in &sources {
        let refused = format!("{name} of {from} is called no name of the sockets API");
        assert!(harness::case::is_known(name), "{refused}");
    }
    // Those of kernels that are younger than all of these.
    names.extend(KNOWN);
    for name in names {
        let text = text_with(name);
        let read = notation::read("f", &text);
        let read = read.unwrap_or_else(|faults| {
            panic!("{}", notation::render(&faults, "constants.case", &text, false))
        });
        let case = &read[0].case;
        assert_eq!(case.check(), Ok(()), "{name}");
        // What was written is printed back, and no other name of the same.
        let printed = notation::print(case);
        assert!(printed.matches(name).count() >= 8, "{printed}");
        let again = notation::read("f", &printed).expect("what is printed reads back");
        assert_eq!(again[0].case, *case);
    }
}

#[rstest]
#[case("AF_LOCALE", Some("AF_LOCAL"))]
#[case("MSG_FOO", Some("MSG_EOF"))]
#[case("IPV6_JOIN_GROUPS", Some("IPV6_JOIN_GROUP"))]
#[case("POLLRDNROM", Some("POLLRDNORM"))]
#[case("SOCKEYE_HAS_MADE_THIS_UP", None)]
fn what_nobody_has_is_none_and_the_nearest_is_told(
    #[case] name: &str,
    #[case] nearest: Option<&str>,
) {
    let faults = notation::read("f", &text_with(name)).expect_err(name);
    let says = format!("{name} is no name of the sockets API");
    assert!(faults.iter().any(|fault| fault.says == says), "{faults:?}");
    let help = nearest.map(|name| format!("did you mean {name}?"));
    assert!(faults.iter().all(|fault| fault.help == help), "{faults:?}");
    // In JSON, too, from whomever it is.
    let op = Op::Socket {
        fd: "s".to_owned(),
        domain: harness::case::Sym(name.to_owned().into()),
        r#type: harness::case::Flags::NONE,
        protocol: harness::case::Flags::NONE,
    };
    let why = Case::new("f/c", "", Lab::loopback(), vec![op]).check().expect_err(name);
    assert!(why.contains("is no name of the sockets API"), "{why}");
}

/// What is in the list is asked of this kernel, by whichever of its names it is written.
const ASKED: &str = "\
case aliases
# Does each name say what the other says?
tun link0
socketpair(PF_LOCAL, SOCK_SEQPACKET|SOCK_CLOEXEC, 0, [a, b]) = 0
send(a, \"x\", MSG_EOR) = 1
poll([{b, POLLRDNORM|POLLRDBAND}], 0) = 1, [{b, POLLRDNORM}]
fcntl(b, F_SETFL, O_NDELAY) = 0
fcntl(b, F_GETFD) = 1
recv(b, 10, 0) = 1, \"x\"
socket(PF_INET6, SOCK_DGRAM, 0) = s
setsockopt(s, IPPROTO_IPV6, IPV6_JOIN_GROUP, {ipv6mr_multiaddr=ff02::77, ipv6mr_interface=if_nametoindex(\"link0\")}) = 0
sendto(s, \"x\", 0, {AF_INET6 [neighbour(link0,v6)]:9}) = 1
";

const LINUX: &str = "
case linux
# Are they asked for what Linux has alone?
socket(AF_PACKET, SOCK_RAW|SOCK_NONBLOCK, 0) = p
getsockopt(p, SOL_PACKET, PACKET_VERSION) = 0
socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) = n
setsockopt(n, SOL_NETLINK, NETLINK_EXT_ACK, 1) = 0
socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE) = l
setsockopt(l, IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV, 8)
socket(AF_INET, SOCK_STREAM, 0) = t
setsockopt(t, SOL_IP, IP_TOS, IPTOS_LOWDELAY) = 0
setsockopt(t, SOL_SOCKET, SO_ZEROCOPY, 1) = 0
send(t, \"x\", MSG_ZEROCOPY|MSG_NOSIGNAL) = -1 EPIPE
ioctl(t, SIOCOUTQ)
setsockopt(t, IPPROTO_IP, IP_PORTRANGE, IP_PORTRANGE_HIGH)
";

#[test]
fn what_this_kernel_has_is_asked_and_what_it_lacks_is_unsupported_here() {
    if !is_linux() || !has_labs() {
        return;
    }
    let at = tempfile::tempdir().expect("a folder");
    let file = at.path().join("constants.case");
    fs::write(&file, [ASKED, LINUX].concat()).expect("a file");
    let out = at.path().join("out");
    let ran = sockeye(&["run", text(&file), "--out", text(&out)]);
    let (said, wrong) = (stdout(&ran), stderr(&ran));
    assert_eq!(ran.status.code(), Some(0), "{said}{wrong}");
    assert!(said.contains("1 as observed, 1 not here"), "{said}");
    let shown = stdout(&sockeye(&["show", &format!("{}:linux", text(&file))]));
    assert!(shown.contains("unsupported here: IP_PORTRANGE"), "{shown}");
    assert!(shown.contains("socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) = n"), "{shown}");
    if !has_cc() {
        return;
    }
    // Its C program has the same names, and gets the same.
    let program = stdout(&sockeye(&["repro", &format!("{}:aliases", text(&file))]));
    for name in ["PF_LOCAL", "MSG_EOR", "POLLRDNORM|", "O_NDELAY", "IPV6_JOIN_GROUP"] {
        assert!(program.contains(name.trim_end_matches('|')), "{name}: {program}");
    }
    let (source, built) = (at.path().join("repro.c"), at.path().join("repro"));
    fs::write(&source, &program).expect("a file");
    let args = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pthread", text(&source), "-o"];
    let cc = Command::new("cc").args(args).arg(&built).output().expect("cc starts");
    assert!(cc.status.success(), "{}{program}", stderr(&cc));
    let ran = Command::new(&built).output().expect("it starts");
    assert_eq!(ran.status.code(), Some(0), "{}{}", stdout(&ran), stderr(&ran));
    assert!(stdout(&ran).contains("REPRODUCED"), "{}", stdout(&ran));
}

/// By a socket whose addresses no case can write nothing leaves the lab, and no call is asked for what
/// would need a pointer or another's process.
#[rstest]
#[case(
    "socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT) = n\nwrite(n, \"x\")",
    "a socket of AF_NETLINK"
)]
#[case("socket(PF_ROUTE, SOCK_RAW, 0) = r\nsend(r, \"x\", 0)", "a socket of AF_ROUTE")]
#[case(
    "socket(AF_VSOCK, SOCK_STREAM, 0) = v\nconnect(v, {AF_VSOCK 0.0.0.2:0})",
    "a socket of AF_VSOCK"
)]
#[case(
    "socket(AF_VSOCK, SOCK_STREAM, 0) = v\nconnect(v, {AF_VSOCK VMADDR_CID_HOST:70000})",
    "VMADDR_CID_HOST is beyond the lab"
)]
#[case(
    "socket(AF_VSOCK, SOCK_STREAM, 0) = v\nbind(v, {AF_VSOCK VMADDR_CID_ANY:VMADDR_PORT_ANY})\nlisten(v, 1)",
    "could connect to a socket of AF_VSOCK"
)]
#[case("socket(AF_VSOCK, SOCK_DGRAM, 0) = v\nlisten(v, 1)", "a socket of AF_VSOCK, SOCK_DGRAM")]
#[case(
    "socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) = n\nsend(n, \"\\20\\0\\0\\0\\20\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\", 16, 0)",
    "a message of type 16 may change something"
)]
#[case(
    "socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) = n\nconnect(n, {AF_NETLINK pid 1 groups 0})",
    "pid 1 may be somebody else's"
)]
#[case("socket(AF_INET, SOCK_DGRAM, 0) = s\nfcntl(s, F_SETOWN, O_NONBLOCK)", "F_SETOWN")]
#[case("socket(AF_INET, SOCK_DGRAM, 0) = s\nfcntl(s, F_DUPFD, 0)", "F_DUPFD")]
#[case(
    "socket(AF_INET, SOCK_DGRAM, 0) = s\nioctl(s, SIOCSIFMTU, {ifr_name=\"lo\", ifr_mtu=9})",
    "SIOCSIFMTU"
)]
#[case("socket(AF_INET, SOCK_DGRAM, 0) = s\nioctl(s, SIOCSPGRP)", "SIOCSPGRP")]
fn what_would_reach_beyond_the_lab_is_refused(#[case] text: &str, #[case] says: &str) {
    let at = tempfile::tempdir().expect("a folder");
    fs::write(at.path().join("a.case"), text).expect("a file");
    let ran = Command::new(SOCKEYE).args(["run", "a.case"]).current_dir(at.path()).output();
    let ran = ran.expect("sockeye starts");
    assert_eq!(ran.status.code(), Some(2), "{}", stdout(&ran));
    assert!(stderr(&ran).contains(says), "{}", stderr(&ran));
}
