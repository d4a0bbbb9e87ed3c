//! What `getaddrinfo` and `getnameinfo` promise beyond their errors.
//!
//! Judged is what stands in the trace: the arguments, the list, and the messages of the DNS that
//! went and came during the call. Where an address came from that no message had (a file, the text
//! itself) is not judged.
//!
//! # Where they fire
//!
//! *A number is not looked up* with no C library that was run; a fault plants it (`tests/plants.rs`). The others with
//! glibc, *localhost* and *responses* with musl, too: see `known-deviations.toml`.

use std::net::{IpAddr, Ipv6Addr};

use harness::case::addr::SockAddr;
use harness::case::names::DNS_PORT;
use harness::case::op::Op;
use harness::case::{Case, Flags};
use harness::trace::{AddrInfo, Direction, Out, Trace};
use harness::verdict::Rank;
use harness::wire::Body;
use harness::wire::dns::{Dns, addresses, dns};

use super::view::{Call, View};
use super::{Cite, Finding, Needs, Rule};

/// The rule *a number is not looked up*.
pub(super) const NUMERIC: Rule = Rule {
    name: "numeric-asks-nobody",
    rank: Rank::Violates,
    needs: Needs::Frames,
    says: "With AI_NUMERICHOST or NI_NUMERICHOST nobody is asked: no query leaves.",
    cites: &[Cite {
        source: "POSIX.1-2017 getaddrinfo, after RFC 3493 §6.1",
        quote: "This flag shall prevent any type of name resolution service (for \
                example, the DNS) from being invoked.",
    }],
    check: |case, trace, _| judged(case, trace, &NUMERIC, numeric),
};

/// The rule *localhost is nobody else's business*.
pub(super) const LOCALHOST: Rule = Rule {
    name: "localhost-is-not-asked-for",
    rank: Rank::Surprises,
    needs: Needs::Frames,
    says: "No query for localhost, or for a name beneath it, leaves the host.",
    cites: &[Cite {
        source: "RFC 6761 §6.3 item 3",
        quote: "Name resolution APIs SHOULD NOT send queries for localhost names to their \
                configured caching DNS server(s).",
    }],
    check: |case, trace, _| judged(case, trace, &LOCALHOST, localhost),
};

/// The rule *a service is its port*.
pub(super) const SERVICE: Rule = Rule {
    name: "service-is-the-port",
    rank: Rank::Violates,
    needs: Needs::Frames,
    says: "A service of decimal digits becomes that very port; one that no port can have is \
           refused.",
    cites: &[Cite {
        source: "POSIX.1-2017 getaddrinfo",
        quote: "The service passed was not recognized for the specified socket type.",
    }],
    check: |case, trace, _| judged(case, trace, &SERVICE, service),
};

/// The rule *no zone without a scope*.
pub(super) const ZONE: Rule = Rule {
    name: "no-zone-without-a-scope",
    // Who should not is who writes such a text: what becomes of it is not said.
    rank: Rank::Undocumented,
    needs: Needs::Frames,
    says: "getaddrinfo gives no scope id to a global address or to the unspecified address; that it \
           refuses the text instead is this project's reading.",
    cites: &[
        Cite {
            source: "RFC 4007 §11.1",
            quote: "The format is meaningless and should not be used for global addresses.",
        },
        Cite {
            source: "RFC 4291 §2.5.3 (why loopback is not judged)",
            quote: "It is treated as having Link-Local scope, and may be thought of as the \
                    Link-Local unicast address of a virtual interface",
        },
    ],
    check: |case, trace, _| judged(case, trace, &ZONE, zone),
};

/// The rule *an answer is a response*.
pub(super) const RESPONSE: Rule = Rule {
    name: "answers-are-responses",
    rank: Rank::Violates,
    needs: Needs::Frames,
    says: "An address that getaddrinfo has from the network came in a response: with its bit, with \
           the ID and with the question of a query.",
    cites: &[
        Cite {
            source: "RFC 1035 §7.3",
            quote: "Check the header for reasonableness. Discard datagrams which are queries when \
                    responses are expected.",
        },
        Cite {
            source: "RFC 5452 §9.1",
            quote: "A resolver implementation MUST match responses to all of the following \
                    attributes of the query",
        },
    ],
    check: |case, trace, _| judged(case, trace, &RESPONSE, response),
};

/// A call that resolves, and what was said on the wires meanwhile.
struct Lookup<'v, 'a> {
    call: &'v Call<'a>,
    queries: Vec<Dns>,
    replies: Vec<Dns>,
}

fn judged(
    case: &Case,
    trace: &Trace,
    rule: &Rule,
    broken: fn(&Lookup<'_, '_>) -> Option<String>,
) -> Vec<Finding> {
    if !case.resolves() {
        return Vec::new();
    }
    let view = View::new(case, trace);
    let calls = view
        .calls
        .iter()
        .filter(|call| matches!(call.what, Op::Getaddrinfo { .. } | Op::Getnameinfo { .. }));
    calls
        .filter_map(|call| {
            let said = |dir| messages(&view, call.op, dir);
            let (local, queries): (Vec<Dns>, Vec<Dns>) =
                said(Direction::Out).into_iter().partition(|message| message.response);
            let replies = [local, said(Direction::In)].concat();
            let text = broken(&Lookup { call, queries, replies })?;
            Some(rule.finds(call.op, text))
        })
        .collect()
}

/// The messages that went one way during a step. On loopback, where both ends are the host, the
/// responses went out too.
fn messages(view: &View<'_>, op: u32, dir: Direction) -> Vec<Dns> {
    let frames = view.frames.iter().filter(|seen| seen.op == op && seen.dir == dir);
    frames
        .filter_map(|seen| match seen.packet.body()? {
            Body::Udp(udp) if [udp.sport, udp.dport].contains(&DNS_PORT) => dns(udp.payload),
            Body::Tcp(tcp) if [tcp.sport, tcp.dport].contains(&DNS_PORT) => {
                dns(tcp.payload.get(2..)?)
            }
            _ => None,
        })
        .collect()
}

fn has(call: &Call<'_>, flag: &str) -> bool {
    let flags: &Flags = match call.what {
        Op::Getaddrinfo { flags, .. } | Op::Getnameinfo { flags, .. } => flags,
        _ => return false,
    };
    flags.has(flag)
}

fn list<'a>(call: &Call<'a>) -> &'a [AddrInfo] {
    match call.out {
        Out::Addrs(list) => list,
        _ => &[],
    }
}

fn asked(query: &Dns) -> &str {
    query.question.as_ref().map_or("", |(name, _)| name)
}

fn numeric(lookup: &Lookup<'_, '_>) -> Option<String> {
    let flag =
        ["AI_NUMERICHOST", "NI_NUMERICHOST"].into_iter().find(|flag| has(lookup.call, flag))?;
    let query = lookup.queries.first()?;
    Some(format!(
        "{} was given {flag}, yet a query for {} left.",
        lookup.call.what.call(),
        asked(query)
    ))
}

fn localhost(lookup: &Lookup<'_, '_>) -> Option<String> {
    let is_localhost = |name: &str| {
        let name = name.to_ascii_lowercase();
        name == "localhost" || name.ends_with(".localhost")
    };
    let query = lookup.queries.iter().find(|query| is_localhost(asked(query)))?;
    Some(format!("{} sent a query for {}.", lookup.call.what.call(), asked(query)))
}

fn service(lookup: &Lookup<'_, '_>) -> Option<String> {
    let Op::Getaddrinfo { service: Some(service), .. } = lookup.call.what else { return None };
    if service.is_empty() || !service.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let port = service.parse::<u16>().ok();
    let other = list(lookup.call).iter().find(|info| info.addr.port() != port)?;
    let got = other.addr.port().unwrap_or_default();
    Some(format!("getaddrinfo made port {got} of the service {service}."))
}

fn zone(lookup: &Lookup<'_, '_>) -> Option<String> {
    let Op::Getaddrinfo { node: Some(node), .. } = lookup.call.what else { return None };
    list(lookup.call).iter().find_map(|info| match info.addr {
        SockAddr::V6 { ip, scope, .. } if scope != 0 && has_no_scope(ip) => {
            Some(format!("getaddrinfo gave {ip}, which has no zone, a scope id for {node:?}."))
        }
        _ => None,
    })
}

/// Unicast but link-local, loopback (which has that scope) and site-local (RFC 4007 §4, RFC 3879), and
/// groups of global scope.
fn has_no_scope(ip: Ipv6Addr) -> bool {
    let head = ip.segments()[0];
    if ip.is_multicast() {
        return head & 0xf == 0xe;
    }
    !ip.is_unicast_link_local() && !ip.is_loopback() && head & 0xffc0 != 0xfec0
}

fn response(lookup: &Lookup<'_, '_>) -> Option<String> {
    let belongs = |message: &Dns| {
        let same = |query: &&Dns| {
            let question = |dns: &Dns| {
                dns.question.as_ref().map(|(name, kind)| (name.to_ascii_lowercase(), *kind))
            };
            query.id == message.id && question(query) == question(message)
        };
        message.response && lookup.queries.iter().any(|query| same(&query))
    };
    let (good, bad): (Vec<&Dns>, Vec<&Dns>) = lookup.replies.iter().partition(|m| belongs(m));
    let among =
        |messages: &[&Dns], ip: IpAddr| messages.iter().any(|m| addresses(m).any(|a| a == ip));
    let ips = list(lookup.call).iter().filter_map(|info| info.addr.ip());
    let ip = ips.into_iter().find(|ip| among(&bad, *ip) && !among(&good, *ip))?;
    Some(format!("getaddrinfo gave {ip}, which came in no response to its queries."))
}
