//! What an accepted socket has of its listener is what is written of it.
//!
//! # Where the line runs
//!
//! - An option of [`INHERITED`] that was set on the listener before `listen` reads on the accepted socket as it was
//!   set, or as it is documented to be kept (`option-reads-as-set`).
//! - `accept4` makes a socket whose `O_NONBLOCK` is that of its flags alone: POSIX.1-2024, so the other one
//!   [`Rank::Violates`]. `accept` on Linux inherits none (accept(2)); POSIX leaves that open.
//!
//! # How much it weighs
//!
//! POSIX says nothing of options. tcp(7) says of `TCP_USER_TIMEOUT` that it is inherited "like many others" and does
//! not name them: the list is that of W. R. Stevens, UNIX Network Programming, volume 1, §7.4, which Linux and the BSDs follow. So a finding
//! [`Rank::Surprises`].
//!
//! # What is not judged
//!
//! - Options set after `listen`: connections may wait that have been made before.
//! - What was set anew on the accepted socket, and `O_NONBLOCK` after an `fcntl` or `ioctl` of it. On Darwin
//!   `accept` inherits it (accept(2): "with the same properties of socket").
//!
//! # Where it fires
//!
//! On gVisor, whose accepted sockets have few options of their listener: see `known-deviations.toml`. A fault in a
//! trace has it find the rest (`tests/options.rs`).

use std::collections::BTreeMap;

use harness::case::op::{Op, Opt, Value};
use harness::case::{Case, Flags, Os};
use harness::trace::{Out, Trace};
use harness::verdict::Rank;

use super::kept;
use super::sockets::{Id, Sockets, as_read, asked, set};
use super::view::{Call, View};
use super::{Cite, Finding, Needs, Rule};

/// The rule *an accepted socket has what it inherits*.
pub(super) const RULE: Rule = Rule {
    name: "accepted-inherits",
    rank: Rank::Violates,
    needs: Needs::Order,
    says: "An accepted socket has the options of its listener that are documented to be inherited, and \
           O_NONBLOCK only as accept4 was told; after accept on Linux never.",
    cites: &[
        Cite {
            source: "POSIX.1-2024 accept4",
            quote: "shall be determined solely by the flag argument",
        },
        Cite {
            source: "Linux accept(2)",
            quote: "On Linux, the new socket returned by accept() does not inherit file status flags \
                    such as O_NONBLOCK and O_ASYNC from the listening socket.",
        },
        Cite {
            source: "Linux tcp(7), TCP_USER_TIMEOUT",
            quote: "This option, like many others, will be inherited by the socket returned by \
                    accept(2), if it was set on the listening socket.",
        },
    ],
    check,
};

/// Those of Stevens, and that of tcp(7).
const INHERITED: &[&str] = &[
    "SO_DEBUG",
    "SO_DONTROUTE",
    "SO_KEEPALIVE",
    "SO_LINGER",
    "SO_OOBINLINE",
    "SO_RCVBUF",
    "SO_RCVLOWAT",
    "SO_SNDBUF",
    "TCP_NODELAY",
    "TCP_USER_TIMEOUT",
];

fn check(case: &Case, trace: &Trace, os: Os) -> Vec<Finding> {
    let view = View::new(case, trace);
    let sockets = Sockets::of(&view);
    let listened = listened(&view, &sockets);
    // What each socket was told, with the number of the call.
    let mut told: BTreeMap<(Id, &str), (usize, &Value)> = BTreeMap::new();
    let mut own_flags: Vec<Id> = Vec::new();
    let mut findings = Vec::new();
    for (index, call) in view.calls.iter().enumerate() {
        let Some(id) = sockets.on(index, call) else { continue };
        match call.what {
            Op::Setsockopt { option: Opt::Intent(_), .. } | Op::Raw { .. } => {
                told.retain(|(of, _), _| *of != id);
                own_flags.push(id);
            }
            Op::Fcntl { cmd, .. } if cmd.plain() != "F_GETFL" => own_flags.push(id),
            Op::Ioctl { .. } => own_flags.push(id),
            _ => {}
        }
        if let Some((_, name, value)) = set(call.what) {
            told.insert((id, as_read(name)), (index, value));
        }
        let socket = sockets.get(id);
        let Some(listener) =
            socket.listener.filter(|_| socket.is_tcp() || call.what.call() == "fcntl")
        else {
            continue;
        };
        if let Some((_, name)) = asked(call.what)
            && INHERITED.contains(&name)
            && call.ok()
            && !told.contains_key(&(id, name))
            && let Some((at, value)) = told.get(&(listener, name))
            && listened.get(&listener).is_some_and(|since| at < since)
            && view.calls[*at].ok()
            && differs(os, name, value, call.out)
        {
            let text = format!(
                "{name} of the listener was set before listen, and the accepted socket reads {}.",
                read(call.out)
            );
            findings.push(RULE.weighs(Rank::Surprises, call.op, text));
        }
        if !own_flags.contains(&id) {
            findings.extend(status(os, call, &view.calls[socket.made]));
        }
    }
    findings
}

/// By which call each listener began to listen.
fn listened(view: &View<'_>, sockets: &Sockets<'_>) -> BTreeMap<Id, usize> {
    let mut since = BTreeMap::new();
    for (index, call) in view.calls.iter().enumerate() {
        if let (Op::Listen { .. }, Some(id)) = (call.what, sockets.on(index, call)) {
            since.entry(id).or_insert(index);
        }
    }
    since
}

fn differs(os: Os, name: &str, set: &Value, out: &Out) -> bool {
    match (set, out) {
        (Value::Int(set), Out::Int(got)) => !kept::of(os, name).0.agrees(*set, *got),
        (Value::Linger { on, .. }, Out::Bytes(bytes)) => {
            bytes.0.get(..4).is_some_and(|got| (*on == 0) != got.iter().all(|byte| *byte == 0))
        }
        _ => false,
    }
}

fn read(out: &Out) -> String {
    match out {
        Out::Int(n) => n.to_string(),
        _ => "another value".to_owned(),
    }
}

/// What is wrong with the status flags of a socket that this call accepted.
fn status(os: Os, call: &Call<'_>, made: &Call<'_>) -> Option<Finding> {
    let Op::Fcntl { cmd, .. } = call.what else { return None };
    if cmd.plain() != "F_GETFL" || !call.ok() {
        return None;
    }
    let non_blocking = call.ret & nonblock(os) != 0;
    let (wanted, rank) = match made.what {
        Op::Accept4 { flags, .. } => (is_nonblocking(flags), Rank::Violates),
        Op::Accept { .. } if os == Os::Linux => (false, Rank::Surprises),
        _ => return None,
    };
    let name = made.what.call();
    let word = |on| if on { "non-blocking" } else { "blocking" };
    let (is, shall) = (word(non_blocking), word(wanted));
    let text = format!("The socket that {name} made is {is}, and shall be {shall}.");
    (non_blocking != wanted).then(|| RULE.weighs(rank, call.op, text))
}

fn is_nonblocking(flags: &Flags) -> bool {
    flags.has("SOCK_NONBLOCK")
}

/// `O_NONBLOCK`.
fn nonblock(os: Os) -> i64 {
    match os {
        Os::Linux => 0o4000,
        Os::Macos => 4,
    }
}
