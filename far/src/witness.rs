//! What was seen, as data, and who makes sentences of it.

use std::fmt::Display;
use std::net::SocketAddr;

use serde_json::Value;

/// What a machine saw. A variant for each kind of server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Seen {
    /// Nothing but a line of text; of tests.
    Line(String),
    /// HTTP.
    Http(crate::http::Seen),
    /// Of a connection that was ended since it was idle, and what came of that.
    Idle(crate::idle::Seen),
    /// QUIC.
    Quic(crate::quic::Seen),
    /// TLS.
    Tls(crate::tls::Seen),
    /// Queries for names.
    Dns(crate::dns::Seen),
    /// A proxy.
    Proxy(crate::proxy::Seen),
    /// WebSocket.
    WebSocket(crate::ws::Seen),
    /// FTP.
    Ftp(crate::ftp::Seen),
    /// Datagrams.
    Udp(crate::udp::Seen),
}

macro_rules! seen {
    ($($variant:ident $of:ident;)*) => {$(
        impl From<crate::$of::Seen> for Seen {
            fn from(seen: crate::$of::Seen) -> Self {
                Self::$variant(seen)
            }
        }
    )*};
}

seen! {
    Http http;
    Idle idle;
    Quic quic;
    Tls tls;
    Dns dns;
    Proxy proxy;
    WebSocket ws;
    Ftp ftp;
    Udp udp;
}

/// Makes sentences of what was seen: a line as it comes, and at the end what it came to.
///
/// What others sent may stand in its text as it came: whoever shows it escapes controls.
pub trait Witness: Send {
    /// One thing was seen. What the end needs is kept; what is long is not.
    fn tell(&mut self, seen: &Seen) -> Told;

    /// What it came to, in sentences; the first answers what the user asked.
    fn summary(&self) -> Vec<String>;

    /// What may be expected (`--expect`), each as it is written and what it means.
    fn expectations(&self) -> &'static [(&'static str, &'static str)];

    /// Whether what is expected was so. An error if these words are none of [`Self::expectations`]; it is asked once
    /// before anything was seen, too.
    fn holds(&self, words: &str) -> Result<bool, String>;
}

/// One thing that was seen, told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// For people: the first line by itself, others are about it. Empty if it is not worth a line.
    pub lines: Vec<String>,
    /// For programs: an object.
    pub json: Value,
    /// What belongs into the folder of `--out`: a name without a path, and bytes, which are put behind what is there.
    pub files: Vec<(String, Vec<u8>)>,
    /// Whether it counts for `--requests N`: a request, a query, a handshake.
    pub counts: bool,
}

/// "1 request", "2 requests".
pub fn count<N: Copy + Display + PartialEq + From<u8>>(n: N, what: &str) -> String {
    let many = if n == N::from(1) { "" } else { "s" };
    format!("{n} {what}{many}")
}

/// The address of IPv4 that a socket of IPv6 writes as `::ffff:127.0.0.1`.
pub(crate) fn plain(addr: SocketAddr) -> SocketAddr {
    match addr {
        SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
            Some(v4) => SocketAddr::from((v4, v6.port())),
            None => addr,
        },
        SocketAddr::V4(_) => addr,
    }
}
