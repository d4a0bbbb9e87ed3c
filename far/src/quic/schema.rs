//! What the lines about a client of QUIC are.

use serde_json::{Value, json};

use crate::schema::{
    Field, Lines, at, bits, event, list, maybe, number, object, object_and, pair, text, truth,
    with, word,
};
use crate::tls::schema as tls;

/// A line of that event.
fn line<const N: usize>(what: &str, about: &str, fields: [Field; N]) -> Value {
    with(object(about, fields), common(what))
}

fn common(what: &str) -> [Field; 3] {
    let about =
        "The connection's number, from 1: each attempt at one has its own; 0 of what is of none.";
    [event(what), ("connection", number(), about), at()]
}

fn stream() -> Field {
    ("stream", number(), "The stream's identifier.")
}

fn peer() -> Field {
    ("peer", text(), "The client's address and port.")
}

fn len() -> Field {
    ("len", number(), "How many bytes it has.")
}

/// By their events.
pub(crate) fn lines() -> Lines {
    let mut all = packets();
    all.extend(streams());
    all.extend(http3());
    all.push((
        "moved",
        line(
            "moved",
            "The client has another address now (RFC 9000 §9).",
            [
                ("from", text(), "The address and port before."),
                ("to", text(), "The address and port now."),
            ],
        ),
    ));
    all.push(("closed", closed()));
    all
}

fn packets() -> Lines {
    vec![
        ("initial", initial()),
        (
            "stray",
            line(
                "stray",
                "A datagram that belongs to no connection and begins none.",
                [
                    peer(),
                    len(),
                    (
                        "reset",
                        truth(),
                        "Whether it was answered by a stateless reset (RFC 9000 §10.3).",
                    ),
                    ("start", text(), "Its first bytes, escaped as in Rust."),
                ],
            ),
        ),
        (
            "version-negotiation",
            line(
                "version-negotiation",
                "A Version Negotiation packet was sent.",
                [
                    ("offered", text(), "The version that the client has."),
                    ("listed", list(text()), "The versions that it was told."),
                ],
            ),
        ),
        ("retry", line("retry", "A Retry was sent (RFC 9000 §8.1.2).", [])),
        ("client-hello", hello()),
        (
            "handshake",
            line(
                "handshake",
                "The handshake is complete.",
                [
                    ("alpn", maybe(text()), "The protocol that was agreed upon; null if none was."),
                    ("zero_rtt", truth(), "Whether early data was accepted."),
                ],
            ),
        ),
    ]
}

fn initial() -> Value {
    line(
        "initial",
        "A datagram that begins with an Initial, or with a packet of a version that is not known.",
        [
            peer(),
            ("len", number(), "How many bytes the datagram has, all packets in it together."),
            ("at_least_1200", truth(), "Whether that is enough (RFC 9000 §14.1)."),
            ("version", text(), "The version of the first packet."),
            ("token_len", number(), "How many bytes the token has."),
            ("zero_rtt", truth(), "Whether there is a 0-RTT packet in it."),
        ],
    )
}

fn hello() -> Value {
    let parameter = object(
        "A transport parameter (RFC 9000 §18.2).",
        [
            ("id", number(), "Its identifier."),
            ("name", text(), "Its name."),
            ("number", maybe(number()), "Its value; null if that is no number."),
            ("len", number(), "How many bytes the value has."),
        ],
    );
    let hello = line("client-hello", "The ClientHello came.", tls::hello());
    with(
        hello,
        [
            (
                "quic_versions",
                maybe(text()),
                "Versions that it has (version_information, RFC 9368); null if it does not say.",
            ),
            ("transport_parameters", list(parameter), "In the client's order."),
        ],
    )
}

fn streams() -> Lines {
    let one_way = || ("one_way", truth(), "Whether it is unidirectional.");
    vec![
        (
            "opened",
            line(
                "opened",
                "The client opened a stream.",
                [
                    stream(),
                    (
                        "implied",
                        truth(),
                        "Whether nothing of it came: one with a higher identifier opened it.",
                    ),
                ],
            ),
        ),
        (
            "opens",
            line(
                "opens",
                "The server opened a stream, or wanted to.",
                [
                    (
                        "stream",
                        maybe(number()),
                        "Its identifier; null if the client allows no such stream.",
                    ),
                    one_way(),
                ],
            ),
        ),
        (
            "begins",
            line(
                "begins",
                "The first bytes of a stream came.",
                [stream(), ("start", text(), "64 bytes at the most, escaped as in Rust.")],
            ),
        ),
        ("stream", ended()),
        (
            "stop-sending",
            line(
                "stop-sending",
                "The client wants no more of a stream.",
                [stream(), ("code", number(), "The application's code.")],
            ),
        ),
        (
            "datagram",
            line(
                "datagram",
                "A datagram came by a connection (RFC 9221).",
                [len(), ("sent_back", truth(), "Whether it was sent back.")],
            ),
        ),
    ]
}

fn ended() -> Value {
    let reset = object("RESET_STREAM.", [("reset", number(), "The application's code.")]);
    let end = || json!({ "oneOf": [{ "enum": ["fin", null] }, reset] });
    line(
        "stream",
        "A stream is done, or its connection is.",
        [
            stream(),
            ("opened_by", word(&["client", "server"]), "Who opened it."),
            ("one_way", truth(), "Whether it is unidirectional."),
            ("received", number(), "How many bytes came."),
            ("end", end(), "How the client ended it; null if it did not."),
            ("sent", number(), "How many bytes were sent."),
            ("sent_end", end(), "How the server ended it; null if it did not."),
        ],
    )
}

fn http3() -> Lines {
    let http3 = |about, field| line("http3", about, [stream(), field]);
    let settings = list(pair(text(), number()));
    vec![
        (
            "http3-type",
            http3("A unidirectional stream begins.", ("type", text(), "Its type (RFC 9114 §6.2).")),
        ),
        (
            "http3-frame",
            line(
                "http3",
                "A frame began.",
                [stream(), ("frame", text(), "Its type (RFC 9114 §7.2)."), len()],
            ),
        ),
        ("http3-settings", http3("SETTINGS came.", ("settings", settings, "Names and values."))),
        (
            "http3-fields",
            http3(
                "HEADERS came.",
                (
                    "fields",
                    list(pair(text(), text())),
                    "Names and values, up to the first that cannot be read.",
                ),
            ),
        ),
    ]
}

fn closed() -> Value {
    let blocked = json!({ "type": "array", "items": number(), "minItems": 2, "maxItems": 2 });
    let line = object_and(
        "The connection is over.",
        [
            ("how", text(), "Why, in words."),
            (
                "by",
                maybe(word(&["client", "server"])),
                "Who sent CONNECTION_CLOSE; null if nobody did.",
            ),
            (
                "streams_blocked",
                blocked,
                "How often the client said that it may open no more streams, of both directions and of one.",
            ),
        ],
        [
            (
                "application",
                truth(),
                "Of CONNECTION_CLOSE: whether the application did it, not the transport.",
            ),
            ("code", bits(62), "Of CONNECTION_CLOSE: its code."),
            ("reason", text(), "Of CONNECTION_CLOSE: what was said of it; empty if nothing was."),
            ("alert", text(), "The alert of TLS that the transport's code stands for."),
        ],
    );
    with(line, common("closed"))
}
