//! What a run leaves behind: results as JSON Lines, a summary, the frames.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use harness::case::{Case, Os};
use harness::environment::{Log, allowed};
use harness::trace::{Fingerprint, Trace};
use reports::pcapng::Pcapng;
use reports::runs::{self, Cite, Ended, Manifest, ReadError, Rule, Subject};
use serde::Serialize;
use suites::deviation::Deviation;
use suites::rules::{self, RULES};
use suites::verdict::{Judgement, Rank, Verdict};

use crate::UsageError;

/// A [`runs::Line`] whose parts are somewhere else, so that writing one copies nothing.
#[derive(Serialize)]
struct Line<'a> {
    subject: &'a str,
    id: &'a str,
    verdict: Verdict,
    outcome: &'a str,
    baseline: Option<&'a str>,
    expected: Option<&'a str>,
    findings: Vec<Finding<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<Finding<'a>>,
    case: &'a Case,
    trace: &'a Trace,
}

/// A [`runs::Finding`].
#[derive(Serialize)]
struct Finding<'a> {
    rule: &'a str,
    rank: Rank,
    op: u32,
    text: &'a str,
    known: Option<Known<'a>>,
}

impl<'a> Finding<'a> {
    fn of((finding, known): &'a (rules::Finding, Option<&'static Deviation>)) -> Self {
        Self {
            rule: finding.rule,
            rank: finding.rank(),
            op: finding.op,
            text: &finding.text,
            known: known.map(|d| Known { reason: &d.reason, link: &d.link }),
        }
    }
}

/// A [`runs::Known`].
#[derive(Serialize)]
struct Known<'a> {
    reason: &'a str,
    link: &'a str,
}

/// One case of a run.
pub(crate) struct Answer<'a> {
    /// The case.
    pub(crate) case: &'a Case,
    /// What happened.
    pub(crate) trace: Trace,
    /// What it comes to.
    pub(crate) judgement: Judgement,
}

/// The line of JSON of one case, without its end.
pub(crate) fn json(
    subject: &str,
    case: &Case,
    trace: &Trace,
    judgement: &Judgement,
) -> serde_json::Result<Vec<u8>> {
    let expected = judgement.expected.as_ref();
    serde_json::to_vec(&Line {
        subject,
        id: &case.id,
        verdict: judgement.verdict,
        outcome: &judgement.outcome,
        baseline: expected.map(|(platform, _)| platform.as_str()),
        expected: expected
            .filter(|_| judgement.verdict == Verdict::Changed)
            .map(|(_, text)| text.as_str()),
        findings: judgement.findings.iter().map(Finding::of).collect(),
        remarks: judgement.remarks.iter().map(Finding::of).collect(),
        case,
        trace,
    })
}

/// What a run of `cases` on `subject` is, before it has run.
pub(crate) fn manifest(subject: Subject, cases: &[&Case]) -> Manifest {
    let cite = |cite: &rules::Cite| Cite {
        source: cite.source.to_owned(),
        quote: cite.quote.to_owned(),
        link: cite.link(),
    };
    let rule = |rule: &rules::Rule| Rule {
        name: rule.name.to_owned(),
        rank: Some(rule.rank),
        says: rule.says.to_owned(),
        cites: rule.cites.iter().map(cite).collect(),
    };
    let names: BTreeSet<&str> = cases.iter().map(|case| case.table()).collect();
    let asked = suites::tables().into_iter().filter(|table| names.contains(table.name));
    Manifest {
        schema: runs::SCHEMA,
        subjects: vec![subject],
        rules: RULES.iter().map(rule).collect(),
        tables: asked.map(|t| (t.name.to_owned(), t.question.to_owned())).collect(),
    }
}

/// This kernel as the subject of a run of so many cases that begins now.
pub(crate) fn subject(
    name: &str,
    kernel: &Fingerprint,
    cases: usize,
    seed: Option<u64>,
) -> Subject {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Subject {
        name: name.to_owned(),
        kernel: kernel.clone(),
        platforms: kernel.platforms(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        revision: option_env!("SOCKEYE_REVISION").and_then(allowed::revision).map(str::to_owned),
        began_ns: u64::try_from(now.as_nanos()).unwrap_or(u64::MAX),
        seed,
        cases,
        environment: None,
        log: None,
        ended: None,
    }
}

/// Where runs of this kind are written if nothing else is said: beside other build products in the
/// workspace, in a folder of their own elsewhere.
pub(crate) fn default_folder(kind: &str) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    here.ancestors()
        .find(|folder| folder.join("suites/known-deviations.toml").is_file())
        .map_or_else(|| here.join("sockeye-out"), |root| root.join("target/sockeye"))
        .join(kind)
}

/// How many lines of the kernel's log a run keeps at the most.
const LOG_LINES: usize = 1000;

/// A run that is being written.
///
/// Its files lie in a folder beside the one where they shall be, `FOLDER.part`, until the run has
/// ended: the run that was there before stays until then, and one that is cut off can be read.
pub(crate) struct Writer {
    folder: PathBuf,
    part: PathBuf,
    lines: File,
    failed: Option<io::Error>,
    manifest: Manifest,
}

impl Writer {
    /// Begins to write into `folder`, which must be a run, empty, or not there.
    pub(crate) fn begin(folder: &Path, manifest: Manifest) -> Result<Self> {
        // Without a slash at its end, behind which the other folder would be within this one.
        let folder: PathBuf = folder.components().collect();
        let Some(name) = folder.file_name() else {
            let what = format!("{} has no name of its own: give another folder", folder.display());
            return Err(UsageError(what).into());
        };
        refuse_what_is_no_run(&folder)?;
        let mut part = name.to_owned();
        part.push(".part");
        let part = folder.with_file_name(part);
        refuse_what_is_no_run(&part)?;
        let made = || -> Result<File> {
            if part.exists() {
                fs::remove_dir_all(&part)?;
            }
            fs::create_dir_all(&part)?;
            Ok(File::create(part.join(runs::RESULTS))?)
        };
        let lines = made().with_context(|| format!("{} cannot be written", part.display()))?;
        let writer = Self { folder, part, lines, failed: None, manifest };
        writer.describe().inspect_err(|_| writer.abandon())?;
        Ok(writer)
    }

    /// Appends a line made by [`json`].
    pub(crate) fn append(&mut self, mut line: Vec<u8>) {
        line.push(b'\n');
        if let (None, Err(e)) = (&self.failed, self.lines.write_all(&line)) {
            self.failed = Some(e);
        }
    }

    /// Keeps what the kernel of the only subject said meanwhile.
    pub(crate) fn heard(&mut self, log: &Log) {
        for subject in &mut self.manifest.subjects {
            // A kernel that says something of every case shall not drown them.
            let lines = log.lines.iter().take(LOG_LINES).cloned().collect();
            subject.log = Some(Log { lines, missing: log.missing.clone() });
        }
    }

    /// Writes the frames and how it ended, and puts the run in its place.
    pub(crate) fn end(mut self, answers: &[Answer<'_>], took: Duration, os: Os) -> Result<()> {
        let mut verdicts = BTreeMap::new();
        for answer in answers {
            *verdicts.entry(answer.judgement.verdict).or_insert(0) += 1;
        }
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let mut kernel = String::new();
        for subject in &mut self.manifest.subjects {
            kernel = format!("{} {}", subject.kernel.system, subject.kernel.release);
            subject.ended = Some(Ended { took_ms, verdicts: verdicts.clone() });
        }
        let mut tables: BTreeMap<&str, Vec<&Answer<'_>>> = BTreeMap::new();
        for answer in answers {
            tables.entry(answer.case.table()).or_default().push(answer);
        }
        self.place(|folder| {
            tables.iter().try_for_each(|(table, answers)| {
                whole(&folder.join(runs::WIRE).join(format!("{table}.pcapng")), |file| {
                    frames(file, &kernel, answers, os)
                })
            })
        })
    }

    /// Lets `more` write what else belongs to it, and puts the run in its place. Where something
    /// cannot be written, nothing of the run stays.
    pub(crate) fn place(mut self, more: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let written = match self.failed.take() {
            Some(e) => {
                let path = self.part.join(runs::RESULTS);
                Err(e).with_context(|| format!("{} cannot be written", path.display()))
            }
            None => more(&self.part).and_then(|()| self.describe()),
        };
        written.inspect_err(|_| self.abandon())?;
        let placed = || -> io::Result<()> {
            if self.folder.exists() {
                fs::remove_dir_all(&self.folder)?;
            }
            fs::rename(&self.part, &self.folder)
        };
        placed().with_context(|| {
            format!(
                "{} cannot be replaced; the run is in {}",
                self.folder.display(),
                self.part.display()
            )
        })
    }

    /// Takes away what was written. Where that fails too, the first error is the one to tell.
    fn abandon(&self) {
        let _ = fs::remove_dir_all(&self.part);
    }

    fn describe(&self) -> Result<()> {
        whole(&self.part.join(runs::MANIFEST), |file| {
            serde_json::to_writer_pretty(&mut *file, &self.manifest)?;
            Ok(writeln!(file)?)
        })
    }
}

/// A folder that a run replaces is removed with all that is in it: it had better be a run, and have
/// nothing else in it.
fn refuse_what_is_no_run(folder: &Path) -> Result<()> {
    let refused = |why: &str| {
        let folder = folder.display();
        Err(UsageError(format!("{folder} is there and {why}: it is left alone")).into())
    };
    if !folder.exists() {
        return Ok(());
    }
    let Ok(entries) = fs::read_dir(folder) else { return refused("is not a run") };
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    // What a program that was killed had not put in its place yet.
    names.retain(|name| !name.to_string_lossy().starts_with(UNPLACED));
    let has = |name: &str| names.iter().any(|there| there == name);
    let is_run = match runs::manifest(folder) {
        Ok(_) | Err(ReadError::Newer { .. }) => true,
        // It has not even begun.
        Err(ReadError::NoRun { .. }) => {
            let begun = fs::metadata(folder.join(runs::RESULTS)).is_ok_and(|file| file.len() == 0);
            names.is_empty() || begun
        }
        Err(_) => false,
    };
    if !is_run {
        return refused("is not a run");
    }
    let ours = [runs::MANIFEST, runs::RESULTS, runs::WIRE];
    let known = ours.iter().filter(|name| has(name)).count();
    if known < names.len() { refused("has more in it than a run") } else { Ok(()) }
}

/// How the names of files begin that [`whole`] has not put in their place.
const UNPLACED: &str = ".sockeye-";

fn frames(file: &mut dyn Write, kernel: &str, results: &[&Answer<'_>], os: Os) -> Result<()> {
    let mut pcapng = Pcapng::new(file, kernel)?;
    for result in results {
        pcapng.add(result.case, &result.trace, os)?;
    }
    Ok(())
}

/// Writes a file beside where it shall be, and puts it there when it is whole.
pub(crate) fn whole(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let done = || -> Result<()> {
        fs::create_dir_all(folder)?;
        // As readable as any other file: a temporary one is its owner's alone.
        let access = fs::Permissions::from_mode(0o666);
        let fresh =
            tempfile::Builder::new().prefix(UNPLACED).permissions(access).tempfile_in(folder)?;
        let mut file = BufWriter::new(fresh);
        write(&mut file)?;
        file.into_inner()?.persist(path)?;
        Ok(())
    };
    done().with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was found before there were ranks counts as what is found today.
    #[test]
    fn a_finding_without_a_rank_has_its_rules() {
        for rule in RULES {
            let (name, text) = (rule.name.to_owned(), String::new());
            let old = runs::Finding { rule: name, rank: None, op: 0, text, known: None };
            assert_eq!(old.rank(), rule.rank, "{}", rule.name);
        }
    }
}
