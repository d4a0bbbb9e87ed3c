//! The words for what a case came to.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::trace::Trace;

/// One word for a case.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As this platform was observed to do before, and no rule is broken.
    Ok,
    /// A rule is broken.
    Deviates,
    /// Nothing was observed on this platform before.
    New,
    /// Other than this platform was observed to do before.
    Changed,
    /// Other than whoever wrote the case expects.
    Unexpected,
    /// This host cannot make the lab: nothing ran.
    Skipped,
    /// The harness failed: what ran cannot be trusted.
    Error,
}

impl Verdict {
    /// All of them, in the order in which a summary counts them.
    pub const ALL: [Self; 7] = [
        Self::Ok,
        Self::Deviates,
        Self::New,
        Self::Changed,
        Self::Unexpected,
        Self::Skipped,
        Self::Error,
    ];

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Deviates => "deviates",
            Self::New => "new",
            Self::Changed => "changed",
            Self::Unexpected => "unexpected",
            Self::Skipped => "skipped",
            Self::Error => "error",
        }
    }
}

impl Verdict {
    /// Whether a case that came to this says nothing of the system: it ended at a name which the system
    /// has not got, and what ran before is no news.
    pub fn is_not_here(self, trace: &Trace) -> bool {
        matches!(self, Self::Ok | Self::New) && trace.lacks().is_some()
    }
}

/// What the text of a case asks of its outcome, and did not come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unexpected {
    /// The file that the case is written in.
    pub file: String,
    /// On which line of it that is asked, from 1.
    pub line: u32,
    /// The number of the case's step, from 0.
    pub op: u32,
    /// What is asked, as it is written.
    pub wanted: String,
    /// What came instead; several frames have a line each.
    pub came: String,
}

impl Unexpected {
    /// Where it is asked: `cases/udp.case:5`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

impl fmt::Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let came = self.came.replace('\n', "; ");
        write!(f, "{} asks `{}`, and what came is `{came}`", self.place(), self.wanted)
    }
}

/// How much a broken rule weighs, the heaviest first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Rank {
    /// A standard says "MUST" or "shall".
    Violates,
    /// No such clause, but success and loss, an effect of a failure, twins that differ, a "SHOULD" that
    /// is not followed.
    Surprises,
    /// An errno or a value that no manual has, or what the text itself admits: a remark, which makes no case
    /// deviate and fails nothing.
    Undocumented,
}

impl Rank {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Violates, Self::Surprises, Self::Undocumented];

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Violates => "violates",
            Self::Surprises => "surprises",
            Self::Undocumented => "undocumented",
        }
    }
}

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Rank {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = Self::ALL.map(Self::word).join(", ");
        let found = Self::ALL.into_iter().find(|rank| rank.word() == text);
        found.ok_or_else(|| format!("{text:?} is none of {words}"))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
