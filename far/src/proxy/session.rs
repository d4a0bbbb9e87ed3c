//! One connection of a client to the proxy.

mod events;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::auth::Answer;
use super::relay::{Current, rewritten};
use super::target::{Target, Verdict};
use super::{Ask, Credentials, PAC_PATHS, SLOW, Seen, Shared, Way, socks};
use crate::body::Reader;
use crate::head::{Body, Came, Collector, Head};
use crate::machine::{Do, Input, Out, Side, SideDo, Stream};

/// How long a message of SOCKS may be.
const SOCKS: usize = 1 << 10;
/// How much may come before there is anybody to send it to.
const EARLY: usize = 64 << 10;
/// How long a client has to take an answer and go.
const LINGER: Duration = Duration::from_secs(2);

/// Where a connection is.
#[derive(Debug)]
enum State {
    /// Nothing came.
    First,
    /// A request is to come, behind the body of one that was not let in.
    Http(Reader),
    /// SOCKS is spoken: what came, and how far it is.
    Socks(Vec<u8>, Step),
    /// An answer is due at that time.
    Waits(Duration),
    Connects,
    Relays,
    /// A tunnel to the proxy itself.
    Inner(Collector),
    /// All is said; whatever comes is dropped, until then.
    Drains(Duration),
}

/// How far SOCKS 5 is.
#[derive(Clone, Copy, Debug)]
enum Step {
    Methods,
    User,
    Request,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Session {
    number: u64,
    shared: Arc<Shared>,
    state: State,
    /// What came and is no request yet.
    collector: Collector,
    at: Duration,
    local: SocketAddr,
    peer: SocketAddr,
    credentials: Option<Credentials>,
    current: Option<Current>,
    said_something: bool,
}

impl Session {
    pub(super) fn new(number: u64, shared: Arc<Shared>) -> Self {
        let nowhere = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
        Self {
            number,
            shared,
            state: State::First,
            collector: Collector::default(),
            at: Duration::ZERO,
            local: nowhere,
            peer: nowhere,
            credentials: None,
            current: None,
            said_something: false,
        }
    }

    fn bytes(&mut self, bytes: &[u8], out: &mut Out) {
        self.said_something = true;
        match &mut self.state {
            State::First => {
                self.state = match bytes.first() {
                    Some(4 | 5) => State::Socks(Vec::new(), Step::Methods),
                    _ => State::Http(Reader::new(Body::Length(0))),
                };
                self.bytes(bytes, out);
            }
            State::Http(_) => {
                self.collector.push(bytes);
                self.requests(out);
            }
            State::Socks(buffer, _) => {
                buffer.extend_from_slice(bytes);
                self.socks(out);
            }
            State::Waits(_) | State::Connects => {
                if let Some(current) = &mut self.current {
                    current.early.extend_from_slice(bytes);
                }
            }
            State::Relays => self.relay(bytes, out),
            State::Inner(collector) => {
                let came = collector.input(bytes);
                if let Some(current) = &mut self.current {
                    current.forwards(bytes);
                }
                match came {
                    Came::Partial => {}
                    Came::Head(head, _) => self.own_page(&head.target, out),
                    Came::No { .. } => self.finish(out),
                }
            }
            State::Drains(_) => {}
        }
    }

    /// Takes requests until one is let in.
    fn requests(&mut self, out: &mut Out) {
        while let State::Http(body) = &mut self.state {
            if !body.is_done() {
                let Ok(n) = body.feed(self.collector.bytes()) else { return self.drain(out) };
                self.collector.take(n);
                if !body.is_done() {
                    break;
                }
            }
            match self.collector.head(false) {
                Came::Partial => break,
                Came::Head(head, len) => {
                    self.collector.take(len);
                    self.request(&head, out);
                }
                Came::No { why, .. } => {
                    self.odd(why, self.collector.begun(), out);
                    out.send(response(400, "Bad Request", "", "this is no request of HTTP\n"));
                    self.drain(out);
                }
            }
        }
        self.collector.compact();
    }

    fn relay(&mut self, bytes: &[u8], out: &mut Out) {
        let Some(current) = &mut self.current else { return };
        let some = current.forwards(bytes);
        if !some.is_empty() {
            out.todo.push(Do::Side(SideDo::Send(some.to_vec())));
        }
    }

    fn ask(&self, way: Way, line: String, target: Option<Target>) -> Ask {
        Ask {
            request: self.shared.next(),
            connection: self.number,
            at: self.at,
            client: self.peer,
            agent: None,
            way,
            line,
            target,
            credentials: self.credentials.clone(),
        }
    }

    fn tell(&mut self, current: Current, out: &mut Out) -> &mut Current {
        out.tell(Seen::Asked(Arc::clone(&current.ask)));
        self.current.insert(current)
    }

    fn request(&mut self, head: &Head, out: &mut Out) {
        let absolute = split(&head.target);
        let way = match (head.method.as_str(), absolute) {
            ("CONNECT", _) => Way::Connect,
            (_, Some(_)) => Way::Absolute,
            _ if PAC_PATHS.contains(&head.target.split('?').next().unwrap_or_default()) => Way::Pac,
            _ => Way::Around,
        };
        let target = match absolute {
            _ if way == Way::Connect => Target::parse(&head.target, None),
            Some((_, authority, _)) => Target::parse(authority, Some(80)),
            None => None,
        };
        let header = head.value("proxy-authorization");
        let scheme = self.shared.row.scheme.filter(|_| way.is_by_proxy());
        let answer = scheme.map(|scheme| scheme.answer(header.as_deref()));
        let (answer, credentials) = match answer {
            Some((answer, credentials)) => (answer, credentials),
            // Nobody asked; whatever came is told all the same.
            None => (Answer::Enter, header.and_then(|h| super::Scheme::Basic.answer(Some(&h)).1)),
        };
        let agent = head.agent();
        let ask = Ask { agent, credentials, ..self.ask(way, head.line(), target) };
        let body = head.body_to_forward();
        self.tell(Current::new(ask), out);
        let body = match body {
            Ok(body) => body,
            Err(why) => return self.deny(400, "Bad Request", &why, out),
        };
        if let Answer::Ask(challenge) = answer {
            return self.challenge(&challenge, head, body, out);
        }
        let Some(current) = &mut self.current else { return };
        current.early = self.collector.take(usize::MAX).to_vec();
        match (way, absolute) {
            (Way::Around, _) => {
                let text = "you came around the proxy, to the proxy itself\n";
                self.answer(response(200, "OK", "", text), out);
            }
            (Way::Pac, _) => self.own_page(&head.target, out),
            (Way::Absolute, Some((scheme, authority, path))) => {
                if !scheme.eq_ignore_ascii_case("http") {
                    let why = format!("this proxy speaks http:// for its clients, not {scheme}://");
                    return self.deny(501, "Not Implemented", &why, out);
                }
                current.forward = rewritten(head, authority, path);
                current.body = Some(Reader::new(body));
                self.go(out);
            }
            _ => self.go(out),
        }
    }

    /// A 407. Its connection goes on: NTLM is about that (MS-NTHT §2.1).
    fn challenge(&mut self, what: &str, head: &Head, body: Body, out: &mut Out) {
        let Some(mut current) = self.current.take() else { return };
        (current.code, current.challenge) = (Some(407), Some(what.to_owned()));
        let text = "this proxy asks who you are\n";
        let header = format!("Proxy-Authenticate: {what}\r\n");
        let goes_on = head.minor > 0 && !head.says("proxy-connection", "close");
        let close = if goes_on { "" } else { "Connection: close\r\n" };
        out.send(with(407, "Proxy Authentication Required", &format!("{header}{close}"), text));
        out.tell(Seen::Ended(Box::new(current.ended(self.at))));
        if goes_on {
            self.state = State::Http(Reader::new(body));
        } else {
            self.drain(out);
        }
    }

    /// What is asked is done: if it is to be late, later.
    fn go(&mut self, out: &mut Out) {
        if self.shared.row.is_slow {
            self.state = State::Waits(self.at + SLOW);
        } else {
            self.connect(out);
        }
    }

    fn connect(&mut self, out: &mut Out) {
        let Some(current) = &mut self.current else { return };
        let shared = Arc::clone(&self.shared);
        if shared.row.refuses {
            return self.deny(502, "Bad Gateway", "the script refuses everything", out);
        }
        let Some(target) = &current.ask.target else {
            return self.deny(400, "Bad Request", "its target is no host:port", out);
        };
        match target.judge(self.local, self.peer.ip(), &shared.upstream, shared.resolve) {
            Verdict::Own => self.own(out),
            Verdict::Connect(addrs) => {
                current.addrs = addrs.into();
                self.state = State::Connects;
                self.attempt("there is no address", out);
            }
            Verdict::Refused(why) => self.deny(403, "Forbidden", &why, out),
            Verdict::Unknown(why) => self.deny(504, "Gateway Timeout", &why, out),
        }
    }

    /// The next address, if there is one.
    fn attempt(&mut self, before: &str, out: &mut Out) {
        let Some(current) = &mut self.current else { return };
        if let Some(addr) = current.addrs.pop_front() {
            out.todo.push(Do::Side(SideDo::Connect(addr)));
        } else {
            let target = current.ask.target.as_ref().map(ToString::to_string).unwrap_or_default();
            let why = format!("{target} cannot be reached: {before}");
            self.deny(502, "Bad Gateway", &why, out);
        }
    }

    /// Says that there is a tunnel.
    fn grant(&mut self, out: &mut Out) {
        let Some(current) = &mut self.current else { return };
        match current.ask.way {
            Way::Connect => {
                current.code = Some(200);
                out.send("HTTP/1.1 200 Connection established\r\n\r\n");
            }
            Way::Socks5 => {
                current.code = Some(0);
                out.send(socks::reply(0));
            }
            _ => {}
        }
    }

    /// The target is the proxy itself.
    fn own(&mut self, out: &mut Out) {
        let Some(current) = &mut self.current else { return };
        if current.ask.way == Way::Absolute {
            let path = split(&current.ask.line).map_or("", |(_, _, path)| path).to_owned();
            return self.own_page(&path, out);
        }
        let early = std::mem::take(&mut current.early);
        self.grant(out);
        self.state = State::Inner(Collector::default());
        if !early.is_empty() {
            self.bytes(&early, out);
        }
    }

    fn own_page(&mut self, path: &str, out: &mut Out) {
        let path = path.split('?').next().unwrap_or_default();
        let page = if PAC_PATHS.contains(&path) {
            let kind = "Content-Type: application/x-ns-proxy-autoconfig\r\n";
            let text = format!(
                "function FindProxyForURL(url, host) {{\n  return \"PROXY {}\";\n}}\n",
                self.local
            );
            response(200, "OK", kind, &text)
        } else {
            response(200, "OK", "", "you came by the proxy\n")
        };
        self.answer(page, out);
    }

    fn answer(&mut self, page: Vec<u8>, out: &mut Out) {
        if let Some(current) = &mut self.current {
            current.code = current.code.or(Some(200));
            current.down += page.len() as u64;
            current.by = Some("the proxy, whose own page it is".to_owned());
        }
        out.send(page);
        self.finish(out);
    }

    /// What is asked is not done, and why.
    fn deny(&mut self, status: u16, reason: &str, why: &str, out: &mut Out) {
        let Some(current) = &mut self.current else { return };
        current.why = Some(why.to_owned());
        if current.ask.way.is_socks() {
            let code = match status {
                403 => 2,
                504 => 4,
                502 => 5,
                501 => 7,
                _ => 1,
            };
            current.code = Some(code.into());
            out.send(socks::reply(code));
        } else {
            current.code = Some(status);
            out.send(response(status, reason, "", &format!("{why}\n")));
        }
        self.finish(out);
    }

    /// What was asked is over, and the connection is soon.
    fn finish(&mut self, out: &mut Out) {
        self.over(out);
        self.drain(out);
    }

    fn over(&mut self, out: &mut Out) {
        if let Some(current) = self.current.take() {
            out.tell(Seen::Ended(Box::new(current.ended(self.at))));
        }
    }

    fn drain(&mut self, out: &mut Out) {
        out.todo.push(Do::Side(SideDo::Close));
        out.todo.push(Do::Shutdown);
        self.state = State::Drains(self.at + LINGER);
    }

    fn odd(&self, why: String, bytes: &[u8], out: &mut Out) {
        let (connection, at, client) = (self.number, self.at, self.peer);
        let bytes = bytes.get(..64).unwrap_or(bytes).to_vec();
        out.tell(Seen::Odd { connection, at, client, why, bytes });
    }
}

/// Scheme, authority and path of a target in absolute form; of a line with its method before it, too.
fn split(target: &str) -> Option<(&str, &str, &str)> {
    let target = target.rsplit(' ').next()?;
    let (scheme, rest) = target.split_once("://")?;
    let is_scheme = scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    is_scheme.then_some((scheme, authority, path))
}

/// A response behind which its connection ends.
fn response(status: u16, reason: &str, headers: &str, text: &str) -> Vec<u8> {
    with(status, reason, &format!("{headers}Connection: close\r\n"), text)
}

fn with(status: u16, reason: &str, headers: &str, text: &str) -> Vec<u8> {
    let kind = if headers.contains("Content-Type") { "" } else { "Content-Type: text/plain\r\n" };
    let len = text.len();
    format!(
        "HTTP/1.1 {status} {reason}\r\n{headers}{kind}Cache-Control: no-store\r\n\
         Content-Length: {len}\r\n\r\n{text}"
    )
    .into_bytes()
}
