//! Messages built, decoded and said.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::case::addr::Range;
use crate::case::names::{self, Rcode};

fn query(name: &str, kind: RecordType) -> Vec<u8> {
    let mut query = super::query(name, kind);
    query[..2].copy_from_slice(&[0x12, 0x34]);
    query
}

fn server(answer: Answer) -> NameServer {
    NameServer::new(Range::V4, [answer])
}

fn line(bytes: &[u8]) -> String {
    said([40000, 53], bytes, false, &|id| format!("{id:#x}")).unwrap()
}

fn ip(text: &str) -> names::Record {
    names::Record::ip(text.parse::<IpAddr>().unwrap())
}

#[rstest]
#[case::addresses(Answer::new("A.example", vec![ip("192.0.2.7"), ip("192.0.2.8")]), "DNS 0x1234 response A a.example: NOERROR, A 192.0.2.7, A 192.0.2.8")]
#[case::empty(Answer::new("a.example", vec![]), "DNS 0x1234 response A a.example: NOERROR")]
#[case::other_name(
    Answer::new("b.example", vec![]),
    "DNS 0x1234 response A a.example: NXDOMAIN"
)]
#[case::refused(
    Answer { rcode: Rcode::Refused, ..Answer::new("a.example", vec![]) },
    "DNS 0x1234 response A a.example: REFUSED"
)]
#[case::alias(
    Answer::new("a.example", vec![
        names::Record { owner: None, data: RecordData::Cname("b.example".into()) },
        names::Record { owner: Some("b.example".into()), ..ip("192.0.2.7") },
    ]),
    "DNS 0x1234 response A a.example: NOERROR, CNAME b.example, b.example A 192.0.2.7"
)]
#[case::truncated(
    Answer { flaw: Some(Flaw::Truncated), ..Answer::new("a.example", vec![ip("192.0.2.7")]) },
    "DNS 0x1234 response A a.example: NOERROR, truncated"
)]
#[case::other_id(
    Answer { flaw: Some(Flaw::OtherId), ..Answer::new("a.example", vec![ip("::1")]) },
    "DNS 0x1235 response A a.example: NOERROR, AAAA ::1"
)]
#[case::other_question(
    Answer { flaw: Some(Flaw::OtherQuestion), ..Answer::new("a.example", vec![]) },
    "DNS 0x1234 response A other.example: NOERROR"
)]
#[case::cut(
    Answer { flaw: Some(Flaw::Cut), ..Answer::new("a.example", vec![ip("192.0.2.7")]) },
    "DNS 0x1234 response A a.example: NOERROR, cut short"
)]
#[case::no_response(
    Answer { flaw: Some(Flaw::NoResponse), ..Answer::new("a.example", vec![]) },
    "DNS 0x1234 query A a.example"
)]
fn answers(#[case] is: Answer, #[case] expected: &str) {
    let query = query("a.example", RecordType::A);
    assert_eq!(line(&query), "DNS 0x1234 query A a.example");
    assert_eq!(line(&answer(&server(is), &query, false).unwrap()), expected);
}

/// What a line on this port says of a message that is written in hexadecimal, text in quotes.
fn on(port: u16, message: &str) -> Option<String> {
    let mut bytes = Vec::new();
    for (place, part) in message.split('\'').enumerate() {
        if place % 2 == 1 {
            bytes.extend(part.bytes());
        } else {
            bytes.extend(crate::wire::frames::hex(part));
        }
    }
    said([port, 40000], &bytes, false, &|id| format!("{id:#x}"))
}

/// A response to a question for `_s._tcp.local`, whose name is at 12.
const SERVICE: &str = "02'_s' 04'_tcp' 05'local' 00";

#[rstest]
#[case::mdns_query(
    5353,
    "0000 0000 0002 0000 0000 0000 SERVICE 000c 0001 c00f 001c 8001",
    "mDNS query PTR _s._tcp.local, AAAA _tcp.local"
)]
#[case::mdns_response(
    5353,
    "0000 8400 0000 0001 0000 0002 SERVICE 000c 0001 00000078 0004 01'a' c00c \
     c025 0021 8001 00000078 0008 0000 0000 1f90 c014 \
     c014 0001 8001 00000078 0004 c0000207",
    "mDNS response: NOERROR, _s._tcp.local PTR a._s._tcp.local, \
     additional a._s._tcp.local SRV 0 0 8080 local, additional local A 192.0.2.7"
)]
#[case::llmnr(5355, "1234 0000 0001 0000 0000 0000 01'a' 00 00ff 0001", "LLMNR 0x1234 query ANY a")]
#[case::edns(
    53,
    "1234 0120 0001 0000 0000 0001 01'a' 00 0041 0001 00 0029 04d0 00 00 8000 000c 000a 0008 1122334455667788",
    "DNS 0x1234 query HTTPS a, EDNS0 size 1232 DO option 10"
)]
#[case::bad_version(
    53,
    "1234 8180 0001 0000 0000 0001 01'a' 00 0001 0001 00 0029 04d0 01 00 0000 0000",
    "DNS 0x1234 response A a: NOERROR, EDNS0 size 1232 extended rcode 1"
)]
#[case::https(
    53,
    "1234 8180 0001 0001 0000 0000 01'a' 00 0041 0001 c00c 0041 0001 0000003c 001b 0001 00 \
     0001 0006 02'h2' 02'h3' 0003 0002 01bb 0004 0004 c0000207",
    "DNS 0x1234 response HTTPS a: NOERROR, HTTPS 1 . alpn=h2,h3 port=443 ipv4hint=192.0.2.7"
)]
#[case::authority(
    53,
    "1234 8183 0001 0000 0001 0000 01'a' 00 0001 0001 00 0006 0001 0000003c 0002 c00c",
    "DNS 0x1234 response A a: NXDOMAIN, authority . SOA len 2"
)]
#[case::srv_too_short(
    53,
    "1234 8180 0001 0001 0000 0000 01'a' 00 0021 0001 c00c 0021 0001 0000003c 0006 0000 0000 0050",
    "DNS 0x1234 response SRV a: NOERROR, SRV len 6"
)]
#[case::odd_parameters(
    53,
    "1234 8180 0001 0001 0000 0000 01'a' 00 0041 0001 c00c 0041 0001 0000003c 0010 0001 00 \
     0001 0002 05'h' 0003 0001 01 0009",
    "DNS 0x1234 response HTTPS a: NOERROR, HTTPS 1 . alpn= port"
)]
fn the_kin_and_the_newer_records(#[case] port: u16, #[case] message: &str, #[case] line: &str) {
    let message = message.replace("SERVICE", SERVICE);
    assert_eq!(on(port, &message).as_deref(), Some(line));
}

/// A case sends what it likes to these ports, and which of its bytes they are is what matters then.
#[rstest]
#[case::text("'hello' 00")]
#[case::pattern("00000000 00000001 00000002 00000003")]
#[case::cut("0000 0000 0001 0000 0000 0000 02'_s' 04'_t")]
#[case::empty("0000 0000 0000 0000 0000 0000")]
fn data_to_the_port_of_mdns_stays_data(#[case] message: &str) {
    assert_eq!(on(5353, message), None);
    assert_eq!(on(5355, message), None);
    assert_eq!(on(5354, "1234 0000 0001 0000 0000 0000 01'a' 00 00ff 0001"), None);
}

#[test]
fn a_truncated_answer_is_whole_over_tcp() {
    let is = Answer { flaw: Some(Flaw::Truncated), ..Answer::new("a.example", vec![ip("::1")]) };
    let message = answer(&server(is), &query("a.example", RecordType::Aaaa), true).unwrap();
    assert_eq!(line(&message), "DNS 0x1234 response AAAA a.example: NOERROR, AAAA ::1");
    let len = u16::try_from(message.len()).unwrap();
    let stream = [&len.to_be_bytes()[..], &message].concat();
    let text = said([53, 40000], &stream, true, &|_| String::new());
    assert!(text.unwrap().ends_with("AAAA ::1"));
    assert_eq!(said([53, 40000], &stream[..9], true, &|_| String::new()), None);
}

#[test]
fn the_silent_and_the_answered_say_nothing() {
    let silent = Answer { flaw: Some(Flaw::Silent), ..Answer::new("a.example", vec![]) };
    let silent = server(silent);
    let asked = query("a.example", RecordType::A);
    assert_eq!(answer(&silent, &asked, false), None);
    let response = answer(&silent, &query("b.example", RecordType::A), false).unwrap();
    assert_eq!(answer(&silent, &response, false), None);
    assert_eq!(answer(&silent, &asked[..11], false), None);
}

#[test]
fn names_in_circles_and_odd_labels_end() {
    let mut circle = query("a.example", RecordType::A);
    circle[12..14].copy_from_slice(&[0xc0, 12]);
    assert!(dns(&circle).unwrap().cut);
    let mut odd = query("a.example", RecordType::A);
    odd[13] = b'.';
    odd[15] = 0;
    let (name, _) = dns(&odd).unwrap().question.unwrap();
    assert_eq!(name, "\\..\\000xample");
}

#[rstest]
#[case("192.0.2.7", "7.2.0.192.in-addr.arpa")]
#[case("2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")]
fn addresses_have_names(#[case] ip: IpAddr, #[case] expected: &str) {
    assert_eq!(reverse(ip), expected);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, at: u8, byte: u8) {
        let server = server(Answer::new("a.example", vec![ip("192.0.2.7"), ip("::1")]));
        let all = |bytes: &[u8]| {
            let _ = (dns(bytes), answer(&server, bytes, false), answer(&server, bytes, true));
            for port in [53, 5353, 5355] {
                let _ = said([port, 40000], bytes, false, &|_| String::new());
            }
            let _ = said([53, 53], bytes, true, &|_| String::new());
        };
        all(&bytes);
        let mut changed = answer(&server, &query("a.example", RecordType::A), true).unwrap();
        let len = changed.len();
        changed[usize::from(at) % len] = byte;
        all(&changed);
        changed.truncate(usize::from(at) % len);
        all(&changed);
    }
}
