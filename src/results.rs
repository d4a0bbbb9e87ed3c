//! What a run leaves behind: results as JSON Lines, a summary, the frames.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use harness::case::{Case, Os};
use harness::trace::{Fingerprint, Trace};
use reports::pcapng::Pcapng;
use serde::Serialize;
use suites::verdict::{Judgement, Verdict};

/// One line of the results.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    verdict: &'static str,
    /// Of the kernel that ran it.
    platform: &'a str,
    /// The outcome's text.
    outcome: &'a str,
    /// The platform whose baseline it was judged by; none if there is none.
    baseline: Option<&'a str>,
    /// The baseline's text, where the outcome is another one.
    expected: Option<&'a str>,
    findings: Vec<Finding<'a>>,
    case: &'a Case,
    trace: &'a Trace,
}

/// A broken rule.
#[derive(Serialize)]
struct Finding<'a> {
    rule: &'a str,
    /// The number of the case's step.
    op: u32,
    text: &'a str,
    /// Why the system does it, where that is known.
    known: Option<&'a str>,
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

/// What a run was.
#[derive(Serialize)]
pub(crate) struct Manifest<'a> {
    /// [`harness::SCHEMA`].
    pub(crate) schema: u32,
    /// Of the program that ran.
    pub(crate) version: &'static str,
    /// Which kernel.
    pub(crate) kernel: &'a Fingerprint,
    /// Its platforms, from the specific to the general.
    pub(crate) platforms: &'a [String],
    /// `--shuffle`.
    pub(crate) seed: Option<u64>,
    /// How many cases came to which verdict.
    pub(crate) verdicts: BTreeMap<&'static str, usize>,
    /// Wall time of all cases, in milliseconds.
    pub(crate) took_ms: u128,
}

/// The line of JSON of one case.
pub(crate) fn json(result: &Answer<'_>, platform: &str) -> serde_json::Result<String> {
    let Answer { case, trace, judgement } = result;
    let expected = judgement.expected.as_ref();
    serde_json::to_string(&Line {
        id: &case.id,
        verdict: judgement.verdict.word(),
        platform,
        outcome: &judgement.outcome,
        baseline: expected.map(|(platform, _)| platform.as_str()),
        expected: expected
            .filter(|_| judgement.verdict == Verdict::Changed)
            .map(|(_, text)| text.as_str()),
        findings: judgement
            .findings
            .iter()
            .map(|(finding, known)| Finding {
                rule: finding.rule,
                op: finding.op,
                text: &finding.text,
                known: known.map(|d| d.reason.as_str()),
            })
            .collect(),
        case,
        trace,
    })
}

/// Where a run writes if nothing else is said: beside other build products in the workspace, in a
/// folder of its own elsewhere.
pub(crate) fn default_folder() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    here.ancestors()
        .find(|folder| folder.join("suites/known-deviations.toml").is_file())
        .map_or_else(|| here.join("sockeye-out"), |root| root.join("target/sockeye"))
}

/// Writes `results.jsonl`, `run.json` and `wire/SUITE/TABLE.pcapng` into `folder`.
pub(crate) fn write(
    folder: &Path,
    results: &[Answer<'_>],
    manifest: &Manifest<'_>,
    os: Os,
) -> Result<()> {
    let platform = manifest.platforms.first().map_or("", String::as_str);
    whole(&folder.join("results.jsonl"), |file| {
        results.iter().try_for_each(|r| Ok(writeln!(file, "{}", json(r, platform)?)?))
    })?;
    whole(&folder.join("run.json"), |file| {
        serde_json::to_writer_pretty(&mut *file, manifest)?;
        Ok(writeln!(file)?)
    })?;
    let mut tables: BTreeMap<&str, Vec<&Answer<'_>>> = BTreeMap::new();
    for result in results {
        tables.entry(result.case.table()).or_default().push(result);
    }
    let kernel = format!("{} {}", manifest.kernel.system, manifest.kernel.release);
    for (table, results) in tables {
        whole(&folder.join("wire").join(format!("{table}.pcapng")), |file| {
            frames(file, &kernel, &results, os)
        })?;
    }
    Ok(())
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
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let done = || -> Result<()> {
        fs::create_dir_all(folder)?;
        // As readable as any other file: a temporary one is its owner's alone.
        let access = fs::Permissions::from_mode(0o666);
        let fresh = tempfile::Builder::new().permissions(access).tempfile_in(folder)?;
        let mut file = BufWriter::new(fresh);
        write(&mut file)?;
        file.into_inner()?.persist(path)?;
        Ok(())
    };
    done().with_context(|| format!("{} cannot be written", path.display()))
}
