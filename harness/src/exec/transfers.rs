//! The calls that connect, send, receive and close: those that may wait for somebody. One that may block
//! is made by the thread that is there for it, and the far ends act meanwhile.

use std::os::fd::{BorrowedFd, RawFd};

use super::gave::{Fault, Gave, address, control_out, given, plain};
use super::options::{self, flags, value};
use super::runner::Runner;
use super::sockaddr::RawAddr;
use super::waiting::{Call, Made};
use super::waits::revents;
use super::worker::{self, Meanwhile};
use super::{calls, os, received};
use crate::case::addr::SockAddr;
use crate::case::{Hex, Op, Payload};
use crate::trace::Out;

/// The far ends, while a step's call has not returned.
struct FarEnds<'r, 'c> {
    runner: &'r mut Runner<'c>,
    number: u32,
}

impl Meanwhile for FarEnds<'_, '_> {
    fn wait(&mut self, done: BorrowedFd<'_>) {
        self.runner.lab.watch(done);
    }

    fn act(&mut self) {
        self.runner.drain(self.number);
    }
}

impl<'c> Runner<'c> {
    /// Makes a call, the far ends acting meanwhile if it may block.
    pub(super) fn apart<T: Send + 'static>(
        &mut self,
        (number, op): (u32, &Op),
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        if !self.blocking.may_block(op) {
            let made = call();
            // It waited, by a time of its socket's own (socket(7) SO_RCVTIMEO), and nobody had to answer meanwhile.
            if self.blocking.waits(op) {
                self.pace.waited();
            }
            return Ok(made);
        }
        worker::make(call, &mut FarEnds { runner: self, number })
    }

    /// Makes one of the calls that may wait for somebody.
    pub(super) fn transfer(
        &mut self,
        number: u32,
        op: &'c Op,
        seen: &mut Option<SockAddr>,
    ) -> Result<Gave, Fault> {
        let call = self.prepared(op, seen)?;
        let made = self.apart((number, op), call)?;
        self.finish(op, made)
    }

    /// One of these calls, all that it is given ready, for whichever thread is to make it.
    pub(super) fn prepared(&mut self, op: &Op, seen: &mut Option<SockAddr>) -> Result<Call, Fault> {
        let fd = op.fd().map_or(-1, |name| self.fd(name));
        Ok(match op {
            Op::Connect { addr, .. } => {
                let to = self.addr(addr, seen)?;
                Box::new(move || Made::Plain(calls::connect(fd, &to)))
            }
            Op::Accept { .. } => Box::new(move || {
                let mut from = RawAddr::room();
                Made::Accepted(calls::accept(fd, &mut from), from)
            }),
            Op::Accept4 { flags: f, .. } => {
                let f = flags(f)?;
                Box::new(move || {
                    let mut from = RawAddr::room();
                    Made::Accepted(os::accept4(fd, &mut from, f), from)
                })
            }
            Op::Writev { data, .. } => {
                let data: Vec<Vec<u8>> = data.iter().map(Payload::bytes).collect();
                Box::new(move || Made::Plain(calls::writev(fd, &data)))
            }
            Op::Send { data, flags: f, .. } => {
                let f = flags(f)?;
                let data = self.bytes_of(data, f);
                Box::new(move || Made::Plain(calls::send(fd, &data, f)))
            }
            Op::Sendto { data, flags: f, addr, .. } => {
                let (to, f) = (self.addr(addr, seen)?, flags(f)?);
                let data = self.bytes_of(data, f);
                Box::new(move || Made::Plain(calls::sendto(fd, &data, f, &to)))
            }
            Op::Sendmsg { .. } => self.sending_a_message(op, fd, seen)?,
            Op::Write { data, .. } => {
                let data = data.bytes();
                Box::new(move || Made::Plain(calls::write(fd, &data)))
            }
            Op::Shutdown { how, .. } => {
                let how = value(how.as_str())?;
                Box::new(move || Made::Plain(calls::shutdown(fd, how)))
            }
            Op::Close { .. } => {
                self.closes(fd);
                Box::new(move || Made::Plain(calls::close(fd)))
            }
            Op::Poll { .. }
            | Op::Ppoll { .. }
            | Op::Select { .. }
            | Op::Pselect { .. }
            | Op::EpollWait { .. }
            | Op::EpollPwait { .. }
            | Op::Recvmmsg { .. } => self.for_another(op)?,
            Op::Readv { lens, .. } => {
                let lens: Vec<usize> = lens.iter().map(|len| *len as usize).collect();
                let mut room = vec![0; lens.iter().sum()];
                Box::new(move || {
                    let returned = calls::readv(fd, &mut room, &lens);
                    let got = calls::Received { returned, flags: 0, messages: Vec::new() };
                    Made::Received(got, room, RawAddr::room())
                })
            }
            _ => self.receiving(op, fd)?,
        })
    }

    fn sending_a_message(
        &mut self,
        op: &Op,
        fd: RawFd,
        seen: &mut Option<SockAddr>,
    ) -> Result<Call, Fault> {
        let Op::Sendmsg { data, flags: f, addr, control, .. } = op else {
            return Err(Fault::Broken(format!("{} sends no message", op.call())));
        };
        let mut to = addr.as_ref().map(|a| self.addr(a, seen)).transpose()?;
        let messages: Result<Vec<_>, _> =
            control.iter().map(|c| options::message(c, self)).collect();
        let (f, messages) = (flags(f)?, messages?);
        let lens: Vec<usize> = data.parts().iter().map(Payload::len).collect();
        let data = self.bytes_of(data, f);
        Ok(Box::new(move || {
            let data = (&data[..], &lens[..]);
            Made::Plain(calls::sendmsg(fd, data, f, to.as_mut(), &messages))
        }))
    }

    /// Those that the first thread makes in slices, or by itself.
    fn for_another(&self, op: &Op) -> Result<Call, Fault> {
        Ok(match op {
            Op::Poll { fds, timeout_ms } => {
                let (mut list, ms) = (self.pollfds(fds)?, *timeout_ms);
                Box::new(move || Made::Polled(calls::poll(&mut list, ms), list))
            }
            Op::Ppoll { fds, .. } => {
                let (mut list, ms) = (self.pollfds(fds)?, op.timeout_ms().unwrap_or(-1));
                let mask = Runner::mask(op);
                Box::new(move || Made::Polled(os::ppoll(&mut list, ms, mask().as_ref()), list))
            }
            Op::Select { .. } | Op::Pselect { .. } => self.selecting(op)?,
            op => os::prepared(self, op)?,
        })
    }

    fn receiving(&mut self, op: &Op, fd: RawFd) -> Result<Call, Fault> {
        let (len, control_len, f) = match op {
            Op::Recv { len, flags: f, .. } | Op::Recvfrom { len, flags: f, .. } => {
                (*len, 0, flags(f)?)
            }
            Op::Recvmsg { len, control_len, flags: f, .. } => {
                (*len, *control_len as usize, flags(f)?)
            }
            Op::Read { len, .. } => (*len, 0, 0),
            _ => return Err(Fault::Broken(format!("{} receives nothing", op.call()))),
        };
        let lens = match op {
            Op::Recvmsg { lens, .. } if !lens.is_empty() => &lens[..],
            _ => std::slice::from_ref(&len),
        };
        let lens: Vec<usize> = lens.iter().map(|len| *len as usize).collect();
        let mut room = std::mem::take(&mut self.room);
        room.clear();
        room.resize(len as usize, 0);
        let call = op.call();
        Ok(Box::new(move || {
            let mut from = RawAddr::room();
            let alone = |returned| calls::Received { returned, flags: 0, messages: Vec::new() };
            let got = match call {
                "recv" => alone(calls::recv(fd, &mut room, f)),
                "recvfrom" => alone(calls::recvfrom(fd, &mut room, f, &mut from)),
                "recvmsg" => calls::recvmsg(fd, (&mut room, &lens), control_len, f, &mut from),
                _ => alone(calls::read(fd, &mut room)),
            };
            Made::Received(got, room, from)
        }))
    }

    /// What one of these calls gave.
    pub(super) fn finish(&mut self, op: &'c Op, made: Made) -> Result<Gave, Fault> {
        Ok(match made {
            Made::Plain(returned) => plain(returned),
            Made::Accepted(returned, from) => match op {
                Op::Accept { new, .. } | Op::Accept4 { new, .. } => {
                    self.keep(new, returned).map(|(ret, _)| (ret, address(&from)))
                }
                _ => return Err(Fault::Broken(format!("{} makes no socket", op.call()))),
            },
            Made::Other(told, _) => told(self),
            Made::Polled(returned, list) => {
                given(returned).map(|ret| (ret, Out::Poll(revents(&list))))
            }
            Made::Received(got, room, from) => {
                self.received.extend(received::descriptors(&got.messages));
                self.room = room;
                let known = &[
                    "MSG_CMSG_CLOEXEC",
                    "MSG_CTRUNC",
                    "MSG_EOR",
                    "MSG_ERRQUEUE",
                    "MSG_OOB",
                    "MSG_TRUNC",
                ];
                let out_flags = calls::named(got.flags, known);
                let control = got.messages.into_iter().map(control_out).collect();
                let named = matches!(op, Op::Recvfrom { .. } | Op::Recvmsg { .. });
                given(got.returned).map(|ret| {
                    // With MSG_TRUNC the value is the datagram's length, beyond what was copied.
                    let copied = usize::try_from(ret).unwrap_or(0).min(self.room.len());
                    let bytes = Hex(self.room[..copied].to_vec());
                    let from = if named { from.read() } else { None };
                    (ret, Out::Data { bytes, from, flags: out_flags, control })
                })
            }
        })
    }
}
