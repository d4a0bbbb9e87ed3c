//! Which cases are meant: by id, by table, by suite, or with `*` for anything.

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

fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == text };
    let Some(rest) = text.strip_prefix(head) else { return false };
    // The first star takes as little as it can; what it could also take, a later one may.
    (0..=rest.len()).filter(|i| rest.is_char_boundary(*i)).any(|i| glob(tail, &rest[i..]))
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
