//! What reports have in common: text of peers cut short, and times.

use std::time::Duration;

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
}
