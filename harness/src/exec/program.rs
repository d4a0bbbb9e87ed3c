//! A program of the user's, run in the lab as it is.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::{BorrowedFd, FromRawFd as _, RawFd};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::gave::{Fault, Gave};
use super::network::Seen;
use super::os::{self, Processes};
use super::runner::Runner;
use crate::case::Hex;
use crate::trace::{Event, Out, Ran};

/// So many bytes of frames are kept; of more it is said how many frames they were.
const MOST_BYTES: usize = 64 << 20;

static OUTPUT: AtomicI32 = AtomicI32::new(-1);

/// Lets the standard output of programs be this descriptor, which the process has inherited for that;
/// else it is the standard error, since standard output has traces.
pub fn output_of_programs(fd: RawFd) {
    // SAFETY: takes its arguments by value. No program has a second descriptor for its output.
    unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
    OUTPUT.store(fd, Ordering::Relaxed);
}

static CALLS: AtomicI32 = AtomicI32::new(-1);

/// Has the calls of programs written there, as [`record`] does: a descriptor that the process has inherited
/// for that.
pub fn calls_of_programs(fd: RawFd) {
    CALLS.store(fd, Ordering::Relaxed);
}

/// Becomes a program, and has the calls that it and all that it starts make about sockets written, as strace
/// would, into this descriptor, which the process has inherited for that. Each is there as soon as it is made: the
/// program may be ended at any time. Returns only if nothing is run, and then that is written there, see
/// [`why_nothing_ran`].
pub fn record(argv: &[String], fd: RawFd) -> std::io::Error {
    // SAFETY: takes its arguments by value. The program itself has no part in it.
    unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
    // SAFETY: the process has been given it for this, and nobody else here has it.
    let file = unsafe { File::from_raw_fd(fd) };
    let why = os::record(argv, &file);
    let program = argv.first().map_or("", String::as_str);
    // Whoever reads it finds no calls then.
    let _ = (&file).write_all(format!("{NOTHING_RAN}{program}: {why}\n").as_bytes());
    why
}

/// Why a program was not run, from what stands where its calls would.
pub fn why_nothing_ran(calls: &str) -> Option<&str> {
    Some(calls.strip_prefix(NOTHING_RAN)?.lines().next().unwrap_or_default())
}

/// What stands in place of calls where the program could not be run, before the reason.
const NOTHING_RAN: &str = "sockeye: ";

/// The program, or this one that runs it and writes its calls.
fn command(program: &String, arguments: &[String]) -> Result<Command, Fault> {
    let fd = CALLS.load(Ordering::Relaxed);
    if fd <= libc::STDERR_FILENO {
        let mut command = Command::new(program);
        command.args(arguments);
        return Ok(command);
    }
    let this = std::env::current_exe();
    let this = this.map_err(|e| Fault::Broken(format!("this program is not found: {e}")))?;
    let mut command = Command::new(this);
    command.args(["exec", "--record", &fd.to_string(), "--"]).arg(program).args(arguments);
    Ok(command)
}

/// The certificates by which far ends are trusted, in a file of the program's own time.
struct Trusted {
    file: tempfile::NamedTempFile,
}

impl Trusted {
    fn new(authorities: &str) -> Result<Self, Fault> {
        let broken = |e: std::io::Error| Fault::Broken(format!("no file can be made: {e}"));
        let mut file = tempfile::NamedTempFile::with_prefix("sockeye-ca-").map_err(broken)?;
        file.write_all(authorities.as_bytes()).map_err(broken)?;
        Ok(Self { file })
    }

    /// A word of its command line, with the file for `{ca}`.
    fn fill(trusted: Option<&Self>, word: &str) -> String {
        match trusted {
            Some(Self { file }) => word.replace("{ca}", &file.path().to_string_lossy()),
            None => word.to_owned(),
        }
    }
}

fn output() -> Stdio {
    let fd = OUTPUT.load(Ordering::Relaxed);
    if fd <= libc::STDERR_FILENO {
        return Stdio::from(std::io::stderr());
    }
    // SAFETY: the process has been given it for this, and closes it nowhere.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    fd.try_clone_to_owned().map_or_else(|_| Stdio::from(std::io::stderr()), Stdio::from)
}

/// Frames as they are kept.
#[derive(Default)]
struct Kept {
    /// The step's number.
    op: u32,
    /// When the case began, in nanoseconds since 1970.
    zero: u64,
    frames: Vec<(u64, Event)>,
    bytes: usize,
    more: u64,
}

impl Kept {
    fn keep(&mut self, seen: &Seen<'_>) {
        if self.bytes + seen.bytes.len() > MOST_BYTES {
            self.more += 1;
            return;
        }
        self.bytes += seen.bytes.len();
        let (op, at_ns) = (self.op, seen.at_ns.saturating_sub(self.zero));
        let (link, dir, bytes) = (seen.link.to_owned(), seen.dir, Hex(seen.bytes.to_vec()));
        self.frames.push((at_ns, Event::Frame { op, at_ns, link, dir, bytes }));
    }

    /// In the order of their times: processors see to frames side by side.
    fn events(mut self) -> impl Iterator<Item = Event> {
        self.frames.sort_by_key(|(at_ns, _)| *at_ns);
        self.frames.into_iter().map(|(_, event)| event)
    }
}

impl Runner<'_> {
    /// Runs a program, the far ends answering meanwhile, until it and all that it started have ended.
    /// Those that are not done in time are killed.
    pub(super) fn program(
        &mut self,
        number: u32,
        argv: &[String],
        limit_ms: u32,
    ) -> Result<Gave, Fault> {
        let Some((program, arguments)) = argv.split_first() else {
            return Err(Fault::Broken("no program is named".to_owned()));
        };
        let files = self.lab.program_files().map_err(Fault::Broken)?;
        let mut capture = self.lab.capture().map_err(Fault::Broken)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let zero = u64::try_from(now).unwrap_or(u64::MAX).saturating_sub(self.now());
        let mut kept = Kept { op: number, zero, ..Kept::default() };
        let authorities = self.lab.authorities();
        let trusted = (!authorities.is_empty()).then(|| Trusted::new(&authorities)).transpose()?;
        let given: Vec<String> =
            arguments.iter().map(|word| Trusted::fill(trusted.as_ref(), word)).collect();
        let mut command = command(program, &given)?;
        if let Some(Trusted { file }) = &trusted {
            command.env("SOCKEYE_CA", file.path());
        }
        command.stdin(Stdio::null()).stdout(output());
        // The program may run where it likes, unlike the executor.
        os::stay(false);
        let started = Processes::start(&mut command, files);
        os::stay(true);
        let mut processes = started.map_err(Fault::Broken)?;
        let until = Instant::now() + Duration::from_millis(limit_ms.into());
        let in_time = loop {
            match &mut capture {
                Some(capture) => {
                    self.lab.pump();
                    capture.frames(&mut |seen| kept.keep(&seen));
                }
                None => self.drain(number),
            }
            if processes.are_over() {
                break true;
            }
            if Instant::now() >= until {
                break false;
            }
            match &capture {
                Some(capture) => self.lab.watch(capture.fd()),
                None => std::thread::sleep(Duration::from_micros(200)),
            }
        };
        let ended = processes.ended();
        processes.end();
        let mut ran = Ran { ended: !in_time && ended.is_some(), ..Ran::default() };
        if let Some(capture) = &mut capture {
            capture.last(&mut |seen| kept.keep(&seen));
            self.lab.drain(&mut |_, _, _| ());
            self.links = capture.others();
            ran.lost = Some(capture.lost() + kept.more);
            ran.dropped = self.lab.dropped();
            self.events.extend(kept.events());
        }
        self.ran = Some(ran);
        let Some(status) = ended else { return Ok(Err("EINTR".into())) };
        let signal = status.signal().map(|signal| 128 + i64::from(signal));
        Ok(Ok((status.code().map_or(signal.unwrap_or(-1), i64::from), Out::Nothing)))
    }
}
