//! Runs every table on this kernel and judges it against the baselines: one test a table.
//!
//! On a system that has no baselines yet they are recorded and not judged, and a line says so; with
//! `SOCKEYE_STRICT=1` that is a failure. `SOCKEYE_BASELINES` is another folder to keep them in.
//! What cannot run here is absent by row: the other rows of its table are recorded or judged.
//!
//! The test program is its own executor (`baselines exec`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{LazyLock, OnceLock};
use std::{env, fs, io, panic};

use harness::case::{Case, Os};
use harness::subject::{self, Subject};
use harness::trace::{End, Fingerprint, Trace};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use suites::baseline::{self, Baselines, OBSERVED_ON, Snapshot};
use suites::deviation::Broke;
use suites::verdict::{Judgement, judge};
use suites::{Table, deviation, platforms, tables};
use turn::turn;

#[path = "../../tests/common/turn.rs"]
mod turn;

fn main() -> ExitCode {
    if env::args().nth(1).as_deref() == Some("exec") {
        let done = harness::exec::serve(io::stdin().lock(), io::stdout().lock(), None);
        return if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(3) };
    }
    let arguments = Arguments::from_args();
    if !arguments.list && env::var_os(RECORDING).is_none() {
        match unseen() {
            Ok(None) => {}
            Ok(Some(platform)) => return record(&platform),
            Err(e) => {
                eprintln!("{}", e.message().unwrap_or("no kernel answers"));
                return ExitCode::from(3);
            }
        }
    }
    let mut trials: Vec<Trial> = ASKED
        .iter()
        .map(|asked| Trial::ignorable_test(&*asked.table.name, || judge_table(asked)))
        .collect();
    trials.push(Trial::ignorable_test("known-deviations", judge_deviations));
    trials.push(Trial::test("a-platform-without-baselines", a_platform_without_baselines));
    trials.push(Trial::test("absent-rows", absent_rows));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Says to the program that it runs again to record.
const RECORDING: &str = "SOCKEYE_RECORDING";
const STRICT: &str = "SOCKEYE_STRICT";
const FOLDER: &str = "SOCKEYE_BASELINES";

/// The general platform of this kernel, if it has no baseline.
fn unseen() -> Result<Option<String>, Failed> {
    let (_, kernel) = run(&[])?;
    let general = kernel.platforms().pop().ok_or("a kernel has a platform")?;
    let none = Baselines::files(&baselines().join(&general)).is_empty();
    Ok(none.then_some(general))
}

/// Runs this program again with insta writing what it is told, and says what came of it.
fn record(platform: &str) -> ExitCode {
    let again = Command::new(env::current_exe().expect("this program has a path"))
        .args(env::args_os().skip(1))
        .env(RECORDING, "1")
        .env("INSTA_UPDATE", "always")
        .status();
    let recorded = Baselines::files(&baselines().join(platform)).len();
    println!("{recorded} tables recorded of {platform}, and not judged: nothing was known of it");
    let done = again.is_ok_and(|status| status.success());
    if done && !is_strict() { ExitCode::SUCCESS } else { ExitCode::from(101) }
}

fn is_strict() -> bool {
    env::var_os(STRICT).is_some_and(|strict| strict == "1")
}

/// One case as it ran here.
struct Ran<'c> {
    case: &'c Case,
    trace: Trace,
    judgement: Judgement,
}

/// A table, and what came of it here. It is run once, whoever asks first: its own test or the one of
/// deviations. Whether cases of all tables get along in one executor, in whatever order, is asked by
/// `two_runs_and_a_shuffled_one_say_the_same` of `tests/cli.rs`, of two whole runs and two shuffled ones.
struct Asked {
    table: Table,
    ran: OnceLock<Result<(Vec<Ran<'static>>, Fingerprint), String>>,
}

static ASKED: LazyLock<Vec<Asked>> = LazyLock::new(|| {
    tables().into_iter().map(|table| Asked { table, ran: OnceLock::new() }).collect()
});

impl Asked {
    fn ran(&'static self) -> Result<(&'static [Ran<'static>], &'static Fingerprint), Failed> {
        let cases = || self.table.cases.iter().collect::<Vec<_>>();
        let said = |failed: Failed| failed.message().unwrap_or("it does not run").to_owned();
        let ran = self.ran.get_or_init(|| run(&cases()).map_err(said));
        ran.as_ref().map(|(ran, kernel)| (&ran[..], kernel)).map_err(|e| e.as_str().into())
    }
}

fn run<'c>(cases: &[&'c Case]) -> Result<(Vec<Ran<'c>>, Fingerprint), Failed> {
    let me = Subject { program: env::current_exe()?, args: vec!["exec".into()] };
    let _turn = turn();
    let kernel = subject::fingerprint(&me)?;
    let os = Os::host().ok_or("sockeye knows no such system")?;
    let traces = subject::run(&me, cases, 1, &|_, _| ())?;
    let ran = cases.iter().zip(traces).map(|(case, trace)| {
        let platforms = platforms(&kernel, &kernel.platforms(), case.suite());
        let judgement = judge(case, &trace, os, &platforms, Baselines::embedded());
        Ran { case, trace, judgement }
    });
    Ok((ran.collect(), kernel))
}

impl Ran<'_> {
    /// Why a baseline has nothing of it, if it has not: it did not run, or nobody saw its frames.
    fn absence(&self) -> Option<&str> {
        match &self.trace.end {
            End::Skipped { reason } | End::Broken { reason } => Some(reason),
            _ if self.trace.is_unseen() => Some("what the host sends is not captured"),
            _ if self.trace.lacks_what_hosts_have() => Some("this host lacks what another one has"),
            End::Done | End::Unsupported | End::Hung | End::Died { .. } => None,
        }
    }
}

/// What is to be said of rows of which some may be absent, after the others were found to be right.
fn with_absent<'r>(ran: impl IntoIterator<Item = &'r Ran<'r>>) -> Result<Completion, Failed> {
    let ran: Vec<&Ran<'_>> = ran.into_iter().collect();
    let broken = ran.iter().filter_map(|ran| match &ran.trace.end {
        End::Broken { reason } => Some(format!("{}: {reason}", ran.trace.case)),
        _ => None,
    });
    let broken: Vec<String> = broken.collect();
    if !broken.is_empty() {
        return Err(broken.join("\n").into());
    }
    let absent: Vec<&str> = ran.iter().filter_map(|ran| ran.absence()).collect();
    let Some(reason) = absent.first() else { return Ok(Completion::Completed) };
    let (absent, all) = (absent.len(), ran.len());
    Ok(Completion::ignored_with(format!("{absent} of {all} rows are absent: {reason}")))
}

/// The text of a table's snapshot: the rows that are `wanted`, and of those that are absent what the
/// snapshot `had`.
fn rows(
    ran: &[Ran<'_>],
    had: &BTreeMap<String, String>,
    wanted: impl Fn(&Ran<'_>) -> bool,
) -> String {
    baseline::text(ran.iter().filter_map(|ran| {
        let id = ran.case.id.as_str();
        if ran.absence().is_some() {
            return had.get(id).map(|text| (id, text.as_str()));
        }
        wanted(ran).then_some((id, ran.judgement.outcome.as_str()))
    }))
}

fn judge_table(asked: &'static Asked) -> Result<Completion, Failed> {
    let (table, (ran, kernel)) = (&asked.table, asked.ran()?);
    if ran.iter().all(|ran| ran.absence().is_some()) {
        return with_absent(ran);
    }
    let suite = table.name.split('/').next().unwrap_or_default();
    let platforms = platforms(kernel, &kernel.platforms(), suite);
    let (Some(specific), Some(general)) = (platforms.first(), platforms.last()) else {
        return Err("a kernel has a platform".into());
    };
    let known = read(&file(general, &table.name));
    if known.observed_on.as_deref().is_none_or(|platform| platform == specific) {
        let text = rows(ran, &known.rows, |_| true);
        snapshot(general, specific, &table.name, &text)?;
        return with_absent(ran);
    }
    // Of a platform that is not the one the general baseline was observed on, only what differs.
    let one = [general.clone()];
    let differs = |ran: &Ran<'_>| {
        let expected = Baselines::embedded().expected(&one, &ran.case.id);
        expected.is_none_or(|(_, text)| text != ran.judgement.outcome.trim_end())
    };
    let text = rows(ran, &read(&file(specific, &table.name)).rows, differs);
    if !text.is_empty() || file(specific, &table.name).exists() {
        snapshot(specific, specific, &table.name, &text)?;
    }
    with_absent(ran)
}

fn folder(platform: &str, table: &str) -> PathBuf {
    let suite = table.split('/').next().unwrap_or_default();
    baselines().join(platform).join(suite)
}

/// Where baselines are kept.
fn baselines() -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("baselines");
    env::var_os(FOLDER).map_or_else(own, PathBuf::from)
}

fn name(table: &str) -> &str {
    table.split('/').nth(1).unwrap_or(table)
}

fn file(platform: &str, table: &str) -> PathBuf {
    folder(platform, table).join(format!("{}.snap", name(table)))
}

/// What a snapshot has, and on which platform that was observed; nothing where there is none.
fn read(file: &Path) -> Snapshot {
    fs::read_to_string(file).map_or_else(|_| Snapshot::default(), |text| Snapshot::parse(&text))
}

fn snapshot(platform: &str, observed: &str, table: &str, text: &str) -> Result<(), Failed> {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder(platform, table));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_description(format!("{OBSERVED_ON}{observed}"));
    // A panic is how insta says no; nothing of what it unwinds through is used again.
    let judged = panic::catch_unwind(panic::AssertUnwindSafe(|| {
        settings.bind(|| insta::assert_snapshot!(name(table), text));
    }));
    let hint = "changed: review with `cargo insta review`, see CONTRIBUTING.md";
    judged.map_err(|_| format!("{table} {hint}").into())
}

/// No rule is broken but as `known-deviations.toml` has it, and no entry there has become untrue.
fn judge_deviations() -> Result<Completion, Failed> {
    let all = ASKED.iter().map(Asked::ran).collect::<Result<Vec<_>, _>>()?;
    let (_, kernel) = all.first().ok_or("there is a table")?;
    let ran: Vec<&Ran<'_>> = all.iter().flat_map(|(ran, _)| *ran).collect();
    let mut wrong = Vec::new();
    for ran in &ran {
        for (finding, known) in &ran.judgement.findings {
            if known.is_none() {
                wrong.push(format!("{}: {}: {}", ran.case.id, finding.rule, finding.text));
            }
        }
    }
    let platforms = [kernel.platforms(), kernel.libc_platforms()].concat();
    let broke: Vec<Broke<'_>> = ran
        .iter()
        .filter(|ran| ran.absence().is_none())
        .map(|ran| (&*ran.case.id, ran.judgement.broken()))
        .collect();
    let unseen = deviation::unseen(deviation::known(), &platforms, &broke);
    wrong.extend(unseen.iter().map(|untrue| format!("known, but not seen any more: {untrue}")));
    if wrong.is_empty() {
        return with_absent(ran);
    }
    if env::var_os(RECORDING).is_some() || !is_looked_at(kernel) {
        let reason = format!("{} deviations that nobody has looked at yet", wrong.len());
        return if is_strict() { Err(reason.into()) } else { Ok(Completion::ignored_with(reason)) };
    }
    Err(wrong.join("\n").into())
}

/// Whether somebody has looked at where this system deviates.
fn is_looked_at(kernel: &Fingerprint) -> bool {
    let general = kernel.platforms().pop().unwrap_or_default();
    // `macos+online` is macOS.
    let system = general.split('+').next();
    let of = |platform: &String| platform.split('-').next() == system;
    deviation::known().iter().any(|known| known.platforms.iter().any(of))
}

/// A row that is absent takes no other out of a snapshot, nor itself.
fn absent_rows() -> Result<(), Failed> {
    let all = tables();
    let cases: Vec<&Case> = all.iter().flat_map(|table| &table.cases).take(4).collect();
    let skipped = || End::Skipped { reason: "no lab".to_owned() };
    let ends = [End::Done, skipped(), skipped(), End::Done];
    let mut ran: Vec<Ran<'_>> = cases
        .iter()
        .zip(ends)
        .map(|(case, end)| {
            let trace = Trace::new(&case.id, Vec::new(), Vec::new(), end);
            let judgement = judge(case, &trace, Os::Linux, &[], Baselines::embedded());
            let judgement = Judgement { outcome: "now".to_owned(), ..judgement };
            Ran { case, trace, judgement }
        })
        .collect();
    let had = [0, 1].map(|at: usize| (cases[at].id.clone(), "before".to_owned())).into();
    let ids: Vec<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    let of =
        |rows: &[(usize, &'static str)]| baseline::text(rows.iter().map(|(at, t)| (ids[*at], *t)));
    check(rows(&ran, &had, |_| true) == of(&[(0, "now"), (1, "before"), (3, "now")]), "by row")?;
    check(rows(&ran, &had, |_| false) == of(&[(1, "before")]), "what differs")?;
    let is_whole =
        |ran: &[Ran<'_>]| with_absent(ran).map(|done| matches!(done, Completion::Completed));
    check(!is_whole(&ran)?, "some are absent")?;
    check(is_whole(&ran[..1])?, "none is absent")?;
    ran[2].trace.end = End::Broken { reason: "no route".to_owned() };
    check(with_absent(&ran).is_err(), "what is broken is a failure")
}

/// Recorded once, judged from then on; strictly a failure.
fn a_platform_without_baselines() -> Result<(), Failed> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(std::process::id().to_string());
    let again = |strict: &str| {
        Command::new(env::current_exe()?)
            .args(["--exact", "link-state/netdown"])
            .env(FOLDER, &folder)
            .env(STRICT, strict)
            .env_remove(RECORDING)
            .env("INSTA_UPDATE", "no")
            .output()
    };
    let checked = (|| {
        let first = again("0")?;
        let said = String::from_utf8_lossy(&first.stdout).into_owned();
        if said.contains("... ignored") {
            return Ok(());
        }
        check(first.status.success() && said.contains("1 tables recorded"), &said)?;
        let second = again("0")?;
        let said = String::from_utf8_lossy(&second.stdout).into_owned();
        check(second.status.success() && !said.contains("recorded"), &said)?;
        let platforms = run(&[])?.1.platforms();
        let file = folder.join(&platforms[platforms.len() - 1]).join("link-state/netdown.snap");
        fs::write(&file, fs::read_to_string(&file)?.replace("close(s) = 0", "close(s) = 1"))?;
        let third = again("0")?;
        check(!third.status.success(), "what was recorded is not judged")?;
        fs::remove_dir_all(&folder)?;
        let strict = again("1")?;
        check(!strict.status.success(), "strictly, what was not judged is a failure")
    })();
    let _ = fs::remove_dir_all(&folder);
    checked
}

fn check(holds: bool, otherwise: &str) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}
