//! `sockeye changes`: what some kernels do otherwise than others, as a page of Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use harness::text;
use harness::trace::{End, Fingerprint};
use reports::runs::{Line, Run, Subject, first_difference};
use suites::claim::{self, Claim};

use crate::bisect::letters;
use crate::cli::Changes;
use crate::{Status, UsageError, out, report, results};

/// Rows of one table that changed at the same places.
type Groups<'r> = BTreeMap<(&'r str, Vec<char>), Vec<Row<'r>>>;

/// A case, and its line on each kernel that has one.
struct Row<'r> {
    id: &'r str,
    lines: Vec<Option<&'r Line>>,
}

/// Writes the page.
pub(crate) fn changes(args: &Changes) -> Result<Status> {
    let run = report::merged(args.runs.iter().map(AsRef::as_ref))?;
    if run.manifest.subjects.len() < 2 {
        return Err(UsageError("one kernel has no changes: give a second run".to_owned()).into());
    }
    let text = text::shown(&page(&run)).into_owned();
    match &args.output {
        Some(path) => results::whole(path, |file| Ok(file.write_all(text.as_bytes())?))?,
        None => out::text(&text),
    }
    Ok(Status::Expected)
}

fn page(run: &Run) -> String {
    let subjects = &run.manifest.subjects;
    let (groups, cases) = groups(run);
    let rows: usize = groups.values().map(Vec::len).sum();
    let mut out = format!(
        "# What changed between kernels\n\nMade by `sockeye changes` from runs of {cases} cases, of which \
         {rows} are not the same on all of these kernels. A letter is an outcome, a dot a case that \
         did not run there. Rows of a table that changed alike are told once, by the first of them.\n\n| kernel | |\n| --- | --- |\n"
    );
    for subject in subjects {
        let Fingerprint { system, release, version, .. } = &subject.kernel;
        let _ = writeln!(
            out,
            "| {} | {} |",
            subject.name,
            cell(&format!("{system} {release} {version}"))
        );
    }
    for ((table, letters), rows) in &groups {
        group(&mut out, table, letters, rows, subjects);
    }
    out
}

/// What is not the same everywhere, and how many cases there are.
fn groups(run: &Run) -> (Groups<'_>, usize) {
    let subjects = &run.manifest.subjects;
    let mut all: BTreeMap<&str, Vec<Option<&Line>>> = BTreeMap::new();
    for line in &run.lines {
        let lines = all.entry(&line.id).or_insert_with(|| vec![None; subjects.len()]);
        let number = subjects.iter().position(|subject| subject.name == line.subject);
        // A case that was skipped or went wrong says nothing of a kernel.
        let ran = !matches!(line.trace.end, End::Skipped { .. } | End::Broken { .. });
        if let Some(number) = number.filter(|_| ran) {
            lines[number] = Some(line);
        }
    }
    let cases = all.len();
    let mut groups = Groups::new();
    for (id, lines) in all {
        let outcomes: Vec<Option<&str>> =
            lines.iter().map(|line| line.map(|line| line.outcome.trim_end())).collect();
        let (letters, texts) = letters(&outcomes);
        if texts.len() > 1 {
            let table = id.split('[').next().unwrap_or(id);
            groups.entry((table, letters)).or_default().push(Row { id, lines });
        }
    }
    (groups, cases)
}

fn group(out: &mut String, table: &str, letters: &[char], rows: &[Row<'_>], of: &[Subject]) {
    let count = if rows.len() == 1 { "one row".to_owned() } else { format!("{} rows", rows.len()) };
    let _ = writeln!(out, "\n## {table}: {count}\n");
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let names = of.iter().map(|subject| subject.name.clone()).collect();
    let _ = writeln!(out, "{}", row(names));
    let _ = writeln!(out, "{}", row(vec!["---".to_owned(); of.len()]));
    let _ = writeln!(out, "{}\n", row(letters.iter().map(char::to_string).collect()));
    let Some(shown) = rows.first() else { return };
    let _ = writeln!(out, "`{}`\n", shown.id);
    for (letter, line) in differing(letters, shown) {
        let _ = writeln!(out, "- {letter}: `{}`", line.trim().replace('`', "'"));
    }
    for claim in claim::claims().iter().filter(|claim| tells(claim, rows, letters, of)) {
        let links: Vec<String> = claim.sources.iter().map(|source| link(source)).collect();
        let _ = writeln!(out, "\n{}: {} ({})", claim.on(), claim.says, links.join(", "));
    }
}

/// For each letter the first line by which it is not the first one's.
fn differing<'r>(letters: &[char], row: &Row<'r>) -> Vec<(char, &'r str)> {
    let text = |of: char| {
        let number = letters.iter().position(|letter| *letter == of)?;
        Some(row.lines[number]?.outcome.as_str())
    };
    let Some(first) = text('A') else { return Vec::new() };
    let mut found: Vec<(char, &str)> = Vec::new();
    for letter in 'B'..='Z' {
        let Some([was, is]) = text(letter).and_then(|text| first_difference(first, text)) else {
            break;
        };
        if found.is_empty() {
            found.push(('A', was.unwrap_or("nothing more")));
        }
        found.push((letter, is.unwrap_or("nothing more")));
    }
    found
}

/// Whether a claim is about these rows, and about some of the kernels and not about the others just
/// where the outcomes change.
fn tells(claim: &Claim, rows: &[Row<'_>], letters: &[char], of: &[Subject]) -> bool {
    if !rows.iter().any(|row| claim.concerns(row.id)) {
        return false;
    }
    let about = of.iter().map(|subject| claim.is_about(&claim::Kernel::of(&subject.kernel)));
    let known: Vec<(char, bool)> = letters
        .iter()
        .zip(about)
        .filter(|(letter, _)| **letter != '.')
        .filter_map(|(letter, about)| Some((*letter, about?)))
        .collect();
    let both = [true, false].iter().all(|it| known.iter().any(|(_, about)| about == it));
    both && known.iter().all(|(a, yes)| known.iter().all(|(b, other)| a != b || yes == other))
}

fn link(source: &str) -> String {
    if source.starts_with("https://") { format!("<{source}>") } else { source.to_owned() }
}

/// As a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
