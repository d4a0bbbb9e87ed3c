//! The machine by plain values, and what its witness says of it.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::fits;
use crate::machine::{Do, Input, whole};
use crate::witness::Witness;

const SHAKE: &[u8] =
    b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Protocol: chat, other\r\nSec-WebSocket-Extensions: permessage-deflate; x\r\n\r\n";
const HI: &[u8] = b"\x81\x82\0\0\0\0hi";
const LONG: &[u8] = b"\x81\x87\x01\0\0\0ibcddfg";
const BYE: &[u8] = b"\x88\x85\0\0\0\x02\x03\xe8b{e";
const UNMASKED: &[u8] = b"\x81\x02hi";
const COMPRESSED: &[u8] = b"\xc1\x82\0\0\0\0hi";
const TOO_LONG: &[u8] = b"\x82\xff\0\0\0\0\0\x10\0\x01abcd";
const TLS: &[u8] = b"\x16\x03\x01";
const HALF: &[u8] = b"GET / HT";
const PLAIN: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// What a server said, what was told, and what was to be done at the end.
fn run(script: &str, inputs: &[Input<'_>]) -> (Vec<u8>, Vec<Do>, String, Box<dyn Witness>) {
    let made = make(&Asked { script: script.to_owned(), ..Asked::default() }).unwrap();
    let (mut kind, mut witness) = (made.kind, made.witness);
    let mut stream = kind.stream(1).unwrap();
    let (mut sent, mut others, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    whole(&mut *stream, 80, inputs, |out| {
        for todo in out.todo {
            match todo {
                Do::Send(bytes) => sent.extend(bytes),
                other => others.push(other),
            }
        }
        for seen in &out.seen {
            lines.extend(fits::told(&mut *witness, seen).lines);
        }
    });
    (sent, others, lines.join("\n"), witness)
}

fn ends_with(sent: &[u8], expected: &[u8]) {
    assert!(sent.ends_with(expected), "{}", sent.escape_ascii());
}

#[rstest]
#[case::echo("echo", &[HI], b"\r\n\r\n\x81\x02hi")]
#[case::no_handshake("no-handshake", &[], b"\x81\x1ba frame without a handshake")]
#[case::close_at_once("close-at-once", &[], b"\x88\x0c\x03\xe9going away")]
#[case::fragment("fragment", &[LONG], b"\x01\x03hbc\0\x03def\x80\x01g")]
#[case::closed("echo", &[BYE], b"\x88\x02\x03\xe8")]
#[case::too_long("echo", &[TOO_LONG], b"\x88\x19\x03\xf1more than 1048576 bytes")]
#[case::unmasked("echo", &[UNMASKED], "a frame without a mask (§5.1)".as_bytes())]
#[case::compressed("deflate-ignored", &[COMPRESSED], b"\x81\x172 compressed bytes came")]
fn a_script_does_as_it_says(
    #[case] script: &str,
    #[case] frames: &[&[u8]],
    #[case] expected: &[u8],
) {
    let bytes = [SHAKE, &frames.concat()].concat();
    let (sent, ..) = run(script, &[Input::Bytes(&bytes)]);
    ends_with(&sent, expected);
}

#[rstest]
#[case(
    "echo",
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n"
)]
#[case("no-subprotocol", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")]
#[case("deflate-ignored", "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")]
fn a_handshake_is_answered(#[case] script: &str, #[case] expected: &str) {
    let (sent, ..) = run(script, &[Input::Bytes(SHAKE)]);
    ends_with(&sent, expected.as_bytes());
    let (sent, ..) = run("bad-accept", &[Input::Bytes(SHAKE)]);
    let text = String::from_utf8_lossy(&sent).into_owned();
    assert!(text.contains("Sec-WebSocket-Accept: ") && !text.contains("s3pPLMBiTx"), "{text}");
    let (sent, ..) = run("refuse-403", &[Input::Bytes(SHAKE)]);
    assert!(sent.starts_with(b"HTTP/1.1 403 "));
    let (sent, ..) = run(script, &[Input::Bytes(PLAIN)]);
    assert!(sent.starts_with(b"HTTP/1.1 426 "));
}

#[test]
fn reset_resets_at_the_first_frame() {
    let (_, todo, ..) = run("reset", &[Input::Bytes(SHAKE)]);
    assert!(!todo.contains(&Do::Reset));
    let (_, todo, lines, _) = run("reset", &[Input::Bytes(SHAKE), Input::Bytes(HI)]);
    assert!(todo.contains(&Do::Reset) && lines.contains("the script reset it (RST)"));
}

#[test]
fn ping_tells_of_the_pong() {
    let pong = b"\x8a\x86\0\0\0\0ping 1";
    let inputs = [Input::Bytes(SHAKE), Input::Time, Input::Bytes(pong)];
    let (sent, _, lines, witness) = run("ping", &inputs);
    ends_with(&sent, b"\x89\x06ping 1");
    assert!(lines.contains("it answers ping 1 after 0.000 s"), "{lines}");
    assert_eq!(witness.holds("pong"), Ok(true));
    let (_, _, lines, witness) = run("echo", &[Input::Bytes(SHAKE), Input::Bytes(pong)]);
    assert!(lines.contains("it answers no ping of this server"), "{lines}");
    assert_eq!(witness.holds("pong"), Ok(false));
}

const ALL: &[&str] =
    &["handshake", "no handshake", "violation", "no violation", "close 1000", "no close"];

#[rstest]
#[case::right(&[SHAKE, HI, BYE], "1 connection: 1 began with a handshake",
    &["handshake", "no violation", "close 1000"])]
#[case::no_close(&[SHAKE, HI], "1 connection: 1 began with a handshake", &["handshake", "no violation", "no close"])]
#[case::frame(&[HI], "1 connection: 1 began without a handshake, with a frame at once",
    &["no handshake", "no violation", "no close"])]
#[case::plain(&[PLAIN], "1 connection: 1 began with a request that is no right handshake",
    &["no handshake", "violation"])]
#[case::tls(&[TLS], "1 connection: 1 began with something else", &["no handshake"])]
#[case::half(&[HALF], "1 connection: 1 began with something else", &["no handshake"])]
#[case::nothing(&[], "1 connection: 1 began with nothing", &["no handshake"])]
#[case::unmasked(&[SHAKE, UNMASKED], "1 connection: 1 began with a handshake",
    &["handshake", "violation", "no close"])]
fn the_summary_says_whether_there_was_a_handshake(
    #[case] pieces: &[&[u8]],
    #[case] expected: &str,
    #[case] holds: &[&str],
) {
    let inputs: Vec<Input<'_>> = pieces.iter().map(|p| Input::Bytes(p)).collect();
    let (_, _, lines, witness) = run("echo", &[&inputs[..], &[Input::End]].concat());
    let summary = witness.summary();
    assert_eq!(summary[0], expected, "{lines}");
    for words in ALL {
        assert_eq!(witness.holds(words), Ok(holds.contains(words)), "{words} {summary:?}");
    }
    let breaks = summary.iter().any(|line| line == "they break RFC 6455:");
    assert_eq!(breaks, pieces.concat().ends_with(UNMASKED));
    assert_eq!(
        summary.iter().any(|l| l.contains("Sec-WebSocket-Key is missing")),
        pieces == [PLAIN]
    );
}

#[rstest]
#[case("bad-accept", &[SHAKE], Input::End, true)]
#[case("bad-accept", &[SHAKE], Input::Broken("reset (RST)"), true)]
#[case("bad-accept", &[SHAKE], Input::Stops, false)]
#[case("bad-accept", &[SHAKE, HI], Input::End, false)]
#[case("bad-accept", &[PLAIN], Input::End, false)]
#[case("echo", &[SHAKE], Input::End, false)]
fn a_wrong_accept_is_the_likely_reason_of_who_goes_without_a_word(
    #[case] script: &str,
    #[case] pieces: &[&[u8]],
    #[case] end: Input<'_>,
    #[case] expected: bool,
) {
    let inputs: Vec<Input<'_>> = pieces.iter().map(|p| Input::Bytes(p)).chain([end]).collect();
    let (.., witness) = run(script, &inputs);
    let line = "1 connection ended by the client without a word behind the 101: \
        most likely since our Sec-WebSocket-Accept is wrong, ";
    let summary = witness.summary();
    assert_eq!(summary.iter().any(|said| said.starts_with(line)), expected, "{summary:?}");
}

#[test]
fn nobody_came() {
    let made = make(&Asked { script: "echo".to_owned(), ..Asked::default() }).unwrap();
    assert_eq!(made.witness.summary(), ["no connection came"]);
    assert_eq!(made.witness.holds("no connection"), Ok(true));
    for words in ALL.iter().chain(&["close none", "close 1001", "pong"]) {
        assert_eq!(made.witness.holds(words), Ok(false), "{words}");
    }
    assert!(made.witness.holds("close").is_err() && made.witness.holds("close x").is_err());
}

#[test]
fn a_frame_is_told_as_it_came() {
    let (_, _, lines, _) =
        run("echo", &[Input::Bytes(SHAKE), Input::Bytes(LONG), Input::Bytes(BYE), Input::End]);
    assert_eq!(
        lines,
        "connection 1, 0.000 s: handshake: GET /chat — no User-Agent, 127.0.0.1:50000; answered 101
  subprotocols offered: chat, other
  extensions offered: permessage-deflate; x
frame 1 (connection 1, 0.000 s): text (opcode 1), FIN, masked, 7 bytes: \"hbcdefg\"
frame 2 (connection 1, 0.000 s): close (opcode 8), FIN, masked, 5 bytes
  code 1000 (normal closure), reason \"bye\"
connection 1, 0.000 s: ended: the server closed first (FIN), then the client, after 2 frames; its Close: 1000 (normal closure), reason \"bye\""
    );
}

/// Without a Close the server has said nothing of an end.
#[test]
fn a_client_that_goes_first_is_told() {
    let (_, _, lines, _) = run("echo", &[Input::Bytes(SHAKE), Input::Bytes(LONG), Input::End]);
    assert!(lines.contains("ended: the client closed it (FIN), after 1 frame"), "{lines}");
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_are_the_same(
        script in 0..ROWS.len(),
        start in prop::sample::select(vec![SHAKE, PLAIN, HI, b"", b"\x16", b"\r\n"]),
        end in prop::collection::vec(prop::sample::select(vec![HI, LONG, BYE, b"\x89\x80abcd", UNMASKED, b"\0", b"\xff"]), 0..5),
        cut in 0usize..400,
    ) {
        let bytes = [start, &end.concat()].concat();
        let script = SCRIPTS[script].name;
        let cut = cut.min(bytes.len());
        let (sent, _, lines, _) = run(script, &[Input::Bytes(&bytes)]);
        let (sent_too, _, lines_too, _) =
            run(script, &[Input::Bytes(&bytes[..cut]), Input::Bytes(&bytes[cut..])]);
        prop_assert_eq!(sent, sent_too);
        // Of when they came, and how much of what is no handshake was there, the pieces say something.
        let frames = |lines: &str| -> Vec<String> {
            lines.lines().filter(|l| l.starts_with("frame ")).map(str::to_owned).collect()
        };
        prop_assert_eq!(frames(&lines), frames(&lines_too));
    }

    #[test]
    fn anything_is_something(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let (_, _, _, witness) = run("echo", &[Input::Bytes(&bytes), Input::End]);
        prop_assert!(witness.summary()[0].starts_with("1 connection: "));
        let (_, _, _, witness) = run("ping", &[Input::Bytes(SHAKE), Input::Bytes(&bytes), Input::End]);
        prop_assert!(witness.summary()[0].starts_with("1 connection: 1 began with a handshake"));
    }
}
