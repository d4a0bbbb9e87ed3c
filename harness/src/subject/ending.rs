//! How an executor ended, and whose doing that was.

use std::process::ExitStatus;

use crate::trace::End;

/// How an executor ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Such as `killed by SIGSEGV`; further lines are the console's last.
    pub how: String,
    /// Whether the case that has no answer is the one that was running: what was answered before
    /// has come through.
    pub certain: bool,
    /// Whether neither a call of the case nor its kernel ended it, so that it says nothing of either.
    pub fault: bool,
}

/// What a kernel's log says when it kills whom it has no memory for (linux `mm/oom_kill.c`).
const NO_MEMORY: [&str; 4] =
    ["Out of memory", "out of memory", "oom-kill:", "deadlocked on memory"];

/// What it says when it has failed: a page fault of its own in a call kills the process by SIGKILL
/// (linux `arch/x86/mm/fault.c` `page_fault_oops`).
const CRASH: [&str; 5] =
    ["BUG: ", "Oops", "kernel BUG at", "general protection fault", "Unable to handle kernel"];

/// What neither a call raises nor a kernel for what a call did: somebody sends it, or the program
/// itself does, as Rust's when it panics (status 101) or cannot allocate (SIGABRT).
/// A shell says 128 and the signal's number of what it ran (POSIX.1-2024 XCU §2.8.2).
const OF_ITSELF: [&str; 12] = [
    "killed by SIGKILL",
    "killed by SIGABRT",
    "killed by SIGTERM",
    "killed by SIGINT",
    "killed by SIGHUP",
    "killed by SIGQUIT",
    "exit status 101",
    KILLED,
    "exit status 134",
    "exit status 143",
    "exit status 130",
    "exit status 131",
];

/// SIGKILL, as a shell tells it.
const KILLED: &str = "exit status 137";

/// How it is said that somebody does not keep to the protocol.
pub(super) const AGAINST: &str = "against the protocol";

impl Ending {
    /// Of one that ended like this, when its kernel has `said` something of a kind or not.
    pub(super) fn of(how: String, certain: bool, said: &dyn Fn(&[&str]) -> bool) -> Self {
        let first = how.lines().next().unwrap_or_default();
        if !OF_ITSELF.iter().any(|way| first.ends_with(way)) {
            // A panic for want of memory is none that a call causes.
            let fault = has_any(first, &NO_MEMORY) || first.starts_with(AGAINST);
            return Self { how, certain, fault };
        }
        if said(&NO_MEMORY) {
            return Self::fault(format!("{first}, since there was no memory left"), certain);
        }
        let killed = first.ends_with("SIGKILL") || first.ends_with(KILLED);
        let fault = !(killed && said(&CRASH));
        Self { how, certain, fault }
    }

    /// Of one that was ended, and by its own doing.
    pub(super) fn fault(how: String, certain: bool) -> Self {
        Self { how, certain, fault: true }
    }

    /// What that makes of the case that it ran.
    pub(super) fn end(&self) -> End {
        if self.fault {
            let first = self.how.lines().next().unwrap_or_default();
            return End::Broken { reason: format!("the executor ended: {first}") };
        }
        End::Died { how: self.how.clone() }
    }
}

/// Whether a line has one of these in it.
pub(super) fn has_any(line: &str, words: &[&str]) -> bool {
    words.iter().any(|words| line.contains(words))
}

/// How a process ended, in words.
pub(super) fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    let signal = status.signal().and_then(|n| nix::sys::signal::Signal::try_from(n).ok());
    match (signal, status.code()) {
        (Some(signal), _) => format!("killed by {signal}"),
        (None, Some(code)) => format!("exit status {code}"),
        (None, None) => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("killed by SIGKILL", "Out of memory: Killed process 781 (init)", true)]
    #[case("killed by SIGKILL", "Memory cgroup out of memory: Killed process 7 (x)", true)]
    #[case("killed by SIGKILL", "", true)]
    #[case("killed by SIGKILL", "BUG: kernel NULL pointer dereference", false)]
    #[case("lost with its machine: killed by SIGKILL", "", true)]
    #[case("killed by SIGABRT", "BUG: kernel NULL pointer dereference", true)]
    #[case("exit status 101", "", true)]
    #[case("exit status 137", "Out of memory: Killed process 7 (x)", true)]
    #[case("exit status 137", "Oops: 0002", false)]
    #[case("exit status 7", "", false)]
    #[case("killed by SIGSEGV", "", false)]
    #[case("killed by SIGSYS", "Out of memory: Killed process 7 (other)", false)]
    #[case("lost to a kernel panic: sysrq triggered crash\nOut of memory", "", false)]
    #[case("lost to a kernel panic: System is deadlocked on memory", "", true)]
    #[case("against the protocol: a line of more than 8 MiB\nOops", "", true)]
    #[case("lost to a hang: the machine said nothing for 60 s", "", false)]
    fn whose_doing_an_end_was(#[case] how: &str, #[case] log: &str, #[case] fault: bool) {
        let said = |words: &[&str]| has_any(log, words);
        let ending = Ending::of(how.to_owned(), true, &said);
        assert_eq!(ending.fault, fault, "{ending:?}");
        assert_eq!(matches!(ending.end(), End::Broken { .. }), fault);
    }
}
