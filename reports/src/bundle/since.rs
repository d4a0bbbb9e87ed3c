//! Since which build: what other runs of the same system bound.

use harness::trace::{Fingerprint, SourceVersion};
use harness::verdict::Verdict;

/// What another kernel did in the case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// Which it is.
    pub kernel: Fingerprint,
    /// As people call it: `Linux 6.1.0` or `macOS 15.3 (24D70)`.
    pub name: String,
    /// What it came to there.
    pub verdict: Verdict,
    /// The outcome's text.
    pub outcome: String,
}

/// Between which two builds something changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Since<'a> {
    /// The newest that did otherwise.
    pub(super) before: &'a Elsewhere,
    /// The oldest that did the same, and all behind it.
    pub(super) first: &'a Elsewhere,
}

/// Whether it can be told which of two versions came first.
fn comparable(a: &SourceVersion, b: &SourceVersion) -> bool {
    let series = |of: &SourceVersion| of.numbers.iter().take(2).copied().collect::<Vec<_>>();
    a == b || a.exact && b.exact || series(a) != series(b)
}

/// Where `this` came in, if an older kernel of the same system did otherwise and none that is older
/// still did the same.
pub(super) fn since<'a>(this: &'a Elsewhere, others: &'a [Elsewhere]) -> Option<Since<'a>> {
    let version = |e: &Elsewhere| e.kernel.source_version();
    let (now, of_it) = (version(this), &this.kernel);
    let mut older: Vec<&Elsewhere> = others
        .iter()
        .filter(|e| e.kernel.system == of_it.system && e.kernel.release != of_it.release)
        .filter(|e| comparable(&version(e), &now) && version(e).numbers <= now.numbers)
        .collect();
    older.sort_by_cached_key(|e| version(e).numbers);
    if !older.windows(2).all(|pair| comparable(&version(pair[0]), &version(pair[1]))) {
        return None;
    }
    let same = |e: &&Elsewhere| e.outcome == this.outcome;
    let at = older.iter().rposition(|e| !same(e))?;
    if older[..at].iter().any(same) {
        return None;
    }
    Some(Since { before: older[at], first: older.get(at + 1).copied().unwrap_or(this) })
}

impl Since<'_> {
    /// Whether the older was as it should be, and the newer is not.
    pub(super) fn is_regression(&self) -> bool {
        let bad = matches!(
            self.first.verdict,
            Verdict::Deviates | Verdict::Changed | Verdict::Unexpected
        );
        self.before.verdict == Verdict::Ok && bad
    }
}

/// The sentence: `worked in A, fails in B`.
pub(super) fn sentence(since: Since<'_>) -> String {
    let Since { before, first } = since;
    if since.is_regression() {
        format!("Worked in {}, fails in {}.", before.name, first.name)
    } else {
        format!("{} did otherwise, {} does this.", before.name, first.name)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn run(release: &str, outcome: &str) -> Elsewhere {
        let verdict = if outcome == "good" { Verdict::Ok } else { Verdict::Deviates };
        Elsewhere {
            kernel: Fingerprint {
                system: "Linux".into(),
                release: release.into(),
                ..Fingerprint::default()
            },
            name: format!("Linux {release}"),
            verdict,
            outcome: outcome.into(),
        }
    }

    #[rstest]
    #[case(&[("6.1.0", "good")], Some("Worked in Linux 6.1.0, fails in Linux 6.18.4."))]
    #[case(&[("6.9", "bad"), ("6.1", "good")], Some("Worked in Linux 6.1, fails in Linux 6.9."))]
    // Numbers count, not letters.
    #[case(&[("6.2", "good"), ("6.10", "bad")], Some("Worked in Linux 6.2, fails in Linux 6.10."))]
    #[case(&[("6.1", "bad")], None)]
    #[case(&[("7.3", "good")], None)]
    // It came, went and came again: no range is bounded.
    #[case(&[("5.10", "bad"), ("6.1", "good")], None)]
    // Which of the two is older cannot be told.
    #[case(&[("6.8.0-45-generic", "good"), ("6.8.12", "bad")], None)]
    #[case(&[("6.18.0-45-generic", "good")], None)]
    #[case(&[], None)]
    fn a_range_is_bounded_by_runs_alone(
        #[case] others: &[(&str, &str)],
        #[case] says: Option<&str>,
    ) {
        let this = run("6.18.4", "bad");
        let others: Vec<Elsewhere> = others.iter().map(|(r, o)| run(r, o)).collect();
        assert_eq!(since(&this, &others).map(sentence).as_deref(), says);
    }
}
