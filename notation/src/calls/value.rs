//! Options, what they are set to, and control messages.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use harness::case::addr::{Host, Range};
use harness::case::op::{Code, Control, Given, Intent, Opt, Value, Who};
use harness::case::{Hex, Sym};

use super::addr::host;
use super::args::{Args, Fields, name, not, number, sym, sym_or_number, text};
use crate::fault::Fault;
use crate::tree::{Node, What};

pub(crate) fn option(args: &mut Args<'_, '_>) -> Result<Opt, Fault> {
    let first = args.next("a level, or what is wanted in quotes,")?;
    if !matches!(first.what, What::Text(_)) {
        let name = args.next("the name of an option")?;
        let (level, name) = (sym_or_number(first)?, sym_or_number(name)?);
        return Ok(Opt::Raw { level, name });
    }
    let said = text(first)?;
    let found = Intent::ALL.into_iter().find(|intent| intent.text() == said);
    found.map(Opt::Intent).ok_or_else(|| {
        let says = format!("no option is told by {said:?}");
        Fault::new(first.at.clone(), says).nearest(&said, Intent::ALL.map(Intent::text))
    })
}

/// The options that are text (tcp(7)), and none that names a link.
const OF_TEXT: [&str; 2] = ["TCP_CONGESTION", "TCP_ULP"];

/// What this option is set to.
pub(crate) fn of(option: &Opt, node: &Node<'_>) -> Result<Value, Fault> {
    match (option, &node.what) {
        (Opt::Raw { name, .. }, What::Text(said)) if OF_TEXT.contains(&name.as_str()) => {
            Ok(Value::Bytes(Hex(said.clone())))
        }
        _ => read(node),
    }
}

fn read(node: &Node<'_>) -> Result<Value, Fault> {
    Ok(match &node.what {
        What::Number(_) => Value::Int(number(node, "an int")?),
        What::Word(_) => Value::Named(sym(node)?),
        What::Text(_) => Value::Link(text(node)?),
        What::Apply("if_nametoindex", _) => Value::Link(link(node)?),
        What::Apply(..) | What::Ip(_) => Value::Host(host(node, Some(Range::V4))?),
        What::Hex(bytes) => Value::Bytes(Hex(bytes.clone())),
        What::Beside(_) if is_none(node) => Value::Bytes(Hex(Vec::new())),
        What::Group(_) => structure(node)?,
        _ => return Err(not(node, "what the option is set to")),
    })
}

/// `0 bytes`
pub(super) fn is_none(node: &Node<'_>) -> bool {
    matches!(&node.what, What::Beside(words) if matches!(&words[..], [zero, bytes]
        if zero.what == What::Number(0) && bytes.what == What::Word("bytes")))
}

/// A constant by its name, or a number.
fn code(node: &Node<'_>) -> Result<Code, Fault> {
    match node.what {
        What::Number(_) => number(node, "a number or a name").map(Code::Number),
        _ => sym(node).map(Code::Name),
    }
}

/// `own`, or a number.
pub(super) fn who(node: &Node<'_>) -> Result<Who, Fault> {
    match node.what {
        What::Word("own") => Ok(Who::Own),
        _ => number(node, "own or a number").map(Who::Is),
    }
}

/// `if_nametoindex("tun0")`
pub(super) fn link(node: &Node<'_>) -> Result<String, Fault> {
    match &node.what {
        What::Apply("if_nametoindex", of) if of.len() == 1 => text(&of[0]),
        _ => Err(not(node, "0 or if_nametoindex(\"LINK\")")),
    }
}

fn maybe_link(node: &Node<'_>) -> Result<Option<String>, Fault> {
    if node.what == What::Number(0) { Ok(None) } else { link(node).map(Some) }
}

/// The link whose own address this is, or none for the wildcard.
fn by_own(node: &Node<'_>) -> Result<Option<String>, Fault> {
    if node.what == What::Ip(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) {
        return Ok(None);
    }
    match &node.what {
        What::Apply("own", _) => match host(node, Some(Range::V4))? {
            Host::On { link, range: Range::V4, .. } => Ok(Some(link)),
            _ => Err(not(node, "an IPv4 address such as own(LINK)")),
        },
        _ => Err(not(node, "0.0.0.0 or own(LINK)")),
    }
}

fn ip(node: &Node<'_>) -> Result<IpAddr, Fault> {
    match node.what {
        What::Ip(ip) => Ok(ip),
        _ => Err(not(node, "an IP address")),
    }
}

fn ips(node: &Node<'_>) -> Result<Vec<IpAddr>, Fault> {
    match &node.what {
        What::List(all) => all.iter().map(ip).collect(),
        _ => Err(not(node, "a list of IP addresses")),
    }
}

/// The fields of which one says that a structure is a membership.
const OF_A_GROUP: [&str; 5] =
    ["imr_multiaddr", "imr_ifindex", "imr_interface", "ipv6mr_multiaddr", "ipv6mr_interface"];

fn structure(node: &Node<'_>) -> Result<Value, Fault> {
    const FIELDS: [&str; 19] = [
        "l_onoff",
        "l_linger",
        "tv_sec",
        "tv_usec",
        "imr_multiaddr",
        "imr_ifindex",
        "imr_interface",
        "imr_sourceaddr",
        "ipv6mr_multiaddr",
        "ipv6mr_interface",
        "gsr_interface",
        "gsr_group",
        "gsr_source",
        "gf_interface",
        "gf_group",
        "gf_fmode",
        "gf_slist",
        "imsf_multiaddr",
        "imsf_interface",
    ];
    let mut fields = Fields::of(node, "a structure")?;
    let value = if fields.has("l_onoff") {
        let on = number(fields.want("l_onoff")?, "an int")?;
        Value::Linger { on, seconds: number(fields.want("l_linger")?, "an int")? }
    } else if fields.has("tv_sec") {
        timeval(fields.want("tv_sec")?, fields.want("tv_usec")?)?
    } else if fields.has("imr_sourceaddr") {
        let (group, link) = (fields.want("imr_multiaddr")?, fields.want("imr_interface")?);
        let source = ip(fields.want("imr_sourceaddr")?)?;
        Value::Source { group: ip(group)?, link: by_own(link)?, source }
    } else if OF_A_GROUP.iter().any(|name| fields.has(name)) {
        membership(&mut fields)?
    } else if fields.has("gsr_group") {
        let (group, link) = (ip(fields.want("gsr_group")?)?, fields.want("gsr_interface")?);
        let source = ip(fields.want("gsr_source")?)?;
        Value::Source { group, link: maybe_link(link)?, source }
    } else if fields.has("gf_group") {
        let (group, link) = (ip(fields.want("gf_group")?)?, fields.want("gf_interface")?);
        let (mode, list) = (sym(fields.want("gf_fmode")?)?, fields.want("gf_slist")?);
        Value::Filter { group, link: maybe_link(link)?, mode, sources: ips(list)? }
    } else if fields.has("imsf_multiaddr") {
        let (group, link) = (ip(fields.want("imsf_multiaddr")?)?, fields.want("imsf_interface")?);
        let (mode, list) = (sym(fields.want("imsf_fmode")?)?, fields.want("imsf_slist")?);
        Value::Filter { group, link: by_own(link)?, mode, sources: ips(list)? }
    } else {
        fields.end(&FIELDS)?;
        return Err(not(node, "a structure with fields"));
    };
    fields.end(&FIELDS)?;
    Ok(value)
}

/// A group on a link that goes by its index: 0, `if_nametoindex`, or the four bytes of one that no link has. By an
/// own address in `struct ip_mreq`, which has no more fields.
fn membership(fields: &mut Fields<'_, '_>) -> Result<Value, Fault> {
    const INDEX: usize = 4;
    if fields.has("ipv6mr_multiaddr") || fields.has("ipv6mr_interface") {
        let group = fields.want("ipv6mr_multiaddr")?;
        let by = fields.want("ipv6mr_interface")?;
        let IpAddr::V6(ip) = ip(group)? else { return Err(not(group, "an IPv6 group")) };
        return Ok(match &by.what {
            What::Hex(index) if index.len() == INDEX => {
                Value::Bytes(Hex([&ip.octets()[..], index].concat()))
            }
            _ => Value::Membership { group: ip.into(), link: maybe_link(by)? },
        });
    }
    let group = fields.want("imr_multiaddr")?;
    let IpAddr::V4(ip) = ip(group)? else { return Err(not(group, "an IPv4 group")) };
    if let Some(by) = fields.take("imr_interface") {
        let What::Ip(IpAddr::V4(own)) = by.what else { return Err(not(by, "an IPv4 address")) };
        return Ok(Value::Bytes(Hex([ip.octets(), own.octets()].concat())));
    }
    let by = fields.want("imr_ifindex")?;
    Ok(match &by.what {
        What::Hex(index) if index.len() == INDEX => {
            Value::Bytes(Hex([&ip.octets()[..], &[0; 4], index].concat()))
        }
        _ => Value::Membership { group: ip.into(), link: maybe_link(by)? },
    })
}

/// What `ioctl` is given: `[own]`, or a `struct ifreq`, which names a link by its name or its index.
pub(super) fn request(
    request: &Sym,
    node: &Node<'_>,
) -> Result<(Option<String>, Option<Given>), Fault> {
    if let What::List(pid) = &node.what {
        let [pid] = &pid[..] else { return Err(not(node, "[own] or [0]")) };
        return Ok((None, Some(Given::Pid(who(pid)?))));
    }
    let mut fields = Fields::of(node, "{ifr_name=\"LINK\"}")?;
    if request.as_str() == "SIOCGIFNAME" {
        let index = fields.want("ifr_ifindex")?;
        fields.end(&["ifr_ifindex"])?;
        return Ok(match index.what {
            What::Number(_) => (None, Some(Given::Index(number(index, "an index")?))),
            _ => (Some(link(index)?), None),
        });
    }
    let link = Some(text(fields.want("ifr_name")?)?);
    let mtu = fields.take("ifr_mtu").map(|node| number(node, "an MTU").map(Given::Mtu));
    let flags = fields.take("ifr_flags").map(|node| match node.what {
        What::Word("IFF_UP") => Ok(Given::Up(true)),
        What::Number(0) => Ok(Given::Up(false)),
        _ => Err(not(node, "IFF_UP or 0")),
    });
    fields.end(&["ifr_name", "ifr_mtu", "ifr_flags"])?;
    match (mtu, flags) {
        (Some(_), Some(_)) => Err(not(node, "an MTU or flags")),
        (one, other) => Ok((link, one.or(other).transpose()?)),
    }
}

fn timeval(seconds: &Node<'_>, rest: &Node<'_>) -> Result<Value, Fault> {
    let (s, us): (u32, u32) = (number(seconds, "seconds")?, number(rest, "microseconds")?);
    let ms = s.checked_mul(1000).and_then(|ms| ms.checked_add(us / 1000));
    match ms {
        Some(ms) if us < 1_000_000 && us.is_multiple_of(1000) => Ok(Value::Timeval { ms }),
        Some(_) => Err(Fault::new(rest.at.clone(), "tv_usec is whole milliseconds below a second")),
        None => Err(Fault::new(seconds.at.clone(), "that is too long a time")),
    }
}

/// In how many bytes a control message is, as documented: udp(7) has "a `uint16_t`" for `UDP_SEGMENT`.
fn documented(name: &str) -> u8 {
    if name == "UDP_SEGMENT" { 2 } else { 4 }
}

const WIDTHS: [(&str, u8); 4] = [("uint8_t", 1), ("uint16_t", 2), ("int", 4), ("uint64_t", 8)];

pub(crate) fn control(node: &Node<'_>) -> Result<Control, Fault> {
    const LIKE: &str = "a control message such as {IPPROTO_IP, IP_TTL, 5}";
    let What::Group(within) = &node.what else { return Err(not(node, LIKE)) };
    let [level, name, value] = &within[..] else { return Err(not(node, LIKE)) };
    let bytes = match &value.what {
        What::Hex(bytes) => Some(bytes.clone()),
        What::Beside(_) if is_none(value) => Some(Vec::new()),
        _ => None,
    };
    if let Some(data) = bytes {
        return Ok(Control::Bytes { level: code(level)?, kind: code(name)?, data: Hex(data) });
    }
    if let (What::Number(_), _) | (_, What::Number(_)) = (&level.what, &name.what) {
        let fault = not(value, "bytes such as 0x05");
        return Err(fault.help("a message that goes by numbers has its data in bytes"));
    }
    let (level, name): (Sym, Sym) = (sym(level)?, sym(name)?);
    match &value.what {
        What::List(fds) if (level.as_str(), name.as_str()) == ("SOL_SOCKET", "SCM_RIGHTS") => {
            let of = |fd| self::name(fd, "the name of a socket");
            Ok(Control::Rights { fds: fds.iter().map(of).collect::<Result<_, _>>()? })
        }
        What::Group(_) if (level.as_str(), name.as_str()) == ("SOL_SOCKET", "SCM_CREDENTIALS") => {
            let mut fields = Fields::of(value, "{pid=own, uid=own, gid=own}")?;
            let mut of = |field| fields.want(field).and_then(who);
            let (pid, uid, gid) = (of("pid")?, of("uid")?, of("gid")?);
            fields.end(&["pid", "uid", "gid"])?;
            Ok(Control::Credentials { pid, uid, gid })
        }
        What::Number(_) => {
            let width = documented(name.as_str());
            Ok(Control::Int { level, value: number(value, "an int")?, width, name })
        }
        What::Cast(cast, inner) => {
            let width = WIDTHS.iter().find(|(known, _)| known == cast);
            let Some((_, width)) = width else {
                let fault = Fault::new(value.at.clone(), format!("{cast} is no width"));
                return Err(fault.nearest(cast, WIDTHS.map(|(known, _)| known)));
            };
            let value = i32::try_from(*inner).map_err(|_| not(value, "an int"))?;
            Ok(Control::Int { level, name, value, width: *width })
        }
        What::Group(info) if matches!(name.as_str(), "IP_PKTINFO" | "IPV6_PKTINFO") => {
            let [link, source] = &info[..] else {
                return Err(not(value, "{LINK, ADDRESS}"));
            };
            let link = match link.what {
                What::Number(0) => None,
                _ => Some(self::name(link, "0 or the name of a link")?),
            };
            let any = [IpAddr::from(Ipv4Addr::UNSPECIFIED), Ipv6Addr::UNSPECIFIED.into()];
            let source = host(source, None)?;
            let source = (!matches!(source, Host::Ip(ip) if any.contains(&ip))).then_some(source);
            Ok(Control::PktInfo { level, link, source })
        }
        _ => Err(not(value, "a number, bytes, or what such a message has")),
    }
}
