//! The files by which names are resolved, in a mount namespace of their own.
//!
//! glibc reads `/etc/resolv.conf`, `/etc/hosts`, `/etc/nsswitch.conf`, `/etc/gai.conf`,
//! `/etc/host.conf` and `/etc/services`, and asks daemons behind sockets in `/run` (nscd(8),
//! systemd-resolved). All of `/etc` and `/run` is covered, so that it does not matter which of
//! them the host has, or whether one is a symbolic link.

use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::stat::{fstat, stat};
use nix::unistd::{chroot, fchdir};

use crate::threads;

/// Files that a thread may see in place of the host's.
#[derive(Debug)]
pub(in crate::exec) struct Files {
    /// The mount namespace that has them.
    mounts: OwnedFd,
    /// The root that the executor has in it.
    root: OwnedFd,
}

/// Makes a mount namespace in which `/etc` has these files and no others; or these in place of the
/// host's, the others being as they are (`beside`), which a program needs that is no lookup alone:
/// `ld.so.cache`, `passwd`, `ssl`, `alternatives`.
///
/// # Errors
/// One sentence: this host does not let the executor mount.
pub(super) fn make(files: &[(&str, String)], beside: bool) -> Result<Files, String> {
    // A thread of its own: the executor itself goes on seeing the host's files.
    in_a_thread(|| cover(files, beside))
        .and_then(|files| may_see(&files).map(|()| files))
        .map_err(|e| format!("names cannot be resolved by files of the lab's own: {e}"))
}

/// Whether the host lets a thread enter them, asked once.
fn may_see(files: &Files) -> Result<(), String> {
    static MAY: OnceLock<Result<(), String>> = OnceLock::new();
    MAY.get_or_init(|| in_a_thread(|| see(files))).clone()
}

/// Of its own, which ends behind it.
fn in_a_thread<T: Send>(work: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = threads::start_in(scope, work).map_err(|e| e.to_string())?;
        thread.join().unwrap_or_else(|_| Err("its thread panicked".to_owned()))
    })
}

/// The root of a new file system that nobody else sees, empty, which is gone with the last that is in it: no name
/// leads out of it, and it outlives no executor. Twice: by the second nothing in it can be changed.
///
/// # Errors
/// One sentence: this host does not let the executor mount.
pub(in crate::exec) fn files_of_its_own() -> Result<[OwnedFd; 2], String> {
    /// Where something is mounted in a namespace that ends at once.
    const AT: &str = "/proc";
    static MAY: OnceLock<Result<(), String>> = OnceLock::new();
    if let Some(Err(reason)) = MAY.get() {
        return Err(reason.clone());
    }
    let made = in_a_thread(|| {
        private()?;
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        mount(Some("sockeye"), AT, Some("tmpfs"), flags, Some("mode=0700,size=1m"))
            .map_err(|e| format!("no tmpfs can be mounted: {}", e.desc()))?;
        let opened = || {
            let opened = File::open(AT).map(OwnedFd::from);
            opened.map_err(|e| format!("a tmpfs cannot be opened: {e}"))
        };
        let whole = opened()?;
        let bind = MsFlags::MS_BIND;
        mount(Some(AT), AT, None::<&str>, bind, None::<&str>)
            .and_then(|()| {
                let read_only = bind | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY | flags;
                mount(None::<&str>, AT, None::<&str>, read_only, None::<&str>)
            })
            .map_err(|e| format!("a tmpfs cannot be made read-only: {}", e.desc()))?;
        Ok([whole, opened()?])
    });
    let _ = MAY.set(made.as_ref().map(|_| ()).map_err(Clone::clone));
    made
}

/// Leaves the host's mounts for copies of them that are the thread's own.
fn private() -> Result<(), String> {
    unshare(CloneFlags::CLONE_NEWNS)
        .map_err(|e| format!("no new mount namespace: {}", e.desc()))?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>)
        .map_err(|e| format!("its mounts cannot be made private: {}", e.desc()))
}

/// Does so for the calling thread.
pub(super) fn cover(files: &[(&str, String)], beside: bool) -> Result<Files, String> {
    private()?;
    let empty = |path: &str| {
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        mount(Some("sockeye"), path, Some("tmpfs"), flags, Some("mode=0755"))
            .map_err(|e| format!("no tmpfs can be mounted at {path}: {}", e.desc()))
    };
    let moved = |from: &str, to: &str, how| {
        mount(Some(from), to, None::<&str>, how, None::<&str>)
            .map_err(|e| format!("{from} cannot be seen at {to}: {}", e.desc()))
    };
    // Aside for now, where nothing is looked for: covered it could be bound with its cover alone. With
    // what is mounted within it, which in containers are files.
    if beside {
        moved("/etc", "/proc", MsFlags::MS_BIND | MsFlags::MS_REC)?;
    }
    empty("/etc")?;
    if beside {
        fs::create_dir(HOSTS).map_err(|e| format!("{HOSTS}: {e}"))?;
        moved("/proc", HOSTS, MsFlags::MS_MOVE)?;
        let ours: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        keep(&ours).map_err(|e| format!("the files of /etc cannot be kept: {e}"))?;
    }
    for path in ["/run", "/var/run"] {
        if fs::symlink_metadata(path).is_ok_and(|found| found.is_dir()) {
            empty(path)?;
        }
    }
    for (name, text) in files {
        write(&Path::new("/etc").join(name), text).map_err(|e| format!("/etc/{name}: {e}"))?;
    }
    let opened = |path| File::open(path).map(OwnedFd::from).map_err(|e| format!("{path}: {e}"));
    Ok(Files { mounts: opened("/proc/thread-self/ns/mnt")?, root: opened("/")? })
}

/// Lets all in `/etc` but `ours` be what it is on the host: links to that, which is at [`HOSTS`].
fn keep(ours: &[&str]) -> std::io::Result<()> {
    for entry in fs::read_dir(HOSTS)?.flatten() {
        let name = entry.file_name();
        if ours.iter().any(|known| name == *known) {
            continue;
        }
        // Where a link leads is counted from where it stands.
        let target = if entry.file_type()?.is_symlink() {
            fs::read_link(entry.path())?
        } else {
            entry.path()
        };
        symlink(target, Path::new("/etc").join(name))?;
    }
    Ok(())
}

/// Where the host's `/etc` is within that of a program.
const HOSTS: &str = "/etc/.host";

/// Writes a file with a time that no other one has: glibc takes two files for the same one by their
/// inode, size and times (`io/tst-file_change_detection.c`), and those of two fresh tmpfs are.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    static WRITTEN: AtomicU64 = AtomicU64::new(1_000_000_000);
    fs::write(path, text)?;
    let time = Duration::from_secs(WRITTEN.fetch_add(1, Ordering::Relaxed));
    File::options().write(true).open(path)?.set_modified(SystemTime::UNIX_EPOCH + time)
}

/// Makes these the files that the calling thread sees, and gives it a host name without a domain, which
/// glibc would search. It shall be no executor's first thread, since there is no way back.
pub(in crate::exec) fn see(files: &Files) -> Result<(), String> {
    // A thread that shares its root with others may not leave their mounts (setns(2)).
    unshare(CloneFlags::CLONE_FS | CloneFlags::CLONE_NEWUTS)
        .and_then(|()| setns(&files.mounts, CloneFlags::CLONE_NEWNS))
        .and_then(|()| stay_in(&files.root))
        .and_then(|()| nix::unistd::sethostname("host"))
        .map_err(|e| format!("the lab's files cannot be entered: {}", e.desc()))
}

/// Has the executor's own root again: who enters mounts has the root of those (setns(2)), which is another one where the
/// executor was started by chroot(8), and there are other files.
fn stay_in(root: &OwnedFd) -> nix::Result<()> {
    let (wanted, found) = (fstat(root)?, stat("/")?);
    if (wanted.st_dev, wanted.st_ino) == (found.st_dev, found.st_ino) {
        return Ok(());
    }
    fchdir(root)?;
    chroot(".")
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;
    use crate::exec::folder::Folder;

    /// In a root of chroot(8)'s lookups had the host's files, and no name server of the lab's.
    #[test]
    fn the_files_are_those_of_the_root_that_it_has() {
        let work = || {
            let said = |e: nix::Error| e.to_string();
            unshare(CloneFlags::CLONE_FS).map_err(said)?;
            private()?;
            // A root of its own, in which there is an /etc and what is asked of the kernel.
            let root = tempfile::tempdir().map_err(|e| e.to_string())?;
            for folder in ["etc", "proc"] {
                fs::create_dir(root.path().join(folder)).map_err(|e| e.to_string())?;
            }
            let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
            let bound = |from: &Path, to: &Path| {
                mount(Some(from), to, None::<&str>, bind, None::<&str>).map_err(said)
            };
            bound(root.path(), root.path())?;
            bound(Path::new("/proc"), &root.path().join("proc"))?;
            chroot(root.path()).and_then(|()| nix::unistd::chdir("/")).map_err(said)?;
            let files = make(&[("hosts", "the lab's".to_owned())], false)?;
            in_a_thread(|| {
                unshare(CloneFlags::CLONE_FS).map_err(said)?;
                see(&files)?;
                fs::read_to_string("/etc/hosts").map_err(|e| e.to_string())
            })
        };
        match in_a_thread(work) {
            // Who may not mount has no such files.
            Err(why) if !nix::unistd::geteuid().is_root() => eprintln!("skipped: {why}"),
            said => assert_eq!(said.as_deref(), Ok("the lab's")),
        }
    }

    /// Files are made in it, another thread sees them, nothing leads out, and behind it nothing is left.
    #[test]
    fn a_case_has_a_folder_of_its_own() {
        let work = || {
            unshare(CloneFlags::CLONE_FS).map_err(|e| e.to_string())?;
            let before = std::env::current_dir().map_err(|e| e.to_string())?;
            let folder = Folder::enter()?;
            let _socket = UnixDatagram::bind("s").map_err(|e| e.to_string())?;
            let seen = in_a_thread(|| Ok(Path::new("s").exists()))?;
            let read_only = Folder::make_read_only(Some(&folder));
            let more = UnixDatagram::bind("t").map_err(|e| e.raw_os_error());
            let kept = more.err() == Some(Some(libc::EROFS)) && Path::new("s").exists();
            let of_its_own = files_of_its_own().is_ok();
            let out = Path::new("../s").exists();
            drop(folder);
            let after = std::env::current_dir().map_err(|e| e.to_string())?;
            let alike = (out == of_its_own, read_only.is_ok() == of_its_own, kept == of_its_own);
            Ok((seen, alike, before == after, Path::new("s").exists()))
        };
        // The root of a file system of its own is its own parent.
        assert_eq!(in_a_thread(work), Ok((true, (true, true, true), true, false)));
    }
}
