//! Of which rows something is said: those whose parameters have these values.

/// What must hold of a row: all of these.
#[derive(Clone, Debug, Default)]
pub(super) struct Condition {
    pub(super) all: Vec<Term>,
    /// How many values were looked at for it: what the conditions of a table cost, in time and in memory.
    pub(super) weight: usize,
}

/// A parameter has one of these values, or none of them.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub(super) parameter: usize,
    /// Their numbers, in order.
    pub(super) values: Vec<usize>,
    pub(super) is_not: bool,
}

impl Condition {
    pub(super) fn holds(&self, row: &[usize]) -> bool {
        let has = |term: &Term| term.values.binary_search(&row[term.parameter]).is_ok();
        self.all.iter().all(|term| has(term) != term.is_not)
    }

    /// That both hold.
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.all.extend(other.all.iter().cloned());
        self.weight += other.weight;
        self
    }
}

/// Whether a word of a condition means a value: by its name, in which `*` at an end is anything.
pub(super) fn is_meant(word: &str, label: &str) -> bool {
    let (before, word) = word.strip_prefix('*').map_or((false, word), |word| (true, word));
    let (behind, word) = word.strip_suffix('*').map_or((false, word), |word| (true, word));
    match (before, behind) {
        (false, false) => label == word,
        (true, false) => label.ends_with(word),
        (false, true) => label.starts_with(word),
        (true, true) => label.contains(word),
    }
}
