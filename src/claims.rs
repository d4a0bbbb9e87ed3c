//! `sockeye claims`: what was reported of systems, and what of it is so here.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use cases::is_called;
use harness::case::Case;
use harness::subject;
use serde::Serialize;
use suites::claim::{Claim, Kernel, Standing, Test, claims as all, standing};
use suites::pattern::matches;
use suites::tables;

use crate::cli::{Claims, Run};
use crate::out::Paint as _;
use crate::{Status, UsageError, out, report, run};

/// What one kernel made of the claims, by their ids.
struct Asked<'c> {
    /// In words, such as `Linux 6.18.44`.
    who: String,
    kernel: Kernel,
    tests: BTreeMap<&'c str, Vec<Test>>,
}

/// A line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    says: &'a str,
    on: Vec<String>,
    when: Option<String>,
    provenance: String,
    sources: &'a [String],
    catalogue: &'a [String],
    /// Who was asked.
    subject: &'a str,
    standing: Standing,
    tests: &'a [Test],
}

/// Says what became of each claim. None of it is a failure: a claim is nobody's promise.
pub(crate) fn claims(args: &Claims) -> Result<Status> {
    let chosen = choose(&args.patterns)?;
    let asked = match &args.run {
        Some(folder) => of_run(folder, &chosen)?,
        None => vec![here(&chosen, args)?],
    };
    for asked in &asked {
        if args.json {
            for claim in &chosen {
                out::json(&line(claim, asked))?;
            }
        } else {
            report(&chosen, asked);
        }
    }
    Ok(Status::Expected)
}

/// The claims that the patterns mean: by id, by row of the catalogue, by system, or by case.
fn choose(patterns: &[String]) -> Result<Vec<&'static Claim>, UsageError> {
    let ids: Vec<String> = tables().into_iter().flat_map(|t| t.cases).map(|c| c.id).collect();
    let means = |pattern: &String, claim: &Claim| {
        // Whole, it means this one alone.
        if all().iter().any(|other| other.id == *pattern) {
            return claim.id == *pattern;
        }
        matches(pattern, &claim.id)
            // Words of its name: `netdown` of `netdown-neighbour`.
            || format!("-{}-", claim.id).contains(&format!("-{pattern}-"))
            || claim.catalogue.contains(pattern)
            || claim.on.iter().any(|range| range.system() == pattern)
            || ids.iter().any(|id| {
                (matches(pattern, id) || is_called(pattern, id)) && claim.concerns(id)
            })
    };
    if let Some(pattern) = patterns.iter().find(|p| !all().iter().any(|c| means(p, c))) {
        let like = "a claim's id, a row such as LINK-01, a system such as macos, or a case";
        return Err(UsageError(format!("no claim matches {pattern:?}, which may be {like}")));
    }
    let chosen = |claim: &&Claim| patterns.is_empty() || patterns.iter().any(|p| means(p, claim));
    Ok(all().iter().filter(chosen).collect())
}

/// Asks this kernel, by the cases of the claims that are about it.
fn here<'c>(chosen: &[&'c Claim], args: &Claims) -> Result<Asked<'c>> {
    let fingerprint = subject::fingerprint(&run::native()?)?;
    let kernel = Kernel::of(&fingerprint);
    let about = |claim: &&&Claim| claim.is_about(&kernel) != Some(false);
    let about: Vec<&'c Claim> = chosen.iter().filter(about).copied().collect();
    let tables = tables();
    let cases: Vec<&Case> = tables
        .iter()
        .flat_map(|table| &table.cases)
        .filter(|case| about.iter().any(|claim| claim.concerns(&case.id)))
        .collect();
    let how = Run { plant: args.plant.clone(), ..Run::default() };
    let answers = run::answers(&cases, &Arc::default(), &how, &fingerprint, &|_, _, _| ())?;
    let mut tests: BTreeMap<&str, Vec<Test>> = BTreeMap::new();
    for claim in about {
        let asks = answers.iter().filter(|answer| claim.concerns(&answer.case.id));
        let made = asks.map(|answer| claim.test(answer.case, &answer.trace, &kernel));
        tests.insert(&claim.id, made.collect());
    }
    let who = format!("{} {}", fingerprint.system, fingerprint.release);
    Ok(Asked { who, kernel, tests })
}

/// What the subjects of a run made of them.
fn of_run<'c>(folder: &Path, chosen: &[&'c Claim]) -> Result<Vec<Asked<'c>>> {
    let run = report::read(folder)?;
    let subjects = run.manifest.subjects.iter().map(|subject| {
        let kernel = Kernel::of(&subject.kernel);
        let mut tests: BTreeMap<&str, Vec<Test>> = BTreeMap::new();
        for claim in chosen.iter().filter(|claim| claim.is_about(&kernel) != Some(false)) {
            let lines = run.lines.iter().filter(|line| line.subject == subject.name);
            let asks = lines.filter(|line| claim.concerns(&line.id));
            let made = asks.map(|line| claim.test(&line.case, &line.trace, &kernel));
            tests.insert(&claim.id, made.collect());
        }
        let who = format!("{}: {} {}", subject.name, subject.kernel.system, subject.kernel.release);
        Asked { who, kernel, tests }
    });
    Ok(subjects.collect())
}

impl Asked<'_> {
    fn of(&self, claim: &Claim) -> (Standing, &[Test]) {
        match self.tests.get(claim.id.as_str()) {
            Some(tests) => (standing(tests), tests),
            None => (Standing::Unverified, &[]),
        }
    }
}

fn line<'a>(claim: &'a Claim, asked: &'a Asked<'_>) -> Line<'a> {
    let (standing, tests) = asked.of(claim);
    Line {
        id: &claim.id,
        says: &claim.says,
        on: claim.on.iter().map(ToString::to_string).collect(),
        when: claim.conditions(),
        provenance: claim.provenance(),
        sources: &claim.sources,
        catalogue: &claim.catalogue,
        subject: &asked.who,
        standing,
        tests,
    }
}

/// The colour of a standing.
pub(crate) fn style(standing: Standing) -> Style {
    match standing {
        Standing::Refuted => AnsiColor::Yellow.on_default(),
        Standing::Confirmed => AnsiColor::Green.on_default(),
        Standing::NotReached => AnsiColor::Cyan.on_default(),
        Standing::Unverified => Style::new().dimmed(),
    }
}

/// What is so here first, what nobody could ask of this kernel last.
fn report(chosen: &[&Claim], asked: &Asked<'_>) {
    let count = |wanted| chosen.iter().filter(|claim| asked.of(claim).0 == wanted).count();
    let [refuted, confirmed, missed, others] =
        [Standing::Refuted, Standing::Confirmed, Standing::NotReached, Standing::Unverified]
            .map(count);
    outln!(
        "{} (claims know it as {}): {} claims, {confirmed} confirmed, {refuted} refuted, \
         {missed} not reached; {others} about other systems and versions",
        asked.who.bold(),
        asked.kernel,
        confirmed + refuted + missed
    );
    for wanted in
        [Standing::Refuted, Standing::NotReached, Standing::Confirmed, Standing::Unverified]
    {
        let mut of_it = chosen.iter().filter(|claim| asked.of(claim).0 == wanted).peekable();
        if of_it.peek().is_some() {
            out::blank();
        }
        for claim in of_it {
            say(claim, wanted, asked.of(claim).1);
        }
    }
}

fn say(claim: &Claim, standing: Standing, tests: &[Test]) {
    let word = standing.word();
    let word = word.style(style(standing));
    if standing == Standing::Confirmed {
        let so = tests.iter().filter(|test| test.standing == Standing::Confirmed).count();
        let cases = if so == 1 { "1 case".to_owned() } else { format!("{so} cases") };
        let used = standing.word().len() + claim.id.len() + cases.len() + 6;
        let head = format_args!("{word} {} ({cases}): ", claim.id.bold());
        out::paragraph(head, used, 4, &claim.says);
        return;
    }
    outln!("{word} {} [{}]", claim.id.bold(), claim.on());
    out::paragraph(format_args!("    "), 4, 4, &claim.says);
    // Each reason once, with the first case that has it.
    let mut said: Vec<&str> = Vec::new();
    for test in tests.iter().filter(|test| test.standing == standing) {
        let why = test.why.as_deref().unwrap_or_default();
        if !said.contains(&why) {
            said.push(why);
            out::paragraph(format_args!("    "), 4, 8, &format!("{}: {why}", test.case));
        }
    }
    let sources = format!("{}: {}", claim.provenance(), claim.sources.join("; "));
    out::paragraph(format_args!("    "), 4, 8, &sources);
}
