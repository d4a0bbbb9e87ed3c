//! `sockeye show --platforms`: what every known kernel did in one case.

use anyhow::Result;
use harness::case::Case;
use owo_colors::OwoColorize as _;
use similar::{ChangeTag, TextDiff};
use suites::baseline::Baselines;

use crate::cli::Show;
use crate::{Status, UsageError, report};

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
    anstream::println!("{}\n{}", case.id.bold(), case.title);
    let Some((first, others)) = groups.split_first() else {
        anstream::println!("\nno platform has a baseline of it; --run RUN adds those of a run");
        return Ok(Status::Expected);
    };
    anstream::println!("\n{}\n", first.who.join(", ").bold());
    first.outcome.lines().for_each(|line| anstream::println!("    {line}"));
    for group in others {
        anstream::println!("\n{}\n", group.who.join(", ").bold());
        for change in TextDiff::from_lines(&first.outcome, &group.outcome).iter_all_changes() {
            let line = change.value().trim_end();
            match change.tag() {
                ChangeTag::Equal => anstream::println!("    {line}"),
                ChangeTag::Delete => anstream::println!("  {}", format!("- {line}").red()),
                ChangeTag::Insert => anstream::println!("  {}", format!("+ {line}").green()),
            }
        }
    }
    Ok(Status::Expected)
}
