//! Calls of two threads against each other: one waits in a call, and another one does something to the
//! socket. POSIX says what a call does, and little of what becomes of one that is under way; close(2) says
//! that it is unspecified, "Multithreaded processes and close()".

use harness::case::addr::{Addr, Port, Range, Role};
use harness::case::op::PollFd;
use harness::case::{Case, Flags, Lab, LabOp, LinkKind, Op, Payload, Service, Threads};

use crate::Table;
use crate::steps::{bind, case, close, connect, ip, listen, send, socket};
use crate::table::Row;

const PORT: u16 = 80;
/// More than the buffers of two local sockets hold.
const MUCH: u32 = 1_000_000;

pub(crate) fn tables() -> Vec<Table> {
    vec![receiving(), polling(), sending(), accepting(), connecting(), datagrams()]
}

/// The families of connections.
const STREAMS: [&str; 3] = ["inet", "inet6", "unix"];
const FAMILIES: [&str; 2] = ["inet", "inet6"];

/// What another thread does while `s` is waited on, whose peer is `p`: its name, in words, and the steps.
type Act = (&'static str, &'static str, fn() -> Vec<Op>);

/// The last two make what is closed speak, for who waits in it still.
const ACTS: [Act; 8] = [
    ("send", "its peer sends", || vec![send("p")]),
    ("peer-shutdown", "its peer ends what it sends", || vec![shutdown("p", "SHUT_WR")]),
    ("peer-close", "its peer is closed", || vec![close("p")]),
    ("shutdown-read", "its reading is shut down", || vec![shutdown("s", "SHUT_RD")]),
    ("shutdown-write", "its writing is shut down and the peer sends", || {
        vec![shutdown("s", "SHUT_WR"), send("p")]
    }),
    ("shutdown", "it is shut down", || vec![shutdown("s", "SHUT_RDWR")]),
    ("close-send", "it is closed and then its peer sends", || vec![close("s"), send("p")]),
    ("close", "it is closed", || vec![close("s")]),
];

fn shutdown(fd: &str, how: &'static str) -> Op {
    Op::Shutdown { fd: fd.to_owned(), how: how.into() }
}

fn recv(fd: &str) -> Op {
    Op::Recv { fd: fd.to_owned(), len: 64, flags: Flags::NONE }
}

fn accept(fd: &str, new: &str) -> Op {
    Op::Accept { fd: fd.to_owned(), new: new.to_owned() }
}

fn poll(fd: &str) -> Op {
    let events = Flags::of(&["POLLIN"]);
    Op::Poll { fds: vec![PollFd { fd: fd.to_owned(), events }], timeout_ms: -1 }
}

fn port_of(fd: &str, host: &str) -> Addr {
    Addr { port: Port::Of(fd.to_owned()), ..ip(host, 0) }
}

fn domain(family: &str) -> (&'static str, &'static str) {
    match family {
        "inet" => ("AF_INET", "127.0.0.1"),
        "inet6" => ("AF_INET6", "::1"),
        _ => ("AF_UNIX", ""),
    }
}

/// The listener `l`.
fn listener(family: &str) -> Vec<Op> {
    let (domain, host) = domain(family);
    vec![socket("l", domain, "SOCK_STREAM"), bind("l", ip(host, 0)), listen("l")]
}

/// A connection of `fd` to the listener.
fn dial(family: &str, fd: &str) -> [Op; 2] {
    let (domain, host) = domain(family);
    [socket(fd, domain, "SOCK_STREAM"), connect(fd, port_of("l", host))]
}

/// The connection of `p` and `s`.
fn connection(family: &str) -> Vec<Op> {
    if family == "unix" {
        let (r#type, protocol) = (Flags::of(&["SOCK_STREAM"]), Flags::NONE);
        let (a, b) = ("p".to_owned(), "s".to_owned());
        return vec![Op::Socketpair { a, b, domain: "AF_UNIX".into(), r#type, protocol }];
    }
    let mut ops = listener(family);
    ops.extend(dial(family, "p"));
    ops.push(accept("l", "s"));
    ops
}

/// A case in which each of `waits` is the call of a thread of its own, `t` and `u`, before `acts`.
fn against(title: String, lab: Lab, before: Vec<Op>, waits: &[Op], acts: Vec<Op>) -> Row {
    let begins = (0u32..).skip(before.len());
    let names = ["t", "u"].map(str::to_owned);
    let threads = names.into_iter().zip(begins.map(|step| vec![step])).take(waits.len());
    let threads = Threads(threads.collect());
    let ops = [before, waits.to_vec(), acts].concat();
    Row::Case(Case { threads, ..case(title, lab, ops) })
}

/// POSIX shutdown: "Disables further receive operations", of those under way nothing.
fn receiving() -> Table {
    let mut table =
        Table::new("threads/recv", "What becomes of a recv that waits while another thread acts?");
    for family in STREAMS {
        for (name, what, acts) in ACTS {
            let title = format!("a thread waits in recv on a {family} stream, and {what}");
            let row = against(title, Lab::loopback(), connection(family), &[recv("s")], acts());
            table.push(&[family, name], row);
        }
    }
    table
}

/// POSIX poll, `POLLHUP`; poll(2) NOTES say nothing of descriptors that are closed, select(2) that it is
/// unspecified.
fn polling() -> Table {
    let mut table =
        Table::new("threads/poll", "What becomes of a poll that waits while another thread acts?");
    for family in STREAMS {
        for (name, what, acts) in ACTS {
            let title = format!("a thread waits in poll on a {family} stream, and {what}");
            let row = against(title, Lab::loopback(), connection(family), &[poll("s")], acts());
            table.push(&[family, name], row);
        }
    }
    table
}

/// POSIX send: "if space is not available … send() shall block until space is available".
fn sending() -> Table {
    let mut table =
        Table::new("threads/send", "What becomes of a send that waits while another thread acts?");
    let all = || Op::Recv { fd: "p".to_owned(), len: MUCH, flags: Flags::of(&["MSG_WAITALL"]) };
    let acts: [(&str, &str, Vec<Op>); 4] = [
        ("read", "its peer reads all of it", vec![all()]),
        ("peer-close", "its peer is closed", vec![close("p")]),
        ("shutdown", "its writing is shut down", vec![shutdown("s", "SHUT_WR")]),
        ("close-read", "it is closed and its peer reads all of it", vec![close("s"), all()]),
    ];
    for (name, what, acts) in acts {
        let data = Payload::Pattern(MUCH);
        let send = Op::Send { fd: "s".to_owned(), data, flags: Flags::NONE };
        let title =
            format!("a thread waits in send on a unix stream whose peer is full, and {what}");
        let row = against(title, Lab::loopback(), connection("unix"), &[send], acts);
        table.push(&["unix", name], row);
    }
    table
}

/// POSIX accept: it "shall block until a connection is present"; what wakes it else is nobody's word.
fn accepting() -> Table {
    let mut table = Table::new(
        "threads/accept",
        "What becomes of an accept that waits while another thread acts?",
    );
    for family in FAMILIES {
        let dials = |fd: &str| dial(family, fd).to_vec();
        let one = |name: &str, what: &str, acts: Vec<Op>| {
            let title = format!("a thread waits in accept on {family}, and {what}");
            let row = against(title, Lab::loopback(), listener(family), &[accept("l", "a")], acts);
            (name.to_owned(), row)
        };
        let rows = [
            one("connect", "another one connects", dials("c")),
            one(
                "shutdown-read",
                "the listener's reading is shut down",
                vec![shutdown("l", "SHUT_RD")],
            ),
            one("shutdown", "the listener is shut down", vec![shutdown("l", "SHUT_RDWR")]),
            one("close", "the listener is closed", vec![close("l")]),
        ];
        for (name, row) in rows {
            table.push(&[family, &name], row);
        }
        let waits = [accept("l", "a"), accept("l", "b")];
        let acts = [dials("c"), dials("d")].concat();
        let title = format!("two threads wait in accept on {family}, and two connections come");
        let row = against(title, Lab::loopback(), listener(family), &waits, acts);
        table.push(&[family, "two"], row);
    }
    table
}

/// POSIX connect: it "shall block … until the connection is established".
fn connecting() -> Table {
    let mut table = Table::new(
        "threads/connect",
        "What becomes of a connect that waits while another thread acts?",
    );
    for (family, domain, range) in
        [("inet", "AF_INET", Range::V4), ("inet6", "AF_INET6", Range::V6)]
    {
        let silent = || Lab::one(LinkKind::Tun, "tun0");
        let link = || "tun0".to_owned();
        let service = Service::new(PORT, []);
        let served = silent().with([LabOp::Serve { link: link(), service }]);
        let rows = [
            ("served", "a server that answers", served, vec![send("s"), close("s")]),
            (
                "shutdown",
                "nobody who answers, and it is shut down",
                silent(),
                vec![shutdown("s", "SHUT_RDWR"), close("s")],
            ),
            ("close", "nobody who answers, and it is closed", silent(), vec![close("s")]),
        ];
        for (name, what, lab, acts) in rows {
            let to = Addr::on("tun0", Role::Neighbour, range, PORT);
            let title = format!("a thread connects over {family} to {what}");
            let before = vec![socket("s", domain, "SOCK_STREAM")];
            table.push(&[family, name], against(title, lab, before, &[connect("s", to)], acts));
        }
    }
    table
}

/// Which of two that wait has a datagram, and what ends a wait for one.
fn datagrams() -> Table {
    let mut table = Table::new(
        "threads/datagram",
        "What becomes of a wait for a datagram while another thread acts?",
    );
    for family in FAMILIES {
        let (domain, host) = domain(family);
        let before = || {
            let (r, s) = (socket("r", domain, "SOCK_DGRAM"), socket("s", domain, "SOCK_DGRAM"));
            vec![r, bind("r", ip(host, 0)), s, connect("s", port_of("r", host))]
        };
        let sends = || vec![send("s")];
        let rows = [
            ("send", "one is sent", sends()),
            ("shutdown-read", "its reading is shut down", vec![shutdown("r", "SHUT_RD")]),
            ("shutdown", "it is shut down", vec![shutdown("r", "SHUT_RDWR")]),
            ("close-send", "it is closed and one is sent", vec![close("r"), send("s")]),
        ];
        for (name, what, acts) in rows {
            let title = format!("a thread waits in recv for a datagram over {family}, and {what}");
            let row = against(title, Lab::loopback(), before(), &[recv("r")], acts);
            table.push(&[family, name], row);
        }
        let title = format!("two threads wait in recv on one socket of {family}, and two are sent");
        let text = |data: &str| Payload::Text(data.to_owned());
        let says = |data| Op::Send { fd: "s".to_owned(), data: text(data), flags: Flags::NONE };
        let acts = vec![says("first"), says("second")];
        let row = against(title, Lab::loopback(), before(), &[recv("r"), recv("r")], acts);
        table.push(&[family, "two"], row);
    }
    table
}
