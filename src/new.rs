//! `sockeye new`: a case to begin with.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::cli::New;
use crate::{Status, UsageError};
use cases::{stem, unlike_a_suite};

/// What is in it: what the language has that most cases need.
const FIRST: &str = r#"# Does a datagram leave as it was sent, and does nobody answer?
tun link0 mtu 1400

socket(AF_INET, SOCK_DGRAM, 0) = s
connect(s, {AF_INET neighbour(link0):9}) = 0
send(s, "x", 1, 0) = 1
    > link0 UDP "x"
recv(s, 64, MSG_DONTWAIT) = -1 EAGAIN
"#;

/// Writes the file, and nothing over another.
pub(crate) fn new(args: &New) -> Result<Status> {
    let mut path = args.name.clone();
    if path.extension().is_none_or(|ending| ending != "case") {
        path.as_mut_os_string().push(".case");
    }
    unlike_a_suite(&path, &stem(&path)?)?;
    match OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(mut file) => file.write_all(FIRST.as_bytes()).with_context(|| cannot(&path))?,
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            let why = format!("{} is there already, and stays as it is", path.display());
            return Err(UsageError(why).into());
        }
        Err(e) => return Err(e).with_context(|| cannot(&path)),
    }
    outln!("wrote {0}; next: sockeye run {0}", path.display());
    Ok(Status::Expected)
}

fn cannot(path: &Path) -> String {
    format!("{} cannot be written", path.display())
}
