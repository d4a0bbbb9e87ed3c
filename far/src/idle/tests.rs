//! Connections of HTTP that are ended when idle.

use std::time::Duration;

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::fits;
use crate::offer::Asked;

/// A server whose connections are driven by hand.
struct Driven {
    kind: Box<dyn Kind>,
    witness: Box<dyn Witness>,
    said: Vec<String>,
}

/// A connection of it.
struct One {
    stream: Box<dyn Stream>,
    done: Vec<Do>,
}

impl Driven {
    fn new(then: Then) -> Self {
        let asked = Asked { script: "cookies".to_owned(), ..Asked::default() };
        let Made { kind, witness, .. } = wrap((crate::http::OFFER.make)(&asked).unwrap(), then);
        Self { kind, witness, said: Vec::new() }
    }

    fn open(&mut self, number: u64, at: u64) -> One {
        let mut one = One { stream: self.kind.stream(number).unwrap(), done: Vec::new() };
        let [local, peer] = ["127.0.0.1:80", "127.0.0.1:9"].map(|addr| addr.parse().unwrap());
        self.input(&mut one, Input::Opened { local, peer }, at);
        one
    }

    fn input(&mut self, one: &mut One, what: Input<'_>, at: u64) {
        let mut out = Out::default();
        one.stream.input(what, Duration::from_millis(at), &mut out);
        one.done.extend(out.todo.into_iter().filter(|todo| !matches!(todo, Do::Send(_))));
        let told = out.seen.iter().flat_map(|seen| fits::told(&mut *self.witness, seen).lines);
        self.said.extend(told.filter(|line| line.starts_with("connection")));
    }

    fn lines(&self) -> Vec<String> {
        self.witness.summary().into_iter().filter(|line| line.contains("connection")).collect()
    }
}

const GET: Input<'_> = Input::Bytes(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n");
const OTHER: Input<'_> = Input::Bytes(b"GET /other HTTP/1.1\r\nHost: h\r\n\r\n");

#[rstest]
#[case::close(Then::Close, &[Do::Shutdown], &[Do::Shutdown, Do::Reset])]
#[case::reset(Then::Reset, &[Do::Reset], &[Do::Reset])]
#[case::vanish(Then::Vanish, &[], &[])]
#[case::forget(Then::Forget, &[], &[Do::Reset])]
fn an_idle_connection_is_ended(#[case] then: Then, #[case] idle: &[Do], #[case] late: &[Do]) {
    let mut driven = Driven::new(then);
    let mut one = driven.open(1, 0);
    // It is not idle before something was answered.
    assert_eq!(one.stream.wakes(), None);
    driven.input(&mut one, GET, 10);
    assert_eq!(one.stream.wakes(), Some(Duration::from_millis(210)));
    driven.input(&mut one, Input::Time, 209);
    assert_eq!((one.done.len(), driven.said.len()), (0, 0));
    // Another request, and it is not idle any more.
    driven.input(&mut one, OTHER, 209);
    driven.input(&mut one, Input::Time, 400);
    driven.input(&mut one, Input::Time, 409);
    assert_eq!(one.done, idle);
    assert!(driven.said[0].starts_with("connection 1, 0.409 s: idle for 200 ms: "));
    if then == Then::Reset {
        return;
    }
    driven.input(&mut one, GET, 500);
    assert_eq!(one.done, late);
    assert_eq!(driven.said[1], "connection 1, 0.500 s: 27 bytes came on it, and nobody reads them");
    assert_eq!(driven.witness.holds("request lost"), Ok(true));
}

#[rstest]
#[case::lost(
    None,
    "27 bytes sent on it were LOST, and not sent again; the client did not come again"
)]
#[case::otherwise(
    Some(OTHER),
    "27 bytes sent on it were LOST, and not sent again; the client came again on connection 2"
)]
#[case::again(Some(GET), "27 bytes sent on it were lost, and sent again on connection 2")]
fn what_became_of_a_lost_request(#[case] next: Option<Input<'_>>, #[case] expected: &str) {
    let mut driven = Driven::new(Then::Forget);
    let mut one = driven.open(1, 0);
    driven.input(&mut one, GET, 0);
    driven.input(&mut one, Input::Time, 200);
    driven.input(&mut one, GET, 300);
    if let Some(what) = next {
        let mut two = driven.open(2, 310);
        driven.input(&mut two, what, 311);
    }
    assert_eq!(driven.lines()[2], format!("  connection 1: {expected}"));
    let again = next == Some(GET);
    for (words, so) in [
        ("ended idle", true),
        ("came again", next.is_some()),
        ("sent again", again),
        ("request lost", !again),
        ("no request lost", again),
        ("request", true),
        ("no cookie", true),
    ] {
        assert_eq!(driven.witness.holds(words), Ok(so), "{words}");
    }
    for (words, _) in driven.witness.expectations() {
        assert!(driven.witness.holds(words).is_ok(), "{words}");
    }
    assert!(driven.witness.holds("nothing of it").is_err());
}

#[test]
fn who_sees_it_closed_loses_nothing() {
    let mut driven = Driven::new(Then::Close);
    let mut one = driven.open(1, 0);
    driven.input(&mut one, GET, 0);
    driven.input(&mut one, Input::Time, 200);
    driven.input(&mut one, Input::End, 201);
    assert_eq!(one.done, [Do::Shutdown, Do::Close]);
    let mut two = driven.open(2, 900);
    driven.input(&mut two, GET, 901);
    assert_eq!(
        driven.lines(),
        [
            "no request was lost: where a connection was closed (FIN), a new one was made",
            "1 of 2 connections was idle for 200 ms, and was then closed (FIN)",
            "  connection 1: the client ended it, too; nothing lost; the client came again on connection 2",
            "2 requests on 2 connections"
        ]
    );
    assert_eq!(driven.witness.holds("no request lost"), Ok(true));
}

#[test]
fn who_is_never_idle_is_left_alone() {
    let mut driven = Driven::new(Then::Close);
    let mut one = driven.open(1, 0);
    driven.input(&mut one, GET, 0);
    driven.input(&mut one, Input::End, 10);
    assert_eq!(one.done, [Do::Close]);
    assert_eq!(
        driven.lines()[0],
        "none of 1 connection was idle for 200 ms after an answer: none was ended"
    );
    for words in ["ended idle", "came again", "sent again", "request lost", "no request lost"] {
        assert_eq!(driven.witness.holds(words), Ok(false), "{words}");
    }
}

/// A request that is being answered is none that is idle, however long that takes.
#[test]
fn a_slow_answer_is_not_idle() {
    let mut driven = Driven::new(Then::Reset);
    let mut one = driven.open(1, 0);
    driven.input(&mut one, GET, 0);
    driven.input(&mut one, Input::Bytes(b"POST / HTTP/1.1\r\nHost: h\r\n"), 10);
    assert_eq!(one.stream.wakes(), None);
    driven.input(&mut one, Input::Time, 1000);
    assert!(one.done.is_empty());
}

#[test]
fn what_is_encrypted_cannot_be_known_again() {
    let mut driven = Driven::new(Then::Vanish);
    let mut one = driven.open(1, 0);
    driven.input(&mut one, GET, 0);
    driven.input(&mut one, Input::Time, 200);
    driven.input(&mut one, Input::Bytes(b"\x17\x03\x03\x00\x01x"), 300);
    let _two = driven.open(2, 310);
    assert!(driven.lines()[2].ends_with("whether it sent them again is encrypted"));
}

proptest! {
    /// Lost or not, in whatever pieces: nothing panics, and no more is done once it is over.
    #[test]
    fn any_bytes_are_borne(
        then in 0..THENS.len(),
        steps in proptest::collection::vec((0..5_u8, proptest::collection::vec(any::<u8>(), 0..30)), 0..30),
    ) {
        let mut driven = Driven::new(THENS[then].1);
        let (mut at, mut number) = (0, 1);
        let mut one = driven.open(number, at);
        for (step, bytes) in &steps {
            at += 90;
            match step {
                0 => driven.input(&mut one, GET, at),
                1 => driven.input(&mut one, Input::Bytes(bytes), at),
                2 => driven.input(&mut one, Input::Time, at),
                3 => driven.input(&mut one, Input::End, at),
                _ => {
                    number += 1;
                    one = driven.open(number, at);
                }
            }
            let last = one.done.iter().position(|todo| *todo == Do::Reset || *todo == Do::Close);
            prop_assert!(last.is_none_or(|last| last + 1 == one.done.len()), "{:?}", one.done);
            prop_assert!(one.stream.wakes().is_none_or(|when| when > Duration::from_millis(at) || *step != 2));
        }
        driven.witness.summary();
    }
}
