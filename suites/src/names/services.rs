//! Services: numbers and names, right and wrong.

use harness::case::Lab;

use super::axes::getaddrinfo_of;
use crate::steps::{case, covering};
use crate::table::{Row, Table};

const SERVICES: [(&str, Option<&str>); 16] = [
    ("80", Some("80")),
    ("0", Some("0")),
    ("65535", Some("65535")),
    ("65536", Some("65536")),
    ("70000", Some("70000")),
    ("2-to-the-32", Some("4294967376")),
    ("minus", Some("-1")),
    ("hexadecimal", Some("0x50")),
    ("space-behind", Some("80 ")),
    ("empty", Some("")),
    ("http", Some("http")),
    ("alias", Some("www")),
    ("upper-case", Some("HTTP")),
    ("udp-alone", Some("tftp")),
    ("nosuch", Some("nosuch")),
    ("null", None),
];

const KINDS: [(&str, &[&str], &[&str]); 4] = [
    ("any", &[], &[]),
    ("stream", &["SOCK_STREAM"], &[]),
    ("dgram", &["SOCK_DGRAM"], &[]),
    ("numericserv", &["SOCK_STREAM"], &["AI_NUMERICSERV"]),
];

pub(super) fn table() -> Table {
    let question = "Which services does getaddrinfo take for which type of socket?";
    let mut table = Table::new("names/service", question);
    for (id, service) in SERVICES {
        for (kind, types, flags) in KINDS {
            let ops = vec![getaddrinfo_of(Some("127.0.0.1"), service, "AF_INET", types, flags)];
            let asked =
                service.as_ref().map_or_else(|| "none".to_owned(), |text| format!("{text:?}"));
            let title = format!("{asked} as a service, {kind}");
            let case = covering(case(title, Lab::loopback(), ops), &["NAME-04", "NAME-06"]);
            table.push(&[id, kind], Row::Case(case));
        }
    }
    table
}
