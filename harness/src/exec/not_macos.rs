//! What an executor does on macOS alone, as every other system does it.

use super::gave::{Fault, Gave};
use super::runner::Runner;
use crate::case::addr::SockAddr;
use crate::case::{Case, Op};
use crate::trace::Trace;

/// Which timer of the kernel's own came between: none that a case would show.
pub(super) fn disturbed(_: &Case, _: &Trace) -> Option<String> {
    None
}

/// Darwin's own calls: there are none.
pub(super) fn own_call(
    _: &mut Runner<'_>,
    _: u32,
    op: &Op,
    _: &mut Option<SockAddr>,
) -> Result<Gave, Fault> {
    Err(Fault::Unsupported(op.call().to_owned()))
}

/// Nothing counts the sockets that content filters see: there are no such filters.
pub(super) fn filtered_sockets() -> Option<u32> {
    None
}
