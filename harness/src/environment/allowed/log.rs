//! What of a kernel's log is let through.

use super::{DIGITS, GONE, PLAIN, is_interface, is_number};

/// Words in what a kernel says of networks, in lower case.
const WORDS: &str = "a able about abort aborted accept accepted acked address addrconf after all allocated allocation already an \
    and any arp at attempt autoconf available back bad be because before being bind bit bits blocked bonding bpf bridge \
    broadcast buffer bug bugs by bytes cache call can cannot carrier cfil change changed checksum clat clear client clone \
    close closed code configured conflict congestion connect connected connection conntrack content cookies copied copy \
    corrupt cpu cpus created creating csum cut dad data datagram dead debug default delete deleted deprecated dest \
    destination detach detached detected device did disable disabled disabling do does doubling down drop dropped \
    dropping dst duplex duplicate ebpf echo enable enabled end entered entering entries entry eperm err error errors exceeded \
    executor exists expired exit fail failed failure family feth filter find flag flags flood flooding flow for force forwarding \
    fragment fragmented frags frame free from full function gateway general generic get giving got gro group groups gso \
    handle hardware has hash header headers here hit host hung icmp icmpv6 if igmp ignored in inactive incoming info \
    initialized insertion interface internal interrupt invalid ip ip6 ipv4 ipv6 is it jiffies join joined kernel \
    key kb kbit kbps l2tp leave leaving left len length level limit limited limiting link linkup listen listener \
    listening local lock log loopback loss lost low lro mac malformed martian mask mbit mbps media memory message messages mib \
    missed missing mode module more mss mtu multicast name necp neigh neighbor neighbour net netdev netdev_change netdev_up \
    netdev_down netfilter netlink network new next nf_conntrack no nobody none not now null of off on only open option \
    options or orphan orphaned out output overflow overrun own packet packets page panic parameters parent path peer pending \
    permission ping pkt pmtu point port ports possible prefix process processing promiscuous protocol proto queue ra raised \
    rate raw rcu reached read ready received receiving recv redirect refused register registered release remote removed \
    removing reply reported request requests reset resolved resource retransmission route router routes routing rst rtnl \
    running rx sack sample scope seconds seen segment segments select send sender sending sent sequence server set \
    shall short shrunk shutdown size sk skb slow so socket sockets sosend source spurious src stack stalled start started state \
    stats status stopped stp suppressed syn sync system table tainted taint tap task tcp tcp_mem tcpv6 the there this throttled time timed timeout \
    timer to too trace transmit transport truncated try trying tun tunnel tx udp udplite unable under unexpected unknown \
    unregister unregister_netdevice until up update usage use used user using usage utun value veth waiting warning was watchdog were wildcard will window with \
    without write wrong xmit zero \
    adding becoming becomes cookies-limit entered forwarding-state half-duplex full-duplex link-local out-of-memory oom \
    kernel[0] default: com.apple.networking";

/// How lines of networks begin, behind what the log puts before them.
const SUBSYSTEMS: &[&str] = &[
    "arp",
    "bridge",
    "bonding",
    "cfil",
    "device",
    "dropped",
    "icmp",
    "icmpv6",
    "igmp",
    "ip",
    "ip6",
    "ipv4",
    "ipv6",
    "martian",
    "necp",
    "neighbour",
    "net",
    "net_ratelimit",
    "netfilter",
    "netlink",
    "nf_conntrack",
    "ping",
    "request_sock_tcp",
    "request_sock_tcpv6",
    "sctp",
    "sosend",
    "tcp",
    "tcpv6",
    "tun",
    "tap",
    "udp",
    "udplite",
    "unregister_netdevice",
    "warning",
    "bug",
    "mptcp",
    "rtnetlink",
];

/// A line of a kernel's log: when, and what it says of networks. Of another subsystem's the time alone.
pub fn log_line(line: &str) -> String {
    let line = line.trim_end();
    let (time, rest) = stamp(line);
    let words: Vec<&str> = rest.split_whitespace().collect();
    let subject = words.iter().take(HEAD).any(|word| {
        let head = bare(word).to_lowercase();
        SUBSYSTEMS.contains(&head.as_str()) || (word.ends_with(':') && is_interface(bare(word)))
    });
    let mut out: Vec<&str> = Vec::new();
    out.extend((!time.is_empty()).then_some(time));
    let mut gone = false;
    for word in words {
        let told = subject && is_word(word);
        if told || !gone {
            out.push(if told { word } else { GONE });
        }
        gone = !told;
    }
    out.join(" ")
}

/// A line begins with its subject, on macOS behind a process and its kind.
const HEAD: usize = 6;

/// The time at the beginning: `[    5.140900]` of dmesg(1), `2025-02-01 10:00:00.123456+0100` of log(1).
fn stamp(line: &str) -> (&str, &str) {
    let of = |text: &str, extra: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || extra.contains(c))
    };
    if let Some((inside, rest)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']'))
        && of(inside, ". ")
        && inside.len() <= 24
    {
        return line.split_at(line.len() - rest.len());
    }
    let day = line.get(..10).filter(|day| of(day, "-") && day.matches('-').count() == 2);
    let Some(rest) = day.and(line.get(10..)) else { return ("", line) };
    let clock = rest.trim_start().split(' ').next().unwrap_or("");
    if of(clock, ":.+-") && clock.matches(':').count() >= 2 && clock.len() <= 24 {
        let at = line.find(clock).unwrap_or(10) + clock.len();
        return line.split_at(at);
    }
    line.split_at(10)
}

fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| "()[]<>\"'`,;.!?".contains(c)).trim_end_matches(':')
}

/// Whether a word of a log is told: a known one, a short number, an interface's, or `key=value` of such.
fn is_word(word: &str) -> bool {
    let inner = bare(word);
    let known = |word: &str| {
        let sign = word.strip_prefix('-').unwrap_or(word);
        word.is_empty() || is_known(word) || is_interface(word) || is_number(sign, DIGITS)
    };
    let call = inner.strip_suffix("()").unwrap_or(inner);
    word == GONE
        || known(call)
        || inner.split_once('=').is_some_and(|(key, value)| known(key) && known(value))
        || inner.split('/').all(|part| !part.is_empty() && known(part) && inner.len() < 40)
        || is_addrconf(inner)
}

/// `ADDRCONF(NETDEV_CHANGE)`.
fn is_addrconf(word: &str) -> bool {
    let inside = word.strip_prefix("ADDRCONF(").map(|rest| rest.trim_end_matches([')', ':']));
    inside.is_some_and(is_known)
}

/// Whether a word is one of those that kernels say of networks.
pub fn is_known(word: &str) -> bool {
    let word = word.to_lowercase();
    WORDS.split_whitespace().any(|known| known == word)
        || SUBSYSTEMS.contains(&word.as_str())
        || PLAIN.contains(&word.as_str())
}
