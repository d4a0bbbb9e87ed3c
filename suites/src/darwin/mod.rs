//! `darwin`: what do the calls do that Darwin has and Linux has not?
//!
//! Elsewhere a case ends where it makes one of them, and its outcome is that it is unsupported. What a
//! case can ask by calls that everybody has stands in the other suites.

mod batches;
mod connect;
mod events;
mod urgent;

use harness::case::addr::{Addr, Port};
use harness::case::op::{Change, Opt};
use harness::case::{Flags, LabOp, Op, Payload};

use crate::steps::{bind, connect, ip, lab, listen, socket};
use crate::table::Table;

/// The suite's tables, in the order in which they are shown.
pub(crate) fn tables() -> Vec<Table> {
    [events::tables(), urgent::tables(), connect::tables(), batches::tables()].concat()
}

/// The link of every lab here that has one.
const LINK: &str = "net0";

/// Any port that nobody else uses.
const PORT: u16 = 12345;

fn text(text: &str) -> Payload {
    Payload::Text(text.to_owned())
}

/// One filter on one socket, added to a queue of the step's own.
fn add(fd: &str, filter: &'static str, fflags: &[&'static str], data: i32) -> Change {
    let (flags, fflags) = (Flags::of(&["EV_ADD"]), Flags::of(fflags));
    Change { fd: fd.to_owned(), filter: filter.into(), flags, fflags, data }
}

fn kevent(changes: Vec<Change>, timeout_ms: i32) -> Op {
    Op::Kevent { changes, timeout_ms }
}

/// What each filter for sockets has to say at once.
fn all_filters(fd: &str) -> Op {
    let except = add(fd, "EVFILT_EXCEPT", &["NOTE_OOB"], 0);
    kevent(vec![add(fd, "EVFILT_READ", &[], 0), add(fd, "EVFILT_WRITE", &[], 0), except], 0)
}

/// Loopback hands packets on in the background on Darwin.
fn settle() -> Op {
    lab(LabOp::Wait { ms: 20, until: None, why: "loopback is asynchronous".to_owned() })
}

/// The port that the kernel gave a socket: another one each time, since a connection that ends keeps
/// its own for a while (RFC 9293 §3.6.1, TIME-WAIT).
fn port_of(fd: &str, host: &str) -> Addr {
    Addr { port: Port::Of(fd.to_owned()), ..ip(host, 0) }
}

/// A TCP connection over loopback: `c` to `s`, which `l` has accepted.
fn connection(domain: &'static str) -> Vec<Op> {
    let (any, to) = if domain == "AF_INET" { ("0.0.0.0", "127.0.0.1") } else { ("::", "::1") };
    vec![
        socket("l", domain, "SOCK_STREAM"),
        bind("l", ip(any, 0)),
        listen("l"),
        socket("c", domain, "SOCK_STREAM"),
        connect("c", port_of("l", to)),
        Op::Accept { fd: "l".to_owned(), new: "s".to_owned() },
    ]
}

fn pair(kind: &'static str) -> Op {
    let [domain, a, b] = ["AF_UNIX", "c", "s"];
    let (r#type, protocol) = (Flags::of(&[kind]), Flags::NONE);
    Op::Socketpair { a: a.to_owned(), b: b.to_owned(), domain: domain.into(), r#type, protocol }
}

fn shutdown(fd: &str, how: &'static str) -> Op {
    Op::Shutdown { fd: fd.to_owned(), how: how.into() }
}

fn write(fd: &str, data: &str) -> Op {
    Op::Write { fd: fd.to_owned(), data: text(data) }
}

/// `connectx` to there, with nothing else.
fn connectx(fd: &str, addr: Addr, flags: &[&'static str], data: Option<&str>) -> Op {
    let (link, source, data) = (None, None, data.map(text));
    Op::Connectx { fd: fd.to_owned(), link, source, addr, flags: Flags::of(flags), data }
}

/// `struct tcp_connection_info`.
fn connection_info(fd: &str) -> Op {
    let option = Opt::Raw { level: "IPPROTO_TCP".into(), name: "TCP_CONNECTION_INFO".into() };
    Op::Getsockopt { fd: fd.to_owned(), option, len: 112 }
}
