//! What a fresh socket says of each option.

use harness::case::{Lab, Op};

use super::{Kind, names};
use crate::steps::case;
use crate::table::{Row, Table};

/// Which options of which level are asked of which kinds.
type Asked = (&'static [Kind], &'static str, &'static [&'static [&'static str]]);

/// Most options of a level are of all its sockets; some are of raw ones alone, and IPv4's are of
/// IPv6 sockets too, which can speak to IPv4-mapped addresses.
const ASKED: [Asked; 8] = [
    (&[Kind::UDP4, Kind::UDP6, Kind::TCP4, Kind::TCP6, Kind::UNIX], "SOL_SOCKET", &names::SOCKET),
    (&[Kind::UDP4, Kind::TCP4], "IPPROTO_IP", &names::IP),
    (&[Kind::RAW4], "IPPROTO_IP", &[&["IP_HDRINCL", "IP_NODEFRAG", "IP_PROTOCOL"]]),
    (&[Kind::UDP6], "IPPROTO_IP", &[MAPPED]),
    (&[Kind::UDP6, Kind::TCP6], "IPPROTO_IPV6", &names::IPV6),
    (&[Kind::RAW6], "IPPROTO_IPV6", &[&["IPV6_CHECKSUM", "IPV6_HDRINCL", "IPV6_ROUTER_ALERT"]]),
    (&[Kind::TCP4, Kind::TCP6], "IPPROTO_TCP", &names::TCP),
    (&[Kind::UDP4, Kind::UDP6], "IPPROTO_UDP", &names::UDP),
];

#[rustfmt::skip]
const MAPPED: &[&str] = &[
    "IP_DONTFRAG", "IP_OPTIONS", "IP_RECVOPTS", "IP_BIND_ADDRESS_NO_PORT", "IP_FREEBIND",
    "IP_LOCAL_PORT_RANGE", "IP_MTU", "IP_MTU_DISCOVER", "IP_MULTICAST_LOOP", "IP_MULTICAST_TTL",
    "IP_PKTINFO", "IP_RECVERR", "IP_TOS", "IP_TRANSPARENT", "IP_TTL",
];

/// An `int`, unless the manual says otherwise.
const INT: u32 = 4;

/// How many bytes are asked for.
fn len(name: &str) -> u32 {
    match name {
        // struct linger, so_np_extensions, so_timestamping, sock_txtime; a rate of 64 bits.
        "SO_LINGER"
        | "SO_LINGER_SEC"
        | "SO_NP_EXTENSIONS"
        | "SO_TIMESTAMPING"
        | "SO_TIMESTAMPING_NEW"
        | "SO_TXTIME"
        | "SO_MAX_PACING_RATE" => 8,
        // struct ucred.
        "SO_PEERCRED" => 12,
        // struct timeval; the name of an interface.
        "SO_RCVTIMEO" | "SO_SNDTIMEO" | "SO_RCVTIMEO_NEW" | "SO_SNDTIMEO_NEW"
        | "SO_BINDTODEVICE" => 16,
        // struct tcp_repair_window.
        "TCP_REPAIR_WINDOW" => 20,
        // struct ip6_mtuinfo.
        "IPV6_PATHMTU" => 32,
        // No int at all: options of headers, a filter, what was kept of a SYN, a protocol's name.
        "IP_OPTIONS"
        | "IP_PKTOPTIONS"
        | "IPV6_2292PKTOPTIONS"
        | "IPV6_DSTOPTS"
        | "IPV6_HOPOPTS"
        | "IPV6_RTHDR"
        | "IPV6_RTHDRDSTOPTS"
        | "SO_ATTACH_FILTER"
        | "TCP_SAVED_SYN"
        | "TCP_ULP" => 40,
        // Numbers that no two sockets or namespaces have in common: too little room is refused
        // where the option exists.
        "SO_COOKIE" | "SO_NETNS_COOKIE" => 1,
        // What administrators set for a whole host (net.core.rmem_default, wmem_default and
        // busy_read, tcp_congestion_control, a Fast Open key), and clocks and counters: without
        // room only whether there is such an option.
        "SO_RCVBUF"
        | "SO_SNDBUF"
        | "SO_BUSY_POLL"
        | "SO_MEMINFO"
        | "TCP_CC_INFO"
        | "TCP_CONGESTION"
        | "TCP_CONNECTION_INFO"
        | "TCP_FASTOPEN_KEY"
        | "TCP_INFO"
        | "TCP_TIMESTAMP" => 0,
        _ => INT,
    }
}

pub(super) fn table() -> Table {
    let question = "What does a fresh socket say of each option?";
    let mut table = Table::new("options/default", question);
    for (kinds, level, lists) in ASKED {
        for kind in kinds {
            for name in lists.concat() {
                let title = format!("{name} of a fresh {} socket", kind.id);
                let ops = vec![kind.fresh(), get(level, name, len(name))];
                let row = match name {
                    "SO_PEERSEC" => Row::LeftOut(
                        "Whether sockets have a label, and which, is the business of the security \
                         module that the host has loaded.",
                    ),
                    "TCP_AO_INFO" | "TCP_AO_GET_KEYS" | "TCP_AO_REPAIR" => Row::LeftOut(
                        "Whether a kernel has TCP-AO is its configuration (CONFIG_TCP_AO): of two \
                         kernels of one version one says ENOENT or EPERM, the other ENOPROTOOPT.",
                    ),
                    _ => {
                        let mut case = case(title, Lab::loopback(), ops);
                        case.catalogue = vec!["OPT-03".to_owned(), "OPT-14".to_owned()];
                        Row::Case(case)
                    }
                };
                table.push(&[kind.id, name], row);
            }
        }
    }
    table
}

fn get(level: &'static str, name: &'static str, len: u32) -> Op {
    use harness::case::op::Opt;
    let option = Opt::Raw { level: level.into(), name: name.into() };
    Op::Getsockopt { fd: "s".to_owned(), option, len }
}
