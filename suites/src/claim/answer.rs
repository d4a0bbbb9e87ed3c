//! What a claim says that a call returns or writes.

use std::fmt;

use serde::Deserialize;

/// A value, or any of several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// This number.
    Number(i64),
    /// `success`, `failure`, or an errno's name.
    Word(String),
    /// One of these.
    Any(Vec<Self>),
}

impl Answer {
    pub(super) fn is(&self, number: i64, errno: Option<&str>) -> bool {
        match self {
            Self::Number(n) => errno.is_none() && *n == number,
            Self::Word(word) if word == "success" => errno.is_none(),
            Self::Word(word) if word == "failure" => errno.is_some(),
            Self::Word(word) => errno == Some(word),
            Self::Any(all) => all.iter().any(|one| one.is(number, errno)),
        }
    }

    /// Whether each word in it is `success`, `failure` or looks like an errno.
    pub fn is_sound(&self) -> bool {
        match self {
            Self::Number(_) => true,
            Self::Word(word) => {
                let rest = word.strip_prefix('E').unwrap_or_default();
                ["success", "failure"].contains(&word.as_str())
                    || !rest.is_empty()
                        && rest.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
            }
            Self::Any(all) => all.len() > 1 && all.iter().all(Self::is_sound),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(n) => write!(f, "{n}"),
            Self::Word(word) => f.write_str(word),
            Self::Any(all) => {
                let all: Vec<String> = all.iter().map(ToString::to_string).collect();
                f.write_str(&all.join(" or "))
            }
        }
    }
}
