//! The names of numbers, as the lines say them.

/// A protocol or an IPv6 extension header, by its number (the registry "Protocol Numbers" of IANA).
pub(super) fn protocol(number: u8) -> String {
    match number {
        0 => "hop-by-hop".to_owned(),
        1 => "ICMP".to_owned(),
        2 => "IGMP".to_owned(),
        4 => "IP-in-IP".to_owned(),
        6 => "TCP".to_owned(),
        17 => "UDP".to_owned(),
        33 => "DCCP".to_owned(),
        41 => "IPv6-in-IP".to_owned(),
        43 => "routing".to_owned(),
        44 => "fragment".to_owned(),
        47 => "GRE".to_owned(),
        50 => "ESP".to_owned(),
        51 => "AH".to_owned(),
        58 => "ICMPv6".to_owned(),
        59 => "no next header".to_owned(),
        60 => "destination-options".to_owned(),
        89 => "OSPF".to_owned(),
        103 => "PIM".to_owned(),
        112 => "VRRP".to_owned(),
        132 => "SCTP".to_owned(),
        136 => "UDP-Lite".to_owned(),
        number => format!("protocol {number}"),
    }
}

/// What is unreachable by an ICMP code (RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1). `whom` is the quoted destination.
pub(super) fn unreachable4(code: u8, whom: &str) -> String {
    match code {
        0 => format!("net {whom} unreachable"),
        1 => format!("host {whom} unreachable"),
        2 => "protocol unreachable".to_owned(),
        3 => "port unreachable".to_owned(),
        4 => "fragmentation needed".to_owned(),
        5 => "source route failed".to_owned(),
        6 => format!("net {whom} unknown"),
        7 => format!("host {whom} unknown"),
        8 => "source host isolated".to_owned(),
        9 => format!("net {whom} prohibited"),
        10 => format!("host {whom} prohibited"),
        11 => format!("net {whom} unreachable for tos"),
        12 => format!("host {whom} unreachable for tos"),
        13 => "communication prohibited".to_owned(),
        _ => "unreachable".to_owned(),
    }
}

/// The same for `ICMPv6` (RFC 4443 §3.1).
pub(super) fn unreachable6(code: u8, whom: &str) -> String {
    match code {
        0 => format!("no route to {whom}"),
        1 => "communication prohibited".to_owned(),
        2 => "beyond scope of source".to_owned(),
        3 => format!("address {whom} unreachable"),
        4 => "port unreachable".to_owned(),
        5 => "source address failed policy".to_owned(),
        6 => "reject route".to_owned(),
        _ => "unreachable".to_owned(),
    }
}

/// What ran out of time (RFC 792 p. 6, RFC 4443 §3.3).
pub(super) fn time_exceeded(code: u8) -> &'static str {
    match code {
        0 => "time exceeded in transit",
        1 => "time exceeded in reassembly",
        _ => "time exceeded",
    }
}

/// The kind of a group record, as `tcpdump` says it (RFC 3376 §4.2.12, RFC 3810 §5.2.12).
pub(super) fn record(kind: u8) -> String {
    match kind {
        1 => "is_in".to_owned(),
        2 => "is_ex".to_owned(),
        3 => "to_in".to_owned(),
        4 => "to_ex".to_owned(),
        5 => "allow".to_owned(),
        6 => "block".to_owned(),
        kind => format!("kind {kind}"),
    }
}

/// An IPv4 option (RFC 791 §3.1, RFC 2113).
pub(super) fn ipv4_option(kind: u8) -> String {
    match kind {
        0 => "EOL".to_owned(),
        1 => "NOP".to_owned(),
        7 => "RR".to_owned(),
        68 => "TS".to_owned(),
        131 => "LSRR".to_owned(),
        137 => "SSRR".to_owned(),
        148 => "RA".to_owned(),
        255 => "malformed".to_owned(),
        kind => format!("option-{kind}"),
    }
}

/// What an ethertype is (the registry "IEEE 802 Numbers" of IANA).
pub(super) fn ethertype(number: u16) -> Option<&'static str> {
    Some(match number {
        0x8100 => "802.1Q",
        0x88a8 => "802.1ad",
        0x8847 => "MPLS",
        0x8863 | 0x8864 => "PPPoE",
        0x888e => "EAPOL",
        0x88cc => "LLDP",
        0x88e5 => "MACsec",
        0x88f7 => "PTP",
        _ => return None,
    })
}

/// The subtype of a Multipath TCP option, the first four bits of its data (RFC 8684 §8.2, RFC 8684
/// §3.1 for the version that is the other four of the first).
pub(super) fn mptcp(data: &[u8]) -> String {
    let Some(first) = data.first() else { return "mptcp".to_owned() };
    let name = match first >> 4 {
        0 => return format!("mptcp MP_CAPABLE v{}", first & 15),
        1 => "MP_JOIN",
        2 => "DSS",
        3 => "ADD_ADDR",
        4 => "REMOVE_ADDR",
        5 => "MP_PRIO",
        6 => "MP_FAIL",
        7 => "MP_FASTCLOSE",
        8 => "MP_TCPRST",
        15 => "MP_EXPERIMENTAL",
        other => return format!("mptcp subtype {other}"),
    };
    format!("mptcp {name}")
}

/// The kind of an SCTP chunk (RFC 9260 §3.2).
pub(super) fn sctp(kind: u8) -> String {
    let names = [
        "DATA",
        "INIT",
        "INIT ACK",
        "SACK",
        "HEARTBEAT",
        "HEARTBEAT ACK",
        "ABORT",
        "SHUTDOWN",
        "SHUTDOWN ACK",
        "ERROR",
        "COOKIE ECHO",
        "COOKIE ACK",
        "ECNE",
        "CWR",
        "SHUTDOWN COMPLETE",
    ];
    names.get(usize::from(kind)).map_or_else(|| format!("chunk {kind}"), |name| (*name).to_owned())
}

/// The type of a DCCP packet (RFC 4340 §5.1).
pub(super) fn dccp(kind: u8) -> String {
    let names = [
        "Request", "Response", "Data", "Ack", "DataAck", "CloseReq", "Close", "Reset", "Sync",
        "SyncAck",
    ];
    names.get(usize::from(kind)).map_or_else(|| format!("type {kind}"), |name| (*name).to_owned())
}
