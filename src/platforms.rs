//! `sockeye show --platforms`: what every known kernel did in one case.

use anyhow::Result;
use harness::case::Case;
use similar::{ChangeTag, TextDiff};
use suites::baseline::Baselines;

use crate::cli::Show;
use crate::out::Paint as _;
use crate::{Status, UsageError, out, report};

/// Kernels that did the same, and what they did.
struct Group {
    who: Vec<String>,
    outcome: String,
}

/// Prints the outcomes of all baselines and of the runs that were given, each once, with the lines
/// marked in which it differs from the first.
pub(crate) fn platforms(args: &Show, case: &Case) -> Result<Status> {
    let mut groups: Vec<Group> = Vec::new();
    let mut add = |who: String, outcome: &str| {
        let outcome = outcome.trim_end();
        match groups.iter_mut().find(|group| group.outcome == outcome) {
            Some(group) => group.who.push(who),
            None => groups.push(Group { who: vec![who], outcome: outcome.to_owned() }),
        }
    };
    for (platform, outcome) in Baselines::embedded().of_case(&case.id) {
        add(format!("baseline of {platform}"), outcome);
    }
    for folder in &args.runs {
        let run = report::read(folder)?;
        let lines: Vec<_> = run.lines.iter().filter(|line| line.id == case.id).collect();
        if lines.is_empty() {
            let what = format!("{} has no case {}", folder.display(), case.id);
            return Err(UsageError(what).into());
        }
        for line in lines {
            add(format!("{} of {}", line.subject, folder.display()), &line.outcome);
        }
    }
    outln!("{}", case.id.bold());
    outln!("{}", case.title);
    let Some((first, others)) = groups.split_first() else {
        out::blank();
        outln!("no platform has a baseline of it; --run RUN adds those of a run");
        return Ok(Status::Expected);
    };
    out::blank();
    outln!("{}", first.who.join(", ").bold());
    out::blank();
    first.outcome.lines().for_each(|line| outln!("    {line}"));
    for group in others {
        out::blank();
        outln!("{}", group.who.join(", ").bold());
        out::blank();
        for change in TextDiff::from_lines(&first.outcome, &group.outcome).iter_all_changes() {
            let line = change.value().trim_end();
            match change.tag() {
                ChangeTag::Equal => outln!("    {line}"),
                ChangeTag::Delete => outln!("  {}", format!("- {line}").red()),
                ChangeTag::Insert => outln!("  {}", format!("+ {line}").green()),
            }
        }
    }
    Ok(Status::Expected)
}
