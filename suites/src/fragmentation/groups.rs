//! Broadcast and multicast.

use harness::case::LinkKind;
use harness::case::addr::{Addr, Scope};
use harness::case::op::Value;

use super::axes::{Asked, LINK, PORT, Path, bytes, lab};
use crate::steps::{case, covering, ip, sendto_of, setsockopt, so_error};
use crate::table::{Row, Table};

pub(super) fn tables() -> Vec<Table> {
    vec![groups()]
}

struct To {
    id: &'static str,
    path: Path,
    addr: fn() -> Addr,
    broadcast: bool,
}

const TO: [To; 6] = [
    To { id: "limited4", path: Path::V4, addr: || ip("255.255.255.255", PORT), broadcast: true },
    To { id: "directed4", path: Path::V4, addr: || ip("192.0.2.255", PORT), broadcast: true },
    To { id: "group4", path: Path::V4, addr: || ip("224.0.0.251", PORT), broadcast: false },
    To { id: "group6", path: Path::V6, addr: group6, broadcast: false },
    To {
        id: "mapped-group",
        path: Path::Mapped,
        addr: || ip("::ffff:224.0.0.251", PORT),
        broadcast: false,
    },
    To {
        id: "mapped-directed",
        path: Path::Mapped,
        addr: || ip("::ffff:192.0.2.255", PORT),
        broadcast: true,
    },
];

fn group6() -> Addr {
    ip("ff02::fb", PORT).scoped(Scope::Link(LINK.to_owned()))
}

fn groups() -> Table {
    let question = "Is a broadcast or a multicast that is too large refused or fragmented?";
    let mut table = Table::new("fragmentation/group", question);
    for to in &TO {
        let asked = Asked::INTENTS.into_iter().chain(Asked::modes(to.path));
        for asked in asked {
            let fit = to.path.fit(1500);
            for (name, len) in [("fit", fit), ("fit+1", fit + 1), ("10000", 10_000)] {
                let title = format!("{len} bytes to {}, {}", to.id, asked.words());
                let mut ops = vec![to.path.udp()];
                let source = setsockopt("s", "IPPROTO_IP", "IP_MULTICAST_IF", on_link());
                if to.broadcast {
                    ops.push(setsockopt("s", "SOL_SOCKET", "SO_BROADCAST", Value::Int(1)));
                    ops.push(crate::steps::bind_to("s", LINK));
                } else if to.path != Path::V6 {
                    ops.push(source);
                }
                ops.extend(asked.ops("s"));
                ops.extend([sendto_of("s", bytes(len), (to.addr)()), so_error("s")]);
                let case = case(title, lab(LinkKind::Tap, 1500), ops);
                let mut rows = asked.catalogue(to.path);
                rows.extend(to.broadcast.then_some("FRAG-09"));
                table.push(&[to.id, &asked.id(), name], Row::Case(covering(case, &rows)));
            }
        }
    }
    table
}

fn on_link() -> Value {
    Value::Link(LINK.to_owned())
}
