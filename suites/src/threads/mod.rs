//! Calls of two threads against each other: one waits in a call, and another one does something to the
//! socket. POSIX says what a call does, and little of what becomes of one that is under way; close(2) says
//! that it is unspecified, "Multithreaded processes and `close()`".

use harness::case::addr::{Addr, Port, Range, Role};
use harness::case::op::{PollFd, Value};
use harness::case::{Case, Flags, Lab, LabOp, LinkKind, Op, Payload, Service, Threads};

use crate::Table;
use crate::steps::{bind, case, close, connect, ip, listen, send, setsockopt, socket};
use crate::table::Row;

const PORT: u16 = 80;
const LINK: &str = "tun0";
/// More than the buffers of two local sockets hold.
const MUCH: u32 = 1_000_000;

pub(crate) fn tables() -> Vec<Table> {
    vec![receiving(), polling(), sending(), accepting(), connecting(), datagrams()]
}

/// The families of connections.
const STREAMS: [&str; 3] = ["inet", "inet6", "unix"];
const FAMILIES: [&str; 2] = ["inet", "inet6"];

/// Over what a connection of IP is, so that no timer of the host's decides which frames there are: who is
/// told that a peer has ended acknowledges that some time later (RFC 9293 §3.8.6.3), unless its route says
/// at once, as those to a lab's server do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    Loopback,
    Link,
    Nothing,
}

/// What another thread does while `s` is waited on, whose peer is `p`.
struct Act {
    name: &'static str,
    what: &'static str,
    over: Over,
    steps: fn() -> Vec<Op>,
}

const fn act(name: &'static str, what: &'static str, over: Over, steps: fn() -> Vec<Op>) -> Act {
    Act { name, what, over, steps }
}

/// Where it is closed and its peer sends, who waits in it still is spoken to.
const ACTS: [Act; 8] = [
    act("send", "its peer sends", Over::Loopback, || vec![send("p")]),
    act("peer-shutdown", "its peer ends what it sends", Over::Nothing, || {
        vec![shutdown("p", "SHUT_WR")]
    }),
    act("peer-close", "its peer is closed", Over::Nothing, || vec![close("p")]),
    act("shutdown-read", "its reading is shut down", Over::Loopback, || {
        vec![shutdown("s", "SHUT_RD")]
    }),
    act("shutdown-write", "its writing is shut down and the peer sends", Over::Nothing, || {
        vec![shutdown("s", "SHUT_WR"), send("p")]
    }),
    act("shutdown", "it is shut down", Over::Link, || vec![shutdown("s", "SHUT_RDWR")]),
    act("close-send", "it is closed and then its peer sends", Over::Nothing, || {
        vec![close("s"), send("p")]
    }),
    act("close", "it is closed", Over::Loopback, || vec![close("s")]),
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

/// A link whose neighbour serves.
fn served() -> Lab {
    let (link, service) = (LINK.to_owned(), Service::new(PORT, []));
    Lab::one(LinkKind::Tun, LINK).with([LabOp::Serve { link, service }])
}

/// The neighbour on a link.
fn neighbour(family: &str) -> (&'static str, Addr) {
    let range = if family == "inet" { Range::V4 } else { Range::V6 };
    (domain(family).0, Addr::on(LINK, Role::Neighbour, range, PORT))
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

/// A thread waits in a call on `s` while each of these acts is done.
fn waiting(table: &mut Table, call: &str, wait: fn(&str) -> Op) {
    for family in STREAMS {
        for Act { name, what, over, steps } in ACTS {
            let (lab, before) = match over {
                _ if family == "unix" => (Lab::loopback(), connection(family)),
                Over::Loopback => (Lab::loopback(), connection(family)),
                Over::Link => {
                    let (domain, to) = neighbour(family);
                    let ops = vec![socket("s", domain, "SOCK_STREAM"), connect("s", to)];
                    (served(), ops)
                }
                Over::Nothing => {
                    let why =
                        "a timer of the host's decides when the end of a stream is acknowledged";
                    table.push(&[family, name], Row::LeftOut(why));
                    continue;
                }
            };
            let title = format!("a thread waits in {call} on a stream of {family}, and {what}");
            table.push(&[family, name], against(title, lab, before, &[wait("s")], steps()));
        }
    }
}

/// POSIX shutdown: "Disables further receive operations", of those under way nothing.
fn receiving() -> Table {
    let question = "What becomes of a recv that waits while another thread acts?";
    let mut table = Table::new("threads/recv", question);
    waiting(&mut table, "recv", recv);
    table
}

/// POSIX poll, `POLLHUP`; of descriptors that are closed meanwhile select(2) says that it is unspecified.
fn polling() -> Table {
    let question = "What becomes of a poll that waits while another thread acts?";
    let mut table = Table::new("threads/poll", question);
    waiting(&mut table, "poll", poll);
    table
}

/// POSIX send: "if space is not available … `send()` shall block until space is available".
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
        // What the host's default is, its settings say.
        let small = setsockopt("s", "SOL_SOCKET", "SO_SNDBUF", Value::Int(16_384));
        let before = [connection("unix"), vec![small]].concat();
        let row = against(title, Lab::loopback(), before, &[send], acts);
        table.push(&["unix", name], row);
    }
    table
}

/// POSIX accept: it "shall block until a connection is present"; what wakes it else is nobody's word.
fn accepting() -> Table {
    let question = "What becomes of an accept that waits while another thread acts?";
    let mut table = Table::new("threads/accept", question);
    for family in FAMILIES {
        let shut = |how| vec![shutdown("l", how)];
        let dials = |fd: &str| dial(family, fd).to_vec();
        let one = |name: &str, what: &str, acts: Vec<Op>| {
            let title = format!("a thread waits in accept on {family}, and {what}");
            let row = against(title, Lab::loopback(), listener(family), &[accept("l", "a")], acts);
            (name.to_owned(), row)
        };
        let rows = [
            one("connect", "another one connects", dials("c")),
            one("shutdown-read", "the listener's reading is shut down", shut("SHUT_RD")),
            one("shutdown", "the listener is shut down", shut("SHUT_RDWR")),
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
    let question = "What becomes of a connect that waits while another thread acts?";
    let mut table = Table::new("threads/connect", question);
    for family in FAMILIES {
        let (domain, to) = neighbour(family);
        let silent = || Lab::one(LinkKind::Tun, LINK);
        let shut = || vec![shutdown("s", "SHUT_RDWR"), close("s")];
        let rows = [
            ("served", "a server that answers", served(), vec![send("s"), close("s")]),
            ("shutdown", "nobody who answers, and it is shut down", silent(), shut()),
            ("close", "nobody who answers, and it is closed", silent(), vec![close("s")]),
        ];
        for (name, what, lab, acts) in rows {
            let title = format!("a thread connects over {family} to {what}");
            let before = vec![socket("s", domain, "SOCK_STREAM")];
            let row = against(title, lab, before, &[connect("s", to.clone())], acts);
            table.push(&[family, name], row);
        }
    }
    table
}

/// Which of two that wait has a datagram, and what ends a wait for one.
fn datagrams() -> Table {
    let question = "What becomes of a wait for a datagram while another thread acts?";
    let mut table = Table::new("threads/datagram", question);
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
