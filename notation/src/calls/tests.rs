//! The calls that came after the first read back as they were.

use harness::case::addr::{
    Addr, Host, Netlink, Packet, Port, Range, Role, Scope, Unix, UnixName, Vsock,
};
use harness::case::op::{Control, Index, Opt, PollFd, Value, Who};
use harness::case::process::{Capability, Disposition, ProcessCall, Resource, Signal};
use harness::case::raw::{Arg, CALLS, Message, Part, Place};
use harness::case::vsock::CID_LOCAL;
use harness::case::{Case, Flags, Hex, KNOWN, Lab, LabOp, LinkKind, Op, Payload, Sym};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use rstest::rstest;

use crate::{print, read, render};

mod newer;

/// Names of descriptors, each of which is made before.
const MADE: [&str; 4] = ["s", "r", "w", "except"];

fn fd() -> impl Strategy<Value = String> {
    select(&MADE[..]).prop_map(str::to_owned)
}

fn fds() -> impl Strategy<Value = Vec<String>> {
    vec(fd(), 0..3)
}

fn new() -> impl Strategy<Value = String> {
    select(&["s", "n", "in", "NULL1"][..]).prop_map(str::to_owned)
}

fn sym() -> impl Strategy<Value = Sym> {
    select(KNOWN).prop_map(Sym::from)
}

fn flags() -> impl Strategy<Value = Flags> {
    vec(sym(), 0..3).prop_map(Flags)
}

/// A name, or a number that has none.
fn numbered() -> impl Strategy<Value = Sym> {
    prop_oneof![sym(), select(&["44", "0x2c", "0x40000000", "2147483647"][..]).prop_map(Sym::from)]
}

/// What takes numbers for names.
fn by_number() -> impl Strategy<Value = Op> {
    let level = || prop_oneof![numbered(), Just(Sym::from("0"))];
    let option = || (level(), level()).prop_map(|(level, name)| Opt::Raw { level, name });
    let flags = || vec(numbered(), 0..3).prop_map(Flags);
    prop_oneof![
        (fd(), option()).prop_map(|(fd, option)| Op::Getsockopt { fd, option, len: 4 }),
        (fd(), option(), any::<i32>()).prop_map(|(fd, option, n)| Op::Setsockopt {
            fd,
            option,
            value: Value::Int(n)
        }),
        (new(), flags()).prop_map(|(fd, protocol)| Op::Socket {
            fd,
            domain: "AF_INET".into(),
            r#type: Flags::of(&["SOCK_RAW"]),
            protocol
        }),
        (fd(), payload(), flags()).prop_map(|(fd, data, flags)| Op::Send { fd, data, flags }),
        (fd(), flags()).prop_map(|(fd, flags)| Op::Recv { fd, len: 4, flags }),
    ]
}

fn payload() -> impl Strategy<Value = Payload> {
    prop_oneof![
        "[ -\u{ff}]{0,8}".prop_map(Payload::Text),
        r#"["\\\[\]{},0n\x00]{0,6}"#.prop_map(Payload::Text),
        (0u32..100).prop_map(Payload::Pattern)
    ]
}

fn time() -> impl Strategy<Value = Option<u32>> {
    option::of(0u32..100_000)
}

fn polled() -> impl Strategy<Value = Vec<PollFd>> {
    vec((fd(), flags()).prop_map(|(fd, events)| PollFd { fd, events }), 0..3)
}

/// What makes a descriptor, or leads data.
fn transfers() -> impl Strategy<Value = Op> {
    prop_oneof![
        (fd(), new(), flags()).prop_map(|(fd, new, flags)| Op::Accept4 { fd, new, flags }),
        (fd(), new()).prop_map(|(fd, new)| Op::Dup { fd, new }),
        (new(), new()).prop_map(|(read, write)| Op::Pipe { read, write }),
        (new(), payload()).prop_map(|(new, data)| Op::File { new, data }),
        (new(), flags()).prop_map(|(new, flags)| Op::EpollCreate1 { new, flags }),
        (fd(), vec(payload(), 0..4)).prop_map(|(fd, data)| Op::Writev { fd, data }),
        (fd(), vec(0u32..1000, 0..4)).prop_map(|(fd, lens)| Op::Readv { fd, lens }),
        (fd(), vec(payload(), 0..4), flags(), any::<bool>()).prop_map(|(fd, data, flags, told)| {
            let one = Control::int("IPPROTO_IP", "IP_TTL", 9);
            let of = |at: usize| if at == 0 { vec![one.clone()] } else { Vec::new() };
            let control = if told { (0..data.len()).map(of).collect() } else { Vec::new() };
            Op::Sendmmsg { fd, data, flags, addr: None, control }
        }),
        (fd(), any::<[u8; 3]>(), flags(), time()).prop_map(
            |(fd, [count, len, control_len], flags, timeout_ms)| {
                let (count, len, control_len) = (count.into(), len.into(), control_len.into());
                Op::Recvmmsg { fd, count, len, control_len, flags, timeout_ms }
            }
        ),
        (fd(), fd(), option::of(any::<i64>()), 0..1_000_000u32)
            .prop_map(|(fd, file, offset, count)| Op::Sendfile { fd, file, offset, count }),
        (fd(), fd(), 0..1_000_000u32, flags()).prop_map(|(from, to, count, flags)| Op::Splice {
            from,
            to,
            count,
            flags
        }),
    ]
}

fn path() -> impl Strategy<Value = String> {
    "[a-z_][a-z.-]{0,3}(/[a-z0-9]{1,3}){0,2}"
}

/// What is done to files.
fn files() -> impl Strategy<Value = Op> {
    let mode = || 0u32..0o1000;
    prop_oneof![
        (path(), mode()).prop_map(|(path, mode)| Op::Mkdir { path, mode }),
        (path(), mode()).prop_map(|(path, mode)| Op::Chmod { path, mode }),
        path().prop_map(|path| Op::Unlink { path }),
        (path(), path()).prop_map(|(target, path)| Op::Symlink { target, path }),
        Just(Op::Lab { step: LabOp::ReadOnly {} }),
    ]
}

fn mask() -> impl Strategy<Value = Option<Vec<Signal>>> {
    option::of(subsequence(Signal::ALL, 0..4))
}

/// What waits, or tells.
fn others() -> impl Strategy<Value = Op> {
    prop_oneof![
        fd().prop_map(|fd| Op::Sockatmark { fd }),
        (polled(), time(), mask()).prop_map(|(fds, timeout_ms, mask)| Op::Ppoll {
            fds,
            timeout_ms,
            mask
        }),
        (fds(), fds(), fds(), time()).prop_map(|(read, write, except, timeout_ms)| {
            Op::Select { read, write, except, timeout_ms }
        }),
        (fds(), fds(), fds(), time(), mask()).prop_map(
            |(read, write, except, timeout_ms, mask)| {
                Op::Pselect { read, write, except, timeout_ms, mask }
            }
        ),
        (fd(), 0u32..1024, -9i32..100_000, mask()).prop_map(|(fd, max, timeout_ms, mask)| {
            Op::EpollPwait { fd, max, timeout_ms, mask }
        }),
        (fd(), sym(), fd(), flags()).prop_map(|(fd, op, target, events)| Op::EpollCtl {
            fd,
            op,
            target,
            events
        }),
        (fd(), 0u32..1024, -9i32..100_000).prop_map(|(fd, max, timeout_ms)| Op::EpollWait {
            fd,
            max,
            timeout_ms
        }),
        prop_oneof!["[ -~]{0,20}", "[a-z0-9]{1,15}"].prop_map(|name| Op::IfNametoindex { name }),
        select(&["net0", "lo"][..])
            .prop_map(|link| Op::IfIndextoname { index: Index::Of(link.to_owned()) }),
        any::<u32>().prop_map(|number| Op::IfIndextoname { index: Index::Is(number) }),
        Just(Op::Getifaddrs {}),
    ]
}

/// What is about the process, in a case without links.
fn process() -> impl Strategy<Value = Op> {
    let call = prop_oneof![
        (select(Signal::ALL), select(Disposition::ALL))
            .prop_map(|(signal, how)| ProcessCall::Sigaction { signal, how }),
        (select(Resource::ALL), 0u32..=1024)
            .prop_map(|(resource, soft)| ProcessCall::Setrlimit { resource, soft }),
        vec(select(Capability::ALL), 0..4).prop_map(|without| ProcessCall::Capset { without }),
    ];
    call.prop_map(|call| Op::Process { call })
}

/// An address of IP, whose family may be another's.
fn addr() -> impl Strategy<Value = Addr> {
    let role = select(&[Role::Own, Role::Neighbour, Role::Unresolved, Role::Silent][..]);
    let range = select(&[Range::Ll, Range::V6, Range::V4][..]);
    let host = prop_oneof![
        any::<std::net::IpAddr>().prop_map(Host::Ip),
        (role, range).prop_map(|(role, range)| Host::On { link: "net0".to_owned(), role, range }),
    ];
    let port = prop_oneof![any::<u16>().prop_map(Port::Is), fd().prop_map(Port::Of)];
    let scope = prop_oneof![
        Just(Scope::Zero),
        Just(Scope::Link("net0".to_owned())),
        any::<u32>().prop_map(Scope::Id)
    ];
    let family = select(&["AF_INET", "AF_INET6", "AF_UNIX", "AF_UNSPEC", "AF_PACKET"][..]);
    let of_ip = (host, port, scope, option::of(family)).prop_map(|(host, port, scope, family)| {
        let is_v4 =
            matches!(host, Host::Ip(std::net::IpAddr::V4(_)) | Host::On { range: Range::V4, .. });
        let natural = if is_v4 { "AF_INET" } else { "AF_INET6" };
        // What it is anyway need not be said.
        let family = family.filter(|family| *family != natural).map(Sym::from);
        Addr { host, port, scope, family }
    });
    let name = prop_oneof![
        Just(UnixName::Unnamed),
        Just(UnixName::Path("a.sock".to_owned())),
        Just(UnixName::Abstract("b".to_owned()))
    ];
    let unix = (name, option::of(0u32..200)).prop_map(|(name, len)| Addr::unix(Unix { name, len }));
    let scope = prop_oneof![
        Just(Scope::Zero),
        Just(Scope::Link("net0".to_owned())),
        any::<u32>().prop_map(Scope::Id)
    ];
    let packet = (any::<u16>(), scope, vec(any::<u8>(), 0..9), option::of(0u32..21)).prop_map(
        |(proto, scope, addr, len)| {
            let host = Host::Packet(Packet { proto, addr: Hex(addr), len });
            Addr { host, port: Port::Is(0), scope, family: None }
        },
    );
    prop_oneof![3 => of_ip, 1 => unix, 1 => packet, 1 => machine(), 1 => process_of()]
}

/// An address of another family, with a number of its own or a socket's.
fn wide(host: Host, port: Option<String>) -> Addr {
    let port = port.map_or(Port::Is(0), Port::Of);
    Addr { host, port, scope: Scope::Zero, family: None }
}

/// One of `AF_VSOCK` that a case may send to.
fn machine() -> impl Strategy<Value = Addr> {
    (1u32 << 16..u32::MAX, option::of(fd()), option::of(0u32..17)).prop_map(|(port, of, len)| {
        let port = of.is_none().then_some(port);
        wide(Host::Vsock(Vsock { cid: CID_LOCAL, port, len }), of)
    })
}

/// One of `AF_NETLINK` that a case may send to.
fn process_of() -> impl Strategy<Value = Addr> {
    (any::<u32>(), option::of(fd()), option::of(0u32..13)).prop_map(|(groups, of, len)| {
        let pid = of.is_none().then_some(Who::Is(0));
        wide(Host::Netlink(Netlink { pid, groups, len }), of)
    })
}

fn length() -> impl Strategy<Value = i64> {
    prop_oneof![Just(-1), 0i64..1000, 0i64..65_537]
}

fn nowhere() -> impl Strategy<Value = Arg> {
    select(&[Arg::Null, Arg::Bad, Arg::Room][..])
}

fn part() -> impl Strategy<Value = Part> {
    let base = prop_oneof![
        nowhere(),
        vec(any::<u8>(), 1..12).prop_map(|bytes| Arg::Bytes(Hex(bytes))),
        vec(any::<u8>(), 1..12).prop_map(|bytes| Arg::Edge(Hex(bytes))),
    ];
    (base, length()).prop_map(|(base, len)| Part { base, len })
}

/// One that is let in as a rule.
fn message() -> impl Strategy<Value = Message> {
    let rights = vec(fd(), 1..3).prop_map(|fds| Control::Rights { fds });
    let int = (any::<i32>()).prop_map(|value| Control::int("IPPROTO_IP", "IP_TTL", value));
    let controls = vec(prop_oneof![rights, int], 1..3).prop_map(|all| (Arg::Null, all));
    let control = prop_oneof![nowhere().prop_map(|control| (control, Vec::new())), controls];
    let (name, iov) = (addr().prop_map(Arg::Addr), vec(part(), 1..4).prop_map(Arg::Parts));
    (
        (prop_oneof![nowhere(), name], option::of(length())),
        (prop_oneof![1 => nowhere(), 3 => iov], option::of(0i64..1100)),
        (control, option::of(length())),
    )
        .prop_map(|((name, namelen), (iov, iovlen), ((control, controls), controllen))| {
            Message { name, namelen, iov, iovlen, control, controls, controllen }
        })
}

/// An argument of its kind, or of another.
fn arg(place: Place) -> BoxedStrategy<Arg> {
    let pointer = prop_oneof![
        Just(Arg::Null),
        Just(Arg::Bad),
        Just(Arg::Room),
        vec(any::<u8>(), 0..12).prop_map(|bytes| Arg::Bytes(Hex(bytes))),
        addr().prop_map(Arg::Addr),
        vec(any::<u8>(), 1..12).prop_map(|bytes| Arg::Edge(Hex(bytes))),
        vec(part(), 0..4).prop_map(Arg::Parts),
        message().prop_map(|message| Arg::Message(Box::new(message))),
    ];
    let number = || length().prop_map(Arg::Number);
    match place {
        Place::Fd => fd().prop_map(Arg::Fd).boxed(),
        Place::Names => flags().prop_map(Arg::Names).boxed(),
        Place::Pointer => pointer.boxed(),
        Place::LenAt => {
            prop_oneof![Just(Arg::Null), Just(Arg::Bad), (-1i32..65_537).prop_map(Arg::At)].boxed()
        }
        Place::Len | Place::Size => number().boxed(),
        Place::Number => {
            prop_oneof![number(), any::<i32>().prop_map(|n| Arg::Number(n.into()))].boxed()
        }
    }
}

/// A call with all its arguments.
fn written_out() -> impl Strategy<Value = Op> {
    select(CALLS).prop_flat_map(|(call, places)| {
        let args: Vec<BoxedStrategy<Arg>> = places.iter().map(|place| arg(*place)).collect();
        args.prop_map(move |args| Op::Raw { call: call.to_owned(), args })
    })
}

fn case(ops: Vec<Op>) -> Case {
    let flags = Flags::of(&["SOCK_DGRAM"]);
    let made = |name: &str| Op::Socket {
        fd: name.to_owned(),
        domain: "AF_INET".into(),
        r#type: flags.clone(),
        protocol: Flags::NONE,
    };
    let ops = MADE.iter().map(|name| made(name)).chain(ops).collect();
    Case::new("calls/case", "", Lab::one(LinkKind::Tun, "net0"), ops)
}

/// What is said of a call that cannot be read.
fn refused(call: &str) -> String {
    let text = format!("{}{call}\n", print(&case(Vec::new())));
    let faults = read("calls", &text).expect_err(call);
    render(&faults, "calls", &text, false)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_call_reads_back(ops in vec(prop_oneof![transfers(), others(), files(), by_number()], 1..4)) {
        let case = case(ops);
        prop_assert_eq!(case.check(), Ok(()));
        let text = print(&case);
        match read("calls", &text) {
            Ok(read) => {
                prop_assert_eq!(read.len(), 1, "{}", text);
                prop_assert_eq!(&read[0].case, &case, "{}", text);
            }
            Err(faults) => prop_assert!(false, "{}", render(&faults, "calls", &text, false)),
        }
    }

    #[test]
    fn the_process_reads_back(ops in vec(process(), 1..4)) {
        let case = Case::new("calls/case", "", Lab::loopback(), ops);
        prop_assert_eq!(case.check(), Ok(()));
        let text = print(&case);
        match read("calls", &text) {
            Ok(read) => prop_assert_eq!(&read[0].case, &case, "{}", text),
            Err(faults) => prop_assert!(false, "{}", render(&faults, "calls", &text, false)),
        }
    }

    /// Whatever the case lets in.
    #[test]
    fn what_is_written_out_reads_back(ops in vec(written_out(), 1..6)) {
        let is_let_in = |op: &Op| case(vec![op.clone()]).check().is_ok();
        let case = case(ops.into_iter().filter(is_let_in).collect());
        let text = print(&case);
        match read("calls", &text) {
            Ok(read) => prop_assert_eq!(&read[0].case, &case, "{}", text),
            Err(faults) => prop_assert!(false, "{}", render(&faults, "calls", &text, false)),
        }
    }
}

#[rstest]
#[case("getsockopt(s, IPPROTO_TCP, -1)")]
#[case("getsockopt(s, IPPROTO_TCP, 2147483648)")]
#[case("getsockopt(s, IPPROTO_TCP, 0x0000000001)")]
#[case("recv(s, 4, MSG_DONTWAIT|\"x\")")]
#[case("ioctl(s, 0x8905)")]
fn a_number_stands_for_a_name_where_it_may(#[case] call: &str) {
    let said = refused(call);
    assert!(said.contains("name"), "{said}");
}

/// A call in its own form is none that is written out.
#[rstest]
#[case("recv(s, 10, 0)")]
#[case("recvmsg(s, {msg_iov=[64]}, 0)")]
#[case("recvmsg(s, {msg_iov=[64], msg_controllen=100}, 0)")]
#[case("sendmsg(s, {msg_iov=[\"x\", 1], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [s]}]}, 0)")]
#[case("sendmmsg(s, [{msg_iov=[\"x\", 1]}], 1, 0)")]
#[case("recvmmsg(s, {msg_iov=[64]}, 2, 0, NULL)")]
#[case("epoll_wait(s, 1, -1)")]
#[case("sendfile(s, r, NULL, 4)")]
#[case("sendfile(s, r, [2], 4)")]
#[case("epoll_ctl(s, EPOLL_CTL_ADD, r, {events=EPOLLIN})")]
#[case("select([s], NULL, NULL, NULL)")]
#[case("ppoll([{s, POLLIN}], NULL, NULL)")]
#[case("send(s, \"x\", 1, 0)")]
#[case("write(s, \"x\", 1)")]
#[case("readv(s, [4, 8], 2)")]
#[case("writev(s, [{\"x\", 1}], 1)")]
#[case("poll([{s, POLLIN}], 10)")]
#[case("ioctl(s, SIOCGIFMTU, {ifr_name=\"net0\"})")]
#[case("getsockopt(s, SOL_SOCKET, SO_TYPE, 5)")]
fn what_is_not_written_out_is_in_its_own_form(#[case] call: &str) {
    let text = format!("{}{call}\n", print(&case(Vec::new())));
    let read = read("calls", &text)
        .unwrap_or_else(|faults| panic!("{}", render(&faults, "calls", &text, false)));
    let last = read[0].case.ops.last().expect("a step");
    assert!(!matches!(last, Op::Raw { .. }), "{last:?}");
    assert!(
        print(&read[0].case).ends_with(&text[text.len() - call.len() - 1..]),
        "{}",
        print(&read[0].case)
    );
}

/// As they are bound, and what has no such form.
#[rstest]
#[case("bind(s, {AF_VSOCK VMADDR_CID_ANY:VMADDR_PORT_ANY})", "")]
#[case("bind(s, {AF_VSOCK VMADDR_CID_LOCAL:70000 length 12})", "")]
#[case("bind(s, {AF_VSOCK 1:70000})", "")]
#[case("connect(s, {AF_VSOCK VMADDR_CID_LOCAL:port(s)})", "")]
#[case("connect(s, {AF_VSOCK VMADDR_CID_HOST:70000})", "VMADDR_CID_HOST is beyond the lab")]
#[case("connect(s, {AF_VSOCK 3:70000})", "3 is beyond the lab")]
#[case("bind(s, {AF_VSOCK VMADDR_CID_HOST:VMADDR_PORT_ANY})", "is beyond the lab")]
#[case("bind(s, {AF_VSOCK VMADDR_CID_ANY:1234})", "port 1234 may be a service's")]
#[case("bind(s, {AF_VSOCK VMADDR_CID_OWN:70000})", "no machine is called VMADDR_CID_OWN")]
#[case("bind(s, {AF_VSOCK VMADDR_CID_ANY})", "an address such as {AF_VSOCK")]
#[case("bind(s, {AF_NETLINK pid own groups 0})", "")]
#[case("bind(s, {AF_NETLINK pid 77 groups 3 length 8})", "")]
#[case("connect(s, {AF_NETLINK pid port(s) groups 0})", "")]
#[case("connect(s, {AF_NETLINK pid own groups 0})", "pid own may be somebody else's")]
#[case("sendto(s, \"x\", 0, {AF_NETLINK pid 1 groups 0})", "pid 1 may be somebody else's")]
#[case("bind(s, {AF_NETLINK pid 0})", "an address such as {AF_NETLINK pid 0 groups 0}")]
#[case("bind(s, {AF_NETLINK 0 0 groups 0})", "an address such as {AF_NETLINK pid 0 groups 0}")]
fn machines_and_processes_have_their_form(#[case] call: &str, #[case] why: &str) {
    let text = format!("{}{call}\n", print(&case(Vec::new())));
    match (read("calls", &text), why) {
        (Ok(read), "") => {
            let printed = print(&read[0].case);
            let call = call.replace("AF_VSOCK 1:", "AF_VSOCK VMADDR_CID_LOCAL:");
            assert!(printed.ends_with(&format!("{call}\n")), "{printed}");
        }
        (Err(faults), why) if !why.is_empty() => {
            let said = render(&faults, "calls", &text, false);
            assert!(said.contains(why), "{said}");
        }
        (read, why) => panic!("{read:?}, and it was to be {why:?}"),
    }
}

/// In whichever way the pointers and lengths are written, what is printed is one way.
#[rstest]
#[case("sendmsg(s, {msg_iov=[\"ab\", {BAD, 4}]}, 0)", "{msg_iov=[{0x6162, 2}, {BAD, 4}]}")]
#[case(
    "sendmsg(s, {msg_name=BAD, msg_namelen=16, msg_iov=[\"x\"]}, 0)",
    "msg_namelen=16, msg_iov=[{0x78, 1}]}"
)]
#[case(
    "sendmsg(s, {msg_name={AF_INET 127.0.0.1:9}, msg_namelen=-1, msg_iov=[\"x\"]}, 0)",
    "9}, msg_namelen=-1, msg_iov"
)]
#[case("sendmsg(s, {msg_iov=[{\"abc\" BAD, 4096}]}, 0)", "{msg_iov=[{0x616263 BAD, 4096}]}")]
#[case("sendmsg(s, {msg_iov=NULL, msg_iovlen=1025}, 0)", "{msg_iov=NULL, msg_iovlen=1025}")]
#[case(
    "sendmsg(s, {msg_iov=[\"x\"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [s]}], msg_controllen=3}, 0)",
    "[s]}], msg_controllen=3}"
)]
#[case(
    "recvmsg(s, {msg_iov=[{ROOM, 8}], msg_control=BAD, msg_controllen=64}, 0)",
    "msg_control=BAD, msg_controllen=64}"
)]
#[case("writev(s, [{\"ab\", 2}, {BAD, 1}], 2)", "[{0x6162, 2}, {BAD, 1}], 2")]
#[case("send(s, \"abc\" BAD, 4096, 0)", "(s, 0x616263 BAD, 4096, 0)")]
#[case("recvmmsg(s, BAD, 1, 0, NULL)", "(s, BAD, 1, 0, NULL)")]
#[case("epoll_wait(s, BAD, 1, -1)", "(s, BAD, 1, -1)")]
#[case("sendfile(s, r, BAD, 4)", "(s, r, BAD, 4)")]
fn pointers_within_are_read(#[case] call: &str, #[case] printed: &str) {
    let text = format!("{}{call}\n", print(&case(Vec::new())));
    let read = read("calls", &text)
        .unwrap_or_else(|faults| panic!("{}", render(&faults, "calls", &text, false)));
    assert!(matches!(read[0].case.ops.last(), Some(Op::Raw { .. })));
    assert!(print(&read[0].case).contains(printed), "{}", print(&read[0].case));
}

/// What would reach the executor's memory or descriptors, and what is half of a structure.
#[rstest]
#[case("sendmsg(s, {msg_name=BAD, msg_iov=[\"x\"]}, 0)", "msg_namelen is missing")]
#[case("sendmsg(s, {msg_iov=BAD}, 0)", "msg_iovlen is missing")]
#[case("recvmsg(s, {msg_iov=[{ROOM, 65537}]}, 0)", "the length of a part")]
#[case("recvmsg(s, {msg_iov=[{ROOM, -1}]}, 0)", "the length of a part")]
#[case(
    "recvmsg(s, {msg_iov=[{ROOM, 8}], msg_control=ROOM, msg_controllen=-1}, 0)",
    "msg_controllen is 0 to"
)]
#[case("sendmsg(s, {msg_iov=[BAD]}, 0)", "a part such as {BAD, 4}")]
#[case("sendmsg(s, {msg_iov=[{BAD, 4}], msg_control=0x10}, 0)", "msg_control is NULL, BAD, ROOM")]
#[case("sendmsg(s, {msg_iov=[{BAD, 4}], msg_flags=0}, 0)", "no field msg_flags")]
#[case("sendmsg(s, {msg_iov=[], msg_iovlen=1}, 0)", "no parts at all are NULL")]
#[case("bind(s, \"abc\" BAD, 16)", "no such structure")]
#[case("epoll_ctl(s, EPOLL_CTL_ADD, r, ROOM)", "is NULL or BAD")]
#[case("ppoll(ROOM, 1, NULL, NULL)", "is NULL or BAD")]
#[case("select(1, NULL, NULL, NULL, BAD)", "its time is NULL or ROOM")]
#[case("accept4(s, NULL, NULL, 0)", "a descriptor that it gives")]
fn pointers_within_that_are_refused(#[case] call: &str, #[case] why: &str) {
    let said = refused(call);
    assert!(said.contains(why), "{said}");
}

/// Who leaves an argument out is told that all are wanted.
#[test]
fn half_of_a_call_that_is_written_out_is_told() {
    let said = refused("recv(s, BAD, 4)");
    assert!(said.contains("recv has 4 arguments"), "{said}");
}

/// A signal that ends the executor, a right that is none of a socket's, a thread that has not begun: a stranger's words.
#[rstest]
#[case("sigaction(SIGKILL, 0)", "SIGKILL is no word for a signal")]
#[case("sigaction(SIGUSR1, SIG_DFL)", "SIG_DFL is no word for 0, SA_RESTART or SIG_IGN")]
#[case("sigaction(SIGUSR1)", "sigaction wants 0, SA_RESTART or SIG_IGN here")]
#[case("setrlimit(RLIMIT_CPU, 1)", "RLIMIT_CPU is no word for a resource")]
#[case("capset({without=CAP_SYS_BOOT})", "CAP_SYS_BOOT is no word for a capability")]
#[case("capset({effective=CAP_NET_RAW})", "the field without is missing")]
#[case("seteuid(nobody)", "a user is expected here")]
#[case("seteuid(65535)", "seteuid: 65535, 65534 is the last")]
#[case("pthread_kill(t, SIGUSR1)", "pthread_kill: SIGUSR1 has no disposition before")]
fn no_other_word_is_read(#[case] call: &str, #[case] says: &str) {
    let faults = read("calls", &format!("{call}\n")).expect_err(call);
    let text = render(&faults, "calls", call, false);
    assert!(text.contains(says), "{text}");
}
