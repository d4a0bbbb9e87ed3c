//! A bundle: one bug as one zip, for whoever can mend it.
//!
//! [`Bundle`] is all that is known, as data; [`Bundle::programs`] are the reproducers as they will
//! be in it, to be tried before; [`Bundle::files`] is what is in it. Everything that is written has
//! gone through [`Scrub`]. The same data make the same bytes.

mod apple;
pub mod controls;
mod forms;
mod lead;
mod mail;
mod maintainers;
mod readme;
mod script;
mod scrub;
mod since;
mod subsystem;
#[cfg(test)]
mod tests;
mod title;
mod words;
pub mod zip;

use std::collections::BTreeSet;

use harness::case::{Case, Os};
use harness::environment::{Environment, Log};
use harness::outcome;
use harness::trace::{Fingerprint, Trace};
use harness::verdict::Verdict;
use serde::Serialize;

use crate::pcapng::{Pcapng, WriteError};
use crate::repro::{Observed, Options, reproducer};
use crate::runs::{Line, Rule, Subject};

pub use lead::{expectations, wished};
pub use mail::MOST_OF_LINES;
pub use maintainers::{MOST_OF_MAINTAINERS, Maintainers};
pub use scrub::Scrub;
pub use since::Elsewhere;
pub use title::broken;
use zip::File;

/// Whom a bundle is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// Feedback Assistant.
    Apple,
    /// The mailing list of Linux's networking.
    Netdev,
    /// FreeBSD's Bugzilla.
    Freebsd,
    /// gVisor's issues.
    Gvisor,
    /// The mailing list of the GNU C Library.
    Glibc,
    /// The mailing list of musl.
    Musl,
}

impl Recipient {
    /// Who can mend what these cases of a kernel show: whoever made its C library, where the library is
    /// what does it, else whoever made the kernel.
    pub fn of(subject: &Subject, os: Os, parts: &[Part<'_>]) -> Self {
        let is_gvisor = subject.platforms.iter().any(|name| name.starts_with("gvisor"));
        let library = if !parts.is_empty() && parts.iter().all(subsystem::is_of_libc) {
            subject.kernel.libc.split(' ').next().unwrap_or_default()
        } else {
            ""
        };
        match (os, library) {
            (Os::Macos, _) => Self::Apple,
            (_, subsystem::GLIBC) => Self::Glibc,
            (_, subsystem::MUSL) => Self::Musl,
            _ if is_gvisor => Self::Gvisor,
            _ => Self::Netdev,
        }
    }

    /// What it is called, and what it is told of.
    pub fn about(self) -> (&'static str, &'static str) {
        match self {
            Self::Apple => ("Apple", "macOS"),
            Self::Netdev => ("netdev", "Linux"),
            Self::Freebsd => ("FreeBSD", "FreeBSD and what macOS has of it"),
            Self::Gvisor => ("gVisor", "gVisor"),
            Self::Glibc => ("glibc", "what glibc does"),
            Self::Musl => ("musl", "what musl does"),
        }
    }
}

/// All that is known of one bug.
#[derive(Clone, Debug)]
pub struct Bundle<'a> {
    /// The kernel that did it.
    pub subject: &'a Subject,
    /// Its system.
    pub os: Os,
    /// Where it ran; none if the run does not say.
    pub environment: Option<&'a Environment>,
    /// What the kernel said meanwhile; none if the run did not keep it.
    pub log: Option<&'a Log>,
    /// The rules that findings name.
    pub rules: &'a [Rule],
    /// The cases that show it, the clearest first.
    pub parts: Vec<Part<'a>>,
    /// Whom it is for.
    pub recipient: Recipient,
}

/// One case of a bug.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// What happened.
    pub line: &'a Line,
    /// The system that it happened on.
    pub os: Os,
    /// How many times it ran, the time shown among them.
    pub times: usize,
    /// How many times it came to the same.
    pub same: usize,
    /// What other kernels did, as far as there are runs of them.
    pub elsewhere: Vec<Elsewhere>,
    /// The baselines of platforms: name and outcome.
    pub baselines: Vec<(&'a str, &'a str)>,
    /// Cases like it that are as expected: what it is not.
    pub controls: Vec<&'a Line>,
    /// What the reproducer did when it was tried.
    pub tried: Tried,
}

impl<'a> Part<'a> {
    /// Whether nothing is wrong with it: it is as it was before, or as nobody has seen it before. Then it is
    /// a control record, and no bug.
    pub fn is_control(&self) -> bool {
        let wrong = [Verdict::Changed, Verdict::Unexpected];
        self.line.findings.is_empty() && !wrong.contains(&self.line.verdict)
    }

    /// Whether nothing but the text of a user's own case finds fault with it: that is no rule, and no bug yet.
    pub fn is_asked_alone(&self) -> bool {
        self.line.findings.is_empty() && self.line.verdict == Verdict::Unexpected
    }

    /// One that ran once, and of which nothing else is known.
    pub fn once(line: &'a Line, os: Os, tried: Tried) -> Self {
        let (elsewhere, baselines, controls) = (Vec::new(), Vec::new(), Vec::new());
        Self { line, os, times: 1, same: 1, elsewhere, baselines, controls, tried }
    }
}

/// What a reproducer did when it was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// Each call did what the trace says, and the same frames left.
    Agrees,
    /// Each call did what the trace says; nobody looked at the wire.
    CallsAgree,
    /// It did something else.
    Differs(String),
    /// It was not tried, for this reason.
    Not(String),
}

/// One case as `trace.json` has it.
#[derive(Serialize)]
struct Recorded<'a> {
    case: &'a Case,
    trace: &'a Trace,
    verdict: Verdict,
    outcome: &'a str,
}

/// How people call a kernel and its system's build.
pub fn build(kernel: &Fingerprint, environment: Option<&Environment>) -> String {
    let of = |e: &Environment| Some(format!("{} ({})", e.os.as_ref()?, e.os_build.as_ref()?));
    let product = || {
        let product = kernel.product.as_ref()?;
        Some(format!("macOS {} ({})", product.version, product.build))
    };
    let uname = || {
        let number = title::upstream(kernel).map_or_else(String::new, |n| format!(" ({n})"));
        format!("{} {}{number}", kernel.system, kernel.release)
    };
    environment.and_then(of).or_else(product).unwrap_or_else(uname)
}

impl Bundle<'_> {
    /// How people call the build that did it.
    pub fn build(&self) -> String {
        build(&self.subject.kernel, self.environment)
    }

    /// Whether the C library does it, and not the kernel.
    fn is_of_libc(&self) -> bool {
        matches!(self.recipient, Recipient::Glibc | Recipient::Musl)
    }

    /// How people call what did it.
    fn who(&self) -> String {
        self.with_library(&self.subject.kernel, &self.build())
    }

    /// How people call what did it elsewhere.
    fn name_of(&self, other: &Elsewhere) -> String {
        self.with_library(&other.kernel, &other.name)
    }

    fn with_library(&self, kernel: &Fingerprint, name: &str) -> String {
        if self.is_of_libc() { format!("{} on {name}", kernel.libc) } else { name.to_owned() }
    }

    /// What a title calls it.
    fn version(&self) -> String {
        if self.is_of_libc() {
            return self.subject.kernel.libc.clone();
        }
        let platform = self.subject.platforms.first().map_or("", String::as_str);
        title::version(&self.subject.kernel, platform, &self.build())
    }

    /// The bug's title.
    pub fn title(&self) -> String {
        self.parts.first().map_or_else(String::new, |part| title::title(part, &self.version()))
    }

    /// What will be replaced, with what the cases and the rules themselves say left alone.
    pub fn scrub(&self, keep_private: bool) -> Scrub {
        if keep_private {
            return Scrub::off();
        }
        let mut scrub = self.environment.map_or_else(Scrub::default, Scrub::of);
        // Some sections have numbers like an address: RFC 1122 §2.3.2.2.
        scrub.allow(&serde_json::to_string(self.rules).unwrap_or_default());
        // And so have the releases of some kernels: 5.15.167.4-microsoft.
        scrub.allow(leading_number(&self.subject.kernel.release));
        for part in &self.parts {
            scrub.allow(&serde_json::to_string(&part.line.case).unwrap_or_default());
        }
        scrub
    }

    /// What is known, its frames and results without what is not the lab's.
    fn clean(&self, scrub: &mut Scrub) -> Vec<Line> {
        let clean = |part: &Part<'_>| {
            let mut line = part.line.clone();
            scrub.trace(&mut line.trace);
            line
        };
        self.parts.iter().map(clean).collect()
    }

    /// The reproducers, in the order of the parts, as they will be in the bundle.
    pub fn programs(&self, scrub: &mut Scrub) -> Vec<String> {
        let lines = self.clean(scrub);
        self.parts_of(&lines).iter().map(|part| self.program(part, scrub)).collect()
    }

    /// The parts with these lines for theirs.
    fn parts_of<'l>(&'l self, lines: &'l [Line]) -> Vec<Part<'l>> {
        let parts = self.parts.iter().zip(lines);
        parts.map(|(part, line)| Part { line, ..part.clone() }).collect()
    }

    fn program(&self, part: &Part<'_>, scrub: &mut Scrub) -> String {
        let line = part.line;
        let kernel = &self.subject.kernel;
        let name = format!("{} {} {}", kernel.system, kernel.release, kernel.version);
        let platform = self.subject.platforms.first().map_or("", String::as_str);
        let observed =
            Observed { trace: &line.trace, platform, kernel: &name, outcome: &line.outcome };
        let expected = expectations(self.rules, part);
        let options = Options { os: self.os, observed: Some(observed), expected: &expected };
        let bare = Options { os: self.os, observed: None, expected: &[] };
        // A host that is called `main` stays in the program.
        let vocabulary = words(&reproducer(&line.case, &bare));
        scrub.text(&reproducer(&line.case, &options), &vocabulary)
    }

    /// Whether there is nothing in it but control records: then it is sent to nobody.
    pub fn is_control(&self) -> bool {
        self.parts.iter().all(Part::is_control)
    }

    /// What the bundle has in it.
    pub fn files(&self, scrub: &mut Scrub) -> Result<Vec<File>, WriteError> {
        self.files_to(scrub, None)
    }

    /// The same, with its mail to those who look after the files that it is about.
    pub fn files_to(
        &self,
        scrub: &mut Scrub,
        maintainers: Option<&Maintainers>,
    ) -> Result<Vec<File>, WriteError> {
        let lines = self.clean(scrub);
        let parts = self.parts_of(&lines);
        let machine = self.machine(scrub);
        let environment = self.environment.map(|_| &machine);
        let clean = Bundle { parts: parts.clone(), environment, ..self.clone() };
        let none = BTreeSet::new();
        let names = program_names(lines.len());
        let programs: Vec<String> = parts.iter().map(|part| self.program(part, scrub)).collect();
        let transcripts: Vec<String> =
            clean.parts.iter().map(|part| readme::transcript(&clean, part)).collect();
        let mut files = vec![
            File::text("transcript.txt", scrub.text(&transcripts.join("\n"), &none)),
            File::text(
                "trace.json",
                pretty(serde_json::to_value(recorded(&lines)).map(|v| scrub.json(v))),
            ),
            File::text("environment.json", pretty(serde_json::to_value(&machine))),
            File::text("kernel.log", readme::log(self.log.map(|log| scrub.log(log)).as_ref())),
            File { bytes: self.frames(&lines, scrub)?, ..File::text("wire.pcapng", String::new()) },
            File { runs: true, ..File::text("run.sh", script::script(&names, self.os, &lines)) },
        ];
        files
            .extend(names.iter().zip(&programs).map(|(name, text)| File::text(name, text.clone())));
        if self.recipient != Recipient::Apple {
            // The programs are clean already, and their words are to stay.
            let vocabulary = words(&programs.join("\n"));
            let mail = mail::mail(&clean, maintainers);
            let text = mail.to.clone() + &scrub.text(&mail.text, &vocabulary);
            if let Some(head) = &mail.answer {
                let answer = mail.to + &scrub.text(head, &vocabulary) + &listed(&names, &programs);
                files.insert(0, File::text("mail-program.txt", answer));
            }
            files.insert(0, File::text("mail.txt", text));
        }
        // What people read first is made last: it counts what was replaced in all the others.
        let readme = scrub.text(&readme::readme(&clean), &none) + &readme::replaced(scrub);
        files.insert(0, File::text("README.md", readme));
        Ok(files)
    }

    /// The machine, as it may be told.
    fn machine(&self, scrub: &mut Scrub) -> Environment {
        let machine = self.environment.cloned().unwrap_or_else(|| Environment {
            kernel: Some(self.subject.kernel.clone()),
            unknown: vec!["the run did not keep its environment".to_owned()],
            ..Environment::default()
        });
        scrub.machine(&machine)
    }

    fn frames(&self, lines: &[Line], scrub: &mut Scrub) -> Result<Vec<u8>, WriteError> {
        let kernel = format!("{} {}", self.subject.kernel.system, self.subject.kernel.release);
        let mut bytes = Vec::new();
        let mut pcapng = Pcapng::new(&mut bytes, &scrub.text(&kernel, &BTreeSet::new()))?;
        lines.iter().try_for_each(|line| pcapng.add(&line.case, &line.trace, self.os))?;
        drop(pcapng);
        Ok(bytes)
    }
}

/// The number that a release begins with, which is no address.
fn leading_number(release: &str) -> &str {
    let end = release.find(|c: char| !c.is_ascii_digit() && c != '.');
    &release[..end.unwrap_or(release.len())]
}

fn recorded(lines: &[Line]) -> Vec<Recorded<'_>> {
    lines
        .iter()
        .map(|Line { case, trace, verdict, outcome, .. }| Recorded {
            case,
            trace,
            verdict: *verdict,
            outcome,
        })
        .collect()
}

/// As people read it; what cannot be said in JSON cannot have come out of it.
fn pretty(value: serde_json::Result<serde_json::Value>) -> String {
    format!("{:#}\n", value.unwrap_or_default())
}

/// `repro.c`, `repro-2.c` and so on.
fn program_names(count: usize) -> Vec<String> {
    let name = |n: usize| if n == 0 { "repro.c".to_owned() } else { format!("repro-{}.c", n + 1) };
    (0..count).map(name).collect()
}

/// Programs one behind the other, as the text of a mail.
fn listed(names: &[String], programs: &[String]) -> String {
    let one = |(name, text): (&String, &String)| format!("-- 8< -- {name}\n{text}-- >8 --\n");
    names.iter().zip(programs).map(one).collect()
}

/// The words of a program, in lower case.
fn words(text: &str) -> BTreeSet<String> {
    let apart = |c: char| !c.is_alphanumeric() && c != '_' && c != '-';
    text.split(apart).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// The number of the step that a case is about: a call that breaks a rule, differs or fails.
pub fn pivot(part: &Part<'_>) -> Option<u32> {
    title::pivot(part)
}

/// The lines that show what it is about: the call and what it caused.
fn shown(part: &Part<'_>) -> Vec<String> {
    title::pivot(part).map_or_else(Vec::new, |pivot| step(part.line, pivot, part.os))
}

/// What a case like it did in place of what it is about.
pub fn shown_like(part: &Part<'_>, other: &Line) -> Vec<String> {
    let pivot = title::pivot(part);
    let op = pivot.and_then(|op| controls::counterpart(&part.line.case, op, &other.case));
    op.map_or_else(Vec::new, |op| step(other, op, part.os))
}

/// A step and what it caused.
fn step(line: &Line, number: u32, os: Os) -> Vec<String> {
    let is = |op: usize| u32::try_from(op) == Ok(number);
    outcome::lines(&line.case, &line.trace, os)
        .into_iter()
        .filter(|line| match line.what {
            outcome::What::Call { op }
            | outcome::What::Frame { op }
            | outcome::What::Signal { op }
            | outcome::What::Lab { op } => is(op),
            outcome::What::End => false,
        })
        .map(|line| line.text)
        .collect()
}
