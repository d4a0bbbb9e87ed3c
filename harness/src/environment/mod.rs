//! Where a kernel was asked: all of a machine that may explain what its sockets do.

pub mod allowed;
pub mod ask;
pub mod darwin;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::trace::Fingerprint;

/// A machine as an executor found it, from outside its namespaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Environment {
    /// The kernel.
    pub kernel: Option<Fingerprint>,
    /// The distribution or product, such as `Debian GNU/Linux 12 (bookworm)`.
    pub os: Option<String>,
    /// Its build, such as `24D70`.
    pub os_build: Option<String>,
    /// When it was started, in seconds since 1970 (UTC).
    pub booted_s: Option<u64>,
    /// What the boot loader told the kernel.
    pub command_line: Option<String>,
    /// The effective capabilities of the process by name; `all` for all that there are.
    pub capabilities: Vec<String>,
    /// What limits the process: a container, a security module, seccomp.
    pub confinement: Vec<String>,
    /// The settings that decide what sockets do, by name.
    pub sysctls: BTreeMap<String, String>,
    /// What the kernel was built with, as far as it says so, by name without `CONFIG_`.
    pub config: BTreeMap<String, String>,
    /// The interfaces, in the order of their indexes.
    pub interfaces: Vec<Interface>,
    /// The routes, as ip(8) or netstat(1) writes them.
    pub routes: Vec<String>,
    /// Firewalls, content filters and VPNs that were found.
    pub filters: Vec<String>,
    /// What commands of the system said that no field above has, by command.
    pub said: BTreeMap<String, String>,
    /// What could not be read, and why.
    pub unknown: Vec<String>,
    /// What of all this names a person or a machine.
    pub private: Private,
}

/// An interface of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its flags by their C names, such as `IFF_UP`.
    pub flags: Vec<String>,
    /// In bytes of IP packet.
    pub mtu: Option<u32>,
    /// Its link-layer address and its IP addresses.
    pub addresses: Vec<String>,
}

/// Words by which a person or a machine can be known again. Addresses need not be listed: they
/// show by their form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Private {
    /// Names of the host.
    pub hosts: Vec<String>,
    /// Names of its users.
    pub users: Vec<String>,
    /// Domains that it searches.
    pub domains: Vec<String>,
    /// Serial numbers, and the ids of the machine and of this boot.
    pub serials: Vec<String>,
    /// Names of wireless networks.
    pub ssids: Vec<String>,
    /// Names that somebody gave to a VPN.
    pub vpns: Vec<String>,
    /// Folders of the user's: where home is, by all its names, and where the program was started.
    pub paths: Vec<String>,
}

/// What a kernel wrote to its log while something ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// Line by line, as dmesg(1) or log(1) shows them.
    pub lines: Vec<String>,
    /// Why there is none, if it could not be read.
    #[serde(default)]
    pub missing: Option<String>,
}

/// Where home is and where the program was started, by each of their names: a link may lead there.
pub fn own_folders() -> Vec<String> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let named = [home, std::env::var_os("PWD").map(PathBuf::from), std::env::current_dir().ok()];
    let named: Vec<PathBuf> = named.into_iter().flatten().collect();
    let real = named.iter().filter_map(|path| fs::canonicalize(path).ok());
    let all: BTreeSet<PathBuf> = named.iter().cloned().chain(real).collect();
    // `/root` or `/tmp` is anybody's.
    let own = |path: &&PathBuf| path.is_absolute() && path.components().count() > 2;
    all.iter().filter(own).filter_map(|path| Some(path.to_str()?.to_owned())).collect()
}
