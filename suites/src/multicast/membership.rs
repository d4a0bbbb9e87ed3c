//! Joining and leaving.

use harness::case::Lab;
use harness::case::addr::Range;
use harness::case::lab::LabOp;

use super::axes::{By, Family, LINK, State, ip};
use crate::steps::{bind, case, covering, lab as step, recvfrom, socket, socket_of};
use crate::table::{Row, Table};

pub(super) fn tables() -> Vec<Table> {
    vec![join(), join_twice(), leave(), other_sockets(), changed(), limit()]
}

const GROUPS_V4: [&str; 7] = [
    "224.0.0.1",
    "224.0.0.251",
    "232.1.2.3",
    "239.1.2.3",
    "198.51.100.9",
    "255.255.255.255",
    "0.0.0.0",
];

const GROUPS_V6: [&str; 9] = [
    "ff01::99",
    "ff02::1",
    "ff02::99",
    "ff03::1",
    "ff0e::99",
    "fe80::99",
    "2001:db8::99",
    "::",
    "::ffff:224.0.0.251",
];

fn join() -> Table {
    let question = "What do a join, a leave and a second leave say?";
    let mut table = Table::new("multicast/join", question);
    for family in Family::ALL {
        let v4 = family == Family::V4;
        for state in State::ALL {
            if !v4 && state == State::Routed {
                continue;
            }
            for group in family.pick(&GROUPS_V4[..], &GROUPS_V6[..]) {
                // What is no group is none on every link.
                if state != State::Up && *group != family.pick("239.1.2.3", "ff0e::99") {
                    continue;
                }
                for by in family.pick(&By::V4[..], &By::V6[..]) {
                    let to = ip(group);
                    let ops = vec![
                        socket("s", family.domain(), "SOCK_DGRAM"),
                        family.join("s", to, *by),
                        family.leave("s", to, *by),
                        family.leave("s", to, *by),
                    ];
                    let title = format!("{group} joined by {}, link0 {}", by.id(), state.id());
                    let rows = ["MCAST-01", "MCAST-02", "MCAST-06"];
                    let case = covering(case(title, state.lab(), ops), &rows);
                    table.push(&[family.id(), state.id(), group, by.id()], Row::Case(case));
                }
            }
        }
    }
    table
}

fn join_twice() -> Table {
    let question = "What does a join say that names the same group again?";
    let mut table = Table::new("multicast/join-twice", question);
    for family in Family::ALL {
        let ways = family.pick(&[By::Link, By::Other, By::Address][..], &[By::Link, By::Other]);
        for first in ways {
            for second in ways {
                let group = family.group();
                let ops = vec![
                    socket("s", family.domain(), "SOCK_DGRAM"),
                    family.join("s", group, *first),
                    family.join("s", group, *second),
                    family.leave("s", group, *second),
                    family.leave("s", group, *first),
                ];
                let title = format!("joined by {}, then by {}", first.id(), second.id());
                let case = covering(case(title, State::Up.lab(), ops), &["MCAST-06"]);
                table.push(&[family.id(), first.id(), second.id()], Row::Case(case));
            }
        }
    }
    table
}

fn leave() -> Table {
    let question = "Does a leave that names the link in another way than the join find it?";
    let mut table = Table::new("multicast/leave", question);
    for family in Family::ALL {
        let ways = family.pick(
            &[By::Link, By::Other, By::Zero, By::Address, By::OtherAddress][..],
            &[By::Link, By::Other, By::Zero],
        );
        for state in [State::Up, State::Routed] {
            for joined in ways {
                for left in ways {
                    let group = family.group();
                    let ops = vec![
                        socket("s", family.domain(), "SOCK_DGRAM"),
                        family.leave("s", group, *left),
                        family.join("s", group, *joined),
                        family.leave("s", group, *left),
                        family.leave("s", group, *joined),
                    ];
                    let title = format!("joined by {}, left by {}", joined.id(), left.id());
                    let case = covering(case(title, state.lab(), ops), &["MCAST-06"]);
                    let parameters = [family.id(), state.id(), joined.id(), left.id()];
                    table.push(&parameters, Row::Case(case));
                }
            }
        }
    }
    table
}

fn other_sockets() -> Table {
    let question = "Which sockets can join a group of which family?";
    let mut table = Table::new("multicast/sockets", question);
    for domain in ["AF_INET", "AF_INET6"] {
        for (how, kind, protocol) in [
            ("udp", "SOCK_DGRAM", &[][..]),
            ("tcp", "SOCK_STREAM", &[]),
            ("raw", "SOCK_RAW", &["IPPROTO_UDP"]),
        ] {
            for family in Family::ALL {
                let ops = vec![
                    socket_of("s", domain, &[kind], protocol),
                    family.join("s", family.group(), By::Link),
                    family.leave("s", family.group(), By::Link),
                ];
                let title = format!("a {how} socket of {domain} joins a group of {}", family.id());
                let case = covering(case(title, State::Up.lab(), ops), &["MCAST-01"]);
                table.push(&[domain, how, family.id()], Row::Case(case));
            }
        }
    }
    table
}

fn changed() -> Table {
    let question = "What is left of a membership when its link has changed?";
    let mut table = Table::new("multicast/changed", question);
    let link = || LINK.to_owned();
    let (down, up) = (LabOp::LinkDown { link: link() }, LabOp::LinkUp { link: link() });
    for family in Family::ALL {
        let gone = |range: Range| LabOp::AddressDelete { link: link(), range };
        for (change, steps) in [
            ("nothing", vec![]),
            ("down", vec![down.clone()]),
            ("down-up", vec![down.clone(), up.clone()]),
            ("address-gone", vec![gone(family.range())]),
            ("deleted", vec![LabOp::LinkDelete { link: link() }]),
        ] {
            for by in [By::Link, By::Address] {
                if family == Family::V6 && by == By::Address {
                    continue;
                }
                let (group, lab) = (family.group(), State::Up.lab());
                let mut ops = vec![
                    socket("s", family.domain(), "SOCK_DGRAM"),
                    bind("s", family.any(super::axes::PORT)),
                    family.join("s", group, by),
                ];
                ops.extend(steps.iter().cloned().map(step));
                if !matches!(change, "down" | "deleted") {
                    ops.push(family.arrives(&lab, LINK, group));
                }
                ops.extend([
                    recvfrom("s"),
                    family.join("s", group, by),
                    family.leave("s", group, by),
                    family.leave("s", group, by),
                ]);
                if change == "address-gone" {
                    // Nobody is a member any more: does the link know?
                    let range = family.range();
                    ops.push(step(LabOp::AddressAdd { link: link(), range }));
                    ops.extend([family.arrives(&lab, LINK, group), recvfrom("s")]);
                    // If it does not, no later case shall hear of it.
                    ops.push(step(LabOp::LinkDelete { link: link() }));
                }
                let title = format!("a member by {}, then: {change}", by.id());
                let case = covering(case(title, lab, ops), &["MCAST-06"]);
                table.push(&[family.id(), change, by.id()], Row::Case(case));
            }
        }
    }
    table
}

/// Linux takes 20 groups of IPv4 (`net.ipv4.igmp_max_memberships`).
fn limit() -> Table {
    let question = "How many groups can one socket join?";
    let mut table = Table::new("multicast/limit", question);
    for family in Family::ALL {
        let mut ops = vec![socket("s", family.domain(), "SOCK_DGRAM")];
        ops.extend((1..=22).map(|n| {
            let group = family.pick(format!("239.9.9.{n}"), format!("ff05::9:{n}"));
            family.join("s", ip(&group), By::Link)
        }));
        let case = case("22 groups on one socket".to_owned(), State::Up.lab(), ops);
        table.push(&[family.id()], Row::Case(covering(case, &["MCAST-07"])));
    }
    for family in Family::ALL {
        let ops = vec![
            socket("s", family.domain(), "SOCK_DGRAM"),
            family.join("s", family.group(), By::Zero),
            family.join("s", family.group(), By::Loopback),
        ];
        let case = case("joins in a network of loopback".to_owned(), Lab::loopback(), ops);
        table.push(&[family.id(), "loopback-alone"], Row::Case(covering(case, &["MCAST-01"])));
    }
    table
}
