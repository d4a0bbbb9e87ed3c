//! Runs for other people's programs: `sockeye report`, `--format`, `sockeye merge`.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use harness::text;
use harness::verdict::Rank;
use reports::export::{Export, junit, kcidb, ktap, markdown};
use reports::runs::{self, Diff, Run};

use crate::cli::{Format, Merge, Report};
use crate::product::Product;
use crate::results::{self, Writer};
use crate::{Status, UsageError, out};

/// Reads a run; says on standard error where it was cut off.
pub(crate) fn read(folder: &Path) -> Result<Run, UsageError> {
    let run = runs::read(folder).map_err(|e| UsageError(e.to_string()))?;
    if run.cut {
        let folder = folder.display();
        errln!("sockeye: {folder}: its last line is cut short and left out");
    }
    for subject in run.manifest.subjects.iter().filter(|subject| subject.ended.is_none()) {
        let lines = run.lines.iter().filter(|line| line.subject == subject.name).count();
        let (folder, name, cases) = (folder.display(), &subject.name, subject.cases);
        errln!("sockeye: {folder}: {name} was cut off, {lines} of {cases} cases are there");
    }
    Ok(run)
}

/// Reads runs and makes one of them.
pub(crate) fn merged<'p>(folders: impl IntoIterator<Item = &'p Path>) -> Result<Run, UsageError> {
    let mut all = Vec::new();
    for folder in folders {
        all.push((folder.display().to_string(), read(folder)?));
    }
    runs::merge(&all).map_err(|e| UsageError(e.to_string()))
}

/// What of a run has findings of this rank; all of it if none is asked for.
pub(crate) fn of_rank(run: Run, rank: Option<Rank>) -> Run {
    match rank {
        Some(rank) => run.of_rank(rank),
        None => run,
    }
}

/// A run in this format, as text.
pub(crate) fn export(format: Format, run: &Run) -> Result<String> {
    let text = match format {
        Format::Json => {
            let mut text = String::new();
            for line in &run.lines {
                let _ = writeln!(text, "{}", serde_json::to_string(line)?);
            }
            text
        }
        Format::Junit => junit(&Export::of(run))?,
        Format::Ktap => ktap(&Export::of(run)),
        Format::Markdown => markdown(&Export::of(run)),
        Format::Kcidb => kcidb(run),
    };
    Ok(fit(format, &text))
}

/// The text, with nothing in it that a terminal obeys: it is written to one, or to a file that is.
fn fit(format: Format, text: &str) -> String {
    match format {
        Format::Json | Format::Kcidb => text::json(text),
        Format::Junit | Format::Ktap | Format::Markdown => text::shown(text),
    }
    .into_owned()
}

/// How two subjects differ, in this format, as text.
pub(crate) fn diff_text(format: Format, diff: &Diff<'_>) -> Result<String> {
    let text = match format {
        Format::Json => {
            let both = diff.differing().map(|(was, is)| (Some(was), Some(is)));
            let old = diff.only(0).map(|was| (Some(was), None));
            let new = diff.only(1).map(|is| (None, Some(is)));
            let mut text = String::new();
            for (was, is) in both.chain(old).chain(new) {
                let id = was.or(is).map(|line| &line.id);
                let [was, is] = [was, is].map(|line| line.map(|line| &line.outcome));
                let _ = writeln!(text, "{}", serde_json::json!({"id": id, "old": was, "new": is}));
            }
            text
        }
        Format::Junit => junit(&Export::of_diff(diff))?,
        Format::Ktap => ktap(&Export::of_diff(diff)),
        Format::Markdown => markdown(&Export::of_diff(diff)),
        Format::Kcidb => {
            let why =
                "kcidb has results of a run, and none of a difference: `report RUN --format kcidb`";
            return Err(UsageError(why.to_owned()).into());
        }
    };
    Ok(fit(format, &text))
}

/// Writes a run in a format, to standard output or a file.
pub(crate) fn report(args: &Report) -> Result<Status> {
    let folder = args.run.clone().unwrap_or_else(|| results::default_folder("run"));
    if let (true, Some(page)) = (args.html, &args.output) {
        return crate::matrix::report(&folder, page);
    }
    let text = export(args.format, &of_rank(read(&folder)?, args.rank))?;
    match &args.output {
        Some(path) => Product::Report.write(path, |file| Ok(file.write_all(text.as_bytes())?))?,
        None => out::text(&text),
    }
    Ok(Status::Expected)
}

/// Makes one run of several.
pub(crate) fn merge(args: &Merge) -> Result<Status> {
    let run = merged(args.runs.iter().map(AsRef::as_ref))?;
    let mut writer = Writer::begin(&args.output, run.manifest.clone())?;
    for line in &run.lines {
        writer.append(serde_json::to_vec(line)?);
    }
    writer.place()?;
    for subject in &run.manifest.subjects {
        let lines = run.lines.iter().filter(|line| line.subject == subject.name).count();
        let kernel = &subject.kernel;
        outln!("{}: {lines} cases on {} {}", subject.name, kernel.system, kernel.release);
    }
    Ok(Status::Expected)
}
