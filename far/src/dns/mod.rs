//! A name server that says who asked for what, by TCP and UDP at one port (RFC 1035, RFC 7766).

mod answer;
mod query;
mod report;
pub(crate) mod schema;
mod verdict;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use answer::{Answer, Flaw, Outcome, SCRIPTS};
use answer::{Plan, Way, answer, malformed};
pub use query::{Edns, Question, read};
pub use report::Report;

use crate::machine::{Datagram, Datagrams, Do, Input, Kind, Out, Reply, Stream};
use crate::offer::{Asked, Made, find};

/// How many answers may wait for their time.
const WAITING: usize = 1024;
/// The same on one connection: no more is read then.
const WAITING_HERE: usize = 64;
/// How long a connection may say nothing.
const IDLE: Duration = Duration::from_secs(10);
/// How many bytes are kept of what is no query.
const SOME: usize = 512;

/// What was seen.
#[derive(Clone, Debug)]
pub enum Seen {
    /// A query, and its answer.
    Query(Box<Query>, Box<Answer>),
    /// An answer that had to wait was not sent.
    Unsent {
        /// To which query.
        number: u64,
        /// Why not.
        why: &'static str,
    },
    /// What came is no query.
    Malformed {
        /// When.
        at: Duration,
        /// By what.
        transport: Transport,
        /// From whom.
        peer: SocketAddr,
        /// Why it is none.
        why: String,
        /// Its first 512 bytes.
        bytes: Vec<u8>,
        /// How long it is, in bytes.
        len: usize,
        /// Whether it was answered, by FORMERR.
        is_answered: bool,
    },
    /// A connection was reset as soon as it was there, since the script says so.
    Reset {
        /// When.
        at: Duration,
        /// Its number, from 1.
        connection: u64,
        /// From whom.
        peer: SocketAddr,
    },
    /// A connection ended that had asked nothing.
    AskedNothing {
        /// When.
        at: Duration,
        /// Its number, from 1.
        connection: u64,
        /// From whom.
        peer: SocketAddr,
        /// How it ended.
        how: String,
    },
}

/// A query as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Its number, from 1.
    pub number: u64,
    /// When.
    pub at: Duration,
    /// By what.
    pub transport: Transport,
    /// Where it came to.
    pub local: SocketAddr,
    /// From whom.
    pub peer: SocketAddr,
    /// What it says.
    pub question: Question,
    /// Its exact bytes.
    pub bytes: Vec<u8>,
}

/// By what a query came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A datagram.
    Udp,
    /// The connection of that number.
    Tcp(u64),
}

/// Makes the server.
pub fn make(asked: &Asked) -> Result<Made, String> {
    let plan = *find(answer::ROWS, &asked.script)?;
    let server = Server { plan, queries: Arc::default() };
    Ok(Made {
        kind: Box::new(server),
        witness: Box::new(Report::default()),
        url: |addr| format!("dns://{addr}/"),
        ca: None,
    })
}

/// The kind.
#[derive(Clone, Debug)]
struct Server {
    plan: Plan,
    /// How many came.
    queries: Arc<AtomicU64>,
}

impl Kind for Server {
    fn stream(&mut self, number: u64) -> Option<Box<dyn Stream>> {
        Some(Box::new(Connection::new(self.clone(), number)))
    }

    fn datagrams(&mut self) -> Option<Box<dyn Datagrams>> {
        Some(Box::new(Udp { server: self.clone(), waiting: VecDeque::new() }))
    }
}

/// Of whom a message is, and when it came.
#[derive(Clone, Copy, Debug)]
struct From {
    transport: Transport,
    local: SocketAddr,
    peer: SocketAddr,
    at: Duration,
}

impl Server {
    /// Tells of a message: its number, when its answer is due, and the answer if there is one.
    fn message(&self, bytes: &[u8], from: From, out: &mut Out) -> Option<(u64, Duration, Vec<u8>)> {
        let From { transport, local, peer, at } = from;
        match read(bytes) {
            Ok(question) => {
                let number = self.queries.fetch_add(1, Ordering::Relaxed) + 1;
                let answer = answer(self.plan, bytes, &question, transport != Transport::Udp);
                let due = (number, at + answer.after, answer.bytes.clone());
                let bytes = bytes.to_vec();
                let query = Query { number, at, transport, local, peer, question, bytes };
                out.tell(Seen::Query(Box::new(query), Box::new(answer)));
                (!due.2.is_empty()).then_some(due)
            }
            Err(why) => {
                let answer = malformed(bytes);
                let (len, is_answered) = (bytes.len(), answer.is_some());
                let bytes = bytes[..len.min(SOME)].to_vec();
                out.tell(Seen::Malformed { at, transport, peer, why, bytes, len, is_answered });
                answer.map(|answer| (0, at, answer))
            }
        }
    }
}

/// Its datagrams, and those answers whose time has not come.
struct Udp {
    server: Server,
    waiting: VecDeque<(u64, Duration, Reply)>,
}

impl Datagrams for Udp {
    fn input(&mut self, datagram: &Datagram<'_>, at: Duration, out: &mut Out) {
        let Datagram { local, peer, data, .. } = *datagram;
        let from = From { transport: Transport::Udp, local, peer, at };
        let Some((number, when, data)) = self.server.message(data, from, out) else { return };
        let reply = Reply { local, peer, data };
        if when <= at {
            out.datagrams.push(reply);
        } else if self.waiting.len() < WAITING {
            self.waiting.push_back((number, when, reply));
        } else {
            out.tell(Seen::Unsent { number, why: "too many wait" });
        }
    }

    fn time(&mut self, at: Duration, out: &mut Out) {
        while let Some((.., reply)) = self.waiting.pop_front_if(|(_, when, _)| *when <= at) {
            out.datagrams.push(reply);
        }
    }

    fn wakes(&self) -> Option<Duration> {
        self.waiting.front().map(|(_, when, _)| *when)
    }

    fn stops(&mut self, _at: Duration, out: &mut Out) {
        for (number, ..) in self.waiting.drain(..) {
            out.tell(Seen::Unsent { number, why: "the server ended before that" });
        }
    }
}

/// A connection: messages with their length before them (RFC 1035 §4.2.2).
struct Connection {
    server: Server,
    number: u64,
    ends: Option<(SocketAddr, SocketAddr)>,
    buffer: Vec<u8>,
    waiting: VecDeque<(u64, Duration, Vec<u8>)>,
    /// How many messages came.
    messages: u64,
    last: Duration,
    has_ended: bool,
    is_over: bool,
}

impl Connection {
    fn new(server: Server, number: u64) -> Self {
        let (waiting, buffer, last) = (VecDeque::new(), Vec::new(), Duration::ZERO);
        let (ends, messages, has_ended, is_over) = (None, 0, false, false);
        Self { server, number, ends, buffer, waiting, messages, last, has_ended, is_over }
    }

    /// Answers what is complete, as far as there is room for answers.
    fn advance(&mut self, at: Duration, out: &mut Out) {
        let Some((local, peer)) = self.ends else { return };
        let mut done = 0;
        while self.waiting.len() < WAITING_HERE
            && let Some((head, rest)) = self.buffer[done..].split_first_chunk::<2>()
            && let Some(message) = rest.get(..usize::from(u16::from_be_bytes(*head)))
        {
            self.messages += 1;
            done += 2 + message.len();
            let from = From { transport: Transport::Tcp(self.number), local, peer, at };
            let answer = self.server.message(message, from, out);
            self.waiting.extend(answer);
            self.send(at, out);
        }
        self.buffer.drain(..done);
    }

    /// Sends what is due, in the order of the queries.
    fn send(&mut self, at: Duration, out: &mut Out) {
        while let Some((.., answer)) = self.waiting.pop_front_if(|(_, when, _)| *when <= at) {
            // Both in one write: there are clients that take what comes first for all (RFC 7766 §8).
            let length = u16::try_from(answer.len()).unwrap_or(u16::MAX);
            out.send([&length.to_be_bytes()[..], &answer].concat());
        }
    }

    /// It is over: says what is unfinished.
    fn ends(&mut self, at: Duration, how: &str, out: &mut Out) {
        let Some((_, peer)) = self.ends.filter(|_| !self.is_over) else { return };
        self.is_over = true;
        for (number, ..) in self.waiting.drain(..) {
            out.tell(Seen::Unsent { number, why: "the connection ended before that" });
        }
        let transport = Transport::Tcp(self.number);
        if !self.buffer.is_empty() {
            let len = self.buffer.len();
            let why = match self.buffer.first_chunk() {
                Some(head) => {
                    let all = u16::from_be_bytes(*head);
                    format!("{} of {all} bytes, and no more ({how})", len - 2)
                }
                None => format!("half of a length, and no more ({how})"),
            };
            let bytes = self.buffer[..len.min(SOME)].to_vec();
            let is_answered = false;
            out.tell(Seen::Malformed { at, transport, peer, why, bytes, len, is_answered });
        } else if self.messages == 0 {
            let how = how.to_owned();
            out.tell(Seen::AskedNothing { at, connection: self.number, peer, how });
        }
    }
}

impl Stream for Connection {
    fn input(&mut self, what: Input<'_>, at: Duration, out: &mut Out) {
        if self.is_over {
            return;
        }
        match what {
            Input::Opened { local, peer } => {
                self.ends = Some((local, peer));
                if self.server.plan.way == Way::TruncatedNoTcp {
                    self.is_over = true;
                    out.tell(Seen::Reset { at, connection: self.number, peer });
                    out.todo.push(Do::Reset);
                    return;
                }
            }
            Input::Bytes(bytes) => {
                self.buffer.extend_from_slice(bytes);
                self.advance(at, out);
            }
            Input::End => self.has_ended = true,
            Input::Time => {
                self.send(at, out);
                self.advance(at, out);
                if self.wakes().is_some_and(|when| when <= at) {
                    self.ends(at, "closed after 10 s in which nothing came", out);
                    out.todo.push(Do::Close);
                }
            }
            Input::Broken(why) => return self.ends(at, why, out),
            Input::Stops => return self.ends(at, "until the server ended", out),
            Input::Urgent | Input::Side(_) => return,
        }
        if what != Input::Time {
            self.last = at;
        }
        if self.has_ended && self.waiting.is_empty() {
            self.ends(at, "closed by the client", out);
            out.todo.push(Do::Close);
        }
    }

    fn wakes(&self) -> Option<Duration> {
        let idle = (!self.is_over).then_some(self.last + IDLE);
        self.waiting.front().map(|(_, when, _)| *when).or(idle)
    }

    fn room(&self) -> usize {
        if self.waiting.len() < WAITING_HERE { usize::from(u16::MAX) } else { 0 }
    }

    fn is_busy(&self) -> bool {
        self.messages == 0 || !self.buffer.is_empty() || !self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests;
