//! Threads, which a host may refuse: that is an error as any other, and no fault of this program's. And
//! locks of theirs: a thread that panicked has told of it, and what it held is as good as before.

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle, Scope, ScopedJoinHandle};
use std::time::Duration;

/// Locks.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is in a lock that nobody else has any more.
pub fn unlocked<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Waits as long as `while_so`, for so long at the most; whether it ended in that time.
pub(crate) fn wait<'m, T>(
    on: &Condvar,
    guard: MutexGuard<'m, T>,
    limit: Duration,
    while_so: impl FnMut(&mut T) -> bool,
) -> (MutexGuard<'m, T>, bool) {
    let waited = on.wait_timeout_while(guard, limit, while_so);
    let (guard, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
    (guard, !timeout.timed_out())
}

/// Waits until it is woken, for so long at the most; whether it was.
pub(crate) fn woken<'m, T>(
    on: &Condvar,
    guard: MutexGuard<'m, T>,
    limit: Duration,
) -> (MutexGuard<'m, T>, bool) {
    let (guard, timeout) = on.wait_timeout(guard, limit).unwrap_or_else(PoisonError::into_inner);
    (guard, !timeout.timed_out())
}

/// Starts one.
pub fn start<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().spawn(work).map_err(|why| none(&why))
}

/// Starts one that has a name, by which the system tells of it.
pub fn start_named<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name.to_owned()).spawn(work).map_err(|why| none(&why))
}

/// Starts one of a scope.
pub fn start_in<'s, T: Send + 's>(
    scope: &'s Scope<'s, '_>,
    work: impl FnOnce() -> T + Send + 's,
) -> io::Result<ScopedJoinHandle<'s, T>> {
    Builder::new().spawn_scoped(scope, work).map_err(|why| none(&why))
}

/// The sentence that says so, with what may be why (`pthread_create(3)`, EAGAIN).
fn none(why: &io::Error) -> io::Error {
    io::Error::new(why.kind(), format!("no thread can be started: {why}: {MEND}"))
}

/// What may be why, and what to look at.
pub const MEND: &str = "`ulimit -u` (RLIMIT_NPROC), pids.max of the cgroup, or too little memory";
