//! One connection of a client.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::frame::{self, Read, Reader, close, frame as server_frame};
use super::handshake::{accept, faults, is_token, offered};
use super::message::{Event, Follower, NOT_UTF8, code_name};
use super::{Does, Ended, Frame, Handshake, Seen, Start};
use crate::head::{self, Came, Collector, Head};
use crate::machine::{Do, Input, Out, Stream};
use crate::text;

/// How long a client has to close once all is said.
const LINGER: Duration = Duration::from_secs(2);
/// How often `ping` pings.
const PING: Duration = Duration::from_secs(1);
/// How much of a payload is shown.
const BEGINS: usize = 128;

/// Where a connection is.
#[derive(Debug)]
enum State {
    /// A handshake is to come, or whatever comes.
    Head(Collector),
    /// Frames come.
    Open,
    /// Something came after which nothing is read.
    Deaf,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Session {
    number: u64,
    does: Does,
    state: State,
    at: Duration,
    peer: SocketAddr,
    start: Start,
    reader: Reader,
    follower: Follower,
    frames: u64,
    /// The client's Close.
    close: Option<(Option<u16>, String)>,
    /// What was said last: when it is waited for no longer.
    until: Option<Duration>,
    /// The next ping, and when the last left.
    next_ping: Option<Duration>,
    pings: u64,
    pinged: Option<Duration>,
    has_ended: bool,
}

impl Session {
    pub(super) fn new(number: u64, does: Does) -> Self {
        Self {
            number,
            does,
            state: State::Head(Collector::default()),
            at: Duration::ZERO,
            peer: SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0),
            start: Start::Silent,
            reader: Reader::default(),
            follower: Follower::default(),
            frames: 0,
            close: None,
            until: None,
            next_ping: None,
            pings: 0,
            pinged: None,
            has_ended: false,
        }
    }

    fn bytes(&mut self, bytes: &[u8], out: &mut Out) {
        match &mut self.state {
            State::Deaf => {}
            State::Open => self.frames(bytes, out),
            State::Head(collector) => {
                let was_empty = collector.is_empty();
                match collector.input(bytes) {
                    Came::Partial => {}
                    Came::Head(head, len) => {
                        let rest = collector.bytes()[len..].to_vec();
                        self.handshake(&head, &rest, out);
                    }
                    Came::No { .. } => {
                        let bytes = collector.begun().to_vec();
                        self.instead(&bytes, was_empty, out);
                    }
                }
            }
        }
    }

    /// No handshake came. Bytes before the first that counts are line ends alone.
    fn instead(&mut self, bytes: &[u8], is_first: bool, out: &mut Out) {
        let first = bytes.first().copied().unwrap_or_default();
        let is_frame = is_first && first & 0x70 == 0 && matches!(first & 15, 0..=2 | 8..=10);
        let what = match first {
            head::TLS => "TLS, as for wss://, and this is ws://",
            _ if is_frame => "a frame without a handshake",
            _ => "something that is neither HTTP nor a frame",
        };
        self.start = if is_frame { Start::Frame } else { Start::Other };
        let (connection, at, client) = (self.number, self.at, self.peer);
        let begins = bytes.get(..64).unwrap_or(bytes).to_vec();
        out.tell(Seen::Instead { connection, at, client, what, bytes: begins });
        if is_frame {
            self.state = State::Open;
            if self.does != Does::NoHandshake {
                // As a server does that takes it for HTTP; what else comes is told.
                self.refuse(400, "Bad Request", "", "a handshake is to come first\n", out);
            }
            self.frames(bytes, out);
        } else {
            self.state = State::Deaf;
            if first != head::TLS {
                out.send(response(400, "Bad Request", "", "a handshake is to come first\n"));
            }
            self.linger(out);
        }
    }

    fn refuse(&mut self, status: u16, reason: &str, lines: &str, text: &str, out: &mut Out) {
        out.send(response(status, reason, lines, text));
        self.linger(out);
    }

    /// All is said.
    fn linger(&mut self, out: &mut Out) {
        if self.until.is_none() {
            out.todo.push(Do::Shutdown);
            self.until = Some(self.at + LINGER);
            self.next_ping = None;
        }
    }

    fn handshake(&mut self, head: &Head, rest: &[u8], out: &mut Out) {
        let mut shake = Handshake {
            connection: self.number,
            at: self.at,
            client: self.peer,
            line: head.line(),
            agent: head.agent(),
            origin: head.value("origin").map(|origin| text::cut(&origin)),
            protocols: offered(head, "sec-websocket-protocol"),
            extensions: offered(head, "sec-websocket-extensions"),
            faults: faults(head),
            status: None,
            about: String::new(),
        };
        let is_right = shake.faults.is_empty();
        self.start = if is_right { Start::Handshake } else { Start::Wrong };
        self.state = State::Open;
        let mut send = Vec::new();
        if self.does == Does::NoHandshake {
            "a handshake is nothing to this script".clone_into(&mut shake.about);
        } else if !is_right {
            let is_plain = shake.faults.iter().any(|f| f.starts_with("Upgrade is missing"));
            let is_old = shake.faults.iter().any(|f| f.starts_with("Sec-WebSocket-Version"));
            let (status, reason) =
                if is_plain || is_old { (426, "Upgrade Required") } else { (400, "Bad Request") };
            let lines = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
            shake.status = Some(status);
            let why = format!("{}\n", shake.faults.join("\n"));
            send = response(status, reason, lines, &why);
            self.state = State::Deaf;
        } else if self.does == Does::Refuse {
            shake.status = Some(403);
            send = response(403, "Forbidden", "", "the script refuses everybody\n");
            self.state = State::Deaf;
        } else {
            send = self.accept(head, &mut shake);
        }
        if is_right && !rest.is_empty() {
            shake.faults.push("it sends frames before the handshake is answered (§4.1)".to_owned());
        }
        let status = shake.status;
        out.tell(Seen::Handshake(Box::new(shake)));
        if !send.is_empty() {
            out.send(send);
        }
        if matches!(self.state, State::Deaf) {
            return self.linger(out);
        }
        if status == Some(101) && self.does == Does::CloseAtOnce {
            out.send(close(1001, "going away"));
        }
        if self.does == Does::Ping {
            self.next_ping = Some(self.at + PING);
        }
        self.frames(rest, out);
    }

    /// The answer to a handshake that is right.
    fn accept(&mut self, head: &Head, shake: &mut Handshake) -> Vec<u8> {
        let key = head.value("sec-websocket-key").unwrap_or_default();
        let accept = if self.does == Does::BadAccept {
            "Sec-WebSocket-Accept is wrong".clone_into(&mut shake.about);
            accept("another key")
        } else {
            accept(&key)
        };
        let mut lines = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n"
        );
        let protocol = shake.protocols.first().filter(|p| is_token(p));
        if let Some(protocol) = protocol.filter(|_| self.does != Does::NoSubprotocol) {
            lines += "Sec-WebSocket-Protocol: ";
            lines += protocol;
            lines += "\r\n";
        }
        let deflate = |extension: &String| extension.starts_with("permessage-deflate");
        if self.does == Does::DeflateIgnored && shake.extensions.iter().any(deflate) {
            lines += "Sec-WebSocket-Extensions: permessage-deflate\r\n";
            "permessage-deflate is agreed".clone_into(&mut shake.about);
            self.follower.deflates = true;
        }
        shake.status = Some(101);
        (lines + "\r\n").into_bytes()
    }

    fn frames(&mut self, mut bytes: &[u8], out: &mut Out) {
        while !self.has_ended
            && let Some(read) = self.reader.next(&mut bytes)
        {
            self.frame(&read, out);
        }
        if self.reader.is_too_long() && self.until.is_none() && !self.has_ended {
            self.answer(Event::TooLong, out);
        }
    }

    fn frame(&mut self, read: &Read, out: &mut Out) {
        self.frames += 1;
        let (faults, event) = self.follower.frame(read);
        let pinged = self.pinged.filter(
            |_| matches!(&event, Some(Event::Pong(bytes)) if *bytes == self.ping().into_bytes()),
        );
        let about = match (&event, pinged) {
            (Some(Event::Pong(_)), Some(when)) => {
                let taken = self.at.saturating_sub(when).as_secs_f64();
                Some(format!("it answers ping {} after {taken:.3} s", self.pings))
            }
            (Some(Event::Pong(_)), None) => Some("it answers no ping of this server".to_owned()),
            (Some(Event::Close(Some(code), reason)), _) => {
                let name = code_name(*code);
                Some(format!("code {code} ({name}), reason {reason:?}"))
            }
            (Some(Event::Close(None, _)), _) => Some("without a code".to_owned()),
            _ if read.header.rsv & 4 != 0 && self.follower.deflates => {
                Some("compressed".to_owned())
            }
            _ => None,
        };
        let fails = faults.iter().find(|fault| !fault.contains("§5.3")).cloned();
        self.tell(read, faults, about, pinged.is_some(), out);
        if let Some(Event::Close(code, reason)) = &event {
            self.close.get_or_insert_with(|| (*code, reason.clone()));
        }
        if self.until.is_some() {
            return;
        }
        if let Some(fault) = fails {
            let code = if fault == NOT_UTF8 { 1007 } else { 1002 };
            out.send(close(code, &fault));
            return self.linger(out);
        }
        if self.does == Does::Reset {
            out.todo.push(Do::Reset);
            return self.ended("the script reset it (RST)".to_owned(), false, out);
        }
        if let Some(event) = event {
            self.answer(event, out);
        }
    }

    fn tell(
        &self,
        read: &Read,
        faults: Vec<String>,
        about: Option<String>,
        answers_ping: bool,
        out: &mut Out,
    ) {
        let begins = read.payload.get(..BEGINS).unwrap_or(&read.payload).to_vec();
        out.tell(Seen::Frame(Box::new(Frame {
            connection: self.number,
            at: self.at,
            number: self.frames,
            header: read.header,
            came: read.came,
            begins,
            faults,
            about,
            answers_ping,
            raw: read.raw(),
        })));
    }

    fn answer(&mut self, event: Event, out: &mut Out) {
        match event {
            Event::Message(_, true, bytes) => {
                let text = format!("{} compressed bytes came", bytes.len());
                out.send(server_frame(true, 1, text.as_bytes()));
            }
            Event::Message(opcode, _, bytes) if self.does == Does::Fragment => {
                let size = bytes.len().div_ceil(3).max(1);
                let mut pieces = bytes.chunks(size).peekable();
                let mut code = opcode;
                while let Some(piece) = pieces.next() {
                    out.send(server_frame(pieces.peek().is_none(), code, piece));
                    code = 0;
                }
                if bytes.is_empty() {
                    out.send(server_frame(true, opcode, &[]));
                }
            }
            Event::Message(opcode, _, bytes) => out.send(server_frame(true, opcode, &bytes)),
            Event::TooLong => {
                out.send(close(1009, &format!("more than {} bytes", frame::LIMIT)));
                self.linger(out);
            }
            Event::Ping(bytes) => out.send(server_frame(true, 10, &bytes)),
            Event::Pong(_) => {}
            Event::Close(code, _) => {
                if self.does != Does::CloseAtOnce {
                    out.send(code.map_or_else(|| server_frame(true, 8, &[]), |c| close(c, "")));
                }
                self.linger(out);
            }
        }
    }

    fn ping(&self) -> String {
        format!("ping {}", self.pings)
    }

    fn time(&mut self, out: &mut Out) {
        if self.until.is_some_and(|when| when <= self.at) {
            self.until = Some(Duration::MAX);
            let how = "the client did not close it, the server did".to_owned();
            self.ended(how, false, out);
            out.todo.push(Do::Close);
        }
        if self.next_ping.is_some_and(|when| when <= self.at) {
            self.pings += 1;
            (self.pinged, self.next_ping) = (Some(self.at), Some(self.at + PING));
            out.send(server_frame(true, 9, self.ping().as_bytes()));
        }
    }

    fn ended(&mut self, how: String, by_client: bool, out: &mut Out) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        if let State::Head(collector) = &self.state
            && !collector.is_empty()
        {
            self.start = Start::Other;
            let (connection, at, client) = (self.number, self.at, self.peer);
            let bytes = collector.begun();
            let bytes = bytes.get(..64).unwrap_or(bytes).to_vec();
            let what = "a request of HTTP that has no end";
            out.tell(Seen::Instead { connection, at, client, what, bytes });
        }
        let mut how = how;
        if !self.reader.is_empty() {
            how += ", within a frame";
            if let Some(read) = self.reader.rest() {
                self.frames += 1;
                self.tell(&read, Vec::new(), Some("not whole".to_owned()), false, out);
            }
        }
        (self.next_ping, self.state) = (None, State::Deaf);
        let (connection, at, start, frames) = (self.number, self.at, self.start, self.frames);
        let close = self.close.clone();
        out.tell(Seen::Ended(Box::new(Ended {
            connection,
            at,
            start,
            frames,
            close,
            how,
            by_client,
        })));
    }
}

impl Stream for Session {
    fn input(&mut self, what: Input<'_>, at: Duration, out: &mut Out) {
        self.at = at;
        match what {
            Input::Opened { peer, .. } => {
                self.peer = peer;
                if self.does == Does::NoHandshake {
                    out.send(server_frame(true, 1, b"a frame without a handshake"));
                }
            }
            Input::Bytes([]) | Input::Urgent | Input::Side(_) => {}
            Input::Bytes(bytes) => self.bytes(bytes, out),
            Input::End => {
                let how = text::closed_by_client(self.until.is_some());
                self.ended(how.to_owned(), true, out);
                out.todo.push(Do::Close);
            }
            Input::Broken(why) => self.ended(why.to_owned(), true, out),
            Input::Stops => self.ended("it was open when it was ended here".to_owned(), false, out),
            Input::Time => self.time(out),
        }
    }

    fn wakes(&self) -> Option<Duration> {
        let until = self.until.filter(|when| *when < Duration::MAX);
        [until, self.next_ping].into_iter().flatten().min()
    }

    fn is_busy(&self) -> bool {
        !self.has_ended
    }
}

/// A response behind which its connection ends.
fn response(status: u16, reason: &str, lines: &str, text: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} {reason}\r\n{lines}Connection: close\r\nContent-Type: text/plain\r\n\
         Content-Length: {}\r\n\r\n{text}",
        text.len()
    )
    .into_bytes()
}
