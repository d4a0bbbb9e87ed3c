//! Short names for the steps of a case, so that a table reads like the C it stands for.

use std::net::{IpAddr, SocketAddr};

use harness::case::addr::{Addr, Role, Scope};
use harness::case::op::{Intent, Opt, Value};
use harness::case::{Case, Flags, Hex, Lab, LabOp, LinkKind, Op, Payload};
use harness::wire::{Mac, build};

/// What every send of these suites carries: the forum program's six bytes.
const HELLO: &str = "hello\0";

/// A case without its id, which its table gives it.
pub(crate) fn case(title: String, lab: Lab, ops: Vec<Op>) -> Case {
    Case::new(String::new(), title, lab, ops)
}

/// The same, covering these rows of the catalogue of behaviours.
pub(crate) fn covering(mut case: Case, catalogue: &[&str]) -> Case {
    case.catalogue.extend(catalogue.iter().map(|row| (*row).to_owned()));
    case
}

/// An IPv4 address, or an IPv6 one.
pub(crate) fn ip(text: &str, port: u16) -> Addr {
    Addr::ip(text.parse::<IpAddr>().expect("an address of a table"), port)
}

pub(crate) fn socket(fd: &str, domain: &'static str, kind: &'static str) -> Op {
    socket_of(fd, domain, &[kind], &[])
}

pub(crate) fn socket_of(
    fd: &str,
    domain: &'static str,
    kind: &[&'static str],
    protocol: &[&'static str],
) -> Op {
    let (r#type, protocol) = (Flags::of(kind), Flags::of(protocol));
    Op::Socket { fd: fd.to_owned(), domain: domain.into(), r#type, protocol }
}

pub(crate) fn bind(fd: &str, addr: Addr) -> Op {
    Op::Bind { fd: fd.to_owned(), addr }
}

pub(crate) fn connect(fd: &str, addr: Addr) -> Op {
    Op::Connect { fd: fd.to_owned(), addr }
}

pub(crate) fn sendto(fd: &str, addr: Addr) -> Op {
    sendto_of(fd, Payload::Text(HELLO.to_owned()), addr)
}

pub(crate) fn sendto_of(fd: &str, data: Payload, addr: Addr) -> Op {
    Op::Sendto { fd: fd.to_owned(), data, flags: Flags::NONE, addr }
}

pub(crate) fn send_of(fd: &str, data: Payload, flags: &[&'static str]) -> Op {
    Op::Send { fd: fd.to_owned(), data, flags: Flags::of(flags) }
}

/// What waits on a receiver, if anything.
pub(crate) fn recvfrom(fd: &str) -> Op {
    Op::Recvfrom { fd: fd.to_owned(), len: 64, flags: Flags::of(&["MSG_DONTWAIT"]) }
}

pub(crate) fn recv(fd: &str) -> Op {
    Op::Recv { fd: fd.to_owned(), len: 64, flags: Flags::of(&["MSG_DONTWAIT"]) }
}

pub(crate) fn getsockname(fd: &str) -> Op {
    Op::Getsockname { fd: fd.to_owned() }
}

pub(crate) fn getpeername(fd: &str) -> Op {
    Op::Getpeername { fd: fd.to_owned() }
}

fn raw(level: &'static str, name: &'static str) -> Opt {
    Opt::Raw { level: level.into(), name: name.into() }
}

pub(crate) fn setsockopt(fd: &str, level: &'static str, name: &'static str, value: Value) -> Op {
    Op::Setsockopt { fd: fd.to_owned(), option: raw(level, name), value }
}

/// `SO_BINDTODEVICE`, `IP_BOUND_IF` or `IPV6_BOUND_IF`.
pub(crate) fn bind_to(fd: &str, link: &str) -> Op {
    let option = Opt::Intent(Intent::BindToInterface);
    Op::Setsockopt { fd: fd.to_owned(), option, value: Value::Link(link.to_owned()) }
}

/// Do not fragment, by whichever option says it here.
pub(crate) fn intent(fd: &str, on: bool) -> Op {
    let option = Opt::Intent(Intent::DontFragment);
    Op::Setsockopt { fd: fd.to_owned(), option, value: Value::Int(i32::from(on)) }
}

/// An option that is an `int`.
pub(crate) fn getsockopt(fd: &str, level: &'static str, name: &'static str) -> Op {
    Op::Getsockopt { fd: fd.to_owned(), option: raw(level, name), len: 4 }
}

/// `SO_ERROR`: what surfaced since.
pub(crate) fn so_error(fd: &str) -> Op {
    getsockopt(fd, "SOL_SOCKET", "SO_ERROR")
}

/// `O_NONBLOCK`, by fcntl: `SOCK_NONBLOCK` is not everywhere.
pub(crate) fn nonblocking(fd: &str) -> Op {
    Op::Fcntl {
        fd: fd.to_owned(),
        cmd: "F_SETFL".into(),
        arg: Flags::of(&["O_NONBLOCK"]),
        pid: None,
    }
}

pub(crate) fn lab(step: LabOp) -> Op {
    Op::Lab { step }
}

/// The scope that a link-local address of the link has, or none.
pub(crate) fn scoped(text: &str, port: u16, link: &str) -> Addr {
    ip(text, port).scoped(Scope::Link(link.to_owned()))
}

/// What waits on a receiver, with its control messages.
pub(crate) fn recvmsg(fd: &str) -> Op {
    let flags = Flags::of(&["MSG_DONTWAIT"]);
    Op::Recvmsg { fd: fd.to_owned(), len: 64, lens: Vec::new(), control_len: 128, flags }
}

/// A datagram comes in from somebody on the link of the lab, addressed by the link layer as its
/// destination asks (RFC 2464 §7, RFC 1112 §6.4).
pub(crate) fn arrives(on: &Lab, link: &str, src: &str, dst: SocketAddr, data: &str) -> Op {
    let number = on.number(link).unwrap_or_default();
    let own = Mac([2, 0, 0, 0, number, Role::Own as u8]);
    let to = match dst.ip() {
        IpAddr::V6(ip) if ip.is_multicast() => {
            let [.., a, b, c, d] = ip.octets();
            Mac([0x33, 0x33, a, b, c, d])
        }
        IpAddr::V4(ip) if ip.is_multicast() => {
            let [_, b, c, d] = ip.octets();
            Mac([1, 0, 0x5e, b & 0x7f, c, d])
        }
        _ => own,
    };
    let kind = on.links.iter().find(|known| known.name == link).map(|known| known.kind);
    let header = match kind {
        Some(LinkKind::Tun) => build::Link::Ip,
        _ => {
            build::Link::Ethernet { src: Mac([2, 0, 0, 0, number, Role::Neighbour as u8]), dst: to }
        }
    };
    let src = SocketAddr::new(src.parse().expect("an address of a table"), 9_000);
    let frame = build::udp(header, src, dst, 64, data.as_bytes()).expect("of one family");
    lab(LabOp::Inject { link: link.to_owned(), frame: Hex(frame) })
}
