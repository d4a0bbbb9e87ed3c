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
            let _ = said([53, 53], bytes, false, &|_| String::new());
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
