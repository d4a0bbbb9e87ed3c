//! What a send carries: short text, or a pattern in which every offset can be told.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The bytes of one send.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// These characters, each one byte (Latin-1).
    Text(String),
    /// So many bytes of the pattern: the big-endian count of 32-bit words, so that any aligned
    /// piece says where it came from.
    Pattern(u32),
    /// One behind the other, each in a `struct iovec` of its own, of a message that is sent.
    Parts(Vec<Self>),
}

/// The most parts of a message (`UIO_MAXIOV`).
const MOST_OF_PARTS: usize = 1024;

impl Payload {
    /// As it is written.
    pub(super) fn said(&self) -> String {
        match self {
            Self::Text(_) | Self::Parts(_) => quoted(&self.bytes()),
            Self::Pattern(len) => format!("pattern[0..{len}]"),
        }
    }

    /// Its parts, which are no more than one if it is whole.
    pub fn parts(&self) -> &[Self] {
        if let Self::Parts(parts) = self { parts } else { std::slice::from_ref(self) }
    }

    /// That it has parts of which none has any, if it has some.
    pub(super) fn check_parts(&self, of: &str) -> Result<(), String> {
        let Self::Parts(parts) = self else { return Ok(()) };
        if parts.len() < 2 || parts.iter().any(|part| matches!(part, Self::Parts(_))) {
            return Err(format!("{of}: its parts are two at the least, and have none"));
        }
        if parts.len() > MOST_OF_PARTS {
            let many = parts.len();
            return Err(format!("{of}: {many} at once, {MOST_OF_PARTS} are the most"));
        }
        parts.iter().try_for_each(|part| part.check(of))
    }

    /// That it is whole, and each character of it is one byte.
    pub(super) fn check(&self, of: &str) -> Result<(), String> {
        match self {
            Self::Text(text) => match text.chars().find(|c| *c > '\u{ff}') {
                Some(c) => Err(format!("{of}: {c:?} is not one byte")),
                None => Ok(()),
            },
            Self::Pattern(_) => Ok(()),
            Self::Parts(_) => Err(format!("{of}: data has parts in msg_iov alone")),
        }
    }

    /// The bytes themselves.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            // A character beyond Latin-1 cannot be one byte: `Case::check` refuses it.
            Self::Text(text) => text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect(),
            Self::Pattern(len) => pattern(*len),
            Self::Parts(parts) => parts.iter().flat_map(Self::bytes).collect(),
        }
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.chars().count(),
            Self::Pattern(len) => *len as usize,
            Self::Parts(parts) => parts.iter().map(Self::len).sum(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The first `len` bytes of the pattern of [`Payload::Pattern`].
pub fn pattern(len: u32) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..=len / 4).flat_map(u32::to_be_bytes).collect();
    bytes.truncate(len as usize);
    bytes
}

/// Text or bytes as strace and C write them: `"hello\0"`.
///
/// An octal escape is widened to three digits before a digit, so that C reads it back the same.
pub fn quoted(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for (i, &b) in bytes.iter().enumerate() {
        match b {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            // `??` would begin a trigraph in C11.
            b'?' if i > 0 && bytes[i - 1] == b'?' => out.push_str("\\?"),
            b' '..=b'~' => out.push(b as char),
            _ => {
                let digit_follows = bytes.get(i + 1).is_some_and(u8::is_ascii_digit);
                let _ =
                    if digit_follows { write!(out, "\\{b:03o}") } else { write!(out, "\\{b:o}") };
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_word_of_the_pattern_tells_its_offset() {
        let bytes = pattern(10_001);
        assert_eq!(bytes.len(), 10_001);
        assert_eq!(bytes[1472..1476], 368u32.to_be_bytes());
    }

    #[test]
    fn text_is_quoted_like_c() {
        assert_eq!(quoted(b"hello\0"), r#""hello\0""#);
        assert_eq!(quoted(b"\x001\xff\"??"), r#""\0001\377\"?\?""#);
    }
}
