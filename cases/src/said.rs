//! What is to be said of a case that has to be looked at.

use harness::outcome::first_difference;
use harness::trace::{End, Trace};
use suites::verdict::{Judgement, Verdict};

/// One thing that is said: who says it, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// `udp.case:7: asked`, `linux`, or nobody.
    pub who: String,
    /// One line.
    pub text: String,
    /// How far what it says is set in where it takes several lines.
    pub hangs: usize,
}

/// What was asked and did not come, the first line that differs from what was observed, and each rule that
/// is broken without being known.
pub fn said(trace: &Trace, judgement: &Judgement) -> Vec<Said> {
    let mut all = Vec::new();
    let mut say = |who: String, text: &str, hangs| {
        all.push(Said { who, text: text.to_owned(), hangs });
    };
    for unexpected in &judgement.unexpected {
        let place = unexpected.place();
        say(format!("{place}: asked"), &unexpected.wanted, 8);
        unexpected.came.lines().for_each(|line| say(format!("{place}: came "), line, 8));
    }
    if let (Verdict::Changed | Verdict::Error, Some((platform, text))) =
        (judgement.verdict, &judgement.expected)
        && !matches!(trace.end, End::Broken { .. })
        && let Some([was, is]) = first_difference(text, &judgement.outcome)
    {
        let nothing = "(nothing more)";
        say(format!("{platform:12}"), was.unwrap_or(nothing), 17);
        say(format!("{:12}", "this run"), is.unwrap_or(nothing), 17);
    }
    if let End::Broken { reason } = &trace.end {
        say(String::new(), reason, 4);
    } else if judgement.verdict == Verdict::Error {
        let longest = trace.pauses_ms.iter().max().copied().unwrap_or(0);
        let why = format!(
            "the executor stood still for up to {longest} ms in each of {} takes, which may have \
             changed it: run it again on a machine that is less busy",
            Trace::TAKES
        );
        say(String::new(), &why, 4);
    }
    for (finding, _) in judgement.findings.iter().filter(|(_, known)| known.is_none()) {
        let text = format!("{} {}: {}", finding.rank(), finding.rule, finding.text);
        say(String::new(), &text, 8);
    }
    all
}
