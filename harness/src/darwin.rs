//! How Darwin lays out what programs and its kernel tell each other, as pure functions.
//!
//! None of it calls a kernel, so all of it is tested on any system. Sources: XNU 11417.101.15.

use std::net::Ipv6Addr;

/// `_IOC(inout, group, number, length)` of `bsd/sys/ioccom.h`.
const fn ioc(inout: u32, group: u8, number: u8, len: u32) -> u32 {
    inout | (len & 0x1fff) << 16 | (group as u32) << 8 | number as u32
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

/// `sizeof(struct ifreq)`: 16 bytes of name and a union of 16.
pub const IFREQ: u32 = 32;

/// A packet as utun carries it: the address family in network byte order, and the packet
/// (`bsd/net/if_utun.h`). None if it is too short or of another family.
pub fn utun_packet(bytes: &[u8]) -> Option<&[u8]> {
    let (family, packet) = bytes.split_first_chunk::<4>()?;
    let version = packet.first()? >> 4;
    matches!((u32::from_be_bytes(*family), version), (AF_INET, 4) | (AF_INET6, 6)).then_some(packet)
}

const AF_INET: u32 = 2;
const AF_INET6: u32 = 30;

/// The four bytes in front of `packet` on a utun; none if it is no IP packet.
pub fn utun_header(packet: &[u8]) -> Option<[u8; 4]> {
    match packet.first()? >> 4 {
        4 => Some(AF_INET.to_be_bytes()),
        6 => Some(AF_INET6.to_be_bytes()),
        _ => None,
    }
}

/// A packet that BPF recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded<'b> {
    /// When, in microseconds since 1970: BPF has no finer stamp.
    pub at_us: u64,
    /// Its length on the link, which may be beyond what was recorded.
    pub len: u32,
    /// What was recorded.
    pub bytes: &'b [u8],
}

/// The records of one read from a BPF device: `struct bpf_hdr` (`bsd/net/bpf.h`) and the packet, each
/// record at a multiple of four (`BPF_WORDALIGN`). Ends where a record is not whole.
pub fn bpf_records(mut buffer: &[u8]) -> impl Iterator<Item = Recorded<'_>> {
    std::iter::from_fn(move || {
        let word = |at: usize| {
            let bytes = buffer.get(at..at + 4)?;
            Some(u32::from_ne_bytes(bytes.try_into().ok()?))
        };
        let (seconds, microseconds, caught, len) = (word(0)?, word(4)?, word(8)?, word(12)?);
        let head: [u8; 2] = buffer.get(16..18)?.try_into().ok()?;
        let (head, caught) = (usize::from(u16::from_ne_bytes(head)), usize::try_from(caught).ok()?);
        // `SIZEOF_BPF_HDR`: a shorter header would never let the walk end.
        if head < 18 {
            return None;
        }
        let end = head.checked_add(caught)?;
        let bytes = buffer.get(head..end)?;
        // The last record need not be padded.
        buffer = buffer.get(end.next_multiple_of(4)..).unwrap_or_default();
        let at_us = u64::from(seconds) * 1_000_000 + u64::from(microseconds);
        Some(Recorded { at_us, len, bytes })
    })
}

/// A link-local address as the kernel keeps it, with the interface index in its second 16 bits, split
/// into the address and the index (KAME; `bsd/netinet6/scope6.c`). Routing messages and
/// `getifaddrs` show it so. Index 0: none was embedded.
pub fn without_embedded_scope(ip: Ipv6Addr) -> (Ipv6Addr, u32) {
    let mut parts = ip.segments();
    let scoped = parts[0] & 0xffc0 == 0xfe80 || matches!(parts[0] & 0xff0f, 0xff01 | 0xff02);
    if !scoped {
        return (ip, 0);
    }
    let index = std::mem::take(&mut parts[1]);
    (parts.into(), index.into())
}

/// The length that a socket address takes in a routing message: its `sa_len` up to a multiple of
/// four, and four for an empty one (`ROUNDUP32` of `bsd/net/rtsock.c`).
pub fn routing_address_len(sa_len: u8) -> usize {
    usize::from(sa_len).max(1).next_multiple_of(4)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(iowr(b'i', 51, IFREQ), 0xc020_6933)]
    #[case(iowr(b'i', 17, IFREQ), 0xc020_6911)]
    #[case(iow(b'i', 16, IFREQ), 0x8020_6910)]
    #[case(ior(b's', 7, 4), 0x4004_7307)]
    fn requests_are_the_headers(#[case] computed: u32, #[case] header: u32) {
        assert_eq!(computed, header);
    }

    #[test]
    fn utun_families_are_network_order() {
        let bytes = [0, 0, 0, 30, 0x60, 1];
        assert_eq!(utun_packet(&bytes), Some(&bytes[4..]));
        assert_eq!(utun_header(&bytes[4..]), Some([0, 0, 0, 30]));
        assert_eq!(utun_packet(&[0, 0, 0, 2, 0x60]), None);
        assert_eq!(utun_packet(&[2, 0, 0, 0, 0x45]), None);
        assert_eq!(utun_header(&[]), None);
    }

    fn record(at: u32, packet: &[u8], pad: bool) -> Vec<u8> {
        let len = u32::try_from(packet.len()).unwrap();
        let mut bytes = [at, 5, len, len].map(u32::to_ne_bytes).concat();
        bytes.extend(18u16.to_ne_bytes());
        bytes.extend(packet);
        if pad {
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    #[rstest]
    #[case("fe80:5::1", "fe80::1", 5)]
    #[case("fe80::1", "fe80::1", 0)]
    #[case("ff02:10::1", "ff02::1", 16)]
    #[case("ff05:10::1", "ff05:10::1", 0)]
    #[case("2001:db8::1", "2001:db8::1", 0)]
    fn scopes_come_out(#[case] kept: Ipv6Addr, #[case] plain: Ipv6Addr, #[case] index: u32) {
        assert_eq!(without_embedded_scope(kept), (plain, index));
    }

    #[rstest]
    #[case(0, 4)]
    #[case(7, 8)]
    #[case(16, 16)]
    #[case(28, 28)]
    fn routing_addresses_are_rounded(#[case] sa_len: u8, #[case] takes: usize) {
        assert_eq!(routing_address_len(sa_len), takes);
    }

    proptest! {
        #[test]
        fn every_record_comes_back(packets: Vec<Vec<u8>>) {
            let last = packets.len().saturating_sub(1);
            let buffer: Vec<u8> =
                packets.iter().enumerate().flat_map(|(n, p)| record(7, p, n < last)).collect();
            let found: Vec<&[u8]> = bpf_records(&buffer).map(|r| r.bytes).collect();
            prop_assert_eq!(found, packets);
            prop_assert!(bpf_records(&buffer).all(|r| r.at_us == 7_000_005));
        }

        #[test]
        fn no_buffer_panics_or_never_ends(buffer: Vec<u8>) {
            prop_assert!(bpf_records(&buffer).count() <= buffer.len() / 18);
        }
    }
}
