//! Address resolution as a far end sees and answers it.

use std::net::{IpAddr, Ipv6Addr};

use crate::case::LinkKind;
use crate::wire::{Arp, Framing, Mac, Net, build, decode};

/// Whose link-layer address a frame asks for: an ARP request (RFC 826) or a neighbour
/// solicitation (RFC 4861 §4.3) that is not a check for duplicates.
///
/// By hand and not by [`decode`], since every frame that a host sends passes here.
pub(super) fn asked_for(kind: LinkKind, frame: &[u8]) -> Option<IpAddr> {
    if kind == LinkKind::Tun {
        return None;
    }
    match frame.get(12..14)? {
        [8, 6] if frame.get(20..22)? == [0, 1] => {
            Some(<[u8; 4]>::try_from(frame.get(38..42)?).ok()?.into())
        }
        [0x86, 0xdd] if *frame.get(20)? == 58 && *frame.get(54)? == 135 => {
            let source: [u8; 16] = frame.get(22..38)?.try_into().ok()?;
            let target: [u8; 16] = frame.get(62..78)?.try_into().ok()?;
            (Ipv6Addr::from(source) != Ipv6Addr::UNSPECIFIED).then(|| target.into())
        }
        _ => None,
    }
}

/// What the host that is asked for answers, saying that it has `mac`.
pub(super) fn answer(frame: &[u8], mac: [u8; 6]) -> Option<Vec<u8>> {
    let packet = decode(Framing::Ethernet, frame);
    match &packet.net {
        Net::Arp(arp) if arp.operation == Arp::REQUEST => Some(build::arp_reply(arp, Mac(mac))),
        _ => build::neighbour_answer(&packet, Mac(mac)),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    const HOST: Mac = Mac([2, 0, 0, 0, 0, 1]);

    #[test]
    fn a_request_is_seen_and_answered() {
        let target = Ipv4Addr::new(192, 0, 2, 3);
        let request = build::arp_request(HOST, Ipv4Addr::new(192, 0, 2, 1), target);
        assert_eq!(asked_for(LinkKind::Tap, &request), Some(target.into()));
        let reply = answer(&request, [2, 0, 0, 0, 0, 3]).unwrap();
        let Net::Arp(arp) = decode(Framing::Ethernet, &reply).net else { panic!("not ARP") };
        assert_eq!((arp.operation, arp.sender_ip), (Arp::REPLY, target));
        assert_eq!(asked_for(LinkKind::Tap, &reply), None);
    }

    proptest! {
        #[test]
        fn no_frame_panics(frame: Vec<u8>) {
            let _ = (asked_for(LinkKind::Tap, &frame), answer(&frame, [0; 6]));
        }
    }
}
