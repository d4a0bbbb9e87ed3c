//! What the lines about a client of WebSocket are.

use serde_json::{Value, json};

use super::Start;
use super::frame::opcode;
use crate::schema::{
    Lines, at, bits, client, connection, event, list, maybe, number, object, text, truth, word,
};

/// By `event`.
pub(crate) fn lines() -> Lines {
    vec![("handshake", handshake()), ("frame", frame()), ("ended", ended()), ("instead", instead())]
}

fn handshake() -> Value {
    object(
        "A request of HTTP.",
        [
            event("handshake"),
            connection(),
            at(),
            client(),
            ("line", text(), "Its method and target."),
            ("agent", maybe(text()), "User-Agent; null without one."),
            ("origin", maybe(text()), "Origin; null without one."),
            ("protocols", list(text()), "Subprotocols that are offered."),
            ("extensions", list(text()), "Extensions that are offered."),
            ("faults", list(text()), "What is missing or wrong (RFC 6455 §4.2.1)."),
            ("status", maybe(bits(16)), "The status of the answer; null if there is none."),
            ("about", text(), "What else is to be said of the answer; empty if nothing is."),
        ],
    )
}

fn frame() -> Value {
    let names = [0, 1, 2, 3, 8, 9, 10, 11].map(opcode);
    let mask = json!({ "type": "array", "items": bits(8), "minItems": 4, "maxItems": 4 });
    object(
        "A frame of the client.",
        [
            event("frame"),
            connection(),
            ("frame", number(), "Its number on its connection, from 1."),
            ("at_ms", crate::schema::millis(), "When it was whole, in ms since the server began."),
            ("opcode", bits(4), "Its opcode (RFC 6455 §11.8)."),
            ("name", word(&names), "The opcode's name."),
            ("fin", truth(), "Whether it is the last of its message."),
            ("rsv", bits(3), "RSV1 is 4, RSV2 is 2, RSV3 is 1."),
            ("mask", maybe(mask), "The masking key's bytes; null if it is not masked."),
            ("length", number(), "How many bytes the payload has, as the header says."),
            ("came", number(), "How many bytes of it came."),
            (
                "begins",
                text(),
                "How the payload begins, 128 bytes at the most, without the mask, escaped as in Rust.",
            ),
            ("about", maybe(text()), "What else is to be said of it; null if nothing is."),
            ("faults", list(text()), "What of it breaks RFC 6455, each with its section."),
        ],
    )
}

fn ended() -> Value {
    let starts = [Start::Silent, Start::Handshake, Start::Wrong, Start::Frame, Start::Other];
    let starts = starts.map(|start| format!("{start:?}").to_lowercase());
    let close = object(
        "A Close.",
        [
            ("code", maybe(bits(16)), "Its code; null without one."),
            ("reason", text(), "Its reason; empty without one."),
        ],
    );
    object(
        "A connection ended.",
        [
            event("ended"),
            connection(),
            at(),
            (
                "began_with",
                word(&starts.each_ref().map(String::as_str)),
                "How it began: with nothing, a right handshake, a request that is none, a frame, something else.",
            ),
            ("frames", number(), "How many frames came."),
            ("close", maybe(close), "The client's Close; null if none came."),
            ("how", text(), "How it ended, in words."),
        ],
    )
}

fn instead() -> Value {
    object(
        "What came is no request of HTTP.",
        [
            event("instead"),
            connection(),
            at(),
            client(),
            ("what", text(), "What it is, in words."),
            ("bytes", text(), "How it begins, 64 bytes at the most, escaped as in Rust."),
        ],
    )
}
