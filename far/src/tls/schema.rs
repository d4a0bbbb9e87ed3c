//! What the lines about a client of TLS are.

use serde_json::Value;

use crate::schema::{
    Field, Lines, at, bits, connection, event, list, maybe, number, object, text, truth, with, word,
};

/// What [`super::hello::Hello::json`] has, of QUIC too.
pub(crate) fn hello() -> [Field; 17] {
    let extension = object(
        "An extension.",
        [
            ("name", text(), "Its name."),
            ("number", bits(16), "Its number."),
            ("length", number(), "How many bytes it has."),
        ],
    );
    [
        ("length", number(), "How many bytes the message has, its header included."),
        ("records", list(number()), "How many bytes of it came in each record."),
        ("legacy_version", text(), "legacy_version (RFC 8446 §4.1.2)."),
        ("versions", list(text()), "Versions in the client's order."),
        ("sni", maybe(text()), "Whom it wants to speak to; null if it does not say."),
        ("alpn", list(text()), "Protocols within that are offered."),
        ("cipher_suites", list(text()), "Cipher suites in the client's order."),
        ("groups", list(text()), "Groups of the key exchange in the client's order."),
        ("key_shares", list(text()), "Groups of which a share is in it."),
        ("signature_algorithms", list(text()), "Signature algorithms in the client's order."),
        ("session_id_len", number(), "How many bytes the session id has."),
        (
            "ticket_len",
            maybe(number()),
            "How many bytes the session ticket has; null without that extension.",
        ),
        ("psks", number(), "How many sessions it would resume (pre_shared_key)."),
        ("early_data", truth(), "Whether it sends data before the handshake is over."),
        (
            "ech_or_grease",
            truth(),
            "Whether Encrypted ClientHello is in it, or what is made to look so.",
        ),
        ("grease", number(), "How many numbers are there for nobody to know (RFC 8701)."),
        ("extensions", list(extension), "Extensions in the client's order."),
    ]
}

/// A line of that event.
fn line<const N: usize>(
    name: &'static str,
    about: &str,
    fields: [Field; N],
) -> (&'static str, Value) {
    (name, with(object(about, fields), [event(name), connection(), at()]))
}

/// By `event`.
pub(crate) fn lines() -> Lines {
    let why = |about| ("why", text(), about);
    let ends = ["fin", "broken", "server", "stopped"];
    vec![
        line(
            "opened",
            "A connection is there.",
            [("peer", text(), "The client's address and port.")],
        ),
        line("client-hello", "A ClientHello came.", hello()),
        line(
            "malformed-client-hello",
            "A ClientHello came that cannot be read.",
            [why("Why not, in words.")],
        ),
        line(
            "not-tls",
            "What came first is no TLS.",
            [("first", text(), "Its first bytes, escaped as in Rust.")],
        ),
        line(
            "answered",
            "The ClientHello was answered.",
            [("with", text(), "With what, in words: the certificate, or what the script has.")],
        ),
        line("handshake", "The handshake is over.", agreed()),
        line("alert", "The client sent an alert.", alert()),
        line(
            "refused",
            "The server cannot go on.",
            [
                why("Why not, in words."),
                (
                    "sent_alert",
                    maybe(text()),
                    "The alert that it sent; null if none, or if it was encrypted.",
                ),
            ],
        ),
        line(
            "took",
            "The client took an old version: it waits for what comes behind the ServerHello.",
            [("version", text(), "The version.")],
        ),
        line(
            "said",
            "Something was said within, or without any TLS.",
            [("said", text(), "What, and how it was answered, in words.")],
        ),
        line(
            "ended",
            "A connection ended.",
            [
                (
                    "how",
                    word(&ends),
                    "The client closed it, it broke, the server closed it, or it was open when the server ended.",
                ),
                (
                    "server_closed",
                    truth(),
                    "Whether the server had closed before (FIN), and waited.",
                ),
                ("bytes", number(), "How many bytes came in all."),
            ],
        ),
    ]
}

fn agreed() -> [Field; 5] {
    [
        ("version", text(), "The version."),
        ("cipher_suite", text(), "The cipher suite."),
        ("group", maybe(text()), "The group of the key exchange; null if there was none."),
        ("alpn", maybe(text()), "The protocol within that was agreed upon; null if none was."),
        (
            "hello_retry_request",
            truth(),
            "Whether the client was asked for another key share first.",
        ),
    ]
}

fn alert() -> [Field; 5] {
    [
        ("alert", text(), "Its name (RFC 8446 §6), or its number."),
        ("code", bits(8), "Its number."),
        ("says", text(), "What it means; empty if nobody knows."),
        ("level", maybe(word(&["warning", "fatal"])), "Its level; null of one that was encrypted."),
        ("after_handshake", truth(), "Whether the handshake was over."),
    ]
}
