//! The arguments of `coverage`.

use clap::{Args, ValueEnum};
use suites::coverage::Kind;

/// The arguments of `coverage`.
#[derive(Args, Debug)]
#[command(
    after_help = "Nothing is run: what shows a name are the baselines that this program carries. The exit \
                  status is 0, whatever is missing."
)]
pub(crate) struct Coverage {
    /// Of these lists alone
    #[arg(value_name = "LIST", value_enum)]
    pub(crate) lists: Vec<Names>,
    /// What no case shows though a system with baselines has it, and nothing says why: what to write next
    #[arg(long)]
    pub(crate) missing: bool,
    /// Print a line of JSON for each name
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the page that docs/coverage.md is
    #[arg(long, conflicts_with_all = ["json", "missing", "lists"])]
    pub(crate) markdown: bool,
}

/// A list of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Names {
    /// Functions of the sockets API
    Calls,
    /// Errnos that a call returns or tells
    Errnos,
    /// Errnos of a call, as POSIX and the call's manual pages list them
    Pairs,
    /// Socket options
    Options,
    /// MSG_ flags
    Flags,
    /// Requests of ioctl
    Ioctls,
    /// Control messages
    Controls,
}

impl Names {
    /// What the list is of.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Calls => Kind::Calls,
            Self::Errnos => Kind::Errnos,
            Self::Pairs => Kind::Pairs,
            Self::Options => Kind::Options,
            Self::Flags => Kind::Flags,
            Self::Ioctls => Kind::Ioctls,
            Self::Controls => Kind::Controls,
        }
    }
}
