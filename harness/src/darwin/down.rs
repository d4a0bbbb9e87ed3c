//! An interface of the host's that is down already, in the place of a lab's link that was set down.
//!
//! It is for who may not make links: what calls say can be asked of it. Which case can, is told by
//! the case alone, and for one that is in doubt the answer is no.

use std::net::{IpAddr, Ipv6Addr};

use super::scope::{is_scoped, with_embedded_scope, without_embedded_scope};
use crate::case::addr::{Addr, Host, Range, Role, Scope, SockAddr, address};
use crate::case::lab::{Link, LinkKind};
use crate::case::op::{Control, Value};
use crate::case::{Case, LabOp, Op};
use crate::trace::Out;

/// `IFF_UP`, `IFF_LOOPBACK` and `IFF_POINTOPOINT` of `bsd/net/if.h`.
const UP: u32 = 0x1;
const LOOPBACK: u32 = 0x8;
const POINTOPOINT: u32 = 0x10;

/// Whether a case asks of its network nothing but a link that is down before the first call, and of
/// that link nothing but its index, its own link-local address and who else may be on it.
pub fn fits(case: &Case) -> bool {
    let [link] = &case.lab.links[..] else { return false };
    // What is down on a Mac is Ethernet or like it: a row of a tun would say what a tap's does.
    if link.kind != LinkKind::Tap || *link != Link::new(LinkKind::Tap, &link.name) {
        return false;
    }
    let sets_down =
        |step: &LabOp| matches!(step, LabOp::LinkDown { link: name } if *name == link.name);
    let first = |op: &&Op| matches!(op, Op::Lab { step } if sets_down(step));
    let leading = case.ops.iter().take_while(first).count();
    let is_down = leading > 0 || !case.lab.setup.is_empty();
    is_down
        && case.lab.setup.iter().all(sets_down)
        && case.ops[leading..].iter().all(|op| asks_no_more(&link.name, op))
}

/// Whether a call asks no more of the link. What it gives back may not be bytes in which an address
/// of the host's could stand.
fn asks_no_more(link: &str, op: &Op) -> bool {
    let is_it = |name: &Option<String>| name.as_deref() == Some(link);
    let fine = match op {
        // A raw socket is root's.
        Op::Socket { domain, r#type, .. } => {
            domain.plain() == "AF_INET6" && !r#type.has("SOCK_RAW")
        }
        Op::Sendmsg { control, .. } => control.iter().all(|control| match control {
            Control::PktInfo { level, link, source } => {
                let own = source.as_ref().is_none_or(|host| is_on(is_it, host));
                level.plain() == "IPPROTO_IPV6" && (link.is_none() || is_it(link)) && own
            }
            Control::Int { .. } => true,
            Control::Rights { .. } | Control::Credentials { .. } | Control::Bytes { .. } => false,
        }),
        Op::Recvmsg { control_len, .. } | Op::RecvmsgX { control_len, .. } => *control_len == 0,
        Op::Setsockopt { value, .. } => match value {
            Value::Int(_) | Value::Named(_) | Value::Linger { .. } | Value::Timeval { .. } => true,
            Value::Link(name) => name == link,
            Value::Membership { group: IpAddr::V6(group), link } => {
                // The group of the plan's own address is another one's here.
                is_scoped(*group) && is_it(link) && *group != solicited(planned())
            }
            Value::Membership { .. }
            | Value::Host(_)
            | Value::Source { .. }
            | Value::Filter { .. }
            | Value::Bytes(_) => false,
        },
        Op::Getsockopt { len, .. } => *len <= 4,
        // What one would say of the link are the interface's own flags and MTU.
        Op::Ioctl { link, .. } => link.is_none(),
        Op::Connectx { link, .. } => link.is_none() || is_it(link),
        Op::Lab { step } => matches!(step, LabOp::Wait { until: None, .. }),
        other => knows_no_interface(other),
    };
    fine && op.addrs().all(|addr| stays(link, addr))
}

/// Whether a call, of those that have no value or message, tells of no interface and runs here.
fn knows_no_interface(op: &Op) -> bool {
    match op {
        Op::Bind { .. }
        | Op::Connect { .. }
        | Op::Listen { .. }
        | Op::Accept { .. }
        | Op::Send { .. }
        | Op::Sendto { .. }
        | Op::Recv { .. }
        | Op::Recvfrom { .. }
        | Op::Write { .. }
        | Op::Read { .. }
        | Op::Shutdown { .. }
        | Op::Close { .. }
        | Op::Getsockname { .. }
        | Op::Getpeername { .. }
        | Op::Poll { .. }
        | Op::Fcntl { .. }
        | Op::InetPton { .. }
        | Op::InetAton { .. }
        | Op::Disconnectx { .. }
        | Op::SendmsgX { .. }
        | Op::Kevent { .. }
        | Op::Accept4 { .. }
        | Op::Dup { .. }
        | Op::Pipe { .. }
        | Op::File { .. }
        | Op::Mkdir { .. }
        | Op::Unlink { .. }
        | Op::Symlink { .. }
        | Op::Chmod { .. }
        | Op::Writev { .. }
        | Op::Readv { .. }
        | Op::Sockatmark { .. }
        | Op::Ppoll { .. }
        | Op::Select { .. }
        | Op::Pselect { .. } => true,
        // Those that tell of the host's interfaces, are Linux's, or whatever their descriptor is.
        _ => false,
    }
}

fn is_on(is_it: impl Fn(&Option<String>) -> bool, host: &Host) -> bool {
    match host {
        Host::On { link, range: Range::Ll, .. } => is_it(&Some(link.clone())),
        Host::On { .. }
        | Host::Ip(_)
        | Host::Unix(_)
        | Host::Packet(_)
        | Host::Vsock(_)
        | Host::Netlink(_) => false,
    }
}

/// Whether what goes to an address stays on the link or within the host. Without its scope a
/// link-local address leads to another interface, and from there to people's networks.
fn stays(link: &str, addr: &Addr) -> bool {
    let scoped = matches!(&addr.scope, Scope::Link(name) if name == link);
    match &addr.host {
        Host::On { link: name, range: Range::Ll, .. } => scoped && name == link,
        Host::Ip(IpAddr::V6(ip)) if is_scoped(*ip) => scoped,
        Host::Ip(IpAddr::V6(ip)) => ip.is_unspecified() || ip.is_loopback(),
        Host::On { .. }
        | Host::Ip(IpAddr::V4(_))
        | Host::Unix(_)
        | Host::Packet(_)
        | Host::Vsock(_)
        | Host::Netlink(_) => false,
    }
}

/// An interface of the host's: its name, its flags, its addresses as the kernel shows them.
pub type Interface<'n> = (&'n str, u32, Vec<IpAddr>);

/// Of the interfaces that are up, or down, and have a link-local address the first by name, and these
/// addresses, at least one. Loopback is none of them, and of those that are down none with one far
/// end: a lab's link that it stands for has many.
pub fn choose<'n>(
    interfaces: impl IntoIterator<Item = Interface<'n>>,
    up: bool,
) -> Option<(String, Vec<Ipv6Addr>)> {
    let (without, with) = if up { (LOOPBACK, UP) } else { (UP | LOOPBACK | POINTOPOINT, 0) };
    let fitting = interfaces.into_iter().filter_map(|(name, flags, addresses)| {
        let fits = flags & without == 0 && flags & with == with;
        let addresses: Vec<Ipv6Addr> = addresses.into_iter().filter_map(link_local).collect();
        (fits && !addresses.is_empty()).then_some((name, addresses))
    });
    let (name, addresses) = fitting.min_by_key(|(name, _)| *name)?;
    Some((name.to_owned(), addresses))
}

/// A link-local address without its scope, unless the plan gives it to a neighbour.
fn link_local(ip: IpAddr) -> Option<Ipv6Addr> {
    let IpAddr::V6(ip) = ip else { return None };
    let (ip, _) = without_embedded_scope(ip);
    let others = [Role::Neighbour, Role::Unresolved, Role::Silent];
    let is_anothers = others.iter().any(|role| address(0, *role, Range::Ll) == IpAddr::V6(ip));
    (ip.is_unicast_link_local() && !is_anothers).then_some(ip)
}

/// The own address of a lab's only link.
fn planned() -> Ipv6Addr {
    match address(0, Role::Own, Range::Ll) {
        IpAddr::V6(ip) => ip,
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
    }
}

/// The group in which the neighbours of `ip` ask for it (RFC 4291 §2.7.1).
fn solicited(ip: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = ip.octets();
    let [a, b] = [u16::from_be_bytes([0xff, a]), u16::from_be_bytes([b, c])];
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, a, b)
}

/// The interface that stands for a lab's link: its addresses are the host's own and private, so that
/// a trace has the plan's instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandIn {
    /// What the kernel calls it.
    pub name: String,
    addresses: Vec<Ipv6Addr>,
}

impl StandIn {
    /// What [`choose`] has chosen.
    pub fn new((name, addresses): (String, Vec<Ipv6Addr>)) -> Self {
        Self { name, addresses }
    }

    /// What the kernel is given where a case says `ip`.
    pub fn real(&self, ip: IpAddr) -> IpAddr {
        match self.addresses.first() {
            Some(own) if ip == IpAddr::V6(planned()) => (*own).into(),
            Some(own) if ip == IpAddr::V6(solicited(planned())) => solicited(*own).into(),
            _ => ip,
        }
    }

    /// Puts the plan's addresses into what a call was given and what it gave.
    pub fn hide(&self, addr: Option<&mut SockAddr>, out: &mut Out) {
        let hide = |addr: &mut SockAddr| {
            if let SockAddr::V6 { ip, .. } = addr {
                *ip = self.as_planned(*ip);
            }
        };
        addr.into_iter().for_each(hide);
        match out {
            Out::Addr(addr) => hide(addr),
            Out::Data { from, .. } => from.iter_mut().for_each(hide),
            Out::Messages(all) => {
                all.iter_mut().filter_map(|one| one.from.as_mut()).for_each(hide);
            }
            _ => {}
        }
    }

    /// An index that a kernel has left in an address stays there: that is its mistake to be seen.
    fn as_planned(&self, ip: Ipv6Addr) -> Ipv6Addr {
        let (plain, index) = without_embedded_scope(ip);
        let index = u16::try_from(index).unwrap_or(0);
        if self.addresses.contains(&plain) {
            with_embedded_scope(planned(), index)
        } else if self.addresses.iter().any(|own| solicited(*own) == plain) {
            with_embedded_scope(solicited(planned()), index)
        } else {
            ip
        }
    }
}

#[cfg(test)]
mod tests;
