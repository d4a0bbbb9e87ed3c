//! A call read back.

use std::ops::Range;

use harness::case::addr::Addr;
use harness::case::op::{Change, Control, PollFd};
use harness::case::{Flags, Op, Payload};

use super::args::{Args, Fields, flags, maybe_text, name, not, number, sym, text};
use super::{addr, more, process, raw, value};
use crate::fault::Fault;
use crate::tree::{Cursor, Node, What};

/// Every call that a case may make.
pub(crate) const NAMES: [&str; 63] = [
    "accept",
    "accept4",
    "bind",
    "capset",
    "chmod",
    "close",
    "connect",
    "connectx",
    "disconnectx",
    "dup",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_wait",
    "fcntl",
    "getaddrinfo",
    "getifaddrs",
    "getnameinfo",
    "getpeername",
    "getsockname",
    "getsockopt",
    "if_indextoname",
    "if_nametoindex",
    "inet_aton",
    "inet_pton",
    "ioctl",
    "kevent",
    "listen",
    "mkdir",
    "pipe",
    "poll",
    "ppoll",
    "pselect",
    "pthread_kill",
    "read",
    "readv",
    "recv",
    "recvfrom",
    "recvmmsg",
    "recvmsg",
    "recvmsg_x",
    "run",
    "select",
    "send",
    "sendfile",
    "sendmmsg",
    "sendmsg",
    "sendmsg_x",
    "sendto",
    "seteuid",
    "setrlimit",
    "setsockopt",
    "shutdown",
    "sigaction",
    "sockatmark",
    "socket",
    "socketpair",
    "splice",
    "symlink",
    "tmpfile",
    "unlink",
    "write",
    "writev",
];

/// Whether a call of that name makes a socket, which has a name then.
pub(crate) fn makes(call: &str) -> bool {
    matches!(call, "socket" | "accept" | "accept4" | "dup" | "tmpfile" | "epoll_create1")
}

/// A call as it is written, before anybody asks what its arguments mean.
pub(crate) struct Call<'a> {
    /// `sendto`.
    pub(crate) name: &'a str,
    /// Where the name stands.
    pub(crate) at: Range<usize>,
    args: Vec<Node<'a>>,
    /// The bracket at the end.
    end: Range<usize>,
    /// How long a program may run.
    within_ms: Option<u32>,
}

impl<'a> Call<'a> {
    /// Reads up to the end of the call.
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<Self, Fault> {
        cursor.blanks();
        let from = cursor.here();
        let rest = cursor.rest();
        let is_of = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name = &rest[..rest.find(|c| !is_of(c)).unwrap_or(rest.len())];
        let at = from..from + name.len();
        if name.is_empty() || !rest[name.len()..].starts_with('(') {
            let word = rest.split([' ', '\t']).next().unwrap_or_default();
            let fault = Fault::new(from..from + word.len().max(1), "this is no call and no step");
            return Err(fault.help(
                "a call is written as strace does, such as socket(AF_INET, SOCK_DGRAM, 0) = s",
            ));
        }
        if !NAMES.contains(&name) {
            let says = format!("there is no call {name}");
            return Err(Fault::new(at, says).nearest(name, NAMES));
        }
        cursor.eat(name);
        cursor.eat("(");
        let args = cursor.nodes()?;
        cursor.blanks();
        let end = cursor.here()..cursor.here() + 1;
        if !cursor.eat(")") {
            return Err(Fault::new(end, ") at the end of the arguments is expected here"));
        }
        let within_ms = if cursor.eat_word("within") {
            let node = cursor.node()?;
            let ms = number(&node, "milliseconds")?;
            if !cursor.eat_word("ms") {
                return Err(Fault::new(cursor.to_end(), "ms is expected here"));
            }
            Some(ms)
        } else {
            None
        };
        Ok(Self { name, at, args, end, within_ms })
    }

    /// The step that it is; `made` is the name of the socket that it makes.
    pub(crate) fn op(&self, made: &str) -> Result<Op, Fault> {
        if self.within_ms.is_some() && self.name != "run" {
            return Err(Fault::new(self.at.clone(), "only run(…) has a time that it ends within"));
        }
        let written_out = || raw::read(self.name, &self.args, self.end.clone());
        if raw::is_raw(self.name, &self.args) {
            return written_out();
        }
        match self.ordinary(made) {
            // What is wrong with it as it is meant to be.
            Err(_)
                if harness::case::raw::places(self.name).is_some()
                    && raw::names_a_pointer(self.name, &self.args) =>
            {
                written_out()
            }
            read => read,
        }
    }

    /// A call that gives its data, and no pointers to them.
    fn ordinary(&self, made: &str) -> Read {
        let mut all = Args::new(self.name, &self.args, self.end.clone());
        let args = &mut all;
        let op = match self.name {
            "socket" | "socketpair" | "bind" | "connect" | "listen" | "accept" | "shutdown"
            | "close" | "getsockname" | "getpeername" => plain(self.name, made, args),
            "send" | "sendto" | "sendmsg" | "write" => sends(self.name, args),
            "recv" | "recvfrom" | "recvmsg" | "read" => receives(self.name, args),
            "setsockopt" | "getsockopt" | "ioctl" | "fcntl" | "poll" => controls(self.name, args),
            "run" => self.run(args),
            "getaddrinfo" | "getnameinfo" | "inet_pton" | "inet_aton" => looks_up(self.name, args),
            "mkdir" | "unlink" | "symlink" | "chmod" => more::files(self.name, args),
            "accept4" | "dup" | "tmpfile" | "pipe" | "epoll_create1" => {
                more::makes(self.name, made, args)
            }
            "ppoll" | "select" | "pselect" | "epoll_ctl" | "epoll_wait" | "epoll_pwait" => {
                more::waits(self.name, args)
            }
            "if_nametoindex" | "if_indextoname" | "getifaddrs" => more::interfaces(self.name, args),
            "writev" | "readv" | "sendmmsg" | "recvmmsg" | "sendfile" | "splice" | "sockatmark" => {
                more::transfers(self.name, args)
            }
            "sigaction" | "pthread_kill" | "setrlimit" | "capset" | "seteuid" => {
                process::read(self.name, args)
            }
            _ => darwins(self.name, args),
        }?;
        all.end()?;
        Ok(op)
    }

    fn run(&self, args: &mut Args<'_, '_>) -> Result<Op, Fault> {
        let mut argv = vec![text(args.next("a program")?)?];
        while let Some(word) = args.maybe() {
            argv.push(text(word)?);
        }
        let Some(limit_ms) = self.within_ms else {
            let fault = Fault::new(self.end.clone(), "how long it may run is not said");
            return Err(fault.help("add a time, as in run(\"true\") within 5000 ms"));
        };
        Ok(Op::Run { argv, limit_ms })
    }
}

pub(super) type Read = Result<Op, Fault>;

fn plain(call: &str, made: &str, args: &mut Args<'_, '_>) -> Read {
    Ok(match call {
        "socket" => {
            let (domain, r#type) = (args.sym_or_number("a domain")?, args.numbered("a type")?);
            Op::Socket {
                fd: made.to_owned(),
                domain,
                r#type,
                protocol: args.numbered("a protocol")?,
            }
        }
        "socketpair" => {
            let (domain, r#type) = (args.sym_or_number("a domain")?, args.numbered("a type")?);
            let protocol = args.numbered("a protocol")?;
            let pair = args.next("two names such as [a, b]")?;
            let What::List(both) = &pair.what else { return Err(not(pair, "[a, b]")) };
            let [a, b] = &both[..] else { return Err(not(pair, "[a, b]")) };
            let of = "the name of a socket";
            Op::Socketpair { a: name(a, of)?, b: name(b, of)?, domain, r#type, protocol }
        }
        "bind" => Op::Bind { fd: args.socket()?, addr: addr::read(args.next("an address")?)? },
        "connect" => {
            Op::Connect { fd: args.socket()?, addr: addr::read(args.next("an address")?)? }
        }
        "listen" => Op::Listen { fd: args.socket()?, backlog: args.number("a backlog")? },
        "accept" => Op::Accept { fd: args.socket()?, new: made.to_owned() },
        "shutdown" => Op::Shutdown { fd: args.socket()?, how: args.sym("SHUT_RD and such")? },
        "close" => Op::Close { fd: args.socket()? },
        "getsockname" => Op::Getsockname { fd: args.socket()? },
        _ => Op::Getpeername { fd: args.socket()? },
    })
}

fn sends(call: &str, args: &mut Args<'_, '_>) -> Read {
    let fd = args.socket()?;
    Ok(match call {
        "send" => {
            let data = args.payload(1)?;
            Op::Send { fd, data, flags: args.numbered("flags")? }
        }
        "sendto" => {
            let data = args.payload(2)?;
            let flags = args.numbered("flags")?;
            Op::Sendto { fd, data, flags, addr: addr::read(args.next("an address")?)? }
        }
        "sendmsg" => {
            let mut fields = Fields::of(args.next("a message")?, MESSAGE)?;
            let to = fields.take("msg_name").map(addr::read).transpose()?;
            let data = parts(fields.want("msg_iov")?)?;
            let control = control_of(&mut fields)?;
            fields.end(&["msg_name", "msg_iov", "msg_control"])?;
            Op::Sendmsg { fd, data, flags: args.numbered("flags")?, addr: to, control }
        }
        _ => Op::Write { fd, data: args.payload(0)? },
    })
}

const MESSAGE: &str = "a message such as {msg_iov=[\"x\"]}";

pub(super) fn list<'n, 'a>(node: &'n Node<'a>) -> Result<&'n [Node<'a>], Fault> {
    match &node.what {
        What::List(all) => Ok(all),
        _ => Err(not(node, "a list")),
    }
}

/// The control messages of a message, if it has some.
fn control_of(fields: &mut Fields<'_, '_>) -> Result<Vec<Control>, Fault> {
    let Some(node) = fields.take("msg_control") else { return Ok(Vec::new()) };
    list(node)?.iter().map(value::control).collect()
}

/// `["x", 1]`, or several: `[{"x", 1}, {"yy", 2}]`, `["x", "yy"]`.
fn parts(node: &Node<'_>) -> Result<Payload, Fault> {
    let is_part =
        |one: &Node<'_>| matches!(one.what, What::Text(_) | What::Pattern(_) | What::Group(_));
    match list(node)? {
        all @ [_, _, ..] if all.iter().all(is_part) => {
            Ok(Payload::Parts(all.iter().map(more::part).collect::<Result<_, _>>()?))
        }
        [one] if matches!(one.what, What::Group(_)) => more::part(one),
        _ => iov(node),
    }
}

/// `["x", 1]`
fn iov(node: &Node<'_>) -> Result<Payload, Fault> {
    let mut args = Args::new("msg_iov", list(node)?, node.at.clone());
    let data = args.payload(0)?;
    args.end()?;
    Ok(data)
}

fn receives(call: &str, args: &mut Args<'_, '_>) -> Read {
    let fd = args.socket()?;
    Ok(match call {
        "recv" => Op::Recv { fd, len: args.number("a length")?, flags: args.numbered("flags")? },
        "recvfrom" => {
            Op::Recvfrom { fd, len: args.number("a length")?, flags: args.numbered("flags")? }
        }
        "recvmsg" => {
            let (lens, control_len) = rooms(args.next("a message")?)?;
            let (len, lens) = match lens[..] {
                [len] => (len, Vec::new()),
                _ => (lens.iter().fold(0, |sum: u32, len| sum.saturating_add(*len)), lens),
            };
            Op::Recvmsg { fd, len, lens, control_len, flags: args.numbered("flags")? }
        }
        _ => Op::Read { fd, len: args.number("a length")? },
    })
}

/// `{msg_iov=[64], msg_controllen=100}`
pub(super) fn room(node: &Node<'_>) -> Result<(u32, u32), Fault> {
    match rooms(node)? {
        (lens, control) if lens.len() == 1 => Ok((lens[0], control)),
        _ => Err(not(node, "one length, as in msg_iov=[64],")),
    }
}

/// The same with several lengths: `{msg_iov=[4, 8]}`.
fn rooms(node: &Node<'_>) -> Result<(Vec<u32>, u32), Fault> {
    let mut fields = Fields::of(node, "room such as {msg_iov=[64], msg_controllen=100}")?;
    let iov = fields.want("msg_iov")?;
    let lens = list(iov)?.iter().map(|len| number(len, "a length"));
    let lens = lens.collect::<Result<Vec<u32>, _>>()?;
    if lens.is_empty() {
        return Err(not(iov, "a length, as in msg_iov=[64],"));
    }
    let control = fields.take("msg_controllen").map(|node| number(node, "a length")).transpose()?;
    fields.end(&["msg_iov", "msg_controllen"])?;
    Ok((lens, control.unwrap_or(0)))
}

fn controls(call: &str, args: &mut Args<'_, '_>) -> Read {
    if call == "poll" {
        let fds = list(args.next("a list such as [{s, POLLIN}]")?)?;
        let fds = fds.iter().map(poll_fd).collect::<Result<_, _>>()?;
        return Ok(Op::Poll { fds, timeout_ms: args.number("a time in milliseconds")? });
    }
    let fd = args.socket()?;
    Ok(match call {
        "setsockopt" => {
            let option = value::option(args)?;
            let value = value::of(&option, args.next("what it is set to")?)?;
            Op::Setsockopt { fd, option, value }
        }
        "getsockopt" => {
            let option = value::option(args)?;
            let len = args.maybe().map(|node| number(node, "a length")).transpose()?;
            let len = len.unwrap_or_else(|| option.room());
            Op::Getsockopt { fd, option, len }
        }
        "ioctl" => {
            let request = args.sym("a request")?;
            let (link, given) = match args.maybe() {
                Some(node) => value::request(&request, node)?,
                None => (None, None),
            };
            Op::Ioctl { fd, request, link, given }
        }
        _ => {
            let cmd = args.sym("a command")?;
            if cmd.as_str() == "F_SETOWN" {
                let pid = Some(value::who(args.next("own or 0")?)?);
                return Ok(Op::Fcntl { fd, cmd, arg: Flags::NONE, pid });
            }
            let arg = args.maybe().map(flags).transpose()?.unwrap_or(Flags::NONE);
            Op::Fcntl { fd, cmd, arg, pid: None }
        }
    })
}

pub(super) fn poll_fd(node: &Node<'_>) -> Result<PollFd, Fault> {
    let What::Group(within) = &node.what else { return Err(not(node, "{s, POLLIN}")) };
    let [fd, events] = &within[..] else { return Err(not(node, "{s, POLLIN}")) };
    Ok(PollFd { fd: name(fd, "the name of a socket")?, events: flags(events)? })
}

fn looks_up(call: &str, args: &mut Args<'_, '_>) -> Read {
    Ok(match call {
        "getaddrinfo" => {
            let (node, service) =
                (maybe_text(args.next("a name")?)?, maybe_text(args.next("a service")?)?);
            let hints = args.next("hints such as {AF_INET, SOCK_DGRAM, 0}")?;
            let What::Group(within) = &hints.what else {
                return Err(not(hints, "{FAMILY, TYPE, FLAGS}"));
            };
            let [family, r#type, f] = &within[..] else {
                return Err(not(hints, "{FAMILY, TYPE, FLAGS}"));
            };
            let (family, r#type) = (sym(family)?, flags(r#type)?);
            Op::Getaddrinfo { node, service, family, r#type, flags: flags(f)? }
        }
        "getnameinfo" => {
            let of = addr::read(args.next("an address")?)?;
            let host_len = args.number("a length")?;
            let service_len = args.number("a length")?;
            Op::Getnameinfo { addr: of, host_len, service_len, flags: args.flags("flags")? }
        }
        "inet_pton" => {
            Op::InetPton { family: args.sym("a family")?, text: text(args.next("text")?)? }
        }
        _ => Op::InetAton { text: text(args.next("text")?)? },
    })
}

fn darwins(call: &str, args: &mut Args<'_, '_>) -> Read {
    if call == "kevent" {
        let changes = list(args.next("a list of changes")?)?;
        let changes = changes.iter().map(change).collect::<Result<_, _>>()?;
        return Ok(Op::Kevent { changes, timeout_ms: args.number("a time in milliseconds")? });
    }
    let fd = args.socket()?;
    Ok(match call {
        "connectx" => {
            let mut ends = Fields::of(args.next("endpoints")?, "{sae_dstaddr=ADDRESS}")?;
            let link = ends.take("sae_srcif").map(|node| name(node, "a link")).transpose()?;
            let source = ends.take("sae_srcaddr").map(addr::read).transpose()?;
            let to = addr::read(ends.want("sae_dstaddr")?)?;
            ends.end(&["sae_srcif", "sae_srcaddr", "sae_dstaddr"])?;
            constant(args, "SAE_ASSOCID_ANY")?;
            let flags = args.flags("flags")?;
            let data = args.next("NULL or data")?;
            let data = if data.what == What::Word("NULL") { None } else { Some(iov(data)?) };
            Op::Connectx { fd, link, source, addr: to, flags, data }
        }
        "disconnectx" => {
            constant(args, "SAE_ASSOCID_ANY")?;
            constant(args, "SAE_CONNID_ANY")?;
            Op::Disconnectx { fd }
        }
        "sendmsg_x" => sendmsg_x(fd, args)?,
        _ => {
            let (len, control_len) = room(args.next("a message")?)?;
            let count = args.number("how many")?;
            Op::RecvmsgX { fd, count, len, control_len, flags: args.flags("flags")? }
        }
    })
}

pub(super) fn constant(args: &mut Args<'_, '_>, is: &str) -> Result<(), Fault> {
    let node = args.next(is)?;
    if matches!(node.what, What::Word(word) if word == is) { Ok(()) } else { Err(not(node, is)) }
}

fn sendmsg_x(fd: String, args: &mut Args<'_, '_>) -> Read {
    let at = args.here();
    let (data, addr, control) = messages(args)?;
    if !control.is_empty() {
        return Err(Fault::new(at, "sendmsg_x is given no control messages by a case"));
    }
    Ok(Op::SendmsgX { fd, data, flags: args.flags("flags")?, addr })
}

/// What several messages have: data, an address, and the control messages of each, or none.
type Messages = (Vec<Payload>, Option<Addr>, Vec<Vec<Control>>);

/// `[{msg_name=ADDRESS, msg_iov=["x", 1], msg_control=[…]}], 1`, each of them to the same address.
pub(super) fn messages(args: &mut Args<'_, '_>) -> Result<Messages, Fault> {
    let messages = args.next("a list of messages")?;
    let (mut data, mut to): (Vec<Payload>, Vec<_>) = (Vec::new(), Vec::new());
    let mut control = Vec::new();
    for node in list(messages)? {
        let mut fields = Fields::of(node, MESSAGE)?;
        to.push(fields.take("msg_name").map(addr::read).transpose()?);
        data.extend(fields.take("msg_iov").map(iov).transpose()?);
        control.push(control_of(&mut fields)?);
        fields.end(&["msg_name", "msg_iov", "msg_control"])?;
    }
    if to.windows(2).any(|two| two[0] != two[1]) {
        return Err(Fault::new(messages.at.clone(), "all of them go to the same address"));
    }
    let count = args.next("how many")?;
    if number::<u32>(count, "how many")? as usize != data.len() {
        let says = format!("there are {} messages", data.len());
        return Err(Fault::new(count.at.clone(), says));
    }
    if control.iter().all(Vec::is_empty) {
        control.clear();
    }
    Ok((data, to.into_iter().next().flatten(), control))
}

fn change(node: &Node<'_>) -> Result<Change, Fault> {
    const LIKE: &str = "{SOCKET, FILTER, FLAGS, FFLAGS, DATA}";
    let What::Group(within) = &node.what else { return Err(not(node, LIKE)) };
    let [fd, filter, all, fflags, data] = &within[..] else { return Err(not(node, LIKE)) };
    let fd = name(fd, "the name of a socket")?;
    let (filter, all, fflags) = (sym(filter)?, flags(all)?, flags(fflags)?);
    Ok(Change { fd, filter, flags: all, fflags, data: number(data, "an int")? })
}
