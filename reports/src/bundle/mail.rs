//! `mail.txt`: the bug as plain text, for those who read mail or fill in a form.

use std::fmt::Write as _;

use super::readme::{place, sections, steps, this, tried, warning};
use super::since::{self, Elsewhere};
use super::{Bundle, Recipient};
use crate::text::{one_line, unescaped};

/// As wide as a mail gets.
const WIDTH: usize = 74;

/// The mail, with the reproducers inline.
pub(super) fn mail(bundle: &Bundle<'_>, programs: &[String]) -> String {
    let mut out = warning(bundle, "", "\n\n");
    let title = bundle.title();
    let range = bundle.parts.first().and_then(|part| {
        let this = this(bundle, part);
        let since = since::since(&this, &part.elsewhere)?;
        let tag = |e: &Elsewhere| e.kernel.source_version().tag();
        Some((tag(since.before)?, tag(since.first)?))
    });
    let head = match bundle.recipient {
        Recipient::Netdev | Recipient::Apple => {
            let cc = if range.is_some() { "Cc: regressions@lists.linux.dev\n" } else { "" };
            format!("To: netdev@vger.kernel.org\n{cc}Subject: [BUG] net: {title}\n\n")
        }
        Recipient::Freebsd => format!(
            "Product: Base System\nComponent: kern\nHardware: {}\nSummary: {title}\n\n",
            one_line(&bundle.subject.kernel.machine, 40)
        ),
        Recipient::Gvisor => {
            format!("https://github.com/google/gvisor/issues/new\nTitle: {title}\n\n")
        }
    };
    out.push_str(&head);
    for part in &bundle.parts {
        if bundle.parts.len() > 1 {
            let _ = writeln!(out, "== {}\n", one_line(&part.line.case.title, usize::MAX));
        }
        for (heading, text) in sections(bundle, part) {
            let _ = writeln!(out, "{heading}\n{}\n\n{}\n", "-".repeat(heading.len()), plain(&text));
        }
    }
    if let Some((before, first)) = &range {
        let _ = writeln!(out, "Fixes: a commit in {before}..{first}, not bisected further\n");
        if bundle.recipient == Recipient::Netdev {
            let _ = writeln!(out, "#regzbot introduced: {before}..{first}\n");
        }
    }
    let _ = writeln!(out, "To reproduce\n------------\n\n{}", plain(&steps(bundle)));
    let _ = writeln!(out, "{}\n{}", plain(&tried(bundle)), plain(&place(bundle)));
    let config = bundle.environment.map(|e| &e.config).filter(|config| !config.is_empty());
    for (name, value) in config.into_iter().flatten() {
        let _ = writeln!(out, "CONFIG_{}={}", one_line(name, 200), one_line(value, 200));
    }
    for (number, program) in (1..).zip(programs) {
        let name = if number == 1 { "repro.c".to_owned() } else { format!("repro-{number}.c") };
        let _ = writeln!(out, "\n-- 8< -- {name}\n{program}-- >8 --");
    }
    out
}

/// Markdown as a mail has it: links beside their words, lines of a width.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        if line.starts_with("    ") {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        if line.starts_with('|') {
            out.push_str(&unescaped(line));
            out.push('\n');
            continue;
        }
        out.push_str(&wrapped(&unescaped(&unlinked(line))));
    }
    out.trim_end().to_owned() + "\n"
}

/// `[words](link)` as `words <link>`.
fn unlinked(line: &str) -> String {
    let whole = |line: &str| {
        let (before, rest) = line.split_once("](https://")?;
        // The words may have brackets of their own: `[ENETDOWN]`.
        let open = before.find('[')?;
        let (page, behind) = rest.split_once(')')?;
        Some(format!("{}{} <https://{page}>{behind}", &before[..open], &before[open + 1..]))
    };
    whole(line).unwrap_or_else(|| line.to_owned())
}

fn wrapped(line: &str) -> String {
    let quote = if line.starts_with('>') { "> " } else { "" };
    let mut out = String::new();
    let mut width = 0;
    for word in line.split(' ') {
        if width > 0 && width + 1 + word.chars().count() > WIDTH {
            out.push('\n');
            out.push_str(quote);
            width = quote.len();
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
    fn links_stand_beside_their_words() {
        let plain = unlinked("> [RFC 791 §2.3](https://www.rfc-editor.org/rfc/rfc791#section-2.3)");
        assert_eq!(plain, "> RFC 791 §2.3 <https://www.rfc-editor.org/rfc/rfc791#section-2.3>");
        assert_eq!(unlinked("> [a [B]](https://c)"), "> a [B] <https://c>");
    }

    #[test]
    fn lines_are_of_a_width_and_code_is_left() {
        let long = "word ".repeat(40);
        assert!(plain(&long).lines().all(|line| line.len() <= WIDTH));
        let code = format!("    {}", "x".repeat(100));
        assert_eq!(plain(&code), format!("{code}\n"));
    }
}
