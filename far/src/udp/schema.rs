//! What a line about a datagram is.

use crate::schema::{Lines, at, bits, event, maybe, number, object, text, truth, word};

/// Of every datagram one.
pub(crate) fn lines() -> Lines {
    let answers = ["echo", "echo, 2 s later", "none: too many wait", "the port was closed"];
    let datagram = object(
        "A datagram.",
        [
            event("datagram"),
            ("datagram", number(), "Its number, from 1."),
            at(),
            ("peer", text(), "The sender's address and port."),
            (
                "local",
                text(),
                "The address and port that it came to; a group's address if it was sent there.",
            ),
            ("len", number(), "How many bytes of it are here."),
            (
                "cut_from",
                maybe(bits(32)),
                "How long it was in bytes (MSG_TRUNC); null if all of it is here.",
            ),
            ("ttl", maybe(bits(8)), "TTL or hop limit; null if the kernel does not tell."),
            (
                "tos",
                maybe(bits(8)),
                "Type of service or traffic class; null if the kernel does not tell.",
            ),
            (
                "ecn",
                maybe(word(&super::report::ECN.map(|(name, _)| name))),
                "The last two bits of `tos` (RFC 3168 §5).",
            ),
            ("dscp", maybe(bits(6)), "The other bits of `tos` (RFC 2474)."),
            (
                "interface_index",
                maybe(bits(32)),
                "By which interface it came; null if the kernel does not tell.",
            ),
            ("interface", maybe(text()), "That interface's name; `interface 7` where it has none."),
            (
                "whole",
                maybe(truth()),
                "Whether it came in one piece; null if the kernel does not tell (macOS).",
            ),
            (
                "largest_fragment",
                maybe(bits(32)),
                "The largest fragment in bytes, with its header (IP_RECVFRAGSIZE); null if it came whole.",
            ),
            (
                "lost_here",
                maybe(bits(32)),
                "How many had no room in the socket's buffer until now (SO_RXQ_OVFL); null if the kernel does not tell.",
            ),
            ("answer", maybe(word(&answers)), "What was done about it; null if nothing was."),
            ("offset", number(), "At which byte it begins in datagrams.bin of --out."),
            ("text", text(), "How it begins, 64 bytes at the most, escaped as in Rust."),
        ],
    );
    vec![("datagram", datagram)]
}
