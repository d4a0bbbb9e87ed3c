//! A port of UDP that says how each datagram came, and what is missing of those that are numbered.

mod numbers;
mod report;
pub(crate) mod schema;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use nix::net::if_::if_nameindex;
pub use report::Report;

use crate::machine::{About, Datagram, Datagrams, Group, Kind, Out, Reply};
use crate::offer::{Asked, Made, Script, find, row, scripts};

/// How late `echo-slow` is.
const SLOW: Duration = Duration::from_secs(2);
/// How many echoes may wait for their time, and how many bytes they may have.
const WAITING: (usize, usize) = (1024, 4 << 20);

const ROWS: &[(Script, Said)] = &[
    row("count", "nothing is answered", Said::Nothing),
    row("echo", "each datagram is sent back, from the address that it came to", Said::Echo),
    row("echo-slow", "the same, 2 s late", Said::EchoLater),
    row(
        "refuse",
        "the port is closed once a datagram came: the kernel refuses others (ICMP port unreachable)",
        Said::Closed,
    ),
];

/// Every script; the first is the default.
pub const SCRIPTS: [Script; ROWS.len()] = scripts(ROWS);

/// What was seen: a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its number, from 1.
    pub number: u64,
    /// When it was read.
    pub at: Duration,
    /// Where it came to; a group's address if that is where it was sent.
    pub local: SocketAddr,
    /// From whom.
    pub peer: SocketAddr,
    /// What is in it.
    pub data: Vec<u8>,
    /// What the kernel told of it.
    pub about: About,
    /// What was done about it.
    pub said: Said,
}

/// What was done about a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Nothing.
    Nothing,
    /// It was sent back.
    Echo,
    /// It is sent back after 2 s.
    EchoLater,
    /// It is not, since too many wait for that.
    Full,
    /// The port was closed.
    Closed,
}

/// Makes the server.
pub fn make(asked: &Asked) -> Result<Made, String> {
    let said = *find(ROWS, &asked.script)?;
    let groups: Vec<Group> = asked.groups.iter().map(|g| group(g)).collect::<Result<_, _>>()?;
    // They do not change often, and whoever has no name is told by its number.
    let interfaces = if_nameindex().map(|all| {
        let name = |name: &std::ffi::CStr| name.to_string_lossy().into_owned();
        all.iter().map(|one| (one.index(), name(one.name()))).collect()
    });
    let report = Report::new(groups.clone(), interfaces.unwrap_or_default());
    Ok(Made {
        kind: Box::new(Server { said, groups }),
        witness: Box::new(report),
        url: |addr| format!("udp://{addr}"),
        ca: None,
    })
}

/// "239.1.1.1%lo" as a group.
fn group(text: &str) -> Result<Group, String> {
    let (addr, interface) = match text.split_once('%') {
        Some((addr, name)) => (addr, Some(name.to_owned())),
        None => (text, None),
    };
    let parsed: Option<IpAddr> = addr.parse().ok().filter(IpAddr::is_multicast);
    match parsed {
        Some(addr) if interface.as_deref() != Some("") => Ok(Group { addr, interface }),
        _ => Err(format!(
            "{text:?} is no group: an address in 224.0.0.0/4 or ff00::/8, behind which %INTERFACE may stand"
        )),
    }
}

/// The kind.
#[derive(Debug)]
struct Server {
    said: Said,
    groups: Vec<Group>,
}

impl Kind for Server {
    fn has_streams(&self) -> bool {
        false
    }

    fn datagrams(&mut self) -> Option<Box<dyn Datagrams>> {
        let (waiting, number, bytes) = (VecDeque::new(), 0, 0);
        Some(Box::new(Machine { said: self.said, number, waiting, bytes }))
    }

    fn groups(&self) -> Vec<Group> {
        self.groups.clone()
    }
}

/// All datagrams, and the echoes whose time has not come.
#[derive(Debug)]
struct Machine {
    said: Said,
    number: u64,
    waiting: VecDeque<(Duration, Reply)>,
    /// How many bytes those have.
    bytes: usize,
}

impl Datagrams for Machine {
    fn input(&mut self, datagram: &Datagram<'_>, at: Duration, out: &mut Out) {
        let Datagram { local, peer, data, about } = *datagram;
        self.number += 1;
        let is_full = self.waiting.len() >= WAITING.0 || self.bytes + data.len() > WAITING.1;
        let said = match self.said {
            // It would answer itself, and never end.
            Said::Echo | Said::EchoLater if local == peer => Said::Nothing,
            Said::EchoLater if is_full => Said::Full,
            said => said,
        };
        let reply = || Reply { local, peer, data: data.to_vec() };
        match said {
            Said::Echo => out.datagrams.push(reply()),
            Said::EchoLater => {
                self.bytes += data.len();
                self.waiting.push_back((at + SLOW, reply()));
            }
            Said::Closed => out.closes_port = true,
            Said::Nothing | Said::Full => {}
        }
        let data = data.to_vec();
        out.tell(Seen { number: self.number, at, local, peer, data, about, said });
    }

    fn time(&mut self, at: Duration, out: &mut Out) {
        while let Some((_, reply)) = self.waiting.pop_front_if(|(when, _)| *when <= at) {
            self.bytes -= reply.data.len();
            out.datagrams.push(reply);
        }
    }

    fn wakes(&self) -> Option<Duration> {
        self.waiting.front().map(|(when, _)| *when)
    }
}

#[cfg(test)]
mod tests;
