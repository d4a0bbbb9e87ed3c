//! A client of quinn-proto that meets the machine in memory: what it does wrong is planted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quinn_proto::crypto::rustls::QuicClientConfig;
use quinn_proto::{
    ClientConfig, Connection, ConnectionHandle, DatagramEvent, Endpoint, EndpointConfig,
    TransportConfig,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::fits;
use crate::machine::{About, Datagram, Datagrams, Out};
use crate::offer::{Asked, Made};
use crate::quic::OFFER;
use crate::witness::{Told, Witness};

/// A client and a server.
pub(super) struct Pair {
    machine: Box<dyn Datagrams>,
    pub(super) witness: Box<dyn Witness>,
    ca: String,
    began: Instant,
    pub(super) at: Duration,
    pub(super) told: Vec<Told>,
    endpoint: Endpoint,
    pub(super) config: Option<ClientConfig>,
    pub(super) quic: Option<(ConnectionHandle, Connection)>,
    pub(super) peer: SocketAddr,
    /// How many streams of each direction the server may open.
    pub(super) allows: u32,
    /// What the client sent and was sent.
    pub(super) sent: Vec<Vec<u8>>,
    pub(super) received: Vec<Vec<u8>>,
    /// The longest that it sent with a short header alone.
    pub(super) short: Vec<u8>,
}

pub(super) fn local() -> SocketAddr {
    "127.0.0.1:4433".parse().unwrap()
}

impl Pair {
    pub(super) fn new(script: &str) -> Self {
        let asked = Asked { script: script.to_owned(), ..Asked::default() };
        let Made { mut kind, witness, ca, .. } = (OFFER.make)(&asked).unwrap();
        Self {
            machine: kind.datagrams().unwrap(),
            witness,
            ca: ca.unwrap(),
            began: Instant::now(),
            at: Duration::ZERO,
            told: Vec::new(),
            endpoint: Endpoint::new(Arc::new(EndpointConfig::default()), None, false, None),
            config: None,
            quic: None,
            peer: "127.0.0.1:5555".parse().unwrap(),
            allows: 9,
            sent: Vec::new(),
            received: Vec::new(),
            short: Vec::new(),
        }
    }

    /// One that has connected to a server and been served: the script, and the protocols that are offered.
    pub(super) fn connected(script: &str, alpn: &[&str]) -> Self {
        let mut pair = Self::new(script);
        pair.connect(alpn, true);
        pair.run();
        pair
    }

    /// Begins a connection.
    pub(super) fn connect(&mut self, alpn: &[&str], trusts: bool) {
        if self.config.is_none() {
            let mut roots = rustls::RootCertStore::empty();
            let ca = CertificateDer::from_pem_slice(self.ca.as_bytes()).unwrap();
            if trusts {
                roots.add(ca).unwrap();
            }
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let mut tls = rustls::ClientConfig::builder_with_provider(provider)
                .with_protocol_versions(&[&rustls::version::TLS13])
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
            tls.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
            tls.enable_early_data = true;
            let tls = Arc::new(QuicClientConfig::try_from(tls).unwrap());
            let mut config = ClientConfig::new(tls);
            let mut transport = TransportConfig::default();
            transport.mtu_discovery_config(None);
            transport.max_concurrent_bidi_streams(self.allows.into());
            transport.max_concurrent_uni_streams(self.allows.into());
            config.transport_config(Arc::new(transport));
            self.config = Some(config);
        }
        let config = self.config.clone().unwrap();
        let now = self.began + self.at;
        self.quic = Some(self.endpoint.connect(now, config, local(), "localhost").unwrap());
    }

    /// Gives the server a datagram.
    pub(super) fn give(&mut self, data: &[u8]) {
        let mut out = Out::default();
        let datagram = Datagram { local: local(), peer: self.peer, data, about: About::default() };
        self.machine.input(&datagram, self.at, &mut out);
        self.take(out);
    }

    fn take(&mut self, out: Out) {
        assert!(out.todo.is_empty());
        self.told.extend(out.seen.iter().map(|seen| fits::told(&mut *self.witness, seen)));
        self.received.extend(out.datagrams.into_iter().map(|reply| reply.data));
    }

    /// Does something with the client's connection, and lets both run.
    pub(super) fn with(&mut self, what: impl FnOnce(&mut Connection)) {
        what(&mut self.quic.as_mut().unwrap().1);
        self.run();
    }

    /// A second passes, in which both do what they have to.
    pub(super) fn run(&mut self) {
        let until = self.at + Duration::from_secs(1);
        while self.at < until {
            self.turn();
            self.at += Duration::from_millis(20);
        }
    }

    fn turn(&mut self) {
        let now = self.began + self.at;
        for data in std::mem::take(&mut self.received) {
            let mut answer = Vec::new();
            let event =
                self.endpoint.handle(now, local(), None, None, data[..].into(), &mut answer);
            if let (Some(DatagramEvent::ConnectionEvent(_, event)), Some((_, quic))) =
                (event, &mut self.quic)
            {
                quic.handle_event(event);
            }
        }
        self.client(now);
        for data in std::mem::take(&mut self.sent) {
            if data[0] & 0x80 == 0 && data.len() >= self.short.len() {
                self.short.clone_from(&data);
            }
            self.give(&data);
        }
        if self.machine.wakes().is_some_and(|when| when <= self.at) {
            let mut out = Out::default();
            self.machine.time(self.at, &mut out);
            self.take(out);
        }
    }

    /// The client does what it has to; what it sends is in `sent`.
    pub(super) fn client(&mut self, now: Instant) {
        let Some((handle, quic)) = &mut self.quic else { return };
        if quic.poll_timeout().is_some_and(|when| when <= now) {
            quic.handle_timeout(now);
        }
        while let Some(event) = quic.poll_endpoint_events() {
            if let Some(event) = self.endpoint.handle_event(*handle, event) {
                quic.handle_event(event);
            }
        }
        // What is sent back is not looked at: the report is.
        while quic.poll().is_some() {}
        let mut buffer = Vec::new();
        while quic.poll_transmit(now, 1, &mut buffer).is_some() {
            self.sent.push(std::mem::take(&mut buffer));
        }
    }

    /// What the client would send first.
    pub(super) fn first(&mut self) -> Vec<Vec<u8>> {
        self.client(self.began + self.at);
        std::mem::take(&mut self.sent)
    }

    pub(super) fn now(&self) -> Instant {
        self.began + self.at
    }

    /// The server ends.
    pub(super) fn stop(&mut self) {
        let mut out = Out::default();
        self.machine.stops(self.at, &mut out);
        self.take(out);
    }

    /// The first sentence, without whose it is.
    pub(super) fn answer(&self) -> String {
        let first = self.witness.summary().swap_remove(0);
        first.strip_prefix("connection 1: ").unwrap_or(&first).to_owned()
    }

    pub(super) fn holds(&self, words: &str) -> bool {
        self.witness.holds(words).unwrap()
    }

    pub(super) fn lines(&self) -> String {
        self.told.iter().flat_map(|told| told.lines.clone()).collect::<Vec<_>>().join("\n")
    }
}
