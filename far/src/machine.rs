//! What a protocol is to whoever drives it: input in, what is to be done and what was seen out.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::witness::Seen;

/// A kind of server: one machine for each connection, one for all datagrams. What its machines know together,
/// such as how many requests came, it gives them when it makes them.
pub trait Kind: Send {
    /// The machine of a connection that was accepted, `number` from 1; none where it serves no TCP.
    fn stream(&mut self, _number: u64) -> Option<Box<dyn Stream>> {
        None
    }

    /// Whether it serves TCP.
    fn has_streams(&self) -> bool {
        true
    }

    /// The machine of its datagrams, asked for once; none where it serves no UDP.
    fn datagrams(&mut self) -> Option<Box<dyn Datagrams>> {
        None
    }

    /// The groups whose datagrams it wants, at the port where it serves.
    fn groups(&self) -> Vec<Group> {
        Vec::new()
    }
}

/// A multicast group, of one interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its address.
    pub addr: IpAddr,
    /// The interface's name; without one the kernel chooses by its routes.
    pub interface: Option<String>,
}

/// One connection.
pub trait Stream: Send {
    /// Something happened, `at` being the time since the server began. Whatever came, it does not panic, and its
    /// time is linear in what came.
    fn input(&mut self, what: Input<'_>, at: Duration, out: &mut Out);

    /// When it wants [`Input::Time`], if nothing else happens before.
    fn wakes(&self) -> Option<Duration> {
        None
    }

    /// How many bytes it takes at once now; with 0 nothing is read until that changes.
    fn room(&self) -> usize {
        usize::MAX
    }

    /// Whether its peer may still say something that matters: a server that ends waits a moment for such.
    fn is_busy(&self) -> bool {
        true
    }
}

/// All datagrams of a server.
pub trait Datagrams: Send {
    /// One came.
    fn input(&mut self, datagram: &Datagram<'_>, at: Duration, out: &mut Out);

    /// The time is there that [`Self::wakes`] told.
    fn time(&mut self, _at: Duration, _out: &mut Out) {}

    /// When it wants [`Self::time`].
    fn wakes(&self) -> Option<Duration> {
        None
    }

    /// The server ends: what is unfinished is said now.
    fn stops(&mut self, _at: Duration, _out: &mut Out) {}
}

/// What happens to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// It is there. First of all, and once.
    Opened {
        /// Our end.
        local: SocketAddr,
        /// The other.
        peer: SocketAddr,
    },
    /// Bytes came.
    Bytes(&'a [u8]),
    /// Urgent data is on its way, or came (RFC 9293 §3.8.5); the byte itself is in the stream.
    Urgent,
    /// The peer sends no more (FIN).
    End,
    /// It is gone, and why: a reset, say. The last of all.
    Broken(&'a str),
    /// The time is there that [`Stream::wakes`] told.
    Time,
    /// Of its second connection.
    Side(Side<'a>),
    /// The server ends, and so does the connection: what is unfinished is said now. The last of all.
    Stops,
}

/// What happens to the second connection of one, which it asked for ([`Do::Side`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side<'a> {
    /// It listens there.
    Listens(SocketAddr),
    /// It is there, and whose the other end is.
    Opened(SocketAddr),
    /// There will be none, and why.
    Failed(&'a str),
    /// Bytes came.
    Bytes(&'a [u8]),
    /// The peer sends no more.
    End,
    /// It is gone, and why.
    Broken(&'a str),
}

/// What a machine wants done, in order, and what it saw.
#[derive(Debug, Default)]
pub struct Out {
    /// Of its connection.
    pub todo: Vec<Do>,
    /// Datagrams to be sent.
    pub datagrams: Vec<Reply>,
    /// That once they are sent the port of datagrams is closed: what comes then, the kernel refuses (RFC 1122 §4.1.3.1).
    pub closes_port: bool,
    /// What it saw.
    pub seen: Vec<Seen>,
}

impl Out {
    /// Sends bytes.
    pub fn send(&mut self, bytes: impl Into<Vec<u8>>) {
        self.todo.push(Do::Send(bytes.into()));
    }

    /// Tells what was seen.
    pub fn tell(&mut self, seen: impl Into<Seen>) {
        self.seen.push(seen.into());
    }
}

/// What is done with a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Do {
    /// Bytes are sent.
    Send(Vec<u8>),
    /// Behind them nothing more is sent (`shutdown(SHUT_WR)`).
    Shutdown,
    /// Once all is sent it is closed; a reset where something is unread (RFC 9293 §3.10.4).
    Close,
    /// It is reset at once (`SO_LINGER` 0).
    Reset,
    /// It is kept, and nothing more is read or sent: as if who was there had gone without a word.
    Vanish,
    /// Its second connection.
    Side(SideDo),
}

/// What is done with a second connection. There is one at a time: a new one ends the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SideDo {
    /// It is opened.
    Connect(SocketAddr),
    /// A port is opened, at the address that the first one came to, for one connection of the same peer.
    Listen,
    /// Bytes are sent by it.
    Send(Vec<u8>),
    /// Nothing more is sent.
    Shutdown,
    /// It is closed once all is sent.
    Close,
    /// It is reset.
    Reset,
}

/// A datagram as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Where it came to; the address of the datagram where the kernel tells it, the server's own otherwise.
    pub local: SocketAddr,
    /// Who sent it.
    pub peer: SocketAddr,
    /// What is in it.
    pub data: &'a [u8],
    /// What the kernel told of it.
    pub about: About,
}

/// What a kernel tells of a datagram, where it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// TTL or hop limit (`IP_RECVTTL`, `IPV6_RECVHOPLIMIT`).
    pub ttl: Option<u8>,
    /// Type of service or traffic class (`IP_RECVTOS`, `IPV6_RECVTCLASS`); its last two bits are ECN (RFC 3168 §5).
    pub tos: Option<u8>,
    /// The interface's index (`IP_PKTINFO`, `IPV6_RECVPKTINFO`).
    pub interface: Option<u32>,
    /// The largest fragment that it came in, in bytes with its header (`IP_RECVFRAGSIZE`, Linux); none if it came whole.
    pub fragment: Option<u32>,
    /// Whether the kernel tells of fragments at all; if not, [`Self::fragment`] says nothing.
    pub tells_fragments: bool,
    /// How long it was, if that is longer than what of it is here (`MSG_TRUNC`).
    pub cut: Option<u32>,
    /// How many had no room in the socket's buffer until now (`SO_RXQ_OVFL`, Linux).
    pub lost: Option<u32>,
}

/// A datagram to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// From which address of ours; the port is the server's.
    pub local: SocketAddr,
    /// To whom.
    pub peer: SocketAddr,
    /// What.
    pub data: Vec<u8>,
}

/// Of tests: a whole connection to that port, which is opened, has these inputs, and is there when the server stops.
/// [`Input::Time`] comes when it wakes.
#[cfg(test)]
pub(crate) fn whole(
    stream: &mut dyn Stream,
    port: u16,
    inputs: &[Input<'_>],
    mut each: impl FnMut(Out),
) {
    let [local, peer] = [port, 50_000].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let opened = Input::Opened { local, peer };
    let mut at = Duration::ZERO;
    for input in [&opened].into_iter().chain(inputs).chain([&Input::Stops]) {
        if *input == Input::Time {
            at = stream.wakes().unwrap_or(at);
        }
        let mut out = Out::default();
        stream.input(*input, at, &mut out);
        each(out);
    }
}
