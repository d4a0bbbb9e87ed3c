//! Where a system is known to break a rule: `suites/known-deviations.toml`.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::pattern;
use crate::rules::Finding;

/// A known deviation. It excuses nothing but the exit status: the case still `deviates`. One of a rule
/// that is `undocumented` explains a remark.
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

/// A case that ran, and the rules that it was found to break.
pub type Broke<'a> = (&'a str, Vec<&'a str>);

/// Which entries for one of `platforms` are not true any more: all of the cases that a pattern means
/// ran, and none of them broke the rule. Each as one sentence.
///
/// A run on one of many kernels names its own platform alone: of a more general one (`linux`) it may
/// be another that an entry is true of.
pub fn unseen(known: &[Deviation], platforms: &[String], ran: &[Broke<'_>]) -> Vec<String> {
    let own = known.iter().filter(|entry| entry.platforms.iter().any(|p| platforms.contains(p)));
    let patterns: Vec<(&str, &Deviation)> = own
        .flat_map(|entry| entry.cases.iter().map(move |cases| (cases.as_str(), entry)))
        .collect();
    if patterns.is_empty() {
        return Vec::new();
    }
    let all: Vec<String> =
        crate::tables().into_iter().flat_map(|t| t.cases).map(|c| c.id).collect();
    let mut unseen = Vec::new();
    for (cases, entry) in patterns {
        let meant = all.iter().filter(|id| pattern::matches(cases, id)).count();
        let those: Vec<_> = ran.iter().filter(|(id, _)| pattern::matches(cases, id)).collect();
        let broken = those.iter().any(|(_, rules)| rules.contains(&entry.rule.as_str()));
        if those.len() == meant && !broken {
            unseen.push(format!("{cases} {}: none of {meant} cases does so here", entry.rule));
        }
    }
    unseen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RULES;

    #[test]
    fn an_entry_that_became_untrue_is_found() {
        let entry = |platform: &str| Deviation {
            cases: vec!["options/default[*,SO_PEER*]".to_owned()],
            rule: "errno-documented".to_owned(),
            platforms: vec![platform.to_owned()],
            reason: String::new(),
            link: String::new(),
        };
        let (known, six_one) = ([entry("linux-6.1")], ["linux-6.1".to_owned()]);
        let tables = crate::tables();
        let ids: Vec<&str> =
            tables.iter().flat_map(|t| &t.cases).map(|case| case.id.as_str()).collect();
        let quiet: Vec<Broke<'_>> = ids.iter().map(|id| (*id, Vec::new())).collect();
        assert_eq!(unseen(&known, &six_one, &quiet).len(), 1);
        // Another platform's, or some of its cases alone: nothing can be said.
        assert_eq!(unseen(&known, &["linux-6.12".to_owned()], &quiet), [""; 0]);
        assert_eq!(unseen(&[entry("linux")], &six_one, &quiet), [""; 0]);
        let first = quiet.iter().position(|(id, _)| id.contains("SO_PEER")).unwrap();
        let some = [&quiet[..first], &quiet[first + 1..]].concat();
        assert_eq!(unseen(&known, &six_one, &some), [""; 0]);
        // One that still does so is enough.
        let mut one = quiet;
        one[first].1.push("errno-documented");
        assert_eq!(unseen(&known, &six_one, &one), [""; 0]);
    }

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
