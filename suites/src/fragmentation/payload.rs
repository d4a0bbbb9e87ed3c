//! Payloads at every boundary, over links of every MTU.

use harness::case::{Case, LinkKind};

use super::axes::{Asked, PORT, Path, bytes, lab};
use crate::steps::{
    case, connect, covering, getsockname, getsockopt, send_of, sendto_of, so_error,
};
use crate::table::{Row, Table};

pub(super) fn tables() -> Vec<Table> {
    vec![sendto(), connected(), again()]
}

/// Beyond this the pieces are so many that the lab's link has no room for them.
const HUGE: u32 = 60_000;

/// RFC 9000 §14 forbids the fragmentation of QUIC's datagrams, which have 1200 bytes at least.
const QUIC: u32 = 1200;

/// The payload's name in ids, and its length.
fn payloads(path: Path, mtu: u32) -> Vec<(String, u32)> {
    let fit = path.fit(mtu);
    let named = |name: &str, len| (name.to_owned(), len);
    let mut all = vec![
        named("0", 0),
        named("1", 1),
        named("fit-1", fit - 1),
        named("fit", fit),
        named("fit+1", fit + 1),
        // Both of the first two pieces are full.
        named("fit+8", fit + 8),
    ];
    let fixed = [QUIC, 10_000, 65_507, 65_508, 65_527, 65_528];
    all.extend(fixed.map(|len| (len.to_string(), len)));
    all
}

fn left_out(mtu: u32, len: u32) -> Option<&'static str> {
    if mtu < 1500 && len > HUGE {
        Some("the limits of the protocol are asked for where the link has room for the pieces")
    } else if mtu == 68 && len == 10_000 {
        Some("more than two hundred pieces would say what twenty-five do")
    } else {
        None
    }
}

fn catalogue(asked: Asked, path: Path, len: u32) -> Vec<&'static str> {
    let mut rows = asked.catalogue(path);
    rows.extend((len > HUGE).then_some("FRAG-10"));
    rows
}

fn sendto() -> Table {
    let question = "What does sendto say of a payload of that size, and in which pieces does it \
                    leave?";
    let mut table = Table::new("fragmentation/payload", question);
    for path in Path::ALL {
        for mtu in [68, 576, 1280, 1500, 9000] {
            let few = path == Path::Mapped && ![576, 1500].contains(&mtu);
            if few || path == Path::V6 && mtu < 1280 {
                continue;
            }
            for asked in Asked::INTENTS {
                for (name, len) in payloads(path, mtu) {
                    let row = match left_out(mtu, len) {
                        Some(why) => Row::LeftOut(why),
                        None => Row::Case(sendto_row(path, mtu, asked, len)),
                    };
                    table.push(&[path.id(), &mtu.to_string(), &asked.id(), &name], row);
                }
            }
        }
    }
    table
}

fn sendto_row(path: Path, mtu: u32, asked: Asked, len: u32) -> Case {
    let title = format!("{len} bytes by {}, MTU {mtu}, {}", path.words(), asked.words());
    let mut ops = vec![path.udp()];
    ops.extend(asked.ops("s"));
    ops.extend([sendto_of("s", bytes(len), path.neighbour(PORT)), so_error("s")]);
    covering(case(title, lab(LinkKind::Tun, mtu), ops), &catalogue(asked, path, len))
}

fn connected() -> Table {
    let question = "Does a connected socket say the same of a payload, and which path MTU does it \
                    tell?";
    let mut table = Table::new("fragmentation/payload-connected", question);
    for path in Path::ALL {
        for mtu in [576, 1280, 1500] {
            if path == Path::V6 && mtu < 1280 {
                continue;
            }
            for asked in Asked::INTENTS {
                let fit = path.fit(mtu);
                for (name, len) in [("fit", fit), ("fit+1", fit + 1), ("10000", 10_000)] {
                    let title = format!(
                        "{len} bytes to the peer by {}, MTU {mtu}, {}",
                        path.words(),
                        asked.words()
                    );
                    let (level, option) = path.mtu_option();
                    let mut ops = vec![path.udp()];
                    ops.extend(asked.ops("s"));
                    ops.extend([
                        connect("s", path.neighbour(PORT)),
                        getsockopt("s", level, option),
                        send_of("s", bytes(len), &[]),
                        so_error("s"),
                    ]);
                    let case = case(title, lab(LinkKind::Tap, mtu), ops);
                    let mut rows = asked.catalogue(path);
                    rows.push("FRAG-14");
                    table.push(
                        &[path.id(), &mtu.to_string(), &asked.id(), name],
                        Row::Case(covering(case, &rows)),
                    );
                }
            }
        }
    }
    table
}

/// A refusal is about one datagram: the next one that fits has to leave.
fn again() -> Table {
    let question = "After a datagram that was too large, does one that fits leave?";
    let mut table = Table::new("fragmentation/payload-after-refusal", question);
    for path in Path::ALL {
        for asked in Asked::INTENTS.into_iter().chain(Asked::modes(path)) {
            for (name, len) in [("fit+1", path.fit(1500) + 1), ("65528", 65_528)] {
                let title = format!(
                    "{len} bytes and then what fits by {}, {}",
                    path.words(),
                    asked.words()
                );
                let to = || path.neighbour(PORT);
                let mut ops = vec![path.udp()];
                ops.extend(asked.ops("s"));
                ops.extend([
                    sendto_of("s", bytes(len), to()),
                    so_error("s"),
                    sendto_of("s", bytes(path.fit(1500)), to()),
                    getsockname("s"),
                ]);
                let case = case(title, lab(LinkKind::Tun, 1500), ops);
                let case = covering(case, &asked.catalogue(path));
                table.push(&[path.id(), &asked.id(), name], Row::Case(case));
            }
        }
    }
    table
}
