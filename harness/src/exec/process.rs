//! The process of a case: how it takes signals, and what it is allowed. What the executor itself does is neither
//! limited nor lessened: a limit, a set of capabilities and a user hold while a call of the case is made, and no longer.

use libc::c_int;
use nix::errno::Errno;
use nix::sys::resource::{getrlimit, rlim_t, setrlimit};
use nix::sys::signal::{self, SigAction, SigSet, sigaction};

use super::gave::{Fault, Gave, Returned, plain};
use super::runner::Runner;
use super::{os, signals};
use crate::case::Op;
use crate::case::addr::SockAddr;
use crate::case::op::Control;
use crate::case::process::{Capability, ProcessCall, Resource, Signal};

/// What a case has set of its process, taken back when it is over.
#[derive(Default)]
pub(super) struct Process {
    /// What the signals did before, the first that was set first.
    before: Vec<(Signal, SigAction)>,
    limit: Option<(Resource, u32)>,
    without: Option<Vec<Capability>>,
    acts_for: Option<u32>,
}

impl Drop for Process {
    fn drop(&mut self) {
        for (signal, before) in self.before.drain(..).rev() {
            // SAFETY: what stood there before was fit to stand there.
            let _ = unsafe { sigaction(number(signal), &before) };
        }
    }
}

/// A limit as it was before, and is again when this goes: the resource, the soft one, the hard one.
struct Limit(Resource, rlim_t, rlim_t);

impl Drop for Limit {
    fn drop(&mut self) {
        let _ = setrlimit(resource_of(self.0), self.1, self.2);
    }
}

/// Less than the executor may have, until this goes.
type Less = (Option<Limit>, Option<os::Rights>, Option<os::User>);

/// So few descriptors a limit is about that of a user's, on the whole host.
const FEW: u32 = 64;

impl Process {
    /// Whether the kernel counts the descriptors that a call sends against a limit of the case's, as it does for every
    /// user but one with the host's own rights (unix(7), `ETOOMANYREFS`).
    pub(super) fn counts(&self, op: &Op) -> bool {
        let is_low = matches!(self.limit, Some((Resource::Nofile, soft)) if soft < FEW);
        let sends = || op.controls().iter().any(|one| matches!(one, Control::Rights { .. }));
        is_low && self.acts_for.unwrap_or(0) == 0 && sends() && !os::may_exceed_limits()
    }

    fn begin(&self) -> Result<Less, c_int> {
        let mut limit = None;
        if let Some((resource, to)) = self.limit {
            let of = resource_of(resource);
            let (soft, hard) = getrlimit(of).map_err(raw)?;
            setrlimit(of, to.into(), hard).map_err(raw)?;
            limit = Some(Limit(resource, soft, hard));
        }
        let rights = self.without.as_deref().map(os::lessened).transpose()?;
        let user = self.acts_for.filter(|uid| *uid != 0).map(os::acting).transpose()?;
        Ok((limit, rights, user))
    }
}

/// Whether this process cannot act for another user: root alone can, and in a user namespace there may be nobody but
/// root (`user_namespaces(7)`).
pub(super) fn cannot_act(op: &Op) -> bool {
    match op {
        Op::Process { call: ProcessCall::Seteuid { uid } } => {
            !nix::unistd::getuid().is_root() || *uid != 0 && os::acting(*uid).is_err()
        }
        _ => false,
    }
}

fn raw(errno: Errno) -> c_int {
    errno as c_int
}

/// The mask of a call that waits, for the thread that makes it: of a case's signals these and no others, and whatever
/// else that thread does not take.
pub(super) fn mask_of(blocked: &[Signal]) -> SigSet {
    let mut mask = SigSet::thread_get_mask().unwrap_or_else(|_| SigSet::empty());
    for one in Signal::ALL {
        if blocked.contains(one) {
            mask.add(number(*one));
        } else {
            mask.remove(number(*one));
        }
    }
    mask
}

fn number(signal: Signal) -> signal::Signal {
    match signal {
        Signal::Usr1 => signal::Signal::SIGUSR1,
        Signal::Usr2 => signal::Signal::SIGUSR2,
        Signal::Urg => signal::Signal::SIGURG,
        Signal::Io => signal::Signal::SIGIO,
    }
}

fn resource_of(resource: Resource) -> nix::sys::resource::Resource {
    match resource {
        Resource::Nofile => nix::sys::resource::Resource::RLIMIT_NOFILE,
    }
}

impl<'c> Runner<'c> {
    /// Makes a call with no more than the case has left itself.
    pub(super) fn lessened(
        &mut self,
        number: u32,
        op: &'c Op,
        seen: &mut Option<SockAddr>,
    ) -> Result<Gave, Fault> {
        let broken =
            |errno| Fault::Broken(format!("the process is not lessened: {}", os::errno(errno)));
        let less = self.process.begin().map_err(broken)?;
        let gave = self.call(number, op, seen);
        drop(less);
        gave
    }

    /// Makes a call that is about the process.
    pub(super) fn of_the_process(&mut self, call: &ProcessCall) -> Gave {
        let tried = match call {
            ProcessCall::Sigaction { signal, how } => {
                // SAFETY: the handler does nothing.
                match unsafe { sigaction(number(*signal), &signals::action(*how)) } {
                    Ok(before) => {
                        self.process.before.push((*signal, before));
                        Ok(0)
                    }
                    Err(errno) => Err(raw(errno)),
                }
            }
            ProcessCall::PthreadKill { thread, signal } => self.kill(thread, number(*signal)),
            ProcessCall::Setrlimit { resource, soft } => {
                let before = self.process.limit.replace((*resource, *soft));
                self.tried(|process| process.limit = before)
            }
            ProcessCall::Capset { without } => {
                let before = self.process.without.replace(without.clone());
                self.tried(|process| process.without = before)
            }
            ProcessCall::Seteuid { uid } => {
                let before = self.process.acts_for.replace(*uid);
                self.tried(|process| process.acts_for = before)
            }
        };
        plain(tried)
    }

    /// Whether the process can be so; if not it is as before.
    fn tried(&mut self, back: impl FnOnce(&mut Process)) -> Returned {
        match self.process.begin().map(drop) {
            Ok(()) => Ok(0),
            Err(errno) => {
                back(&mut self.process);
                Err(errno)
            }
        }
    }

    /// The mask that a call waits with, made by the thread that makes it.
    pub(super) fn mask(op: &Op) -> impl Fn() -> Option<SigSet> + Send + 'static {
        let blocked = op.mask().map(<[Signal]>::to_vec);
        move || blocked.as_deref().map(mask_of)
    }

    /// Sends a signal to a thread that has not returned from its call.
    fn kill(&self, thread: &str, signal: signal::Signal) -> Returned {
        let of = |number| self.case.threads.of(number) == Some(thread);
        let waiting = self.threads.0.iter().find(|waiting| of(waiting.number));
        waiting.ok_or(libc::ESRCH)?.worker.signal(signal)
    }
}

#[cfg(test)]
mod tests;
