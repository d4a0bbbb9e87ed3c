//! What is exported.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use harness::trace::{End, Event, Trace};
use harness::verdict::Verdict;

use crate::runs::{Diff, Line, Run, Subject, first_difference};

/// Everything that one file is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// As one line.
    pub title: String,
    /// One for each subject; for a difference, one.
    pub parts: Vec<Part>,
}

/// What one subject did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The subject's name.
    pub name: String,
    /// Which kernel, which program, which run: a name and a value each.
    pub properties: Vec<(&'static str, String)>,
    /// By name.
    pub tables: Vec<Table>,
    /// Whether it ended before its time: tests are missing.
    pub cut: bool,
}

/// The tests of one table, by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Such as `link-state/udp-sendto`.
    pub name: String,
    /// Its rows that ran.
    pub tests: Vec<Test>,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// The case's id.
    pub id: String,
    /// How long it took.
    pub took: Duration,
    /// What came of it.
    pub came: Came,
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// As expected.
    Passed,
    /// It deviates as it is known to; why.
    Known(Vec<String>),
    /// A user has to look.
    Failed {
        /// A word: `changed`, `deviates`, `differs`, `missing`.
        what: &'static str,
        /// The first lines that differ, or the rule that is broken, as one line each.
        lines: Vec<String>,
        /// The whole outcome; for a difference, both.
        text: String,
    },
    /// The harness failed; why.
    Broken(String),
    /// Nothing ran, or not the call that the case is about, or nothing is known to compare it with;
    /// why.
    Skipped(String),
}

/// What stands for the line that a shorter text has not got.
const NOTHING: &str = "(nothing more)";

impl Export {
    /// A run.
    pub fn of(run: &Run) -> Self {
        let parts: Vec<Part> = run
            .manifest
            .subjects
            .iter()
            .map(|subject| {
                let lines: Vec<&Line> =
                    run.lines.iter().filter(|line| line.subject == subject.name).collect();
                Part {
                    name: subject.name.clone(),
                    properties: properties(subject),
                    cut: subject.ended.is_none() || lines.len() < subject.cases,
                    tables: tables(lines.into_iter().map(|line| test(line, came(line)))),
                }
            })
            .collect();
        let cases: usize = parts.iter().flat_map(|p| &p.tables).map(|t| t.tests.len()).sum();
        let who: Vec<String> = run.manifest.subjects.iter().map(kernel).collect();
        Self { title: format!("{cases} cases on {}", who.join(", ")), parts }
    }

    /// How two subjects differ: what only one of them has counts as a difference.
    pub fn of_diff(diff: &Diff<'_>) -> Self {
        let names = [diff.sides[0].name.as_str(), diff.sides[1].name.as_str()];
        let shared = diff.shared().map(|(was, is)| {
            let Some([a, b]) = first_difference(&was.outcome, &is.outcome) else {
                return test(is, Came::Passed);
            };
            let lines = two([(names[0], a), (names[1], b)]);
            let text = format!("{}:\n{}{}:\n{}", names[0], was.outcome, names[1], is.outcome);
            test(is, Came::Failed { what: "differs", lines, text })
        });
        let only = |side: usize| {
            diff.only(side).map(move |line| {
                let lines = vec![format!("only in {}", names[side])];
                let text = line.outcome.clone();
                test(line, Came::Failed { what: "missing", lines, text })
            })
        };
        let mut all: Vec<Test> = shared.chain(only(0)).chain(only(1)).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        let properties = properties(diff.sides[1].subject);
        let (name, tables) = (names[1].to_owned(), tables(all));
        let part = Part { name, properties, tables, cut: false };
        Self { title: format!("{} against {}", names[1], names[0]), parts: vec![part] }
    }
}

fn kernel(subject: &Subject) -> String {
    format!("{} {}", subject.kernel.system, subject.kernel.release)
}

fn properties(subject: &Subject) -> Vec<(&'static str, String)> {
    let kernel = &subject.kernel;
    let mut properties = vec![
        ("subject", subject.name.clone()),
        ("system", kernel.system.clone()),
        ("release", kernel.release.clone()),
        ("version", kernel.version.clone()),
        ("machine", kernel.machine.clone()),
        ("euid", kernel.euid.to_string()),
    ];
    if !kernel.libc.is_empty() {
        properties.push(("libc", kernel.libc.clone()));
    }
    properties.push(("platforms", subject.platforms.join(" ")));
    properties.push(("sockeye", subject.program.clone()));
    properties.extend(subject.revision.clone().map(|revision| ("revision", revision)));
    properties.extend(subject.seed.map(|seed| ("seed", seed.to_string())));
    properties
}

fn test(line: &Line, came: Came) -> Test {
    Test { id: line.id.clone(), took: took(&line.trace), came }
}

/// From the case's begin to the end of its last event.
fn took(trace: &Trace) -> Duration {
    let end = |event: &Event| match event {
        Event::Call { at_ns, took_ns, .. } | Event::Lab { at_ns, took_ns, .. } => at_ns + took_ns,
        Event::Frame { at_ns, .. } | Event::Signal { at_ns, .. } => *at_ns,
    };
    Duration::from_nanos(trace.events.iter().map(end).max().unwrap_or(0))
}

fn tables(tests: impl IntoIterator<Item = Test>) -> Vec<Table> {
    let mut tables: BTreeMap<String, Vec<Test>> = BTreeMap::new();
    for test in tests {
        let name = test.id.split('[').next().unwrap_or_default().to_owned();
        tables.entry(name).or_default().push(test);
    }
    for tests in tables.values_mut() {
        tests.sort_by(|a, b| a.id.cmp(&b.id));
    }
    tables.into_iter().map(|(name, tests)| Table { name, tests }).collect()
}

fn came(line: &Line) -> Came {
    let broken: Vec<String> = line
        .findings
        .iter()
        .filter(|finding| finding.known.is_none())
        .map(|finding| format!("{}: {}", finding.rule, finding.text))
        .collect();
    match (&line.trace.end, line.verdict) {
        (End::Broken { reason }, _) => Came::Broken(reason.clone()),
        (_, Verdict::Error) => Came::Broken(line.outcome.clone()),
        (End::Skipped { reason }, _) => Came::Skipped(reason.clone()),
        (_, Verdict::Skipped) => Came::Skipped(line.outcome.clone()),
        (_, Verdict::Changed) => {
            let expected = line.expected.as_deref().unwrap_or_default();
            let baseline = line.baseline.as_deref().unwrap_or("the baseline");
            let mut lines = match first_difference(expected, &line.outcome) {
                Some([was, is]) => two([(baseline, was), ("this run", is)]),
                None => Vec::new(),
            };
            lines.extend(broken);
            Came::Failed { what: "changed", lines, text: line.outcome.clone() }
        }
        _ if !broken.is_empty() => {
            Came::Failed { what: "deviates", lines: broken, text: line.outcome.clone() }
        }
        (_, Verdict::New) => Came::Skipped("new: this platform has no baseline for it".to_owned()),
        _ if !line.findings.is_empty() => {
            let known = line.findings.iter().filter_map(|finding| finding.known.as_ref());
            Came::Known(known.map(|known| known.reason.clone()).collect())
        }
        _ => match line.trace.lacks() {
            Some(name) => Came::Skipped(format!("this system has not got {name}")),
            None => Came::Passed,
        },
    }
}

/// Two lines, each with the name of whose it is.
fn two(both: [(&str, Option<&str>); 2]) -> Vec<String> {
    let wide = both[0].0.chars().count().max(both[1].0.chars().count());
    both.iter().map(|(who, line)| format!("{who:wide$} {}", line.unwrap_or(NOTHING))).collect()
}

/// The text with what no format and no terminal takes said as an escape: control characters but for
/// the end of a line, and what is no character in XML.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{fffe}' | '\u{ffff}');
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    for c in text.chars() {
        if hidden(c) {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}
