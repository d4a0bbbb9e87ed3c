//! Runs of every schema that there was, and what is made of them for other programs.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use harness::case::Hex;
use harness::trace::{Direction, Event};
use harness::verdict::{Unexpected, Verdict};
use reports::export::{Came, Export, junit, kcidb, ktap, markdown};
use reports::runs::{self, Diff, Run, Side};

/// A run of schema 1: every verdict, every end, two subjects, and characters that no format takes.
/// It was made by hand from lines of real runs: no kernel has done all of that.
fn golden() -> Run {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/runs/1");
    runs::read(&folder).expect("runs of schema 1 can be read")
}

fn golden_diff() -> Export {
    let run = golden();
    let side = |subject| Side::of("golden", &run, Some(subject)).expect("it is there");
    Export::of_diff(&Diff { sides: [side("linux-6.2"), side("native")] })
}

#[test]
fn a_run_of_schema_1_is_what_it_was() {
    let run = golden();
    assert_eq!((run.manifest.subjects.len(), run.lines.len(), run.cut), (2, 16, false));
    let verdicts: std::collections::BTreeSet<_> = run.lines.iter().map(|l| l.verdict).collect();
    // What is unexpected came later.
    assert_eq!(verdicts.len(), Verdict::ALL.len() - 1);
    assert!(!verdicts.contains(&Verdict::Unexpected));
    // What was not known then is left out, and nothing else is lost.
    for line in &run.lines {
        let text = serde_json::to_string(line).expect("JSON");
        assert_eq!(&serde_json::from_str::<runs::Line>(&text).expect("the same"), line);
    }
}

/// Which frames of the kernel's own come behind the last call is chance.
#[test]
fn who_lacks_a_name_is_skipped_whatever_comes_behind() {
    let mut run = golden();
    run.lines.retain(|line| line.id == "link-state/ends[unsupported]");
    let came = |run: &Run| Export::of(run).parts[0].tables[0].tests[0].came.clone();
    let skipped = Came::NotHere("this system has not got SO_NONE".to_owned());
    assert_eq!(came(&run), skipped);
    let (link, bytes) = ("link0".to_owned(), Hex(vec![0x60]));
    let frame = Event::Frame { op: 2, at_ns: 9000, link, dir: Direction::Out, bytes };
    run.lines[0].trace.events.push(frame);
    assert_eq!(came(&run), skipped);
    // What has ended before that name was not kept from its calls.
    run.lines[0].trace.events.retain(|event| event.op() < 2);
    assert_eq!(came(&run), Came::Passed);
}

/// A case that is not as its text asks is a failure of its own, with the place, in every format; and what
/// the text has in it is shown and not obeyed.
#[test]
fn what_is_unexpected_is_told_with_its_place() {
    let mut run = golden();
    let line = run.lines.iter_mut().find(|line| line.verdict == Verdict::Ok).expect("one is ok");
    line.verdict = Verdict::Unexpected;
    let file = "cases/<udp>.case".to_owned();
    let (wanted, came) =
        ("= -1 EPIPE | `x`".to_owned(), "> link0 UDP\n> link1 \u{1b}[2J".to_owned());
    line.unexpected = vec![Unexpected { file, line: 5, op: 1, wanted, came }];
    assert!(line.is_unexpected());
    let said = line.unexpected[0].to_string();
    assert!(said.starts_with("cases/<udp>.case:5 asks `= -1 EPIPE"), "{said}");
    let id = line.id.clone();
    run.lines.retain(|line| line.id == id);
    let export = Export::of(&run);
    let all = export.parts.iter().flat_map(|part| &part.tables).flat_map(|table| &table.tests);
    let test = all.into_iter().find(|test| test.place.is_some()).expect("it has a place");
    let Came::Failed { what: "unexpected", lines, .. } = &test.came else { panic!("{test:?}") };
    assert_eq!(lines.len(), 3, "{lines:?}");
    let xml = junit(&export).expect("XML");
    assert!(xml.contains("file=\"cases/&lt;udp&gt;.case\" line=\"5\""), "{xml}");
    assert!(xml.contains("type=\"unexpected\""), "{xml}");
    let tap = ktap(&export);
    assert!(
        tap.contains("#   cases/<udp>.case:5: asked = -1 EPIPE") && tap.contains("not ok"),
        "{tap}"
    );
    let md = markdown(&export);
    assert!(md.contains("| unexpected | <code>cases/&lt;udp"), "{md}");
    for text in [xml, tap, md, kcidb(&run)] {
        assert!(!text.contains('\u{1b}') && text.contains("EPIPE"), "{text}");
    }
}

#[test]
fn every_format_says_what_it_did() {
    let run = Export::of(&golden());
    insta::assert_snapshot!("run.xml", junit(&run).expect("XML"));
    insta::assert_snapshot!("run.ktap", ktap(&run));
    insta::assert_snapshot!("run.md", markdown(&run));
    let diff = golden_diff();
    insta::assert_snapshot!("diff.xml", junit(&diff).expect("XML"));
    insta::assert_snapshot!("diff.ktap", ktap(&diff));
    insta::assert_snapshot!("diff.md", markdown(&diff));
}

/// What a program says of a text on its standard input; none where it is not installed.
fn judged(program: &str, args: &[&str], text: &str) -> Option<(bool, String)> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        eprintln!("skipped: {program} is not installed");
        return None;
    };
    let mut input = child.stdin.take().expect("piped");
    // One that has seen enough reads no more.
    let _ = input.write_all(text.as_bytes());
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn xmllint_takes_the_junit() {
    let args = ["--noout", "-"];
    for export in [Export::of(&golden()), golden_diff()] {
        let text = junit(&export).expect("XML");
        let Some((good, said)) = judged("xmllint", &args, &text) else { return };
        assert!(good && said.is_empty(), "{said}");
        // It would find the characters that were planted.
        let planted = text.replace("\\u{7}", "\u{7}");
        let (good, _) = judged("xmllint", &args, &planted).expect("it is there");
        assert!(!good || planted == text);
    }
}

/// The levels of a KTAP file as files of their own, each with the name of its subtest.
fn levels(text: &str) -> Vec<(String, String)> {
    let (mut open, mut done): (Vec<(String, String)>, Vec<_>) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let depth = line.chars().take_while(|c| *c == ' ').count() / 2;
        let said = line.trim_start();
        while open.len() > depth + 1 {
            done.extend(open.pop());
        }
        if said == "KTAP version 1" {
            assert_eq!(open.len(), depth, "a level that nothing leads to: {line}");
            open.push((String::new(), String::new()));
            continue;
        }
        let (name, level) = open.last_mut().expect("the first line is the version");
        if let Some(subtest) = said.strip_prefix("# Subtest: ") {
            subtest.clone_into(name);
        }
        level.push_str(said);
        level.push('\n');
    }
    done.extend(open.into_iter().rev());
    done
}

/// What is wrong with a level, as the kernel's parser would have it: its plan, its numbers, a
/// description with a `#`, a result that has the subtest's own name.
fn faults(name: &str, level: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let results: Vec<&str> =
        level.lines().filter(|line| !line.starts_with('#') && !line.starts_with("1..")).collect();
    if !level.lines().any(|line| line == format!("1..{}", results.len())) || results.is_empty() {
        faults.push(format!("{name}: not the plan of {} results", results.len()));
    }
    for (number, line) in (1..).zip(&results) {
        let result = line.strip_prefix("not ").unwrap_or(line);
        let Some(said) = result.strip_prefix(&format!("ok {number} ")) else {
            faults.push(format!("not the result of number {number}: {line}"));
            continue;
        };
        let (said, directive) = said.split_once(" # ").unwrap_or((said, "SKIP"));
        let word = directive.split(' ').next().unwrap_or_default();
        let known = ["SKIP", "XFAIL", "ERROR"].contains(&word);
        if said.contains('#') || said == name || said.is_empty() || !known {
            faults.push(format!("no description: {line}"));
        }
    }
    faults
}

#[test]
fn a_tap_parser_takes_the_ktap() {
    let program = "local $/; my $p = TAP::Parser->new({ tap => <STDIN> }); $p->run; \
                   print for $p->parse_errors; exit($p->parse_errors ? 1 : 0)";
    for export in [Export::of(&golden()), golden_diff()] {
        let levels = levels(&ktap(&export));
        assert!(levels.len() > 3);
        for (name, level) in levels {
            assert_eq!(faults(&name, &level), [""; 0]);
            let args = ["-MTAP::Parser", "-e", program];
            let Some((good, said)) = judged("perl", &args, &level) else { continue };
            assert!(good, "{name}: {said}\n{level}");
        }
    }
}

#[test]
fn a_fault_in_the_ktap_would_be_found() {
    let sound = "# Subtest: a\n1..2\nok 1 b\n# why\nnot ok 2 c # ERROR d\n";
    assert_eq!(faults("a", sound), [""; 0]);
    for (from, to) in [("1..2", "1..3"), ("ok 1", "ok 2"), ("ok 1 b", "ok 1 a"), ("b\n", "b#\n")] {
        assert!(!faults("a", &sound.replacen(from, to, 1)).is_empty(), "{from} {to}");
    }
}

/// `tools/testing/kunit/kunit.py` of a kernel's sources, named by `$KUNIT`, reads them too.
#[test]
fn the_kernels_own_parser_takes_the_ktap() {
    let Some(kunit) = std::env::var_os("KUNIT") else {
        eprintln!("skipped: $KUNIT names no tools/testing/kunit/kunit.py");
        return;
    };
    let kunit = kunit.to_str().expect("UTF-8");
    let text = ktap(&Export::of(&golden()));
    let (_, said) = judged("python3", &[kunit, "parse"], &text).expect("python3 is installed");
    assert!(said.contains("Ran 16 tests: passed: 8, failed: 5, skipped: 3"), "{said}");
    assert!(!said.contains("[ERROR]"), "{said}");
}

/// The published schema takes a run: that of the package `kcidb-io`, in a Python named by `$KCIDB`.
#[test]
fn the_published_schema_takes_the_kcidb_json() {
    let Some(python) = std::env::var_os("KCIDB") else {
        eprintln!("skipped: $KCIDB names no Python that has kcidb-io");
        return;
    };
    let python = python.to_str().expect("UTF-8");
    let program =
        "import json, sys, kcidb_io; kcidb_io.schema.LATEST.validate(json.load(sys.stdin))";
    let sound = kcidb(&golden());
    let (done, said) = judged(python, &["-c", program], &sound).expect("it starts");
    assert!(done, "{said}");
    for (from, to) in [("\"PASS\"", "\"FINE\""), ("sockeye.link-state.", "sockeye/link-state/")] {
        let wrong = sound.replacen(from, to, 1);
        assert_ne!(wrong, sound, "{from} is in it");
        assert!(!judged(python, &["-c", program], &wrong).expect("it starts").0, "{to} is wrong");
    }
}

#[test]
fn a_run_is_tests_of_builds_for_kcidb() {
    let json: serde_json::Value = serde_json::from_str(&kcidb(&golden())).expect("JSON");
    let count = |what: &str| json[what].as_array().map_or(0, Vec::len);
    assert_eq!([count("checkouts"), count("builds"), count("tests")], [2, 2, 16]);
    assert_eq!(json["checkouts"][0]["git_commit_name"], "v6.18");
    let mut ids: Vec<&str> =
        json["tests"].as_array().expect("tests").iter().filter_map(|t| t["id"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 16);
    let of = |status: &str| {
        json["tests"].as_array().expect("tests").iter().filter(|t| t["status"] == status).count()
    };
    assert_eq!(["PASS", "FAIL", "ERROR", "SKIP"].map(of), [8, 4, 1, 3]);
}
