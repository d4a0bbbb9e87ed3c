//! Why kernels differ, as `docs/kernels.md` says it.

use std::sync::LazyLock;

use reports::matrix::Reason;
use suites::pattern;

/// Patterns of ids, and why these rows differ.
static REASONS: LazyLock<Vec<(Vec<String>, Reason)>> =
    LazyLock::new(|| read(include_str!("../docs/kernels.md")));

/// Why systems differ in a case: of several reasons, that with the narrowest pattern.
pub(crate) fn reason(id: &str) -> Option<Reason> {
    find(&REASONS, id)
}

fn find(reasons: &[(Vec<String>, Reason)], id: &str) -> Option<Reason> {
    let widths = |patterns: &[String]| {
        patterns.iter().filter(|pattern| pattern::matches(pattern, id)).map(String::len).max()
    };
    let fitting = reasons.iter().filter_map(|(patterns, reason)| Some((widths(patterns)?, reason)));
    fitting.max_by_key(|(width, _)| *width).map(|(_, reason)| reason.clone())
}

/// The rows of the page's tables: rows, what differs, verdict.
fn read(page: &str) -> Vec<(Vec<String>, Reason)> {
    let row = |line: &str| {
        let cells = line.strip_prefix("| ")?.strip_suffix(" |")?;
        let [rows, what, why] = cells.split(" | ").collect::<Vec<_>>()[..] else { return None };
        let patterns = patterns(rows);
        let links = why.split(['<', '>']).filter(|part| part.starts_with("https://"));
        let links = links.map(str::to_owned).collect();
        let (what, why) = (sentence(what), sentence(why));
        (!patterns.is_empty()).then_some((patterns, Reason { what, why, links }))
    };
    page.lines().filter_map(row).collect()
}

/// The words of a cell, without its links and marks: within a sentence a commit stands by its name.
fn plain(cell: &str) -> String {
    let part = |part: &str| {
        let Some((link, rest)) = part.split_once('>') else { return part.to_owned() };
        let commit = link.split_once("/torvalds/c/").filter(|_| !rest.trim().is_empty());
        format!("{}{rest}", commit.map_or("", |(_, commit)| commit))
    };
    let text = cell.split('<').map(part).collect::<String>().replace('`', "").replace(" ()", "");
    let text = [",", ".", ";"].iter().fold(text, |text, at| text.replace(&format!(": {at}"), at));
    text.trim_end_matches([' ', ':', ',']).to_owned()
}

/// A cell's words as they begin a line of their own; a name of code stays as it is written.
fn sentence(cell: &str) -> String {
    let text = plain(cell);
    let mut letters = text.chars();
    match letters.next().filter(|_| !cell.starts_with('`')) {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => text,
    }
}

/// What stands in backticks: a pattern, rows of the table before it (`[*,…]`), or an option.
fn patterns(cell: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for word in cell.split('`').skip(1).step_by(2) {
        let before = all.last().and_then(|last| last.split('[').next());
        let pattern = match (word, before) {
            (word, Some(table)) if word.starts_with('[') => format!("{table}{word}"),
            (word, _) if word.contains('/') => word.to_owned(),
            (word, Some(table)) => format!("{table}[*,{word}*]"),
            _ => continue,
        };
        all.push(pattern);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_that_of_the_narrowest_pattern() {
        let page = "| rows | what differs | verdict |\n| --- | --- | --- |\n\
                    | `s/t` | `A` is EIO | change: <https://a.example/1> |\n\
                    | `s/t[*,1]`, `[2,*]` | EINVAL | not looked up |\n\
                    | `o/*[*,SO_A]`, `SO_B` | none | new |\n";
        let reasons = read(page);
        assert_eq!(reasons.len(), 3, "a head is no reason");
        let why = |id: &str| find(&reasons, id).map(|reason| reason.why);
        assert_eq!(why("s/t[7,7]").as_deref(), Some("Change"));
        assert_eq!(why("s/t[7,1]").as_deref(), Some("Not looked up"));
        assert_eq!(why("s/t[2,7]").as_deref(), Some("Not looked up"));
        assert_eq!(why("o/default[tcp,SO_B]").as_deref(), Some("New"));
        assert_eq!(why("s/other"), None);
        let commit = |hash: &str| format!("<https://git.kernel.org/torvalds/c/{hash}>");
        let said = plain(&format!("a fix: {} for IPv4, {}", commit("4c34"), commit("ac76")));
        assert_eq!(said, "a fix: 4c34 for IPv4");
        assert_eq!(plain("a change: <https://a.example/1>. `f` asks"), "a change. f asks");
        assert_eq!(find(&reasons, "s/t").unwrap().links, ["https://a.example/1"]);
    }

    #[test]
    fn every_reason_of_the_page_is_read() {
        let rows = include_str!("../docs/kernels.md").lines().filter(|l| l.starts_with("| `"));
        assert_eq!(REASONS.len(), rows.count());
        assert!(reason("fragmentation/segment[a,b]").is_some() && reason("http/none").is_none());
        // Each 5.10 has another errno there, and the narrowest reason stands for both.
        let both = reason("fragmentation/segment[v4,on,fit+1,0]").unwrap().what;
        assert!(
            both.contains("EINVAL on 5.10.46") && both.contains("On 5.10.262 and 6.1 it is EIO")
        );
    }
}
