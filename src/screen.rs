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
    out::paragraph(format_args!(""), 0, 4, &line);
    let next = next(answers, ended.folder);
    out::items(format_args!("{} ", "next:".bold()), 6, 6, &next);
}

/// The cases that have to be looked at: what changed first, then what is new, what failed last.
fn unexpected<'a, 'c>(answers: &'a [Answer<'c>]) -> Vec<&'a Answer<'c>> {
    let mut found: Vec<_> = answers.iter().filter(|a| a.judgement.is_unexpected()).collect();
    found.sort_by_key(|answer| match answer.judgement.verdict {
        Verdict::Changed => 0,
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
pub(crate) fn reasons<'a>(answers: &'a [Answer<'_>]) -> Vec<(&'a str, usize, &'a str)> {
    let mut reasons: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for answer in answers {
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
    let reasons = reasons(answers);
    let word = "known".style(run::style(Verdict::Deviates));
    if reasons.is_empty() {
        return;
    }
    if !unfolded {
        let has = |a: &&Answer<'_>| a.judgement.findings.iter().any(|(_, known)| known.is_some());
        let cases = summary::count(answers.iter().filter(has).count());
        let reasons = match reasons.len() {
            1 => "one reason".to_owned(),
            n => format!("{n} reasons"),
        };
        let text = format!("{cases}, for {reasons} that somebody wrote down: `--known` tells each");
        out::paragraph(format_args!("{word} "), 6, 6, &text);
        return;
    }
    for (reason, count, id) in reasons {
        let text = format!("{}: {reason}", summary::count(count));
        out::paragraph(format_args!("{word} "), 6, 6, &text);
        outln!("      sockeye show '{id}'");
    }
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
        note("skipped", &format!("{count}: {reason}; `sockeye doctor` says what mends it"));
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
        let why = "cases taken again, since a timer of the kernel's came between";
        note("timer", &format!("{why}: {disturbed}"));
    }
}

/// A row for each suite, or each table, a column for each verdict that there is, and one for what is
/// no result.
fn table(answers: &[Answer<'_>], by_table: bool) {
    let mut rows: Vec<(&str, BTreeMap<Counted, usize>)> = Vec::new();
    for answer in answers {
        let name = if by_table { answer.case.table() } else { answer.case.suite() };
        if rows.last().is_none_or(|(last, _)| *last != name) {
            rows.push((name, BTreeMap::new()));
        }
        if let Some((_, counts)) = rows.last_mut() {
            *counts.entry(Counted::of(answer)).or_default() += 1;
        }
    }
    let wide = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max(5);
    let used: Vec<Counted> = Counted::all()
        .filter(|verdict| rows.iter().any(|(_, counts)| counts.contains_key(verdict)))
        .collect();
    let heads: Vec<String> = used.iter().map(|v| format!("{:>10}", v.word())).collect();
    let what = if by_table { "table" } else { "suite" };
    outln!("{what:wide$}{}", heads.concat());
    for (name, counts) in &rows {
        let cells = used.iter().map(|v| (counts.get(v).copied(), v.colour()));
        outln!("{name:wide$}{}", Cells(cells.collect()));
    }
}

/// What can be done next, as commands that can be pasted.
fn next(answers: &[Answer<'_>], folder: &Path) -> Vec<String> {
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
        steps.push(format!("sockeye show '{}'", answer.case.id));
    }
    if let Some(answer) = found.first() {
        steps.push(format!("sockeye bundle '{}'", answer.case.id));
    }
    steps.push("sockeye help".to_owned());
    steps.push(format!("results in {}", folder.display()));
    steps
}
