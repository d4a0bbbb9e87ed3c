//! The machine against a client in memory and against any bytes, and what is told of it.

use std::io::{Read as _, Write as _};
use std::sync::OnceLock;

use proptest::prelude::*;
use rstest::rstest;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::report::Report;
use super::*;
use crate::fits;
use crate::machine::{Do, Input, Out};
use crate::witness::{self, Witness};

mod ended;

fn asked(script: &str, within: Option<&str>) -> Asked {
    Asked {
        script: script.to_owned(),
        within: within.map(str::to_owned),
        names: vec!["db.example".to_owned()],
        ..Asked::default()
    }
}

/// A connection to a machine, both ends in memory.
struct Wire {
    stream: Box<dyn Stream>,
    witness: Box<dyn Witness>,
    seen: Vec<Seen>,
    sent: Vec<u8>,
    todo: Vec<Do>,
}

impl Wire {
    fn new(made: &mut Made) -> Self {
        let stream = made.kind.stream(1).unwrap();
        let witness = Box::new(Report::new(&script::ROWS[0].1, &[], Duration::ZERO));
        let (seen, sent, todo) = (Vec::new(), Vec::new(), Vec::new());
        let mut wire = Self { stream, witness, seen, sent, todo };
        let local = "127.0.0.1:443".parse().unwrap();
        let peer = "127.0.0.1:50000".parse().unwrap();
        wire.input(Input::Opened { local, peer });
        wire
    }

    fn input(&mut self, what: Input<'_>) {
        let mut out = Out::default();
        self.stream.input(what, Duration::from_millis(1), &mut out);
        for seen in out.seen {
            fits::told(&mut *self.witness, &seen);
            let witness::Seen::Tls(seen) = seen else { continue };
            self.seen.push(seen);
        }
        for todo in out.todo {
            match todo {
                Do::Send(bytes) => self.sent.extend(bytes),
                todo => self.todo.push(todo),
            }
        }
    }

    /// What was seen, in words that are the same each time.
    fn words(&self) -> Vec<String> {
        let words = |seen: &Seen| match &seen.what {
            What::Bytes { .. } => None,
            // As much as was there at once.
            What::NotTls(_) => Some("NotTls".to_owned()),
            What::Said(Said::Other(_)) => Some("Other".to_owned()),
            What::Ended { how, .. } => Some(format!("{how:?}")),
            what => Some(format!("{what:?}")),
        };
        self.seen.iter().filter_map(words).collect()
    }
}

fn client(ca: &str, host: &'static str, alpn: &[&[u8]]) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    ClientConnection::new(Arc::new(config), ServerName::try_from(host).unwrap()).unwrap()
}

/// Carries bytes both ways, the client's in pieces, until neither has any.
fn pump(client: &mut ClientConnection, wire: &mut Wire, piece: usize) -> Vec<u8> {
    let mut got = Vec::new();
    loop {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        if bytes.is_empty() && wire.sent.is_empty() {
            return got;
        }
        bytes.chunks(piece).for_each(|piece| wire.input(Input::Bytes(piece)));
        let sent = std::mem::take(&mut wire.sent);
        let mut rest = &sent[..];
        while !rest.is_empty() && client.read_tls(&mut rest).is_ok_and(|n| n > 0) {
            let _ = client.process_new_packets();
            let _ = client.reader().read_to_end(&mut got);
        }
    }
}

#[rstest]
#[case("good", None)]
#[case("tls1.2-only", None)]
#[case("tls1.3-only", None)]
#[case("too-long-825", None)]
#[case("too-long-398", None)]
#[case("self-signed", Some("unknown_ca"))]
#[case("other-ca", Some("unknown_ca"))]
#[case("missing-intermediate", Some("unknown_ca"))]
#[case("wrong-name", Some("bad_certificate"))]
#[case("no-san", Some("bad_certificate"))]
#[case("expired", Some("certificate_expired"))]
#[case("not-yet-valid", Some("certificate_expired"))]
#[case("sha1", Some("decrypt_error"))]
#[case("small-key", Some("decrypt_error"))]
#[case("wrong-purpose", Some("unsupported_certificate"))]
fn what_a_client_says(#[case] script: &str, #[case] alert: Option<&str>) {
    let mut made = make(&asked(script, None)).unwrap();
    let mut wire = Wire::new(&mut made);
    let ca = made.ca.clone().unwrap();
    let mut client = client(&ca, "localhost", &[b"h2", b"http/1.1"]);
    let _ = client.writer().write_all(b"GET /x HTTP/1.1\r\n\r\n");
    let got = pump(&mut client, &mut wire, usize::MAX);
    wire.input(Input::End);
    let told = wire.words().join("\n");
    for seen in &wire.seen {
        fits::told(&mut *made.witness, &witness::Seen::Tls(seen.clone()));
    }
    let holds = |words: &str| made.witness.holds(words).unwrap();
    assert!(holds("sni localhost") && holds("alpn h2") && holds("connection"), "{told}");
    assert!(!holds("sni example") && !holds("alpn h3") && !holds("no connection"));
    assert!(!holds("no sni") && !holds("bind"));
    assert_eq!(holds("handshake"), alert.is_none(), "{told}");
    assert_eq!(holds("no handshake"), alert.is_some());
    assert_eq!(holds("no alert"), alert.is_none(), "{told}");
    let summary = made.witness.summary().join("\n");
    match alert {
        None => {
            assert!(got.ends_with(b"what came: GET /x\n"));
            assert!(summary.contains("the client went on: GET /x"), "{summary}");
        }
        Some(alert) => {
            assert!(holds(&format!("alert {alert}")), "{told}");
            assert!(!holds("alert access_denied"));
            let refuses = alert::by_code(alert::code(alert).unwrap()).unwrap().of_certificate;
            let how = if refuses { "refused the certificate" } else { "gave up" };
            assert!(
                summary.contains(&format!("{how} in the handshake: alert {alert}")),
                "{summary}"
            );
            let end = if refuses { ", and was refused" } else { ", and no client went on" };
            assert!(summary.ends_with(end), "{summary}");
        }
    }
}

#[test]
fn it_is_for_names_that_were_given() {
    let mut made = make(&asked("good", None)).unwrap();
    for (host, is_right) in [("db.example", true), ("other.example", false), ("127.0.0.1", true)] {
        let mut wire = Wire::new(&mut made);
        let mut client = client(made.ca.as_deref().unwrap(), host, &[]);
        pump(&mut client, &mut wire, 100);
        wire.input(Input::End);
        assert_eq!(wire.witness.holds("handshake"), Ok(is_right), "{host}");
        assert_eq!(wire.witness.holds("no sni"), Ok(host == "127.0.0.1"));
        let stranger = "not for what was asked for: other.example";
        let summary = wire.witness.summary().join("\n");
        assert_eq!(summary.contains(stranger), !is_right, "{summary}");
    }
}

#[test]
fn ldap_is_spoken_within() {
    const BIND: &[u8] = b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00";
    for within in [None, Some("ldap")] {
        let mut made = make(&asked("good", within)).unwrap();
        let mut wire = Wire::new(&mut made);
        let mut client = client(made.ca.as_deref().unwrap(), "localhost", &[]);
        client.writer().write_all(BIND).unwrap();
        let got = pump(&mut client, &mut wire, 7);
        assert_eq!(got, b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00");
        assert_eq!(wire.witness.holds("bind"), Ok(true));
        client.send_close_notify();
        pump(&mut client, &mut wire, 7);
        wire.input(Input::Stops);
        assert!(wire.words().iter().any(|word| word.contains("code: 0")), "{:?}", wire.seen);
    }
}

#[test]
fn long_answers_are_whole() {
    const SEARCH: &[u8] = b"\x30\x07\x02\x01\x02\x63\x02\x04\x00";
    let mut made = make(&asked("good", Some("ldap"))).unwrap();
    let mut wire = Wire::new(&mut made);
    let mut client = client(made.ca.as_deref().unwrap(), "localhost", &[]);
    pump(&mut client, &mut wire, usize::MAX);
    client.set_buffer_limit(None);
    client.writer().write_all(&SEARCH.repeat(50_000)).unwrap();
    let got = pump(&mut client, &mut wire, usize::MAX);
    assert_eq!(got.len(), 50_000 * 14);
    let told = wire.words().iter().filter(|word| word.contains("Search")).count();
    assert_eq!(told, 50_000);
}

#[test]
fn starttls_leads_to_a_handshake() {
    let mut ask = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x16".to_vec();
    ask.extend(b"1.3.6.1.4.1.1466.20037");
    let mut made = make(&asked("good", Some("ldap"))).unwrap();
    let mut wire = Wire::new(&mut made);
    wire.input(Input::Bytes(&ask));
    assert_eq!(std::mem::take(&mut wire.sent)[..6], *b"\x30\x0c\x02\x01\x01\x78");
    let mut client = client(made.ca.as_deref().unwrap(), "localhost", &[]);
    pump(&mut client, &mut wire, 50);
    assert_eq!(wire.witness.holds("handshake"), Ok(true), "{:?}", wire.seen);
    assert!(!client.is_handshaking());
}

#[rstest]
#[case("silent", "nothing was answered; it was open")]
#[case("plain", "was answered without TLS")]
#[case("close-after-hello", "closed (FIN)")]
#[case("reset-after-hello", "reset (RST)")]
#[case("tls1.0", "took TLS 1.0")]
#[case("tls1.1", "took TLS 1.1")]
#[case("no-alpn", "sent the alert no_application_protocol")]
fn what_is_done_with_a_hello(#[case] script: &str, #[case] words: &str) {
    let mut made = make(&asked(script, None)).unwrap();
    let mut wire = Wire::new(&mut made);
    let mut client = client(made.ca.as_deref().unwrap(), "localhost", &[b"h2"]);
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    wire.input(Input::Bytes(&bytes));
    if wire.stream.wakes().is_some() {
        wire.input(Input::Time);
    }
    wire.input(Input::Stops);
    for seen in &wire.seen {
        fits::told(&mut *made.witness, &witness::Seen::Tls(seen.clone()));
    }
    let summary = made.witness.summary().join("\n");
    assert!(summary.contains(words), "{summary}");
    assert_eq!(made.witness.holds("no handshake"), Ok(true));
    let resets = wire.todo.contains(&Do::Reset);
    assert_eq!(resets, script == "reset-after-hello");
}

#[test]
fn an_old_version_that_is_refused_was_not_taken() {
    let mut made = make(&asked("tls1.0", None)).unwrap();
    let mut wire = Wire::new(&mut made);
    let mut client = client(made.ca.as_deref().unwrap(), "localhost", &[]);
    pump(&mut client, &mut wire, usize::MAX);
    wire.input(Input::Time);
    assert_eq!(wire.witness.holds("alert protocol_version"), Ok(true), "{:?}", wire.words());
    let summary = wire.witness.summary().join("\n");
    assert!(summary.contains("alert protocol_version") && !summary.contains("took"), "{summary}");
}

#[rstest]
#[case("good", Some("smtp"), "a.example", "within is http or ldap")]
#[case("god", None, "a.example", "nearest is \"good\"")]
#[case("good", None, "b\u{fc}cher.example", "is no name of a certificate")]
fn what_cannot_be_made(
    #[case] script: &str,
    #[case] within: Option<&str>,
    #[case] name: &str,
    #[case] words: &str,
) {
    let mut asked = asked(script, within);
    asked.names = vec![name.to_owned()];
    let err = make(&asked).err().unwrap();
    assert!(err.contains(words), "{err}");
}

#[test]
fn no_connection_is_an_answer() {
    let made = make(&asked("good", None)).unwrap();
    assert!(made.witness.summary()[0].starts_with("no connection came"));
    for (words, expected) in [("no connection", true), ("connection", false), ("bind", false)] {
        assert_eq!(made.witness.holds(words), Ok(expected));
    }
    assert!(made.witness.holds("alert unknown-ca").unwrap_err().contains("\"unknown_ca\""));
    assert!(made.witness.holds("hand shake").unwrap_err().contains("one of: connection"));
}

/// What came, and the words of the summary and whether it counts.
#[rstest]
#[case(b"", "no byte came", false)]
#[case(b"\x16\x03\x01\x02\x00\x01", "6 bytes came, which are no whole", true)]
#[case(b"\x17\x03\x03\x00\x01x", "a record of type 23 came first", true)]
#[case(b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", "of type 2, ClientHello is 1", true)]
#[case(b"GET / HTTP/1.1\r\n\r\n", "no TLS but a text", true)]
#[case(
    b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00",
    "ldaps:// is served): bind",
    true
)]
#[case(b"\x80\x2e\x01\x00\x02\x00", "no TLS but a ClientHello of SSL 2.0", true)]
fn what_is_no_hello(#[case] bytes: &[u8], #[case] words: &str, #[case] counts: bool) {
    let mut made = make(&asked("good", None)).unwrap();
    let mut wire = Wire::new(&mut made);
    if !bytes.is_empty() {
        wire.input(Input::Bytes(bytes));
    }
    wire.input(Input::End);
    let last = wire.seen.last().unwrap().clone();
    for seen in &wire.seen[..wire.seen.len() - 1] {
        assert!(!fits::told(&mut *made.witness, &witness::Seen::Tls(seen.clone())).counts);
    }
    assert_eq!(fits::told(&mut *made.witness, &witness::Seen::Tls(last)).counts, counts);
    let summary = made.witness.summary().join("\n");
    assert!(summary.contains(words), "{summary}");
}

#[test]
fn who_asks_without_tls_is_answered_where_that_is_served() {
    for (script, answers) in [("plain", true), ("silent", false)] {
        let mut made = make(&asked(script, Some("ldap"))).unwrap();
        let mut wire = Wire::new(&mut made);
        wire.input(Input::Bytes(b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"));
        wire.input(Input::Stops);
        assert_eq!(!wire.sent.is_empty(), answers);
        for seen in &wire.seen {
            fits::told(&mut *made.witness, &witness::Seen::Tls(seen.clone()));
        }
        let summary = made.witness.summary().join("\n");
        assert_eq!(summary.contains("as this script does: bind of LDAP 3"), answers, "{summary}");
    }
}

#[test]
fn alerts_without_end_are_not_told_without_end() {
    let mut made = make(&asked("silent", None)).unwrap();
    let mut wire = Wire::new(&mut made);
    wire.input(Input::Bytes(&b"\x15\x03\x03\x00\x02\x01\x64".repeat(1000)));
    wire.input(Input::Stops);
    assert_eq!(wire.words().iter().filter(|word| word.starts_with("Alert")).count(), 8);
}

#[test]
fn a_warning_that_changes_nothing_is_no_refusal() {
    let mut made = make(&asked("good", None)).unwrap();
    let alert = |at_end| {
        let session =
            Session { version: 0x0304, suite: 0x1301, group: None, alpn: None, retried: false };
        let alert = What::Alert { level: Some(1), code: 42, is_done: at_end };
        let mut all = vec![alert, What::Done(session)];
        if at_end {
            all.reverse();
        }
        all.push(What::Said(Said::Other(b"x".to_vec())));
        all.push(What::Ended { how: End::Fin, came: 9, shut: false });
        all
    };
    for (number, at_end) in [(1, false), (2, true)] {
        let end = "127.0.0.1:1".parse().unwrap();
        let opened = What::Opened { peer: end, local: end };
        for what in [vec![opened], alert(at_end)].concat() {
            let at = Duration::ZERO;
            fits::told(&mut *made.witness, &witness::Seen::Tls(Seen { number, at, what }));
        }
    }
    let summary = made.witness.summary();
    assert!(summary[1].contains("went on: \"x\""), "{summary:?}");
    assert!(summary[2].contains("refused the certificate after the handshake"), "{summary:?}");
}

/// A `ClientHello` as a library makes it, in its record.
fn record() -> &'static [u8] {
    static RECORD: OnceLock<Vec<u8>> = OnceLock::new();
    RECORD.get_or_init(|| {
        let made = make(&asked("good", None)).unwrap();
        let mut client = client(made.ca.as_deref().unwrap(), "localhost", &[b"h2", b"http/1.1"]);
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        bytes
    })
}

#[test]
fn a_hello_is_read_whole_or_not_at_all() {
    let message = &record()[5..];
    let hello = hello::Hello::parse(message, vec![message.len()]).unwrap();
    assert_eq!(hello.name().as_deref(), Some("localhost"));
    assert_eq!(hello.protocols(), ["h2", "http/1.1"]);
    assert_eq!(hello.versions, [0x0304, 0x0303]);
    assert!(hello.suites.contains(&0x1301) && hello.groups.contains(&0x001d));
    assert!(hello.shares.contains(&0x001d) && hello.signatures.contains(&0x0403));
    assert!(!hello.ech && !hello.early_data && hello.psks == 0);
    for end in 0..message.len() {
        assert!(hello::Hello::parse(&message[..end], Vec::new()).is_err(), "{end}");
    }
}

#[test]
fn what_nobody_knows_is_counted() {
    let mut message = vec![1, 0, 0, 0, 3, 3];
    message.extend([7; 32]);
    message.extend([0, 0, 4, 0x0a, 0x0a, 0x13, 0x01, 1, 0, 0, 0]);
    let at = message.len() - 2;
    let extensions: [&[u8]; 6] = [
        &[0x1a, 0x1a, 0, 0],
        &[0, 43, 0, 7, 6, 0x2a, 0x2a, 3, 4, 3, 3],
        &[0, 16, 0, 8, 0, 6, 2, 0x3a, 0x3a, 2, b'h', b'2'],
        &[0xfe, 0x0d, 0, 1, 0],
        &[0, 42, 0, 0],
        &[0, 41, 0, 9, 0, 7, 0, 1, b'x', 0, 0, 0, 0],
    ];
    message.extend(extensions.concat());
    let length = u16::try_from(message.len() - at - 2).unwrap().to_be_bytes();
    message[at..at + 2].copy_from_slice(&length);
    let length = u16::try_from(message.len() - 4).unwrap().to_be_bytes();
    message[2..4].copy_from_slice(&length);
    let hello = hello::Hello::parse(&message, Vec::new()).unwrap();
    assert_eq!((hello.suites.as_slice(), hello.grease), (&[0x1301][..], 3));
    assert_eq!(hello.versions, [0x0304, 0x0303]);
    assert_eq!(hello.protocols(), ["h2"]);
    assert!(hello.ech && hello.early_data && hello.psks == 1);
    let lines = hello.lines().join("\n");
    assert!(lines.contains("ECH: yes, or GREASE of it") && lines.contains("early data"), "{lines}");
}

/// A report of connections that end in that order, each by what its number makes of it.
fn ended(numbers: &[u64], why: fn(u64) -> String) -> Vec<String> {
    let mut report = Report::new(&script::ROWS[0].1, &[], Duration::ZERO);
    let at = Duration::ZERO;
    for number in numbers {
        let addr = "127.0.0.1:1".parse().unwrap();
        let opened = What::Opened { peer: addr, local: addr };
        let end = What::Ended { how: End::Broken(why(*number)), came: 0, shut: false };
        for what in [opened, end] {
            fits::told(&mut report, &Seen { number: *number, at, what }.into());
        }
    }
    report.summary()
}

#[test]
fn connections_are_told_in_the_order_in_which_they_came() {
    let summary = ended(&[4, 2, 1, 3], |n| if n == 2 { "two" } else { "other" }.to_owned());
    assert!(summary[1].starts_with("connections 1, 3, 4: "), "{summary:?}");
    assert!(summary[2].starts_with("connection 2: "), "{summary:?}");
    let back: Vec<u64> = (1..=20).rev().collect();
    let summary = ended(&back, |_| "same".to_owned());
    assert!(summary[1].starts_with("connections 1, 2, 3, 4, 5, 6, 7, 8 and 12 more: "));
}

#[test]
fn of_many_fates_the_first_are_told() {
    let all: Vec<u64> = (1..=300).collect();
    let summary = ended(&all[..16], |n| n.to_string());
    assert_eq!(summary.len(), 17, "{summary:?}");
    let summary = ended(&all, |n| n.to_string());
    assert_eq!(summary.len(), 18, "{summary:?}");
    assert!(summary[16].starts_with("connection 16: "), "{summary:?}");
    assert_eq!(summary[17], "and 284 connections more");
}

/// What is seen of those bytes in pieces of that size.
fn seen(made: &mut Made, bytes: &[u8], size: usize) -> Vec<String> {
    let mut wire = Wire::new(made);
    bytes.chunks(size).for_each(|piece| wire.input(Input::Bytes(piece)));
    wire.input(Input::Time);
    wire.input(Input::Stops);
    wire.witness.summary();
    wire.words()
}

fn scripts() -> impl Strategy<Value = (usize, Option<&'static str>)> {
    const FAST: &[usize] = &[0, 13, 14, 15, 17, 18, 19, 20];
    const WITHIN: &[Option<&str>] = &[None, Some("http"), Some("ldap")];
    (prop::sample::select(FAST), prop::sample::select(WITHIN))
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces(
        (row, within) in scripts(),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        size in 1_usize..20,
    ) {
        let mut made = make(&asked(script::SCRIPTS[row].name, within)).unwrap();
        let whole = seen(&mut made, &bytes, usize::MAX);
        prop_assert_eq!(whole, seen(&mut made, &bytes, size));
    }

    #[test]
    fn a_damaged_hello_in_any_pieces(
        (row, within) in scripts(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        tail in prop::collection::vec(any::<u8>(), 0..20),
        size in 1_usize..300,
    ) {
        let mut bytes = record().to_vec();
        for (index, byte) in damage {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.extend(tail);
        let mut made = make(&asked(script::SCRIPTS[row].name, within)).unwrap();
        let whole = seen(&mut made, &bytes, usize::MAX);
        prop_assert_eq!(whole, seen(&mut made, &bytes, size));
    }
}
