//! Datagrams made of several sends (`MSG_MORE`), and options that change meanwhile. In Rust,
//! since which two options there are is no product of lists, and a title names two sizes of which both depend
//! on the family.

use harness::case::LinkKind;

use super::axes::{Asked, PORT, Path, bytes, lab};
use crate::steps::{case, connect, covering, send_of, so_error};
use crate::table::{Row, Table};

const MTU: u32 = 1500;

pub(super) fn table() -> Table {
    let question = "Does what was asked before the first piece of a datagram hold for all of it?";
    let mut table = Table::new("fragmentation/corked", question);
    for path in Path::ALL {
        let fit = path.fit(MTU);
        let [on, off] = [Asked::Intent(true), Asked::Intent(false)];
        for (before, meanwhile) in [
            (Asked::Unset, Asked::Unset),
            (on, Asked::Unset),
            (off, Asked::Unset),
            (Asked::Unset, on),
            (off, on),
            (on, off),
        ] {
            for (sizes, first, second) in [
                ("1+1", 1, 1),
                ("1+fit-1", 1, fit - 1),
                ("fit-1+1", fit - 1, 1),
                ("1+fit", 1, fit),
                ("fit+1", fit, 1),
                ("fit+1+1", fit + 1, 1),
                ("1+10000", 1, 10_000),
            ] {
                let title = format!(
                    "{first} and {second} bytes in one datagram by {}, {} before and {} between",
                    path.words(),
                    before.words(),
                    meanwhile.words()
                );
                let mut ops = vec![path.udp()];
                ops.extend(before.ops("s"));
                ops.push(connect("s", path.neighbour(PORT)));
                ops.push(send_of("s", bytes(first), &["MSG_MORE"]));
                ops.extend(meanwhile.ops("s"));
                ops.extend([send_of("s", bytes(second), &[]), so_error("s")]);
                ops.push(send_of("s", bytes(fit + 1), &[]));
                let case = case(title, lab(LinkKind::Tun, MTU), ops);
                let row = Row::Case(covering(case, &["FRAG-19"]));
                table.push(&[path.id(), &before.id(), &meanwhile.id(), sizes], row);
            }
        }
    }
    table
}
