//! One connection: reads what can be read without a key, and has the handshake done by a library.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use rustls::{Error, HandshakeKind, ServerConfig, ServerConnection};

use super::hello::Hello;
use super::http::Http;
use super::keys::Keys;
use super::ldap::Ldap;
use super::old;
use super::record::{Found, Scanner, is_record};
use super::script::Serve;
use super::seen::{End, Said, Seen, Session, What};
use crate::machine::{Do, Input, Out, Stream};

/// How much of each direction is told of as bytes.
const KEPT: usize = 1 << 20;
/// How much of what is unknown is told.
const SAMPLE: usize = 64;
/// How much may come before there is a `ClientHello` or none.
const PENDING: usize = 256 << 10;
/// How many alerts of a connection are told.
const ALERTS: u8 = 8;
/// How long whoever took an old version may think about it, and how long an end that was told to close has.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// The random of a `ServerHello` that is a `HelloRetryRequest` (RFC 8446 §4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// What is spoken within.
#[derive(Debug)]
pub(super) enum Within {
    /// Whatever the first byte is of.
    Any,
    Http(Http),
    Ldap(Ldap),
    Other,
}

#[derive(Debug)]
enum State {
    /// Nothing is known yet.
    First,
    Tls(Box<ServerConnection>),
    /// What comes is spoken without TLS.
    Plain,
    /// Nothing more is said from here.
    Watch,
    Over,
}

/// A connection.
pub(super) struct Link {
    number: u64,
    serve: Serve,
    config: Arc<ServerConfig>,
    within: Within,
    state: State,
    inbound: Scanner,
    outbound: Scanner,
    pending: Vec<u8>,
    keys: Arc<Keys>,
    kept: [usize; 2],
    /// How many bytes came, and how many alerts of them were told.
    came: u64,
    alerts: u8,
    is_done: bool,
    /// The last alert that says more than that it closes.
    alert: Option<u8>,
    has_closed: bool,
    /// Whether this end sends no more (FIN).
    shut: bool,
    /// The old version that was answered.
    old: Option<u16>,
    wakes: Option<Duration>,
}

impl Link {
    pub(super) fn new(
        number: u64,
        serve: Serve,
        config: Arc<ServerConfig>,
        within: Within,
    ) -> Self {
        Self {
            number,
            serve,
            config,
            within,
            state: State::First,
            inbound: Scanner::default(),
            outbound: Scanner::default(),
            pending: Vec::new(),
            keys: Arc::default(),
            kept: [0; 2],
            came: 0,
            alerts: 0,
            is_done: false,
            alert: None,
            has_closed: false,
            shut: false,
            old: None,
            wakes: None,
        }
    }

    fn tell(&self, what: What, at: Duration, out: &mut Out) {
        out.tell(Seen { number: self.number, at, what });
    }

    /// What of those bytes is told.
    fn kept(&mut self, side: usize, bytes: &[u8]) -> Vec<u8> {
        let now = bytes.len().min(KEPT - self.kept[side]);
        self.kept[side] += now;
        bytes[..now].to_vec()
    }

    fn send(&mut self, bytes: Vec<u8>, at: Duration, out: &mut Out) {
        if bytes.is_empty() {
            return;
        }
        let data = self.kept(1, &bytes);
        // They stand with what made them: bytes of the client.
        let secrets = String::new();
        self.tell(What::Bytes { from_client: false, data, secrets }, at, out);
        out.send(bytes);
    }

    fn bytes(&mut self, bytes: &[u8], at: Duration, out: &mut Out) {
        if matches!(self.state, State::Over) {
            return;
        }
        let place = out.seen.len();
        self.came += bytes.len() as u64;
        self.take(bytes, at, out);
        // Before what was seen in them, and with the secrets that decrypt them.
        let data = self.kept(0, bytes);
        let secrets = self.keys.take();
        let what = What::Bytes { from_client: true, data, secrets };
        if !matches!(&what, What::Bytes { data, secrets, .. } if data.is_empty() && secrets.is_empty())
        {
            out.seen.insert(place, Seen { number: self.number, at, what }.into());
        }
    }

    fn take(&mut self, bytes: &[u8], at: Duration, out: &mut Out) {
        match self.state {
            State::Over => {}
            State::First => self.first(bytes, at, out),
            State::Plain => self.plain(bytes, at, out),
            State::Watch | State::Tls(_) => {
                self.scan(bytes, at, out);
                self.feed(bytes, at, out);
            }
        }
    }

    /// Tells of alerts that are not encrypted.
    fn scan(&mut self, bytes: &[u8], at: Duration, out: &mut Out) {
        for found in self.inbound.feed(bytes) {
            if let Found::Alert(level, code) = found {
                self.alerted(Some(level), code, at, out);
            }
        }
    }

    fn alerted(&mut self, level: Option<u8>, code: u8, at: Duration, out: &mut Out) {
        self.has_closed |= code == 0;
        self.alert = (code != 0).then_some(code).or(self.alert);
        if self.alerts == ALERTS {
            return;
        }
        self.alerts += 1;
        self.tell(What::Alert { level, code, is_done: self.is_done }, at, out);
    }

    /// Waits for a whole `ClientHello`, or until it is none.
    fn first(&mut self, bytes: &[u8], at: Duration, out: &mut Out) {
        self.pending.extend(bytes);
        if !is_record(&self.pending) {
            let some = &self.pending[..self.pending.len().min(SAMPLE)];
            self.tell(What::NotTls(some.to_vec()), at, out);
            let pending = std::mem::take(&mut self.pending);
            // Who speaks LDAP may ask for TLS yet (StartTLS).
            let may_ask = pending[0] == 0x30 && self.serve != Serve::Silent;
            if self.serve == Serve::Plain || may_ask {
                self.state = State::Plain;
                return self.plain(&pending, at, out);
            }
            return self.begin(None, &pending, at, out);
        }
        let mut hello = None;
        let mut is_there = self.pending.len() > PENDING;
        for found in self.inbound.feed(bytes) {
            match found {
                Found::Message(message, records) => {
                    let parsed = Hello::parse(&message, records).map(Box::new);
                    self.tell(What::Hello(parsed.clone(), message), at, out);
                    hello = parsed.ok();
                    is_there = true;
                }
                Found::TooLong => {
                    let why = "it is longer than 64 KiB".to_owned();
                    self.tell(What::Hello(Err(why), Vec::new()), at, out);
                    is_there = true;
                }
                Found::Other(kind) => {
                    let why = format!("a record of type {kind} came first, a ClientHello is in 22");
                    self.tell(What::Hello(Err(why), Vec::new()), at, out);
                    is_there = true;
                }
                Found::Alert(level, code) => self.alerted(Some(level), code, at, out),
            }
        }
        if is_there {
            let pending = std::mem::take(&mut self.pending);
            self.begin(hello.as_deref(), &pending, at, out);
        }
    }

    /// Does what the script has for a `ClientHello`.
    fn begin(&mut self, hello: Option<&Hello>, bytes: &[u8], at: Duration, out: &mut Out) {
        self.state = State::Watch;
        match self.serve {
            Serve::Silent => {}
            Serve::Close => self.over(Do::Close, at, out),
            Serve::Reset => self.over(Do::Reset, at, out),
            Serve::Plain => {
                self.state = State::Plain;
                if matches!(self.within, Within::Any) {
                    self.within = Within::Http(Http::default());
                }
                self.plain(bytes, at, out);
            }
            Serve::Old(version) => {
                let Some(hello) = hello else { return self.closing(at, out) };
                let reply = old::server_hello(version, hello);
                self.tell(What::Answered("a ServerHello".to_owned()), at, out);
                self.send(reply, at, out);
                self.old = Some(version);
                self.wakes = Some(at + PATIENCE);
            }
            Serve::Tls | Serve::Tls12 | Serve::Tls13 | Serve::NoAlpn => {
                let mut config = (*self.config).clone();
                config.key_log = Arc::<Keys>::clone(&self.keys);
                if let Some(hello) = hello {
                    config.alpn_protocols = self.protocols(&hello.alpn);
                }
                match ServerConnection::new(Arc::new(config)) {
                    Ok(mut connection) => {
                        // What is answered is as long as what came at once, at the most.
                        connection.set_buffer_limit(None);
                        self.state = State::Tls(Box::new(connection));
                    }
                    Err(e) => self.tell(What::Refused(e.to_string(), None), at, out),
                }
                self.feed(bytes, at, out);
            }
        }
    }

    /// What is taken of an ALPN: what is spoken within, or else the first that is no HTTP of other versions.
    fn protocols(&self, offered: &[Vec<u8>]) -> Vec<Vec<u8>> {
        if self.serve == Serve::NoAlpn {
            return vec![b"sockeye".to_vec()];
        }
        let is_ldap = matches!(self.within, Within::Ldap(_));
        let wants = |p: &&Vec<u8>| *p == b"http/1.1" && !is_ldap;
        let takes = |p: &&Vec<u8>| !p.starts_with(b"h2") && !p.starts_with(b"h3");
        let chosen = offered.iter().find(wants).or_else(|| offered.iter().find(takes));
        chosen.into_iter().cloned().collect()
    }

    /// Hands records to the library.
    fn feed(&mut self, bytes: &[u8], at: Duration, out: &mut Out) {
        let State::Tls(mut connection) = std::mem::replace(&mut self.state, State::Watch) else {
            return;
        };
        let mut rest = bytes;
        let mut failed = None;
        while failed.is_none() && !rest.is_empty() {
            if !matches!(connection.read_tls(&mut rest), Ok(1..)) {
                break;
            }
            let result = connection.process_new_packets();
            self.progress(&connection, at, out);
            match result {
                Ok(state) => {
                    let mut said = vec![0; state.plaintext_bytes_to_read()];
                    let ends = match connection.reader().read(&mut said) {
                        Ok(n) if n > 0 => {
                            let (reply, ends) = self.speak(&said[..n], at, out);
                            // Its buffer has no limit.
                            let _ = std::io::Write::write_all(&mut connection.writer(), &reply);
                            ends
                        }
                        _ => false,
                    };
                    if ends {
                        connection.send_close_notify();
                        self.closing(at, out);
                    }
                    if state.peer_has_closed() && !self.has_closed {
                        self.alerted(None, 0, at, out);
                    }
                }
                Err(e) => failed = Some(e),
            }
        }
        let mut bytes = Vec::new();
        while connection.wants_write() && connection.write_tls(&mut bytes).is_ok_and(|n| n > 0) {}
        let alert = self.scan_own(&bytes, at, out);
        // What is to be sent comes before what ends the connection.
        let todo = out.todo.len() - usize::from(matches!(out.todo.last(), Some(Do::Shutdown)));
        let last = out.todo.split_off(todo);
        self.send(bytes, at, out);
        out.todo.extend(last);
        match failed {
            None => self.state = State::Tls(connection),
            Some(e) => self.failed(&e, alert, at, out),
        }
    }

    /// Tells whether the certificate is on its way; the alert that is, if any.
    fn scan_own(&mut self, bytes: &[u8], at: Duration, out: &mut Out) -> Option<u8> {
        let mut alert = None;
        for found in self.outbound.feed(bytes) {
            match found {
                Found::Alert(_, code) => alert = Some(code),
                // What stands behind it is no certificate: another is to come.
                Found::Message(message, _) if message.get(6..38) == Some(&RETRY) => {
                    self.outbound = Scanner::default();
                }
                Found::Message(..) => {
                    self.tell(What::Answered("the certificate".to_owned()), at, out);
                }
                _ => {}
            }
        }
        alert
    }

    /// Tells that the handshake is over, once.
    fn progress(&mut self, connection: &ServerConnection, at: Duration, out: &mut Out) {
        if self.is_done || connection.is_handshaking() {
            return;
        }
        self.is_done = true;
        let group = connection.negotiated_key_exchange_group();
        let session = Session {
            version: connection.protocol_version().map_or(0, u16::from),
            suite: connection.negotiated_cipher_suite().map_or(0, |s| s.suite().into()),
            group: group.map(|group| group.name().into()),
            alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
            retried: connection.handshake_kind() == Some(HandshakeKind::FullWithHelloRetryRequest),
        };
        self.tell(What::Done(session), at, out);
    }

    fn failed(&mut self, error: &Error, alert: Option<u8>, at: Duration, out: &mut Out) {
        match error {
            // One that is not encrypted was seen as it came.
            Error::AlertReceived(code) if self.alert == Some(u8::from(*code)) => {}
            Error::AlertReceived(code) => self.alerted(None, u8::from(*code), at, out),
            error => {
                // That one is sent encrypted by TLS 1.3.
                let known = matches!(error, Error::NoApplicationProtocol).then_some(120);
                self.tell(What::Refused(error.to_string(), alert.or(known)), at, out);
            }
        }
        self.closing(at, out);
    }

    /// Speaks what is spoken within: what is answered, and whether that is all.
    fn speak(&mut self, bytes: &[u8], at: Duration, out: &mut Out) -> (Vec<u8>, bool) {
        if matches!(self.within, Within::Any) {
            self.within = match bytes.first() {
                Some(0x30) => Within::Ldap(Ldap::default()),
                Some(b'A'..=b'Z') => Within::Http(Http::default()),
                _ => Within::Other,
            };
            if matches!(self.within, Within::Other) {
                let some = bytes[..bytes.len().min(SAMPLE)].to_vec();
                self.tell(What::Said(Said::Other(some)), at, out);
            }
        }
        match &mut self.within {
            Within::Any | Within::Other => (Vec::new(), false),
            Within::Http(http) => match http.input(bytes) {
                None => (Vec::new(), false),
                Some(answer) => {
                    self.tell(What::Said(Said::Http(answer.line)), at, out);
                    (answer.bytes, true)
                }
            },
            Within::Ldap(ldap) => {
                let answer = ldap.input(bytes);
                for asked in answer.asked {
                    self.tell(What::Said(Said::Ldap(asked)), at, out);
                }
                if let (State::Plain, Some(rest)) = (&self.state, answer.rest) {
                    // StartTLS: what comes now is a ClientHello.
                    self.state = State::First;
                    self.pending = rest;
                }
                (answer.bytes, answer.ends)
            }
        }
    }

    /// Speaks without TLS.
    fn plain(&mut self, bytes: &[u8], at: Duration, out: &mut Out) {
        let (reply, ends) = self.speak(bytes, at, out);
        self.send(reply, at, out);
        if ends {
            self.closing(at, out);
        }
        if let State::First = self.state {
            let rest = std::mem::take(&mut self.pending);
            if !rest.is_empty() {
                self.first(&rest, at, out);
            }
        }
    }

    /// Sends no more, and gives the client a moment to do the same.
    fn closing(&mut self, at: Duration, out: &mut Out) {
        if self.wakes.is_none() || self.old.is_some() {
            self.wakes = Some(at + PATIENCE);
            self.old = None;
            self.shut = true;
            out.todo.push(Do::Shutdown);
        }
    }

    fn over(&mut self, todo: Do, at: Duration, out: &mut Out) {
        out.todo.push(todo);
        self.ended(End::Ours, at, out);
    }

    fn ended(&mut self, how: End, at: Duration, out: &mut Out) {
        if !matches!(self.state, State::Over) {
            self.state = State::Over;
            self.wakes = None;
            self.pending = Vec::new();
            self.tell(What::Ended { how, came: self.came, shut: self.shut }, at, out);
        }
    }
}

impl Stream for Link {
    fn input(&mut self, what: Input<'_>, at: Duration, out: &mut Out) {
        match what {
            Input::Opened { local, peer } => self.tell(What::Opened { peer, local }, at, out),
            Input::Bytes(bytes) => self.bytes(bytes, at, out),
            Input::End => {
                self.ended(End::Fin, at, out);
                out.todo.push(Do::Close);
            }
            Input::Broken(why) => self.ended(End::Broken(why.to_owned()), at, out),
            Input::Time => {
                if let Some(version) = self.old.take().filter(|_| self.alert.is_none()) {
                    self.tell(What::Took(version), at, out);
                }
                self.over(Do::Close, at, out);
            }
            Input::Stops => self.ended(End::Stopped, at, out),
            Input::Urgent | Input::Side(_) => {}
        }
    }

    fn wakes(&self) -> Option<Duration> {
        self.wakes
    }

    fn is_busy(&self) -> bool {
        !matches!(self.state, State::Over) && self.serve != Serve::Silent
    }
}
