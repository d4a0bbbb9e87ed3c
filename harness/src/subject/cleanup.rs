//! What must not outlive this program: machines, helpers, files that are only needed meanwhile.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::lock;

static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());
static PATHS: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A child that leads a process group of its own: a Ctrl-C at the terminal does not reach it, and
/// all its children end with it.
pub(super) struct Group {
    pub(super) child: Child,
}

impl Group {
    pub(super) fn spawn(command: &mut Command) -> io::Result<Self> {
        // Held meanwhile, so that `abandon` misses nothing.
        let mut groups = lock(&GROUPS);
        let child = command.process_group(0).spawn()?;
        groups.insert(child.id().cast_signed());
        Ok(Self { child })
    }

    /// Kills all of it.
    pub(super) fn kill(&self) {
        // Before it is waited for, its number is nobody else's.
        let _ = killpg(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGKILL);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
        let _ = self.child.wait();
        lock(&GROUPS).remove(&self.child.id().cast_signed());
    }
}

/// A path that is removed at the end, with all below it.
#[derive(Debug)]
pub(super) struct Fleeting(PathBuf);

impl Fleeting {
    /// The path.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Fleeting {
    fn drop(&mut self) {
        remove(&self.0);
        lock(&PATHS).remove(&self.0);
    }
}

/// Has `path` removed when the value is dropped, or the program interrupted.
pub(super) fn keep_until_end(path: PathBuf) -> Fleeting {
    lock(&PATHS).insert(path.clone());
    Fleeting(path)
}

fn remove(path: &Path) {
    let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
}

/// Runs a helper to its end and returns what it said; an interrupted program takes it along.
pub(super) fn run_quietly(command: &mut Command) -> io::Result<Output> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut group = Group::spawn(command)?;
    let errors = group.child.stderr.take();
    let errors = std::thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut errors) = errors {
            let _ = io::Read::read_to_end(&mut errors, &mut text);
        }
        text
    });
    let mut stdout = Vec::new();
    if let Some(mut output) = group.child.stdout.take() {
        io::Read::read_to_end(&mut output, &mut stdout)?;
    }
    let status = group.child.wait()?;
    Ok(Output { status, stdout, stderr: errors.join().unwrap_or_default() })
}

/// Ends and removes all of it at once: the program is about to exit.
pub fn abandon() {
    for group in lock(&GROUPS).iter() {
        let _ = killpg(Pid::from_raw(*group), Signal::SIGKILL);
    }
    for path in lock(&PATHS).iter() {
        remove(path);
    }
}
