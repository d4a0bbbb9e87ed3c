//! `sockeye changes`: what some kernels do otherwise than others, as a page of Markdown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Result;
use harness::case::Os;
use harness::text;
use harness::trace::Fingerprint;
use reports::runs::{Line, Run, Subject, first_difference};
use suites::claim::{self, Claim};
use suites::tag;

use crate::bisect::letters;
use crate::cli::Changes;
use crate::product::{CHANGES, Product};
use crate::{Status, UsageError, diff, out, report};

/// Rows of one table that changed at the same places.
type Groups<'r> = BTreeMap<(&'r str, Vec<char>), Vec<Row<'r>>>;

/// A case, and its line on each kernel that has one.
struct Row<'r> {
    id: &'r str,
    lines: Vec<Option<&'r Line>>,
}

/// Writes the page.
pub(crate) fn changes(args: &Changes) -> Result<Status> {
    // Before anything runs for it.
    args.output.as_deref().map(|path| Product::Changes.place(path)).transpose()?;
    let ran = match &args.on[..] {
        [] => args.runs.clone(),
        // Which kernels did not run was said.
        on => diff::run_on(on, &args.runs, "changes")?.into_iter().flatten().collect(),
    };
    let run = report::merged(ran.iter().map(AsRef::as_ref))?;
    if run.manifest.subjects.len() < 2 {
        return Err(UsageError("one kernel has no changes: give a second run".to_owned()).into());
    }
    let text = text::shown(&page(&run)).into_owned();
    match &args.output {
        Some(path) => Product::Changes.write(path, |file| Ok(file.write_all(text.as_bytes())?))?,
        None => out::text(&text),
    }
    Ok(Status::Expected)
}

fn page(run: &Run) -> String {
    let subjects = &run.manifest.subjects;
    let (groups, cases) = groups(run);
    let rows: usize = groups.values().map(Vec::len).sum();
    let mut out = format!(
        "{CHANGES}\nMade by `sockeye changes` from runs of {cases} cases, of which \
         {rows} are not the same on all of these kernels. A letter is an outcome, a dot a case that \
         did not run there. Rows of a table that changed alike stand together, and of each option and call \
         among them the first.\n\n| kernel | |\n| --- | --- |\n"
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
    index(&mut out, &groups, subjects);
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
        if let Some(number) = number.filter(|_| !line.trace.says_nothing()) {
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
    let _ = writeln!(out, "\n## {table}: {}\n", counted(rows.len()));
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let names = of.iter().map(|subject| subject.name.clone()).collect();
    let _ = writeln!(out, "{}", row(names));
    let _ = writeln!(out, "{}", row(vec!["---".to_owned(); of.len()]));
    let _ = writeln!(out, "{}", row(letters.iter().map(char::to_string).collect()));
    for (about, rows) in by_option_and_call(letters, rows) {
        let Some(shown) = rows.first() else { continue };
        let count = counted(rows.len());
        let _ = writeln!(out, "\n{about}: {count}, `{}`\n", shown.id);
        for (letter, line) in differing(letters, shown) {
            let _ = writeln!(out, "- {letter}: `{}`", line.trim().replace('`', "'"));
        }
    }
    let _ = writeln!(out);
    for claim in claim::claims().iter().filter(|claim| tells(claim, rows, letters, of)) {
        let links: Vec<String> = claim.sources.iter().map(|source| link(source)).collect();
        let _ = writeln!(out, "{}: {} ({})\n", claim.on(), claim.says, links.join(", "));
    }
}

fn counted(rows: usize) -> String {
    if rows == 1 { "one row".to_owned() } else { format!("{rows} rows") }
}

/// What changed, by option and call: which kernel answers what, and in which table it stands below.
fn index(out: &mut String, groups: &Groups<'_>, of: &[Subject]) {
    let _ = writeln!(
        out,
        "\n## By option and call\n\nWho answers what; *the others* are all the rest that ran the case.\n"
    );
    let _ =
        writeln!(out, "| option and call | rows | kernels | table |\n| --- | --- | --- | --- |");
    let mut lines = Vec::new();
    for ((table, letters), rows) in groups {
        for (about, rows) in by_option_and_call(letters, rows) {
            let Some(shown) = rows.first() else { continue };
            let who = cell(&who(letters, shown, of));
            lines.push(format!("| {about} | {} | {who} | {table} |", rows.len()));
        }
    }
    lines.sort_unstable();
    for line in lines {
        let _ = writeln!(out, "{line}");
    }
}

/// Each letter with what the first call that differs returned there, and its kernels; those that agree with
/// the most are *the others*.
fn who(letters: &[char], shown: &Row<'_>, of: &[Subject]) -> String {
    let named = |of_letter: char| {
        let names = letters.iter().zip(of).filter(move |(letter, _)| **letter == of_letter);
        names.map(|(_, subject)| subject.name.as_str()).collect::<Vec<_>>()
    };
    let found = differing(letters, shown);
    let most = found.iter().map(|(letter, _)| named(*letter).len()).max().unwrap_or(0);
    let mut others = 0;
    let told = found.iter().rev().map(|(letter, line)| {
        let names = named(*letter);
        let is_most = names.len() == most && most > 3 && others == 0;
        others += usize::from(is_most);
        let names = if is_most { "the others".to_owned() } else { names.join(", ") };
        let result = line.rsplit_once(" = ").map(|(_, result)| result.trim().replace('`', "'"));
        let result = result.map_or_else(String::new, |result| format!(" `{result}`"));
        format!("{letter}{result}: {names}")
    });
    let mut told: Vec<String> = told.collect();
    told.reverse();
    told.join("; ")
}

/// Rows by what they are about: the options that they name, and the call that answers otherwise.
fn by_option_and_call<'g, 'r>(
    letters: &[char],
    rows: &'g [Row<'r>],
) -> BTreeMap<String, Vec<&'g Row<'r>>> {
    let mut all: BTreeMap<String, Vec<&Row<'_>>> = BTreeMap::new();
    for row in rows {
        all.entry(about(letters, row)).or_default().push(row);
    }
    all
}

fn about(letters: &[char], row: &Row<'_>) -> String {
    let line = row.lines.iter().flatten().next();
    let mut options: BTreeSet<String> = line
        .iter()
        .flat_map(|line| {
            line.case.ops.iter().map(|op| tag::options_on(&[Os::Linux], &line.case, op))
        })
        .flatten()
        .collect();
    // Most cases ask for it, of whatever else they are about.
    if options.len() > 1 {
        options.remove("SO_ERROR");
    }
    let differing = differing(letters, row);
    let call = differing.first().and_then(|(_, line)| line.trim().split_once('('));
    let call = call.map(|(call, _)| call).filter(|call| call.chars().all(is_of_a_name));
    let words = options.iter().map(String::as_str).chain([call.unwrap_or("frames")]);
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" ")
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
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

#[cfg(test)]
mod tests {
    use harness::trace::{Did, End, Event};

    use super::*;
    use crate::results;

    /// What a kernel says of an option's default: 0, or where it `fails`, that it knows none such.
    fn line(subject: &str, option: &str, fails: bool) -> Line {
        let tables = suites::tables();
        let id = format!("options/default[udp4,{option}]");
        let case = tables.iter().flat_map(|table| &table.cases).find(|case| case.id == id).unwrap();
        let end = if fails { "-1 ENOPROTOOPT" } else { "0, 0" };
        let outcome = format!("socket() = s\ngetsockopt(s, SOL_SOCKET, {option}) = {end}\n");
        let trace = harness::trace::Trace::new(&id, Vec::new(), Vec::new(), End::Done);
        let (baseline, expected, findings, remarks) = (None, None, Vec::new(), Vec::new());
        let (subject, case, verdict) =
            (subject.to_owned(), case.clone(), suites::verdict::Verdict::New);
        Line {
            subject,
            id,
            verdict,
            outcome,
            baseline,
            expected,
            findings,
            remarks,
            unexpected: Vec::new(),
            case,
            trace,
        }
    }

    /// On these kernels.
    fn run_of(lines: Vec<Line>) -> Run {
        let kernel = Fingerprint { system: "Linux".to_owned(), ..Fingerprint::default() };
        let subject = |name| results::subject(name, &kernel, lines.len(), None);
        let mut manifest = results::manifest(subject("old"), &[]);
        manifest.subjects.push(subject("new"));
        Run { manifest, lines, cut: false }
    }

    /// A kernel without `CONFIG_TCP_AO` was listed as one that had changed.
    #[test]
    fn what_a_host_lacks_is_no_change() {
        let mut lacking = line("new", "SO_DEBUG", true);
        let did = Did::Unsupported { name: "TCP_AO_INFO".to_owned() };
        lacking.trace.events.push(Event::Call { op: 1, at_ns: 0, took_ns: 0, addr: None, did });
        let had = line("old", "SO_DEBUG", false);
        let changed = |new: Line| groups(&run_of(vec![had.clone(), new])).0.len();
        assert_eq!(changed(line("new", "SO_DEBUG", true)), 1);
        assert_eq!(changed(lacking), 0);
        let reason = "no root".to_owned();
        for end in [End::Skipped { reason: reason.clone() }, End::Broken { reason }] {
            let mut nothing = line("new", "SO_DEBUG", true);
            nothing.trace.end = end;
            assert_eq!(changed(nothing), 0);
        }
    }

    #[test]
    fn each_option_that_changed_is_named() {
        let names = ["SO_RCVMARK", "SO_TXREHASH", "SO_BROADCAST"];
        let run = run_of(
            names
                .iter()
                .flat_map(|name| {
                    [line("old", name, *name != "SO_BROADCAST"), line("new", name, false)]
                })
                .collect(),
        );
        let page = page(&run);
        for name in &names[..2] {
            assert!(page.contains(&format!("`{name}` `getsockopt`: one row, ")), "{page}");
            let who = "A `-1 ENOPROTOOPT`: old; B `0, 0`: new";
            assert!(page.contains(&format!("| `{name}` `getsockopt` | 1 | {who} |")), "{page}");
        }
        // What is the same on both is not told.
        assert!(
            page.contains("3 cases, of which 2 are") && !page.contains("SO_BROADCAST"),
            "{page}"
        );
    }

    /// Fifteen letters in a row are not read: the few are named, and the many are the others.
    #[test]
    fn those_that_agree_with_the_most_are_the_others() {
        let names = ["a", "b", "c", "d", "e", "f"];
        let lines: Vec<Line> =
            names.iter().map(|name| line(name, "SO_RCVMARK", *name == "c")).collect();
        let mut run = run_of(Vec::new());
        let subject = run.manifest.subjects[0].clone();
        let named = |name: &&str| Subject { name: (*name).to_owned(), ..subject.clone() };
        run.manifest.subjects = names.iter().map(named).collect();
        let row = Row { id: "x", lines: lines.iter().map(Some).collect() };
        let letters = ['A', 'A', 'B', 'A', 'A', 'A'];
        let told = who(&letters, &row, &run.manifest.subjects);
        assert_eq!(told, "A `0, 0`: the others; B `-1 ENOPROTOOPT`: c");
        // Who did not run it is with nobody.
        let told = who(&['A', '.', 'B', 'A', 'A', '.'], &row, &run.manifest.subjects);
        assert_eq!(told, "A `0, 0`: a, d, e; B `-1 ENOPROTOOPT`: c");
    }

    /// Where a case is about nothing else, it is about that.
    #[test]
    fn the_pending_error_is_named_where_it_is_alone() {
        let lines = [line("old", "SO_ERROR", true), line("new", "SO_ERROR", false)];
        let row = Row { id: "x", lines: lines.iter().map(Some).collect() };
        assert_eq!(about(&['A', 'B'], &row), "`SO_ERROR` `getsockopt`");
        let mut lines = [line("old", "SO_TXREHASH", true), line("new", "SO_TXREHASH", false)];
        let error = line("old", "SO_ERROR", true).case.ops;
        for line in &mut lines {
            line.case.ops.extend(error.clone());
        }
        let row = Row { id: "x", lines: lines.iter().map(Some).collect() };
        assert_eq!(about(&['A', 'B'], &row), "`SO_TXREHASH` `getsockopt`");
    }
}
