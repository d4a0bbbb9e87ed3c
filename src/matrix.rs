//! `sockeye matrix`: runs side by side, as one page.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;
use harness::trace::Fingerprint;
use reports::matrix::{Claimed, Input, Source, model, page};
use reports::runs::{self, Line, Run};
use suites::claim::{Claim, Kernel, Standing};

use crate::cli::Matrix;
use crate::{Status, UsageError, place, results};

/// Reads the runs, writes the page.
pub(crate) fn matrix(args: &Matrix) -> Result<Status> {
    let read: Vec<(String, Run)> =
        args.runs.iter().map(|run| read(run)).collect::<Result<_, _>>()?;
    let since = args.since.as_deref().map(self::read).transpose()?;
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
    let input =
        Input { runs: &sources, since: since.as_ref().map(source), order: &order, claims: &claims };
    let model = model(input).map_err(|e| UsageError(e.to_string()))?;
    results::whole(&args.output, |file| Ok(page(&model, file)?))?;
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
    Ok((place::called(folder), run))
}
