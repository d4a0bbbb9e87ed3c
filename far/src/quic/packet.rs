//! What can be read of a packet without its keys: RFC 8999, and the types of RFC 9000 §17.2 and RFC 9369 §3.2.

/// The least length of a datagram with an Initial in it, in bytes (RFC 9000 §14.1).
pub const LEAST: usize = 1200;
/// The versions that a negotiation names when it has something to offer.
pub(super) const KNOWN: [u32; 2] = [1, V2];

const V2: u32 = 0x6b33_43cf;
/// How many packets are looked at in a datagram; few hold more than three.
const MOST: usize = 8;

/// The type of a packet with a long header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Long {
    /// Begins a connection.
    Initial,
    /// Early data.
    ZeroRtt,
    /// The rest of the handshake.
    Handshake,
    /// Of servers only.
    Retry,
    /// Of a version whose types are not known.
    Unknown,
}

/// A packet with a long header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) version: u32,
    pub(super) kind: Long,
    pub(super) destination: &'a [u8],
    pub(super) source: &'a [u8],
    /// How long its token is.
    pub(super) token: usize,
}

/// The packets with long headers at the beginning of a datagram; none if it begins with another.
pub(super) fn packets(datagram: &[u8]) -> Vec<Packet<'_>> {
    let mut all = Vec::new();
    let mut rest = datagram;
    while let Some((packet, behind)) = long(rest).filter(|_| all.len() < MOST) {
        all.push(packet);
        rest = behind;
    }
    all
}

fn long(mut bytes: &[u8]) -> Option<(Packet<'_>, &[u8])> {
    let first = *take(&mut bytes, 1)?.first()?;
    if first & 0x80 == 0 {
        return None;
    }
    let version = u32::from_be_bytes(take(&mut bytes, 4)?.try_into().ok()?);
    let destination = take_counted(&mut bytes)?;
    let source = take_counted(&mut bytes)?;
    let kind = match (version, first >> 4 & 3) {
        (V2, kind) => {
            [Long::Retry, Long::Initial, Long::ZeroRtt, Long::Handshake][usize::from(kind)]
        }
        (1, kind) => of_v1(kind),
        (draft, kind) if draft >> 8 == 0x00ff_0000 => of_v1(kind),
        _ => Long::Unknown,
    };
    let mut token = 0;
    if kind == Long::Initial {
        token = usize::try_from(varint(&mut bytes)?).ok()?;
        take(&mut bytes, token)?;
    }
    if matches!(kind, Long::Retry | Long::Unknown) {
        bytes = &[];
    } else {
        let length = usize::try_from(varint(&mut bytes)?).ok()?;
        take(&mut bytes, length)?;
    }
    Some((Packet { version, kind, destination, source, token }, bytes))
}

fn of_v1(kind: u8) -> Long {
    [Long::Initial, Long::ZeroRtt, Long::Handshake, Long::Retry][usize::from(kind & 3)]
}

/// The first bytes, which are taken away.
pub(super) fn take<'a>(bytes: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(n)?;
    *bytes = rest;
    Some(taken)
}

/// Bytes behind their number.
fn take_counted<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let n = usize::from(*take(bytes, 1)?.first()?);
    take(bytes, n)
}

/// A number of one, two, four or eight bytes (RFC 9000 §16), which are taken away.
pub(super) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let first = *bytes.first()?;
    let taken = take(bytes, 1 << (first >> 6))?;
    let rest = taken[1..].iter().fold(u64::from(first & 0x3f), |n, b| n << 8 | u64::from(*b));
    Some(rest)
}

/// Says that those versions are spoken (RFC 9000 §17.2.1).
pub(super) fn negotiation(packet: &Packet<'_>, versions: &[u32]) -> Vec<u8> {
    let mut out = vec![0xc0, 0, 0, 0, 0];
    for id in [packet.source, packet.destination] {
        // It came behind one byte.
        out.push(u8::try_from(id.len()).unwrap_or(0));
        out.extend_from_slice(id);
    }
    out.extend(versions.iter().flat_map(|version| version.to_be_bytes()));
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn initial(first: u8, version: u32, token: &[u8], length: u8) -> Vec<u8> {
        let mut out = vec![first];
        out.extend(version.to_be_bytes());
        out.extend([2, 7, 8, 1, 9]);
        out.push(u8::try_from(token.len()).unwrap());
        out.extend(token);
        out.push(length);
        out.extend(vec![0; usize::from(length)]);
        out
    }

    #[test]
    fn coalesced_packets_are_told_apart() {
        let mut datagram = initial(0xc3, 1, b"tok", 5);
        datagram.extend([0xd0, 0, 0, 0, 1, 0, 0, 2, 1, 1]);
        datagram.extend([0x40, 1, 2, 3]);
        let all = packets(&datagram);
        let brief: Vec<_> =
            all.iter().map(|p| (p.kind, p.destination, p.source, p.token)).collect();
        assert_eq!(
            brief,
            [(Long::Initial, &[7, 8][..], &[9][..], 3), (Long::ZeroRtt, &[][..], &[][..], 0)]
        );
        assert_eq!(packets(&initial(0xd3, V2, b"", 5))[0].kind, Long::Initial);
        assert_eq!(packets(&initial(0xc3, 0x1234_5678, b"", 5))[0].kind, Long::Unknown);
        assert!(packets(b"GET / HTTP/1.1").is_empty());
        assert!(packets(&datagram[..8]).is_empty());
    }

    #[test]
    fn a_negotiation_turns_the_ids_around() {
        let datagram = initial(0xc3, 0x1a2a_3a4a, b"", 5);
        let answer = negotiation(&packets(&datagram)[0], &KNOWN);
        assert_eq!(answer, [0xc0, 0, 0, 0, 0, 1, 9, 2, 7, 8, 0, 0, 0, 1, 0x6b, 0x33, 0x43, 0xcf]);
    }

    #[test]
    fn numbers_are_of_four_lengths() {
        // RFC 9000 §A.1.
        for (bytes, n) in [
            (&[0x25][..], 37),
            (&[0x7b, 0xbd], 15293),
            (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
            (&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c], 151_288_809_941_952_652),
        ] {
            assert_eq!(varint(&mut &*bytes), Some(n));
            assert_eq!(varint(&mut &bytes[..bytes.len() - 1]), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes: Vec<u8>) {
            prop_assert!(packets(&bytes).len() <= MOST);
        }
    }
}
