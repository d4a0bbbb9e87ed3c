//! A call with its arguments, addresses by their part in the lab.

use harness::case::op::Change;
use harness::case::payload::quoted;
use harness::case::{Flags, Op, Payload};

use super::{addr, value};

/// `sendto(s, "hello\0", 6, 0, {AF_INET neighbour(tap0):12345})`, and behind it ` = s` if the call makes
/// a socket. Steps of the lab are none.
pub(crate) fn print(op: &Op) -> String {
    let call = format!("{}({})", op.call(), args(op));
    match op {
        Op::Socket { fd: new, .. } | Op::Accept { new, .. } => format!("{call} = {new}"),
        Op::Run { limit_ms, .. } => format!("{call} within {limit_ms} ms"),
        _ => call,
    }
}

pub(crate) fn join(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().collect::<Vec<_>>().join(", ")
}

fn sized(payload: &Payload) -> String {
    match payload {
        Payload::Text(_) => format!("{}, {}", quoted(&payload.bytes()), payload.len()),
        Payload::Pattern(len) => format!("pattern[0..{len}], {len}"),
    }
}

fn args(op: &Op) -> String {
    match op {
        Op::Socket { domain, r#type, protocol, .. } => format!("{domain}, {type}, {protocol}"),
        Op::Socketpair { a, b, domain, r#type, protocol } => {
            format!("{domain}, {type}, {protocol}, [{a}, {b}]")
        }
        Op::Bind { fd, addr: to } | Op::Connect { fd, addr: to } => {
            format!("{fd}, {}", addr::print(to))
        }
        Op::Listen { fd, backlog } => format!("{fd}, {backlog}"),
        Op::Accept { fd, .. }
        | Op::Close { fd }
        | Op::Getsockname { fd }
        | Op::Getpeername { fd } => fd.clone(),
        Op::Send { fd, data, flags } => format!("{fd}, {}, {flags}", sized(data)),
        Op::Sendto { fd, data, flags, addr: to } => {
            format!("{fd}, {}, {flags}, {}", sized(data), addr::print(to))
        }
        Op::Sendmsg { .. } | Op::Recvmsg { .. } => message(op),
        Op::Recv { fd, len, flags } | Op::Recvfrom { fd, len, flags } => {
            format!("{fd}, {len}, {flags}")
        }
        Op::Write { fd, data } => format!("{fd}, {}", sized(data)),
        Op::Read { fd, len } => format!("{fd}, {len}"),
        Op::Shutdown { fd, how } => format!("{fd}, {how}"),
        Op::Setsockopt { fd, option, value } => {
            format!("{fd}, {}, {}", value::print_option(option), value::print(option, value))
        }
        Op::Getsockopt { fd, option, len } => {
            let len = if *len == 4 { String::new() } else { format!(", {len}") };
            format!("{fd}, {}{len}", value::print_option(option))
        }
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
            let (node, service) = (maybe_text(node.as_ref()), maybe_text(service.as_ref()));
            format!("{node}, {service}, {{{family}, {type}, {flags}}}")
        }
        Op::Getnameinfo { addr: of, host_len, service_len, flags } => {
            format!("{}, {host_len}, {service_len}, {flags}", addr::print(of))
        }
        Op::InetPton { family, text } => format!("{family}, {}", quoted(text.as_bytes())),
        Op::InetAton { text } => quoted(text.as_bytes()),
        Op::Run { argv, .. } => join(argv.iter().map(|word| quoted(word.as_bytes()))),
        Op::Connectx { .. }
        | Op::Disconnectx { .. }
        | Op::SendmsgX { .. }
        | Op::RecvmsgX { .. }
        | Op::Kevent { .. } => darwins(op),
        Op::Lab { step } => step.to_string(),
    }
}

fn maybe_text(text: Option<&String>) -> String {
    text.map_or_else(|| "NULL".to_owned(), |text| quoted(text.as_bytes()))
}

/// A `struct msghdr`.
fn message(op: &Op) -> String {
    match op {
        Op::Sendmsg { fd, data, flags, addr: to, control } => {
            let mut fields: Vec<String> = Vec::new();
            fields.extend(to.as_ref().map(|to| format!("msg_name={}", addr::print(to))));
            fields.push(format!("msg_iov=[{}]", sized(data)));
            if !control.is_empty() {
                let messages = join(control.iter().map(value::print_control));
                fields.push(format!("msg_control=[{messages}]"));
            }
            format!("{fd}, {{{}}}, {flags}", join(fields))
        }
        Op::Recvmsg { fd, len, control_len, flags } => {
            format!("{fd}, {}, {flags}", room(*len, *control_len))
        }
        _ => String::new(),
    }
}

fn room(len: u32, control_len: u32) -> String {
    match control_len {
        0 => format!("{{msg_iov=[{len}]}}"),
        control => format!("{{msg_iov=[{len}], msg_controllen={control}}}"),
    }
}

/// Darwin's own calls.
fn darwins(op: &Op) -> String {
    match op {
        Op::Connectx { fd, link, source, addr: to, flags, data } => {
            let mut ends: Vec<String> = link.iter().map(|l| format!("sae_srcif={l}")).collect();
            ends.extend(source.as_ref().map(|from| format!("sae_srcaddr={}", addr::print(from))));
            ends.push(format!("sae_dstaddr={}", addr::print(to)));
            let data = data.as_ref().map(|data| format!("[{}]", sized(data)));
            let data = data.unwrap_or_else(|| "NULL".to_owned());
            format!("{fd}, {{{}}}, SAE_ASSOCID_ANY, {flags}, {data}", join(ends))
        }
        Op::Disconnectx { fd } => format!("{fd}, SAE_ASSOCID_ANY, SAE_CONNID_ANY"),
        Op::SendmsgX { fd, data, flags, addr: to } => {
            let name = to.as_ref().map(|to| format!("msg_name={}", addr::print(to)));
            let each = data.iter().map(|data| {
                let iov = format!("msg_iov=[{}]", sized(data));
                format!("{{{}}}", join(name.iter().cloned().chain([iov])))
            });
            let mut each: Vec<String> = each.collect();
            if let (true, Some(name)) = (data.is_empty(), &name) {
                each.push(format!("{{{name}}}"));
            }
            format!("{fd}, [{}], {}, {flags}", join(each), data.len())
        }
        Op::RecvmsgX { fd, count, len, control_len, flags } => {
            format!("{fd}, {}, {count}, {flags}", room(*len, *control_len))
        }
        Op::Kevent { changes, timeout_ms } => {
            format!("[{}], {timeout_ms}", join(changes.iter().map(change)))
        }
        _ => String::new(),
    }
}

/// As `EV_SET` has it.
fn change(change: &Change) -> String {
    let Change { fd, filter, flags, fflags, data } = change;
    format!("{{{fd}, {filter}, {flags}, {fflags}, {data}}}")
}
