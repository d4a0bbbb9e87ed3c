//! `sockeye import`: logs of other tools as cases.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use cases::{UsageError, stem, unlike_a_suite};
use harness::files::NotOpened;
use notation::import::{Imported, Wanted};

use crate::cli::{How, ImportStrace};
use crate::{Status, out};

/// The most bytes of a log.
const MOST_OF_LOG: u64 = 256 << 20;

/// A log of strace's as a case.
pub(crate) fn strace(args: &ImportStrace) -> Result<Status> {
    let shown = args.log.display();
    let wrong = |why: String| UsageError(format!("{shown}: {why}"));
    if let Some(path) = &args.output {
        may_be_written(path)?;
    }
    let text = log(&args.log)?;
    let log = notation::import::strace(&text).map_err(wrong)?;
    let imported = notation::import::import(&log, &wanted(&args.how)).map_err(wrong)?;
    write(&imported, args.output.as_deref())?;
    Ok(Status::Expected)
}

/// What an import is asked for.
pub(crate) fn wanted(how: &How) -> Wanted {
    Wanted { pid: how.pid, keep_addresses: how.keep_addresses }
}

/// Whether a case may be written there, before anything is done for it.
pub(crate) fn may_be_written(path: &Path) -> Result<(), UsageError> {
    unlike_a_suite(path, &stem(path)?)?;
    if path.extension().is_none_or(|ending| ending != "case") {
        return Err(UsageError(format!("{}: a file of cases ends in .case", path.display())));
    }
    if path.symlink_metadata().is_ok() {
        return Err(is_there(path));
    }
    Ok(())
}

fn is_there(path: &Path) -> UsageError {
    UsageError(format!("{} is there already, and stays as it is", path.display()))
}

/// Writes the case and says what became of the calls.
pub(crate) fn write(imported: &Imported, to: Option<&Path>) -> Result<()> {
    let Imported { text, said, left } = imported;
    let Some(path) = to else {
        out::text(text);
        return Ok(());
    };
    let cannot = || format!("{} cannot be written", path.display());
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).with_context(cannot)?,
        Err(e) if e.kind() == ErrorKind::AlreadyExists => return Err(is_there(path).into()),
        Err(e) => return Err(e).with_context(cannot),
    }
    let calls = if *said == 1 { "1 call" } else { "calls" };
    let said = if *said == 1 { calls.to_owned() } else { format!("{said} {calls}") };
    outln!("wrote {0}: {said}, {left} as comments; next: sockeye run {0}", path.display());
    Ok(())
}

/// The text of a log; what is no UTF-8 in it is no call.
fn log(path: &Path) -> Result<String, UsageError> {
    let shown = path.display();
    let mut bytes = Vec::new();
    let cannot = |e: &std::io::Error| match e.kind() {
        ErrorKind::NotFound => UsageError(format!("{shown} is not there")),
        _ => UsageError(format!("{shown} cannot be read: {e}")),
    };
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(MOST_OF_LOG + 1).read_to_end(&mut bytes)
    } else {
        let file = harness::files::opened(path, true).map_err(|e| match e {
            NotOpened::Io(e) => cannot(&e),
            NotOpened::Is(what) => UsageError(format!("{shown} is {what}, and logs are in files")),
        })?;
        file.take(MOST_OF_LOG + 1).read_to_end(&mut bytes)
    };
    read.map_err(|e| cannot(&e))?;
    if bytes.len() as u64 > MOST_OF_LOG {
        let most = MOST_OF_LOG >> 20;
        return Err(UsageError(format!("{shown} has more than {most} MiB: import a part of it")));
    }
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
}
