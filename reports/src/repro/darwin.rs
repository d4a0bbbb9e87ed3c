//! Darwin's own calls.

use harness::case::op::Change;
use harness::case::{Op, Payload};

use super::arguments::{address, address_as, fd, payload, payload_as};
use super::headers::short;
use super::parts::Part;
use super::program::{Missing, Program};
use super::vectors::headers;

/// Writes the statements of one of them.
pub(super) fn call(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    match op {
        Op::Connectx { .. } => connectx(p, number, op),
        Op::Disconnectx { .. } => {
            let fd = fd(p, op);
            let call = format!("disconnectx({fd}, SAE_ASSOCID_ANY, SAE_CONNID_ANY)");
            p.call(number, op, &call);
            Ok(())
        }
        Op::SendmsgX { .. } => sendmsg_x(p, number, op),
        Op::RecvmsgX { .. } => recvmsg_x(p, number, op),
        Op::Kevent { changes, timeout_ms } => kevent(p, number, op, changes, *timeout_ms),
        _ => Ok(()),
    }
}

fn connectx(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    let Op::Connectx { link, source, addr, flags, data, .. } = op else { return Ok(()) };
    p.include(&["stddef.h", "sys/uio.h"]);
    let (fd, flags) = (fd(p, op), p.flags(flags)?);
    let source =
        source.as_ref().map(|a| address_as(p, &format!("source{number}"), a)).transpose()?;
    let (to, to_len) = address(p, number, addr)?;
    let data = data.as_ref().map(|data| payload(p, number, data));
    let index = link.as_ref().map(|link| p.index(link));
    let (ends, iov, sent) =
        (format!("ends{number}"), format!("iov{number}"), format!("sent{number}"));
    p.line(format_args!("sa_endpoints_t {ends} = {{"));
    if let Some(index) = index {
        p.line(format_args!("    .sae_srcif = {index},"));
    }
    if let Some((at, len)) = source {
        p.line(format_args!("    .sae_srcaddr = {at},"));
        p.line(format_args!("    .sae_srcaddrlen = {len},"));
    }
    p.line(format_args!("    .sae_dstaddr = {to},"));
    p.line(format_args!("    .sae_dstaddrlen = {to_len},"));
    p.line(format_args!("}};"));
    let args = format!("{fd}, &{ends}, SAE_ASSOCID_ANY, {flags}");
    let Some((data, len)) = data else {
        p.call(number, op, &format!("connectx({args}, NULL, 0, NULL, NULL)"));
        return Ok(());
    };
    p.need(Part::Value);
    p.line(format_args!("struct iovec {iov} = {{.iov_base = {data}, .iov_len = {len}}};"));
    p.line(format_args!("size_t {sent} = 0;"));
    p.call(number, op, &format!("connectx({args}, &{iov}, 1, &{sent}, NULL)"));
    p.line(format_args!("value(\"%zu\", {sent});"));
    Ok(())
}

fn sendmsg_x(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    let Op::SendmsgX { data, flags, addr, .. } = op else { return Ok(()) };
    p.need(Part::MsghdrX);
    let (fd, flags) = (fd(p, op), p.flags(flags)?);
    let to = addr.as_ref().map(|a| address(p, number, a)).transpose()?;
    let each: Vec<(String, String)> = data
        .iter()
        .enumerate()
        .map(|(i, data): (usize, &Payload)| payload_as(p, &format!("data{number}_{i}"), data))
        .collect();
    let (iov, msg) = (format!("iov{number}"), format!("msg{number}"));
    p.line(format_args!("struct iovec {iov}[] = {{"));
    for (data, len) in &each {
        p.line(format_args!("    {{.iov_base = {data}, .iov_len = {len}}},"));
    }
    p.line(format_args!("}};"));
    p.line(format_args!("struct msghdr_x {msg}[] = {{"));
    for i in 0..each.len() {
        let name = to.as_ref().map_or_else(String::new, |(at, len)| {
            let at = at.trim_start_matches("(struct sockaddr *)");
            format!(".msg_name = {at}, .msg_namelen = {len}, ")
        });
        p.line(format_args!("    {{{name}.msg_iov = &{iov}[{i}], .msg_iovlen = 1}},"));
    }
    p.line(format_args!("}};"));
    p.call(number, op, &format!("sendmsg_x({fd}, {msg}, {}, {flags})", each.len()));
    Ok(())
}

fn recvmsg_x(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    let Op::RecvmsgX { count, len, control_len, flags, .. } = op else { return Ok(()) };
    for part in [Part::MsghdrX, Part::Data, Part::Address, Part::RecvFlags] {
        p.need(part);
    }
    let (fd, flags) = (fd(p, op), p.flags(flags)?);
    let [buffer, from, msg] = ["buffer", "from", "msg"].map(|name| format!("{name}{number}"));
    headers(p, number, (*count, *len, *control_len), ("msghdr_x", ""));
    p.call(number, op, &format!("recvmsg_x({fd}, {msg}, {count}, {flags})"));
    p.line(format_args!("for (int i = 0; i < (int)ret; i++) {{"));
    let got = format!("(ssize_t){msg}[i].msg_datalen");
    p.line(format_args!("    data({buffer}[i], {len}, {got});"));
    p.line(format_args!("    address(&{from}[i], {msg}[i].msg_namelen);"));
    p.line(format_args!("    recv_flags({msg}[i].msg_flags);"));
    if *control_len > 0 {
        p.line(format_args!("    control_x(&{msg}[i]);"));
    }
    p.line(format_args!("}}"));
    Ok(())
}

fn kevent(
    p: &mut Program<'_>,
    number: u32,
    op: &Op,
    changes: &[Change],
    timeout_ms: i32,
) -> Result<(), Missing> {
    p.need(Part::Kevents);
    p.include(&["stdint.h", "sys/event.h", "time.h", "unistd.h"]);
    let [queue, list, events, timeout] =
        ["queue", "changes", "events", "timeout"].map(|name| format!("{name}{number}"));
    let n = changes.len();
    p.line(format_args!("int {queue} = kqueue();"));
    p.line(format_args!("struct kevent {list}[{n}], {events}[{n}];"));
    for (place, Change { fd, filter, flags, fflags, data }) in changes.iter().enumerate() {
        let (fd, own) = (p.fd(fd), std::slice::from_ref(filter));
        let filter = short(p.name(filter)?, "int16_t", own, &["EVFILT_"]);
        let (flags, fflags) =
            (short(p.flags(flags)?, "uint16_t", &flags.0, &["EV_"]), p.flags(fflags)?);
        let args = format!("{fd}, {filter}, {flags}, {fflags}, {data}, (void *){place}");
        p.line(format_args!("EV_SET(&{list}[{place}], {args});"));
    }
    let at = if timeout_ms < 0 {
        "NULL".to_owned()
    } else {
        let (s, ns) = (timeout_ms / 1000, timeout_ms % 1000 * 1_000_000);
        let fields = format!("{{.tv_sec = {s}, .tv_nsec = {ns}}}");
        p.line(format_args!("const struct timespec {timeout} = {fields};"));
        format!("&{timeout}")
    };
    p.call(number, op, &format!("kevent({queue}, {list}, {n}, {events}, {n}, {at})"));
    p.line(format_args!("if (ret > 0)"));
    p.line(format_args!("    kevents({events}, (int)ret, {n});"));
    p.line(format_args!("close({queue});"));
    Ok(())
}
