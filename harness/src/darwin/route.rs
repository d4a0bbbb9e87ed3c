//! Messages of the routing socket (`bsd/net/route.h`), built and read.
//!
//! A message is a header and the socket addresses that `rtm_addrs` has bits for, in the order of
//! the bits, each taking a multiple of four bytes.

use std::net::IpAddr;

use super::scope::with_embedded_scope;
use super::sockaddr::{self, Address};

/// What may be asked of the table of routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// `RTM_ADD`.
    Add = 1,
    /// `RTM_DELETE`.
    Delete = 2,
}

/// What becomes of packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// They leave by the interface of this index.
    Link(u16),
    /// They go to this router.
    Router(IpAddr),
    /// They go to this link-layer address on the interface of this index. Over IPv4 the entry is scoped
    /// to the interface, as `arp -s … ifscope IF` makes it and as resolution does; over IPv6 as
    /// `ndp -s` makes it (network_cmds-741 `arp.tproj/arp.c`, `ndp.tproj/ndp.c`).
    Neighbour(u16, [u8; 6]),
    /// Dropped, and the sender is told.
    Reject,
    /// Dropped in silence.
    Blackhole,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The destination.
    pub prefix: IpAddr,
    /// In bits; all of them for a host.
    pub prefix_len: u8,
    /// What becomes of packets to it.
    pub way: Way,
}

const RTM_VERSION: u8 = 5;
const RTM_NEWADDR: u8 = 0xc;
const RTM_IFINFO: u8 = 0xe;

const RTA_DST: u32 = 0x1;
const RTA_GATEWAY: u32 = 0x2;
const RTA_NETMASK: u32 = 0x4;
const RTA_IFP: u32 = 0x10;
const RTA_IFA: u32 = 0x20;

const RTF_UP: u32 = 0x1;
const RTF_GATEWAY: u32 = 0x2;
const RTF_HOST: u32 = 0x4;
const RTF_REJECT: u32 = 0x8;
const RTF_STATIC: u32 = 0x800;
const RTF_BLACKHOLE: u32 = 0x1000;
/// The entry is of the interface in `rtm_index` alone.
const RTF_IFSCOPE: u32 = 0x100_0000;

const RTM_GET: u8 = 4;

/// `ESRCH` of `bsd/sys/errno.h`: there is no such route.
const ESRCH: i32 = 3;

/// `RTV_EXPIRE` of `rtm_inits`: a lifetime of zero is for ever (`arp -s`).
const RTV_EXPIRE: u32 = 0x4;

/// `sizeof` of `struct rt_msghdr`, `struct if_msghdr` and `struct ifa_msghdr`.
const RT_HEADER: usize = 92;
const IF_HEADER: usize = 112;
const IFA_HEADER: usize = 20;

/// `ifi_mtu` in a `struct if_msghdr`.
const IFI_MTU: usize = 24;

/// The length that a socket address takes in a routing message: its `sa_len` up to a multiple of
/// four, and four for an empty one (`ROUNDUP32` of `bsd/net/rtsock.c`).
pub fn address_len(sa_len: u8) -> usize {
    usize::from(sa_len).max(1).next_multiple_of(4)
}

/// The message that changes a route, the `seq`-th of this process.
pub fn message(change: Change, seq: i32, route: &Route) -> Vec<u8> {
    let whole = if route.prefix.is_ipv4() { 32 } else { 128 };
    let is_host = route.prefix_len >= whole;
    let loopback = match route.prefix {
        IpAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    };
    let (index, gateway, mut flags, inits) = match &route.way {
        Way::Link(index) => (*index, sockaddr::of_link(*index, &[]), 0, 0),
        Way::Router(ip) => (0, sockaddr::of_ip(*ip, 0), RTF_GATEWAY, 0),
        Way::Neighbour(index, mac) => {
            let scope = if route.prefix.is_ipv4() { RTF_IFSCOPE } else { 0 };
            (*index, sockaddr::of_link(*index, mac), scope, RTV_EXPIRE)
        }
        Way::Reject => (0, sockaddr::of_ip(loopback, 0), RTF_GATEWAY | RTF_REJECT, 0),
        Way::Blackhole => (0, sockaddr::of_ip(loopback, 0), RTF_GATEWAY | RTF_BLACKHOLE, 0),
    };
    flags |= RTF_UP | RTF_STATIC | if is_host { RTF_HOST } else { 0 };
    let prefix = match route.prefix {
        IpAddr::V6(ip) => with_embedded_scope(ip, index).into(),
        v4 @ IpAddr::V4(_) => v4,
    };
    let mut addresses = vec![sockaddr::of_ip(prefix, 0), gateway];
    let mut addrs = RTA_DST | RTA_GATEWAY;
    if !is_host {
        addrs |= RTA_NETMASK;
        addresses.push(sockaddr::of_prefix(route.prefix, route.prefix_len));
    }
    let head = Head { kind: change as u8, index, flags, addrs, seq, inits };
    head.before(&addresses)
}

/// What of a `struct rt_msghdr` this process sets.
struct Head {
    kind: u8,
    index: u16,
    flags: u32,
    addrs: u32,
    seq: i32,
    inits: u32,
}

impl Head {
    fn before(&self, addresses: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = vec![0; RT_HEADER];
        bytes[2] = RTM_VERSION;
        bytes[3] = self.kind;
        bytes[4..6].copy_from_slice(&self.index.to_ne_bytes());
        bytes[8..12].copy_from_slice(&self.flags.to_ne_bytes());
        bytes[12..16].copy_from_slice(&self.addrs.to_ne_bytes());
        bytes[20..24].copy_from_slice(&self.seq.to_ne_bytes());
        bytes[32..36].copy_from_slice(&self.inits.to_ne_bytes());
        for address in addresses {
            bytes.extend(address);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        let len = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        bytes[..2].copy_from_slice(&len.to_ne_bytes());
        bytes
    }
}

/// The message that takes away what resolution made known of `ip` on the interface of that index. Such
/// entries are scoped to their interface (xnu-11417 `bsd/net/route.c` `rtrequest_common_locked`,
/// `RTM_RESOLVE`), so that without the scope nothing is found.
pub fn forget_neighbour(seq: i32, ip: IpAddr, index: u16) -> Vec<u8> {
    let flags = RTF_UP | RTF_HOST | RTF_IFSCOPE;
    let head = Head { kind: Change::Delete as u8, index, flags, addrs: RTA_DST, seq, inits: 0 };
    head.before(&[destination(ip, index)])
}

/// The message that asks by which way packets to `ip` would go, as `route get` does. A prefix length of
/// 0 asks for the default route.
pub fn question(seq: i32, ip: IpAddr, prefix_len: Option<u8>) -> Vec<u8> {
    let (mut addrs, mut addresses) = (RTA_DST, vec![destination(ip, 0)]);
    if let Some(len) = prefix_len {
        addrs |= RTA_NETMASK;
        addresses.push(sockaddr::of_prefix(ip, len));
    }
    let flags = RTF_UP | if prefix_len.is_none() { RTF_HOST } else { 0 };
    Head { kind: RTM_GET, index: 0, flags, addrs, seq, inits: 0 }.before(&addresses)
}

fn destination(ip: IpAddr, index: u16) -> Vec<u8> {
    let ip = match ip {
        IpAddr::V6(ip) => with_embedded_scope(ip, index).into(),
        v4 @ IpAddr::V4(_) => v4,
    };
    sockaddr::of_ip(ip, 0)
}

/// What the kernel answers to a [`question`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The index of the interface by which packets would leave.
    pub index: u16,
    /// The destination of the route that was found, unspecified for the default route.
    pub to: Option<IpAddr>,
    /// Whether the sender would be told that there is no way, or nothing would leave at all.
    pub drops: bool,
}

/// The answer to this process's `seq`-th message in what the kernel wrote: `Some(None)` if there is no
/// such route, `None` if it is not among these.
pub fn answer(buffer: &[u8], seq: i32, pid: u32) -> Option<Option<Answer>> {
    messages(buffer).find_map(|raw| {
        let word = |at: usize| raw.header.get(at..at + 4)?.try_into().ok().map(i32::from_ne_bytes);
        let is_it =
            raw.kind == RTM_GET && word(20)? == seq && u32::try_from(word(16)?).ok() == Some(pid);
        if !is_it {
            return None;
        }
        if word(24)? == ESRCH {
            return Some(None);
        }
        let to = match raw.address(RTA_DST).and_then(sockaddr::read) {
            Some(Address::Ip(ip, _)) => Some(ip),
            _ => None,
        };
        let drops = raw.flags & (RTF_REJECT | RTF_BLACKHOLE) != 0;
        Some(Some(Answer { index: raw.index, to, drops }))
    })
}

/// A message as it stands in what the kernel wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Raw<'b> {
    kind: u8,
    index: u16,
    flags: u32,
    addrs: u32,
    /// The whole header, and what follows it.
    header: &'b [u8],
    addresses: &'b [u8],
}

/// The messages of a buffer, those of other versions and kinds passed over.
fn messages(mut buffer: &[u8]) -> impl Iterator<Item = Raw<'_>> {
    std::iter::from_fn(move || {
        loop {
            let len = usize::from(u16::from_ne_bytes([*buffer.first()?, *buffer.get(1)?]));
            if len < 4 {
                return None;
            }
            let message = buffer.get(..len)?;
            buffer = &buffer[len..];
            if message[2] == RTM_VERSION
                && let Some(raw) = raw(message)
            {
                return Some(raw);
            }
        }
    })
}

fn raw(message: &[u8]) -> Option<Raw<'_>> {
    let word = |at: usize| Some(u32::from_ne_bytes(message.get(at..at + 4)?.try_into().ok()?));
    let half = |at: usize| Some(u16::from_ne_bytes(message.get(at..at + 2)?.try_into().ok()?));
    let kind = message[3];
    let (header_len, index, flags, addrs) = match kind {
        RTM_IFINFO => (IF_HEADER, half(12)?, word(8)?, word(4)?),
        RTM_NEWADDR => (IFA_HEADER, half(12)?, word(8)?, word(4)?),
        1..=8 | 0xb => (RT_HEADER, half(4)?, word(8)?, word(12)?),
        _ => return None,
    };
    let (header, addresses) = message.split_at_checked(header_len)?;
    Some(Raw { kind, index, flags, addrs, header, addresses })
}

impl<'b> Raw<'b> {
    /// The bytes of the address with this bit.
    fn address(&self, bit: u32) -> Option<&'b [u8]> {
        if self.addrs & bit == 0 {
            return None;
        }
        let before = (self.addrs & (bit - 1)).count_ones();
        let mut rest = self.addresses;
        for _ in 0..before {
            rest = rest.get(address_len(*rest.first()?)..)?;
        }
        rest.get(..usize::from(*rest.first()?))
    }
}

/// An interface of the host, of a dump of them (sysctl `NET_RT_IFLIST`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its index.
    pub index: u16,
    /// Its name.
    pub name: String,
    /// `IFF_UP` and others.
    pub flags: u32,
    /// In bytes of IP packet.
    pub mtu: u32,
    /// Its link-layer address.
    pub mac: Vec<u8>,
    /// Its addresses with the lengths of their prefixes; the scope of a link-local one is its index.
    pub addresses: Vec<(IpAddr, u8)>,
}

/// The interfaces of a dump: for each a message of its own, and one for each of its addresses.
pub fn interfaces(dump: &[u8]) -> Vec<Interface> {
    let mut found: Vec<Interface> = Vec::new();
    for raw in messages(dump) {
        match raw.kind {
            RTM_IFINFO => {
                let Some(Address::Link { name, mac, .. }) =
                    raw.address(RTA_IFP).and_then(sockaddr::read)
                else {
                    continue;
                };
                let mtu = raw.header[IFI_MTU..IFI_MTU + 4].try_into().map_or(0, u32::from_ne_bytes);
                let (index, flags, addresses) = (raw.index, raw.flags, Vec::new());
                found.push(Interface { index, name, flags, mtu, mac, addresses });
            }
            RTM_NEWADDR => {
                let of = found.iter_mut().find(|interface| interface.index == raw.index);
                let (Some(of), Some(Address::Ip(ip, _))) =
                    (of, raw.address(RTA_IFA).and_then(sockaddr::read))
                else {
                    continue;
                };
                let mask = raw.address(RTA_NETMASK).unwrap_or_default();
                of.addresses.push((ip, sockaddr::prefix_len(mask, ip)));
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests;
