//! What it came to: which streams a client opened, and where it stopped if it opened none.

use std::collections::{BTreeMap, BTreeSet};

use super::h3::Part;
use super::names;
use super::packet::LEAST;
use super::report::{exchange, way, who, why};
use super::script::{First, Plan};
use super::seen::{Closed, Stream, What, is_clients, is_one_way};
use crate::tls::alert;
use crate::witness::count;

/// How many sentences of a kind are made of a connection.
const MOST: usize = 16;
/// How many of its streams are kept; the rest is counted.
const KEPT: usize = 256;

/// What is kept of a connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    /// Lengths of the datagrams with Initials: how many, the least, the most, and how many were too short.
    initials: (usize, usize, usize, usize),
    pub(super) version: u32,
    negotiated: Option<(u32, Vec<u32>)>,
    pub(super) retry: Retry,
    /// The name asked for, and the protocols offered.
    hello: Option<(Option<String>, String)>,
    versions: Option<String>,
    pub(super) connected: bool,
    pub(super) alpn: Option<String>,
    pub(super) early: bool,
    pub(super) streams: BTreeMap<u64, Stream>,
    implied: BTreeSet<u64>,
    more: usize,
    refused: Vec<&'static str>,
    /// Of which streams it wanted no more, and its codes.
    stopped: Vec<(u64, u64)>,
    pub(super) datagrams: usize,
    pub(super) http: Http,
    pub(super) moved: usize,
    pub(super) closed: Option<(Closed, (u64, u64))>,
}

/// What came of a Retry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Retry {
    #[default]
    None,
    Sent,
    /// The client came back with its token.
    Returned,
}

/// What came of HTTP/3.
#[derive(Clone, Debug, Default)]
pub(super) struct Http {
    pub(super) spoken: bool,
    types: Vec<(u64, u64)>,
    pub(super) settings: bool,
    pub(super) requests: usize,
}

impl Account {
    pub(super) fn tell(&mut self, what: &What) {
        match what {
            What::Initial { len, version, token, .. } => {
                let (n, least, most, short) = &mut self.initials;
                *least = if *n == 0 { *len } else { *len.min(least) };
                *most = *len.max(most);
                *short += usize::from(*len < LEAST);
                *n += 1;
                self.version = *version;
                if self.retry == Retry::Sent && *token > 0 {
                    self.retry = Retry::Returned;
                }
            }
            What::Negotiated { offered, listed } => {
                self.negotiated = Some((*offered, listed.clone()));
            }
            What::Retried => self.retry = Retry::Sent,
            What::Hello(hello) => {
                self.hello = Some((hello.tls.name(), hello.alpn_text()));
                self.versions = hello.versions();
            }
            What::Connected { alpn, early } => {
                self.connected = true;
                self.alpn = alpn.as_ref().map(|name| String::from_utf8_lossy(name).into_owned());
                self.early = *early;
                self.http.spoken = self.alpn.as_deref() == Some("h3");
            }
            What::Opened { id, implied } => {
                self.stream(&Stream { id: *id, ..Stream::default() });
                if *implied && self.implied.len() < KEPT {
                    self.implied.insert(*id);
                }
            }
            What::Opens { id: Some(id), .. } => {
                self.stream(&Stream { id: *id, ..Stream::default() });
            }
            What::Opens { id: None, one_way } if self.refused.len() < MOST => {
                self.refused.push(if *one_way { "unidirectional" } else { "bidirectional" });
            }
            What::Stream(stream) => self.stream(stream),
            What::Datagram { .. } => self.datagrams += 1,
            What::Http { id, part } => match part {
                Part::Type(kind) if self.http.types.len() < MOST => {
                    self.http.types.push((*kind, *id));
                }
                Part::Settings(_) => self.http.settings = true,
                Part::Fields(_) if is_clients(*id) && !is_one_way(*id) => self.http.requests += 1,
                _ => {}
            },
            What::Moved { .. } => self.moved += 1,
            What::Closed { how, blocked, .. } => self.closed = Some((how.clone(), *blocked)),
            What::Stopped { id, code } if self.stopped.len() < MOST => {
                self.stopped.push((*id, *code));
            }
            // What is beyond what is kept, and what is told when it ends.
            _ => {}
        }
    }

    /// Whether not even a `ClientHello` came.
    pub(super) fn is_empty(&self) -> bool {
        self.hello.is_none() && !self.connected
    }

    fn stream(&mut self, stream: &Stream) {
        if self.streams.len() < KEPT || self.streams.contains_key(&stream.id) {
            self.streams.insert(stream.id, stream.clone());
        } else if !stream.is_used() {
            self.more += 1;
        }
    }

    /// The streams that the client opened, but for those that a later one opened.
    pub(super) fn clients(&self) -> impl Iterator<Item = &Stream> {
        let all = self.streams.values().filter(|stream| is_clients(stream.id));
        all.filter(|stream| stream.is_used() || !self.implied.contains(&stream.id))
    }

    /// The sentences; the first answers which streams the client opened.
    pub(super) fn sentences(&self, plan: &Plan) -> Vec<String> {
        let mut all =
            if self.connected { self.of_streams(plan) } else { vec![self.of_failure(plan)] };
        if self.http.spoken {
            all.push(self.of_http());
        }
        if self.datagrams > 0 {
            all.push(format!("{} came (RFC 9221)", count(self.datagrams, "datagram")));
        }
        all.push(self.of_handshake());
        if self.moved > 0 {
            all.push(format!("the client's address changed {}", count(self.moved, "time")));
        }
        if let Some((how, _)) = self.closed.as_ref().filter(|_| self.connected) {
            all.push(why(how, self.http.spoken));
        }
        all
    }

    fn of_streams(&self, plan: &Plan) -> Vec<String> {
        let mut all = Vec::new();
        if !self.clients().any(|stream| !is_one_way(stream.id)) {
            let mut text =
                "the client opened no bidirectional stream: stream 0 was never used".to_owned();
            if plan.streams == Some(0) {
                text.push_str("; this script allows none");
            }
            let blocked = self.closed.as_ref().map_or(0, |closed| closed.1.0);
            if blocked > 0 {
                text.push_str(", and the client said that it wants one (STREAMS_BLOCKED)");
            }
            all.push(text);
        }
        for stream in self.streams.values().take(MOST) {
            let (id, way) = (stream.id, way(stream.id));
            all.push(if !stream.is_used() && self.implied.contains(&id) {
                format!(
                    "stream {id} ({way}) counts as opened since a later one is; nothing of it came"
                )
            } else {
                let kind = self.http.types.iter().find(|row| row.1 == id);
                let kind =
                    kind.map_or_else(String::new, |k| format!(", {}", names::stream_type(k.0)));
                format!("the {} opened stream {id} ({way}{kind}): {}", who(id), exchange(stream))
            });
        }
        let more = self.more + self.streams.len().saturating_sub(MOST);
        if more > 0 {
            all.push(format!("and {} more", count(more, "stream")));
        }
        for (id, code) in &self.stopped {
            all.push(format!(
                "the client wanted no more of stream {id}: STOP_SENDING, code {code}"
            ));
        }
        for way in &self.refused {
            all.push(format!("the client lets the server open no {way} stream"));
        }
        all
    }

    /// Why there was no handshake, as far as that was seen.
    fn of_failure(&self, plan: &Plan) -> String {
        let closed = self.closed.as_ref().map(|closed| &closed.0);
        if plan.first == First::Silence && self.initials.0 > self.initials.3 {
            let end = closed.map_or("it goes on".to_owned(), |how| why(how, false));
            let n = count(self.initials.0, "datagram");
            return format!(
                "no handshake: this script never answers, {n} with Initials came; {end}"
            );
        }
        if let Some(Closed::By { client, application: false, code, reason }) = closed {
            let who = if *client { "client" } else { "server" };
            let said = if reason.is_empty() { String::new() } else { format!(": {reason:?}") };
            if let Some(alert) = names::alert_of(*code) {
                let offered = self.hello.as_ref().map_or("nothing", |hello| &hello.1);
                // Of an ALPN it matters what was offered.
                let said = if alert == 120 { format!(", offered: {offered}") } else { said };
                let alert = alert::name(alert);
                return format!(
                    "the handshake failed: the {who} ended it with alert {alert}{said}"
                );
            }
            let code = names::transport(*code);
            return format!("the handshake failed: the {who} ended it with {code}{said}");
        }
        if self.initials.0 == self.initials.3 {
            let (n, least, ..) = self.initials;
            return format!(
                "the handshake never began: {} of {least} bytes came, and what is less than 1200 is \
                 discarded (RFC 9000 §14.1)",
                count(n, "Initial")
            );
        }
        if let Some((offered, listed)) = &self.negotiated {
            let listed: Vec<String> = listed.iter().map(|v| names::version(*v)).collect();
            let offered = names::version(*offered);
            // RFC 9000 §6.2.
            let note = if listed.contains(&offered) { ", which it has to ignore" } else { "" };
            return format!(
                "no handshake: the client came with version {offered} and was told that {} is \
                 spoken{note}",
                listed.join(" and ")
            );
        }
        if self.retry == Retry::Sent {
            return "no handshake: a Retry was sent, and the client did not come back with its \
                    token"
                .to_owned();
        }
        let end = closed.map_or("it is unfinished".to_owned(), |how| why(how, false));
        match self.hello {
            None => format!("no handshake: no whole ClientHello came; {end}"),
            Some(_) => format!("no handshake: a ClientHello came, and no end of it; {end}"),
        }
    }

    fn of_http(&self) -> String {
        let stream = |kind: u64| self.http.types.iter().find(|t| t.0 == kind).map(|t| t.1);
        let control = match (stream(0), self.http.settings) {
            (Some(id), true) => format!("the control stream came by stream {id} with SETTINGS"),
            (Some(id), false) => format!("the control stream came by stream {id} without SETTINGS"),
            (None, _) => {
                "no control stream came, which each side has to open (RFC 9114 §6.2.1)".to_owned()
            }
        };
        let qpack = [(2, "encoder"), (3, "decoder")].map(|(kind, name)| {
            stream(kind).map_or_else(String::new, |id| format!("QPACK {name} by stream {id}; "))
        });
        let requests = count(self.http.requests, "request");
        format!("HTTP/3: {control}; {}{requests}", qpack.concat())
    }

    fn of_handshake(&self) -> String {
        let (n, least, most, short) = self.initials;
        let versions =
            self.versions.as_ref().map_or_else(String::new, |all| format!(" (available: {all})"));
        let mut parts = vec![format!("version {}{versions}", names::version(self.version))];
        if let Some((sni, alpn)) = &self.hello {
            let agreed = self.alpn.as_deref().unwrap_or("none");
            parts.push(format!("ALPN {agreed}, offered: {alpn}"));
            parts.push(format!("SNI {}", sni.as_deref().unwrap_or("none")));
        }
        if self.retry != Retry::None {
            let came =
                if self.retry == Retry::Returned { "came back" } else { "did not come back" };
            parts.push(format!("a Retry was sent, and the client {came} with its token"));
        }
        if self.early {
            parts.push("early data (0-RTT) was accepted".to_owned());
        }
        let lengths = if least == most { least.to_string() } else { format!("{least} to {most}") };
        let sizes = format!("{} with Initials, of {lengths} bytes", count(n, "datagram"));
        parts.push(if short > 0 { format!("{sizes}, {short} less than 1200") } else { sizes });
        parts.join("; ")
    }
}
