//! Who hears what arrives.

use harness::case::addr::{Addr, Role};
use harness::case::op::Value;
use harness::case::{Lab, LinkKind, Op};

use super::axes::{By, Family, LINK, OTHER, PORT, lab};
use crate::steps::{
    bind, bind_to, case, covering, recvfrom, recvmsg, sendto, setsockopt, so_error, socket,
};
use crate::table::{Row, Table};

pub(super) fn tables() -> Vec<Table> {
    vec![delivery(), own_sends(), reuse(), packet_info()]
}

/// On which links the socket joins what.
fn joins(family: Family, fd: &str, which: &str) -> Vec<Op> {
    let (group, other) = (family.group(), family.other_group());
    match which {
        "link" => vec![family.join(fd, group, By::Link)],
        "other-link" => vec![family.join(fd, group, By::Other)],
        "both-links" => {
            vec![family.join(fd, group, By::Link), family.join(fd, group, By::Other)]
        }
        "other-group" => vec![family.join(fd, other, By::Link)],
        _ => vec![],
    }
}

const JOINS: [&str; 5] = ["none", "link", "other-link", "both-links", "other-group"];

/// To what the receiver is bound.
fn binds(family: Family, fd: &str, which: &str) -> Vec<Op> {
    match which {
        "group" => vec![bind(fd, Addr::ip(family.group(), PORT))],
        "other-group" => vec![bind(fd, Addr::ip(family.other_group(), PORT))],
        "own" => vec![bind(fd, Addr::on(LINK, Role::Own, family.range(), PORT))],
        "interface" => vec![bind_to(fd, LINK), bind(fd, family.any(PORT))],
        _ => vec![bind(fd, family.any(PORT))],
    }
}

const BINDS: [&str; 5] = ["any", "group", "other-group", "own", "interface"];

fn delivery() -> Table {
    let question = "Which sockets hear a multicast that arrives, by what they joined and bound?";
    let mut table = Table::new("multicast/delivery", question);
    for family in Family::ALL {
        for bound in BINDS {
            for joined in JOINS {
                // Somebody else on the host: the link is a member, the socket may not be.
                for neighbour in ["alone", "beside-a-member"] {
                    for (came, link) in [("link", LINK), ("other-link", OTHER)] {
                        let on = lab(LinkKind::Tap);
                        let mut ops = Vec::new();
                        if neighbour != "alone" {
                            ops.push(socket("m", family.domain(), "SOCK_DGRAM"));
                            ops.extend(joins(family, "m", "both-links"));
                        }
                        ops.push(socket("r", family.domain(), "SOCK_DGRAM"));
                        ops.extend(binds(family, "r", bound));
                        ops.extend(joins(family, "r", joined));
                        ops.extend([family.arrives(&on, link, family.group()), recvfrom("r")]);
                        let title = format!(
                            "bound to {bound}, joined {joined}, {neighbour}; it came by {came}"
                        );
                        let case = covering(case(title, on, ops), &["MCAST-04"]);
                        let parameters = [family.id(), bound, joined, neighbour, came];
                        table.push(&parameters, Row::Case(case));
                    }
                }
            }
        }
    }
    table
}

fn own_sends() -> Table {
    let question = "Which sockets hear a multicast that their own host sends?";
    let mut table = Table::new("multicast/own-send", question);
    for family in Family::ALL {
        for bound in BINDS {
            for joined in JOINS {
                for (by, link) in [("link", LINK), ("other-link", OTHER), ("lo", "lo")] {
                    let mut ops = vec![socket("r", family.domain(), "SOCK_DGRAM")];
                    ops.extend(binds(family, "r", bound));
                    ops.extend(joins(family, "r", joined));
                    ops.extend([
                        socket("s", family.domain(), "SOCK_DGRAM"),
                        family.send_by("s", Value::Link(link.to_owned())),
                        sendto("s", Addr::ip(family.group(), PORT)),
                        so_error("s"),
                        recvfrom("r"),
                    ]);
                    let title = format!("bound to {bound}, joined {joined}; sent by {by}");
                    let case = case(title, lab(LinkKind::Tap), ops);
                    let case = covering(case, &["MCAST-04", "MCAST-08"]);
                    table.push(&[family.id(), bound, joined, by], Row::Case(case));
                }
            }
        }
    }
    table
}

fn reuse() -> Table {
    let question = "Can two sockets listen to one group and port, and do both hear?";
    let mut table = Table::new("multicast/reuse", question);
    for family in Family::ALL {
        for bound in ["any", "group"] {
            for first in ["none", "SO_REUSEADDR", "SO_REUSEPORT"] {
                for second in ["none", "SO_REUSEADDR", "SO_REUSEPORT"] {
                    for joined in ["both", "first"] {
                        let on = lab(LinkKind::Tap);
                        let mut ops = Vec::new();
                        for (fd, option) in [("a", first), ("b", second)] {
                            ops.push(socket(fd, family.domain(), "SOCK_DGRAM"));
                            if option != "none" {
                                ops.push(setsockopt(fd, "SOL_SOCKET", option, Value::Int(1)));
                            }
                            ops.extend(binds(family, fd, bound));
                            if fd == "a" || joined == "both" {
                                ops.extend(joins(family, fd, "link"));
                            }
                        }
                        ops.push(family.arrives(&on, LINK, family.group()));
                        ops.extend([recvfrom("a"), recvfrom("b")]);
                        let title = format!("bound to {bound}: {first} and {second}");
                        let case = covering(case(title, on, ops), &["MCAST-05"]);
                        let parameters = [family.id(), bound, first, second, joined];
                        table.push(&parameters, Row::Case(case));
                    }
                }
            }
        }
    }
    table
}

fn packet_info() -> Table {
    let question = "Which destination and link does recvmsg tell of a multicast?";
    let mut table = Table::new("multicast/recvmsg", question);
    for kind in [LinkKind::Tap, LinkKind::Tun] {
        for family in Family::ALL {
            for bound in ["any", "group", "interface"] {
                for how in ["arrived", "own"] {
                    let on = lab(kind);
                    let ops = told(family, &on, bound, how);
                    let title = format!("a multicast that {how}, bound to {bound}");
                    let case = covering(case(title, on, ops), &["MCAST-10"]);
                    let parameters = [&kind.to_string(), family.id(), bound, how];
                    table.push(&parameters, Row::Case(case));
                }
            }
        }
    }
    table
}

fn told(family: Family, on: &Lab, bound: &str, how: &str) -> Vec<Op> {
    let ask = [["IP_PKTINFO", "IPV6_RECVPKTINFO"], ["IP_RECVTTL", "IPV6_RECVHOPLIMIT"]];
    let mut ops = vec![socket("r", family.domain(), "SOCK_DGRAM")];
    ops.extend(ask.map(|names| family.set("r", names, Value::Int(1))));
    ops.extend(binds(family, "r", bound));
    ops.extend(joins(family, "r", "link"));
    if how == "own" {
        ops.extend([
            socket("s", family.domain(), "SOCK_DGRAM"),
            family.send_by("s", Value::Link(LINK.to_owned())),
            sendto("s", Addr::ip(family.group(), PORT)),
        ]);
    } else {
        ops.push(family.arrives(on, LINK, family.group()));
    }
    ops.push(recvmsg("r"));
    ops
}
