//! `http`: the cookie-less control experiment, and its neighbours.
//!
//! Forum posts tell of cookies that are sent although they were deleted, of requests that fail with
//! *network connection lost* when an app comes back to the foreground, of `EIO` from a WebSocket.
//! Here the same exchanges are made with nothing but a socket: what happens is the kernel's, and
//! what does not happen is somebody else's. The far end of the tun is a TCP server with a script.

mod keep_alive;
mod pieces;
mod steps;

use crate::table::Table;
use crate::text::{self, file};

/// The suite's tables, in the order in which they are shown.
pub(crate) fn tables() -> Vec<Table> {
    let files = [
        file!("http", "control.case"),
        file!("http", "request.case"),
        file!("http", "kept.case"),
        file!("http", "early-response.case"),
        file!("http", "websocket.case"),
        file!("http", "fast-open.case"),
        file!("http", "trailing.case"),
        file!("http", "ftp.case"),
        file!("http", "ftp-active.case"),
        file!("http", "urgent.case"),
        file!("http", "timers.case"),
    ];
    text::among(
        &files,
        [
            ("http/half-close", vec![pieces::table()]),
            ("http/stale-calls", vec![keep_alive::table()]),
        ],
    )
}
