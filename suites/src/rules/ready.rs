//! What is said to be ready is: the next call does not have to wait.
//!
//! # Where the line runs
//!
//! `poll`, `select`, `epoll_wait` and their like said that a socket can be read or written, and the next call of
//! the case reads or writes it: it is not told `EAGAIN`, nor does it wait until the case is over.
//!
//! # How much it weighs
//!
//! POSIX defines readiness by that a call with `O_NONBLOCK` clear "would not block": one that did not return
//! [`Rank::Violates`]. One that was not to wait and says `EAGAIN` [`Rank::Surprises`], as the definition does not
//! speak of it. Linux says itself where it does not keep that: a datagram with a wrong checksum is seen to be bad only
//! when it is read (select(2), BUGS). Where such a frame came it is [`Rank::Undocumented`]: the text admits it.
//!
//! # What is not judged
//!
//! - Anything in between: another call than such a question, a name or an option, a step of the lab, a frame that came.
//!   `SO_ERROR` is such a call, as it takes the error away that the socket was ready for.
//! - Whether it can be written, where the send has an address, or more than a page: it says that something fits, not
//!   that all does (poll(2), POLLOUT).
//! - A receive of something else than what was told (`MSG_OOB`, `MSG_ERRQUEUE`), with `SO_PEEK_OFF`, or with
//!   `MSG_WAITALL`, which waits for all.
//! - `select`, where a socket of the case has a queue of errors: one of those is no data, and yet makes it readable.
//! - `POLLERR`, `POLLHUP`, `POLLPRI` alone. Traces in which calls overlap.
//!
//! # Where it fires
//!
//! On Linux of a UDP socket that was shut for receiving: see `known-deviations.toml`.

use harness::case::op::Op;
use harness::case::{Case, Os, Sym};
use harness::trace::{Direction, Event, Out, Trace};
use harness::verdict::Rank;
use harness::wire::{Body, Net, Udp};

use super::sockets::{Id, Sockets, hung, is_beside, sets_any, takes};
use super::view::{Call, Seen, View};
use super::{Cite, Finding, Needs, Rule};

/// The rule *what is ready does not wait*.
pub(super) const RULE: Rule = Rule {
    name: "ready-does-not-wait",
    rank: Rank::Violates,
    needs: Needs::Order,
    says: "A socket that poll, select or epoll_wait said to be readable or writable does not make the next \
           read or write wait, when nothing happened in between.",
    cites: &[
        Cite {
            source: "POSIX.1-2017 poll, DESCRIPTION, POLLIN",
            quote: "Data other than high-priority data may be read without blocking.",
        },
        Cite {
            source: "POSIX.1-2017 poll, DESCRIPTION, POLLOUT",
            quote: "Normal data may be written without blocking.",
        },
        Cite {
            source: "POSIX.1-2017 select, DESCRIPTION",
            quote: "A descriptor shall be considered ready for reading when a call to an input function \
                    with O_NONBLOCK clear would not block, whether or not the function would transfer \
                    data successfully.",
        },
        Cite {
            source: "Linux select(2), BUGS (where it is admitted)",
            quote: "This could for example happen when data has arrived but upon examination has the \
                    wrong checksum and is discarded.",
        },
    ],
    check,
};

/// The options by which a socket has a queue of errors, which is read by `MSG_ERRQUEUE`.
const OF_THE_ERROR_QUEUE: &[&str] =
    &["IP_RECVERR", "IPV6_RECVERR", "SO_TIMESTAMPING", "SO_ZEROCOPY"];

/// What was said of a socket.
#[derive(Clone, Copy)]
struct Said<'v, 'a> {
    by: &'v Call<'a>,
    id: Id,
    reads: bool,
    writes: bool,
}

fn check(case: &Case, trace: &Trace, _: Os) -> Vec<Finding> {
    let view = View::new(case, trace);
    if sets_any(&view, |name| name == "SO_PEEK_OFF") {
        return Vec::new();
    }
    let has_error_queue = sets_any(&view, |name| OF_THE_ERROR_QUEUE.contains(&name));
    let sockets = Sockets::of(&view);
    let mut said: Vec<Said<'_, '_>> = Vec::new();
    let mut findings = Vec::new();
    for (index, call) in view.calls.iter().enumerate() {
        if waits(call.what) {
            said = told(&sockets, index, call, has_error_queue);
            continue;
        }
        if is_question(call.what) {
            continue;
        }
        if call.errno == Some("EAGAIN")
            && let Some(id) = sockets.on(index, call)
            && let Some(said) = said.iter().find(|one| one.id == id && one.is_of(call.what))
            && is_quiet(&view, said.by.place, call.place)
        {
            findings.push(found(&view, said, (call.op, Rank::Surprises), &call.said()));
        }
        said.clear();
    }
    // The call at which the case ended came last.
    if let Some((op, what)) = hung(&view)
        && let Some(id) =
            what.fd().or(what.sends_by()).and_then(|name| sockets.named(view.calls.len(), name))
        && let Some(said) = said.iter().find(|one| one.id == id && one.is_of(what))
        && is_quiet(&view, said.by.place, view.trace.events.len())
    {
        let text = format!("{} did not return", what.call());
        findings.push(found(&view, said, (op, Rank::Violates), &text));
    }
    findings
}

/// Whether the call asks what is ready.
fn waits(op: &Op) -> bool {
    op.polled().is_some()
        || matches!(
            op,
            Op::Select { .. } | Op::Pselect { .. } | Op::EpollWait { .. } | Op::EpollPwait { .. }
        )
}

/// Whether the call changes nothing of a socket.
fn is_question(op: &Op) -> bool {
    match op {
        Op::Getsockname { .. } | Op::Getpeername { .. } => true,
        Op::Fcntl { cmd, .. } => ["F_GETFL", "F_SETFL", "F_GETFD"].contains(&cmd.plain()),
        Op::Getsockopt { .. } => {
            super::sockets::asked(op).is_some_and(|(_, name)| name != "SO_ERROR")
        }
        _ => false,
    }
}

/// What the call told of each socket.
fn told<'v, 'a>(
    sockets: &Sockets<'a>,
    index: usize,
    by: &'v Call<'a>,
    has_error_queue: bool,
) -> Vec<Said<'v, 'a>> {
    let said = |name: &str, reads: bool, writes: bool| {
        sockets.named(index, name).map(|id| Said { by, id, reads, writes })
    };
    let any = |names: &[Sym], wanted: &[&str]| names.iter().any(|n| wanted.contains(&n.plain()));
    match (by.what, by.out) {
        (what, Out::Poll(revents)) => {
            let fds = what.polled().unwrap_or_default();
            let one = |(fd, names): (&harness::case::op::PollFd, &Vec<Sym>)| {
                let writes = any(names, &["POLLOUT", "POLLWRNORM"]) && !any(names, &["POLLERR"]);
                said(&fd.fd, any(names, &["POLLIN", "POLLRDNORM"]), writes)
            };
            fds.iter().zip(revents).filter_map(one).collect()
        }
        // Linux's select takes an error for what can be read (`fs/select.c` POLLIN_SET), as one of the queue is.
        (_, Out::Sets(_)) if has_error_queue => Vec::new(),
        (_, Out::Sets([read, write, _])) => {
            let reads = read.iter().filter_map(|name| said(name, true, false));
            reads.chain(write.iter().filter_map(|name| said(name, false, true))).collect()
        }
        (_, Out::Ready(ready)) => {
            let one = |one: &harness::trace::Ready| {
                let writes = any(&one.events, &["EPOLLOUT", "EPOLLWRNORM"]);
                said(&one.fd, any(&one.events, &["EPOLLIN", "EPOLLRDNORM"]), writes)
            };
            ready.iter().filter_map(one).collect()
        }
        _ => Vec::new(),
    }
}

/// The least that anything has room for that can be written.
const PAGE: usize = 4096;

impl Said<'_, '_> {
    /// Whether that call is what the socket is ready for.
    fn is_of(&self, op: &Op) -> bool {
        let beside = is_beside(op) || takes(op, "MSG_WAITALL");
        let accepts = matches!(op, Op::Accept { .. } | Op::Accept4 { .. });
        let small = op.written().is_some_and(|bytes| bytes.len() <= PAGE);
        let unaddressed = op.addr().is_none() && !matches!(op, Op::Raw { .. });
        let out_of_band = op.send_flags().is_some_and(|flags| flags.has("MSG_OOB"));
        self.reads && (accepts || op.receives() && !beside)
            || self.writes && op.sends() && small && unaddressed && !out_of_band
    }
}

/// Whether no step was taken and no frame came between these places.
fn is_quiet(view: &View<'_>, from: usize, to: usize) -> bool {
    view.trace.events[from + 1..to].iter().all(|event| match event {
        Event::Lab { .. } => false,
        Event::Frame { dir, .. } => *dir == Direction::Out,
        _ => true,
    })
}

fn found(view: &View<'_>, said: &Said<'_, '_>, (op, rank): (u32, Rank), what: &str) -> Finding {
    let how = said.by.what.call();
    if view.frames.iter().any(|seen| seen.op <= op && is_damaged(seen)) {
        let text = format!(
            "{how} said that it would not wait, but {what}: a checksum was wrong, as select(2) says."
        );
        return RULE.weighs(Rank::Undocumented, op, text);
    }
    RULE.weighs(rank, op, format!("{how} said that it would not wait, but {what}."))
}

/// Whether a datagram came whose checksum is wrong, or over IPv6 none (RFC 8200 §8.1).
fn is_damaged(seen: &Seen<'_>) -> bool {
    let is_v6 = matches!(seen.packet.net, Net::V6(..));
    let bad = |udp: &Udp<'_>| udp.checksum_ok == Some(false) || is_v6 && udp.checksum == 0;
    seen.dir == Direction::In && matches!(seen.packet.body(), Some(Body::Udp(udp)) if bad(udp))
}
