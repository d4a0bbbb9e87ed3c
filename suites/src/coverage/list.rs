//! The lists of names: text in `suites/coverage`, each with its source and what other suites have of it.
//!
//! A line is a name, `linux` or `macos` if that system alone has it and the harness does not know, behind
//! `=` the words that stand for it in an outcome if they are others, and behind ` : ` the reason why nobody
//! can show it here. The list of pairs has reasons alone: its names are those of the manuals.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use harness::case::{NOT_ON_LINUX, is_known};
use serde::Serialize;

use crate::rules::documented::{Manual, manual, posix};

/// What a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Functions of the sockets API.
    Calls,
    /// Errnos, whichever call returns or tells them.
    Errnos,
    /// An errno of a call.
    Pairs,
    /// Socket options.
    Options,
    /// `MSG_` flags.
    Flags,
    /// Requests of `ioctl`.
    Ioctls,
    /// Control messages.
    Controls,
}

impl Kind {
    /// All of them, as they are shown.
    pub const ALL: [Self; 7] = [
        Self::Calls,
        Self::Errnos,
        Self::Pairs,
        Self::Options,
        Self::Flags,
        Self::Ioctls,
        Self::Controls,
    ];

    /// The word for it on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Errnos => "errnos",
            Self::Pairs => "pairs",
            Self::Options => "options",
            Self::Flags => "flags",
            Self::Ioctls => "ioctls",
            Self::Controls => "controls",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Calls => include_str!("../../coverage/calls.txt"),
            Self::Errnos => include_str!("../../coverage/errnos.txt"),
            Self::Pairs => include_str!("../../coverage/pairs.txt"),
            Self::Options => include_str!("../../coverage/options.txt"),
            Self::Flags => include_str!("../../coverage/flags.txt"),
            Self::Ioctls => include_str!("../../coverage/ioctls.txt"),
            Self::Controls => include_str!("../../coverage/controls.txt"),
        }
    }
}

/// One name of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Such as `SO_REUSEADDR`, or `bind EADDRINUSE`.
    pub name: String,
    /// What stands for it in an outcome, the name itself as a rule.
    pub words: Vec<String>,
    /// Whether no Linux has it: it is macOS's, or another BSD's, of which there is no baseline.
    pub elsewhere: bool,
    /// Why nobody can show it here, if so.
    pub reason: Option<String>,
}

impl Item {
    /// The name and the words that stand for it.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name).chain(&self.words).map(String::as_str)
    }
}

/// A list with its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// What it is of.
    pub kind: Kind,
    /// Where its names are from.
    pub source: String,
    /// How many of its names other suites exercise, by the suite; none where nobody has counted.
    pub peers: Vec<(String, usize)>,
    /// Its names in their order.
    pub items: Vec<Item>,
}

impl List {
    /// The suite that has the most of it.
    pub fn best_peer(&self) -> Option<(&str, usize)> {
        let most = self.peers.iter().map(|(_, count)| *count).max()?;
        self.peers.iter().find(|(_, count)| *count == most).map(|(name, count)| (&**name, *count))
    }
}

/// Every list, in the order of [`Kind::ALL`].
pub fn lists() -> &'static [List] {
    static ALL: OnceLock<Vec<List>> = OnceLock::new();
    ALL.get_or_init(|| {
        Kind::ALL.map(|kind| read(kind, kind.text()).expect("a test reads them")).into()
    })
}

/// Reads a list's text. An error is the line that says nothing.
pub(super) fn read(kind: Kind, text: &str) -> Result<List, String> {
    let mut list = List { kind, source: String::new(), peers: Vec::new(), items: Vec::new() };
    let (mut calls, mut reasons) = (Vec::new(), Vec::new());
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let wrong = || format!("{}.txt: {line:?}", kind.word());
        if let Some(source) = line.strip_prefix("source: ") {
            let space = if list.source.is_empty() { "" } else { " " };
            list.source += space;
            list.source += source;
        } else if let Some(peers) = line.strip_prefix("peers: ") {
            let peer = |peer: &str| {
                let (name, count) = peer.rsplit_once(' ')?;
                Some((name.to_owned(), count.parse().ok()?))
            };
            list.peers = peers.split(", ").map(peer).collect::<Option<_>>().ok_or_else(wrong)?;
        } else if let Some(names) = line.strip_prefix("calls: ") {
            calls = names.split(' ').collect();
        } else if kind == Kind::Pairs {
            let (names, reason) = line.split_once(" : ").ok_or_else(wrong)?;
            reasons.push((names, reason));
        } else {
            list.items.push(item(line).ok_or_else(wrong)?);
        }
    }
    if kind == Kind::Pairs {
        list.items = pairs(&calls, &reasons)?;
    }
    let mut names = BTreeSet::new();
    let twice = list.items.iter().find(|item| !names.insert(&item.name));
    match twice {
        Some(item) => Err(format!("{}.txt: {} stands there twice", kind.word(), item.name)),
        None => Ok(list),
    }
}

/// `SO_X macos = SO_Y SO_Z : the reason`
fn item(line: &str) -> Option<Item> {
    let (said, reason) = match line.split_once(" : ") {
        Some((said, reason)) => (said, Some(reason.to_owned())),
        None => (line, None),
    };
    let (head, words) = match said.split_once(" = ") {
        Some((head, words)) => (head, words),
        None => (said, ""),
    };
    let (name, on) = match head.split_once(' ') {
        Some((name, on)) => (name, Some(on)),
        None => (head, None),
    };
    let elsewhere = match on {
        Some("macos") => true,
        Some("linux") => false,
        Some(_) => return None,
        None => is_known(name) && NOT_ON_LINUX.binary_search(&name).is_ok(),
    };
    let words = match words {
        "" => vec![name.to_owned()],
        words => words.split(' ').map(str::to_owned).collect(),
    };
    Some(Item { name: name.to_owned(), words, elsewhere, reason })
}

/// The errnos that POSIX and the pages of each call itself list for it.
fn pairs(calls: &[&str], reasons: &[(&str, &str)]) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    for call in calls {
        let own = |os| {
            let of_calls =
                |page: &str| page.ends_with("(2) ERRORS") || page.ends_with("(3) ERRORS");
            manual(os, call).iter().filter(move |entry| of_calls(entry.page)).map(|e| e.errno)
        };
        let linux: BTreeSet<&str> = own(Manual::Linux).collect();
        let mut all: BTreeSet<&str> = posix(call).unwrap_or_default().iter().copied().collect();
        all.extend(&linux);
        let beyond: BTreeSet<&str> =
            own(Manual::Darwin).filter(|errno| !all.contains(errno)).collect();
        for errno in all.iter().chain(&beyond).filter(|errno| **errno != "EWOULDBLOCK") {
            let name = format!("{call} {errno}");
            items.push(Item {
                words: vec![name.clone()],
                name,
                elsewhere: beyond.contains(errno),
                reason: None,
            });
        }
    }
    for (names, reason) in reasons {
        let (errnos, of): (Vec<&str>, Vec<&str>) =
            names.split(' ').partition(|name| name.starts_with('E'));
        for call in &of {
            for errno in &errnos {
                let name = format!("{call} {errno}");
                let item = items.iter_mut().find(|item| item.name == name);
                // Not every call of the line has every errno of it.
                if let Some(item) = item {
                    item.reason = Some((*reason).to_owned());
                }
            }
        }
        let any = |item: &Item| item.reason.as_deref() == Some(reason);
        if !items.iter().any(any) {
            return Err(format!("pairs.txt: {names}: no such pair"));
        }
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn every_list_reads_and_has_a_source() {
        let [calls, errnos, pairs, options, flags, ioctls, controls] =
            Kind::ALL.map(|kind| read(kind, kind.text()).unwrap());
        let long = [&calls, &errnos, &options, &flags, &ioctls, &controls].map(|l| l.items.len());
        assert_eq!(long, [44, 62, 339, 25, 25, 17]);
        assert!(pairs.items.len() > 200, "{}", pairs.items.len());
        for list in lists() {
            assert!(!list.source.is_empty(), "{:?}", list.kind);
            assert_eq!(list.peers.is_empty(), list.kind == Kind::Pairs, "{:?}", list.kind);
        }
        assert_eq!(options.best_peer(), Some(("kselftest", 88)));
        assert_eq!(pairs.best_peer(), None);
    }

    #[rstest]
    #[case("SO_X", "SO_X", &["SO_X"], false, None)]
    #[case("SO_X macos", "SO_X", &["SO_X"], true, None)]
    // Known to be Darwin's own, and known to be on both.
    #[case("SO_NKE", "SO_NKE", &["SO_NKE"], true, None)]
    #[case("SO_TYPE", "SO_TYPE", &["SO_TYPE"], false, None)]
    #[case("A linux = B C : for this: reason", "A", &["B", "C"], false, Some("for this: reason"))]
    fn a_line_is_read(
        #[case] line: &str,
        #[case] name: &str,
        #[case] words: &[&str],
        #[case] elsewhere: bool,
        #[case] reason: Option<&str>,
    ) {
        let read = item(line).unwrap();
        assert_eq!(
            (&*read.name, read.elsewhere, read.reason.as_deref()),
            (name, elsewhere, reason)
        );
        assert_eq!(read.words, words);
    }

    #[rstest]
    #[case(Kind::Options, "SO_X bsd", "options.txt: \"SO_X bsd\"")]
    #[case(Kind::Options, "SO_X\nSO_X", "options.txt: SO_X stands there twice")]
    #[case(Kind::Options, "peers: LTP many", "options.txt: \"peers: LTP many\"")]
    #[case(Kind::Pairs, "calls: bind\nbind EADDRINUSE", "pairs.txt: \"bind EADDRINUSE\"")]
    #[case(Kind::Pairs, "calls: bind\nbind ENOTTY : no", "pairs.txt: bind ENOTTY: no such pair")]
    fn what_says_nothing_is_an_error(#[case] kind: Kind, #[case] text: &str, #[case] why: &str) {
        assert_eq!(read(kind, text).unwrap_err(), why);
    }

    /// Of each call's own pages, and not of those of protocols.
    #[test]
    fn pairs_are_those_of_the_manuals() {
        let pairs = read(Kind::Pairs, "calls: bind accept4").unwrap().items;
        let find = |name: &str| pairs.iter().find(|item| item.name == name);
        assert!(!find("bind EADDRINUSE").unwrap().elsewhere);
        // bind(2) of Darwin alone, packet(7), and a word for EAGAIN.
        assert!(find("bind EEXIST").unwrap().elsewhere);
        assert_eq!(["bind ENXIO", "accept4 EWOULDBLOCK"].map(find), [None, None]);
        assert!(find("accept4 EAGAIN").is_some());
    }
}
