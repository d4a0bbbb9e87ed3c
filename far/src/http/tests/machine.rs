//! A connection by itself: bytes in, bytes and requests out.

use proptest::collection::vec;
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::head::Collector;
use crate::machine::{Do, Input, Out, Stream};

/// A connection, and what came of it.
struct Driven {
    machine: Box<dyn Stream>,
    at: Duration,
    done: Vec<String>,
    sent: Vec<u8>,
    records: Vec<Record>,
    teller: Teller,
    is_over: bool,
}

impl Driven {
    fn new(script: &str) -> Self {
        let asked = Asked { script: script.to_owned(), ..Asked::default() };
        let machine = make(&asked).unwrap().kind.stream(1).unwrap();
        let (at, done, sent, records) = (Duration::ZERO, Vec::new(), Vec::new(), Vec::new());
        Self { machine, at, done, sent, records, teller: Teller::default(), is_over: false }
    }

    /// Hands something over, a millisecond later.
    fn input(&mut self, what: Input<'_>) {
        if self.is_over {
            return;
        }
        self.at += Duration::from_millis(1);
        let mut out = Out::default();
        self.machine.input(what, self.at, &mut out);
        for todo in out.todo {
            match todo {
                Do::Send(bytes) => self.sent.extend(bytes),
                other => {
                    self.is_over |= other != Do::Shutdown;
                    self.done.push(format!("{other:?}"));
                }
            }
        }
        out.seen.iter().for_each(|seen| drop(fits::told(&mut self.teller, seen)));
        self.records.extend(out.seen.into_iter().map(|seen| match seen {
            Seen::Http(record) => *record,
            other => panic!("{other:?}"),
        }));
    }

    /// Lets time go by until it wants none.
    fn time(&mut self) {
        while let Some(when) = self.machine.wakes().filter(|_| !self.is_over) {
            self.at = self.at.max(when);
            self.input(Input::Time);
        }
    }

    /// Bytes as far as it takes them, in pieces of no more than `most`.
    fn bytes(&mut self, mut bytes: &[u8], most: usize) {
        while !bytes.is_empty() && !self.is_over {
            if self.machine.room() == 0 {
                let when = self.machine.wakes().expect("who takes nothing waits for a time");
                self.at = self.at.max(when);
                self.input(Input::Time);
                continue;
            }
            let (now, later) = bytes.split_at(bytes.len().min(most).min(self.machine.room()));
            self.input(Input::Bytes(now));
            bytes = later;
        }
    }

    /// What came of it but for times.
    fn story(&self) -> (String, Vec<String>, Vec<String>) {
        let sent = String::from_utf8_lossy(&self.sent).into_owned();
        let told = self.records.iter().map(|record| {
            let Record { request, on_connection, raw, body_len, body_note, ending, .. } = record;
            let raw = raw.escape_ascii();
            format!("{request} {on_connection} {raw} {body_len} {body_note:?} {ending}")
        });
        (sent, self.done.clone(), told.collect())
    }
}

const GET: &str = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
const POST: &str = "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKS: &str =
    "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
const LATE: &str =
    "PUT /late HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nab";

#[rstest]
fn pieces_change_nothing(
    #[values("cookies", "keep-alive-vanish", "early-413-linger", "slow", "continue")] script: &str,
    #[values(1, 2, 7, 50)] most: usize,
) {
    let text = [GET, POST, CHUNKS, LATE, GET].concat();
    let [whole, pieces] = [usize::MAX, most].map(|most| {
        let mut driven = Driven::new(script);
        driven.bytes(text.as_bytes(), most);
        driven.time();
        driven.input(Input::End);
        driven.story()
    });
    assert_eq!(pieces, whole);
}

#[rstest]
#[case("keep-alive-close", "to be closed (FIN) after 200 ms idle", "Close")]
#[case("keep-alive-reset", "to be reset (RST) after 200 ms idle", "Reset")]
fn an_idle_connection_is_ended(#[case] script: &str, #[case] ending: &str, #[case] done: &str) {
    let mut driven = Driven::new(script);
    driven.bytes(GET.as_bytes(), usize::MAX);
    assert_eq!(driven.machine.wakes(), Some(driven.at + Duration::from_millis(200)));
    // It is told before it is ended.
    assert_eq!(driven.records[0].ending, ending);
    driven.time();
    assert_eq!(driven.done, [done]);
    assert_eq!(driven.records.len(), 1);
    // Unless the next request comes, which is not answered.
    let mut driven = Driven::new(script);
    driven.bytes([GET, GET].concat().as_bytes(), GET.len());
    assert_eq!((driven.done.len(), driven.records.len()), (1, 2));
    assert!(driven.records[1].response.is_none());
}

#[test]
fn the_slow_reader_takes_little_and_rests() {
    let mut driven = Driven::new("slow");
    driven.bytes(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 40000\r\n\r\n", 9999);
    let mut reads = 0;
    let mut left = 40_000;
    while left > 0 {
        assert_eq!(driven.machine.room(), 0);
        driven.at = driven.machine.wakes().unwrap();
        driven.input(Input::Time);
        let now = driven.machine.room().min(left);
        assert!(now <= 16 << 10);
        driven.input(Input::Bytes(&vec![b'x'; now]));
        (left, reads) = (left - now, reads + 1);
    }
    assert_eq!((reads, driven.records[0].body_len), (3, 40_000));
    assert!(driven.sent.starts_with(b"HTTP/1.1 200 OK"));
}

#[rstest]
#[case::nothing("", Input::End, None)]
#[case::line_ends("\r\n\n", Input::End, None)]
#[case::in_a_head("GET", Input::End, Some("malformed: the connection ended within the head"))]
#[case::in_a_body(&POST[..POST.len() - 2], Input::End, Some("ended by the client"))]
#[case::broken(
    "GET",
    Input::Broken("reset (RST)"),
    Some("malformed: within the head: reset (RST)")
)]
#[case::broken_body(
    &POST[..POST.len() - 2],
    Input::Broken("reset (RST)"),
    Some("broken by the client: reset (RST)")
)]
#[case::stopped("GET", Input::Stops, Some("malformed: the server ended within the head"))]
#[case::stopped_body(&POST[..POST.len() - 2], Input::Stops, Some("ended with the server"))]
#[case::between(GET, Input::Stops, Some("kept open"))]
fn what_is_unfinished_is_told(
    #[case] text: &str,
    #[case] end: Input<'_>,
    #[case] expected: Option<&str>,
) {
    let mut driven = Driven::new("cookies");
    driven.bytes(text.as_bytes(), usize::MAX);
    driven.input(end);
    let said: Vec<String> = driven
        .records
        .iter()
        .map(|record| match &record.head {
            Ok(_) => record.ending.clone(),
            Err(why) => format!("malformed: {why}"),
        })
        .collect();
    assert_eq!(said, expected.into_iter().collect::<Vec<_>>());
}

/// What is no HTTP is refused as it comes, and not when its sender gives up.
#[test]
fn a_handshake_of_tls_is_refused_at_once() {
    let mut driven = Driven::new("cookies");
    driven.bytes(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", usize::MAX);
    assert_eq!(driven.done, ["Close"]);
    assert!(driven.sent.starts_with(b"HTTP/1.1 400 "));
}

/// A head of empty lines, a byte at a time: what is looked at for each of them has a bound.
#[rstest]
#[case(b"\n")]
#[case(b"\r\n")]
#[case(b"a")]
#[case(b"a:b\r\n")]
fn a_long_head_in_small_pieces_takes_no_longer(#[case] piece: &[u8]) {
    let mut driven = Driven::new("cookies");
    let bytes: Vec<u8> =
        b"GET / HTTP/1.1\r\n".iter().chain(piece.iter().cycle()).take(70_000).copied().collect();
    let bytes = if piece[0] == b'\n' || piece[0] == b'\r' { &bytes[16..] } else { &bytes[..] };
    let began = std::time::Instant::now();
    driven.bytes(bytes, 1);
    assert!(driven.is_over, "{} bytes", bytes.len());
    assert_eq!(driven.records.len(), 1);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

proptest! {
    #[test]
    fn any_bytes_are_borne(
        script in 0..OFFER.scripts.len(),
        pieces in vec(
            prop_oneof![
                vec(any::<u8>(), 0..40),
                prop_oneof![Just(GET), Just(POST), Just(CHUNKS), Just(LATE), Just("\r\n"), Just("0\r\n")]
                    .prop_map(|text| text.as_bytes().to_vec()),
            ],
            0..12
        ),
        end in 0..3,
    ) {
        let mut driven = Driven::new(OFFER.scripts[script].name);
        for piece in &pieces {
            driven.bytes(piece, usize::MAX);
        }
        driven.time();
        driven.input([Input::End, Input::Stops, Input::Broken("gone")][usize::try_from(end).unwrap()]);
        // Each request is told once, in their order.
        let mut numbers: Vec<u64> = driven.records.iter().map(|record| record.request).collect();
        let sorted = numbers.clone();
        numbers.sort_unstable();
        numbers.dedup();
        prop_assert_eq!(numbers, sorted);
    }

    /// What the line that ends a head is, is known without a parser, and the parser agrees.
    #[test]
    fn an_empty_line_ends_a_head(bytes in vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b':'), Just(b'a'), Just(b' ')], 0..60)) {
        let bytes = [&b"GET / HTTP/1.1\r\n"[..], &bytes].concat();
        let mut buffer = Collector::default();
        for (end, byte) in (1..).zip(&bytes) {
            buffer.push(&[*byte]);
            let by_pieces = format!("{:?}", buffer.head(false));
            prop_assert_eq!(by_pieces, format!("{:?}", parse(&bytes[..end])));
        }
    }
}
