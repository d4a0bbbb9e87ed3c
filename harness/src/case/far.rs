//! What the far end of a link sends, described by words: its bytes are made when the step is taken.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Payload;
use super::addr::{Host, Port, Range};

mod options;
mod text;

pub use options::{Base, Block, Echo, Laid, SegmentOption};

/// The first sequence number of a connection's far end that sends by hand, the same each time, as the numbers of the
/// host (RFC 9293 §3.4.1) are not.
pub const FIRST: u32 = 1_000_000;

/// Where a next header stands in the header of IPv6.
const NEXT_HEADER: u32 = 6;

/// One frame of the far end's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Frame {
    /// An ICMP or `ICMPv6` error about the last packet that the host sent on the link.
    Error(Error),
    /// A UDP datagram.
    Datagram(Datagram),
    /// A TCP segment.
    Segment(Segment),
}

/// An ICMP error; its family is that of the packet that it quotes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Error {
    /// Which.
    pub kind: Kind,
    /// The MTU or the pointer that it has, where that [`Kind`] has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<u32>,
    /// Who sends it; if nobody is named, whom the quoted packet was for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Host>,
    /// Whether it is written `ICMPv6`: then a packet of IPv4 cannot be quoted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub v6: bool,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lies: Vec<Lie>,
}

impl Error {
    /// The MTU or the pointer, where it stands in the message about a packet of that family (RFC 1191 §4,
    /// RFC 792, RFC 4443 §3).
    ///
    /// # Errors
    /// One sentence: the message has no room for it.
    pub fn second_word(&self, v6: bool) -> Result<u32, String> {
        let by_itself = match self.kind {
            Kind::ProtocolUnreachable | Kind::UnrecognizedNextHeader if v6 => NEXT_HEADER,
            _ => 0,
        };
        let value = self.value.unwrap_or(by_itself);
        let too_large = || format!("ICMP has no room for {value}");
        match self.kind.value() {
            Some("mtu") if !v6 => u16::try_from(value).map(u32::from).map_err(|_| too_large()),
            Some("pointer") if !v6 => {
                u8::try_from(value).map(|pointer| u32::from(pointer) << 24).map_err(|_| too_large())
            }
            _ => Ok(value),
        }
    }
}

/// What an ICMP error says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// RFC 792 type 3 code 0; of an IPv6 packet as [`Kind::NoRoute`].
    NetUnreachable,
    /// RFC 792 type 3 code 1; of an IPv6 packet as [`Kind::AddressUnreachable`].
    HostUnreachable,
    /// RFC 792 type 3 code 2; of an IPv6 packet as [`Kind::UnrecognizedNextHeader`] (RFC 7915 §4.2).
    ProtocolUnreachable,
    /// RFC 792 type 3 code 3, RFC 4443 type 1 code 4.
    PortUnreachable,
    /// RFC 1191 type 3 code 4; of an IPv6 packet as [`Kind::PacketTooBig`].
    FragmentationNeeded,
    /// RFC 792 type 3 code 5.
    SourceRouteFailed,
    /// RFC 1812 type 3 code 9.
    NetProhibited,
    /// RFC 1812 type 3 code 10.
    HostProhibited,
    /// RFC 1812 type 3 code 13, RFC 4443 type 1 code 1.
    AdministrativelyProhibited,
    /// RFC 792 type 4.
    SourceQuench,
    /// RFC 792 type 11 code 0, RFC 4443 type 3 code 0.
    TimeExceeded,
    /// RFC 792 type 11 code 1, RFC 4443 type 3 code 1.
    ReassemblyTimeExceeded,
    /// RFC 792 type 12 code 0, RFC 4443 type 4 code 0.
    ParameterProblem,
    /// RFC 4443 type 1 code 0.
    NoRoute,
    /// RFC 4443 type 1 code 2.
    BeyondScope,
    /// RFC 4443 type 1 code 3.
    AddressUnreachable,
    /// RFC 4443 type 1 code 5.
    SourcePolicy,
    /// RFC 4443 type 1 code 6.
    RejectRoute,
    /// RFC 4443 type 2; of an IPv4 packet as [`Kind::FragmentationNeeded`].
    PacketTooBig,
    /// RFC 4443 type 4 code 1.
    UnrecognizedNextHeader,
    /// RFC 4443 type 4 code 2.
    UnrecognizedOption,
}

/// Type and code of an ICMP message.
type Number = Option<(u8, u8)>;

impl Kind {
    /// All of them: what each is called, its type and code in IPv4 and in IPv6.
    #[rustfmt::skip]
    const TABLE: [(Self, &str, Number, Number); 21] = [
        (Self::NetUnreachable, "net unreachable", Some((3, 0)), Some((1, 0))),
        (Self::HostUnreachable, "host unreachable", Some((3, 1)), Some((1, 3))),
        (Self::ProtocolUnreachable, "protocol unreachable", Some((3, 2)), Some((4, 1))),
        (Self::PortUnreachable, "port unreachable", Some((3, 3)), Some((1, 4))),
        (Self::FragmentationNeeded, "fragmentation needed", Some((3, 4)), Some((2, 0))),
        (Self::SourceRouteFailed, "source route failed", Some((3, 5)), None),
        (Self::NetProhibited, "net prohibited", Some((3, 9)), None),
        (Self::HostProhibited, "host prohibited", Some((3, 10)), None),
        (Self::AdministrativelyProhibited, "administratively prohibited", Some((3, 13)), Some((1, 1))),
        (Self::SourceQuench, "source quench", Some((4, 0)), None),
        (Self::TimeExceeded, "time exceeded", Some((11, 0)), Some((3, 0))),
        (Self::ReassemblyTimeExceeded, "time exceeded in reassembly", Some((11, 1)), Some((3, 1))),
        (Self::ParameterProblem, "parameter problem", Some((12, 0)), Some((4, 0))),
        (Self::NoRoute, "no route", None, Some((1, 0))),
        (Self::BeyondScope, "beyond scope of source", None, Some((1, 2))),
        (Self::AddressUnreachable, "address unreachable", None, Some((1, 3))),
        (Self::SourcePolicy, "source address failed policy", None, Some((1, 5))),
        (Self::RejectRoute, "reject route", None, Some((1, 6))),
        (Self::PacketTooBig, "packet too big", Some((3, 4)), Some((2, 0))),
        (Self::UnrecognizedNextHeader, "unrecognized next header", None, Some((4, 1))),
        (Self::UnrecognizedOption, "unrecognized option", None, Some((4, 2))),
    ];

    /// All of them by name.
    pub fn all() -> impl Iterator<Item = (Self, &'static str)> {
        Self::TABLE.into_iter().map(|(kind, name, ..)| (kind, name))
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        Self::all().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// Its type and code about a packet of that family, which may have no such error.
    pub fn number(self, v6: bool) -> Option<(u8, u8)> {
        let (.., four, six) = Self::TABLE.into_iter().find(|(kind, ..)| *kind == self)?;
        if v6 { six } else { four }
    }

    /// The word before the number that it has, if it has one.
    pub fn value(self) -> Option<&'static str> {
        match self {
            Self::FragmentationNeeded | Self::PacketTooBig => Some("mtu"),
            Self::ParameterProblem | Self::UnrecognizedNextHeader | Self::UnrecognizedOption => {
                Some("pointer")
            }
            _ => None,
        }
    }
}

/// What is wrong with a forged error: everything else of it is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lie {
    /// The quoted packet came from another port.
    SourcePort,
    /// It was for another port.
    DestinationPort,
    /// It came from another address.
    Source,
    /// It was for another address.
    Destination,
    /// The TCP segment in it has a sequence number that is outside of every window.
    SequenceNumber,
    /// The checksum of the ICMP message is not right.
    Checksum,
    /// So many bytes of the packet are quoted, and no more.
    Cut(u16),
}

impl Lie {
    /// Those that have no number, by what they are called.
    pub const NAMED: [(Self, &'static str); 6] = [
        (Self::SourcePort, "source port wrong"),
        (Self::DestinationPort, "destination port wrong"),
        (Self::Source, "source wrong"),
        (Self::Destination, "destination wrong"),
        (Self::SequenceNumber, "sequence number wrong"),
        (Self::Checksum, "checksum wrong"),
    ];
}

/// An address and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct End {
    /// Whose.
    pub host: Host,
    /// Which port.
    pub port: Port,
}

impl End {
    /// Its port as it is written.
    pub fn port_text(&self) -> String {
        match &self.port {
            Port::Is(port) => port.to_string(),
            Port::Of(socket) => format!("port({socket})"),
        }
    }

    /// Whether its port is the one that a socket of the case has by then.
    pub(crate) fn is_of_a_socket(&self) -> bool {
        matches!(self.port, Port::Of(_))
    }

    pub(super) fn is_v6(&self) -> bool {
        match &self.host {
            Host::Ip(ip) => ip.is_ipv6(),
            Host::On { range, .. } => *range != Range::V4,
            Host::Unix(_) | Host::Packet(_) | Host::Vsock(_) | Host::Netlink(_) => false,
        }
    }
}

/// From where to where.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Ends {
    /// The sender's.
    pub from: End,
    /// The receiver's.
    pub to: End,
}

/// A UDP datagram in one packet (RFC 768).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Datagram {
    /// From where to where.
    #[serde(flatten)]
    pub ends: Ends,
    /// What it carries.
    #[serde(default = "nothing", skip_serializing_if = "is_nothing")]
    pub data: Payload,
    /// TTL or hop limit; 64 if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u8>,
    /// Type of service or traffic class, the whole byte; 0 if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tos: Option<u8>,
    /// Whether DF is set; IPv6 has no such flag.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dont_fragment: bool,
    /// Whether the checksum is not right.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub checksum_wrong: bool,
}

/// A TCP segment (RFC 9293 §3.1) of the connection that the host's last segment on the link was of.
///
/// The far end keeps what is right for it: its own next byte, and the host's last byte acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Segment {
    /// Of this connection, if not of that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Ends>,
    /// The control bits in the letters of `tcpdump`: `S.`, `R`, `none`.
    pub flags: String,
    /// How far the sequence number is beyond the right one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub seq: i32,
    /// How far the acknowledgement number is beyond the right one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ack: i32,
    /// The window, not scaled.
    #[serde(default = "widest", skip_serializing_if = "is_widest")]
    pub window: u16,
    /// The option for the largest segment, in bytes; none if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mss: Option<u16>,
    /// All the options, in this order. Where there is such a list, an outcome tells the numbers and the options
    /// of every segment of the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<SegmentOption>>,
    /// Type of service or traffic class, the whole byte; 0 if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tos: Option<u8>,
    /// The data.
    #[serde(default = "nothing", skip_serializing_if = "is_nothing")]
    pub data: Payload,
    /// Whether the checksum is not right.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub checksum_wrong: bool,
}

impl Segment {
    /// The control bits, in the order in which they are written.
    pub const FLAGS: &str = "FSRP.UEW";
    /// What is written if none is set.
    pub const NO_FLAGS: &str = "none";

    /// With these control bits, nothing else being said.
    pub fn new(flags: &str) -> Self {
        Self {
            ends: None,
            flags: flags.to_owned(),
            seq: 0,
            ack: 0,
            window: widest(),
            mss: None,
            options: None,
            tos: None,
            data: nothing(),
            checksum_wrong: false,
        }
    }

    /// Its options, whichever way they are said.
    pub fn laid(&self) -> Laid {
        let mss = self.mss.map(SegmentOption::Mss);
        SegmentOption::lay(self.options.as_deref().unwrap_or(mss.as_slice()))
    }
}

fn nothing() -> Payload {
    Payload::Text(String::new())
}

fn is_nothing(data: &Payload) -> bool {
    *data == nothing()
}

fn widest() -> u16 {
    u16::MAX
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_widest(window: &u16) -> bool {
    *window == widest()
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(offset: &i32) -> bool {
    *offset == 0
}

impl Frame {
    /// What it carries.
    pub fn data(&self) -> Option<&Payload> {
        match self {
            Self::Error(_) => None,
            Self::Datagram(Datagram { data, .. }) | Self::Segment(Segment { data, .. }) => {
                Some(data)
            }
        }
    }

    /// From where to where it goes, if that is said.
    pub fn between(&self) -> Option<&Ends> {
        match self {
            Self::Error(_) => None,
            Self::Datagram(datagram) => Some(&datagram.ends),
            Self::Segment(segment) => segment.ends.as_ref(),
        }
    }

    /// The ports that it names.
    pub fn ports(&self) -> impl Iterator<Item = &Port> {
        self.between().into_iter().flat_map(|ends| [&ends.from.port, &ends.to.port])
    }

    /// The sockets whose ports it names.
    pub fn sockets(&self) -> impl Iterator<Item = &str> {
        self.ports().filter_map(|port| match port {
            Port::Of(socket) => Some(socket.as_str()),
            Port::Is(_) => None,
        })
    }

    /// The addresses that it names.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        let from = match self {
            Self::Error(error) => error.from.as_ref(),
            _ => None,
        };
        let ends = self.between().into_iter().flat_map(|ends| [&ends.from.host, &ends.to.host]);
        from.into_iter().chain(ends)
    }

    /// Whether the host remembers what it tells beyond the socket that it concerns: the MTU of a path
    /// (RFC 1191 §6.3, RFC 8201 §5.3).
    pub fn is_remembered(&self) -> bool {
        let of_path = |kind| matches!(kind, Kind::FragmentationNeeded | Kind::PacketTooBig);
        matches!(self, Self::Error(error) if of_path(error.kind))
    }
}

#[cfg(test)]
pub(super) mod tests;
