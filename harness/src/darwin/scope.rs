//! Link-local addresses as Darwin's kernel keeps them.

use std::net::Ipv6Addr;

pub(super) fn is_scoped(ip: Ipv6Addr) -> bool {
    let first = ip.segments()[0];
    first & 0xffc0 == 0xfe80 || matches!(first & 0xff0f, 0xff01 | 0xff02)
}

/// A link-local address as the kernel keeps it, with the interface index in its second 16 bits, split
/// into the address and the index (KAME; `bsd/netinet6/scope6.c`). Routing messages and
/// `getifaddrs` show it so. Index 0: none was embedded.
pub fn without_embedded_scope(ip: Ipv6Addr) -> (Ipv6Addr, u32) {
    if !is_scoped(ip) {
        return (ip, 0);
    }
    let mut parts = ip.segments();
    let index = std::mem::take(&mut parts[1]);
    (parts.into(), index.into())
}

/// The other way round: what a routing message has to say for an address on that interface.
pub fn with_embedded_scope(ip: Ipv6Addr, index: u16) -> Ipv6Addr {
    let mut parts = ip.segments();
    if is_scoped(ip) {
        parts[1] = index;
    }
    parts.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("fe80:5::1", "fe80::1", 5)]
    #[case("fe80::1", "fe80::1", 0)]
    #[case("ff02:10::1", "ff02::1", 16)]
    #[case("ff05:10::1", "ff05:10::1", 0)]
    #[case("2001:db8::1", "2001:db8::1", 0)]
    fn scopes_come_out(#[case] kept: Ipv6Addr, #[case] plain: Ipv6Addr, #[case] index: u32) {
        assert_eq!(without_embedded_scope(kept), (plain, index));
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(ip: Ipv6Addr, index: u16) {
            let (plain, _) = without_embedded_scope(ip);
            let wanted = if is_scoped(ip) { u32::from(index) } else { 0 };
            prop_assert_eq!(without_embedded_scope(with_embedded_scope(plain, index)), (plain, wanted));
        }
    }
}
