//! The reproducers, compiled and run before they are passed on.
//!
//! A run may be a stranger's, and a compiler and a program are run here of what it says. Its words are
//! no code (`Case::check`, `Trace::check`, and they stand in C as escaped text or as known names). Should
//! one be all the same, it has little to gain: the compiler and the program run with the least rights
//! with which they work, in a folder that is theirs alone, with nothing of this environment but the
//! search path, and end after a time, with all that they began.

use std::fs::{self, File, Permissions};
use std::io::{ErrorKind, Read as _, Seek as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Result;
use harness::case::Case;
use harness::exec::{NOBODY, Rights, confine, rights};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use reports::bundle::Tried;
use reports::repro::{FLAGS, agrees, saw_the_wire, verdict};
use reports::runs::Line;

use super::known::Known;

/// How long a compiler, and a program that waits for nothing, may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long a case may ask to wait, of a stranger's.
const MOST_OF_WAITS_MS: u32 = 600_000;

/// How much of what a program says is read.
const MOST_OF_OUTPUT: u64 = 1 << 20;

/// Tries each program, where this kernel is the one that it is about. `cases` are the suites' own of
/// these ids; `theirs` says whether the results are those of a run, which may be a stranger's.
pub(super) fn all(
    known: &Known,
    cases: &[Case],
    programs: &[String],
    theirs: bool,
) -> Result<Vec<Tried>> {
    let kernel = &known.subject.kernel;
    if !super::is_here(known)? {
        let why = format!(
            "the run is of {} {}, and this machine has another kernel",
            kernel.system, kernel.release
        );
        return Ok(vec![Tried::Not(why); programs.len()]);
    }
    let lines = known.seen.iter().map(|seen| &seen.line);
    lines
        .zip(programs)
        .map(|(line, program)| {
            let all: Vec<Rights> = if theirs {
                let own = cases.contains(&line.case);
                // One of the suites' cases makes the suites' calls, whoever ran it.
                let may = |rights: &&Rights| own || rights_are_few(**rights);
                rights().iter().filter(may).copied().collect()
            } else {
                vec![Rights::Same]
            };
            attempt(line, program, &all)
        })
        .collect()
}

/// Whether a stranger's case may be run with them.
fn rights_are_few(with: Rights) -> bool {
    with != Rights::Same || rights().len() == 1
}

/// With each of the rights, the least first, until it does what the run says: a link may be nobody's to
/// make, and root may what no other may.
fn attempt(line: &Line, text: &str, all: &[Rights]) -> Result<Tried> {
    let mut last = Tried::Not("there is nobody to run it as".to_owned());
    for rights in all {
        last = attempt_as(line, text, *rights)?;
        if matches!(last, Tried::Agrees | Tried::CallsAgree) {
            break;
        }
    }
    Ok(last)
}

fn attempt_as(line: &Line, text: &str, rights: Rights) -> Result<Tried> {
    let folder = tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir()?;
    let (source, program) = (folder.path().join("repro.c"), folder.path().join("repro"));
    fs::write(&source, text)?;
    if rights == Rights::Nobody {
        chown(&source, Some(NOBODY), Some(NOBODY))?;
        chown(folder.path(), Some(NOBODY), Some(NOBODY))?;
    }
    let mut cc = Command::new("cc");
    cc.args(FLAGS).args(["-pipe", "-o"]).args([&program, &source]);
    let compiled = match ended(cc, folder.path(), rights, PATIENCE) {
        Err(e) if e.kind() == ErrorKind::NotFound => {
            return Ok(Tried::Not("there is no cc where this was made".to_owned()));
        }
        Err(e) => return Ok(Tried::Not(format!("cc cannot be run: {e}"))),
        Ok(compiled) => compiled,
    };
    let first = |text: &str| text.lines().next().unwrap_or("it says nothing").trim().to_owned();
    if !compiled.status.is_some_and(|status| status.success()) {
        let how = first(&compiled.stderr);
        return Ok(Tried::Differs(format!("it does not compile: {}", after_path(&how))));
    }
    let waits = Duration::from_millis(line.case.waits_ms().min(MOST_OF_WAITS_MS).into());
    let ran = match ended(Command::new(&program), folder.path(), rights, PATIENCE + waits) {
        Err(e) => return Ok(Tried::Not(format!("it cannot be run: {e}"))),
        Ok(ran) => ran,
    };
    let Some(status) = ran.status else {
        let seconds = (PATIENCE + waits).as_secs();
        return Ok(Tried::Differs(format!("it does not end within {seconds} seconds")));
    };
    if status.code() == Some(2) {
        let why = first(&ran.stderr);
        return Ok(Tried::Not(why.strip_prefix("not tried: ").unwrap_or(&why).to_owned()));
    }
    let own = verdict(&ran.stdout);
    // Both count: the program is what is passed on, and it may not see all that is looked at here.
    Ok(match (agrees(&line.trace, &line.case, &ran.stdout), own) {
        _ if status.signal().is_some() => Tried::Differs(format!("it ends with {status}")),
        (Err(how), _) => Tried::Differs(how),
        (Ok(()), Some(true)) if saw_the_wire(&ran.stdout) => Tried::Agrees,
        (Ok(()), Some(true)) => Tried::CallsAgree,
        (Ok(()), _) => Tried::Differs(format!("it does not say so itself: {}", first(&ran.stderr))),
    })
}

/// How a program ended, and what it said.
struct Ended {
    /// None: it was killed when its time was over.
    status: Option<ExitStatus>,
    stdout: String,
    stderr: String,
}

/// Runs a program in a folder, and kills what is left of it.
fn ended(
    mut command: Command,
    folder: &Path,
    rights: Rights,
    limit: Duration,
) -> std::io::Result<Ended> {
    // Nameless files: a pipe that nobody reads would stop it.
    let said = [tempfile::tempfile()?, tempfile::tempfile()?];
    let [stdout, stderr] = [said[0].try_clone()?, said[1].try_clone()?].map(Stdio::from);
    command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).current_dir(folder).env_clear();
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.env("HOME", folder).env("TMPDIR", folder).env("LC_ALL", "C");
    confine(&mut command, rights);
    let mut child = command.spawn()?;
    let group = i32::try_from(child.id()).map(Pid::from_raw);
    let end = Instant::now() + limit;
    let status = loop {
        match child.try_wait()? {
            None if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
            status => break status,
        }
    };
    // Its group is its own, so that what it left behind has none but itself.
    if let Ok(group) = group {
        let _ = killpg(group, Signal::SIGKILL);
    }
    if status.is_none() {
        child.wait()?;
    }
    let [stdout, stderr] = said.map(read);
    Ok(Ended { status, stdout: stdout?, stderr: stderr? })
}

fn read(mut file: File) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(MOST_OF_OUTPUT).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A compiler's message without the folder, whose name is another one each time.
fn after_path(message: &str) -> &str {
    message.find("repro.c").map_or(message, |at| &message[at..])
}
