//! `sockeye diff`: which outcomes of two runs differ.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use harness::case::Case;
use owo_colors::OwoColorize as _;
use reports::runs;
use similar::{ChangeTag, TextDiff};

use crate::cli::{Diff, On, Run};
use crate::subjects::Wanted;
use crate::{Status, UsageError, on, results, select};

/// Outcomes by id.
type Outcomes = BTreeMap<String, String>;

/// Says how two runs differ; status 1 if they do.
pub(crate) fn diff(args: &Diff) -> Result<Status> {
    let runs = match &args.on {
        Some(on) => run_both(on, &args.runs)?,
        None => args.runs.clone(),
    };
    let [was, is] = &runs[..] else {
        return Err(UsageError(format!("two runs are compared, not {}", runs.len())).into());
    };
    let (old, new) = (read(was)?, read(is)?);
    let both = || old.iter().filter_map(|(id, was)| new.get(id).map(|is| (id, was, is)));
    let differing: Vec<(&String, &String, &String)> =
        both().filter(|(_, was, is)| was != is).collect();
    let mut table = "";
    for (id, was, is) in &differing {
        let name = id.split('[').next().unwrap_or_default();
        if name != table {
            table = name;
            let count =
                differing.iter().filter(|(id, _, _)| id.split('[').next() == Some(name)).count();
            anstream::println!("{}: {count} differ", name.bold());
        }
        anstream::println!("{id}");
        show(was, is, args.full);
    }
    let gone = old.keys().filter(|id| !new.contains_key(*id)).count();
    let come = new.keys().filter(|id| !old.contains_key(*id)).count();
    let shared = both().count();
    anstream::println!(
        "{} of {shared} outcomes differ; {gone} cases only in {}, {come} only in {}",
        differing.len(),
        was.display(),
        is.display()
    );
    let same = differing.is_empty() && gone == 0 && come == 0;
    Ok(if same { Status::Expected } else { Status::Unexpected })
}

/// The folders of runs on two subjects, made now.
fn run_both(on: &str, patterns: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let patterns: Vec<String> =
        patterns.iter().map(|pattern| pattern.to_string_lossy().into_owned()).collect();
    let tables = select::tables_of(&patterns)?;
    let cases: Vec<&Case> = tables.iter().flat_map(|table| &table.cases).collect();
    let on = On { subjects: vec![on.to_owned()], ..On::default() };
    let args = Run { on, ..Run::default() };
    let ran = on::on_each(&args, &cases, &results::default_folder("on"))?;
    let folder = |(wanted, ran): (Wanted, Result<on::Ran<'_>>)| {
        ran.map(|ran| ran.folder).with_context(|| wanted.name)
    };
    ran.into_iter().map(folder).collect()
}

/// Line by line, `-` the old and `+` the new; only the first that differ unless `full`.
fn show(was: &str, is: &str, full: bool) {
    let diff = TextDiff::from_lines(was, is);
    let mut seen = [false; 2];
    for change in diff.iter_all_changes() {
        let line = change.value().trim_end();
        match change.tag() {
            ChangeTag::Equal if full => anstream::println!("    {line}"),
            ChangeTag::Delete if full || !seen[0] => {
                seen[0] = true;
                anstream::println!("  {}", format!("- {line}").red());
            }
            ChangeTag::Insert if full || !seen[1] => {
                seen[1] = true;
                anstream::println!("  {}", format!("+ {line}").green());
            }
            _ => {}
        }
    }
}

fn read(path: &Path) -> Result<Outcomes, UsageError> {
    let run = runs::read(path).map_err(|e| UsageError(e.to_string()))?;
    if run.cut {
        anstream::eprintln!("sockeye: {}: its last line is cut short and left out", path.display());
    }
    Ok(run.lines.into_iter().map(|line| (line.id, line.outcome)).collect())
}
