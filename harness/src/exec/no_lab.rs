//! The labs of a system that sockeye has none for: every case is skipped, and says so.

#![allow(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "the shape is that of a system that has labs"
)]

use std::sync::Arc;

use super::network::Network;
use super::os::Files;
use crate::case::Case;
use crate::case::lab::{Lab, LabOp};
use crate::trace::{Direction, End, LinkFact, Product};

const NONE: &str = "sockeye has no lab for this system yet";

pub(super) fn isolate() -> Result<(), String> {
    Err(NONE.to_owned())
}

/// Without a lab there is nothing to share, or to take away.
pub(super) const IS_SHARED: bool = false;

pub(super) fn clean() -> Result<Vec<String>, String> {
    Ok(Vec::new())
}

pub(super) fn left() -> Result<Vec<String>, String> {
    Ok(Vec::new())
}

pub(super) fn refused(_: &Case) -> Option<String> {
    None
}

pub(super) fn product() -> Option<Product> {
    None
}

pub(super) fn see(_: &Files) -> Result<(), String> {
    Err(NONE.to_owned())
}

/// No lab ever stands here.
pub(super) enum NoSuchLab {}

impl Network for NoSuchLab {
    fn spec(&self) -> &Lab {
        match *self {}
    }
    fn files(&self) -> Option<Arc<Files>> {
        match *self {}
    }
    fn facts(&self) -> &[LinkFact] {
        match *self {}
    }
    fn step(&mut self, _: &LabOp) -> Result<(), String> {
        match *self {}
    }
    fn drain(&mut self, _: &mut dyn FnMut(&str, Direction, &[u8])) {
        match *self {}
    }
    fn restore(&mut self, _: bool) -> Result<bool, String> {
        match *self {}
    }
}

impl NoSuchLab {
    pub(super) fn make_files(&mut self) -> Result<(), String> {
        match *self {}
    }
}

#[derive(Default)]
pub(super) struct Labs(());

impl Labs {
    pub(super) fn take(&mut self, _: &Lab) -> Result<NoSuchLab, End> {
        Err(End::skipped(NONE.to_owned()))
    }

    pub(super) fn put(&mut self, lab: NoSuchLab) {
        match lab {}
    }

    pub(super) fn discard(&mut self, lab: NoSuchLab) {
        match lab {}
    }
}
