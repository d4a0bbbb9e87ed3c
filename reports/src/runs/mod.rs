//! A run: what one or more kernels answered, as it lies on disk.
//!
//! A run is a folder. `run.json` is its [`Manifest`]: which subjects, and what the words in the
//! results mean, so that a run explains itself without the program that made it. `results.jsonl`
//! has a [`Line`] for each case of each subject, appended as it came: what a run that was cut off
//! had finished can be read. `wire/` has the frames, which are in the lines too; a merged run has
//! none.

mod check;
mod diff;
mod merge;
mod read;

use std::collections::BTreeMap;

use harness::case::Case;
use harness::environment::{Environment, Log};
use harness::trace::{Fingerprint, Trace};
use harness::verdict::{Rank, Unexpected, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use diff::{Diff, Side, SideError};
pub use harness::files::{MANIFEST, RESULTS};
pub use harness::outcome::first_difference;
pub use merge::{MergeError, merge};
pub use read::{ReadError, Run, manifest, read};

/// The version of the shapes of [`Manifest`] and [`Line`]. It grows by one when an older reader
/// would misread; a newer reader reads every older one.
pub const SCHEMA: u32 = 1;

/// The name of the kernel that the program itself runs on, as a subject: it says which machine only there.
pub const NATIVE: &str = "native";

/// The frames' name in the folder, which is a folder too.
pub const WIRE: &str = "wire";

/// What a run was: written when it begins, and again when it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Who was asked, in the order in which they are shown; more than one in a merged run.
    pub subjects: Vec<Subject>,
    /// The rules that findings name.
    pub rules: Vec<Rule>,
    /// The question of each table that was asked, by the table's name.
    pub tables: BTreeMap<String, String>,
}

/// One kernel that was asked, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Such as `native` or `linux-6.1`; no two of a run have the same.
    pub name: String,
    /// Who answered.
    pub kernel: Fingerprint,
    /// Its platforms, from the specific to the general.
    pub platforms: Vec<String>,
    /// The version of the program that asked.
    pub program: String,
    /// The commit that was checked out when the program was built, where that is known. Whether
    /// something was changed since, it does not tell.
    #[serde(default)]
    pub revision: Option<String>,
    /// When the run began, in nanoseconds since 1970 (UTC).
    pub began_ns: u64,
    /// `--shuffle`.
    #[serde(default)]
    pub seed: Option<u64>,
    /// How many cases were asked for.
    pub cases: usize,
    /// The machine that it ran on.
    #[serde(default)]
    pub environment: Option<Environment>,
    /// What its kernel wrote to its log meanwhile.
    #[serde(default)]
    pub log: Option<Log>,
    /// How it ended; none while it runs, and for ever if it was cut off.
    #[serde(default)]
    pub ended: Option<Ended>,
}

/// How a subject's part of a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Wall time of all cases, in milliseconds.
    pub took_ms: u64,
    /// How many cases came to which verdict.
    pub verdicts: BTreeMap<Verdict, usize>,
}

/// A rule, as findings of a run refer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Such as `no-silent-loss`.
    pub name: String,
    /// How much it weighs; none in runs that were made before there were ranks.
    #[serde(default)]
    pub rank: Option<Rank>,
    /// What it says, as one sentence.
    pub says: String,
    /// Where it comes from.
    pub cites: Vec<Cite>,
}

/// A clause of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cite {
    /// The document and its section.
    pub source: String,
    /// Its words.
    pub quote: String,
    /// Where it can be read.
    #[serde(default)]
    pub link: Option<String>,
}

/// What one subject did in one case, and what that came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// [`Subject::name`].
    pub subject: String,
    /// The case's id.
    pub id: String,
    /// What it came to.
    pub verdict: Verdict,
    /// The outcome's text.
    pub outcome: String,
    /// The platform whose baseline it was judged by; none if there is none.
    #[serde(default)]
    pub baseline: Option<String>,
    /// The baseline's text, where the outcome is another one.
    #[serde(default)]
    pub expected: Option<String>,
    /// Each rule broken, those of the highest rank first.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// The same of those that are [`Rank::Undocumented`]: no verdict asks for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Finding>,
    /// What the text of the case asks of its outcome and did not come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unexpected: Vec<Unexpected>,
    /// What was asked.
    pub case: Case,
    /// What happened.
    pub trace: Trace,
}

impl Line {
    /// Whether a user has to look: changed, not as it was written, broken, or a deviation that nobody knew.
    pub fn is_unexpected(&self) -> bool {
        matches!(self.verdict, Verdict::Changed | Verdict::Unexpected | Verdict::Error)
            || self.findings.iter().any(|finding| finding.known.is_none())
    }

    /// Each broken rule, of whichever rank.
    pub fn broken(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().chain(&self.remarks)
    }

    /// Whether it says nothing of its subject: it ended at a name which that has not got.
    pub fn is_not_here(&self) -> bool {
        self.verdict.is_not_here(&self.trace)
    }

    /// With its findings by rank, as lines are written since there are ranks.
    pub(crate) fn ranked(mut self) -> Self {
        let all = std::mem::take(&mut self.findings);
        let undocumented = |finding: &Finding| finding.rank() == Rank::Undocumented;
        let (remarks, findings): (Vec<_>, Vec<_>) = all.into_iter().partition(undocumented);
        self.findings = findings;
        self.findings.sort_by_key(Finding::rank);
        self.remarks.extend(remarks);
        if self.verdict == Verdict::Deviates && self.findings.is_empty() {
            self.verdict = if self.baseline.is_some() { Verdict::Ok } else { Verdict::New };
        }
        self
    }
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// [`Rule::name`].
    pub rule: String,
    /// [`Rule::rank`].
    #[serde(default)]
    pub rank: Option<Rank>,
    /// The number of the case's step.
    pub op: u32,
    /// What happened, as one sentence.
    pub text: String,
    /// Why the system does it, where that is known.
    #[serde(default)]
    pub known: Option<Known>,
}

impl Finding {
    /// How much it weighs. What was found before there were ranks has that of its rule today.
    pub fn rank(&self) -> Rank {
        self.rank.unwrap_or(match self.rule.as_str() {
            "errno-documented" | "no-zone-without-a-scope" => Rank::Undocumented,
            "no-silent-loss"
            | "failed-call-no-effect"
            | "forged-icmp-changes-nothing"
            | "localhost-is-not-asked-for"
            | "asked-control-comes"
            | "option-reads-as-set" => Rank::Surprises,
            _ => Rank::Violates,
        })
    }
}

/// A deviation that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Known {
    /// Why the system does it, as one sentence.
    pub reason: String,
    /// Where that can be read.
    pub link: String,
}
