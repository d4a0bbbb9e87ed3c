//! What calls are given and write to: sockets, addresses, data and room for them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use harness::case::addr::{Addr, Host, Netlink, Packet, Port, Scope, Unix, UnixName, Vsock};
use harness::case::op::Who;
use harness::case::payload::quoted;
use harness::case::unix::BEFORE_PATH;
use harness::case::{Op, Os, Payload, vsock};
use harness::outcome::route_messages;

use super::headers::short;
use super::parts::Part;
use super::program::{Missing, Program};

/// The variable of the socket that the call is made on.
pub(super) fn fd(p: &Program<'_>, op: &Op) -> String {
    op.fd().map_or_else(|| "-1".to_owned(), |name| p.fd(name))
}

/// Room for an address that a call writes: the variable and that of its length.
pub(super) fn room(p: &mut Program<'_>, number: u32) -> (String, String) {
    let (at, len) = (format!("from{number}"), format!("len{number}"));
    p.line(format_args!("struct sockaddr_storage {at};"));
    p.line(format_args!("socklen_t {len} = sizeof {at};"));
    (at, len)
}

/// An address that the call reads: the pointer to it, and its length.
pub(super) fn address(
    p: &mut Program<'_>,
    number: u32,
    addr: &Addr,
) -> Result<(String, String), Missing> {
    address_as(p, &format!("addr{number}"), addr)
}

/// The same in a variable of this name.
pub(super) fn address_as(
    p: &mut Program<'_>,
    var: &str,
    addr: &Addr,
) -> Result<(String, String), Missing> {
    if let Some(unix) = addr.as_unix() {
        return self::unix(p, var, unix);
    }
    if let Some(packet) = addr.as_packet() {
        return self::packet(p, var, packet, &addr.scope);
    }
    match &addr.host {
        Host::Vsock(vsock) => return machine(p, var, vsock, &addr.port),
        Host::Netlink(netlink) => return process(p, var, netlink, &addr.port),
        _ => {}
    }
    p.include(&["arpa/inet.h", "netinet/in.h"]);
    let Some(ip) = p.case.lab.ip(&addr.host) else {
        return Err(Missing::Step(format!("the lab has no {:?}", addr.host)));
    };
    let own = if ip.is_ipv4() { "AF_INET" } else { "AF_INET6" };
    let family = match &addr.family {
        Some(name) => {
            let text = p.name(name)?;
            short(text, "sa_family_t", std::slice::from_ref(name), &["AF_", "PF_"])
        }
        None => own.to_owned(),
    };
    let sin = if ip.is_ipv4() { "sin" } else { "sin6" };
    let port = port(p, &addr.port);
    let scope = match &addr.scope {
        _ if ip.is_ipv4() => None,
        Scope::Zero => None,
        Scope::Link(link) => Some(p.index(link)),
        Scope::Id(id) => Some(id.to_string()),
    };
    p.line(format_args!("struct sockaddr_{} {var} = {{", &sin.replace("sin", "in")));
    p.line(format_args!("    .{sin}_family = {family},"));
    p.line(format_args!("    .{sin}_port = {port},"));
    if let Some(scope) = scope {
        p.line(format_args!("    .{sin}_scope_id = {scope},"));
    }
    p.line(format_args!("}};"));
    p.line(format_args!("inet_pton({own}, \"{ip}\", &{var}.{sin}_addr);"));
    Ok((format!("(struct sockaddr *)&{var}"), format!("sizeof {var}")))
}

/// The address of a Unix socket, which may be longer than a `struct sockaddr_un`.
fn unix(p: &mut Program<'_>, var: &str, unix: &Unix) -> Result<(String, String), Missing> {
    if matches!(unix.name, UnixName::Abstract(_)) && p.os != Os::Linux {
        return Err(Missing::Name("abstract names".to_owned()));
    }
    p.include(&["stddef.h", "string.h", "sys/socket.h", "sys/un.h"]);
    p.line(format_args!("struct sockaddr_storage {var} = {{.ss_family = AF_UNIX}};"));
    let path = unix.path();
    if !path.is_empty() {
        let at = format!("(char *)&{var} + offsetof(struct sockaddr_un, sun_path)");
        p.line(format_args!("memcpy({at}, {}, {});", quoted(&path), path.len()));
    }
    let begins = "offsetof(struct sockaddr_un, sun_path)";
    let len = match (unix.len, unix.length()) {
        (Some(len), _) => len.to_string(),
        (None, BEFORE_PATH) => begins.to_owned(),
        (None, len) => format!("{begins} + {}", len - BEFORE_PATH),
    };
    Ok((format!("(struct sockaddr *)&{var}"), len))
}

/// The address of a link, and of who is there.
fn packet(
    p: &mut Program<'_>,
    var: &str,
    packet: &Packet,
    scope: &Scope,
) -> Result<(String, String), Missing> {
    if p.os != Os::Linux {
        return Err(Missing::Name("AF_PACKET".to_owned()));
    }
    p.include(&["arpa/inet.h", "linux/if_packet.h"]);
    let mut members = vec![
        ("sll_family", "AF_PACKET".to_owned()),
        ("sll_protocol", format!("htons(0x{:04x})", packet.proto)),
    ];
    let index = match scope {
        Scope::Zero => None,
        Scope::Link(link) => Some(p.index(link)),
        Scope::Id(id) => Some(format!("{id}u")),
    };
    members.extend(index.map(|index| ("sll_ifindex", format!("(int){index}"))));
    if !packet.addr.0.is_empty() {
        let bytes: Vec<String> = packet.addr.0.iter().map(|b| format!("0x{b:02x}")).collect();
        members.push(("sll_halen", bytes.len().to_string()));
        members.push(("sll_addr", format!("{{{}}}", bytes.join(", "))));
    }
    of_linux(p, ("sockaddr_ll", var), &members, packet.len)
}

/// The number that a socket has for a port, where the address has none itself.
fn wide_port(p: &mut Program<'_>, own: Option<String>, port: &Port) -> String {
    match (own, port) {
        (None, Port::Of(socket)) => port_told(p, socket, (Part::WidePortOf, "wide_port_of")),
        (own, _) => own.unwrap_or_else(|| "0".to_owned()),
    }
}

/// A structure with these members, which only Linux has in this form, and its length if that is not its own.
fn of_linux(
    p: &mut Program<'_>,
    (kind, var): (&str, &str),
    members: &[(&str, String)],
    len: Option<u32>,
) -> Result<(String, String), Missing> {
    if p.os != Os::Linux {
        return Err(Missing::Step(format!("addresses such as struct {kind} are Linux's here")));
    }
    p.line(format_args!("struct {kind} {var} = {{"));
    for (member, value) in members {
        p.line(format_args!("    .{member} = {value},"));
    }
    p.line(format_args!("}};"));
    let size = len.map_or_else(|| format!("sizeof {var}"), |len| len.to_string());
    Ok((format!("(struct sockaddr *)&{var}"), size))
}

/// The address of a machine, and a port of it.
fn machine(
    p: &mut Program<'_>,
    var: &str,
    of: &Vsock,
    port: &Port,
) -> Result<(String, String), Missing> {
    // Headers of before 5.6 have no VMADDR_CID_LOCAL, and need those of sockets before them.
    p.include(&["arpa/inet.h", "linux/vm_sockets.h"]);
    let any = |number: u32, name: &str| {
        if number == vsock::ANY { name.to_owned() } else { format!("{number}u") }
    };
    let own = of.port.map(|port| any(port, "VMADDR_PORT_ANY"));
    let members = [
        ("svm_family", "AF_VSOCK".to_owned()),
        ("svm_port", wide_port(p, own, port)),
        ("svm_cid", any(of.cid, "VMADDR_CID_ANY")),
    ];
    of_linux(p, ("sockaddr_vm", var), &members, of.len)
}

/// The address of the kernel, or of a socket of netlink.
fn process(
    p: &mut Program<'_>,
    var: &str,
    of: &Netlink,
    port: &Port,
) -> Result<(String, String), Missing> {
    p.include(&["linux/netlink.h", "sys/types.h", "unistd.h"]);
    let own = of.pid.map(|pid| match pid {
        Who::Own => "(unsigned)getpid()".to_owned(),
        Who::Is(pid) => format!("{pid}u"),
    });
    let members = [
        ("nl_family", "AF_NETLINK".to_owned()),
        ("nl_pid", wide_port(p, own, port)),
        ("nl_groups", format!("{}u", of.groups)),
    ];
    of_linux(p, ("sockaddr_nl", var), &members, of.len)
}

/// Shows what a call received, where it lies and how much room there was.
pub(super) fn received(p: &mut Program<'_>, op: &Op, at: &str, size: &str) {
    let fd = op.fd().unwrap_or_default();
    let (part, function) = match route_messages(p.case, fd, b"") {
        Some(_) => (Part::RouteMessages, "route_messages"),
        None => (Part::Data, "data"),
    };
    p.need(part);
    p.line(format_args!("{function}({at}, {size}, ret);"));
}

/// The port of a socket, by this function; that of a closed one is in a variable.
fn port_told(p: &mut Program<'_>, socket: &str, (part, function): (Part, &str)) -> String {
    if let Some(port) = p.ports.get(socket) {
        return port.clone();
    }
    p.need(part);
    format!("{function}({})", p.fd(socket))
}

/// A port in network order.
pub(super) fn port(p: &mut Program<'_>, port: &Port) -> String {
    match port {
        Port::Is(port) => format!("htons({port})"),
        Port::Of(socket) => port_told(p, socket, (Part::PortOf, "port_of")),
    }
}

/// Keeps the port of a socket that is about to be closed, since a later step gives it: the variable that has it.
pub(super) fn keep_port(p: &mut Program<'_>, number: u32, later: &Op, fd: &str) -> String {
    let (kept, socket) = (format!("port{number}"), p.fd(fd));
    let of_this = later.addrs().find(|addr| matches!(&addr.port, Port::Of(of) if of == fd));
    let is_wide = of_this.is_some_and(|a| matches!(a.host, Host::Vsock(_) | Host::Netlink(_)));
    let (part, of, kind) = if is_wide {
        (Part::WidePortOf, "wide_port_of", "unsigned")
    } else {
        (Part::PortOf, "port_of", "in_port_t")
    };
    p.need(part);
    let kind = if p.is_threaded() {
        p.shared.push(format!("{kind} {kept}"));
        String::new()
    } else {
        format!("{kind} ")
    };
    p.line(format_args!("{kind}{kept} = {of}({socket});"));
    kept
}

/// What a call sends: the pointer to it, and its length.
pub(super) fn payload(p: &mut Program<'_>, number: u32, data: &Payload) -> (String, String) {
    payload_as(p, &format!("data{number}"), data)
}

/// The same, in a variable of this name if it needs one.
pub(super) fn payload_as(p: &mut Program<'_>, var: &str, data: &Payload) -> (String, String) {
    match data {
        Payload::Pattern(len) if *len > 0 => {
            p.need(Part::Pattern);
            p.line(format_args!("static unsigned char {var}[{len}];"));
            p.line(format_args!("pattern({var}, sizeof {var});"));
            (var.to_owned(), format!("sizeof {var}"))
        }
        Payload::Pattern(_) | Payload::Text(_) | Payload::Parts(_) => {
            let bytes = data.bytes();
            // The literal ends with a NUL of its own.
            let literal = quoted(bytes.strip_suffix(b"\0").unwrap_or(&bytes));
            (literal, bytes.len().to_string())
        }
    }
}

/// Room for data that a call writes: the variable, and its size as an expression.
pub(super) fn buffer(p: &mut Program<'_>, number: u32, len: u32) -> (String, String) {
    let var = format!("buffer{number}");
    // Zero bytes of room have no array in C.
    p.line(format_args!("static unsigned char {var}[{}];", len.max(1)));
    let size = if len == 0 { "0".to_owned() } else { format!("sizeof {var}") };
    (var, size)
}

/// The host's address as IPv4 has it; none is the wildcard.
pub(super) fn v4(p: &Program<'_>, host: Option<&Host>) -> Result<Ipv4Addr, Missing> {
    Ok(match ip(p, host)? {
        None => Ipv4Addr::UNSPECIFIED,
        Some(IpAddr::V4(ip)) => ip,
        Some(IpAddr::V6(ip)) => ip.to_ipv4_mapped().unwrap_or(Ipv4Addr::UNSPECIFIED),
    })
}

/// The same as IPv6 has it.
pub(super) fn v6(p: &Program<'_>, host: Option<&Host>) -> Result<Ipv6Addr, Missing> {
    Ok(match ip(p, host)? {
        None => Ipv6Addr::UNSPECIFIED,
        Some(IpAddr::V4(ip)) => ip.to_ipv6_mapped(),
        Some(IpAddr::V6(ip)) => ip,
    })
}

/// The host's address, if one is named.
fn ip(p: &Program<'_>, host: Option<&Host>) -> Result<Option<IpAddr>, Missing> {
    let Some(host) = host else { return Ok(None) };
    let ip = p.case.lab.ip(host);
    ip.map(Some).ok_or_else(|| Missing::Step(format!("the lab has no {host:?}")))
}
