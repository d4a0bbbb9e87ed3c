//! What a frame decodes to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Icmp4, Icmp6, Igmp, Tcp};

/// What the bytes of a frame start with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Framing {
    /// An Ethernet header of 14 bytes. Loopback on Linux has it too, with zero addresses.
    Ethernet,
    /// The IP header itself.
    Ip,
}

/// An Ethernet address. Its `Display` is `02:00:00:00:00:01`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac(
    /// The bytes, in the order of the wire.
    pub [u8; 6],
);

impl Mac {
    /// Everyone on the link.
    pub const BROADCAST: Self = Self([0xff; 6]);
    /// No address: unknown in ARP, and both ends of a loopback frame.
    pub const ZERO: Self = Self([0; 6]);

    /// Whether the group bit is set; true of the broadcast address too.
    pub fn is_multicast(self) -> bool {
        self.0[0] & 1 == 1
    }

    /// The address that a multicast packet goes to: `01:00:5e` and the low 23 bits (RFC 1112 §6.4), `33:33` and the low
    /// 32 bits (RFC 2464 §7). `None` when `group` is not multicast.
    pub fn of_group(group: IpAddr) -> Option<Self> {
        match group {
            IpAddr::V4(group) if group.is_multicast() => {
                let [_, b, c, d] = group.octets();
                Some(Self([0x01, 0x00, 0x5e, b & 0x7f, c, d]))
            }
            IpAddr::V6(group) if group.is_multicast() => {
                let [.., a, b, c, d] = group.octets();
                Some(Self([0x33, 0x33, a, b, c, d]))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = self.0;
        write!(f, "{first:02x}")?;
        rest.iter().try_for_each(|byte| write!(f, ":{byte:02x}"))
    }
}

/// A decoded frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The Ethernet header, when the framing has one and it is whole.
    pub eth: Option<Eth>,
    /// All the rest.
    pub net: Net<'a>,
}

impl<'a> Packet<'a> {
    /// The source and the destination of an IP packet.
    pub fn addresses(&self) -> Option<(IpAddr, IpAddr)> {
        match &self.net {
            Net::V4(ip, _) => Some((ip.src.into(), ip.dst.into())),
            Net::V6(ip, _) => Some((ip.src.into(), ip.dst.into())),
            _ => None,
        }
    }

    /// What an IP packet carries.
    pub fn body(&self) -> Option<&Body<'a>> {
        match &self.net {
            Net::V4(_, body) | Net::V6(_, body) => Some(body),
            _ => None,
        }
    }
}

impl<'a> Body<'a> {
    /// The packet that an ICMP error is about, as far as it is quoted: see [`quoted`](super::quoted).
    pub fn quote(&self) -> Option<&'a [u8]> {
        match self {
            Self::Icmp4 {
                message:
                    Icmp4::Unreachable { quote, .. }
                    | Icmp4::Redirect { quote, .. }
                    | Icmp4::TimeExceeded { quote, .. }
                    | Icmp4::ParameterProblem { quote, .. },
                ..
            }
            | Self::Icmp6 {
                message:
                    Icmp6::Unreachable { quote, .. }
                    | Icmp6::PacketTooBig { quote, .. }
                    | Icmp6::TimeExceeded { quote, .. }
                    | Icmp6::ParameterProblem { quote, .. }
                    | Icmp6::Redirect { quote, .. },
                ..
            } => Some(quote),
            _ => None,
        }
    }
}

/// An Ethernet II header (RFC 894).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eth {
    /// Who shall receive the frame.
    pub dst: Mac,
    /// Who sent it.
    pub src: Mac,
    /// What follows: `0x0800` IPv4, `0x86dd` IPv6, `0x0806` ARP; below `0x0600` a length.
    pub ethertype: u16,
}

/// The network layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Net<'a> {
    /// IPv4 and what it carries.
    V4(V4, Body<'a>),
    /// IPv6 and what it carries.
    V6(V6, Body<'a>),
    /// ARP for IPv4 on Ethernet.
    Arp(Arp),
    /// Any other ethertype, and ARP for something else.
    Other {
        /// The ethertype.
        ethertype: u16,
        /// What follows the Ethernet header.
        bytes: &'a [u8],
    },
    /// Bytes whose headers contradict themselves or end too soon.
    Malformed {
        /// What is wrong, in words that are the same in every run.
        why: String,
        /// The bytes from where the wrong header starts.
        bytes: &'a [u8],
    },
}

/// An IPv4 header (RFC 791 §3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "three of them are the flags of the header")]
pub struct V4 {
    /// Source.
    pub src: Ipv4Addr,
    /// Destination of this hop: with a source route it is not the final one.
    pub dst: Ipv4Addr,
    /// Time to live, in hops.
    pub ttl: u8,
    /// The DF flag.
    pub dont_fragment: bool,
    /// The MF flag.
    pub more_fragments: bool,
    /// The flag that must be zero (RFC 3514 has fun with it).
    pub reserved: bool,
    /// Where this fragment starts in the whole, in bytes.
    pub fragment_offset: u32,
    /// Identification.
    pub id: u16,
    /// Type of service: the whole byte, DSCP and ECN.
    pub tos: u8,
    /// Length as the header has it, itself included, in bytes.
    pub total_len: u16,
    /// Length of what follows the header, in bytes.
    pub body_len: u32,
    /// Protocol number.
    pub protocol: u8,
    /// Whether the header's checksum is right.
    pub checksum_ok: bool,
    /// The options, as they are on the wire; empty when there are none.
    pub options: Vec<u8>,
}

/// An IPv6 header and its extension headers (RFC 8200 §3, §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct V6 {
    /// Source.
    pub src: Ipv6Addr,
    /// Destination of this hop: with a routing header it may not be the final one.
    pub dst: Ipv6Addr,
    /// Hop limit.
    pub hop_limit: u8,
    /// Traffic class: DSCP and ECN.
    pub traffic_class: u8,
    /// Flow label, 20 bits.
    pub flow_label: u32,
    /// Length as the header has it: all that follows its 40 bytes.
    pub payload_len: u16,
    /// Length of what follows the extension headers, in bytes.
    pub body_len: u32,
    /// The protocol number of what follows the extension headers.
    pub next_header: u8,
    /// The fragment header, when there is one.
    pub fragment: Option<Fragment>,
    /// The protocol numbers of all extension headers, in order; 44 (fragment) among them.
    pub extensions: Vec<u8>,
}

/// Which part of a datagram a fragment is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fragment {
    /// Where it starts in the whole, in bytes: a multiple of eight.
    pub offset: u32,
    /// Whether more follow.
    pub more: bool,
    /// Identification; IPv4 has room for the low 16 bits.
    pub id: u32,
}

/// What an IP packet carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// UDP (RFC 768); also the first fragment of a datagram.
    Udp(Udp<'a>),
    /// TCP (RFC 9293).
    Tcp(Tcp<'a>),
    /// ICMP in IPv4 (RFC 792).
    Icmp4 {
        /// Whether the checksum is right; `None` in a first fragment.
        checksum_ok: Option<bool>,
        /// The message.
        message: Icmp4<'a>,
    },
    /// ICMP in IPv6 (RFC 4443).
    Icmp6 {
        /// Whether the checksum is right; `None` in a first fragment.
        checksum_ok: Option<bool>,
        /// The message.
        message: Icmp6<'a>,
    },
    /// IGMP in IPv4 (RFC 1112, RFC 2236, RFC 3376).
    Igmp {
        /// Whether the checksum is right; `None` in a first fragment.
        checksum_ok: Option<bool>,
        /// The message.
        message: Igmp<'a>,
    },
    /// A fragment that is not the first: the bytes have no header of their own.
    Fragment(&'a [u8]),
    /// A protocol that is not decoded here.
    Other {
        /// The protocol number.
        protocol: u8,
        /// What follows the IP header.
        bytes: &'a [u8],
    },
    /// A protocol that is, in bytes that cannot be it.
    Malformed {
        /// The protocol number.
        protocol: u8,
        /// What is wrong, in words that are the same in every run.
        why: String,
        /// What follows the IP header.
        bytes: &'a [u8],
    },
}

/// A UDP datagram, or its first fragment (RFC 768).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Udp<'a> {
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
    /// Length as the header has it: the header's 8 bytes and the whole payload.
    pub len: u16,
    /// The checksum as the header has it: zero when there is none.
    pub checksum: u16,
    /// Whether the checksum is right: `None` when it is absent, and when the whole payload is not here to say.
    pub checksum_ok: Option<bool>,
    /// The payload, as much of it as is here.
    pub payload: &'a [u8],
    /// How many bytes of the IP packet lie behind the datagram.
    pub surplus: usize,
}

/// An ARP packet for IPv4 on Ethernet (RFC 826).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// 1 asks, 2 answers.
    pub operation: u16,
    /// Sender's hardware address.
    pub sender_mac: Mac,
    /// Sender's protocol address.
    pub sender_ip: Ipv4Addr,
    /// Target's hardware address: zero when asking.
    pub target_mac: Mac,
    /// Target's protocol address.
    pub target_ip: Ipv4Addr,
}

impl Arp {
    /// `operation` of a request.
    pub const REQUEST: u16 = 1;
    /// `operation` of a reply.
    pub const REPLY: u16 = 2;
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("224.0.0.22", Some("01:00:5e:00:00:16"))]
    #[case("239.129.2.3", Some("01:00:5e:01:02:03"))]
    #[case("ff02::1:ff00:2", Some("33:33:ff:00:00:02"))]
    #[case("192.0.2.1", None)]
    #[case("fe80::1", None)]
    fn group_addresses(#[case] group: IpAddr, #[case] mac: Option<&str>) {
        assert_eq!(Mac::of_group(group).map(|mac| mac.to_string()).as_deref(), mac);
    }

    #[test]
    fn broadcast_is_a_group_and_zero_is_not() {
        assert!(Mac::BROADCAST.is_multicast());
        assert!(!Mac::ZERO.is_multicast());
    }
}
