//! `sockeye run FILE --update`: what came is written where nothing was, into the file or beside it.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use harness::trace::{End, Trace};
use suites::baseline::Baselines;

use crate::cli::{Adopt, OfOwn};
use crate::results::{self, Answer};
use crate::run::Under;
use crate::select::Chosen;
use crate::{UsageError, adopt};
use cases::{Own, Source, text};

/// Whether what is asked of a user's own cases can be done, before any of them runs.
pub(crate) fn prepare(chosen: &mut Chosen, args: &OfOwn) -> Result<()> {
    let OfOwn { update, baselines, .. } = args;
    if !update && baselines.is_none() {
        return Ok(());
    }
    let what = if *update { "--update" } else { "--baselines" };
    let all_own = chosen.tables.iter().all(|table| {
        table.cases.iter().all(|case| chosen.own.cases().any(|own| own.id == case.id))
    });
    if chosen.own.is_empty() || !all_own {
        let why = format!("{what} is for cases of your own: name files or folders of cases alone");
        return Err(UsageError(why).into());
    }
    if let Some(folder) = baselines {
        if !update && !folder.is_dir() {
            let why = format!("{} is no folder with what was observed before", folder.display());
            return Err(UsageError(format!("{why}; --update makes one")).into());
        }
        // Nobody else has it yet: it was read just now.
        let own = std::sync::Arc::get_mut(&mut chosen.own).context("cases that are read once")?;
        own.observed_in(Baselines::read(folder));
        return Ok(());
    }
    for source in &chosen.own.sources {
        let shown = source.path.display();
        if source.is_json() {
            let why =
                "JSON has no place for what is expected; `sockeye show --as case` makes text of it";
            return Err(UsageError(format!("{shown}: {why}, or use --baselines DIR")).into());
        }
        if fs::symlink_metadata(&source.path).is_ok_and(|about| about.is_symlink()) {
            let why =
                "is a link, and nothing is written through it: name the file that it leads to";
            return Err(UsageError(format!("{shown} {why}")).into());
        }
    }
    Ok(())
}

/// Writes what came, and says what was written and what was left.
pub(crate) fn update(
    under: &Under<'_>,
    answers: &[Answer<'_>],
    run: &Path,
    baselines: Option<&Path>,
) -> Result<()> {
    if let Some(folder) = baselines {
        let args = Adopt { sources: vec![run.to_owned()], into: folder.to_owned() };
        adopt::adopt(&args)?;
        return Ok(());
    }
    let ran = answers
        .iter()
        .filter(|answer| matches!(answer.trace.end, End::Done | End::Unsupported | End::Hung));
    let traces: HashMap<&str, &Trace> =
        ran.map(|answer| (answer.case.id.as_str(), &answer.trace)).collect();
    let own: &Own = &under.own;
    // What cannot be written of one file takes nothing from the others.
    let mut failed: Vec<anyhow::Error> = Vec::new();
    for source in &own.sources {
        failed.extend(one(source, &traces, under).err());
    }
    let last = failed.pop();
    for e in &failed {
        errln!("sockeye: {e:#}");
    }
    last.map_or(Ok(()), Err)
}

fn one(source: &Source, traces: &HashMap<&str, &Trace>, under: &Under<'_>) -> Result<()> {
    let written = &source.written;
    let came: Vec<Option<&Trace>> =
        written.iter().map(|written| traces.get(written.case.id.as_str()).copied()).collect();
    let new = notation::update(&source.stem, &source.text, written, &came, under.os);
    let path = &source.path;
    let shown = path.display();
    // Behind a name that the system has not got nothing was called, line by line.
    for same in new.left.chunk_by(|one, next| one.why == next.why) {
        let more = match same.len() - 1 {
            0 => String::new(),
            n => format!(", and so {n} more behind it"),
        };
        outln!("left {shown}:{}: {}{more}", same[0].line, same[0].why);
    }
    if new.text == source.text {
        outln!("{shown} is as it was");
        return Ok(());
    }
    // Whoever saved it meanwhile knows nothing of this.
    if text(path)? != source.text {
        let why = format!("{shown} was saved while its cases ran, and stays as it is");
        return Err(UsageError(why).into());
    }
    let was = fs::metadata(path).with_context(|| format!("{shown} cannot be read"))?;
    results::whole_as(path, Some(&was), |file| Ok(file.write_all(new.text.as_bytes())?))?;
    let results =
        if new.written == 1 { "1 result".into() } else { format!("{} results", new.written) };
    outln!("wrote {results} into {shown}");
    Ok(())
}
