//! The calls that came after the first: of vectors, of readiness, of interfaces.

use harness::case::op::Index;
use harness::case::{Op, Payload};

use super::args::{Args, Fields, flags, name, not, number, payload, text};
use super::read::{Read, constant, list, messages, poll_fd, room};
use super::{process, value};
use crate::fault::Fault;
use crate::tree::{Node, What};

/// What makes a descriptor.
pub(super) fn makes(call: &str, made: &str, args: &mut Args<'_, '_>) -> Read {
    let new = made.to_owned();
    Ok(match call {
        "accept4" => Op::Accept4 { fd: args.socket()?, new, flags: args.flags("flags")? },
        "dup" => Op::Dup { fd: args.socket()?, new },
        "tmpfile" => Op::File { new, data: args.payload(0)? },
        "epoll_create1" => Op::EpollCreate1 { new, flags: args.flags("flags")? },
        _ => {
            let both = args.next("two names such as [r, w]")?;
            let [read, write] = list(both)? else { return Err(not(both, "[r, w]")) };
            let of = "the name of a descriptor";
            Op::Pipe { read: name(read, of)?, write: name(write, of)? }
        }
    })
}

/// A mode, in octal digits as in C.
fn mode(args: &mut Args<'_, '_>) -> Result<u32, Fault> {
    let node = args.next("a mode such as 0700")?;
    let digits = number::<u32>(node, "a mode such as 0700")?.to_string();
    // In C 700 is another number.
    let is_octal = node.at.len() > digits.len() || digits == "0";
    let read = u32::from_str_radix(&digits, 8).ok().filter(|_| is_octal);
    read.ok_or_else(|| {
        Fault::new(node.at.clone(), "a mode has octal digits behind a 0, as in 0700")
    })
}

/// What makes, changes or takes away a file.
pub(super) fn files(call: &str, args: &mut Args<'_, '_>) -> Read {
    let path = text(args.next("a path")?)?;
    Ok(match call {
        "mkdir" => Op::Mkdir { path, mode: mode(args)? },
        "chmod" => Op::Chmod { path, mode: mode(args)? },
        "unlink" => Op::Unlink { path },
        _ => Op::Symlink { target: path, path: text(args.next("a path")?)? },
    })
}

/// `{"x", 1}`, or the data alone.
pub(super) fn part(node: &Node<'_>) -> Result<Payload, Fault> {
    let What::Group(within) = &node.what else { return payload(node) };
    let mut args = Args::new("a part", within, node.at.clone());
    let data = args.payload(0)?;
    args.end()?;
    Ok(data)
}

/// How many parts there are, if that is said.
fn count(args: &mut Args<'_, '_>, parts: usize) -> Result<(), Fault> {
    let Some(node) = args.maybe() else { return Ok(()) };
    if number::<u32>(node, "how many")? as usize == parts {
        return Ok(());
    }
    Err(Fault::new(node.at.clone(), format!("there are {parts} parts")))
}

pub(super) fn transfers(call: &str, args: &mut Args<'_, '_>) -> Read {
    if call == "splice" {
        let from = args.socket()?;
        constant(args, "NULL")?;
        let to = args.socket()?;
        constant(args, "NULL")?;
        return Ok(Op::Splice {
            from,
            to,
            count: args.number("a length")?,
            flags: args.flags("flags")?,
        });
    }
    let fd = args.socket()?;
    Ok(match call {
        "writev" => {
            let parts = list(args.next("a list of data such as [{\"x\", 1}]")?)?;
            let data = parts.iter().map(part).collect::<Result<Vec<_>, _>>()?;
            count(args, data.len())?;
            Op::Writev { fd, data }
        }
        "readv" => {
            let parts = list(args.next("a list of lengths such as [4, 8]")?)?;
            let lens = parts.iter().map(|len| number(len, "a length"));
            let lens = lens.collect::<Result<Vec<_>, _>>()?;
            count(args, lens.len())?;
            Op::Readv { fd, lens }
        }
        "sendmmsg" => {
            let (data, addr, control) = messages(args)?;
            Op::Sendmmsg { fd, data, flags: args.numbered("flags")?, addr, control }
        }
        "recvmmsg" => {
            let (len, control_len) = room(args.next("a message")?)?;
            let (count, flags) = (args.number("how many")?, args.numbered("flags")?);
            let timeout_ms = timespec(args.next("NULL or a time")?)?;
            Op::Recvmmsg { fd, count, len, control_len, flags, timeout_ms }
        }
        "sendfile" => {
            let file = args.socket()?;
            let at = args.next("NULL or an offset such as [0]")?;
            let offset = match &at.what {
                What::Word("NULL") => None,
                What::List(one) if one.len() == 1 => Some(number(&one[0], "an offset")?),
                _ => return Err(not(at, "NULL or an offset such as [0]")),
            };
            Op::Sendfile { fd, file, offset, count: args.number("a length")? }
        }
        _ => Op::Sockatmark { fd },
    })
}

/// NULL, or a structure whose second field is a part of a second.
fn time(node: &Node<'_>, part: &str, each_ms: u32) -> Result<Option<u32>, Fault> {
    if node.what == What::Word("NULL") {
        return Ok(None);
    }
    let mut fields = Fields::of(node, "NULL or a time such as {tv_sec=1, tv_nsec=0}")?;
    let (seconds, rest) = (fields.want("tv_sec")?, fields.want(part)?);
    fields.end(&["tv_sec", part])?;
    let (s, n): (u32, u32) = (number(seconds, "seconds")?, number(rest, part)?);
    let ms = s.checked_mul(1000).and_then(|ms| ms.checked_add(n / each_ms));
    match ms {
        Some(ms) if n < 1000 * each_ms && n.is_multiple_of(each_ms) => Ok(Some(ms)),
        Some(_) => {
            let says = format!("{part} is whole milliseconds below a second");
            Err(Fault::new(rest.at.clone(), says))
        }
        None => Err(Fault::new(seconds.at.clone(), "that is too long a time")),
    }
}

fn timespec(node: &Node<'_>) -> Result<Option<u32>, Fault> {
    time(node, "tv_nsec", 1_000_000)
}

/// NULL, or the names of descriptors.
fn set(node: &Node<'_>) -> Result<Vec<String>, Fault> {
    if node.what == What::Word("NULL") {
        return Ok(Vec::new());
    }
    list(node)?.iter().map(|fd| name(fd, "the name of a descriptor")).collect()
}

pub(super) fn waits(call: &str, args: &mut Args<'_, '_>) -> Read {
    Ok(match call {
        "ppoll" => {
            let fds = list(args.next("a list such as [{s, POLLIN}]")?)?;
            let fds = fds.iter().map(poll_fd).collect::<Result<_, _>>()?;
            let timeout_ms = timespec(args.next("NULL or a time")?)?;
            Op::Ppoll { fds, timeout_ms, mask: process::mask(args)? }
        }
        "select" | "pselect" => {
            let mut next = || set(args.next("NULL or a set such as [s]")?);
            let (read, write, except) = (next()?, next()?, next()?);
            let at = args.next("NULL or a time")?;
            if call == "select" {
                let timeout_ms = time(at, "tv_usec", 1000)?;
                Op::Select { read, write, except, timeout_ms }
            } else {
                let mask = process::mask(args)?;
                Op::Pselect { read, write, except, timeout_ms: timespec(at)?, mask }
            }
        }
        "epoll_ctl" => {
            let (fd, op, target) =
                (args.socket()?, args.sym("EPOLL_CTL_ADD and such")?, args.socket()?);
            let mut fields = Fields::of(args.next("{events=EPOLLIN}")?, "{events=EPOLLIN}")?;
            let events = flags(fields.want("events")?)?;
            fields.end(&["events"])?;
            Op::EpollCtl { fd, op, target, events }
        }
        _ => {
            let (fd, max) = (args.socket()?, args.number("how many")?);
            let timeout_ms = args.number("a time in milliseconds")?;
            match call {
                "epoll_pwait" => Op::EpollPwait { fd, max, timeout_ms, mask: process::mask(args)? },
                _ => Op::EpollWait { fd, max, timeout_ms },
            }
        }
    })
}

pub(super) fn interfaces(call: &str, args: &mut Args<'_, '_>) -> Read {
    Ok(match call {
        "if_nametoindex" => Op::IfNametoindex { name: text(args.next("a name")?)? },
        "if_indextoname" => {
            let node = args.next("an index")?;
            let index = match &node.what {
                What::Number(_) => Index::Is(number(node, "an index")?),
                _ => Index::Of(value::link(node)?),
            };
            Op::IfIndextoname { index }
        }
        _ => Op::Getifaddrs {},
    })
}
