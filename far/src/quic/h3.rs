//! HTTP/3's framing (RFC 9114 §6, §7), and an answer.

use super::packet::varint;
use super::qpack::fields;

/// How much of a frame is kept to be read.
const KEPT: usize = 16 << 10;
/// How many settings are told of a frame.
const MOST: usize = 64;

/// What was read of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The type that a unidirectional stream begins with.
    Type(u64),
    /// A frame began.
    Frame {
        /// Its type.
        kind: u64,
        /// Its length in bytes.
        len: u64,
    },
    /// What SETTINGS says: identifiers and values.
    Settings(Vec<(u64, u64)>),
    /// The fields of HEADERS, up to the first that cannot be read.
    Fields(Vec<(String, String)>),
}

/// Reads a stream's frames.
#[derive(Debug)]
pub(super) struct Reader {
    /// What is a part of something.
    rest: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Type,
    Head,
    Payload {
        kind: u64,
        left: u64,
        is_kept: bool,
    },
    /// Nothing that has frames.
    Other,
}

impl Reader {
    pub(super) fn new(is_unidirectional: bool) -> Self {
        let state = if is_unidirectional { State::Type } else { State::Head };
        Self { rest: Vec::new(), state }
    }

    /// Reads on.
    pub(super) fn read(&mut self, mut bytes: &[u8], out: &mut Vec<Part>) {
        while !bytes.is_empty() {
            match self.state {
                State::Other => return,
                State::Payload { kind, left, is_kept } => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    let (now, behind) = bytes.split_at(here);
                    bytes = behind;
                    if is_kept {
                        self.rest.extend_from_slice(now);
                    }
                    let left = left - here as u64;
                    self.state = State::Payload { kind, left, is_kept };
                    if left == 0 {
                        self.ends(kind, out);
                    }
                }
                State::Type | State::Head => {
                    self.rest.push(bytes[0]);
                    bytes = &bytes[1..];
                    self.head(out);
                }
            }
        }
    }

    /// A type or the head of a frame, if all of it is there: 16 bytes at the most.
    fn head(&mut self, out: &mut Vec<Part>) {
        let mut rest = &self.rest[..];
        let Some(kind) = varint(&mut rest) else { return };
        if self.state == State::Type {
            self.state = if kind == 0 { State::Head } else { State::Other };
            out.push(Part::Type(kind));
        } else {
            let Some(len) = varint(&mut rest) else { return };
            out.push(Part::Frame { kind, len });
            let is_kept = matches!(kind, 1 | 4) && len <= KEPT as u64;
            self.state = State::Payload { kind, left: len, is_kept };
        }
        self.rest.clear();
        if let State::Payload { left: 0, .. } = self.state {
            self.ends(kind, out);
        }
    }

    fn ends(&mut self, kind: u64, out: &mut Vec<Part>) {
        let payload = std::mem::take(&mut self.rest);
        match (kind, self.state) {
            (1, State::Payload { is_kept: true, .. }) => out.push(Part::Fields(fields(&payload))),
            (4, State::Payload { is_kept: true, .. }) => out.push(Part::Settings(pairs(&payload))),
            _ => {}
        }
        self.state = State::Head;
    }
}

fn pairs(mut payload: &[u8]) -> Vec<(u64, u64)> {
    let mut all = Vec::new();
    while let Some(id) = varint(&mut payload).filter(|_| all.len() < MOST) {
        let Some(value) = varint(&mut payload) else { break };
        all.push((id, value));
    }
    all
}

/// What our control stream begins with: its type, and SETTINGS without any.
pub(super) const CONTROL: &[u8] = &[0, 4, 0];

/// HEADERS and DATA of a response with that text.
pub(super) fn response(body: &str, with_body: bool) -> Vec<u8> {
    let length = body.len().to_string();
    // `:status 200` and `content-type: text/plain` of the static table, and content-length by its name there.
    let mut block = vec![0, 0, 0xc0 | 0x19, 0xc0 | 0x35, 0x50 | 4];
    block.push(u8::try_from(length.len()).unwrap_or(0));
    block.extend(length.as_bytes());
    let mut out = vec![1];
    number(block.len(), &mut out);
    out.extend(block);
    if with_body {
        out.push(0);
        number(body.len(), &mut out);
        out.extend(body.as_bytes());
    }
    out
}

/// A length of less than 16384.
fn number(n: usize, out: &mut Vec<u8>) {
    let [_, _, _, _, _, _, high, low] = (n as u64 & 0x3fff).to_be_bytes();
    out.extend([0x40 | high, low]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(is_unidirectional: bool, pieces: &[&[u8]]) -> Vec<Part> {
        let mut reader = Reader::new(is_unidirectional);
        let mut out = Vec::new();
        for piece in pieces {
            reader.read(piece, &mut out);
        }
        out
    }

    fn field(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn streams_and_frames_are_named() {
        let control = read(true, &[&[0, 4, 4, 1, 0, 0x33, 1]]);
        let settings = Part::Settings(vec![(1, 0), (0x33, 1)]);
        assert_eq!(control, [Part::Type(0), Part::Frame { kind: 4, len: 4 }, settings]);
        assert_eq!(read(true, &[&[2, 0x3f, 0xe1, 1]]), [Part::Type(2)]);
        assert_eq!(read(true, &[&[0x40]]), []);
    }

    #[test]
    fn a_request_is_read() {
        let block =
            [&[0, 0, 0xd1, 0xd7, 0xc1, 0x50, 1, b'h', 0x21, b'a', 2, b'b', b'c'][..]].concat();
        let bytes = [&[1, 13][..], &block, &[0, 2, 9, 9]].concat();
        let expected = [
            Part::Frame { kind: 1, len: 13 },
            Part::Fields(vec![
                field(":method", "GET"),
                field(":scheme", "https"),
                field(":path", "/"),
                field(":authority", "h"),
                field("a", "bc"),
            ]),
            Part::Frame { kind: 0, len: 2 },
        ];
        assert_eq!(read(false, &[&bytes]), expected);
    }

    #[test]
    fn our_response_is_one() {
        let read = read(false, &[&response("abc", true)]);
        assert_eq!(read[0], Part::Frame { kind: 1, len: 7 });
        let Part::Fields(fields) = &read[1] else { panic!("{read:?}") };
        assert_eq!(fields[2], field("content-length", "3"));
        assert_eq!(read[2..], [Part::Frame { kind: 0, len: 3 }]);
    }

    proptest! {
        #[test]
        fn pieces_are_read_as_a_whole(bytes: Vec<u8>, cut: usize, is_unidirectional: bool) {
            let (a, b) = bytes.split_at(cut.checked_rem(bytes.len()).unwrap_or(0));
            prop_assert_eq!(read(is_unidirectional, &[&bytes]), read(is_unidirectional, &[a, b]));
        }
    }
}
