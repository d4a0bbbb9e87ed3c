//! What a run leaves behind: results as JSON Lines, a summary, the frames.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use harness::case::{Case, Os};
use harness::environment::{Log, allowed};
use harness::trace::{Fingerprint, Trace};
use reports::pcapng::Pcapng;
use reports::runs::{self, Cite, Ended, Manifest, Rule, Subject};
use serde::Serialize;
use suites::deviation::Deviation;
use suites::rules::{self, RULES};
use suites::verdict::{Judgement, Rank, Unexpected, Verdict};

use crate::place::{Place, UNPLACED};

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
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unexpected: &'a [Unexpected],
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
        unexpected: &judgement.unexpected,
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
    // A user's own table asks what its first case asks.
    let mut tables: BTreeMap<String, String> = BTreeMap::new();
    for case in cases {
        tables.entry(case.table().to_owned()).or_insert_with(|| case.title.clone());
    }
    for table in suites::tables() {
        if let Some(question) = tables.get_mut(&*table.name) {
            *question = table.question.into_owned();
        }
    }
    Manifest {
        schema: runs::SCHEMA,
        subjects: vec![subject],
        rules: RULES.iter().map(rule).collect(),
        tables,
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

/// Where a run shall be written.
#[derive(Clone, Debug)]
pub(crate) struct Out {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// Whether another one will do while somebody else writes there: the user has named none.
    pub(crate) may_differ: bool,
}

impl Out {
    /// What the user has named, or the default for runs of this kind.
    pub(crate) fn of(named: Option<&Path>, kind: &str) -> Self {
        let folder = named.map_or_else(|| default_folder(kind), Path::to_owned);
        Self { folder, may_differ: named.is_none() }
    }

    /// Claims it, or another where one will do.
    pub(crate) fn claim(&self) -> Result<Place> {
        Place::claim(&self.folder, self.may_differ)
    }
}

/// How many lines of the kernel's log a run keeps at the most.
const LOG_LINES: usize = 1000;

/// A run that is being written, see [`Place`].
pub(crate) struct Writer {
    place: Place,
    lines: File,
    failed: Option<io::Error>,
    manifest: Manifest,
}

impl Writer {
    /// Begins to write into `folder`, which must be a run, empty, or not there.
    pub(crate) fn begin(folder: &Path, manifest: Manifest) -> Result<Self> {
        Self::begin_in(&Out::of(Some(folder), ""), manifest)
    }

    /// The same, where another folder may do.
    pub(crate) fn begin_in(out: &Out, manifest: Manifest) -> Result<Self> {
        Self::begin_at(out.claim()?, manifest)
    }

    /// The same, in a place that was claimed before.
    pub(crate) fn begin_at(place: Place, manifest: Manifest) -> Result<Self> {
        let path = place.part.join(runs::RESULTS);
        let lines = File::create(&path);
        let lines = lines.with_context(|| format!("{} cannot be written", path.display()));
        let lines = lines.inspect_err(|_| place.abandon())?;
        let writer = Self { place, lines, failed: None, manifest };
        writer.describe().inspect_err(|_| writer.place.abandon())?;
        Ok(writer)
    }

    /// Where the run will be.
    pub(crate) fn folder(&self) -> &Path {
        &self.place.folder
    }

    /// Nothing came of it, and nothing stays.
    pub(crate) fn give_up(self) {
        self.place.abandon();
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

    /// Writes the frames and how it ended, and puts the run in its place. Where something cannot be
    /// written, what was measured stays beside it.
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
            // By these a run's own files are known.
            self.manifest.tables.entry(answer.case.table().to_owned()).or_default();
        }
        let written = self.written(|folder| {
            tables.iter().try_for_each(|(table, answers)| {
                whole(&folder.join(runs::WIRE).join(format!("{table}.pcapng")), |file| {
                    frames(file, &kernel, answers, os)
                })
            })
        });
        written
            .with_context(|| format!("what was measured is in {}", self.place.part.display()))?;
        self.place.take()
    }

    /// Puts the run in its place, which was made of others: where something cannot be written, nothing
    /// of it stays.
    pub(crate) fn place(mut self) -> Result<()> {
        self.written(|_| Ok(())).inspect_err(|_| self.place.abandon())?;
        self.place.take()
    }

    /// Lets `more` write what else belongs to it.
    fn written(&mut self, more: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        if let Some(e) = self.failed.take() {
            let path = self.place.part.join(runs::RESULTS);
            return Err(e).with_context(|| format!("{} cannot be written", path.display()));
        }
        more(&self.place.part)?;
        self.describe()
    }

    fn describe(&self) -> Result<()> {
        whole(&self.place.part.join(runs::MANIFEST), |file| {
            serde_json::to_writer_pretty(&mut *file, &self.manifest)?;
            Ok(writeln!(file)?)
        })
    }
}

fn frames(file: &mut dyn Write, kernel: &str, results: &[&Answer<'_>], os: Os) -> Result<()> {
    let mut pcapng = Pcapng::new(file, kernel)?;
    for result in results {
        pcapng.add(result.case, &result.trace, os)?;
    }
    Ok(())
}

/// Writes a file beside where it shall be, and puts it there when it is whole.
pub(crate) fn whole(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    whole_as(path, None, write)
}

/// The same of a file that is there: it stays its owner's, with the access that it had.
pub(crate) fn whole_as(
    path: &Path,
    was: Option<&fs::Metadata>,
    write: impl FnOnce(&mut dyn Write) -> Result<()>,
) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let done = || -> Result<()> {
        fs::create_dir_all(folder)?;
        // As readable as any other file: a temporary one is its owner's alone.
        let access = fs::Permissions::from_mode(0o666);
        let fresh =
            tempfile::Builder::new().prefix(UNPLACED).permissions(access).tempfile_in(folder)?;
        if let Some(was) = was {
            let is = fresh.as_file().metadata()?;
            if (is.uid(), is.gid()) != (was.uid(), was.gid()) {
                fchown(fresh.as_file(), Some(was.uid()), Some(was.gid()))?;
            }
            fresh.as_file().set_permissions(was.permissions())?;
        }
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
