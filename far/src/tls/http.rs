//! One request is answered, by what it was.

/// How long a head may be, in bytes.
const LONGEST: usize = 16 << 10;

/// A server of one request.
#[derive(Debug, Default)]
pub struct Http {
    head: Vec<u8>,
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
        // Room for one byte more says that it is too long; what is new is looked at once.
        let room = (LONGEST + 1).saturating_sub(self.head.len());
        let seen = self.head.len().saturating_sub(3);
        self.head.extend(&bytes[..bytes.len().min(room)]);
        let end = self.head[seen..].windows(4).position(|four| four == b"\r\n\r\n");
        let line = match end {
            // Whoever speaks something else, such as TLS, does not wait for an empty line.
            _ if !self.head.first().is_none_or(u8::is_ascii_uppercase) => {
                Err("it begins with no method".to_owned())
            }
            None if self.head.len() <= LONGEST => return None,
            None => Err(format!("its head is longer than {LONGEST} bytes")),
            Some(_) => request_line(&self.head),
        };
        self.is_over = true;
        self.head = Vec::new();
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

fn request_line(head: &[u8]) -> Result<String, String> {
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut request = httparse::Request::new(&mut headers);
    request.parse(head).map_err(|e| e.to_string())?;
    let (method, path) = (request.method.unwrap_or_default(), request.path.unwrap_or_default());
    Ok(format!("{method} {path}"))
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
