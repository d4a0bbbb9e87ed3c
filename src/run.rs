//! `sockeye run`: every case on this kernel, judged.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use anyhow::{Context as _, Result, bail};
use harness::case::{Case, Os};
use harness::exec::{KernelLog, Plant};
use harness::outcome;
use harness::subject::{self, Executors, Subject};
use harness::threads::{lock, unlocked};
use harness::trace::{End, Fingerprint, Trace};
use reports::bundle::Scrub;
use suites::baseline::Baselines;
use suites::deviation::{self, Broke};
use suites::verdict::{Judgement, Verdict, judge};

use crate::cli::{Format, Run};
use crate::out::{Bars, Paint as _};
use crate::place::Place;
use crate::results::{self, Answer, Out, Writer};
use crate::screen::{self, Ended};
use crate::{Status, UsageError, interrupt, on, out, report, select, summary, update, watch};
use cases::Own;

pub(crate) use reports::runs::NATIVE;

/// This very program as the executor.
pub(crate) fn native() -> Result<Subject> {
    let program = std::env::current_exe().context("this program cannot find itself")?;
    interrupt::guard()?;
    Ok(Subject { program, args: vec!["exec".into()] })
}

/// The executor that a run asks, with the fault that shall be planted in it.
fn executor(args: &Run) -> Result<Subject> {
    let mut subject = native()?;
    if let Some(plant) = &args.plant {
        let _: Plant = plant.parse().map_err(UsageError)?;
        subject.args.extend(["--plant".into(), plant.into()]);
    }
    Ok(subject)
}

/// The system that this program runs on.
pub(crate) fn host() -> Result<Os> {
    Os::host().with_context(|| format!("sockeye knows no {}", std::env::consts::OS))
}

/// A kernel that cases run on, and by what they are judged.
pub(crate) struct Under<'s> {
    /// Where its executors come from.
    pub(crate) executors: &'s dyn Executors,
    /// Which system it is.
    pub(crate) os: Os,
    /// Who it says that it is.
    pub(crate) kernel: Fingerprint,
    /// The names that its baselines are kept under, the most specific first.
    pub(crate) platforms: Vec<String>,
    /// How many executors run side by side.
    pub(crate) jobs: usize,
    /// Which cases are a user's own.
    pub(crate) own: Arc<Own>,
}

/// Who hears of each answer as it comes, from whichever thread it came to.
pub(crate) type Heard<'h> = dyn Fn(&Case, &Trace, &Judgement) + Sync + 'h;

/// How many executors run side by side on this machine.
pub(crate) fn jobs(args: &Run) -> usize {
    args.jobs.unwrap_or_else(processors)
}

pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The answers of this kernel to all cases, in their order, however they were `shuffled`.
pub(crate) fn answers<'c>(
    cases: &[&'c Case],
    own: &Arc<Own>,
    args: &Run,
    kernel: &Fingerprint,
    heard: &Heard<'_>,
) -> Result<Vec<Answer<'c>>> {
    let subject = executor(args)?;
    let (platforms, jobs, own) = (kernel.platforms(), jobs(args), own.clone());
    let (executors, kernel) = (&subject, kernel.clone());
    let under = Under { executors, os: host()?, kernel, platforms, jobs, own };
    answers_of(&under, cases, args.shuffle, heard)
}

/// The answers of a kernel.
pub(crate) fn answers_of<'c>(
    under: &Under<'_>,
    cases: &[&'c Case],
    seed: Option<u64>,
    heard: &Heard<'_>,
) -> Result<Vec<Answer<'c>>> {
    let baselines = Baselines::embedded();
    let order = order(cases, seed);
    let shuffled: Vec<&Case> = order.iter().map(|i| cases[*i]).collect();
    let judged = Mutex::new(Vec::with_capacity(cases.len()));
    let traces = subject::run(under.executors, &shuffled, under.jobs, &|number, trace| {
        let case = shuffled[number];
        let twin = under.own.twin(case);
        let of_suite = twin.unwrap_or(case);
        let platforms = suites::platforms(&under.kernel, &under.platforms, of_suite.suite());
        let own = twin.is_none().then(|| under.own.judge(case, trace, under.os, &platforms));
        let as_suites = || judge(of_suite, trace, under.os, &platforms, baselines);
        let judgement = own.flatten().unwrap_or_else(as_suites);
        heard(case, trace, &judgement);
        lock(&judged).push((number, judgement));
    })?;
    let mut judged = unlocked(judged);
    judged.sort_unstable_by_key(|(number, _)| *number);
    let mut answers: Vec<(usize, Answer<'c>)> = traces
        .into_iter()
        .zip(judged)
        .map(|(trace, (number, judgement))| {
            (order[number], Answer { case: shuffled[number], trace, judgement })
        })
        .collect();
    answers.sort_unstable_by_key(|(place, _)| *place);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

/// In which order the cases run: those of one lab together, or as the seed has it.
fn order(cases: &[&Case], seed: Option<u64>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..cases.len()).collect();
    if let Some(seed) = seed {
        fastrand::Rng::with_seed(seed).shuffle(&mut order);
    } else {
        let mut first = HashMap::new();
        for (number, case) in cases.iter().enumerate() {
            first.entry(&case.lab).or_insert(number);
        }
        order.sort_by_key(|number| first[&cases[*number].lab]);
    }
    order
}

/// Runs, writes, and says how it went; again and again if that is asked for.
pub(crate) fn run(args: &Run) -> Result<Status> {
    if args.own.watch { watch::watch(args) } else { once(args) }
}

/// Runs once.
pub(crate) fn once(args: &Run) -> Result<Status> {
    let mut chosen = select::of_run(args)?;
    update::prepare(&mut chosen, &args.own)?;
    let (cases, own) = (chosen.cases(), &chosen.own);
    if !args.on.subjects.is_empty() {
        return on::run(args, &cases, own);
    }
    let subject = executor(args)?;
    let kernel = subject::fingerprint(&subject)?;
    let out = Out::of(args.out.as_deref(), "run");
    let (platforms, jobs) = (kernel.platforms(), jobs(args));
    let (executors, own) = (&subject, own.clone());
    let under = Under { executors, os: host()?, kernel, platforms, jobs, own };
    let bar = Bars::default().add("", cases.len());
    let Kept { answers, took, folder, told } =
        keep(NATIVE, &under, &cases, args.shuffle, out.claim()?, &|| bar.tick())?;
    bar.end();
    let unseen = unseen(&answers, &under.platforms[0]);
    for untrue in &unseen {
        errln!("{} {untrue}", "not seen any more:".red());
    }
    if args.printed() == Some(Format::Json) {
        for answer in answers.iter().filter(|answer| summary::is_of(answer, args.rank)) {
            out::json_line(&String::from_utf8(told.line(answer)?)?);
        }
    } else if let Some(format) = args.printed() {
        let run = report::read(&folder)?;
        out::text(&report::export(format, &report::of_rank(run, args.rank))?);
    } else {
        let (kernel, platform) = (&under.kernel, under.platforms[0].as_str());
        let (answers, folder) = (answers.as_slice(), folder.as_path());
        let (unseen, own) = (unseen.len(), &*under.own);
        screen::show(&Ended { answers, kernel, platform, took, folder, unseen, own }, args);
    }
    if args.own.update {
        update::update(&under, &answers, &folder, args.own.baselines.as_deref())?;
    }
    status(&answers, !unseen.is_empty(), args)
}

/// The known deviations of `platform` that are not true any more.
pub(crate) fn unseen(answers: &[Answer<'_>], platform: &str) -> Vec<String> {
    let ran = answers.iter().filter(|a| !matches!(a.trace.end, End::Skipped { .. }));
    let broke: Vec<Broke<'_>> = ran.map(|a| (a.case.id.as_str(), a.judgement.broken())).collect();
    deviation::unseen(deviation::known(), &[platform.to_owned()], &broke)
}

/// The answers of a kernel that were kept.
pub(crate) struct Kept<'c> {
    pub(crate) answers: Vec<Answer<'c>>,
    /// How long they took.
    pub(crate) took: Duration,
    /// Where they are.
    pub(crate) folder: PathBuf,
    pub(crate) told: Told,
}

/// What is told of a subject to whoever reads of it: runs are passed on, and so is what is printed, so
/// that what is private gets into neither.
pub(crate) struct Told {
    name: String,
    os: Os,
    scrub: Mutex<Scrub>,
    own: Arc<Own>,
}

impl Told {
    fn scrub(&self) -> MutexGuard<'_, Scrub> {
        lock(&self.scrub)
    }

    /// The line of JSON of an answer, without its end.
    pub(crate) fn line(&self, answer: &Answer<'_>) -> serde_json::Result<Vec<u8>> {
        self.line_of(answer.case, &answer.trace, &answer.judgement)
    }

    fn line_of(
        &self,
        case: &Case,
        trace: &Trace,
        judgement: &Judgement,
    ) -> serde_json::Result<Vec<u8>> {
        let Some(told) = self.scrub().told(trace) else {
            return results::json(&self.name, case, trace, judgement);
        };
        let outcome = outcome::render(case, &told, self.os);
        let unexpected = self.own.unmet(case, &told, self.os);
        let judgement = Judgement { outcome, unexpected, ..judgement.clone() };
        results::json(&self.name, case, &told, &judgement)
    }
}

/// The answers of a kernel, written into a folder as they come.
pub(crate) fn keep<'c>(
    name: &str,
    under: &Under<'_>,
    cases: &[&'c Case],
    seed: Option<u64>,
    place: Place,
    tick: &(dyn Fn() + Sync),
) -> Result<Kept<'c>> {
    // It stands in files and their names, and nobody could read the run.
    if let Err(why) = under.kernel.check() {
        place.abandon();
        bail!(why);
    }
    let mut about = results::subject(name, &under.kernel, cases.len(), seed);
    about.platforms.clone_from(&under.platforms);
    // Of another kernel's machine there is nothing to see from here.
    let log = (name == NATIVE).then(KernelLog::begin);
    let here = harness::exec::environment();
    let mut scrub = Scrub::of(&here);
    about.environment = log.is_some().then(|| scrub.machine(&here));
    about.kernel = scrub.kernel(&under.kernel);
    about.name = scrub.subject(name);
    let (name, own) = (about.name.clone(), under.own.clone());
    let told = Told { name, os: under.os, scrub: Mutex::new(scrub), own };
    let writer = Mutex::new(Writer::begin_at(place, results::manifest(about, cases))?);
    let start = Instant::now();
    let answers = answers_of(under, cases, seed, &|case, trace, judgement| {
        // What cannot be said in JSON cannot have come out of it.
        if let Ok(line) = told.line_of(case, trace, judgement) {
            lock(&writer).append(line);
        }
        tick();
    })?;
    let took = start.elapsed();
    let mut writer = unlocked(writer);
    if let Some(log) = log {
        writer.heard(&told.scrub().log(&log.end()));
    }
    let folder = writer.folder().to_owned();
    writer.end(&answers, took, under.os)?;
    Ok(Kept { answers, took, folder, told })
}

fn status(answers: &[Answer<'_>], untrue: bool, args: &Run) -> Result<Status> {
    if answers.iter().all(|a| a.judgement.verdict == Verdict::Skipped) {
        let reason = answers.iter().find_map(|a| match &a.trace.end {
            End::Skipped { reason } => Some(reason.as_str()),
            _ => None,
        });
        bail!(
            "nothing ran: {}; `sockeye doctor` says what this system lacks",
            reason.unwrap_or("no case")
        );
    }
    Ok(came_to(answers, untrue, args.strict))
}

/// What the answers of one kernel come to, be it this host's or one of several; `untrue` says that a known
/// deviation was not seen any more.
pub(crate) fn came_to(answers: &[Answer<'_>], untrue: bool, strict: bool) -> Status {
    let has = |verdict| answers.iter().any(|a| a.judgement.verdict == verdict);
    if has(Verdict::Error) {
        return Status::Harness;
    }
    let strict = strict && (has(Verdict::Skipped) || has(Verdict::New));
    let unexpected = untrue || answers.iter().any(|a| a.judgement.is_unexpected());
    if unexpected || strict { Status::Unexpected } else { Status::Expected }
}

/// The colour of a verdict.
pub(crate) fn style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Ok => AnsiColor::Green.on_default(),
        Verdict::Deviates => AnsiColor::Yellow.on_default(),
        Verdict::New => AnsiColor::Cyan.on_default(),
        Verdict::Changed | Verdict::Unexpected | Verdict::Error => {
            AnsiColor::Red.on_default().bold()
        }
        Verdict::Skipped => Style::new().dimmed(),
    }
}

/// How many cases were taken again since the executor stood still in them, if any, as a sentence.
pub(crate) fn paused(answers: &[Answer<'_>]) -> Option<String> {
    let paused = answers.iter().map(|a| &a.trace).filter(|trace| !trace.pauses_ms.is_empty());
    let longest = paused.clone().filter_map(|trace| trace.pauses_ms.iter().max()).max()?;
    let kept = match paused.clone().filter(|trace| trace.has_pause()).count() {
        0 => String::new(),
        n => format!("; each time in {n}, which is an error where the outcome is another"),
    };
    let count = paused.count();
    Some(format!(
        "cases taken again, since the executor stood still for up to {longest} ms: {count}{kept}"
    ))
}

/// Says what has to be looked at in a case.
pub(crate) fn explain(answer: &Answer<'_>) {
    for said in cases::said(&answer.trace, &answer.judgement) {
        if said.who.is_empty() {
            out::paragraph(format_args!("    "), 4, said.hangs, &said.text);
        } else {
            let used = 5 + said.who.chars().count();
            out::paragraph(format_args!("    {} ", said.who), used, said.hangs, &said.text);
        }
    }
}
