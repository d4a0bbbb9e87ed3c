//! What the executor asks of a lab, whichever system builds it.

use std::net::IpAddr;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use super::os::Files;
use crate::case::Case;
use crate::case::lab::{Lab, LabOp};
use crate::darwin::down::StandIn;
use crate::trace::{Beyond, Direction, LinkFact};

/// Where a call may send to.
#[allow(dead_code, reason = "a lab that has a network of its own looks at none of it")]
pub(super) struct Reach {
    /// The socket's descriptor.
    pub fd: RawFd,
    /// To whom.
    pub to: IpAddr,
    /// `sin6_scope_id`, 0 for none.
    pub scope: u32,
    /// Whether it is a group that the socket joins or leaves on whatever interface the kernel chooses.
    pub joins: bool,
}

/// The TCP sockets of a lab's network that no descriptor has any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LeftBehind {
    /// Which may send by themselves: what they have sent is not acknowledged.
    pub live: u32,
    /// In TIME-WAIT, which keep their ports.
    pub waiting: u32,
}

/// A frame as the kernel saw it pass.
#[allow(dead_code, reason = "made where a lab can capture")]
pub(super) struct Seen<'b> {
    /// When, in nanoseconds since 1970.
    pub at_ns: u64,
    /// On which link.
    pub link: &'b str,
    /// Which way.
    pub dir: Direction,
    /// From its first byte.
    pub bytes: &'b [u8],
}

/// Who sees every frame of a network, those of links that a program makes itself too.
pub(super) trait Capture {
    /// Hands over what is there.
    fn frames(&mut self, seen: &mut dyn FnMut(Seen<'_>));
    /// Hands over all that has passed until now.
    fn last(&mut self, seen: &mut dyn FnMut(Seen<'_>));
    /// How many frames it had no room for.
    fn lost(&mut self) -> u64;
    /// The links that are none of the lab's.
    fn others(&self) -> Vec<LinkFact>;
    /// What can be read when there is something.
    fn fd(&self) -> BorrowedFd<'_>;
}

/// A lab that stands: an isolated network with its links, in the state that its [`Lab`] describes.
pub(super) trait Network {
    /// The lab that this is.
    fn spec(&self) -> &Lab;
    /// The files by which names are resolved; none until they have been asked for.
    fn files(&self) -> Option<Arc<Files>>;
    /// Its links, `lo` first.
    fn facts(&self) -> &[LinkFact];
    /// What the kernel calls a link: what the case calls it, where a lab can give names.
    fn interface(&self, link: &str) -> String {
        link.to_owned()
    }
    /// The host's own interface that stands for a link, where the lab could make none.
    fn stand_in(&self) -> Option<&StandIn> {
        None
    }
    /// The case begins. What of the lab depends on it is set; an error is one sentence.
    fn begin(&mut self, _: &Case) -> Result<(), String> {
        Ok(())
    }
    /// Whether it shares the host's own network, so that [`Network::leaves`] has to be asked.
    fn is_shared(&self) -> bool {
        false
    }
    /// Why a step must not be taken: what it sends would leave by an interface that the lab did not
    /// make. `fd` is the socket's. Where a lab has a network of its own nothing can.
    fn leaves(&mut self, _: &Reach) -> Option<String> {
        None
    }
    /// What was looked at so that nothing leaves by an interface that the lab did not make, where the
    /// lab has no network of its own.
    fn beyond(&self) -> Option<Beyond> {
        None
    }
    /// Why what was seen in the case cannot be believed, or must stop all.
    fn broken(&mut self) -> Option<String> {
        None
    }
    /// Why what just happened in it says nothing, where others than the case may change it.
    fn spoilt(&self) -> Option<String> {
        None
    }
    /// Takes one step.
    fn step(&mut self, step: &LabOp) -> Result<(), String>;
    /// Waits until the host has dealt with what it has sent to itself, as far as that can be told.
    fn settle(&mut self) {}
    /// Waits until there may be a frame to hand over, until `done` can be read, or not long.
    fn watch(&self, _done: BorrowedFd<'_>) {
        std::thread::sleep(Duration::from_micros(100));
    }
    /// Lets far ends answer what is there, for a while: a program that sends without end is not waited for.
    fn pump(&mut self) {
        self.drain(&mut |_, _, _| ());
    }
    /// Begins to see every frame; none where a lab cannot, and [`Network::drain`] shows what there is.
    ///
    /// # Errors
    /// One sentence.
    fn capture(&mut self) -> Result<Option<Box<dyn Capture>>, String> {
        Ok(None)
    }
    /// How many frames a link's far end never got, since they came faster than it read.
    fn dropped(&self) -> u64 {
        0
    }
    /// The files that a program of the user's sees, by which names are resolved in the lab; none where
    /// it sees the host's.
    ///
    /// # Errors
    /// One sentence.
    fn program_files(&mut self) -> Result<Option<Arc<Files>>, String> {
        Ok(None)
    }
    /// Hands over each frame that was sent since the last time, and each that the far ends sent
    /// in answer, until there are no more.
    fn drain(&mut self, seen: &mut dyn FnMut(&str, Direction, &[u8]));
    /// What far ends saw that speak a protocol, a line each, and what it came to; their connections end.
    fn served(&mut self) -> Vec<String> {
        Vec::new()
    }
    /// The certificates that clients of theirs are to trust, as PEM.
    fn authorities(&self) -> String {
        String::new()
    }
    /// What connections are there when the case's sockets are closed, where the system says so.
    fn left_behind(&mut self) -> LeftBehind {
        LeftBehind::default()
    }
    /// Brings the network back to the state that its [`Lab`] describes, after a case that took
    /// steps of its own (`changed`) or none. False: it cannot be, and has to be built anew.
    fn restore(&mut self, changed: bool) -> Result<bool, String>;
}

#[cfg(test)]
pub(super) mod fake;
