//! What a line about a connection is that was ended when idle.

use crate::schema::{Lines, at, connection, event, null, number, object, word};

/// Three, of which the first is one of two events, and so is the second.
pub(crate) fn lines() -> Lines {
    let none = "Null: of other events.";
    vec![
        (
            "ended",
            object(
                "A connection was idle and was ended, or the client ended such a one, too.",
                [
                    ("event", word(&["ended-idle", "left"]), "Which line this is."),
                    connection(),
                    at(),
                    ("of_connection", null(), none),
                    ("bytes", null(), none),
                ],
            ),
        ),
        (
            "again",
            object(
                "Behind a connection that was ended the client came again, or sent again what was lost.",
                [
                    ("event", word(&["came-again", "sent-again"]), "Which line this is."),
                    connection(),
                    at(),
                    ("of_connection", number(), "The number of the connection that was ended."),
                    ("bytes", null(), none),
                ],
            ),
        ),
        (
            "lost",
            object(
                "Something came on a connection that was ended, and nobody reads it.",
                [
                    event("lost"),
                    connection(),
                    at(),
                    ("of_connection", null(), none),
                    ("bytes", number(), "How many bytes came."),
                ],
            ),
        ),
    ]
}
