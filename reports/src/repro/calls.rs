//! The calls: one statement each, between what they are given and what they wrote.

use std::collections::BTreeSet;

use harness::case::payload::quoted;
use harness::case::{Case, Op, Os, Payload};

use super::arguments::{address, buffer, fd, keep_port, payload, received, room};
use super::parts::Part;
use super::program::{Missing, Program};
use super::{interfaces, messages, options, vectors, waits};

/// Whether the system has not got the call: a program for it says so and ends there.
pub(super) fn lacks(os: Os, op: &Op) -> bool {
    match os {
        Os::Linux => op.is_darwins(),
        Os::Macos => op.is_not_darwins(),
    }
}

/// Writes the statements of one call.
pub(super) fn call(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    if lacks(p.os, op) {
        return Err(Missing::Name(op.call().to_owned()));
    }
    p.include(&["sys/socket.h"]);
    match op {
        Op::Socket { .. } | Op::Accept { .. } | Op::Accept4 { .. } => make(p, number, op)?,
        Op::Socketpair { .. } | Op::Pipe { .. } => make_two(p, number, op)?,
        Op::Dup { .. } | Op::File { .. } | Op::EpollCreate1 { .. } => make_other(p, number, op)?,
        Op::Mkdir { .. } | Op::Unlink { .. } | Op::Symlink { .. } | Op::Chmod { .. } => {
            of_a_file(p, number, op);
        }
        Op::Bind { addr, .. } | Op::Connect { addr, .. } => {
            let (at, size) = address(p, number, addr)?;
            let (call, fd) = (op.call(), fd(p, op));
            p.call(number, op, &format!("{call}({fd}, {at}, {size})"));
        }
        Op::Listen { backlog, .. } => simple(p, number, op, &backlog.to_string()),
        Op::Shutdown { how, .. } => {
            let how = p.name(how)?;
            simple(p, number, op, &how);
        }
        Op::Close { fd } => close(p, number, op, fd),
        Op::Send { .. } | Op::Sendto { .. } | Op::Write { .. } => send(p, number, op)?,
        Op::Recv { .. } | Op::Recvfrom { .. } | Op::Read { .. } => receive(p, number, op)?,
        Op::Sendmsg { .. } => messages::sendmsg(p, number, op)?,
        Op::Recvmsg { .. } => messages::recvmsg(p, number, op)?,
        Op::Getsockname { .. } | Op::Getpeername { .. } => name(p, number, op),
        Op::Setsockopt { .. } => options::set(p, number, op)?,
        Op::Getsockopt { .. } => options::get(p, number, op)?,
        Op::Poll { .. }
        | Op::Ppoll { .. }
        | Op::Select { .. }
        | Op::Pselect { .. }
        | Op::EpollCtl { .. }
        | Op::EpollWait { .. }
        | Op::EpollPwait { .. } => waits::call(p, number, op)?,
        Op::Ioctl { .. } => super::requests::call(p, number, op)?,
        Op::Fcntl { .. } => fcntl(p, number, op)?,
        Op::Getaddrinfo { .. } => resolve(p, number, op)?,
        Op::Getnameinfo { .. } => name_of(p, number, op)?,
        Op::InetPton { .. } | Op::InetAton { .. } => parse(p, number, op)?,
        Op::Connectx { .. }
        | Op::Disconnectx { .. }
        | Op::SendmsgX { .. }
        | Op::RecvmsgX { .. }
        | Op::Kevent { .. } => super::darwin::call(p, number, op)?,
        Op::Writev { .. }
        | Op::Readv { .. }
        | Op::Sendmmsg { .. }
        | Op::Recvmmsg { .. }
        | Op::Sendfile { .. }
        | Op::Splice { .. } => vectors::call(p, number, op)?,
        Op::Sockatmark { .. } => sockatmark(p, number, op),
        Op::IfNametoindex { .. } | Op::IfIndextoname { .. } | Op::Getifaddrs {} => {
            interfaces::call(p, number, op);
        }
        Op::Raw { .. } => super::raw::call(p, number, op)?,
        Op::Process { .. } => super::process::call(p, number, op)?,
        Op::Run { .. } => {
            let why = "the case runs a program of the user's, which is its own reproducer";
            return Err(Missing::Step(why.to_owned()));
        }
        Op::Lab { .. } => {}
    }
    Ok(())
}

fn fcntl(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    let Op::Fcntl { cmd, arg, pid, .. } = op else { return Ok(()) };
    p.include(&["fcntl.h"]);
    let (fd, cmd) = (fd(p, op), p.name(cmd)?);
    let arg = match pid {
        Some(who) => super::requests::pid(p, *who),
        None => p.flags(arg)?,
    };
    p.call(number, op, &format!("fcntl({fd}, {cmd}, {arg})"));
    Ok(())
}

fn sockatmark(p: &mut Program<'_>, number: u32, op: &Op) {
    let fd = fd(p, op);
    p.call(number, op, &format!("sockatmark({fd})"));
}

/// A call that is about a file, whose arguments are as in C.
fn of_a_file(p: &mut Program<'_>, number: u32, op: &Op) {
    p.include(&["sys/stat.h", "unistd.h"]);
    p.call(number, op, &super::program::shown(op));
}

/// A call with one number beside the socket.
fn simple(p: &mut Program<'_>, number: u32, op: &Op, arg: &str) {
    let (call, fd) = (op.call(), fd(p, op));
    p.call(number, op, &format!("{call}({fd}, {arg})"));
}

/// `close`; what is done with the socket later is done with a number that no descriptor has.
fn close(p: &mut Program<'_>, number: u32, op: &Op, fd: &str) {
    p.include(&["unistd.h"]);
    let var = p.fd(fd);
    let case = p.case;
    let later = || {
        let later = case.ops.iter().skip(number as usize + 1);
        later.filter(|op| super::names::sockets(op).contains(&fd))
    };
    let of_it = later().take_while(|op| !op.makes().contains(&fd)).find(|op| op.gives_port_of(fd));
    // Closed twice it has no other.
    let is_kept = p.ports.contains_key(fd);
    let port = of_it.filter(|_| !is_kept).map(|op| keep_port(p, number, op, fd));
    p.call(number, op, &format!("close({var})"));
    // What follows only marks it as closed.
    let kept = p.ports.remove_entry(fd).into_iter();
    if later().any(|op| op.polled().is_some()) {
        // A number that no descriptor has: -1 `poll` would pass over (poll(2)).
        p.include(&["limits.h"]);
        p.set_fd(fd, "INT_MAX");
    } else if later().next().is_some() {
        p.set_fd(fd, "-1");
    }
    p.ports.extend(kept.chain(port.map(|port| (fd.to_owned(), port))));
}

/// The calls that make a socket.
fn make(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    p.include(&["netinet/in.h"]);
    let (fd, new, flags) = match op {
        Op::Socket { fd, domain, r#type, protocol } => {
            let (domain, kind, protocol) = (p.name(domain)?, p.flags(r#type)?, p.flags(protocol)?);
            p.set_fd(fd, &format!("socket({domain}, {kind}, {protocol})"));
            let var = p.fd(fd);
            p.report(number, op, &var);
            return Ok(());
        }
        Op::Accept { fd, new } => (fd, new, String::new()),
        Op::Accept4 { fd, new, flags } => (fd, new, format!(", {}", p.flags(flags)?)),
        _ => return Ok(()),
    };
    p.need(Part::Address);
    let (call, listener) = (op.call(), p.fd(fd));
    let (at, len) = room(p, number);
    p.set_fd(new, &format!("{call}({listener}, (struct sockaddr *)&{at}, &{len}{flags})"));
    let var = p.fd(new);
    p.report(number, op, &var);
    p.line(format_args!("if ({var} != -1)"));
    p.line(format_args!("    address(&{at}, {len});"));
    Ok(())
}

/// The calls that make two descriptors.
fn make_two(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    let pair = format!("pair{number}");
    let (a, b, call) = match op {
        Op::Socketpair { a, b, domain, r#type, protocol } => {
            p.include(&["netinet/in.h"]);
            let (domain, kind, protocol) = (p.name(domain)?, p.flags(r#type)?, p.flags(protocol)?);
            (a, b, format!("socketpair({domain}, {kind}, {protocol}, {pair})"))
        }
        Op::Pipe { read, write } => {
            p.include(&["unistd.h"]);
            (read, write, format!("pipe({pair})"))
        }
        _ => return Ok(()),
    };
    p.line(format_args!("int {pair}[2] = {{-1, -1}};"));
    p.call(number, op, &call);
    p.set_fd(a, &format!("{pair}[0]"));
    p.set_fd(b, &format!("{pair}[1]"));
    Ok(())
}

/// The statements without the variables of two descriptors' ends that nothing reads: such a one is a warning. Which
/// those are is known at the end, since a program ends where the system has not got what the case asks for.
pub(super) fn without_unread(body: &str) -> String {
    let set = |line: &str| {
        let (name, from) = line.trim().split_once(" = ")?;
        let is_end = from.strip_prefix("pair").is_some_and(|from| from.ends_with("];"));
        is_end.then(|| name.strip_prefix("int ").unwrap_or(name).to_owned())
    };
    let mut read = BTreeSet::new();
    for line in body.lines().filter(|line| set(line).is_none()) {
        // What is in quotes is no code.
        let line = line.replace("\\\"", "");
        let code = line.split('"').step_by(2);
        let words = code.flat_map(|code| code.split(|c: char| !is_of_a_name(c)));
        read.extend(words.map(str::to_owned));
    }
    let unread = |line: &str| set(line).is_some_and(|name| !read.contains(&name));
    body.split_inclusive('\n').filter(|line| !unread(line)).collect()
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The calls that make a descriptor which is no socket, or another one of a socket.
fn make_other(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    let (new, made) = match op {
        Op::Dup { fd, new } => {
            p.include(&["unistd.h"]);
            (new, format!("dup({})", p.fd(fd)))
        }
        Op::File { new, data } => {
            p.need(Part::FileOf);
            let (data, len) = payload(p, number, data);
            (new, format!("file_of({data}, {len})"))
        }
        Op::EpollCreate1 { new, flags } => {
            p.include(&["sys/epoll.h"]);
            (new, format!("epoll_create1({})", p.flags(flags)?))
        }
        _ => return Ok(()),
    };
    p.set_fd(new, &made);
    let var = p.fd(new);
    p.report(number, op, &var);
    Ok(())
}

fn send(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    let fd = fd(p, op);
    let call = match op {
        Op::Send { data, flags, .. } => {
            let flags = p.flags(flags)?;
            let (data, len) = payload(p, number, data);
            format!("send({fd}, {data}, {len}, {flags})")
        }
        Op::Sendto { data, flags, addr, .. } => {
            let flags = p.flags(flags)?;
            let (at, size) = address(p, number, addr)?;
            let (data, len) = payload(p, number, data);
            format!("sendto({fd}, {data}, {len}, {flags}, {at}, {size})")
        }
        Op::Write { data, .. } => {
            p.include(&["unistd.h"]);
            let (data, len) = payload(p, number, data);
            format!("write({fd}, {data}, {len})")
        }
        _ => return Ok(()),
    };
    p.call(number, op, &call);
    Ok(())
}

fn receive(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    let fd = fd(p, op);
    let (Op::Recv { len, .. } | Op::Recvfrom { len, .. } | Op::Read { len, .. }) = op else {
        return Ok(());
    };
    let flags = match op {
        Op::Recv { flags, .. } | Op::Recvfrom { flags, .. } => p.flags(flags)?,
        _ => String::new(),
    };
    let (at, size) = buffer(p, number, *len);
    match op {
        Op::Recvfrom { .. } => {
            p.need(Part::Address);
            let (from, from_len) = room(p, number);
            let from_at = format!("(struct sockaddr *)&{from}");
            let args = format!("{fd}, {at}, {size}, {flags}, {from_at}, &{from_len}");
            p.call(number, op, &format!("recvfrom({args})"));
            received(p, op, &at, &size);
            p.line(format_args!("if (ret != -1)"));
            p.line(format_args!("    address(&{from}, {from_len});"));
        }
        Op::Recv { .. } => {
            p.call(number, op, &format!("recv({fd}, {at}, {size}, {flags})"));
            received(p, op, &at, &size);
        }
        _ => {
            p.include(&["unistd.h"]);
            p.call(number, op, &format!("read({fd}, {at}, {size})"));
            received(p, op, &at, &size);
        }
    }
    Ok(())
}

fn name(p: &mut Program<'_>, number: u32, op: &Op) {
    p.need(Part::Address);
    let (call, fd) = (op.call(), fd(p, op));
    let (at, len) = room(p, number);
    p.call(number, op, &format!("{call}({fd}, (struct sockaddr *)&{at}, &{len})"));
    p.line(format_args!("if (ret != -1)"));
    p.line(format_args!("    address(&{at}, {len});"));
}

fn resolve(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    let Op::Getaddrinfo { node, service, family, r#type, flags } = op else { return Ok(()) };
    p.include(&["netdb.h", "stddef.h", "sys/types.h"]);
    let (family, kind, flags) = (p.name(family)?, p.flags(r#type)?, p.flags(flags)?);
    let text =
        |t: &Option<String>| t.as_ref().map_or_else(|| "NULL".to_owned(), |t| quoted(t.as_bytes()));
    let (node, service) = (text(node), text(service));
    let (hints, list) = (format!("hints{number}"), format!("list{number}"));
    p.need(Part::Resolved);
    p.has_ret = true;
    p.line(format_args!("struct addrinfo {hints} = {{"));
    p.line(format_args!("    .ai_family = {family},"));
    p.line(format_args!("    .ai_socktype = {kind},"));
    p.line(format_args!("    .ai_flags = {flags},"));
    p.line(format_args!("}};"));
    p.line(format_args!("struct addrinfo *{list} = NULL;"));
    p.line(format_args!("ret = getaddrinfo({node}, {service}, &{hints}, &{list});"));
    let call = quoted(super::program::shown(op).as_bytes());
    p.line(format_args!("resolved({number}, {call}, (int)ret, {list});"));
    p.line(format_args!("if (ret == 0)"));
    p.line(format_args!("    freeaddrinfo({list});"));
    Ok(())
}

fn name_of(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    let Op::Getnameinfo { addr, host_len, service_len, flags } = op else { return Ok(()) };
    p.include(&["netdb.h", "sys/types.h"]);
    p.need(Part::LookedUp);
    p.has_ret = true;
    let flags = p.flags(flags)?;
    let (at, size) = address(p, number, addr)?;
    let mut given = Vec::new();
    let mut shown = Vec::new();
    for (what, len) in [("host", *host_len), ("service", *service_len)] {
        if len == 0 {
            given.push("NULL, 0".to_owned());
            continue;
        }
        let var = format!("{what}{number}");
        p.need(Part::Value);
        p.line(format_args!("char {var}[{len}];"));
        given.push(format!("{var}, sizeof {var}"));
        shown.push(format!("    value(\"{what} %s\", {var});"));
    }
    p.line(format_args!("ret = getnameinfo({at}, {size}, {}, {flags});", given.join(", ")));
    let call = quoted(super::program::shown(op).as_bytes());
    p.line(format_args!("looked_up({number}, {call}, (int)ret);"));
    for shown in shown {
        p.line(format_args!("if (ret == 0)"));
        p.line(format_args!("{shown}"));
    }
    Ok(())
}

/// The calls that make an address of a text.
fn parse(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    p.include(&["arpa/inet.h", "netinet/in.h"]);
    p.need(Part::Value);
    let (bytes, text) = (format!("bytes{number}"), format!("text{number}"));
    p.line(format_args!("struct in6_addr {bytes};"));
    p.line(format_args!("char {text}[INET6_ADDRSTRLEN];"));
    let family = match op {
        Op::InetPton { family, text } => {
            let (family, given) = (p.name(family)?, quoted(text.as_bytes()));
            p.call(number, op, &format!("inet_pton({family}, {given}, &{bytes})"));
            family
        }
        Op::InetAton { text } => {
            let given = quoted(text.as_bytes());
            p.call(number, op, &format!("inet_aton({given}, (struct in_addr *)&{bytes})"));
            "AF_INET".to_owned()
        }
        _ => return Ok(()),
    };
    p.line(format_args!("if (ret == 1)"));
    p.line(format_args!(
        "    value(\"%s\", inet_ntop({family}, &{bytes}, {text}, sizeof {text}));"
    ));
    Ok(())
}

/// Whether the case has a socket whose peer can break the connection, or a pipe.
pub(super) fn streams(case: &Case) -> bool {
    case.ops.iter().any(|op| match op {
        Op::Socket { r#type, .. } | Op::Socketpair { r#type, .. } => !r#type.has("SOCK_DGRAM"),
        Op::Pipe { .. } => true,
        _ => false,
    })
}

/// Whether the case has a Unix socket.
pub(super) fn has_unix(case: &Case) -> bool {
    case.ops.iter().any(|op| match op {
        Op::Socket { domain, .. } | Op::Socketpair { domain, .. } => domain.plain() == "AF_UNIX",
        _ => false,
    })
}

/// How long a case may wait for what never comes, in milliseconds: two seconds beyond what it
/// asks to wait itself; none if no call of it can wait.
pub(super) fn patience_ms(case: &Case) -> Option<u32> {
    use harness::case::LabOp;
    let asked = case.ops.iter().fold(0u32, |sum, op| {
        sum.saturating_add(match op {
            Op::Lab { step: LabOp::Wait { ms, .. } } => *ms,
            Op::Recvmmsg { timeout_ms, .. } => timeout_ms.unwrap_or(0),
            op => op.timeout_ms().and_then(|ms| u32::try_from(ms).ok()).unwrap_or(0),
        })
    });
    // A datagram of theirs waits for room at its receiver.
    let streams = streams(case) || has_unix(case);
    let sent: usize = case.ops.iter().flat_map(Op::payloads).map(Payload::len).sum();
    let waits = |op: &Op| match op {
        Op::Accept { .. } | Op::Accept4 { .. } | Op::Splice { .. } => true,
        Op::Connect { .. } | Op::Connectx { .. } | Op::Disconnectx { .. } | Op::Close { .. } => {
            streams
        }
        Op::Raw { call, .. } if ["accept", "accept4"].contains(&call.as_str()) => true,
        Op::Raw { call, .. } if call == "connect" => streams,
        op if op.receives() => true,
        op if op.sends() => streams,
        op => op.timeout_ms().is_some_and(|ms| ms != 0),
    };
    let waits = case.ops.iter().any(waits) || sent > 16_384 || !case.threads.is_empty();
    let all = asked.saturating_add(case.window_ms).saturating_add(2000);
    waits.then(|| all.min(i32::MAX.unsigned_abs()))
}
