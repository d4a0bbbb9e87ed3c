//! What a line about a request is.

use crate::schema::{
    Lines, bits, connection, event, list, maybe, millis, number, object, pair, text,
};

/// Of every request one.
pub(super) fn lines() -> Lines {
    let response = object(
        "The final response.",
        [
            ("status", bits(16), "Its status."),
            (
                "at_ms",
                millis(),
                "When its first byte was about to leave, in ms since the server began.",
            ),
            ("lines", list(text()), "The status line and header lines."),
        ],
    );
    let header = pair(text(), text());
    let request = object(
        "A request as it came, once there is nothing more to be said of it.",
        [
            event("request"),
            ("request", number(), "Its number, from 1."),
            connection(),
            ("at_ms", millis(), "When its head was there, in ms since the server began."),
            ("method", maybe(text()), "As it was written; null of what is no request."),
            ("target", maybe(text()), "As it was written; null of what is no request."),
            ("malformed", maybe(text()), "Why it is no request; null of one."),
            ("head", text(), "Its head as it came; what is no UTF-8 is replaced."),
            (
                "headers",
                maybe(list(header)),
                "Names and values in the order and the spelling in which they came; null of what is no request.",
            ),
            ("cookie", maybe(text()), "The value of Cookie; null without one."),
            ("body_len", number(), "How many bytes of the body were read, framing left out."),
            ("body_note", maybe(text()), "What was odd about the body; null if nothing was."),
            ("response", maybe(response), "The final response; null if there was none."),
            ("ending", text(), "What becomes of the connection, in words."),
        ],
    );
    vec![("request", request)]
}
