//! `getnameinfo`: scopes, flags, room, and the names that a name server has for addresses.

use harness::case::addr::{Addr, Range, Scope};
use harness::case::names::{Answer, NameServer, Rcode, Record, RecordData};
use harness::case::{Flags, Lab, Op};
use harness::wire::dns::reverse;

use super::axes::{LINK, flags_id, getaddrinfo, net, served};
use crate::steps::{case, covering, ip};
use crate::table::{Row, Table};

pub(super) fn tables() -> Vec<Table> {
    vec![scopes(), room(), pointers()]
}

fn getnameinfo(addr: Addr, flags: &[&'static str]) -> Op {
    getnameinfo_of(addr, 1025, 32, flags)
}

fn getnameinfo_of(addr: Addr, host_len: u32, service_len: u32, flags: &[&'static str]) -> Op {
    Op::Getnameinfo { addr, host_len, service_len, flags: Flags::of(flags) }
}

/// The scope ids, and the text behind the address that they may become.
fn ids() -> [(&'static str, Scope, &'static str); 4] {
    [
        ("none", Scope::Zero, ""),
        ("link", Scope::Link(LINK.to_owned()), "%tun0"),
        ("lo", Scope::Id(1), "%lo"),
        ("unknown", Scope::Id(9999), "%9999"),
    ]
}

/// What an address and a scope id become, and whether that becomes the same address again.
fn scopes() -> Table {
    let question = "Which host does getnameinfo write for an address with a scope id?";
    let mut table = Table::new("names/getnameinfo-scope", question);
    for address in
        ["fe80::2", "2001:db8::2", "::1", "ff01::1", "ff02::1", "ff05::1", "::ffff:192.0.2.2"]
    {
        for (id, scope, text) in ids() {
            let addr = ip(address, 9).scoped(scope);
            let numeric = ["NI_NUMERICHOST", "NI_NUMERICSERV"];
            let again = format!("{address}{text}");
            let ops = vec![
                getnameinfo(addr, &numeric),
                getaddrinfo(Some(&again), Some("9"), "AF_INET6", &["AI_NUMERICHOST"]),
            ];
            let title = format!("{address} with scope id {id}, written and read again");
            let lab = net(&[Range::Ll, Range::V6, Range::V4]);
            table.push(&[address, id], Row::Case(covering(case(title, lab, ops), &["NAME-05"])));
        }
    }
    table
}

fn room() -> Table {
    let question = "How much room do the host and the service need?";
    let mut table = Table::new("names/getnameinfo-room", question);
    for host in [0, 1, 9, 10] {
        for service in [0, 2, 3] {
            let flags = ["NI_NUMERICHOST", "NI_NUMERICSERV"];
            let ops = vec![getnameinfo_of(ip("127.0.0.1", 80), host, service, &flags)];
            let title = format!("127.0.0.1 and 80 into {host} and {service} bytes");
            let case = covering(case(title, Lab::loopback(), ops), &["NAME-06"]);
            table.push(&[&host.to_string(), &service.to_string()], Row::Case(case));
        }
    }
    table
}

/// The flags that decide between a name and a number.
const FLAGS: [&[&str]; 5] =
    [&[], &["NI_NUMERICHOST"], &["NI_NAMEREQD"], &["NI_NUMERICHOST", "NI_NAMEREQD"], &["NI_DGRAM"]];

const ADDRESSES: [(&str, &str); 8] = [
    ("named", "192.0.2.7"),
    ("named6", "2001:db8::7"),
    ("link-local", "fe80::7"),
    ("nobody", "192.0.2.8"),
    ("servfail", "192.0.2.9"),
    ("alias", "192.0.2.10"),
    ("odd", "192.0.2.11"),
    ("localhost", "127.0.0.1"),
];

fn pointer(ip: &str, name: &str) -> Answer {
    let ip = ip.parse().expect("an address of a table");
    let data = RecordData::Ptr(name.to_owned());
    Answer::new(&reverse(ip), vec![Record { owner: None, data }])
}

fn zone() -> NameServer {
    let alias = reverse("192.0.2.10".parse().expect("an address"));
    let target = "10.net.example".to_owned();
    let servfail = reverse("192.0.2.9".parse().expect("an address"));
    NameServer::new(
        Range::V4,
        [
            pointer("192.0.2.7", "seven.example"),
            pointer("2001:db8::7", "seven.example"),
            pointer("fe80::7", "seven.example"),
            // Delegation of less than an octet (RFC 2317 §4).
            Answer::new(
                &alias,
                vec![
                    Record { owner: None, data: RecordData::Cname(target.clone()) },
                    Record { owner: Some(target), data: RecordData::Ptr("ten.example".to_owned()) },
                ],
            ),
            // No host name has these (RFC 1123 §2.1).
            pointer("192.0.2.11", "ele ven;.example"),
            Answer { rcode: Rcode::ServFail, ..Answer::new(&servfail, Vec::new()) },
        ],
    )
}

fn pointers() -> Table {
    let question = "What does getnameinfo ask, and what does it write without a name?";
    let mut table = Table::new("names/getnameinfo", question);
    for (id, address) in ADDRESSES {
        for flags in FLAGS {
            let scope = if id == "link-local" { Scope::Link(LINK.to_owned()) } else { Scope::Zero };
            let ops = vec![getnameinfo(ip(address, 69).scoped(scope), flags)];
            let words = flags_id(flags);
            let title = format!("the name of {address}, {id}, flags {words}");
            let case = covering(case(title, served(zone()), ops), &["NAME-05"]);
            table.push(&[id, &words], Row::Case(case));
        }
    }
    table
}
