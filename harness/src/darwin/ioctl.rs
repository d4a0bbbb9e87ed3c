//! The numbers of ioctls, computed as the headers compute them.

/// `_IOC(inout, group, number, length)` of `bsd/sys/ioccom.h`.
const fn ioc(inout: u32, group: u8, number: u8, len: u32) -> u32 {
    inout | (len & 0x1fff) << 16 | (group as u32) << 8 | number as u32
}

/// `_IO`: there is no argument.
pub const fn io(group: u8, number: u8) -> u32 {
    ioc(0x2000_0000, group, number, 0)
}

/// `_IOR`: the kernel writes `len` bytes.
pub const fn ior(group: u8, number: u8, len: u32) -> u32 {
    ioc(0x4000_0000, group, number, len)
}

/// `_IOW`: the kernel reads `len` bytes.
pub const fn iow(group: u8, number: u8, len: u32) -> u32 {
    ioc(0x8000_0000, group, number, len)
}

/// `_IOWR`: both.
pub const fn iowr(group: u8, number: u8, len: u32) -> u32 {
    ioc(0xc000_0000, group, number, len)
}

/// `IOCPARM_LEN`: how many bytes the kernel reads or writes.
pub const fn len_of(request: u32) -> usize {
    (request >> 16 & 0x1fff) as usize
}

/// `sizeof(struct ifreq)`: 16 bytes of name and a union of 16.
pub const IFREQ: u32 = 32;
/// `sizeof(struct ifconf)` under `#pragma pack(4)`: a length and a pointer (`bsd/net/if.h`).
pub const IFCONF: u32 = 12;
/// `sizeof(struct ifaliasreq)`: a name and three `struct sockaddr` (`bsd/net/if.h`).
pub const IFALIASREQ: u32 = 64;
/// `sizeof(struct in6_aliasreq)` where `time_t` has 64 bits (`bsd/netinet6/in6_var.h`).
pub const IN6_ALIASREQ: u32 = 128;
/// `sizeof(struct in6_ifreq)`: a name and a union of 272 bytes (`bsd/netinet6/in6_var.h`).
pub const IN6_IFREQ: u32 = 288;
/// `sizeof(struct ifdrv)` on 64 bits: a name, a command, a length, a pointer (`bsd/net/if.h`).
pub const IFDRV: u32 = 40;
/// `sizeof(struct in6_ondireq)`: a name and a `nd_ifinfo` of 32 bytes (`bsd/netinet6/nd6.h`).
pub const IN6_ONDIREQ: u32 = 48;
/// `sizeof(struct in6_ndireq)`: a name and a `nd_ifinfo` of 56 bytes (`bsd/netinet6/nd6.h`).
pub const IN6_NDIREQ: u32 = 72;
/// `sizeof(struct ctl_info)`: an id and a name of 96 bytes (`bsd/sys/kern_control.h`).
pub const CTL_INFO: u32 = 100;

/// `bsd/sys/sockio.h:88`: the flags of an interface are set.
pub const SIOCSIFFLAGS: u32 = iow(b'i', 16, IFREQ);
/// `bsd/sys/sockio.h:89`.
pub const SIOCGIFFLAGS: u32 = iowr(b'i', 17, IFREQ);
/// `bsd/sys/sockio.h:94`: an IPv4 address is taken away.
pub const SIOCDIFADDR: u32 = iow(b'i', 25, IFREQ);
/// `bsd/sys/sockio.h:95`: one is added.
pub const SIOCAIFADDR: u32 = iow(b'i', 26, IFALIASREQ);
/// `bsd/sys/sockio.h:113`.
pub const SIOCGIFMTU: u32 = iowr(b'i', 51, IFREQ);
/// `bsd/sys/sockio.h:114`.
pub const SIOCSIFMTU: u32 = iow(b'i', 52, IFREQ);
/// `bsd/sys/sockio.h:132`: the link-layer address is set.
pub const SIOCSIFLLADDR: u32 = iow(b'i', 60, IFREQ);
/// `bsd/sys/sockio.h:163`: an interface is taken away again.
pub const SIOCIFDESTROY: u32 = iow(b'i', 121, IFREQ);
/// `bsd/sys/sockio.h:164`: an interface of that name is made.
pub const SIOCIFCREATE2: u32 = iowr(b'i', 122, IFREQ);
/// `bsd/sys/sockio.h:166`: something of a driver's own is set.
pub const SIOCSDRVSPEC: u32 = iow(b'i', 123, IFDRV);
/// `bsd/netinet6/in6_var.h:631`.
pub const SIOCDIFADDR_IN6: u32 = iow(b'i', 25, IN6_IFREQ);
/// `bsd/netinet6/in6_var.h:632`.
pub const SIOCAIFADDR_IN6: u32 = iow(b'i', 26, IN6_ALIASREQ);
/// `bsd/netinet6/in6_var.h:645`: `IN6_IFF_TENTATIVE` and others of an address.
pub const SIOCGIFAFLAG_IN6: u32 = iowr(b'i', 73, IN6_IFREQ);
/// `bsd/netinet6/in6_var.h:650`: how an interface does neighbour discovery.
pub const SIOCGIFINFO_IN6: u32 = iowr(b'i', 76, IN6_ONDIREQ);
/// `bsd/netinet6/in6_var.h:676`: the flags of that are set, all of them.
pub const SIOCSIFINFO_FLAGS: u32 = iowr(b'i', 87, IN6_NDIREQ);
/// `bsd/netinet6/in6_var.h:711`: IPv6 is attached to an interface, without an address.
pub const SIOCPROTOATTACH_IN6: u32 = iowr(b'i', 110, IN6_ALIASREQ);
/// `bsd/sys/kern_control.h:97`: the id of a kernel control.
pub const CTLIOCGINFO: u32 = iowr(b'N', 3, CTL_INFO);
/// `sizeof(struct if_nsreq)`: a name, a family, a length, flags and 20 bytes (`bsd/net/if_private.h`).
pub const IF_NSREQ: u32 = 40;
/// `bsd/sys/sockio_private.h:204`: which network an interface is on.
pub const SIOCSIFNETSIGNATURE: u32 = iowr(b'i', 174, IF_NSREQ);
/// `bsd/sys/sockio_private.h`: whether connections by an interface ask for ECN (RFC 3168).
pub const SIOCSECNMODE: u32 = iow(b'i', 177, IFREQ);
/// `bsd/net/bpf.h:214`: how long the buffer is; each read asks for all of it.
pub const BIOCGBLEN: u32 = ior(b'B', 102, 4);
/// `bsd/net/bpf.h:215`: how long it shall be, before the device has an interface.
pub const BIOCSBLEN: u32 = iowr(b'B', 102, 4);
/// `bsd/net/bpf.h:223`: which header packets have.
pub const BIOCGDLT: u32 = ior(b'B', 106, 4);
/// `bsd/net/bpf.h:236`: how many packets came, and how many there was no room for.
pub const BIOCGSTATS: u32 = ior(b'B', 111, 8);
/// `bsd/net/bpf.h:222`.
pub const BIOCPROMISC: u32 = io(b'B', 105);
/// `bsd/net/bpf.h:225`.
pub const BIOCSETIF: u32 = iow(b'B', 108, IFREQ);
/// `bsd/net/bpf.h:237`: a read returns with the first packet.
pub const BIOCIMMEDIATE: u32 = iow(b'B', 112, 4);
/// `bsd/net/bpf.h:242`: what is written has its source address already.
pub const BIOCSHDRCMPLT: u32 = iow(b'B', 117, 4);
/// `bsd/net/bpf.h:244`: whether what is written is read back.
pub const BIOCSSEESENT: u32 = iow(b'B', 119, 4);

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    // As a compiler made them of the headers.
    #[rstest]
    #[case(SIOCSIFFLAGS, 0x8020_6910)]
    #[case(SIOCGIFFLAGS, 0xc020_6911)]
    #[case(SIOCDIFADDR, 0x8020_6919)]
    #[case(SIOCAIFADDR, 0x8040_691a)]
    #[case(SIOCGIFMTU, 0xc020_6933)]
    #[case(SIOCSIFMTU, 0x8020_6934)]
    #[case(SIOCSIFLLADDR, 0x8020_693c)]
    #[case(SIOCIFDESTROY, 0x8020_6979)]
    #[case(SIOCIFCREATE2, 0xc020_697a)]
    #[case(SIOCSDRVSPEC, 0x8028_697b)]
    #[case(SIOCDIFADDR_IN6, 0x8120_6919)]
    #[case(SIOCAIFADDR_IN6, 0x8080_691a)]
    #[case(SIOCGIFAFLAG_IN6, 0xc120_6949)]
    #[case(SIOCGIFINFO_IN6, 0xc030_694c)]
    #[case(SIOCSIFINFO_FLAGS, 0xc048_6957)]
    #[case(SIOCPROTOATTACH_IN6, 0xc080_696e)]
    #[case(BIOCSBLEN, 0xc004_4266)]
    #[case(BIOCGDLT, 0x4004_426a)]
    #[case(BIOCGSTATS, 0x4008_426f)]
    #[case(CTLIOCGINFO, 0xc064_4e03)]
    #[case(BIOCGBLEN, 0x4004_4266)]
    #[case(BIOCPROMISC, 0x2000_4269)]
    #[case(BIOCSETIF, 0x8020_426c)]
    #[case(BIOCIMMEDIATE, 0x8004_4270)]
    #[case(BIOCSHDRCMPLT, 0x8004_4275)]
    #[case(BIOCSSEESENT, 0x8004_4277)]
    fn requests_are_the_headers(#[case] computed: u32, #[case] header: u32) {
        assert_eq!(computed, header, "{computed:#x}, {header:#x}");
        assert_eq!(len_of(SIOCAIFADDR_IN6), IN6_ALIASREQ as usize);
    }
}
