//! Heads of HTTP requests as they come, by httparse (RFC 9112 §2).

/// How long a head may be, in bytes.
pub(crate) const LIMIT: usize = 32 << 10;
/// How many header lines it may have.
const HEADERS: usize = 256;

/// A request without its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// As written.
    pub(crate) method: String,
    /// As written.
    pub(crate) target: String,
    /// 0 of HTTP/1.0, 1 of HTTP/1.1.
    pub(crate) minor: u8,
    /// Names and values as they came, without the space around them.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

/// How long a request's body is (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// By Content-Length; 0 without it.
    Length(u64),
    /// By its chunks.
    Chunked,
}

impl Head {
    /// What the first line of that name says.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        self.values(name).next()
    }

    /// What each line of that name says.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = String> + 'a {
        let named = self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name));
        named.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }

    /// Whether a line of that name has that word between commas.
    pub(crate) fn says(&self, name: &str, word: &str) -> bool {
        self.values(name).any(|v| v.split(',').any(|w| w.trim().eq_ignore_ascii_case(word)))
    }

    /// How its body's length is known. An error if it is not, or in two ways: who forwards such may be made to
    /// smuggle a request (RFC 9112 §6.1).
    pub(crate) fn body(&self) -> Result<Body, String> {
        let codings: Vec<String> = self.values("transfer-encoding").collect();
        let mut lengths: Vec<String> = self.values("content-length").collect();
        lengths.dedup();
        match (codings.as_slice(), lengths.as_slice()) {
            ([], []) => Ok(Body::Length(0)),
            ([], [one]) if !one.is_empty() && one.bytes().all(|b| b.is_ascii_digit()) => {
                one.parse().map(Body::Length).map_err(|_| format!("Content-Length {one:?}"))
            }
            ([one], []) if one.eq_ignore_ascii_case("chunked") => Ok(Body::Chunked),
            ([], _) => Err(format!("Content-Length {lengths:?}")),
            (_, []) => Err(format!("Transfer-Encoding {codings:?}")),
            _ => Err("both Transfer-Encoding and Content-Length".to_owned()),
        }
    }
}

/// What the bytes so far are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// The beginning of a head.
    Partial,
    /// A head, and what came behind it.
    Head(Box<Head>, Vec<u8>),
    /// No head, and why.
    No(String),
}

/// Collects bytes until a head is whole; what it reads it reads twice at the most.
#[derive(Clone, Debug, Default)]
pub(crate) struct Collector {
    bytes: Vec<u8>,
    /// Up to where there is no end of a head.
    looked: usize,
}

impl Collector {
    /// Whether nothing came but line ends.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What came and was no head.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// More came. After a head it is empty again.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Came {
        if self.bytes.is_empty() {
            // A line end before a request is none's (RFC 9112 §2.2).
            let skipped = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
            bytes = &bytes[skipped..];
        }
        self.bytes.extend_from_slice(bytes);
        match self.bytes.first() {
            None => return Came::Partial,
            Some(0x16) => return Came::No("this is TLS".to_owned()),
            Some(b) if !b.is_ascii_alphanumeric() && !b"!#$%&'*+-.^_`|~".contains(b) => {
                return Came::No("this is no HTTP".to_owned());
            }
            Some(_) => {}
        }
        let from = self.looked.saturating_sub(2);
        let end = (from..self.bytes.len()).find(|&i| {
            let rest = &self.bytes[i..];
            rest.starts_with(b"\n\r\n") || rest.starts_with(b"\n\n")
        });
        self.looked = self.bytes.len();
        match end {
            Some(end) if end < LIMIT => self.take(),
            None if self.bytes.len() < LIMIT => Came::Partial,
            _ => Came::No(format!("its head is longer than {LIMIT} bytes")),
        }
    }

    fn take(&mut self) -> Came {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(&self.bytes) {
            Ok(httparse::Status::Complete(len)) => {
                let headers = request.headers.iter().map(|h| (h.name.to_owned(), h.value.to_vec()));
                let head = Head {
                    method: request.method.unwrap_or_default().to_owned(),
                    target: request.path.unwrap_or_default().to_owned(),
                    minor: request.version.unwrap_or_default(),
                    headers: headers.collect(),
                };
                let rest = self.bytes.split_off(len);
                *self = Self::default();
                Came::Head(Box::new(head), rest)
            }
            Ok(httparse::Status::Partial) => Came::No("its head has no end".to_owned()),
            Err(e) => Came::No(e.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::none("", Ok(Body::Length(0)))]
    #[case::length("Content-Length: 3\r\n", Ok(Body::Length(3)))]
    #[case::twice("Content-Length: 3\r\nContent-Length: 3\r\n", Ok(Body::Length(3)))]
    #[case::two("Content-Length: 3\r\nContent-Length: 4\r\n", Err("Content-Length"))]
    #[case::signed("Content-Length: +3\r\n", Err("Content-Length"))]
    #[case::empty("Content-Length:\r\n", Err("Content-Length"))]
    #[case::large("Content-Length: 99999999999999999999\r\n", Err("Content-Length"))]
    #[case::chunked("Transfer-Encoding: chunked\r\n", Ok(Body::Chunked))]
    #[case::gzip("Transfer-Encoding: gzip\r\n", Err("Transfer-Encoding"))]
    #[case::both("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", Err("both"))]
    fn the_length_of_a_body_is_known_in_one_way(
        #[case] lines: &str,
        #[case] expected: Result<Body, &str>,
    ) {
        let text = format!("\r\nPOST /x HTTP/1.1\r\nHost: a\r\n{lines}\r\nabc");
        let Came::Head(head, rest) = Collector::default().push(text.as_bytes()) else {
            panic!("no head");
        };
        assert_eq!((head.method.as_str(), rest.as_slice()), ("POST", &b"abc"[..]));
        match (head.body(), expected) {
            (Ok(got), Ok(expected)) => assert_eq!(got, expected),
            (Err(got), Err(part)) => assert!(got.contains(part), "{got}"),
            (got, _) => panic!("{got:?}"),
        }
    }

    #[rstest]
    #[case(b"\x16\x03\x01", "TLS")]
    #[case(b"\x00", "no HTTP")]
    #[case(b"GET / HTTP/9.9\r\n\r\n", "version")]
    #[case(b"GET / HTTP/1.1\r\nA: LONG\r\n\r\n", "longer")]
    fn what_is_no_head_is_told(#[case] bytes: &[u8], #[case] expected: &str) {
        let bytes = String::from_utf8_lossy(bytes).replace("LONG", &"a".repeat(LIMIT));
        match Collector::default().push(bytes.as_bytes()) {
            Came::No(why) => assert!(why.contains(expected), "{why}"),
            other => panic!("{other:?}"),
        }
    }

    proptest! {
        #[test]
        fn a_head_is_the_same_in_any_pieces(
            cuts in prop::collection::vec(0usize..60, 0..8), lines in "[\r\n]{0,3}"
        ) {
            let text = format!("{lines}GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n");
            let whole = Collector::default().push(text.as_bytes());
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let mut collector = Collector::default();
            let mut last = Came::Partial;
            for pair in cuts.windows(2) {
                if let Came::Partial = last {
                    last = collector.push(&text.as_bytes()[pair[0]..pair[1]]);
                }
            }
            prop_assert_eq!(last, whole);
        }

        #[test]
        fn anything_is_something(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Collector::default().push(&bytes);
        }
    }
}
