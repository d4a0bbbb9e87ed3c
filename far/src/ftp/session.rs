//! One control connection and its data connections.

mod data;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::address::{bounces, eprt, port};
use super::files::{File, WRITTEN};
use super::line::{Line, Reader};
use super::{Command, Does, Fate, Seen, Way};
use crate::machine::{Do, Input, Out, SideDo, Stream};
use crate::text;
use data::{Channel, Now};

/// How many commands may wait for the one before them.
const QUEUE: usize = 64;
/// How long a client has to close after QUIT.
const LINGER: Duration = Duration::from_secs(2);
/// How many commands that came after RFC 959 `old` does not know.
const NEW: [&str; 15] = [
    "EPSV", "EPRT", "MLSD", "MLST", "REST", "SIZE", "MDTM", "FEAT", "OPTS", "AUTH", "PBSZ", "PROT",
    "HOST", "LANG", "CLNT",
];
/// What may be said before a login.
const BEFORE: [&str; 11] =
    ["USER", "PASS", "QUIT", "FEAT", "SYST", "NOOP", "AUTH", "OPTS", "HELP", "HOST", "ABOR"];

/// A line that waits.
#[derive(Debug)]
struct Waiting {
    line: Line,
    urgent: bool,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nobody has logged in.
    Login,
    In,
    Quit,
    Ended,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Session {
    number: u64,
    does: Does,
    at: Duration,
    local: SocketAddr,
    peer: SocketAddr,
    reader: Reader,
    queue: VecDeque<Waiting>,
    /// Urgent data was announced since the last command.
    urgent: bool,
    commands: u64,
    phase: Phase,
    is_ascii: bool,
    /// Where the next transfer begins.
    rest: u64,
    channel: Channel,
    now: Option<Now>,
    transfers: u64,
    /// A command whose reply waits for a port.
    pending: Option<Box<Command>>,
    until: Option<Duration>,
}

impl Session {
    pub(super) fn new(number: u64, does: Does) -> Self {
        let nowhere = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
        Self {
            number,
            does,
            at: Duration::ZERO,
            local: nowhere,
            peer: nowhere,
            reader: Reader::default(),
            queue: VecDeque::new(),
            urgent: false,
            commands: 0,
            phase: Phase::Login,
            is_ascii: true,
            rest: 0,
            channel: Channel::None,
            now: None,
            transfers: 0,
            pending: None,
            until: None,
        }
    }

    fn bytes(&mut self, mut bytes: &[u8], out: &mut Out) {
        while let Some(line) = self.reader.next(&mut bytes) {
            let urgent = std::mem::take(&mut self.urgent);
            let is_abort = verb(&line.text).0 == "ABOR";
            if self.is_waiting() && is_abort && self.now.is_some() {
                // Whoever aborts does not wait for what it aborts.
                self.command(&Waiting { line, urgent }, out);
            } else if self.queue.len() < QUEUE {
                self.queue.push_back(Waiting { line, urgent });
            } else {
                self.reply("421 too many commands at once", out);
                return self.leave(out);
            }
            self.work(out);
        }
    }

    fn is_waiting(&self) -> bool {
        self.now.is_some() || self.pending.is_some()
    }

    /// Takes commands while none waits for something.
    fn work(&mut self, out: &mut Out) {
        while !self.is_waiting() && self.until.is_none() && self.phase != Phase::Ended {
            let Some(waiting) = self.queue.pop_front() else { return };
            self.command(&waiting, out);
        }
    }

    /// Sends a reply as the script has it.
    fn reply(&self, text: &str, out: &mut Out) {
        let code = text.get(..3).unwrap_or_default();
        let is_whole = text.as_bytes().get(3) == Some(&b' ');
        out.send(if self.does == Does::Multiline && is_whole {
            format!("{code}-this reply has three lines\r\n {code} is not the last\r\n{text}\r\n")
        } else {
            format!("{text}\r\n")
        });
    }

    fn answer(&self, mut command: Command, text: &str, out: &mut Out) {
        self.reply(text, out);
        let last = text.rsplit("\r\n").next().unwrap_or_default();
        command.reply = Some(last.to_owned());
        out.tell(Seen::Command(Box::new(command)));
    }

    fn leave(&mut self, out: &mut Out) {
        out.todo.push(Do::Shutdown);
        self.until = Some(self.at + LINGER);
    }

    fn command(&mut self, waiting: &Waiting, out: &mut Out) {
        let line = &waiting.line;
        self.commands += 1;
        let (verb, argument) = verb(&line.text);
        let is_secret = matches!(verb.as_str(), "PASS" | "ACCT");
        let command = Command {
            connection: self.number,
            at: self.at,
            number: self.commands,
            argument: if is_secret { "(not shown)".to_owned() } else { text::cut(&argument) },
            verb: verb.clone(),
            urgent: waiting.urgent,
            telnet: line.telnet.clone(),
            odd: match line {
                Line { is_cut: true, .. } => Some("it is longer than 1024 bytes"),
                Line { is_bare: true, .. } => Some("it ends with LF, without CR (RFC 959 §5.3.2)"),
                _ => None,
            },
            reply: None,
        };
        let is_unknown = match self.does {
            Does::Old => NEW.contains(&verb.as_str()),
            Does::BrokenPasv => verb == "EPSV",
            _ => false,
        };
        if line.is_cut || is_unknown {
            return self.answer(command, "500 no such command", out);
        }
        if self.phase != Phase::In && !BEFORE.contains(&verb.as_str()) {
            return self.answer(command, "530 say USER and PASS first", out);
        }
        match verb.as_str() {
            "QUIT" => {
                self.phase = Phase::Quit;
                self.answer(command, "221 bye", out);
                self.leave(out);
            }
            "ABOR" => self.abort(command, out),
            "PASV" => self.passive(Way::Pasv, command, out),
            "EPSV" => self.passive(Way::Epsv, command, out),
            "PORT" => self.active(Way::Port, port(&argument), command, out),
            "EPRT" => self.active(Way::Eprt, eprt(&argument), command, out),
            "RETR" | "LIST" | "NLST" | "MLSD" | "STOR" | "APPE" | "STOU" => {
                self.transfer(command, &argument, out);
            }
            _ => {
                let reply = self.simple(&verb, &argument);
                self.answer(command, &reply, out);
            }
        }
    }

    /// The reply to a command that is about no data connection.
    fn simple(&mut self, verb: &str, argument: &str) -> String {
        let file = File::find(argument);
        let here = matches!(argument, "" | "/" | "." | "./");
        match (verb, file) {
            ("USER", _) => {
                self.phase = Phase::Login;
                "331 any password will do".to_owned()
            }
            ("PASS", _) => {
                self.phase = Phase::In;
                "230 you are in".to_owned()
            }
            ("SYST", _) => "215 UNIX Type: L8".to_owned(),
            ("NOOP" | "ALLO" | "CLNT", _) => "200 fine".to_owned(),
            ("FEAT", _) => {
                "211-features\r\n EPRT\r\n EPSV\r\n MDTM\r\n MLST type*;size*;modify*;perm*;\
                            \r\n REST STREAM\r\n SIZE\r\n UTF8\r\n211 end"
                    .to_owned()
            }
            ("OPTS", _) => "200 as you like".to_owned(),
            ("TYPE", _) => match argument.to_ascii_uppercase().as_str() {
                "A" | "A N" => {
                    self.is_ascii = true;
                    "200 type A".to_owned()
                }
                "I" | "L 8" => {
                    self.is_ascii = false;
                    "200 type I".to_owned()
                }
                _ => "504 type A or I".to_owned(),
            },
            ("MODE" | "STRU", _) => match argument.to_ascii_uppercase().as_str() {
                "S" | "F" => "200 fine".to_owned(),
                _ => "504 stream and file alone".to_owned(),
            },
            ("PWD" | "XPWD", _) => "257 \"/\" is where you are".to_owned(),
            ("CDUP", _) => "250 there is nothing above /".to_owned(),
            ("CWD", _) if here => "250 you are there".to_owned(),
            ("REST", _) => match argument.parse() {
                Ok(from) => {
                    self.rest = from;
                    format!("350 the next transfer begins at {from}")
                }
                Err(_) => "501 a number is wanted".to_owned(),
            },
            ("SIZE", Some(file)) => format!("213 {}", file.bytes(self.is_ascii).len()),
            ("MDTM", Some(_)) => format!("213 {WRITTEN}"),
            ("MLST", Some(file)) => {
                let size = file.bytes(false).len();
                let name = file.name;
                format!(
                    "250-here\r\n type=file;size={size};modify={WRITTEN};perm=r; /{name}\r\n250 end"
                )
            }
            ("MLST", None) if here => "250-here\r\n type=dir;perm=el; /\r\n250 end".to_owned(),
            ("HELP", _) => "214 RFC 959, RFC 2428, RFC 3659".to_owned(),
            ("STAT", _) => "211 all is well".to_owned(),
            ("CWD" | "SIZE" | "MDTM" | "MLST", _) => "550 there is no such file".to_owned(),
            ("DELE" | "MKD" | "RMD" | "RNFR" | "RNTO" | "SITE", _) => {
                "550 nothing is changed here".to_owned()
            }
            ("AUTH" | "PBSZ" | "PROT", _) => "502 there is no TLS here".to_owned(),
            _ => "500 no such command".to_owned(),
        }
    }

    fn passive(&mut self, way: Way, command: Command, out: &mut Out) {
        let is_v4 = matches!(self.local.ip().to_canonical(), IpAddr::V4(_));
        if way == Way::Pasv && !is_v4 {
            return self.answer(command, "425 PASV is for IPv4; EPSV is for this", out);
        }
        if way == Way::Epsv && command.argument.eq_ignore_ascii_case("all") {
            return self.answer(command, "200 EPSV it is", out);
        }
        self.unused(out);
        self.channel = Channel::Asked(way);
        self.pending = Some(Box::new(command));
        out.todo.push(Do::Side(SideDo::Listen));
    }

    fn active(&mut self, way: Way, to: Option<SocketAddr>, command: Command, out: &mut Out) {
        let Some(to) = to else {
            return self.answer(command, "501 that is no address", out);
        };
        if let Some(why) = bounces(to, self.peer) {
            return self.answer(command, &format!("504 {why}; nothing is sent there"), out);
        }
        self.unused(out);
        out.todo.push(Do::Side(SideDo::Close));
        self.channel = Channel::Active(way, to);
        self.answer(command, "200 the server connects to you", out);
    }

    fn ended(&mut self, how: &str, out: &mut Out) {
        let quit = self.phase == Phase::Quit;
        if std::mem::replace(&mut self.phase, Phase::Ended) == Phase::Ended {
            return;
        }
        if let Some(mut command) = self.pending.take() {
            command.odd = command.odd.or(Some("it was not answered"));
            out.tell(Seen::Command(command));
        }
        if self.now.is_some() {
            self.over(Fate::Broken("the control connection ended".to_owned()), "", out);
        }
        self.unused(out);
        let (connection, at, commands) = (self.number, self.at, self.commands);
        let rest = self.reader.rest();
        let within = if rest.is_empty() {
            String::new()
        } else {
            format!(", within the line \"{}\"", text::lossy(rest))
        };
        let is_secret = rest.get(..4).is_some_and(|verb| verb.eq_ignore_ascii_case(b"pass"));
        let how = format!("{how}{}", if is_secret { ", within PASS" } else { &within });
        out.tell(Seen::Ended { connection, at, commands, quit, how });
    }
}

impl Stream for Session {
    fn input(&mut self, what: Input<'_>, at: Duration, out: &mut Out) {
        self.at = at;
        match what {
            Input::Opened { local, peer } => {
                (self.local, self.peer) = (local, peer);
                let (connection, client) = (self.number, peer);
                out.tell(Seen::Connected { connection, at, client });
                self.reply("220 a far end that says what came", out);
            }
            Input::Bytes(bytes) => self.bytes(bytes, out),
            Input::Urgent => self.urgent = true,
            Input::End => {
                self.ended(text::closed_by_client(self.until.is_some()), out);
                out.todo.push(Do::Side(SideDo::Close));
                out.todo.push(Do::Close);
            }
            Input::Broken(why) => self.ended(why, out),
            Input::Stops => self.ended("it was open when it was ended here", out),
            Input::Time => {
                if self.until.is_some_and(|when| when <= at) {
                    self.until = Some(Duration::MAX);
                    self.ended("the server closed it", out);
                    out.todo.push(Do::Close);
                }
                self.tick(out);
                self.work(out);
            }
            Input::Side(side) => {
                self.side(side, out);
                self.work(out);
            }
        }
    }

    fn wakes(&self) -> Option<Duration> {
        let until = self.until.filter(|when| *when < Duration::MAX);
        let now = self.now.as_ref().and_then(|now| now.due);
        [until, now].into_iter().flatten().min()
    }

    fn is_busy(&self) -> bool {
        self.phase != Phase::Ended
    }
}

/// The verb in capitals and what is behind it.
fn verb(line: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(line);
    let (verb, argument) = text.split_once(' ').unwrap_or((&text, ""));
    (text::cut(&verb.to_ascii_uppercase()), argument.trim_end().to_owned())
}
