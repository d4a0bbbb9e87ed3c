//! What a call gave, and why a step could not be taken.

use std::os::fd::RawFd;
use std::time::Duration;

use libc::c_int;

use super::os;
use super::sockaddr::RawAddr;
use crate::case::{Hex, Sym};
use crate::trace::{ControlOut, Out};

/// How long a step may wait for what never comes, beyond what it asks to wait itself.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// What a closed socket's name stands for: the number that it had may be that of another descriptor by
/// now, of the case or of the executor, and no descriptor has this one (`fs.nr_open`, proc(5)). Unlike
/// -1, which `poll` ignores, it is a descriptor that is not open (poll(2), POLLNVAL).
pub(super) const CLOSED: RawFd = RawFd::MAX;

/// Why a step could not be taken as the case has it.
#[derive(Debug)]
pub(super) enum Fault {
    /// This system has not got that name.
    Unsupported(String),
    /// The case or the lab is at fault.
    Broken(String),
}

/// What a call gave: its value and what it wrote, or errno.
pub(super) type Gave = Result<(i64, Out), Sym>;

/// What a call returned, and errno if it was -1.
pub(super) type Returned = Result<i64, c_int>;

/// One control message: level, type, data.
pub(super) type Message = (c_int, c_int, Vec<u8>);

pub(super) fn given(returned: Returned) -> Result<i64, Sym> {
    returned.map_err(os::errno)
}

pub(super) fn plain(returned: Returned) -> Gave {
    given(returned).map(|ret| (ret, Out::Nothing))
}

pub(super) fn address(raw: &RawAddr) -> Out {
    raw.read().map_or(Out::Nothing, Out::Addr)
}

pub(super) fn control_out((level, kind, data): Message) -> ControlOut {
    let (level, name) = os::control_name(level, kind);
    ControlOut { level, name, bytes: Hex(data) }
}
