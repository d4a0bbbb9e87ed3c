//! No text of a case is code in the program that is made of it: a property of all cases with anything
//! in the place of any of their words.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use harness::case::{Case, Os};
use harness::trace::{End, Trace};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{TestCaseError, TestCaseResult, TestRunner};
use reports::repro::{FLAGS, Observed, Options, reproducer};
use serde_json::Value;

use crate::common::has_cc;

/// What ends a string, a comment, a tag, a line, a cell, a path.
const EVIL: [&str; 14] = [
    "*/ int evil = system(\"touch F\"); /*",
    "??/",
    "x??/\ny",
    "back\\",
    "\\\" ); system(\"touch F\"); //",
    "\"; system(\"x\"); \"",
    "%n%s%n",
    "\u{202e}evil\u{2066}",
    "#include </etc/passwd>",
    "../../../etc/passwd",
    "</title><script>hacked=1</script>",
    "\u{1b}[2J",
    "a\r\nBcc: x",
    "@@STEPS@@ @@OBSERVED@@",
];

/// Every place of a string in JSON, by pointer.
fn strings(at: &str, value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(_) => out.push(at.to_owned()),
        Value::Array(all) => {
            all.iter().enumerate().for_each(|(n, one)| strings(&format!("{at}/{n}"), one, out));
        }
        Value::Object(all) => {
            all.iter().for_each(|(key, one)| strings(&format!("{at}/{key}"), one, out));
        }
        _ => {}
    }
}

/// Whether it compiles, without a word.
fn compiles(program: &str) -> Option<String> {
    let mut cc = Command::new("cc")
        .args(FLAGS)
        .args(["-fsyntax-only", "-xc", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("cc starts");
    cc.stdin.take().expect("piped").write_all(program.as_bytes()).expect("written");
    let output = cc.wait_with_output().expect("it ends");
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The program without its strings and comments: what is left is code.
fn code(program: &str) -> String {
    // Translation phases 1 and 2 of C11 §5.1.1.2: trigraphs, then lines that are joined.
    let program = program.replace("??/", "\\").replace("\\\n", "");
    let (mut out, mut rest) = (String::new(), program.as_str());
    while let Some(c) = rest.chars().next() {
        if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, behind)| behind);
        } else if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, behind)| behind);
        } else if c == '"' || c == '\'' {
            let mut escaped = false;
            let end = rest[1..].find(|d| {
                let ends = d == c && !escaped;
                escaped = d == '\\' && !escaped;
                ends
            });
            out.push(c);
            rest = end.map_or("", |end| &rest[end + 2..]);
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

fn cases() -> Vec<Case> {
    let all: Vec<Case> = suites::tables().into_iter().flat_map(|table| table.cases).collect();
    // Every 97th, and those that have texts of their own: of names, and of servers.
    let own = |case: &Case| case.resolves() || !case.lab.setup.is_empty();
    let mut some: Vec<Case> = all.iter().step_by(97).cloned().collect();
    some.extend(all.iter().filter(|case| own(case)).step_by(29).cloned());
    some
}

/// A case, one of its words by number, and what comes in its place.
fn mutations() -> impl Strategy<Value = (Case, prop::sample::Index, String)> {
    let word = prop_oneof![
        select(&EVIL[..]).prop_map(str::to_owned),
        (select(&EVIL[..]), "[ -~]{0,9}").prop_map(|(evil, more)| format!("{more}{evil}")),
        "\\PC{0,40}",
        "[a-z_]{1,12}",
    ];
    (select(cases()), any::<prop::sample::Index>(), word)
}

/// The case with `word` in the place of another, where it is let in; what refuses it is one sentence.
fn let_in(case: &Case, place: &str, word: &str) -> Result<Option<Case>, TestCaseError> {
    let mut value = serde_json::to_value(case).expect("JSON");
    *value.pointer_mut(place).expect("there") = word.into();
    let Ok(case) = serde_json::from_value::<Case>(value) else { return Ok(None) };
    let Err(why) = case.check() else { return Ok(Some(case)) };
    prop_assert!(!why.contains('\n') && why.len() < 1000, "{why}");
    Ok(None)
}

/// How many cases came how far.
#[derive(Default)]
struct Reached {
    /// In whose program it was looked for a word that no program has by itself.
    searched: AtomicUsize,
    /// Whose program a compiler has read.
    compiled: AtomicUsize,
}

fn is_no_code(case: &Case, place: &str, word: &str, reached: &Reached) -> TestCaseResult {
    let trace = Trace::new(&case.id, Vec::new(), Vec::new(), End::Done);
    let expected = [word.to_owned()];
    let observed = Observed { trace: &trace, platform: word, kernel: word, outcome: word };
    // Its own words may be those of C, too.
    let long = word.chars().count() > 8;
    let evil = long && word.contains(['"', '*', '?', '\\', '<', '%', '@']);
    for os in [Os::Linux, Os::Macos] {
        let options = Options { os, observed: Some(observed), expected: &expected };
        let program = reproducer(case, &options);
        prop_assert!(!evil || !code(&program).contains(word), "{place}: {word:?}\n{program}");
        prop_assert!(!program.contains(['\u{202e}', '\u{1b}', '\r']), "{place}");
        if os == Os::Linux && has_cc() {
            let fails = compiles(&program);
            prop_assert!(fails.is_none(), "{place}: {word:?}: {fails:?}\n{program}");
            reached.compiled.fetch_add(1, Ordering::Relaxed);
        }
    }
    reached.searched.fetch_add(usize::from(evil), Ordering::Relaxed);
    Ok(())
}

/// `names/getnameinfo[named,numerichost+namereqd]` with a name that ends a comment: the table of the name server's answers
/// had it behind each row, as code, and the mutations met it once in some hundred runs.
#[test]
fn no_name_of_a_servers_is_code() {
    let reached = Reached::default();
    let served = cases().into_iter().filter(|case| case.lab.name_server().is_some());
    for case in served.step_by(4) {
        let value = serde_json::to_value(&case).expect("JSON");
        let mut places = Vec::new();
        strings("", &value, &mut places);
        for place in places.iter().filter(|place| place.starts_with("/lab/setup")) {
            let case = let_in(&case, place, EVIL[0]).unwrap_or_else(|e| panic!("{e}"));
            if let Some(case) = case {
                is_no_code(&case, place, EVIL[0], &reached).unwrap_or_else(|e| panic!("{e}"));
            }
        }
    }
    let searched = reached.searched.into_inner();
    assert!(searched >= 5, "{searched} programs had a word that could be found in them");
}

/// Any word of a case is another one: the case is refused with a sentence, or the word is nowhere
/// in the program but in comments and strings, and that compiles.
#[test]
fn no_text_of_a_case_is_code() {
    let config =
        ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() };
    let reached = Reached::default();
    let done = TestRunner::new(config).run(&mutations(), |(case, at, word)| {
        let value = serde_json::to_value(&case).expect("JSON");
        let mut places = Vec::new();
        strings("", &value, &mut places);
        let place = at.get(&places);
        match let_in(&case, place, &word)? {
            Some(case) => is_no_code(&case, place, &word, &reached),
            None => Ok(()),
        }
    });
    done.unwrap_or_else(|e| panic!("{e}"));
    // Else this could not fail: most words are refused before they are in a program.
    let (searched, compiled) = (reached.searched.into_inner(), reached.compiled.into_inner());
    println!("{searched} programs were searched, {compiled} compiled");
    assert!(searched >= 5, "{searched} programs had a word that could be found in them");
    assert!(compiled >= 10 || !has_cc(), "{compiled} programs came to a compiler");
}

/// The check of the test itself: a word that is code is found.
#[test]
fn code_is_what_is_neither_string_nor_comment() {
    assert_eq!(code("a /* \" */ \"x\\\"*/\" 'c' // b\nd"), "a  \" ' d");
    assert!(code("/* *??/\n/ evil(); */").contains("evil"));
    assert!(compiles("int main(void) { return x; }").is_some() || !has_cc());
}
