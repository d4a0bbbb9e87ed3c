//! `sockeye bundle`: one bug as one zip, from this kernel or from runs.

mod attempt;
mod known;

use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use harness::case::{Case, Os};
use harness::trace::Fingerprint;
use reports::bundle::{
    Bundle as Facts, MOST_OF_MAINTAINERS, Maintainers, Part, Recipient, Scrub, Tried, pivot, zip,
};
use suites::baseline::Baselines;

use crate::cli::{Bundle, For};
use crate::product::Product;
use crate::{Status, UsageError, run, select};
use cases::Own;
use known::{Known, Seen};

/// Gathers what is known, tries the reproducers, writes the zip, says what it is.
pub(crate) fn bundle(args: &Bundle) -> Result<Status> {
    // Before anything is asked for it.
    args.output.as_deref().map(|path| Product::Bundle.place(path)).transpose()?;
    let maintainers = args.linux.as_deref().map(maintainers).transpose()?;
    let mut cases: Vec<Case> = Vec::new();
    let (files, _) = select::named(&args.cases);
    let mut own = Own::default();
    for named in &files {
        own.add(named, &mut |line| errln!("{line}"))?;
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
    let parts: Vec<Part<'_>> = known.seen.iter().map(|seen| part(seen, os)).collect();
    let recipient = args.recipient.map_or_else(|| Recipient::of(&known.subject, os, &parts), whom);
    fits(recipient, os, &known, &parts)?;
    let mut facts = Facts {
        subject: &known.subject,
        os,
        environment: known.subject.environment.as_ref(),
        log: known.subject.log.as_ref(),
        rules: &known.rules,
        parts,
        recipient,
    };
    if maintainers.is_some() && (recipient != Recipient::Netdev || facts.is_control()) {
        let whose = if facts.is_control() { "a control record" } else { recipient.about().0 };
        let text = format!("--linux is for a mail to netdev, and this is for {whose}");
        return Err(UsageError(text).into());
    }
    let path = args.output.clone().unwrap_or_else(|| default_name(&known));
    Product::Bundle.place(&path)?;
    let programs = facts.programs(&mut facts.scrub(args.keep_private));
    let tried = attempt::all(&known, &cases, &programs, !args.runs.is_empty())?;
    for (part, tried) in facts.parts.iter_mut().zip(tried) {
        part.tried = tried;
    }
    let there = path.exists();
    write(&facts, args, maintainers.as_ref(), &path)?;
    let control = facts.is_control();
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

fn whom(whose: For) -> Recipient {
    match whose {
        For::Apple => Recipient::Apple,
        For::Netdev => Recipient::Netdev,
        For::Freebsd => Recipient::Freebsd,
        For::Gvisor => Recipient::Gvisor,
        For::Glibc => Recipient::Glibc,
        For::Musl => Recipient::Musl,
    }
}

/// Nobody is told of what is not theirs: of another system, or of a library in place of a kernel.
fn fits(recipient: Recipient, os: Os, known: &Known, parts: &[Part<'_>]) -> Result<()> {
    let theirs = Recipient::of(&known.subject, os, parts);
    // What FreeBSD has in common with macOS may be its own.
    if recipient == theirs || recipient == Recipient::Freebsd && os == Os::Macos {
        return Ok(());
    }
    let platform = match theirs {
        Recipient::Glibc | Recipient::Musl => known.subject.kernel.libc.as_str(),
        _ => known.subject.platforms.first().map_or("unknown", String::as_str),
    };
    let (who, what) = recipient.about();
    Err(UsageError(format!("this is of {platform}, and {who} is told of {what} alone")).into())
}

/// MAINTAINERS of a kernel's source tree.
fn maintainers(tree: &Path) -> Result<Maintainers> {
    let path = tree.join("MAINTAINERS");
    let read = || {
        let file = harness::files::opened(&path, true).ok()?;
        let mut bytes = Vec::new();
        file.take(MOST_OF_MAINTAINERS + 1).read_to_end(&mut bytes).ok()?;
        let whole = u64::try_from(bytes.len()).is_ok_and(|len| len <= MOST_OF_MAINTAINERS);
        whole.then(|| Maintainers::read(&String::from_utf8_lossy(&bytes))).flatten()
    };
    let lacks = || {
        let tree = tree.display();
        UsageError(format!(
            "{tree} is no kernel's source tree: it has no MAINTAINERS that names anybody"
        ))
    };
    Ok(read().ok_or_else(lacks)?)
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

fn write(
    facts: &Facts<'_>,
    args: &Bundle,
    maintainers: Option<&Maintainers>,
    path: &Path,
) -> Result<()> {
    let files = facts.files_to(&mut facts.scrub(args.keep_private), maintainers);
    let files = files.context("the frames")?;
    let began_ns = facts.parts.first().map_or(0, |part| part.line.trace.began_ns);
    let mut bytes = Cursor::new(Vec::new());
    zip::write(&files, began_ns / 1_000_000_000, &mut bytes)?;
    Product::Bundle.write(path, |file| Ok(file.write_all(bytes.get_ref())?))
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
