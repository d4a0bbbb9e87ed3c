//! Runs on the command line: merged, compared, exported; and what is wrong with them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use rstest::rstest;

use crate::common::{SOCKEYE, has_labs, sockeye, stderr, stdout, turn};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/tests/runs/1");

/// A copy of the golden run, with something of its results replaced.
fn copy(to: &Path, from: &str, by: &str) -> String {
    fs::create_dir_all(to).expect("a folder");
    for file in ["run.json", "results.jsonl"] {
        let text = fs::read_to_string(Path::new(GOLDEN).join(file)).expect("it is there");
        fs::write(to.join(file), text.replacen(from, by, 1)).expect("written");
    }
    to.to_str().expect("UTF-8").to_owned()
}

#[rstest]
#[case(&["report", "src", "--format", "ktap"], "src is not a run: it has no run.json")]
#[case(&["report", "/nonexistent", "--format", "ktap"], "/nonexistent is not a run: it is not there")]
#[case(&["report", "Cargo.toml", "--format", "ktap"], "this is a file")]
#[case(&["report", GOLDEN, "--format", "html"], "invalid value 'html'")]
#[case(&["merge", GOLDEN, "src", "-o", "/nonexistent/x"], "src is not a run")]
#[case(&["merge", GOLDEN, "-o", "src"], "src is there and is not a run")]
#[case(&["merge", GOLDEN, "-o", "."], "give another folder")]
#[case(&["diff", GOLDEN, GOLDEN], "has several subjects, native, linux-6.2: say which")]
#[case(&["diff", GOLDEN, "--subjects", "native"], "\"native\" is not two subjects")]
#[case(&["diff", GOLDEN, "--subjects", "native,x"], "has no subject \"x\"")]
#[case(&["diff", GOLDEN, GOLDEN, "--subjects", "native,x"], "two subjects of one run, not of 2")]
#[case(&["diff", GOLDEN], "two runs are compared, not 1")]
fn what_is_wrong_is_said_in_a_sentence(#[case] args: &[&str], #[case] says: &str) {
    let output = sockeye(args);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains(says), "{}", stderr(&output));
    assert!(stdout(&output).is_empty(), "{}", stdout(&output));
}

#[test]
fn a_case_that_the_run_lacks_is_said() {
    let case = "link-state/udp-sendto[tap,up,own]";
    let output = sockeye(&["show", case, "--platforms", "--run", GOLDEN]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).ends_with(&format!("{GOLDEN} has no case {case}\n")));
}

#[test]
fn a_run_that_was_cut_off_is_read_and_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = copy(folder.path(), "", "");
    let results = folder.path().join("results.jsonl");
    let text = fs::read_to_string(&results).expect("it is there");
    fs::write(&results, &text[..text.len() - 9]).expect("written");
    let output = sockeye(&["report", &run, "--format", "json"]);
    assert!(output.status.success());
    assert_eq!(stdout(&output).lines().count(), 15);
    assert!(stderr(&output).contains("its last line is cut short and left out"));
}

#[test]
fn the_same_merge_twice_is_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = copy(&folder.path().join("other"), "6.2.0", "6.3.0");
    let merged = |name: &str, runs: [&str; 2]| {
        let out = folder.path().join(name);
        let output = sockeye(&["merge", runs[0], runs[1], "-o", out.to_str().expect("UTF-8")]);
        (out, output)
    };
    // Two kernels of one name, both given by a user: nothing is guessed, nothing is written.
    let (out, refused) = merged("refused", [GOLDEN, &other]);
    assert_eq!(refused.status.code(), Some(2));
    for part in ["not of one kernel: Linux 6.", "Linux 6.2.0 ", "Linux 6.3.0 "] {
        assert!(stderr(&refused).contains(part), "{part}: {}", stderr(&refused));
    }
    assert!(!out.exists());
    let same = copy(&folder.path().join("same"), "", "");
    let (first, done) = merged("first", [GOLDEN, &same]);
    assert_eq!(
        stdout(&done),
        "linux-6.2: 3 cases on Linux 6.2.0\nnative: 13 cases on Linux 6.18.0\n"
    );
    let (second, _) = merged("second", [&same, GOLDEN]);
    for file in ["run.json", "results.jsonl"] {
        let [a, b] = [&first, &second].map(|run| fs::read(run.join(file)).expect("it is there"));
        assert!(a == b, "{file}");
    }
}

/// The page of changes: rows that changed at the same places are told once, with the line.
#[test]
fn what_changed_between_kernels_is_a_page() {
    let page = sockeye(&["changes", GOLDEN]);
    assert_eq!(page.status.code(), Some(0), "{}", stderr(&page));
    let text = stdout(&page);
    for part in ["| linux-6.2 | native |", "| A | B |", "\n- A: `", "\n- B: `"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let one = copy(folder.path(), "", "");
    let text = fs::read_to_string(Path::new(&one).join("run.json")).expect("it is there");
    let mut manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    manifest["subjects"].as_array_mut().expect("subjects").truncate(1);
    fs::write(Path::new(&one).join("run.json"), manifest.to_string()).expect("written");
    let lines = fs::read_to_string(Path::new(&one).join("results.jsonl")).expect("it is there");
    let native: Vec<&str> = lines.lines().take(13).collect();
    let native = format!("{}\n", native.join("\n"));
    fs::write(Path::new(&one).join("results.jsonl"), native).expect("written");
    let alone = sockeye(&["changes", &one]);
    assert_eq!(alone.status.code(), Some(2), "{}", stdout(&alone));
    assert!(stderr(&alone).contains("one kernel has no changes"), "{}", stderr(&alone));
}

/// What a run replaces is gone with all that is in it, so that it may be nothing but a run.
#[test]
fn only_a_run_is_replaced_and_only_where_nothing_else_is_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let merge = || sockeye(&["merge", GOLDEN, "-o", out.to_str().expect("UTF-8")]);
    assert_eq!(merge().status.code(), Some(0));
    assert_eq!(merge().status.code(), Some(0), "a run is replaced");
    let kept = |name: &str, text: &str, says: &str| {
        fs::write(out.join(name), text).expect("written");
        let refused = merge();
        assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
        assert!(stderr(&refused).contains(says), "{}", stderr(&refused));
        assert_eq!(fs::read_to_string(out.join(name)).expect("it is there"), text);
    };
    kept("notes.txt", "mine", "out is there and has more in it than a run");
    fs::remove_dir_all(&out).expect("removed");
    fs::create_dir(&out).expect("made");
    // Another program's manifest has this name too.
    kept("run.json", "{\"scripts\": {}}", "out is there and is not a run");
    kept("results.jsonl", "{}\n", "out is there and is not a run");
}

#[test]
fn runs_of_one_subject_that_disagree_are_not_merged() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = copy(&folder.path().join("other"), "= -1 ENETUNREACH", "= -1 EPERM");
    let out = folder.path().join("out");
    let output = sockeye(&["merge", GOLDEN, &other, "-o", out.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("disagree on link-state/netdown"), "{}", stderr(&output));
    let names: Vec<_> = fs::read_dir(folder.path()).expect("the folder").flatten().collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn subjects_of_a_run_are_compared() {
    let args = ["diff", GOLDEN, "--subjects", "linux-6.2,native"];
    let output = sockeye(&args);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    assert!(text.contains("- sendto(s") && text.contains("ENETDOWN"), "{text}");
    assert!(text.contains("1 of 3 outcomes differ; 0 cases only in "), "{text}");
    let json = stdout(&sockeye(&[&args[..], &["--format", "json"]].concat()));
    let lines: Vec<serde_json::Value> =
        json.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((lines.len(), &lines[0]["id"]), (11, &"link-state/netdown".into()));
    assert!(lines[1]["old"].is_null() && lines[1]["new"].is_string());
    let ktap = stdout(&sockeye(&[&args[..], &["--format", "ktap"]].concat()));
    assert!(ktap.contains("not ok 3 link-state/netdown"), "{ktap}");
}

#[test]
fn platforms_that_did_the_same_stand_together() {
    let args = ["show", "link-state/netdown", "--platforms", "--run", GOLDEN];
    let output = sockeye(&args);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains(&format!("\nbaseline of linux, native of {GOLDEN}\n")), "{text}");
    assert!(text.contains("\n  - sendto(s") && text.contains("\n  + sendto(s"), "{text}");
}

/// A file system of 80 KiB, as long as this lives.
struct Tiny(tempfile::TempDir);

impl Tiny {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=80k", "sockeye"])
            .arg(folder.path())
            .output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        eprintln!("skipped: a full disk is a small file system, which asks for root");
        None
    }
}

impl Drop for Tiny {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_is_a_sentence_and_leaves_what_was_there() {
    let Some(disk) = Tiny::new() else { return };
    let before = copy(&disk.0.path().join("run"), "", "");
    let say = |output: &Output| {
        assert_eq!(output.status.code(), Some(3), "{}", stderr(output));
        let said = stderr(output);
        assert!(said.contains("cannot be written") && said.contains("No space left"), "{said}");
    };
    let none_beside = || {
        let names: Vec<_> = fs::read_dir(disk.0.path()).expect("the folder").flatten().collect();
        assert_eq!(names.len(), 1, "{names:?}");
        reports::runs::read(Path::new(&before)).expect("what was there is whole");
    };
    let more = tempfile::tempdir().expect("a folder");
    // Another subject, so that the merged run has twice the lines.
    let merged = more.path().join("other");
    copy(&merged, "", "");
    for file in ["run.json", "results.jsonl"] {
        let text = fs::read_to_string(merged.join(file)).expect("it is there");
        let text = text.replace("\"native\"", "\"again\"").replace("\"linux-6.2\"", "\"more\"");
        fs::write(merged.join(file), text).expect("written");
    }
    let merged = merged.to_str().expect("UTF-8");
    say(&sockeye(&["merge", &before, merged, "-o", &before]));
    none_beside();
    let report = disk.0.path().join("report");
    let large = more.path().join("large");
    fs::create_dir(&large).expect("a folder");
    fs::copy(Path::new(GOLDEN).join("run.json"), large.join("run.json")).expect("copied");
    let text = fs::read_to_string(Path::new(GOLDEN).join("results.jsonl")).expect("it is there");
    let line = text.lines().next().expect("a line");
    let lines: String = (0..200)
        .map(|n| line.replace("\"link-state/netdown\"", &format!("\"link-state/netdown[{n}]\"")))
        .map(|line| line + "\n")
        .collect();
    fs::write(large.join("results.jsonl"), lines).expect("written");
    let args = ["report", large.to_str().expect("UTF-8"), "--format", "json", "-o"];
    say(&sockeye(&[&args[..], &[report.to_str().expect("UTF-8")]].concat()));
    none_beside();
    if has_labs() {
        let output = sockeye(&["run", "link-state/udp-sendto", "--out", &before]);
        say(&output);
        // What was measured stays beside it, where anything was.
        reports::runs::read(Path::new(&before)).expect("what was there is whole");
        let part = disk.0.path().join("run.part");
        if part.exists() {
            assert!(stderr(&output).contains("what was measured is in "), "{}", stderr(&output));
            let run = reports::runs::read(&part).expect("it can be read");
            assert!(run.cut && !run.lines.is_empty(), "{}", run.lines.len());
        }
    }
}

/// A user's own file stays as it is, whatever a command was to write there; what the command made before is
/// replaced, and so is a file without anything in it.
#[rstest]
#[case(&["matrix", GOLDEN], "no page of sockeye's")]
#[case(&["report", GOLDEN, "--html"], "no page of sockeye's")]
#[case(&["changes", GOLDEN], "no page of changes of sockeye's")]
#[case(&["report", GOLDEN], "no report of sockeye's")]
#[case(&["report", GOLDEN, "--format", "json"], "no report of sockeye's")]
#[case(&["report", GOLDEN, "--format", "junit"], "no report of sockeye's")]
#[case(&["report", GOLDEN, "--format", "ktap"], "no report of sockeye's")]
#[case(&["report", GOLDEN, "--format", "kcidb"], "no report of sockeye's")]
fn a_file_of_the_users_stays(#[case] args: &[&str], #[case] says: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    let write = || sockeye(&[args, &["-o", file.to_str().expect("UTF-8")]].concat());
    for mine in
        ["mine", "# What changed at home\n", "<!DOCTYPE html>\n<html lang=\"en\">sockeye</html>"]
    {
        fs::write(&file, mine).expect("written");
        let output = write();
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
        assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
        assert_eq!(fs::read_to_string(&file).expect("it is there"), mine);
        let left = fs::read_dir(folder.path()).expect("the folder").count();
        assert_eq!(left, 1, "something is left beside it");
    }
    fs::write(&file, "").expect("written");
    let mut made = Vec::new();
    for _ in 0..2 {
        let output = write();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        made.push(fs::read(&file).expect("it is there"));
    }
    assert!(made[0].len() > 100 && made[0] == made[1]);
}

/// Where `run` writes is where `report` reads.
#[test]
fn a_report_has_a_default() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = || {
        let _turn = turn();
        let mut report = Command::new(SOCKEYE);
        report.arg("report").current_dir(folder.path()).output().expect("sockeye starts")
    };
    let none = report();
    assert_eq!(none.status.code(), Some(2), "{}", stdout(&none));
    assert!(stderr(&none).contains("sockeye-out/run is not a run"), "{}", stderr(&none));
    copy(&folder.path().join("sockeye-out/run"), "", "");
    let there = report();
    assert_eq!(there.status.code(), Some(0), "{}", stderr(&there));
    assert_eq!(stdout(&there), stdout(&sockeye(&["report", GOLDEN])));
}

/// `run` takes the cases that `list` finds by what they do, and nothing else.
#[test]
fn what_is_run_is_what_is_found() {
    if !has_labs() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("run");
    let to = ["--json", "--out", out.to_str().expect("UTF-8")];
    let ids = |args: &[&str]| -> Vec<String> {
        stdout(&sockeye(&[&["list"], args].concat())).lines().map(str::to_owned).collect()
    };
    let all = ids(&["link-state"]);
    for asked in [
        &["link-state", "--errno", "ENETUNREACH", "--text", "limited"][..],
        &["link-state", "--text", "Address-Removed"],
        &["link-state", "--errno", "enetunreach"],
    ] {
        let listed = ids(asked);
        assert!((1..all.len()).contains(&listed.len()), "{asked:?}: {}", listed.len());
        let output = sockeye(&[&["run"], asked, &to].concat());
        assert!(output.status.code() <= Some(1), "{}", stderr(&output));
        let id = |line: &str| -> String {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            line["id"].as_str().expect("an id").to_owned()
        };
        let mut ran: Vec<String> = stdout(&output).lines().map(id).collect();
        let mut listed = listed;
        ran.sort_unstable();
        listed.sort_unstable();
        assert_eq!(ran, listed, "{asked:?}");
    }
    for (asked, says) in [
        (["--errno", "ENETUNREECH"], "nearest are ENETUNREACH"),
        (["--text", "no case says this"], "no case has \"no case says this\" in its words"),
    ] {
        let output = sockeye(&[&["run"], &asked[..], &to].concat());
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
    }
}
