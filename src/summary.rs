//! What a run came to, counted: verdicts, ranks, and what has no meaning here.

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use suites::rules::Finding;
use suites::verdict::{Rank, Verdict};

use crate::out::Paint as _;
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

/// `1 case`, `2 cases`.
pub(crate) fn count(cases: usize) -> String {
    if cases == 1 { "1 case".to_owned() } else { format!("{} cases", thousands(cases)) }
}

/// `12,353`.
fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Whether a case deviates, and all that it breaks is known.
pub(crate) fn is_known(answer: &Answer<'_>) -> bool {
    Counted::of(answer) == Counted::Result(Verdict::Deviates) && !answer.judgement.is_unexpected()
}

/// The line that matters: `12,353 cases on linux-6.18: 11,251 as observed, 238 deviate (238 known, 0
/// new), 864 not here · 5.2 s`. What it counts adds up.
pub(crate) fn line(answers: &[Answer<'_>], platform: &str, took: Duration) -> String {
    let of = |counted| answers.iter().filter(|answer| Counted::of(answer) == counted).count();
    let known = answers.iter().filter(|answer| is_known(answer)).count();
    let parts = Counted::all().filter_map(|counted| {
        let n = of(counted);
        let number = thousands(n);
        let text = match counted {
            Counted::Result(Verdict::Ok) => format!("{number} as observed"),
            Counted::Result(Verdict::Deviates) => {
                let verb = if n == 1 { "deviates" } else { "deviate" };
                format!(
                    "{number} {verb} ({} known, {} new)",
                    thousands(known),
                    thousands(n - known)
                )
            }
            Counted::Result(Verdict::New) => format!("{number} never observed before"),
            Counted::Result(Verdict::Error) => format!("{number} went wrong"),
            counted => format!("{number} {}", counted.word()),
        };
        (n > 0).then_some(text)
    });
    let parts: Vec<String> = parts.collect();
    let seconds = took.as_secs_f64();
    format!("{} on {platform}: {} · {seconds:.1} s", count(answers.len()), parts.join(", "))
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
        (cases > 0).then(|| (rank, format!("{}{known}: {}", count(cases), says(rank))))
    };
    Rank::ALL.into_iter().filter_map(line).collect()
}

/// How many cases have findings of each rank, as one line.
pub(crate) fn ranks_in_short(answers: &[Answer<'_>]) -> Option<String> {
    let said = |rank| {
        let cases = answers.iter().filter(|answer| of_rank(answer, rank).next().is_some()).count();
        let what = match rank {
            Rank::Violates => "a standard is violated in",
            Rank::Surprises => "a program trips in",
            Rank::Undocumented => "no manual has an errno or a value in",
        };
        (cases > 0).then(|| format!("{what} {} ({rank})", thousands(cases)))
    };
    let all: Vec<String> = Rank::ALL.into_iter().filter_map(said).collect();
    (!all.is_empty()).then(|| format!("{}; `--rank RANK` names them", all.join(", ")))
}

/// What a rank is.
fn says(rank: Rank) -> &'static str {
    match rank {
        Rank::Violates => "a standard says MUST or shall",
        Rank::Surprises => "no clause says so, and a program trips over it",
        Rank::Undocumented => {
            "no manual has the errno or the value, or the text itself admits it: a remark, which \
             fails nothing; `--rank undocumented` names them"
        }
    }
}

/// Every finding of a rank, case by case.
pub(crate) fn list(answers: &[Answer<'_>], rank: Rank) {
    for answer in answers {
        for (number, (finding, known)) in of_rank(answer, rank).enumerate() {
            if number == 0 {
                outln!("{} {}", rank.style(style(rank)), answer.case.id);
            }
            let known = if known { " (known)" } else { "" };
            outln!("    {}{known}: {}", finding.rule, finding.text);
        }
    }
}

/// The colour of a rank.
pub(crate) fn style(rank: Rank) -> Style {
    match rank {
        Rank::Violates => AnsiColor::Yellow.on_default().bold(),
        Rank::Surprises => AnsiColor::Yellow.on_default(),
        Rank::Undocumented => Style::new().dimmed(),
    }
}

#[cfg(test)]
mod tests {
    use harness::case::{Case, Lab, Op, Threads};
    use harness::trace::{Did, End, Event, Out, Trace};
    use rstest::rstest;
    use suites::verdict::Judgement;

    use super::*;

    const NAMELESS: Did = Did::Returned { ret: 0, errno: None, out: Out::Nothing };

    fn case() -> Case {
        let ops = vec![Op::Close { fd: "s".to_owned() }];
        let (id, title, catalogue) = ("s/t".to_owned(), String::new(), Vec::new());
        Case {
            id,
            title,
            catalogue,
            lab: Lab::loopback(),
            ops,
            window_ms: 0,
            threads: Threads::NONE,
        }
    }

    fn answer<'c>(
        case: &'c Case,
        did: Did,
        verdict: Verdict,
        rules: &[&'static str],
    ) -> Answer<'c> {
        let call = Event::Call { op: 0, at_ns: 0, took_ns: 0, addr: None, did };
        let trace = Trace::new(&case.id, Vec::new(), vec![call], End::Done);
        let found = |rule: &&'static str| {
            let is_remark = *rule == "errno-documented";
            let rank = if is_remark { Rank::Undocumented } else { Rank::Surprises };
            (Finding { rule, rank, op: 0, text: String::new() }, None)
        };
        let all = rules.iter().map(found);
        let (remarks, findings) =
            all.partition(|(finding, _)| finding.rank() == Rank::Undocumented);
        let (outcome, expected) = (String::new(), None);
        let judgement =
            Judgement { verdict, outcome, expected, findings, remarks, unexpected: Vec::new() };
        Answer { case, trace, judgement }
    }

    fn lacks() -> Did {
        Did::Unsupported { name: "SO_NONE".to_owned() }
    }

    #[rstest]
    #[case(lacks(), Verdict::Ok, true)]
    #[case(lacks(), Verdict::New, true)]
    #[case::changed_before_it(lacks(), Verdict::Changed, false)]
    #[case::broken_before_it(lacks(), Verdict::Deviates, false)]
    #[case(NAMELESS, Verdict::Ok, false)]
    #[case(NAMELESS, Verdict::New, false)]
    fn what_is_not_here_is_no_result(#[case] did: Did, #[case] verdict: Verdict, #[case] is: bool) {
        let case = case();
        let answers = [answer(&case, did, verdict, &[])];
        let counted = if is { Counted::NotHere } else { Counted::Result(verdict) };
        assert_eq!(Counted::of(&answers[0]), counted);
        assert_eq!(not_here(&answers), usize::from(is));
        let said = line(&answers, "macos-15", Duration::from_millis(5230));
        assert_eq!(said == "1 case on macos-15: 1 not here · 5.2 s", is, "{said}");
    }

    #[test]
    fn the_line_that_matters_adds_up() {
        let case = case();
        let one = |verdict, rules: &[&'static str]| answer(&case, NAMELESS, verdict, rules);
        let mut answers: Vec<Answer<'_>> = (0..1234).map(|_| one(Verdict::Ok, &[])).collect();
        // Known or not is what its findings are: this one is new, and one without any would be known.
        answers.push(one(Verdict::Deviates, &["no-silent-loss"]));
        answers.push(one(Verdict::Changed, &[]));
        answers.push(one(Verdict::New, &[]));
        answers.push(answer(&case, lacks(), Verdict::New, &[]));
        let said = line(&answers, "linux-6.18", Duration::from_secs(61));
        assert_eq!(
            said,
            "1,238 cases on linux-6.18: 1,234 as observed, 1 deviates (0 known, 1 new), 1 never \
             observed before, 1 changed, 1 not here · 61.0 s"
        );
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn ranks_are_counted_apart() {
        let case = case();
        let rules: [&[&'static str]; 3] =
            [&["no-silent-loss", "errno-documented"], &["errno-documented"; 2], &[]];
        let answers = rules.map(|rules| answer(&case, NAMELESS, Verdict::Deviates, rules));
        let said = ranks(&answers);
        let [(Rank::Surprises, surprises), (Rank::Undocumented, undocumented)] = &said[..] else {
            panic!("{said:?}");
        };
        assert!(surprises.starts_with("1 case, 1 as nobody knew: "), "{surprises}");
        assert!(undocumented.starts_with("2 cases: "), "{undocumented}");
        let of = |rank| answers.iter().filter(|answer| is_of(answer, rank)).count();
        assert_eq!([of(None), of(Some(Rank::Violates)), of(Some(Rank::Surprises))], [3, 0, 1]);
    }
}
