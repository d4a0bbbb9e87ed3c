//! `scripts/ci-action`, which is all that `action.yml` does, with the real program.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// The script in an empty folder. `inputs` are what action.yml sets.
fn act(folder: &Path, inputs: &[(&str, &str)]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/ci-action");
    let set =
        ["CASES", "ON", "SINCE", "FAIL_ON", "AS_ROOT", "PROGRAM", "REPOSITORY", "VERSION", "OUT"];
    let mut command = Command::new(script);
    for name in set {
        command.env_remove(name);
    }
    command
        .current_dir(folder)
        .env("PROGRAM", env!("CARGO_BIN_EXE_sockeye"))
        .env("GITHUB_OUTPUT", folder.join("outputs"))
        .env("GITHUB_STEP_SUMMARY", folder.join("step.md"))
        .envs(inputs.iter().copied())
        .output()
        .expect("the script starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_run_a_page_and_a_summary_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let cases = "link-state/netdown names/order";
    let output = act(folder.path(), &[("CASES", cases)]);
    if output.status.code() == Some(3) {
        eprintln!("skipped: {}", said(&output));
        return;
    }
    assert!(output.status.success(), "{}", said(&output));
    let text = |name: &str| fs::read_to_string(folder.path().join(name)).expect("written");
    assert!(text("sockeye-out/run/results.jsonl").contains("\"id\":\"link-state/netdown\""));
    assert!(text("sockeye-out/page.html").contains("link-state/netdown"));
    assert_eq!(text("sockeye-out/summary.md"), text("step.md"));
    assert!(text("outputs").contains("status=0\nrun=sockeye-out/run\n"), "{}", text("outputs"));
    // What is there is not written over.
    let again = act(folder.path(), &[("CASES", cases)]);
    assert_eq!((again.status.code(), said(&again).contains("is there already")), (Some(2), true));
    // Nothing changed since that run; since another one it did.
    let since = folder.path().join("sockeye-out/run").display().to_string();
    let since = |out| act(folder.path(), &[("CASES", cases), ("SINCE", &since), ("OUT", out)]);
    let same = since("same");
    assert!(same.status.success(), "{}", said(&same));
    let results = folder.path().join("sockeye-out/run/results.jsonl");
    let other = text("sockeye-out/run/results.jsonl").replace("ENETDOWN", "EHOSTDOWN");
    if other != text("sockeye-out/run/results.jsonl") {
        fs::write(results, other).expect("written");
        let differs = since("other");
        assert_eq!(differs.status.code(), Some(1), "{}", said(&differs));
        let never = act(
            folder.path(),
            &[("CASES", "link-state/netdown"), ("FAIL_ON", "never"), ("OUT", "never")],
        );
        assert!(never.status.success(), "{}", said(&never));
    }
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
        assert_eq!(output.status.code(), Some(2), "{inputs:?}: {}", said(&output));
        assert!(said(&output).contains(why), "{inputs:?}: {}", said(&output));
        for name in ["obeyed", "elsewhere"] {
            assert!(!folder.path().join(name).exists(), "{inputs:?}");
        }
    }
}
