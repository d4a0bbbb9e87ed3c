//! KTAP version 1, as the kernel's own tests write it and `kunit.py parse` reads it.
//!
//! Format: Documentation/dev-tools/ktap.rst of the kernel.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::model::{Came, Export, Part, Test, by_rank, known};
use crate::text::visible;

/// The version of the format that this is, the first line of every level.
const VERSION: &str = "KTAP version 1";

/// A test, or more of them.
enum Node<'a> {
    Case(&'a Test),
    Group(String, Vec<Self>),
}

/// How a test ended, as far as the one above it needs to know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Ok,
    NotOk,
    Skipped,
}

/// The whole file: suites, tables in them, cases in these; around them the subjects if there are
/// several.
///
/// A known deviation is `ok … # XFAIL`, what is new or did not run `ok … # SKIP`, what the harness
/// failed at `not ok … # ERROR`. What is undocumented is a diagnostic of a test that is `ok`. A test's
/// diagnostics stand before its result, where the kernel's parser looks for them.
pub fn ktap(export: &Export) -> String {
    let mut nodes: Vec<Node<'_>> =
        export.parts.iter().map(|part| Node::Group(part.name.clone(), suites(part))).collect();
    if let [Node::Group(_, _)] = &nodes[..]
        && let Some(Node::Group(_, suites)) = nodes.pop()
    {
        nodes = suites;
    }
    let mut out = format!("{VERSION}\n1..{}\n", nodes.len());
    for part in &export.parts {
        for (name, value) in &part.properties {
            say(&mut out, 0, &format!("{name}: {}", value.replace('\n', " ")));
        }
        for line in by_rank(part) {
            say(&mut out, 0, &line);
        }
        if part.cut {
            say(&mut out, 0, &format!("{} was cut off: cases are missing", named(&part.name)));
        }
    }
    for (number, node) in (1..).zip(&nodes) {
        write(&mut out, 0, number, node);
    }
    out
}

fn suites(part: &Part) -> Vec<Node<'_>> {
    let mut suites: BTreeMap<&str, Vec<Node<'_>>> = BTreeMap::new();
    for table in &part.tables {
        let suite = table.name.split('/').next().unwrap_or_default();
        let node = match &table.tests[..] {
            // A result of the name that a subtest has ends the subtest.
            [only] if only.id == table.name => Node::Case(only),
            tests => Node::Group(table.name.clone(), tests.iter().map(Node::Case).collect()),
        };
        suites.entry(suite).or_default().push(node);
    }
    suites.into_iter().map(|(suite, tables)| Node::Group(suite.to_owned(), tables)).collect()
}

fn write(out: &mut String, depth: usize, number: usize, node: &Node<'_>) -> Ended {
    match node {
        Node::Case(test) => case(out, depth, number, test),
        Node::Group(name, nodes) => {
            let name = named(name);
            let inner = "  ".repeat(depth + 1);
            let _ = writeln!(out, "{inner}{VERSION}\n{inner}# Subtest: {name}");
            let _ = writeln!(out, "{inner}1..{}", nodes.len());
            let mut ended = Ended::Skipped;
            for (number, node) in (1..).zip(nodes) {
                match write(out, depth + 1, number, node) {
                    Ended::NotOk => ended = Ended::NotOk,
                    Ended::Ok if ended == Ended::Skipped => ended = Ended::Ok,
                    Ended::Ok | Ended::Skipped => {}
                }
            }
            let directive = if ended == Ended::Skipped { " # SKIP nothing ran" } else { "" };
            result(out, depth, ended, number, &format!("{name}{directive}"));
            ended
        }
    }
}

fn case(out: &mut String, depth: usize, number: usize, test: &Test) -> Ended {
    let name = named(&test.id);
    if let Some(remarks) = test.remarked() {
        say(out, depth, &remarks);
    }
    let (ended, directive) = match &test.came {
        Came::Passed => (Ended::Ok, String::new()),
        Came::Known(reasons) => (Ended::Ok, directive("XFAIL", &known(test, reasons))),
        Came::Skipped(reason) | Came::NotHere(reason) => {
            (Ended::Skipped, directive("SKIP", reason))
        }
        Came::Failed { what, lines, .. } => {
            say(out, depth, what);
            for line in lines {
                say(out, depth, &format!("  {line}"));
            }
            (Ended::NotOk, String::new())
        }
        Came::Broken(reason) => (Ended::NotOk, directive("ERROR", reason)),
    };
    result(out, depth, ended, number, &format!("{name}{directive}"));
    ended
}

fn result(out: &mut String, depth: usize, ended: Ended, number: usize, text: &str) {
    let word = if ended == Ended::NotOk { "not ok" } else { "ok" };
    let _ = writeln!(out, "{}{word} {number} {text}", "  ".repeat(depth));
}

/// A diagnostic, which is one line.
fn say(out: &mut String, depth: usize, text: &str) {
    for line in visible(text).lines() {
        let _ = writeln!(out, "{}# {line}", "  ".repeat(depth));
    }
}

/// A directive's reason is one line.
fn directive(word: &str, reason: &str) -> String {
    format!(" # {word} {}", visible(reason).replace('\n', " ").trim_end())
}

/// A description may have no `#` in it and is one line.
fn named(name: &str) -> String {
    visible(name).replace(['#', '\n'], "_")
}
