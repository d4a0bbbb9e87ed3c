//! What is left of a membership, where the far end's datagram tells; and how many there may be, by counting.

use harness::case::addr::Range;
use harness::case::lab::LabOp;
use harness::case::{Lab, LinkKind};

use super::axes::{By, Family, LINK, PORT, ip, lab};
use crate::steps::{bind, case, covering, lab as step, recvfrom, socket};
use crate::table::{Row, Table};

pub(super) fn tables() -> Vec<Table> {
    vec![changed(), limit()]
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
                let (group, on) = (family.group(), lab(LinkKind::Tap));
                let mut ops = vec![
                    socket("s", family.domain(), "SOCK_DGRAM"),
                    bind("s", family.any(PORT)),
                    family.join("s", group, by),
                ];
                ops.extend(steps.iter().cloned().map(step));
                if !matches!(change, "down" | "deleted") {
                    ops.push(family.arrives(&on, LINK, group));
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
                    ops.extend([family.arrives(&on, LINK, group), recvfrom("s")]);
                    // If it does not, no later case shall hear of it.
                    ops.push(step(LabOp::LinkDelete { link: link() }));
                }
                let title = format!("a member by {}, then: {change}", by.id());
                let case = covering(case(title, on, ops), &["MCAST-06"]);
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
        let case = case("22 groups on one socket".to_owned(), lab(LinkKind::Tap), ops);
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
