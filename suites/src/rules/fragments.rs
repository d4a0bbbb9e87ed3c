//! Fragments: none where they were forbidden, and of those that leave the whole datagram.
//!
//! # What counts as forbidden
//!
//! The intent, on whichever kind of socket; `IP_DONTFRAG`; `IPV6_DONTFRAG`, also as a control
//! message, for IPv6; the modes `DO` and `PROBE` of `IP_MTU_DISCOVER` and `IPV6_MTU_DISCOVER`. DF
//! is asked for on IPv4 alone: IPv6 has no such bit, since no router fragments (RFC 8200 §4.5).
//!
//! `IPV6_DONTFRAG` is specified for packets of IPv6, of UDP and raw sockets (RFC 3542 §11.2). That it
//! succeeds and does nothing for an IPv4-mapped destination, or on a ping socket, breaks no clause: the
//! same call does something for another destination of the same socket, so it [`Rank::Surprises`].
//!
//! # What is left unjudged
//!
//! Packets whose header the program wrote, datagrams whose options changed between their pieces,
//! and TCP. What a datagram carries when one of its pieces was refused (`MSG_MORE`): that is the
//! business of *no silent loss*.
//!
//! # Where they fire
//!
//! *Do not fragment* on every Linux and on gVisor. *Fragments make the datagram* on gVisor of 2024-07-29 alone, whose
//! packet socket on `lo` has the first fragment with the header of the whole datagram; a fault plants it elsewhere.

use harness::case::{Case, Os};
use harness::trace::Trace;
use harness::verdict::Rank;
use harness::wire::Net;

use super::acts::acts;
use super::asked::forbidden;
use super::datagrams::{Datagram, claims, datagrams};
use super::view::{View, kind_of};
use super::{Cite, Finding, Needs, Rule};

/// The rule *do not fragment*.
pub(super) const FORBIDDEN: Rule = Rule {
    name: "do-not-fragment",
    rank: Rank::Violates,
    needs: Needs::Frames,
    says: "A datagram that shall not be fragmented leaves whole, with DF set if it is IPv4, or not \
           at all.",
    cites: &[
        Cite {
            source: "RFC 791 §2.3",
            quote: "Any internet datagram so marked is not to be internet fragmented under any \
                    circumstances.",
        },
        // Of mapped addresses and of ping sockets it says nothing, so that they surprise.
        Cite {
            source: "RFC 3542 §11.2",
            quote: "This specification defines a mechanism to turn off the automatic inserting of \
                    a fragment header for UDP and raw sockets.",
        },
        Cite {
            source: "RFC 1191 §2",
            quote: "sends all datagrams on that path with the DF bit set",
        },
    ],
    check: check_forbidden,
};

/// The rule *fragments make the datagram*.
pub(super) const WHOLE: Rule = Rule {
    name: "fragments-reassemble",
    rank: Rank::Violates,
    needs: Needs::Frames,
    says: "The fragments that leave do not overlap, have no hole, and make exactly what a send was \
           given.",
    cites: &[
        Cite {
            source: "RFC 791 §2.3",
            quote: "To assemble the fragments of an internet datagram, an internet protocol module \
                    (for example at a destination host) combines internet datagrams that all have \
                    the same value for the four fields: identification, source, destination, and \
                    protocol.",
        },
        Cite {
            source: "RFC 8200 §4.5",
            quote: "If any of the fragments being reassembled overlap with any other fragments \
                    being reassembled for the same packet, reassembly of that packet must be \
                    abandoned",
        },
    ],
    check: check_whole,
};

fn check_forbidden(case: &Case, trace: &Trace, os: Os) -> Vec<Finding> {
    let view = View::new(case, trace);
    let acts = acts(&view).list;
    let datagrams = datagrams(&view, os);
    let claims = claims(&acts, &datagrams);
    let mut findings = Vec::new();
    for (index, act) in acts.iter().enumerate().filter(|(_, act)| act.ok && !act.connects) {
        let Some(asked) = forbidden(&view, act).filter(|asked| asked.forbids) else { continue };
        let mut own =
            datagrams.iter().zip(&claims).filter(|(_, of)| **of == Some(index)).map(|(d, _)| d);
        let told = own.find_map(|datagram| {
            let clear = |net: &Net<'_>| matches!(net, Net::V4(ip, _) if !ip.dont_fragment);
            if datagram.pieces() > 1 {
                Some(format!("it left on {} in {} fragments", datagram.link, datagram.pieces()))
            } else if clear(&view.frames[datagram.frame].packet.net) {
                Some(format!("it left on {} with DF clear", datagram.link))
            } else {
                None
            }
        });
        if let (Some(told), Some(dest)) = (told, act.dest) {
            let (call, size, to) =
                (view.calls[act.call].what.call(), act.bytes.len(), dest.say(&view));
            let text = format!(
                "{call} of {size} bytes to {to} on a socket that forbids fragments: {told}."
            );
            let rank = if asked.reaches { FORBIDDEN.rank } else { Rank::Surprises };
            findings.push(FORBIDDEN.weighs(rank, act.op, text));
        }
    }
    findings
}

fn check_whole(case: &Case, trace: &Trace, os: Os) -> Vec<Finding> {
    let view = View::new(case, trace);
    let acts = acts(&view).list;
    let datagrams = datagrams(&view, os);
    let claims = claims(&acts, &datagrams);
    let doubtful = |op| acts.iter().any(|act| act.op == op && act.doubtful);
    // That a send which failed has sent after all is the business of *failed call, no effect*.
    let failed = |datagram: &Datagram<'_>| {
        let mut of_call = acts.iter().filter(|act| act.op == datagram.op && !act.ok);
        of_call.any(|act| datagram.carries(act))
    };
    let mut findings = Vec::new();
    for (datagram, claim) in datagrams.iter().zip(&claims).filter(|(of, _)| !of.copy) {
        let first = &view.frames[datagram.frame];
        if case.ops.len() <= datagram.op as usize {
            continue;
        }
        // Of one piece, and the later pieces of a packet whose header the program wrote.
        if datagram.pieces() < 2 && !(first.fragment().more && claim.is_none()) {
            continue;
        }
        let fault = if datagram.overlaps() {
            "overlap"
        } else if !datagram.whole {
            "have a hole or no end"
        } else if claim.is_none()
            && !first.is_upkeep()
            && !doubtful(datagram.op)
            && !failed(datagram)
        {
            "make a datagram that no send was given"
        } else {
            continue;
        };
        let text = format!(
            "the fragments of {} for {} on {} {fault}.",
            kind_of(datagram.protocol),
            datagram.dst,
            datagram.link
        );
        findings.push(WHOLE.finds(datagram.op, text));
    }
    findings
}
