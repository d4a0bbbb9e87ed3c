//! One request is answered, by what it was.

use crate::head::{Came, Collector};

/// A server of one request.
#[derive(Debug, Default)]
pub struct Http {
    head: Collector,
    is_over: bool,
}

/// What came, and what is answered; the connection then ends.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// To be sent.
    pub bytes: Vec<u8>,
    /// The request line, or why there is none.
    pub line: Result<String, String>,
}

impl Http {
    /// Takes what came; an answer once the head is there.
    pub fn input(&mut self, bytes: &[u8]) -> Option<Answer> {
        if self.is_over {
            return None;
        }
        let line = match self.head.input(bytes) {
            Came::Partial => return None,
            Came::Head(head, _) => Ok(head.line()),
            Came::No { why, .. } => Err(why),
        };
        *self = Self { head: Collector::default(), is_over: true };
        let (status, said) = match &line {
            Ok(line) => ("200 OK", format!("what came: {line}\n")),
            Err(why) => ("400 Bad Request", format!("what came is no request: {why}\n")),
        };
        let head = "Content-Type: text/plain; charset=utf-8\r\nConnection: close";
        let length = said.len();
        let text = format!("HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{said}");
        Some(Answer { bytes: text.into_bytes(), line })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_request_is_answered_once() {
        let mut http = Http::default();
        assert_eq!(http.input(b"GET /x HTTP/1.1\r\n"), None);
        let answer = http.input(b"Host: h\r\n\r\n").unwrap();
        assert_eq!(answer.line, Ok("GET /x".to_owned()));
        assert!(answer.bytes.ends_with(b"\r\n\r\nwhat came: GET /x\n"));
        assert_eq!(http.input(b"GET / HTTP/1.1\r\n\r\n"), None);
    }

    #[test]
    fn what_is_none_is_said() {
        let answer = Http::default().input(b"\x16\x03\x01\r\n\r\n").unwrap();
        assert!(answer.line.is_err() && answer.bytes.starts_with(b"HTTP/1.1 400"));
        let answer = Http::default().input(&vec![b'A'; 1 << 20]).unwrap();
        assert!(answer.line.unwrap_err().contains("longer"));
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(path in "[ -~]{0,20}", tail in any::<Vec<u8>>(), size in 1_usize..9) {
            let bytes = [format!("GET /{path} HTTP/1.1\r\n\r\n").into_bytes(), tail].concat();
            let mut http = Http::default();
            let pieces = bytes.chunks(size).find_map(|c| http.input(c)).unwrap();
            prop_assert_eq!(Http::default().input(&bytes).unwrap(), pieces);
        }
    }
}
