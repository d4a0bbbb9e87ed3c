//! What was found, most telling first, each with a picture of its packets.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use harness::case::{Case, Op, Os};
use harness::outcome::{self, What};
use harness::trace::{Did, Direction, Event, Trace};

use super::model::{Row, Step, Story};
use super::word::{Left, framing, sends};

/// How long a picture is at the most.
const MOST: usize = 14;

/// Where a finding can be seen.
struct Place {
    row: usize,
    column: usize,
    found: usize,
}

/// One cause: a known reason, or what a rule finds in a table.
#[derive(Default)]
struct Cause {
    places: Vec<Place>,
}

/// The findings of all rows by their cause. `case` tells the case, the trace and the system of a row in a
/// column.
pub(super) fn stories<'a>(
    rows: &[Row],
    case: &dyn Fn(usize, usize) -> Option<(&'a Case, &'a Trace, usize, Os)>,
    op: &dyn Fn(usize, usize, usize) -> usize,
) -> Vec<Story> {
    let mut causes: BTreeMap<(Option<usize>, String), Cause> = BTreeMap::new();
    for (row, of) in rows.iter().enumerate() {
        for (column, answer) in of.cells.iter().enumerate() {
            let Some(answer) = answer.and_then(|number| of.answers.get(number)) else { continue };
            for (found, finding) in answer.findings.iter().enumerate() {
                let own = match finding.known {
                    Some(_) => String::new(),
                    None => format!("{} {}", finding.name, of.table),
                };
                let cause = causes.entry((finding.known, own)).or_default();
                cause.places.push(Place { row, column, found });
            }
        }
    }
    let tell = |cause: Cause| {
        // The shortest case says it best.
        let steps = |place: &&Place| {
            let steps = case(place.row, place.column).map_or(usize::MAX, |(.., steps, _)| steps);
            (steps, place.row, place.column)
        };
        let place = cause.places.iter().min_by_key(steps)?;
        let (case, trace, _, os) = case(place.row, place.column)?;
        let answer = rows[place.row].cells[place.column].map(|n| &rows[place.row].answers[n])?;
        let finding = &answer.findings[place.found];
        let once = |of: fn(&Place) -> usize| {
            let mut all: Vec<usize> = cause.places.iter().map(of).collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        // Other rules are about what left, or about what came of it later.
        let says_lost = finding.name == "no-silent-loss" && !trace.is_unseen();
        Some(Story {
            rank: finding.rank,
            name: finding.name.clone(),
            rule: finding.rule,
            known: finding.known,
            text: finding.text.clone(),
            row: place.row,
            column: place.column,
            rows: once(|place| place.row),
            columns: once(|place| place.column),
            picture: picture(
                case,
                trace,
                os,
                (op(place.row, place.column, place.found), says_lost),
            ),
        })
    };
    let mut all: Vec<Story> = causes.into_values().filter_map(tell).collect();
    all.sort_by_key(|story| {
        let lost = story.picture.iter().any(|step| step.lost);
        (story.known.is_some(), !lost, story.rank, Reverse(story.rows.len()), story.row)
    });
    all
}

/// A case as a time line: calls, frames, and what was sent and lost. `op` is the step that the finding
/// is about, beside it whether that is a loss.
pub(super) fn picture(
    case: &Case,
    trace: &Trace,
    os: Os,
    (op, may_be_lost): (usize, bool),
) -> Vec<Step> {
    let lines = outcome::lines(case, trace, os);
    let mut steps: Vec<Step> = Vec::new();
    let step = |kind, text: &str| Step {
        kind,
        text: text.to_owned(),
        here: false,
        lost: false,
        link: String::new(),
    };
    for line in &lines {
        let event = line.event.and_then(|at| trace.events.get(at));
        match line.what {
            // A call that waits is told where it returns.
            What::Call { .. } if matches!(event, Some(Event::Began { .. })) => {}
            What::Call { op: of } => {
                if matches!(case.ops.get(of), Some(Op::Close { .. })) && of != op {
                    continue;
                }
                steps.push(Step { here: of == op, ..step("call", line.text.trim()) });
                if of == op && may_be_lost && is_lost(case, trace, op) {
                    let bytes = case
                        .ops
                        .get(op)
                        .and_then(Op::payload)
                        .map_or(0, harness::case::Payload::len);
                    let text = format!("{bytes} bytes, reported as sent");
                    steps.push(Step { lost: true, ..step("out", &text) });
                }
            }
            What::Lab { .. } => steps.push(step("lab", line.text.trim())),
            What::Frame { .. } => {
                let out = matches!(event, Some(Event::Frame { dir: Direction::Out, .. }));
                let link = match event {
                    Some(Event::Frame { link, .. }) => link.clone(),
                    _ => String::new(),
                };
                let text = line.text.trim().trim_start_matches(['>', '<']).trim();
                let text = text.strip_prefix(&link).unwrap_or(text).trim();
                steps.push(Step { link, ..step(if out { "out" } else { "in" }, text) });
            }
            What::Signal { .. } | What::End => steps.push(step("note", line.text.trim())),
        }
    }
    cut(steps)
}

/// The steps around the one that matters.
fn cut(mut steps: Vec<Step>) -> Vec<Step> {
    if steps.len() <= MOST {
        return steps;
    }
    let here = steps.iter().position(|step| step.here).unwrap_or(0);
    let from = here.saturating_sub(MOST / 2).min(steps.len() - MOST);
    let more = |n: usize| Step {
        kind: "note",
        text: format!("… {n} more"),
        here: false,
        lost: false,
        link: String::new(),
    };
    let behind = steps.split_off(from + MOST).len();
    steps.drain(..from);
    if from > 0 {
        steps.insert(0, more(from));
    }
    if behind > 0 {
        steps.push(more(behind));
    }
    steps
}

/// Whether `op` is a send that reported success, and nothing of it left: questions for a neighbour are
/// none of it.
fn is_lost(case: &Case, trace: &Trace, op: usize) -> bool {
    let mut left = Left::default();
    let mut sent = false;
    for event in &trace.events {
        match event {
            Event::Call { op: of, did: Did::Returned { errno: None, .. }, .. }
                if usize::try_from(*of) == Ok(op) =>
            {
                sent = case.ops.get(op).is_some_and(sends);
            }
            Event::Frame { op: of, link, dir: Direction::Out, bytes, .. }
                if usize::try_from(*of) == Ok(op) =>
            {
                left.add(framing(case, trace, link), &bytes.0);
            }
            _ => {}
        }
    }
    sent && !left.any_data()
}
