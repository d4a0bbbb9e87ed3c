//! `select` and `pselect`.

use std::mem::MaybeUninit;
use std::os::fd::RawFd;

use libc::{c_int, fd_set};

use super::calls;
use super::gave::{CLOSED, Fault, Gave, Returned, given};
use super::runner::Runner;
use super::waiting::{Call, Made};
use crate::case::Op;
use crate::trace::Out;

/// The descriptors of three sets, and how they are called.
#[derive(Default)]
struct Asked {
    fds: [Vec<RawFd>; 3],
    names: [Vec<String>; 3],
}

impl Asked {
    fn nfds(&self) -> c_int {
        self.fds.iter().flatten().max().map_or(0, |fd| fd + 1)
    }

    fn sets(&self) -> [Option<fd_set>; 3] {
        self.fds.each_ref().map(|fds| set_of(fds))
    }

    /// The names of those that are left in the sets.
    fn left(&self, sets: &[Option<fd_set>; 3]) -> Out {
        let mut left = [const { Vec::new() }; 3];
        for (at, left) in left.iter_mut().enumerate() {
            let of = self.fds[at].iter().zip(&self.names[at]);
            let is_set = |fd: RawFd| sets[at].as_ref().is_some_and(|set| has(set, fd));
            left.extend(of.filter(|(fd, _)| is_set(**fd)).map(|(_, name)| name.clone()));
        }
        Out::Sets(left)
    }
}

type Sets = [Option<fd_set>; 3];

/// The call itself, with its mask if it has one.
fn call(op: &Op) -> impl Fn(c_int, &mut Sets, Option<u32>) -> Returned + Send + 'static {
    let (plain, mask) = (matches!(op, Op::Select { .. }), Runner::mask(op));
    move |nfds, sets, ms| {
        if plain {
            calls::select(nfds, sets, ms)
        } else {
            calls::pselect(nfds, sets, ms, mask().as_ref())
        }
    }
}

impl Runner<'_> {
    fn asked(&self, op: &Op) -> Result<Asked, Fault> {
        let (Op::Select { read, write, except, .. } | Op::Pselect { read, write, except, .. }) = op
        else {
            return Err(Fault::Broken(format!("{} selects nothing", op.call())));
        };
        let names = [read, write, except].map(Clone::clone);
        let mut fds: [Vec<RawFd>; 3] = Default::default();
        for (fds, names) in fds.iter_mut().zip(&names) {
            for name in names {
                fds.push(self.selectable(name)?);
            }
        }
        Ok(Asked { fds, names })
    }

    pub(super) fn select(&mut self, number: u32, op: &Op) -> Result<Gave, Fault> {
        let asked = self.asked(op)?;
        let (timeout_ms, call) = (op.timeout_ms().unwrap_or(-1), call(op));
        let (nfds, mut sets) = (asked.nfds(), [const { None }; 3]);
        let ret = self.looks_in_slices(number, timeout_ms, |slice| {
            sets = asked.sets();
            call(nfds, &mut sets, Some(slice.unsigned_abs()))
        });
        Ok(ret.map(|ret| (ret, asked.left(&sets))))
    }

    /// The call for another thread, which waits in it as long as it takes.
    pub(super) fn selecting(&self, op: &Op) -> Result<Call, Fault> {
        let (asked, call) = (self.asked(op)?, call(op));
        let ms = op.timeout_ms().and_then(|ms| u32::try_from(ms).ok());
        Ok(Box::new(move || {
            let mut sets = asked.sets();
            let ret = call(asked.nfds(), &mut sets, ms);
            Made::Other(Box::new(move |_| Ok((given(ret)?, asked.left(&sets)))), Vec::new())
        }))
    }

    /// The number of a descriptor that fits into a set. That of a closed one is some number that no
    /// descriptor has.
    fn selectable(&self, name: &str) -> Result<RawFd, Fault> {
        let most = c_int::try_from(libc::FD_SETSIZE).unwrap_or(c_int::MAX);
        let fd = self.fd(name);
        if (0..most).contains(&fd) {
            return Ok(fd);
        }
        let is_free = |fd: &c_int| calls::fcntl(*fd, libc::F_GETFD, 0).is_err();
        // The least: what is beyond its table of descriptors, Linux does not look at (`fs/select.c` `core_sys_select`).
        let free = || (0..most).find(is_free);
        let none = || Fault::Broken(format!("no set has room for the descriptor {fd}"));
        if fd == CLOSED || fd < 0 { free().ok_or_else(none) } else { Err(none()) }
    }
}

/// None of no descriptors: NULL.
fn set_of(fds: &[RawFd]) -> Option<fd_set> {
    // SAFETY: all zeros is an empty set.
    let mut set: fd_set = unsafe { MaybeUninit::zeroed().assume_init() };
    for fd in fds {
        // SAFETY: the number is below `FD_SETSIZE`.
        unsafe { libc::FD_SET(*fd, &raw mut set) };
    }
    (!fds.is_empty()).then_some(set)
}

fn has(set: &fd_set, fd: RawFd) -> bool {
    // SAFETY: the number is below `FD_SETSIZE`.
    unsafe { libc::FD_ISSET(fd, std::ptr::from_ref(set)) }
}
