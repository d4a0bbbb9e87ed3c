//! What undoes a case: the same calls in another place, and what came of them.

use harness::case::addr::{Addr, Port, Range, Role};
use harness::case::op::Value;
use harness::case::{Case, LabOp, Op};
use harness::trace::{Did, Event, Out, Trace};
use reports::repro::frames;
use suites::Table;

/// What calls returned, and what left: what the program compares.
pub(crate) fn came(case: &Case, trace: &Trace) -> (Vec<String>, Vec<(u32, String)>) {
    let calls = trace.events.iter().filter_map(|event| match event {
        // Of what it writes that alone which has no address or time in it.
        Event::Call { op, did: Did::Returned { ret, errno, out }, .. } => Some(match out {
            Out::Int(_) | Out::Offset(_) | Out::Poll(_) | Out::Sets(_) | Out::Ready(_) => {
                format!("{op} {ret} {errno:?} {out:?}")
            }
            _ => format!("{op} {ret} {errno:?}"),
        }),
        Event::Call { op, did, .. } => Some(format!("{op} {did:?}")),
        _ => None,
    });
    let mut left = frames::observed(case, trace);
    left.sort();
    (calls.collect(), left)
}

/// The step with the link's neighbour in the place of whom it names; none if it names nobody.
fn to_neighbour(case: &Case, op: &Op) -> Option<Op> {
    let mut with = op.clone();
    let (Op::Sendto { addr, .. } | Op::Connect { addr, .. }) = &mut with else { return None };
    let link = case.lab.links.first()?;
    let v4 = case.lab.ip(&addr.host)?.is_ipv4();
    let range = link.ranges.iter().find(|range| (**range == Range::V4) == v4)?;
    let Port::Is(port) = addr.port else { return None };
    *addr = Addr::on(&link.name, Role::Neighbour, *range, port);
    Some(with)
}

/// The case with one step of its lab left out, one option turned round or one destination replaced, the
/// last first: the same calls in another place.
pub(crate) fn undoings(case: &Case) -> Vec<Case> {
    let nothing = || LabOp::Wait { ms: 0, until: None, why: "left out".to_owned() };
    let mut all = Vec::new();
    for (at, op) in case.ops.iter().enumerate().rev() {
        let mut with = case.clone();
        with.ops[at] = match op {
            Op::Lab { .. } | Op::Shutdown { .. } => Op::Lab { step: nothing() },
            Op::Setsockopt { fd, option, value: Value::Int(n) } => {
                let (fd, option, n) = (fd.clone(), option.clone(), i32::from(*n == 0));
                Op::Setsockopt { fd, option, value: Value::Int(n) }
            }
            op => match to_neighbour(case, op) {
                Some(op) => op,
                None => continue,
            },
        };
        all.push(with);
    }
    for at in (0..case.lab.setup.len()).rev() {
        let mut with = case.clone();
        with.lab.setup.remove(at);
        all.push(with);
    }
    all
}

/// Rows of the same table that make the same calls with something else.
pub(crate) fn near(case: &Case, tables: &[Table]) -> Vec<Case> {
    let calls = |case: &Case| case.ops.iter().map(Op::call).collect::<Vec<_>>();
    let table = tables.iter().filter(|table| table.name == case.table());
    let rows = table.flat_map(|table| &table.cases);
    let near = rows.filter(|other| other.id != case.id && calls(other) == calls(case));
    near.take(40).cloned().collect()
}
