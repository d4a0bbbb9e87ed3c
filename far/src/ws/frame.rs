//! Frames from bytes and back (RFC 6455 §5.2). By hand, and not by tungstenite: that ends at the first fault, without
//! the header that has it, and what is at fault is what is to be told.

/// How much of a frame's payload, and of a message, is kept.
pub(super) const LIMIT: usize = 1 << 20;

/// What a frame's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Whether it is the last of its message.
    pub fin: bool,
    /// RSV1 is 4, RSV2 is 2, RSV3 is 1.
    pub rsv: u8,
    /// 0 to 15.
    pub opcode: u8,
    /// The masking key.
    pub mask: Option<[u8; 4]>,
    /// How long the payload is, as it says.
    pub length: u64,
    /// How many bytes the length took beside its first 7 bits: 0, 2 or 8.
    pub wide: usize,
}

impl Header {
    /// Of the first bytes; none if there are too few of them.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let (first, second) = (*bytes.first()?, *bytes.get(1)?);
        let (length, wide) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 2),
            127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), 8),
            short => (u64::from(short), 0),
        };
        let at = 2 + wide;
        let (mask, size) = if second & 0x80 == 0 {
            (None, at)
        } else {
            (Some(bytes.get(at..at + 4)?.try_into().ok()?), at + 4)
        };
        let (fin, rsv, opcode) = (first & 0x80 != 0, first >> 4 & 7, first & 15);
        Some((Self { fin, rsv, opcode, mask, length, wide }, size))
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = vec![u8::from(self.fin) << 7 | self.rsv << 4 | self.opcode];
        let masked = u8::from(self.mask.is_some()) << 7;
        let [.., a, b] = self.length.to_be_bytes();
        match self.wide {
            0 => out.push(masked | b),
            2 => out.extend([masked | 0x7e, a, b]),
            _ => {
                out.push(masked | 0x7f);
                out.extend(self.length.to_be_bytes());
            }
        }
        out.extend(self.mask.iter().flatten());
        out
    }

    /// Whether it is of a control frame (RFC 6455 §5.5).
    pub(super) fn is_control(&self) -> bool {
        self.opcode >= 8
    }

    /// Whether its length could have been said in fewer bytes (RFC 6455 §5.2).
    pub(super) fn is_wide(&self) -> bool {
        match self.wide {
            0 => false,
            2 => self.length < 126,
            _ => u16::try_from(self.length).is_ok(),
        }
    }
}

/// The opcode's name (RFC 6455 §11.8).
pub(super) fn opcode(code: u8) -> &'static str {
    match code {
        0 => "continuation",
        1 => "text",
        2 => "binary",
        8 => "close",
        9 => "ping",
        10 => "pong",
        3..=7 => "a reserved data opcode",
        _ => "a reserved control opcode",
    }
}

/// A frame of a server: not masked.
pub(super) fn frame(fin: bool, opcode: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len() as u64;
    let wide = match length {
        0..126 => 0,
        126..=0xffff => 2,
        _ => 8,
    };
    let mut out = Header { fin, rsv: 0, opcode, mask: None, length, wide }.bytes();
    out.extend_from_slice(payload);
    out
}

/// A Close frame (RFC 6455 §5.5.1).
pub(super) fn close(code: u16, reason: &str) -> Vec<u8> {
    frame(true, 8, &[&code.to_be_bytes(), reason.as_bytes()].concat())
}

/// A frame that came, or as much of it as came before the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) header: Header,
    /// Without the mask; [`LIMIT`] at the most.
    pub(super) payload: Vec<u8>,
    /// How much of the payload came.
    pub(super) came: u64,
}

/// Reads frames, however they are cut.
#[derive(Clone, Debug, Default)]
pub(super) struct Reader {
    head: Vec<u8>,
    now: Option<Read>,
}

impl Reader {
    /// Takes from `bytes` what belongs to the next frame; that frame if it is whole.
    pub(super) fn next(&mut self, bytes: &mut &[u8]) -> Option<Read> {
        while self.now.is_none() {
            let (byte, rest) = bytes.split_first()?;
            self.head.push(*byte);
            *bytes = rest;
            if let Some((header, _)) = Header::read(&self.head) {
                self.head.clear();
                self.now = Some(Read { header, payload: Vec::new(), came: 0 });
            }
        }
        let now = self.now.as_mut()?;
        let left = usize::try_from(now.header.length - now.came).unwrap_or(usize::MAX);
        let (some, rest) = bytes.split_at(left.min(bytes.len()));
        let kept = some.len().min(LIMIT - now.payload.len());
        let key = now.header.mask.unwrap_or_default();
        let from = now.payload.len();
        let unmasked = some[..kept].iter().zip(from..).map(|(byte, i)| byte ^ key[i % 4]);
        now.payload.extend(unmasked);
        now.came += some.len() as u64;
        *bytes = rest;
        if now.came == now.header.length { self.now.take() } else { None }
    }

    /// What came of a frame that is not whole.
    pub(super) fn rest(&mut self) -> Option<Read> {
        self.now.take()
    }

    /// Whether a frame has begun that is longer than [`LIMIT`].
    pub(super) fn is_too_long(&self) -> bool {
        self.now.as_ref().is_some_and(|now| now.header.length > LIMIT as u64)
    }

    /// Whether nothing waits for more.
    pub(super) fn is_empty(&self) -> bool {
        self.now.is_none() && self.head.is_empty()
    }
}

impl Read {
    /// As it came: masked.
    pub(super) fn raw(&self) -> Vec<u8> {
        let mut out = self.header.bytes();
        let key = self.header.mask.unwrap_or_default();
        out.extend(self.payload.iter().zip(0usize..).map(|(byte, i)| byte ^ key[i % 4]));
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn all(pieces: &[&[u8]]) -> Vec<Read> {
        let mut reader = Reader::default();
        let mut frames = Vec::new();
        for piece in pieces {
            let mut bytes = *piece;
            while let Some(frame) = reader.next(&mut bytes) {
                frames.push(frame);
            }
        }
        frames.extend(reader.rest());
        frames
    }

    // RFC 6455 §5.7.
    #[rstest]
    #[case(b"\x81\x05Hello", 1, true, b"Hello")]
    #[case(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 1, true, b"Hello")]
    #[case(b"\x01\x03Hel", 1, false, b"Hel")]
    #[case(b"\x89\x05Hello", 9, true, b"Hello")]
    fn the_examples_of_the_rfc_are_read(
        #[case] bytes: &[u8],
        #[case] opcode: u8,
        #[case] fin: bool,
        #[case] payload: &[u8],
    ) {
        let [read] = all(&[bytes]).try_into().unwrap();
        assert_eq!((read.header.opcode, read.header.fin), (opcode, fin));
        assert_eq!(read.payload, payload);
        assert_eq!(read.raw(), bytes);
    }

    #[rstest]
    #[case(0, 2, false)]
    #[case(125, 2, false)]
    #[case(126, 4, false)]
    #[case(65_535, 4, false)]
    #[case(65_536, 10, false)]
    fn a_length_is_as_short_as_it_can_be(
        #[case] len: usize,
        #[case] size: usize,
        #[case] wide: bool,
    ) {
        let bytes = frame(true, 2, &vec![0; len]);
        let (header, at) = Header::read(&bytes).unwrap();
        assert_eq!((header.length, at, header.is_wide()), (len as u64, size, wide));
        let longer = Header { wide: 8, ..header };
        assert_eq!(longer.is_wide(), len < 65_536);
    }

    #[test]
    fn what_is_too_long_is_counted_and_not_kept() {
        let mut reader = Reader::default();
        let mut bytes =
            Header::read(b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff").unwrap().0.bytes();
        bytes.resize(3 << 20, 7);
        assert_eq!(reader.next(&mut bytes.as_slice()), None);
        let rest = reader.rest().unwrap();
        assert_eq!((rest.payload.len(), rest.came), (LIMIT, (3 << 20) - 10));
    }

    proptest! {
        #[test]
        fn frames_are_the_same_in_any_pieces(
            bytes in prop::collection::vec(any::<u8>(), 0..400), cut in 0usize..400
        ) {
            let whole = all(&[&bytes]);
            let cut = cut.min(bytes.len());
            prop_assert_eq!(&whole, &all(&[&bytes[..cut], &bytes[cut..]]));
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(&whole, &all(&single));
        }

        #[test]
        fn a_frame_is_read_as_it_was_written(
            fin in any::<bool>(), code in 0u8..16, payload in prop::collection::vec(any::<u8>(), 0..300)
        ) {
            let [read] = all(&[&frame(fin, code, &payload)]).try_into().unwrap();
            prop_assert_eq!((read.header.fin, read.header.opcode), (fin, code));
            prop_assert_eq!(read.payload, payload);
        }
    }
}
