//! Suites that are text: the files that lie in `suites/SUITE`, read once.

use std::borrow::Cow;

use crate::table::{LeftOut, Table};

/// A file of a suite.
#[derive(Clone, Copy, Debug)]
pub(crate) struct File {
    /// The suite that its cases are of.
    pub(crate) suite: &'static str,
    /// Its name in the suite's folder.
    pub(crate) name: &'static str,
    /// What is in it.
    pub(crate) text: &'static str,
}

/// A file that lies in the folder of a suite.
macro_rules! file {
    ($suite:literal, $name:literal) => {
        $crate::text::File {
            suite: $suite,
            name: $name,
            text: include_str!(concat!("../../", $suite, "/", $name)),
        }
    };
}
pub(crate) use file;

/// The tables of these files, each of which may go on with tables of one before it, with those in Rust: before the
/// table of that name, or behind all of them where the name is empty.
///
/// # Panics
/// If there is a mistake in a file, or no table of that name.
pub(crate) fn among<const N: usize>(
    files: &[File],
    rust: [(&'static str, Vec<Table>); N],
) -> Vec<Table> {
    let mut all: Vec<Table> = Vec::new();
    for table in files.iter().copied().flat_map(tables) {
        match all.iter_mut().find(|known| known.name == table.name) {
            Some(known) => {
                known.cases.extend(table.cases);
                known.left_out.extend(table.left_out);
            }
            None => all.push(table),
        }
    }
    for (before, tables) in rust {
        let at = match before {
            "" => all.len(),
            name => all.iter().position(|table| table.name == name).expect("a table of a file"),
        };
        all.splice(at..at, tables);
    }
    all
}

/// Its tables, in the order of the text.
///
/// # Panics
/// If there is a mistake in it: it is told as a compiler tells it. `every_file_is_read` keeps such a file
/// out of a program that others get.
fn tables(file: File) -> Vec<Table> {
    let read = notation::tables(file.suite, file.text);
    let tables = read.unwrap_or_else(|faults| {
        let path = format!("suites/{}/{}", file.suite, file.name);
        panic!("a mistake in a suite:\n{}", notation::render(&faults, &path, file.text, false))
    });
    let table = |table: notation::Table| Table {
        name: table.name.into(),
        question: table.question.into(),
        cases: table.written.into_iter().map(|written| written.case).collect(),
        left_out: table.left_out.into_iter().map(left_out).collect(),
    };
    tables.into_iter().map(table).collect()
}

fn left_out(one: notation::LeftOut) -> LeftOut {
    LeftOut { id: one.id, why: Cow::Owned(one.why) }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use crate::table::Table;

    /// What lies in a suite's folder is asked, and what `sockeye run FILE` makes of a file is what the suite has.
    #[test]
    fn every_file_is_read() {
        let all = crate::tables();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = 0;
        for suite in fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()) {
            let Ok(entries) = fs::read_dir(&suite) else { continue };
            for path in entries.map(|entry| entry.unwrap().path()) {
                if path.extension().is_none_or(|end| end != "case") {
                    continue;
                }
                files += 1;
                let text = fs::read_to_string(&path).unwrap();
                // `run FILE` refuses a file that has the name of a suite.
                let stem = path.file_stem().unwrap().to_str().unwrap();
                let is_suite = |table: &Table| table.name.split('/').next() == Some(stem);
                assert!(!all.iter().any(is_suite), "{} is called as a suite", path.display());
                let suite = suite.file_name().unwrap().to_str().unwrap();
                for table in notation::tables(suite, &text).expect("it is read") {
                    let known = all.iter().find(|known| known.name == table.name);
                    let known = known.unwrap_or_else(|| panic!("{} is in no suite", table.name));
                    assert_eq!(known.question, table.question);
                    // A table may go on in another file.
                    let mut all = known.cases.iter();
                    for written in &table.written {
                        assert!(all.any(|case| *case == written.case), "{}", written.case.id);
                    }
                }
            }
        }
        assert!(files >= 10, "{files}");
    }
}
