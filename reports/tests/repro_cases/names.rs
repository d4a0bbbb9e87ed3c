//! Cases that put each name of the sockets API wherever a case may put one.
//!
//! A name's header may be there for another's sake. So names that begin alike have programs of their own, and
//! calls that bring headers of their own are in others than those that bring none.

use std::collections::BTreeMap;

use harness::case::addr::Addr;
use harness::case::op::{Change, Control, PollFd, Value};
use harness::case::{Case, Flags, KNOWN, Lab, NOT_ON_LINUX, NOT_ON_MACOS, Op, Os, Payload, Sym};

use super::{case, raw, text};

const LO4: [u8; 4] = [127, 0, 0, 1];

/// The names that a system has, by how they begin. At one that it has not a program ends.
fn names(os: Os) -> BTreeMap<&'static str, Vec<&'static str>> {
    let lacks = match os {
        Os::Linux => NOT_ON_LINUX,
        Os::Macos => NOT_ON_MACOS,
    };
    let mut all: BTreeMap<&'static str, Vec<&'static str>> = BTreeMap::new();
    for name in KNOWN.iter().filter(|name| !lacks.contains(name)) {
        let begins = name.split_once('_').map_or(&name[..3], |(begins, _)| begins);
        all.entry(begins).or_default().push(name);
    }
    all
}

/// A socket that nothing speaks by.
fn socket(domain: &'static str, kind: &[&'static str], protocol: &[&'static str]) -> Op {
    let (r#type, protocol) = (Flags::of(kind), Flags::of(protocol));
    Op::Socket { fd: "n".into(), domain: domain.into(), r#type, protocol }
}

fn udp() -> Op {
    super::socket("s", "AF_INET", "SOCK_DGRAM")
}

fn to(name: &'static str) -> Addr {
    Addr { family: Some(name.into()), ..Addr::ip(LO4, 9) }
}

/// Calls that take one name, of which some are names of options.
fn with_one(name: &'static str) -> Vec<Op> {
    let fd = || "s".to_owned();
    let sym = || Sym::from(name);
    let set = |option, value| Op::Setsockopt { fd: fd(), option, value };
    let mut ops = vec![
        socket(name, &["SOCK_DGRAM"], &[]),
        set(raw(name, "SO_BROADCAST"), Value::Int(1)),
        set(raw("SOL_SOCKET", name), Value::Int(1)),
        set(raw("SOL_SOCKET", "SO_BROADCAST"), Value::Named(sym())),
        set(raw("IPPROTO_IP", name), Value::Linger { on: 1, seconds: 0 }),
        Op::Getsockopt { fd: fd(), option: raw(name, "SO_BROADCAST"), len: 4 },
        Op::Getsockopt { fd: fd(), option: raw("SOL_SOCKET", name), len: 4 },
        Op::Getsockopt { fd: fd(), option: raw("IPPROTO_IPV6", name), len: 8 },
        Op::Connect { fd: fd(), addr: to(name) },
        Op::Shutdown { fd: fd(), how: sym() },
        Op::InetPton { family: sym(), text: "192.0.2.1".into() },
    ];
    for (level, name) in [(name, "IP_TTL"), ("IPPROTO_IP", name)] {
        let control = vec![Control::int(level, name, 1)];
        let (data, flags) = (text("x"), Flags::NONE);
        ops.push(Op::Sendmsg { fd: fd(), data, flags, addr: None, control });
    }
    ops
}

/// Calls that take several.
fn with_all(all: &[&'static str]) -> Vec<Op> {
    let fd = || "s".to_owned();
    let flags = || Flags::of(all);
    vec![
        socket("AF_INET", all, &[]),
        socket("AF_INET", &["SOCK_DGRAM"], all),
        Op::Socketpair {
            a: "a".into(),
            b: "b".into(),
            domain: "AF_UNIX".into(),
            r#type: flags(),
            protocol: flags(),
        },
        Op::Send { fd: fd(), data: text("x"), flags: flags() },
        Op::Sendto { fd: fd(), data: text("x"), flags: flags(), addr: Addr::ip(LO4, 9) },
        Op::Sendmsg {
            fd: fd(),
            data: Payload::Pattern(1),
            flags: flags(),
            addr: None,
            control: vec![],
        },
        Op::Recv { fd: fd(), len: 1, flags: flags() },
        Op::Recvfrom { fd: fd(), len: 1, flags: flags() },
        Op::Recvmsg { fd: fd(), len: 1, lens: Vec::new(), control_len: 0, flags: flags() },
    ]
}

fn resolves(all: &[&'static str]) -> Vec<Op> {
    let lookup = |family: &'static str, r#type: &[&'static str], flags: &[&'static str]| {
        let (node, service) = (Some("192.0.2.1".to_owned()), None);
        let (r#type, flags) = (Flags::of(r#type), Flags::of(flags));
        Op::Getaddrinfo { node, service, family: family.into(), r#type, flags }
    };
    let hints = all.iter().map(|name| lookup(name, &[], &[]));
    hints.chain([lookup("AF_UNSPEC", all, &[]), lookup("AF_UNSPEC", &[], all)]).collect()
}

fn looks_up(all: &[&'static str]) -> Vec<Op> {
    let (addr, flags) = (Addr::ip(LO4, 9), Flags::of(all));
    vec![Op::Getnameinfo { addr, host_len: 64, service_len: 0, flags }]
}

fn polls(all: &[&'static str]) -> Vec<Op> {
    let one = |events: &[&'static str]| PollFd { fd: "s".into(), events: Flags::of(events) };
    let fds = all.iter().map(|name| one(&[name])).chain([one(all)]).collect();
    vec![udp(), Op::Poll { fds, timeout_ms: 0 }]
}

/// Of commands and requests a case may ask those alone that take no pointer.
fn commands(all: &[&'static str]) -> Vec<Op> {
    let fd = || "s".to_owned();
    let known = ["F_GETFD", "F_GETFL", "F_GETOWN", "F_GETSIG", "F_SETFD", "F_SETFL"];
    let fcntl = |cmd: &'static str, arg| Op::Fcntl { fd: fd(), cmd: cmd.into(), arg, pid: None };
    let own = all.iter().filter(|name| known.contains(name));
    let own = own.map(|cmd| fcntl(cmd, Flags::NONE));
    [udp(), fcntl("F_SETFL", Flags::of(all))].into_iter().chain(own).collect()
}

fn requests(all: &[&'static str]) -> Vec<Op> {
    let ioctl = |name: &'static str| {
        let link = name.starts_with("SIOCGIF").then(|| "lo".to_owned());
        Op::Ioctl { fd: "s".into(), request: name.into(), link, given: None }
    };
    let own = all.iter().map(|name| ioctl(name)).filter(|op| asked(op.clone()));
    [udp()].into_iter().chain(own).collect()
}

fn asked(op: Op) -> bool {
    Case::new("reports/ioctl", "ioctl", Lab::loopback(), vec![udp(), op]).check().is_ok()
}

fn events(all: &[&'static str]) -> Vec<Op> {
    let change = |filter: &'static str, flags: &[&'static str], fflags: &[&'static str]| Change {
        fd: "s".into(),
        filter: filter.into(),
        flags: Flags::of(flags),
        fflags: Flags::of(fflags),
        data: 0,
    };
    let mut changes: Vec<Change> = all.iter().map(|name| change(name, &[name], &[])).collect();
    changes.push(change("EVFILT_READ", all, all));
    vec![udp(), Op::Kevent { changes, timeout_ms: 0 }]
}

/// What Linux alone has, each without the headers of the others: where a flag of theirs may be, and of `epoll`
/// what is done as well.
fn of_linux(all: &[&'static str]) -> Vec<(&'static str, Vec<Op>)> {
    let fd = || "s".to_owned();
    let flags = || Flags::of(all);
    let mut epoll = vec![udp(), Op::EpollCreate1 { new: "e".into(), flags: flags() }];
    let ctl = |op: &'static str, events| {
        let (fd, op, target) = ("e".into(), op.into(), "s".into());
        Op::EpollCtl { fd, op, target, events }
    };
    epoll.extend(all.iter().map(|name| ctl(name, Flags::of(&[name]))));
    epoll.push(ctl("EPOLL_CTL_ADD", flags()));
    let splice = Op::Splice { from: fd(), to: fd(), count: 1, flags: flags() };
    let (data, addr) = (vec![text("x")], None);
    let several = vec![
        udp(),
        Op::Sendmmsg { fd: fd(), data, flags: flags(), addr, control: Vec::new() },
        Op::Recvmmsg {
            fd: fd(),
            count: 1,
            len: 1,
            control_len: 0,
            flags: flags(),
            timeout_ms: None,
        },
        Op::Accept4 { fd: fd(), new: "n".into(), flags: flags() },
    ];
    let fds = all.iter().map(|name| PollFd { fd: fd(), events: Flags::of(&[name]) });
    let ppoll = Op::Ppoll { fds: fds.collect(), timeout_ms: Some(0), mask: None };
    vec![
        ("epoll", epoll),
        ("splice", vec![udp(), splice]),
        ("several", several),
        ("ppoll", vec![udp(), ppoll]),
    ]
}

/// The cases with all names that a system has.
pub(crate) fn named(os: Os) -> Vec<Case> {
    let mut cases = Vec::new();
    for (begins, all) in names(os) {
        // No name stands where a case may not have it.
        let mut plain = vec![udp()];
        let ops = all.iter().flat_map(|name| with_one(name)).chain(with_all(&all));
        plain.extend(ops.filter(|op| asked(op.clone())));
        let hints = resolves(&all).into_iter().filter(|op| asked(op.clone())).collect();
        let mut of = vec![
            ("plain", plain),
            ("hints", hints),
            ("look-up", looks_up(&all)),
            ("poll", polls(&all)),
            ("fcntl", commands(&all)),
            ("ioctl", requests(&all)),
        ];
        match os {
            Os::Linux => of.extend(of_linux(&all)),
            Os::Macos => of.push(("kevent", events(&all))),
        }
        for (what, ops) in of {
            cases.push(case(&format!("{what}-{begins}"), Lab::loopback(), ops));
        }
    }
    cases
}
