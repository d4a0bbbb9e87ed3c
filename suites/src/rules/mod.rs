//! The rules: what a standard promises, for every case and every OS.
//!
//! A rule reads a case and its trace and tells what in them breaks it. It knows nothing of tables,
//! of baselines or of what an OS is known to do: where an OS deviates, the rule says so each time,
//! and the list of known deviations has the reason. Each rule is a module that says where its line
//! runs and what it leaves unjudged, and why.
//!
//! What they share: `view` puts the calls and the frames of a trace side by side, `acts` follows
//! the sockets of a case and tells what was to be sent where, `datagrams` finds the packet of each
//! send, `resolution` tells whether the host asked for the next hop, `sockets` tells which socket a name
//! stands for.

mod acts;
mod asked;
mod bytes_as_written;
mod control;
mod datagrams;
pub mod documented;
mod documented_errno;
mod ends;
mod forged;
mod fragments;
mod inherited;
mod kept;
mod link;
mod lookups;
mod loopback;
mod no_effect;
mod option_as_set;
mod ready;
mod resolution;
mod shut;
mod silent_loss;
mod so_error;
mod sockets;
mod too_big;
pub(crate) mod view;
mod whole;
mod zone;
mod zone_names;

#[cfg(test)]
mod story;
#[cfg(test)]
mod tests;

use harness::case::{Case, Os};
use harness::trace::{End, Trace};
use harness::verdict::Rank;

/// Something in a trace that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// [`Rule::name`].
    pub rule: &'static str,
    /// How much it weighs: as its rule, or less where no clause of that reaches.
    pub rank: Rank,
    /// The number of the case's step: the call that broke it.
    pub op: u32,
    /// What happened, as one sentence that a kernel engineer can check. It has no time, no
    /// interface index and no ephemeral port in it, so that it is the same in every run.
    pub text: String,
}

/// Where a rule comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cite {
    /// The document and its section.
    pub source: &'static str,
    /// Its words.
    pub quote: &'static str,
}

/// What holds for every case on every OS.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Such as `no-silent-loss`.
    pub name: &'static str,
    /// How much it weighs that it is broken; a finding that its clauses do not reach weighs less.
    pub rank: Rank,
    /// What it looks at, and cannot be asked without.
    needs: Needs,
    /// What it says, as one sentence.
    pub says: &'static str,
    /// Where it comes from; what no document requires is said in `says`.
    pub cites: &'static [Cite],
    /// What in a trace of the case on that OS breaks it. Only for traces of cases that ran: see
    /// [`judge`].
    pub check: fn(&Case, &Trace, Os) -> Vec<Finding>,
}

/// What of a trace a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    /// One call at a time.
    OneCall,
    /// The order of the calls.
    Order,
    /// Frames, and which call each is of.
    Frames,
}

/// All rules, in the order in which their findings are told.
pub const RULES: &[Rule] = &[
    silent_loss::RULE,
    no_effect::RULE,
    documented_errno::RULE,
    zone::RULE,
    zone_names::RULE,
    fragments::FORBIDDEN,
    fragments::WHOLE,
    too_big::RULE,
    forged::RULE,
    bytes_as_written::RULE,
    lookups::NUMERIC,
    lookups::LOCALHOST,
    lookups::SERVICE,
    lookups::ZONE,
    lookups::RESPONSE,
    whole::RULE,
    option_as_set::RULE,
    so_error::RULE,
    shut::RULE,
    inherited::RULE,
    control::RULE,
    ready::RULE,
    ends::RULE,
];

impl Rule {
    /// A finding that its clauses reach.
    fn finds(&self, op: u32, text: String) -> Finding {
        self.weighs(self.rank, op, text)
    }

    /// A finding of another rank than the rule's own, which is never more.
    fn weighs(&self, rank: Rank, op: u32, text: String) -> Finding {
        Finding { rule: self.name, rank: rank.max(self.rank), op, text }
    }
}

impl Finding {
    /// How much it weighs.
    pub fn rank(&self) -> Rank {
        self.rank
    }
}

/// Why no rule that needs frames is asked of a trace, as one sentence, if that is so.
pub fn frames_unjudged(trace: &Trace) -> Option<&'static str> {
    if trace.is_unseen() {
        return Some("no rule about frames was asked: nobody saw them");
    }
    // A frame beneath one call may be the doing of another that waits meanwhile.
    let overlap = trace.waited().next().is_some();
    overlap.then_some("no rule about frames was asked: a call waited while others were made")
}

/// What in the trace of `case` on `os` breaks a rule, rule by rule.
///
/// Nothing for a trace that says nothing of the kernel: the case was skipped, the lab broke or the
/// executor died, so what is missing from the trace may have happened all the same. Only what needs no
/// frames where [`frames_unjudged`] says why.
pub fn judge(case: &Case, trace: &Trace, os: Os) -> Vec<Finding> {
    match trace.end {
        End::Skipped { .. } | End::Broken { .. } | End::Died { .. } => Vec::new(),
        End::Done | End::Unsupported | End::Hung => {
            // A call that waited was made before others and returned behind them.
            let overlap = trace.waited().next().is_some();
            let unjudged = frames_unjudged(trace).is_some();
            let asked = RULES.iter().filter(|rule| match rule.needs {
                Needs::OneCall => true,
                Needs::Order => !overlap,
                Needs::Frames => !unjudged,
            });
            asked.flat_map(|rule| (rule.check)(case, trace, os)).collect()
        }
    }
}
