//! What one sees at the end of a run: what has to be looked at, what is known, statistics, and last of
//! all the one line that matters and what can be done next.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use harness::trace::{End, Fingerprint};
use suites::verdict::{Rank, Verdict};

use crate::cli::Run;
use crate::out::{self, Cells, Paint as _};
use crate::results::Answer;
use crate::summary::{self, Counted};
use crate::{local_network, run};
use cases::Own;

/// How many cases that have to be looked at are told one by one. A platform that nobody has run may
/// have thousands, and they are all in the results.
const MOST: usize = 40;

/// A run that has ended.
pub(crate) struct Ended<'e, 'c> {
    /// What came of each case.
    pub(crate) answers: &'e [Answer<'c>],
    /// Who was asked.
    pub(crate) kernel: &'e Fingerprint,
    /// By whose baselines it was judged.
    pub(crate) platform: &'e str,
    /// How long it took.
    pub(crate) took: Duration,
    /// Where the results are.
    pub(crate) folder: &'e Path,
    /// How many known deviations were not seen any more, each of which was told.
    pub(crate) unseen: usize,
    /// Which cases are the user's own.
    pub(crate) own: &'e Own,
}

/// Says how it went.
pub(crate) fn show(ended: &Ended<'_, '_>, args: &Run) {
    let answers = ended.answers;
    findings(answers);
    if let Some(rank) = args.rank {
        summary::list(answers, rank);
    }
    known(answers, args.known);
    notes(answers, ended.kernel);
    if answers.len() > 1 {
        out::blank();
        table(answers, args.tables);
        out::blank();
    }
    if let Some(ranks) = summary::ranks_in_short(answers) {
        out::paragraph(format_args!("{} ", "ranks".bold()), 6, 6, &ranks);
    }
    let line = summary::line(answers, ended.platform, ended.took);
    let line = line + &unseen(ended.unseen);
    out::paragraph(format_args!(""), 0, 4, &line);
    let next = next(answers, ended.own, ended.folder);
    out::items(format_args!("{} ", "next:".bold()), 6, 6, &next);
}

/// What the line that matters says of known deviations that were not seen any more: by them a run in which
/// all cases are as expected ends with 1.
fn unseen(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => " · 1 known deviation was not seen any more".to_owned(),
        n => format!(" · {n} known deviations were not seen any more"),
    }
}

/// The cases that have to be looked at: what changed or is not as it was written first, then what is new, what failed last.
fn unexpected<'a, 'c>(answers: &'a [Answer<'c>]) -> Vec<&'a Answer<'c>> {
    let mut found: Vec<_> = answers.iter().filter(|a| a.judgement.is_unexpected()).collect();
    found.sort_by_key(|answer| match answer.judgement.verdict {
        Verdict::Changed | Verdict::Unexpected => 0,
        Verdict::Error => 2,
        _ => 1,
    });
    found
}

fn findings(answers: &[Answer<'_>]) {
    let found = unexpected(answers);
    for answer in found.iter().take(MOST) {
        let verdict = answer.judgement.verdict;
        outln!("{} {}", verdict.style(run::style(verdict)), answer.case.id);
        run::explain(answer);
    }
    if let Some(more @ 1..) = found.len().checked_sub(MOST) {
        outln!("and {more} more, all of them in the results");
    }
}

/// Why cases are known to deviate: a reason, how many cases have it, and the first of them.
fn reasons<'a>(answers: &'a [Answer<'_>]) -> Vec<(&'a str, usize, &'a str)> {
    let mut reasons: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for answer in answers.iter().filter(|answer| summary::is_known(answer)) {
        let deviations = answer.judgement.findings.iter().filter_map(|(_, known)| *known);
        let mut of_it: Vec<&str> = deviations.map(|known| known.reason.as_str()).collect();
        of_it.sort_unstable();
        of_it.dedup();
        for reason in of_it {
            reasons.entry(reason).or_insert((0, &answer.case.id)).0 += 1;
        }
    }
    let mut reasons: Vec<_> =
        reasons.into_iter().map(|(reason, (count, id))| (reason, count, id)).collect();
    reasons.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
    reasons
}

/// What is known, folded into a line unless it is asked for.
fn known(answers: &[Answer<'_>], unfolded: bool) {
    let word = "known".style(run::style(Verdict::Deviates));
    if !unfolded {
        if let Some(text) = known_in_short(answers) {
            out::paragraph(format_args!("{word} "), 6, 6, &text);
        }
        return;
    }
    for (reason, count, id) in reasons(answers) {
        let text = format!("{}: {reason}", summary::count(count));
        out::paragraph(format_args!("{word} "), 6, 6, &text);
        outln!("      sockeye show '{id}'");
    }
}

/// How many cases are known to deviate, as the line that matters counts them.
fn known_in_short(answers: &[Answer<'_>]) -> Option<String> {
    let cases = answers.iter().filter(|answer| summary::is_known(answer)).count();
    let reasons = match reasons(answers).len() {
        0 => return None,
        1 => "one reason".to_owned(),
        n => format!("{n} reasons"),
    };
    let cases = summary::count(cases);
    Some(format!("{cases}, for {reasons} that somebody wrote down: `--known` tells each"))
}

/// What may be no kernel's doing.
fn notes(answers: &[Answer<'_>], kernel: &Fingerprint) {
    let note = |word: &str, text: &str| {
        out::paragraph(format_args!("{} ", word.bold()), word.len() + 1, 4, text);
    };
    let mut skipped: BTreeMap<&str, usize> = BTreeMap::new();
    for answer in answers {
        if let End::Skipped { reason } = &answer.trace.end {
            *skipped.entry(reason).or_default() += 1;
        }
    }
    for (reason, count) in skipped {
        let count = summary::count(count);
        note(
            "skipped",
            &format!("{count}: {reason}; `sockeye doctor` says what this system lacks"),
        );
    }
    let may = |a: &&Answer<'_>| local_network::may_be_refused(a.case, &a.trace, kernel);
    let refused = answers.iter().filter(may).count();
    if refused > 0 {
        note("refused?", &format!("{}: {}", summary::count(refused), local_network::HINT));
    }
    if let Some(paused) = run::paused(answers) {
        note("paused", &paused);
    }
    let disturbed = answers.iter().filter(|answer| !answer.trace.disturbed.is_empty()).count();
    if disturbed > 0 {
        let why = "cases taken again, since a timer of the kernel's or chance came between";
        note("chance", &format!("{why}: {disturbed}"));
    }
}

/// A row for each suite, or each table, a column for each verdict that there is, and one for what is
/// no result.
fn table(answers: &[Answer<'_>], by_table: bool) {
    let mut rows: Vec<(&str, BTreeMap<Counted, usize>)> = Vec::new();
    for answer in answers {
        let name = if by_table { answer.case.table() } else { answer.case.suite() };
        // Some tables of a suite stand behind those of another.
        let at = rows.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            rows.push((name, BTreeMap::new()));
            rows.len() - 1
        });
        *rows[at].1.entry(Counted::of(answer)).or_default() += 1;
    }
    let wide = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max(5);
    let used: Vec<Counted> = Counted::all()
        .filter(|verdict| rows.iter().any(|(_, counts)| counts.contains_key(verdict)))
        .collect();
    let heads: Vec<String> = used.iter().map(|v| format!("{:>11}", v.word())).collect();
    let what = if by_table { "table" } else { "suite" };
    outln!("{what:wide$}{}", heads.concat());
    for (name, counts) in &rows {
        let cells = used.iter().map(|v| (counts.get(v).copied(), v.colour()));
        outln!("{name:wide$}{}", Cells(cells.collect()));
    }
}

/// What can be done next, as commands that can be pasted.
fn next(answers: &[Answer<'_>], own: &Own, folder: &Path) -> Vec<String> {
    let deviates = |a: &&Answer<'_>| a.judgement.verdict == Verdict::Deviates;
    // The heaviest of what is known, if there is nothing else.
    let rank = |a: &&Answer<'_>| {
        a.judgement.findings.first().map_or(Rank::Undocumented, |(f, _)| f.rank())
    };
    let found = unexpected(answers);
    let known = answers.iter().filter(deviates).min_by_key(rank);
    let shown = found.first().copied().or(known).or(answers.first());
    let mut steps: Vec<String> = Vec::new();
    if let Some(answer) = shown {
        steps.push(format!("sockeye show '{}'", own.word(&answer.case.id)));
    }
    if let Some(answer) = found.first() {
        steps.push(format!("sockeye bundle '{}'", own.word(&answer.case.id)));
    }
    steps.push("sockeye help".to_owned());
    steps.push(format!("results in {}", folder.display()));
    steps
}

#[cfg(test)]
mod tests {
    use harness::case::{Case, Lab};
    use harness::trace::Trace;
    use suites::deviation;
    use suites::rules::Finding;
    use suites::verdict::Judgement;

    use super::*;

    /// A changed case may break a rule of which it is known, and counts as changed alone.
    #[test]
    fn the_known_are_as_many_as_the_last_line_says() {
        let deviation = &deviation::known()[0];
        let case = Case::new("s/t".to_owned(), String::new(), Lab::loopback(), Vec::new());
        let answer = |verdict, known: &[bool]| {
            let finding = |known: &bool| {
                let (rule, text) = ("no-silent-loss", String::new());
                let finding = Finding { rule, rank: Rank::Surprises, op: 0, text };
                (finding, known.then_some(deviation))
            };
            let findings = known.iter().map(finding).collect();
            let (outcome, expected, remarks) = (String::new(), None, Vec::new());
            let judgement =
                Judgement { verdict, outcome, expected, findings, remarks, unexpected: Vec::new() };
            let trace = Trace::new(&case.id, Vec::new(), Vec::new(), End::Done);
            Answer { case: &case, trace, judgement }
        };
        let answers = [
            answer(Verdict::Deviates, &[true]),
            answer(Verdict::Deviates, &[true, true]),
            answer(Verdict::Deviates, &[true, false]),
            answer(Verdict::Changed, &[true]),
            answer(Verdict::Ok, &[]),
        ];
        let said = known_in_short(&answers).unwrap();
        assert!(said.starts_with("2 cases, for one reason "), "{said}");
        let line = summary::line(&answers, "linux-6.18", Duration::ZERO);
        assert!(line.contains("3 deviate (2 known, 1 new), 1 changed"), "{line}");
        let told: Vec<usize> = reasons(&answers).iter().map(|(_, count, _)| *count).collect();
        assert_eq!(told, [2]);
        // A changed one alone is none.
        assert_eq!(known_in_short(&answers[3..]), None);
    }

    #[test]
    fn what_is_not_seen_any_more_is_counted() {
        let said = [0, 1, 2].map(unseen);
        assert!(said[0].is_empty() && said[1].contains("1 known deviation was"), "{said:?}");
        assert!(said[2].contains("2 known deviations were"), "{said:?}");
    }
}
