//! The path MTU as a socket tells it and as a program may set it.

use harness::case::LinkKind;
use harness::case::op::Value;

use super::axes::{Asked, PORT, Path, bytes, lab};
use crate::steps::{case, connect, covering, getsockopt, sendto_of, setsockopt, so_error};
use crate::table::{Row, Table};

pub(super) fn tables() -> Vec<Table> {
    vec![told(), chosen()]
}

fn told() -> Table {
    let question = "Which path MTU does a socket tell, before and after connect?";
    let mut table = Table::new("fragmentation/mtu-told", question);
    for path in Path::ALL {
        for mtu in [68, 576, 1280, 1500, 9000] {
            if path == Path::V6 && mtu < 1280 {
                continue;
            }
            let (level, option) = path.mtu_option();
            let ops = vec![
                path.udp(),
                getsockopt("s", level, option),
                connect("s", path.neighbour(PORT)),
                getsockopt("s", level, option),
                getsockopt("s", "IPPROTO_IP", "IP_MTU"),
                getsockopt("s", "IPPROTO_IPV6", "IPV6_MTU"),
            ];
            let title = format!("{option} by {}, MTU {mtu}", path.words());
            let case = case(title, lab(LinkKind::Tun, mtu), ops);
            let row = Row::Case(covering(case, &["FRAG-14"]));
            table.push(&[path.id(), &mtu.to_string()], row);
        }
    }
    table
}

/// `IPV6_MTU` can be set: the largest fragment that the socket sends (ipv6(7)).
fn chosen() -> Table {
    let question = "Does a datagram leave in fragments no larger than IPV6_MTU says?";
    let mut table = Table::new("fragmentation/mtu-chosen", question);
    for path in [Path::V6, Path::Mapped] {
        for asked in [Asked::Unset, Asked::Intent(true), Asked::Mode6("IPV6_PMTUDISC_PROBE")] {
            for value in [-1, 0, 1, 1279, 1280, 1400, 1500, 9000, 65_536] {
                let ops = [
                    setsockopt("s", "IPPROTO_IPV6", "IPV6_MTU", Value::Int(value)),
                    sendto_of("s", bytes(1300), path.neighbour(PORT)),
                    so_error("s"),
                    sendto_of("s", bytes(2000), path.neighbour(PORT)),
                    connect("s", path.neighbour(PORT)),
                    getsockopt("s", "IPPROTO_IPV6", "IPV6_MTU"),
                ];
                let title = format!("IPV6_MTU {value} by {}, {}", path.words(), asked.words());
                let mut all = vec![path.udp()];
                all.extend(asked.ops("s"));
                all.extend(ops);
                let case = case(title, lab(LinkKind::Tun, 1500), all);
                let row = Row::Case(covering(case, &["FRAG-14"]));
                table.push(&[path.id(), &asked.id(), &value.to_string()], row);
            }
        }
    }
    table
}
