//! What a read from a BPF device gives.

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

/// `SIZEOF_BPF_HDR` of `bsd/net/bpf.h`: a shorter header would never let the walk end.
const SHORTEST_HEADER: usize = 18;

/// The records of one read from a BPF device: `struct bpf_hdr` (`bsd/net/bpf.h`) and the packet, each
/// record at a multiple of four (`BPF_WORDALIGN`). Ends where a record is not whole.
pub fn records(mut buffer: &[u8]) -> impl Iterator<Item = Recorded<'_>> {
    std::iter::from_fn(move || {
        let word = |at: usize| {
            let bytes = buffer.get(at..at + 4)?;
            Some(u32::from_ne_bytes(bytes.try_into().ok()?))
        };
        let (seconds, microseconds, caught, len) = (word(0)?, word(4)?, word(8)?, word(12)?);
        let head: [u8; 2] = buffer.get(16..18)?.try_into().ok()?;
        let (head, caught) = (usize::from(u16::from_ne_bytes(head)), usize::try_from(caught).ok()?);
        if head < SHORTEST_HEADER {
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

/// A packet that loopback carried, with the Ethernet header that traces of it have: BPF shows four
/// bytes of address family in host byte order there (`DLT_NULL`, `bsd/net/if_loop.c`).
pub fn of_loopback(bytes: &[u8]) -> Option<Vec<u8>> {
    let (_, packet) = bytes.split_first_chunk::<4>()?;
    let kind = match packet.first()? >> 4 {
        4 => [0x08, 0x00],
        6 => [0x86, 0xdd],
        _ => return None,
    };
    Some([&[0; 12], &kind[..], packet].concat())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(at: u32, packet: &[u8], head: u16, pad: bool) -> Vec<u8> {
        let len = u32::try_from(packet.len()).unwrap();
        let mut bytes = [at, 5, len, len].map(u32::to_ne_bytes).concat();
        bytes.extend(head.to_ne_bytes());
        bytes.resize(head.into(), 0xaa);
        bytes.extend(packet);
        if pad {
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    #[test]
    fn loopback_gets_an_ethernet_header() {
        let frame = of_loopback(&[30, 0, 0, 0, 0x60, 7]).unwrap();
        assert_eq!(frame[12..], [0x86, 0xdd, 0x60, 7]);
        assert_eq!(of_loopback(&[2, 0, 0, 0]), None);
    }

    proptest! {
        #[test]
        fn every_record_comes_back(packets: Vec<Vec<u8>>, head in 18u16..28) {
            let last = packets.len().saturating_sub(1);
            let buffer: Vec<u8> =
                packets.iter().enumerate().flat_map(|(n, p)| record(7, p, head, n < last)).collect();
            let found: Vec<&[u8]> = records(&buffer).map(|r| r.bytes).collect();
            prop_assert_eq!(found, packets);
            prop_assert!(records(&buffer).all(|r| r.at_us == 7_000_005));
        }

        #[test]
        fn no_buffer_panics_or_never_ends(buffer: Vec<u8>) {
            prop_assert!(records(&buffer).count() <= buffer.len() / 18);
        }
    }
}
