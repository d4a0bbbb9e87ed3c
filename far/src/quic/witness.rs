//! The accounts of all connections, and what may be expected of them.

use std::collections::BTreeMap;

use super::names;
use super::report;
use super::script::Plan;
use super::seen::{Seen, What};
use super::summary::Account;
use super::tally::{Code, Fact, Tally};
use crate::tls::alert;
use crate::witness::{self, Told, Witness, count};

/// Of how many connections there is an account; of the others there is what may be expected.
const MOST: usize = 64;

/// What was seen of all connections.
#[derive(Debug)]
pub struct Report {
    accounts: BTreeMap<u64, Account>,
    tally: Tally,
    strays: usize,
    plan: &'static Plan,
}

impl Report {
    /// Of a server that does that.
    pub(super) fn new(plan: &'static Plan) -> Self {
        Self { accounts: BTreeMap::new(), tally: Tally::default(), strays: 0, plan }
    }

    fn account(&mut self, connection: u64, what: &What) {
        if matches!(what, What::Stray { .. }) {
            self.strays += 1;
            return;
        }
        self.tally.tell(connection, what);
        // The first of each: a connection that made way is not taken up again in its midst.
        if matches!(what, What::Initial { .. }) && self.makes_room(connection) {
            self.accounts.entry(connection).or_default();
        }
        if let Some(account) = self.accounts.get_mut(&connection) {
            account.tell(what);
        }
    }

    /// Whether there is room for the account of that connection. One without a `ClientHello` makes way.
    fn makes_room(&mut self, connection: u64) -> bool {
        if self.accounts.len() < MOST || self.accounts.contains_key(&connection) {
            return true;
        }
        let empty = || self.accounts.iter().filter(|(_, account)| account.is_empty());
        let oldest =
            empty().find(|(_, account)| account.closed.is_some()).or_else(|| empty().next());
        let oldest = oldest.map(|(number, _)| *number);
        oldest.is_some_and(|number| self.accounts.remove(&number).is_some())
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
fn is_code(closed: &Code, written: &str) -> bool {
    let Code { application, number: code, is_h3 } = *closed;
    let hex = written.strip_prefix("0x").and_then(|hex| u64::from_str_radix(hex, 16).ok());
    if let Some(number) = hex.or_else(|| written.parse().ok()) {
        return number == code;
    }
    let name = if application { names::application(code, is_h3) } else { names::transport(code) };
    name.split_whitespace().next() == Some(written)
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
        let mut all = match (self.tally.connections, self.strays) {
            (0, 0) => return vec!["no QUIC packet came: the client sent nothing here".to_owned()],
            (0, _) => {
                return vec![format!(
                    "no QUIC connection was begun: {strays} came, and none is an Initial"
                )];
            }
            (1, _) => Vec::new(),
            _ => vec![format!(
                "{} connections, {} with a whole handshake; the client opened stream 0 on {}",
                self.tally.connections, self.tally.handshakes, self.tally.used_0
            )],
        };
        for (number, account) in &self.accounts {
            let sentences = account.sentences(self.plan);
            all.extend(sentences.iter().map(|s| format!("connection {number}: {s}")));
        }
        let left = usize::try_from(self.tally.connections).unwrap_or(usize::MAX);
        let left = left.saturating_sub(self.accounts.len());
        if left > 0 {
            let n = count(left, "connection");
            all.push(format!("of {n} more nothing is told here; what is expected counts them"));
        }
        if self.tally.has_more() {
            all.push(
                "of streams, codes or the like there were more than are kept: \
                what is expected may be among the others"
                    .to_owned(),
            );
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
        let tally = &self.tally;
        let handshake = tally.handshakes > 0;
        let (first, rest) = words.split_once(' ').unwrap_or((words, ""));
        let id = || rest.parse::<u64>().map_err(|_| unknown());
        Ok(match (first, rest) {
            ("no", "connection") => tally.connections == 0,
            ("handshake", "") => handshake,
            ("no", "handshake") => tally.connections > 0 && !handshake,
            ("no", "stream") => handshake && tally.used.is_empty(),
            ("stream", _) => tally.used.has(&id()?),
            ("fin", _) => tally.fins.has(&id()?),
            ("reset", _) => tally.resets.has(&id()?),
            ("h3", "") => tally.saw(Fact::H3),
            ("request", "") => tally.saw(Fact::Request),
            ("datagram", "") => tally.saw(Fact::Datagram),
            ("0-rtt", "") => tally.saw(Fact::Early),
            ("migration", "") => tally.saw(Fact::Moved),
            ("retried", "") => tally.saw(Fact::Retried),
            (_, "") => return Err(unknown()),
            ("alpn", name) => tally.alpns.any(|alpn| alpn == name),
            ("closed", code) => tally.codes.any(|closed| is_code(closed, code)),
            ("alert", name) => {
                let alert = alert::code(name)?;
                tally.codes.any(|closed| {
                    !closed.application && names::alert_of(closed.number) == Some(alert)
                })
            }
            ("version", version) => tally.any_version(|v| names::version(v) == version),
            _ => return Err(unknown()),
        })
    }
}
