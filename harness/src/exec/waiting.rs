//! Calls that have begun: what they give, and those of a case's threads that have not returned.

use std::cell::RefCell;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use super::gave::{Fault, Returned};
use super::runner::Runner;
use super::sockaddr::RawAddr;
use super::worker::{Making, Worker};
use super::{calls, received};
use crate::case::Op;
use crate::case::addr::SockAddr;

/// How long a thread has for its interrupted call to return.
pub(super) const GOES: Duration = Duration::from_secs(10);

/// A call that is ready to be made.
pub(super) type Call = Box<dyn FnOnce() -> Made + Send>;

/// What a call gave, as the kernel left it.
pub(super) enum Made {
    Plain(Returned),
    Accepted(Returned, RawAddr),
    Received(calls::Received, Vec<u8>, RawAddr),
    Polled(Returned, Vec<libc::pollfd>),
    /// One that is told by who knows the case, and the descriptors that came with it.
    Other(Told, Vec<RawFd>),
}

/// What is to be told of a call that has returned.
pub(super) type Told = Box<dyn FnOnce(&mut Runner<'_>) -> super::gave::Gave + Send>;

impl Made {
    /// What it brought beside what a step asked for, and a socket that no step has been told of.
    pub(super) fn descriptors(&self) -> Vec<RawFd> {
        match self {
            Self::Accepted(Ok(fd), _) => RawFd::try_from(*fd).into_iter().collect(),
            Self::Received(got, ..) => received::descriptors(&got.messages).collect(),
            Self::Other(_, fds) => fds.clone(),
            Self::Plain(_) | Self::Accepted(..) | Self::Polled(..) => Vec::new(),
        }
    }
}

thread_local! {
    /// Those that have no call to make.
    static IDLE: RefCell<Vec<Worker>> = const { RefCell::new(Vec::new()) };
}

/// What a thread's call gave.
pub(super) struct Gave {
    pub(super) made: Made,
    /// When it returned.
    pub(super) at: Instant,
    /// Whether it raised SIGPIPE.
    pub(super) pipe: bool,
}

/// A call that has not returned, or has and was not yet told.
pub(super) struct Waiting<'c> {
    pub(super) worker: Worker,
    pub(super) making: Making<Gave>,
    pub(super) number: u32,
    pub(super) op: &'c Op,
    pub(super) addr: Option<SockAddr>,
    pub(super) since: Instant,
    /// Whether later steps are taken while it waits.
    pub(super) told: bool,
    pub(super) gave: Option<Gave>,
    /// Whether it was interrupted, since its time was over.
    pub(super) hung: bool,
}

/// The calls of other threads that have begun, in that order.
#[derive(Default)]
pub(super) struct Threads<'c>(pub(super) Vec<Waiting<'c>>);

impl Threads<'_> {
    /// Whether every call that began has returned and was told.
    pub(super) fn are_none(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for Threads<'_> {
    /// A case may end before its threads do.
    fn drop(&mut self) {
        for waiting in self.0.drain(..) {
            let until = Instant::now() + GOES;
            let mut gave = waiting.gave;
            while gave.is_none() && Instant::now() < until {
                waiting.worker.interrupt();
                std::thread::sleep(Duration::from_micros(200));
                match waiting.worker.made(&waiting.making) {
                    Ok(made) => gave = made,
                    Err(_) => break,
                }
            }
            if let Some(gave) = gave {
                // Nobody is told of it, and no step can name what came with it.
                gave.made.descriptors().into_iter().for_each(received::close);
                put(waiting.worker);
            }
        }
    }
}

pub(super) fn put(worker: Worker) {
    IDLE.with_borrow_mut(|idle| idle.push(worker));
}

pub(super) fn take() -> Result<Worker, Fault> {
    let idle = IDLE.with_borrow_mut(Vec::pop);
    let started = || Worker::start().map_err(|e| Fault::Broken(format!("no thread: {e}")));
    idle.map_or_else(started, Ok)
}
