//! What the tables of this suite that are Rust share: the lab, the server's answers, and the client's calls.

use harness::case::addr::{Addr, Range, Role};
use harness::case::op::PollFd;
use harness::case::{Flags, Lab, LabOp, LinkKind, Op, Payload, ServerStep, Service};

use crate::steps::{connect, lab, nonblocking, socket};

/// The link of every lab here that has a server.
const LINK: &str = "net0";

pub(super) const PORT: u16 = 80;

/// A request without a body, and without a cookie.
pub(super) const GET: &str = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";

/// What ends the fields of a request.
pub(super) const EMPTY_LINE: &str = "\r\n\r\n";

pub(super) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// By which family the server is reached.
pub(super) const RANGES: [Range; 2] = [Range::V4, Range::V6];

pub(super) fn id(range: Range) -> &'static str {
    match range {
        Range::V4 => "inet",
        Range::V6 => "inet6",
        Range::Ll => "link-local",
    }
}

pub(super) fn words(range: Range) -> &'static str {
    if range == Range::V4 { "IPv4" } else { "IPv6" }
}

/// A tun whose neighbour serves this on the port of HTTP.
pub(super) fn http(script: impl IntoIterator<Item = ServerStep>) -> Lab {
    let (link, service) = (LINK.to_owned(), Service::new(PORT, script));
    Lab::one(LinkKind::Tun, LINK).with([LabOp::Serve { link, service }])
}

pub(super) fn text(text: &str) -> Payload {
    Payload::Text(text.to_owned())
}

/// The server reads up to the end of this.
pub(super) fn expect(until: &str) -> ServerStep {
    ServerStep::Expect { until: text(until) }
}

/// The server sends this.
pub(super) fn answer(data: &str) -> ServerStep {
    ServerStep::Send { data: text(data) }
}

/// The server goes on after a pause.
pub(super) fn resume(port: u16) -> Op {
    lab(LabOp::Resume { link: LINK.to_owned(), port })
}

/// A non-blocking connection to the port of the server, and the wait until it is there.
pub(super) fn open(fd: &str, range: Range, port: u16) -> Vec<Op> {
    let domain = if range == Range::V4 { "AF_INET" } else { "AF_INET6" };
    vec![
        socket(fd, domain, "SOCK_STREAM"),
        nonblocking(fd),
        connect(fd, Addr::on(LINK, Role::Neighbour, range, port)),
        poll(fd, &["POLLOUT"], SOON_MS),
    ]
}

/// What comes comes at once; a kernel that needs longer than this has lost it.
pub(super) const SOON_MS: i32 = 1000;

pub(super) fn poll(fd: &str, events: &[&'static str], timeout_ms: i32) -> Op {
    Op::Poll { fds: vec![PollFd { fd: fd.to_owned(), events: Flags::of(events) }], timeout_ms }
}

/// Waits until there is something to read.
pub(super) fn readable(fd: &str) -> Op {
    poll(fd, &["POLLIN"], SOON_MS)
}

pub(super) fn send(fd: &str, data: Payload) -> Op {
    send_with(fd, data, &[])
}

pub(super) fn send_with(fd: &str, data: Payload, flags: &[&'static str]) -> Op {
    Op::Send { fd: fd.to_owned(), data, flags: Flags::of(flags) }
}

pub(super) fn get(fd: &str) -> Op {
    send(fd, text(GET))
}

/// What has come so far; the socket does not block.
pub(super) fn recv(fd: &str) -> Op {
    Op::Recv { fd: fd.to_owned(), len: 256, flags: Flags::NONE }
}
