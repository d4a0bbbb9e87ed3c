//! What clients make of the scripts, without a socket; and that nothing that comes is too much.

use std::str::FromStr as _;

use domain::base::iana::{OptRcode, OptionCode, Rtype};
use domain::base::opt::UnknownOptData;
use domain::base::{Message, MessageBuilder, Name};
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::fits;
use crate::machine::About;
use crate::witness::Witness;

const LOCAL: &str = "127.0.0.1:53";
const PEER: &str = "127.0.0.1:4000";

/// A server that is played to.
struct Play {
    kind: Box<dyn Kind>,
    udp: Box<dyn Datagrams>,
    witness: Box<dyn Witness>,
    lines: Vec<String>,
    json: Vec<serde_json::Value>,
    sent: Vec<Vec<u8>>,
    connections: u64,
}

impl Play {
    fn new(script: &str) -> Self {
        let asked = Asked { script: script.to_owned(), ..Asked::default() };
        let Made { mut kind, witness, .. } = make(&asked).unwrap();
        let udp = kind.datagrams().unwrap();
        let (lines, json, sent) = (Vec::new(), Vec::new(), Vec::new());
        Self { kind, udp, witness, lines, json, sent, connections: 0 }
    }

    fn hear(&mut self, out: Out) {
        for seen in &out.seen {
            let told = fits::told(&mut *self.witness, seen);
            self.lines.extend(told.lines);
            self.json.push(told.json);
        }
        self.sent.extend(out.datagrams.into_iter().map(|reply| reply.data));
        for todo in out.todo {
            if let Do::Send(bytes) = todo {
                self.sent.push(bytes[2..].to_vec());
            }
        }
    }

    fn udp(&mut self, data: &[u8], ms: u64) {
        let mut out = Out::default();
        let (local, peer) = (LOCAL.parse().unwrap(), PEER.parse().unwrap());
        let datagram = Datagram { local, peer, data, about: About::default() };
        self.udp.input(&datagram, Duration::from_millis(ms), &mut out);
        self.hear(out);
    }

    /// A connection that sends these pieces and ends.
    fn tcp(&mut self, pieces: &[&[u8]], ms: u64) {
        self.connections += 1;
        let mut stream = self.kind.stream(self.connections).unwrap();
        let (local, peer) = (LOCAL.parse().unwrap(), PEER.parse().unwrap());
        let at = Duration::from_millis(ms);
        let all = pieces.iter().map(|piece| Input::Bytes(piece));
        for what in [Input::Opened { local, peer }].into_iter().chain(all).chain([Input::End]) {
            let mut out = Out::default();
            stream.input(what, at, &mut out);
            self.hear(out);
        }
    }

    /// "UDP a.example A", "TCP a.example AAAA EDNS", each so many ms after the one before.
    fn ask(&mut self, what: &str, ms: u64) {
        let words: Vec<&str> = what.split(' ').collect();
        let message = query(words[1], words[2], words.contains(&"EDNS"));
        if words[0] == "UDP" {
            self.udp(&message, ms);
        } else {
            self.tcp(&[&framed(&message)], ms);
        }
    }
}

fn query(name: &str, kind: &str, edns: bool) -> Vec<u8> {
    let mut built = MessageBuilder::new_vec().question();
    built.header_mut().set_id(7);
    built.header_mut().set_rd(true);
    let name: Name<Vec<u8>> = Name::from_str(name).unwrap();
    built.push((&name, Rtype::from_str(kind).unwrap())).unwrap();
    let mut built = built.additional();
    if edns {
        let write = built.opt(|opt| {
            opt.set_udp_payload_size(4096);
            opt.set_dnssec_ok(true);
            opt.push(&UnknownOptData::new(OptionCode::COOKIE, [7; 8]).unwrap())?;
            opt.push_raw_option(OptionCode::CLIENT_SUBNET, 7, |target| {
                target.extend_from_slice(&[0, 1, 24, 0, 192, 0, 2]);
                Ok(())
            })
        });
        write.unwrap();
    }
    built.finish()
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat()
}

#[rstest]
#[case::nobody("found", &[], &["no query came: no name was asked for here (by another resolver, from a cache or /etc/hosts, or not at all)"])]
#[case::found(
    "found", &["UDP a.example A", "UDP a.example AAAA"],
    &["a.example: A answered 127.0.0.1, AAAA answered ::1",
      "  asked 2 times in 0.500 s: A by UDP; AAAA by UDP, 0.500 s later",
      "  the client was told an address, of IPv4 and of IPv6",
      "2 queries in all, by UDP; EDNS in none"]
)]
#[case::odd(
    "odd", &["UDP a.example A", "UDP a.example AAAA"],
    &["a.example: A answered 127.0.0.1, AAAA NXDOMAIN; asked for AAAA last",
      "  asked 2 times in 0.500 s: A by UDP; AAAA by UDP, 0.500 s later",
      "  NXDOMAIN for AAAA denies the name itself (RFC 8020): a client that believes it gives up, though A was answered",
      "  the client was told an address, of IPv4 alone",
      "2 queries in all, by UDP; EDNS in none"]
)]
#[case::odd_but_never_asked(
    "odd", &["UDP a.example A"],
    &["a.example: A answered 127.0.0.1", "  asked once: A by UDP",
      "  the client was told an address, of IPv4; it asked for no AAAA", "1 query in all, by UDP; EDNS in none"]
)]
#[case::a_only(
    "a-only", &["UDP A.example AAAA", "UDP a.example A"],
    &["a.example: AAAA no such record (NODATA), A answered 127.0.0.1",
      "  asked 2 times in 0.500 s: AAAA by UDP; A by UDP, 0.500 s later",
      "  the client was told an address, of IPv4 alone",
      "2 queries in all, by UDP; EDNS in none, letters of both cases (0x20) in 1"]
)]
#[case::no_address_though_asked(
    "aaaa-only", &["UDP a.example A"],
    &["a.example: A no such record (NODATA)", "  asked once: A by UDP",
      "  the client was told no address that it could believe", "1 query in all, by UDP; EDNS in none"]
)]
#[case::no_address_asked_for(
    "https", &["UDP a.example HTTPS EDNS"],
    &["a.example: HTTPS answered 1 . alpn=h2 ipv4hint=127.0.0.1 ipv6hint=::1",
      "  asked once: HTTPS by UDP", "  no address was asked for", "1 query in all, by UDP; EDNS in all"]
)]
#[case::nxdomain(
    "nxdomain", &["UDP a.example A", "UDP a.example A"],
    &["a.example: A NXDOMAIN", "  asked 2 times in 0.500 s: A by UDP; A again by UDP, 0.500 s later",
      "  the client was told that there is no such name; asked again once",
      "2 queries in all, by UDP; EDNS in none"]
)]
#[case::servfail(
    "servfail", &["UDP a.example A"],
    &["a.example: A SERVFAIL", "  asked once: A by UDP",
      "  the client was told SERVFAIL and nothing else; not asked again", "1 query in all, by UDP; EDNS in none"]
)]
#[case::silent(
    "silent", &["UDP a.example A", "UDP a.example A", "UDP a.example A"],
    &["a.example: A not answered",
      "  asked 3 times in 1.000 s: A by UDP; A again by UDP, 0.500 s later; A again by UDP, 0.500 s later",
      "  nothing was answered, and it was asked again 2 times", "3 queries in all, by UDP; EDNS in none"]
)]
#[case::truncated(
    "truncated", &["UDP a.example A", "TCP a.example A"],
    &["a.example: A truncated (TC), then answered 127.0.0.1",
      "  asked 2 times in 0.500 s: A by UDP; A by TCP, 0.500 s later",
      "  told over UDP to ask by TCP (TC), it did", "  the client was told an address, of IPv4; it asked for no AAAA",
      "2 queries in all, 1 by UDP and 1 by TCP; EDNS in none"]
)]
#[case::truncated_and_content(
    "truncated", &["UDP a.example A"],
    &["a.example: A truncated (TC)", "  asked once: A by UDP",
      "  told over UDP to ask by TCP (TC), it did not",
      "  the client was told no address that it could believe", "1 query in all, by UDP; EDNS in none"]
)]
#[case::truncated_and_reset(
    "truncated-no-tcp", &["UDP a.example A", "TCP a.example A"],
    &["a.example: A truncated (TC)", "  asked once: A by UDP",
      "  told over UDP to ask by TCP (TC); connections by TCP were reset",
      "  the client was told no address that it could believe", "1 query in all, by UDP; EDNS in none",
      "1 connection by TCP, reset by the script"]
)]
#[case::cname(
    "cname", &["UDP a.example A"],
    &["a.example: A answered 127.0.0.1 behind aliases", "  asked once: A by UDP",
      "  the client was told an address, of IPv4; it asked for no AAAA", "1 query in all, by UDP; EDNS in none"]
)]
#[case::cname_loop(
    "cname-loop", &["UDP a.example A"],
    &["a.example: A aliases in a circle", "  asked once: A by UDP",
      "  its aliases lead in a circle, to no address; not asked again", "1 query in all, by UDP; EDNS in none"]
)]
#[case::wrong_id(
    "wrong-id", &["UDP a.example A", "UDP a.example A"],
    &["a.example: A answered 127.0.0.1 by another id",
      "  asked 2 times in 0.500 s: A by UDP; A again by UDP, 0.500 s later",
      "  what was sent fits no query, and was not believed: asked again once",
      "  the client was told no address that it could believe", "2 queries in all, by UDP; EDNS in none"]
)]
#[case::wrong_question(
    "wrong-question", &["UDP a.example A"],
    &["a.example: A answered 127.0.0.1 to another question", "  asked once: A by UDP",
      "  what was sent fits no query: the client believed it, or gave up at once",
      "  the client was told no address that it could believe", "1 query in all, by UDP; EDNS in none"]
)]
#[case::no_edns(
    "no-edns", &["UDP a.example A EDNS", "UDP a.example A"],
    &["a.example: A FORMERR, then answered 127.0.0.1",
      "  asked 2 times in 0.500 s: A by UDP; A again by UDP, 0.500 s later",
      "  EDNS was answered by FORMERR: it was asked again without",
      "  the client was told an address, of IPv4; it asked for no AAAA", "2 queries in all, by UDP; EDNS in 1"]
)]
#[case::no_edns_and_no_other_try(
    "no-edns", &["UDP a.example A EDNS"],
    &["a.example: A FORMERR", "  asked once: A by UDP",
      "  EDNS was answered by FORMERR: it was not asked again without",
      "  the client was told no address that it could believe", "1 query in all, by UDP; EDNS in all"]
)]
#[case::two_names(
    "found", &["UDP a.example A", "TCP b.example A"],
    &["a.example: A answered 127.0.0.1", "  asked once: A by UDP", "  the client was told an address, of IPv4; it asked for no AAAA",
      "b.example: A answered 127.0.0.1", "  asked once: A by TCP", "  the client was told an address, of IPv4; it asked for no AAAA",
      "2 queries in all, 1 by UDP and 1 by TCP; EDNS in none"]
)]
fn the_summary_says_what_became_of_a_name(
    #[case] script: &str,
    #[case] asked: &[&str],
    #[case] expected: &[&str],
) {
    let mut play = Play::new(script);
    for (what, ms) in asked.iter().zip((100..).step_by(500)) {
        play.ask(what, ms);
    }
    assert_eq!(play.witness.summary(), expected);
}

#[test]
fn an_address_of_ipv6_says_whether_the_other_was_asked_for() {
    for (asked, which) in [
        (&["UDP a.example AAAA"][..], "of IPv6; it asked for no A"),
        (&["UDP a.example A", "UDP a.example AAAA"], "of IPv6 alone"),
    ] {
        let mut play = Play::new("aaaa-only");
        for what in asked {
            play.ask(what, 0);
        }
        let expected = format!("  the client was told an address, {which}");
        assert!(play.witness.summary().contains(&expected), "{:?}", play.witness.summary());
    }
}

/// So many queries for so many names, over and over.
fn many(queries: usize, names: usize) -> Play {
    let mut play = Play::new("found");
    for n in 0..queries {
        play.udp(&query(&format!("n{}.example", n % names), "A", false), 0);
        // Nothing of it is looked at here.
        (play.lines, play.json, play.sent) = (Vec::new(), Vec::new(), Vec::new());
    }
    play
}

#[test]
fn what_is_expected_counts_queries_that_are_not_remembered() {
    let mut play = many(10_000, 10_000);
    for words in ["query last.example", "query last.example A", "tcp", "edns", "retry"] {
        assert_eq!(play.witness.holds(words), Ok(false), "{words}");
    }
    play.ask("TCP last.example A EDNS", 0);
    play.ask("TCP last.example A EDNS", 0);
    for words in ["query last.example", "query last.example A", "tcp", "edns", "retry"] {
        assert_eq!(play.witness.holds(words), Ok(true), "{words}");
    }
    assert_eq!(play.witness.holds("query last.example AAAA"), Ok(false));
    let summary = play.witness.summary();
    assert_eq!(
        summary[summary.len() - 2..],
        [
            "10002 queries in all, 10000 by UDP and 2 by TCP; EDNS in 2",
            "the last 2 of them are only counted"
        ]
    );
}

#[test]
fn questions_that_are_not_kept_are_told_of() {
    let play = many(100_001, usize::MAX);
    assert_eq!(play.witness.holds("query n99999.example"), Ok(true));
    assert_eq!(play.witness.holds("query n100000.example"), Ok(false));
    assert_eq!(play.witness.holds("no query"), Ok(false));
    let summary = play.witness.summary();
    assert!(
        summary.last().unwrap().starts_with("1 of them asked for other names than the 100000 "),
        "{summary:?}"
    );
}

#[rstest]
#[case(&[], "no query", true)]
#[case(&["UDP a.example A"], "no query", false)]
#[case(&["UDP A.example A"], "query a.EXAMPLE.", true)]
#[case(&["UDP a.example A"], "query b.example", false)]
#[case(&["UDP . NS"], "query .", true)]
#[case(&["UDP a.example A"], "query a.example a", true)]
#[case(&["UDP a.example A"], "query a.example AAAA", false)]
#[case(&["UDP a.example HTTPS"], "query a.example TYPE65", true)]
#[case(&["TCP a.example A"], "tcp", true)]
#[case(&["UDP a.example A"], "tcp", false)]
#[case(&["UDP a.example A EDNS"], "edns", true)]
#[case(&["UDP a.example A"], "edns", false)]
#[case(&["UDP a.example A", "UDP A.example A"], "retry", true)]
#[case(&["UDP a.example A", "TCP a.example A"], "retry", false)]
#[case(&["UDP a.example A", "UDP a.example AAAA"], "retry", false)]
fn what_is_expected_is_so_or_not(#[case] asked: &[&str], #[case] words: &str, #[case] holds: bool) {
    let mut play = Play::new("found");
    for what in asked {
        play.ask(what, 0);
    }
    assert_eq!(play.witness.holds(words), Ok(holds));
}

#[rstest]
#[case("querys a")]
#[case("query a.example ADDRESS")]
#[case("")]
fn what_cannot_be_expected_is_an_error(#[case] words: &str) {
    assert!(Play::new("found").witness.holds(words).is_err());
}

#[test]
fn each_expectation_is_one() {
    let play = Play::new("found");
    for (words, _) in play.witness.expectations() {
        let words = words.replace("NAME", "a.example").replace("TYPE", "A");
        assert!(play.witness.holds(&words).is_ok(), "{words}");
    }
}

#[test]
fn a_query_is_told_as_it_came() {
    let mut play = Play::new("found");
    play.ask("UDP a.ExamPle A EDNS", 100);
    play.ask("TCP a.example A", 350);
    let expected = [
        "query 1 (UDP, 0.100 s): a.ExamPle A — answered 127.0.0.1",
        "    id 7 from 127.0.0.1:4000; RD; EDNS 4096 bytes, DO, COOKIE 8 bytes, client subnet 192.0.2.0/24; letters of both cases (0x20)",
        "query 2 (TCP connection 1, 0.350 s): a.example A — answered 127.0.0.1",
        "    0.250 s after query 1; id 7 from 127.0.0.1:4000; RD; no EDNS",
        "    again, 0.250 s after query 1: the same id and port",
    ];
    assert_eq!(play.lines, expected);
    assert_eq!(play.json[0]["edns"]["options"][1], "client subnet 192.0.2.0/24");
    assert_eq!(play.json[0]["mixed_case"], true);
    assert_eq!(play.json[1]["again_of"], 1);
    assert_eq!(play.json[1]["answer"]["records"][0], "A 127.0.0.1");
}

#[rstest]
fn every_answer_is_a_message(#[values("A", "AAAA", "HTTPS", "SVCB", "TXT", "ANY")] kind: &str) {
    for script in SCRIPTS {
        let mut play = Play::new(script.name);
        play.ask(&format!("TCP a.exAmple {kind} EDNS"), 0);
        let says = play.json[0]["answer"].clone();
        for sent in &play.sent {
            let message = Message::from_octets(sent.as_slice()).unwrap();
            let (header, question) = (message.header(), message.sole_question().unwrap());
            assert!(header.qr() && header.ra() && sent.len() <= 512, "{}", script.name);
            assert_eq!(header.id() == 7, script.name != "wrong-id");
            let same = question.qname().to_string() == "a.exAmple";
            assert_eq!(same, script.name != "wrong-question", "{}", script.name);
            assert_eq!(message.opt_rcode().to_string(), says["rcode"], "{}", script.name);
            let count = says["records"].as_array().unwrap().len();
            assert_eq!(usize::from(message.header_counts().ancount()), count);
            assert_eq!(message.answer().unwrap().flatten().count(), count, "{}", script.name);
        }
    }
}

#[test]
fn what_is_slow_is_sent_when_it_is_due_or_not_at_all() {
    let mut play = Play::new("slow");
    play.ask("UDP a.example A", 100);
    assert!(play.sent.is_empty() && play.lines[0].ends_with("answered 127.0.0.1, 2.000 s later"));
    assert_eq!(play.udp.wakes(), Some(Duration::from_millis(2100)));
    let mut out = Out::default();
    play.udp.time(Duration::from_millis(2100), &mut out);
    play.hear(out);
    assert_eq!(play.sent.len(), 1);
    play.ask("UDP b.example A", 3000);
    let mut out = Out::default();
    play.udp.stops(Duration::from_millis(3100), &mut out);
    play.hear(out);
    assert_eq!(
        play.lines.last().unwrap(),
        "query 2 was not answered: the server ended before that"
    );
    assert!(play.witness.summary()[3].starts_with("b.example: A not answered"));
}

#[rstest]
#[case::short(b"abc", "3 bytes, where a header has 12", false)]
#[case::a_response(&[0, 7, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0], "a response, where a query was expected", false)]
#[case::no_question(&[0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "it has 0 questions, where a query has one", true)]
#[case::no_name(&[0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 63], "its question cannot be read", true)]
#[case::a_circle(&[0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1], "its question cannot be read", true)]
#[case::behind(&[0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 9], "what is behind its question cannot be read", true)]
fn what_is_no_query_is_told(#[case] bytes: &[u8], #[case] why: &str, #[case] is_answered: bool) {
    let mut play = Play::new("found");
    play.udp(bytes, 0);
    assert!(play.lines[0].contains(why), "{:?}", play.lines);
    assert_eq!(play.sent.len(), usize::from(is_answered));
    for sent in &play.sent {
        let header = Message::from_octets(sent.as_slice()).unwrap().header();
        assert_eq!((header.id(), OptRcode::from(header.rcode())), (7, OptRcode::FORMERR));
    }
    assert!(play.witness.summary().contains(&"1 message came that is no query".to_owned()));
    assert_eq!(play.witness.holds("no query"), Ok(true));
}

#[test]
fn a_connection_that_asks_nothing_is_told() {
    let mut play = Play::new("found");
    play.tcp(&[], 0);
    play.tcp(&[b"GET / HTTP/1.1\r\n"], 0);
    assert!(play.lines[0].ends_with("nothing was asked; closed by the client"), "{:?}", play.lines);
    assert!(play.lines[1].contains("14 of 18245 bytes, and no more"), "{:?}", play.lines);
    assert_eq!(play.witness.holds("tcp"), Ok(true));
}

proptest! {
    #[test]
    fn no_bytes_are_too_much(script in 0..SCRIPTS.len(), bytes in any::<Vec<u8>>()) {
        let mut play = Play::new(SCRIPTS[script].name);
        play.udp(&bytes, 0);
        play.tcp(&[&bytes], 0);
        play.witness.summary();
    }

    #[test]
    fn queries_that_are_not_whole_are_no_queries(at in 0usize..60, byte in any::<u8>(), len in 0usize..60) {
        let mut bytes = query("a.example", "A", true);
        if let Some(one) = bytes.get_mut(at) {
            *one = byte;
        }
        bytes.truncate(len);
        Play::new("found").udp(&bytes, 0);
    }

    #[test]
    fn pieces_say_what_the_whole_says(cuts in proptest::collection::vec(0usize..200, 0..8), junk in any::<Vec<u8>>()) {
        let one = framed(&query("a.example", "A", true));
        let all = [&one[..], &framed(&query("b.example", "AAAA", false)), &one, &junk].concat();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(all.len())).collect();
        cuts.push(all.len());
        cuts.sort_unstable();
        let mut from = 0;
        let mut pieces = Vec::new();
        for cut in cuts {
            pieces.push(&all[from..cut]);
            from = cut;
        }
        let (mut whole, mut cut) = (Play::new("found"), Play::new("found"));
        whole.tcp(&[&all], 0);
        cut.tcp(&pieces, 0);
        prop_assert_eq!(whole.lines, cut.lines);
        prop_assert_eq!(whole.sent, cut.sent);
    }
}
