//! What was drawn at random and drawn twice.
//!
//! A stub resolver draws the id of each query and takes a port for each socket (RFC 5452 §9.1), of 65,536 and of some
//! 28,000: one run in some thirty has two that are one by chance, and its outcome, in which they are numbered as
//! they come, would be another. So does a kernel that chooses ports of connections (RFC 6056 §3.3.3): two that go to
//! different places may have one port, and of the pairs of a catalogue one does in some hundred runs.

use std::net::IpAddr;

use super::framing;
use crate::case::addr::Port;
use crate::case::names::DNS_PORT;
use crate::case::op::Opt;
use crate::case::{Case, LabOp, Op};
use crate::trace::{Direction, Event, Trace};
use crate::wire::{Body, TcpFlags, decode, dns};

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
    let of_queries = || if case.resolves() { of_queries(case, trace) } else { None };
    of_connections(case, trace).or_else(of_queries)
}

/// Two connections of one port, which nobody but the kernel chose.
fn of_connections(case: &Case, trace: &Trace) -> Option<String> {
    let connects = |op: &&Op| {
        matches!(op.call(), "connect" | "sendto" | "sendmsg" | "sendmmsg") && op.addr().is_some()
    };
    if case.ops.iter().filter(connects).count() < 2 || chooses_ports(case) {
        return None;
    }
    let syns: Vec<_> = trace.events.iter().filter_map(|event| syn(case, event)).collect();
    let mut pairs = syns.iter().enumerate().flat_map(|(at, one)| {
        // By its number alone a port has its name in an outcome, whichever address it is at.
        syns[..at].iter().filter(move |other| one.0.1 == other.0.1 && one != *other)
    });
    pairs.next().map(|((_, port), _)| format!("two connections were given the port {port}"))
}

/// Whether a case has a hand in which ports its connections have.
fn chooses_ports(case: &Case) -> bool {
    let of = |op: &Op| match op {
        Op::Bind { addr, .. } => !matches!(addr.port, Port::Is(0)),
        Op::Setsockopt { option: Opt::Raw { name, .. }, .. } => {
            name.number().is_some()
                || ["IP_LOCAL_PORT_RANGE", "IP_BIND_ADDRESS_NO_PORT"].contains(&name.as_str())
        }
        Op::Raw { .. } => true,
        _ => false,
    };
    let sets = |step: &LabOp| matches!(step, LabOp::Sysctl { name, .. } if name.contains("port"));
    case.ops.iter().any(of) || case.lab.setup.iter().any(sets)
}

/// The ends of a connection that the host begins.
fn syn(case: &Case, event: &Event) -> Option<((IpAddr, u16), (IpAddr, u16))> {
    let Event::Frame { link, dir: Direction::Out, bytes, .. } = event else { return None };
    let packet = decode(framing(case, link), &bytes.0);
    let (src, dst) = packet.addresses()?;
    let Some(Body::Tcp(tcp)) = packet.body() else { return None };
    let begins = tcp.flags.has(TcpFlags::SYN) && !tcp.flags.has(TcpFlags::ACK);
    begins.then_some(((src, tcp.sport), (dst, tcp.dport)))
}

fn of_queries(case: &Case, trace: &Trace) -> Option<String> {
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

    /// `http/ftp[inet,PASV,rest]` at load 18: the connection for data had the port of the one for commands.
    #[rstest]
    #[case::as_ever(&["192.0.2.1:40000 192.0.2.2:21", "192.0.2.1:40001 192.0.2.2:2021"], "", None)]
    #[case::sent_again(&["192.0.2.1:40000 192.0.2.2:21", "192.0.2.1:40000 192.0.2.2:21"], "", None)]
    #[case::one_port(
        &["192.0.2.1:40000 192.0.2.2:21", "192.0.2.1:40000 192.0.2.2:2021"],
        "",
        Some("two connections were given the port 40000")
    )]
    #[case::of_both_families(
        &["192.0.2.1:40000 192.0.2.2:21", "[2001:db8::1]:40000 [2001:db8::2]:21"],
        "",
        Some("two connections were given the port 40000")
    )]
    #[case::chosen(
        &["192.0.2.1:40000 192.0.2.2:21", "192.0.2.1:40000 192.0.2.2:2021"],
        r#"{"bind":{"fd":"s","addr":{"host":{"ip":"0.0.0.0"},"port":{"is":40000}}}},"#,
        None
    )]
    #[case::any(
        &["192.0.2.1:40000 192.0.2.2:21", "192.0.2.1:40000 192.0.2.2:2021"],
        r#"{"bind":{"fd":"s","addr":{"host":{"ip":"0.0.0.0"},"port":{"is":0}}}},"#,
        Some("two connections were given the port 40000")
    )]
    fn a_port_that_two_connections_have_is_seen(
        #[case] syns: &[&str],
        #[case] bind: &str,
        #[case] wanted: Option<&str>,
    ) {
        let connect =
            r#"{"connect":{"fd":"s","addr":{"host":{"ip":"192.0.2.2"},"port":{"is":21}}}}"#;
        let ops = serde_json::from_str(&format!("[{bind}{connect},{connect}]")).expect("steps");
        let case = Case::new("s/t", String::new(), Lab::one(LinkKind::Tun, "tun0"), ops);
        let frame = |ends: &&str| {
            let (src, dst) = ends.split_once(' ').expect("two");
            let [src, dst] = [src, dst].map(|end| end.parse().expect("an end"));
            let (flags, options, payload) = (TcpFlags::SYN, &[][..], &b""[..]);
            let segment =
                build::Segment { flags, seq: 1, ack: 0, window: 9, urgent: 0, options, payload };
            let bytes = build::tcp_segment(build::Link::Ip, src, dst, 64, &segment).expect("one");
            let (link, dir) = ("tun0".to_owned(), Direction::Out);
            Event::Frame { op: 0, at_ns: 0, link, dir, bytes: Hex(bytes) }
        };
        let events = syns.iter().map(frame).collect();
        let trace = Trace::new("s/t", Vec::new(), events, End::Done);
        assert_eq!(coincidence(&case, &trace).as_deref(), wanted);
    }
}
