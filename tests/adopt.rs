//! `sockeye adopt`, on the baselines that are here.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::common::{sockeye, stderr, stdout};

fn adopt(args: &[&str]) -> Output {
    sockeye(&[&["adopt"], args].concat())
}

const OURS: &str = "suites/baselines";
const TABLE: &str = "link-state/netdown.snap";

/// The snapshot of one table, said to be of another platform, and with another outcome.
fn recorded(folder: &Path, platform: &str, was: &str, is: &str) {
    let text = fs::read_to_string(Path::new(OURS).join("linux").join(TABLE)).expect("it is there");
    let text = text.replace("linux-6.18", platform).replace(was, is);
    let general = platform.split('-').next().expect("a name");
    let file = folder.join(general).join(TABLE);
    fs::create_dir_all(file.parent().expect("a folder")).expect("it can be made");
    fs::write(file, text).expect("it can be written");
}

#[test]
fn what_is_known_already_changes_nothing() {
    let into = tempfile::tempdir().expect("a folder");
    let folder = into.path().to_str().expect("UTF-8");
    let first = adopt(&[OURS, "--into", folder]);
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    // Byte for byte as insta has written them.
    for file in suites::baseline::Baselines::files(Path::new(OURS)) {
        let copy = into.path().join(file.strip_prefix(OURS).expect("below"));
        let [is, was] = [copy, file].map(|path| fs::read_to_string(path).expect("it is there"));
        assert_eq!(is, was);
    }
    let again = adopt(&[OURS, "--into", folder]);
    assert_eq!(stdout(&again), "");
}

#[test]
fn another_version_stands_beside_the_general_one() {
    let (into, from) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("one"));
    let [folder, source] = [&into, &from].map(|dir| dir.path().to_str().expect("UTF-8"));
    recorded(from.path(), "macos-15", "ENETUNREACH", "ENETDOWN");
    assert!(stdout(&adopt(&[source, "--into", folder])).contains("wrote macos link-state/netdown"));
    let general = fs::read_to_string(into.path().join("macos").join(TABLE)).expect("written");
    recorded(from.path(), "macos-26", "= -1 ENETUNREACH", "= 6");
    let said = stdout(&adopt(&[source, "--into", folder]));
    assert!(said.contains("wrote macos-26 link-state/netdown: 1 rows"), "{said}");
    let kept = fs::read_to_string(into.path().join("macos").join(TABLE)).expect("still there");
    assert_eq!(kept, general);
    let beside = fs::read_to_string(into.path().join("macos-26").join(TABLE)).expect("written");
    assert!(beside.contains("observed on macos-26") && beside.contains(") = 6"), "{beside}");
}

/// What the C library answers by itself is kept under its name, and a kernel that is another one's
/// build falls back to that.
#[test]
fn a_run_keeps_each_suite_under_the_platform_that_it_is_judged_by() {
    let (into, from) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("one"));
    let golden = Path::new("reports/tests/runs/1");
    let read = |name: &str| fs::read_to_string(golden.join(name)).expect("it is there");
    let manifest = read("run.json").replace(r#""libc": """#, r#""libc": "glibc 2.36""#);
    let uml = manifest.replacen("\"linux-6.18\",", "\"uml-6.18\",\n\"linux-6.18\",", 1);
    let line = read("results.jsonl").lines().next().expect("a line").to_owned();
    let names = line.replace("link-state/netdown", "names/numeric[v4,1]");
    fs::write(from.path().join("run.json"), uml).expect("written");
    fs::write(from.path().join("results.jsonl"), format!("{line}\n{names}\n")).expect("written");
    let [folder, run] = [&into, &from].map(|dir| dir.path().to_str().expect("UTF-8"));
    let said = stdout(&adopt(&[run, "--into", folder]));
    for kept in [
        "wrote glibc names/numeric: 1 rows of uml-6.18",
        "wrote linux link-state/netdown: 1 rows of uml-6.18",
    ] {
        assert!(said.contains(kept), "{said}");
    }
}

/// What nobody saw is no baseline: a run that sees it would be judged by it.
#[test]
fn what_was_not_captured_is_not_adopted() {
    let (into, from) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("one"));
    let [folder, source] = [&into, &from].map(|dir| dir.path().to_str().expect("UTF-8"));
    recorded(from.path(), "macos-15", ") = ", ") = 6\n+++ wire not captured +++\nwas ");
    assert_eq!(stdout(&adopt(&[source, "--into", folder])), "");
    let golden = Path::new("reports/tests/runs/1");
    let read = |name: &str| fs::read_to_string(golden.join(name)).expect("it is there");
    let mut line: serde_json::Value =
        serde_json::from_str(read("results.jsonl").lines().next().expect("a line")).expect("JSON");
    let mut kept = |outcome: &str| {
        line["outcome"] = outcome.into();
        let run = tempfile::tempdir().expect("a folder");
        fs::write(run.path().join("run.json"), read("run.json")).expect("written");
        fs::write(run.path().join("results.jsonl"), format!("{line}\n")).expect("written");
        stdout(&adopt(&[run.path().to_str().expect("UTF-8"), "--into", folder]))
    };
    assert_eq!(kept("close(s) = 0\n+++ wire not captured +++\n"), "");
    // What another host of the kernel has: that would be `changed` there.
    assert_eq!(kept("seteuid(7) = ? unsupported here: seteuid\n"), "");
    assert_eq!(kept("socket(AF_VSOCK, SOCK_STREAM, 0) = ? unsupported here: AF_VSOCK\n"), "");
    assert_ne!(kept("getsockopt(s, SOL_SOCKET, SO_INQ) = ? unsupported here: SO_INQ\n"), "");
}

#[test]
fn sources_that_disagree_are_refused() {
    let dirs = [(); 3].map(|()| tempfile::tempdir().expect("a folder"));
    let [into, one, other] = [0, 1, 2].map(|n: usize| dirs[n].path().to_str().expect("UTF-8"));
    recorded(dirs[1].path(), "macos-15", "ENETUNREACH", "ENETDOWN");
    recorded(dirs[2].path(), "macos-15", "= -1 ENETUNREACH", "= 6");
    let output = adopt(&[one, other, "--into", into]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("the sources disagree"), "{output:?}");
    assert!(!dirs[0].path().join("macos").exists());
}

#[test]
fn what_is_no_source_is_wrong_usage() {
    let empty = tempfile::tempdir().expect("a folder");
    let output = adopt(&[empty.path().to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

/// A pipe was waited for, of a source and of what is written to.
#[test]
fn a_pipe_among_snapshots_is_told() {
    let dirs = [(); 3].map(|()| tempfile::tempdir().expect("a folder"));
    let [into, piped, good] = [0, 1, 2].map(|n: usize| dirs[n].path().to_str().expect("UTF-8"));
    recorded(dirs[2].path(), "macos-15", "ENETUNREACH", "ENETDOWN");
    let pipe = dirs[1].path().join("macos").join(TABLE);
    fs::create_dir_all(pipe.parent().expect("a folder")).expect("made");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    for args in [[piped, "--into", into], [good, "--into", piped]] {
        let output = adopt(&args);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let error = stderr(&output);
        assert!(error.ends_with("netdown.snap is a pipe, and snapshots are files\n"), "{error}");
    }
    assert_eq!(adopt(&[good, "--into", into]).status.code(), Some(0));
}
