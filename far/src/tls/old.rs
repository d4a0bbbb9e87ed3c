//! A `ServerHello` of a version that no kept library speaks any more (RFC 2246 §7.4.1.3, RFC 4346).

use super::hello::Hello;

/// Suites of TLS 1.0 that clients still offered last.
const SUITES: [u16; 8] = [0xc009, 0xc00a, 0xc013, 0xc014, 0x002f, 0x0035, 0x000a, 0x0005];
/// The extension of RFC 5746, and the suite that stands for it in a `ClientHello`.
const RENEGOTIATION: (u16, u16) = (0xff01, 0x00ff);

/// The record with it, of that version, answering that `ClientHello`.
pub(super) fn server_hello(version: u16, hello: &Hello) -> Vec<u8> {
    let suite = SUITES.into_iter().find(|suite| hello.suites.contains(suite)).unwrap_or(SUITES[4]);
    let (extension, value) = RENEGOTIATION;
    let renegotiates = hello.suites.contains(&value)
        || hello.extensions.iter().any(|(number, _)| *number == extension);
    let mut body = version.to_be_bytes().to_vec();
    // Nobody comes to compare it: no key is agreed.
    body.extend([0x5a; 32]);
    body.push(0);
    body.extend(suite.to_be_bytes());
    body.push(0);
    if renegotiates {
        body.extend([0, 5, 0xff, 0x01, 0, 1, 0]);
    }
    let [.., length] = body.len().to_be_bytes();
    let mut all = vec![22];
    all.extend(version.to_be_bytes());
    all.extend([0, length + 4, 2, 0, 0, length]);
    all.extend(body);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_what_is_offered() {
        let mut hello = Hello { suites: vec![0x1301, 0xc013], ..Hello::default() };
        let bytes = server_hello(0x0301, &hello);
        assert_eq!(bytes[..5], [22, 3, 1, 0, 42]);
        assert_eq!(bytes.len(), 5 + 42);
        assert_eq!(bytes[44..46], [0xc0, 0x13]);
        hello.suites = vec![0x1301, 0x00ff];
        let bytes = server_hello(0x0302, &hello);
        assert_eq!(bytes[44..], [0, 0x2f, 0, 0, 5, 0xff, 1, 0, 1, 0]);
        assert_eq!(bytes.len(), 5 + usize::from(bytes[4]));
    }
}
