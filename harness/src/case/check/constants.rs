//! Which constants a step names.

use super::super::op::{Change, Code, Control, Opt, Value};
use super::super::raw::Arg;
use super::super::{Flags, Op, Sym};

/// Every constant that a control message names.
fn of_control(control: &Control) -> Vec<&str> {
    match control {
        Control::PktInfo { level, .. } => vec![level.as_str()],
        Control::Int { level, name, .. } => vec![level.as_str(), name.as_str()],
        Control::Bytes { level, kind, .. } => {
            let names = [level, kind].into_iter().filter_map(|code| match code {
                Code::Name(name) => Some(name.as_str()),
                Code::Number(_) => None,
            });
            names.collect()
        }
        Control::Rights { .. } | Control::Credentials { .. } => Vec::new(),
    }
}

/// Every constant that an argument which is written out names.
fn of_arg(arg: &Arg) -> Vec<&str> {
    match arg {
        Arg::Names(Flags(names)) => names.iter().map(Sym::as_str).collect(),
        Arg::Message(message) => message.controls.iter().flat_map(of_control).collect(),
        _ => Vec::new(),
    }
}

/// Every constant that a step names. Of options, protocols and the flags of messages one may be a number: what has no
/// name here is asked for all the same, and a wrong one is refused. Elsewhere a number might be an address or a file.
pub(in crate::case) fn names(op: &Op) -> Vec<&str> {
    fn option<'a>(option: &'a Opt, out: &mut Vec<&'a str>) {
        if let Opt::Raw { level, name } = option {
            out.extend([level, name].into_iter().filter(|one| is_name(one)).map(Sym::as_str));
        }
    }
    fn is_name(sym: &Sym) -> bool {
        sym.number().is_none()
    }
    // No flag at all is no number of one.
    fn is_flag_name(sym: &Sym) -> bool {
        sym.number().is_none_or(|number| number == 0)
    }
    let families = op.addrs().filter_map(|addr| addr.family.as_ref());
    let mut out: Vec<&str> = families.map(Sym::as_str).collect();
    match op {
        Op::Socket { domain, r#type, protocol, .. }
        | Op::Socketpair { domain, r#type, protocol, .. } => {
            out.extend(Some(domain).filter(|one| is_name(one)).map(Sym::as_str));
            let numbered = r#type.0.iter().chain(&protocol.0);
            out.extend(numbered.filter(|one| is_flag_name(one)).map(Sym::as_str));
        }
        Op::Send { flags, .. }
        | Op::Sendto { flags, .. }
        | Op::Recv { flags, .. }
        | Op::Recvfrom { flags, .. }
        | Op::Recvmsg { flags, .. }
        | Op::Recvmmsg { flags, .. } => {
            out.extend(flags.0.iter().filter(|one| is_flag_name(one)).map(Sym::as_str));
        }
        Op::Connectx { flags, .. }
        | Op::SendmsgX { flags, .. }
        | Op::RecvmsgX { flags, .. }
        | Op::Accept4 { flags, .. }
        | Op::Splice { flags, .. }
        | Op::EpollCreate1 { flags, .. }
        | Op::Getnameinfo { flags, .. } => out.extend(flags.0.iter().map(Sym::as_str)),
        Op::Sendmsg { flags, .. } | Op::Sendmmsg { flags, .. } => {
            out.extend(flags.0.iter().filter(|one| is_flag_name(one)).map(Sym::as_str));
            out.extend(op.controls().into_iter().flat_map(of_control));
        }
        Op::Shutdown { how, .. } => out.push(how.as_str()),
        Op::Setsockopt { option: o, value, .. } => {
            option(o, &mut out);
            if let Value::Named(name) | Value::Filter { mode: name, .. } = value {
                out.push(name.as_str());
            }
        }
        Op::Getsockopt { option: o, .. } => option(o, &mut out),
        Op::EpollCtl { op, events, .. } => {
            out.push(op.as_str());
            out.extend(events.0.iter().map(Sym::as_str));
        }
        Op::Raw { args, .. } => out.extend(args.iter().flat_map(of_arg)),
        Op::Poll { fds, .. } | Op::Ppoll { fds, .. } => {
            out.extend(fds.iter().flat_map(|p| &p.events.0).map(Sym::as_str));
        }
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
        // The others have descriptors, data and numbers.
        _ => {}
    }
    out
}
