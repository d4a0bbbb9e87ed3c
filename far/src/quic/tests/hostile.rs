//! Datagrams that nobody should send.

use proptest::prelude::*;
use quinn_proto::Dir;

use super::client::Pair;
use super::write;

#[test]
fn a_small_initial_is_told_as_such() {
    let mut pair = Pair::new("echo");
    pair.connect(&["sockeye"], true);
    let mut first = pair.first().swap_remove(0);
    assert!(first.len() >= 1200);
    // A version 1 Initial of 600 bytes: its length field says so.
    let at = 1 + 4 + 1 + usize::from(first[5]);
    let at = at + 1 + usize::from(first[at]);
    assert_eq!(first[at], 0, "there is no token");
    first.truncate(600);
    let length = u16::try_from(first.len() - at - 3).unwrap() | 0x4000;
    first[at + 1..at + 3].copy_from_slice(&length.to_be_bytes());
    pair.give(&first);
    assert!(
        pair.lines().contains("in a datagram of 600 bytes: less than 1200"),
        "{}",
        pair.lines()
    );
    assert!(pair.answer().starts_with("the handshake never began: 1 Initial of 600 bytes"));
    assert!(pair.received.is_empty() && pair.holds("no handshake"));
}

#[test]
fn an_initial_that_cannot_be_decrypted_is_told_as_such() {
    let mut pair = Pair::new("echo");
    pair.connect(&["sockeye"], true);
    let mut first = pair.first().swap_remove(0);
    *first.last_mut().unwrap() ^= 1;
    pair.give(&first);
    assert_eq!(
        pair.answer(),
        "no handshake: no whole ClientHello came; given up: authentication failed"
    );
    assert!(pair.received.is_empty());
}

#[test]
fn what_is_no_quic_is_told_as_such() {
    let mut pair = Pair::new("echo");
    pair.give(b"GET / HTTP/1.1\r\n\r\n");
    assert!(pair.holds("no connection"));
    assert_eq!(
        pair.witness.summary(),
        ["no QUIC connection was begun: 1 datagram came, and none is an Initial"]
    );
    assert!(
        pair.lines()
            .starts_with("no connection (0.000 s): 127.0.0.1:5555 sent a datagram of 18 bytes")
    );
}

#[test]
fn what_comes_behind_the_end_is_told_as_such() {
    let mut pair = Pair::connected("echo", &["sockeye"]);
    pair.with(|quic| write(quic, Dir::Bi, &[7; 99], true));
    let now = pair.now();
    pair.with(|quic| quic.close(now, 0_u32.into(), b""[..].into()));
    for _ in 0..9 {
        pair.run();
    }
    assert!(!pair.lines().contains("of no connection"));
    let short = pair.short.clone();
    pair.give(&short);
    let line = "bytes, of no connection, answered by a stateless reset: ";
    assert!(pair.lines().contains(line), "{}", pair.lines());
    assert_eq!(pair.witness.summary().last().unwrap(), "and 1 datagram of no connection");
    assert!(pair.holds("handshake") && !pair.holds("no connection"));
}

#[test]
fn an_unknown_version_is_answered_and_a_small_one_is_not() {
    let mut datagram = vec![0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 2, 7, 8, 1, 9];
    let mut pair = Pair::new("echo");
    pair.give(&datagram);
    assert!(pair.received.is_empty());
    datagram.resize(1200, 0);
    pair.give(&datagram);
    assert_eq!(pair.received, [[0xc0, 0, 0, 0, 0, 1, 9, 2, 7, 8, 0, 0, 0, 1]]);
    let answer = pair.answer();
    assert!(
        answer.contains("came with version 0x1a2a3a4a (reserved) and was told that 1"),
        "{answer}"
    );
    assert!(pair.holds("version 0x1a2a3a4a") || pair.holds("no handshake"));
}

#[test]
fn many_connections_are_bounded() {
    let mut pair = Pair::new("echo");
    for _ in 0..200 {
        pair.connect(&["sockeye"], true);
        for datagram in pair.first() {
            pair.give(&datagram);
        }
        pair.received.clear();
    }
    assert!(pair.lines().contains("too many connections"));
    assert_eq!(
        pair.witness.summary().last().unwrap(),
        "of 136 connections more nothing is told here; what is expected counts them"
    );
}

/// Initials that cannot be decrypted, each of an attempt of its own.
fn bogus(pair: &mut Pair, many: usize) {
    for _ in 0..many {
        pair.connect(&["sockeye"], true);
        let mut first = pair.first().swap_remove(0);
        *first.last_mut().unwrap() ^= 1;
        pair.give(&first);
        pair.received.clear();
    }
}

#[test]
fn a_good_connection_behind_many_bogus_ones_is_told() {
    let mut pair = Pair::new("echo");
    bogus(&mut pair, 80);
    assert!(pair.holds("no handshake") && !pair.holds("handshake"));
    pair.connect(&["sockeye"], true);
    pair.run();
    pair.with(|quic| write(quic, Dir::Bi, b"abc", true));
    for words in ["handshake", "stream 0", "fin 0", "alpn sockeye", "version 1"] {
        assert!(pair.holds(words), "{words}");
    }
    assert!(!pair.holds("no handshake") && !pair.holds("no stream"));
    let summary = pair.witness.summary();
    let first = "81 connections, 1 with a whole handshake; the client opened stream 0 on 1";
    assert_eq!(summary[0], first);
    let own = "connection 81: the client opened stream 0 (bidirectional): 3 bytes and FIN";
    assert!(summary.iter().any(|line| line.starts_with(own)), "{summary:?}");
    assert_eq!(
        summary.last().unwrap(),
        "of 17 connections more nothing is told here; what is expected counts them"
    );
}

#[test]
fn what_is_expected_counts_connections_without_an_account() {
    let mut pair = Pair::new("datagrams");
    for _ in 0..64 {
        pair.connect(&["one"], true);
        for datagram in pair.first() {
            pair.give(&datagram);
        }
        pair.received.clear();
    }
    assert!(!pair.holds("handshake"));
    pair.config = None;
    pair.connect(&["two"], true);
    pair.run();
    assert!(pair.holds("handshake") && pair.holds("no stream") && pair.holds("alpn two"));
    assert!(!pair.holds("datagram") && !pair.holds("closed 7") && !pair.holds("reset 0"));
    pair.with(|quic| quic.datagrams().send(b"hi".to_vec().into(), true).unwrap());
    pair.with(|quic| {
        write(quic, Dir::Bi, b"", false);
        let id = quinn_proto::StreamId::new(quinn_proto::Side::Client, Dir::Bi, 0);
        quic.send_stream(id).reset(9_u32.into()).unwrap();
    });
    let now = pair.now();
    pair.with(|quic| quic.close(now, 7_u32.into(), b""[..].into()));
    for words in ["datagram", "stream 0", "reset 0", "closed 7"] {
        assert!(pair.holds(words), "{words}");
    }
    let first = "65 connections, 1 with a whole handshake; the client opened stream 0 on 1";
    assert_eq!(pair.witness.summary()[0], first);
}

#[test]
fn a_retry_is_kept_for_when_its_token_comes() {
    let mut pair = Pair::new("retry");
    bogus(&mut pair, 600);
    assert!(!pair.holds("retried"));
    pair.connect(&["sockeye"], true);
    pair.run();
    assert!(pair.holds("retried") && pair.holds("handshake"));
}

#[test]
fn many_streams_are_bounded() {
    let mut pair = Pair::connected("echo", &["sockeye"]);
    for _ in 0..50 {
        pair.with(|quic| write(quic, Dir::Bi, b"x", true));
    }
    let summary = pair.witness.summary();
    assert!(summary.len() < 24, "{summary:?}");
    assert!(summary.contains(&"connection 1: and 34 streams more".to_owned()), "{summary:?}");
}

#[test]
fn much_is_sent_back_whole() {
    let mut pair = Pair::connected("echo", &["sockeye"]);
    let mut left = 400_000;
    let id = quinn_proto::StreamId::new(quinn_proto::Side::Client, Dir::Bi, 0);
    pair.with(|quic| assert_eq!(quic.streams().open(Dir::Bi), Some(id)));
    let mut back = 0;
    for _ in 0..99 {
        pair.with(|quic| {
            let n = quic.send_stream(id).write(&vec![7; left.min(32 << 10)]).unwrap_or(0);
            left -= n;
            if left == 0 {
                let _ = quic.send_stream(id).finish();
            }
            let mut stream = quic.recv_stream(id);
            if let Ok(mut chunks) = stream.read(true) {
                while let Ok(Some(chunk)) = chunks.next(usize::MAX) {
                    back += chunk.bytes.len();
                }
                let _ = chunks.finalize();
            }
        });
    }
    assert_eq!(back, 400_000);
    assert!(pair.answer().ends_with("400000 bytes and FIN; sent back: 400000 bytes and FIN"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn any_datagrams_are_taken(datagrams in prop::collection::vec(any::<Vec<u8>>(), 0..20)) {
        let mut pair = Pair::new("echo");
        for datagram in &datagrams {
            pair.give(datagram);
        }
        pair.stop();
        pair.witness.summary();
    }

    #[test]
    fn what_is_spoilt_on_its_way_is_taken(
        script in 0..super::SCRIPTS.len(),
        spoils in prop::collection::vec((0_usize..8, 0_usize..1400, any::<u8>()), 1..12),
    ) {
        let mut pair = Pair::new(super::SCRIPTS[script].name);
        pair.connect(&["h3"], true);
        for (turn, at, with) in spoils {
            for mut datagram in pair.first() {
                let n = datagram.len();
                if turn & 1 == 0 {
                    datagram[at % n] ^= with;
                } else if turn & 2 == 0 {
                    datagram.truncate(at % n);
                } else {
                    pair.give(&datagram);
                }
                pair.give(&datagram);
            }
            pair.run();
        }
        pair.stop();
        pair.witness.summary();
    }

    #[test]
    fn any_bytes_of_http3_are_taken(control: Vec<u8>, request: Vec<u8>, fin: bool) {
        let mut pair = Pair::connected("h3", &["h3"]);
        pair.with(|quic| write(quic, Dir::Uni, &control, false));
        pair.with(|quic| write(quic, Dir::Bi, &request, fin));
        pair.stop();
        prop_assert!(pair.holds("handshake"));
    }
}
