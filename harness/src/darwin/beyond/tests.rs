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
#[case("fe80::2", 0, Choice::Stays)]
#[case("ff02::1", 0, Choice::Stays)]
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
    assert_eq!(choice(ip, scope), by);
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
    Case {
        id: "s/t".to_owned(),
        title: String::new(),
        catalogue: Vec::new(),
        lab: Lab::one(LinkKind::Tap, "tap0"),
        ops,
        window_ms: 0,
    }
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
    let join = |link: Option<&str>| Op::Setsockopt {
        fd: "s".to_owned(),
        option: Opt::Raw { level: "IPPROTO_IP".into(), name: "IP_ADD_MEMBERSHIP".into() },
        value: Value::Membership { group, link: link.map(str::to_owned) },
    };
    assert_eq!(joins_anywhere(&join(None)), Some(group));
    assert_eq!(joins_anywhere(&join(Some("tap0"))), None);
    let other: IpAddr = "ff05::99".parse().unwrap();
    let send = Op::Connect { fd: "s".to_owned(), addr: Addr::ip(other, 9) };
    let all = case(vec![join(Some("tap0")), send.clone(), connect(Range::V4), join(None)]);
    assert_eq!(groups(&all), [group, other]);
    assert!(joins(&all));
    assert!(!joins(&case(vec![send])));
}
