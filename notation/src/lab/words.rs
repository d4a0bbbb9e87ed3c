//! What the lines of a lab consist of: words, numbers, texts, addresses by their part in the lab.

use std::fmt::Write as _;
use std::ops::Range as Span;
use std::str::FromStr;

use harness::case::Payload;
use harness::case::addr::{Host, Range, Role};
use harness::case::payload::quoted;
use harness::text::is_obeyed;

use crate::fault::Fault;
use crate::tree::{Cursor, Node, What};

/// What ends a word beside blanks.
pub(super) const MARKS: &[char] = &[',', ';', ':', '(', ')', '"'];
/// The same where a word may be an address.
pub(super) const MARKS_OF_NAMES: &[char] = &[',', ';', '"'];

const RANGES: [(&str, Range); 3] = [("ll", Range::Ll), ("v6", Range::V6), ("v4", Range::V4)];
const ROLES: [(&str, Role); 4] = [
    ("own", Role::Own),
    ("neighbour", Role::Neighbour),
    ("unresolved", Role::Unresolved),
    ("silent", Role::Silent),
];

/// `IFNAMSIZ` without its end.
const MOST_OF_LINK: usize = 15;

/// Reads up to a blank or one of these, behind blanks; empty if there is nothing.
pub(super) fn word<'a>(cursor: &mut Cursor<'a>, ends: &[char]) -> (&'a str, Span<usize>) {
    cursor.blanks();
    let rest = cursor.rest();
    let len = rest.find(|c| c == ' ' || c == '\t' || ends.contains(&c)).unwrap_or(rest.len());
    let (word, from) = (&rest[..len], cursor.here());
    cursor.eat(word);
    (word, from..from + len)
}

/// Whether nothing is left, or this stands here.
pub(super) fn ends(cursor: &mut Cursor<'_>, marks: &[char]) -> bool {
    cursor.blanks();
    let rest = cursor.rest();
    rest.is_empty() || rest.starts_with(marks)
}

/// That something else is expected where the cursor stands: the word there is wrong, or the mark.
pub(super) fn expected(cursor: &Cursor<'_>, what: &str) -> Fault {
    expected_up_to(cursor, MARKS, what)
}

/// The same of a word that ends at one of these.
pub(super) fn expected_up_to(cursor: &Cursor<'_>, ends: &[char], what: &str) -> Fault {
    let mut after = cursor.clone();
    let (read, at) = word(&mut after, ends);
    let one = || after.rest().chars().next().map_or(1, char::len_utf8);
    let len = if read.is_empty() { one() } else { read.len() };
    Fault::new(at.start..at.start + len, format!("{what} is expected here"))
}

/// `a, b or c`
pub(super) fn alternatives(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [all @ .., last] => format!("{} or {last}", all.join(", ")),
    }
}

/// Reads one of these words.
pub(super) fn one_of<'k>(cursor: &mut Cursor<'_>, known: &[&'k str]) -> Result<&'k str, Fault> {
    let mut after = cursor.clone();
    let (read, _) = word(&mut after, MARKS);
    if let Some(known) = known.iter().find(|known| **known == read) {
        *cursor = after;
        return Ok(known);
    }
    let fault = expected(cursor, &alternatives(known));
    Err(match known.iter().find(|known| known.eq_ignore_ascii_case(read)) {
        Some(near) => fault.help(format!("did you mean {near}?")),
        None => fault.nearest(read, known.iter().copied()),
    })
}

/// The same of words that are said once at the most.
pub(super) fn another<'k>(
    cursor: &mut Cursor<'_>,
    known: &[&'k str],
    seen: &mut Vec<&'k str>,
) -> Result<&'k str, Fault> {
    let (_, at) = word(&mut cursor.clone(), MARKS);
    let read = one_of(cursor, known)?;
    if seen.contains(&read) {
        return Err(Fault::new(at, "this is said already"));
    }
    seen.push(read);
    Ok(read)
}

/// Reads this word, if it stands here as a whole: `alias`, and nothing of `alias.example`.
pub(super) fn eat(cursor: &mut Cursor<'_>, expected: &str) -> bool {
    let mut after = cursor.clone();
    let stands = word(&mut after, MARKS).0 == expected;
    if stands {
        *cursor = after;
    }
    stands
}

/// Reads these words, one after the other.
pub(super) fn must(cursor: &mut Cursor<'_>, words: &str) -> Result<(), Fault> {
    words.split(' ').try_for_each(|word| one_of(cursor, &[word]).map(drop))
}

/// Reads a number without a sign; `what` is what it is, such as `a port`.
pub(super) fn number<T: FromStr>(cursor: &mut Cursor<'_>, what: &str) -> Result<T, Fault> {
    cursor.blanks();
    let rest = cursor.rest();
    let digits = &rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())];
    if digits.is_empty() {
        return Err(expected(cursor, what));
    }
    let from = cursor.here();
    let number = digits.parse().map_err(|_| {
        let most = u64::MAX >> (64 - 8 * size_of::<T>());
        Fault::new(from..from + digits.len(), format!("{what} is {most} at the most"))
    })?;
    cursor.eat(digits);
    Ok(number)
}

/// Whether a link may be called so.
fn is_link(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=MOST_OF_LINK).contains(&name.len())
        && name.chars().all(plain)
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// Reads the name of a link.
pub(super) fn link(cursor: &mut Cursor<'_>) -> Result<String, Fault> {
    let mut after = cursor.clone();
    let (name, at) = word(&mut after, MARKS);
    if name.is_empty() {
        return Err(expected(cursor, "the name of a link"));
    }
    *cursor = after;
    checked_link(name, at)
}

fn checked_link(name: &str, at: Span<usize>) -> Result<String, Fault> {
    if is_link(name) {
        return Ok(name.to_owned());
    }
    let says = format!(
        "this is no name of a link: a letter, then letters, digits and _, {MOST_OF_LINK} in all"
    );
    Err(Fault::new(at, says))
}

/// `ll v4`, or `none`.
pub(super) fn print_ranges(ranges: &[Range]) -> String {
    match ranges {
        [] => "none".to_owned(),
        _ => ranges.iter().map(|range| range.name()).collect::<Vec<_>>().join(" "),
    }
}

/// Reads what `print_ranges` prints, up to the end, a mark or one of these words.
pub(super) fn ranges(cursor: &mut Cursor<'_>, until: &[&str]) -> Result<Vec<Range>, Fault> {
    if eat(cursor, "none") {
        return Ok(Vec::new());
    }
    let mut ranges = Vec::new();
    loop {
        let next = word(&mut cursor.clone(), MARKS).0;
        if !ranges.is_empty() && (ends(cursor, &[',', ':']) || until.contains(&next)) {
            return Ok(ranges);
        }
        let read = one_of(
            cursor,
            if ranges.is_empty() { &["ll", "v6", "v4", "none"] } else { &["ll", "v6", "v4"] },
        )?;
        ranges.extend(range_of(read));
    }
}

fn range_of(word: &str) -> Option<Range> {
    RANGES.iter().find(|(name, _)| *name == word).map(|(_, range)| *range)
}

/// `neighbour(link0,v4)`, or an address as it is.
pub(super) fn print_host(host: &Host) -> String {
    match host {
        Host::Ip(ip) => ip.to_string(),
        Host::Unix(unix) => unix.to_string(),
        Host::Packet(packet) => packet.text(None),
        Host::Vsock(vsock) => vsock.to_string(),
        Host::Netlink(netlink) => netlink.to_string(),
        Host::On { link, role, range } => {
            let role = ROLES.iter().find(|(_, known)| known == role).map_or("", |(name, _)| name);
            format!("{role}({link},{})", range.name())
        }
    }
}

/// Reads what `print_host` prints, and what transcripts show: `Neighbour(link0,v4)`.
pub(super) fn host(cursor: &mut Cursor<'_>) -> Result<Host, Fault> {
    let Node { at, what } = cursor.node()?;
    let (role, arguments) = match what {
        What::Ip(ip) => return Ok(Host::Ip(ip)),
        What::Apply(role, arguments) => (role, arguments),
        _ => {
            let says = "an address is expected here, such as 192.0.2.2 or neighbour(link0,v4)";
            return Err(Fault::new(at, says));
        }
    };
    let known = ROLES.iter().find(|(name, _)| name.eq_ignore_ascii_case(role));
    let Some((_, role)) = known else {
        let names = ROLES.map(|(name, _)| name);
        let fault = Fault::new(
            at.start..at.start + role.len(),
            format!("who is on a link is {}", alternatives(&names)),
        );
        return Err(fault.nearest(role, names));
    };
    let [on, of] = &arguments[..] else {
        return Err(Fault::new(
            at,
            "a link and which of its addresses, ll, v6 or v4, are expected in the brackets",
        ));
    };
    let link = match on.what {
        What::Word(name) => checked_link(name, on.at.clone())?,
        _ => {
            return Err(Fault::new(
                on.at.clone(),
                format!("the name of a link is expected here, not {}", on.kind()),
            ));
        }
    };
    let word = if let What::Word(word) = of.what { word } else { "" };
    let range = range_of(word).ok_or_else(|| {
        Fault::new(of.at.clone(), "ll, v6 or v4 is expected here")
            .nearest(word, RANGES.map(|(name, _)| name))
    })?;
    Ok(Host::On { link, role: *role, range })
}

/// Text that others see as it is: in quotes, if it could be taken for something else without them.
/// None of `marks` may stand in it otherwise.
pub(super) fn print_text(text: &str, marks: &[char]) -> String {
    let is_plain = !text.is_empty()
        && text.trim() == text
        && !text.starts_with('"')
        && !text.contains(|c| c == '#' || is_obeyed(c) || marks.contains(&c));
    if is_plain { text.to_owned() } else { in_quotes(text) }
}

/// In the quotes of C, whose escapes are bytes of UTF-8.
pub(super) fn in_quotes(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\t' => out.push_str("\\t"),
            _ if is_obeyed(c) => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(out, "\\{byte:03o}");
                }
            }
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Reads text in quotes.
pub(super) fn quoted_text(cursor: &mut Cursor<'_>) -> Result<String, Fault> {
    let node = cursor.node()?;
    match node.what {
        What::Text(bytes) => {
            String::from_utf8(bytes).map_err(|_| Fault::new(node.at, "this text is no UTF-8"))
        }
        _ => {
            Err(Fault::new(node.at.clone(), format!("text is expected here, not {}", node.kind())))
        }
    }
}

/// Reads text in quotes or, without them, all up to where it ends by `end`.
pub(super) fn text(
    cursor: &mut Cursor<'_>,
    end: impl FnOnce(&str) -> Option<usize>,
) -> Result<String, Fault> {
    cursor.blanks();
    let rest = cursor.rest();
    if rest.starts_with('"') {
        return quoted_text(cursor);
    }
    let all = &rest[..end(rest).unwrap_or(rest.len())];
    let text = all.trim_end_matches([' ', '\t']);
    cursor.eat(text);
    Ok(text.to_owned())
}

/// `"x"`, `pattern[0..1400]`
pub(super) fn print_payload(payload: &Payload) -> String {
    match payload {
        Payload::Text(_) | Payload::Parts(_) => quoted(&payload.bytes()),
        Payload::Pattern(len) => format!("pattern[0..{len}]"),
    }
}

/// Reads what `print_payload` prints.
pub(super) fn payload(cursor: &mut Cursor<'_>) -> Result<Payload, Fault> {
    if ends(cursor, &[',', ')']) {
        return Err(expected(cursor, "text such as \"x\", or pattern[0..1400],"));
    }
    let node = cursor.node()?;
    match node.what {
        What::Text(bytes) => Ok(Payload::Text(bytes.into_iter().map(char::from).collect())),
        What::Pattern(len) => Ok(Payload::Pattern(len)),
        _ => {
            let says = format!(
                "text such as \"x\", or pattern[0..1400], is expected here, not {}",
                node.kind()
            );
            Err(Fault::new(node.at, says))
        }
    }
}
