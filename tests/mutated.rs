//! Traces of strangers: whatever is let in is rendered, judged, written as C and as frames, and put into
//! a bundle without a panic.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use harness::case::{Case, Os};
use harness::outcome;
use harness::trace::{End, Trace};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use reports::bundle::{Bundle, Part, Recipient, Tried};
use reports::pcapng::Pcapng;
use reports::repro::{Observed, Options, reproducer};
use reports::runs::{Finding, Line, Subject as RunSubject};
use serde_json::{Value, json};
use suites::baseline::Baselines;
use suites::verdict::{Judgement, judge};

use crate::common::{has_labs, is_linux};

/// A case of each table, and what it did here.
fn traces() -> &'static [(Case, Trace)] {
    static TRACES: OnceLock<Vec<(Case, Trace)>> = OnceLock::new();
    let traces = TRACES.get_or_init(|| {
        let firsts = suites::tables().into_iter().filter_map(|table| {
            let waits = |case: &Case| case.waits_ms() > 300;
            table.cases.into_iter().find(|case| !waits(case) && case.lab.links.len() < 4)
        });
        let cases: Vec<Case> = firsts.collect();
        let traces = crate::common::traces(&[], &cases);
        let ran = |(_, trace): &(Case, Trace)| !matches!(trace.end, End::Skipped { .. });
        cases.into_iter().zip(traces).filter(ran).collect()
    });
    // Else nothing of it could fail: where there are labs, hardly a table has nothing that runs.
    let suites: BTreeSet<&str> = traces.iter().map(|(case, _)| case.suite()).collect();
    let events = |(_, trace): &&(Case, Trace)| trace.end == End::Done && trace.events.len() > 2;
    let whole = traces.iter().filter(events).count();
    assert!(suites.len() > 5 && whole > 60, "{} traces of {suites:?}, {whole} whole", traces.len());
    traces
}

/// How many values there are in it.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(all) => all.iter().map(size).sum(),
        Value::Object(all) => all.values().map(size).sum(),
        _ => 0,
    }
}

/// Changes the value that has this number.
fn change(value: &mut Value, number: &mut usize, how: usize) {
    if *number == 0 {
        *value = odd(value, how);
    }
    *number = number.wrapping_sub(1);
    match value {
        Value::Array(all) => all.iter_mut().for_each(|value| change(value, number, how)),
        Value::Object(all) => all.values_mut().for_each(|value| change(value, number, how)),
        _ => {}
    }
}

/// Something of its kind that it should not be.
fn odd(value: &Value, how: usize) -> Value {
    let numbers = [
        json!(0),
        json!(1),
        json!(-1),
        json!(255),
        json!(65_536),
        json!(u32::MAX),
        json!(i32::MIN),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1_u64 << 62),
    ];
    match value {
        Value::Number(_) => numbers[how % numbers.len()].clone(),
        Value::String(text) => {
            let half =
                text.char_indices().nth(text.chars().count() / 4 * 2).map_or(0, |(at, _)| at);
            let all = [
                String::new(),
                "lo".to_owned(),
                text[..half].to_owned(),
                format!("{text}{text}"),
                "ff".repeat(40_000),
                "EAGAIN".to_owned(),
                "\u{202e}\n*/\u{1b}[2J".to_owned(),
                "Q".repeat(70_000),
                text.to_uppercase(),
                "00".repeat(20),
                "0".to_owned(),
            ];
            all[how % all.len()].clone().into()
        }
        Value::Array(all) => {
            let mut all = all.clone();
            match how % 5 {
                0 => all.clear(),
                1 => drop(all.pop()),
                2 => all.reverse(),
                3 => all = [&all[..], &all, &all].concat(),
                _ if !all.is_empty() => drop(all.remove(0)),
                _ => {}
            }
            all.into()
        }
        // Without a part, or with another, it is read by nobody.
        Value::Object(all) => all.clone().into(),
        Value::Bool(is) => (!is).into(),
        Value::Null => json!(0),
    }
}

/// All that is made of a trace.
fn use_it(case: &Case, trace: &Trace) {
    let platforms = ["linux-6.18".to_owned(), "linux".to_owned()];
    for os in [Os::Linux, Os::Macos] {
        let judgement = judge(case, trace, os, &platforms, Baselines::embedded());
        let text = outcome::transcript(case, trace, os);
        assert!(!text.contains('\u{1b}'), "{text}");
        let outcome = judgement.outcome.as_str();
        let observed = Some(Observed { trace, platform: "linux", kernel: "Linux 6.18", outcome });
        reproducer(case, &Options { os, observed, expected: &[] });
        let mut pcapng = Pcapng::new(Vec::new(), "Linux 6.18").expect("it is written");
        let _ = pcapng.add(case, trace, os);
        bundle(case, trace, os, judgement);
    }
}

/// The bug report of it.
fn bundle(case: &Case, trace: &Trace, os: Os, judgement: Judgement) {
    let findings = judgement.findings.iter().map(|(found, _)| Finding {
        rule: found.rule.to_owned(),
        rank: Some(found.rank()),
        op: found.op,
        text: found.text.clone(),
        known: None,
    });
    let line = Line {
        subject: "native".to_owned(),
        id: case.id.clone(),
        verdict: judgement.verdict,
        findings: findings.collect(),
        outcome: judgement.outcome,
        baseline: None,
        expected: None,
        remarks: Vec::new(),
        unexpected: Vec::new(),
        case: case.clone(),
        trace: trace.clone(),
    };
    let kernel =
        json!({"system": "Linux", "release": "6.18", "version": "", "machine": "", "euid": 0});
    let subject = json!({
        "name": "native", "kernel": kernel, "platforms": ["linux"], "program": "", "began_ns": 0, "cases": 1,
    });
    let subject: RunSubject = serde_json::from_value(subject).expect("a subject");
    let part = Part::once(&line, os, Tried::Agrees);
    let (recipient, parts) = (Recipient::Netdev, vec![part]);
    let bundle = Bundle {
        subject: &subject,
        os,
        environment: None,
        log: None,
        rules: &[],
        parts,
        recipient,
    };
    bundle.files(&mut bundle.scrub(false)).expect("it is written");
}

#[test]
fn what_really_happened_is_let_in() {
    if !is_linux() || !has_labs() {
        return;
    }
    for (case, trace) in traces() {
        assert_eq!(trace.check(case), Ok(()), "{}", case.id);
        use_it(case, trace);
    }
}

#[test]
fn no_trace_that_is_let_in_makes_anything_panic() {
    if !is_linux() || !has_labs() {
        return;
    }
    let config =
        ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() };
    let at = any::<prop::sample::Index>;
    let changes = (at(), vec((at(), 0_usize..1000), 1..4));
    let (let_in, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let done = TestRunner::new(config).run(&changes, |(which, changes)| {
        let (case, trace) = which.get(traces());
        let mut value = serde_json::to_value(trace).expect("JSON");
        for (at, how) in &changes {
            let mut number = at.index(size(&value));
            change(&mut value, &mut number, *how);
        }
        match serde_json::from_value::<Trace>(value) {
            Ok(trace) if trace.check(case).is_ok() => {
                let_in.fetch_add(1, Ordering::Relaxed);
                use_it(case, &trace);
            }
            Ok(_) => drop(refused.fetch_add(1, Ordering::Relaxed)),
            Err(_) => {}
        }
        Ok(())
    });
    done.unwrap_or_else(|e| panic!("{e}"));
    // Else this could not fail.
    let (let_in, refused) = (let_in.into_inner(), refused.into_inner());
    assert!(let_in > 100 && refused > 30, "{let_in} let in, {refused} refused");
}
