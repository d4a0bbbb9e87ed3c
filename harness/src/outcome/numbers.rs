//! What the sequence numbers of segments are told relative to, in cases that ask for it: the first number of
//! each end, as `tcpdump` has it. The numbers themselves are drawn at random (RFC 9293 §3.4.1).

use std::net::SocketAddr;

use super::frames::kind;
use super::names::Names;
use super::packets::framing;
use crate::trace::{Direction, Event, Trace};
use crate::wire::{self, Body, Numbers, Tcp, TcpFlags};

/// A connection on a link, by its ends.
struct Connection<'a> {
    link: &'a str,
    host: SocketAddr,
    far: SocketAddr,
    /// The first numbers of both.
    first: Firsts,
    /// How many bytes the far end's SYN has.
    of_syn: u32,
    /// The host has acknowledged the far end's first number: another one of it is no beginning.
    is_settled: bool,
}

#[derive(Clone, Copy, Default)]
struct Firsts {
    host: Option<u32>,
    far: Option<u32>,
}

/// For each event that is a segment on a link whose far end answers by hand, what its numbers are relative to.
/// Of all other links nothing is told: there the echo of a clock would be a clock.
pub(super) fn told(names: &Names<'_>, trace: &Trace) -> Vec<Option<Numbers>> {
    let case = names.case();
    if !case.tells_options() {
        return Vec::new();
    }
    let mut known = Vec::new();
    let told = trace.events.iter().map(|event| {
        let Event::Frame { link, dir, bytes, .. } = event else { return None };
        case.by_hand().find(|by_hand| by_hand == link)?;
        let packet = wire::decode(framing(kind(names, link)), &bytes.0);
        let ((src, dst), Body::Tcp(tcp)) = (packet.addresses()?, packet.body()?) else {
            return None;
        };
        let ends = (SocketAddr::new(src, tcp.sport), SocketAddr::new(dst, tcp.dport));
        Some(segment(&mut known, link, *dir, ends, tcp))
    });
    told.collect()
}

fn segment<'a>(
    known: &mut Vec<Connection<'a>>,
    link: &'a str,
    dir: Direction,
    (from, to): (SocketAddr, SocketAddr),
    tcp: &Tcp<'_>,
) -> Numbers {
    let by_host = dir == Direction::Out;
    let (host, far) = if by_host { (from, to) } else { (to, from) };
    let is = |one: &Connection<'_>| one.link == link && one.host == host && one.far == far;
    let at = known.iter().position(is).unwrap_or_else(|| {
        let first = Firsts::default();
        known.push(Connection { link, host, far, first, of_syn: 0, is_settled: false });
        known.len() - 1
    });
    let one = &mut known[at];
    let has = |flag| tcp.flags.has(flag);
    if by_host {
        let is_another = has(TcpFlags::SYN) && one.first.host != Some(tcp.seq);
        if is_another {
            one.first.host = Some(tcp.seq);
            one.is_settled = false;
        }
        if is_another && !has(TcpFlags::ACK) {
            one.first.far = None;
        }
        // Which of the far end's SYNs it takes, it says itself, and may take the data of one (RFC 7413 §2).
        let taken = tcp.ack.wrapping_sub(1);
        let is_of_syn = one.first.far.is_some_and(|syn| taken.wrapping_sub(syn) <= one.of_syn);
        if has(TcpFlags::SYN) && has(TcpFlags::ACK) && !one.is_settled && !is_of_syn {
            one.first.far = Some(taken);
        }
        one.is_settled |= has(TcpFlags::ACK) && !has(TcpFlags::RST);
    } else if has(TcpFlags::SYN) && !one.is_settled {
        one.first.far = Some(tcp.seq);
        one.of_syn = u32::try_from(tcp.payload.len()).unwrap_or(0);
    }
    let Firsts { host, far } = one.first;
    let (sender, receiver) = if by_host { (host, far) } else { (far, host) };
    // A reset of a segment without an acknowledgement has no number of its own (RFC 9293 §3.10.7.1).
    let sender = sender.filter(|_| tcp.seq != 0 || !has(TcpFlags::RST));
    Numbers { sender, receiver, by_host }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::tests::{case, trace};
    use crate::case::far::{Frame, Segment};
    use crate::case::{Hex, LabOp, Op, Os};
    use crate::outcome::render;
    use crate::trace::{Direction, Event};
    use crate::wire::build;

    const HOST: &str = "192.0.2.1:40000";
    const FAR: &str = "192.0.2.2:80";

    /// A segment on `tun0`: of the host, or of its far end.
    fn segment(dir: Direction, flags: &str, [seq, ack]: [u32; 2], options: &[u8]) -> Event {
        let (host, far) = (HOST.parse().expect("one"), FAR.parse().expect("one"));
        let (from, to) = if dir == Direction::Out { (host, far) } else { (far, host) };
        let flags = flags.parse().expect("flags");
        let segment =
            build::Segment { flags, seq, ack, window: 9, options, ..build::Segment::default() };
        let bytes = build::tcp_segment(build::Link::Ip, from, to, 64, &segment).expect("TCP");
        Event::Frame { op: 0, at_ns: 0, link: "tun0".into(), dir, bytes: Hex(bytes) }
    }

    /// What is shown of the segments, once a far end has sent one with these options.
    fn shown(options: bool, events: Vec<Event>) -> Vec<String> {
        let options = options.then(Vec::new);
        let frame = Frame::Segment(Segment { options, ..Segment::new("S.") });
        let case = case([Op::Lab { step: LabOp::Say { link: "tun0".into(), frame } }]);
        let shown = render(&case, &trace(events), Os::Linux);
        let frames = shown.lines().filter(|line| line.starts_with("    "));
        let frames = frames.filter_map(|line| line.split_once(" TCP "));
        frames.map(|(_, tcp)| tcp.to_owned()).collect()
    }

    /// The first numbers of both, and the host's clock.
    #[rstest]
    #[case(0, 1_000_000, 1)]
    #[case(u32::MAX - 1, u32::MAX, 0xfeed)]
    fn numbers_are_relative_and_clocks_are_out(
        #[case] host: u32,
        #[case] far: u32,
        #[case] clock: u32,
    ) {
        let [host1, far1] = [host.wrapping_add(1), far.wrapping_add(1)];
        let times = |value: u32, echo: u32| {
            [&[1, 1, 8, 10][..], &value.to_be_bytes(), &echo.to_be_bytes()].concat()
        };
        let edges = [far.wrapping_add(5), far.wrapping_add(9)].map(u32::to_be_bytes).concat();
        let sack = [&[1, 1, 5, 10][..], &edges].concat();
        let events = || {
            vec![
                segment(Direction::Out, "S", [host, 0], &times(clock, 0)),
                segment(Direction::In, "S.", [far, host1], &times(100, clock)),
                segment(Direction::Out, ".", [host1, far1], &times(clock, 100)),
                segment(Direction::In, "F.", [far.wrapping_add(4), host1], &[2, 4, 3, 232]),
                segment(Direction::Out, ".", [host1, far1], &sack),
                segment(Direction::Out, "R.", [host1, far1.wrapping_sub(3)], &[0, 0, 0, 0]),
                segment(Direction::Out, "R.", [0, far1], &[]),
            ]
        };
        let told = [
            "eph1 > eph2 [S] win 9 [nop,nop,TS]",
            "eph2 > eph1 [S.] ack 1 win 9 [nop,nop,TS val 100]",
            "eph1 > eph2 [.] ack 1 [nop,nop,TS ecr 100]",
            "eph2 > eph1 [F.] seq 4 ack 1 [mss 1000]",
            "eph1 > eph2 [.] ack 1 [nop,nop,sack 5:9]",
            "eph1 > eph2 [R.] seq 1 ack -2 [eol]",
            "eph1 > eph2 [R.] ack 1",
        ];
        assert_eq!(shown(true, events()), told);
        // The planted negative: nobody has asked.
        let plain = shown(false, events());
        assert_eq!(plain[1], "eph2 > eph1 [S.] win 9 ts");
        assert_eq!(plain[4], "eph1 > eph2 [.] sack 1");
    }

    /// A SYN in the middle is no beginning, and a new connection of the same ports is one.
    #[test]
    fn a_connection_begins_where_the_host_says_so() {
        let events = vec![
            segment(Direction::In, "S", [500, 0], &[]),
            segment(Direction::Out, "S.", [7, 501], &[]),
            segment(Direction::In, "S", [900, 0], &[]),
            segment(Direction::Out, ".", [8, 501], &[]),
            segment(Direction::In, "R", [501, 0], &[]),
            segment(Direction::In, "S", [600, 0], &[]),
            segment(Direction::Out, "S.", [70_000, 601], &[]),
            segment(Direction::In, "F.", [601, 70_001], &[]),
        ];
        let shown = shown(true, events);
        assert_eq!(shown[3], "eph2 > eph1 [.] ack 1");
        assert_eq!(shown[4], "eph1 > eph2 [R] seq 1");
        // The second SYN-ACK reads as the first, and is not said again beneath one step.
        assert_eq!(shown.len(), 7);
        assert_eq!(shown[6], "eph1 > eph2 [F.] seq 1 ack 1");
    }

    /// The data of a SYN is the far end's too: that the host takes it, its SYN-ACK says (RFC 7413 §2). It was told
    /// as `ack 1`, as where it does not.
    #[rstest]
    #[case(1_000, "ack 6", "seq 6")]
    #[case(995, "ack 1", "seq 6")]
    fn data_of_a_syn_is_acknowledged_or_not(
        #[case] up_to: u32,
        #[case] says: &str,
        #[case] goes_on: &str,
    ) {
        let far = 994;
        let mut syn = segment(Direction::In, "S", [far, 0], &[]);
        let Event::Frame { bytes, .. } = &mut syn else { panic!("a frame") };
        let options = &[];
        let (from, to) = (FAR.parse().expect("one"), HOST.parse().expect("one"));
        let with = build::Segment {
            flags: "S".parse().expect("flags"),
            seq: far,
            options,
            payload: b"hello",
            ..build::Segment::default()
        };
        bytes.0 = build::tcp_segment(build::Link::Ip, from, to, 64, &with).expect("TCP");
        let shown = shown(
            true,
            vec![
                syn,
                segment(Direction::Out, "S.", [7, up_to], &[]),
                segment(Direction::In, "F.", [1_000, 8], &[]),
            ],
        );
        assert!(shown[1].contains(&format!("[S.] {says}")), "{shown:?}");
        assert!(shown[2].contains(&format!("[F.] {goes_on}")), "{shown:?}");
    }
}
