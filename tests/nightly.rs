//! `scripts/nightly-report`: with a program that writes down how it is called, and with the real one
//! on runs of this kernel.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::json;

use crate::common::{is_linux, sockeye};

/// Stands in for the program: makes what it is asked for, and says so in a file.
const PROGRAM: &str = r#"#!/bin/sh
echo "$*" >> "${0%/*}/calls"
while [ $# -gt 1 ]; do shift; [ "$1" != -o ] || { mkdir -p "${2%/*}"; echo made > "$2"; }; done
"#;

struct Night {
    folder: tempfile::TempDir,
}

impl Night {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("sockeye");
        fs::write(&program, PROGRAM).expect("written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a program");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A lane's run whose cases came to these verdicts.
    fn run(&self, name: &str, lines: &[(&str, &str)]) {
        let line = |(id, verdict): &(&str, &str)| {
            let died = id.ends_with("[died]");
            let end = if died { json!({"died": {"how": "killed"}}) } else { json!("done") };
            format!("{}\n", json!({"id": id, "verdict": verdict, "trace": {"end": end}}))
        };
        let lines: String = lines.iter().map(line).collect();
        self.lane(name, &[("run/results.jsonl", &lines)]);
    }

    /// What a lane has left: these files, and what it said.
    fn lane(&self, name: &str, files: &[(&str, &str)]) {
        let lane = self.path(name);
        fs::create_dir_all(lane.join("run")).expect("made");
        fs::write(lane.join("summary.md"), format!("what {name} said\n")).expect("written");
        for (file, text) in files {
            fs::write(lane.join(file), text).expect("written");
        }
    }

    fn report(&self, runs: &[&str]) -> Output {
        self.report_since(None, runs)
    }

    /// With a run of the night before.
    fn report_since(&self, before: Option<&str>, runs: &[&str]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/nightly-report");
        let real = self.path("real").exists();
        let program =
            if real { env!("CARGO_BIN_EXE_sockeye").into() } else { self.path("sockeye") };
        Command::new(script)
            .arg(self.path("out"))
            .args(runs.iter().map(|run| self.path(run)))
            .env("SOCKEYE", program)
            .env("BEFORE", before.map_or_else(PathBuf::new, |run| self.path(run)))
            .output()
            .expect("the script starts")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}

/// Whether jq is here, which the script needs as CI has it.
fn has_jq() -> bool {
    let there = Command::new("jq").arg("--version").output().is_ok();
    if !there {
        eprintln!("skipped: no jq");
    }
    there
}

#[test]
fn what_changed_has_a_bundle_and_every_run_a_summary() {
    if !has_jq() {
        return;
    }
    let night = Night::new();
    let changed = [
        ("link-state/bind[tap,up,ll,udp]", "changed"),
        ("link-state/bind[tap,up,v4,udp]", "changed"),
        ("link-state/netdown", "ok"),
        ("http/ftp[inet,PASV,whole]", "changed"),
    ];
    night.run("linux", &changed);
    night.run("mac", &[("link-state/netdown", "new")]);
    fs::create_dir(night.path("freebsd")).expect("made");
    let output = night.report(&["linux", "mac", "freebsd"]);
    assert!(output.status.success(), "{output:?}");
    let calls = night.read("calls").replace(&format!("{}/", night.folder.path().display()), "");
    assert_eq!(
        calls,
        "merge linux/run mac/run -o out/merged\n\
         matrix out/merged -o out/page/index.html\n\
         bundle http/ftp[inet,PASV,whole] --run linux/run --run mac/run \
         -o out/bundles/linux-http-ftp.zip\n\
         bundle link-state/bind[tap,up,ll,udp] link-state/bind[tap,up,v4,udp] --run linux/run \
         --run mac/run -o out/bundles/linux-link-state-bind.zip\n"
    );
    let summary = night.read("out/summary.md");
    for part in ["what linux said", "what mac said", "## freebsd\n\nNo run", "- linux-http-ftp.zip"]
    {
        assert!(summary.contains(part), "{part}: {summary}");
    }
}

#[test]
fn nothing_changed_attaches_nothing() {
    if !has_jq() {
        return;
    }
    let night = Night::new();
    night.run("linux", &[("link-state/netdown", "ok")]);
    assert!(night.report(&["linux"]).status.success());
    assert!(!night.read("calls").contains("bundle"));
    assert!(!night.read("out/summary.md").contains("Changed"));
}

/// The page counts changes from the night before, if there is one that can be read.
#[test]
fn the_night_before_is_laid_beside() {
    if !has_jq() {
        return;
    }
    let night = Night::new();
    night.run("linux", &[("link-state/netdown", "ok")]);
    night.lane("before", &[("run/run.json", "{}")]);
    let page = |calls: &str| -> Vec<String> {
        let calls = calls.replace(&format!("{}/", night.folder.path().display()), "");
        calls.lines().filter(|line| line.starts_with("matrix ")).map(str::to_owned).collect()
    };
    let plain = "matrix out/merged -o out/page/index.html";
    let since = "matrix out/merged --since before/run -o out/page/index.html";
    let fails = PROGRAM.replace("\nwhile", "\ncase $* in *--since*) exit 2 ;; esac\nwhile");
    for (program, before, calls, says) in [
        (PROGRAM, None, &[plain][..], "from the baselines.\n"),
        (PROGRAM, Some("before/run"), &[since], "before/run.\n"),
        (PROGRAM, Some("gone"), &[plain], "gone that can be read.\n"),
        (&fails, Some("before/run"), &[since, plain], "before/run that can be read.\n"),
    ] {
        fs::write(night.path("sockeye"), program).expect("written");
        let _ = fs::remove_file(night.path("calls"));
        assert!(night.report_since(before, &["linux"]).status.success());
        assert_eq!(page(&night.read("calls")), calls, "{before:?}");
        let summary = night.read("out/summary.md");
        assert!(summary.contains(says) && !summary.contains("Not as it should be"), "{summary}");
    }
}

/// Where a part cannot be made, the rest is, and the summary says which and why.
#[test]
fn what_could_not_be_made_is_in_the_summary() {
    if !has_jq() {
        return;
    }
    let night = Night::new();
    night.run("linux", &[("link-state/netdown", "changed"), ("http/ftp[died]", "changed")]);
    let fails =
        PROGRAM.replace("\nwhile", "\n[ $1 != bundle ] || { echo so it is; exit 1; }\nwhile");
    fs::write(night.path("sockeye"), fails).expect("written");
    assert_eq!(night.report(&["linux"]).status.code(), Some(1));
    let summary = night.read("out/summary.md");
    for part in [
        "what linux said",
        "- The bundle linux-link-state-netdown, status 1: so it is",
        "- http/ftp[died] on linux: {\"died\":{\"how\":\"killed\"}}",
    ] {
        assert!(summary.contains(part), "{part}: {summary}");
    }
    assert!(!night.read("calls").contains("ftp"), "what died has no bundle");
}

/// The real program, on a run of this kernel and on the same said to be of two others, of which one
/// did something else. CI makes its report on Linux.
#[test]
fn a_night_of_three_kernels_has_a_page_and_a_bundle() {
    if !has_jq() || !is_linux() {
        return;
    }
    let night = Night::new();
    fs::write(night.path("real"), "").expect("written");
    night.lane("here", &[]);
    let folder = night.path("here/run");
    let folder = folder.to_str().expect("UTF-8");
    let ran = sockeye(&["run", "link-state/netdown", "link-state/bind", "--out", folder]);
    if ran.status.code() == Some(3) {
        eprintln!("skipped: this host has no labs, see `sockeye doctor`");
        return;
    }
    assert!(ran.status.success(), "{ran:?}");
    let (manifest, lines) = (night.read("here/run/run.json"), night.read("here/run/results.jsonl"));
    let kernel: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    let release = kernel["subjects"][0]["kernel"]["release"].as_str().expect("a release");
    let of = |other: &str| manifest.replace(release, other);
    let fell = |line: &str| {
        let mut line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        if line["id"] == "link-state/netdown" {
            line["verdict"] = json!("changed");
            line["outcome"] = json!("socket() = s");
        }
        format!("{line}\n")
    };
    let other: String = lines.lines().map(fell).collect();
    night.lane("older", &[("run/run.json", &of("4.19.1")), ("run/results.jsonl", &other)]);
    night.lane("oldest", &[("run/run.json", &of("4.4.1")), ("run/results.jsonl", &lines)]);
    let output = night.report(&["here", "older", "oldest"]);
    assert!(output.status.success(), "{output:?}");
    let merged = reports::runs::read(&night.path("out/merged")).expect("a run");
    assert_eq!(merged.manifest.subjects.len(), 3);
    let page = night.read("out/page/index.html");
    assert!(page.contains("4.19.1") && page.contains("4.4.1"));
    let summary = night.read("out/summary.md");
    assert!(summary.contains("- older-link-state-netdown.zip"), "{summary}");
    assert!(!summary.contains("Not as it should be"), "{summary}");
    let zip = fs::read(night.path("out/bundles/older-link-state-netdown.zip")).expect("a bundle");
    assert_eq!(&zip[..2], b"PK");
}

#[test]
fn a_night_without_runs_and_a_program_that_fails_are_failures() {
    let night = Night::new();
    fs::create_dir(night.path("freebsd")).expect("made");
    assert_eq!(night.report(&["freebsd"]).status.code(), Some(3));
    night.run("linux", &[("link-state/netdown", "ok")]);
    fs::write(night.path("sockeye"), "#!/bin/sh\nexit 1\n").expect("written");
    assert!(!night.report(&["linux"]).status.success());
}
