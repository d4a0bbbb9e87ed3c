//! The calls that resolve names: made with the lab's files in place of the host's.
//!
//! Each is made by a thread of its own, which ends with it. That thread can be in a mount namespace
//! that the executor is not in, what a C library learns of a name server (glibc's `_res`) does not
//! outlive the call, and the far ends answer while it waits.

use std::io::Write as _;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::mpsc::{self, TryRecvError};

use super::gave::{Fault, Gave};
use super::options::{flags, value};
use super::os::Files;
use super::sockaddr::RawAddr;
use super::{calls, os};
use crate::case::{Op, Sym};
use crate::threads;
use crate::trace::Out;

/// What is done while a call has not returned: the far ends answer, then nothing until one of them
/// has something to answer or the descriptor can be read.
pub(super) type Meanwhile<'m> = dyn FnMut(BorrowedFd<'_>) + 'm;

/// Makes the call in a thread that sees `files`.
///
/// No timer of the executor's decides when a query is answered: User-Mode Linux 5.10 was seen to
/// take a second for a wait of 100 µs, and after a second the call gives up.
fn apart<T: Send>(
    files: &Files,
    call: impl FnOnce() -> T + Send,
    meanwhile: &mut Meanwhile<'_>,
) -> Result<T, Fault> {
    let pipe = std::io::pipe().map_err(|e| Fault::Broken(format!("no pipe: {e}")))?;
    let (done, mut over) = pipe;
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        let started = threads::start_in(scope, move || {
            let made = os::see(files).map(|()| call());
            // Nobody listens only where this function has been left by a panic.
            let _ = sender.send(made);
            let _ = over.write_all(&[0]);
        });
        started.map_err(|e| Fault::Broken(e.to_string()))?;
        loop {
            match receiver.try_recv() {
                Ok(made) => return made.map_err(Fault::Broken),
                Err(TryRecvError::Empty) => meanwhile(done.as_fd()),
                Err(TryRecvError::Disconnected) => {
                    return Err(Fault::Broken("the call's thread ended without it".to_owned()));
                }
            }
        }
    })
}

pub(super) fn getaddrinfo(
    op: &Op,
    files: &Files,
    meanwhile: &mut Meanwhile<'_>,
) -> Result<Gave, Fault> {
    let Op::Getaddrinfo { node, service, family, r#type, flags: f } = op else {
        return Err(Fault::Broken("not getaddrinfo".to_owned()));
    };
    let hints = [value(family.as_str())?, flags(r#type)?, flags(f)?];
    let call = || calls::getaddrinfo(node.as_deref(), service.as_deref(), hints);
    Ok(apart(files, call, meanwhile)?.map(|list| (0, Out::Addrs(list))).map_err(os::eai))
}

pub(super) fn getnameinfo(
    op: &Op,
    addr: &RawAddr,
    files: &Files,
    meanwhile: &mut Meanwhile<'_>,
) -> Result<Gave, Fault> {
    let Op::Getnameinfo { host_len, service_len, flags: f, .. } = op else {
        return Err(Fault::Broken("not getnameinfo".to_owned()));
    };
    let f = flags(f)?;
    let room = (*host_len as usize, *service_len as usize);
    let call = || calls::getnameinfo(addr, room, f);
    let named = |(host, service)| (0, Out::Names { host, service });
    Ok(apart(files, call, meanwhile)?.map(named).map_err(os::eai))
}

/// What a failed call returned besides the name of its error.
pub(super) fn returned(op: &Op, error: &Sym) -> i64 {
    match op {
        Op::Getaddrinfo { .. } | Op::Getnameinfo { .. } => {
            let number = || error.as_str().strip_prefix("EAI ")?.parse().ok();
            os::eai_value(error.as_str()).or_else(number).map_or(-1, i64::from)
        }
        Op::IfNametoindex { .. } | Op::IfIndextoname { .. } => 0,
        _ => -1,
    }
}
