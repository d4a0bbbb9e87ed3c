//! How long a case waits, and whether others can run meanwhile.

use super::{Case, LabOp, Op};

/// How long a lookup waits at the most for a name server that is silent, in milliseconds: the
/// whole seconds of resolv.conf(5), a query and a second one.
const LOOKUP_MS: u32 = 4000;

/// How long a call is given, at the most, for what is there at once or soon.
const SOON_MS: u32 = 2000;

impl Case {
    /// How long the case asks to wait at the most, in milliseconds: time that passes for it alone.
    pub fn waits_ms(&self) -> u32 {
        let steps = self.ops.iter().map(|op| self.step_waits_ms(op));
        steps.fold(self.window_ms, u32::saturating_add)
    }

    /// How much of that is one step's.
    pub fn step_waits_ms(&self, op: &Op) -> u32 {
        match op.timeout_ms() {
            Some(ms) => u32::try_from(ms).unwrap_or(0),
            None => self.step_idles_ms(op),
        }
    }

    /// How much of that is for what comes late or never. `poll` and `kevent` are not: what they ask
    /// for is there soon, as a rule.
    pub fn idles_ms(&self) -> u32 {
        let steps = self.ops.iter().map(|op| self.step_idles_ms(op));
        steps.fold(self.window_ms, u32::saturating_add)
    }

    fn step_idles_ms(&self, op: &Op) -> u32 {
        match op {
            Op::Lab { step: LabOp::Wait { ms, .. } } => *ms,
            Op::Run { limit_ms, .. } => *limit_ms,
            Op::Recvmmsg { timeout_ms, .. } => timeout_ms.unwrap_or(0),
            Op::Getaddrinfo { node: Some(node), .. } if self.lab.keeps_waiting(node) => LOOKUP_MS,
            _ => 0,
        }
    }

    /// Whether it may wait longer than what polls are given for what is there soon: others are not to stand behind it.
    pub fn waits_long(&self) -> bool {
        self.idles_ms() > 0 || self.waits_ms() > SOON_MS
    }

    /// Whether the case spends its time waiting, for what it asked or for the kernel to take a
    /// link away (some tens of milliseconds), or has a thread that may: others can run meanwhile.
    pub fn is_idle(&self) -> bool {
        let deletes = |op: &Op| matches!(op, Op::Lab { step: LabOp::LinkDelete { .. } });
        self.waits_ms() > 0 || !self.threads.is_empty() || self.ops.iter().any(deletes)
    }
}
