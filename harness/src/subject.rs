//! A kernel under test, reached through the executor's protocol.
//!
//! Cases go to as many executors as there are jobs. One that dies or falls silent is an outcome of
//! the case that it was running; a fresh one takes up the rest.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::SCHEMA;
use crate::case::Case;
use crate::trace::{End, Fingerprint, Reply, Trace};

/// How long an executor may say nothing. It ends a case that waits by itself, long before this.
const SILENCE: Duration = Duration::from_mins(1);

/// How many executors beyond the jobs run cases that only wait.
const WAITING: usize = 8;

/// How many cases of one lab go to one executor together.
const BATCH: usize = 32;

/// How many cases an executor is given ahead, so that it does not wait for the next one.
const AHEAD: usize = 8;

/// How to start an executor: any program that reads cases and writes traces.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

/// Why a subject could not be put to the test at all.
#[derive(Debug, thiserror::Error)]
pub enum SubjectError {
    /// The executor could not be started.
    #[error("the executor {program:?} cannot be started: {source}")]
    Start {
        /// Which.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What it said is not the protocol.
    #[error("the executor does not speak sockeye's protocol: {0}")]
    Protocol(String),
    /// It speaks another version of it.
    #[error("the executor speaks schema {0}, this program speaks schema {SCHEMA}")]
    Schema(u32),
}

/// An executor that runs.
struct Executor {
    child: Child,
    input: Option<ChildStdin>,
    replies: Receiver<String>,
}

impl Executor {
    fn start(subject: &Subject) -> Result<(Self, Fingerprint), SubjectError> {
        let mut child = Command::new(&subject.program)
            .args(&subject.args)
            // By which a user changes what names mean to glibc: resolv.conf(5), hostname(7).
            .env_remove("RES_OPTIONS")
            .env_remove("LOCALDOMAIN")
            .env_remove("HOSTALIASES")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|source| SubjectError::Start { program: subject.program.clone(), source })?;
        let input = child.stdin.take();
        let output = child.stdout.take().map(BufReader::new);
        let (sender, replies) = mpsc::channel();
        std::thread::spawn(move || {
            let lines = output.into_iter().flat_map(BufReader::lines);
            // The first line that cannot be read or is not wanted ends it.
            let _ = lines.map_while(Result::ok).try_for_each(|line| sender.send(line));
        });
        let executor = Self { child, input, replies };
        let hello = executor
            .replies
            .recv_timeout(SILENCE)
            .map_err(|_| SubjectError::Protocol("it said nothing".to_owned()))?;
        match serde_json::from_str(&hello) {
            Ok(Reply::Hello { schema: SCHEMA, kernel }) => Ok((executor, kernel)),
            Ok(Reply::Hello { schema, .. }) => Err(SubjectError::Schema(schema)),
            _ => Err(SubjectError::Protocol(hello)),
        }
    }

    /// Gives it a case. False: it no longer listens.
    fn give(&mut self, case: &Case, line: &mut Vec<u8>) -> bool {
        line.clear();
        let written = serde_json::to_writer(&mut *line, case);
        line.push(b'\n');
        let Some(input) = &mut self.input else { return false };
        written.is_ok() && input.write_all(line).is_ok()
    }

    /// Why it is silent, once it is: it has gone, or is made to go now.
    fn end(mut self, silent: bool) -> String {
        self.input = None;
        if silent {
            let _ = self.child.kill();
        }
        match self.child.wait() {
            _ if silent => format!("no answer for {} s", SILENCE.as_secs()),
            Ok(status) => describe(status),
            Err(e) => e.to_string(),
        }
    }
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    let signal = status.signal().and_then(|n| nix::sys::signal::Signal::try_from(n).ok());
    match (signal, status.code()) {
        (Some(signal), _) => format!("killed by {signal}"),
        (None, Some(code)) => format!("exit status {code}"),
        (None, None) => status.to_string(),
    }
}

/// Whom a subject's executor says that it is.
pub fn fingerprint(subject: &Subject) -> Result<Fingerprint, SubjectError> {
    let (executor, kernel) = Executor::start(subject)?;
    executor.end(false);
    Ok(kernel)
}

/// Runs every case and returns the traces in the cases' order. `done` hears of each as it comes,
/// with its case's place, from whichever thread it came to.
///
/// As many executors as `jobs` run them, each taking neighbours of one lab together; cases that
/// wait have more of their own, so that they wait side by side.
pub fn run(
    subject: &Subject,
    cases: &[&Case],
    jobs: usize,
    done: &(dyn Fn(usize, &Trace) + Sync),
) -> Result<Vec<Trace>, SubjectError> {
    let (waiting, busy): (Vec<usize>, Vec<usize>) =
        (0..cases.len()).partition(|number| cases[*number].is_idle());
    let same_lab = |a: &usize, b: &usize| cases[*a].lab == cases[*b].lab;
    let busy: Vec<&[usize]> =
        busy.chunk_by(same_lab).flat_map(|neighbours| neighbours.chunks(BATCH)).collect();
    let waiting: Vec<&[usize]> = waiting.chunks(1).collect();
    let traces = Mutex::new(Vec::with_capacity(cases.len()));
    let keep = |number: usize, trace: Trace| {
        done(number, &trace);
        traces.lock().unwrap_or_else(PoisonError::into_inner).push((number, trace));
    };
    let queues = [(Queue::new(&waiting), WAITING), (Queue::new(&busy), jobs.max(1))];
    let (queues, keep) = (&queues, &keep);
    std::thread::scope(|scope| {
        let mut workers = Vec::new();
        for (queue, most) in queues {
            for _ in 0..(*most).min(queue.batches.len()) {
                workers.push(scope.spawn(move || worker(subject, cases, queue, keep)));
            }
        }
        workers.into_iter().try_for_each(|worker| {
            let panicked = |_| Err(SubjectError::Protocol("a worker panicked".to_owned()));
            worker.join().unwrap_or_else(panicked)
        })
    })?;
    let mut traces = traces.into_inner().unwrap_or_else(PoisonError::into_inner);
    traces.sort_unstable_by_key(|(number, _)| *number);
    Ok(traces.into_iter().map(|(_, trace)| trace).collect())
}

/// Batches of cases that workers take from.
struct Queue<'a> {
    batches: &'a [&'a [usize]],
    next: AtomicUsize,
}

impl<'a> Queue<'a> {
    fn new(batches: &'a [&'a [usize]]) -> Self {
        Self { batches, next: AtomicUsize::new(0) }
    }

    /// The next batch that nobody has taken.
    fn take(&self) -> &'a [usize] {
        self.batches.get(self.next.fetch_add(1, Ordering::Relaxed)).copied().unwrap_or_default()
    }
}

fn worker(
    subject: &Subject,
    cases: &[&Case],
    queue: &Queue<'_>,
    done: &dyn Fn(usize, Trace),
) -> Result<(), SubjectError> {
    let mut line = Vec::new();
    let mut wanted: VecDeque<usize> = queue.take().iter().copied().collect();
    // Given and not yet answered, the oldest first.
    let mut given: VecDeque<usize> = VecDeque::new();
    while !wanted.is_empty() {
        let (mut executor, _) = Executor::start(subject)?;
        let silent = loop {
            while given.len() < AHEAD {
                let Some(number) = wanted.pop_front() else { break };
                given.push_back(number);
                // One that no longer listens is found out by its silence.
                executor.give(cases[number], &mut line);
                if wanted.is_empty() {
                    wanted.extend(queue.take());
                }
            }
            let Some(number) = given.front().copied() else {
                executor.end(false);
                return Ok(());
            };
            match executor.replies.recv_timeout(SILENCE) {
                Ok(text) => {
                    done(number, reply(cases[number], &text)?);
                    given.pop_front();
                }
                Err(RecvTimeoutError::Disconnected) => break false,
                Err(RecvTimeoutError::Timeout) => break true,
            }
        };
        let how = executor.end(silent);
        if let Some(number) = given.pop_front() {
            done(number, died(cases[number], how));
        }
        // The rest again, before what nobody was given yet.
        for number in given.drain(..).rev() {
            wanted.push_front(number);
        }
    }
    Ok(())
}

fn reply(case: &Case, text: &str) -> Result<Trace, SubjectError> {
    match serde_json::from_str(text) {
        Ok(Reply::Trace(trace)) if trace.case == case.id => Ok(*trace),
        Ok(Reply::Error { message, .. }) => Ok(ended(case, End::Broken { reason: message })),
        _ => Err(SubjectError::Protocol(format!("in answer to {}: {text:.200}", case.id))),
    }
}

fn died(case: &Case, how: String) -> Trace {
    ended(case, End::Died { how })
}

fn ended(case: &Case, end: End) -> Trace {
    let (links, events) = (Vec::new(), Vec::new());
    Trace { schema: SCHEMA, case: case.id.clone(), began_ns: 0, links, events, end }
}
