//! TCP's MD5 signatures (RFC 2385, `tcp(7)`), which are asked for by a structure of 216 bytes.

use harness::case::op::Value;
use harness::case::{Hex, Lab, LinkKind};

use crate::steps::{case, connect, ip, nonblocking, setsockopt, socket};
use crate::table::{Row, Table};

/// `struct tcp_md5sig`: a `struct sockaddr_storage`, flags, the length of the prefix, that of the key, a link,
/// and room for a key of 80 bytes.
fn signature(peer: [u8; 4], flags: u8, prefix_len: u8, key: &[u8]) -> Vec<u8> {
    // `AF_INET` and no port, in the order of this machine and of the network.
    let mut bytes = [&2u16.to_ne_bytes()[..], &[0; 2], &peer].concat();
    bytes.resize(128, 0);
    bytes.extend([flags, prefix_len]);
    bytes.extend(u16::try_from(key.len()).expect("a key of few bytes").to_ne_bytes());
    bytes.extend([0; 4]);
    bytes.extend(key);
    bytes.resize(216, 0);
    bytes
}

pub(super) fn table() -> Table {
    let question = "Does a SYN have a digest when its peer has a key?";
    let mut table = Table::new("effects/digest", question);
    let (neighbour, other) = ([192, 0, 2, 2], [192, 0, 2, 9]);
    let rows = [
        ("none", "no key", None),
        ("key", "a key", Some(("TCP_MD5SIG", signature(neighbour, 0, 0, b"key")))),
        ("other", "a key of somebody else's", Some(("TCP_MD5SIG", signature(other, 0, 0, b"key")))),
        ("empty", "a key of no bytes", Some(("TCP_MD5SIG", signature(neighbour, 0, 0, b"")))),
        // `TCP_MD5SIG_FLAG_PREFIX`.
        (
            "prefix",
            "a key of its network's",
            Some(("TCP_MD5SIG_EXT", signature(neighbour, 1, 24, b"key"))),
        ),
        (
            "far-prefix",
            "a key of another network's",
            Some(("TCP_MD5SIG_EXT", signature([203, 0, 113, 0], 1, 24, b"key"))),
        ),
        ("short", "a part of a structure", Some(("TCP_MD5SIG", vec![0; 8]))),
    ];
    for (name, what, option) in rows {
        let mut ops = vec![socket("s", "AF_INET", "SOCK_STREAM")];
        if let Some((name, bytes)) = option {
            ops.push(setsockopt("s", "IPPROTO_TCP", name, Value::Bytes(Hex(bytes))));
        }
        ops.extend([nonblocking("s"), connect("s", ip("192.0.2.2", 80))]);
        let title = format!("a connection to a peer with {what}");
        table.push(&[name], Row::Case(case(title, Lab::one(LinkKind::Tun, "net0"), ops)));
    }
    table
}
