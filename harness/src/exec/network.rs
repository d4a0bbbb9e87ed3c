//! What the executor asks of a lab, whichever system builds it.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use crate::case::lab::{Lab, LabOp};
use crate::darwin::down::StandIn;
use crate::trace::{Direction, LinkFact};

/// A lab that stands: an isolated network with its links, in the state that its [`Lab`] describes.
pub(super) trait Network {
    /// The lab that this is.
    fn spec(&self) -> &Lab;
    /// The files by which names are resolved; none until they have been asked for.
    fn files(&self) -> Option<Arc<OwnedFd>>;
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
    /// Hands over each frame that was sent since the last time, and each that the far ends sent
    /// in answer, until there are no more.
    fn drain(&mut self, seen: &mut dyn FnMut(&str, Direction, &[u8]));
    /// Brings the network back to the state that its [`Lab`] describes, after a case that took
    /// steps of its own (`changed`) or none. False: it cannot be, and has to be built anew.
    fn restore(&mut self, changed: bool) -> Result<bool, String>;
}
