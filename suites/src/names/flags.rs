//! The flags of `getaddrinfo`, with names that a server knows.

use harness::case::addr::Range;
use harness::case::names::{Answer, NameServer, Record, RecordData};

use super::axes::{both, flags_id, getaddrinfo, hosts, records, served};
use crate::steps::case;
use crate::table::{Row, Table};

pub(super) fn tables() -> Vec<Table> {
    vec![flags()]
}

/// With the family for which they mean something.
const FLAGS: [(&str, &[&str]); 7] = [
    ("AF_UNSPEC", &[]),
    ("AF_UNSPEC", &["AI_NUMERICHOST"]),
    ("AF_UNSPEC", &["AI_CANONNAME"]),
    ("AF_INET6", &["AI_CANONNAME"]),
    ("AF_INET6", &["AI_V4MAPPED"]),
    ("AF_INET6", &["AI_V4MAPPED", "AI_ALL"]),
    ("AF_INET6", &["AI_ALL"]),
];

/// By file, by server, by alias, by one family alone; and no name.
const NODES: [(&str, Option<&str>); 6] = [
    ("file", Some("alias.file")),
    ("both", Some("both.example")),
    ("v4-alone", Some("v4.example")),
    ("alias", Some("alias.example")),
    ("nosuch", Some("nosuch.example")),
    ("null", None),
];

fn zone() -> NameServer {
    let target = "v4.example".to_owned();
    let mut alias = vec![Record { owner: None, data: RecordData::Cname(target.clone()) }];
    let of = |record: Record| Record { owner: Some(target.clone()), ..record };
    alias.extend(records(&["192.0.2.7"]).into_iter().map(of));
    let answers = both("both.example", &["192.0.2.7", "2001:db8::7"])
        .into_iter()
        .chain(both("v4.example", &["192.0.2.7"]))
        .chain([Answer::new("alias.example", alias)]);
    NameServer::new(Range::V4, answers)
}

fn flags() -> Table {
    let question = "What do the flags of getaddrinfo change, and is the network asked?";
    let mut table = Table::new("names/flags", question);
    for (id, node) in NODES {
        for (family, flags) in FLAGS {
            let lab = served(zone()).with([hosts(&["192.0.2.9 file alias.file"])]);
            let ops = vec![getaddrinfo(node, Some("80"), family, flags)];
            let words = flags_id(flags);
            let title = format!("{} for {family}, flags {words}", node.unwrap_or("NULL"));
            let word = if family == "AF_INET6" { "v6" } else { "any" };
            table.push(&[id, word, &words], Row::Case(case(title, lab, ops)));
        }
    }
    table
}
