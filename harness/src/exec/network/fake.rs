//! A lab that a test makes up: nothing is there but what the test says.

use std::sync::Arc;

use super::{Network, Reach};
use crate::case::{Lab, LabOp};
use crate::darwin::down::StandIn;
use crate::exec::os::Files;
use crate::trace::{Direction, LinkFact};

type Sees<'s> = &'s mut dyn FnMut(&str, Direction, &[u8]);
type Leaves<'f> = Box<dyn FnMut(&Reach) -> Option<String> + 'f>;
type Drains<'f> = Box<dyn FnMut(Sees<'_>) + 'f>;

/// What a lab answers.
pub(in crate::exec) struct Fake<'f> {
    spec: Lab,
    pub(in crate::exec) facts: Vec<LinkFact>,
    pub(in crate::exec) stand_in: Option<StandIn>,
    pub(in crate::exec) is_shared: bool,
    pub(in crate::exec) leaves: Leaves<'f>,
    pub(in crate::exec) settle: Box<dyn FnMut() + 'f>,
    pub(in crate::exec) drain: Drains<'f>,
}

impl Fake<'_> {
    /// With nothing in it and nothing to say.
    pub(in crate::exec) fn of(spec: Lab) -> Self {
        Self {
            spec,
            facts: Vec::new(),
            stand_in: None,
            is_shared: false,
            leaves: Box::new(|_| None),
            settle: Box::new(|| ()),
            drain: Box::new(|_| ()),
        }
    }
}

impl Network for Fake<'_> {
    fn spec(&self) -> &Lab {
        &self.spec
    }
    fn files(&self) -> Option<Arc<Files>> {
        None
    }
    fn facts(&self) -> &[LinkFact] {
        &self.facts
    }
    fn stand_in(&self) -> Option<&StandIn> {
        self.stand_in.as_ref()
    }
    fn is_shared(&self) -> bool {
        self.is_shared
    }
    fn leaves(&mut self, reach: &Reach) -> Option<String> {
        (self.leaves)(reach)
    }
    fn step(&mut self, _: &LabOp) -> Result<(), String> {
        Ok(())
    }
    fn settle(&mut self) {
        (self.settle)();
    }
    fn drain(&mut self, seen: Sees<'_>) {
        (self.drain)(seen);
    }
    fn restore(&mut self, _: bool) -> Result<bool, String> {
        Ok(false)
    }
}
