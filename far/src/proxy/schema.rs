//! What the lines about a client of a proxy are.

use serde_json::Value;

use super::Way;
use crate::schema::{
    Field, Lines, at, bits, client, connection, event, maybe, number, object, text, word,
};

fn request() -> Field {
    ("request", number(), "The request's number, from 1.")
}

fn way() -> Field {
    let all = [Way::Connect, Way::Absolute, Way::Socks5, Way::Socks4, Way::Around, Way::Pac];
    let about =
        "How it asked; around is a request for the proxy's own port, as if there were no proxy.";
    ("way", word(&all.map(Way::name)), about)
}

/// By `event`.
pub(crate) fn lines() -> Lines {
    let odd = object(
        "What came is no request.",
        [
            event("odd"),
            connection(),
            at(),
            client(),
            ("why", text(), "What is odd about it, in words."),
            ("bytes", text(), "How it begins, 64 bytes at the most, escaped as in Rust."),
        ],
    );
    vec![("asked", asked()), ("ended", ended()), ("odd", odd)]
}

fn asked() -> Value {
    let credentials = object(
        "Credentials without what is secret in them.",
        [
            ("scheme", text(), "The scheme as the client wrote it, or `SOCKS5 user/password`."),
            ("user", maybe(text()), "The user's name; null if it cannot be read."),
            (
                "about",
                text(),
                "What else can be said, such as the step of NTLM; empty if nothing can.",
            ),
        ],
    );
    object(
        "Something was asked.",
        [
            event("asked"),
            request(),
            connection(),
            at(),
            client(),
            ("agent", maybe(text()), "User-Agent; null without one, and of SOCKS."),
            way(),
            ("line", text(), "The method and the target as written, or the target of SOCKS."),
            (
                "target",
                maybe(text()),
                "Host and port; null if they cannot be read, or it asked for no proxying.",
            ),
            (
                "named_by",
                maybe(word(&["name", "address"])),
                "What the target's host is; null without one.",
            ),
            ("credentials", maybe(credentials), "Who it says it is; null if it does not say."),
        ],
    )
}

fn ended() -> Value {
    object(
        "What was asked has ended.",
        [
            event("ended"),
            request(),
            connection(),
            at(),
            way(),
            (
                "code",
                maybe(bits(16)),
                "The status of HTTP or the reply of SOCKS; null if there was no answer.",
            ),
            ("why", maybe(text()), "Why it was not let through; null if it was."),
            ("challenge", maybe(text()), "The Proxy-Authenticate of a 407; null of other answers."),
            ("up", number(), "How many bytes the client sent through."),
            ("down", number(), "How many bytes it was sent."),
            (
                "inside",
                maybe(text()),
                "What a tunnel's first bytes were: `TLS`, `other`, or a request's method and target; null if none went.",
            ),
            (
                "inside_agent",
                maybe(text()),
                "User-Agent of the request in the tunnel; null without one.",
            ),
            ("ended_by", text(), "Who ended it, in words: `the client`."),
        ],
    )
}
