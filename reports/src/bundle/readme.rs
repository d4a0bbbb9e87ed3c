//! `README.md`: the bug as an engineer reads it.

use std::fmt::Write as _;

use harness::environment::Log;
use harness::outcome;
use harness::verdict::Verdict;

use super::since::{self, Elsewhere};
use super::zip::utc;
use super::{Bundle, Part, Recipient, Scrub, Tried, apple, lead, shown, shown_like};
use crate::runs::Cite;
use crate::text::{self, inline, page, prose, visible};

/// Everything but what was replaced, which [`replaced`] says.
pub(super) fn readme(bundle: &Bundle<'_>) -> String {
    let mut out = String::new();
    out.push_str(&warning(bundle, "**", "**\n\n"));
    let control = bundle.is_control();
    let what = if control { "Control record: " } else { "" };
    let _ = writeln!(out, "# {what}{}\n", prose(&bundle.title()));
    if bundle.recipient == Recipient::Apple && !control {
        out.push_str(&apple::fields(bundle));
    }
    for part in bundle.parts.iter().take(1) {
        out.push_str(&first(bundle, part));
    }
    let _ = writeln!(out, "## Steps to reproduce\n\n{}", steps(bundle));
    let _ = writeln!(out, "{}", tried(bundle));
    if bundle.recipient == Recipient::Apple && !control {
        out.push_str(&apple::attach(bundle));
    }
    for cite in bundle.parts.iter().take(1).flat_map(|part| lead::quotes(bundle.rules, part)) {
        out.push_str(&quoted(cite));
    }
    out.push_str("What follows is there to be looked up.\n\n");
    for (number, part) in (1..).zip(&bundle.parts) {
        if bundle.parts.len() > 1 {
            let _ = writeln!(out, "# Case {number}: {}\n", prose(&part.line.case.title));
        }
        for (heading, text) in sections(bundle, part) {
            let _ = writeln!(out, "## {heading}\n\n{}\n", text.trim_end());
        }
    }
    let _ = writeln!(out, "## Where\n\n{}", place(bundle));
    out.push_str(FILES);
    match bundle.recipient {
        Recipient::Apple => {}
        _ if control => {
            out.push_str("- `mail.txt`: the same as plain text. It claims no fault, and is for no list.\n");
        }
        Recipient::Netdev | Recipient::Glibc | Recipient::Musl => out.push_str(
            "- `mail.txt`, `mail-program.txt`: the same as plain text and the program as its answer, to \
             send: `git send-email mail.txt mail-program.txt`.\n",
        ),
        Recipient::Freebsd | Recipient::Gvisor => {
            out.push_str("- `mail.txt`: the same as plain text, to paste.\n");
        }
    }
    out
}

/// The lead, and the like that does behave.
fn first(bundle: &Bundle<'_>, part: &Part<'_>) -> String {
    let mut out = format!("{}\n\n", prose(&lead::lead(bundle, part)));
    out.push_str(&code(shown(part).iter().map(String::as_str)));
    if let Some(found) = lead::contrast(part) {
        let (what, id) = (prose(&found.what), text::code(&found.id));
        let lines = code(found.lines.iter().map(String::as_str));
        let _ = write!(out, "\nIn contrast, {what} ({id}):\n\n{lines}");
    }
    out.push('\n');
    out
}

/// A clause, with its words first.
fn quoted(cite: &Cite) -> String {
    let source = prose(&cite.source);
    let source = match cite.link.as_deref().and_then(page) {
        Some(page) => format!("[{source}]({page})"),
        None => source,
    };
    format!("> {}\n>\n> {source}\n\n", prose(&cite.quote))
}

const FILES: &str = "\
## Files

- `run.sh`: compiles `repro.c`, runs it, says whether it reproduces, and cleans up.
- `repro.c`: C11, one file; on Linux it builds the network that it needs in a namespace.
- `transcript.txt`: every call and frame in order, with times.
- `wire.pcapng`: the frames, each with a comment naming the call that caused it.
- `trace.json`: the case and all that happened, as data.
- `environment.json`: kernel, settings, interfaces, routes, filters.
- `kernel.log`: the kernel's own words meanwhile.
";

/// What stands on the first line when the reproducer does not do what the bundle says.
pub(super) fn warning(bundle: &Bundle<'_>, before: &str, behind: &str) -> String {
    let bad = bundle.parts.iter().find_map(|part| match &part.tried {
        Tried::Differs(how) => {
            Some(format!("The reproducer does not reproduce this: {}.", inline(how)))
        }
        _ => None,
    });
    bad.map_or_else(String::new, |text| format!("{before}{text}{behind}"))
}

/// Headings and texts of one case.
pub(super) fn sections(bundle: &Bundle<'_>, part: &Part<'_>) -> Vec<(&'static str, String)> {
    let mut out = vec![
        ("What happened", happened(part)),
        ("What was expected", expected(bundle, part)),
        ("How often", often(part)),
        ("On other systems", elsewhere(bundle, part)),
    ];
    let this = this(bundle, part);
    if let Some(since) = lead::since(bundle, part, &this) {
        out.insert(2, ("Since which build", since::sentence(since)));
    }
    if !part.controls.is_empty() {
        out.push(("What it is not", controls(part)));
    }
    out
}

/// The kernel of the bundle, to be laid beside the others.
pub(super) fn this(bundle: &Bundle<'_>, part: &Part<'_>) -> Elsewhere {
    Elsewhere {
        kernel: bundle.subject.kernel.clone(),
        name: bundle.build(),
        verdict: part.line.verdict,
        outcome: part.line.outcome.trim_end().to_owned(),
    }
}

/// With a capital, as a sentence begins; but for the name of a call.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let is_call = text.split(' ').next().is_some_and(|word| !["a", "after", "the"].contains(&word));
    if is_call { text.to_owned() } else { format!("{first}{}", letters.as_str()) }
}

fn happened(part: &Part<'_>) -> String {
    let line = part.line;
    let title = prose(&line.case.title);
    let mut out = format!("{}.\n\n", title.trim_end_matches(['.', '?']));
    if title.ends_with('?') {
        out = format!("{title}\n\n");
    }
    for finding in &line.findings {
        let _ = writeln!(out, "{}\n", prose(&sentence(&finding.text)));
    }
    for remark in &line.remarks {
        let _ = writeln!(out, "A remark, no fault: {}\n", prose(&remark.text));
    }
    out.push_str(&code(shown(part).iter().map(String::as_str)));
    out.push_str(
        "\nAll calls, as strace writes them; frames stand beneath the call that caused them:\n\n",
    );
    let lab = line.case.lab.setup.iter().map(|step| format!("-- {step}"));
    let lab: Vec<String> = lab.collect();
    out.push_str(&code(lab.iter().map(String::as_str).chain(line.outcome.lines())));
    out
}

pub(super) fn code<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines
        .flat_map(|line| ["    ".to_owned(), visible(line).replace('\n', " "), "\n".to_owned()])
        .collect()
}

fn expected(bundle: &Bundle<'_>, part: &Part<'_>) -> String {
    let line = part.line;
    let mut out = String::new();
    for rule in lead::broken(bundle.rules, line) {
        let _ = writeln!(out, "{}\n", prose(&rule.says));
        // What speaks for it first.
        let (speak, others): (Vec<_>, Vec<_>) =
            rule.cites.iter().partition(|cite| lead::speaks(part, cite));
        for cite in speak.into_iter().chain(others) {
            out.push_str(&quoted(cite));
        }
    }
    for known in line.findings.iter().filter_map(|finding| finding.known.as_ref()) {
        let text = format!(
            "Known: {} ({})\n\n",
            prose(&known.reason),
            page(&known.link).unwrap_or("no link")
        );
        if !out.contains(&text) {
            out.push_str(&text);
        }
    }
    if let (Verdict::Changed, Some(was)) = (line.verdict, &line.expected) {
        let platform = prose(line.baseline.as_deref().unwrap_or("this platform"));
        let _ = writeln!(out, "What was observed on {platform} before:\n\n{}", code(was.lines()));
    }
    for unexpected in &line.unexpected {
        let _ = writeln!(out, "{}.\n", prose(&unexpected.to_string()));
    }
    match (line.verdict, out.is_empty()) {
        (Verdict::Ok, true) => {
            "This is what the platform was observed to do before, and no rule is \
                                broken: a question, no fault is claimed."
                .to_owned()
        }
        (_, true) => "Nothing was observed on this platform before, and no rule is broken: a \
                      question, no fault is claimed."
            .to_owned(),
        _ => out,
    }
}

fn often(part: &Part<'_>) -> String {
    format!("{} of {} times the outcome was the one shown.", part.same, part.times)
}

/// The row of the matrix: whoever did the same together, and where the others part.
fn elsewhere(bundle: &Bundle<'_>, part: &Part<'_>) -> String {
    let this = this(bundle, part);
    let mut out = String::from("| system | what it did |\n| --- | --- |\n");
    let _ = writeln!(
        out,
        "| {} (this) | {} |",
        text::markdown(&bundle.who()),
        cell(&shown(part).join("\n"))
    );
    let others = part.elsewhere.iter().map(|e| (bundle.name_of(e), e.outcome.as_str()));
    let known = part.baselines.iter().map(|(name, text)| (format!("baseline of {name}"), *text));
    for (name, outcome) in others.chain(known) {
        let what = match parting(&this.outcome, outcome) {
            None => "the same".to_owned(),
            Some(line) => cell(line),
        };
        let _ = writeln!(out, "| {} | {what} |", text::markdown(&name));
    }
    out
}

/// The first line of `there` that is not the one of `here`.
fn parting<'a>(here: &str, there: &'a str) -> Option<&'a str> {
    if here.trim_end() == there.trim_end() {
        return None;
    }
    let mut ours = here.lines();
    there.lines().find(|line| ours.next() != Some(line)).or(Some("(less)"))
}

pub(super) fn cell(text: &str) -> String {
    let text = text.lines().map(str::trim).collect::<Vec<_>>().join("; ");
    text::code(&text)
}

/// What cases like it did, as the runs at hand show.
fn controls(part: &Part<'_>) -> String {
    let mut out = String::from("These are as expected on the same kernel:\n\n");
    for line in &part.controls {
        let _ = writeln!(
            out,
            "- {} ({}): {}",
            prose(line.case.title.trim_end_matches('.')),
            text::code(&line.id),
            cell(&shown_like(part, line).join("\n"))
        );
    }
    out
}

/// What to paste.
pub(super) fn steps(bundle: &Bundle<'_>) -> String {
    let sudo = if bundle.os == harness::case::Os::Macos { "sudo " } else { "" };
    format!(
        "Unzip this archive into a folder, and there:\n\n    {sudo}sh run.sh\n\nor without the \
         script:\n\n    cc -pthread repro.c -o repro && {sudo}./repro; echo $?\n\nIts last line is \
         REPRODUCED, and it exits with 0, if every call did what is shown here and the same \
         frames left; with \"not reproduced\" and 1 if not; with 2 if it could not be tried. Where it \
         cannot look at the wire it says so on the line before.\n"
    )
}

/// What became of trying it.
pub(super) fn tried(bundle: &Bundle<'_>) -> String {
    let mut out = String::new();
    for part in &bundle.parts {
        let text = match &part.tried {
            Tried::Agrees => "The reproducer was compiled and run just before this was written: every call did what is shown, and the same frames left.".to_owned(),
            Tried::CallsAgree => "The reproducer was compiled and run just before this was written: every call did what is shown. The wire was not looked at.".to_owned(),
            Tried::Differs(how) => format!("The reproducer was compiled and run just before this was written, and did something else: {}.", inline(how)),
            Tried::Not(why) => format!("The reproducer was not tried: {}.", inline(why)),
        };
        if !out.contains(&text) {
            let _ = writeln!(out, "{text}");
        }
    }
    out
}

/// Kernel, machine and time.
pub(super) fn place(bundle: &Bundle<'_>) -> String {
    let kernel = &bundle.subject.kernel;
    let began = bundle.parts.first().map_or(0, |part| part.line.trace.began_ns / 1_000_000_000);
    let revision = bundle.subject.revision.as_ref();
    let mut out = format!(
        "- Kernel: {} {} {} {}\n- When: {}\n- As user {}, by sockeye {}{}\n",
        prose(&kernel.system),
        prose(&kernel.release),
        prose(&kernel.version),
        prose(&kernel.machine),
        utc(began),
        kernel.euid,
        prose(&bundle.subject.program),
        revision.map_or_else(String::new, |revision| format!(" ({})", prose(revision)))
    );
    let Some(environment) = bundle.environment else { return out };
    if let Some(os) = &environment.os {
        let build =
            environment.os_build.as_ref().map_or_else(String::new, |b| format!(" ({})", prose(b)));
        let _ = writeln!(out, "- System: {}{build}", prose(os));
    }
    for line in environment.filters.iter().chain(&environment.confinement) {
        let _ = writeln!(out, "- {}", prose(line));
    }
    out
}

/// The transcript of one case.
pub(super) fn transcript(bundle: &Bundle<'_>, part: &Part<'_>) -> String {
    let line = part.line;
    let mut out = format!("{}\n{}\n", line.id, line.case.title);
    for step in &line.case.lab.setup {
        let _ = writeln!(out, "-- {step}");
    }
    let began = utc(line.trace.began_ns / 1_000_000_000);
    let _ = writeln!(out, "\non {}, {began}:\n", bundle.build());
    out.push_str(&outcome::transcript(&line.case, &line.trace, part.os));
    visible(&out).into_owned()
}

/// `kernel.log`.
pub(super) fn log(log: Option<&Log>) -> String {
    let Some(log) = log else { return "The run did not keep the kernel's log.\n".to_owned() };
    let mut out: String = log.lines.iter().flat_map(|line| [visible(line), "\n".into()]).collect();
    if let Some(why) = &log.missing {
        let _ = writeln!(out, "{why}");
    } else if log.lines.is_empty() {
        out.push_str("The kernel said nothing while the case ran.\n");
    }
    out
}

/// What was replaced.
pub(super) fn replaced(scrub: &Scrub) -> String {
    if scrub.is_off() {
        return "\nNothing was replaced: names and addresses are the machine's own.\n".to_owned();
    }
    let what = scrub.replaced();
    let what = if what.is_empty() { "nothing was found".to_owned() } else { what.join(", ") };
    format!(
        "\nNames, identifiers and addresses that are not the lab's were replaced, each everywhere by \
         the same ({what}): `host-1`, `user-1`, addresses in 198.18.0.0/15, 2001:2::/48 and \
         0a:00:00:00:00:00. The lab's own are 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, \
         2001:db8::/32, fe80::1 and the like, 02:00:00:00:00:01 and the like.\n"
    )
}
