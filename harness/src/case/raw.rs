//! Calls as they are: with a pointer that leads nowhere, a length that lies.
//!
//! What such a call is given is written out, argument by argument. So that none of it reaches memory that is not
//! the call's own, a pointer leads to one page that nobody may touch, to nothing, or to a buffer that is longer
//! than any length that a case may write.

use super::addr::Addr;
use super::arg::MOST;
use super::op::Control;
use super::{Flags, Hex, Op};

pub use super::arg::{Arg, Message, Part, Place, ROOM};

use Place::{Fd, Len, LenAt, Names, Number, Pointer, Size};

/// The calls that can be made so, with their arguments as the manual pages have them.
pub const CALLS: &[(&str, &[Place])] = &[
    ("accept", &[Fd, Pointer, LenAt]),
    ("accept4", &[Fd, Pointer, LenAt, Names]),
    ("bind", &[Fd, Pointer, Len]),
    ("connect", &[Fd, Pointer, Len]),
    ("epoll_ctl", &[Fd, Names, Fd, Pointer]),
    ("epoll_wait", &[Fd, Pointer, Len, Number]),
    ("getpeername", &[Fd, Pointer, LenAt]),
    ("getsockname", &[Fd, Pointer, LenAt]),
    ("getsockopt", &[Fd, Names, Names, Pointer, LenAt]),
    ("ioctl", &[Fd, Names, Pointer]),
    ("poll", &[Pointer, Len, Number]),
    ("ppoll", &[Pointer, Len, Pointer, Pointer]),
    ("read", &[Fd, Pointer, Size]),
    ("readv", &[Fd, Pointer, Len]),
    ("recv", &[Fd, Pointer, Size, Names]),
    ("recvfrom", &[Fd, Pointer, Size, Names, Pointer, LenAt]),
    ("recvmmsg", &[Fd, Pointer, Len, Names, Pointer]),
    ("recvmsg", &[Fd, Pointer, Names]),
    ("select", &[Len, Pointer, Pointer, Pointer, Pointer]),
    ("send", &[Fd, Pointer, Size, Names]),
    ("sendfile", &[Fd, Fd, Pointer, Size]),
    ("sendmmsg", &[Fd, Pointer, Len, Names]),
    ("sendmsg", &[Fd, Pointer, Names]),
    ("sendto", &[Fd, Pointer, Size, Names, Pointer, Len]),
    ("setsockopt", &[Fd, Names, Names, Pointer, Len]),
    ("socketpair", &[Names, Names, Names, Pointer]),
    ("write", &[Fd, Pointer, Size]),
    ("writev", &[Fd, Pointer, Len]),
];

/// The arguments of a call that can be made so.
pub fn places(call: &str) -> Option<(&'static str, &'static [Place])> {
    CALLS.iter().find(|(name, _)| *name == call).copied()
}

/// Those that Darwin has not got.
const LINUXS: [&str; 7] =
    ["accept4", "epoll_ctl", "epoll_wait", "ppoll", "recvmmsg", "sendfile", "sendmmsg"];

/// Whether Darwin has not got the call.
pub(super) fn is_not_darwins(call: &str) -> bool {
    LINUXS.contains(&call)
}

/// Every descriptor that it is given by name.
pub(super) fn descriptors(args: &[Arg]) -> Vec<&str> {
    let rights = controls(args).iter().filter_map(|one| match one {
        Control::Rights { fds } => Some(fds),
        _ => None,
    });
    let given =
        args.iter().filter_map(|arg| if let Arg::Fd(name) = arg { Some(name) } else { None });
    given.chain(rights.flatten()).map(String::as_str).collect()
}

/// Its message, of a call that has one and tells it.
fn message(args: &[Arg]) -> Option<&Message> {
    args.iter()
        .find_map(|arg| if let Arg::Message(message) = arg { Some(&**message) } else { None })
}

/// The control messages that it is given.
pub(super) fn controls(args: &[Arg]) -> &[Control] {
    message(args).map_or(&[], |message| &message.controls)
}

/// Its parts, be they its own or its message's.
fn parts(args: &[Arg]) -> &[Part] {
    let mut all = args.iter().chain(message(args).map(|message| &message.iov));
    all.find_map(|arg| if let Arg::Parts(parts) = arg { Some(&parts[..]) } else { None })
        .unwrap_or_default()
}

/// The address that it is given.
pub(super) fn addr(args: &[Arg]) -> Option<&Addr> {
    let mut all = args.iter().chain(message(args).map(|message| &message.name));
    all.find_map(|arg| if let Arg::Addr(addr) = arg { Some(addr) } else { None })
}

/// How many things it is given at once.
pub(super) fn many(args: &[Arg]) -> usize {
    args.len() + parts(args).len() + controls(args).len() + descriptors(args).len()
}

/// The descriptor that it is made on.
pub(super) fn fd(args: &[Arg]) -> Option<&str> {
    match args.first() {
        Some(Arg::Fd(name)) => Some(name),
        _ => None,
    }
}

/// Its flags, of a call that has some and no other constants.
pub(super) fn flags(args: &[Arg]) -> Option<&Flags> {
    args.iter().find_map(|arg| if let Arg::Names(names) = arg { Some(names) } else { None })
}

/// Whether one of its constants has this name.
pub(super) fn names(args: &[Arg], name: &str) -> bool {
    args.iter().any(|arg| matches!(arg, Arg::Names(names) if names.has(name)))
}

/// Those of the calls that send.
pub(super) const SENDS: [&str; 7] =
    ["send", "sendfile", "sendmmsg", "sendmsg", "sendto", "write", "writev"];

/// Those that receive.
pub(super) const TAKES: [&str; 6] = ["read", "readv", "recv", "recvfrom", "recvmmsg", "recvmsg"];

/// What parts have, if each is whole and they are as many as is said.
fn gathered(call: &str, args: &[Arg]) -> Option<Vec<u8>> {
    let all = parts(args);
    let many = match message(args) {
        Some(message) => message.iovlen,
        None if call == "writev" => size(args).and_then(|many| i64::try_from(many).ok()),
        None => return None,
    };
    if all.is_empty() || many.is_some_and(|many| usize::try_from(many) != Ok(all.len())) {
        return None;
    }
    let mut bytes = Vec::new();
    for Part { base, len } in all {
        let len = usize::try_from(*len).ok().filter(|len| *len <= ROOM)?;
        let end = bytes.len() + len;
        match base {
            Arg::Room => {}
            Arg::Bytes(has) => bytes.extend_from_slice(&has.0[..len.min(has.0.len())]),
            Arg::Null | Arg::Bad if len == 0 => {}
            _ => return None,
        }
        bytes.resize(end, 0);
    }
    Some(bytes)
}

/// What it sends as one, if the arguments tell: behind the bytes of a buffer are zeros.
pub(super) fn written(call: &str, args: &[Arg]) -> Option<Vec<u8>> {
    if ["sendmsg", "writev"].contains(&call) {
        return gathered(call, args);
    }
    if !["send", "sendto", "write"].contains(&call) {
        return None;
    }
    let size = size(args).filter(|size| *size <= ROOM)?;
    let mut bytes = match args.get(1)? {
        Arg::Room => Vec::new(),
        Arg::Bytes(bytes) => bytes.0.clone(),
        Arg::Null | Arg::Bad if size == 0 => Vec::new(),
        _ => return None,
    };
    bytes.resize(size, 0);
    Some(bytes)
}

/// How long a call waits that is given a time, in milliseconds: -1 without one. `ROOM` is no time at all.
pub(super) fn timeout_ms(call: &str, args: &[Arg]) -> Option<i32> {
    let at = match call {
        "poll" | "ppoll" => 2,
        "epoll_wait" => 3,
        "select" => 4,
        _ => return None,
    };
    match args.get(at)? {
        Arg::Number(ms) => i32::try_from(*ms).ok(),
        Arg::Null => Some(-1),
        Arg::Room => Some(0),
        _ => None,
    }
}

/// The `size_t` of a call that has one, always the third.
pub(super) fn size(args: &[Arg]) -> Option<usize> {
    match args.get(2) {
        Some(Arg::Number(n)) => usize::try_from(*n).ok(),
        _ => None,
    }
}

/// How many bytes it may be given, or may write.
pub(super) fn room(call: &str, args: &[Arg]) -> u64 {
    let places = places(call).map_or(&[][..], |(_, places)| places);
    let lens = args.iter().zip(places).map(|(arg, place)| match (arg, place) {
        // There is no more behind any pointer, whatever the length says.
        (Arg::Number(n), Len | Size) => u64::try_from(*n.min(&MOST)).unwrap_or(0),
        _ => 0,
    });
    let inside = parts(args).iter().map(|part| part.len);
    let inside = inside.chain(message(args).and_then(|message| message.controllen));
    let inside = inside.map(|len| u64::try_from(len).unwrap_or(0));
    lens.chain(inside).fold(0, u64::saturating_add)
}

/// In which place a call has an address.
fn address_of(call: &str) -> Option<usize> {
    match call {
        "bind" | "connect" => Some(1),
        "sendto" => Some(4),
        _ => None,
    }
}

/// That a pointer leads to nothing that the kernel would take for pointers, or for descriptors.
fn what_it_leads_to(name: &str, args: &[Arg]) -> Result<(), String> {
    structures(name, args)?;
    // The parts of a structure are pointers, too: `struct msghdr`, `struct iovec`.
    if INSIDE.contains(&name) && args.iter().any(|arg| matches!(arg, Arg::Bytes(_) | Arg::Addr(_)))
    {
        return Err(format!("{name}: what it points to is NULL, BAD or ROOM"));
    }
    // A `struct pollfd` of zeros is descriptor 0, which is the executor's.
    if name == "poll" && args.iter().any(Arg::leads) {
        return Err("poll: what it points to is NULL or BAD".to_owned());
    }
    waits(name, args)?;
    // `struct tcp_zerocopy_receive` and others are read first, and their pointers are written to.
    if name == "getsockopt" && args.iter().any(|arg| matches!(arg, Arg::Bytes(_))) {
        return Err("getsockopt: what it points to is NULL, BAD or ROOM".to_owned());
    }
    if args.iter().any(|arg| matches!(arg, Arg::Bytes(bytes) if bytes.0.is_empty())) {
        return Err(format!("{name}: no bytes are a pointer to zeros, which is ROOM"));
    }
    // By its bytes it could be a path of the host's, or lead beyond the lab.
    let at = address_of(name);
    if at.is_some_and(|at| matches!(args.get(at), Some(Arg::Bytes(_)))) {
        return Err(format!("{name}: an address is written as one"));
    }
    // In another place it would be bytes of any kind.
    let mut places = args.iter().enumerate().filter(|(_, arg)| matches!(arg, Arg::Addr(_)));
    match places.find(|(place, _)| Some(*place) != at) {
        Some((place, _)) => Err(format!("{name}: argument {} is no address", place + 1)),
        None => Ok(()),
    }
}

/// The calls whose pointer leads to structures that hold pointers, descriptors, or room for them.
const INSIDE: [&str; 14] = [
    "sendmsg",
    "recvmsg",
    "readv",
    "writev",
    "poll",
    "ioctl",
    "socketpair",
    "epoll_ctl",
    "epoll_wait",
    "ppoll",
    "recvmmsg",
    "select",
    "sendfile",
    "sendmmsg",
];

/// Of the calls that wait for several: `struct epoll_event` and `struct pollfd` of zeros stand for the executor's
/// descriptors, and what a C library reads by itself, a time, ends the executor where it cannot be read.
fn waits(name: &str, args: &[Arg]) -> Result<(), String> {
    let nowhere: &[usize] = match name {
        "epoll_ctl" => &[3],
        "ppoll" => &[0, 3],
        _ => &[],
    };
    if nowhere.iter().any(|at| args.get(*at).is_some_and(Arg::leads)) {
        return Err(format!("{name}: what it points to is NULL or BAD"));
    }
    if name == "sendfile" && args.get(2) == Some(&Arg::Null) {
        return Err("sendfile: without an offset nothing is written out".to_owned());
    }
    let time = match name {
        "ppoll" => args.get(2),
        "select" => args.get(4),
        _ => None,
    };
    match time {
        Some(Arg::Bad) => Err(format!("{name}: its time is NULL or ROOM, which is none at all")),
        _ => Ok(()),
    }
}

/// Where data is, and so may end at a page that nobody may touch: of which argument.
fn data_of(call: &str) -> Option<usize> {
    ["read", "recv", "recvfrom", "send", "sendto", "write"].contains(&call).then_some(1)
}

/// How many parts a case tells; each has room of its own.
pub(crate) const MOST_OF_PARTS: usize = 16;

/// As many `struct iovec` as there is room for.
const MOST_OF_IOVECS: i64 = 4096;

/// That structures and data that ends at a bad page stand where the call has them, and so what is within.
fn structures(name: &str, args: &[Arg]) -> Result<(), String> {
    for (at, arg) in args.iter().enumerate() {
        let stands = match arg {
            Arg::Edge(bytes) => {
                edge(name, bytes)?;
                data_of(name) == Some(at)
            }
            Arg::Parts(_) => ["readv", "writev"].contains(&name),
            Arg::Message(_) => ["recvmsg", "sendmsg"].contains(&name),
            _ => true,
        };
        if !stands {
            return Err(format!("{name}: argument {} is no such structure", at + 1));
        }
    }
    let all = parts(args);
    let lists = args.iter().chain(message(args).map(|message| &message.iov));
    if lists.into_iter().any(|arg| matches!(arg, Arg::Parts(none) if none.is_empty())) {
        return Err(format!("{name}: no parts at all are NULL"));
    }
    if all.len() > MOST_OF_PARTS {
        return Err(format!("{name}: {MOST_OF_PARTS} parts at the most"));
    }
    all.iter().try_for_each(|one| part(name, one))?;
    message(args).map_or(Ok(()), |message| within(name, message))
}

/// Data in front of a bad page lies in one page.
fn edge(name: &str, bytes: &Hex) -> Result<(), String> {
    if bytes.0.is_empty() || bytes.0.len() > 4096 {
        return Err(format!("{name}: 1 to 4096 bytes stand before BAD"));
    }
    Ok(())
}

/// That a part leads to data, and its length is one that there is.
fn part(name: &str, part: &Part) -> Result<(), String> {
    match &part.base {
        Arg::Bytes(bytes) if bytes.0.is_empty() || bytes.0.len() > ROOM => {
            return Err(format!("{name}: no bytes are a pointer to zeros, which is ROOM"));
        }
        Arg::Edge(bytes) => edge(name, bytes)?,
        Arg::Null | Arg::Bad | Arg::Room | Arg::Bytes(_) => {}
        _ => return Err(format!("{name}: a part is NULL, BAD, ROOM or bytes")),
    }
    // Of a pointer that leads nowhere no length reaches anything.
    let none = matches!(part.base, Arg::Null | Arg::Bad) && part.len == -1;
    if none || usize::try_from(part.len).is_ok_and(|len| len <= ROOM) {
        return Ok(());
    }
    Err(format!("{name}: the length of a part is 0 to {ROOM}, or -1 where it leads nowhere"))
}

/// That what a message points to is none of the executor's, and no longer than it is. A `recvmsg` writes there: not
/// into an address of the case's, and at the most what there is room for.
fn within(name: &str, message: &Message) -> Result<(), String> {
    let sends = name == "sendmsg";
    let Message { name: to, iov, control, .. } = message;
    let plain = |arg: &Arg| matches!(arg, Arg::Null | Arg::Bad | Arg::Room);
    if !(plain(to) || sends && matches!(to, Arg::Addr(_))) {
        return Err(format!(
            "{name}: msg_name is NULL, BAD, ROOM or the address that it is sent to"
        ));
    }
    if !(plain(iov) || matches!(iov, Arg::Parts(_))) {
        return Err(format!("{name}: msg_iov is NULL, BAD, ROOM or a list"));
    }
    let none = message.controls.is_empty();
    if !(plain(control) && (none || sends && *control == Arg::Null)) {
        return Err(format!("{name}: msg_control is NULL, BAD, ROOM or what is sent"));
    }
    if message.controls.iter().any(|one| matches!(one, Control::PktInfo { .. })) {
        return Err(format!("{name}: beside pointers stand no such control messages"));
    }
    let fields = [
        ("msg_namelen", to, message.namelen, MOST, true),
        ("msg_iovlen", iov, message.iovlen, MOST_OF_IOVECS, false),
        ("msg_controllen", control, message.controllen, MOST, sends),
    ];
    for (field, arg, len, most, signed) in fields {
        match len {
            None if arg.is_of_no_length() => return Err(format!("{name}: {field} is missing")),
            Some(len) if !((0..=most).contains(&len) || signed && len == -1) => {
                let or = if signed { ", or -1" } else { "" };
                return Err(format!("{name}: {field} is 0 to {most}{or}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether it is `setsockopt` with the longest length of its type, and none of a case's bytes: a kernel may read on behind
/// them.
fn is_the_longest(call: &str, args: &[Arg]) -> bool {
    let len = Arg::Number(i32::MAX.into());
    call == "setsockopt"
        && args.last() == Some(&len)
        && !matches!(args[3], Arg::Bytes(_) | Arg::Edge(_))
}

/// What is wrong with such a call.
pub(super) fn check(op: &Op) -> Result<(), String> {
    let Op::Raw { call, args } = op else { return Ok(()) };
    let Some((name, places)) = places(call) else {
        return Err(format!("{call:.30?} is no call that takes a pointer"));
    };
    if args.len() != places.len() {
        return Err(format!("{name} has {} arguments", places.len()));
    }
    if let Some(at) = args.iter().zip(places).position(|(arg, place)| !arg.fits(*place)) {
        return Err(format!("{name}: argument {} is none of its kind", at + 1));
    }
    what_it_leads_to(name, args)?;
    let pointer = args.iter().zip(places).find(|(_, place)| **place == Pointer);
    let gives = match (name, pointer) {
        // Without an address it is given, and where the length leads nobody looks (`net/socket.c` `do_accept`).
        ("accept" | "accept4", Some((arg, _))) => *arg != Arg::Bad,
        ("socketpair", Some((arg, _))) => arg.leads(),
        ("getsockopt", _) => {
            let is_it = |arg: &Arg| matches!(arg, Arg::Names(names) if names.has("SO_PEERPIDFD"));
            args.iter().any(is_it)
        }
        _ => false,
    };
    if gives {
        return Err(format!("{name}: a descriptor that it gives has no name here"));
    }
    let bytes = args.iter().map(|arg| if let Arg::Bytes(bytes) = arg { bytes.0.len() } else { 0 });
    let lengths = args.iter().zip(places).all(|(arg, place)| match place {
        Len if is_the_longest(name, args) => true,
        Len | Size | LenAt => arg.is_within(*place),
        Number => matches!(arg, Arg::Number(n) if i32::try_from(*n).is_ok()),
        _ => true,
    });
    if !lengths || bytes.sum::<usize>() > ROOM {
        return Err(format!("{name}: a length is 0 to {ROOM}, or -1 where it has a sign"));
    }
    // `struct iovec` is of several bytes.
    let many = args
        .iter()
        .zip(places)
        .any(|(arg, place)| *place != Number && matches!(arg, Arg::Number(n) if *n > 1024));
    if INSIDE.contains(&name) && args.iter().any(Arg::leads) && many {
        return Err(format!("{name}: 1024 at the most"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
