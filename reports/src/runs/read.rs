//! Reading a run.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Line, MANIFEST, Manifest, RESULTS, SCHEMA};

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
    /// It has no manifest.
    #[error("{path} is not a run: it has no {MANIFEST}")]
    NoRun {
        /// The folder.
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

/// Reads the run in `folder`.
pub fn read(folder: &Path) -> Result<Run, ReadError> {
    let manifest = manifest(folder)?;
    let path = folder.join(RESULTS);
    let io = |source| ReadError::Io { path: path.clone(), source };
    let mut reader = BufReader::new(File::open(&path).map_err(io)?);
    let (mut lines, mut text) = (Vec::new(), Vec::new());
    for number in 1.. {
        text.clear();
        if reader.read_until(b'\n', &mut text).map_err(io)? == 0 {
            break;
        }
        if text.last() != Some(&b'\n') {
            return Ok(Run { manifest, lines, cut: true });
        }
        lines.push(serde_json::from_slice(&text).map_err(|e| ReadError::Damaged {
            path: path.clone(),
            line: number,
            why: e.to_string(),
        })?);
    }
    Ok(Run { manifest, lines, cut: false })
}

fn manifest(folder: &Path) -> Result<Manifest, ReadError> {
    /// What every version of the manifest has.
    #[derive(Deserialize)]
    struct Versioned {
        schema: u32,
    }
    let path = folder.join(MANIFEST);
    let text = match fs::read(&path) {
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Err(ReadError::NoRun { path: folder.to_owned() });
        }
        Err(source) => return Err(ReadError::Io { path, source }),
        Ok(text) => text,
    };
    let damaged = |e: serde_json::Error| ReadError::Damaged {
        path: path.clone(),
        line: e.line(),
        why: e.to_string(),
    };
    let Versioned { schema } = serde_json::from_slice(&text).map_err(damaged)?;
    if schema > SCHEMA {
        return Err(ReadError::Newer { path: folder.to_owned(), schema });
    }
    serde_json::from_slice(&text).map_err(damaged)
}
