//! Which files a user means, and what is in them: others may have written them, so that everything has
//! a bound.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use harness::files::{MANIFEST, NotOpened, RESULTS};

use crate::UsageError;

/// How files of cases end.
const ENDINGS: [&str; 2] = [".case", ".json"];
/// The most bytes of a file. A case has some hundred.
const MOST_OF_FILE: u64 = 16 << 20;
/// The most files of a folder.
const MOST_OF_FILES: usize = 10_000;
/// How deep folders may lie in folders.
const DEEPEST: usize = 16;

/// A path on the command line, and which of the cases there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The file or folder.
    pub path: PathBuf,
    /// As for a suite's cases, without the suite; all of them if there is none.
    pub pattern: Option<String>,
}

/// What a word of the command line names, if it is a path: a file of cases, whether it is there or not, a
/// folder, or `FILE:PATTERN`. What `is_known` of the catalogue is that, unless a path cannot be anything else.
pub fn named(word: &str, is_known: impl FnOnce(&str) -> bool) -> Option<Named> {
    let path = Path::new(word);
    let whole = || Some(Named { path: path.to_owned(), pattern: None });
    if ENDINGS.iter().any(|ending| word.ends_with(ending)) {
        return whole();
    }
    let inside = ENDINGS.iter().find_map(|ending| word.split_once(&format!("{ending}:")));
    if let Some((before, pattern)) = inside {
        let path = word[..word.len() - pattern.len() - 1].into();
        return (!before.is_empty()).then(|| Named { path, pattern: Some(pattern.to_owned()) });
    }
    let plain = ["./", "../", "/"].iter().any(|begin| word.starts_with(begin));
    let plain = plain || word.ends_with('/') || word == "." || word == "..";
    // A word that names neither is told as one that names no case, but for a file of another kind.
    let there = plain || path.is_dir() || word.contains('/') && path.exists();
    if there && (plain || !is_known(word)) { whole() } else { None }
}

/// The files of cases that a path means, in the order of their names: itself, or those in it. What
/// begins with a dot is passed over, and so are runs, and links in a folder.
pub fn found(path: &Path) -> Result<Vec<PathBuf>, UsageError> {
    let shown = path.display();
    let kind = fs::metadata(path).map_err(|e| cannot(path, &e))?;
    if !kind.is_dir() {
        let is_ours = ENDINGS.iter().any(|end| path.to_string_lossy().ends_with(end));
        return if is_ours {
            Ok(vec![path.to_owned()])
        } else {
            Err(UsageError(format!("{shown} is no file of cases: they end in .case or .json")))
        };
    }
    let mut all = Vec::new();
    walk(path, DEEPEST, &mut all)?;
    if all.is_empty() {
        return Err(UsageError(format!(
            "{shown} has no cases: no file in it ends in .case or .json"
        )));
    }
    Ok(all)
}

fn walk(folder: &Path, deep: usize, all: &mut Vec<PathBuf>) -> Result<(), UsageError> {
    let shown = folder.display();
    let Some(deeper) = deep.checked_sub(1) else {
        let why = format!("{shown} lies deeper than {DEEPEST} folders, as no case does");
        return Err(UsageError(why));
    };
    // What sockeye itself leaves in a folder is no case of it.
    if [MANIFEST, RESULTS].iter().all(|file| folder.join(file).is_file()) {
        return Ok(());
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| cannot(folder, &e))? {
        let entry = entry.map_err(|e| cannot(folder, &e))?;
        let kind = entry.file_type().map_err(|e| cannot(&entry.path(), &e))?;
        entries.push((entry.file_name(), kind));
    }
    entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    for (name, kind) in entries {
        let text = name.to_string_lossy();
        if text.starts_with('.') || kind.is_symlink() {
            continue;
        }
        let path = folder.join(&name);
        if kind.is_dir() {
            walk(&path, deeper, all)?;
        } else if ENDINGS.iter().any(|ending| text.ends_with(ending)) {
            all.push(path);
        }
        if all.len() > MOST_OF_FILES {
            let why = format!("{shown} has more than {MOST_OF_FILES} files of cases");
            return Err(UsageError(why));
        }
    }
    Ok(())
}

/// The text of a file.
pub fn text(path: &Path) -> Result<String, UsageError> {
    let shown = path.display();
    let mut bytes = Vec::new();
    let file = opened(path)?;
    // It may grow while it is read.
    let read = file.take(MOST_OF_FILE + 1).read_to_end(&mut bytes);
    read.map_err(|e| cannot(path, &e))?;
    if bytes.len() as u64 > MOST_OF_FILE {
        return Err(UsageError(format!(
            "{shown} has more than {MOST_OF_FILE} bytes, as no file of cases has"
        )));
    }
    String::from_utf8(bytes).map_err(|e| {
        let good = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let line = String::from_utf8_lossy(good).matches('\n').count() + 1;
        UsageError(format!("{shown}:{line}: this is no UTF-8, and cases are text"))
    })
}

/// A file, opened.
fn opened(path: &Path) -> Result<File, UsageError> {
    harness::files::opened(path, true).map_err(|e| match e {
        NotOpened::Io(e) => cannot(path, &e),
        NotOpened::Is(what) => {
            UsageError(format!("{} is {what}, and cases are in files", path.display()))
        }
    })
}

fn cannot(path: &Path, e: &std::io::Error) -> UsageError {
    let shown = path.display();
    UsageError(match e.kind() {
        std::io::ErrorKind::NotFound => format!("{shown} is not there"),
        _ => format!("{shown} cannot be read: {e}"),
    })
}

/// When each file that these paths mean was saved last: by that a change is seen. A path that cannot be
/// read is none.
pub fn saved(named: &[Named]) -> Vec<(PathBuf, Option<SystemTime>, u64)> {
    let files = named.iter().flat_map(|named| found(&named.path).unwrap_or_default());
    files
        .map(|path| {
            let about = fs::metadata(&path).ok();
            let when = about.as_ref().and_then(|about| about.modified().ok());
            (path, when, about.map_or(0, |about| about.len()))
        })
        .collect()
}

/// What a file's cases have in place of a suite: its name without the ending, made a word.
pub fn stem(path: &Path) -> Result<String, UsageError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '-' };
    let word: String = name.chars().map(plain).collect();
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if word.is_empty() {
        let why = "its name has no letter and no digit, and its cases are called by it";
        return Err(UsageError(format!("{}: {why}", path.display())));
    }
    Ok(word.to_owned())
}

/// How a run calls a file: as the user named it, and nothing of where that lies on the user's machine.
pub(crate) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let path = path.strip_prefix(&here).unwrap_or(path);
    let path = path.strip_prefix(".").unwrap_or(path);
    let leads_away = path.is_absolute() || path.components().any(|part| part.as_os_str() == "..");
    let path = if leads_away { path.file_name().unwrap_or_default().as_ref() } else { path };
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("link-state", None)]
    #[case("link-state/*", None)]
    #[case("nothing/of/this", None)]
    #[case("udp.case", Some(("udp.case", None)))]
    #[case("a/udp.json", Some(("a/udp.json", None)))]
    #[case("a/udp.case:send[inet]", Some(("a/udp.case", Some("send[inet]"))))]
    #[case("./link-state", Some(("./link-state", None)))]
    #[case("src", Some(("src", None)))]
    #[case("src/", Some(("src/", None)))]
    #[case(".", Some((".", None)))]
    #[case("src/lib.rs", Some(("src/lib.rs", None)))]
    #[case(".case:x", None)]
    fn a_word_is_a_path_or_a_pattern(#[case] word: &str, #[case] is: Option<(&str, Option<&str>)>) {
        let is_known = |word: &str| word.starts_with("link-state");
        let of = |(path, pattern): (&str, Option<&str>)| Named {
            path: path.into(),
            pattern: pattern.map(str::to_owned),
        };
        assert_eq!(named(word, is_known), is.map(of));
    }

    #[rstest]
    #[case("udp.case", Some("udp"))]
    #[case("a/01-recv err.json", Some("01-recv-err"))]
    #[case("..a.b.case", Some("a.b"))]
    #[case("ä.case", None)]
    fn a_stem_is_a_word(#[case] path: &str, #[case] is: Option<&str>) {
        assert_eq!(stem(Path::new(path)).ok().as_deref(), is);
    }

    #[rstest]
    #[case("cases/udp.case", "cases/udp.case")]
    #[case("./udp.case", "udp.case")]
    #[case("/home/somebody/udp.case", "udp.case")]
    #[case("../somebody/udp.case", "udp.case")]
    fn a_run_says_nothing_of_the_machine(#[case] path: &str, #[case] is: &str) {
        assert_eq!(shown(Path::new(path)), is);
        let here = std::env::current_dir().unwrap();
        assert_eq!(shown(&here.join("udp.case")), "udp.case");
    }
}
