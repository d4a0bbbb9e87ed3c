//! Lines as things come, and what they came to.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serde_json::{Value, json};

use super::alert;
use super::ldap::Asked;
use super::names;
use super::script::{Row, Serve};
use super::seen::{End, Said, Seen, Session, What};
use super::story::{Story, said};
use crate::capture::Capture;
use crate::text;
use crate::witness::{self, Told, Witness, count};

/// How many different names, and stories, are kept.
const MOST: usize = 256;
/// How many connections are named of each story, the first.
const NAMED: usize = 8;
/// How many stories are told at the end.
const TOLD: usize = 16;

/// Who tells of it.
#[derive(Debug)]
pub(super) struct Report {
    row: &'static Row,
    /// Whom the certificate is for besides this host.
    names: Vec<String>,
    capture: Capture,
    open: HashMap<u64, Story>,
    /// Sentences, the first connections of each, and how many there are.
    stories: Vec<(String, BTreeSet<u64>, usize)>,
    ended: usize,
    opened: usize,
    hellos: usize,
    handshakes: usize,
    binds: usize,
    accepted: usize,
    refused: usize,
    /// Those that were shown the certificate and went away.
    mute: usize,
    /// By code, how many came.
    alerts: [usize; 256],
    /// By code, how many this end sent, and how often it gave up, with one or without.
    sent: [usize; 256],
    gave_up: usize,
    /// Whom they asked for; an empty one is none.
    snis: BTreeSet<String>,
    alpns: BTreeSet<String>,
}

impl Report {
    pub(super) fn new(row: &'static Row, names: &[String], began: Duration) -> Self {
        Self {
            row,
            names: names.to_vec(),
            capture: Capture::new(began),
            open: HashMap::new(),
            stories: Vec::new(),
            ended: 0,
            opened: 0,
            hellos: 0,
            handshakes: 0,
            binds: 0,
            accepted: 0,
            refused: 0,
            mute: 0,
            alerts: [0; 256],
            sent: [0; 256],
            gave_up: 0,
            snis: BTreeSet::new(),
            alpns: BTreeSet::new(),
        }
    }

    /// Counts what the summary and what is expected need.
    fn keep(&mut self, seen: &Seen) {
        match &seen.what {
            What::Opened { .. } => self.opened += 1,
            What::Hello(Ok(hello), _) => {
                self.hellos += 1;
                keep(&mut self.snis, hello.name().unwrap_or_default());
                hello.protocols().into_iter().for_each(|name| keep(&mut self.alpns, name));
            }
            What::Done(_) => self.handshakes += 1,
            What::Alert { code, .. } => self.alerts[usize::from(*code)] += 1,
            What::Refused(_, alert) => {
                self.gave_up += 1;
                if let Some(code) = alert {
                    self.sent[usize::from(*code)] += 1;
                }
            }
            What::Said(Said::Ldap(Asked::Bind { .. })) => self.binds += 1,
            _ => {}
        }
    }

    fn end(&mut self, number: u64, story: &Story) {
        self.ended += 1;
        self.accepted += usize::from(story.accepts());
        self.refused += usize::from(story.refuses().is_some());
        self.mute += usize::from(story.is_mute());
        let sentence = story.verdict(self.row);
        let has_room = self.stories.len() < MOST;
        match self.stories.iter_mut().find(|(known, ..)| *known == sentence) {
            Some((_, numbers, n)) => {
                *n += 1;
                // They end in another order than they came in.
                numbers.insert(number);
                if numbers.len() > NAMED {
                    numbers.pop_last();
                }
            }
            None if has_room => self.stories.push((sentence, BTreeSet::from([number]), 1)),
            None => {}
        }
    }

    /// Who sent which alerts, but for those that say no more than that a connection closes.
    fn alerted(&self) -> String {
        let (came, sent) = (named(&self.alerts), named(&self.sent));
        let came = match came {
            came if !came.is_empty() => format!("alerts of the client: {came}"),
            _ if self.gave_up > 0 => "no alert of the client".to_owned(),
            _ => "no alert".to_owned(),
        };
        if sent.is_empty() { came } else { format!("{came}, of the server: {sent}") }
    }

    /// What the certificate has to do with it.
    fn judgement(&self) -> Option<String> {
        let flaw = self.row.flaw;
        if !flaw.is_empty() {
            return match (self.accepted, self.refused, self.mute) {
                (1.., ..) => Some(format!("a client took a certificate that {flaw}")),
                (0, 1.., _) => Some(format!("the certificate {flaw}, and was refused")),
                (0, 0, 0) if self.hellos == 0 => None,
                (0, 0, _) => Some(format!("the certificate {flaw}, and no client went on")),
            };
        }
        if self.refused + self.mute == 0 || !self.shows() || !self.strangers().is_empty() {
            return None;
        }
        let who =
            if self.refused > 0 { "who refuses it" } else { "if that is why it went away, it" };
        Some(format!(
            "the certificate is good and the given CA has signed it: {who} does not trust that CA, \
             pins another key, or connects to another name"
        ))
    }

    /// Whether the script has a certificate to show.
    fn shows(&self) -> bool {
        matches!(self.row.serve, Serve::Tls | Serve::Tls12 | Serve::Tls13)
    }

    /// Names that were asked for and that the certificate is not for.
    fn strangers(&self) -> Vec<&str> {
        let own = |name: &str| {
            let same = |own: &String| own.eq_ignore_ascii_case(name);
            name.is_empty() || name.eq_ignore_ascii_case("localhost") || self.names.iter().any(same)
        };
        self.snis.iter().map(String::as_str).filter(|name| !own(name)).collect()
    }
}

/// The alerts of so many each by name, with how many where there are several.
fn named(alerts: &[usize; 256]) -> String {
    let others = alerts.iter().enumerate().filter(|(code, n)| *code != 0 && **n > 0);
    let named = others.map(|(code, n)| {
        let name = u8::try_from(code).map(alert::name).unwrap_or_default();
        if *n == 1 { name } else { format!("{name} ({n} times)") }
    });
    named.collect::<Vec<_>>().join(", ")
}

fn keep(all: &mut BTreeSet<String>, name: String) {
    if all.len() < MOST {
        all.insert(name);
    }
}

impl Witness for Report {
    fn tell(&mut self, seen: &witness::Seen) -> Told {
        let witness::Seen::Tls(seen) = seen else { return Told::default() };
        let number = seen.number;
        self.keep(seen);
        self.open.entry(number).or_default().add(seen);
        let mut told = Told { files: self.files(seen), ..Told::default() };
        if let What::Ended { .. } = seen.what {
            let story = self.open.remove(&number).unwrap_or_default();
            told.counts = story.says_anything();
            self.end(number, &story);
        }
        let Some((line, more, mut value)) = words(&seen.what) else { return told };
        value["connection"] = number.into();
        value["at_ms"] = text::millis(seen.at).into();
        told.json = value;
        let seconds = seen.at.as_secs_f64();
        told.lines = vec![format!("connection {number} ({seconds:.3} s): {line}")];
        told.lines.extend(more.into_iter().map(|line| format!("    {line}")));
        told
    }

    fn summary(&self) -> Vec<String> {
        if self.opened == 0 {
            return vec![
                "no connection came: what failed, failed before TLS: the name, the address, the port, \
                 a proxy, a firewall, a permission; no certificate was looked at"
                    .to_owned(),
            ];
        }
        let mut lines = vec![format!(
            "{} came, {}, {}; {}",
            count(self.opened, "connection"),
            count(self.hellos, "ClientHello"),
            count(self.handshakes, "completed handshake"),
            self.alerted(),
        )];
        let mut stories: Vec<_> = self.stories.iter().collect();
        stories.sort_by_key(|(_, numbers, _)| numbers.first());
        stories.truncate(TOLD);
        let told: usize = stories.iter().map(|(.., n)| n).sum();
        lines.extend(stories.into_iter().map(|(sentence, numbers, n)| {
            let named: Vec<String> = numbers.iter().map(u64::to_string).collect();
            let more = text::more(n - numbers.len());
            let many = if *n == 1 { "" } else { "s" };
            format!("connection{many} {}{more}: {sentence}", named.join(", "))
        }));
        if self.ended > told {
            lines.push(format!("and {} more", count(self.ended - told, "connection")));
        }
        lines.extend(self.judgement());
        let strangers = self.strangers().join(", ");
        if !strangers.is_empty() && self.accepted == 0 && self.shows() {
            lines.push(format!("the certificate is not for what was asked for: {strangers}"));
        }
        lines
    }

    fn expectations(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("connection", "a connection came"),
            ("no connection", "none came"),
            ("handshake", "a handshake was completed"),
            ("no handshake", "none was"),
            ("alert NAME", "a client sent that alert, by name or number: alert unknown_ca"),
            ("no alert", "no client sent one but close_notify"),
            ("sni NAME", "a client asked for that host"),
            ("no sni", "a ClientHello asked for none"),
            ("alpn NAME", "a client offered that protocol, such as h2"),
            ("bind", "a client bound by LDAP"),
        ]
    }

    fn holds(&self, words: &str) -> Result<bool, String> {
        let words: Vec<&str> = words.split_whitespace().collect();
        Ok(match words[..] {
            ["connection"] => self.opened > 0,
            ["no", "connection"] => self.opened == 0,
            ["handshake"] => self.handshakes > 0,
            ["no", "handshake"] => self.handshakes == 0,
            ["alert", name] => self.alerts[usize::from(alert::code(name)?)] > 0,
            ["no", "alert"] => self.alerts[1..].iter().all(|n| *n == 0),
            ["sni", name] => self.snis.iter().any(|sni| sni.eq_ignore_ascii_case(name)),
            ["no", "sni"] => self.snis.contains(""),
            ["alpn", name] => self.alpns.contains(name),
            ["bind"] => self.binds > 0,
            _ => {
                let all = self.expectations().iter().map(|(words, _)| *words);
                let all: Vec<&str> = all.collect();
                return Err(format!(
                    "nothing of tls is called {:?}; it is one of: {}",
                    words.join(" "),
                    all.join(", ")
                ));
            }
        })
    }
}

impl Report {
    /// What belongs into a folder.
    fn files(&mut self, seen: &Seen) -> Vec<(String, Vec<u8>)> {
        let number = seen.number;
        let of = |what: &str| format!("connection-{number:04}-{what}.bin");
        let mut files = Vec::new();
        match &seen.what {
            What::Opened { peer, local } => self.capture.opened(number, *peer, *local, seen.at),
            What::Bytes { from_client, data, secrets } => {
                if !secrets.is_empty() {
                    files.push(("keys.log".to_owned(), secrets.clone().into_bytes()));
                    self.capture.secrets(secrets);
                }
                self.capture.bytes(number, *from_client, data, seen.at);
                let side = if *from_client { "from-client" } else { "from-server" };
                files.push((of(side), data.clone()));
            }
            What::Hello(_, message) if !message.is_empty() => {
                files.push((of("client-hello"), message.clone()));
            }
            What::Ended { how, .. } => {
                match how {
                    End::Fin => self.capture.ended(number, true, false, seen.at),
                    End::Broken(_) => self.capture.ended(number, true, true, seen.at),
                    End::Ours => self.capture.ended(number, false, false, seen.at),
                    End::Stopped => {}
                }
                self.capture.forget(number);
            }
            _ => {}
        }
        let blocks = self.capture.take();
        if !blocks.is_empty() {
            files.push(("capture.pcapng".to_owned(), blocks));
        }
        files
    }
}

/// What was seen in a line, lines about it, and as an object; none if it is not worth one.
fn words(what: &What) -> Option<(String, Vec<String>, Value)> {
    let none = Vec::new();
    Some(match what {
        What::Bytes { .. } => return None,
        What::Opened { peer, .. } => {
            let value = json!({ "event": "opened", "peer": peer.to_string() });
            (format!("opened by {peer}"), none, value)
        }
        What::Hello(Ok(hello), _) => {
            let (length, records) = (hello.length, count(hello.records.len(), "record"));
            let mut value = hello.json();
            value["event"] = "client-hello".into();
            (format!("ClientHello of {length} bytes in {records}"), hello.lines(), value)
        }
        What::Hello(Err(why), _) => {
            let value = json!({ "event": "malformed-client-hello", "why": why });
            (format!("no ClientHello that can be read: {why}"), none, value)
        }
        What::NotTls(first) => {
            let first = first.escape_ascii().to_string();
            let value = json!({ "event": "not-tls", "first": first });
            (format!("no TLS: \"{first}\""), none, value)
        }
        What::Answered(with) => {
            let value = json!({ "event": "answered", "with": with });
            (format!("answered with {with}"), none, value)
        }
        What::Done(session) => agreed(session),
        What::Alert { level, code, is_done } => {
            let name = alert::name(*code);
            let says = alert::by_code(*code).map_or("", |alert| alert.says);
            let level = level.map(|level| if level == 1 { "warning" } else { "fatal" });
            let place = if *is_done { " after the handshake" } else { "" };
            let value = json!({
                "event": "alert", "alert": name, "code": code, "says": says, "level": level,
                "after_handshake": is_done,
            });
            (format!("alert {name}{place}: {says}"), none, value)
        }
        What::Refused(why, alert) => {
            let alert = alert.map(alert::name);
            let sent = alert.as_ref().map_or(String::new(), |name| format!("; alert {name} sent"));
            let value = json!({ "event": "refused", "why": why, "sent_alert": alert });
            (format!("the server cannot go on: {why}{sent}"), none, value)
        }
        What::Took(version) => {
            let version = names::version(*version);
            let value = json!({ "event": "took", "version": version });
            (format!("the client takes {version}: no alert came"), none, value)
        }
        What::Said(what) => {
            let said = said(what);
            (format!("said: {said}"), none, json!({ "event": "said", "said": said }))
        }
        What::Ended { how, came, shut } => {
            let (line, how) = ended(how, *shut);
            let value =
                json!({ "event": "ended", "how": how, "server_closed": shut, "bytes": came });
            (line, none, value)
        }
    })
}

/// Who closed a connection, in order, and how it ended in a word.
fn ended(how: &End, shut: bool) -> (String, &'static str) {
    let first = "closed by the server (FIN)";
    match how {
        End::Fin if shut => (format!("{first}, then by the client"), "fin"),
        End::Fin => ("closed by the client (FIN)".to_owned(), "fin"),
        End::Broken(why) if shut => (format!("{first}, then broken: {why}"), "broken"),
        End::Broken(why) => (format!("broken: {why}"), "broken"),
        End::Ours if shut => (format!("{first}, and not by the client"), "server"),
        End::Ours => ("closed by the server".to_owned(), "server"),
        End::Stopped if shut => (format!("{first}, and not by the client by the end"), "stopped"),
        End::Stopped => ("open when the server ended".to_owned(), "stopped"),
    }
}

/// What a handshake came to.
fn agreed(session: &Session) -> (String, Vec<String>, Value) {
    let (version, suite) = (names::version(session.version), names::suite(session.suite));
    let group = session.group.map(names::group);
    let alpn = session.alpn.as_ref().map(|name| String::from_utf8_lossy(name).into_owned());
    let mut line = format!("handshake completed: {version}, {suite}");
    line.extend(group.iter().map(|group| format!(", {group}")));
    line.extend(alpn.iter().map(|alpn| format!(", ALPN {alpn}")));
    if session.retried {
        line.push_str(", after a HelloRetryRequest");
    }
    let value = json!({
        "event": "handshake", "version": version, "cipher_suite": suite, "group": group,
        "alpn": alpn, "hello_retry_request": session.retried,
    });
    (line, Vec::new(), value)
}
