//! Cases of the user's own: files of text or JSON that stand where a pattern may stand.
//!
//! Who wrote them is not known. They are read with bounds, checked once, and say nothing of programs to run;
//! what they ask of an outcome is a verdict of its own, and the baselines of the suites are not theirs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use harness::case::{Case, Os};
use harness::trace::{Event, Trace};
use harness::verdict::Unexpected;
use notation::Written;
use suites::Table;
use suites::baseline::Baselines;
use suites::pattern::matches;
use suites::verdict::{Asked, Judgement, judge_own};

use crate::files::{self, Named, found, stem, text};
use crate::{UsageError, json};

/// The cases of a file in a suite's folder that are those of the suite: all but the id is the same.
fn twins(source: &Source) -> Vec<(String, Case)> {
    let folder = source.path.canonicalize().ok();
    let folder = folder.as_deref().and_then(Path::parent).and_then(Path::file_name);
    let Some(suite) = folder.and_then(|name| name.to_str()) else { return Vec::new() };
    let all = suites::tables().into_iter().flat_map(|table| table.cases);
    let all = all.filter(|case| case.suite() == suite);
    let all: HashMap<String, Case> = all.map(|case| (case.id.clone(), case)).collect();
    let twin = |written: &Written| {
        let case = &written.case;
        let (_, row) = case.id.split_once('/')?;
        let known = all.get(&format!("{suite}/{row}"))?;
        let same = Case { id: known.id.clone(), ..case.clone() } == *known;
        (same && written.asked.is_empty()).then(|| (case.id.clone(), known.clone()))
    };
    source.written.iter().filter_map(twin).collect()
}

/// The most cases of all files, which is what a table may have.
const MOST_OF_CASES: usize = 100_000;

/// Who is told what is wrong with a text, line by line.
pub type Hears<'h> = &'h mut dyn FnMut(&str);

/// A file of cases.
#[derive(Debug)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// How a run calls it.
    pub shown: String,
    /// What its cases' ids begin with.
    pub stem: String,
    /// What is in it.
    pub text: String,
    /// Its cases.
    pub written: Vec<Written>,
}

impl Source {
    /// Whether it is JSON, in which nothing is asked of an outcome.
    pub fn is_json(&self) -> bool {
        self.path.to_string_lossy().ends_with(".json")
    }

    /// Reads and checks a file. What is wrong with its text is told where it is, line by line to `hears`.
    fn read(path: &Path, hears: Hears<'_>) -> Result<Self, UsageError> {
        let (text, stem, shown) = (text(path)?, stem(path)?, files::shown(path));
        let name = path.display();
        let mut source = Self { path: path.to_owned(), shown, stem, text, written: Vec::new() };
        source.written = if source.is_json() {
            json::read(&source.stem, &source.text)
                .map_err(|e| UsageError(format!("{name}:{}:{}: {}", e.line, e.column, e.says)))?
        } else {
            notation::read(&source.stem, &source.text).map_err(|faults| {
                let told = notation::render(&faults, &name.to_string(), &source.text, false);
                told.lines().for_each(&mut *hears);
                let count = faults.len();
                let faults =
                    if count == 1 { "a mistake".into() } else { format!("{count} mistakes") };
                UsageError(format!("{name} has {faults}, and nothing ran"))
            })?
        };
        unlike_a_suite(path, &source.stem)?;
        if source.written.is_empty() {
            return Err(UsageError(format!("{name} has no case")));
        }
        let mut lines: HashMap<&str, u32> = HashMap::new();
        let mut tables: HashMap<String, &str> = HashMap::new();
        for Written { case, line, .. } in &source.written {
            let wrong = |why: String| UsageError(format!("{name}:{line}: {why}"));
            case.check().map_err(wrong)?;
            if case.runs_a_program() {
                let why = "a case of a file runs no program: `sockeye observe` does";
                return Err(wrong(why.to_owned()));
            }
            if let Some(first) = lines.insert(&case.id, *line) {
                return Err(wrong(format!("{} is on line {first} already", case.id)));
            }
            let other = tables.entry(case.table().to_ascii_lowercase()).or_insert(case.table());
            if *other != case.table() {
                let why = "differ in capitals alone, and their frames would be in one file";
                return Err(wrong(format!("{} and {other} {why}", case.table())));
            }
        }
        Ok(source)
    }

    /// Its tables, in the order of the text, with the cases that are wanted.
    fn tables(&self, is_wanted: impl Fn(&Case) -> bool) -> Vec<Table> {
        let mut tables: Vec<Table> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for Written { case, .. } in self.written.iter().filter(|written| is_wanted(&written.case)) {
            if let Some(place) = places.get(case.table()) {
                tables[*place].cases.push(case.clone());
                continue;
            }
            places.insert(case.table(), tables.len());
            let (name, question) = (case.table().to_owned(), case.title.clone());
            tables.push(Table::of(name.into(), question.into(), vec![case.clone()]));
        }
        tables
    }
}

/// Whether a case is called so: its id without the suite, or the beginning of that.
pub fn is_called(pattern: &str, id: &str) -> bool {
    id.split_once('/').is_some_and(|(_, rest)| matches(pattern, rest))
}

/// Refuses a name by which a file's cases would be taken for those of a suite.
pub fn unlike_a_suite(path: &Path, stem: &str) -> Result<(), UsageError> {
    let tables = suites::tables();
    let mut suites = tables.iter().filter_map(|table| table.name.split('/').next());
    suites.find(|suite| suite.eq_ignore_ascii_case(stem)).map_or(Ok(()), |suite| {
        let why = format!("its cases would be taken for those of the suite {suite}");
        Err(UsageError(format!("{}: {why}: give the file another name", path.display())))
    })
}

/// All cases that are a user's own.
#[derive(Debug, Default)]
pub struct Own {
    /// The files that they are from.
    pub sources: Vec<Source>,
    /// Where each case is: the file's number, and its own in the file.
    places: HashMap<String, (usize, usize)>,
    /// Those that are a suite's, byte for byte, as the suite has them.
    twins: HashMap<String, Case>,
    /// What was observed of them before, if that is kept beside them.
    before: Option<Baselines>,
}

impl Own {
    /// Reads what one word of the command line names, and gives the tables that it means. What is wrong with
    /// a text `hears` is told as a compiler tells it, line by line.
    pub fn add(&mut self, named: &Named, hears: Hears<'_>) -> Result<Vec<Table>, UsageError> {
        let mut tables = Vec::new();
        for path in found(&named.path)? {
            let number = self.source(&path, hears)?;
            let is_wanted = |case: &Case| {
                let called = |pattern: &String| is_called(pattern, &case.id);
                named.pattern.as_ref().is_none_or(called)
            };
            tables.extend(self.sources[number].tables(is_wanted));
        }
        match &named.pattern {
            Some(pattern) if tables.is_empty() => {
                let ids = self.places.keys().filter_map(|id| id.split_once('/'));
                let far = |word: &str| strsim::levenshtein(pattern, word);
                let near = ids.map(|(_, word)| (far(word), word)).min();
                let near = near.map_or("", |(_, word)| word);
                let path = named.path.display();
                Err(UsageError(format!("{path} has no case {pattern:?}; nearest is {near:?}")))
            }
            _ => Ok(tables),
        }
    }

    /// The number of a file, which is read once however often it is named.
    fn source(&mut self, path: &Path, hears: Hears<'_>) -> Result<usize, UsageError> {
        let same = |a: &Path, b: &Path| a == b || a.canonicalize().ok() == b.canonicalize().ok();
        if let Some(number) = self.sources.iter().position(|known| same(&known.path, path)) {
            return Ok(number);
        }
        let source = Source::read(path, hears)?;
        // Where a file system does not tell capitals apart their frames would be in one file.
        let other = |known: &&Source| known.stem.eq_ignore_ascii_case(&source.stem);
        if let Some(other) = self.sources.iter().find(other) {
            let both = format!("{} and {}", other.path.display(), path.display());
            let stem = &source.stem;
            return Err(UsageError(format!("the cases of {both} would both be called {stem}/…")));
        }
        let number = self.sources.len();
        self.twins.extend(twins(&source));
        for (at, written) in source.written.iter().enumerate() {
            self.places.insert(written.case.id.clone(), (number, at));
        }
        if self.places.len() > MOST_OF_CASES {
            return Err(UsageError(format!("these are more than {MOST_OF_CASES} cases")));
        }
        self.sources.push(source);
        Ok(number)
    }

    /// Has its cases judged by what was observed before.
    pub fn observed_in(&mut self, before: Baselines) {
        self.before = Some(before);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// The cases of all files that were read.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.sources.iter().flat_map(|source| &source.written).map(|written| &written.case)
    }

    fn of(&self, id: &str) -> Option<(&Source, &Written)> {
        let (source, at) = self.places.get(id)?;
        let source = &self.sources[*source];
        Some((source, &source.written[*at]))
    }

    /// The case as it was written, with what it asks.
    pub fn written(&self, id: &str) -> Option<&Written> {
        self.of(id).map(|(_, written)| written)
    }

    /// The word by which a user names a case again.
    pub fn word<'i>(&self, id: &'i str) -> std::borrow::Cow<'i, str> {
        let Some((source, _)) = self.of(id) else { return id.into() };
        let path = source.path.display();
        match id.split_once('/') {
            Some((_, rest)) if source.written.len() > 1 => format!("{path}:{rest}").into(),
            _ => path.to_string().into(),
        }
    }

    /// What a case asks of its outcome and did not come; nothing if it asks nothing.
    pub fn unmet(&self, case: &Case, trace: &Trace, os: Os) -> Vec<Unexpected> {
        let Some((source, written)) = self.of(&case.id) else { return Vec::new() };
        // A name that the system has not got ends a case there: what comes behind it is not asked.
        let end = trace.lacks().and_then(|_| {
            let mut calls = trace.events.iter().rev();
            calls.find(|event| matches!(event, Event::Call { .. })).map(Event::op)
        });
        let asked = |op: u32| end.is_none_or(|end| op < end);
        let unmet = written.unmet(trace, os).into_iter().filter(|unmet| asked(unmet.op));
        unmet
            .map(|unmet| Unexpected {
                file: source.shown.clone(),
                line: unmet.line,
                op: unmet.op,
                wanted: unmet.wanted,
                came: unmet.came,
            })
            .collect()
    }

    /// The case of a suite that a case of the suite's file is, and is judged as: whoever edits such a file is
    /// told of the rows that are new.
    pub fn twin(&self, case: &Case) -> Option<&Case> {
        self.twins.get(&case.id)
    }

    /// What a case comes to, if it is a user's own.
    pub fn judge(
        &self,
        case: &Case,
        trace: &Trace,
        os: Os,
        platforms: &[String],
    ) -> Option<Judgement> {
        let (_, written) = self.of(&case.id)?;
        let asks = written.is_judged_by(trace, os);
        let before = self.before.as_ref();
        let before = before.and_then(|before| before.expected(platforms, &case.id));
        let asked = Asked { asks, unmet: self.unmet(case, trace, os) };
        Some(judge_own(case, trace, os, before, asked))
    }
}
