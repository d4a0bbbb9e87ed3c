//! Calls that are written out, argument by argument.

use std::ops::Range;

use harness::case::raw::{self, Arg, Message, Part, Place};
use harness::case::{Hex, Op};

use super::args::{Fields, flags, name, not, number};
use super::read::{Read, list};
use super::{addr, value};
use crate::fault::Fault;
use crate::tree::{Node, What};

/// What stands for a pointer.
fn is_word(node: &Node<'_>) -> bool {
    matches!(node.what, What::Word("BAD" | "ROOM" | "NULL"))
}

/// `"abc" BAD`: bytes, and behind them a page that nobody may touch.
fn edge<'n>(node: &'n Node<'_>) -> Option<&'n [u8]> {
    let What::Beside(words) = &node.what else { return None };
    match &words[..] {
        [Node { what: What::Text(bytes) | What::Hex(bytes), .. }, bad]
            if bad.what == What::Word("BAD") =>
        {
            Some(bytes)
        }
        _ => None,
    }
}

/// Whether it is a pointer that is written out, and no data.
fn is_pointer(node: &Node<'_>) -> bool {
    is_word(node)
        || matches!(node.what, What::Hex(_))
        || edge(node).is_some()
        || value::is_none(node)
}

/// Whether one of a list's parts is a structure with such a pointer.
fn has_pointers(node: &Node<'_>) -> bool {
    let What::List(parts) = &node.what else { return false };
    let is_one = |part: &Node<'_>| {
        is_pointer(part)
            || matches!(&part.what, What::Group(within) if within.first().is_some_and(is_pointer))
    };
    parts.iter().any(is_one)
}

/// Whether a part of a message is a structure whose length is not that of its data.
fn lies(part: &Node<'_>) -> bool {
    let What::Group(within) = &part.what else { return false };
    let len = match within.first().map(|data| &data.what) {
        Some(What::Text(bytes)) => i64::try_from(bytes.len()).ok(),
        Some(What::Pattern(len)) => Some((*len).into()),
        _ => None,
    };
    len.is_none()
        || !matches!(&within[..], [_, said] if said.what == What::Number(len.unwrap_or(-1)))
}

/// Whether a message has a pointer that is written out, or a length that is not its own.
fn is_message(call: &str, node: &Node<'_>) -> bool {
    let What::Group(fields) = &node.what else { return false };
    fields.iter().any(|field| match &field.what {
        What::Pair("msg_namelen" | "msg_iovlen", _) => true,
        What::Pair("msg_controllen", _) => call == "sendmsg",
        What::Pair("msg_name" | "msg_control", value) => call == "recvmsg" || is_word(value),
        What::Pair("msg_iov", value) => {
            is_word(value)
                || has_pointers(value)
                || matches!(&value.what, What::List(all) if all.iter().any(lies))
        }
        _ => false,
    })
}

/// Whether a call is written out. Most have fewer arguments otherwise; of the others a pointer leads nowhere or
/// anywhere, or to bytes or an address where data would stand in quotes.
pub(super) fn is_raw(call: &str, args: &[Node<'_>]) -> bool {
    let Some((_, places)) = raw::places(call) else { return false };
    if args.len() != places.len() {
        return false;
    }
    let is_pointer = |(node, place): (&Node<'_>, &Place)| match (place, &node.what) {
        (Place::LenAt, _) => is_word(node),
        (Place::Pointer, What::Group(_)) => match call {
            "send" | "write" => true,
            "recvmsg" | "sendmsg" => is_message(call, node),
            _ => false,
        },
        (Place::Pointer, What::List(_)) => matches!(call, "readv" | "writev") && has_pointers(node),
        (Place::Pointer, _) => is_pointer(node),
        _ => false,
    };
    match call {
        // Without a time it is NULL.
        "recvmmsg" => is_pointer((&args[1], &places[1])),
        "sendfile" => matches!(args[2].what, What::Word("BAD" | "ROOM")),
        "epoll_ctl" | "ioctl" | "readv" | "recvmsg" | "send" | "sendmmsg" | "sendmsg"
        | "socketpair" | "write" | "writev" => args.iter().zip(places).any(is_pointer),
        _ => true,
    }
}

/// The calls that have NULL among their arguments where nothing is written out.
const WITH_NULL: [&str; 4] = ["ppoll", "recvmmsg", "select", "sendfile"];

/// Whether it looks as if a call were to be written out.
pub(super) fn names_a_pointer(call: &str, args: &[Node<'_>]) -> bool {
    let is_plain = |node: &Node<'_>| node.what == What::Word("NULL") && WITH_NULL.contains(&call);
    args.iter()
        .any(|node| is_word(node) && !is_plain(node) || edge(node).is_some() || has_pointers(node))
}

pub(super) fn read(call: &str, args: &[Node<'_>], end: Range<usize>) -> Read {
    let Some((_, places)) = raw::places(call) else {
        return Err(Fault::new(end, "no pointer of this call can be written out"));
    };
    if args.len() != places.len() {
        let fault = Fault::new(end, format!("{call} has {} arguments", places.len()));
        return Err(fault.help("with BAD, ROOM or NULL each argument is written, lengths too"));
    }
    let args = args.iter().zip(places).map(|(node, place)| arg(call, node, *place));
    Ok(Op::Raw { call: call.to_owned(), args: args.collect::<Result<_, _>>()? })
}

/// -1 of a `socklen_t`, as it may be written.
const LESS: i64 = u32::MAX as i64;

fn arg(call: &str, node: &Node<'_>, place: Place) -> Result<Arg, Fault> {
    Ok(match (place, &node.what) {
        (Place::Fd, _) => Arg::Fd(name(node, "the name of a descriptor")?),
        (Place::Names, _) => Arg::Names(flags(node)?),
        (Place::LenAt, What::Word("NULL")) => Arg::Null,
        (Place::LenAt, What::Word("BAD")) => Arg::Bad,
        (Place::Pointer, What::Group(_)) if matches!(call, "recvmsg" | "sendmsg") => {
            Arg::Message(Box::new(message(node)?))
        }
        (Place::Pointer, What::Group(_)) => Arg::Addr(addr::read(node)?),
        (Place::Pointer, What::List(all)) => Arg::Parts(parts(all)?),
        (Place::Pointer, _) => pointer(node, "NULL, BAD, ROOM, 0x… or an address")?,
        (Place::LenAt, What::List(one)) if one.len() == 1 => Arg::At(match one[0].what {
            What::Number(LESS) => -1,
            _ => number(&one[0], "a length")?,
        }),
        (Place::LenAt, _) => return Err(not(node, "NULL, BAD or a length such as [16]")),
        // Of a length without a sign it is the same bits.
        (Place::Len, What::Number(LESS)) => Arg::Number(-1),
        (Place::Len | Place::Size | Place::Number, _) => Arg::Number(number(node, "a number")?),
    })
}

/// A pointer to no structure.
fn pointer(node: &Node<'_>, what: &str) -> Result<Arg, Fault> {
    if let Some(bytes) = edge(node) {
        return Ok(Arg::Edge(Hex(bytes.to_vec())));
    }
    Ok(match &node.what {
        What::Word("NULL") => Arg::Null,
        What::Word("BAD") => Arg::Bad,
        What::Word("ROOM") => Arg::Room,
        What::Hex(bytes) | What::Text(bytes) => Arg::Bytes(Hex(bytes.clone())),
        What::Beside(_) if value::is_none(node) => Arg::Bytes(Hex(Vec::new())),
        _ => return Err(not(node, what)),
    })
}

/// `[{BAD, 4}, "x"]`: data alone has its own length.
fn parts(all: &[Node<'_>]) -> Result<Vec<Part>, Fault> {
    const LIKE: &str = "a part such as {BAD, 4}";
    let part = |node: &Node<'_>| match &node.what {
        What::Text(bytes) | What::Hex(bytes) => {
            let len = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
            Ok(Part { base: Arg::Bytes(Hex(bytes.clone())), len })
        }
        What::Group(within) => {
            let [base, len] = &within[..] else { return Err(not(node, LIKE)) };
            Ok(Part {
                base: pointer(base, "NULL, BAD, ROOM or bytes")?,
                len: number(len, "a length")?,
            })
        }
        _ => Err(not(node, LIKE)),
    };
    all.iter().map(part).collect()
}

/// `{msg_name=BAD, msg_namelen=16, msg_iov=[{BAD, 4}]}`: what is not written is NULL, and a length is the right one.
fn message(node: &Node<'_>) -> Result<Message, Fault> {
    let mut fields = Fields::of(node, "a message such as {msg_iov=[{BAD, 4}]}")?;
    let plain =
        |node: Option<&Node<'_>>, what: &str| node.map_or(Ok(Arg::Null), |n| pointer(n, what));
    let name = match fields.take("msg_name") {
        Some(node) if matches!(node.what, What::Group(_)) => Arg::Addr(addr::read(node)?),
        node => plain(node, "NULL, BAD, ROOM or an address")?,
    };
    let iov = match fields.want("msg_iov")? {
        Node { what: What::List(all), .. } => Arg::Parts(parts(all)?),
        node => plain(Some(node), "NULL, BAD, ROOM or a list such as [{BAD, 4}]")?,
    };
    let (control, controls) = match fields.take("msg_control") {
        Some(node) if matches!(node.what, What::List(_)) => {
            let all = list(node)?.iter().map(value::control).collect::<Result<Vec<_>, _>>()?;
            if all.is_empty() {
                return Err(not(node, "one message at the least"));
            }
            (Arg::Null, all)
        }
        node => (plain(node, "NULL, BAD, ROOM or a list of messages")?, Vec::new()),
    };
    let mut len = |field| fields.take(field).map(|node| number(node, "a length")).transpose();
    let (namelen, iovlen, controllen) =
        (len("msg_namelen")?, len("msg_iovlen")?, len("msg_controllen")?);
    fields.end(&[
        "msg_name",
        "msg_namelen",
        "msg_iov",
        "msg_iovlen",
        "msg_control",
        "msg_controllen",
    ])?;
    Ok(Message { name, namelen, iov, iovlen, control, controls, controllen })
}
