//! The report for Feedback Assistant: its fields, and what is sent back if it is missing.

use std::fmt::Write as _;

use super::readme::{cell, code};
use super::zip::utc;
use super::{Bundle, lead, shown};
use crate::text::{self, inline, one_line, prose};

/// How many lines of the system's log are shown; `kernel.log` has all.
const MOST_OF_LOG: usize = 12;

/// The fields, a line each, and the rows of one cause as a table.
pub(super) fn fields(bundle: &Bundle<'_>) -> String {
    let Some(part) = bundle.parts.first() else { return String::new() };
    let expected = lead::expected(bundle, part);
    let expected = expected.unwrap_or_else(|| "nothing else is known".to_owned());
    let environment = bundle.environment;
    let model = environment.and_then(|e| e.said.get("sysctl hw.model"));
    let model = model.and_then(|said| said.rsplit(": ").next()).map_or("", str::trim);
    let machine = [model, &bundle.subject.kernel.machine].map(|word| one_line(word, 60));
    let machine: Vec<&str> =
        machine.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
    let mut out = format!(
        "## For Feedback Assistant\n\n- Area: macOS, Networking (kernel, sockets)\n- Type: Incorrect/Unexpected Behavior\n- \
         Title: {}\n- Expected: {}\n- Actual: {}\n- Build: {}\n- Hardware: {}\n- Content filters and \
         VPNs: {}\n",
        prose(&bundle.title()),
        inline(&expected),
        inline(&lead::actual(part)),
        inline(&bundle.build()),
        inline(&machine.join(", ")),
        inline(&filters(bundle)),
    );
    if bundle.parts.len() > 1 {
        out.push_str(
            "\nThe rows of this report:\n\n| row | when | what came |\n| --- | --- | --- |\n",
        );
        for part in &bundle.parts {
            let title = text::markdown(part.line.case.title.trim_end_matches('.'));
            let fine = if part.is_control() { ", as it should be" } else { "" };
            let (id, did) = (text::code(&part.line.id), cell(&shown(part).join("\n")));
            let _ = writeln!(out, "| {id} | {title} | {did}{fine} |");
        }
    }
    out.push('\n');
    out
}

/// What stood between the sockets and the kernel, which its readers ask for first.
fn filters(bundle: &Bundle<'_>) -> String {
    let product = bundle.subject.kernel.product.as_ref();
    let attached = match product.and_then(|product| product.content_filter) {
        Some(true) => Some("a content filter is attached (net.cfil.active_count)"),
        Some(false) => Some("no content filter is attached (net.cfil.active_count is 0)"),
        None => None,
    };
    let found = bundle.environment.map(|e| e.filters.join("; "));
    match (attached, found) {
        (None, None) => "not known".to_owned(),
        (None, Some(found)) if found.is_empty() => "none found".to_owned(),
        (None, Some(found)) => found,
        (Some(attached), Some(found)) if !found.is_empty() => format!("{attached}; {found}"),
        (Some(attached), _) => attached.to_owned(),
    }
}

/// What to attach and how, and the log around the call.
pub(super) fn attach(bundle: &Bundle<'_>) -> String {
    let began = bundle.parts.first().map_or(0, |part| part.line.trace.began_ns / 1_000_000_000);
    let at = |second: u64| utc(second).replace(" UTC", "+0000");
    let mut out = format!(
        "## What to attach\n\nReports without these are sent back for them.\n\n\
         1. Before the steps, install the profile for networking of \
         <https://developer.apple.com/bug-reporting/profiles-and-logs/>: the logs tell more with it.\n\
         2. Right after the steps, what these two write:\n\n        sudo sysdiagnose\n        \
         sudo log collect --last 5m --output networking.logarchive\n\n3. This archive.\n\n\
         The kernel's words around the recorded call, on the machine where it was recorded:\n\n    \
         sudo log show --info --debug --start '{}' --end '{}' --predicate 'process == \"kernel\"'\n\n",
        at(began.saturating_sub(2)),
        at(began + 3)
    );
    let lines = bundle.log.map(|log| log.lines.as_slice()).unwrap_or_default();
    if lines.is_empty() {
        let missing = bundle.log.map(|log| log.missing.as_deref());
        let why = missing.map_or("it was not kept", |why| why.unwrap_or("it said nothing"));
        let _ = writeln!(out, "What the run has of them: none, {}.\n", inline(why));
    } else {
        let lines: Vec<String> =
            lines.iter().take(MOST_OF_LOG).map(|line| one_line(line, 200)).collect();
        let _ = writeln!(out, "{}", code(lines.iter().map(String::as_str)));
    }
    out
}
