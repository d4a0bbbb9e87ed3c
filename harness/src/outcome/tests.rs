//! What the tests of this module share, and the tables of lines.

mod calls;
mod darwin;
mod lines;
mod results;
mod stability;
mod structures;

use crate::case::addr::{Addr, Range, Role};
use crate::case::op::Opt;
use crate::case::{Case, Flags, Hex, Lab, Link, LinkKind, Op, Payload};
use crate::trace::{Did, Direction, End, Event, LinkFact, Out, Trace};

/// A case in a lab with `tap0` (link 0) and `tun0` (link 1).
pub(super) fn case(ops: impl IntoIterator<Item = Op>) -> Case {
    let links = vec![Link::new(LinkKind::Tap, "tap0"), Link::new(LinkKind::Tun, "tun0")];
    Case::new("t/c", "A case.", Lab { links, setup: vec![] }, ops.into_iter().collect())
}

/// A trace in which `lo` is interface 1, `tap0` 2 and `tun0` 3.
pub(super) fn trace(events: impl IntoIterator<Item = Event>) -> Trace {
    let link = |name: &str, index, kind, mac: &[u8]| LinkFact {
        name: name.into(),
        index,
        kind,
        mac: Hex(mac.to_vec()),
        unseen: false,
    };
    Trace {
        schema: crate::SCHEMA,
        case: "t/c".into(),
        began_ns: 7,
        links: vec![
            link("lo", 1, None, &[0; 6]),
            link("tap0", 2, Some(LinkKind::Tap), &[2, 0, 0, 0, 0, 1]),
            link("tun0", 3, Some(LinkKind::Tun), &[]),
        ],
        events: events.into_iter().collect(),
        end: End::Done,
        pauses_ms: Vec::new(),
        disturbed: Vec::new(),
        beyond: None,
        own: None,
        program: None,
        served: Vec::new(),
    }
}

pub(super) fn socket(
    fd: &str,
    domain: &'static str,
    kind: &'static str,
    protocol: &'static str,
) -> Op {
    let protocol = if protocol.is_empty() { Flags::NONE } else { Flags::of(&[protocol]) };
    Op::Socket { fd: fd.into(), domain: domain.into(), r#type: Flags::of(&[kind]), protocol }
}

pub(super) fn udp6(fd: &str) -> Op {
    socket(fd, "AF_INET6", "SOCK_DGRAM", "")
}

pub(super) fn send(fd: &str, data: Payload) -> Op {
    Op::Send { fd: fd.into(), data, flags: Flags::NONE }
}

pub(super) fn hello(fd: &str, addr: Addr) -> Op {
    Op::Sendto { fd: fd.into(), data: Payload::Text("hello\0".into()), flags: Flags::NONE, addr }
}

fn returned(op: u32, ret: i64, errno: Option<&'static str>, out: Out) -> Event {
    did(op, Did::Returned { ret, errno: errno.map(Into::into), out })
}

fn did(op: u32, did: Did) -> Event {
    Event::Call { op, at_ns: 123_456, took_ns: 11_000, addr: None, did }
}

fn frame(op: u32, link: &str, dir: Direction, bytes: impl Into<Vec<u8>>) -> Event {
    Event::Frame { op, at_ns: 125_000, link: link.into(), dir, bytes: Hex(bytes.into()) }
}

/// The event with this resolved address.
fn to(event: Event, resolved: &str) -> Event {
    match event {
        Event::Call { op, at_ns, took_ns, did, .. } => {
            Event::Call { op, at_ns, took_ns, did, addr: resolved.parse().ok() }
        }
        event => event,
    }
}

/// What `tap0`'s resolved neighbour has at port 12345, as the kernel was given it.
const LL: &str = "{AF_INET6 [fe80::2%2]:12345}";

fn neighbour(range: Range) -> Addr {
    Addr::on("tap0", Role::Neighbour, range, 12345)
}

fn text(text: &str) -> Payload {
    Payload::Text(text.into())
}

fn opt(level: &'static str, name: &'static str) -> Opt {
    Opt::Raw { level: level.into(), name: name.into() }
}

fn s() -> String {
    "s".into()
}

fn recvfrom() -> Op {
    Op::Recvfrom { fd: s(), len: 64, flags: Flags::NONE }
}

fn lookup(node: Option<&str>, service: Option<&str>) -> Op {
    Op::Getaddrinfo {
        node: node.map(Into::into),
        service: service.map(Into::into),
        family: "AF_INET6".into(),
        r#type: Flags::of(&["SOCK_DGRAM"]),
        flags: Flags::of(&["AI_NUMERICHOST"]),
    }
}

/// What a receive wrote.
fn data(bytes: &[u8], from: Option<&str>) -> Out {
    let from = from.map(|from| from.parse().unwrap());
    Out::Data { bytes: Hex(bytes.to_vec()), from, flags: vec![], control: vec![] }
}
