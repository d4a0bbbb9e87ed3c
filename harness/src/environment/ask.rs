//! A command of the system's is asked, and not for longer than it may take.

use std::ffi::OsStr;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::threads;

/// What a command said, all of it or as much as came in time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Its standard output.
    pub text: String,
    /// Why that may not be all, if it may not.
    pub failed: Option<String>,
}

/// Runs a command; one that has not ended after `limit` is killed.
pub fn ask<S: AsRef<OsStr>>(argv: &[S], limit: Duration) -> Said {
    let failed = |why: String| Said { text: String::new(), failed: Some(why) };
    let Some((program, rest)) = argv.split_first() else { return failed("no command".to_owned()) };
    let spawned = Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    match spawned {
        Ok(child) => listen(child, Instant::now() + limit, limit),
        Err(e) => failed(e.to_string()),
    }
}

fn listen(mut child: Child, until: Instant, limit: Duration) -> Said {
    let (say, heard) = mpsc::channel();
    let mut output = child.stdout.take();
    // It is not waited for: somebody whom the command has started may keep the other end.
    let listens = threads::start(move || {
        let mut buffer = [0; 4096];
        while let Some(Ok(len @ 1..)) = output.as_mut().map(|from| from.read(&mut buffer)) {
            if say.send(buffer[..len].to_vec()).is_err() {
                break;
            }
        }
    });
    if let Err(why) = listens {
        let _ = child.kill().and_then(|()| child.wait());
        return Said { text: String::new(), failed: Some(why.to_string()) };
    }
    let mut bytes = Vec::new();
    let in_time = loop {
        match heard.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(more) => bytes.extend(more),
            Err(RecvTimeoutError::Disconnected) => break true,
            Err(RecvTimeoutError::Timeout) => break false,
        }
    };
    let status = loop {
        match child.try_wait() {
            Ok(None) if in_time && Instant::now() < until => {
                thread::sleep(Duration::from_millis(1));
            }
            Ok(Some(status)) if in_time => break Some(status),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
        }
    };
    let failed = match status {
        Some(status) if status.success() => None,
        Some(status) => Some(status.to_string()),
        None => Some(format!("it had not ended after {} s", limit.as_secs_f32())),
    };
    Said { text: String::from_utf8_lossy(&bytes).into_owned(), failed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration) -> Said {
        ask(&["sh", "-c", script], limit)
    }

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn what_was_said_is_kept_whatever_came_after() {
        let done = Said { text: "a\n".to_owned(), failed: None };
        assert_eq!(sh("echo a", LONG), done);
        // As sysctl(8) does of one name that is unknown.
        let some = sh("echo a; echo unknown oid >&2; exit 1", LONG);
        assert_eq!(some.text, "a\n");
        assert!(some.failed.is_some_and(|why| why.contains('1')));
        let none = ask(&["/nonexistent/command"], LONG);
        assert!(none.text.is_empty() && none.failed.is_some());
        assert!(ask::<&str>(&[], LONG).failed.is_some());
    }

    #[test]
    fn nobody_is_waited_for_longer_than_the_limit() {
        let began = Instant::now();
        let short = Duration::from_millis(300);
        for script in ["echo a; exec sleep 60", "echo a; exec >&-; exec sleep 60"] {
            let said = sh(script, short);
            assert_eq!(said.text, "a\n");
            assert_eq!(said.failed.as_deref(), Some("it had not ended after 0.3 s"), "{script}");
        }
        assert!(began.elapsed() < Duration::from_secs(30));
    }
}
