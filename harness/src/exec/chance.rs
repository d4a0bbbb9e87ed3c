//! What a resolver drew at random and drew twice.
//!
//! A stub resolver draws the id of each query and takes a port for each socket (RFC 5452 §9.1), of 65,536 and of some
//! 28,000: one run in some thirty has two that are one by chance, and its outcome, in which they are numbered as
//! they come, would be another.

use std::net::IpAddr;

use super::framing;
use crate::case::Case;
use crate::case::names::DNS_PORT;
use crate::trace::{Direction, Event, Trace};
use crate::wire::{Body, decode, dns};

/// A query that left.
struct Query {
    /// The step beneath which it left.
    op: u32,
    from: (IpAddr, u16),
    id: u16,
    question: (String, u16),
}

/// What is the same by chance, as one sentence.
pub(super) fn coincidence(case: &Case, trace: &Trace) -> Option<String> {
    if !case.resolves() {
        return None;
    }
    let queries: Vec<Query> = trace.events.iter().filter_map(|event| query(case, event)).collect();
    let mut pairs = queries
        .iter()
        .enumerate()
        .flat_map(|(at, one)| queries[..at].iter().map(move |other| (one, other)));
    pairs.find_map(|(one, other)| {
        if one.id == other.id && one.question != other.question {
            return Some(format!("two queries were drawn the id {}", one.id));
        }
        // One socket asks for all addresses of a name.
        let is_another = one.op != other.op || one.question.0 != other.question.0;
        let port = one.from.1;
        (one.from == other.from && is_another)
            .then(|| format!("two sockets were given the port {port}"))
    })
}

fn query(case: &Case, event: &Event) -> Option<Query> {
    let Event::Frame { op, link, dir: Direction::Out, bytes, .. } = event else { return None };
    let packet = decode(framing(case, link), &bytes.0);
    let (src, _) = packet.addresses()?;
    let Some(Body::Udp(udp)) = packet.body() else { return None };
    let message =
        dns::dns(udp.payload).filter(|message| udp.dport == DNS_PORT && !message.response)?;
    Some(Query { op: *op, from: (src, udp.sport), id: message.id, question: message.question? })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::case::names::RecordType::{self, A, Aaaa};
    use crate::case::{Flags, Hex, Lab, LinkKind, Op};
    use crate::trace::End;
    use crate::wire::build;

    /// Beneath which step, from which port, with which id, for what.
    type Asked = (u32, u16, u16, &'static str, RecordType);

    fn said(asked: &[Asked]) -> Option<String> {
        let (family, none) = ("AF_UNSPEC".into(), Flags::NONE);
        let node = Some("a".to_owned());
        let (r#type, flags) = (none.clone(), none);
        let ops = vec![Op::Getaddrinfo { node, service: None, family, r#type, flags }];
        let case = Case::new("s/t", String::new(), Lab::one(LinkKind::Tun, "tun0"), ops);
        assert!(case.resolves());
        let frame = |(op, port, id, name, kind): &Asked| {
            let mut message = dns::query(name, *kind);
            message[..2].copy_from_slice(&id.to_be_bytes());
            let from = format!("192.0.2.1:{port}").parse().expect("one");
            let to = "192.0.2.2:53".parse().expect("one");
            let bytes = build::udp(build::Link::Ip, from, to, 64, &message).expect("a datagram");
            let (link, dir) = ("tun0".to_owned(), Direction::Out);
            Event::Frame { op: *op, at_ns: 0, link, dir, bytes: Hex(bytes) }
        };
        let events = asked.iter().map(frame).collect();
        coincidence(&case, &Trace::new("s/t", Vec::new(), events, End::Done))
    }

    /// `names/search[nosuch,2]` at load 40: the second query had the id of the first.
    #[rstest]
    #[case::as_ever(&[(0, 40_000, 1, "a.b", A), (0, 40_000, 2, "a.b", Aaaa), (0, 40_001, 3, "a", A)], None)]
    #[case::again(&[(0, 40_000, 1, "a", A), (0, 40_000, 1, "a", A)], None)]
    #[case::one_id(
        &[(0, 40_000, 1, "a.b", A), (0, 40_001, 1, "a", A)],
        Some("two queries were drawn the id 1")
    )]
    #[case::one_id_of_both(
        &[(0, 40_000, 7, "a", A), (0, 40_000, 7, "a", Aaaa)],
        Some("two queries were drawn the id 7")
    )]
    #[case::one_port(
        &[(0, 40_000, 1, "a.b", A), (0, 40_000, 2, "a", A)],
        Some("two sockets were given the port 40000")
    )]
    #[case::one_port_of_two_calls(
        &[(0, 40_000, 1, "a", A), (1, 40_000, 2, "a", A)],
        Some("two sockets were given the port 40000")
    )]
    fn what_is_drawn_twice_is_seen(#[case] asked: &[Asked], #[case] wanted: Option<&str>) {
        assert_eq!(said(asked).as_deref(), wanted);
    }
}
