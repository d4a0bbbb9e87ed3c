//! What sockeye asks of a kernel, and how the answers are judged.
//!
//! - the suites: tables of cases, a folder of text each, and a module that says in which order they are shown
//!   and has the tables that are computed;
//! - [`rules`]: what standards promise, for every case and system;
//! - [`baseline`]: what this suite observed on a platform;
//! - [`claim`]: what somebody reported of a system and its versions;
//! - [`coverage`]: which names of the sockets API the baselines show, and which not;
//! - [`deviation`]: where a system is known to break a rule;
//! - [`tag`]: what cases are about, as words;
//! - [`verdict`]: what all that makes of one trace.

mod api;
pub mod baseline;
pub mod catalogue;
pub mod claim;
pub mod coverage;
mod darwin;
pub mod deviation;
mod fragmentation;
mod http;
mod link_state;
mod multicast;
mod names;
mod options;
pub mod pattern;
pub mod rules;
mod scoped_ipv6;
mod steps;
mod table;
pub mod tag;
mod text;
mod threads;
mod unix;
pub mod verdict;

use std::sync::OnceLock;

use harness::trace::Fingerprint;

pub use table::{LeftOut, Table};

/// The names that a suite's baselines and known deviations on this kernel are kept under, the most
/// specific first: `own`, or those of the C library where the answers are its own. But what stands
/// in for a kernel, gVisor for Linux, has a part in those too.
pub fn platforms(kernel: &Fingerprint, own: &[String], suite: &str) -> Vec<String> {
    if suite != names::SUITE {
        return own.to_vec();
    }
    let plain = kernel.platforms();
    let mut platforms: Vec<String> =
        own.iter().filter(|name| !plain.contains(name)).cloned().collect();
    platforms.extend(kernel.libc_platforms());
    platforms
}

/// What a platform falls back to where it has nothing of its own, the more specific first:
/// `linux-6.1` to `linux`, `uml-6.1` to `linux-6.1` and `linux`, `macos-15+cfil` to `macos-15` and
/// `macos`. A host with a default route falls back to such hosts alone: `macos-15+online` to
/// `macos+online` (`Fingerprint::platforms`).
pub fn fallbacks(platform: &str) -> Vec<String> {
    const ONLINE: &str = "+online";
    if let Some(offline) = platform.strip_suffix(ONLINE) {
        return fallbacks(offline).into_iter().map(|name| name + ONLINE).collect();
    }
    let less = match (platform.rsplit_once('+'), platform.rsplit_once('-')) {
        (Some((plain, _)), _) => plain.to_owned(),
        (None, Some(("uml", series))) => format!("linux-{series}"),
        (None, Some((system, _))) => system.to_owned(),
        (None, None) => return Vec::new(),
    };
    let rest = fallbacks(&less);
    [vec![less], rest].concat()
}

/// Every table of every suite, in the order in which they are shown.
pub fn tables() -> Vec<Table> {
    static ALL: OnceLock<Vec<Table>> = OnceLock::new();
    ALL.get_or_init(all).clone()
}

fn all() -> Vec<Table> {
    let suites = [
        link_state::tables(),
        fragmentation::tables(),
        scoped_ipv6::tables(),
        multicast::tables(),
        http::tables(),
        names::tables(),
        options::tables(),
        darwin::tables(),
        threads::tables(),
        api::tables(),
        unix::tables(),
    ];
    suites.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::collections::hash_map::Entry;

    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&["linux-6.1", "linux"], "link-state", &["linux-6.1", "linux"])]
    #[case(&["linux-6.1", "linux"], "names", &["glibc-2.36", "glibc"])]
    #[case(&["uml-6.1", "linux-6.1", "linux"], "names", &["uml-6.1", "glibc-2.36", "glibc"])]
    #[case(&["gvisor-1", "gvisor"], "names", &["gvisor-1", "gvisor", "glibc-2.36", "glibc"])]
    fn names_are_the_librarys(#[case] own: &[&str], #[case] suite: &str, #[case] are: &[&str]) {
        let own: Vec<String> = own.iter().map(|name| (*name).to_owned()).collect();
        let [system, release, libc] = ["Linux", "6.1.9", "glibc 2.36"].map(str::to_owned);
        let kernel = Fingerprint { system, release, libc, ..Fingerprint::default() };
        assert_eq!(platforms(&kernel, &own, suite), are);
    }

    #[rstest]
    #[case("linux", &[])]
    #[case("linux-6.1", &["linux"])]
    #[case("glibc-2.36", &["glibc"])]
    #[case("gvisor-20240729", &["gvisor"])]
    #[case("uml-6.1", &["linux-6.1", "linux"])]
    #[case("macos-15+cfil", &["macos-15", "macos"])]
    #[case("macos-15+online", &["macos+online"])]
    #[case("macos-15+cfil+online", &["macos-15+online", "macos+online"])]
    #[case("macos+online", &[])]
    fn platforms_fall_back(#[case] platform: &str, #[case] to: &[&str]) {
        assert_eq!(fallbacks(platform), to);
    }

    /// What the catalogue has of every row; cases may name rows of other suites to come.
    #[rustfmt::skip]
    const LISTED: [&str; 16] = [
        "LINK-", "FRAG-", "SCOPE-", "HTTP-", "NAME-", "MCAST-", "ERR-", "BIND-", "CONN-", "DGRAM-", "STRM-", "OPT-",
        "CMSG-", "POLL-", "RAW-", "UNIX-",
    ];

    #[test]
    fn every_case_is_sound_and_has_an_id_of_its_own() {
        let mut ids = BTreeSet::new();
        for table in tables() {
            assert!(table.question.ends_with('?'), "no question: {}", table.question);
            for case in table.cases {
                assert_eq!(case.check(), Ok(()), "{}", case.id);
                assert_eq!(case.table(), table.name);
                for row in &case.catalogue {
                    let known = catalogue::catalogue().any(|known| known.id == row);
                    assert!(known || !LISTED.iter().any(|suite| row.starts_with(suite)), "{row}");
                }
                assert!(ids.insert(case.id.clone()), "twice: {}", case.id);
            }
            for left_out in table.left_out {
                assert!(!ids.contains(&left_out.id), "left out and there: {}", left_out.id);
                assert!(!left_out.why.is_empty());
            }
        }
    }

    /// Tables whose rows may coincide, and why.
    const COINCIDE: [(&str, &str); 6] = [
        ("scoped-ipv6/udp-sendto", MIRRORED),
        ("scoped-ipv6/udp-connect", MIRRORED),
        ("scoped-ipv6/tcp-connect", MIRRORED),
        ("scoped-ipv6/icmp-raw", MIRRORED),
        (
            "multicast/sources",
            "two steps are one that does both, and a join is the same call by both APIs",
        ),
        ("http/pieces", "a request that is sent whole has no first piece that a flag could be on"),
    ];
    const MIRRORED: &str =
        "a group has no link: the right zone of one link is the other's wrong one";

    /// What a case does, whatever it is called.
    fn does(case: &harness::case::Case) -> String {
        let bare = harness::case::Case {
            id: String::new(),
            title: String::new(),
            catalogue: Vec::new(),
            ..case.clone()
        };
        serde_json::to_string(&bare).unwrap()
    }

    /// The rows of a table that do what a row before them does.
    fn again(table: &Table) -> Vec<String> {
        let mut first = std::collections::HashMap::new();
        let rows = table.cases.iter().filter_map(|case| match first.entry(does(case)) {
            Entry::Occupied(entry) => Some(format!("{} does what {} does", case.id, entry.get())),
            Entry::Vacant(entry) => {
                entry.insert(case.id.clone());
                None
            }
        });
        rows.collect()
    }

    #[test]
    fn no_row_of_a_table_does_what_another_does() {
        let mut faults = Vec::new();
        for table in tables() {
            let twice = again(&table);
            match COINCIDE.iter().find(|(name, _)| *name == table.name) {
                Some((name, why)) if twice.is_empty() => {
                    faults.push(format!("{name}: none does: {why}"));
                }
                Some(_) => {}
                None => faults.extend(twice),
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    /// The planted negative: another id and another title are no other case, another window and another lab are.
    #[test]
    fn a_row_that_does_what_another_does_is_found() {
        let case = |id: &str, lab: harness::case::Lab| {
            harness::case::Case::new(id, id, lab, vec![harness::case::Op::Getifaddrs {}])
        };
        let none = harness::case::Lab::loopback;
        let tun = harness::case::Lab::one(harness::case::LinkKind::Tun, "net0");
        let waits = harness::case::Case { window_ms: 5, ..case("s/t[d]", none()) };
        let cases =
            vec![case("s/t[a]", none()), case("s/t[b]", tun), case("s/t[c]", none()), waits];
        let table = Table::of("s/t".into(), "?".into(), cases);
        assert_eq!(again(&table), ["s/t[c] does what s/t[a] does"]);
    }

    /// How many cases of each suite end at a name that macOS has not got, most of them because they
    /// ask for an option of Linux's by its name. It may sink and not rise: what Darwin has another
    /// word for is an intent. 24 of `fragmentation/raw-protocol` ask for modes of `IPV6_MTU_DISCOVER`, which it
    /// has no word for.
    #[test]
    fn so_many_cases_ask_nothing_on_macos() {
        let cases: Vec<_> = tables().into_iter().flat_map(|table| table.cases).collect();
        let of = |suite: &str| {
            let ends =
                |case: &&harness::case::Case| case.ends_at(harness::case::Os::Macos).is_some();
            cases.iter().filter(|case| case.suite() == suite).filter(ends).count()
        };
        let suites = ["link-state", "fragmentation", "scoped-ipv6", "multicast", "http"];
        assert_eq!(suites.map(of), [3, 1435, 0, 114, 170]);
        assert_eq!(["names", "options", "darwin"].map(of), [0, 990, 0]);
    }

    #[test]
    fn every_case_survives_json() {
        for case in tables().into_iter().flat_map(|table| table.cases) {
            let text = serde_json::to_string(&case).unwrap();
            assert_eq!(serde_json::from_str::<harness::case::Case>(&text).unwrap(), case);
        }
    }
}
