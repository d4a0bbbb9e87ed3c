//! The steps of a case that Darwin cannot take: Linux's own calls, and those that Darwin has not got.

use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::sync::Arc;

use libc::{c_int, ssize_t};
use nix::sys::signal::SigSet;

use super::value;
use crate::case::addr::SockAddr;
use crate::case::op::Control;
use crate::case::{Hex, Op};
use crate::exec::calls::{self, named};
use crate::exec::gave::{Fault, Gave, Message, Returned, control_out, given, plain};
use crate::exec::options::{self, flags};
use crate::exec::received::descriptors;
use crate::exec::runner::Runner;
use crate::exec::sockaddr::RawAddr;
use crate::exec::waiting::{Call, Made};
use crate::trace::{Out, Ready, Received};

pub(super) fn returned(ret: i64) -> Returned {
    if ret < 0 { Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(0)) } else { Ok(ret) }
}

fn size(ret: ssize_t) -> Returned {
    returned(ret as i64)
}

/// Makes one of these calls.
pub(in crate::exec) fn own_call(
    runner: &mut Runner<'_>,
    number: u32,
    op: &Op,
    seen: &mut Option<SockAddr>,
) -> Result<Gave, Fault> {
    let fd = op.fd().map_or(-1, |name| runner.fd(name));
    Ok(match op {
        Op::Sendmmsg { data, flags: f, addr, control, .. } => {
            let mut to = addr.as_ref().map(|addr| runner.addr(addr, seen)).transpose()?;
            let f = flags(f)?;
            let each = |all: &Vec<Control>| {
                all.iter().map(|one| options::message(one, runner)).collect::<Result<Vec<_>, _>>()
            };
            let control = control.iter().map(each).collect::<Result<Vec<_>, _>>()?;
            let data: Vec<_> = data.iter().map(|data| runner.bytes_of(data, f)).collect();
            let call = move || sendmmsg(fd, &data, &control, to.as_mut(), f);
            let (returned, short) = runner.apart((number, op), call)?;
            runner.short = short;
            plain(returned)
        }
        Op::Recvmmsg { .. } => recvmmsg_step(runner, number, op, fd)?,
        Op::Sendfile { file, offset, count, .. } => {
            let (file, count) = (runner.fd(file), *count as usize);
            let mut at = *offset;
            let call = move || {
                let pointer = at.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
                // SAFETY: the offset is null or one `off_t`.
                (size(unsafe { libc::sendfile(fd, file, pointer, count) }), at)
            };
            let (returned, behind) = runner.apart((number, op), call)?;
            given(returned).map(|ret| (ret, behind.map_or(Out::Nothing, Out::Offset)))
        }
        Op::Splice { from, to, count, flags: f } => {
            let (from, to, f) = (runner.fd(from), runner.fd(to), flags(f)?.cast_unsigned());
            let count = *count as usize;
            let call = move || {
                let none = std::ptr::null_mut();
                // SAFETY: without offsets it takes its arguments by value.
                size(unsafe { libc::splice(from, none, to, none, count, f) })
            };
            plain(runner.apart((number, op), call)?)
        }
        Op::EpollCtl { op, target, events, .. } => {
            let place = runner.sockets.iter().rposition(|(name, _)| name == target);
            let data = place.and_then(|place| u64::try_from(place).ok()).unwrap_or(u64::MAX);
            let events = flags(events)?.cast_unsigned();
            let mut event = libc::epoll_event { events, u64: data };
            let (target, op) = (runner.fd(target), value_of(op.as_str())?);
            // SAFETY: the event outlives the call.
            plain(returned(unsafe { libc::epoll_ctl(fd, op, target, &raw mut event) }.into()))
        }
        Op::EpollWait { .. } | Op::EpollPwait { .. } => epoll_wait(runner, number, op, fd)?,
        op if op.is_darwins() => return Err(Fault::Unsupported(op.call().to_owned())),
        op => return Err(Fault::Broken(format!("{} is everybody's", op.call()))),
    })
}

fn value_of(name: &str) -> Result<c_int, Fault> {
    value(name).ok_or_else(|| Fault::Unsupported(name.to_owned()))
}

/// `epoll_create1(flags)`
pub(in crate::exec) fn epoll_create1(flags: c_int) -> Returned {
    // SAFETY: takes its argument by value.
    returned(unsafe { libc::epoll_create1(flags) }.into())
}

/// The family of a socket as the kernel has it; none of what is no socket.
pub(in crate::exec) fn family(fd: RawFd) -> Option<c_int> {
    let mut value = vec![0; size_of::<c_int>()];
    calls::getsockopt(fd, libc::SOL_SOCKET, libc::SO_DOMAIN, &mut value).ok()?;
    value.try_into().ok().map(c_int::from_ne_bytes)
}

/// `accept4(fd, addr, flags)`
pub(in crate::exec) fn accept4(fd: RawFd, addr: &mut RawAddr, flags: c_int) -> Returned {
    let len = &raw mut addr.len;
    // SAFETY: the address has room for the length that it says.
    returned(unsafe { libc::accept4(fd, addr.as_mut_ptr(), len, flags) }.into())
}

/// `ppoll(fds, n, timeout, mask)`
pub(in crate::exec) fn ppoll(
    fds: &mut [libc::pollfd],
    timeout_ms: c_int,
    mask: Option<&SigSet>,
) -> Returned {
    let time = u32::try_from(timeout_ms).ok().map(calls::timespec);
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let (at, n, mask) = (fds.as_mut_ptr(), fds.len() as libc::nfds_t, calls::mask_at(mask));
    // SAFETY: the array is valid for its length, and the time and the mask are null or outlive the call.
    returned(unsafe { libc::ppoll(at, n, time, mask) }.into())
}

/// What it returned, and whether the last message that it counts did not go as a whole.
fn sendmmsg(
    fd: RawFd,
    data: &[Arc<Vec<u8>>],
    control: &[Vec<Message>],
    to: Option<&mut RawAddr>,
    flags: c_int,
) -> (Returned, bool) {
    let name = to.map(|to| (to.as_mut_ptr().cast(), to.len));
    let mut iovs: Vec<libc::iovec> = data.iter().map(|data| calls::iovec(data)).collect();
    let mut rooms: Vec<_> = control.iter().map(|all| calls::control_of(all)).collect();
    let mut rooms = rooms.iter_mut();
    let mut headers: Vec<libc::mmsghdr> = iovs
        .iter_mut()
        .map(|iov| {
            // SAFETY: all zeros is a valid `struct mmsghdr`.
            let mut header: libc::mmsghdr = unsafe { MaybeUninit::zeroed().assume_init() };
            header.msg_hdr.msg_iov = iov;
            header.msg_hdr.msg_iovlen = 1;
            if let Some((at, len)) = name {
                (header.msg_hdr.msg_name, header.msg_hdr.msg_namelen) = (at, len);
            }
            if let Some((room, len)) = rooms.next().filter(|(_, len)| *len > 0) {
                header.msg_hdr.msg_control = room.as_mut_ptr().cast();
                header.msg_hdr.msg_controllen = *len as _;
            }
            header
        })
        .collect();
    let n = headers.len() as u32;
    // SAFETY: the headers' parts outlive the call. The type of the flags differs between C libraries.
    let ret = returned(unsafe { libc::sendmmsg(fd, headers.as_mut_ptr(), n, flags as _) }.into());
    let counted = ret.ok().and_then(|n| usize::try_from(n).ok()).unwrap_or(0).min(data.len());
    let mut sent = headers.iter().zip(data).take(counted);
    (ret, sent.any(|(header, data)| (header.msg_len as usize) < data.len()))
}

/// A datagram of `recvmmsg`, as the kernel left it.
struct Got {
    len: u32,
    bytes: Vec<u8>,
    from: RawAddr,
    flags: c_int,
    messages: Vec<Message>,
}

fn recvmmsg(
    fd: RawFd,
    (count, len, control_len): (usize, usize, usize),
    flags: c_int,
    timeout_ms: Option<u32>,
) -> (Returned, Vec<Got>) {
    let mut rooms = vec![vec![0u8; len]; count];
    let mut controls = vec![vec![0u64; control_len.div_ceil(size_of::<u64>())]; count];
    let mut names: Vec<RawAddr> = (0..count).map(|_| RawAddr::room()).collect();
    let mut iovs: Vec<libc::iovec> = rooms.iter_mut().map(|room| calls::iovec_mut(room)).collect();
    let mut headers: Vec<libc::mmsghdr> = Vec::with_capacity(count);
    for ((iov, name), control) in iovs.iter_mut().zip(&mut names).zip(&mut controls) {
        // SAFETY: all zeros is a valid `struct mmsghdr`.
        let mut header: libc::mmsghdr = unsafe { MaybeUninit::zeroed().assume_init() };
        (header.msg_hdr.msg_iov, header.msg_hdr.msg_iovlen) = (iov, 1);
        (header.msg_hdr.msg_name, header.msg_hdr.msg_namelen) =
            (name.as_mut_ptr().cast(), name.len);
        if control_len > 0 {
            header.msg_hdr.msg_control = control.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = control_len as _;
        }
        headers.push(header);
    }
    let mut time = timeout_ms.map(calls::timespec);
    let time = time.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
    let (at, n) = (headers.as_mut_ptr(), headers.len() as u32);
    // SAFETY: the headers' parts outlive the call. The type of the flags differs between C libraries.
    let ret = returned(unsafe { libc::recvmmsg(fd, at, n, flags as _, time) }.into());
    let many = ret.ok().and_then(|n| usize::try_from(n).ok()).unwrap_or(0).min(count);
    let parts = headers.iter().zip(rooms).zip(names);
    let got = parts.take(many).map(|((header, mut bytes), mut from)| {
        // SAFETY: the header describes its control buffer as the kernel left it.
        let messages = unsafe { calls::messages(&header.msg_hdr) };
        bytes.truncate(header.msg_len as usize);
        from.len = header.msg_hdr.msg_namelen;
        Got { len: header.msg_len, bytes, from, flags: header.msg_hdr.msg_flags, messages }
    });
    (ret, got.collect())
}

fn recvmmsg_step(runner: &mut Runner<'_>, number: u32, op: &Op, fd: RawFd) -> Result<Gave, Fault> {
    let made = runner.apart((number, op), receiving(op, fd)?)?;
    Ok(tell_messages(runner, made))
}

/// The call of `recvmmsg`, ready for whichever thread.
fn receiving(
    op: &Op,
    fd: RawFd,
) -> Result<impl FnOnce() -> (Returned, Vec<Got>) + Send + 'static, Fault> {
    let Op::Recvmmsg { count, len, control_len, flags: f, timeout_ms, .. } = op else {
        return Err(Fault::Broken(format!("{} receives nothing", op.call())));
    };
    let room = (*count as usize, *len as usize, *control_len as usize);
    let (f, timeout_ms) = (flags(f)?, *timeout_ms);
    Ok(move || recvmmsg(fd, room, f, timeout_ms))
}

fn tell_messages(runner: &mut Runner<'_>, (ret, got): (Returned, Vec<Got>)) -> Gave {
    for got in &got {
        runner.received.extend(descriptors(&got.messages));
    }
    let known =
        &["MSG_CMSG_CLOEXEC", "MSG_CTRUNC", "MSG_EOR", "MSG_ERRQUEUE", "MSG_OOB", "MSG_TRUNC"];
    let messages = got.into_iter().map(|got| Received {
        len: got.len.into(),
        bytes: Hex(got.bytes),
        from: got.from.read(),
        flags: named(got.flags, known),
        control: got.messages.into_iter().map(control_out).collect(),
    });
    let messages = messages.collect();
    given(ret).map(|ret| (ret, Out::Messages(messages)))
}

/// One of the calls that wait and are Linux's, for another thread.
pub(in crate::exec) fn prepared(runner: &Runner<'_>, op: &Op) -> Result<Call, Fault> {
    let fd = op.fd().map_or(-1, |name| runner.fd(name));
    if let Op::EpollWait { .. } | Op::EpollPwait { .. } = op {
        let (mut room, wait) = (events(op)?, waiting(op, fd));
        let ms = op.timeout_ms().unwrap_or(-1);
        return Ok(Box::new(move || {
            let ret = wait(&mut room, ms);
            Made::Other(Box::new(move |runner| Ok(tell_ready(runner, given(ret)?, room))), vec![])
        }));
    }
    let call = receiving(op, fd)?;
    Ok(Box::new(move || {
        let made = call();
        let fds = made.1.iter().flat_map(|got| descriptors(&got.messages)).collect();
        Made::Other(Box::new(move |runner| tell_messages(runner, made)), fds)
    }))
}

/// Room for as many events as it asks for.
fn events(op: &Op) -> Result<Vec<libc::epoll_event>, Fault> {
    let (Op::EpollWait { max, .. } | Op::EpollPwait { max, .. }) = op else {
        return Err(Fault::Broken(format!("{} waits for no events", op.call())));
    };
    Ok(vec![libc::epoll_event { events: 0, u64: 0 }; *max as usize])
}

/// The call itself, with its mask if it has one.
fn waiting(
    op: &Op,
    fd: RawFd,
) -> impl Fn(&mut [libc::epoll_event], c_int) -> Returned + Send + 'static {
    let (plain, mask) = (matches!(op, Op::EpollWait { .. }), Runner::mask(op));
    move |room, ms| {
        let max = c_int::try_from(room.len()).unwrap_or(c_int::MAX);
        let at = room.as_mut_ptr();
        if plain {
            // SAFETY: there is room for so many events.
            return returned(unsafe { libc::epoll_wait(fd, at, max, ms) }.into());
        }
        let mask = mask();
        let mask = calls::mask_at(mask.as_ref());
        // SAFETY: there is room for so many events, and the mask is null or outlives the call.
        returned(unsafe { libc::epoll_pwait(fd, at, max, ms, mask) }.into())
    }
}

fn epoll_wait(runner: &mut Runner<'_>, number: u32, op: &Op, fd: RawFd) -> Result<Gave, Fault> {
    let (mut room, wait) = (events(op)?, waiting(op, fd));
    let timeout_ms = op.timeout_ms().unwrap_or(-1);
    let ret = runner.in_slices(number, timeout_ms, |slice| wait(&mut room, slice));
    Ok(ret.map(|ret| tell_ready(runner, ret, room)))
}

fn tell_ready(runner: &Runner<'_>, ret: i64, room: Vec<libc::epoll_event>) -> (i64, Out) {
    let mut ready = room;
    ready.truncate(usize::try_from(ret).unwrap_or(0));
    // In no order that a manual page tells.
    ready.sort_by_key(|event| event.u64);
    let of = |event: &libc::epoll_event| {
        let (place, events) = (event.u64, event.events);
        let name = usize::try_from(place).ok().and_then(|place| runner.sockets.get(place));
        let fd = name.map_or_else(String::new, |(name, _)| (*name).to_owned());
        Ready { fd, events: named(events.cast_signed(), EVENTS) }
    };
    (ret, Out::Ready(ready.iter().map(of).collect()))
}

/// What `epoll_wait` reports (`epoll_ctl(2)`).
const EVENTS: &[&str] = &[
    "EPOLLIN",
    "EPOLLPRI",
    "EPOLLOUT",
    "EPOLLERR",
    "EPOLLHUP",
    "EPOLLRDHUP",
    "EPOLLRDNORM",
    "EPOLLRDBAND",
    "EPOLLWRNORM",
    "EPOLLWRBAND",
    "EPOLLMSG",
];
