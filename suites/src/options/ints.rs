//! Which values the options that are an `int` take, and what they then say.
//!
//! Left out is what asks for a capability in the host's own user namespace, and so says another
//! thing to root than to somebody in a namespace of theirs (`SO_DEBUG`, `SO_MARK`,
//! `SO_RCVBUFFORCE`, `SO_BUSY_POLL`, `SO_PREFER_BUSY_POLL`); what is rounded by the size of a
//! kernel's structures (`SO_RCVBUF`, `SO_SNDBUF`, `TCP_WINDOW_CLAMP`); what loads a module or turns
//! something on for the whole host (`UDP_ENCAP`, `TCP_ULP`, `TCP_TX_DELAY`).

use harness::case::op::Value;
use harness::case::{Case, Lab};

use super::Kind;
use crate::steps::{case, getsockopt, setsockopt};
use crate::table::{Row, Table};

/// What is on or off: whatever is not zero is on, and 256 has no bit in its lowest byte.
const FLAG: &[i32] = &[-1, 0, 1, 2, 256];

/// A number: to either side of zero, of a byte, of 16 bits, and the largest.
const NUMBER: &[i32] = &[-1, 0, 1, 2, 255, 256, 65_535, i32::MAX];

/// Some options of a level, the kinds of sockets that have them, the values, and those beside them
/// at which the manual page or the kernel draws a line.
type Set = (&'static [Kind], &'static str, &'static [&'static str], &'static [i32], &'static [i32]);

const UDP_TCP: &[Kind] = &[Kind::UDP4, Kind::TCP4];
const UDP_TCP6: &[Kind] = &[Kind::UDP6, Kind::TCP6];

#[rustfmt::skip]
const SETS: &[Set] = &[
    // socket(7), getsockopt(2).
    (UDP_TCP, "SOL_SOCKET", &[
        "SO_NOADDRERR", "SO_RANDOMPORT", "SO_REUSESHAREUID", "SO_TIMESTAMP_MONOTONIC",
        "SO_USELOOPBACK", "SO_NOSIGPIPE", "SO_BROADCAST", "SO_DONTROUTE", "SO_KEEPALIVE",
        "SO_OOBINLINE", "SO_REUSEADDR", "SO_REUSEPORT", "SO_TIMESTAMP", "SO_TIMESTAMPNS",
        "SO_NO_CHECK", "SO_RXQ_OVFL", "SO_RCVMARK", "SO_RCVPRIORITY", "SO_ZEROCOPY",
    ], FLAG, &[]),
    (UDP_TCP, "SOL_SOCKET", &["SO_NET_SERVICE_TYPE"], &[-1, 0, 1, 8, 9], &[]),
    // Without -1, which to TCP is half of the largest buffer (net.ipv4.tcp_rmem).
    (UDP_TCP, "SOL_SOCKET", &["SO_RCVLOWAT", "SO_SNDLOWAT"], &[0, 1, 2], &[]),
    (UDP_TCP, "SOL_SOCKET", &["SO_BUF_LOCK", "SO_TXREHASH"], FLAG, &[3, 4, 255]),
    (UDP_TCP, "SOL_SOCKET", &["SO_PRIORITY"], NUMBER, &[6, 7]),
    (UDP_TCP, "SOL_SOCKET", &["SO_PEEK_OFF"], NUMBER, &[-2]),
    // unix(7). SO_INQ can be set and not be asked for.
    (&[Kind::UNIX], "SOL_SOCKET", &["SO_PASSCRED", "SO_PASSPIDFD", "SO_PASSRIGHTS", "SO_INQ"],
        FLAG, &[]),
    // ip(7), ip(4).
    (UDP_TCP, "IPPROTO_IP", &[
        "IP_DONTFRAG", "IP_RECVPKTINFO", "IP_BIND_ADDRESS_NO_PORT", "IP_FREEBIND",
        "IP_MULTICAST_ALL", "IP_RECVERR", "IP_RECVTOS", "IP_RECVTTL", "IP_TRANSPARENT",
    ], FLAG, &[]),
    (UDP_TCP, "IPPROTO_IP", &["IP_TTL", "IP_TOS", "IP_MINTTL"], NUMBER, &[]),
    (UDP_TCP, "IPPROTO_IP", &["IP_MULTICAST_LOOP", "IP_MULTICAST_TTL"], NUMBER, &[]),
    (UDP_TCP, "IPPROTO_IP", &["IP_MTU_DISCOVER", "IP_PORTRANGE"], &[-1, 0, 1, 2, 3, 4, 5, 6], &[]),
    // The upper half is the end of the range: 0x00020001 is from 1 to 2, 0x00010002 from 2 to 1.
    (UDP_TCP, "IPPROTO_IP", &["IP_LOCAL_PORT_RANGE"], NUMBER, &[0x0002_0001, 0x0001_0002]),
    // ipv6(7), ip6(4).
    (UDP_TCP6, "IPPROTO_IPV6", &[
        "IPV6_AUTOFLOWLABEL", "IPV6_RECVPATHMTU", "IPV6_DONTFRAG", "IPV6_RECVHOPLIMIT",
        "IPV6_RECVPKTINFO", "IPV6_RECVTCLASS", "IPV6_V6ONLY", "IPV6_FREEBIND", "IPV6_MULTICAST_ALL",
        "IPV6_RECVERR", "IPV6_TRANSPARENT",
    ], FLAG, &[]),
    (UDP_TCP6, "IPPROTO_IPV6", &["IPV6_PREFER_TEMPADDR", "IPV6_USE_MIN_MTU"], &[-2, -1, 0, 1, 2], &[]),
    (UDP_TCP6, "IPPROTO_IPV6", &[
        "IPV6_MULTICAST_HOPS", "IPV6_MULTICAST_LOOP", "IPV6_TCLASS", "IPV6_UNICAST_HOPS",
        "IPV6_MINHOPCOUNT",
    ], NUMBER, &[-2]),
    (UDP_TCP6, "IPPROTO_IPV6", &["IPV6_MTU_DISCOVER", "IPV6_PORTRANGE"],
        &[-1, 0, 1, 2, 3, 4, 5, 6], &[]),
    (UDP_TCP6, "IPPROTO_IPV6", &["IPV6_ADDR_PREFERENCES"], NUMBER, &[3, 4, 8]),
    (UDP_TCP6, "IPPROTO_IPV6", &["IPV6_MTU"], NUMBER, &[1279, 1280]),
    // tcp(7), tcp(4).
    (&[Kind::TCP4], "IPPROTO_TCP", &[
        "TCP_ENABLE_ECN", "TCP_NOOPT", "TCP_NOPUSH", "TCP_RXT_FINDROP", "TCP_SENDMOREACKS",
        "TCP_NODELAY", "TCP_CORK", "TCP_FASTOPEN_CONNECT", "TCP_FASTOPEN_NO_COOKIE", "TCP_INQ",
        "TCP_QUICKACK", "TCP_THIN_DUPACK", "TCP_THIN_LINEAR_TIMEOUTS",
    ], FLAG, &[]),
    (&[Kind::TCP4], "IPPROTO_TCP", &[
        "PERSIST_TIMEOUT", "TCP_CONNECTIONTIMEOUT", "TCP_KEEPALIVE", "TCP_RXT_CONNDROPTIME",
        "TCP_FASTOPEN", "TCP_NOTSENT_LOWAT", "TCP_DEFER_ACCEPT", "TCP_USER_TIMEOUT",
    ], NUMBER, &[]),
    (&[Kind::TCP4], "IPPROTO_TCP", &["TCP_KEEPIDLE", "TCP_KEEPINTVL"], NUMBER, &[32_767, 32_768]),
    (&[Kind::TCP4], "IPPROTO_TCP", &["TCP_KEEPCNT", "TCP_SYNCNT"], NUMBER, &[127, 128]),
    (&[Kind::TCP4], "IPPROTO_TCP", &["TCP_LINGER2"], NUMBER, &[60, 61, 120, 121]),
    (&[Kind::TCP4], "IPPROTO_TCP", &["TCP_MAXSEG"], NUMBER, &[87, 88, 32_767, 32_768]),
    (&[Kind::TCP4], "IPPROTO_TCP", &["TCP_SAVE_SYN"], FLAG, &[3]),
    // Kept in jiffies: what is no multiple of ten milliseconds is rounded by the kernel's CONFIG_HZ.
    (&[Kind::TCP4], "IPPROTO_TCP", &["TCP_RTO_MAX_MS"],
        &[-1, 0, 1, 999, 1000, 60_000, 120_000, 120_001, i32::MAX], &[]),
    (&[Kind::TCP4], "IPPROTO_TCP", &["TCP_RTO_MIN_US", "TCP_DELACK_MAX_US"],
        &[-1, 0, 1, 100_000, 200_000, 200_001, i32::MAX], &[]),
    // udp(7), udp(4).
    (&[Kind::UDP4], "IPPROTO_UDP", &["UDP_NOCKSUM", "UDP_CORK", "UDP_GRO"], FLAG, &[]),
    (&[Kind::UDP4], "IPPROTO_UDP", &["UDP_SEGMENT"], NUMBER, &[65_536]),
    (&[Kind::UDP6], "IPPROTO_UDP", &["UDP_NO_CHECK6_RX", "UDP_NO_CHECK6_TX"], FLAG, &[]),
];

/// The rows of the catalogue that the values of an option are of.
fn rows(name: &str) -> Vec<String> {
    let more: &[&str] = match name {
        "TCP_MAXSEG" => &["OPT-06"],
        "SO_PASSCRED" | "SO_TXREHASH" => &["OPT-12"],
        _ => &[],
    };
    ["OPT-01"].iter().chain(more).map(|row| (*row).to_owned()).collect()
}

pub(super) fn table() -> Table {
    let question = "Which values does each option that is an int take, and what does it then say?";
    let mut table = Table::new("options/int", question);
    for (kinds, level, names, values, edges) in SETS {
        for kind in *kinds {
            for name in *names {
                for value in values.iter().chain(*edges) {
                    let mut case = set(*kind, level, name, *value);
                    case.catalogue = rows(name);
                    table.push(&[kind.id, name, &value.to_string()], Row::Case(case));
                }
            }
        }
    }
    table
}

fn set(kind: Kind, level: &'static str, name: &'static str, value: i32) -> Case {
    let title = format!("{name} of a {} socket set to {value}", kind.id);
    let ops = vec![
        kind.fresh(),
        setsockopt("s", level, name, Value::Int(value)),
        getsockopt("s", level, name),
    ];
    case(title, Lab::loopback(), ops)
}
