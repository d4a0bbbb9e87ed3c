//! Socket addresses: `{AF_INET6 [neighbour(tap0,ll)%tap0]:9}`.

use std::net::{IpAddr, Ipv4Addr};

use harness::case::addr::{
    Addr, Host, Netlink, Packet, Port, Range, Role, Scope, Unix, UnixName, Vsock,
};
use harness::case::op::Who;
use harness::case::{Hex, Sym, vsock};

use super::args::{name, not, number, sym};
use crate::fault::Fault;
use crate::tree::{Node, What};

const ROLES: [(&str, Role); 4] = [
    ("own", Role::Own),
    ("neighbour", Role::Neighbour),
    ("unresolved", Role::Unresolved),
    ("silent", Role::Silent),
];

const RANGES: [Range; 3] = [Range::Ll, Range::V6, Range::V4];

/// The family that an address has by itself.
fn natural(host: &Host) -> &'static str {
    match host {
        Host::Ip(IpAddr::V4(_)) | Host::On { range: Range::V4, .. } => "AF_INET",
        Host::Ip(IpAddr::V6(_)) | Host::On { .. } => "AF_INET6",
        Host::Unix(_) => "AF_UNIX",
        Host::Packet(_) => "AF_PACKET",
        Host::Vsock(_) => "AF_VSOCK",
        Host::Netlink(_) => "AF_NETLINK",
    }
}

/// Who it is, `own(link0,ll)`; of which range is not said where it is this one.
pub(crate) fn print_host(host: &Host, plain: Option<Range>) -> String {
    match host {
        Host::Ip(ip) => ip.to_string(),
        Host::Unix(unix) => unix.to_string(),
        Host::Packet(packet) => packet.text(None),
        Host::Vsock(vsock) => vsock.to_string(),
        Host::Netlink(netlink) => netlink.to_string(),
        Host::On { link, role, range } => {
            let role = ROLES.iter().find(|(_, known)| known == role).map_or("own", |(r, _)| r);
            if plain == Some(*range) {
                format!("{role}({link})")
            } else {
                format!("{role}({link},{})", range.name())
            }
        }
    }
}

pub(crate) fn print(addr: &Addr) -> String {
    if let Some(unix) = addr.as_unix() {
        return unix.to_string();
    }
    if let Some(packet) = addr.as_packet() {
        let link = match &addr.scope {
            Scope::Zero => None,
            Scope::Link(link) => Some(link.clone()),
            Scope::Id(id) => Some(id.to_string()),
        };
        return packet.text(link.as_deref());
    }
    let of_socket = match &addr.port {
        Port::Is(port) => port.to_string(),
        Port::Of(socket) => format!("port({socket})"),
    };
    match &addr.host {
        Host::Vsock(vsock) => return vsock.text(&of_socket),
        Host::Netlink(netlink) => return netlink.text(&of_socket),
        _ => {}
    }
    let natural = natural(&addr.host);
    let family = addr.family.as_ref().map_or(natural, Sym::as_str);
    let plain = if harness::case::plain(family) == "AF_INET" { Some(Range::V4) } else { None };
    let zone = match &addr.scope {
        Scope::Zero => String::new(),
        Scope::Link(link) => format!("%{link}"),
        Scope::Id(id) => format!("%{id}"),
    };
    let port = of_socket;
    let host = print_host(&addr.host, plain);
    if natural == "AF_INET" {
        format!("{{{family} {host}{zone}:{port}}}")
    } else {
        format!("{{{family} [{host}{zone}]:{port}}}")
    }
}

/// Somebody in the lab, or an address as written. `plain` is the range where none is said.
pub(crate) fn host(node: &Node<'_>, plain: Option<Range>) -> Result<Host, Fault> {
    let (role, within) = match &node.what {
        What::Ip(ip) => return Ok(Host::Ip(*ip)),
        What::Apply(role, within) => (*role, within),
        _ => return Err(not(node, "an address, or somebody such as neighbour(link0)")),
    };
    let role = if role == "neighbor" { "neighbour" } else { role };
    let known = ROLES.iter().find(|(known, _)| *known == role);
    let Some((_, role)) = known else {
        let fault = Fault::new(node.at.clone(), format!("nobody in a lab is called {role}"));
        return Err(fault.nearest(role, ROLES.map(|(known, _)| known)));
    };
    let (link, range) = match &within[..] {
        [link] => (link, None),
        [link, range] => (link, Some(range)),
        _ => return Err(Fault::new(node.at.clone(), "a link is wanted here, as in own(link0)")),
    };
    let range = match range {
        Some(node) => {
            let word = name(node, "ll, v6 or v4")?;
            let found = RANGES.into_iter().find(|range| range.name() == word);
            found.ok_or_else(|| not(node, "ll, v6 or v4"))?
        }
        None => plain.ok_or_else(|| {
            Fault::new(node.at.clone(), "which of its addresses is not clear")
                .help("add ll, v6 or v4, as in own(link0,v6)")
        })?,
    };
    Ok(Host::On { link: name(link, "the name of a link")?, role: *role, range })
}

/// A number, or `port(s)`.
pub(crate) fn port(node: &Node<'_>) -> Result<Port, Fault> {
    Ok(match &node.what {
        What::Apply("port", of) if of.len() == 1 => Port::Of(name(&of[0], "the name of a socket")?),
        _ => Port::Is(number(node, "a port, or port(SOCKET),")?),
    })
}

/// What stands behind `AF_UNIX`: `"s.sock"`, `@"name"`, or nothing, each with the address's length if that is another.
fn unix(whole: &Node<'_>, words: &[Node<'_>]) -> Result<Unix, Fault> {
    const LIKE: &str =
        "a Unix socket's address such as {AF_UNIX \"s.sock\"} or {AF_UNIX @\"name\"}";
    let plain = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (name, rest) = match words {
        [Node { what: What::Text(name), .. }, rest @ ..] => (UnixName::Path(plain(name)), rest),
        [Node { what: What::Apply("@", of), .. }, rest @ ..] => match &of[..] {
            [Node { what: What::Text(name), .. }] => (UnixName::Abstract(plain(name)), rest),
            _ => return Err(not(&words[0], "an abstract name such as @\"name\"")),
        },
        rest => (UnixName::Unnamed, rest),
    };
    let len = match rest {
        [] => None,
        [word, len] if word.what == What::Word("length") => Some(number(len, "a length")?),
        _ => return Err(not(whole, LIKE)),
    };
    let unix = Unix { name, len };
    unix.check().map_err(|says| Fault::new(whole.at.clone(), says))?;
    Ok(unix)
}

/// What stands behind `AF_PACKET`: `0x0800 dev net0 addr 0x020000000102 length 20`, all but the protocol if it is said.
fn packet(whole: &Node<'_>, words: &[Node<'_>]) -> Result<Addr, Fault> {
    const LIKE: &str = "an address such as {AF_PACKET 0x0800 dev net0 addr 0x020000000002}";
    let [first, rest @ ..] = words else { return Err(not(whole, LIKE)) };
    let What::Hex(proto) = &first.what else { return Err(not(first, "a protocol such as 0x0800")) };
    let &[high, low] = &proto[..] else { return Err(not(first, "two bytes of protocol")) };
    let (mut scope, mut addr, mut len, mut rest) = (Scope::Zero, Hex::default(), None, rest);
    if let [word, link, more @ ..] = rest
        && word.what == What::Word("dev")
    {
        scope = match link.what {
            What::Number(_) => Scope::Id(number(link, "an index")?),
            _ => Scope::Link(name(link, "the name of a link, or an index,")?),
        };
        rest = more;
    }
    if let [word, Node { what: What::Hex(bytes), .. }, more @ ..] = rest
        && word.what == What::Word("addr")
    {
        (addr, rest) = (Hex(bytes.clone()), more);
    }
    if let [word, bytes, more @ ..] = rest
        && word.what == What::Word("length")
    {
        (len, rest) = (Some(number(bytes, "a length")?), more);
    }
    if let [left, ..] = rest {
        return Err(not(left, "dev, addr or length, in this order and with a value each,"));
    }
    let packet = Packet { proto: u16::from_be_bytes([high, low]), addr, len };
    packet.check().map_err(|says| Fault::new(whole.at.clone(), says))?;
    Ok(Addr { host: Host::Packet(packet), port: Port::Is(0), scope, family: None })
}

/// What is wrong with an address stands where it is; whose number it has is a socket's, or its own.
fn wide(host: Host, of_socket: Option<Port>) -> Addr {
    Addr { host, port: of_socket.unwrap_or(Port::Is(0)), scope: Scope::Zero, family: None }
}

/// `length 8` at the end.
fn length(whole: &Node<'_>, words: &[Node<'_>], like: &str) -> Result<Option<u32>, Fault> {
    match words {
        [] => Ok(None),
        [word, len] if word.what == What::Word("length") => Ok(Some(number(len, "a length")?)),
        _ => Err(not(whole, like)),
    }
}

/// `port(s)`, of what has a number of its own otherwise.
fn of_socket(node: &Node<'_>) -> Result<Option<Port>, Fault> {
    match &node.what {
        What::Apply("port", of) if of.len() == 1 => {
            Ok(Some(Port::Of(name(&of[0], "the name of a socket")?)))
        }
        _ => Ok(None),
    }
}

/// What stands behind `AF_VSOCK`: `VMADDR_CID_LOCAL:70000 length 16`.
fn vsock(whole: &Node<'_>, words: &[Node<'_>]) -> Result<Addr, Fault> {
    const LIKE: &str = "an address such as {AF_VSOCK VMADDR_CID_LOCAL:port(s)}";
    let [Node { what: What::Port(cid, port), .. }, rest @ ..] = words else {
        return Err(not(whole, LIKE));
    };
    let cid = match cid.what {
        What::Word(word) => vsock::cid(word).ok_or_else(|| {
            let fault = Fault::new(cid.at.clone(), format!("no machine is called {word}"));
            fault.nearest(word, vsock::cids())
        })?,
        _ => number(cid, "a machine")?,
    };
    let of = of_socket(port)?;
    let port = match (&port.what, &of) {
        (_, Some(_)) => None,
        (What::Word(word), None) => {
            Some(vsock::port(word).ok_or_else(|| not(port, "a port, or VMADDR_PORT_ANY,"))?)
        }
        _ => Some(number(port, "a port")?),
    };
    let host = Host::Vsock(Vsock { cid, port, len: length(whole, rest, LIKE)? });
    Ok(wide(host, of))
}

/// What stands behind `AF_NETLINK`: `pid own groups 1 length 12`.
fn netlink(whole: &Node<'_>, words: &[Node<'_>]) -> Result<Addr, Fault> {
    const LIKE: &str = "an address such as {AF_NETLINK pid 0 groups 0}";
    let [pid_word, pid, groups_word, groups, rest @ ..] = words else {
        return Err(not(whole, LIKE));
    };
    if pid_word.what != What::Word("pid") || groups_word.what != What::Word("groups") {
        return Err(not(whole, LIKE));
    }
    let of = of_socket(pid)?;
    let pid = match (&pid.what, &of) {
        (_, Some(_)) => None,
        (What::Word("own"), None) => Some(Who::Own),
        _ => Some(Who::Is(number(pid, "own, a process, or port(SOCKET),")?)),
    };
    let (groups, len) = (number(groups, "groups")?, length(whole, rest, LIKE)?);
    Ok(wide(Host::Netlink(Netlink { pid, groups, len }), of))
}

pub(crate) fn read(node: &Node<'_>) -> Result<Addr, Fault> {
    const LIKE: &str = "an address such as {AF_INET 192.0.2.1:9}";
    let What::Group(within) = &node.what else { return Err(not(node, LIKE)) };
    let [only] = &within[..] else { return Err(not(node, LIKE)) };
    if only.what == What::Word("AF_UNSPEC") {
        let any = Host::Ip(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let (port, scope, family) = (Port::Is(0), Scope::Zero, Some(sym(only)?));
        return Ok(Addr { host: any, port, scope, family });
    }
    let words = match &only.what {
        What::Beside(words) => &words[..],
        _ => std::slice::from_ref(only),
    };
    // An address of IP that says of itself that it is another's is one of IP all the same.
    let is_of_ip = match words {
        [_, Node { what: What::Port(of, _), .. }] => {
            !matches!(of.what, What::Word(_) | What::Number(_))
        }
        _ => false,
    };
    if let ([Node { what: What::Word("AF_VSOCK"), .. }, rest @ ..], false) = (words, is_of_ip) {
        return vsock(only, rest);
    }
    if let ([Node { what: What::Word("AF_NETLINK"), .. }, rest @ ..], false) = (words, is_of_ip) {
        return netlink(only, rest);
    }
    if let ([family, rest @ ..], false) = (words, is_of_ip)
        && matches!(family.what, What::Word(word) if harness::case::plain(word) == "AF_UNIX")
    {
        return unix(only, rest).map(Addr::unix);
    }
    if let ([family, rest @ ..], false) = (words, is_of_ip)
        && family.what == What::Word("AF_PACKET")
    {
        return packet(only, rest);
    }
    let [family, rest] = words else { return Err(not(only, LIKE)) };
    let family = sym(family)?;
    let What::Port(whole, port) = &rest.what else {
        let fault = not(rest, "an address and its port");
        return Err(fault.help("an IPv6 address stands in brackets, as in [::1]:9"));
    };
    let within = match &whole.what {
        What::List(within) if within.len() == 1 => &within[0],
        _ => whole,
    };
    let (at, zone) = match &within.what {
        What::Zone(at, zone) => (&**at, Some(*zone)),
        _ => (within, None),
    };
    let plain = match family.plain() {
        "AF_INET" => Some(Range::V4),
        "AF_INET6" => Some(Range::V6),
        _ => None,
    };
    let host = host(at, plain)?;
    let scope = match zone {
        None => Scope::Zero,
        Some(zone) => zone.parse().map_or_else(|_| Scope::Link(zone.to_owned()), Scope::Id),
    };
    let port = self::port(port)?;
    let family = (family.as_str() != natural(&host)).then_some(family);
    Ok(Addr { host, port, scope, family })
}
