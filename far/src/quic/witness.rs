//! The accounts of all connections, and what may be expected of them.

use std::collections::BTreeMap;

use super::names;
use super::report;
use super::script::Plan;
use super::seen::{Closed, End, Seen, What};
use super::summary::{Account, Retry};
use crate::witness::{self, Told, Witness, count};

/// How many connections are kept; the rest is counted.
const MOST: usize = 64;

/// What was seen of all connections.
#[derive(Debug)]
pub struct Report {
    accounts: BTreeMap<u64, Account>,
    more: u64,
    strays: usize,
    plan: &'static Plan,
}

impl Report {
    /// Of a server that does that.
    pub(super) fn new(plan: &'static Plan) -> Self {
        Self { accounts: BTreeMap::new(), more: 0, strays: 0, plan }
    }

    fn account(&mut self, connection: u64, what: &What) {
        if matches!(what, What::Stray { .. }) {
            self.strays += 1;
        } else if self.accounts.len() < MOST || self.accounts.contains_key(&connection) {
            self.accounts.entry(connection).or_default().tell(what);
        } else {
            self.more = self.more.max(connection);
        }
    }

    fn any(&self, is: impl Fn(&Account) -> bool) -> bool {
        self.accounts.values().any(is)
    }

    fn used(&self, id: u64) -> bool {
        self.any(|account| account.clients().any(|stream| stream.id == id))
    }
}

const EXPECTATIONS: &[(&str, &str)] = &[
    ("no connection", "no Initial came, nor a packet of another version"),
    ("handshake", "a handshake was completed"),
    ("no handshake", "somebody came, and no handshake was completed"),
    ("stream ID", "the client opened the stream with that identifier: stream 0"),
    ("no stream", "a handshake was completed, and the client opened no stream"),
    ("fin ID", "the client ended that stream by FIN"),
    ("reset ID", "the client ended that stream by RESET_STREAM"),
    ("alpn NAME", "that protocol was agreed upon"),
    ("h3", "HTTP/3's control stream came with its SETTINGS"),
    ("request", "a request of HTTP/3 came"),
    ("datagram", "a datagram came by a connection (RFC 9221)"),
    ("closed CODE", "a connection was closed with that code, by number or name: closed 42"),
    ("alert NAME", "a handshake was ended by that alert, by either side: alert unknown_ca"),
    ("0-rtt", "early data was accepted"),
    ("migration", "a client's address changed"),
    ("version VERSION", "a client's last Initial was of that version: version 1"),
    ("retried", "a client came back with the token of a Retry"),
];

/// Whether a code is the one that is written: as a number, or as its name.
fn is_code(how: &Closed, is_h3: bool, written: &str) -> bool {
    let Closed::By { application, code, .. } = how else { return false };
    let hex = written.strip_prefix("0x").and_then(|hex| u64::from_str_radix(hex, 16).ok());
    if let Some(number) = hex.or_else(|| written.parse().ok()) {
        return number == *code;
    }
    let name =
        if *application { names::application(*code, is_h3) } else { names::transport(*code) };
    name.split_whitespace().next() == Some(written)
}

fn is_alert(how: &Closed, name: &str) -> bool {
    let Closed::By { application: false, code, .. } = how else { return false };
    names::alert_of(*code).is_some_and(|alert| names::alert_or_number(alert) == name)
}

impl Witness for Report {
    fn tell(&mut self, seen: &witness::Seen) -> Told {
        let witness::Seen::Quic(seen) = seen else { return Told::default() };
        match seen {
            Seen::Wire { capture, keys } => {
                let mut files = Vec::new();
                if !capture.is_empty() {
                    files.push(("quic.pcapng".to_owned(), capture.clone()));
                }
                if !keys.is_empty() {
                    files.push(("keys.log".to_owned(), keys.clone().into_bytes()));
                }
                Told { files, ..Told::default() }
            }
            Seen::Event { connection, at, what } => {
                self.account(*connection, what);
                let mut files = Vec::new();
                if let What::Bytes { id, bytes, .. } = what {
                    let name = format!("connection-{connection:04}-stream-{id}.bin");
                    files.push((name, bytes.clone()));
                }
                Told {
                    lines: report::lines(*connection, *at, what),
                    json: report::json(*connection, *at, what),
                    files,
                    counts: matches!(what, What::Closed { .. }),
                }
            }
        }
    }

    fn summary(&self) -> Vec<String> {
        let strays = count(self.strays, "datagram");
        let mut all = match (self.accounts.len(), self.strays) {
            (0, 0) => return vec!["no QUIC packet came: the client sent nothing here".to_owned()],
            (0, _) => {
                return vec![format!(
                    "no QUIC connection was begun: {strays} came, and none is an Initial"
                )];
            }
            (1, _) => Vec::new(),
            (n, _) => {
                let with = self.accounts.values();
                let with = with.filter(|account| account.clients().any(|s| s.id == 0)).count();
                let done = self.accounts.values().filter(|account| account.connected).count();
                vec![format!(
                    "{n} connections, {done} with a whole handshake; the client opened stream 0 on {with}"
                )]
            }
        };
        for (number, account) in &self.accounts {
            let sentences = account.sentences(self.plan);
            all.extend(sentences.iter().map(|s| format!("connection {number}: {s}")));
        }
        if self.more > 0 {
            all.push("there were more connections, of which nothing is kept".to_owned());
        }
        if self.strays > 0 {
            all.push(format!("and {strays} of no connection"));
        }
        all
    }

    fn expectations(&self) -> &'static [(&'static str, &'static str)] {
        EXPECTATIONS
    }

    fn holds(&self, words: &str) -> Result<bool, String> {
        let unknown = || {
            let known: Vec<&str> = EXPECTATIONS.iter().map(|row| row.0).collect();
            format!("{words:?} is none of: {}", known.join(", "))
        };
        let handshake = self.any(|account| account.connected);
        let (first, rest) = words.split_once(' ').unwrap_or((words, ""));
        let id = || rest.parse::<u64>().map_err(|_| unknown());
        let ended = |id: u64, how: fn(End) -> bool| {
            self.any(|account| account.streams.get(&id).and_then(|s| s.end).is_some_and(how))
        };
        let closed = |is: &dyn Fn(&Closed, bool) -> bool| {
            self.any(|account| {
                account.closed.as_ref().is_some_and(|closed| is(&closed.0, account.http.spoken))
            })
        };
        Ok(match (first, rest) {
            ("no", "connection") => self.accounts.is_empty(),
            ("handshake", "") => handshake,
            ("no", "handshake") => !self.accounts.is_empty() && !handshake,
            ("no", "stream") => {
                handshake && !self.any(|account| account.clients().next().is_some())
            }
            ("stream", _) => self.used(id()?),
            ("fin", _) => ended(id()?, |end| end == End::Fin),
            ("reset", _) => ended(id()?, |end| matches!(end, End::Reset(_))),
            ("h3", "") => self.any(|account| account.http.spoken && account.http.settings),
            ("request", "") => self.any(|account| account.http.requests > 0),
            ("datagram", "") => self.any(|account| account.datagrams > 0),
            ("0-rtt", "") => self.any(|account| account.early),
            ("migration", "") => self.any(|account| account.moved > 0),
            ("retried", "") => self.any(|account| account.retry == Retry::Returned),
            (_, "") => return Err(unknown()),
            ("alpn", name) => self.any(|account| account.alpn.as_deref() == Some(name)),
            ("closed", code) => closed(&|how, is_h3| is_code(how, is_h3, code)),
            ("alert", name) => closed(&|how, _| is_alert(how, name)),
            ("version", version) => self.any(|account| names::version(account.version) == version),
            _ => return Err(unknown()),
        })
    }
}
