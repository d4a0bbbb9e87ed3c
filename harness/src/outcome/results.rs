//! What a call returned and what it wrote through its pointers.

use std::net::Ipv4Addr;

use super::data::Seen;
use super::names::Names;
use super::netlink::route_messages;
use super::parts::join;
use super::socks::{self, Raw, Transport};
use super::{control, frames, options};
use crate::case::op::Opt;
use crate::case::payload::quoted;
use crate::case::{Op, Sym, intent};
use crate::trace::{AddrInfo, ControlOut, Interface, Kevent, Out, Received};

/// `6`, `-1 EAGAIN`, `6, "hello\0", {AF_INET6 [fe80::1%tap0]:eph1}`; a descriptor by its name.
pub(super) fn returned(
    names: &Names<'_>,
    op: &Op,
    ret: i64,
    errno: Option<&Sym>,
    out: &Out,
) -> String {
    let mut said = match (op, errno) {
        (_, Some(errno)) => format!("{ret} {errno}"),
        (Op::IfNametoindex { .. }, None) => match u32::try_from(ret) {
            Ok(index) => format!("index of {}", names.index(index)),
            Err(_) => ret.to_string(),
        },
        (op, None) if ret >= 0 && op.gives_a_descriptor() => op.makes().join(", "),
        (Op::Fcntl { cmd, .. }, None) if cmd.as_str() == "F_GETFL" => format!("{ret:#x}"),
        (Op::Fcntl { cmd, .. }, None) if cmd.as_str() == "F_GETOWN" => {
            i32::try_from(ret).map_or_else(|_| ret.to_string(), |pid| names.whose().pid(pid))
        }
        (_, None) => ret.to_string(),
    };
    if let Some(out) = written(names, op, ret, out) {
        said.push_str(", ");
        said.push_str(&out);
    }
    said
}

fn written(names: &Names<'_>, op: &Op, ret: i64, out: &Out) -> Option<String> {
    let fd = op.fd().unwrap_or_default();
    Some(match out {
        Out::Nothing => return None,
        Out::Data { bytes, from: None, flags, control }
            if ret < 0 && bytes.0.is_empty() && flags.is_empty() && control.is_empty() =>
        {
            return None;
        }
        Out::Addr(addr) => names.sockaddr_of(fd, addr),
        Out::Data { bytes, from, flags, control } => {
            let mut parts = vec![data(names, fd, &bytes.0)];
            parts.extend(from.as_ref().map(|from| names.sockaddr_of(fd, from)));
            beside(names, flags, control, &mut parts);
            join(parts)
        }
        // The length that it wrote.
        Out::Int(value) if matches!(op, Op::Raw { .. }) => format!("[{value}]"),
        Out::Int(value) => int(names, op, *value),
        // As sendfile(2) has it: "the offset of the byte following the last byte that was read".
        Out::Offset(behind) if !names.tells_all() && is_behind(op, ret, *behind) => return None,
        Out::Offset(behind) => format!("[{behind}]"),
        Out::Errno(errno) => errno.to_string(),
        Out::Bytes(bytes) => options::bytes(names, fd, &subject(names, op), bytes),
        Out::Poll(revents) => {
            let Some(fds) = op.polled() else { return Some(join(revents.iter().map(|r| or(r)))) };
            let ready = fds.iter().zip(revents).filter(|(_, revents)| !revents.is_empty());
            let ready = join(ready.map(|(fd, revents)| format!("{{{}, {}}}", fd.fd, or(revents))));
            if ret == 0 && ready.is_empty() {
                return None;
            }
            format!("[{ready}]")
        }
        Out::Messages(messages) if ret < 0 && messages.is_empty() => return None,
        Out::Messages(messages) => {
            format!("[{}]", join(messages.iter().map(|message| datagram(names, fd, message))))
        }
        Out::Events(events) if events.is_empty() => return None,
        Out::Events(events) => format!("[{}]", join(events.iter().map(event))),
        // Its ports are those of the service.
        Out::Addrs(addrs) => {
            format!("[{}]", join(addrs.iter().map(|info| addr_info(names, info))))
        }
        Out::Names { host, service } => {
            let host = host.as_ref().map(|host| names.host_text(host));
            let text = |text: &Option<String>| {
                text.as_ref().map_or_else(|| "NULL".to_owned(), |text| quoted(text.as_bytes()))
            };
            format!("{}, {}", text(&host), text(service))
        }
        Out::Ip(ip) => ip.to_string(),
        Out::Sets(_) if ret == 0 => return None,
        Out::Sets(sets) => {
            let said = ["in", "out", "except"].into_iter().zip(sets);
            let said = said.filter(|(_, fds)| !fds.is_empty());
            join(said.map(|(set, fds)| format!("{set} [{}]", fds.join(", "))))
        }
        Out::Ready(ready) if ready.is_empty() => return None,
        Out::Ready(ready) => {
            let each = ready.iter().map(|one| format!("{{{}, {}}}", one.fd, or(&one.events)));
            format!("[{}]", join(each))
        }
        Out::Text(text) => quoted(text.as_bytes()),
        Out::Interfaces(all) => {
            format!("[{}]", join(all.iter().map(|one| interface(names, one))))
        }
    })
}

/// Whether an offset is as far behind the one that the call was given as there are bytes that it says.
fn is_behind(op: &Op, ret: i64, behind: i64) -> bool {
    matches!(op, Op::Sendfile { offset: Some(at), .. } if at.checked_add(ret) == Some(behind))
}

/// `{AF_INET 192.0.2.7:80} SOCK_STREAM IPPROTO_TCP`, and behind it the canonical name.
fn addr_info(names: &Names<'_>, info: &AddrInfo) -> String {
    let addr = names.sockaddr(None, None, &info.addr);
    let canonname = info.canonname.as_ref().map(|name| format!(" {}", quoted(name.as_bytes())));
    format!("{addr} {} {}{}", info.r#type, info.protocol, canonname.unwrap_or_default())
}

/// `{tun0, IFF_UP|IFF_RUNNING, {AF_INET own(tun0)}/24}`
fn interface(names: &Names<'_>, interface: &Interface) -> String {
    let Interface { link, flags, addr, prefix_len } = interface;
    let bits = prefix_len.map_or_else(String::new, |bits| format!("/{bits}"));
    let addr = addr.as_ref().map(|addr| format!("{}{bits}", names.sockaddr(None, None, addr)));
    // What tells of addresses alone has no flags.
    let flags = Some(or(flags)).filter(|flags| !flags.is_empty());
    format!("{{{}}}", join([link.clone()].into_iter().chain(flags).chain(addr)))
}

fn or(flags: &[Sym]) -> String {
    flags.iter().map(Sym::as_str).collect::<Vec<_>>().join("|")
}

/// `{6, "hello\0", {AF_INET 192.0.2.2:9}}`
fn datagram(names: &Names<'_>, fd: &str, message: &Received) -> String {
    let mut parts = vec![message.len.to_string(), data(names, fd, &message.bytes.0)];
    parts.extend(message.from.as_ref().map(|from| names.sockaddr_of(fd, from)));
    beside(names, &message.flags, &message.control, &mut parts);
    format!("{{{}}}", join(parts))
}

/// What comes with data: flags and control messages, if any.
fn beside(names: &Names<'_>, flags: &[Sym], control: &[ControlOut], parts: &mut Vec<String>) {
    if !flags.is_empty() {
        parts.push(format!("msg_flags={}", or(flags)));
    }
    if !control.is_empty() {
        let messages = control.iter().map(|message| control::message(names, message));
        parts.push(format!("msg_control=[{}]", join(messages)));
    }
}

/// `{s, EVFILT_WRITE, EV_EOF, ECONNRESET, 131072}`
fn event(event: &Kevent) -> String {
    let Kevent { fd, filter, flags, fflags, data, error } = event;
    let or = |flags: &[Sym]| if flags.is_empty() { "0".to_owned() } else { or(flags) };
    let data = error.as_ref().map_or_else(|| data.to_string(), Sym::to_string);
    format!("{{{fd}, {filter}, {}, {}, {data}}}", or(flags), or(fflags))
}

/// A raw socket receives headers too, and what differs between runs is in them. So does one of echoes, and an answer
/// is none of the bytes that were sent.
fn data(names: &Names<'_>, fd: &str, bytes: &[u8]) -> String {
    match socks::raw(names.case(), fd) {
        Some(Raw::V4) if bytes.first().is_some_and(|first| first >> 4 == 4) => {
            format!("{{{}}}", frames::received(names, bytes))
        }
        Some(Raw::Icmp6) if !bytes.is_empty() => {
            format!("{{{}}}", frames::received_icmp6(names, bytes))
        }
        Some(_) => names.sources().identify(bytes, 0, Seen::Anywhere),
        None if socks::transport(names.case(), fd) == Some(Transport::Ping) => {
            names.sources().identify(bytes, 0, Seen::Anywhere)
        }
        None => route_messages(names.case(), fd, bytes)
            .unwrap_or_else(|| names.sources().identify(bytes, 0, Seen::Received)),
    }
}

/// The name of the option or request that the call is about, as this system has it.
fn subject(names: &Names<'_>, op: &Op) -> String {
    match op {
        Op::Getsockopt { option: Opt::Raw { name, .. }, .. } => name.to_string(),
        Op::Getsockopt { fd, option, .. } => {
            let one = crate::case::op::Value::Int(1);
            intent::concrete(names.os(), names.case().family(fd), option, &one)
                .map_or_else(String::new, |(_, name, _)| name.to_string())
        }
        Op::Ioctl { request, .. } => request.to_string(),
        _ => String::new(),
    }
}

fn int(names: &Names<'_>, op: &Op, value: i32) -> String {
    let subject = subject(names, op);
    if let Some(said) = options::int(names, &subject, value) {
        return said;
    }
    match subject.as_str() {
        "IP_BOUND_IF" | "IPV6_BOUND_IF" | "IPV6_MULTICAST_IF" if value > 0 => {
            names.index(value.unsigned_abs())
        }
        "IP_MULTICAST_IF" => Ipv4Addr::from(value.to_le_bytes()).to_string(),
        "SIOCGIFFLAGS" => format!("{value:#x}"),
        _ => value.to_string(),
    }
}
