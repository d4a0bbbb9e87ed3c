//! The reproducers, compiled and run before they are passed on.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;
use reports::bundle::Tried;
use reports::repro::{FLAGS, agrees, verdict};
use reports::runs::Line;

use super::known::Known;

/// Tries each program, where this kernel is the one that it is about.
pub(super) fn all(known: &Known, programs: &[String]) -> Result<Vec<Tried>> {
    let kernel = &known.subject.kernel;
    if !super::is_here(known)? {
        let why = format!("it is of {} {}, which this is not", kernel.system, kernel.release);
        return Ok(vec![Tried::Not(why); programs.len()]);
    }
    let folder = tempfile::tempdir()?;
    let lines = known.seen.iter().map(|seen| &seen.line);
    lines.zip(programs).map(|(line, program)| attempt(line, program, folder.path())).collect()
}

fn attempt(line: &Line, text: &str, folder: &Path) -> Result<Tried> {
    let (source, program) = (folder.join("repro.c"), folder.join("repro"));
    fs::write(&source, text)?;
    let compiled =
        Command::new("cc").args(FLAGS).args(["-pipe", "-o"]).args([&program, &source]).output();
    let compiled = match compiled {
        Err(e) if e.kind() == ErrorKind::NotFound => {
            return Ok(Tried::Not("there is no cc where this was made".to_owned()));
        }
        compiled => compiled?,
    };
    let first = |text: &[u8]| {
        String::from_utf8_lossy(text).lines().next().unwrap_or("it says nothing").trim().to_owned()
    };
    if !compiled.status.success() {
        return Ok(Tried::Differs(format!(
            "it does not compile: {}",
            after_path(&first(&compiled.stderr))
        )));
    }
    let ran = Command::new(&program).stdin(Stdio::null()).output()?;
    if ran.status.code() == Some(2) {
        let why = first(&ran.stderr);
        return Ok(Tried::Not(why.strip_prefix("not tried: ").unwrap_or(&why).to_owned()));
    }
    let stdout = String::from_utf8_lossy(&ran.stdout);
    // Both count: the program is what is passed on, and it may not see all that is looked at here.
    Ok(match (agrees(&line.trace, &line.case, &stdout), verdict(&stdout)) {
        (Err(how), _) => Tried::Differs(how),
        (Ok(()), Some(true)) => Tried::Agrees,
        (Ok(()), _) => Tried::Differs(format!("it does not say so itself: {}", first(&ran.stderr))),
    })
}

/// A compiler's message without the folder, whose name is another one each time.
fn after_path(message: &str) -> &str {
    message.find("repro.c").map_or(message, |at| &message[at..])
}
