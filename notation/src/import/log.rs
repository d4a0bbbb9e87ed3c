//! What a log has of a program's calls, whoever wrote it: the calls in the order in which they ended.

/// A log of one or several threads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// Calls that may be about sockets, and those that make threads and processes; others are left out where
    /// they are read.
    pub calls: Vec<Called>,
    /// Processes of which the log tells by a signal alone: the parent, which may be any of its threads, and the
    /// child.
    pub children: Vec<(u32, u32)>,
}

/// One call of a thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// The thread; 0 where the log has but one and does not name it.
    pub pid: u32,
    /// On which line of the log the call begins, from 1.
    pub begun: u32,
    /// On which it ends; the same as a rule.
    pub ended: u32,
    /// The system call's name.
    pub name: String,
    /// Its arguments, as it left them.
    pub args: Vec<Arg>,
    /// What it returned; none if it did not.
    pub ret: Option<i64>,
    /// The errno, by name.
    pub errno: Option<String>,
    /// What is known of the descriptor that it returned.
    pub made: Option<String>,
    /// What else is told behind the value: `[{fd=3, revents=POLLIN}]`.
    pub beside: Vec<Arg>,
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    /// A number, a name or several of them: `AF_INET`, `-1`, `SOCK_DGRAM|SOCK_CLOEXEC`.
    Word(String),
    /// Bytes, all of them or those at the beginning.
    Bytes {
        /// Which.
        bytes: Vec<u8>,
        /// Whether there were more.
        cut: bool,
    },
    /// `{sa_family=AF_INET, …}`.
    Group(Vec<Self>),
    /// `[16]`.
    List(Vec<Self>),
    /// `name=value`.
    Pair(String, Box<Self>),
    /// `htons(9)`.
    Apply(String, Vec<Self>),
    /// A descriptor and what it is.
    Fd(i64, String),
    /// `128 => 16`: what was there before and behind the call.
    Change(Box<Self>, Box<Self>),
}

impl Arg {
    /// A word.
    pub fn word(text: impl Into<String>) -> Self {
        Self::Word(text.into())
    }

    /// A field of a structure.
    pub fn pair(name: &str, value: Self) -> Self {
        Self::Pair(name.to_owned(), Box::new(value))
    }

    /// The word, or the name of what is applied.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Word(word) | Self::Apply(word, _) => word,
            _ => "",
        }
    }

    /// As a number, if it is one.
    pub(super) fn number(&self) -> Option<i64> {
        match self {
            Self::Fd(number, _) => Some(*number),
            Self::Word(word) => parse(word),
            // `[4]`
            Self::List(one) if one.len() == 1 => one[0].number(),
            Self::Change(_, now) => now.number(),
            // `htons(9)`
            Self::Apply(of, one) if one.len() == 1 && of.starts_with("hto") => one[0].number(),
            _ => None,
        }
    }

    /// The number that stood there before the call.
    pub(super) fn before(&self) -> Option<i64> {
        match self {
            Self::Change(before, _) => before.number(),
            Self::List(one) if one.len() == 1 => one[0].before(),
            other => other.number(),
        }
    }

    /// What is within brackets of either kind.
    pub(super) fn within(&self) -> &[Self] {
        match self {
            Self::Group(all) | Self::List(all) => all,
            Self::Change(_, now) => now.within(),
            _ => &[],
        }
    }

    /// The value of a field.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        self.within().iter().find_map(|one| match one {
            Self::Pair(known, value) if known == name => Some(&**value),
            _ => None,
        })
    }

    /// The flags that are or-ed in it; none for 0.
    pub(super) fn flags(&self) -> Vec<&str> {
        match self {
            Self::Word(word) if parse(word) == Some(0) => Vec::new(),
            Self::Word(word) => word.split('|').collect(),
            _ => Vec::new(),
        }
    }
}

fn parse(word: &str) -> Option<i64> {
    match word.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok().map(u64::cast_signed),
        None => word.parse().ok(),
    }
}
