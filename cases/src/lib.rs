//! Cases of the sockets API in your own project, as tests of `cargo test`.
//!
//! A case is text: what is called, and what shall come, on the wire too (`docs/cases.md`). With
//!
//! ```toml
//! [dev-dependencies]
//! sockeye-cases = "0.1"
//!
//! [[test]]
//! name = "sockets"
//! harness = false
//! ```
//!
//! and this as `tests/sockets.rs`
//!
//! ```
//! # mod file {
//! sockeye::cases!("tests/cases");
//! # }
//! ```
//!
//! each row of each file below `tests/cases` is a test, `FILE/table[row]`, and takes what tests take:
//! a filter, `--list`, `--skip`. It needs neither root nor the program `sockeye`: the test program is its
//! own executor. What `sockeye run` would say of a case is the message of its failure, with the transcript.
//! A case that this host cannot make or this system has no name for is ignored, with the reason; one that
//! asks nothing, too.

mod files;
mod json;
mod own;
mod said;
mod tests;

use std::fmt;

pub use files::{Named, found, named, saved, stem, text};
pub use own::{Hears, Own, Source, is_called, unlike_a_suite};
pub use said::{Said, said};
#[doc(hidden)]
pub use tests::run;

/// A mistake of whoever wrote a case or named one, as a sentence.
#[derive(Debug)]
pub struct UsageError(pub String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// The tests of a test program, its `main` with them: each row of each file of cases in a folder of the
/// package, or of one file.
///
/// `cases!("tests/cases", baselines = "tests/baselines")` has them judged by what was observed before, too;
/// `sockeye run tests/cases --update --baselines tests/baselines` writes that down.
#[macro_export]
macro_rules! cases {
    ($path:expr $(,)?) => {
        fn main() -> ::std::process::ExitCode {
            $crate::run(env!("CARGO_MANIFEST_DIR"), $path, ::std::option::Option::None)
        }
    };
    ($path:expr, baselines = $baselines:expr $(,)?) => {
        fn main() -> ::std::process::ExitCode {
            $crate::run(env!("CARGO_MANIFEST_DIR"), $path, ::std::option::Option::Some($baselines))
        }
    };
}
