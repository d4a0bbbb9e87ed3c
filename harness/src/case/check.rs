//! What of a case is let in: it may come from a stranger, and its names go into C and into commands.

mod constants;
mod requests;

pub(super) use constants::names;
pub(super) use requests::request;

use rustc_hash::FxHashMap;

use super::addr::{Addr, Host, Port, Scope, Unix};
use super::op::{Code, Control, Index, Opt, Value, Who};
use super::{Case, Hex, Lab, Op, Sym};

/// Labels of 1 to 63 bytes, 253 in all (RFC 1035 §2.3.4).
pub(super) fn is_name(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(|label| (1..=63).contains(&label.len()))
}

/// `IFNAMSIZ` without its end.
pub(super) const MOST_OF_LINK: usize = 15;
/// As many characters as C compilers have to tell apart (C11 §5.2.4.1).
pub(super) const MOST_OF_SOCKET: usize = 31;

/// What stands for a pointer where a call is written out.
const POINTERS: [&str; 3] = ["BAD", "NULL", "ROOM"];

/// Whether a socket may be called so: else `recv(BAD, …)` would be read as another call.
pub(super) fn is_socket(name: &str) -> bool {
    is_word(name, MOST_OF_SOCKET) && !POINTERS.contains(&name)
}

/// The interfaces that a module makes in every network, the host's among them, when one asks for it by its name
/// (`MODULE_ALIAS_NETDEV` of Linux's `net/ipv4` and `net/ipv6`).
const OF_A_MODULE: [&str; 9] =
    ["erspan0", "gre0", "gretap0", "ip6_vti0", "ip6gre0", "ip6tnl0", "ip_vti0", "sit0", "tunl0"];

/// Whether looking for a link of this name makes one, an alias of it, too (`net/core/dev_ioctl.c` `dev_ioctl` cuts the
/// name at the colon before `dev_load`).
fn is_of_a_module(name: &str) -> bool {
    name.split(':').next().is_some_and(|name| OF_A_MODULE.contains(&name))
}

/// Whether a link may be called so.
pub(super) fn is_link(name: &str) -> bool {
    is_word(name, MOST_OF_LINK) && !is_of_a_module(name)
}

/// Whether it is an identifier of C.
pub(super) fn is_word(name: &str, most: usize) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.len() <= most
        && name.starts_with(is_letter)
        && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}

/// How many bytes a call may write or be given: the executor has as many. No datagram has a tenth.
pub const MOST_BYTES: u64 = 1 << 20;
/// And how many all calls of a case, which are told, or lie in buffers of the kernel's, until it ends.
const MOST_OF_CASE: u64 = 64 << 20;

/// The families whose addresses a case can write, and of which it may have any message. By a socket of another but
/// those of [`is_of_links`] it may ask, and not speak: what is sent on `AF_ROUTE` or `AF_KEY` is for a kernel.
const SPOKEN: [&str; 5] = ["AF_INET", "AF_INET6", "AF_UNIX", "AF_UNSPEC", A_FILE];

/// What stands for the family of a file, which is none.
const A_FILE: &str = "a file";

/// Whether the call gives the socket an address, opens it to others, or sends; or asks for something of its
/// family's own, such as rings of gigabytes (packet(7), `PACKET_RX_RING`).
fn speaks(op: &Op) -> bool {
    let asks_for = match op {
        Op::Setsockopt { option: Opt::Raw { level, .. }, value, .. } => {
            let has_rings = ["SOL_PACKET", "SOL_XDP"].contains(&level.as_str());
            has_rings || level.as_str() != "SOL_SOCKET" && matches!(value, Value::Bytes(_))
        }
        _ => false,
    };
    // With a pointer nobody knows what it says.
    matches!(
        op,
        Op::Raw { .. }
            | Op::Bind { .. }
            | Op::Connect { .. }
            | Op::Listen { .. }
            | Op::Connectx { .. }
    ) || asks_for
        || matches!(op, Op::Sendfile { .. } | Op::Splice { .. })
        || !op.payloads().is_empty()
}

impl Op {
    /// The socket by which it speaks, if it does: of `splice` the one that it writes to.
    pub(crate) fn speaker(&self) -> Option<&str> {
        let by = if let Self::Splice { to, .. } = self { Some(to.as_str()) } else { self.fd() };
        by.filter(|_| speaks(self))
    }
}

/// Whether a constant is a family, which the number of a name does not tell: `SO_DEBUG` is `AF_UNIX`, too. One that goes
/// by number has no name, and so no addresses here.
fn is_a_family(name: &Sym) -> bool {
    name.number().is_some() || name.as_str().starts_with("AF_") || name.as_str().starts_with("PF_")
}

/// That a family is one: else what is said of it by name would not hold by number.
fn families(op: &Op) -> Result<(), String> {
    let made = match op {
        Op::Socket { domain, .. } | Op::Socketpair { domain, .. } => Some(domain),
        _ => None,
    };
    if matches!(op, Op::Getnameinfo { .. }) && op.addrs().any(is_a_path) {
        return Err("getnameinfo: it takes no address of AF_UNIX".to_owned());
    }
    let given = op.addrs().filter_map(|addr| addr.family.as_ref());
    let given = given.filter(|family| family.number().is_none() || !is_a_family(family));
    match made.into_iter().chain(given).find(|family| !is_a_family(family)) {
        Some(family) => Err(format!("{}: {family} is no family", op.call())),
        None => Ok(()),
    }
}

/// Whether an address is one of `AF_UNIX`. To a socket of that family its bytes are a path, which is the host's and
/// no network's: it would make files there, and reach whoever listens.
fn is_a_path(addr: &Addr) -> bool {
    addr.family.as_ref().is_some_and(|family| family.plain() == "AF_UNIX")
}

/// That an address is one, and of a link of the lab's if it is of a link.
pub(super) fn address(op: &Op, addr: &Addr, lab: &Lab) -> Result<(), String> {
    let call = op.call();
    match &addr.host {
        Host::Unix(unix) => self::unix(op, addr, unix),
        Host::Packet(packet) => {
            packet.check().map_err(|e| format!("{call}: {e}"))?;
            if addr.port != Port::Is(0) || addr.family.is_some() {
                return Err(format!("{call}: an address of AF_PACKET has no port"));
            }
            if matches!(op, Op::Getnameinfo { .. } | Op::Connectx { .. } | Op::SendmsgX { .. }) {
                return Err(format!("{call}: it takes no address of AF_PACKET"));
            }
            Ok(())
        }
        Host::Vsock(vsock) => {
            vsock.check(matches!(op, Op::Bind { .. })).map_err(|e| format!("{call}: {e}"))?;
            plain(op, addr, "AF_VSOCK", vsock.port.is_none())
        }
        Host::Netlink(netlink) => {
            netlink.check(matches!(op, Op::Bind { .. })).map_err(|e| format!("{call}: {e}"))?;
            plain(op, addr, "AF_NETLINK", netlink.pid.is_none())
        }
        Host::On { link, .. } if lab.ip(&addr.host).is_none() => {
            Err(format!("{call}: the lab has no link {link:?}"))
        }
        Host::On { .. } | Host::Ip(_) => Ok(()),
    }
}

/// That an address has no more than one of its family has, and its number by itself or from a socket.
fn plain(op: &Op, addr: &Addr, family: &str, of_socket: bool) -> Result<(), String> {
    let call = op.call();
    let is_whole = match &addr.port {
        Port::Of(_) => of_socket,
        Port::Is(port) => !of_socket && *port == 0,
    };
    if !is_whole || addr.scope != Scope::Zero || addr.family.is_some() {
        return Err(format!("{call}: an address of {family} has one number, and no scope"));
    }
    if matches!(op, Op::Getnameinfo { .. } | Op::Connectx { .. } | Op::SendmsgX { .. }) {
        return Err(format!("{call}: it takes no address of {family}"));
    }
    Ok(())
}

/// What a packet socket may do beside being made and asked: have an address, send, and be told a number. Neither have
/// rings, which take memory, nor be given what is written out, whose pointers nobody knows. So may sockets of
/// `AF_VSOCK` and `AF_NETLINK`.
pub(crate) fn is_of_links(op: &Op) -> bool {
    match op {
        Op::Setsockopt { value, .. } => matches!(value, Value::Int(_) | Value::Named(_)),
        Op::Sendmsg { .. } | Op::Sendmmsg { .. } => op.controls().is_empty(),
        Op::Bind { .. }
        | Op::Connect { .. }
        | Op::Listen { .. }
        | Op::Send { .. }
        | Op::Sendto { .. }
        | Op::Write { .. }
        | Op::Writev { .. } => true,
        _ => false,
    }
}

/// Whether the call puts a packet socket into a group (packet(7), `PACKET_FANOUT`) by no more than its structure.
pub(crate) fn is_fanout(op: &Op) -> bool {
    let Op::Setsockopt { option: Opt::Raw { level, name }, value: Value::Bytes(bytes), .. } = op
    else {
        return false;
    };
    (level.as_str(), name.as_str()) == super::packet::FANOUT_OPTION
        && bytes.0.len() <= super::packet::FANOUT
}

/// That an address of `AF_UNIX` is one and no more, of a call that gives it to a socket: `getnameinfo` tells the
/// host's own name of it, and Darwin's have no use of it.
fn unix(op: &Op, addr: &Addr, unix: &Unix) -> Result<(), String> {
    let call = op.call();
    unix.check().map_err(|e| format!("{call}: {e}"))?;
    if addr.port != Port::Is(0) || addr.scope != Scope::Zero || addr.family.is_some() {
        return Err(format!("{call}: a Unix socket has neither a port nor a scope"));
    }
    if matches!(op, Op::Getnameinfo { .. } | Op::Connectx { .. } | Op::SendmsgX { .. }) {
        return Err(format!("{call}: it takes no address of AF_UNIX"));
    }
    Ok(())
}

/// The most bytes of a control message: as many as the buffers of all may have (`net.core.optmem_max`).
const MOST_OF_CONTROL: usize = 1 << 17;

/// That the control messages are such as a case may send: what is a link's or a descriptor goes by name, since its
/// number would be one of the host's, or of the executor's.
pub(super) fn controls(op: &Op) -> Result<(), String> {
    let call = if let Op::Sendmmsg { .. } = op { "sendmmsg" } else { "sendmsg" };
    if let Op::Sendmmsg { data, control, .. } = op
        && !control.is_empty()
        && (control.len() != data.len() || control.iter().all(Vec::is_empty))
    {
        return Err("sendmmsg: each message has its control messages, or none has any".to_owned());
    }
    for one in op.controls() {
        if !one.fits() {
            return Err(format!(
                "{call}: a control message is 1, 2, 4 or 8 bytes wide, and its number fits"
            ));
        }
        match one {
            Control::Rights { fds } if fds.is_empty() => {
                return Err(format!("{call}: no descriptors are sent as 0 bytes"));
            }
            Control::PktInfo { source: Some(source), .. }
                if !matches!(source, Host::Ip(_) | Host::On { .. }) =>
            {
                return Err(format!("{call}: a Unix socket is no source of IP"));
            }
            Control::Bytes { data, .. } if data.0.len() > MOST_OF_CONTROL => {
                return Err(format!("{call}: a control message of {} bytes", data.0.len()));
            }
            Control::Bytes { level, kind, data } if names_a_number(level, kind, data) => {
                return Err(format!("{call}: {level}, {kind} has a number that goes by name"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether the bytes are descriptors, or a link's index: those of a level that goes by number are Linux's and Darwin's.
fn names_a_number(level: &Code, kind: &Code, data: &Hex) -> bool {
    const RIGHTS: i32 = 1;
    let is = |code: &Code, names: &[&str], numbers: &[i32]| match code {
        Code::Name(name) => names.contains(&name.plain()),
        Code::Number(number) => numbers.contains(number),
    };
    let socket = is(level, &["SOL_SOCKET"], &[1, 0xffff]);
    let rights = socket && is(kind, &["SCM_RIGHTS"], &[RIGHTS]);
    let v4 = is(level, &["IPPROTO_IP", "SOL_IP"], &[0]) && is(kind, &["IP_PKTINFO"], &[8, 26]);
    let v6 = is(level, &["IPPROTO_IPV6", "SOL_IPV6"], &[41])
        && is(kind, &["IPV6_PKTINFO", "IPV6_2292PKTINFO"], &[2, 19, 46, 50]);
    // Too short for one it is refused by every kernel.
    (rights && data.0.len() >= 4) || v4 || v6
}

/// The families that each name ever had, each once.
type Known<'o> = FxHashMap<&'o str, Vec<&'o str>>;

/// How long a case may ask to wait in all, beside what a program of the user's takes.
const LONGEST_MS: u32 = 600_000;

/// That it is over some day, and is allowed what it asks for ([`made`]).
pub(super) fn has_an_end(case: &Case) -> Result<(), String> {
    let own = case.ops.iter().filter(|op| !matches!(op, Op::Run { .. }));
    let waits = own.map(|op| case.step_waits_ms(op)).fold(case.window_ms, u32::saturating_add);
    if waits > LONGEST_MS {
        return Err(format!("it asks to wait for {waits} ms, more than {LONGEST_MS}"));
    }
    super::unix::folders(&case.ops)?;
    requests::owners(&case.ops)?;
    made(&case.ops)
}

/// That each socket is made before it is used, and speaks only a family of which a case has addresses; and that
/// neither a file nor what is told of the case grows without end.
///
/// A name counts with every family that it ever had: which of them it has when a step is taken, only the kernel
/// knows, since a call that should have made it anew may have failed.
fn made(ops: &[Op]) -> Result<(), String> {
    let mut known = Known::default();
    let (mut all, mut in_files) = (0u64, 0u64);
    for op in ops {
        families(op)?;
        for name in op.uses() {
            used(op, name, known.get(name))?;
            let of_machines = known.get(name).is_some_and(|had| had.contains(&"AF_VSOCK"));
            if of_machines && matches!(op, Op::Listen { .. }) {
                super::vsock::listens(ops)?;
            }
        }
        all = all.saturating_add(room(op));
        if all > MOST_OF_CASE {
            return Err(format!("its calls ask room for more than {MOST_OF_CASE} bytes"));
        }
        let is_file = |name: &str| known.get(name).is_some_and(|had| had.contains(&A_FILE));
        if matches!(op, Op::File { .. }) || op.speaker().is_some_and(is_file) {
            in_files = in_files.saturating_add(room(op));
        }
        if in_files > MOST_BYTES {
            return Err(format!("{}: more than {MOST_BYTES} bytes go into files", op.call()));
        }
        makes(op, &mut known);
    }
    Ok(())
}

/// That a step may use this name, which had these families.
fn used(op: &Op, name: &str, families: Option<&Vec<&str>>) -> Result<(), String> {
    let call = op.call();
    let Some(families) = families else {
        let what = if matches!(op, Op::Lab { .. }) { "a frame" } else { call };
        return Err(format!("{what}: no step before this one makes a socket {name:?}"));
    };
    if families.contains(&"AF_UNIX") && op.addrs().any(is_a_path) {
        return Err(format!("{call}: a case cannot name a Unix socket: its path is the host's"));
    }
    let is_of_links = is_of_links(op);
    let is_spoken = |family: &str| {
        SPOKEN.contains(&family)
            || OF_LINKS.contains(&family) && is_of_links
            || family == "AF_PACKET" && is_fanout(op)
    };
    let mute = families.iter().find(|family| !is_spoken(family));
    if let (true, Some(family)) = (op.speaker() == Some(name), mute) {
        let more = if OF_LINKS.contains(family) {
            ", have send, by no control messages, and give numbers"
        } else {
            ""
        };
        let family = match *family {
            "AF_NETLINK" => {
                "AF_NETLINK of another protocol than NETLINK_ROUTE and NETLINK_USERSOCK"
            }
            family => family,
        };
        return Err(format!(
            "{call}: {name} is a socket of {family}, which a case may make and ask{more}, and no more"
        ));
    }
    if op.fd() != Some(name) {
        return Ok(());
    }
    for family in ["AF_VSOCK", "AF_NETLINK"] {
        let is_one = families.iter().any(|had| had.starts_with(family));
        if is_one && op.addrs().any(|addr| super::vsock::is_disguised(addr, family)) {
            return Err(format!(
                "{call}: {name} is a socket of {family}, whose addresses have its form"
            ));
        }
    }
    if !families.contains(&super::netlink::ROUTE) {
        return Ok(());
    }
    let is_own = |addr: &Addr| addr.as_netlink().is_some_and(|of| of.pid == Some(Who::Own));
    if op.addrs().any(is_own) {
        return Err(format!("{call}: by NETLINK_ROUTE pid own is the executor's"));
    }
    super::netlink::asks(op)
}

/// The families whose sockets may do what [`is_of_links`] says.
const OF_LINKS: [&str; 4] =
    ["AF_PACKET", "AF_VSOCK", super::netlink::ROUTE, super::netlink::USERSOCK];

/// Takes down what a step makes.
fn makes<'o>(op: &'o Op, known: &mut Known<'o>) {
    let made = op.makes();
    if made.is_empty() {
        return;
    }
    let families = match op {
        // The obsolete way to a packet socket (packet(7), COMPATIBILITY): the family is passed over.
        Op::Socket { r#type, .. } if r#type.has("SOCK_PACKET") => {
            vec!["AF_PACKET, obsolete (SOCK_PACKET)"]
        }
        // By whatever address, they are sent to a hypervisor (vmci).
        Op::Socket { domain, r#type, .. }
            if domain.plain() == "AF_VSOCK" && r#type.has("SOCK_DGRAM") =>
        {
            vec!["AF_VSOCK, SOCK_DGRAM"]
        }
        Op::Socket { domain, protocol, .. } if domain.plain() == "AF_NETLINK" => {
            vec![super::netlink::family(protocol)]
        }
        Op::Socket { domain, .. } | Op::Socketpair { domain, .. } => vec![domain.plain()],
        Op::Accept { fd, .. } | Op::Accept4 { fd, .. } | Op::Dup { fd, .. } => {
            known.get(fd.as_str()).cloned().unwrap_or_default()
        }
        Op::File { .. } => vec![A_FILE],
        _ => vec!["AF_UNSPEC"],
    };
    for name in made {
        let had = known.entry(name).or_default();
        for family in &families {
            if !had.contains(family) {
                had.push(family);
            }
        }
    }
}

/// The options whose structure holds a pointer (socket(7), `struct sock_fprog`).
const WITH_A_POINTER: [&str; 2] = ["SO_ATTACH_FILTER", "SO_ATTACH_REUSEPORT_CBPF"];

/// That a descriptor which a call gives can be closed, `SO_PEERPIDFD` making one whatever room it is given, and that
/// what an option is set to is a host of a link's.
pub(super) fn whole(op: &Op) -> Result<(), String> {
    match op {
        Op::Getsockopt { option: Opt::Raw { name, .. }, len: 0..4, .. }
            if name.as_str() == "SO_PEERPIDFD" =>
        {
            Err("getsockopt: SO_PEERPIDFD gives a descriptor, which has 4 bytes".to_owned())
        }
        Op::Setsockopt { option: Opt::Raw { name, .. }, value: Value::Bytes(bytes), .. }
            if WITH_A_POINTER.contains(&name.as_str()) && bytes.0.len() >= 8 =>
        {
            Err(format!("setsockopt: {name} takes a pointer, which a case cannot write"))
        }
        Op::IfNametoindex { name } if is_of_a_module(name) => {
            Err(format!("if_nametoindex: {name} would be made on the host"))
        }
        // Behind an address it is looked for, too (RFC 4007 §11).
        Op::Getaddrinfo { node: Some(node), .. }
            if node.rsplit_once('%').is_some_and(|(_, zone)| is_of_a_module(zone)) =>
        {
            Err(format!("getaddrinfo: the link of {node} would be made on the host"))
        }
        Op::Recvmsg { len, lens, .. } if !lens.is_empty() => {
            let sum = lens.iter().fold(0u64, |sum, len| sum + u64::from(*len));
            let is_whole = lens.len() > 1 && sum == u64::from(*len);
            is_whole.then_some(()).ok_or_else(|| {
                "recvmsg: its parts are two at the least, as long as all of it together".to_owned()
            })
        }
        Op::Setsockopt { value: Value::Host(host), .. }
            if !matches!(host, Host::Ip(_) | Host::On { .. }) =>
        {
            Err("setsockopt: a Unix socket is on no link".to_owned())
        }
        op => super::unix::files(op),
    }
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
        Op::Readv { lens, .. } => lens.iter().map(|len| u64::from(*len)).sum(),
        Op::RecvmsgX { count, len, control_len, .. }
        | Op::Recvmmsg { count, len, control_len, .. } => {
            let each = u64::from(*len) + u64::from(*control_len);
            u64::from(*count).saturating_mul(each.max(1))
        }
        Op::Getnameinfo { host_len, service_len, .. } => {
            u64::from(*host_len) + u64::from(*service_len)
        }
        Op::Sendfile { count, .. } | Op::Splice { count, .. } => (*count).into(),
        Op::Raw { call, args } => super::raw::room(call, args),
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
        Op::Sendmsg { .. } | Op::Sendmmsg { .. } => op
            .controls()
            .into_iter()
            .flat_map(|control| match control {
                Control::PktInfo { link, source, .. } => {
                    link.as_deref().into_iter().chain(source.as_ref().and_then(host)).collect()
                }
                _ => Vec::new(),
            })
            .collect(),
        Op::Ioctl { link, .. } => link.as_deref().into_iter().collect(),
        Op::IfIndextoname { index: Index::Of(link) } => vec![link],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
