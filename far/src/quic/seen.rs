//! What a QUIC server saw, as data.

use std::net::SocketAddr;
use std::time::Duration;

use super::h3::Part;
use super::hello::Hello;

/// What was seen.
#[derive(Clone, Debug)]
pub enum Seen {
    /// Something happened.
    Event {
        /// The connection's number, from 1: each attempt at one has its own. 0 where it is of none.
        connection: u64,
        /// When, since the server began.
        at: Duration,
        /// What.
        what: What,
    },
    /// What was on the wire, for files.
    Wire {
        /// The next bytes of a pcapng file.
        capture: Vec<u8>,
        /// The next lines of a key log.
        keys: String,
    },
}

/// What happened.
#[derive(Clone, Debug)]
pub enum What {
    /// A datagram that begins with an Initial, or with a packet of a version that is not known.
    Initial {
        /// Who sent it.
        peer: SocketAddr,
        /// Its length in bytes, all packets in it together.
        len: usize,
        /// The version of the first packet.
        version: u32,
        /// How long the token is: there is one behind a Retry, or of a connection before.
        token: usize,
        /// Whether there is a 0-RTT packet in it.
        early: bool,
    },
    /// A datagram that belongs to no connection and begins none.
    Stray {
        /// Who sent it.
        peer: SocketAddr,
        /// Its length in bytes.
        len: usize,
        /// Its first bytes.
        start: Vec<u8>,
        /// Whether it was answered by a stateless reset (RFC 9000 §10.3), being like one of a connection that is gone.
        reset: bool,
    },
    /// A Version Negotiation packet was sent.
    Negotiated {
        /// What the client has.
        offered: u32,
        /// What it was told.
        listed: Vec<u32>,
    },
    /// A Retry was sent (RFC 9000 §8.1.2).
    Retried,
    /// The `ClientHello` came.
    Hello(Box<Hello>),
    /// The handshake is complete.
    Connected {
        /// The protocol that was agreed upon.
        alpn: Option<Vec<u8>>,
        /// Whether early data was accepted.
        early: bool,
    },
    /// The client opened a stream.
    Opened {
        /// Its identifier.
        id: u64,
        /// Whether nothing of it came: it was opened by one with a higher identifier (RFC 9000 §3.2).
        implied: bool,
    },
    /// We opened a stream.
    Opens {
        /// Its identifier; none if the client allows no such stream.
        id: Option<u64>,
        /// Whether it is unidirectional.
        one_way: bool,
    },
    /// Bytes came by a stream, in order.
    Bytes {
        /// Its identifier.
        id: u64,
        /// How many came before.
        offset: u64,
        /// The bytes.
        bytes: Vec<u8>,
        /// Whether they are told as frames of HTTP/3, too.
        framed: bool,
    },
    /// A stream is done, or its connection is.
    Stream(Stream),
    /// The client wants no more of a stream (`STOP_SENDING`).
    Stopped {
        /// Its identifier.
        id: u64,
        /// The application's code.
        code: u64,
    },
    /// A datagram came (RFC 9221).
    Datagram {
        /// What is in it.
        bytes: Vec<u8>,
        /// Whether it was sent back.
        echoed: bool,
    },
    /// Something of HTTP/3.
    Http {
        /// The stream.
        id: u64,
        /// What.
        part: Part,
    },
    /// The client has another address now (RFC 9000 §9).
    Moved {
        /// The one before.
        from: SocketAddr,
        /// The one now.
        to: SocketAddr,
    },
    /// The connection is over.
    Closed {
        /// Why.
        how: Closed,
        /// How often the client said that it may open no more streams (`STREAMS_BLOCKED`), of both directions and of one.
        blocked: (u64, u64),
        /// Whether it was of HTTP/3, which has names for codes.
        is_h3: bool,
    },
}

/// A stream as it was when it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    /// Its identifier.
    pub id: u64,
    /// How many bytes came.
    pub received: u64,
    /// How its sender ended it.
    pub end: Option<End>,
    /// How many bytes were sent by it.
    pub sent: u64,
    /// How we ended it.
    pub sent_end: Option<End>,
}

/// How a direction of a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All was sent.
    Fin,
    /// `RESET_STREAM`, with the application's code.
    Reset(u64),
}

/// Why a connection is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// `CONNECTION_CLOSE`.
    By {
        /// Whether the client sent it.
        client: bool,
        /// Whether the application did it (0x1d), not the transport (0x1c).
        application: bool,
        /// The code.
        code: u64,
        /// What was said of it.
        reason: String,
    },
    /// Nothing came for too long.
    Idle,
    /// A stateless reset came.
    Reset,
    /// The server ends.
    Stops,
    /// Anything else.
    Other(String),
}

/// Whether a stream's identifier is of one that a client opens (RFC 9000 §2.1).
pub(super) fn is_clients(id: u64) -> bool {
    id & 1 == 0
}

/// Whether it is of one that is unidirectional.
pub(super) fn is_one_way(id: u64) -> bool {
    id & 2 == 2
}

impl Stream {
    /// Whether anything of it came.
    pub fn is_used(&self) -> bool {
        self.received > 0 || self.end.is_some()
    }
}
