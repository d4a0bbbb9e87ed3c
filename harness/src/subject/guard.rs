//! What this program has started ends when it is killed, too: a process that sees it go.
//!
//! SIGKILL leaves a program no time to tidy up, and a parent's death tells nobody: QEMU goes on without
//! its standard input, User-Mode Linux may not read it yet. `PR_SET_PDEATHSIG` is no answer, since it
//! goes by the thread that forked, and passes neither a fork nor a change of credentials (prctl(2)).
//! So all that this program starts has a mark in its environment, which its children inherit, and
//! the guard waits for the end of a pipe that only this program holds.

use std::fs;
use std::io::{self, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, getpgid};

use super::{cleanup, lock};

/// The variable that marks what this program has started.
const MARK: &str = "SOCKEYE_RUN";

static GUARD: Mutex<Option<Guard>> = Mutex::new(None);

struct Guard {
    mark: String,
    child: Child,
}

/// Has what this program starts from now on ended with it, by what `program` makes a command of: a
/// process that does nothing but [`watch`] the mark that it is given.
pub fn guard(program: impl FnOnce(&str) -> Command) -> io::Result<()> {
    let mut guard = lock(&GUARD);
    if guard.is_some() {
        return Ok(());
    }
    // What a guard did not live to remove.
    cleanup::sweep(&std::env::temp_dir());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mark = format!("{}-{}", std::process::id(), now.as_nanos());
    // Not in this one's group, whose members a terminal interrupts.
    let child = program(&mark)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    *guard = Some(Guard { mark, child });
    Ok(())
}

/// Marks what is about to be started.
pub(super) fn mark(command: &mut Command) {
    if let Some(guard) = &*lock(&GUARD) {
        command.env(MARK, &guard.mark);
    }
}

/// Lets the guard go: the program ends in order, and has tidied up.
pub fn dismiss() {
    if let Some(guard) = &mut *lock(&GUARD)
        && let Some(line) = &mut guard.child.stdin
    {
        let _ = line.write_all(b"\n");
    }
}

/// How often those that are marked are looked for at the most, and how long between.
const ROUNDS: usize = 100;
const BETWEEN: Duration = Duration::from_millis(50);

/// How often it is looked for what they left.
const SWEEPS: usize = 40;

/// Waits until whoever holds the other end of `line` is gone, and ends and removes what it left.
pub fn watch(mark: &str, line: impl Read) {
    let mut said = Vec::new();
    let _ = line.take(1).read_to_end(&mut said);
    if !said.is_empty() {
        return;
    }
    let mark = format!("{MARK}={mark}");
    // One that was being started then has its mark by the next time.
    let mut quiet = 0;
    for _ in 0..ROUNDS {
        quiet = if kill_marked(mark.as_bytes()) { 0 } else { quiet + 1 };
        if quiet == 3 {
            break;
        }
        thread::sleep(BETWEEN);
    }
    // What is killed has its files for a while yet, and a child of User-Mode Linux is known by nothing.
    let mut quiet = 0;
    for _ in 0..SWEEPS {
        quiet = if cleanup::sweep(&std::env::temp_dir()) { quiet + 1 } else { 0 };
        if quiet == 5 {
            break;
        }
        thread::sleep(BETWEEN);
    }
}

/// Kills all that have `mark`; whether there were any.
fn kill_marked(mark: &[u8]) -> bool {
    let mut found = false;
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = process.file_name();
        let Some(number) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        let environment = fs::read(process.path().join("environ")).unwrap_or_default();
        if !environment.split(|byte| *byte == 0).any(|variable| variable == mark) {
            continue;
        }
        found = true;
        let process = Pid::from_raw(number);
        // Where it leads a group, that is its own and its children's: those of User-Mode Linux have
        // no environment to be known by.
        if getpgid(Some(process)) == Ok(process) {
            let _ = killpg(process, Signal::SIGKILL);
        }
        let _ = kill(process, Signal::SIGKILL);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(mark: &str) -> Child {
        Command::new("sh").args(["-c", "sleep 600 & wait"]).env(MARK, mark).spawn().unwrap()
    }

    #[test]
    fn who_is_marked_ends_with_the_line_and_nobody_else() {
        if fs::read("/proc/self/environ").is_err() {
            return eprintln!("skipped: this system has no /proc");
        }
        let (mut ours, mut others) = (marked("guard-test"), marked("guard-test-2"));
        // Whoever ends in order has tidied up by itself.
        watch("guard-test", &b"\n"[..]);
        assert_eq!(ours.try_wait().unwrap(), None);
        watch("guard-test", &b""[..]);
        assert!(!ours.wait().unwrap().success());
        assert_eq!(others.try_wait().unwrap(), None);
        watch("guard-test-2", &b""[..]);
        assert!(!others.wait().unwrap().success());
    }
}
