//! What is known by its form: addresses and identifiers, wherever they stand in a text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use harness::wire::Mac;

/// Whether these bytes end with an escape of C's, whose letter is no part of the next word.
pub(super) fn is_escape(before: &[u8]) -> bool {
    matches!(before, [.., b'\\', b'n' | b'r' | b't' | b'0'])
}

/// What is known by its form.
pub(super) enum Form {
    Ip(IpAddr),
    /// Its labels in the DNS, below `in-addr.arpa` (RFC 1035 §3.5) or `ip6.arpa` (RFC 3596 §2.5).
    Reverse(IpAddr),
    Mac(Mac),
    /// `10-0-0-1`, as names of hosts have it.
    Dashed(IpAddr),
    Mail,
    /// A UUID, or the last half of an address that was made of a hardware address.
    Uuid,
}

/// The longest that an IPv6 address gets, as text.
const LONGEST: usize = 45;

/// Every address and identifier in a text: where it begins, where it ends, and what it is.
pub(super) fn forms(text: &str) -> Vec<(usize, usize, Form)> {
    let bytes = text.as_bytes();
    let word = |at: usize| bytes.get(at).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let mut out = Vec::new();
    let mut at = 0;
    let mut mails = mails(text).into_iter().peekable();
    while at < bytes.len() {
        mails.next_if(|(start, _)| *start < at);
        if let Some((start, end)) = mails.next_if(|(start, _)| *start == at) {
            out.push((start, end, Form::Mail));
            at = end;
            continue;
        }
        let begins = bytes[at].is_ascii_hexdigit() || bytes[at] == b':';
        let found = if begins && (at == 0 || !word(at - 1) || is_escape(&bytes[..at])) {
            form(text, at, &word)
        } else {
            None
        };
        match found {
            Some((end, form)) => {
                out.push((at, end, form));
                at = end;
            }
            None => at += 1,
        }
    }
    out
}

/// What begins there, and where it ends: not within a word.
fn form(text: &str, at: usize, word: &impl Fn(usize) -> bool) -> Option<(usize, Form)> {
    let piece = |len: usize| text.get(at..at + len).filter(|_| !word(at + len));
    if piece(36).is_some_and(is_uuid) {
        return Some((at + 36, Form::Uuid));
    }
    if let Some(mac) = piece(17).and_then(mac_of) {
        return Some((at + 17, Form::Mac(mac)));
    }
    if let Some((len, mac)) = short_mac(text, at).filter(|(len, _)| piece(*len).is_some()) {
        return Some((at + len, Form::Mac(mac)));
    }
    if let Some(found) = piece(14).filter(|token| is_cisco(token)).and_then(bytes_of) {
        return Some((at + 14, Form::Mac(found)));
    }
    if let Some((len, ip)) = dashed(text, at).filter(|(len, _)| piece(*len).is_some()) {
        return Some((at + len, Form::Dashed(ip)));
    }
    if let Some(len) = tail(text, at).filter(|len| piece(*len).is_some()) {
        return Some((at + len, Form::Uuid));
    }
    let below =
        |len: usize, zone: &str| text.get(at + len..).is_some_and(|rest| rest.starts_with(zone));
    if below(NIBBLES, ".ip6.arpa") {
        let ip = text.get(at..at + NIBBLES).and_then(nibbles)?;
        return Some((at + NIBBLES, Form::Reverse(ip)));
    }
    let of = |b: &u8| b.is_ascii_hexdigit() || *b == b':' || *b == b'.';
    let run = text.as_bytes()[at..].iter().take(LONGEST + 1).take_while(|b| of(b)).count();
    let ip = |len: usize| Some((len, piece(len)?.parse().ok()?));
    let (len, ip) = (2..=run.min(LONGEST)).rev().find_map(ip)?;
    let form = match ip {
        IpAddr::V4(ip) if below(len, ".in-addr.arpa") => {
            let [a, b, c, d] = ip.octets();
            Form::Reverse(Ipv4Addr::new(d, c, b, a).into())
        }
        ip => Form::Ip(ip),
    };
    Some((at + len, form))
}

/// `0011.2233.4455`.
fn is_cisco(token: &str) -> bool {
    let lengths: Vec<usize> = token.split('.').map(str::len).collect();
    lengths == [4, 4, 4]
}

/// A hardware address by its digits, whatever stands between them.
fn bytes_of(token: &str) -> Option<Mac> {
    let digits = token.replace('.', "");
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let bytes: Vec<u8> = (0..12).step_by(2).map(byte).collect::<Option<_>>()?;
    Some(Mac(bytes.try_into().ok()?))
}

/// `10-0-0-1` and its length: four bytes, and no fifth number behind them.
fn dashed(text: &str, at: usize) -> Option<(usize, IpAddr)> {
    let run = text.as_bytes()[at..].iter();
    let len = run.take_while(|b| b.is_ascii_digit() || **b == b'-').count();
    let run = text.get(at..at + len)?.trim_end_matches('-');
    // Nor one before them.
    if matches!(text.as_bytes()[..at], [.., before, b'-'] if before.is_ascii_digit()) {
        return None;
    }
    let bytes: Vec<u8> = run.split('-').map(|b| b.parse().ok()).collect::<Option<_>>()?;
    let [a, b, c, d] = bytes.try_into().ok()?;
    Some((run.len(), Ipv4Addr::new(a, b, c, d).into()))
}

/// The last half of an EUI-64 without its first (`a8bb:ccff:fedd:eeff`, RFC 4291 appendix A), its length.
fn tail(text: &str, at: usize) -> Option<usize> {
    let run = text.as_bytes()[at..].iter();
    let len = run.take_while(|b| b.is_ascii_hexdigit() || **b == b':').count();
    let run = text.get(at..at + len)?.trim_end_matches(':');
    let parts: Vec<&str> = run.split(':').collect();
    let [first, second, third, last] = parts[..] else { return None };
    let whole = [first, second, third, last].iter().all(|part| (1..=4).contains(&part.len()));
    (whole && second.ends_with("ff") && third.starts_with("fe")).then_some(run.len())
}

/// Where bugs of kernels are sent: nobody's. At kernel.org itself there are people.
const LISTS: &[&str] = &["vger.kernel.org", "lists.linux.dev"];

/// Every `somebody@somewhere`, where it begins and ends.
fn mails(text: &str) -> Vec<(usize, usize)> {
    let of = |c: char| c.is_alphanumeric() || "._%+-".contains(c);
    let mut out: Vec<(usize, usize)> = Vec::new();
    for (at, _) in text.match_indices('@') {
        let start = text[..at]
            .rfind(|c: char| !of(c))
            .map_or(0, |before| before + text[before..].chars().next().map_or(1, char::len_utf8));
        // An escape of C's stands before the name.
        let start =
            if start > 0 && is_escape(&text.as_bytes()[..=start]) { start + 1 } else { start };
        let len = text[at + 1..].find(|c: char| !of(c)).unwrap_or(text.len() - at - 1);
        let domain = text[at + 1..at + 1 + len].trim_end_matches(['.', '-']);
        let list =
            LISTS.iter().any(|list| domain == *list || domain.ends_with(&format!(".{list}")));
        let named = |text: &str| text.chars().any(char::is_alphabetic);
        if start < at && !list && named(&text[start..at]) && named(domain) {
            out.push((start, at + 1 + domain.len()));
        }
    }
    out
}

/// 32 digits and the dots between them.
const NIBBLES: usize = 63;

/// The address of those labels, the last of its digits first.
fn nibbles(labels: &str) -> Option<IpAddr> {
    let digits: Vec<&str> = labels.split('.').rev().collect();
    let whole = digits.iter().all(|digit| digit.len() == 1).then(|| digits.concat())?;
    Some(Ipv6Addr::from(u128::from_str_radix(&whole, 16).ok()?).into())
}

/// The labels of an address.
pub(super) fn reverse(ip: IpAddr) -> String {
    let labels: Vec<String> = match ip {
        IpAddr::V4(ip) => ip.octets().iter().rev().map(u8::to_string).collect(),
        IpAddr::V6(ip) => {
            let digits = format!("{:032x}", u128::from(ip));
            digits.chars().rev().map(String::from).collect()
        }
    };
    labels.join(".")
}

fn mac_of(token: &str) -> Option<Mac> {
    let separator = if token.contains('-') { '-' } else { ':' };
    let byte = |part: &str| if part.len() == 2 { u8::from_str_radix(part, 16).ok() } else { None };
    let bytes: Vec<u8> = token.split(separator).map(byte).collect::<Option<_>>()?;
    Some(Mac(bytes.try_into().ok()?))
}

/// A hardware address that begins there and has no leading zeros, and its length: as netstat(1) and
/// arp(8) of macOS write it (`a4:83:e7:0:1:2`), or `link_ntoa` (`en0:a4.83.e7.0.1.2`).
fn short_mac(text: &str, at: usize) -> Option<(usize, Mac)> {
    let of = |separator: u8| {
        let run = text.as_bytes()[at..].iter();
        let len = run.take_while(|b| b.is_ascii_hexdigit() || **b == separator).count();
        let run = text.get(at..at + len)?;
        // A sentence may go on with one.
        let run = run.strip_suffix(char::from(separator)).unwrap_or(run);
        let byte = |part: &str| u8::from_str_radix(part, 16).ok().filter(|_| part.len() < 3);
        let bytes: Vec<u8> = run.split(char::from(separator)).map(byte).collect::<Option<_>>()?;
        Some((run, Mac(bytes.try_into().ok()?)))
    };
    // Dots and digits alone may be a version, or an object's identifier.
    let behind_a_name = at > 0 && text.as_bytes()[at - 1] == b':';
    let dotted = || {
        of(b'.').filter(|(run, _)| behind_a_name || run.bytes().any(|b| b.is_ascii_alphabetic()))
    };
    of(b':').or_else(dotted).map(|(run, mac)| (run.len(), mac))
}

/// An address as `inet_aton` reads it: one to four numbers, of which the last has all bytes that are
/// left; octal behind `0`, hexadecimal behind `0x`.
pub(super) fn shorthand(text: &str) -> Option<Ipv4Addr> {
    let number = |part: &str| match part.to_lowercase() {
        p if p.starts_with("0x") => u32::from_str_radix(&p[2..], 16).ok(),
        p if p.starts_with('0') => u32::from_str_radix(&p, 8).ok(),
        p => p.parse().ok(),
    };
    let parts: Vec<u32> = text.split('.').map(number).collect::<Option<_>>()?;
    let (last, first) = parts.split_last().filter(|(_, first)| first.len() < 4)?;
    let mut whole = *last;
    for (byte, shift) in first.iter().zip([24, 16, 8]) {
        whole |= u32::from(u8::try_from(*byte).ok()?) << shift;
    }
    Some(Ipv4Addr::from(whole))
}

fn is_uuid(token: &str) -> bool {
    let lengths: Vec<usize> = token.split('-').map(str::len).collect();
    let hex = |c: char| c.is_ascii_hexdigit() || c == '-';
    lengths == [8, 4, 4, 4, 12] && token.chars().all(hex)
}

/// A route whose prefix is written without its last bytes, as netstat(1) does, with all of them: `10.1`
/// is `10.1.0.0/16`. Alone such a prefix looks like a version.
pub(super) fn whole_prefix(line: &str) -> String {
    let (to, rest) = line.split_at(line.find(char::is_whitespace).unwrap_or(line.len()));
    let (prefix, len) = to.split_once('/').unwrap_or((to, ""));
    let bytes: Option<Vec<u8>> = prefix.split('.').map(|byte| byte.parse().ok()).collect();
    match bytes {
        Some(bytes) if bytes.len() < 4 => {
            let mut whole = [0; 4];
            whole[..bytes.len()].copy_from_slice(&bytes);
            let natural = (8 * bytes.len()).to_string();
            let len = if len.is_empty() { &natural } else { len };
            format!("{}/{len}{rest}", Ipv4Addr::from(whole))
        }
        _ => line.to_owned(),
    }
}
