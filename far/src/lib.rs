//! Far ends that say what came: each protocol is a machine, bytes in, bytes and observations out.
//!
//! A machine has no socket and no clock, so that the same one serves a program over ordinary sockets ([`net`],
//! `sockeye control`) and in a lab, over a TCP of the lab's own (`serve`, `sockeye observe --serve`), and is
//! tested with plain values.

// What is shared with tests in programs of their own names this library as they do.
#[cfg(test)]
extern crate self as far;

mod body;
pub mod capture;
pub mod dns;
#[cfg(test)]
#[path = "../tests/fits/mod.rs"]
mod fits;
pub mod ftp;
mod head;
pub mod http;
pub mod idle;
pub mod machine;
pub mod net;
pub mod offer;
pub mod proxy;
pub mod quic;
pub mod schema;
mod text;
pub mod tls;
pub mod udp;
pub mod witness;
pub mod ws;

pub use machine::{Datagram, Datagrams, Do, Group, Input, Kind, Out, Side, SideDo, Stream};
pub use offer::{Asked, Made, OFFERS, Offer, Script, Takes};
pub use schema::schema;
pub use witness::{Seen, Told, Witness};
