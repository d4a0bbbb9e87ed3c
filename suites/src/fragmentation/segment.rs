//! `UDP_SEGMENT`: the kernel cuts what one send gives it into datagrams.

use harness::case::op::{Control, Value};
use harness::case::{Case, Flags, LinkKind, Op};

use super::axes::{Asked, PORT, Path, bytes, lab};
use crate::steps::{case, covering, sendto_of, setsockopt, so_error};
use crate::table::{Row, Table};

const MTU: u32 = 1500;
const ROWS: [&str; 2] = ["FRAG-12", "FRAG-13"];

pub(super) fn tables() -> Vec<Table> {
    vec![by_option(), by_message(), by_short_message()]
}

fn sizes(path: Path) -> [(&'static str, u32); 7] {
    let fit = path.fit(MTU);
    [
        ("0", 0),
        ("1", 1),
        ("100", 100),
        ("1200", 1200),
        ("fit", fit),
        ("fit+1", fit + 1),
        ("65535", 65_535),
    ]
}

fn payloads(path: Path) -> [(&'static str, u32); 7] {
    let fit = path.fit(MTU);
    [
        ("0", 0),
        ("1", 1),
        ("100", 100),
        ("fit", fit),
        ("fit+1", fit + 1),
        ("10000", 10_000),
        ("65507", 65_507),
    ]
}

fn by_option() -> Table {
    let question = "Into which datagrams is the payload cut, or why is it refused?";
    let mut table = Table::new("fragmentation/segment", question);
    for path in Path::ALL {
        for asked in [Asked::Unset, Asked::Intent(true)] {
            for (segment, size) in sizes(path) {
                for (name, len) in payloads(path) {
                    let row = if segment == "0" && path != Path::V4 {
                        Row::LeftOut("a segment size of zero is none at all: payload has the row")
                    } else {
                        Row::Case(covering(option_row(path, asked, size, len), &ROWS))
                    };
                    table.push(&[path.id(), &asked.id(), segment, name], row);
                }
            }
        }
    }
    table
}

fn option_row(path: Path, asked: Asked, size: u32, len: u32) -> Case {
    let title = format!("{len} bytes in segments of {size} by {}, {}", path.words(), asked.words());
    let mut ops = vec![path.udp()];
    ops.extend(asked.ops("s"));
    let size = Value::Int(size.cast_signed());
    ops.extend([
        setsockopt("s", "IPPROTO_UDP", "UDP_SEGMENT", size),
        sendto_of("s", bytes(len), path.neighbour(PORT)),
        so_error("s"),
    ]);
    case(title, lab(LinkKind::Tun, MTU), ops)
}

/// By control message the size is 16 bits wide: as an `int` it has the wrong length.
fn by_message() -> Table {
    let question = "Is a segment size of the wrong length in a control message refused?";
    let mut table = Table::new("fragmentation/segment-message", question);
    for path in Path::ALL {
        for (segment, size) in [("100", 100), ("fit+1", path.fit(MTU) + 1)] {
            let control = Control::int("IPPROTO_UDP", "UDP_SEGMENT", size.cast_signed());
            let (fd, addr) = ("s".to_owned(), Some(path.neighbour(PORT)));
            let (data, flags) = (bytes(1000), Flags::NONE);
            let ops =
                vec![path.udp(), Op::Sendmsg { fd, data, flags, addr, control: vec![control] }];
            let title = format!("1000 bytes by {} with an int of {size}", path.words());
            let case = case(title, lab(LinkKind::Tun, MTU), ops);
            table.push(&[path.id(), segment], Row::Case(covering(case, &ROWS)));
        }
    }
    table
}

/// As QUIC libraries send it (udp(7): "a `uint16_t`").
fn by_short_message() -> Table {
    let question =
        "Into which datagrams is the payload cut by a control message, or why is it refused?";
    let mut table = Table::new("fragmentation/segment-message-u16", question);
    for path in Path::ALL {
        for (segment, size) in sizes(path) {
            for (name, len) in [("1000", 1000), ("3000", 3000)] {
                let control = Control::Int {
                    level: "IPPROTO_UDP".into(),
                    name: "UDP_SEGMENT".into(),
                    value: size.cast_signed(),
                    width: 2,
                };
                let (fd, addr) = ("s".to_owned(), Some(path.neighbour(PORT)));
                let (data, flags) = (bytes(len), Flags::NONE);
                let send = Op::Sendmsg { fd, data, flags, addr, control: vec![control] };
                let title =
                    format!("{len} bytes in segments of {size} by a message, {}", path.words());
                let case =
                    case(title, lab(LinkKind::Tun, MTU), vec![path.udp(), send, so_error("s")]);
                table.push(&[path.id(), segment, name], Row::Case(covering(case, &ROWS)));
            }
        }
    }
    table
}
