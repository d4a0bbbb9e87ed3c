//! `sockeye adopt`: what reviewed runs observed becomes baselines.
//!
//! Of a system that nothing was known of everything is kept, as its general baseline; of any other
//! platform only what differs from those that it falls back to, beside them. What was observed on
//! another platform is never written over.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use harness::outcome::UNSEEN;
use harness::trace::OF_HOSTS;
use reports::runs::{self, Subject};
use suites::baseline::{self, Baselines, Snapshot};
use suites::verdict::Verdict;

use crate::cli::Adopt;
use crate::{Status, UsageError, results};

/// Outcomes by case.
type Rows = BTreeMap<String, String>;

/// What was observed of one table on one platform.
#[derive(Debug, Default)]
struct Observed {
    /// What it falls back to, the more specific first: of `uml-6.12` that is `linux-6.12`, `linux`.
    fallbacks: Vec<String>,
    /// Whether its source has it as the general baseline of its system.
    is_general: bool,
    /// Whether its source has it as what differs from a more general one.
    is_specific: bool,
    rows: Rows,
    /// Cases that two sources tell otherwise, with the sources.
    disputed: Vec<String>,
}

/// What is to become of one file.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    /// It is written: the platform that it is kept under, what was observed where.
    Write { platform: String, observed: String, rows: Rows, instead_of: Option<usize> },
    /// Nothing differs from the general baseline any more.
    Remove { platform: String },
    /// It is as it should be.
    Nothing,
}

/// Writes the baselines, or says why it does not; status 1 if something was refused.
pub(crate) fn adopt(args: &Adopt) -> Result<Status> {
    let mut observed = All::new();
    for source in &args.sources {
        read(source, &mut observed)?;
    }
    if observed.is_empty() {
        return Err(UsageError("nothing ran: there is nothing to adopt".to_owned()).into());
    }
    for path in Baselines::files(&args.into) {
        baseline::whole(&path).map_err(UsageError)?;
    }
    let (mut refused, order) = (false, order());
    // What others are compared with is settled before them: the more general has fewer fallbacks,
    // and a general baseline is renewed by the platform that it was observed on.
    let owns = |platform: &str, general: Option<&String>, table: &str| {
        let known = general.and_then(|general| snapshot(&args.into, general, table));
        known.is_some_and(|known| known.observed_on.as_deref() == Some(platform))
    };
    let mut observed: Vec<_> = observed.into_iter().collect();
    observed.sort_by_cached_key(|((platform, table), o)| {
        let is_general = o.is_general || owns(platform, o.fallbacks.last(), table);
        (!is_general, o.fallbacks.len(), platform.clone())
    });
    for ((platform, table), observed) in &observed {
        if !observed.disputed.is_empty() {
            refused = true;
            outln!("refused {platform} {table}: the sources disagree:");
            observed.disputed.iter().for_each(|what| outln!("    {what}"));
            continue;
        }
        let known = |platform: &str| snapshot(&args.into, platform, table);
        let mut fallbacks: Vec<(&str, Option<Snapshot>)> =
            observed.fallbacks.iter().map(|name| (name.as_str(), known(name))).collect();
        // What differs from another one does not become that one where there is none yet.
        if let Some((_, general @ None)) = fallbacks.last_mut().filter(|_| observed.is_specific) {
            *general = Some(Snapshot::default());
        }
        let change = plan(platform, &observed.rows, &fallbacks, known(platform).as_ref());
        apply(&args.into, table, &change, &order)?;
    }
    Ok(if refused { Status::Unexpected } else { Status::Expected })
}

/// What becomes of a table, by what was known of it: what `platform` falls back to, the more
/// specific first, and its own.
fn plan(
    platform: &str,
    rows: &Rows,
    fallbacks: &[(&str, Option<Snapshot>)],
    specific: Option<&Snapshot>,
) -> Change {
    let write = |kept: &str, rows: Rows, old: Option<&Snapshot>| {
        if old.is_some_and(|old| old.rows == rows) {
            return Change::Nothing;
        }
        let other = |old: &Snapshot| {
            let differs =
                |(id, is): &(&String, &String)| old.rows.get(*id).is_some_and(|was| was != *is);
            rows.iter().filter(differs).count()
        };
        let (instead_of, observed) = (old.map(other), platform.to_owned());
        Change::Write { platform: kept.to_owned(), observed, rows, instead_of }
    };
    let (system, general) =
        fallbacks.last().map_or((platform, specific), |(name, known)| (name, known.as_ref()));
    // What a run left out stays as it was.
    let Some(_) = general.filter(|known| known.observed_on.as_deref() != Some(platform)) else {
        let mut all = general.map(|known| known.rows.clone()).unwrap_or_default();
        all.extend(rows.iter().map(|(id, outcome)| (id.clone(), outcome.clone())));
        return write(system, all, general);
    };
    let falls_back_to =
        |id: &str| fallbacks.iter().find_map(|(_, known)| known.as_ref()?.rows.get(id));
    let mut differing = specific.map(|known| known.rows.clone()).unwrap_or_default();
    for (id, outcome) in rows {
        if falls_back_to(id) == Some(outcome) {
            differing.remove(id);
        } else {
            differing.insert(id.clone(), outcome.clone());
        }
    }
    if !differing.is_empty() {
        return write(platform, differing, specific);
    }
    let platform = platform.to_owned();
    if specific.is_some() { Change::Remove { platform } } else { Change::Nothing }
}

fn file(into: &Path, platform: &str, table: &str) -> PathBuf {
    into.join(platform).join(format!("{table}.snap"))
}

fn snapshot(into: &Path, platform: &str, table: &str) -> Option<Snapshot> {
    // That it can be read, if it is there, was looked at before.
    Some(Snapshot::parse(&baseline::whole(&file(into, platform, table)).ok()?))
}

fn apply(into: &Path, table: &str, change: &Change, order: &BTreeMap<String, usize>) -> Result<()> {
    match change {
        Change::Nothing => {}
        Change::Remove { platform } => {
            fs::remove_file(file(into, platform, table))?;
            outln!("removed {platform} {table}: nothing differs any more");
        }
        Change::Write { platform, observed, rows, instead_of } => {
            let mut sorted: Vec<(&str, &str)> =
                rows.iter().map(|(id, outcome)| (id.as_str(), outcome.as_str())).collect();
            sorted.sort_by_key(|(id, _)| order.get(*id).copied().unwrap_or(usize::MAX));
            let text = baseline::file(observed, &baseline::text(sorted));
            results::whole(&file(into, platform, table), |to| Ok(to.write_all(text.as_bytes())?))?;
            let old = match instead_of {
                None => "new".to_owned(),
                Some(changed) => format!("{changed} other than before"),
            };
            outln!("wrote {platform} {table}: {} rows of {observed}, {old}", rows.len());
        }
    }
    Ok(())
}

/// Where each case stands among all of them.
fn order() -> BTreeMap<String, usize> {
    let cases = suites::tables().into_iter().flat_map(|table| table.cases);
    cases.enumerate().map(|(place, case)| (case.id, place)).collect()
}

/// By platform and table.
type All = BTreeMap<(String, String), Observed>;

/// Adds what a case did on the first of `platforms`, by what `source` tells.
fn add<'a>(
    observed: &'a mut All,
    source: &Path,
    platforms: &[String],
    (id, outcome): (&str, &str),
) -> &'a mut Observed {
    let table = id.split('[').next().unwrap_or_default().to_owned();
    let platform = platforms.first().cloned().unwrap_or_default();
    let entry = observed.entry((platform, table)).or_default();
    entry.fallbacks = platforms.iter().skip(1).cloned().collect();
    let outcome = outcome.trim_end().to_owned();
    let was = entry.rows.entry(id.to_owned()).or_insert_with(|| outcome.clone());
    if *was != outcome {
        entry.disputed.push(format!("{id}, in {}", source.display()));
    }
    entry
}

/// Whether nobody saw what left, or the host lacks what another has, so that no other run of the platform could be judged
/// by it.
fn is_blind(outcome: &str) -> bool {
    let lacks = |name: &&str| outcome.contains(&format!("? unsupported here: {name}"));
    OF_HOSTS.iter().any(lacks) || outcome.lines().any(|line| line == UNSEEN)
}

/// Reads the folder of a run, or one of snapshots as `suites/baselines` has them.
fn read(source: &Path, observed: &mut All) -> Result<()> {
    if source.join(runs::MANIFEST).is_file() {
        let run = runs::read(source)?;
        for line in &run.lines {
            if matches!(line.verdict, Verdict::Skipped | Verdict::Error) || is_blind(&line.outcome)
            {
                continue;
            }
            let subject = run.manifest.subjects.iter().find(|s| s.name == line.subject);
            if let Some(Subject { kernel, platforms, .. }) = subject {
                let platforms = suites::platforms(kernel, platforms, line.case.suite());
                add(observed, source, &platforms, (&line.id, &line.outcome));
            }
        }
        return Ok(());
    }
    let found = Baselines::files(source);
    if found.is_empty() {
        let why = "is neither a run nor a folder of snapshots";
        return Err(UsageError(format!("{} {why}", source.display())).into());
    }
    for path in found {
        let snapshot = Snapshot::parse(&baseline::whole(&path).map_err(UsageError)?);
        let Some(platform) = &snapshot.observed_on else {
            let why = "does not say where it was observed";
            return Err(UsageError(format!("{} {why}", path.display())).into());
        };
        let platforms = [vec![platform.clone()], suites::fallbacks(platform)].concat();
        let kept_as =
            |name: &str| path.strip_prefix(source).is_ok_and(|path| path.starts_with(name));
        let is_general = platforms.iter().skip(1).any(|name| kept_as(name));
        let is_specific = platforms.len() > 1 && kept_as(platform);
        for (id, outcome) in snapshot.rows.iter().filter(|(_, outcome)| !is_blind(outcome)) {
            let entry = add(observed, source, &platforms, (id, outcome));
            entry.is_general |= is_general;
            entry.is_specific |= is_specific;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[(&str, &str)]) -> Rows {
        rows.iter().map(|(id, outcome)| ((*id).to_owned(), (*outcome).to_owned())).collect()
    }

    fn known(observed_on: &str, of: &[(&str, &str)]) -> Snapshot {
        Snapshot { observed_on: Some(observed_on.to_owned()), rows: rows(of) }
    }

    fn written(change: Change) -> (String, Rows) {
        match change {
            Change::Write { platform, rows, .. } => (platform, rows),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_first_of_a_system_is_its_general_baseline() {
        let change = plan("macos-15", &rows(&[("t[a]", "1")]), &[("macos", None)], None);
        assert_eq!(written(change), ("macos".to_owned(), rows(&[("t[a]", "1")])));
    }

    #[test]
    fn another_version_keeps_what_differs_and_leaves_the_general_one() {
        let general = [("macos", Some(known("macos-15", &[("t[a]", "1"), ("t[b]", "1")])))];
        let seen = rows(&[("t[a]", "1"), ("t[b]", "2")]);
        let change = plan("macos-26", &seen, &general, None);
        assert_eq!(written(change), ("macos-26".to_owned(), rows(&[("t[b]", "2")])));
        let same = rows(&[("t[a]", "1"), ("t[b]", "1")]);
        assert_eq!(plan("macos-26", &same, &general, None), Change::Nothing);
        let stale = known("macos-26", &[("t[b]", "2")]);
        let gone = Change::Remove { platform: "macos-26".to_owned() };
        assert_eq!(plan("macos-26", &same, &general, Some(&stale)), gone);
    }

    /// What equals the general one, and not what stands between, has to be told too.
    #[test]
    fn what_differs_is_told_by_all_that_a_platform_falls_back_to() {
        let general = known("linux-6.18", &[("t[a]", "1"), ("t[b]", "1"), ("t[c]", "1")]);
        let between = known("linux-6.12", &[("t[a]", "2"), ("t[b]", "2")]);
        let fallbacks = [("linux-6.12", Some(between)), ("linux", Some(general))];
        let seen = rows(&[("t[a]", "1"), ("t[b]", "2"), ("t[c]", "1")]);
        let change = plan("uml-6.12", &seen, &fallbacks, None);
        assert_eq!(written(change), ("uml-6.12".to_owned(), rows(&[("t[a]", "1")])));
    }

    #[test]
    fn a_part_of_a_table_leaves_the_rest() {
        let general = [("macos", Some(known("macos-15", &[("t[a]", "1"), ("t[b]", "1")])))];
        let change = plan("macos-15", &rows(&[("t[b]", "2")]), &general, None);
        assert_eq!(written(change), ("macos".to_owned(), rows(&[("t[a]", "1"), ("t[b]", "2")])));
    }
}
