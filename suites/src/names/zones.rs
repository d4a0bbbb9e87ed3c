//! Addresses and their zones. In Rust, since a text is put together of the two, or the rows are in another
//! order than their ids.

use harness::case::addr::{Addr, Range, Role, Scope};
use harness::case::{Flags, Lab, LinkKind, NameServer, Op};

use super::axes::{FAMILIES, LINK, getaddrinfo, hosts, is, served};
use crate::steps::{case, connect, covering, ip, socket};
use crate::table::{Row, Table};

fn lab() -> Lab {
    Lab::one(LinkKind::Tun, LINK)
}

/// Every scope that an address may have (RFC 4291 §2.7, RFC 4007 §5), and IPv4.
const ADDRESSES: [&str; 7] =
    ["fe80::2", "fec0::2", "2001:db8::2", "::1", "ff01::1", "ff02::1", "ff05::1"];

/// Names and numbers, right and wrong.
const ZONES: [(&str, &str); 8] = [
    ("none", ""),
    ("name", "%tun0"),
    ("nosuch", "%nosuch"),
    ("1", "%1"),
    ("0", "%0"),
    ("99999", "%99999"),
    ("2-to-the-32", "%4294967296"),
    ("empty", "%"),
];

pub(super) fn zones() -> Table {
    let question = "Which zones does getaddrinfo take behind a numeric address, as which scope id?";
    let mut table = Table::new("names/numeric-zone", question);
    for address in ADDRESSES {
        for (id, zone) in ZONES {
            let node = format!("{address}{zone}");
            let ops = vec![getaddrinfo(Some(&node), Some("9"), "AF_UNSPEC", &["AI_NUMERICHOST"])];
            let case = covering(case(format!("{node:?} as a host"), lab(), ops), &["NAME-01"]);
            table.push(&[address, id], Row::Case(case));
        }
    }
    table
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
pub(super) fn scopes() -> Table {
    let question = "Which host does getnameinfo write for an address with a scope id?";
    let mut table = Table::new("names/getnameinfo-scope", question);
    let numeric = Flags::of(&["NI_NUMERICHOST", "NI_NUMERICSERV"]);
    for address in
        ["fe80::2", "2001:db8::2", "::1", "ff01::1", "ff02::1", "ff05::1", "::ffff:192.0.2.2"]
    {
        for (id, scope, text) in ids() {
            let addr = ip(address, 9).scoped(scope);
            let again = format!("{address}{text}");
            let ops = vec![
                Op::Getnameinfo { addr, host_len: 1025, service_len: 32, flags: numeric.clone() },
                getaddrinfo(Some(&again), Some("9"), "AF_INET6", &["AI_NUMERICHOST"]),
            ];
            let title = format!("{address} with scope id {id}, written and read again");
            let case = covering(case(title, lab(), ops), &["NAME-05"]);
            table.push(&[address, id], Row::Case(case));
        }
    }
    table
}

/// Where the link-local address comes from, and what a connection to it comes to.
pub(super) fn scope_lost() -> Table {
    let question = "Does a link-local address keep its zone on its way through getaddrinfo?";
    let mut table = Table::new("names/scope-lost", question);
    let far = Addr::on(LINK, Role::Neighbour, Range::Ll, 9).scoped(Scope::Zero);
    let scoped = far.clone().scoped(Scope::Link(LINK.to_owned()));
    for (word, family) in FAMILIES {
        for (source, node) in [
            ("numeric", "fe80::2%tun0"),
            ("unscoped", "fe80::2"),
            ("dns", "ll.example"),
            ("hosts", "ll"),
        ] {
            let server = NameServer::new(Range::V4, [is("ll.example", &["fe80::2"])]);
            let lab = served(server).with([hosts(&["fe80::2%tun0 ll"])]);
            let to = if source == "numeric" { scoped.clone() } else { far.clone() };
            let ops = vec![
                getaddrinfo(Some(node), Some("9"), family, &[]),
                socket("s", "AF_INET6", "SOCK_DGRAM"),
                connect("s", to),
            ];
            let title = format!("{node} for {family}, and a connect to what that gives");
            let case = covering(case(title, lab, ops), &["NAME-02"]);
            table.push(&[source, word], Row::Case(case));
        }
    }
    table
}
