//! Results are not lost: two runs into one folder, a folder that has somebody's own files in it, a link
//! in its place, a disk that is full, a program that is killed.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reports::runs;

use crate::common::{SOCKEYE, has_labs, has_run, is_linux, sockeye, stderr, stdout, text};

/// A few cases that wait for a second or so, so that two runs of them are under way at once.
const SLOW: &str = "names/dns-flawed";
const QUICK: &str = "options/default[udp4,SO_TYPE]";

fn program() -> Command {
    Command::new(SOCKEYE)
}

fn begin(args: &[&str], folder: &Path) -> Child {
    let mut command = program();
    command.args(args).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("sockeye starts")
}

/// Stops a program, so that it is not done before something else is, or lets it go on.
fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process"));
    kill(pid, signal).expect("signalled");
}

/// Waits until something is there.
fn until(what: &str, is: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_mins(2);
    while !is() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn status(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}{}", stdout(output), stderr(output));
}

/// Eight of eight times neither was there afterwards, and both had said that all was well.
#[test]
fn of_two_runs_into_one_folder_one_is_refused_and_one_is_whole() {
    if !has_labs() || !is_linux() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let first = begin(&["run", SLOW, "--out", text(&out)], folder.path());
    let part = folder.path().join("out.part");
    until("it writes", || part.join(runs::MANIFEST).exists());
    signal(&first, Signal::SIGSTOP);
    let second = sockeye(&["run", QUICK, "--out", text(&out)]);
    signal(&first, Signal::SIGCONT);
    status(&second, 2);
    let who = format!("is being written by another sockeye, process {}", first.id());
    assert!(stderr(&second).contains(&who), "{}", stderr(&second));
    assert_eq!(stderr(&second).lines().count(), 1, "{}", stderr(&second));
    let first = first.wait_with_output().expect("it ends");
    assert!(has_run(&first), "{}", stderr(&first));
    let run = runs::read(&out).expect("a whole run");
    assert!(run.lines.len() > 10 && run.manifest.subjects[0].ended.is_some());
    assert_eq!(names(folder.path()), BTreeSet::from(["out".to_owned()]), "nothing is left beside");
}

/// Who has named no folder wants both.
#[test]
fn two_runs_at_once_without_a_folder_have_one_each() {
    if !has_labs() || !is_linux() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let first = begin(&["run", SLOW], folder.path());
    let at = folder.path().join("sockeye-out");
    until("it writes", || at.join("run.part").join(runs::MANIFEST).exists());
    signal(&first, Signal::SIGSTOP);
    let second = begin(&["run", QUICK], folder.path()).wait_with_output().expect("it ends");
    signal(&first, Signal::SIGCONT);
    status(&second, 0);
    assert!(stdout(&second).contains("sockeye-out/run-2"), "{}", stdout(&second));
    let first = first.wait_with_output().expect("it ends");
    assert!(has_run(&first), "{}", stderr(&first));
    for name in ["run", "run-2"] {
        runs::read(&at.join(name)).expect("a whole run");
    }
    assert_eq!(names(&at), BTreeSet::from(["run".to_owned(), "run-2".to_owned()]));
}

/// Three commands, two of which fold to one name.
#[test]
fn each_subject_has_a_folder() {
    if !has_labs() || !is_linux() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let exec = format!("{SOCKEYE} exec");
    let out = folder.path().join("out");
    let words = [format!("cmd:{exec}"), format!("cmd:({exec})"), format!("cmd: {exec};")];

    let on = words.iter().flat_map(|word| ["--on", word]);
    let args: Vec<&str> = ["run", QUICK, "--out", text(&out)].into_iter().chain(on).collect();
    let output = sockeye(&args);
    status(&output, 0);
    let folders: Vec<String> = names(&out).into_iter().collect();
    assert_eq!(folders.len(), words.len(), "{folders:?}");
    for name in &folders {
        assert_eq!(runs::read(&out.join(name)).expect("a run").lines.len(), 1, "{name}");
    }
    let said = stdout(&output);
    assert!(folders.iter().all(|name| said.contains(&format!("/{name}\n"))), "{said}");
}

/// A run of one case took the place of a whole one.
#[test]
fn a_bisection_and_a_comparison_leave_other_runs_alone() {
    if !has_labs() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().join("sockeye-out");
    let run = |args: &[&str]| begin(args, folder.path()).wait_with_output().expect("it ends");
    status(&run(&["run", "options/default[udp4,*", "--on", "native"]), 0);
    let before = fs::read(at.join("on/native").join(runs::RESULTS)).expect("a run");
    status(&run(&["bisect", QUICK, "--on", "native"]), 0);
    let same = fs::read(at.join("on/native").join(runs::RESULTS)).expect("a run");
    assert!(before == same && at.join("bisect/native").join(runs::RESULTS).exists());
}

/// Whatever is in a run's folder and was not written by sockeye stays, wherever it lies.
#[test]
fn what_is_the_users_own_stays() {
    if !has_labs() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let run = |case: &str| sockeye(&["run", case, "--out", text(&out)]);
    status(&run("link-state/netdown"), 0);
    for own in ["notes.txt", "wire/mine.pcapng", "wire/link-state/mine.pcapng", "more/x"] {
        let path = out.join(own);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, "mine").expect("written");
        let refused = run(QUICK);
        status(&refused, 2);
        let said = stderr(&refused);
        // A folder that is no run's is named as a whole.
        let named = if own == "more/x" { "more" } else { own.rsplit('/').next().expect("a name") };
        assert!(said.contains("has more in it than a run") && said.contains(named), "{said}");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "mine");
        fs::remove_file(&path).expect("removed");
        let _ = fs::remove_dir(out.join("more"));
    }
    status(&run(QUICK), 0);
}

#[test]
fn what_comes_meanwhile_stays_too() {
    if !has_labs() || !is_linux() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    status(&sockeye(&["run", QUICK, "--out", text(&out)]), 0);
    let second = begin(&["run", SLOW, "--out", text(&out)], folder.path());
    let part = folder.path().join("out.part");
    until("it writes", || part.join(runs::MANIFEST).exists());
    fs::write(out.join("notes.txt"), "mine").expect("written");
    let second = second.wait_with_output().expect("it ends");
    status(&second, 3);
    assert!(stderr(&second).contains("; the run is in "), "{}", stderr(&second));
    assert_eq!(fs::read_to_string(out.join("notes.txt")).expect("it is there"), "mine");
    assert_eq!(runs::read(&out).expect("the one before").lines.len(), 1);
    assert!(runs::read(&part).expect("the new one").lines.len() > 10);
}

/// A link was taken away, and a folder stood in its place; the results were to be elsewhere.
#[test]
fn a_link_to_a_folder_stays_one() {
    if !has_labs() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (out, disk) = (folder.path().join("out"), folder.path().join("disk/run"));
    fs::create_dir_all(&disk).expect("a folder");
    std::os::unix::fs::symlink(&disk, &out).expect("a link");
    for _ in 0..2 {
        status(&sockeye(&["run", QUICK, "--out", text(&out)]), 0);
        assert!(fs::symlink_metadata(&out).expect("there").is_symlink());
        runs::read(&disk).expect("the run is where the link leads");
    }
    let nowhere = folder.path().join("nowhere");
    std::os::unix::fs::symlink("gone", &nowhere).expect("a link");
    let refused = sockeye(&["run", QUICK, "--out", text(&nowhere)]);
    status(&refused, 2);
    assert!(stderr(&refused).contains("is a link that leads nowhere"), "{}", stderr(&refused));
}

/// The run before it is whole, and what was measured can be read; the next run does not mind.
#[test]
fn a_run_that_is_killed_loses_nothing() {
    if !has_labs() || !is_linux() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let quick = || sockeye(&["run", QUICK, "--out", text(&out)]);
    status(&quick(), 0);
    let mut killed = begin(&["run", SLOW, "--out", text(&out)], folder.path());
    let part = folder.path().join("out.part");
    let some = || fs::metadata(part.join(runs::RESULTS)).is_ok_and(|file| file.len() > 0);
    until("a result", some);
    killed.kill().expect("killed");
    killed.wait().expect("it ends");
    assert_eq!(runs::read(&out).expect("the one before").lines.len(), 1);
    let run = runs::read(&part).expect("what was measured");
    assert!(!run.lines.is_empty() && run.manifest.subjects[0].ended.is_none());
    status(&quick(), 0);
    assert_eq!(names(folder.path()), BTreeSet::from(["out".to_owned()]));
}

/// Killed between the two names that a run is given at its end: each is put where it belongs.
#[test]
fn a_run_that_was_killed_on_its_way_is_found_again() {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/tests/runs/1");
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let merge = || sockeye(&["merge", golden, "-o", text(&at("out"))]);
    status(&merge(), 0);
    // The new one was whole, and the one before it set aside.
    fs::rename(at("out"), at("out.part")).expect("moved");
    status(&merge(), 0);
    // The new one was not.
    fs::write(at("out/.sockeye-aside"), "").expect("written");
    fs::rename(at("out"), at("out.old")).expect("moved");
    let refused = sockeye(&["merge", "/nonexistent", "-o", text(&at("out"))]);
    status(&refused, 2);
    runs::read(&at("out.old")).expect("it is still there");
    status(&merge(), 0);
    runs::read(&at("out")).expect("a run");
    assert_eq!(names(folder.path()), BTreeSet::from(["out".to_owned()]));
}

/// A run that the user has called so was taken for one that sockeye had set aside, and removed.
#[test]
fn a_run_that_the_user_has_set_aside_stays() {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/tests/runs/1");
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let merge = || sockeye(&["merge", golden, "-o", text(&at("out"))]);
    status(&merge(), 0);
    fs::rename(at("out"), at("out.old")).expect("moved");
    for _ in 0..2 {
        status(&merge(), 0);
        runs::read(&at("out")).expect("a run");
        runs::read(&at("out.old")).expect("the user's own");
    }
}

/// A folder that cannot be written any more in the middle of a run.
#[test]
fn what_was_measured_stays_where_the_rest_cannot_be_written() {
    if !has_labs() || !is_linux() || nix::unistd::geteuid().is_root() {
        return eprintln!("skipped: root may write anywhere");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let run = begin(&["run", SLOW, "--out", text(&out)], folder.path());
    let part = folder.path().join("out.part");
    until("it writes", || part.join(runs::MANIFEST).exists());
    fs::set_permissions(&part, fs::Permissions::from_mode(0o555)).expect("set");
    let run = run.wait_with_output().expect("it ends");
    status(&run, 3);
    assert!(stderr(&run).contains("what was measured is in "), "{}", stderr(&run));
    assert!(runs::read(&part).expect("what was measured").lines.len() > 10);
    fs::set_permissions(&part, fs::Permissions::from_mode(0o755)).expect("set");
}
