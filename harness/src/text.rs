//! Text that somebody else wrote, made fit to be shown: a run is passed on and a subject is any
//! program, so that what they say must not move a cursor, colour a word or turn a line around.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a terminal or a reader's eye obeys this character instead of showing it: controls (C0,
/// DEL, C1), separators of lines, what turns the direction of text (UAX #9), and what has no width or
/// no ink: categories Cf, Zl and Zp of Unicode 14, `Default_Ignorable_Code_Point`, and what is no
/// character in XML.
pub fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(
            u32::from(c),
            0xad | 0x34f
                | 0x600..=0x605
                | 0x61c
                | 0x6dd
                | 0x70f
                | 0x890..=0x891
                | 0x8e2
                | 0x115f..=0x1160
                | 0x17b4..=0x17b5
                | 0x180b..=0x180f
                | 0x200b..=0x200f
                | 0x2028..=0x202e
                | 0x2060..=0x206f
                | 0x2800
                | 0x3164
                | 0xfe00..=0xfe0f
                | 0xfeff
                | 0xffa0
                | 0xfff0..=0xfffb
                | 0xfffe..=0xffff
                | 0x110bd
                | 0x110cd
                | 0x13430..=0x1343f
                | 0x1bca0..=0x1bca3
                | 0x1d173..=0x1d17a
                | 0xe0000..=0xe0fff
        )
}

/// A text of any number of lines: all that is obeyed but newlines and tabs is made visible, such as
/// `\x1b` and `\u{202e}`.
pub fn shown(text: &str) -> Cow<'_, str> {
    replaced(text, |c| is_obeyed(c) && !matches!(c, '\n' | '\t'), visible)
}

/// A text that has to be one line of no more than `most` characters: newlines and tabs are visible
/// too, and what is too long ends with how much there was.
pub fn line(text: &str, most: usize) -> Cow<'_, str> {
    let cut = text.char_indices().nth(most).map(|(at, _)| at);
    let shown = replaced(&text[..cut.unwrap_or(text.len())], is_obeyed, visible);
    match cut {
        None => shown,
        Some(at) => format!("{shown}… ({} more bytes)", text.len() - at).into(),
    }
}

/// JSON that says the same, and has `\u` escapes for all that is obeyed: outside of its strings there
/// is nothing to escape, and RFC 8259 §7 has this escape for every character inside of them.
pub fn json(text: &str) -> Cow<'_, str> {
    let units = |to: &mut String, c: char| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(to, "\\u{unit:04x}");
        }
    };
    // Newlines and tabs are white space between values: inside of strings they are escaped already.
    replaced(text, |c| is_obeyed(c) && !matches!(c, '\n' | '\r' | '\t'), units)
}

fn visible(to: &mut String, c: char) {
    let _ = match c {
        '\n' | '\r' | '\t' => write!(to, "{}", c.escape_default()),
        c if c.is_ascii() => write!(to, "\\x{:02x}", u32::from(c)),
        c => write!(to, "{}", c.escape_unicode()),
    };
}

/// The text with another for each character that is `meant`; as it is, if there is none.
fn replaced(
    text: &str,
    meant: impl Fn(char) -> bool,
    other: impl Fn(&mut String, char),
) -> Cow<'_, str> {
    let Some(first) = text.find(&meant) else { return text.into() };
    let mut to = String::with_capacity(text.len() + 16);
    to.push_str(&text[..first]);
    for c in text[first..].chars() {
        if meant(c) { other(&mut to, c) } else { to.push(c) }
    }
    to.into()
}

/// Whether `text` is as `pattern` has it, in which each `*` is anything.
pub fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == text };
    let Some(rest) = text.strip_prefix(head) else { return false };
    // The first star takes as little as it can; what it could also take, a later one may.
    (0..=rest.len()).filter(|i| rest.is_char_boundary(*i)).any(|i| glob(tail, &rest[i..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("plain — ünïcode, 漢字", "plain — ünïcode, 漢字")]
    #[case("two\nlines\tand a tab", "two\nlines\tand a tab")]
    #[case::csi("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m")]
    #[case::osc("\x1b]0;title\x07", "\\x1b]0;title\\x07")]
    #[case::overwritten("ok\rno\x08\x7f", "ok\\rno\\x08\\x7f")]
    #[case::c1("\u{9b}31m\u{85}", "\\u{9b}31m\\u{85}")]
    #[case::turned(
        "\u{202e}gnp.exe\u{2066}\u{200f}\u{61c}",
        "\\u{202e}gnp.exe\\u{2066}\\u{200f}\\u{61c}"
    )]
    #[case::separated("a\u{2028}b\u{2029}c", "a\\u{2028}b\\u{2029}c")]
    #[case::unseen("a\u{200b}\u{feff}\u{ad}\u{e0041}b", "a\\u{200b}\\u{feff}\\u{ad}\\u{e0041}b")]
    fn what_is_obeyed_is_made_visible(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(shown(text), expected);
    }

    #[rstest]
    #[case("a\nb\tc", 9, "a\\nb\\tc")]
    #[case("äöü", 3, "äöü")]
    #[case("äöü", 2, "äö… (2 more bytes)")]
    #[case("\x1b\x1b", 1, "\\x1b… (1 more bytes)")]
    fn a_line_is_one_line(#[case] text: &str, #[case] most: usize, #[case] expected: &str) {
        assert_eq!(line(text, most), expected);
    }

    #[test]
    fn json_of_each_character_says_the_same() {
        for c in ('\0'..=char::MAX).filter(|c| *c < '\u{3000}' || is_obeyed(*c)) {
            let value = serde_json::json!({ c.to_string(): [c.to_string()] });
            let text = serde_json::to_string(&value).unwrap();
            let safe = json(&text);
            assert!(!safe.chars().any(is_obeyed), "{c:?}: {safe}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
        }
        let pretty = serde_json::to_string_pretty(&["\u{202e}"]).unwrap();
        assert_eq!(json(&pretty), "[\n  \"\\u202e\"\n]");
    }

    proptest! {
        #[test]
        fn nothing_is_obeyed_and_nothing_else_is_touched(text: String) {
            let safe = shown(&text);
            prop_assert!(!safe.chars().any(|c| is_obeyed(c) && c != '\n' && c != '\t'));
            prop_assert_eq!(shown(&safe), safe.clone());
            let seen = |text: &str| text.chars().filter(|c| !is_obeyed(*c)).collect::<String>();
            prop_assert!(safe.len() >= text.len() && seen(&safe).len() >= seen(&text).len());
            prop_assert_eq!(safe == text, !text.chars().any(|c| is_obeyed(c) && c != '\n' && c != '\t'));
        }

        #[test]
        fn a_line_has_no_second_and_an_end(text: String, most in 0..40_usize) {
            let line = line(&text, most);
            prop_assert!(!line.chars().any(is_obeyed));
            // The longest escape is `\u{e0fff}`, and the remark ends it.
            prop_assert!(line.chars().count() <= most * 9 + 40);
        }
    }
}
