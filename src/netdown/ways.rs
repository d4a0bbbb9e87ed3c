//! All ways of sending over a link that is down, and which of them are lost in silence.

use std::collections::{BTreeMap, BTreeSet};

use harness::case::{Case, LabOp, Op};
use harness::verdict::Verdict;

use crate::results::Answer;

/// The rule that a silent loss breaks.
const RULE: &str = "no-silent-loss";

/// What came of all of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ways {
    /// How many were asked and answered.
    pub(super) asked: usize,
    /// The ids of those that were reported sent and lost.
    pub(super) lost: Vec<String>,
}

/// Whether a case sends over a link that is down: connected or not, bound, to a group, a broadcast or
/// a neighbour, raw, TCP. Those that wait for seconds are left to `sockeye run`.
pub(super) fn is_way(case: &Case) -> bool {
    let down = |step: &LabOp| matches!(step, LabOp::LinkDown { .. });
    let steps = case.ops.iter().filter_map(|op| match op {
        Op::Lab { step } => Some(step),
        _ => None,
    });
    let sends =
        |op: &Op| ["send", "sendto", "sendmsg", "connect"].iter().any(|name| op.call() == *name);
    let is_down = case.lab.setup.iter().chain(steps).any(down);
    is_down && case.ops.iter().any(sends) && !case.is_idle()
}

/// By what the rules say of each answer.
pub(super) fn ways(answers: &[Answer<'_>]) -> Ways {
    let mut ways = Ways::default();
    for answer in answers {
        if matches!(answer.judgement.verdict, Verdict::Skipped | Verdict::Error) {
            continue;
        }
        ways.asked += 1;
        if answer.judgement.findings.iter().any(|(finding, _)| finding.rule == RULE) {
            ways.lost.push(answer.case.id.clone());
        }
    }
    ways
}

/// Ids of one table in one line, where they are all combinations of their parameters; else each.
pub(super) fn folded(ids: &[String]) -> Vec<String> {
    let mut tables: BTreeMap<&str, Vec<Vec<&str>>> = BTreeMap::new();
    let mut out = Vec::new();
    for id in ids {
        match id.strip_suffix(']').and_then(|id| id.split_once('[')) {
            Some((table, row)) => tables.entry(table).or_default().push(row.split(',').collect()),
            None => out.push(id.clone()),
        }
    }
    for (table, rows) in tables {
        let width = rows.iter().map(Vec::len).max().unwrap_or_default();
        let columns: Vec<BTreeSet<&str>> = (0..width)
            .map(|at| rows.iter().filter_map(|row| row.get(at).copied()).collect())
            .collect();
        let all: usize = columns.iter().map(BTreeSet::len).product();
        if all == rows.len() && rows.iter().all(|row| row.len() == width) {
            let column = |values: &BTreeSet<&str>| {
                let text = values.iter().copied().collect::<Vec<_>>().join(",");
                if values.len() == 1 { text } else { format!("{{{text}}}") }
            };
            let row: Vec<String> = columns.iter().map(column).collect();
            out.push(format!("{table}[{}]", row.join(",")));
        } else {
            out.extend(rows.iter().map(|row| format!("{table}[{}]", row.join(","))));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use suites::tables;

    use super::*;

    #[test]
    fn all_ways_of_sending_are_among_them() {
        let all: Vec<Case> = tables().into_iter().flat_map(|table| table.cases).collect();
        let ways: Vec<&Case> = all.iter().filter(|case| is_way(case)).collect();
        for table in [
            "link-state/udp-sendto",
            "link-state/udp-connect-send",
            "link-state/udp-bound-own",
            "link-state/loopback-down",
            "link-state/icmp-raw",
            "link-state/tcp-connect",
        ] {
            assert!(ways.iter().any(|case| case.table() == table), "{table}");
        }
        for id in ["[tap,down,limited4]", "[tap,down,multicast4]", "[tun,down,own]"] {
            assert!(ways.iter().any(|case| case.id.ends_with(id)), "{id}");
        }
        // What is up is none.
        assert!(ways.iter().all(|case| !case.id.ends_with("[tap,up,own]")));
    }

    #[test]
    fn rows_are_folded_where_all_are_there() {
        let ids = |text: &[&str]| text.iter().map(|&id| id.to_owned()).collect::<Vec<_>>();
        let four = ids(&["a/b[x,1]", "a/b[x,2]", "a/b[y,1]", "a/b[y,2]"]);
        assert_eq!(folded(&four), ["a/b[{x,y},{1,2}]"]);
        assert_eq!(folded(&four[..3]), four[..3]);
        assert_eq!(folded(&ids(&["a/c", "a/b[1]"])), ["a/c", "a/b[1]"]);
    }
}
