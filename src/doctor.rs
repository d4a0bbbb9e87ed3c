//! `sockeye doctor`: what this host can do, and the command that mends what it cannot.

mod macos;

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Result;
use harness::case::{Case, Flags, Lab, LinkKind, Op, Os, Threads};
use harness::subject;
use harness::trace::End;

use crate::out::Paint as _;
use crate::{Status, run};

/// One thing that sockeye needs, or that makes it more useful.
struct Check {
    what: &'static str,
    /// Why not, if not.
    missing: Option<String>,
    /// The command that mends it.
    mend: Option<String>,
    /// Whether cases are skipped without it.
    needed: bool,
}

/// Looks, says, and fails if something needed is missing.
pub(crate) fn doctor() -> Result<Status> {
    let kernel = subject::fingerprint(&run::native()?)?;
    outln!(
        "{} {} {}, platform {}, {}effective user {}",
        kernel.system,
        kernel.release,
        kernel.machine,
        kernel.platforms()[0],
        if kernel.libc.is_empty() { String::new() } else { format!("{}, ", kernel.libc) },
        kernel.euid
    );
    if let Some(product) = &kernel.product {
        outln!("macOS {}, build {}", product.version, product.build);
    }
    let mut checks = match Os::host() {
        Some(Os::Macos) => macos::checks(&kernel)?,
        _ => vec![
            namespaces()?,
            tun()?,
            files()?,
            program("cc", "cc: compiles C reproducers", "gcc"),
            tshark(),
            qemu(),
            apt(),
        ],
    };
    // Each costs the cases that it concerns, and no others.
    checks.extend(kernel.limits.iter().map(|limit| Check {
        what: "the host's configuration is what rows were observed under",
        missing: Some(limit.why.clone()),
        mend: Some(limit.mend.clone()),
        needed: false,
    }));
    for check in &checks {
        match &check.missing {
            None => outln!("{}  {}", "ok".green(), check.what),
            Some(why) => {
                outln!("{}  {}: {why}", "no".red(), check.what);
                if let Some(mend) = &check.mend {
                    outln!("    mend: {mend}");
                }
            }
        }
    }
    let unmet = checks.iter().any(|check| check.needed && check.missing.is_some());
    Ok(if unmet { Status::Harness } else { Status::Expected })
}

/// Takes away what labs left that were killed.
pub(crate) fn clean() -> Result<Status> {
    let lines = harness::exec::clean().map_err(anyhow::Error::msg)?;
    if lines.is_empty() {
        outln!("nothing is left");
    }
    for line in lines {
        outln!("{line}");
    }
    Ok(Status::Expected)
}

/// Why the executor cannot make `lab` here, or not take these steps in it.
fn missing(lab: Lab, ops: Vec<Op>) -> Result<Option<String>> {
    let (catalogue, window_ms) = (Vec::new(), 0);
    let (id, title) = ("doctor".to_owned(), String::new());
    let case = Case { id, title, catalogue, lab, ops, window_ms, threads: Threads::NONE };
    let traces = subject::run(&run::native()?, &[&case], 1, &|_, _| ())?;
    Ok(traces.into_iter().find_map(|trace| match trace.end {
        End::Skipped { reason } | End::Broken { reason } => Some(reason),
        End::Died { how } => Some(how),
        End::Done | End::Unsupported | End::Hung => None,
    }))
}

/// What mends what the executor says of its own surroundings, whichever lab was asked for.
fn surroundings(why: &str) -> Option<String> {
    let mends = [
        ("RLIMIT_NOFILE", "ulimit -n 1024"),
        (
            "sockets are refused",
            "start the container with --security-opt seccomp=unconfined, or lift RestrictAddressFamilies= \
             of the service",
        ),
        ("no proc can be mounted", "umount /proc && mount -t proc proc /proc"),
        // A root that is none of the kernel's mounts: chroot leaves it so, pivot_root and containers do not.
        (
            "mounts cannot be made private: Invalid argument",
            "mount --bind ROOT ROOT before chroot ROOT, or start a container",
        ),
        ("mounted at /etc: No such file", "mkdir /etc"),
    ];
    let mend = mends.into_iter().find(|(word, _)| why.contains(word));
    mend.map(|(_, mend)| mend.to_owned())
}

fn setting(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

fn namespaces() -> Result<Check> {
    let missing = missing(Lab::loopback(), Vec::new())?;
    let mend = missing.as_ref().map(|why| {
        if let Some(mend) = surroundings(why) {
            return mend;
        }
        // Ubuntu 24.04 and later; Debian before 11; anywhere.
        let settings = [
            ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
            ("kernel.unprivileged_userns_clone", "0", "1"),
            ("user.max_user_namespaces", "0", "15000"),
            ("user.max_net_namespaces", "0", "15000"),
        ];
        let bad = settings.iter().find(|(name, bad, _)| {
            setting(&format!("/proc/sys/{}", name.replace('.', "/"))).as_deref() == Some(bad)
        });
        match bad {
            Some((name, _, good)) => format!("sudo sysctl -w {name}={good}"),
            None => "run as root, or in a container started with --privileged".to_owned(),
        }
    });
    let what = "user and network namespaces: isolated labs without root";
    Ok(Check { what, missing, mend, needed: true })
}

fn tun() -> Result<Check> {
    let missing = missing(Lab::one(LinkKind::Tap, "doctor0"), Vec::new())?;
    let path = Path::new("/dev/net/tun");
    let ask = || fs::OpenOptions::new().read(true).write(true).open(path);
    let mend = missing.as_ref().map(|why| {
        surroundings(why).unwrap_or_else(|| match ask() {
            Err(e) if e.kind() == ErrorKind::PermissionDenied => {
                "sudo chmod 0666 /dev/net/tun".to_owned()
            }
            Err(e) if e.kind() == ErrorKind::NotFound && setting("/proc/modules").is_none() => {
                "start the container with --device /dev/net/tun".to_owned()
            }
            Err(_) => "sudo modprobe tun".to_owned(),
            Ok(_) => "see the line above: links need the namespaces".to_owned(),
        })
    });
    Ok(Check { what: "/dev/net/tun: links and frames", missing, mend, needed: true })
}

fn files() -> Result<Check> {
    let flags = Flags::of(&["AI_NUMERICHOST"]);
    let lookup = Op::Getaddrinfo {
        node: Some("127.0.0.1".to_owned()),
        service: None,
        family: "AF_INET".into(),
        r#type: Flags::NONE,
        flags,
    };
    let missing = missing(Lab::loopback(), vec![lookup])?;
    let none_left = setting("/proc/sys/user/max_mnt_namespaces").as_deref() == Some("0");
    let mend = missing.as_ref().map(|why| {
        if let Some(mend) = surroundings(why) {
            return mend;
        }
        let no_limit = "sudo sysctl -w user.max_mnt_namespaces=15000";
        let anywhere = "run as root, or in a container started with --privileged";
        if none_left { no_limit } else { anywhere }.to_owned()
    });
    let what = "a mount namespace: names resolved by files of the lab's own";
    Ok(Check { what, missing, mend, needed: true })
}

fn program(name: &str, what: &'static str, package: &str) -> Check {
    let missing = (!installed(name)).then(|| format!("{name} is not installed"));
    let mend = if installed("apt-get") {
        format!("sudo apt-get install {package}")
    } else {
        format!("install it (Debian has it in {package})")
    };
    Check { what, mend: missing.as_ref().map(|_| mend), missing, needed: false }
}

fn installed(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

fn qemu() -> Check {
    let what = if subject::is_accelerated() {
        "qemu-system-x86_64: other kernels, with KVM"
    } else {
        "qemu-system-x86_64: other kernels, emulated"
    };
    program("qemu-system-x86_64", what, "qemu-system-x86")
}

/// Packaged kernels, User-Mode Linux and gVisor among them, come by apt.
fn apt() -> Check {
    let missing = subject::packages_missing();
    Check {
        what: "apt and dpkg-deb: packaged kernels, User-Mode Linux, gVisor",
        mend: missing.as_ref().and_then(|missing| missing.mend.clone()),
        missing: missing.map(|missing| missing.why),
        needed: false,
    }
}

fn tshark() -> Check {
    program("tshark", "tshark: reads the frames that a run leaves behind", "tshark")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_without_what_names_need_has_a_mend_of_its_own() {
        // Said in a chroot of an empty folder, and in an empty root; a refusal is neither.
        let chroot = "names cannot be resolved by files of the lab's own: its mounts cannot be made \
                      private: Invalid argument";
        assert!(surroundings(chroot).unwrap().starts_with("mount --bind"));
        let bare = "no tmpfs can be mounted at /etc: No such file or directory";
        assert_eq!(surroundings(bare).as_deref(), Some("mkdir /etc"));
        assert_eq!(surroundings("no new mount namespace: Operation not permitted"), None);
    }
}
