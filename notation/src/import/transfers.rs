//! Calls that send and connect, and what other hosts do for them.

use std::net::{IpAddr, SocketAddr};

use harness::case::far::{Error, Frame, Kind};
use harness::case::{Flags, LabOp, Op, Sym};
use harness::trace::{Did, Out};
use harness::wire::build::{self, Link, Segment};

use super::convert::{Converter, Given};
use super::data::{Data, gathered};
use super::hosts::{Told, is_served, link, told};
use super::log::{Arg, Called};
use super::messages;
use super::sockets::Socket;
use super::words::flags;

pub(super) type Said = Result<(), String>;

/// Flags that a case has nothing to say of.
pub(super) const NO_FLAGS: [&str; 2] = ["MSG_CMSG_CLOEXEC", "MSG_WAITFORONE"];
/// The most room that a case asks for.
pub(super) const MOST_ROOM: usize = 1 << 19;

impl Converter<'_> {
    pub(super) fn sends(&mut self, call: &Called) -> Said {
        let socket = self.socket(call.args.first())?;
        match call.name.as_str() {
            "sendmsg" => {
                let (message, f) = (call.args.get(1), call.args.get(2));
                let message = message.ok_or("the log does not tell the message")?;
                self.sendmsg(socket, message, f, call.ret)
            }
            "sendmmsg" => {
                let all = call.args.get(1).map(Arg::within).unwrap_or_default();
                let count = usize::try_from(call.ret.unwrap_or(0)).unwrap_or(0);
                self.draft.remark("sendmmsg, message by message".to_owned());
                for one in all.iter().take(count.max(1)) {
                    let message =
                        one.field("msg_hdr").ok_or("the log does not tell the message")?;
                    let len = one.field("msg_len").and_then(Arg::number);
                    let ret = if call.errno.is_none() { len } else { call.ret };
                    self.sendmsg(socket, message, call.args.get(3), ret)?;
                }
                Ok(())
            }
            "writev" => {
                let (data, _) = gathered(call.args.get(1).ok_or("it is given nothing")?, None);
                self.draft.remark("writev, in one piece".to_owned());
                self.send(socket, &data, None, None)
            }
            "write" => {
                let data = data_of(call)?;
                self.send(socket, &data, None, None)
            }
            _ => {
                let data = data_of(call)?;
                let f = call.args.get(3).map(Arg::flags).unwrap_or_default();
                let f = flags(&f, &NO_FLAGS)?;
                let to = match call.args.get(4).filter(|to| to.text() != "NULL") {
                    Some(to) => Some(self.given((Some(to), call.args.get(5)), socket)?),
                    None => None,
                };
                self.away(call, call.args.get(4));
                if let (Some(Told::Ip { ip, port, .. }), true) =
                    (call.args.get(4).and_then(told), f.has("MSG_FASTOPEN"))
                {
                    self.sockets.all[socket].peer = Some((ip, port));
                }
                self.send(socket, &data, Some(f), to)
            }
        }
    }

    /// No flags are those of `write`.
    fn send(&mut self, socket: usize, data: &Data, f: Option<Flags>, to: Option<Given>) -> Said {
        if data.len > MOST_ROOM {
            return Err(format!("it sends {} bytes, and a case fewer", data.len));
        }
        let call = self.calls[self.at];
        let fd = self.name(socket);
        if let Some(gap) = data.gap() {
            self.draft.remark(gap);
        }
        self.refuses(call, socket);
        let payload = data.payload();
        self.sent(socket, data, call.ret);
        let (op, seen) = match (f, to) {
            (None, _) => (Op::Write { fd, data: payload }, None),
            (Some(flags), None) => (Op::Send { fd, data: payload, flags }, None),
            (Some(flags), Some((addr, seen))) => {
                (Op::Sendto { fd, data: payload, flags, addr }, seen)
            }
        };
        self.step(op, seen, Out::Nothing)
    }

    fn sendmsg(&mut self, socket: usize, message: &Arg, f: Option<&Arg>, ret: Option<i64>) -> Said {
        let call = self.calls[self.at];
        let fd = self.name(socket);
        let iov = message.field("msg_iov").ok_or("the log does not tell its data")?;
        let (data, _) = gathered(iov, None);
        if data.len > MOST_ROOM {
            return Err(format!("it sends {} bytes, and a case fewer", data.len));
        }
        let to = match message.field("msg_name").filter(|name| name.text() != "NULL") {
            Some(name) => {
                let len = message.field("msg_namelen");
                Some(self.given((Some(name), len), socket)?)
            }
            None => None,
        };
        self.away(call, message.field("msg_name"));
        let sent = messages::sent(message.field("msg_control"), &mut self.hosts);
        for why in sent.left {
            self.draft.remark(format!("sendmsg({fd}): {why}"));
        }
        if let Some(gap) = data.gap() {
            self.draft.remark(gap);
        }
        self.refuses(call, socket);
        let flags = flags(&f.map(Arg::flags).unwrap_or_default(), &NO_FLAGS)?;
        self.sent(socket, &data, ret);
        let (addr, seen) = to.map_or((None, None), |(addr, seen)| (Some(addr), seen));
        let op = Op::Sendmsg { fd, data: data.payload(), flags, addr, control: sent.messages };
        let errno = call.errno.as_ref().map(|errno| Sym(errno.clone().into()));
        let did = Did::Returned { ret: ret.unwrap_or(0), errno, out: Out::Nothing };
        self.step_as(op, seen, did)
    }

    /// A peer has got what was sent.
    fn sent(&mut self, socket: usize, data: &Data, ret: Option<i64>) {
        let len = usize::try_from(ret.unwrap_or(0)).unwrap_or(0).min(data.len);
        if len > 0 {
            self.connecting.remove(&socket);
            self.sockets.all[socket].far.sends(&data.sent(), len);
        }
    }

    /// A frame between a socket and another: of its peer if none is named.
    pub(super) fn frame(&mut self, socket: usize, peer: Option<(IpAddr, u16)>, payload: &[u8]) {
        let Some((ip, port)) = peer.or(self.sockets.all[socket].peer) else { return };
        let ip = ip.to_canonical();
        let (ip, port, own) = if self.hosts.is_peer(ip) {
            let own = self.hosts.own_like(ip.is_ipv6());
            let Some(own) = own.and_then(|own| self.hosts.lab().ip(&own)) else { return };
            (self.hosts.ip(ip).to_canonical(), self.far_port(socket, port), own)
        } else {
            let ip = self.hosts.ip(ip);
            (ip, self.out_port(port, socket), ip)
        };
        // A socket whose port the log never tells has one all the same.
        let unknown = 50_000u16.saturating_add(u16::try_from(socket).unwrap_or(u16::MAX));
        let port_of_own = match self.known(socket).port {
            Some(port) => self.out_port(port, socket),
            None => unknown,
        };
        let (from, to) = (SocketAddr::new(ip, port), SocketAddr::new(own, port_of_own));
        let frame = if self.sockets.all[socket].is_stream() {
            let segment = Segment { payload, ..Segment::default() };
            build::tcp_segment(Link::Ip, from, to, 64, &segment)
        } else {
            build::udp(Link::Ip, from, to, 64, payload)
        };
        // What is too long for one frame is not asked for.
        if let Ok(frame) = frame {
            self.draft.frame(frame);
        }
    }

    /// What a step has put on a link gets its port a number.
    pub(super) fn left(&mut self, call: &Called) {
        let Some(socket) = call.fd().and_then(|fd| self.sockets.of(fd)) else { return };
        let to = [1, 4].into_iter().filter_map(|place| match call.args.get(place).and_then(told) {
            Some(Told::Ip { ip, port, .. }) => Some((ip, port)),
            _ => None,
        });
        let name = call.args.get(1).and_then(|message| message.field("msg_name")).and_then(told);
        let name = match name {
            Some(Told::Ip { ip, port, .. }) => Some((ip, port)),
            _ => None,
        };
        let sends = call.name.starts_with("send") || call.name.starts_with("write");
        let connects = call.name == "connect" && self.sockets.all[socket].is_stream();
        let begun = matches!(call.errno.as_deref(), Some("EINPROGRESS" | "ECONNREFUSED"));
        if call.errno.is_none() && sends || (call.errno.is_none() || begun) && connects {
            let to = to.into_iter().next().or(name);
            self.frame(socket, to, &[]);
        }
    }

    /// Learns of an address that no route led to.
    fn away(&mut self, call: &Called, addr: Option<&Arg>) {
        if call.errno.as_deref() == Some("ENETUNREACH")
            && let Some(Told::Ip { ip, .. }) = addr.and_then(told)
        {
            self.hosts.learn_away(ip);
        }
    }

    /// The socket connects: to a server of the lab's if that is another host.
    pub(super) fn connects(&mut self, call: &Called, socket: usize, ip: IpAddr, port: u16) -> Said {
        self.away(call, call.args.get(1));
        let is_peer = self.hosts.is_peer(ip);
        let begins = matches!(call.errno.as_deref(), None | Some("EINPROGRESS"));
        if begins {
            self.sockets.all[socket].peer = Some((ip, port));
        }
        if !self.sockets.all[socket].is_stream() {
            return Ok(());
        }
        if !is_peer {
            let is_there = call.errno.is_some() || self.is_own_port(socket, port);
            let why = "its server is a socket of another process, which the case has not";
            return if is_there { Ok(()) } else { Err(why.to_owned()) };
        }
        if call.errno.as_deref() == Some("ECONNREFUSED") || self.known(socket).refused {
            self.servers.refuses = Some(port);
            return Ok(());
        }
        if begins {
            let port = self.far_port(socket, port);
            let is_first = self.servers.serve(port, !is_served(&self.hosts.host(ip)));
            let far = &mut self.sockets.all[socket].far;
            (far.port, far.is_first) = (Some(port), is_first);
            if call.errno.is_some() {
                self.connecting.insert(socket);
            }
        }
        Ok(())
    }

    /// Before a socket connects to a server that does something else on this connection than on the first to its
    /// port, or to another host's server at the same port: a lab has one at each port, which does the same on
    /// each connection, and so this one gets a port of its own.
    pub(super) fn parts(&mut self, socket: usize, (ip, port): (IpAddr, u16)) {
        if !self.known(socket).differs || !self.hosts.is_peer(ip) {
            return;
        }
        let other = 30_000u16.saturating_add(u16::try_from(socket).unwrap_or(u16::MAX));
        self.sockets.all[socket].far.stands = Some((port, other));
        self.draft.remark(format!(
            "port {other} stands for {port}, where a server does something else on another connection"
        ));
    }

    /// The port of another host in the case, for the one that it has in the log.
    pub(super) fn far_port(&self, socket: usize, port: u16) -> u16 {
        let stands = self.sockets.all[socket].far.stands.filter(|(told, _)| *told == port);
        stands.map_or(port, |(_, other)| other)
    }

    /// Whether a socket of the case has the port, so far as the log tells who has which.
    pub(super) fn is_own_port(&self, like: usize, port: u16) -> bool {
        let stream = self.sockets.all[like].is_stream();
        let same = |socket: &Socket| socket.is_stream() == stream;
        let of = |number: usize| self.known(number).port;
        let mut all = self.sockets.all.iter().enumerate().filter(|(_, socket)| same(socket));
        !self.is_told || all.any(|(number, _)| of(number) == Some(port))
    }

    /// The connection was refused later.
    pub(super) fn refused(&mut self, socket: usize, errno: &str) {
        if errno == "ECONNREFUSED" {
            self.of(socket).refused = true;
        }
    }

    /// Another host has refused a datagram, if this call reports that.
    pub(super) fn refuses(&mut self, call: &Called, socket: usize) {
        let one = &self.sockets.all[socket];
        let is_peer = one.peer.is_some_and(|(ip, _)| self.hosts.is_peer(ip));
        if call.errno.as_deref() == Some("ECONNREFUSED") && is_peer && !one.is_stream() {
            let (kind, value, from) = (Kind::PortUnreachable, None, None);
            let frame = Frame::Error(Error { kind, value, from, v6: false, lies: Vec::new() });
            self.draft.lab(LabOp::Say { link: link(0), frame });
        }
    }
}

/// How much room there is.
pub(super) fn room_of(arg: Option<&Arg>) -> Result<usize, String> {
    let room = arg.and_then(Arg::number).and_then(|len| usize::try_from(len).ok());
    room.ok_or_else(|| "the log does not tell how much room there is".to_owned())
}

/// What `send`, `sendto` and `write` are given.
fn data_of(call: &Called) -> Result<Data, String> {
    let len = room_of(call.args.get(2))?;
    Ok(Data::of(call.args.get(1), len))
}
