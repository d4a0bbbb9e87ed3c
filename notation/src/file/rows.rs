//! The rows of a table: each a case of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use harness::case::words::{MOST_OF_SENTENCE, is_line};
use harness::case::{Case, Lab, Op, Threads};
use harness::text::is_obeyed;

use super::line::{self, Made, Said, UNNAMED};
use super::table::{Condition, Parameter, Raw, fill, named};
use crate::asked::Asked;
use crate::fault::{Fault, nearest};
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
    /// Whether it has more lines than are read.
    pub(super) is_full: bool,
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
        self
    }

    /// Its comment as it stands there.
    pub(super) fn comment(&self) -> String {
        let lines = self.title.iter().map(|raw| raw.text.trim_start_matches('#').trim());
        lines.collect::<Vec<_>>().join(" ")
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
        if rows.len() > most { Err(too_many()) } else { Ok(rows) }
    }
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
    let mut maker = Maker { file, table, id, names, known, values: Vec::new() };
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

/// The most lines of all rows of a table: a case has as many steps in memory.
const MOST_STEPS: usize = 1_000_000;

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
}

/// A case of which some lines have been read.
struct Draft {
    case: Case,
    asked: Vec<Asked>,
    lines: Vec<u32>,
    /// The steps for which the text has no name of a socket.
    unnamed: Vec<usize>,
    threads: BTreeMap<String, Vec<u32>>,
    /// Whether a call or a step was read.
    begun: bool,
    /// The step that the frames of the next lines are of.
    beneath: Option<u32>,
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
                let told = line::read(&filled.text, 0).map_err(|fault| {
                    let at = filled.written(&fault.at);
                    Fault { at: raw.at + at.start..raw.at + at.end, ..fault }
                });
                known.insert(self.values.clone(), told.map_err(|fault| faults.push(fault)).ok());
            }
            match &known[&self.values] {
                None => is_whole = false,
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
        let lines = self.table.title.iter().map(|raw| {
            fill(raw.text.trim_start_matches('#').trim(), &self.table.parameters, row, true).text
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
        draft.check_names(self)?;
        let Err(says) = draft.case.check() else { return Ok(()) };
        // What is wrong with the beginning of a case is wrong with the last step of it.
        let mut part = draft.case.clone();
        part.threads = Threads::NONE;
        let lens: Vec<usize> = (0..=draft.case.ops.len()).collect();
        let first = lens.partition_point(|len| {
            part.ops = draft.case.ops[..*len].to_vec();
            part.check().is_ok()
        });
        let step = first.checked_sub(1).and_then(|step| draft.lines.get(step));
        let at = step.map_or_else(
            || self.table.at.range(),
            |line| {
                let named = says.split('"').nth(1).unwrap_or_default();
                let all = self.line(*line);
                if named.is_empty() { all } else { word_at(all, &self.table.lines, *line, named) }
            },
        );
        let says = match row {
            [] => says,
            _ => format!("{says}, in row {}", draft.case.id),
        };
        Err(Fault::new(at, says))
    }

    /// The bytes of a line.
    fn line(&self, number: u32) -> std::ops::Range<usize> {
        let raw = self.table.lines.iter().find(|(_, raw)| raw.number == number);
        raw.map_or_else(|| self.table.at.range(), |(_, raw)| raw.range())
    }
}

impl Draft {
    fn new(id: String, title: String) -> Self {
        let case = Case::new(id, title, Lab::default(), Vec::new());
        let (asked, lines, unnamed) = (Vec::new(), Vec::new(), Vec::new());
        Self { case, asked, lines, unnamed, threads: BTreeMap::new(), begun: false, beneath: None }
    }

    fn add(&mut self, said: Said, raw: &Raw<'_>) -> Result<(), Fault> {
        let above =
            |what: &str| Fault::new(raw.range(), format!("{what} stands above the first call"));
        let begun = self.begun;
        match said {
            Said::Title(title) if !begun => self.case.title = title,
            Said::Catalogue(rows) if !begun => self.case.catalogue.extend(rows),
            Said::Window(ms) if !begun => self.case.window_ms = ms,
            Said::Link(link) if !begun => self.case.lab.links.push(link),
            Said::Setup(step) if !begun => self.case.lab.setup.push(step),
            Said::Title(_) => return Err(above("a title")),
            Said::Catalogue(_) => return Err(above("the catalogue's rows")),
            Said::Window(_) => return Err(above("the window")),
            Said::Link(_) => return Err(above("a link")),
            Said::Setup(_) => {
                let fault = above("a step of the lab without --");
                return Err(fault.help(format!("write -- {}", raw.text)));
            }
            Said::Step { thread, op, made, asked } => {
                self.begun = true;
                let number = u32::try_from(self.case.ops.len()).unwrap_or(u32::MAX);
                if made == Made::Unnamed {
                    self.unnamed.push(self.case.ops.len());
                }
                if let Some(thread) = thread {
                    self.threads.entry(thread).or_default().push(number);
                }
                self.case.ops.push(op);
                self.lines.push(raw.number);
                self.beneath = Some(number);
                self.ask(number, asked, raw);
            }
            Said::Resumed { thread, call, asked } => {
                let last = self.threads.get(&thread).and_then(|steps| steps.last()).copied();
                let Some(step) = last else {
                    let says = format!("thread {thread} has made no call");
                    return Err(Fault::new(raw.range(), says));
                };
                let made = self.case.ops[step as usize].call();
                if made != call {
                    let says = format!("thread {thread} is in {made}, and this is {call}");
                    return Err(Fault::new(raw.range(), says));
                }
                self.beneath = Some(step);
                self.ask(step, Some(asked), raw);
            }
            Said::Frame(asked) => {
                let Some(last) = self.beneath else {
                    return Err(Fault::new(raw.range(), "a frame stands beneath a step"));
                };
                self.check_frame(last, &asked, raw)?;
                self.ask(last, Some(asked), raw);
            }
        }
        Ok(())
    }

    fn ask(&mut self, op: u32, asked: Option<crate::Demand>, raw: &Raw<'_>) {
        let (at, line) = (raw.range(), raw.number);
        self.asked.extend(asked.map(|what| Asked { op, at, line, what }));
    }

    /// That what is asked of frames can be so: on a link that there is, and not nothing and something at once.
    fn check_frame(&self, step: u32, asked: &crate::Demand, raw: &Raw<'_>) -> Result<(), Fault> {
        use crate::Demand::{Frame, NoFrame, Result as Returned};
        let leaves = |what: &crate::Demand| matches!(what, Frame(words) if words[0] == ">");
        let mut others = self.asked.iter().filter(|one| one.op == step).map(|one| &one.what);
        let clash = match asked {
            NoFrame => others.any(leaves),
            asked if leaves(asked) => others.any(|other| *other == NoFrame),
            _ => false,
        };
        if clash {
            return Err(Fault::new(
                raw.range(),
                "nothing leaves beneath this step, and something does",
            ));
        }
        let words = match asked {
            Frame(words) => words,
            NoFrame | Returned(_) => return Ok(()),
        };
        let links: Vec<&str> = self.case.lab.links.iter().map(|link| link.name.as_str()).collect();
        let link = words.get(1).map_or("", String::as_str);
        if link != "lo" && !links.contains(&link) {
            let at = word_at(raw.range(), &[(Condition::default(), raw.clone())], raw.number, link);
            let fault =
                Fault::new(at, format!("a frame is on a link, and the lab has no {link:?}"));
            return Err(fault.nearest(link, links.into_iter().chain(["lo"])));
        }
        let roles = ["own(", "neighbour(", "unresolved(", "silent("];
        if let Some(word) = words.iter().find(|word| roles.iter().any(|r| word.starts_with(r))) {
            let says = format!("{word} has an address in the line of a frame, such as 192.0.2.2");
            return Err(Fault::new(raw.range(), says));
        }
        Ok(())
    }

    /// Gives names to sockets that nobody asks for by name.
    fn name_the_unnamed(&mut self) {
        if self.unnamed.is_empty() {
            return;
        }
        let mut taken: HashSet<String> = HashSet::new();
        for (at, op) in self.case.ops.iter().enumerate() {
            taken.extend(op.uses().into_iter().map(str::to_owned));
            // Those without a name are in their order.
            if self.unnamed.binary_search(&at).is_err() {
                taken.extend(op.makes().into_iter().map(str::to_owned));
            }
        }
        let names = (1..).map(|number| format!("{UNNAMED}{number}"));
        let mut names = names.filter(|name| !taken.contains(name));
        for at in std::mem::take(&mut self.unnamed) {
            if let (Op::Socket { fd, .. } | Op::Accept { new: fd, .. }, Some(name)) =
                (&mut self.case.ops[at], names.next())
            {
                *fd = name;
            }
        }
    }

    /// That each socket that is named was made by then.
    fn check_names(&self, maker: &Maker<'_, '_>) -> Result<(), Fault> {
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for (op, line) in self.case.ops.iter().zip(&self.lines) {
            for name in op.uses() {
                if !known.contains(name) {
                    let fault = Fault::new(
                        word_at(maker.line(*line), &maker.table.lines, *line, name),
                        format!("no call before this one makes a socket {name}"),
                    );
                    return Err(match nearest(name, known.iter().copied()) {
                        Some(near) => fault.help(format!("did you mean {near}?")),
                        None => fault.help("name it where it is made: socket(…) = NAME"),
                    });
                }
            }
            known.extend(op.makes());
        }
        Ok(())
    }
}

/// Where on a line a word stands; all of the line if it is nowhere.
fn word_at(
    all: std::ops::Range<usize>,
    lines: &[(Condition, Raw<'_>)],
    number: u32,
    word: &str,
) -> std::ops::Range<usize> {
    let raw = lines.iter().find(|(_, raw)| raw.number == number).map(|(_, raw)| raw);
    let is_of = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let found = raw.and_then(|raw| {
        let mut places = raw.text.match_indices(word);
        let whole = |at: usize| {
            !raw.text[..at].ends_with(is_of) && !raw.text[at + word.len()..].starts_with(is_of)
        };
        let (at, _) = places.find(|(at, _)| whole(*at))?;
        Some(raw.at + at..raw.at + at + word.len())
    });
    found.unwrap_or(all)
}
