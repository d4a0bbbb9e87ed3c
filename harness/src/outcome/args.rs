//! A call with its arguments, in the manner of strace.

use std::net::IpAddr;

use super::names::Names;
use super::{control, data};
use crate::case::addr::{Host, SockAddr};
use crate::case::op::{Change, Control, Intent, Opt, Value};
use crate::case::payload::quoted;
use crate::case::{Flags, Hex, Op, Payload, intent};

/// `sendto(s, "hello\0", 6, 0, {AF_INET6 [fe80::2%tap0]:12345})`; `addr` is the resolved address.
pub(super) fn call(names: &Names<'_>, op: &Op, addr: Option<&SockAddr>) -> String {
    format!("{}({})", op.call(), args(names, op, addr))
}

fn args(names: &Names<'_>, op: &Op, resolved: Option<&SockAddr>) -> String {
    match op {
        Op::Socket { domain, r#type, protocol, .. } => format!("{domain}, {type}, {protocol}"),
        Op::Socketpair { a, b, domain, r#type, protocol } => {
            format!("{domain}, {type}, {protocol}, [{a}, {b}]")
        }
        Op::Bind { fd, addr } | Op::Connect { fd, addr } => {
            format!("{fd}, {}", names.addr(fd, addr, resolved))
        }
        Op::Listen { fd, backlog } => format!("{fd}, {backlog}"),
        Op::Accept { fd, .. }
        | Op::Close { fd }
        | Op::Getsockname { fd }
        | Op::Getpeername { fd } => fd.clone(),
        Op::Send { fd, data, flags } => format!("{fd}, {}, {flags}", sized(data)),
        Op::Sendto { fd, data, flags, addr } => {
            format!("{fd}, {}, {flags}, {}", sized(data), names.addr(fd, addr, resolved))
        }
        Op::Sendmsg { .. } => sendmsg(names, op, resolved),
        Op::Recv { fd, len, flags } | Op::Recvfrom { fd, len, flags } => {
            format!("{fd}, {len}, {flags}")
        }
        Op::Recvmsg { fd, len, control_len, flags } => {
            let control = match control_len {
                0 => String::new(),
                len => format!(", msg_controllen={len}"),
            };
            format!("{fd}, {{msg_iov=[{len}]{control}}}, {flags}")
        }
        Op::Write { fd, data } => format!("{fd}, {}", sized(data)),
        Op::Read { fd, len } => format!("{fd}, {len}"),
        Op::Shutdown { fd, how } => format!("{fd}, {how}"),
        Op::Setsockopt { .. } | Op::Getsockopt { .. } => option(names, op),
        Op::Poll { fds, timeout_ms } => {
            let fds = fds.iter().map(|one| format!("{{{}, {}}}", one.fd, one.events));
            format!("[{}], {timeout_ms}", join(fds))
        }
        Op::Ioctl { fd, request, link: None } => format!("{fd}, {request}"),
        Op::Ioctl { fd, request, link: Some(link) } => {
            format!("{fd}, {request}, {{ifr_name={}}}", quoted(link.as_bytes()))
        }
        Op::Fcntl { fd, cmd, arg } if *arg == Flags::NONE && cmd.as_str() == "F_GETFL" => {
            format!("{fd}, {cmd}")
        }
        Op::Fcntl { fd, cmd, arg } => format!("{fd}, {cmd}, {arg}"),
        Op::Getaddrinfo { node, service, family, r#type, flags } => {
            let text = |text: &Option<String>| {
                text.as_ref().map_or_else(|| "NULL".to_owned(), |text| quoted(text.as_bytes()))
            };
            let (node, service) = (text(node), text(service));
            format!("{node}, {service}, {{{family}, {type}, {flags}}}")
        }
        Op::Getnameinfo { addr, host_len, service_len, flags } => {
            let addr = names.addr("", addr, resolved);
            format!("{addr}, {host_len}, {service_len}, {flags}")
        }
        Op::Connectx { .. }
        | Op::Disconnectx { .. }
        | Op::SendmsgX { .. }
        | Op::RecvmsgX { .. }
        | Op::Kevent { .. } => darwins(names, op, resolved),
        Op::InetPton { family, text } => format!("{family}, {}", quoted(text.as_bytes())),
        Op::InetAton { text } => quoted(text.as_bytes()),
        Op::Run { argv, .. } => {
            let words: Vec<String> = argv.iter().map(|word| quoted(word.as_bytes())).collect();
            words.join(", ")
        }
        Op::Lab { step } => step.to_string(),
    }
}

/// The arguments of Darwin's own calls.
fn darwins(names: &Names<'_>, op: &Op, resolved: Option<&SockAddr>) -> String {
    match op {
        Op::Connectx { .. } => connectx(names, op, resolved),
        Op::Disconnectx { fd } => format!("{fd}, SAE_ASSOCID_ANY, SAE_CONNID_ANY"),
        Op::SendmsgX { fd, data, flags, addr } => {
            let name = addr.as_ref().map(|addr| names.addr(fd, addr, resolved));
            let name = name.map(|name| format!("msg_name={name}, ")).unwrap_or_default();
            let each = data.iter().map(|data| format!("{{{name}msg_iov=[{}]}}", sized(data)));
            format!("{fd}, [{}], {}, {flags}", join(each), data.len())
        }
        Op::RecvmsgX { fd, count, len, control_len, flags } => {
            let control = match control_len {
                0 => String::new(),
                len => format!(", msg_controllen={len}"),
            };
            format!("{fd}, {{msg_iov=[{len}]{control}}}, {count}, {flags}")
        }
        Op::Kevent { changes, timeout_ms } => {
            format!("[{}], {timeout_ms}", join(changes.iter().map(change)))
        }
        _ => String::new(),
    }
}

/// `{s, EVFILT_READ, EV_ADD, NOTE_LOWAT, 10}`, as `EV_SET` has it.
fn change(change: &Change) -> String {
    let Change { fd, filter, flags, fflags, data } = change;
    format!("{{{fd}, {filter}, {flags}, {fflags}, {data}}}")
}

fn connectx(names: &Names<'_>, op: &Op, resolved: Option<&SockAddr>) -> String {
    let Op::Connectx { fd, link, source, addr, flags, data } = op else { return String::new() };
    let mut ends: Vec<String> = link.iter().map(|link| format!("sae_srcif={link}")).collect();
    let source = source.as_ref().map(|source| names.addr(fd, source, None));
    ends.extend(source.map(|source| format!("sae_srcaddr={source}")));
    ends.push(format!("sae_dstaddr={}", names.addr(fd, addr, resolved)));
    let data = data.as_ref().map_or_else(|| "NULL".to_owned(), |data| format!("[{}]", sized(data)));
    format!("{fd}, {{{}}}, SAE_ASSOCID_ANY, {flags}, {data}", join(ends))
}

fn sized(payload: &Payload) -> String {
    format!("{}, {}", data::payload(payload), payload.len())
}

fn sendmsg(names: &Names<'_>, op: &Op, resolved: Option<&SockAddr>) -> String {
    let Op::Sendmsg { fd, data, flags, addr, control } = op else { return String::new() };
    let name = match addr {
        Some(addr) => format!("msg_name={}, ", names.addr(fd, addr, resolved)),
        None => String::new(),
    };
    let messages = control.iter().map(|message| control_message(names, message));
    let messages = match &control[..] {
        [] => String::new(),
        _ => format!(", msg_control=[{}]", join(messages)),
    };
    format!("{fd}, {{{name}msg_iov=[{}]{messages}}}, {flags}", sized(data))
}

fn control_message(names: &Names<'_>, message: &Control) -> String {
    match message {
        Control::Int { level, name, value, width } => {
            format!("{{{level}, {name}, {}}}", control::sent(name.as_str(), *value, *width))
        }
        Control::PktInfo { level, link, source } => {
            let v6 = level.as_str() == "IPPROTO_IPV6";
            let (name, wildcard) =
                if v6 { ("IPV6_PKTINFO", "::") } else { ("IP_PKTINFO", "0.0.0.0") };
            let link = link.as_deref().unwrap_or("0");
            let source =
                source.as_ref().map_or_else(|| wildcard.to_owned(), |host| names.host(host));
            format!("{{{level}, {name}, {{{link}, {source}}}}}")
        }
    }
}

/// The arguments of `setsockopt` and `getsockopt`: an intent by the option that says it on this
/// system.
fn option(names: &Names<'_>, op: &Op) -> String {
    match op {
        Op::Setsockopt { fd, option, value } => {
            let (option, value) = concrete(names, fd, option, value);
            format!("{fd}, {option}, {value}")
        }
        Op::Getsockopt { fd, option, len } => {
            let (option, _) = concrete(names, fd, option, &Value::Int(1));
            let len = if *len == 4 { String::new() } else { format!(", {len}") };
            format!("{fd}, {option}{len}")
        }
        _ => String::new(),
    }
}

fn concrete(names: &Names<'_>, fd: &str, option: &Opt, given: &Value) -> (String, String) {
    let family = match option {
        Opt::Raw { .. } => None,
        Opt::Intent(_) => names.case().family(fd),
    };
    match (intent::concrete(names.os(), family, option, given), option) {
        (Some((level, name, given)), _) => {
            (format!("{level}, {name}"), value(names, name.as_str(), &given))
        }
        (None, Opt::Intent(Intent::DontFragment)) => {
            ("\"do not fragment\"".to_owned(), value(names, "", given))
        }
        (None, Opt::Intent(Intent::ConnectTimeout)) => {
            ("\"give up connecting\"".to_owned(), value(names, "", given))
        }
        (None, Opt::Intent(Intent::UserTimeout)) => {
            ("\"give up unacknowledged\"".to_owned(), value(names, "", given))
        }
        (None, Opt::Intent(Intent::KeepIdle)) => {
            ("\"probe when idle\"".to_owned(), value(names, "", given))
        }
        (None, _) => ("\"bind to interface\"".to_owned(), value(names, "", given)),
    }
}

fn value(names: &Names<'_>, option: &str, value: &Value) -> String {
    match value {
        Value::Int(value) => value.to_string(),
        Value::Named(name) => name.to_string(),
        Value::Link(link) if option == "SO_BINDTODEVICE" => quoted(link.as_bytes()),
        Value::Link(link) => index_of(link),
        Value::Host(host) => names.host(host),
        Value::Linger { on, seconds } => format!("{{l_onoff={on}, l_linger={seconds}}}"),
        Value::Timeval { ms } => timeval(i64::from(ms / 1000), i64::from(ms % 1000) * 1000),
        Value::Membership { group, link } => {
            let index = link.as_ref().map_or_else(|| "0".to_owned(), |link| index_of(link));
            match group {
                IpAddr::V4(group) => format!("{{imr_multiaddr={group}, imr_ifindex={index}}}"),
                IpAddr::V6(group) => {
                    format!("{{ipv6mr_multiaddr={group}, ipv6mr_interface={index}}}")
                }
            }
        }
        Value::Source { group, link, source } if option.starts_with("MCAST_") => {
            let index = link.as_ref().map_or_else(|| "0".to_owned(), |link| index_of(link));
            format!("{{gsr_interface={index}, gsr_group={group}, gsr_source={source}}}")
        }
        Value::Source { group, link, source } => {
            let own = own4(names, link.as_deref());
            format!("{{imr_multiaddr={group}, imr_interface={own}, imr_sourceaddr={source}}}")
        }
        Value::Filter { group, link, mode, sources } => {
            let sources = join(sources.iter().map(ToString::to_string));
            if option == "MCAST_MSFILTER" {
                let index = link.as_ref().map_or_else(|| "0".to_owned(), |link| index_of(link));
                format!(
                    "{{gf_interface={index}, gf_group={group}, gf_fmode={mode}, \
                     gf_slist=[{sources}]}}"
                )
            } else {
                let own = own4(names, link.as_deref());
                format!(
                    "{{imsf_multiaddr={group}, imsf_interface={own}, imsf_fmode={mode}, \
                     imsf_slist=[{sources}]}}"
                )
            }
        }
        Value::Bytes(bytes) => hex(bytes),
    }
}

/// The link's own IPv4 address, by which older options name it.
fn own4(names: &Names<'_>, link: Option<&str>) -> String {
    link.map_or_else(|| "0.0.0.0".to_owned(), |link| names.host(&Host::own4(link)))
}

/// An argument that is an interface index, as strace says it.
fn index_of(link: &str) -> String {
    format!("if_nametoindex({})", quoted(link.as_bytes()))
}

pub(super) fn timeval(seconds: i64, microseconds: i64) -> String {
    format!("{{tv_sec={seconds}, tv_usec={microseconds}}}")
}

pub(super) fn hex(bytes: &Hex) -> String {
    if bytes.0.is_empty() { "0 bytes".to_owned() } else { format!("0x{bytes}") }
}

pub(super) fn join(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().collect::<Vec<_>>().join(", ")
}
