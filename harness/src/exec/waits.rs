//! The steps of a case that take their time: the far ends answer meanwhile.

use std::time::{Duration, Instant};

use libc::c_int;

use super::gave::{Fault, Gave, given};
use super::options::flags;
use super::runner::Runner;
use super::{calls, signals};
use crate::case::Sym;
use crate::case::op::PollFd;
use crate::trace::{Event, Out};

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

    /// In slices, so that the far ends can answer while the case waits.
    pub(super) fn poll(
        &mut self,
        number: u32,
        fds: &[PollFd],
        timeout_ms: i32,
    ) -> Result<Gave, Fault> {
        let mut list = self.pollfds(fds)?;
        let forever = timeout_ms < 0;
        let until = Instant::now() + Duration::from_millis(timeout_ms.max(0).unsigned_abs().into());
        let ret = loop {
            let left = until.saturating_duration_since(Instant::now());
            let slice = c_int::from(forever || !left.is_zero());
            match given(calls::poll(&mut list, slice)) {
                Ok(0) if forever && signals::alarm_came() => return Ok(Err("EINTR".into())),
                Ok(0) if forever || !left.is_zero() => self.drain(number),
                Ok(ret) => break ret,
                // It has a time of its own, and the alarm came for who stood still.
                Err(errno) if errno.as_str() == "EINTR" && !forever => self.drain(number),
                Err(errno) => return Ok(Err(errno)),
            }
        };
        Ok(Ok((ret, Out::Poll(revents(&list)))))
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
