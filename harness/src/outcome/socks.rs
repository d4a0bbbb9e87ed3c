//! The sockets of a case: what each of them is, from the calls that made it.

use crate::case::{Case, Op};

/// Whose number a port is. Two protocols may draw the same ephemeral port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Udp,
    Tcp,
    /// The identifier of an echo, which is the port of a `SOCK_DGRAM` socket of ICMP.
    Ping,
    /// Another protocol with ports, such as SCTP.
    Other,
    /// The ports of `AF_VSOCK`, whatever the socket.
    Vsock,
    /// And of `AF_NETLINK`, which are processes, or drawn where the process has one already.
    Netlink,
}

/// What a socket's ports are; none for raw and local sockets, whose addresses have none.
pub(super) fn transport(case: &Case, fd: &str) -> Option<Transport> {
    let Op::Socket { domain, r#type, protocol, .. } = made_by(case, fd)? else { return None };
    if !matches!(domain.plain(), "AF_INET" | "AF_INET6") || r#type.has("SOCK_RAW") {
        None
    } else if protocol.has("IPPROTO_ICMP") || protocol.has("IPPROTO_ICMPV6") {
        Some(Transport::Ping)
    } else if r#type.has("SOCK_DGRAM") {
        Some(Transport::Udp)
    } else if r#type.has("SOCK_STREAM") {
        Some(Transport::Tcp)
    } else {
        Some(Transport::Other)
    }
}

/// Whether its ports are identifiers of echoes, which a kernel draws from all there are (icmp(7)).
pub fn is_ping(case: &Case, fd: &str) -> bool {
    transport(case, fd) == Some(Transport::Ping)
}

/// Whether it is a socket by which rtnetlink speaks.
pub(super) fn is_route(case: &Case, fd: &str) -> bool {
    match made_by(case, fd) {
        Some(Op::Socket { domain, protocol, .. }) => {
            domain.plain() == "AF_NETLINK"
                && (protocol.0.is_empty() || protocol.has("NETLINK_ROUTE"))
        }
        _ => false,
    }
}

/// What a receive on a raw socket begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raw {
    /// The IPv4 header (Linux raw(7), Darwin ip(4)).
    V4,
    /// The ICMPv6 header: IPv6 headers are not given (RFC 3542 §3).
    Icmp6,
    /// What follows the IPv6 header.
    Other,
}

/// None for a socket that is not raw, or one of netlink, of which raw ones are as the others.
pub(super) fn raw(case: &Case, fd: &str) -> Option<Raw> {
    match made_by(case, fd)? {
        Op::Socket { domain, .. } if domain.plain() == "AF_NETLINK" => None,
        Op::Socket { domain, r#type, protocol, .. } if r#type.has("SOCK_RAW") => {
            Some(match domain.plain() {
                "AF_INET" => Raw::V4,
                _ if protocol.has("IPPROTO_ICMPV6") => Raw::Icmp6,
                _ => Raw::Other,
            })
        }
        _ => None,
    }
}

/// Whether the kernel picks the identifiers of echoes for some socket of the case.
pub(super) fn has_ping(case: &Case) -> bool {
    case.ops.iter().any(|op| match op {
        Op::Socket { fd, .. } => transport(case, fd) == Some(Transport::Ping),
        _ => false,
    })
}

/// The `socket` or `socketpair` that made `fd`, or the listener that it was accepted from.
fn made_by<'a>(case: &'a Case, fd: &'a str) -> Option<&'a Op> {
    let mut name = fd;
    // Each round follows one `accept`, and a case may name a listener after its own child.
    for _ in 0..=case.ops.len() {
        let made = case.ops.iter().find(|op| match op {
            Op::Socket { fd, .. } => fd == name,
            Op::Socketpair { a, b, .. } => a == name || b == name,
            Op::Accept { new, .. } | Op::Accept4 { new, .. } | Op::Dup { new, .. } => new == name,
            _ => false,
        });
        match made? {
            Op::Accept { fd: of, .. } | Op::Accept4 { fd: of, .. } | Op::Dup { fd: of, .. } => {
                name = of;
            }
            op => return Some(op),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::tests::{case, socket};
    use super::*;

    fn accept(fd: &str, new: &str) -> Op {
        Op::Accept { fd: fd.into(), new: new.into() }
    }

    #[rstest]
    #[case(socket("s", "AF_INET", "SOCK_DGRAM", ""), Some(Transport::Udp))]
    #[case(socket("s", "AF_INET6", "SOCK_STREAM", ""), Some(Transport::Tcp))]
    #[case(socket("s", "AF_INET6", "SOCK_DGRAM", "IPPROTO_ICMPV6"), Some(Transport::Ping))]
    #[case(socket("s", "AF_INET", "SOCK_SEQPACKET", ""), Some(Transport::Other))]
    #[case(socket("s", "AF_INET", "SOCK_RAW", "IPPROTO_ICMP"), None)]
    #[case(socket("s", "AF_UNIX", "SOCK_DGRAM", ""), None)]
    #[case(socket("other", "AF_INET", "SOCK_DGRAM", ""), None)]
    fn each_socket_has_its_ports(#[case] op: Op, #[case] expected: Option<Transport>) {
        assert_eq!(transport(&case([op]), "s"), expected);
    }

    #[test]
    fn an_accepted_socket_is_as_its_listener() {
        let ops = [socket("l", "AF_INET", "SOCK_STREAM", ""), accept("l", "c"), accept("c", "d")];
        assert_eq!(transport(&case(ops), "d"), Some(Transport::Tcp));
    }

    #[test]
    fn sockets_accepted_in_a_circle_are_nothing() {
        assert_eq!(transport(&case([accept("a", "b"), accept("b", "a")]), "a"), None);
        assert_eq!(transport(&case([accept("a", "a")]), "a"), None);
    }
}
