//! Executors in a machine of their own: a process with a kernel in it, and one stream in and out.

use std::any::Any;
use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::cleanup::Group;
use super::console::Console;
use super::ending::{AGAINST, describe};
use super::feed::{Feed, Got, read_line, size};
use super::hub::{ALIVE, ENDED, READY, TICK, TOOK, numbered};
use super::{ANSWER, Ending, Executor, Executors, SILENCE, SubjectError, greet, lock};
use crate::threads;
use crate::trace::Fingerprint;

/// How long an executor may take to go when it is told to, before the machine is taken to hang.
const GOES_WITHIN: Duration = Duration::from_secs(10);

/// How many bytes of its executors' answers may wait to be looked at: more was not asked for.
const UNHEARD: usize = 64 << 20;

/// How to start a machine: a process whose standard input and output are the hub's, and whose
/// standard error is the console.
pub struct Plan {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// What its environment has beside this program's.
    pub env: Vec<(OsString, OsString)>,
    /// In which folder it runs.
    pub folder: Option<PathBuf>,
    /// How long it may take until its hub answers.
    pub boot: Duration,
    /// How long it may say nothing at all, not even that it is alive.
    pub silence: Duration,
    /// How many bytes it may be given that its hub has not read; any number if it is not said.
    pub window: Option<usize>,
    /// What has to stay as long as the plan: a temporary file.
    pub keep: Vec<Box<dyn Any + Send + Sync>>,
}

/// A kernel in a process of its own; it is started when it is first needed, and again when it died.
pub struct Machine {
    plan: Plan,
    console: Arc<Console>,
    live: Mutex<Option<Arc<Live>>>,
    boots: Mutex<Vec<Duration>>,
    losses: Mutex<Vec<String>>,
}

impl Machine {
    /// One that `plan` starts.
    pub fn new(plan: Plan, console: Console) -> Self {
        let (boots, losses) = (Mutex::default(), Mutex::default());
        Self { plan, console: Arc::new(console), live: Mutex::default(), boots, losses }
    }

    /// How long each start took until the hub answered.
    pub fn boots(&self) -> Vec<Duration> {
        lock(&self.boots).clone()
    }

    /// Why each was lost that another one was started for, as one line.
    pub fn losses(&self) -> Vec<String> {
        lock(&self.losses).clone()
    }

    /// The machine that runs, or a new one.
    fn live(&self) -> Result<Arc<Live>, SubjectError> {
        let mut live = lock(&self.live);
        if let Some(live) = live.as_ref().filter(|live| live.is_well()) {
            return Ok(Arc::clone(live));
        }
        if let Some(lost) = live.take() {
            let why = lost.cause().lines().next().unwrap_or_default().to_owned();
            lock(&self.losses).push(why);
        }
        // The old one has to be gone before its console is forgotten, and is.
        self.console.forget();
        let start = Instant::now();
        let fresh = Arc::new(Live::boot(&self.plan, &self.console)?);
        lock(&self.boots).push(start.elapsed());
        Ok(Arc::clone(live.insert(fresh)))
    }
}

impl Executors for Machine {
    fn start(&self) -> Result<(Box<dyn Executor>, Fingerprint), SubjectError> {
        let mut channel = Box::new(Live::open(&self.live()?));
        match greet(&mut *channel, SILENCE) {
            Ok(kernel) => Ok((channel, kernel)),
            Err(error) => {
                let silent = !channel.live.state().is_dead();
                let how = channel.end(silent).how;
                let gone = matches!(&error, SubjectError::Protocol(_)) && !silent;
                Err(if gone { SubjectError::Ended(how) } else { error })
            }
        }
    }
}

/// An executor's side of the stream.
struct Seat {
    replies: Option<Sender<Waiting>>,
    ended: Option<String>,
}

/// What is known of a machine.
#[derive(Default)]
struct State {
    /// How many bytes the hub was given and has not read yet, as far as it says.
    unread: usize,
    seats: HashMap<u32, Seat>,
    next: u32,
    heard: Option<Instant>,
    /// Why it is gone.
    dead: Option<String>,
    /// Why it was killed.
    killed: Option<String>,
}

impl State {
    fn is_dead(&self) -> bool {
        self.dead.is_some()
    }
}

/// What the threads of a machine share.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// An executor has ended, or the machine, or the hub has read something.
    changed: Condvar,
    /// How many bytes of answers wait.
    unheard: Arc<AtomicUsize>,
}

/// An answer that waits to be heard. It counts as long as it does: until it is heard, or nobody is there
/// who would.
struct Waiting {
    text: String,
    bytes: usize,
    unheard: Arc<AtomicUsize>,
}

impl Waiting {
    fn new(text: String, unheard: &Arc<AtomicUsize>) -> Self {
        let bytes = text.len();
        unheard.fetch_add(bytes, Ordering::Relaxed);
        Self { text, bytes, unheard: Arc::clone(unheard) }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.unheard.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A machine that runs.
struct Live {
    console: Arc<Console>,
    silence: Duration,
    window: Option<usize>,
    group: Arc<Mutex<Group>>,
    input: Mutex<Option<Feed>>,
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
}

impl Live {
    /// Starts the process and waits until the hub is ready.
    fn boot(plan: &Plan, console: &Arc<Console>) -> Result<Self, SubjectError> {
        let failed =
            |why: String| SubjectError::Start { program: plan.program.display().to_string(), why };
        let mut command = Command::new(&plan.program);
        command
            .args(&plan.args)
            .envs(plan.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(folder) = &plan.folder {
            command.current_dir(folder);
        }
        let mut group = Group::spawn(&mut command).map_err(|e| failed(e.to_string()))?;
        let input = group.child.stdin.take().map(Feed::new).transpose();
        let input = Mutex::new(input.map_err(|e| failed(e.to_string()))?);
        let (output, errors) = (group.child.stdout.take(), group.child.stderr.take());
        let (group, shared) = (Arc::new(Mutex::new(group)), Arc::new(Shared::default()));
        let listener = {
            let console = Arc::clone(console);
            let listen = move || errors.into_iter().for_each(|errors| console.listen(errors));
            threads::start(listen).map_err(|e| failed(e.to_string()))?
        };
        let (ready, is_ready) = mpsc::channel();
        let reader = {
            let (shared, group) = (Arc::clone(&shared), Arc::clone(&group));
            let console = Arc::clone(console);
            let read = move || {
                let killed = output
                    .and_then(|output| read(BufReader::new(output), &shared, &console, &ready));
                if let Some(why) = killed {
                    lock(&shared.state).killed.get_or_insert(why);
                    lock(&group).kill();
                }
                let how = gone(&group);
                // Whatever it still had to say is said.
                let _ = listener.join();
                bury(&mut lock(&shared.state), &how, &console);
                shared.changed.notify_all();
            };
            threads::start(read).map_err(|e| failed(e.to_string()))?
        };
        let live = Self {
            console: Arc::clone(console),
            silence: plan.silence,
            window: plan.window,
            group,
            input,
            shared,
            reader: Some(reader),
        };
        match is_ready.recv_timeout(plan.boot) {
            Ok(()) => Ok(live),
            Err(RecvTimeoutError::Timeout) => {
                live.kill(&format!("it is not ready after {} s", plan.boot.as_secs()));
                Err(SubjectError::Ended(live.cause()))
            }
            Err(RecvTimeoutError::Disconnected) => Err(SubjectError::Ended(live.cause())),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared.state)
    }

    fn is_well(&self) -> bool {
        let state = self.state();
        !state.is_dead() && state.killed.is_none()
    }

    /// Why it died, once it is dead. One that was killed and does not go, or a child of which keeps its
    /// output open, is left to itself.
    fn cause(&self) -> String {
        let (changed, alive) = (&self.shared.changed, |state: &mut State| !state.is_dead());
        let (mut state, _) = threads::wait(changed, self.state(), 2 * GOES_WITHIN, alive);
        if !state.is_dead() {
            bury(&mut state, "it does not go", &self.console);
            changed.notify_all();
        }
        state.dead.clone().unwrap_or_default()
    }

    fn kill(&self, why: &str) {
        self.state().killed.get_or_insert_with(|| why.to_owned());
        lock(&self.group).kill();
    }

    /// Whoever no longer listens is found out by its silence.
    fn say(&self, text: &[u8]) {
        // Held throughout, so that no line gets into another.
        let mut input = lock(&self.input);
        let Some(input) = input.as_mut() else { return };
        let hangs = || {
            let seconds = self.silence.as_secs();
            self.kill(&format!("lost to a hang: the machine read nothing for {seconds} s"));
        };
        for piece in text.chunks(self.window.unwrap_or(usize::MAX)) {
            if self.window.is_some_and(|window| !self.has_room(piece.len(), window)) {
                hangs();
            }
            if let Err(e) = input.give(piece, self.silence) {
                if e.kind() == ErrorKind::TimedOut {
                    hangs();
                }
                return;
            }
        }
    }

    /// Waits until the hub has read so much that as many bytes more fit; whether it has in time.
    fn has_room(&self, bytes: usize, window: usize) -> bool {
        let full = |state: &mut State| {
            state.unread + bytes > window && !state.is_dead() && state.killed.is_none()
        };
        let changed = &self.shared.changed;
        let (mut state, in_time) = threads::wait(changed, self.state(), self.silence, full);
        state.unread += bytes;
        in_time
    }

    /// A new executor.
    fn open(this: &Arc<Self>) -> Channel {
        let (sender, replies) = mpsc::channel();
        let number = {
            let mut state = this.state();
            state.next += 1;
            let number = state.next;
            // One that is dead by now has nobody to answer.
            let replies = (!state.is_dead()).then_some(sender);
            state.seats.insert(number, Seat { replies, ended: None });
            number
        };
        this.say(format!("{number} start\n").as_bytes());
        Channel { live: Arc::clone(this), number, replies }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        lock(&self.input).take();
        self.kill("it is no longer needed");
        self.cause();
        if let Some(reader) = self.reader.take().filter(JoinHandle::is_finished) {
            let _ = reader.join();
        }
    }
}

/// Passes on what the hub says until it says nothing any more. Why it is to be killed, if it says what
/// no hub does.
fn read(
    mut output: impl BufRead,
    shared: &Shared,
    console: &Console,
    ready: &Sender<()>,
) -> Option<String> {
    let (mut line, mut is_ready) = (Vec::new(), false);
    loop {
        match read_line(&mut output, &mut line, ANSWER) {
            Got::Line => {}
            Got::TooLong => {
                return Some(format!("{AGAINST}: a line of more than {}", size(ANSWER)));
            }
            Got::End => return None,
        }
        let text = line.trim_ascii_end();
        let mut state = lock(&shared.state);
        if text == ALIVE.as_bytes() {
            state.heard = Some(Instant::now());
            continue;
        }
        if text == READY.as_bytes() {
            if is_ready {
                return Some("lost to a restart that nobody asked for".to_owned());
            }
            is_ready = true;
            state.heard = Some(Instant::now());
            let _ = ready.send(());
            continue;
        }
        let took = str::from_utf8(text).ok().and_then(|text| text.strip_prefix(TOOK)?.parse().ok());
        if let Some(took) = took {
            state.unread = state.unread.saturating_sub(took);
            shared.changed.notify_all();
            continue;
        }
        let Some((number, text)) = numbered(text) else {
            // A program that prints where it should not; the protocol goes on at the next line.
            console.say(&String::from_utf8_lossy(text));
            continue;
        };
        state.heard = Some(Instant::now());
        let Some(seat) = state.seats.get_mut(&number) else { continue };
        let text = String::from_utf8_lossy(text).into_owned();
        if let Some(how) = text.strip_prefix(ENDED) {
            seat.ended = Some(how.to_owned());
            seat.replies = None;
            shared.changed.notify_all();
        } else if let Some(replies) = &seat.replies {
            let answer = Waiting::new(text, &shared.unheard);
            if shared.unheard.load(Ordering::Relaxed) > UNHEARD {
                return Some(format!("{AGAINST}: more answers than questions"));
            }
            let _ = replies.send(answer);
        }
    }
}

/// How the process ended that has closed its output; one that stays is killed.
fn gone(group: &Mutex<Group>) -> String {
    let deadline = Instant::now() + GOES_WITHIN;
    loop {
        let mut group = lock(group);
        match group.try_wait() {
            Ok(Some(status)) => return describe(status),
            Ok(None) if Instant::now() > deadline => group.kill(),
            Ok(None) => {}
            Err(e) => return e.to_string(),
        }
        drop(group);
        // Without a signal handler there is nothing to wait on but the process itself, which would
        // keep its number from whoever wants to kill it.
        thread::sleep(Duration::from_millis(1));
    }
}

/// Notes why a machine is gone, and lets everybody know who waits for it.
fn bury(state: &mut State, how: &str, console: &Console) {
    let how = match (&state.killed, console.panic()) {
        (_, Some(panic)) => panic,
        (Some(killed), None) => killed.clone(),
        (None, None) => format!("lost with its machine: {how}"),
    };
    state.dead = Some(format!("{how}{}", console.last()));
    for seat in state.seats.values_mut() {
        seat.replies = None;
    }
}

/// The way to one executor of a machine.
struct Channel {
    live: Arc<Live>,
    number: u32,
    replies: Receiver<Waiting>,
}

impl Executor for Channel {
    fn give(&mut self, line: &[u8]) {
        self.live.say(&[self.number.to_string().as_bytes(), b" ", line].concat());
    }

    fn reply(&mut self, limit: Duration) -> Result<String, RecvTimeoutError> {
        let start = Instant::now();
        loop {
            match self.replies.recv_timeout(TICK.min(limit)) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(mut answer) => return Ok(std::mem::take(&mut answer.text)),
                Err(gone) => return Err(gone),
            }
            let silent = self.live.state().heard.map_or(Duration::ZERO, |heard| heard.elapsed());
            if silent > self.live.silence {
                let seconds = self.live.silence.as_secs();
                self.live
                    .kill(&format!("lost to a hang: the machine said nothing for {seconds} s"));
            } else if start.elapsed() > limit {
                return Err(RecvTimeoutError::Timeout);
            }
        }
    }

    fn end(self: Box<Self>, silent: bool) -> Ending {
        let word = if silent { "kill" } else { "end" };
        self.live.say(format!("{} {word}\n", self.number).as_bytes());
        let mut state = self.live.state();
        loop {
            if let Some(how) = state.dead.clone() {
                return Ending::of(how, false, &|words| self.live.console.has(words));
            }
            let seat = state.seats.get_mut(&self.number);
            if let Some(how) = seat.and_then(|seat| seat.ended.take()) {
                state.seats.remove(&self.number);
                if silent {
                    return Ending::fault(format!("no answer for {} s", SILENCE.as_secs()), true);
                }
                drop(state);
                return Ending::of(how, true, &|words| self.live.console.has(words));
            }
            let changed = &self.live.shared.changed;
            let (after, woken) = threads::woken(changed, state, GOES_WITHIN);
            state = after;
            if !woken {
                drop(state);
                self.live.kill("lost to a hang: an executor does not end");
                state = self.live.state();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What nobody heard went on counting, and in the end a good machine was killed for it.
    #[test]
    fn an_answer_counts_as_long_as_it_waits() {
        let unheard = Arc::new(AtomicUsize::new(0));
        let (sender, replies) = mpsc::channel();
        let say = |sender: &Sender<Waiting>| {
            let _ = sender.send(Waiting::new("x".repeat(100), &unheard));
        };
        say(&sender);
        say(&sender);
        assert_eq!(unheard.load(Ordering::Relaxed), 200);
        drop(replies.recv());
        assert_eq!(unheard.load(Ordering::Relaxed), 100);
        drop(replies);
        say(&sender);
        assert_eq!(unheard.load(Ordering::Relaxed), 0);
    }
}
