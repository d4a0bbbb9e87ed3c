//! The catalogue of behaviours that cases name: what each row asks, and why some cannot be asked
//! of Linux.

mod calls;

/// One behaviour that is worth a case.
#[derive(Clone, Copy, Debug)]
pub struct Behaviour {
    /// Such as `LINK-01`.
    pub id: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Why no case on Linux can ask it, if none can.
    pub elsewhere: Option<&'static str>,
}

const fn row(id: &'static str, about: &'static str) -> Behaviour {
    Behaviour { id, about, elsewhere: None }
}

const fn elsewhere(id: &'static str, about: &'static str, why: &'static str) -> Behaviour {
    Behaviour { id, about, elsewhere: Some(why) }
}

/// The rows that the suites are to cover, in their order.
pub fn catalogue() -> impl Iterator<Item = &'static Behaviour> {
    LABS.iter().chain(calls::CALLS)
}

/// What needs a lab: links, the path, scopes, servers, names, groups.
const LABS: &[Behaviour] = &[
    row("LINK-01", "UDP, TCP, ICMP to every kind of destination while the link is down"),
    elsewhere(
        "LINK-02",
        "errors lost behind a content filter",
        "needs a macOS content filter; link-state/udp-sendto-again has the calls",
    ),
    row("LINK-03", "UDP to the own IPv4 address of a link that is down"),
    row("LINK-04", "loopback down"),
    row("LINK-05", "socket bound to an interface that is down"),
    row("LINK-06", "multicast interface that is down"),
    row("LINK-07", "unreachable, prohibit, blackhole and throw routes"),
    row("LINK-08", "neighbour that never answers"),
    row("LINK-09", "address removed below a bound or connected socket"),
    row("LINK-10", "bind to the address of a link that is down"),
    row("LINK-11", "no route"),
    row("LINK-12", "address of an interface that is not up, used for bind"),
    row("LINK-13", "multicast over an interface with an odd MTU"),
    row("LINK-14", "loopback source on another link"),
    row("LINK-15", "closed UDP port: is a port unreachable sent"),
    row("FRAG-01", "DF by default"),
    row("FRAG-02", "do not fragment, then 10,000 bytes"),
    row("FRAG-03", "do not fragment on an AF_INET6 socket with a v4-mapped peer"),
    row("FRAG-04", "injected fragmentation needed and packet too big"),
    row("FRAG-05", "EMSGSIZE from recv after a packet too big"),
    row("FRAG-06", "IPv6 UDP larger than loopback's MTU"),
    row("FRAG-07", "IPPROTO_IP options on an AF_INET6 socket"),
    row("FRAG-08", "each mode of IP_MTU_DISCOVER"),
    row("FRAG-09", "broadcast larger than the MTU"),
    row("FRAG-10", "largest UDP payloads"),
    row("FRAG-11", "do not fragment over loopback"),
    row("FRAG-12", "UDP_SEGMENT larger than the path MTU"),
    row("FRAG-13", "UDP_SEGMENT over a link without checksum offload"),
    row("FRAG-14", "IP_MTU and IPV6_MTU, connected and not"),
    elsewhere(
        "FRAG-15",
        "EIO for IP_TOS as a control message",
        "a vendor's Android kernel, no released Linux",
    ),
    elsewhere("FRAG-16", "IP_DONTFRAG on OpenBSD", "needs OpenBSD or FreeBSD"),
    elsewhere(
        "FRAG-17",
        "IPV6_DONTFRAG set at the wrong level",
        "a mistake of a configure script, not of a kernel",
    ),
    row("FRAG-18", "IPV6_DONTFRAG of one byte"),
    row("FRAG-19", "do not fragment toggled while corked"),
    row("SCOPE-01", "link-local destination without a scope id"),
    row("SCOPE-02", "v4-mapped destinations of an IPV6_V6ONLY socket"),
    row("SCOPE-03", "bind with the scope of another or of no interface"),
    row("SCOPE-04", "scope id on an address that is not link-local"),
    row("SCOPE-05", "socket bound to an interface, scope id zero or another"),
    row("SCOPE-06", "scope ids that getsockname and getpeername report"),
    row("SCOPE-07", "IPV6_PKTINFO with an own link-local source"),
    row("SCOPE-08", "UDP connect to the wildcard address"),
    row("SCOPE-09", "bound to ::1, sent to a v4-mapped address, and the reverse"),
    row("SCOPE-10", "ff02::1 without a scope id"),
    row("SCOPE-11", "PKTINFO with a foreign source or a bad index"),
    row("SCOPE-12", "sockaddr_in given to an AF_INET6 socket"),
    row("SCOPE-13", "v4-compatible addresses"),
    row("HTTP-01", "two requests, a Set-Cookie, no Cookie"),
    row("HTTP-02", "stale keep-alive"),
    row("HTTP-03", "early response, then close with unread body"),
    row("HTTP-04", "large upload with a slow reader"),
    row("HTTP-05", "half-close, then the response"),
    row("HTTP-06", "response read after a failed write"),
    row("HTTP-07", "latency of a request in two writes"),
    row("HTTP-08", "data in a SYN"),
    row("HTTP-09", "unread trailing data before reuse"),
    row("HTTP-10", "WebSocket frames without a handshake"),
    row("HTTP-11", "FTP data connections"),
    row("NAME-01", "getaddrinfo and numeric zones"),
    row("NAME-02", "scope lost when A and AAAA are asked apart"),
    row("NAME-03", "numeric forms of addresses"),
    row("NAME-04", "services beyond 65535"),
    row("NAME-05", "getnameinfo with an unknown scope"),
    row("NAME-06", "values of EAI_ names"),
    row("NAME-07", "localhost and its spellings"),
    row("NAME-08", "AI_ADDRCONFIG with loopback alone"),
    elsewhere("NAME-09", "a runtime's dialer", "a behaviour of Go, not of a kernel or its libc"),
    row("MCAST-01", "IPv6 join with interface index zero"),
    row("MCAST-02", "IPv4 join without a route"),
    row("MCAST-03", "IP_MULTICAST_IF by address, index and nonsense"),
    row("MCAST-04", "delivery to a socket that did not join"),
    row("MCAST-05", "two listeners on a group"),
    row("MCAST-06", "double joins, leaves of what was not joined"),
    row("MCAST-07", "limit of memberships"),
    row("MCAST-08", "loopback of multicast"),
    row("MCAST-09", "IPV6_MULTICAST_LOOP and IPV6_MULTICAST_IF out of range"),
    row("MCAST-10", "PKTINFO of a received multicast"),
    elsewhere("MCAST-11", "multicast on CI without local network permission", "needs macOS 15"),
    row("MCAST-12", "multicast larger than the MTU"),
    row("MCAST-13", "multicast TTL by default"),
    row("MCAST-14", "source filters (RFC 3678)"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_row_is_there_once() {
        let ids: BTreeSet<&str> = catalogue().map(|row| row.id).collect();
        assert_eq!(ids.len(), catalogue().count());
    }

    #[test]
    fn each_row_has_a_case_or_a_reason() {
        let cases: Vec<_> = crate::tables().into_iter().flat_map(|table| table.cases).collect();
        let named: BTreeSet<&str> =
            cases.iter().flat_map(|case| &case.catalogue).map(String::as_str).collect();
        let bare: Vec<&str> = catalogue()
            .filter(|row| row.elsewhere.is_none() && !named.contains(row.id))
            .map(|row| row.id)
            .collect();
        assert!(bare.is_empty(), "{bare:?}");
    }
}
