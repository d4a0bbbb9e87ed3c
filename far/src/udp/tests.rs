//! What is said of datagrams, without a socket.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::fits;
use crate::witness::Witness;

const LOCAL: &str = "127.0.0.1:9999";
const WHOLE: About = About {
    ttl: Some(64),
    tos: Some(0),
    interface: Some(1),
    fragment: None,
    tells_fragments: true,
    cut: None,
    lost: Some(0),
};
const FRAGMENTED: About = About { fragment: Some(1280), ..WHOLE };
const UNTOLD: About =
    About { ttl: None, tos: None, interface: None, tells_fragments: false, lost: None, ..WHOLE };

fn machine(script: &str) -> Box<dyn Datagrams> {
    let asked = Asked { script: script.to_owned(), ..Asked::default() };
    make(&asked).unwrap().kind.datagrams().unwrap()
}

fn report() -> Report {
    let groups = vec![group("239.1.1.1%lo").unwrap(), group("ff02::7").unwrap()];
    Report::new(groups, [(1, "lo".to_owned()), (2, "eth0".to_owned())].into())
}

/// What is told of datagrams, each with its sender's port and its address.
fn told<T: AsRef<[u8]>>(
    all: &[(u16, &str, T, About)],
) -> (Report, Vec<String>, Vec<serde_json::Value>) {
    let mut machine = machine("count");
    let (mut report, mut lines, mut json) = (report(), Vec::new(), Vec::new());
    for (port, local, data, about) in all {
        let (peer, local) = (SocketAddr::from(([127, 0, 0, 1], *port)), local.parse().unwrap());
        let mut out = Out::default();
        let datagram = Datagram { local, peer, data: data.as_ref(), about: *about };
        machine.input(&datagram, Duration::from_millis(5), &mut out);
        for seen in &out.seen {
            let told = fits::told(&mut report, seen);
            lines.extend(told.lines);
            json.push(told.json);
        }
    }
    (report, lines, json)
}

const NO_GROUPS: [&str; 2] = [
    "group 239.1.1.1 on lo was joined: nothing came to it",
    "group ff02::7 was joined: nothing came to it",
];

#[rstest]
#[case::none(&[], &["no datagram came"])]
#[case::whole(
    &[(4000, LOCAL, "1", WHOLE), (4000, LOCAL, "2", WHOLE)],
    &["2 datagrams came, 2 bytes, from 1 sender: all whole", "TTL 64; ECN Not-ECT; by lo",
      "127.0.0.1:4000 sent 2 datagrams, 2 bytes", "  numbered 1 to 2 in decimal: all came, once and in order"]
)]
#[case::in_fragments(
    &[(4000, LOCAL, "x", WHOLE), (4001, LOCAL, "yy", About { tos: Some(0xbb), ttl: Some(1), ..FRAGMENTED })],
    &["2 datagrams came, 3 bytes, from 2 senders: 1 whole, 1 in fragments, of which the largest had 1280 bytes",
      "TTL 1 (1), 64 (1); ECN Not-ECT (1), CE (1); DSCP 0 (1), 46 (1); by lo",
      "127.0.0.1:4000 sent 1 datagram, 1 byte", "127.0.0.1:4001 sent 1 datagram, 2 bytes"]
)]
#[case::a_socket_each(
    &[(4000, LOCAL, "1", WHOLE), (4001, LOCAL, "3", WHOLE)],
    &["2 datagrams came, 2 bytes, from 2 senders: all whole", "TTL 64; ECN Not-ECT; by lo",
      "127.0.0.1:4000 sent 1 datagram, 1 byte", "127.0.0.1:4001 sent 1 datagram, 1 byte",
      "together they are numbered 1 to 3 in decimal: missing 2 (1 in all)"]
)]
#[case::untold(
    &[(4000, LOCAL, "x", UNTOLD)],
    &["1 datagram came, 1 byte, from 1 sender: whether in fragments, this kernel does not tell",
      "127.0.0.1:4000 sent 1 datagram, 1 byte"]
)]
#[case::lost_here(
    &[(4000, LOCAL, "1", WHOLE), (4000, LOCAL, "9", About { lost: Some(7), ..WHOLE })],
    &["2 datagrams came, 2 bytes, from 1 sender: all whole", "TTL 64; ECN Not-ECT; by lo",
      "127.0.0.1:4000 sent 2 datagrams, 2 bytes", "  numbered 1 to 9 in decimal: missing 2 to 8 (7 in all)"]
)]
fn the_summary_says_how_they_came(
    #[case] all: &[(u16, &str, &str, About)],
    #[case] expected: &[&str],
) {
    let (report, ..) = told(all);
    let summary = report.summary();
    let (own, groups) = summary.split_at(expected.len());
    assert_eq!(own, expected);
    assert_eq!(groups[..2], NO_GROUPS);
    let lost = all.iter().any(|(.., about)| about.lost.is_some_and(|n| n > 0));
    assert_eq!(groups.get(2).is_some_and(|line| line.starts_with("7 datagrams had no room")), lost);
}

#[rstest]
#[case::the_group("239.1.1.1:9999", 1, ["1 datagram came to it", "nothing came to it"])]
#[case::another_interface("239.1.1.1:9999", 2, ["nothing came to it", "nothing came to it"])]
#[case::whichever_interface("[ff02::7]:9999", 2, ["nothing came to it", "1 datagram came to it"])]
#[case::another_group("239.1.1.2:9999", 1, ["nothing came to it", "nothing came to it"])]
#[case::no_group(LOCAL, 1, ["nothing came to it", "nothing came to it"])]
fn a_group_has_what_was_sent_to_it(
    #[case] local: &str,
    #[case] interface: u32,
    #[case] expected: [&str; 2],
) {
    let about = About { interface: Some(interface), ..WHOLE };
    let (report, ..) = told(&[(4000, local, "x", about)]);
    let summary = report.summary();
    for (line, expected) in summary[summary.len() - 2..].iter().zip(expected) {
        assert!(line.ends_with(expected), "{line}");
    }
}

#[rstest]
#[case(&[], "no datagram", true)]
#[case(&[(1, LOCAL, "x", WHOLE)], "no datagram", false)]
#[case(&[(1, LOCAL, "x", WHOLE)], "whole", true)]
#[case(&[(1, LOCAL, "x", WHOLE), (1, LOCAL, "x", FRAGMENTED)], "whole", false)]
#[case(&[(1, LOCAL, "x", UNTOLD)], "whole", false)]
#[case(&[], "whole", false)]
#[case(&[(1, LOCAL, "x", WHOLE), (1, LOCAL, "x", FRAGMENTED)], "fragments", true)]
#[case(&[(1, LOCAL, "x", WHOLE)], "fragments", false)]
#[case(&[(1, LOCAL, "x", WHOLE)], "ecn not-ect", true)]
#[case(&[(1, LOCAL, "x", About { tos: Some(2), ..WHOLE })], "ecn ECT(0)", true)]
#[case(&[(1, LOCAL, "x", About { tos: Some(2), ..WHOLE })], "ecn ECT1", false)]
#[case(&[(1, LOCAL, "x", About { tos: Some(3), ..WHOLE }), (1, LOCAL, "x", WHOLE)], "ecn CE", false)]
#[case(&[(1, LOCAL, "x", UNTOLD)], "ecn Not-ECT", false)]
#[case(&[(1, LOCAL, "x", WHOLE)], "ttl 64", true)]
#[case(&[(1, LOCAL, "x", WHOLE)], "ttl 1", false)]
#[case(&[(1, LOCAL, "1", WHOLE), (1, LOCAL, "2", WHOLE)], "all 2", true)]
#[case(&[(1, LOCAL, "1", WHOLE), (1, LOCAL, "3", WHOLE)], "all 2", false)]
#[case(&[(1, LOCAL, "1", WHOLE), (2, LOCAL, "2", WHOLE)], "all 2", true)]
#[case(&[(1, LOCAL, "1", WHOLE), (2, LOCAL, "2", WHOLE), (2, LOCAL, "2", WHOLE)], "all 2", false)]
#[case(&[(1, "239.1.1.1:9999", "1", WHOLE)], "group 239.1.1.1", true)]
#[case(&[(1, LOCAL, "1", WHOLE)], "group 239.1.1.1", false)]
fn what_is_expected_is_so_or_not(
    #[case] all: &[(u16, &str, &str, About)],
    #[case] words: &str,
    #[case] holds: bool,
) {
    assert_eq!(told(all).0.holds(words), Ok(holds));
}

#[rstest]
#[case("ecn blue", "none of Not-ECT")]
#[case("ttl 256", "no number up to 255")]
#[case("all of them", "nothing that can be expected")]
#[case("all x", "no number")]
#[case("group lo", "no address")]
fn what_cannot_be_expected_is_an_error(#[case] words: &str, #[case] expected: &str) {
    let error = report().holds(words).unwrap_err();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn each_expectation_is_one() {
    for (words, _) in report().expectations() {
        let words = words.replace("NAME", "CE").replace('N', "7").replace("ADDRESS", "239.1.1.1");
        assert!(report().holds(&words.replace("ecn CE", "ecn ce")).is_ok(), "{words}");
    }
}

#[test]
fn a_datagram_is_told_as_it_came() {
    let mapped = "[::ffff:127.0.0.1]:9999";
    let about = About { tos: Some(0xb9), ..FRAGMENTED };
    let (_, lines, json) = told(&[(4000, mapped, "7\n\u{ff}", about), (4000, LOCAL, "", UNTOLD)]);
    let expected = [
        "datagram 1 (0.005 s): 4 bytes from 127.0.0.1:4000 to 127.0.0.1:9999 by lo, in fragments of at most 1280 bytes",
        "    TTL 64, ECN ECT(1), DSCP 46, not answered",
        "    \"7\\n\\xc3\\xbf\"",
        "datagram 2 (0.005 s): 0 bytes from 127.0.0.1:4000 to 127.0.0.1:9999",
        "    not answered",
    ];
    assert_eq!(lines, expected);
    assert_eq!((&json[0]["ecn"], &json[0]["dscp"]), (&"ECT(1)".into(), &46.into()));
    assert_eq!((&json[0]["interface"], &json[0]["whole"]), (&"lo".into(), &false.into()));
    assert_eq!((&json[1]["whole"], &json[1]["offset"]), (&serde_json::Value::Null, &4.into()));
}

#[rstest]
#[case("count", 0, Said::Nothing)]
#[case("echo", 1, Said::Echo)]
#[case("echo-slow", 0, Said::EchoLater)]
#[case("refuse", 0, Said::Closed)]
fn a_script_does_what_it_says(#[case] script: &str, #[case] sent: usize, #[case] said: Said) {
    let mut machine = machine(script);
    let (local, peer) = (LOCAL.parse().unwrap(), "127.0.0.1:4000".parse().unwrap());
    let datagram = Datagram { local, peer, data: b"x", about: WHOLE };
    let mut out = Out::default();
    machine.input(&datagram, Duration::ZERO, &mut out);
    assert_eq!(out.datagrams.len(), sent);
    assert_eq!(out.closes_port, script == "refuse");
    assert!(matches!(&out.seen[..], [crate::Seen::Udp(seen)] if seen.said == said));
    let late = machine.wakes();
    assert_eq!(late, (script == "echo-slow").then_some(SLOW));
    let mut out = Out::default();
    machine.time(SLOW, &mut out);
    assert_eq!(out.datagrams.len(), usize::from(late.is_some()));
    assert_eq!(machine.wakes(), None);
}

#[test]
fn what_waits_is_bounded() {
    let mut machine = machine("echo-slow");
    let (local, peer) = (LOCAL.parse().unwrap(), "127.0.0.1:4000".parse().unwrap());
    let data = vec![0; 60_000];
    let datagram = Datagram { local, peer, data: &data, about: WHOLE };
    let mut out = Out::default();
    (0..100).for_each(|_| machine.input(&datagram, Duration::ZERO, &mut out));
    let full = |s: &&crate::Seen| matches!(s, crate::Seen::Udp(seen) if seen.said == Said::Full);
    assert_eq!(out.seen.iter().filter(full).count(), 100 - WAITING.1 / 60_000);
}

#[test]
fn an_echo_does_not_answer_itself() {
    let mut machine = machine("echo");
    let (local, peer) = (LOCAL.parse().unwrap(), LOCAL.parse().unwrap());
    let mut out = Out::default();
    machine.input(&Datagram { local, peer, data: b"x", about: WHOLE }, Duration::ZERO, &mut out);
    assert!(out.datagrams.is_empty());
}

#[rstest]
#[case("239.1.1.1%lo", true)]
#[case("ff02::1", true)]
#[case("127.0.0.1", false)]
#[case("239.1.1.1%", false)]
#[case("lo", false)]
fn a_group_is_an_address_of_one(#[case] text: &str, #[case] is_one: bool) {
    assert_eq!(group(text).is_ok(), is_one);
}

proptest! {
    #[test]
    fn no_bytes_are_too_much(all in proptest::collection::vec(any::<(u16, Vec<u8>)>(), 0..40)) {
        let all: Vec<_> = all.iter().map(|(port, data)| (*port, LOCAL, &data[..], WHOLE)).collect();
        let (report, ..) = told(&all);
        let _ = report.summary();
    }
}
