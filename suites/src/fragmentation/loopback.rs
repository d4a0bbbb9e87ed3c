//! Loopback: fragments are put together again on the same host.

use harness::case::addr::Addr;
use harness::case::op::Op;
use harness::case::{Flags, Lab, LabOp};

use super::axes::{Asked, PORT, Path, bytes};
use crate::steps::{bind, case, covering, ip, sendto_of, so_error, socket};
use crate::table::{Row, Table};

pub(super) fn tables() -> Vec<Table> {
    vec![loopback()]
}

fn to(path: Path) -> Addr {
    match path {
        Path::V4 => ip("127.0.0.1", PORT),
        Path::V6 => ip("::1", PORT),
        Path::Mapped => ip("::ffff:127.0.0.1", PORT),
    }
}

fn loopback() -> Table {
    let question = "Does a datagram to loopback arrive as it was sent?";
    let mut table = Table::new("fragmentation/loopback", question);
    for path in Path::ALL {
        for mtu in [None, Some(1280), Some(1500)] {
            let lab =
                Lab::loopback().with(mtu.map(|mtu| LabOp::Mtu { link: "lo".to_owned(), mtu }));
            let most = if path == Path::V6 { 65_527 } else { 65_507 };
            let mut sizes = vec![0, 1200, 8192, 16_356, 16_357, 65_507, 65_508, 65_527, 65_528];
            if let Some(mtu) = mtu {
                sizes.retain(|len| *len < most);
                sizes.extend([path.fit(mtu), path.fit(mtu) + 1]);
            }
            sizes.sort_unstable();
            sizes.dedup();
            for asked in Asked::INTENTS {
                for &len in &sizes {
                    let mtu = mtu.map_or_else(|| "default".to_owned(), |mtu| mtu.to_string());
                    let title = format!(
                        "{len} bytes to loopback by {}, MTU {mtu}, {}",
                        path.words(),
                        asked.words()
                    );
                    let mut ops = vec![socket("r", path.domain(), "SOCK_DGRAM")];
                    ops.extend([bind("r", to(path)), path.udp()]);
                    ops.extend(asked.ops("s"));
                    ops.extend([sendto_of("s", bytes(len), to(path)), so_error("s"), receive()]);
                    let case = case(title, lab.clone(), ops);
                    let case = covering(case, &["FRAG-06", "FRAG-10", "FRAG-11"]);
                    table.push(&[path.id(), &mtu, &asked.id(), &len.to_string()], Row::Case(case));
                }
            }
        }
    }
    table
}

/// All of it.
fn receive() -> Op {
    Op::Recv { fd: "r".to_owned(), len: 70_000, flags: Flags::of(&["MSG_DONTWAIT"]) }
}
