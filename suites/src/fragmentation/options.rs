//! Each option that speaks of fragmentation, alone, in pairs, and changed between two sends.

use harness::case::op::{Control, Value};
use harness::case::{Case, Flags, Hex, LinkKind, Op, Payload};

use super::axes::{Asked, PORT, Path, bytes, lab};
use crate::steps::{
    case, connect, covering, getsockopt, send_of, sendto_of, setsockopt, so_error, socket,
};
use crate::table::{Row, Table};

const MTU: u32 = 1500;

pub(super) fn tables() -> Vec<Table> {
    vec![alone(), pairs(), between_sends(), control_message(), values()]
}

fn sizes(path: Path) -> [(&'static str, u32); 4] {
    let fit = path.fit(MTU);
    [("1200", 1200), ("fit", fit), ("fit+1", fit + 1), ("10000", 10_000)]
}

fn alone() -> Table {
    let question = "With that option, is the datagram sent whole, sent in pieces or refused, and \
                    is DF set?";
    let mut table = Table::new("fragmentation/option", question);
    for path in Path::ALL {
        for asked in Asked::options(path) {
            for (name, len) in sizes(path) {
                let title = format!("{len} bytes by {}, {}", path.words(), asked.words());
                let mut ops = vec![path.udp()];
                ops.extend(asked.ops("s"));
                ops.extend(sends(path, false, len));
                ops.extend(sends(path, true, len));
                let case = case(title, lab(LinkKind::Tun, MTU), ops);
                let case = covering(case, &asked.catalogue(path));
                table.push(&[path.id(), &asked.id(), name], Row::Case(case));
            }
        }
    }
    table
}

fn sends(path: Path, connects: bool, len: u32) -> Vec<Op> {
    let to = path.neighbour(PORT);
    let mut ops = if connects {
        vec![connect("s", to), send_of("s", bytes(len), &[])]
    } else {
        vec![sendto_of("s", bytes(len), to)]
    };
    ops.push(so_error("s"));
    ops
}

/// `IPV6_DONTFRAG` and a mode of `IPV6_MTU_DISCOVER` can contradict each other, and so can the
/// modes of the two protocols on one socket.
fn pairs() -> Table {
    let question = "Which of two options that contradict each other holds?";
    let mut table = Table::new("fragmentation/option-pair", question);
    for path in [Path::V6, Path::Mapped] {
        for first in Asked::options(path) {
            for second in [Asked::Dontfrag6(1), Asked::Dontfrag6(0)] {
                let is_twin = matches!(first, Asked::Dontfrag6(_) | Asked::Dontfrag4(_));
                for (order, pair) in [("before", [first, second]), ("after", [second, first])] {
                    if is_twin {
                        continue;
                    }
                    let len = path.fit(MTU) + 1;
                    let title = format!(
                        "{len} bytes by {}, {} and then {}",
                        path.words(),
                        pair[0].words(),
                        pair[1].words()
                    );
                    let mut ops = vec![path.udp()];
                    ops.extend(pair.into_iter().flat_map(|asked| asked.ops("s")));
                    ops.extend(sends(path, false, len));
                    ops.extend(sends(path, true, path.fit(MTU)));
                    let case = case(title, lab(LinkKind::Tun, MTU), ops);
                    let case = covering(case, &["FRAG-08"]);
                    table.push(&[path.id(), &first.id(), order, &second.id()], Row::Case(case));
                }
            }
        }
    }
    table
}

fn between_sends() -> Table {
    let question = "Does an option hold from the next send on, and only from then?";
    let mut table = Table::new("fragmentation/between-sends", question);
    for path in Path::ALL {
        let intents = [Asked::Unset, Asked::Intent(true), Asked::Intent(false)];
        let modes = Asked::modes(path);
        let pairs = intents.iter().flat_map(|a| intents.iter().map(move |b| (*a, *b)));
        let pairs = pairs.chain(modes.iter().flat_map(|a| modes.iter().map(move |b| (*a, *b))));
        for (first, second) in pairs.filter(|(a, b)| a != b && *b != Asked::Unset) {
            let len = path.fit(MTU) + 1;
            let title = format!(
                "{len} bytes by {}, {} and then {}",
                path.words(),
                first.words(),
                second.words()
            );
            let mut ops = vec![path.udp()];
            ops.extend(first.ops("s"));
            ops.extend(sends(path, true, len));
            ops.extend(second.ops("s"));
            ops.push(send_of("s", bytes(len), &[]));
            let case = case(title, lab(LinkKind::Tun, MTU), ops);
            let case = covering(case, &second.catalogue(path));
            table.push(&[path.id(), &first.id(), &second.id()], Row::Case(case));
        }
    }
    table
}

/// RFC 3542 §11.2 has `IPV6_DONTFRAG` as ancillary data too: for one datagram.
fn control_message() -> Table {
    let question = "Does an IPV6_DONTFRAG in the control messages hold for its datagram alone?";
    let mut table = Table::new("fragmentation/control-message", question);
    for path in [Path::V6, Path::Mapped] {
        for asked in Asked::INTENTS {
            for value in [-1, 0, 1, 2] {
                for (name, len) in [("fit", path.fit(MTU)), ("fit+1", path.fit(MTU) + 1)] {
                    let row = control_row(path, asked, value, len);
                    let row = Row::Case(covering(row, &["FRAG-03"]));
                    table.push(&[path.id(), &asked.id(), &value.to_string(), name], row);
                }
            }
        }
    }
    table
}

fn control_row(path: Path, asked: Asked, value: i32, len: u32) -> Case {
    let title =
        format!("{len} bytes by {} with IPV6_DONTFRAG {value}, {}", path.words(), asked.words());
    let control = Control::int("IPPROTO_IPV6", "IPV6_DONTFRAG", value);
    let addr = Some(path.neighbour(PORT));
    let (fd, data, flags) = ("s".to_owned(), bytes(len), Flags::NONE);
    let mut ops = vec![path.udp()];
    ops.extend(asked.ops("s"));
    ops.push(Op::Sendmsg { fd, data, flags, addr, control: vec![control] });
    ops.push(sendto_of("s", bytes(len), path.neighbour(PORT)));
    case(title, lab(LinkKind::Tun, MTU), ops)
}

/// Values out of range, of the wrong length, and options of the other protocol.
fn values() -> Table {
    let question = "Is a value that the option has not refused, and does it read back as it was?";
    let mut table = Table::new("fragmentation/option-value", question);
    let int = |n: i32| (n.to_string(), Value::Int(n));
    let raw = |len: usize| (format!("{len}-bytes"), Value::Bytes(Hex(vec![1; len])));
    for (domain, kind) in [("AF_INET", "SOCK_DGRAM"), ("AF_INET6", "SOCK_DGRAM")] {
        for (level, option, id) in [
            ("IPPROTO_IP", "IP_MTU_DISCOVER", "ip-mtu-discover"),
            ("IPPROTO_IPV6", "IPV6_MTU_DISCOVER", "ipv6-mtu-discover"),
            ("IPPROTO_IPV6", "IPV6_DONTFRAG", "ipv6-dontfrag"),
            // The number of one level's option given to the other level.
            ("IPPROTO_IP", "IPV6_DONTFRAG", "ipv6-dontfrag-at-ip"),
            ("IPPROTO_IPV6", "IP_MTU_DISCOVER", "ip-mtu-discover-at-ipv6"),
            ("IPPROTO_IP", "IP_MTU", "ip-mtu"),
        ] {
            let values = [int(-1), int(0), int(1), int(2), int(5), int(6), int(256), raw(0)];
            for (name, value) in values.into_iter().chain([raw(1), raw(3), raw(8)]) {
                let title = format!("{option} of {level} set to {name} on {domain}");
                let fresh = Payload::Pattern(10);
                let to = if domain == "AF_INET" { Path::V4 } else { Path::V6 };
                let ops = vec![
                    socket("s", domain, kind),
                    getsockopt("s", level, option),
                    setsockopt("s", level, option, value),
                    getsockopt("s", level, option),
                    sendto_of("s", fresh, to.neighbour(PORT)),
                ];
                let case = case(title, lab(LinkKind::Tun, MTU), ops);
                let rows = ["FRAG-07", "FRAG-17", "FRAG-18"];
                let row = Row::Case(covering(case, &rows));
                table.push(&[domain, id, &name], row);
            }
        }
    }
    table
}
