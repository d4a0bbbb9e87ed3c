//! `sockeye coverage`: which names of the sockets API some case shows, and which none.

use std::fmt::Write as _;

use anyhow::Result;
use serde::Serialize;
use suites::baseline::Baselines;
use suites::coverage::{self, Covered, Depth, Entry, Kind, State};

use crate::cli::Coverage;
use crate::out::Paint as _;
use crate::{Status, out};

/// A line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    list: Kind,
    name: &'a str,
    state: State,
    depth: Option<Depth>,
    on: &'a [&'a str],
    case: Option<&'a str>,
    reason: Option<&'a str>,
}

/// Says it. None of it is a failure.
pub(crate) fn coverage(args: &Coverage) -> Result<Status> {
    if args.markdown {
        out::text(&page());
        return Ok(Status::Expected);
    }
    let mut covered = all();
    if !args.lists.is_empty() {
        let asked = |kind| args.lists.iter().any(|list| list.kind() == kind);
        covered.retain(|covered| asked(covered.list.kind));
    }
    if !args.json && !args.missing {
        summary(&covered);
    }
    for covered in &covered {
        let kind = covered.list.kind;
        if !args.json && !args.missing {
            out::blank();
            outln!("{}", kind.word().bold());
        }
        let wanted = |entry: &&Entry<'_>| !args.missing || entry.state == State::Missing;
        for entry in covered.entries.iter().filter(wanted) {
            if args.json {
                out::json(&line(kind, entry))?;
            } else if args.missing {
                outln!("{} {}", kind.word(), entry.item.name);
            } else {
                say(entry, wide(covered));
            }
        }
    }
    Ok(Status::Expected)
}

fn all() -> Vec<Covered<'static>> {
    coverage::coverage(coverage::lists(), coverage::effects(), Baselines::embedded())
}

fn line<'a>(list: Kind, entry: &'a Entry<'_>) -> Line<'a> {
    let &Entry { item, state, depth, ref on, case } = entry;
    let reason = item.reason.as_deref().filter(|_| state == State::Excused);
    // Only of an option there is more to be said than that it was asked for.
    let depth = depth.filter(|_| list == Kind::Options);
    Line { list, name: &item.name, state, depth, on, case, reason }
}

fn wide(covered: &Covered<'_>) -> usize {
    covered.entries.iter().map(|entry| entry.item.name.len()).max().unwrap_or(0)
}

/// What is known of one name, in a line.
fn say(entry: &Entry<'_>, wide: usize) {
    let name = &entry.item.name;
    let said = known(entry);
    match entry.case {
        Some(case) => outln!("  {name:wide$}  {said}: {case}"),
        None if entry.state == State::Missing => outln!("  {name:wide$}  {}", said.red()),
        None => outln!("  {name:wide$}  {said}"),
    }
}

/// How much of it was seen where, or why it was not.
fn known(entry: &Entry<'_>) -> String {
    match entry.state {
        State::Missing => "missing".to_owned(),
        State::Elsewhere => "no Linux has it, and of macOS there is no baseline".to_owned(),
        State::Excused => entry.item.reason.clone().unwrap_or_default(),
        State::Seen => {
            let depth = match entry.depth {
                Some(Depth::Effect) => "effect on ",
                Some(Depth::ReadBack) => "read back on ",
                _ => "",
            };
            format!("{depth}{}", entry.on.join(", "))
        }
    }
}

/// A row of the summary: the list, what is seen of all, why the rest is not, and who has the most beside us.
fn row(covered: &Covered<'_>) -> [String; 7] {
    let count = |state| covered.count(state).to_string();
    let best = covered.list.best_peer();
    [
        covered.list.kind.word().to_owned(),
        count(State::Seen),
        covered.entries.len().to_string(),
        count(State::Missing),
        count(State::Excused),
        count(State::Elsewhere),
        best.map_or_else(|| "not counted".to_owned(), |(peer, most)| format!("{most} ({peer})")),
    ]
}

const HEAD: [&str; 7] =
    ["list", "seen here", "of", "missing", "a reason", "not Linux's", "best other suite"];

fn summary(covered: &[Covered<'_>]) {
    let print = |row: [&str; 7]| {
        let [list, seen, all, missing, reason, macos, best] = row;
        outln!("{list:<9}{seen:>10}{all:>6}{missing:>9}{reason:>10}{macos:>15}  {best}");
    };
    print(HEAD);
    for covered in covered {
        print(row(covered).each_ref().map(String::as_str));
    }
    if let Some(said) = covered.iter().find_map(depths) {
        out::blank();
        outln!("{said}");
    }
}

/// How far options go, of their list.
fn depths(covered: &Covered<'_>) -> Option<String> {
    let [called, read, effect] =
        [Depth::Called, Depth::ReadBack, Depth::Effect].map(|depth| covered.shown(depth));
    (covered.list.kind == Kind::Options).then(|| {
        format!(
            "Of the {called} options {read} were at least set and read back, and of {effect} a case shows what \
             they do."
        )
    })
}

/// The page docs/coverage.md.
fn page() -> String {
    let covered = all();
    let mut page = String::from(PREFACE);
    let _ = writeln!(page, "| {} |", HEAD.join(" | "));
    let _ = writeln!(page, "| --- |{}", " ---: |".repeat(5) + " --- |");
    for covered in &covered {
        let _ = writeln!(page, "| {} |", row(covered).join(" | "));
    }
    if let Some(said) = covered.iter().find_map(depths) {
        let _ = writeln!(page, "\n{said}");
    }
    for covered in &covered {
        let list = covered.list;
        // A header's name is no tag of HTML.
        let source = list.source.replace('<', "\\<");
        let _ = writeln!(page, "\n## {}\n\nSource: {source}.", list.kind.word());
        if !list.peers.is_empty() {
            let peers: Vec<String> =
                list.peers.iter().map(|(peer, count)| format!("{peer} {count}")).collect();
            let _ = writeln!(page, "How many of them other suites exercise: {}.", peers.join(", "));
        }
        let _ = writeln!(page, "\n| name | seen | case |\n| --- | --- | --- |");
        for entry in &covered.entries {
            let case = entry.case.map(|case| format!("`{case}`")).unwrap_or_default();
            let _ = writeln!(page, "| {} | {} | {case} |", entry.item.name, known(entry));
        }
    }
    page
}

const PREFACE: &str = "\
# What the cases show

Written by `sockeye coverage --markdown > docs/coverage.md`; a test says when it has to be written anew. `sockeye coverage
--missing` is what to write next.

For each call, errno, pair of both, option, flag, request of `ioctl` and control message of the sockets API: the platforms whose
[baselines](../suites/baselines) show it and a case that does, or why nobody can. A case that ends before a call does not show
it. The lists with their sources, reasons and effects are [text](../suites/coverage): a reason for something that a case shows
fails a test, and so does an effect that is not in the case's outcome. What other suites exercise was counted in their sources.

";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_the_documents_is_this_one() {
        let path = format!("{}/docs/coverage.md", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text == page(), "not as it is: sockeye coverage --markdown > docs/coverage.md");
    }

    /// A table of Markdown is not one with a bar in a cell.
    #[test]
    fn no_cell_ends_early() {
        let bars = |line: &str| line.matches('|').count();
        for line in page().lines().filter(|line| line.starts_with('|')) {
            assert!([4, 8].contains(&bars(line)), "{line}");
        }
    }
}
