//! `sockeye netdown`: does this kernel say that it sent what an interface that is down cannot send?

mod filter;
mod host;
mod target;
mod ways;

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use harness::case::{Case, LabOp, Op, Os};
use harness::outcome;
use harness::subject;
use harness::trace::{End, Fingerprint};
use suites::claim::{Answer as Value, Expect, Seems};
use suites::tables;

use crate::cli::{Netdown, Run};
use crate::results::Answer;
use crate::{Status, UsageError, run};
use filter::Seen;
use host::Asked;
use target::Target;
use ways::Ways;

/// The forum's program.
const PROGRAM: &str = "link-state/netdown";
/// The same with a receiver, which hears what came by another way.
const HEARD: &str = "link-state/udp-sendto[tap,down,own]";
/// The same three times: behind a content filter the second send tells of the first.
const AGAIN: &str = "link-state/udp-sendto-again[tap,down,own]";
/// The control: the link up.
const UP: &str = "link-state/udp-sendto[tap,up,own]";

/// What was found, and why it can or cannot be told.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// The send failed, or what it sent came to somebody.
    NoBug,
    /// It reported success, no error followed, and nothing came to anybody.
    Bug,
    /// As one sentence.
    Untold(String),
}

/// How many rows are named.
const MOST_OF_ROWS: usize = 12;

/// How many sockets of a lab's are held open, to see whether a content filter sees them.
const SOCKETS: u32 = 32;

/// Asks, and says it in some ten lines.
pub(crate) fn netdown(args: &Netdown) -> Result<Status> {
    let os = run::host()?;
    let named = match &args.target {
        Some(text) => Some(target::named(text, &target::interfaces()?).map_err(UsageError)?),
        None => None,
    };
    let kernel = subject::fingerprint(&run::native()?)?;
    outln!(
        "{} {}, effective user {}; content filter: {}",
        kernel.system,
        kernel.release,
        kernel.euid,
        content_filter(os, &kernel)
    );
    match named {
        Some(target) => on_the_host(os, &kernel, &target),
        None => in_a_lab(args, os, &kernel),
    }
}

/// Over a link that sockeye makes, whose other end it is.
fn in_a_lab(args: &Netdown, os: Os, kernel: &Fingerprint) -> Result<Status> {
    let all: Vec<Case> = tables().into_iter().flat_map(|table| table.cases).collect();
    let case = |id: &str| {
        all.iter().find(|case| case.id == id).cloned().with_context(|| format!("no case {id}"))
    };
    let (down, up) = ([case(PROGRAM)?, case(HEARD)?, case(AGAIN)?], [case(UP)?]);
    let fault = Run { plant: args.plant.clone(), ..Run::default() };
    let mut answers = ask(&down, &fault, kernel)?;
    answers.extend(ask(&up, &Run::default(), kernel)?);
    // Where links cannot be made the control is missing, whatever of the rest may run.
    let skipped = |answer: &Answer<'_>| match &answer.trace.end {
        End::Skipped { reason } => Some(reason.clone()),
        _ => None,
    };
    if let Some(reason) = answers.iter().rev().find_map(skipped) {
        return without_a_lab(os, kernel, &reason);
    }
    say("the forum's program, over a link that was set down", &answers[0], os);
    say("three times on one socket", &answers[2], os);
    say("the control: the link up", &answers[3], os);
    let found = found(&answers[1], &answers[3]);
    if found == Found::Bug && tells_later(&answers[2]) {
        say_later();
    }
    let ways: Vec<Case> = all.iter().filter(|case| ways::is_way(case)).cloned().collect();
    let ways = ways::ways(&ask(&ways, &fault, kernel)?);
    if os == Os::Macos {
        let held = [held_open(&down[1])];
        let (seen, asked) = filter::watch(SOCKETS, || ask(&held, &Run::default(), kernel));
        asked?;
        say_advice(os, kernel, seen);
    }
    say_ways(&ways);
    let found = match (found, ways.why_untold()) {
        (Found::NoBug, Some(why)) => Found::Untold(why),
        (found, _) => found,
    };
    let evidence = match ways.lost.first() {
        Some(lost) if found == Found::NoBug => format!("sockeye bundle '{lost}' -o netdown.zip"),
        _ => format!("sockeye bundle {PROGRAM} '{HEARD}' '{UP}' -o netdown.zip"),
    };
    Ok(conclude(&found, Some(ways.lost.len()), &evidence))
}

/// Which ways of sending are lost in silence, by the rows that ask.
fn say_ways(ways: &Ways) {
    let untold = match ways.untold {
        0 => String::new(),
        untold => format!(", {untold} gave no answer"),
    };
    outln!(
        "all ways of sending over a link that is down: {} asked, {} lost in silence{untold}",
        ways.asked,
        ways.lost.len()
    );
    for line in rows(&ways.lost) {
        outln!("  {line}");
    }
}

/// The rows, folded, and of too many how many more there are and what names them.
fn rows(lost: &[String]) -> Vec<String> {
    let rows = ways::folded(lost);
    let more: usize = rows.iter().skip(MOST_OF_ROWS).map(|(_, rows)| rows).sum();
    let mut lines: Vec<String> =
        rows.into_iter().take(MOST_OF_ROWS).map(|(line, _)| line).collect();
    if more > 0 {
        let suites: BTreeSet<&str> = lost.iter().filter_map(|id| id.split('/').next()).collect();
        let suites: Vec<&str> = suites.into_iter().collect();
        let what = if more == 1 { "row" } else { "rows" };
        let names = format!("`sockeye run --rank surprises {}`", suites.join(" "));
        lines.push(format!("and {more} more {what}: {names} names each"));
    }
    lines
}

fn say_later() {
    outln!("the second send says what the first did not, as behind a content filter");
}

fn say_advice(os: Os, kernel: &Fingerprint, seen: Seen) {
    let attached = kernel.product.as_ref().and_then(|product| product.content_filter);
    if let Some(advice) = filter::advice(os, attached, seen) {
        outln!("{advice}");
    }
}

/// The sends of a case by many sockets that stay open for a while, so that they can be counted.
fn held_open(case: &Case) -> Case {
    let sends = |op: &&Op| matches!(op, Op::Sendto { .. });
    let (mut ops, to) = (Vec::new(), case.ops.iter().find(sends));
    for number in 0..SOCKETS {
        let name = format!("s{number}");
        for op in case.ops.iter().filter(|op| matches!(op, Op::Socket { .. })).take(1).chain(to) {
            let mut op = op.clone();
            if let Op::Socket { fd, .. } | Op::Sendto { fd, .. } = &mut op {
                fd.clone_from(&name);
            }
            ops.push(op);
        }
    }
    ops.push(Op::Lab {
        step: LabOp::Wait { ms: 300, why: "they are counted".to_owned(), until: None },
    });
    Case { ops, ..case.clone() }
}

fn ask<'c>(cases: &'c [Case], how: &Run, kernel: &Fingerprint) -> Result<Vec<Answer<'c>>> {
    let cases: Vec<&Case> = cases.iter().collect();
    run::answers(&cases, &Arc::default(), how, kernel, &|_, _, _| ())
}

/// The sends of a case, what was heard of them, and each error that followed.
fn say(what: &str, answer: &Answer<'_>, os: Os) {
    outln!("{what}:");
    let outcome = outcome::render(answer.case, &answer.trace, os);
    let told = |line: &&str| {
        let error = line.starts_with("getsockopt(") && !line.ends_with("= 0, 0");
        error || ["sendto(", "recvfrom("].iter().any(|what| line.starts_with(what))
    };
    for line in outcome.lines().filter(told) {
        outln!("  {line}");
    }
}

/// By a case that has a receiver, and the same over a link that is up.
fn found(down: &Answer<'_>, up: &Answer<'_>) -> Found {
    let call = |name: &str, returns: &str| Expect {
        call: Some(name.to_owned()),
        returns: Some(Value::Word(returns.to_owned())),
        ..Expect::default()
    };
    let (sent, heard) = (call("sendto", "success"), call("recvfrom", "success"));
    let no_error = Expect {
        call: Some("getsockopt".to_owned()),
        value: Some(Value::Number(0)),
        ..Expect::default()
    };
    let no_packet = Expect { packets: Some(0), ..Expect::default() };
    let is_so = |expect: &Expect, answer: &Answer<'_>| {
        expect.seems(answer.case, &answer.trace) == Seems::So
    };
    for control in [&sent, &heard] {
        match control.seems(up.case, &up.trace) {
            Seems::So => {}
            Seems::Not(why) | Seems::Untold(why) => {
                return Found::Untold(format!("the control failed: over a link that is up, {why}"));
            }
        }
    }
    match sent.seems(down.case, &down.trace) {
        Seems::Untold(why) => Found::Untold(why),
        Seems::Not(_) => Found::NoBug,
        Seems::So if is_so(&heard, down) || !is_so(&no_error, down) || !is_so(&no_packet, down) => {
            Found::NoBug
        }
        Seems::So => Found::Bug,
    }
}

/// Whether the second send on a socket fails where the first did not.
fn tells_later(again: &Answer<'_>) -> bool {
    let failed = Expect {
        call: Some("sendto".to_owned()),
        nth: Some(2),
        returns: Some(Value::Word("failure".to_owned())),
        ..Expect::default()
    };
    failed.seems(again.case, &again.trace) == Seems::So
}

/// The answer, and what it says. `lost` is how many ways of sending were lost in silence; none where the
/// forum's alone was asked.
fn answer(found: &Found, lost: Option<usize>) -> (Status, String) {
    let (status, says) = match (found, lost) {
        (Found::NoBug, Some(0)) => (Status::Expected, "no: this kernel has not got the bug".into()),
        (Found::NoBug, None) => {
            (Status::Expected, "no, not by the forum's way; others were not asked".into())
        }
        (Found::NoBug, Some(lost)) => (
            Status::Unexpected,
            format!(
                "yes, in other ways than the forum's: in {lost} rows a send reports success, no error \
                 follows, nothing is sent"
            ),
        ),
        (Found::Bug, _) => (
            Status::Unexpected,
            "yes: this kernel has the bug: sendto reports success, no error follows, nothing is sent"
                .into(),
        ),
        (Found::Untold(why), _) => (Status::Harness, format!("it cannot be told: {why}")),
    };
    (status, says)
}

fn conclude(found: &Found, lost: Option<usize>, evidence: &str) -> Status {
    let (status, says) = answer(found, lost);
    outln!("{says}");
    if status != Status::Harness {
        outln!("evidence: {evidence}");
    }
    status
}

/// Without a lab an interface of the host's own has to do.
fn without_a_lab(os: Os, kernel: &Fingerprint, reason: &str) -> Result<Status> {
    let untold = |why: &str| Ok(conclude(&Found::Untold(format!("{reason}; {why}")), None, ""));
    if os == Os::Linux {
        return untold("`sockeye doctor` says what mends it");
    }
    let all = target::interfaces()?;
    match target::down(&all) {
        Some(target) => on_the_host(os, kernel, &target),
        None => untold(&target::none_is_down(&all)),
    }
}

/// To an address on an interface of the host's that is down: what would be sent cannot be seen, but
/// what the calls say can, and whether a receiver gets it.
fn on_the_host(os: Os, kernel: &Fingerprint, target: &Target) -> Result<Status> {
    let all = target::interfaces()?;
    let up = target::up(&all);
    let control = match &up {
        Some(up) => host::ask(up),
        None => host::ask_loopback(),
    };
    let is_down = || -> Result<bool> {
        let all = target::interfaces()?;
        Ok(all.iter().any(|one| one.name == target.interface && !one.is_up()))
    };
    // Looked at last: others use it, as AirDrop does awdl0.
    let asked = if is_down()? { Some(host::ask(target)) } else { None };
    let found = match (asked, control) {
        (Some(Ok(asked)), Ok(control)) if is_down()? => {
            say_asked(
                &format!("the forum's program, to {}, which is down", target.interface),
                &asked,
            );
            let name = up.as_ref().map_or("loopback", |up| &up.interface);
            say_asked(&format!("the control: {name}, which is up"), &control);
            let found = host::found(&asked, &control, up.is_some());
            if found == Found::Bug && asked.tells_later() {
                say_later();
            }
            say_advice(os, kernel, asked.seen);
            found
        }
        (Some(Err(errno)), _) | (_, Err(errno)) => {
            Found::Untold(format!("the sockets that this takes cannot be had: {errno}"))
        }
        _ => Found::Untold(format!("{} has come up meanwhile", target.interface)),
    };
    Ok(conclude(&found, None, &format!("sudo sockeye bundle {PROGRAM} -o netdown.zip")))
}

fn say_asked(what: &str, asked: &Asked) {
    outln!("{what}:");
    for line in asked.lines() {
        outln!("  {line}");
    }
}

/// Whether one sees what sockets send.
fn content_filter(os: Os, kernel: &Fingerprint) -> String {
    if os != Os::Macos {
        return format!("{os:?} has none");
    }
    match kernel.product.as_ref().and_then(|product| product.content_filter) {
        Some(true) => "attached (net.cfil.active_count)",
        Some(false) => "none",
        None => "not known",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// "no" is said of all ways only where all were asked.
    #[rstest]
    #[case(Found::NoBug, Some(0), Status::Expected, "no: this kernel has not got the bug")]
    #[case(
        Found::NoBug,
        None,
        Status::Expected,
        "no, not by the forum's way; others were not asked"
    )]
    #[case(
        Found::NoBug,
        Some(3),
        Status::Unexpected,
        "yes, in other ways than the forum's: in 3 rows "
    )]
    #[case(Found::Bug, Some(0), Status::Unexpected, "yes: this kernel has the bug: ")]
    #[case(Found::Bug, None, Status::Unexpected, "yes: this kernel has the bug: ")]
    #[case(Found::Untold("x".into()), Some(0), Status::Harness, "it cannot be told: x")]
    fn the_answer_is_that_of_what_was_asked(
        #[case] found: Found,
        #[case] lost: Option<usize>,
        #[case] status: Status,
        #[case] says: &str,
    ) {
        let (is, said) = answer(&found, lost);
        assert_eq!(is, status);
        assert!(said.starts_with(says), "{said}");
    }

    /// What is not named is counted as the heading counts: by rows.
    #[test]
    fn more_rows_are_counted_as_rows() {
        let mut ids: Vec<String> = (0..MOST_OF_ROWS).map(|n| format!("a/t{n:02}")).collect();
        assert_eq!(rows(&ids), ids);
        ids.extend(["b/u[x,1]", "b/u[x,2]", "b/u[y,1]", "b/u[y,2]"].map(str::to_owned));
        let lines = rows(&ids);
        assert_eq!(lines.len(), MOST_OF_ROWS + 1);
        let last = "and 4 more rows: `sockeye run --rank surprises a b` names each";
        assert_eq!(lines.last().map(String::as_str), Some(last));
    }

    #[test]
    fn many_sockets_are_held_open_over_the_same_link() {
        let case = tables().into_iter().flat_map(|table| table.cases).find(|case| case.id == HEARD);
        let case = case.expect("it is there");
        let held = held_open(&case);
        assert_eq!(held.check(), Ok(()));
        assert_eq!(held.lab, case.lab);
        let calls = |name: &str| held.ops.iter().filter(|op| op.call() == name).count();
        assert_eq!((calls("socket"), calls("sendto"), calls("close")), (32, 32, 0));
        let to = |op: &Op| op.addr().cloned();
        let sent = case.ops.iter().find(|op| op.call() == "sendto").and_then(to);
        assert!(held.ops.iter().filter(|op| op.call() == "sendto").all(|op| to(op) == sent));
    }
}
