//! Whose calls they are: threads that share descriptors are one process, and of several one is taken.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::log::{Arg, Called, Log};

/// The calls of one process that are about sockets, in the order in which a single thread would make them.
#[derive(Debug, Default)]
pub(super) struct Process<'l> {
    /// How many of its calls each thread made.
    pub(super) threads: BTreeMap<u32, usize>,
    pub(super) calls: Vec<&'l Called>,
    open: HashSet<i64>,
}

impl Process<'_> {
    /// How many calls there are.
    pub(super) fn count(&self) -> usize {
        self.threads.values().sum()
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
            "socket" | "socketpair" | "poll" | "ppoll" | "select" | "pselect6" => None,
            _ => self.args.first()?.number(),
        }
    }

    fn is_about(&self, open: &HashSet<i64>) -> bool {
        let has = |fd: i64| open.contains(&fd);
        let said = self.args.iter().any(|arg| matches!(arg, Arg::Fd(_, is) if is_socket(is)));
        match self.name.as_str() {
            "socket" | "socketpair" => true,
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
            _ => self.fd().is_some_and(has) || said,
        }
    }
}

/// The processes of a log. Threads are told from processes by their descriptors: two that have the same
/// number for two sockets at once are no threads of one process.
pub(super) fn processes(log: &Log) -> Vec<Process<'_>> {
    let mut calls: Vec<&Called> = log.calls.iter().collect();
    calls.sort_by_key(|call| call.place());
    let mut all: Vec<Process<'_>> = Vec::new();
    let mut of: HashMap<u32, usize> = HashMap::new();
    for call in calls {
        let new = made(call);
        let place = of.get(&call.pid).copied().unwrap_or_else(|| {
            let free = |one: &Process<'_>| !new.iter().any(|fd| one.open.contains(fd));
            // The latest: what runs beside it was begun by it.
            all.iter().rposition(free).unwrap_or_else(|| {
                all.push(Process::default());
                all.len() - 1
            })
        });
        let process = &mut all[place];
        if new.is_empty() && !call.is_about(&process.open) {
            continue;
        }
        of.insert(call.pid, place);
        process.open.extend(new);
        if let ("close", Some(0), Some(fd)) = (call.name.as_str(), call.ret, call.fd()) {
            process.open.remove(&fd);
        }
        // Another descriptor of the same socket.
        let copies = matches!(call.name.as_str(), "dup" | "dup2" | "dup3")
            || call.args.get(1).is_some_and(|arg| arg.text().starts_with("F_DUPFD"));
        process.open.extend(call.ret.filter(|fd| copies && *fd >= 0));
        *process.threads.entry(call.pid).or_default() += 1;
        process.calls.push(call);
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
