//! `sendmsg_x` and `recvmsg_x`: several datagrams a call.

use harness::case::addr::{Addr, Range, Role};
use harness::case::op::Value;
use harness::case::{Flags, Lab, LabOp, LinkKind, Op, Payload};

use super::{LINK, PORT, settle, text};
use crate::steps::{
    bind, case, connect, covering, intent, ip, sendto_of, setsockopt, so_error, socket,
};
use crate::table::{Row, Table};

pub(super) fn tables() -> Vec<Table> {
    vec![sends(), receives()]
}

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
fn sends() -> Table {
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

/// Before macOS 15.6 it can block the host's loopback, see `harness::darwin::request::dangerous`.
fn receives() -> Table {
    let question = "Which datagrams does recvmsg_x give, and what comes with them?";
    let mut table = Table::new("darwin/recvmsg-x", question);
    for (id, domain, own) in [("inet", "AF_INET", "127.0.0.1"), ("inet6", "AF_INET6", "::1")] {
        let (level, option) = if domain == "AF_INET" {
            ("IPPROTO_IP", "IP_RECVTTL")
        } else {
            ("IPPROTO_IPV6", "IPV6_RECVHOPLIMIT")
        };
        let all = ["one", "", "three", "four"];
        for (name, sent, (count, len, control_len), flags) in [
            ("nothing", &all[..0], (4, 64, 0), &["MSG_DONTWAIT"][..]),
            ("fewer", &all, (2, 64, 0), &["MSG_DONTWAIT"]),
            ("all", &all, (4, 64, 0), &["MSG_DONTWAIT"]),
            ("more", &all, (6, 64, 0), &["MSG_DONTWAIT"]),
            ("truncated", &all, (4, 3, 0), &["MSG_DONTWAIT"]),
            ("control", &all, (4, 64, 128), &["MSG_DONTWAIT"]),
            ("little-control", &all, (4, 64, 12), &["MSG_DONTWAIT"]),
            ("control-unasked", &all, (4, 64, 128), &["MSG_DONTWAIT"]),
            ("peek", &all, (4, 64, 0), &["MSG_PEEK", "MSG_DONTWAIT"]),
        ] {
            let mut ops = vec![socket("r", domain, "SOCK_DGRAM"), bind("r", ip(own, PORT))];
            if name != "control-unasked" && control_len > 0 {
                ops.push(setsockopt("r", level, option, Value::Int(1)));
            }
            ops.push(socket("s", domain, "SOCK_DGRAM"));
            ops.extend(sent.iter().map(|data| sendto_of("s", text(data), ip(own, PORT))));
            let (fd, flags) = ("r".to_owned(), Flags::of(flags));
            ops.extend([settle(), Op::RecvmsgX { fd, count, len, control_len, flags }]);
            ops.push(crate::steps::recvfrom("r"));
            let title = format!("recvmsg_x over {id}: {name}");
            let case = covering(case(title, Lab::loopback(), ops), &["DGRAM-07", "DGRAM-10"]);
            table.push(&[id, name], Row::Case(case));
        }
    }
    table
}
