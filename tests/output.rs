//! Whatever others wrote, and wherever output goes: each command says text as text, and ends with a
//! sentence and a status where nothing more can be written.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use harness::text::is_obeyed;
use nix::pty::{Winsize, openpty};
use rstest::rstest;
use serde_json::Value;

use crate::common::{has_labs, is_linux, sockeye, stderr, stdout};

const SOCKEYE: &str = env!("CARGO_BIN_EXE_sockeye");

/// What a terminal or an eye would obey: CSI, OSC, C0, DEL, C1, directions, separators, what is not
/// seen; and a line that pretends to be ours.
const HOSTILE: &str = "\x1b[31mX\x1b]0;t\x07\r\x08\x7f\u{85}\u{9b}2J\u{202e}\u{2066}\u{2028}\u{200b}\u{feff}\u{e0041}\nsockeye: forged";

/// The case that commands about one are asked for.
const CASE: &str = "link-state/netdown";

fn obeyed(text: &str) -> Option<char> {
    text.chars().find(|c| is_obeyed(*c) && !matches!(c, '\n' | '\t'))
}

#[test]
fn each_of_them_is_found() {
    for c in HOSTILE.chars().filter(|c| !matches!(c, '\n' | ' '..='~')) {
        assert_eq!(obeyed(&format!("text{c}text")), Some(c));
    }
    assert_eq!(obeyed("\\x1b[31m\tplain\n"), None);
}

/// Nothing of it is obeyed on either stream, and nobody but us begins a line.
#[track_caller]
fn is_text(output: &Output, what: &str) {
    for text in [stdout(output), stderr(output)] {
        assert_eq!(obeyed(&text), None, "{what}: {text}");
    }
    assert!(!stderr(output).contains("\nsockeye: forged"), "{what}: {}", stderr(output));
    assert!(!stderr(output).contains("panicked"), "{what}: {}", stderr(output));
}

/// Every text in a value, by where it stands, may be changed.
fn each_text(value: &mut Value, path: &str, change: &mut dyn FnMut(&str, &mut String)) {
    match value {
        Value::String(text) => change(path, text),
        Value::Array(all) => all.iter_mut().for_each(|one| each_text(one, path, change)),
        Value::Object(all) => {
            for (name, one) in all {
                each_text(one, &format!("{path}/{name}"), change);
            }
        }
        _ => {}
    }
}

/// A run whose texts at these places have more in them than they should; the places that there are.
fn planted(into: &Path, is_meant: &dyn Fn(&str) -> bool) -> Vec<String> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/tests/runs/1");
    let mut places = Vec::new();
    let mut change = |path: &str, text: &mut String| {
        if is_meant(path) {
            text.push_str(HOSTILE);
        }
        places.push(path.to_owned());
    };
    let read = |name: &str| fs::read_to_string(from.join(name)).expect("a run");
    let mut manifest: Value = serde_json::from_str(&read("run.json")).expect("JSON");
    each_text(&mut manifest, "run", &mut change);
    fs::write(into.join("run.json"), manifest.to_string()).expect("it is written");
    let mut lines = File::create(into.join("results.jsonl")).expect("it is written");
    for line in read("results.jsonl").lines() {
        let mut line: Value = serde_json::from_str(line).expect("JSON");
        each_text(&mut line, "line", &mut change);
        writeln!(lines, "{line}").expect("it is written");
    }
    places.sort_unstable();
    places.dedup();
    places
}

/// Commands that read the run `R`, and another one `O`; what they write goes to `W`.
const READERS: [&str; 17] = [
    "report R --format json",
    "report R --format junit",
    "report R --format ktap",
    "report R --format markdown",
    "report R --format kcidb",
    "diff R O --subject native",
    "diff O R --subject native --full",
    "diff R O --subject native --format json",
    "diff R O --subject native --format markdown",
    "diff R --subjects native,linux-6.2",
    "merge R -o W",
    "claims --run R",
    "claims --run R --json",
    "show link-state/netdown --platforms --run R",
    "changes R",
    "matrix R O -o W",
    "bundle link-state/netdown --run R --times 1 -o W",
];

fn with(command: &str, run: &Path, other: &Path) -> Output {
    let (run, other) = (run.to_str().expect("UTF-8"), other.to_str().expect("UTF-8"));
    let to = tempfile::tempdir().expect("a folder");
    let to = to.path().join("written").display().to_string();
    let word = |word: &str| match word {
        "R" => run.to_owned(),
        "O" => other.to_owned(),
        "W" => to.clone(),
        _ => word.to_owned(),
    };
    let words: Vec<String> = command.split(' ').map(word).collect();
    sockeye(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Each place alone, so that one that is refused hides no other; then all that are taken, in every
/// command.
#[test]
fn no_text_of_a_run_is_obeyed() {
    let (plain, run) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let places = planted(plain.path(), &|_| false);
    assert!(places.len() > 60, "{places:?}");
    let mut taken = Vec::new();
    for place in &places {
        planted(run.path(), &|path| path == place);
        let output = with("report R --format json", run.path(), plain.path());
        is_text(&output, place);
        if output.status.success() {
            taken.push(place.clone());
        }
    }
    assert!(!taken.is_empty(), "all are refused");
    // With ids and subjects as they were, so that the commands find something to say.
    let is_id = |place: &String| {
        ["/id", "/case", "/subject", "/name"].iter().any(|end| place.ends_with(end))
    };
    let [ids, others]: [Vec<String>; 2] = [true, false]
        .map(|which| taken.iter().filter(|place| is_id(place) == which).cloned().collect());
    let mut shown = 0;
    for places in [&others, &ids] {
        planted(run.path(), &|path| places.iter().any(|place| place == path));
        for command in READERS {
            let output = with(command, run.path(), plain.path());
            is_text(&output, command);
            shown += usize::from(stdout(&output).contains("\\x1b[31mX"));
        }
    }
    assert!(shown > 0, "nothing is shown of {taken:?}");
}

/// What JSON says is what was there.
#[test]
fn json_says_the_same() {
    let (plain, run) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    planted(run.path(), &|path| path == "line/outcome");
    let output = with("report R --format json", run.path(), plain.path());
    let lines: Vec<Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(!lines.is_empty());
    for line in lines {
        assert!(line["outcome"].as_str().is_some_and(|text| text.ends_with(HOSTILE)), "{line}");
    }
}

/// Arguments and names of files are told in errors.
#[rstest]
#[case(&["list", "H"])]
#[case(&["show", "H"])]
#[case(&["H"])]
#[case(&["--H"])]
#[case(&["list", "--H"])]
#[case(&["report", "H", "--format", "H"])]
#[case(&["report", "H", "--format", "ktap"])]
#[case(&["diff", "H", "H"])]
#[case(&["merge", "H", "-o", "H"])]
#[case(&["adopt", "H"])]
#[case(&["claims", "H"])]
#[case(&["matrix", "H", "-o", "H"])]
#[case(&["bundle", "H"])]
#[case(&["run", "--shard", "H"])]
#[case(&["run", "--plant", "H"])]
#[case(&["run", "--on", "H", "link-state/netdown"])]
#[case(&["subjects", "H"])]
#[case(&["control", "http", "--listen", "H"])]
#[case(&["control", "http", "--script", "H"])]
#[case(&["control", "http", "--", "H"])]
#[case(&["wire", "link-state/netdown", "-o", "/dev/null/H/H"])]
fn no_argument_is_obeyed(#[case] words: &[&str]) {
    let words: Vec<String> = words.iter().map(|word| word.replace('H', HOSTILE)).collect();
    let output = sockeye(&words.iter().map(String::as_str).collect::<Vec<_>>());
    assert_ne!(output.status.code(), Some(0), "{words:?}");
    assert!(!stderr(&output).is_empty(), "{words:?}");
    is_text(&output, &format!("{words:?}"));
}

/// A program that says what it likes where it is asked which kernel it is, and why it skips a case.
#[rstest]
#[case(&[])]
#[case(&["--json"])]
#[case(&["--format", "ktap"])]
fn no_word_of_a_subject_is_obeyed(#[case] more: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, value: Value| {
        fs::write(folder.path().join(name), format!("{value}\n")).expect("it is written");
    };
    // Of a newline the protocol's lines know nothing: it is an escape of JSON's here.
    write(
        "hello",
        serde_json::json!({"hello": {"schema": 1, "kernel": {
            "system": "Linux", "release": format!("6.18{HOSTILE}"), "version": HOSTILE,
            "machine": HOSTILE, "euid": 0, "libc": HOSTILE,
        }}}),
    );
    for (name, end) in [
        ("skipped", serde_json::json!({"skipped": {"reason": HOSTILE}})),
        ("broken", serde_json::json!({"broken": {"reason": HOSTILE}})),
    ] {
        write(
            name,
            serde_json::json!({"trace": {
                "schema": 1, "case": "ID", "began_ns": 0, "links": [], "events": [], "end": end,
            }}),
        );
    }
    let script = r#"cd "$(dirname "$0")" && cat hello && while read -r line; do
          id=$(printf '%s' "$line" | sed 's/.*"id":"\([^"]*\)".*/\1/')
          case $id in *tap*) file=broken;; *) file=skipped;; esac
          sed "s|ID|$id|" $file; done"#;
    let program = folder.path().join("subject");
    fs::write(&program, script).expect("it is written");
    let script = format!("cmd:sh {}", program.display());
    let out = folder.path().join("out").display().to_string();
    let words = [&["run", "--on", &script, "--out", &out, "link-state/udp-sendto"], more].concat();
    let output = sockeye(&words);
    is_text(&output, "run --on");
    let said = format!("{}{}", stdout(&output), stderr(&output));
    // It is shown, whoever made it fit to be: a release like that is refused.
    let forms = ["\\x1b[31mX", "\\u001b[31mX", "\\u{1b}[31mX"];
    assert!(forms.iter().any(|form| said.contains(form)), "{said}");
}

/// A client of `sockeye control http` writes what it likes, too.
#[rstest]
#[case(&["--json"])]
#[case(&[])]
fn no_request_is_obeyed(#[case] more: &[&str]) {
    let mut child = Command::new(SOCKEYE)
        .args(["control", "http", "--requests", "1"])
        .args(more)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut said = BufReader::new(child.stdout.take().expect("piped"));
    let mut text = String::new();
    said.read_line(&mut text).expect("it says where");
    let at = text.split("http://").nth(1).and_then(|rest| rest.split('/').next());
    let mut stream = TcpStream::connect(at.expect("an address")).expect("it serves");
    let request = "GET /\u{9b}\u{202e} HTTP/1.1\r\nHost: h\r\nX: \u{9b}31m\u{202e}\r\nCookie: a=\u{85}\u{2028}\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("it reads");
    let _ = stream.read_to_end(&mut Vec::new());
    said.read_to_string(&mut text).expect("UTF-8");
    child.wait().expect("it ends");
    let obeyed = text.chars().find(|c| is_obeyed(*c) && !matches!(c, '\n' | '\t'));
    assert_eq!(obeyed, None, "{text}");
    assert!(
        text.contains("u202e") || text.contains("\\xe2\\x80\\xae") || text.contains("u{202e}"),
        "{text}"
    );
}

/// All commands that print: those that want a lab, and those that do not.
const PRINTERS: [(&str, bool); 26] = [
    ("list", false),
    ("list --json", false),
    ("list --stats", false),
    ("list --catalogue", false),
    ("list --left-out", false),
    ("show link-state/netdown --platforms", false),
    ("schema", false),
    ("completions zsh", false),
    ("man", false),
    ("--help", false),
    ("--version", false),
    ("control http --list-scripts", false),
    ("control http -- true", false),
    ("control http --json -- true", false),
    ("report R --format json", false),
    ("report R --format junit", false),
    ("diff R --subjects native,linux-6.2", false),
    ("merge R -o W", false),
    ("claims --run R", false),
    ("changes R", false),
    ("show link-state/netdown", true),
    ("repro link-state/netdown", true),
    ("netdown", true),
    ("run link-state/netdown --out W", true),
    ("run link-state/netdown --out W --json", true),
    ("observe --out W -- true", true),
];

/// Each of them with standard output at `to`, and the run that stands in the repository.
fn each_printer(to: &dyn Fn() -> Stdio, look: &dyn Fn(&str, &Output)) {
    let labs = has_labs();
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/tests/runs/1");
    for (command, _) in PRINTERS.iter().filter(|(_, lab)| labs || !lab) {
        let folder = tempfile::tempdir().expect("a folder");
        let (run, written) =
            (run.display().to_string(), folder.path().join("w").display().to_string());
        let word = |word: &'static str| match word {
            "R" => run.clone(),
            "W" => written.clone(),
            _ => word.to_owned(),
        };
        let _turn = crate::common::turn();
        let output = Command::new(SOCKEYE)
            .args(command.split(' ').map(word))
            .stdout(to())
            .output()
            .expect("sockeye starts");
        look(command, &output);
    }
}

/// `sockeye list > /dev/full` panicked, and so did seven others.
#[test]
fn a_full_standard_output_is_a_sentence_and_a_status() {
    if !is_linux() {
        return;
    }
    let full = || File::options().write(true).open("/dev/full").expect("Linux has one").into();
    each_printer(&full, &|command, output| {
        let says =
            "sockeye: standard output cannot be written: No space left on device (os error 28)\n";
        let said = stderr(output);
        // The run that stands in the repository was cut off, and that is said, too.
        assert!(said.ends_with(says) && !said.contains("panicked"), "{command}: {said}");
        assert_eq!(output.status.code(), Some(3), "{command}");
    });
}

/// Nothing is said of a reader that has seen enough.
#[test]
fn a_closed_pipe_ends_quietly() {
    let closed = || {
        let (_, to) = std::io::pipe().expect("a pipe");
        Stdio::from(to)
    };
    each_printer(&closed, &|command, output| {
        assert!(!stderr(output).contains("written"), "{command}: {}", stderr(output));
        assert!(!stderr(output).contains("panicked"), "{command}: {}", stderr(output));
        assert!(matches!(output.status.code(), Some(0 | 1)), "{command}: {output:?}");
    });
}

/// What a run found is kept, whatever becomes of what it says.
#[test]
fn results_outlive_a_full_standard_output() {
    if !is_linux() || !has_labs() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("run");
    let full = File::options().write(true).open("/dev/full").expect("Linux has one");
    let args = ["run", CASE, "--out", out.to_str().expect("UTF-8")];
    let status = Command::new(SOCKEYE).args(args).stdout(full).status().expect("it starts");
    assert_eq!(status.code(), Some(3));
    let read = sockeye(&["report", out.to_str().expect("UTF-8"), "--format", "json"]);
    assert_eq!(stdout(&read).lines().count(), 1, "{read:?}");
}

/// A sentence and a status where the system gives no more: files that may not grow (SIGXFSZ killed it),
/// memory, descriptors.
#[rstest]
#[case::files("-f 0", "list", "standard output cannot be written: File too large")]
#[case::results("-f 1", "run link-state/netdown --out W", "cannot be written: File too large")]
#[case::page("-f 1", "matrix R -o W", "cannot be written: File too large")]
#[case::descriptors("-n 5", "show link-state/netdown", "Too many open files")]
fn a_limit_is_a_sentence_and_a_status(
    #[case] limit: &str,
    #[case] command: &str,
    #[case] says: &str,
) {
    if !is_linux() {
        return;
    }
    let output = limited(limit, command);
    let said = stderr(&output);
    let last = said.lines().last().unwrap_or_default();
    assert!(last.starts_with("sockeye: ") && last.contains(says), "{said}");
    assert_eq!(output.status.code(), Some(3), "{said}");
}

fn limited(limit: &str, command: &str) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/tests/runs/1");
    let (to, from) = (folder.path().join("w"), run.display().to_string());
    let command =
        command.replace(" W", &format!(" {}", to.display())).replace(" R", &format!(" {from}"));
    let said = File::create(folder.path().join("said")).expect("a file");
    let script = format!("ulimit {limit} && exec '{SOCKEYE}' {command}");
    Command::new("sh").args(["-c", &script]).stdout(said).output().expect("a shell")
}

/// At every size of the address space: it works, or it says so in one sentence. Where the system cannot
/// load the program at all it is the loader that says so, or nobody.
#[test]
fn too_little_memory_is_a_sentence_and_a_status() {
    if !is_linux() {
        return;
    }
    let mut refused = 0;
    for command in ["list", "list --json"] {
        for kilobytes in (40_000..90_000).step_by(10_000) {
            let output = limited(&format!("-v {kilobytes}"), command);
            let said = stderr(&output);
            let is_loader = output.status.code().is_none_or(|status| status == 127);
            if is_loader && !said.contains("sockeye: ") {
                continue;
            }
            assert!(said.lines().count() <= 1, "{kilobytes}: {said}");
            let expected = if said.is_empty() { 0 } else { 3 };
            assert_eq!(output.status.code(), Some(expected), "{command} {kilobytes}: {said}");
            refused += usize::from(said.contains("there is no more memory to be had"));
        }
    }
    assert!(refused > 0, "no limit was reached");
}

/// What is said on a terminal that has so many columns, or does not say how many, and in an environment
/// that does.
fn on_a_terminal(columns: u16, said: &str, args: &[&str]) -> String {
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let terminal = openpty(Some(&size), None).expect("a terminal");
    let _turn = crate::common::turn();
    // The other end of it goes with this.
    let child = Command::new(SOCKEYE)
        .args(args)
        .envs([("COLUMNS", said), ("NO_COLOR", "1")])
        .stdout(terminal.slave)
        .stderr(Stdio::null())
        .spawn();
    let mut text = Vec::new();
    // EIO on Linux, once nobody has the other end.
    let _ = File::from(terminal.master).read_to_end(&mut text);
    child.expect("sockeye starts").wait().expect("it ends");
    String::from_utf8(text).expect("UTF-8").replace('\r', "")
}

/// Between words: none is wider, but for a word that is.
#[test]
fn lines_break_where_a_terminal_ends() {
    if !has_labs() || !is_linux() {
        return;
    }
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("UTF-8");
    let args = ["run", "link-state/udp-bound-own", "--out", folder];
    for (columns, said, width) in [(72, "200", 72), (0, "64", 64)] {
        let text = on_a_terminal(columns, said, &args);
        assert!(
            text.contains("\n      ") && !text.contains(" down: `--known` tells each\n"),
            "{text}"
        );
        let wide = |line: &&str| line.chars().count() > width && line.trim().contains(' ');
        for line in text.lines().filter(wide) {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert!(words.iter().any(|word| word.len() > 40), "{line}");
        }
    }
    let text = on_a_terminal(0, "", &args);
    assert!(text.contains(" down: `--known` tells each\n"), "{text}");
}
