//! `quic`: an endpoint that says which streams a client opened, and where it stopped if it opened none.
//!
//! The transport is quinn-proto's; what is told of the first handshake message, of packets and of HTTP/3 is read
//! here.

mod flow;
mod h3;
mod hello;
mod line;
mod machine;
mod names;
mod packet;
mod qpack;
mod report;
mod schema;
mod script;
mod seen;
mod summary;
mod tally;
mod tls;
mod witness;

#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::SystemTime;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::machine::{Datagrams, Kind};
use crate::offer::{Asked, Made, Offer, Takes, find};
use crate::tls::certs::{self, Fault};

pub use h3::Part;
pub use hello::{Hello, Parameter};
pub use packet::{LEAST, Long};
pub use script::SCRIPTS;
pub use seen::{Closed, End, Seen, Stream, What};
pub use witness::Report;

/// A server that has no machine for connections, and one for its datagrams.
struct Quic(Option<machine::Machine>);

impl Kind for Quic {
    fn has_streams(&self) -> bool {
        false
    }

    fn datagrams(&mut self) -> Option<Box<dyn Datagrams>> {
        Some(Box::new(self.0.take()?))
    }
}

/// What is offered.
pub const OFFER: Offer = Offer {
    name: "quic",
    about: "Serve QUIC and HTTP/3: each stream by its id and who opened it, ALPN, why a connection closed",
    scripts: &SCRIPTS,
    port: 443,
    counts: "connections",
    takes: &[Takes::Hosts],
    make,
    lines: schema::lines,
};

fn make(asked: &Asked) -> Result<Made, String> {
    let plan = find(script::ROWS, &asked.script)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut identity = certs::make(plan.fault, &asked.names, now)?;
    let ca = Some(identity.ca.clone());
    // The CA is sent, too: who pins a key of the chain, as Chromium can, has it from the file.
    if plan.fault != Fault::SelfSigned {
        let root = CertificateDer::from_pem_slice(identity.ca.as_bytes());
        identity.chain.push(root.map_err(|e| e.to_string())?);
    }
    let ear = tls::Ear::default();
    let listening = tls::Listening::new(identity, plan.alpn, ear.clone())?;
    let kind = Box::new(Quic(Some(machine::Machine::new(plan, listening, ear))));
    Ok(Made { kind, witness: Box::new(Report::new(plan)), url, ca })
}

/// By the name that the certificate has, where that is this host.
fn url(addr: SocketAddr) -> String {
    let is_local = addr.ip() == Ipv4Addr::LOCALHOST || addr.ip() == Ipv6Addr::LOCALHOST;
    if is_local {
        format!("https://{addr}/")
    } else {
        format!("https://localhost:{}/", addr.port())
    }
}
