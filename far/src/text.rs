//! What reports have in common: text of peers cut short, times, and what is counted.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use crate::witness::count;

/// How much of what a peer wrote is shown of one thing, in characters.
pub(crate) const SHOWN: usize = 200;

/// What a peer wrote, no longer than [`SHOWN`]; what is no UTF-8 is replaced.
pub(crate) fn lossy(bytes: &[u8]) -> String {
    // A character has four bytes at the most.
    let some = bytes.get(..4 * SHOWN + 4).unwrap_or(bytes);
    cut(&String::from_utf8_lossy(some))
}

/// No more than [`SHOWN`] characters of it.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// How bytes begin, escaped: `"abc" and 3 bytes more`, of which no more than so many are shown.
pub(crate) fn quoted(bytes: &[u8], most: usize) -> String {
    let some = bytes.get(..most).unwrap_or(bytes);
    let left = match bytes.len() - some.len() {
        0 => String::new(),
        n => format!(" and {} more", count(n, "byte")),
    };
    format!("\"{}\"{left}", some.escape_ascii())
}

/// What is left of a list: " and 3 more", or nothing.
pub(crate) fn more<N: Copy + Display + PartialEq + From<u8>>(n: N) -> String {
    if n == N::from(0) { String::new() } else { format!(" and {n} more") }
}

/// ", 3 times", where it was not once.
pub(crate) fn times(n: usize) -> String {
    if n == 1 { String::new() } else { format!(", {n} times") }
}

/// Counts it, unless that would be one more of different ones than are kept.
pub(crate) fn bump(counts: &mut BTreeMap<String, usize>, what: &str, most: usize) {
    if counts.len() < most || counts.contains_key(what) {
        *counts.entry(what.to_owned()).or_default() += 1;
    }
}

/// How a connection ended of which the client sends no more: `shut` is whether the server had said so before it.
pub(crate) fn closed_by_client(shut: bool) -> &'static str {
    if shut {
        "the server closed first (FIN), then the client"
    } else {
        "the client closed it (FIN)"
    }
}

/// In milliseconds, to a microsecond.
pub(crate) fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// "connection 3, 0.012 s".
pub(crate) fn place(connection: u64, at: Duration) -> String {
    format!("connection {connection}, {:.3} s", at.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_cut_between_characters() {
        assert_eq!(lossy(b"abc\xff"), "abc\u{fffd}");
        let long = "é".repeat(SHOWN);
        assert_eq!(cut(&long), long);
        assert_eq!(lossy(format!("{long}é").as_bytes()), format!("{long}…"));
        assert_eq!(lossy(&[b'x'; 10_000]).len(), SHOWN + "…".len());
    }

    #[test]
    fn what_is_left_out_is_counted() {
        assert_eq!(quoted(b"a\nb", 3), r#""a\nb""#);
        assert_eq!(quoted(b"a\nb", 2), r#""a\n" and 1 byte more"#);
        assert_eq!(quoted(b"a\nb", 0), r#""" and 3 bytes more"#);
        assert_eq!([more(0_u64), more(2)], ["", " and 2 more"]);
        let mut counts = BTreeMap::new();
        for what in ["a", "b", "c", "a"] {
            bump(&mut counts, what, 2);
        }
        assert_eq!(counts, BTreeMap::from([("a".to_owned(), 2), ("b".to_owned(), 1)]));
    }
}
