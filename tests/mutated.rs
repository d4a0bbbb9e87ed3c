//! Traces of strangers: whatever is let in is rendered, judged, written as C and as frames, and put into
//! a bundle without a panic.

mod common;

use std::path::PathBuf;
use std::sync::OnceLock;

use common::{has_labs, is_linux, turn};
use harness::case::{Case, Os};
use harness::outcome;
use harness::subject::{self, Subject};
use harness::trace::{End, Trace};
use proptest::collection::vec;
use proptest::prelude::*;
use reports::pcapng::Pcapng;
use reports::repro::{Observed, Options, reproducer};
use serde_json::{Value, json};
use suites::baseline::Baselines;
use suites::verdict::judge;

/// A case of each table, and what it did here.
fn traces() -> &'static [(Case, Trace)] {
    static TRACES: OnceLock<Vec<(Case, Trace)>> = OnceLock::new();
    TRACES.get_or_init(|| {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_sockeye"));
        let executor = Subject { program, args: vec!["exec".into()] };
        let firsts = suites::tables().into_iter().filter_map(|table| {
            let waits = |case: &Case| case.waits_ms() > 300;
            table.cases.into_iter().find(|case| !waits(case) && case.lab.links.len() < 4)
        });
        let cases: Vec<Case> = firsts.collect();
        let _turn = turn();
        let asked: Vec<&Case> = cases.iter().collect();
        let traces = subject::run(&executor, &asked, 2, &|_, _| ()).expect("it runs");
        let ran = |(_, trace): &(Case, Trace)| !matches!(trace.end, End::Skipped { .. });
        cases.into_iter().zip(traces).filter(ran).collect()
    })
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
        Value::Object(all) => {
            let mut all = all.clone();
            let key = all.keys().nth(how % all.len().max(1)).cloned();
            key.and_then(|key| all.remove(&key));
            all.into()
        }
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
    }
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_trace_that_is_let_in_makes_anything_panic(
        which in any::<prop::sample::Index>(),
        changes in vec((any::<prop::sample::Index>(), 0_usize..1000), 1..4),
    ) {
        if !is_linux() || !has_labs() {
            return Ok(());
        }
        let (case, trace) = which.get(traces());
        let mut value = serde_json::to_value(trace).expect("JSON");
        for (at, how) in &changes {
            let mut number = at.index(size(&value));
            change(&mut value, &mut number, *how);
        }
        if let Ok(trace) = serde_json::from_value::<Trace>(value)
            && trace.check(case).is_ok()
        {
            use_it(case, &trace);
        }
    }
}
