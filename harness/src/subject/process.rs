//! Executors as child processes of this host.

use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::cleanup::Group;
use super::ending::{describe, has_any};
use super::feed::{Feed, Got, read_line, size};
use super::{AHEAD, Console, Ending, Executor, Executors, GREETING, SILENCE, SubjectError};
use super::{ANSWER, Told, greet, lock};
use crate::exec::{self, KernelLog};
use crate::threads;
use crate::trace::Fingerprint;

/// How to start an executor of this host's: this program, or one that stands for it in a test.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

/// What an executor of this host's may answer: what a program sent that was observed is all in it.
const OWN_ANSWER: usize = 1 << 30;

/// How many of this host's run cases that only wait: of what a run takes beyond its calls, half was waiting
/// for those that wait.
const OWN_WAITING: usize = 24;

/// How long it may take to close its labs on a busy host.
const CLOSES_WITHIN: Duration = Duration::from_mins(1);

impl Executors for Subject {
    fn start(&self) -> Result<(Box<dyn Executor>, Fingerprint), SubjectError> {
        let mut command = Command::new(&self.program);
        command.args(&self.args);
        let log = Some(KernelLog::begin());
        let group = Group::alone(ready(&mut command));
        begin(
            group,
            &self.program.display(),
            SILENCE,
            Process { longest: OWN_ANSWER, ends_within: CLOSES_WITHIN, log, ..Process::default() },
        )
    }

    fn side_by_side(&self) -> bool {
        !exec::shares_the_network()
    }

    fn waiting(&self) -> usize {
        OWN_WAITING
    }
}

/// A command of the user's that speaks the protocol, as `/bin/sh` runs it. It may be anybody's.
#[derive(Debug)]
pub struct Program {
    command: String,
    silence: Duration,
    /// Its standard error.
    console: Arc<Console>,
    complaints: Arc<Mutex<BTreeSet<String>>>,
}

/// How long it may take to end when its input does.
const ENDS_WITHIN: Duration = Duration::from_secs(10);

impl Program {
    /// This one, which may be silent for a minute if nothing else is said. What it says on standard error
    /// is `shown`.
    pub fn new(command: &str, silence: Option<Duration>, shown: Told) -> Self {
        Self {
            command: command.to_owned(),
            silence: silence.unwrap_or(SILENCE),
            console: Arc::new(Console::new(None, Some(shown))),
            complaints: Arc::default(),
        }
    }

    /// What it did against the protocol that is no case's error, each as one sentence.
    pub fn complaints(&self) -> Vec<String> {
        lock(&self.complaints).iter().cloned().collect()
    }
}

impl Executors for Program {
    fn start(&self) -> Result<(Box<dyn Executor>, Fingerprint), SubjectError> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &self.command]).stderr(Stdio::piped());
        let group = Group::spawn(ready(&mut command)).and_then(|mut group| {
            if let Some(errors) = group.child.stderr.take() {
                let console = Arc::clone(&self.console);
                threads::start(move || console.listen(errors))?;
            }
            Ok(group)
        });
        begin(
            group,
            &self.command,
            self.silence,
            Process {
                longest: ANSWER,
                ends_within: ENDS_WITHIN,
                complaints: Some(Arc::clone(&self.complaints)),
                ..Process::default()
            },
        )
    }

    fn side_by_side(&self) -> bool {
        !exec::shares_the_network()
    }

    fn silence(&self) -> Duration {
        self.silence
    }
}

/// As every executor is started.
fn ready(command: &mut Command) -> &mut Command {
    // By which a user changes what names mean to glibc: resolv.conf(5), hostname(7).
    for name in ["RES_OPTIONS", "LOCALDOMAIN", "HOSTALIASES"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped())
}

/// Hears what an executor says of itself.
fn begin(
    group: std::io::Result<Group>,
    program: &dyn std::fmt::Display,
    silence: Duration,
    process: Process,
) -> Result<(Box<dyn Executor>, Fingerprint), SubjectError> {
    let started = group.and_then(|mut group| {
        let input = group.child.stdin.take().map(Feed::new).transpose()?;
        Ok((group, input))
    });
    let failed = |e: std::io::Error| {
        let (program, why) = (program.to_string(), e.to_string());
        SubjectError::Start { program, why }
    };
    let (mut group, input) = started.map_err(failed)?;
    // An executor that is given no more than this ahead answers no more ahead.
    let (sender, replies) = mpsc::sync_channel(AHEAD);
    let (too_long, longest) = (Arc::clone(&process.too_long), process.longest);
    if let Some(output) = group.child.stdout.take() {
        let pass_on = move || pass_on(output, longest, &sender, &too_long);
        threads::start(pass_on).map_err(failed)?;
    }
    let (group, replies) = (Some(group), Some(replies));
    let mut process = Box::new(Process { group, input, replies, silence, ..process });
    match greet(&mut *process, silence) {
        Ok(kernel) => Ok((process, kernel)),
        Err(error) => {
            let too_long = process.too_long.load(Ordering::Relaxed);
            process.end(true);
            let what = format!("its greeting is a line of more than {}", size(GREETING));
            Err(if too_long { SubjectError::Protocol(what) } else { error })
        }
    }
}

/// Passes lines on until they end, or nobody wants them any more.
fn pass_on(output: ChildStdout, longest: usize, to: &SyncSender<String>, too_long: &AtomicBool) {
    let (mut output, mut line) = (BufReader::new(output), Vec::new());
    let mut most = GREETING;
    loop {
        match read_line(&mut output, &mut line, most) {
            Got::Line => {
                if to.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
            Got::TooLong => return too_long.store(true, Ordering::Relaxed),
            Got::End => return,
        }
        most = longest;
    }
}

/// A child that runs.
#[derive(Default)]
struct Process {
    group: Option<Group>,
    input: Option<Feed>,
    replies: Option<Receiver<String>>,
    silence: Duration,
    /// It has not read what it was given.
    deaf: bool,
    /// How many bytes an answer may have.
    longest: usize,
    /// It said more than that.
    too_long: Arc<AtomicBool>,
    ends_within: Duration,
    /// That of the kernel that it runs on, as far as it is known.
    log: Option<KernelLog>,
    complaints: Option<Arc<Mutex<BTreeSet<String>>>>,
}

impl Executor for Process {
    fn give(&mut self, line: &[u8]) {
        let silence = self.silence;
        let given = self.input.as_mut().filter(|_| !self.deaf).map(|to| to.give(line, silence));
        // One that is gone is found out by its silence.
        self.deaf |= matches!(given, Some(Err(e)) if e.kind() == std::io::ErrorKind::TimedOut);
    }

    fn reply(&mut self, limit: Duration) -> Result<String, RecvTimeoutError> {
        let limit = if self.deaf { Duration::ZERO } else { limit };
        self.replies.as_ref().map_or(Err(RecvTimeoutError::Disconnected), |r| r.recv_timeout(limit))
    }

    fn end(mut self: Box<Self>, silent: bool) -> Ending {
        // Whoever still says something is told that nobody listens.
        (self.input, self.replies) = (None, None);
        let Some(mut group) = self.group.take() else {
            return Ending::fault("it was never started".to_owned(), true);
        };
        let too_long = self.too_long.load(Ordering::Relaxed);
        let killed =
            silent || too_long || !matches!(group.wait_within(self.ends_within), Ok(Some(_)));
        if killed {
            group.kill();
        }
        let seconds = self.silence.as_secs();
        let how = match group.wait_within(ENDS_WITHIN) {
            Err(e) => e.to_string(),
            // In a call that no signal interrupts, and that is the kernel's doing.
            Ok(None) => {
                let how =
                    format!("no answer for {seconds} s, and the kernel does not let it be killed");
                return Ending { how, certain: true, fault: false };
            }
            Ok(Some(_)) if too_long => {
                format!("it sent a line of more than {}", size(self.longest))
            }
            Ok(Some(_)) if silent => format!("no answer for {seconds} s"),
            Ok(Some(status)) if !killed => {
                let log = self.log.take();
                let lines = LazyCell::new(|| log.map(|log| log.end().lines).unwrap_or_default());
                let said = |words: &[&str]| lines.iter().any(|line| has_any(line, words));
                return Ending::of(describe(status), true, &said);
            }
            Ok(Some(_)) => {
                let how = format!(
                    "its input ended, and {} s later it had not",
                    self.ends_within.as_secs()
                );
                if let Some(complaints) = &self.complaints {
                    lock(complaints).insert(format!("an executor was killed: {how}"));
                }
                how
            }
        };
        Ending::fault(how, true)
    }
}
