//! Runs every table on this kernel and judges it against the baselines: one test a table.
//!
//! On a system that has no baselines yet they are recorded and not judged, and a line says so; with
//! `SOCKEYE_STRICT=1` that is a failure. `SOCKEYE_BASELINES` is another folder to keep them in.
//!
//! The test program is its own executor (`baselines exec`).

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs, io, panic};

use harness::case::{Case, Os};
use harness::subject::{self, Subject};
use harness::trace::{End, Fingerprint, Trace};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use suites::baseline::{self, Baselines, OBSERVED_ON, Snapshot};
use suites::deviation::Broke;
use suites::verdict::{Judgement, judge};
use suites::{Table, deviation, platforms, tables};

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
    let mut trials: Vec<Trial> = tables()
        .into_iter()
        .map(|table| Trial::ignorable_test(table.name, move || judge_table(&table)))
        .collect();
    trials.push(Trial::ignorable_test("known-deviations", judge_deviations));
    trials.push(Trial::test("a-platform-without-baselines", a_platform_without_baselines));
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
    let strict = env::var_os(STRICT).is_some_and(|strict| strict == "1");
    if done && !strict { ExitCode::SUCCESS } else { ExitCode::from(101) }
}

/// One case as it ran here.
struct Ran<'c> {
    case: &'c Case,
    trace: Trace,
    judgement: Judgement,
}

fn run<'c>(cases: &[&'c Case]) -> Result<(Vec<Ran<'c>>, Fingerprint), Failed> {
    let me = Subject { program: env::current_exe()?, args: vec!["exec".into()] };
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

/// Why a case did not run, if it did not.
fn absent(trace: &Trace) -> Option<Result<Completion, Failed>> {
    match &trace.end {
        End::Skipped { reason } => Some(Ok(Completion::ignored_with(reason))),
        End::Broken { reason } => Some(Err(format!("{}: {reason}", trace.case).into())),
        End::Done | End::Unsupported | End::Hung | End::Died { .. } => None,
    }
}

fn judge_table(table: &Table) -> Result<Completion, Failed> {
    let cases: Vec<&Case> = table.cases.iter().collect();
    let (ran, kernel) = run(&cases)?;
    if let Some(absent) = ran.iter().find_map(|ran| absent(&ran.trace)) {
        return absent;
    }
    let suite = table.name.split('/').next().unwrap_or_default();
    let platforms = platforms(&kernel, &kernel.platforms(), suite);
    let (Some(specific), Some(general)) = (platforms.first(), platforms.last()) else {
        return Err("a kernel has a platform".into());
    };
    let rows = |rows: &[&Ran<'_>]| {
        baseline::text(rows.iter().map(|r| (r.case.id.as_str(), r.judgement.outcome.as_str())))
    };
    let all: Vec<&Ran<'_>> = ran.iter().collect();
    let observed = observed_on(&file(general, table.name));
    if observed.as_deref().is_none_or(|platform| platform == specific) {
        return snapshot(general, specific, table.name, &rows(&all));
    }
    // Of a platform that is not the one the general baseline was observed on, only what differs.
    let one = [general.clone()];
    let differs = |ran: &&Ran<'_>| {
        let expected = Baselines::embedded().expected(&one, &ran.case.id);
        expected.is_none_or(|(_, text)| text != ran.judgement.outcome.trim_end())
    };
    let differing: Vec<&Ran<'_>> = ran.iter().filter(differs).collect();
    if differing.is_empty() && !file(specific, table.name).exists() {
        return Ok(Completion::Completed);
    }
    snapshot(specific, specific, table.name, &rows(&differing))
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

/// On which platform a baseline was observed, as its header says.
fn observed_on(file: &Path) -> Option<String> {
    Snapshot::parse(&fs::read_to_string(file).ok()?).observed_on
}

fn snapshot(platform: &str, observed: &str, table: &str, text: &str) -> Result<Completion, Failed> {
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
    judged.map(|()| Completion::Completed).map_err(|_| format!("{table} {hint}").into())
}

/// No rule is broken but as `known-deviations.toml` has it, and no entry there has become untrue.
fn judge_deviations() -> Result<Completion, Failed> {
    let tables = tables();
    let cases: Vec<&Case> = tables.iter().flat_map(|table| &table.cases).collect();
    let (ran, kernel) = run(&cases)?;
    if let Some(absent) = ran.iter().find_map(|ran| absent(&ran.trace)) {
        return absent;
    }
    let mut wrong = Vec::new();
    for ran in &ran {
        for (finding, known) in &ran.judgement.findings {
            if known.is_none() {
                wrong.push(format!("{}: {}: {}", ran.case.id, finding.rule, finding.text));
            }
        }
    }
    let platforms = [kernel.platforms(), kernel.libc_platforms()].concat();
    let broke: Vec<Broke<'_>> =
        ran.iter().map(|ran| (&*ran.case.id, ran.judgement.broken())).collect();
    let unseen = deviation::unseen(deviation::known(), &platforms, &broke);
    wrong.extend(unseen.iter().map(|untrue| format!("known, but not seen any more: {untrue}")));
    if !wrong.is_empty() && env::var_os(RECORDING).is_some() {
        let reason = format!("{} deviations that nobody has looked at yet", wrong.len());
        return Ok(Completion::ignored_with(reason));
    }
    if wrong.is_empty() { Ok(Completion::Completed) } else { Err(wrong.join("\n").into()) }
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
        if said.contains("ignored,") {
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
