//! Cases as text: what a transcript shows is what one may write.
//!
//! ```text
//! # A second send reports the ICMP error that the first one caused.
//! tun link0 mtu 1400
//! socket(AF_INET, SOCK_DGRAM, 0) = s
//! connect(s, {AF_INET neighbour(link0):9})
//! send(s, "x", 1, 0) = 1
//!     > link0 UDP "x"
//!     < link0 ICMP port unreachable, quoting it
//! send(s, "y", 1, 0) = -1 ECONNREFUSED
//! ```
//!
//! The language is told in `docs/cases.md`.

mod asked;
mod calls;
mod fault;
mod file;
pub mod import;
pub mod lab;
mod quotes;
mod tree;
mod update;

pub use asked::{Asked, Demand, Unmet, Wanted};
pub use fault::{Fault, render};
pub use file::{print, print_written, read, tables};
pub use update::{Left, Updated, update};

use harness::case::Case;

/// The most cases of one text.
pub const MOST_ROWS: usize = 100_000;

/// A case with parameters as it was written, or one without, which is its only row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// `FILE/table`.
    pub name: String,
    /// Its comment, in which parameters stay between `{}`.
    pub question: String,
    /// Its rows.
    pub written: Vec<Written>,
    /// The combinations of parameters that are no rows.
    pub left_out: Vec<LeftOut>,
}

/// A combination of parameters that is no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The id that the case would have.
    pub id: String,
    /// Why there is none.
    pub why: String,
}

/// A case as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The case. Its id is `FILE/table[row]`.
    pub case: Case,
    /// What is asked of its outcome, in the order of the text.
    pub asked: Vec<Asked>,
    /// On which line of the text, from 1, each step stands.
    pub lines: Vec<u32>,
    /// On which line of the text, from 1, the case or its table begins.
    pub line: u32,
}
