//! Which rows a Mac can answer without root, by an interface of its own that is down; what titles say.

use std::collections::{BTreeMap, BTreeSet};

use harness::darwin::down::fits;

const EACH: [&str; 5] = ["own", "neighbour", "unresolved", "all-nodes", "solicited-node"];

#[test]
fn without_root_rows_of_a_tap_that_is_down_can_be_asked() {
    let tables = crate::tables();
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for case in tables.iter().flat_map(|table| &table.cases).filter(|case| fits(case)) {
        let (table, row) = case.id.split_once('[').unwrap_or((&case.id, ""));
        found.entry(table).or_default().push(row.trim_end_matches(']'));
    }
    let connectx = found.remove("darwin/connectx-down").expect("some of connectx");
    assert!(connectx.iter().all(|row| row.starts_with("link-local,")), "{connectx:?}");
    // An answer to them would be about another state of the link, or need more of it.
    let words = ["up", "readdressed", "down-up", "deleted", "mtu-1000", "tun"];
    let families = ["own4", "neighbour4", "multicast4", "global", "off-link", "v6", "v4"];
    for word in found.values().flatten().flat_map(|row| row.split(',')) {
        assert!(!words.contains(&word) && !families.contains(&word), "{word}");
    }
    let rows = |how: &[&str]| how.iter().map(|to| format!("tap,down,{to}")).collect::<Vec<_>>();
    let named = ["own,sendto", "own,connect", "neighbour,sendto", "neighbour,connect"];
    let named = [&named[..], &["all-nodes,sendto", "all-nodes,connect"]].concat();
    let expected = BTreeMap::from([
        ("link-state/netdown", vec![String::new()]),
        ("link-state/bind", rows(&["ll,udp", "ll,tcp"])),
        ("link-state/name-after-failure", rows(&named)),
        ("link-state/tcp-connect", rows(&EACH)),
        ("link-state/udp-bound-interface", rows(&EACH)),
        ("link-state/udp-bound-own", rows(&EACH)),
        ("link-state/udp-connect-send", rows(&EACH)),
        ("link-state/udp-pktinfo", rows(&EACH)),
        ("link-state/udp-sendto", rows(&EACH)),
        ("link-state/udp-sendto-again", rows(&["own", "neighbour", "all-nodes"])),
    ]);
    let found: BTreeMap<&str, Vec<String>> = found
        .into_iter()
        .map(|(table, rows)| (table, rows.into_iter().map(str::to_owned).collect()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_title_says_how_it_is_sent() {
    let tables = crate::tables();
    let all = tables.iter().flat_map(|table| &table.cases);
    let titles: Vec<(&str, &str)> = all
        .filter_map(|case| Some((case.id.strip_suffix("[tap,down,limited4]")?, &*case.title)))
        .filter(|(table, _)| table.starts_with("link-state/udp-"))
        .collect();
    assert!(titles.len() > 5, "{titles:?}");
    let different: BTreeSet<&str> = titles.iter().map(|(_, title)| *title).collect();
    assert_eq!(different.len(), titles.len(), "{titles:?}");
}
