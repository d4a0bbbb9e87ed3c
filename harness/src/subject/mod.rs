//! A kernel under test, reached through the executor's protocol.
//!
//! Cases go to as many executors as there are jobs. One that dies or falls silent is an outcome of
//! the case that it was running; a fresh one takes up the rest. Executors are processes of this
//! host (`process`), or run in a machine of their own, one kernel for all of them (`machine`).

use std::cmp::Reverse;
use std::collections::{HashSet, VecDeque};
use std::sync::Mutex;
use std::sync::mpsc::RecvTimeoutError;
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use crate::SCHEMA;
use crate::case::Case;
use crate::threads::{self, lock};
use crate::trace::{End, Fingerprint, Reply, Trace};

mod boot;
mod cleanup;
mod console;
mod ending;
mod feed;
mod guard;
pub mod hub;
mod kernels;
mod machine;
mod offers;
mod packages;
mod process;
mod store;
mod vm;

pub use cleanup::abandon;
pub use console::{Console, Told};
pub use ending::Ending;
pub use guard::{dismiss, guard, watch};
pub use kernels::{Kernels, machine_of};
pub use machine::{Machine, Plan};
pub use offers::{Kind, Offer};
pub use packages::{Unavailable, cache_folder, packages_missing};
pub use process::{Program, Subject};
pub use vm::{Options, is_accelerated};

/// How long an executor may say nothing. It ends a case that waits by itself, long before this.
const SILENCE: Duration = Duration::from_mins(1);

/// How many executors beyond the jobs run cases that only wait: on a machine that has memory for few.
const WAITING: usize = 8;

/// How many cases of one lab go to one executor together.
const BATCH: usize = 32;

/// How many cases an executor is given ahead, so that it does not wait for the next one.
const AHEAD: usize = 8;

/// How many of those that wait: the next is there when one is done, and none waits behind many.
const AHEAD_OF_WAITING: usize = 2;

/// How often in a row executors may die without having answered before the subject is given up.
const DEATHS: usize = 16;

/// As many deaths as that is when one is silent instead, which takes a minute each time.
const OF_SILENCE: usize = 5;

/// How many bytes a greeting may have.
const GREETING: usize = 64 << 10;

/// How many characters a word of it may have; uname(2)'s have 64 at the most.
const WORD: usize = 256;

/// How many bytes an answer may have: thirty times the suites' longest.
const ANSWER: usize = 8 << 20;

/// How many characters of what a subject says of an error are kept.
const SENTENCE: usize = 1000;

/// Why a subject could not be put to the test at all.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SubjectError {
    /// The executor could not be started.
    #[error("the executor {program} cannot be started: {why}")]
    Start {
        /// Which.
        program: String,
        /// Why.
        why: String,
    },
    /// What it said is not the protocol.
    #[error("the executor does not speak sockeye's protocol: {0}")]
    Protocol(String),
    /// It speaks another version of it.
    #[error("the executor speaks schema {0}, this program speaks schema {SCHEMA}")]
    Schema(u32),
    /// It ended before it said anything.
    #[error("{0}")]
    Ended(String),
    /// It dies whatever it is given.
    #[error("{0} executors in a row died without an answer, the last one: {1}")]
    Dies(usize, String),
}

/// Where executors come from.
pub trait Executors: Sync {
    /// Starts one, and says which kernel it runs on.
    fn start(&self) -> Result<(Box<dyn Executor>, Fingerprint), SubjectError>;

    /// Whether one may run while another does.
    fn side_by_side(&self) -> bool {
        true
    }

    /// How many beyond the jobs run cases that only wait.
    fn waiting(&self) -> usize {
        WAITING
    }

    /// How long one may say nothing. It ends a case that waits by itself, long before this.
    fn silence(&self) -> Duration {
        SILENCE
    }
}

/// An executor that runs.
pub trait Executor {
    /// Gives it a line. One that no longer listens is found out by its silence.
    fn give(&mut self, line: &[u8]);

    /// Its next line.
    fn reply(&mut self, limit: Duration) -> Result<String, RecvTimeoutError>;

    /// Ends it, or learns how it ended; a silent one is made to go.
    fn end(self: Box<Self>, silent: bool) -> Ending;
}

/// Reads an executor's greeting.
fn greet(executor: &mut dyn Executor, silence: Duration) -> Result<Fingerprint, SubjectError> {
    let hello = match executor.reply(silence) {
        Ok(hello) => hello,
        Err(RecvTimeoutError::Timeout) => {
            return Err(SubjectError::Protocol("it said nothing".to_owned()));
        }
        Err(RecvTimeoutError::Disconnected) => {
            return Err(SubjectError::Protocol("it said nothing and ended".to_owned()));
        }
    };
    match serde_json::from_str(&hello) {
        Ok(Reply::Hello { schema: SCHEMA, kernel }) => match too_long(&kernel) {
            Some((word, long)) => Err(SubjectError::Protocol(format!(
                "the {word} in its greeting has {long} characters, more than {WORD}"
            ))),
            None => Ok(kernel),
        },
        Ok(Reply::Hello { schema, .. }) => Err(SubjectError::Schema(schema)),
        _ => Err(SubjectError::Protocol(format!("{hello:.200}"))),
    }
}

/// The first word of a greeting that is none, and how many characters it has: folders, headings and
/// subjects of mails are made of them.
fn too_long(kernel: &Fingerprint) -> Option<(&'static str, usize)> {
    let Fingerprint { system, release, version, machine, euid: _, libc, product, limits } = kernel;
    let product = product.iter().flat_map(|product| {
        [("version of the product", &product.version), ("build of the product", &product.build)]
    });
    [("system", system), ("release", release), ("version", version), ("machine", machine)]
        .into_iter()
        .chain([("libc", libc)])
        .chain(product)
        .chain(limits.iter().flat_map(|limit| [("limit", &limit.why), ("mend", &limit.mend)]))
        .map(|(name, word)| (name, word.chars().count()))
        .find(|(_, long)| *long > WORD)
}

/// Whom a subject's executor says that it is.
pub fn fingerprint(subject: &dyn Executors) -> Result<Fingerprint, SubjectError> {
    let (executor, kernel) = subject.start()?;
    executor.end(false);
    Ok(kernel)
}

/// Runs every case and returns the traces in the cases' order. `done` hears of each as it comes,
/// with its case's place, from whichever thread it came to.
///
/// As many executors as `jobs` run them, each taking neighbours of one lab together; cases that
/// wait have more of their own, so that they wait side by side.
///
/// Whatever has run is kept: if the subject cannot be started any more, the cases that are left
/// are broken, and say why. An error means that nothing ran.
pub fn run(
    subject: &dyn Executors,
    cases: &[&Case],
    jobs: usize,
    done: &(dyn Fn(usize, &Trace) + Sync),
) -> Result<Vec<Trace>, SubjectError> {
    let side_by_side = subject.side_by_side();
    let (mut waiting, busy): (Vec<usize>, Vec<usize>) =
        (0..cases.len()).partition(|number| side_by_side && cases[*number].is_idle());
    let jobs = if side_by_side { jobs.max(1) } else { 1 };
    let same_lab = |a: &usize, b: &usize| cases[*a].lab == cases[*b].lab;
    let kept = Kept { cases, done, traces: Mutex::default(), suspects: Mutex::default() };
    // What waits longest comes first, since the run ends with it, and not behind others that do, even if
    // they have its lab.
    let long = |number: &usize| cases[*number].waits_long();
    waiting.sort_by_key(|number| Reverse(long(number).then(|| cases[*number].waits_ms())));
    let waiting = waiting.chunk_by(|a, b| same_lab(a, b) && !long(a) && !long(b));
    let busy = busy.chunk_by(same_lab);
    let waiting = Work {
        queue: Queue::new(waiting, 1),
        executors: subject.waiting(),
        ahead: AHEAD_OF_WAITING,
    };
    let busy = Work { queue: Queue::new(busy, BATCH), executors: jobs, ahead: AHEAD };
    let mut failed = work(subject, &[waiting, busy], &kept).err();
    // A machine died with answers under way, or several cases: each of them alone, so that its death
    // tells which it was.
    let suspects = std::mem::take(&mut *lock(&kept.suspects));
    let queue = Queue::new(std::iter::once(&suspects[..]), suspects.len().max(1));
    let alone = Work { queue, executors: usize::from(!suspects.is_empty()), ahead: 1 };
    if failed.is_none() {
        failed = work(subject, &[alone], &kept).err();
    }
    let mut traces = threads::unlocked(kept.traces);
    if let Some(error) = failed {
        if traces.is_empty() {
            return Err(error);
        }
        let ran: HashSet<usize> = traces.iter().map(|(number, _)| *number).collect();
        for number in (0..cases.len()).filter(|number| !ran.contains(number)) {
            let trace = ended(cases[number], End::Broken { reason: error.to_string() });
            done(number, &trace);
            traces.push((number, trace));
        }
    }
    traces.sort_unstable_by_key(|(number, _)| *number);
    Ok(traces.into_iter().map(|(_, trace)| trace).collect())
}

/// What has come of the cases so far.
struct Kept<'a> {
    cases: &'a [&'a Case],
    done: &'a (dyn Fn(usize, &Trace) + Sync),
    traces: Mutex<Vec<(usize, Trace)>>,
    /// Those without an answer when the machine that they ran in ended.
    suspects: Mutex<Vec<usize>>,
}

impl Kept<'_> {
    fn keep(&self, number: usize, trace: Trace) {
        (self.done)(number, &trace);
        lock(&self.traces).push((number, trace));
    }
}

/// A queue, how many executors work it off at the most, and how many cases each is given ahead.
struct Work<'a> {
    queue: Queue<'a>,
    executors: usize,
    ahead: usize,
}

fn work(subject: &dyn Executors, works: &[Work<'_>], kept: &Kept<'_>) -> Result<(), SubjectError> {
    std::thread::scope(|scope| {
        let mut workers = Vec::new();
        for Work { queue, executors, ahead } in works {
            for _ in 0..(*executors).min(queue.batches()) {
                let work = move || worker(subject, queue, *ahead, kept);
                let started = threads::start_in(scope, work);
                workers.push(started.map_err(|why| SubjectError::Ended(why.to_string())));
            }
        }
        // All of them, so that no thread is left behind when one fails.
        let panicked = |_| Err(SubjectError::Protocol("a worker panicked".to_owned()));
        let end = |worker: ScopedJoinHandle<'_, _>| worker.join().unwrap_or_else(panicked);
        let ends: Vec<_> = workers.into_iter().map(|worker| worker.and_then(end)).collect();
        ends.into_iter().collect()
    })
}

/// Batches of cases that workers take from, those of neighbours that ask for the same lab as a group:
/// who has such a lab goes on with it, so that few executors build it.
struct Queue<'a> {
    groups: Mutex<Vec<Group<'a>>>,
}

/// What is left of the cases that stand side by side and have one lab.
struct Group<'a> {
    batches: VecDeque<&'a [usize]>,
    begun: bool,
}

impl<'a> Queue<'a> {
    fn new(groups: impl Iterator<Item = &'a [usize]>, batch: usize) -> Self {
        let groups =
            groups.map(|cases| Group { batches: cases.chunks(batch).collect(), begun: false });
        Self { groups: Mutex::new(groups.collect()) }
    }

    fn batches(&self) -> usize {
        lock(&self.groups).iter().map(|group| group.batches.len()).sum()
    }

    /// The next batch that nobody has taken: of the `own` group, else of the first that nobody has
    /// begun, else of the one with the most left. None is empty.
    fn take(&self, own: &mut usize) -> &'a [usize] {
        let mut groups = lock(&self.groups);
        if groups.get(*own).is_none_or(|group| group.batches.is_empty()) {
            let fresh = groups.iter().position(|group| !group.begun);
            let most =
                || (0..groups.len()).rev().max_by_key(|number| groups[*number].batches.len());
            *own = fresh.or_else(most).unwrap_or(0);
        }
        let Some(group) = groups.get_mut(*own) else { return &[] };
        group.begun = true;
        group.batches.pop_front().unwrap_or_default()
    }
}

fn worker(
    subject: &dyn Executors,
    queue: &Queue<'_>,
    ahead: usize,
    kept: &Kept<'_>,
) -> Result<(), SubjectError> {
    let mut line = Vec::new();
    let mut own = usize::MAX;
    let mut wanted: VecDeque<usize> = queue.take(&mut own).iter().copied().collect();
    // Nobody is to stand behind one that waits long.
    let long = |number: &usize| kept.cases[*number].waits_long();
    // Given and not yet answered, the oldest first.
    let mut given: VecDeque<usize> = VecDeque::new();
    // How many died in a row, and what that comes to.
    let (mut died, mut deaths) = (0, 0);
    while !wanted.is_empty() {
        let (mut executor, _) = subject.start()?;
        // Whether it fell silent; nothing if an answer of its was garbage.
        let silent = loop {
            while given.len() < ahead && !given.iter().any(long) {
                if wanted.is_empty() {
                    wanted.extend(queue.take(&mut own));
                }
                let Some(number) = wanted.pop_front() else { break };
                given.push_back(number);
                write(kept.cases[number], &mut line);
                executor.give(&line);
            }
            let Some(number) = given.front().copied() else {
                executor.end(false);
                return Ok(());
            };
            let waits = Duration::from_millis(kept.cases[number].waits_ms().into());
            match executor.reply(subject.silence() + waits) {
                Ok(text) => {
                    let answer = reply(kept.cases[number], &text);
                    let lost = answer.is_err();
                    kept.keep(number, answer.unwrap_or_else(|broken| *broken));
                    given.pop_front();
                    if lost {
                        break None;
                    }
                    (died, deaths) = (0, 0);
                }
                Err(RecvTimeoutError::Disconnected) => break Some(false),
                Err(RecvTimeoutError::Timeout) => break Some(true),
            }
        };
        let ending = executor.end(silent.unwrap_or(true));
        died += 1;
        deaths += if silent == Some(true) { OF_SILENCE } else { 1 };
        match silent.and_then(|_| given.pop_front()) {
            Some(number) if ending.certain || ahead == 1 => {
                kept.keep(number, ended(kept.cases[number], ending.end()));
            }
            Some(number) => lock(&kept.suspects).push(number),
            None => {}
        }
        // The rest again, before what nobody was given yet.
        for number in given.drain(..).rev() {
            wanted.push_front(number);
        }
        if wanted.is_empty() {
            wanted.extend(queue.take(&mut own));
        }
        if deaths >= DEATHS {
            return Err(SubjectError::Dies(died, ending.how));
        }
    }
    Ok(())
}

/// A case as a line; one of ours can always be written.
fn write(case: &Case, line: &mut Vec<u8>) {
    line.clear();
    let _ = serde_json::to_writer(&mut *line, case);
    line.push(b'\n');
}

/// The trace that answers a case. An error: it is none, and what follows can be the answer to
/// anything.
fn reply(case: &Case, text: &str) -> Result<Trace, Box<Trace>> {
    let broken = |reason| ended(case, End::Broken { reason });
    let lost = |why: &str| {
        let why = format!("the executor's answer is no trace of this case: {why:.200}");
        Err(Box::new(broken(why)))
    };
    match serde_json::from_str(text) {
        Ok(Reply::Trace(trace)) => match trace.check(case) {
            Ok(()) => Ok(*trace),
            Err(why) => lost(&why),
        },
        Ok(Reply::Error { message, .. }) => Ok(broken(message.chars().take(SENTENCE).collect())),
        _ => lost(text),
    }
}

fn ended(case: &Case, end: End) -> Trace {
    Trace::new(&case.id, Vec::new(), Vec::new(), end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_a_lab_goes_on_with_it() {
        let groups: [&[usize]; 3] = [&[0, 1, 2, 3, 4], &[5], &[6, 7]];
        let queue = Queue::new(groups.into_iter(), 2);
        assert_eq!(queue.batches(), 5);
        let (mut a, mut b) = (usize::MAX, usize::MAX);
        assert_eq!(queue.take(&mut a), [0, 1]);
        // Nobody else's as long as there are others.
        assert_eq!(queue.take(&mut b), [5]);
        assert_eq!(queue.take(&mut a), [2, 3]);
        assert_eq!(queue.take(&mut b), [6, 7]);
        // Then a share of the largest that is left.
        assert_eq!(queue.take(&mut b), [4]);
        assert_eq!(queue.take(&mut a), [0; 0]);
        assert_eq!(queue.take(&mut b), [0; 0]);
    }

    #[test]
    fn an_order_without_neighbours_is_kept() {
        let groups: [&[usize]; 3] = [&[7], &[2], &[5]];
        let queue = Queue::new(groups.into_iter(), 32);
        let mut own = usize::MAX;
        let taken: Vec<usize> =
            std::iter::repeat_with(|| queue.take(&mut own)).take(3).flatten().copied().collect();
        assert_eq!(taken, [7, 2, 5]);
    }
}
