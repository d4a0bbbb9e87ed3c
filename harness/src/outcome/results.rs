//! What a call returned and what it wrote through its pointers.
//!
//! Structures that are only known as bytes are read little-endian, as on every system that sockeye
//! has an executor for.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::args::{hex, join, timeval};
use super::data::Seen;
use super::frames;
use super::names::Names;
use super::socks::{self, Raw};
use crate::case::addr::SockAddr;
use crate::case::op::Opt;
use crate::case::payload::quoted;
use crate::case::{Hex, Op, Sym, intent};
use crate::trace::{AddrInfo, ControlOut, Kevent, Out, Received};

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
        (Op::Socket { fd, .. } | Op::Accept { new: fd, .. }, None) if ret >= 0 => fd.clone(),
        (Op::Fcntl { cmd, .. }, None) if cmd.as_str() == "F_GETFL" => format!("{ret:#x}"),
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
        Out::Int(value) => int(names, op, *value),
        Out::Errno(errno) => errno.to_string(),
        Out::Bytes(bytes) => option_bytes(names, op, bytes),
        Out::Poll(revents) => {
            let Op::Poll { fds, .. } = op else { return Some(join(revents.iter().map(|r| or(r)))) };
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
    })
}

/// `{AF_INET 192.0.2.7:80} SOCK_STREAM IPPROTO_TCP`, and behind it the canonical name.
fn addr_info(names: &Names<'_>, info: &AddrInfo) -> String {
    let addr = names.sockaddr(None, None, &info.addr);
    let canonname = info.canonname.as_ref().map(|name| format!(" {}", quoted(name.as_bytes())));
    format!("{addr} {} {}{}", info.r#type, info.protocol, canonname.unwrap_or_default())
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
        let messages = control.iter().map(|message| control_message(names, message));
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

/// A raw socket receives headers too, and what differs between runs is in them.
fn data(names: &Names<'_>, fd: &str, bytes: &[u8]) -> String {
    match socks::raw(names.case(), fd) {
        Some(Raw::V4) if bytes.first().is_some_and(|first| first >> 4 == 4) => {
            format!("{{{}}}", frames::received(names, bytes))
        }
        Some(Raw::Icmp6) if !bytes.is_empty() => {
            format!("{{{}}}", frames::received_icmp6(names, bytes))
        }
        Some(_) => names.sources().identify(bytes, 0, Seen::Anywhere),
        None => names.sources().identify(bytes, 0, Seen::Received),
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
    match subject(names, op).as_str() {
        "IP_BOUND_IF" | "IPV6_BOUND_IF" | "IPV6_MULTICAST_IF" if value > 0 => {
            names.index(value.unsigned_abs())
        }
        "IP_MULTICAST_IF" => Ipv4Addr::from(value.to_le_bytes()).to_string(),
        "SIOCGIFFLAGS" => format!("{value:#x}"),
        _ => value.to_string(),
    }
}

fn option_bytes(names: &Names<'_>, op: &Op, raw: &Hex) -> String {
    let bytes = &raw.0[..];
    match (subject(names, op).as_str(), bytes.len()) {
        ("SO_BINDTODEVICE", _) => quoted(bytes),
        ("SO_LINGER", 8) => {
            format!("{{l_onoff={}, l_linger={}}}", i32_at(bytes, 0), i32_at(bytes, 4))
        }
        ("SO_RCVTIMEO" | "SO_SNDTIMEO", 16) => timeval(i64_at(bytes, 0), i64_at(bytes, 8)),
        ("IP_MULTICAST_IF", 4) => v4_at(bytes, 0).to_string(),
        ("TCP_CONNECTION_INFO", _) => connection_info(bytes).unwrap_or_else(|| hex(raw)),
        _ => hex(raw),
    }
}

/// The names of `bsd/netinet/tcp_fsm.h` (xnu-11417.101.15), from 0.
const STATES: [&str; 11] = [
    "CLOSED",
    "LISTEN",
    "SYN_SENT",
    "SYN_RECEIVED",
    "ESTABLISHED",
    "CLOSE_WAIT",
    "FIN_WAIT_1",
    "CLOSING",
    "LAST_ACK",
    "FIN_WAIT_2",
    "TIME_WAIT",
];

/// The flags behind `tcpi_rttvar`, from the lowest bit (`bsd/netinet/tcp.h:278`).
const FAST_OPEN: [&str; 15] = [
    "cookie_req",
    "cookie_rcv",
    "syn_loss",
    "syn_data_sent",
    "syn_data_acked",
    "syn_data_rcv",
    "cookie_req_rcv",
    "cookie_sent",
    "cookie_invalid",
    "cookie_wrong",
    "no_cookie_rcv",
    "heuristics_disable",
    "send_blackhole",
    "recv_blackhole",
    "onebyte_proxy",
];

/// What no clock decides of `struct tcp_connection_info` (`bsd/netinet/tcp.h:254`): not windows,
/// round trips and counts of packets. None of what has another length.
pub fn connection_info(bytes: &[u8]) -> Option<String> {
    if bytes.len() != 112 {
        return None;
    }
    let u32_at = |at| u32::from_le_bytes(array(bytes, at));
    let state = STATES.get(usize::from(bytes[0]));
    let state = state.map_or_else(|| bytes[0].to_string(), |name| (*name).to_owned());
    let set = |(bit, name): (u32, &&str)| (u32_at(52) >> bit & 1 == 1).then(|| (*name).to_owned());
    let fast_open: Vec<String> = (0..).zip(&FAST_OPEN).filter_map(set).collect();
    let fast_open = if fast_open.is_empty() { "0".to_owned() } else { fast_open.join("|") };
    Some(format!(
        "{{tcpi_state={state}, tcpi_options={:#x}, tcpi_maxseg={}, tcpi_tfo={fast_open}, \
         tcpi_txbytes={}, tcpi_rxbytes={}}}",
        u32_at(4),
        u32_at(16),
        i64_at(bytes, 64),
        i64_at(bytes, 88),
    ))
}

/// `{IPPROTO_IPV6, IPV6_HOPLIMIT, 64}`
fn control_message(names: &Names<'_>, message: &ControlOut) -> String {
    let bytes = &message.bytes.0[..];
    let value = match (message.name.as_str(), bytes.len()) {
        ("IP_PKTINFO", 12) => {
            let (link, local, to) = (index_at(names, bytes, 0), v4_at(bytes, 4), v4_at(bytes, 8));
            let to = if to == local { String::new() } else { format!(", sent to {to}") };
            format!("{{{link}, {local}{to}}}")
        }
        ("IPV6_PKTINFO", 20) => {
            format!("{{{}, {}}}", index_at(names, bytes, 16), v6_at(bytes, 0))
        }
        (
            "IP_TTL" | "IP_RECVTTL" | "IP_TOS" | "IP_RECVTOS" | "IPV6_HOPLIMIT" | "IPV6_TCLASS",
            4,
        ) => i32_at(bytes, 0).to_string(),
        ("IP_TTL" | "IP_RECVTTL" | "IP_TOS" | "IP_RECVTOS", 1) => bytes[0].to_string(),
        ("IP_RECVDSTADDR", 4) => v4_at(bytes, 0).to_string(),
        // `struct sockaddr_dl`: its index stands behind its length and family.
        ("IP_RECVIF", 8..) => names.index(u16::from_le_bytes([bytes[2], bytes[3]]).into()),
        ("IP_RECVERR" | "IPV6_RECVERR", 16..) => extended_error(names, bytes),
        _ => hex(&message.bytes),
    };
    format!("{{{}, {}, {value}}}", message.level, message.name)
}

/// `struct sock_extended_err` and the address of who found the error (Linux ip(7),
/// `linux/errqueue.h`).
fn extended_error(names: &Names<'_>, bytes: &[u8]) -> String {
    let offender = bytes.get(16..).unwrap_or_default();
    let offender = match (offender.first(), offender.len()) {
        (Some(2), 16..) => SockAddr::V4 { ip: v4_at(offender, 4), port: 0 },
        (Some(10), 28..) => {
            let scope = u32::from_le_bytes(array(offender, 24));
            SockAddr::V6 { ip: v6_at(offender, 8), port: 0, scope }
        }
        (Some(0) | None, _) => SockAddr::Bare { family: "AF_UNSPEC".into() },
        (Some(family), _) => SockAddr::Bare { family: family.to_string() },
    };
    format!(
        "{{ee_errno={}, ee_origin={}, ee_type={}, ee_code={}, ee_info={}, offender={}}}",
        errno(i32_at(bytes, 0)),
        bytes[4],
        bytes[5],
        bytes[6],
        u32::from_le_bytes(array(bytes, 8)),
        names.sockaddr(None, None, &offender),
    )
}

/// The errnos of Linux that its ICMP errors become (`net/ipv4/icmp.c`, `net/ipv6/icmp.c`).
fn errno(number: i32) -> String {
    let name = match number {
        13 => "EACCES",
        71 => "EPROTO",
        90 => "EMSGSIZE",
        92 => "ENOPROTOOPT",
        95 => "EOPNOTSUPP",
        101 => "ENETUNREACH",
        111 => "ECONNREFUSED",
        112 => "EHOSTDOWN",
        113 => "EHOSTUNREACH",
        _ => return number.to_string(),
    };
    name.to_owned()
}

fn index_at(names: &Names<'_>, bytes: &[u8], at: usize) -> String {
    names.index(u32::from_le_bytes(array(bytes, at)))
}

fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_le_bytes(array(bytes, at))
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from_le_bytes(array(bytes, at))
}

fn v4_at(bytes: &[u8], at: usize) -> Ipv4Addr {
    array(bytes, at).into()
}

fn v6_at(bytes: &[u8], at: usize) -> Ipv6Addr {
    array::<16>(bytes, at).into()
}

/// Bytes behind the end are zero; callers have looked at the length.
fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk()).copied().unwrap_or([0; N])
}
