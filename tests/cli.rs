//! The program as a user meets it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use harness::case::Os;
use rstest::rstest;

use crate::common::{has_labs, is_linux, sockeye, stderr, stdout, turn};

/// The outcomes by id of a run with `--json` and these arguments.
fn outcomes(args: &[&str]) -> BTreeMap<String, String> {
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("UTF-8");
    let output = sockeye(&[&["run", "--json", "--out", folder], args].concat());
    let lines = stdout(&output);
    let values = lines.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).expect("JSON"));
    let text = |v: &serde_json::Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
    values.map(|v| (text(&v, "id"), text(&v, "outcome"))).collect()
}

#[test]
fn two_runs_and_a_shuffled_one_say_the_same() {
    if !has_labs() {
        return;
    }
    let first = outcomes(&[]);
    assert!(first.len() > 1_000);
    let orders = [&[][..], &["--shuffle", "1"], &["--shuffle", "2", "--jobs", "5"]];
    for args in orders {
        let again = outcomes(args);
        let differing: Vec<String> = first
            .iter()
            .filter(|(id, outcome)| again.get(*id) != Some(outcome))
            .map(|(id, outcome)| {
                let other = again.get(id).map_or("nothing at all", String::as_str);
                format!("{id}:\n{outcome}\nand then:\n{other}")
            })
            .collect();
        assert!(differing.is_empty(), "{args:?}:\n{}", differing.join("\n\n"));
    }
}

#[test]
fn netdown_is_there_with_its_calls_and_verdict() {
    if !has_labs() {
        return;
    }
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("UTF-8");
    let output = sockeye(&["run", "link-state/netdown", "--json", "--out", folder]);
    let line: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("one line of JSON");
    assert_eq!(line["id"], "link-state/netdown");
    for key in ["outcome", "verdict", "subject"] {
        assert!(line[key].is_string(), "{key}");
    }
    assert!(line["outcome"].as_str().is_some_and(|o| o.contains("sendto(s, \"hello\\0\", 6, 0,")));
    let files = ["results.jsonl", "run.json", "wire/link-state/netdown.pcapng"];
    for file in files {
        assert!(out.path().join(file).is_file(), "{file}");
    }
    // It reads back, and nothing half-written is left beside it.
    let run = reports::runs::read(out.path()).expect("a run");
    let ended = run.manifest.subjects[0].ended.as_ref().expect("it has ended");
    assert_eq!((run.lines.len(), ended.verdicts.values().sum::<usize>(), run.cut), (1, 1, false));
    assert_eq!(run.lines[0].trace.case, "link-state/netdown");
    assert!(!Path::new(&format!("{folder}.part")).exists());
    // Which program it was: in a checkout the commit, elsewhere none.
    let head = Command::new("git").args(["rev-parse", "HEAD"]).output().ok();
    let head = head.filter(|output| output.status.success()).map(|output| stdout(&output));
    assert_eq!(run.manifest.subjects[0].revision.as_deref(), head.as_deref().map(str::trim));
    // It may be passed on: the machine is told of, and by nothing that is its own.
    let manifest = fs::read_to_string(out.path().join("run.json")).expect("a manifest");
    let machine = run.manifest.subjects[0].environment.as_ref().expect("the machine");
    // By the kernel on Linux, by ifconfig(8) on a Mac.
    let shown = machine.interfaces.iter().any(|interface| interface.name == "lo");
    let said = machine.said.get("ifconfig -a").is_some_and(|said| said.contains("inet 127.0.0.1"));
    let missing = machine.unknown.iter().any(|why| why.starts_with("ifconfig -a: "));
    assert!(shown || said || missing, "{manifest}");
    for own in ["/etc/machine-id", "/proc/sys/kernel/random/boot_id"] {
        let own = fs::read_to_string(own).unwrap_or_default();
        assert!(own.trim().is_empty() || !manifest.contains(own.trim()), "{own}");
    }
    assert_eq!(machine.private, harness::environment::Private::default());
    let mut names: Vec<_> = fs::read_dir(out.path()).expect("the folder").flatten().collect();
    names.retain(|entry| entry.file_name().to_string_lossy().starts_with('.'));
    assert!(names.is_empty(), "{names:?}");
}

#[rstest]
#[case(&["run", "link-state/netdwn"], "nearest are \"link-state/netdown\"")]
#[case(&["show", "link-state"], "one is wanted")]
#[case(&["run", "--shuffle", "many"], "invalid value 'many'")]
#[case(&["exec", "--plant", "nonsense"], "no fault \"nonsense\" to plant; there are: sendto-lies, ")]
#[case(&["run", "--known", "--json"], "'--known' cannot be used with '--json'")]
#[case(&["run", "--tables", "--format", "ktap"], "'--tables' cannot be used with '--format <FORMAT>'")]
#[case(&["run", "--known", "--on", "native"], "'--known' cannot be used with '--on <SUBJECTS>'")]
#[case(&["--tables", "--on", "native"], "'--tables' cannot be used with '--on <SUBJECTS>'")]
#[case(&["run", "link-state", "--plant", "nonsense"], "no fault \"nonsense\"")]
#[case(&["frobnicate/x"], "no case matches \"frobnicate/x\"")]
#[case(&["diff", "/nonexistent", "/nonexistent"], "is not a run")]
#[case(&["diff", "src", "src"], "is not a run: it has no run.json")]
#[case(&["run", "link-state/netdown", "--out", "src"], "src is there and is not a run")]
#[case(&["claims", "nonsense"], "no claim matches \"nonsense\"")]
#[case(&["claims", "--run", "/nonexistent"], "is not a run")]
#[case(&["coverage", "nonsense"], "invalid value 'nonsense'")]
#[case(&["coverage", "flags", "--markdown"], "cannot be used with")]
#[case(&["observe"], "required arguments were not provided")]
#[case(&["netdown", "fe80::1"], "\"fe80::1\" names no interface")]
#[case(&["netdown", "192.0.2.1%en0"], "\"192.0.2.1\" is no IPv6 address")]
#[case(&["netdown", "2001:db8::1%en0"], "2001:db8::1 is not in fe80::/10")]
#[case(&["netdown", "fe80::1%nosuch0"], "there is no interface \"nosuch0\"; there are ")]
#[case(&["netdown", "fe80::1%1"], "is loopback, by which nothing is sent")]
#[case(&["netdown", "fe80::1%en0", "--plant", "sendto-lies"], "cannot be used with")]
fn wrong_usage_gets_a_sentence_and_status_2(#[case] args: &[&str], #[case] says: &str) {
    let output = sockeye(args);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains(says), "{}", stderr(&output));
}

#[test]
fn a_folder_that_cannot_be_written_is_status_3() {
    if !has_labs() {
        return;
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    let folder = file.path().join("below");
    let folder = folder.to_str().expect("UTF-8");
    let output = sockeye(&["run", "link-state/netdown", "--out", folder]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("cannot be written"), "{}", stderr(&output));
}

/// Feeds lines to an executor and returns its replies, the greeting first.
fn exec(lines: &str, args: &[&str]) -> Vec<serde_json::Value> {
    let _turn = turn();
    let mut child = Command::new(env!("CARGO_BIN_EXE_sockeye"))
        .arg("exec")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the executor starts");
    child.stdin.take().expect("piped").write_all(lines.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn netdown() -> String {
    stdout(&sockeye(&["list", "--json", "link-state/netdown"]))
}

#[test]
fn a_bad_line_is_answered_and_the_next_one_runs() {
    let unknown = netdown().replace("SOCK_DGRAM", "SOCK_DATAGRAM");
    let lines = format!("{{\"id\": 1\nnonsense\n\n{unknown}{}", netdown());
    let replies = exec(&lines, &[]);
    assert_eq!(replies.len(), 5, "{replies:#?}");
    assert!(replies[0]["hello"]["schema"].is_number());
    for (reply, line) in [(1, 1), (2, 2), (3, 4)] {
        assert_eq!(replies[reply]["error"]["line"], line, "{replies:#?}");
    }
    let message = replies[3]["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("SOCK_DATAGRAM"), "{message}");
    assert_eq!(replies[4]["trace"]["case"], "link-state/netdown");
}

/// What tshark reads in a file, a line for each frame; none where it is not installed.
fn tshark(file: &Path, fields: &[&str]) -> Option<Vec<Vec<String>>> {
    let fields = fields.iter().flat_map(|field| ["-e", field]);
    let read =
        Command::new("tshark").arg("-r").arg(file).args(["-T", "fields"]).args(fields).output();
    let Ok(output) = read else {
        eprintln!("skipped: tshark is not installed");
        return None;
    };
    assert!(output.status.success(), "{}", stderr(&output));
    let line = |line: &str| line.split('\t').map(str::to_owned).collect();
    Some(stdout(&output).lines().map(line).collect())
}

#[test]
fn tshark_reads_the_frames_and_their_comments() {
    if !has_labs() {
        return;
    }
    let out = tempfile::tempdir().expect("a folder");
    let file = out.path().join("case.pcapng");
    let name = file.to_str().expect("UTF-8");
    for (case, link, layer) in [("tap", "link0", "1"), ("tun", "link0", "7")] {
        let case = format!("link-state/udp-sendto[{case},up,neighbour]");
        assert!(sockeye(&["wire", &case, "-o", name]).status.success());
        let fields = ["frame.interface_name", "frame.encap_type", "frame.comment", "udp.dstport"];
        let fields = [&fields[..], &["frame.time_epoch"]].concat();
        let Some(mut frames) = tshark(&file, &fields) else { return };
        if Os::host() != Some(Os::Linux) {
            // A Mac's mDNSResponder speaks on every link that is not one host's.
            frames.retain(|frame| frame[3] == "12345");
        }
        assert_eq!(frames.len(), 1, "{frames:?}");
        let frame = &frames[0];
        assert_eq!(frame[..2], [link, layer]);
        assert!(frame[2].starts_with(&format!("{case}: sendto(s, ")), "{frame:?}");
        assert_eq!(frame[3], "12345");
        // Nanoseconds of this century.
        let (seconds, fraction) = frame[4].split_once('.').expect("a fraction");
        assert!(seconds.len() == 10 && fraction.len() == 9, "{frame:?}");
    }
}

/// What python3 sends, in a lab, in 10,000 bytes of UDP with these options; none without python3.
fn observed_python(option: &str, out: &Path) -> Option<String> {
    let program = format!(
        "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n{option}\n\
         try: s.sendto(b'x' * 10000, ('203.0.113.7', 25000))\n\
         except OSError as e: print(e)"
    );
    let folder = out.to_str().expect("UTF-8");
    let output = sockeye(&["observe", "--out", folder, "--", "python3", "-c", &program]);
    if !output.status.success() && stderr(&output).contains("No such file") {
        eprintln!("skipped: python3 is not installed");
        return None;
    }
    assert!(output.status.success(), "{}", stderr(&output));
    Some(stdout(&output))
}

#[test]
fn a_runtime_is_laid_beside_another() {
    if !has_labs() || !is_linux() {
        return;
    }
    let out = tempfile::tempdir().expect("a folder");
    let (plain, whole) = (out.path().join("plain"), out.path().join("whole"));
    // IP_MTU_DISCOVER to IP_PMTUDISC_DO: do not fragment.
    let option = "s.setsockopt(socket.IPPROTO_IP, 10, 2)";
    let Some(text) = observed_python("", &plain) else { return };
    assert!(text.contains("frag 0+1480 UDP") && text.contains("> 25000 len 10000"), "{text}");
    let Some(text) = observed_python(option, &whole) else { return };
    assert!(!text.contains("UDP"), "{text}");
    let diff = |a: &Path, b: &Path| {
        let output = sockeye(&["diff", "--full", a.to_str().unwrap(), b.to_str().unwrap()]);
        (output.status.code(), stdout(&output))
    };
    let (code, text) = diff(&plain, &whole);
    assert_eq!(code, Some(1));
    assert!(text.contains("-     > link0 IPv4 192.0.2.1 > 203.0.113.7 ttl 64 MF"), "{text}");
    assert_eq!(diff(&plain, &plain).0, Some(0));
}

#[test]
fn an_observed_program_may_not_run_forever() {
    if !has_labs() {
        return;
    }
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("UTF-8");
    let output = sockeye(&["observe", "--limit", "1", "--out", folder, "--", "sleep", "60"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("killed after 1 s"), "{}", stderr(&output));
}

#[test]
fn what_changed_or_deviates_is_status_1() {
    if !has_labs() || !is_linux() {
        return;
    }
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("UTF-8");
    let case = "link-state/udp-sendto[tap,up,neighbour]";
    let status = |args: &[&str]| {
        let output = sockeye(&[&["run", case, "--out", folder], args].concat());
        (output.status.code(), stdout(&output))
    };
    assert_eq!(status(&[]).0, Some(0));
    let (code, text) = status(&["--plant", "sendto-lies"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("changed") && text.contains("no-silent-loss"), "{text}");
}

#[rstest]
#[case(&["schema"], "\"socketpair\"", true)]
#[case(&["schema"], "\"Sendto\"", false)]
#[case(&["man"], ".TH sockeye", true)]
#[case(&["completions", "bash"], "-F _clap_complete_sockeye", true)]
#[case(&["list"], "link-state/netdown", true)]
#[case(&["list", "--catalogue"], "LINK-05", true)]
#[case(&["list", "--catalogue"], "not on Linux: needs a macOS content filter", true)]
#[case(&["coverage", "flags"], "in Linux it is the kernel's own", true)]
#[case(&["coverage", "flags"], "SO_TYPE", false)]
#[case(&["coverage", "--missing"], "options SO_TYPE", false)]
#[case(&["coverage", "--json"], r#""name":"IPV6_V6ONLY","state":"seen","depth":"effect""#, true)]
#[case(&["coverage", "--markdown"], "| bind EADDRINUSE | ", true)]
#[case(&["list", "--left-out"], "a tun has no address resolution", true)]
fn what_is_printed_for_other_programs(
    #[case] args: &[&str],
    #[case] has: &str,
    #[case] wanted: bool,
) {
    let output = sockeye(args);
    assert!(output.status.success());
    assert_eq!(stdout(&output).contains(has), wanted, "{args:?}: {has}");
}

#[test]
fn output_in_a_pipe_is_plain() {
    if !has_labs() {
        return;
    }
    let output = sockeye(&["show", "link-state/netdown"]);
    assert!(!stdout(&output).contains('\u{1b}') && !stderr(&output).contains('\u{1b}'));
}

/// The end of a run: what has to be looked at first, the line that matters and what to do next last.
#[test]
fn a_run_ends_with_what_matters() {
    if !has_labs() || !is_linux() {
        return;
    }
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("UTF-8");
    let run = |args: &[&str]| {
        let _turn = turn();
        let output = Command::new(env!("CARGO_BIN_EXE_sockeye"))
            .args([&["run", "link-state/udp-bound-own", "--out", folder], args].concat())
            .env("COLUMNS", "72")
            .output()
            .expect("sockeye starts");
        stdout(&output)
    };
    let text = run(&[]);
    let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("no {words:?}: {text}"));
    assert!(at("known ") < at("suite ") && at("suite ") < at(" as observed, "), "{text}");
    assert!(at(" 0 new)") < at("next: sockeye show 'link-state/udp-bound-own["), "{text}");
    // Folded, and by suite: neither a reason nor a table is there until it is asked for.
    assert!(text.contains("`--known` tells") && !text.contains("noop qdisc"), "{text}");
    assert!(!text.contains("\ntable "), "{text}");
    // In a pipe lines have no end, whatever the environment says.
    let whole =
        text.lines().any(|line| line.starts_with("known ") && line.ends_with(" tells each"));
    assert!(whole, "{text}");
    let text = run(&["--known", "--tables"]);
    assert!(
        text.contains("noop qdisc") && text.contains("      sockeye show 'link-state/"),
        "{text}"
    );
    assert!(text.contains("\ntable ") && text.contains("\nlink-state/udp-bound-own "), "{text}");
    // What is found stands before all of it.
    let text = run(&["--plant", "sendto-lies"]);
    let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("no {words:?}: {text}"));
    assert_eq!(at("changed "), 0, "{text}");
    assert!(at("next: sockeye show '") < at("sockeye bundle '"), "{text}");
}

/// A frame of an outcome that changed stands below its call, in this run as in the baseline.
#[test]
fn a_frame_is_set_in_on_both_sides() {
    if !has_labs() || !is_linux() {
        return;
    }
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("UTF-8");
    let case = "link-state/udp-sendto[tap,up,neighbour]";
    let output = sockeye(&["run", case, "--plant", "sendto-lies", "--out", folder]);
    let text = stdout(&output);
    let side = |line: &&str| line.contains(" > link0 to neighbour: IPv6 ");
    let frame = text.lines().find(side).unwrap_or_else(|| panic!("no frame: {text}"));
    let (_, rest) = frame.split_at(17);
    assert!(rest.starts_with("    > link0 "), "{text}");
}

#[rstest]
#[case(&["lst"], "did you mean `sockeye list`?")]
#[case(&["lst", "--stats"], "did you mean `sockeye list`?")]
#[case(&["shwo", "netdown"], "did you mean `sockeye show`?")]
#[case(&["man", "lst"], "no command is called \"lst\"; there is `sockeye list`")]
#[case(&["list", "--tag", "pmut"], "nearest are pmtu")]
#[case(&["list", "--call", "kevent", "--tag", "dns"], "no case is all of that")]
#[case(&["matrix", "src", "-o", "/nonexistent/x"], "src is not a run")]
fn what_is_mistyped_gets_what_was_meant(#[case] args: &[&str], #[case] says: &str) {
    let output = sockeye(args);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains(says), "{}", stderr(&output));
}

#[rstest]
#[case(&["help"], "bundle")]
#[case(&["help", "list"], "--left-out")]
#[case(&["help", "control", "http"], "--allow-remote")]
#[case(&["man", "list"], "sockeye\\-list")]
#[case(&["man", "control", "http"], "allow\\-remote")]
#[case(&["schema", "results"], "\"verdict\"")]
#[case(&["schema", "control"], "\"at_ms\"")]
#[case(&["completions", "zsh"], "SOCKEYE_COMPLETE=")]
#[case(&["list", "--tags"], "don't fragment")]
#[case(&["list", "netdown"], "link-state/netdown")]
#[case(&["list", "--call", "sendmsg", "--option", "UDP_SEGMENT"], "fragmentation/segment-message[")]
#[case(&["show", "netdown", "--platforms"], "sendto(s, ")]
#[case(&["claims", "netdown", "--run", "reports/tests/runs/1"], "netdown")]
#[case(&["report", "reports/tests/runs/1"], "## sockeye: ")]
fn what_is_asked_for_is_there(#[case] args: &[&str], #[case] has: &str) {
    let output = sockeye(args);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains(has), "{args:?}: {}", stdout(&output));
}

#[test]
fn man_pages_are_written_for_all_commands() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().join("man");
    let output = sockeye(&["man", "--out", at.to_str().expect("UTF-8")]);
    assert!(output.status.success(), "{}", stderr(&output));
    for page in ["sockeye.1", "sockeye-list.1", "sockeye-control-http.1"] {
        assert!(at.join(page).is_file(), "{page}");
    }
    // A folder that cannot be made is a sentence.
    let output = sockeye(&["man", "--out", "/dev/null/man"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
}

/// A shell that completes asks by the environment; ids of cases are among the answers.
#[test]
fn a_shell_completes_the_ids_of_cases() {
    let ask = |words: &[&str]| {
        let number = (words.len() - 1).to_string();
        let output = Command::new(env!("CARGO_BIN_EXE_sockeye"))
            .arg("--")
            .args(words)
            .env("SOCKEYE_COMPLETE", "bash")
            .env("_CLAP_COMPLETE_INDEX", number)
            .env("_CLAP_COMPLETE_COMP_TYPE", "9")
            .env("_CLAP_IFS", "\n")
            .output()
            .expect("sockeye starts");
        stdout(&output)
    };
    let ids = ask(&["sockeye", "show", "link-state/udp-sendto[tap,down,ne"]);
    assert!(ids.contains("link-state/udp-sendto[tap,down,neighbour]"), "{ids}");
    assert!(!ids.contains("tap,up"), "{ids}");
    let tags = ask(&["sockeye", "list", "--tag", "pm"]);
    assert!(tags.contains("pmtu") && !tags.contains("dual-stack"), "{tags}");
}

/// Whatever is in the environment: a command does what it is told.
#[rstest]
#[case("COMPLETE", "bash")]
#[case("COMPLETE", "1")]
#[case("SOCKEYE_COMPLETE", "1")]
#[case("SOCKEYE_COMPLETE", "bash")]
fn a_variable_completes_nothing(#[case] name: &str, #[case] value: &str) {
    let ask = |args: &[&str], input: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sockeye"))
            .args(args)
            .env(name, value)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sockeye starts");
        let mut stdin = child.stdin.take().expect("piped");
        // `list` reads nothing and may have ended.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        stdout(&child.wait_with_output().expect("it ends"))
    };
    let listed = ask(&["list", "link-state/netdown"], "");
    assert!(listed.contains("link-state/netdown") && !listed.contains("_CLAP"), "{listed}");
    let case = netdown();
    let _turn = turn();
    let replies = ask(&["exec"], &case);
    assert!(replies.starts_with("{\"hello\":") && replies.lines().count() == 2, "{replies}");
}

/// What `run --json` prints is what its schema says: no key that it lacks, and all that it asks for.
#[test]
fn results_are_as_their_schema_says() {
    let schema: serde_json::Value =
        serde_json::from_str(&stdout(&sockeye(&["schema", "results"]))).expect("JSON");
    let fits = |line: &serde_json::Value| {
        let line = line.as_object().expect("an object");
        let known = schema["properties"].as_object().expect("properties");
        let required = schema["required"].as_array().expect("a list");
        let has = |key: &serde_json::Value| line.contains_key(key.as_str().unwrap_or_default());
        line.keys().all(|key| known.contains_key(key)) && required.iter().all(has)
    };
    let run = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/tests/runs/1");
    let lines = stdout(&sockeye(&["report", run, "--format", "json"]));
    assert!(lines.lines().count() > 10);
    let page = include_str!("../docs/results.md");
    for line in lines.lines() {
        let mut line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert!(fits(&line), "{line}");
        for key in line.as_object().expect("an object").keys() {
            assert!(page.contains(&format!("`{key}`")), "{key} is not in docs/results.md");
        }
        // And one that is not so is found.
        let verdict = line.as_object_mut().and_then(|line| line.remove("verdict"));
        assert!(!fits(&line));
        line["verdict"] = verdict.expect("it has one");
        line["surprise"] = true.into();
        assert!(!fits(&line));
    }
}

#[test]
fn tables_are_told_as_json() {
    if !has_labs() {
        return;
    }
    let output = sockeye(&["list", "--stats", "--json", "link-state"]);
    for line in stdout(&output).lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert!(
            line["table"].as_str().is_some_and(|name| name.starts_with("link-state")),
            "{line}"
        );
        assert!(line["rows"].as_u64() >= Some(1) && line["question"].is_string(), "{line}");
    }
    assert!(stdout(&output).lines().count() > 5);
}

/// What is as it should be broke no rule: the program of it said what `link-state/netdown` is about under "expected".
#[test]
fn a_program_expects_what_a_rule_says_that_was_broken() {
    if !is_linux() || !has_labs() {
        return;
    }
    let is_heading = |line: &str| line == " * expected:";
    let clean = stdout(&sockeye(&["repro", "link-state/netdown"]));
    assert!(clean.contains("#include") && !clean.lines().any(is_heading), "{clean}");
    let broken = stdout(&sockeye(&["repro", "link-state/udp-bound-own[tap,down,limited4]"]));
    let at = broken.lines().position(is_heading).expect("what is expected");
    let said: Vec<&str> = broken.lines().skip(at + 1).take(2).collect();
    assert!(said.concat().contains("A send that reports success leaves its payload"), "{said:?}");
}
