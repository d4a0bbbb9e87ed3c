//! What of a case is let in: it may come from a stranger, and its names go into C and into commands.

use super::addr::Host;
use super::op::{Change, Control, Opt, Value};
use super::{Op, Sym};

/// Labels of 1 to 63 bytes, 253 in all (RFC 1035 §2.3.4).
pub(super) fn is_name(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(|label| (1..=63).contains(&label.len()))
}

/// `IFNAMSIZ` without its end.
pub(super) const MOST_OF_LINK: usize = 15;
/// As many characters as C compilers have to tell apart (C11 §5.2.4.1).
pub(super) const MOST_OF_SOCKET: usize = 31;

/// Whether it is an identifier of C.
pub(super) fn is_word(name: &str, most: usize) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.len() <= most
        && name.starts_with(is_letter)
        && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}

/// How many bytes a call may write or be given: the executor has as many. No datagram has a tenth.
pub(super) const MOST_BYTES: u64 = 1 << 20;

/// The requests whose argument is an `int`, which they write (Linux tcp(7), udp(7), socket(7);
/// Darwin's `sys/filio.h`, `sys/sockio.h`), and those that read and write a `struct ifreq` that names a
/// link (netdevice(7)): the executor has room for no more.
const OF_AN_INT: [&str; 9] = [
    "FIOASYNC",
    "FIOGETOWN",
    "FIONBIO",
    "FIONREAD",
    "SIOCATMARK",
    "SIOCGPGRP",
    "SIOCINQ",
    "SIOCOUTQ",
    "SIOCOUTQNSD",
];
const OF_A_LINK: [&str; 5] =
    ["SIOCGIFFLAGS", "SIOCGIFINDEX", "SIOCGIFMETRIC", "SIOCGIFMTU", "SIOCGIFTXQLEN"];
/// The commands that take flags or nothing, and give no descriptor that the case could not name.
const COMMANDS: [&str; 6] = ["F_GETFD", "F_GETFL", "F_GETOWN", "F_GETSIG", "F_SETFD", "F_SETFL"];

/// That `ioctl` and `fcntl` are asked for what they can be asked for without a pointer, a process of the
/// host's or a descriptor that nobody closes.
pub(super) fn request(op: &Op) -> Result<(), String> {
    match op {
        Op::Ioctl { request, .. } => {
            let known = ["TIOCOUTQ"].iter().chain(&OF_AN_INT).chain(&OF_A_LINK);
            if known.into_iter().any(|known| *known == request.as_str()) {
                return Ok(());
            }
            Err(format!("ioctl: a case cannot write what {request} takes, or reads nothing of it"))
        }
        Op::Fcntl { cmd, .. } if !COMMANDS.contains(&cmd.as_str()) => {
            Err(format!("fcntl: {cmd} takes or gives what a case has no word for"))
        }
        _ => Ok(()),
    }
}

/// The families whose addresses a case can write. By a socket of another it may ask, and not speak: what
/// is sent on `AF_NETLINK`, `AF_ROUTE` or `AF_VSOCK` is for a kernel or a machine beyond the lab.
const SPOKEN: [&str; 4] = ["AF_INET", "AF_INET6", "AF_UNIX", "AF_UNSPEC"];

/// Whether the call gives the socket an address, opens it to others, or sends.
fn speaks(op: &Op) -> bool {
    matches!(op, Op::Bind { .. } | Op::Connect { .. } | Op::Listen { .. } | Op::Connectx { .. })
        || !op.payloads().is_empty()
}

/// That each socket is made before it is used, and speaks only a family of which a case has addresses.
pub(super) fn made(ops: &[Op]) -> Result<(), String> {
    let mut known: Vec<(&str, &str)> = Vec::new();
    for op in ops {
        for name in op.uses() {
            let families = || known.iter().filter(|(socket, _)| *socket == name);
            if families().next().is_none() {
                let what = if matches!(op, Op::Lab { .. }) { "a frame" } else { op.call() };
                return Err(format!("{what}: no step before this one makes a socket {name:?}"));
            }
            let mute = families().find(|(_, family)| !SPOKEN.contains(family));
            if let (true, Some((_, family))) = (speaks(op) && op.fd() == Some(name), mute) {
                let call = op.call();
                return Err(format!(
                    "{call}: {name} is a socket of {family}, which a case may make and ask, and no more"
                ));
            }
        }
        match op {
            Op::Socket { fd, domain, .. } => known.push((fd, domain.plain())),
            Op::Socketpair { a, b, domain, .. } => {
                known.extend([(a.as_str(), domain.plain()), (b.as_str(), domain.plain())]);
            }
            Op::Accept { fd, new } => {
                let of = known.iter().rev().find(|(socket, _)| socket == fd);
                let family = of.map_or("AF_UNSPEC", |(_, family)| *family);
                known.push((new, family));
            }
            _ => {}
        }
    }
    Ok(())
}

/// How many bytes a step asks room for.
pub(super) fn room(op: &Op) -> u64 {
    let payloads = op.payloads().into_iter().map(|payload| payload.len() as u64).sum::<u64>();
    let asked: u64 = match op {
        Op::Recv { len, .. }
        | Op::Recvfrom { len, .. }
        | Op::Read { len, .. }
        | Op::Getsockopt { len, .. } => (*len).into(),
        Op::Recvmsg { len, control_len, .. } => u64::from(*len) + u64::from(*control_len),
        Op::RecvmsgX { count, len, control_len, .. } => {
            let each = u64::from(*len) + u64::from(*control_len);
            u64::from(*count).saturating_mul(each.max(1))
        }
        Op::Getnameinfo { host_len, service_len, .. } => {
            u64::from(*host_len) + u64::from(*service_len)
        }
        _ => 0,
    };
    payloads.saturating_add(asked)
}

/// Every socket that a step names.
pub(super) fn sockets(op: &Op) -> impl Iterator<Item = &str> {
    op.uses().into_iter().chain(op.makes())
}

/// Every link that a step names beside those of its addresses.
pub(super) fn links(op: &Op) -> Vec<&str> {
    fn host(host: &Host) -> Option<&str> {
        if let Host::On { link, .. } = host { Some(link) } else { None }
    }
    match op {
        Op::Setsockopt { value, .. } => match value {
            Value::Link(link) => vec![link],
            Value::Host(of) => host(of).into_iter().collect(),
            Value::Membership { link, .. }
            | Value::Source { link, .. }
            | Value::Filter { link, .. } => link.as_deref().into_iter().collect(),
            _ => Vec::new(),
        },
        Op::Sendmsg { control, .. } => control
            .iter()
            .flat_map(|control| match control {
                Control::PktInfo { link, source, .. } => {
                    link.as_deref().into_iter().chain(source.as_ref().and_then(host)).collect()
                }
                Control::Int { .. } => Vec::new(),
            })
            .collect(),
        Op::Ioctl { link, .. } => link.as_deref().into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Every constant that a step names.
pub(super) fn names(op: &Op) -> Vec<&str> {
    fn option<'a>(option: &'a Opt, out: &mut Vec<&'a str>) {
        if let Opt::Raw { level, name } = option {
            out.extend([level.as_str(), name.as_str()]);
        }
    }
    let families = op.addrs().filter_map(|addr| addr.family.as_ref());
    let mut out: Vec<&str> = families.map(Sym::as_str).collect();
    match op {
        Op::Socket { domain, r#type, protocol, .. }
        | Op::Socketpair { domain, r#type, protocol, .. } => {
            out.push(domain.as_str());
            out.extend(r#type.0.iter().chain(&protocol.0).map(Sym::as_str));
        }
        Op::Send { flags, .. }
        | Op::Sendto { flags, .. }
        | Op::Recv { flags, .. }
        | Op::Recvfrom { flags, .. }
        | Op::Recvmsg { flags, .. }
        | Op::Connectx { flags, .. }
        | Op::SendmsgX { flags, .. }
        | Op::RecvmsgX { flags, .. }
        | Op::Getnameinfo { flags, .. } => out.extend(flags.0.iter().map(Sym::as_str)),
        Op::Sendmsg { flags, control, .. } => {
            out.extend(flags.0.iter().map(Sym::as_str));
            for c in control {
                match c {
                    Control::PktInfo { level, .. } => out.push(level.as_str()),
                    Control::Int { level, name, .. } => {
                        out.extend([level.as_str(), name.as_str()]);
                    }
                }
            }
        }
        Op::Shutdown { how, .. } => out.push(how.as_str()),
        Op::Setsockopt { option: o, value, .. } => {
            option(o, &mut out);
            if let Value::Named(name) | Value::Filter { mode: name, .. } = value {
                out.push(name.as_str());
            }
        }
        Op::Getsockopt { option: o, .. } => option(o, &mut out),
        Op::Poll { fds, .. } => out.extend(fds.iter().flat_map(|p| &p.events.0).map(Sym::as_str)),
        Op::Kevent { changes, .. } => out.extend(changes.iter().flat_map(Change::names)),
        Op::Ioctl { request, .. } => out.push(request.as_str()),
        Op::Fcntl { cmd, arg, .. } => {
            out.push(cmd.as_str());
            out.extend(arg.0.iter().map(Sym::as_str));
        }
        Op::Getaddrinfo { family, r#type, flags, .. } => {
            out.push(family.as_str());
            out.extend(r#type.0.iter().chain(&flags.0).map(Sym::as_str));
        }
        Op::InetPton { family, .. } => out.push(family.as_str()),
        Op::Bind { .. }
        | Op::Connect { .. }
        | Op::Listen { .. }
        | Op::Accept { .. }
        | Op::Write { .. }
        | Op::Read { .. }
        | Op::Close { .. }
        | Op::Getsockname { .. }
        | Op::Getpeername { .. }
        | Op::InetAton { .. }
        | Op::Disconnectx { .. }
        | Op::Run { .. }
        | Op::Lab { .. } => {}
    }
    out
}
