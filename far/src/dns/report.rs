//! What was asked and what became of it, in words and as JSON.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::str::FromStr as _;
use std::time::Duration;

use domain::base::iana::{Class, Opcode, Rtype};
use serde_json::{Value, json};

use super::answer::{Answer, Flaw, Outcome};
use super::query::{Edns, Question, folded};
use super::verdict::{names, verdict};
use super::{Query, Seen, Transport};
use crate::text::millis;
use crate::witness::{Seen as Any, Told, Witness, count, plain};

/// How many queries are remembered; of more there is a line and no sentence, and they are counted.
const REMEMBERED: usize = 10_000;
/// How many different questions are kept for what may be expected.
const QUESTIONS: usize = 100_000;

/// A query that is remembered.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) at: Duration,
    pub(super) is_tcp: bool,
    /// As it was first written.
    pub(super) name: String,
    pub(super) kind: Rtype,
    pub(super) has_edns: bool,
    pub(super) outcome: Outcome,
    pub(super) flaw: Option<Flaw>,
    /// What it was told, in words.
    pub(super) words: String,
    id: u16,
    peer: SocketAddr,
}

/// Who tells of queries.
#[derive(Debug, Default)]
pub struct Report {
    entries: Vec<Entry>,
    /// The last query for the same.
    last: HashMap<(String, Rtype, Class), usize>,
    /// What was asked for, folded, and whether by TCP.
    asked: HashSet<(String, Rtype, Class, bool)>,
    /// How many queries asked for what no longer had room there.
    unkept: usize,
    /// Whether one was asked for again.
    is_again: bool,
    /// Of all queries: by UDP, by TCP, with EDNS, with letters of both cases.
    udp: usize,
    tcp: usize,
    edns: usize,
    cases: usize,
    malformed: usize,
    resets: usize,
    connections_without: usize,
}

impl Witness for Report {
    fn tell(&mut self, seen: &Any) -> Told {
        let Any::Dns(seen) = seen else { return Told::default() };
        match seen {
            Seen::Query(query, answer) => self.query(query, answer),
            Seen::Unsent { number, why } => {
                let index = self.entries.binary_search_by_key(number, |entry| entry.number);
                if let Ok(index) = index {
                    let entry = &mut self.entries[index];
                    (entry.outcome, entry.flaw) = (Outcome::Silence, None);
                    "not answered".clone_into(&mut entry.words);
                }
                let line = format!("query {number} was not answered: {why}");
                let json = json!({ "event": "unanswered", "query": number, "why": why });
                Told { lines: vec![line], json, ..Told::default() }
            }
            Seen::Malformed { at, transport, peer, why, bytes, len, is_answered } => {
                self.malformed += 1;
                let (by, peer) = (by(*transport), plain(*peer));
                let seconds = at.as_secs_f64();
                let said = if *is_answered { "FORMERR" } else { "not answered" };
                let some = bytes.escape_ascii();
                let lines = vec![
                    format!("no query ({by}, {seconds:.3} s, from {peer}): {why} — {said}"),
                    format!("    {}: \"{some}\"", count(*len, "byte")),
                ];
                let json = json!({
                    "event": "malformed", "why": why, "at_ms": millis(*at), "transport": word(*transport),
                    "connection": connection(*transport), "peer": peer.to_string(), "len": len,
                    "text": some.to_string(), "answered": is_answered,
                });
                Told { lines, json, ..Told::default() }
            }
            Seen::Reset { at, connection, peer } => {
                let peer = plain(*peer);
                self.resets += 1;
                let line = format!(
                    "TCP connection {connection} ({:.3} s, from {peer}): reset, as the script says",
                    at.as_secs_f64()
                );
                let ending = "reset";
                told_of_connection(line, *at, *connection, peer, ending)
            }
            Seen::AskedNothing { at, connection, peer, how } => {
                let peer = plain(*peer);
                self.connections_without += 1;
                let seconds = at.as_secs_f64();
                let line = format!(
                    "TCP connection {connection} ({seconds:.3} s, from {peer}): nothing was asked; {how}"
                );
                told_of_connection(line, *at, *connection, peer, how)
            }
        }
    }

    fn summary(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.entries.is_empty() {
            lines.push(
                "no query came: no name was asked for here (by another resolver, from a cache or \
                 /etc/hosts, or not at all)"
                    .to_owned(),
            );
        }
        lines.extend(names(&self.entries, |entries| verdict(entries, self.resets > 0)));
        if !self.entries.is_empty() {
            lines.push(self.totals());
        }
        if self.malformed > 0 {
            let n = self.malformed;
            let verb = if n == 1 { "is no query" } else { "are no queries" };
            lines.push(format!("{} came that {verb}", count(n, "message")));
        }
        if self.resets > 0 {
            lines.push(format!("{} by TCP, reset by the script", count(self.resets, "connection")));
        }
        if self.connections_without > 0 {
            let n = count(self.connections_without, "connection");
            lines.push(format!("{n} by TCP asked nothing"));
        }
        let more = self.all() - self.entries.len();
        if more > 0 {
            lines.push(format!("the last {more} of them are only counted"));
        }
        if self.unkept > 0 {
            lines.push(format!(
                "{} of them asked for other names than the {QUESTIONS} questions that are kept: what is expected of \
                 a name may be among them",
                self.unkept
            ));
        }
        lines
    }

    fn expectations(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("no query", "no query came"),
            ("query NAME", "the name was asked for, of whichever type"),
            ("query NAME TYPE", "the name was asked for by this type (A, AAAA, HTTPS, TYPE65 …)"),
            ("tcp", "somebody came by TCP"),
            ("edns", "a query had EDNS"),
            ("retry", "the same was asked again by the same transport"),
        ]
    }

    fn holds(&self, words: &str) -> Result<bool, String> {
        let asked = |name: &str, is: &dyn Fn(Rtype) -> bool| {
            let name = folded(name);
            self.asked.iter().any(|(known, kind, ..)| *known == name && is(*kind))
        };
        let parts: Vec<&str> = words.split_whitespace().collect();
        match parts[..] {
            ["no", "query"] => Ok(self.all() == 0),
            ["query", name] => Ok(asked(name, &|_| true)),
            ["query", name, kind] => {
                let kind = Rtype::from_str(kind)
                    .map_err(|_| format!("{kind:?} is no type of record, such as A or AAAA"))?;
                Ok(asked(name, &|known| known == kind))
            }
            ["tcp"] => Ok(self.resets + self.connections_without + self.tcp > 0),
            ["edns"] => Ok(self.edns > 0),
            ["retry"] => Ok(self.is_again),
            _ => Err(format!("{words:?} is nothing that can be expected of dns")),
        }
    }
}

impl Report {
    /// How many queries came.
    fn all(&self) -> usize {
        self.udp + self.tcp
    }

    /// Counts what the totals and what is expected need, of each query.
    fn keep(&mut self, question: &Question, is_tcp: bool) {
        *(if is_tcp { &mut self.tcp } else { &mut self.udp }) += 1;
        self.edns += usize::from(question.edns.is_some());
        self.cases += usize::from(question.is_of_both_cases());
        let key = (folded(&question.name), question.kind, question.class, is_tcp);
        if self.asked.contains(&key) {
            self.is_again = true;
        } else if self.asked.len() < QUESTIONS {
            self.asked.insert(key);
        } else {
            self.unkept += 1;
        }
    }

    fn query(&mut self, query: &Query, answer: &Answer) -> Told {
        let Query { number, at, transport, peer, question, .. } = query;
        self.keep(question, *transport != Transport::Udp);
        let key = (folded(&question.name), question.kind, question.class);
        let before = self.entries.last();
        let gap = before.map(|entry| (at.saturating_sub(entry.at), entry.number));
        let again = self.last.get(&key).map(|index| &self.entries[*index]);
        let words = answer.words();
        let late = if answer.after.is_zero() {
            String::new()
        } else {
            format!(", {} later", span(answer.after))
        };
        let Question { name, kind, .. } = question;
        let mut lines = vec![format!(
            "query {number} ({}, {:.3} s): {name} {kind}{} — {words}{late}",
            by(*transport),
            at.as_secs_f64(),
            if question.class == Class::IN {
                String::new()
            } else {
                format!(" {}", question.class)
            },
        )];
        lines.push(format!("    {}", about(query, gap)));
        if let Some(again) = again {
            let same = match (again.id == question.id, again.peer == *peer) {
                (true, true) => "the same id and port",
                (true, false) => "the same id, another port",
                (false, true) => "another id, the same port",
                (false, false) => "another id and port",
            };
            let gap = span(at.saturating_sub(again.at));
            lines.push(format!("    again, {gap} after query {}: {same}", again.number));
        }
        let json = json(query, answer, again, gap);
        let entry = Entry {
            number: *number,
            at: *at,
            is_tcp: *transport != Transport::Udp,
            name: name.clone(),
            kind: *kind,
            has_edns: question.edns.is_some(),
            outcome: answer.outcome,
            flaw: answer.flaw,
            words,
            id: question.id,
            peer: *peer,
        };
        let mut files = Vec::new();
        if self.entries.len() < REMEMBERED {
            files.push((format!("query-{number:04}.bin"), query.bytes.clone()));
            if !answer.bytes.is_empty() {
                files.push((format!("answer-{number:04}.bin"), answer.bytes.clone()));
            }
            self.last.insert(key, self.entries.len());
            self.entries.push(entry);
        }
        Told { lines, json, files, counts: true }
    }

    /// All of them, counted.
    fn totals(&self) -> String {
        let (all, tcp, edns, cases) = (self.all(), self.tcp, self.edns, self.cases);
        let queries = if all == 1 { "1 query".to_owned() } else { format!("{all} queries") };
        let by = match (all - tcp, tcp) {
            (_, 0) => "by UDP".to_owned(),
            (0, _) => "by TCP".to_owned(),
            (udp, tcp) => format!("{udp} by UDP and {tcp} by TCP"),
        };
        let share = |n: usize| match n {
            0 => "none".to_owned(),
            n if n == all => "all".to_owned(),
            n => n.to_string(),
        };
        let cases = match cases {
            0 => String::new(),
            n => format!(", letters of both cases (0x20) in {}", share(n)),
        };
        format!("{queries} in all, {by}; EDNS in {}{cases}", share(edns))
    }
}

fn told_of_connection(
    line: String,
    at: Duration,
    connection: u64,
    peer: SocketAddr,
    ending: &str,
) -> Told {
    let json = json!({
        "event": "connection", "connection": connection, "at_ms": millis(at), "peer": peer.to_string(),
        "queries": 0, "ending": ending,
    });
    Told { lines: vec![line], json, ..Told::default() }
}

/// What else a query says: "0.2 ms after query 1; id 7 from …".
fn about(query: &Query, gap: Option<(Duration, u64)>) -> String {
    let (question, peer) = (&query.question, plain(query.peer));
    let mut about = Vec::new();
    about.extend(gap.map(|(gap, number)| format!("{} after query {number}", span(gap))));
    about.push(format!("id {} from {peer}", question.id));
    if question.opcode != Opcode::QUERY {
        about.push(format!("opcode {}", question.opcode));
    }
    about.push(question.flags.join(" "));
    about.push(question.edns.as_ref().map_or("no EDNS".to_owned(), edns));
    if question.is_of_both_cases() {
        about.push("letters of both cases (0x20)".to_owned());
    }
    about.retain(|part| !part.is_empty());
    about.join("; ")
}

fn by(transport: Transport) -> String {
    match transport {
        Transport::Udp => "UDP".to_owned(),
        Transport::Tcp(connection) => format!("TCP connection {connection}"),
    }
}

fn word(transport: Transport) -> &'static str {
    if transport == Transport::Udp { "udp" } else { "tcp" }
}

fn connection(transport: Transport) -> Option<u64> {
    match transport {
        Transport::Udp => None,
        Transport::Tcp(connection) => Some(connection),
    }
}

fn edns(edns: &Edns) -> String {
    let mut parts = vec![format!("EDNS {} bytes", edns.size)];
    if edns.version > 0 {
        parts.push(format!("version {}", edns.version));
    }
    if edns.dnssec_ok {
        parts.push("DO".to_owned());
    }
    parts.extend(edns.options.iter().cloned());
    parts.join(", ")
}

/// How long: "0.4 ms", "2.503 s".
pub(super) fn span(time: Duration) -> String {
    if time < Duration::from_micros(50) {
        "less than 0.1 ms".to_owned()
    } else if time < Duration::from_millis(100) {
        format!("{:.1} ms", time.as_secs_f64() * 1e3)
    } else {
        format!("{:.3} s", time.as_secs_f64())
    }
}

fn json(
    query: &Query,
    answer: &Answer,
    again: Option<&Entry>,
    gap: Option<(Duration, u64)>,
) -> Value {
    let question = &query.question;
    let edns = question.edns.as_ref().map(|edns| {
        json!({
            "version": edns.version, "size": edns.size, "do": edns.dnssec_ok,
            "options": edns.options,
        })
    });
    let said = match answer.outcome {
        Outcome::Silence => Value::Null,
        outcome => json!({
            "rcode": match outcome {
                Outcome::NoName => "NXDOMAIN".to_owned(),
                Outcome::Error(code) => code.to_string(),
                _ => "NOERROR".to_owned(),
            },
            "records": answer.records,
            "truncated": answer.flaw == Some(Flaw::Truncated),
            "id_fits": answer.flaw != Some(Flaw::OtherId),
            "question_fits": answer.flaw != Some(Flaw::OtherQuestion),
            "len": answer.bytes.len(),
            "after_ms": millis(answer.after),
        }),
    };
    json!({
        "event": "query",
        "query": query.number,
        "at_ms": millis(query.at),
        "transport": word(query.transport),
        "connection": connection(query.transport),
        "local": plain(query.local).to_string(),
        "peer": plain(query.peer).to_string(),
        "id": question.id,
        "opcode": question.opcode.to_string(),
        "flags": question.flags,
        "name": question.name,
        "type": question.kind.to_string(),
        "class": question.class.to_string(),
        "mixed_case": question.is_of_both_cases(),
        "edns": edns,
        "len": query.bytes.len(),
        "again_of": again.map(|entry| entry.number),
        "again_same_id": again.map(|entry| entry.id == question.id),
        "again_same_port": again.map(|entry| entry.peer == query.peer),
        "after_previous_ms": gap.map(|(gap, _)| millis(gap)),
        "told": answer.words(),
        "answer": said,
    })
}
