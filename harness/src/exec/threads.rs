//! The threads of a case beside the first.
//!
//! A call of such a thread begins when its step's turn comes. Then, and after every later step, all of
//! them are brought to rest before anything else is done: each has returned or is seen asleep in its
//! call, and neither the far ends nor what the host sends to itself have anything left that could wake
//! one. So which step ends a call is the kernel's doing and not the scheduler's.

use std::time::{Duration, Instant};

use super::gave::{Fault, PATIENCE};
use super::runner::Runner;
use super::signals;
use super::waiting::{GOES, Gave, Waiting, put, take};
use crate::case::Op;
use crate::case::addr::SockAddr;
use crate::trace::{Did, End, Event, Out};

/// Where nobody can tell whether a thread sleeps: after so long without an end it does.
const UNTOLD: Duration = Duration::from_millis(20);

impl<'c> Runner<'c> {
    /// Takes a step that is the call of another thread; an end if it is the last that can be taken.
    pub(super) fn thread_step(&mut self, number: u32, op: &'c Op) -> Option<End> {
        // What is wrong with the step, the call itself says below.
        if let Ok(Some(reason)) = self.leaves(op) {
            return Some(End::Skipped { reason });
        }
        let thread = self.case.threads.number(number).map(|(thread, _)| thread);
        let same = |w: &Waiting<'_>| self.case.threads.number(w.number).map(|(t, _)| t) == thread;
        if let Some(at) = self.threads.0.iter().position(same)
            && let Some(end) = self.join(at, number)
        {
            return Some(end);
        }
        signals::arm(PATIENCE);
        let mut addr = None;
        match self.begin(number, op, &mut addr) {
            Ok(()) => self.rest(number),
            Err(Fault::Broken(reason)) => Some(End::Broken { reason }),
            Err(Fault::Unsupported(name)) => {
                let (at_ns, did) = (self.now(), Did::Unsupported { name });
                self.events.push(Event::Call { op: number, at_ns, took_ns: 0, addr, did });
                Some(End::Unsupported)
            }
        }
    }

    fn begin(&mut self, number: u32, op: &'c Op, addr: &mut Option<SockAddr>) -> Result<(), Fault> {
        self.may_be_made(op)?;
        let call = self.prepared(op, addr)?;
        if let Some(stand_in) = self.lab.stand_in() {
            stand_in.hide(addr.as_mut(), &mut Out::Nothing);
        }
        let worker = take()?;
        let since = Instant::now();
        let making = worker.begin(move || {
            signals::own_pipe_came();
            let made = call();
            Gave { made, at: Instant::now(), pipe: signals::own_pipe_came() }
        })?;
        let (addr, told, gave, hung) = (addr.take(), false, None, false);
        self.threads.0.push(Waiting { worker, making, number, op, addr, since, told, gave, hung });
        Ok(())
    }

    /// Brings all threads to rest after a step, and tells what of them has returned.
    pub(super) fn rest(&mut self, number: u32) -> Option<End> {
        if self.threads.0.is_empty() {
            return None;
        }
        loop {
            let (events, returned) = (self.events.len(), self.returned());
            if let Err(Fault::Broken(reason) | Fault::Unsupported(reason)) = self.still() {
                return Some(End::Broken { reason });
            }
            self.lab.settle();
            self.drain(number);
            if self.events.len() == events && self.returned() == returned {
                break;
            }
        }
        self.tell()
    }

    fn returned(&self) -> usize {
        self.threads.0.iter().filter(|waiting| waiting.gave.is_some()).count()
    }

    /// Waits until each has returned or sleeps in its call.
    ///
    /// One that was looked at asleep may have been woken by one that was not yet: so they are all looked at
    /// again until there was none to wait for.
    fn still(&mut self) -> Result<(), Fault> {
        let since = Instant::now();
        while self.look(since)? {}
        Ok(())
    }

    /// Looks at one after the other, and waits for each; whether something was under way.
    fn look(&mut self, since: Instant) -> Result<bool, Fault> {
        let before = self.returned();
        let mut waited = false;
        for waiting in &mut self.threads.0 {
            loop {
                // Asleep it may be behind its call, too: whether that has returned is asked then.
                let sleeps = waiting.worker.waits_in(&waiting.making);
                let sleeps = sleeps.unwrap_or_else(|| since.elapsed() > UNTOLD);
                if waiting.gave.is_none() {
                    waiting.gave = waiting.worker.made(&waiting.making)?;
                }
                if waiting.gave.is_some() || sleeps {
                    break;
                }
                if since.elapsed() > GOES {
                    let call = waiting.op.call();
                    return Err(Fault::Broken(format!("a thread's {call} neither waits nor ends")));
                }
                waited = true;
                self.pace.here();
                std::thread::sleep(Duration::from_micros(20));
            }
        }
        Ok(waited || self.returned() > before)
    }

    /// Tells whether the call that has begun waits, and which of the others have returned, in the order
    /// in which they began.
    fn tell(&mut self) -> Option<End> {
        if let Some(at) = self.threads.0.iter().position(|waiting| !waiting.told) {
            self.threads.0[at].told = true;
            let waiting = &self.threads.0[at];
            if waiting.gave.is_some() {
                let place = self.place(waiting.number);
                if let Some(end) = self.returns(at, Some(place)) {
                    return Some(end);
                }
            } else {
                let (op, addr, since) = (waiting.number, waiting.addr.clone(), waiting.since);
                let (at_ns, place) = (self.ns(since), self.place(op));
                self.events.insert(place, Event::Began { op, at_ns, addr });
            }
        }
        while let Some(at) = self.threads.0.iter().position(|waiting| waiting.gave.is_some()) {
            if let Some(end) = self.returns(at, None) {
                return Some(end);
            }
        }
        None
    }

    /// Before the frames that a step has caused, which are the last.
    fn place(&self, number: u32) -> usize {
        self.events.iter().rposition(|event| event.op() != number).map_or(0, |at| at + 1)
    }

    /// Writes down what a call that has returned gave: as the last thing that happened, or in its place.
    fn returns(&mut self, at: usize, place: Option<usize>) -> Option<End> {
        let Waiting { worker, number: op, op: what, mut addr, since, gave, hung, .. } =
            self.threads.0.remove(at);
        put(worker);
        let gave = gave?;
        let (at_ns, took_ns) = (self.ns(since), self.ns(gave.at) - self.ns(since));
        let mut did = match self.finish(what, gave.made) {
            _ if hung => {
                let after_ms = u32::try_from(took_ns / 1_000_000).unwrap_or(u32::MAX);
                Did::Hung { after_ms }
            }
            Ok(given) => {
                if given.is_ok() {
                    self.blocking.succeeded(what);
                }
                let given = match self.plant {
                    Some(plant) => plant.told(what, given),
                    None => given,
                };
                self.did(what, given)
            }
            Err(Fault::Broken(reason) | Fault::Unsupported(reason)) => {
                return Some(End::Broken { reason });
            }
        };
        if let (Some(stand_in), Did::Returned { out, .. }) = (self.lab.stand_in(), &mut did) {
            stand_in.hide(addr.as_mut(), out);
        }
        let place = place.unwrap_or(self.events.len());
        self.events.insert(place, Event::Call { op, at_ns, took_ns, addr, did });
        if gave.pipe {
            let (at_ns, name) = (at_ns + took_ns, "SIGPIPE".to_owned());
            self.events.push(Event::Signal { op, at_ns, name });
        }
        if place == self.events.len() - 1 {
            self.look_for(op, what);
        }
        hung.then_some(End::Hung)
    }

    fn ns(&self, at: Instant) -> u64 {
        u64::try_from(at.duration_since(self.start).as_nanos()).unwrap_or(u64::MAX)
    }

    /// Waits for a thread's call as long as the case gives it, and interrupts it then.
    fn join(&mut self, at: usize, number: u32) -> Option<End> {
        let (of, op) = (self.threads.0[at].number, self.threads.0[at].op);
        let (patience, armed) = (self.patience(op), Instant::now());
        signals::arm(patience);
        loop {
            let step = number.saturating_sub(1);
            if let Some(end) = self.rest(step) {
                return Some(end);
            }
            let at = self.threads.0.iter().position(|w| w.number == of)?;
            if signals::alarm_came() {
                let end = self.give_up(at);
                // How late the call was ended, the executor stood still.
                self.pace.cut(armed.elapsed().saturating_sub(patience));
                return end;
            }
            self.lab.watch(self.threads.0[at].worker.done());
            self.pace.here();
        }
    }

    fn give_up(&mut self, at: usize) -> Option<End> {
        let until = Instant::now() + GOES;
        while Instant::now() < until {
            let waiting = &mut self.threads.0[at];
            waiting.worker.interrupt();
            std::thread::sleep(Duration::from_micros(200));
            match waiting.worker.made(&waiting.making) {
                Ok(None) => {}
                Ok(gave) => {
                    // Whatever it says: it was at rest, and the interruption is what ended it. A `poll`
                    // looks again when it is woken, a send tells how much it had sent.
                    (waiting.hung, waiting.gave) = (true, gave);
                    return self.returns(at, None);
                }
                Err(Fault::Broken(reason) | Fault::Unsupported(reason)) => {
                    return Some(End::Broken { reason });
                }
            }
        }
        Some(End::Broken { reason: "a thread's call cannot be interrupted".to_owned() })
    }

    /// Waits for all threads, the one first that began first; an end if one has not returned in time.
    pub(super) fn join_all(&mut self) -> Option<End> {
        let after = u32::try_from(self.case.ops.len()).unwrap_or(u32::MAX);
        while !self.threads.0.is_empty() {
            if let Some(end) = self.join(0, after) {
                return Some(end);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
