//! Since which build: what other runs of the same system bound.

use harness::verdict::Verdict;

/// What another kernel did in the case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// `sysname`.
    pub system: String,
    /// `release`.
    pub release: String,
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

/// The numbers of a release, in the order in which they count.
fn numbers(release: &str) -> Vec<u64> {
    let parts = release.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    parts.take(3).filter_map(|part| part.parse().ok()).collect()
}

/// Where `this` came in, if an older kernel of the same system did otherwise and none that is older
/// still did the same.
pub(super) fn since<'a>(this: &'a Elsewhere, others: &'a [Elsewhere]) -> Option<Since<'a>> {
    let age = |e: &Elsewhere| numbers(&e.release);
    let mut older: Vec<&Elsewhere> = others
        .iter()
        .filter(|e| e.system == this.system && age(e) <= age(this) && e.release != this.release)
        .collect();
    older.sort_by_key(|e| age(e));
    let same = |e: &&Elsewhere| e.outcome == this.outcome;
    let at = older.iter().rposition(|e| !same(e))?;
    if older[..at].iter().any(same) {
        return None;
    }
    Some(Since { before: older[at], first: older.get(at + 1).copied().unwrap_or(this) })
}

/// The sentence: `worked in A, fails in B`.
pub(super) fn sentence(since: Since<'_>) -> String {
    let Since { before, first } = since;
    let bad = |e: &Elsewhere| matches!(e.verdict, Verdict::Deviates | Verdict::Changed);
    if before.verdict == Verdict::Ok && bad(first) {
        format!("Worked in {}, fails in {}.", before.name, first.name)
    } else {
        format!("{} did otherwise, {} does this.", before.name, first.name)
    }
}

/// The version of a Linux release as git tags it: `v6.18.44`.
pub(super) fn tag(release: &str) -> String {
    let numbers: Vec<String> =
        numbers(release.split('-').next().unwrap_or(release)).iter().map(u64::to_string).collect();
    format!("v{}", numbers.join("."))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn run(release: &str, outcome: &str) -> Elsewhere {
        let verdict = if outcome == "good" { Verdict::Ok } else { Verdict::Deviates };
        Elsewhere {
            system: "Linux".into(),
            release: release.into(),
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
    #[case(&[], None)]
    fn a_range_is_bounded_by_runs_alone(
        #[case] others: &[(&str, &str)],
        #[case] says: Option<&str>,
    ) {
        let this = run("6.18.4", "bad");
        let others: Vec<Elsewhere> = others.iter().map(|(r, o)| run(r, o)).collect();
        assert_eq!(since(&this, &others).map(sentence).as_deref(), says);
    }

    #[test]
    fn tags_are_those_of_git() {
        assert_eq!(tag("6.18.44-fc-v669"), "v6.18.44");
        assert_eq!(tag("6.1.0-28-amd64"), "v6.1.0");
    }
}
