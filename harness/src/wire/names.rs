//! What only the caller of [`line()`](super::line()) knows.

use std::net::IpAddr;

use super::{Mac, bytes};

/// What the numbers of a segment are told relative to: the first sequence numbers of both ends, where known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Of who sends it.
    pub sender: Option<u32>,
    /// Of who receives it.
    pub receiver: Option<u32>,
    /// Whether the host under test sends it: then the clock is its own, and the echo the far end's.
    pub by_host: bool,
}

/// How a line says what only the caller knows. Every method has a literal default: see [`Plain`].
pub trait Names {
    /// A unicast hardware address by its role: `far`, `own`. Broadcast and multicast do not come here.
    fn mac(&self, mac: Mac) -> String {
        mac.to_string()
    }

    /// A port, or the identifier of an echo: ephemeral ones as `eph1`.
    fn port(&self, port: u16) -> String {
        port.to_string()
    }

    /// The ID of a DNS message, which resolvers draw at random.
    fn dns_id(&self, id: u16) -> String {
        format!("id {id}")
    }

    /// An address.
    fn ip(&self, ip: IpAddr) -> String {
        ip.to_string()
    }

    /// A payload that is not empty; `offset` is where it starts in the whole datagram's payload, in bytes, and is other than
    /// zero in a later fragment only. By default the text, when it is short and is text, or else `data[0..1472]`.
    fn payload(&self, bytes: &[u8], offset: u32) -> String {
        text(bytes, offset)
    }

    /// A flow label that is not zero; by default nothing, as kernels draw them by hash.
    fn flow_label(&self, _label: u32) -> Option<String> {
        None
    }

    /// Whether a wrong checksum is worth a word. Not on loopback, where a kernel leaves them unfinished.
    fn checksums(&self) -> bool {
        true
    }

    /// What the numbers of a segment are relative to, if they are told at all, and its options with them.
    fn numbers(&self) -> Option<Numbers> {
        None
    }
}

/// All names literal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Names for Plain {}

fn text(bytes: &[u8], offset: u32) -> String {
    const LONGEST: usize = 32;
    let is_text = |byte: &u8| byte.is_ascii_graphic() || b" \0\t\r\n".contains(byte);
    if offset != 0 || bytes.len() > LONGEST || !bytes.iter().all(is_text) {
        return format!("data[{offset}..{}]", offset.saturating_add(bytes::len32(bytes)));
    }
    let mut quoted = String::from("\"");
    for &byte in bytes {
        match byte {
            0 => quoted.push_str("\\0"),
            byte => quoted.extend(byte.escape_ascii().map(char::from)),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"hello\0", 0, r#""hello\0""#)]
    #[case(b"a\"b\\\n", 0, r#""a\"b\\\n""#)]
    #[case(b"\x80", 0, "data[0..1]")]
    #[case(b"abc", 8, "data[8..11]")]
    #[case(&[b'a'; 33], 0, "data[0..33]")]
    #[case(b"a", u32::MAX, "data[4294967295..4294967295]")]
    fn payloads(#[case] bytes: &[u8], #[case] offset: u32, #[case] expected: &str) {
        assert_eq!(Plain.payload(bytes, offset), expected);
    }
}
