//! Servers whose protocol is a machine's ([`far`]): the same ones that `sockeye control` has.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Instant;

use far::machine::{About, Side};
use far::{Asked, Datagram, Datagrams, Do, Input, Kind, OFFERS, Out, Seen, Stream, Witness};
use smoltcp::socket::tcp::{Socket, State};
use smoltcp::wire::IpEndpoint;

use crate::case::Speaks;

/// How much is read at once.
const CHUNK: usize = 16 << 10;
/// How many bytes of what was seen are told, since a trace has them in one line, and how many of one thing.
const MOST: usize = 4 << 20;
const MOST_OF_LINE: usize = 4096;

/// A protocol that is spoken at a port, by all of its connections and datagrams.
pub(super) struct Spoken {
    pub(super) port: u16,
    pub(super) datagrams: Option<Box<dyn Datagrams>>,
    kind: Box<dyn Kind>,
    witness: Box<dyn Witness>,
    name: String,
    ca: Option<String>,
    began: Instant,
    connections: u64,
    told: Vec<String>,
    /// How many bytes more are told, and how many lines were not.
    room: usize,
    untold: usize,
}

impl Spoken {
    /// An error is one sentence: that it is none which far ends speak `Case::check` has said before.
    pub(super) fn new(port: u16, speaks: &Speaks) -> Result<Self, String> {
        let name = speaks.protocol.clone();
        let offer = OFFERS.iter().find(|offer| offer.name == name);
        let offer = offer.ok_or_else(|| format!("no far end speaks {name}"))?;
        let first = || offer.scripts.first().map_or(String::new(), |first| first.name.to_owned());
        let script = speaks.script.clone().unwrap_or_else(first);
        let asked = Asked { script, names: speaks.names.clone(), ..Asked::default() };
        let mut made = (offer.make)(&asked)?;
        let datagrams = made.kind.datagrams();
        Ok(Self {
            port,
            datagrams,
            kind: made.kind,
            witness: made.witness,
            name,
            ca: made.ca,
            began: Instant::now(),
            connections: 0,
            told: Vec::new(),
            room: MOST,
            untold: 0,
        })
    }

    /// The certificate that a client is to trust, as PEM.
    pub(super) fn ca(&self) -> Option<&str> {
        self.ca.as_deref()
    }

    /// The machine of the next connection; none where it has none.
    pub(super) fn next(&mut self) -> Option<Machine> {
        self.connections += 1;
        let stream = self.kind.stream(self.connections)?;
        let (steps, ended) = (VecDeque::new(), false);
        Some(Machine { stream, began: self.began, steps, ended, is_open: false, is_over: false })
    }

    /// A datagram came, or the time is there for what was to be done later; what is to be sent is in `out`.
    pub(super) fn input(
        &mut self,
        datagram: Option<(SocketAddr, SocketAddr, &[u8])>,
        out: &mut Out,
    ) {
        let at = self.began.elapsed();
        let Some(machine) = &mut self.datagrams else { return };
        match datagram {
            Some((peer, local, data)) => {
                let about = About::default();
                machine.input(&Datagram { local, peer, data, about }, at, out);
            }
            None if machine.wakes().is_some_and(|when| when <= at) => machine.time(at, out),
            None => {}
        }
    }

    /// Takes down what was seen.
    pub(super) fn tell(&mut self, seen: &mut Vec<Seen>) {
        for seen in seen.drain(..) {
            for line in self.witness.tell(&seen).lines {
                self.keep(line);
            }
        }
    }

    fn keep(&mut self, mut line: String) {
        let end = (0..=MOST_OF_LINE.min(line.len())).rev().find(|at| line.is_char_boundary(*at));
        let cut = line.len() - end.unwrap_or(0);
        if cut > 0 {
            line.truncate(line.len() - cut);
            let _ = write!(line, "… and {cut} bytes more");
        }
        match self.room.checked_sub(line.len()) {
            Some(room) if self.untold == 0 => {
                self.room = room;
                self.told.push(line);
            }
            _ => self.untold += 1,
        }
    }

    /// All that was said of it, and what it came to. Its connections have ended by then.
    pub(super) fn said(&mut self) -> Vec<String> {
        let mut out = Out::default();
        if let Some(machine) = &mut self.datagrams {
            machine.stops(self.began.elapsed(), &mut out);
        }
        self.tell(&mut out.seen);
        let mut said = vec![format!("the far end speaks {} at port {}", self.name, self.port)];
        said.append(&mut self.told);
        if self.untold > 0 {
            said.push(format!(
                "and {} lines more, which are too many to be told here",
                self.untold
            ));
        }
        // Whatever was too much, what it came to is told.
        self.room = MOST;
        self.untold = 0;
        for line in self.witness.summary() {
            self.keep(line);
        }
        said.append(&mut self.told);
        said
    }
}

/// The protocol of one connection.
pub(super) struct Machine {
    stream: Box<dyn Stream>,
    began: Instant,
    /// What waits to be done.
    steps: VecDeque<Do>,
    is_open: bool,
    ended: bool,
    is_over: bool,
}

impl Machine {
    fn input(&mut self, what: Input<'_>, seen: &mut Vec<Seen>) {
        if self.is_over {
            return;
        }
        let mut out = Out::default();
        self.stream.input(what, self.began.elapsed(), &mut out);
        self.is_over = matches!(what, Input::Broken(_) | Input::Stops);
        seen.append(&mut out.seen);
        for step in out.todo {
            match step {
                // One connection is all that a far end has.
                Do::Side(_) => {
                    self.input(Input::Side(Side::Failed("there is none in a lab")), seen);
                }
                step => self.steps.push_back(step),
            }
        }
    }

    /// Goes on, as far as the connection lets it; whether anything was done.
    pub(super) fn step(
        &mut self,
        socket: &mut Socket<'_>,
        vanished: &mut bool,
        seen: &mut Vec<Seen>,
    ) -> bool {
        if self.is_over
            || matches!(socket.state(), State::Listen | State::SynSent | State::SynReceived)
        {
            return false;
        }
        if !self.is_open {
            self.is_open = true;
            if let Some((local, peer)) = socket.local_endpoint().zip(socket.remote_endpoint()) {
                self.input(Input::Opened { local: end(local), peer: end(peer) }, seen);
            }
            return true;
        }
        if self.stream.wakes().is_some_and(|when| when <= self.began.elapsed()) {
            self.input(Input::Time, seen);
        }
        self.act(socket, vanished) || self.read(socket, seen)
    }

    /// Takes the step at the front.
    fn act(&mut self, socket: &mut Socket<'_>, vanished: &mut bool) -> bool {
        let Some(step) = self.steps.front_mut() else { return false };
        match step {
            Do::Send(bytes) => {
                let sent = socket.send_slice(bytes).unwrap_or(bytes.len());
                bytes.drain(..sent);
                if !bytes.is_empty() {
                    return sent > 0;
                }
            }
            Do::Shutdown => socket.close(),
            // What is unread makes it a reset (RFC 9293 §3.10.4).
            Do::Close | Do::Reset if socket.send_queue() > 0 => return false,
            Do::Close if socket.recv_queue() == 0 => {
                socket.close();
                self.is_over = true;
            }
            Do::Close | Do::Reset => {
                socket.abort();
                self.is_over = true;
            }
            Do::Vanish => *vanished = true,
            Do::Side(_) => {}
        }
        self.steps.pop_front();
        true
    }

    /// Hands over what came.
    fn read(&mut self, socket: &mut Socket<'_>, seen: &mut Vec<Seen>) -> bool {
        let room = self.stream.room().min(CHUNK);
        if room > 0 && socket.recv_queue() > 0 {
            let mut bytes = vec![0; room];
            let len = socket.recv_slice(&mut bytes).unwrap_or(0);
            bytes.truncate(len);
            self.input(Input::Bytes(&bytes), seen);
            return len > 0;
        }
        if self.ended || socket.recv_queue() > 0 {
            return false;
        }
        match socket.state() {
            State::CloseWait | State::LastAck | State::Closing | State::TimeWait => {
                self.ended = true;
                self.input(Input::End, seen);
                true
            }
            State::Closed => {
                self.ended = true;
                self.input(Input::Broken("reset (RST)"), seen);
                true
            }
            _ => false,
        }
    }

    /// The case is over, and so is the connection.
    pub(super) fn stops(&mut self, seen: &mut Vec<Seen>) {
        self.input(Input::Stops, seen);
    }
}

fn end(end: IpEndpoint) -> SocketAddr {
    SocketAddr::new(end.addr.into(), end.port)
}
