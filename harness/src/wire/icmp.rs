//! ICMP, `ICMPv6` and IGMP, decoded.

use std::net::IpAddr;

use super::bytes::{be16, be32, mac, rest, v4, v6};
use super::{
    Echo, GroupRecord, Icmp4, Icmp6, Igmp, Mac, MldQuery, Prefix, Querier, RouterAdvertisement,
};

/// Decodes ICMP; eight bytes are the least (RFC 792).
pub(super) fn icmp4(bytes: &[u8]) -> Result<Icmp4<'_>, String> {
    icmp4_of(bytes).ok_or_else(|| format!("ICMP in {} bytes", bytes.len()))
}

fn icmp4_of(bytes: &[u8]) -> Option<Icmp4<'_>> {
    let &[kind, code, _, _, pointer, ..] = bytes else { return None };
    let quote = bytes.get(8..)?;
    Some(match kind {
        0 => Icmp4::EchoReply(echo(bytes)?),
        8 => Icmp4::EchoRequest(echo(bytes)?),
        3 => {
            let mtu = if code == 4 { be16(bytes, 6) } else { None };
            Icmp4::Unreachable { code, mtu, quote }
        }
        5 => Icmp4::Redirect { code, gateway: v4(bytes, 4)?, quote },
        11 => Icmp4::TimeExceeded { code, quote },
        12 => Icmp4::ParameterProblem { code, pointer, quote },
        kind => Icmp4::Other { kind, code, bytes: rest(bytes, 4) },
    })
}

fn echo(bytes: &[u8]) -> Option<Echo<'_>> {
    Some(Echo { id: be16(bytes, 4)?, seq: be16(bytes, 6)?, payload: rest(bytes, 8) })
}

/// Decodes `ICMPv6`; four bytes are the least (RFC 4443 §2.1).
pub(super) fn icmp6(bytes: &[u8]) -> Result<Icmp6<'_>, String> {
    let &[kind, code, _, _, ..] = bytes else {
        return Err(format!("ICMPv6 in {} bytes", bytes.len()));
    };
    let known = match kind {
        1..=4 | 128 | 129 => error_or_echo(kind, code, bytes),
        130..=132 | 143 => listener(kind, bytes),
        133..=137 => neighbour(kind, bytes),
        _ => None,
    };
    Ok(known.unwrap_or_else(|| Icmp6::Other { kind, code, bytes: rest(bytes, 4) }))
}

fn error_or_echo(kind: u8, code: u8, bytes: &[u8]) -> Option<Icmp6<'_>> {
    let word = be32(bytes, 4)?;
    let quote = rest(bytes, 8);
    Some(match kind {
        1 => Icmp6::Unreachable { code, quote },
        2 => Icmp6::PacketTooBig { mtu: word, quote },
        3 => Icmp6::TimeExceeded { code, quote },
        4 => Icmp6::ParameterProblem { code, pointer: word, quote },
        128 => Icmp6::EchoRequest(echo(bytes)?),
        129 => Icmp6::EchoReply(echo(bytes)?),
        _ => return None,
    })
}

/// Multicast listener discovery, both versions.
fn listener(kind: u8, bytes: &[u8]) -> Option<Icmp6<'_>> {
    if kind == 143 {
        return Some(Icmp6::Mld2Report { records: records::<16>(bytes)? });
    }
    let group = v6(bytes, 8)?;
    Some(match kind {
        130 => Icmp6::MldQuery(MldQuery {
            version: if bytes.len() < 28 { 1 } else { 2 },
            max_response: be16(bytes, 4)?,
            group,
            sources: match be16(bytes, 26) {
                Some(count) => addresses::<16, _>(rest(bytes, 28), count)?,
                None => Vec::new(),
            },
            querier: querier(bytes, 24),
        }),
        131 => Icmp6::MldReport { group },
        132 => Icmp6::MldDone { group },
        _ => return None,
    })
}

/// Neighbour discovery.
fn neighbour(kind: u8, bytes: &[u8]) -> Option<Icmp6<'_>> {
    Some(match kind {
        133 => Icmp6::RouterSolicitation { source_mac: link_address(bytes.get(8..)?, 1) },
        134 => Icmp6::RouterAdvertisement(router(bytes)?),
        135 => {
            let target = v6(bytes, 8)?;
            let mut options = options(rest(bytes, 24));
            let source_mac = link_address(rest(bytes, 24), 1);
            let nonce = options.any(|(kind, _)| kind == 14);
            Icmp6::NeighbourSolicitation { target, source_mac, nonce }
        }
        136 => Icmp6::NeighbourAdvertisement {
            target: v6(bytes, 8)?,
            target_mac: link_address(rest(bytes, 24), 2),
            router: bytes[4] & 0x80 != 0,
            solicited: bytes[4] & 0x40 != 0,
            override_known: bytes[4] & 0x20 != 0,
        },
        137 => {
            let (target, destination) = (v6(bytes, 8)?, v6(bytes, 24)?);
            let mut options = options(rest(bytes, 40));
            let target_mac = link_address(rest(bytes, 40), 2);
            let quote = options.find(|(kind, _)| *kind == 4).map(|(_, data)| rest(data, 8));
            Icmp6::Redirect { target, destination, target_mac, quote: quote.unwrap_or_default() }
        }
        _ => return None,
    })
}

/// The options one by one, as kind and the whole option (RFC 4861 §4.6). One of length zero, or too long, ends them.
fn options(mut bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let &[kind, units, ..] = bytes else { return None };
        let (option, after) = bytes.split_at_checked(usize::from(units) * 8)?;
        bytes = after;
        (units != 0).then_some((kind, option))
    })
}

fn link_address(bytes: &[u8], kind: u8) -> Option<Mac> {
    options(bytes).find(|(k, _)| *k == kind).and_then(|(_, option)| mac(option, 2))
}

fn router(bytes: &[u8]) -> Option<RouterAdvertisement> {
    let after = bytes.get(16..)?;
    let prefix = |option: &[u8]| {
        Some(Prefix {
            prefix: v6(option, 16)?,
            len: option[2],
            on_link: option[3] & 0x80 != 0,
            autonomous: option[3] & 0x40 != 0,
            valid: be32(option, 4)?,
            preferred: be32(option, 8)?,
        })
    };
    Some(RouterAdvertisement {
        hop_limit: bytes[4],
        managed: bytes[5] & 0x80 != 0,
        other: bytes[5] & 0x40 != 0,
        lifetime: be16(bytes, 6)?,
        source_mac: link_address(after, 1),
        mtu: options(after).find(|(kind, _)| *kind == 5).and_then(|(_, mtu)| be32(mtu, 4)),
        prefixes: options(after)
            .filter(|(kind, _)| *kind == 3)
            .filter_map(|(_, option)| prefix(option))
            .collect(),
    })
}

/// Decodes IGMP; eight bytes are the least (RFC 3376 §4).
pub(super) fn igmp(bytes: &[u8]) -> Result<Igmp<'_>, String> {
    igmp_of(bytes).ok_or_else(|| format!("IGMP in {} bytes", bytes.len()))
}

fn igmp_of(bytes: &[u8]) -> Option<Igmp<'_>> {
    let group = v4(bytes, 4)?;
    let max_response = bytes[1];
    Some(match bytes[0] {
        0x11 => Igmp::Query {
            version: match (bytes.len(), max_response) {
                (12.., _) => 3,
                (_, 0) => 1,
                _ => 2,
            },
            max_response,
            group,
            sources: match be16(bytes, 10) {
                Some(count) => addresses::<4, _>(rest(bytes, 12), count)?,
                None => Vec::new(),
            },
            querier: querier(bytes, 8),
        },
        0x12 => Igmp::Report { version: 1, group },
        0x16 => Igmp::Report { version: 2, group },
        0x17 => Igmp::Leave { group },
        0x22 => Igmp::Report3 { records: records::<4>(bytes)? },
        kind => Igmp::Other { kind, bytes: rest(bytes, 4) },
    })
}

/// A byte with the S flag and QRV, and QQIC.
fn querier(bytes: &[u8], at: usize) -> Option<Querier> {
    // The count of sources behind them tells the newer version.
    be16(bytes, at + 2)?;
    let [first, interval] = bytes.get(at..)?.first_chunk().copied()?;
    Some(Querier { suppress: first & 8 != 0, robustness: first & 7, interval })
}

/// `count` addresses of `N` bytes each; `None` when they are not all here.
fn addresses<const N: usize, A: From<[u8; N]>>(bytes: &[u8], count: u16) -> Option<Vec<A>> {
    let all = bytes.get(..usize::from(count) * N)?;
    let (chunks, _) = all.as_chunks::<N>();
    Some(chunks.iter().map(|chunk| A::from(*chunk)).collect())
}

/// The group records of a report: RFC 3376 §4.2 with addresses of 4 bytes and RFC 3810 §5.2 with 16 are otherwise the same.
fn records<const N: usize>(bytes: &[u8]) -> Option<Vec<GroupRecord>>
where
    IpAddr: From<[u8; N]>,
{
    let mut bytes_left = bytes.get(8..)?;
    let mut records = Vec::new();
    for _ in 0..be16(bytes, 6)? {
        let &[kind, aux, ..] = bytes_left else { return None };
        let group = addresses::<N, IpAddr>(rest(bytes_left, 4), 1)?.pop()?;
        let count = be16(bytes_left, 2)?;
        let sources = addresses::<N, IpAddr>(rest(bytes_left, 4 + N), count)?;
        bytes_left = bytes_left.get(4 + N * (usize::from(count) + 1) + usize::from(aux) * 4..)?;
        records.push(GroupRecord { kind, group, sources });
    }
    Some(records)
}
