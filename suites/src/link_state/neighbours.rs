//! A neighbour that never answers.

use harness::case::addr::{Addr, Range, Role};
use harness::case::lab::name;
use harness::case::op::Value;
use harness::case::{Lab, LabOp, LinkKind, Op};

use super::axes::{LINK, PORT};
use crate::steps::{
    case, connect, covering, lab, nonblocking, poll_out, recv, send, setsockopt, so_error, socket,
};
use crate::table::{Row, Table};

/// How long address resolution waits for an answer, three times (RFC 4861 §10 has a second): much
/// longer than a step takes on a busy machine, so that each request stands beneath its own step.
const RETRANS_MS: u32 = 200;

/// The host tells itself by an ICMP error when it gives up: after three times [`RETRANS_MS`], later
/// on a busy machine.
const GIVEN_UP_MS: u32 = 5_000;

pub(super) fn table() -> Table {
    let question = "Does a socket hear that a neighbour never answered?";
    let mut table = Table::new("link-state/silent-neighbour", question);
    for range in [Range::Ll, Range::V6, Range::V4] {
        for how in ["udp", "udp-recverr", "tcp"] {
            let retrans = LabOp::RetransTime { link: LINK.to_owned(), ms: RETRANS_MS };
            let network = Lab::one(LinkKind::Tap, LINK).with([retrans]);
            let title = format!("{how} to a neighbour that never answers, {}", name(range));
            let case = case(title, network, row(range, how));
            table.push(&[name(range), how], Row::Case(covering(case, &["LINK-08"])));
        }
    }
    table
}

fn row(range: Range, how: &str) -> Vec<Op> {
    let v4 = range == Range::V4;
    let domain = if v4 { "AF_INET" } else { "AF_INET6" };
    let to = Addr::on(LINK, Role::Silent, range, PORT);
    let given_up = lab(LabOp::Wait {
        ms: GIVEN_UP_MS,
        until: Some("lo".to_owned()),
        why: "address resolution asks three times and gives up".to_owned(),
    });
    if how == "tcp" {
        return vec![
            socket("s", domain, "SOCK_STREAM"),
            nonblocking("s"),
            connect("s", to),
            given_up,
            poll_out("s"),
            so_error("s"),
        ];
    }
    let mut ops = vec![socket("s", domain, "SOCK_DGRAM")];
    if how == "udp-recverr" {
        let (level, option) =
            if v4 { ("IPPROTO_IP", "IP_RECVERR") } else { ("IPPROTO_IPV6", "IPV6_RECVERR") };
        ops.push(setsockopt("s", level, option, Value::Int(1)));
    }
    ops.extend([connect("s", to), send("s"), given_up, recv("s"), send("s"), so_error("s")]);
    ops
}
