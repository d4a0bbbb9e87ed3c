//! What a system's own commands say of the machine and its log.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::environment::ask::ask;
use crate::environment::{Environment, Log, darwin, own_folders};

/// The machine by what its commands say; one that is not there is said to be unknown.
pub(super) fn environment() -> Environment {
    let mut found = Environment { kernel: super::fingerprint().ok(), ..Environment::default() };
    for argv in darwin::COMMANDS {
        darwin::take(&mut found, argv, &ask(argv, darwin::LIMIT));
    }
    let name = nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned());
    found.private.hosts.extend(name);
    let mut users: Vec<String> = ["USER", "LOGNAME", "SUDO_USER"]
        .into_iter()
        .filter_map(|variable| std::env::var(variable).ok())
        .collect();
    users.sort();
    users.dedup();
    for user in users {
        let argv = darwin::full_name(&user);
        // Another system's id(1) knows no such thing.
        darwin::keep(&mut found, &argv, &ask(&argv, darwin::LIMIT).text);
        found.private.users.push(user);
    }
    found.private.paths = own_folders();
    found
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
        let argv = darwin::log_show(seconds(self.0), seconds(SystemTime::now()) + 1);
        darwin::log(&ask(&argv, darwin::LOG_LIMIT))
    }
}
