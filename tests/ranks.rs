//! `--rank`: what was found of one rank, alone.

use std::process::Output;

use crate::common::{sockeye, stderr, stdout};

fn report(format: &str, rank: &str) -> Output {
    let run = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/tests/runs/1");
    sockeye(&["report", run, "--format", format, "--rank", rank])
}

/// The run was made before there were ranks.
#[test]
fn a_report_has_the_cases_of_a_rank() {
    let lines = |rank| {
        let output = report("json", rank);
        assert!(output.status.success());
        stdout(&output).lines().map(str::to_owned).collect()
    };
    let surprises: Vec<String> = lines("surprises");
    assert_eq!(surprises.len(), 4);
    let broken = ["\"rule\":\"no-silent-loss\"", "\"rule\":\"failed-call-no-effect\""];
    assert!(surprises.iter().all(|line| broken.iter().any(|rule| line.contains(rule))));
    let none: [Vec<String>; 2] = [lines("violates"), lines("undocumented")];
    assert_eq!(none, [Vec::<String>::new(), Vec::new()]);
    // What was not asked for is not said to be missing.
    let ktap = stdout(&report("ktap", "surprises"));
    assert!(ktap.contains("\n# surprises: 3 cases\n") && !ktap.contains("was cut off"), "{ktap}");
}

#[test]
fn there_are_three_ranks() {
    let output = report("json", "deviates");
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("is none of violates, surprises, undocumented"), "{said}");
}
