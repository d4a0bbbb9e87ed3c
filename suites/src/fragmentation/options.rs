//! Options that speak of fragmentation in pairs, and changed between two sends. In Rust, since which two
//! there are is no product of lists.

use harness::case::{LinkKind, Op};

use super::axes::{Asked, PORT, Path, bytes, lab};
use crate::steps::{case, connect, covering, send_of, sendto_of, so_error};
use crate::table::{Row, Table};

const MTU: u32 = 1500;

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
pub(super) fn pairs() -> Table {
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

pub(super) fn between_sends() -> Table {
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
