//! Which of the packets on an interface that all of the host uses are the case's.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::wire::{Body, Framing, Icmp6, Igmp, Net, Packet, Plain, decode, line, quoted};

/// An Ethernet header, which frames of loopback have in a trace too.
const ETHERNET: usize = 14;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// The port of the daemon that answers for the host by multicast (RFC 6762 §5): it speaks on every
/// interface that is up and no point-to-point link.
const MDNS: u16 = 5353;

/// What the sockets of a case are known by.
#[derive(Debug, Default)]
pub struct Ours {
    /// Protocol and port.
    ports: BTreeSet<(u8, u16)>,
    /// Whether one of them has no ports: raw, or of ICMP.
    raw: bool,
    /// Datagrams of which the first fragment was the case's.
    fragmented: BTreeSet<(IpAddr, IpAddr, u32)>,
}

impl Ours {
    /// Remembers a socket by the port that it is bound to.
    pub fn bound(&mut self, is_stream: bool, port: u16) {
        self.ports.insert((if is_stream { TCP } else { UDP }, port));
    }

    /// Remembers that there is a socket without ports.
    pub fn has_raw(&mut self) {
        self.raw = true;
    }

    /// Forgets all sockets.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether a frame on loopback may be the case's.
    ///
    /// An error is judged by the packet that it quotes, a later fragment by the first one.
    pub fn hears(&mut self, frame: &[u8]) -> bool {
        let packet = decode(Framing::Ethernet, frame);
        let whole = frame.get(ETHERNET..).unwrap_or_default();
        if let Some((src, dst, id, offset)) = fragment(&packet) {
            let key = (src, dst, id);
            if offset > 0 {
                return self.fragmented.contains(&key);
            }
            let is_ours = self.has_port_of(whole);
            if is_ours {
                self.fragmented.insert(key);
            }
            return is_ours;
        }
        match packet.body().and_then(Body::quote) {
            Some(quote) => self.has_port_of(quote) || self.raw,
            None if has_ports(&packet) => self.has_port_of(whole),
            None => self.raw || is_resolution(&packet),
        }
    }

    /// What a packet says that left by an interface which the lab did not make, if it is the case's: one
    /// line. It is, if it is from one of its ports, to or from an address of the documentation's, or
    /// tells a membership in one of `groups`. `whole` has an Ethernet header.
    pub fn beyond(&self, whole: &[u8], groups: &[IpAddr]) -> Option<String> {
        let packet = decode(Framing::Ethernet, whole);
        let (src, dst) = packet.addresses()?;
        let from_port = quoted(whole.get(ETHERNET..)?)
            .and_then(|packet| Some(self.ports.contains(&(packet.protocol, packet.sport?))));
        let is_ours = from_port == Some(true)
            || is_documentation(src)
            || is_documentation(dst)
            || told(&packet).iter().any(|group| groups.contains(group) && !is_common(*group));
        is_ours.then(|| line(&packet, &Plain))
    }

    fn has_port_of(&self, packet: &[u8]) -> bool {
        quoted(packet).is_some_and(|packet| {
            let has = |port: Option<u16>| {
                port.is_some_and(|port| self.ports.contains(&(packet.protocol, port)))
            };
            has(packet.sport) || has(packet.dport)
        })
    }
}

/// Whether a frame on a link is another program's: the host's own answers about names (RFC 6762), and
/// that it listens for such questions. The name of the machine is in them. Memberships are the case's
/// where it names that group itself.
pub fn is_of_mdns(framing: Framing, frame: &[u8], groups: &[IpAddr]) -> bool {
    let packet = decode(framing, frame);
    if let Some(Body::Udp(udp)) = packet.body() {
        return udp.sport == MDNS && udp.dport == MDNS;
    }
    let told = told(&packet);
    !told.is_empty() && told.iter().all(|group| is_mdns(*group) && !groups.contains(group))
}

/// `224.0.0.251` and `ff02::fb`.
fn is_mdns(group: IpAddr) -> bool {
    group == IpAddr::from([224, 0, 0, 251])
        || group == IpAddr::from([0xff02, 0, 0, 0, 0, 0, 0, 0xfb])
}

/// Groups of which any host's programs may be members: RFC 5771 §4, and `ff02::` with one number.
fn is_common(group: IpAddr) -> bool {
    match group {
        IpAddr::V4(ip) => ip.octets()[..3] == [224, 0, 0],
        IpAddr::V6(ip) => ip.segments()[0] & 0xff0f == 0xff02,
    }
}

/// RFC 5737, RFC 3849: nobody but a case speaks to or from these.
fn is_documentation(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            matches!(ip.octets(), [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _])
        }
        IpAddr::V6(ip) => ip.segments()[..2] == [0x2001, 0xdb8],
    }
}

/// The groups that a frame tells membership of.
fn told(packet: &Packet<'_>) -> Vec<IpAddr> {
    match packet.body() {
        Some(Body::Igmp { message, .. }) => match message {
            Igmp::Report { group, .. } | Igmp::Leave { group } => vec![(*group).into()],
            Igmp::Report3 { records } => records.iter().map(|record| record.group).collect(),
            _ => Vec::new(),
        },
        Some(Body::Icmp6 { message, .. }) => match message {
            Icmp6::MldReport { group } | Icmp6::MldDone { group } => vec![(*group).into()],
            Icmp6::Mld2Report { records } => records.iter().map(|record| record.group).collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn has_ports(packet: &Packet<'_>) -> bool {
    matches!(packet.body(), Some(Body::Udp(_) | Body::Tcp(_)))
}

/// Neighbours are resolved on no loopback: what looks like it is the case's own making.
fn is_resolution(packet: &Packet<'_>) -> bool {
    matches!(packet.net, Net::Arp(_))
}

/// Source, destination, id and offset of a fragment.
fn fragment(packet: &Packet<'_>) -> Option<(IpAddr, IpAddr, u32, u32)> {
    match &packet.net {
        Net::V4(ip, _) if ip.more_fragments || ip.fragment_offset > 0 => {
            Some((ip.src.into(), ip.dst.into(), ip.id.into(), ip.fragment_offset))
        }
        Net::V6(ip, _) => {
            let fragment = ip.fragment?;
            Some((ip.src.into(), ip.dst.into(), fragment.id, fragment.offset))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
