//! HTTP/1.1 (RFC 9112): each request as it came, and what became of each cookie (RFC 6265).

mod connection;
mod report;
mod request;
mod schema;
mod script;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use self::connection::{Connection, Shared};
pub use self::report::{Answered, Record};
pub use crate::head::{Body, Head};
use crate::machine::{Kind, Stream};
use crate::offer::{Asked, Made, Offer, Takes, find};

/// What was seen: a request, once there is nothing more to be said of it.
pub type Seen = Box<Record>;

/// How it is offered.
pub const OFFER: Offer = Offer {
    name: "http",
    about: "Serve HTTP on loopback, run a command, report each request as it came, and every cookie",
    scripts: &script::SCRIPTS,
    port: 80,
    counts: "requests",
    takes: &[Takes::Raw, Takes::IdleThen],
    make,
    lines: schema::lines,
};

/// A server that answers by a script.
#[derive(Debug)]
struct Http(Arc<Shared>);

impl Kind for Http {
    fn stream(&mut self, number: u64) -> Option<Box<dyn Stream>> {
        Some(Box::new(Connection::new(Arc::clone(&self.0), number)))
    }
}

fn make(asked: &Asked) -> Result<Made, String> {
    let script = find(script::ROWS, &asked.script)?;
    Ok(Made {
        kind: Box::new(Http(Arc::new(Shared { script, requests: AtomicU64::new(0) }))),
        witness: Box::new(report::Teller::default()),
        url,
        ca: None,
    })
}

fn url(addr: SocketAddr) -> String {
    format!("http://{addr}/")
}
