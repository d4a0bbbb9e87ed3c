//! Who sent which alert, and who closed first: what is said of it at the end is what happened.

use super::*;

/// The lines of a connection that sent this and then ended so, and what it came to.
fn told(script: &str, bytes: &[u8], end: Input<'_>) -> String {
    let mut made = make(&asked(script, None)).unwrap();
    let mut wire = Wire::new(&mut made);
    wire.input(Input::Bytes(bytes));
    wire.input(end);
    told_of(&wire, made.witness)
}

fn told_of(wire: &Wire, mut witness: Box<dyn Witness>) -> String {
    let seen = wire.seen.iter().cloned().map(witness::Seen::Tls);
    let mut lines: Vec<String> =
        seen.flat_map(|seen| fits::told(&mut *witness, &seen).lines).collect();
    lines.extend(witness.summary());
    lines.join("\n")
}

const TEXT: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
const GARBAGE: &[u8] = b"\x16\x03\x01\x00\x04\x02\x00\x00\x00";
const NO_ALERT: &str = "; no alert\n";

#[rstest]
#[case::text_and_open("good", TEXT, Input::Stops, &[
    "closed by the server (FIN), and not by the client by the end",
    "; no alert of the client, of the server: decode_error",
    "\"; the server sent the alert decode_error; \
     the server closed (FIN), and the client had not when all was ended here",
])]
#[case::text_and_fin("good", TEXT, Input::End, &[
    "closed by the server (FIN), then by the client",
    "the server sent the alert decode_error; the server closed first (FIN), then the client",
])]
#[case::garbage("good", GARBAGE, Input::End, &[
    "closed by the server (FIN), then by the client",
    "no alert of the client, of the server: ",
    "; the server sent the alert ",
    "; the server closed first (FIN), then the client",
])]
#[case::reset("good", TEXT, Input::Broken("reset (RST)"), &[
    "closed by the server (FIN), then broken: reset (RST)",
    "the server closed (FIN), then it broke: reset (RST)",
])]
#[case::late("good", TEXT, Input::Time, &[
    "closed by the server (FIN), and not by the client\n",
    "the server closed (FIN), and the client did not within 2 s",
])]
// Where the server neither closed nor sent an alert nothing is said of that.
#[case::silent("silent", TEXT, Input::End, &[
    "closed by the client (FIN)",
    NO_ALERT,
    "\"; the client closed (FIN)",
])]
#[case::silent_and_open("silent", TEXT, Input::Stops, &[
    "open when the server ended",
    NO_ALERT,
    "it was open when it was ended here",
])]
#[case::part("good", b"\x16\x03\x01\x02\x00\x01", Input::End, &[
    "closed by the client (FIN)",
    NO_ALERT,
    "; the client closed (FIN)",
])]
fn the_summary_is_what_happened(
    #[case] script: &str,
    #[case] bytes: &[u8],
    #[case] end: Input<'_>,
    #[case] words: &[&str],
) {
    let told = told(script, bytes, end);
    for words in words {
        assert!(told.contains(words), "{words}: {told}");
    }
    let has_none = words.contains(&NO_ALERT);
    assert_eq!(told.contains("the server sent the alert"), !has_none, "{told}");
}

/// What goes wrong behind the handshake is no quiet end.
#[test]
fn a_record_that_cannot_be_read_is_told_behind_the_handshake() {
    let mut made = make(&asked("good", None)).unwrap();
    let mut wire = Wire::new(&mut made);
    let mut client = client(made.ca.as_deref().unwrap(), "localhost", &[]);
    pump(&mut client, &mut wire, usize::MAX);
    wire.input(Input::Bytes(b"\x17\x03\x03\x00\x20................................"));
    wire.input(Input::End);
    let told = told_of(&wire, made.witness);
    assert!(told.contains("was completed (TLS 1.3), then the server could not go on: "), "{told}");
    assert!(told.contains("the server closed first (FIN), then the client"), "{told}");
    assert!(told.contains("; no alert of the client\n"), "{told}");
    assert!(!told.contains("nothing was said"), "{told}");
}
