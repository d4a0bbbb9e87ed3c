//! What becomes of a connection that is idle, whatever is spoken on it: a server that closes it, a middlebox that
//! forgets it. It stands between the wire and a machine, which knows nothing of it.

mod report;
pub(crate) mod schema;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::machine::{Datagrams, Do, Group, Input, Kind, Out, Stream};
use crate::offer::Made;
use crate::witness::Witness;

/// How long a connection is idle before it is ended.
pub const IDLE: Duration = Duration::from_millis(200);
/// How much is kept of what was lost and is looked for again, in bytes, and of how many connections.
const KEPT: usize = 1 << 10;
const MOST_LOST: usize = 64;

/// What happens to a connection on which something was answered, once nothing more comes for [`IDLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It is closed (FIN); what comes then is answered by a reset, as by any closed socket.
    Close,
    /// It is reset (RST).
    Reset,
    /// Nothing more is said on it, ever, whatever comes.
    Vanish,
    /// Nothing is said until something comes, which is answered by a reset: a NAT or a firewall forgot it.
    Forget,
}

/// All of them: their names, and what they do.
pub const THENS: [(&str, Then, &str); 4] = [
    ("close", Then::Close, "close it (FIN)"),
    ("reset", Then::Reset, "reset it (RST)"),
    ("vanish", Then::Vanish, "say nothing more on it, ever"),
    (
        "forget",
        Then::Forget,
        "say nothing until something comes, then reset it, as a NAT that forgot it",
    ),
];

/// What was seen of connections that are ended when idle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its number, from 1.
    pub connection: u64,
    /// When, since the server began.
    pub at: Duration,
    /// What.
    pub what: What,
}

/// What was seen of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It is there. Beside it, which one of the same peer had been ended last, if it is the first since then.
    Opened(Option<u64>),
    /// It was idle, and this was done.
    Idle(Then),
    /// So many bytes came after that, and nobody reads them.
    Lost {
        /// How many.
        bytes: usize,
        /// A record of encrypted data (RFC 8446 §5.1), of which nobody knows whether it comes again.
        is_encrypted: bool,
    },
    /// The same bytes came on this connection that were lost on another.
    Again(u64),
    /// The client ended it, too.
    Left,
}

/// The same server, on whose idle connections that is done, and who tells of it.
pub fn wrap(made: Made, then: Then) -> Made {
    let kind = Idle { inner: made.kind, then, shared: Arc::default() };
    let witness: Box<dyn Witness> = Box::new(report::Teller::new(made.witness, then));
    Made { kind: Box::new(kind), witness, ..made }
}

struct Idle {
    inner: Box<dyn Kind>,
    then: Then,
    shared: Arc<Mutex<Shared>>,
}

/// What the connections of a server know together.
#[derive(Debug, Default)]
struct Shared {
    /// Which was ended last, of which peer, whose next has not come yet.
    ended: Vec<(IpAddr, u64)>,
    /// What was lost on which connection, as far as it is kept, and was not seen again.
    lost: Vec<(u64, Vec<u8>)>,
}

impl Kind for Idle {
    fn stream(&mut self, number: u64) -> Option<Box<dyn Stream>> {
        let inner = self.inner.stream(number)?;
        let (then, shared) = (self.then, Arc::clone(&self.shared));
        let (peer, state, came) = (None, State::Quiet, Vec::new());
        Some(Box::new(Watched { inner, then, shared, number, peer, state, came }))
    }

    fn has_streams(&self) -> bool {
        self.inner.has_streams()
    }

    fn datagrams(&mut self) -> Option<Box<dyn Datagrams>> {
        self.inner.datagrams()
    }

    fn groups(&self) -> Vec<Group> {
        self.inner.groups()
    }
}

/// A connection and its machine.
struct Watched {
    inner: Box<dyn Stream>,
    then: Then,
    shared: Arc<Mutex<Shared>>,
    number: u64,
    peer: Option<IpAddr>,
    state: State,
    /// What came since something was last answered, as far as it is compared.
    came: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing came yet, or nothing was answered to what came last.
    Quiet,
    /// Something was answered; since when it is idle.
    Answered(Duration),
    /// It was ended, and what comes is lost.
    Ended,
    /// Its machine has ended it, or nothing more can come.
    Over,
    /// It was ended here, and nothing more can come.
    Gone,
}

impl Stream for Watched {
    fn input(&mut self, what: Input<'_>, at: Duration, out: &mut Out) {
        match self.state {
            State::Ended => self.is_late(what, at, out),
            State::Gone => {}
            State::Answered(since) if what == Input::Time && since + IDLE <= at => {
                self.ends(at, out);
            }
            _ => self.hands_on(what, at, out),
        }
    }

    fn wakes(&self) -> Option<Duration> {
        match self.state {
            State::Ended | State::Gone => None,
            State::Answered(since) => {
                Some(self.inner.wakes().map_or(since + IDLE, |when| when.min(since + IDLE)))
            }
            State::Quiet | State::Over => self.inner.wakes(),
        }
    }

    fn room(&self) -> usize {
        if matches!(self.state, State::Ended | State::Gone) {
            usize::MAX
        } else {
            self.inner.room()
        }
    }

    fn is_busy(&self) -> bool {
        !matches!(self.state, State::Ended | State::Gone) && self.inner.is_busy()
    }
}

impl Watched {
    fn tell(&self, what: What, at: Duration, out: &mut Out) {
        out.tell(Seen { connection: self.number, at, what });
    }

    fn shared(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The machine has it.
    fn hands_on(&mut self, what: Input<'_>, at: Duration, out: &mut Out) {
        match what {
            Input::Opened { peer, .. } => {
                self.peer = Some(peer.ip());
                let mut shared = self.shared();
                let place = shared.ended.iter().position(|(ip, _)| *ip == peer.ip());
                let after = place.map(|place| shared.ended.swap_remove(place).1);
                drop(shared);
                self.tell(What::Opened(after), at, out);
            }
            Input::Bytes(bytes) => {
                if !bytes.is_empty() && self.state != State::Over {
                    self.state = State::Quiet;
                }
                self.looks_for_what_was_lost(bytes, at, out);
            }
            _ => {}
        }
        let before = out.todo.len();
        self.inner.input(what, at, out);
        let now = &out.todo[before..];
        let ends = |todo: &Do| matches!(todo, Do::Shutdown | Do::Close | Do::Reset | Do::Vanish);
        if self.state == State::Over
            || now.iter().any(ends)
            || matches!(what, Input::End | Input::Broken(_) | Input::Stops)
        {
            self.state = State::Over;
        } else if now.iter().any(|todo| matches!(todo, Do::Send(_))) {
            // A greeting answers nothing.
            if !self.came.is_empty() {
                self.state = State::Answered(at);
            }
        }
        if matches!(self.state, State::Answered(_)) {
            self.came.clear();
            self.came.shrink_to(KEPT);
        }
    }

    /// What was lost on another connection may come again.
    fn looks_for_what_was_lost(&mut self, bytes: &[u8], at: Duration, out: &mut Out) {
        let had = self.came.len();
        self.came.extend_from_slice(&bytes[..bytes.len().min(KEPT - had.min(KEPT))]);
        if self.came.len() == had {
            return;
        }
        let mut shared = self.shared();
        let is_it = |lost: &[u8]| lost.len() > had && self.came.starts_with(lost);
        let place = shared.lost.iter().position(|(_, lost)| is_it(lost));
        let again = place.map(|place| shared.lost.remove(place).0);
        drop(shared);
        if let Some(of) = again {
            self.tell(What::Again(of), at, out);
        }
    }

    /// It is idle.
    fn ends(&mut self, at: Duration, out: &mut Out) {
        // To its machine the connection is over: what was unfinished is told.
        let mut last = Out::default();
        self.inner.input(Input::Stops, at, &mut last);
        out.seen.append(&mut last.seen);
        self.tell(What::Idle(self.then), at, out);
        self.state = State::Ended;
        match self.then {
            // It goes on reading, else nobody would know what is lost.
            Then::Close => out.todo.push(Do::Shutdown),
            Then::Reset => self.resets(out),
            Then::Vanish | Then::Forget => {}
        }
        if let Some(peer) = self.peer {
            let number = self.number;
            let mut shared = self.shared();
            shared.ended.retain(|(ip, _)| *ip != peer);
            shared.ended.push((peer, number));
            if shared.ended.len() > MOST_LOST {
                shared.ended.remove(0);
            }
        }
    }

    fn resets(&mut self, out: &mut Out) {
        out.todo.push(Do::Reset);
        self.state = State::Gone;
    }

    /// Something happens on a connection that was ended.
    fn is_late(&mut self, what: Input<'_>, at: Duration, out: &mut Out) {
        match what {
            Input::Bytes(bytes) => {
                let is_encrypted = bytes.starts_with(&[0x17, 0x03]);
                self.tell(What::Lost { bytes: bytes.len(), is_encrypted }, at, out);
                let number = self.number;
                let mut shared = self.shared();
                let is_known = shared.lost.iter().any(|(of, _)| *of == number);
                if !is_known && shared.lost.len() < MOST_LOST {
                    shared.lost.push((number, bytes[..bytes.len().min(KEPT)].to_vec()));
                }
                drop(shared);
                if self.then != Then::Vanish {
                    self.resets(out);
                }
            }
            Input::End => {
                self.tell(What::Left, at, out);
                match self.then {
                    Then::Close => {
                        out.todo.push(Do::Close);
                        self.state = State::Gone;
                    }
                    Then::Forget => self.resets(out),
                    Then::Reset | Then::Vanish => {}
                }
            }
            Input::Broken(_) => {
                self.tell(What::Left, at, out);
                self.state = State::Gone;
            }
            _ => {}
        }
    }
}
