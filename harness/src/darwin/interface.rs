//! An interface of a lab's made ready, request by request.
//!
//! What makes the requests is a [`Control`], so that their order can be tried on a kernel that is
//! none. The order matters: the first IPv6 address of an interface to which IPv6 was not attached
//! before brings a link-local address of the kernel's own making with it (xnu-11417
//! `bsd/netinet6/in6.c:1728`), of which on a utun the host's own link-layer address is a part
//! (`bsd/netinet6/in6_ifattach.c` `in6_select_interface_identifier`); and an address that is added
//! while its interface does duplicate address detection is tentative until that has ended (`in6.c:2117`),
//! for ever if it was added with `IN6_IFF_NODAD`, which only keeps the detection from beginning
//! (`in6.c:2359`). So IPv6 is attached first, the detection turned off for the interface, and
//! addresses are added without that flag.

use std::io;
use std::net::{IpAddr, Ipv6Addr};

use super::{ioctl, request, sockaddr};

/// Of which family the socket is that a request is made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `AF_INET`.
    V4,
    /// `AF_INET6`.
    V6,
}

/// A kernel that takes requests about interfaces.
pub trait Control {
    /// `ioctl` on a socket of the family: `bytes` are what it reads and writes.
    fn control(&self, family: Family, number: u32, bytes: &mut [u8]) -> io::Result<()>;
}

/// `ND6_IFF_DAD` of `bsd/netinet6/nd6.h:208`.
const DAD: u32 = 0x200;

/// `EEXIST` of `bsd/sys/errno.h`.
const EEXIST: i32 = 17;

/// Attaches IPv6 to an interface, without any address, and has it ask nobody whether an address is
/// free, as `ifconfig IF inet6 -dad` does (network_cmds-741 `ifconfig.tproj/af_inet6.c` `setnd6flags`).
pub fn attach_v6(kernel: &impl Control, name: &str) -> io::Result<()> {
    match kernel.control(Family::V6, ioctl::SIOCPROTOATTACH_IN6, &mut request::in6_attach(name)) {
        Err(e) if e.raw_os_error() != Some(EEXIST) => return Err(e),
        _ => {}
    }
    let mut info = request::in6_ondireq(name);
    kernel.control(Family::V6, ioctl::SIOCGIFINFO_IN6, &mut info)?;
    let flags = request::discovery_flags(&info);
    if flags & DAD == 0 {
        return Ok(());
    }
    let mut wanted = request::in6_ndireq(name, flags & !DAD);
    kernel.control(Family::V6, ioctl::SIOCSIFINFO_FLAGS, &mut wanted)
}

/// Says that an interface is on a network that has not been seen before: what TCP remembers of a
/// peer (a Fast Open cookie, that it lost data in a SYN) is that of a network (xnu-7195
/// `bsd/netinet/tcp_cache.c` `tcp_cache_hash_src`).
pub fn on_another_network(
    kernel: &impl Control,
    name: &str,
    signature: [u8; 20],
) -> io::Result<()> {
    for family in [sockaddr::AF_INET, sockaddr::AF_INET6] {
        let mut bytes = request::if_nsreq(name, family, signature);
        kernel.control(Family::V4, ioctl::SIOCSIFNETSIGNATURE, &mut bytes)?;
    }
    Ok(())
}

/// `IFRTYPE_ECN_DISABLE` of `bsd/net/if_private.h`.
const NO_ECN: u32 = 2;

/// Has no connection by an interface ask for ECN. Else that depends on what became of connections
/// before, which the kernel remembers for an hour (xnu-7195 `bsd/netinet/tcp_output.c:501`,
/// `tcp_heuristic_do_ecn`).
pub fn without_ecn(kernel: &impl Control, name: &str) -> io::Result<()> {
    // The number stands where an MTU does.
    let mut bytes = request::ifreq_mtu(name, NO_ECN);
    kernel.control(Family::V4, ioctl::SIOCSECNMODE, &mut bytes)
}

/// Adds an address. `far` is the other end's where a link has but one, `index` the interface's.
pub fn add_address(
    kernel: &impl Control,
    (name, index): (&str, u16),
    ip: IpAddr,
    far: Option<IpAddr>,
    prefix_len: u8,
) -> io::Result<()> {
    match ip {
        IpAddr::V4(ip) => {
            let other = match far {
                Some(IpAddr::V4(far)) => far,
                _ => request::broadcast(ip, prefix_len),
            };
            let mut bytes = request::ifaliasreq(name, ip, other, prefix_len);
            kernel.control(Family::V4, ioctl::SIOCAIFADDR, &mut bytes)
        }
        IpAddr::V6(ip) => {
            attach_v6(kernel, name)?;
            let mut bytes = request::in6_aliasreq(name, ip, index, prefix_len);
            kernel.control(Family::V6, ioctl::SIOCAIFADDR_IN6, &mut bytes)
        }
    }
}

/// Takes an address away.
pub fn delete_address(
    kernel: &impl Control,
    (name, index): (&str, u16),
    ip: IpAddr,
) -> io::Result<()> {
    match ip {
        IpAddr::V4(ip) => {
            kernel.control(Family::V4, ioctl::SIOCDIFADDR, &mut request::ifreq_ip(name, ip))
        }
        IpAddr::V6(ip) => {
            let mut bytes = request::in6_ifreq(name, ip, index.into());
            kernel.control(Family::V6, ioctl::SIOCDIFADDR_IN6, &mut bytes)
        }
    }
}

/// What of an address's flags says that it cannot be used as any other can: `IN6_IFF_*` of
/// `bsd/netinet6/in6_var.h:814`.
const UNUSABLE: [(u32, &str); 6] = [
    (0x1, "anycast"),
    (0x2, "tentative"),
    (0x4, "duplicated"),
    (0x8, "detached"),
    (0x10, "deprecated"),
    (0x200, "optimistic"),
];

/// What keeps an IPv6 address from being used, with all of its flags; none if nothing does.
pub fn unusable(
    kernel: &impl Control,
    (name, index): (&str, u16),
    ip: Ipv6Addr,
) -> io::Result<Option<String>> {
    let mut bytes = request::in6_ifreq(name, ip, index.into());
    kernel.control(Family::V6, ioctl::SIOCGIFAFLAG_IN6, &mut bytes)?;
    let flags = request::address_flags(&bytes);
    let words: Vec<&str> =
        UNUSABLE.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, word)| *word).collect();
    Ok((!words.is_empty()).then(|| format!("{} (flags {flags:#x})", words.join(", "))))
}

#[cfg(test)]
mod tests;
