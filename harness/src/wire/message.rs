//! The control messages: ICMP, `ICMPv6` with neighbour discovery and multicast listener discovery, IGMP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Mac;

/// An echo request or reply (RFC 792 p. 14, RFC 4443 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo<'a> {
    /// Identifier; a kernel's own ping sockets put their port here.
    pub id: u16,
    /// Sequence number.
    pub seq: u16,
    /// The data.
    pub payload: &'a [u8],
}

/// An ICMP message (RFC 792). A `quote` is the start of the packet that the message is about: see
/// [`quoted`](super::quoted).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Icmp4<'a> {
    /// Type 8.
    EchoRequest(Echo<'a>),
    /// Type 0.
    EchoReply(Echo<'a>),
    /// Type 3, destination unreachable.
    Unreachable {
        /// Why: 0 net, 1 host, 2 protocol, 3 port, 4 fragmentation needed …
        code: u8,
        /// The next hop's MTU in bytes, of code 4 only (RFC 1191 §4); zero from routers older than that.
        mtu: Option<u16>,
        /// The packet it is about.
        quote: &'a [u8],
    },
    /// Type 5.
    Redirect {
        /// For 0 a net, 1 a host, 2 and 3 the same with a type of service.
        code: u8,
        /// The better first hop.
        gateway: Ipv4Addr,
        /// The packet it is about.
        quote: &'a [u8],
    },
    /// Type 11.
    TimeExceeded {
        /// 0 in transit, 1 during reassembly.
        code: u8,
        /// The packet it is about.
        quote: &'a [u8],
    },
    /// Type 12.
    ParameterProblem {
        /// 0 when `pointer` says where.
        code: u8,
        /// The offset of the wrong byte in the quoted packet.
        pointer: u8,
        /// The packet it is about.
        quote: &'a [u8],
    },
    /// Any other type.
    Other {
        /// The type.
        kind: u8,
        /// The code.
        code: u8,
        /// What follows the checksum.
        bytes: &'a [u8],
    },
}

/// An `ICMPv6` message (RFC 4443, RFC 4861, RFC 2710, RFC 3810).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Icmp6<'a> {
    /// Type 128.
    EchoRequest(Echo<'a>),
    /// Type 129.
    EchoReply(Echo<'a>),
    /// Type 1 (RFC 4443 §3.1).
    Unreachable {
        /// Why: 0 no route, 1 prohibited, 3 address, 4 port …
        code: u8,
        /// The packet it is about.
        quote: &'a [u8],
    },
    /// Type 2 (RFC 4443 §3.2).
    PacketTooBig {
        /// The next hop's MTU in bytes.
        mtu: u32,
        /// The packet it is about.
        quote: &'a [u8],
    },
    /// Type 3 (RFC 4443 §3.3).
    TimeExceeded {
        /// 0 in transit, 1 during reassembly.
        code: u8,
        /// The packet it is about.
        quote: &'a [u8],
    },
    /// Type 4 (RFC 4443 §3.4).
    ParameterProblem {
        /// 0 a wrong field, 1 an unknown next header, 2 an unknown option.
        code: u8,
        /// The offset of the wrong byte in the quoted packet.
        pointer: u32,
        /// The packet it is about.
        quote: &'a [u8],
    },
    /// Type 133 (RFC 4861 §4.1).
    RouterSolicitation {
        /// Who asks.
        source_mac: Option<Mac>,
    },
    /// Type 134 (RFC 4861 §4.2).
    RouterAdvertisement(RouterAdvertisement),
    /// Type 135 (RFC 4861 §4.3).
    NeighbourSolicitation {
        /// Whom it asks for.
        target: Ipv6Addr,
        /// Who asks; absent in duplicate address detection.
        source_mac: Option<Mac>,
        /// Whether a nonce is there (RFC 7527 §4.1).
        nonce: bool,
    },
    /// Type 136 (RFC 4861 §4.4).
    NeighbourAdvertisement {
        /// Whose address it is.
        target: Ipv6Addr,
        /// Where that is.
        target_mac: Option<Mac>,
        /// The R flag: the sender is a router.
        router: bool,
        /// The S flag: this answers a solicitation.
        solicited: bool,
        /// The O flag: this replaces what was known.
        override_known: bool,
    },
    /// Type 137 (RFC 4861 §4.5).
    Redirect {
        /// The better first hop.
        target: Ipv6Addr,
        /// For what destination.
        destination: Ipv6Addr,
        /// Where the better hop is.
        target_mac: Option<Mac>,
        /// The packet it is about; empty when there is none.
        quote: &'a [u8],
    },
    /// Type 130 (RFC 2710 §3, RFC 3810 §5.1).
    MldQuery(MldQuery),
    /// Type 131, version 1 (RFC 2710 §3).
    MldReport {
        /// The group joined.
        group: Ipv6Addr,
    },
    /// Type 132, version 1 (RFC 2710 §3).
    MldDone {
        /// The group left.
        group: Ipv6Addr,
    },
    /// Type 143, version 2 (RFC 3810 §5.2).
    Mld2Report {
        /// What changed or is so, by group.
        records: Vec<GroupRecord>,
    },
    /// Any other type, and a message of a type above that ends too soon.
    Other {
        /// The type.
        kind: u8,
        /// The code.
        code: u8,
        /// What follows the checksum.
        bytes: &'a [u8],
    },
}

/// What a router says of itself and the link (RFC 4861 §4.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouterAdvertisement {
    /// The hop limit to use; 0 when it does not say.
    pub hop_limit: u8,
    /// The M flag: addresses come from `DHCPv6`.
    pub managed: bool,
    /// The O flag: other things come from `DHCPv6`.
    pub other: bool,
    /// How long it is a default router, in seconds; 0 when it is none.
    pub lifetime: u16,
    /// The router's own address.
    pub source_mac: Option<Mac>,
    /// The MTU of the link, in bytes.
    pub mtu: Option<u32>,
    /// The prefixes of the link.
    pub prefixes: Vec<Prefix>,
}

/// A prefix of a link (RFC 4861 §4.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// The prefix.
    pub prefix: Ipv6Addr,
    /// Its length, in bits.
    pub len: u8,
    /// The L flag: all of it is on the link.
    pub on_link: bool,
    /// The A flag: hosts may make addresses from it.
    pub autonomous: bool,
    /// How long it is valid, in seconds.
    pub valid: u32,
    /// How long such addresses are preferred, in seconds.
    pub preferred: u32,
}

/// A multicast listener query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MldQuery {
    /// 1 (24 bytes long) or 2 (28 or more): RFC 3810 §8.1.
    pub version: u8,
    /// The maximum response code: milliseconds when below 32768.
    pub max_response: u16,
    /// The group asked about; `::` in a general query.
    pub group: Ipv6Addr,
    /// The sources asked about; version 2 only.
    pub sources: Vec<Ipv6Addr>,
    /// What version 2 has beside them.
    pub querier: Option<Querier>,
}

/// What a querier says of itself (RFC 3376 §4.1.5 to §4.1.7, RFC 3810 §5.1.7 to §5.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Querier {
    /// The S flag: routers do not set their timers by this query.
    pub suppress: bool,
    /// QRV, the robustness variable.
    pub robustness: u8,
    /// QQIC, the query interval's code: seconds when below 128.
    pub interval: u8,
}

/// What a report says of one group (RFC 3376 §4.2.4, RFC 3810 §5.2.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRecord {
    /// 1 and 2 are the mode now (include, exclude), 3 and 4 a change to it, 5 and 6 sources allowed and blocked.
    pub kind: u8,
    /// The group.
    pub group: IpAddr,
    /// The sources.
    pub sources: Vec<IpAddr>,
}

/// An IGMP message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Igmp<'a> {
    /// Type 0x11.
    Query {
        /// 1 (response time zero), 2, or 3 (12 bytes or more): RFC 3376 §7.1.
        version: u8,
        /// The maximum response code: tenths of a second when below 128.
        max_response: u8,
        /// The group asked about; `0.0.0.0` in a general query.
        group: Ipv4Addr,
        /// The sources asked about; version 3 only.
        sources: Vec<Ipv4Addr>,
        /// What version 3 has beside them.
        querier: Option<Querier>,
    },
    /// Type 0x12 (RFC 1112 appendix I) and 0x16 (RFC 2236 §2.1).
    Report {
        /// 1 or 2.
        version: u8,
        /// The group joined.
        group: Ipv4Addr,
    },
    /// Type 0x17 (RFC 2236 §2.1).
    Leave {
        /// The group left.
        group: Ipv4Addr,
    },
    /// Type 0x22 (RFC 3376 §4.2).
    Report3 {
        /// What changed or is so, by group.
        records: Vec<GroupRecord>,
    },
    /// Any other type.
    Other {
        /// The type.
        kind: u8,
        /// What follows the checksum.
        bytes: &'a [u8],
    },
}
