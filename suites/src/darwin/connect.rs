//! `connectx` and `disconnectx`.

use harness::case::addr::{Addr, Range, Role};
use harness::case::op::PollFd;
use harness::case::{Flags, Lab, LabOp, Link, LinkKind, Op, Payload, ServerStep, Service};

use super::{LINK, PORT, connection, connection_info, connectx, text};
use crate::steps::{
    case, close, connect, covering, getpeername, getsockname, intent, ip, listen, nonblocking,
    poll_out, send, so_error, socket,
};
use crate::table::{Row, Table};

/// The other link of the labs that have two.
const OTHER: &str = "net1";

const GET: &str = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

const IDEMPOTENT: &str = "CONNECT_DATA_IDEMPOTENT";
const AUTHENTICATED: &str = "CONNECT_DATA_AUTHENTICATED";
const RESUME: &str = "CONNECT_RESUME_ON_READ_WRITE";

const RANGES: [(&str, Range); 2] = [("inet", Range::V4), ("inet6", Range::V6)];

pub(super) fn tables() -> Vec<Table> {
    vec![ends(), data(), nobody(), down(), udp(), disconnect()]
}

fn domain(range: Range) -> &'static str {
    if range == Range::V4 { "AF_INET" } else { "AF_INET6" }
}

fn neighbour(range: Range) -> Addr {
    Addr::on(LINK, Role::Neighbour, range, PORT)
}

fn own(link: &str, range: Range, port: u16) -> Addr {
    Addr::on(link, Role::Own, range, port)
}

fn serving(fast_open: bool, port: u16) -> Lab {
    let expect = ServerStep::Expect { until: text("\r\n\r\n") };
    let mut service = Service::new(port, [expect, ServerStep::Send { data: text(OK) }]);
    service.fast_open = fast_open;
    Lab::one(LinkKind::Tun, LINK).with([LabOp::Serve { link: LINK.to_owned(), service }])
}

/// Until the connection is there; a kernel that needs longer has lost it.
fn awaited(fd: &str, events: &'static str) -> Op {
    let (fd, events) = (fd.to_owned(), Flags::of(&[events]));
    Op::Poll { fds: vec![PollFd { fd, events }], timeout_ms: 1000 }
}

/// By which link, from which address.
fn ends() -> Table {
    let question = "By which link and from which address does connectx connect?";
    let mut table = Table::new("darwin/connectx", question);
    for (id, range) in RANGES {
        let foreign = if range == Range::V4 { "192.0.2.77" } else { "2001:db8::77" };
        for (name, link, source) in [
            ("dstaddr", None, None),
            ("srcif", Some(LINK), None),
            ("srcaddr", None, Some(own(LINK, range, 0))),
            ("srcaddr-port", None, Some(own(LINK, range, 20000))),
            ("srcif-srcaddr", Some(LINK), Some(own(LINK, range, 0))),
            ("other-srcif", Some(OTHER), None),
            ("other-srcaddr", None, Some(own(OTHER, range, 0))),
            ("crossed", Some(OTHER), Some(own(LINK, range, 0))),
            ("foreign-srcaddr", None, Some(ip(foreign, 0))),
            ("loopback", Some("lo"), None),
        ] {
            let mut lab = serving(false, PORT);
            lab.links.push(Link::new(LinkKind::Tun, OTHER));
            let (link, data) = (link.map(str::to_owned), None);
            let addr = neighbour(range);
            let call =
                Op::Connectx { fd: "s".into(), link, source, addr, flags: Flags::NONE, data };
            let mut ops = vec![socket("s", domain(range), "SOCK_STREAM"), nonblocking("s"), call];
            ops.extend([awaited("s", "POLLOUT"), so_error("s"), getsockname("s")]);
            ops.extend([getpeername("s"), connection_info("s")]);
            let title = format!("connectx of TCP over {id} with {name}");
            table.push(&[id, name], Row::Case(covering(case(title, lab, ops), &["HTTP-08"])));
        }
    }
    table
}

/// What leaves with the SYN, what after it, and what the call says.
fn data() -> Table {
    let question = "When does a request that connectx was given leave, and what is returned?";
    let mut table = Table::new("darwin/connectx-data", question);
    let ways: [(&str, &[&'static str], bool, bool); 7] = [
        ("data", &[], true, false),
        ("idempotent", &[IDEMPOTENT], true, false),
        ("authenticated", &[IDEMPOTENT, AUTHENTICATED], true, false),
        ("idempotent-alone", &[IDEMPOTENT], false, true),
        ("resume", &[RESUME], false, true),
        ("resume-idempotent", &[RESUME, IDEMPOTENT], false, true),
        ("resume-data", &[RESUME], true, false),
    ];
    for (id, range) in RANGES {
        for server in ["grants", "ignores", "refuses"] {
            for (way, flags, with, later) in ways {
                for times in ["first", "second"] {
                    let request = |fd: &str| {
                        let call = connectx(fd, neighbour(range), flags, with.then_some(GET));
                        let mut ops = vec![socket(fd, domain(range), "SOCK_STREAM")];
                        ops.extend([nonblocking(fd), call]);
                        ops.extend(later.then(|| crate::steps::send_of(fd, text(GET), &[])));
                        ops.extend([awaited(fd, "POLLIN"), so_error(fd), recv(fd)]);
                        ops
                    };
                    let mut ops = Vec::new();
                    if times == "second" {
                        ops.extend(request("s"));
                        ops.push(close("s"));
                    }
                    ops.extend(request("t"));
                    ops.push(connection_info("t"));
                    // Who refuses serves another port.
                    let port = if server == "refuses" { PORT + 1 } else { PORT };
                    let title =
                        format!("connectx ({way}) over {id}, {times}, to a server that {server}");
                    let case = case(title, serving(server == "grants", port), ops);
                    table.push(&[id, server, way, times], Row::Case(covering(case, &["HTTP-08"])));
                }
            }
        }
    }
    table
}

/// What has come so far; the socket does not block.
fn recv(fd: &str) -> Op {
    Op::Recv { fd: fd.to_owned(), len: 256, flags: Flags::NONE }
}

fn nobody() -> Table {
    let question = "What does connectx say where nobody listens?";
    let mut table = Table::new("darwin/connectx-nobody", question);
    for (id, domain, to) in [("inet", "AF_INET", "127.0.0.1"), ("inet6", "AF_INET6", "::1")] {
        for (kind, r#type) in [("tcp", "SOCK_STREAM"), ("udp", "SOCK_DGRAM")] {
            for (way, flags, data) in [
                ("plain", &[][..], None),
                ("data", &[], Some("hello\0")),
                ("idempotent", &[IDEMPOTENT], Some("hello\0")),
                ("resume", &[RESUME], None),
            ] {
                let mut ops = vec![socket("s", domain, r#type)];
                ops.extend([connectx("s", ip(to, PORT), flags, data), super::settle()]);
                ops.extend([so_error("s"), send("s"), super::settle(), so_error("s")]);
                ops.extend([send("s"), getpeername("s"), getsockname("s")]);
                let title = format!("connectx ({way}) over {id} to a closed port, {kind}");
                let case = covering(case(title, Lab::loopback(), ops), &["HTTP-08"]);
                table.push(&[id, kind, way], Row::Case(case));
            }
        }
    }
    table
}

fn down() -> Table {
    let question = "What does connectx say of a link that is down?";
    let mut table = Table::new("darwin/connectx-down", question);
    let ranges = [("inet", Range::V4), ("inet6", Range::V6), ("link-local", Range::Ll)];
    for (id, range) in ranges {
        for (kind, r#type) in [("tcp", "SOCK_STREAM"), ("udp", "SOCK_DGRAM")] {
            for (name, link, from) in [
                ("dstaddr", None, None),
                ("srcif", Some(LINK), None),
                ("srcaddr", None, Some(own(LINK, range, 0))),
            ] {
                let down = LabOp::LinkDown { link: LINK.to_owned() };
                let lab = Lab::one(LinkKind::Tap, LINK).with([down]);
                let (link, source) = (link.map(str::to_owned), from);
                let (addr, flags, data) = (neighbour(range), Flags::NONE, Some(text("hello\0")));
                let call = Op::Connectx { fd: "s".into(), link, source, addr, flags, data };
                let mut ops = vec![socket("s", domain(range), r#type), nonblocking("s"), call];
                ops.extend([so_error("s"), getsockname("s"), getpeername("s"), send("s")]);
                let title = format!("connectx ({name}) over {id}, the link being down, {kind}");
                table.push(
                    &[id, kind, name],
                    Row::Case(covering(case(title, lab, ops), &["LINK-01"])),
                );
            }
        }
    }
    table
}

fn udp() -> Table {
    let question =
        "What does connectx send from a UDP socket, and what is left of it if that fails?";
    let mut table = Table::new("darwin/connectx-udp", question);
    for (id, range) in RANGES {
        for (name, data) in [
            ("none", None),
            ("hello", Some(text("hello\0"))),
            ("empty", Some(text(""))),
            ("3000", Some(Payload::Pattern(3000))),
            ("60000", Some(Payload::Pattern(60_000))),
        ] {
            for df in [false, true] {
                let (link, source, addr) = (Some(LINK.to_owned()), None, neighbour(range));
                let (fd, flags, data) = ("s".to_owned(), Flags::NONE, data.clone());
                let mut ops = vec![socket("s", domain(range), "SOCK_DGRAM")];
                ops.extend(df.then(|| intent("s", true)));
                ops.push(Op::Connectx { fd, link, source, addr, flags, data });
                ops.extend([getsockname("s"), getpeername("s"), send("s")]);
                let word = if df { "df" } else { "unset" };
                let title = format!("connectx of UDP over {id}, data: {name}, {word}");
                let case = case(title, Lab::one(LinkKind::Tun, LINK), ops);
                table.push(&[id, name, word], Row::Case(covering(case, &["HTTP-08", "FRAG-02"])));
            }
        }
    }
    table
}

/// What a socket is after it.
fn disconnect() -> Table {
    let question = "What does disconnectx leave of a socket?";
    let mut table = Table::new("darwin/disconnectx", question);
    for (id, domain, to) in [("inet", "AF_INET", "127.0.0.1"), ("inet6", "AF_INET6", "::1")] {
        let udp = || socket("c", domain, "SOCK_DGRAM");
        let tcp = || socket("c", domain, "SOCK_STREAM");
        let to = |port| ip(to, port);
        for (name, begin) in [
            ("udp", vec![udp()]),
            ("udp-connected", vec![udp(), connect("c", to(PORT))]),
            ("udp-connectx", vec![udp(), connectx("c", to(PORT), &[], None)]),
            ("tcp", vec![tcp()]),
            ("tcp-listening", vec![tcp(), listen("c")]),
            ("tcp-connected", connection(domain)),
            ("tcp-refused", vec![tcp(), connect("c", to(PORT))]),
        ] {
            let mut ops = begin;
            let disconnect = || Op::Disconnectx { fd: "c".to_owned() };
            ops.extend([disconnect(), getpeername("c"), getsockname("c"), poll_out("c")]);
            ops.extend([disconnect(), send("c"), connect("c", to(PORT))]);
            let title = format!("disconnectx of a socket over {id}: {name}");
            let case = covering(case(title, Lab::loopback(), ops), &["HTTP-08"]);
            table.push(&[id, name], Row::Case(case));
        }
    }
    table
}
