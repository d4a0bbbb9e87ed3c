//! What far ends send by words, and what the host makes of it.

use harness::case::{Case, Os};
use harness::outcome;
use harness::trace::{Direction, End, Event, Trace};
use notation::Written;
use rstest::rstest;

use crate::common::{has_labs, traces};

/// The one case of a text; `head` stands above it.
fn written(head: &str, text: &str) -> Written {
    let text = format!("{head}\n{text}\n");
    let read = notation::read("far", &text);
    let mut read =
        read.unwrap_or_else(|faults| panic!("{}", notation::render(&faults, "far", &text, false)));
    assert_eq!(read.len(), 1, "{text}");
    let written = read.remove(0);
    // What it prints is the same case.
    let printed = notation::print(&written.case);
    assert_eq!(notation::read("far", &printed).expect("it reads back")[0].case, written.case);
    written
}

/// What came of it, where there are labs and their kernel is Linux.
fn run(written: &Written) -> Option<Trace> {
    if Os::host() != Some(Os::Linux) || !has_labs() {
        return None;
    }
    let mut traces = traces(&[], std::slice::from_ref(&written.case));
    let trace = traces.remove(0);
    assert_eq!(trace.check(&written.case), Ok(()));
    Some(trace)
}

fn shown(case: &Case, trace: &Trace) -> String {
    outcome::render(case, trace, Os::Linux)
}

/// All that the text asks for came.
fn holds(head: &str, text: &str) -> Option<String> {
    let written = written(head, text);
    let trace = run(&written)?;
    let shown = shown(&written.case, &trace);
    assert_eq!(trace.end, End::Done, "{shown}");
    assert_eq!(written.unmet(&trace, Os::Linux), [], "{shown}");
    Some(shown)
}

const UDP4: &str = "tun link0 mtu 1400
    socket(AF_INET, SOCK_DGRAM, 0) = s
    connect(s, {AF_INET neighbour(link0):9})";

const UDP6: &str = "tun link0
    socket(AF_INET6, SOCK_DGRAM, 0) = s
    connect(s, {AF_INET6 [neighbour(link0)]:9})";

#[rstest]
#[case::v4(UDP4, "ICMP port unreachable", "ECONNREFUSED")]
#[case::v6(UDP6, "ICMPv6 port unreachable", "ECONNREFUSED")]
#[case::v6_of_both(UDP6, "ICMP port unreachable", "ECONNREFUSED")]
#[case::protocol(UDP4, "ICMP protocol unreachable", "ENOPROTOOPT")]
#[case::from_a_router(UDP4, "ICMP port unreachable from silent(link0,v4)", "ECONNREFUSED")]
#[case::administration(UDP6, "ICMP administratively prohibited", "EACCES")]
fn a_second_send_reports_the_error_that_the_first_one_caused(
    #[case] head: &str,
    #[case] error: &str,
    #[case] errno: &str,
) {
    let text = format!(
        "send(s, \"x\", 1, 0) = 1
            > link0 UDP \"x\"
            < link0 {error}, quoting it
        send(s, \"y\", 1, 0) = -1 {errno}
        send(s, \"z\", 1, 0) = 1"
    );
    let Some(shown) = holds(head, &text) else { return };
    assert!(
        shown.contains(&format!("-- link0 sends {error}, quoting it\n    < link0 IP")),
        "{shown}"
    );
}

/// The planted negative: of a forged error a host makes nothing (RFC 5927 §4).
#[rstest]
#[case("source port wrong")]
#[case("destination port wrong")]
#[case("source wrong")]
#[case("destination wrong")]
#[case("checksum wrong")]
#[case("cut to 20 bytes")]
fn a_forged_error_is_nobodys(#[case] lie: &str) {
    for head in [UDP4, UDP6] {
        // Of IPv6 more has to be cut: its header is longer.
        let lie = if head == UDP6 { lie.replace("20", "40") } else { lie.to_owned() };
        let text = format!(
            "send(s, \"x\", 1, 0) = 1
                < link0 ICMP port unreachable, quoting it, {lie}
            send(s, \"y\", 1, 0) = 1"
        );
        holds(head, &text);
    }
}

#[rstest]
#[case(UDP4, "ICMP fragmentation needed mtu 1300", "IPPROTO_IP, IP_MTU", 1300)]
#[case(UDP6, "ICMPv6 packet too big mtu 1300", "IPPROTO_IPV6, IPV6_MTU", 1300)]
// The planted negative: from a forged one nothing is learned.
#[case(
    UDP4,
    "ICMP fragmentation needed mtu 1300, quoting it, destination port wrong",
    "IPPROTO_IP, IP_MTU",
    1400
)]
#[case(
    UDP6,
    "ICMPv6 packet too big mtu 1300, quoting it, checksum wrong",
    "IPPROTO_IPV6, IPV6_MTU",
    1500
)]
fn the_mtu_of_a_path_is_learned(
    #[case] head: &str,
    #[case] error: &str,
    #[case] option: &str,
    #[case] mtu: u32,
) {
    let lies = if error.contains("quoting it") { "" } else { ", quoting it" };
    let text = format!(
        "send(s, pattern[0..1340], 0) = 1340
            < link0 {error}{lies}
        getsockopt(s, {option}) = 0, {mtu}"
    );
    holds(head, &text);
}

#[test]
fn what_a_host_has_learned_of_a_path_is_gone_with_its_case() {
    let first = written(
        UDP6,
        "send(s, pattern[0..1340], 0) = 1340\n< link0 ICMPv6 packet too big mtu 1300, quoting it",
    );
    let second = written(UDP6, "getsockopt(s, IPPROTO_IPV6, IPV6_MTU) = 0, 1500");
    if run(&first).is_none() {
        return;
    }
    let cases = [first.case, Case { id: "far/second".to_owned(), ..second.case.clone() }];
    let traces = traces(&[], &cases);
    assert_eq!(second.unmet(&traces[1], Os::Linux), [], "{}", shown(&cases[1], &traces[1]));
}

#[rstest]
#[case::plain("AF_INET", "own(link0)", "v4", "", "IPv4 ttl 64 UDP")]
#[case::v4("AF_INET", "own(link0)", "v4", "ttl 1 tos 0x02 df", "IPv4 ttl 1 DF tos 0x02")]
#[case::v6("AF_INET6", "[own(link0)]", "v6", "hlim 1 class 0x02", "IPv6 hlim 1 class 0x02")]
fn a_datagram_arrives_from_whom_it_says(
    #[case] family: &str,
    #[case] own: &str,
    #[case] range: &str,
    #[case] with: &str,
    #[case] seen: &str,
) {
    let from = if range == "v4" { "192.0.2.2:9" } else { "[2001:db8::2]:9" };
    for kind in ["tun", "tap"] {
        let head = format!(
            "{kind} link0
            socket({family}, SOCK_DGRAM, 0) = s
            bind(s, {{{family} {own}:0}})"
        );
        let text = format!(
            "< link0 UDP neighbour(link0,{range}):9 > own(link0,{range}):port(s) \"x\" {with}
                < link0 {seen}
            recvfrom(s, 16, MSG_DONTWAIT) = 1, \"x\", {{{family} {from}}}
            recvfrom(s, 16, MSG_DONTWAIT) = -1 EAGAIN"
        );
        holds(&head, &text);
    }
}

/// The planted negative, and that no port is made up.
#[test]
fn a_datagram_that_is_not_right_does_not_arrive() {
    let head = "tun link0
        socket(AF_INET, SOCK_DGRAM, 0) = s
        bind(s, {AF_INET own(link0):0})";
    let text = "< link0 UDP neighbour(link0,v4):9 > own(link0,v4):port(s) \"x\", checksum wrong
        recvfrom(s, 16, MSG_DONTWAIT) = -1 EAGAIN";
    holds(head, text);
    let unbound = "tun link0\nsocket(AF_INET, SOCK_DGRAM, 0) = s";
    let broken = written(unbound, text);
    let Some(trace) = run(&broken) else { return };
    let End::Broken { reason } = &trace.end else { panic!("{:?}", trace.end) };
    assert!(reason.ends_with("there is no port port(s) yet"), "{reason}");
}

/// A stream socket that another thread connects.
const TCP: &str = "tun link0
    socket(AF_INET, SOCK_STREAM, 0) = s
    t: connect(s, {AF_INET neighbour(link0):80})
        > link0 TCP [S]";

#[test]
fn a_connection_is_made_by_hand() {
    let text = "< link0 TCP [S.] mss 1000
            > link0 TCP [.]
        t: <... connect resumed> = 0
        getsockopt(s, IPPROTO_TCP, TCP_MAXSEG) = 0, 1000
        send(s, \"hello\", 5, 0) = 5
            > link0 TCP [P.] \"hello\"
            < link0 TCP [.]
            < link0 TCP [P.] seq +5 \"world\"
            < link0 TCP [P.] \"small\"
        recv(s, 16, MSG_DONTWAIT) = 10, \"smallworld\"
            < link0 TCP [F.]
        recv(s, 16, MSG_DONTWAIT) = 0
            < link0 TCP [R]
        send(s, \"x\", 1, MSG_NOSIGNAL) = -1 EPIPE";
    let Some(shown) = holds(TCP, text) else { return };
    assert!(shown.contains("-- link0 sends TCP [S.] mss 1000\n    < link0 IPv4"), "{shown}");
    assert!(!shown.contains("bad checksum"), "{shown}");
}

#[rstest]
#[case::reset("[R]", "-1 ECONNRESET")]
#[case::reset_with_ack("[R.]", "-1 ECONNRESET")]
// The planted negatives: outside of the window, or not right, it is none (RFC 5961 §3.2).
#[case::elsewhere("[R] seq -5", "-1 EAGAIN")]
#[case::beyond("[R] seq +70000", "-1 EAGAIN")]
#[case::spoilt("[R], checksum wrong", "-1 EAGAIN")]
fn a_reset_ends_a_connection(#[case] segment: &str, #[case] recv: &str) {
    let text = format!(
        "< link0 TCP [S.]
        t: <... connect resumed> = 0
        < link0 TCP {segment}
        recv(s, 16, MSG_DONTWAIT) = {recv}"
    );
    holds(TCP, &text);
}

#[test]
fn a_window_of_nothing_holds_data_back() {
    let text = "< link0 TCP [S.] win 0
        t: <... connect resumed> = 0
        send(s, \"hello\", 5, 0) = 5
            > nothing
        < link0 TCP [.] win 100
            > link0 TCP [P.] \"hello\"";
    holds(TCP, text);
}

/// What the host makes of options: it tells blocks, echoes times, and drops what is too old (RFC 7323 §5.3).
#[test]
fn options_are_understood_and_told() {
    let text = "< link0 TCP [S.] [mss 1000,sackOK,TS val 100,nop,wscale 7]
            > link0 TCP [.] ack 1 [nop,nop,TS ecr 100]
        t: <... connect resumed> = 0
        getsockopt(s, IPPROTO_TCP, TCP_MAXSEG) = 0, 988
        < link0 TCP [P.] seq +4 [nop,nop,TS val 100] \"late\"
            > link0 TCP [.] ack 1 [nop,nop,TS ecr 100,nop,nop,sack 5:9]
        < link0 TCP [P.] [nop,nop,TS val 90] \"lost\"
            > link0 TCP [.] ack 1
        recv(s, 16, MSG_DONTWAIT) = -1 EAGAIN
        < link0 TCP [P.] seq -4 [nop,nop,TS val 101] \"next\"
            > link0 TCP [.] ack 9 [nop,nop,TS ecr 101]
        recv(s, 16, MSG_DONTWAIT) = 8, \"nextlate\"";
    holds(TCP, text);
}

/// The planted negatives: an echo that is a lie ends the connection, and without a list of options an outcome
/// has neither numbers nor blocks.
#[test]
fn options_that_lie_and_a_case_that_has_none() {
    let text = "< link0 TCP [S.] [mss 1000,nop,nop,TS val 100 ecr -60000]
            > link0 TCP [R]";
    let head = TCP.replace("t: connect", "fcntl(s, F_SETFL, O_NONBLOCK)\nconnect");
    holds(&head, text);
    let text = "< link0 TCP [S.] mss 1000
            > link0 TCP [.]
        t: <... connect resumed> = 0
        send(s, \"x\", 1, 0) = 1
            > link0 TCP [P.] \"x\"";
    let Some(shown) = holds(TCP, text) else { return };
    assert!(shown.contains("[S] win 64240 mss 1460 sackOK ts wscale"), "{shown}");
    assert!(!shown.contains(" seq ") && !shown.contains("] ack "), "{shown}");
}

/// In SYN-SENT a reset counts if it acknowledges the SYN (RFC 9293 §3.10.7.3), and nobody else answers.
#[test]
fn a_connection_is_refused_by_hand() {
    let head = "tun link0
        socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, 0) = s
        connect(s, {AF_INET neighbour(link0):80}) = -1 EINPROGRESS
            > link0 TCP [S]";
    let text = "getsockopt(s, SOL_SOCKET, SO_ERROR) = 0, 0
        < link0 TCP [R]
        getsockopt(s, SOL_SOCKET, SO_ERROR) = 0, 0
        < link0 TCP [R.] ack -1
        getsockopt(s, SOL_SOCKET, SO_ERROR) = 0, 0
        < link0 TCP [R.]
        getsockopt(s, SOL_SOCKET, SO_ERROR) = 0, ECONNREFUSED";
    let written = written(head, text);
    let Some(trace) = run(&written) else { return };
    let shown = shown(&written.case, &trace);
    assert_eq!(written.unmet(&trace, Os::Linux), [], "{shown}");
    let came = |event: &&Event| matches!(event, Event::Frame { dir: Direction::In, .. });
    assert_eq!(trace.events.iter().filter(came).count(), 3, "{shown}");
    holds(TCP, "< link0 TCP [R.]\nt: <... connect resumed> = -1 ECONNREFUSED");
}

/// A far end opens a connection of its own: where from and where to is said.
#[test]
fn a_far_end_connects_by_hand() {
    let head = "tun link0
        socket(AF_INET, SOCK_STREAM, 0) = l
        bind(l, {AF_INET own(link0):80})
        listen(l, 1) = 0";
    let text = "< link0 TCP neighbour(link0,v4):5000 > own(link0,v4):80 [S] mss 1000
            > link0 TCP [S.]
        < link0 TCP [.]
        accept(l) = s
        < link0 TCP [P.] \"x\"
        recv(s, 16, MSG_DONTWAIT) = 1, \"x\"";
    holds(head, text);
}

/// Of the same ends once more: each connection has its own numbers, or the host would answer by a reset.
#[test]
fn a_second_connection_by_hand_is_another_one() {
    let head = "tun link0
        socket(AF_INET, SOCK_STREAM, 0) = l
        bind(l, {AF_INET own(link0):80})
        listen(l, 1) = 0";
    let text = "< link0 TCP neighbour(link0,v4):5000 > own(link0,v4):80 [S]
            > link0 TCP [S.]
        < link0 TCP [.]
        accept(l) = a
        < link0 TCP [R.]
        close(a)
        < link0 TCP neighbour(link0,v4):5000 > own(link0,v4):80 [S]
            > link0 TCP [S.]
        < link0 TCP [.]
            > nothing
        accept(l) = b
        < link0 TCP [P.] \"x\"
        recv(b, 16, MSG_DONTWAIT) = 1, \"x\"";
    holds(head, text);
}

/// A port that nobody listens at yet: its reset says no number that a later connection begins with.
#[test]
fn a_connection_after_a_refused_one_is_another_one() {
    let head = "tun link0
        socket(AF_INET, SOCK_STREAM, 0) = l
        bind(l, {AF_INET own(link0):80}) = 0";
    let text = "< link0 TCP neighbour(link0,v4):5000 > own(link0,v4):80 [S]
            > link0 TCP [R.]
        listen(l, 1) = 0
        < link0 TCP neighbour(link0,v4):5000 > own(link0,v4):80 [S]
            > link0 TCP [S.]
        < link0 TCP [.]
            > nothing
        accept(l) = a";
    holds(head, text);
}

/// Told twice a lie would be the truth again, and a cut beyond the end none.
#[test]
fn a_lie_is_told_once() {
    let of = |lies: &str| {
        let text = format!(
            "tun link0\nsocket(AF_INET, SOCK_DGRAM, 0) = s\n\
             sendto(s, \"x\", 0, {{AF_INET neighbour(link0):9}})\n\
             < link0 ICMP port unreachable, quoting it, {lies}\n"
        );
        notation::read("far", &text)
    };
    assert!(of("source port wrong").is_ok());
    for lies in ["source port wrong, source port wrong", "cut to 9 bytes, cut to 8 bytes"] {
        let faults = of(lies).expect_err(lies);
        assert!(faults[0].says.contains("twice"), "{faults:?}");
    }
    let beyond = of("cut to 1000 bytes").expect("a case").remove(0);
    let Some(trace) = run(&beyond) else { return };
    assert!(
        matches!(&trace.end, End::Broken { reason } if reason.contains("29 bytes")),
        "{:?}",
        trace.end
    );
}

/// One sentence, and no frame.
#[rstest]
#[case(
    "ICMP port unreachable, quoting it",
    "the host has sent no packet there that it could quote"
)]
#[case("TCP [R]", "the host has sent no TCP segment there that it could answer")]
fn a_lab_in_which_nothing_was_sent_is_broken(#[case] frame: &str, #[case] says: &str) {
    let written =
        written("tap link0", &format!("socket(AF_INET, SOCK_DGRAM, 0) = s\n< link0 {frame}"));
    let Some(trace) = run(&written) else { return };
    let reason = format!("link0 sends {frame}: {says}");
    assert_eq!(trace.end, End::Broken { reason });
    assert!(!trace.events.iter().any(|event| matches!(event, Event::Frame { .. })));
}

/// The same outcome each time: no timer of the host's has a say.
#[test]
fn by_hand_it_is_the_same_each_time() {
    let text = "< link0 TCP [S.] mss 1000
        t: <... connect resumed> = 0
        send(s, \"hello\", 5, 0) = 5
        < link0 TCP [P.] \"world\"
        recv(s, 16, MSG_DONTWAIT) = 5
        < link0 TCP [R]";
    let written = written(TCP, text);
    if run(&written).is_none() {
        return;
    }
    let named = |n: u32| Case { id: format!("far/t{n}"), ..written.case.clone() };
    let cases: Vec<Case> = (0..20).map(named).collect();
    let traces = traces(&[], &cases);
    let mut all = cases.iter().zip(&traces).map(|(case, trace)| shown(case, trace));
    let first = all.next().expect("the first");
    for other in all {
        let body = |text: &str| text.lines().skip(1).collect::<Vec<_>>().join("\n");
        assert_eq!(body(&other), body(&first));
    }
}
