//! The command beside the server, and what it is given.

use std::fs::{File, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
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
    folder: TempDir,
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
        Ok(Self { folder, path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What goes with it.
    pub(super) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
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

/// What stands in the arguments of the command for what it is told.
struct Told<'a> {
    url: &'a str,
    addr: SocketAddr,
    /// The file of the CA.
    ca: Option<&'a str>,
}

/// The command with that in its arguments: the URL for `{url}`, or for `{}` where no `{url}` is; `{host}` and `{port}`
/// for what takes no URL, such as dig.
fn arguments(command: &[String], told: &Told<'_>) -> Vec<String> {
    let named = command.iter().any(|argument| argument.contains("{url}"));
    let place = if named { "{url}" } else { "{}" };
    let host = match told.addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.to_string(),
        ip => ip.to_string(),
    };
    let port = told.addr.port().to_string();
    let filled = |argument: &String| {
        let argument = argument.replace(place, told.url);
        let argument = argument.replace("{host}", &host).replace("{port}", &port);
        told.ca.map_or_else(|| argument.clone(), |ca| argument.replace("{ca}", ca))
    };
    command.iter().map(filled).collect()
}

/// Starts it, if there is one.
pub(super) fn spawn(
    args: &Control,
    url: &str,
    addr: SocketAddr,
    ca: Option<&Ca>,
) -> Result<Option<Child>> {
    let path = ca.map(|ca| ca.path().display().to_string());
    let arguments = arguments(&args.keep.command, &Told { url, addr, ca: path.as_deref() });
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
    #[case(&["dig", "@{host}", "-p", "{port}", "a"], &["dig", "@127.0.0.1", "-p", "5353", "a"])]
    fn the_url_is_filled_in(#[case] command: &[&str], #[case] expected: &[&str]) {
        let command: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
        // A client does not connect to every address.
        for listens in ["127.0.0.1:5353", "0.0.0.0:5353"] {
            let told = Told { url: "U/", addr: listens.parse().unwrap(), ca: Some("F") };
            assert_eq!(arguments(&command, &told), expected);
        }
    }

    #[test]
    fn what_is_not_there_is_not_filled_in() {
        let told = Told { url: "U/", addr: NAMES, ca: None };
        assert_eq!(arguments(&["{ca}".to_owned()], &told), ["{ca}"]);
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
