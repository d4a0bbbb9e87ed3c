//! Which kernel answered, and under which names what is known of it is kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which kernel answered: uname(2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fingerprint {
    /// `sysname`.
    pub system: String,
    /// `release`.
    pub release: String,
    /// `version`.
    pub version: String,
    /// `machine`.
    pub machine: String,
    /// The effective user id of the executor before it entered its namespace.
    pub euid: u32,
    /// The C library and its version, such as `glibc 2.36`; empty where the system has but one.
    #[serde(default)]
    pub libc: String,
    /// What the system says of itself beyond uname(2), if it is a product with a version of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
    /// What of the host's configuration decides outcomes in the kernel's place, and no lab can set: the
    /// cases that it concerns are skipped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<HostLimit>,
}

/// A setting of the host's that rows were not observed under, or what it refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostLimit {
    /// Which, as one sentence: why cases are skipped.
    pub why: String,
    /// What mends it, as one line.
    pub mend: String,
}

/// macOS, of which uname(2) tells the kernel's version alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Product {
    /// `kern.osproductversion`, such as `15.3.1`.
    pub version: String,
    /// `kern.osversion`, such as `24D70`.
    pub build: String,
    /// Whether a content filter sees what sockets send (`net.cfil.active_count`), where that is known:
    /// behind one, the first send on a socket does not say what became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_filter: Option<bool>,
    /// Whether the host has a default route, over IPv4 or IPv6, where that is known: labs share its
    /// table, so that on a host with one fewer destinations are unreachable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_route: Option<bool>,
}

/// Which version of its sources a kernel was built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceVersion {
    /// `[6, 18, 44]`, or `[6, 1]` where only the series is known.
    pub numbers: Vec<u32>,
    /// Whether nothing is missing from `numbers`.
    pub exact: bool,
}

impl SourceVersion {
    /// As git tags it, if that is known: `v6.18.44`, and `v6.1` for what calls itself 6.1.0.
    pub fn tag(&self) -> Option<String> {
        let numbers = self.numbers.strip_suffix(&[0]).filter(|n| n.len() == 2);
        let numbers: Vec<String> =
            numbers.unwrap_or(&self.numbers).iter().map(u32::to_string).collect();
        self.exact.then(|| format!("v{}", numbers.join(".")))
    }
}

impl Fingerprint {
    /// The names that baselines of this kernel are kept under, the most specific first:
    /// `linux-6.18`, `linux`. With a content filter macOS is a platform of its own:
    /// `macos-15+cfil`, `macos-15`, `macos`. With a default route it is another, to the last: neither
    /// is judged by what the other did.
    pub fn platforms(&self) -> Vec<String> {
        let system = match self.system.as_str() {
            "Darwin" => "macos".to_owned(),
            other => other.to_lowercase(),
        };
        let series: Vec<&str> = self.release.split(['.', '-', '+']).take(2).collect();
        let series = match (self.system.as_str(), &series[..]) {
            // Darwin 24 is macOS 15, Darwin 25 is macOS 26.
            ("Darwin", [major, ..]) => match major.parse::<u32>() {
                Ok(n) if n >= 25 => (n + 1).to_string(),
                Ok(n) if n >= 20 => (n - 9).to_string(),
                _ => (*major).to_owned(),
            },
            (_, series) => series.join("."),
        };
        let series = format!("{system}-{series}");
        let product = self.product.as_ref();
        let filtered = product.and_then(|product| product.content_filter) == Some(true);
        let filtered = filtered.then(|| format!("{series}+cfil"));
        let online = product.and_then(|product| product.default_route) == Some(true);
        let online = if online { "+online" } else { "" };
        let names = filtered.into_iter().chain([series, system]);
        names.map(|name| name + online).collect()
    }

    /// The version that the kernel was built from, as far as it can be told.
    ///
    /// Debian before 13 and Ubuntu set the third number of a release to zero and count their own
    /// builds behind the hyphen (`6.1.0-44-amd64`). Debian's `version` has what it was built from
    /// (`#1 SMP Debian 6.1.192-2 (2026-01-01)`); of Ubuntu's nothing in uname(2) tells.
    pub fn source_version(&self) -> SourceVersion {
        let numbers = |text: &str| -> Vec<u32> {
            let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
            text[..end].split('.').map_while(|part| part.parse().ok()).take(3).collect()
        };
        let own = numbers(&self.release);
        let names_it = own.get(2).is_some_and(|&n| n > 0) || !self.release.contains('-');
        if self.system != "Linux" || names_it {
            return SourceVersion { numbers: own, exact: true };
        }
        let series = own[..own.len().min(2)].to_vec();
        // A release candidate, `7.3~rc2-1`, is none of its series' releases.
        let debian = self.version.split_once("Debian ").map(|(_, rest)| rest);
        let is_candidate = |rest: &&str| rest.split(' ').next().is_some_and(|v| v.contains("~rc"));
        let debian = debian
            .filter(|rest| !is_candidate(rest))
            .map(numbers)
            .filter(|of| of.starts_with(&series));
        let exact = debian.is_some();
        SourceVersion { numbers: debian.unwrap_or(series), exact }
    }

    /// The same for what the C library does by itself: `glibc-2.36`, `glibc`.
    pub fn libc_platforms(&self) -> Vec<String> {
        match self.libc.split_once(' ') {
            Some((name, version)) => vec![format!("{name}-{version}"), name.to_owned()],
            None if self.libc.is_empty() => self.platforms(),
            None => vec![self.libc.clone()],
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn fingerprint(system: &str, release: &str, version: &str) -> Fingerprint {
        let [system, release, version] = [system, release, version].map(str::to_owned);
        Fingerprint { system, release, version, ..Fingerprint::default() }
    }

    #[rstest]
    #[case("6.18.44", "#1 SMP", &[6, 18, 44], Some("v6.18.44"))]
    #[case("6.18.44-mine", "#1 SMP", &[6, 18, 44], Some("v6.18.44"))]
    #[case("6.12.117+deb13-amd64", "#1 SMP Debian 6.12.117-1", &[6, 12, 117], Some("v6.12.117"))]
    // Debian's own numbers.
    #[case("6.1.0-56-amd64", "#1 SMP Debian 6.1.192-2 (2026)", &[6, 1, 192], Some("v6.1.192"))]
    #[case("7.3-amd64", "#1 SMP Debian 7.3-1~exp1", &[7, 3], Some("v7.3"))]
    #[case("7.3-amd64", "#1 SMP Debian 7.3~rc2-1~exp1", &[7, 3], None)]
    // Nobody can tell.
    #[case("6.8.0-45-generic", "#45-Ubuntu SMP", &[6, 8], None)]
    #[case("6.8.0-45-generic", "#1 SMP Debian 6.1.192-2", &[6, 8], None)]
    #[case("6.8.0-rc3", "#1 SMP", &[6, 8], None)]
    // Mainline's own.
    #[case("6.1.0", "#1 SMP", &[6, 1, 0], Some("v6.1"))]
    fn what_a_linux_was_built_from_is_told_or_is_not(
        #[case] release: &str,
        #[case] version: &str,
        #[case] numbers: &[u32],
        #[case] tag: Option<&str>,
    ) {
        let of = fingerprint("Linux", release, version).source_version();
        assert_eq!((of.numbers.as_slice(), of.tag().as_deref()), (numbers, tag));
    }

    #[rstest]
    #[case("Linux", "6.18.44-mine", "linux-6.18", "linux")]
    #[case("Linux", "7.3-cloud-amd64", "linux-7.3", "linux")]
    #[case("Darwin", "24.3.0", "macos-15", "macos")]
    #[case("Darwin", "25.1.0", "macos-26", "macos")]
    fn platforms_go_from_the_specific_to_the_general(
        #[case] system: &str,
        #[case] release: &str,
        #[case] specific: &str,
        #[case] general: &str,
    ) {
        let kernel = fingerprint(system, release, "");
        assert_eq!(kernel.platforms(), [specific, general]);
        // The library is the system's own.
        assert_eq!(kernel.libc_platforms(), [specific, general]);
    }

    #[rstest]
    #[case(r#","content_filter":true"#, &["macos-15+cfil", "macos-15", "macos"])]
    #[case(r#","content_filter":false"#, &["macos-15", "macos"])]
    #[case("", &["macos-15", "macos"])]
    #[case(r#","default_route":false"#, &["macos-15", "macos"])]
    #[case(r#","default_route":true"#, &["macos-15+online", "macos+online"])]
    #[case(
        r#","content_filter":true,"default_route":true"#,
        &["macos-15+cfil+online", "macos-15+online", "macos+online"]
    )]
    fn what_the_host_has_makes_another_platform(#[case] filter: &str, #[case] expected: &[&str]) {
        let hello = format!(
            r#"{{"system":"Darwin","release":"24.3.0","version":"","machine":"","euid":0,
                "product":{{"version":"15.3.1","build":"24D70"{filter}}}}}"#
        );
        let kernel: Fingerprint = serde_json::from_str(&hello).unwrap();
        assert_eq!(kernel.platforms(), expected);
    }

    #[rstest]
    #[case("glibc 2.36", &["glibc-2.36", "glibc"])]
    #[case("musl", &["musl"])]
    fn a_library_has_platforms_of_its_own(#[case] libc: &str, #[case] expected: &[&str]) {
        let hello = r#"{"system":"Linux","release":"6.1","version":"","machine":"","euid":0}"#;
        let kernel: Fingerprint = serde_json::from_str(hello).unwrap();
        assert_eq!(kernel.libc_platforms(), ["linux-6.1", "linux"]);
        let kernel = Fingerprint { libc: libc.to_owned(), ..kernel };
        assert_eq!(kernel.libc_platforms(), expected);
    }
}
