//! What FTP clients did, in sentences and as JSON.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Command, Fate, Seen, Transfer, Way};
use crate::text::{self, bump, times};
use crate::witness::{Seen as Any, Told, Witness, count};

/// How many different sentences are kept.
const MOST: usize = 50;

/// Counts, and says what it came to.
#[derive(Debug, Default)]
pub(super) struct Report {
    connections: usize,
    ended: usize,
    quits: usize,
    commands: usize,
    logins: usize,
    verbs: BTreeMap<String, usize>,
    /// Verbs that were answered with 5xx.
    refused: BTreeMap<String, usize>,
    /// Data connections that were open, by how.
    opened: BTreeMap<Way, usize>,
    downloads: usize,
    uploads: usize,
    uploaded: u64,
    not_opened: BTreeMap<String, usize>,
    broken: BTreeMap<String, usize>,
    aborts: usize,
    urgent_aborts: usize,
    rests: usize,
    odd: BTreeMap<String, usize>,
    unquit: BTreeMap<String, usize>,
}

impl Report {
    fn command(&mut self, command: &Command) -> Told {
        self.commands += 1;
        bump(&mut self.verbs, &command.verb, MOST);
        let reply = command.reply.as_deref();
        if reply.is_some_and(|reply| reply.starts_with('5')) {
            let code = reply.and_then(|r| r.get(..3)).unwrap_or_default();
            bump(&mut self.refused, &format!("{} ({code})", command.verb), MOST);
        }
        self.logins += usize::from(reply.is_some_and(|reply| reply.starts_with("230")));
        if let Some(odd) = command.odd {
            bump(&mut self.odd, odd, MOST);
        }
        let mut marks = Vec::new();
        if command.urgent {
            marks.push("with urgent data".to_owned());
        }
        if !command.telnet.is_empty() {
            marks.push(format!("behind Telnet {}", command.telnet.join(", ")));
        }
        if command.verb == "ABOR" {
            self.aborts += 1;
            self.urgent_aborts += usize::from(command.urgent);
        }
        let place = text::place(command.connection, command.at);
        let space = if command.argument.is_empty() { "" } else { " " };
        let answer = reply.map_or("no reply yet".to_owned(), text::cut);
        let mut lines = vec![format!(
            "command {} ({place}): {}{space}{} — {answer}",
            command.number, command.verb, command.argument
        )];
        if !marks.is_empty() {
            lines.push(format!("  {}", marks.join(", ")));
        }
        lines.extend(command.odd.iter().map(|odd| format!("  {odd}")));
        let json = json!({
            "event": "command",
            "connection": command.connection,
            "command": command.number,
            "at_ms": text::millis(command.at),
            "verb": command.verb,
            "argument": command.argument,
            "urgent": command.urgent,
            "telnet": command.telnet,
            "odd": command.odd,
            "reply": command.reply,
        });
        Told { lines, json, ..Told::default() }
    }

    fn transfer(&mut self, transfer: &Transfer) -> Told {
        let way = transfer.way.map_or("no data connection", Way::name);
        let is_upload = matches!(transfer.verb.as_str(), "STOR" | "APPE" | "STOU");
        if let (Some(way), false) = (transfer.way, matches!(transfer.fate, Fate::NotOpened(_))) {
            *self.opened.entry(way).or_default() += 1;
        }
        self.rests += usize::from(transfer.from > 0);
        let fate = match &transfer.fate {
            Fate::Done => {
                self.uploads += usize::from(is_upload);
                self.downloads += usize::from(!is_upload);
                "done".to_owned()
            }
            Fate::NotOpened(why) => {
                // Without a way, that there was none is what the sentence says by itself.
                let of = transfer.way.map_or(String::new(), |way| format!("{}: ", way.name()));
                bump(&mut self.not_opened, &format!("{of}{why}"), MOST);
                format!("not opened: {why}")
            }
            Fate::Broken(why) => {
                bump(&mut self.broken, &format!("{way}: {why}"), MOST);
                format!("broken off: {why}")
            }
            Fate::Aborted => "aborted by ABOR".to_owned(),
        };
        self.uploaded += transfer.came;
        let place = text::place(transfer.connection, transfer.at);
        let space = if transfer.name.is_empty() { "" } else { " " };
        let from = match transfer.from {
            0 => String::new(),
            from => format!(" from byte {from}"),
        };
        let peer = transfer.peer.map_or(String::new(), |peer| format!(" with {peer}"));
        let n = if is_upload { transfer.came } else { transfer.sent };
        let moved = if is_upload { "came" } else { "sent" };
        let lines = vec![format!(
            "data {} ({place}): {}{space}{}{from} by {way}{peer}: {} {moved}, {fate} — {}",
            transfer.transfer,
            transfer.verb,
            text::cut(&transfer.name),
            count(n, "byte"),
            if transfer.reply.is_empty() { "no reply" } else { &transfer.reply },
        )];
        let json = json!({
            "event": "transfer",
            "connection": transfer.connection,
            "transfer": transfer.transfer,
            "at_ms": text::millis(transfer.at),
            "verb": transfer.verb,
            "name": transfer.name,
            "way": transfer.way.map(Way::name),
            "peer": transfer.peer.map(|peer| peer.to_string()),
            "from": transfer.from,
            "sent": transfer.sent,
            "came": transfer.came,
            "fate": fate,
            "reply": transfer.reply,
        });
        Told { lines, json, ..Told::default() }
    }

    fn is_open(&self, passive: bool) -> bool {
        self.opened.keys().any(|way| way.is_passive() == passive)
    }
}

impl Witness for Report {
    fn tell(&mut self, seen: &Any) -> Told {
        let Any::Ftp(seen) = seen else { return Told::default() };
        match seen {
            Seen::Connected { connection, at, client } => {
                self.connections += 1;
                let lines = vec![format!("{}: {client} connected", text::place(*connection, *at))];
                let json = json!({
                    "event": "connected", "connection": connection, "at_ms": text::millis(*at),
                    "client": client.to_string(),
                });
                Told { lines, json, ..Told::default() }
            }
            Seen::Command(command) => self.command(command),
            Seen::Transfer(transfer) => self.transfer(transfer),
            Seen::Unused { connection, at, way } => {
                let what = format!("{}: the port was told, and nobody connected", way.name());
                bump(&mut self.not_opened, &what, MOST);
                let json = json!({
                    "event": "unused", "connection": connection, "at_ms": text::millis(*at),
                    "way": way.name(),
                });
                let lines = vec![format!("{}: {what}", text::place(*connection, *at))];
                Told { lines, json, ..Told::default() }
            }
            Seen::Upload { connection, transfer, bytes } => {
                let json = json!({
                    "event": "upload", "connection": connection, "transfer": transfer,
                    "bytes": bytes.len(),
                });
                let name = format!("upload-{connection:04}-{transfer:04}.bin");
                Told { json, files: vec![(name, bytes.clone())], ..Told::default() }
            }
            Seen::Ended { connection, at, commands, quit, how } => {
                self.ended += 1;
                self.quits += usize::from(*quit);
                if !quit {
                    bump(&mut self.unquit, how, MOST);
                }
                let place = text::place(*connection, *at);
                let without = if *quit { "after QUIT" } else { "without QUIT" };
                let lines = vec![format!("{place}: ended {without}: {how}")];
                let json = json!({
                    "event": "ended", "connection": connection, "at_ms": text::millis(*at),
                    "commands": commands, "quit": quit, "how": how,
                });
                Told { lines, json, files: Vec::new(), counts: true }
            }
        }
    }

    fn summary(&self) -> Vec<String> {
        if self.connections == 0 {
            return vec!["no connection came".to_owned()];
        }
        let ways: Vec<String> =
            self.opened.iter().map(|(way, n)| format!("{n} by {}", way.name())).collect();
        let data: usize = self.opened.values().sum();
        let ways = if data == 0 { String::new() } else { format!(" ({})", ways.join(", ")) };
        let mut lines = vec![format!(
            "{}: {}, {}{ways}",
            count(self.connections, "connection"),
            count(self.commands, "command"),
            count(data, "data connection"),
        )];
        if self.logins == 0 {
            lines.push("nobody logged in".to_owned());
        }
        if self.downloads > 0 {
            let what = if self.downloads == 1 { "file or listing" } else { "files or listings" };
            lines.push(format!("{} {what} sent whole", self.downloads));
        }
        if self.uploads > 0 {
            let (n, bytes) = (count(self.uploads, "file"), count(self.uploaded, "byte"));
            lines.push(format!("{n} came whole, {bytes} in all"));
        }
        if self.rests > 0 {
            lines.push(format!(
                "{} began behind the first byte (REST)",
                count(self.rests, "transfer")
            ));
        }
        let all = |lines: &mut Vec<String>, words: &str, what: &BTreeMap<String, usize>| {
            lines.extend(what.iter().map(|(what, n)| format!("{words}: {what}{}", times(*n))));
        };
        all(&mut lines, "no data connection", &self.not_opened);
        all(&mut lines, "data connection broken off", &self.broken);
        if self.aborts > 0 {
            let (n, urgent) = (count(self.aborts, "ABOR"), self.urgent_aborts);
            lines.push(format!("{n} came, {urgent} with urgent data"));
        }
        if !self.refused.is_empty() {
            let refused: Vec<String> =
                self.refused.iter().map(|(verb, n)| format!("{verb}{}", times(*n))).collect();
            lines.push(format!("refused: {}", refused.join("; ")));
        }
        all(&mut lines, "odd", &self.odd);
        all(&mut lines, "ended without QUIT", &self.unquit);
        lines
    }

    fn expectations(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("no connection", "nobody connected"),
            ("login", "somebody logged in"),
            ("passive", "a data connection was opened by PASV or EPSV"),
            ("active", "a data connection was opened by PORT or EPRT"),
            ("no data", "a data connection was agreed on and never opened"),
            ("download", "a file or a listing was sent whole"),
            ("upload", "a file came whole"),
            ("resume", "a transfer began behind the first byte (REST)"),
            ("abort", "ABOR came"),
            ("abort urgent", "ABOR came with urgent data"),
            ("quit", "each connection that ended did so after QUIT, and there was one"),
            ("command VERB", "that command came"),
        ]
    }

    fn holds(&self, words: &str) -> Result<bool, String> {
        Ok(match words {
            "no connection" => self.connections == 0,
            "login" => self.logins > 0,
            "passive" => self.is_open(true),
            "active" => self.is_open(false),
            "no data" => !self.not_opened.is_empty(),
            "download" => self.downloads > 0,
            "upload" => self.uploads > 0,
            "resume" => self.rests > 0,
            "abort" => self.aborts > 0,
            "abort urgent" => self.urgent_aborts > 0,
            "quit" => self.ended > 0 && self.quits == self.ended,
            _ => {
                let verb = words.strip_prefix("command ").map(str::trim);
                let verb =
                    verb.filter(|v| !v.is_empty() && v.bytes().all(|b| b.is_ascii_alphabetic()));
                let verb = verb.ok_or_else(|| format!("{words:?} is nothing to expect"))?;
                self.verbs.contains_key(&verb.to_ascii_uppercase())
            }
        })
    }
}
