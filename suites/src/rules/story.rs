//! Traces made by hand: a case and what happened, told step by step.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use harness::case::addr::{Addr, Host, Port, Scope, SockAddr};
use harness::case::op::{Op, Opt, Value};
use harness::case::payload::Payload;
use harness::case::{Case, Flags, Hex, Lab, LabOp, Link, LinkKind, Os, Sym};
use harness::trace::{Did, Direction, End, Event, LinkFact, Out, Trace};
use harness::wire::build::{self, Segment};
use harness::wire::{Fragment, Mac, TcpFlags};

use super::{Finding, Rule};

pub(super) const HELLO: &str = "hello\0";
/// The index of a link, before which stands loopback.
const FIRST_INDEX: u32 = 2;
const OWN: Mac = Mac([2, 0, 0, 0, 0, 1]);
const THEIRS: Mac = Mac([2, 0, 0, 0, 0, 2]);

/// A case with what happened, in a lab with the links `l0` and `l1`.
pub(super) struct Story {
    pub(super) case: Case,
    pub(super) trace: Trace,
    kind: LinkKind,
    now_ns: u64,
}

impl Story {
    pub(super) fn on(kind: LinkKind) -> Self {
        let links = vec![Link::new(kind, "l0"), Link::new(kind, "l1")];
        let fact = |name: &str, index, kind| LinkFact {
            name: name.into(),
            index,
            kind,
            mac: Hex(OWN.0.to_vec()),
            unseen: false,
        };
        let facts = vec![
            fact("lo", 1, None),
            fact("l0", FIRST_INDEX, Some(kind)),
            fact("l1", FIRST_INDEX + 1, Some(kind)),
        ];
        Self {
            case: Case::new(
                "rules/story",
                "A story.",
                Lab { links, setup: Vec::new() },
                Vec::new(),
            ),
            trace: Trace::new("rules/story", facts, Vec::new(), End::Done),
            kind,
            now_ns: 0,
        }
    }

    /// On taps, with the UDP socket `s` of IPv6.
    pub(super) fn udp6() -> Self {
        Self::on(LinkKind::Tap).ok(socket("s", "AF_INET6", "SOCK_DGRAM", &[]), 0)
    }

    /// On taps, with the UDP socket `s` of IPv4.
    pub(super) fn udp4() -> Self {
        Self::on(LinkKind::Tap).ok(socket("s", "AF_INET", "SOCK_DGRAM", &[]), 0)
    }

    /// On taps, with the TCP socket `s` of IPv6.
    pub(super) fn tcp6() -> Self {
        Self::on(LinkKind::Tap).ok(socket("s", "AF_INET6", "SOCK_STREAM", &[]), 0)
    }

    fn op(&self) -> u32 {
        u32::try_from(self.case.ops.len()).unwrap().saturating_sub(1)
    }

    fn tick(&mut self) -> u64 {
        self.now_ns += 1000;
        self.now_ns
    }

    fn resolved(&self, addr: &Addr) -> SockAddr {
        let Port::Is(port) = addr.port else { panic!("stories have fixed ports") };
        let scope = match &addr.scope {
            Scope::Zero => 0,
            Scope::Id(id) => *id,
            Scope::Link(link) => FIRST_INDEX + u32::from(self.case.lab.number(link).unwrap()),
        };
        if let Some(family) = &addr.family {
            return SockAddr::Bare { family: family.to_string() };
        }
        match self.case.lab.ip(&addr.host).unwrap() {
            IpAddr::V4(ip) => SockAddr::V4 { ip, port },
            IpAddr::V6(ip) => SockAddr::V6 { ip, port, scope },
        }
    }

    /// A call and all that it gave.
    pub(super) fn call(mut self, op: Op, ret: i64, errno: Option<&'static str>, out: Out) -> Self {
        let addr = op.addr().map(|addr| self.resolved(addr));
        self.case.ops.push(op);
        let (op, at_ns) = (self.op(), self.tick());
        let did = Did::Returned { ret, errno: errno.map(Sym::from), out };
        self.trace.events.push(Event::Call { op, at_ns, took_ns: 500, addr, did });
        self
    }

    /// A call that succeeds.
    pub(super) fn ok(self, op: Op, ret: i64) -> Self {
        self.call(op, ret, None, Out::Nothing)
    }

    /// A call that fails.
    pub(super) fn err(self, op: Op, errno: &'static str) -> Self {
        self.call(op, -1, Some(errno), Out::Nothing)
    }

    /// A call that writes something.
    pub(super) fn gives(self, op: Op, out: Out) -> Self {
        self.call(op, 0, None, out)
    }

    /// A receive of these bytes.
    pub(super) fn receives(self, fd: &str, len: u32, bytes: &[u8]) -> Self {
        let ret = i64::try_from(bytes.len()).unwrap();
        let bytes = Hex(bytes.to_vec());
        let out = Out::Data { bytes, from: None, flags: Vec::new(), control: Vec::new() };
        self.call(Op::Recv { fd: fd.into(), len, flags: Flags::NONE }, ret, None, out)
    }

    /// The call before raised this signal.
    pub(super) fn signal(mut self, name: &str) -> Self {
        let (op, at_ns) = (self.op(), self.tick());
        self.trace.events.push(Event::Signal { op, at_ns, name: name.into() });
        self
    }

    /// A call that did not return, at which the case ends.
    pub(super) fn hangs(mut self, op: Op) -> Self {
        self.case.ops.push(op);
        let (op, at_ns) = (self.op(), self.tick());
        let did = Did::Hung { after_ms: 1000 };
        self.trace.events.push(Event::Call { op, at_ns, took_ns: 500, addr: None, did });
        self.trace.end = End::Hung;
        self
    }

    /// A local pair of this type.
    pub(super) fn pair(self, a: &str, b: &str, kind: &'static str) -> Self {
        let (r#type, protocol) = (Flags::of(&[kind]), Flags::NONE);
        let (a, b) = (a.into(), b.into());
        self.ok(Op::Socketpair { a, b, domain: "AF_UNIX".into(), r#type, protocol }, 0)
    }

    /// A step of the lab.
    pub(super) fn lab(mut self, step: LabOp) -> Self {
        self.case.ops.push(Op::Lab { step });
        let (op, at_ns) = (self.op(), self.tick());
        self.trace.events.push(Event::Lab { op, at_ns, took_ns: 500 });
        self
    }

    /// Time passes before the next event.
    pub(super) fn later(mut self, ms: u64) -> Self {
        self.now_ns += ms * 1_000_000;
        self
    }

    pub(super) fn frame(mut self, link: &str, dir: Direction, bytes: Vec<u8>) -> Self {
        let (op, at_ns) = (self.op(), self.tick());
        let (link, bytes) = (link.to_owned(), Hex(bytes));
        self.trace.events.push(Event::Frame { op, at_ns, link, dir, bytes });
        self
    }

    pub(super) fn header(&self, link: &str) -> build::Link {
        match (link, self.kind) {
            ("lo", _) | (_, LinkKind::Tap) => build::Link::Ethernet { src: OWN, dst: THEIRS },
            (_, LinkKind::Tun) => build::Link::Ip,
        }
    }

    /// A UDP datagram leaves for `dst`.
    pub(super) fn udp(self, link: &str, dst: &str, payload: &[u8]) -> Self {
        let dst = end(dst);
        let frame = build::udp(self.header(link), source(dst), dst, 64, payload).unwrap();
        self.frame(link, Direction::Out, frame)
    }

    /// A piece of a UDP datagram leaves: the bytes `from` to `to` of its IP payload.
    pub(super) fn piece(self, link: &str, dst: &str, payload: &[u8], from: u32, to: u32) -> Self {
        let dst = end(dst);
        let all = build::udp_datagram(source(dst), dst, payload).unwrap();
        self.piece_of(link, (dst.ip(), 17), &all, from, to)
    }

    /// The same of any protocol.
    pub(super) fn piece_of(
        self,
        link: &str,
        (dst, protocol): (IpAddr, u8),
        all: &[u8],
        from: u32,
        to: u32,
    ) -> Self {
        let more = (to as usize) < all.len();
        let bytes = &all[from as usize..all.len().min(to as usize)];
        let piece = Fragment { offset: from, more, id: 7 };
        let (src, header) = (source(SocketAddr::new(dst, 0)).ip(), self.header(link));
        let frame = build::fragment(header, src, dst, 64, protocol, piece, bytes).unwrap();
        self.frame(link, Direction::Out, frame)
    }

    /// An error comes that quotes a datagram to `dst` as too large for a path of 1280 bytes.
    pub(super) fn too_big_comes(self, dst: &str) -> Self {
        self.too_big_comes_of(dst, 17)
    }

    /// The same about a packet of that protocol.
    pub(super) fn too_big_comes_of(self, dst: &str, protocol: u8) -> Self {
        let dst = end(dst);
        let own = source(dst);
        let quote = if protocol == 17 {
            build::udp(build::Link::Ip, own, dst, 64, b"too big")
        } else {
            let echo_reply = [u8::from(dst.is_ipv6()) * 129, 0, 0, 0, 0, 7, 0, 1];
            build::ip(build::Link::Ip, own.ip(), dst.ip(), 64, protocol, &echo_reply)
        };
        let quote = quote.unwrap();
        let (kind, code) = if dst.is_ipv4() { (3, 4) } else { (2, 0) };
        let header = self.header("l0");
        let frame =
            build::icmp_error(header, dst.ip(), own.ip(), kind, code, 1280, &quote).unwrap();
        self.frame("l0", Direction::In, frame)
    }

    /// A packet of any protocol leaves.
    pub(super) fn ip(self, link: &str, dst: &str, protocol: u8, body: &[u8]) -> Self {
        let dst: IpAddr = dst.parse().unwrap();
        let src = source(SocketAddr::new(dst, 0)).ip();
        let frame = build::ip(self.header(link), src, dst, 64, protocol, body).unwrap();
        self.frame(link, Direction::Out, frame)
    }

    /// A TCP segment leaves for `dst`.
    pub(super) fn tcp(self, link: &str, dst: &str, flags: TcpFlags, payload: &[u8]) -> Self {
        let dst = end(dst);
        self.segment(link, (source(dst), dst), Direction::Out, flags, (1, payload))
    }

    /// A TCP segment comes from `src`, with a window of zero unless it has the flag SYN.
    pub(super) fn tcp_from(self, link: &str, src: &str, flags: TcpFlags) -> Self {
        let src = end(src);
        self.segment(link, (src, source(src)), Direction::In, flags, (1, &[]))
    }

    /// A TCP segment leaves for `dst`, its first byte having this sequence number.
    pub(super) fn tcp_at(
        self,
        link: &str,
        dst: &str,
        flags: TcpFlags,
        seq: u32,
        payload: &[u8],
    ) -> Self {
        let dst = end(dst);
        self.segment(link, (source(dst), dst), Direction::Out, flags, (seq, payload))
    }

    fn segment(
        self,
        link: &str,
        (src, dst): (SocketAddr, SocketAddr),
        dir: Direction,
        flags: TcpFlags,
        (seq, payload): (u32, &[u8]),
    ) -> Self {
        let window = if flags.has(TcpFlags::SYN) { 64240 } else { 0 };
        let segment = Segment { flags, seq, ack: 1, window, urgent: 0, options: &[], payload };
        let frame = build::tcp_segment(self.header(link), src, dst, 64, &segment).unwrap();
        self.frame(link, dir, frame)
    }

    /// Somebody is asked for the link-layer address of `target`.
    pub(super) fn asks(self, link: &str, target: &str) -> Self {
        self.asks_from(link, "fe80::1", target)
    }

    /// The same, from this address; from `::` it is duplicate address detection.
    pub(super) fn asks_from(self, link: &str, src: &str, target: &str) -> Self {
        match target.parse().unwrap() {
            IpAddr::V4(target) => {
                let frame = build::arp_request(OWN, Ipv4Addr::new(192, 0, 2, 1), target);
                self.frame(link, Direction::Out, frame)
            }
            IpAddr::V6(target) => {
                let [.., a, b] = target.segments();
                let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | (a & 0xff), b);
                let body = [&[135, 0, 0, 0, 0, 0, 0, 0], &target.octets()[..]].concat();
                let src: Ipv6Addr = src.parse().unwrap();
                let header = self.header(link);
                let frame = build::ip(header, src.into(), group.into(), 255, 58, &body).unwrap();
                self.frame(link, Direction::Out, frame)
            }
        }
    }

    /// The holder of `target` answers.
    pub(super) fn answers(self, link: &str, target: &str) -> Self {
        let frame = match target.parse().unwrap() {
            IpAddr::V4(target_ip) => {
                let sender_ip = Ipv4Addr::new(192, 0, 2, 1);
                let (operation, sender_mac, target_mac) = (1, OWN, Mac::ZERO);
                let request =
                    harness::wire::Arp { operation, sender_mac, sender_ip, target_mac, target_ip };
                build::arp_reply(&request, THEIRS)
            }
            IpAddr::V6(target) => {
                let asker = "fe80::1".parse().unwrap();
                build::neighbour_advertisement(self.header(link), target, asker, Some(THEIRS))
            }
        };
        self.frame(link, Direction::In, frame)
    }

    /// What `rule` finds on Linux.
    pub(super) fn found(&self, rule: &Rule) -> Vec<Finding> {
        (rule.check)(&self.case, &self.trace, Os::Linux)
    }

    /// What `rule` finds on Darwin, as `OP: TEXT`.
    pub(super) fn told_of_darwin(&self, rule: &Rule) -> Vec<String> {
        let found = (rule.check)(&self.case, &self.trace, Os::Macos);
        found.iter().map(|f| format!("{}: {}", f.op, f.text)).collect()
    }

    /// What `rule` finds on Linux, as `OP: TEXT`.
    pub(super) fn told(&self, rule: &Rule) -> Vec<String> {
        self.found(rule).iter().map(|f| format!("{}: {}", f.op, f.text)).collect()
    }
}

fn end(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// The host's own end of an exchange with `peer`.
fn source(peer: SocketAddr) -> SocketAddr {
    let ip: IpAddr = match peer.ip() {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1).into(),
    };
    SocketAddr::new(ip, 50000)
}

pub(super) fn socket(
    fd: &str,
    domain: &'static str,
    kind: &'static str,
    protocol: &[&'static str],
) -> Op {
    let (r#type, protocol) = (Flags::of(&[kind]), Flags::of(protocol));
    Op::Socket { fd: fd.into(), domain: domain.into(), r#type, protocol }
}

/// Port 12345 of `ip`, with the scope id of `link` if it has a name.
pub(super) fn to(ip: &str, link: &str) -> Addr {
    let scope = if link.is_empty() { Scope::Zero } else { Scope::Link(link.into()) };
    let host = Host::Ip(ip.parse().unwrap());
    Addr { host, port: Port::Is(12345), scope, family: None }
}

pub(super) fn text(data: &str) -> Payload {
    Payload::Text(data.into())
}

/// A send by that socket.
pub(super) fn send_by(fd: &str, data: &str) -> Op {
    Op::Send { fd: fd.into(), data: text(data), flags: Flags::NONE }
}

/// A receive into so much room.
pub(super) fn recv_into(fd: &str, len: u32, flags: &[&'static str]) -> Op {
    Op::Recv { fd: fd.into(), len, flags: Flags::of(flags) }
}

/// `recvmsg` into so much room.
pub(super) fn recvmsg(fd: &str, len: u32, flags: &[&'static str]) -> Op {
    Op::Recvmsg { fd: fd.into(), len, lens: Vec::new(), control_len: 64, flags: Flags::of(flags) }
}

/// What a receive gave, with `msg_flags` and a control message of each of these names.
pub(super) fn data(bytes: &str, flags: &[&'static str], control: &[&str]) -> Out {
    let one = |name: &&str| harness::trace::ControlOut {
        level: String::new(),
        name: (*name).to_owned(),
        bytes: Hex(vec![0; 4]),
    };
    Out::Data {
        bytes: Hex(bytes.as_bytes().to_vec()),
        from: None,
        flags: flags.iter().map(|flag| Sym::from(*flag)).collect(),
        control: control.iter().map(one).collect(),
    }
}

/// `shutdown` of that socket.
pub(super) fn shutdown(fd: &str, how: &'static str) -> Op {
    Op::Shutdown { fd: fd.into(), how: how.into() }
}

pub(super) fn sendto(data: &str, addr: Addr) -> Op {
    Op::Sendto { fd: "s".into(), data: text(data), flags: Flags::NONE, addr }
}

pub(super) fn send(data: &str) -> Op {
    Op::Send { fd: "s".into(), data: text(data), flags: Flags::NONE }
}

pub(super) fn connect(addr: Addr) -> Op {
    Op::Connect { fd: "s".into(), addr }
}

pub(super) fn recv(fd: &str) -> Op {
    Op::Recv { fd: fd.into(), len: 100, flags: Flags::NONE }
}

pub(super) fn getsockname() -> Op {
    Op::Getsockname { fd: "s".into() }
}

pub(super) fn close() -> Op {
    Op::Close { fd: "s".into() }
}

pub(super) fn option(level: &'static str, name: &'static str) -> Opt {
    Opt::Raw { level: level.into(), name: name.into() }
}

pub(super) fn setsockopt(option: Opt, value: Value) -> Op {
    Op::Setsockopt { fd: "s".into(), option, value }
}

pub(super) fn getsockopt(level: &'static str, name: &'static str) -> Op {
    Op::Getsockopt { fd: "s".into(), option: option(level, name), len: 4 }
}

/// An option of any socket.
pub(super) fn set_of(fd: &str, name: &'static str, value: Value) -> Op {
    Op::Setsockopt { fd: fd.into(), option: option(level(name), name), value }
}

/// The same asked for.
pub(super) fn ask_of(fd: &str, name: &'static str) -> Op {
    Op::Getsockopt { fd: fd.into(), option: option(level(name), name), len: 4 }
}

fn level(name: &str) -> &'static str {
    match name.split('_').next() {
        Some("IP") => "IPPROTO_IP",
        Some("IPV6") => "IPPROTO_IPV6",
        Some("TCP") => "IPPROTO_TCP",
        _ => "SOL_SOCKET",
    }
}

/// `[::]:PORT`, or another address.
pub(super) fn name(ip: &str, port: u16) -> Out {
    Out::Addr(SockAddr::V6 { ip: ip.parse().unwrap(), port, scope: 0 })
}
