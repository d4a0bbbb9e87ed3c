//! Claims: what somebody reported of one system and its versions (`suites/claims/*.toml`).
//!
//! A claim is neither a rule nor a baseline: nobody promised it, and this suite did not see it. A
//! run on a system that it is about confirms or refutes it; on any other it stays unverified. It
//! changes no verdict.

mod answer;
mod expect;
mod range;

use std::sync::OnceLock;

use harness::case::Case;
use harness::trace::{End, Trace};
use serde::{Deserialize, Deserializer, Serialize};

pub use answer::Answer;
pub use expect::{Expect, Seems};
pub use range::{Kernel, Range, SYSTEMS, Version};

use crate::pattern;
use crate::rules::view::View;

/// Something reported.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Such as `netdown-filtered`; no two have the same.
    pub id: String,
    /// The claim as one sentence.
    pub says: String,
    /// About which systems and versions.
    pub on: Vec<Range>,
    /// What has to hold beside the version, if the claim is about that alone: a condition, or several
    /// of which each has to.
    #[serde(default, deserialize_with = "one_or_several")]
    pub when: Vec<Condition>,
    /// The cases that ask for it, as patterns.
    pub cases: Vec<String>,
    /// What has to be so before the claim says anything of a trace.
    #[serde(default)]
    pub given: Vec<Expect>,
    /// What is so, if it is true. All of it.
    pub expect: Vec<Expect>,
    /// How whoever said it knew, in one way or in several.
    #[serde(deserialize_with = "one_or_several")]
    pub provenance: Vec<Provenance>,
    /// Where it was said.
    pub sources: Vec<String>,
    /// The rows of the catalogue of behaviours that it belongs to.
    #[serde(default)]
    pub catalogue: Vec<String>,
}

/// How whoever claimed it knew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// It was run to find out, and this was seen.
    Observed,
    /// The source was read, and nothing was run.
    SourceRead,
    /// A post, a bug report or a change tells of it.
    Reported,
    /// It is said so, and nobody says by whom.
    Background,
}

impl Provenance {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::SourceRead => "source read",
            Self::Reported => "reported",
            Self::Background => "background",
        }
    }
}

/// Something of a host that a case cannot bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// A content filter sees what sockets send.
    ContentFilter,
    /// None does.
    NoContentFilter,
    /// The host has a default route, which leads where no link of the lab does.
    DefaultRoute,
    /// It has none.
    NoDefaultRoute,
}

/// `when = "a"` and `when = ["a", "b"]`.
fn one_or_several<'de, T, D>(from: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either<T> {
        One(T),
        Several(Vec<T>),
    }
    Ok(match Either::deserialize(from)? {
        Either::One(one) => vec![one],
        Either::Several(several) => several,
    })
}

impl Condition {
    /// Whether it holds on the kernel's host, where that is known.
    pub fn holds(self, kernel: &Kernel) -> Option<bool> {
        match self {
            Self::ContentFilter => kernel.content_filter,
            Self::NoContentFilter => kernel.content_filter.map(|has| !has),
            Self::DefaultRoute => kernel.default_route,
            Self::NoDefaultRoute => kernel.default_route.map(|has| !has),
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::ContentFilter => "with a content filter",
            Self::NoContentFilter => "without a content filter",
            Self::DefaultRoute => "with a default route",
            Self::NoDefaultRoute => "without a default route",
        }
    }
}

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It is not so here.
    Refuted,
    /// It is so here.
    Confirmed,
    /// It is about this system, and no case came as far as to tell.
    NotReached,
    /// It is about other systems or versions.
    Unverified,
}

impl Standing {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Refuted => "refuted",
            Self::Confirmed => "confirmed",
            Self::NotReached => "not reached",
            Self::Unverified => "unverified",
        }
    }
}

/// What one case says of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Test {
    /// The case's id.
    pub case: String,
    /// What it makes of the claim.
    pub standing: Standing,
    /// Why, where it is not confirmed, as one sentence.
    pub why: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    claim: Vec<Claim>,
}

const FILES: [&str; 8] = [
    include_str!("../../claims/macos.toml"),
    include_str!("../../claims/link-state.toml"),
    include_str!("../../claims/fragmentation.toml"),
    include_str!("../../claims/scoped-ipv6.toml"),
    include_str!("../../claims/multicast.toml"),
    include_str!("../../claims/http.toml"),
    include_str!("../../claims/options.toml"),
    include_str!("../../claims/darwin.toml"),
];

/// Every claim, as the files have them.
pub fn claims() -> &'static [Claim] {
    static CLAIMS: OnceLock<Vec<Claim>> = OnceLock::new();
    CLAIMS.get_or_init(|| FILES.iter().flat_map(|text| parse(text).expect("tested")).collect())
}

fn parse(text: &str) -> Result<Vec<Claim>, toml::de::Error> {
    toml::from_str::<File>(text).map(|file| file.claim)
}

impl Claim {
    /// Whether it is about the kernel; none if too little of its version is known to tell.
    pub fn is_about(&self, kernel: &Kernel) -> Option<bool> {
        let in_ranges: Vec<Option<bool>> = self.on.iter().map(|range| range.has(kernel)).collect();
        let in_range = in_ranges.iter().find(|has| **has == Some(true)).copied();
        let unknown = in_ranges.contains(&None).then_some(None);
        let excluded = self.when.iter().any(|when| when.holds(kernel) == Some(false));
        if excluded { Some(false) } else { in_range.or(unknown).unwrap_or(Some(false)) }
    }

    /// Whether the case asks for it.
    pub fn concerns(&self, id: &str) -> bool {
        self.cases.iter().any(|cases| pattern::matches(cases, id))
    }

    /// The systems and versions, in words.
    pub fn on(&self) -> String {
        let ranges: Vec<String> = self.on.iter().map(ToString::to_string).collect();
        let when = self.conditions().map(|when| format!(", {when}")).unwrap_or_default();
        format!("{}{when}", ranges.join(" or "))
    }

    /// How whoever said it knew, in words.
    pub fn provenance(&self) -> String {
        let words: Vec<&str> = self.provenance.iter().map(|how| how.word()).collect();
        words.join(" and ")
    }

    /// What has to hold beside the version, in words.
    pub fn conditions(&self) -> Option<String> {
        let words: Vec<&str> = self.when.iter().map(|when| when.words()).collect();
        (!words.is_empty()).then(|| words.join(" and "))
    }

    /// What a trace of one of its cases, made by the kernel, says of it.
    pub fn test(&self, case: &Case, trace: &Trace, kernel: &Kernel) -> Test {
        let (standing, why) = self.judge(case, trace, kernel);
        Test { case: case.id.clone(), standing, why }
    }

    fn judge(&self, case: &Case, trace: &Trace, kernel: &Kernel) -> (Standing, Option<String>) {
        match self.is_about(kernel) {
            Some(true) => {}
            Some(false) => return (Standing::Unverified, None),
            None => {
                let why = format!("of this version no more is known than {kernel}");
                return (Standing::NotReached, Some(why));
            }
        }
        match &trace.end {
            End::Skipped { reason } | End::Broken { reason } => {
                return (Standing::NotReached, Some(reason.clone()));
            }
            End::Died { how } => {
                return (Standing::NotReached, Some(format!("the case was {how}")));
            }
            End::Done | End::Unsupported | End::Hung => {}
        }
        let view = View::new(case, trace);
        for given in &self.given {
            if let Seems::Not(why) | Seems::Untold(why) = given.check(&view) {
                return (Standing::NotReached, Some(why));
            }
        }
        let seen: Vec<Seems> = self.expect.iter().map(|expect| expect.check(&view)).collect();
        let not = seen.iter().find_map(|seems| match seems {
            Seems::Not(why) => Some(why),
            _ => None,
        });
        let untold = seen.iter().find_map(|seems| match seems {
            Seems::Untold(why) => Some(why),
            _ => None,
        });
        let unsure = self.when.iter().find(|when| when.holds(kernel).is_none());
        match (not, untold, unsure) {
            (Some(why), _, None) => (Standing::Refuted, Some(why.clone())),
            // What is otherwise may be so because the condition does not hold.
            (Some(why), _, Some(when)) => {
                let why =
                    format!("true {}, and nobody knows if that is so here; {why}", when.words());
                (Standing::NotReached, Some(why))
            }
            (None, Some(why), _) => (Standing::NotReached, Some(why.clone())),
            (None, None, _) => (Standing::Confirmed, None),
        }
    }
}

/// What the tests of one claim come to: refuted if one refutes it, confirmed if one confirms it and
/// none refutes it.
pub fn standing(tests: &[Test]) -> Standing {
    tests.iter().map(|test| test.standing).min().unwrap_or(Standing::NotReached)
}

#[cfg(test)]
mod macos_tests;
#[cfg(test)]
mod tests;
