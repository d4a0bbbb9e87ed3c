//! Data connections: how they are opened, and what goes over them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::{Command, Do, Does, Fate, File, Out, Seen, Session, SideDo, Way};
use crate::ftp::address::commas;
use crate::ftp::{Transfer, files};
use crate::machine::Side;

/// How long a client has to open its data connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long `no-data` lets a client wait.
const NOTHING: Duration = Duration::from_secs(3);
/// How much `slow` sends, and how often.
const SIP: usize = 16;
const TICK: Duration = Duration::from_millis(100);
/// How much of an upload may come before it is announced.
const EARLY: usize = 64 << 10;
/// What `broken-pasv` says where it is: of loopback, so that nobody else is bothered.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 255, 255, 254);

/// The data connection, before a transfer wants it.
#[derive(Debug)]
pub(super) enum Channel {
    None,
    /// A port is about to be opened.
    Asked(Way),
    Listens(Way),
    /// It is open, and what came by it; whether no more will.
    Open(Way, SocketAddr, Vec<u8>, bool),
    /// The server is to open it.
    Active(Way, SocketAddr),
}

/// A transfer that is going on.
#[derive(Debug)]
pub(super) struct Now {
    verb: String,
    name: String,
    /// What is sent; none of an upload.
    bytes: Option<Vec<u8>>,
    way: Way,
    peer: Option<SocketAddr>,
    from: u64,
    sent: usize,
    came: u64,
    /// When something is to happen by itself.
    pub(super) due: Option<Duration>,
}

impl Session {
    pub(super) fn transfer(&mut self, command: Command, name: &str, out: &mut Out) {
        let verb = command.verb.clone();
        let from = std::mem::take(&mut self.rest);
        let bytes = match verb.as_str() {
            "RETR" => match File::find(name).map(|file| file.bytes(self.is_ascii)) {
                None => return self.answer(command, "550 there is no such file", out),
                Some(bytes) => {
                    match usize::try_from(from).ok().and_then(|from| bytes.get(from..)) {
                        None => {
                            return self.answer(command, "554 the file is shorter than REST", out);
                        }
                        Some(some) => Some(some.to_vec()),
                    }
                }
            },
            "STOR" | "APPE" | "STOU" => None,
            _ => Some(files::listing(&verb)),
        };
        self.transfers += 1;
        let (way, peer) = match &self.channel {
            Channel::None | Channel::Asked(_) => {
                let reply = "425 say PASV, EPSV, PORT or EPRT first";
                let why = "nobody said how".to_owned();
                self.answer(command, reply, out);
                let transfer = Transfer {
                    connection: self.number,
                    at: self.at,
                    transfer: self.transfers,
                    verb,
                    name: name.to_owned(),
                    way: None,
                    peer: None,
                    from,
                    sent: 0,
                    came: 0,
                    fate: Fate::NotOpened(why),
                    reply: reply.to_owned(),
                };
                return out.tell(Seen::Transfer(Box::new(transfer)));
            }
            Channel::Listens(way) => (*way, None),
            Channel::Open(way, peer, ..) | Channel::Active(way, peer) => (*way, Some(*peer)),
        };
        let name = command.argument.clone();
        let reply = if verb == "STOU" { "150 FILE: upload" } else { "150 here it comes" };
        self.answer(command, reply, out);
        let patience = if self.does == Does::NoData { NOTHING } else { PATIENCE };
        let due = Some(self.at + patience);
        self.now = Some(Now { verb, name, bytes, way, peer, from, sent: 0, came: 0, due });
        match std::mem::replace(&mut self.channel, Channel::None) {
            Channel::Open(_, _, early, has_ended) => {
                self.begin(out);
                self.upload(&early, out);
                if has_ended {
                    self.end_of_data(out);
                }
            }
            Channel::Active(_, to) if self.does != Does::NoData => {
                out.todo.push(Do::Side(SideDo::Connect(to)));
            }
            _ => {}
        }
    }

    /// The data connection is there.
    fn begin(&mut self, out: &mut Out) {
        let Some(now) = &mut self.now else { return };
        now.due = None;
        let Some(bytes) = &now.bytes else { return };
        match self.does {
            Does::Slow => now.due = Some(self.at),
            Does::Reset if now.verb == "RETR" => {
                let half = bytes[..bytes.len() / 2].to_vec();
                now.sent = half.len();
                out.todo.push(Do::Side(SideDo::Send(half)));
                self.reset(out);
            }
            _ => {
                now.sent = bytes.len();
                out.todo.push(Do::Side(SideDo::Send(bytes.clone())));
                out.todo.push(Do::Side(SideDo::Close));
                self.over(Fate::Done, "226 that is all", out);
            }
        }
    }

    fn reset(&mut self, out: &mut Out) {
        out.todo.push(Do::Side(SideDo::Reset));
        let why = "the script reset it (RST)".to_owned();
        self.over(Fate::Broken(why), "426 the data connection is reset", out);
    }

    fn upload(&mut self, bytes: &[u8], out: &mut Out) {
        let transfer = self.transfers;
        let Some(now) = self.now.as_mut().filter(|now| now.bytes.is_none()) else { return };
        if bytes.is_empty() {
            return;
        }
        now.came += bytes.len() as u64;
        let bytes = bytes.to_vec();
        out.tell(Seen::Upload { connection: self.number, transfer, bytes });
        if self.does == Does::Reset {
            self.reset(out);
        }
    }

    /// The client sends no more by it.
    fn end_of_data(&mut self, out: &mut Out) {
        if self.now.as_ref().is_some_and(|now| now.bytes.is_none()) {
            out.todo.push(Do::Side(SideDo::Close));
            self.over(Fate::Done, "226 it came", out);
        }
    }

    pub(super) fn tick(&mut self, out: &mut Out) {
        let at = self.at;
        let Some(now) = self.now.as_mut().filter(|now| now.due.is_some_and(|due| due <= at)) else {
            return;
        };
        let is_open = self.does == Does::Slow && now.peer.is_some();
        let Some(bytes) = now.bytes.as_ref().filter(|_| is_open) else {
            out.todo.push(Do::Side(SideDo::Close));
            let why = match (self.does, now.way.is_passive()) {
                (Does::NoData, _) => "the script opens none".to_owned(),
                (_, true) => "nobody connected".to_owned(),
                (_, false) => "the client does not answer".to_owned(),
            };
            return self.over(Fate::NotOpened(why), "425 there is no data connection", out);
        };
        let some = bytes[now.sent..bytes.len().min(now.sent + SIP)].to_vec();
        now.sent += some.len();
        out.todo.push(Do::Side(SideDo::Send(some)));
        if now.sent == bytes.len() {
            out.todo.push(Do::Side(SideDo::Close));
            self.over(Fate::Done, "226 that is all", out);
        } else {
            now.due = Some(at + TICK);
        }
    }

    pub(super) fn abort(&mut self, command: Command, out: &mut Out) {
        if self.now.is_some() {
            out.todo.push(Do::Side(SideDo::Close));
            // RFC 959 §4.1.3: one reply for the transfer, one for the command.
            self.over(Fate::Aborted, "426 the transfer is aborted", out);
        }
        self.answer(command, "226 nothing is going on now", out);
    }

    /// A transfer is over.
    pub(super) fn over(&mut self, fate: Fate, reply: &str, out: &mut Out) {
        let Some(now) = self.now.take() else { return };
        if !reply.is_empty() {
            self.reply(reply, out);
        }
        out.tell(Seen::Transfer(Box::new(Transfer {
            connection: self.number,
            at: self.at,
            transfer: self.transfers,
            verb: now.verb,
            name: now.name,
            way: Some(now.way),
            peer: now.peer,
            from: now.from,
            sent: now.sent as u64,
            came: now.came,
            fate,
            reply: reply.to_owned(),
        })));
    }

    pub(super) fn side(&mut self, side: Side<'_>, out: &mut Out) {
        match side {
            Side::Listens(addr) => self.listens(addr, out),
            Side::Opened(peer) => {
                if let Some(now) = &mut self.now {
                    now.peer = Some(peer);
                    self.channel = Channel::None;
                    self.begin(out);
                } else if let Channel::Listens(way) = self.channel {
                    self.channel = Channel::Open(way, peer, Vec::new(), false);
                }
            }
            Side::Bytes(bytes) => {
                if self.now.is_some() {
                    self.upload(bytes, out);
                } else if let Channel::Open(_, _, early, _) = &mut self.channel {
                    let room = EARLY.saturating_sub(early.len()).min(bytes.len());
                    early.extend_from_slice(&bytes[..room]);
                }
            }
            Side::End => match &mut self.channel {
                Channel::Open(.., has_ended) if self.now.is_none() => *has_ended = true,
                _ => self.end_of_data(out),
            },
            Side::Failed(why) => {
                if let Some(command) = self.pending.take() {
                    self.channel = Channel::None;
                    self.answer(*command, &format!("425 no port can be opened: {why}"), out);
                } else {
                    let fate = Fate::NotOpened(why.to_owned());
                    self.over(fate, "425 there is no data connection", out);
                }
            }
            Side::Broken(why) => {
                let fate = Fate::Broken(why.to_owned());
                self.over(fate, "426 the data connection broke", out);
                self.channel = Channel::None;
            }
        }
    }

    /// If a port was told that nobody came to, that is said.
    pub(super) fn unused(&mut self, out: &mut Out) {
        if let Channel::Listens(way) = self.channel {
            let (connection, at) = (self.number, self.at);
            out.tell(Seen::Unused { connection, at, way });
        }
        self.channel = Channel::None;
    }

    /// Says which port it is.
    fn listens(&mut self, addr: SocketAddr, out: &mut Out) {
        let Some(command) = self.pending.take() else { return };
        let Channel::Asked(way) = self.channel else { return };
        self.channel = Channel::Listens(way);
        if self.does == Does::NoData {
            out.todo.push(Do::Side(SideDo::Close));
        }
        let reply = match (way, addr.ip().to_canonical()) {
            (Way::Epsv, _) => format!("229 connect to (|||{}|)", addr.port()),
            (_, IpAddr::V4(_)) if self.does == Does::BrokenPasv => {
                format!("227 connect to {}", commas(ELSEWHERE, addr.port()))
            }
            (_, IpAddr::V4(ip)) => format!("227 connect to {}", commas(ip, addr.port())),
            (_, IpAddr::V6(_)) => "425 PASV is for IPv4".to_owned(),
        };
        self.answer(*command, &reply, out);
    }
}
