//! Cases with more than one thread.

use harness::case::Case;

/// Why there is no program for the case: it would make all calls in one thread, and wait for ever in the
/// first that another one ends.
pub(super) fn refused(case: &Case) -> Option<&'static str> {
    let why = "the case has more than one thread, and a program here has one";
    (!case.threads.is_empty()).then_some(why)
}
