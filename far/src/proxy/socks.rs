//! SOCKS 5 (RFC 1928, RFC 1929), and enough of SOCKS 4 to know it.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::target::{Host, Target};
use crate::text;

/// How a message is read: none while it is not whole.
pub(super) type Read<T> = Option<Result<(T, usize), String>>;

/// What is wanted (RFC 1928 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// CONNECT 1, BIND 2, UDP ASSOCIATE 3.
    pub(super) command: u8,
    pub(super) target: Target,
}

/// Methods that a client offers (RFC 1928 §3).
pub(super) fn methods(bytes: &[u8]) -> Read<Vec<u8>> {
    let end = 2 + usize::from(*bytes.get(1)?);
    Some(Ok((bytes.get(2..end)?.to_vec(), end)))
}

/// The user's name (RFC 1929 §2); the password is passed over.
pub(super) fn user(bytes: &[u8]) -> Read<String> {
    if *bytes.first()? != 1 {
        return Some(Err(format!("its user/password has version {}, not 1", bytes[0])));
    }
    let end = 2 + usize::from(*bytes.get(1)?);
    let name = text::lossy(bytes.get(2..end)?);
    let end = end + 1 + usize::from(*bytes.get(end)?);
    (bytes.len() >= end).then_some(Ok((name, end)))
}

/// A request (RFC 1928 §4).
pub(super) fn request(bytes: &[u8]) -> Read<Wanted> {
    if *bytes.first()? != 5 {
        return Some(Err(format!("its SOCKS request has version {}, not 5", bytes[0])));
    }
    let command = *bytes.get(1)?;
    let (host, end) = match *bytes.get(3)? {
        1 => {
            let octets: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
            (Some(Host::Address(Ipv4Addr::from(octets).into())), 8)
        }
        3 => {
            let end = 5 + usize::from(*bytes.get(4)?);
            let name = String::from_utf8_lossy(bytes.get(5..end)?);
            let ip = name.parse().ok().map(Host::Address);
            (ip.or_else(|| Host::of(&name)), end)
        }
        4 => {
            let octets: [u8; 16] = bytes.get(4..20)?.try_into().ok()?;
            (Some(Host::Address(Ipv6Addr::from(octets).into())), 20)
        }
        other => return Some(Err(format!("its SOCKS request has the address type {other}"))),
    };
    let port = u16::from_be_bytes(bytes.get(end..end + 2)?.try_into().ok()?);
    let Some(host) = host else {
        return Some(Err("its SOCKS request has a name that is none".to_owned()));
    };
    Some(Ok((Wanted { command, target: Target { host, port } }, end + 2)))
}

/// A reply without an address (RFC 1928 §6).
pub(super) fn reply(code: u8) -> [u8; 10] {
    [5, code, 0, 1, 0, 0, 0, 0, 0, 0]
}

/// What a reply says (RFC 1928 §6).
pub(super) fn meaning(code: u16) -> &'static str {
    match code {
        0 => "succeeded",
        1 => "general failure",
        2 => "not allowed",
        4 => "host unreachable",
        5 => "connection refused",
        7 => "command not supported",
        0xff => "no acceptable method",
        _ => "",
    }
}

/// Where SOCKS 4 wants to go; 0.0.0.x has the name behind the user's (4a).
pub(super) fn version_4(bytes: &[u8]) -> Option<Target> {
    let port = u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?);
    let octets: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
    let mut texts = bytes.get(8..)?.split_inclusive(|b| *b == 0).filter(|t| t.ends_with(&[0]));
    texts.next()?;
    if !matches!(octets, [0, 0, 0, 1..=255]) {
        return Some(Target { host: Host::Address(Ipv4Addr::from(octets).into()), port });
    }
    let name = texts.next()?;
    let name = String::from_utf8_lossy(&name[..name.len() - 1]);
    Some(Target { host: Host::of(&name).unwrap_or_else(|| Host::Name(String::new())), port })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(b"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50", "127.0.0.1:80")]
    #[case(b"\x05\x01\x00\x03\x09localhost\x00\x50", "localhost:80")]
    #[case(b"\x05\x01\x00\x03\x09127.0.0.1\x00\x50", "127.0.0.1:80")]
    #[case(b"\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x50", "[::1]:80")]
    fn a_request_is_read_once_it_is_whole(#[case] bytes: &[u8], #[case] expected: &str) {
        for len in 0..bytes.len() {
            assert_eq!(request(&bytes[..len]), None, "{len}");
        }
        let (wanted, len) = request(bytes).unwrap().unwrap();
        assert_eq!((wanted.target.to_string().as_str(), len), (expected, bytes.len()));
    }

    #[test]
    fn what_is_no_request_is_told() {
        assert!(request(b"\x04").unwrap().unwrap_err().contains("version 4"));
        assert!(request(b"\x05\x01\x00\x09").unwrap().unwrap_err().contains("type 9"));
        assert!(request(b"\x05\x01\x00\x03\x00\x00\x50").unwrap().unwrap_err().contains("name"));
        assert!(user(b"\x05").unwrap().unwrap_err().contains("version 5"));
    }

    #[rstest]
    #[case(b"\x04\x01\x00\x50\x7f\x00\x00\x01me\x00", "127.0.0.1:80")]
    #[case(b"\x04\x01\x00\x50\x00\x00\x00\x01me\x00localhost\x00", "localhost:80")]
    fn version_4_is_known(#[case] bytes: &[u8], #[case] expected: &str) {
        assert_eq!(version_4(bytes).unwrap().to_string(), expected);
        for len in 0..bytes.len() {
            assert_eq!(version_4(&bytes[..len]), None, "{len}");
        }
    }

    #[test]
    fn a_password_is_passed_over() {
        assert_eq!(user(b"\x01\x02me\x03abcX"), Some(Ok(("me".to_owned(), 8))));
        assert_eq!(user(b"\x01\x02me\x03ab"), None);
        assert_eq!(methods(b"\x05\x02\x00\x02X"), Some(Ok((vec![0, 2], 4))));
        assert_eq!(methods(b"\x05\x02\x00"), None);
    }
}
