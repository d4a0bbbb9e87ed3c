//! Cases made by hand, which together use every step, value, control message and step of the lab.

#![allow(dead_code, reason = "each test file is a crate of its own, and none needs all of this")]

pub(crate) mod more;
pub(crate) mod names;
pub(crate) mod unix;

use harness::case::addr::{Addr, Host, Port, Range, Role, Scope};
use harness::case::far::{Error, Frame, Kind, Lie};
use harness::case::lab::{Link, RouteKind};
use harness::case::op::{Control, Intent, Opt, PollFd, Value};
use harness::case::{Case, Flags, Hex, Lab, LabOp, LinkKind, Op, Payload};

pub(crate) fn case(id: &str, lab: Lab, ops: Vec<Op>) -> Case {
    let title = format!("A reproducer of {id}: its comment may hold */ and /*");
    let id = format!("reports/{id}");
    let case = Case::new(id, title, lab, ops);
    case.check().unwrap();
    case
}

pub(crate) fn socket(fd: &str, domain: &'static str, kind: &'static str) -> Op {
    let (domain, r#type) = (domain.into(), Flags::of(&[kind]));
    Op::Socket { fd: fd.into(), domain, r#type, protocol: Flags::NONE }
}

pub(crate) fn raw(level: &'static str, name: &'static str) -> Opt {
    Opt::Raw { level: level.into(), name: name.into() }
}

pub(crate) fn get(fd: &str, level: &'static str, name: &'static str, len: u32) -> Op {
    Op::Getsockopt { fd: fd.into(), option: raw(level, name), len }
}

pub(crate) fn set(fd: &str, level: &'static str, name: &'static str, value: Value) -> Op {
    Op::Setsockopt { fd: fd.into(), option: raw(level, name), value }
}

pub(crate) fn text(text: &str) -> Payload {
    Payload::Text(text.into())
}

pub(crate) fn on(role: Role, range: Range) -> Addr {
    Addr::on("down0", role, range, 12345)
}

pub(crate) fn sendto(fd: &str, data: Payload, addr: Addr) -> Op {
    Op::Sendto { fd: fd.into(), data, flags: Flags::NONE, addr }
}

pub(crate) fn recv(fd: &str, len: u32, flags: &[&'static str]) -> Op {
    Op::Recv { fd: fd.into(), len, flags: Flags::of(flags) }
}

pub(crate) fn poll(fd: &str, events: &[&'static str], timeout_ms: i32) -> Op {
    let fds = vec![PollFd { fd: fd.into(), events: Flags::of(events) }];
    Op::Poll { fds, timeout_ms }
}

pub(crate) fn lab(step: LabOp) -> Op {
    Op::Lab { step }
}

pub(crate) fn of(socket: &str, ip: impl Into<std::net::IpAddr>) -> Addr {
    Addr { port: Port::Of(socket.into()), ..Addr::ip(ip, 0) }
}

pub(crate) fn down() -> LabOp {
    LabOp::LinkDown { link: "down0".into() }
}

const LO4: [u8; 4] = [127, 0, 0, 1];

/// The forum's program.
pub(crate) fn netdown() -> Case {
    let ops = vec![
        socket("s", "AF_INET6", "SOCK_DGRAM"),
        sendto("s", text("hello\0"), on(Role::Own, Range::Ll)),
        get("s", "SOL_SOCKET", "SO_ERROR", 4),
    ];
    case("netdown", Lab::one(LinkKind::Tap, "down0").with([down()]), ops)
}

/// Datagrams over loopback, and every way to receive them.
pub(crate) fn datagrams() -> Case {
    let fd = || "a".to_owned();
    let ops = vec![
        socket("a", "AF_INET", "SOCK_DGRAM"),
        Op::Bind { fd: fd(), addr: Addr::ip(LO4, 0) },
        Op::Getsockname { fd: fd() },
        socket("int", "AF_INET", "SOCK_DGRAM"),
        Op::Connect { fd: "int".into(), addr: of("a", LO4) },
        Op::Getpeername { fd: "int".into() },
        Op::Send { fd: "int".into(), data: text("one \"\\\u{ff}??/1\0"), flags: Flags::NONE },
        Op::Write { fd: "int".into(), data: Payload::Pattern(100) },
        sendto("int", Payload::Pattern(0), of("a", LO4)),
        poll("a", &["POLLIN", "POLLOUT"], 1000),
        recv("a", 3, &["MSG_PEEK", "MSG_TRUNC"]),
        Op::Recvfrom { fd: fd(), len: 64, flags: Flags::NONE },
        Op::Read { fd: fd(), len: 64 },
        Op::Recvmsg { fd: fd(), len: 64, lens: Vec::new(), control_len: 0, flags: Flags::NONE },
        recv("a", 0, &["MSG_DONTWAIT"]),
        set("a", "IPPROTO_IP", "IP_PKTINFO", Value::Int(1)),
        Op::Sendmsg {
            fd: "int".into(),
            data: Payload::Pattern(70),
            flags: Flags::NONE,
            addr: None,
            control: vec![
                Control::PktInfo { level: "IPPROTO_IP".into(), link: None, source: None },
                Control::int("IPPROTO_IP", "IP_TTL", 9),
                Control::Int {
                    level: "IPPROTO_IP".into(),
                    name: "IP_TOS".into(),
                    value: 2,
                    width: 1,
                },
            ],
        },
        Op::Ioctl { fd: fd(), request: "FIONREAD".into(), link: None, given: None },
        Op::Recvmsg { fd: fd(), len: 64, lens: Vec::new(), control_len: 128, flags: Flags::NONE },
        Op::Close { fd: fd() },
        recv("a", 1, &[]),
        Op::Poll { fds: Vec::new(), timeout_ms: 1 },
        Op::Connect {
            fd: "int".into(),
            addr: Addr { family: Some("AF_UNSPEC".into()), ..Addr::ip(LO4, 0) },
        },
        sendto("int", text(""), Addr::ip(LO4, 9)),
    ];
    case("datagrams", Lab::loopback(), ops)
}

/// TCP over loopback to a reset connection and SIGPIPE, and a pair of sockets.
pub(crate) fn streams() -> Case {
    let linger = Value::Linger { on: 1, seconds: 0 };
    let ops = vec![
        socket("l", "AF_INET6", "SOCK_STREAM"),
        Op::Bind { fd: "l".into(), addr: Addr::ip(std::net::Ipv6Addr::LOCALHOST, 0) },
        Op::Listen { fd: "l".into(), backlog: 5 },
        socket("c", "AF_INET6", "SOCK_STREAM"),
        Op::Connect { fd: "c".into(), addr: of("l", std::net::Ipv6Addr::LOCALHOST) },
        Op::Accept { fd: "l".into(), new: "n".into() },
        Op::Send { fd: "c".into(), data: text("hello"), flags: Flags::of(&["MSG_NOSIGNAL"]) },
        recv("n", 100, &[]),
        Op::Shutdown { fd: "c".into(), how: "SHUT_WR".into() },
        recv("n", 100, &[]),
        Op::Write { fd: "c".into(), data: text("late") },
        poll("n", &["POLLIN", "POLLRDHUP"], -1),
        set("n", "SOL_SOCKET", "SO_LINGER", linger),
        Op::Close { fd: "n".into() },
        get("c", "SOL_SOCKET", "SO_ERROR", 4),
        Op::Socketpair {
            a: "a".into(),
            b: "b".into(),
            domain: "AF_UNIX".into(),
            r#type: Flags::of(&["SOCK_STREAM", "SOCK_CLOEXEC"]),
            protocol: Flags::NONE,
        },
        Op::Getsockname { fd: "b".into() },
        Op::Fcntl {
            fd: "a".into(),
            cmd: "F_SETFL".into(),
            arg: Flags::of(&["O_NONBLOCK"]),
            pid: None,
        },
        Op::Fcntl { fd: "a".into(), cmd: "F_GETFL".into(), arg: Flags::NONE, pid: None },
        recv("a", 1, &[]),
        recv("b", 1, &[]),
        Op::Getsockname { fd: "b".into() },
    ];
    case("streams", Lab::loopback(), ops)
}

/// Every kind of value that an option takes.
pub(crate) fn options() -> Case {
    let link = || Value::Link("down0".into());
    let group = |ip: &str, link: bool| Value::Membership {
        group: ip.parse().unwrap(),
        link: link.then(|| "down0".to_owned()),
    };
    let own4 = Host::own4("down0");
    let intent = |fd: &str, intent, value| Op::Setsockopt {
        fd: fd.into(),
        option: Opt::Intent(intent),
        value,
    };
    let mut ops = vec![
        socket("u", "AF_INET", "SOCK_DGRAM"),
        socket("v", "AF_INET6", "SOCK_DGRAM"),
        socket("t", "AF_INET", "SOCK_STREAM"),
        set("u", "SOL_SOCKET", "SO_BROADCAST", Value::Int(1)),
        get("u", "SOL_SOCKET", "SO_BROADCAST", 4),
        set("u", "IPPROTO_IP", "IP_MTU_DISCOVER", Value::Named("IP_PMTUDISC_PROBE".into())),
        set("u", "SOL_SOCKET", "SO_BINDTODEVICE", link()),
        get("u", "SOL_SOCKET", "SO_BINDTODEVICE", 16),
        set("u", "IPPROTO_IP", "IP_MULTICAST_IF", link()),
        set("u", "IPPROTO_IP", "IP_MULTICAST_IF", Value::Host(own4)),
        get("u", "IPPROTO_IP", "IP_MULTICAST_IF", 4),
        set("v", "IPPROTO_IPV6", "IPV6_MULTICAST_IF", link()),
        set("u", "SOL_SOCKET", "SO_RCVTIMEO", Value::Timeval { ms: 1500 }),
        get("u", "SOL_SOCKET", "SO_RCVTIMEO", 16),
        set("u", "IPPROTO_IP", "IP_ADD_MEMBERSHIP", group("224.0.0.251", true)),
        set("v", "IPPROTO_IPV6", "IPV6_ADD_MEMBERSHIP", group("ff02::fb", true)),
        set("v", "IPPROTO_IPV6", "IPV6_DROP_MEMBERSHIP", group("ff02::fc", false)),
        set("u", "IPPROTO_IP", "IP_TOS", Value::Bytes(Hex(vec![16]))),
        set("u", "IPPROTO_IP", "IP_TTL", Value::Bytes(Hex(Vec::new()))),
        get("u", "IPPROTO_IP", "IP_TTL", 1),
        get("u", "IPPROTO_IP", "IP_TTL", 0),
        get("t", "IPPROTO_TCP", "TCP_NODELAY", 4),
        set("u", "IPPROTO_UDP", "UDP_SEGMENT", Value::Int(1000)),
        intent("u", Intent::DontFragment, Value::Int(1)),
        intent("v", Intent::DontFragment, Value::Int(1)),
        intent("v", Intent::BindToInterface, link()),
        Op::Getsockopt { fd: "v".into(), option: Opt::Intent(Intent::BindToInterface), len: 16 },
        ioctl("SIOCGIFMTU", Some("down0")),
        ioctl("SIOCGIFFLAGS", Some("lo")),
        ioctl("FIONBIO", None),
        Op::Getaddrinfo {
            node: Some("::1".into()),
            service: Some("80".into()),
            family: "AF_UNSPEC".into(),
            r#type: Flags::of(&["SOCK_STREAM"]),
            flags: Flags::of(&["AI_NUMERICHOST", "AI_NUMERICSERV"]),
        },
        Op::Getaddrinfo {
            node: Some("no \"number\"".into()),
            service: None,
            family: "AF_INET".into(),
            r#type: Flags::NONE,
            flags: Flags::of(&["AI_NUMERICHOST"]),
        },
        set("u", "IPPROTO_IP", "IP_DONTFRAG", Value::Int(1)),
        recv("u", 1, &[]),
    ];
    let last = ops.len() - 2;
    ops.splice(last..last, source_filters());
    case("options", Lab::one(LinkKind::Tun, "down0"), ops)
}

fn ioctl(request: &'static str, link: Option<&str>) -> Op {
    let link = link.map(Into::into);
    Op::Ioctl { fd: "u".into(), request: request.into(), link, given: None }
}

/// The sources of a group, by the options of one family and of both.
fn source_filters() -> Vec<Op> {
    let source = |group: &str, source: &str| Value::Source {
        group: group.parse().unwrap(),
        link: Some("down0".into()),
        source: source.parse().unwrap(),
    };
    let filter = |group: &str, sources: &[&str]| Value::Filter {
        group: group.parse().unwrap(),
        link: Some("down0".into()),
        mode: "MCAST_INCLUDE".into(),
        sources: sources.iter().map(|ip| ip.parse().unwrap()).collect(),
    };
    vec![
        set("u", "IPPROTO_IP", "IP_ADD_SOURCE_MEMBERSHIP", source("239.1.2.3", "203.0.113.9")),
        set("v", "IPPROTO_IPV6", "MCAST_JOIN_SOURCE_GROUP", source("ff05::99", "2001:db8::9")),
        set("u", "IPPROTO_IP", "IP_MSFILTER", filter("239.1.2.3", &["203.0.113.9", "203.0.113.8"])),
        set("u", "IPPROTO_IP", "MCAST_MSFILTER", filter("239.1.2.3", &[])),
        set("v", "IPPROTO_IPV6", "MCAST_MSFILTER", filter("ff05::99", &["2001:db8::8"])),
    ]
}

pub(crate) fn echo_request() -> Hex {
    // ICMP echo, 192.0.2.2 to 192.0.2.1, with its checksums.
    let ip = [0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0xf6, 0xdc, 192, 0, 2, 2, 192, 0, 2, 1];
    Hex([&ip[..], &[8, 0, 0xf7, 0xfe, 0, 0, 0, 1]].concat())
}

/// Every step of the lab, before the calls and among them, and control messages with addresses.
pub(crate) fn steps() -> Case {
    let l = || "down0".to_owned();
    let ll = Host::On { link: l(), role: Role::Own, range: Range::Ll };
    let route = |prefix: &str, prefix_len, kind, link: Option<&str>, via| LabOp::RouteAdd {
        prefix: prefix.parse().unwrap(),
        prefix_len,
        kind,
        link: link.map(str::to_owned),
        via,
    };
    let router = Host::On { link: "up1".into(), role: Role::Neighbour, range: Range::V4 };
    let setup = [
        LabOp::Mtu { link: l(), mtu: 1400 },
        LabOp::RetransTime { link: l(), ms: 50 },
        LabOp::Sysctl { name: "net.ipv4.ip_default_ttl".into(), value: "7".into() },
        LabOp::Wait { ms: 1, until: None, why: "no reason = none".into() },
        route("10.0.0.0", 8, RouteKind::Unicast, Some("up1"), Some(router)),
        route("10.1.0.0", 16, RouteKind::Unreachable, None, None),
        route("10.2.0.0", 16, RouteKind::Prohibit, None, None),
        route("10.3.0.0", 16, RouteKind::Blackhole, None, None),
        route("10.4.0.0", 16, RouteKind::Throw, None, None),
        route("2001:db8:77::", 48, RouteKind::Unicast, Some("down0"), None),
    ];
    let up1 = Link { mtu: 1300, ranges: vec![Range::V4], ..Link::new(LinkKind::Tun, "up1") };
    let mut net = Lab::one(LinkKind::Tun, "down0").with(setup);
    net.links.push(up1);
    let pktinfo =
        Control::PktInfo { level: "IPPROTO_IPV6".into(), link: Some(l()), source: Some(ll) };
    let scoped =
        |scope| Addr::ip("ff02::1".parse::<std::net::Ipv6Addr>().unwrap(), 7).scoped(scope);
    let ops = vec![
        socket("s", "AF_INET6", "SOCK_DGRAM"),
        socket("f", "AF_INET", "SOCK_DGRAM"),
        Op::Socket {
            fd: "r".into(),
            domain: "AF_INET".into(),
            r#type: Flags::of(&["SOCK_RAW", "SOCK_NONBLOCK"]),
            protocol: Flags::of(&["IPPROTO_ICMP"]),
        },
        Op::Sendmsg {
            fd: "s".into(),
            data: text("by control message"),
            flags: Flags::NONE,
            addr: Some(on(Role::Neighbour, Range::Ll)),
            control: vec![pktinfo],
        },
        sendto("f", text("x"), Addr::ip([10, 1, 0, 1], 7)),
        sendto("f", text("x"), Addr::ip([10, 2, 0, 1], 7)),
        sendto("f", text("x"), Addr::ip([10, 3, 0, 1], 7)),
        sendto("f", text("x"), Addr::ip([10, 4, 0, 1], 7)),
        sendto("f", text("x"), Addr::ip([10, 5, 0, 1], 7)),
        lab(LabOp::Inject { link: l(), frame: echo_request() }),
        recv("r", 100, &[]),
        lab(LabOp::LinkDown { link: l() }),
        sendto("s", text("x"), scoped(Scope::Link(l()))),
        lab(LabOp::LinkUp { link: l() }),
        lab(LabOp::AddressAdd { link: l(), range: Range::V6 }),
        lab(LabOp::AddressDelete { link: l(), range: Range::V4 }),
        lab(LabOp::Mtu { link: l(), mtu: 1279 }),
        sendto("s", text("x"), scoped(Scope::Id(99))),
        lab(LabOp::LinkDown { link: "lo".into() }),
        sendto("f", text("x"), Addr::ip(LO4, 7)),
        lab(LabOp::LinkDelete { link: l() }),
        sendto("s", text("x"), on(Role::Own, Range::Ll)),
        lab(LabOp::Wait { ms: 20, until: None, why: "nothing comes".into() }),
    ];
    case("steps", net, ops)
}

/// Neighbours that answer only when asked: the far end is part of the program.
pub(crate) fn unresolved() -> Case {
    let ping = |domain: &'static str, protocol: &'static str| Op::Socket {
        fd: domain.to_lowercase(),
        domain: domain.into(),
        r#type: Flags::of(&["SOCK_DGRAM"]),
        protocol: Flags::of(&[protocol]),
    };
    // Nobody answers at all: `SO_ERROR` tells when resolution has given up.
    let ops = vec![
        ping("AF_INET", "IPPROTO_UDP"),
        ping("AF_INET6", "IPPROTO_UDP"),
        set("af_inet", "IPPROTO_IP", "IP_RECVERR", Value::Int(1)),
        set("af_inet6", "IPPROTO_IPV6", "IPV6_RECVERR", Value::Int(1)),
        sendto("af_inet", text("v4"), on(Role::Unresolved, Range::V4)),
        sendto("af_inet6", text("v6"), on(Role::Unresolved, Range::V6)),
        poll("af_inet", &[], 100),
        lab(LabOp::Wait { ms: 200, until: None, why: "resolution would give up".into() }),
        get("af_inet", "SOL_SOCKET", "SO_ERROR", 4),
        get("af_inet6", "SOL_SOCKET", "SO_ERROR", 4),
        sendto("af_inet", text("v4"), on(Role::Silent, Range::V4)),
        lab(LabOp::Wait { ms: 400, until: None, why: "resolution gives up".into() }),
        get("af_inet", "SOL_SOCKET", "SO_ERROR", 4),
    ];
    let retrans = LabOp::RetransTime { link: "down0".into(), ms: 20 };
    case("unresolved", Lab::one(LinkKind::Tap, "down0").with([retrans]), ops)
}

/// A call that never returns.
pub(crate) fn hangs() -> Case {
    let ops = vec![
        socket("s", "AF_INET", "SOCK_DGRAM"),
        Op::Bind { fd: "s".into(), addr: Addr::ip(LO4, 0) },
        recv("s", 10, &[]),
        recv("s", 10, &[]),
    ];
    case("hangs", Lab::loopback(), ops)
}

pub(crate) fn cases() -> Vec<Case> {
    let own = more::with(more::linuxs());
    let more = [more::everybodys(), own, unix::unix(), more::process(false)];
    let cases = [netdown(), datagrams(), streams(), options(), steps(), unresolved(), hangs()];
    cases.into_iter().chain(more).collect()
}

/// A far end's errors about a datagram with so many bytes: one that tells of another packet, and a true one.
pub(crate) fn quoting(range: Range, bytes: u32) -> Case {
    let mut net0 = Lab::one(LinkKind::Tun, "net0");
    net0.links[0].mtu = 65_535;
    let error = |lies: &[Lie]| {
        let (kind, lies) = (Kind::PortUnreachable, lies.to_vec());
        let error = Error { kind, value: None, from: None, v6: false, lies };
        lab(LabOp::Say { link: "net0".into(), frame: Frame::Error(error) })
    };
    let domain = if range == Range::V4 { "AF_INET" } else { "AF_INET6" };
    let ops = vec![
        socket("s", domain, "SOCK_DGRAM"),
        Op::Connect { fd: "s".into(), addr: Addr::on("net0", Role::Neighbour, range, 9) },
        Op::Send { fd: "s".into(), data: Payload::Pattern(bytes), flags: Flags::NONE },
        error(&[Lie::Destination]),
        error(&[]),
        get("s", "SOL_SOCKET", "SO_ERROR", 4),
    ];
    case(&format!("quoted-{domain}"), net0, ops)
}
