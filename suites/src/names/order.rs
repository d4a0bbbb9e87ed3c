//! In which order the addresses of a name stand (RFC 6724 §6), by the addresses of the host.

use harness::case::Lab;
use harness::case::addr::Range;

use super::axes::{getaddrinfo, hosts, net};
use crate::steps::case;
use crate::table::{Row, Table};

/// Addresses of one name, in the order of the file.
const SETS: [(&str, &[&str]); 11] = [
    ("v4-v6", &["192.0.2.7", "2001:db8::7"]),
    ("v6-v4", &["2001:db8::7", "192.0.2.7"]),
    ("near-far", &["198.51.100.7", "192.0.2.7"]),
    ("near-far6", &["2001:db9::7", "2001:db8::7"]),
    ("link-local-v4", &["fe80::7", "192.0.2.7"]),
    ("link-local-v6", &["fe80::7", "2001:db8::7"]),
    ("loopback-v6", &["2001:db8::7", "::1"]),
    ("loopback-v4", &["192.0.2.7", "127.0.0.1"]),
    ("unique-local", &["fd00::7", "192.0.2.7"]),
    ("6to4", &["2002:c000:207::7", "192.0.2.7"]),
    ("teredo", &["2001:0::7", "192.0.2.7"]),
];

pub(super) fn table() -> Table {
    let question = "In which order does getaddrinfo give addresses, by those that the host has?";
    let mut table = Table::new("names/order", question);
    let networks: [(&str, Lab); 3] = [
        ("v4", net(&[Range::V4])),
        ("v6", net(&[Range::V6])),
        ("all", net(&[Range::Ll, Range::V6, Range::V4])),
    ];
    for (network, lab) in networks {
        for (id, set) in SETS {
            let lines: Vec<String> = set.iter().map(|ip| format!("{ip} host")).collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let ops = vec![getaddrinfo(Some("host"), None, "AF_UNSPEC", &[])];
            let title = format!("{} on a host with {network}", set.join(" and "));
            let lab = lab.clone().with([hosts(&lines)]);
            table.push(&[network, id], Row::Case(case(title, lab, ops)));
        }
    }
    table
}
