//! What came, for people and as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::request::header_lines;
use crate::head::Head;
use crate::text::{self, millis};
use crate::witness::{self, Told, Witness, count};

/// Of how many requests the summary tells.
const MOST: usize = 10_000;
/// And of how many bytes of cookies.
const MOST_BYTES: usize = 16 << 20;
/// How many requests are named in a line.
const NAMED: usize = 8;
/// How many different cookies from elsewhere it tells of.
const MOST_COOKIES: usize = 100;

/// A request as it came, and what was done about it.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its number, from 1.
    pub request: u64,
    /// Its connection's number, from 1.
    pub connection: u64,
    /// Its number on its connection, from 1.
    pub on_connection: u64,
    /// When its head was there, since the server began.
    pub at: Duration,
    /// What it says, or why it is no request.
    pub head: Result<Head, String>,
    /// Its exact bytes; of the body no more than 1 MiB.
    pub raw: Vec<u8>,
    /// How many of them are the head.
    pub head_len: usize,
    /// How much of the body was read, framing left out.
    pub body_len: u64,
    /// What was odd about the body.
    pub body_note: Option<String>,
    /// The final response.
    pub response: Option<Answered>,
    /// What becomes of the connection.
    pub ending: String,
}

/// A response that was sent.
#[derive(Clone, Debug)]
pub struct Answered {
    /// When its first byte was about to leave, since the server began.
    pub at: Duration,
    /// Its status.
    pub status: u16,
    /// Status line and header lines.
    pub lines: Vec<String>,
}

impl Record {
    fn pairs(&self) -> Vec<(String, String)> {
        let cookie = self.head.as_ref().ok().and_then(Head::cookie).unwrap_or_default();
        let pairs = cookie.split(';').map(str::trim).filter(|pair| !pair.is_empty());
        pairs.map(split).collect()
    }

    fn head_bytes(&self) -> &[u8] {
        self.raw.get(..self.head_len).unwrap_or(&self.raw)
    }
}

fn split(pair: &str) -> (String, String) {
    let (name, value) = pair.split_once('=').unwrap_or(("", pair));
    (name.trim().to_owned(), value.trim().to_owned())
}

/// A Set-Cookie that left.
#[derive(Clone, Debug)]
struct Setting {
    at: Duration,
    response: u64,
    name: String,
    /// None if it expires the cookie.
    value: Option<String>,
}

/// Every Set-Cookie, in the order of time.
#[derive(Clone, Debug, Default)]
struct Settings {
    all: Vec<Setting>,
    names: BTreeSet<String>,
}

impl Settings {
    fn add(&mut self, new: Setting) {
        let key = |setting: &Setting| (setting.at, setting.response);
        let place = self.all.partition_point(|other| key(other) < key(&new));
        self.names.insert(new.name.clone());
        self.all.insert(place, new);
    }

    /// What was last said of a cookie before that time.
    fn last(&self, name: &str, at: Duration) -> Option<&Setting> {
        if !self.names.contains(name) {
            return None;
        }
        let before = self.all.partition_point(|setting| setting.at < at);
        self.all[..before].iter().rfind(|setting| setting.name == name)
    }
}

/// What the summary needs of a request.
#[derive(Clone, Debug)]
struct Kept {
    request: u64,
    at: Duration,
    is_request: bool,
    pairs: Vec<(String, String)>,
}

/// Who tells of requests.
#[derive(Debug, Default)]
pub(super) struct Teller {
    /// In the order of [`Record::request`].
    kept: Vec<Kept>,
    /// How many bytes of cookies these have.
    bytes: usize,
    settings: Settings,
    requests: usize,
    connections: usize,
    malformed: usize,
    with_cookie: usize,
    /// How many came once a response had expired a cookie, and how many of all brought one that was expired.
    after_expiry: usize,
    stale: usize,
    /// When the first was expired.
    expired: Option<Duration>,
}

impl Witness for Teller {
    fn tell(&mut self, seen: &witness::Seen) -> Told {
        let witness::Seen::Http(record) = seen else { return Told::default() };
        let told = Told {
            lines: lines(record, &self.settings),
            json: json(record),
            files: vec![(format!("request-{:04}.bin", record.request), record.raw.clone())],
            counts: true,
        };
        self.add(record);
        told
    }

    fn summary(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} on {}",
            count(self.requests, "request"),
            count(self.connections, "connection")
        )];
        let malformed = self.kept.iter().filter(|kept| !kept.is_request);
        let malformed: Vec<u64> = malformed.map(|kept| kept.request).take(NAMED).collect();
        if self.malformed > 0 {
            lines.push(format!("malformed: {}", of_all(&malformed, self.malformed)));
        }
        lines.extend(self.unset());
        let settings = &self.settings.all;
        for (i, setting) in settings.iter().enumerate() {
            let until = settings[i + 1..].iter().find(|s| s.name == setting.name);
            let until = until.map(|next| next.at);
            let later = self.kept.iter().filter(|kept| {
                kept.is_request && kept.at > setting.at && until.is_none_or(|end| kept.at <= end)
            });
            lines.extend(fate(setting, &later.collect::<Vec<_>>()));
        }
        if settings.is_empty() {
            lines.push("no response set a cookie".to_owned());
        }
        if self.requests > self.kept.len() {
            let more = count(self.requests - self.kept.len(), "request");
            lines.push(format!("of {more} after these the cookies are not told here"));
        }
        lines
    }

    fn expectations(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("request", "a request came"),
            ("no request", "none came"),
            ("cookie", "a request had a cookie"),
            ("no cookie", "requests came, and none had a cookie"),
            ("expired cookie", "a request had a cookie that a response here had expired"),
            (
                "no expired cookie",
                "a response here expired a cookie, requests came after that, and none had it",
            ),
            ("one connection", "requests came, all of them on one connection"),
            ("malformed", "what is no request came"),
            ("no malformed", "requests came, and nothing else"),
        ]
    }

    fn holds(&self, words: &str) -> Result<bool, String> {
        Ok(match words {
            "request" => self.requests > self.malformed,
            "no request" => self.requests == self.malformed,
            "cookie" => self.with_cookie > 0,
            "no cookie" => self.requests > self.malformed && self.with_cookie == 0,
            "expired cookie" => self.stale > 0,
            "no expired cookie" => self.after_expiry > 0 && self.stale == 0,
            "one connection" => self.requests > 0 && self.connections == 1,
            "malformed" => self.malformed > 0,
            "no malformed" => self.requests > 0 && self.malformed == 0,
            _ => return Err(format!("{words:?} is nothing that can be expected")),
        })
    }
}

impl Teller {
    fn add(&mut self, record: &Record) {
        let pairs = record.pairs();
        let expired = |(name, _): &(String, String)| {
            matches!(self.settings.last(name, record.at), Some(Setting { value: None, .. }))
        };
        let is_request = record.head.is_ok();
        self.requests += 1;
        self.connections += usize::from(record.on_connection == 1);
        self.malformed += usize::from(!is_request);
        self.with_cookie += usize::from(!pairs.is_empty());
        self.stale += usize::from(pairs.iter().any(expired));
        let after = self.expired.is_some_and(|when| when < record.at);
        self.after_expiry += usize::from(is_request && after);
        // The same pair twice says nothing more.
        let mut known = BTreeSet::new();
        let pairs: Vec<_> = pairs.into_iter().filter(|pair| known.insert(pair.clone())).collect();
        let bytes: usize = pairs.iter().map(|(name, value)| name.len() + value.len() + 64).sum();
        // Those before were told of, whichever came first.
        if self.kept.len() >= MOST || self.bytes + bytes > MOST_BYTES {
            return;
        }
        self.bytes += bytes;
        self.settings_of(record);
        let kept = Kept { request: record.request, at: record.at, is_request, pairs };
        let place = self.kept.partition_point(|other| other.request < kept.request);
        self.kept.insert(place, kept);
    }

    fn settings_of(&mut self, record: &Record) {
        let Some(answered) = &record.response else { return };
        for line in answered.lines.iter().filter_map(|line| line.strip_prefix("Set-Cookie: ")) {
            let mut parts = line.split(';').map(str::trim);
            let (name, value) = split(parts.next().unwrap_or_default());
            let expires = parts.any(|part| part.eq_ignore_ascii_case("max-age=0"));
            let value = (!expires).then_some(value);
            if expires {
                self.expired = Some(self.expired.map_or(answered.at, |at| at.min(answered.at)));
            }
            self.settings.add(Setting { at: answered.at, response: record.request, name, value });
        }
    }

    /// Cookies that came from elsewhere.
    fn unset(&self) -> Vec<String> {
        let mut places = BTreeMap::new();
        let mut found: Vec<(&(String, String), Vec<u64>)> = Vec::new();
        for kept in &self.kept {
            for pair in &kept.pairs {
                if self.settings.last(&pair.0, kept.at).is_some() {
                    continue;
                }
                let place = *places.entry(pair).or_insert(found.len());
                match found.get_mut(place) {
                    Some((_, numbers)) => numbers.push(kept.request),
                    None => found.push((pair, vec![kept.request])),
                }
            }
        }
        let more = found.len().saturating_sub(MOST_COOKIES);
        found.truncate(MOST_COOKIES);
        let line = |((name, value), numbers): (&(String, String), Vec<u64>)| {
            let (cookie, numbers) = (format!("`{name}={value}`"), requests(&numbers));
            format!("Cookie sent: yes, {cookie}, in {numbers} though no response here had set it")
        };
        let mut lines: Vec<String> = found.into_iter().map(line).collect();
        if more > 0 {
            lines.push(format!("Cookie sent: yes, {more} others that no response here had set"));
        }
        lines
    }
}

/// What a request says of cookies, and what speaks against it.
fn verdict(record: &Record, settings: &Settings) -> String {
    let pairs = record.pairs();
    if pairs.is_empty() {
        return "no".to_owned();
    }
    let said = pairs.iter().map(|(name, value)| {
        let remark = match settings.last(name, record.at) {
            None => ", which no response here had set".to_owned(),
            Some(Setting { response, value: None, .. }) => {
                format!(", though response {response} expired it")
            }
            Some(Setting { response, value: Some(set), .. }) if set != value => {
                format!(", though response {response} set {name}={set}")
            }
            Some(_) => String::new(),
        };
        format!("{name}={value}{remark}")
    });
    format!("yes, {}", said.collect::<Vec<_>>().join("; "))
}

/// A request as text; `settings` are those told of before it.
fn lines(record: &Record, settings: &Settings) -> Vec<String> {
    let request = record.request;
    let begin = format!("request {request} ({}): ", text::place(record.connection, record.at));
    let mut lines = match &record.head {
        Ok(head) => {
            let cookie = verdict(record, settings);
            let Head { method, target, .. } = head;
            let mut lines = vec![format!("{begin}{method} {target} — Cookie sent: {cookie}")];
            let of_head = header_lines(record.head_bytes()).into_iter();
            lines.extend(of_head.map(|line| format!("    {}", shown(line))));
            lines
        }
        Err(why) => {
            let quoted = text::quoted(&record.raw, 512);
            vec![format!("{begin}malformed: {why}"), format!("    {quoted}")]
        }
    };
    if record.body_len > 0 || record.body_note.is_some() {
        let note = record.body_note.as_ref().map_or(String::new(), |note| format!(", {note}"));
        lines.push(format!("  body: {} read{note}", count(record.body_len, "byte")));
    }
    let answer = record.response.as_ref().map_or("no response".to_owned(), |answered| {
        let status = answered.lines.first().map_or("", |l| l.trim_start_matches("HTTP/1.1 "));
        let cookies = answered.lines.iter().filter(|line| line.starts_with("Set-Cookie: "));
        let parts: Vec<&str> = std::iter::once(status).chain(cookies.map(String::as_str)).collect();
        format!("response {request}: {}", parts.join(", "))
    });
    lines.push(format!("  {answer}; connection {}", record.ending));
    lines
}

/// A header line: as it is if it is text, else escaped.
fn shown(line: &[u8]) -> String {
    match std::str::from_utf8(line) {
        Ok(text) if !text.chars().any(|c| c.is_control() && c != '\t') => text.to_owned(),
        _ => line.escape_ascii().to_string(),
    }
}

/// A request as JSON.
fn json(record: &Record) -> Value {
    let head = record.head.as_ref().ok();
    json!({
        "event": "request",
        "request": record.request,
        "connection": record.connection,
        "at_ms": millis(record.at),
        "method": head.map(|h| &h.method),
        "target": head.map(|h| &h.target),
        "malformed": record.head.as_ref().err(),
        "head": String::from_utf8_lossy(record.head_bytes()),
        "headers": head.map(|h| {
            let text = |(name, value): &(String, Vec<u8>)| json!([name, String::from_utf8_lossy(value)]);
            h.headers.iter().map(text).collect::<Vec<_>>()
        }),
        "cookie": head.and_then(Head::cookie),
        "body_len": record.body_len,
        "body_note": record.body_note,
        "response": record.response.as_ref().map(|answered| json!({
            "status": answered.status, "at_ms": millis(answered.at), "lines": answered.lines,
        })),
        "ending": record.ending,
    })
}

/// What the requests between one Set-Cookie and the next made of it.
fn fate(setting: &Setting, later: &[&Kept]) -> Vec<String> {
    let Setting { response, name, value, .. } = setting;
    let mut sent: Vec<(String, Vec<u64>)> = Vec::new();
    let mut without = Vec::new();
    for kept in later {
        match kept.pairs.iter().find(|(n, _)| n == name) {
            None => without.push(kept.request),
            Some((_, value)) => match sent.iter_mut().find(|(known, _)| known == value) {
                Some((_, numbers)) => numbers.push(kept.request),
                None => sent.push((value.clone(), vec![kept.request])),
            },
        }
    }
    let mut lines = vec![match value {
        Some(value) => format!("response {response} set `{name}={value}`"),
        None => format!("response {response} expired `{name}`"),
    }];
    for (got, numbers) in &sent {
        let remark = match value {
            None => format!(" though response {response} expired it"),
            Some(own) if own != got => format!(" though response {response} set `{name}={own}`"),
            Some(_) => String::new(),
        };
        let numbers = requests(numbers);
        lines.push(format!("  Cookie sent: yes, `{name}={got}`, in {numbers}{remark}"));
    }
    if !without.is_empty() {
        lines.push(format!("  Cookie sent: no, not in {}", requests(&without)));
    }
    if later.is_empty() {
        lines.push("  no request came after that".to_owned());
    }
    lines
}

/// "request 1", "requests 1 and 2", "requests 1, 2 and 5"; of many the first: "requests 1, …, 8 and 192 more".
fn requests(numbers: &[u64]) -> String {
    of_all(numbers, numbers.len())
}

/// These, which are the first of so many.
fn of_all(numbers: &[u64], all: usize) -> String {
    let mut words: Vec<String> = numbers.iter().take(NAMED).map(u64::to_string).collect();
    let more = all.saturating_sub(words.len());
    if words.is_empty() && more > 0 {
        return count(more, "request");
    }
    if more > 0 {
        words.push(format!("{more} more"));
    }
    match words.split_last() {
        Some((last, [])) => format!("request {last}"),
        Some((last, others)) => format!("requests {} and {last}", others.join(", ")),
        None => "no request".to_owned(),
    }
}
