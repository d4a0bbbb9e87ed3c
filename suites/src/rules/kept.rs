//! Which options are documented to be kept as other values than were set, and where.

use harness::case::Os;

/// What an option is kept as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// As it was set.
    Equal,
    /// Zero as zero, and any other number as one that is not.
    Boolean,
    /// Twice of what was set, or what the host allows at the least or at the most.
    Doubled,
    /// -1 as the host's own number.
    DefaultForMinusOne,
    /// Every negative number as -1.
    MinusOneForNegative,
    /// Zero as one, a negative number as the most, and no more than half of the largest buffer.
    LowWater,
    /// This at the least, but no more than a window without scaling.
    Clamped,
    /// This at the most.
    NotMore,
    /// As a byte, with or without the two bits of ECN.
    Byte,
    /// As the host, the network or the connection has it.
    Open,
}

/// An option, how it is kept and where that is written; nowhere is a gap in the manual.
pub(super) struct Entry {
    names: &'static [&'static str],
    pub(super) kept: Kept,
    pub(super) source: Option<&'static str>,
}

const fn entry(names: &'static [&'static str], kept: Kept, source: &'static str) -> Entry {
    Entry { names, kept, source: Some(source) }
}

const fn gap(names: &'static [&'static str], kept: Kept) -> Entry {
    Entry { names, kept, source: None }
}

/// Those of Linux, release 6.03 of the Linux man-pages.
const LINUX: &[Entry] = &[
    entry(
        &[
            "SO_BROADCAST",
            "SO_DEBUG",
            "SO_DONTROUTE",
            "SO_KEEPALIVE",
            "SO_LOCK_FILTER",
            "SO_NO_CHECK",
            "SO_OOBINLINE",
            "SO_PASSCRED",
            "SO_PASSSEC",
            "SO_REUSEADDR",
            "SO_REUSEPORT",
            "SO_RXQ_OVFL",
            "SO_SELECT_ERR_QUEUE",
            "SO_TIMESTAMP",
            "SO_TIMESTAMPNS",
        ],
        Kept::Boolean,
        "socket(7), and POSIX.1-2017 XSH 2.10.16",
    ),
    entry(
        &[
            "IP_BIND_ADDRESS_NO_PORT",
            "IP_FREEBIND",
            "IP_HDRINCL",
            "IP_MULTICAST_ALL",
            "IP_MULTICAST_LOOP",
            "IP_NODEFRAG",
            "IP_PKTINFO",
            "IP_RECVERR",
            "IP_RECVOPTS",
            "IP_RECVORIGDSTADDR",
            "IP_RECVTOS",
            "IP_RECVTTL",
            "IP_RETOPTS",
            "IP_PASSSEC",
            "IP_TRANSPARENT",
        ],
        Kept::Boolean,
        "ip(7): A boolean integer flag is zero when it is false, otherwise true.",
    ),
    entry(
        &[
            "IPV6_MULTICAST_LOOP",
            "IPV6_RECVDSTOPTS",
            "IPV6_RECVERR",
            "IPV6_RECVHOPOPTS",
            "IPV6_RECVPKTINFO",
            "IPV6_RECVRTHDR",
            "IPV6_V6ONLY",
        ],
        Kept::Boolean,
        "ipv6(7): A boolean integer flag is zero when it is false, otherwise true.",
    ),
    entry(
        &["IPV6_DONTFRAG", "IPV6_RECVHOPLIMIT", "IPV6_RECVPATHMTU", "IPV6_RECVTCLASS"],
        Kept::Boolean,
        "RFC 3542 §4, §11.2, §11.3",
    ),
    entry(&["TCP_CORK", "TCP_NODELAY"], Kept::Boolean, "tcp(7): If set, …"),
    entry(&["UDP_CORK"], Kept::Boolean, "udp(7)"),
    gap(
        &[
            "IPV6_2292PKTINFO",
            "IPV6_AUTOFLOWLABEL",
            "IPV6_FLOWINFO_SEND",
            "IPV6_FREEBIND",
            "IPV6_MULTICAST_ALL",
            "IPV6_RECVFRAGSIZE",
            "IPV6_RECVORIGDSTADDR",
            "IPV6_TRANSPARENT",
            "IP_CHECKSUM",
            "IP_RECVFRAGSIZE",
            "SO_NOFCS",
            "SO_PASSPIDFD",
            "SO_PASSRIGHTS",
            "SO_PREFER_BUSY_POLL",
            "SO_RCVMARK",
            "SO_RCVPRIORITY",
            "SO_WIFI_STATUS",
            "TCP_INQ",
            "UDP_GRO",
            "UDP_NO_CHECK6_RX",
            "UDP_NO_CHECK6_TX",
        ],
        Kept::Boolean,
    ),
    entry(
        &["SO_RCVBUF", "SO_SNDBUF"],
        Kept::Doubled,
        "socket(7): The kernel doubles this value (to allow space for bookkeeping overhead) when it \
         is set using setsockopt(2), and this doubled value is returned by getsockopt(2).",
    ),
    entry(
        &["IPV6_MULTICAST_HOPS", "IPV6_UNICAST_HOPS"],
        Kept::DefaultForMinusOne,
        "ipv6(7): -1 in the value means use the route default",
    ),
    entry(
        &["IPV6_TCLASS"],
        Kept::Byte,
        "RFC 3542 §6.5 (-1: use kernel default); RFC 3168 §6, the two bits of ECN are the transport's",
    ),
    entry(
        &["IP_TOS"],
        Kept::Byte,
        "ip(7): TOS is a byte. … Other bits are invalid and shall be cleared.",
    ),
    gap(&["IP_MULTICAST_TTL", "IP_TTL", "SO_TXREHASH", "TCP_REPAIR"], Kept::DefaultForMinusOne),
    gap(&["IPV6_CHECKSUM"], Kept::MinusOneForNegative),
    gap(&["SO_RCVLOWAT"], Kept::LowWater),
    gap(&["TCP_DEFER_ACCEPT", "TCP_LINGER2"], Kept::Open),
    entry(
        &["TCP_WINDOW_CLAMP"],
        Kept::Clamped,
        "tcp(7): The kernel imposes a minimum size of SOCK_MIN_RCVBUF/2. What a handshake agrees on lowers it.",
    ),
    entry(
        &["TCP_FASTOPEN"],
        Kept::NotMore,
        "tcp(7): similar to the backlog argument in listen(2), which says: silently capped",
    ),
    entry(
        &["TCP_MAXSEG"],
        Kept::Open,
        "tcp(7): TCP will also impose its minimum and maximum bounds over the value provided.",
    ),
    entry(
        &["TCP_QUICKACK"],
        Kept::Open,
        "tcp(7): This flag is not permanent, it only enables a switch to or from quickack mode.",
    ),
    entry(&["IPV6_MTU"], Kept::Open, "ipv6(7): Retrieve the current known path MTU"),
    entry(
        &["IPV6_ADDR_PREFERENCES"],
        Kept::Open,
        "RFC 5014 §4 (getsockopt): what is not set of a pair of opposites is told as the default",
    ),
    entry(
        &["SO_PEEK_OFF"],
        Kept::Open,
        "socket(7): a receive with MSG_PEEK moves it on, one without moves it back",
    ),
    entry(
        &["SO_INCOMING_CPU", "SO_INCOMING_NAPI_ID"],
        Kept::Open,
        "socket(7): it is that of the last packet",
    ),
];

/// Those of Darwin: getsockopt(2) has its booleans. All else is not judged there, since none of it was run.
const DARWIN: &[Entry] = &[entry(
    &[
        "SO_BROADCAST",
        "SO_DONTROUTE",
        "SO_KEEPALIVE",
        "SO_OOBINLINE",
        "SO_REUSEADDR",
        "SO_REUSEPORT",
        "TCP_NODELAY",
        "IPV6_V6ONLY",
    ],
    Kept::Boolean,
    "POSIX.1-2017 XSH 2.10.16 (Use of Options)",
)];

/// How the option is kept; as it was set, where nothing is written of it.
pub(super) fn of(os: Os, name: &str) -> (Kept, Option<&'static str>) {
    let (table, otherwise) = match os {
        Os::Linux => (LINUX, (Kept::Equal, Some("as it was set"))),
        Os::Macos => (DARWIN, (Kept::Open, None)),
    };
    let found = table.iter().find(|entry| entry.names.contains(&name));
    found.map_or(otherwise, |entry| (entry.kept, entry.source))
}

/// From here to there a buffer is exactly doubled: beyond any host's least, below its most.
const DOUBLED: std::ops::RangeInclusive<i64> = 4_096..=65_536;

/// The largest window without scaling (RFC 9293 §3.1).
const UNSCALED: i64 = 65_535;

impl Kept {
    /// Whether an option that was set to `set` may read as `got`.
    pub(super) fn agrees(self, set: i32, got: i32) -> bool {
        let (set, got) = (i64::from(set), i64::from(got));
        set == got && self != Self::Doubled
            || match self {
                Self::Equal => false,
                Self::Boolean => (set == 0) == (got == 0),
                Self::Doubled if DOUBLED.contains(&set) => got == 2 * set,
                Self::Doubled => got > 0 && (set < *DOUBLED.start() || got <= 2 * set || set < 0),
                Self::DefaultForMinusOne => set == -1,
                Self::MinusOneForNegative => set < 0 && got == -1,
                Self::LowWater => {
                    set == 0 && got == 1
                        || set < 0 && got > 1
                        || set > *DOUBLED.end() && (*DOUBLED.end()..set).contains(&got)
                }
                Self::Clamped => got >= set.min(UNSCALED / 2),
                Self::NotMore => got <= set,
                Self::Byte => set == -1 || got == set & 0xff || got == set & 0xfc,
                Self::Open => true,
            }
    }
}

#[cfg(test)]
pub(super) fn assert_sound(os: Os) {
    let table = if os == Os::Linux { LINUX } else { DARWIN };
    let mut names: Vec<&str> = table.iter().flat_map(|entry| entry.names).copied().collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    assert!(names.iter().all(|name| harness::case::is_known(name)), "{names:?}");
    // A page with its section, a chapter with its title, or an RFC.
    let is_page = |source: &str| source.contains('(') || source.starts_with("RFC ");
    assert!(table.iter().all(|entry| entry.source.is_none_or(is_page)));
}
