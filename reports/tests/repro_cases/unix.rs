//! Unix sockets by every kind of address, and all that is sent beside data by them.

use harness::case::addr::{Addr, Unix, UnixName};
use harness::case::op::{Code, Control, Value, Who};
use harness::case::{Case, Flags, Hex, Lab, Op};

use super::{case, set, socket, text};

fn at(name: UnixName, len: Option<u32>) -> Addr {
    Addr::unix(Unix { name, len })
}

fn path(name: &str) -> Addr {
    at(UnixName::Path(name.into()), None)
}

fn bind(fd: &str, addr: Addr) -> Op {
    Op::Bind { fd: fd.into(), addr }
}

fn name(fd: &str) -> Op {
    Op::Getsockname { fd: fd.into() }
}

/// Datagrams between names; the second step binds, and the third tells to what.
pub(crate) fn unix() -> Case {
    let named = |name: &str| UnixName::Abstract(name.into());
    let data = |code: Code, kind: Code, data: &[u8]| Control::Bytes {
        level: code,
        kind,
        data: Hex(data.to_vec()),
    };
    let sol = || Code::Name("SOL_SOCKET".into());
    let control = vec![
        Control::Rights { fds: vec!["b".into(), "c".into()] },
        Control::Credentials { pid: Who::Own, uid: Who::Own, gid: Who::Is(7) },
        data(Code::Number(41), Code::Number(67), &[5, 0, 0, 0]),
        data(sol(), Code::Name("SCM_RIGHTS".into()), &[]),
    ];
    let (x, flags) = (|| text("x"), || Flags::NONE);
    let send = |addr: Option<Addr>, control| Op::Sendmsg {
        fd: "b".into(),
        data: x(),
        flags: flags(),
        addr,
        control,
    };
    let receive = || Op::Recvmsg {
        fd: "a".into(),
        len: 8,
        lens: Vec::new(),
        control_len: 128,
        flags: flags(),
    };
    let ops = vec![
        socket("a", "AF_UNIX", "SOCK_DGRAM"),
        bind("a", path("a.sock")),
        name("a"),
        socket("b", "AF_UNIX", "SOCK_DGRAM"),
        bind("b", at(named("b"), Some(9))),
        name("b"),
        socket("c", "AF_UNIX", "SOCK_DGRAM"),
        bind("c", at(UnixName::Unnamed, None)),
        name("c"),
        bind("c", at(UnixName::Path("x".repeat(120)), None)),
        bind("c", at(UnixName::Path("x".into()), Some(1))),
        set("a", "SOL_SOCKET", "SO_PASSCRED", Value::Int(1)),
        send(Some(path("a.sock")), control),
        receive(),
        Op::Sendto { fd: "b".into(), data: x(), flags: flags(), addr: path("a.sock") },
        receive(),
    ];
    case("unix", Lab::loopback(), ops)
}
