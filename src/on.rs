//! `sockeye run --on`: the same cases on many kernels.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use harness::case::Case;
use harness::subject::{self, Kernels};
use harness::threads::{lock, unlocked};
use suites::verdict::Verdict;

use crate::cli::{Format, Run};
use crate::out::{Bar, Bars, Cells, Paint as _};
use crate::results::{Answer, Out};
use crate::run::{Told, Under};
use crate::subjects::{self, Wanted};
use crate::summary::{self, Counted};
use crate::{Status, interrupt, out, place, report, run};
use cases::Own;

/// The widest that a column of names gets.
const WIDEST: usize = 60;

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
    told: Told,
}

/// Runs the cases on each kernel, as many side by side as there are processors.
pub(crate) fn on_each<'c>(
    args: &Run,
    cases: &[&'c Case],
    own: &Arc<Own>,
    out: &Out,
) -> Result<Vec<(Wanted, Result<Ran<'c>>)>> {
    interrupt::tidy_up()?;
    // As long as this is open, nobody else takes this folder by default.
    let (out, _lock) = place::shared(&out.folder, out.may_differ)?;
    let kernels = subjects::kernels();
    let wanted = subjects::wanted(&args.on.subjects, &kernels);
    let folders = folders(&wanted);
    let (bars, next, done) = (Bars::default(), AtomicUsize::new(0), Mutex::new(Vec::new()));
    let wide = wanted.iter().map(|wanted| wanted.name.len()).max().unwrap_or(0).min(WIDEST);
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(wanted) = wanted.get(number) else { break };
            let out = out.join(&folders[number]);
            let bar = bars.add(&format!("{:wide$} ", wanted.name), cases.len());
            let ran = one(wanted, args, (cases, own), out, &kernels, &bar);
            bar.end();
            bars.suspend(|| say(&wanted.name, wide, ran.as_ref()));
            lock(&done).push((wanted.clone(), ran));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..run::processors().min(wanted.len()) {
            // Where no thread can be started there are those that there are, this one among them.
            let _ = std::thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
    let mut done = unlocked(done);
    done.sort_by_key(|(ran, _)| wanted.iter().position(|wanted| wanted.name == ran.name));
    Ok(done)
}

/// The folder of each subject's results: what folds to one name has a number behind it, also where a
/// file system does not tell capitals apart.
fn folders(wanted: &[Wanted]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let fresh = |wanted: &Wanted| {
        let name = subjects::folder_of(&wanted.name);
        let numbered = (1..).map(|n| if n == 1 { name.clone() } else { format!("{name}-{n}") });
        numbered.into_iter().find(|name| taken.insert(name.to_lowercase())).unwrap_or_default()
    };
    wanted.iter().map(fresh).collect()
}

/// Says of a kernel that it is done.
fn say(name: &str, wide: usize, ran: Result<&Ran<'_>, &anyhow::Error>) {
    match ran {
        Err(e) => errln!("{name:wide$} {}", format!("did not run: {e:#}").red()),
        Ok(ran) => {
            let boots = match ran.boots[..] {
                [] => String::new(),
                [boot] => format!(", booted in {:.1} s", boot.as_secs_f64()),
                ref boots => {
                    let lost = ran.losses.join("; ");
                    format!(", booted {} times: {lost}", boots.len())
                }
            };
            errln!(
                "{name:wide$} {} cases on {} in {:.1} s{boots}",
                ran.answers.len(),
                ran.release,
                ran.took.as_secs_f64()
            );
        }
    }
}

fn one<'c>(
    wanted: &Wanted,
    args: &Run,
    (cases, own): (&[&'c Case], &Arc<Own>),
    folder: PathBuf,
    kernels: &Kernels,
    bar: &Bar,
) -> Result<Ran<'c>> {
    let start = Instant::now();
    bar.say("preparing");
    // Before anything is written beside it, and before a kernel boots for nothing.
    let place = Out { folder, may_differ: false }.claim()?;
    let ready = || -> Result<_> {
        let source = wanted.source(&args.on, args.plant.as_deref(), &place, kernels)?;
        bar.say("starting");
        let kernel = subject::fingerprint(source.executors())?;
        let os = subjects::os_of(&kernel)?;
        Ok((source, kernel, os))
    };
    let (source, kernel, os) = ready().inspect_err(|_| place.abandon())?;
    bar.say("");
    let platforms = wanted.platforms(&kernel);
    let jobs = wanted.jobs(run::jobs(args));
    let release = format!("{} {}", kernel.system, kernel.release);
    let (executors, own) = (source.executors(), own.clone());
    let under = Under { executors, os, kernel, platforms, jobs, own };
    let tick = || bar.tick();
    let kept = run::keep(&wanted.name, &under, cases, args.shuffle, place, &tick)?;
    let (answers, folder, told) = (kept.answers, kept.folder, kept.told);
    let took = start.elapsed();
    let skipped = answers.iter().all(|answer| answer.judgement.verdict == Verdict::Skipped);
    if let Some(answer) = answers.first().filter(|_| skipped) {
        bail!("nothing ran: {}", answer.judgement.outcome.trim());
    }
    let unseen = run::unseen(&answers, &under.platforms[0]);
    let (boots, losses, complaints) = (source.boots(), source.losses(), source.complaints());
    Ok(Ran { release, answers, unseen, took, boots, losses, complaints, folder, told })
}

/// Runs, writes, and says how it went.
pub(crate) fn run(args: &Run, cases: &[&Case], own: &Arc<Own>) -> Result<Status> {
    let out = Out::of(args.out.as_deref(), "on");
    let all = on_each(args, cases, own, &out)?;
    for (wanted, ran) in &all {
        for untrue in ran.iter().flat_map(|ran| &ran.unseen) {
            errln!("{}: {} {untrue}", wanted.name, "not seen any more:".red());
        }
        for complaint in ran.iter().flat_map(|ran| &ran.complaints) {
            errln!("{}: {} {complaint}", wanted.name, "error:".red());
        }
    }
    if args.printed() == Some(Format::Json) {
        for ran in all.iter().filter_map(|(_, ran)| ran.as_ref().ok()) {
            let of_rank = ran.answers.iter().filter(|answer| summary::is_of(answer, args.rank));
            for answer in of_rank {
                out::json_line(&String::from_utf8(ran.told.line(answer)?)?);
            }
        }
    } else if let Some(format) = args.printed() {
        let ran = all.iter().filter_map(|(_, ran)| Some(ran.as_ref().ok()?.folder.as_path()));
        let run = report::of_rank(report::merged(ran)?, args.rank);
        out::text(&report::export(format, &run)?);
    } else {
        table(&all, args);
    }
    if all.iter().all(|(_, ran)| ran.is_err()) {
        bail!("nothing ran");
    }
    // As it is where a run has this host's kernel alone.
    let came_to = |(wanted, ran): &(Wanted, Result<Ran<'_>>)| match ran {
        Ok(ran) if !ran.complaints.is_empty() => Status::Harness,
        Ok(ran) => run::came_to(&ran.answers, !ran.unseen.is_empty(), args.strict),
        Err(_) if wanted.by_name || args.strict => Status::Unexpected,
        Err(_) => Status::Expected,
    };
    let all: Vec<Status> = all.iter().map(came_to).collect();
    let worst = [Status::Harness, Status::Unexpected].into_iter().find(|s| all.contains(s));
    Ok(worst.unwrap_or(Status::Expected))
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
    let wide = ran().map(|(wanted, _)| wanted.name.len()).max().unwrap_or(0).clamp(7, WIDEST);
    let heads: Vec<String> = used.iter().map(|verdict| format!("{:>11}", verdict.word())).collect();
    out::blank();
    outln!("{:wide$}{}  results", "subject", heads.concat());
    for (wanted, ran) in ran() {
        let counts = count(ran);
        let cells = used.iter().map(|verdict| (counts.get(verdict).copied(), verdict.colour()));
        let cells = Cells(cells.collect());
        outln!("{:wide$}{cells}  {}", wanted.name, ran.folder.display());
    }
    for (wanted, ran) in ran() {
        let mut bad = ran.answers.iter().filter(|answer| answer.judgement.is_unexpected());
        let Some(first) = bad.next() else { continue };
        let verdict = first.judgement.verdict;
        let verdict = verdict.style(run::style(verdict));
        let more = match bad.count() {
            0 => String::new(),
            n => format!(", and {n} more"),
        };
        out::blank();
        outln!("{}: {verdict} {}{more}", wanted.name, first.case.id);
        if !first.judgement.unexpected.is_empty() {
            run::explain(first);
        }
    }
    for (wanted, ran) in ran() {
        for (rank, text) in summary::ranks(&ran.answers) {
            out::blank();
            outln!("{}: {} {text}", wanted.name, rank.style(summary::style(rank)));
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
        out::blank();
        outln!("{what} {}", each.join(", "));
    }
    for (wanted, ran) in ran() {
        if let Some(paused) = run::paused(&ran.answers) {
            out::blank();
            outln!("{}: {paused}", wanted.name);
        }
    }
    out::blank();
    outln!("`sockeye diff` compares any two of these folders");
}
