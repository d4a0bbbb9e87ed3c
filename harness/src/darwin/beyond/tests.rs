use rstest::rstest;

use super::*;
use crate::case::addr::{Addr, Range, Role};
use crate::case::op::Opt;
use crate::case::{Flags, Lab, LinkKind};

#[rstest]
#[case("127.0.0.1", 0, Choice::Stays)]
#[case("::1", 0, Choice::Stays)]
#[case("::ffff:127.0.0.1", 0, Choice::Stays)]
#[case("0.0.0.0", 0, Choice::Stays)]
#[case("fe80::2", 0, Choice::Default)]
#[case("ff02::1", 0, Choice::Default)]
#[case("fe80::2", 7, Choice::Scope(7))]
#[case("ff02::1", 7, Choice::Scope(7))]
#[case("ff05::99", 7, Choice::Scope(7))]
#[case("ff05::99", 0, Choice::Table("ff05::99".parse().unwrap()))]
#[case("192.0.2.2", 0, Choice::Table("192.0.2.2".parse().unwrap()))]
#[case("::ffff:192.0.2.2", 0, Choice::Table("192.0.2.2".parse().unwrap()))]
#[case("224.0.0.251", 0, Choice::Table("224.0.0.251".parse().unwrap()))]
#[case("255.255.255.255", 0, Choice::Table("255.255.255.255".parse().unwrap()))]
// A scope says nothing of a global address.
#[case("2001:db8::2", 7, Choice::Table("2001:db8::2".parse().unwrap()))]
fn what_chooses_the_interface(#[case] ip: IpAddr, #[case] scope: u32, #[case] by: Choice) {
    assert_eq!(choice(ip, scope, false), by);
}

#[test]
fn a_mapped_address_is_one_of_ipv6_to_a_socket_for_that_alone() {
    // By a default route of IPv6 it was reached, and the source was the host's own.
    let ip: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
    assert_eq!(choice(ip, 0, true), Choice::Table(ip));
}

#[test]
fn without_a_route_the_first_that_knows_groups_is_joined_on() {
    let en0 = Interface {
        index: 11,
        name: "en0".to_owned(),
        flags: UP | MULTICAST,
        mtu: 1500,
        mac: Vec::new(),
        addresses: vec![("10.7.0.5".parse().unwrap(), 24)],
    };
    assert!(is_joined_anyway(&en0));
    assert!(!is_joined_anyway(&Interface { flags: MULTICAST, ..en0.clone() }));
    assert!(!is_joined_anyway(&Interface { flags: UP | MULTICAST | LOOPBACK, ..en0.clone() }));
    let v6 = vec![("fe80::5".parse().unwrap(), 64)];
    assert!(!is_joined_anyway(&Interface { addresses: v6, ..en0 }));
}

fn socket(domain: &'static str, kind: &'static str) -> Op {
    Op::Socket {
        fd: "s".to_owned(),
        domain: domain.into(),
        r#type: Flags::of(&[kind]),
        protocol: Flags::NONE,
    }
}

fn connect(range: Range) -> Op {
    Op::Connect { fd: "s".to_owned(), addr: Addr::on("tap0", Role::Neighbour, range, 9) }
}

fn down() -> Op {
    Op::Lab { step: LabOp::LinkDown { link: "tap0".to_owned() } }
}

fn case(ops: Vec<Op>) -> Case {
    Case::new("s/t", String::new(), Lab::one(LinkKind::Tap, "tap0"), ops)
}

#[rstest]
#[case(vec![socket("AF_INET", "SOCK_STREAM"), connect(Range::V4), down()], true)]
#[case(vec![socket("AF_INET6", "SOCK_STREAM"), connect(Range::V6), down()], true)]
// Its peer is on the link or nowhere.
#[case(vec![socket("AF_INET6", "SOCK_STREAM"), connect(Range::Ll), down()], false)]
#[case(vec![socket("AF_INET", "SOCK_STREAM"), connect(Range::V4)], false)]
#[case(vec![socket("AF_INET", "SOCK_DGRAM"), connect(Range::V4), down()], false)]
#[case(vec![socket("AF_UNIX", "SOCK_STREAM"), connect(Range::V4), down()], false)]
fn connections_that_lose_their_way(#[case] ops: Vec<Op>, #[case] told: bool) {
    assert_eq!(strands(&case(ops)), told);
}

#[test]
fn groups_are_those_joined_and_those_sent_to() {
    let group: IpAddr = "239.1.2.3".parse().unwrap();
    let join_by = |name: &'static str, link: Option<&str>| Op::Setsockopt {
        fd: "s".to_owned(),
        option: Opt::Raw { level: "IPPROTO_IP".into(), name: name.into() },
        value: Value::Membership { group, link: link.map(str::to_owned) },
    };
    let join = |link| join_by("MCAST_JOIN_GROUP", link);
    assert_eq!(joins_anywhere(&join(None)), Some(group));
    assert_eq!(joins_anywhere(&join(Some("tap0"))), None);
    // Its index is not read: the report of such a membership left by the default route's interface.
    assert_eq!(joins_anywhere(&join_by("IP_ADD_MEMBERSHIP", Some("tap0"))), Some(group));
    let other: IpAddr = "ff05::99".parse().unwrap();
    let send = Op::Connect { fd: "s".to_owned(), addr: Addr::ip(other, 9) };
    let all = case(vec![join(Some("tap0")), send.clone(), connect(Range::V4), join(None)]);
    assert_eq!(groups(&all), [group, other]);
    assert!(joins(&all));
    assert!(!joins(&case(vec![send])));
}

#[test]
fn whom_a_case_speaks_to_is_forgotten_but_not_the_host_itself() {
    let own = Op::Connect { fd: "s".to_owned(), addr: Addr::on("tap0", Role::Own, Range::V4, 9) };
    let lo = Op::Connect { fd: "s".to_owned(), addr: Addr::ip([127, 0, 0, 1], 9) };
    let mapped = Op::Connect {
        fd: "s".to_owned(),
        addr: Addr::ip("::ffff:192.0.2.9".parse::<IpAddr>().unwrap(), 9),
    };
    let all = case(vec![own, lo, connect(Range::V6), mapped, connect(Range::V6)]);
    let told: Vec<String> = spoken_to(&all).iter().map(IpAddr::to_string).collect();
    assert_eq!(told, ["192.0.2.9", "2001:db8::2"]);
}
