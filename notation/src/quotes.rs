//! Where quotes are in a text.

/// The characters of a text, each with where it is and whether it is quoted: a quote that opens is not, one that
/// closes is.
pub(crate) fn by_quotes(text: &str) -> impl Iterator<Item = (usize, char, bool)> {
    let (mut quoted, mut escaped) = (false, false);
    text.char_indices().map(move |(at, c)| {
        let was = quoted;
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && c == '\\' && !escaped;
        (at, c, was)
    })
}
