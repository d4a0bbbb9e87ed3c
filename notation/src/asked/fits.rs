//! Whether what came of a call is what is asked behind it: each part that is written by itself, and no other.

use harness::case::Os;

use super::Wanted;
use crate::quotes::by_quotes;

/// What came of a call, in each way in which it may be asked for.
pub(super) struct Came {
    /// First as an outcome has it, then as transcripts do, then an option as bytes; each the value and what stands
    /// behind it.
    told: Vec<String>,
    /// Whether it tells of several messages.
    many: bool,
}

/// A part of what came, in each way.
type Ways<'a> = Vec<Vec<&'a str>>;

impl Came {
    pub(super) fn new(told: &str, others: impl IntoIterator<Item = String>, many: bool) -> Self {
        Self { told: std::iter::once(told.to_owned()).chain(others).collect(), many }
    }

    /// Whether it is one of those that are wanted on this system, or none is.
    pub(super) fn is_met(&self, wanted: &[Wanted], os: Os) -> bool {
        let here = here(wanted, os);
        here.is_empty() || here.iter().any(|wanted| self.fits(&wanted.says))
    }

    /// What came as it is told to who has asked so: what an outcome has not of it is shown where it is asked for.
    pub(super) fn told_to(&self, wanted: &[Wanted], os: Os) -> String {
        let ways = self.ways();
        let mut said: Vec<String> = ways[0].iter().map(|item| (*item).to_owned()).collect();
        for wanted in here(wanted, os) {
            let (mut from, parts) = (0, items(&wanted.says));
            for part in &parts {
                let Some(at) = place(part, from, &ways) else { continue };
                from = at + 1;
                let others = ways[1..].iter().filter_map(|way| way.get(at));
                for other in others {
                    if let Some(more) = as_asked(part, &said[at], other) {
                        said[at] = more;
                    }
                }
            }
        }
        said.join(", ")
    }

    fn ways(&self) -> Ways<'_> {
        self.told.iter().map(|told| items(told)).collect()
    }

    fn fits(&self, wanted: &str) -> bool {
        let told = self.told[0].as_str();
        match wanted {
            "success" => return !told.starts_with(['-', '?']),
            // Whatever the errno.
            "-1" => return told.starts_with("-1 "),
            _ if told.starts_with('?') => return told == wanted,
            _ => {}
        }
        let (wanted, ways) = (items(wanted), self.ways());
        let Some((first, rest)) = wanted.split_first() else { return true };
        let is_first = |way: &Vec<&str>| way.first().is_some_and(|came| value_fits(first, came));
        if !ways.iter().any(is_first) {
            return false;
        }
        let behind: Ways<'_> =
            ways.iter().map(|way| way.get(1..).unwrap_or(&[]).to_vec()).collect();
        all_fit(rest, &behind, self.many)
    }
}

/// Those that are said of this system, which stand before those that are said of the others.
fn here(wanted: &[Wanted], os: Os) -> Vec<&Wanted> {
    let of = |on| wanted.iter().filter(move |wanted| wanted.on == on).collect::<Vec<_>>();
    let own = of(Some(os));
    if own.is_empty() { of(None) } else { own }
}

/// Whether each of these parts is among what came, in their order; those with a name wherever it stands.
fn all_fit(wanted: &[&str], ways: &Ways<'_>, many: bool) -> bool {
    let mut from = 0;
    wanted.iter().all(|part| match named(part) {
        Some(("msg_flags", "0") | ("msg_control", "[]")) => place(part, 0, ways).is_none(),
        Some(_) => place(part, 0, ways).is_some_and(|at| part_fits(part, at, ways, many)),
        None => place(part, from, ways).is_some_and(|at| {
            from = at + 1;
            part_fits(part, at, ways, many)
        }),
    })
}

/// Where what such a part is about stands in what came.
fn place(part: &str, from: usize, ways: &Ways<'_>) -> Option<usize> {
    let kind = Kind::of(part);
    let is_it = |way: &Vec<&str>, at: usize| way.get(at).is_some_and(|came| Kind::of(came) == kind);
    let most = ways.iter().map(Vec::len).max().unwrap_or(0);
    (from..most).find(|at| ways.iter().any(|way| is_it(way, *at)))
}

fn part_fits(part: &str, at: usize, ways: &Ways<'_>, many: bool) -> bool {
    let came = || ways.iter().filter_map(move |way| way.get(at).copied());
    if many && let Some(wanted) = within(part, '[', ']') {
        return messages_fit(wanted, &came().collect::<Vec<_>>());
    }
    came().any(|came| match (named(part), named(came)) {
        (Some((name, wanted)), Some((of, came))) => {
            name == of
                && if name == "msg_control" {
                    some_fit(wanted, came)
                } else {
                    value_fits(wanted, came)
                }
        }
        _ => value_fits(part, came),
    })
}

/// Whether of each message that was received all is told that is asked of it: `[{1, "x"}, {msg_flags=MSG_TRUNC}]`. It
/// is its length, its data, from whom it is, its flags and its control messages; a `{}` asks nothing.
fn messages_fit(wanted: &str, came: &[&str]) -> bool {
    let wanted = items(wanted);
    let came: Vec<Vec<&str>> =
        came.iter().filter_map(|came| within(came, '[', ']')).map(items).collect();
    let is_as_many = came.first().is_some_and(|came| came.len() == wanted.len());
    is_as_many
        && wanted.iter().enumerate().all(|(at, one)| {
            let of = came.iter().filter_map(|came| within(came.get(at)?, '{', '}'));
            let ways: Ways<'_> = of.map(items).collect();
            within(one, '{', '}').is_some_and(|one| all_fit(&items(one), &ways, false))
        })
}

/// Whether these are among those of a list, in their order.
fn some_fit(wanted: &str, came: &str) -> bool {
    let (Some(wanted), Some(came)) = (within(wanted, '[', ']'), within(came, '[', ']')) else {
        return false;
    };
    let mut came = items(came).into_iter();
    items(wanted).iter().all(|one| came.any(|came| value_fits(one, came)))
}

fn value_fits(wanted: &str, came: &str) -> bool {
    if wanted == came || is_in_range(wanted, came) || is_same_number(wanted, came) {
        return true;
    }
    let lists = within(wanted, '[', ']').zip(within(came, '[', ']'));
    if let Some((wanted, came)) = lists {
        let (wanted, came) = (items(wanted), items(came));
        return wanted.len() == came.len()
            && wanted.iter().zip(&came).all(|(wanted, came)| value_fits(wanted, came));
    }
    if Kind::of(wanted) == Kind::Address {
        let parts = |text| within(text, '{', '}').and_then(|text| text.rsplit_once(':'));
        let both = parts(wanted).zip(parts(came));
        return both
            .is_some_and(|((host, port), (of, came))| host == of && is_in_range(port, came));
    }
    if let Some((wanted, came)) = within(wanted, '{', '}').zip(within(came, '{', '}')) {
        return fields_fit(&items(wanted), &items(came));
    }
    let flags = |text: &str| {
        let mut flags: Vec<String> = text.split('|').map(str::to_owned).collect();
        flags.sort();
        flags
    };
    wanted.contains('|') && !wanted.starts_with('"') && flags(wanted) == flags(came)
}

/// Whether of a structure all fields are so that are asked for: by their names, or as many as are written from the first
/// one on.
fn fields_fit(wanted: &[&str], came: &[&str]) -> bool {
    wanted.iter().enumerate().all(|(at, one)| match named(one) {
        Some((name, wanted)) => {
            let mut there = came.iter().filter_map(|came| named(came));
            there.any(|(of, came)| of == name && value_fits(wanted, came))
        }
        None => came.get(at).is_some_and(|came| value_fits(one, came)),
    })
}

/// From and up to which number a range is: `1..9`, `>=1`, `<9`; none if it is no range.
pub(crate) fn range(text: &str) -> Option<(i128, i128)> {
    let number = |text: &str| text.parse::<i64>().ok().map(i128::from);
    if let Some((low, high)) = text.split_once("..") {
        return Some((number(low)?, number(high)?));
    }
    let (rest, is_least, by) = match (text.strip_prefix('>'), text.strip_prefix('<')) {
        (Some(rest), _) => (rest, true, 1),
        (_, Some(rest)) => (rest, false, -1),
        _ => return None,
    };
    let (rest, by) = rest.strip_prefix('=').map_or((rest, by), |rest| (rest, 0));
    let end = number(rest)? + by;
    Some(if is_least { (end, i128::MAX) } else { (i128::MIN, end) })
}

fn is_in_range(wanted: &str, came: &str) -> bool {
    let of = range(wanted).zip(came.parse::<i128>().ok());
    of.is_some_and(|((low, high), came)| (low..=high).contains(&came))
}

/// Whether an odd number of hexadecimal digits, which is no bytes, is the number that came, and bytes these whatever the
/// case of their letters.
fn is_same_number(wanted: &str, came: &str) -> bool {
    let Some(digits) = wanted.strip_prefix("0x") else { return false };
    let number = || i128::from_str_radix(digits, 16).ok();
    wanted.eq_ignore_ascii_case(came)
        || digits.len() % 2 == 1 && number().is_some_and(|n| came.parse() == Ok(n))
}

/// What of it is shown to who asked for this part; nothing if what an outcome has is all of it.
fn as_asked(part: &str, told: &str, other: &str) -> Option<String> {
    if part.starts_with("0x") {
        return (!told.starts_with("0x") && other.starts_with("0x")).then(|| other.to_owned());
    }
    if other.starts_with("0x") {
        return None;
    }
    let has = |text: &str, word: &str| text.contains(word);
    if has(told, ":eph") && !has(part, ":eph") {
        return Some(other.to_owned());
    }
    let fields = |text| within(text, '{', '}').map(items);
    let (asked, told, other) = (fields(part)?, fields(told)?, fields(other)?);
    let names = |all: &[&str], name: &str| {
        all.iter().any(|one| named(one).is_some_and(|(known, _)| known == name))
    };
    let shown = other.iter().filter_map(|field| {
        let (name, _) = named(field)?;
        let known = told.iter().find(|told| named(told).is_some_and(|(known, _)| known == name));
        known.or_else(|| names(&asked, name).then_some(field)).copied()
    });
    let shown: Vec<&str> = shown.collect();
    (shown.len() > told.len()).then(|| format!("{{{}}}", shown.join(", ")))
}

/// What sort of thing a part is: of each sort the next one is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind<'a> {
    Data,
    Address,
    Structure,
    List,
    Named(&'a str),
    Word,
}

impl<'a> Kind<'a> {
    fn of(part: &'a str) -> Self {
        match part.chars().next() {
            Some('"') => Self::Data,
            _ if part.starts_with("pattern[") || part.contains(" bytes crc32 ") => Self::Data,
            _ if part.starts_with("DIFFERENT data ") => Self::Data,
            Some('{') if part.starts_with("{AF_") || part.starts_with("{PF_") => Self::Address,
            Some('{') => Self::Structure,
            Some('[') => Self::List,
            // `in [s]`, of select.
            _ => match named(part).or_else(|| part.split_once(" [")) {
                Some((name, _)) => Self::Named(name),
                None => Self::Word,
            },
        }
    }
}

/// `name=value`
pub(super) fn named(part: &str) -> Option<(&str, &str)> {
    let (name, value) = part.split_once('=')?;
    let is_of = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(is_of))
        .then_some((name, value))
}

/// What stands between these brackets, if they are all of it.
pub(super) fn within(text: &str, open: char, close: char) -> Option<&str> {
    text.trim().strip_prefix(open)?.strip_suffix(close)
}

/// What stands between the commas of a list, those in brackets and quotes being none.
pub(super) fn items(text: &str) -> Vec<&str> {
    let (mut items, mut from, mut depth) = (Vec::new(), 0, 0i32);
    for (at, c, quoted) in by_quotes(text) {
        match c {
            _ if quoted => {}
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth -= 1,
            ',' if depth == 0 => {
                items.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    items.push(text[from..].trim());
    items.retain(|item| !item.is_empty());
    items
}

#[cfg(test)]
mod tests;
