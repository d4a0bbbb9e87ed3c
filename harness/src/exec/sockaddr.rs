//! Socket addresses as the kernel reads and writes them.

use std::mem::MaybeUninit;
use std::net::IpAddr;

use libc::{c_int, sockaddr, sockaddr_in, sockaddr_in6, sockaddr_storage, socklen_t};

use super::os;
use crate::case::addr::{Netlink, Packet, PacketSeen, SockAddr, Unix, Vsock};
use crate::case::packet::SIZE;
use crate::case::unix::BEFORE_PATH;
use crate::case::{Hex, Os, netlink, vsock};

/// A `struct sockaddr` of any family, and its length.
pub(super) struct RawAddr {
    storage: sockaddr_storage,
    pub(super) len: socklen_t,
}

impl RawAddr {
    /// Room for any address, to be written by the kernel.
    pub(super) fn room() -> Self {
        // SAFETY: all zeros is a valid `sockaddr_storage`.
        let storage: sockaddr_storage = unsafe { MaybeUninit::zeroed().assume_init() };
        Self { storage, len: size_of::<sockaddr_storage>() as socklen_t }
    }

    /// An address to be read by the kernel; `family` overrides `sa_family`.
    pub(super) fn new(ip: IpAddr, port: u16, scope: u32, family: Option<c_int>) -> Self {
        let mut raw = Self::room();
        match ip {
            IpAddr::V4(ip) => {
                let at: *mut sockaddr_in = (&raw mut raw.storage).cast();
                // SAFETY: a `sockaddr_in` lies within a `sockaddr_storage`, aligned.
                let address = unsafe { &mut *at };
                address.sin_port = port.to_be();
                address.sin_addr.s_addr = u32::from(ip).to_be();
                raw.len = size_of::<sockaddr_in>() as socklen_t;
            }
            IpAddr::V6(ip) => {
                let at: *mut sockaddr_in6 = (&raw mut raw.storage).cast();
                // SAFETY: a `sockaddr_in6` lies within a `sockaddr_storage`, aligned.
                let address = unsafe { &mut *at };
                address.sin6_port = port.to_be();
                address.sin6_addr.s6_addr = ip.octets();
                address.sin6_scope_id = scope;
                raw.len = size_of::<sockaddr_in6>() as socklen_t;
            }
        }
        let own = if ip.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
        os::set_family(&mut raw.storage, family.unwrap_or(own), raw.len);
        raw
    }

    /// The address of a Unix socket, zeros behind its name.
    pub(super) fn unix(unix: &Unix) -> Self {
        Self::of_bytes(libc::AF_UNIX, &unix.path(), unix.length())
    }

    /// An address of `AF_PACKET`, which has this number, on the link of this index.
    pub(super) fn packet(packet: &Packet, family: c_int, index: u32) -> Self {
        Self::of_bytes(family, &packet.bytes(index), packet.len.unwrap_or(SIZE))
    }

    /// An address of `AF_VSOCK`, which has this number, with this port where it has none itself.
    pub(super) fn vsock(vsock: &Vsock, family: c_int, port: u32) -> Self {
        // Darwin's structure has neither flags nor zeros at its end (`bsd/sys/vsock.h`).
        let whole = if Os::host() == Some(Os::Linux) { vsock::SIZE } else { vsock::SIZE - 4 };
        Self::of_bytes(family, &vsock.bytes(port), vsock.len.unwrap_or(whole))
    }

    /// An address of `AF_NETLINK`, which has this number, with this process where it has none itself.
    pub(super) fn netlink(netlink: &Netlink, family: c_int, pid: u32) -> Self {
        let bytes = netlink.bytes(std::process::id(), pid);
        Self::of_bytes(family, &bytes, netlink.len.unwrap_or(netlink::SIZE))
    }

    /// The bytes behind the family, then zeros up to a length of all.
    fn of_bytes(family: c_int, bytes: &[u8], len: u32) -> Self {
        let mut raw = Self::room();
        // SAFETY: within the storage, which is longer than where a path begins, as all behind a family does.
        let at = unsafe { raw.as_mut_ptr().cast::<u8>().add(BEFORE_PATH as usize) };
        let room = size_of::<sockaddr_storage>() - BEFORE_PATH as usize;
        // SAFETY: the storage has that much room behind it, and no more is written.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), at, bytes.len().min(room)) };
        raw.len = len.min(raw.len);
        os::set_family(&mut raw.storage, family, raw.len);
        raw
    }

    pub(super) fn as_ptr(&self) -> *const sockaddr {
        (&raw const self.storage).cast()
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut sockaddr {
        (&raw mut self.storage).cast()
    }

    /// `sa_family`, as a number.
    pub(super) fn family(&self) -> c_int {
        c_int::from(self.storage.ss_family)
    }

    /// All of the `sockaddr_storage`.
    pub(super) fn bytes(&self) -> &[u8] {
        let at = (&raw const self.storage).cast();
        // SAFETY: all of the storage was set to zeros before anything was written to it.
        unsafe { std::slice::from_raw_parts(at, size_of::<sockaddr_storage>()) }
    }

    /// What the kernel wrote; none if it wrote nothing.
    pub(super) fn read(&self) -> Option<SockAddr> {
        if self.len == 0 {
            return None;
        }
        let family = c_int::from(self.storage.ss_family);
        if family == libc::AF_INET && self.len as usize >= size_of::<sockaddr_in>() {
            let at: *const sockaddr_in = (&raw const self.storage).cast();
            // SAFETY: the kernel wrote a whole `sockaddr_in` here.
            let address = unsafe { &*at };
            let ip = u32::from_be(address.sin_addr.s_addr).into();
            return Some(SockAddr::V4 { ip, port: u16::from_be(address.sin_port) });
        }
        if family == libc::AF_INET6 && self.len as usize >= size_of::<sockaddr_in6>() {
            let at: *const sockaddr_in6 = (&raw const self.storage).cast();
            // SAFETY: the kernel wrote a whole `sockaddr_in6` here.
            let address = unsafe { &*at };
            return Some(SockAddr::V6 {
                ip: address.sin6_addr.s6_addr.into(),
                port: u16::from_be(address.sin6_port),
                scope: address.sin6_scope_id,
            });
        }
        if family == libc::AF_UNIX {
            return Some(self.read_unix());
        }
        if os::value("AF_PACKET") == Some(family) {
            let end = (self.len as usize).min(size_of::<sockaddr_storage>());
            if let Some(seen) = PacketSeen::read(&self.bytes()[..end]) {
                return Some(SockAddr::Packet(seen));
            }
        }
        let end = (self.len as usize).min(size_of::<sockaddr_storage>());
        if os::value("AF_VSOCK") == Some(family)
            && let Some((cid, port)) = vsock::read(&self.bytes()[..end])
        {
            return Some(SockAddr::Vsock { cid, port });
        }
        if os::value("AF_NETLINK") == Some(family)
            && let Some((pid, groups)) = netlink::read(&self.bytes()[..end])
        {
            return Some(SockAddr::Netlink { pid, groups });
        }
        let named = ["AF_UNSPEC"].into_iter().find(|n| os::value(n) == Some(family));
        Some(SockAddr::Bare { family: named.map_or(format!("family {family}"), str::to_owned) })
    }

    /// A Unix socket's name; what no case could have written is said in bytes, the first of them.
    fn read_unix(&self) -> SockAddr {
        let bytes = self.bytes();
        let end = (self.len as usize).min(bytes.len());
        let path = bytes.get(BEFORE_PATH as usize..end).unwrap_or_default();
        let has_abstract = Os::host() == Some(Os::Linux);
        let none = path.is_empty() || (path[0] == 0 && !has_abstract);
        let read = if none { None } else { Unix::read(path, has_abstract) };
        let mut family = "AF_UNIX".to_owned();
        if read.is_none() && !none {
            family = format!("AF_UNIX 0x{}", Hex(path[..path.len().min(24)].to_vec()));
        }
        read.map_or(SockAddr::Bare { family }, SockAddr::unix)
    }

    /// The address at `at`, whose family tells how long it is; none at null.
    ///
    /// # Safety
    /// `at` is null or points to a valid address.
    pub(super) unsafe fn found(at: *const sockaddr) -> Option<Self> {
        // SAFETY: the caller vouches for it.
        let family = c_int::from(unsafe { at.as_ref() }?.sa_family);
        let len = match family {
            libc::AF_INET => size_of::<sockaddr_in>(),
            libc::AF_INET6 => size_of::<sockaddr_in6>(),
            // As much as has the family on every system.
            _ => 2,
        };
        // SAFETY: an address of a family has these bytes.
        Some(unsafe { Self::copied(at, len as socklen_t) })
    }

    /// The address at `at`, as `getaddrinfo` gives it.
    ///
    /// # Safety
    /// `at` points to a valid address of `len` bytes.
    pub(super) unsafe fn copied(at: *const sockaddr, len: socklen_t) -> Self {
        let mut raw = Self::room();
        let len = len.min(raw.len);
        let to = raw.as_mut_ptr().cast();
        // SAFETY: the caller vouches for `len` bytes at `at`; the storage has at least as many.
        unsafe { std::ptr::copy_nonoverlapping(at.cast::<u8>(), to, len as usize) };
        raw.len = len;
        raw
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::case::addr::UnixName;

    #[rstest]
    #[case("{AF_INET 192.0.2.1:12345}")]
    #[case("{AF_INET6 [fe80::1%16]:12345}")]
    #[case("{AF_INET6 [::ffff:192.0.2.1]:0}")]
    fn what_is_written_reads_back(#[case] text: &str) {
        let address: SockAddr = text.parse().unwrap();
        let scope = if let SockAddr::V6 { scope, .. } = address { scope } else { 0 };
        let raw = RawAddr::new(address.ip().unwrap(), address.port().unwrap(), scope, None);
        assert_eq!(raw.read(), Some(address));
    }

    #[rstest]
    #[case(r#"{AF_UNIX "s.sock"}"#)]
    #[case("{AF_UNIX}")]
    fn a_name_reads_back(#[case] text: &str) {
        let unix = match text.parse().unwrap() {
            SockAddr::Unix(unix) => unix,
            _ => Unix::new(UnixName::Unnamed),
        };
        assert_eq!(RawAddr::unix(&unix).read().unwrap().to_string(), text);
    }

    /// A name that no case could have, a terminal's controls in it.
    #[test]
    fn what_a_kernel_should_not_have_written_is_bytes() {
        let mut raw = RawAddr::unix(&Unix::new(UnixName::Path("abc".to_owned())));
        let at = raw.as_mut_ptr().cast::<u8>();
        // SAFETY: within the storage.
        let at = unsafe { at.add(3) };
        // SAFETY: there.
        unsafe { at.write(0x1b) };
        let read = raw.read().unwrap();
        assert_eq!(read, SockAddr::Bare { family: "AF_UNIX 0x611b6300".to_owned() });
    }

    #[test]
    fn an_unnamed_address_is_bare() {
        let raw = RawAddr::new([0, 0, 0, 0].into(), 0, 0, Some(libc::AF_UNSPEC));
        assert_eq!(raw.read().unwrap().to_string(), "{AF_UNSPEC}");
    }
}
