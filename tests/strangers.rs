//! Commands that do not keep to the protocol: `--on cmd:…` ends all the same, keeps what it has, and
//! says what was wrong in a sentence, with the exit status of an error.

use std::fs;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use rstest::rstest;
use tempfile::TempDir;

use crate::common::{stderr, stdout, turn};

const SOCKEYE: &str = env!("CARGO_BIN_EXE_sockeye");

const HELLO: &str = r#"echo '{"hello":{"schema":1,"kernel":{"system":"Fake","release":"1.0","version":"","machine":"","euid":0}}}'"#;

/// What answers each case with a trace that has these events, once it has done what comes `before`.
fn answers(before: &str, id: &str, events: &str) -> String {
    format!(
        r#"while read -r line; do
          {before}
          id=$(printf '%s' "$line" | sed 's/.*"id":"\([^"]*\)".*/\1/')
          echo '{{"trace":{{"schema":1,"case":"'"{id}"'","began_ns":0,"links":[],"events":[{events}],"end":"done"}}}}'
        done"#
    )
}

struct Ran {
    output: Output,
    took: Duration,
    out: TempDir,
}

impl Ran {
    /// How each case ended, as JSON; none where there is no run.
    fn ends(&self) -> Vec<String> {
        let folders = fs::read_dir(self.out.path()).expect("a folder").flatten();
        let lines =
            folders.filter_map(|run| fs::read_to_string(run.path().join("results.jsonl")).ok());
        let lines = lines.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
        lines
            .map(|line| serde_json::from_str::<serde_json::Value>(&line).expect("JSON"))
            .map(|line| line["trace"]["end"].to_string())
            .collect()
    }
}

/// Runs a few cases on a shell script, with no more memory than a program needs.
fn run_on(script: &str) -> Ran {
    let out = tempfile::tempdir().expect("a folder");
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), script).expect("it is written");
    // What follows `cmd:` is a shell's, as a user writes it.
    let on = format!("cmd:cd / && SOME=word sh {}", file.path().display());
    let _turn = turn();
    let begin = Instant::now();
    let limited = "ulimit -v 3000000; exec \"$@\"";
    let args = ["run", "--jobs", "1", "--silence", "2", "link-state/no-route", "--on", &on];
    let output = Command::new("sh")
        .args(["-c", limited, "sh", SOCKEYE])
        .args(args)
        .args(["--out".as_ref(), out.path().as_os_str()])
        .output()
        .expect("sockeye starts");
    Ran { output, took: begin.elapsed(), out }
}

const A_MINUTE: Duration = Duration::from_mins(1);

#[rstest]
#[case::before_its_greeting("exec sleep 600", "it said nothing")]
#[case::no_line(
    "head -c 1500000000 /dev/zero | tr '\\0' x",
    "its greeting is a line of more than 64 KiB"
)]
#[case::another_program("exec yes", "does not speak sockeye's protocol: y")]
fn a_subject_that_never_greets_did_not_run(#[case] script: &str, #[case] says: &str) {
    let ran = run_on(script);
    assert_eq!(ran.output.status.code(), Some(3), "{}", stderr(&ran.output));
    assert!(stderr(&ran.output).contains(says), "{}", stderr(&ran.output));
    assert!(ran.took < A_MINUTE, "{:?}", ran.took);
}

#[rstest]
#[case(300, "the release in its greeting has 300 characters, more than 256")]
#[case(2_000_000, "its greeting is a line of more than 64 KiB")]
fn a_name_that_is_none_is_refused(#[case] long: usize, #[case] says: &str) {
    let release = format!("$(head -c {long} /dev/zero | tr '\\0' 1)");
    let hello = HELLO.replace("1.0", &format!("'\"{release}\"'"));
    let ran = run_on(&hello);
    assert_eq!(ran.output.status.code(), Some(3), "{}", stderr(&ran.output));
    assert!(stderr(&ran.output).contains(says), "{}", stderr(&ran.output));
}

#[rstest]
#[case::hangs("exec sleep 600", "no answer for 2 s")]
#[case::leaves_its_output_to_a_child("sleep 600 & exit", "no answer for 2 s")]
#[case::one_line("head -c 1500000000 /dev/zero | tr '\\0' x", "it sent a line of more than 8 MiB")]
#[case::floods("exec yes", "no trace of this case: y")]
#[case::killed("read -r line; kill -9 $$", "exit status 137")]
fn a_subject_that_fails_after_its_greeting_has_errors(#[case] script: &str, #[case] says: &str) {
    let ran = run_on(&format!("{HELLO}\n{script}"));
    let said = stderr(&ran.output);
    assert_eq!(ran.output.status.code(), Some(3), "{said}");
    let ends = ran.ends();
    assert!(ends.len() > 10 && ends.iter().all(|end| end.contains("broken")), "{ends:?} {said}");
    assert!(ends[0].contains(says), "{ends:?}");
    assert!(ran.took < A_MINUTE, "{:?}", ran.took);
    assert!(!stdout(&ran.output).contains("changed"), "{}", stdout(&ran.output));
}

#[test]
fn answers_stay_when_a_subject_does_not_end() {
    let ran = run_on(&format!("{HELLO}\n{}\nexec sleep 600", answers("", "$id", "")));
    let said = stderr(&ran.output);
    assert_eq!(ran.output.status.code(), Some(3), "{said}");
    assert!(said.contains("its input ended, and 10 s later it had not"), "{said}");
    let ends = ran.ends();
    assert!(ends.len() > 10 && ends.iter().all(|end| end == "\"done\""), "{ends:?}");
    assert!(ran.took < A_MINUTE, "{:?}", ran.took);
}

/// It is shown, and cut; what it says to a terminal is none's.
#[test]
fn what_a_subject_says_beside_the_protocol_is_bounded() {
    let noise = "printf '\\033[2J\\n' >&2; yes $(printf %0999d 0) | head -c 8000000 >&2";
    let ran = run_on(&format!("{noise}\n{HELLO}\n{}", answers("", "$id", "")));
    let ends = ran.ends();
    assert!(ends.len() > 10 && ends.iter().all(|end| end == "\"done\""), "{ends:?}");
    let bytes = &ran.output.stderr;
    assert!(bytes.len() > 1 << 20 && bytes.len() < 2 << 20, "{}", bytes.len());
    assert!(!bytes.contains(&0x1b));
    assert!(stderr(&ran.output).contains("the rest is left out"));
}

const CALL: &str = r#"{"call":{"op":0,"at_ns":0,"took_ns":0,"did":{"returned":{"ret":0}}}}"#;

#[rstest]
#[case("$id", "", None)]
#[case("$id", CALL, None)]
#[case("another", "", Some("it is of the case"))]
#[case(
    "$id",
    r#"{"call":{"op":4000000000,"at_ns":0,"took_ns":0,"did":{"returned":{"ret":0}}}}"#,
    Some("it has a step 4000000000")
)]
#[case(
    "$id",
    r#"{"frame":{"op":0,"at_ns":0,"link":"eth9","dir":"out","bytes":""}}"#,
    Some("a frame of the link")
)]
#[case("$id", r#"{"lab":{"op":0,"at_ns":0,"took_ns":0}}"#, Some("step 0 is a call"))]
#[case(
    "$id",
    r#"{"call":{"op":0,"at_ns":18446744073709551615,"took_ns":0,"did":{"returned":{"ret":0}}}}"#,
    Some("step 0 is at no time")
)]
#[case("$id", r#"{"call":{"op":0,"at_ns":0,"took_ns":0,"did":{"returned":{"ret":0,"out":{"poll":[[],[],[]]}}}}}"#, Some("socket gives no such thing"))]
fn an_answer_that_is_no_trace_of_the_case_is_an_error(
    #[case] id: &str,
    #[case] events: &str,
    #[case] says: Option<&str>,
) {
    let ran = run_on(&format!("{HELLO}\n{}", answers("", id, events)));
    let ends = ran.ends();
    assert!(!ends.is_empty(), "{}", stderr(&ran.output));
    match says {
        Some(says) => {
            assert!(
                ends[0].contains("no trace of this case") && ends[0].contains(says),
                "{ends:?}"
            );
            assert_eq!(ran.output.status.code(), Some(3));
        }
        None => assert!(ends.iter().all(|end| end == "\"done\""), "{ends:?}"),
    }
}
