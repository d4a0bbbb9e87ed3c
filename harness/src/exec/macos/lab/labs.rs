//! The one lab that stands, and what became of those before it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::is_root;
use super::MacLab;
use crate::case::LinkKind;
use crate::case::lab::Lab;
use crate::exec::macos::beyond::Watch;
use crate::trace::End;

/// So many labs may break for one reason before those that need the same are not tried any more: each
/// of them takes seconds, and there are thousands.
const BREAKS: u32 = 3;

#[derive(Default)]
pub(in crate::exec) struct Labs {
    standing: Option<MacLab>,
    watch: Rc<RefCell<Watch>>,
    /// How many labs of such links broke one after the other, and why the last one did.
    breaks: BTreeMap<Vec<LinkKind>, (u32, String)>,
}

impl Labs {
    /// Takes out the lab that `spec` describes, building it if another one stands.
    pub(in crate::exec) fn take(&mut self, spec: &Lab) -> Result<MacLab, End> {
        if let Some(reason) = self.watch.borrow().stopped() {
            return Err(End::broken(reason));
        }
        match self.standing.take() {
            Some(lab) if lab.spec == *spec => Ok(lab),
            other => {
                // It has the addresses that the next one takes.
                drop(other);
                self.build(spec)
            }
        }
    }

    fn build(&mut self, spec: &Lab) -> Result<MacLab, End> {
        if !is_root() {
            return MacLab::unseen(spec);
        }
        let needs: Vec<LinkKind> = spec.links.iter().map(|link| link.kind).collect();
        if let Some((BREAKS, reason)) = self.breaks.get(&needs) {
            return Err(End::broken(format!("as {BREAKS} labs before: {reason}")));
        }
        let built = MacLab::build(spec, Rc::clone(&self.watch));
        match &built {
            Err(End::Broken { reason }) => {
                let (count, last) = self.breaks.entry(needs).or_default();
                *count = if kind_of(last) == kind_of(reason) { *count + 1 } else { 1 };
                last.clone_from(reason);
            }
            _ => drop(self.breaks.remove(&needs)),
        }
        built
    }

    /// Puts a restored lab back for the next case.
    pub(in crate::exec) fn put(&mut self, lab: MacLab) {
        self.standing = Some(lab);
    }

    /// Gives up a lab, and all that it has made.
    #[allow(clippy::unused_self, reason = "the shape is that of a system that keeps many")]
    pub(in crate::exec) fn discard(&mut self, lab: MacLab) {
        drop(lab);
    }
}

/// A reason without its numbers: units and indexes differ from lab to lab.
fn kind_of(reason: &str) -> String {
    reason.chars().filter(|c| !c.is_ascii_digit()).collect()
}
