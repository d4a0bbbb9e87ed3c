//! Several runs as one.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Ended, Line, Manifest, NATIVE, Rule, Run, SCHEMA, Subject};

/// Why runs cannot be one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// Subjects of one name are not the same kernel.
    #[error("{one} and {other} both have a subject {name:?}, and not of one kernel: {kernels}")]
    Kernels {
        /// A run.
        one: String,
        /// Another.
        other: String,
        /// The name.
        name: String,
        /// Which two.
        kernels: String,
    },
    /// Parts of one subject were asked by different programs.
    #[error("{one} and {other} both have a part of {name:?}, by different builds: {builds}")]
    Builds {
        /// A run.
        one: String,
        /// Another.
        other: String,
        /// The name.
        name: String,
        /// Which two.
        builds: String,
    },
    /// One subject did two things.
    #[error("{one} and {other} disagree on {id}: {name:?} did not do the same in both")]
    Disagree {
        /// A run.
        one: String,
        /// Another.
        other: String,
        /// The case.
        id: String,
        /// The subject.
        name: String,
    },
}

/// A subject of the merged run, and which runs have a part of it.
struct Part<'a> {
    run: &'a str,
    subject: &'a Subject,
    lines: Vec<&'a Line>,
}

/// Makes one run of several, each with the name that its user knows it by.
///
/// Parts of one subject (the same name, kernel and program) become one; a case that several of them
/// have is kept once if its outcomes are equal. Subjects called `native` that are different kernels
/// are named by their platforms instead. The order of `runs` makes no difference, but for which run
/// an error names first.
pub fn merge(runs: &[(String, Run)]) -> Result<Run, MergeError> {
    let mut parts: BTreeMap<String, Vec<Part<'_>>> = BTreeMap::new();
    for (name, part) in named(runs) {
        parts.entry(name).or_default().push(part);
    }
    let mut subjects = Vec::new();
    for (name, mut parts) in parts {
        parts.sort_by_key(|part| (part.subject.began_ns, part.run));
        subjects.push(one(name, &parts)?);
    }
    subjects.sort_by(|(a, _), (b, _)| natural(&a.name, &b.name));
    let (subjects, lines): (Vec<_>, Vec<_>) = subjects.into_iter().unzip();
    // Where builds differ in what they say of a rule or a table, the latest run has it.
    let mut by_age: Vec<&Manifest> = runs.iter().map(|(_, run)| &run.manifest).collect();
    by_age.sort_by_key(|m| m.subjects.iter().map(|s| s.began_ns).max());
    let mut rules: BTreeMap<&str, &Rule> = BTreeMap::new();
    let mut tables = BTreeMap::new();
    for manifest in by_age {
        rules.extend(manifest.rules.iter().map(|rule| (rule.name.as_str(), rule)));
        tables.extend(manifest.tables.clone());
    }
    let rules = rules.into_values().cloned().collect();
    let manifest = Manifest { schema: SCHEMA, subjects, rules, tables };
    Ok(Run { manifest, lines: lines.into_iter().flatten().collect(), cut: false })
}

/// Every subject of every run, under the name that it shall have.
fn named(runs: &[(String, Run)]) -> Vec<(String, Part<'_>)> {
    let all = || {
        runs.iter()
            .flat_map(|(name, run)| run.manifest.subjects.iter().map(move |s| (name, run, s)))
    };
    let natives: Vec<&Subject> =
        all().map(|(_, _, s)| s).filter(|subject| subject.name == NATIVE).collect();
    let name = |subject: &Subject| {
        let same = |other: &&Subject| other.kernel == subject.kernel;
        if subject.name != NATIVE || natives.iter().all(same) {
            return subject.name.clone();
        }
        // The shortest that no other kernel has or may get.
        let names = names(subject);
        let others = || all().map(|(_, _, s)| s).filter(|s| !same(s));
        let distinct = |n: &&String| {
            others().all(|s| s.name != **n && (s.name != NATIVE || !self::names(s).contains(n)))
        };
        names.iter().find(distinct).or(names.last()).cloned().unwrap_or_default()
    };
    all()
        .map(|(run_name, run, subject)| {
            let lines = run.lines.iter().filter(|line| line.subject == subject.name).collect();
            (name(subject), Part { run: run_name, subject, lines })
        })
        .collect()
}

/// What a kernel may be called, from the short to the exact.
fn names(subject: &Subject) -> Vec<String> {
    let kernel = &subject.kernel;
    let platform = subject.platforms.first().cloned().unwrap_or_default();
    let exact = format!("{}-{}", kernel.system.to_lowercase(), kernel.release);
    let machine = format!("{exact}-{}", kernel.machine);
    let user = format!("{machine}-uid{}", kernel.euid);
    vec![platform, exact, machine, user]
}

/// The subject that these parts are of, the first part first, and its lines by id.
fn one(name: String, parts: &[Part<'_>]) -> Result<(Subject, Vec<Line>), MergeError> {
    let mut lines: BTreeMap<&str, (&Part<'_>, &Line)> = BTreeMap::new();
    let first = &parts[0];
    for part in parts {
        agree(&name, first, part)?;
        for line in &part.lines {
            let Some((other, kept)) = lines.get(line.id.as_str()) else {
                lines.insert(&line.id, (part, line));
                continue;
            };
            if (&kept.outcome, kept.verdict) != (&line.outcome, line.verdict) {
                return Err(MergeError::Disagree {
                    one: other.run.to_owned(),
                    other: part.run.to_owned(),
                    id: line.id.clone(),
                    name,
                });
            }
            if line.trace.began_ns < kept.trace.began_ns {
                lines.insert(&line.id, (part, line));
            }
        }
    }
    let twice = parts.iter().map(|part| part.lines.len()).sum::<usize>() - lines.len();
    let mut verdicts = BTreeMap::new();
    for (_, line) in lines.values() {
        *verdicts.entry(line.verdict).or_insert(0) += 1;
    }
    let took = parts.iter().map(|part| part.subject.ended.as_ref().map(|ended| ended.took_ms));
    let seed =
        first.subject.seed.filter(|_| parts.iter().all(|p| p.subject.seed == first.subject.seed));
    let subject = Subject {
        seed,
        cases: parts.iter().map(|part| part.subject.cases).sum::<usize>() - twice,
        ended: took.sum::<Option<u64>>().map(|took_ms| Ended { took_ms, verdicts }),
        name,
        ..first.subject.clone()
    };
    let line =
        |(_, line): &(&Part<'_>, &Line)| Line { subject: subject.name.clone(), ..(*line).clone() };
    let lines = lines.values().map(line).collect();
    Ok((subject, lines))
}

/// Whether two parts of one name are of one subject.
fn agree(name: &str, first: &Part<'_>, part: &Part<'_>) -> Result<(), MergeError> {
    let (one, other, name) = (first.run.to_owned(), part.run.to_owned(), name.to_owned());
    if first.subject.kernel != part.subject.kernel {
        let who = |s: &Subject| {
            let k = &s.kernel;
            format!("{} {} {} {}, user {}", k.system, k.release, k.version, k.machine, k.euid)
        };
        let kernels = format!("{}; {}", who(first.subject), who(part.subject));
        return Err(MergeError::Kernels { one, other, name, kernels });
    }
    let build = |s: &Subject| match &s.revision {
        Some(revision) => format!("sockeye {} ({revision})", s.program),
        None => format!("sockeye {}", s.program),
    };
    let builds = [build(first.subject), build(part.subject)];
    if builds[0] != builds[1] {
        return Err(MergeError::Builds { one, other, name, builds: builds.join("; ") });
    }
    Ok(())
}

/// As people order versions: 6.2 comes before 6.18.
fn natural(a: &str, b: &str) -> Ordering {
    let key = |text: &str| {
        let parts = text.split_inclusive(|c: char| !c.is_ascii_digit());
        let number = |part: &str| {
            let digits = part.trim_end_matches(|c: char| !c.is_ascii_digit());
            (digits.parse::<u64>().ok(), part.to_owned())
        };
        parts.map(number).collect::<Vec<_>>()
    };
    key(a).cmp(&key(b)).then_with(|| a.cmp(b))
}
