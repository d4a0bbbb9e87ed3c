//! One connection: what came, and what the script makes of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::report::{Answered, Record};
use super::script::{self, Action, Known, Response, Rules};
use crate::body::Reader;
use crate::head::{Body, Came, Collector, Head};
use crate::machine::{Do, Input, Out, Stream};

/// How much of a body is kept.
const KEPT: usize = 1 << 20;
/// How much the slow reader takes at once.
const CHUNK: usize = 16 << 10;
/// How long it waits before each.
const SLOW: Duration = Duration::from_millis(10);

/// What the connections of a server share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) script: &'static Rules,
    pub(super) requests: AtomicU64,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    shared: Arc<Shared>,
    /// Its number, and how many requests came on it.
    number: u64,
    requests: u64,
    buffer: Collector,
    stage: Stage,
    /// The client sends no more.
    ended: bool,
}

#[derive(Debug)]
enum Stage {
    /// Waits for a request.
    Head,
    /// Does what the script says.
    Acts(Box<Exchange>),
    /// Takes what comes until the client ends, and says nothing.
    Silent,
    Over,
}

/// A request being served.
#[derive(Debug)]
struct Exchange {
    /// None once it was told.
    record: Option<Box<Record>>,
    announced: Body,
    body: Reader,
    /// What is still to be done; the first may have begun.
    actions: VecDeque<Action>,
    /// Until when that one waits.
    waits: Option<Duration>,
}

impl Stream for Connection {
    fn input(&mut self, what: Input<'_>, at: Duration, out: &mut Out) {
        match what {
            Input::Bytes(bytes) => self.buffer.push(bytes),
            Input::End => self.ended = true,
            Input::Time => {}
            Input::Broken(why) => return self.ends(Err(why), at, out),
            Input::Stops => return self.ends(Ok(()), at, out),
            Input::Opened { .. } | Input::Urgent | Input::Side(_) => return,
        }
        while self.goes_on(at, out) {}
        self.buffer.compact();
    }

    fn wakes(&self) -> Option<Duration> {
        match &self.stage {
            Stage::Acts(exchange) => exchange.waits,
            _ => None,
        }
    }

    fn room(&self) -> usize {
        let Stage::Acts(exchange) = &self.stage else { return usize::MAX };
        match (exchange.actions.front(), exchange.waits) {
            (Some(Action::Pause(_) | Action::ReadSlowly), Some(_)) => 0,
            (Some(Action::ReadSlowly), None) => CHUNK,
            _ => usize::MAX,
        }
    }

    fn is_busy(&self) -> bool {
        match &self.stage {
            Stage::Head => self.requests == 0 || !self.buffer.is_empty(),
            Stage::Acts(exchange) => exchange.record.is_some(),
            Stage::Silent | Stage::Over => false,
        }
    }
}

impl Connection {
    pub(super) fn new(shared: Arc<Shared>, number: u64) -> Self {
        let (buffer, stage) = (Collector::default(), Stage::Head);
        Self { shared, number, requests: 0, buffer, stage, ended: false }
    }

    /// Does the next thing that can be done: whether there was one.
    fn goes_on(&mut self, at: Duration, out: &mut Out) -> bool {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Head => self.begins(at, out),
            Stage::Acts(exchange) => self.acts(exchange, at, out),
            Stage::Silent => {
                self.buffer.clear();
                if self.ended {
                    out.todo.push(Do::Close);
                } else {
                    self.stage = Stage::Silent;
                }
                false
            }
            Stage::Over => {
                self.buffer.clear();
                false
            }
        }
    }

    /// A request begins, if all of its head is there.
    fn begins(&mut self, at: Duration, out: &mut Out) -> bool {
        let (why, is_long) = match self.buffer.head(self.ended) {
            Came::Head(head, len) => match head.body() {
                Ok(body) => {
                    self.request(*head, len, body, at);
                    return true;
                }
                Err(why) => (why, false),
            },
            Came::No { why, is_long } => (why, is_long),
            Came::Partial if !self.ended => {
                self.stage = Stage::Head;
                return false;
            }
            Came::Partial if self.buffer.is_empty() => {
                out.todo.push(Do::Close);
                return false;
            }
            Came::Partial => ("the connection ended within the head".to_owned(), false),
        };
        let mut record = self.malformed(why, at);
        answer(script::refusal(is_long), Some(&mut record), at, out);
        out.tell(record);
        out.todo.push(Do::Close);
        false
    }

    /// A request is there, but for its body.
    fn request(&mut self, head: Head, len: usize, announced: Body, at: Duration) {
        let raw = self.buffer.take(len).to_vec();
        self.requests += 1;
        let request = self.shared.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let (connection, on_connection) = (self.number, self.requests);
        let known = Known { request, connection, on_connection, head: &head };
        let actions = script::actions(self.shared.script, &known);
        let ending = script::ending(&actions);
        let record = Some(Box::new(self.record(request, Ok(head), raw, ending, at)));
        let (body, actions, waits) = (Reader::new(announced), actions.into(), None);
        let exchange = Exchange { record, announced, body, actions, waits };
        self.stage = Stage::Acts(Box::new(exchange));
    }

    fn malformed(&mut self, why: String, at: Duration) -> Box<Record> {
        self.requests += 1;
        let request = self.shared.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let raw = self.buffer.take(usize::MAX).to_vec();
        Box::new(self.record(request, Err(why), raw, "closed", at))
    }

    fn record(
        &self,
        request: u64,
        head: Result<Head, String>,
        raw: Vec<u8>,
        ending: &str,
        at: Duration,
    ) -> Record {
        Record {
            request,
            connection: self.number,
            on_connection: self.requests,
            at,
            head,
            head_len: raw.len(),
            raw,
            body_len: 0,
            body_note: None,
            response: None,
            ending: ending.to_owned(),
        }
    }

    /// Does the first of what is still to be done: whether there may be more.
    fn acts(&mut self, mut exchange: Box<Exchange>, at: Duration, out: &mut Out) -> bool {
        let Some(action) = exchange.actions.pop_front() else {
            exchange.told(out);
            self.stage = Stage::Head;
            return true;
        };
        let due = exchange.waits.is_some_and(|when| when <= at);
        let waits = exchange.waits.is_some();
        // What is to be done once more, and until when it waits.
        let mut again: Option<(Action, Option<Duration>)> = None;
        match action {
            Action::Send(response) => answer(response, exchange.record.as_deref_mut(), at, out),
            Action::Read | Action::ReadSlowly => {
                let slowly = action == Action::ReadSlowly;
                if slowly && waits && !due {
                    again = Some((action, exchange.waits));
                } else {
                    match exchange.reads(&mut self.buffer, self.ended) {
                        Ok(true) => {}
                        Ok(false) if slowly && !(waits && due) => {
                            again = Some((action, Some(at + SLOW)));
                        }
                        Ok(false) => again = Some((action, None)),
                        Err(()) => exchange.actions = [Action::Close].into(),
                    }
                }
            }
            Action::Pause(_) if due => {}
            Action::Pause(ms) => {
                again = Some((action, exchange.waits.or(Some(at + Duration::from_millis(ms)))));
            }
            Action::Idle(ms) => {
                exchange.told(out);
                if !self.buffer.bytes().is_empty() {
                    exchange.actions.clear();
                } else if !self.ended && !due {
                    again = Some((action, exchange.waits.or(Some(at + Duration::from_millis(ms)))));
                }
            }
            Action::HalfClose => out.todo.push(Do::Shutdown),
            Action::Drain => match exchange.reads(&mut self.buffer, self.ended) {
                Ok(false) => again = Some((action, None)),
                // Until its end: what follows the body belongs to nothing.
                Ok(true) if !self.ended => {
                    self.buffer.clear();
                    again = Some((action, None));
                }
                _ => {}
            },
            Action::Close | Action::Reset => {
                exchange.told(out);
                out.todo.push(if action == Action::Close { Do::Close } else { Do::Reset });
                return false;
            }
            Action::Silence => {
                exchange.told(out);
                self.stage = Stage::Silent;
                return true;
            }
        }
        let goes_on = again.is_none();
        exchange.waits = None;
        if let Some((action, waits)) = again {
            exchange.actions.push_front(action);
            exchange.waits = waits;
        }
        self.stage = Stage::Acts(exchange);
        goes_on
    }

    /// It is gone, by the client, who is told of, or with the server: what is unfinished is told.
    fn ends(&mut self, how: Result<(), &str>, at: Duration, out: &mut Out) {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Head if !self.buffer.is_empty() => {
                let why = how.map_or_else(
                    |why| format!("within the head: {why}"),
                    |()| "the server ended within the head".to_owned(),
                );
                let record = self.malformed(why, at);
                out.tell(record);
            }
            Stage::Acts(mut exchange) => {
                if let Some(record) = &mut exchange.record {
                    record.ending = how.map_or_else(
                        |why| format!("broken by the client: {why}"),
                        |()| "ended with the server".to_owned(),
                    );
                }
                exchange.told(out);
            }
            _ => {}
        }
    }
}

fn answer(response: Response, record: Option<&mut Record>, at: Duration, out: &mut Out) {
    let Response { status, lines, bytes } = response;
    out.send(bytes);
    if let Some(record) = record.filter(|_| status != 100) {
        record.response = Some(Answered { at, status, lines });
    }
}

impl Exchange {
    /// Takes what there is of the body: whether that was all. An error if there is no more of it that makes sense.
    fn reads(&mut self, buffer: &mut Collector, ended: bool) -> Result<bool, ()> {
        let fed = self.body.feed(buffer.bytes());
        let taken = *fed.as_ref().unwrap_or(&buffer.bytes().len());
        let taken = buffer.take(taken);
        let Some(record) = &mut self.record else { return Ok(self.body.is_done()) };
        let room = (record.head_len + KEPT).saturating_sub(record.raw.len());
        record.raw.extend_from_slice(&taken[..taken.len().min(room)]);
        record.body_len = self.body.len;
        if let Err(why) = fed {
            record.body_note = Some(why);
            "closed".clone_into(&mut record.ending);
            return Err(());
        }
        if self.body.is_done() {
            return Ok(true);
        }
        if ended {
            record.body_note = Some("then the connection ended".to_owned());
            "ended by the client".clone_into(&mut record.ending);
            return Err(());
        }
        Ok(false)
    }

    /// Hands the record over, once.
    fn told(&mut self, out: &mut Out) {
        let Some(mut record) = self.record.take() else { return };
        if !self.body.is_done() && record.body_note.is_none() {
            record.body_note = Some(match self.announced {
                Body::Length(len) => format!("of {len} announced"),
                Body::Chunked => "not to its end".to_owned(),
            });
        }
        out.tell(record);
    }
}
