//! The options of a TCP segment that a far end sends, in the order in which they are written.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::case::Payload;

use super::nothing;

/// An option (RFC 9293 §3.2, and what is named at each).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SegmentOption {
    /// Kind 0: what is behind it is padding.
    Eol,
    /// Kind 1: one byte of padding.
    Nop,
    /// Kind 2: the largest segment that the far end takes, in bytes.
    Mss(u16),
    /// Kind 3: how far to shift the window to the left (RFC 7323 §2).
    Wscale(u8),
    /// Kind 4: blocks may be told (RFC 2018 §2).
    SackOk,
    /// Kind 5: the edges of blocks that have arrived, each as far beyond the host's first sequence number
    /// as the acknowledgement of all before it would be: the first byte of data is 1 (RFC 2018 §3).
    Sack(Vec<Block>),
    /// Kind 8 (RFC 7323 §3).
    Timestamps {
        /// The far end's clock.
        value: u32,
        /// The host's clock, echoed.
        #[serde(default, skip_serializing_if = "Echo::is_right")]
        echo: Echo,
    },
    /// Kind 34: a fast open cookie, or the request for one when empty (RFC 7413 §4.1.1).
    FastOpen(Payload),
    /// An option of any kind, as bytes.
    Kind {
        /// The kind.
        kind: u8,
        /// The length that is written, if not the right one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        len: Option<u8>,
        /// What stands behind kind and length.
        #[serde(default = "nothing", skip_serializing_if = "super::is_nothing")]
        data: Payload,
    },
}

/// The edges of a block: its first byte, and the one behind its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Block {
    /// The left one.
    pub from: u32,
    /// The right one.
    pub to: u32,
}

/// Which time of the host's is echoed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Echo {
    /// So far beyond the last one that the host sent: its clock's, which no case knows.
    Beyond(i32),
    /// This one.
    Is(u32),
}

impl Echo {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    fn is_right(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Echo {
    fn default() -> Self {
        Self::Beyond(0)
    }
}

/// What is added to a number of four bytes when the segment is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The last time that the host sent.
    Echo,
    /// The host's first sequence number.
    First,
}

/// Options as they go on the wire, but for the numbers that only the host knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Laid {
    /// A multiple of four bytes (RFC 9293 §3.1: the padding is zeros).
    pub bytes: Vec<u8>,
    /// Where a number stands that is relative, and to what.
    pub relative: Vec<(usize, Base)>,
}

impl SegmentOption {
    /// The most bytes that all options of a segment take: the header has 60, 20 of them its own (RFC 9293 §3.1).
    pub const ROOM: usize = 40;

    /// How many bytes it takes.
    fn size(&self) -> usize {
        let long = |len: u32| usize::try_from(len).unwrap_or(usize::MAX);
        match self {
            Self::Eol | Self::Nop => 1,
            Self::SackOk => 2,
            Self::Wscale(_) => 3,
            Self::Mss(_) => 4,
            Self::Timestamps { .. } => 10,
            Self::Sack(blocks) => blocks.len().saturating_mul(8).saturating_add(2),
            Self::FastOpen(data) | Self::Kind { data, .. } => match data {
                Payload::Text(text) => text.chars().count().saturating_add(2),
                Payload::Pattern(len) => long(*len).saturating_add(2),
                Payload::Parts(_) => usize::MAX,
            },
        }
    }

    /// Whether a segment has room for these.
    ///
    /// # Errors
    /// One sentence.
    pub fn check(options: &[Self]) -> Result<(), String> {
        for option in options {
            if let Self::FastOpen(data) | Self::Kind { data, .. } = option {
                data.check("an option of TCP")?;
            }
        }
        let size = options.iter().fold(0_usize, |all, one| all.saturating_add(one.size()));
        if size > Self::ROOM {
            let room = Self::ROOM;
            return Err(format!("the options take {size} bytes, {room} are the most"));
        }
        Ok(())
    }

    /// These on the wire, one behind the other; they have passed [`SegmentOption::check`].
    pub fn lay(options: &[Self]) -> Laid {
        let mut laid = Laid::default();
        for option in options {
            laid.add(option);
        }
        laid.bytes.resize(laid.bytes.len().next_multiple_of(4), 0);
        laid
    }
}

impl Laid {
    fn add(&mut self, option: &SegmentOption) {
        let bytes = &mut self.bytes;
        // A length that has no room is one of a list that `check` refuses.
        let len = u8::try_from(option.size()).unwrap_or(u8::MAX);
        match option {
            SegmentOption::Eol => bytes.push(0),
            SegmentOption::Nop => bytes.push(1),
            SegmentOption::Mss(mss) => {
                bytes.extend([2, len]);
                bytes.extend(mss.to_be_bytes());
            }
            SegmentOption::Wscale(shift) => bytes.extend([3, len, *shift]),
            SegmentOption::SackOk => bytes.extend([4, len]),
            SegmentOption::Sack(blocks) => {
                bytes.extend([5, len]);
                for edge in blocks.iter().flat_map(|block| [block.from, block.to]) {
                    self.relative.push((bytes.len(), Base::First));
                    bytes.extend(edge.to_be_bytes());
                }
            }
            SegmentOption::Timestamps { value, echo } => {
                bytes.extend([8, len]);
                bytes.extend(value.to_be_bytes());
                let echo = match echo {
                    Echo::Is(echo) => *echo,
                    Echo::Beyond(far) => {
                        self.relative.push((bytes.len(), Base::Echo));
                        far.cast_unsigned()
                    }
                };
                bytes.extend(echo.to_be_bytes());
            }
            SegmentOption::FastOpen(cookie) => {
                bytes.extend([34, len]);
                bytes.extend(cookie.bytes());
            }
            SegmentOption::Kind { kind, len: written, data } => {
                bytes.extend([*kind, written.unwrap_or(len)]);
                bytes.extend(data.bytes());
            }
        }
    }

    /// The bytes once what the relative numbers are relative to is known.
    #[must_use]
    pub fn with(mut self, base: impl Fn(Base) -> u32) -> Vec<u8> {
        for (at, of) in self.relative {
            if let Some(number) = self.bytes[at..].first_chunk_mut::<4>() {
                *number = u32::from_be_bytes(*number).wrapping_add(base(of)).to_be_bytes();
            }
        }
        self.bytes
    }
}

/// `[mss 1460,sackOK,TS val 100,nop,wscale 7]`, as `tcpdump` lists them.
pub(super) struct List<'o>(pub &'o [SegmentOption]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, option) in self.0.iter().enumerate() {
            write!(f, "{}{option}", if at == 0 { "[" } else { "," })?;
        }
        f.write_str(if self.0.is_empty() { "[]" } else { "]" })
    }
}

impl fmt::Display for SegmentOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Eol => f.write_str("eol"),
            Self::Nop => f.write_str("nop"),
            Self::Mss(mss) => write!(f, "mss {mss}"),
            Self::Wscale(shift) => write!(f, "wscale {shift}"),
            Self::SackOk => f.write_str("sackOK"),
            Self::Sack(blocks) => {
                f.write_str("sack")?;
                blocks.iter().try_for_each(|Block { from, to }| write!(f, " {from}:{to}"))
            }
            Self::Timestamps { value, echo } => {
                write!(f, "TS val {value}")?;
                match echo {
                    Echo::Beyond(0) => Ok(()),
                    Echo::Beyond(far) => write!(f, " ecr {far:+}"),
                    Echo::Is(echo) => write!(f, " ecr {echo}"),
                }
            }
            Self::FastOpen(cookie) => {
                f.write_str("tfo")?;
                behind(f, cookie)
            }
            Self::Kind { kind, len, data } => {
                write!(f, "kind {kind}")?;
                if let Some(len) = len {
                    write!(f, " len {len}")?;
                }
                behind(f, data)
            }
        }
    }
}

fn behind(f: &mut fmt::Formatter<'_>, data: &Payload) -> fmt::Result {
    if *data == nothing() { Ok(()) } else { write!(f, " {}", data.said()) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn kind(kind: u8, len: Option<u8>, data: &str) -> SegmentOption {
        SegmentOption::Kind { kind, len, data: Payload::Text(data.to_owned()) }
    }

    #[rstest]
    #[case(vec![], "[]", &[])]
    #[case(vec![SegmentOption::Mss(1460)], "[mss 1460]", &[2, 4, 5, 0xb4])]
    #[case(vec![SegmentOption::Nop, SegmentOption::Wscale(7)], "[nop,wscale 7]", &[1, 3, 3, 7])]
    #[case(vec![SegmentOption::SackOk, SegmentOption::Eol], "[sackOK,eol]", &[4, 2, 0, 0])]
    #[case(
        vec![SegmentOption::Timestamps { value: 100, echo: Echo::Is(7) }],
        "[TS val 100 ecr 7]",
        &[8, 10, 0, 0, 0, 100, 0, 0, 0, 7, 0, 0]
    )]
    #[case(
        vec![SegmentOption::Timestamps { value: 1, echo: Echo::Beyond(-1) }],
        "[TS val 1 ecr -1]",
        &[8, 10, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0]
    )]
    #[case(
        vec![SegmentOption::Sack(vec![Block { from: 1, to: 11 }])],
        "[sack 1:11]",
        &[5, 10, 0, 0, 2, 1, 0, 0, 2, 11, 0, 0]
    )]
    #[case(vec![SegmentOption::FastOpen(nothing())], "[tfo]", &[34, 2, 0, 0])]
    #[case(vec![kind(253, None, "ab")], "[kind 253 \"ab\"]", &[253, 4, b'a', b'b'])]
    #[case(vec![kind(3, Some(9), "\u{1}")], "[kind 3 len 9 \"\\1\"]", &[3, 9, 1, 0])]
    fn options_as_words_and_as_bytes(
        #[case] options: Vec<SegmentOption>,
        #[case] words: &str,
        #[case] bytes: &[u8],
    ) {
        assert_eq!(List(&options).to_string(), words);
        assert_eq!(SegmentOption::check(&options), Ok(()));
        let base = |base| if base == Base::Echo { 0x101 } else { 0x200 };
        assert_eq!(SegmentOption::lay(&options).with(base), bytes);
    }

    /// The planted negatives: one byte more than there is room for, and a length that nobody can count.
    #[test]
    fn more_than_there_is_room_for_is_refused() {
        let nops = |count| vec![SegmentOption::Nop; count];
        assert_eq!(SegmentOption::check(&nops(40)), Ok(()));
        let says = "the options take 41 bytes, 40 are the most".to_owned();
        assert_eq!(SegmentOption::check(&nops(41)), Err(says));
        let long = SegmentOption::FastOpen(Payload::Pattern(u32::MAX));
        assert!(SegmentOption::check(&[long]).is_err());
        assert!(SegmentOption::check(&[kind(9, None, "\u{100}")]).is_err());
        assert!(
            SegmentOption::check(&[SegmentOption::Sack(vec![Block { from: 1, to: 2 }; 5])])
                .is_err()
        );
    }
}
