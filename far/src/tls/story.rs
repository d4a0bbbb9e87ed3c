//! What became of one connection, in a sentence.

use std::time::Duration;

use super::alert::{self, Alert};
use super::ldap::{Asked, Auth};
use super::names;
use super::script::{Row, Serve};
use super::seen::{End, Said, Seen, Session, What};
use super::stream::PATIENCE;
use crate::text;

/// What is kept of a connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    opened: Duration,
    /// Whether a `ClientHello` came that can be read.
    hello: bool,
    /// Why what came can be read as none.
    odd: Option<String>,
    not_tls: Option<Vec<u8>>,
    answered: bool,
    pub(super) done: Option<Session>,
    /// The first alert that says more than that it closes, and whether the handshake was over.
    alert: Option<(u8, bool)>,
    closed: bool,
    /// Why the server gave up, and the alert that it sent.
    refused: Option<(String, Option<u8>)>,
    took: Option<u16>,
    /// The first thing that was said within TLS.
    said: Option<String>,
    /// The first that was said without.
    plain: Option<String>,
    end: Option<Ended>,
}

/// How it ended.
#[derive(Clone, Debug)]
struct Ended {
    how: End,
    at: Duration,
    /// How many bytes had come.
    came: u64,
    /// Whether the server had closed before (FIN).
    shut: bool,
}

impl Story {
    /// Something was seen of it.
    pub(super) fn add(&mut self, seen: &Seen) {
        match &seen.what {
            What::Opened { .. } => self.opened = seen.at,
            What::Bytes { .. } => {}
            What::Hello(Ok(_), _) => self.hello = true,
            What::Hello(Err(why), _) => self.odd = Some(why.clone()),
            What::NotTls(first) => self.not_tls = Some(first.clone()),
            What::Answered(_) => self.answered = true,
            What::Done(session) => {
                self.done = Some(session.clone());
                // A warning that changed nothing.
                self.alert = None;
            }
            What::Alert { code: 0, .. } => self.closed = true,
            What::Alert { code, is_done, .. } => {
                self.alert.get_or_insert((*code, *is_done));
            }
            What::Refused(why, alert) => self.refused = Some((why.clone(), *alert)),
            What::Took(version) => self.took = Some(*version),
            What::Said(what) => {
                let place = if self.done.is_some() { &mut self.said } else { &mut self.plain };
                place.get_or_insert_with(|| said(what));
            }
            What::Ended { how, came, shut } => {
                self.end = Some(Ended { how: how.clone(), at: seen.at, came: *came, shut: *shut });
            }
        }
    }

    /// Whether anything came by it.
    pub(super) fn says_anything(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.came > 0)
    }

    /// Whether the client went on behind the handshake, as who has accepted the certificate does.
    pub(super) fn accepts(&self) -> bool {
        self.alert.is_none() && self.said.is_some()
    }

    /// Whether it was shown the certificate and went away without a word.
    pub(super) fn is_mute(&self) -> bool {
        let was_shown = self.done.is_some() || self.answered;
        let is_quiet = self.alert.is_none() && self.said.is_none() && self.refused.is_none();
        was_shown && !self.closed && is_quiet
    }

    /// The alert that refuses the certificate, if that is what it did.
    pub(super) fn refuses(&self) -> Option<&'static Alert> {
        self.alert.and_then(|(code, _)| alert::by_code(code)).filter(|alert| alert.of_certificate)
    }

    /// The sentence.
    pub(super) fn verdict(&self, row: &Row) -> String {
        let end = self.ending();
        if let Some((code, is_done)) = self.alert {
            let place = if is_done { "after" } else { "in" };
            return match alert::by_code(code) {
                Some(a) if a.of_certificate => format!(
                    "the client refused the certificate {place} the handshake: alert {}: {}",
                    a.name, a.says
                ),
                Some(a) => format!(
                    "the client gave up {place} the handshake: alert {}: {}",
                    a.name, a.says
                ),
                None => format!(
                    "the client gave up {place} the handshake: alert {code}, which has no name"
                ),
            };
        }
        if let Some(session) = &self.done {
            return self.after(session, &end);
        }
        if let Some(version) = self.took {
            return format!(
                "the client took {}: it sent no alert and waited for more",
                names::version(version)
            );
        }
        if let (Some(first), false) = (&self.not_tls, self.hello) {
            let sample = || format!("\"{}\"", first.escape_ascii());
            let said = self.plain.clone().unwrap_or_else(sample);
            let what = format!("{}: {said}", language(first));
            if row.serve == Serve::Plain {
                return format!("the client spoke without TLS, as this script does: {said}; {end}");
            }
            return format!("the client spoke no TLS but {what}; {}{end}", self.sent());
        }
        if self.odd.is_some() {
            return self.before(&end);
        }
        if let Some((why, _)) = &self.refused {
            return format!(
                "the server could not go on: {why}; {}none came back; {end}",
                self.sent()
            );
        }
        if self.hello { self.within(row, &end) } else { self.before(&end) }
    }

    /// The handshake is over.
    fn after(&self, session: &Session, end: &str) -> String {
        let version = names::version(session.version);
        let done = format!("the handshake was completed ({version})");
        if let Some(said) = &self.said {
            return format!("{done} and the client went on: {said}");
        }
        if let Some((why, _)) = &self.refused {
            return format!("{done}, then the server could not go on: {why}; {}{end}", self.sent());
        }
        let how = if self.closed { "with close_notify" } else { "without close_notify" };
        format!(
            "{done}, then nothing was said and {end} {how}: \
             the client only tried, or judged the certificate afterwards and does not say so"
        )
    }

    /// A `ClientHello` came.
    fn within(&self, row: &Row, end: &str) -> String {
        match row.serve {
            Serve::Silent => format!("a ClientHello came and nothing was answered; {end}"),
            Serve::Plain => format!("a ClientHello came and was answered without TLS; {end}"),
            Serve::Close => "a ClientHello came and the connection was closed (FIN)".to_owned(),
            Serve::Reset => "a ClientHello came and the connection was reset (RST)".to_owned(),
            _ if !self.answered => format!("a ClientHello came; {end}"),
            Serve::Old(version) => format!(
                "a ServerHello of {} was sent; {end} without an alert",
                names::version(version)
            ),
            _ => format!(
                "the certificate was sent; {end} in the handshake without an alert: \
                 it does not say whether that is for the certificate"
            ),
        }
    }

    /// No `ClientHello` came.
    fn before(&self, end: &str) -> String {
        match (&self.odd, &self.end) {
            (Some(why), _) => {
                let sent = self.sent();
                format!("what came is no ClientHello that can be read: {why}; {sent}{end}")
            }
            (None, Some(Ended { came: came @ 1.., .. })) => {
                format!("{came} bytes came, which are no whole ClientHello; {end}")
            }
            (None, _) => format!(
                "the connection was opened and no byte came; {end}: a probe, the slower of two addresses, \
                 or a client that waits for the server to speak first"
            ),
        }
    }

    fn ending(&self) -> String {
        let Some(Ended { how, at, shut, .. }) = &self.end else { return "it is open".to_owned() };
        let seconds = at.saturating_sub(self.opened).as_secs_f64();
        match (how, *shut) {
            // A number of milliseconds would make each connection a case of its own.
            (End::Fin, false) if seconds >= 1.0 => {
                format!("the client closed (FIN) after {seconds:.0} s")
            }
            (End::Fin, false) => "the client closed (FIN)".to_owned(),
            (End::Fin, true) => text::closed_by_client(true).to_owned(),
            (End::Broken(why), false) => format!("it broke: {why}"),
            (End::Broken(why), true) => format!("the server closed (FIN), then it broke: {why}"),
            (End::Ours, false) => "the server closed".to_owned(),
            (End::Ours, true) => {
                let patience = PATIENCE.as_secs();
                format!("the server closed (FIN), and the client did not within {patience} s")
            }
            (End::Stopped, false) => "it was open when it was ended here".to_owned(),
            (End::Stopped, true) => {
                "the server closed (FIN), and the client had not when all was ended here".to_owned()
            }
        }
    }

    /// Which alert the server sent, before what came next; nothing, if it sent none that can be told.
    fn sent(&self) -> String {
        match self.refused {
            Some((_, Some(code))) => format!("the server sent the alert {}; ", alert::name(code)),
            _ => String::new(),
        }
    }
}

/// What those bytes begin that are no TLS.
fn language(first: &[u8]) -> &'static str {
    match first {
        [0x30, ..] => "LDAP (a client of ldap://, where ldaps:// is served)",
        [128..=255, _, 1, ..] => "a ClientHello of SSL 2.0",
        [b'A'..=b'Z', ..] => "a text, of HTTP or the like",
        _ => "something else",
    }
}

/// What was said, in words.
pub(super) fn said(what: &Said) -> String {
    match what {
        Said::Http(Ok(line)) => line.clone(),
        Said::Http(Err(why)) => format!("what is no request of HTTP: {why}"),
        Said::Other(first) => format!("\"{}\"", first.escape_ascii()),
        Said::Ldap(asked) => match asked {
            Asked::Bind { name, version, how } => {
                let how = match how {
                    Auth::Anonymous => "anonymous, answered with success".to_owned(),
                    Auth::Unauthenticated => {
                        format!("as {name:?} without a password, answered with success")
                    }
                    Auth::Simple(n) => {
                        format!("as {name:?} with a password of {n} bytes, answered with success")
                    }
                    Auth::Sasl(mechanism) => {
                        format!("by SASL {mechanism}, answered with authMethodNotSupported")
                    }
                };
                format!("bind of LDAP {version}, {how}")
            }
            Asked::Unbind => "unbind".to_owned(),
            Asked::Search(base) => format!("search below {base:?}, answered with no entries"),
            Asked::StartTls => "StartTLS".to_owned(),
            Asked::Other(name) => format!("{name}, refused"),
            Asked::Malformed(why) => format!("what is no LDAP: {why}"),
        },
    }
}
