//! `sockeye list`: which cases there are.

use std::collections::BTreeSet;

use anyhow::Result;
use harness::case::Case;
use harness::subject;
use serde::Serialize;
use suites::Table;
use suites::baseline::Baselines;
use suites::catalogue::catalogue as behaviours;
use suites::tag::TAGS;

use crate::cli::List;
use crate::{Status, out, run, select};

/// Lists ids, or what is known of the tables.
pub(crate) fn list(args: &List) -> Result<Status> {
    let mut tables = select::chosen(&args.patterns)?.tables;
    args.find.keep(&mut tables)?;
    if args.stats {
        stats(&tables, args.json)?;
    } else if args.all_tags {
        tags(&tables);
    } else if args.catalogue {
        catalogue(&tables);
    } else if args.left_out {
        for left_out in tables.iter().flat_map(|table| &table.left_out) {
            outln!("{}: {}", left_out.id, left_out.why);
        }
    } else {
        for case in tables.iter().flat_map(|table| &table.cases) {
            if args.json {
                out::json(case)?;
            } else {
                outln!("{}", case.id);
            }
        }
    }
    Ok(Status::Expected)
}

/// Which behaviours the tables cover, with how many rows each.
fn catalogue(tables: &[Table]) {
    let (mut covered, mut elsewhere, mut missing) = (0, 0, 0);
    for behaviour in behaviours() {
        let rows = |table: &Table| {
            let names = |case: &&Case| case.catalogue.iter().any(|id| id == behaviour.id);
            table.cases.iter().filter(names).count()
        };
        let by: Vec<String> = tables
            .iter()
            .map(|table| (&table.name, rows(table)))
            .filter(|(_, rows)| *rows > 0)
            .map(|(name, rows)| format!("{name} ({rows})"))
            .collect();
        let state = match behaviour.elsewhere {
            Some(why) => {
                elsewhere += 1;
                format!("not on Linux: {why}")
            }
            None if by.is_empty() => {
                missing += 1;
                "missing".to_owned()
            }
            None => {
                covered += 1;
                by.join(", ")
            }
        };
        outln!("{:9} {}", behaviour.id, behaviour.about);
        outln!("          {state}");
    }
    outln!("{covered} covered, {elsewhere} not on Linux, {missing} missing");
}

/// Which tags there are, and how many of the cases have each.
fn tags(tables: &[Table]) {
    let wide = TAGS.iter().map(|tag| tag.name.len()).max().unwrap_or(0);
    for tag in TAGS {
        let has = |case: &&Case| suites::tag::of(case).any(|of| of.name == tag.name);
        let cases = tables.iter().flat_map(|table| &table.cases).filter(has).count();
        outln!("{:wide$} {cases:>6}  {}", tag.name, tag.about);
    }
}

/// What is known of a table, as JSON.
#[derive(Serialize)]
struct Stats<'a> {
    table: &'a str,
    question: &'a str,
    rows: usize,
    outcomes: usize,
    left_out: usize,
}

/// A table whose rows could only ever say one thing does not earn its place.
fn stats(tables: &[Table], json: bool) -> Result<()> {
    let kernel = subject::fingerprint(&run::native()?)?;
    let baselines = Baselines::embedded();
    let wide = tables.iter().map(|table| table.name.len()).max().unwrap_or(0);
    if !json {
        outln!("{:wide$} {:>6} {:>9} {:>9}  question", "table", "rows", "outcomes", "left out");
    }
    for table in tables {
        let outcomes: BTreeSet<&str> = table
            .cases
            .iter()
            .filter_map(|case| {
                let platforms = suites::platforms(&kernel, &kernel.platforms(), case.suite());
                baselines.expected(&platforms, &case.id).map(|(_, outcome)| outcome)
            })
            .collect();
        if json {
            out::json(&Stats {
                table: &table.name,
                question: &table.question,
                rows: table.cases.len(),
                outcomes: outcomes.len(),
                left_out: table.left_out.len(),
            })?;
            continue;
        }
        outln!(
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
