//! Parts of a line that several kinds of values have.

use crate::case::Hex;

pub(super) fn timeval(seconds: i64, microseconds: i64) -> String {
    format!("{{tv_sec={seconds}, tv_usec={microseconds}}}")
}

pub(super) fn hex(bytes: &Hex) -> String {
    if bytes.0.is_empty() { "0 bytes".to_owned() } else { format!("0x{bytes}") }
}

pub(super) fn join(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().collect::<Vec<_>>().join(", ")
}
