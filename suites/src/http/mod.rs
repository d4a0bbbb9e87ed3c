//! `http`: the cookie-less control experiment, and its neighbours.
//!
//! Forum posts tell of cookies that are sent although they were deleted, of requests that fail with
//! *network connection lost* when an app comes back to the foreground, of `EIO` from a WebSocket.
//! Here the same exchanges are made with nothing but a socket: what happens is the kernel's, and
//! what does not happen is somebody else's. The far end of the tun is a TCP server with a script.

mod early;
mod exchange;
mod fast_open;
mod ftp;
mod ftp_active;
mod keep_alive;
mod steps;
mod timers;
mod trailing;
mod urgent;
mod websocket;

use crate::table::Table;

/// The suite's tables, in the order in which they are shown.
pub(crate) fn tables() -> Vec<Table> {
    let mut tables = exchange::tables();
    tables.extend(keep_alive::tables());
    tables.extend(early::tables());
    tables.push(websocket::table());
    tables.extend([fast_open::table(), trailing::table()]);
    tables.extend(ftp::tables());
    tables.push(ftp_active::table());
    tables.extend(urgent::tables());
    tables.push(timers::table());
    tables
}
