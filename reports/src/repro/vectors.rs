//! The calls that take several pieces of data at once, and those that lead data from one descriptor to another.

use harness::case::{Op, Payload};

use super::arguments::{address, buffer, fd, payload_as, received};
use super::messages;
use super::parts::Part;
use super::program::{Missing, Program};

/// Writes the statements of one of them.
pub(super) fn call(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    match op {
        Op::Writev { data, .. } => writev(p, number, op, data),
        Op::Readv { lens, .. } => readv(p, number, op, lens),
        Op::Sendmmsg { .. } => return sendmmsg(p, number, op),
        Op::Recvmmsg { .. } => return recvmmsg(p, number, op),
        Op::Sendfile { file, offset, count, .. } => {
            p.include(&["sys/sendfile.h", "sys/types.h", "stddef.h"]);
            let (fd, file, at) = (fd(p, op), p.fd(file), format!("offset{number}"));
            if let Some(offset) = offset {
                // C has no literal of the least.
                let offset = match *offset {
                    i64::MIN => format!("({} - 1)", i64::MIN + 1),
                    offset => offset.to_string(),
                };
                p.line(format_args!("off_t {at} = {offset};"));
            }
            let at = if offset.is_some() { format!("&{at}") } else { "NULL".to_owned() };
            p.call(number, op, &format!("sendfile({fd}, {file}, {at}, {count})"));
            if offset.is_some() {
                p.need(Part::Value);
                p.line(format_args!("if (ret != -1)"));
                p.line(format_args!("    value(\"%lld\", (long long)offset{number});"));
            }
        }
        Op::Splice { from, to, count, flags } => {
            p.include(&["fcntl.h", "stddef.h"]);
            let (from, to, flags) = (p.fd(from), p.fd(to), p.flags(flags)?);
            p.call(number, op, &format!("splice({from}, NULL, {to}, NULL, {count}, {flags})"));
        }
        _ => {}
    }
    Ok(())
}

/// An array of pieces of data, each with where it begins and its length: its name; NULL if there is none.
pub(super) fn pieces(p: &mut Program<'_>, number: u32, pieces: &[(String, String)]) -> String {
    p.include(&["sys/uio.h"]);
    if pieces.is_empty() {
        p.include(&["stddef.h"]);
        return "NULL".to_owned();
    }
    let iov = format!("iov{number}");
    p.line(format_args!("struct iovec {iov}[] = {{"));
    for (at, len) in pieces {
        p.line(format_args!("    {{.iov_base = {at}, .iov_len = {len}}},"));
    }
    p.line(format_args!("}};"));
    iov
}

/// Each of the data that a call sends.
pub(super) fn payloads(
    p: &mut Program<'_>,
    number: u32,
    data: &[Payload],
) -> Vec<(String, String)> {
    let numbered = data.iter().enumerate();
    numbered.map(|(i, data)| payload_as(p, &format!("data{number}_{i}"), data)).collect()
}

fn writev(p: &mut Program<'_>, number: u32, op: &Op, data: &[Payload]) {
    let fd = fd(p, op);
    let each = payloads(p, number, data);
    let iov = pieces(p, number, &each);
    p.call(number, op, &format!("writev({fd}, {iov}, {})", each.len()));
}

/// Pieces of these lengths, one behind the other, of the room at `at`.
pub(super) fn rooms(at: &str, lens: &[u32]) -> Vec<(String, String)> {
    let mut from = 0;
    let each = lens.iter().map(|len| {
        let begins = if from == 0 { at.to_owned() } else { format!("{at} + {from}") };
        from += len;
        (begins, len.to_string())
    });
    each.collect()
}

fn readv(p: &mut Program<'_>, number: u32, op: &Op, lens: &[u32]) {
    let fd = fd(p, op);
    let (at, size) = buffer(p, number, lens.iter().sum());
    let each = rooms(&at, lens);
    let iov = pieces(p, number, &each);
    p.call(number, op, &format!("readv({fd}, {iov}, {})", lens.len()));
    received(p, op, &at, &size);
}

fn sendmmsg(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    let Op::Sendmmsg { data, flags, addr, control, .. } = op else { return Ok(()) };
    let (fd, flags) = (fd(p, op), p.flags(flags)?);
    let to = addr.as_ref().map(|a| address(p, number, a)).transpose()?;
    let each = payloads(p, number, data);
    let iov = pieces(p, number, &each);
    if each.is_empty() {
        p.call(number, op, &format!("sendmmsg({fd}, NULL, 0, {flags})"));
        return Ok(());
    }
    let msg = format!("msg{number}");
    let name = to.as_ref().map_or_else(String::new, |(at, len)| {
        // `msg_name` is a `void *`: no cast is needed.
        let at = at.trim_start_matches("(struct sockaddr *)");
        format!(".msg_name = {at}, .msg_namelen = {len}, ")
    });
    let mut told = Vec::new();
    for (i, all) in control.iter().enumerate() {
        told.push(messages::room(p, (number, i), all)?);
    }
    p.line(format_args!("struct mmsghdr {msg}[] = {{"));
    for i in 0..each.len() {
        let control = match told.get(i) {
            Some(all) if !all.is_empty() => {
                let room = messages::room_of(number, i);
                format!(", .msg_control = {room}.bytes, .msg_controllen = sizeof {room}.bytes")
            }
            _ => String::new(),
        };
        let header = format!("{name}.msg_iov = &{iov}[{i}], .msg_iovlen = 1{control}");
        p.line(format_args!("    {{.msg_hdr = {{{header}}}}},"));
    }
    p.line(format_args!("}};"));
    for (i, all) in told.iter().enumerate() {
        messages::fill(p, &format!("at{number}_{i}"), &format!("{msg}[{i}].msg_hdr"), all);
    }
    // It counts a message of which a part was sent.
    let n = each.len();
    let rest = format!("{msg}[ret - 1].msg_len < {iov}[ret - 1].iov_len");
    let is_part = format!("(ret < {n} || {rest})");
    p.call_in_parts(number, op, &format!("sendmmsg({fd}, {msg}, {n}, {flags})"), Some(is_part));
    Ok(())
}

fn recvmmsg(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    let Op::Recvmmsg { count, len, control_len, flags, timeout_ms, .. } = op else {
        return Ok(());
    };
    p.include(&["stddef.h", "sys/uio.h", "time.h"]);
    let (fd, flags) = (fd(p, op), p.flags(flags)?);
    let time = timeout_ms.map_or_else(|| "NULL".to_owned(), |_| format!("&timeout{number}"));
    if let Some(ms) = timeout_ms {
        let (s, ns) = (ms / 1000, ms % 1000 * 1_000_000);
        p.line(format_args!(
            "struct timespec timeout{number} = {{.tv_sec = {s}, .tv_nsec = {ns}}};"
        ));
    }
    if *count == 0 {
        p.call(number, op, &format!("recvmmsg({fd}, NULL, 0, {flags}, {time})"));
        return Ok(());
    }
    for part in [Part::Data, Part::Address, Part::RecvFlags] {
        p.need(part);
    }
    let msg = format!("msg{number}");
    headers(p, number, (*count, *len, *control_len), ("mmsghdr", ".msg_hdr"));
    p.call(number, op, &format!("recvmmsg({fd}, {msg}, {count}, {flags}, {time})"));
    p.line(format_args!("for (int i = 0; i < (int)ret; i++) {{"));
    p.line(format_args!("    data(buffer{number}[i], {len}, {msg}[i].msg_len);"));
    p.line(format_args!("    value(\"length %u\", {msg}[i].msg_len);"));
    p.line(format_args!("    address(&from{number}[i], {msg}[i].msg_hdr.msg_namelen);"));
    p.line(format_args!("    recv_flags({msg}[i].msg_hdr.msg_flags);"));
    if *control_len > 0 {
        p.line(format_args!("    control(&{msg}[i].msg_hdr);"));
    }
    p.line(format_args!("}}"));
    Ok(())
}

/// Room for so many datagrams, and the headers that describe it: structures of this name, and where in them `msg_name`
/// and the others are.
pub(super) fn headers(
    p: &mut Program<'_>,
    number: u32,
    (count, len, control_len): (u32, u32, u32),
    (header, at): (&str, &str),
) {
    let [buffer, from, iov, msg, room] =
        ["buffer", "from", "iov", "msg", "control"].map(|name| format!("{name}{number}"));
    // Zero bytes of room have no array in C.
    p.line(format_args!("static unsigned char {buffer}[{count}][{}];", len.max(1)));
    p.line(format_args!("static struct sockaddr_storage {from}[{count}];"));
    p.line(format_args!("static struct iovec {iov}[{count}];"));
    p.line(format_args!("static struct {header} {msg}[{count}];"));
    if control_len > 0 {
        p.need(if at.is_empty() { Part::ControlX } else { Part::Control });
        p.line(format_args!("static union {{"));
        p.line(format_args!("    struct cmsghdr aligned;"));
        p.line(format_args!("    unsigned char bytes[{control_len}];"));
        p.line(format_args!("}} {room}[{count}];"));
    }
    p.line(format_args!("for (int i = 0; i < {count}; i++) {{"));
    p.line(format_args!("    {iov}[i].iov_base = {buffer}[i];"));
    p.line(format_args!("    {iov}[i].iov_len = {len};"));
    p.line(format_args!("    {msg}[i]{at}.msg_name = &{from}[i];"));
    p.line(format_args!("    {msg}[i]{at}.msg_namelen = sizeof {from}[i];"));
    p.line(format_args!("    {msg}[i]{at}.msg_iov = &{iov}[i];"));
    p.line(format_args!("    {msg}[i]{at}.msg_iovlen = 1;"));
    if control_len > 0 {
        p.line(format_args!("    {msg}[i]{at}.msg_control = {room}[i].bytes;"));
        p.line(format_args!("    {msg}[i]{at}.msg_controllen = {control_len};"));
    }
    p.line(format_args!("}}"));
}
