//! QPACK (RFC 9204) without its dynamic table, which nobody may use who was told of none.

use std::sync::LazyLock;

use super::packet::take;

/// How many fields are told of a block.
const MOST: usize = 64;

/// The field lines (RFC 9204 §4.5) up to the first that cannot be read.
pub(super) fn fields(mut block: &[u8]) -> Vec<(String, String)> {
    let mut all = Vec::new();
    // Required insert count and base: nothing was inserted.
    if number(&mut block, 8).is_none() || number(&mut block, 7).is_none() {
        return all;
    }
    while let Some(field) = field(&mut block).filter(|_| all.len() < MOST) {
        all.push(field);
    }
    all
}

fn field(block: &mut &[u8]) -> Option<(String, String)> {
    let first = *block.first()?;
    if first & 0x80 != 0 {
        let index = number(block, 6)?;
        return Some(if first & 0x40 != 0 { of_static(index) } else { dynamic() });
    }
    if first & 0x40 != 0 {
        let index = number(block, 4)?;
        let name = if first & 0x10 != 0 { of_static(index).0 } else { dynamic().0 };
        return Some((name, string(block, 7)?));
    }
    if first & 0x20 != 0 {
        let name = string(block, 3)?;
        return Some((name, string(block, 7)?));
    }
    if first & 0x10 != 0 {
        number(block, 4)?;
        return Some(dynamic());
    }
    number(block, 3)?;
    Some((dynamic().0, string(block, 7)?))
}

fn dynamic() -> (String, String) {
    ("(of the dynamic table)".to_owned(), String::new())
}

fn of_static(index: u64) -> (String, String) {
    let row = usize::try_from(index).ok().and_then(|index| STATIC.get(index));
    let (name, value) = row.copied().unwrap_or(("(beyond the static table)", ""));
    (name.to_owned(), value.to_owned())
}

/// A string (RFC 9204 §4.1.2): its length has that many bits, the one before them says whether it is coded.
fn string(block: &mut &[u8], bits: u32) -> Option<String> {
    let is_coded = *block.first()? >> bits & 1 == 1;
    let length = usize::try_from(number(block, bits)?).ok()?;
    let text = take(block, length)?;
    let text = if is_coded { decoded(text)? } else { text.to_vec() };
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// A number behind a prefix (RFC 7541 §5.1).
fn number(block: &mut &[u8], bits: u32) -> Option<u64> {
    let (first, mut rest) = block.split_first()?;
    let most = (1_u64 << bits) - 1;
    let mut number = u64::from(*first) & most;
    if number == most {
        for shift in (0..56).step_by(7) {
            let (next, behind) = rest.split_first()?;
            rest = behind;
            number += u64::from(next & 0x7f) << shift;
            if next & 0x80 == 0 {
                *block = rest;
                return Some(number);
            }
        }
        return None;
    }
    *block = rest;
    Some(number)
}

/// Huffman's code of HPACK is canonical: codes of one length follow each other by symbol.
struct Code {
    /// Symbols by length, then by number.
    symbols: Vec<usize>,
    /// Of each length: its first code, its first symbol's place, how many there are.
    lengths: Vec<(u32, usize, usize)>,
}

static CODE: LazyLock<Code> = LazyLock::new(|| {
    let mut symbols: Vec<usize> = (0..LENGTHS.len()).collect();
    symbols.sort_by_key(|symbol| LENGTHS[*symbol]);
    let (mut code, mut place) = (0, 0);
    let lengths = (0..=30).map(|length| {
        let n = symbols.iter().filter(|symbol| LENGTHS[**symbol] == length).count();
        let row = (code, place, n);
        code = (code + u32::try_from(n).unwrap_or(0)) << 1;
        place += n;
        row
    });
    let lengths = lengths.collect();
    Code { symbols, lengths }
});

/// What is coded by it (RFC 7541 §5.2); none if it ends badly.
fn decoded(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut code, mut length) = (0_u32, 0);
    for bit in bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)) {
        code = code << 1 | u32::from(bit);
        length += 1;
        let (first, place, n) = *CODE.lengths.get(length)?;
        let index = code.checked_sub(first).and_then(|index| usize::try_from(index).ok());
        if let Some(index) = index.filter(|index| *index < n) {
            // The last symbol is the end of a string, which is never in one.
            out.push(u8::try_from(CODE.symbols[place + index]).ok()?);
            (code, length) = (0, 0);
        }
    }
    // What fills the last byte is the beginning of that symbol, all ones.
    (length < 8 && code == (1 << length) - 1).then_some(out)
}

/// How many bits each byte's code has, and that of the end (RFC 7541, appendix B).
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5,
    5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6,
    6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22,
    23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22,
    21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20,
    22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19,
    21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22,
    22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

/// RFC 9204, appendix A.
const STATIC: &[(&str, &str)] = &[
    (":authority", ""),
    (":path", "/"),
    ("age", "0"),
    ("content-disposition", ""),
    ("content-length", "0"),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("referer", ""),
    ("set-cookie", ""),
    (":method", "CONNECT"),
    (":method", "DELETE"),
    (":method", "GET"),
    (":method", "HEAD"),
    (":method", "OPTIONS"),
    (":method", "POST"),
    (":method", "PUT"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "103"),
    (":status", "200"),
    (":status", "304"),
    (":status", "404"),
    (":status", "503"),
    ("accept", "*/*"),
    ("accept", "application/dns-message"),
    ("accept-encoding", "gzip, deflate, br"),
    ("accept-ranges", "bytes"),
    ("access-control-allow-headers", "cache-control"),
    ("access-control-allow-headers", "content-type"),
    ("access-control-allow-origin", "*"),
    ("cache-control", "max-age=0"),
    ("cache-control", "max-age=2592000"),
    ("cache-control", "max-age=604800"),
    ("cache-control", "no-cache"),
    ("cache-control", "no-store"),
    ("cache-control", "public, max-age=31536000"),
    ("content-encoding", "br"),
    ("content-encoding", "gzip"),
    ("content-type", "application/dns-message"),
    ("content-type", "application/javascript"),
    ("content-type", "application/json"),
    ("content-type", "application/x-www-form-urlencoded"),
    ("content-type", "image/gif"),
    ("content-type", "image/jpeg"),
    ("content-type", "image/png"),
    ("content-type", "text/css"),
    ("content-type", "text/html; charset=utf-8"),
    ("content-type", "text/plain"),
    ("content-type", "text/plain;charset=utf-8"),
    ("range", "bytes=0-"),
    ("strict-transport-security", "max-age=31536000"),
    ("strict-transport-security", "max-age=31536000; includesubdomains"),
    ("strict-transport-security", "max-age=31536000; includesubdomains; preload"),
    ("vary", "accept-encoding"),
    ("vary", "origin"),
    ("x-content-type-options", "nosniff"),
    ("x-xss-protection", "1; mode=block"),
    (":status", "100"),
    (":status", "204"),
    (":status", "206"),
    (":status", "302"),
    (":status", "400"),
    (":status", "403"),
    (":status", "421"),
    (":status", "425"),
    (":status", "500"),
    ("accept-language", ""),
    ("access-control-allow-credentials", "FALSE"),
    ("access-control-allow-credentials", "TRUE"),
    ("access-control-allow-headers", "*"),
    ("access-control-allow-methods", "get"),
    ("access-control-allow-methods", "get, post, options"),
    ("access-control-allow-methods", "options"),
    ("access-control-expose-headers", "content-length"),
    ("access-control-request-headers", "content-type"),
    ("access-control-request-method", "get"),
    ("access-control-request-method", "post"),
    ("alt-svc", "clear"),
    ("authorization", ""),
    ("content-security-policy", "script-src 'none'; object-src 'none'; base-uri 'none'"),
    ("early-data", "1"),
    ("expect-ct", ""),
    ("forwarded", ""),
    ("if-range", ""),
    ("origin", ""),
    ("purpose", "prefetch"),
    ("server", ""),
    ("timing-allow-origin", "*"),
    ("upgrade-insecure-requests", "1"),
    ("user-agent", ""),
    ("x-forwarded-for", ""),
    ("x-frame-options", "deny"),
    ("x-frame-options", "sameorigin"),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn strings_are_decoded() {
        // RFC 7541 §C.4.1, §C.6.1.
        let coded = [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
        assert_eq!(decoded(&coded).as_deref(), Some(&b"www.example.com"[..]));
        let coded = [
            0xd0, 0x7a, 0xbe, 0x94, 0x10, 0x54, 0xd4, 0x44, 0xa8, 0x20, 0x05, 0x95, 0x04, 0x0b,
            0x81, 0x66, 0xe0, 0x82, 0xa6, 0x2d, 0x1b, 0xff,
        ];
        assert_eq!(decoded(&coded).as_deref(), Some(&b"Mon, 21 Oct 2013 20:13:21 GMT"[..]));
        // Filled by zeros, by eight ones, and the end itself.
        assert_eq!(decoded(&coded[..21]), None);
        assert_eq!(decoded(&[0xff]), None);
        assert_eq!(decoded(&[0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(decoded(&[]).as_deref(), Some(&b""[..]));
    }

    #[test]
    fn fields_are_read() {
        let block =
            [&[0, 0, 0xd1, 0xd7, 0xc1, 0x50, 1][..], b"h", &[0x21], b"a", &[0x82, 0x1a, 0x7f]];
        let expected = [
            field(":method", "GET"),
            field(":scheme", "https"),
            field(":path", "/"),
            field(":authority", "h"),
            field("a", "at"),
        ];
        assert_eq!(fields(&block.concat()), expected);
        assert_eq!(fields(&[0, 0, 0xff, 35]), [field("x-frame-options", "sameorigin")]);
        assert_eq!(fields(&[0, 0, 0xff, 36])[0].0, "(beyond the static table)");
        assert_eq!(fields(&[0, 0, 0x80])[0].0, "(of the dynamic table)");
        assert_eq!(fields(&[0]), []);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes: Vec<u8>) {
            prop_assert!(fields(&bytes).len() <= MOST);
            if let Some(text) = decoded(&bytes) {
                prop_assert!(text.len() * 5 <= bytes.len() * 8);
            }
        }
    }
}
