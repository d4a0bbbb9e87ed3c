//! Executors as child processes of this host.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use super::{Ending, Executor, Executors, SILENCE, SubjectError, greet};
use crate::exec;
use crate::trace::Fingerprint;

/// How to start an executor: any program that reads cases and writes traces.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

impl Executors for Subject {
    fn start(&self) -> Result<(Box<dyn Executor>, Fingerprint), SubjectError> {
        let mut child = Command::new(&self.program)
            .args(&self.args)
            // By which a user changes what names mean to glibc: resolv.conf(5), hostname(7).
            .env_remove("RES_OPTIONS")
            .env_remove("LOCALDOMAIN")
            .env_remove("HOSTALIASES")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| SubjectError::Start {
                program: self.program.display().to_string(),
                why: e.to_string(),
            })?;
        let input = child.stdin.take();
        let output = child.stdout.take().map(BufReader::new);
        let (sender, replies) = mpsc::channel();
        std::thread::spawn(move || {
            let lines = output.into_iter().flat_map(BufReader::lines);
            // The first line that cannot be read or is not wanted ends it.
            let _ = lines.map_while(Result::ok).try_for_each(|line| sender.send(line));
        });
        let mut process = Box::new(Process { child, input, replies });
        match greet(&mut *process) {
            Ok(kernel) => Ok((process, kernel)),
            Err(error) => {
                process.end(true);
                Err(error)
            }
        }
    }

    fn side_by_side(&self) -> bool {
        !exec::shares_the_network()
    }
}

/// A child that runs.
struct Process {
    child: Child,
    input: Option<ChildStdin>,
    replies: Receiver<String>,
}

impl Executor for Process {
    fn give(&mut self, line: &[u8]) {
        if let Some(input) = &mut self.input {
            let _ = input.write_all(line);
        }
    }

    fn reply(&mut self, limit: Duration) -> Result<String, RecvTimeoutError> {
        self.replies.recv_timeout(limit)
    }

    fn end(mut self: Box<Self>, silent: bool) -> Ending {
        self.input = None;
        if silent {
            let _ = self.child.kill();
        }
        let how = match self.child.wait() {
            _ if silent => format!("no answer for {} s", SILENCE.as_secs()),
            Ok(status) => describe(status),
            Err(e) => e.to_string(),
        };
        Ending { how, certain: true }
    }
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
