//! Heads of HTTP requests as they come, by httparse (RFC 9112 §2), for all that read some.

use crate::text;

/// How long a head may be, in bytes.
pub(crate) const LIMIT: usize = 64 << 10;
/// How many header lines it may have.
const HEADERS: usize = 1 << 10;
/// The first byte of a handshake of TLS.
pub(crate) const TLS: u8 = 0x16;

/// A request without its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// As written.
    pub method: String,
    /// As written.
    pub target: String,
    /// 0 of HTTP/1.0, 1 of HTTP/1.1.
    pub minor: u8,
    /// Names and values as they came, without the space around them.
    pub headers: Vec<(String, Vec<u8>)>,
}

/// How the length of a request's body is known (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
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

    /// Method and target, as they are shown.
    pub(crate) fn line(&self) -> String {
        text::cut(&format!("{} {}", self.method, self.target))
    }

    /// What the client calls itself, as it is shown.
    pub(crate) fn agent(&self) -> Option<String> {
        self.value("user-agent").map(|agent| text::cut(&agent))
    }

    /// "Expect: 100-continue".
    pub(crate) fn expects_continue(&self) -> bool {
        self.says("expect", "100-continue")
    }

    /// "Connection: close", HTTP/1.0, or two lengths: who says both may be smuggling a request (RFC 9112 §6.1).
    pub(crate) fn wants_close(&self) -> bool {
        self.minor == 0 || self.says("connection", "close") || self.has_two_lengths()
    }

    fn has_two_lengths(&self) -> bool {
        self.value("transfer-encoding").is_some() && self.value("content-length").is_some()
    }

    /// How its body's length is known. An error if it is not.
    pub(crate) fn body(&self) -> Result<Body, String> {
        if let Some(codings) = self.values("transfer-encoding").last() {
            let last = codings.rsplit(',').next().unwrap_or_default().trim();
            // Else nobody knows where the body ends (RFC 9112 §6.3).
            return if last.eq_ignore_ascii_case("chunked") {
                Ok(Body::Chunked)
            } else {
                Err(format!("Transfer-Encoding ends with {last:?}, not with chunked"))
            };
        }
        let mut lengths: Vec<String> = self.values("content-length").collect();
        lengths.dedup();
        match lengths.as_slice() {
            [] => Ok(Body::Length(0)),
            [one] if one.bytes().all(|b| b.is_ascii_digit()) => {
                one.parse().map(Body::Length).map_err(|_| format!("Content-Length {one:?}"))
            }
            _ => Err(format!("Content-Length {lengths:?}")),
        }
    }

    /// The same, for who forwards it. An error also if it is known in two ways, or by chunks of something encoded:
    /// whom it is forwarded to may read it in another way, and take the body for a request (RFC 9112 §6.1).
    pub(crate) fn body_to_forward(&self) -> Result<Body, String> {
        let body = self.body()?;
        let codings: Vec<String> = self.values("transfer-encoding").collect();
        match codings.as_slice() {
            _ if self.has_two_lengths() => {
                Err("both Transfer-Encoding and Content-Length".to_owned())
            }
            [] => Ok(body),
            [one] if one.eq_ignore_ascii_case("chunked") => Ok(body),
            _ => Err(format!("Transfer-Encoding {codings:?}")),
        }
    }
}

/// What the bytes so far are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// The beginning of a head.
    Partial,
    /// A head of that length, with the line ends before it.
    Head(Box<Head>, usize),
    /// No head, and why; whether since it is longer than [`LIMIT`].
    No { why: String, is_long: bool },
}

/// Looks for a head at the start of `bytes`.
pub(crate) fn parse(bytes: &[u8]) -> Came {
    // What is behind the limit changes nothing, whether it came by now or not.
    let bytes = &bytes[..bytes.len().min(LIMIT + 1)];
    let mut headers = vec![httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let why = match request.parse(bytes) {
        Ok(httparse::Status::Complete(len)) if len <= LIMIT => {
            let headers = request.headers.iter().map(|h| (h.name.to_owned(), h.value.to_vec()));
            let head = Head {
                method: request.method.unwrap_or_default().to_owned(),
                target: request.path.unwrap_or_default().to_owned(),
                minor: request.version.unwrap_or_default(),
                headers: headers.collect(),
            };
            return Came::Head(Box::new(head), len);
        }
        Ok(_) if bytes.len() <= LIMIT => return Came::Partial,
        Ok(_) => {
            let why = format!("the head is longer than {} KiB", LIMIT >> 10);
            return Came::No { why, is_long: true };
        }
        Err(_) if begun(bytes).first() == Some(&TLS) => {
            "this is TLS, and plain HTTP is spoken here".to_owned()
        }
        Err(e) => e.to_string(),
    };
    Came::No { why, is_long: false }
}

/// What is there without line ends before it: they are none's (RFC 9112 §2.2).
fn begun(bytes: &[u8]) -> &[u8] {
    let ends = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    &bytes[ends..]
}

/// Up to which length a head is looked for whenever more of it came.
const SHORT: usize = 1 << 10;

/// Bytes that belong to nothing yet, and how far they were looked at: a head that comes in many pieces is not
/// read anew for each of them.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    bytes: Vec<u8>,
    /// Where what is still there begins.
    start: usize,
    /// How much of that was looked at for the line that ends a head.
    scanned: usize,
    /// How long the line is that is being looked at, and whether one before it had anything in it.
    line: usize,
    has_line: bool,
    /// How much there was when a head was last looked for.
    parsed: usize,
}

impl Collector {
    /// More came.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// What is there.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// What is there without line ends before it.
    pub(crate) fn begun(&self) -> &[u8] {
        begun(self.bytes())
    }

    /// Whether there is nothing but line ends.
    pub(crate) fn is_empty(&self) -> bool {
        !self.has_line && begun(&self.bytes()[self.scanned..]).is_empty()
    }

    /// The first of them belong to something now.
    pub(crate) fn take(&mut self, count: usize) -> &[u8] {
        let from = self.start;
        self.start = from.saturating_add(count).min(self.bytes.len());
        (self.scanned, self.line, self.has_line, self.parsed) = (0, 0, false, 0);
        &self.bytes[from..self.start]
    }

    /// All of them are thrown away.
    pub(crate) fn clear(&mut self) {
        self.take(usize::MAX);
    }

    /// Gives back the room of what was taken.
    pub(crate) fn compact(&mut self) {
        self.bytes.drain(..self.start);
        self.start = 0;
    }

    /// More came, for who wants one head alone.
    pub(crate) fn input(&mut self, bytes: &[u8]) -> Came {
        self.push(bytes);
        self.head(false)
    }

    /// The head that they begin with. Before all of it is there it may go unseen that it is none; `at_the_end`
    /// nothing more comes.
    pub(crate) fn head(&mut self, at_the_end: bool) -> Came {
        let ended = self.scan();
        let len = self.bytes().len();
        let due = ended
            || at_the_end
            || len > LIMIT
            || self.has_line && (len < SHORT || len > self.parsed + self.parsed / 8);
        if !due {
            return Came::Partial;
        }
        self.parsed = len;
        parse(self.bytes())
    }

    /// Whether there is an empty line behind one that is not.
    fn scan(&mut self) -> bool {
        while let Some(byte) = self.bytes.get(self.start + self.scanned) {
            self.scanned += 1;
            match byte {
                b'\n' if self.line == 0 && self.has_line => return true,
                b'\n' => self.line = 0,
                b'\r' => {}
                _ => {
                    self.line += 1;
                    self.has_line = true;
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("GET / HTTP/1.1\r\nHost: x\r\n\r\n", Body::Length(0), false, false)]
    #[case::empty_line_first("\r\nGET / HTTP/1.1\r\n\r\n", Body::Length(0), false, false)]
    #[case::old("GET / HTTP/1.0\r\n\r\n", Body::Length(0), false, true)]
    #[case::close("GET / HTTP/1.1\r\nconnection: CLOSE\r\n\r\n", Body::Length(0), false, true)]
    #[case::length("PUT / HTTP/1.1\r\nContent-Length: 7\r\n\r\n", Body::Length(7), false, false)]
    #[case::same(
        "PUT / HTTP/1.1\r\nContent-Length: 7\r\nContent-Length: 7\r\n\r\n",
        Body::Length(7),
        false,
        false
    )]
    #[case::chunked(
        "PUT / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        Body::Chunked,
        false,
        false
    )]
    #[case::expect("PUT / HTTP/1.1\r\nExpect: 100-Continue\r\n\r\n", Body::Length(0), true, false)]
    fn a_head_says(
        #[case] text: &str,
        #[case] body: Body,
        #[case] expects: bool,
        #[case] close: bool,
    ) {
        let came = parse(text.as_bytes());
        let Came::Head(head, len) = came else { panic!("{came:?}") };
        let said = (head.body(), head.expects_continue(), head.wants_close());
        assert_eq!(said, (Ok(body), expects, close));
        assert_eq!(len, text.len());
        for end in 0..text.len() {
            assert!(matches!(parse(&text.as_bytes()[..end]), Came::Partial), "{end} bytes");
        }
    }

    #[test]
    fn two_lengths_end_the_connection() {
        let both = "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n";
        let came = parse(both.as_bytes());
        let Came::Head(head, _) = came else { panic!("{came:?}") };
        assert_eq!((head.body(), head.wants_close()), (Ok(Body::Chunked), true));
    }

    #[rstest]
    #[case::no_http(b"hello sockeye, this is no HTTP\r\n\r\n", "version")]
    #[case::null(b"GET / HTTP/1.1\r\nA\0: b\r\n\r\n", "header name")]
    #[case::tls(b"\x16\x03\x01\x02\x00\x01\x00", "TLS")]
    #[case::coding(b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", "chunked")]
    #[case::length(b"PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "Content-Length")]
    #[case::huge(
        b"PUT / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "Content-Length"
    )]
    #[case::two(
        b"PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "Content-Length"
    )]
    fn no_request(#[case] bytes: &[u8], #[case] why: &str) {
        let text = match parse(bytes) {
            Came::Head(head, _) => head.body().unwrap_err(),
            Came::No { why, is_long: false } => why,
            other => panic!("{other:?}"),
        };
        assert!(text.contains(why), "{text}");
    }

    #[test]
    fn a_head_has_a_limit() {
        let long = format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(LIMIT));
        assert!(matches!(parse(long.as_bytes()), Came::No { is_long: true, .. }));
        // Even if what is behind the limit is wrong.
        let whole = format!("{long}\0\r\n\r\n");
        assert!(matches!(parse(whole.as_bytes()), Came::No { is_long: true, .. }));
        let whole = format!("{long}\r\n\r\n");
        assert!(matches!(parse(whole.as_bytes()), Came::No { is_long: true, .. }));
    }

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
    #[case::encoded("Transfer-Encoding: gzip, chunked\r\n", Err("Transfer-Encoding"))]
    #[case::chunked_twice(
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        Err("Transfer-Encoding")
    )]
    #[case::both("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", Err("both"))]
    fn the_length_of_a_body_that_is_forwarded_is_known_in_one_way(
        #[case] lines: &str,
        #[case] expected: Result<Body, &str>,
    ) {
        let text = format!("\r\nPOST /x HTTP/1.1\r\nHost: a\r\n{lines}\r\nabc");
        let Came::Head(head, len) = Collector::default().input(text.as_bytes()) else {
            panic!("no head");
        };
        assert_eq!((head.method.as_str(), &text[len..]), ("POST", "abc"));
        match (head.body_to_forward(), expected) {
            (Ok(got), Ok(expected)) => assert_eq!(got, expected),
            (Err(got), Err(part)) => assert!(got.contains(part), "{got}"),
            (got, _) => panic!("{got:?}"),
        }
    }

    #[rstest]
    #[case(b"\x16\x03\x01", "TLS")]
    #[case(b"\x00", "token")]
    #[case(b"GET / HTTP/9.9\r\n\r\n", "version")]
    #[case(b"GET / HTTP/1.1\r\nA: LONG\r\n\r\n", "longer")]
    fn what_is_no_head_is_told(#[case] bytes: &[u8], #[case] expected: &str) {
        let bytes = String::from_utf8_lossy(bytes).replace("LONG", &"a".repeat(LIMIT));
        match Collector::default().input(bytes.as_bytes()) {
            Came::No { why, .. } => assert!(why.contains(expected), "{why}"),
            other => panic!("{other:?}"),
        }
    }

    proptest! {
        #[test]
        fn a_head_is_the_same_in_any_pieces(
            cuts in prop::collection::vec(0usize..60, 0..8), lines in "[\r\n]{0,3}"
        ) {
            let text = format!("{lines}GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n");
            let whole = Collector::default().input(text.as_bytes());
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let mut collector = Collector::default();
            let mut last = Came::Partial;
            for pair in cuts.windows(2) {
                if let Came::Partial = last {
                    last = collector.input(&text.as_bytes()[pair[0]..pair[1]]);
                }
            }
            prop_assert_eq!(last, whole);
        }

        #[test]
        fn anything_is_something(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Collector::default().input(&bytes);
        }

        /// What is a head, and where it ends, does not depend on how it came; nor does that it is none, at its end.
        #[test]
        fn what_came_is_the_same_in_any_pieces(bytes in messy(), piece in 1usize..40) {
            let whole = parse(&bytes);
            let mut collector = Collector::default();
            let mut came = Came::Partial;
            for piece in bytes.chunks(piece) {
                collector.push(piece);
                came = collector.head(false);
                if came != Came::Partial {
                    break;
                }
            }
            if came == Came::Partial {
                came = collector.head(true);
            }
            // Some of it is enough to know that it is none, and the reason is the first that is found.
            let is_none = |came: &Came| matches!(came, Came::No { .. });
            if !(is_none(&came) && is_none(&whole)) {
                prop_assert_eq!(came, whole);
            }
        }
    }

    /// Pieces of heads, right and wrong.
    fn messy() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop::sample::select(vec![
            "GET / HTTP/1.1\r\n",
            "GET / HTTP/1.1",
            "A: b\r\n",
            "A: b\n",
            "A",
            ":",
            " ",
            "\t",
            "\r",
            "\n",
            "\r\n",
            "\r\r\n",
            "\0",
            "\x7f",
            "\u{e9}",
            "\x16",
        ]);
        let pieces = prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat());
        let begins = prop::sample::select(vec![
            "",
            "\r\n",
            "GET / HTTP/1.1\r\n",
            "GET / HTTP/1.1\r\nA: b\r\n",
        ]);
        (begins, pieces).prop_map(|(begins, rest)| format!("{begins}{rest}").into_bytes())
    }

    /// Byte by byte, whatever there is most of.
    #[rstest]
    #[case::line_ends("\r\n")]
    #[case::returns("\r")]
    #[case::nuls("\0")]
    #[case::one_line("a")]
    #[case::headers("A: b\r\n")]
    #[case::folded("A: b\r\n c\r\n")]
    #[case::heads("GET / HTTP/1.1\r\n\r\n")]
    fn a_head_takes_time_by_its_length(#[case] text: &str) {
        let began = std::time::Instant::now();
        for begins in ["", "GET / HTTP/1.1\r\nB: "] {
            let bytes = format!("{begins}{}", text.repeat(3 * LIMIT / text.len()));
            let mut collector = Collector::default();
            for byte in bytes.as_bytes() {
                collector.push(std::slice::from_ref(byte));
                match collector.head(false) {
                    Came::Partial => {}
                    Came::Head(_, len) => {
                        collector.take(len);
                        collector.compact();
                    }
                    // Who is told so ends the connection.
                    Came::No { .. } => break,
                }
            }
            assert!(collector.bytes().len() <= LIMIT + 1);
        }
        assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
    }
}
