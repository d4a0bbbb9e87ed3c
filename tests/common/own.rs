//! Files of a user's own, and what the program says of them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use super::{SOCKEYE, stdout, turn};

/// A folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

/// What the program does in a folder.
pub(crate) fn sockeye(folder: &Path, args: &[&str]) -> Output {
    let _turn = turn();
    Command::new(SOCKEYE).args(args).current_dir(folder).output().expect("sockeye starts")
}

/// The lines of a run with `--json`, and its exit status.
pub(crate) fn lines(folder: &Path, args: &[&str]) -> (Vec<Value>, Option<i32>) {
    let output = sockeye(folder, &[&["run", "--json", "--out", "out"], args].concat());
    let text = stdout(&output);
    let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    (lines, output.status.code())
}

pub(crate) fn verdict(folder: &Path, args: &[&str]) -> (String, Option<i32>) {
    let (lines, code) = lines(folder, args);
    let [line] = &lines[..] else { panic!("{lines:?}") };
    (line["verdict"].as_str().unwrap_or_default().to_owned(), code)
}
