//! What the baselines show: which call, errno, pair, option, flag, request and control message each case has.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::Kind;
use super::effects::Effect;
use super::reader::{Line, controls, words};
use crate::baseline::Baselines;
use crate::fallbacks;

/// How much of a name a case shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Depth {
    /// It was asked for.
    Called,
    /// An option was set, and read back with that value from the same socket. 0 does not count: many options
    /// say it whether they were set or not.
    ReadBack,
    /// What it does was seen.
    Effect,
}

/// One case that shows a name on a platform. The greater is the better one to look at: it shows more, does
/// not end at what the platform lacks, and has fewer lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shown<'b> {
    pub(super) depth: Depth,
    whole: bool,
    lines: Reverse<usize>,
    pub(super) case: Reverse<&'b str>,
}

/// What shows a name, by the platform.
pub(super) type Sight<'b> = BTreeMap<&'b str, Shown<'b>>;

/// What every name of every kind is shown by.
#[derive(Debug, Default)]
pub(super) struct Evidence<'b> {
    seen: HashMap<(Kind, &'b str), Sight<'b>>,
    pairs: HashMap<(&'b str, &'b str), Sight<'b>>,
}

const OPTION_CALLS: [&str; 2] = ["getsockopt", "setsockopt"];

/// The calls that take the flags, and tell of them.
const TRANSFERS: [&str; 10] = [
    "recv",
    "recvfrom",
    "recvmmsg",
    "recvmsg",
    "recvmsg_x",
    "send",
    "sendmmsg",
    "sendmsg",
    "sendmsg_x",
    "sendto",
];
/// A call that says so has not got as far as its flags.
const NO_SOCKET: [&str; 2] = ["EBADF", "ENOTSOCK"];

/// Whether a line sets or reads this option.
fn is_own(line: Line<'_>, option: &str) -> bool {
    OPTION_CALLS.contains(&line.call) && line.args.split(", ").nth(2) == Some(option)
}

/// The calls that set this option: on which socket, to what, and what came of it.
fn set<'o>(outcome: &'o str, option: &str) -> Vec<&'o str> {
    let is = |line: &&str| {
        Line::read(line).is_some_and(|line| line.call == "setsockopt" && is_own(line, option))
    };
    outcome.lines().filter(is).collect()
}

/// Whether a line has these words that does not itself set or read the option.
fn tells(outcome: &str, effect: &Effect) -> bool {
    outcome.lines().any(|line| {
        let own = Line::read(line).is_some_and(|line| is_own(line, &effect.option));
        !own && line.contains(&effect.words)
    })
}

/// Whether an outcome shows what the option does: it was set, and something else than the option itself tells.
pub(super) fn shows(outcome: &str, effect: &Effect) -> bool {
    let done = |line: &&str| Line::read(line).is_some_and(|line| line.done().is_some());
    set(outcome, &effect.option).iter().any(done) && tells(outcome, effect)
}

/// Whether the other case bears witness on that platform: it has not the words, and does not set the option so.
pub(super) fn is_unlike(
    baselines: &Baselines,
    platform: &str,
    outcome: &str,
    effect: &Effect,
) -> bool {
    let platforms = [vec![platform.to_owned()], fallbacks(platform)].concat();
    let other = baselines.expected(&platforms, &effect.unlike);
    other.is_some_and(|(_, other)| {
        let sets = |outcome| set(outcome, &effect.option);
        !tells(other, effect) && sets(other) != sets(outcome)
    })
}

impl<'b> Evidence<'b> {
    /// Reads every outcome.
    pub(super) fn of(baselines: &'b Baselines, effects: &[Effect]) -> Self {
        let mut all = Self::default();
        let mut by_case: HashMap<&str, Vec<&Effect>> = HashMap::new();
        for effect in effects {
            by_case.entry(&effect.case).or_default().push(effect);
        }
        for (platform, case, outcome) in baselines.rows() {
            let lines = Reverse(outcome.lines().count());
            let whole = !outcome.contains(" = ? unsupported here: ");
            let at = (platform, Shown { depth: Depth::Called, whole, lines, case: Reverse(case) });
            let declared = by_case.get(case).into_iter().flatten().copied().filter(|effect| {
                shows(outcome, effect) && is_unlike(baselines, platform, outcome, effect)
            });
            all.case(at, outcome, &declared.collect::<Vec<_>>());
        }
        all
    }

    /// What shows any of these words.
    pub(super) fn sight(&self, kind: Kind, words: &[String]) -> Sight<'b> {
        let mut all = Sight::new();
        for word in words {
            let sight = match kind {
                Kind::Pairs => word.split_once(' ').and_then(|pair| self.pairs.get(&pair)),
                _ => self.seen.get(&(kind, word.as_str())),
            };
            for (platform, shown) in sight.into_iter().flatten() {
                better(&mut all, platform, *shown);
            }
        }
        all
    }

    fn case(&mut self, at: (&'b str, Shown<'b>), outcome: &'b str, declared: &[&Effect]) {
        // By socket and option what it was set to.
        let mut set: HashMap<(&str, &str), &str> = HashMap::new();
        for line in outcome.lines().filter_map(Line::read) {
            self.see(at, Kind::Calls, line.call);
            if let Some(errno) = line.errno() {
                better(self.pairs.entry((line.call, errno)).or_default(), at.0, at.1);
            }
            // What is told is an errno, too: SO_ERROR, a message of the error queue.
            for word in words(line.result.unwrap_or_default()) {
                self.named(at, line, word);
                if word.starts_with('E') {
                    self.see(at, Kind::Errnos, word);
                }
            }
            for word in words(line.args) {
                self.named(at, line, word);
            }
            for text in [line.args, line.result.unwrap_or_default()] {
                if text.contains("msg_control=") {
                    for name in controls(text) {
                        self.see(at, Kind::Controls, name);
                    }
                }
            }
            match (line.call, line.arg(1)) {
                ("ioctl", Some(rest)) => {
                    let request = rest.split(", ").next().unwrap_or_default();
                    self.see(at, Kind::Ioctls, request);
                }
                (call, _) if OPTION_CALLS.contains(&call) => {
                    self.option(at, &line, declared, &mut set);
                }
                _ => {}
            }
        }
    }

    fn option(
        &mut self,
        at: (&'b str, Shown<'b>),
        line: &Line<'b>,
        declared: &[&Effect],
        set: &mut HashMap<(&'b str, &'b str), &'b str>,
    ) {
        // By its number alone it has no name to be found by.
        let mut args = line.args.splitn(4, ", ");
        let (Some(fd), Some(_), Some(name)) = (args.next(), args.next(), args.next()) else {
            return;
        };
        let Some(written) = line.done() else { return self.see(at, Kind::Options, name) };
        let mut depth = Depth::Called;
        if line.call == "setsockopt" {
            set.insert((fd, name), args.next().unwrap_or_default());
        } else if written != "0" && set.get(&(fd, name)) == Some(&written) {
            depth = Depth::ReadBack;
        }
        if declared.iter().any(|effect| effect.option == name) {
            depth = Depth::Effect;
        }
        self.see((at.0, Shown { depth, ..at.1 }), Kind::Options, name);
    }

    fn named(&mut self, at: (&'b str, Shown<'b>), line: Line<'b>, word: &'b str) {
        let gets_there = line.errno().is_none_or(|errno| !NO_SOCKET.contains(&errno));
        if word.starts_with("MSG_") && TRANSFERS.contains(&line.call) && gets_there {
            self.see(at, Kind::Flags, word);
        }
    }

    fn see(&mut self, (platform, shown): (&'b str, Shown<'b>), kind: Kind, word: &'b str) {
        better(self.seen.entry((kind, word)).or_default(), platform, shown);
    }
}

fn better<'b>(sight: &mut Sight<'b>, platform: &'b str, shown: Shown<'b>) {
    sight.entry(platform).and_modify(|best| *best = (*best).max(shown)).or_insert(shown);
}
