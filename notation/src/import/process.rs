//! Whose calls they are: threads that share descriptors are one process, and of several one is taken.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::RangeInclusive;

use super::log::{Arg, Called, Log};

/// The most descriptors of all children together that are taken over from their parents.
const MOST_INHERITED: usize = 1 << 20;

/// The calls of one process that are about sockets, in the order in which a single thread would make them.
#[derive(Debug, Default)]
pub(super) struct Process<'l> {
    /// How many of its calls each thread made.
    pub(super) threads: BTreeMap<u32, usize>,
    pub(super) calls: Vec<&'l Called>,
    open: HashSet<i64>,
    /// Whether the log tells that it was begun as a process.
    is_born: bool,
}

impl<'l> Process<'l> {
    /// How many calls there are.
    pub(super) fn count(&self) -> usize {
        self.threads.values().sum()
    }

    /// A call of its own, which made these sockets.
    fn takes(&mut self, call: &'l Called, new: Vec<i64>) {
        self.open.extend(new);
        if let ("close", Some(0), Some(fd)) = (call.name.as_str(), call.ret, call.fd()) {
            self.open.remove(&fd);
        }
        if let Some(range) = call.closes() {
            self.open.retain(|fd| !range.contains(fd));
        }
        // Another descriptor of the same socket.
        let copies = matches!(call.name.as_str(), "dup" | "dup2" | "dup3")
            || call.args.get(1).is_some_and(|arg| arg.text().starts_with("F_DUPFD"));
        self.open.extend(call.ret.filter(|fd| copies && *fd >= 0));
        *self.threads.entry(call.pid).or_default() += 1;
        self.calls.push(call);
    }
}

impl Called {
    /// Whom it has made: the thread's or process's number, and whether it is a thread.
    pub(super) fn begets(&self) -> Option<(u32, bool)> {
        let is_thread = match self.name.as_str() {
            "fork" | "vfork" => false,
            "clone" | "clone3" => {
                let flags = self.args.iter().find_map(|arg| match arg {
                    Arg::Pair(name, flags) if name == "flags" => Some(&**flags),
                    Arg::Change(before, _) => before.field("flags"),
                    group => group.field("flags"),
                });
                flags.is_some_and(|flags| flags.flags().contains(&"CLONE_THREAD"))
            }
            _ => return None,
        };
        let child = self.ret.and_then(|ret| u32::try_from(ret).ok()).filter(|child| *child > 0);
        child.map(|child| (child, is_thread))
    }
}

/// Who is whose thread, and which are processes, so far as the log tells.
#[derive(Debug, Default)]
struct Births {
    /// The thread that made a thread, or a first one before that.
    threads: HashMap<u32, u32>,
    /// The thread that made a process.
    processes: HashMap<u32, u32>,
}

impl Births {
    fn of(log: &Log) -> Self {
        let mut births = Self::default();
        for call in &log.calls {
            match call.begets() {
                Some((child, true)) => births.threads.insert(child, births.first(call.pid)),
                Some((child, false)) => births.processes.insert(child, call.pid),
                None => None,
            };
        }
        for (parent, child) in &log.children {
            if !births.threads.contains_key(child) {
                births.processes.entry(*child).or_insert(*parent);
            }
        }
        births
    }

    /// The first thread of the process that one is of.
    fn first(&self, mut pid: u32) -> u32 {
        // One step as a rule, since it is the first that is kept; a log may say that two made each other.
        for _ in 0..8 {
            match self.threads.get(&pid) {
                Some(parent) => pid = *parent,
                None => break,
            }
        }
        pid
    }
}

/// Whether it returns new sockets: those that it made.
fn made(call: &Called) -> Vec<i64> {
    match call.name.as_str() {
        "socket" | "accept" | "accept4" => call.ret.filter(|fd| *fd >= 0).into_iter().collect(),
        "socketpair" if call.ret == Some(0) => {
            let pair = call.args.get(3).map(Arg::within).unwrap_or_default();
            pair.iter().filter_map(Arg::number).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether what `-y` says of a descriptor is a socket.
fn is_socket(said: &str) -> bool {
    let kind = said.split(":[").next().unwrap_or_default();
    said.contains(":[") && kind != "pipe" && !said.starts_with(['/', 'a'])
}

impl Called {
    /// Whether it waits for what others do, and so comes behind what it overlaps with.
    fn waits(&self) -> bool {
        matches!(
            self.name.as_str(),
            "accept"
                | "accept4"
                | "recv"
                | "recvfrom"
                | "recvmsg"
                | "recvmmsg"
                | "read"
                | "readv"
                | "poll"
                | "ppoll"
                | "select"
                | "pselect6"
                | "epoll_wait"
                | "epoll_pwait"
        )
    }

    /// Where it stands in the order: what waits, and what makes a socket, where it ended; all else where it
    /// began. So of two that overlap the one that the other may have waited for stands first.
    fn place(&self) -> (u32, u32) {
        let ended = self.waits() || matches!(self.name.as_str(), "socket" | "socketpair");
        (if ended { self.ended } else { self.begun }, self.ended)
    }

    /// The descriptor that it is about.
    pub(super) fn fd(&self) -> Option<i64> {
        match self.name.as_str() {
            "epoll_ctl" => self.args.get(2)?.number(),
            "socket" | "socketpair" | "poll" | "ppoll" | "select" | "pselect6" | "foreign" => None,
            _ => self.args.first()?.number(),
        }
    }

    /// The descriptors that `close_range` is about.
    fn range(&self) -> Option<RangeInclusive<i64>> {
        let [first, last, ..] = &self.args[..] else { return None };
        // `~0U`, or whatever else stands for all.
        let last = last.number().filter(|last| *last >= 0).unwrap_or(i64::MAX);
        (self.name == "close_range").then_some(first.number()?..=last)
    }

    /// Those that it closes; none if it failed, or marks them for `exec`.
    pub(super) fn closes(&self) -> Option<RangeInclusive<i64>> {
        let marks = self.args.get(2).is_some_and(|flags| flags.text().contains("CLOEXEC"));
        self.range().filter(|_| self.ret == Some(0) && !marks)
    }

    /// Whether it takes this descriptor from what had it, which another may have behind it.
    pub(super) fn ends(&self, fd: i64) -> bool {
        let replaced = matches!(self.name.as_str(), "dup2" | "dup3");
        let of = match self.name.as_str() {
            "close" => self.args.first(),
            _ if replaced => self.args.get(1),
            _ => None,
        };
        of.and_then(Arg::number) == Some(fd) || self.closes().is_some_and(|all| all.contains(&fd))
    }

    fn is_about(&self, open: &HashSet<i64>) -> bool {
        let has = |fd: i64| open.contains(&fd);
        let said = self.args.iter().any(|arg| matches!(arg, Arg::Fd(_, is) if is_socket(is)));
        match self.name.as_str() {
            "socket" | "socketpair" | "foreign" => true,
            "poll" | "ppoll" => {
                let all = self.args.first().map(Arg::within).unwrap_or_default();
                all.iter().filter_map(|one| one.field("fd")?.number()).any(has)
            }
            "select" | "pselect6" | "_newselect" => self
                .args
                .iter()
                .skip(1)
                .take(3)
                .any(|set| set.within().iter().filter_map(Arg::number).any(has)),
            "epoll_wait" | "epoll_pwait" | "epoll_pwait2" | "io_uring_enter" => !open.is_empty(),
            "close_range" => {
                self.range().is_some_and(|range| open.iter().any(|fd| range.contains(fd)))
            }
            _ => self.fd().is_some_and(has) || said,
        }
    }
}

/// The processes of a log: by the calls that made them, and of a log that has none of those by their descriptors,
/// since two that have the same number for two sockets at once are no threads of one process.
pub(super) fn processes(log: &Log) -> Vec<Process<'_>> {
    let births = Births::of(log);
    let mut calls: Vec<&Called> = log.calls.iter().collect();
    calls.sort_by_key(|call| call.place());
    let mut all: Vec<Process<'_>> = Vec::new();
    // By first threads, as are the descriptors that a child begins with.
    let mut of: HashMap<u32, usize> = HashMap::new();
    let mut inherited: HashMap<u32, HashSet<i64>> = HashMap::new();
    let mut room = MOST_INHERITED;
    for call in calls {
        let first = births.first(call.pid);
        if let Some((child, is_thread)) = call.begets() {
            let parent = of.get(&first).and_then(|place| all.get_mut(*place));
            if let Some(parent) = parent.filter(|one| !is_thread && !one.open.is_empty()) {
                if let Some(left) = room.checked_sub(parent.open.len()) {
                    room = left;
                    inherited.insert(child, parent.open.clone());
                }
                parent.calls.push(call);
            }
            continue;
        }
        let new = made(call);
        let place = of.get(&first).copied().unwrap_or_else(|| {
            let free =
                |one: &Process<'_>| !one.is_born && !new.iter().any(|fd| one.open.contains(fd));
            let parent = births.processes.get(&first);
            // The latest: what runs beside it was begun by it.
            let known = all.iter().rposition(free).filter(|_| parent.is_none());
            known.unwrap_or_else(|| {
                let of_parent = || {
                    let open = &all[*of.get(&births.first(*parent?))?].open;
                    room = room.checked_sub(open.len())?;
                    Some(open.clone())
                };
                let open = inherited.remove(&first).or_else(of_parent).unwrap_or_default();
                all.push(Process { open, is_born: parent.is_some(), ..Process::default() });
                all.len() - 1
            })
        });
        let process = &mut all[place];
        if new.is_empty() && !call.is_about(&process.open) {
            continue;
        }
        of.insert(first, place);
        process.takes(call, new);
    }
    all.retain(|process| !process.calls.is_empty());
    all
}

/// The process that is wanted, and the others.
pub(super) fn chosen(
    mut all: Vec<Process<'_>>,
    pid: Option<u32>,
) -> Result<(Process<'_>, Vec<Process<'_>>), String> {
    if all.is_empty() {
        return Err("no call of it is about a socket".to_owned());
    }
    let place = match pid {
        Some(pid) => {
            all.iter().position(|one| one.threads.contains_key(&pid)).ok_or_else(|| {
                let mut known: Vec<String> =
                    all.iter().flat_map(|one| one.threads.keys()).map(u32::to_string).collect();
                known.truncate(20);
                format!(
                    "no thread {pid} of it has a socket: those that have are {}",
                    known.join(", ")
                )
            })?
        }
        // The first of those that made the most.
        None => (0..all.len()).rev().max_by_key(|place| all[*place].count()).unwrap_or(0),
    };
    let one = all.swap_remove(place);
    Ok((one, all))
}
