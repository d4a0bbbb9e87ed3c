//! Machines that panic, hang, print garbage or go away, and what becomes of the cases in them.
//!
//! Most are shell scripts that speak the hub's protocol; one is User-Mode Linux, where it was
//! fetched (`sockeye subjects --fetch uml`).

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::case::{Case, Os};
use harness::subject::{self, Console, Kernels, Machine, Plan, Program, cache_folder};
use harness::trace::{End, Trace};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rstest::rstest;

use crate::common::{SOCKEYE, fetched, has_labs, sockeye, stderr};

fn plan(program: &str, args: &[&str]) -> Plan {
    Plan {
        program: program.into(),
        args: args.iter().map(Into::into).collect(),
        env: Vec::new(),
        folder: None,
        boot: Duration::from_secs(10),
        silence: Duration::from_secs(2),
        window: None,
        keep: Vec::new(),
    }
}

/// A machine in shell, in which `mishap` happens when it is given a case whose id has `bad` in it.
fn fake(mishap: &str) -> Machine {
    let script = format!(
        r#"echo ready
        while read -r number line; do
          id=$(printf '%s' "$line" | sed 's/.*"id":"\([^"]*\)".*/\1/')
          case $line in
            start) echo "$number "'{{"hello":{{"schema":1,"kernel":{{"system":"Fake","release":"1.0","version":"","machine":"","euid":0}}}}}}' ;;
            end|kill) echo "$number ended exit status 0" ;;
            *bad*) {mishap} ;;
            *) echo "$number "'{{"trace":{{"schema":1,"case":"'"$id"'","began_ns":0,"links":[],"events":[],"end":"done"}}}}' ;;
          esac
        done"#
    );
    Machine::new(plan("sh", &["-c", &script]), Console::default())
}

fn cases(names: &[&str]) -> Vec<Case> {
    let case = |name: &&str| {
        serde_json::from_str(&format!(r#"{{"id":"{name}","title":"","ops":[]}}"#)).expect("a case")
    };
    names.iter().map(case).collect()
}

fn run(machine: &Machine, cases: &[Case], jobs: usize) -> Vec<Trace> {
    let cases: Vec<&Case> = cases.iter().collect();
    subject::run(machine, &cases, jobs, &|_, _| ()).expect("it runs")
}

/// The case that ended the machine has the console's last lines; all others ran.
#[rstest]
#[case("echo 'Kernel panic - not syncing: planted' >&2; exit 0", "lost to a kernel panic: planted")]
#[case("exit 0", "lost with its machine: exit status 0")]
#[case("exec sleep 600", "lost to a hang: the machine said nothing for 2 s")]
fn a_machine_that_ends_costs_only_the_case_that_it_ran(#[case] mishap: &str, #[case] how: &str) {
    let machine = fake(mishap);
    let cases = cases(&["a", "b", "bad", "c", "d"]);
    let traces = run(&machine, &cases, 1);
    for (case, trace) in cases.iter().zip(&traces) {
        match &trace.end {
            End::Died { how: said } if case.id == "bad" => {
                assert_eq!(said.lines().next(), Some(how));
                let told = mishap.contains("echo");
                assert_eq!(said.lines().count() > 1, told, "the console's last lines: {said}");
            }
            end => assert_eq!((case.id.as_str(), end), (case.id.as_str(), &End::Done)),
        }
    }
    // Again after it, and once more to see it alone.
    assert!((2..=3).contains(&machine.boots().len()), "{:?}", machine.boots());
    let losses = machine.losses();
    assert!(losses.len() + 1 == machine.boots().len() && losses.iter().all(|why| why == how));
}

/// What is nobody's doing who is asked about: a machine that was killed, one that starts anew by itself,
/// one that says what nobody asked for.
#[rstest]
#[case("echo 'too much' >&2; kill -9 $$", "lost with its machine: killed by SIGKILL")]
#[case(
    "echo 'Kernel panic - not syncing: System is deadlocked on memory' >&2; exit 0",
    "on memory"
)]
#[case("yes \"$number $(head -c 100000 /dev/zero | tr '\\0' x)\"", "no trace of this case")]
#[case(
    "head -c 1500000000 /dev/zero | tr '\\0' x",
    "against the protocol: a line of more than 8 MiB"
)]
fn a_machine_that_fails_is_an_error_of_its_case(#[case] mishap: &str, #[case] how: &str) {
    let cases = cases(&["a", "bad", "b"]);
    let begin = Instant::now();
    let traces = run(&fake(mishap), &cases, 1);
    let End::Broken { reason } = &traces[1].end else { panic!("{:?}", traces[1].end) };
    assert!(reason.contains(how) && reason.lines().count() == 1, "{reason}");
    assert_eq!((&traces[0].end, &traces[2].end), (&End::Done, &End::Done));
    assert!(begin.elapsed() < Duration::from_mins(1), "{:?}", begin.elapsed());
}

/// A machine that starts anew by itself has forgotten its executors; one that floods its console or
/// prints where it should not is no less silent for that.
#[rstest]
#[case(
    "exec sh -c 'while echo ready; do sleep 1; done'",
    "lost to a restart that nobody asked for"
)]
#[case("exec yes boot", "lost to a hang: the machine said nothing for 2 s")]
#[case("(yes noise >&2) & sleep 600", "lost to a hang: the machine said nothing for 2 s")]
fn a_machine_that_goes_round_in_circles_is_ended(#[case] mishap: &str, #[case] how: &str) {
    let cases = cases(&["a", "bad", "b"]);
    let begin = Instant::now();
    let traces = run(&fake(mishap), &cases, 1);
    let End::Died { how: said } = &traces[1].end else { panic!("{:?}", traces[1].end) };
    assert_eq!(said.lines().next(), Some(how));
    assert_eq!((&traces[0].end, &traces[2].end), (&End::Done, &End::Done));
    assert!(begin.elapsed() < Duration::from_mins(1), "{:?}", begin.elapsed());
}

/// A hung machine does not take what it is given, and a pipe holds only so much.
#[test]
fn who_gives_a_machine_more_than_it_reads_does_not_wait_for_ever() {
    let machine = fake("exec sleep 600");
    let mut cases = cases(&["a", "bad", "b"]);
    for case in &mut cases {
        case.title = "x".repeat(100_000);
    }
    let begin = Instant::now();
    let traces = run(&machine, &cases, 1);
    assert!(matches!(traces[1].end, End::Died { .. }), "{:?}", traces[1].end);
    assert_eq!((&traces[0].end, &traces[2].end), (&End::Done, &End::Done));
    assert!(begin.elapsed() < Duration::from_mins(1), "{:?}", begin.elapsed());
}

/// With several executors in one machine, its end does not say whose case it was.
#[test]
fn of_several_cases_under_way_each_is_tried_alone() {
    let names: Vec<String> = (0..100).map(|number| format!("case{number}")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.insert(50, "bad");
    let cases = cases(&names);
    let machine = fake("echo 'Kernel panic - not syncing: planted' >&2; exit 0");
    let traces = run(&machine, &cases, 4);
    let died: Vec<&str> = traces
        .iter()
        .filter(|trace| matches!(trace.end, End::Died { .. }))
        .map(|trace| trace.case.as_str())
        .collect();
    assert_eq!(died, ["bad"]);
    assert!(traces.iter().all(|trace| !matches!(trace.end, End::Broken { .. })));
}

/// Nothing is given ahead to an executor whose case waits, and what it would have been given is not lost with it.
#[test]
fn who_dies_in_a_case_that_waits_takes_no_other_along() {
    let script = r#"echo '{"hello":{"schema":1,"kernel":{"system":"Fake","release":"1.0","version":"","machine":"","euid":0}}}'
        while read -r line; do exit 3; done"#;
    let program = Program::new(script, None, Box::new(|_: &str| ()));
    let case = |number: usize| -> Case {
        serde_json::from_str(&format!(
            r#"{{"id":"long{number}","title":"","ops":[],"window_ms":9}}"#
        ))
        .expect("a case")
    };
    let cases: Vec<Case> = (0..20).map(case).collect();
    let wanted: Vec<&Case> = cases.iter().collect();
    let traces = subject::run(&program, &wanted, 1, &|_, _| ()).expect("it runs");
    assert_eq!(traces.len(), cases.len());
    assert!(traces.iter().all(|trace| matches!(trace.end, End::Died { .. })), "{traces:#?}");
}

#[test]
fn garbage_is_an_error_of_its_case_and_of_no_other() {
    let machine = fake(r#"echo "$number garbage""#);
    let traces = run(&machine, &cases(&["a", "bad", "b"]), 1);
    let End::Broken { reason } = &traces[1].end else { panic!("{:?}", traces[1].end) };
    assert!(reason.contains("garbage"), "{reason}");
    assert_eq!((&traces[0].end, &traces[2].end), (&End::Done, &End::Done));
}

/// What is no line of the protocol belongs to the console.
#[test]
fn a_stray_line_harms_nobody() {
    let machine = fake(
        r#"echo stray; echo "$number "'{"trace":{"schema":1,"case":"bad","began_ns":0,"links":[],"events":[],"end":"done"}}'"#,
    );
    let traces = run(&machine, &cases(&["a", "bad", "b"]), 1);
    assert!(traces.iter().all(|trace| trace.end == End::Done));
}

#[rstest]
#[case("exit 3", "lost with its machine: exit status 3")]
#[case("echo no hub; exec sleep 600", "it is not ready after 10 s")]
#[case("echo ready; echo '1 ended at once: no such file'; exec sleep 600", "said nothing")]
fn a_machine_that_does_not_come_up_is_said_in_a_sentence(#[case] script: &str, #[case] says: &str) {
    let machine = Machine::new(plan("sh", &["-c", script]), Console::default());
    let error = subject::fingerprint(&machine).expect_err("it does not come up").to_string();
    assert!(error.contains(says), "{error}");
}

#[test]
fn a_machine_that_dies_of_everything_is_given_up_and_keeps_what_it_has() {
    let names: Vec<String> = (0..40).map(|number| format!("bad{number}")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.insert(0, "good");
    let traces = run(&fake("exit 1"), &cases(&names), 1);
    assert_eq!(traces.len(), names.len());
    assert_eq!(traces[0].end, End::Done);
    let End::Broken { reason } = &traces[40].end else { panic!("{:?}", traces[40].end) };
    assert!(reason.contains("died without an answer"), "{reason}");
}

/// The hub itself, with this host's kernel in it, and a way in that holds little.
#[rstest]
#[case(None)]
#[case(Some(100))]
fn cases_that_wait_do_so_side_by_side(#[case] window: Option<usize>) {
    if harness::exec::shares_the_network() {
        return eprintln!("skipped: executors of this host take turns");
    }
    let mut plan = plan(SOCKEYE, &["exec", "--hub"]);
    plan.window = window;
    plan.silence = Duration::from_mins(1);
    if window.is_some() {
        plan.args.push("--count".into());
    }
    let machine = Machine::new(plan, Console::default());
    let case = |number: u32| -> Case {
        let wait = r#"{"lab":{"step":{"wait":{"ms":300,"why":"it takes time"}}}}"#;
        serde_json::from_str(&format!(r#"{{"id":"wait{number}","title":"","ops":[{wait}]}}"#))
            .expect("a case")
    };
    let cases: Vec<Case> = (0..16).map(case).collect();
    let start = Instant::now();
    let traces = run(&machine, &cases, 1);
    if traces.iter().any(|trace| matches!(trace.end, End::Skipped { .. })) {
        eprintln!("skipped: this host has no labs, see `sockeye doctor`");
        return;
    }
    assert!(traces.iter().all(|trace| trace.end == End::Done), "{traces:#?}");
    let took = start.elapsed();
    assert!(took < Duration::from_millis(16 * 300), "one after the other: {took:?}");
}

fn lines(file: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(file).expect("results");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

const BEFORE: &str = "link-state/udp-sendto[tap,up,own]";
const VICTIM: &str = "link-state/udp-sendto[tap,up,neighbour]";

/// A real kernel panics, hangs, is switched off, says garbage; the cases around it are as ever.
#[rstest]
#[case("panic", "lost to a kernel panic: sysrq triggered crash", 1)]
#[case("hang", "lost to a hang: the machine said nothing for 5 s", 1)]
#[case("off", "lost with its machine: exit status 0", 1)]
#[case("garbage", "garbage", 3)]
#[case("memory", "killed by SIGKILL, since there was no memory left", 3)]
fn a_mishap_in_a_real_kernel(#[case] mishap: &str, #[case] says: &str, #[case] status: i32) {
    let Some(uml) = fetched("uml-") else { return };
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("UTF-8");
    let plant = format!("{mishap}@{VICTIM}");
    let args = ["run", "--on", &uml, "--out", folder, "--plant", &plant, "--silence", "5"];
    let output = sockeye(&[&args[..], &["link-state/udp-sendto"]].concat());
    assert_eq!(output.status.code(), Some(status), "{output:?}");
    let results = lines(&out.path().join(&uml).join("results.jsonl"));
    assert!(results.len() > 50);
    for line in &results {
        let text = line["trace"]["end"].to_string();
        if line["id"] == VICTIM {
            assert!(text.contains(says), "{text}");
            let error = line["verdict"] == "error";
            assert_eq!(error, status == 3, "{line:#}");
        } else {
            assert_eq!(line["verdict"], "ok", "{line:#}");
        }
    }
    assert!(results.iter().any(|line| line["id"] == BEFORE));
}

/// A fault is never planted in a kernel that was not started for it.
#[test]
fn no_mishap_happens_to_this_host() {
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("UTF-8");
    let plant = format!("panic@{VICTIM}");
    let args = ["run", VICTIM, "--out", folder, "--plant", &plant];
    let output = sockeye(&args);
    // That is another outcome than the baseline's, where there is one.
    let changed = i32::from(Os::host() == Some(Os::Linux));
    assert_eq!(output.status.code(), Some(changed), "{output:?}");
    let results = lines(&out.path().join("results.jsonl"));
    assert!(results[0]["trace"]["end"]["died"].is_object(), "{:#}", results[0]);
}

/// An executor of this host that says something else than an answer: the run cannot be trusted, as one on a machine.
#[test]
fn an_error_on_this_host_is_no_success() {
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("UTF-8");
    let plant = format!("garbage@{VICTIM}");
    let output = sockeye(&["run", VICTIM, BEFORE, "--out", folder, "--plant", &plant]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let results = lines(&out.path().join("results.jsonl"));
    let verdict = |id| results.iter().find(|line| line["id"] == id).map(|line| &line["verdict"]);
    assert_eq!(verdict(VICTIM).and_then(|word| word.as_str()), Some("error"), "{results:?}");
    assert_ne!(verdict(BEFORE).and_then(|word| word.as_str()), Some("error"), "{results:?}");
}

/// The example of the documents, in a network where no address leads anywhere.
#[test]
fn the_example_subject_answers_what_it_can_and_says_what_it_cannot() {
    let program = "unshare -rn sh -c \"ip link set lo up && exec python3 docs/example-subject.py\"";
    let able = Command::new("sh").args(["-c", &format!("{program} < /dev/null")]).output();
    if !able.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: `{program}` does not run here");
        return;
    }
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("UTF-8");
    let on = format!("cmd:{program}");
    let args = ["run", "--on", &on, "--json", "--out", folder, "link-state/no-route"];
    let output = sockeye(&args);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let verdicts: Vec<(String, String)> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .map(|line| (line["id"].to_string(), line["verdict"].to_string()))
        .collect();
    assert!(verdicts.len() > 10);
    for (id, verdict) in verdicts {
        // On a Linux that has no baseline of its own, a difference is no fault of the example.
        assert_eq!(verdict == "\"skipped\"", id.contains("tcp"), "{id}: {verdict}");
    }
}

/// Nothing stays of a machine when its driver is interrupted.
#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    let Some(uml) = fetched("uml-") else { return };
    let out = tempfile::tempdir().expect("a folder");
    let meanwhile = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("UTF-8");
    let mut child = Command::new(SOCKEYE)
        .args(["run", "--on", &uml, "--console", "--out", folder])
        .env("TMPDIR", meanwhile.path())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sockeye starts");
    let said = BufReader::new(child.stderr.take().expect("piped"));
    // The kernel runs as soon as it says so.
    let up = said.lines().map_while(Result::ok).any(|line| line.contains("Run /init"));
    assert!(up, "it does not boot");
    let is_there = || fs::read_dir(meanwhile.path()).expect("the folder").next().is_some();
    assert!(is_there());
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).expect("it is there");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert!(!is_there());
    let place = meanwhile.path().to_str().expect("UTF-8");
    let alive = fs::read_dir("/proc").expect("/proc").flatten().any(|process| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(place)
    });
    assert!(!alive, "a machine is still running");
}

#[rstest]
#[case("linux-6.l2,native", "there is no subject \"linux-6.l2\"; nearest are ")]
#[case("/nonexistent/bzImage,native", "No such file")]
#[case("cmd:exit 3,native", "said nothing")]
fn a_subject_that_cannot_run_is_said_and_the_others_go_on(#[case] on: &str, #[case] says: &str) {
    if Kernels::new(cache_folder()).offers(false).is_err() && on.contains("6.l2") {
        eprintln!("skipped: no package lists here, so that no name is near");
        return;
    }
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("UTF-8");
    let split: Vec<&str> = on.rsplitn(2, ',').collect();
    let args = ["run", "--on", split[1], "--on", split[0], "--out", folder, "link-state/netdown"];
    let output = sockeye(&args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(says), "{said}");
    // Where no lab can be had nothing runs on this host either.
    let expected = if has_labs() || !said.contains("nothing ran: ") { 1 } else { 3 };
    assert_eq!(output.status.code(), Some(expected), "{said}");
    assert!(out.path().join("native/results.jsonl").is_file());
    let output = sockeye(&["run", "--on", split[1], "--out", folder, "link-state/netdown"]);
    assert_eq!(output.status.code(), Some(3), "nothing ran");
}

#[test]
fn a_subject_that_there_is_not_is_said() {
    // Without a mirror nobody knows which there are, and that is said instead.
    if Kernels::new(cache_folder()).offers(false).is_err() {
        eprintln!("skipped: no list of kernels, see `sockeye subjects`");
        return;
    }
    let output = sockeye(&["subjects", "uml-1.0"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(stderr(&output).contains("there is no subject \"uml-1.0\" here"), "{output:?}");
}

/// What is printed once had the whole command of a subject, and paths of the host in reasons.
#[test]
fn what_is_printed_is_what_is_kept() {
    if !has_labs() {
        return;
    }
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("UTF-8");
    let on = format!("cmd:TOKEN=hunter2 {SOCKEYE} exec");
    let output =
        sockeye(&["run", "link-state/typed-route", "--json", "--on", &on, "--out", folder]);
    assert!(output.status.success(), "{}", stderr(&output));
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    let mut printed: Vec<&str> = said.lines().collect();
    let kept = fs::read_dir(out.path()).expect("a folder").flatten();
    let kept = kept.map(|entry| entry.path().join("results.jsonl")).find(|file| file.is_file());
    let kept = fs::read_to_string(kept.expect("a run")).expect("it can be read");
    let mut kept: Vec<&str> = kept.lines().collect();
    printed.sort_unstable();
    kept.sort_unstable();
    assert!(printed == kept && printed.len() > 10, "{} and {} lines", printed.len(), kept.len());
    assert!(!said.contains("hunter2"), "{}", printed[0]);
}
