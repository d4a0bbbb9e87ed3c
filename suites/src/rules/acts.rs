//! What the calls of a case asked the host to send: each send with what was known of its socket.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;

use harness::case::addr::{Port, SockAddr};
use harness::case::op::{Code, Control, Intent, Op, Opt, Value};
use harness::case::{Flags, LabOp, Payload, plain};
use harness::trace::Out;

use super::view::{Call, View};

/// What a socket puts on a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `SOCK_DGRAM` of UDP.
    Udp,
    /// `SOCK_DGRAM` of ICMP: the kernel writes the identifier and the checksum.
    Ping,
    /// `SOCK_RAW`: for IPv6 the kernel writes the checksum of ICMP (RFC 3542 §3.1).
    Raw { v6: bool },
    /// `SOCK_STREAM`.
    Tcp,
}

/// Where something was to go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dest<'a> {
    pub(super) addr: &'a SockAddr,
    /// Whether the case chose the port, so that it is the same in every run.
    port_is_fixed: bool,
}

impl Dest<'_> {
    /// The address that packets carry: IPv4 for an IPv4-mapped one (RFC 3493 §3.7); none for the
    /// wildcard, which each host reads in its own way.
    pub(super) fn ip(&self) -> Option<IpAddr> {
        let ip = match self.addr.ip()? {
            IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4),
            ip @ IpAddr::V4(_) => ip,
        };
        Some(ip).filter(|ip| !ip.is_unspecified())
    }

    /// Whether a packet to `ip` may be for it.
    pub(super) fn is(&self, ip: IpAddr) -> bool {
        self.ip().is_none_or(|own| own == ip)
    }

    /// `fe80::1%down0 port 12345`: the same in every run.
    pub(super) fn say(&self, view: &View<'_>) -> String {
        let mut text = self.addr.ip().map_or_else(|| self.addr.to_string(), |ip| ip.to_string());
        if let SockAddr::V6 { scope: scope @ 1.., .. } = self.addr {
            text += "%";
            text += &view.link_of(*scope).map_or_else(|| scope.to_string(), str::to_owned);
        }
        if let Some(port) = self.addr.port().filter(|_| self.port_is_fixed) {
            let _ = write!(text, " port {port}");
        }
        text
    }
}

/// A send, or a `connect` that starts a handshake.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one call")]
pub(super) struct Act<'a> {
    /// Which of the view's calls.
    pub(super) call: usize,
    pub(super) op: u32,
    pub(super) fd: &'a str,
    pub(super) kind: Kind,
    /// Whether it is a `connect`.
    pub(super) connects: bool,
    /// Whether it reported success, or for `connect` progress.
    pub(super) ok: bool,
    /// What shall be sent, with what earlier sends with `MSG_MORE` had left waiting.
    pub(super) bytes: Vec<u8>,
    /// More may stand before `bytes`: a send failed while others were waiting.
    pub(super) doubtful: bool,
    /// None where it is not known: then any will do.
    pub(super) dest: Option<Dest<'a>>,
    /// The link that the socket is bound to.
    pub(super) bound: Option<&'a str>,
    /// By which link multicast was told to leave: a control message, `IP_MULTICAST_IF` or its twin.
    pub(super) by: Option<&'a str>,
    /// Whether the socket is bound to an address of loopback.
    pub(super) from_loopback: bool,
    /// Whether members on this host shall hear it: `IP_MULTICAST_LOOP` and its twin.
    pub(super) loops: bool,
    /// The kernel cuts the datagram (`UDP_SEGMENT`).
    pub(super) segments: bool,
    /// Nothing has to leave the host: multicast with a hop limit of zero (RFC 1112 §6.1) or interface-local
    /// scope (RFC 4291 §2.7), `TCP_REPAIR`, or a `write` of nothing, whose "results are unspecified" (POSIX write).
    pub(super) stays: bool,
    /// Where the kernel writes a checksum into the bytes (`IPV6_CHECKSUM`).
    pub(super) checksum: Option<usize>,
    /// For a stream: the first data of a connection, in the network in which it was made.
    pub(super) opens: bool,
}

/// What a receive of the case got.
pub(super) struct Receipt<'a> {
    /// Where the call stands in the trace.
    pub(super) place: usize,
    pub(super) fd: &'a str,
    pub(super) kind: Option<Kind>,
    pub(super) bytes: &'a [u8],
    /// How much it had room for.
    pub(super) room: u32,
}

/// What the case sent and what it received, in order.
pub(super) struct Acts<'a> {
    pub(super) list: Vec<Act<'a>>,
    pub(super) receipts: Vec<Receipt<'a>>,
}

/// Follows the sockets of the case through its calls.
pub(super) fn acts<'a>(view: &View<'a>) -> Acts<'a> {
    let acts = Acts { list: Vec::new(), receipts: Vec::new() };
    let mut walk = Walk { view, socks: BTreeMap::new(), acts };
    for (index, call) in view.calls.iter().enumerate() {
        walk.step(index, call);
    }
    walk.acts
}

/// Datagrams that wait for a send without `MSG_MORE`.
struct Cork<'a> {
    bytes: Vec<u8>,
    dest: Option<Dest<'a>>,
    doubtful: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "independent facts about one socket")]
struct Sock<'a> {
    kind: Kind,
    peer: Option<Dest<'a>>,
    bound: Option<&'a str>,
    /// By `IP_MULTICAST_IF` or its twin.
    by: Option<&'a str>,
    /// Whether the socket is bound to an address of loopback.
    from_loopback: bool,
    loops: bool,
    segments: bool,
    no_hops: bool,
    cork: Option<Cork<'a>>,
    /// By `UDP_CORK`: every send is one with `MSG_MORE`.
    corks: bool,
    /// By `TCP_REPAIR`: neither a SYN nor data leaves.
    repairs: bool,
    /// By `IPV6_CHECKSUM`.
    checksum: Option<usize>,
    /// The call that made the connection, or began to.
    connected: Option<u32>,
    wrote: bool,
}

impl<'a> Sock<'a> {
    /// What a call on it asks for, as far as the socket decides it.
    fn act(&self, (index, call): (usize, &Call<'a>), fd: &'a str) -> Act<'a> {
        Act {
            call: index,
            op: call.op,
            fd,
            kind: self.kind,
            connects: false,
            ok: call.ok(),
            bytes: Vec::new(),
            doubtful: false,
            dest: None,
            bound: self.bound,
            by: packet_info(call.what).or(self.by),
            from_loopback: self.from_loopback,
            loops: self.loops,
            segments: self.segments || is_cut(call.what),
            stays: self.repairs,
            checksum: self.checksum,
            opens: false,
        }
    }

    /// The datagram of these bytes.
    fn datagram(
        &self,
        call: (usize, &Call<'a>),
        fd: &'a str,
        bytes: Vec<u8>,
        dest: Option<Dest<'a>>,
    ) -> Act<'a> {
        let act = self.act(call, fd);
        let nothing =
            bytes.is_empty() && matches!(call.1.what, Op::Write { .. } | Op::Writev { .. });
        let at = dest.and_then(|dest| dest.ip());
        let stays = act.stays || nothing || at.is_some_and(|ip| stays(ip, self.no_hops));
        Act { bytes, dest, stays, ..act }
    }

    fn new(kind: Kind) -> Self {
        Self {
            kind,
            peer: None,
            bound: None,
            by: None,
            from_loopback: false,
            loops: true,
            segments: false,
            no_hops: false,
            cork: None,
            corks: false,
            repairs: false,
            checksum: None,
            connected: None,
            wrote: false,
        }
    }
}

struct Walk<'v, 'a> {
    view: &'v View<'a>,
    socks: BTreeMap<&'a str, Sock<'a>>,
    acts: Acts<'a>,
}

impl<'a> Walk<'_, 'a> {
    fn step(&mut self, index: usize, call: &Call<'a>) {
        match call.what {
            Op::Socket { fd, domain, r#type, protocol } if call.ok() => {
                self.socks.remove(fd.as_str());
                if let Some(kind) = kind(domain.as_str(), r#type, protocol) {
                    self.socks.insert(fd, Sock::new(kind));
                }
            }
            Op::Accept { fd, new } | Op::Accept4 { fd, new, .. } if call.ok() => {
                let Some(kind) = self.socks.get(fd.as_str()).map(|sock| sock.kind) else { return };
                let peer = match call.out {
                    Out::Addr(addr) => Some(Dest { addr, port_is_fixed: false }),
                    _ => None,
                };
                let connected = Some(call.op);
                self.socks.insert(new, Sock { peer, connected, ..Sock::new(kind) });
            }
            Op::Dup { fd, new } if call.ok() => {
                // By either name more can be done than the other knows: of both no more is said.
                self.socks.remove(fd.as_str());
                self.socks.remove(new.as_str());
            }
            Op::Close { fd } => {
                self.socks.remove(fd.as_str());
            }
            // What is in a pipe or a file is not followed.
            Op::Splice { to, .. } | Op::Sendfile { fd: to, .. } => {
                self.socks.remove(to.as_str());
            }
            Op::Connect { fd, .. } => self.connect(index, call, fd),
            Op::Bind { fd, .. } if call.ok() => {
                if let Some(sock) = self.socks.get_mut(fd.as_str()) {
                    let ip = call.addr.and_then(SockAddr::ip);
                    sock.from_loopback = ip.is_some_and(|ip| ip.to_canonical().is_loopback());
                }
            }
            Op::Connectx { fd, .. } => self.connectx(index, call, fd),
            Op::SendmsgX { fd, data, .. } | Op::Sendmmsg { fd, data, .. } => {
                self.batch(index, call, fd, data);
            }
            Op::Disconnectx { fd } if call.ok() => {
                if let Some(sock) = self.socks.get_mut(fd.as_str()) {
                    (sock.peer, sock.connected) = (None, None);
                }
            }
            Op::Setsockopt { fd, option, value } if call.ok() => self.option(fd, option, value),
            Op::Send { fd, .. }
            | Op::Sendto { fd, .. }
            | Op::Sendmsg { fd, .. }
            | Op::Writev { fd, .. }
            | Op::Write { fd, .. } => self.send(index, call, fd),
            Op::Raw { .. } => self.raw(index, call),
            Op::Readv { fd, lens } => self.receipt(call, fd, lens.iter().sum()),
            Op::Recv { fd, len, .. }
            | Op::Recvfrom { fd, len, .. }
            | Op::Recvmsg { fd, len, .. }
            | Op::Read { fd, len }
            | Op::RecvmsgX { fd, len, .. }
            | Op::Recvmmsg { fd, len, .. } => self.receipt(call, fd, *len),
            _ => {}
        }
    }

    /// What a call received that had room for so many bytes.
    fn receipt(&mut self, call: &Call<'a>, fd: &'a str, room: u32) {
        let kind = self.socks.get(fd).map(|sock| sock.kind);
        let receipt = |bytes| Receipt { place: call.place, fd, kind, bytes, room };
        match call.out {
            Out::Data { bytes, .. } => self.acts.receipts.push(receipt(&bytes.0)),
            Out::Messages(list) => {
                self.acts.receipts.extend(list.iter().map(|got| receipt(&got.bytes.0)));
            }
            _ => {}
        }
    }

    /// Its data is a datagram. On a stream it is no act: whether a SYN leaves at once, and with which
    /// data, the flags decide.
    fn connectx(&mut self, index: usize, call: &Call<'a>, fd: &'a str) {
        let (Some(sock), Op::Connectx { link, data, .. }) = (self.socks.get_mut(fd), call.what)
        else {
            return;
        };
        let (progress, to) = (call.ok() || call.errno == Some("EINPROGRESS"), dest(call));
        let before = sock.bound;
        sock.bound = link.as_deref().or(before);
        if let Some(bytes) = data.as_ref().map(Payload::bytes)
            && sock.kind != Kind::Tcp
            // The length that it tells is what it has sent.
            && !matches!(call.out, Out::Int(sent) if usize::try_from(*sent) != Ok(bytes.len()) && call.ok())
        {
            self.acts.list.push(sock.datagram((index, call), fd, bytes, to));
        }
        if !progress {
            sock.bound = before;
        }
        (sock.peer, sock.connected) = (to.filter(|_| progress), None);
    }

    /// Each payload is a datagram; of a call that succeeds only as many as it says were to be sent.
    fn batch(&mut self, index: usize, call: &Call<'a>, fd: &'a str, data: &'a [Payload]) {
        let more = call.what.send_flags().is_some_and(|flags| flags.has("MSG_MORE"));
        let Some(sock) = self.socks.get_mut(fd) else { return };
        if sock.kind == Kind::Tcp {
            sock.wrote |= call.ok();
            return;
        }
        if more {
            // Which of them are pieces of one datagram, nobody knows behind it.
            self.socks.remove(fd);
            return;
        }
        let to = dest(call).or(sock.peer);
        let sent = if call.ok() { usize::try_from(call.ret).unwrap_or(0) } else { data.len() };
        for payload in data.iter().take(sent) {
            self.acts.list.push(sock.datagram((index, call), fd, payload.bytes(), to));
        }
    }

    /// What a pointer leads to is known where it is a buffer of the case's; where it is not, no more is said.
    fn raw(&mut self, index: usize, call: &Call<'a>) {
        let Some(fd) = call.what.fd() else { return };
        match call.what.written() {
            Some(_) => self.send(index, call, fd),
            None if call.ok() && (call.what.sends() || call.what.call() == "connect") => {
                self.socks.remove(fd);
            }
            None => {}
        }
    }

    fn connect(&mut self, index: usize, call: &Call<'a>, fd: &'a str) {
        let Some(sock) = self.socks.get_mut(fd) else { return };
        let progress = call.ok() || call.errno == Some("EINPROGRESS");
        let dest = dest(call);
        if call.addr.is_none_or(|addr| addr.ip().is_none()) {
            // AF_UNSPEC takes the peer away (connect, DESCRIPTION), another family fails.
            if progress {
                (sock.peer, sock.connected) = (None, None);
            }
            return;
        }
        if sock.kind == Kind::Tcp && sock.connected.is_none() {
            let act = sock.act((index, call), fd);
            self.acts.list.push(Act { connects: true, ok: progress, dest, ..act });
        }
        if progress {
            sock.peer = dest;
            sock.connected = sock.connected.or(Some(call.op));
        } else if !matches!(call.errno, Some("EALREADY" | "EISCONN")) {
            // "If connect() fails, the state of the socket is unspecified."
            (sock.peer, sock.connected) = (None, None);
        }
    }

    fn option(&mut self, fd: &str, option: &Opt, value: &'a Value) {
        let view = self.view;
        let Some(sock) = self.socks.get_mut(fd) else { return };
        let name = match option {
            Opt::Intent(Intent::BindToInterface) => "SO_BINDTODEVICE",
            Opt::Intent(_) => return,
            Opt::Raw { name, .. } => name.as_str(),
        };
        match name {
            "SO_BINDTODEVICE" | "IP_BOUND_IF" | "IPV6_BOUND_IF" => {
                sock.bound = if let Value::Link(link) = value { Some(link) } else { None };
            }
            // What waits leaves when it is taken off, by no call that sends.
            "UDP_CORK" => (sock.corks, sock.cork) = (!is_zero(value), None),
            "TCP_REPAIR" => sock.repairs = !is_zero(value),
            "IPV6_CHECKSUM" => {
                sock.checksum = match value {
                    Value::Int(at) => usize::try_from(*at).ok(),
                    _ => None,
                };
            }
            "UDP_SEGMENT" => sock.segments = *value != Value::Int(0),
            "IP_MULTICAST_TTL" | "IPV6_MULTICAST_HOPS" => sock.no_hops = is_zero(value),
            "IP_MULTICAST_LOOP" | "IPV6_MULTICAST_LOOP" => sock.loops = !is_zero(value),
            "IP_MULTICAST_IF" | "IPV6_MULTICAST_IF" => sock.by = link_of(view, value),
            _ => {}
        }
    }

    fn send(&mut self, index: usize, call: &Call<'a>, fd: &'a str) {
        let view = self.view;
        let (Some(sock), Some(mut bytes)) = (self.socks.get_mut(fd), call.what.written()) else {
            return;
        };
        let stream = sock.kind == Kind::Tcp;
        if stream {
            bytes.truncate(usize::try_from(call.ret).unwrap_or(0));
        }
        let mut dest = dest(call).filter(|_| !stream).or(sock.peer);
        let mut doubtful = false;
        let opens = stream
            && !sock.wrote
            && sock.connected.is_some_and(|op| is_same_network(view, op, call));
        if call.ok() {
            sock.wrote = true;
            if let Some(cork) = sock.cork.take() {
                (dest, doubtful) = (cork.dest, cork.doubtful);
                bytes.splice(..0, cork.bytes);
            }
            let more = call.what.send_flags().is_some_and(|flags| flags.has("MSG_MORE"));
            if more || sock.corks {
                if !stream {
                    sock.cork = Some(Cork { bytes, dest, doubtful });
                }
                return;
            }
        } else if let Some(cork) = &mut sock.cork {
            // The error speaks of the datagram that the pieces are of: whether those that waited
            // go with it or wait on, the program has been told.
            cork.bytes.clear();
            cork.doubtful = true;
        }
        let act = sock.datagram((index, call), fd, bytes, dest);
        self.acts.list.push(Act { doubtful, opens, ..act });
    }
}

/// The address that the call was given, as a destination.
fn dest<'a>(call: &Call<'a>) -> Option<Dest<'a>> {
    let port_is_fixed = matches!(call.what.addr()?.port, Port::Is(_));
    call.addr.map(|addr| Dest { addr, port_is_fixed })
}

fn kind(domain: &str, r#type: &Flags, protocol: &Flags) -> Option<Kind> {
    let v6 = match plain(domain) {
        "AF_INET" => false,
        "AF_INET6" => true,
        _ => return None,
    };
    let is = |names: &[&str]| {
        protocol.0.is_empty() || protocol.0.iter().all(|p| names.contains(&p.plain()))
    };
    if r#type.has("SOCK_RAW") {
        Some(Kind::Raw { v6 })
    } else if r#type.has("SOCK_STREAM") {
        is(&["IPPROTO_TCP", "IPPROTO_IP"]).then_some(Kind::Tcp)
    } else if !r#type.has("SOCK_DGRAM") {
        None
    } else if is(&["IPPROTO_UDP", "IPPROTO_IP"]) {
        Some(Kind::Udp)
    } else {
        is(&["IPPROTO_ICMP", "IPPROTO_ICMPV6"]).then_some(Kind::Ping)
    }
}

/// Whether the message itself asks for segments.
fn is_cut(op: &Op) -> bool {
    let Op::Sendmsg { control, .. } = op else { return false };
    control.iter().any(|control| match control {
        Control::Int { name, .. } | Control::Bytes { kind: Code::Name(name), .. } => {
            name.as_str() == "UDP_SEGMENT"
        }
        // By its number it may be anything.
        Control::Bytes { kind: Code::Number(_), .. } => true,
        Control::PktInfo { .. } | Control::Rights { .. } | Control::Credentials { .. } => false,
    })
}

/// The link that a control message names.
fn packet_info(op: &Op) -> Option<&str> {
    let Op::Sendmsg { control, .. } = op else { return None };
    control.iter().find_map(|control| match control {
        Control::PktInfo { link, .. } => link.as_deref(),
        _ => None,
    })
}

/// The link that `IP_MULTICAST_IF` or its twin is given, by whichever of its names.
fn link_of<'a>(view: &View<'a>, value: &'a Value) -> Option<&'a str> {
    match value {
        Value::Link(link) => Some(link),
        Value::Int(index) => view.link_of(u32::try_from(*index).ok()?),
        Value::Host(host) => match view.case.lab.ip(host)? {
            ip if ip.is_loopback() => Some("lo"),
            ip => view.case.lab.who(ip).map(|(link, ..)| link.name.as_str()),
        },
        _ => None,
    }
}

/// An `int`, or the one byte that BSD's own options are (ip(4)).
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Int(number) => *number == 0,
        Value::Bytes(bytes) => !bytes.0.is_empty() && bytes.0.iter().all(|byte| *byte == 0),
        _ => false,
    }
}

fn stays(ip: IpAddr, no_hops: bool) -> bool {
    let interface_local = matches!(ip, IpAddr::V6(ip) if ip.segments()[0] & 0xf <= 1);
    ip.is_multicast() && (no_hops || interface_local)
}

/// Whether the lab left the network alone between the step `from` and the call.
pub(super) fn is_same_network(view: &View<'_>, from: u32, call: &Call<'_>) -> bool {
    let harmless = |step: &LabOp| {
        matches!(
            step,
            LabOp::Wait { .. }
                | LabOp::Inject { .. }
                | LabOp::Say { .. }
                | LabOp::Resume { .. }
                | LabOp::RetransTime { .. }
        )
    };
    view.lab_steps()
        .filter_map(|(number, step)| Some((number?, step)))
        .filter(|(number, _)| (from..call.op).contains(number))
        .all(|(_, step)| harmless(step))
}
