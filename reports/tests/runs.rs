//! Runs that cannot be read, and runs made of others.

use std::fs;
use std::path::{Path, PathBuf};

use reports::runs::{self, Diff, MANIFEST, RESULTS, Run, Side};
use rstest::rstest;
use tempfile::TempDir;

/// What a case of a stranger's would have a reproducer do, which is compiled and run.
const CODE: &str = r#""domain":"AF_INET,0,0);system(\"touch F\");socket(AF_INET""#;

fn golden() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/runs/1")
}

/// A copy of the golden run with one of its files made another.
fn spoilt(file: &str, spoil: impl Fn(String) -> String) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in [MANIFEST, RESULTS] {
        let text = fs::read_to_string(golden().join(name)).expect("it is there");
        let text = if name == file { spoil(text) } else { text };
        fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

fn said(folder: &Path) -> String {
    let said = runs::read(folder).expect_err("it is spoilt").to_string();
    assert!(!said.contains('\n'), "{said}");
    said.replace(&folder.display().to_string(), "RUN")
}

#[test]
fn what_is_no_run_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(said(folder.path()), "RUN is not a run: it has no run.json");
    assert_eq!(said(&folder.path().join("x")), "RUN is not a run: it is not there");
    let file = golden().join(RESULTS);
    assert_eq!(said(&file), "RUN is not a run: a run is a folder, and this is a file");
}

#[test]
fn a_newer_run_is_not_misread() {
    let newer = spoilt(MANIFEST, |text| text.replace("\"schema\": 1", "\"schema\": 2"));
    assert_eq!(said(newer.path()), "RUN is a run of schema 2, and this program reads up to 1");
}

#[rstest]
#[case(|text: String| text.replacen("\"id\":", "\"name\":", 2), "RUN/results.jsonl, line 1: missing field `id`")]
#[case(|text: String| text.replace("\"died\"", "\"dead\""), "line 9: unknown variant `dead`, ")]
#[case(|text: String| format!("{text}{{}}\n"), "line 17: missing field `subject`")]
#[case(|text: String| text.replace("\"linux-6.2\",\"id\"", "\"x\",\"id\""), "line 14: run.json has no subject \"x\"")]
#[case(|text: String| text.repeat(2), "line 17: link-state/netdown of native for the second time")]
#[case(
    |text: String| text.replacen("\"domain\":\"AF_INET6\"", CODE, 1),
    "no name of the sockets API"
)]
fn a_damaged_line_has_a_number(#[case] spoil: fn(String) -> String, #[case] says: &str) {
    let said = said(spoilt(RESULTS, spoil).path());
    assert!(said.contains(says), "{said}");
}

#[test]
fn a_damaged_manifest_is_said() {
    let said = said(spoilt(MANIFEST, |text| text[..100].to_owned()).path());
    assert!(said.contains("RUN/run.json, line ") && said.contains("EOF while parsing"), "{said}");
}

#[test]
fn what_is_whole_of_a_run_that_was_cut_off_can_be_read() {
    let whole = runs::read(&golden()).expect("a run");
    for bytes in [1, 2, 700] {
        let cut = spoilt(RESULTS, |text| text[..text.len() - bytes].to_owned());
        let run = runs::read(cut.path()).expect("it can be read");
        // Without its newline alone the last line is whole.
        let lines = if bytes == 1 { 16 } else { 15 };
        assert_eq!(run.lines, whole.lines[..lines], "{bytes}");
        assert_eq!(run.cut, lines == 15);
    }
}

/// The golden run with a name, changed.
fn changed(name: &str, change: impl FnOnce(&mut Run)) -> (String, Run) {
    let mut run = runs::read(&golden()).expect("a run");
    change(&mut run);
    (name.to_owned(), run)
}

/// Only these lines of it, as a shard has them.
fn shard(name: &str, keep: impl Fn(usize) -> bool) -> (String, Run) {
    changed(name, |run| {
        let mut number = 0;
        run.lines.retain(|_| {
            number += 1;
            keep(number)
        });
        for subject in &mut run.manifest.subjects {
            subject.cases = run.lines.iter().filter(|l| l.subject == subject.name).count();
        }
    })
}

#[test]
fn parts_of_a_subject_become_one_in_any_order() {
    let parts =
        [shard("a", |n| n % 3 == 0), shard("b", |n| n % 3 == 1), shard("c", |n| n % 3 != 0)];
    let merged = runs::merge(&parts).expect("one run");
    let whole = runs::merge(&[changed("a", |_| ())]).expect("one run");
    assert_eq!(merged.lines, whole.lines);
    let [linux, native] = &merged.manifest.subjects[..] else { panic!("two subjects") };
    assert_eq!((&*linux.name, linux.cases), ("linux-6.2", 3));
    assert_eq!((&*native.name, native.cases, native.seed), ("native", 13, Some(7)));
    let ended = native.ended.as_ref().expect("all have ended");
    assert_eq!((ended.took_ms, ended.verdicts.values().sum::<usize>()), (36, 13));
    let [a, b, c] = parts;
    assert_eq!(runs::merge(&[c, a, b]).expect("one run"), merged);
}

#[test]
fn a_part_that_was_cut_off_leaves_the_whole_so() {
    let cut = changed("b", |run| run.manifest.subjects[0].ended = None);
    let merged = runs::merge(&[changed("a", |_| ()), cut]).expect("one run");
    let ended = |name: &str| {
        let subject = merged.manifest.subjects.iter().find(|s| s.name == name);
        subject.expect("it is there").ended.is_some()
    };
    assert!(!ended("native") && ended("linux-6.2"));
}

#[rstest]
#[case(|run: &mut Run| run.lines[0].outcome.push('x'),
    "a and b disagree on link-state/netdown: \"native\" did not do the same in both")]
#[case(|run: &mut Run| run.manifest.subjects[1].kernel.release.push('x'),
    "a and b both have a subject \"linux-6.2\", and not of one kernel: Linux 6.2.0 ")]
#[case(|run: &mut Run| run.manifest.subjects[0].revision = Some("f00".to_owned()),
    "a and b both have a part of \"native\", by different builds: sockeye 0.1.0; sockeye 0.1.0 (f00)")]
fn runs_that_contradict_each_other_are_not_merged(
    #[case] change: fn(&mut Run),
    #[case] says: &str,
) {
    let said = runs::merge(&[changed("a", |_| ()), changed("b", change)]).unwrap_err().to_string();
    assert!(said.starts_with(says), "{said}");
}

/// The golden run's `native` alone, on another kernel.
fn native(name: &str, release: &str) -> (String, Run) {
    changed(name, |run| {
        run.manifest.subjects.truncate(1);
        run.lines.retain(|line| line.subject == "native");
        let subject = &mut run.manifest.subjects[0];
        release.clone_into(&mut subject.kernel.release);
        subject.platforms = subject.kernel.platforms();
    })
}

#[rstest]
#[case(&["6.18.0", "6.2.0", "6.18.0"], &["linux-6.2", "linux-6.18"])]
#[case(&["6.18.1", "6.18.0"], &["linux-6.18.0", "linux-6.18.1"])]
#[case(&["6.18.0", "6.18.0"], &["native"])]
fn native_kernels_get_names(#[case] releases: &[&str], #[case] names: &[&str]) {
    let runs: Vec<_> = releases.iter().map(|release| native(release, release)).collect();
    let merged = runs::merge(&runs).expect("one run");
    let subjects: Vec<&str> = merged.manifest.subjects.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(subjects, names);
    assert!(merged.lines.iter().all(|line| names.contains(&line.subject.as_str())));
    assert_eq!(merged.lines.len(), 13 * names.len());
}

#[test]
fn sides_have_to_be_there() {
    let run = runs::read(&golden()).expect("a run");
    let said = |subject| Side::of("RUN", &run, subject).expect_err("no side").to_string();
    assert_eq!(said(None), "RUN has several subjects, native, linux-6.2: say which");
    assert_eq!(said(Some("x")), "RUN has no subject \"x\", it has native, linux-6.2");
}

#[test]
fn a_difference_has_both_outcomes_and_what_only_one_has() {
    let run = runs::read(&golden()).expect("a run");
    let side = |subject| Side::of("RUN", &run, Some(subject)).expect("it is there");
    let diff = Diff { sides: [side("native"), side("linux-6.2")] };
    let ids: Vec<&str> = diff.differing().map(|(was, _)| was.id.as_str()).collect();
    assert_eq!((ids, diff.shared().count()), (vec!["link-state/netdown"], 3));
    assert_eq!((diff.only(0).count(), diff.only(1).count()), (10, 0));
    assert!(!diff.is_empty());
    assert!(Diff { sides: [side("native"), side("native")] }.is_empty());
}
