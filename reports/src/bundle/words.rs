//! What machines and people are called, and how that may be written.

use std::collections::BTreeSet;

/// Names that many machines and people share: nobody is known by them.
const COMMON: &[&str] = &[
    "localhost",
    "root",
    "nobody",
    "user",
    "linux",
    "darwin",
    "macos",
    "freebsd",
    "debian",
    "ubuntu",
    "fedora",
    "alpine",
    "arch",
    "sockeye",
    "(none)",
    "vpn",
    "mac",
    "imac",
    "macbook",
    "macbook-air",
    "macbook-pro",
    "mac-mini",
    "mac-studio",
    "admin",
    "system administrator",
];

/// Whether nobody is known by a word, in lower case.
pub(super) fn is_common(word: &str) -> bool {
    word.chars().nth(1).is_none() || COMMON.contains(&word)
}

/// How a word may be written, in lower case.
pub(super) fn spellings(kind: &str, word: &str) -> Vec<String> {
    let word = lower(word.trim());
    let mut all = vec![word.clone()];
    // The first label of a name with a domain stands alone in many places, or before another domain.
    if let Some((short, _)) = word.split_once('.').filter(|_| kind == "host") {
        all.push(short.to_owned());
    }
    // A Mac's own name is its owner's, and many words: as Finder has it or typed, as the DNS writes its
    // spaces and bytes, as Bonjour makes a name of it.
    let typed = word.replace('\u{2019}', "'");
    let set = word.replace('\'', "\u{2019}");
    for one in [typed, set] {
        all.push(one.replace(' ', "\\032"));
        all.push(one.bytes().map(escaped).collect());
        all.push(one.replace('\u{2019}', "\\u2019"));
        let plain = one.replace(['\'', '\u{2019}'], "");
        all.push(plain.replace(|c: char| !c.is_alphanumeric() && !".-_".contains(c), "-"));
        all.push(one);
    }
    let mut seen = BTreeSet::new();
    all.retain(|one| seen.insert(one.clone()));
    all
}

/// As a label is written in the DNS (RFC 4343 §2.1).
fn escaped(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("\\{byte:03}")
    }
}

/// The domains that hosts are in, but for those that many have, of one label.
pub(super) fn domains_of(hosts: &[String]) -> Vec<String> {
    let domain = |host: &String| host.trim().split_once('.').map(|(_, domain)| domain.to_owned());
    hosts.iter().filter_map(domain).filter(|domain| domain.contains('.')).collect()
}

/// In lower case, each letter where it was.
pub(super) fn lower(text: &str) -> String {
    let one = |c: char| {
        let mut lower = c.to_lowercase();
        let first = lower.next().filter(|l| lower.len() == 0 && l.len_utf8() == c.len_utf8());
        first.unwrap_or(c)
    };
    text.chars().map(one).collect()
}

/// A text with its escapes of a URL (RFC 3986 §2.1) written out, if it has any and they are characters.
pub(super) fn unescaped(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    let mut any = false;
    while let [first, behind @ ..] = rest {
        let digits =
            behind.get(..2).filter(|_| *first == b'%').and_then(|d| str::from_utf8(d).ok());
        let byte = digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        match byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if byte < b' ' => return None,
            Some(byte) => {
                any = true;
                out.push(byte);
                rest = &behind[2..];
            }
            None => {
                out.push(*first);
                rest = behind;
            }
        }
    }
    any.then(|| String::from_utf8(out).ok()).flatten()
}
