//! `IPV6_PKTINFO` (RFC 3542 §6): a link, a source, both, and a scope id that may contradict them.

use harness::case::addr::{Addr, Host, Range, Role};

use super::axes::{Net, Zone};
use super::to::To;
use crate::steps::{case, covering, ip, sendmsg_from, so_error, socket};
use crate::table::{Row, Table};

pub(super) fn table() -> Table {
    let question = "Which link and which source win: those of PKTINFO or the scope id?";
    let mut table = Table::new("scoped-ipv6/pktinfo", question);
    for (net, to) in [
        (Net::Second, &[To::Neighbour, To::AllNodes, To::Neighbour6][..]),
        (Net::Tun, &[To::Neighbour]),
    ] {
        for to in to {
            for zone in [Zone::Right, Zone::Zero, Zone::Other, Zone::Absent, Zone::Down] {
                for (by, link) in links(net) {
                    for (from, source) in sources(net) {
                        let sent =
                            sendmsg_from("s", "IPPROTO_IPV6", (link, source), to.addr(net, zone));
                        let ops = vec![socket("s", "AF_INET6", "SOCK_DGRAM"), sent, so_error("s")];
                        let title = format!(
                            "sendmsg to {}, {}, PKTINFO: {by} from {from}",
                            to.id(),
                            zone.words()
                        );
                        let case = case(title, zone.lab(net), ops);
                        let case = covering(case, &["SCOPE-07", "SCOPE-11"]);
                        let parameters = [net.id(), zone.id(), to.id(), by, from];
                        table.push(&parameters, Row::Case(case));
                    }
                }
            }
        }
    }
    table
}

fn links(net: Net) -> [(&'static str, Option<&'static str>); 4] {
    [
        ("no-link", None),
        ("its-link", Some(net.meant())),
        ("other-link", Some(net.other())),
        ("lo", Some("lo")),
    ]
}

fn sources(net: Net) -> [(&'static str, Option<Host>); 5] {
    let on = |link, role, range| Some(Addr::on(link, role, range, 0).host);
    [
        ("no-source", None),
        ("own", on(net.meant(), Role::Own, Range::Ll)),
        ("own-other", on(net.other(), Role::Own, Range::Ll)),
        ("own6", on(net.meant(), Role::Own, Range::V6)),
        ("foreign", Some(ip("2001:db8:ffff::1", 0).host)),
    ]
}
