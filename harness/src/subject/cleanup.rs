//! What must not outlive this program: machines, helpers, files that are only needed meanwhile.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::{guard, lock};
use crate::threads;

static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());
static PATHS: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A child that leads a process group of its own: a Ctrl-C at the terminal does not reach it, and
/// all its children end with it. Or one that is alone, and stays in this program's.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) child: Child,
    leads: bool,
    status: Option<ExitStatus>,
}

/// How long a process that was killed may take to go: one that takes longer its kernel holds.
const GOES_WITHIN: Duration = Duration::from_secs(10);

impl Group {
    pub(super) fn spawn(command: &mut Command) -> io::Result<Self> {
        // Held meanwhile, so that `abandon` misses nothing.
        let mut groups = lock(&GROUPS);
        let mut group = Self::alone(command.process_group(0))?;
        group.leads = true;
        groups.insert(group.child.id().cast_signed());
        Ok(group)
    }

    /// A child without a group, which ends by itself when its input does.
    pub(super) fn alone(command: &mut Command) -> io::Result<Self> {
        guard::mark(command);
        Ok(Self { child: command.spawn()?, leads: false, status: None })
    }

    /// Kills all of it. Once its first process was waited for, nobody is left, and its number may be
    /// somebody else's.
    pub(super) fn kill(&mut self) {
        if self.status.is_none() {
            self.kill_group();
            let _ = self.child.kill();
        }
    }

    fn kill_group(&self) {
        if self.leads {
            let _ = killpg(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGKILL);
        }
    }

    fn ended(&mut self, status: ExitStatus) {
        // Those that it has left behind, as long as their group has its number.
        self.kill_group();
        self.status = Some(status);
    }

    /// How its first process has ended, if it has.
    pub(super) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none()
            && let Some(status) = self.child.try_wait()?
        {
            self.ended(status);
        }
        Ok(self.status)
    }

    /// How its first process ends, if it does so in time.
    pub(super) fn wait_within(&mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        let deadline = Instant::now() + limit;
        loop {
            match self.try_wait()? {
                None if Instant::now() < deadline => thread::sleep(Duration::from_millis(1)),
                done => return Ok(done),
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.status.is_none() {
            self.kill();
            let _ = self.wait_within(GOES_WITHIN);
        }
        lock(&GROUPS).remove(&self.child.id().cast_signed());
    }
}

/// A path that is removed at the end, with all below it.
#[derive(Debug)]
pub(super) struct Fleeting {
    path: PathBuf,
    /// Locked as long as the path is there.
    _owner: Option<File>,
}

impl Fleeting {
    /// The path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Fleeting {
    fn drop(&mut self) {
        remove(&self.path);
        lock(&PATHS).remove(&self.path);
    }
}

/// Has `path` removed when the value is dropped, or the program interrupted.
pub(super) fn keep_until_end(path: PathBuf) -> Fleeting {
    lock(&PATHS).insert(path.clone());
    Fleeting { path, _owner: None }
}

/// How the names of this program's temporary folders begin.
const PREFIX: &str = "sockeye-";

/// The file in each that its owner has locked for as long as it lives.
const OWNER: &str = ".owner";

/// A temporary folder for what a machine leaves lying about. When this program is killed, whoever
/// sees that nobody owns the folder any more removes it.
pub(super) fn temporary_folder() -> io::Result<Fleeting> {
    loop {
        let mine = fs::Permissions::from_mode(0o700);
        let made = tempfile::Builder::new().prefix(PREFIX).permissions(mine).tempdir()?;
        let owner = File::create_new(made.path().join(OWNER))?;
        // Between the two, somebody may have taken it for one that nobody owns.
        if owner.try_lock().is_ok() && made.path().join(OWNER).is_file() {
            let path = made.keep();
            lock(&PATHS).insert(path.clone());
            return Ok(Fleeting { path, _owner: Some(owner) });
        }
    }
}

/// Removes the temporary folders in `place` that programs like this one made who are dead; whether all of them went.
pub(super) fn sweep(place: &Path) -> bool {
    let mut all = true;
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(PREFIX))
            && let Some(_owner) = abandoned(&entry)
        {
            all &= clear(&entry.path(), || ()).is_ok();
        }
    }
    all
}

/// Removes such a folder, the owner's file last: where somebody who is about to end has written into it meanwhile, it
/// is known the next time.
fn clear(folder: &Path, meanwhile: impl FnOnce()) -> io::Result<()> {
    for entry in fs::read_dir(folder)?.flatten() {
        if entry.file_name() != OWNER {
            let is_folder = entry.file_type()?.is_dir();
            let path = entry.path();
            if is_folder { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
        }
    }
    fs::remove_file(folder.join(OWNER))?;
    meanwhile();
    fs::remove_dir(folder).inspect_err(|_| drop(File::create_new(folder.join(OWNER))))
}

/// The owner's file of a folder of this user's, locked now, if nobody had locked it: as long as it is held nobody takes
/// the folder for their own.
fn abandoned(entry: &fs::DirEntry) -> Option<File> {
    let me = nix::unistd::geteuid().as_raw();
    let is_ours = |found: &fs::Metadata| found.uid() == me && found.mode() & 0o777 == 0o700;
    // Neither follows a symbolic link.
    if !entry.metadata().is_ok_and(|found| found.is_dir() && is_ours(&found)) {
        return None;
    }
    let owner = entry.path().join(OWNER);
    let mut options = File::options();
    let opened = options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(owner);
    opened.ok().filter(|owner| {
        let is_file = owner.metadata().is_ok_and(|found| found.is_file() && found.uid() == me);
        is_file && owner.try_lock().is_ok()
    })
}

fn remove(path: &Path) {
    let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
}

/// Runs a helper to its end and returns what it said; an interrupted program takes it along.
pub(super) fn run_quietly(command: &mut Command) -> io::Result<Output> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut group = Group::spawn(command)?;
    let errors = group.child.stderr.take();
    let errors = threads::start(move || {
        let mut text = Vec::new();
        if let Some(mut errors) = errors {
            let _ = errors.read_to_end(&mut text);
        }
        text
    })?;
    let mut stdout = Vec::new();
    if let Some(mut output) = group.child.stdout.take() {
        output.read_to_end(&mut stdout)?;
    }
    let status = group.child.wait()?;
    group.ended(status);
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
    guard::dismiss();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of all that is there only what such a program made, and its owner is dead.
    #[test]
    fn only_what_is_nobodys_is_swept_away() {
        let place = tempfile::tempdir().unwrap();
        let folder = |name: &str, owner: Option<&str>, access: u32| {
            let path = place.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::write(path.join("more"), "").unwrap();
            let owner = owner.map(|owner| File::create(path.join(owner)).unwrap());
            fs::set_permissions(&path, fs::Permissions::from_mode(access)).unwrap();
            owner
        };
        let lives = folder("sockeye-lives", Some(OWNER), 0o700).unwrap();
        lives.lock().unwrap();
        folder("sockeye-dead", Some(OWNER), 0o700);
        folder("sockeye-users", None, 0o700);
        folder("sockeye-shared", Some(OWNER), 0o755);
        folder("other", Some(OWNER), 0o700);
        fs::write(place.path().join("sockeye-file"), "").unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        File::create(elsewhere.path().join(OWNER)).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), place.path().join("sockeye-link")).unwrap();
        sweep(place.path());
        let mut left: Vec<String> = fs::read_dir(place.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        left.sort();
        let expected = [
            "other",
            "sockeye-file",
            "sockeye-link",
            "sockeye-lives",
            "sockeye-shared",
            "sockeye-users",
        ];
        assert_eq!(left, expected);
        assert!(elsewhere.path().join(OWNER).exists());
        drop(lives);
        sweep(place.path());
        assert!(!place.path().join("sockeye-lives").exists());
    }

    /// A machine that was killed may write until it is gone.
    #[test]
    fn what_is_still_written_to_is_swept_away_the_next_time() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("sockeye-dying");
        fs::create_dir_all(folder.join("sub")).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        File::create(folder.join(OWNER)).unwrap();
        let begins = std::sync::Barrier::new(2);
        let until = Instant::now() + Duration::from_millis(150);
        let write = |number: u32| File::create(folder.join(format!("{number}"))).is_ok();
        let mut stayed = false;
        thread::scope(|scope| {
            scope.spawn(|| {
                assert!(write(0));
                begins.wait();
                let mut number = 1;
                while write(number) && Instant::now() < until {
                    number += 1;
                }
            });
            begins.wait();
            while Instant::now() < until && folder.exists() {
                stayed |= !sweep(place.path());
            }
        });
        let gone = sweep(place.path());
        assert!(gone && !folder.exists(), "it had stayed before: {stayed}");
    }

    /// One in which something was written just before it would have gone is known the next time.
    #[test]
    fn what_did_not_go_has_its_owners_file() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("sockeye-dying");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        File::create(folder.join(OWNER)).unwrap();
        let late = || drop(File::create(folder.join("late")));
        assert!(clear(&folder, late).is_err());
        assert!(folder.join(OWNER).is_file() && folder.join("late").is_file());
        assert!(sweep(place.path()) && !folder.exists());
    }

    #[test]
    fn a_folder_is_there_until_it_is_dropped() {
        let made = temporary_folder().unwrap();
        let path = made.path().to_owned();
        sweep(path.parent().unwrap());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        drop(made);
        assert!(!path.exists());
    }
}
