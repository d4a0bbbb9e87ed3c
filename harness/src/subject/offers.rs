//! Which kernels the packages of a mirror offer, and under which names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::packages::{Packages, Unavailable, Version};
use crate::text;

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
    /// Such as `linux-6.12`: the newest release of its series that can be had. Of an older one, its release.
    pub name: String,
    /// Of a kernel in QEMU, which release it is, `linux-6.12.118`; none of a candidate for one.
    pub release: Option<String>,
    /// Whether the name of its series means another of it.
    pub is_other: bool,
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
    /// Whether `word` means it: its name or its release, or with `*` any releases.
    pub fn is_meant(&self, word: &str) -> bool {
        let is = |name: &str| text::glob(word, name);
        self.release.as_deref().is_some_and(is) || is(&self.name)
    }

    /// What it is before or behind others by: the numbers of its release.
    pub fn age(&self) -> Vec<u64> {
        numbers(self.release.as_ref().unwrap_or(&self.name))
    }

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

/// A kernel that the mirror has an image of.
struct Image {
    /// Debian's name of it: `6.12.117+deb13-cloud-amd64`, `5.10.0-46-cloud-amd64`.
    kernel: String,
    packages: Vec<String>,
    /// The version of the image's package, the newest of several suites': `6.12.117-1`.
    number: String,
    lacks: Option<String>,
}

impl Image {
    /// Linux's own number: `6.12.117`.
    fn release(&self) -> &str {
        self.number.split(['-', '~']).next().unwrap_or_default()
    }

    /// One that has its modules goes before any that has not; of two builds of a release the suite's own before
    /// that for an older suite (`6.12.107-1~bpo12+1`).
    fn rank(&self) -> (bool, Vec<u64>, bool, Vec<u64>) {
        let own = !self.number.contains('~');
        (self.lacks.is_none(), numbers(self.release()), own, numbers(&self.number))
    }

    /// By the name of its series, which `is_other` than it means, or by its release's.
    fn offer(&self, series: &str, is_other: bool) -> Offer {
        let release = format!("linux-{}", self.release());
        let is_release = numbers(self.release()).len() > 2;
        Offer {
            name: if is_other { release.clone() } else { format!("linux-{series}") },
            release: is_release.then_some(release),
            is_other,
            kind: Kind::Linux,
            version: self.kernel.clone(),
            packages: self.packages.clone(),
            lacks: self.lacks.clone(),
        }
    }
}

fn linux(packages: &Packages) -> Result<Vec<Offer>, Unavailable> {
    Ok(by_series(&images(packages)?))
}

/// The newest of each series that has its modules by the series' name, behind the others by their releases'.
fn by_series(images: &[Image]) -> Vec<Offer> {
    let mut all: BTreeMap<Vec<u64>, BTreeMap<Vec<u64>, &Image>> = BTreeMap::new();
    for image in images {
        let release = numbers(image.release());
        if release.len() < 2 {
            continue;
        }
        let series = all.entry(release[..2].to_vec()).or_default();
        let best = series.entry(release).or_insert(image);
        if image.rank() > best.rank() {
            *best = image;
        }
    }
    let mut offers = Vec::new();
    for (series, releases) in all {
        let Some(newest) = releases.values().max_by_key(|image| image.rank()) else { continue };
        let series = series.iter().map(u64::to_string).collect::<Vec<_>>().join(".");
        // A candidate has no name where there is a release.
        let others = releases.iter().filter(|(release, _)| release.len() > 2);
        let others = others.map(|(_, image)| image).filter(|image| image.number != newest.number);
        offers.extend(others.map(|image| image.offer(&series, true)));
        offers.push(newest.offer(&series, false));
    }
    offers
}

/// Kernels built for virtual machines in the cloud. From 6.19 on the image and the modules are packages of
/// their own, and of a superseded kernel the mirror may have the image alone.
fn images(packages: &Packages) -> Result<Vec<Image>, Unavailable> {
    const FLAVOUR: &str = "-cloud-amd64";
    let of = |prefix: &str| -> Result<Vec<String>, Unavailable> {
        let names = packages.names(prefix)?;
        let kernel = |name: String| {
            let kernel = name.strip_prefix(prefix)?;
            let version = kernel.strip_suffix(FLAVOUR)?;
            version.starts_with(|c: char| c.is_ascii_digit()).then(|| kernel.to_owned())
        };
        Ok(names.into_iter().filter_map(kernel).collect())
    };
    let (mut kernels, split, modules) =
        (of("linux-image-")?, of("linux-binary-")?, of("linux-modules-")?);
    kernels.extend(split.iter().cloned());
    kernels.sort_unstable();
    kernels.dedup();
    let mut images: Vec<Image> = kernels
        .into_iter()
        // Two numbers: a package that only names others.
        .filter(|kernel| numbers(kernel.trim_end_matches(FLAVOUR)).len() > 2)
        .map(|kernel| {
            let (is_split, has_modules) = (split.contains(&kernel), modules.contains(&kernel));
            let lacks = (is_split && !has_modules)
                .then(|| "modules: the mirror has its image alone, no tun".to_owned());
            let image = if is_split { "linux-binary" } else { "linux-image" };
            let mut packages = vec![format!("{image}-{kernel}")];
            packages.extend((is_split && has_modules).then(|| format!("linux-modules-{kernel}")));
            Image { kernel, packages, number: String::new(), lacks }
        })
        .collect();
    let names: Vec<&str> =
        images.iter().flat_map(|image| &image.packages).map(String::as_str).collect();
    let versions = packages.versions(&names)?;
    for image in &mut images {
        for (at, package) in image.packages.iter_mut().enumerate() {
            // Of several suites with the same name, the newest.
            let of_it = versions.iter().filter(|version| version.package == *package);
            if let Some(version) = of_it.max_by_key(|version| numbers(&version.number)) {
                *package = format!("{package}={}", version.number);
                if at == 0 {
                    image.number.clone_from(&version.number);
                }
            }
        }
    }
    Ok(images)
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
            release: None,
            is_other: false,
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
        release: None,
        is_other: false,
        kind: Kind::Gvisor,
        version: version.number.clone(),
        packages: vec![format!("{}={}", version.package, version.number)],
        lacks: None,
    };
    oldest.into_iter().filter(|(date, _)| !date.is_empty()).map(offer).collect()
}

/// Suites with runsc, the oldest toolchain first.
const SUITE_AGES: &[&str] = &["bookworm", "bookworm-backports", "trixie", "forky", "sid"];

#[cfg(test)]
mod tests {
    use super::*;

    fn image(kernel: &str, number: &str, lacks: bool) -> Image {
        let lacks = lacks.then(|| "modules".to_owned());
        let packages = vec![format!("linux-image-{kernel}={number}")];
        Image { kernel: kernel.to_owned(), packages, number: number.to_owned(), lacks }
    }

    fn named<'o>(offers: &'o [Offer], word: &str) -> Vec<&'o str> {
        offers.iter().filter(|offer| offer.is_meant(word)).map(|o| o.version.as_str()).collect()
    }

    /// `7.4~rc2-1~exp1`: it was passed over, though experimental is looked at for such.
    #[test]
    fn a_candidate_is_its_series_until_there_is_a_release() {
        let candidate = || image("7.4-rc2-cloud-amd64", "7.4~rc2-1~exp1", false);
        let named = |offers: &[Offer]| {
            let of = |o: &Offer| (o.name.clone(), o.release.clone(), o.is_other);
            offers.iter().map(of).collect::<Vec<_>>()
        };
        let series = || "linux-7.4".to_owned();
        assert_eq!(named(&by_series(&[candidate()])), [(series(), None, false)]);
        let release = image("7.4.1+deb14-cloud-amd64", "7.4.1-1", false);
        let both = named(&by_series(&[release, candidate()]));
        assert_eq!(both, [(series(), Some("linux-7.4.1".to_owned()), false)]);
    }

    #[test]
    fn a_series_is_its_newest_release_and_each_other_has_a_name_of_its_own() {
        let offers = by_series(&[
            image("6.12.90+deb13-cloud-amd64", "6.12.90-1", false),
            image("6.12.118+deb12-cloud-amd64", "6.12.118-1~bpo12+1", false),
            image("6.12.118+deb13-cloud-amd64", "6.12.118-1", false),
            image("6.12.90+deb13.1-cloud-amd64", "6.12.90-2", false),
            image("5.10.0-9-cloud-amd64", "5.10.70-1", false),
            image("5.10.0-46-cloud-amd64", "5.10.262-1", false),
            image("7.2.12+deb13-cloud-amd64", "7.2.12-1~bpo13+1", false),
            image("7.2.13+deb14-cloud-amd64", "7.2.13-1", true),
        ]);
        let names: Vec<&str> = offers.iter().map(|offer| offer.name.as_str()).collect();
        let expected = [
            "linux-5.10.70",
            "linux-5.10",
            "linux-6.12.90",
            "linux-6.12",
            "linux-7.2.13",
            "linux-7.2",
        ];
        assert_eq!(names, expected);
        let older: Vec<bool> = offers.iter().map(|offer| offer.is_other).collect();
        assert_eq!(older, [true, false, true, false, true, false]);
        // Of two builds of a release the newer.
        assert_eq!(named(&offers, "linux-6.12.90"), ["6.12.90+deb13.1-cloud-amd64"]);
        // By its release as by its series; one that has modules before a newer one that has not.
        assert_eq!(named(&offers, "linux-6.12.118"), named(&offers, "linux-6.12"));
        assert_eq!(named(&offers, "linux-7.2"), ["7.2.12+deb13-cloud-amd64"]);
        assert_eq!(
            named(&offers, "linux-6.12.*"),
            ["6.12.90+deb13.1-cloud-amd64", "6.12.118+deb13-cloud-amd64"]
        );
        assert!(named(&offers, "linux-6.1").is_empty() && named(&offers, "linux-6.1.*").is_empty());
        assert_eq!(named(&offers, "linux-*.12.*9*"), named(&offers, "linux-6.12.90"));
    }
}
