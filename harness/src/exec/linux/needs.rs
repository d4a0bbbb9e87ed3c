//! What a case asks of its host, told by its steps.

use std::net::IpAddr;

use crate::case::addr::{Addr, Host, Range, Role};
use crate::case::names::{Answer, Flaw};
use crate::case::op::{Opt, Value};
use crate::case::process::{ProcessCall, Resource};
use crate::case::{Case, LabOp, Op};
use crate::exec::sends::may_send;

fn sockets(case: &Case) -> impl Iterator<Item = (&str, bool)> {
    case.ops.iter().filter_map(|op| match op {
        Op::Socket { domain, r#type, .. } | Op::Socketpair { domain, r#type, .. } => {
            Some((domain.plain(), !r#type.has("SOCK_DGRAM") && !r#type.has("SOCK_RAW")))
        }
        _ => None,
    })
}

/// A program may ask for anything.
fn runs(case: &Case) -> bool {
    case.runs_a_program()
}

pub(super) fn tcp(case: &Case) -> bool {
    sockets(case).any(|(domain, stream)| stream && domain.starts_with("AF_INET"))
        || case.resolves() && case.lab.setup.iter().any(|step| matches!(step, LabOp::Serve { .. }))
        || runs(case)
}

pub(super) fn datagrams(case: &Case) -> bool {
    sockets(case).any(|(_, stream)| !stream) || case.resolves() || runs(case)
}

/// Whether it may put something on a wire: more than an option that is set, or a name.
pub(super) fn packets(case: &Case) -> bool {
    case.ops.iter().any(|op| match op {
        Op::Setsockopt { value, .. } => is_membership(value),
        Op::Close { .. } => false,
        op => may_send(op, true),
    })
}

fn is_membership(value: &Value) -> bool {
    matches!(value, Value::Filter { .. } | Value::Source { .. } | Value::Membership { .. })
}

pub(super) fn unix(case: &Case) -> bool {
    sockets(case).any(|(domain, _)| domain == "AF_UNIX")
}

/// Whether it sends on something that keeps data in its buffer for another socket, or for a wire.
pub(super) fn sent_from_a_buffer(case: &Case) -> bool {
    datagrams(case) || unix(case)
}

pub(super) fn vsock(case: &Case) -> bool {
    sockets(case).any(|(domain, _)| domain == "AF_VSOCK")
}

pub(super) fn xdp(case: &Case) -> bool {
    sockets(case).any(|(domain, _)| domain == "AF_XDP")
}

/// Whether it sets limits of its process.
pub(super) fn own_limits(case: &Case) -> bool {
    most_descriptors(case).is_some()
}

/// The most descriptors that it lets its process have, if it says how many.
pub(super) fn most_descriptors(case: &Case) -> Option<u32> {
    let soft = case.of_the_process().filter_map(|(_, call)| match call {
        ProcessCall::Setrlimit { resource: Resource::Nofile, soft } => Some(*soft),
        _ => None,
    });
    soft.max()
}

/// Whether it lets its process have more descriptors than it may.
pub(super) fn more_descriptors(case: &Case) -> bool {
    most_descriptors(case).is_some_and(|most| u64::from(most) > super::host::most_descriptors())
}

pub(super) fn raw(case: &Case) -> bool {
    let is_raw = |op: &Op| matches!(op, Op::Socket { r#type, .. } if r#type.has("SOCK_RAW"));
    case.ops.iter().any(is_raw)
}

pub(super) fn ipv6_sockets(case: &Case) -> bool {
    sockets(case).any(|(domain, _)| domain == "AF_INET6") || case.resolves()
}

/// Sockets of IPv6, or what a host without it would do otherwise.
pub(super) fn ipv6(case: &Case) -> bool {
    let is_v6 = |host: &Host| case.lab.ip(host).is_some_and(|ip| ip.is_ipv6());
    let addressed = |addr: &Addr| {
        is_v6(&addr.host) || addr.family.as_ref().is_some_and(|f| f.plain() == "AF_INET6")
    };
    let steps = case.ops.iter().filter_map(|op| match op {
        Op::Lab { step } => Some(step),
        _ => None,
    });
    let mut steps = case.lab.setup.iter().chain(steps);
    // The interfaces' addresses are of all families.
    let lists = case.ops.iter().any(|op| matches!(op, Op::Getifaddrs { .. }));
    ipv6_sockets(case)
        || lists
        || case.ops.iter().flat_map(Op::addrs).any(addressed)
        || steps.any(|step| match step {
            LabOp::AddressAdd { range, .. } | LabOp::AddressDelete { range, .. } => {
                *range != Range::V4
            }
            LabOp::RouteAdd { prefix, via, .. } => {
                prefix.is_ipv6() || via.as_ref().is_some_and(is_v6)
            }
            LabOp::Say { frame, .. } => frame.hosts().any(is_v6),
            LabOp::Inject { frame, .. } => {
                frame.0.first().is_some_and(|byte| byte >> 4 == 6)
                    || frame.0.get(12..14) == Some(&[0x86, 0xdd])
            }
            _ => false,
        })
}

/// Options that are one of these.
fn options(case: &Case, names: &[&str]) -> bool {
    case.ops.iter().any(|op| match op {
        Op::Setsockopt { option: Opt::Raw { name, .. }, .. }
        | Op::Getsockopt { option: Opt::Raw { name, .. }, .. } => names.contains(&name.as_str()),
        _ => false,
    })
}

pub(super) fn receive_buffer(case: &Case) -> bool {
    options(case, &["SO_RCVBUF"])
}

pub(super) fn send_buffer(case: &Case) -> bool {
    options(case, &["SO_SNDBUF"])
}

/// Labels, and addresses of IPv4's length that say they are IPv6.
pub(super) fn selinux(case: &Case) -> bool {
    let names = ["SO_PEERSEC", "SO_PASSSEC", "IP_PASSSEC", "IPV6_PASSSEC", "SCM_SECURITY"];
    // Of another errno before 5.10.209 and 6.1.75.
    let is_unspecified =
        |addr: &Addr| addr.family.as_ref().is_some_and(|f| f.plain() == "AF_UNSPEC");
    let says_ipv6 = |addr: &Addr| addr.family.as_ref().is_some_and(|f| f.plain() == "AF_INET6");
    let is_short = |addr: &Addr| {
        says_ipv6(addr)
            && matches!(addr.host, Host::Ip(IpAddr::V4(_)) | Host::On { range: Range::V4, .. })
    };
    options(case, &names)
        || case.ops.iter().any(|op| match op {
            Op::Bind { addr, .. } => is_short(addr) || is_unspecified(addr),
            Op::Connect { addr, .. } => is_short(addr),
            _ => false,
        })
}

/// What is kept in a socket's memory for options: control messages, sources, filters.
pub(super) fn option_memory(case: &Case) -> bool {
    case.ops.iter().any(|op| match op {
        Op::Setsockopt { value: Value::Bytes(_), .. } => true,
        Op::Setsockopt { value, .. } => is_membership(value),
        Op::Sendmsg { control, .. } => !control.is_empty(),
        Op::Recvmsg { flags, .. } => flags.has("MSG_ERRQUEUE"),
        _ => false,
    }) || options(case, &["IP_RECVERR", "IPV6_RECVERR"])
}

pub(super) fn sources6(case: &Case) -> bool {
    case.ops.iter().any(|op| match op {
        Op::Setsockopt {
            value: Value::Filter { group, .. } | Value::Source { group, .. }, ..
        } => group.is_ipv6(),
        _ => false,
    })
}

/// Whether a SYN is seen that does not go to a server: routes to those say how large the window may
/// become, others do not.
pub(super) fn window_scale(case: &Case) -> bool {
    if runs(case) {
        return true;
    }
    let serves = |of: &str| {
        case.lab.setup.iter().any(
            |step| matches!(step, LabOp::Serve { link, service } if link == of && !service.anywhere),
        )
    };
    let to_server = |addr: &Addr| match &addr.host {
        Host::On { link, role: Role::Neighbour, .. } => serves(link),
        _ => false,
    };
    let own = |addr: &Addr| !to_server(addr);
    // Asked again over TCP, where nobody may be.
    let asks_by_tcp = case.lab.name_server().is_some_and(|(_, server)| {
        let truncated = |answer: &Answer| answer.flaw == Some(Flaw::Truncated);
        server.answers.iter().any(truncated)
    }) && !case.lab.setup.iter().any(|step| matches!(step, LabOp::Serve { .. }));
    (tcp(case) || asks_by_tcp)
        && case.ops.iter().any(|op| match op {
            // Of a datagram socket that is no connection, but then it was not TCP's.
            Op::Connect { addr, .. } | Op::Sendto { addr, .. } | Op::Connectx { addr, .. } => {
                own(addr)
            }
            Op::Sendmsg { addr: Some(addr), .. } => own(addr),
            Op::Getaddrinfo { .. } => asks_by_tcp,
            _ => false,
        })
}
