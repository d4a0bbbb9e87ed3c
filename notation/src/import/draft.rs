//! The case as far as it has come: steps, what came of them, and remarks at their places.

use harness::case::addr::SockAddr;
use harness::case::{Case, Hex, Lab, LabOp, LinkKind, Op, Sym};
use harness::trace::{Did, Direction, End, Event, LinkFact, Out, Trace};

use super::log::Called;
use crate::file::Remark;

/// The most steps: `Case::check` lets in as many.
const MOST_STEPS: usize = 4000;
/// The most remarks of one case.
const MOST_REMARKS: usize = 4000;

/// A case under way.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) ops: Vec<Op>,
    events: Vec<Event>,
    pub(super) remarks: Vec<Remark>,
    /// How many calls are told as steps, and how many as remarks.
    pub(super) said: usize,
    pub(super) left: usize,
}

impl Draft {
    fn number(&self) -> u32 {
        u32::try_from(self.ops.len()).unwrap_or(u32::MAX)
    }

    /// Whether no more can be told.
    pub(super) fn is_full(&self) -> bool {
        self.ops.len() >= MOST_STEPS || self.remarks.len() >= MOST_REMARKS
    }

    /// A remark before the next step; one that says the same again is counted.
    pub(super) fn remark(&mut self, says: String) {
        let before = self.number();
        match self.remarks.last_mut() {
            Some(last) if last.before == before && last.says == says => last.times += 1,
            _ => self.remarks.push(Remark { before, says, times: 1 }),
        }
    }

    /// A step and what came of it. `addr` is the address that it was given.
    pub(super) fn step(&mut self, op: Op, addr: Option<SockAddr>, did: Did) {
        let number = self.number();
        self.events.push(Event::Call { op: number, at_ns: 0, took_ns: 0, addr, did });
        self.ops.push(op);
    }

    /// A step of the lab.
    pub(super) fn lab(&mut self, step: LabOp) {
        let op = self.number();
        self.events.push(Event::Lab { op, at_ns: 0, took_ns: 0 });
        self.ops.push(Op::Lab { step });
    }

    /// A frame of which nothing is asked: by it data is known that comes in, and ports get their numbers in the
    /// order in which a run sees them. It is of the last step.
    pub(super) fn frame(&mut self, bytes: Vec<u8>) {
        let (op, link) = (self.number().saturating_sub(1), super::hosts::link(0));
        let (dir, bytes) = (Direction::In, Hex(bytes));
        self.events.push(Event::Frame { op, at_ns: 0, link, dir, bytes });
    }

    /// The case and what came of it, so far as the log tells.
    pub(super) fn done(self, lab: Lab) -> (Case, Trace, Vec<Remark>) {
        let fact = |name: &str, index: u32, kind: Option<LinkKind>| LinkFact {
            name: name.to_owned(),
            index,
            kind,
            mac: Hex::default(),
            unseen: false,
        };
        let links =
            (2..).zip(&lab.links).map(|(index, link)| fact(&link.name, index, Some(link.kind)));
        let mut links: Vec<LinkFact> = std::iter::once(fact("lo", 1, None)).chain(links).collect();
        if lab.links.is_empty() {
            // Frames over loopback are told as those of a link without a header of its own.
            links.push(fact(&super::hosts::link(0), 2, Some(LinkKind::Tun)));
        }
        let case = Case::new("program", "", lab, self.ops);
        let trace = Trace::new(&case.id, links, self.events, End::Done);
        (case, trace, self.remarks)
    }
}

/// What a call came to.
pub(super) fn did(call: &Called, out: Out) -> Did {
    let errno = call.errno.as_ref().map(|errno| Sym(errno.clone().into()));
    // A descriptor is none of a case's numbers.
    let made = matches!(call.name.as_str(), "socket" | "accept" | "accept4");
    let ret = match call.ret.unwrap_or(0) {
        fd if made && fd >= 0 => 0,
        ret => ret,
    };
    Did::Returned { ret, errno, out }
}
