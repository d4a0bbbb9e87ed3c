//! The sockets of a case: by which descriptors they go in the log, what they are called, what is known of them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::far::Far;

/// A socket of the case.
#[derive(Clone, Debug)]
pub(super) struct Socket {
    /// What it is called in the case.
    pub(super) name: String,
    /// Its family, `AF_INET`.
    pub(super) family: String,
    /// Its type, `SOCK_STREAM`.
    pub(super) kind: String,
    /// Why calls on it cannot be said any more.
    pub(super) lost: Option<&'static str>,
    /// By how many descriptors it goes.
    pub(super) open: usize,
    /// Whether it was bound to a port that the program named.
    pub(super) bound: bool,
    /// Whether it has a port by now, whoever chose it.
    pub(super) has_port: bool,
    /// The listener that it was accepted from.
    pub(super) of: Option<usize>,
    /// Whether its peer has closed.
    pub(super) is_ended: bool,
    /// Whom it is connected to.
    pub(super) peer: Option<(IpAddr, u16)>,
    /// What its peer does, if that is another host.
    pub(super) far: Far,
    /// How many bytes have been sent to it, or of a socket of datagrams how many of those, that it has only looked
    /// at (`MSG_PEEK`) or is about to receive.
    pub(super) there: usize,
}

impl Socket {
    pub(super) fn is_stream(&self) -> bool {
        self.kind == "SOCK_STREAM"
    }
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Sockets {
    pub(super) all: Vec<Socket>,
    open: HashMap<i64, usize>,
    names: HashMap<&'static str, u32>,
}

impl Sockets {
    /// Makes one that goes by no descriptor yet.
    pub(super) fn make(&mut self, letter: &'static str, family: &str, kind: &str) -> usize {
        let number = self.names.entry(letter).or_default();
        *number += 1;
        let name = if *number == 1 { letter.to_owned() } else { format!("{letter}{number}") };
        self.all.push(Socket {
            name,
            family: family.to_owned(),
            kind: kind.to_owned(),
            lost: None,
            open: 0,
            bound: false,
            has_port: false,
            is_ended: false,
            of: None,
            peer: None,
            far: Far::default(),
            there: 0,
        });
        self.all.len() - 1
    }

    /// From here on the descriptor is that socket's.
    pub(super) fn opens(&mut self, fd: i64, socket: usize) {
        self.closes(fd);
        self.open.insert(fd, socket);
        self.all[socket].open += 1;
    }

    /// The descriptor is nobody's any more; the socket that it was, if it was one.
    pub(super) fn closes(&mut self, fd: i64) -> Option<usize> {
        let socket = self.open.remove(&fd)?;
        self.all[socket].open -= 1;
        Some(socket)
    }

    /// Whose descriptor it is.
    pub(super) fn of(&self, fd: i64) -> Option<usize> {
        self.open.get(&fd).copied()
    }

    /// The descriptors of a range that are sockets, in order.
    pub(super) fn within(&self, range: &RangeInclusive<i64>) -> Vec<(i64, usize)> {
        let all = self.open.iter().map(|(fd, socket)| (*fd, *socket));
        let mut all: Vec<_> = all.filter(|(fd, _)| range.contains(fd)).collect();
        all.sort_unstable();
        all
    }

    /// What it is called, or its number.
    pub(super) fn shown(&self, fd: i64) -> String {
        self.of(fd).map_or_else(|| fd.to_string(), |socket| self.all[socket].name.clone())
    }
}

/// What a first reading of the log has learned of each socket, by its number.
#[derive(Clone, Debug, Default)]
pub(super) struct Learned {
    /// Its own port.
    pub(super) port: Option<u16>,
    /// Whether the host that it connected to refused.
    pub(super) refused: bool,
    /// Whether its server does something else than on the first connection to the same port.
    pub(super) differs: bool,
}
