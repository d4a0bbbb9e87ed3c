//! `sockeye bundle` from end to end: what is in the zip does what the zip says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Cursor, Read as _};
use std::path::Path;
use std::process::{Command, Output};

use harness::case::{Case, Os};
use harness::environment::Private;
use reports::bundle::{Scrub, broken, wished};
use reports::repro::{Options, reproducer};
use rstest::rstest;
use suites::baseline::Baselines;
use suites::rules::RULES;

use crate::common::{SOCKEYE, has_cc, has_labs, has_run, is_linux, sockeye, text};

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8(text).expect("UTF-8")
}

/// Whether this host can make labs and compile; where it cannot, the tests that need it say so.
fn is_able() -> bool {
    has_cc() && has_labs()
}

/// The files of a zip, unpacked into `folder` with their modes, by name.
fn unpack(zip: &Path, folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let bytes = fs::read(zip).expect("a zip");
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("a sound zip");
    archive.extract(folder).expect("it unpacks");
    let mut files = BTreeMap::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).expect("a file");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("its checksum is right");
        let name = file.name().expect("UTF-8").into_owned();
        files.insert(name, bytes);
    }
    files
}

fn first_line(files: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
    let text = String::from_utf8_lossy(&files[name]);
    text.lines().next().unwrap_or_default().to_owned()
}

/// `link-state/netdown`, one without a link, and of each suite the first case that needs one and does
/// not wait.
fn one_of_each() -> Vec<String> {
    let mut ids =
        ["link-state/netdown", "options/default[udp4,SO_TYPE]"].map(str::to_owned).to_vec();
    let mut suites = BTreeSet::new();
    for case in suites::tables().into_iter().flat_map(|table| table.cases) {
        let new = !case.lab.links.is_empty() && !case.is_idle() && !ids.contains(&case.id);
        if new && suites.insert(case.suite().to_owned()) {
            ids.push(case.id);
        }
    }
    ids
}

/// The program is tried by itself, in a folder of its own, with nothing but the system's tools.
///
/// On a Mac the lab is made by hand (docs/macos.md).
#[test]
fn one_of_each_suite_reproduces_out_of_its_zip() {
    if !is_able() || !is_linux() {
        return;
    }
    for id in one_of_each() {
        let folder = tempfile::tempdir().expect("a folder");
        let zip = folder.path().join("bug.zip");
        let output = sockeye(&["bundle", &id, "--times", "2", "-o", text(&zip)]);
        assert_eq!(output.status.code(), Some(0), "{id}: {}", said(&output));
        // What this system has not got is not tried.
        let lacks = id.starts_with("darwin/") && Os::host() != Some(Os::Macos);
        let (became, status, says) = if lacks {
            ("the reproducer was not tried: this system has no ", 2, "== not tried here")
        } else {
            ("the reproducer reproduces it", 0, "== reproduced")
        };
        assert!(said(&output).contains(became), "{id}: {}", said(&output));
        let files = unpack(&zip, folder.path());
        assert!(first_line(&files, "README.md").starts_with("# "), "{id}");
        let ran = Command::new("sh")
            .arg("run.sh")
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .output()
            .expect("sh starts");
        assert_eq!(ran.status.code(), Some(status), "{id}: {}", said(&ran));
        assert!(said(&ran).contains(says), "{id}: {}", said(&ran));
    }
}

/// A run of netdown and its like in a folder.
fn run_of(folder: &Path, pattern: &str) {
    let output = sockeye(&["run", pattern, "--out", text(folder)]);
    assert!(has_run(&output), "{}", said(&output));
}

fn change(folder: &Path, name: &str, from: &str, to: &str) {
    let path = folder.join(name);
    let was = fs::read_to_string(&path).expect("a file of the run");
    assert!(was.contains(from), "{from} is not in {name}");
    fs::write(&path, was.replace(from, to)).expect("it is written");
}

#[test]
fn the_same_run_makes_the_same_bytes() {
    if !is_able() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    run_of(&run, "link-state/netdown");
    let make = |name: &str| {
        let zip = folder.path().join(name);
        let args = ["bundle", "link-state/netdown", "--run", text(&run), "-o", text(&zip)];
        let output = sockeye(&args);
        assert!(has_run(&output), "{}", said(&output));
        fs::read(zip).expect("a zip")
    };
    assert!(make("a.zip") == make("b.zip"), "two zips of one run differ");
    // Whoever had it before is told.
    let zip = folder.path().join("a.zip");
    let args = ["bundle", "link-state/netdown", "--run", text(&run), "-o", text(&zip)];
    assert!(said(&sockeye(&args)).contains("in place of the file that was there"));
    // A file of the user's own stays.
    let mine = folder.path().join("mine.zip");
    for text_of_it in [&b"mine"[..], b"PK\x03\x04README.md"] {
        fs::write(&mine, text_of_it).expect("written");
        let onto = [&args[..4], &["-o", text(&mine)]].concat();
        for args in [&onto[..], &["wire", "link-state/netdown", "-o", text(&mine)]] {
            let output = sockeye(args);
            assert_eq!(output.status.code(), Some(2), "{}", said(&output));
            assert!(said(&output).contains("is there and is no "), "{}", said(&output));
            assert_eq!(fs::read(&mine).expect("it is there"), text_of_it);
        }
    }
    let machine = &unpack(&zip, folder.path())["environment.json"];
    let machine = String::from_utf8_lossy(machine);
    let ttl = ["net.ipv4.ip_default_ttl", "net.inet.ip.ttl"];
    let kept = ttl.iter().any(|name| machine.contains(name));
    assert!(kept, "the run keeps its environment: {machine}");
}

#[test]
fn what_does_not_reproduce_says_so_on_its_first_line() {
    if !is_able() || !is_linux() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (run, zip) = (folder.path().join("run"), folder.path().join("bug.zip"));
    run_of(&run, "link-state/netdown");
    change(&run, "results.jsonl", "ENETUNREACH", "EHOSTDOWN");
    let output = sockeye(&["bundle", "link-state/netdown", "--run", text(&run), "-o", text(&zip)]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let files = unpack(&zip, folder.path());
    let mail = String::from_utf8_lossy(&files["mail.txt"]).into_owned();
    let body = mail.split_once("\n\n").expect("a body").1.split("\n\n").next().unwrap_or_default();
    for first in [first_line(&files, "README.md"), body.replace('\n', " ")] {
        assert!(first.contains("does not reproduce") && first.contains("EHOSTDOWN"), "{first}");
    }
}

#[test]
fn runs_of_two_kernels_bound_a_change() {
    if !is_able() || !is_linux() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (new, old) = (folder.path().join("new"), folder.path().join("old"));
    let zip = folder.path().join("bug.zip");
    for run in [&new, &old] {
        run_of(run, "link-state/netdown");
    }
    let manifest = fs::read_to_string(old.join("run.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    let release = manifest["subjects"][0]["kernel"]["release"].as_str().expect("a release");
    change(&old, "run.json", release, "3.2.1-old");
    change(&old, "results.jsonl", "ENETUNREACH", "ENETDOWN");
    let args = ["bundle", "link-state/netdown", "--run", text(&new), "--run", text(&old)];
    let output = sockeye(&[&args[..], &["-o", text(&zip)]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let readme = String::from_utf8_lossy(&unpack(&zip, folder.path())["README.md"]).into_owned();
    assert!(readme.contains("Linux 3.2.1-old did otherwise, Linux"), "{readme}");
    assert!(readme.contains("| Linux 3.2.1-old | `sendto("), "{readme}");
    assert!(readme.contains("1 of 1 times"), "{readme}");
    // The one of another kernel is not tried on this one.
    let args = ["bundle", "link-state/netdown", "--run", text(&old), "-o", text(&zip)];
    assert!(said(&sockeye(&args)).contains("was not tried"), "it was");
}

#[test]
fn a_disk_that_is_full_leaves_no_half_file() {
    if !is_able() || !is_linux() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (run, out) = (folder.path().join("run"), folder.path().join("out"));
    run_of(&run, "link-state/netdown");
    fs::create_dir(&out).expect("a folder");
    // Of another kernel, so that it is not tried: only the zip is written.
    change(&run, "run.json", "\"version\": \"", "\"version\": \"another ");
    let zip = out.join("bug.zip");
    let script = "trap '' XFSZ; ulimit -f 2; exec \"$@\"";
    let output = Command::new("sh")
        .args(["-c", script, "sh", SOCKEYE, "bundle", "link-state/netdown"])
        .args(["--run", text(&run), "-o", text(&zip)])
        .output()
        .expect("sh starts");
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("bug.zip cannot be written: "), "{}", said(&output));
    assert_eq!(fs::read_dir(&out).expect("the folder").count(), 0, "something is left");
}

#[rstest]
#[case(&["bundle", "link-state/netdwn"], "nearest are \"link-state/netdown\"")]
#[case(&["bundle", "link-state/netdown", "--run", "/nonexistent"], "is not a run")]
#[case(&["bundle", "link-state/netdown", "--times", "0"], "a number from 1")]
#[case(&["bundle", "link-state/netdown", "--run", "x", "--keep-private"], "cannot be used with")]
#[case(&["bundle", "link-state/netdown", "--for", "nobody"], "invalid value 'nobody'")]
#[case(&["bundle"], "required arguments were not provided")]
fn wrong_usage_gets_a_sentence_and_status_2(#[case] args: &[&str], #[case] says: &str) {
    let output = sockeye(args);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains(says), "{}", said(&output));
}

/// Nobody is told of a system that is not theirs, and nothing is written.
#[test]
fn a_report_is_refused_by_whom_it_does_not_concern() {
    if !is_able() || !is_linux() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (run, zip) = (folder.path().join("run"), folder.path().join("bug.zip"));
    run_of(&run, "link-state/netdown");
    let told = |to: &[&str]| {
        let args = ["bundle", "link-state/netdown", "--run", text(&run), "-o", text(&zip)];
        sockeye(&[&args[..], to].concat())
    };
    for (to, says) in [("apple", "macOS alone"), ("gvisor", "gVisor alone"), ("freebsd", "alone")] {
        let output = told(&["--for", to]);
        assert_eq!(output.status.code(), Some(2), "{to}: {}", said(&output));
        assert!(said(&output).contains(says) && !zip.exists(), "{to}: {}", said(&output));
    }
    assert_eq!(told(&["--for", "netdev"]).status.code(), Some(0));
    // What gVisor did is nothing for netdev, and goes to gVisor if nothing is said.
    fs::remove_file(&zip).expect("it is there");
    change(&run, "run.json", "\"platforms\": [", "\"platforms\": [\"gvisor-20240729\",");
    let output = told(&["--for", "netdev"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("Linux alone") && !zip.exists(), "{}", said(&output));
    assert_eq!(told(&[]).status.code(), Some(0));
    let files = unpack(&zip, folder.path());
    assert!(
        first_line(&files, "mail.txt").contains("gvisor"),
        "{}",
        first_line(&files, "mail.txt")
    );
}

#[test]
fn a_case_that_the_run_lacks_and_one_that_was_skipped_make_no_file() {
    if !is_able() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (run, zip) = (folder.path().join("run"), folder.path().join("bug.zip"));
    run_of(&run, "link-state/netdown");
    let case = "link-state/udp-sendto[tap,up,own]";
    let output = sockeye(&["bundle", case, "--run", text(&run), "-o", text(&zip)]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("has no case"), "{}", said(&output));
    let output = sockeye(&["bundle", "link-state/netdown", "--run", text(&run), "-o", "/"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    change(
        &run,
        "results.jsonl",
        "\"end\":\"done\"",
        "\"end\":{\"skipped\":{\"reason\":\"no tun\"}}",
    );
    let output = sockeye(&["bundle", "link-state/netdown", "--run", text(&run), "-o", text(&zip)]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("was skipped") && said(&output).contains("no tun"));
    assert!(!zip.exists());
}

#[test]
fn tshark_and_unzip_open_it() {
    if !is_able() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let zip = folder.path().join("bug.zip");
    let case = "link-state/udp-sendto[tap,up,neighbour]";
    let output = sockeye(&["bundle", case, "--times", "1", "-o", text(&zip)]);
    assert!(has_run(&output), "{}", said(&output));
    match Command::new("unzip").arg("-tq").arg(&zip).output() {
        Ok(tested) => assert!(tested.status.success(), "{}", said(&tested)),
        Err(_) => eprintln!("skipped: unzip is not installed"),
    }
    unpack(&zip, folder.path());
    let frames = folder.path().join("wire.pcapng");
    let fields = ["-T", "fields", "-e", "frame.comment"];
    match Command::new("tshark").arg("-r").arg(&frames).args(fields).output() {
        Ok(read) => {
            assert!(said(&read).contains(&format!("{case}: sendto(s, ")), "{}", said(&read));
        }
        Err(_) => eprintln!("skipped: tshark is not installed"),
    }
}

#[test]
fn a_rule_that_is_broken_has_words_for_a_title() {
    for rule in RULES {
        assert!(broken(rule.name).is_some(), "{}", rule.name);
        assert!(wished(rule.name).is_some(), "{}", rule.name);
    }
}

/// No program and no outcome may change its meaning because something in it looks private.
#[test]
fn the_programs_and_outcomes_of_all_cases_are_left_alone() {
    let cases: Vec<Case> = suites::tables().into_iter().flat_map(|table| table.cases).collect();
    for case in &cases {
        let options = Options { os: Os::Linux, observed: None, expected: &[] };
        let program = reproducer(case, &options);
        let mut scrub = Scrub::new(&Private::default());
        scrub.allow(&serde_json::to_string(case).expect("JSON"));
        assert!(scrub.text(&program, &BTreeSet::new()) == program, "{} is changed", case.id);
        for (platform, outcome) in Baselines::embedded().of_case(&case.id) {
            let clean = scrub.text(outcome, &BTreeSet::new());
            assert_eq!(clean, outcome, "{} on {platform}", case.id);
        }
    }
}
