//! Runs as rows, columns and cells.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use harness::case::Os;
use harness::trace::{Event, Fingerprint};
use harness::verdict::Verdict;

use super::model::{
    Answer, Claim, Claimed, Column, Found, Input, Model, ModelError, Reason, Row, Source, Table,
    Texts,
};
use super::story::stories;
use super::word::{apart, word};
use crate::bundle::{Part, Tried, expectations};
use crate::repro::{Observed, Options, reproducer};
use crate::runs::{Finding, Known, Line, Rule, Subject};

/// Each value once, by number.
#[derive(Default)]
struct Once(HashMap<String, usize>, Vec<String>);

impl Once {
    fn number(&mut self, text: &str) -> usize {
        if let Some(number) = self.0.get(text) {
            return *number;
        }
        let number = self.1.len();
        self.0.insert(text.to_owned(), number);
        self.1.push(text.to_owned());
        number
    }
}

/// Texts by number, their lines by number.
#[derive(Default)]
struct Collected {
    lines: Once,
    numbers: HashMap<Vec<usize>, usize>,
    all: Vec<Vec<usize>>,
}

impl Collected {
    fn number(&mut self, text: &str) -> usize {
        let lines: Vec<usize> = text.lines().map(|line| self.lines.number(line)).collect();
        let Self { numbers, all, .. } = self;
        *numbers.entry(lines).or_insert_with_key(|lines| {
            all.push(lines.clone());
            all.len() - 1
        })
    }
}

/// The place of a value in a list, at whose end it is put if it is not there.
fn number<T: Clone + PartialEq>(list: &mut Vec<T>, value: &T) -> usize {
    list.iter().position(|known| known == value).unwrap_or_else(|| {
        list.push(value.clone());
        list.len() - 1
    })
}

/// The numbers, runs of three and more as their ends.
fn ranges(numbers: &[usize]) -> Vec<i64> {
    let mut out = Vec::new();
    for run in numbers.chunk_by(|a, b| *b == a + 1) {
        let mut run = run.iter().map(|n| i64::try_from(*n).unwrap_or(i64::MAX));
        if run.len() < 3 {
            out.extend(run);
        } else {
            out.extend(run.next());
            out.extend(run.next_back().map(|last| -last));
        }
    }
    out
}

/// A subject with its lines by the case's id.
struct Answers<'a> {
    source: Source<'a>,
    subject: &'a Subject,
    lines: HashMap<&'a str, &'a Line>,
}

/// What the page shows.
pub fn model(input: Input<'_>) -> Result<Model, ModelError> {
    let mut columns = Vec::new();
    for source in input.runs {
        columns.extend(answers(*source)?);
    }
    let before = input.since.map(answers).transpose()?.unwrap_or_default();
    let mut builder = Builder::new(&columns, &before, input);
    let order: HashMap<&str, usize> = input.order.iter().copied().zip(0..).collect();
    let mut ids: Vec<&str> = columns.iter().flat_map(|c| c.lines.keys().copied()).collect();
    ids.sort_unstable_by_key(|id| (order.get(id).copied().unwrap_or(usize::MAX), *id));
    ids.dedup();
    let rows: Vec<Row> = ids.into_iter().map(|id| builder.row(id)).collect();
    let line = |row: usize, column: usize| columns[column].lines.get(rows[row].id.as_str());
    let case = |row: usize, column: usize| {
        let line = line(row, column)?;
        let steps = line.outcome.lines().count();
        Some((&line.case, &line.trace, steps, os(&columns[column].subject.kernel)))
    };
    let op = |row: usize, column: usize, found: usize| {
        line(row, column)
            .and_then(|line| line.findings.get(found))
            .and_then(|found| usize::try_from(found.op).ok())
            .unwrap_or_default()
    };
    Ok(Model {
        stories: stories(&rows, &case, &op),
        reasons: builder.reasons,
        means: builder.tags.1.iter().map(|tag| (input.means)(tag)).collect(),
        tags: builder.tags.1,
        columns: columns.iter().map(column).collect(),
        since: input.since.map(|since| since.name.to_owned()),
        rules: builder.rules.into_values().cloned().collect(),
        tables: builder.tables,
        known: builder.known,
        claims: builder.claims,
        words: builder.words.1,
        texts: Texts {
            lines: builder.texts.lines.1,
            texts: builder.texts.all.iter().map(|text| ranges(text)).collect(),
        },
        rows,
    })
}

/// The subjects of a run, whole or not at all.
fn answers(source: Source<'_>) -> Result<Vec<Answers<'_>>, ModelError> {
    let Source { name, run } = source;
    let subjects = run.manifest.subjects.iter();
    let mut answers: Vec<Answers<'_>> =
        subjects.map(|subject| Answers { source, subject, lines: HashMap::new() }).collect();
    for line in &run.lines {
        let (id, subject) = (line.id.clone(), line.subject.clone());
        let Some(of) = answers.iter_mut().find(|a| a.subject.name == line.subject) else {
            return Err(ModelError::Stranger { run: name.to_owned(), id, subject });
        };
        if of.lines.insert(&line.id, line).is_some() {
            return Err(ModelError::Twice { run: name.to_owned(), id, subject });
        }
    }
    for Answers { subject, lines, .. } in &answers {
        if run.cut || subject.ended.is_none() || lines.len() < subject.cases {
            return Err(ModelError::Cut {
                run: name.to_owned(),
                subject: subject.name.clone(),
                lines: lines.len(),
                cases: subject.cases,
            });
        }
    }
    if run.lines.is_empty() {
        return Err(ModelError::Empty { run: name.to_owned() });
    }
    Ok(answers)
}

fn column(answers: &Answers<'_>) -> Column {
    let Subject { kernel, platforms, name, program, revision, seed, began_ns, .. } =
        answers.subject;
    let Fingerprint { system, release, version, machine, euid, libc, product, limits: _ } = kernel;
    // What answers Linux's calls and is no Linux says so in its platforms alone.
    let general = kernel.platforms().pop().unwrap_or_default();
    let (system, build, uname) = match platforms.first() {
        Some(platform) if !platforms.contains(&general) => {
            (platform.clone(), String::new(), format!("{system} {release} {version}"))
        }
        _ => (system.clone(), release.clone(), version.clone()),
    };
    let who = if *euid == 0 { "root".to_owned() } else { format!("user {euid}") };
    let libc = if libc.is_empty() { String::new() } else { format!(", {libc}") };
    let product = product.as_ref().map_or_else(String::new, |product| {
        let filter = match product.content_filter {
            Some(true) => ", with a content filter",
            Some(false) => ", without a content filter",
            None => "",
        };
        format!(", {} ({}){filter}", product.version, product.build)
    });
    let revision = revision.as_ref().map_or_else(String::new, |r| format!(" ({r})"));
    let program = format!("{program}{revision}");
    let seed = seed.map_or_else(String::new, |seed| format!(", --shuffle {seed}"));
    Column {
        system,
        build,
        subject: name.clone(),
        run: answers.source.name.to_owned(),
        detail: format!("{uname} {machine}{libc}{product}, as {who}; sockeye {program}{seed}"),
        began: began_ns / 1_000_000_000,
        program,
    }
}

/// How the system's names read; what is not known here is shown as Linux has it.
fn os(kernel: &Fingerprint) -> Os {
    if kernel.system == "Darwin" { Os::Macos } else { Os::Linux }
}

struct Builder<'a> {
    columns: &'a [Answers<'a>],
    before: &'a [Answers<'a>],
    rules: BTreeMap<usize, &'a Rule>,
    numbers: HashMap<&'a str, usize>,
    questions: HashMap<&'a str, &'a str>,
    tables: Vec<Table>,
    known: Vec<Known>,
    input: Input<'a>,
    claims: Vec<Claim>,
    reasons: Vec<Reason>,
    tags: Once,
    words: Once,
    texts: Collected,
}

impl<'a> Builder<'a> {
    fn new(columns: &'a [Answers<'a>], before: &'a [Answers<'a>], input: Input<'a>) -> Self {
        let (mut rules, mut numbers, mut questions) =
            (BTreeMap::new(), HashMap::new(), HashMap::new());
        for manifest in columns.iter().map(|c| &c.source.run.manifest) {
            for rule in &manifest.rules {
                let next = numbers.len();
                let number = *numbers.entry(rule.name.as_str()).or_insert(next);
                rules.entry(number).or_insert(rule);
            }
            let asked = manifest.tables.iter();
            questions.extend(asked.map(|(table, asks)| (table.as_str(), asks.as_str())));
        }
        let (tables, known, claims) = (Vec::new(), Vec::new(), Vec::new());
        let (words, texts) = (Once::default(), Collected::default());
        Self {
            columns,
            before,
            rules,
            numbers,
            questions,
            tables,
            known,
            input,
            claims,
            reasons: Vec::new(),
            tags: Once::default(),
            words,
            texts,
        }
    }

    fn row(&mut self, id: &str) -> Row {
        let columns = self.columns;
        let there = || columns.iter().filter_map(|c| c.lines.get(id).map(|line| (c, *line)));
        let asked = || there().filter(|(_, line)| ran(line));
        let outcomes = outcomes(asked());
        let words: Vec<usize> = words(&outcomes).iter().map(|w| self.words.number(w)).collect();
        let mut answers: Vec<Answer> = Vec::new();
        let cells = columns.iter().map(|column| {
            let line = column.lines.get(id)?;
            let alike = |(_, known): &(_, &Line)| ran(line) && known.outcome == line.outcome;
            let group = outcomes.iter().position(alike);
            let answer = self.answer(column, line, group.map(|group| (group, words[group])));
            Some(number(&mut answers, &answer))
        });
        let cells = cells.collect();
        let case = there().next().map(|(_, line)| &line.case);
        let mut row = Row {
            id: id.to_owned(),
            title: case.map_or_else(String::new, |case| case.title.clone()),
            table: self.table(case.map_or("", |case| case.table())),
            answers,
            cells,
            outcomes: outcomes.len(),
            repro: None,
            tags: Vec::new(),
            reason: None,
        };
        if row.outcomes > 1 {
            let reason = (self.input.reason)(id);
            row.reason = reason.map(|reason| number(&mut self.reasons, &reason));
        }
        let tags = there().next().map(|(_, line)| (self.input.tags)(line)).unwrap_or_default();
        row.tags = tags.iter().map(|tag| self.tags.number(tag)).collect();
        if row.is_of_interest() {
            let odd = |(_, line): &(_, &Line)| {
                let odd = [Verdict::Deviates, Verdict::Changed, Verdict::Unexpected];
                odd.contains(&line.verdict)
            };
            let whose = asked().find(odd).or_else(|| asked().next());
            row.repro = whose.map(|(column, line)| {
                let text = Self::repro(column, line);
                self.texts.number(&text)
            });
        }
        row
    }

    fn table(&mut self, name: &str) -> usize {
        if let Some(number) = self.tables.iter().position(|table| table.name == name) {
            return number;
        }
        let question = self.questions.get(name).copied().unwrap_or_default().to_owned();
        self.tables.push(Table { name: name.to_owned(), question });
        self.tables.len() - 1
    }

    /// `group` is the number of the outcome and that of its word.
    fn answer(
        &mut self,
        column: &Answers<'_>,
        line: &Line,
        group: Option<(usize, usize)>,
    ) -> Answer {
        let (findings, remarks) = (self.found(&line.findings), self.found(&line.remarks));
        let said = (self.input.claims)(line, &column.subject.kernel);
        let claims = said.into_iter().map(|Claimed { claim, standing, why }| {
            (number(&mut self.claims, &claim), standing, why)
        });
        let claims = claims.collect();
        let expected = line
            .expected
            .as_ref()
            .map(|text| (line.baseline.clone().unwrap_or_default(), self.texts.number(text)));
        let before = self.before.iter().find(|b| b.subject.name == column.subject.name);
        let since = before.and_then(|before| before.lines.get(line.id.as_str()));
        let since = since
            .filter(|before| before.outcome != line.outcome)
            .map(|before| self.texts.number(&before.outcome));
        let word = match group {
            Some((_, word)) => word,
            None => self.words.number(&word(&line.case, &line.trace, os(&column.subject.kernel))),
        };
        let group = group.map(|(group, _)| group);
        let text = self.texts.number(&line.outcome);
        Answer {
            word,
            text,
            group,
            verdict: line.verdict,
            not_here: line.is_not_here(),
            unjudged: line.trace.is_unseen()
                || line.trace.events.iter().any(|event| matches!(event, Event::Began { .. })),
            findings,
            remarks,
            claims,
            expected,
            since,
            unexpected: line.unexpected.iter().map(ToString::to_string).collect(),
        }
    }

    fn found(&mut self, findings: &[Finding]) -> Vec<Found> {
        let one = |finding: &Finding| Found {
            rule: self.numbers.get(finding.rule.as_str()).copied(),
            name: finding.rule.clone(),
            rank: finding.rank(),
            text: finding.text.clone(),
            known: finding.known.as_ref().map(|known| number(&mut self.known, known)),
        };
        findings.iter().map(one).collect()
    }

    fn repro(column: &Answers<'_>, line: &Line) -> String {
        let kernel = &column.subject.kernel;
        let Fingerprint { system, release, version, .. } = kernel;
        let platform = column.subject.platforms.first().map_or("", String::as_str);
        let not_tried = Tried::Not(String::new());
        let part = Part::once(line, os(kernel), not_tried);
        let expected = expectations(&column.source.run.manifest.rules, &part);
        let observed = Observed {
            trace: &line.trace,
            platform,
            kernel: &format!("{system} {release} {version}"),
            outcome: &line.outcome,
        };
        let options = Options { os: os(kernel), observed: Some(observed), expected: &expected };
        reproducer(&line.case, &options)
    }
}

/// Whether the kernel was asked at all: what it has no name for is no answer of it.
fn ran(line: &Line) -> bool {
    !matches!(line.verdict, Verdict::Skipped | Verdict::Error) && !line.is_not_here()
}

/// Each outcome once, by who had it first: what most columns have first, what fewest have last.
fn outcomes<'a>(
    lines: impl Iterator<Item = (&'a Answers<'a>, &'a Line)>,
) -> Vec<(&'a Answers<'a>, &'a Line)> {
    let mut counted: Vec<(usize, (&Answers<'_>, &Line))> = Vec::new();
    for (column, line) in lines {
        match counted.iter_mut().find(|(_, (_, known))| known.outcome == line.outcome) {
            Some((count, _)) => *count += 1,
            None => counted.push((1, (column, line))),
        }
    }
    counted.sort_by_key(|(count, _)| Reverse(*count));
    counted.into_iter().map(|(_, outcome)| outcome).collect()
}

/// The words of a row's outcomes: where two have the same word, what tells them apart is added.
fn words(outcomes: &[(&Answers<'_>, &Line)]) -> Vec<String> {
    let plain: Vec<String> = outcomes
        .iter()
        .map(|(column, line)| word(&line.case, &line.trace, os(&column.subject.kernel)))
        .collect();
    let add = |(number, word): (usize, &String)| {
        let other = (0..plain.len()).find(|other| *other != number && plain[*other] == *word);
        other.map_or_else(
            || word.clone(),
            |other| {
                let (mine, theirs) = (&outcomes[number].1.outcome, &outcomes[other].1.outcome);
                format!("{word} · {}", apart(mine, theirs))
            },
        )
    };
    plain.iter().enumerate().map(add).collect()
}
