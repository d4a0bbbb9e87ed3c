//! A text read into tables, and these into cases.

use harness::case::words::is_id;

use super::condition::Condition;
use super::rows::{self, MOST_STEPS, Rows, Table};
use super::table::{Raw, condition, definition, list};
use crate::fault::Fault;
use crate::{MOST_ROWS, Written};

/// The most lines of one case. It has no more steps (`Case::check`).
const MOST_LINES: usize = 8_192;

/// The cases of a text, in their order. `file` is what their ids begin with: a word, such as the name of
/// a file without its ending. If anything is wrong, it is all that is wrong.
pub fn read(file: &str, text: &str) -> Result<Vec<Written>, Vec<Fault>> {
    Ok(tables(file, text)?.into_iter().flat_map(|table| table.written).collect())
}

/// The same by tables.
pub fn tables(file: &str, text: &str) -> Result<Vec<crate::Table>, Vec<Fault>> {
    let mut faults = Vec::new();
    let tables = unmade(text, &mut faults);
    let mut made: Vec<crate::Table> = Vec::new();
    let mut left = MOST_ROWS;
    for table in &tables {
        let Rows { written, left_out } = rows::of(file, table, left, &mut faults);
        left = left.saturating_sub(written.len());
        let name = format!("{file}/{}", table.name.split('[').next().unwrap_or_default());
        made.push(crate::Table { name, question: table.comment(), written, left_out });
    }
    // A run has a file for each: where a file system does not tell capitals apart, one is the other.
    let names = tables.iter().map(|t| (t.name.to_ascii_lowercase(), t.at.number, t));
    let mut names: Vec<_> = names.collect();
    names.sort_unstable_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    for two in names.windows(2).filter(|two| two[0].0 == two[1].0) {
        let (first, second) = (two[0].2, two[1].2);
        let says = format!("there is a case {} already", first.name);
        let fault = Fault::new(second.at.range(), says);
        faults.push(if first.name == second.name {
            fault
        } else {
            fault.help("give it a name that differs in more than capitals: files are called so")
        });
    }
    if tables.is_empty() && faults.is_empty() {
        faults.push(
            Fault::new(0..text.len(), "there is no case here")
                .help("a case is at least one call, such as socket(AF_INET, SOCK_DGRAM, 0) = s"),
        );
    }
    if faults.is_empty() {
        return Ok(made);
    }
    faults.sort_by_key(|fault| fault.at.start);
    faults.dedup();
    Err(faults)
}

/// The text in tables, before any of their rows is made.
fn unmade<'t>(text: &'t str, faults: &mut Vec<Fault>) -> Vec<Table<'t>> {
    let mut tables: Vec<Table<'t>> = Vec::new();
    // Comments that may be the title of what follows: those that stand together above it.
    let mut comments: Vec<Raw<'t>> = Vec::new();
    // What is said of each case.
    let mut each: Option<Table<'t>> = None;
    let mut all = lines(text).peekable();
    while let Some(mut raw) = all.next() {
        while goes_on(raw.text) {
            let Some(next) = all.next_if(|next| !next.text.is_empty()) else { break };
            raw.text = &text[raw.at..next.at + next.text.len()];
        }
        if raw.text.is_empty() {
            if let Some(table) = tables.last_mut() {
                table.title_is_over |= !table.title.is_empty();
            }
            comments.clear();
            continue;
        }
        if raw.text == "each case" {
            comments.clear();
            if each.is_some() || !tables.is_empty() {
                faults
                    .push(Fault::new(raw.range(), "each case is said once, above the first case"));
            } else {
                each = Some(Table::new(raw, "each"));
            }
            continue;
        }
        if raw.text.starts_with('#') {
            if let Some(table) = tables.last_mut().filter(|table| table.may_be_titled()) {
                table.title.push(raw);
            } else {
                comments.push(raw);
            }
            continue;
        }
        if let Some(name) = name(&raw, faults) {
            let title = std::mem::take(&mut comments);
            let over = !title.is_empty();
            let begun = Table { title, title_is_over: over, ..Table::new(raw, name) };
            if let Err(fault) = begun_with(&mut tables, begun, each.as_ref()) {
                faults.push(fault);
                return Vec::new();
            }
            continue;
        }
        if let Some(each) = each.as_mut().filter(|_| tables.is_empty()) {
            comments.clear();
            add(each, &raw).unwrap_or_else(|fault| faults.push(fault));
            continue;
        }
        if tables.is_empty() {
            let title = std::mem::take(&mut comments);
            let first = Table { title, title_is_over: true, ..Table::new(raw.clone(), "case") };
            tables.push(first);
        }
        comments.clear();
        if let Some(table) = tables.last_mut() {
            table.title_is_over = true;
            if let Err(fault) = add(table, &raw) {
                faults.push(fault);
            }
        }
    }
    tables
}

/// Adds a table, with what is said of each case: every table has that for itself.
fn begun_with<'t>(
    tables: &mut Vec<Table<'t>>,
    begun: Table<'t>,
    each: Option<&Table<'t>>,
) -> Result<(), Fault> {
    let copies = each.map_or(0, Table::cost).saturating_mul(tables.len());
    if copies > MOST_STEPS {
        let says =
            format!("lines of each case by cases are {copies}, and {MOST_STEPS} are the most");
        return Err(Fault::new(begun.at.range(), says));
    }
    tables.push(match each {
        Some(each) => begun.with(each),
        None => begun,
    });
    Ok(())
}

/// Whether a line goes on in the next one: a list behind `in` or a comma, what a server does behind a comma,
/// what a name server knows behind a semicolon.
fn goes_on(line: &str) -> bool {
    let said = match line.strip_prefix("if ") {
        Some(rest) => rest.split_once(": ").map_or("", |(_, said)| said.trim_start()),
        None => line,
    };
    let ends: &[&str] = match said.split(' ').next() {
        Some("for") => &[",", " in"],
        Some("serve") => &[","],
        Some("name") => &[";"],
        _ => &[],
    };
    ends.iter().any(|end| line.ends_with(end))
}

/// The name of a case that begins here.
fn name<'t>(raw: &Raw<'t>, faults: &mut Vec<Fault>) -> Option<&'t str> {
    let rest = raw.text.strip_prefix("case").filter(|rest| rest.starts_with([' ', '\t']))?;
    let whole = rest.trim();
    // What a case of a suite is called begins with the suite: here it begins with the file.
    let table = whole.split('[').next().unwrap_or_default();
    let name = table.split_once('/').map_or(whole, |(suite, _)| &whole[suite.len() + 1..]);
    let is_path = name.split('[').next().is_some_and(|table| table.contains('/'));
    if is_path || !is_id(&format!("file/{name}")) {
        let fault = Fault::new(raw.part(whole), "this is no name of a case");
        faults.push(fault.help("letters, digits and - are, such as case second-send"));
    }
    Some(name)
}

/// A line to the table that it stands in.
fn add<'t>(table: &mut Table<'t>, raw: &Raw<'t>) -> Result<(), Fault> {
    // Told once.
    if table.is_full {
        return Ok(());
    }
    let most = |what: &str, most: usize| {
        Err(Fault::new(raw.range(), format!("a case has {most} {what} at the most")))
    };
    if table.lines.len() + table.without.len() >= MOST_LINES {
        table.is_full = true;
        return most("lines", MOST_LINES);
    }
    table.weight += added(table, raw)?;
    if table.weight > MOST_STEPS {
        table.is_full = true;
        return most("values in its lists and conditions", MOST_STEPS);
    }
    Ok(())
}

/// The same, and what its lists and conditions weigh.
fn added<'t>(table: &mut Table<'t>, raw: &Raw<'t>) -> Result<usize, Fault> {
    let word = raw.text.split([' ', '\t']).next().unwrap_or_default();
    match word {
        "for" => list(raw, raw.text, None, &mut table.parameters),
        "let" => definition(raw, raw.text, None, &mut table.parameters),
        "without" => {
            let rest = &raw.text["without".len()..];
            let parts = rest.split_once(": ").map(|(what, why)| (what, why.trim()));
            let Some((what, why)) = parts.filter(|(_, why)| !why.is_empty()) else {
                let fault = Fault::new(raw.range(), "why there are no such rows is not said");
                return Err(fault.help("without NAME=VALUE: the reason"));
            };
            let without = condition(raw, what, &table.parameters)?;
            let weight = without.weight;
            table.without.push((without, why));
            Ok(weight)
        }
        "if" => {
            let rest = &raw.text["if".len()..];
            let Some((what, step)) = rest.split_once(": ") else {
                return Err(Fault::new(raw.range(), "if NAME=VALUE: STEP is expected here"));
            };
            let text = step.trim_start();
            match text.split([' ', '\t']).next() {
                Some("for") => return list(raw, text, Some(what), &mut table.parameters),
                Some("let") => return definition(raw, text, Some(what), &mut table.parameters),
                _ => {}
            }
            let only = condition(raw, what, &table.parameters)?;
            let at = raw.part(text).start;
            Ok(line(table, only, Raw { text, at, number: raw.number }))
        }
        _ => Ok(line(table, Condition::default(), raw.clone())),
    }
}

/// Adds a line that is of some rows, or of all. A frame is of those that the step above it is of, too, whatever stands
/// between them.
fn line<'t>(table: &mut Table<'t>, only: Condition, raw: Raw<'t>) -> usize {
    let only = if raw.text.starts_with(['>', '<']) {
        only.and(&table.step)
    } else {
        table.step.clone_from(&only);
        only
    };
    let weight = only.weight;
    table.lines.push((only, raw));
    weight
}

/// Each line, with where it begins.
fn lines(text: &str) -> impl Iterator<Item = Raw<'_>> {
    let mut at = 0;
    (1u32..).zip(text.split_inclusive('\n')).map(move |(number, line)| {
        let from = at;
        at += line.len();
        let text = line.trim_start_matches([' ', '\t', '\u{feff}']);
        let from = from + line.len() - text.len();
        Raw { text: text.trim_end(), at: from, number }
    })
}
