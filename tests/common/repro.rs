//! What the tests share that compile reproducers and run them.

use std::path::Path;

use harness::case::{Case, Os};
use harness::outcome;
use harness::trace::Trace;
use reports::repro::{Observed, Options, reproducer};

use super::{compile, has_cc, has_labs, is_linux};

/// The one case of a text.
pub(crate) fn case(text: &str) -> Case {
    let read = notation::read("repro", text);
    let mut read =
        read.unwrap_or_else(|faults| panic!("{}", notation::render(&faults, "repro", text, false)));
    assert_eq!(read.len(), 1, "{text}");
    read.remove(0).case
}

/// The program for what a trace says.
pub(crate) fn written(case: &Case, trace: &Trace) -> String {
    let outcome = outcome::render(case, trace, Os::Linux);
    let observed = Observed { trace, platform: "this", kernel: "this kernel", outcome: &outcome };
    reproducer(case, &Options { os: Os::Linux, observed: Some(observed), expected: &[] })
}

/// What a program prints, and its exit status.
pub(crate) fn ran(text: &str, folder: &Path) -> (String, String, Option<i32>) {
    let ran = compile::ran(text, folder).unwrap_or_else(|why| panic!("{why}\n{text}"));
    let of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (of(&ran.stdout), of(&ran.stderr), ran.status.code())
}

/// Whether programs can be compiled and run here.
pub(crate) fn able() -> bool {
    is_linux() && has_labs() && has_cc()
}
