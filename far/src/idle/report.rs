//! What came of connections that were ended when idle, in sentences.

use std::collections::BTreeMap;

use serde_json::json;

use super::{IDLE, Seen, Then, What};
use crate::text;
use crate::witness::{self, Told, Witness, count};

/// Of how many connections the summary tells each by itself.
const MOST: usize = 20;
/// Of how many it knows anything.
const MOST_KEPT: usize = 10_000;

/// What may be expected, beside what the machine's own witness has.
const EXPECTATIONS: [(&str, &str); 5] = [
    ("ended idle", "a connection was idle, and was ended"),
    ("came again", "after that the client came on a new connection"),
    ("sent again", "what it had sent on an ended connection came on a new one, the same bytes"),
    ("request lost", "it sent something on an ended connection, which was not seen again"),
    ("no request lost", "a connection was ended, the client came again, and nothing was lost"),
];

/// Tells of connections that were ended, and lets another tell the rest.
pub(super) struct Teller {
    inner: Box<dyn Witness>,
    then: Then,
    expectations: &'static [(&'static str, &'static str)],
    connections: usize,
    idle: usize,
    /// Those that were ended, by their number.
    ended: BTreeMap<u64, Ended>,
}

/// What is known of one that was ended.
#[derive(Clone, Copy, Debug, Default)]
struct Ended {
    lost: usize,
    is_encrypted: bool,
    has_left: bool,
    /// The connection on which the client came next, and the one on which what was lost came again.
    next: Option<u64>,
    again: Option<u64>,
}

impl Teller {
    pub(super) fn new(inner: Box<dyn Witness>, then: Then) -> Self {
        // They are asked for once a server, whose life is the program's.
        let expectations = [inner.expectations(), &EXPECTATIONS].concat().leak();
        let (connections, idle, ended) = (0, 0, BTreeMap::new());
        Self { inner, then, expectations, connections, idle, ended }
    }

    fn add(&mut self, seen: &Seen) -> String {
        let number = seen.connection;
        let ended = self.ended.get_mut(&number);
        match seen.what {
            What::Opened(after) => {
                self.connections += 1;
                let Some(after) = after else { return String::new() };
                if let Some(ended) = self.ended.get_mut(&after) {
                    ended.next = Some(number);
                }
                format!("the client came again, after connection {after} was ended")
            }
            What::Idle(then) => {
                self.idle += 1;
                if self.ended.len() < MOST_KEPT {
                    self.ended.insert(number, Ended::default());
                }
                format!("idle for {} ms: {}", IDLE.as_millis(), done(then))
            }
            What::Lost { bytes, is_encrypted } => {
                if let Some(ended) = ended {
                    ended.is_encrypted |= is_encrypted && ended.lost == 0;
                    ended.lost += bytes;
                }
                format!("{} came on it, and nobody reads them", count(bytes, "byte"))
            }
            What::Again(of) => {
                if let Some(ended) = self.ended.get_mut(&of) {
                    ended.again = Some(number);
                }
                format!("what was lost on connection {of} came again, the same bytes")
            }
            What::Left => {
                if let Some(ended) = ended {
                    ended.has_left = true;
                }
                "the client ended it, too".to_owned()
            }
        }
    }

    /// What came of all connections that were ended.
    fn lines(&self) -> Vec<String> {
        if self.idle == 0 {
            let of = count(self.connections, "connection");
            return vec![format!(
                "none of {of} was idle for {} ms after an answer: none was ended",
                IDLE.as_millis()
            )];
        }
        let of = count(self.connections, "connection");
        let (idle, ms, done) = (self.idle, IDLE.as_millis(), done(self.then));
        let (was, answer) = (was(idle), self.answer());
        let mut lines =
            vec![answer, format!("{idle} of {of} {was} idle for {ms} ms, and {was} then {done}")];
        lines.extend(
            self.ended
                .iter()
                .take(MOST)
                .map(|(number, ended)| format!("  connection {number}: {}", ended.said(self.then))),
        );
        if self.idle > MOST {
            lines.push(format!("  and {} more", self.idle - MOST));
        }
        lines
    }

    /// Whether what the client sends first after it was idle is lost.
    fn answer(&self) -> String {
        let of = |what: fn(&Ended) -> bool| self.ended.values().filter(|ended| what(ended)).count();
        let done = done(self.then);
        match (of(Ended::is_lost), of(|e| e.again.is_some()), of(|e| e.next.is_some())) {
            (0, 0, 0) => format!(
                "nothing came after a connection was {done}: no request was made then, or it was \
                 given up"
            ),
            (0, 0, _) => {
                format!("no request was lost: where a connection was {done}, a new one was made")
            }
            (0, again, _) => format!(
                "no request was lost: {again} sent on a connection that was {done} came again on a \
                 new one"
            ),
            (lost, ..) => format!(
                "{} {} LOST: sent on a connection that was {done}, and not sent again",
                count(lost, "request"),
                was(lost)
            ),
        }
    }
}

impl Ended {
    fn is_lost(&self) -> bool {
        self.lost > 0 && self.again.is_none()
    }

    fn said(&self, then: Then) -> String {
        let bytes = count(self.lost, "byte");
        let came = match self.next {
            Some(next) => format!("the client came again on connection {next}"),
            None => "the client did not come again".to_owned(),
        };
        match (self.lost, self.again) {
            (0, _) if then == Then::Reset => came,
            (0, _) if self.has_left => format!("the client ended it, too; nothing lost; {came}"),
            (0, _) => format!("nothing more was sent on it; {came}"),
            (_, Some(again)) => {
                format!("{bytes} sent on it were lost, and sent again on connection {again}")
            }
            _ if self.is_encrypted && self.next.is_some() => {
                format!(
                    "{bytes} sent on it were lost; {came}, and whether it sent them again is encrypted"
                )
            }
            _ => format!("{bytes} sent on it were LOST, and not sent again; {came}"),
        }
    }
}

/// What was done, in words.
fn done(then: Then) -> &'static str {
    match then {
        Then::Close => "closed (FIN)",
        Then::Reset => "reset (RST)",
        Then::Vanish => "left in silence",
        Then::Forget => "forgotten (silence until something comes, then RST)",
    }
}

fn was(n: usize) -> &'static str {
    if n == 1 { "was" } else { "were" }
}

/// The word of it in JSON.
fn word(what: &What) -> &'static str {
    match what {
        What::Opened(_) => "came again",
        What::Idle(_) => "ended idle",
        What::Lost { .. } => "lost",
        What::Again(_) => "sent again",
        What::Left => "left",
    }
}

impl Witness for Teller {
    fn tell(&mut self, seen: &witness::Seen) -> Told {
        let witness::Seen::Idle(seen) = seen else { return self.inner.tell(seen) };
        let line = self.add(seen);
        if line.is_empty() {
            return Told::default();
        }
        let of = match seen.what {
            What::Opened(of) => of,
            What::Again(of) => Some(of),
            _ => None,
        };
        let bytes = if let What::Lost { bytes, .. } = seen.what { Some(bytes) } else { None };
        let json = json!({
            "event": word(&seen.what).replace(' ', "-"),
            "connection": seen.connection,
            "at_ms": text::millis(seen.at),
            "of_connection": of,
            "bytes": bytes,
        });
        let lines = vec![format!("{}: {line}", text::place(seen.connection, seen.at))];
        Told { lines, json, ..Told::default() }
    }

    fn summary(&self) -> Vec<String> {
        let mut lines = self.lines();
        lines.extend(self.inner.summary());
        lines
    }

    fn expectations(&self) -> &'static [(&'static str, &'static str)] {
        self.expectations
    }

    fn holds(&self, words: &str) -> Result<bool, String> {
        let mut ended = self.ended.values();
        Ok(match words {
            "ended idle" => self.idle > 0,
            "came again" => ended.any(|ended| ended.next.is_some()),
            "sent again" => ended.any(|ended| ended.again.is_some()),
            "request lost" => ended.any(Ended::is_lost),
            "no request lost" => {
                ended.clone().any(|ended| ended.next.is_some()) && !ended.any(Ended::is_lost)
            }
            _ => return self.inner.holds(words),
        })
    }
}
