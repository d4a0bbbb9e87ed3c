//! `sockeye diff`: which outcomes of two runs differ.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use reports::runs::{self, Line, Run, Side};
use similar::{ChangeTag, TextDiff};

use crate::cli::{self, Diff, On};
use crate::out::Paint as _;
use crate::results::Out;
use crate::subjects::Wanted;
use crate::{Status, UsageError, on, out, place, report, select};

/// Says how two runs differ; status 1 if they do.
pub(crate) fn diff(args: &Diff) -> Result<Status> {
    let folders = match &args.on {
        Some(on) => {
            let ran = run_on(std::slice::from_ref(on), &args.runs, "diff")?;
            ran.into_iter().collect::<Result<_>>()?
        }
        None => args.runs.clone(),
    };
    let runs: Vec<Run> =
        folders.iter().map(|folder| report::read(folder)).collect::<Result<_, _>>()?;
    // Titles are passed on; two that are called the same are told apart.
    let mut names: Vec<String> = folders.iter().map(|folder| place::called(folder)).collect();
    if let [one, other] = &mut names[..]
        && one == other
    {
        one.push_str(" (the first)");
        other.push_str(" (the second)");
    }
    let side = |number: usize, subject: Option<&str>| {
        let name = names[number].clone();
        Side::of(&name, &runs[number], subject).map_err(|e| UsageError(e.to_string()))
    };
    let sides = match (&args.subjects, runs.len()) {
        (None, 2) => {
            let subject = args.subject.as_deref();
            [side(0, subject)?, side(1, subject)?]
        }
        (Some(subjects), 1) => {
            let Some((one, other)) = subjects.split_once(',') else {
                let what = format!("{subjects:?} is not two subjects, such as native,linux-6.1");
                return Err(UsageError(what).into());
            };
            [side(0, Some(one))?, side(0, Some(other))?]
        }
        (Some(_), many) => {
            let what = format!("--subjects compares two subjects of one run, not of {many}");
            return Err(UsageError(what).into());
        }
        (None, many) => {
            return Err(UsageError(format!("two runs are compared, not {many}")).into());
        }
    };
    let diff = runs::Diff { sides };
    match args.format {
        Some(format) => out::text(&report::diff_text(format, &diff)?),
        None => print(&diff, args.full),
    }
    Ok(if diff.is_empty() { Status::Expected } else { Status::Unexpected })
}

fn print(diff: &runs::Diff<'_>, full: bool) {
    let differing: Vec<(&Line, &Line)> = diff.differing().collect();
    let mut table = "";
    for (was, is) in &differing {
        let name = is.case.table();
        if name != table {
            table = name;
            let count = differing.iter().filter(|(_, is)| is.case.table() == name).count();
            outln!("{}: {count} differ", name.bold());
        }
        outln!("{}", is.id);
        show(&was.outcome, &is.outcome, full);
    }
    outln!(
        "{} of {} outcomes differ; {} cases only in {}, {} only in {}",
        differing.len(),
        diff.shared().count(),
        diff.only(0).count(),
        diff.sides[0].name,
        diff.only(1).count(),
        diff.sides[1].name
    );
}

/// The folders of runs of these cases on these subjects, made now; why one did not run.
pub(crate) fn run_on(
    on: &[String],
    patterns: &[PathBuf],
    kind: &str,
) -> Result<Vec<Result<PathBuf>>> {
    let patterns: Vec<String> =
        patterns.iter().map(|pattern| pattern.to_string_lossy().into_owned()).collect();
    let chosen = select::chosen(&patterns)?;
    let on = On { subjects: on.to_vec(), ..On::default() };
    let args = cli::Run { on, ..cli::Run::default() };
    let ran = on::on_each(&args, &chosen.cases(), &chosen.own, &Out::of(None, kind))?;
    let folder = |(wanted, ran): (Wanted, Result<on::Ran<'_>>)| {
        ran.map(|ran| ran.folder).with_context(|| wanted.name)
    };
    Ok(ran.into_iter().map(folder).collect())
}

/// Line by line, `-` the old and `+` the new; only the first that differ unless `full`.
fn show(was: &str, is: &str, full: bool) {
    let diff = TextDiff::from_lines(was, is);
    let mut seen = [false; 2];
    for change in diff.iter_all_changes() {
        let line = change.value().trim_end();
        match change.tag() {
            ChangeTag::Equal if full => outln!("    {line}"),
            ChangeTag::Delete if full || !seen[0] => {
                seen[0] = true;
                outln!("  {}", format!("- {line}").red());
            }
            ChangeTag::Insert if full || !seen[1] => {
                seen[1] = true;
                outln!("  {}", format!("+ {line}").green());
            }
            _ => {}
        }
    }
}
