//! The Internet checksum (RFC 1071) and its pseudo headers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::checksum::Sum16BitWords;

/// Source and destination of one family: what a pseudo header is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    V4(Ipv4Addr, Ipv4Addr),
    V6(Ipv6Addr, Ipv6Addr),
}

impl Ends {
    /// `None` when the families differ.
    pub(super) fn new(src: IpAddr, dst: IpAddr) -> Option<Self> {
        match (src, dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => Some(Self::V4(src, dst)),
            (IpAddr::V6(src), IpAddr::V6(dst)) => Some(Self::V6(src, dst)),
            _ => None,
        }
    }

    /// RFC 9293 §3.1 for IPv4, RFC 8200 §8.1 for IPv6.
    fn pseudo_header(self, protocol: u8, len: usize) -> Sum16BitWords {
        let len = u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes();
        let mut sum = Sum16BitWords::new();
        let mut sum = match self {
            Self::V4(src, dst) => sum.add_4bytes(src.octets()).add_4bytes(dst.octets()),
            Self::V6(src, dst) => sum.add_16bytes(src.octets()).add_16bytes(dst.octets()),
        };
        sum.add_4bytes(len).add_2bytes([0, protocol])
    }

    /// The checksum of a datagram, pseudo header included. Zero when the datagram holds its right checksum.
    pub(super) fn sum(self, protocol: u8, bytes: &[u8]) -> u16 {
        self.pseudo_header(protocol, bytes.len()).add_slice(bytes).ones_complement().to_be()
    }
}

/// The checksum of bytes alone: an IPv4 header, ICMP, IGMP. Zero when they hold their right checksum.
pub(super) fn sum(bytes: &[u8]) -> u16 {
    Sum16BitWords::new().add_slice(bytes).ones_complement().to_be()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_1071() {
        // RFC 1071 §3: the sum of these is ddf2.
        assert_eq!(sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
    }

    #[test]
    fn odd_lengths_are_padded_behind() {
        assert_eq!(sum(&[0x12, 0x34, 0x56]), sum(&[0x12, 0x34, 0x56, 0x00]));
    }

    #[test]
    fn families_do_not_mix() {
        assert_eq!(Ends::new(Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()), None);
    }
}
