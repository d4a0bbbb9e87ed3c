//! Calls that send and receive, and what other hosts do for them.

use std::net::{IpAddr, SocketAddr};

use harness::case::addr::{Host, Port, SockAddr};
use harness::case::far::{Datagram, End, Ends, Error, Frame, Kind};
use harness::case::{Flags, LabOp, Op, ServerStep, Sym};
use harness::trace::{ControlOut, Did, Out};
use harness::wire::build::{self, Link, Segment};

use super::convert::{Converter, Given};
use super::data::{Data, gathered};
use super::hosts::{Told, is_served, link, told};
use super::log::{Arg, Called};
use super::messages;
use super::sockets::Socket;
use super::words::flags;

type Said = Result<(), String>;

/// Flags that a case has nothing to say of.
const NO_FLAGS: [&str; 2] = ["MSG_CMSG_CLOEXEC", "MSG_WAITFORONE"];
/// Those of a message that came (recv(2)) which an outcome has.
const CAME: [&str; 4] = ["MSG_CTRUNC", "MSG_ERRQUEUE", "MSG_OOB", "MSG_TRUNC"];
/// The most room that a case asks for.
const MOST_ROOM: usize = 1 << 19;
/// How many calls on from a `poll` what it said is received at the latest.
const AHEAD: usize = 64;

/// A message that came.
struct Came {
    data: Data,
    room: usize,
    from: Option<SockAddr>,
    flags: Vec<Sym>,
    control: Vec<ControlOut>,
}

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
                    Some(to) => Some(self.given(Some(to), socket)?),
                    None => None,
                };
                self.away(call, call.args.get(4));
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
            Some(name) => Some(self.given(Some(name), socket)?),
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
            self.sockets.all[socket].far.sends(&data.sent(), len);
        }
    }

    pub(super) fn receives(&mut self, call: &Called) -> Said {
        let socket = self.socket(call.args.first())?;
        if call.name == "recvmmsg" {
            let all = call.args.get(1).map(Arg::within).unwrap_or_default();
            let count = usize::try_from(call.ret.unwrap_or(0)).unwrap_or(0);
            if count > 1 || all.len() > 1 {
                self.draft.remark("recvmmsg, message by message".to_owned());
            }
            for one in all.iter().take(count.max(1)) {
                let message = one.field("msg_hdr").ok_or("the log does not tell the message")?;
                let len = one.field("msg_len").and_then(Arg::number);
                let ret = if call.errno.is_none() { len } else { call.ret };
                self.recvmsg(call, socket, message, (ret, call.args.get(3)))?;
            }
            return Ok(());
        }
        if call.name == "recvmsg" {
            let message = call.args.get(1).ok_or("the log does not tell the message")?;
            return self.recvmsg(call, socket, message, (call.ret, call.args.get(2)));
        }
        let copied = usize::try_from(call.ret.unwrap_or(0)).unwrap_or(0);
        let (data, room) = if call.name == "readv" {
            gathered(call.args.get(1).ok_or("it is given no room")?, Some(copied))
        } else {
            let room = room_of(call.args.get(2))?;
            (Data::of(call.args.get(1), copied.min(room)), room)
        };
        let fd = self.name(socket);
        let len = u32::try_from(room.min(MOST_ROOM)).unwrap_or(u32::MAX);
        let from = call.args.get(4).filter(|from| from.text() != "NULL");
        let has_from = call.name == "recvfrom" && from.is_some();
        let op = if call.name.starts_with("read") {
            Op::Read { fd, len }
        } else {
            let f = call.args.get(3).map(Arg::flags).unwrap_or_default();
            let flags = flags(&f, &NO_FLAGS)?;
            if has_from { Op::Recvfrom { fd, len, flags } } else { Op::Recv { fd, len, flags } }
        };
        let told_from = from.and_then(told);
        self.before_receive(call, socket, &data, told_from.as_ref(), room)?;
        let from = if has_from { self.gave(from, socket) } else { None };
        let out =
            if call.errno.is_none() { Self::data(data.received(), from) } else { Out::Nothing };
        self.step(op, None, out)
    }

    fn recvmsg(
        &mut self,
        call: &Called,
        socket: usize,
        message: &Arg,
        (ret, f): (Option<i64>, Option<&Arg>),
    ) -> Said {
        let iov = message.field("msg_iov").ok_or("the log does not tell its room")?;
        let copied = usize::try_from(ret.unwrap_or(0)).unwrap_or(0);
        let (data, room) = gathered(iov, Some(copied));
        let name = message.field("msg_name");
        let from = self.gave(name, socket);
        let control = messages::received(message.field("msg_control"), &mut self.hosts);
        let words = message.field("msg_flags").map(Arg::flags).unwrap_or_default();
        let mut said: Vec<&str> = CAME.into_iter().filter(|word| words.contains(word)).collect();
        // Whose address stands before them the log does not tell: only what stands before that is asked for.
        let unnamed = from.is_none() && !self.sockets.all[socket].is_stream();
        let control = control.filter(|_| !unnamed);
        if unnamed {
            said.clear();
        }
        let came = Came {
            data,
            room,
            from,
            flags: flags(&said, &[])?.0,
            // What came with it stands last, and is not asked for if the log does not tell it.
            control: control.unwrap_or_default(),
        };
        let room_for_control = message.field("msg_controllen").and_then(Arg::before).unwrap_or(0);
        let control_len = u32::try_from(room_for_control).unwrap_or(0).min(65_536);
        let f = flags(&f.map(Arg::flags).unwrap_or_default(), &NO_FLAGS)?;
        self.before_receive(call, socket, &came.data, name.and_then(told).as_ref(), came.room)?;
        let len = u32::try_from(came.room.min(MOST_ROOM)).unwrap_or(u32::MAX);
        let op = Op::Recvmsg { fd: self.name(socket), len, control_len, flags: f };
        let errno = call.errno.as_ref().map(|errno| Sym(errno.clone().into()));
        let out = match (came.data.received(), &errno) {
            (Some(bytes), None) => {
                let Came { from, flags, control, .. } = came;
                Out::Data { bytes, from, flags, control }
            }
            _ => Out::Nothing,
        };
        self.step_as(op, None, Did::Returned { ret: ret.unwrap_or(0), errno, out })
    }

    /// Has the far end do what the host is about to receive.
    fn before_receive(
        &mut self,
        call: &Called,
        socket: usize,
        data: &Data,
        from: Option<&Told>,
        room: usize,
    ) -> Said {
        self.refuses(call, socket);
        if call.ret.is_none() {
            return Ok(());
        }
        let is_last = data.len < room;
        let came = call.errno.is_none() && !self.delivered.remove(&self.at);
        if came {
            self.deliver(socket, data, from)?;
        } else if call.errno.as_deref() == Some("ECONNRESET") {
            self.server_says(socket, ServerStep::Reset)?;
        }
        self.sockets.all[socket].far.looked |= is_last || call.errno.is_some();
        Ok(())
    }

    /// What the next receive on the socket will have is there before `poll` says so.
    pub(super) fn looks(&mut self, socket: usize, readable: bool) -> Said {
        if !readable {
            self.sockets.all[socket].far.looked = true;
            return Ok(());
        }
        for ahead in self.at + 1..self.calls.len().min(self.at + AHEAD) {
            let call = self.calls[ahead];
            let is_it = matches!(call.name.as_str(), "recv" | "recvfrom" | "read")
                && self.socket(call.args.first()) == Ok(socket);
            if !is_it {
                continue;
            }
            if call.errno.is_none() && call.ret.is_some() && self.delivered.insert(ahead) {
                let copied = usize::try_from(call.ret.unwrap_or(0)).unwrap_or(0);
                let data = Data::of(call.args.get(1), copied.min(room_of(call.args.get(2))?));
                return self.deliver(socket, &data, call.args.get(4).and_then(told).as_ref());
            }
            return Ok(());
        }
        Ok(())
    }

    /// Has another host send this, if the socket's data comes from one.
    fn deliver(&mut self, socket: usize, data: &Data, from: Option<&Told>) -> Said {
        if self.sockets.all[socket].is_stream() {
            let bytes = data.payload();
            let said =
                if data.len == 0 { ServerStep::Close } else { ServerStep::Send { data: bytes } };
            if self.server_says(socket, said)? {
                self.frame(socket, None, &data.sent());
            }
            return Ok(());
        }
        let from = match from {
            Some(Told::Ip { ip, port, .. }) => Some((*ip, *port)),
            _ => self.sockets.all[socket].peer,
        };
        match from {
            Some((ip, port)) if self.hosts.is_peer(ip) => self.datagram(socket, data, ip, port),
            Some((_, port)) if !self.is_own_port(socket, port) => {
                Err("a socket of another process sent it, which the case has not".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Whether a server of the lab is at the other end; if it is, it does this next.
    fn server_says(&mut self, socket: usize, said: ServerStep) -> Result<bool, String> {
        let socket = &mut self.sockets.all[socket];
        let Some(port) = socket.far.port else { return Ok(false) };
        if !socket.far.is_first {
            return Ok(true);
        }
        let Some(script) = self.servers.script(port) else { return Ok(false) };
        if script.len() > 1000 {
            return Err("its server has more to do than one has room for".to_owned());
        }
        if socket.far.says(Some(said), script) {
            let link = link(0);
            self.draft.lab(LabOp::Resume { link, port });
        }
        Ok(true)
    }

    /// A datagram of another host's comes in.
    fn datagram(&mut self, socket: usize, data: &Data, ip: IpAddr, port: u16) -> Said {
        let own = self.known(socket);
        let host = self.hosts.host(ip);
        let (from, v6) = (self.hosts.ip(ip), ip.to_canonical().is_ipv6());
        let Some(to) = self.hosts.own_like(v6) else {
            return Err("the log does not tell this host's address".to_owned());
        };
        let payload = data.payload();
        let to_port = if self.sockets.all[socket].bound {
            Port::Is(own.port.unwrap_or(0))
        } else {
            Port::Of(self.name(socket))
        };
        let frame = Frame::Datagram(Datagram {
            ends: Ends {
                from: End { host: plain(host, from), port: Port::Is(port) },
                to: End { host: to, port: to_port },
            },
            data: payload,
            ttl: None,
            tos: None,
            dont_fragment: false,
            checksum_wrong: false,
        });
        self.draft.lab(LabOp::Say { link: link(0), frame });
        self.frame(socket, Some((ip, port)), &data.sent());
        Ok(())
    }

    /// A frame between a socket and another: of its peer if none is named.
    fn frame(&mut self, socket: usize, peer: Option<(IpAddr, u16)>, payload: &[u8]) {
        let Some((ip, port)) = peer.or(self.sockets.all[socket].peer) else { return };
        let ip = ip.to_canonical();
        let (ip, port, own) = if self.hosts.is_peer(ip) {
            let own = self.hosts.own_like(ip.is_ipv6());
            let Some(own) = own.and_then(|own| self.hosts.lab().ip(&own)) else { return };
            (self.hosts.ip(ip).to_canonical(), port, own)
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
        let host = self.hosts.host(ip);
        if begins && is_served(&host) {
            let is_first = self.servers.serve(port);
            let far = &mut self.sockets.all[socket].far;
            (far.port, far.is_first) = (Some(port), is_first);
        }
        Ok(())
    }

    /// Whether a socket of the case has the port, so far as the log tells who has which.
    fn is_own_port(&self, like: usize, port: u16) -> bool {
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
    fn refuses(&mut self, call: &Called, socket: usize) {
        let one = &self.sockets.all[socket];
        let is_peer = one.peer.is_some_and(|(ip, _)| self.hosts.is_peer(ip));
        if call.errno.as_deref() == Some("ECONNREFUSED") && is_peer && !one.is_stream() {
            let (kind, value, from) = (Kind::PortUnreachable, None, None);
            let frame = Frame::Error(Error { kind, value, from, v6: false, lies: Vec::new() });
            self.draft.lab(LabOp::Say { link: link(0), frame });
        }
    }
}

/// A mapped address as the one that is on the wire.
fn plain(host: Host, ip: IpAddr) -> Host {
    match host {
        Host::Ip(_) => Host::Ip(ip.to_canonical()),
        on @ Host::On { .. } => on,
    }
}

/// How much room there is.
fn room_of(arg: Option<&Arg>) -> Result<usize, String> {
    let room = arg.and_then(Arg::number).and_then(|len| usize::try_from(len).ok());
    room.ok_or_else(|| "the log does not tell how much room there is".to_owned())
}

/// What `send`, `sendto` and `write` are given.
fn data_of(call: &Called) -> Result<Data, String> {
    let len = room_of(call.args.get(2))?;
    Ok(Data::of(call.args.get(1), len))
}
