//! The steps of a case that take their time: the far ends answer meanwhile.

use std::time::{Duration, Instant};

use libc::c_int;

use super::gave::{Fault, Gave, Returned, given};
use super::options::flags;
use super::runner::Runner;
use super::{calls, os, signals};
use crate::case::op::PollFd;
use crate::case::{Op, Sym};
use crate::trace::{Event, Out};

/// How long the kernel has to set all that belongs to what it set first.
const SETTLES: Duration = Duration::from_micros(200);

impl Runner<'_> {
    /// Lets time pass, the far ends answering meanwhile, or until a frame is seen on `link`.
    pub(super) fn pass(&mut self, number: u32, ms: u32, link: Option<&str>) {
        let deadline = Instant::now() + Duration::from_millis(ms.into());
        while Instant::now() < deadline {
            let before = self.events.len();
            self.drain(number);
            let on = |event: &Event| matches!(event, Event::Frame { link: l, .. } if Some(l.as_str()) == link);
            if self.events[before..].iter().any(on) {
                return;
            }
            std::thread::sleep(Duration::from_micros(500));
        }
    }

    /// Makes a call again and again that waits for no longer than it is told, a millisecond or not at all, until it
    /// gives something or `timeout_ms` is over: the far ends answer meanwhile.
    pub(super) fn in_slices(
        &mut self,
        number: u32,
        timeout_ms: c_int,
        mut call: impl FnMut(c_int) -> Returned,
    ) -> Result<i64, Sym> {
        let forever = timeout_ms < 0;
        let until = Instant::now() + Duration::from_millis(timeout_ms.max(0).unsigned_abs().into());
        loop {
            let is_over = !forever && until.saturating_duration_since(Instant::now()).is_zero();
            match call(c_int::from(!is_over)) {
                Ok(0) if forever && signals::alarm_came() => return Err("EINTR".into()),
                Ok(0) if !is_over => self.drain(number),
                // It has a time of its own, and the alarm came for who stood still.
                Err(libc::EINTR) if !forever => self.drain(number),
                returned => return given(returned),
            }
        }
    }

    /// The same of a call that only looks. Who sleeps in the kernel is woken when all is set; who asks in between can
    /// see half of it, a socket's error before its state (Linux `net/ipv4/tcp.c` `tcp_done_with_error`): what came after
    /// a while is asked for once more.
    pub(super) fn looks_in_slices(
        &mut self,
        number: u32,
        timeout_ms: c_int,
        mut look: impl FnMut(c_int) -> Returned,
    ) -> Result<i64, Sym> {
        let mut has_waited = false;
        self.in_slices(number, timeout_ms, |slice| {
            let came = look(slice);
            if has_waited && matches!(came, Ok(1..)) {
                std::thread::sleep(SETTLES);
                return look(0);
            }
            has_waited = true;
            came
        })
    }

    pub(super) fn poll(&mut self, number: u32, op: &Op, fds: &[PollFd]) -> Result<Gave, Fault> {
        let timeout_ms = op.timeout_ms().unwrap_or(-1);
        let (plain, mask) = (matches!(op, Op::Poll { .. }), Runner::mask(op));
        let mut list = self.pollfds(fds)?;
        let ret = self.looks_in_slices(number, timeout_ms, |slice| {
            if plain {
                calls::poll(&mut list, slice)
            } else {
                os::ppoll(&mut list, slice, mask().as_ref())
            }
        });
        Ok(ret.map(|ret| (ret, Out::Poll(revents(&list)))))
    }

    /// The array that `poll` is given.
    pub(super) fn pollfds(&self, fds: &[PollFd]) -> Result<Vec<libc::pollfd>, Fault> {
        let entry = |entry: &PollFd| {
            let events = flags(&entry.events)? as libc::c_short;
            Ok(libc::pollfd { fd: self.fd(&entry.fd), events, revents: 0 })
        };
        fds.iter().map(entry).collect()
    }
}

/// What `poll` wrote there.
pub(super) fn revents(list: &[libc::pollfd]) -> Vec<Vec<Sym>> {
    let known = &[
        "POLLIN",
        "POLLPRI",
        "POLLOUT",
        "POLLERR",
        "POLLHUP",
        "POLLNVAL",
        "POLLRDHUP",
        "POLLRDNORM",
        "POLLRDBAND",
        "POLLWRNORM",
        "POLLWRBAND",
        "POLLMSG",
    ];
    list.iter().map(|entry| calls::named(entry.revents.into(), known)).collect()
}
