//! Which calls may block, by what the case has asked for: its sockets are not asked, since each call
//! that is made on one is the case's own.

use super::op::{Opt, Value};
use super::{Case, Flags, Op, Os};

/// The options that make a buffer for what is sent smaller, or larger (socket(7)).
const SIZED: [&str; 2] = ["SO_SNDBUF", "SO_SNDBUFFORCE"];

/// What is known of a socket of the case.
#[derive(Clone, Copy, Debug)]
struct Known<'c> {
    name: &'c str,
    nonblocking: bool,
    stream: bool,
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

impl<'c> Blocking<'c> {
    /// Before the first call.
    pub fn of(case: &'c Case) -> Self {
        let sized = |op: &Op| matches!(op, Op::Setsockopt { option: Opt::Raw { name, .. }, .. } if SIZED.contains(&name.as_str()));
        Self {
            far_ends: !case.lab.links.is_empty(),
            small_buffers: case.ops.iter().any(sized),
            known: Vec::new(),
        }
    }

    fn socket(&self, name: &str) -> Option<&Known<'c>> {
        self.known.iter().find(|known| known.name == name)
    }

    fn made(&mut self, known: Known<'c>) {
        self.known.retain(|other| other.name != known.name);
        self.known.push(known);
    }

    /// The call has succeeded.
    pub fn succeeded(&mut self, op: &'c Op) {
        if !self.far_ends {
            return;
        }
        let new = |name: &'c str, kind: &Flags| Known {
            name,
            nonblocking: kind.has("SOCK_NONBLOCK"),
            stream: !kind.has("SOCK_DGRAM") && !kind.has("SOCK_RAW"),
            lingers: false,
        };
        match op {
            Op::Socket { fd, r#type, .. } => self.made(new(fd, r#type)),
            Op::Socketpair { a, b, r#type, .. } => {
                self.made(new(a, r#type));
                self.made(new(b, r#type));
            }
            Op::Accept { fd, new } => {
                // accept(2): on Linux the new one has none of the listener's flags, on the BSDs it has. It has
                // the listener's options everywhere (`net/core/sock.c` `sk_clone_lock`, `sonewconn` of the BSDs).
                let inherits = Os::host() != Some(Os::Linux);
                let listener = self.socket(fd);
                let nonblocking = inherits && listener.is_some_and(|known| known.nonblocking);
                let lingers = listener.is_some_and(|known| known.lingers);
                self.made(Known { name: new, nonblocking, stream: true, lingers });
            }
            op => {
                let known = self.known.iter_mut().find(|known| Some(known.name) == op.fd());
                if let Some(known) = known {
                    known.told(op);
                }
            }
        }
    }

    /// Whether the call may block while far ends have something to do.
    pub fn may_block(&self, op: &Op) -> bool {
        let Some(known) = op.fd().and_then(|name| self.socket(name)) else { return false };
        let waits = |flags: &Flags| {
            let never = ["MSG_DONTWAIT", "MSG_ERRQUEUE", "MSG_OOB"];
            !known.nonblocking && !never.iter().any(|flag| flags.has(flag))
        };
        let sends = known.stream || self.small_buffers;
        match op {
            Op::Connect { .. } | Op::Connectx { .. } => known.stream && !known.nonblocking,
            Op::Accept { .. } | Op::Read { .. } => !known.nonblocking,
            Op::Write { .. } => sends && !known.nonblocking,
            Op::Recv { flags, .. }
            | Op::Recvfrom { flags, .. }
            | Op::Recvmsg { flags, .. }
            | Op::RecvmsgX { flags, .. } => waits(flags),
            Op::Send { flags, .. }
            | Op::Sendto { flags, .. }
            | Op::Sendmsg { flags, .. }
            | Op::SendmsgX { flags, .. } => sends && waits(flags),
            // socket(7) SO_LINGER: whether the socket blocks or not.
            Op::Close { .. } => known.lingers,
            _ => false,
        }
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
        Op::Recv { flags, len, .. } | Op::Recvfrom { flags, len, .. }
            if flags.has("MSG_WAITALL") =>
        {
            Some(*len as usize)
        }
        _ => None,
    }
}

/// Whether such a call has only come to a part of it, so that something interrupted it. One that does not wait
/// does not take long.
pub fn is_cut(op: &Op, returned: i64) -> bool {
    let part = usize::try_from(returned).ok();
    waits_for(op).zip(part).is_some_and(|(all, part)| part < all)
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
                self.lingers = *on != 0 && *seconds > 0;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::addr::{Addr, Range, Role};
    use crate::case::{Lab, LinkKind, Payload, Sym, Threads};

    fn socket(kinds: &[&'static str]) -> Op {
        let (domain, protocol) = (Sym::from("AF_INET"), Flags::NONE);
        Op::Socket { fd: "s".into(), domain, r#type: Flags::of(kinds), protocol }
    }

    fn recv(flags: &[&'static str]) -> Op {
        Op::Recv { fd: "s".into(), len: 1, flags: Flags::of(flags) }
    }

    fn connect() -> Op {
        Op::Connect { fd: "s".into(), addr: Addr::on("l", Role::Neighbour, Range::V4, 80) }
    }

    fn set_flags(arg: &[&'static str]) -> Op {
        Op::Fcntl { fd: "s".into(), cmd: "F_SETFL".into(), arg: Flags::of(arg) }
    }

    fn linger(on: i32, seconds: i32) -> Op {
        let option = Opt::Raw { level: "SOL_SOCKET".into(), name: "SO_LINGER".into() };
        Op::Setsockopt { fd: "s".into(), option, value: Value::Linger { on, seconds } }
    }

    /// Whether `op` may block behind `before`.
    fn blocks(lab: Lab, before: Vec<Op>, op: &Op) -> bool {
        let (id, title, catalogue) = ("s/t".to_owned(), String::new(), Vec::new());
        let case =
            Case { id, title, catalogue, lab, ops: before, window_ms: 0, threads: Threads::NONE };
        let mut blocking = Blocking::of(&case);
        case.ops.iter().for_each(|op| blocking.succeeded(op));
        blocking.may_block(op)
    }

    #[test]
    fn a_socket_blocks_until_it_is_told_otherwise() {
        let lab = || Lab::one(LinkKind::Tun, "l");
        let stream = || socket(&["SOCK_STREAM"]);
        assert!(blocks(lab(), vec![stream()], &connect()));
        assert!(blocks(lab(), vec![stream()], &recv(&[])));
        assert!(!blocks(lab(), vec![stream()], &recv(&["MSG_DONTWAIT"])));
        let told = || set_flags(&["O_NONBLOCK"]);
        assert!(!blocks(lab(), vec![stream(), told()], &connect()));
        assert!(blocks(lab(), vec![stream(), told(), set_flags(&[])], &connect()));
        let made_so = socket(&["SOCK_STREAM", "SOCK_NONBLOCK"]);
        assert!(!blocks(lab(), vec![made_so], &recv(&[])));
    }

    #[test]
    fn a_close_that_lingers_may_block() {
        let lab = || Lab::one(LinkKind::Tun, "l");
        let (stream, close) = (|| socket(&["SOCK_STREAM"]), Op::Close { fd: "s".into() });
        assert!(!blocks(lab(), vec![stream()], &close));
        assert!(!blocks(lab(), vec![stream(), linger(1, 0)], &close));
        assert!(blocks(lab(), vec![stream(), linger(1, 2)], &close));
    }

    /// On Linux as on the BSDs: what is accepted lingers as its listener would.
    #[test]
    fn an_accepted_socket_lingers_as_its_listener() {
        let lab = || Lab::one(LinkKind::Tun, "l");
        let stream = || socket(&["SOCK_STREAM"]);
        let accept = || Op::Accept { fd: "s".into(), new: "a".into() };
        let close = Op::Close { fd: "a".into() };
        assert!(!blocks(lab(), vec![stream(), accept()], &close));
        assert!(blocks(lab(), vec![stream(), linger(1, 2), accept()], &close));
        assert!(!blocks(lab(), vec![stream(), accept(), linger(1, 2)], &close));
    }

    #[test]
    fn a_datagram_waits_for_room_where_a_buffer_was_made_small() {
        let lab = || Lab::one(LinkKind::Tun, "l");
        let send =
            Op::Send { fd: "s".into(), data: Payload::Text("x".to_owned()), flags: Flags::NONE };
        let sized = |name: &'static str| {
            let option = Opt::Raw { level: "SOL_SOCKET".into(), name: name.into() };
            let set = Op::Setsockopt { fd: "s".into(), option, value: Value::Int(1) };
            blocks(lab(), vec![socket(&["SOCK_DGRAM"]), set], &send)
        };
        assert!(sized("SO_SNDBUF") && sized("SO_SNDBUFFORCE"));
        assert!(!sized("SO_RCVBUF"));
    }

    #[test]
    fn where_there_is_no_far_end_nothing_waits_for_one() {
        assert!(!blocks(Lab::loopback(), vec![socket(&["SOCK_STREAM"])], &recv(&[])));
    }

    #[test]
    fn a_datagram_is_sent_without_a_wait() {
        let lab = || Lab::one(LinkKind::Tun, "l");
        let datagrams = || socket(&["SOCK_DGRAM"]);
        assert!(!blocks(lab(), vec![datagrams()], &connect()));
        assert!(blocks(lab(), vec![datagrams()], &recv(&[])));
    }
}
