//! Which kernels the packages of a mirror offer, and under which names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::packages::{Packages, Unavailable, Version};

/// What kind of machine a kernel runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A Linux kernel in QEMU.
    Linux,
    /// A Linux kernel that is a process of the host's: User-Mode Linux.
    Uml,
    /// gVisor, whose sentry answers system calls in Linux's stead.
    Gvisor,
}

/// A kernel that can be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Such as `linux-6.12`.
    pub name: String,
    /// What it runs in.
    pub kind: Kind,
    /// The packages' own version.
    pub version: String,
    /// What has to be fetched, as `name=version` or `name/suite`.
    pub packages: Vec<String>,
    /// What is known to be missing, in a few words.
    pub lacks: Option<String>,
}

impl Offer {
    /// The folder of the cache that has it.
    pub(super) fn folder(&self) -> String {
        self.packages
            .first()
            .map_or_else(|| self.name.clone(), |first| first.replace(['=', '/'], "_"))
    }
}

/// The numbers of a version, to be compared: `6.12.90+deb13.1` is behind `6.12.90+deb13`.
fn numbers(text: &str) -> Vec<u64> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

/// The series of a version: its first two numbers.
fn series(text: &str) -> Option<String> {
    match numbers(text)[..] {
        [major, minor, ..] => Some(format!("{major}.{minor}")),
        _ => None,
    }
}

/// Every kernel, the oldest of a kind first.
pub(super) fn offers(packages: &Packages) -> Result<Vec<Offer>, Unavailable> {
    let mut offers = linux(packages)?;
    let versions = packages.versions(&["user-mode-linux", "runsc"])?;
    offers.extend(uml(&versions));
    offers.extend(gvisor(&versions));
    Ok(offers)
}

/// Names of kernels built for virtual machines in the cloud: `6.12.117+deb13-cloud-amd64`. From
/// 6.19 on the image and the modules are packages of their own, and of a superseded kernel the
/// mirror may have the image alone.
fn linux(packages: &Packages) -> Result<Vec<Offer>, Unavailable> {
    const FLAVOUR: &str = "-cloud-amd64";
    let of = |prefix: &str| -> Result<Vec<String>, Unavailable> {
        let names = packages.names(prefix)?;
        let kernel = |name: String| {
            let kernel = name.strip_prefix(prefix)?;
            let version = kernel.strip_suffix(FLAVOUR)?;
            version.starts_with(|c: char| c.is_ascii_digit()).then(|| version.to_owned())
        };
        Ok(names.into_iter().filter_map(kernel).collect())
    };
    let (images, split, modules) =
        (of("linux-image-")?, of("linux-binary-")?, of("linux-modules-")?);
    // One that has its modules goes before any that has not.
    let rank = |version: &String| {
        (!split.contains(version) || modules.contains(version), numbers(version))
    };
    let mut newest: BTreeMap<Vec<u64>, &String> = BTreeMap::new();
    for version in images.iter().chain(&split) {
        let numbers = numbers(version);
        // Two numbers and no image: a package that only names others.
        if numbers.len() < 3 && !split.contains(version) {
            continue;
        }
        let best = newest.entry(numbers.iter().take(2).copied().collect()).or_insert(version);
        if rank(version) > rank(best) {
            *best = version;
        }
    }
    let mut offers = Vec::new();
    for version in newest.into_values() {
        let Some(series) = series(version) else { continue };
        let kernel = format!("{version}{FLAVOUR}");
        let mut names = Vec::new();
        let mut lacks = None;
        if split.contains(version) {
            names.push(format!("linux-binary-{kernel}"));
            if modules.contains(version) {
                names.push(format!("linux-modules-{kernel}"));
            } else {
                lacks = Some("modules: the mirror has its image alone, no tun".to_owned());
            }
        } else {
            names.push(format!("linux-image-{kernel}"));
        }
        offers.push(Offer {
            name: format!("linux-{series}"),
            kind: Kind::Linux,
            version: kernel,
            packages: names,
            lacks,
        });
    }
    let names: Vec<&str> =
        offers.iter().flat_map(|offer| &offer.packages).map(String::as_str).collect();
    let versions = packages.versions(&names)?;
    for offer in &mut offers {
        for package in &mut offer.packages {
            // Of several suites with the same name, the newest.
            let of_it = versions.iter().filter(|version| version.package == *package);
            if let Some(version) = of_it.max_by_key(|version| numbers(&version.number)) {
                *package = format!("{package}={}", version.number);
            }
        }
    }
    Ok(offers)
}

/// User-Mode Linux by its series. It asks for a newer C library than the host may have.
fn uml(versions: &[Version]) -> Vec<Offer> {
    let mut newest: BTreeMap<Vec<u64>, &Version> = BTreeMap::new();
    for version in versions.iter().filter(|version| version.package == "user-mode-linux") {
        let key = numbers(&version.number).into_iter().take(2).collect();
        let best = newest.entry(key).or_insert(version);
        if numbers(&version.number) > numbers(&best.number) {
            *best = version;
        }
    }
    let offer = |version: &Version| {
        let package = format!("{}={}", version.package, version.number);
        Some(Offer {
            name: format!("uml-{}", series(&version.number)?),
            kind: Kind::Uml,
            version: version.number.clone(),
            packages: vec![package, "libc6/sid".to_owned(), "libgcc-s1/sid".to_owned()],
            lacks: None,
        })
    };
    newest.into_values().filter_map(offer).collect()
}

/// gVisor by the date of its release. Of several builds the one for the oldest suite: a build by a
/// newer Go than the release was written for may panic (20240729 in forky and sid does, as soon as
/// a task sleeps).
fn gvisor(versions: &[Version]) -> Vec<Offer> {
    let mut oldest: BTreeMap<String, &Version> = BTreeMap::new();
    for version in versions.iter().filter(|version| version.package == "runsc") {
        let date: String = version
            .number
            .split(|c: char| !c.is_ascii_digit())
            .find(|digits| digits.len() == 8)
            .unwrap_or_default()
            .to_owned();
        let age = |version: &Version| SUITE_AGES.iter().position(|suite| *suite == version.suite);
        let best = oldest.entry(date).or_insert(version);
        if age(version) < age(best) {
            *best = version;
        }
    }
    let offer = |(date, version): (String, &Version)| Offer {
        name: format!("gvisor-{date}"),
        kind: Kind::Gvisor,
        version: version.number.clone(),
        packages: vec![format!("{}={}", version.package, version.number)],
        lacks: None,
    };
    oldest.into_iter().filter(|(date, _)| !date.is_empty()).map(offer).collect()
}

/// Suites with runsc, the oldest toolchain first.
const SUITE_AGES: &[&str] = &["bookworm", "bookworm-backports", "trixie", "forky", "sid"];
