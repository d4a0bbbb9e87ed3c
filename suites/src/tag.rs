//! What cases are about, as words that people search for: concepts that no id and no call has in it.
//!
//! A tag says which tables and rows it is about, as patterns, and which options and flags make any other
//! case one of it.

use std::collections::BTreeSet;

use harness::case::intent::concrete;
use harness::case::op::{Control, Opt, Value};
use harness::case::{Case, Op, Os};

use crate::pattern::matches;

/// A concept.
#[derive(Clone, Copy, Debug)]
pub struct Tag {
    /// The word.
    pub name: &'static str,
    /// What it means, in some words.
    pub about: &'static str,
    /// The cases that are about it, as patterns.
    pub cases: &'static [&'static str],
    /// The options, control messages and flags that are about it, wherever they are used.
    pub names: &'static [&'static str],
}

const fn tag(
    name: &'static str,
    about: &'static str,
    cases: &'static [&'static str],
    names: &'static [&'static str],
) -> Tag {
    Tag { name, about, cases, names }
}

/// Every tag, by its name.
pub const TAGS: &[Tag] = &[
    tag("address-gone", "an address that is taken away", &["*address-gone*", "*/changed[*"], &[]),
    tag(
        "broadcast",
        "255.255.255.255 and directed broadcast",
        &["*limited*", "*broadcast*"],
        &["SO_BROADCAST"],
    ),
    tag(
        "df",
        "don't fragment: the DF bit, and what of it a socket is told",
        &["fragmentation/corked", "fragmentation/own-header", "fragmentation/payload*"],
        &["IP_MTU_DISCOVER", "IPV6_MTU_DISCOVER", "IP_DONTFRAG", "IPV6_DONTFRAG"],
    ),
    tag(
        "dns",
        "names, and the name server that is asked for them",
        &["names/dns*", "names/search", "names/no-dns", "names/localhost"],
        &[],
    ),
    tag(
        "dual-stack",
        "IPv4 on a socket of IPv6: mapped addresses, IPV6_V6ONLY",
        &["*mapped*", "scoped-ipv6/v6only", "scoped-ipv6/other-family"],
        &["IPV6_V6ONLY", "AI_V4MAPPED"],
    ),
    tag(
        "ecn",
        "explicit congestion notification, and the byte that it shares with the traffic class",
        &["segments/congestion*", "segments/marked", "segments/reduced"],
        &["IP_TOS", "IPV6_TCLASS", "IP_RECVTOS", "IPV6_RECVTCLASS"],
    ),
    tag(
        "error-queue",
        "errors that come later, with what caused them",
        &[],
        &["IP_RECVERR", "IPV6_RECVERR"],
    ),
    tag(
        "fast-open",
        "TCP Fast Open: data in the SYN",
        &["http/fast-open", "darwin/connectx-data", "segments/begins[data]"],
        &["TCP_FASTOPEN", "TCP_FASTOPEN_CONNECT", "MSG_FASTOPEN"],
    ),
    tag(
        "fragments",
        "in which pieces a datagram leaves or comes",
        &["fragmentation"],
        &["IP_MTU_DISCOVER", "IPV6_DONTFRAG"],
    ),
    tag(
        "gso",
        "segmentation by the kernel (UDP_SEGMENT)",
        &["fragmentation/segment*"],
        &["UDP_SEGMENT"],
    ),
    tag(
        "half-close",
        "one direction of a connection ended: shutdown, FIN",
        &["http/half-close", "http/early-response", "http/response-then-end", "darwin/disconnectx"],
        &["SHUT_WR", "SHUT_RD", "SHUT_RDWR"],
    ),
    tag(
        "icmp",
        "ICMP errors and echoes, forged ones among them",
        &["*icmp*", "fragmentation/path-mtu*", "fragmentation/ping"],
        &["IPPROTO_ICMP", "IPPROTO_ICMPV6"],
    ),
    tag(
        "interface",
        "which link is taken: bound to it, or named for a datagram",
        &["scoped-ipv6/bound-interface", "multicast/bound-if", "multicast/ip*-multicast-if[*"],
        &["SO_BINDTODEVICE", "IP_BOUND_IF", "IPV6_BOUND_IF", "IP_PKTINFO", "IPV6_PKTINFO"],
    ),
    tag("kqueue", "kevent and its filters", &["darwin/kqueue*"], &[]),
    tag(
        "link-down",
        "a link that is down or goes",
        &["link-state/*down*", "darwin/connectx-down"],
        &[],
    ),
    tag("loopback", "what a host sends to itself", &["*loopback*", "names/localhost"], &[]),
    tag(
        "multicast",
        "groups: joined, left, sent to",
        &["multicast", "*multicast*"],
        &["IP_MULTICAST_IF", "IPV6_MULTICAST_IF", "IP_ADD_MEMBERSHIP", "IPV6_ADD_MEMBERSHIP"],
    ),
    tag(
        "neighbour",
        "address resolution: ARP, neighbour discovery",
        &["*unresolved*", "*neighbour*"],
        &[],
    ),
    tag(
        "pmtu",
        "the path MTU: how it is learnt, forged and told",
        &["fragmentation/path-mtu*", "fragmentation/mtu-*"],
        &["IP_MTU", "IPV6_MTU", "IPV6_RECVPATHMTU", "IPV6_PATHMTU", "IP_MTU_DISCOVER"],
    ),
    tag(
        "raw",
        "raw sockets",
        &["fragmentation/own-header*", "*-raw*"],
        &["SOCK_RAW", "IP_HDRINCL"],
    ),
    tag(
        "reuse",
        "an address or a port that somebody has already",
        &["multicast/reuse", "scoped-ipv6/bind-conflict"],
        &["SO_REUSEADDR", "SO_REUSEPORT"],
    ),
    tag(
        "sack",
        "selective acknowledgements of TCP (RFC 2018), and of what came twice (RFC 2883)",
        &["segments/gaps", "segments/twice", "segments/received"],
        &[],
    ),
    tag(
        "scope",
        "zones of link-local addresses: scope ids, fe80::1%eth0",
        &["scoped-ipv6", "names/*scope*", "names/numeric-zone"],
        &[],
    ),
    tag(
        "source-filter",
        "groups heard from some sources alone (RFC 3678)",
        &["multicast/source*"],
        &["IP_MSFILTER", "MCAST_MSFILTER", "MCAST_JOIN_SOURCE_GROUP", "IP_ADD_SOURCE_MEMBERSHIP"],
    ),
    tag(
        "timeout",
        "what ends by itself: keepalive, TCP_USER_TIMEOUT, a connect that nobody answers",
        &["http/timers", "http/stale*"],
        &["TCP_USER_TIMEOUT", "TCP_KEEPIDLE", "SO_KEEPALIVE", "SO_RCVTIMEO", "SO_SNDTIMEO"],
    ),
    tag(
        "timestamps",
        "TCP's timestamps (RFC 7323): agreed upon, echoed, too old",
        &["segments/echoed", "segments/recent", "segments/older", "segments/flags"],
        &[],
    ),
    tag(
        "ttl",
        "how many routers a packet may pass",
        &["*hops*"],
        &[
            "IP_TTL",
            "IP_MULTICAST_TTL",
            "IPV6_UNICAST_HOPS",
            "IPV6_MULTICAST_HOPS",
            "IPV6_HOPLIMIT",
        ],
    ),
    tag("urgent", "TCP's urgent data", &["*urgent*"], &["MSG_OOB", "SO_OOBINLINE", "SIOCATMARK"]),
];

/// The socket options that a step names, control messages among them: an intent by its names on Linux
/// and on macOS.
pub fn options(case: &Case, op: &Op) -> BTreeSet<String> {
    options_on(&[Os::Linux, Os::Macos], case, op)
}

/// The same, by their names on these systems.
pub fn options_on(systems: &[Os], case: &Case, op: &Op) -> BTreeSet<String> {
    let names = |fd: &str, option: &Opt, value: &Value| -> Vec<String> {
        let on = |os| concrete(os, case.family(fd), option, value);
        let all = systems.iter().copied().filter_map(on);
        all.map(|(_, name, _)| name.as_str().to_owned()).collect()
    };
    match op {
        Op::Setsockopt { fd, option, value } => names(fd, option, value).into_iter().collect(),
        Op::Getsockopt { fd, option, .. } => {
            names(fd, option, &Value::Int(1)).into_iter().collect()
        }
        Op::Sendmsg { control, .. } => control.iter().map(control_name).collect(),
        _ => BTreeSet::new(),
    }
}

fn control_name(control: &Control) -> String {
    match control {
        Control::PktInfo { level, .. } if level.plain() == "IPPROTO_IPV6" => {
            "IPV6_PKTINFO".to_owned()
        }
        Control::PktInfo { .. } => "IP_PKTINFO".to_owned(),
        Control::Int { name, .. } => name.as_str().to_owned(),
        Control::Rights { .. } => "SCM_RIGHTS".to_owned(),
        Control::Credentials { .. } => "SCM_CREDENTIALS".to_owned(),
        Control::Bytes { kind, .. } => kind.to_string(),
    }
}

/// Every constant that a step names.
fn constants(case: &Case, op: &Op) -> BTreeSet<String> {
    let mut all = options(case, op);
    let mut add = |names: &[harness::case::Sym]| {
        all.extend(names.iter().map(|name| name.as_str().to_owned()));
    };
    match op {
        Op::Socket { r#type, protocol, .. } => {
            add(&r#type.0);
            add(&protocol.0);
        }
        Op::Send { flags, .. }
        | Op::Sendto { flags, .. }
        | Op::Sendmsg { flags, .. }
        | Op::Recv { flags, .. }
        | Op::Recvfrom { flags, .. }
        | Op::Recvmsg { flags, .. }
        | Op::Getaddrinfo { flags, .. } => add(&flags.0),
        Op::Shutdown { how, .. } => add(std::slice::from_ref(how)),
        Op::Ioctl { request, .. } => add(std::slice::from_ref(request)),
        _ => {}
    }
    all
}

/// The options, control messages and flags that the tag of this name means.
pub fn means(name: &str) -> Vec<String> {
    let tag = TAGS.iter().find(|tag| tag.name == name);
    tag.map_or_else(Vec::new, |tag| tag.names.iter().map(|name| (*name).to_owned()).collect())
}

/// What a case is about.
pub fn of(case: &Case) -> impl Iterator<Item = &'static Tag> {
    let names: BTreeSet<String> = case.ops.iter().flat_map(|op| constants(case, op)).collect();
    TAGS.iter().filter(move |tag| {
        tag.cases.iter().any(|pattern| matches(pattern, &case.id))
            || tag.names.iter().any(|name| names.contains(*name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What of a tag means no case: its patterns, and its names, each.
    fn idle(tags: &[Tag], cases: &[Case]) -> Vec<String> {
        let named: BTreeSet<String> =
            cases.iter().flat_map(|c| c.ops.iter().flat_map(|op| constants(c, op))).collect();
        let mut idle = Vec::new();
        for tag in tags {
            let means = |pattern: &&&str| !cases.iter().any(|case| matches(pattern, &case.id));
            let patterns = tag.cases.iter().filter(means);
            let names = tag.names.iter().filter(|name| !named.contains(**name));
            idle.extend(patterns.chain(names).map(|what| format!("{}: {what}", tag.name)));
        }
        idle
    }

    #[test]
    fn every_tag_means_some_cases_by_all_that_it_says() {
        let cases: Vec<Case> = crate::tables().into_iter().flat_map(|table| table.cases).collect();
        assert_eq!(idle(TAGS, &cases), [""; 0]);
        // One that means nothing is found.
        let planted = [tag("x", "x", &["link-state/nothing*", "*"], &["SO_NOTHING"])];
        assert_eq!(idle(&planted, &cases), ["x: link-state/nothing*", "x: SO_NOTHING"]);
        assert!(TAGS.is_sorted_by(|a, b| a.name < b.name), "not by name, or one twice");
    }

    #[test]
    fn a_tag_tells_cases_apart() {
        let cases: Vec<Case> = crate::tables().into_iter().flat_map(|table| table.cases).collect();
        let tags = |id: &str| -> Vec<&str> {
            let case = cases.iter().find(|case| case.id == id).unwrap();
            of(case).map(|tag| tag.name).collect()
        };
        let mapped = tags("fragmentation/payload[mapped,1500,on,10000]");
        assert!(mapped.contains(&"df") && mapped.contains(&"dual-stack"), "{mapped:?}");
        let plain = tags("names/service[80,stream]");
        assert!(!plain.contains(&"df") && !plain.contains(&"scope"), "{plain:?}");
        for tag in TAGS {
            let of_it = cases.iter().filter(|c| of(c).any(|t| t.name == tag.name)).count();
            assert!(of_it < cases.len() / 2, "{} is about {of_it} cases", tag.name);
        }
    }
}
