//! To whom a case sends by whatever interface the host's table of routes says: on macOS a program looks
//! at that before it makes a call, since the network is the user's own.

use std::net::IpAddr;

use harness::case::addr::Scope;
use harness::case::op::{Opt, Value};
use harness::case::{Case, LabOp, Op};
use harness::darwin::beyond::{Choice, choice, joins_anywhere};

use super::parts::Part;
use super::program::Program;

/// The rows of the table of destinations; those of an interface that a scope or the socket names are
/// not among them.
pub(super) fn rows(case: &Case) -> Vec<String> {
    let mut rows = Vec::new();
    for (at, op) in case.ops.iter().enumerate() {
        let sends = !matches!(
            op,
            Op::Bind { .. } | Op::Getnameinfo { .. } | Op::Connectx { link: Some(_), .. }
        );
        let given = op.addr().filter(|_| sends).and_then(|addr| {
            // Whatever a scope's number is, it is not zero.
            let scope = u32::from(addr.scope != Scope::Zero && addr.scope != Scope::Id(0));
            Some((case.lab.ip(&addr.host)?, scope))
        });
        let before = &case.ops[..at];
        let v6only = is_v6only(before, op.fd());
        let joined = joins_anywhere(op);
        for (ip, scope) in given.into_iter().chain(joined.map(|group| (group, 0))) {
            let row = match choice(ip, scope, v6only) {
                Choice::Stays | Choice::Scope(_) => continue,
                Choice::Default => "{\"::\", 0}".to_owned(),
                Choice::Table(to) => format!("{{\"{to}\", -1}}"),
            };
            let row = format!("    {row},");
            // What a socket is bound to does not say where it joins a group.
            let named = joined != Some(ip) && names_an_interface(before, op.fd(), ip);
            if !named && !rows.contains(&row) {
                rows.push(row);
            }
        }
    }
    rows
}

/// Whether a socket was made one for IPv6 alone before.
fn is_v6only(before: &[Op], socket: Option<&str>) -> bool {
    before.iter().any(|op| match op {
        Op::Setsockopt { fd, option: Opt::Raw { name, .. }, value: Value::Int(on) } => {
            Some(fd.as_str()) == socket && name.as_str() == "IPV6_V6ONLY" && *on != 0
        }
        _ => false,
    })
}

/// Whether a socket was given an interface for this destination before.
fn names_an_interface(before: &[Op], socket: Option<&str>, to: IpAddr) -> bool {
    before.iter().any(|op| match op {
        Op::Setsockopt { fd, option, value: Value::Link(_) | Value::Host(_) }
            if Some(fd.as_str()) == socket =>
        {
            match option {
                Opt::Intent(_) => true,
                Opt::Raw { name, .. } => match name.as_str() {
                    "IP_BOUND_IF" => to.is_ipv4(),
                    "IPV6_BOUND_IF" => to.is_ipv6(),
                    "IP_MULTICAST_IF" => to.is_ipv4() && to.is_multicast(),
                    _ => false,
                },
            }
        }
        _ => false,
    })
}

/// Has the program look, if there is anything to look at.
pub(super) fn look(p: &mut Program<'_>) {
    if !rows(p.case).is_empty() {
        p.need(Part::MacLeaves);
        p.line(format_args!("nothing_leaves();"));
    }
}

/// Whether a step may lead what is sent another way.
pub(super) fn leads_away(step: &LabOp) -> bool {
    !matches!(
        step,
        LabOp::Wait { .. } | LabOp::Inject { .. } | LabOp::Say { .. } | LabOp::Mtu { .. }
    )
}
