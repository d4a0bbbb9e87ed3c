//! `localhost` and what is like it, by different files, before a name server that knows none.

use harness::case::NameServer;
use harness::case::addr::Range;

use super::axes::{FAMILIES, getaddrinfo, hosts, served};
use crate::steps::{case, covering};
use crate::table::{Row, Table};

const NAMES: [&str; 4] = ["localhost", "localhost.", "host.localhost", "ip6-localhost"];

const FILES: [(&str, &[&str]); 4] = [
    ("both", &["127.0.0.1 localhost", "::1 localhost ip6-localhost"]),
    ("v4", &["127.0.0.1 localhost"]),
    ("v6", &["::1 localhost ip6-localhost"]),
    ("none", &[]),
];

pub(super) fn table() -> Table {
    let question = "What is localhost, by which lines of /etc/hosts, and is the network asked?";
    let mut table = Table::new("names/localhost", question);
    for name in NAMES {
        for (file, lines) in FILES {
            for (word, family) in FAMILIES {
                if name == "host.localhost" && file != "both" {
                    let why = "no file has the name, so that it does not matter which one it is";
                    table.push(&[name, file, word], Row::LeftOut(why));
                    continue;
                }
                let lab = served(NameServer::new(Range::V4, [])).with([hosts(lines)]);
                let ops = vec![getaddrinfo(Some(name), Some("80"), family, &[])];
                let title = format!("{name} for {family}, hosts of {file}");
                let case = covering(case(title, lab, ops), &["NAME-07"]);
                table.push(&[name, file, word], Row::Case(case));
            }
        }
    }
    table
}
