//! What of a run is let in: it may come from a stranger, and its words go into pages, mails and files.

use harness::case::words::{is_id, is_line, is_word, shown};
use harness::environment::Environment;
use harness::verdict::Unexpected;

use super::{Cite, Finding, Known, Line, Manifest, Rule, Subject};

/// The most bytes of a subject's name.
const MOST_OF_COMMAND: usize = 4096;
/// The most characters of a name; where one is padded, Rust's formatting takes 16 bits for the width.
const MOST_OF_NAME: usize = 200;
/// The most characters of a sentence.
const MOST_OF_SENTENCE: usize = 4096;
/// The most bytes of an outcome.
const MOST_OF_OUTCOME: usize = 4 << 20;
/// The most bytes of what a machine says of itself.
const MOST_OF_MACHINE: usize = 4 << 20;

fn lines<'t>(
    what: &str,
    most: usize,
    all: impl IntoIterator<Item = &'t String>,
) -> Result<(), String> {
    match all.into_iter().find(|text| !is_line(text, most)) {
        Some(text) => Err(format!("{what} is no line of text: {}", shown(text))),
        None => Ok(()),
    }
}

/// A platform's name is a folder's, of baselines.
fn is_platform(name: &str) -> bool {
    is_word(name, MOST_OF_NAME) && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// What is wrong with a manifest, as one sentence.
pub(super) fn manifest(manifest: &Manifest) -> Result<(), String> {
    manifest.subjects.iter().try_for_each(subject)?;
    manifest.rules.iter().try_for_each(rule)?;
    for (table, question) in &manifest.tables {
        // A table is a file's name.
        if !is_id(table) || table.contains('[') {
            return Err(format!("{} is no name of a table", shown(table)));
        }
        lines("the question of a table", MOST_OF_SENTENCE, [question])?;
    }
    Ok(())
}

fn subject(subject: &Subject) -> Result<(), String> {
    let Subject { name, kernel, platforms, program, revision, environment, log, .. } = subject;
    if name.is_empty() {
        return Err("a subject has no name".to_owned());
    }
    // Of a subject that is any command, it is the whole of it in runs of older programs.
    lines("the name of a subject", MOST_OF_COMMAND, [name])?;
    lines("the program of a subject", MOST_OF_NAME, [program].into_iter().chain(revision))?;
    kernel.check()?;
    if let Some(platform) = platforms.iter().find(|platform| !is_platform(platform)) {
        return Err(format!("{} is no platform", shown(platform)));
    }
    let kernel = environment.as_ref().and_then(|e: &Environment| e.kernel.as_ref());
    kernel.map_or(Ok(()), harness::trace::Fingerprint::check)?;
    let machine = serde_json::to_string(environment).map_or(0, |text| text.len());
    let log = log.iter().flat_map(|log| log.lines.iter().chain(&log.missing));
    if machine + log.map(String::len).sum::<usize>() > MOST_OF_MACHINE {
        return Err(format!("more than {MOST_OF_MACHINE} bytes are said of the machine of {name}"));
    }
    Ok(())
}

fn rule(rule: &Rule) -> Result<(), String> {
    let Rule { name, says, cites, .. } = rule;
    if !is_word(name, MOST_OF_NAME) {
        return Err(format!("{} is no name of a rule", shown(name)));
    }
    let cited = |Cite { source, quote, link }: &Cite| {
        lines("a citation", MOST_OF_SENTENCE, [source, quote].into_iter().chain(link))
    };
    lines("what a rule says", MOST_OF_SENTENCE, [says])?;
    cites.iter().try_for_each(cited)
}

/// What is wrong with a line, as one sentence. Of its case a reproducer is made, which is compiled and
/// run, with words of its trace.
pub(super) fn line(line: &Line) -> Result<(), String> {
    let Line { id, case, trace, outcome, expected, baseline, .. } = line;
    if *id != case.id || *id != trace.case {
        let ids = [id, &case.id, &trace.case].map(|id| shown(id));
        return Err(format!("a line of {} is of {} and {}", ids[0], ids[1], ids[2]));
    }
    case.check()?;
    trace.check(case)?;
    if outcome.len().max(expected.as_ref().map_or(0, String::len)) > MOST_OF_OUTCOME {
        return Err(format!("an outcome has more than {MOST_OF_OUTCOME} bytes"));
    }
    if let Some(platform) = baseline.iter().find(|platform| !is_platform(platform)) {
        return Err(format!("{} is no platform", shown(platform)));
    }
    line.unexpected.iter().try_for_each(unexpected)?;
    line.broken().try_for_each(|Finding { rule, text, known, .. }| {
        if !is_word(rule, MOST_OF_NAME) {
            return Err(format!("{} is no name of a rule", shown(rule)));
        }
        let known = known.iter().flat_map(|Known { reason, link }| [reason, link]);
        lines("a finding", MOST_OF_SENTENCE, [text].into_iter().chain(known))
    })
}

/// What is wrong with something that did not come: its words are the case's and the outcome's.
fn unexpected(Unexpected { file, wanted, came, .. }: &Unexpected) -> Result<(), String> {
    lines("the file of a case", MOST_OF_NAME, [file])?;
    let mut all = [wanted, came].into_iter().flat_map(|text| text.lines());
    match all.find(|text| !is_line(text, MOST_OF_OUTCOME)) {
        Some(text) => Err(format!("what is unexpected is no line of text: {}", shown(text))),
        None => Ok(()),
    }
}
