//! `mail.txt`: the bug as plain text, for those who read mail or fill in a form.
//!
//! What goes to a list is as `git send-email` takes it, in ASCII as far as the words of others are, and
//! its programs are the answer to it: `mail-program.txt`.

use std::fmt::Write as _;

use harness::case::Link;
use harness::case::addr::{Role, address, prefix_len};

use super::maintainers::{Maintainers, Told};
use super::readme::{this, warning};
use super::since::{Elsewhere, Since};
use super::{Bundle, Part, Recipient, Tried, lead, shown, subsystem};
use crate::text::{one_line, visible};

/// As wide as a mail gets.
const WIDTH: usize = 72;

/// As long as one gets that is read: more is in the archive.
pub const MOST_OF_LINES: usize = 80;

/// How many lines of a transcript it shows.
const SHOWN: usize = 18;

/// What is to be sent.
pub(super) struct Mail {
    /// To whom: lists and people that are no secret.
    pub(super) to: String,
    /// From the subject on, which names of machines and people are to be taken from.
    pub(super) text: String,
    /// The head of the answer that has the programs; none where they are attached.
    pub(super) answer: Option<String>,
}

/// The mail: plain text, of no more than [`MOST_OF_LINES`] lines.
pub(super) fn mail(bundle: &Bundle<'_>, maintainers: Option<&Maintainers>) -> Mail {
    let to = told(bundle, maintainers);
    let is_mail = !to.is_empty();
    let mut subject = subject(bundle);
    let room = MOST_OF_LINES - to.lines().count() - subject.lines().count() - 1;
    let mut pieces = pieces(bundle, is_mail);
    if is_mail {
        subject = ascii(&subject);
        for (_, text) in &mut pieces {
            *text = ascii(text);
        }
    }
    let room = if is_mail { room - MIME.lines().count() } else { room };
    let text = fitted(&pieces, room);
    // What `git send-email` asks for otherwise.
    let mime = if is_mail && !(subject.is_ascii() && text.is_ascii()) { MIME } else { "" };
    let answer = is_mail.then(|| format!("{}{MIME}\n", subject.replacen(": ", ": Re: ", 1)));
    Mail { to, text: format!("{subject}{mime}\n{text}"), answer }
}

const MIME: &str = "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n\
                    Content-Transfer-Encoding: 8bit\n";

/// `To:` and `Cc:` of what goes by mail; nothing where there is a form to fill in, or nothing to claim.
fn told(bundle: &Bundle<'_>, maintainers: Option<&Maintainers>) -> String {
    if bundle.is_control() {
        return String::new();
    }
    let list = match bundle.recipient {
        Recipient::Netdev | Recipient::Apple => "netdev@vger.kernel.org",
        Recipient::Glibc => return "To: libc-alpha@sourceware.org\n".to_owned(),
        Recipient::Musl => return "To: musl@lists.openwall.com\n".to_owned(),
        Recipient::Freebsd | Recipient::Gvisor => return String::new(),
    };
    let files: Vec<String> = bundle.parts.iter().flat_map(subsystem::files).collect();
    let Told { mut to, mut cc } = maintainers.map_or_else(Told::default, |all| all.of(&files));
    // Whoever looks after the file, a bug of networking is a matter of this list.
    if to.is_empty() {
        to.push(list.to_owned());
    } else if !to.iter().chain(&cc).any(|who| who == list) {
        cc.push(list.to_owned());
    }
    if range(bundle).is_some() {
        cc.push("regressions@lists.linux.dev".to_owned());
    }
    let cc = if cc.is_empty() { cc.concat() } else { format!("Cc: {}\n", cc.join(",\n\t")) };
    format!("To: {}\n{cc}", to.join(",\n\t"))
}

/// The title, in the words of the receiver's form.
fn subject(bundle: &Bundle<'_>) -> String {
    let control = bundle.is_control();
    let title = bundle.title();
    let title = if control { format!("control record: {title}") } else { title };
    let no_bug = bundle.parts.iter().all(|part| part.is_control() || part.is_asked_alone());
    let tag = |tag: &str| if no_bug { String::new() } else { tag.to_owned() };
    match bundle.recipient {
        Recipient::Netdev | Recipient::Apple => format!("Subject: {}{title}\n", tag("[BUG] net: ")),
        Recipient::Glibc | Recipient::Musl => format!("Subject: {}{title}\n", tag("[BUG] ")),
        Recipient::Freebsd => format!(
            "Product: Base System\nComponent: kern\nHardware: {}\nSummary: {title}\n",
            one_line(&bundle.subject.kernel.machine, 40)
        ),
        Recipient::Gvisor => {
            format!("https://github.com/google/gvisor/issues/new\nTitle: {title}\n")
        }
    }
}

/// Between which two releases something broke, as tags.
fn range(bundle: &Bundle<'_>) -> Option<(String, String)> {
    let part = bundle.parts.first().filter(|part| !part.is_control() && !part.is_asked_alone())?;
    let this = this(bundle, part);
    let since = lead::since(bundle, part, &this).filter(Since::is_regression)?;
    let tag = |e: &Elsewhere| e.kernel.source_version().tag();
    Some((tag(since.before)?, tag(since.first)?))
}

/// A paragraph, and how soon it goes where there is no room: 0 never does.
type Piece = (u8, String);

/// What it says, in the order in which it is read.
fn pieces(bundle: &Bundle<'_>, is_mail: bool) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    let warning = warning(bundle, "", "");
    if !warning.is_empty() {
        out.push((0, wrapped(&one_line(&warning, 600))));
    }
    let Some(part) = bundle.parts.first() else { return out };
    out.push((0, wrapped(&one_line(&lead::lead(bundle, part), 2_000))));
    out.push((0, block(&calls(part))));
    if let Some(found) = lead::contrast(part) {
        let what = wrapped(&format!("In contrast, {} ({}):", found.what, found.id));
        out.push((1, format!("{what}\n{}", block(&found.lines))));
    }
    out.extend(others(bundle, part));
    out.push((0, wrapped(&how_to_run(bundle, part))));
    for cite in lead::quotes(bundle.rules, part) {
        let link = cite.link.as_ref().map_or_else(String::new, |link| format!("\n<{link}>"));
        let text = one_line(&format!("{}: \"{}\"", cite.source, cite.quote), 600);
        out.push((3, format!("{}{}", wrapped(&text).trim_end(), one_line_of(&link))));
    }
    for known in part.line.findings.iter().filter_map(|finding| finding.known.as_ref()).take(1) {
        let link = one_line_of(&format!("\n<{}>", known.link));
        let cause = wrapped(&one_line(&format!("Cause: {}", known.reason), 800));
        out.push((1, format!("{}{link}", cause.trim_end())));
    }
    out.push((0, versions(bundle, part)));
    if let Some((before, first)) = range(bundle) {
        let netdev = bundle.recipient == Recipient::Netdev;
        let what = if netdev { "#regzbot introduced:" } else { "Came with a commit in" };
        out.push((0, format!("{what} {before}..{first}")));
    }
    if is_mail && bundle.recipient == Recipient::Glibc {
        out.push((4, GLIBC_FORM.to_owned()));
    }
    let names = super::program_names(bundle.parts.len());
    let (programs, is) = (names.join(", "), if names.len() == 1 { "is" } else { "are" });
    let rest = "the transcript with times, a pcapng, and the machine as data";
    let attached = if is_mail {
        let sockeye = one_line(&bundle.subject.program, 20);
        format!(
            "{programs} {is} in the answer to this mail; {rest}, on request. Found and written by sockeye \
             {sockeye}, a conformance suite for the sockets API."
        )
    } else {
        format!("Attached: {programs}, {rest}.")
    };
    out.push((2, wrapped(&attached)));
    out
}

/// Where glibc's bugs are kept.
const GLIBC_FORM: &str = "In Bugzilla: product glibc, component network,\n\
                          <https://sourceware.org/bugzilla/enter_bug.cgi?product=glibc>.";

/// A link behind what is wrapped, on a line of its own.
fn one_line_of(link: &str) -> String {
    let link = link.trim_start_matches('\n');
    if link.is_empty() { String::new() } else { format!("\n{}", one_line(link, 200)) }
}

/// The calls, from the first on; of a long case those around the one that it is about.
fn calls(part: &Part<'_>) -> Vec<String> {
    let lab = &part.line.case.lab;
    let links = lab.links.iter().map(|link| format!("-- {}", link_of(part, link)));
    let setup = lab.setup.iter().map(|step| format!("-- {step}"));
    let all: Vec<String> =
        links.chain(setup).chain(part.line.outcome.lines().map(str::to_owned)).collect();
    if all.len() <= SHOWN {
        return all;
    }
    let shown = shown(part);
    let at = shown.first().and_then(|first| all.iter().position(|line| line == first)).unwrap_or(0);
    let begin = at.saturating_sub(SHOWN - 8).min(all.len() - SHOWN);
    let mut out: Vec<String> = all[begin..begin + SHOWN].to_vec();
    if begin > 0 {
        out.insert(0, format!("... {begin} lines before"));
    }
    let behind = all.len() - begin - SHOWN;
    if behind > 0 {
        out.push(format!("... {behind} lines more"));
    }
    out
}

/// A link with its addresses, as far as they are of the socket's family.
fn link_of(part: &Part<'_>, link: &Link) -> String {
    let mut out = format!("{} is a {}, MTU {}", link.name, link.kind, link.mtu);
    let Some(number) = part.line.case.lab.number(&link.name) else { return out };
    let v6 = subsystem::is_ipv6(part);
    for range in &link.ranges {
        let ip = address(number, Role::Own, *range);
        if v6.is_none_or(|v6| v6 == ip.is_ipv6()) {
            let _ = write!(out, ", {ip}/{}", prefix_len(*range));
        }
    }
    out
}

/// The further cases of the report: a line each.
fn others(bundle: &Bundle<'_>, part: &Part<'_>) -> Option<Piece> {
    let more = bundle.parts.get(1..).filter(|more| !more.is_empty())?;
    let rule =
        |part: &Part<'_>| part.line.findings.first().map(|f| (f.rule.clone(), f.known.clone()));
    let same = more.iter().all(|other| rule(other) == rule(part));
    let more: Vec<String> = more.iter().map(|part| part.line.id.clone()).collect();
    let what = if same { "The same with" } else { "Also in the archive:" };
    Some((2, wrapped(&format!("{what} {}.", lead::names(&more)))))
}

/// What to paste, and what came of it here.
fn how_to_run(bundle: &Bundle<'_>, part: &Part<'_>) -> String {
    if bundle.os == harness::case::Os::Macos && !part.line.case.threads.is_empty() {
        return "There is no C program for macOS of a case with more than one thread.".to_owned();
    }
    if part.line.case.said().next().is_some() {
        return "There is no C program yet of a case whose far end sends frames by words."
            .to_owned();
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
        "To reproduce: cc -pthread repro.c -o repro && {run} (C11, one file, {lab}; its last line is REPRODUCED \
         or not reproduced): {came}."
    )
}

/// Which versions do it and which do not, by name, and what this one is.
fn versions(bundle: &Bundle<'_>, part: &Part<'_>) -> String {
    let tested = lead::tested(bundle, part);
    let mut out = String::new();
    let bad = if part.is_control() { "same" } else { "bad" };
    for (what, all) in [(bad, &tested.same), ("good", &tested.good), ("other", &tested.other)] {
        if !all.is_empty() {
            out.push_str(&wrapped(&one_line(&format!("{what}: {}", lead::names(all)), 600)));
        }
    }
    let kernel = &bundle.subject.kernel;
    if bundle.is_of_libc() {
        let system = bundle.environment.and_then(|e| e.os.as_deref()).unwrap_or("not known");
        let _ =
            writeln!(out, "system: {}, {}", one_line(system, 60), one_line(&kernel.machine, 20));
        return out;
    }
    let platform = bundle.subject.platforms.first().map_or("", String::as_str);
    let kind = one_line(&lead::kind(kernel, platform), 120);
    out.push_str(&wrapped(&format!("kernel: {kind}, {}", one_line(&kernel.machine, 20))));
    let taint = bundle.environment.and_then(|e| e.sysctls.get("kernel.tainted"));
    let taint = match taint.map(String::as_str) {
        None => "not known",
        Some("0") => "none",
        Some(bits) => bits,
    };
    let _ = writeln!(out, "taint: {}", one_line(taint, 40));
    let config = config(bundle);
    if !config.is_empty() {
        out.push_str(&wrapped(&format!("config: {config}")));
    }
    out
}

/// What of a configuration such a case depends on.
const MATTERS: [&str; 8] =
    ["INET", "IPV6", "TUN", "NETFILTER", "NF_TABLES", "USER_NS", "PREEMPT", "PREEMPT_RT"];

/// The lines of the configuration that matter.
fn config(bundle: &Bundle<'_>) -> String {
    let config = bundle.environment.map(|e| &e.config);
    let one = |name: &&str| Some(format!("CONFIG_{name}={}", one_line(config?.get(*name)?, 20)));
    MATTERS.iter().filter_map(one).collect::<Vec<_>>().join(" ")
}

/// Lines as they are, a little to the right, with what is too wide for a mail cut.
fn block(lines: &[String]) -> String {
    let line = |line: &String| {
        let text = visible(line).replace('\n', " ");
        let indent = text.len() - text.trim_start().len();
        let text = one_line(&text, 160);
        format!("  {}{text}\n", " ".repeat(indent.min(8)))
    };
    let mut out: String = lines.iter().take(SHOWN + 2).map(line).collect();
    let more = lines.len().saturating_sub(SHOWN + 2);
    if more > 0 {
        let _ = writeln!(out, "  ... {more} lines more");
    }
    out
}

/// The paragraphs, less the first to go until the rest fits; and then no longer than there is room.
fn fitted(pieces: &[Piece], room: usize) -> String {
    let most = pieces.iter().map(|(need, _)| *need).max().unwrap_or_default();
    for limit in (0..=most).rev() {
        let kept = pieces.iter().filter(|(need, _)| *need <= limit);
        let kept: Vec<&str> = kept.map(|(_, text)| text.trim_end()).collect();
        let text = kept.join("\n\n") + "\n";
        if text.lines().count() <= room {
            return text;
        }
        if limit == 0 {
            let lines: Vec<&str> = text.lines().take(room.saturating_sub(1)).collect();
            return format!("{}\n[...] The rest on request.\n", lines.join("\n"));
        }
    }
    String::new()
}

/// What this program writes, without what is no ASCII; words of others may have more.
fn ascii(text: &str) -> String {
    let marks = [
        ("\u{a7}\u{a7}", "sections "),
        ("\u{a7}", "section "),
        ("\u{2026}", "..."),
        ("\u{2013}", "-"),
        ("\u{2014}", "-"),
        ("\u{2018}", "'"),
        ("\u{2019}", "'"),
        ("\u{201c}", "\""),
        ("\u{201d}", "\""),
    ];
    marks.iter().fold(text.to_owned(), |text, (mark, plain)| text.replace(mark, plain))
}

fn wrapped(line: &str) -> String {
    let mut out = String::new();
    let mut width = 0;
    for word in ascii(line).split(' ') {
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
        assert_eq!(wrapped("RFC 1 \u{a7}2\u{2026}"), "RFC 1 section 2...\n");
        assert_eq!(block(&["    > x".to_owned()]), "      > x\n");
    }

    #[test]
    fn what_there_is_no_room_for_goes_in_its_order() {
        let piece = |need, lines: usize| (need, "x\n".repeat(lines));
        let pieces = [piece(0, 30), piece(2, 30), piece(1, 20), piece(4, 40)];
        assert_eq!(fitted(&pieces, 200).lines().count(), 30 + 30 + 20 + 40 + 3);
        assert_eq!(fitted(&pieces, 90).lines().count(), 30 + 30 + 20 + 2);
        assert_eq!(fitted(&pieces, 80).lines().count(), 30 + 20 + 1);
        let cut = fitted(&pieces, 10);
        assert_eq!(cut.lines().count(), 10);
        assert!(cut.ends_with("The rest on request.\n"));
        let shown = block(&vec!["x".to_owned(); 40]);
        assert!(shown.contains("... 20 lines more"), "{shown}");
    }
}
