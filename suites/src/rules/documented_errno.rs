//! The errno is documented: POSIX lists it for the call, or a manual page of the OS does.
//!
//! A finding is a gap in the manual of the OS, not a breach of POSIX: XSH 2.3 lets an
//! implementation generate errors that no list has. An errno that arrives as the value of
//! `SO_ERROR` is not judged: it belongs to an earlier call, and which one is not said. Nor is a call
//! that no table has a page of: there is no manual in which a gap could be.

use harness::case::{Case, Os};
use harness::trace::Trace;
use harness::verdict::Rank;

use super::documented::{Manual, documented, has_page};
use super::view::calls;
use super::{Cite, Finding, Needs, Rule};

/// The rule *the errno is documented*.
pub(super) const RULE: Rule = Rule {
    name: "errno-documented",
    rank: Rank::Undocumented,
    needs: Needs::OneCall,
    says: "Every errno that a call returns is listed for it by POSIX or by a manual page of the \
           operating system; POSIX allows further ones, so a deviation is a gap in the manual.",
    cites: &[
        Cite {
            source: "POSIX.1-2017 XSH 2.3 Error Numbers (why a deviation is a gap in the manual)",
            quote: "Implementations may support additional errors not included in this list, may \
                    generate errors included in this list under circumstances other than those \
                    described here, or may contain extensions or limitations that prevent some \
                    errors from occurring.",
        },
        Cite {
            source: "POSIX.1-2017 XSH 2.3 Error Numbers",
            quote: "may generate additional errors unless explicitly disallowed for a particular \
                    function",
        },
    ],
    check,
};

fn check(case: &Case, trace: &Trace, os: Os) -> Vec<Finding> {
    let (manual, name) = match os {
        Os::Linux => (Manual::Linux, "Linux"),
        Os::Macos => (Manual::Darwin, "Darwin"),
    };
    let mut findings = Vec::new();
    for call in calls(case, trace) {
        let (Some(errno), of) = (call.errno, call.what.call()) else { continue };
        if has_page(manual, of) && documented(manual, of, errno).is_none() {
            let text = format!(
                "{of} returned {errno}, which neither POSIX nor the manual pages of {name} list \
                 for it: a gap in the manual, since POSIX allows additional errors."
            );
            findings.push(RULE.finds(call.op, text));
        }
    }
    findings
}
