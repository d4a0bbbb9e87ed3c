//! The reproducer of every case, compiled and run: each call's result must be the executor's.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use harness::case::{Case, Os};
use harness::outcome;
use harness::subject::{self, Subject};
use harness::trace::{End, Trace};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use reports::repro::{FLAGS, Observed, Options, agrees, reproducer};
use suites::{Table, tables};

/// How many rows one test takes, so that the tests are of a size and run side by side.
const ROWS: usize = 24;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = tables().iter().flat_map(trials).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trials(table: &Table) -> Vec<Trial> {
    let parts = table.cases.len().div_ceil(ROWS);
    let name = |part: usize| match parts {
        1 => table.name.to_owned(),
        _ => format!("{}/{}-of-{parts}", table.name, part + 1),
    };
    let rows = table.cases.chunks(ROWS).enumerate();
    rows.map(|(part, cases)| {
        let cases = cases.to_vec();
        Trial::ignorable_test(name(part), move || reproduce(&cases))
    })
    .collect()
}

fn has_compiler() -> bool {
    Command::new("cc").arg("--version").output().is_ok_and(|output| output.status.success())
}

fn reproduce(cases: &[Case]) -> Result<Completion, Failed> {
    let Some(os) = Os::host().filter(|os| *os == Os::Linux) else {
        return Ok(Completion::ignored_with("a reproducer builds its own lab on Linux only"));
    };
    if !has_compiler() {
        return Ok(Completion::ignored_with("cc is not installed"));
    }
    let program = PathBuf::from(env!("CARGO_BIN_EXE_sockeye"));
    let subject = Subject { program, args: vec!["exec".into()] };
    let cases: Vec<&Case> = cases.iter().collect();
    let traces = subject::run(&subject, &cases, 1, &|_, _| ())?;
    let folder = tempfile::tempdir()?;
    let mut wrong = Vec::new();
    for (case, trace) in cases.iter().zip(&traces) {
        if let End::Skipped { reason } = &trace.end {
            return Ok(Completion::ignored_with(reason));
        }
        if let Err(e) = reproduces(case, trace, os, folder.path()) {
            wrong.push(format!("{}: {e}", case.id));
        }
    }
    if wrong.is_empty() { Ok(Completion::Completed) } else { Err(wrong.join("\n").into()) }
}

fn reproduces(case: &Case, trace: &Trace, os: Os, folder: &Path) -> Result<(), Box<dyn Error>> {
    let (source, program) = (folder.join("repro.c"), folder.join("repro"));
    let observed = outcome::render(case, trace, os);
    let observed = Observed { trace, platform: "this", kernel: "this kernel", outcome: &observed };
    let options = Options { os, observed: Some(observed), expected: &[] };
    fs::write(&source, reproducer(case, &options))?;
    let compiled =
        Command::new("cc").args(FLAGS).args(["-pipe", "-o"]).args([&program, &source]).output()?;
    if !compiled.status.success() {
        return Err(String::from_utf8_lossy(&compiled.stderr).into_owned().into());
    }
    let ran = Command::new(&program).stdin(Stdio::null()).output()?;
    let text = String::from_utf8_lossy(&ran.stdout);
    agrees(trace, case, &text)?;
    if !ran.status.success() {
        let errors = String::from_utf8_lossy(&ran.stderr);
        return Err(format!("{}, though all agrees: {errors}", ran.status).into());
    }
    Ok(())
}
