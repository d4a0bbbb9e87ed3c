//! Signals as outcomes: SIGPIPE is noted, SIGALRM ends a wait of the first thread, SIGVTALRM one of another's.
//! Those that a case sends are its own: what they do is nothing.

use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use crate::case::process::Disposition;
use crate::threads::lock;

thread_local! {
    /// Of a thread that tells of its own signals: whether SIGPIPE came to it.
    static OWN: Cell<Option<bool>> = const { Cell::new(None) };
}

static PIPE: AtomicBool = AtomicBool::new(false);
static ALARM: AtomicBool = AtomicBool::new(false);
/// When the timer goes off first, which is the process's, whoever set it.
static DUE: Mutex<Option<Instant>> = Mutex::new(None);

extern "C" fn note(signal: libc::c_int) {
    let is_pipe = signal == libc::SIGPIPE;
    if is_pipe && OWN.get().is_some() {
        OWN.set(Some(true));
        return;
    }
    match signal {
        libc::SIGPIPE => PIPE.store(true, Ordering::Relaxed),
        libc::SIGALRM => ALARM.store(true, Ordering::Relaxed),
        // What it is for is done: the call is interrupted.
        _ => {}
    }
}

/// What interrupts a thread that waits. It is not the alarm, which is the process's: a system may give that to
/// whichever thread has it unblocked, and it would end a wait that nobody meant. No case can name it, and nothing here
/// sets the timer that it is of.
const WAKE: Signal = Signal::SIGVTALRM;

/// From here on the alarm comes to other threads than the calling one.
pub(super) fn leave_the_alarm() {
    let mut alarm = SigSet::empty();
    alarm.add(Signal::SIGALRM);
    // It fails for no signal that there is.
    let _ = alarm.thread_block();
}

/// Installs the handlers, without `SA_RESTART`: a call that waits is interrupted.
pub(super) fn install() -> nix::Result<()> {
    let action = SigAction::new(SigHandler::Handler(note), SaFlags::empty(), SigSet::empty());
    for signal in [Signal::SIGPIPE, Signal::SIGALRM, WAKE] {
        // SAFETY: the handler does nothing but store to an atomic or to a cell of the thread that needs no
        // initialisation: both are async-signal-safe.
        unsafe { sigaction(signal, &action) }?;
    }
    Ok(())
}

/// What a case has a signal do: nothing, but for the call that it comes into.
pub(super) fn action(how: Disposition) -> SigAction {
    let (handler, flags) = match how {
        Disposition::Interrupts => (SigHandler::Handler(note), SaFlags::empty()),
        Disposition::Restarts => (SigHandler::Handler(note), SaFlags::SA_RESTART),
        Disposition::Ignored => (SigHandler::SigIgn, SaFlags::empty()),
    };
    SigAction::new(handler, flags, SigSet::empty())
}

/// Whether SIGPIPE came since the last time this was asked.
pub(super) fn pipe_came() -> bool {
    PIPE.swap(false, Ordering::Relaxed)
}

/// From here on the calling thread's SIGPIPE is its own, and whether it came since the last time.
pub(super) fn own_pipe_came() -> bool {
    OWN.replace(Some(false)) == Some(true)
}

/// Whether the alarm of [`arm`] has gone off.
pub(super) fn alarm_came() -> bool {
    ALARM.load(Ordering::Relaxed)
}

/// Interrupts whatever waits after `limit`, and again every tenth of a second, so that a call made
/// just after the alarm does not wait forever.
pub(super) fn arm(limit: Duration) {
    set(limit, Duration::from_millis(100));
    *lock(&DUE) = Some(Instant::now() + limit);
}

/// The same, or a moment later: a case of microseconds sets the timer once, and not before each step.
pub(super) fn arm_about(now: Instant, limit: Duration) {
    let soonest = now + limit;
    if !is_soon(*lock(&DUE), soonest) || alarm_came() {
        arm(limit + MOMENT);
    }
}

/// Whether an alarm that is due then gives a step its time, and little more.
fn is_soon(due: Option<Instant>, soonest: Instant) -> bool {
    due.is_some_and(|due| (soonest..=soonest + MOMENT).contains(&due))
}

/// How much later, less than what is late ([`super::pace::LATE`]).
const MOMENT: Duration = Duration::from_millis(20);

/// Interrupts nothing any more.
pub(super) fn disarm() {
    set(Duration::ZERO, Duration::ZERO);
    *lock(&DUE) = None;
}

/// Interrupts the call in which another thread of this process waits, which is there to be interrupted.
pub(super) fn interrupt(thread: libc::pthread_t) {
    send(thread, WAKE);
}

/// Sends a signal to another thread of this process, which is there; an errno, or 0.
pub(super) fn send(thread: libc::pthread_t, signal: Signal) -> libc::c_int {
    // SAFETY: the caller has the thread's handle, so that it has not been joined.
    unsafe { libc::pthread_kill(thread, signal as libc::c_int) }
}

fn set(limit: Duration, again: Duration) {
    ALARM.store(false, Ordering::Relaxed);
    let timeval =
        |d: Duration| libc::timeval { tv_sec: d.as_secs() as _, tv_usec: d.subsec_micros() as _ };
    let timer = libc::itimerval { it_value: timeval(limit), it_interval: timeval(again) };
    // SAFETY: the timer is valid and outlives the call; the old one is not asked for.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sooner a call would be called hung before its time, and much later it would be waited for.
    #[test]
    fn an_alarm_is_kept_that_is_due_when_it_should_be() {
        let soonest = Instant::now() + Duration::from_secs(2);
        let (before, moment) = (Duration::from_millis(1), MOMENT);
        assert!(is_soon(Some(soonest), soonest) && is_soon(Some(soonest + moment), soonest));
        assert!(!is_soon(soonest.checked_sub(before), soonest));
        assert!(!is_soon(Some(soonest + moment + before), soonest));
        assert!(!is_soon(None, soonest), "nobody set it, or another has disarmed it");
    }
}
