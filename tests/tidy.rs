//! What ARCHITECTURE.md and CONTRIBUTING.md promise of the tree, held to account.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust source of the project, with its path from the root.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in
        ["src", "tests", "benches", "cases", "far", "harness", "notation", "suites", "reports"]
    {
        walk(&root().join(folder), "rs", &mut found);
    }
    assert!(found.len() > 100, "the tree has moved");
    let name = |path: &Path| path.strip_prefix(root()).unwrap_or(path).display().to_string();
    found.iter().map(|p| (name(p), fs::read_to_string(p).expect("UTF-8"))).collect()
}

fn walk(folder: &Path, end: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, end, found);
        } else if path.extension().is_some_and(|e| e == end) {
            found.push(path);
        }
    }
}

/// The lines of code that have `word` in them as a word of its own, comments and text left out.
fn lines_with(text: &str, word: &str) -> Vec<usize> {
    let is_code = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
        !code.contains(&format!("\"{word}")) && words.into_iter().any(|w| w == word)
    };
    (1..).zip(text.lines()).filter(|(_, line)| is_code(line)).map(|(n, _)| n).collect()
}

#[test]
fn unsafe_stands_in_the_executor_alone() {
    for (name, text) in sources() {
        let found = lines_with(&text, "unsafe");
        assert!(found.is_empty() || name.starts_with("harness/src/exec/"), "{name}: {found:?}");
    }
}

#[test]
fn the_system_is_chosen_in_one_place() {
    for (name, text) in sources() {
        let found = lines_with(&text, "target_os");
        let chooses = ["harness/src/exec/mod.rs", "far/src/net/mod.rs"].contains(&name.as_str());
        assert!(found.is_empty() || chooses, "{name}: {found:?}");
    }
}

/// Whether a line of code prints by itself. What hands a stream on to another program does not.
fn prints(line: &str) -> bool {
    let handed_on = ["Stdio::from(", ".stdout(", ".stderr("].iter().any(|to| line.contains(to));
    let has = |word: &&str| !lines_with(line, word).is_empty();
    let calls = |word: &&str, how: &str| has(word) && line.contains(&format!("{word}{how}"));
    ["anstream", "owo_colors", "indicatif"].iter().any(has)
        || ["println", "print", "eprintln", "eprint"].iter().any(|word| calls(word, "!("))
        || !handed_on && ["stdout", "stderr"].iter().any(|word| calls(word, "()"))
}

/// What others wrote is shown and never obeyed, and a full standard output is a status: see there.
#[test]
fn all_is_said_in_one_place() {
    let places = [
        "src/out.rs",
        // Lines of a machine's console, each made fit there; the console of a machine itself.
        "harness/src/subject/console.rs",
        "harness/src/exec/linux/init.rs",
    ];
    for (name, text) in sources() {
        let is_program = name.starts_with("src/") || name.contains("/src/");
        let is_test = name.ends_with("tests.rs") || name.contains("/tests/");
        if !is_program || is_test || places.contains(&name.as_str()) {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let found = (1..).zip(code.lines()).filter(|(_, line)| prints(line)).map(|(n, _)| n);
        let found: Vec<usize> = found.collect();
        assert!(
            found.is_empty(),
            "{name}: {found:?}: `outln!` and the others of src/out.rs say it"
        );
    }
}

/// A file of tests that no program of tests names is never compiled.
#[test]
fn all_tests_are_run() {
    for of in ["", "reports/"] {
        let folder = root().join(of).join("tests");
        let read = |name: &str| fs::read_to_string(root().join(of).join(name)).expect("UTF-8");
        let manifest = read("Cargo.toml");
        let named = read("tests/quick.rs") + &read("tests/whole.rs");
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(name) = name.strip_suffix(".rs") else { continue };
            let is_module = named.contains(&format!("\nmod {name};\n"));
            let is_program = manifest.contains(&format!("[[test]]\nname = \"{name}\"\n"));
            assert!(is_module || is_program, "{of}tests/{name}.rs is in no program of tests");
        }
    }
}

#[test]
fn files_stay_of_a_size() {
    for (name, text) in sources() {
        let lines = text.lines().count();
        let suite = name.starts_with("suites/src/")
            && name.matches('/').count() == 3
            && !name.starts_with("suites/src/rules/");
        // Aims, with some room: 250 for a table that is read as one, 500 for a module.
        let most = if suite { 300 } else { 550 };
        assert!(lines <= most, "{name} has {lines} lines, {most} are the most");
    }
    let mut found = Vec::new();
    walk(&root().join("suites"), "case", &mut found);
    assert!(found.len() >= 10, "the suites have moved");
    for path in found {
        let text = fs::read_to_string(&path).expect("UTF-8");
        let lines = text.lines().count();
        assert!(lines <= 300, "{} has {lines} lines, 300 are the most", path.display());
        let long = text.lines().find(|line| line.chars().count() > 140);
        assert_eq!(long, None, "{}: a line that is not read at a glance", path.display());
    }
}

#[test]
fn nothing_is_left_for_later() {
    let words = [
        concat!("to", "do!"),
        concat!("unimple", "mented!"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
    ];
    for (name, text) in sources() {
        for word in words {
            let found = text.lines().any(|line| line.contains(word));
            assert!(!found, "{name}: {word}");
        }
        assert!(!text.contains(concat!("#[ig", "nore")), "{name}: an ignored test");
    }
}

#[test]
fn these_checks_can_fail() {
    assert_eq!(lines_with("fn a() {\n    unsafe { b() }\n}", "unsafe"), [2]);
    assert_eq!(lines_with("// unsafe\nlet a = \"unsafe\"; // unsafe", "unsafe"), [0; 0]);
    assert_eq!(lines_with("unsafe_op_in_unsafe_fn", "unsafe"), [0; 0]);
    assert!(prints("println!();") && prints("std::io::stdout().lock()") && prints("use anstream;"));
    assert!(!prints("if e.use_stderr() {"));
    assert!(
        !prints("outln!(\"{line}\");") && !prints("command.stdout(Stdio::from(io::stderr()));")
    );
}
