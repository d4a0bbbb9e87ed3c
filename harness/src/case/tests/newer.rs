//! Any of the calls that came after the first.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::addr::{Host, Netlink, Packet, Range, Role, Unix, UnixName, Vsock};
use super::super::op::{Index, PollFd};
use super::super::process::{Capability, Disposition, ProcessCall, Resource, Signal};
use super::super::{Hex, LabOp, Op};
use super::{address, control, flags, name, payload, sym, who};

pub(super) fn host() -> impl Strategy<Value = Host> {
    let role = select(vec![Role::Own, Role::Neighbour, Role::Unresolved, Role::Silent]);
    let range = select(vec![Range::Ll, Range::V6, Range::V4]);
    let some = || option::of(any::<u32>());
    prop_oneof![
        any::<std::net::IpAddr>().prop_map(Host::Ip),
        (name(), role, range).prop_map(|(link, role, range)| Host::On { link, role, range }),
        "[a-z./\0]{0,4}".prop_map(|name| Host::Unix(Unix::new(UnixName::Path(name)))),
        (any::<u16>(), vec(any::<u8>(), 0..10), some())
            .prop_map(|(proto, addr, len)| Host::Packet(Packet { proto, addr: Hex(addr), len })),
        (any::<u32>(), some(), some()).prop_map(|(cid, port, len)| Host::Vsock(Vsock {
            cid,
            port,
            len
        })),
        (option::of(who()), any::<u32>(), some())
            .prop_map(|(pid, groups, len)| Host::Netlink(Netlink { pid, groups, len })),
    ]
}

fn polled() -> impl Strategy<Value = Vec<PollFd>> {
    vec((name(), flags()).prop_map(|(fd, events)| PollFd { fd, events }), 0..3)
}

fn time() -> impl Strategy<Value = Option<u32>> {
    option::of(any::<u32>())
}

fn mask() -> impl Strategy<Value = Option<Vec<Signal>>> {
    option::of(vec(select(Signal::ALL), 0..3))
}

/// What makes a descriptor.
fn makes() -> impl Strategy<Value = Op> {
    prop_oneof![
        (name(), name(), flags()).prop_map(|(fd, new, flags)| Op::Accept4 { fd, new, flags }),
        (name(), name()).prop_map(|(fd, new)| Op::Dup { fd, new }),
        (name(), name()).prop_map(|(read, write)| Op::Pipe { read, write }),
        (name(), payload()).prop_map(|(new, data)| Op::File { new, data }),
        (name(), flags()).prop_map(|(new, flags)| Op::EpollCreate1 { new, flags }),
    ]
}

/// What is done to files.
fn files() -> impl Strategy<Value = Op> {
    let path = || "[a-z./]{0,4}";
    prop_oneof![
        (path(), any::<u32>()).prop_map(|(path, mode)| Op::Mkdir { path, mode }),
        (path(), any::<u32>()).prop_map(|(path, mode)| Op::Chmod { path, mode }),
        path().prop_map(|path| Op::Unlink { path }),
        (path(), path()).prop_map(|(target, path)| Op::Symlink { target, path }),
        Just(Op::Lab { step: LabOp::ReadOnly {} }),
    ]
}

/// What takes data.
fn transfers() -> impl Strategy<Value = Op> {
    prop_oneof![
        (name(), vec(payload(), 0..3)).prop_map(|(fd, data)| Op::Writev { fd, data }),
        (name(), vec(any::<u32>(), 0..3)).prop_map(|(fd, lens)| Op::Readv { fd, lens }),
        (
            name(),
            vec(payload(), 0..3),
            flags(),
            option::of(address()),
            vec(vec(control(), 0..2), 0..3)
        )
            .prop_map(|(fd, data, flags, addr, control)| Op::Sendmmsg {
                fd,
                data,
                flags,
                addr,
                control
            }),
        (name(), any::<[u32; 3]>(), flags(), time()).prop_map(
            |(fd, [count, len, control_len], flags, timeout_ms)| {
                Op::Recvmmsg { fd, count, len, control_len, flags, timeout_ms }
            }
        ),
        (name(), name(), option::of(any::<i64>()), any::<u32>())
            .prop_map(|(fd, file, offset, count)| Op::Sendfile { fd, file, offset, count }),
        (name(), name(), any::<u32>(), flags()).prop_map(|(from, to, count, flags)| Op::Splice {
            from,
            to,
            count,
            flags
        }),
        name().prop_map(|fd| Op::Sockatmark { fd }),
    ]
}

/// What waits, or tells of interfaces.
fn waits() -> impl Strategy<Value = Op> {
    let sets = || (vec(name(), 0..3), vec(name(), 0..3), vec(name(), 0..3), time());
    prop_oneof![
        (polled(), time(), mask()).prop_map(|(fds, timeout_ms, mask)| Op::Ppoll {
            fds,
            timeout_ms,
            mask
        }),
        sets().prop_map(|(read, write, except, timeout_ms)| {
            Op::Select { read, write, except, timeout_ms }
        }),
        (sets(), mask()).prop_map(|((read, write, except, timeout_ms), mask)| {
            Op::Pselect { read, write, except, timeout_ms, mask }
        }),
        (name(), any::<u32>(), any::<i32>(), mask()).prop_map(|(fd, max, timeout_ms, mask)| {
            Op::EpollPwait { fd, max, timeout_ms, mask }
        }),
        (name(), sym(), name(), flags()).prop_map(|(fd, op, target, events)| Op::EpollCtl {
            fd,
            op,
            target,
            events
        }),
        (name(), any::<u32>(), any::<i32>()).prop_map(|(fd, max, timeout_ms)| Op::EpollWait {
            fd,
            max,
            timeout_ms
        }),
        ".*".prop_map(|name| Op::IfNametoindex { name }),
        name().prop_map(|link| Op::IfIndextoname { index: Index::Of(link) }),
        any::<u32>().prop_map(|number| Op::IfIndextoname { index: Index::Is(number) }),
        Just(Op::Getifaddrs {}),
    ]
}

/// What is about the process.
fn process() -> impl Strategy<Value = Op> {
    let signal = || select(Signal::ALL);
    let call = prop_oneof![
        (signal(), select(Disposition::ALL))
            .prop_map(|(signal, how)| ProcessCall::Sigaction { signal, how }),
        (name(), signal()).prop_map(|(thread, signal)| ProcessCall::PthreadKill { thread, signal }),
        (select(Resource::ALL), any::<u32>())
            .prop_map(|(resource, soft)| ProcessCall::Setrlimit { resource, soft }),
        vec(select(Capability::ALL), 0..4).prop_map(|without| ProcessCall::Capset { without }),
        any::<u32>().prop_map(|uid| ProcessCall::Seteuid { uid }),
    ];
    call.prop_map(|call| Op::Process { call })
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    prop_oneof![makes(), transfers(), waits(), files(), process()]
}
