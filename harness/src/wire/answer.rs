//! The answers of the far end: ARP, neighbour discovery, echo.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::{ArpEthIpv4Packet, ArpOperation};

use super::build::icmp;
use super::checksum::Ends;
use super::decode::ETHERTYPE_ARP;
use super::envelope::{DEFAULT_TTL, Hop, Link, seal, v6};
use super::transport::ICMPV6;
use super::{Arp, Body, Icmp4, Icmp6, Mac, Packet};

const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// The answer to an ARP request: `mac` has the address asked for (RFC 826).
pub fn arp_reply(request: &Arp, mac: Mac) -> Vec<u8> {
    arp(
        request.sender_mac,
        &Arp {
            operation: Arp::REPLY,
            sender_mac: mac,
            sender_ip: request.target_ip,
            target_mac: request.sender_mac,
            target_ip: request.sender_ip,
        },
    )
}

/// A broadcast that asks who has `target_ip` (RFC 826). With `sender_ip` the same it is a gratuitous one.
pub fn arp_request(sender_mac: Mac, sender_ip: Ipv4Addr, target_ip: Ipv4Addr) -> Vec<u8> {
    let operation = Arp::REQUEST;
    arp(Mac::BROADCAST, &Arp { operation, sender_mac, sender_ip, target_mac: Mac::ZERO, target_ip })
}

/// Any ARP packet, from its sender to `dst`.
pub fn arp(dst: Mac, arp: &Arp) -> Vec<u8> {
    let packet = ArpEthIpv4Packet {
        operation: ArpOperation(arp.operation),
        sender_mac: arp.sender_mac.0,
        sender_ipv4: arp.sender_ip.octets(),
        target_mac: arp.target_mac.0,
        target_ipv4: arp.target_ip.octets(),
    };
    let mut frame = Link::Ethernet { src: arp.sender_mac, dst }.header(ETHERTYPE_ARP);
    frame.extend(packet.to_bytes());
    frame
}

/// The advertisement that answers `asker`'s solicitation for `target` (RFC 4861 §4.4): solicited and override, hop limit 255.
/// To an asker without an address, `::`, it goes to all nodes and is not solicited (§7.2.4). `mac` is where the target is;
/// links without addresses have none.
pub fn neighbour_advertisement(
    link: Link,
    target: Ipv6Addr,
    asker: Ipv6Addr,
    mac: Option<Mac>,
) -> Vec<u8> {
    const SOLICITED: u8 = 0x40;
    const OVERRIDE: u8 = 0x20;
    let (dst, flags) = match asker {
        Ipv6Addr::UNSPECIFIED => (ALL_NODES, OVERRIDE),
        asker => (asker, SOLICITED | OVERRIDE),
    };
    let mut message = vec![136, 0, 0, 0, flags, 0, 0, 0];
    message.extend(target.octets());
    if let Some(mac) = mac {
        message.extend([2, 1]);
        message.extend(mac.0);
    }
    seal(Ends::V6(target, dst), ICMPV6, &mut message, 2);
    v6(link, (target, dst), Hop { ttl: 255, tos: 0 }, (ICMPV6, None), &message)
}

/// [`neighbour_advertisement`] for a packet that is a solicitation; `None` for any other. The frame goes back to whoever sent
/// the packet, or to all nodes when it has no address yet.
pub fn neighbour_answer(request: &Packet<'_>, mac: Mac) -> Option<Vec<u8>> {
    let (IpAddr::V6(asker), _) = request.addresses()? else { return None };
    let Some(Body::Icmp6 { message: Icmp6::NeighbourSolicitation { target, .. }, .. }) =
        request.body()
    else {
        return None;
    };
    let all = Mac::of_group(ALL_NODES.into()).filter(|_| asker.is_unspecified());
    let link = request
        .eth
        .map_or(Link::Ip, |eth| Link::Ethernet { src: mac, dst: all.unwrap_or(eth.src) });
    let mac = request.eth.map(|_| mac);
    Some(neighbour_advertisement(link, *target, asker, mac))
}

/// The reply to an echo request (RFC 792 p. 14, RFC 4443 §4.2), from the address it went to; `None` for anything else, and for
/// a request to a group, which only an address of one's own may answer.
pub fn echo_reply(request: &Packet<'_>) -> Option<Vec<u8>> {
    let (src, dst) = request.addresses().filter(|(_, dst)| !dst.is_multicast())?;
    let (kind, echo) = match request.body()? {
        Body::Icmp4 { message: Icmp4::EchoRequest(echo), .. } => (0, echo),
        Body::Icmp6 { message: Icmp6::EchoRequest(echo), .. } => (129, echo),
        _ => return None,
    };
    let mut message = vec![kind, 0, 0, 0];
    message.extend(echo.id.to_be_bytes());
    message.extend(echo.seq.to_be_bytes());
    message.extend(echo.payload);
    icmp(Link::back(request.eth), dst, src, DEFAULT_TTL, message).ok()
}

#[cfg(test)]
mod tests {
    use super::super::frames::{self, hex};
    use super::super::{Echo, Framing, Net, decode};
    use super::*;
    use rstest::rstest;

    const OWN: Mac = Mac([2, 0, 0, 0, 0, 1]);
    const FAR: Mac = Mac([2, 0, 0, 0, 0, 2]);

    #[test]
    fn an_arp_request_is_answered() {
        let frame = hex(frames::ARP_REQUEST);
        let Net::Arp(request) = decode(Framing::Ethernet, &frame).net else { panic!("no ARP") };
        let reply = arp_reply(&request, FAR);
        let packet = decode(Framing::Ethernet, &reply);
        let expected = Arp {
            operation: Arp::REPLY,
            sender_mac: FAR,
            sender_ip: [192, 0, 2, 2].into(),
            target_mac: OWN,
            target_ip: [192, 0, 2, 1].into(),
        };
        assert_eq!(packet.net, Net::Arp(expected));
        let eth = packet.eth.unwrap();
        assert_eq!((eth.src, eth.dst), (FAR, OWN));
    }

    /// Byte for byte what the kernel sends when it asks.
    #[rstest]
    #[case(2, frames::ARP_REQUEST)]
    #[case(1, frames::ARP_GRATUITOUS)]
    fn an_arp_request_is_the_kernels(#[case] last: u8, #[case] frame: &str) {
        let (own, target) = ([192, 0, 2, 1].into(), [192, 0, 2, last].into());
        assert_eq!(arp_request(OWN, own, target), hex(frame));
    }

    #[rstest]
    #[case::solicitation(frames::SOLICITATION, "2001:db8::9", "2001:db8::1", OWN, true)]
    #[case::dad(frames::DAD, "2001:db8::1", "ff02::1", Mac([0x33, 0x33, 0, 0, 0, 1]), false)]
    fn a_solicitation_is_answered(
        #[case] frame: &str,
        #[case] from: Ipv6Addr,
        #[case] to: Ipv6Addr,
        #[case] mac: Mac,
        #[case] is_solicited: bool,
    ) {
        let frame = hex(frame);
        let answer = neighbour_answer(&decode(Framing::Ethernet, &frame), FAR).unwrap();
        let packet = decode(Framing::Ethernet, &answer);
        assert_eq!(packet.eth.map(|eth| (eth.src, eth.dst)), Some((FAR, mac)));
        let Net::V6(ip, body) = packet.net else { panic!("no IPv6") };
        assert_eq!((ip.src, ip.dst, ip.hop_limit), (from, to, 255));
        let message = Icmp6::NeighbourAdvertisement {
            target: from,
            target_mac: Some(FAR),
            router: false,
            solicited: is_solicited,
            override_known: true,
        };
        assert_eq!(body, Body::Icmp6 { checksum_ok: Some(true), message });
    }

    #[test]
    fn without_ethernet_there_is_no_address_to_tell() {
        let frame = hex(frames::SOLICITATION);
        let answer = neighbour_answer(&decode(Framing::Ip, &frame[14..]), FAR).unwrap();
        let packet = decode(Framing::Ip, &answer);
        assert!(matches!(
            packet.body(),
            Some(Body::Icmp6 {
                checksum_ok: Some(true),
                message: Icmp6::NeighbourAdvertisement { target_mac: None, .. },
            })
        ));
    }

    #[rstest]
    #[case(frames::UDP4)]
    #[case(frames::UDP6)]
    #[case(frames::ARP_REQUEST)]
    #[case(frames::ROUTER_SOLICITATION)]
    fn other_frames_get_no_answer(#[case] frame: &str) {
        let frame = hex(frame);
        let packet = decode(Framing::Ethernet, &frame);
        assert_eq!(neighbour_answer(&packet, FAR), None);
        assert_eq!(echo_reply(&packet), None);
    }

    #[rstest]
    #[case("192.0.2.1", "192.0.2.2", Some(()))]
    #[case("fe80::1", "fe80::2", Some(()))]
    #[case("192.0.2.1", "224.0.0.1", None)]
    #[case("fe80::1", "ff02::1", None)]
    fn an_echo_comes_back(#[case] src: IpAddr, #[case] dst: IpAddr, #[case] answered: Option<()>) {
        let kind = if src.is_ipv4() { 8 } else { 128 };
        let link = Link::Ethernet { src: OWN, dst: FAR };
        let request = [kind, 0, 0, 0, 0x12, 0x34, 0, 7, b'a', b'b', b'c'].to_vec();
        let frame = icmp(link, src, dst, 64, request).unwrap();
        let reply = echo_reply(&decode(link.framing(), &frame));
        assert_eq!(reply.as_ref().map(|_| ()), answered);
        let Some(reply) = reply else { return };
        let packet = decode(Framing::Ethernet, &reply);
        assert_eq!(packet.addresses(), Some((dst, src)));
        assert_eq!(Link::back(packet.eth), link);
        let echo = Echo { id: 0x1234, seq: 7, payload: b"abc" };
        let expected = match src {
            IpAddr::V4(_) => {
                Body::Icmp4 { checksum_ok: Some(true), message: Icmp4::EchoReply(echo) }
            }
            IpAddr::V6(_) => {
                Body::Icmp6 { checksum_ok: Some(true), message: Icmp6::EchoReply(echo) }
            }
        };
        assert_eq!(packet.body(), Some(&expected));
        assert_eq!(echo_reply(&packet), None, "a reply is not answered");
    }
}
