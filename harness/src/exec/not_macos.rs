//! What an executor does on macOS alone, as every other system does it.

use crate::case::Case;
use crate::trace::Trace;

/// Which timer of the kernel's own came between: none that a case would show.
pub(super) fn disturbed(_: &Case, _: &Trace) -> Option<String> {
    None
}

/// Nothing counts the sockets that content filters see: there are no such filters.
pub(super) fn filtered_sockets() -> Option<u32> {
    None
}
