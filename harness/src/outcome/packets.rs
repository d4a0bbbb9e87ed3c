//! What a packet is and has, before anything is said of it.

use crate::case::LinkKind;
use crate::wire::{self, Body, Framing, Packet};

pub(super) fn framing(kind: Option<LinkKind>) -> Framing {
    match kind {
        Some(LinkKind::Tun) => Framing::Ip,
        Some(LinkKind::Tap) | None => Framing::Ethernet,
    }
}

/// Every port in a packet, those of a quoted one included.
pub(super) fn ports(packet: &Packet<'_>) -> Vec<u16> {
    match packet.body() {
        Some(Body::Udp(udp)) => vec![udp.sport, udp.dport],
        Some(Body::Tcp(tcp)) => vec![tcp.sport, tcp.dport],
        Some(body) => {
            let quote = body.quote().and_then(wire::quoted);
            quote.into_iter().flat_map(|quote| [quote.sport, quote.dport]).flatten().collect()
        }
        None => Vec::new(),
    }
}
