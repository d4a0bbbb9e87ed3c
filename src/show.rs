//! `sockeye show`, `repro` and `wire`: one case, run now, as a person wants to see it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use harness::case::{Case, Os};
use harness::outcome;
use harness::subject;
use harness::trace::{End, Fingerprint, Trace};
use reports::bundle::{Part, Tried, expectations};
use reports::pcapng::Pcapng;
use reports::repro::{Observed, Options, reproducer};
use reports::runs::Line;
use suites::baseline::Baselines;
use suites::claim::Kernel;
use suites::rules::RULES;
use suites::verdict::{Judgement, Verdict};

use crate::cli::{Form, Repro, Run, Show, Target, Wire};
use crate::out::Paint as _;
use crate::product::Product;
use crate::results::{self, Answer};
use crate::summary::Counted;
use crate::{Status, claims, out, platforms, run, select, summary};
use cases::Own;

/// Runs one case on this kernel.
fn answer<'c>(case: &'c Case, own: &Arc<Own>) -> Result<(Answer<'c>, Fingerprint)> {
    let kernel = subject::fingerprint(&run::native()?)?;
    let mut answers = run::answers(&[case], own, &Run::default(), &kernel, &|_, _, _| ())?;
    match answers.pop() {
        Some(answer) => Ok((answer, kernel)),
        None => bail!("{} gave no answer", case.id),
    }
}

/// Transcript, verdict, rules, and what each platform did.
pub(crate) fn show(args: &Show) -> Result<Status> {
    let (case, own) = select::one(&args.case)?;
    match args.form {
        Some(Form::Case) => {
            let text = own
                .written(&case.id)
                .map_or_else(|| notation::print(&case), notation::print_written);
            out::text(&text);
            return Ok(Status::Expected);
        }
        Some(Form::Json) => {
            out::json_line(&format!("{:#}", serde_json::to_value(&case)?));
            return Ok(Status::Expected);
        }
        None => {}
    }
    if args.platforms {
        return platforms::platforms(args, &case);
    }
    let os = run::host()?;
    let (answer, kernel) = answer(&case, &own)?;
    let judgement = &answer.judgement;
    outln!("{}", case.id.bold());
    outln!("{}", case.title);
    for step in &case.lab.setup {
        outln!("-- {step}");
    }
    let began = Duration::from_nanos(answer.trace.began_ns).as_secs_f64();
    out::blank();
    outln!("on {} {}, at {began:.6} s:", kernel.system, kernel.release);
    out::blank();
    out::text(&outcome::transcript(&case, &answer.trace, os));
    let verdict = judgement.verdict;
    out::blank();
    let counted = Counted::of(&answer);
    let written = own.written(&case.id);
    out!("verdict: {}", counted.word().style(counted.colour()));
    match &judgement.expected {
        Some((platform, _)) => outln!(", by the baseline of {platform}"),
        None if own.is_empty() => outln!(", there is no baseline of this platform"),
        None if verdict == Verdict::New => {
            let why = written.and_then(|one| one.why_unjudged(&answer.trace, os));
            outln!(", {}", why.unwrap_or_else(|| "nothing is asked of it".to_owned()));
        }
        None => outln!(", by what its text asks"),
    }
    if let Some(why) = suites::rules::frames_unjudged(&answer.trace) {
        outln!("{why}");
    }
    run::explain(&answer);
    broken(judgement);
    claimed(&case, &answer.trace, &Kernel::of(&kernel));
    for (platform, text) in Baselines::embedded().of_case(&case.id) {
        out::blank();
        outln!("{}", format!("baseline of {platform}").bold());
        out::text(text);
        out::blank();
    }
    Ok(if judgement.is_unexpected() { Status::Unexpected } else { Status::Expected })
}

/// Each claim about this case, and how it stands here.
fn claimed(case: &Case, trace: &Trace, here: &Kernel) {
    for claim in suites::claim::claims().iter().filter(|claim| claim.concerns(&case.id)) {
        let test = claim.test(case, trace, here);
        let word = test.standing.word();
        let word = word.style(claims::style(test.standing));
        out::blank();
        outln!("claim {}, of {}: {word}", claim.id.bold(), claim.on());
        let below = |text: &str| out::paragraph(format_args!("  "), 2, 4, text);
        below(&claim.says);
        test.why.iter().for_each(|why| below(why));
        below(&format!("{}: {}", claim.provenance(), claim.sources.join("; ")));
    }
}

/// Each rule that is broken, with what it says and where it has that from.
fn broken(judgement: &Judgement) {
    for (finding, known) in judgement.findings.iter().chain(&judgement.remarks) {
        for rule in RULES.iter().filter(|rule| finding.rule == rule.name) {
            let rank = finding.rank();
            let rank = rank.style(summary::style(rank));
            out::blank();
            let used = finding.rank().word().len() + rule.name.len() + 3;
            out::paragraph(format_args!("{rank} {}: ", rule.name), used, 2, rule.says);
            let below = |text: &str| out::paragraph(format_args!("  "), 2, 4, text);
            below(&finding.text);
            if let Some(deviation) = known {
                below(&format!("known: {} {}", deviation.reason, deviation.link));
            }
            for cite in rule.cites {
                below(&format!("{}: \"{}\"", cite.source, cite.quote));
            }
        }
    }
}

/// The C program, with what this kernel did in its header where it is for this system.
pub(crate) fn repro(args: &Repro) -> Result<Status> {
    let (case, own) = select::one(&args.case)?;
    let host = run::host()?;
    let os = match args.os {
        None => host,
        Some(Target::Linux) => Os::Linux,
        Some(Target::Macos) => Os::Macos,
    };
    let (answer, kernel) = answer(&case, &own)?;
    let name = format!("{} {} {}", kernel.system, kernel.release, kernel.version);
    let platforms = kernel.platforms();
    let ran = matches!(answer.trace.end, End::Done | End::Unsupported | End::Hung);
    let observed = (os == host && ran).then_some(Observed {
        trace: &answer.trace,
        platform: &platforms[0],
        kernel: &name,
        outcome: &answer.judgement.outcome,
    });
    let line = results::json(run::NATIVE, &case, &answer.trace, &answer.judgement)?;
    let line: Line = serde_json::from_slice(&line)?;
    let subject = results::subject(run::NATIVE, &kernel, 1, None);
    let rules = results::manifest(subject, &[]).rules;
    let part = Part::once(&line, host, Tried::Not(String::new()));
    let expected = expectations(&rules, &part);
    let options = Options { os, observed, expected: &expected };
    out::text(&reproducer(&case, &options));
    Ok(Status::Expected)
}

/// The frames.
pub(crate) fn wire(args: &Wire) -> Result<Status> {
    let (case, own) = select::one(&args.case)?;
    let os = run::host()?;
    let (answer, kernel) = answer(&case, &own)?;
    if let End::Skipped { reason } | End::Broken { reason } = &answer.trace.end {
        bail!("{} did not run: {reason}", case.id);
    }
    Product::Frames.write(&args.output, |file| {
        let mut pcapng = Pcapng::new(file, &format!("{} {}", kernel.system, kernel.release))?;
        Ok(pcapng.add(&case, &answer.trace, os)?)
    })?;
    Ok(Status::Expected)
}
