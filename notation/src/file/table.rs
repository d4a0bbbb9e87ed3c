//! A table before its rows are made: a case in which some words stand for several things.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

use super::condition::{Condition, Term, is_meant};
use crate::calls;
use crate::fault::Fault;
use crate::quotes::by_quotes;

/// A line with more than blanks and comments.
#[derive(Clone, Debug)]
pub(super) struct Raw<'t> {
    /// Without what it is indented by, and without the blanks at its end.
    pub(super) text: &'t str,
    /// Where it begins, in bytes.
    pub(super) at: usize,
    /// Its number, from 1.
    pub(super) number: u32,
}

impl Raw<'_> {
    /// All of it.
    pub(super) fn range(&self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }

    /// Where a word stands in it; all of it if that is nowhere.
    pub(super) fn word(&self, word: &str) -> Range<usize> {
        let is_of = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let ends = |(at, _): &(usize, &str)| {
            !self.text[..*at].ends_with(is_of) && !self.text[at + word.len()..].starts_with(is_of)
        };
        let found = self.text.match_indices(word).find(ends);
        found.map_or_else(|| self.range(), |(_, found)| self.part(found))
    }

    /// So many bytes of it, from there.
    pub(super) fn part(&self, part: &str) -> Range<usize> {
        let from = part.as_ptr() as usize - self.text.as_ptr() as usize;
        self.at + from..self.at + from + part.len()
    }
}

/// A word that stands for several things.
#[derive(Clone, Debug)]
pub(super) struct Parameter<'t> {
    pub(super) name: &'t str,
    /// Those of all its lists.
    pub(super) values: Vec<Value<'t>>,
    /// The numbers of those, by what they are called.
    labels: HashMap<&'t str, Vec<usize>>,
    lists: Vec<List>,
    /// The parameters above it that a value of its names, or one of those.
    names: Vec<usize>,
    /// Whether its values are parts of ids: those of `let` are not.
    pub(super) is_of_ids: bool,
}

/// The values that a parameter has in some rows, or in all.
#[derive(Clone, Debug)]
struct List {
    only: Condition,
    values: Range<usize>,
    /// Where it is written.
    at: Range<usize>,
}

impl<'t> Parameter<'t> {
    fn new(name: &'t str, is_of_ids: bool) -> Self {
        let (values, labels, lists, names) = Default::default();
        Self { name, values, labels, lists, names, is_of_ids }
    }

    /// The numbers of the values that are called so.
    pub(super) fn of(&self, label: &str) -> &[usize] {
        self.labels.get(label).map_or(&[], Vec::as_slice)
    }

    /// How many lists it has.
    pub(super) fn lists(&self) -> usize {
        self.lists.len()
    }

    /// Adds what is said of it of some rows, with the parameters that it names.
    fn add(&mut self, raw: &Raw<'t>, only: Condition, of: (Vec<Value<'t>>, Vec<usize>)) {
        let from = self.values.len();
        self.values.extend(of.0);
        for at in from..self.values.len() {
            self.labels.entry(self.values[at].label).or_default().push(at);
        }
        self.names.extend(of.1);
        self.names.sort_unstable();
        self.names.dedup();
        self.lists.push(List { only, values: from..self.values.len(), at: raw.range() });
    }

    /// The values that it has in rows that begin so: those of one list.
    pub(super) fn in_rows(
        &self,
        row: &[usize],
        above: &[Parameter<'_>],
    ) -> Result<Range<usize>, Fault> {
        let mut lists = self.lists.iter().filter(|list| list.only.holds(row));
        let (name, what) = (self.name, if self.is_of_ids { "list" } else { "let" });
        let (number, at) = match (lists.next(), lists.next()) {
            (Some(list), None) => return Ok(list.values.clone()),
            (_, None) => ("no", self.lists.last().map_or(0..0, |list| list.at.clone())),
            (_, Some(second)) => ("more than one", second.at.clone()),
        };
        let begins = above
            .iter()
            .zip(row)
            .map(|(one, value)| format!("{}={}", one.name, one.values[*value].label));
        let begins = begins.collect::<Vec<_>>().join(" ");
        let says = format!("{number} {what} of {name} is for the rows {begins}, and one has to be");
        Err(Fault::new(at, says))
    }
}

/// One of the things that a word stands for.
#[derive(Clone, Debug)]
pub(super) struct Value<'t> {
    /// What it is called in an id.
    pub(super) label: &'t str,
    /// What it is called in a title: what it is, where nothing else is said.
    words: Option<&'t str>,
    /// What it is.
    is: &'t str,
    /// Whether it names parameters above it.
    names: bool,
}

/// Each is a part of an id.
const MOST_PARAMETERS: usize = 64;

/// `for NAME in VALUE, NAME: VALUE`, which is `text` and said of the rows of a condition, or of all. What it weighs.
pub(super) fn list<'t>(
    raw: &Raw<'t>,
    text: &'t str,
    only: Option<&str>,
    known: &mut Vec<Parameter<'t>>,
) -> Result<usize, Fault> {
    const LIKE: &str = "for NAME in VALUE, VALUE is expected here";
    let rest = text.strip_prefix("for").unwrap_or_default().trim_start();
    let Some((name, rest)) = rest.split_once([' ', '\t']) else {
        return Err(Fault::new(raw.range(), LIKE));
    };
    let Some(list) =
        rest.trim_start().strip_prefix("in").filter(|l| l.starts_with([' ', '\t', '\n', '\r']))
    else {
        return Err(Fault::new(raw.range(), LIKE));
    };
    let (number, only) = begin(raw, name, true, only, known)?;
    let values = values(raw, list, &known[..number])?;
    if number == known.len() {
        known.push(Parameter::new(name, true));
    }
    let weight = only.weight + values.0.len();
    known[number].add(raw, only, values);
    Ok(weight)
}

/// `let NAME = VALUE`: the same with one value, which is no part of an id.
pub(super) fn definition<'t>(
    raw: &Raw<'t>,
    text: &'t str,
    only: Option<&str>,
    known: &mut Vec<Parameter<'t>>,
) -> Result<usize, Fault> {
    let rest = text.strip_prefix("let").unwrap_or_default();
    let parts = rest.split_once('=').map(|(name, is)| (name.trim(), is.trim()));
    let Some((name, is)) = parts.filter(|(_, is)| !is.is_empty()) else {
        return Err(Fault::new(raw.range(), "let NAME = VALUE is expected here"));
    };
    let (number, only) = begin(raw, name, false, only, known)?;
    let names = named(is, &known[..number], false);
    let value = Value { label: is, words: None, is, names: !names.is_empty() };
    if number == known.len() {
        known.push(Parameter::new(name, false));
    }
    let weight = only.weight + 1;
    known[number].add(raw, only, (vec![value], names));
    Ok(weight)
}

/// The number of a parameter of which something is said, and of which rows.
fn begin<'t>(
    raw: &Raw<'t>,
    name: &'t str,
    is_of_ids: bool,
    only: Option<&str>,
    known: &[Parameter<'t>],
) -> Result<(usize, Condition), Fault> {
    if !is_identifier(name) {
        return Err(Fault::new(raw.part(name), format!("{name:?} is no name of a parameter")));
    }
    if WORDS.contains(&name) || calls::NAMES.contains(&name) {
        let says =
            format!("{name} is a word of the language: it would be replaced where it stands");
        return Err(Fault::new(raw.part(name), says).help("give the parameter another name"));
    }
    // What is said of it stands together, each for some rows.
    let is_last = known.last().is_some_and(|one| one.name == name && one.is_of_ids == is_of_ids);
    let number = known.iter().position(|one| one.name == name).unwrap_or(known.len());
    if number < known.len() && !(is_last && only.is_some()) {
        return Err(Fault::new(raw.part(name), format!("there is a parameter {name} already")));
    }
    if number == MOST_PARAMETERS {
        let says = format!("a case has {MOST_PARAMETERS} parameters at the most");
        return Err(Fault::new(raw.range(), says));
    }
    let only = only.map(|only| condition(raw, only, &known[..number])).transpose()?;
    Ok((number, only.unwrap_or_default()))
}

/// Words that are read in a line once its parameters have been replaced, and mean nothing else anywhere.
const WORDS: [&str; 9] =
    ["addresses", "catalogue", "linux", "macos", "ms", "nothing", "on", "success", "title"];

/// The values of a list, and the parameters that they name.
fn values<'t>(
    raw: &Raw<'t>,
    list: &'t str,
    above: &[Parameter<'t>],
) -> Result<(Vec<Value<'t>>, Vec<usize>), Fault> {
    let (mut values, mut names): (Vec<Value<'_>>, _) = (Vec::new(), Vec::new());
    let mut labels = HashSet::new();
    for part in parts(list) {
        let mut value = value(raw, part)?;
        if !labels.insert(value.label) {
            return Err(Fault::new(
                raw.part(value.label),
                format!("{} is here twice", value.label),
            ));
        }
        // What has no name but itself is itself.
        let is_itself = std::ptr::eq(value.is, value.label);
        let named = if is_itself { Vec::new() } else { named(value.is, above, false) };
        value.names = !named.is_empty();
        names.extend(named);
        values.push(value);
    }
    Ok((values, names))
}

/// `VALUE`, `LABEL: VALUE`, `LABEL "WORDS"`, `LABEL "WORDS": VALUE`
fn value<'t>(raw: &Raw<'t>, part: &'t str) -> Result<Value<'t>, Fault> {
    let all = part.trim();
    if all.is_empty() {
        return Err(Fault::new(raw.part(part), "a value is expected here"));
    }
    let worded = all.split_once(" \"").map(|(label, rest)| (label.trim_end(), rest));
    // `NAME: "TEXT"` is text with a name, and `fe80:: "WORDS"` an address with words.
    let is_worded = |label: &str| {
        let name = label.strip_suffix(':').filter(|name| !name.ends_with(':'));
        is_label(label) && !name.is_some_and(is_label)
    };
    if let Some((label, rest)) = worded.filter(|(label, _)| is_worded(label)) {
        let Some((words, rest)) = rest.split_once('"').filter(|(words, _)| !words.contains('\\'))
        else {
            return Err(Fault::new(raw.part(all), "the words of a title end at the next quote"));
        };
        let value = match rest.strip_prefix(": ") {
            Some(value) => value.trim(),
            None if rest.is_empty() => label,
            None => return Err(Fault::new(raw.part(rest), ": and a value are expected here")),
        };
        return Ok(Value { label, words: Some(words), is: value, names: false });
    }
    let named = all.split_once(": ").filter(|(label, _)| is_label(label));
    let (label, value) = named.map_or((all, all), |(label, value)| (label, value.trim()));
    if !is_label(label) {
        let fault = Fault::new(raw.part(label), "this value needs a name, for the row's id");
        return Err(fault.help("write NAME: VALUE, as in own: {AF_INET own(link0):9}"));
    }
    Ok(Value { label, words: None, is: value, names: false })
}

/// `family=AF_INET6 how=SHUT_RD|SHUT_WR`, `to=*4`, `to!=own|*4`
pub(super) fn condition(
    raw: &Raw<'_>,
    text: &str,
    parameters: &[Parameter<'_>],
) -> Result<Condition, Fault> {
    let (mut all, mut weight) = (Vec::new(), 0);
    for term in text.split_whitespace() {
        let Some((name, values)) = term.split_once('=') else {
            return Err(Fault::new(raw.part(term), "NAME=VALUE is expected here"));
        };
        let (name, is_not) = name.strip_suffix('!').map_or((name, false), |name| (name, true));
        let Some(number) = parameters.iter().position(|one| one.name == name) else {
            let fault = Fault::new(raw.part(name), format!("there is no parameter {name}"));
            return Err(fault.nearest(name, parameters.iter().map(|one| one.name)));
        };
        let has = &parameters[number];
        let mut meant = Vec::new();
        for word in values.split('|') {
            let before = meant.len();
            if word.starts_with('*') || word.ends_with('*') {
                let labels = has.values.iter().enumerate();
                meant.extend(labels.filter(|(_, v)| is_meant(word, v.label)).map(|(at, _)| at));
                weight += has.values.len();
            } else {
                meant.extend(has.of(word));
                weight += meant.len() - before + 1;
            }
            if meant.len() == before {
                let fault = Fault::new(raw.part(word), format!("{name} is never {word}"));
                return Err(fault.nearest(word, has.values.iter().map(|value| value.label)));
            }
        }
        meant.sort_unstable();
        meant.dedup();
        if is_not && meant.len() == has.values.len() {
            return Err(Fault::new(raw.part(term), format!("{name} is always one of these")));
        }
        all.push(Term { parameter: number, values: meant, is_not });
    }
    if all.is_empty() {
        return Err(Fault::new(raw.range(), "NAME=VALUE is expected here"));
    }
    Ok(Condition { all, weight })
}

/// The parts of a list, between commas that stand in no brackets and no quotes.
fn parts(list: &str) -> Vec<&str> {
    let (mut depth, mut from) = (0i32, 0);
    let mut parts = Vec::new();
    for (at, c, _) in by_quotes(list).filter(|(.., quoted)| !quoted) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth <= 0 => {
                parts.push(&list[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[from..]);
    parts
}

pub(super) fn is_identifier(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether it can stand in an id.
fn is_label(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "_.+-%:=@~/#".contains(c))
}

/// A line with its parameters replaced, and which bytes of it stand for which of the line.
pub(super) struct Filled<'t> {
    pub(super) text: Cow<'t, str>,
    /// Where something was replaced: here, what was there.
    replaced: Vec<(Range<usize>, Range<usize>)>,
}

impl Filled<'_> {
    /// The same bytes of the line as it is written.
    pub(super) fn written(&self, at: &Range<usize>) -> Range<usize> {
        let (start, end) = (self.place(at.start, false), self.place(at.end, true));
        start..end.max(start)
    }

    fn place(&self, at: usize, is_end: bool) -> usize {
        let mut shift = 0isize;
        for (here, there) in &self.replaced {
            if at < here.start || at == here.start && is_end {
                break;
            }
            if at < here.end || at == here.end && is_end {
                return if is_end { there.end } else { there.start };
            }
            shift = there.end.cast_signed() - here.end.cast_signed();
        }
        at.saturating_add_signed(shift)
    }
}

/// The most bytes of a line in a row: values that name others could make it as long as they like.
pub(super) const MOST_FILLED: usize = 1 << 20;

/// Which parameters a line names, or values of those, each once: outside of quotes, or between `{}` where
/// `in_text`.
pub(super) fn named(line: &str, parameters: &[Parameter<'_>], in_text: bool) -> Vec<usize> {
    let direct = words(line, in_text).filter_map(|at| number(&line[at], parameters));
    let direct: BTreeSet<usize> = direct.collect();
    let theirs = direct.iter().flat_map(|one| &parameters[*one].names).copied();
    let all: BTreeSet<usize> = theirs.chain(direct.iter().copied()).collect();
    all.into_iter().collect()
}

fn number(word: &str, parameters: &[Parameter<'_>]) -> Option<usize> {
    parameters.iter().position(|one| one.name == word)
}

/// The line as it is in a row; none if it were longer than [`MOST_FILLED`].
pub(super) fn fill<'t>(
    line: &'t str,
    parameters: &[Parameter<'_>],
    row: &[usize],
    in_text: bool,
) -> Option<Filled<'t>> {
    let mut text = String::new();
    let mut replaced = Vec::new();
    let mut from = 0;
    for at in words(line, in_text) {
        let Some(number) = number(&line[at.clone()], parameters) else { continue };
        let value = match &parameters[number].values[row[number]] {
            Value { words: Some(words), .. } if in_text => Cow::Borrowed(*words),
            Value { is, names: true, .. } => fill(is, &parameters[..number], row, false)?.text,
            Value { is, .. } => Cow::Borrowed(*is),
        };
        let around = if in_text { at.start - 1..at.end + 1 } else { at };
        text.push_str(&line[from..around.start]);
        let before = text.len();
        // A title is in quotes, and shows what is written.
        let value = if in_text && line.starts_with("title ") && value.contains(['"', '\\']) {
            Cow::Owned(value.replace('\\', "\\\\").replace('"', "\\\""))
        } else {
            value
        };
        let (value, end) = match arithmetic(&value, &line[around.end..]) {
            Some((sum, len)) if !in_text => (Cow::Owned(sum.to_string()), around.end + len),
            _ => (value, around.end),
        };
        text.push_str(&value);
        if text.len() > MOST_FILLED {
            return None;
        }
        replaced.push((before..text.len(), around.start..end));
        from = end;
    }
    if replaced.is_empty() {
        return Some(Filled { text: Cow::Borrowed(line), replaced });
    }
    text.push_str(&line[from..]);
    Some(Filled { text: Cow::Owned(text), replaced })
}

/// `-28` behind a number, and how long that is.
fn arithmetic(value: &str, rest: &str) -> Option<(i64, usize)> {
    let value: i64 = value.parse().ok()?;
    let sign = rest.chars().next().filter(|c| matches!(c, '-' | '+'))?;
    let digits = rest[1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - 1);
    let number: i64 = rest[1..=digits].parse().ok()?;
    let sum = if sign == '-' { value.checked_sub(number) } else { value.checked_add(number) };
    Some((sum?, digits + 1))
}

/// The words of a line that may be parameters. In a text quotes are nothing.
fn words(line: &str, in_text: bool) -> impl Iterator<Item = Range<usize>> {
    let is_of = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut from = None;
    for (at, c, quoted) in by_quotes(line).chain([(line.len(), ' ', false)]) {
        if is_of(c) && (in_text || !quoted) {
            from = from.or(Some(at));
            continue;
        }
        if let Some(from) = from.take() {
            let braced = line[..from].ends_with('{') && c == '}';
            if !in_text || braced {
                found.push(from..at);
            }
        }
    }
    found.into_iter()
}
