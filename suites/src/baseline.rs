//! What this suite observed on a platform.
//!
//! A baseline is a snapshot of one table: an insta file whose text has a paragraph for each row. It
//! is kept under `suites/baselines/PLATFORM/SUITE/TABLE.snap`. Platforms fall back from the
//! specific to the general (`linux-6.1`, `linux`; `glibc-2.36`, `glibc`, where the answers are the C
//! library's), and a specific one has only the rows that differ.
//! Nobody writes one by hand: `cargo insta accept` keeps what a run observed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use flate2::read::DeflateDecoder;
use harness::files::{NotOpened, opened};

/// What was observed, by platform and case.
#[derive(Debug, Default)]
pub struct Baselines(BTreeMap<String, BTreeMap<String, String>>);

/// The line before a row's outcome.
const HEADING: &str = "## ";

impl Baselines {
    /// Those that this program was built with.
    pub fn embedded() -> &'static Self {
        const PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/baselines"));
        static EMBEDDED: OnceLock<Baselines> = OnceLock::new();
        EMBEDDED.get_or_init(|| Self::unpacked(PACKED).expect("as build.rs packed it"))
    }

    /// What `build.rs` packed: snapshots, each behind a line with its platform and its length in bytes.
    fn unpacked(packed: &[u8]) -> Option<Self> {
        let mut text = String::new();
        DeflateDecoder::new(packed).read_to_string(&mut text).ok()?;
        let (mut all, mut rest) = (Self::default(), text.as_str());
        while !rest.is_empty() {
            let (heading, behind) = rest.split_once('\n')?;
            let (platform, len) = heading.split_once(' ')?;
            let (file, next) = behind.split_at_checked(len.parse().ok()?)?;
            all.add(platform, contents(file));
            rest = next;
        }
        Some(all)
    }

    /// Adds the rows of a snapshot's text.
    pub fn add(&mut self, platform: &str, text: &str) {
        let rows = self.0.entry(platform.to_owned()).or_default();
        for row in text.split(&format!("\n{HEADING}")) {
            let row = row.strip_prefix(HEADING).unwrap_or(row);
            if let Some((id, outcome)) = row.split_once('\n') {
                rows.insert(id.to_owned(), outcome.trim_end().to_owned());
            }
        }
    }

    /// What is expected of a case on the first of `platforms` that has it, and which that is.
    pub fn expected<'p>(&self, platforms: &'p [String], id: &str) -> Option<(&'p str, &str)> {
        platforms.iter().find_map(|platform| {
            let outcome = self.0.get(platform)?.get(id)?;
            Some((platform.as_str(), outcome.as_str()))
        })
    }

    /// What every platform was observed to do in a case.
    pub fn of_case<'a>(&'a self, id: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(platform, rows)| {
            rows.get(id).map(|outcome| (platform.as_str(), outcome.as_str()))
        })
    }

    /// Every outcome, with its platform and its case.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.0.iter().flat_map(|(platform, rows)| {
            rows.iter().map(|(id, outcome)| (platform.as_str(), id.as_str(), outcome.as_str()))
        })
    }

    /// Those of a folder that has them as `suites/baselines` has; none where there is no such folder.
    pub fn read(folder: &Path) -> Self {
        let mut all = Self::default();
        for path in Self::files(folder) {
            let platform = path.strip_prefix(folder).ok().and_then(|path| path.iter().next());
            let platform = platform.and_then(|name| name.to_str());
            if let (Some(platform), Ok(text)) = (platform, whole(&path)) {
                all.add(platform, contents(&text));
            }
        }
        all
    }

    /// The snapshot files of a folder that has them as `suites/baselines` has.
    pub fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let below = |path: PathBuf| match path.extension() {
            _ if path.is_dir() => Self::files(&path),
            Some(extension) if extension == "snap" => vec![path],
            _ => Vec::new(),
        };
        let mut all: Vec<PathBuf> = entries.flat_map(|entry| below(entry.path())).collect();
        all.sort();
        all
    }

    /// Every platform with the ids that it has.
    pub fn ids(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = &str>)> {
        self.0.iter().map(|(platform, rows)| (platform.as_str(), rows.keys().map(String::as_str)))
    }
}

/// The most bytes of a snapshot: fifty times as many as the longest.
const MOST: u64 = 16 << 20;

/// The text of a snapshot file. A folder of the user's may have anything in it, so that an error, which is one
/// sentence, is also what is no file, or longer than any.
pub fn whole(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let cannot = |why: &io::Error| format!("{shown} cannot be read: {why}");
    let file = opened(path, true).map_err(|e| match e {
        NotOpened::Io(e) => cannot(&e),
        NotOpened::Is(what) => format!("{shown} is {what}, and snapshots are files"),
    })?;
    let mut text = String::new();
    file.take(MOST + 1).read_to_string(&mut text).map_err(|e| cannot(&e))?;
    if text.len() as u64 > MOST {
        return Err(format!("{shown} has more than {MOST} bytes, as no snapshot has"));
    }
    Ok(text)
}

/// What one snapshot file has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The platform on which it was observed, as its header says.
    pub observed_on: Option<String>,
    /// The outcome of each row, by case.
    pub rows: BTreeMap<String, String>,
}

/// What the header says before the platform.
pub const OBSERVED_ON: &str = "observed on ";

impl Snapshot {
    /// Reads a file's text.
    pub fn parse(file: &str) -> Self {
        let line = file.lines().find_map(|line| line.strip_prefix("description: "));
        let observed_on = line.and_then(|line| line.trim_matches('"').strip_prefix(OBSERVED_ON));
        let mut all = Baselines::default();
        all.add("", contents(file));
        let rows = all.0.remove("").unwrap_or_default();
        Self { observed_on: observed_on.map(str::to_owned), rows }
    }
}

/// A snapshot file as insta writes it.
pub fn file(observed_on: &str, text: &str) -> String {
    let source = "suites/tests/baselines.rs";
    format!(
        "---\nsource: {source}\ndescription: {OBSERVED_ON}{observed_on}\n---\n{}\n",
        text.trim_end()
    )
}

/// The snapshot's text: what follows insta's header.
fn contents(file: &str) -> &str {
    file.strip_prefix("---\n")
        .and_then(|rest| rest.split_once("\n---\n"))
        .map_or(file, |(_, text)| text)
}

/// The text of a table's snapshot.
pub fn text<'a>(rows: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (id, outcome) in rows {
        let _ = writeln!(text, "{HEADING}{id}\n{}\n", outcome.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [(&str, &str); 2] =
        [("s/t[a]", "socket() = s\n    > lo IPv4"), ("s/t[b]", "socket() = -1 EPERM")];

    fn platforms() -> Vec<String> {
        vec!["linux-6.1".to_owned(), "linux".to_owned()]
    }

    #[test]
    fn a_snapshot_reads_back() {
        let mut baselines = Baselines::default();
        let file = format!("---\nsource: x\ninfo: y\n---\n{}", text(ROWS));
        baselines.add("linux", contents(&file));
        let platforms = platforms();
        for (id, outcome) in ROWS {
            assert_eq!(baselines.expected(&platforms, id), Some(("linux", outcome)));
        }
        assert_eq!(baselines.expected(&platforms, "s/t[c]"), None);
    }

    #[test]
    fn the_program_carries_every_file() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("baselines");
        let mut all = Baselines::default();
        for file in Baselines::files(&folder) {
            let platform = file.ancestors().nth(2).and_then(Path::file_name).unwrap();
            let text = fs::read_to_string(&file).unwrap();
            all.add(&platform.to_string_lossy(), contents(&text));
        }
        assert!(all.0.len() > 10, "{:?}", all.0.keys());
        assert_eq!(all.0, Baselines::embedded().0);
    }

    #[test]
    fn what_is_packed_wrongly_is_not_taken() {
        use std::io::Write as _;
        let unpacked = |text: &str| {
            let mut packed =
                flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(text.as_bytes()).unwrap();
            Baselines::unpacked(&packed.finish().unwrap()).map(|all| all.0.len())
        };
        assert_eq!(unpacked(""), Some(0));
        assert_eq!(unpacked("linux 9\n## a\nb\n\nmusl 4\n## a"), Some(2));
        for wrong in ["linux 10\n## a\nb\n\n", "linux\n", "linux x\n", "linux 0"] {
            assert_eq!(unpacked(wrong), None, "{wrong:?}");
        }
        assert!(Baselines::unpacked(b"no deflate").is_none());
    }

    #[test]
    fn no_baseline_is_of_a_case_that_is_gone() {
        let ids: std::collections::BTreeSet<String> =
            crate::tables().into_iter().flat_map(|t| t.cases).map(|c| c.id).collect();
        for (platform, rows) in Baselines::embedded().ids() {
            for id in rows {
                assert!(ids.contains(id), "{platform}: {id}");
            }
        }
    }

    #[test]
    fn the_specific_platform_goes_before_the_general() {
        let mut baselines = Baselines::default();
        baselines.add("linux", &text(ROWS));
        baselines.add("linux-6.1", &text([("s/t[b]", "socket() = s")]));
        let platforms = platforms();
        let expected = baselines.expected(&platforms, "s/t[b]");
        assert_eq!(expected, Some(("linux-6.1", "socket() = s")));
        assert_eq!(baselines.expected(&platforms, "s/t[a]").unwrap().0, "linux");
    }
}
