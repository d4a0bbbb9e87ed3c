//! Which cases a user means.

use std::sync::Arc;

use harness::case::Case;
use suites::pattern::matches;
use suites::{Table, tables};

use crate::UsageError;
use crate::cli::Run;
use cases::{Named, Own, is_called};

/// One of several parts of the cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// From 1.
    number: u64,
    of: u64,
}

impl Shard {
    /// Whether a case is in this part: by FNV-1a (64 bits) of its id, which no other case changes.
    pub(crate) fn has(self, id: &str) -> bool {
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        id.bytes().fold(0xcbf2_9ce4_8422_2325, mix) % self.of == self.number - 1
    }
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no part such as 1/4");
        let (number, of) = text.split_once('/').ok_or_else(wrong)?;
        let number = number.parse().map_err(|_| wrong())?;
        let of = of.parse().map_err(|_| wrong())?;
        if (1..=of).contains(&number) { Ok(Self { number, of }) } else { Err(wrong()) }
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// The cases that a user means.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    /// They, by their tables.
    pub(crate) tables: Vec<Table>,
    /// Which of them are the user's own.
    pub(crate) own: Arc<Own>,
}

impl Chosen {
    /// The cases, in their order.
    pub(crate) fn cases(&self) -> Vec<&Case> {
        self.tables.iter().flat_map(|table| &table.cases).collect()
    }
}

/// The cases that shall run.
pub(crate) fn of_run(args: &Run) -> Result<Chosen, UsageError> {
    let mut chosen = chosen(&args.patterns)?;
    let tables = &mut chosen.tables;
    args.find.keep(tables)?;
    let Some(shard) = args.shard else { return Ok(chosen) };
    for table in &mut *tables {
        table.cases.retain(|case| shard.has(&case.id));
    }
    tables.retain(|table| !table.cases.is_empty());
    if tables.is_empty() {
        return Err(UsageError(format!("none of these cases is in part {shard}")));
    }
    Ok(chosen)
}

/// The cases that `patterns` mean: the suites', and those in the files that are named; every suite's if
/// there are none.
pub(crate) fn chosen(patterns: &[String]) -> Result<Chosen, UsageError> {
    let (named, patterns) = named(patterns);
    let mut tables =
        if patterns.is_empty() && !named.is_empty() { Vec::new() } else { tables_of(&patterns)? };
    let mut own = Own::default();
    for named in &named {
        for table in own.add(named, &mut |line| errln!("{line}"))? {
            // A file that is named twice has its cases once.
            match tables.iter_mut().find(|known| known.name == table.name) {
                Some(known) => {
                    let is_new = |case: &Case| known.cases.iter().all(|other| other.id != case.id);
                    let new: Vec<Case> = table.cases.into_iter().filter(is_new).collect();
                    known.cases.extend(new);
                }
                None => tables.push(table),
            }
        }
    }
    Ok(Chosen { tables, own: Arc::new(own) })
}

/// The paths among the words of a command line, and the others.
pub(crate) fn named(words: &[String]) -> (Vec<Named>, Vec<String>) {
    let mut ids: Option<Vec<String>> = None;
    let mut is_known = |word: &str| {
        let all = || tables().into_iter().flat_map(|table| table.cases).map(|case| case.id);
        ids.get_or_insert_with(|| all().collect()).iter().any(|id| matches(word, id))
    };
    let (mut paths, mut patterns) = (Vec::new(), Vec::new());
    for word in words {
        match cases::named(word, &mut is_known) {
            Some(named) => paths.push(named),
            None => patterns.push(word.clone()),
        }
    }
    (paths, patterns)
}

/// How a pattern means an id.
type Way = fn(&str, &str) -> bool;

/// The tables of the suites with the cases that one of `patterns` matches; all of them if there are none. A
/// pattern that means no id means what is called so in each suite.
fn tables_of(patterns: &[String]) -> Result<Vec<Table>, UsageError> {
    let mut tables = tables();
    let ids: Vec<String> = tables.iter().flat_map(|t| &t.cases).map(|c| c.id.clone()).collect();
    let mut meant: Vec<(&str, Way)> = Vec::new();
    for pattern in patterns {
        let ways: [Way; 2] = [matches, is_called];
        let way = ways.into_iter().find(|way| ids.iter().any(|id| way(pattern, id)));
        let way = way.ok_or_else(|| UsageError(unknown(pattern, &tables)))?;
        meant.push((pattern, way));
    }
    if !patterns.is_empty() {
        for table in &mut tables {
            table.cases.retain(|case| meant.iter().any(|(pattern, way)| way(pattern, &case.id)));
        }
        tables.retain(|table| !table.cases.is_empty());
    }
    Ok(tables)
}

/// The one case that `pattern` means, and whose own it is.
pub(crate) fn one(pattern: &str) -> Result<(Case, Arc<Own>), UsageError> {
    let Chosen { tables, own } = chosen(&[pattern.to_owned()])?;
    let mut cases: Vec<Case> = tables.into_iter().flat_map(|table| table.cases).collect();
    match (cases.pop(), cases.len()) {
        (Some(case), 0) => Ok((case, own)),
        (first, others) => {
            let like = first.map(|case| own.word(&case.id).into_owned()).unwrap_or_default();
            let count = others + 1;
            Err(UsageError(format!(
                "{pattern:?} means {count} cases, one is wanted, such as {like:?}"
            )))
        }
    }
}

fn unknown(pattern: &str, tables: &[Table]) -> String {
    let words = tables.iter().flat_map(|table| {
        let suite = table.name.split('/').next().unwrap_or_default();
        let ids = table.cases.iter().map(|case| case.id.as_str());
        [suite, &table.name].into_iter().chain(ids)
    });
    let mut near: Vec<(usize, &str)> =
        words.map(|word| (strsim::levenshtein(pattern, word), word)).collect();
    near.sort_unstable();
    near.dedup();
    let near: Vec<String> = near.iter().take(3).map(|(_, word)| format!("{word:?}")).collect();
    format!("no case matches {pattern:?}; nearest are {}", near.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_pattern_names_the_nearest() {
        let error = one("link-state/netdwn").unwrap_err().0;
        assert!(error.contains("nearest are \"link-state/netdown\""), "{error}");
    }

    #[test]
    fn every_case_is_in_one_part_for_good() {
        let shards: Vec<Shard> = ["1/3", "2/3", "3/3"].map(|text| text.parse().unwrap()).into();
        let mut sizes = [0; 3];
        for case in tables().iter().flat_map(|table| &table.cases) {
            let of: Vec<usize> = (0..3).filter(|n| shards[*n].has(&case.id)).collect();
            assert_eq!(of.len(), 1, "{}", case.id);
            sizes[of[0]] += 1;
        }
        let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
        assert!(most - least < least / 5, "{sizes:?}");
        // As documented, in this version and every other.
        assert!("2/3".parse::<Shard>().unwrap().has("link-state/netdown"));
        for wrong in ["", "1", "0/2", "3/2", "a/b", "1/0"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_case_is_found_by_what_it_is_called() {
        assert_eq!(one("netdown").unwrap().0.id, "link-state/netdown");
        let sends = tables_of(&["udp-sendto".to_owned()]).unwrap();
        let names: Vec<&str> = sends.iter().map(|table| table.name.as_ref()).collect();
        assert_eq!(names, ["link-state/udp-sendto", "scoped-ipv6/udp-sendto"]);
        // What is an id is that, and nothing is called by its middle.
        assert!(tables_of(&["options/default".to_owned()]).unwrap().len() == 1);
        assert!(one("etdown").unwrap_err().0.contains("no case matches"));
    }

    #[test]
    fn a_suite_is_not_one_case() {
        let error = one("link-state").unwrap_err().0;
        assert!(error.contains("one is wanted"), "{error}");
    }
}
