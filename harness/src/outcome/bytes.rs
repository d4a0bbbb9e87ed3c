//! Numbers and addresses in the structures of a kernel.
//!
//! They are read little-endian, as on every system that sockeye has an executor for. Bytes behind
//! the end are zero: callers have looked at the length.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::case::addr::SockAddr;

pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk()).copied().unwrap_or([0; N])
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(bytes, at))
}

pub(super) fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_le_bytes(array(bytes, at))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

pub(super) fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from_le_bytes(array(bytes, at))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array(bytes, at))
}

pub(super) fn v4_at(bytes: &[u8], at: usize) -> Ipv4Addr {
    array(bytes, at).into()
}

pub(super) fn v6_at(bytes: &[u8], at: usize) -> Ipv6Addr {
    array::<16>(bytes, at).into()
}

/// All of `bytes` as numbers of 32 bits; none where they are not a whole number of them.
pub(super) fn u32s(bytes: &[u8]) -> Option<Vec<u32>> {
    let (words, rest) = bytes.as_chunks();
    rest.is_empty().then(|| words.iter().map(|word| u32::from_le_bytes(*word)).collect())
}

/// A `sockaddr` as Linux lays it out; none where it ends too soon.
pub(super) fn sockaddr(bytes: &[u8]) -> Option<SockAddr> {
    let family = u16::from_le_bytes(*bytes.first_chunk()?);
    let port = || u16::from_be_bytes(array(bytes, 2));
    match family {
        0 => Some(SockAddr::Bare { family: "AF_UNSPEC".into() }),
        1 => Some(SockAddr::Bare { family: "AF_UNIX".into() }),
        2 if bytes.len() >= 8 => Some(SockAddr::V4 { ip: v4_at(bytes, 4), port: port() }),
        10 if bytes.len() >= 28 => {
            let scope = u32_at(bytes, 24);
            Some(SockAddr::V6 { ip: v6_at(bytes, 8), port: port(), scope })
        }
        _ => None,
    }
}
