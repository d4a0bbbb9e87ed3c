//! `sockeye bundle`: one bug as one zip, from this kernel or from runs.

mod attempt;
mod known;

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use harness::case::{Case, Os};
use harness::trace::Fingerprint;
use reports::bundle::{Bundle as Facts, Part, Recipient, Scrub, Tried, pivot, zip};
use suites::baseline::Baselines;

use crate::cases::Own;
use crate::cli::{Bundle, For};
use crate::{Status, UsageError, results, run, select};
use known::{Known, Seen};

/// Gathers what is known, tries the reproducers, writes the zip, says what it is.
pub(crate) fn bundle(args: &Bundle) -> Result<Status> {
    let mut cases: Vec<Case> = Vec::new();
    let (files, _) = select::named(&args.cases);
    let mut own = Own::default();
    for named in &files {
        own.add(named)?;
    }
    let own = Arc::new(own);
    for pattern in &args.cases {
        let (case, _) = select::one(pattern)?;
        if cases.iter().all(|known| known.id != case.id) {
            cases.push(case);
        }
    }
    let known = if args.runs.is_empty() {
        known::here(&cases, &own, args.times.unwrap_or(10))?
    } else {
        known::from_runs(&cases, &args.runs)?
    };
    let os = known::system(&known.subject.kernel)?;
    let is_gvisor = known.subject.platforms.iter().any(|name| name.starts_with("gvisor"));
    let recipient = match args.recipient {
        Some(For::Freebsd) => Recipient::Freebsd,
        Some(For::Gvisor) => Recipient::Gvisor,
        Some(For::Apple) => Recipient::Apple,
        None if os == Os::Macos => Recipient::Apple,
        None if is_gvisor => Recipient::Gvisor,
        Some(For::Netdev) | None => Recipient::Netdev,
    };
    fits(recipient, os, is_gvisor, &known)?;
    let mut facts = Facts {
        subject: &known.subject,
        os,
        environment: known.subject.environment.as_ref(),
        log: known.subject.log.as_ref(),
        rules: &known.rules,
        parts: known.seen.iter().map(|seen| part(seen, os)).collect(),
        recipient,
    };
    let programs = facts.programs(&mut facts.scrub(args.keep_private));
    let tried = attempt::all(&known, &cases, &programs, !args.runs.is_empty())?;
    for (part, tried) in facts.parts.iter_mut().zip(tried) {
        part.tried = tried;
    }
    let path = args.output.clone().unwrap_or_else(|| default_name(&known));
    let there = path.exists();
    write(&facts, args, &path)?;
    let control = facts.parts.iter().all(Part::is_control);
    outln!(
        "{}{}",
        if control { "control record, no fault is claimed: " } else { "" },
        facts.title()
    );
    for part in &facts.parts {
        match &part.tried {
            Tried::Agrees => outln!("the reproducer reproduces it"),
            Tried::CallsAgree => {
                outln!("the reproducer's calls agree; the wire was not looked at");
            }
            Tried::Differs(how) => {
                outln!("the reproducer does not reproduce it: {how}");
            }
            Tried::Not(why) => outln!("the reproducer was not tried: {why}"),
        }
    }
    let instead = if there { ", in place of the file that was there" } else { "" };
    outln!("written to {}{instead}", path.display());
    let differs = facts.parts.iter().any(|part| matches!(part.tried, Tried::Differs(_)));
    Ok(if differs { Status::Unexpected } else { Status::Expected })
}

/// Nobody is told of a system that is not theirs.
fn fits(recipient: Recipient, os: Os, is_gvisor: bool, known: &Known) -> Result<()> {
    let (theirs, who, system) = match recipient {
        Recipient::Apple => (os == Os::Macos, "Apple", "macOS"),
        Recipient::Netdev => (os == Os::Linux && !is_gvisor, "netdev", "Linux"),
        Recipient::Gvisor => (is_gvisor, "gVisor", "gVisor"),
        // What it has in common with macOS may be its own.
        Recipient::Freebsd => (os == Os::Macos, "FreeBSD", "FreeBSD and what macOS has of it"),
    };
    if theirs {
        return Ok(());
    }
    let platform = known.subject.platforms.first().map_or("unknown", String::as_str);
    Err(UsageError(format!("this is of {platform}, and {who} is told of {system} alone")).into())
}

fn part(seen: &Seen, os: Os) -> Part<'_> {
    Part {
        line: &seen.line,
        os,
        times: seen.times,
        same: seen.same,
        elsewhere: seen.elsewhere.clone(),
        baselines: Baselines::embedded().of_case(&seen.line.id).collect(),
        controls: seen.controls.iter().collect(),
        tried: Tried::Not("nobody has tried it yet".to_owned()),
    }
}

fn write(facts: &Facts<'_>, args: &Bundle, path: &std::path::Path) -> Result<()> {
    if path.is_dir() {
        return Err(UsageError(format!("{} is a folder, a file is wanted", path.display())).into());
    }
    let files = facts.files(&mut facts.scrub(args.keep_private)).context("the frames")?;
    let began_ns = facts.parts.first().map_or(0, |part| part.line.trace.began_ns);
    let mut bytes = Cursor::new(Vec::new());
    zip::write(&files, began_ns / 1_000_000_000, &mut bytes)?;
    results::whole(path, |file| Ok(file.write_all(bytes.get_ref())?))
}

/// `netdown.linux-6.18.zip`.
fn default_name(known: &Known) -> PathBuf {
    let id = known.seen.first().map_or("bundle", |seen| seen.line.id.as_str());
    let name = id.split_once('/').map_or(id, |(_, name)| name);
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let name: String = name.trim_end_matches(']').chars().map(plain).take(120).collect();
    let platform = known.subject.platforms.first().map_or("unknown", String::as_str);
    let platform: String = platform.chars().map(plain).take(80).collect();
    PathBuf::from(format!("{name}.{platform}.zip"))
}

/// The call that a seen case is about.
fn pivot_of(seen: &Seen, os: Os) -> u32 {
    pivot(&part(seen, os)).unwrap_or_default()
}

/// Whether this kernel is the one that answered.
fn is_here(known: &Known) -> Result<bool> {
    let here = harness::subject::fingerprint(&run::native()?)?;
    let there = &known.subject.kernel;
    let who = |kernel: &Fingerprint| {
        let Fingerprint { system, release, version, libc, .. } = kernel.clone();
        [system, release, version, libc]
    };
    // A run has it without what names the host and its users.
    let told = Scrub::of(&harness::exec::environment()).kernel(&here);
    Ok([&here, &told].into_iter().any(|kernel| who(kernel) == who(there)))
}
