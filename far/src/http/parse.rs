//! Requests from bytes: the head by httparse, the body counted (RFC 9112).

/// How long a head may be.
pub(super) const HEAD_LIMIT: usize = 64 << 10;
/// How many header lines it may have.
const HEADERS: usize = 1_024;
/// How long the line of a chunk may be.
const CHUNK_LINE: usize = 1_024;

/// A request without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// As written.
    pub method: String,
    /// As written.
    pub target: String,
    /// Names and values, without the space around them.
    pub headers: Vec<(String, String)>,
    /// What follows the head.
    pub body: Body,
    /// "Expect: 100-continue".
    pub expects_continue: bool,
    /// "Connection: close", HTTP/1.0, or two lengths.
    pub wants_close: bool,
    /// HTTP/1.0, where Host may be missing.
    pub is_old: bool,
}

impl Head {
    /// What all Cookie lines say.
    pub fn cookie(&self) -> Option<String> {
        let values: Vec<&str> = self.values("cookie").collect();
        (!values.is_empty()).then(|| values.join("; "))
    }

    /// Why the request is not one that this server answers: status, reason, and why in a sentence.
    pub(super) fn refused(&self) -> Option<(u16, &'static str, &'static str)> {
        let hosts: Vec<&str> = self.values("host").collect();
        let form = |ok: bool, why| if ok { None } else { Some((400, "Bad Request", why)) };
        match self.method.as_str() {
            // RFC 9110 §9.3.6: 2xx would make it a tunnel, and what follows no HTTP.
            "CONNECT" => Some((501, "Not Implemented", "this server is no proxy")),
            // RFC 9110 §9.3.8: the answer is the request itself, cookies and all.
            "TRACE" => Some((501, "Not Implemented", "this server sends no request back")),
            _ => None,
        }
        .or_else(|| {
            let one = hosts.len() == 1 || hosts.is_empty() && self.is_old;
            form(one, "it must have one Host line (RFC 9112 §3.2)")
        })
        .or_else(|| {
            let form_of = self.target.as_str();
            let absolute = form_of.split_once("://").is_some_and(|(scheme, _)| {
                scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
            });
            let whole = form_of == "*" && self.method == "OPTIONS";
            let ok = form_of.starts_with('/') || absolute || whole;
            form(ok, "its target is neither a path nor a URL (RFC 9112 §3.2)")
        })
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    fn says(&self, name: &str, word: &str) -> bool {
        self.values(name).flat_map(|v| v.split(',')).any(|w| w.trim().eq_ignore_ascii_case(word))
    }
}

/// How the length of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// By Content-Length; 0 without it.
    Length(u64),
    /// By its chunks.
    Chunked,
}

/// What the bytes so far are.
#[derive(Debug)]
pub(super) enum Parsed {
    /// The beginning of a request.
    Partial,
    /// A request whose head has this length.
    Complete(Head, usize),
    /// No request.
    Malformed(String),
    /// A head beyond the limit.
    TooLong,
}

/// Looks for a request at the start of `bytes`.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let mut headers = vec![httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(len)) if len > HEAD_LIMIT => Parsed::TooLong,
        Ok(httparse::Status::Complete(len)) => match head(&request) {
            Ok(head) => Parsed::Complete(head, len),
            Err(why) => Parsed::Malformed(why),
        },
        Ok(httparse::Status::Partial) if bytes.len() > HEAD_LIMIT => Parsed::TooLong,
        Ok(httparse::Status::Partial) => Parsed::Partial,
        Err(_) if bytes.starts_with(&[0x16, 0x03]) => {
            Parsed::Malformed("this is TLS, and the server speaks http:// only".to_owned())
        }
        Err(e) => Parsed::Malformed(e.to_string()),
    }
}

fn head(request: &httparse::Request<'_, '_>) -> Result<Head, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = request.headers.iter().map(|h| (h.name.to_owned(), text(h.value))).collect();
    let mut head = Head {
        method: request.method.unwrap_or_default().to_owned(),
        target: request.path.unwrap_or_default().to_owned(),
        headers,
        body: Body::Length(0),
        expects_continue: false,
        wants_close: request.version == Some(0),
        is_old: request.version == Some(0),
    };
    head.expects_continue = head.says("expect", "100-continue");
    head.wants_close |= head.says("connection", "close");
    let mut codings: Vec<&str> = head.values("transfer-encoding").collect();
    let coding = codings.pop().and_then(|value| value.rsplit(',').next()).map(str::trim);
    head.body = if let Some(last) = coding {
        // Else nobody knows where the body ends (RFC 9112 §6.3).
        if !last.eq_ignore_ascii_case("chunked") {
            return Err(format!("Transfer-Encoding ends with {last:?}, not with chunked"));
        }
        // Who says both lengths may be smuggling a request (RFC 9112 §6.1).
        let both = head.values("content-length").next().is_some();
        head.wants_close |= both;
        Body::Chunked
    } else {
        let mut lengths: Vec<&str> = head.values("content-length").collect();
        lengths.dedup();
        match lengths[..] {
            [] => Body::Length(0),
            [one] if one.bytes().all(|b| b.is_ascii_digit()) => {
                Body::Length(one.parse().map_err(|_| format!("Content-Length {one:?}"))?)
            }
            _ => return Err(format!("Content-Length {lengths:?}")),
        }
    };
    Ok(head)
}

/// The header lines of a head exactly as they came, without their line ends, Cookie lines first.
pub(super) fn header_lines(head: &[u8]) -> Vec<&[u8]> {
    let lines = head.split(|b| *b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l));
    let lines = lines.filter(|line| !line.is_empty()).skip(1);
    let is_cookie = |l: &[u8]| l.get(..7).is_some_and(|name| name.eq_ignore_ascii_case(b"cookie:"));
    let (mut first, others): (Vec<&[u8]>, Vec<&[u8]>) = lines.partition(|line| is_cookie(line));
    first.extend(others);
    first
}

/// Follows a body to its end, and counts it.
#[derive(Debug)]
pub(super) struct Reader {
    state: State,
    /// How long the body is so far, without the framing of chunks.
    pub(super) len: u64,
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
    pub(super) fn new(body: Body) -> Self {
        let state = match body {
            Body::Length(0) => State::Done,
            Body::Length(len) => State::Data(len),
            Body::Chunked => State::ChunkLine(Vec::new()),
        };
        Self { state, len: 0 }
    }

    /// Whether all of it was read.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Takes from `bytes` what belongs to the body: how many they were, or what is wrong.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<usize, String> {
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
                _ if *len > HEAD_LIMIT => return Err("the trailer does not end".to_owned()),
                _ => *len += 1,
            },
        }
        Ok(1)
    }
}

fn chunk_size(line: &[u8]) -> Result<u64, String> {
    match httparse::parse_chunk_size(line) {
        Ok(httparse::Status::Complete((_, size))) => Ok(size),
        _ => Err(format!("\"{}\" is not the size of a chunk", line.escape_ascii())),
    }
}

#[cfg(test)]
mod tests {
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
        let parsed = parse(text.as_bytes());
        let Parsed::Complete(head, len) = parsed else { panic!("{parsed:?}") };
        assert_eq!((head.body, head.expects_continue, head.wants_close), (body, expects, close));
        assert_eq!(len, text.len());
        for end in 0..text.len() {
            assert!(matches!(parse(&text.as_bytes()[..end]), Parsed::Partial), "{end} bytes");
        }
    }

    #[rstest]
    #[case::a_tunnel("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", Some(501))]
    #[case::an_echo("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", Some(501))]
    #[case::no_host("GET / HTTP/1.1\r\n\r\n", Some(400))]
    #[case::two_hosts("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Some(400))]
    #[case::a_name("GET a HTTP/1.1\r\nHost: a\r\n\r\n", Some(400))]
    #[case::no_path("GET * HTTP/1.1\r\nHost: a\r\n\r\n", Some(400))]
    #[case::the_server("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", None)]
    #[case::absolute("GET HTTP://a/ HTTP/1.1\r\nHost: a\r\n\r\n", None)]
    #[case::old("GET / HTTP/1.0\r\n\r\n", None)]
    #[case::plain("GET / HTTP/1.1\r\nHost: a\r\n\r\n", None)]
    fn what_is_not_served_is_refused(#[case] text: &str, #[case] status: Option<u16>) {
        let parsed = parse(text.as_bytes());
        let Parsed::Complete(head, _) = parsed else { panic!("{parsed:?}") };
        assert_eq!(head.refused().map(|(status, ..)| status), status);
    }

    #[test]
    fn two_lengths_end_the_connection() {
        let both = "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n";
        let parsed = parse(both.as_bytes());
        let Parsed::Complete(head, _) = parsed else { panic!("{parsed:?}") };
        assert_eq!((head.body, head.wants_close), (Body::Chunked, true));
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
        let parsed = parse(bytes);
        assert!(matches!(&parsed, Parsed::Malformed(text) if text.contains(why)), "{parsed:?}");
    }

    #[test]
    fn a_head_has_a_limit() {
        let long = format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(HEAD_LIMIT));
        assert!(matches!(parse(long.as_bytes()), Parsed::TooLong));
        let whole = format!("{long}\r\n\r\n");
        assert!(matches!(parse(whole.as_bytes()), Parsed::TooLong));
    }

    #[test]
    fn lines_are_as_they_came_and_cookies_first() {
        let head = b"GET / HTTP/1.1\r\nhOST:  x \r\ncookie: a=1\r\nB:\xff\r\nCookie:b=2\r\n\r\n";
        let lines: Vec<String> =
            header_lines(head).into_iter().map(|l| l.escape_ascii().to_string()).collect();
        assert_eq!(lines, ["cookie: a=1", "Cookie:b=2", "hOST:  x ", "B:\\xff"]);
    }

    #[rstest]
    #[case(Body::Length(0), "next", Ok((0, 0, true)))]
    #[case(Body::Length(3), "abcnext", Ok((3, 3, true)))]
    #[case(Body::Length(9), "abc", Ok((3, 3, false)))]
    #[case(Body::Chunked, "3\r\nabc\r\n0\r\n\r\nnext", Ok((13, 3, true)))]
    #[case(Body::Chunked, "a;x=y\r\n0123456789\r\n0\r\nT: 1\r\n\r\n", Ok((30, 10, true)))]
    #[case(Body::Chunked, "3\r\nab", Ok((5, 2, false)))]
    #[case(Body::Chunked, "x\r\n", Err("\"x\\r\\n\" is not the size of a chunk"))]
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
}
