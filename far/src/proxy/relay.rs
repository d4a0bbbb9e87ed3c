//! What goes through: bytes counted both ways, and what the first of a tunnel are.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Ask, Ended, Inside, Way};
use crate::body::Reader;
use crate::head::{self, Came, Collector, Head};

/// Something that was asked, until it ends.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) ask: Arc<Ask>,
    /// Where to try next.
    pub(super) addrs: VecDeque<SocketAddr>,
    /// What is sent first to whom it is for.
    pub(super) forward: Vec<u8>,
    /// The body of a request, behind which nothing of the client's is forwarded; of a tunnel everything is.
    pub(super) body: Option<Reader>,
    /// What came before there was anybody to send it to.
    pub(super) early: Vec<u8>,
    pub(super) code: Option<u16>,
    pub(super) why: Option<String>,
    pub(super) challenge: Option<String>,
    pub(super) up: u64,
    pub(super) down: u64,
    pub(super) client_ended: bool,
    pub(super) target_ended: bool,
    /// Who was the first to end it.
    pub(super) by: Option<String>,
    sniffer: Option<Collector>,
    inside: Option<Inside>,
}

impl Current {
    pub(super) fn new(ask: Ask) -> Self {
        let is_tunnel = matches!(ask.way, Way::Connect | Way::Socks5);
        Self {
            ask: Arc::new(ask),
            addrs: VecDeque::new(),
            forward: Vec::new(),
            body: None,
            early: Vec::new(),
            code: None,
            why: None,
            challenge: None,
            up: 0,
            down: 0,
            client_ended: false,
            target_ended: false,
            by: None,
            sniffer: is_tunnel.then(Collector::default),
            inside: None,
        }
    }

    /// What of the client's bytes is forwarded.
    pub(super) fn forwards<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let n = match self.body.as_mut().map(|body| body.feed(bytes)) {
            Some(Ok(n)) => n,
            // It has no end that is known here: what follows is the target's to judge.
            Some(Err(_)) => {
                self.body = None;
                bytes.len()
            }
            None => bytes.len(),
        };
        self.up += n as u64;
        self.sniff(&bytes[..n]);
        &bytes[..n]
    }

    fn sniff(&mut self, bytes: &[u8]) {
        let Some(sniffer) = self.sniffer.as_mut().filter(|_| !bytes.is_empty()) else { return };
        self.inside = match sniffer.input(bytes) {
            Came::Partial => return,
            Came::Head(head, _) => Some(Inside::Http(head.line(), head.agent())),
            Came::No { .. } if sniffer.begun().starts_with(&[head::TLS]) => Some(Inside::Tls),
            Came::No { .. } => Some(Inside::Other),
        };
        self.sniffer = None;
    }

    /// It is over.
    pub(super) fn ended(self, at: Duration) -> Ended {
        let has_some = self.sniffer.is_some_and(|sniffer| !sniffer.is_empty());
        Ended {
            ask: self.ask,
            at,
            code: self.code,
            why: self.why,
            challenge: self.challenge,
            up: self.up,
            down: self.down,
            inside: self.inside.or(has_some.then_some(Inside::Other)),
            by: self.by.unwrap_or_else(|| "the proxy".to_owned()),
        }
    }
}

/// A request in absolute form as it goes on: in origin form, for this host, one for its connection, without
/// what is between client and proxy alone (RFC 9110 §7.6.1).
pub(super) fn rewritten(head: &Head, authority: &str, path: &str) -> Vec<u8> {
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let mut out =
        format!("{} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n", head.method)
            .into_bytes();
    let named: Vec<String> = head.values("connection").collect();
    let named: Vec<&str> = named.iter().flat_map(|v| v.split(',')).map(str::trim).collect();
    let here = [
        "host",
        "connection",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "te",
        "trailer",
        "upgrade",
    ];
    let is_kept = |name: &str| {
        let frames = ["content-length", "transfer-encoding"];
        let is = |word: &&str| word.eq_ignore_ascii_case(name);
        frames.iter().any(is) || !here.iter().any(is) && !named.iter().any(is)
    };
    for (name, value) in head.headers.iter().filter(|(name, _)| is_kept(name)) {
        out.extend(name.bytes());
        out.extend(b": ");
        out.extend(value);
        out.extend(b"\r\n");
    }
    out.extend(b"\r\n");
    out
}
