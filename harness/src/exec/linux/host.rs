//! The namespaces in which an executor works, and what this host lets it have.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::OnceLock;

use nix::fcntl::{OFlag, openat};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::Mode;

/// Enters a new network namespace, inside a new user namespace when not root, so that the
/// process may change that network and no other.
///
/// # Errors
/// One sentence that names what is missing.
pub(in crate::exec) fn isolate() -> Result<(), String> {
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    if uid.is_root() && unshare(CloneFlags::CLONE_NEWNET).is_ok() {
        return Ok(());
    }
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)
        .map_err(|e| format!("no new user and network namespace: {}", e.desc()))?;
    // Without the second, a group map may not be written (user_namespaces(7)).
    let maps = [
        ("uid_map", format!("0 {uid} 1")),
        ("setgroups", "deny".to_owned()),
        ("gid_map", format!("0 {gid} 1")),
    ];
    for (file, text) in maps {
        write_new(&format!("/proc/self/{file}"), &text)
            .map_err(|e| format!("the user namespace cannot be set up ({file}): {e}"))?;
    }
    Ok(())
}

/// Writes `text` to a file of the kernel's in one write, as those want it.
pub(super) fn write_new(path: &str, text: &str) -> io::Result<()> {
    fs::OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes())
}

/// Whether the kernel is Linux, and not something that answers its system calls (gVisor). That has
/// few settings or none: what they would forbid, it does not do.
pub(super) fn is_linux() -> bool {
    static SETTINGS: OnceLock<bool> = OnceLock::new();
    *SETTINGS.get_or_init(|| Path::new("/proc/sys/net/ipv4/conf").is_dir())
}

/// Sets what a fresh network namespace shall do differently, before it has any link: no
/// solicitations or detection of its own accord; no limit on the rate of ICMP errors,
/// which would make an outcome depend on what ran before; and the kernel's own default where it
/// takes over what the host has set (`rp_filter`) or counted from its memory (`tcp_rmem`).
pub(super) fn quiet_network() -> Result<(), String> {
    let ipv4 = [
        ("conf/all/rp_filter", "0"),
        ("conf/default/rp_filter", "0"),
        ("tcp_rmem", "4096 131072 6291456"),
        ("tcp_wmem", "4096 16384 4194304"),
        ("icmp_ratemask", "0"),
        // Ping sockets, which nobody may open by default: for the executor's own group.
        ("ping_group_range", "0 0"),
    ];
    let ipv6 = [
        ("conf/default/accept_dad", "0"),
        ("conf/default/router_solicitations", "0"),
        ("icmp/ratelimit", "0"),
    ];
    // The first: a probe for a lost tail after two round trips, which take microseconds here:
    // nothing is lost. The second is there since Linux 5.1, where the limit is not the only one.
    set("ipv4", &ipv4, ("tcp_early_retrans", "0"))?;
    set("ipv6", &ipv6, ("icmp/ratemask", "\n"))
}

/// Sets a family's settings, and one that not every kernel has. The directory is opened once: in
/// that of all families the kernel looks up a name among those of every network namespace of the
/// host, one by one (`fs/proc/proc_sysctl.c` `proc_sys_compare`).
fn set(family: &str, settings: &[(&str, &str)], other: (&str, &str)) -> Result<(), String> {
    let path = format!("/proc/sys/net/{family}");
    let folder = match File::open(&path) {
        Err(e) if is_linux() => return Err(format!("{path} cannot be opened: {e}")),
        Err(_) => return Ok(()),
        Ok(folder) => folder,
    };
    let write = |name: &str, value: &str| -> io::Result<()> {
        let flags = OFlag::O_WRONLY | OFlag::O_CLOEXEC;
        File::from(openat(&folder, name, flags, Mode::empty())?).write_all(value.as_bytes())
    };
    for (name, value) in settings {
        match write(name, value) {
            Err(e) if is_linux() => {
                return Err(format!("{path}/{name} cannot be set to {value}: {e}"));
            }
            _ => {}
        }
    }
    let _ = write(other.0, other.1);
    Ok(())
}
