//! One connection: what its events mean, and what a script does about them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use quinn_proto::crypto::rustls::HandshakeData;
use quinn_proto::{Connection, ConnectionError, Dir, Event, StreamEvent};

use super::flow::{Ears, Flows};
use super::h3;
use super::script::Plan;
use super::seen::{Closed, What};

/// What is sent by a stream that we open.
const GREETING: &[u8] = b"opened by the server\n";

/// A connection.
pub(super) struct Line {
    pub(super) quic: Connection,
    pub(super) number: u64,
    /// Our address.
    pub(super) local: SocketAddr,
    /// When it wants the time.
    pub(super) wakes: Option<Duration>,
    plan: &'static Plan,
    peer: SocketAddr,
    alpn: Option<Vec<u8>>,
    flows: Flows,
    is_over: bool,
}

impl Line {
    pub(super) fn new(
        quic: Connection,
        number: u64,
        local: SocketAddr,
        plan: &'static Plan,
    ) -> Self {
        let peer = quic.remote_address();
        let flows = Flows::default();
        Self { quic, number, local, wakes: None, plan, peer, alpn: None, flows, is_over: false }
    }

    /// Looks whether its peer has another address now.
    pub(super) fn looks(&mut self, ears: &mut Ears<'_>) {
        let (from, to) = (self.peer, self.quic.remote_address());
        if from != to {
            self.peer = to;
            ears.tell(What::Moved { from, to });
        }
    }

    pub(super) fn event(&mut self, event: Event, now: Instant, ears: &mut Ears<'_>) {
        if self.is_over {
            return;
        }
        match event {
            Event::HandshakeDataReady => self.agreed(),
            Event::Connected => self.connected(now, ears),
            Event::ConnectionLost { reason } => self.over(closed(reason), ears),
            Event::DatagramReceived => {
                while let Some(bytes) = self.quic.datagrams().recv() {
                    // It may be longer than what the client takes.
                    let echoed = self.quic.datagrams().send(bytes.clone(), true).is_ok();
                    ears.tell(What::Datagram { bytes: bytes.to_vec(), echoed });
                }
            }
            Event::Stream(event) => {
                let (flows, quic) = (&mut self.flows, &mut self.quic);
                match event {
                    StreamEvent::Opened { dir } => flows.opened(quic, dir, ears),
                    StreamEvent::Readable { id } => flows.read(quic, id.into(), ears),
                    StreamEvent::Writable { id } => flows.writable(quic, id.into(), ears),
                    StreamEvent::Finished { id } => flows.finished(id.into(), ears),
                    StreamEvent::Stopped { id, error_code } => {
                        flows.stopped(quic, id.into(), error_code.into_inner(), ears);
                    }
                    StreamEvent::Available { .. } => {}
                }
            }
            Event::DatagramsUnblocked => {}
        }
    }

    /// The protocol is known.
    fn agreed(&mut self) {
        let data = self.quic.crypto_session().handshake_data();
        let data = data.and_then(|data| data.downcast::<HandshakeData>().ok());
        self.alpn = data.and_then(|data| data.protocol);
        self.flows.is_h3 = self.alpn.as_deref() == Some(b"h3");
    }

    fn connected(&mut self, now: Instant, ears: &mut Ears<'_>) {
        self.agreed();
        let early = self.quic.has_0rtt();
        ears.tell(What::Connected { alpn: self.alpn.clone(), early });
        let (flows, quic) = (&mut self.flows, &mut self.quic);
        if flows.is_h3 {
            flows.open(quic, Dir::Uni, h3::CONTROL, false, ears);
        } else if self.plan.opens {
            flows.open(quic, Dir::Bi, GREETING, true, ears);
            flows.open(quic, Dir::Uni, GREETING, true, ears);
        }
        if let Some(code) = self.plan.closes {
            let reason = "closed at once";
            self.quic.close(now, code.into(), reason.into());
            let (code, reason) = (code.into(), reason.to_owned());
            self.over(Closed::By { client: false, application: true, code, reason }, ears);
        }
    }

    /// It is over, which is told once.
    fn over(&mut self, how: Closed, ears: &mut Ears<'_>) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        self.flows.end(ears);
        let frames = self.quic.stats().frame_rx;
        let blocked = (frames.streams_blocked_bidi, frames.streams_blocked_uni);
        ears.tell(What::Closed { how, blocked, is_h3: self.flows.is_h3 });
    }

    /// The server ends.
    pub(super) fn stops(&mut self, now: Instant, ears: &mut Ears<'_>) {
        self.over(Closed::Stops, ears);
        if !self.quic.is_closed() {
            let code = if self.flows.is_h3 { 0x100_u32 } else { 0 };
            self.quic.close(now, code.into(), "the server ends".into());
        }
    }
}

/// Why a connection is over.
pub(super) fn closed(reason: ConnectionError) -> Closed {
    let by = |client, application, code, reason: &[u8]| {
        let reason = String::from_utf8_lossy(reason).into_owned();
        Closed::By { client, application, code, reason }
    };
    match reason {
        ConnectionError::TransportError(error) => {
            by(false, false, error.code.into(), error.reason.as_bytes())
        }
        ConnectionError::ConnectionClosed(close) => {
            by(true, false, close.error_code.into(), &close.reason)
        }
        ConnectionError::ApplicationClosed(close) => {
            by(true, true, close.error_code.into_inner(), &close.reason)
        }
        ConnectionError::Reset => Closed::Reset,
        ConnectionError::TimedOut => Closed::Idle,
        other => Closed::Other(other.to_string()),
    }
}
