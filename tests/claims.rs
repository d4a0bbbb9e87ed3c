//! `sockeye claims` and `sockeye netdown`, on this kernel and on one that lies.

use std::fs;
use std::process::{Command, Stdio};

use rstest::rstest;
use serde_json::{Value, json};

use crate::common::{has_labs, is_linux, sockeye, stderr, stdout, turn};

/// What became of the one claim of this id.
fn standing(args: &[&str]) -> Value {
    let output = sockeye(&[&["claims", "--json"], args].concat());
    assert_eq!(output.status.code(), Some(0));
    let line: Value = serde_json::from_str(&stdout(&output)).expect("one line of JSON");
    line["standing"].clone()
}

#[rstest]
#[case(&["linux-down"], "confirmed")]
#[case(&["linux-down", "--plant", "sendto-lies"], "refuted")]
#[case(&["linux-v6-fragments-broken"], "unverified")]
#[case(&["netdown-15.3.1"], "unverified")]
fn a_claim_comes_to(#[case] args: &[&str], #[case] word: &str) {
    if has_labs() && is_linux() {
        assert_eq!(standing(args), word);
    }
}

#[test]
fn every_claim_has_a_line_and_none_fails() {
    let output = sockeye(&["claims", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let lines = stdout(&output);
    assert!(lines.lines().count() > 200);
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        assert!(line["sources"].as_array().is_some_and(|sources| !sources.is_empty()), "{line}");
    }
    let said = stdout(&sockeye(&["claims", "link-state/netdown"]));
    assert!(said.contains("netdown-15.3.1") && said.contains("sosend() failed 50"), "{said}");
    assert!(!said.contains("half-close"), "{said}");
}

/// A run of one case that this kernel ran, said to be of macOS 11.
#[test]
fn a_run_confirms_and_refutes_too() {
    if !has_labs() || !is_linux() {
        return;
    }
    let id = "link-state/udp-sendto[tap,down,unresolved]";
    let case = stdout(&sockeye(&["list", "--json", id]));
    let turn = turn();
    let mut exec = Command::new(env!("CARGO_BIN_EXE_sockeye"))
        .arg("exec")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the executor starts");
    let mut input = exec.stdin.take().expect("piped");
    std::io::Write::write_all(&mut input, case.as_bytes()).expect("it reads");
    drop(input);
    let replies = stdout(&exec.wait_with_output().expect("it ends"));
    drop(turn);
    let reply = |n: usize| -> Value {
        serde_json::from_str(replies.lines().nth(n).expect("a reply")).expect("JSON")
    };
    let mut kernel = reply(0)["hello"]["kernel"].clone();
    kernel["system"] = json!("Darwin");
    kernel["release"] = json!("20.6.0");
    let run = tempfile::tempdir().expect("a folder");
    let manifest = json!({
        "schema": 1,
        "subjects": [{
            "name": "a Mac", "kernel": kernel, "platforms": ["macos-11", "macos"],
            "program": "0.1.0", "began_ns": 0, "cases": 1,
        }],
        "rules": [],
        "tables": {},
    });
    let case: Value = serde_json::from_str(&case).expect("JSON");
    let line = json!({
        "subject": "a Mac", "id": id, "verdict": "new", "outcome": "", "case": case,
        "trace": reply(1)["trace"],
    });
    fs::write(run.path().join("run.json"), manifest.to_string()).expect("written");
    fs::write(run.path().join("results.jsonl"), format!("{line}\n")).expect("written");
    let folder = run.path().to_str().expect("UTF-8");
    // Linux refuses what XNU was seen to lose; the rest of macOS was not asked.
    assert_eq!(standing(&["netdown-neighbour", "--run", folder]), "refuted");
    assert_eq!(standing(&["v6only-bind", "--run", folder]), "not-reached");
    assert_eq!(standing(&["linux-down", "--run", folder]), "unverified");
}

#[test]
fn netdown_finds_the_bug_where_it_was_planted() {
    if !has_labs() || !is_linux() {
        return;
    }
    let clean = sockeye(&["netdown"]);
    let said = stdout(&clean);
    // Linux has not got the forum's, and others: it names them (suites/known-deviations.toml).
    assert_eq!(clean.status.code(), Some(1), "{said}");
    assert!(said.contains("yes, in other ways than the forum's: in "), "{said}");
    for row in [
        "  link-state/udp-bound-own[{tap,tun},{down,readdressed},{limited4,multicast4}]\n",
        "  link-state/loopback-down[{127.0.0.1,own,own4,own6},udp]\n",
    ] {
        assert!(said.contains(row), "{row}: {said}");
    }
    assert!(said.lines().count() <= 20, "{said}");
    let planted = sockeye(&["netdown", "--plant", "sendto-lies"]);
    let said = stdout(&planted);
    assert_eq!(planted.status.code(), Some(1), "{said}");
    assert!(said.contains("yes: this kernel has the bug"), "{said}");
    assert!(said.contains("sockeye bundle link-state/netdown"), "{said}");
}

/// In a network of its own, where an interface that is down can be had.
#[test]
fn netdown_asks_the_interface_that_is_named() {
    if !is_linux() {
        return;
    }
    let ask = |then: &str| {
        let script = format!(
            "ip link set lo up && ip tuntap add down0 mode tap && {then} && exec \"$0\" netdown \
             fe80::1%down0"
        );
        Command::new("unshare")
            .args(["-rn", "sh", "-c", &script, env!("CARGO_BIN_EXE_sockeye")])
            .output()
            .ok()
    };
    // unshare(1), ip(8), or the driver of such a link may be missing.
    let able = Command::new("unshare")
        .args(["-rn", "sh", "-c", "ip tuntap add down0 mode tap"])
        .output()
        .is_ok_and(|output| output.status.success());
    let (true, Some(down), Some(up)) = (able, ask("true"), ask("ip link set down0 up")) else {
        return eprintln!("skipped: no link can be made here by `unshare -rn ip`");
    };
    let said = stdout(&down);
    assert_eq!(down.status.code(), Some(0), "{said}");
    for part in [
        "the forum's program, to down0, which is down:\n  sendto(s, \"hello\\0\", 6, 0, \
         {[fe80::1%down0]}) = -1 ENETUNREACH\n",
        "nobody here receives at it",
        "the control: loopback, which is up:\n  sendto(s, \"hello\\0\", 6, 0, {[::1]}) = 6\n",
        "no, not by the forum's way; others were not asked\n",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Nothing is sent by one that is up.
    assert_eq!(up.status.code(), Some(2), "{up:?}");
    assert!(stderr(&up).contains("down0 is up: a frame would leave by it"), "{up:?}");
    assert_eq!(stdout(&up), "");
}
