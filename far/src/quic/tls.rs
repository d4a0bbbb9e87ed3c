//! TLS, with an ear at it: what a `ClientHello` says is read before the library has it, and the protocol is chosen then.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

use quinn_proto::crypto::rustls::QuicServerConfig;
use quinn_proto::crypto::{
    ExportKeyingMaterialError, HeaderKey, KeyPair, Keys, PacketKey, ServerConfig, Session,
    UnsupportedVersion,
};
use quinn_proto::transport_parameters::TransportParameters;
use quinn_proto::{ConnectionId, Side, TransportError};
use rustls::KeyLog;

use super::hello::{self, Hello};
use crate::tls::certs::Identity;
use crate::tls::keys;

/// How much of a first message is kept until it is there.
const MOST: usize = 64 << 10;

/// Which protocols are taken (RFC 7301).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alpn {
    /// These, and whatever is offered first if none of them is.
    Any(&'static [&'static str]),
    /// These alone.
    Only(&'static [&'static str]),
}

/// What was heard since it was asked last.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) hello: Option<Hello>,
    /// Lines of a key log, as Wireshark and NSS have them.
    pub(super) keys: String,
}

/// What was heard, shared.
#[derive(Clone, Debug, Default)]
pub(super) struct Ear(Arc<Mutex<Heard>>);

impl Ear {
    pub(super) fn take(&self) -> Heard {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn with(&self, what: impl FnOnce(&mut Heard)) {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl KeyLog for Ear {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = keys::line(label, client_random, secret);
        self.with(|heard| heard.keys.push_str(&line));
    }
}

/// Makes sessions.
pub(super) struct Listening {
    base: rustls::ServerConfig,
    quic: Arc<QuicServerConfig>,
    alpn: Alpn,
    ear: Ear,
}

impl Listening {
    pub(super) fn new(identity: Identity, alpn: Alpn, ear: Ear) -> Result<Self, String> {
        let mut base = identity.config(&[&rustls::version::TLS13])?;
        // QUIC knows this limit alone, or none (RFC 9001 §4.6.1).
        base.max_early_data_size = u32::MAX;
        base.key_log = Arc::new(ear.clone());
        let quic = QuicServerConfig::try_from(base.clone()).map_err(|e| e.to_string())?;
        Ok(Self { base, quic: Arc::new(quic), alpn, ear })
    }

    /// That of one connection.
    fn with_protocols(&self, protocols: Vec<Vec<u8>>) -> Arc<QuicServerConfig> {
        let mut config = self.base.clone();
        config.alpn_protocols = protocols;
        QuicServerConfig::try_from(config).map_or_else(|_| Arc::clone(&self.quic), Arc::new)
    }
}

impl Alpn {
    fn of(self, hello: &Hello) -> Vec<Vec<u8>> {
        let (Self::Any(names) | Self::Only(names)) = self;
        let mut names: Vec<Vec<u8>> = names.iter().map(|name| name.as_bytes().to_vec()).collect();
        if let (Self::Any(_), Some(first)) = (self, hello.tls.alpn.first()) {
            names.push(first.clone());
        }
        names
    }
}

impl ServerConfig for Listening {
    fn initial_keys(&self, version: u32, id: &ConnectionId) -> Result<Keys, UnsupportedVersion> {
        self.quic.initial_keys(version, id)
    }

    fn retry_tag(&self, version: u32, id: &ConnectionId, packet: &[u8]) -> [u8; 16] {
        self.quic.retry_tag(version, id, packet)
    }

    fn start_session(
        self: Arc<Self>,
        version: u32,
        ours: &TransportParameters,
    ) -> Box<dyn Session> {
        let inner = Arc::clone(&self.quic).start_session(version, ours);
        Box::new(Waiting { listening: self, version, ours: *ours, first: Some(Vec::new()), inner })
    }
}

/// A session that waits for its `ClientHello`; behind that it is the library's alone.
struct Waiting {
    listening: Arc<Listening>,
    version: u32,
    ours: TransportParameters,
    /// What of it came.
    first: Option<Vec<u8>>,
    inner: Box<dyn Session>,
}

impl Waiting {
    /// Keeps what came until all of the `ClientHello` is there: then that, for the library.
    fn keep(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let Some(first) = &mut self.first else { return Some(bytes.to_vec()) };
        first.extend_from_slice(bytes);
        match hello::read(first) {
            None if first.len() <= MOST => return None,
            Some(Ok(hello)) => {
                let config = self.listening.with_protocols(self.listening.alpn.of(&hello));
                self.inner = config.start_session(self.version, &self.ours);
                self.listening.ear.with(|heard| heard.hello = Some(hello));
            }
            None | Some(Err(_)) => {}
        }
        self.first.take()
    }
}

impl Session for Waiting {
    fn initial_keys(&self, id: &ConnectionId, side: Side) -> Keys {
        self.inner.initial_keys(id, side)
    }

    fn handshake_data(&self) -> Option<Box<dyn Any>> {
        self.inner.handshake_data()
    }

    fn peer_identity(&self) -> Option<Box<dyn Any>> {
        self.inner.peer_identity()
    }

    fn early_crypto(&self) -> Option<(Box<dyn HeaderKey>, Box<dyn PacketKey>)> {
        self.inner.early_crypto()
    }

    fn early_data_accepted(&self) -> Option<bool> {
        self.inner.early_data_accepted()
    }

    fn is_handshaking(&self) -> bool {
        self.inner.is_handshaking()
    }

    fn read_handshake(&mut self, bytes: &[u8]) -> Result<bool, TransportError> {
        match self.keep(bytes) {
            None => Ok(false),
            Some(bytes) => self.inner.read_handshake(&bytes),
        }
    }

    fn transport_parameters(&self) -> Result<Option<TransportParameters>, TransportError> {
        self.inner.transport_parameters()
    }

    fn write_handshake(&mut self, out: &mut Vec<u8>) -> Option<Keys> {
        if self.first.is_some() { None } else { self.inner.write_handshake(out) }
    }

    fn next_1rtt_keys(&mut self) -> Option<KeyPair<Box<dyn PacketKey>>> {
        self.inner.next_1rtt_keys()
    }

    fn is_valid_retry(&self, id: &ConnectionId, header: &[u8], payload: &[u8]) -> bool {
        self.inner.is_valid_retry(id, header, payload)
    }

    fn export_keying_material(
        &self,
        out: &mut [u8],
        label: &[u8],
        context: &[u8],
    ) -> Result<(), ExportKeyingMaterialError> {
        self.inner.export_keying_material(out, label, context)
    }
}
