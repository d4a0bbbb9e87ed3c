//! Bodies of HTTP requests: where they end (RFC 9112 §6, §7.1).

use crate::head::{Body, LIMIT};

/// How long the line of a chunk may be; one of the trailer has the limit of a head.
const CHUNK_LINE: usize = 1 << 10;

/// Follows a body to its end, and counts it.
#[derive(Debug)]
pub(crate) struct Reader {
    state: State,
    /// How long the body is so far, without the framing of chunks.
    pub(crate) len: u64,
}

#[derive(Debug)]
enum State {
    Data(u64),
    ChunkLine(Vec<u8>),
    ChunkData(u64),
    /// The line end after a chunk, or a line of the trailer: how much of the line was read.
    ChunkEnd,
    Trailer(usize),
    Done,
}

impl Reader {
    /// At the beginning of a body.
    pub(crate) fn new(body: Body) -> Self {
        let state = match body {
            Body::Length(0) => State::Done,
            Body::Length(len) => State::Data(len),
            Body::Chunked => State::ChunkLine(Vec::new()),
        };
        Self { state, len: 0 }
    }

    /// Whether all of it was read.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Takes from `bytes` what belongs to the body: how many they were, or what is wrong.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let mut at = 0;
        while at < bytes.len() && !self.is_done() {
            at += self.step(&bytes[at..])?;
        }
        Ok(at)
    }

    fn step(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let byte = bytes[0];
        match &mut self.state {
            State::Done => return Ok(0),
            State::Data(left) | State::ChunkData(left) => {
                let taken = (bytes.len() as u64).min(*left);
                *left -= taken;
                self.len += taken;
                if *left == 0 {
                    let whole = matches!(self.state, State::Data(_));
                    self.state = if whole { State::Done } else { State::ChunkEnd };
                }
                return Ok(usize::try_from(taken).unwrap_or(bytes.len()));
            }
            State::ChunkLine(line) => {
                line.push(byte);
                if byte == b'\n' {
                    let size = chunk_size(line)?;
                    self.state = if size == 0 { State::Trailer(0) } else { State::ChunkData(size) };
                } else if line.len() > CHUNK_LINE {
                    return Err("the line of a chunk does not end".to_owned());
                }
            }
            State::ChunkEnd => match byte {
                b'\r' => {}
                b'\n' => self.state = State::ChunkLine(Vec::new()),
                _ => return Err("a chunk is longer than it says".to_owned()),
            },
            State::Trailer(len) => match byte {
                b'\r' => {}
                b'\n' if *len == 0 => self.state = State::Done,
                b'\n' => *len = 0,
                _ if *len > LIMIT => return Err("the trailer does not end".to_owned()),
                _ => *len += 1,
            },
        }
        Ok(1)
    }
}

fn chunk_size(line: &[u8]) -> Result<u64, String> {
    match httparse::parse_chunk_size(line) {
        // It takes no digits for 0, which would end the body.
        Ok(httparse::Status::Complete((_, size))) if line[0].is_ascii_hexdigit() => Ok(size),
        _ => Err(format!("\"{}\" is not the size of a chunk", line.escape_ascii())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Body::Length(0), "next", Ok((0, 0, true)))]
    #[case(Body::Length(3), "abcnext", Ok((3, 3, true)))]
    #[case(Body::Length(9), "abc", Ok((3, 3, false)))]
    #[case(Body::Chunked, "3\r\nabc\r\n0\r\n\r\nnext", Ok((13, 3, true)))]
    #[case(Body::Chunked, "a;x=y\r\n0123456789\r\n0\r\nT: 1\r\n\r\n", Ok((30, 10, true)))]
    #[case(Body::Chunked, "3\r\nab", Ok((5, 2, false)))]
    #[case(Body::Chunked, "x\r\n", Err("\"x\\r\\n\" is not the size of a chunk"))]
    #[case(Body::Chunked, "\r\n\r\n", Err("\"\\r\\n\" is not the size of a chunk"))]
    #[case(Body::Chunked, ";x=1\r\n\r\n", Err("\";x=1\\r\\n\" is not the size of a chunk"))]
    #[case(Body::Chunked, " \r\n", Err("\" \\r\\n\" is not the size of a chunk"))]
    #[case(Body::Chunked, "\0\r\n", Err("\"\\x00\\r\\n\" is not the size of a chunk"))]
    #[case(Body::Chunked, "fffffffffffffff\r\nab", Ok((19, 2, false)))]
    #[case(
        Body::Chunked,
        "10000000000000000\r\n",
        Err("\"10000000000000000\\r\\n\" is not the size of a chunk")
    )]
    #[case(Body::Chunked, "1\r\nab", Err("a chunk is longer than it says"))]
    fn a_body_ends(
        #[case] body: Body,
        #[case] text: &str,
        #[case] expected: Result<(usize, u64, bool), &str>,
    ) {
        let mut whole = Reader::new(body);
        let taken = whole.feed(text.as_bytes());
        let got = taken.map(|taken| (taken, whole.len, whole.is_done()));
        assert_eq!(got, expected.map_err(str::to_owned));
        // The same byte by byte.
        let mut slow = Reader::new(body);
        let fed: Result<Vec<usize>, String> =
            text.as_bytes().chunks(1).map(|byte| slow.feed(byte)).collect();
        let fed = fed.map(|taken| (taken.iter().sum(), slow.len, slow.is_done()));
        assert_eq!(fed, expected.map_err(str::to_owned));
    }

    /// What a stranger's body may have most of: framing.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop::sample::select(vec![
            "0\r\n",
            "1\r\nx\r\n",
            "3\r\n",
            "\r",
            "\n",
            "\r\n",
            ";a=b",
            " ",
            "\0",
            "x",
            "f",
            "T: 1\r\n",
        ]);
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat().into_bytes())
    }

    proptest! {
        /// In whatever pieces it comes, it ends at the same byte or is wrong for the same reason.
        #[test]
        fn a_body_is_the_same_in_any_pieces(bytes in bytes(), piece in 1usize..9) {
            let mut whole = Reader::new(Body::Chunked);
            let expected = whole.feed(&bytes);
            let mut slow = Reader::new(Body::Chunked);
            let fed: Result<Vec<usize>, String> =
                bytes.chunks(piece).map(|bytes| slow.feed(bytes)).collect();
            prop_assert_eq!(fed.map(|taken| taken.iter().sum::<usize>()), expected);
            prop_assert_eq!(slow.len, whole.len);
        }
    }

    /// Bytes of nothing but framing, one after the other.
    #[test]
    fn framing_takes_time_by_its_length() {
        let began = std::time::Instant::now();
        for text in ["1\r\nx\r\n", "0\r\n"] {
            let mut reader = Reader::new(Body::Chunked);
            let bytes = text.repeat(1_000_000 / text.len());
            for piece in bytes.as_bytes().chunks(1) {
                let _ = reader.feed(piece);
            }
        }
        let mut reader = Reader::new(Body::Chunked);
        assert_eq!(reader.feed(b"0\r\n"), Ok(3));
        for _ in 0..1_000_000 {
            assert_eq!(reader.feed(b"T\r\n"), Ok(3));
        }
        assert!(began.elapsed().as_secs() < 30 && !reader.is_done());
    }
}
