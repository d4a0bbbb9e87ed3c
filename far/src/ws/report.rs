//! What came of WebSocket, in sentences and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use super::frame::opcode;
use super::message::{code_name, join};
use super::{Does, Ended, Frame, Handshake, Seen, Start};
use crate::text::{self, bump, times};
use crate::witness::{Seen as Any, Told, Witness, count};

/// How many different faults are kept.
const FAULTS: usize = 50;
/// How many codes of Closes the summary has.
const CODES: usize = 10;

/// Counts, and says what it came to.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Whether the script answers with a `Sec-WebSocket-Accept` that is wrong.
    is_wrong: bool,
    /// How many went away behind that without a word.
    put_off: usize,
    ended: usize,
    /// Of connections: how each began.
    silent: usize,
    right: usize,
    wrong: usize,
    frame_first: usize,
    other: usize,
    statuses: BTreeMap<u16, usize>,
    /// What handshakes lack, and how often.
    lacks: BTreeMap<String, usize>,
    /// Frames by opcode.
    frames: BTreeMap<&'static str, usize>,
    faults: BTreeMap<String, usize>,
    /// Codes of the clients' Closes.
    codes: BTreeMap<Option<u16>, usize>,
    /// Ended without a Close though there was a handshake, or frames: how.
    unclosed: BTreeMap<String, usize>,
    pongs: usize,
}

impl Report {
    pub(super) fn new(does: Does) -> Self {
        Self { is_wrong: does == Does::BadAccept, ..Self::default() }
    }

    fn handshake(&mut self, shake: &Handshake) -> Told {
        if let Some(status) = shake.status {
            *self.statuses.entry(status).or_default() += 1;
        }
        for fault in &shake.faults {
            bump(&mut self.lacks, fault, FAULTS);
        }
        let place = text::place(shake.connection, shake.at);
        let agent = shake.agent.as_deref().unwrap_or("no User-Agent");
        let answer = shake.status.map_or("no answer".to_owned(), |s| format!("answered {s}"));
        let kind = if shake.faults.is_empty() { "handshake" } else { "no right handshake" };
        let (line, client) = (&shake.line, shake.client);
        let mut lines = vec![format!("{place}: {kind}: {line} — {agent}, {client}; {answer}")];
        lines.extend(shake.faults.iter().map(|fault| format!("  {fault}")));
        for (what, words) in [("subprotocols", &shake.protocols), ("extensions", &shake.extensions)]
        {
            if !words.is_empty() {
                lines.push(format!("  {what} offered: {}", words.join(", ")));
            }
        }
        if !shake.about.is_empty() {
            lines.push(format!("  {}", shake.about));
        }
        let json = json!({
            "event": "handshake",
            "connection": shake.connection,
            "at_ms": text::millis(shake.at),
            "client": client.to_string(),
            "line": shake.line,
            "agent": shake.agent,
            "origin": shake.origin,
            "protocols": shake.protocols,
            "extensions": shake.extensions,
            "faults": shake.faults,
            "status": shake.status,
            "about": shake.about,
        });
        Told { lines, json, ..Told::default() }
    }

    fn frame(&mut self, frame: &Frame) -> Told {
        let header = &frame.header;
        let name = opcode(header.opcode);
        *self.frames.entry(name).or_default() += 1;
        for fault in &frame.faults {
            bump(&mut self.faults, fault, FAULTS);
        }
        self.pongs += usize::from(frame.answers_ping);
        let mut line =
            format!("frame {} ({})", frame.number, text::place(frame.connection, frame.at));
        let number = header.opcode;
        let _ = write!(line, ": {name} (opcode {number}), {}", bits(frame));
        let _ = write!(line, ", {}", count(header.length, "byte"));
        if frame.came < header.length {
            let _ = write!(line, " of which {} came", frame.came);
        }
        if header.opcode != 8 && !frame.begins.is_empty() {
            let more = if header.length > frame.begins.len() as u64 { "…" } else { "" };
            let _ = write!(line, ": {}{more}", shown(frame));
        }
        let mut lines = vec![line];
        lines.extend(frame.about.iter().map(|about| format!("  {about}")));
        if !frame.faults.is_empty() {
            lines.push(format!("  breaks RFC 6455: {}", join(&frame.faults)));
        }
        let json = json!({
            "event": "frame",
            "connection": frame.connection,
            "frame": frame.number,
            "at_ms": text::millis(frame.at),
            "opcode": header.opcode,
            "name": name,
            "fin": header.fin,
            "rsv": header.rsv,
            "mask": header.mask,
            "length": header.length,
            "came": frame.came,
            "begins": frame.begins.escape_ascii().to_string(),
            "about": frame.about,
            "faults": frame.faults,
        });
        let file = (format!("connection-{:04}.bin", frame.connection), frame.raw.clone());
        Told { lines, json, files: vec![file], counts: false }
    }

    fn connection(&mut self, ended: &Ended) -> Told {
        self.ended += 1;
        match ended.start {
            Start::Silent => self.silent += 1,
            Start::Handshake => self.right += 1,
            Start::Wrong => self.wrong += 1,
            Start::Frame => self.frame_first += 1,
            Start::Other => self.other += 1,
        }
        let is_mute = ended.start == Start::Handshake && ended.frames == 0;
        self.put_off += usize::from(self.is_wrong && is_mute && ended.by_client);
        let has_begun = ended.start == Start::Handshake || ended.frames > 0;
        let close = match &ended.close {
            Some((code, reason)) => {
                *self.codes.entry(*code).or_default() += 1;
                format!("; its Close: {}, reason {reason:?}", code_words(*code))
            }
            None if has_begun => {
                bump(&mut self.unclosed, &ended.how, FAULTS);
                "; no Close came".to_owned()
            }
            None => String::new(),
        };
        let place = text::place(ended.connection, ended.at);
        let begin = if ended.start == Start::Silent { "nothing came; " } else { "" };
        let lines = vec![format!(
            "{place}: {begin}ended: {}, after {}{close}",
            ended.how,
            count(ended.frames, "frame")
        )];
        let json = json!({
            "event": "ended",
            "connection": ended.connection,
            "at_ms": text::millis(ended.at),
            "began_with": format!("{:?}", ended.start).to_lowercase(),
            "frames": ended.frames,
            "close": ended.close.as_ref().map(|(code, reason)| json!({
                "code": code, "reason": reason,
            })),
            "how": ended.how,
        });
        Told { lines, json, files: Vec::new(), counts: true }
    }

    fn without(&self) -> usize {
        self.wrong + self.frame_first + self.other + self.silent
    }
}

impl Witness for Report {
    fn tell(&mut self, seen: &Any) -> Told {
        match seen {
            Any::WebSocket(Seen::Handshake(shake)) => self.handshake(shake),
            Any::WebSocket(Seen::Frame(frame)) => self.frame(frame),
            Any::WebSocket(Seen::Ended(ended)) => self.connection(ended),
            Any::WebSocket(Seen::Instead { connection, at, client, what, bytes }) => {
                let place = text::place(*connection, *at);
                let begins = bytes.escape_ascii().to_string();
                let lines = vec![
                    format!("{place}: no handshake: {what} — {client}"),
                    format!("    \"{begins}\""),
                ];
                let json = json!({
                    "event": "instead", "connection": connection, "at_ms": text::millis(*at),
                    "client": client.to_string(), "what": what, "bytes": begins,
                });
                Told { lines, json, ..Told::default() }
            }
            _ => Told::default(),
        }
    }

    fn summary(&self) -> Vec<String> {
        if self.ended == 0 {
            return vec!["no connection came".to_owned()];
        }
        let mut parts = Vec::new();
        for (n, words) in [
            (self.right, "with a handshake"),
            (self.frame_first, "without a handshake, with a frame at once"),
            (self.wrong, "with a request that is no right handshake"),
            (self.other, "with something else"),
            (self.silent, "with nothing"),
        ] {
            if n > 0 {
                parts.push(format!("{n} began {words}"));
            }
        }
        let mut lines = vec![format!("{}: {}", count(self.ended, "connection"), parts.join(", "))];
        lines.extend(self.lacks.iter().map(|(fault, n)| format!("  {fault}{}", times(*n))));
        if !self.statuses.is_empty() {
            let all: Vec<String> =
                self.statuses.iter().map(|(s, n)| format!("{s}{}", times(*n))).collect();
            lines.push(format!("handshakes were answered: {}", all.join(", ")));
        }
        let all: usize = self.frames.values().sum();
        let kinds: Vec<String> =
            self.frames.iter().map(|(name, n)| format!("{n} {name}")).collect();
        let kinds =
            if kinds.is_empty() { String::new() } else { format!(": {}", kinds.join(", ")) };
        lines.push(format!("{} came{kinds}", count(all, "frame")));
        if self.faults.is_empty() {
            if all > 0 {
                let but = if self.frame_first > 0 { "but for the missing handshake " } else { "" };
                lines.push(format!("{but}nothing of them breaks RFC 6455"));
            }
        } else {
            lines.push("they break RFC 6455:".to_owned());
            lines.extend(self.faults.iter().map(|(fault, n)| format!("  {fault}{}", times(*n))));
        }
        if self.codes.len() > CODES {
            lines.push(format!("closed by clients with {} codes, of which", self.codes.len()));
        }
        for (code, n) in self.codes.iter().take(CODES) {
            lines.push(format!("closed by clients with {}{}", code_words(*code), times(*n)));
        }
        for (how, n) in &self.unclosed {
            lines.push(format!("no Close came: {how}{}", times(*n)));
        }
        if self.put_off > 0 {
            lines.push(format!(
                "{} ended by the client without a word behind the 101: most likely since our Sec-WebSocket-Accept \
                 is wrong, for which a client has to fail (RFC 6455 §4.1)",
                count(self.put_off, "connection")
            ));
        }
        if self.pongs > 0 {
            lines.push(format!("{} of this server answered", count(self.pongs, "ping")));
        }
        lines
    }

    fn expectations(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("no connection", "nobody connected"),
            ("handshake", "each connection began with a right handshake, and there was one"),
            ("no handshake", "a connection began without a right handshake"),
            ("violation", "a frame or a handshake broke RFC 6455"),
            ("no violation", "a frame came, and nothing broke RFC 6455"),
            ("close CODE", "a client's Close had that code, or none for `close none`"),
            ("no close", "a connection ended without a Close of the client"),
            ("pong", "a ping of this server was answered"),
        ]
    }

    fn holds(&self, words: &str) -> Result<bool, String> {
        let breaks = !self.faults.is_empty() || !self.lacks.is_empty();
        match words {
            "no connection" => Ok(self.ended == 0),
            "handshake" => Ok(self.right > 0 && self.without() == 0),
            "no handshake" => Ok(self.without() > 0),
            "violation" => Ok(breaks),
            "no violation" => Ok(!breaks && !self.frames.is_empty()),
            "no close" => Ok(!self.unclosed.is_empty()),
            "close none" => Ok(self.codes.contains_key(&None)),
            "pong" => Ok(self.pongs > 0),
            _ => {
                let code = words.strip_prefix("close ").and_then(|code| code.parse().ok());
                let code: u16 = code.ok_or_else(|| format!("{words:?} is nothing to expect"))?;
                Ok(self.codes.contains_key(&Some(code)))
            }
        }
    }
}

fn code_words(code: Option<u16>) -> String {
    code.map_or("no code".to_owned(), |code| format!("{code} ({})", code_name(code)))
}

fn bits(frame: &Frame) -> String {
    let header = &frame.header;
    let mut words = vec![if header.fin { "FIN" } else { "no FIN" }];
    for (bit, name) in [(4, "RSV1"), (2, "RSV2"), (1, "RSV3")] {
        if header.rsv & bit != 0 {
            words.push(name);
        }
    }
    words.push(if header.mask.is_some() { "masked" } else { "not masked" });
    words.join(", ")
}

/// How a payload begins: as text if it is such.
fn shown(frame: &Frame) -> String {
    match frame.header.opcode {
        0 | 1 if frame.header.rsv == 0 => format!("{:?}", String::from_utf8_lossy(&frame.begins)),
        _ => format!("\"{}\"", frame.begins.get(..32).unwrap_or(&frame.begins).escape_ascii()),
    }
}
