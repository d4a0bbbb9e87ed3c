//! What is told of requests, and what a connection makes of bytes.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;

use super::report::Teller;
use super::*;
use crate::fits;
use crate::head::{Came, parse};
use crate::witness::{Seen, Witness};

mod machine;

fn told(records: &[Record]) -> Teller {
    let mut teller = Teller::default();
    for record in records {
        let told = fits::told(&mut teller, &Seen::Http(Box::new(record.clone())));
        assert_eq!(told.files[0].1, record.raw);
    }
    teller
}

/// A request that came with a cookie, and what the response set.
fn record(request: u64, cookie: &str, set: &str) -> Record {
    let cookie = if cookie.is_empty() { String::new() } else { format!("Cookie: {cookie}\r\n") };
    let raw = format!("GET /x HTTP/1.1\r\nHost: h\r\n{cookie}\r\n").into_bytes();
    let (head, head_len) = match parse(&raw) {
        Came::Head(head, len) => (Ok(*head), len),
        other => panic!("{other:?}"),
    };
    let mut lines = vec!["HTTP/1.1 200 OK".to_owned()];
    if !set.is_empty() {
        lines.push(format!("Set-Cookie: {set}"));
    }
    let at = Duration::from_millis(request * 10);
    let answered_at = at + Duration::from_millis(1);
    let response = Some(Answered { at: answered_at, status: 200, lines });
    let (body_len, body_note, ending) = (0, None, "kept open".to_owned());
    let connection = 1;
    Record {
        request,
        connection,
        on_connection: request,
        at,
        head,
        raw,
        head_len,
        body_len,
        body_note,
        response,
        ending,
    }
}

const SET: &str = "session=1; Path=/";
const EXPIRED: &str = "session=; Path=/; Max-Age=0";

#[rstest]
#[case::nothing(&[], &["no response set a cookie"])]
#[case::never_set(&[("", "")], &["no response set a cookie"])]
#[case::set_last(&[("", SET)], &["response 1 set `session=1`", "  no request came after that"])]
#[case::sent_back(
    &[("", SET), ("session=1", ""), ("a=b; session=1", "")],
    &["Cookie sent: yes, `a=b`, in request 3 though no response here had set it",
      "response 1 set `session=1`",
      "  Cookie sent: yes, `session=1`, in requests 2 and 3"]
)]
#[case::not_always(
    &[("", SET), ("session=1", ""), ("", "")],
    &["response 1 set `session=1`",
      "  Cookie sent: yes, `session=1`, in request 2",
      "  Cookie sent: no, not in request 3"]
)]
#[case::expired_and_gone(
    &[("", SET), ("session=1", EXPIRED), ("", "")],
    &["response 1 set `session=1`",
      "  Cookie sent: yes, `session=1`, in request 2",
      "response 2 expired `session`",
      "  Cookie sent: no, not in request 3"]
)]
#[case::expired_and_sent(
    &[("", SET), ("session=1", EXPIRED), ("session=1", ""), ("session=1", "")],
    &["response 1 set `session=1`",
      "  Cookie sent: yes, `session=1`, in request 2",
      "response 2 expired `session`",
      "  Cookie sent: yes, `session=1`, in requests 3 and 4 though response 2 expired it"]
)]
#[case::another_value(
    &[("session=0", SET), ("session=0", "")],
    &["Cookie sent: yes, `session=0`, in request 1 though no response here had set it",
      "response 1 set `session=1`",
      "  Cookie sent: yes, `session=0`, in request 2 though response 1 set `session=1`"]
)]
fn the_summary_says_what_became_of_a_cookie(
    #[case] exchanges: &[(&str, &str)],
    #[case] expected: &[&str],
) {
    let mut records: Vec<Record> =
        (1..).zip(exchanges).map(|(n, (cookie, set))| record(n, cookie, set)).collect();
    assert_eq!(told(&records).summary()[1..], *expected);
    records.reverse();
    assert_eq!(told(&records).summary()[1..], *expected, "in another order");
}

#[rstest]
#[case("", "", "no")]
#[case(SET, "session=1", "yes, session=1")]
#[case(EXPIRED, "session=1", "yes, session=1, though response 1 expired it")]
#[case(SET, "session=2", "yes, session=2, though response 1 set session=1")]
#[case("", "a=b", "yes, a=b, which no response here had set")]
fn a_request_says_whether_a_cookie_came(
    #[case] set: &str,
    #[case] cookie: &str,
    #[case] expected: &str,
) {
    let mut teller = told(&[record(1, "", set)]);
    let lines = fits::told(&mut teller, &Seen::Http(Box::new(record(2, cookie, "")))).lines;
    let wanted = format!("request 2 (connection 1, 0.020 s): GET /x — Cookie sent: {expected}");
    assert_eq!(lines[0], wanted);
    assert_eq!(lines[1].starts_with("    Cookie:"), !cookie.is_empty());
}

#[test]
fn what_is_no_request_is_quoted() {
    let raw = b"\x16\x03\x01\"\n".to_vec();
    let head = Err("this is TLS".to_owned());
    let record = Record { head, raw, head_len: 0, response: None, ..record(1, "", "") };
    let mut teller = Teller::default();
    let lines = fits::told(&mut teller, &Seen::Http(Box::new(record))).lines;
    assert!(lines[0].ends_with("malformed: this is TLS"), "{lines:?}");
    assert_eq!(lines[1], r#"    "\x16\x03\x01\"\n""#);
    assert!(teller.summary().contains(&"malformed: request 1".to_owned()));
}

#[test]
fn of_many_requests_the_first_are_named() {
    let bad = |n| Record { head: Err("why".to_owned()), ..record(n, "", "") };
    let eight = told(&(1..=8).map(bad).collect::<Vec<_>>()).summary();
    assert!(eight.contains(&"malformed: requests 1, 2, 3, 4, 5, 6, 7 and 8".to_owned()));
    let many = told(&(1..=10_200).map(bad).collect::<Vec<_>>()).summary();
    let expected = "malformed: requests 1, 2, 3, 4, 5, 6, 7, 8 and 10192 more".to_owned();
    assert!(many.contains(&expected), "{many:?}");
    let sent: Vec<Record> = (1..=20).map(|n| record(n, "a=b", "")).collect();
    let line = "Cookie sent: yes, `a=b`, in requests 1, 2, 3, 4, 5, 6, 7, 8 and 12 more \
        though no response here had set it";
    assert_eq!(told(&sent).summary()[1], line);
    // The first that are kept are none of these.
    let late: Vec<Record> = (1..=10_000).map(|n| record(n, "", "")).chain([bad(10_001)]).collect();
    assert!(told(&late).summary().contains(&"malformed: 1 request".to_owned()));
}

#[test]
fn json_has_the_head_as_it_came() {
    let seen = Seen::Http(Box::new(record(1, "a=b", SET)));
    let value = fits::told(&mut Teller::default(), &seen).json;
    assert_eq!(value["head"], "GET /x HTTP/1.1\r\nHost: h\r\nCookie: a=b\r\n\r\n");
    assert_eq!(value["cookie"], "a=b");
    assert_eq!(value["headers"][1], json!(["Cookie", "a=b"]));
    assert_eq!(value["response"]["lines"][1], "Set-Cookie: session=1; Path=/");
}

/// Each expectation is so, and is not.
#[rstest]
#[case("request", &[("", "")], &[])]
#[case("no request", &[], &[("", "")])]
#[case("cookie", &[("", ""), ("a=b", "")], &[("", "")])]
#[case("no cookie", &[("", SET), ("", "")], &[("", SET), ("session=1", "")])]
#[case("no cookie", &[("", "")], &[])]
#[case("expired cookie", &[("", EXPIRED), ("session=1", "")], &[("", SET), ("session=1", "")])]
#[case("no expired cookie", &[("", EXPIRED), ("", "")], &[("", EXPIRED), ("session=1", "")])]
#[case("no expired cookie", &[("", EXPIRED), ("a=b", "")], &[("", EXPIRED)])]
#[case("no malformed", &[("", "")], &[])]
fn what_is_expected_is_so_or_not(
    #[case] words: &str,
    #[case] so: &[(&str, &str)],
    #[case] not_so: &[(&str, &str)],
) {
    for (exchanges, expected) in [(so, true), (not_so, false)] {
        let records: Vec<Record> =
            (1..).zip(exchanges).map(|(n, (cookie, set))| record(n, cookie, set)).collect();
        assert_eq!(told(&records).holds(words), Ok(expected), "{exchanges:?}");
    }
}

#[test]
fn connections_and_what_is_malformed_are_expected_too() {
    let one = told(&[record(1, "", ""), record(2, "", "")]);
    let two = told(&[record(1, "", ""), Record { on_connection: 1, ..record(2, "", "") }]);
    assert_eq!((one.holds("one connection"), two.holds("one connection")), (Ok(true), Ok(false)));
    let malformed = Record { head: Err("why".to_owned()), ..record(1, "", "") };
    let malformed = told(&[malformed]);
    for (words, expected) in [("malformed", true), ("no malformed", false), ("request", false)] {
        assert_eq!(malformed.holds(words), Ok(expected), "{words}");
    }
    assert_eq!(one.holds("malformed"), Ok(false));
    assert!(one.holds("cookies").is_err());
    for (words, _) in one.expectations() {
        assert!(one.holds(words).is_ok(), "{words}");
    }
}

#[test]
fn what_is_kept_has_an_end() {
    let many: Vec<Record> = (1..=10_003).map(|n| record(n, "", "")).collect();
    let summary = told(&many).summary();
    assert_eq!(summary[0], "10003 requests on 1 connection");
    assert_eq!(summary[2], "of 3 requests after these the cookies are not told here");
    let cookies: Vec<String> = (0..150).map(|n| format!("a{n}=1")).collect();
    let summary = told(&[record(1, &cookies.join("; "), "")]).summary();
    assert_eq!(summary.len(), 103);
    assert_eq!(summary[101], "Cookie sent: yes, 50 others that no response here had set");
    let summary = told(&[record(1, "a=b; a=b; a=c", "")]).summary();
    assert_eq!(
        summary[1],
        "Cookie sent: yes, `a=b`, in request 1 though no response here had set it"
    );
}
