//! Where a run is written: by one program at a time, and nothing is lost that was there before.
//!
//! A run's files lie in a folder beside the one where they shall be, `FOLDER.part`, until it has ended.
//! Whoever writes holds a lock on that folder, which goes with its process, however that ends. Then the
//! run that was there is set aside, `FOLDER.old`, the new one takes its place, and of the old one is
//! removed what sockeye wrote: each step leaves one of them whole.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Seek as _, SeekFrom};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result};
use nix::fcntl::OFlag;
use reports::runs::{self, Manifest, ReadError};

use crate::UsageError;

/// How the names of files begin that are not yet what they shall be.
pub(crate) const UNPLACED: &str = ".sockeye-";

/// How the name of the file begins that says who writes here.
const WRITER: &str = ".sockeye-writer-";

/// Says of a run that sockeye set it aside: another that is called so is the user's own.
const ASIDE: &str = ".sockeye-aside";

/// How many runs of one name may be written at once, where the name is not the user's.
const MOST_AT_ONCE: usize = 100;

/// A place that this process alone writes to.
pub(crate) struct Place {
    /// Where the run shall be.
    pub(crate) folder: PathBuf,
    /// Where it lies until it has ended.
    pub(crate) part: PathBuf,
    /// The lock, which is held as long as this is open.
    _lock: File,
}

/// Who else writes there.
struct Held(String);

impl Place {
    /// Claims `folder`, which must be a run, empty, or not there. Where it `may_differ` and somebody
    /// else writes there just now, it is the first of `folder-2`, `folder-3` … that is free.
    pub(crate) fn claim(folder: &Path, may_differ: bool) -> Result<Self> {
        // Without a slash at its end, behind which the other folder would be within this one.
        let folder: PathBuf = folder.components().collect();
        let Some(name) = folder.file_name() else {
            let what = format!("{} has no name of its own: give another folder", folder.display());
            return Err(UsageError(what).into());
        };
        for number in 1..=MOST_AT_ONCE {
            let mut name = name.to_owned();
            if number > 1 {
                name.push(format!("-{number}"));
            }
            match Self::of(&target(&folder.with_file_name(name))?)? {
                Ok(place) => return Ok(place),
                Err(Held(_)) if may_differ => {}
                Err(Held(who)) => {
                    let what = format!(
                        "{} is being written by {who}: wait for it, or give another folder",
                        folder.display()
                    );
                    return Err(UsageError(what).into());
                }
            }
        }
        let what = format!("{MOST_AT_ONCE} runs are being written beside {}", folder.display());
        Err(UsageError(what).into())
    }

    /// This very folder, or who holds it.
    fn of(folder: &Path) -> Result<Result<Self, Held>> {
        refuse_what_is_no_run(folder)?;
        let part = beside(folder, PART);
        let cannot = || format!("{} cannot be written", part.display());
        loop {
            if let Some(parent) = part.parent().filter(|p| !p.as_os_str().is_empty()) {
                fs::create_dir_all(parent).with_context(cannot)?;
            }
            match fs::create_dir(&part) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => refuse_a_link(&part)?,
                made => made.with_context(cannot)?,
            }
            let lock = File::open(&part).with_context(cannot)?;
            match lock.try_lock() {
                Err(TryLockError::WouldBlock) => return Ok(Err(Held(writer(&part)))),
                // A file system that has no locks, as some of the network have none.
                Ok(()) | Err(TryLockError::Error(_)) => {}
            }
            // Whoever had the lock may have put its folder in its place since.
            let is_it = |there: fs::Metadata| lock.metadata().is_ok_and(|m| m.ino() == there.ino());
            if !fs::metadata(&part).is_ok_and(is_it) {
                continue;
            }
            if recovered(folder, &part)? {
                continue;
            }
            refuse_what_is_no_run(&part)?;
            empty(&part);
            let writer = format!("{WRITER}{}", std::process::id());
            File::create(part.join(writer)).with_context(cannot)?;
            return Ok(Ok(Self { folder: folder.to_owned(), part, _lock: lock }));
        }
    }

    /// Puts the run in its place.
    pub(crate) fn take(&self) -> Result<()> {
        let _ = fs::remove_file(self.part.join(format!("{WRITER}{}", std::process::id())));
        let placed = || -> Result<()> {
            // Somebody may have put something into it meanwhile, which is no wrong usage.
            refuse_what_is_no_run(&self.folder).map_err(|e| anyhow::anyhow!("{e}"))?;
            if fs::symlink_metadata(&self.folder).is_err() {
                return Ok(fs::rename(&self.part, &self.folder)?);
            }
            let old = (1..).map(|n| match n {
                1 => beside(&self.folder, OLD),
                n => beside(&self.folder, &format!("{OLD}-{n}")),
            });
            let old = old.into_iter().find(|old| fs::symlink_metadata(old).is_err());
            let Some(old) = old else { return Ok(()) };
            File::create(self.folder.join(ASIDE))?;
            fs::rename(&self.folder, &old)?;
            if let Err(e) = fs::rename(&self.part, &self.folder) {
                fs::rename(&old, &self.folder)?;
                let _ = fs::remove_file(self.folder.join(ASIDE));
                return Err(e.into());
            }
            empty(&old);
            if fs::remove_dir(&old).is_err() {
                let (folder, old) = (self.folder.display(), old.display());
                errln!("sockeye: what else was in {folder} is in {old}");
            }
            Ok(())
        };
        placed().with_context(|| {
            let (folder, part) = (self.folder.display(), self.part.display());
            format!("{folder} cannot be replaced; the run is in {part}")
        })
    }

    /// Takes away what was written. Where that fails too, the first error is the one to tell.
    pub(crate) fn abandon(&self) {
        empty(&self.part);
        let _ = fs::remove_dir(&self.part);
    }
}

/// A folder for runs side by side, and a lock on it: where it `may_differ`, the first of `folder`,
/// `folder-2` … that nobody has by default. Each run within has a lock of its own.
pub(crate) fn shared(folder: &Path, may_differ: bool) -> Result<(PathBuf, Option<File>)> {
    if !may_differ {
        return Ok((folder.to_owned(), None));
    }
    for number in 1..=MOST_AT_ONCE {
        let folder =
            if number == 1 { folder.to_owned() } else { beside(folder, &format!("-{number}")) };
        let made = fs::create_dir_all(&folder).and_then(|()| File::open(&folder));
        let lock = made.with_context(|| format!("{} cannot be written", folder.display()))?;
        if !matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) {
            return Ok((folder, Some(lock)));
        }
    }
    Err(UsageError(format!("{MOST_AT_ONCE} runs are being written beside {}", folder.display()))
        .into())
}

/// Makes a folder, where there is none, to which this process alone writes as long as the lock is open.
pub(crate) fn alone(folder: &Path) -> Result<File> {
    let made = fs::create_dir_all(folder).and_then(|()| File::open(folder));
    locked(made.with_context(|| format!("{} cannot be made", folder.display()))?, folder)
}

fn locked(file: File, path: &Path) -> Result<File> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            let what = "is being written by another sockeye: wait for it, or give another";
            Err(UsageError(format!("{} {what}", path.display())).into())
        }
        // A file system that has no locks, as some of the network have none.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// A file of sockeye's own that goes on where it was: it is made, or emptied where it is a file. What is
/// there and is a link, which may lead anywhere, or no file, is left alone.
pub(crate) fn emptied(path: &Path) -> Result<File> {
    let file = there(path)?;
    file.set_len(0)?;
    Ok(file)
}

/// The same, and this process alone writes to it as long as it is open: it is not emptied before that is
/// known.
pub(crate) fn emptied_alone(path: &Path) -> Result<File> {
    let file = locked(there(path)?, path)?;
    file.set_len(0)?;
    Ok(file)
}

/// A file of sockeye's own that was begun so: what is written stands behind what is there.
pub(crate) fn continued(path: &Path) -> Result<File> {
    let mut file = there(path)?;
    file.seek(SeekFrom::End(0))?;
    Ok(file)
}

/// A file that is there as it was, or is made.
fn there(path: &Path) -> Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let mut how = File::options();
    // Not emptied before it is known what it is.
    how.write(true).create(true).truncate(false).custom_flags(flags.bits());
    let file = how.open(path).map_err(|e| {
        let link = fs::symlink_metadata(path).is_ok_and(|there| !there.is_file());
        if link { left_alone(path) } else { e.into() }
    });
    let file = file.with_context(|| format!("{} cannot be written", path.display()))?;
    if !file.metadata()?.is_file() {
        return Err(left_alone(path));
    }
    Ok(file)
}

fn left_alone(path: &Path) -> anyhow::Error {
    UsageError(format!("{} is there and is no file: it is left alone", path.display())).into()
}

/// What a title calls a run: its folder as it was given, or the end of that where the whole would say
/// who has made it (`/home/USER/…`).
pub(crate) fn called(folder: &Path) -> String {
    let below = folder.components().all(|part| matches!(part, Component::Normal(_)));
    let end = folder.file_name().filter(|_| !below).map(Path::new);
    end.unwrap_or(folder).display().to_string()
}

/// What is being written, until it has ended and takes its place.
pub(crate) const PART: &str = ".part";
/// The run that was there before.
pub(crate) const OLD: &str = ".old";

fn beside(folder: &Path, ending: &str) -> PathBuf {
    let mut name = folder.file_name().map_or_else(OsString::new, OsString::from);
    name.push(ending);
    folder.with_file_name(name)
}

/// What a folder is a link to: the link stays, and what it leads to is written.
fn target(folder: &Path) -> Result<PathBuf> {
    if !fs::symlink_metadata(folder).is_ok_and(|there| there.is_symlink()) {
        return Ok(folder.to_owned());
    }
    fs::canonicalize(folder).map_err(|e| {
        UsageError(format!("{} is a link that leads nowhere: {e}", folder.display())).into()
    })
}

fn refuse_a_link(folder: &Path) -> Result<(), UsageError> {
    match fs::symlink_metadata(folder) {
        Ok(there) if !there.is_dir() => Err(UsageError(format!(
            "{} is there and is no folder: it is left alone",
            folder.display()
        ))),
        _ => Ok(()),
    }
}

/// Who writes there, in a word or two.
fn writer(part: &Path) -> String {
    let names = fs::read_dir(part).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let mut names = names.filter_map(|name| name.into_string().ok());
    let number = names.find_map(|name| name.strip_prefix(WRITER)?.parse::<u32>().ok());
    number.map_or_else(
        || "another sockeye".to_owned(),
        |number| format!("another sockeye, process {number}"),
    )
}

/// Whether a run that was killed on its way to its place was put there, or the one before it.
fn recovered(folder: &Path, part: &Path) -> Result<bool> {
    if fs::symlink_metadata(folder).is_ok() {
        return Ok(false);
    }
    let ended =
        |manifest: Manifest| manifest.subjects.iter().all(|subject| subject.ended.is_some());
    if runs::manifest(part).is_ok_and(ended) {
        fs::rename(part, folder)?;
        return Ok(true);
    }
    let old = beside(folder, OLD);
    if old.join(ASIDE).is_file() && runs::manifest(&old).is_ok() {
        fs::rename(&old, folder)?;
        let _ = fs::remove_file(folder.join(ASIDE));
    }
    Ok(false)
}

/// What is replaced is a run and nothing but that: what else is in it is somebody's own.
fn refuse_what_is_no_run(folder: &Path) -> Result<()> {
    let refused = |why: &str| {
        let folder = folder.display();
        Err(UsageError(format!("{folder} is there and {why}: it is left alone")).into())
    };
    match fs::symlink_metadata(folder) {
        Err(_) => return Ok(()),
        Ok(there) if !there.is_dir() => return refused("is not a run"),
        Ok(_) => {}
    }
    let begun = || {
        let results = fs::metadata(folder.join(runs::RESULTS));
        let placed = |path: &PathBuf| !path.to_string_lossy().starts_with(UNPLACED);
        results.map_or_else(|_| !all(folder).iter().any(placed), |file| file.len() == 0)
    };
    let own = match runs::manifest(folder) {
        Ok(manifest) => own(Some(&manifest)),
        Err(ReadError::Newer { .. }) => own(None),
        // It has not even begun.
        Err(ReadError::NoRun { .. }) if begun() => own(None),
        Err(_) => return refused("is not a run"),
    };
    match all(folder).iter().find(|path| !own(path)) {
        Some(path) => refused(&format!("has more in it than a run, {}", path.display())),
        None => Ok(()),
    }
}

/// Whether a path below a run's folder is a file or a folder that sockeye wrote.
fn own(manifest: Option<&Manifest>) -> impl Fn(&Path) -> bool + use<> {
    let wire = Path::new(runs::WIRE);
    // A run of before may name none.
    let tables = manifest.filter(|manifest| !manifest.tables.is_empty()).map(|manifest| {
        let file = |table: &String| wire.join(format!("{table}.pcapng"));
        manifest.tables.keys().map(file).collect::<BTreeSet<PathBuf>>()
    });
    move |path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path == Path::new(runs::MANIFEST)
            || path == Path::new(runs::RESULTS)
            || path == Path::new(runs::WIRE)
            || name.starts_with(UNPLACED)
            || match &tables {
                Some(tables) => tables.iter().any(|table| table.starts_with(path)),
                None => path.starts_with(runs::WIRE),
            }
    }
}

/// Every path below a folder, those of a folder before it. Links are not followed.
fn all(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut within = vec![PathBuf::new()];
    while let Some(at) = within.pop() {
        for entry in fs::read_dir(folder.join(&at)).into_iter().flatten().flatten() {
            let path = at.join(entry.file_name());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                within.push(path.clone());
            }
            out.push(path);
        }
    }
    out.sort_by(|a, b| b.cmp(a));
    out
}

/// Removes what sockeye wrote below a folder, and nothing else.
fn empty(folder: &Path) {
    let own = own(runs::manifest(folder).ok().as_ref());
    for path in all(folder).iter().filter(|path| own(path)) {
        let path = folder.join(path);
        let _ = match fs::symlink_metadata(&path) {
            Ok(there) if there.is_dir() => fs::remove_dir(&path),
            _ => fs::remove_file(&path),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_title_does_not_say_whose_folder_it_was() {
        let all = ["runs/6.18", "/home/jqpublic/runs/6.18", "../jqpublic/6.18", "6.18"];
        assert_eq!(
            all.map(|folder| called(Path::new(folder))),
            ["runs/6.18", "6.18", "6.18", "6.18"]
        );
    }

    #[test]
    fn what_a_link_leads_to_is_not_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let [mine, link, fifo, own] =
            ["mine", "link", "fifo", "own"].map(|name| folder.path().join(name));
        fs::write(&mine, "mine").unwrap();
        symlink(&mine, &link).unwrap();
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        for path in [&link, &fifo, &folder.path().to_owned()] {
            let refused = emptied(path).expect_err("left alone").to_string();
            assert!(refused.contains("cannot be written"), "{refused}");
        }
        assert_eq!(fs::read_to_string(&mine).unwrap(), "mine");
        fs::write(&own, "of before").unwrap();
        assert_eq!(emptied(&own).unwrap().metadata().unwrap().len(), 0);
    }
}
