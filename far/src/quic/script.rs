//! What the server does, by name.

use super::tls::Alpn;
use crate::offer::Script;
use crate::tls::certs::Fault;

/// What becomes of a first Initial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    Accept,
    /// The address is validated first (RFC 9000 §8.1.2).
    Retry,
    Refuse,
    /// It is read, and nothing is ever sent.
    Silence,
    /// Those versions are said to be spoken, and none is.
    Negotiate(&'static [u32]),
}

/// A script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) first: First,
    pub(super) alpn: Alpn,
    /// What is wrong with the certificate.
    pub(super) fault: Fault,
    /// How many streams of each direction the client may have open; none for as many as usual.
    pub(super) streams: Option<u32>,
    pub(super) datagrams: bool,
    /// Whether it opens streams of its own.
    pub(super) opens: bool,
    /// The application's code that a connection is closed with as soon as it is there.
    pub(super) closes: Option<u32>,
}

const ECHO: Plan = Plan {
    first: First::Accept,
    alpn: Alpn::Any(&["sockeye", "echo"]),
    fault: Fault::None,
    streams: None,
    datagrams: false,
    opens: false,
    closes: None,
};

/// A reserved version (RFC 9000 §15), which nobody speaks.
const RESERVED: &[u32] = &[0x1a2a_3a4a];

const fn script(name: &'static str, about: &'static str) -> Script {
    Script { name, about }
}

/// Every script; the first is the default.
pub const SCRIPTS: &[Script] = &[
    script(
        "echo",
        "sends back what comes by a stream; takes any ALPN; speaks HTTP/3 where h3 is agreed upon",
    ),
    script("h3", "takes h3 alone, and answers each request with 200 and a short text"),
    script("opens-streams", "as echo, and opens streams 1 and 3 itself"),
    script("no-streams", "as echo, but the client may open no stream (initial_max_streams 0)"),
    script("datagrams", "as echo, and takes datagrams (RFC 9221), which it sends back"),
    script("retry", "as echo, once the client's address was validated by a Retry"),
    script("refuse", "closes each connection with CONNECTION_REFUSED at its first packet"),
    script(
        "close-at-once",
        "closes with the application's code 42 as soon as the handshake is complete",
    ),
    script("silent", "reads what comes and never answers"),
    script(
        "version-negotiation",
        "answers every first packet by saying that versions 1 and 2 are spoken",
    ),
    script(
        "version-none",
        "answers every first packet by saying that a reserved version alone is spoken",
    ),
    script("no-alpn", "takes a protocol alone that nobody offers: alert no_application_protocol"),
    script("self-signed", "as echo, with a certificate that is signed by itself"),
    script("wrong-name", "as echo, with a certificate of another host"),
    script("expired", "as echo, with a certificate that was valid until yesterday"),
];

const PLANS: &[(&str, Plan)] = &[
    ("echo", ECHO),
    ("h3", Plan { alpn: Alpn::Only(&["h3"]), ..ECHO }),
    ("opens-streams", Plan { opens: true, ..ECHO }),
    ("no-streams", Plan { streams: Some(0), ..ECHO }),
    ("datagrams", Plan { datagrams: true, ..ECHO }),
    ("retry", Plan { first: First::Retry, ..ECHO }),
    ("refuse", Plan { first: First::Refuse, ..ECHO }),
    ("close-at-once", Plan { closes: Some(42), ..ECHO }),
    ("silent", Plan { first: First::Silence, ..ECHO }),
    ("version-negotiation", Plan { first: First::Negotiate(&super::packet::KNOWN), ..ECHO }),
    ("version-none", Plan { first: First::Negotiate(RESERVED), ..ECHO }),
    ("no-alpn", Plan { alpn: Alpn::Only(&["nobody-offers-this"]), ..ECHO }),
    ("self-signed", Plan { fault: Fault::SelfSigned, ..ECHO }),
    ("wrong-name", Plan { fault: Fault::Name, ..ECHO }),
    ("expired", Plan { fault: Fault::Expired, ..ECHO }),
];

/// The plan of a script.
pub(super) fn find(name: &str) -> Option<&'static Plan> {
    PLANS.iter().find(|plan| plan.0 == name).map(|plan| &plan.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_has_its_plan() {
        let names: Vec<&str> = SCRIPTS.iter().map(|script| script.name).collect();
        assert_eq!(names, PLANS.iter().map(|plan| plan.0).collect::<Vec<_>>());
        assert!(find("ech").is_none());
    }
}
