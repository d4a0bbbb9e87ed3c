//! `AI_ADDRCONFIG`: which addresses of the host count.

use harness::case::addr::Range;
use harness::case::{Lab, LabOp};

use super::axes::{LINK, getaddrinfo, hosts, net};
use crate::steps::{case, covering, lab};
use crate::table::{Row, Table};

/// What the host has beside loopback.
fn networks() -> [(&'static str, Lab); 5] {
    [
        ("loopback", Lab::loopback()),
        ("v4", net(&[Range::V4])),
        ("v6", net(&[Range::V6])),
        ("link-local", net(&[Range::Ll])),
        ("all", net(&[Range::Ll, Range::V6, Range::V4])),
    ]
}

pub(super) fn table() -> Table {
    let question = "Which results does AI_ADDRCONFIG leave out, by the addresses of the host?";
    let mut table = Table::new("names/addrconfig", question);
    let lines = ["127.0.0.1 localhost", "::1 localhost", "192.0.2.7 both", "2001:db8::7 both"];
    for (network, net) in networks() {
        for node in ["both", "localhost", "192.0.2.7", "2001:db8::7"] {
            for (id, flags) in [("0", &[][..]), ("addrconfig", &["AI_ADDRCONFIG"])] {
                let ops = vec![getaddrinfo(Some(node), None, "AF_UNSPEC", flags)];
                let title = format!("{node}, flags {id}, network {network}");
                let lab = net.clone().with([hosts(&lines)]);
                let case = covering(case(title, lab, ops), &["NAME-08"]);
                table.push(&[network, node, id], Row::Case(case));
            }
        }
    }
    for flags in [("0", &[][..]), ("addrconfig", &["AI_ADDRCONFIG"])] {
        let down = lab(LabOp::LinkDown { link: LINK.to_owned() });
        let ops = vec![down, getaddrinfo(Some("both"), None, "AF_UNSPEC", flags.1)];
        let title = format!("both, flags {}, the only link down", flags.0);
        let lab = networks()[4].1.clone().with([hosts(&lines)]);
        let case = covering(case(title, lab, ops), &["NAME-08"]);
        table.push(&["down", "both", flags.0], Row::Case(case));
    }
    table
}
