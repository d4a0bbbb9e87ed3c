//! Programs that are compiled by cc or, in a tenth of the time, by tcc.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use reports::repro::FLAGS;

/// What compiles a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// cc alone.
    Cc,
    /// tcc, where there is one and its program agrees.
    Either,
}

fn has_tcc() -> bool {
    static ABLE: OnceLock<bool> = OnceLock::new();
    *ABLE.get_or_init(|| Command::new("tcc").arg("-v").output().is_ok_and(|o| o.status.success()))
}

/// What the program did, compiled by cc.
pub(crate) fn ran(text: &str, folder: &Path) -> Result<Output, Box<dyn Error>> {
    let mut cc = Command::new("cc");
    cc.args(FLAGS).args(["-pipe", "-o", "repro"]);
    ran_by(cc, text, folder)
}

/// The same by tcc, if there is one.
pub(crate) fn ran_by_tcc(text: &str, folder: &Path) -> Option<Output> {
    let mut tcc = Command::new("tcc");
    tcc.args(["-std=c11", "-pthread", "-o", "repro"]);
    has_tcc().then(|| ran_by(tcc, text, folder).ok()).flatten()
}

fn ran_by(mut compiler: Command, text: &str, folder: &Path) -> Result<Output, Box<dyn Error>> {
    fs::write(folder.join("repro.c"), text)?;
    compiles(compiler.arg("repro.c").current_dir(folder))?;
    Ok(Command::new(folder.join("repro")).stdin(Stdio::null()).output()?)
}

fn compiles(compiler: &mut Command) -> Result<(), Box<dyn Error>> {
    let compiled = compiler.output()?;
    if !compiled.status.success() {
        return Err(String::from_utf8_lossy(&compiled.stderr).into_owned().into());
    }
    Ok(())
}

/// What cc says of the program that was compiled last, with all its warnings.
pub(crate) fn warned(folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut cc = Command::new("cc");
    compiles(cc.args(FLAGS).args(["-fsyntax-only", "repro.c"]).current_dir(folder))
}
