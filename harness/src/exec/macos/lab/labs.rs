//! The one lab that stands, and what became of those before it.

use std::cell::RefCell;
use std::rc::Rc;

use super::super::is_root;
use super::MacLab;
use crate::case::LinkKind;
use crate::case::lab::Lab;
use crate::darwin::breaks::Breaks;
use crate::exec::macos::beyond::Watch;
use crate::trace::End;

#[derive(Default)]
pub(in crate::exec) struct Labs {
    standing: Option<MacLab>,
    watch: Rc<RefCell<Watch>>,
    breaks: Breaks<Vec<LinkKind>>,
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
        if let Some(reason) = self.breaks.given_up(&needs) {
            return Err(End::broken(reason));
        }
        let built = MacLab::build(spec, Rc::clone(&self.watch));
        let broke = match &built {
            Err(End::Broken { reason }) => Some(reason.as_str()),
            _ => None,
        };
        self.breaks.note(needs, broke);
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
