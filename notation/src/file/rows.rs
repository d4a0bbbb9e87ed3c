//! The rows of a table: each a case of its own.

use std::collections::HashMap;
use std::ops::Range;

use harness::case::Threads;
use harness::case::words::{MOST_OF_SENTENCE, is_line};
use harness::text::is_obeyed;

use super::condition::Condition;
use super::draft::Draft;
use super::line::{self, Said};
use super::table::{Filled, MOST_FILLED, Parameter, Raw, fill, named};
use crate::fault::Fault;
use crate::{LeftOut, MOST_ROWS, Written};

/// A table as it is written.
#[derive(Clone, Debug)]
pub(super) struct Table<'t> {
    /// Where it begins.
    pub(super) at: Raw<'t>,
    pub(super) name: &'t str,
    /// Its comment.
    pub(super) title: Vec<Raw<'t>>,
    pub(super) title_is_over: bool,
    /// Whether it has more than is read.
    pub(super) is_full: bool,
    /// Of which rows the last step is, of those of which a frame beneath it is.
    pub(super) step: Condition,
    /// What its conditions and lists weigh.
    pub(super) weight: usize,
    pub(super) parameters: Vec<Parameter<'t>>,
    /// The combinations that are no rows, and why each is none.
    pub(super) without: Vec<(Condition, &'t str)>,
    /// How many of its lines are those of each case.
    pub(super) shared: usize,
    /// The other lines, each with the rows that it is for.
    pub(super) lines: Vec<(Condition, Raw<'t>)>,
}

impl<'t> Table<'t> {
    pub(super) fn new(at: Raw<'t>, name: &'t str) -> Self {
        Self {
            at,
            name,
            title: Vec::new(),
            title_is_over: false,
            is_full: false,
            step: Condition::default(),
            weight: 0,
            parameters: Vec::new(),
            without: Vec::new(),
            shared: 0,
            lines: Vec::new(),
        }
    }

    /// Whether a comment that stands here is its title.
    pub(super) fn may_be_titled(&self) -> bool {
        !self.title_is_over
    }

    /// The same with what is said of each case before what is said of this one.
    pub(super) fn with(mut self, each: &Self) -> Self {
        self.parameters.clone_from(&each.parameters);
        self.without.clone_from(&each.without);
        self.shared = each.lines.len();
        self.lines.clone_from(&each.lines);
        self.step.clone_from(&each.step);
        self.weight = each.weight;
        self
    }

    /// What it costs to have it for each case.
    pub(super) fn cost(&self) -> usize {
        self.lines.len() + self.without.len() + self.weight
    }

    /// Its comment as it stands there.
    pub(super) fn comment(&self) -> String {
        let lines = self.title.iter().map(|raw| raw.text.trim_start_matches('#').trim());
        lines.take(self.question()).collect::<Vec<_>>().join(" ")
    }

    /// How many lines of its comment are its question: what stands beneath is where it comes from.
    fn question(&self) -> usize {
        let ends = |raw: &Raw<'_>| raw.text.trim_end().ends_with('?');
        self.title.iter().position(ends).map_or(self.title.len(), |at| at + 1)
    }

    /// What ids begin with, and the parameters that are parts of them: in the order in which they stand between the
    /// brackets behind the name, or else in which they are said.
    fn id(&self) -> Result<(&'t str, Vec<usize>), Fault> {
        let of_ids = self.parameters.iter().enumerate().filter(|(_, one)| one.is_of_ids);
        let said: Vec<usize> = of_ids.map(|(number, _)| number).collect();
        let Some((name, listed)) = self.name.split_once('[').filter(|_| !said.is_empty()) else {
            return Ok((self.name, said));
        };
        let words = listed.trim_end_matches(']').split(',').map(str::trim);
        let number = |word: &str| said.iter().copied().find(|at| self.parameters[*at].name == word);
        let order: Vec<usize> = words.map(number).collect::<Option<_>>().unwrap_or_default();
        if order.len() != said.len() || !said.iter().all(|one| order.contains(one)) {
            let names = said.iter().map(|at| self.parameters[*at].name).collect::<Vec<_>>();
            let says = format!("between the brackets each of {} stands once", names.join(", "));
            return Err(Fault::new(self.at.part(listed), says));
        }
        Ok((name, order))
    }

    /// The numbers of the values of each row, the last parameter changing the fastest; `most` rows at the most.
    fn rows(&self, most: usize) -> Result<Vec<Vec<usize>>, Fault> {
        let too_many = || {
            let says = format!("a file has {MOST_ROWS} rows at the most, and this one has more");
            Fault::new(self.at.range(), says)
        };
        let mut rows = vec![Vec::new()];
        for (number, parameter) in self.parameters.iter().enumerate() {
            let above = &self.parameters[..number];
            looked_at(rows.len(), parameter.lists(), "lists").map_err(|says| self.says(says))?;
            let mut longer = Vec::new();
            for row in rows {
                let values = parameter.in_rows(&row, above)?;
                if longer.len() + values.len() > most {
                    return Err(too_many());
                }
                longer.extend(values.map(|value| [&row[..], &[value]].concat()));
            }
            rows = longer;
        }
        looked_at(rows.len(), self.without.len(), "lines of without")
            .map_err(|says| self.says(says))?;
        if rows.len() > most { Err(too_many()) } else { Ok(rows) }
    }

    fn says(&self, says: String) -> Fault {
        Fault::new(self.at.range(), says)
    }
}

/// That for each row no more than so many of these are looked at.
fn looked_at(rows: usize, of: usize, what: &str) -> Result<(), String> {
    let all = rows.saturating_mul(of);
    if all <= MOST_LOOKS {
        return Ok(());
    }
    Err(format!("rows by {what} are {all}, and {MOST_LOOKS} are the most"))
}

/// What a line says, by the values of the parameters that it names: most lines name few.
type Known = HashMap<Vec<usize>, Option<Said>>;

/// The cases of a table, `most` of them at the most.
pub(super) fn of(file: &str, table: &Table<'_>, most: usize, faults: &mut Vec<Fault>) -> Rows {
    let (rows, id) = match table.rows(most).and_then(|rows| Ok((rows, table.id()?))) {
        Ok(both) => both,
        Err(fault) => {
            faults.push(fault);
            return Rows::default();
        }
    };
    let steps = rows.len().saturating_mul(table.lines.len());
    if steps > MOST_STEPS {
        let says = format!("rows by lines are {steps}, and {MOST_STEPS} are the most");
        faults.push(Fault::new(table.at.range(), says));
        return Rows::default();
    }
    let names: Vec<Vec<usize>> = table
        .lines
        .iter()
        .map(|(_, raw)| named(raw.text, &table.parameters, is_text(raw.text)))
        .collect();
    let known = vec![Known::new(); names.len()];
    let mut maker = Maker { file, table, id, names, known, values: Vec::new(), filled: 0 };
    let mut written = Vec::with_capacity(rows.len());
    let mut left_out = Vec::new();
    let before = faults.len();
    for row in &rows {
        match table.without.iter().find(|(without, _)| without.holds(row)) {
            Some((_, why)) => {
                left_out.push(LeftOut { id: maker.id(row), why: (*why).to_owned() });
            }
            None => written.extend(maker.row(row, faults)),
        }
        if maker.filled > MOST_TEXT {
            let says = format!("the lines of all rows have more than {MOST_TEXT} bytes");
            faults.push(Fault::new(table.at.range(), says));
            break;
        }
        // One row of a table is as wrong as the next one.
        if faults.len() > before + MOST_FAULTS {
            break;
        }
    }
    if written.is_empty() && faults.len() == before {
        faults.push(Fault::new(table.at.range(), "this table has no rows"));
    }
    Rows { written, left_out }
}

/// What becomes of a table.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) written: Vec<Written>,
    pub(super) left_out: Vec<LeftOut>,
}

/// The most conditions that are looked at for all rows of a table.
const MOST_LOOKS: usize = 10_000_000;

/// The most bytes of the different lines of a table, with its parameters replaced.
const MOST_TEXT: usize = 64 << 20;

/// The most lines of all rows of a table: a case has as many steps in memory.
pub(super) const MOST_STEPS: usize = 1_000_000;

/// After so many faults of a table nobody reads on.
const MOST_FAULTS: usize = 50;

/// Whether parameters stand between `{}` in such a line.
fn is_text(line: &str) -> bool {
    ["title ", "catalogue "].iter().any(|word| line.starts_with(word))
}

struct Maker<'m, 't> {
    file: &'m str,
    table: &'m Table<'t>,
    /// What ids begin with, and the parameters that they have.
    id: (&'t str, Vec<usize>),
    /// Which parameters each line names.
    names: Vec<Vec<usize>>,
    /// What each line says.
    known: Vec<Known>,
    /// The values of the parameters that a line names, of one line after another.
    values: Vec<usize>,
    /// How many bytes were filled in.
    filled: usize,
}

/// What a line says in a row.
fn said(filled: Option<Filled<'_>>, raw: &Raw<'_>) -> Result<Said, Fault> {
    let Some(filled) = filled else {
        let says = format!("in a row this line has more than {MOST_FILLED} bytes");
        return Err(Fault::new(raw.range(), says));
    };
    line::read(&filled.text, 0).map_err(|fault| {
        let at = filled.written(&fault.at);
        Fault { at: raw.at + at.start..raw.at + at.end, ..fault }
    })
}

impl Maker<'_, '_> {
    fn row(&mut self, row: &[usize], faults: &mut Vec<Fault>) -> Option<Written> {
        let title = self.title(row);
        let mut is_whole = true;
        if !is_line(&title, MOST_OF_SENTENCE) {
            faults.push(self.wrong_title());
            is_whole = false;
        }
        let mut draft = Draft::new(self.id(row), title);
        for (number, (only, raw)) in self.table.lines.iter().enumerate() {
            // What each case begins with is above what this one says.
            draft.begun &= number != self.table.shared;
            if !only.holds(row) {
                continue;
            }
            self.values.clear();
            self.values.extend(self.names[number].iter().map(|parameter| row[*parameter]));
            let parameters = &self.table.parameters;
            let known = &mut self.known[number];
            if !known.contains_key(&self.values) {
                let filled = fill(raw.text, parameters, row, is_text(raw.text));
                self.filled += filled.as_ref().map_or(MOST_FILLED, |filled| filled.text.len());
                let told = said(filled, raw);
                known.insert(self.values.clone(), told.map_err(|fault| faults.push(fault)).ok());
            }
            match &known[&self.values] {
                None => {
                    is_whole = false;
                    draft.is_partial = true;
                }
                Some(said) => {
                    if let Err(fault) = draft.add(said.clone(), raw) {
                        faults.push(fault);
                        is_whole = false;
                    }
                }
            }
        }
        if !is_whole {
            return None;
        }
        if draft.case.ops.is_empty() {
            let fault = Fault::new(self.table.at.range(), "this case has no steps");
            faults.push(fault);
            return None;
        }
        draft.name_the_unnamed();
        draft.case.threads = Threads(std::mem::take(&mut draft.threads));
        if let Err(fault) = self.check(&draft, row) {
            faults.push(fault);
            return None;
        }
        let line = self.table.at.number;
        Some(Written { case: draft.case, asked: draft.asked, lines: draft.lines, line })
    }

    fn id(&self, row: &[usize]) -> String {
        let (name, parts) = &self.id;
        let id = format!("{}/{name}", self.file);
        if parts.is_empty() {
            return id;
        }
        let parts = parts.iter().map(|at| self.table.parameters[*at].values[row[*at]].label);
        format!("{id}[{}]", parts.collect::<Vec<_>>().join(","))
    }

    fn title(&self, row: &[usize]) -> String {
        let lines = self.table.title.iter().take(self.table.question()).map(|raw| {
            let line = raw.text.trim_start_matches('#').trim();
            // One that is too long is no title, with whatever stands in it.
            fill(line, &self.table.parameters, row, true).map_or(line.into(), |filled| filled.text)
        });
        lines.collect::<Vec<_>>().join(" ")
    }

    /// Where the title is wrong: at the first character that is not seen, or all of it is too long.
    fn wrong_title(&self) -> Fault {
        let lines = &self.table.title;
        let unseen = lines.iter().find_map(|raw| {
            let (at, c) = raw.text.char_indices().find(|(_, c)| is_obeyed(*c))?;
            let range = raw.at + at..raw.at + at + c.len_utf8();
            Some(Fault::new(range, format!("a title has no character that is not seen: {c:?}")))
        });
        let all = lines.first().map_or(0..0, Raw::range);
        let long = || format!("a title has {MOST_OF_SENTENCE} characters at the most");
        unseen.unwrap_or_else(|| Fault::new(all, long()))
    }

    /// That the whole is a case, or where it is not.
    fn check(&self, draft: &Draft, row: &[usize]) -> Result<(), Fault> {
        draft.check_names(|line, name| self.word(line, name))?;
        let Err(says) = draft.case.check() else { return Ok(()) };
        // What is wrong with the beginning of a case is wrong with the last step of it.
        let mut part = draft.case.clone();
        let threads = &draft.case.threads.0;
        let until = |len: usize| {
            let steps =
                |all: &[u32]| all.iter().copied().filter(|at| (*at as usize) < len).collect();
            let part = threads.iter().map(|(name, all)| (name.clone(), steps(all)));
            Threads(part.filter(|(_, steps): &(_, Vec<u32>)| !steps.is_empty()).collect())
        };
        let lens: Vec<usize> = (0..=draft.case.ops.len()).collect();
        let first = lens.partition_point(|len| {
            part.ops = draft.case.ops[..*len].to_vec();
            part.threads = until(*len);
            part.check().is_ok()
        });
        let step = match first.checked_sub(1) {
            Some(step) => draft.lines.get(step),
            None => wrong_setup(draft),
        };
        let at = step.map_or_else(
            || self.table.at.range(),
            |line| {
                let named = says.split('"').nth(1).unwrap_or_default();
                let all = self.line(*line);
                if named.is_empty() { all } else { self.word(*line, named) }
            },
        );
        let says = match row {
            [] => says,
            _ => format!("{says}, in row {}", draft.case.id),
        };
        Err(Fault::new(at, says))
    }

    /// The bytes of a word of a line.
    fn word(&self, number: u32, word: &str) -> Range<usize> {
        let raw = self.table.lines.iter().find(|(_, raw)| raw.number == number);
        raw.map_or_else(|| self.table.at.range(), |(_, raw)| raw.word(word))
    }

    /// The bytes of a line.
    fn line(&self, number: u32) -> Range<usize> {
        let raw = self.table.lines.iter().find(|(_, raw)| raw.number == number);
        raw.map_or_else(|| self.table.at.range(), |(_, raw)| raw.range())
    }
}

/// The line of the first thing done to the lab that is wrong, where that is what is wrong.
fn wrong_setup(draft: &Draft) -> Option<&u32> {
    let mut part = draft.case.clone();
    part.ops = Vec::new();
    part.threads = Threads::NONE;
    let setup = std::mem::take(&mut part.lab.setup);
    let lens: Vec<usize> = (0..=setup.len()).collect();
    let first = lens.partition_point(|len| {
        part.lab.setup = setup[..*len].to_vec();
        part.check().is_ok()
    });
    draft.setup.get(first.checked_sub(1)?)
}
