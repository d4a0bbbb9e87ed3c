//! Debian's packages, from the mirror that this machine's own apt uses: every suite of it, in lists
//! of sockeye's own, verified by apt with Debian's keys. Nothing is installed.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use super::cleanup::{keep_until_end, run_quietly};

/// Why something cannot be had, and what mends it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}{}", mend.as_ref().map(|mend| format!("; mend: {mend}")).unwrap_or_default())]
pub struct Unavailable {
    /// As one sentence.
    pub why: String,
    /// A command, if there is one.
    pub mend: Option<String>,
}

impl Unavailable {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), mend: None }
    }

    pub(super) fn mended(why: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { why: why.into(), mend: Some(mend.into()) }
    }
}

/// The suites that have had kernels; one that the mirror lacks is passed over.
const SUITES: &[&str] = &[
    "bullseye",
    "bookworm",
    "bookworm-backports",
    "trixie",
    "trixie-backports",
    "forky",
    "sid",
    "experimental",
];
const SECURITY: &[&str] =
    &["bullseye-security", "bookworm-security", "trixie-security", "forky-security"];

const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// How old the lists may be before they are fetched again.
const FRESH: Duration = Duration::from_hours(7 * 24);

/// Packages of a mirror, with what is kept of them.
pub(super) struct Packages {
    cache: PathBuf,
}

/// A version of a package, and the suite that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) package: String,
    pub(super) number: String,
    pub(super) suite: String,
}

impl Packages {
    pub(super) fn new(cache: PathBuf) -> Self {
        Self { cache }
    }

    fn apt(&self) -> PathBuf {
        self.cache.join("apt")
    }

    /// When the lists were fetched, if they are.
    pub(super) fn fetched(&self) -> Option<SystemTime> {
        fs::metadata(self.apt().join("fetched")).ok()?.modified().ok()
    }

    /// Fetches the lists, unless they are fresh. Old ones are good enough where the mirror is out
    /// of reach.
    pub(super) fn refresh(&self, always: bool) -> Result<(), Unavailable> {
        let age = self.fetched().map(|then| then.elapsed().unwrap_or_default());
        if !always && age.is_some_and(|age| age < FRESH) {
            return Ok(());
        }
        let lists = self.apt().join("lists");
        let made = fs::create_dir_all(lists.join("partial"))
            .and_then(|()| fs::create_dir_all(self.apt().join("cache/archives/partial")))
            .and_then(|()| File::create(self.apt().join("lock")));
        let guard = made.map_err(|e| self.unwritable(&e))?;
        // Another run may be fetching them at this moment.
        guard.lock().map_err(|e| self.unwritable(&e))?;
        if !always && self.fetched().is_some_and(|then| then.elapsed().is_ok_and(|age| age < FRESH))
        {
            return Ok(());
        }
        let sources = sources()?;
        fs::write(self.apt().join("sources.list"), sources).map_err(|e| self.unwritable(&e))?;
        let said = self.run("apt-get", &["-q", "update"])?;
        // One suite that is gone does not matter, all of them do.
        let has_lists = fs::read_dir(&lists).is_ok_and(|entries| {
            entries.flatten().any(|e| e.file_name().to_string_lossy().contains("_Packages"))
        });
        if !has_lists {
            let why = format!("the package lists cannot be fetched: {}", complaint(&said));
            return Err(Unavailable::mended(why, "sudo apt-get update, to see what is wrong"));
        }
        let stamp = File::create(self.apt().join("fetched"));
        stamp.map(drop).map_err(|e| self.unwritable(&e))?;
        Ok(())
    }

    pub(super) fn unwritable(&self, e: &std::io::Error) -> Unavailable {
        let cache = self.cache.display();
        Unavailable::mended(
            format!("{cache} cannot be written: {e}"),
            "free or move it: XDG_CACHE_HOME says where it is",
        )
    }

    /// The names of all packages that begin with `prefix`.
    pub(super) fn names(&self, prefix: &str) -> Result<Vec<String>, Unavailable> {
        let text = self.run("apt-cache", &["pkgnames", prefix])?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Every version of these packages that some suite has.
    pub(super) fn versions(&self, names: &[&str]) -> Result<Vec<Version>, Unavailable> {
        let text = self.run("apt-cache", &[&["madison"], names].concat())?;
        let line = |line: &str| {
            let mut columns = line.split('|').map(str::trim);
            let (package, number) = (columns.next()?.to_owned(), columns.next()?.to_owned());
            let suite = columns.next()?.split(' ').nth(1)?.split('/').next()?.to_owned();
            Some(Version { package, number, suite })
        };
        Ok(text.lines().filter_map(line).collect())
    }

    /// Downloads these packages (`name=version`) and unpacks them below `folder`.
    pub(super) fn unpack(&self, packages: &[String], folder: &Path) -> Result<(), Unavailable> {
        let beside = folder.with_extension("debs");
        fs::create_dir_all(&beside).map_err(|e| self.unwritable(&e))?;
        let beside = keep_until_end(beside);
        let args: Vec<&str> =
            ["-q", "download"].into_iter().chain(packages.iter().map(String::as_str)).collect();
        let mut command = self.command("apt-get", &args);
        let output =
            run_quietly(command.current_dir(beside.path())).map_err(|e| lacks("apt-get", &e))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let why = format!("{} cannot be fetched: {}", packages.join(" "), complaint(&said));
            return Err(Unavailable::mended(why, "sockeye subjects --fetch, if the lists are old"));
        }
        for entry in fs::read_dir(beside.path()).map_err(|e| self.unwritable(&e))?.flatten() {
            let mut command = Command::new("dpkg-deb");
            command.arg("-x").arg(entry.path()).arg(folder);
            let output = run_quietly(&mut command).map_err(|e| lacks("dpkg-deb", &e))?;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr);
                let name = entry.file_name().to_string_lossy().into_owned();
                let why = format!("{name} cannot be unpacked: {}", complaint(&said));
                return Err(Unavailable::new(why));
            }
        }
        Ok(())
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let apt = self.apt();
        let option = |name: &str, path: &Path| format!("-o{name}={}", path.display());
        let mut command = Command::new(program);
        command
            .arg(option("Dir::Etc::sourcelist", &apt.join("sources.list")))
            .arg("-oDir::Etc::sourceparts=/dev/null")
            .arg(option("Dir::State::Lists", &apt.join("lists")))
            .arg(option("Dir::Cache", &apt.join("cache")))
            .args([
                "-oAPT::Sandbox::User=root",
                "-oAcquire::Languages=none",
                "-oAcquire::Retries=3",
            ])
            .arg("-oAcquire::IndexTargets::deb::DEP-11::DefaultEnabled=false")
            .args(args)
            .env("LC_ALL", "C.UTF-8");
        command
    }

    /// What it says. Whether it succeeds does not matter: one suite that is gone is an error.
    fn run(&self, program: &str, args: &[&str]) -> Result<String, Unavailable> {
        let output =
            run_quietly(&mut self.command(program, args)).map_err(|e| lacks(program, &e))?;
        let text = [output.stdout, output.stderr].concat();
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

fn lacks(program: &str, e: &std::io::Error) -> Unavailable {
    Unavailable::new(format!(
        "packaged kernels come by apt, and {program} cannot be started: {e}; native, cmd: and a \
         kernel's image by its path need no packages"
    ))
}

/// What keeps packages from being fetched, if something does.
pub fn packages_missing() -> Option<Unavailable> {
    sources().err().or_else(|| {
        let mut command = Command::new("dpkg-deb");
        run_quietly(command.arg("--version")).err().map(|e| lacks("dpkg-deb", &e))
    })
}

/// The line in which apt or dpkg says what is wrong.
fn complaint(said: &str) -> &str {
    let is_error = |line: &&str| line.starts_with("E: ") || line.contains("error:");
    let line = said.lines().find(is_error).or_else(|| said.lines().last());
    line.unwrap_or("it said nothing").trim_start_matches("E: ")
}

/// What apt reads to find the packages: the machine's own mirror, with suites of our choice.
fn sources() -> Result<String, Unavailable> {
    let mut command = Command::new("apt-get");
    command.args(["indextargets", "--format", "$(REPO_URI)"]);
    let output = run_quietly(&mut command).map_err(|e| lacks("apt-get", &e))?;
    if !Path::new(KEYS).exists() {
        let why = format!("{KEYS} is missing, by which packages are verified");
        return Err(Unavailable::mended(why, "sudo apt-get install debian-archive-keyring"));
    }
    sources_of(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| {
        let why = "this machine's apt has no Debian mirror, which packaged kernels come from";
        Unavailable::mended(why, "add `deb http://deb.debian.org/debian sid main` to apt's sources")
    })
}

fn sources_of(uris: &str) -> Option<String> {
    let ending = |name: &str| {
        uris.lines().map(str::trim).find(|uri| uri.trim_end_matches('/').ends_with(name))
    };
    let main = ending("/debian")?;
    let line = |uri: &str, suite: &str| format!("deb [signed-by={KEYS}] {uri} {suite} main\n");
    let mut text: String = SUITES.iter().map(|suite| line(main, suite)).collect();
    if let Some(uri) = ending("/debian-security") {
        text.extend(SECURITY.iter().map(|suite| line(uri, suite)));
    }
    Some(text)
}

/// Where sockeye keeps what it fetched: `$XDG_CACHE_HOME/sockeye`, or `~/.cache/sockeye`.
pub fn cache_folder() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let home = || PathBuf::from(set("HOME").unwrap_or_else(|| OsStr::new("/").into()));
    set("XDG_CACHE_HOME").map_or_else(|| home().join(".cache"), PathBuf::from).join("sockeye")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_comes_from_the_machines_own_mirror() {
        let uris = "http://mirror/debian/\nhttp://mirror/debian-security/\nhttp://other/debian\n";
        let text = sources_of(uris).unwrap();
        assert_eq!(text.lines().count(), SUITES.len() + SECURITY.len());
        assert!(text.contains("http://mirror/debian/ sid main"));
        assert!(text.contains("http://mirror/debian-security/ bookworm-security main"));
        assert!(!text.contains("other"));
        assert_eq!(sources_of("http://archive.ubuntu.com/ubuntu/\n"), None);
    }

    #[test]
    fn a_complaint_is_one_line() {
        assert_eq!(
            complaint("Get:1\nE: Version '1' was not found\nmore"),
            "Version '1' was not found"
        );
        assert_eq!(complaint(""), "it said nothing");
    }
}
