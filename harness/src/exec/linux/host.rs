//! The namespaces in which an executor works, and what this host lets it have.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::OnceLock;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::lessen::load_no_modules;
use super::limits;
use super::netlink::Netlink;
use super::settings::{self, Folder};
use super::sysctl;

/// Enters a new network namespace, inside a new user namespace when not root, so that the
/// process may change that network and no other, and learns what of the host's it has to reckon with.
///
/// # Errors
/// One sentence that names what is missing.
pub(in crate::exec) fn isolate() -> Result<(), String> {
    let descriptors = descriptors();
    let least = AN_EXECUTORS + A_LABS;
    if descriptors < least {
        return Err(format!(
            "RLIMIT_NOFILE is {descriptors}, an executor needs {least} descriptors: ulimit -n 1024"
        ));
    }
    // What is the whole host's is not to be seen from within.
    let of_the_host = limits::of_the_host();
    enter()?;
    first_network();
    load_no_modules().map_err(|e| format!("the right to load modules cannot be given up: {e}"))?;
    show_settings()?;
    if is_linux() {
        settings::look();
    }
    limits::look(&of_the_host, settings::taken_over().has_ipv6 && has_settings("ipv6"))
}

/// What is opened beside labs: streams, what a case opens itself.
const AN_EXECUTORS: usize = 48;

/// What a lab keeps open: its namespaces, sockets and counts of its own, the far ends of its links.
const A_LABS: usize = 12;

/// Of how many labs an executor can keep the descriptors open.
pub(super) fn labs_at_once() -> usize {
    descriptors().saturating_sub(AN_EXECUTORS) / A_LABS
}

/// How many descriptors this process may have, once that is as many as it may allow itself; a thousand
/// are enough, and more would be passed on to programs that use select(2).
fn descriptors() -> usize {
    const ENOUGH: u64 = 1024;
    static DESCRIPTORS: OnceLock<usize> = OnceLock::new();
    *DESCRIPTORS.get_or_init(|| {
        let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return ENOUGH as usize };
        let wanted = hard.min(ENOUGH);
        let raised = soft < wanted && setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).is_ok();
        usize::try_from(if raised { wanted } else { soft }).unwrap_or(usize::MAX)
    })
}

/// How many descriptors this process may let itself have.
pub(super) fn most_descriptors() -> u64 {
    getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(_, hard)| hard)
}

/// Enters a network of its own, and where it is not root user ids in which it is.
pub(super) fn enter() -> Result<(), String> {
    // With a working directory of its own, that of a case's files: threads that it starts have it, too.
    let alone = CloneFlags::CLONE_FS;
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    // A root without the capabilities has them in a user namespace of its own.
    if uid.is_root() && may_capture() && unshare(alone | CloneFlags::CLONE_NEWNET).is_ok() {
        return Ok(());
    }
    unshare(alone | CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)
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

/// The network that the executor has entered, in which no case sets anything.
fn first_network() -> Option<&'static File> {
    static FIRST: OnceLock<Option<File>> = OnceLock::new();
    FIRST.get_or_init(|| File::open("/proc/thread-self/ns/net").ok()).as_ref()
}

/// Enters a new network. It is made in the first one, and not in the lab in which the thread is: some settings a new
/// network takes over from the one that it is made in, such as how large its tables are
/// (`net.ipv4.tcp_child_ehash_entries`, `net/ipv4/tcp_ipv4.c` `tcp_set_hashinfo`). Where a container's filter refuses
/// `setns`, it is made where the thread is.
pub(super) fn enter_new_network() -> nix::Result<()> {
    match first_network().map(|first| setns(first, CloneFlags::CLONE_NEWNET)) {
        Some(Err(errno)) if is_linux() && errno != nix::Error::EPERM => return Err(errno),
        _ => {}
    }
    unshare(CloneFlags::CLONE_NEWNET)
}

/// Takes the thread out of the network of the lab in which it was made, so that it keeps none that has been
/// given up. Where it may not leave, it stays.
pub(in crate::exec) fn leave_lab() {
    let _ = unshare(CloneFlags::CLONE_NEWNET);
}

/// Whether this process may open a packet socket here, or whether it is for another reason that it may not.
fn may_capture() -> bool {
    limits::refusal(libc::AF_PACKET, socket2::Type::RAW, None) != Some(nix::errno::Errno::EPERM)
}

/// Writes `text` to a file of the kernel's in one write, as those want it.
pub(super) fn write_new(path: &str, text: &str) -> io::Result<()> {
    fs::OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes())
}

/// Whether this network has settings of a family; without IPv6 there are none of it.
pub(super) fn has_settings(family: &str) -> bool {
    Path::new("/proc/sys/net").join(family).is_dir()
}

/// Makes the network's settings visible and writable: `/proc` may be mounted without them
/// (`subset=pid`, proc(5)), and containers have them mounted read-only. Then the executor mounts one of
/// its own, in a mount namespace of its own, where it may.
fn show_settings() -> Result<(), String> {
    let setting = "/proc/sys/net/ipv4/conf/default/rp_filter";
    let writable = || fs::OpenOptions::new().write(true).open(setting).map(drop);
    let Err(why) = writable() else { return Ok(()) };
    // What only answers Linux's system calls (gVisor) has few of them.
    if has_settings("ipv4") && !Path::new("/proc/sys/net/ipv4/conf").exists() {
        return Ok(());
    }
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    unshare(CloneFlags::CLONE_NEWNS)
        .and_then(|()| mount(None::<&str>, "/", None::<&str>, private, None::<&str>))
        .and_then(|()| mount(Some("proc"), "/proc", Some("proc"), flags, None::<&str>))
        .map_err(|e| {
            let mend = "mount -t proc proc /proc, without subset=pid and not read-only";
            let said = "the settings of networks are not to be written";
            format!("{said} ({setting}: {why}), and no proc can be mounted ({}): {mend}", e.desc())
        })?;
    writable().map_err(|e| format!("{setting} cannot be written: {e}"))
}

/// Whether the kernel is Linux, and not something that answers its system calls (gVisor). That has
/// few settings or none: what they would forbid, it does not do. [`show_settings`] comes first.
pub(super) fn is_linux() -> bool {
    static SETTINGS: OnceLock<bool> = OnceLock::new();
    *SETTINGS.get_or_init(|| Path::new("/proc/sys/net/ipv4/conf").is_dir())
}

/// Sets what a fresh network namespace shall do differently, before it has any link: no
/// solicitations or detection of its own accord; no limit on the rate of ICMP errors,
/// which would make an outcome depend on what ran before; and the kernel's own default where it
/// takes over what the host has set (`rp_filter`) or counted from its memory (`tcp_rmem`).
/// `has_groups`: the case says itself who may open ping sockets.
pub(super) fn quiet_network(has_groups: bool) -> Result<(), String> {
    let mut ipv4 = vec![
        ("conf/all/rp_filter", "0"),
        ("conf/default/rp_filter", "0"),
        ("tcp_rmem", "4096 131072 6291456"),
        ("tcp_wmem", "4096 16384 4194304"),
        ("icmp_ratemask", "0"),
    ];
    // Ping sockets, which nobody may open by default: for the executor's own group, if the case has no word of it.
    if !has_groups {
        ipv4.push((sysctl::PING_GROUPS_FILE, "0 0"));
    }
    let ipv6 = [
        ("conf/default/accept_dad", "0"),
        ("conf/default/router_solicitations", "0"),
        ("icmp/ratelimit", "0"),
    ];
    // The first: a probe for a lost tail after two round trips, which take microseconds here:
    // nothing is lost. The second is there since Linux 5.1, where the limit is not the only one.
    set("ipv4", &ipv4, ("tcp_early_retrans", "0"))?;
    if !settings::taken_over().has_ipv6 {
        return Ok(());
    }
    set("ipv6", &ipv6, ("icmp/ratemask", "\n"))
}

/// Sets a family's settings, what it took over from the host, and one setting that not every kernel has.
fn set(family: &str, settings: &[(&str, &str)], other: (&str, &str)) -> Result<(), String> {
    let path = format!("/proc/sys/net/{family}");
    let folder = match Folder::of(family) {
        Err(e) if is_linux() => return Err(format!("{path} cannot be opened: {e}")),
        Err(_) => return Ok(()),
        Ok(folder) => folder,
    };
    let taken_over = settings::taken_over().conf.iter().filter(|setting| setting.family == family);
    let taken_over = taken_over.map(|setting| (setting.name.as_str(), setting.value.as_str()));
    for (name, value) in taken_over.chain(settings.iter().copied()) {
        match folder.write(name, value) {
            Err(e) if is_linux() => {
                return Err(format!("{path}/{name} cannot be set to {value}: {e}"));
            }
            _ => {}
        }
    }
    let _ = folder.write(other.0, other.1);
    Ok(())
}

/// Gives a new link the kernel's own way with neighbours, where the host has another.
pub(super) fn quiet_link(link: &str) -> Result<(), String> {
    for settings::Setting { family, name, value } in &settings::taken_over().neigh {
        let path = format!("/proc/sys/net/{family}/neigh/{link}/{name}");
        match write_new(&path, value) {
            // Over links with a small MTU there is no IPv6.
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(format!("{path} cannot be set to {value}: {e}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Lets packets leave a new link in the order in which they were sent, where the host's own links have
/// another (`net.core.default_qdisc`). Asked of the first link: the setting is the whole host's, and not
/// to be read everywhere.
pub(super) fn queue_as_usual(netlink: &mut Netlink, index: u32) -> Result<(), String> {
    const USUAL: &str = "pfifo_fast";
    static OTHERWISE: OnceLock<bool> = OnceLock::new();
    if !is_linux() {
        return Ok(());
    }
    let has_another = || {
        let queue = netlink.queue(index).ok().flatten();
        queue.is_some_and(|queue| ![USUAL, "noqueue", "noop"].contains(&queue.as_str()))
    };
    if !*OTHERWISE.get_or_init(has_another) {
        return Ok(());
    }
    netlink.set_queue(index, USUAL).map_err(|e| format!("queue {USUAL}: {e}"))
}
