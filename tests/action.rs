//! `scripts/ci-action`, which is all that `action.yml` does, with the real program.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use crate::common::{SOCKEYE, has_labs, has_run, is_linux, stderr, turn};

/// The script in an empty folder. `inputs` are what action.yml sets.
fn act(folder: &Path, inputs: &[(&str, &str)]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/ci-action");
    let set =
        ["CASES", "ON", "SINCE", "FAIL_ON", "AS_ROOT", "PROGRAM", "REPOSITORY", "VERSION", "OUT"];
    let mut command = Command::new(script);
    let _turn = turn();
    for name in set {
        command.env_remove(name);
    }
    command.env_remove("GITHUB_ACTION_PATH");
    command
        .current_dir(folder)
        .env("PROGRAM", SOCKEYE)
        .env("GITHUB_OUTPUT", folder.join("outputs"))
        .env("GITHUB_STEP_SUMMARY", folder.join("step.md"))
        .envs(inputs.iter().copied())
        .output()
        .expect("the script starts")
}

#[test]
fn a_run_a_page_and_a_summary_are_kept() {
    if !has_labs() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let cases = "link-state/netdown names/order";
    let output = act(folder.path(), &[("CASES", cases)]);
    assert!(has_run(&output), "{}", stderr(&output));
    let text = |name: &str| fs::read_to_string(folder.path().join(name)).expect("written");
    assert!(text("sockeye-out/run/results.jsonl").contains("\"id\":\"link-state/netdown\""));
    assert!(text("sockeye-out/page.html").contains("link-state/netdown"));
    assert_eq!(text("sockeye-out/summary.md"), text("step.md"));
    assert!(text("outputs").contains("\nrun=sockeye-out/run\n"), "{}", text("outputs"));
    // What is there is not written over.
    let again = act(folder.path(), &[("CASES", cases)]);
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("is there already"), "{}", stderr(&again));
}

/// What another run did otherwise fails the job, unless it never does; what is no run is told at once.
#[test]
fn what_changed_since_a_run_counts() {
    if !has_labs() || !is_linux() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let cases = ("CASES", "link-state/netdown");
    assert!(has_run(&act(folder.path(), &[cases])));
    let run = folder.path().join("sockeye-out/run");
    let since = run.display().to_string();
    let ends = |out: &str, fail_on: &str| {
        let inputs = [cases, ("SINCE", &*since), ("OUT", out), ("FAIL_ON", fail_on)];
        act(folder.path(), &inputs).status.code()
    };
    assert_eq!(ends("same", "unexpected"), Some(0));
    let results = fs::read_to_string(run.join("results.jsonl")).expect("written");
    let other = results.replace("ENETUNREACH", "EHOSTUNREACH");
    assert_ne!(other, results);
    fs::write(run.join("results.jsonl"), other).expect("written");
    assert_eq!(ends("other", "unexpected"), Some(1));
    assert_eq!(ends("never", "never"), Some(0));
    let none = folder.path().display().to_string();
    let output = act(folder.path(), &[cases, ("SINCE", &none), ("OUT", "none")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("is no run"), "{}", stderr(&output));
}

#[test]
fn wrong_inputs_are_one_sentence() {
    for (inputs, why) in [
        (&[("FAIL_ON", "always")][..], "fail-on is unexpected, strict or never, not 'always'"),
        (&[("PROGRAM", "/no/such/sockeye")], "/no/such/sockeye is no program"),
        (&[("PROGRAM", "")], "neither a program nor a version is given"),
        (&[("CASES", "$(touch obeyed)")], "touch"),
        (&[("CASES", "--out=elsewhere")], "--out=elsewhere"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let output = act(folder.path(), inputs);
        assert_eq!(output.status.code(), Some(2), "{inputs:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(why), "{inputs:?}: {}", stderr(&output));
        for name in ["obeyed", "elsewhere", "sockeye-out"] {
            assert!(!folder.path().join(name).exists(), "{inputs:?}");
        }
    }
}

/// A release is loaded from where the action is, held against its sums, and refused if it is another.
#[test]
fn the_release_of_the_action_is_loaded_and_held_against_its_sums() {
    if !is_linux() || cfg!(not(target_arch = "x86_64")) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).expect("a folder");
    let script = |path: &Path, text: &str| {
        fs::write(path, text).expect("written");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    };
    // What GitHub's program does with `release download`, of one release.
    let gh = "#!/bin/sh\nset -eu\n\
        [ \"$1 $2 $3 $4 $5 $6\" = \"release download v0.1.0 --repo o/sockeye --dir\" ]\n\
        cd \"$7\" && mkdir $NAME && printf '#!/bin/sh\\nexit 3\\n' > $NAME/sockeye && chmod +x $NAME/sockeye\n\
        tar -czf $NAME.tar.gz $NAME && rm -r $NAME\n\
        sha256sum $NAME.tar.gz > SHA256SUMS; [ $SUMS = right ] || sed -i 's/^..../beef/' SHA256SUMS\n";
    script(&bin.join("gh"), gh);
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("a path"));
    let name = "sockeye-0.1.0-x86_64-linux-musl";
    let load = |sums, more: &[(&str, &str)]| {
        let set = [("PROGRAM", ""), ("PATH", &*path), ("NAME", name), ("SUMS", sums)];
        act(folder.path(), &[&set, more].concat())
    };
    let laid = ("GITHUB_ACTION_PATH", "/actions-runner/_actions/o/sockeye/v0.1.0");
    let said = [("REPOSITORY", "o/sockeye"), ("VERSION", "v0.1.0")];
    for known in [&said[..], &[laid], &[("REPOSITORY", ""), ("VERSION", ""), laid]] {
        let output = load("right", known);
        assert!(stderr(&output).contains(".tar.gz: OK"), "{known:?}: {}", stderr(&output));
        // It ran: this is what it ends with.
        assert_eq!(output.status.code(), Some(3), "{known:?}");
        fs::remove_dir_all(folder.path().join("sockeye-out")).expect("it ran");
    }
    let output = load("wrong", &[laid]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("FAILED"), "{}", stderr(&output));
    assert!(!folder.path().join("sockeye-out").exists(), "nothing of it was run");
}
