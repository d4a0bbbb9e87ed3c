//! For each call, errno, pair, option, flag, request and control message of the sockets API: the case that
//! shows it here and on which systems, or the reason why nobody can.
//!
//! The names stand in lists of the project's own ([`lists`]), each with its source. What shows them are the
//! baselines: a case that ends before a call does not show it, whatever it asks.

mod effects;
mod evidence;
mod list;
mod reader;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::Serialize;

pub use effects::{Effect, effects};
pub use evidence::Depth;
pub use list::{Item, Kind, List, lists};

use crate::baseline::Baselines;
use crate::fallbacks;
use evidence::{Evidence, Sight};

/// What is known of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// A case shows it.
    Seen,
    /// A system has it, no case shows it, and nothing says why.
    Missing,
    /// Nobody can show it here, for a reason.
    Excused,
    /// No Linux has it, and of macOS there is no baseline.
    Elsewhere,
}

/// A name, and what shows it.
#[derive(Clone, Debug)]
pub struct Entry<'b> {
    /// Which name.
    pub item: &'b Item,
    /// What is known of it.
    pub state: State,
    /// How much is shown; none if nothing is.
    pub depth: Option<Depth>,
    /// The platforms whose baselines show it: one that adds nothing to what it falls back to is left out.
    pub on: Vec<&'b str>,
    /// The case that shows the most of it in the fewest lines, on the first of the platforms that shows
    /// as much.
    pub case: Option<&'b str>,
}

/// A list, and what is known of each of its names.
#[derive(Clone, Debug)]
pub struct Covered<'b> {
    /// Which list.
    pub list: &'b List,
    /// Its names in their order.
    pub entries: Vec<Entry<'b>>,
}

impl Covered<'_> {
    /// How many names are in this state.
    pub fn count(&self, state: State) -> usize {
        self.entries.iter().filter(|entry| entry.state == state).count()
    }

    /// Of how many names as much as this is shown.
    pub fn shown(&self, depth: Depth) -> usize {
        self.entries.iter().filter(|entry| entry.depth >= Some(depth)).count()
    }
}

/// What the baselines show of every list.
pub fn coverage<'b>(
    lists: &'b [List],
    effects: &[Effect],
    baselines: &'b Baselines,
) -> Vec<Covered<'b>> {
    let evidence = Evidence::of(baselines, effects);
    let covered = |list: &'b List| {
        let entry = |item: &'b Item| entry(item, &evidence.sight(list.kind, &item.words));
        Covered { list, entries: list.items.iter().map(entry).collect() }
    };
    lists.iter().map(covered).collect()
}

fn entry<'b>(item: &'b Item, sight: &Sight<'b>) -> Entry<'b> {
    let depth = sight.values().map(|shown| shown.depth).max();
    let all: BTreeSet<&str> = sight.keys().copied().collect();
    let adds = |platform: &&&str| !fallbacks(platform).iter().any(|other| all.contains(&**other));
    let on: Vec<&str> = sight.keys().filter(adds).copied().collect();
    // `linux` before `linux-6.1`, and both before what stands in for a kernel.
    let first = ["linux", "glibc"]
        .iter()
        .chain(&on)
        .find_map(|platform| sight.get(platform).filter(|shown| Some(shown.depth) == depth));
    let shown = first.or_else(|| sight.values().find(|shown| Some(shown.depth) == depth));
    let state = match (depth, &item.reason) {
        (Some(_), _) => State::Seen,
        (None, Some(_)) => State::Excused,
        (None, None) if item.elsewhere => State::Elsewhere,
        (None, None) => State::Missing,
    };
    Entry { item, state, depth, on, case: shown.map(|shown| shown.case.0) }
}

/// What of the lists is not so: a reason for what a case shows, an effect that its case does not show, one of
/// no option, and words that are in the outcome without the option, too.
pub fn faults(covered: &[Covered<'_>], effects: &[Effect], baselines: &Baselines) -> Vec<String> {
    let mut faults = Vec::new();
    for entry in covered.iter().flat_map(|covered| &covered.entries) {
        if let (Some(case), Some(reason)) = (entry.case, &entry.item.reason) {
            let name = &entry.item.name;
            faults.push(format!("{name}: {case} shows it, so that the reason must go: {reason}"));
        }
    }
    let options = covered.iter().filter(|covered| covered.list.kind == Kind::Options);
    let names: BTreeSet<&str> =
        options.flat_map(|options| &options.entries).flat_map(|e| e.item.names()).collect();
    for effect in effects {
        let Effect { option, case, words, unlike } = effect;
        if !names.contains(option.as_str()) {
            faults.push(format!("effects.txt: {option} is in no list"));
        }
        let shows = |(_, outcome): &(&str, &str)| evidence::shows(outcome, effect);
        let mut shown = baselines.of_case(case).filter(shows).peekable();
        let is_unlike =
            |(on, outcome): (&str, &str)| evidence::is_unlike(baselines, on, outcome, effect);
        if shown.peek().is_none() {
            faults.push(format!("effects.txt: {case} does not show {words:?} with {option}"));
        } else if !shown.any(is_unlike) {
            let said = "as well, or sets the option so, or is no case";
            faults.push(format!("effects.txt: {unlike} shows {words:?} {said}"));
        }
    }
    faults
}
