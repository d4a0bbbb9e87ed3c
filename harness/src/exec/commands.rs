//! What a system's own commands say of the machine and its log.

use std::ffi::OsStr;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::environment::{Environment, Log, darwin};

/// The machine by what its commands say; one that is not there is said to be unknown.
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

fn said<S: AsRef<OsStr>>(argv: &[S]) -> Result<String, String> {
    let Some((program, rest)) = argv.split_first() else { return Err("no command".to_owned()) };
    let output = Command::new(program).args(rest).output();
    let name = program.as_ref().to_string_lossy();
    match output {
        Err(e) => Err(format!("{name}: {e}")),
        Ok(output) if !output.status.success() => Err(format!("{name}: {}", output.status)),
        Ok(output) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
    }
}

/// The log, from the moment on when this was made.
#[derive(Debug)]
pub struct KernelLog(SystemTime);

impl KernelLog {
    /// Begins to listen.
    pub fn begin() -> Self {
        Self(SystemTime::now())
    }

    /// All that was said since.
    pub fn end(self) -> Log {
        let seconds =
            |time: SystemTime| time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        match said(&darwin::log_show(seconds(self.0), seconds(SystemTime::now()) + 1)) {
            Ok(text) => darwin::log(&text),
            Err(why) => Log { lines: Vec::new(), missing: Some(why) },
        }
    }
}
