//! The calls that tell of interfaces: RFC 3493 §4, getifaddrs(3).

use std::ffi::{CStr, CString};

use libc::{c_char, c_int};

use super::gave::{Fault, Gave, given};
use super::options::Resolve as _;
use super::runner::Runner;
use super::sockaddr::RawAddr;
use super::{calls, os};
use crate::case::Op;
use crate::case::addr::SockAddr;
use crate::case::op::Index;
use crate::trace::{Interface, Out};

/// The flags of an interface that are the same wherever the lab is (netdevice(7)).
const FLAGS: [(&str, c_int); 7] = [
    ("IFF_UP", libc::IFF_UP),
    ("IFF_BROADCAST", libc::IFF_BROADCAST),
    ("IFF_LOOPBACK", libc::IFF_LOOPBACK),
    ("IFF_POINTOPOINT", libc::IFF_POINTOPOINT),
    ("IFF_RUNNING", libc::IFF_RUNNING),
    ("IFF_NOARP", libc::IFF_NOARP),
    ("IFF_MULTICAST", libc::IFF_MULTICAST),
];

impl Runner<'_> {
    pub(super) fn interfaces(&mut self, op: &Op) -> Result<Gave, Fault> {
        Ok(match op {
            Op::IfNametoindex { name } => {
                let name = CString::new(self.interface(name)).unwrap_or_default();
                // SAFETY: the name has its end.
                let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
                if index == 0 {
                    Err(os::errno(calls::errno()))
                } else {
                    Ok((index.into(), Out::Nothing))
                }
            }
            Op::IfIndextoname { index } => {
                let index = match index {
                    Index::Of(link) => self.index(link)?,
                    Index::Is(number) => *number,
                };
                let mut room: [c_char; libc::IF_NAMESIZE] = [0; libc::IF_NAMESIZE];
                // SAFETY: there is room for the longest name.
                let at = unsafe { libc::if_indextoname(index, room.as_mut_ptr()) };
                if at.is_null() {
                    Err(os::errno(calls::errno()))
                } else {
                    // SAFETY: the C library wrote a name with its end there.
                    let name = unsafe { CStr::from_ptr(at) }.to_string_lossy().into_owned();
                    Ok((1, Out::Text(self.link_called(&name).unwrap_or(name))))
                }
            }
            Op::Getifaddrs {} => self.getifaddrs(),
            _ => return Err(Fault::Broken(format!("{} asks for no interface", op.call()))),
        })
    }

    /// The link of the lab whose interface is called so.
    pub(super) fn link_called(&self, interface: &str) -> Option<String> {
        let links = self.lab.facts().iter().map(|fact| &fact.name);
        links.into_iter().find(|link| self.interface(link) == interface).cloned()
    }

    /// What it says of the lab's links: on a system whose labs share the host's network the others are
    /// nobody's business.
    fn getifaddrs(&self) -> Gave {
        let mut list = std::ptr::null_mut();
        // SAFETY: there is room for a pointer.
        given(calls::int(unsafe { libc::getifaddrs(&raw mut list) }))?;
        let (mut all, mut next) = (Vec::new(), list);
        // SAFETY: the list is made of valid entries and ends with null.
        while let Some(entry) = unsafe { next.as_ref() } {
            next = entry.ifa_next;
            // SAFETY: an entry's name has its end.
            let name = unsafe { CStr::from_ptr(entry.ifa_name) }.to_string_lossy();
            let Some(link) = self.link_called(&name) else { continue };
            let set = |flag: &&(&str, c_int)| entry.ifa_flags & flag.1.cast_unsigned() != 0;
            let flags = FLAGS.iter().filter(set).map(|(name, _)| (*name).into()).collect();
            let addr = address_at(entry.ifa_addr);
            // A link-layer address is the lab's own and another one each time.
            let addr = addr.filter(|addr| addr.ip().is_some());
            let mask = if addr.is_some() { address_at(entry.ifa_netmask) } else { None };
            let prefix_len = mask.and_then(|mask| mask.ip()).map(bits);
            all.push(Interface { link, flags, addr, prefix_len });
        }
        // SAFETY: the list came from `getifaddrs` and nothing of it is kept.
        unsafe { libc::freeifaddrs(list) };
        Ok((0, Out::Interfaces(all)))
    }
}

/// An address of the list.
pub(super) fn address_at(at: *const libc::sockaddr) -> Option<SockAddr> {
    // SAFETY: the entries of the list have null or valid addresses.
    unsafe { RawAddr::found(at) }.and_then(|raw| raw.read())
}

fn bits(mask: std::net::IpAddr) -> u8 {
    let ones = match mask {
        std::net::IpAddr::V4(mask) => mask.to_bits().count_ones(),
        std::net::IpAddr::V6(mask) => mask.to_bits().count_ones(),
    };
    u8::try_from(ones).unwrap_or(u8::MAX)
}
