//! `shutdown` forbids what it says.
//!
//! # Where the line runs
//!
//! - After `SHUT_WR` or `SHUT_RDWR` succeeded no send on the socket does, nor does it wait: it is `EPIPE`.
//! - On a stream of Linux's that comes with `SIGPIPE`, unless the send has `MSG_NOSIGNAL` (send(2)). With
//!   `MSG_NOSIGNAL` none comes anywhere.
//! - After `SHUT_RD` or `SHUT_RDWR` a receive on a stream does not wait: with nothing queued it is 0.
//!
//! # How much it weighs
//!
//! That a send after `SHUT_WR` succeeds, or another error than `EPIPE` comes, [`Rank::Violates`], as does a
//! `SIGPIPE` that was asked not to come. POSIX says what `SHUT_RD` disables and not what a receive then returns:
//! one that waits [`Rank::Surprises`]. Linux takes data after `SHUT_RD` all the same and gives them to a
//! receive; nothing is written about that, and it is not judged.
//!
//! # What is not judged
//!
//! - Errors of the network, which a send may tell first, and those of its arguments; what a call that
//!   writes nothing returns (POSIX write: "the results are unspecified").
//! - A socket that was connected again, or listens.
//! - A receive on a socket of datagrams: with `O_NONBLOCK` Linux says `EAGAIN`, which is what "no data" is.
//! - Traces in which calls overlap.
//!
//! # Where it fires
//!
//! On gVisor, which raises no `SIGPIPE` for a local stream: see `known-deviations.toml`.

use std::collections::BTreeMap;

use harness::case::op::Op;
use harness::case::{Case, Os};
use harness::trace::{Event, Trace};
use harness::verdict::Rank;

use super::sockets::{Id, Sockets, Type, hung, is_beside};
use super::view::{Call, View};
use super::{Cite, Finding, Needs, Rule};

/// The rule *shutdown forbids what it says*.
pub(super) const RULE: Rule = Rule {
    name: "shutdown-forbids",
    rank: Rank::Violates,
    needs: Needs::Order,
    says: "After a shutdown of sending a send is EPIPE, with SIGPIPE on a stream unless MSG_NOSIGNAL is \
           given; after a shutdown of receiving a receive on a stream does not wait, which no standard \
           says in these words.",
    cites: &[
        Cite {
            source: "POSIX.1-2017 shutdown, DESCRIPTION",
            quote: "The shutdown() function disables subsequent send and/or receive operations on a \
                    socket, depending on the value of the how argument.",
        },
        Cite {
            source: "POSIX.1-2017 send, ERRORS [EPIPE]",
            quote: "The socket is shut down for writing, or the socket is connection-mode and is no \
                    longer connected.",
        },
        Cite {
            source: "POSIX.1-2017 send, DESCRIPTION, MSG_NOSIGNAL",
            quote: "Requests not to send the SIGPIPE signal if an attempt to send is made on a \
                    stream-oriented socket that is no longer connected. The [EPIPE] error shall still \
                    be returned.",
        },
        Cite {
            source: "Linux send(2), ERRORS EPIPE",
            quote: "The local end has been shut down on a connection oriented socket. In this case, \
                    the process will also receive a SIGPIPE unless MSG_NOSIGNAL is set.",
        },
    ],
    check,
};

/// Errors that a send may tell before it is asked whether it may send: of the network, of its arguments, of the
/// socket.
const FIRST: &[&str] = &[
    "EBADF",
    "ECONNREFUSED",
    "ECONNRESET",
    "EDESTADDRREQ",
    "EFAULT",
    "EHOSTUNREACH",
    "EINTR",
    "EINVAL",
    "EISCONN",
    "EMSGSIZE",
    "ENETDOWN",
    "ENETUNREACH",
    "ENOBUFS",
    "ENOMEM",
    "ENOTCONN",
    "EOPNOTSUPP",
    "EPIPE",
    "ETIMEDOUT",
    "EACCES",
    "EPERM",
    "ENOENT",
    "EAFNOSUPPORT",
    "EPROTOTYPE",
    "EADDRNOTAVAIL",
];

#[derive(Clone, Copy, Default)]
struct Shut {
    send: bool,
    receive: bool,
}

fn check(case: &Case, trace: &Trace, os: Os) -> Vec<Finding> {
    let view = View::new(case, trace);
    let sockets = Sockets::of(&view);
    let mut shut: BTreeMap<Id, Shut> = BTreeMap::new();
    let mut findings = Vec::new();
    for (index, call) in view.calls.iter().enumerate() {
        let by = call.what.sends_by().or(call.what.fd());
        let Some(id) = by.and_then(|name| sockets.named(index, name)) else { continue };
        match call.what {
            Op::Shutdown { how, .. } if call.ok() => {
                let now = shut.entry(id).or_default();
                now.send |= ["SHUT_WR", "SHUT_RDWR"].contains(&how.plain());
                now.receive |= ["SHUT_RD", "SHUT_RDWR"].contains(&how.plain());
            }
            Op::Connect { .. }
            | Op::Connectx { .. }
            | Op::Disconnectx { .. }
            | Op::Listen { .. }
            | Op::Raw { .. } => {
                shut.remove(&id);
            }
            _ => {}
        }
        let Some(now) = shut.get(&id) else { continue };
        let r#type = sockets.get(id).r#type;
        if now.send && call.what.sends() {
            findings.extend(sent(&view, call, r#type, os));
        }
        let waits = call.errno == Some("EAGAIN") && !is_beside(call.what);
        if now.receive && call.what.receives() && waits && r#type == Type::Stream {
            let text = format!("{} after SHUT_RD: it would wait for data.", call.said());
            findings.push(RULE.weighs(Rank::Surprises, call.op, text));
        }
    }
    findings.extend(waited(&view, &sockets, &shut));
    findings
}

/// What is wrong with a send by a socket that shall send no more.
fn sent(view: &View<'_>, call: &Call<'_>, r#type: Type, os: Os) -> Option<Finding> {
    let nothing = call.what.written().is_some_and(|bytes| bytes.is_empty());
    if nothing {
        return None;
    }
    if call.ok() && call.ret == 0 && matches!(call.what, Op::Sendfile { .. } | Op::Splice { .. }) {
        return None;
    }
    let said = call.said();
    if !call.errno.is_some_and(|errno| FIRST.contains(&errno)) {
        return Some(RULE.finds(call.op, format!("{said} after SHUT_WR, not EPIPE.")));
    }
    if call.errno != Some("EPIPE") {
        return None;
    }
    let signal = view.trace.events.iter().any(|event| {
        matches!(event, Event::Signal { op, name, .. } if *op == call.op && name == "SIGPIPE")
    });
    let asks_not = call.what.send_flags().is_some_and(|flags| flags.has("MSG_NOSIGNAL"));
    match (signal, asks_not) {
        (true, true) => {
            Some(RULE.finds(call.op, format!("{said} with MSG_NOSIGNAL, and SIGPIPE came.")))
        }
        (false, false) if os == Os::Linux && r#type == Type::Stream => {
            let text = format!("{said} without MSG_NOSIGNAL, and no SIGPIPE came.");
            Some(RULE.weighs(Rank::Surprises, call.op, text))
        }
        _ => None,
    }
}

/// The call that did not return, if it is one that shall not wait.
fn waited(view: &View<'_>, sockets: &Sockets<'_>, shut: &BTreeMap<Id, Shut>) -> Option<Finding> {
    let (number, op) = hung(view)?;
    let id = sockets.named(view.calls.len(), op.sends_by().or(op.fd())?)?;
    let now = shut.get(&id)?;
    let name = op.call();
    if now.send && op.sends() {
        return Some(RULE.finds(number, format!("{name} after SHUT_WR did not return.")));
    }
    let is_stream = sockets.get(id).r#type == Type::Stream;
    let text = format!("{name} after SHUT_RD did not return.");
    let waits = now.receive && op.receives() && !is_beside(op) && is_stream;
    waits.then(|| RULE.weighs(Rank::Surprises, number, text))
}
