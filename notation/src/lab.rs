//! Links, and the steps of a lab.

use harness::case::{LabOp, Link};

use crate::fault::Fault;
use crate::tree::Cursor;

/// `tun link0 mtu 1400`; nothing is said of an MTU of 1500, nor of addresses of every range.
pub(crate) fn print_link(link: &Link) -> String {
    format!("{} {}", link.kind, link.name)
}

/// Reads what `print_link` prints, and forms that mean the same. The cursor stands before the kind.
pub(crate) fn read_link(cursor: &mut Cursor<'_>) -> Result<Link, Fault> {
    Err(Fault::new(cursor.to_end(), "links cannot be read yet"))
}

/// A step as one line, without `--`.
pub(crate) fn print_step(step: &LabOp) -> String {
    step.to_string()
}

/// Reads what `print_step` prints, up to the end of the text.
pub(crate) fn read_step(cursor: &mut Cursor<'_>) -> Result<LabOp, Fault> {
    Err(Fault::new(cursor.to_end(), "steps cannot be read yet"))
}
