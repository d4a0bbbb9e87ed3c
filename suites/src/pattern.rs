//! Which cases are meant: by id, by table, by suite, or with `*` for anything.

use harness::text::glob;

/// Whether `pattern` means the case `id`.
///
/// Without a `*` it is the whole id, or the part of it before a `/` or a `[`: a suite or a table.
/// With one it has to match the whole id, a `[` being nothing special.
pub fn matches(pattern: &str, id: &str) -> bool {
    if pattern.contains('*') {
        return glob(pattern, id);
    }
    match id.strip_prefix(pattern) {
        Some(rest) => rest.is_empty() || rest.starts_with(['/', '[']),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_an_id_a_table_a_suite_or_a_glob() {
        let id = "link-state/udp-sendto[tap,down,own]";
        for yes in ["link-state", "link-state/udp-sendto", id, "*", "*[tap,*,own]", "link-*own]"] {
            assert!(matches(yes, id), "{yes}");
        }
        for no in ["link", "udp-sendto", "link-state/udp", "*[tun,*", "own*", ""] {
            assert!(!matches(no, id), "{no}");
        }
    }
}
