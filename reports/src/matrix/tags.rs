//! What a case is about, in the words that people search for.

use crate::runs::Line;

/// Each with what a transcript that is about it says.
const TAGS: [(&str, &[&str]); 11] = [
    ("broadcast", &["SO_BROADCAST", "255.255.255.255"]),
    ("df", &["IP_MTU_DISCOVER", "IPV6_MTU_DISCOVER", "IP_DONTFRAG", "IPV6_DONTFRAG"]),
    ("dual-stack", &["IPV6_V6ONLY", "::ffff:"]),
    ("ecn", &["IP_TOS", "IPV6_TCLASS", "IP_RECVTOS", "IPV6_RECVTCLASS"]),
    ("half-close", &["SHUT_WR", "SHUT_RD"]),
    ("link-down", &["-- link down", "down0"]),
    ("multicast", &["_MULTICAST_", "_MEMBERSHIP", "_JOIN_GROUP"]),
    (
        "pmtu",
        &[
            "IP_MTU)",
            "IP_MTU,",
            "IPV6_MTU,",
            "IPV6_PATHMTU",
            "RECVPATHMTU",
            "frag needed",
            "too big",
        ],
    ),
    ("reuse", &["SO_REUSEADDR", "SO_REUSEPORT"]),
    ("scope", &["sin6_scope_id", "IPV6_PKTINFO", "IPV6_UNICAST_IF", "%"]),
    ("segmentation", &["UDP_SEGMENT", "UDP_GRO", "TCP_MAXSEG"]),
];

/// The tags of a line, by what its transcript says.
pub fn tags(line: &Line) -> Vec<String> {
    let says = |word: &&str| line.outcome.contains(*word);
    let about = TAGS.iter().filter(|(_, words)| words.iter().any(says));
    about.map(|(tag, _)| (*tag).to_owned()).collect()
}
