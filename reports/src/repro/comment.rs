//! The comment at the top: what was asked, what should have come, what came, and how to see it.

use harness::case::lab::LinkKind;
use harness::case::{Case, LabOp, Op, Os};

use super::{Options, calls, lab_linux, macos, server};
use crate::text::visible;

/// As wide as text gets.
const WIDTH: usize = 92;

/// Writes the comment.
pub(super) fn comment(case: &Case, options: &Options<'_>) -> String {
    let mut lines = wrapped(&case.title, "", "");
    lines.push(String::new());
    lines.push(format!("case:      {}", case.id));
    if let Some(observed) = &options.observed {
        lines.push(format!("platform:  {} ({})", observed.platform, observed.kernel));
    }
    if !options.expected.is_empty() {
        lines.extend([String::new(), "expected:".to_owned()]);
        lines.extend(options.expected.iter().flat_map(|text| wrapped(text, "  - ", "    ")));
    }
    if let Some(observed) = &options.observed {
        lines.extend([String::new(), "observed:".to_owned()]);
        lines.extend(observed.outcome.lines().map(|line| format!("    {line}")));
    }
    lines.push(String::new());
    match options.os {
        Os::Linux => lines.extend(on_linux(case, options)),
        Os::Macos => lines.extend(on_macos(case, options)),
    }
    let mut out = String::from("/*\n");
    for line in lines {
        out.push_str(format!(" * {}", within(&line)).trim_end());
        out.push('\n');
    }
    out.push_str(" */\n");
    out
}

/// A line as it can stand within a comment: without what begins or ends one (C11 §6.4.9), without a
/// trigraph or a backslash at its end, which would join it to the next (§5.1.1.2), and all of it seen.
pub(super) fn within(line: &str) -> String {
    let mut line = visible(line).replace('\n', " ").replace("*/", "* /").replace("/*", "/ *");
    while line.contains("??") {
        line = line.replace("??", "? ?");
    }
    if line.trim_end().ends_with('\\') {
        line.truncate(line.trim_end().len());
        line.push_str("u{5c}");
    }
    line
}

fn status(options: &Options<'_>) -> &'static str {
    let unseen = options.observed.is_some_and(|o| o.trace.is_unseen());
    if options.observed.is_some() && !unseen {
        "Its last line is REPRODUCED, and its exit status 0, if every call did what was observed and the same frames left, each by its link and beneath its call; if not that is \"not reproduced\", and 1. What the host chooses anew each time is not compared (IDs, sequence numbers, ports from 32768 on, checksums, link-layer addresses), nor are acknowledgments without data, what is sent again and what the host says unasked. It exits with 2, and says why, if the lab cannot be made or the system lacks a name."
    } else if options.observed.is_some() {
        "Its last line is REPRODUCED, and its exit status 0, if every call did what was observed; if one did anything else that is \"not reproduced\", and 1. It does not look at the wire. It exits with 2, and says why, if the lab cannot be made or the system lacks a name."
    } else {
        "Nothing was observed that it could compare itself with: it has no verdict. It exits with 0, or with 2, and says why, if the lab cannot be made or the system lacks a name."
    }
}

fn on_linux(case: &Case, options: &Options<'_>) -> Vec<String> {
    let mut lines =
        vec!["To compile and run:".to_owned(), "    cc -pthread repro.c && ./a.out".to_owned()];
    let needs = if case.lab.links.is_empty() { "" } else { " and may open /dev/net/tun" };
    let text = format!(
        "It makes its own network in a namespace, and needs no root where a user may have a user \
         namespace{needs}. {}",
        status(options)
    );
    lines.extend(wrapped(&text, "", ""));
    lines.extend([String::new(), "The lab by hand:".to_owned()]);
    lines.extend(lab_linux::commands(case).into_iter().map(|c| format!("    {c}")));
    let setup = case.lab.setup.iter().map(|step| lab_linux::command(&case.lab, step));
    lines.extend(setup.map(|c| format!("    {c}")));
    if let Some(op) = case.ops.iter().find(|op| calls::lacks(Os::Linux, op)) {
        let text = format!("Linux has no {}: the program says so and ends there.", op.call());
        lines.extend(wrapped(&text, "", ""));
    }
    if !case.lab.links.is_empty() {
        let text = "ip(8) makes a link whose far end nobody holds open, so that it has no carrier; \
                    this program holds it open.";
        lines.extend(wrapped(text, "", ""));
    }
    if server::serves(case) {
        let text = "This program has a server of its own in place of sockeye's: ordinary sockets in \
                    a second network namespace, whose tun it joins to the link's. ip(8) makes \
                    neither, so that the lab by hand has no server.";
        lines.extend(wrapped(text, "", ""));
    }
    if super::names_linux::link(case).is_some() {
        let text = "This program has a small name server of its own in place of sockeye's: ordinary \
                    sockets in a second network namespace and in a process of its own, which give \
                    the same messages.";
        lines.extend(wrapped(text, "", ""));
    }
    if case.resolves() {
        let text = "Names are resolved by files of the program's own, in a mount namespace: those \
                    of the host are not looked at.";
        lines.extend(wrapped(text, "", ""));
    }
    if case.said().next().is_some() {
        let text = "What far ends send is made by this program when its turn comes; ip(8) sends \
                    nothing.";
        lines.extend(wrapped(text, "", ""));
    }
    if !lab_linux::answering(case).is_empty() {
        let text = "The far end also answers ARP and neighbour solicitations, which ip(8) alone \
                    cannot do.";
        lines.extend(wrapped(text, "", ""));
    }
    lines
}

fn on_macos(case: &Case, options: &Options<'_>) -> Vec<String> {
    let lab = &case.lab;
    let among = case.ops.iter().any(|op| match op {
        Op::Lab { step } => !matches!(step, LabOp::Wait { .. }),
        _ => false,
    });
    let raw =
        case.ops.iter().any(|op| matches!(op, Op::Socket { r#type, .. } if r#type.has("SOCK_RAW")));
    let root = raw || among || !lab.links.is_empty() || !lab.setup.is_empty();
    let run = if root { "sudo ./a.out" } else { "./a.out" };
    let mut lines =
        vec!["To compile and run:".to_owned(), format!("    cc -pthread repro.c && {run}")];
    lines.extend(wrapped(status(options), "", ""));
    let unseen = options.observed.is_some_and(|o| o.trace.is_unseen());
    if !unseen {
        let text = "It looks at the wire by utun(4) and bpf(4): its utun, the peer of its feth, and of \
                    lo0 what has a port of its own sockets. What the host says about names (UDP from \
                    and to port 5353) is not looked at.";
        lines.extend(wrapped(text, "", ""));
    }
    if !unseen && !root {
        let text = "Only root has bpf(4): else it says that the calls agree and that the wire was not \
                    looked at.";
        lines.extend(wrapped(text, "", ""));
    }
    if let Some(op) = case.ops.iter().find(|op| calls::lacks(Os::Macos, op)) {
        let text = format!("macOS has no such {}: the program says so and ends there.", op.call());
        lines.extend(wrapped(&text, "", ""));
    }
    if lab.links.is_empty() && lab.setup.is_empty() {
        return lines;
    }
    lines.push(String::new());
    let text = "The lab, which the program makes itself, as commands. It changes no interface and no \
                route that it did not make, takes the first two feth from 21000 on that nobody has, \
                and does not begin if a call would reach anybody by an interface of the user's. By \
                hand, stop at the first command that fails: what is there is somebody else's.";
    lines.extend(wrapped(text, "", ""));
    lines.extend(macos::commands(case).into_iter().map(|c| format!("    {c}")));
    for step in &lab.setup {
        match macos::command(lab, step) {
            Ok(command) if command.starts_with('#') || command.starts_with("sleep") => {
                lines.push(format!("    {command}"));
            }
            Ok(command) => lines.push(format!("    sudo {command}")),
            Err(_) => lines.push(format!("    # not possible by command: {step}")),
        }
    }
    let tidy = macos::tidy(lab);
    if !tidy.is_empty() {
        lines.push("and afterwards, if these commands made them:".to_owned());
        lines.extend(tidy.into_iter().map(|c| format!("    sudo {c}")));
    }
    lines.extend(macos_limits(case, unseen));
    lines
}

/// What the commands cannot do, said honestly.
fn macos_limits(case: &Case, unseen: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let text =
        "macOS sends what it sends of its own accord; what of that is known is not compared.";
    lines.extend(wrapped(text, "", ""));
    for link in &case.lab.links {
        let name = super::names::interface(Os::Macos, &case.lab, &link.name);
        let kind = match link.kind {
            LinkKind::Tap => "a feth link",
            LinkKind::Tun => {
                "a utun link whose number the kernel chooses, open as long as the program runs"
            }
        };
        lines.extend(wrapped(&format!("{} is {name}, {kind}.", link.name), "", ""));
    }
    if server::serves(case) {
        let text = "NOT REPRODUCIBLE HERE: the case speaks to a server at the link's far end, which \
                    this program has on Linux only. It exits with 2.";
        lines.extend(wrapped(text, "", ""));
    }
    if !lab_linux::answering(case).is_empty() {
        let text = if unseen {
            "The case speaks to a neighbour that answers address resolution when asked; here nobody \
             answers."
        } else {
            "The far end also answers ARP and neighbour solicitations, which ifconfig(8) alone cannot \
             do."
        };
        lines.extend(wrapped(text, "", ""));
    }
    lines
}

/// The text in lines of at most [`WIDTH`] characters.
fn wrapped(text: &str, first: &str, rest: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    let mut fresh = true;
    for word in text.split_whitespace() {
        if !fresh && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::replace(&mut line, rest.to_owned()));
            fresh = true;
        }
        if !fresh {
            line.push(' ');
        }
        line.push_str(word);
        fresh = false;
    }
    lines.push(line);
    lines
}
