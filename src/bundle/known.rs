//! What is known of a bug: from this kernel, asked now, or from runs.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use harness::case::{Case, Os};
use harness::exec::{KernelLog, environment};
use harness::subject;
use harness::trace::{End, Fingerprint};
use reports::bundle::{Elsewhere, build, controls, shown_like};
use reports::runs::{self, Line, Rule, Subject};

use super::pivot_of;
use crate::cli::Run;
use crate::results::{self, Answer};
use crate::{UsageError, run};
use cases::Own;

/// How many cases are asked, on the live kernel, to find out what a bug is not.
const CANDIDATES: usize = 24;

/// One kernel's part in a bug, and what others did.
pub(super) struct Known {
    /// The kernel.
    pub(super) subject: Subject,
    /// The rules that findings name.
    pub(super) rules: Vec<Rule>,
    /// Case by case.
    pub(super) seen: Vec<Seen>,
}

/// One case.
pub(super) struct Seen {
    pub(super) line: Line,
    pub(super) times: usize,
    pub(super) same: usize,
    pub(super) elsewhere: Vec<Elsewhere>,
    pub(super) controls: Vec<Line>,
}

/// The system that a kernel is of.
pub(super) fn system(kernel: &Fingerprint) -> Result<Os> {
    match kernel.system.as_str() {
        "Linux" => Ok(Os::Linux),
        "Darwin" => Ok(Os::Macos),
        other => bail!("there is no reproducer for {other}"),
    }
}

/// Asks this kernel, each case so many times.
pub(super) fn here(cases: &[Case], own: &Arc<Own>, times: usize) -> Result<Known> {
    let os = run::host()?;
    let kernel = subject::fingerprint(&run::native()?)?;
    let mut about = results::subject(run::NATIVE, &kernel, cases.len(), None);
    about.environment = Some(environment());
    let log = KernelLog::begin();
    let mut seen = Vec::new();
    for case in cases {
        let again = vec![case; times];
        let mut lines: Vec<Line> = Vec::new();
        for answer in run::answers(&again, own, &Run::default(), &kernel, &|_, _, _| ())? {
            lines.push(line(&answer)?);
        }
        let Some(first) = lines.first().cloned() else { bail!("{} gave no answer", case.id) };
        ran(&first)?;
        let same = lines.iter().filter(|line| line.outcome == first.outcome).count();
        seen.push(Seen { line: first, times, same, elsewhere: Vec::new(), controls: Vec::new() });
    }
    about.log = Some(log.end());
    let mut all: Vec<Case> = suites::tables().into_iter().flat_map(|table| table.cases).collect();
    all.extend(own.cases().cloned());
    for seen in &mut seen {
        let pivot = pivot_of(seen, os);
        let near = |case: &&Case| controls::nearness(&seen.line.case, pivot, case);
        let mut like: Vec<&Case> =
            all.iter().filter(|case| near(case).is_some() && !case.is_idle()).collect();
        like.sort_by_cached_key(|case| (near(case), controls::distance(&seen.line.case, case)));
        like.truncate(CANDIDATES);
        let answers = run::answers(&like, own, &Run::default(), &kernel, &|_, _, _| ())?;
        let lines: Vec<Line> = answers.iter().map(line).collect::<Result<_>>()?;
        seen.controls = chosen(seen, os, pivot, lines.iter());
    }
    let rules = results::manifest(about.clone(), &[]).rules;
    Ok(Known { subject: about, rules, seen })
}

fn line(answer: &Answer<'_>) -> Result<Line> {
    let Answer { case, trace, judgement } = answer;
    let line = results::json(run::NATIVE, case, trace, judgement)?;
    Ok(serde_json::from_slice(&line)?)
}

/// A case that did not run shows nothing.
fn ran(line: &Line) -> Result<()> {
    match &line.trace.end {
        End::Done | End::Unsupported | End::Hung => Ok(()),
        End::Skipped { reason } => {
            bail!("{} was skipped, there is nothing to show: {reason}", line.id)
        }
        End::Broken { reason } => bail!("{} did not run: {reason}", line.id),
        End::Died { how } => bail!("{} did not end: the executor {how}", line.id),
    }
}

/// Those that are as expected and came to something else; first the nearest, of these those that differ
/// least, and of these those that put something on the wire.
fn chosen<'l>(seen: &Seen, os: Os, pivot: u32, lines: impl Iterator<Item = &'l Line>) -> Vec<Line> {
    let (bug, part) = (&seen.line, super::part(seen, os));
    let silent = |line: &Line| !line.outcome.contains("\n    > ");
    let behaves = |line: &&Line| {
        let ok = line.verdict == harness::verdict::Verdict::Ok && line.findings.is_empty();
        ok && line.outcome != bug.outcome
    };
    let key = |line: &Line| {
        let near = controls::nearness(&bug.case, pivot, &line.case)?;
        // Of what is the same but for one thing, that with the smallest difference tells most.
        let apart = if near < 3 { controls::distance(&bug.case, &line.case) } else { 0 };
        Some((near, apart, silent(line)))
    };
    let mut found: Vec<((u8, usize, bool), &Line)> =
        lines.filter(behaves).filter_map(|line| Some((key(line)?, line))).collect();
    found.sort_by_key(|(key, _)| *key);
    // What did the same as another tells nothing new, nor what did the same as the bug.
    let mut told = vec![shown_like(&part, bug)];
    let mut chosen = Vec::new();
    for (_, line) in found {
        let shown = shown_like(&part, line);
        if chosen.len() < controls::MOST && !shown.is_empty() && !told.contains(&shown) {
            told.push(shown);
            chosen.push(line.clone());
        }
    }
    chosen
}

/// Reads runs: the bug is that of the first of them, in the order given.
pub(super) fn from_runs(cases: &[Case], folders: &[PathBuf]) -> Result<Known> {
    let mut all = Vec::new();
    for folder in folders {
        all.push(runs::read(folder).map_err(|e| UsageError(e.to_string()))?);
    }
    let (Some(first), Some(folder), Some(case)) = (all.first(), folders.first(), cases.first())
    else {
        bail!("no run was given");
    };
    let of = |run: &'_ runs::Run, name: &str| {
        run.manifest.subjects.iter().find(|s| s.name == name).cloned()
    };
    let shown = first.lines.iter().find(|line| line.id == case.id);
    let subject = shown.and_then(|line| of(first, &line.subject));
    let lacks = |id: &str| UsageError(format!("{} has no case {id:?}", folder.display()));
    let subject = subject.ok_or_else(|| lacks(&case.id))?;
    let os = system(&subject.kernel)?;
    let mut seen = Vec::new();
    for case in cases {
        let is = |line: &&Line| line.id == case.id && line.subject == subject.name;
        let line = first.lines.iter().find(is).ok_or_else(|| lacks(&case.id))?.clone();
        ran(&line)?;
        let mut one = Seen { line, times: 0, same: 0, elsewhere: Vec::new(), controls: Vec::new() };
        for run in &all {
            for line in run.lines.iter().filter(|line| line.id == case.id) {
                let about = of(run, &line.subject).with_context(|| {
                    format!("a line is of {:?}, which the run has not", line.subject)
                })?;
                add(&mut one, &subject, &about, line);
            }
        }
        let pivot = pivot_of(&one, os);
        let own = first.lines.iter().filter(|line| line.subject == subject.name);
        one.controls = chosen(&one, os, pivot, own);
        seen.push(one);
    }
    Ok(Known { subject, rules: first.manifest.rules.clone(), seen })
}

/// Counts a line of the same kernel, tells of one of another.
fn add(one: &mut Seen, subject: &Subject, about: &Subject, line: &Line) {
    if ran(line).is_err() {
        return;
    }
    let (ours, theirs) = (&subject.kernel, &about.kernel);
    if (&ours.system, &ours.release, &ours.version)
        == (&theirs.system, &theirs.release, &theirs.version)
    {
        one.times += 1;
        one.same += usize::from(line.outcome == one.line.outcome);
        return;
    }
    one.elsewhere.push(Elsewhere {
        kernel: theirs.clone(),
        name: build(theirs, about.environment.as_ref()),
        verdict: line.verdict,
        outcome: line.outcome.trim_end().to_owned(),
    });
}
