//! Option values and control messages as the kernel reads them.

use std::net::IpAddr;

use libc::c_int;

use super::gave::{Fault, Message};
use super::sockaddr::RawAddr;
use super::{credentials, guard, os};
use crate::case::addr::Host;
use crate::case::op::{Code, Control, Value, Who};
use crate::case::{Flags, written};

/// What names of a case stand for in the lab where it runs.
pub(super) trait Resolve {
    /// A link's interface index.
    fn index(&self, link: &str) -> Result<u32, Fault>;
    /// A link's name as the kernel has it.
    fn interface(&self, link: &str) -> String;
    /// A socket's descriptor.
    fn descriptor(&self, socket: &str) -> c_int;
    /// A host's address.
    fn ip(&self, host: &Host) -> Result<IpAddr, Fault>;
}

/// The value of a name or of a number in its place, or the outcome that this system has not got it.
pub(super) fn value(name: &str) -> Result<c_int, Fault> {
    written(name).or_else(|| os::value(name)).ok_or_else(|| Fault::Unsupported(name.to_owned()))
}

/// The flags or-ed together.
pub(super) fn flags(flags: &Flags) -> Result<c_int, Fault> {
    flags.0.iter().try_fold(0, |sum, name| Ok(sum | value(name.as_str())?))
}

fn v4(ip: IpAddr) -> [u8; 4] {
    match ip {
        IpAddr::V4(ip) => ip.octets(),
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or([0; 4], |ip| ip.octets()),
    }
}

fn v6(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

/// The bytes of the value of the option `name`.
pub(super) fn encode(name: &str, value_: &Value, lab: &dyn Resolve) -> Result<Vec<u8>, Fault> {
    let int = |n: c_int| n.to_ne_bytes().to_vec();
    Ok(match value_ {
        Value::Int(n) => int(*n),
        Value::Named(n) => int(value(n.as_str())?),
        Value::Link(link) => match name {
            "SO_BINDTODEVICE" => lab.interface(link).bytes().chain([0]).collect(),
            "IP_MULTICAST_IF" => mreqn([0; 4], lab.index(link)?),
            _ => lab.index(link)?.to_ne_bytes().to_vec(),
        },
        Value::Host(host) => v4(lab.ip(host)?).to_vec(),
        Value::Linger { on, seconds } => [on.to_ne_bytes(), seconds.to_ne_bytes()].concat(),
        Value::Timeval { ms } => {
            // Its type differs between systems, and is padded: built as the struct itself.
            os::timeval(ms / 1000, ms % 1000 * 1000)
        }
        Value::Membership { group, link } => {
            let index = link.as_deref().map_or(Ok(0), |l| lab.index(l))?;
            match group {
                IpAddr::V4(group) => mreqn(group.octets(), index),
                IpAddr::V6(group) => [&group.octets()[..], &index.to_ne_bytes()].concat(),
            }
        }
        Value::Source { group, link, source } if name.starts_with("MCAST_") => {
            [on_link(link.as_deref(), *group, lab)?, storage(*source)].concat()
        }
        Value::Source { group, link, source } => {
            os::mreq_source(v4(*group), own4(link.as_deref(), lab)?, v4(*source))
        }
        Value::Filter { group, link, mode, sources } => {
            let count = u32::try_from(sources.len()).unwrap_or(u32::MAX).to_ne_bytes();
            let mode = value(mode.as_str())?.to_ne_bytes();
            let (begins, sources): (_, Vec<_>) = if name == "MCAST_MSFILTER" {
                let begins = on_link(link.as_deref(), *group, lab)?;
                (begins, sources.iter().map(|ip| storage(*ip)).collect())
            } else {
                let begins = [v4(*group), own4(link.as_deref(), lab)?].concat();
                (begins, sources.iter().map(|ip| v4(*ip).to_vec()).collect())
            };
            [begins, mode.to_vec(), count.to_vec(), sources.concat()].concat()
        }
        Value::Bytes(bytes) => bytes.0.clone(),
    })
}

/// What `struct group_source_req` and `struct group_filter` begin with.
fn on_link(link: Option<&str>, group: IpAddr, lab: &dyn Resolve) -> Result<Vec<u8>, Fault> {
    let index = link.map_or(Ok(0), |link| lab.index(link))?.to_ne_bytes();
    Ok([&index[..], &[0; os::BEFORE_STORAGE], &storage(group)].concat())
}

/// A `sockaddr_storage` without a port.
fn storage(ip: IpAddr) -> Vec<u8> {
    RawAddr::new(ip, 0, 0, None).bytes().to_vec()
}

/// The address by which `struct ip_mreq_source` and `struct ip_msfilter` name a link.
fn own4(link: Option<&str>, lab: &dyn Resolve) -> Result<[u8; 4], Fault> {
    let own = |link: &str| lab.ip(&Host::own4(link)).map(v4);
    link.map_or(Ok([0; 4]), own)
}

/// `struct ip_mreqn`: group, address (none), index.
fn mreqn(group: [u8; 4], index: u32) -> Vec<u8> {
    [group, [0; 4], index.to_ne_bytes()].concat()
}

/// The level, type and data of a control message.
pub(super) fn message(control: &Control, lab: &dyn Resolve) -> Result<Message, Fault> {
    match control {
        Control::Int { level, name, value: n, width } => {
            let (level, name) = (value(level.as_str())?, value(name.as_str())?);
            let [low, high, ..] = n.to_le_bytes();
            let data = match width {
                1 => vec![low],
                2 => u16::from_le_bytes([low, high]).to_ne_bytes().to_vec(),
                8 => i64::from(*n).to_ne_bytes().to_vec(),
                _ => n.to_ne_bytes().to_vec(),
            };
            guard::control((level, name), data.len())?;
            Ok((level, name, data))
        }
        Control::Rights { fds } => {
            let data = fds.iter().flat_map(|fd| lab.descriptor(fd).to_ne_bytes()).collect();
            Ok((value("SOL_SOCKET")?, value("SCM_RIGHTS")?, data))
        }
        Control::Credentials { pid, uid, gid } => {
            // `struct ucred`.
            let own = credentials::own();
            let of = |who: &Who, own: u32| if let Who::Is(number) = who { *number } else { own };
            let all = [of(pid, own.pid.cast_unsigned()), of(uid, own.uid), of(gid, own.gid)];
            let data = all.iter().flat_map(|number| number.to_ne_bytes()).collect();
            Ok((value("SOL_SOCKET")?, value("SCM_CREDENTIALS")?, data))
        }
        Control::Bytes { level, kind, data } => {
            let of = |code: &Code| match code {
                Code::Name(name) => value(name.as_str()),
                Code::Number(number) => Ok(*number),
            };
            let code = (of(level)?, of(kind)?);
            guard::control(code, data.0.len())?;
            Ok((code.0, code.1, data.0.clone()))
        }
        Control::PktInfo { level, link, source } => {
            let index = link.as_deref().map_or(Ok(0), |l| lab.index(l))?.to_ne_bytes();
            let source = source.as_ref().map(|host| lab.ip(host)).transpose()?;
            if level.plain() == "IPPROTO_IP" {
                // `struct in_pktinfo`: index, the source to use, the destination (none).
                let source = source.map_or([0; 4], v4);
                let data = [index, source, [0; 4]].concat();
                Ok((value("IPPROTO_IP")?, value("IP_PKTINFO")?, data))
            } else {
                // `struct in6_pktinfo`: the source to use, index.
                let source = source.map_or([0; 16], v6);
                let data = [&source[..], &index].concat();
                Ok((value("IPPROTO_IPV6")?, value("IPV6_PKTINFO")?, data))
            }
        }
    }
}
