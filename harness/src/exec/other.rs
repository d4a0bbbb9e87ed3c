//! A system that sockeye has no lab and no names for: every case is skipped, and says so.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use libc::{c_int, sockaddr_storage, socklen_t};

use super::network::{Network, NoLab};
use crate::case::Sym;
use crate::case::lab::{Lab, LabOp};
use crate::environment::{Environment, Log, darwin};
use crate::trace::{Direction, LinkFact};

pub(super) type Request = libc::c_ulong;

pub(super) fn value(_: &str) -> Option<c_int> {
    None
}

pub(super) fn errno(value: c_int) -> Sym {
    Sym(format!("errno {value}").into())
}

pub(super) fn eai(value: c_int) -> Sym {
    Sym(format!("EAI {value}").into())
}

pub(super) fn eai_value(_: &str) -> Option<c_int> {
    None
}

pub(super) fn libc_name() -> String {
    String::new()
}

pub(super) fn see(_: &OwnedFd) -> Result<(), String> {
    Err("sockeye has no lab for this system yet".to_owned())
}

pub(super) fn control_name(level: c_int, kind: c_int) -> (String, String) {
    (level.to_string(), kind.to_string())
}

pub(super) fn set_family(storage: &mut sockaddr_storage, family: c_int, len: socklen_t) {
    storage.ss_family = family as libc::sa_family_t;
    storage.ss_len = len as u8;
}

pub(super) fn timeval(_: libc::time_t, _: u32) -> Vec<u8> {
    Vec::new()
}

/// `struct ip_mreq_source`: the source before the interface on the BSDs (xnu bsd/netinet/in.h).
pub(super) fn mreq_source(group: [u8; 4], interface: [u8; 4], source: [u8; 4]) -> Vec<u8> {
    [group, source, interface].concat()
}

/// `#pragma pack(4)` in xnu bsd/netinet/in.h.
pub(super) const BEFORE_STORAGE: usize = 0;

pub(super) fn isolate() -> Result<(), String> {
    Err("sockeye has no lab for this system yet".to_owned())
}

pub(super) fn stay(_: bool) {}

pub(super) mod init {
    pub(in crate::exec) fn is_first() -> bool {
        false
    }

    pub(in crate::exec) fn live() {}
}

pub(super) mod plant {
    use std::io;

    pub(in crate::exec) fn sendto_lies() -> io::Result<()> {
        Err(io::Error::other("faults can be planted on Linux only"))
    }

    pub(in crate::exec) fn happen(_: crate::exec::Mishap) -> io::Result<()> {
        sendto_lies()
    }
}

/// No lab ever stands here.
pub(super) enum NoSuchLab {}

impl Network for NoSuchLab {
    fn spec(&self) -> &Lab {
        match *self {}
    }
    fn enter(&mut self) -> Result<(), String> {
        match *self {}
    }
    fn files(&self) -> Option<Arc<OwnedFd>> {
        match *self {}
    }
    fn facts(&self) -> &[LinkFact] {
        match *self {}
    }
    fn step(&mut self, _: &LabOp) -> Result<(), String> {
        match *self {}
    }
    fn drain(&mut self, _: &mut dyn FnMut(&str, Direction, &[u8])) {
        match *self {}
    }
    fn restore(&mut self, _: bool) -> Result<bool, String> {
        match *self {}
    }
}

impl NoSuchLab {
    pub(super) fn make_files(&mut self) -> Result<(), String> {
        match *self {}
    }
}

#[derive(Default)]
pub(super) struct Labs;

impl Labs {
    pub(super) fn take(&mut self, _: &Lab) -> Result<NoSuchLab, NoLab> {
        Err(NoLab::Missing("sockeye has no lab for this system yet".to_owned()))
    }

    pub(super) fn put(&mut self, lab: NoSuchLab) {
        match lab {}
    }

    pub(super) fn discard(&mut self, lab: NoSuchLab) {
        match lab {}
    }
}

/// What commands of the system say.
pub(super) fn environment() -> Environment {
    let mut found = Environment { kernel: super::fingerprint().ok(), ..Environment::default() };
    for argv in darwin::COMMANDS {
        match said(argv) {
            Ok(text) => darwin::keep(&mut found, argv, &text),
            Err(why) => found.unknown.push(why),
        }
    }
    let name = nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned());
    found.private.hosts.extend(name);
    let users = ["USER", "LOGNAME", "SUDO_USER"].into_iter();
    found.private.users.extend(users.filter_map(|variable| std::env::var(variable).ok()));
    found
}

fn said<S: AsRef<std::ffi::OsStr>>(argv: &[S]) -> Result<String, String> {
    let Some((program, args)) = argv.split_first() else { return Err("no command".to_owned()) };
    let output = std::process::Command::new(program).args(args).output();
    let name = program.as_ref().to_string_lossy();
    match output {
        Err(e) => Err(format!("{name}: {e}")),
        Ok(output) if !output.status.success() => Err(format!("{name}: {}", output.status)),
        Ok(output) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
    }
}

/// The log, from the moment on when this was made.
#[derive(Debug)]
pub struct KernelLog(std::time::SystemTime);

impl KernelLog {
    /// Begins to listen.
    pub fn begin() -> Self {
        Self(std::time::SystemTime::now())
    }

    /// All that was said since.
    pub fn end(self) -> Log {
        let seconds = |time: std::time::SystemTime| {
            time.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
        };
        let now = std::time::SystemTime::now();
        match said(&darwin::log_show(seconds(self.0), seconds(now) + 1)) {
            Ok(text) => darwin::log(&text),
            Err(why) => Log { lines: Vec::new(), missing: Some(why) },
        }
    }
}
