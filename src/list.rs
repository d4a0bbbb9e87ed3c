//! `sockeye list`: which cases there are.

use std::collections::BTreeSet;

use anyhow::Result;
use harness::subject;
use suites::baseline::Baselines;

use crate::cli::List;
use crate::{Status, run, select};

/// Lists ids, or what is known of the tables.
pub(crate) fn list(args: &List) -> Result<Status> {
    let tables = select::tables_of(&args.patterns)?;
    if args.stats {
        stats(&tables)?;
    } else if args.left_out {
        for left_out in tables.iter().flat_map(|table| &table.left_out) {
            anstream::println!("{}: {}", left_out.id, left_out.why);
        }
    } else {
        for case in tables.iter().flat_map(|table| &table.cases) {
            if args.json {
                anstream::println!("{}", serde_json::to_string(case)?);
            } else {
                anstream::println!("{}", case.id);
            }
        }
    }
    Ok(Status::Expected)
}

/// A table whose rows could only ever say one thing does not earn its place.
fn stats(tables: &[suites::Table]) -> Result<()> {
    let platforms = subject::fingerprint(&run::native()?)?.platforms();
    let baselines = Baselines::embedded();
    let wide = tables.iter().map(|table| table.name.len()).max().unwrap_or(0);
    anstream::println!(
        "{:wide$} {:>6} {:>9} {:>9}  question",
        "table",
        "rows",
        "outcomes",
        "left out"
    );
    for table in tables {
        let outcomes: BTreeSet<&str> = table
            .cases
            .iter()
            .filter_map(|case| baselines.expected(&platforms, &case.id))
            .map(|(_, outcome)| outcome)
            .collect();
        anstream::println!(
            "{:wide$} {:>6} {:>9} {:>9}  {}",
            table.name,
            table.cases.len(),
            outcomes.len(),
            table.left_out.len(),
            table.question
        );
    }
    Ok(())
}
