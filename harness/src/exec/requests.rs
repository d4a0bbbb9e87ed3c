//! `ioctl`, each request with what it reads and writes.

use std::ffi::CStr;
use std::mem::{MaybeUninit, offset_of};
use std::os::fd::RawFd;

use libc::c_int;

use super::calls::{self, int, request_of};
use super::gave::{Fault, Gave, Returned, given};
use super::interfaces::address_at;
use super::options::{Resolve as _, value};
use super::runner::Runner;
use super::{credentials, os};
use crate::case::op::Given;
use crate::case::{Op, Sym};
use crate::trace::{Interface, Out};

/// As many addresses as a lab has, and more.
const MOST_OF_ADDRESSES: usize = 64;

/// `ETHTOOL_GLINK` of `linux/ethtool.h`: whether the link is there, as a `struct ethtool_value`.
const IS_LINK_THERE: u32 = 0x0a;

/// A `struct ifreq` that names an interface.
fn ifreq(name: &str) -> libc::ifreq {
    // SAFETY: all zeros is a valid `struct ifreq`.
    let mut ifreq: libc::ifreq = unsafe { MaybeUninit::zeroed().assume_init() };
    for (to, from) in ifreq.ifr_name.iter_mut().zip(name.bytes().take(15)) {
        *to = libc::c_char::from_ne_bytes([from]);
    }
    ifreq
}

/// A request on a structure that is there.
fn on<T>(fd: RawFd, request: c_int, structure: &mut T) -> Returned {
    // SAFETY: each request that comes here reads and writes one such structure (`Case::check`), and what that points to
    // outlives the call.
    int(unsafe { libc::ioctl(fd, request_of(request), std::ptr::from_mut(structure)) })
}

impl Runner<'_> {
    pub(super) fn ioctl(&mut self, fd: RawFd, op: &Op) -> Result<Gave, Fault> {
        let Op::Ioctl { request, link, given: what, .. } = op else {
            return Err(Fault::Broken(format!("{} has no request", op.call())));
        };
        let number = value(request.as_str())?;
        let name = link.as_ref().map(|link| self.interface(link)).unwrap_or_default();
        Ok(match (request.as_str(), what) {
            (_, Some(Given::Pid(who))) => {
                let mut pid = credentials::pid(*who);
                given(calls::ioctl_int(fd, number, &mut pid)).map(|ret| (ret, Out::Nothing))
            }
            // A time, which is another one in each run.
            ("SIOCGSTAMP" | "SIOCGSTAMPNS", _) => {
                let mut time = [0u64; 4];
                given(on(fd, number, &mut time)).map(|ret| (ret, Out::Nothing))
            }
            ("SIOCGIFCONF", _) => self.addresses(fd, number),
            ("SIOCGIFNAME", _) => self.name_by_index(fd, number, op)?,
            ("SIOCGIFADDR", _) => {
                let mut ifreq = ifreq(&name);
                let ret = given(on(fd, number, &mut ifreq));
                // SAFETY: the kernel wrote an address there, of IPv4, or it is zeros, which are none.
                let addr = unsafe { ifreq.ifr_ifru.ifru_addr };
                let addr = address_at(&raw const addr);
                ret.map(|ret| (ret, addr.map_or(Out::Nothing, Out::Addr)))
            }
            ("SIOCETHTOOL" | "SIOCSHWTSTAMP", _) => with_data(fd, (request, number), &name),
            (_, Some(Given::Mtu(_) | Given::Up(_))) => self.set_link(fd, op, number, &name)?,
            _ => {
                let mut n = 0;
                let returned = if link.is_some() {
                    calls::ioctl_link(fd, number, &name, &mut n)
                } else {
                    calls::ioctl_int(fd, number, &mut n)
                };
                given(returned).map(|ret| (ret, Out::Int(n)))
            }
        })
    }

    /// Changes a link: one that the lab has made in a network of its own, whose name is nobody else's.
    fn set_link(&self, fd: RawFd, op: &Op, number: c_int, name: &str) -> Result<Gave, Fault> {
        if self.lab.is_shared() {
            return Err(Fault::Broken(format!("{}: the links here are the host's", op.call())));
        }
        let mut ifreq = ifreq(name);
        match op {
            Op::Ioctl { given: Some(Given::Mtu(mtu)), .. } => ifreq.ifr_ifru.ifru_mtu = *mtu,
            Op::Ioctl { given: Some(Given::Up(true)), .. } => {
                ifreq.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
            }
            _ => {}
        }
        Ok(given(on(fd, number, &mut ifreq)).map(|ret| (ret, Out::Nothing)))
    }

    fn name_by_index(&self, fd: RawFd, number: c_int, op: &Op) -> Result<Gave, Fault> {
        let index = match op {
            Op::Ioctl { link: Some(link), .. } => self.index(link)?,
            Op::Ioctl { given: Some(Given::Index(index)), .. } => *index,
            _ => 0,
        };
        let mut ifreq = ifreq("");
        os::set_index(&mut ifreq, index.cast_signed());
        let ret = given(on(fd, number, &mut ifreq));
        // SAFETY: the last byte of a name is its end.
        let name =
            unsafe { CStr::from_ptr(ifreq.ifr_name.as_ptr()) }.to_string_lossy().into_owned();
        Ok(ret.map(|ret| (ret, Out::Text(self.link_called(&name).unwrap_or(name)))))
    }

    /// The addresses of IPv4 of the lab's links: on a system whose labs share the host's network the others are nobody's
    /// business.
    fn addresses(&self, fd: RawFd, number: c_int) -> Gave {
        let mut room = vec![ifreq(""); MOST_OF_ADDRESSES];
        let len = size_of_val(&room[..]);
        // SAFETY: all zeros is a valid `struct ifconf`.
        let mut conf: libc::ifconf = unsafe { MaybeUninit::zeroed().assume_init() };
        conf.ifc_len = c_int::try_from(len).unwrap_or(0);
        conf.ifc_ifcu.ifcu_req = room.as_mut_ptr();
        let ret = given(on(fd, number, &mut conf));
        let (mut all, mut from) = (Vec::new(), 0);
        let end = usize::try_from(conf.ifc_len).unwrap_or(0).min(len);
        let base = room.as_ptr().cast::<u8>();
        while from + size_of::<libc::ifreq>() <= end {
            // SAFETY: a whole entry lies within the room.
            let at = unsafe { base.add(from) };
            // SAFETY: as above, and any bytes are an entry.
            let entry = unsafe { at.cast::<libc::ifreq>().read_unaligned() };
            // SAFETY: the last byte of a name is its end.
            let name = unsafe { CStr::from_ptr(entry.ifr_name.as_ptr()) }.to_string_lossy();
            // SAFETY: behind its name an entry has an address, of whichever family, that lies within the room.
            let addr = unsafe { base.add(from + offset_of!(libc::ifreq, ifr_ifru)) };
            let addr = address_at(addr.cast());
            let addr = addr.filter(|addr| addr.ip().is_some());
            if let (Some(link), Some(addr)) = (self.link_called(&name), addr) {
                let (flags, addr) = (Vec::new(), Some(addr));
                all.push(Interface { link, flags, addr, prefix_len: None });
            }
            from += os::len_of_entry(&entry);
        }
        ret.map(|ret| (ret, Out::Interfaces(all)))
    }
}

/// Those whose `struct ifreq` leads to something: whether a link is there, or times of frames that are to be taken by
/// the hardware, which are none.
fn with_data(fd: RawFd, (request, number): (&Sym, c_int), name: &str) -> Gave {
    let mut data = [0u32; 4];
    let asks = request.as_str() == "SIOCETHTOOL";
    if asks {
        data[0] = IS_LINK_THERE;
    }
    let mut ifreq = ifreq(name);
    ifreq.ifr_ifru.ifru_data = data.as_mut_ptr().cast();
    let ret = given(on(fd, number, &mut ifreq));
    let there = data[1].cast_signed();
    ret.map(|ret| (ret, if asks { Out::Int(there) } else { Out::Nothing }))
}
