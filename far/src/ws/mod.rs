//! A WebSocket server that says whether a handshake came, and each frame (RFC 6455).

mod frame;
mod handshake;
mod message;
mod report;
pub(crate) mod schema;
mod session;

use std::net::SocketAddr;
use std::time::Duration;

pub use frame::Header;

use crate::machine::{Kind, Stream};
use crate::offer::{Asked, Made, Script, find, row, scripts};

/// What was seen.
#[derive(Clone, Debug)]
pub enum Seen {
    /// A request of HTTP, which is to be a handshake.
    Handshake(Box<Handshake>),
    /// What came in its place.
    Instead {
        /// The connection, from 1.
        connection: u64,
        /// Since the server began.
        at: Duration,
        /// Who.
        client: SocketAddr,
        /// What it is.
        what: &'static str,
        /// How it begins, 64 bytes at the most.
        bytes: Vec<u8>,
    },
    /// A frame.
    Frame(Box<Frame>),
    /// A connection ended.
    Ended(Box<Ended>),
}

/// A request of HTTP.
#[derive(Clone, Debug)]
pub struct Handshake {
    /// The connection, from 1.
    pub connection: u64,
    /// Since the server began.
    pub at: Duration,
    /// Who.
    pub client: SocketAddr,
    /// Method and target.
    pub line: String,
    /// `User-Agent`.
    pub agent: Option<String>,
    /// `Origin`.
    pub origin: Option<String>,
    /// Subprotocols that are offered.
    pub protocols: Vec<String>,
    /// Extensions that are offered.
    pub extensions: Vec<String>,
    /// What is missing or wrong (RFC 6455 §4.2.1).
    pub faults: Vec<String>,
    /// The status of the answer; none if there is none.
    pub status: Option<u16>,
    /// What else is to be said of the answer.
    pub about: String,
}

/// A frame of a client.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The connection, from 1.
    pub connection: u64,
    /// When it was whole, since the server began.
    pub at: Duration,
    /// Its number on its connection, from 1.
    pub number: u64,
    /// Its header.
    pub header: Header,
    /// How much of its payload came.
    pub came: u64,
    /// How its payload begins, without the mask.
    pub begins: Vec<u8>,
    /// What of it breaks RFC 6455, each with its section.
    pub faults: Vec<String>,
    /// What else is to be said of it.
    pub about: Option<String>,
    /// If it is a pong that answers a ping of the server.
    pub answers_ping: bool,
    /// As it came; of a payload no more than 1 MiB.
    pub raw: Vec<u8>,
}

/// A connection that ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The connection, from 1.
    pub connection: u64,
    /// Since the server began.
    pub at: Duration,
    /// How it began.
    pub start: Start,
    /// How many frames came.
    pub frames: u64,
    /// The client's Close: its code, if it has one, and its reason.
    pub close: Option<(Option<u16>, String)>,
    /// How it ended, in words.
    pub how: String,
    /// Whether the client ended it, by a FIN or a reset, say.
    pub by_client: bool,
}

/// How a connection began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With nothing.
    Silent,
    /// With a handshake that is right.
    Handshake,
    /// With a request that is no handshake.
    Wrong,
    /// With a frame.
    Frame,
    /// With something else.
    Other,
}

/// What a script does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Echo,
    NoHandshake,
    BadAccept,
    Refuse,
    CloseAtOnce,
    Reset,
    Ping,
    Fragment,
    NoSubprotocol,
    DeflateIgnored,
}

const ROWS: &[(Script, Does)] = &[
    row("echo", "sends each message back", Does::Echo),
    row(
        "no-handshake",
        "says nothing of HTTP: sends a frame as soon as somebody is there, and echoes frames",
        Does::NoHandshake,
    ),
    row("bad-accept", "101 with a Sec-WebSocket-Accept that is wrong", Does::BadAccept),
    row("refuse-403", "403 to every handshake", Does::Refuse),
    row("close-at-once", "a Close of 1001 right behind the 101", Does::CloseAtOnce),
    row("reset", "101, and a reset (RST) at the first frame", Does::Reset),
    row("ping", "echoes, and sends a ping each second", Does::Ping),
    row("fragment", "sends each message back in up to three fragments", Does::Fragment),
    row(
        "no-subprotocol",
        "echoes, and takes none of the subprotocols offered",
        Does::NoSubprotocol,
    ),
    row(
        "deflate-ignored",
        "agrees to permessage-deflate and sends nothing compressed, as it may",
        Does::DeflateIgnored,
    ),
];

/// Its scripts.
pub const SCRIPTS: [Script; ROWS.len()] = scripts(ROWS);

/// The kind.
#[derive(Debug)]
struct WebSocket(Does);

impl Kind for WebSocket {
    fn stream(&mut self, number: u64) -> Option<Box<dyn Stream>> {
        Some(Box::new(session::Session::new(number, self.0)))
    }
}

/// Makes one.
pub fn make(asked: &Asked) -> Result<Made, String> {
    let does = find(ROWS, &asked.script)?;
    Ok(Made {
        kind: Box::new(WebSocket(*does)),
        witness: Box::new(report::Report::new(*does)),
        url: |addr| format!("ws://{addr}/"),
        ca: None,
    })
}

#[cfg(test)]
mod tests;
