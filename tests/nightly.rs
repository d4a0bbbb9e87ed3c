//! `scripts/nightly-report`, on recorded runs and with a program that writes down how it is called.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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

    /// A run whose cases came to these verdicts.
    fn run(&self, name: &str, lines: &[(&str, &str)]) {
        let run = self.path(name);
        fs::create_dir(&run).expect("made");
        let line = |(id, verdict): &(&str, &str)| {
            format!("{}\n", serde_json::json!({"id": id, "verdict": verdict}))
        };
        let lines: String = lines.iter().map(line).collect();
        fs::write(run.join("results.jsonl"), lines).expect("written");
        fs::write(run.join("summary.md"), format!("what {name} said\n")).expect("written");
    }

    fn report(&self, runs: &[&str]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/nightly-report");
        Command::new(script)
            .arg(self.path("out"))
            .args(runs.iter().map(|run| self.path(run)))
            .env("SOCKEYE", self.path("sockeye"))
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
        "merge linux mac -o out/merged\n\
         matrix out/merged -o out/page/index.html\n\
         bundle http/ftp[inet,PASV,whole] --run linux -o out/bundles/linux-http-ftp.zip\n\
         bundle link-state/bind[tap,up,ll,udp] link-state/bind[tap,up,v4,udp] --run linux \
         -o out/bundles/linux-link-state-bind.zip\n"
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

#[test]
fn a_night_without_runs_and_a_program_that_fails_are_failures() {
    let night = Night::new();
    fs::create_dir(night.path("freebsd")).expect("made");
    assert_eq!(night.report(&["freebsd"]).status.code(), Some(3));
    night.run("linux", &[("link-state/netdown", "ok")]);
    fs::write(night.path("sockeye"), "#!/bin/sh\nexit 1\n").expect("written");
    assert!(!night.report(&["linux"]).status.success());
}
