//! What a kernel says unasked.

use std::net::Ipv6Addr;

use super::{Body, Icmp6, Igmp, Net, Packet};

const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// The name of what a kernel sends of its own accord, when an interface comes up or an address is added, at times that no
/// call decides. `None` is everything else: what a call caused, or may have.
///
/// - router solicitation: RFC 4861 §4.1, §6.3.7
/// - duplicate address detection, a neighbour solicitation from `::`: RFC 4862 §5.4.2
/// - unsolicited neighbour advertisement, to all nodes and without the S flag: RFC 4861 §7.2.6
/// - MLD report or done: RFC 3810 §5.2 and §6.1, RFC 2710 §4
/// - IGMP report or leave: RFC 3376 §4.2 and §5.1, RFC 2236 §3
/// - gratuitous ARP, whose sender asks for or announces its own address: RFC 5227 §2.3
///
/// A call that joins or leaves a group sends reports too, and repeats them at random times, so a case about groups has to look
/// at these frames and not only at those with no name. An ARP probe (RFC 5227 §2.1.1), from `0.0.0.0`, has no name: a send on
/// an interface without an address can look the same.
pub fn chatter(packet: &Packet<'_>) -> Option<&'static str> {
    match &packet.net {
        Net::Arp(arp) if arp.sender_ip == arp.target_ip => Some("gratuitous ARP"),
        Net::V4(_, Body::Igmp { message, .. }) => match message {
            Igmp::Report { .. } | Igmp::Report3 { .. } => Some("IGMP report"),
            Igmp::Leave { .. } => Some("IGMP leave"),
            Igmp::Query { .. } | Igmp::Other { .. } => None,
        },
        Net::V6(ip, Body::Icmp6 { message, .. }) => match message {
            Icmp6::RouterSolicitation { .. } => Some("router solicitation"),
            Icmp6::NeighbourSolicitation { .. } if ip.src.is_unspecified() => {
                Some("duplicate address detection")
            }
            Icmp6::NeighbourAdvertisement { solicited: false, .. } if ip.dst == ALL_NODES => {
                Some("unsolicited neighbour advertisement")
            }
            Icmp6::MldReport { .. } | Icmp6::Mld2Report { .. } => Some("MLD report"),
            Icmp6::MldDone { .. } => Some("MLD done"),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::frames::{self, hex};
    use super::super::{Framing, Mac, build, decode};
    use super::*;
    use rstest::rstest;
    use std::net::IpAddr;

    #[rstest]
    #[case(frames::ARP_GRATUITOUS, Some("gratuitous ARP"))]
    #[case(frames::MLD2_REPORT, Some("MLD report"))]
    #[case(frames::DAD, Some("duplicate address detection"))]
    #[case(frames::ROUTER_SOLICITATION, Some("router solicitation"))]
    #[case(frames::IGMP3_REPORT, Some("IGMP report"))]
    #[case(frames::ARP_REQUEST, None)]
    #[case(frames::SOLICITATION, None)]
    #[case(frames::UDP4, None)]
    #[case(frames::FRAG6_LAST, None)]
    #[case(frames::SYN, None)]
    #[case(frames::UNREACHABLE4, None)]
    fn kernel_frames(#[case] frame: &str, #[case] expected: Option<&str>) {
        assert_eq!(chatter(&decode(Framing::Ethernet, &hex(frame))), expected);
    }

    #[rstest]
    #[case::unsolicited("::", Some("unsolicited neighbour advertisement"))]
    #[case::solicited("fe80::1", None)]
    fn advertisements(#[case] asker: Ipv6Addr, #[case] expected: Option<&str>) {
        let target = "fe80::2".parse().unwrap();
        let mac = Mac([2, 0, 0, 0, 0, 2]);
        let frame = build::neighbour_advertisement(build::Link::Ip, target, asker, Some(mac));
        assert_eq!(chatter(&decode(Framing::Ip, &frame)), expected);
    }

    #[rstest]
    #[case::answer_to_all("40", "ff02::1")]
    #[case::answer_to_one("40", "fe80::1")]
    #[case::to_one("00", "fe80::1")]
    fn other_advertisements(#[case] flags: &str, #[case] dst: IpAddr) {
        let body = hex(&format!("88000000 {flags}000000 fe800000000000000000000000000002"));
        let src = "fe80::2".parse().unwrap();
        let frame = build::ip(build::Link::Ip, src, dst, 255, 58, &body).unwrap();
        assert_eq!(chatter(&decode(Framing::Ip, &frame)), None);
    }

    /// Bodies of IP packets that the other tables have no frame of.
    #[rstest]
    #[case::igmp1("12000000ef010203", Some("IGMP report"))]
    #[case::igmp2("16000000ef010203", Some("IGMP report"))]
    #[case::leave("17000000ef010203", Some("IGMP leave"))]
    #[case::query("1164000000000000", None)]
    fn igmp(#[case] body: &str, #[case] expected: Option<&str>) {
        let (src, dst) = ("192.0.2.1".parse().unwrap(), "239.1.2.3".parse().unwrap());
        let frame = build::ip(build::Link::Ip, src, dst, 1, 2, &hex(body)).unwrap();
        assert_eq!(chatter(&decode(Framing::Ip, &frame)), expected);
    }

    #[rstest]
    #[case::report("830000000000 0000 ff020000000000000000000000001234", Some("MLD report"))]
    #[case::done("840000000000 0000 ff020000000000000000000000001234", Some("MLD done"))]
    #[case::query("820000000000 0000 ff020000000000000000000000001234", None)]
    fn mld1(#[case] body: &str, #[case] expected: Option<&str>) {
        let (src, dst) = ("fe80::1".parse().unwrap(), "ff02::1234".parse().unwrap());
        let frame = build::ip(build::Link::Ip, src, dst, 1, 58, &hex(body)).unwrap();
        assert_eq!(chatter(&decode(Framing::Ip, &frame)), expected);
    }
}
