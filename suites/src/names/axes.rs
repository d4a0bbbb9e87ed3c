//! What the tables of this suite that are Rust share: labs, families, the call.

use std::net::IpAddr;

use harness::case::names::{Answer, NameServer, Record};
use harness::case::{Flags, Lab, LabOp, LinkKind, Op};

/// The only link of these labs.
pub(super) const LINK: &str = "tun0";

/// The families that may be asked for, and their words in ids.
pub(super) const FAMILIES: [(&str, &str); 3] =
    [("any", "AF_UNSPEC"), ("v4", "AF_INET"), ("v6", "AF_INET6")];

/// A tun with addresses of every range, and a name server at its far end.
pub(super) fn served(server: NameServer) -> Lab {
    let link = LINK.to_owned();
    Lab::one(LinkKind::Tun, LINK).with([LabOp::NameServer { link, server }])
}

/// Lines of `/etc/hosts`.
pub(super) fn hosts(lines: &[&str]) -> LabOp {
    LabOp::Hosts { lines: lines.iter().map(|line| (*line).to_owned()).collect() }
}

/// What a name stands for.
pub(super) fn is(name: &str, ips: &[&str]) -> Answer {
    Answer::new(name, records(ips))
}

pub(super) fn records(ips: &[&str]) -> Vec<Record> {
    let record = |ip: &&str| Record::ip(ip.parse::<IpAddr>().expect("an address of a table"));
    ips.iter().map(record).collect()
}

/// A and AAAA of a name, each answered with its own records and no others.
pub(super) fn both(name: &str, ips: &[&str]) -> [Answer; 2] {
    use harness::case::names::RecordType::{A, Aaaa};
    let of = |v6: bool| ips.iter().copied().filter(|ip| ip.contains(':') == v6).collect::<Vec<_>>();
    [(A, false), (Aaaa, true)].map(|(kind, v6)| Answer { types: vec![kind], ..is(name, &of(v6)) })
}

/// `getaddrinfo`, for streams.
pub(super) fn getaddrinfo(
    node: Option<&str>,
    service: Option<&str>,
    family: &'static str,
    flags: &[&'static str],
) -> Op {
    let (node, service) = (node.map(str::to_owned), service.map(str::to_owned));
    let (r#type, flags) = (Flags::of(&["SOCK_STREAM"]), Flags::of(flags));
    Op::Getaddrinfo { node, service, family: family.into(), r#type, flags }
}
