//! Tells the program which commit it is built at and of what day, for `--version` and its runs' manifests.

use std::process::Command;
use std::{env, fs};

/// What git says, on one line; none outside a checkout or without git.
fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let text = output.status.success().then(|| String::from_utf8(output.stdout).ok())??;
    Some(text.trim().to_owned())
}

/// The commit that a package of the registry was made of: cargo writes it there.
fn packaged() -> Option<String> {
    let text = fs::read_to_string(".cargo_vcs_info.json").ok()?;
    println!("cargo::rerun-if-changed=.cargo_vcs_info.json");
    let (_, rest) = text.split_once("\"sha1\"")?;
    let commit = rest.split('"').nth(1)?;
    commit.bytes().all(|b| b.is_ascii_hexdigit()).then(|| commit.to_owned())
}

/// What `--version` says behind the name: of which commit and day it is, as far as that is known.
fn version(commit: Option<&str>, day: Option<&str>) -> String {
    let number = env::var("CARGO_PKG_VERSION").expect("cargo sets it");
    let of: Vec<&str> = commit.map(|c| &c[..c.len().min(12)]).into_iter().chain(day).collect();
    if of.is_empty() { number } else { format!("{number} ({})", of.join(" ")) }
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A source archive that lies in somebody else's checkout is none of that one's commits.
    let (commit, day) = if git(&["ls-files", "--error-unmatch", "build.rs"]).is_none() {
        (packaged(), None)
    } else {
        // It grows with every commit and checkout.
        if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
            println!("cargo::rerun-if-changed={log}");
        }
        (git(&["rev-parse", "HEAD"]), git(&["show", "-s", "--format=%cs", "HEAD"]))
    };
    println!("cargo::rustc-env=SOCKEYE_VERSION={}", version(commit.as_deref(), day.as_deref()));
    if let Some(commit) = commit {
        println!("cargo::rustc-env=SOCKEYE_REVISION={commit}");
    }
}
