//! The machine and a client, in memory: each sentence and each expectation, with the fault and without it.

mod client;
mod hostile;

use quinn_proto::{Connection, Dir, VarInt};
use rstest::rstest;

use self::client::Pair;
use super::script::SCRIPTS;

fn write(quic: &mut Connection, dir: Dir, bytes: &[u8], fin: bool) {
    let id = quic.streams().open(dir).unwrap();
    assert_eq!(quic.send_stream(id).write(bytes).unwrap(), bytes.len());
    if fin {
        quic.send_stream(id).finish().unwrap();
    }
}

fn code(n: u32) -> VarInt {
    VarInt::from_u32(n)
}

#[test]
fn a_stream_is_told_and_sent_back() {
    let mut pair = Pair::connected("echo", &["sockeye"]);
    pair.with(|quic| write(quic, Dir::Bi, b"abc", true));
    assert_eq!(
        pair.answer(),
        "the client opened stream 0 (bidirectional): 3 bytes and FIN; sent back: 3 bytes and FIN"
    );
    for words in ["handshake", "stream 0", "fin 0", "alpn sockeye", "version 1"] {
        assert!(pair.holds(words), "{words}");
    }
    for words in [
        "no connection",
        "no handshake",
        "no stream",
        "stream 4",
        "reset 0",
        "alpn h3",
        "h3",
        "request",
        "datagram",
        "closed 0",
        "alert unknown_ca",
        "0-rtt",
        "migration",
        "version 2",
        "retried",
    ] {
        assert!(!pair.holds(words), "{words}");
    }
    for words in [
        "",
        "stream",
        "stream x",
        "alpn",
        "closed",
        "no",
        "no no",
        "streams 0",
        "alert nope",
        "alert 256",
    ] {
        assert!(pair.witness.holds(words).is_err(), "{words:?}");
    }
    let error = pair.witness.holds("alert nope").unwrap_err();
    assert!(error.contains("\"nope\"") && error.contains("bad_certificate, unsup"), "{error}");
    assert!(!pair.holds("alert 255"));
    let bytes: Vec<_> = pair.told.iter().flat_map(|told| told.files.clone()).collect();
    assert!(bytes.contains(&("connection-0001-stream-0.bin".to_owned(), b"abc".to_vec())));
    assert!(bytes.iter().any(|file| file.0 == "keys.log" && file.1.starts_with(b"CLIENT_")));
}

#[rstest]
#[case::none(|_: &mut Connection| {}, "the client opened no bidirectional stream: stream 0 was never used")]
#[case::one_way(
    |quic: &mut Connection| write(quic, Dir::Uni, b"ab", true),
    "the client opened no bidirectional stream: stream 0 was never used"
)]
#[case::without_fin(
    |quic: &mut Connection| write(quic, Dir::Bi, b"a", false),
    "the client opened stream 0 (bidirectional): 1 byte, no FIN; sent back: 1 byte, no FIN"
)]
#[case::fin_alone(
    |quic: &mut Connection| write(quic, Dir::Bi, b"", true),
    "the client opened stream 0 (bidirectional): 0 bytes and FIN; sent back: 0 bytes and FIN"
)]
#[case::reset(
    |quic: &mut Connection| {
        write(quic, Dir::Bi, b"", false);
        quic.send_stream(quinn_proto::StreamId::new(quinn_proto::Side::Client, Dir::Bi, 0)).reset(code(9)).unwrap();
    },
    "the client opened stream 0 (bidirectional): 0 bytes and RESET_STREAM with code 9; \
     sent back: 0 bytes and FIN"
)]
fn the_answer_is_which_streams_came(
    #[case] does: impl FnOnce(&mut Connection),
    #[case] expected: &str,
) {
    let mut pair = Pair::connected("echo", &["sockeye"]);
    pair.with(does);
    pair.stop();
    assert_eq!(pair.answer(), expected, "{}", pair.lines());
    assert_eq!(pair.holds("stream 0"), !expected.contains("no bidirectional"));
    assert_eq!(pair.holds("reset 0"), expected.contains("RESET"));
    let summary = pair.witness.summary().join("\n");
    assert!(summary.contains("still open when the server ended"), "{summary}");
}

#[test]
fn a_stream_that_was_skipped_is_not_taken_for_used() {
    let mut pair = Pair::connected("echo", &["sockeye"]);
    pair.with(|quic| {
        quic.streams().open(Dir::Bi).unwrap();
        write(quic, Dir::Bi, b"later", true);
    });
    pair.stop();
    let summary = pair.witness.summary();
    assert_eq!(
        summary[0],
        "connection 1: stream 0 (bidirectional) counts as opened since a later one is; nothing of it came"
    );
    assert!(!pair.holds("stream 0") && pair.holds("stream 4"), "{summary:?}");
}

#[test]
fn no_stream_is_no_stream() {
    let pair = Pair::connected("echo", &["sockeye"]);
    assert!(pair.holds("no stream") && pair.holds("handshake") && !pair.holds("no handshake"));
    let nobody = Pair::new("echo");
    assert!(
        nobody.holds("no connection")
            && !nobody.holds("no stream")
            && !nobody.holds("no handshake")
    );
    assert_eq!(nobody.witness.summary(), ["no QUIC packet came: the client sent nothing here"]);
}

#[test]
fn a_code_is_told_by_number_and_name() {
    let mut pair = Pair::connected("echo", &["sockeye"]);
    let now = pair.now();
    pair.with(|quic| quic.close(now, code(7), b"enough".to_vec().into()));
    assert!(pair.lines().ends_with("closed by the client, application code 7: \"enough\""));
    assert!(pair.holds("closed 7") && pair.holds("closed 0x7") && !pair.holds("closed 42"));
    let pair = Pair::connected("close-at-once", &["sockeye"]);
    assert!(pair.holds("closed 42") && !pair.holds("closed 7"));
    let pair = Pair::connected("refuse", &["sockeye"]);
    assert!(pair.holds("closed CONNECTION_REFUSED") && pair.holds("closed 2"));
    assert!(pair.holds("no handshake") && !pair.holds("no connection"));
    assert_eq!(
        pair.answer(),
        "the handshake failed: the server ended it with CONNECTION_REFUSED 0x2"
    );
    let mut pair = Pair::connected("h3", &["h3"]);
    let now = pair.now();
    pair.with(|quic| quic.close(now, code(0x100), b"".to_vec().into()));
    assert!(pair.holds("closed H3_NO_ERROR") && !pair.holds("closed H3_INTERNAL_ERROR"));
}

#[rstest]
#[case("self-signed", true, "unknown_ca")]
#[case("wrong-name", true, "bad_certificate")]
#[case("expired", true, "certificate_expired")]
#[case("echo", false, "unknown_ca")]
fn an_alert_is_told_by_name(#[case] script: &str, #[case] trusts: bool, #[case] alert: &str) {
    let mut pair = Pair::new(script);
    pair.connect(&["sockeye"], trusts);
    pair.run();
    assert!(pair.holds(&format!("alert {alert}")), "{}", pair.lines());
    assert!(!pair.holds("alert close_notify") && pair.holds("no handshake"));
    let expected = format!("the handshake failed: the client ended it with alert {alert}");
    assert!(pair.answer().starts_with(&expected), "{}", pair.answer());
}

#[test]
fn an_alpn_that_nobody_has_is_told_with_what_was_offered() {
    let pair = Pair::connected("no-alpn", &["a", "b"]);
    assert_eq!(
        pair.answer(),
        "the handshake failed: the server ended it with alert no_application_protocol, offered: a, b"
    );
    let pair = Pair::connected("h3", &["sockeye"]);
    assert!(pair.holds("alert no_application_protocol"));
    let pair = Pair::connected("echo", &["whatever"]);
    assert!(pair.holds("alpn whatever") && !pair.holds("alpn sockeye"));
    let pair = Pair::connected("echo", &["b", "echo"]);
    assert!(pair.holds("alpn echo"));
    // What is offered for nobody to know (RFC 8701) is agreed upon by nobody.
    let pair = Pair::connected("echo", &["\n\n", "whatever"]);
    assert!(pair.holds("alpn whatever"));
}

#[test]
fn the_server_opens_streams() {
    let mut pair = Pair::connected("opens-streams", &["sockeye"]);
    pair.stop();
    let summary = pair.witness.summary();
    let sent = "21 bytes and FIN sent";
    assert_eq!(
        summary[1..3],
        [
            format!(
                "connection 1: the server opened stream 1 (bidirectional): {sent}; came back: 0 bytes, no FIN"
            ),
            format!("connection 1: the server opened stream 3 (unidirectional): {sent}"),
        ]
    );
    assert!(pair.holds("no stream"));
}

#[test]
fn a_client_that_allows_no_stream_is_told() {
    let mut pair = Pair::new("opens-streams");
    pair.allows = 0;
    pair.connect(&["sockeye"], true);
    pair.run();
    let summary = pair.witness.summary().join("\n");
    assert!(
        summary.contains("the client lets the server open no bidirectional stream"),
        "{summary}"
    );
    assert!(
        pair.lines().contains("initial_max_streams_uni: 0")
            || !pair.lines().contains("streams_uni")
    );
}

#[test]
fn who_may_open_no_stream_opens_none() {
    let mut pair = Pair::connected("no-streams", &["sockeye"]);
    pair.with(|quic| assert!(quic.streams().open(Dir::Bi).is_none()));
    assert!(pair.answer().contains("never used; this script allows none"), "{}", pair.answer());
}

#[test]
fn stop_sending_is_told() {
    let mut pair = Pair::connected("opens-streams", &["sockeye"]);
    let id = quinn_proto::StreamId::new(quinn_proto::Side::Client, Dir::Bi, 0);
    pair.with(|quic| write(quic, Dir::Bi, b"abc", false));
    pair.with(|quic| quic.recv_stream(id).stop(code(5)).unwrap());
    assert!(pair.lines().contains("stream 0: STOP_SENDING with code 5"), "{}", pair.lines());
    assert!(!pair.lines().contains("STOP_SENDING with code 6"));
    let summary = pair.witness.summary().join("\n");
    assert!(
        summary.contains("the client wanted no more of stream 0: STOP_SENDING, code 5"),
        "{summary}"
    );
}

#[test]
fn datagrams_come_where_they_are_taken() {
    let mut pair = Pair::connected("datagrams", &["sockeye"]);
    pair.with(|quic| quic.datagrams().send(b"hi".to_vec().into(), true).unwrap());
    assert!(pair.holds("datagram"));
    assert!(pair.lines().contains("datagram of 2 bytes, sent back: \"hi\""), "{}", pair.lines());
    assert!(
        pair.witness.summary().contains(&"connection 1: 1 datagram came (RFC 9221)".to_owned())
    );
    let mut pair = Pair::connected("echo", &["sockeye"]);
    pair.with(|quic| assert!(quic.datagrams().send(b"hi".to_vec().into(), true).is_err()));
    assert!(!pair.holds("datagram"));
}

#[test]
fn http3_is_told_and_answered() {
    let mut pair = Pair::connected("h3", &["h3"]);
    assert!(!pair.holds("h3"));
    let http =
        |pair: &Pair| pair.witness.summary().into_iter().find(|s| s.contains("HTTP/3")).unwrap();
    assert!(http(&pair).contains("no control stream came"));
    pair.with(|quic| {
        write(quic, Dir::Uni, &[0, 4, 0], false);
        write(quic, Dir::Uni, &[2], false);
        write(quic, Dir::Bi, &[1, 5, 0, 0, 0xd1, 0xd7, 0xc1], true);
    });
    assert!(pair.holds("h3") && pair.holds("request") && pair.holds("stream 0"));
    assert_eq!(
        http(&pair),
        "connection 1: HTTP/3: the control stream came by stream 2 with SETTINGS; \
         QPACK encoder by stream 6; 1 request"
    );
    pair.with(|quic| write(quic, Dir::Bi, &[0, 1, 9], true));
    assert!(pair.lines().contains("sent back: 0 bytes and RESET_STREAM with code 269"));
}

#[test]
fn early_data_is_told() {
    let mut pair = Pair::connected("echo", &["sockeye"]);
    assert!(!pair.holds("0-rtt"));
    let now = pair.now();
    pair.with(|quic| quic.close(now, code(0), b"".to_vec().into()));
    pair.connect(&["sockeye"], true);
    pair.with(|quic| {
        assert!(quic.has_0rtt());
        write(quic, Dir::Bi, b"early", true);
    });
    assert!(pair.holds("0-rtt"), "{}", pair.lines());
    assert!(pair.lines().contains("announces early data (0-RTT)"));
    let summary = pair.witness.summary();
    assert_eq!(
        summary[0],
        "2 connections, 2 with a whole handshake; the client opened stream 0 on 1"
    );
}

#[test]
fn an_address_that_changes_is_told() {
    let mut pair = Pair::connected("echo", &["sockeye"]);
    assert!(!pair.holds("migration"));
    pair.peer = "127.0.0.1:6666".parse().unwrap();
    pair.with(Connection::ping);
    assert!(pair.holds("migration"), "{}", pair.lines());
    assert!(pair.lines().contains("address was 127.0.0.1:5555 and is 127.0.0.1:6666 now"));
}

#[test]
fn a_retry_has_to_come_back() {
    let mut pair = Pair::connected("retry", &["sockeye"]);
    assert!(pair.holds("retried") && pair.holds("handshake"));
    pair.with(|quic| write(quic, Dir::Bi, b"a", true));
    assert!(pair.holds("stream 0"));
    let mut pair = Pair::new("retry");
    pair.connect(&["sockeye"], true);
    for datagram in pair.first() {
        pair.give(&datagram);
    }
    assert!(!pair.holds("retried") && pair.holds("no handshake"));
    assert!(pair.answer().contains("did not come back with its token"), "{}", pair.answer());
}

#[test]
fn nothing_is_sent_in_silence() {
    let mut pair = Pair::connected("silent", &["sockeye"]);
    assert!(pair.received.is_empty() && pair.lines().contains("ALPN offered: sockeye"));
    assert!(pair.answer().contains("this script never answers"), "{}", pair.answer());
    pair.stop();
    assert!(pair.received.is_empty());
}

#[rstest]
#[case("version-negotiation", "1 and 2 is spoken, which it has to ignore")]
#[case("version-none", "0x1a2a3a4a (reserved) is spoken")]
fn versions_are_negotiated(#[case] script: &str, #[case] expected: &str) {
    let pair = Pair::connected(script, &["sockeye"]);
    assert!(pair.answer().ends_with(expected), "{}", pair.answer());
    assert!(pair.holds("no handshake"));
}

#[test]
fn every_script_can_be_served() {
    for script in SCRIPTS {
        let mut pair = Pair::connected(script.name, &["h3"]);
        pair.stop();
        assert!(
            !pair.witness.summary().is_empty() && !pair.holds("no connection"),
            "{}",
            script.name
        );
    }
}
