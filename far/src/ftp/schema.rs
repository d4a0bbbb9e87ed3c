//! What the lines about a client of FTP are.

use serde_json::Value;

use super::Way;
use crate::schema::{
    Field, Lines, at, client, connection, event, list, maybe, number, object, text, truth, word,
};

fn way() -> Value {
    word(&[Way::Pasv, Way::Epsv, Way::Port, Way::Eprt].map(Way::name))
}

fn transfer() -> Field {
    ("transfer", number(), "The transfer's number on its connection, from 1.")
}

/// By `event`.
pub(crate) fn lines() -> Lines {
    vec![
        (
            "connected",
            object("Somebody connected.", [event("connected"), connection(), at(), client()]),
        ),
        ("command", command()),
        ("transfer", of_transfer()),
        (
            "unused",
            object(
                "A port was told, and nobody connected.",
                [
                    event("unused"),
                    connection(),
                    at(),
                    ("way", way(), "The command that asked for the port."),
                ],
            ),
        ),
        (
            "upload",
            object(
                "A part of an upload came.",
                [
                    event("upload"),
                    connection(),
                    transfer(),
                    ("bytes", number(), "How many bytes came."),
                ],
            ),
        ),
        (
            "ended",
            object(
                "A connection ended.",
                [
                    event("ended"),
                    connection(),
                    at(),
                    ("commands", number(), "How many commands came."),
                    ("quit", truth(), "Whether QUIT was the last."),
                    ("how", text(), "How, in words."),
                ],
            ),
        ),
    ]
}

fn command() -> Value {
    object(
        "A command as it came.",
        [
            event("command"),
            connection(),
            ("command", number(), "Its number on its connection, from 1."),
            at(),
            ("verb", text(), "In capitals."),
            ("argument", text(), "What is behind the verb; a password is not here."),
            ("urgent", truth(), "Whether urgent data was announced (RFC 959 §4.1.3)."),
            ("telnet", list(text()), "Telnet commands before it, such as IP and DM."),
            ("odd", maybe(text()), "What is odd about it; null if nothing is."),
            ("reply", maybe(text()), "The last line of the reply; null if there is none yet."),
        ],
    )
}

fn of_transfer() -> Value {
    object(
        "A transfer is over, or there was none.",
        [
            event("transfer"),
            connection(),
            transfer(),
            at(),
            ("verb", text(), "The command: RETR, LIST, STOR."),
            ("name", text(), "The file or the folder that it is about; empty if none was named."),
            ("way", maybe(way()), "How the data connection is opened; null if nobody said."),
            (
                "peer",
                maybe(text()),
                "The address and port of its other end; null if it was not opened.",
            ),
            ("from", number(), "At which byte it began (REST)."),
            ("sent", number(), "How many bytes were sent."),
            ("came", number(), "How many bytes came."),
            ("fate", text(), "What became of it, in words."),
            ("reply", text(), "The reply at its end; empty if there is none."),
        ],
    )
}
