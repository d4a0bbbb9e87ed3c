//! Where a system is known to break a rule: `suites/known-deviations.toml`.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::pattern;
use crate::rules::Finding;

/// A known deviation. It excuses nothing but the exit status: the case still `deviates`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// Which cases, as patterns.
    pub cases: Vec<String>,
    /// Which rule.
    pub rule: String,
    /// On which platforms: `linux` is every Linux.
    pub platforms: Vec<String>,
    /// Why the system does it, as one sentence.
    pub reason: String,
    /// Where that can be read.
    pub link: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    deviation: Vec<Deviation>,
}

/// Every known deviation, as the file has them.
pub fn known() -> &'static [Deviation] {
    static KNOWN: OnceLock<Vec<Deviation>> = OnceLock::new();
    KNOWN.get_or_init(|| parse(include_str!("../known-deviations.toml")).expect("tested below"))
}

fn parse(text: &str) -> Result<Vec<Deviation>, toml::de::Error> {
    toml::from_str::<File>(text).map(|file| file.deviation)
}

impl Deviation {
    /// Whether this is the deviation that `finding` found in the case `id`.
    pub fn covers(&self, platforms: &[String], id: &str, finding: &Finding) -> bool {
        self.rule == finding.rule
            && self.platforms.iter().any(|p| platforms.contains(p))
            && self.cases.iter().any(|cases| pattern::matches(cases, id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RULES;

    #[test]
    fn the_file_is_sound() {
        let known = parse(include_str!("../known-deviations.toml")).unwrap();
        let ids: Vec<String> =
            crate::tables().into_iter().flat_map(|t| t.cases).map(|c| c.id).collect();
        for deviation in known {
            assert!(RULES.iter().any(|r| r.name == deviation.rule), "no rule {}", deviation.rule);
            assert!(deviation.link.starts_with("https://"), "no link: {}", deviation.link);
            assert!(deviation.reason.ends_with('.'), "not a sentence: {}", deviation.reason);
            for cases in &deviation.cases {
                let any = ids.iter().any(|id| pattern::matches(cases, id));
                assert!(any, "matches no case: {cases}");
            }
        }
    }
}
