//! Rows, columns and cells.

use harness::trace::Fingerprint;
use harness::verdict::{Rank, Verdict};
use serde::Serialize;

use crate::runs::{Known, Line, Rule, Run};

/// What a page is made of.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// Whose subjects become columns.
    pub runs: &'a [Source<'a>],
    /// The run that changes are counted from, instead of from baselines.
    pub since: Option<Source<'a>>,
    /// The ids that are known, in the order in which rows stand; others stand behind them by id.
    pub order: &'a [&'a str],
    /// What a line says of what was reported of its kernel.
    pub claims: &'a dyn Fn(&Line, &Fingerprint) -> Vec<Claimed>,
    /// Why systems differ in a case, if that is known.
    pub reason: &'a dyn Fn(&str) -> Option<Reason>,
    /// What a line is about, in the words that people search for.
    pub tags: &'a dyn Fn(&Line) -> Vec<String>,
    /// Which options and flags a tag means, by their names.
    pub means: &'a dyn Fn(&str) -> Vec<String>,
}

/// A run and the name that the user gave it.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Such as `target/sockeye`: what commands on the page name it by.
    pub name: &'a str,
    /// What it has.
    pub run: &'a Run,
}

/// Why no matrix can be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// A run ended before its time.
    #[error("{run} was cut off: {subject} has {lines} of {cases} cases")]
    Cut {
        /// The run.
        run: String,
        /// Whose part.
        subject: String,
        /// How many cases are there.
        lines: usize,
        /// How many there should be.
        cases: usize,
    },
    /// Nothing to show.
    #[error("{run} has no results")]
    Empty {
        /// The run.
        run: String,
    },
    /// A line of somebody whom the manifest does not name.
    #[error("{run}: {id} is by {subject:?}, whom the manifest does not name")]
    Stranger {
        /// The run.
        run: String,
        /// The case.
        id: String,
        /// Who.
        subject: String,
    },
    /// Two lines for one case and subject.
    #[error("{run}: {subject} answers {id} twice")]
    Twice {
        /// The run.
        run: String,
        /// The case.
        id: String,
        /// Who.
        subject: String,
    },
}

/// All that the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Model {
    /// Who answered.
    pub columns: Vec<Column>,
    /// The run that changes are counted from.
    pub since: Option<String>,
    /// The rules that findings name.
    pub rules: Vec<Rule>,
    /// The tables and their questions, in the order of the rows.
    pub tables: Vec<Table>,
    /// Why systems are known to deviate.
    pub known: Vec<Known>,
    /// What was reported of the columns' systems.
    pub claims: Vec<Claim>,
    /// The words in the cells.
    pub words: Vec<String>,
    /// What transcripts, baselines and programs say.
    #[serde(skip)]
    pub texts: Texts,
    /// What was found, most telling first.
    pub stories: Vec<Story>,
    /// Why systems differ, where that is known.
    pub reasons: Vec<Reason>,
    /// What rows are about.
    pub tags: Vec<String>,
    /// The options and flags that each of these means.
    pub means: Vec<Vec<String>>,
    /// One a case.
    pub rows: Vec<Row>,
}

/// What was found, of one cause, with a picture of its packets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Story {
    /// How much it weighs.
    pub rank: Rank,
    /// The rule's name.
    pub name: String,
    /// The rule's number; none if the run does not describe it.
    pub rule: Option<usize>,
    /// The number of the reason, if it is known.
    pub known: Option<usize>,
    /// What happened, in the row that is shown.
    pub text: String,
    /// The number of the row that shows it best.
    pub row: usize,
    /// In which column.
    pub column: usize,
    /// All rows in which it is.
    pub rows: Vec<usize>,
    /// All columns in which it is.
    pub columns: Vec<usize>,
    /// What happened there, in order.
    pub picture: Vec<Step>,
}

/// A line of a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// `call`, `lab`, `out` and `in` for frames, `note` for what else is said.
    pub kind: &'static str,
    /// What it says.
    pub text: String,
    /// On which link a frame was seen.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub link: String,
    /// Whether it is what the finding is about.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub here: bool,
    /// Whether it was reported as sent, and never left.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
}

/// Why systems differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// What differs.
    pub what: String,
    /// Why, as far as that is known.
    pub why: String,
    /// Where that can be read.
    pub links: Vec<String>,
}

/// Texts by number. The page reads them when the first is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Texts {
    /// Every line of every text, once.
    pub lines: Vec<String>,
    /// Texts, as the numbers of their lines; `-n` is every line behind the one before it up to `n`.
    /// Lines are numbered as they are first met, so what two C programs share is short.
    pub texts: Vec<Vec<i64>>,
}

/// One subject of one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Such as `Linux`; `gvisor-20240729` of what is no Linux and says that it is.
    pub system: String,
    /// The release; empty if the system's name has it.
    pub build: String,
    /// The subject's name.
    pub subject: String,
    /// The run's name.
    pub run: String,
    /// The rest of uname(2), the program and the seed.
    pub detail: String,
    /// When it began, in seconds since 1970.
    pub began: u64,
    /// The version of sockeye, and its revision if it is known.
    pub program: String,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Such as `link-state/udp-sendto`.
    pub name: String,
    /// Its question; empty if no run says it.
    pub question: String,
}

/// A case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// What it asks.
    pub title: String,
    /// The number of its table.
    pub table: usize,
    /// What was answered, each answer once.
    pub answers: Vec<Answer>,
    /// The number of each column's answer; none where the case was not asked.
    pub cells: Vec<Option<usize>>,
    /// How many outcomes there are.
    pub outcomes: usize,
    /// The text of the C program, where columns differ, deviate or changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repro: Option<usize>,
    /// The numbers of what it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<usize>,
    /// The number of the reason why columns differ, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<usize>,
}

impl Row {
    /// Whether columns differ, or one of them deviates or changed.
    pub(super) fn is_of_interest(&self) -> bool {
        self.outcomes > 1
            || self.answers.iter().any(|answer| {
                let odd = [Verdict::Changed, Verdict::Unexpected, Verdict::Deviates];
                odd.contains(&answer.verdict) || answer.since.is_some()
            })
    }
}

/// What one or more columns answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The number of its word.
    pub word: usize,
    /// The number of the outcome's text.
    pub text: usize,
    /// The number of the outcome in its row, from 0; none if nothing ran, or nothing that has a meaning
    /// there.
    pub group: Option<usize>,
    /// What it came to.
    pub verdict: Verdict,
    /// Whether it ended at a name that the system has not got: it is no result.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not_here: bool,
    /// Whether rules about frames did not judge it: nobody saw them, or a call of another thread waited.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unjudged: bool,
    /// Each rule broken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Found>,
    /// What is undocumented: it makes no case deviate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Found>,
    /// What it says of claims: the claim's number, `confirmed`, `refuted` or `not reached`, and
    /// why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<(usize, &'static str, Option<String>)>,
    /// The baseline's platform and text, where the outcome is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<(String, usize)>,
    /// The text that the same subject had in the run before, where that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<usize>,
    /// What the text of the case asks and did not come, as a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unexpected: Vec<String>,
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The number of the rule; none if the run does not describe it.
    pub rule: Option<usize>,
    /// Its name.
    pub name: String,
    /// Its rank.
    pub rank: Rank,
    /// What happened.
    pub text: String,
    /// The number of the reason, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<usize>,
}

/// What somebody reported of systems and versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// Its id.
    pub id: String,
    /// What it says, as one sentence.
    pub says: String,
    /// Of which systems and versions.
    pub on: String,
    /// How whoever said it knew, in a word or two.
    pub provenance: String,
    /// Where it was said.
    pub sources: Vec<String>,
}

/// What a case makes of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The claim.
    pub claim: Claim,
    /// `confirmed`, `refuted` or `not reached`.
    pub standing: &'static str,
    /// Why, where it is not confirmed.
    pub why: Option<String>,
}
