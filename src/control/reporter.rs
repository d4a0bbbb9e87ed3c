//! What came, printed and written as it comes.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use far::Told;
use harness::text;

use super::command::Ca;
use crate::cli::Control;
use crate::{out, place};

/// Prints and writes what is told.
pub(super) struct Reporter {
    json: bool,
    raw: Option<File>,
    out: Option<Folder>,
    counted: u64,
    /// The last that was printed was an empty line, or there was nothing yet.
    is_apart: bool,
}

/// That of `--out`.
struct Folder {
    path: PathBuf,
    report: File,
    /// Those of its files that this server began.
    begun: BTreeSet<String>,
    /// One program writes there at a time.
    _lock: File,
}

impl Reporter {
    pub(super) fn new(args: &Control) -> Result<Self> {
        // First: whoever is refused has emptied nothing.
        let lock = args.keep.out.as_deref().map(place::alone).transpose()?;
        let raw = args.raw.as_deref().map(place::emptied_alone).transpose()?;
        let out = match (args.keep.out.clone(), lock) {
            (Some(path), Some(lock)) => {
                let report = place::emptied(&path.join("report.jsonl"))?;
                Some(Folder { path, report, begun: BTreeSet::new(), _lock: lock })
            }
            _ => None,
        };
        Ok(Self { json: args.serve.json, raw, out, counted: 0, is_apart: true })
    }

    /// How many of what counts were told.
    pub(super) fn counted(&self) -> u64 {
        self.counted
    }

    pub(super) fn begin(&self, url: &str, args: &Control, ca: Option<&Ca>) {
        let name = args.asked.script.as_str();
        let ca = ca.map(|ca| ca.path().display().to_string());
        if self.json {
            let mut line = serde_json::json!({ "url": url, "script": name });
            if let Some(ca) = ca {
                line["ca"] = ca.into();
            }
            out::json_line(&line);
            return;
        }
        let script = args.offer.scripts.iter().find(|script| script.name == name);
        outln!("serving {url} by the script {name}: {}", script.map_or("", |s| s.about));
        if let Some(ca) = ca {
            outln!("a CA for the client to trust is in {ca}");
        }
        out::blank();
    }

    pub(super) fn add(&mut self, told: &Told) -> Result<()> {
        self.counted += u64::from(told.counts);
        // What is told has been kept: who reads the line finds the bytes.
        if let Some(file) = &mut self.raw {
            let written = told.files.iter().try_for_each(|(_, bytes)| file.write_all(bytes));
            written.context("the file of --raw cannot be written")?;
        }
        if let Some(folder) = &mut self.out {
            folder.keep(told)?;
        }
        if self.json && !told.json.is_null() {
            out::json_line(&told.json);
        } else if !self.json && !told.lines.is_empty() {
            // What takes several lines stands apart.
            if told.lines.len() > 1 && !self.is_apart {
                out::blank();
            }
            for line in &told.lines {
                outln!("{line}");
            }
            self.is_apart = told.lines.len() > 1;
            if self.is_apart {
                out::blank();
            }
        }
        Ok(out::is_read()?)
    }

    /// What it came to, and which of what was expected was so.
    pub(super) fn end(&self, summary: &[String], expected: &[(&String, bool)]) {
        if self.json {
            let mut line = serde_json::json!({ "summary": summary });
            if !expected.is_empty() {
                let one =
                    |(words, so): &(&String, bool)| serde_json::json!({ "words": words, "so": so });
                line["expected"] = expected.iter().map(one).collect();
            }
            out::json_line(&line);
            return;
        }
        if !self.is_apart {
            out::blank();
        }
        for line in summary {
            outln!("{line}");
        }
    }
}

fn cannot(path: &Path) -> String {
    format!("{} cannot be written", path.display())
}

impl Folder {
    fn keep(&mut self, told: &Told) -> Result<()> {
        for (name, bytes) in &told.files {
            let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
            if name.is_empty() || name.starts_with('.') || !is_plain {
                bail!("{name:?} is no name for a file of --out");
            }
            let path = self.path.join(name);
            let mut file = if self.begun.contains(name) {
                place::continued(&path)?
            } else {
                self.begun.insert(name.clone());
                place::emptied(&path)?
            };
            file.write_all(bytes).with_context(|| cannot(&path))?;
        }
        if !told.json.is_null() {
            writeln!(self.report, "{}", text::json(&told.json.to_string()))
                .with_context(|| cannot(&self.path.join("report.jsonl")))?;
        }
        Ok(())
    }
}
