//! `sockeye diff`: which outcomes of two runs differ.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::Result;
use owo_colors::OwoColorize as _;
use serde::Deserialize;
use similar::{ChangeTag, TextDiff};

use crate::cli::Diff;
use crate::{Status, UsageError};

/// What is compared of a line of results; a newer program may have written more.
#[derive(Deserialize)]
struct Line {
    id: String,
    outcome: String,
}

/// Outcomes by id.
type Outcomes = BTreeMap<String, String>;

/// Says how two runs differ; status 1 if they do.
pub(crate) fn diff(args: &Diff) -> Result<Status> {
    let (old, new) = (read(&args.old)?, read(&args.new)?);
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
        args.old.display(),
        args.new.display()
    );
    let same = differing.is_empty() && gone == 0 && come == 0;
    Ok(if same { Status::Expected } else { Status::Unexpected })
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
    let file = if path.is_dir() { path.join("results.jsonl") } else { path.to_owned() };
    let said = |why: String| UsageError(format!("{} is not a run: {why}", path.display()));
    let reader = BufReader::new(File::open(&file).map_err(|e| said(e.to_string()))?);
    let mut outcomes = Outcomes::new();
    for (number, line) in (1..).zip(reader.lines()) {
        let line = line.map_err(|e| said(e.to_string()))?;
        let line: Line =
            serde_json::from_str(&line).map_err(|e| said(format!("line {number}: {e}")))?;
        outcomes.insert(line.id, line.outcome);
    }
    if outcomes.is_empty() { Err(said("it has no results".to_owned())) } else { Ok(outcomes) }
}
