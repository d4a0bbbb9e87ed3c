//! A thread for the calls that may block, so that the far ends act meanwhile.
//!
//! There is one for each executor, made with the first such call, behind the executor's namespaces, and
//! asleep between two of them. It is on the executor's processor, so that the host's answers to itself
//! keep their order; and the far ends act only while it is seen asleep in its call, so that how much of
//! a call is done when the first answer comes is the kernel's and not the scheduler's.
//!
//! Each thread of a case is one of these, too (`threads.rs`), asleep between two cases.

use std::cell::OnceCell;
use std::io::{self, PipeReader, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::thread::JoinHandleExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::gave::{Fault, Returned};
use super::{os, signals};
use crate::threads;

/// For so long a thread that is not seen asleep is taken to be busy in its call.
const BUSY: Duration = Duration::from_millis(100);

type Job = Box<dyn FnOnce() + Send>;

/// The thread, and what it shares with the executor's.
pub(super) struct Worker {
    jobs: Sender<Job>,
    /// Has a byte for each call that has returned.
    done: PipeReader,
    /// By which others see whether it sleeps.
    state: os::ThreadState,
    thread: JoinHandle<()>,
}

/// A call that a worker makes.
pub(super) struct Making<T> {
    receiver: Receiver<T>,
    /// Whether the worker has begun.
    begun: Arc<AtomicBool>,
}

/// What the executor does while a call has not returned.
pub(super) trait Meanwhile {
    /// Waits until a far end has something to do, until `done` can be read, or not long.
    fn wait(&mut self, done: BorrowedFd<'_>);
    /// Lets the far ends act.
    fn act(&mut self);
}

thread_local! {
    static WORKER: OnceCell<Result<Worker, String>> = const { OnceCell::new() };
}

/// Makes the call in the thread that is there for it.
pub(super) fn make<T: Send + 'static>(
    call: impl FnOnce() -> T + Send + 'static,
    meanwhile: &mut dyn Meanwhile,
) -> Result<T, Fault> {
    WORKER.with(|worker| {
        let started = || Worker::start().map_err(|e| format!("no thread for a call: {e}"));
        match worker.get_or_init(started) {
            Ok(worker) => worker.make(call, meanwhile),
            Err(reason) => Err(Fault::Broken(reason.clone())),
        }
    })
}

impl Worker {
    pub(super) fn start() -> io::Result<Self> {
        let (jobs, taken) = mpsc::channel::<Job>();
        let (told, states) = mpsc::channel();
        let (done, mut say) = io::pipe()?;
        let work = move || {
            // Sockets stay in the network that they were made in: that of a lab goes with the lab.
            os::leave_lab();
            signals::leave_the_alarm();
            let _ = told.send(os::ThreadState::own());
            for job in taken {
                job();
                let _ = say.write_all(&[0]);
            }
        };
        let thread = threads::start_named("calls", work)?;
        let state = states.recv().map_err(|_| io::Error::other("it has ended"))?;
        Ok(Self { jobs, done, state, thread })
    }

    fn make<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> T + Send + 'static,
        meanwhile: &mut dyn Meanwhile,
    ) -> Result<T, Fault> {
        let making = self.begin(call)?;
        self.until(&making, meanwhile)
    }

    /// Begins to make the call.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Making<T>, Fault> {
        let (sender, receiver) = mpsc::channel();
        let begun = Arc::new(AtomicBool::new(false));
        let begins = Arc::clone(&begun);
        let job = Box::new(move || {
            begins.store(true, Ordering::Release);
            // Nobody listens only where the case has been left by a panic.
            let _ = sender.send(call());
        });
        let gone = |_| Fault::Broken("the thread for calls has ended".to_owned());
        self.jobs.send(job).map_err(gone)?;
        Ok(Making { receiver, begun })
    }

    /// What the call gave, if it has returned.
    pub(super) fn made<T>(&self, making: &Making<T>) -> Result<Option<T>, Fault> {
        match making.receiver.try_recv() {
            Ok(made) => {
                // The byte comes behind the result.
                let _ = (&self.done).read_exact(&mut [0]);
                Ok(Some(made))
            }
            Err(TryRecvError::Disconnected) => {
                Err(Fault::Broken("the call's thread ended without it".to_owned()))
            }
            Err(TryRecvError::Empty) => Ok(None),
        }
    }

    /// Whether the thread waits in the call; none where nobody can tell.
    pub(super) fn waits_in<T>(&self, making: &Making<T>) -> Option<bool> {
        sleeps_in(|| making.begun.load(Ordering::Acquire), || self.state.is_asleep())
    }

    /// Interrupts the call that it makes.
    pub(super) fn interrupt(&self) {
        signals::interrupt(self.thread.as_pthread_t() as _);
    }

    /// Sends it a signal of the case's.
    pub(super) fn signal(&self, signal: Signal) -> Returned {
        match signals::send(self.thread.as_pthread_t() as _, signal) {
            0 => Ok(0),
            errno => Err(errno),
        }
    }

    /// What can be read when the call has returned.
    pub(super) fn done(&self) -> BorrowedFd<'_> {
        self.done.as_fd()
    }

    fn until<T>(&self, making: &Making<T>, meanwhile: &mut dyn Meanwhile) -> Result<T, Fault> {
        let mut busy_since = Instant::now();
        loop {
            meanwhile.wait(self.done.as_fd());
            if let Some(made) = self.made(making)? {
                return Ok(made);
            }
            if signals::alarm_came() {
                self.interrupt();
            }
            if self.state.is_asleep().unwrap_or(true) || busy_since.elapsed() > BUSY {
                meanwhile.act();
                busy_since = Instant::now();
            } else {
                thread::sleep(Duration::from_micros(20));
            }
        }
    }
}

/// Whether a thread that has begun its call sleeps. In this order: one that is seen asleep before it has begun
/// waits for its work, and may begin while we are kept from looking.
fn sleeps_in(begun: impl FnOnce() -> bool, asleep: impl FnOnce() -> Option<bool>) -> Option<bool> {
    let begun = begun();
    Some(asleep()? && begun)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    struct Counts(u32);

    impl Meanwhile for Counts {
        fn wait(&mut self, _: BorrowedFd<'_>) {
            thread::sleep(Duration::from_millis(1));
        }
        fn act(&mut self) {
            self.0 += 1;
        }
    }

    #[test]
    fn one_thread_makes_all_calls_and_the_far_ends_act_while_it_sleeps() {
        let mut meanwhile = Counts(0);
        let sleep = || {
            thread::sleep(Duration::from_millis(50));
            thread::current().id()
        };
        let first = make(sleep, &mut meanwhile).expect("a thread");
        assert!(meanwhile.0 > 0);
        let second = make(|| thread::current().id(), &mut meanwhile).expect("a thread");
        assert_eq!(first, second);
        assert_ne!(first, thread::current().id());
    }

    /// On a loaded machine `close` came before `poll` had looked its descriptor up, since the thread had been
    /// seen asleep over its work.
    #[test]
    fn a_thread_that_begins_while_it_is_looked_at_is_not_asleep_in_its_call() {
        let begun = Cell::new(false);
        let asleep_over_its_work = || Some(!begun.replace(true));
        assert_eq!(sleeps_in(|| begun.get(), asleep_over_its_work), Some(false));
        assert_eq!(sleeps_in(|| true, || Some(true)), Some(true));
        assert_eq!(sleeps_in(|| true, || None), None);
    }
}
