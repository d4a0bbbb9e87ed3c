//! `sockeye matrix`: runs side by side, as one page.

use std::path::Path;

use anyhow::Result;
use reports::matrix::{Source, model, page};
use reports::runs::{self, Run};

use crate::cli::Matrix;
use crate::{Status, UsageError, results};

/// Reads the runs, writes the page.
pub(crate) fn matrix(args: &Matrix) -> Result<Status> {
    let read: Vec<(String, Run)> =
        args.runs.iter().map(|run| read(run)).collect::<Result<_, _>>()?;
    let since = args.since.as_deref().map(self::read).transpose()?;
    let sources: Vec<Source<'_>> = read.iter().map(source).collect();
    let tables = suites::tables();
    let cases = tables.iter().flat_map(|table| &table.cases);
    let order: Vec<&str> = cases.map(|case| case.id.as_str()).collect();
    let model = model(&sources, since.as_ref().map(source), &order)
        .map_err(|e| UsageError(e.to_string()))?;
    results::whole(&args.output, |file| Ok(page(&model, file)?))?;
    Ok(Status::Expected)
}

fn source((name, run): &(String, Run)) -> Source<'_> {
    Source { name, run }
}

fn read(folder: &Path) -> Result<(String, Run), UsageError> {
    let run = runs::read(folder).map_err(|e| UsageError(e.to_string()))?;
    Ok((folder.display().to_string(), run))
}
