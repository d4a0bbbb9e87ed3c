//! The opening handshake (RFC 6455 §4.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use crate::head::Head;
use crate::text;

const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// `Sec-WebSocket-Accept` for a key (RFC 6455 §4.2.2).
pub(super) fn accept(key: &str) -> String {
    STANDARD.encode(Sha1::digest(format!("{key}{GUID}")))
}

/// What a client's handshake lacks, each in words (RFC 6455 §4.2.1); nothing if it is right.
pub(super) fn faults(head: &Head) -> Vec<String> {
    let mut faults = Vec::new();
    if head.method != "GET" {
        faults.push(format!("the method is {}, not GET", text::cut(&head.method)));
    }
    if head.minor == 0 {
        faults.push("it is HTTP/1.0, not HTTP/1.1".to_owned());
    }
    if head.value("host").is_none() {
        faults.push("Host is missing".to_owned());
    }
    for (name, word) in [("Upgrade", "websocket"), ("Connection", "Upgrade")] {
        match head.value(name) {
            None => faults.push(format!("{name} is missing")),
            Some(_) if head.says(name, word) => {}
            Some(value) => {
                faults.push(format!("{name} is {:?}, without {word}", text::cut(&value)));
            }
        }
    }
    let keys: Vec<String> = head.values("sec-websocket-key").collect();
    match keys.as_slice() {
        [] => faults.push("Sec-WebSocket-Key is missing".to_owned()),
        [key] => match STANDARD.decode(key) {
            Ok(bytes) if bytes.len() == 16 => {}
            Ok(bytes) => {
                faults.push(format!("Sec-WebSocket-Key has {} bytes, not 16", bytes.len()));
            }
            Err(_) => {
                faults.push(format!("Sec-WebSocket-Key {:?} is no Base64", text::cut(key)));
            }
        },
        _ => faults.push("Sec-WebSocket-Key is there more than once".to_owned()),
    }
    match head.value("sec-websocket-version").as_deref() {
        None => faults.push("Sec-WebSocket-Version is missing".to_owned()),
        Some("13") => {}
        Some(other) => {
            faults.push(format!("Sec-WebSocket-Version is {:?}, not 13", text::cut(other)));
        }
    }
    faults
}

/// What a client offers by that name: its parts between commas.
pub(super) fn offered(head: &Head, name: &str) -> Vec<String> {
    let values: Vec<String> = head.values(name).collect();
    let parts = values.iter().flat_map(|value| value.split(','));
    parts.map(str::trim).filter(|p| !p.is_empty()).take(32).map(text::cut).collect()
}

/// Whether it is a token (RFC 9110 §5.6.2): only such is said back.
pub(super) fn is_token(word: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !word.is_empty() && word.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::head::{Came, Collector};

    const RIGHT: &str = "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\n\
        Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n";

    #[test]
    fn the_example_of_the_rfc_is_accepted() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[rstest]
    #[case("", "", &[])]
    #[case("GET", "POST", &["the method is POST, not GET"])]
    #[case("HTTP/1.1", "HTTP/1.0", &["it is HTTP/1.0, not HTTP/1.1"])]
    #[case("Host: a\r\n", "", &["Host is missing"])]
    #[case("Upgrade: WebSocket\r\n", "", &["Upgrade is missing"])]
    #[case("WebSocket", "h2c", &["Upgrade is \"h2c\", without websocket"])]
    #[case(", Upgrade", "", &["Connection is \"keep-alive\", without Upgrade"])]
    #[case("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", &["Sec-WebSocket-Key is missing"])]
    #[case("dGhlIHNhbXBsZSBub25jZQ==", "YWJj", &["Sec-WebSocket-Key has 3 bytes, not 16"])]
    #[case("dGhlIHNhbXBsZSBub25jZQ==", "?", &["Sec-WebSocket-Key \"?\" is no Base64"])]
    #[case("Host: a\r\n", "Host: a\r\nSec-WebSocket-Key: x\r\n", &["Sec-WebSocket-Key is there more than once"])]
    #[case("Version: 13", "Version: 8", &["Sec-WebSocket-Version is \"8\", not 13"])]
    #[case("Sec-WebSocket-Version: 13\r\n", "", &["Sec-WebSocket-Version is missing"])]
    fn each_fault_is_told_by_name(
        #[case] what: &str,
        #[case] with: &str,
        #[case] expected: &[&str],
    ) {
        let text = RIGHT.replacen(what, with, 1);
        let Came::Head(head, _) = Collector::default().input(text.as_bytes()) else {
            panic!("no head");
        };
        assert_eq!(faults(&head), expected);
    }
}
