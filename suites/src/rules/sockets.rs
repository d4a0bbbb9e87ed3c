//! Which socket a name of the case stands for, call by call.
//!
//! By `dup` two names are one socket, and a name that is made anew is another one.

use std::collections::BTreeMap;

use harness::case::op::{Opt, Value};
use harness::case::{Flags, Op, plain};
use harness::trace::{Did, Event};

use super::view::{Call, View};

/// A socket of the case: its number in [`Sockets::made`].
pub(super) type Id = usize;

/// What is known of a socket from how it was made.
pub(super) struct Socket<'a> {
    /// Which of the view's calls made it.
    pub(super) made: usize,
    pub(super) domain: &'a str,
    pub(super) r#type: Type,
    /// Whether its protocol is the usual one of its type: UDP, TCP, or that of local sockets.
    pub(super) usual: bool,
    /// Who accepted it.
    pub(super) listener: Option<Id>,
    /// The other end of a pair.
    pub(super) twin: Option<Id>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Stream,
    Dgram,
    Seqpacket,
    Other,
}

impl Type {
    fn of(flags: &Flags) -> Self {
        match () {
            () if flags.has("SOCK_STREAM") => Self::Stream,
            () if flags.has("SOCK_DGRAM") => Self::Dgram,
            () if flags.has("SOCK_SEQPACKET") => Self::Seqpacket,
            () => Self::Other,
        }
    }
}

impl Socket<'_> {
    /// Whether each of its receives gets one message: UDP's, and those of local sockets.
    pub(super) fn has_messages(&self) -> bool {
        let local = self.domain == "AF_UNIX";
        self.usual
            && (self.r#type == Type::Dgram || local && self.r#type == Type::Seqpacket)
            && (local || self.is_inet())
    }

    pub(super) fn is_inet(&self) -> bool {
        ["AF_INET", "AF_INET6"].contains(&self.domain)
    }

    pub(super) fn is_tcp(&self) -> bool {
        self.is_inet() && self.usual && self.r#type == Type::Stream
    }
}

/// The sockets of a case, and which name was which when.
pub(super) struct Sockets<'a> {
    pub(super) made: Vec<Socket<'a>>,
    /// From behind the call of this number the name stands for that.
    names: Vec<(usize, &'a str, Option<Id>)>,
}

impl<'a> Sockets<'a> {
    pub(super) fn of(view: &View<'a>) -> Self {
        let mut all = Self { made: Vec::new(), names: Vec::new() };
        for (index, call) in view.calls.iter().enumerate() {
            all.step(index, call);
        }
        all
    }

    fn step(&mut self, index: usize, call: &Call<'a>) {
        let new = match call.what {
            Op::Socket { fd, domain, r#type, protocol } => {
                let socket = socket(index, domain.plain(), r#type, protocol);
                vec![(fd, Some(socket))]
            }
            Op::Socketpair { a, b, domain, r#type, protocol } => {
                let end = |twin| {
                    let socket = socket(index, domain.plain(), r#type, protocol);
                    Some(Socket { twin: Some(twin), ..socket })
                };
                let first = self.made.len();
                vec![(a, end(first + 1)), (b, end(first))]
            }
            Op::Accept { fd, new } | Op::Accept4 { fd, new, .. } => {
                let socket = self.named(index, fd).map(|id| {
                    let Socket { domain, r#type, usual, .. } = self.made[id];
                    Socket { made: index, domain, r#type, usual, listener: Some(id), twin: None }
                });
                vec![(new, socket)]
            }
            Op::Dup { fd, new } => {
                let id = self.named(index, fd).filter(|_| call.ok());
                self.names.push((index, new, id));
                return;
            }
            Op::Close { fd } => {
                self.names.push((index, fd, None));
                return;
            }
            other => {
                self.names.extend(other.makes().into_iter().map(|name| (index, name, None)));
                return;
            }
        };
        for (name, socket) in new {
            let socket = socket.filter(|_| call.ok());
            let id = socket.is_some().then_some(self.made.len());
            self.made.extend(socket);
            self.names.push((index, name, id));
        }
    }

    /// What `name` stands for when the call of this number is made.
    pub(super) fn named(&self, index: usize, name: &str) -> Option<Id> {
        let before = self.names.iter().rev().find(|(at, of, _)| *at < index && *of == name);
        before.and_then(|(_, _, id)| *id)
    }

    /// The socket that the call is made on.
    pub(super) fn on(&self, index: usize, call: &Call<'_>) -> Option<Id> {
        self.named(index, call.what.fd().or(call.what.sends_by())?)
    }

    /// Whether no name of it is left behind the call of this number.
    pub(super) fn is_closed(&self, id: Id, index: usize) -> bool {
        let mut now: BTreeMap<&str, Option<Id>> = BTreeMap::new();
        for (_, name, of) in self.names.iter().filter(|(at, ..)| *at <= index) {
            now.insert(name, *of);
        }
        !now.values().any(|of| *of == Some(id))
    }

    pub(super) fn get(&self, id: Id) -> &Socket<'a> {
        &self.made[id]
    }
}

fn socket<'a>(made: usize, domain: &'a str, r#type: &Flags, protocol: &Flags) -> Socket<'a> {
    let r#type = Type::of(r#type);
    let usual = protocol.0.iter().all(|name| match name.plain() {
        "IPPROTO_IP" => true,
        "IPPROTO_UDP" => r#type == Type::Dgram,
        "IPPROTO_TCP" => r#type == Type::Stream,
        _ => false,
    });
    Socket { made, domain, r#type, usual, listener: None, twin: None }
}

/// The flags of a call that receives.
pub(super) fn receive_flags(op: &Op) -> Option<&Flags> {
    match op {
        Op::Recv { flags, .. }
        | Op::Recvfrom { flags, .. }
        | Op::Recvmsg { flags, .. }
        | Op::Recvmmsg { flags, .. }
        | Op::RecvmsgX { flags, .. } => Some(flags),
        _ => None,
    }
}

/// Whether a call that receives has that flag.
pub(super) fn takes(op: &Op, flag: &str) -> bool {
    receive_flags(op).is_some_and(|flags| flags.has(flag))
}

/// Whether a receive asks for what is beside the data of the socket.
pub(super) fn is_beside(op: &Op) -> bool {
    takes(op, "MSG_ERRQUEUE") || takes(op, "MSG_OOB")
}

/// An option by the name under which it is read: `SO_RCVBUFFORCE` sets `SO_RCVBUF`.
pub(super) fn as_read(name: &str) -> &str {
    name.strip_suffix("FORCE").unwrap_or(name)
}

/// Whether it is one of those that ask for the time of what is received, of which one takes the place of another.
pub(super) fn is_stamp(name: &str) -> bool {
    name.starts_with("SO_TIMESTAMP")
}

/// The option of a `setsockopt` by its own name, and its value.
pub(super) fn set(op: &Op) -> Option<(&str, &str, &Value)> {
    match op {
        Op::Setsockopt { option: Opt::Raw { level, name }, value, .. } => {
            Some((level.plain(), name.plain(), value))
        }
        _ => None,
    }
}

/// The option of a `getsockopt` by its own name.
pub(super) fn asked(op: &Op) -> Option<(&str, &str)> {
    match op {
        Op::Getsockopt { option: Opt::Raw { level, name }, .. } => {
            Some((level.plain(), name.plain()))
        }
        _ => None,
    }
}

/// Whether a call of the case is one that is made with this option's name, whatever came of it.
pub(super) fn sets_any(view: &View<'_>, is: impl Fn(&str) -> bool) -> bool {
    view.calls.iter().any(|call| set(call.what).is_some_and(|(_, name, _)| is(plain(name))))
}

/// The step of the call at which the case ended, as it did not return.
pub(super) fn hung<'a>(view: &View<'a>) -> Option<(u32, &'a Op)> {
    let case = view.case;
    view.trace.events.iter().rev().find_map(|event| match event {
        Event::Call { op, did: Did::Hung { .. }, .. } => {
            Some((*op, case.ops.get(usize::try_from(*op).ok()?)?))
        }
        _ => None,
    })
}
