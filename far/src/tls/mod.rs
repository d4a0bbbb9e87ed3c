//! TLS: whether a connection came, what its `ClientHello` offers, how far the handshake went, and what the client
//! said of the certificate.

pub mod alert;
pub mod certs;
pub mod hello;
pub mod http;
pub(crate) mod keys;
pub mod ldap;
pub mod names;
mod old;
pub mod record;
mod report;
mod rsa;
pub(crate) mod schema;
pub mod script;
mod seen;
mod story;
mod stream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::server::NoServerSessionStorage;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};
pub use seen::{End, Said, Seen, Session, What};

use crate::machine::{Kind, Stream};
use crate::offer::{Asked, Made, Offer, Takes, find};
use script::Serve;
use stream::{Link, Within};

/// What is offered.
pub const OFFER: Offer = Offer {
    name: "tls",
    about: "Serve TLS by a certificate of each kind, HTTP or LDAP within: how far a client comes, its alert by name",
    scripts: &script::SCRIPTS,
    port: 443,
    counts: "connections",
    takes: &[Takes::IdleThen, Takes::Within, Takes::Hosts],
    make,
    lines: schema::lines,
};

/// A server of TLS.
struct Tls {
    serve: Serve,
    config: Arc<ServerConfig>,
    within: Option<&'static str>,
}

impl Kind for Tls {
    fn stream(&mut self, number: u64) -> Option<Box<dyn Stream>> {
        let within = match self.within {
            Some("http") => Within::Http(http::Http::default()),
            Some(_) => Within::Ldap(ldap::Ldap::default()),
            None => Within::Any,
        };
        Some(Box::new(Link::new(number, self.serve, Arc::clone(&self.config), within)))
    }
}

/// Makes one: its certificate too, which for `sha1` takes seconds without optimisation.
fn make(asked: &Asked) -> Result<Made, String> {
    let row = find(script::ROWS, &asked.script)?;
    let within = match asked.within.as_deref() {
        None => None,
        Some("http") => Some("http"),
        Some("ldap") => Some("ldap"),
        Some(other) => return Err(format!("within is http or ldap, not {other:?}")),
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let identity = certs::make(row.fault, &asked.names, now)?;
    let ca = Some(identity.ca.clone());
    let config = Arc::new(config(row.serve, identity)?);
    let url: fn(SocketAddr) -> String = match (row.serve, within) {
        // By address: libldap takes localhost for this host's own name, which no certificate here has.
        (Serve::Plain, Some("ldap")) => |addr| format!("ldap://{addr}"),
        (Serve::Plain, _) => |addr| format!("http://{}/", host(addr)),
        (_, Some("ldap")) => |addr| format!("ldaps://{addr}"),
        _ => |addr| format!("https://{}/", host(addr)),
    };
    Ok(Made {
        kind: Box::new(Tls { serve: row.serve, config, within }),
        witness: Box::new(report::Report::new(row, &asked.names, now)),
        url,
        ca,
    })
}

fn config(serve: Serve, identity: certs::Identity) -> Result<ServerConfig, String> {
    let versions: &[&'static SupportedProtocolVersion] = match serve {
        Serve::Tls12 => &[&TLS12],
        Serve::Tls13 => &[&TLS13],
        _ => &[&TLS13, &TLS12],
    };
    let mut config = identity.config(versions)?;
    // Who resumes a session is shown no certificate.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// Where it serves, as a client is told: by name where that is this host, since only a name is sent as SNI.
fn host(addr: SocketAddr) -> String {
    match addr.ip().to_canonical().to_string().as_str() {
        "127.0.0.1" | "::1" => format!("localhost:{}", addr.port()),
        _ => addr.to_string(),
    }
}

#[cfg(test)]
mod tests;
