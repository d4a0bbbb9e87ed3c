//! Calls as they are: with a pointer that leads nowhere, a length that lies.
//!
//! What such a call is given is written out, argument by argument. So that none of it reaches memory that is not
//! the call's own, a pointer leads to one page that nobody may touch, to nothing, or to a buffer that is longer
//! than any length that a case may write.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::addr::Addr;
use super::op::Name;
use super::{Flags, Hex, Op};

/// How many bytes there are behind a pointer that leads somewhere; no length is more.
pub const ROOM: usize = 1 << 16;

/// One argument.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Arg {
    /// A descriptor, by its name.
    Fd(Name),
    /// A number.
    Number(i64),
    /// Constants, or-ed; none are 0.
    Names(Flags),
    /// A null pointer.
    Null,
    /// A pointer to a page that is neither readable nor writable.
    Bad,
    /// A pointer to zeros, as many as any length.
    Room,
    /// A pointer to an `int` of this value.
    At(i32),
    /// A pointer to these bytes, and zeros behind them.
    Bytes(Hex),
    /// A pointer to this address, and zeros behind it.
    Addr(Addr),
}

/// What is to stand in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A descriptor.
    Fd,
    /// Constants.
    Names,
    /// A pointer.
    Pointer,
    /// A `socklen_t` or an `int`, which may be less than nothing.
    Len,
    /// A `size_t`.
    Size,
    /// A pointer to a `socklen_t`.
    LenAt,
    /// A number that is no length.
    Number,
}

use Place::{Fd, Len, LenAt, Names, Number, Pointer, Size};

/// The calls that can be made so, with their arguments as the manual pages have them.
pub const CALLS: &[(&str, &[Place])] = &[
    ("accept", &[Fd, Pointer, LenAt]),
    ("bind", &[Fd, Pointer, Len]),
    ("connect", &[Fd, Pointer, Len]),
    ("getpeername", &[Fd, Pointer, LenAt]),
    ("getsockname", &[Fd, Pointer, LenAt]),
    ("getsockopt", &[Fd, Names, Names, Pointer, LenAt]),
    ("ioctl", &[Fd, Names, Pointer]),
    ("poll", &[Pointer, Len, Number]),
    ("read", &[Fd, Pointer, Size]),
    ("readv", &[Fd, Pointer, Len]),
    ("recv", &[Fd, Pointer, Size, Names]),
    ("recvfrom", &[Fd, Pointer, Size, Names, Pointer, LenAt]),
    ("recvmsg", &[Fd, Pointer, Names]),
    ("send", &[Fd, Pointer, Size, Names]),
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
pub(super) const SENDS: [&str; 5] = ["send", "sendmsg", "sendto", "write", "writev"];

/// Those that receive.
pub(super) const TAKES: [&str; 5] = ["read", "readv", "recv", "recvfrom", "recvmsg"];

/// What it sends as one, if the arguments tell: behind the bytes of a buffer are zeros. In a message or in a vector
/// that has none but zeros nothing is said of any.
pub(super) fn written(call: &str, args: &[Arg]) -> Option<Vec<u8>> {
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

/// How long `poll` waits, in milliseconds.
pub(super) fn timeout_ms(call: &str, args: &[Arg]) -> Option<i32> {
    match args.get(2) {
        Some(Arg::Number(ms)) if call == "poll" => i32::try_from(*ms).ok(),
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

impl Arg {
    fn fits(&self, place: Place) -> bool {
        match place {
            Fd => matches!(self, Self::Fd(_)),
            Names => matches!(self, Self::Names(_)),
            Pointer => {
                matches!(self, Self::Null | Self::Bad | Self::Room | Self::Bytes(_) | Self::Addr(_))
            }
            LenAt => matches!(self, Self::Null | Self::Bad | Self::At(_)),
            Len | Size | Number => matches!(self, Self::Number(_)),
        }
    }

    /// Whether it is a pointer that leads somewhere.
    fn leads(&self) -> bool {
        matches!(self, Self::Room | Self::Bytes(_) | Self::Addr(_))
    }

    /// Whether it is a length that a buffer has, or none that a kernel takes.
    fn is_within(&self, place: Place) -> bool {
        let room = 0..=i64::try_from(ROOM).unwrap_or(0);
        match self {
            Self::Number(n) => room.contains(n) || place == Len && *n == -1,
            Self::At(n) => room.contains(&i64::from(*n)) || *n == -1,
            _ => true,
        }
    }
}

/// How many bytes it may be given, or may write.
pub(super) fn room(call: &str, args: &[Arg]) -> u64 {
    let places = places(call).map_or(&[][..], |(_, places)| places);
    let lens = args.iter().zip(places).map(|(arg, place)| match (arg, place) {
        (Arg::Number(n), Len | Size) => u64::try_from(*n).unwrap_or(0),
        _ => 0,
    });
    lens.fold(0, u64::saturating_add)
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
    // The parts of a structure are pointers, too: `struct msghdr`, `struct iovec`.
    if INSIDE.contains(&name) && args.iter().any(|arg| matches!(arg, Arg::Bytes(_) | Arg::Addr(_)))
    {
        return Err(format!("{name}: what it points to is NULL, BAD or ROOM"));
    }
    // A `struct pollfd` of zeros is descriptor 0, which is the executor's.
    if name == "poll" && args.iter().any(Arg::leads) {
        return Err("poll: what it points to is NULL or BAD".to_owned());
    }
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
const INSIDE: [&str; 7] = ["sendmsg", "recvmsg", "readv", "writev", "poll", "ioctl", "socketpair"];

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
        ("accept", Some((arg, _))) => *arg != Arg::Bad,
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
mod tests {
    use rstest::rstest;

    use super::*;

    fn says(call: &str, args: &str) -> Result<(), String> {
        let args: Vec<Arg> = serde_json::from_str(&format!("[{args}]")).expect("arguments");
        check(&Op::Raw { call: call.to_owned(), args })
    }

    /// What would read or write beyond a buffer, or make a descriptor that nobody closes.
    #[rstest]
    #[case::nowhere("recv", r#"{"fd":"s"},"bad",{"number":4},{"names":[]}"#, true)]
    #[case::somewhere("recv", r#"{"fd":"s"},"room",{"number":65536},{"names":[]}"#, true)]
    #[case::beyond("recv", r#"{"fd":"s"},"room",{"number":65537},{"names":[]}"#, false)]
    #[case::all("recv", r#"{"fd":"s"},"room",{"number":-1},{"names":[]}"#, false)]
    #[case::no_length(
        "setsockopt",
        r#"{"fd":"s"},{"names":[]},{"names":[]},"room",{"number":-1}"#,
        true
    )]
    #[case::beyond_it(
        "getsockopt",
        r#"{"fd":"s"},{"names":[]},{"names":[]},"room",{"at":65537}"#,
        false
    )]
    #[case::a_message("sendmsg", r#"{"fd":"s"},{"bytes":"41"},{"names":[]}"#, false)]
    #[case::parts("writev", r#"{"fd":"s"},"room",{"number":1025}"#, false)]
    #[case::gives("accept", r#"{"fd":"s"},"null","bad""#, false)]
    #[case::gives_none("accept", r#"{"fd":"s"},"bad",{"at":16}"#, true)]
    #[case::gives_two("socketpair", r#"{"names":[]},{"names":[]},{"names":[]},"room""#, false)]
    #[case::gives_no_two("socketpair", r#"{"names":[]},{"names":[]},{"names":[]},"bad""#, true)]
    #[case::a_process(
        "getsockopt",
        r#"{"fd":"s"},{"names":["SOL_SOCKET"]},{"names":["SO_PEERPIDFD"]},"room",{"at":4}"#,
        false
    )]
    #[case::a_path("bind", r#"{"fd":"s"},{"bytes":"01002f746d702f5a"},{"number":8}"#, false)]
    #[case::beyond_the_lab(
        "sendto",
        r#"{"fd":"s"},"room",{"number":1},{"names":[]},{"bytes":"0200"},{"number":16}"#,
        false
    )]
    #[case::pointers(
        "getsockopt",
        r#"{"fd":"s"},{"names":["IPPROTO_TCP"]},{"names":["TCP_ZEROCOPY_RECEIVE"]},{"bytes":"0010000000000000"},{"at":64}"#,
        false
    )]
    #[case::pointers_in_an_address(
        "setsockopt",
        r#"{"fd":"s"},{"names":[]},{"names":[]},{"addr":{"host":{"ip":"10::"},"port":{"is":0}}},{"number":16}"#,
        false
    )]
    #[case::an_address("sendto", r#"{"fd":"s"},"room",{"number":1},{"names":[]},{"addr":{"host":{"ip":"::1"},"port":{"is":9}}},{"number":28}"#, true)]
    #[case::no_bytes("send", r#"{"fd":"s"},{"bytes":""},{"number":0},{"names":[]}"#, false)]
    #[case::descriptor_0("poll", r#""room",{"number":1},{"number":0}"#, false)]
    #[case::no_descriptors("poll", r#""bad",{"number":1},{"number":5000}"#, true)]
    #[case::no_call("system", r#""bad""#, false)]
    #[case::few("bind", r#"{"fd":"s"},"bad""#, false)]
    #[case::other("bind", r#"{"number":1},"bad",{"number":1}"#, false)]
    fn what_is_let_in(#[case] call: &str, #[case] args: &str, #[case] is: bool) {
        assert_eq!(says(call, args).is_ok(), is, "{:?}", says(call, args));
    }
}
