//! Cases of a user's own: where patterns stand files stand, what they ask is judged, and they are written.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use rstest::rstest;
use serde_json::Value;

use crate::common::own::{folder, lines, sockeye, verdict};
use crate::common::{SOCKEYE, has_labs, is_linux, stderr, stdout, turn};

/// As it is written, it is so on every system.
const GOOD: &str = "\
# Does a datagram leave as it was sent?
tun link0 mtu 1400
socket(AF_INET, SOCK_DGRAM, 0) = s
connect(s, {AF_INET neighbour(link0):9}) = 0
send(s, \"x\", 1, 0) = 1
    > link0 UDP \"x\"
";

/// A case without a network.
const PLAIN: &str = "\
# What does a socket of datagrams say?
socket(AF_INET, SOCK_DGRAM, 0) = s
recv(s, 64, MSG_DONTWAIT)
listen(s, 1)
";

const JSON: &str = r#"{"id": "mine/receive", "title": "Is there something?", "ops": [
  {"socket": {"fd": "s", "domain": "AF_INET", "type": ["SOCK_DGRAM"], "protocol": []}},
  {"recv": {"fd": "s", "len": 64, "flags": ["MSG_DONTWAIT"]}}]}"#;

#[test]
fn files_and_folders_stand_where_patterns_stand() {
    if !has_labs() {
        return;
    }
    let files =
        [("b/plain.case", PLAIN), ("a.json", JSON), ("b/.hidden.case", "?"), ("b/x.md", "?")];
    let at = folder(&files);
    std::os::unix::fs::symlink("/dev/zero", at.path().join("b/link.case")).expect("a link");
    let ids = |args: &[&str]| -> Vec<String> {
        let (lines, code) = lines(at.path(), args);
        assert_eq!(code, Some(0), "{args:?}");
        lines.iter().map(|line| line["id"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(ids(&["."]), ["a/receive", "plain/case"]);
    assert_eq!(ids(&["b"]), ["plain/case"]);
    assert_eq!(
        ids(&["b/plain.case", "link-state/netdown", "./b/"]),
        ["link-state/netdown", "plain/case"]
    );
    assert_eq!(ids(&["a.json:receive"]), ["a/receive"]);
    assert_eq!(ids(&[".", "--call", "listen"]), ["plain/case"]);
    // What ran reads back as a run, with the case's title as its table's question.
    let run = reports::runs::read(&at.path().join("out")).expect("a run");
    assert_eq!(run.manifest.tables["plain/case"], "What does a socket of datagrams say?");
    // A list and lines are as good.
    let list = format!("[{JSON}, {}]", JSON.replace("receive", "again"));
    let at = folder(&[
        ("l.json", &list),
        ("n.json", &list[1..list.len() - 1].replace("]}, {", "]}\n{")),
    ]);
    let (lines, _) = lines(at.path(), &["."]);
    assert_eq!(lines.len(), 4);
}

/// A case that has what it asks is `ok` where nobody has run it before, one that asks nothing is `new`,
/// and one that has not what it asks is `unexpected`, and says where.
#[test]
fn what_a_text_asks_is_a_verdict() {
    if !has_labs() {
        return;
    }
    let bad = GOOD.replace("= 1\n", "= -1 ENETDOWN|EPIPE\n").replace("\"x\"\n", "\"y\"\n");
    let bad = bad.replace("send(s, \"x\", 1, 0)", "send(s, \"x\", 1, MSG_DONTWAIT)");
    let at = folder(&[("good.case", GOOD), ("plain.case", PLAIN), ("d/bad.case", &bad)]);
    let at = at.path();
    assert_eq!(verdict(at, &["good.case"]), ("ok".to_owned(), Some(0)));
    assert_eq!(verdict(at, &["plain.case"]), ("new".to_owned(), Some(0)));
    assert_eq!(verdict(at, &["plain.case", "--strict"]), ("new".to_owned(), Some(1)));
    let (lines, code) = lines(at, &["d"]);
    assert_eq!((code, &lines[0]["verdict"]), (Some(1), &Value::from("unexpected")));
    let unexpected = lines[0]["unexpected"].as_array().expect("what did not come");
    assert_eq!(unexpected.len(), 2, "{unexpected:?}");
    assert_eq!((&unexpected[0]["file"], &unexpected[0]["line"]), (&"d/bad.case".into(), &5.into()));
    assert_eq!(
        (&unexpected[0]["wanted"], &unexpected[0]["came"]),
        (&"= -1 ENETDOWN|EPIPE".into(), &"1".into())
    );
    assert_eq!((&unexpected[1]["line"], &unexpected[1]["op"]), (&6.into(), &2.into()));
    // It reads back, and a run of it is one for everybody else.
    let run = reports::runs::read(&at.join("out")).expect("a run");
    assert!(run.lines[0].is_unexpected() && run.lines[0].unexpected.len() == 2);
    let said = stdout(&sockeye(at, &["run", "d/bad.case", "--out", "out"]));
    for part in ["d/bad.case:5: asked = -1 ENETDOWN|EPIPE", "d/bad.case:5: came  1", "1 unexpected"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(said.contains("sockeye show 'd/bad.case'"), "{said}");
    let show = sockeye(at, &["show", "d/bad.case"]);
    assert_eq!(show.status.code(), Some(1));
    assert!(stdout(&show).contains("d/bad.case:5: asked"), "{}", stdout(&show));
    let junit = stdout(&sockeye(at, &["report", "out", "--format", "junit"]));
    let failure =
        junit.contains("type=\"unexpected\"") && junit.contains("file=\"d/bad.case\" line=\"5\"");
    assert!(failure, "{junit}");
    for (format, part) in
        [("ktap", "#   d/bad.case:5: came  1"), ("markdown", "| unexpected | <code>d/bad.case:5")]
    {
        let text = stdout(&sockeye(at, &["report", "out", "--format", format]));
        assert!(text.contains(part), "{text}");
    }
    let page = sockeye(at, &["matrix", "out", "-o", "page.html"]);
    assert!(page.status.success(), "{}", stderr(&page));
    let page = fs::read_to_string(at.join("page.html")).expect("a page");
    assert!(page.contains("d/bad.case:5 asks"), "the page does not say it");
}

/// What an own case is judged by is its own: no baseline and no known deviation of the suites.
/// Something is asked and came, and yet it is not all as it is written: a call waits for ever, or made nothing.
#[test]
fn what_ran_only_in_part_is_not_ok() {
    if !has_labs() || !is_linux() {
        return;
    }
    let hangs = "socket(AF_INET, SOCK_STREAM, 0) = l\nlisten(l, 1) = 0\naccept(l) = c\n";
    let fails = "socket(AF_INET, SOCK_DGRAM, 0) = s\nlisten(s, 1) = -1\naccept(s) = c\n";
    let fail_asked = fails.replace("= c\n", "= c, -1\n");
    let files = [("hang.case", hangs), ("fail.case", fails), ("failed.case", &fail_asked[..])];
    let at = folder(&files);
    for (file, expected) in [("hang.case", "new"), ("fail.case", "new"), ("failed.case", "ok")] {
        assert_eq!(verdict(at.path(), &[file]), (expected.to_owned(), Some(0)), "{file}");
    }
}

#[test]
fn a_case_of_a_suite_that_is_ones_own_is_new() {
    if !has_labs() {
        return;
    }
    let case = stdout(&sockeye(Path::new("."), &["show", "link-state/netdown", "--as", "json"]));
    let at = folder(&[("mine.json", &case)]);
    let (lines, code) = lines(at.path(), &["mine.json"]);
    assert_eq!(lines[0]["id"], "mine/netdown");
    assert_eq!(lines[0]["baseline"], Value::Null);
    let findings = lines[0]["findings"].as_array().expect("findings");
    assert!(findings.iter().all(|finding| finding["known"].is_null()), "{findings:?}");
    assert_eq!(code == Some(1), !findings.is_empty());
}

#[test]
fn any_case_is_shown_as_text_and_as_json() {
    let at = folder(&[("good.case", GOOD)]);
    let at = at.path();
    for case in ["link-state/netdown", "good.case"] {
        let text = sockeye(at, &["show", case, "--as", "case"]);
        let json = sockeye(at, &["show", case, "--as", "json"]);
        fs::write(at.join("t.case"), &text.stdout).expect("a file");
        fs::write(at.join("j.json"), &json.stdout).expect("a file");
        let again = |file: &str| stdout(&sockeye(at, &["show", file, "--as", "json"]));
        let [text, json] = ["t.case", "j.json"].map(again);
        assert!(text.contains("\"ops\""), "{text}");
        assert_eq!(text.replace("\"t/", "\"j/"), json);
    }
    let text = stdout(&sockeye(at, &["show", "good.case", "--as", "case"]));
    assert!(text.contains("= 1\n    > link0 UDP \"x\"\n"), "what it asks is a part of it: {text}");
    let both = sockeye(at, &["show", "good.case", "--as", "case", "--platforms"]);
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn repro_wire_and_bundle_take_a_file() {
    if !has_labs() {
        return;
    }
    let bad = GOOD.replace("= 1\n", "= -1 ENETDOWN\n");
    let at = folder(&[("bad.case", &bad)]);
    let at = at.path();
    let program = stdout(&sockeye(at, &["repro", "bad.case"]));
    assert!(program.contains("send(") && program.contains("bad.case:5 asks"), "{program}");
    assert!(sockeye(at, &["wire", "bad.case", "-o", "w.pcapng"]).status.success());
    let bundle = sockeye(at, &["bundle", "bad.case", "--times", "2", "-o", "b.zip"]);
    assert!(bundle.status.code().is_some_and(|code| code < 2), "{}", stderr(&bundle));
    assert!(!stdout(&bundle).contains("no fault is claimed"), "{}", stdout(&bundle));
    let file = fs::File::open(at.join("b.zip")).expect("the bundle");
    let mut zip = zip::ZipArchive::new(file).expect("a zip");
    let number = (0..zip.len()).find(|number| {
        let file = zip.by_index(*number);
        file.is_ok_and(|file| file.name().is_ok_and(|name| name.ends_with("README.md")))
    });
    let mut readme = zip.by_index(number.expect("a README")).expect("a README");
    let text = std::io::read_to_string(&mut readme).expect("text");
    assert!(text.contains("bad.case:5 asks") && !text.contains("no fault is claimed"), "{text}");
}

#[test]
fn what_came_is_written_into_the_file() {
    if !has_labs() {
        return;
    }
    let at = folder(&[
        ("plain.case", PLAIN),
        ("link0.case", &GOOD.replace(" = 1\n    > link0 UDP \"x\"", "")),
    ]);
    let at = at.path();
    let run = sockeye(at, &["run", "plain.case", "link0.case", "--update", "--out", "out"]);
    assert!(run.status.success(), "{}", stderr(&run));
    let text = fs::read_to_string(at.join("plain.case")).expect("the file");
    assert!(text.contains("MSG_DONTWAIT) = -1 EAGAIN\n"), "{text}");
    assert!(text.contains("listen(s, 1) = -1 EOPNOTSUPP\n"), "{text}");
    let text = fs::read_to_string(at.join("link0.case")).expect("the file");
    assert!(text.contains("send(s, \"x\", 1, 0) = 1\n    > link0 "), "{text}");
    // Now it is as it is written, and stays so.
    let (lines, code) = lines(at, &["plain.case", "link0.case"]);
    assert!(lines.iter().all(|line| line["verdict"] == "ok") && code == Some(0), "{lines:?}");
    let again = sockeye(at, &["run", "plain.case", "--update", "--out", "out"]);
    assert!(stdout(&again).contains("plain.case is as it was"), "{}", stdout(&again));
    // Whoever updates it, it stays its owner's, with the access that it had.
    if nix::unistd::geteuid().is_root() {
        let path = at.join("link0.case");
        fs::write(&path, GOOD.replace(" = 1\n    > link0 UDP \"x\"", "")).expect("a file");
        std::os::unix::fs::chown(&path, Some(65_534), Some(65_534)).expect("root may");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("root may");
        let run = sockeye(at, &["run", "link0.case", "--update", "--out", "out"]);
        assert!(stdout(&run).contains("wrote"), "{}{}", stdout(&run), stderr(&run));
        let is = fs::metadata(&path).expect("the file");
        assert_eq!((is.uid(), is.gid(), is.mode() & 0o777), (65_534, 65_534, 0o640));
    }
    // What is written is never changed, however wrong it is.
    let wrong = PLAIN.replace("MSG_DONTWAIT)", "MSG_DONTWAIT) = 7").replace("listen(s, 1)\n", "");
    fs::write(at.join("plain.case"), &wrong).expect("a file");
    let run = sockeye(at, &["run", "plain.case", "--update", "--out", "out"]);
    assert_eq!(run.status.code(), Some(1));
    assert_eq!(fs::read_to_string(at.join("plain.case")).expect("the file"), wrong);
}

/// Whatever a case does, what is written of it reads back, and is what comes again: here for some of every
/// suite.
#[test]
fn what_came_of_any_case_is_asked_and_comes_again() {
    if !has_labs() {
        return;
    }
    let cases = suites::tables().into_iter().flat_map(|table| table.cases).step_by(113);
    let cases = cases.filter(|case| case.idles_ms() < 1000 && !case.runs_a_program());
    let text = (0..).zip(cases).map(|(number, case)| {
        let table = case.id.split_once('/').map_or("", |(_, table)| table).to_owned();
        let case = harness::case::Case { id: format!("any/n{number}-{table}"), ..case };
        notation::print(&case) + "\n"
    });
    let text: Vec<String> = text.collect();
    assert!(text.len() > 60, "{} cases", text.len());
    let at = folder(&[("any.case", &text.concat())]);
    let at = at.path();
    let run = sockeye(at, &["run", "any.case", "--update", "--out", "out"]);
    assert!(run.status.code().is_some_and(|code| code < 2), "{}", stderr(&run));
    let before = fs::read_to_string(at.join("any.case")).expect("the file");
    assert!(before.contains("    > ") && before.contains(" = -1 E"), "{before}");
    let (lines, _) = lines(at, &["any.case"]);
    assert_eq!(lines.len(), text.len());
    for line in lines {
        let fits = ["ok", "deviates"].iter().any(|verdict| line["verdict"] == *verdict);
        // One that ends at its first name has nothing that could be written.
        let ended = line["verdict"] == "new" && line["trace"]["end"] == "unsupported";
        assert!(fits || ended || line["verdict"] == "skipped", "{line}");
    }
}

#[test]
fn what_came_is_kept_beside_the_file() {
    if !has_labs() {
        return;
    }
    let at = folder(&[("plain.case", PLAIN)]);
    let at = at.path();
    let with = ["plain.case", "--baselines", "kept"];
    let none = sockeye(at, &[&["run"], &with[..]].concat());
    assert_eq!(none.status.code(), Some(2), "{}", stderr(&none));
    let run = sockeye(at, &[&["run", "--update", "--out", "out"], &with[..]].concat());
    assert!(run.status.success(), "{}", stderr(&run));
    assert_eq!(fs::read_to_string(at.join("plain.case")).expect("the file"), PLAIN);
    assert_eq!(verdict(at, &with), ("ok".to_owned(), Some(0)));
    // A planted negative: what was observed before is another thing.
    let snapshots = suites::baseline::Baselines::files(&at.join("kept"));
    let [snapshot]: &[PathBuf; 1] = snapshots[..].try_into().expect("one snapshot");
    let text = fs::read_to_string(snapshot).expect("a snapshot");
    fs::write(snapshot, text.replace("EAGAIN", "EBADF")).expect("a snapshot");
    assert_eq!(verdict(at, &with), ("changed".to_owned(), Some(1)));
}

#[test]
fn a_new_case_runs() {
    let at = folder(&[]);
    let at = at.path();
    let new = sockeye(at, &["new", "mine"]);
    assert!(new.status.success(), "{}", stderr(&new));
    let text = fs::read_to_string(at.join("mine.case")).expect("the file");
    let again = sockeye(at, &["new", "mine.case"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("mine.case is there already"), "{}", stderr(&again));
    assert_eq!(fs::read_to_string(at.join("mine.case")).expect("the file"), text);
    assert_eq!(sockeye(at, &["new", "link-state"]).status.code(), Some(2));
    if has_labs() {
        assert_eq!(verdict(at, &["mine.case"]), ("ok".to_owned(), Some(0)));
    }
}

/// One clear error each, and nothing runs.
#[rstest]
#[case::no_case(&[("x.md", "")], "empty/", "has no cases")]
#[case::missing(&[], "none.case", "none.case is not there")]
#[case::another_kind(&[("x.md", "")], "./x.md", "no file of cases")]
#[case::no_text(&[], "latin.case", "latin.case:2: this is no UTF-8")]
#[case::pipe(&[], "pipe.case", "pipe.case is a pipe")]
#[case::a_pipe_in_a_folder(&[], ".", "pipe.case is a pipe")]
#[case::too_large(&[], "large.case", "has more than 16777216 bytes")]
#[case::shape(&[("a.json", "[\n {\"id\": 7}]")], "a.json", "a.json:2:9: invalid type")]
#[case::no_json(&[("a.json", "{\n")], "a.json", "a.json:2:0: EOF")]
#[case::refused(&[("a.json", "\n{\"id\": \"a/b\", \"title\": \"a\\nb\", \"ops\": []}")], "a.json", "a.json:2: its title is no line")]
#[case::title(&[("a.case", "# is\u{200b} it?\nsocket(AF_INET, SOCK_DGRAM, 0) = s")], "a.case", "a.case:1:5")]
#[case::capitals(&[("a.json", "[{\"id\": \"m/A\", \"title\": \"\", \"ops\": []},\n{\"id\": \"m/a\", \"title\": \"\", \"ops\": []}]")], "a.json", "a.json:2: a/a and a/A differ in capitals alone")]
#[case::unmade(&[("a.json", "{\"id\": \"a\", \"title\": \"\", \"ops\": [{\"recv\": {\"fd\": \"s\", \"len\": 1, \"flags\": []}}]}")], "a.json", "a.json:1: recv: no step before this one makes a socket \"s\"")]
#[case::twice(&[("a.json", "[{\"id\": \"a\", \"title\": \"\", \"ops\": []},\n{\"id\": \"a\", \"title\": \"\", \"ops\": []}]")], "a.json", "a.json:2: a/a is on line 1 already")]
#[case::a_program(&[("a.json", "{\"id\": \"a/b\", \"title\": \"\", \"ops\": [{\"run\": {\"argv\": [\"true\"], \"limit_ms\": 9}}]}")], "a.json", "runs no program")]
#[case::a_suite(&[("names.json", JSON)], "names.json", "of the suite names")]
#[case::no_name(&[("-.case", PLAIN)], "./-.case", "no letter and no digit")]
#[case::mistakes(&[("a.case", "sokcet(AF_INET, SOCK_DGRAM, 0) = s\n")], "a.case", "a.case has a mistake, and nothing ran")]
#[case::unknown_row(&[("a.json", JSON)], "a.json:recieve", "nearest is \"receive\"")]
fn bad_input_is_one_error(#[case] files: &[(&str, &str)], #[case] word: &str, #[case] says: &str) {
    let at = folder(files);
    let at = at.path();
    match word {
        "empty/" => fs::create_dir(at.join("empty")).expect("a folder"),
        "latin.case" => fs::write(at.join(word), b"# a\n# \xe4\n").expect("a file"),
        "pipe.case" | "." => {
            let made = Command::new("mkfifo").arg(at.join("pipe.case")).status();
            assert!(made.is_ok_and(|status| status.success()), "a pipe is made");
        }
        "large.case" => {
            let file = fs::File::create(at.join(word)).expect("a file");
            file.set_len(1 << 30).expect("it is large");
        }
        _ => {}
    }
    for command in [&["run", "--out", "out"][..], &["show"], &["bisect", "--on", "native"]] {
        let output = sockeye(at, &[command, &[word]].concat());
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{command:?}: {said}");
        assert!(said.contains(says), "{command:?}: {said}");
        assert_eq!(said.matches("sockeye: ").count(), 1, "{said}");
        assert_eq!(stdout(&output), "");
    }
    assert!(!at.join("out").exists(), "something ran");
}

#[rstest]
#[case(&["run", "a/x.case", "b/x.case"], "would both be called x/")]
#[case(&["run", ".", "--update"], "would both be called x/")]
#[case(&["run", "names", "--update"], "--update is for cases of your own")]
#[case(&["run", "a/x.case", "names", "--baselines", "."], "--baselines is for cases of your own")]
#[case(&["run", "j.json", "--update"], "JSON has no place")]
#[case(&["run", "l.case", "--update"], "l.case is a link")]
#[case(&["run", "names", "--watch"], "--watch waits until a file")]
#[case(&["run", "a/x.case", "--update", "--json"], "cannot be used with")]
#[case(&["show", "a/two.case"], "one is wanted, such as \"a/two.case:b\"")]
fn what_cannot_be_done_is_told_before_anything_runs(#[case] args: &[&str], #[case] says: &str) {
    let two = format!("case a\n{PLAIN}\ncase b\n{PLAIN}");
    let at =
        folder(&[("a/x.case", PLAIN), ("b/x.case", PLAIN), ("a/two.case", &two), ("j.json", JSON)]);
    std::os::unix::fs::symlink("a/x.case", at.path().join("l.case")).expect("a link");
    let output = sockeye(at.path(), args);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(says), "{said}");
}

/// It runs again when the file is saved, and ends with what the last run came to.
#[test]
fn a_watched_file_runs_again() {
    if !has_labs() {
        return;
    }
    let at = folder(&[("plain.case", PLAIN)]);
    let at = at.path();
    let _turn = turn();
    let log = fs::File::create(at.join("log")).expect("a file");
    let mut watch = Command::new(SOCKEYE);
    watch.args(["run", "plain.case", "--watch", "--out", "out"]).current_dir(at);
    let mut watch =
        watch.stdout(log).stderr(std::process::Stdio::null()).spawn().expect("it starts");
    let wait = |what: &str| {
        let until = std::time::Instant::now() + std::time::Duration::from_mins(2);
        while !fs::read_to_string(at.join("log")).is_ok_and(|said| said.contains(what)) {
            assert!(std::time::Instant::now() < until, "never said: {what}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    };
    wait("1 never observed before");
    let bad = PLAIN.replace("MSG_DONTWAIT)", "MSG_DONTWAIT) = 7");
    fs::write(at.join("plain.case"), bad).expect("a file");
    wait("1 unexpected");
    // Its status is kept when the run has been told in full.
    wait("asked = 7");
    std::thread::sleep(std::time::Duration::from_millis(500));
    let pid = watch.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status();
    assert!(sent.is_ok_and(|status| status.success()));
    assert_eq!(watch.wait().expect("it ends").code(), Some(1));
}

/// Who edits a suite's file is told what that changes: its rows are judged as the suite's, new and other ones
/// by the rules.
#[test]
fn a_suites_file_is_judged_as_the_suite_but_for_what_is_new() {
    if !has_labs() || !is_linux() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let suite = folder.path().join("link-state");
    fs::create_dir(&suite).expect("a folder");
    let file = suite.join("udp.case");
    let text = include_str!("../suites/link-state/udp.case");
    let out = folder.path().join("out");
    let ran = |text: &str| {
        fs::write(&file, text).expect("it is written");
        let file = format!("{}:udp-bound-own*", file.display());
        let output = sockeye(folder.path(), &["run", &file, "--out", out.to_str().expect("UTF-8")]);
        (output.status.code(), stdout(&output))
    };
    let (status, told) = ran(text);
    assert!(status == Some(0) && told.contains("8 known, 0 new"), "{told}");
    let (status, told) = ran(&text.replace("deleted\n", "deleted, gone\n"));
    assert!(status == Some(0) && told.contains("23 never observed before"), "{told}");
    // What is other than the suite has it is nothing that is known of the suite.
    let (status, told) = ran(&text.replace("hello", "hullo"));
    assert!(status == Some(1) && told.contains("0 known, 8 new"), "{told}");
}

/// What has no name here yet is asked for by its number, and what has one is called by it.
#[test]
fn what_has_no_name_is_asked_for_by_its_number() {
    if !has_labs() || !is_linux() {
        return;
    }
    let asks = |option: &str| {
        format!(
            "# Is there such an option?\nsocket(AF_INET, SOCK_STREAM, 0) = s\ngetsockopt(s, IPPROTO_TCP, {option}) = -1 ENOPROTOOPT\n"
        )
    };
    let at = folder(&[("a.case", asks("0x7b").as_str()), ("b.case", asks("1").as_str())]);
    assert_eq!(verdict(at.path(), &["a.case"]), ("ok".to_owned(), Some(0)));
    let output = sockeye(at.path(), &["run", "b.case"]);
    let said = stdout(&output) + &stderr(&output);
    assert!(said.contains("getsockopt: 1 is TCP_NODELAY here, by which a case calls it"), "{said}");
    assert_eq!(output.status.code(), Some(3), "{said}");
}

/// Cases that set what they may, and what others then see.
const SETTING: &str = "\
# Does a setting of the network stay?
tun link0 mtu 1400
sysctl net.ipv4.ip_default_ttl=7
socket(AF_INET, SOCK_DGRAM, 0) = s
connect(s, {AF_INET neighbour(link0):9}) = 0
send(s, \"x\", 1, 0) = 1
    > link0 IPv4 ttl 7 DF UDP \"x\"
";
const SENT: &str = "\
# Is it there in another case?
tun link0 mtu 1400
socket(AF_INET, SOCK_DGRAM, 0) = s
connect(s, {AF_INET neighbour(link0):9}) = 0
send(s, \"x\", 1, 0) = 1
    > link0 IPv4 ttl 64 DF UDP \"x\"
";
const LIMIT: &str = "\
# Does what a process is limited to stay?
setrlimit(RLIMIT_NOFILE, 0) = 0
capset({without=CAP_NET_RAW}) = 0
socket(AF_INET, SOCK_DGRAM, 0) = -1 EMFILE
";
/// Another user, where root may act for one.
const OTHER: &str = "\
# Does whom a case acts for stay?
seteuid(65534)
socket(AF_INET, SOCK_RAW, IPPROTO_UDP) = -1 EPERM on linux
";
const SOCKETS: &str = "\
# Is it there in another case?
socket(AF_INET, SOCK_RAW, IPPROTO_UDP) = s
send(s, \"x\", 1, 0) = -1 EDESTADDRREQ
";

/// Whether this is root where there are other users.
fn acts_for_others() -> bool {
    let users = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    users.trim_end().ends_with("4294967295") && fs::metadata("/proc/self").unwrap().uid() == 0
}

/// One executor, so that it is the same that takes the next one.
#[test]
fn what_a_case_sets_is_not_left_to_the_next() {
    if !has_labs() || !is_linux() {
        return;
    }
    let other = if acts_for_others() { OTHER } else { LIMIT };
    let order = ["a.case", "b.case", "c.case", "d.case", "e.case"];
    let texts = [SETTING, SENT, LIMIT, other, SOCKETS];
    let at = folder(&order.into_iter().zip(texts).collect::<Vec<_>>());
    let (lines, code) = lines(at.path(), &[&["-j1"], &order[..]].concat());
    let verdicts: Vec<&str> = lines.iter().filter_map(|line| line["verdict"].as_str()).collect();
    assert_eq!((verdicts, code), (vec!["ok"; 5], Some(0)), "{lines:#?}");
}
