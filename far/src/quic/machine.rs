//! An endpoint and its connections, without a socket and without a clock.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use quinn_proto::{
    ConnectionHandle, DatagramEvent, EcnCodepoint, Endpoint, EndpointConfig, Incoming,
    ServerConfig, TransportConfig,
};

use super::flow::Ears;
use super::line::Line;
use super::packet::{self, LEAST, Long, Packet};
use super::script::{First, Plan};
use super::seen::{Closed, Seen, What};
use super::tls::{Ear, Listening};
use crate::capture::Capture;
use crate::machine::{Datagram, Datagrams, Out, Reply};

/// How many connections there may be at once; others are refused.
const MOST: usize = 128;
/// How many attempts are told apart; the oldest is forgotten first.
const ATTEMPTS: usize = 512;
/// How long nothing may come (RFC 9000 §10.1).
const IDLE_MS: u32 = 30_000;
/// How much of one stream, and of one connection, waits to be read or sent.
const WINDOWS: (u32, u32) = (128 << 10, 256 << 10);
/// How many streams of each direction may be open at once.
const STREAMS: u32 = 100;

/// The machine.
pub(super) struct Machine {
    plan: &'static Plan,
    began: Instant,
    endpoint: Endpoint,
    versions: Vec<u32>,
    lines: BTreeMap<usize, Line>,
    attempts: Attempts,
    ear: Ear,
    capture: Capture,
}

/// The numbers of the attempts at a connection, by the address and the identifier that a client chose.
#[derive(Default)]
struct Attempts {
    known: VecDeque<(SocketAddr, Vec<u8>, u64)>,
    last: u64,
}

impl Attempts {
    fn number(&mut self, peer: SocketAddr, source: &[u8]) -> u64 {
        let found = self.known.iter().rfind(|known| known.0 == peer && known.1 == source);
        if let Some(known) = found {
            return known.2;
        }
        if self.known.len() == ATTEMPTS {
            self.known.pop_front();
        }
        self.last += 1;
        self.known.push_back((peer, source.to_vec(), self.last));
        self.last
    }
}

impl Machine {
    pub(super) fn new(plan: &'static Plan, listening: Listening, ear: Ear) -> Self {
        let mut transport = TransportConfig::default();
        transport
            .max_idle_timeout(Some(quinn_proto::VarInt::from_u32(IDLE_MS).into()))
            .max_concurrent_bidi_streams(plan.streams.unwrap_or(STREAMS).into())
            .max_concurrent_uni_streams(plan.streams.unwrap_or(STREAMS).into())
            .stream_receive_window(WINDOWS.0.into())
            .receive_window(WINDOWS.1.into())
            .send_window(WINDOWS.1.into())
            .datagram_receive_buffer_size(plan.datagrams.then_some(WINDOWS.0 as usize))
            .datagram_send_buffer_size(WINDOWS.0 as usize)
            .mtu_discovery_config(None);
        let mut server = ServerConfig::with_crypto(Arc::new(listening));
        server.transport_config(Arc::new(transport));
        let config = EndpointConfig::default();
        let versions = quinn_proto::DEFAULT_SUPPORTED_VERSIONS.to_vec();
        let endpoint = Endpoint::new(Arc::new(config), Some(Arc::new(server)), false, None);
        let since_1970 =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            plan,
            began: Instant::now(),
            endpoint,
            versions,
            lines: BTreeMap::new(),
            attempts: Attempts::default(),
            ear,
            capture: Capture::new(since_1970),
        }
    }

    fn send(
        &mut self,
        local: SocketAddr,
        peer: SocketAddr,
        data: Vec<u8>,
        at: Duration,
        out: &mut Out,
    ) {
        if self.plan.first == First::Silence {
            return;
        }
        self.capture.datagram(local, peer, &data, at);
        out.datagrams.push(Reply { local, peer, data });
    }

    /// Whatever the endpoint made of a datagram.
    fn event(
        &mut self,
        event: DatagramEvent,
        answer: Vec<u8>,
        datagram: &Datagram<'_>,
        ears: &mut Ears<'_>,
    ) {
        match event {
            DatagramEvent::Response(_) => {
                self.send(datagram.local, datagram.peer, answer, ears.at, ears.out);
            }
            DatagramEvent::ConnectionEvent(handle, event) => {
                if let Some(line) = self.lines.get_mut(&handle.0) {
                    line.quic.handle_event(event);
                    self.drive(handle, ears.at, ears.out);
                }
            }
            DatagramEvent::NewConnection(incoming) => self.incoming(incoming, datagram, ears),
        }
    }

    /// Somebody wants a connection.
    fn incoming(&mut self, incoming: Incoming, datagram: &Datagram<'_>, ears: &mut Ears<'_>) {
        let mut answer = Vec::new();
        if self.plan.first == First::Retry && !incoming.remote_address_validated() {
            if self.endpoint.retry(incoming, &mut answer).is_ok() {
                ears.tell(What::Retried);
                self.send(datagram.local, datagram.peer, answer, ears.at, ears.out);
            }
            return;
        }
        if self.plan.first == First::Refuse || self.lines.len() >= MOST {
            let _ = self.endpoint.refuse(incoming, &mut answer);
            let reason = if self.plan.first == First::Refuse { "" } else { "too many connections" };
            let how =
                Closed::By { client: false, application: false, code: 2, reason: reason.into() };
            ears.tell(What::Closed { how, blocked: (0, 0), is_h3: false });
            return self.send(datagram.local, datagram.peer, answer, ears.at, ears.out);
        }
        let now = self.began + ears.at;
        match self.endpoint.accept(incoming, now, &mut answer, None) {
            Ok((handle, quic)) => {
                let line = Line::new(quic, ears.connection, datagram.local, self.plan);
                self.lines.insert(handle.0, line);
                self.drive(handle, ears.at, ears.out);
            }
            Err(error) => {
                self.heard(ears);
                // What cannot be decrypted is not answered.
                let how = match (&error.response, super::line::closed(error.cause)) {
                    (None, Closed::By { reason, .. }) => Closed::Other(reason),
                    (_, how) => how,
                };
                ears.tell(What::Closed { how, blocked: (0, 0), is_h3: false });
                if error.response.is_some() {
                    self.send(datagram.local, datagram.peer, answer, ears.at, ears.out);
                }
            }
        }
    }

    /// What TLS has heard since.
    fn heard(&mut self, ears: &mut Ears<'_>) {
        let heard = self.ear.take();
        if let Some(hello) = heard.hello {
            ears.tell(What::Hello(Box::new(hello)));
        }
        if !heard.keys.is_empty() {
            self.capture.secrets(&heard.keys);
            let capture = self.capture.take();
            ears.out.tell(Seen::Wire { capture, keys: heard.keys });
        }
    }

    /// Does what there is to do for a connection.
    fn drive(&mut self, handle: ConnectionHandle, at: Duration, out: &mut Out) {
        let now = self.began + at;
        let Some(mut line) = self.lines.remove(&handle.0) else { return };
        let mut drained = false;
        let mut buffer = Vec::new();
        loop {
            let mut ears = Ears { connection: line.number, at, out };
            self.heard(&mut ears);
            let mut any = false;
            while let Some(event) = line.quic.poll_endpoint_events() {
                drained |= event.is_drained();
                if let Some(event) = self.endpoint.handle_event(handle, event) {
                    line.quic.handle_event(event);
                }
            }
            line.looks(&mut ears);
            while let Some(event) = line.quic.poll() {
                any = true;
                line.event(event, now, &mut ears);
            }
            while let Some(transmit) = line.quic.poll_transmit(now, 1, &mut buffer) {
                any = true;
                let data = std::mem::take(&mut buffer);
                self.send(line.local, transmit.destination, data, at, out);
            }
            if !any {
                break;
            }
        }
        line.wakes =
            line.quic.poll_timeout().map(|when| when.saturating_duration_since(self.began));
        if !drained {
            self.lines.insert(handle.0, line);
        }
    }

    /// A packet of a version that is not spoken here, or by this script.
    fn negotiates(
        &mut self,
        packet: &Packet<'_>,
        datagram: &Datagram<'_>,
        ears: &mut Ears<'_>,
    ) -> bool {
        let listed = match self.plan.first {
            First::Negotiate(versions) => versions.to_vec(),
            _ if self.versions.contains(&packet.version) => return false,
            _ => packet::KNOWN[..1].to_vec(),
        };
        // RFC 9000 §5.2.2: a smaller datagram is dropped.
        if datagram.data.len() >= LEAST && packet.version != 0 {
            let answer = packet::negotiation(packet, &listed);
            ears.tell(What::Negotiated { offered: packet.version, listed });
            self.send(datagram.local, datagram.peer, answer, ears.at, ears.out);
        }
        true
    }

    fn ends(&mut self, out: &mut Out) {
        let capture = self.capture.take();
        if !capture.is_empty() {
            out.tell(Seen::Wire { capture, keys: String::new() });
        }
    }
}

impl Datagrams for Machine {
    fn input(&mut self, datagram: &Datagram<'_>, at: Duration, out: &mut Out) {
        let Datagram { local, peer, data, about } = *datagram;
        self.capture.datagram(peer, local, data, at);
        let packets = packet::packets(data);
        let begins = packets.first().filter(|p| matches!(p.kind, Long::Initial | Long::Unknown));
        let connection = begins.map_or(0, |packet| self.attempts.number(peer, packet.source));
        let mut ears = Ears { connection, at, out };
        if let Some(Packet { version, token, .. }) = begins {
            let early = packets.iter().any(|packet| packet.kind == Long::ZeroRtt);
            let (len, version, token) = (data.len(), *version, *token);
            ears.tell(What::Initial { peer, len, version, token, early });
        }
        let answered = begins.is_some_and(|packet| self.negotiates(packet, datagram, &mut ears));
        if !answered {
            let mut answer = Vec::new();
            let ip = Some(local.ip()).filter(|ip| !ip.is_unspecified());
            let ecn = about.tos.and_then(|tos| EcnCodepoint::from_bits(tos & 3));
            let now = self.began + at;
            let event = self.endpoint.handle(now, peer, ip, ecn, data.into(), &mut answer);
            let is_ours = matches!(event, Some(DatagramEvent::ConnectionEvent(..)));
            if begins.is_none() && !is_ours {
                let start = data.get(..16).unwrap_or(data).to_vec();
                let reset = event.is_some();
                ears.tell(What::Stray { peer, len: data.len(), start, reset });
            }
            if let Some(event) = event {
                self.event(event, answer, datagram, &mut ears);
            }
        }
        self.ends(out);
    }

    fn time(&mut self, at: Duration, out: &mut Out) {
        let due = self.lines.iter().filter(|line| line.1.wakes.is_some_and(|when| when <= at));
        for handle in due.map(|line| *line.0).collect::<Vec<_>>() {
            if let Some(line) = self.lines.get_mut(&handle) {
                line.quic.handle_timeout(self.began + at);
                self.drive(ConnectionHandle(handle), at, out);
            }
        }
        self.ends(out);
    }

    fn wakes(&self) -> Option<Duration> {
        self.lines.values().filter_map(|line| line.wakes).min()
    }

    fn stops(&mut self, at: Duration, out: &mut Out) {
        for handle in self.lines.keys().copied().collect::<Vec<_>>() {
            if let Some(line) = self.lines.get_mut(&handle) {
                let mut ears = Ears { connection: line.number, at, out };
                line.stops(self.began + at, &mut ears);
                self.drive(ConnectionHandle(handle), at, out);
            }
        }
        self.ends(out);
    }
}
