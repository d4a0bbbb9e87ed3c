//! What is undocumented is a remark: counted, exported and filtered apart, and no failure.

use std::fs;
use std::path::PathBuf;

use harness::verdict::{Rank, Verdict};
use reports::export::{Came, Export, Test, junit, kcidb, ktap, markdown};
use reports::runs::{self, Run};

/// Of its lines one deviates as nobody knew, and no other of them does.
const UNKNOWN: &str = "link-state/ends[deviates]";

/// The run of schema 1, which was made before there were ranks, with another rule broken in [`UNKNOWN`].
fn run(rule: &str) -> Run {
    run_with(&format!("\"rule\":\"{rule}\""))
}

fn run_with(broken: &str) -> Run {
    let from = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/runs/1");
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(from.join(runs::MANIFEST), folder.path().join(runs::MANIFEST)).expect("copied");
    let lines = fs::read_to_string(from.join(runs::RESULTS)).expect("it can be read");
    let own = |line: &str| {
        let is_it = line.contains(&format!("\"id\":\"{UNKNOWN}\""));
        if is_it {
            line.replace("\"rule\":\"failed-call-no-effect\"", broken)
        } else {
            line.to_owned()
        }
    };
    let lines: Vec<String> = lines.lines().map(own).collect();
    fs::write(folder.path().join(runs::RESULTS), lines.join("\n") + "\n").expect("written");
    runs::read(folder.path()).expect("runs of schema 1 can be read")
}

fn test(run: &Run) -> Test {
    let export = Export::of(run);
    let mut tests = export.parts.iter().flat_map(|p| &p.tables).flat_map(|table| &table.tests);
    tests.find(|test| test.id == UNKNOWN).expect("it is there").clone()
}

#[test]
fn an_old_run_has_the_ranks_of_its_rules() {
    let lines = [run("errno-documented"), run("failed-call-no-effect"), run("do-not-fragment")];
    let of =
        lines.map(|run| run.lines.into_iter().find(|line| line.id == UNKNOWN).expect("a line"));
    let [remarked, surprises, violates] = of;
    // It has a baseline, and is as that.
    assert_eq!((remarked.verdict, remarked.is_unexpected()), (Verdict::Ok, false));
    assert_eq!((remarked.findings.len(), remarked.remarks.len()), (0, 1));
    for (line, rank) in [(surprises, Rank::Surprises), (violates, Rank::Violates)] {
        assert_eq!((line.verdict, line.is_unexpected()), (Verdict::Deviates, true));
        assert_eq!((line.findings[0].rank(), line.remarks.len()), (rank, 0));
    }
}

#[test]
fn a_remark_fails_in_no_format_and_a_surprise_in_each() {
    let (remark, surprise) = (run("errno-documented"), run("failed-call-no-effect"));
    assert_eq!(test(&remark).came, Came::Passed);
    assert_eq!((test(&remark).remarks.len(), test(&surprise).remarks.len()), (1, 0));
    assert_eq!(test(&remark).ranks, [Rank::Undocumented]);
    let failed = test(&surprise).came;
    assert!(matches!(&failed, Came::Failed { what: "surprises", .. }), "{failed:?}");
    let [remark, surprise] = [remark, surprise].map(|run| {
        let export = Export::of(&run);
        let said = [junit(&export).expect("XML"), ktap(&export), markdown(&export), kcidb(&run)];
        said.map(|text| text.replace("&#91;", "[").replace("&#93;", "]"))
    });
    let remarked = [
        "<property name=\"undocumented\" value=\"1\"/>",
        "# undocumented: 1 case\n",
        "- undocumented: 1 case\n",
        "\"ranks\":[\"undocumented\"]",
    ];
    for ((with, without), mark) in remark.iter().zip(&surprise).zip(remarked) {
        assert!(with.contains(mark), "{mark}\n{with}");
        assert!(!without.contains(mark), "{mark}\n{without}");
    }
    // The remark itself, in a test that passed.
    let text = "undocumented: errno-documented: sendto returned ENETUNREACH";
    assert!(remark[0].contains(&format!("<system-out>{text}")), "{}", remark[0]);
    assert!(remark[1].contains(&format!("# {text}")), "{}", remark[1]);
    let failures = [
        "type=\"surprises\"",
        "not ok 3 link-state/ends[deviates]",
        "<code>link-state/ends[deviates]</code> | native | surprises |",
        "\"status\":\"FAIL\"",
    ];
    for ((with, without), mark) in remark.iter().zip(&surprise).zip(failures) {
        let count = |text: &str| text.matches(mark).count();
        assert_eq!(count(without), count(with) + 1, "{mark}\n{without}");
    }
}

#[test]
fn a_rank_is_asked_for_alone() {
    let run = run("errno-documented");
    let ids = |rank| run.clone().of_rank(rank).lines.into_iter().map(|l| l.id).collect::<Vec<_>>();
    assert_eq!(ids(Rank::Undocumented), [UNKNOWN]);
    assert_eq!(ids(Rank::Violates), [""; 0]);
    let surprises = ids(Rank::Surprises);
    assert!(surprises.len() > 1 && !surprises.iter().any(|id| id == UNKNOWN), "{surprises:?}");
    // What was left out is not missing.
    let export = Export::of(&run.clone().of_rank(Rank::Undocumented));
    assert!(export.parts.iter().all(|part| !part.cut));
}

/// One rule may find what violates and what its clauses do not reach.
#[test]
fn a_finding_counts_by_its_own_rank_and_not_by_its_rules() {
    let of = |rank| run_with(&format!("\"rule\":\"do-not-fragment\",\"rank\":\"{rank}\""));
    let weighs = |run: &Run| {
        let found = |rank| run.clone().of_rank(rank).lines.iter().any(|line| line.id == UNKNOWN);
        Rank::ALL.map(found)
    };
    let runs = ["violates", "surprises", "undocumented"].map(of);
    assert_eq!(
        runs.each_ref().map(weighs),
        [[true, false, false], [false, true, false], [false, false, true]]
    );
    for (run, what) in runs.iter().zip(["violates", "surprises"]) {
        assert!(matches!(test(run).came, Came::Failed { what: named, .. } if named == what));
        let junit = junit(&Export::of(run)).expect("XML");
        assert!(junit.contains(&format!("type=\"{what}\"")), "{junit}");
        assert!(markdown(&Export::of(run)).contains(&format!("| native | {what} |")));
        assert!(kcidb(run).contains(&format!("\"ranks\":[\"{what}\"]")));
    }
    assert_eq!(test(&runs[2]).came, Came::Passed);
    assert!(ktap(&Export::of(&runs[2])).contains("# undocumented: do-not-fragment: "));
}
