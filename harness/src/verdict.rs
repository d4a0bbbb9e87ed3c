//! The words for what a case came to.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// This host cannot make the lab: nothing ran.
    Skipped,
    /// The harness failed: what ran cannot be trusted.
    Error,
}

impl Verdict {
    /// All of them, in the order in which a summary counts them.
    pub const ALL: [Self; 6] =
        [Self::Ok, Self::Deviates, Self::New, Self::Changed, Self::Skipped, Self::Error];

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Deviates => "deviates",
            Self::New => "new",
            Self::Changed => "changed",
            Self::Skipped => "skipped",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
