//! `sockeye matrix`: runs side by side, as one page.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use harness::trace::Fingerprint;
use reports::matrix::{Claimed, Input, Source, model, page};
use reports::runs::{self, Line, Run};
use suites::claim::{Claim, Kernel, Standing};
use suites::tag;

use crate::cli::Matrix;
use crate::product::Product;
use crate::reasons::reason;
use crate::{Status, UsageError, diff, place, subjects};

/// Reads the runs, writes the page.
pub(crate) fn matrix(args: &Matrix) -> Result<Status> {
    // Before anything runs for it.
    Product::Page.place(&args.output)?;
    let ran = if args.on.is_empty() {
        args.runs.clone()
    } else {
        // Which kernels did not run was said.
        diff::run_on(&args.on, &args.runs, "matrix")?.into_iter().flatten().collect()
    };
    let read: Vec<(String, Run)> =
        folders(&ran)?.iter().map(|run| read(run)).collect::<Result<_, _>>()?;
    let since = args.since.as_deref().map(self::read).transpose()?;
    written(&read, since.as_ref(), &args.output)
}

/// The page of one run: what was found in it.
pub(crate) fn report(folder: &Path, output: &Path) -> Result<Status> {
    let read = [read(folder)?];
    written(&read, None, output)
}

fn written(read: &[(String, Run)], since: Option<&(String, Run)>, output: &Path) -> Result<Status> {
    let sources: Vec<Source<'_>> = read.iter().map(source).collect();
    let tables = suites::tables();
    let cases = tables.iter().flat_map(|table| &table.cases);
    let order: Vec<&str> = cases.map(|case| case.id.as_str()).collect();
    let concerned = order
        .iter()
        .map(|id| (*id, suites::claim::claims().iter().filter(|c| c.concerns(id)).collect()));
    let concerned: HashMap<&str, Vec<&Claim>> = concerned.collect();
    let claims = |line: &Line, kernel: &Fingerprint| {
        let of_it = concerned.get(line.id.as_str()).map_or(&[][..], Vec::as_slice);
        claimed(of_it, line, &Kernel::of(kernel))
    };
    let input = Input {
        runs: &sources,
        since: since.map(source),
        order: &order,
        claims: &claims,
        reason: &reason,
        tags: &|line| tag::of(&line.case).map(|tag| tag.name.to_owned()).collect(),
        means: &tag::means,
    };
    let model = model(input).map_err(|e| UsageError(e.to_string()))?;
    Product::Page.write(output, |file| Ok(page(&model, file)?))?;
    Ok(Status::Expected)
}

/// What a line says of the claims about its kernel.
fn claimed(claims: &[&Claim], line: &Line, kernel: &Kernel) -> Vec<Claimed> {
    let test = |claim: &&Claim| {
        let test = claim.test(&line.case, &line.trace, kernel);
        let claim = reports::matrix::Claim {
            id: claim.id.clone(),
            says: claim.says.clone(),
            on: claim.on(),
            provenance: claim.provenance(),
            sources: claim.sources.clone(),
        };
        // One about other systems is none of this column's.
        (test.standing != Standing::Unverified).then(|| Claimed {
            claim,
            standing: test.standing.word(),
            why: test.why,
        })
    };
    claims.iter().filter_map(test).collect()
}

fn source((name, run): &(String, Run)) -> Source<'_> {
    Source { name, run }
}

/// The runs that are meant: each folder that is one, and those in one that is none. What `run --on`
/// leaves beside its runs (consoles, what is being written, the runs of before) is passed over.
fn folders(given: &[PathBuf]) -> Result<Vec<PathBuf>, UsageError> {
    let is_run = |folder: &Path| folder.join(runs::MANIFEST).is_file();
    let beside = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        subjects::without_ending(&name).is_some()
    };
    let mut found = Vec::new();
    for path in given {
        let inside = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut inside: Vec<PathBuf> =
            inside.filter(|path| is_run(path) && !beside(path)).collect();
        inside.sort_unstable();
        match (is_run(path), inside.is_empty()) {
            (false, false) => found.extend(inside),
            _ if given.len() > 1 && beside(path) => {}
            // One that is none is told of where it is read.
            _ => found.push(path.clone()),
        }
    }
    if found.is_empty() {
        return Err(UsageError("none of these is a run".to_owned()));
    }
    Ok(found)
}

fn read(folder: &Path) -> Result<(String, Run), UsageError> {
    // What was cut off is refused, and one sentence says so.
    let run = runs::read(folder).map_err(|e| UsageError(e.to_string()))?;
    Ok((place::called(folder), run))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_runs_is_all_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let beside = ["c.part", "a.old", "a.old-2", "b.PART", "b.Old-13"];
        for name in ["b", "a", "b.older"].iter().chain(&beside) {
            fs::create_dir(at(name)).unwrap();
            fs::write(at(name).join(runs::MANIFEST), "{}").unwrap();
        }
        fs::create_dir(at("none")).unwrap();
        fs::write(at("a.console.txt"), "").unwrap();
        assert_eq!(folders(&[folder.path().to_owned()]).unwrap(), ["a", "b", "b.older"].map(at));
        let star: Vec<PathBuf> = ["a", "a.console.txt", "b", "A.CONSOLE.TXT"]
            .iter()
            .chain(&beside)
            .map(|n| at(n))
            .collect();
        assert_eq!(folders(&star).unwrap(), [at("a"), at("b")]);
        // What is no run and no folder of runs stays, to be refused.
        assert_eq!(folders(&[at("none"), at("a")]).unwrap(), [at("none"), at("a")]);
        for name in beside {
            assert_eq!(folders(&[at(name)]).unwrap(), [at(name)]);
        }
    }
}
