//! Which calls may block, by what the case has asked for: its sockets are not asked, since each call
//! that is made on one is the case's own.

use super::op::{Opt, Value};
use super::raw::{self, Arg};
use super::{Case, Flags, Op, Os, Payload};

/// The options that make a buffer for what is sent smaller, or larger (socket(7)).
const SIZED: [&str; 2] = ["SO_SNDBUF", "SO_SNDBUFFORCE"];

/// What is known of an open file description of the case (open(2)): of a socket, or of an end of a pipe.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one of them")]
struct Known<'c> {
    /// What `dup` makes is another name of it, with the same `O_NONBLOCK`.
    names: Vec<&'c str>,
    /// How many descriptors it has: a name that is given to another leaves its own behind.
    open: usize,
    nonblocking: bool,
    stream: bool,
    /// Whether it is of `AF_UNIX`, where a datagram waits for room at its receiver.
    local: bool,
    pipe: bool,
    lingers: bool,
}

/// What is known of the case's sockets, by the calls that have succeeded.
#[derive(Clone, Debug)]
pub struct Blocking<'c> {
    /// Whether there are far ends that could do something meanwhile.
    far_ends: bool,
    /// Whether a buffer is made so small that a datagram may wait for room.
    small_buffers: bool,
    known: Vec<Known<'c>>,
}

/// In which way a call may wait.
#[derive(Clone, Copy)]
enum Way<'o> {
    /// For an answer to a handshake.
    Connects,
    /// For what comes, with these flags.
    Takes(Option<&'o Flags>),
    /// For room, with these flags.
    Sends(Option<&'o Flags>),
    /// For what is not sent yet.
    Closes,
    /// For a time that it is given.
    Sleeps,
}

/// In which way a call on one descriptor may wait, in place or in another thread; none of one that looks again and
/// again.
fn way(op: &Op) -> Option<Way<'_>> {
    Some(match op {
        Op::Connect { .. } | Op::Connectx { .. } => Way::Connects,
        Op::Accept { .. } | Op::Accept4 { .. } | Op::Read { .. } | Op::Readv { .. } => {
            Way::Takes(None)
        }
        Op::Write { .. } | Op::Writev { .. } | Op::Sendfile { .. } => Way::Sends(None),
        Op::Recv { flags, .. }
        | Op::Recvfrom { flags, .. }
        | Op::Recvmsg { flags, .. }
        | Op::Recvmmsg { flags, .. }
        | Op::RecvmsgX { flags, .. } => Way::Takes(Some(flags)),
        Op::Send { flags, .. }
        | Op::Sendto { flags, .. }
        | Op::Sendmsg { flags, .. }
        | Op::Sendmmsg { flags, .. }
        | Op::SendmsgX { flags, .. } => Way::Sends(Some(flags)),
        // socket(7) SO_LINGER: whether the socket blocks or not.
        Op::Close { .. } => Way::Closes,
        Op::Raw { call, args } => match call.as_str() {
            "connect" => Way::Connects,
            "accept" | "accept4" | "read" | "readv" => Way::Takes(None),
            "recv" | "recvfrom" | "recvmmsg" | "recvmsg" => Way::Takes(raw::flags(args)),
            "sendfile" | "write" | "writev" => Way::Sends(None),
            "send" | "sendmmsg" | "sendmsg" | "sendto" => Way::Sends(raw::flags(args)),
            "epoll_wait" | "poll" | "ppoll" | "select" => Way::Sleeps,
            _ => return None,
        },
        _ => return None,
    })
}

impl<'c> Blocking<'c> {
    /// Before the first call.
    pub fn of(case: &'c Case) -> Self {
        let sized = |op: &Op| match op {
            Op::Setsockopt { option: Opt::Raw { name, .. }, .. } => SIZED.contains(&name.as_str()),
            Op::Raw { call, args } => {
                call == "setsockopt" && SIZED.iter().any(|name| raw::names(args, name))
            }
            _ => false,
        };
        Self {
            far_ends: !case.lab.links.is_empty(),
            small_buffers: case.ops.iter().any(sized),
            known: Vec::new(),
        }
    }

    fn socket(&self, name: &str) -> Option<&Known<'c>> {
        self.known.iter().find(|known| known.names.contains(&name))
    }

    /// From here on the name is another's; whose it was.
    fn forget(&mut self, name: &str) {
        self.known.iter_mut().for_each(|known| known.names.retain(|other| *other != name));
    }

    fn made(&mut self, name: &'c str, mut known: Known<'c>) {
        self.forget(name);
        (known.names, known.open) = (vec![name], 1);
        self.known.push(known);
    }

    /// The call has succeeded.
    pub fn succeeded(&mut self, op: &'c Op) {
        let new = |domain: &str, kind: &Flags| Known {
            nonblocking: kind.has("SOCK_NONBLOCK"),
            stream: !kind.has("SOCK_DGRAM") && !kind.has("SOCK_RAW"),
            local: super::plain(domain) == "AF_UNIX",
            ..Known::default()
        };
        let pipe = || Known { stream: true, pipe: true, ..Known::default() };
        match op {
            Op::Socket { fd, domain, r#type, .. } => self.made(fd, new(domain.as_str(), r#type)),
            Op::Socketpair { a, b, domain, r#type, .. } => {
                self.made(a, new(domain.as_str(), r#type));
                self.made(b, new(domain.as_str(), r#type));
            }
            Op::Pipe { read, write } => {
                self.made(read, pipe());
                self.made(write, pipe());
            }
            Op::Dup { fd, new } => {
                let of = self.known.iter().position(|known| known.names.contains(&fd.as_str()));
                self.forget(new);
                if let Some(of) = of.and_then(|of| self.known.get_mut(of)) {
                    of.names.push(new);
                    of.open += 1;
                }
            }
            Op::Accept4 { fd, new, flags } => {
                // What is asked for alone counts (accept4(2)).
                let nonblocking = flags.has("SOCK_NONBLOCK");
                self.accepted(fd, new, nonblocking);
            }
            Op::Accept { fd, new } => {
                // accept(2): on Linux the new one has none of the listener's flags, on the BSDs it has.
                let inherits = Os::host() != Some(Os::Linux);
                let nonblocking = inherits && self.socket(fd).is_some_and(|of| of.nonblocking);
                self.accepted(fd, new, nonblocking);
            }
            Op::Close { fd } => {
                let of = self.known.iter_mut().find(|known| known.names.contains(&fd.as_str()));
                if let Some(of) = of {
                    of.open = of.open.saturating_sub(1);
                }
                self.forget(fd);
            }
            op => {
                let name = op.fd();
                let is = |known: &&mut Known<'_>| name.is_some_and(|n| known.names.contains(&n));
                if let Some(known) = self.known.iter_mut().find(is) {
                    known.told(op);
                }
            }
        }
    }

    /// It has the listener's options everywhere (`net/core/sock.c` `sk_clone_lock`, `sonewconn` of the BSDs).
    fn accepted(&mut self, listener: &str, new: &'c str, nonblocking: bool) {
        let of = self.socket(listener);
        let (lingers, local) = of.map_or((false, false), |of| (of.lingers, of.local));
        let known = Known { nonblocking, stream: true, local, lingers, ..Known::default() };
        self.made(new, known);
    }

    /// Whether the call may block while far ends have something to do.
    pub fn may_block(&self, op: &Op) -> bool {
        self.far_ends && self.waits(op)
    }

    /// Whether who sends by it may wait for room.
    fn has_bounds(&self, known: &Known<'_>) -> bool {
        known.stream || known.local || self.small_buffers
    }

    /// Whether the call may wait for somebody.
    pub fn waits(&self, op: &Op) -> bool {
        if let Op::Splice { from, to, flags, .. } = op {
            // It is about the pipe alone (splice(2)).
            let never = flags.has("SPLICE_F_NONBLOCK");
            let blocks = |known: &&Known<'_>| !(known.nonblocking || known.pipe && never);
            let from = self.socket(from).filter(blocks);
            let to = self.socket(to).filter(blocks);
            return from.is_some() || to.is_some_and(|to| self.has_bounds(to));
        }
        let Some(way) = way(op) else { return false };
        if let Way::Sleeps = way {
            return op.timeout_ms().is_some_and(|ms| ms != 0);
        }
        let Some(known) = op.fd().and_then(|name| self.socket(name)) else { return false };
        let waits = |flags: Option<&Flags>| {
            let never = ["MSG_DONTWAIT", "MSG_ERRQUEUE", "MSG_OOB"];
            let says = |flags: &Flags| never.iter().any(|flag| flags.has(flag));
            !known.nonblocking && !flags.is_some_and(says)
        };
        match way {
            Way::Connects => known.stream && !known.nonblocking,
            Way::Takes(flags) => waits(flags),
            Way::Sends(flags) => self.has_bounds(known) && waits(flags),
            // As long as it has another descriptor nothing is closed but a number.
            Way::Closes => known.lingers && known.open == 1,
            Way::Sleeps => true,
        }
    }

    /// Whether a call that waits for all that it is about has only come to a part of it: something interrupted it.
    /// A datagram is a whole, and who does not block has what there is.
    pub fn is_cut(&self, op: &Op, returned: i64) -> bool {
        let stream = op.fd().and_then(|name| self.socket(name)).is_some_and(|known| known.stream);
        let part = usize::try_from(returned).ok();
        let is_part = waits_for(op).zip(part).is_some_and(|(all, part)| part < all);
        let counts = matches!(
            op,
            Op::Recvmmsg { .. } | Op::Sendmmsg { .. } | Op::SendmsgX { .. } | Op::Splice { .. }
        );
        (stream || counts) && is_part && self.waits(op)
    }
}

/// How many bytes a call waits for that waits for all that it is about: POSIX `send`, and `recv` with
/// `MSG_WAITALL`.
pub fn waits_for(op: &Op) -> Option<usize> {
    match op {
        Op::Send { data, .. }
        | Op::Sendto { data, .. }
        | Op::Sendmsg { data, .. }
        | Op::Write { data, .. } => Some(data.len()),
        Op::Writev { data, .. } => Some(data.iter().map(Payload::len).sum()),
        Op::Sendfile { count, .. } | Op::Splice { count, .. } => Some(*count as usize),
        // So many datagrams.
        Op::Sendmmsg { data, .. } | Op::SendmsgX { data, .. } => Some(data.len()),
        Op::Recvmmsg { count, flags, .. } if !flags.has("MSG_WAITFORONE") => Some(*count as usize),
        Op::Recv { flags, len, .. }
        | Op::Recvfrom { flags, len, .. }
        | Op::Recvmsg { flags, len, .. }
            if flags.has("MSG_WAITALL") =>
        {
            Some(*len as usize)
        }
        Op::Raw { call, args } => match call.as_str() {
            "send" | "sendto" | "write" => raw::size(args),
            "recv" | "recvfrom" if raw::flags(args).is_some_and(|f| f.has("MSG_WAITALL")) => {
                raw::size(args)
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether a `struct linger` says that a close waits.
fn lingers(on: i32, seconds: i32) -> bool {
    on != 0 && seconds > 0
}

/// The same, of its bytes.
fn lingers_by(bytes: &[u8]) -> bool {
    let int = |at: usize| {
        let four = bytes.get(at..at + 4).and_then(|four| <[u8; 4]>::try_from(four).ok());
        four.map_or(0, i32::from_ne_bytes)
    };
    lingers(int(0), int(4))
}

impl Known<'_> {
    /// A call has changed how it is.
    fn told(&mut self, op: &Op) {
        match op {
            Op::Fcntl { cmd, arg, .. } if cmd.as_str() == "F_SETFL" => {
                self.nonblocking = arg.has("O_NONBLOCK");
            }
            // Cases give it 0.
            Op::Ioctl { request, .. } if request.as_str() == "FIONBIO" => self.nonblocking = false,
            Op::Setsockopt { value: Value::Linger { on, seconds }, .. } => {
                self.lingers = lingers(*on, *seconds);
            }
            Op::Setsockopt {
                option: Opt::Raw { name, .. }, value: Value::Bytes(bytes), ..
            } if name.as_str() == "SO_LINGER" => {
                self.lingers = lingers_by(&bytes.0);
            }
            Op::Raw { call, args } if call == "ioctl" && raw::names(args, "FIONBIO") => {
                self.nonblocking = false;
            }
            Op::Raw { call, args } if call == "setsockopt" && raw::names(args, "SO_LINGER") => {
                let bytes = args.iter().find_map(|arg| match arg {
                    Arg::Bytes(bytes) => Some(&bytes.0[..]),
                    _ => None,
                });
                self.lingers = lingers_by(bytes.unwrap_or_default());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
