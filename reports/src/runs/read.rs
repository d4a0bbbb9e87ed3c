//! Reading a run.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use harness::case::words::shown;
use harness::files::NotOpened;
use harness::verdict::Rank;
use serde::Deserialize;

use super::{Line, MANIFEST, Manifest, RESULTS, SCHEMA, check};

/// The most bytes of a line of results: ten times the case with the largest frames and transcript that
/// anybody has had.
const MOST_OF_LINE: u64 = 64 << 20;

/// The most bytes of a manifest.
const MOST_OF_MANIFEST: u64 = 64 << 20;

/// A run, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What it was.
    pub manifest: Manifest,
    /// In the order in which they were written.
    pub lines: Vec<Line>,
    /// Whether the last line was cut short: the program died while it wrote, and that line is left
    /// out.
    pub cut: bool,
}

/// Why a folder could not be read as a run.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Nothing is there.
    #[error("{path} is not a run: it is not there")]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// It has no manifest.
    #[error("{path} is not a run: it has no {MANIFEST}")]
    NoRun {
        /// The folder.
        path: PathBuf,
    },
    /// It is no folder.
    #[error("{path} is not a run: a run is a folder, and this is a file")]
    File {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("{path} cannot be read: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It has something else in place of a file: a pipe or a device would never end, a link leads to
    /// files of the reader's own.
    #[error("{path} is {what}, and a run has files alone")]
    NoFile {
        /// Which.
        path: PathBuf,
        /// Such as `a pipe`.
        what: &'static str,
    },
    /// It was made by a newer program.
    #[error("{path} is a run of schema {schema}, and this program reads up to {SCHEMA}")]
    Newer {
        /// The folder.
        path: PathBuf,
        /// Its schema.
        schema: u32,
    },
    /// A file of it is damaged.
    #[error("{path}, line {line}: {why}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// As one sentence.
        why: String,
    },
}

impl Run {
    /// The cases in which a rule of this rank is broken, as a run of their own.
    #[must_use]
    pub fn of_rank(mut self, rank: Rank) -> Self {
        self.lines.retain(|line| line.broken().any(|finding| finding.rank() == rank));
        for subject in &mut self.manifest.subjects {
            let of_it = self.lines.iter().filter(|line| line.subject == subject.name);
            subject.cases = of_it.count();
        }
        self
    }
}

/// Reads the run in `folder`.
pub fn read(folder: &Path) -> Result<Run, ReadError> {
    let manifest = manifest(folder)?;
    let path = folder.join(RESULTS);
    let io = |source| ReadError::Io { path: path.clone(), source };
    let mut reader = BufReader::new(opened(&path)?);
    let (mut lines, mut text, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for number in 1.. {
        text.clear();
        let damaged = |why| ReadError::Damaged { path: path.clone(), line: number, why };
        let line = reader.by_ref().take(MOST_OF_LINE).read_until(b'\n', &mut text).map_err(io)?;
        if line == 0 {
            break;
        }
        if line as u64 == MOST_OF_LINE && text.last() != Some(&b'\n') {
            return Err(damaged(format!("it is longer than {MOST_OF_LINE} bytes, as no line is")));
        }
        let line: Line = match serde_json::from_slice(&text) {
            Ok(line) => line,
            Err(_) if text.last() != Some(&b'\n') => return Ok(Run { manifest, lines, cut: true }),
            Err(e) => return Err(damaged(said(&e))),
        };
        let Some(subject) = manifest.subjects.iter().position(|s| s.name == line.subject) else {
            return Err(damaged(format!("{MANIFEST} has no subject {}", shown(&line.subject))));
        };
        check::line(&line).map_err(|why| damaged(format!("case {}: {why}", shown(&line.id))))?;
        if !seen.insert((subject, line.id.clone())) {
            return Err(damaged(format!("{} of {} for the second time", line.id, line.subject)));
        }
        lines.push(line.ranked());
    }
    Ok(Run { manifest, lines, cut: false })
}

/// What is wrong with a line of JSON, without the place: for lines of a file, it would always be
/// the first.
fn said(e: &serde_json::Error) -> String {
    let text = e.to_string();
    let place = format!(" at line {} column {}", e.line(), e.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// Reads what the run in `folder` was, and none of its lines.
pub fn manifest(folder: &Path) -> Result<Manifest, ReadError> {
    /// What every version of the manifest has.
    #[derive(Deserialize)]
    struct Versioned {
        schema: u32,
    }
    let path = folder.join(MANIFEST);
    let given = || folder.to_owned();
    let text = match whole(&path) {
        Err(ReadError::Io { source: e, .. }) if e.kind() == io::ErrorKind::NotFound => {
            let path = given();
            let there = folder.exists();
            return Err(if there {
                ReadError::NoRun { path }
            } else {
                ReadError::Missing { path }
            });
        }
        Err(ReadError::Io { source: e, .. }) if e.kind() == io::ErrorKind::NotADirectory => {
            return Err(ReadError::File { path: given() });
        }
        text => text?,
    };
    let damaged = |e: serde_json::Error| ReadError::Damaged {
        path: path.clone(),
        line: e.line(),
        why: said(&e),
    };
    let Versioned { schema } = serde_json::from_slice(&text).map_err(damaged)?;
    if schema > SCHEMA {
        return Err(ReadError::Newer { path: given(), schema });
    }
    let manifest: Manifest = serde_json::from_slice(&text).map_err(damaged)?;
    let wrong = |why| ReadError::Damaged { path: path.clone(), line: 1, why };
    check::manifest(&manifest).map_err(wrong)?;
    Ok(manifest)
}

/// A file of a run, opened.
fn opened(path: &Path) -> Result<File, ReadError> {
    harness::files::opened(path, false).map_err(|e| match e {
        NotOpened::Io(source) => ReadError::Io { path: path.to_owned(), source },
        NotOpened::Is(what) => ReadError::NoFile { path: path.to_owned(), what },
    })
}

/// All of a small file.
fn whole(path: &Path) -> Result<Vec<u8>, ReadError> {
    let io = |source| ReadError::Io { path: path.to_owned(), source };
    let mut text = Vec::new();
    let read = opened(path)?.take(MOST_OF_MANIFEST).read_to_end(&mut text).map_err(io)?;
    if read as u64 == MOST_OF_MANIFEST {
        let why = format!("it has {MOST_OF_MANIFEST} bytes or more, as no manifest has");
        return Err(ReadError::Damaged { path: path.to_owned(), line: 1, why });
    }
    Ok(text)
}
