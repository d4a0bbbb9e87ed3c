//! `sendmsg` and `recvmsg`.

use harness::case::addr::Host;
use harness::case::op::{Code, Control, Who};
use harness::case::{Op, Payload};

use super::arguments::{address, buffer, fd, payload, received, v4, v6};
use super::parts::Part;
use super::program::{Missing, Program};
use super::vectors;

/// A control message: level, type, and the variable that has its data, if it has any.
pub(super) struct Message {
    level: String,
    kind: String,
    var: Option<String>,
}

impl Message {
    /// How many bytes of data, as an expression.
    pub(super) fn size(&self) -> String {
        self.var.as_ref().map_or_else(|| "0".to_owned(), |var| format!("sizeof {var}"))
    }
}

/// Writes the variable of a `struct in_pktinfo` or `in6_pktinfo`: by which link, and from where.
fn packet_info(
    p: &mut Program<'_>,
    var: &str,
    is_v4: bool,
    (index, source): (Option<String>, Option<&Host>),
) -> Result<(String, String), Missing> {
    Ok(if is_v4 {
        let source = v4(p, source)?;
        let index = index.map_or_else(|| "0".to_owned(), |i| format!("(int){i}"));
        p.line(format_args!("struct in_pktinfo {var} = {{.ipi_ifindex = {index}}};"));
        p.line(format_args!("inet_pton(AF_INET, \"{source}\", &{var}.ipi_spec_dst);"));
        ("IPPROTO_IP".to_owned(), "IP_PKTINFO".to_owned())
    } else {
        let source = v6(p, source)?;
        let index = index.unwrap_or_else(|| "0".to_owned());
        p.line(format_args!("struct in6_pktinfo {var} = {{.ipi6_ifindex = {index}}};"));
        p.line(format_args!("inet_pton(AF_INET6, \"{source}\", &{var}.ipi6_addr);"));
        ("IPPROTO_IPV6".to_owned(), "IPV6_PKTINFO".to_owned())
    })
}

/// Writes the variable of a control message's data.
pub(super) fn message(
    p: &mut Program<'_>,
    number: u32,
    place: usize,
    control: &Control,
) -> Result<Message, Missing> {
    let var = format!("cmsg{number}_{place}");
    let has_data = !matches!(control, Control::Bytes { data, .. } if data.0.is_empty());
    let (level, kind) = match control {
        Control::Int { level, name, value, width } => {
            let names = (p.name(level)?, p.name(name)?);
            let of = match width {
                1 => "uint8_t",
                2 => "uint16_t",
                8 => "int64_t",
                _ => "int",
            };
            if of != "int" {
                p.include(&["stdint.h"]);
            }
            // One that is negative is cut, as the executor cuts it.
            let cast = if *value < 0 { format!("({of})") } else { String::new() };
            p.line(format_args!("{of} {var} = {cast}{value};"));
            names
        }
        Control::Rights { fds } => {
            let names = (p.name(&"SOL_SOCKET".into())?, p.name(&"SCM_RIGHTS".into())?);
            let fds: Vec<String> = fds.iter().map(|fd| p.fd(fd)).collect();
            p.line(format_args!("int {var}[] = {{{}}};", fds.join(", ")));
            names
        }
        Control::Credentials { pid, uid, gid } => {
            p.include(&["unistd.h"]);
            let names = (p.name(&"SOL_SOCKET".into())?, p.name(&"SCM_CREDENTIALS".into())?);
            let of = |who: &Who, own: &str| match who {
                Who::Own => own.to_owned(),
                Who::Is(number) => {
                    format!("{}{number}u", if own == "getpid()" { "(pid_t)" } else { "" })
                }
            };
            let (pid, uid, gid) = (of(pid, "getpid()"), of(uid, "geteuid()"), of(gid, "getegid()"));
            let fields = format!(".pid = {pid}, .uid = {uid}, .gid = {gid}");
            p.line(format_args!("struct ucred {var} = {{{fields}}};"));
            names
        }
        Control::Bytes { level, kind, data } => {
            let mut of = |code: &Code| match code {
                Code::Name(name) => p.name(name),
                Code::Number(number) => Ok(number.to_string()),
            };
            let names = (of(level)?, of(kind)?);
            if has_data {
                let bytes: Vec<String> = data.0.iter().map(u8::to_string).collect();
                p.line(format_args!("unsigned char {var}[] = {{{}}};", bytes.join(", ")));
            }
            names
        }
        Control::PktInfo { level, link, source } => {
            let index = link.as_ref().map(|l| p.index(l));
            packet_info(p, &var, level.plain() == "IPPROTO_IP", (index, source.as_ref()))?
        }
    };
    Ok(Message { level, kind, var: has_data.then_some(var) })
}

/// Writes the parts of what is sent, and says where they are and how many.
fn gather(p: &mut Program<'_>, number: u32, data: &Payload) -> (String, usize) {
    if let Payload::Parts(parts) = data {
        let each = vectors::payloads(p, number, parts);
        return (vectors::pieces(p, number, &each), parts.len());
    }
    let (data, len) = payload(p, number, data);
    p.line(format_args!("struct iovec iov{number} = {{.iov_base = {data}, .iov_len = {len}}};"));
    (format!("&iov{number}"), 1)
}

pub(super) fn sendmsg(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    let Op::Sendmsg { data, flags, addr, control, .. } = op else { return Ok(()) };
    p.include(&["arpa/inet.h", "netinet/in.h", "string.h", "sys/uio.h"]);
    let (fd, flags) = (fd(p, op), p.flags(flags)?);
    let to = addr.as_ref().map(|a| address(p, number, a)).transpose()?;
    let messages: Result<Vec<_>, _> =
        control.iter().enumerate().map(|(i, c)| message(p, number, i, c)).collect();
    let messages = messages?;
    let (iov, many) = gather(p, number, data);
    let (msg, room) = (format!("msg{number}"), format!("control{number}"));
    make_room(p, &room, &messages);
    p.line(format_args!("struct msghdr {msg} = {{"));
    if let Some((at, size)) = to {
        // `msg_name` is a `void *`: no cast is needed.
        let at = at.trim_start_matches("(struct sockaddr *)").to_owned();
        p.line(format_args!("    .msg_name = {at},"));
        p.line(format_args!("    .msg_namelen = {size},"));
    }
    p.line(format_args!("    .msg_iov = {iov},"));
    p.line(format_args!("    .msg_iovlen = {many},"));
    if !messages.is_empty() {
        p.line(format_args!("    .msg_control = {room}.bytes,"));
        p.line(format_args!("    .msg_controllen = sizeof {room}.bytes,"));
    }
    p.line(format_args!("}};"));
    fill(p, &format!("at{number}"), &msg, &messages);
    p.call(number, op, &format!("sendmsg({fd}, &{msg}, {flags})"));
    Ok(())
}

/// How the room for the control messages of one of several messages is called.
pub(super) fn room_of(number: u32, place: usize) -> String {
    format!("control{number}_{place}")
}

/// Writes the room for the control messages of one of several messages, and what they have.
pub(super) fn room(
    p: &mut Program<'_>,
    (number, place): (u32, usize),
    control: &[Control],
) -> Result<Vec<Message>, Missing> {
    p.include(&["netinet/in.h", "string.h", "arpa/inet.h"]);
    let begin = |i: usize| 100 * (place + 1) + i;
    let all: Result<Vec<_>, _> =
        control.iter().enumerate().map(|(i, one)| message(p, number, begin(i), one)).collect();
    let all = all?;
    make_room(p, &room_of(number, place), &all);
    Ok(all)
}

/// Writes the room for messages, if there are some.
fn make_room(p: &mut Program<'_>, room: &str, messages: &[Message]) {
    if messages.is_empty() {
        return;
    }
    let space: Vec<_> = messages.iter().map(|m| format!("CMSG_SPACE({})", m.size())).collect();
    p.line(format_args!("union {{"));
    p.line(format_args!("    struct cmsghdr aligned;"));
    p.line(format_args!("    unsigned char bytes[{}];", space.join(" + ")));
    p.line(format_args!("}} {room};"));
    p.line(format_args!("memset(&{room}, 0, sizeof {room});"));
}

/// Writes the messages into the room that a `struct msghdr` tells.
pub(super) fn fill(p: &mut Program<'_>, at: &str, msg: &str, messages: &[Message]) {
    for (place, message) in messages.iter().enumerate() {
        let Message { level, kind, var } = message;
        if place == 0 {
            p.line(format_args!("struct cmsghdr *{at} = CMSG_FIRSTHDR(&{msg});"));
        } else {
            p.line(format_args!("{at} = CMSG_NXTHDR(&{msg}, {at});"));
        }
        p.line(format_args!("{at}->cmsg_level = {level};"));
        p.line(format_args!("{at}->cmsg_type = {kind};"));
        p.line(format_args!("{at}->cmsg_len = CMSG_LEN({});", message.size()));
        if let Some(var) = var {
            p.line(format_args!("memcpy(CMSG_DATA({at}), &{var}, sizeof {var});"));
        }
    }
}

pub(super) fn recvmsg(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    let Op::Recvmsg { len, lens, control_len, flags, .. } = op else { return Ok(()) };
    p.include(&["sys/uio.h"]);
    let (fd, flags) = (fd(p, op), p.flags(flags)?);
    for part in [Part::Address, Part::RecvFlags] {
        p.need(part);
    }
    let (at, size) = buffer(p, number, *len);
    let (iov, msg, room) =
        (format!("iov{number}"), format!("msg{number}"), format!("control{number}"));
    let from = format!("from{number}");
    p.line(format_args!("struct sockaddr_storage {from};"));
    let (iov, many) = if lens.is_empty() {
        p.line(format_args!("struct iovec {iov} = {{.iov_base = {at}, .iov_len = {size}}};"));
        (format!("&{iov}"), 1)
    } else {
        let each = vectors::rooms(&at, lens);
        (vectors::pieces(p, number, &each), lens.len())
    };
    if *control_len > 0 {
        p.need(Part::Control);
        p.line(format_args!("union {{"));
        p.line(format_args!("    struct cmsghdr aligned;"));
        p.line(format_args!("    unsigned char bytes[{control_len}];"));
        p.line(format_args!("}} {room};"));
    }
    p.line(format_args!("struct msghdr {msg} = {{"));
    p.line(format_args!("    .msg_name = &{from},"));
    p.line(format_args!("    .msg_namelen = sizeof {from},"));
    p.line(format_args!("    .msg_iov = {iov},"));
    p.line(format_args!("    .msg_iovlen = {many},"));
    if *control_len > 0 {
        p.line(format_args!("    .msg_control = {room}.bytes,"));
        p.line(format_args!("    .msg_controllen = sizeof {room}.bytes,"));
    }
    p.line(format_args!("}};"));
    p.call(number, op, &format!("recvmsg({fd}, &{msg}, {flags})"));
    received(p, op, &at, &size);
    p.line(format_args!("if (ret != -1) {{"));
    p.line(format_args!("    address(&{from}, {msg}.msg_namelen);"));
    p.line(format_args!("    recv_flags({msg}.msg_flags);"));
    if *control_len > 0 {
        p.line(format_args!("    control(&{msg});"));
    }
    p.line(format_args!("}}"));
    Ok(())
}
