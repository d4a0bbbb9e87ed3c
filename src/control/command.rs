//! The command beside the server, and what it is given.

use std::fs::{File, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, anyhow};
use tempfile::TempDir;

use crate::UsageError;
use crate::cli::Control;

/// Where `resolv.conf` says that names are asked for: it can name no port (resolv.conf(5)).
pub(super) const NAMES: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 53);

/// The certificate of the server's CA, in a file that goes with this.
pub(super) struct Ca {
    /// A folder that nobody else may enter.
    _folder: TempDir,
    path: PathBuf,
}

impl Ca {
    pub(super) fn new(pem: &str) -> Result<Self> {
        let cannot = "the server's certificate cannot be written for the command";
        let own = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("sockeye-").permissions(own).tempdir();
        let folder = folder.context(cannot)?;
        let path = folder.path().join("ca.pem");
        let file = File::options().write(true).create_new(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(pem.as_bytes())).context(cannot)?;
        Ok(Self { _folder: folder, path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// From now on this process has a network of its own, and asks for names at [`NAMES`] alone; so does the command.
pub(super) fn enter_names_of_its_own() -> Result<()> {
    let files = [
        ("resolv.conf", format!("nameserver {}\noptions attempts:2 timeout:2\n", NAMES.ip())),
        ("nsswitch.conf", "hosts: files dns\n".to_owned()),
    ];
    harness::exec::enter_network_with_files(&files)
        .map_err(|e| anyhow!("--resolve-for: {e}; {HOW_ELSE}"))
}

/// What to do where a program cannot be given files of its own.
const HOW_ELSE: &str = "without it, serve by `--listen 127.0.0.1:53` as root, and give that address to the system: on \
                        a Mac `networksetup -setdnsservers Wi-Fi 127.0.0.1`, which simulators have, too";

/// The command with the URL in its arguments: for `{url}`, or for `{}` where no `{url}` is; and the file of the CA.
fn arguments(command: &[String], url: &str, ca: Option<&str>) -> Vec<String> {
    let named = command.iter().any(|argument| argument.contains("{url}"));
    let place = if named { "{url}" } else { "{}" };
    let filled = |argument: &String| {
        let argument = argument.replace(place, url);
        ca.map_or_else(|| argument.clone(), |ca| argument.replace("{ca}", ca))
    };
    command.iter().map(filled).collect()
}

/// Starts it, if there is one.
pub(super) fn spawn(args: &Control, url: &str, ca: Option<&Ca>) -> Result<Option<Child>> {
    let path = ca.map(|ca| ca.path().display().to_string());
    let arguments = arguments(&args.keep.command, url, path.as_deref());
    let Some((program, rest)) = arguments.split_first() else { return Ok(None) };
    let mut command = Command::new(program);
    command.args(rest).env("SOCKEYE_URL", url);
    if let Some(ca) = ca {
        command.env("SOCKEYE_CA", ca.path());
    }
    if args.serve.json {
        // Standard output is for the JSON lines alone.
        command.stdout(Stdio::from(io::stderr()));
    }
    let spawned = command.spawn().map(Some);
    spawned.map_err(|e| match e.kind() {
        ErrorKind::NotFound | ErrorKind::PermissionDenied => {
            UsageError(format!("the command {program:?} cannot be run: {e}")).into()
        }
        _ => anyhow::Error::new(e).context(format!("the command {program:?} cannot be run")),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&["curl", "{}"], &["curl", "U/"])]
    #[case(&["curl", "{}a", "{}b"], &["curl", "U/a", "U/b"])]
    #[case(&["curl", "-d", "{}", "{url}a"], &["curl", "-d", "{}", "U/a"])]
    #[case(&["true"], &["true"])]
    #[case(&["curl", "--cacert", "{ca}", "{}"], &["curl", "--cacert", "F", "U/"])]
    fn the_url_is_filled_in(#[case] command: &[&str], #[case] expected: &[&str]) {
        let command: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
        assert_eq!(arguments(&command, "U/", Some("F")), expected);
    }

    #[test]
    fn what_is_not_there_is_not_filled_in() {
        assert_eq!(arguments(&["{ca}".to_owned()], "U/", None), ["{ca}"]);
    }

    #[test]
    fn nobody_else_reads_the_certificate_and_it_goes() {
        let ca = Ca::new("PEM").unwrap();
        let path = ca.path().to_owned();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "PEM");
        drop(ca);
        assert!(!path.parent().unwrap().exists());
    }
}
