//! An FTP server that says which commands came and what became of data connections (RFC 959, RFC 2428, RFC 3659).

mod address;
mod files;
mod line;
mod report;
pub(crate) mod schema;
mod session;

use std::net::SocketAddr;
use std::time::Duration;

use crate::machine::{Kind, Stream};
use crate::offer::{Asked, Made, Script, find, row, scripts};

/// What was seen.
#[derive(Clone, Debug)]
pub enum Seen {
    /// Somebody connected.
    Connected {
        /// The connection, from 1.
        connection: u64,
        /// Since the server began.
        at: Duration,
        /// Who.
        client: SocketAddr,
    },
    /// A command.
    Command(Box<Command>),
    /// A transfer is over, or there was none.
    Transfer(Box<Transfer>),
    /// A port was told, and nobody connected before another was, or the connection ended.
    Unused {
        /// The connection, from 1.
        connection: u64,
        /// Since the server began.
        at: Duration,
        /// How it was told.
        way: Way,
    },
    /// Bytes of an upload, for the folder of `--out`.
    Upload {
        /// The connection, from 1.
        connection: u64,
        /// The transfer, from 1 on its connection.
        transfer: u64,
        /// They.
        bytes: Vec<u8>,
    },
    /// A connection ended.
    Ended {
        /// The connection, from 1.
        connection: u64,
        /// Since the server began.
        at: Duration,
        /// How many commands came.
        commands: u64,
        /// Whether QUIT was the last.
        quit: bool,
        /// How, in words.
        how: String,
    },
}

/// A command as it came.
#[derive(Clone, Debug)]
pub struct Command {
    /// The connection, from 1.
    pub connection: u64,
    /// Since the server began.
    pub at: Duration,
    /// Its number on its connection, from 1.
    pub number: u64,
    /// In capitals.
    pub verb: String,
    /// Behind the verb; a password is not here.
    pub argument: String,
    /// Whether urgent data was announced (RFC 959 §4.1.3).
    pub urgent: bool,
    /// Telnet commands before it, such as IP and DM.
    pub telnet: Vec<&'static str>,
    /// What is odd about it.
    pub odd: Option<&'static str>,
    /// The reply, its last line; none if there is none yet.
    pub reply: Option<String>,
}

/// How a data connection is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// The client connects, told by 227.
    Pasv,
    /// The client connects, told by 229.
    Epsv,
    /// The server connects.
    Port,
    /// The server connects, by IPv6 too.
    Eprt,
}

impl Way {
    /// As a command.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pasv => "PASV",
            Self::Epsv => "EPSV",
            Self::Port => "PORT",
            Self::Eprt => "EPRT",
        }
    }

    /// Whether it is the client that connects.
    pub fn is_passive(self) -> bool {
        matches!(self, Self::Pasv | Self::Epsv)
    }
}

/// What became of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// All of it went.
    Done,
    /// There was no data connection, and why.
    NotOpened(String),
    /// It broke off, and why.
    Broken(String),
    /// The client aborted it.
    Aborted,
}

/// A transfer.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// The connection, from 1.
    pub connection: u64,
    /// Since the server began.
    pub at: Duration,
    /// Its number on its connection, from 1.
    pub transfer: u64,
    /// The verb: `RETR`, `LIST`, `STOR`.
    pub verb: String,
    /// What of.
    pub name: String,
    /// How the data connection is opened; none if nobody said.
    pub way: Option<Way>,
    /// Its other end.
    pub peer: Option<SocketAddr>,
    /// Where it began (REST).
    pub from: u64,
    /// Bytes that were sent.
    pub sent: u64,
    /// Bytes that came.
    pub came: u64,
    /// What became of it.
    pub fate: Fate,
    /// The reply at its end.
    pub reply: String,
}

/// What a script does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Usual,
    Slow,
    Old,
    BrokenPasv,
    NoData,
    Multiline,
    Reset,
}

const ROWS: &[(Script, Does)] = &[
    row("usual", "does what clients expect of a server", Does::Usual),
    row("slow", "sends 16 bytes of data ten times a second", Does::Slow),
    row("old", "500 to EPSV, EPRT, MLSD, REST and whatever else came after RFC 959", Does::Old),
    row(
        "broken-pasv",
        "227 with an address that is not its own (127.255.255.254), 500 to EPSV",
        Does::BrokenPasv,
    ),
    row("no-data", "never opens a data connection, nor lets one be opened; 425", Does::NoData),
    row("multiline", "each reply in three lines, of which one looks like its end", Does::Multiline),
    row("reset", "resets the data connection in the middle of a file (RST); 426", Does::Reset),
];

/// Its scripts.
pub const SCRIPTS: [Script; ROWS.len()] = scripts(ROWS);

/// The kind.
#[derive(Debug)]
struct Ftp(Does);

impl Kind for Ftp {
    fn stream(&mut self, number: u64) -> Option<Box<dyn Stream>> {
        Some(Box::new(session::Session::new(number, self.0)))
    }
}

/// Makes one.
pub fn make(asked: &Asked) -> Result<Made, String> {
    let does = find(ROWS, &asked.script)?;
    Ok(Made {
        kind: Box::new(Ftp(*does)),
        witness: Box::new(report::Report::default()),
        url: |addr| format!("ftp://{addr}/"),
        ca: None,
    })
}

#[cfg(test)]
mod tests;
