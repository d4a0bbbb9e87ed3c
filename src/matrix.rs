//! `sockeye matrix`: runs side by side, as one page.

use std::collections::HashMap;
use std::path::{Component, Path};

use anyhow::Result;
use harness::trace::Fingerprint;
use reports::matrix::{Claimed, Input, Source, model, page, tags};
use reports::runs::{self, Line, Run};
use suites::claim::{Claim, Kernel, Standing};

use crate::cli::Matrix;
use crate::reasons::reason;
use crate::{Status, UsageError, results};

/// Reads the runs, writes the page.
pub(crate) fn matrix(args: &Matrix) -> Result<Status> {
    let read: Vec<(String, Run)> =
        args.runs.iter().map(|run| read(run)).collect::<Result<_, _>>()?;
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
        tags: &tags,
    };
    let model = model(input).map_err(|e| UsageError(e.to_string()))?;
    results::whole(output, |file| Ok(page(&model, file)?))?;
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

fn read(folder: &Path) -> Result<(String, Run), UsageError> {
    // What was cut off is refused, and one sentence says so.
    let run = runs::read(folder).map_err(|e| UsageError(e.to_string()))?;
    Ok((called(folder), run))
}

/// What a page calls a run: its folder as it was given, or the end of that where the whole would say
/// who has made the page (`/home/USER/…`).
fn called(folder: &Path) -> String {
    let below = folder.components().all(|part| matches!(part, Component::Normal(_)));
    let end = folder.file_name().filter(|_| !below).map(Path::new);
    end.unwrap_or(folder).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_does_not_say_whose_folder_it_was() {
        let all = ["runs/6.18", "/home/jqpublic/runs/6.18", "../jqpublic/6.18", "6.18"];
        assert_eq!(
            all.map(|folder| called(Path::new(folder))),
            ["runs/6.18", "6.18", "6.18", "6.18"]
        );
    }
}
