//! A proxy that says who uses it and who goes around it: HTTP (RFC 9110 §9.3.6, RFC 9112 §3.2.2) and SOCKS 5
//! (RFC 1928) at one port. It connects to loopback alone, and to what the user allows.

mod auth;
mod relay;
mod report;
pub(crate) mod schema;
mod session;
mod socks;
mod target;

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use auth::{Credentials, Scheme};
pub use target::{Host, Target};

use crate::machine::{Kind, Stream};
use crate::offer::{Asked, Made, Script, find, row, scripts};

/// What is at the path of a PAC file.
pub const PAC_PATHS: &[&str] = &["/proxy.pac", "/wpad.dat"];
/// How long `slow` waits before it answers.
const SLOW: Duration = Duration::from_secs(2);

/// What was seen.
#[derive(Clone, Debug)]
pub enum Seen {
    /// Something was asked.
    Asked(Arc<Ask>),
    /// What was asked has ended.
    Ended(Box<Ended>),
    /// Something came that is no request.
    Odd {
        /// The connection, from 1.
        connection: u64,
        /// Since the server began.
        at: Duration,
        /// Who.
        client: SocketAddr,
        /// What is odd about it.
        why: String,
        /// How it begins, 64 bytes at the most.
        bytes: Vec<u8>,
    },
}

/// What a client asked.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Its number, from 1.
    pub request: u64,
    /// Its connection's, from 1.
    pub connection: u64,
    /// When, since the server began.
    pub at: Duration,
    /// Who.
    pub client: SocketAddr,
    /// What it calls itself (`User-Agent`).
    pub agent: Option<String>,
    /// How it asked.
    pub way: Way,
    /// The method and the target as written, or the target of SOCKS.
    pub line: String,
    /// Where to; none if that could not be read, or it asked for no proxying.
    pub target: Option<Target>,
    /// Who it says it is.
    pub credentials: Option<Credentials>,
}

/// How something was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `CONNECT host:port`.
    Connect,
    /// `GET http://host/`.
    Absolute,
    /// SOCKS 5.
    Socks5,
    /// SOCKS 4, which is refused.
    Socks4,
    /// `GET /`: the proxy itself is what it wants, around any proxy.
    Around,
    /// `GET /proxy.pac`.
    Pac,
}

impl Way {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "CONNECT",
            Self::Absolute => "absolute-form",
            Self::Socks5 => "SOCKS5",
            Self::Socks4 => "SOCKS4",
            Self::Around => "around",
            Self::Pac => "PAC",
        }
    }

    /// Whether it is answered with a reply of SOCKS.
    pub fn is_socks(self) -> bool {
        matches!(self, Self::Socks5 | Self::Socks4)
    }

    /// Whether whoever asks so uses a proxy.
    pub fn is_by_proxy(self) -> bool {
        !matches!(self, Self::Around | Self::Pac)
    }
}

/// What became of it.
#[derive(Clone, Debug)]
pub struct Ended {
    /// What was asked.
    pub ask: Arc<Ask>,
    /// When it ended, since the server began.
    pub at: Duration,
    /// The status of HTTP, or the reply of SOCKS; none if there was no answer.
    pub code: Option<u16>,
    /// Why it was not let through.
    pub why: Option<String>,
    /// What a 407 asked for: the whole `Proxy-Authenticate`.
    pub challenge: Option<String>,
    /// Bytes that the client sent through.
    pub up: u64,
    /// Bytes that it was sent.
    pub down: u64,
    /// What went through a tunnel.
    pub inside: Option<Inside>,
    /// Who ended it, in words: `the client`.
    pub by: String,
}

/// What a tunnel's first bytes were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inside {
    /// HTTP that can be read: its method and target, and its `User-Agent`.
    Http(String, Option<String>),
    /// TLS (RFC 8446 §5.1).
    Tls,
    /// Something else.
    Other,
}

/// What a script does.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// What HTTP clients are asked.
    scheme: Option<Scheme>,
    /// Whether SOCKS clients are asked for a user.
    asks_socks: bool,
    /// Whether nothing is let through.
    refuses: bool,
    /// Whether it answers late.
    is_slow: bool,
}

const OPEN: Row = Row { scheme: None, asks_socks: false, refuses: false, is_slow: false };

const fn asks(scheme: Scheme) -> Row {
    Row { scheme: Some(scheme), ..OPEN }
}

const ROWS: &[(Script, Row)] = &[
    row("open", "lets everything through that is for loopback", OPEN),
    row("407-basic", "407 until Basic credentials come, any at all", asks(Scheme::Basic)),
    row("407-digest", "407 until Digest credentials come, any at all", asks(Scheme::Digest)),
    row("407-ntlm", "407 until both steps of NTLM came, whoever it is", asks(Scheme::Ntlm)),
    row("407-negotiate", "407 until a Negotiate token comes, any at all", asks(Scheme::Negotiate)),
    row(
        "socks-auth",
        "asks SOCKS 5 clients for user and password, and takes any",
        Row { asks_socks: true, ..OPEN },
    ),
    row("refuse", "502, or reply 5 of SOCKS, to everything", Row { refuses: true, ..OPEN }),
    row("slow", "lets everything through, two seconds late", Row { is_slow: true, ..OPEN }),
];

/// Its scripts.
pub const SCRIPTS: [Script; ROWS.len()] = scripts(ROWS);

/// What all its connections know.
#[derive(Debug)]
struct Shared {
    row: Row,
    upstream: Vec<String>,
    resolve: target::Resolve,
    requests: AtomicU64,
}

impl Shared {
    fn next(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// The kind.
#[derive(Debug)]
struct Proxy(Arc<Shared>);

impl Kind for Proxy {
    fn stream(&mut self, number: u64) -> Option<Box<dyn Stream>> {
        Some(Box::new(session::Session::new(number, Arc::clone(&self.0))))
    }
}

/// Makes one.
pub fn make(asked: &Asked) -> Result<Made, String> {
    let row = *find(ROWS, &asked.script)?;
    let (upstream, requests) = (asked.upstream.clone(), AtomicU64::new(0));
    let shared = Shared { row, upstream, resolve, requests };
    Ok(Made {
        kind: Box::new(Proxy(Arc::new(shared))),
        witness: Box::new(report::Report::default()),
        url: |addr| format!("http://{addr}/"),
        ca: None,
    })
}

/// Asks the system's resolver, and waits for it: of names that the user allows alone.
fn resolve(name: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    (name, port).to_socket_addrs().map(Iterator::collect).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests;
