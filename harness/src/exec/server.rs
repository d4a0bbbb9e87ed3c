//! Servers at the far end of a link: packets in, packets out, by script. TCP, and queries for names.
//!
//! It is smoltcp without a network: whoever holds the link hands over each packet that the host
//! sends and takes the answers. Time stands still in it, so that no timer of its own ever fires:
//! what it sends is decided by what it was sent and by its script alone.

mod spoken;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use far::{Out, Seen};
use smoltcp::iface::{Config, Interface, PollResult, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpCidr, IpEndpoint};

use self::spoken::{Machine, Spoken};
use super::plan::ip_of;
use crate::case::NameServer;
use crate::case::addr::{Role, prefix_len};
use crate::case::lab::{Link, ServerStep, Service};
use crate::case::names::DNS_PORT;
use crate::wire::build::{self, Segment};
use crate::wire::{Body, Framing, TcpFlags, TcpOption, decode, dns};

/// The only time there is.
const NOW: Instant = Instant::ZERO;

/// The bytes that wait for the host, at the most.
const SEND_BUFFER: usize = 1 << 18;

/// The servers of one link.
pub(super) struct Server {
    wire: Wire,
    interface: Interface,
    sockets: SocketSet<'static>,
    addresses: Vec<IpAddr>,
    services: Vec<(Service, SocketHandle)>,
    connections: Vec<Connection>,
    vanished: bool,
    /// To whom a cookie is owed: the host's port, and the server's.
    cookies: Vec<(u16, u16)>,
    names: Option<NameServer>,
    /// Whether it has every address.
    anywhere: bool,
    /// Ports of UDP from which each datagram comes back.
    echoes: Vec<u16>,
    /// Protocols that are spoken.
    spoken: Vec<Spoken>,
}

/// What a server gives to who asks for a cookie: eight bytes that mean nothing.
const COOKIE: [u8; 12] = [1, 1, 34, 10, 1, 2, 3, 4, 5, 6, 7, 8];

/// One connection and how far its script has got.
struct Connection {
    port: u16,
    socket: SocketHandle,
    script: VecDeque<ServerStep>,
    /// How much of the step at the front is done, in bytes.
    done: usize,
    /// How often the case has said that it may go on.
    resumed: u32,
    /// Nobody reads any more: what comes is answered by RST.
    closed: bool,
    /// Connections to be opened on its behalf.
    dials: Vec<Dial>,
    /// What it speaks in place of a script, and what was seen of that.
    machine: Option<Machine>,
    seen: Vec<Seen>,
}

impl Server {
    /// The neighbour on the lab's link number `number`, that serves nothing yet.
    pub(super) fn on(number: usize, link: &Link) -> Self {
        let own = |range| (ip_of(number, Role::Neighbour, range), prefix_len(range));
        Self::new(link.mtu, &link.ranges.iter().map(|range| own(*range)).collect::<Vec<_>>())
    }

    /// The neighbour with these addresses, on a link of that MTU, that serves nothing yet.
    fn new(mtu: u32, addresses: &[(IpAddr, u8)]) -> Self {
        let mut wire = Wire { mtu: mtu as usize, arrived: None, sent: VecDeque::new() };
        // The seed of its sequence numbers is the default, so that they are the same in every run.
        let config = Config::new(HardwareAddress::Ip);
        let mut interface = Interface::new(config, &mut wire, NOW);
        interface.update_ip_addrs(|own| {
            for (ip, prefix_len) in addresses {
                // A link has three addresses at the most, and there is room for four.
                let _ = own.push(IpCidr::new((*ip).into(), *prefix_len));
            }
        });
        Self {
            wire,
            interface,
            sockets: SocketSet::new(Vec::new()),
            addresses: addresses.iter().map(|(ip, _)| *ip).collect(),
            services: Vec::new(),
            connections: Vec::new(),
            vanished: false,
            cookies: Vec::new(),
            names: None,
            anywhere: false,
            echoes: Vec::new(),
            spoken: Vec::new(),
        }
    }

    /// Begins to answer queries for names.
    pub(super) fn answer_queries(&mut self, names: NameServer) {
        self.names = Some(names);
    }

    /// Begins to serve.
    ///
    /// # Errors
    /// One sentence: it cannot speak what it should.
    pub(super) fn serve(&mut self, service: &Service) -> Result<(), String> {
        if service.anywhere {
            self.anywhere = true;
            self.interface.set_any_ip(true);
        }
        match &service.speaks {
            Some(speaks) => self.spoken.push(Spoken::new(service.port, speaks)?),
            None if service.udp => self.echoes.push(service.port),
            None => {}
        }
        if service.udp {
            return Ok(());
        }
        let socket = self.sockets.add(listening(service));
        self.services.push((service.clone(), socket));
        Ok(())
    }

    /// The connections to this port that pause go on.
    pub(super) fn resume(&mut self, port: u16) {
        for connection in self.connections.iter_mut().filter(|c| c.port == port) {
            connection.resumed += 1;
        }
        self.run();
    }

    /// The host sent this packet.
    pub(super) fn input(&mut self, packet: &[u8]) {
        let decoded = decode(Framing::Ip, packet);
        let Some((src, dst)) = decoded.addresses() else { return };
        let own = self.addresses.contains(&dst) || self.anywhere && !dst.is_multicast();
        if self.vanished || !own {
            return;
        }
        match decoded.body() {
            Some(Body::Tcp(tcp)) => {
                if tcp.options.contains(&TcpOption::FastOpen(Vec::new()))
                    && self.services.iter().any(|(of, _)| of.fast_open && of.port == tcp.dport)
                {
                    self.cookies.push((tcp.sport, tcp.dport));
                }
            }
            Some(Body::Udp(udp)) if udp.dport == DNS_PORT => {
                let names = self.names.as_ref();
                let Some(answer) = names.and_then(|n| dns::answer(n, udp.payload, false)) else {
                    return;
                };
                let (from, to) = ((dst, DNS_PORT).into(), (src, udp.sport).into());
                // Of one family, and no longer than a datagram may be.
                self.wire.sent.extend(build::udp(build::Link::Ip, from, to, 64, &answer));
                return;
            }
            Some(Body::Udp(udp)) if self.speaks(udp.dport) => {
                let (peer, local) = ((src, udp.sport).into(), (dst, udp.dport).into());
                return self.datagrams(Some((peer, local, udp.payload)));
            }
            Some(Body::Udp(udp)) if self.echoes.contains(&udp.dport) => {
                let (from, to) = ((dst, udp.dport).into(), (src, udp.sport).into());
                self.wire.sent.extend(build::udp(build::Link::Ip, from, to, 64, udp.payload));
                return;
            }
            _ => return,
        }
        self.wire.arrived = Some(packet.to_vec());
        let _ = self.interface.poll_ingress_single(NOW, &mut self.wire, &mut self.sockets);
        self.run();
    }

    /// Whether a protocol of datagrams is spoken at this port.
    fn speaks(&self, port: u16) -> bool {
        self.spoken.iter().any(|spoken| spoken.port == port && spoken.datagrams.is_some())
    }

    /// Hands a datagram to who speaks at its port, or tells all that time has passed; and sends what they send.
    fn datagrams(&mut self, datagram: Option<(SocketAddr, SocketAddr, &[u8])>) {
        for spoken in &mut self.spoken {
            if datagram.is_some_and(|(_, local, _)| local.port() != spoken.port) {
                continue;
            }
            let mut out = Out::default();
            spoken.input(datagram, &mut out);
            for reply in out.datagrams {
                let made = build::udp(build::Link::Ip, reply.local, reply.peer, 64, &reply.data);
                self.wire.sent.extend(made);
            }
            spoken.tell(&mut out.seen);
        }
    }

    /// What protocols do later is done now, if it is time.
    fn wake(&mut self) {
        if self.spoken.is_empty() {
            return;
        }
        self.datagrams(None);
        self.run();
    }

    /// The certificates that clients are to trust, as PEM.
    pub(super) fn authorities(&self) -> impl Iterator<Item = &str> {
        self.spoken.iter().filter_map(Spoken::ca)
    }

    /// What was seen of the protocols that it speaks, all connections being over.
    pub(super) fn said(&mut self) -> Vec<String> {
        for connection in &mut self.connections {
            if let Some(machine) = &mut connection.machine {
                machine.stops(&mut connection.seen);
            }
        }
        self.tell();
        self.connections.retain(|connection| connection.machine.is_none());
        self.spoken.drain(..).flat_map(|mut spoken| spoken.said()).collect()
    }

    /// Takes down what was seen.
    fn tell(&mut self) {
        for connection in &mut self.connections {
            let of = self.spoken.iter_mut().find(|spoken| spoken.port == connection.port);
            if let Some(spoken) = of {
                spoken.tell(&mut connection.seen);
            }
        }
    }

    /// The next packet for the host.
    pub(super) fn output(&mut self) -> Option<Vec<u8>> {
        if self.wire.sent.is_empty() {
            self.wake();
        }
        let packet = self.wire.sent.pop_front()?;
        Some(self.with_cookie(&packet).unwrap_or(packet))
    }

    /// The packet with a cookie, if it accepts the connection of a host that has asked for one.
    fn with_cookie(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let decoded = decode(Framing::Ip, packet);
        let ((src, dst), Body::Tcp(tcp)) = (decoded.addresses()?, decoded.body()?) else {
            return None;
        };
        let owed = self.cookies.iter().position(|owed| *owed == (tcp.dport, tcp.sport))?;
        if !tcp.flags.has(TcpFlags::SYN) {
            return None;
        }
        self.cookies.swap_remove(owed);
        let header = if src.is_ipv4() { 20 } else { 40 };
        // In front: what is there may end with an end of options.
        let options = [&COOKIE[..], packet.get(header + 20..)?].concat();
        let (flags, seq, ack, window) = (tcp.flags, tcp.seq, tcp.ack, tcp.window);
        let segment =
            Segment { flags, seq, ack, window, urgent: 0, options: &options, payload: b"" };
        let (src, dst) = (SocketAddr::new(src, tcp.sport), SocketAddr::new(dst, tcp.dport));
        build::tcp_segment(build::Link::Ip, src, dst, build::DEFAULT_TTL, &segment).ok()
    }

    /// Goes on until nothing can be done but wait for the host.
    fn run(&mut self) {
        loop {
            self.accept();
            let mut moved = false;
            let mut dials = Vec::new();
            for connection in &mut self.connections {
                let socket = self.sockets.get_mut::<Socket<'_>>(connection.socket);
                while connection.step(socket, &mut self.vanished, self.names.as_ref()) {
                    moved = true;
                }
                dials.extend(connection.dials.drain(..).map(|dial| (connection.port, dial)));
            }
            for (port, dial) in dials {
                self.dial(port, &dial);
            }
            self.tell();
            let (wire, sockets) = (&mut self.wire, &mut self.sockets);
            while self.interface.poll_egress(NOW, wire, sockets) != PollResult::None {}
            if !moved {
                return;
            }
        }
    }

    /// Opens a connection to the host, for a service.
    fn dial(&mut self, port: u16, dial: &Dial) {
        let mut socket = unopened(u16::MAX);
        // It fails for port 0 only, which `Case::check` refuses.
        let _ = socket.connect(self.interface.context(), dial.to, dial.from);
        let socket = self.sockets.add(socket);
        self.connections.push(Connection::new(port, socket, &dial.script));
    }

    /// Lets each socket that is not listening any more be a connection, and another one listen.
    fn accept(&mut self) {
        for (service, waiting) in &mut self.services {
            if self.sockets.get::<Socket<'_>>(*waiting).state() == State::Listen {
                continue;
            }
            let socket = std::mem::replace(waiting, self.sockets.add(listening(service)));
            let mut connection = Connection::new(service.port, socket, &service.script);
            let spoken = self.spoken.iter_mut().find(|spoken| spoken.port == service.port);
            connection.machine = spoken.and_then(Spoken::next);
            self.connections.push(connection);
        }
    }
}

fn listening(service: &Service) -> Socket<'static> {
    let mut socket = unopened(service.window);
    // It fails for port 0 only, which `Case::check` refuses: then nobody listens.
    let _ = socket.listen(service.port);
    socket
}

fn unopened(window: u16) -> Socket<'static> {
    let buffer = |len: usize| SocketBuffer::new(vec![0; len]);
    let mut socket = Socket::new(buffer(usize::from(window)), buffer(SEND_BUFFER));
    socket.set_ack_delay(None);
    socket.set_nagle_enabled(false);
    socket
}

/// A connection that is to be opened.
struct Dial {
    from: IpEndpoint,
    to: IpEndpoint,
    script: Vec<ServerStep>,
}

impl Connection {
    fn new(port: u16, socket: SocketHandle, script: &[ServerStep]) -> Self {
        let script = script.iter().cloned().collect();
        let (dials, seen) = (Vec::new(), Vec::new());
        let (done, resumed, closed, machine) = (0, 0, false, None);
        Self { port, socket, script, done, resumed, closed, dials, machine, seen }
    }

    /// Takes the step at the front, if it can be taken; whether anything was done.
    fn step(
        &mut self,
        socket: &mut Socket<'_>,
        vanished: &mut bool,
        names: Option<&NameServer>,
    ) -> bool {
        if let Some(machine) = self.machine.as_mut().filter(|_| !*vanished) {
            return machine.step(socket, vanished, &mut self.seen);
        }
        if *vanished
            || matches!(socket.state(), State::Listen | State::SynSent | State::SynReceived)
        {
            return false;
        }
        if self.closed && socket.recv_queue() > 0 {
            socket.abort();
            let _ = socket.recv(|bytes| (bytes.len(), ()));
            return true;
        }
        let before = self.done;
        let Some(step) = self.script.front() else { return false };
        let mut dial = None;
        let finished = match step {
            ServerStep::Expect { until } => expect(socket, &until.bytes()),
            ServerStep::Take { bytes } => {
                self.done += take(socket, *bytes as usize - self.done);
                self.done == *bytes as usize
            }
            ServerStep::End => {
                socket.recv_queue() == 0
                    && matches!(socket.state(), State::CloseWait | State::LastAck | State::Closed)
            }
            ServerStep::Send { data } => {
                let bytes = data.bytes();
                self.done += socket.send_slice(&bytes[self.done..]).unwrap_or(0);
                self.done == bytes.len()
            }
            ServerStep::Shutdown => {
                socket.close();
                true
            }
            ServerStep::Close if socket.recv_queue() == 0 => {
                self.closed = true;
                socket.close();
                true
            }
            ServerStep::Close | ServerStep::Reset => reset(socket),
            ServerStep::Vanish => {
                *vanished = true;
                true
            }
            ServerStep::Dial { from, to, script } => {
                let ends = socket.local_endpoint().zip(socket.remote_endpoint());
                dial = ends.map(|(own, peer)| Dial {
                    from: IpEndpoint::new(own.addr, *from),
                    to: IpEndpoint::new(peer.addr, *to),
                    script: script.clone(),
                });
                true
            }
            ServerStep::Answer => answer_query(socket, names),
            ServerStep::Pause => {
                let goes_on = self.resumed > 0;
                self.resumed -= u32::from(goes_on);
                goes_on
            }
        };
        if finished {
            self.dials.extend(dial);
            self.script.pop_front();
            self.done = 0;
        }
        finished || self.done != before
    }
}

/// Resets a connection, once all was sent.
fn reset(socket: &mut Socket<'_>) -> bool {
    let sent = socket.send_queue() == 0;
    if sent {
        socket.abort();
    }
    sent
}

/// Reads a query behind its length and answers it, if it has come.
fn answer_query(socket: &mut Socket<'_>, names: Option<&NameServer>) -> bool {
    let mut waiting = vec![0; socket.recv_queue()];
    let here = socket.peek_slice(&mut waiting).unwrap_or(0);
    let Some((len, rest)) = waiting[..here].split_first_chunk::<2>() else { return false };
    let len = usize::from(u16::from_be_bytes(*len));
    let Some(query) = rest.get(..len) else { return false };
    if let Some(answer) = names.and_then(|names| dns::answer(names, query, true)) {
        let len = u16::try_from(answer.len()).unwrap_or(u16::MAX).to_be_bytes();
        let _ = socket.send_slice(&[&len[..], &answer].concat());
    }
    take(socket, len + 2) == len + 2
}

/// Reads up to the end of `until`, if that has come.
fn expect(socket: &mut Socket<'_>, until: &[u8]) -> bool {
    let mut waiting = vec![0; socket.recv_queue()];
    let len = socket.peek_slice(&mut waiting).unwrap_or(0);
    let found = waiting[..len].windows(until.len()).position(|piece| piece == until);
    let Some(end) = found.map(|start| start + until.len()) else { return false };
    take(socket, end) == end
}

/// Reads what has come, so much at the most; how much that was.
fn take(socket: &mut Socket<'_>, most: usize) -> usize {
    let mut room = vec![0; most.min(socket.recv_queue())];
    let mut taken = 0;
    while taken < room.len() {
        match socket.recv_slice(&mut room[taken..]) {
            Ok(len @ 1..) => taken += len,
            _ => break,
        }
    }
    taken
}

/// The link as smoltcp sees it: one packet at a time, and the answers.
struct Wire {
    mtu: usize,
    arrived: Option<Vec<u8>>,
    sent: VecDeque<Vec<u8>>,
}

struct Arrived(Vec<u8>);

struct Sent<'w>(&'w mut VecDeque<Vec<u8>>);

impl RxToken for Arrived {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(&self.0)
    }
}

impl TxToken for Sent<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        let mut packet = vec![0; len];
        let result = write(&mut packet);
        self.0.push_back(packet);
        result
    }
}

impl Device for Wire {
    type RxToken<'a> = Arrived;
    type TxToken<'a> = Sent<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Arrived, Sent<'_>)> {
        self.arrived.take().map(|packet| (Arrived(packet), Sent(&mut self.sent)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sent<'_>> {
        Some(Sent(&mut self.sent))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.mtu;
        capabilities
    }
}

#[cfg(test)]
mod tests;
