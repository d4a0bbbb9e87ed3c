//! Markdown for the summary of a CI job.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::model::{Came, Export, Part, Test, by_rank};
use crate::text::escaped;

/// What GitHub takes for the summary of a step, in bytes.
const MOST: usize = 1024 * 1024;

/// What is kept free for the sentence that says what was left out.
const ROOM: usize = 1024;

/// The heads of the columns that count.
const HEADS: [&str; 7] = ["ok", "known", "failed", "error", "skipped", "not here", "cases"];

/// The whole text: counts for each suite and each rank, a row for each case that a user has to look at, the known
/// deviations counted. It has at most 1 MiB, which is what GitHub takes.
pub fn markdown(export: &Export) -> String {
    limited(export, MOST)
}

fn limited(export: &Export, most: usize) -> String {
    let mut out = format!("## sockeye: {}\n\n", escaped(&export.title));
    for part in &export.parts {
        counts(&mut out, part, export.parts.len() > 1);
    }
    // First, since they are few and what follows may be cut.
    known(&mut out, export);
    let rows: Vec<String> = export
        .parts
        .iter()
        .flat_map(|part| {
            part.tables.iter().flat_map(|table| &table.tests).filter_map(|test| row(part, test))
        })
        .collect();
    if rows.is_empty() {
        out.push_str("Nothing that a user has to look at.\n");
        return out;
    }
    out.push_str("### To be looked at\n\n| case | subject | what | first difference |\n");
    out.push_str("| --- | --- | --- | --- |\n");
    let mut left_out = 0;
    for row in &rows {
        if left_out > 0 || out.len() + row.len() > most.saturating_sub(ROOM) {
            left_out += 1;
        } else {
            out.push_str(row);
        }
    }
    if left_out > 0 {
        let _ = writeln!(
            out,
            "\n{left_out} of {} rows are left out: a summary has at most {most} bytes.",
            rows.len()
        );
    }
    out
}

fn column(came: &Came) -> usize {
    match came {
        Came::Passed => 0,
        Came::Known(_) => 1,
        Came::Failed { .. } => 2,
        Came::Broken(_) => 3,
        Came::Skipped(_) => 4,
        Came::NotHere(_) => 5,
    }
}

fn counts(out: &mut String, part: &Part, several: bool) {
    if several {
        let _ = writeln!(out, "### {}\n", escaped(&part.name));
    }
    if part.cut {
        out.push_str("**This run was cut off: cases are missing.**\n\n");
    }
    let mut suites: BTreeMap<&str, [usize; HEADS.len()]> = BTreeMap::new();
    for table in &part.tables {
        let counts = suites.entry(table.name.split('/').next().unwrap_or_default()).or_default();
        for test in &table.tests {
            counts[column(&test.came)] += 1;
            counts[HEADS.len() - 1] += 1;
        }
    }
    let _ = writeln!(out, "| suite | {} |", HEADS.join(" | "));
    let _ = writeln!(out, "| --- |{}", " ---: |".repeat(HEADS.len()));
    for (suite, counts) in &suites {
        let cells = counts.map(|n| if n == 0 { "·".to_owned() } else { n.to_string() });
        let _ = writeln!(out, "| {} | {} |", escaped(suite), cells.join(" | "));
    }
    out.push('\n');
    let ranks = by_rank(part);
    if !ranks.is_empty() {
        let _ = writeln!(out, "- {}\n", ranks.join("\n- "));
    }
}

/// How often each known deviation was met.
fn known(out: &mut String, export: &Export) {
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    let tests = export.parts.iter().flat_map(|p| &p.tables).flat_map(|table| &table.tests);
    for test in tests {
        if let Came::Known(reasons) = &test.came {
            for reason in reasons {
                *known.entry(reason).or_default() += 1;
            }
        }
    }
    for (reason, count) in &known {
        let _ = writeln!(out, "- {count} times, known: {}", escaped(reason));
    }
    if !known.is_empty() {
        out.push('\n');
    }
}

/// The row of a case that a user has to look at.
fn row(part: &Part, test: &Test) -> Option<String> {
    let (what, lines) = match &test.came {
        Came::Passed | Came::Known(_) | Came::Skipped(_) | Came::NotHere(_) => return None,
        Came::Failed { what, lines, .. } => (*what, lines.clone()),
        Came::Broken(reason) => ("error", vec![reason.clone()]),
    };
    let lines: Vec<String> = lines.iter().map(|line| code(line)).collect();
    let (id, who) = (code(&test.id), escaped(&part.name));
    Some(format!("| {id} | {who} | {what} | {} |\n", lines.join("<br>")))
}

/// As code in a cell. Backticks would not do: a line may have some, and a cell's `|` ends it there.
fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::export::Table;

    /// An export in which so many cases have changed.
    fn failing(cases: usize) -> Export {
        let test = |number| Test {
            id: format!("s/t[{number}]"),
            took: Duration::ZERO,
            came: Came::Failed {
                what: "changed",
                lines: vec!["was".to_owned(), "is | <b>".to_owned()],
                text: String::new(),
            },
            ranks: Vec::new(),
            remarks: Vec::new(),
            place: None,
        };
        let tests = (0..cases).map(test).collect();
        let tables = vec![Table { name: "s/t".to_owned(), tests }];
        let part = Part { name: "native".into(), properties: Vec::new(), tables, cut: false };
        Export { title: "x".to_owned(), parts: vec![part] }
    }

    #[test]
    fn what_is_too_long_says_how_much_it_left_out() {
        let text = markdown(&failing(20_000));
        assert!(text.len() <= MOST, "{}", text.len());
        let rows = text.lines().filter(|line| line.starts_with("| <code>")).count();
        let left_out = 20_000 - rows;
        assert!(left_out > 0 && text.contains(&format!("\n{left_out} of 20000 rows are left out")));
    }

    #[test]
    fn what_is_short_enough_leaves_nothing_out() {
        let text = limited(&failing(10), 8192);
        assert_eq!(text.lines().filter(|line| line.starts_with("| <code>")).count(), 10);
        assert!(!text.contains("left out"), "{text}");
        assert!(text.contains("is &#124; &lt;b&gt;"), "{text}");
    }
}
