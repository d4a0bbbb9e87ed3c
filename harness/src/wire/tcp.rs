//! TCP segments and their options.

use std::fmt;

use etherparse::TcpHeaderSlice;

use super::bytes::{be16, be32, rest};
use super::transport::{TCP, Whole};

/// A TCP segment (RFC 9293 §3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tcp<'a> {
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
    /// Sequence number of the first byte, or of the SYN.
    pub seq: u32,
    /// The next sequence number that the sender expects, when the flag says so.
    pub ack: u32,
    /// The control bits.
    pub flags: TcpFlags,
    /// The window as the header has it, not scaled.
    pub window: u16,
    /// The urgent pointer, when the flag says so.
    pub urgent: u16,
    /// The options, in order.
    pub options: Vec<TcpOption>,
    /// The data.
    pub payload: &'a [u8],
    /// Whether the checksum is right; `None` in a first fragment and under a source route.
    pub checksum_ok: Option<bool>,
}

/// The control bits of a segment (RFC 9293 §3.1). Its `Display` is `tcpdump`'s: `S.` for SYN and ACK, `none` for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TcpFlags(
    /// The byte of the header that holds them.
    pub u8,
);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: Self = Self(0x01);
    /// Synchronize sequence numbers.
    pub const SYN: Self = Self(0x02);
    /// Reset the connection.
    pub const RST: Self = Self(0x04);
    /// Push.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgement number counts.
    pub const ACK: Self = Self(0x10);
    /// The urgent pointer counts.
    pub const URG: Self = Self(0x20);
    /// Congestion seen, echoed (RFC 3168).
    pub const ECE: Self = Self(0x40);
    /// Congestion window reduced (RFC 3168).
    pub const CWR: Self = Self(0x80);

    /// Whether all bits of `other` are set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl std::ops::BitOr for TcpFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("none");
        }
        let letters = [
            (Self::FIN, "F"),
            (Self::SYN, "S"),
            (Self::RST, "R"),
            (Self::PSH, "P"),
            (Self::ACK, "."),
            (Self::URG, "U"),
            (Self::ECE, "E"),
            (Self::CWR, "W"),
        ];
        letters.iter().filter(|(flag, _)| self.has(*flag)).try_for_each(|(_, c)| f.write_str(c))
    }
}

impl std::str::FromStr for TcpFlags {
    type Err = ();

    /// Reads what is written by `Display`, in any order.
    fn from_str(letters: &str) -> Result<Self, ()> {
        if letters == "none" {
            return Ok(Self(0));
        }
        let bit = |letter| "FSRP.UEW".find(letter).map(|at| Self(1 << at)).ok_or(());
        let set = letters.chars().try_fold(Self(0), |set, letter| Ok(set | bit(letter)?))?;
        if set.0 == 0 { Err(()) } else { Ok(set) }
    }
}

/// A TCP option (RFC 9293 §3.2 and what is named at each).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TcpOption {
    /// Kind 0: the rest is padding.
    End,
    /// Kind 1: padding.
    Nop,
    /// Kind 2: the largest segment that the sender takes, in bytes.
    Mss(u16),
    /// Kind 3: how far to shift the window to the left (RFC 7323 §2).
    WindowScale(u8),
    /// Kind 4 (RFC 2018 §2).
    SackPermitted,
    /// Kind 5: left and right edges of blocks received (RFC 2018 §3).
    Sack(Vec<(u32, u32)>),
    /// Kind 8 (RFC 7323 §3).
    Timestamps {
        /// The sender's clock.
        value: u32,
        /// The other's clock, echoed.
        echo: u32,
    },
    /// Kind 34: a fast open cookie, or the request for one when empty (RFC 7413 §4.1.1).
    FastOpen(Vec<u8>),
    /// Any other kind, and a kind above with a length that it cannot have.
    Other {
        /// The kind.
        kind: u8,
        /// The data behind kind and length.
        data: Vec<u8>,
    },
    /// A length that contradicts the bytes; all that is left of the options.
    Malformed(Vec<u8>),
}

/// Decodes a segment.
pub(super) fn tcp(bytes: &[u8], whole: Whole) -> Result<Tcp<'_>, String> {
    let header = TcpHeaderSlice::from_slice(bytes)
        .map_err(|_| format!("a TCP header in {} bytes", bytes.len()))?;
    Ok(Tcp {
        sport: header.source_port(),
        dport: header.destination_port(),
        seq: header.sequence_number(),
        ack: header.acknowledgment_number(),
        flags: TcpFlags(header.slice()[13]),
        window: header.window_size(),
        urgent: header.urgent_pointer(),
        options: options(header.options()),
        payload: rest(bytes, header.slice().len()),
        checksum_ok: whole.checksum_ok(TCP, bytes),
    })
}

fn options(mut bytes: &[u8]) -> Vec<TcpOption> {
    let mut options = Vec::new();
    while let Some((&kind, after)) = bytes.split_first() {
        bytes = match kind {
            0 => {
                options.push(TcpOption::End);
                break;
            }
            1 => {
                options.push(TcpOption::Nop);
                after
            }
            _ => {
                let len = after.first().copied().map(usize::from);
                let Some(data) = len.and_then(|len| bytes.get(2..len)) else {
                    options.push(TcpOption::Malformed(bytes.to_vec()));
                    break;
                };
                options.push(option(kind, data));
                rest(bytes, data.len() + 2)
            }
        };
    }
    options
}

fn option(kind: u8, data: &[u8]) -> TcpOption {
    let known = match (kind, data.len()) {
        (2, 2) => be16(data, 0).map(TcpOption::Mss),
        (3, 1) => data.first().copied().map(TcpOption::WindowScale),
        (4, 0) => Some(TcpOption::SackPermitted),
        (5, 8 | 16 | 24 | 32) => {
            let edges = (0..data.len()).step_by(8);
            let block = |at| Some((be32(data, at)?, be32(data, at + 4)?));
            edges.map(block).collect::<Option<_>>().map(TcpOption::Sack)
        }
        (8, 8) => be32(data, 0)
            .zip(be32(data, 4))
            .map(|(value, echo)| TcpOption::Timestamps { value, echo }),
        (34, _) => Some(TcpOption::FastOpen(data.to_vec())),
        _ => None,
    };
    known.unwrap_or_else(|| TcpOption::Other { kind, data: data.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(TcpFlags::SYN, "S")]
    #[case(TcpFlags::SYN | TcpFlags::ACK, "S.")]
    #[case(TcpFlags::ACK | TcpFlags::PSH, "P.")]
    #[case(TcpFlags::SYN | TcpFlags::ECE | TcpFlags::CWR, "SEW")]
    #[case(TcpFlags::default(), "none")]
    fn flags_as_tcpdump_says_them(#[case] flags: TcpFlags, #[case] said: &str) {
        assert_eq!(flags.to_string(), said);
    }

    #[rstest]
    #[case(&[2, 4, 5, 0xb4, 0, 9], &[TcpOption::Mss(1460), TcpOption::End])]
    #[case(&[1, 3, 3, 10], &[TcpOption::Nop, TcpOption::WindowScale(10)])]
    #[case(&[34, 2], &[TcpOption::FastOpen(vec![])])]
    #[case(&[2, 3, 5], &[TcpOption::Other { kind: 2, data: vec![5] }])]
    #[case(&[5, 10, 0, 0, 0, 1, 0, 0, 0, 9], &[TcpOption::Sack(vec![(1, 9)])])]
    #[case(&[5, 2], &[TcpOption::Other { kind: 5, data: vec![] }])]
    #[case(&[4, 1], &[TcpOption::Malformed(vec![4, 1])])]
    #[case(&[8, 10, 0], &[TcpOption::Malformed(vec![8, 10, 0])])]
    #[case(&[30], &[TcpOption::Malformed(vec![30])])]
    fn options_of_every_shape(#[case] bytes: &[u8], #[case] expected: &[TcpOption]) {
        assert_eq!(options(bytes), expected);
    }
}
