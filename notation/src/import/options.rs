//! Options: what they are set to, and what they were.

use std::net::{IpAddr, Ipv4Addr};

use harness::case::addr::Host;
use harness::case::op::{Opt, Value};
use harness::case::{Hex, Sym, is_known};
use harness::trace::Out;

use super::hosts::{Hosts, applied, link, stays, text};
use super::log::Arg;
use super::words::{self, value};

/// An option by level and name.
pub(super) fn option(level: Option<&Arg>, name: Option<&Arg>) -> Result<Opt, String> {
    let level = words::sym(level.map_or("", Arg::text))?;
    let name = words::option(&level, name.map_or("", Arg::text))?;
    Ok(Opt::Raw { level, name })
}

/// What an option is set to, in a call that came to that.
pub(super) fn set(
    name: &Sym,
    arg: &Arg,
    (len, errno): (usize, Option<&str>),
    hosts: &mut Hosts,
) -> Result<Value, String> {
    let name = name.as_str();
    if SECRETS.iter().any(|secret| name.starts_with(secret)) {
        return Err("it is set to a secret, which is left out".to_owned());
    }
    if BY_LINK.contains(&name) {
        return by_link(name, arg, errno, hosts);
    }
    if let Arg::Bytes { bytes, cut: false } = arg {
        if name == "SO_BINDTODEVICE" {
            let device = bytes.split(|b| *b == 0).next().unwrap_or_default();
            return Ok(Value::Link(device_link(&String::from_utf8_lossy(device), hosts)));
        }
        return plain_bytes(name, bytes, len, hosts);
    }
    if let (Some(on), Some(seconds)) = (field(arg, "l_onoff"), field(arg, "l_linger")) {
        return Ok(Value::Linger { on, seconds });
    }
    if let Some(s) = arg.field("tv_sec").and_then(Arg::number) {
        return Ok(timeval(s, arg.field("tv_usec").and_then(Arg::number).unwrap_or(0)));
    }
    if arg.field("imr_multiaddr").is_some() || name.starts_with("IPV6_") && arg.within().len() == 2
    {
        return membership(arg, len, hosts);
    }
    if let Some(ip) = single(arg).and_then(applied) {
        return Ok(match ip {
            IpAddr::V4(v4) if stays(ip) => Value::Bytes(Hex(v4.octets().to_vec())),
            _ => Value::Host(hosts.host(ip)),
        });
    }
    match single(arg) {
        Some(Arg::Apply(of, device)) if of == "if_nametoindex" => {
            let device = device.first().and_then(text).unwrap_or_default();
            Ok(Value::Link(device_link(&device, hosts)))
        }
        Some(Arg::Word(word)) if len == 4 => match value(word) {
            _ if is_known(word) => Ok(Value::Named(words::sym(word)?)),
            Some(number) => Ok(Value::Int(number)),
            None => or(word).map(Value::Int).ok_or_else(not_said),
        },
        // `[7]` of one byte.
        Some(Arg::Word(word)) if len < 4 => {
            let number = value(word).ok_or_else(not_said)?;
            let bytes = number.to_le_bytes().into_iter().take(len).collect();
            Ok(Value::Bytes(Hex(bytes)))
        }
        _ => Err(not_said()),
    }
}

/// Options by which keys are set, by how their names begin: no byte of those is anybody's business.
const SECRETS: [&str; 4] = ["TCP_FASTOPEN_KEY", "TCP_AO_", "TLS_", "ALG_SET_KEY"];

/// Options that choose a link, by an address of the host's own or by an index: both are the host's alone.
const BY_LINK: [&str; 5] = [
    "IP_MULTICAST_IF",
    "IP_UNICAST_IF",
    "IPV6_MULTICAST_IF",
    "IPV6_UNICAST_IF",
    "SO_BINDTOIFINDEX",
];

/// The index of loopback, in every network namespace.
const LOOPBACK: i32 = 1;
/// An index that no link has.
const NOBODY: i32 = 0x7f7f_7f7f;

/// The link that an option chooses: the lab's for any but loopback.
fn by_link(name: &str, arg: &Arg, errno: Option<&str>, hosts: &mut Hosts) -> Result<Value, String> {
    let is_address = name == "IP_MULTICAST_IF";
    if is_address && let Some((own, index)) = own_or_index(arg) {
        if index != 0 {
            return Ok(of_index(index, errno, hosts));
        }
        if errno.is_none() {
            hosts.learn_own(own.into());
        }
        return Ok(match hosts.host(own.into()) {
            Host::Ip(IpAddr::V4(ip)) => Value::Bytes(Hex(ip.octets().to_vec())),
            host => Value::Host(host),
        });
    }
    if let Some(Arg::Apply(of, device)) = single(arg)
        && of == "if_nametoindex"
    {
        let device = device.first().and_then(text).unwrap_or_default();
        return Ok(Value::Link(device_link(&device, hosts)));
    }
    let number = match single(arg) {
        Some(Arg::Word(word)) if !is_address => value(word),
        _ => None,
    };
    match number {
        None => Err("which link it is set to cannot be said".to_owned()),
        // Of these the index is in network byte order, in which no link of a case can be named.
        Some(index) if name.ends_with("_UNICAST_IF") => {
            let is_plain = matches!(index.swap_bytes(), 0 | LOOPBACK);
            let why = "it is set to a link by its index in network byte order";
            if is_plain { Ok(Value::Int(index)) } else { Err(why.to_owned()) }
        }
        Some(index) => Ok(of_index(index, errno, hosts)),
    }
}

fn of_index(index: i32, errno: Option<&str>, hosts: &mut Hosts) -> Value {
    match index {
        0 => Value::Int(0),
        LOOPBACK => Value::Link("lo".to_owned()),
        // Nobody had that one.
        _ if index < 0 || matches!(errno, Some("ENODEV" | "EADDRNOTAVAIL" | "EINVAL")) => {
            Value::Int(NOBODY)
        }
        _ => {
            hosts.link = true;
            Value::Link(link(0))
        }
    }
}

/// What `IP_MULTICAST_IF` takes: an address, as itself or as a number, or a structure with an address and an index
/// (ip(7)).
fn own_or_index(arg: &Arg) -> Option<(Ipv4Addr, i32)> {
    let ip = |arg: &Arg| match applied(arg)? {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    };
    match arg {
        Arg::Bytes { bytes, cut: false } => {
            let (own, index) = match bytes.len() {
                4 => (bytes.first_chunk::<4>()?, 0),
                8 => (bytes.last_chunk::<4>()?, 0),
                12 => (bytes[4..].first_chunk::<4>()?, i32::from_le_bytes(*bytes.last_chunk()?)),
                _ => return None,
            };
            Some((Ipv4Addr::from(*own), index))
        }
        Arg::Group(_) => {
            let index = arg.field("imr_ifindex");
            let index = match index {
                Some(Arg::Apply(_, device)) => {
                    if device.first().and_then(text).as_deref() == Some("lo") {
                        LOOPBACK
                    } else {
                        2
                    }
                }
                Some(index) => index.number().and_then(|index| i32::try_from(index).ok())?,
                None => 0,
            };
            let own = arg.field("imr_interface").or(arg.field("imr_address"));
            Some((own.and_then(ip).unwrap_or(Ipv4Addr::UNSPECIFIED), index))
        }
        _ => match single(arg)? {
            Arg::Word(word) => Some((Ipv4Addr::from(value(word)?.to_le_bytes()), 0)),
            one => Some((ip(one)?, 0)),
        },
    }
}

/// What `getsockopt` gave of such an option: the lab's link, and nothing where it has no name.
fn got_link(name: &str, arg: &Arg, len: usize, hosts: &mut Hosts) -> Out {
    if len != 4 {
        return Out::Nothing;
    }
    if name == "IP_MULTICAST_IF" {
        return match own_or_index(arg) {
            Some((own, 0)) => {
                hosts.learn_own(own.into());
                match hosts.ip(own.into()) {
                    IpAddr::V4(ip) => Out::Int(i32::from_le_bytes(ip.octets())),
                    IpAddr::V6(_) => Out::Nothing,
                }
            }
            _ => Out::Nothing,
        };
    }
    let index = single(arg).and_then(|one| value(one.text()));
    let plain = |index: i32| if name.ends_with("_UNICAST_IF") { index.swap_bytes() } else { index };
    match index {
        Some(index) if matches!(plain(index), 0 | LOOPBACK) => Out::Int(index),
        _ => Out::Nothing,
    }
}

/// Options whose bytes have no address in them.
const PLAIN: [&str; 6] =
    ["SO_LINGER", "SO_RCVTIMEO", "SO_SNDTIMEO", "SO_TIMESTAMPING", "TCP_CONGESTION", "TCP_ULP"];

/// What strace has as bytes. Of those that may have an address in them only what can be read is said.
fn plain_bytes(name: &str, bytes: &[u8], len: usize, hosts: &mut Hosts) -> Result<Value, String> {
    if let (
        "IP_ADD_SOURCE_MEMBERSHIP"
        | "IP_DROP_SOURCE_MEMBERSHIP"
        | "IP_BLOCK_SOURCE"
        | "IP_UNBLOCK_SOURCE",
        &[a, b, c, d, e, f, g, h, i, j, k, l],
    ) = (name, bytes)
    {
        let group = IpAddr::from([a, b, c, d]);
        let (by, source) = (IpAddr::from([e, f, g, h]), IpAddr::from([i, j, k, l]));
        hosts.groups |= by.is_unspecified();
        let (source, group) = (hosts.ip(source), hosts.ip(group));
        return match (by, source, group) {
            (IpAddr::V4(by), IpAddr::V4(source), IpAddr::V4(group)) if by.is_loopback() => {
                let all = [group.octets(), by.octets(), source.octets()];
                Ok(Value::Bytes(Hex(all.concat())))
            }
            _ => {
                let link = (!by.is_unspecified()).then(|| link(0));
                hosts.link |= link.is_some();
                Ok(Value::Source { group, link, source })
            }
        };
    }
    let is_plain = PLAIN.contains(&name) || bytes.len() < 4 || bytes.iter().all(|b| *b == 0);
    if !is_plain || len < bytes.len() {
        return Err("it is set to bytes in which an address may be".to_owned());
    }
    let mut bytes = bytes.to_vec();
    // strace shows such a text without its end.
    bytes.resize(len, 0);
    Ok(Value::Bytes(Hex(bytes)))
}

fn not_said() -> String {
    "what it is set to cannot be said yet".to_owned()
}

/// Names that are or-ed, by their numbers.
fn or(word: &str) -> Option<i32> {
    word.split('|').try_fold(0, |sum, one| Some(sum | value(one)?))
}

/// What stands alone in brackets.
fn single(arg: &Arg) -> Option<&Arg> {
    match arg {
        Arg::List(one) if one.len() == 1 => one.first(),
        Arg::List(_) | Arg::Group(_) => None,
        other => Some(other),
    }
}

fn field(arg: &Arg, name: &str) -> Option<i32> {
    arg.field(name)?.number().and_then(|number| i32::try_from(number).ok())
}

fn timeval(seconds: i64, microseconds: i64) -> Value {
    let ms = seconds.checked_mul(1000).and_then(|ms| ms.checked_add(microseconds / 1000));
    match ms.and_then(|ms| u32::try_from(ms).ok()) {
        Some(ms) if microseconds % 1000 == 0 => Value::Timeval { ms },
        _ => {
            let bytes = [seconds.to_le_bytes(), microseconds.to_le_bytes()].concat();
            Value::Bytes(Hex(bytes))
        }
    }
}

/// The link of the lab that stands for one of the host's: loopback is loopback.
pub(super) fn device_link(device: &str, hosts: &mut Hosts) -> String {
    if device == "lo" {
        return device.to_owned();
    }
    hosts.link = true;
    link(0)
}

fn membership(arg: &Arg, len: usize, hosts: &mut Hosts) -> Result<Value, String> {
    let group = arg.field("imr_multiaddr").or(arg.field("ipv6mr_multiaddr"));
    let group = group.or_else(|| arg.within().first()).and_then(applied).ok_or_else(not_said)?;
    // What is no group is somebody's address.
    let group = hosts.ip(group);
    let by = arg.field("imr_interface").or(arg.field("ipv6mr_interface"));
    let source = arg.field("imr_sourceaddr").and_then(applied);
    let index = arg.field("imr_ifindex").or(by);
    let device = match index {
        Some(Arg::Apply(of, device)) if of == "if_nametoindex" => device.first().and_then(text),
        // Without its name: any but loopback is the lab's.
        Some(index) => match index.number() {
            Some(0) | None => None,
            Some(1) => Some("lo".to_owned()),
            Some(_) => Some(String::new()),
        },
        None => None,
    };
    let own = by.and_then(applied);
    let plain = own.is_none_or(|own| own.is_unspecified() || own.is_loopback());
    match (group, device, own, source) {
        (_, Some(device), _, None) => {
            Ok(Value::Membership { group, link: Some(device_link(&device, hosts)) })
        }
        (IpAddr::V4(v4), None, Some(IpAddr::V4(by)), None) if plain && len == 8 => {
            hosts.groups |= by.is_unspecified();
            Ok(Value::Bytes(Hex([v4.octets(), by.octets()].concat())))
        }
        (IpAddr::V4(_), None, _, None) if plain => {
            hosts.groups = true;
            Ok(Value::Membership { group, link: None })
        }
        (IpAddr::V4(_), None, Some(by), None) => {
            hosts.host(by);
            Ok(Value::Membership { group, link: Some(link(0)) })
        }
        (IpAddr::V6(_), None, _, None) => {
            // Index 0: whichever link the kernel takes.
            hosts.link = true;
            Ok(Value::Membership { group, link: None })
        }
        (IpAddr::V4(v4), None, Some(IpAddr::V4(by)), Some(source)) if plain => {
            let (v4, by) = (v4.octets(), by.octets());
            let bytes = [v4, by, source_bytes(source)].concat();
            plain_bytes("IP_ADD_SOURCE_MEMBERSHIP", &bytes, len, hosts)
        }
        (_, None, _, Some(source)) => {
            let source = hosts.ip(source);
            Ok(Value::Source { group, link: Some(link(0)), source })
        }
        _ => Err(not_said()),
    }
}

fn source_bytes(source: IpAddr) -> [u8; 4] {
    if let IpAddr::V4(v4) = source { v4.octets() } else { [0; 4] }
}

/// What `getsockopt` gave; nothing where the log does not tell it so that it can be asked for.
pub(super) fn got(name: &Sym, arg: &Arg, len: usize, hosts: &mut Hosts) -> Out {
    let name = name.as_str();
    if BY_LINK.contains(&name) {
        return got_link(name, arg, len, hosts);
    }
    if let Some(one) = single(arg) {
        let word = one.text();
        match value(word).or_else(|| or(word)) {
            Some(0) if name == "SO_ERROR" => return Out::Int(0),
            Some(number) if len == 4 && name != "SO_ERROR" => return Out::Int(number),
            None if name == "SO_ERROR" && super::is_errno(word) => {
                return Out::Errno(Sym(word.to_owned().into()));
            }
            _ => {}
        }
        if let (Some(IpAddr::V4(ip)), 4) = (applied(one), len)
            && stays(ip.into())
        {
            return Out::Int(i32::from_le_bytes(ip.octets()));
        }
    }
    if let (Some(on), Some(seconds)) = (field(arg, "l_onoff"), field(arg, "l_linger")) {
        return Out::Bytes(Hex([on.to_le_bytes(), seconds.to_le_bytes()].concat()));
    }
    let time = |name: &str| arg.field(name).and_then(Arg::number);
    if let (Some(s), Some(us)) = (time("tv_sec"), time("tv_usec")) {
        return Out::Bytes(Hex([s.to_le_bytes(), us.to_le_bytes()].concat()));
    }
    match arg {
        Arg::Bytes { bytes, cut: false } if bytes.len() == len && name == "TCP_CONGESTION" => {
            Out::Bytes(Hex(bytes.clone()))
        }
        _ => Out::Nothing,
    }
}
