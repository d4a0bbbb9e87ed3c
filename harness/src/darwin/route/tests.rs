use proptest::prelude::*;
use rstest::rstest;

use super::*;

#[rstest]
#[case(0, 4)]
#[case(7, 8)]
#[case(16, 16)]
#[case(28, 28)]
fn addresses_are_rounded(#[case] sa_len: u8, #[case] takes: usize) {
    assert_eq!(address_len(sa_len), takes);
}

#[test]
fn a_route_by_a_link_is_the_bytes_that_route_writes() {
    let prefix = "203.0.113.0".parse().unwrap();
    let route = Route { prefix, prefix_len: 24, way: Way::Link(5) };
    let bytes = message(Change::Add, 3, &route);
    assert_eq!(bytes.len(), 92 + 16 + 20 + 16);
    assert_eq!(bytes[..4], [144, 0, 5, 1]);
    // RTF_UP|RTF_STATIC; RTA_DST|RTA_GATEWAY|RTA_NETMASK.
    assert_eq!((bytes[8..12].to_vec(), bytes[12]), (vec![1, 8, 0, 0], 7));
    let raw = messages(&bytes).next().unwrap();
    assert_eq!((raw.kind, raw.index), (1, 5));
    assert_eq!(raw.address(RTA_DST).and_then(sockaddr::read), Some(Address::Ip(prefix, 0)));
    let gateway = raw.address(RTA_GATEWAY).and_then(sockaddr::read);
    assert!(matches!(gateway, Some(Address::Link { index: 5, .. })));
    assert_eq!(sockaddr::prefix_len(raw.address(RTA_NETMASK).unwrap(), prefix), 24);
    assert_eq!(raw.address(RTA_IFP), None);
}

#[test]
fn a_neighbour_on_a_link_has_the_scope_in_its_address() {
    let way = Way::Neighbour(5, [2, 0, 0, 0, 0, 2]);
    let route = Route { prefix: "fe80::2".parse().unwrap(), prefix_len: 128, way };
    let bytes = message(Change::Add, 1, &route);
    assert_eq!(bytes[RT_HEADER + 8..RT_HEADER + 12], [0xfe, 0x80, 0, 5]);
    // RTF_HOST, no mask, RTV_EXPIRE.
    assert_eq!((bytes[8] & 4, bytes[12], bytes[32]), (4, 3, 4));
}

#[rstest]
#[case(Way::Reject, RTF_REJECT)]
#[case(Way::Blackhole, RTF_BLACKHOLE)]
fn what_drops_packets_says_how(#[case] way: Way, #[case] flag: u32) {
    let route = Route { prefix: "198.51.100.0".parse().unwrap(), prefix_len: 24, way };
    let bytes = message(Change::Delete, 1, &route);
    let raw = messages(&bytes).next().unwrap();
    assert_eq!((raw.kind, raw.flags & flag), (2, flag));
    let gateway = raw.address(RTA_GATEWAY).and_then(sockaddr::read);
    assert_eq!(gateway, Some(Address::Ip([127, 0, 0, 1].into(), 0)));
}

/// A message of a dump: its header, zero but for what is told, and addresses by their bits.
fn told(kind: u8, header: usize, index: u16, addresses: &[(u32, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; header];
    bytes[2..4].copy_from_slice(&[RTM_VERSION, kind]);
    let bits = addresses.iter().fold(0, |bits, (bit, _)| bits | bit);
    bytes[4..8].copy_from_slice(&bits.to_ne_bytes());
    bytes[8] = 1;
    bytes[12..14].copy_from_slice(&index.to_ne_bytes());
    if header == IF_HEADER {
        bytes[IFI_MTU..IFI_MTU + 4].copy_from_slice(&1380u32.to_ne_bytes());
    }
    for (_, address) in addresses {
        bytes.extend(*address);
        let rest = address_len(address.first().copied().unwrap_or(0)) - address.len();
        bytes.extend(vec![0; rest]);
    }
    let len = u16::try_from(bytes.len()).unwrap();
    bytes[..2].copy_from_slice(&len.to_ne_bytes());
    bytes
}

fn dump() -> Vec<u8> {
    let mut link = sockaddr::of_link(16, &[]);
    link[5] = 5;
    link[6] = 6;
    link[8..19].copy_from_slice(b"awdl0\x02\0\0\0\0\x01");
    let own = sockaddr::of_ip("fe80:10::1".parse().unwrap(), 0);
    let mask: &[u8] = &[16, 30, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255];
    let v4 = sockaddr::of_ip("192.0.2.1".parse().unwrap(), 0);
    [
        told(RTM_IFINFO, IF_HEADER, 16, &[(RTA_IFP, &link)]),
        told(RTM_NEWADDR, IFA_HEADER, 16, &[(RTA_NETMASK, mask), (RTA_IFP, &[]), (RTA_IFA, &own)]),
        // RTM_NEWMADDR, which says nothing of what is asked.
        told(0xf, 16, 16, &[]),
        told(
            RTM_NEWADDR,
            IFA_HEADER,
            16,
            &[(RTA_NETMASK, &[7, 0, 0, 0, 255, 255, 255]), (RTA_IFA, &v4)],
        ),
    ]
    .concat()
}

#[test]
fn a_dump_is_interfaces_with_their_addresses() {
    let found = interfaces(&dump());
    let ips: Vec<(IpAddr, u8)> =
        vec![("fe80::1".parse().unwrap(), 64), ("192.0.2.1".parse().unwrap(), 24)];
    let wanted = Interface {
        index: 16,
        name: "awdl0".to_owned(),
        flags: 1,
        mtu: 1380,
        mac: vec![2, 0, 0, 0, 0, 1],
        addresses: ips,
    };
    assert_eq!(found, [wanted]);
}

proptest! {
    #[test]
    fn a_route_reads_back(prefix: IpAddr, len in 0u8..128, index in 1u16..1000, seq: i32) {
        let len = if prefix.is_ipv4() { len % 32 } else { len };
        let route = Route { prefix, prefix_len: len, way: Way::Link(index) };
        let bytes = message(Change::Add, seq, &route);
        prop_assert_eq!(bytes.len() % 4, 0);
        let raw = messages(&bytes).next().unwrap();
        prop_assert_eq!(sockaddr::prefix_len(raw.address(RTA_NETMASK).unwrap(), prefix), len);
        let is_link = matches!(
            raw.address(RTA_GATEWAY).and_then(sockaddr::read),
            Some(Address::Link { index: i, .. }) if i == index
        );
        prop_assert!(is_link);
    }

    #[test]
    fn no_dump_panics(bytes: Vec<u8>) {
        let _ = interfaces(&bytes);
    }

    #[test]
    fn no_damaged_dump_panics(at in 0usize..400, byte: u8, cut in 0usize..400) {
        let mut bytes = dump();
        let len = bytes.len();
        bytes[at % len] = byte;
        bytes.truncate(len - cut % len);
        let _ = interfaces(&bytes);
    }
}

#[test]
fn a_neighbour_over_ipv4_is_scoped_as_arp_makes_it() {
    let route = |way| Route { prefix: "192.0.2.2".parse().unwrap(), prefix_len: 32, way };
    let bytes = message(Change::Add, 1, &route(Way::Neighbour(5, [2, 0, 0, 0, 0, 2])));
    let raw = messages(&bytes).next().unwrap();
    assert_eq!((raw.index, raw.flags & RTF_IFSCOPE), (5, RTF_IFSCOPE));
    let over6 =
        Route { prefix: "2001:db8::2".parse().unwrap(), ..route(Way::Neighbour(5, [2; 6])) };
    let bytes = message(Change::Add, 1, &over6);
    assert_eq!(messages(&bytes).next().unwrap().flags & RTF_IFSCOPE, 0);
}

#[rstest]
#[case("192.0.2.3", "192.0.2.3")]
#[case("fe80::3", "fe80:5::3")]
fn what_resolution_made_known_is_forgotten_by_its_scope(#[case] ip: IpAddr, #[case] kept: IpAddr) {
    let bytes = forget_neighbour(7, ip, 5);
    let raw = messages(&bytes).next().unwrap();
    // Without the scope XNU finds nothing, and says ESRCH.
    assert_eq!((raw.kind, raw.index, raw.flags & RTF_IFSCOPE), (2, 5, RTF_IFSCOPE));
    let to = raw.address(RTA_DST).unwrap();
    assert_eq!(to, sockaddr::of_ip(kept, 0));
}

/// What the kernel writes in answer: the question's header with what was found.
fn answered(mut bytes: Vec<u8>, index: u16, errno: i32, flags: u32) -> Vec<u8> {
    bytes[4..6].copy_from_slice(&index.to_ne_bytes());
    bytes[8..12].copy_from_slice(&flags.to_ne_bytes());
    bytes[16..20].copy_from_slice(&99u32.to_ne_bytes());
    bytes[24..28].copy_from_slice(&errno.to_ne_bytes());
    bytes
}

#[test]
fn answers_are_those_to_the_question() {
    let ip = "192.0.2.2".parse().unwrap();
    let by = |index, errno, flags| answered(question(3, ip, None), index, errno, flags);
    let found = Answer { index: 11, to: Some(ip), drops: false };
    assert_eq!(answer(&by(11, 0, RTF_UP), 3, 99), Some(Some(found.clone())));
    assert_eq!(answer(&by(0, ESRCH, 0), 3, 99), Some(None));
    let drops = Answer { drops: true, ..found };
    assert_eq!(answer(&by(11, 0, RTF_UP | RTF_REJECT), 3, 99), Some(Some(drops)));
    // Another one's, or to another question.
    assert_eq!(answer(&by(11, 0, RTF_UP), 4, 99), None);
    assert_eq!(answer(&by(11, 0, RTF_UP), 3, 98), None);
    let whole = question(4, "0.0.0.0".parse().unwrap(), Some(0));
    assert_eq!(messages(&whole).next().unwrap().addrs, RTA_DST | RTA_NETMASK);
}
