//! The folder in which the files of a case lie: its Unix sockets, and what it makes beside them.
//!
//! It is new for each case, and the executor's working directory while the case runs, in whichever of its threads
//! makes a call. Paths of a case are plain and lead nowhere else.

use std::env;
use std::fs::{self, File, Permissions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nix::fcntl::AT_FDCWD;
use nix::sys::stat::{FchmodatFlags, Mode, fchmodat};
use nix::unistd::{fchdir, mkdir, symlinkat, unlink};
use tempfile::TempDir;

use super::gave::{Fault, Gave, plain};
use super::os;
use crate::case::{Case, Op};

/// A folder that has been entered. Behind it the executor is where it was, and the folder is gone.
pub(super) struct Folder {
    before: Option<File>,
    /// The same, by which nothing in it can be changed: of a file system of its own.
    read_only: Option<OwnedFd>,
    /// One of the host's, which goes with it.
    made: Option<TempDir>,
}

impl Folder {
    /// Enters a new one: of a file system of its own where the host lets the executor have one, else among the host's
    /// temporary ones.
    ///
    /// # Errors
    /// One sentence: this host has no room for files.
    pub(super) fn enter() -> Result<Self, String> {
        let before = File::open(".").ok();
        if let Ok([root, read_only]) = os::files_of_its_own() {
            entered(&root)?;
            return Ok(Self { before, read_only: Some(read_only), made: None });
        }
        let none = |e: std::io::Error| format!("no folder can be made for the case's files: {e}");
        let made = tempfile::Builder::new().prefix("sockeye-").tempdir().map_err(none)?;
        env::set_current_dir(made.path()).map_err(none)?;
        Ok(Self { before, read_only: None, made: Some(made) })
    }

    /// Enters a new one for a case. Where that acts for other users they find by name what lies in it: else they would
    /// not, whatever its mode.
    ///
    /// # Errors
    /// As [`Self::enter`].
    pub(super) fn of(case: &Case) -> Result<Self, String> {
        let folder = Self::enter()?;
        if case.acts_for_others() {
            let _ = fs::set_permissions(".", Permissions::from_mode(0o711));
        }
        Ok(folder)
    }

    /// Lets nothing in it be made or taken away from now on.
    ///
    /// # Errors
    /// One sentence: it is one of the host's.
    pub(super) fn make_read_only(folder: Option<&Self>) -> Result<(), String> {
        match folder.and_then(|folder| folder.read_only.as_ref()) {
            Some(read_only) => entered(read_only),
            None => Err("the case's folder is among files of the host's".to_owned()),
        }
    }
}

fn entered(folder: &OwnedFd) -> Result<(), String> {
    fchdir(folder).map_err(|e| format!("the case's folder cannot be entered: {}", e.desc()))
}

impl Drop for Folder {
    fn drop(&mut self) {
        let back = self.before.as_ref().is_some_and(|before| fchdir(before).is_ok());
        if !back {
            let _ = env::set_current_dir(Path::new("/"));
        }
        if let Some(made) = &self.made {
            open_up(made.path());
        }
    }
}

/// Lets all folders below this one be emptied, whatever mode a case has given them.
fn open_up(folder: &Path) {
    let _ = fs::set_permissions(folder, Permissions::from_mode(0o700));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

/// Makes one of the calls that are about files.
pub(super) fn call(op: &Op) -> Result<Gave, Fault> {
    let bits = |mode: &u32| Mode::from_bits_truncate(*mode as libc::mode_t);
    let done = match op {
        Op::Mkdir { path, mode } => mkdir(path.as_str(), bits(mode)),
        Op::Unlink { path } => unlink(path.as_str()),
        Op::Symlink { target, path } => symlinkat(target.as_str(), AT_FDCWD, path.as_str()),
        Op::Chmod { path, mode } => {
            fchmodat(AT_FDCWD, path.as_str(), bits(mode), FchmodatFlags::FollowSymlink)
        }
        _ => return Err(Fault::Broken(format!("{} is about no file", op.call()))),
    };
    Ok(plain(done.map(|()| 0).map_err(|errno| errno as libc::c_int)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a case leaves it that nobody else can take away.
    #[test]
    fn what_nobody_may_enter_is_gone_all_the_same() {
        let made = tempfile::tempdir().unwrap();
        let (within, deeper) = (made.path().join("d"), made.path().join("d/e"));
        fs::create_dir_all(&deeper).unwrap();
        fs::write(deeper.join("f"), "x").unwrap();
        for folder in [&deeper, &within] {
            fs::set_permissions(folder, Permissions::from_mode(0o0)).unwrap();
        }
        open_up(made.path());
        let mode = |of: &Path| fs::metadata(of).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&within), mode(&deeper)), (0o700, 0o700));
        let path = made.path().to_owned();
        drop(made);
        assert!(!path.exists());
    }
}
