//! Cases of the calls that are about several descriptors, several pieces of data, or interfaces.

use harness::case::addr::Addr;
use harness::case::op::{Index, PollFd};
use harness::case::process::{Capability, Disposition, ProcessCall, Resource, Signal};
use harness::case::{Case, Flags, Lab, LinkKind, Op, Payload};

use super::{case, of, socket, text};

fn name(name: &str) -> String {
    name.to_owned()
}

/// A socket that speaks to itself, and one that does not.
fn sockets() -> Vec<Op> {
    let lo = [127, 0, 0, 1];
    vec![
        socket("s", "AF_INET", "SOCK_DGRAM"),
        Op::Bind { fd: name("s"), addr: Addr::ip(lo, 0) },
        Op::Connect { fd: name("s"), addr: of("s", lo) },
        socket("other", "AF_INET", "SOCK_DGRAM"),
    ]
}

/// What every system has.
pub(crate) fn everybodys() -> Case {
    let names = |all: &[&str]| all.iter().map(|one| name(one)).collect::<Vec<_>>();
    let select = |read: &[&str], write: &[&str], except: &[&str], timeout_ms| {
        let (read, write, except) = (names(read), names(write), names(except));
        Op::Select { read, write, except, timeout_ms }
    };
    let pselect = |op: Op| match op {
        Op::Select { read, write, except, timeout_ms } => {
            Op::Pselect { read, write, except, timeout_ms, mask: None }
        }
        op => op,
    };
    let process = |call| Op::Process { call };
    let mut ops = sockets();
    ops.extend([
        Op::Dup { fd: name("s"), new: name("d") },
        Op::Pipe { read: name("r"), write: name("w") },
        Op::Pipe { read: name("unused"), write: name("unused2") },
        Op::File { new: name("f"), data: text("abc\0") },
        Op::File { new: name("big"), data: Payload::Pattern(100) },
        Op::Writev { fd: name("s"), data: vec![text("ab"), Payload::Pattern(8), text("")] },
        select(&["s", "d"], &["other"], &["s"], Some(1001)),
        pselect(select(&["s", "d"], &["other"], &["s"], None)),
        Op::Readv { fd: name("d"), lens: vec![1, 0, 20] },
        Op::Writev { fd: name("r"), data: Vec::new() },
        Op::Readv { fd: name("f"), lens: vec![0] },
        Op::Readv { fd: name("f"), lens: Vec::new() },
        Op::Sockatmark { fd: name("s") },
        Op::Close { fd: name("other") },
        select(&[], &["other"], &[], Some(0)),
        pselect(select(&[], &[], &["other", "s"], Some(1))),
        select(&[], &[], &[], Some(0)),
        pselect(select(&[], &[], &[], Some(1))),
        process(ProcessCall::Sigaction { signal: Signal::Io, how: Disposition::Interrupts }),
        process(ProcessCall::Sigaction { signal: Signal::Io, how: Disposition::Restarts }),
        process(ProcessCall::Sigaction { signal: Signal::Io, how: Disposition::Ignored }),
        Op::IfNametoindex { name: name("net0") },
        Op::IfNametoindex { name: name("lo") },
        Op::IfNametoindex { name: name("no \"net\"") },
        Op::IfIndextoname { index: Index::Of(name("net0")) },
        Op::IfIndextoname { index: Index::Is(u32::MAX) },
        Op::Getifaddrs {},
    ]);
    case("more", Lab::one(LinkKind::Tun, "net0"), ops)
}

fn receive(count: u32, len: u32, control_len: u32, timeout_ms: Option<u32>) -> Op {
    let flags = Flags::of(&["MSG_DONTWAIT"]);
    Op::Recvmmsg { fd: name("s"), count, len, control_len, flags, timeout_ms }
}

fn ctl(op: &'static str, target: &str, events: &[&'static str]) -> Op {
    let (op, events) = (op.into(), Flags::of(events));
    Op::EpollCtl { fd: name("e"), op, target: name(target), events }
}

/// Each of those that macOS has not got, behind the sockets that they are about.
pub(crate) fn linuxs() -> Vec<Op> {
    let poll = |fd: &str| PollFd { fd: name(fd), events: Flags::of(&["POLLIN", "POLLOUT"]) };
    let send = |data, addr| Op::Sendmmsg {
        fd: name("s"),
        data,
        flags: Flags::NONE,
        addr,
        control: Vec::new(),
    };
    let file = |offset| Op::Sendfile { fd: name("s"), file: name("f"), offset, count: 2 };
    vec![
        Op::Accept4 { fd: name("s"), new: name("n"), flags: Flags::of(&["SOCK_NONBLOCK"]) },
        send(vec![text("ab"), Payload::Pattern(9)], None),
        send(vec![text("")], Some(of("s", [127, 0, 0, 1]))),
        send(Vec::new(), None),
        receive(2, 4, 64, None),
        receive(2, 0, 0, Some(1500)),
        receive(0, 4, 0, None),
        file(Some(1)),
        file(Some(i64::MIN)),
        file(None),
        Op::Splice {
            from: name("f"),
            to: name("w"),
            count: 1,
            flags: Flags::of(&["SPLICE_F_NONBLOCK", "SPLICE_F_MORE"]),
        },
        Op::Ppoll { fds: vec![poll("s"), poll("f")], timeout_ms: None, mask: None },
        Op::Ppoll { fds: Vec::new(), timeout_ms: Some(1), mask: Some(vec![Signal::Usr1]) },
        Op::EpollCreate1 { new: name("e"), flags: Flags::of(&["EPOLL_CLOEXEC"]) },
        ctl("EPOLL_CTL_ADD", "s", &["EPOLLIN", "EPOLLET"]),
        ctl("EPOLL_CTL_DEL", "f", &[]),
        Op::EpollWait { fd: name("e"), max: 3, timeout_ms: 10 },
        Op::EpollWait { fd: name("e"), max: 0, timeout_ms: -1 },
        Op::EpollPwait { fd: name("e"), max: 3, timeout_ms: 10, mask: None },
        Op::EpollPwait { fd: name("e"), max: 3, timeout_ms: 10, mask: Some(Vec::new()) },
    ]
}

/// A case with these calls, and what they are about.
pub(crate) fn with(ops: Vec<Op>) -> Case {
    let mut all = sockets();
    all.extend([
        Op::Pipe { read: name("r"), write: name("w") },
        Op::File { new: name("f"), data: text("abc") },
        Op::Bind { fd: name("f"), addr: of("s", [127, 0, 0, 1]) },
        Op::Bind { fd: name("r"), addr: Addr::ip([127, 0, 0, 1], 0) },
        Op::Bind { fd: name("w"), addr: Addr::ip([127, 0, 0, 1], 0) },
        Op::Bind { fd: name("other"), addr: Addr::ip([127, 0, 0, 1], 0) },
    ]);
    all.extend(ops);
    case("linuxs", Lab::one(LinkKind::Tap, "net0"), all)
}

/// What is about the process, where only Linux has all of it.
pub(crate) fn process(is_linux: bool) -> Case {
    let capset = |without| Op::Process { call: ProcessCall::Capset { without } };
    let limit = |soft| ProcessCall::Setrlimit { resource: Resource::Nofile, soft };
    let mut all = sockets();
    all.extend([0, 64].map(|soft| Op::Process { call: limit(soft) }));
    let users = [65_534, 0].map(|uid| Op::Process { call: ProcessCall::Seteuid { uid } });
    if is_linux {
        all.extend([capset(Capability::ALL.to_vec()), capset(Vec::new())]);
    } else {
        all.extend(users);
    }
    case("process", Lab::loopback(), all)
}
