//! What the name server says, and what getaddrinfo makes of it. In Rust, since each name has answers
//! of its own, forty addresses among them, and names and answers are put together of the row.

use harness::case::addr::Range;
use harness::case::names::RecordType::{A, Aaaa};
use harness::case::names::{Answer, Flaw, NameServer, Rcode, Record, RecordData, RecordType};

use super::axes::{FAMILIES, both, getaddrinfo, is, records, served};
use crate::steps::{case, covering};
use crate::table::{Row, Table};

const V4: &str = "192.0.2.7";
const V6: &str = "2001:db8::7";

fn name(row: &str) -> String {
    format!("{row}.example")
}

fn alias(owner: Option<&str>, of: &str) -> Record {
    Record { owner: owner.map(name), data: RecordData::Cname(name(of)) }
}

fn of(owner: &str, ip: &str) -> Record {
    Record { owner: Some(name(owner)), ..records(&[ip])[0].clone() }
}

fn rcode(row: &str, rcode: Rcode) -> Answer {
    Answer { rcode, ..Answer::new(&name(row), Vec::new()) }
}

/// One type answered by a code or a flaw, the other one by its address.
fn half(row: &str, kind: RecordType, rcode: Rcode, flaw: Option<Flaw>) -> [Answer; 2] {
    let bad = Answer { types: vec![kind], rcode, flaw, ..Answer::new(&name(row), Vec::new()) };
    let good = if kind == A { Aaaa } else { A };
    let ip = if good == A { V4 } else { V6 };
    [bad, Answer { types: vec![good], ..is(&name(row), &[ip]) }]
}

/// The rows that are answered at once, each with what its name stands for.
fn zone() -> Vec<(&'static str, Vec<Answer>)> {
    let many: Vec<String> = (0..40).map(|n| format!("198.51.100.{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let both = |row: &str, ips: &[&str]| both(&name(row), ips).to_vec();
    let one = |answer| vec![answer];
    vec![
        ("both", both("both", &[V4, V6])),
        ("v4-alone", both("v4-alone", &[V4])),
        ("v6-alone", both("v6-alone", &[V6])),
        ("no-such-name", Vec::new()),
        ("empty", both("empty", &[])),
        ("formerr", one(rcode("formerr", Rcode::FormErr))),
        ("servfail", one(rcode("servfail", Rcode::ServFail))),
        ("notimp", one(rcode("notimp", Rcode::NotImp))),
        ("refused", one(rcode("refused", Rcode::Refused))),
        ("aaaa-servfail", half("aaaa-servfail", Aaaa, Rcode::ServFail, None).to_vec()),
        ("aaaa-no-such-name", half("aaaa-no-such-name", Aaaa, Rcode::NxDomain, None).to_vec()),
        ("aaaa-refused", half("aaaa-refused", Aaaa, Rcode::Refused, None).to_vec()),
        ("a-servfail", half("a-servfail", A, Rcode::ServFail, None).to_vec()),
        ("a-no-such-name", half("a-no-such-name", A, Rcode::NxDomain, None).to_vec()),
        (
            "alias",
            one(Answer::new(&name("alias"), vec![alias(None, "b"), of("b", V4), of("b", V6)])),
        ),
        (
            "alias-of-alias",
            one(Answer::new(
                &name("alias-of-alias"),
                vec![alias(None, "b"), alias(Some("b"), "c"), of("c", V4)],
            )),
        ),
        ("alias-of-nothing", one(Answer::new(&name("alias-of-nothing"), vec![alias(None, "b")]))),
        (
            "alias-behind",
            one(Answer::new(&name("alias-behind"), vec![of("b", V4), alias(None, "b")])),
        ),
        (
            "alias-of-itself",
            one(Answer::new(
                &name("alias-of-itself"),
                vec![alias(None, "alias-of-itself"), of("alias-of-itself", V4)],
            )),
        ),
        ("other-owner", one(Answer::new(&name("other-owner"), vec![of("b", V4)]))),
        (
            "other-type",
            vec![
                Answer { types: vec![A], ..is(&name("other-type"), &[V6]) },
                Answer { types: vec![Aaaa], ..is(&name("other-type"), &[V4]) },
            ],
        ),
        ("wildcard-address", both("wildcard-address", &["0.0.0.0", "::"])),
        ("loopback", both("loopback", &["127.0.0.1", "::1"])),
        ("mapped", both("mapped", &["::ffff:192.0.2.7"])),
        ("twice", both("twice", &[V4, V4, V6, V6])),
        ("forty", both("forty", &many)),
        ("under_score", both("under_score", &[V4])),
    ]
}

fn server(rows: Vec<(&'static str, Vec<Answer>)>) -> NameServer {
    NameServer::new(Range::V4, rows.into_iter().flat_map(|(_, answers)| answers))
}

pub(super) fn answers() -> Table {
    let question = "What does getaddrinfo make of what the name server answers?";
    let mut table = Table::new("names/dns", question);
    for (row, _) in zone() {
        for (word, family) in FAMILIES.into_iter().filter(|(word, _)| *word != "v4") {
            let ops = vec![getaddrinfo(Some(&name(row)), Some("80"), family, &[])];
            let title = format!("{} for {family}", name(row));
            let case = covering(case(title, served(server(zone())), ops), &["NAME-06"]);
            table.push(&[row, word], Row::Case(case));
        }
    }
    table
}

/// What is no answer to the question: the resolver waits until its seconds are over.
pub(super) fn flawed() -> Table {
    let question = "What does getaddrinfo say when a server is silent or answers something else?";
    let mut table = Table::new("names/dns-flawed", question);
    for (id, flaw) in [
        ("silent", Flaw::Silent),
        ("other-id", Flaw::OtherId),
        ("other-question", Flaw::OtherQuestion),
        ("no-response", Flaw::NoResponse),
        ("cut", Flaw::Cut),
    ] {
        for which in ["a", "aaaa", "both"] {
            let row = name(&format!("{id}-{which}"));
            let bad = |answer: Answer| {
                let is_a = answer.types == [A];
                let flawed = which == "both" || (which == "a") == is_a;
                Answer { flaw: flawed.then_some(flaw), ..answer }
            };
            let lab = served(NameServer::new(Range::V4, both(&row, &[V4, V6]).map(bad)));
            let ops = vec![getaddrinfo(Some(&row), Some("80"), "AF_UNSPEC", &[])];
            let title = format!("the response to {which} is {id}, a second each is waited");
            table.push(&[id, which], Row::Case(case(title, lab, ops)));
        }
    }
    table
}

pub(super) fn search() -> Table {
    let question = "Which names are asked for when there is a search list?";
    let mut table = Table::new("names/search", question);
    for dots in ["1", "2"] {
        for node in
            ["host", "host.", "host.sub", "host.lab.example", "nosuch", "no.such", "nosuch."]
        {
            let answers = both("host.lab.example", &[V4]).into_iter().chain(both("host", &[V6]));
            let server = NameServer {
                options: format!("timeout:1 attempts:1 ndots:{dots}"),
                search: Some("lab.example".to_owned()),
                ..NameServer::new(Range::V4, answers.chain(both("host.sub.lab.example", &[V4])))
            };
            let ops = vec![getaddrinfo(Some(node), None, "AF_INET", &["AI_CANONNAME"])];
            let title = format!("{node}, searched in lab.example, ndots {dots}");
            table.push(&[node, dots], Row::Case(case(title, served(server), ops)));
        }
    }
    table
}
