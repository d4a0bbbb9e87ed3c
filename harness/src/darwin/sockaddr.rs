//! Socket addresses as Darwin's kernel reads and writes them: the first byte is their length.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::scope::without_embedded_scope;

/// `AF_INET` and `AF_INET6` of `bsd/sys/socket.h`, and `AF_LINK`.
pub const AF_INET: u8 = 2;
/// The second.
pub const AF_INET6: u8 = 30;
/// The third.
pub const AF_LINK: u8 = 18;

/// `sizeof(struct sockaddr_in)`, `sizeof(struct sockaddr_in6)`, `sizeof(struct sockaddr_dl)`.
const IN: usize = 16;
const IN6: usize = 28;
const DL: usize = 20;

/// Where the address begins in a `sockaddr_in` and in a `sockaddr_in6`.
const IN_ADDR: usize = 4;
const IN6_ADDR: usize = 8;
/// Where `sin6_scope_id` does.
const IN6_SCOPE: usize = 24;

/// `IFT_ETHER` of `bsd/net/if_types.h`.
const IFT_ETHER: u8 = 6;

/// What a socket address says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `sockaddr_in` or `sockaddr_in6`, and the interface that the address is of, 0 for none.
    Ip(IpAddr, u32),
    /// `sockaddr_dl`: an interface's index, name and link-layer address, as far as it has them.
    Link {
        /// `sdl_index`.
        index: u16,
        /// The first `sdl_nlen` bytes of its data.
        name: String,
        /// The `sdl_alen` bytes behind those.
        mac: Vec<u8>,
    },
    /// Of another family, or none at all.
    Other(u8),
}

/// An address without a port, the scope where users put it.
pub fn of_ip(ip: IpAddr, scope: u32) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => {
            let mut bytes = head(IN, AF_INET);
            bytes[IN_ADDR..IN_ADDR + 4].copy_from_slice(&ip.octets());
            bytes
        }
        IpAddr::V6(ip) => {
            let mut bytes = head(IN6, AF_INET6);
            bytes[IN6_ADDR..IN6_ADDR + 16].copy_from_slice(&ip.octets());
            bytes[IN6_SCOPE..].copy_from_slice(&scope.to_ne_bytes());
            bytes
        }
    }
}

/// The mask of a prefix, whole: what the kernel writes itself ends with its last byte of ones.
pub fn of_prefix(of: IpAddr, len: u8) -> Vec<u8> {
    let ones = |width: u8| u128::MAX.checked_shl((width - len.min(width)).into()).unwrap_or(0);
    match of {
        IpAddr::V4(_) => {
            let [.., a, b, c, d] = ones(32).to_be_bytes();
            of_ip(Ipv4Addr::new(a, b, c, d).into(), 0)
        }
        IpAddr::V6(_) => of_ip(Ipv6Addr::from(ones(128)).into(), 0),
    }
}

/// An interface by its index, and a link-layer address on it.
pub fn of_link(index: u16, mac: &[u8]) -> Vec<u8> {
    let mut bytes = head(DL, AF_LINK);
    bytes[2..4].copy_from_slice(&index.to_ne_bytes());
    bytes[4] = IFT_ETHER;
    // There is room for twelve bytes.
    let mac = &mac[..mac.len().min(DL - 8)];
    bytes[6] = u8::try_from(mac.len()).unwrap_or(0);
    bytes[8..8 + mac.len()].copy_from_slice(mac);
    bytes
}

/// `sa_len`, `sa_family` and zeros.
fn head(len: usize, family: u8) -> Vec<u8> {
    let mut bytes = vec![0; len];
    bytes[0] = u8::try_from(len).unwrap_or(u8::MAX);
    bytes[1] = family;
    bytes
}

/// What the address at the beginning of `bytes` says; none where it is cut off.
pub fn read(bytes: &[u8]) -> Option<Address> {
    let len = usize::from(*bytes.first()?);
    if len < 2 {
        return Some(Address::Other(0));
    }
    let bytes = bytes.get(..len)?;
    Some(match (bytes[1], len) {
        (AF_INET, IN..) => {
            let ip: [u8; 4] = bytes[IN_ADDR..IN_ADDR + 4].try_into().ok()?;
            Address::Ip(ip.into(), 0)
        }
        (AF_INET6, IN6..) => {
            let ip: [u8; 16] = bytes[IN6_ADDR..IN6_ADDR + 16].try_into().ok()?;
            let scope = u32::from_ne_bytes(bytes[IN6_SCOPE..IN6].try_into().ok()?);
            let (ip, embedded) = without_embedded_scope(ip.into());
            Address::Ip(ip.into(), if scope == 0 { embedded } else { scope })
        }
        (AF_LINK, 8..) => {
            let index = u16::from_ne_bytes([bytes[2], bytes[3]]);
            let (name_len, mac_len) = (usize::from(bytes[5]), usize::from(bytes[6]));
            let name = bytes.get(8..8 + name_len)?;
            let mac = bytes.get(8 + name_len..8 + name_len + mac_len)?;
            let name = String::from_utf8_lossy(name).into_owned();
            Address::Link { index, name, mac: mac.to_vec() }
        }
        (family, _) => Address::Other(family),
    })
}

/// How many ones a mask begins with. The kernel leaves out the zeros at its end, the whole of it
/// where it has no ones, and often the family.
pub fn prefix_len(mask: &[u8], of: IpAddr) -> u8 {
    let begin = if of.is_ipv4() { IN_ADDR } else { IN6_ADDR };
    let end = mask.first().map_or(0, |len| usize::from(*len)).min(mask.len());
    let ones = mask.get(begin..end).unwrap_or_default().iter().map(|byte| byte.leading_ones());
    let mut sum = 0;
    for some in ones {
        sum += some;
        if some < 8 {
            break;
        }
    }
    u8::try_from(sum).unwrap_or(128).min(if of.is_ipv4() { 32 } else { 128 })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_length_is_the_first_byte() {
        let v4 = of_ip(Ipv4Addr::new(192, 0, 2, 1).into(), 0);
        assert_eq!(v4, [16, 2, 0, 0, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        let v6 = of_ip("fe80::1".parse().unwrap(), 5);
        assert_eq!((v6.len(), &v6[..3], v6[8], v6[23]), (28, &[28, 30, 0][..], 0xfe, 1));
        let link = of_link(7, &[2, 0, 0, 0, 0, 1]);
        assert_eq!((link.len(), &link[..2], link[6]), (20, &[20, 18][..], 6));
    }

    // As `route -n monitor` and net-snmp's dumps show them.
    #[rstest]
    #[case(&[7, 255, 0, 0, 255, 255, 255], "192.0.2.1", 24)]
    #[case(&[0, 0, 0, 0], "0.0.0.0", 0)]
    #[case(&[6, 0, 0, 0, 255, 240], "172.16.0.0", 12)]
    #[case(&[16, 30, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255], "fe80::", 64)]
    #[case(&[], "::", 0)]
    fn a_mask_is_cut_off_behind_its_ones(#[case] mask: &[u8], #[case] of: IpAddr, #[case] len: u8) {
        assert_eq!(prefix_len(mask, of), len);
    }

    proptest! {
        #[test]
        fn an_address_reads_back(ip: IpAddr, scope: u32) {
            let (plain, embedded) = match ip {
                IpAddr::V4(_) => (ip, 0),
                IpAddr::V6(v6) => {
                    let (v6, index) = without_embedded_scope(v6);
                    (v6.into(), index)
                }
            };
            let scope = if ip.is_ipv4() { 0 } else { scope };
            let wanted = if scope == 0 { embedded } else { scope };
            prop_assert_eq!(read(&of_ip(ip, scope)), Some(Address::Ip(plain, wanted)));
        }

        #[test]
        fn a_mask_reads_back(ip: IpAddr, len in 0u8..=128) {
            let len = if ip.is_ipv4() { len.min(32) } else { len };
            prop_assert_eq!(prefix_len(&of_prefix(ip, len), ip), len);
        }

        #[test]
        fn a_link_reads_back(index: u16, mac: [u8; 6]) {
            let name = String::new();
            let wanted = Address::Link { index, name, mac: mac.to_vec() };
            prop_assert_eq!(read(&of_link(index, &mac)), Some(wanted));
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, of: IpAddr) {
            let _ = (read(&bytes), prefix_len(&bytes, of));
        }
    }
}
