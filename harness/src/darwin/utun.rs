//! Packets as a utun carries them: the address family before each.

use super::sockaddr::{AF_INET, AF_INET6};

/// A packet behind its address family, which stands in network byte order in four bytes
/// (`bsd/net/if_utun.c` `utun_demux`, `utun_framer`). None if it is too short or of another family.
pub fn packet(bytes: &[u8]) -> Option<&[u8]> {
    let (family, packet) = bytes.split_first_chunk::<4>()?;
    (*family == header(packet)?).then_some(packet)
}

/// The four bytes in front of `packet`; none if it is no IP packet.
pub fn header(packet: &[u8]) -> Option<[u8; 4]> {
    let family = match packet.first()? >> 4 {
        4 => AF_INET,
        6 => AF_INET6,
        _ => return None,
    };
    Some([0, 0, 0, family])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn families_are_in_network_order() {
        let bytes = [0, 0, 0, 30, 0x60, 1];
        assert_eq!(packet(&bytes), Some(&bytes[4..]));
        assert_eq!(header(&bytes[4..]), Some([0, 0, 0, 30]));
        assert_eq!(packet(&[0, 0, 0, 2, 0x60]), None);
        assert_eq!(packet(&[2, 0, 0, 0, 0x45]), None);
        assert_eq!(header(&[]), None);
    }

    proptest! {
        #[test]
        fn what_has_a_header_reads_back(bytes: Vec<u8>) {
            let _ = packet(&bytes);
            if let Some(header) = header(&bytes) {
                let carried = [&header[..], &bytes].concat();
                prop_assert_eq!(packet(&carried), Some(&bytes[..]));
            }
        }
    }
}
