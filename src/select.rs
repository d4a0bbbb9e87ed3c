//! Which cases a user means.

use harness::case::Case;
use suites::pattern::matches;
use suites::{Table, tables};

use crate::UsageError;

/// The tables with the cases that one of `patterns` matches; all of them if there are none.
pub(crate) fn tables_of(patterns: &[String]) -> Result<Vec<Table>, UsageError> {
    let mut tables = tables();
    let ids: Vec<String> = tables.iter().flat_map(|t| &t.cases).map(|c| c.id.clone()).collect();
    for pattern in patterns {
        if !ids.iter().any(|id| matches(pattern, id)) {
            return Err(UsageError(unknown(pattern, &tables)));
        }
    }
    if !patterns.is_empty() {
        for table in &mut tables {
            table.cases.retain(|case| patterns.iter().any(|p| matches(p, &case.id)));
        }
        tables.retain(|table| !table.cases.is_empty());
    }
    Ok(tables)
}

/// The one case that `pattern` matches.
pub(crate) fn one(pattern: &str) -> Result<Case, UsageError> {
    let patterns = [pattern.to_owned()];
    let mut cases: Vec<Case> = tables_of(&patterns)?.into_iter().flat_map(|t| t.cases).collect();
    match (cases.pop(), cases.len()) {
        (Some(case), 0) => Ok(case),
        (first, others) => {
            let like = first.map(|c| c.id).unwrap_or_default();
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
        [suite, table.name].into_iter().chain(ids)
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
    fn a_suite_is_not_one_case() {
        let error = one("link-state").unwrap_err().0;
        assert!(error.contains("one is wanted"), "{error}");
    }
}
