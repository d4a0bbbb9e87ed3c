//! Which systems and versions a claim is about, and which of them a kernel is.

use std::fmt;
use std::str::FromStr;

use harness::trace::Fingerprint;
use serde::Deserialize;

/// The systems that claims may be about.
pub const SYSTEMS: [&str; 7] =
    ["linux", "macos", "freebsd", "openbsd", "netbsd", "gvisor", "illumos"];

/// What is known of the version of a system: `6.18.44`, or `15` where only the major one is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version(Vec<u32>);

impl Version {
    /// The numbers that `text` begins with.
    fn leading(text: &str) -> Self {
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let end = text.find(|c| !is_number(c)).unwrap_or(text.len());
        Self(text[..end].split('.').map_while(|part| part.parse().ok()).collect())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&parts.join("."))
    }
}

/// A kernel as claims name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// One of [`SYSTEMS`], or another one, of which nobody has claimed anything.
    pub system: String,
    /// As much as is known.
    pub version: Version,
    /// Whether a content filter sees what sockets send (macOS), where that is known.
    pub content_filter: Option<bool>,
    /// Whether the host has a default route, where that is known.
    pub default_route: Option<bool>,
}

impl Kernel {
    /// By its fingerprint.
    ///
    /// Of Linux that is [`Fingerprint::source_version`]: for some distributions' kernels the series.
    /// Of macOS the kernel tells the major version alone (Darwin's minor version does not always
    /// follow the product's), the product all of it.
    pub fn of(fingerprint: &Fingerprint) -> Self {
        let platforms = fingerprint.platforms();
        // Behind a plus stands what the host is like, of which claims have conditions.
        let system = platforms.last().and_then(|name| name.split('+').next());
        let system = system.unwrap_or_default().to_owned();
        let version = if system == "macos" {
            let series = platforms[0].split_once('-').map_or("", |(_, series)| series);
            let product = fingerprint.product.as_ref().map(|product| product.version.as_str());
            Version::leading(product.unwrap_or(series))
        } else {
            Version(fingerprint.source_version().numbers)
        };
        let product = fingerprint.product.as_ref();
        let content_filter = product.and_then(|product| product.content_filter);
        let default_route = product.and_then(|product| product.default_route);
        Self { system, version, content_filter, default_route }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.system, self.version)
    }
}

/// How a version is compared. A bound is a series: 6.8.12 is `= 6.8`, and `<= 6.8` too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    AtLeast,
    Above,
    AtMost,
    Below,
    Is,
}

const RELATIONS: [(&str, Relation); 5] = [
    (">=", Relation::AtLeast),
    ("<=", Relation::AtMost),
    (">", Relation::Above),
    ("<", Relation::Below),
    ("=", Relation::Is),
];

/// A system and the versions that all its bounds hold for: `macos >= 15, < 15.4`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Range {
    system: String,
    bounds: Vec<(Relation, Version)>,
    text: String,
}

impl Range {
    /// The system's name.
    pub fn system(&self) -> &str {
        &self.system
    }

    /// Whether the kernel is in it; none if too little of its version is known to tell.
    pub fn has(&self, kernel: &Kernel) -> Option<bool> {
        if self.system != kernel.system {
            return Some(false);
        }
        let holds: Vec<Option<bool>> = self
            .bounds
            .iter()
            .map(|(relation, bound)| holds(&kernel.version, *relation, bound))
            .collect();
        if holds.contains(&Some(false)) {
            Some(false)
        } else if holds.contains(&None) {
            None
        } else {
            Some(true)
        }
    }
}

fn holds(version: &Version, relation: Relation, bound: &Version) -> Option<bool> {
    let known = version.0.len().min(bound.0.len());
    let order = version.0[..known].cmp(&bound.0[..known]);
    if order.is_eq() && known < bound.0.len() {
        return None;
    }
    Some(match relation {
        Relation::AtLeast => order.is_ge(),
        Relation::Above => order.is_gt(),
        Relation::AtMost => order.is_le(),
        Relation::Below => order.is_lt(),
        Relation::Is => order.is_eq(),
    })
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let end = text.find([' ', '<', '>', '=']).unwrap_or(text.len());
        let (system, rest) = text.split_at(end);
        if !SYSTEMS.contains(&system) {
            return Err(format!("{text:?}: no system {system:?}, only {}", SYSTEMS.join(", ")));
        }
        let bound = |bound: &str| {
            let (sign, relation) = RELATIONS.iter().find(|(sign, _)| bound.starts_with(sign))?;
            let numbers = bound[sign.len()..].trim();
            let version = Version::leading(numbers);
            (!version.0.is_empty() && version.to_string() == numbers)
                .then_some((*relation, version))
        };
        let bounds: Option<Vec<_>> = match rest.trim() {
            "" => Some(Vec::new()),
            rest => rest.split(',').map(|part| bound(part.trim())).collect(),
        };
        let bounds = bounds.ok_or_else(|| format!("{text:?}: a bound is such as \">= 15.4\""))?;
        Ok(Self { system: system.to_owned(), bounds, text: text.to_owned() })
    }
}

impl TryFrom<String> for Range {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use harness::trace::Product;

    fn kernel(system: &str, release: &str) -> Kernel {
        let [system, release] = [system, release].map(str::to_owned);
        Kernel::of(&Fingerprint { system, release, ..Fingerprint::default() })
    }

    #[rstest]
    #[case("Linux", "6.18.44-mine", "linux 6.18.44")]
    #[case("Linux", "6.1.0-44-cloud-amd64", "linux 6.1")]
    #[case("Linux", "7.3-cloud-amd64", "linux 7.3")]
    #[case("Darwin", "24.3.0", "macos 15")]
    #[case("FreeBSD", "15.0-RELEASE-p2", "freebsd 15.0")]
    fn a_fingerprint_tells_a_version(
        #[case] system: &str,
        #[case] release: &str,
        #[case] named: &str,
    ) {
        assert_eq!(kernel(system, release).to_string(), named);
    }

    #[test]
    fn a_product_tells_its_version_and_its_filter() {
        let product = Product {
            version: "15.3.1".to_owned(),
            build: "24D70".to_owned(),
            content_filter: Some(true),
            default_route: Some(false),
        };
        let hello = r#"{"system":"Darwin","release":"24.3.0","version":"","machine":"","euid":0}"#;
        let fingerprint: Fingerprint = serde_json::from_str(hello).unwrap();
        let kernel = Kernel::of(&Fingerprint { product: Some(product), ..fingerprint });
        assert_eq!(
            (kernel.to_string().as_str(), kernel.content_filter, kernel.default_route),
            ("macos 15.3.1", Some(true), Some(false))
        );
        let range = |text: &str| Range::try_from(text.to_owned()).unwrap();
        assert_eq!(range("macos < 15.4").has(&kernel), Some(true));
        assert_eq!(range("macos >= 15.4").has(&kernel), Some(false));
    }

    #[rstest]
    #[case(None, None)]
    #[case(Some(true), None)]
    #[case(None, Some(true))]
    #[case(Some(true), Some(true))]
    fn what_its_host_is_like_does_not_make_macos_another_system(
        #[case] content_filter: Option<bool>,
        #[case] default_route: Option<bool>,
    ) {
        let [version, build] = ["15.5", "24F74"].map(str::to_owned);
        let product = Some(Product { version, build, content_filter, default_route });
        let [system, release] = ["Darwin", "24.5.0"].map(str::to_owned);
        let of_it = Fingerprint { system, release, product, ..Fingerprint::default() };
        let kernel = Kernel::of(&of_it);
        assert_eq!(kernel.to_string(), "macos 15.5");
        assert_eq!((kernel.content_filter, kernel.default_route), (content_filter, default_route));
        assert_eq!("macos >= 15".parse::<Range>().unwrap().has(&kernel), Some(true));
        // Where the product does not say its version either.
        let bare = Fingerprint { product: None, ..of_it };
        assert_eq!(Kernel::of(&bare).to_string(), "macos 15");
    }

    #[rstest]
    #[case("linux", "6.18.44", Some(true))]
    #[case("linux >= 6.18", "6.18.44", Some(true))]
    #[case("linux > 6.18", "6.18.44", Some(false))]
    #[case("linux <= 6.18", "6.18.44", Some(true))]
    #[case("linux < 6.18", "6.18.44", Some(false))]
    #[case("linux = 6.18", "6.18.44", Some(true))]
    #[case("linux = 6.18.44", "6.18.43", Some(false))]
    #[case("linux >= 6.9", "6.18.44", Some(true))]
    #[case("linux >= 6.1, < 6.9", "6.18.44", Some(false))]
    #[case("linux >= 6.1.5", "6.1.0-44-amd64", None)]
    #[case("linux >= 6.1.5, < 6.0", "6.1.0-44-amd64", Some(false))]
    #[case("linux >= 6.1.5", "7.3-cloud-amd64", Some(true))]
    #[case("macos", "6.18.44", Some(false))]
    fn a_range_has_a_kernel_or_not(
        #[case] range: &str,
        #[case] release: &str,
        #[case] has: Option<bool>,
    ) {
        assert_eq!(range.parse::<Range>().unwrap().has(&kernel("Linux", release)), has);
    }

    #[test]
    fn a_minor_version_of_macos_is_not_told_by_darwins() {
        let has = |range: &str| range.parse::<Range>().unwrap().has(&kernel("Darwin", "24.3.0"));
        assert_eq!(has("macos >= 15, < 16"), Some(true));
        assert_eq!(has("macos < 15.4"), None);
        assert_eq!(has("macos >= 26.1"), Some(false));
    }

    #[rstest]
    #[case("mac >= 15")]
    #[case("macos 15")]
    #[case("macos >= fifteen")]
    #[case("macos >= 15,")]
    fn nonsense_is_no_range(#[case] text: &str) {
        assert!(text.parse::<Range>().is_err());
    }
}
