//! `sendmsg_x`: several datagrams a call. In Rust, since a batch is a list of sizes, with an address each or none.

use harness::case::addr::{Addr, Range, Role};
use harness::case::{Flags, Lab, LabOp, LinkKind, Op, Payload};

use crate::steps::{case, connect, covering, intent, so_error, socket};
use crate::table::{Row, Table};

const LINK: &str = "net0";
const PORT: u16 = 12345;

fn sizes(of: &[u32]) -> Vec<Payload> {
    of.iter().map(|len| Payload::Pattern(*len)).collect()
}

fn domain(range: Range) -> &'static str {
    if range == Range::V4 { "AF_INET" } else { "AF_INET6" }
}

fn sendmsg_x(data: Vec<Payload>, addr: Option<Addr>) -> Op {
    Op::SendmsgX { fd: "s".to_owned(), data, flags: Flags::NONE, addr }
}

/// A connected socket has the datagrams put together in one list (`sendit_x` of xnu-11417.101.15
/// `bsd/kern/uipc_syscalls.c:1771`), any other sends them one by one.
pub(super) fn sends() -> Table {
    let question = "How many datagrams does sendmsg_x send, and in which pieces?";
    let mut table = Table::new("darwin/sendmsg-x", question);
    let batches: [(&str, &[u32]); 9] = [
        ("one", &[6]),
        ("eight", &[6; 8]),
        ("sizes", &[1, 100, 1000, 10]),
        ("empties", &[0, 6, 0]),
        ("too-big", &[3000]),
        ("too-big-first", &[3000, 6]),
        ("too-big-last", &[6, 6, 3000]),
        ("too-big-between", &[6, 3000, 6]),
        ("beyond-buffer", &[6, 65_000, 6]),
    ];
    let ranges = [("inet", Range::V4), ("inet6", Range::V6)];
    for (id, range) in ranges {
        for state in ["up", "down"] {
            for way in ["connected", "addressed", "neither"] {
                for (name, lens) in batches {
                    for df in [false, true] {
                        let is_big = name.starts_with("too-big");
                        if df && !is_big || (state == "down" || way == "neither") && is_big {
                            continue;
                        }
                        let to = Addr::on(LINK, Role::Neighbour, range, PORT);
                        let mut ops = vec![socket("s", domain(range), "SOCK_DGRAM")];
                        ops.extend(df.then(|| intent("s", true)));
                        ops.extend((way == "connected").then(|| connect("s", to.clone())));
                        if state == "down" {
                            let link = LINK.to_owned();
                            ops.push(Op::Lab { step: LabOp::LinkDown { link } });
                        }
                        let addr = (way == "addressed").then_some(to);
                        ops.extend([sendmsg_x(sizes(lens), addr), so_error("s")]);
                        let word = if df { "df" } else { "unset" };
                        let title = format!("sendmsg_x over {id}, link {state}, {way}: {name}");
                        let case = case(title, Lab::one(LinkKind::Tap, LINK), ops);
                        let case = covering(case, &["DGRAM-10", "FRAG-02"]);
                        table.push(&[id, state, way, name, word], Row::Case(case));
                    }
                }
            }
        }
    }
    table
}
