//! Raw ICMP: an echo request to each destination over a link in each state.

use harness::case::op::Value;
use harness::case::{Case, LinkKind, Payload};

use super::axes::{KINDS, State, To, lab};
use crate::steps::{case, covering, sendto_of, setsockopt, so_error, socket_of};
use crate::table::{Row, Table};

pub(super) fn table() -> Table {
    let mut table =
        Table::new("link-state/icmp-raw", "What does sendto on a raw ICMP socket say and send?");
    for kind in KINDS {
        for state in State::ALL {
            for to in To::ALL {
                let row = match to.left_out(kind) {
                    Some(why) => Row::LeftOut(why),
                    None => Row::Case(row(kind, state, to)),
                };
                table.push(&[&kind.to_string(), state.id(), to.id()], row);
            }
        }
    }
    table
}

/// An echo request, id 1, sequence 1, with its checksum: that of ICMP is the sender's to fill in
/// (raw(7)), that of ICMPv6 the kernel's, whatever stands there (RFC 3542 §3.1).
fn echo(v4: bool) -> Payload {
    Payload::Text(if v4 {
        "\u{8}\0\u{f7}\u{fd}\0\u{1}\0\u{1}".to_owned()
    } else {
        "\u{80}\0\0\0\0\u{1}\0\u{1}".to_owned()
    })
}

fn row(kind: LinkKind, state: State, to: To) -> Case {
    let title = format!("ICMP echo to {}, the link being {}", to.words(), state.words());
    let protocol = if to.is_v4() { "IPPROTO_ICMP" } else { "IPPROTO_ICMPV6" };
    let mut ops = vec![socket_of("s", to.domain(), &["SOCK_RAW"], &[protocol])];
    if to.is_broadcast() {
        ops.push(setsockopt("s", "SOL_SOCKET", "SO_BROADCAST", Value::Int(1)));
    }
    ops.extend([sendto_of("s", echo(to.is_v4()), to.addr(0)), so_error("s")]);
    covering(case(title, lab(kind, state), ops), &["LINK-01"])
}
