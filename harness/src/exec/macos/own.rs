//! The steps of a case that Darwin alone can take.

use std::time::Duration;

use libc::{c_int, c_uint};

use super::{errno, own_calls as calls};
use crate::case::addr::SockAddr;
use crate::case::op::Change;
use crate::case::{Hex, Op, Payload, Sym};
use crate::exec::calls::named;
use crate::exec::gave::{Fault, Gave, control_out, given};
use crate::exec::options::{Resolve as _, flags, value};
use crate::exec::received::descriptors;
use crate::exec::runner::Runner;
use crate::trace::{Kevent, Out, Received};

/// Makes one of Darwin's own calls.
pub(in crate::exec) fn own_call(
    runner: &mut Runner<'_>,
    number: u32,
    op: &Op,
    seen: &mut Option<SockAddr>,
) -> Result<Gave, Fault> {
    let fd = op.fd().map_or(-1, |name| runner.fd(name));
    Ok(match op {
        Op::Connectx { .. } => connectx(runner, number, op, seen)?,
        Op::Disconnectx { .. } => given(calls::disconnectx(fd)).map(|ret| (ret, Out::Nothing)),
        Op::SendmsgX { data, flags: f, addr, .. } => {
            let mut to = addr.as_ref().map(|addr| runner.addr(addr, seen)).transpose()?;
            let data: Vec<Vec<u8>> = data.iter().map(Payload::bytes).collect();
            let f = flags(f)?;
            let call = move || calls::sendmsg_x(fd, &data, to.as_mut(), f);
            given(runner.apart((number, op), call)?).map(|n| (n, Out::Nothing))
        }
        Op::RecvmsgX { count, len, control_len, flags: f, .. } => {
            let room = (*count as usize, *len as usize, *control_len as usize);
            let f = flags(f)?;
            let call = move || calls::recvmsg_x(fd, room, f);
            let (returned, got) = runner.apart((number, op), call)?;
            for got in &got {
                runner.received.extend(descriptors(&got.messages));
            }
            let got = got.into_iter().map(received).collect();
            given(returned).map(|ret| (ret, Out::Messages(got)))
        }
        Op::Kevent { changes, timeout_ms } => kevent(runner, number, changes, *timeout_ms)?,
        op if op.is_not_darwins() => return Err(Fault::Unsupported(op.call().to_owned())),
        op => return Err(Fault::Broken(format!("{} is everybody's", op.call()))),
    })
}

fn connectx(
    runner: &mut Runner<'_>,
    number: u32,
    op: &Op,
    seen: &mut Option<SockAddr>,
) -> Result<Gave, Fault> {
    let fd = op.fd().map_or(-1, |name| runner.fd(name));
    let Op::Connectx { link, source, addr, flags: f, data, .. } = op else {
        return Err(Fault::Broken(format!("{} connects nothing", op.call())));
    };
    let link = link.as_deref().map_or(Ok(0), |link| runner.index(link))?;
    let source = source.as_ref().map(|source| runner.addr(source, &mut None)).transpose()?;
    let to = runner.addr(addr, seen)?;
    let (data, f) = (data.as_ref().map(Payload::bytes), flags(f)? as c_uint);
    let sends = data.is_some();
    let call = move || {
        let ends = (link, source.as_ref(), &to);
        calls::connectx(fd, ends, f, data.as_deref())
    };
    let (returned, sent) = runner.apart((number, op), call)?;
    let sent = if sends { Out::Int(sent as i32) } else { Out::Nothing };
    Ok(match given(returned) {
        Ok(ret) => Ok((ret, sent)),
        Err(errno) => {
            // A connection that is being made may have taken data already.
            runner.beside = sent;
            Err(errno)
        }
    })
}

fn received(got: calls::Got) -> Received {
    Received {
        len: got.len as i64,
        bytes: Hex(got.bytes),
        from: got.from.read(),
        flags: named(got.flags, &["MSG_CTRUNC", "MSG_EOR", "MSG_OOB", "MSG_TRUNC"]),
        control: got.messages.into_iter().map(control_out).collect(),
    }
}

fn kevent(
    runner: &mut Runner<'_>,
    number: u32,
    changes: &[Change],
    timeout_ms: i32,
) -> Result<Gave, Fault> {
    let mut list = Vec::new();
    for (place, change) in changes.iter().enumerate() {
        let filter = value(change.filter.as_str())? as i16;
        let (flags, fflags) = (flags(&change.flags)? as u16, flags(&change.fflags)? as u32);
        let ident = runner.fd(&change.fd);
        list.push(calls::change(ident, filter, (flags, fflags, change.data), place));
    }
    let queue = match calls::kqueue() {
        Ok(queue) => queue,
        Err(number) => return Ok(Err(errno(number))),
    };
    let (mut register, mut events) = (&list[..], Vec::new());
    let gave = runner.in_slices(number, timeout_ms, |slice| {
        let slice = Duration::from_millis(u64::from(slice.unsigned_abs()));
        let ready = calls::kevent(&queue, register, list.len(), slice);
        register = &[];
        events = ready?;
        Ok(events.len() as i64)
    });
    if let Err(errno) = gave {
        return Ok(Err(errno));
    }
    // In the order of the changes: that in which a queue has them is nobody's promise.
    let mut events: Vec<(usize, Kevent)> =
        events.iter().filter_map(|event| said(event, changes)).collect();
    events.sort_by_key(|(place, _)| *place);
    let count = events.len() as i64;
    Ok(Ok((count, Out::Events(events.into_iter().map(|(_, event)| event).collect()))))
}

/// An event in the words of the headers, and the place of the change that asked for it.
fn said(event: &libc::kevent, changes: &[Change]) -> Option<(usize, Kevent)> {
    let place = event.udata as usize;
    let change = changes.get(place)?;
    let known = &[
        "EV_EOF",
        "EV_ERROR",
        "EV_OOBAND",
        "EV_ADD",
        "EV_ENABLE",
        "EV_DISABLE",
        "EV_ONESHOT",
        "EV_CLEAR",
        "EV_RECEIPT",
        "EV_DISPATCH",
    ];
    let flags = named(event.flags.into(), known);
    let has = |name: &str| flags.iter().any(|flag: &Sym| flag.as_str() == name);
    let fflags = match event.fflags as c_int {
        0 => Vec::new(),
        number if has("EV_EOF") => vec![errno(number)],
        bits => named(bits, &["NOTE_LOWAT", "NOTE_OOB"]),
    };
    let error = has("EV_ERROR").then(|| errno(event.data as c_int));
    let data = if error.is_some() { 0 } else { event.data as i64 };
    let (fd, filter) = (change.fd.clone(), change.filter.clone());
    Some((place, Kevent { fd, filter, flags, fflags, data, error }))
}
