//! What the rules of lookups accept, and the faults that they find.

use std::net::{IpAddr, SocketAddr};

use harness::case::addr::{Addr, Range, SockAddr};
use harness::case::names::{Answer, Flaw, NameServer, Record, RecordType};
use harness::case::{Flags, LinkKind, Op};
use harness::trace::{AddrInfo, Direction, Out};
use harness::verdict::Rank;
use harness::wire::build;
use harness::wire::dns;
use rstest::rstest;

use super::super::lookups::{LOCALHOST, NUMERIC, RESPONSE, SERVICE, ZONE};
use super::super::story::Story;

fn lookup(node: &str, service: &str, flags: &[&'static str]) -> Op {
    Op::Getaddrinfo {
        node: Some(node.into()),
        service: Some(service.into()),
        family: "AF_UNSPEC".into(),
        r#type: Flags::of(&["SOCK_STREAM"]),
        flags: Flags::of(flags),
    }
}

fn gives(op: Op, addr: &str) -> Story {
    let addr: SockAddr = addr.parse().unwrap();
    let info = AddrInfo {
        addr,
        r#type: "SOCK_STREAM".into(),
        protocol: "IPPROTO_TCP".into(),
        canonname: None,
    };
    Story::on(LinkKind::Tun).gives(op, Out::Addrs(vec![info]))
}

/// A lookup that breaks each of these rules.
pub(super) fn lawless(story: Story) -> Story {
    let op = lookup("localhost", "70000", &["AI_NUMERICHOST"]);
    let info = AddrInfo {
        addr: "{AF_INET6 [2001:db8::7%2]:4464}".parse().unwrap(),
        r#type: "SOCK_STREAM".into(),
        protocol: "IPPROTO_TCP".into(),
        canonname: None,
    };
    let story = story.gives(op, Out::Addrs(vec![info]));
    exchange_of(story, "localhost", "2001:db8::7", Some(Flaw::NoResponse))
}

fn exchange(story: Story, name: &str, flaw: Option<Flaw>) -> Story {
    exchange_of(story, name, "192.0.2.7", flaw)
}

/// A query left, and this came back.
fn exchange_of(story: Story, name: &str, ip: &str, flaw: Option<Flaw>) -> Story {
    let ends: [SocketAddr; 2] = ["192.0.2.1:40000", "192.0.2.2:53"].map(|end| end.parse().unwrap());
    let record = Record::ip(ip.parse::<IpAddr>().unwrap());
    let server = NameServer::new(Range::V4, [Answer { flaw, ..Answer::new(name, vec![record]) }]);
    let query = dns::query(name, RecordType::A);
    let header = story.header("l0");
    let out = build::udp(header, ends[0], ends[1], 64, &query).unwrap();
    let answer = dns::answer(&server, &query, false).unwrap();
    let back = build::udp(header, ends[1], ends[0], 64, &answer).unwrap();
    story.frame("l0", Direction::Out, out).frame("l0", Direction::In, back)
}

const SEVEN: &str = "{AF_INET 192.0.2.7:80}";

#[rstest]
#[case::nobody_asked(gives(lookup("192.0.2.7", "80", &["AI_NUMERICHOST"]), SEVEN))]
#[case::a_name(exchange(gives(lookup("a.example", "80", &[]), SEVEN), "a.example", None))]
#[case::like_localhost(exchange(gives(lookup("mylocalhost", "80", &[]), SEVEN), "mylocalhost", None))]
#[case::link_local(gives(lookup("fe80::1%l0", "80", &[]), "{AF_INET6 [fe80::1%2]:80}"))]
#[case::loopback(gives(lookup("::1%1", "80", &[]), "{AF_INET6 [::1%1]:80}"))]
#[case::site_local(gives(lookup("ff05::1%l0", "80", &[]), "{AF_INET6 [ff05::1%2]:80}"))]
#[case::a_named_service(gives(lookup("192.0.2.7", "http", &[]), SEVEN))]
#[case::refused(Story::on(LinkKind::Tun).err(lookup("192.0.2.7", "70000", &[]), "EAI_SERVICE"))]
fn holds(#[case] story: Story) {
    for rule in [NUMERIC, LOCALHOST, SERVICE, ZONE, RESPONSE] {
        assert_eq!(story.told(&rule), [""; 0], "{}", rule.name);
    }
}

#[test]
fn a_number_that_is_looked_up() {
    let story = gives(lookup("192.0.2.7", "80", &["AI_NUMERICHOST"]), SEVEN);
    let told = exchange(story, "192.0.2.7", None).told(&NUMERIC);
    assert_eq!(told, ["0: getaddrinfo was given AI_NUMERICHOST, yet a query for 192.0.2.7 left."]);
    let flags = Flags::of(&["NI_NUMERICHOST"]);
    let addr = Addr::ip([192, 0, 2, 7], 80);
    let op = Op::Getnameinfo { addr, host_len: 64, service_len: 0, flags };
    let host = Out::Names { host: Some("192.0.2.7".into()), service: None };
    let story = Story::on(LinkKind::Tun).gives(op, host);
    let told = exchange(story, "7.2.0.192.in-addr.arpa", None).told(&NUMERIC);
    let expected = "0: getnameinfo was given NI_NUMERICHOST, yet a query for \
                    7.2.0.192.in-addr.arpa left.";
    assert_eq!(told, [expected]);
}

#[rstest]
#[case("localhost")]
#[case("host.LOCALHOST")]
fn localhost_that_is_asked_for(#[case] name: &str) {
    let story = Story::on(LinkKind::Tun).err(lookup(name, "80", &[]), "EAI_NONAME");
    let told = exchange(story, name, None).told(&LOCALHOST);
    assert_eq!(told, [format!("0: getaddrinfo sent a query for {name}.")]);
}

#[rstest]
#[case("70000", "{AF_INET 192.0.2.7:4464}", "0: getaddrinfo made port 4464 of the service 70000.")]
#[case("80", "{AF_INET 192.0.2.7:81}", "0: getaddrinfo made port 81 of the service 80.")]
fn a_service_that_becomes_another_port(
    #[case] service: &str,
    #[case] addr: &str,
    #[case] expected: &str,
) {
    assert_eq!(gives(lookup("192.0.2.7", service, &[]), addr).told(&SERVICE), [expected]);
}

#[rstest]
#[case("2001:db8::1")]
#[case("::")]
#[case("ff0e::1")]
fn a_zone_where_there_is_none(#[case] ip: &str) {
    let node = format!("{ip}%2");
    let story = gives(lookup(&node, "80", &[]), &format!("{{AF_INET6 [{node}]:80}}"));
    // The text itself admits it: no run fails for that.
    assert_eq!(story.found(&ZONE)[0].rank, Rank::Undocumented);
    let told = story.told(&ZONE);
    let expected = format!("0: getaddrinfo gave {ip}, which has no zone, a scope id for {node:?}.");
    assert_eq!(told, [expected]);
}

#[rstest]
#[case::other_id(Flaw::OtherId)]
#[case::other_question(Flaw::OtherQuestion)]
#[case::no_response(Flaw::NoResponse)]
fn an_address_out_of_no_response(#[case] flaw: Flaw) {
    let story = gives(lookup("a.example", "80", &[]), SEVEN);
    let told = exchange(story, "a.example", Some(flaw)).told(&RESPONSE);
    let expected = "0: getaddrinfo gave 192.0.2.7, which came in no response to its queries.";
    assert_eq!(told, [expected]);
}
