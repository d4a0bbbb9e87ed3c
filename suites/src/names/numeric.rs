//! Numeric hosts: their zones, their forms, and the family that is asked for.

use harness::case::addr::{Addr, Range, Role, Scope};
use harness::case::{Lab, LinkKind, NameServer, Op};

use super::axes::{FAMILIES, LINK, flags_id, getaddrinfo, hosts, is, served};
use crate::steps::{case, connect, covering, socket};
use crate::table::{Row, Table};

pub(super) fn tables() -> Vec<Table> {
    vec![zones(), forms(), families(), scope_lost()]
}

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

fn zones() -> Table {
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

/// Texts that some call or other takes for an address, with the words of their ids.
const FORMS: [(&str, &str); 33] = [
    ("127.0.0.1", "127.0.0.1"),
    ("127.1", "127.1"),
    ("0", "0"),
    ("1.65535", "1.65535"),
    ("1.16777216", "1.16777216"),
    ("1.2.3.256", "1.2.3.256"),
    ("4294967295", "4294967295"),
    ("4294967296", "4294967296"),
    ("hexadecimal", "0x7f.1"),
    ("hexadecimal-whole", "0x7f000001"),
    ("hexadecimal-empty", "0x"),
    ("octal", "0177.0.0.1"),
    ("octal-ten", "010.0.0.1"),
    ("octal-nine", "09.0.0.1"),
    ("five", "1.2.3.4.5"),
    ("dot-behind", "127.0.0.1."),
    ("minus", "-1"),
    ("space-before", " 127.0.0.1"),
    ("space-behind", "127.0.0.1 "),
    ("word-behind", "127.0.0.1 foo"),
    ("empty", ""),
    ("any6", "::"),
    ("loopback6", "::1"),
    ("brackets", "[::1]"),
    ("upper-case", "2001:DB8::A"),
    ("mapped", "::ffff:192.0.2.2"),
    ("mapped-short", "::ffff:127.1"),
    ("compatible", "::192.0.2.2"),
    ("five-digits", "::00001"),
    ("two-gaps", "1::2::3"),
    ("nine", "1:2:3:4:5:6:7:8:9"),
    ("space-behind6", "::1 "),
    ("zone", "fe80::2%tun0"),
];

fn forms() -> Table {
    let question = "Which texts are addresses to getaddrinfo, inet_pton and inet_aton?";
    let mut table = Table::new("names/numeric-forms", question);
    for (id, text) in FORMS {
        let pton = |family: &'static str| Op::InetPton { family: family.into(), text: text.into() };
        let ops = vec![
            getaddrinfo(Some(text), None, "AF_UNSPEC", &["AI_NUMERICHOST"]),
            Op::InetAton { text: text.to_owned() },
            pton("AF_INET"),
            pton("AF_INET6"),
        ];
        let case =
            covering(case(format!("{text:?} as an address"), lab(), ops), &["NAME-03", "NAME-07"]);
        table.push(&[id], Row::Case(case));
    }
    table
}

fn families() -> Table {
    let question = "What does getaddrinfo say when the numeric host is of another family?";
    let mut table = Table::new("names/numeric-family", question);
    let families = FAMILIES.into_iter().chain([("local", "AF_UNIX")]);
    for (word, family) in families {
        for node in [Some("127.0.0.1"), Some("::1"), Some("::ffff:192.0.2.2"), None] {
            // Each is of no meaning to the other nodes (POSIX getaddrinfo).
            let flag = if node.is_none() { "AI_PASSIVE" } else { "AI_V4MAPPED" };
            for flags in [&[][..], &[flag]] {
                let ops = vec![getaddrinfo(node, Some("80"), family, flags)];
                let id = [word, node.unwrap_or("null"), &flags_id(flags)];
                let title = format!("{} for {family}, flags {}", node.unwrap_or("NULL"), id[2]);
                table.push(&id, Row::Case(covering(case(title, lab(), ops), &["NAME-06"])));
            }
        }
    }
    table
}

/// Where the link-local address comes from, and what a connection to it comes to.
fn scope_lost() -> Table {
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
