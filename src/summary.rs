//! What a run came to, counted: verdicts, ranks, and what has no meaning here.

use owo_colors::{OwoColorize as _, Style};
use suites::rules::Finding;
use suites::verdict::{Rank, Verdict};

use crate::results::Answer;
use crate::run;

/// What a case counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Counted {
    /// A result.
    Result(Verdict),
    /// None: it ended at a name that this system has not got.
    NotHere,
}

impl Counted {
    /// All of them, in the order of a table's columns.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Verdict::ALL.into_iter().map(Self::Result).chain([Self::NotHere])
    }

    /// What this case counts as.
    pub(crate) fn of(answer: &Answer<'_>) -> Self {
        let verdict = answer.judgement.verdict;
        if verdict.is_not_here(&answer.trace) { Self::NotHere } else { Self::Result(verdict) }
    }

    /// The head of its column.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Result(verdict) => verdict.word(),
            Self::NotHere => "not here",
        }
    }

    /// Its colour.
    pub(crate) fn colour(self) -> Style {
        match self {
            Self::Result(verdict) => run::style(verdict),
            Self::NotHere => Style::new().dimmed(),
        }
    }
}

/// How many cases have no meaning on the system.
pub(crate) fn not_here(answers: &[Answer<'_>]) -> usize {
    answers.iter().filter(|answer| Counted::of(answer) == Counted::NotHere).count()
}

/// `12353 cases on macos-15`, and how many of them are results if not all are.
pub(crate) fn cases(answers: &[Answer<'_>], platform: &str) -> String {
    let (all, not_here) = (answers.len(), not_here(answers));
    match not_here {
        0 => format!("{all} cases on {platform}"),
        n => format!(
            "{all} cases on {platform}, of which {n} have no meaning there: {} results",
            all - n
        ),
    }
}

/// The findings of a rank in one case, and whether each is known.
fn of_rank<'a>(answer: &'a Answer<'_>, rank: Rank) -> impl Iterator<Item = (&'a Finding, bool)> {
    let judgement = &answer.judgement;
    let all = judgement.findings.iter().chain(&judgement.remarks);
    all.filter(move |(finding, _)| finding.rank() == rank)
        .map(|(finding, known)| (finding, known.is_some()))
}

/// Whether a rule of this rank is broken; whatever it is if none is asked for.
pub(crate) fn is_of(answer: &Answer<'_>, rank: Option<Rank>) -> bool {
    rank.is_none_or(|rank| of_rank(answer, rank).next().is_some())
}

/// How many cases have findings of each rank: a line for each rank that was found.
pub(crate) fn ranks(answers: &[Answer<'_>]) -> Vec<(Rank, String)> {
    let line = |rank| {
        let found = answers.iter().filter(|answer| of_rank(answer, rank).next().is_some());
        let cases = found.clone().count();
        let unknown = found.filter(|answer| of_rank(answer, rank).any(|(_, known)| !known)).count();
        let known = match (rank, unknown) {
            (Rank::Undocumented, _) => "",
            (_, 0) => ", all of them known",
            (_, n) => &format!(", {n} as nobody knew"),
        };
        (cases > 0).then(|| (rank, format!("{cases} cases{known}: {}", says(rank))))
    };
    Rank::ALL.into_iter().filter_map(line).collect()
}

/// What a rank is.
fn says(rank: Rank) -> &'static str {
    match rank {
        Rank::Violates => "a standard says MUST or shall",
        Rank::Surprises => "no clause says so, and a program trips over it",
        Rank::Undocumented => {
            "an errno that no manual lists, which is a remark and fails nothing; `--rank undocumented` \
             names them"
        }
    }
}

/// Every finding of a rank, case by case.
pub(crate) fn list(answers: &[Answer<'_>], rank: Rank) {
    for answer in answers {
        for (number, (finding, known)) in of_rank(answer, rank).enumerate() {
            if number == 0 {
                anstream::println!("{} {}", rank.style(style(rank)), answer.case.id);
            }
            let known = if known { " (known)" } else { "" };
            anstream::println!("    {}{known}: {}", finding.rule, finding.text);
        }
    }
}

/// The colour of a rank.
pub(crate) fn style(rank: Rank) -> Style {
    match rank {
        Rank::Violates => Style::new().yellow().bold(),
        Rank::Surprises => Style::new().yellow(),
        Rank::Undocumented => Style::new().dimmed(),
    }
}
