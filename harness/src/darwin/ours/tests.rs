use rstest::rstest;

use super::*;
use crate::wire::{Mac, build};

const ETH: build::Link = build::Link::Ethernet { src: Mac([0; 6]), dst: Mac([0; 6]) };

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn datagram(from: &str, to: &str, sport: u16, dport: u16) -> Vec<u8> {
    build::udp(ETH, (ip(from), sport).into(), (ip(to), dport).into(), 64, b"x").unwrap()
}

fn ours() -> Ours {
    let mut ours = Ours::default();
    ours.bound(false, 50_000);
    ours
}

#[rstest]
#[case(datagram("127.0.0.1", "127.0.0.1", 50_000, 9), true)]
#[case(datagram("127.0.0.1", "127.0.0.1", 9, 50_000), true)]
#[case(datagram("::1", "::1", 50_000, 9), true)]
#[case(datagram("127.0.0.1", "127.0.0.1", 50_001, 9), false)]
fn datagrams_go_by_their_ports(#[case] frame: Vec<u8>, #[case] told: bool) {
    assert_eq!(ours().hears(&frame), told);
}

#[test]
fn a_port_is_one_of_its_protocol() {
    let mut streams = Ours::default();
    streams.bound(true, 50_000);
    assert!(!streams.hears(&datagram("127.0.0.1", "127.0.0.1", 50_000, 9)));
}

/// An error about a datagram from that port.
fn error(sport: u16) -> Vec<u8> {
    let about = build::udp(
        build::Link::Ip,
        (ip("127.0.0.1"), sport).into(),
        (ip("127.0.0.1"), 9).into(),
        64,
        b"x",
    )
    .unwrap();
    let body = [&[3, 3, 0, 0, 0, 0, 0, 0][..], &about].concat();
    build::ip(ETH, ip("127.0.0.1"), ip("127.0.0.1"), 64, 1, &body).unwrap()
}

#[test]
fn an_error_goes_by_what_it_quotes() {
    assert!(ours().hears(&error(50_000)));
    // Somebody else's; it was taken for the case's once.
    assert!(!ours().hears(&error(50_001)));
}

fn piece(id: u32, offset: u32, bytes: &[u8]) -> Vec<u8> {
    let piece = crate::wire::Fragment { offset, more: offset == 0, id };
    build::fragment(ETH, ip("127.0.0.1"), ip("127.0.0.1"), 64, 17, piece, bytes).unwrap()
}

#[test]
fn fragments_go_by_the_first_of_them() {
    let ports = |port: u16| [&port.to_be_bytes()[..], &[0, 9, 0, 24, 0, 0], &[0; 8]].concat();
    let mut all = ours();
    assert!(all.hears(&piece(7, 0, &ports(50_000))));
    assert!(all.hears(&piece(7, 16, &[0; 8])));
    assert!(!all.hears(&piece(8, 0, &ports(50_001))));
    assert!(!all.hears(&piece(8, 16, &[0; 8])));
    all.clear();
    assert!(!all.hears(&piece(7, 16, &[0; 8])));
}

#[test]
fn what_has_no_ports_is_a_raw_sockets_alone() {
    let echo =
        build::ip(ETH, ip("127.0.0.1"), ip("127.0.0.1"), 64, 1, &[8, 0, 0, 0, 0, 1, 0, 1]).unwrap();
    let mut all = ours();
    assert!(!all.hears(&echo));
    all.has_raw();
    assert!(all.hears(&echo));
}

#[rstest]
// The datagram of a link that is down, by the default route: once, 588 cases.
#[case(datagram("10.7.0.5", "192.0.2.2", 60_000, 9), true)]
#[case(datagram("192.0.2.1", "10.7.0.1", 60_000, 9), true)]
#[case(datagram("2001:db8::1", "2001:470::1", 60_000, 9), true)]
#[case(datagram("10.7.0.5", "255.255.255.255", 50_000, 9), true)]
#[case(datagram("10.7.0.5", "224.0.0.251", 50_000, 5353), true)]
// What else a Mac says.
#[case(datagram("10.7.0.5", "224.0.0.251", 5353, 5353), false)]
#[case(datagram("10.7.0.5", "93.184.216.34", 50_001, 443), false)]
#[case(datagram("93.184.216.34", "10.7.0.5", 443, 50_001), false)]
fn frames_beyond_the_lab_are_told_from_the_hosts(#[case] frame: Vec<u8>, #[case] told: bool) {
    let said = ours().beyond(&frame, &[ip("224.0.0.251"), ip("239.1.2.3")]);
    assert_eq!(said.is_some(), told, "{said:?}");
    assert_eq!(ours().beyond(b"", &[]), None);
}

fn report(group: [u8; 4]) -> Vec<u8> {
    let body = [&[0x16, 0, 0, 0][..], &group].concat();
    build::ip(ETH, ip("10.7.0.5"), group.into(), 1, 2, &body).unwrap()
}

#[test]
fn a_membership_told_beyond_the_lab_is_the_cases_where_it_named_the_group() {
    let groups = [ip("224.0.0.251"), ip("239.1.2.3")];
    assert!(ours().beyond(&report([239, 1, 2, 3]), &groups).is_some());
    assert_eq!(ours().beyond(&report([239, 1, 2, 4]), &groups), None);
    // Every Mac is a member of it.
    assert_eq!(ours().beyond(&report([224, 0, 0, 251]), &groups), None);
}

#[test]
fn the_daemon_that_names_the_machine_is_told() {
    let all = [
        (datagram("fe80::1", "ff02::fb", 5353, 5353), true),
        (datagram("192.0.2.1", "224.0.0.251", 5353, 5353), true),
        (report([224, 0, 0, 251]), true),
        (datagram("192.0.2.1", "224.0.0.251", 50_000, 5353), false),
        (report([239, 1, 2, 3]), false),
        (datagram("192.0.2.1", "192.0.2.2", 50_000, 9), false),
    ];
    for (frame, told) in all {
        assert_eq!(is_of_mdns(Framing::Ethernet, &frame, &[]), told);
    }
    // A case that is about it.
    let joined = [ip("224.0.0.251")];
    assert!(!is_of_mdns(Framing::Ethernet, &report([224, 0, 0, 251]), &joined));
}
