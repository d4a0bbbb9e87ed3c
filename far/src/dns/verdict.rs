//! What became of each name, in sentences.

use std::collections::HashMap;
use std::time::Duration;

use domain::base::iana::{OptRcode, Rtype};

use super::answer::{Flaw, Outcome};
use super::query::folded;
use super::report::{Entry, span};
use crate::witness::count;

/// Of how many names something is said.
const NAMES: usize = 20;
/// How many queries of a name are told one by one.
const ONE_BY_ONE: usize = 12;

/// For each name what it was answered, in which order it was asked for, and what `verdict` says of it.
pub(super) fn names(entries: &[Entry], verdict: impl Fn(&[&Entry]) -> Vec<String>) -> Vec<String> {
    let mut order: Vec<Vec<&Entry>> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for entry in entries {
        let index = *known.entry(folded(&entry.name)).or_insert(order.len());
        match order.get_mut(index) {
            Some(all) => all.push(entry),
            None => order.push(vec![entry]),
        }
    }
    let mut lines = Vec::new();
    for all in order.iter().take(NAMES) {
        lines.push(answers(all));
        lines.push(asked(all));
        lines.extend(verdict(all).into_iter().map(|line| format!("  {line}")));
    }
    if order.len() > NAMES {
        lines.push(format!("and {} more", count(order.len() - NAMES, "name")));
    }
    lines
}

/// The types that a name was asked for by, in the order in which they came.
fn kinds(entries: &[&Entry]) -> Vec<Rtype> {
    let mut kinds = Vec::new();
    for entry in entries {
        if !kinds.contains(&entry.kind) && kinds.len() < NAMES {
            kinds.push(entry.kind);
        }
    }
    kinds
}

/// "a.example: A answered 127.0.0.1, AAAA NXDOMAIN; asked for AAAA last". Which came last matters where one denies the
/// other: a client that keeps the last answer has no address.
fn answers(entries: &[&Entry]) -> String {
    let kinds = kinds(entries);
    let told = kinds.iter().map(|kind| {
        let mut words: Vec<&str> = Vec::new();
        for entry in entries.iter().filter(|entry| entry.kind == *kind) {
            // What it was told again is not said again.
            if !words.contains(&entry.words.as_str()) {
                words.push(&entry.words);
            }
        }
        format!("{kind} {}", words.join(", then "))
    });
    let told = told.collect::<Vec<_>>().join(", ");
    let last = match entries.last() {
        Some(last) if kinds.len() > 1 && contradicted(entries).is_some() => {
            format!("; asked for {} last", last.kind)
        }
        _ => String::new(),
    };
    format!("{}: {told}{last}", folded(&entries[0].name))
}

/// How often and in which order: "asked 3 times in 5.006 s: A by UDP; AAAA by UDP, 0.1 ms later; …".
fn asked(entries: &[&Entry]) -> String {
    let mut before: Option<&Entry> = None;
    let mut told: Vec<(Rtype, bool)> = Vec::new();
    let mut parts = Vec::new();
    for entry in entries.iter().take(ONE_BY_ONE) {
        let by = if entry.is_tcp { "TCP" } else { "UDP" };
        let key = (entry.kind, entry.is_tcp);
        let again = if told.contains(&key) { " again" } else { "" };
        told.push(key);
        let later = before.map(|b| format!(", {} later", span(entry.at.saturating_sub(b.at))));
        parts.push(format!("{}{again} by {by}{}", entry.kind, later.unwrap_or_default()));
        before = Some(entry);
    }
    if entries.len() > ONE_BY_ONE {
        parts.push(format!("and {} more", count(entries.len() - ONE_BY_ONE, "time")));
    }
    let often = match entries.len() {
        1 => "asked once".to_owned(),
        n => format!("asked {n} times in {}", span(took(entries))),
    };
    format!("  {often}: {}", parts.join("; "))
}

fn took(entries: &[&Entry]) -> Duration {
    let ends = entries.first().zip(entries.last());
    ends.map_or(Duration::ZERO, |(first, last)| last.at.saturating_sub(first.at))
}

/// "asked again once", "not asked again".
fn again(entries: &[&Entry]) -> String {
    let kinds = kinds(entries).len();
    match entries.len() - kinds.min(entries.len()) {
        0 => "not asked again".to_owned(),
        1 => "asked again once".to_owned(),
        n => format!("asked again {n} times"),
    }
}

/// What the client could know by what it was told of one name; `resets` if connections were reset.
pub(super) fn verdict(entries: &[&Entry], resets: bool) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(truncated(entries, resets));
    lines.extend(flawed(entries));
    lines.extend(without_edns(entries));
    lines.extend(contradicted(entries));
    let all = |outcome: Outcome| entries.iter().all(|entry| entry.outcome == outcome);
    let is_found = |e: &&&Entry| e.outcome == Outcome::Found && e.flaw.is_none();
    let addresses: Vec<&&Entry> = entries
        .iter()
        .filter(is_found)
        .filter(|e| matches!(e.kind, Rtype::A | Rtype::AAAA))
        .collect();
    if !addresses.is_empty() {
        let only = |kind: Rtype| addresses.iter().all(|entry| entry.kind == kind);
        let asked = |kind: Rtype| entries.iter().any(|entry| entry.kind == kind);
        let which = match (only(Rtype::A), only(Rtype::AAAA)) {
            (true, _) if asked(Rtype::AAAA) => "of IPv4 alone",
            (true, _) => "of IPv4; it asked for no AAAA",
            (_, true) if asked(Rtype::A) => "of IPv6 alone",
            (_, true) => "of IPv6; it asked for no A",
            _ => "of IPv4 and of IPv6",
        };
        lines.push(format!("the client was told an address, {which}"));
    } else if all(Outcome::Silence) {
        lines.push(format!("nothing was answered, and it was {}", again(entries)));
    } else if all(Outcome::NoName) {
        lines.push(format!("the client was told that there is no such name; {}", again(entries)));
    } else if all(Outcome::Loop) {
        lines.push(format!("its aliases lead in a circle, to no address; {}", again(entries)));
    } else if let Outcome::Error(code) = entries[0].outcome
        && code != OptRcode::FORMERR
        && all(Outcome::Error(code))
    {
        lines.push(format!("the client was told {code} and nothing else; {}", again(entries)));
    } else if !entries.iter().any(|e| matches!(e.kind, Rtype::A | Rtype::AAAA)) {
        lines.push("no address was asked for".to_owned());
    } else {
        lines.push("the client was told no address that it could believe".to_owned());
    }
    lines
}

/// Whether TCP was tried where UDP said that it is too short.
fn truncated(entries: &[&Entry], resets: bool) -> Option<String> {
    let cut = entries.iter().find(|entry| entry.flaw == Some(Flaw::Truncated))?;
    let by_tcp = entries.iter().any(|entry| entry.is_tcp && entry.at >= cut.at);
    Some(match (by_tcp, resets) {
        (true, _) => "told over UDP to ask by TCP (TC), it did".to_owned(),
        (_, true) => "told over UDP to ask by TCP (TC); connections by TCP were reset".to_owned(),
        _ => "told over UDP to ask by TCP (TC), it did not".to_owned(),
    })
}

/// Whether what does not fit was believed.
fn flawed(entries: &[&Entry]) -> Option<String> {
    let flaws = [Some(Flaw::OtherId), Some(Flaw::OtherQuestion)];
    if !entries.iter().any(|entry| flaws.contains(&entry.flaw)) {
        return None;
    }
    Some(match again(entries).as_str() {
        "not asked again" => {
            "what was sent fits no query: the client believed it, or gave up at once".to_owned()
        }
        again => format!("what was sent fits no query, and was not believed: {again}"),
    })
}

/// Whether it was asked without EDNS once that was called malformed.
fn without_edns(entries: &[&Entry]) -> Option<String> {
    let refused = Outcome::Error(OptRcode::FORMERR);
    let first = entries.iter().find(|entry| entry.outcome == refused)?;
    let plain = entries.iter().any(|entry| !entry.has_edns && entry.at >= first.at);
    let did = if plain { "it was asked again without" } else { "it was not asked again without" };
    Some(format!("EDNS was answered by FORMERR: {did}"))
}

/// Whether it was told both that the name exists and that it does not.
fn contradicted(entries: &[&Entry]) -> Option<String> {
    let no_name = entries.iter().find(|entry| entry.outcome == Outcome::NoName)?;
    let found = entries.iter().find(|entry| entry.outcome == Outcome::Found)?;
    Some(format!(
        "NXDOMAIN for {} denies the name itself (RFC 8020): a client that believes it gives up, though {} was answered",
        no_name.kind, found.kind
    ))
}
