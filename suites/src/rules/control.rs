//! A control message that was asked for comes with each message, or it is said that there was no room.
//!
//! # Where the line runs
//!
//! A socket asked for it by its option before anything was sent to it, and `recvmsg` gave a message:
//! the control message is among those that came, or `msg_flags` has `MSG_CTRUNC`.
//!
//! # How much it weighs
//!
//! RFC 3542, which has IPv6's, is informational, and the others are the manual's (ip(7), socket(7), unix(7)): that one
//! is missing [`Rank::Surprises`].
//!
//! # What is not judged
//!
//! - What does not come with each message: options of a header that it need not have, `SO_RXQ_OVFL`, `IP_RECVERR`,
//!   the fragment's size.
//! - Options of IPv4 on a socket of IPv6 and those of IPv6 where an IPv4-mapped address sent.
//! - Streams, but for `SO_PASSCRED` of local ones; what is empty, which may be the end.
//! - A socket that asked only after something was sent in the case, or a frame came: what was queued before need
//!   not have it.
//!
//! # Where it fires
//!
//! On nothing that was run; a fault plants it (`tests/plants.rs`).

use std::collections::BTreeMap;

use harness::case::addr::SockAddr;
use harness::case::op::{Op, Opt, Value};
use harness::case::{Case, LabOp, Os, Sym};
use harness::trace::{ControlOut, Direction, Event, Out, Trace};
use harness::verdict::Rank;

use super::sockets::{Id, Socket, Sockets, Type, is_beside, is_stamp, set};
use super::view::{Call, View};
use super::{Cite, Finding, Needs, Rule};

/// The rule *a control message that was asked for comes*.
pub(super) const RULE: Rule = Rule {
    name: "asked-control-comes",
    rank: Rank::Surprises,
    needs: Needs::Order,
    says: "A control message that a socket asked for comes with each message that recvmsg gives, or \
           MSG_CTRUNC says that there was no room for it.",
    cites: &[
        Cite {
            source: "RFC 3542 §4",
            quote: "When any of these options are enabled, the corresponding data is returned as \
                    control information by recvmsg(), as one or more ancillary data objects.",
        },
        Cite {
            source: "POSIX.1-2017 recvmsg, RETURN VALUE, MSG_CTRUNC",
            quote: "Control data was truncated.",
        },
        Cite {
            source: "Linux ip(7), IP_RECVTTL",
            quote: "When this flag is set, pass a IP_TTL control message with the time-to-live field \
                    of the received packet as a 32 bit integer.",
        },
        Cite {
            source: "Linux unix(7), SO_PASSCRED",
            quote: "Enabling this socket option causes receipt of the credentials of the sending \
                    process in an SCM_CREDENTIALS ancillary message in each subsequently received \
                    message.",
        },
    ],
    check,
};

/// An option, by which names its message comes, and which sockets have it.
struct Asks {
    option: &'static str,
    comes: &'static [&'static str],
    of: Of,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    V4,
    Udp4,
    V6,
    Inet,
    Local,
}

const fn asks(option: &'static str, comes: &'static [&'static str], of: Of) -> Asks {
    Asks { option, comes, of }
}

/// Those whose message comes each time. On Darwin some have the name of the option itself.
const ALL: &[Asks] = &[
    asks("IP_PKTINFO", &["IP_PKTINFO"], Of::V4),
    asks("IP_RECVTTL", &["IP_TTL", "IP_RECVTTL"], Of::V4),
    asks("IP_RECVTOS", &["IP_TOS", "IP_RECVTOS"], Of::V4),
    asks("IP_RECVDSTADDR", &["IP_RECVDSTADDR"], Of::V4),
    // Of the ports, which a raw socket's packet need not have.
    asks("IP_RECVORIGDSTADDR", &["IP_ORIGDSTADDR"], Of::Udp4),
    asks("IPV6_RECVPKTINFO", &["IPV6_PKTINFO"], Of::V6),
    asks("IPV6_RECVHOPLIMIT", &["IPV6_HOPLIMIT"], Of::V6),
    asks("IPV6_RECVTCLASS", &["IPV6_TCLASS"], Of::V6),
    asks("SO_TIMESTAMP", &["SO_TIMESTAMP", "SCM_TIMESTAMP"], Of::Inet),
    asks("SO_TIMESTAMPNS", &["SO_TIMESTAMPNS", "SCM_TIMESTAMPNS"], Of::Inet),
    asks("SO_PASSCRED", &["SCM_CREDENTIALS"], Of::Local),
];

fn check(case: &Case, trace: &Trace, _: Os) -> Vec<Finding> {
    let view = View::new(case, trace);
    let sockets = Sockets::of(&view);
    let Some(begun) = begun(&view) else { return Vec::new() };
    let mut asked: BTreeMap<(Id, &str), bool> = BTreeMap::new();
    let mut findings = Vec::new();
    for (index, call) in view.calls.iter().enumerate() {
        let Some(id) = sockets.on(index, call) else { continue };
        if matches!(call.what, Op::Raw { .. } | Op::Setsockopt { option: Opt::Intent(_), .. }) {
            asked.retain(|(of, _), _| *of != id);
        }
        if let Some((_, name, value)) = set(call.what) {
            if is_stamp(name) {
                asked.retain(|(of, other), _| *of != id || !is_stamp(other));
            }
            let on = matches!(value, Value::Int(n) if *n != 0);
            asked.insert((id, name), on && call.ok() && call.place < begun);
        }
        let socket = sockets.get(id);
        for message in messages(call) {
            let mine = ALL.iter().filter(|asks| asked.get(&(id, asks.option)) == Some(&true));
            let lack = mine.filter(|asks| asks.is_for(socket, &message)).find(|asks| {
                !message.control.iter().any(|one| asks.comes.contains(&one.name.as_str()))
            });
            if let Some(asks) = lack.filter(|_| !has(message.flags, "MSG_CTRUNC")) {
                let text = format!(
                    "{} gave a message without {}, which {} asked for, and no MSG_CTRUNC.",
                    call.what.call(),
                    asks.comes[0],
                    asks.option
                );
                findings.push(RULE.finds(call.op, text));
            }
        }
    }
    findings
}

/// Where in the trace the first message may have been sent.
fn begun(view: &View<'_>) -> Option<usize> {
    let is_first = |event: &Event| match event {
        Event::Frame { dir, .. } => *dir == Direction::In,
        Event::Lab { op, .. } => matches!(
            view.case.ops.get(*op as usize),
            Some(Op::Lab { step: LabOp::Inject { .. } | LabOp::Say { .. } })
        ),
        Event::Call { op, .. } | Event::Began { op, .. } => {
            view.case.ops.get(*op as usize).is_some_and(Op::sends)
        }
        Event::Signal { .. } => false,
    };
    view.trace.events.iter().position(is_first)
}

/// A message as `recvmsg` and its like gave it.
struct Message<'a> {
    from: Option<&'a SockAddr>,
    flags: &'a [Sym],
    control: &'a [ControlOut],
}

fn messages<'a>(call: &Call<'a>) -> Vec<Message<'a>> {
    if !call.ok() || is_beside(call.what) {
        return Vec::new();
    }
    match (call.what, call.out) {
        (Op::Recvmsg { .. }, Out::Data { bytes, from, flags, control }) if !bytes.0.is_empty() => {
            vec![Message { from: from.as_ref(), flags, control }]
        }
        (_, Out::Messages(list)) => {
            let all = list.iter().filter(|one| !one.bytes.0.is_empty());
            let message = |one: &'a harness::trace::Received| Message {
                from: one.from.as_ref(),
                flags: &one.flags,
                control: &one.control,
            };
            all.map(message).collect()
        }
        _ => Vec::new(),
    }
}

impl Asks {
    /// Whether its message comes with this one on such a socket.
    fn is_for(&self, socket: &Socket<'_>, message: &Message<'_>) -> bool {
        let datagrams = socket.r#type != Type::Stream;
        let is_mapped = || match message.from {
            Some(SockAddr::V6 { ip, .. }) => ip.to_ipv4_mapped().is_some(),
            _ => true,
        };
        match self.of {
            Of::Udp4 => socket.domain == "AF_INET" && socket.has_messages(),
            Of::V4 => socket.domain == "AF_INET" && datagrams,
            Of::V6 => socket.domain == "AF_INET6" && datagrams && !is_mapped(),
            Of::Inet => socket.is_inet() && datagrams,
            Of::Local => socket.domain == "AF_UNIX",
        }
    }
}

fn has(flags: &[Sym], name: &str) -> bool {
    flags.iter().any(|flag| flag.plain() == name)
}
