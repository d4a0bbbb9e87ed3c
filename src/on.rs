//! `sockeye run --on`: the same cases on many kernels.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use harness::case::Case;
use harness::subject::{self, Kernels};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use owo_colors::OwoColorize as _;
use suites::verdict::Verdict;

use crate::cli::{Format, Run};
use crate::results::{self, Answer};
use crate::run::Under;
use crate::subjects::{self, Wanted};
use crate::summary::{self, Counted};
use crate::{Status, interrupt, report, run};

/// What came of one kernel.
pub(crate) struct Ran<'c> {
    pub(crate) release: String,
    pub(crate) answers: Vec<Answer<'c>>,
    /// Known deviations of its platform that are not true any more.
    unseen: Vec<String>,
    took: Duration,
    boots: Vec<Duration>,
    losses: Vec<String>,
    /// What it did against the protocol.
    complaints: Vec<String>,
    pub(crate) folder: PathBuf,
}

/// Runs the cases on each kernel, as many side by side as there are processors.
pub(crate) fn on_each<'c>(
    args: &Run,
    cases: &[&'c Case],
    out: &Path,
) -> Result<Vec<(Wanted, Result<Ran<'c>>)>> {
    interrupt::tidy_up()?;
    let kernels = subjects::kernels();
    let wanted = subjects::wanted(&args.on.subjects, &kernels);
    let (bars, next, done) = (MultiProgress::new(), AtomicUsize::new(0), Mutex::new(Vec::new()));
    let wide = wanted.iter().map(|wanted| wanted.name.len()).max().unwrap_or(0);
    std::thread::scope(|scope| {
        for _ in 0..run::processors().min(wanted.len()) {
            scope.spawn(|| {
                while let Some(wanted) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let bar = bars.add(progress(&wanted.name, wide, cases.len()));
                    let ran = one(wanted, args, cases, out, &kernels, &bar);
                    bar.finish_and_clear();
                    let line = line(&wanted.name, wide, ran.as_ref());
                    bars.suspend(|| anstream::eprintln!("{line}"));
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((wanted.clone(), ran));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(ran, _)| wanted.iter().position(|wanted| wanted.name == ran.name));
    Ok(done)
}

fn progress(name: &str, wide: usize, cases: usize) -> ProgressBar {
    let bar = ProgressBar::new(cases as u64);
    let template = "{prefix} {bar:40} {pos}/{len} {msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(format!("{name:wide$}"));
    bar
}

/// What is said of a kernel when it is done.
fn line(name: &str, wide: usize, ran: Result<&Ran<'_>, &anyhow::Error>) -> String {
    match ran {
        Err(e) => format!("{name:wide$} {}", format!("did not run: {e:#}").red()),
        Ok(ran) => {
            let boots = match ran.boots[..] {
                [] => String::new(),
                [boot] => format!(", booted in {:.1} s", boot.as_secs_f64()),
                ref boots => {
                    let lost = ran.losses.join("; ");
                    format!(", booted {} times: {lost}", boots.len())
                }
            };
            format!(
                "{name:wide$} {} cases on {} in {:.1} s{boots}",
                ran.answers.len(),
                ran.release,
                ran.took.as_secs_f64()
            )
        }
    }
}

fn one<'c>(
    wanted: &Wanted,
    args: &Run,
    cases: &[&'c Case],
    out: &Path,
    kernels: &Kernels,
    bar: &ProgressBar,
) -> Result<Ran<'c>> {
    let start = Instant::now();
    let folder = out.join(subjects::folder_of(&wanted.name));
    bar.set_message("preparing");
    let source = wanted.source(&args.on, args.plant.as_deref(), &folder, kernels)?;
    bar.set_message("starting");
    let kernel = subject::fingerprint(source.executors())?;
    bar.set_message("");
    let (os, platforms) = (subjects::os_of(&kernel)?, wanted.platforms(&kernel));
    let jobs = wanted.jobs(run::jobs(args));
    let release = format!("{} {}", kernel.system, kernel.release);
    let under = Under { executors: source.executors(), os, kernel, platforms, jobs };
    let tick = || bar.inc(1);
    let (answers, _) = run::keep(&wanted.name, &under, cases, args.shuffle, &folder, &tick)?;
    let took = start.elapsed();
    let skipped = answers.iter().all(|answer| answer.judgement.verdict == Verdict::Skipped);
    if let Some(answer) = answers.first().filter(|_| skipped) {
        bail!("nothing ran: {}", answer.judgement.outcome.trim());
    }
    let unseen = run::unseen(&answers, &under.platforms[0]);
    let (boots, losses, complaints) = (source.boots(), source.losses(), source.complaints());
    Ok(Ran { release, answers, unseen, took, boots, losses, complaints, folder })
}

/// Runs, writes, and says how it went.
pub(crate) fn run(args: &Run, cases: &[&Case]) -> Result<Status> {
    let out = args.out.clone().unwrap_or_else(|| results::default_folder("on"));
    let all = on_each(args, cases, &out)?;
    for (wanted, ran) in &all {
        for untrue in ran.iter().flat_map(|ran| &ran.unseen) {
            let untrue = format!("{} {untrue}", "not seen any more:".red());
            anstream::eprintln!("{}: {untrue}", wanted.name);
        }
        for complaint in ran.iter().flat_map(|ran| &ran.complaints) {
            anstream::eprintln!("{}: {} {complaint}", wanted.name, "error:".red());
        }
    }
    if args.printed() == Some(Format::Json) {
        for (wanted, ran) in &all {
            let asked = ran.iter().flat_map(|ran| &ran.answers);
            let of_rank = asked.filter(|answer| summary::is_of(answer, args.rank));
            for Answer { case, trace, judgement } in of_rank {
                let line = results::json(&wanted.name, case, trace, judgement)?;
                anstream::println!("{}", String::from_utf8(line)?);
            }
        }
    } else if let Some(format) = args.printed() {
        let ran = all.iter().filter_map(|(_, ran)| Some(ran.as_ref().ok()?.folder.as_path()));
        anstream::print!(
            "{}",
            report::text(format, &report::of_rank(report::merged(ran)?, args.rank))?
        );
    } else {
        table(&all, args);
    }
    if all.iter().all(|(_, ran)| ran.is_err()) {
        bail!("nothing ran");
    }
    // As it is where a run has this host's kernel alone.
    let failed = |ran: &Ran<'_>| {
        let is_error = |a: &Answer<'_>| a.judgement.verdict == Verdict::Error;
        !ran.complaints.is_empty() || ran.answers.iter().any(is_error)
    };
    if all.iter().filter_map(|(_, ran)| ran.as_ref().ok()).any(failed) {
        return Ok(Status::Harness);
    }
    let bad = all.iter().any(|(wanted, ran)| match ran {
        Ok(ran) => {
            let has = |verdict| ran.answers.iter().any(|a| a.judgement.verdict == verdict);
            let strict = args.strict && (has(Verdict::Skipped) || has(Verdict::New));
            let unexpected = ran.answers.iter().any(|a| a.judgement.is_unexpected());
            strict || unexpected || !ran.unseen.is_empty()
        }
        Err(_) => wanted.by_name || args.strict,
    });
    Ok(if bad { Status::Unexpected } else { Status::Expected })
}

/// A row for each kernel, a column for each verdict that there is.
fn table(all: &[(Wanted, Result<Ran<'_>>)], args: &Run) {
    let ran = || all.iter().filter_map(|(wanted, ran)| Some((wanted, ran.as_ref().ok()?)));
    let count = |ran: &Ran<'_>| {
        let mut counts: BTreeMap<Counted, usize> = BTreeMap::new();
        for answer in &ran.answers {
            *counts.entry(Counted::of(answer)).or_default() += 1;
        }
        counts
    };
    let used: Vec<Counted> = Counted::all()
        .filter(|verdict| ran().any(|(_, ran)| count(ran).contains_key(verdict)))
        .collect();
    let wide = ran().map(|(wanted, _)| wanted.name.len()).max().unwrap_or(0).max(7);
    let heads: Vec<String> = used.iter().map(|verdict| format!("{:>10}", verdict.word())).collect();
    anstream::println!("\n{:wide$}{}  results", "subject", heads.concat());
    for (wanted, ran) in ran() {
        let counts = count(ran);
        let cells: Vec<String> = used
            .iter()
            .map(|verdict| match counts.get(verdict) {
                Some(n) => format!("{n:>10}").style(verdict.colour()).to_string(),
                None => format!("{:>10}", "."),
            })
            .collect();
        anstream::println!("{:wide$}{}  {}", wanted.name, cells.concat(), ran.folder.display());
    }
    for (wanted, ran) in ran() {
        let mut bad = ran.answers.iter().filter(|answer| answer.judgement.is_unexpected());
        let Some(first) = bad.next() else { continue };
        let verdict = first.judgement.verdict.style(run::style(first.judgement.verdict));
        let more = match bad.count() {
            0 => String::new(),
            n => format!(", and {n} more"),
        };
        anstream::println!("\n{}: {verdict} {}{more}", wanted.name, first.case.id);
    }
    for (wanted, ran) in ran() {
        for (rank, text) in summary::ranks(&ran.answers) {
            anstream::println!("\n{}: {} {text}", wanted.name, rank.style(summary::style(rank)));
        }
        if let Some(rank) = args.rank {
            summary::list(&ran.answers, rank);
        }
    }
    let not_here = ran().map(|(wanted, ran)| (summary::not_here(&ran.answers), &wanted.name));
    let not_here: Vec<_> = not_here.filter(|(count, _)| *count > 0).collect();
    if !not_here.is_empty() {
        let each: Vec<String> = not_here.iter().map(|(n, name)| format!("{n} on {name}")).collect();
        let what = "no result, since they end at a name that the system has not got:";
        anstream::println!("\n{what} {}", each.join(", "));
    }
    for (wanted, ran) in ran() {
        if let Some(paused) = run::paused(&ran.answers) {
            anstream::println!("\n{}: {paused}", wanted.name);
        }
    }
    anstream::println!("\n`sockeye diff` compares any two of these folders");
}
