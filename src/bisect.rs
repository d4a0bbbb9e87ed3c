//! `sockeye bisect`: between which kernels the outcomes of cases changed.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::cli::{Bisect, On, Run};
use crate::on::{self, Ran};
use crate::out::Paint as _;
use crate::results::Out;
use crate::subjects::Wanted;
use crate::{Status, out, select};

/// Runs the cases on each kernel, and lets a letter stand for each outcome.
pub(crate) fn bisect(args: &Bisect) -> Result<Status> {
    let chosen = select::chosen(&args.patterns)?;
    let cases = chosen.cases();
    let on = On { subjects: args.on.clone(), ..On::default() };
    let run = Run { on, ..Run::default() };
    let out = Out::of(args.out.as_deref(), "bisect");
    let all = on::on_each(&run, &cases, &chosen.own, &out)?;
    let ran: Vec<(&Wanted, &Ran<'_>)> =
        all.iter().filter_map(|(wanted, ran)| Some((wanted, ran.as_ref().ok()?))).collect();
    if ran.is_empty() {
        bail!("nothing ran");
    }
    let mut changed = 0;
    for (number, case) in cases.iter().enumerate() {
        let outcomes: Vec<Option<&str>> = ran.iter().map(|(_, ran)| outcome(ran, number)).collect();
        let (letters, texts) = letters(&outcomes);
        if texts.len() > 1 {
            changed += 1;
        } else if cases.len() > 1 {
            continue;
        }
        out::blank();
        outln!("{}", case.id.bold());
        let columns = ran.iter().zip(&letters);
        let columns = columns.map(|((wanted, _), letter)| (wanted.name.as_str(), letter));
        let row = |cell: &dyn Fn(&str, char) -> String| {
            columns.clone().map(|(name, letter)| cell(name, *letter)).collect::<Vec<_>>().join("  ")
        };
        outln!("  {}", row(&|name, _| name.to_owned()));
        outln!("  {}", row(&|name, letter| format!("{letter:<wide$}", wide = name.len())));
        for (letter, text) in texts {
            outln!("{letter}");
            text.lines().for_each(|line| outln!("    {line}"));
        }
    }
    out::blank();
    outln!(
        "{changed} of {} cases are not the same on all of {} kernels (. says nothing)",
        cases.len(),
        ran.len()
    );
    Ok(if changed > 0 { Status::Unexpected } else { Status::Expected })
}

/// What came of a case, if that says something of the kernel.
fn outcome<'r>(ran: &'r Ran<'_>, number: usize) -> Option<&'r str> {
    let answer = ran.answers.get(number)?;
    (!answer.trace.says_nothing()).then_some(answer.judgement.outcome.as_str())
}

/// A letter for each outcome, in the order in which they are first seen, and what each stands for.
pub(crate) fn letters<'o>(outcomes: &[Option<&'o str>]) -> (Vec<char>, BTreeMap<char, &'o str>) {
    let mut texts: BTreeMap<char, &str> = BTreeMap::new();
    let mut letter = |outcome: Option<&'o str>| {
        let Some(outcome) = outcome else { return '.' };
        let known = texts.iter().find(|(_, text)| **text == outcome).map(|(letter, _)| *letter);
        known.unwrap_or_else(|| {
            let fresh = ('A'..='Z').nth(texts.len()).unwrap_or('?');
            texts.insert(fresh, outcome);
            fresh
        })
    };
    let letters = outcomes.iter().copied().map(&mut letter).collect();
    (letters, texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_outcome_has_the_same_letter() {
        let (letters, texts) = letters(&[Some("x"), Some("y"), None, Some("x")]);
        assert_eq!(letters, ['A', 'B', '.', 'A']);
        assert_eq!(texts, BTreeMap::from([('A', "x"), ('B', "y")]));
    }
}
