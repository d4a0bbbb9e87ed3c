//! Text of others in a report: nothing of it is taken for the report's own.

use std::fmt::Write as _;

/// The text with what no format and no terminal takes said as an escape, but for the ends of lines.
pub(crate) use harness::text::shown as visible;

/// The same as one line of so many characters at the most: a title, a field, a cell.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let text = visible(text).trim().replace(['\n', '\t'], " ");
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// Text that is nothing but text in Markdown, in a cell too: `GitHub`'s reader and `CommonMark`'s see no
/// HTML, link, mention, emphasis or end of a cell in it. Its lines are lines.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' => out.push_str("<br>"),
            // Markdown's own, and what would be a table's.
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '#' | '@' | '!' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    // What GitHub makes a link of by itself (GFM §6.9).
    out.replace("://", "&#58;//").replace("www.", "www&#46;")
}

/// The same as one line.
pub(crate) fn markdown(text: &str) -> String {
    escaped(&one_line(text, usize::MAX))
}

/// Prose that is nothing but text in Markdown, and one line, as it reads best without a reader of
/// Markdown: only what would be HTML, a link or the beginning of a block is said otherwise.
pub(crate) fn prose(text: &str) -> String {
    let said = inline(text);
    match said.chars().next().filter(|c| "#>-+*=|[~`_".contains(*c)) {
        Some(c) => format!("&#{};{}", u32::from(c), &said[1..]),
        None => said,
    }
}

/// The same within a line.
pub(crate) fn inline(text: &str) -> String {
    let text = one_line(text, usize::MAX);
    let mut out = String::new();
    for (at, c) in text.char_indices() {
        let before = text[..at].chars().next_back();
        let after = text[at + c.len_utf8()..].chars().next();
        let entity = c == '&' && after.is_some_and(|c| c == '#' || c.is_ascii_alphabetic());
        // What GitHub makes of it by itself: a page, a mention or a mail address (GFM §6.9).
        let page = c == ':' && text[at..].starts_with("://")
            || c == '.' && at >= 3 && text.as_bytes()[at - 3..at].eq_ignore_ascii_case(b"www");
        let named = c == '@' && after.is_some_and(char::is_alphanumeric);
        let link = before == Some(']') && "([:".contains(c) || page || named;
        if entity || link || c == '<' {
            let _ = write!(out, "&#{};", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// What [`prose`] was made of.
#[cfg(test)]
fn unescaped(prose: &str) -> String {
    let mut parts = prose.split("&#");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let number = part.split_once(';').and_then(|(number, rest)| {
            Some((char::from_u32(number.parse().ok()?).filter(char::is_ascii_punctuation)?, rest))
        });
        match number {
            Some((c, rest)) => out.extend([String::from(c), rest.to_owned()]),
            None => out.extend(["&#", part]),
        }
    }
    out
}

/// A page's address that can stand in Markdown as one; none if it is no address of a page.
pub(crate) fn page(link: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_graphic() && !"<>()[]\"\\`|".contains(c);
    let is = link.starts_with("https://") || link.starts_with("http://");
    (is && link.chars().all(plain)).then_some(link)
}

/// Code within a line of Markdown, and one line: more backticks around it than it has (`CommonMark`
/// §6.1), and no end of a cell (GFM §4.10).
pub(crate) fn code(text: &str) -> String {
    let text = one_line(text, usize::MAX).replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let ticks = "`".repeat(longest + 1);
    // Beside a backtick of its own there is a space, which is not shown.
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{space}{text}{space}{ticks}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_ends_where_it_ends() {
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("a`<img src=x>``b"), "```a`<img src=x>``b```");
        assert_eq!(code("`x`"), "`` `x` ``");
        assert_eq!(code("a\n\nb"), "`a  b`");
    }

    #[test]
    fn prose_is_read_as_it_was_written() {
        let evil = "[x]: y <img src=x onerror=y> &lt; &#60; ![a](https://b) [c][d] www.b WWW.b @all \
                    a@b.c";
        let said = prose(evil);
        for part in ["<", "](", "][", "://", "[x]", "&lt;", "]:", "www.", "WWW.", "@"] {
            assert!(!said.contains(part), "{part}: {said}");
        }
        assert_eq!(unescaped(&said), evil);
        for plain in ["SO_ERROR is 6 [ENETDOWN] & more", "a `b` *c*", "at www and @ #", "x.www"] {
            assert_eq!(prose(plain), plain);
        }
        assert_eq!(
            (page("https://a.b/c#d"), page("javascript:x"), page("http://a) b")),
            (Some("https://a.b/c#d"), None, None)
        );
    }

    #[test]
    fn a_line_is_one() {
        assert_eq!(one_line("a\r\nBcc: x\u{202e}", 99), "a\\r Bcc: x\\u{202e}");
        assert_eq!(one_line("abcd", 3), "abc…");
        assert_eq!(markdown("<b>|\n# @all"), "&lt;b&gt;&#124; &#35; &#64;all");
        assert_eq!(markdown("https://x www.x"), "https&#58;//x www&#46;x");
    }
}
