//! A run is a stranger's: nothing of what it says is code, a tag, a header or a path, and nothing that
//! stands in place of its files is waited for.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use reports::runs;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::common::{SOCKEYE, has_cc, has_labs, is_linux, sockeye, stderr, stdout, text};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/tests/runs/1");

/// The golden run with something done to its manifest and to each of its lines.
fn golden(to: &Path, manifest: impl Fn(&mut Value), line: impl Fn(&mut Value)) -> String {
    fs::create_dir_all(to).expect("a folder");
    let read = |name: &str| fs::read_to_string(Path::new(GOLDEN).join(name)).expect("it is there");
    let mut about: Value = serde_json::from_str(&read(runs::MANIFEST)).expect("JSON");
    manifest(&mut about);
    fs::write(to.join(runs::MANIFEST), about.to_string()).expect("written");
    let lines: Vec<String> = read(runs::RESULTS)
        .lines()
        .map(|text| {
            let mut one: Value = serde_json::from_str(text).expect("JSON");
            line(&mut one);
            format!("{one}\n")
        })
        .collect();
    fs::write(to.join(runs::RESULTS), lines.concat()).expect("written");
    to.to_str().expect("UTF-8").to_owned()
}

/// Refused with one sentence, shorter than what it is about.
fn is_refused(output: &Output) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.len() < 2000 && !said.contains('\u{1b}'), "{said}");
}

/// What came in once from a file and was compiled and run, and its like: each word that may reach C, a
/// path, a page or a mail.
#[rstest]
#[case::symbol("/case/ops/0/socket/domain", "AF_INET,0,0);system(\"touch F\");socket(AF_INET")]
#[case::socket("/case/ops/0/socket/fd", "s=0;system(\"touch F\");int t")]
#[case::errno("/trace/events/0/call/did/returned/errno", "\",0}};int x=system(\"touch F\");/*")]
#[case::id("/id", "../../../../tmp/x")]
#[case::title("/case/title", "a\nBcc: x@example.org")]
#[case::title_turned("/case/title", "a\u{202e}b")]
#[case::catalogue("/case/catalogue", "<script>")]
#[case::link("/trace/links/0/name", "lo\"; reboot; \"")]
#[case::finding("/findings", "\u{1b}[2J")]
#[case::baseline("/baseline", "../../linux")]
fn a_word_that_is_none_is_not_let_in(#[case] at: &str, #[case] word: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let run = golden(
        &folder.path().join("run"),
        |_| (),
        |line| {
            if line["id"] != "link-state/netdown" {
                return;
            }
            if at == "/id" {
                for at in ["/id", "/case/id", "/trace/case"] {
                    *line.pointer_mut(at).expect("an id") = word.into();
                }
            } else if at == "/findings" {
                line["findings"] = json!([{"rule": "no-silent-loss", "op": 0, "text": word}]);
            } else if at == "/case/catalogue" {
                line["case"]["catalogue"] = json!([word]);
            } else if at == "/baseline" {
                line["baseline"] = word.into();
            } else if let Some(there) = line.pointer_mut(at) {
                *there = word.into();
            } else {
                line["trace"]["events"][0]["call"]["did"]["returned"]["errno"] = word.into();
            }
        },
    );
    for args in [&["report", &run, "--format", "ktap"][..], &["changes", &run]] {
        is_refused(&sockeye(args));
    }
    let bundle = folder.path().join("b.zip");
    let case = "link-state/netdown";
    let args = ["bundle", case, "--run", &run, "-o", bundle.to_str().expect("UTF-8")];
    is_refused(&sockeye(&args));
    assert!(!bundle.exists() && !Path::new("F").exists());
}

/// One of 100,000 characters made the padding of a column panic, 2 MB of a release lost all results.
#[rstest]
#[case("/subjects/0/name", "n", 100_000)]
#[case("/subjects/0/kernel/release", "6", 2_000_000)]
#[case("/subjects/0/platforms/0", "p", 100_000)]
#[case("/subjects/0/platforms/0", "..", 1)]
#[case("/rules/0/name", "r", 100_000)]
#[case("/subjects/0/name", "\u{1b}]0;x\u{7}", 1)]
fn a_name_is_short(#[case] at: &str, #[case] text: &str, #[case] times: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let word = text.repeat(times);
    let named = |line: &mut Value| {
        if at.ends_with("0/name") && line["subject"] == "native" {
            line["subject"] = word.clone().into();
        }
    };
    let set = |about: &mut Value| *about.pointer_mut(at).expect("there") = word.clone().into();
    let run = golden(&folder.path().join("run"), set, named);
    let out = folder.path().join("out").display().to_string();
    for args in [
        &["report", &run, "--format", "junit"][..],
        &["diff", &run, "--subjects", "native,linux-6.2"],
        &["merge", &run, "-o", &out],
        &["matrix", &run, "-o", &out],
    ] {
        is_refused(&sockeye(args));
    }
}

/// A pipe was waited for, for ever; a link may lead to what is the reader's own.
#[rstest]
#[case("pipe", "is a pipe, and a run has files alone")]
#[case("link", "is a link to somewhere else, and a run has files alone")]
#[case("device", "is a link to somewhere else")]
#[case("folder", "is a folder, and a run has files alone")]
fn what_is_no_file_is_not_read(#[case] what: &str, #[case] says: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    for name in [runs::MANIFEST, runs::RESULTS] {
        let run = folder.path().join(name.replace('.', "-"));
        let text = golden(&run, |_| (), |_| ());
        let path = run.join(name);
        let aside = run.with_extension("aside");
        fs::rename(&path, &aside).expect("moved");
        match what {
            "pipe" => {
                let made = Command::new("mkfifo").arg(&path).status();
                assert!(made.expect("mkfifo starts").success());
            }
            "link" => std::os::unix::fs::symlink(&aside, &path).expect("a link"),
            "device" => std::os::unix::fs::symlink("/dev/zero", &path).expect("a link"),
            _ => fs::create_dir(&path).expect("a folder"),
        }
        let mut child = Command::new(SOCKEYE)
            .args(["report", &text, "--format", "ktap"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("sockeye starts");
        let end = Instant::now() + Duration::from_mins(1);
        while child.try_wait().expect("waited").is_none() {
            if Instant::now() > end {
                child.kill().expect("killed");
                panic!("it waits for {name}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let output = child.wait_with_output().expect("it has ended");
        is_refused(&output);
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
    }
}

/// 1.5 GB without an end of a line, of which the disk has nothing: it would be memory.
#[test]
fn a_line_has_an_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = golden(folder.path(), |_| (), |_| ());
    let results = fs::OpenOptions::new().write(true).open(folder.path().join(runs::RESULTS));
    results.expect("a file").set_len(1_500_000_000).expect("a sparse file");
    let output = sockeye(&["report", &run, "--format", "ktap"]);
    is_refused(&output);
    assert!(stderr(&output).contains("line 17: it is longer than"), "{}", stderr(&output));
}

/// Every text of the run's that a case's check lets through, as evil as it may be.
fn hostile(to: &Path) -> String {
    const TEXT: &str = "</title></script><script>hacked=1</script><img src=x onerror=hacked=1> \
                        [a](javascript:hacked=1) ![b](https://evil.example/x) `|` *c* */ ]]> \
                        https://evil.example {{ 7*7 }} \u{e9}";
    let manifest = |about: &mut Value| {
        for subject in about["subjects"].as_array_mut().expect("subjects") {
            for key in ["release", "version", "machine", "libc"] {
                let text = TEXT.chars().take(190).collect::<String>();
                subject["kernel"][key] = text.into();
            }
            subject["program"] = TEXT.chars().take(190).collect::<String>().into();
            subject["environment"] =
                json!({"os": TEXT, "os_build": TEXT, "filters": [TEXT], "config": {"X": TEXT}});
            subject["log"] = json!({"lines": [TEXT]});
        }
        for rule in about["rules"].as_array_mut().expect("rules") {
            rule["says"] = TEXT.into();
            rule["cites"] = json!([{"source": TEXT, "quote": TEXT, "link": "javascript:hacked=1"}]);
        }
        for (_, question) in about["tables"].as_object_mut().expect("tables") {
            *question = TEXT.into();
        }
    };
    let line = |line: &mut Value| {
        line["case"]["title"] = TEXT.into();
        line["outcome"] = format!("{TEXT}\n\u{1b}[2J\u{202e}\n{TEXT}\n").into();
        let known = json!({"reason": TEXT, "link": "javascript:hacked=1"});
        line["verdict"] = "deviates".into();
        line["findings"] = json!([
            {"rule": "no-silent-loss", "op": 1, "text": TEXT},
            {"rule": "do-not-fragment", "op": 1, "text": TEXT, "known": known},
        ]);
    };
    golden(to, manifest, line)
}

#[test]
fn a_page_of_a_strangers_run_executes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = hostile(&folder.path().join("run"));
    let page = folder.path().join("matrix.html");
    let output = sockeye(&["matrix", &run, "-o", page.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = fs::read_to_string(&page).expect("a page");
    let policy = text.split("Content-Security-Policy\" content=\"").nth(1).expect("a policy");
    let policy = policy.split('"').next().expect("its end");
    assert!(!policy.contains("unsafe") && policy.contains("default-src 'none'"), "{policy}");
    assert_eq!(policy.matches("sha256-").count(), 2, "{policy}");
    assert!(!text.contains("</title></script>") && !text.contains("<img"));
    let Some(mut b) = Browser::start() else { return };
    b.open(&format!("file://{}#link-state/netdown", page.display()));
    b.wait("document.getElementById('evidence').open");
    assert_eq!(b.text("typeof hacked"), "undefined");
    assert!(b.text("document.title").contains("</title></script>"));
    assert_eq!(b.eval("document.querySelectorAll('img, a[href^=javascript]').length"), 0);
    assert_eq!(b.eval("document.scripts.length"), 3);
    assert_eq!(b.faults, [""; 0], "the page's own style and script run");
    b.press("Escape");
    b.wait("!document.getElementById('evidence').open");
    // Were anything let in, it would not run: the planted one that shows it.
    let planted = "(() => { const s = document.createElement('script'); s.textContent = 'hacked = 1'; \
                   document.body.append(s); const d = document.createElement('div'); \
                   d.innerHTML = '<p onclick=\"hacked=2\" style=\"color:red\"></p>'; \
                   document.body.append(d); d.firstChild.click(); return typeof hacked; })()";
    assert_eq!(b.text(planted), "undefined");
}

/// A line of Markdown without its spans of code (`CommonMark` §6.1).
fn without_code(line: &str) -> String {
    let (mut out, mut rest) = (String::new(), line);
    while let Some(at) = rest.find('`') {
        out.push_str(&rest[..at]);
        let ticks = rest[at..].chars().take_while(|c| *c == '`').count();
        let behind = &rest[at + ticks..];
        let runs = behind.match_indices(&rest[at..at + ticks]).map(|(end, _)| end);
        let is_end =
            |end: &usize| !behind[..*end].ends_with('`') && !behind[end + ticks..].starts_with('`');
        rest = runs.into_iter().find(is_end).map_or(behind, |end| &behind[end + ticks..]);
    }
    out + rest
}

/// Markdown without HTML and links of a stranger's.
fn is_plain(text: &str) {
    for line in text.lines().filter(|line| !line.starts_with("    ")).map(without_code) {
        for part in ["<script", "<img", "](javascript", "](https://evil", "https://evil"] {
            assert!(!line.contains(part), "{part}: {line}");
        }
    }
}

/// What a mail's head may have.
const MAIL_HEAD: [&str; 6] = [
    "To: ",
    "Cc: ",
    "Subject: ",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=UTF-8",
    "Content-Transfer-Encoding: 8bit",
];

#[test]
fn exports_of_a_strangers_run_are_well_formed() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = hostile(&folder.path().join("run"));
    let report = |format: &str| {
        let output = sockeye(&["report", &run, "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let text = stdout(&output);
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{format}");
        text
    };
    let markdown = report("markdown");
    is_plain(&markdown);
    let rows = |head: &str| {
        let rows = markdown.lines().skip_while(|line| !line.starts_with(head));
        rows.take_while(|line| line.starts_with('|')).collect::<Vec<_>>()
    };
    for row in rows("| case |") {
        assert_eq!(row.matches('|').count(), 5, "{row}");
    }
    let junit = report("junit");
    assert!(!junit.contains("<script") && !junit.contains("<img"));
    let ktap = report("ktap");
    let line = |line: &str| {
        let line = line.trim_start();
        ["#", "ok ", "not ok ", "1..", "KTAP version 1"].iter().any(|begin| line.starts_with(begin))
    };
    assert!(ktap.lines().all(line), "{ktap}");
    serde_json::from_str::<Value>(&report("kcidb")).expect("JSON");
    let zip = folder.path().join("b.zip");
    let zip = zip.to_str().expect("UTF-8");
    let output = sockeye(&["bundle", "link-state/netdown", "--run", &run, "-o", zip]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut archive = zip::ZipArchive::new(fs::File::open(zip).expect("a zip")).expect("sound");
    let names: Vec<String> =
        archive.file_names().map(|name| name.expect("UTF-8").into_owned()).collect();
    assert!(names.iter().all(|name| !name.contains(['/', '\\']) && !name.starts_with('.')));
    let mut text = |name: &str| {
        std::io::read_to_string(archive.by_name(name).expect("a file")).expect("UTF-8")
    };
    is_plain(&text("README.md"));
    let mail = text("mail.txt");
    let head: Vec<&str> = mail.lines().take_while(|line| !line.is_empty()).collect();
    let is_head = |line: &&str| MAIL_HEAD.iter().any(|h| line.starts_with(h));
    assert!(head.iter().all(is_head) && head.iter().all(|line| line.len() < 998), "{head:?}");
    for name in &names {
        if !name.ends_with("pcapng") && !name.ends_with("json") {
            assert!(!text(name).contains(['\u{1b}', '\u{202e}']), "{name}");
        }
    }
}

/// A compiler on the search path that tells what it may do, compiles, and puts in the place of what it
/// made a program that tells the same of itself before it becomes that one.
fn telling_cc(bin: &Path, said: &Path, path: &str) {
    let script = format!(
        r#"#!/bin/sh
PATH={path}
tell() {{
  {{ echo "== $1"; env; echo "uid $(id -u)"; echo "mode $(stat -c %a .)"
    grep -E 'NoNewPrivs|CapEff' /proc/self/status; }} >> {said}
}}
if [ -e "$0.real" ]; then tell program; exec "$0.real" "$@"; fi
tell compiler
cc "$@" || exit
while [ $# -gt 0 ]; do [ "$1" != -o ] || out=$2; shift; done
mv "$out" "$out.real" && cp "$0" "$out" && chmod 700 "$out"
"#,
        said = said.display()
    );
    fs::create_dir(bin).expect("a folder");
    fs::write(bin.join("cc"), script).expect("written");
    fs::write(said, "").expect("written");
}

/// What a program told: its own name, and the lines of it.
fn told(said: &Path) -> Vec<(String, Vec<String>)> {
    let all = fs::read_to_string(said).expect("it told");
    let parts = all.split("== ").skip(1).map(|part| part.split_once('\n').expect("its lines"));
    parts.map(|(who, rest)| (who.to_owned(), rest.lines().map(str::to_owned).collect())).collect()
}

/// What the compiler and the reproducer told while a case of a run was tried by a bundle.
fn tried(folder: &Path, run: &Path, case: &str) -> Vec<(String, Vec<String>)> {
    let name = case.replace(['/', '[', ']', ','], "-");
    let (bin, zip) = (folder.join(format!("bin-{name}")), folder.join(format!("{name}.zip")));
    let place = tempfile::tempdir().expect("a folder");
    let (said, path) = (place.path().join("said"), std::env::var("PATH").expect("a path"));
    telling_cc(&bin, &said, &path);
    let modes = [(folder, 0o755), (&bin, 0o755), (&bin.join("cc"), 0o755), (place.path(), 0o755)];
    for (path, mode) in [&modes[..], &[(&said, 0o666)]].concat() {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(path, mode).expect("set");
    }
    let output = Command::new(SOCKEYE)
        .args(["bundle", case, "--run", text(run), "-o", text(&zip)])
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("SECRET_TOKEN", "planted")
        .output()
        .expect("sockeye starts");
    assert!(stdout(&output).contains("the reproducer reproduces it"), "{}", stdout(&output));
    told(&said)
}

/// Whether who told this can do nothing to this host.
fn is_harmless(lines: &[String]) -> bool {
    let has = |line: &str| lines.iter().any(|one| one == line);
    let secret = lines.iter().any(|line| line.contains("SECRET_TOKEN"));
    !secret
        && has("mode 700")
        && has("NoNewPrivs:\t1")
        && has("CapEff:\t0000000000000000")
        && !has("uid 0")
}

/// The compiler of a stranger's run and the reproducer that comes of it have no rights that they do not
/// need, and nothing of the user's.
#[test]
fn a_reproducer_of_a_run_has_little_to_gain() {
    if !is_linux() || !has_labs() || !has_cc() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let (plain, lab) = ("options/default[udp4,SO_TYPE]", "link-state/netdown");
    let ran = sockeye(&["run", plain, lab, "--out", text(&run)]);
    assert_eq!(ran.status.code(), Some(0), "{}", stderr(&ran));
    let all = tried(folder.path(), &run, plain);
    let who: Vec<&str> = all.iter().map(|(who, _)| who.as_str()).collect();
    assert_eq!(who, ["compiler", "program"], "{all:#?}");
    for (who, lines) in &all {
        assert!(is_harmless(lines), "{who}: {lines:#?}");
    }
    // With fewer rights this one's lab cannot be made, unless everybody may make links. The first program is tried with
    // none all the same, and the last is what the check has to tell from it, else it could not fail.
    let all = tried(folder.path(), &run, lab);
    let programs: Vec<bool> =
        all.iter().filter(|(who, _)| who == "program").map(|(_, l)| is_harmless(l)).collect();
    if nix::unistd::geteuid().is_root() {
        let tun = fs::metadata("/dev/net/tun").expect("it is there");
        let everybodys = tun.permissions().mode() & 0o6 == 0o6;
        let last = programs.last();
        assert_eq!((programs.first(), last), (Some(&true), Some(&everybodys)), "{all:#?}");
    }
    assert!(all.iter().all(|(_, lines)| lines.iter().all(|line| !line.contains("SECRET_TOKEN"))));
}
