//! What is exported.

use std::collections::BTreeMap;
use std::time::Duration;

use harness::trace::{End, Event, Trace};
use harness::verdict::{Rank, Unexpected, Verdict};

use crate::runs::{Diff, Finding, Line, Run, Subject, first_difference};

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
    /// Of which ranks rules are broken, known or not, the highest first.
    pub ranks: Vec<Rank>,
    /// What is undocumented in it, as one line each: it changes nothing of what came of it.
    pub remarks: Vec<String>,
    /// In which file and on which line of it stands what did not come, if the case is written in one.
    pub place: Option<(String, u32)>,
}

impl Test {
    /// The remarks as text, if there are any.
    pub(super) fn remarked(&self) -> Option<String> {
        let all = || self.remarks.iter().map(|remark| format!("{}: {remark}", Rank::Undocumented));
        (!self.remarks.is_empty()).then(|| all().collect::<Vec<_>>().join("\n"))
    }
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
        /// A word: `changed`, `unexpected`, the highest rank of what nobody knew, `differs`, `missing`.
        what: &'static str,
        /// The first lines that differ, or the rule that is broken, as one line each.
        lines: Vec<String>,
        /// The whole outcome; for a difference, both.
        text: String,
    },
    /// The harness failed; why.
    Broken(String),
    /// Nothing ran, or nothing is known to compare it with; why.
    Skipped(String),
    /// It has no meaning there: it ended at a name that the system has not got; why.
    NotHere(String),
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
        // What either side breaks is another question than how they differ.
        let plain =
            |test: Test| Test { ranks: Vec::new(), remarks: Vec::new(), place: None, ..test };
        let mut all: Vec<Test> = shared.chain(only(0)).chain(only(1)).map(plain).collect();
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
    let mut ranks: Vec<Rank> = line.broken().map(Finding::rank).collect();
    ranks.sort_unstable();
    ranks.dedup();
    let remarks = line.remarks.iter().map(said).collect();
    let place = line.unexpected.first().map(|first| (first.file.clone(), first.line));
    Test { id: line.id.clone(), took: took(&line.trace), came, ranks, remarks, place }
}

/// From the case's begin to the end of its last event.
fn took(trace: &Trace) -> Duration {
    let end = |event: &Event| match event {
        Event::Call { at_ns, took_ns, .. } | Event::Lab { at_ns, took_ns, .. } => at_ns + took_ns,
        Event::Began { at_ns, .. } | Event::Frame { at_ns, .. } | Event::Signal { at_ns, .. } => {
            *at_ns
        }
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

/// A finding as one line.
fn said(finding: &Finding) -> String {
    format!("{}: {}", finding.rule, finding.text)
}

fn came(line: &Line) -> Came {
    let unknown = || line.findings.iter().filter(|finding| finding.known.is_none());
    let broken: Vec<String> = unknown().map(said).collect();
    match (&line.trace.end, line.verdict) {
        (End::Broken { reason }, _) => Came::Broken(reason.clone()),
        (_, Verdict::Error) => Came::Broken(line.outcome.clone()),
        (End::Skipped { reason }, _) => Came::Skipped(reason.clone()),
        (_, Verdict::Skipped) => Came::Skipped(line.outcome.clone()),
        (_, Verdict::Unexpected) => {
            let mut lines: Vec<String> = line.unexpected.iter().flat_map(asked).collect();
            lines.extend(broken);
            Came::Failed { what: "unexpected", lines, text: line.outcome.clone() }
        }
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
            let what = unknown().map(Finding::rank).min().map_or("deviates", Rank::word);
            Came::Failed { what, lines: broken, text: line.outcome.clone() }
        }
        _ if line.is_not_here() => {
            let name = line.trace.lacks().unwrap_or_default();
            Came::NotHere(format!("this system has not got {name}"))
        }
        (_, Verdict::New) => Came::Skipped("new: this platform has no baseline for it".to_owned()),
        _ if !line.findings.is_empty() => {
            let known = line.findings.iter().filter_map(|finding| finding.known.as_ref());
            Came::Known(known.map(|known| known.reason.clone()).collect())
        }
        _ => Came::Passed,
    }
}

/// What was asked and what came, each as lines of its own.
fn asked(unexpected: &Unexpected) -> Vec<String> {
    let mut came = unexpected.came.lines();
    let first = came.next().unwrap_or(NOTHING);
    let both = [("asked", unexpected.wanted.as_str()), ("came", first)];
    let both = both.map(|(who, what)| format!("{}: {who:5} {what}", unexpected.place()));
    both.into_iter()
        .chain(came.map(|more| format!("{}:       {more}", unexpected.place())))
        .collect()
}

/// Two lines, each with the name of whose it is.
fn two(both: [(&str, Option<&str>); 2]) -> Vec<String> {
    // A name may be longer than a width that Rust's formatting takes.
    let wide = both[0].0.chars().count().max(both[1].0.chars().count()).min(200);
    both.iter().map(|(who, line)| format!("{who:wide$} {}", line.unwrap_or(NOTHING))).collect()
}

/// What a known deviation is called.
pub(super) fn known(test: &Test, reasons: &[String]) -> String {
    let rank = test.ranks.first().map_or("deviates", |rank| rank.word());
    format!("{rank}, known: {}", reasons.join(" "))
}

/// In how many cases of a part there are findings of each rank, as `surprises: 3 cases`; nothing of a
/// rank that was not found.
pub(super) fn by_rank(part: &Part) -> Vec<String> {
    let line = |rank: Rank| {
        let tests = part.tables.iter().flat_map(|table| &table.tests);
        match tests.filter(|test| test.ranks.contains(&rank)).count() {
            0 => None,
            1 => Some(format!("{rank}: 1 case")),
            n => Some(format!("{rank}: {n} cases")),
        }
    };
    Rank::ALL.into_iter().filter_map(line).collect()
}
