//! A test program of cases: this one, with the example's cases and with others, started by itself.

use std::path::Path;
use std::process::{Command, ExitCode, Output};
use std::{env, fs};

use libtest_mimic::{Arguments, Failed, Trial};
use suites::baseline;

#[path = "../../tests/common/turn.rs"]
mod turn;

/// The folder of the cases of the program that is started again, and that of what was observed of them.
const CASES: &str = "SOCKEYE_TEST_CASES";
const BASELINES: &str = "SOCKEYE_TEST_BASELINES";

const EXAMPLE: &str = "../examples/cargo-test/tests/cases";

/// What a project of its own has as its test program.
mod without {
    sockeye::cases!(&std::env::var(super::CASES).unwrap_or_default());

    pub(super) fn run() -> std::process::ExitCode {
        main()
    }
}

/// The same with what was observed before.
mod with {
    sockeye::cases!(
        &std::env::var(super::CASES).unwrap_or_default(),
        baselines = &std::env::var(super::BASELINES).unwrap_or_default()
    );

    pub(super) fn run() -> std::process::ExitCode {
        main()
    }
}

fn main() -> ExitCode {
    if env::var_os(BASELINES).is_some() {
        return with::run();
    }
    if env::var_os(CASES).is_some() {
        return without::run();
    }
    let trials = vec![
        Trial::test("the-example", the_example),
        Trial::test("what-does-not-come-fails", what_does_not_come_fails),
        Trial::test("bad-text-is-told", bad_text_is_told),
        Trial::test("no-cases-fail", no_cases_fail),
        Trial::test("what-is-not-here-is-ignored", what_is_not_here_is_ignored),
        Trial::test("none-runs-but-what-is-asked-for", none_runs_but_what_is_asked_for),
        Trial::test("what-was-observed-is-expected", what_was_observed_is_expected),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// What the test program of the cases in a folder says, without colours.
fn program(folder: &Path, baselines: Option<&Path>, args: &[&str]) -> Result<Output, Failed> {
    let _turn = turn::turn();
    let mut command = Command::new(env::current_exe()?);
    command.args(["--color", "never"]).args(args).env(CASES, folder);
    // Neither root nor any program is needed.
    command.env("PATH", "").env_remove(BASELINES);
    if let Some(baselines) = baselines {
        command.env(BASELINES, baselines);
    }
    Ok(command.output()?)
}

/// The exit status, and what was said.
fn said(output: &Output) -> (Option<i32>, String) {
    let text = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    (output.status.code(), text.concat())
}

fn check(holds: bool, otherwise: &str) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> Result<tempfile::TempDir, Failed> {
    let folder = tempfile::tempdir()?;
    for (name, text) in files {
        fs::write(folder.path().join(name), text)?;
    }
    Ok(folder)
}

/// Whether this host can make labs: where it cannot, nothing runs, and all is ignored.
fn has_labs() -> Result<bool, Failed> {
    let (_, text) = said(&program(Path::new(EXAMPLE), None, &["shutdown/received"])?);
    Ok(text.contains("1 passed"))
}

fn the_example() -> Result<(), Failed> {
    let (code, text) = said(&program(Path::new(EXAMPLE), None, &[])?);
    check(code == Some(0) && text.contains("8 tests"), &text)?;
    for name in ["port-unreachable/case", "shutdown/unconnected[v6,SHUT_RDWR]", "shutdown/received"]
    {
        check(text.contains(&format!("test {name} ")), &text)?;
    }
    Ok(())
}

const BAD: &str = "\
# Does a datagram leave as it was sent?
socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b]) = 0
send(a, \"x\", 1, 0) = 2
recv(b, 9, MSG_DONTWAIT) = -1 EAGAIN
";

/// The message is what `sockeye run` says: where what was asked, what came, and the transcript.
fn what_does_not_come_fails() -> Result<(), Failed> {
    if !has_labs()? {
        return Ok(());
    }
    let good = BAD.replace("= 2", "= 1").replace("-1 EAGAIN", "1, \"x\"");
    let folder = folder(&[("bad.case", BAD), ("good.case", &good)])?;
    let (code, text) = said(&program(folder.path(), None, &[])?);
    check(code == Some(101), &text)?;
    for word in [
        "test bad/case  ... FAILED",
        "test good/case ... ok",
        "bad.case:3: asked = 2",
        "bad.case:3: came 1",
        "bad.case:4: asked = -1 EAGAIN",
        "send(a, \"x\", 1, 0) = 1 <",
        "1 passed; 1 failed",
    ] {
        check(text.contains(word), &format!("{word}: {text}"))?;
    }
    Ok(())
}

/// With what a compiler would show, and the others run.
fn bad_text_is_told() -> Result<(), Failed> {
    let good = "socket(AF_INET, SOCK_DGRAM, 0) = s, success\n";
    let folder =
        folder(&[("bad.case", "socket(AF_INNET, SOCK_DGRAM, 0) = s\n"), ("good.case", good)])?;
    let (code, text) = said(&program(folder.path(), None, &[])?);
    check(code == Some(101), &text)?;
    for word in [
        "AF_INNET is no name of the sockets API",
        "bad.case:1:8",
        "did you mean AF_INET?",
        "1 failed",
    ] {
        check(text.contains(word), &format!("{word}: {text}"))?;
    }
    check(text.contains("test good/case ..."), &text)?;
    // Whoever asks for a case of it by name was told that all is well: nothing ran.
    let (code, text) = said(&program(folder.path(), None, &["bad/case"])?);
    check(code == Some(101) && text.contains("AF_INNET is no name"), &text)?;
    let (code, text) = said(&program(folder.path(), None, &["--exact", "good/case"])?);
    check(code == Some(101) && text.contains("bad.case:1:8"), &text)?;
    let (code, text) = said(&program(folder.path(), None, &["--list"])?);
    check(code == Some(0) && text.contains("good/case: test"), &text)
}

fn no_cases_fail() -> Result<(), Failed> {
    let empty = folder(&[("readme.txt", "?")])?;
    for (path, says) in [(empty.path(), "has no cases"), (Path::new("nowhere"), "is not there")] {
        let (code, text) = said(&program(path, None, &[])?);
        check(code == Some(101) && text.contains(says), &text)?;
    }
    Ok(())
}

/// A name that this system lacks, and a case that asks nothing.
fn what_is_not_here_is_ignored() -> Result<(), Failed> {
    if !has_labs()? {
        return Ok(());
    }
    let lacks = "socket(AF_INET, SOCK_DGRAM|SOCK_CLOFORK, 0) = s, success\n";
    let asks = "socket(AF_INET, SOCK_DGRAM, 0) = s\n";
    let folder = folder(&[("lacks.case", lacks), ("asks.case", asks)])?;
    let (code, text) = said(&program(folder.path(), None, &[])?);
    check(code == Some(0) && text.contains("2 ignored"), &text)?;
    check(text.contains("this system has no SOCK_CLOFORK"), &text)?;
    check(text.contains("asks nothing"), &text)
}

fn none_runs_but_what_is_asked_for() -> Result<(), Failed> {
    if !has_labs()? {
        return Ok(());
    }
    let example = Path::new(EXAMPLE);
    let (code, text) = said(&program(example, None, &["--list"])?);
    check(code == Some(0) && text.contains("shutdown/received: test"), &text)?;
    let one = "shutdown/unconnected[v4,SHUT_RD]";
    let (code, text) = said(&program(example, None, &["--exact", one])?);
    check(code == Some(0) && text.contains("1 passed; 0 failed; 0 ignored"), &text)?;
    let (code, text) = said(&program(example, None, &["--skip", "unconnected", "shutdown"])?);
    check(code == Some(0) && text.contains("test shutdown/received"), &text)?;
    check(!text.contains("test shutdown/unconnected"), &text)
}

fn what_was_observed_is_expected() -> Result<(), Failed> {
    let example = Path::new(EXAMPLE);
    let none = Path::new("nowhere");
    let (code, text) = said(&program(example, Some(none), &[])?);
    check(code == Some(101) && text.contains("no folder with what was observed"), &text)?;
    // Nothing is known of these there, and what their text asks is judged all the same.
    let empty = tempfile::tempdir()?;
    let (code, text) = said(&program(example, Some(empty.path()), &[])?);
    check(code == Some(0), &text)?;
    if !has_labs()? {
        return Ok(());
    }
    for platform in ["linux", "macos"] {
        let of = empty.path().join(platform).join("shutdown");
        fs::create_dir_all(&of)?;
        let was = "socketpair(AF_LOCAL, SOCK_STREAM, 0, [a, b]) = -1 EPERM";
        let was = baseline::text([("shutdown/received", was)]);
        fs::write(of.join("received.snap"), baseline::file(platform, &was))?;
    }
    let (code, text) = said(&program(example, Some(empty.path()), &[])?);
    check(code == Some(101) && text.contains("= -1 EPERM"), &text)
}
