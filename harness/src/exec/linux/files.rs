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

use crate::threads;

/// Makes a mount namespace in which `/etc` has these files and no others; or these in place of the
/// host's, the others being as they are (`beside`), which a program needs that is no lookup alone:
/// `ld.so.cache`, `passwd`, `ssl`, `alternatives`.
///
/// # Errors
/// One sentence: this host does not let the executor mount.
pub(super) fn make(files: &[(&str, String)], beside: bool) -> Result<OwnedFd, String> {
    // A thread of its own: the executor itself goes on seeing the host's files.
    in_a_thread(|| cover(files, beside))
        .and_then(|files| may_see(&files).map(|()| files))
        .map_err(|e| format!("names cannot be resolved by files of the lab's own: {e}"))
}

/// Whether the host lets a thread enter them, asked once.
fn may_see(files: &OwnedFd) -> Result<(), String> {
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

fn cover(files: &[(&str, String)], beside: bool) -> Result<OwnedFd, String> {
    unshare(CloneFlags::CLONE_NEWNS)
        .map_err(|e| format!("no new mount namespace: {}", e.desc()))?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>)
        .map_err(|e| format!("its mounts cannot be made private: {}", e.desc()))?;
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
    let namespace = "/proc/thread-self/ns/mnt";
    File::open(namespace).map(OwnedFd::from).map_err(|e| format!("{namespace}: {e}"))
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
pub(in crate::exec) fn see(files: &OwnedFd) -> Result<(), String> {
    // A thread that shares its root with others may not leave their mounts (setns(2)).
    unshare(CloneFlags::CLONE_FS | CloneFlags::CLONE_NEWUTS)
        .and_then(|()| setns(files, CloneFlags::CLONE_NEWNS))
        .and_then(|()| nix::unistd::sethostname("host"))
        .map_err(|e| format!("the lab's files cannot be entered: {}", e.desc()))
}
