//! The grammar for editors knows what the language has: `docs/editors`.

use std::collections::BTreeMap;

use harness::case::KNOWN;
use regex::Regex;
use rstest::rstest;
use serde_json::Value;

const GRAMMAR: &str = include_str!("../docs/editors/sockeye-case.tmLanguage.json");

/// The kinds of lines, each with what such a line begins with, in the order in which an editor tries them.
fn kinds(grammar: &Value) -> Vec<(String, Regex)> {
    let all = grammar["patterns"].as_array().expect("patterns");
    let kind = |pattern: &Value| {
        let name = pattern["include"].as_str().expect("a name").trim_start_matches('#').to_owned();
        let rule = &grammar["repository"][&name];
        let text = rule["begin"].as_str().or(rule["match"].as_str()).expect("a pattern");
        (name, Regex::new(text).expect("a pattern without what only Oniguruma has"))
    };
    all.iter().map(kind).collect()
}

fn grammar() -> Value {
    serde_json::from_str(GRAMMAR).expect("JSON")
}

fn kind<'k>(kinds: &'k [(String, Regex)], line: &str) -> Option<&'k str> {
    kinds.iter().find(|(_, begins)| begins.is_match(line)).map(|(name, _)| name.as_str())
}

/// Each text of cases that there is: those of the documents, the examples, and a row of each table.
fn texts() -> Vec<String> {
    let page = include_str!("../docs/cases.md");
    let mut all: Vec<String> = page
        .split("```case\n")
        .skip(1)
        .filter_map(|t| t.split("```").next())
        .map(str::to_owned)
        .collect();
    assert!(all.len() > 5, "the page has examples");
    for table in suites::tables() {
        all.extend(table.cases.first().map(notation::print));
    }
    let suites = concat!(env!("CARGO_MANIFEST_DIR"), "/suites");
    let files = |folder: std::path::PathBuf| std::fs::read_dir(folder).into_iter().flatten();
    for path in files(suites.into()).flat_map(|suite| files(suite.expect("it is there").path())) {
        let path = path.expect("a file").path();
        if path.extension().is_some_and(|ending| ending == "case") {
            all.push(std::fs::read_to_string(path).expect("UTF-8"));
        }
    }
    for file in
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).expect("it is there")
    {
        let path = file.expect("a file").path();
        if path.extension().is_some_and(|ending| ending == "case") {
            all.push(std::fs::read_to_string(path).expect("UTF-8"));
        }
    }
    all
}

#[test]
fn every_line_of_every_case_is_of_a_kind() {
    let kinds = kinds(&grammar());
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for text in texts() {
        let mut goes_on = false;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            // What begins on a line before it has that one's colours.
            let is_new = !std::mem::replace(
                &mut goes_on,
                line.ends_with([',', ';']) || line.ends_with(" in"),
            );
            if !is_new {
                continue;
            }
            let kind = kind(&kinds, line);
            *seen.entry(kind.unwrap_or_else(|| panic!("{line}"))).or_default() += 1;
        }
    }
    let wanted = ["comment", "name", "parameter", "without", "condition", "link", "step", "sent"];
    for wanted in wanted.into_iter().chain(["each", "definition", "word"]) {
        assert!(seen.contains_key(wanted), "{wanted}: {seen:?}");
    }
}

#[rstest]
#[case("# Is it so?", Some("comment"))]
#[case("case shutdown", Some("name"))]
#[case("for family in v4: AF_INET, v6: AF_INET6", Some("parameter"))]
#[case("each case", Some("each"))]
#[case("case bind[net,zone]", Some("name"))]
#[case("for to in", Some("parameter"))]
#[case("let get = \"GET / HTTP/1.1\"", Some("definition"))]
#[case("kind link0", Some("word"))]
#[case("without family=v6: as for IPv4", Some("without"))]
#[case("if family=v6: close(s) = 0", Some("condition"))]
#[case("catalogue UDP-03, UDP-04", Some("catalogue"))]
#[case("window 100 ms", Some("window"))]
#[case("tap tap0 mtu 1280 addresses ll v6", Some("link"))]
#[case("name server link0 53 at v4: a.example A is 192.0.2.7", Some("setup"))]
#[case("-- link set tap0 down", Some("step"))]
#[case("    > nothing", Some("sent"))]
#[case("    < link0 UDP neighbour(link0,v4):9 > own(link0,v4):port(s) \"x\"", Some("received"))]
#[case("t: recv(a, 64, 0) <unfinished ...>", Some("beginning"))]
#[case("t: <... recv resumed> = 1, \"x\"", Some("beginning"))]
#[case("send(s, \"x\", 1, 0) = -1 EAGAIN on linux", Some("beginning"))]
#[case("This is prose, and no line of a case.", None)]
#[case("casement", None)]
#[case(">link0", None)]
fn a_line_is_of_its_kind(#[case] line: &str, #[case] is: Option<&str>) {
    assert_eq!(kind(&kinds(&grammar()), line), is);
}

/// That the check can fail: a grammar without frames knows fewer lines.
#[test]
fn a_kind_that_is_missing_is_missed() {
    let mut less = grammar();
    let all = less["patterns"].as_array_mut().expect("patterns");
    all.retain(|pattern| pattern["include"] != "#received" && pattern["include"] != "#sent");
    let kinds = kinds(&less);
    let missed = texts()
        .iter()
        .flat_map(|text| text.lines())
        .any(|line| !line.trim().is_empty() && kind(&kinds, line).is_none());
    assert!(missed);
}

/// What is within a line is told, too: every pattern compiles, each constant is one, a result is one.
#[test]
fn every_name_is_a_constant() {
    fn all<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    if let ("match" | "begin" | "end", Some(text)) = (key.as_str(), member.as_str())
                    {
                        found.push(text);
                    }
                    all(member, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| all(item, found)),
            _ => {}
        }
    }
    let grammar = grammar();
    let mut found = Vec::new();
    all(&grammar, &mut found);
    assert!(found.len() > 30);
    assert!(found.iter().all(|text| Regex::new(text).is_ok()), "{found:?}");
    let values = grammar["repository"]["value"]["patterns"].as_array().expect("patterns");
    let of = |name: &str| {
        let is = |rule: &&Value| rule["name"].as_str().is_some_and(|scope| scope.starts_with(name));
        let rule = values.iter().find(is).expect("a rule");
        Regex::new(rule["match"].as_str().expect("a pattern")).expect("a pattern")
    };
    let constant = of("constant.other");
    for name in KNOWN {
        assert_eq!(constant.find(name).map(|found| found.as_str()), Some(*name));
    }
    assert!(
        !constant.is_match("recv(s, 10)") && of("support.constant.errno").is_match("-1 EAGAIN")
    );
}
