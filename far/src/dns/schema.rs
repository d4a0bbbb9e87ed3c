//! What the lines about queries are.

use serde_json::Value;

use crate::schema::{
    Field, Lines, at, bits, connection, event, list, maybe, millis, number, object, text, truth,
    word,
};

fn transport() -> Field {
    ("transport", word(&["udp", "tcp"]), "By what it came.")
}

fn by_connection() -> Field {
    ("connection", maybe(number()), "The number of the TCP connection, from 1; null of UDP.")
}

fn peer() -> Field {
    ("peer", text(), "The client's address and port.")
}

/// A query, one that was not answered after all, what is no query, a connection without one.
pub(crate) fn lines() -> Lines {
    let unanswered = object(
        "An answer that had to wait was not sent.",
        [
            event("unanswered"),
            ("query", number(), "The query's number, from 1."),
            ("why", text(), "Why not, in words."),
        ],
    );
    let malformed = object(
        "What came is no query.",
        [
            event("malformed"),
            ("why", text(), "Why it is none, in words."),
            at(),
            transport(),
            by_connection(),
            peer(),
            ("len", number(), "How many bytes it has."),
            ("text", text(), "How it begins, 512 bytes at the most, escaped as in Rust."),
            ("answered", truth(), "Whether it was answered, by FORMERR."),
        ],
    );
    let connection = object(
        "A TCP connection ended that had asked nothing.",
        [
            event("connection"),
            connection(),
            at(),
            peer(),
            ("queries", serde_json::json!({ "const": 0 }), "How many queries came by it."),
            ("ending", text(), "How it ended, in words."),
        ],
    );
    vec![
        ("query", query()),
        ("unanswered", unanswered),
        ("malformed", malformed),
        ("connection", connection),
    ]
}

fn query() -> Value {
    let edns = object(
        "EDNS (RFC 6891 §6.1).",
        [
            ("version", bits(8), "Its version."),
            ("size", bits(16), "The longest datagram that is taken, in bytes."),
            ("do", truth(), "Whether records of DNSSEC are wanted."),
            ("options", list(text()), "The options, in words."),
        ],
    );
    object(
        "A query, and what it was told.",
        [
            event("query"),
            ("query", number(), "Its number, from 1."),
            at(),
            transport(),
            by_connection(),
            ("local", text(), "The address and port that it came to."),
            peer(),
            ("id", bits(16), "The message's id."),
            ("opcode", text(), "What is to be done: QUERY."),
            ("flags", list(word(&["RD", "CD", "AD", "AA", "TC", "RA"])), "Those that are set."),
            ("name", text(), "The name in the case that it came in; the root is `.`."),
            ("type", text(), "Of which type: A, AAAA, TYPE65."),
            ("class", text(), "Of which class: IN."),
            ("mixed_case", truth(), "Whether the name has letters of both cases (0x20)."),
            ("edns", maybe(edns), "EDNS; null without it."),
            ("len", number(), "How many bytes the message has."),
            (
                "again_of",
                maybe(number()),
                "The number of the last query for the same; null if there was none.",
            ),
            ("again_same_id", maybe(truth()), "Whether that one had the same id."),
            (
                "again_same_port",
                maybe(truth()),
                "Whether that one came from the same address and port.",
            ),
            (
                "after_previous_ms",
                maybe(millis()),
                "How many ms after the query before; null of the first.",
            ),
            ("told", text(), "What it was told, in words."),
            ("answer", maybe(answer()), "The answer; null if there is none."),
        ],
    )
}

fn answer() -> Value {
    object(
        "An answer.",
        [
            ("rcode", text(), "Its code: NOERROR, NXDOMAIN, SERVFAIL."),
            ("records", list(text()), "The records in it: `A 127.0.0.1`."),
            ("truncated", truth(), "Whether it says that it is cut short (TC)."),
            ("id_fits", truth(), "Whether its id is the query's."),
            ("question_fits", truth(), "Whether its question is the query's."),
            ("len", number(), "How many bytes it has."),
            ("after_ms", millis(), "How many ms after the query it is sent."),
        ],
    )
}
