//! Multicast: the scope id, `IPV6_MULTICAST_IF`, and which of them wins.

use harness::case::op::Value;

use super::axes::{Net, PORT, Zone};
use crate::steps::{
    bind_to, case, connect, covering, getpeername, ip, send, sendto, setsockopt, so_error, socket,
};
use crate::table::{Row, Table};

pub(super) fn table() -> Table {
    let question = "By which link does a multicast leave: the scope id's or the option's?";
    let mut table = Table::new("scoped-ipv6/multicast", question);
    for net in [Net::Second, Net::Tun] {
        for zone in [Zone::Right, Zone::Zero, Zone::Other, Zone::Absent, Zone::Down] {
            for group in ["ff01::99", "ff02::99", "ff05::99", "ff0e::99"] {
                for chosen in ["unset", "its-link", "other-link", "bound-other"] {
                    for how in ["sendto", "connect"] {
                        let mut ops = vec![socket("s", "AF_INET6", "SOCK_DGRAM")];
                        let by = |link: &str| {
                            let link = Value::Link(link.to_owned());
                            setsockopt("s", "IPPROTO_IPV6", "IPV6_MULTICAST_IF", link)
                        };
                        match chosen {
                            "its-link" => ops.push(by(net.meant())),
                            "other-link" => ops.push(by(net.other())),
                            "bound-other" => ops.push(bind_to("s", net.other())),
                            _ => {}
                        }
                        let to = ip(group, PORT).scoped(zone.scope(net));
                        if how == "sendto" {
                            ops.push(sendto("s", to));
                        } else {
                            ops.extend([connect("s", to), getpeername("s"), send("s")]);
                        }
                        ops.push(so_error("s"));
                        let title =
                            format!("{how} to {group}, {}, interface {chosen}", zone.words());
                        let case = covering(case(title, zone.lab(net), ops), &["SCOPE-10"]);
                        let parameters = [net.id(), zone.id(), group, chosen, how];
                        table.push(&parameters, Row::Case(case));
                    }
                }
            }
        }
    }
    table
}
