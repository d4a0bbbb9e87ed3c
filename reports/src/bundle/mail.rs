//! `mail.txt`: the bug as plain text, for those who read mail or fill in a form.

use std::fmt::Write as _;

use super::readme::{this, warning};
use super::since::{self, Elsewhere, Since};
use super::{Bundle, Part, Recipient, Tried, lead, shown};
use crate::text::{one_line, visible};

/// As wide as a mail gets.
const WIDTH: usize = 72;

/// As long as one gets that is read: more is in the archive.
const LINES: usize = 80;

/// How many lines of a transcript it shows.
const SHOWN: usize = 12;

/// The mail: plain text, of no more than [`LINES`] lines. The program goes with it by its name.
pub(super) fn mail(bundle: &Bundle<'_>) -> String {
    let mut out = warning(bundle, "", "\n\n");
    out.push_str(&head(bundle));
    let Some(part) = bundle.parts.first() else { return out };
    paragraph(&mut out, &lead::lead(bundle, part));
    block(&mut out, shown(part).iter().map(String::as_str));
    if let Some((title, id, lines)) = lead::contrast(part) {
        paragraph(&mut out, &format!("In contrast, {title} ({id}):"));
        block(&mut out, lines.iter().map(String::as_str));
    }
    if let Some(more) = bundle.parts.get(1..).filter(|more| !more.is_empty()) {
        let rule =
            |part: &Part<'_>| part.line.findings.first().map(|f| (f.rule.clone(), f.known.clone()));
        let same = more.iter().all(|other| rule(other) == rule(part));
        let more: Vec<String> = more.iter().map(|part| part.line.id.clone()).collect();
        let what = if same { "The same with" } else { "Also in the archive:" };
        paragraph(&mut out, &format!("{what} {}.", lead::names(&more)));
    }
    paragraph(&mut out, &how_to_run(bundle, part));
    for cite in lead::quotes(bundle, part) {
        let link = cite.link.as_ref().map_or_else(String::new, |link| format!(" <{link}>"));
        paragraph(&mut out, &format!("{}{link}: \"{}\"", cite.source, cite.quote));
    }
    for known in part.line.findings.iter().filter_map(|finding| finding.known.as_ref()).take(1) {
        paragraph(&mut out, &format!("Cause: {} <{}>", known.reason, known.link));
    }
    out.push_str(&versions(bundle, part));
    if let Some((before, first)) = range(bundle) {
        if bundle.recipient == Recipient::Netdev {
            let _ = writeln!(out, "#regzbot introduced: {before}..{first}\n");
        } else {
            let _ = writeln!(out, "Came with a commit in {before}..{first}\n");
        }
    }
    out.push_str(&config(bundle));
    let programs = super::program_names(bundle.parts.len()).join(", ");
    let rest = "the transcript with times, a pcapng, and the machine as data";
    paragraph(&mut out, &format!("Attached: {programs}, {rest}."));
    bounded(&out)
}

/// Whom it goes to, and its title.
fn head(bundle: &Bundle<'_>) -> String {
    let control = bundle.parts.iter().all(Part::is_control);
    let title = bundle.title();
    let title = if control { format!("control record: {title}") } else { title };
    match bundle.recipient {
        Recipient::Netdev | Recipient::Apple => {
            let cc = if range(bundle).is_some() { "Cc: regressions@lists.linux.dev\n" } else { "" };
            let what = if control { "" } else { "[BUG] net: " };
            format!("To: netdev@vger.kernel.org\n{cc}Subject: {what}{title}\n\n")
        }
        Recipient::Freebsd => format!(
            "Product: Base System\nComponent: kern\nHardware: {}\nSummary: {title}\n\n",
            one_line(&bundle.subject.kernel.machine, 40)
        ),
        Recipient::Gvisor => {
            format!("https://github.com/google/gvisor/issues/new\nTitle: {title}\n\n")
        }
    }
}

/// Between which two releases something broke, as tags.
fn range(bundle: &Bundle<'_>) -> Option<(String, String)> {
    let part = bundle.parts.first().filter(|part| !part.is_control())?;
    let this = this(bundle, part);
    let since = since::since(&this, &part.elsewhere).filter(Since::is_regression)?;
    let tag = |e: &Elsewhere| e.kernel.source_version().tag();
    Some((tag(since.before)?, tag(since.first)?))
}

/// What to paste, and what came of it here.
fn how_to_run(bundle: &Bundle<'_>, part: &Part<'_>) -> String {
    if !part.line.case.threads.is_empty() {
        return "There is no C program yet of a case with more than one thread.".to_owned();
    }
    let (run, lab) = if bundle.os == harness::case::Os::Macos {
        ("sudo ./repro", "with interfaces that it makes and removes")
    } else {
        ("./repro", "in a network namespace of its own")
    };
    let came = match &part.tried {
        Tried::CallsAgree => {
            "it was run just before this was written: the calls agree, and it looked at no frame"
                .to_owned()
        }
        Tried::Agrees => "it was run just before this was written, and reproduces".to_owned(),
        Tried::Differs(how) => {
            format!("run just before this was written, it does not: {}", one_line(how, 200))
        }
        Tried::Not(why) => format!("it was not run: {}", one_line(why, 200)),
    };
    format!(
        "To reproduce: cc repro.c -o repro && {run} (C11, one file, {lab}; its last line is REPRODUCED \
         or not reproduced): {came}."
    )
}

/// Which kernels do it and which do not, by name, and what this one is.
fn versions(bundle: &Bundle<'_>, part: &Part<'_>) -> String {
    let tested = lead::tested(bundle, part);
    let mut out = String::new();
    let bad = if part.is_control() { "same" } else { "bad" };
    for (what, all) in [(bad, &tested.same), ("good", &tested.good), ("other", &tested.other)] {
        if !all.is_empty() {
            out.push_str(&wrapped(&format!("{what}: {}", lead::names(all))));
        }
    }
    let kernel = &bundle.subject.kernel;
    let platform = bundle.subject.platforms.first().map_or("", String::as_str);
    let _ = writeln!(
        out,
        "kernel: {} on {}",
        one_line(&lead::kind(kernel, platform), 120),
        one_line(&kernel.machine, 20)
    );
    let taint = bundle.environment.and_then(|e| e.sysctls.get("kernel.tainted"));
    let taint = match taint.map(String::as_str) {
        None => "not known",
        Some("0") => "none",
        Some(bits) => bits,
    };
    let _ = writeln!(out, "taint: {}\n", one_line(taint, 40));
    out
}

/// What the kernel was built with, as far as sockets ask for it.
fn config(bundle: &Bundle<'_>) -> String {
    let config = bundle.environment.map(|e| &e.config).filter(|config| !config.is_empty());
    let all: Vec<String> = config
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("CONFIG_{}={}", one_line(name, 60), one_line(value, 40)))
        .take(24)
        .collect();
    if all.is_empty() { String::new() } else { format!("{}\n", wrapped(&all.join(" "))) }
}

fn paragraph(out: &mut String, text: &str) {
    out.push_str(&wrapped(&one_line(text, 2_000)));
    out.push('\n');
}

/// Lines as they are, a little to the right, with what is too wide for a mail cut.
fn block<'l>(out: &mut String, lines: impl Iterator<Item = &'l str>) {
    let all: Vec<&str> = lines.collect();
    for line in all.iter().take(SHOWN) {
        let _ = writeln!(out, "  {}", one_line(&visible(line), 160));
    }
    if all.len() > SHOWN {
        let _ = writeln!(out, "  ... and {} lines more, in transcript.txt", all.len() - SHOWN);
    }
    out.push('\n');
}

/// No longer than it may be: what is cut is in the archive's README.
fn bounded(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    if lines.len() <= LINES {
        return format!("{}\n", lines.join("\n"));
    }
    format!("{}\n[...] README.md has the rest.\n", lines[..LINES - 1].join("\n"))
}

fn wrapped(line: &str) -> String {
    let mut out = String::new();
    let mut width = 0;
    for word in line.split(' ') {
        if width > 0 && width + 1 + word.chars().count() > WIDTH {
            out.push('\n');
            width = 0;
        } else if width > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += word.chars().count();
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_of_a_width() {
        let long = "word ".repeat(40);
        assert!(wrapped(&long).lines().all(|line| line.len() <= WIDTH));
        assert_eq!(wrapped(&"x".repeat(100)), format!("{}\n", "x".repeat(100)));
    }

    #[test]
    fn a_mail_that_is_too_long_is_cut_and_says_so() {
        let text = |lines: usize| "line\n".repeat(lines);
        assert_eq!(bounded(&text(LINES)), text(LINES));
        let cut = bounded(&text(LINES + 1));
        assert_eq!(cut.lines().count(), LINES);
        assert!(cut.ends_with("README.md has the rest.\n"));
        let mut shown = String::new();
        block(&mut shown, text(40).lines());
        assert!(shown.contains("... and 28 lines more"), "{shown}");
    }
}
